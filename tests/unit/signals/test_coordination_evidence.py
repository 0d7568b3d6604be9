"""What stands behind coordinated pairs: every meeting told, what is cut off counted, groups by pairs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from brandkit.errors import InputError, UsageError
from brandkit.schemas import SHARE
from brandkit.signals.coordination import coordinated_pairs
from brandkit.signals.coordination_evidence import coordinated_groups, coordination_evidence, group_spread

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def shared(*rows: tuple[str, str, float]) -> pl.DataFrame:
    """Shares as (account, object, seconds after the start)."""
    at = [START + timedelta(seconds=second) for *_, second in rows]
    names = {"account": [r[0] for r in rows], "object": [r[1] for r in rows], "shared_at": at}
    return pl.DataFrame(names, schema=dict(SHARE))


def pairs(*rows: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=["account_a", "account_b"], orient="row")


ROWS = (
    ("a", "x", 0), ("b", "x", 5), ("b", "x", 9), ("c", "x", 4000),
    ("a", "y", 300), ("b", "y", 298), ("a", "z", 0), ("b", "z", 7200),
)  # fmt: skip


def test_the_evidence_tells_when_who_was_first_and_how_much_of_the_spread_it_was() -> None:
    first, second = coordination_evidence(shared(*ROWS)).collect().to_dicts()
    assert first == {
        "account_a": "a", "account_b": "b", "object": "x", "first_at": START,
        "last_at": START + timedelta(seconds=9), "n_events": 2, "median_gap_s": 7.0, "n_a_first": 2,
        # Three of the four shares of x; they met on two of the three objects both shared.
        "n_pair_shares": 3, "n_shares": 4, "spread_share": 0.75, "n_objects": 2, "n_common": 3,
        "n_objects_left_out": 0, "n_pairs_left_out": 0,
    }  # fmt: skip
    assert (second["object"], second["n_a_first"], second["spread_share"]) == ("y", 0, 1.0)


def test_what_is_cut_off_is_counted() -> None:
    ring = [(name, f"o{i}", i * 900) for name in "abc" for i in range(3)]
    shown = coordination_evidence(shared(*ring), most_pairs=1, most_objects=2).collect()
    assert shown.select("account_a", "account_b", "object").rows() == [("a", "b", "o0"), ("a", "b", "o1")]
    assert shown.select("n_objects", "n_objects_left_out", "n_pairs_left_out").unique().rows() == [(3, 1, 2)]


def test_evidence_can_be_asked_for_in_any_order_of_names_and_is_not_hidden_by_a_crowd() -> None:
    crowd = [(f"c{i}", thing, 1) for i in range(20) for thing in ("x", "y")]
    late = [("y1", thing, 2) for thing in ("x", "y")] + [("z1", thing, 3) for thing in ("x", "y")]
    asked = pairs(("z1", "y1"), ("z1", "nobody"))
    shown = coordination_evidence(shared(*crowd, *late), pairs=asked, bucket_cap=2).collect()
    assert shown.select("account_a", "account_b", "object").rows() == [("y1", "z1", "x"), ("y1", "z1", "y")]
    assert shown["n_shares"].to_list() == [22, 22]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"), st.integers(0, 200)), max_size=25))
@settings(max_examples=25)
def test_the_evidence_adds_up_to_the_pairs(rows: list[tuple[str, str, int]]) -> None:
    found = coordinated_pairs(shared(*rows)).collect()
    added = (
        coordination_evidence(shared(*reversed(rows)))
        .group_by("account_a", "account_b")
        .agg(
            n_objects=pl.len().cast(pl.Int64),
            n_events=pl.col("n_events").sum(),
            spread_share=(pl.col("n_pair_shares").sum() / pl.col("n_shares").sum()).round(4),
        )
        .sort("account_a", "account_b")
    )
    assert_frame_equal(added.collect(), found.select(added.collect_schema().names()))


def test_groups_are_whoever_hangs_together_largest_first() -> None:
    found = coordinated_groups(pairs(("y", "z"), ("a", "b"), ("c", "b"), ("b", "a"))).collect()
    # The same pair either way round is one; a to b to c are one group of two pairs.
    assert found.rows() == [
        ("a", "a", 1, 3, 2), ("b", "a", 2, 3, 2), ("c", "a", 1, 3, 2),
        ("y", "y", 1, 2, 1), ("z", "y", 1, 2, 1),
    ]  # fmt: skip
    assert coordinated_groups(pairs()).collect().is_empty()


def test_the_spread_of_a_group_is_told_for_each_object_that_two_of_it_shared() -> None:
    groups = coordinated_groups(coordinated_pairs(shared(*ROWS)))
    found = group_spread(shared(*ROWS), groups).collect()
    told = found.select("group", "object", "n_accounts", "n_group_shares", "n_shares", "spread_share")
    assert told.rows() == [
        ("a", "x", 2, 3, 4, 0.75), ("a", "z", 2, 2, 2, 1.0), ("a", "y", 2, 2, 2, 1.0)
    ]  # fmt: skip
    assert found["last_at"][1] == START + timedelta(hours=2)


def test_nothing_shared_has_no_evidence_and_wrong_frames_are_refused() -> None:
    assert coordination_evidence(shared()).collect().is_empty()
    assert group_spread(shared(), coordinated_groups(pairs())).collect().is_empty()
    with pytest.raises(InputError, match="pairs lack account_b"):
        coordination_evidence(shared(), pairs=pl.DataFrame({"account_a": ["a"]}))
    with pytest.raises(InputError, match="groups lack group"):
        group_spread(shared(), pl.DataFrame({"account": ["a"]}))
    with pytest.raises(UsageError, match="most_objects = 0"):
        coordination_evidence(shared(), most_objects=0)
