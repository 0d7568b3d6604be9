from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from importlib import import_module
from typing import Any

import polars as pl
import pytest

import brandkit as bk
from brandkit import schemas
from brandkit.errors import ContractError, UsageError
from brandkit.pipeline import Checked, RunContext
from tests.flow.newsdesk import MAIL, desk, row, same_bytes, table
from tests.frames import context

# The package gives the function of this name, not the module.
assessing = import_module("brandkit.assess")
END = datetime(2026, 3, 3, tzinfo=UTC)


def test_the_stages_stand_in_their_order_with_three_checkpoints() -> None:
    stages = bk.standard_pipeline().stages
    assert [stage.name for stage in stages] == [
        "normalise", "trust", "mentions", "sentiment", "copies", "stories", "coordination", "spread", "risk",
        "score", "modify", "gate", "decide",
    ]  # fmt: skip
    assert [stage.name for stage in stages if stage.checkpoint] == ["normalise", "stories", "decide"]


def test_every_stage_takes_only_what_the_ones_before_it_gave() -> None:
    described = bk.standard_pipeline().describe()
    for stage in bk.standard_pipeline().stages:
        assert stage.name in described
    # What a stage says it takes is checked when it runs; a run that ends has proved them all.
    assert bk.assess(table(MAIL), desk(), as_of=END).records.height == len(MAIL)


def test_an_assessment_says_what_it_is_in_one_line() -> None:
    found = bk.assess(table(MAIL), desk(), as_of=END)
    assert repr(found) == "Assessment(7 records, 5 stories (1 must_cover, 4 drop), 0 rejects)"
    assert found.decisions == {"must_cover": 1, "optional": 0, "watch": 0, "block": 0, "drop": 4}
    assert repr(bk.assess(table(MAIL).clear(), desk(), as_of=END)) == (
        "Assessment(0 records, 0 stories, 0 rejects)"
    )


def test_every_frame_of_an_assessment_keeps_its_schema_also_when_empty() -> None:
    for rows in (table(MAIL), table(MAIL).clear(), pl.DataFrame()):
        found = bk.assess(rows, desk(), as_of=END)
        for frame, columns in (
            (found.records, schemas.RECORD), (found.stories, schemas.STORY),
            (found.rejects, schemas.REJECT), (found.observations, schemas.OBSERVATION),
            (found.items, schemas.ITEM),
        ):  # fmt: skip
            assert dict(frame.schema) == {name: _type(dtype) for name, dtype in columns.items()}
        assert found.stages["seq"].to_list() == list(range(len(bk.standard_pipeline().stages)))


def _type(dtype: Any) -> Any:
    return dtype() if isinstance(dtype, type) else dtype


def test_an_assessment_of_no_pipeline_of_ours_has_no_items() -> None:
    passed = bk.standard_pipeline().run(table(MAIL).lazy(), context(desk(), as_of=END))
    bare = type(passed)(passed.frame, {"stories": passed.outputs["stories"]}, passed.rejects,
                        passed.stages, passed.observations)  # fmt: skip
    found = bk.Assessment.of(bare)
    assert (found.items.height, found.observations.height, found.records.height) == (0, 0, 7)


def test_two_passes_are_one_assessment() -> None:
    head, tail = bk.standard_pipeline().split("normalise")
    run = context(desk(), as_of=END)
    first = head.run(table(MAIL).lazy(), run)
    second = tail.run(first.frame, RunContext(desk(), END, run.window_start, observations=first.observations))
    found = bk.Assessment.of(first, second)
    assert same_bytes(found) == same_bytes(bk.assess(table(MAIL), desk(), as_of=END))
    assert found.stages["name"].to_list() == [stage.name for stage in bk.standard_pipeline().stages]
    assert found.items.height == 7


def test_an_as_of_without_a_zone_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="as_of has no time zone: 2026-03-02T07:00:00"):
        bk.assess(table(MAIL), desk(), as_of=datetime(2026, 3, 2, 7))


@pytest.mark.parametrize(
    ("as_of", "start"),
    [
        (datetime(2026, 3, 2, 7, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)),
        # The end of a day belongs to the day that ends there.
        (datetime(2026, 3, 3, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)),
        (datetime(2026, 3, 3, 0, 0, 0, 1, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)),
        # An instant is an instant in whatever zone it is written.
        (datetime(2026, 3, 3, 1, tzinfo=timezone(timedelta(hours=1))), datetime(2026, 3, 2, tzinfo=UTC)),
    ],
)
def test_the_window_is_the_desk_day_so_far(as_of: datetime, start: datetime) -> None:
    made = assessing.context_for(desk(), as_of=as_of)
    assert (made.window_start, made.as_of, made.window_end) == (start, as_of, as_of)
    assert made.as_of.tzinfo is UTC
    assert made.run_id == "assess"


def test_lazy_or_not_the_rows_are_the_same() -> None:
    rows = table(MAIL)
    assert same_bytes(bk.assess(rows, desk(), as_of=END)) == same_bytes(
        bk.assess(rows.lazy(), desk(), as_of=END)
    )


def test_rescoring_stored_signals_gives_the_stored_scores() -> None:
    found = bk.assess(table(MAIL), desk(), as_of=END).records
    run = context(desk(), as_of=END)
    signals = found.drop(*schemas.SCORE, *schemas.OUTCOME).with_columns(in_scope=True)
    again = assessing.rescore(signals.lazy(), run).collect().sort("item_id")
    kept = [*schemas.SCORE, "gates", "decision", "reason"]
    assert again.select(kept).equals(found.select(kept))


def test_rescoring_with_another_profile_is_another_decision() -> None:
    found = bk.assess(table((row("alpha.example", "Nordlys opens a bakery"),)), desk(), as_of=END).records
    assert found["decision"].to_list() == ["optional"]
    signals = found.drop(*schemas.SCORE, *schemas.OUTCOME).with_columns(in_scope=True)
    strict = desk(thresholds={"own_name_floor": "off"})
    assert (
        assessing.rescore(signals.lazy(), context(strict, as_of=END)).collect()["decision"].item() == "drop"
    )


def _told(*rows: tuple[str, str | None, str | None]) -> Checked:
    frame = pl.DataFrame(
        rows, schema={"item_id": pl.String, "story_id": pl.String, "copy_of": pl.String}, orient="row"
    )
    return assessing.told(frame, context())


def test_after_clustering_every_item_is_in_one_story() -> None:
    assert _told(("b", "s", "a"), ("a", "s", None)).frame["item_id"].to_list() == ["a", "b"]
    assert _told().frame.is_empty()
    for rows, message in (
        ((("a", "s", None), ("a", "t", None)), "an item stands twice"),
        ((("a", None, None),), "1 items are in no story"),
        ((("a", "s", "gone"),), "1 copies point at an item that is not there"),
    ):
        with pytest.raises(ContractError, match=message):
            _told(*rows)
