"""What a replay says of two sets of records: the same bytes, or every value that differs and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit import schemas
from brandkit.errors import CheckFailed
from brandkit.record.changed import changed
from brandkit.record.pairing import Decided
from brandkit.record.replay import compared, differences
from brandkit.schemas import frame_hash
from brandkit.scoring.outcome import settle
from tests.frames import DESK, context, judged, signals

OWN = {"entities": ["Nordlys"], "entities_in_title": ["Nordlys"], "title": "Nordlys", "tier": "A"}
ROWS: tuple[dict[str, Any], ...] = (
    {**OWN, "best_tier": "A", "story_id": "s1", "n_publishers": 3},
    {"story_id": "s1", "tier": "B"},
    {"story_id": "s2", "title": "Hi \x1b[31m[red]", "misinfo_risk": 0.9},
)


def decided() -> Decided:
    ctx = context()
    made = settle(judged(signals(*ROWS), ctx), ctx)
    return Decided(
        records=made.frame, stories=made.outputs["stories"], profile=DESK, as_of=ctx.as_of,
        window_start=ctx.window_start, run_id="desk.1",
    )  # fmt: skip


THEN = decided()
NEW: dict[str, pl.Expr] = {
    "total": pl.lit(99, pl.Int16),
    "title": pl.lit("Another"),
    "url": pl.lit(None, pl.String),
    "velocity_h": pl.col("velocity_h") + 1e-12,
    "decision": pl.lit("watch", schemas.DECISION),
    "seen_at": pl.col("seen_at").dt.offset_by("1us"),
    "pillars": pl.lit(["one", "two"], schemas.NAMES),
    "coordination": pl.lit(
        [{"account_a": "a", "account_b": "b", "n_objects": 2, "median_gap_s": 0.1}], schemas.COORDINATION
    ),
    "gates": pl.lit(None, schemas.GATES_STRUCT),
}


def with_changes(changes: set[tuple[int, str]]) -> pl.DataFrame:
    rows = THEN.records.with_row_index("_row")
    for name in sorted({name for _, name in changes}):
        at = [row for row, changed_in in changes if changed_in == name]
        rows = rows.with_columns(
            pl.when(pl.col("_row").is_in(at)).then(NEW[name]).otherwise(name).alias(name)
        )
    return rows.drop("_row")


@settings(max_examples=40, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 2), st.sampled_from(sorted(NEW))), max_size=6))
def test_every_value_that_differs_is_listed_and_no_other(changes: set[tuple[int, str]]) -> None:
    ids = THEN.records["item_id"]
    other = with_changes(changes)
    found = differences(THEN.records, other, "item_id")
    # A change to what was there already is none.
    really = [
        (ids[row], name) for row, name in changes if THEN.records[row, name] is not other[row, name]
        and str(THEN.records[row, name]) != str(other[row, name])
    ]  # fmt: skip
    assert found.select("item_id", "column").rows() == sorted(really)
    assert (frame_hash(THEN.records) == frame_hash(other)) is found.is_empty()


def test_what_only_one_side_has_differs_in_its_id() -> None:
    first, _, last = THEN.records["item_id"]
    found = differences(THEN.records.head(2), THEN.records.tail(2), "item_id")
    assert found.rows() == [(first, "item_id", first, None), (last, "item_id", None, last)]


def test_bytes_that_differ_in_no_value_that_can_be_shown_differ_all_the_same() -> None:
    other = THEN.records.with_columns(pl.col("rank").cast(pl.Int64))
    found = differences(THEN.records, other, "item_id")
    assert found.rows() == [(None, "bytes", frame_hash(THEN.records), frame_hash(other))]


def test_values_are_shown_as_they_are() -> None:
    changes = {(0, "total"), (0, "pillars"), (0, "url")}
    found = differences(THEN.records, with_changes(changes), "item_id")
    shown = dict(found.select("column", "replayed").rows())
    assert shown["total"] == "99"
    assert '["one","two"]' in shown["pillars"]


def test_the_same_is_said_in_a_line() -> None:
    found = compared(THEN, THEN, notes=("a note",))
    assert (found.ok, found.is_same, found.n_different) == (True, True, 0)
    assert str(found) == (
        "run desk.1: 3 records and 2 stories came out byte for byte as they are stored\nnote: a note"
    )
    assert repr(found) == "Replay(desk.1: 3 records, the same)"
    assert found.require() is found
    assert found.moved().stories.is_empty()


def test_what_differs_is_told_with_what_it_may_be_due_to() -> None:
    found = compared(
        THEN,
        replace(THEN, records=with_changes({(0, "total"), (2, "title")})),
        changed=("polars 1 then, 2 now",),
    )
    assert (found.ok, found.n_different) == (False, 2)
    ids = THEN.records["item_id"]
    assert str(found).splitlines() == [
        "run desk.1: 2 values came out otherwise than they are stored",
        f"{ids[0]} total: {THEN.records['total'][0]} -> 99",
        # What a stranger wrote reaches no terminal as it is.
        f"{ids[2]} title: Hi \\x1b[31m[red] -> Another",
    ]
    assert repr(found) == "Replay(desk.1: 3 records, 2 values differ)"
    with pytest.raises(CheckFailed) as told:
        found.require()
    assert told.value.hint == "polars 1 then, 2 now"
    assert f"{ids[0]} total" in told.value.allowed
    by_other_means = compared(THEN, replace(THEN, stories=THEN.stories.head(1)))
    with pytest.raises(CheckFailed, match="changed by other means"):
        by_other_means.require()


def test_a_what_if_promises_nothing_and_says_who_moved() -> None:
    strict = changed(DESK, {"thresholds": {"watch": 0}})
    records = THEN.records.with_columns(decision=pl.lit("watch", schemas.DECISION))
    stories = THEN.stories.with_columns(
        decision=pl.lit("watch", schemas.DECISION), effective_decision=pl.lit("watch", schemas.DECISION)
    )
    found = compared(THEN, replace(THEN, records=records, stories=stories, profile=strict), is_what_if=True)
    assert (found.ok, found.is_same) == (True, False)
    assert found.require() is found
    assert repr(found) == "Replay(desk.1: 3 records, another profile)"
    assert found.n_different == 0
    assert found.moved().moved.height == (THEN.stories["decision"] != "watch").sum()
    assert str(found).startswith("desk.1 -> desk.1 (replayed)")
