from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandkit.record.stability import distance, psi, quantile, stability

COUNTED = st.dictionaries(st.integers(-5, 100), st.integers(1, 500), min_size=1, max_size=20)


def counts(by_value: dict[int, int]) -> pl.DataFrame:
    return pl.DataFrame(
        {"value": list(by_value), "n": list(by_value.values())}, schema={"value": pl.Int16, "n": pl.Int64}
    )


@given(day=COUNTED, n_days=st.integers(1, 5))
def test_a_day_against_days_like_it_has_not_moved(day: dict[int, int], n_days: int) -> None:
    found = stability(counts(day), [counts(day)] * n_days)
    assert (found.psi, found.moved) == (0.0, False)


@given(now=COUNTED, before=COUNTED)
def test_the_index_is_never_negative_and_does_not_care_which_came_first(
    now: dict[int, int], before: dict[int, int]
) -> None:
    values = sorted({*now, *before})
    a, b = (np.array([side.get(value, 0) for value in values], dtype=np.int64) for side in (now, before))
    assert psi(a, b) == psi(b, a) >= 0
    assert psi(a, a) == 0
    assert stability(counts(now), [counts(before)] * 3).psi >= 0


def test_the_index_is_the_sum_of_shifted_shares_times_the_logarithm_of_their_ratio() -> None:
    found = psi(np.array([60, 40, 0], dtype=np.int64), np.array([40, 160, 0], dtype=np.int64))
    # .6 against .2, and .4 against .8; a bin that nobody has is none.
    assert found == round((0.6 - 0.2) * math.log(0.6 / 0.2) + (0.4 - 0.8) * math.log(0.4 / 0.8), 4) == 0.7167
    # 100 against half a count of 200.
    alone = psi(np.array([100, 100], dtype=np.int64), np.array([0, 200], dtype=np.int64))
    assert alone == round((0.5 - 0.0025) * math.log(0.5 / 0.0025) + (0.5 - 1) * math.log(0.5 / 1), 4)


def test_what_lies_beyond_all_that_was_before_counts_as_moved() -> None:
    before = [counts({10: 100})] * 6
    for value in (9, 11, 99):
        assert stability(counts({value: 100}), before).moved
    assert not stability(counts({10: 60}), before).moved


def test_a_small_day_has_to_move_further_than_a_large_one() -> None:
    before = [counts({0: 500, 10: 500})] * 6
    small, large = (stability(counts({0: 3 * n, 10: 7 * n}), before) for n in (1, 100))
    assert (small.psi >= 0.1, small.moved) == (True, False)
    assert (large.psi >= 0.1, large.moved) == (True, True)
    # (1/10 + 1/6000) times 6.63, the chi-square of one degree of freedom that one in a hundred exceed.
    assert small.chance == pytest.approx((1 / 10 + 1 / 6000) * 6.635, abs=1e-3)


def test_a_day_like_days_that_were_before_is_usual_however_far_it_is_from_most() -> None:
    week, end = counts({0: 700, 10: 300}), counts({0: 400, 10: 600})
    assert stability(end, [week, week, week, week, week, end, end]).moved is False
    assert stability(end, [week] * 7).moved is True


def test_one_odd_day_in_a_month_does_not_hide_another() -> None:
    usual, odd = counts({0: 700, 10: 300}), counts({0: 300, 10: 700})
    assert stability(odd, [usual] * 27 + [odd]).moved is True


def test_with_one_day_before_nothing_is_known_to_be_unusual() -> None:
    found = stability(counts({0: 100}), [counts({9: 100})])
    assert (found.psi > 1, found.usual, found.moved) == (True, math.inf, False)


@pytest.mark.parametrize(
    ("n", "before", "expected"),
    [
        (3, [3, 3, 3], 0.0),
        # The median deviation is 1, in normal deviations 1.4826; the count's own is the root of 100.
        (150, [99, 100, 101], 5.0),
        (100, [10, 20, 30, 40, 50], round(70 / (10 * 1.4826), 1)),
        # After weeks of none, 3 are three deviations of a count of one.
        (3, [0, 0, 0, 0], 3.0),
    ],
)
def test_a_count_is_as_far_off_as_its_usual_spread_allows(
    n: int, before: list[float], expected: float
) -> None:
    frame = pl.DataFrame(
        {"n": [n], "before": [before]}, schema={"n": pl.Int64, "before": pl.List(pl.Float64)}
    )
    assert frame.select(distance(pl.col("n"), pl.col("before"))).item() == expected


def test_without_a_past_no_count_is_far_off() -> None:
    frame = pl.DataFrame({"n": [5], "before": [[]]}, schema={"n": pl.Int64, "before": pl.List(pl.Float64)})
    assert frame.select(distance(pl.col("n"), pl.col("before"))).item() is None


@given(by_value=COUNTED, share=st.sampled_from([0.1, 0.5, 0.9, 1.0]))
def test_a_quantile_of_counts_is_that_of_the_values_written_out(
    by_value: dict[int, int], share: float
) -> None:
    found = quantile(counts(by_value).with_columns(name=pl.lit("total")), share, over=["name"])
    values = sorted(value for value, n in by_value.items() for _ in range(n))
    place = -(-len(values) * share // 1)
    assert found.rows() == [("total", values[int(place) - 1])]
