"""What a run went to work on comes back from the store as it was, however odd; and so does its past."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from brandkit import schemas
from brandkit.errors import ReplayRefused, UnknownError
from brandkit.pipeline import History
from brandkit.store import StateStore
from brandkit.store.inputs import RunInputs
from tests.store_frames import ON, at, full, item_id, items, publish, records, sightings, start

ASKED: dict[str, Any] = {"kind": "daily", "window_start": at(0), "as_of": at(24), "before": ON}


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "store.duckdb", cache=None, timeout_s=5)


def seen(store: StateStore, *rows: dict[str, Any]) -> None:
    """Items, each sighted when it was collected."""
    store.upsert_items(items(*rows))
    found = sightings(*((row["id"], row.get("collected", 0), None, None, None) for row in rows))
    hashes = pl.Series([row.get("hash", "h1") for row in rows])
    store.add_observations(found.with_columns(content_hash=hashes))


# The past as it was known


LATER: dict[str, Callable[[StateStore], object]] = {
    "an item": lambda store: seen(store, {"id": 9, "collected": -1}),
    "an edit": lambda store: seen(store, {"id": 1, "collected": -1, "hash": "h2", "title": "edited"}),
    "an edit nobody sighted": lambda store: store.upsert_items(
        items({"id": 3, "collected": -1, "hash": "h2", "title": "edited"})
    ),
    "a sighting": lambda store: store.add_observations(sightings((1, -2, 9, 9, 9))),
    "an earlier sighting": lambda store: store.add_observations(sightings((1, -50, 1, 1, 1))),
    "a run": lambda store: publish(store, records((1, "elsewhere")), run_on=ON - timedelta(days=1)),
    "an attempt": lambda store: publish(store, records((2, "s1")), run_on=ON - timedelta(days=2)),
    "a verdict": lambda store: store.add_verdict("desk", story_id="s1", decision="watch", given_at=at(-3)),
    "a rule": lambda store: store.add_story_rule(
        "desk", rule="cannot_link", item_a="a", item_b="b", made_at=at(-3)
    ),
    "a state": lambda store: store.add_story_state(
        "desk", story_id="s1", desk_state="open", changed_at=at(-3)
    ),
}


@pytest.fixture
def known(store: StateStore) -> tuple[StateStore, History]:
    """A store with something of everything in it, and the past it tells."""
    seen(store, {"id": 1, "collected": -40}, {"id": 2, "collected": -30})
    store.upsert_items(items({"id": 3, "collected": -40}))
    store.add_observations(sightings((3, -40, 1, None, None)))
    seen_at = pl.lit(at(-30)).cast(schemas.INSTANT)
    publish(
        store,
        records((1, "s1"), (2, "s1")).with_columns(seen_at=seen_at, engagement=pl.lit(4.0)),
        run_on=ON - timedelta(days=2),
    )
    store.add_verdict("desk", story_id="s1", decision="drop", given_at=at(-4))
    store.add_story_rule("desk", rule="must_link", item_a="a", item_b="b", made_at=at(-4))
    store.add_story_state("desk", story_id="s1", desk_state="handled", changed_at=at(-4))
    return store, store.history("desk", **ASKED)


def same(one: History, other: History) -> bool:
    frames = ("items", "observations", "shares", "baselines", "story_rules", "verdicts", "story_states")
    return all(getattr(one, name).equals(getattr(other, name)) for name in frames)


@pytest.mark.parametrize("what", LATER)
def test_what_came_in_later_is_not_in_the_past_that_was_known(
    known: tuple[StateStore, History], what: str
) -> None:
    store, past = known
    through = store.known_through()
    LATER[what](store)
    assert store.known_through() > through
    assert same(store.history("desk", **ASKED, known_through=through), past)
    assert not same(store.history("desk", **ASKED), past)


def test_a_failed_write_leaves_no_number_and_an_empty_store_has_none(store: StateStore) -> None:
    assert store.known_through() == 0
    assert not store.path.exists()
    seen(store, {"id": 1})
    before = store.known_through()

    def fail() -> None:
        with store.transaction():
            seen(store, {"id": 2})
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fail()
    assert store.known_through() == before


def test_each_write_has_its_own_number_in_one_transaction_too(store: StateStore) -> None:
    with store.transaction():
        seen(store, {"id": 1, "collected": -2})
        first, past = store.known_through(), store.history("desk", **ASKED)
        seen(store, {"id": 2, "collected": -2})
        assert store.known_through() > first
        assert same(store.history("desk", **ASKED, known_through=first), past)
    assert same(store.history("desk", **ASKED, known_through=first), past)


# The inputs themselves


def given_to(frame: pl.DataFrame, observations: pl.DataFrame, history: History, through: int) -> RunInputs:
    """Inputs as a run has them after its first checkpoint."""
    stories = history.items.select("item_id", earlier_story_id="story_id")
    placed = (
        frame.select(list(schemas.ITEM))
        .join(stories, on="item_id", how="left")
        .with_columns(in_scope=pl.col("seen_at") >= at(0))
        .sort("item_id")
    )
    known = observations.unique(["item_id", "observed_at"]).join(frame, on="item_id", how="semi")
    return RunInputs(
        items=placed,
        observations=known.sort("item_id", "observed_at"),
        history=history,
        known_through=through,
    )


def assert_same_inputs(back: RunInputs, sent: RunInputs) -> None:
    # Revisions are the store's to give, and it does when the run is published.
    assert_frame_equal(back.items.drop("revision"), sent.items.drop("revision"))
    assert_frame_equal(back.observations, sent.observations)
    assert same(back.history, sent.history)
    assert back.known_through == sent.known_through


ITEMS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(1, 6),
            # Before the window: context, which the run did not record.
            "hour": st.sampled_from([-20, -3, 2, 9]),
            "hash": st.sampled_from(["h1", "h2"]),
            "n": st.integers(0, 3),
            "is_seen": st.booleans(),
        }
    ),
    unique_by=lambda item: item["id"],
    max_size=6,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stored=ITEMS, taken=ITEMS, again=st.booleans())
def test_whatever_a_run_goes_to_work_on_comes_back(
    stored: list[dict[str, Any]], taken: list[dict[str, Any]], again: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        store = StateStore(Path(folder) / "store.duckdb", cache=None)
        stack.enter_context(store.transaction())
        if stored:
            seen(store, *({"id": i["id"], "collected": i["hour"], "hash": i["hash"]} for i in stored))
        frame = full(
            schemas.ITEM,
            len(taken),
            item_id=[item_id(i["id"]) for i in taken],
            content_hash=[i["hash"] for i in taken],
            collected_at=[at(i["hour"]) for i in taken],
            seen_at=[at(i["hour"]) for i in taken],
            reactions=[i["n"] for i in taken],
            publisher=[(None, "p", "forum:a_0123456789ab", "p")[i["n"]] for i in taken],
        )
        for _ in range(2 if again else 1):
            through, history = store.known_through(), store.history("desk", **ASKED)
            # A run has all of its past before it, as it is unless its own rows say otherwise.
            rest = history.items.join(frame, on="item_id", how="anti")
            whole = pl.concat([frame, rest.select(list(schemas.ITEM))])
            own = sightings(*((i["id"], i["hour"], i["n"], None, 1) for i in taken if i["is_seen"]))
            sent = given_to(whole, pl.concat([own, history.observations]), history, through)
            recorded = sent.items.filter("in_scope").drop("in_scope", "earlier_story_id")
            run = store.finish_run(
                start(store),
                records=_recorded(recorded), items=frame, observations=own, inputs=sent, finished_at=at(25),
            )  # fmt: skip
            assert_same_inputs(store.inputs(run), sent)
        assert store.info().n_rows["run_items"] <= 2 * len(taken)


def _recorded(frame: pl.DataFrame) -> pl.DataFrame:
    """Records of the items, with the publisher folded as a profile would."""
    ids = [int(text, 16) for text in frame["item_id"]]
    if not ids:
        return schemas.empty(schemas.RECORD)
    folded = frame.with_columns(publisher=pl.lit("family"))
    made = records(*((n, "s") for n in ids)).drop(folded.columns)
    return pl.concat([folded, made], how="horizontal").select(list(schemas.RECORD))


def test_what_records_and_history_tell_is_not_kept_twice(store: StateStore) -> None:
    seen(store, {"id": 1, "collected": -3}, {"id": 2, "collected": -3})
    store.add_observations(sightings((1, -2, 5, None, None)))
    # What another desk saw of an item is none of this run's.
    theirs = {
        "profile_id": "other",
        "observations": sightings((1, -1, 900, None, None), (3, 1, 9, None, None)),
    }
    publish(store, schemas.empty(schemas.RECORD), items=schemas.empty(schemas.ITEM), **theirs)
    through, history = store.known_through(), store.history("desk", **ASKED)
    # An article's publisher is its domain, until a profile says whose family that is.
    new = items({"id": 3, "collected": 4}).with_columns(
        domain=pl.lit("a.example"), publisher=pl.lit("a.example")
    )
    raised = history.items.with_columns(
        reactions=pl.when(pl.col("item_id") == item_id(1)).then(5).otherwise("reactions")
    )
    # Item 8 was set aside: it is sighted, and none of what the stages worked on.
    own = sightings((3, 4, 1, None, None), (8, 3, 1, None, None))
    sent = given_to(
        pl.concat([new, raised.select(list(schemas.ITEM))]),
        pl.concat([own, history.observations]),
        history,
        through,
    )
    run = store.finish_run(
        start(store), records=_recorded(new), items=new, observations=own, inputs=sent, finished_at=at(25)
    )
    assert_same_inputs(store.inputs(run), sent)
    n_rows = store.info().n_rows
    assert (n_rows["run_items"], n_rows["run_observations"]) == (0, 0)


def test_the_revision_of_a_recorded_item_is_the_one_the_store_gave_it(store: StateStore) -> None:
    store.upsert_items(items({"id": 1, "hash": "before"}))
    # Odd enough to be kept: its publisher is told by nothing else.
    new = items({"id": 1, "collected": 4}).with_columns(publisher=pl.lit("odd"))
    sent = given_to(new, sightings(), store.history("desk", **ASKED), store.known_through())
    run = store.finish_run(start(store), records=_recorded(new), items=new, inputs=sent, finished_at=at(25))
    assert store.info().n_rows["run_items"] == 1
    assert store.inputs(run).items.select("revision", "publisher").rows() == [(2, "odd")]


def test_inputs_that_never_were_or_were_let_go_are_refused(store: StateStore) -> None:
    without = publish(store, records((1, "s")))
    with pytest.raises(ReplayRefused, match=f"^run {without.run_id} was published without its inputs$"):
        store.inputs(without)
    with pytest.raises(ReplayRefused, match="is running: it published nothing to replay"):
        store.inputs(start(store))
    with pytest.raises(UnknownError, match="unknown run 'other'"):
        store.inputs("other")
    with store._access.writing("test") as (session, _):
        session.run("UPDATE runs SET inputs_gone = 'for a reason' WHERE status = 'complete'")
    with pytest.raises(ReplayRefused, match=f"^the inputs of run {without.run_id} are gone: for a reason$"):
        store.inputs(without.run_id)
