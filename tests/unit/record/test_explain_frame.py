from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit.profile import BrandProfile
from brandkit.record.explain import explain
from brandkit.record.explain_frame import STEP, explain_frame
from tests.frames import BEAT, DESK, context, item_id, judged, signals
from tests.unit.scoring.test_invariants import rows

NUMBERS = ["kind", "component", "name", "points", "maximum", "running"]


def decided(profile: BrandProfile, *given_rows: dict[str, Any]) -> pl.DataFrame:
    return judged(signals(*given_rows), context(profile))


@given(many=st.lists(rows(), min_size=1, max_size=6), profile=st.sampled_from([DESK, BEAT]))
@settings(max_examples=12, deadline=None)
def test_the_long_frame_says_number_for_number_what_explain_says_of_each_record(
    many: list[dict[str, Any]], profile: BrandProfile
) -> None:
    records = decided(profile, *many)
    long = explain_frame(records, profile).collect()
    for number, _ in enumerate(many, start=1):
        one = records.filter(item_id=item_id(number))
        expected = explain(one, profile).frame().select(NUMBERS)
        found = long.filter(item_id=item_id(number))
        assert found["order"].to_list() == list(range(expected.height))
        assert found.select(NUMBERS).rows() == expected.rows()


@given(many=st.lists(rows(), min_size=1, max_size=6))
@settings(max_examples=12, deadline=None)
def test_the_points_of_every_record_sum_to_its_total_and_the_running_sum_ends_there(
    many: list[dict[str, Any]],
) -> None:
    records = decided(DESK, *many)
    by_item = explain_frame(records.lazy(), DESK).group_by("item_id", maintain_order=True)
    sums = by_item.agg(pl.col("points").sum().cast(pl.Int16), pl.col("running").last()).collect()
    totals = records.select("item_id", points="total", running="total")
    assert sums.equals(totals)


def test_no_records_give_no_steps_of_the_same_columns() -> None:
    found = explain_frame(decided(DESK, {}).clear(), DESK).collect()
    assert found.is_empty()
    assert found.schema == pl.Schema(STEP)


@pytest.mark.parametrize("n_rows", [1, 3])
def test_the_rows_stand_in_the_order_of_the_records(n_rows: int) -> None:
    records = decided(DESK, *[{}] * n_rows).reverse()
    found = explain_frame(records, DESK).collect()
    assert found["item_id"].unique(maintain_order=True).to_list() == records["item_id"].to_list()
