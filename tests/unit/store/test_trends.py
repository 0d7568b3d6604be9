from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from brandkit import schemas
from brandkit.errors import UnknownError
from brandkit.store import StateStore
from brandkit.store.trends import SCORE_COUNT
from tests.store_frames import at, full, item_id, publish, records, start


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "store.duckdb", cache=None, timeout_s=5)


def by_polars(
    frame: pl.DataFrame, kind: str, component: str | None, name: str, value: pl.Expr
) -> pl.DataFrame:
    """How often each value stands in the records, counted without the store."""
    return (
        frame.select(value=value.cast(pl.Int16), is_lead="is_lead")
        .group_by("value")
        .agg(n_records=pl.len().cast(pl.Int64), n_stories=pl.col("is_lead").sum().cast(pl.Int64))
        .select(
            pl.lit(kind).cast(SCORE_COUNT["kind"]).alias("kind"),
            pl.lit(component, schemas.COMPONENT).alias("component"),
            pl.lit(name).alias("name"),
            "value", "n_records", "n_stories",
        )
    )  # fmt: skip


def expected(frame: pl.DataFrame) -> pl.DataFrame:
    """All that ``score_counts`` should say of one run, counted by Polars from its records."""
    changed = frame.select("is_lead", change="modifiers").explode("change").drop_nulls("change")
    changed = changed.unnest("change", separator=".")
    scores, gates = pl.col("scores").struct, pl.col("gates").struct
    counted = [by_polars(frame, "total", None, "total", pl.col("total"))]
    for component, parts in schemas.PARTS.items():
        given_ = pl.col("parts").struct.field(component).struct
        counted.append(by_polars(frame, "component", component, component, scores.field(component)))
        counted += [by_polars(frame, "part", component, part, given_.field(part)) for part in parts]
    for gate in schemas.GATES:
        counted.append(by_polars(frame, "gate", None, gate, gates.field(gate).sign().clip(upper_bound=0)))
    for (decision,), same in frame.group_by("decision"):
        counted.append(by_polars(same, "decision", None, str(decision), pl.lit(1)))
    for (name, component), same in changed.group_by("change.name", "change.component"):
        counted.append(by_polars(same, "modifier", str(component), str(name), pl.col("change.points")))
    kept = pl.concat(counted).drop_nulls("value").filter(pl.col("n_records") > 0)
    return kept.sort("kind", "component", "name", "value", nulls_last=True)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.integers(1, 40), min_size=1, max_size=12, unique=True))
def test_the_store_counts_what_stands_in_the_records(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int]
) -> None:
    store = StateStore(tmp_path_factory.mktemp("counts") / "store.duckdb", cache=None)
    whole = full(schemas.RECORD, 41, content_hash=["h1"] * 41, collected_at=[at(0)] * 41)
    sent = whole[numbers].with_columns(item_id=pl.Series([item_id(n) for n in numbers]))
    run = publish(store, sent)
    found = store.score_counts([run])
    assert dict(found.schema) == dict(SCORE_COUNT)
    assert found["run_id"].unique().to_list() == [run.run_id]
    assert_frame_equal(found.drop("run_id"), expected(sent))


def test_every_number_of_the_score_is_counted_once_for_each_record_of_each_run(store: StateStore) -> None:
    sizes = {publish(store, records(*((n, f"s{n}") for n in range(size)))).run_id: size for size in (2, 5)}
    # A run that is asked for twice is counted once, and one that found nothing has no counts.
    empty = publish(store, schemas.empty(schemas.RECORD))
    found = store.score_counts([*sizes, *sizes, empty]).filter(pl.col("kind") != "modifier")
    of_number = found.with_columns(name=pl.when(pl.col("kind") != "decision").then("name"))
    sums = of_number.group_by("run_id", "kind", "component", "name").agg(pl.col("n_records").sum())
    n_numbers = 1 + 5 + sum(map(len, schemas.PARTS.values())) + len(schemas.GATES) + 1
    assert sums.height == 2 * n_numbers
    assert sums.select("run_id", "n_records").unique().sort("n_records").rows() == list(sizes.items())


def test_a_run_that_published_nothing_cannot_be_counted(store: StateStore) -> None:
    run = start(store)
    with pytest.raises(UnknownError, match="is running"):
        store.score_counts([run])
    with pytest.raises(UnknownError, match="is running"):
        store.story_scores(run)
    assert store.score_counts([]).is_empty()


def test_a_story_comes_with_what_its_lead_came_to_and_its_loudest_item(store: StateStore) -> None:
    sent = records((1, "s1"), (2, "s1"), (3, "s2"))
    sent = sent.with_columns(
        engagement=pl.Series([5.0, 8.0, None], dtype=pl.Float64), publisher=pl.Series(["a", "b", "c"])
    )
    stories = full(schemas.STORY, 2, story_id=["s2", "s1"], lead_item_id=[item_id(3), item_id(1)])
    run = start(store)
    store.finish_run(run, records=sent, stories=stories, finished_at=at(25))
    # Another run of the same items is none of it.
    publish(store, sent.with_columns(engagement=pl.lit(99.0)))
    found = store.story_scores(run)
    assert found.select("story_id", "publisher", "engagement").rows() == [("s1", "a", 8.0), ("s2", "c", None)]
    assert_frame_equal(found.select(*schemas.STORY), stories.sort("story_id"))
    assert_frame_equal(
        found.select("parts", "modifiers", "gates"), sent[[0, 2]].select("parts", "modifiers", "gates")
    )


def test_stories_are_known_to_the_runs_that_decided_on_them(store: StateStore) -> None:
    runs = []
    for names in (["a", "b"], ["b", "c"]):
        run = start(store)
        stories = full(schemas.STORY, 2, story_id=names)
        runs.append(store.finish_run(run, records=records((1, "a")), stories=stories, finished_at=at(25)))
    asked = ["c", "a", "nobody"]
    assert store.known_stories(runs, asked)["story_id"].to_list() == ["a", "c"]
    assert store.known_stories(runs[:1], asked)["story_id"].to_list() == ["a"]
    assert store.known_stories([], asked).is_empty()
    assert store.known_stories(runs, []).is_empty()


def test_an_empty_store_counts_nothing(store: StateStore) -> None:
    assert store.score_counts([]).is_empty()
    with pytest.raises(UnknownError):
        store.score_counts(["desk.daily.2026-03-02.1"])
    assert not store.path.exists()
