from __future__ import annotations

from functools import cache
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit import schemas
from brandkit.errors import CheckFailed
from brandkit.record.verify import Verification, verify_records
from brandkit.scoring.outcome import fold_stories, settle
from tests.frames import AS_OF, DESK, context, judged, signals

CONTEXT = context()
OWN = {"entities": ["Nordlys"], "entities_in_title": ["Nordlys"], "title": "Nordlys", "tier": "A"}
ROWS: tuple[dict[str, Any], ...] = (
    {**OWN, "best_tier": "A", "story_id": "s1", "n_publishers": 3},
    {"story_id": "s1", "tier": "B", "published_at": AS_OF},
    {"story_id": "s1"},
    {"story_id": "s2", "title": "b", "n_publishers": 2},
    {"story_id": "s2", "title": "a", "published_at": AS_OF},
    {"story_id": "s3", "misinfo_risk": 0.9, "velocity_h": 4.0},
)


@cache
def settled() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records and stories as a run publishes them."""
    made = settle(judged(signals(*ROWS), CONTEXT), CONTEXT)
    return made.frame, made.outputs["stories"]


def records() -> pl.DataFrame:
    return settled()[0]


def checked(found: pl.DataFrame, **more: Any) -> Verification:
    return verify_records(found, DESK, as_of=CONTEXT.as_of, **more)


def changed(row: int, column: str, wrong: pl.Expr) -> pl.DataFrame:
    return records().with_columns(
        pl.when(pl.col("item_id") == records()["item_id"][row]).then(wrong).otherwise(column).alias(column)
    )


def test_what_was_decided_is_what_the_signals_make_in_whatever_order_it_comes() -> None:
    counts = {"records": len(ROWS), "stories": 3}
    found = checked(records().sort("rank"), stories=settled()[1], counts=counts)
    assert found.ok
    assert (found.n_records, found.require()) == (len(ROWS), found)
    assert repr(found) == f"Verification(assess: {len(ROWS)} records, 0 differences)"


WRONG: dict[str, pl.Expr] = {
    "total": pl.lit(99, pl.Int16),
    "decision": pl.lit("must_cover", schemas.DECISION),
    "reason": pl.lit("score", schemas.REASON),
    "rank": pl.lit(9, pl.Int32),
    "modifiers": pl.lit([], schemas.MODIFIERS),
    "base": pl.col("base").struct.with_fields(impact=pl.lit(3, pl.Int16)),
    "scores": pl.lit(None, schemas.SCORES_STRUCT),
    "gates": pl.col("gates").struct.with_fields(watch=pl.lit(None, pl.Int16)),
    "parts": pl.col("parts").struct.with_fields(
        impact=pl.col("parts").struct.field("impact").struct.with_fields(reach=pl.lit(-1, pl.Int16))
    ),
    "is_lead": ~pl.col("is_lead"),
}


@given(row=st.sampled_from([0, 2, 5]), column=st.sampled_from(sorted(WRONG)))
@settings(max_examples=15, deadline=None)
def test_one_changed_value_is_found_and_named_and_nothing_else(row: int, column: str) -> None:
    altered = changed(row, column, WRONG[column])
    before, after = records().row(row, named=True), altered.row(row, named=True)
    expected = [] if before[column] == after[column] else [(before["item_id"], column)]
    found = checked(altered)
    assert found.differences.select("item_id", "column").rows() == expected


@given(order=st.permutations(range(len(ROWS))))
@settings(max_examples=15, deadline=None)
def test_any_other_ranking_is_found(order: list[int]) -> None:
    shuffled = records().with_columns(rank=pl.Series([n + 1 for n in order], dtype=pl.Int32))
    wrong = {
        i
        for i, a, b in zip(
            *(f[c] for f, c in ((records(), "item_id"), (records(), "rank"), (shuffled, "rank"))), strict=True
        )
        if a != b
    }
    assert set(checked(shuffled).differences["item_id"]) == wrong


@given(leads=st.lists(st.booleans(), min_size=len(ROWS), max_size=len(ROWS)))
@settings(max_examples=15, deadline=None)
def test_any_other_choice_of_leads_is_found(leads: list[bool]) -> None:
    chosen = records().with_columns(is_lead=pl.Series(leads))
    wrong = records().filter(pl.col("is_lead") != chosen["is_lead"])["item_id"]
    assert checked(chosen).differences["item_id"].to_list() == wrong.to_list()


def test_a_changed_signal_is_found_by_what_it_would_have_made() -> None:
    found = checked(changed(0, "n_outlets", pl.lit(50, pl.Int64))).differences
    assert {"parts", "base", "scores", "total"} <= set(found["column"])


def test_a_record_that_is_gone_is_missed_and_the_others_are_not_blamed_for_their_ranks() -> None:
    gone = records().filter(pl.col("rank") != 2)
    found = checked(gone, stories=settled()[1], counts={"records": len(ROWS)})
    assert found.differences.rows() == [(None, "n_records", "5", "6")]
    assert "n_recorded" in found.stories["column"].to_list()
    with pytest.raises(CheckFailed, match="the run n_records: 5 != 6"):
        found.require()


def test_a_record_too_many_is_found_whatever_it_says() -> None:
    twice = pl.concat([records(), records().head(1).with_columns(item_id=pl.lit("f" * 16))])
    found = checked(twice, counts={"records": len(ROWS)})
    assert (None, "n_records") in found.differences.select("item_id", "column").rows()


def test_a_story_must_say_what_its_lead_says() -> None:
    stories = settled()[1]
    first = stories["story_id"][0]
    wrong = stories.with_columns(
        decision=pl.when(pl.col("story_id") == first)
        .then(pl.lit("block", schemas.DECISION))
        .otherwise("decision")
    )
    found = checked(records(), stories=wrong)
    assert found.differences.is_empty()
    assert found.stories.select("story_id", "column", "stored").rows() == [(first, "decision", "block")]
    assert not found.ok
    with pytest.raises(CheckFailed, match=f"{first} decision") as failure:
        found.require()
    assert failure.value.exit_code == 3


def test_a_story_without_records_and_records_without_a_story_are_found() -> None:
    stories = settled()[1]
    stranger = stories.head(1).with_columns(story_id=pl.lit("s9"))
    found = checked(records(), stories=pl.concat([stories.tail(2), stranger]), counts={"stories": 3})
    leads = found.stories.filter(column="lead_item_id").select("story_id", "stored", "computed")
    assert [(story, old is None, new is None) for story, old, new in leads.rows()] == [
        ("s1", True, False),
        ("s9", False, True),
    ]


def test_a_run_that_says_it_had_stories_and_has_none_is_found_out() -> None:
    nothing = settled()[1].clear()
    assert checked(records(), stories=nothing).ok
    found = checked(records(), stories=nothing, counts={"stories": 3})
    assert found.differences.rows() == [(None, "n_stories", "0", "3")]
    assert found.stories["story_id"].unique().sort().to_list() == ["s1", "s2", "s3"]


def test_no_records_at_all_are_well() -> None:
    assert checked(records().clear(), stories=settled()[1].clear()).ok


def test_another_profile_makes_other_records() -> None:
    stricter = DESK.model_copy(update={"thresholds": DESK.thresholds.model_copy(update={"tied": 20})})
    found = verify_records(records(), stricter, as_of=CONTEXT.as_of)
    assert "gates" in set(found.differences["column"])


def test_stories_folded_again_from_verified_records_verify() -> None:
    again = fold_stories(judged(signals(*ROWS), CONTEXT), records(), CONTEXT)
    assert checked(records(), stories=again).ok
