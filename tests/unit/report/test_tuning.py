"""What a curve says in words and in a short table, from literal curves."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from brandkit.record.sweep import Curve
from brandkit.report.tuning import curve_words, steps


def curve(name: str, present: float | None, must: list[int], optional: list[int], *, low: int = 70) -> Curve:
    """A curve over two days, from ``low`` in steps of one."""
    values = list(range(low, low + len(must)))
    frame = pl.DataFrame({
        "value": values, "must_cover": must, "optional": optional, "watch": 4, "block": 0, "drop": 90,
        "n_verdicts": 0, "precision_promoted": None, "recall_promoted": None,
    }).with_columns(promoted_per_day=(pl.col("must_cover") + pl.col("optional")) / 2)  # fmt: skip
    by_day = pl.DataFrame({"value": values[:1] * 2, "run_on": [date(2026, 3, 2), date(2026, 3, 3)]})
    return Curve(name, present, frame, by_day, ())


def test_a_bar_is_told_by_what_it_lets_in_on_a_mean_day_and_five_points_either_way() -> None:
    found = curve("thresholds.must_cover", 75, must=[9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 1], optional=[0] * 11)
    # 4 stories in two days at 75; 9 at 70 and 1 at 80.
    assert (
        curve_words(found)
        == "Must cover at 75 gives 2.0 stories a day to cover; it would be 4.5 at 70, and 0.5 at 80."
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("thresholds.optional", "Optional at 70 gives 3.0 stories a day promoted; it would be 1.0 at 71."),
        ("weights.impact.breadth", "Breadth at 70 gives 3.0 stories a day promoted; it would be 1.0 at 71."),
        (
            "thresholds.watch",
            "Watch at 70 gives 5.0 stories a day watched or promoted; it would be 3.0 at 71.",
        ),
    ],
)
def test_each_setting_is_told_by_what_it_moves_and_at_the_end_of_its_range_only_one_way(
    name: str, told: str
) -> None:
    assert curve_words(curve(name, 70, must=[2, 2], optional=[4, 0])) == told


def test_a_setting_that_moves_nothing_and_one_without_a_present_value_are_told_so() -> None:
    still = curve("thresholds.must_cover", 71, must=[2, 2, 2], optional=[1, 1, 1])
    assert (
        curve_words(still)
        == "Must cover at 71 gives 1.0 stories a day to cover, and so does every other value."
    )
    several = curve("thresholds.must_cover", None, must=[4, 2], optional=[0, 0])
    assert curve_words(several) == "Must cover at 70 gives 2.0 stories a day to cover, at 71 1.0."


def test_the_table_has_the_present_value_and_a_few_around_it() -> None:
    found = steps(curve("thresholds.must_cover", 80, must=[2] * 21, optional=[1] * 21))
    assert found["value"].to_list() == [70, 75, 77, 79, 80, 81, 83, 85, 90]
    assert found.filter("is_present").select("value", "must_cover", "promoted").rows() == [(80, 1.0, 1.5)]
    assert steps(curve("thresholds.must_cover", None, must=[2] * 21, optional=[1] * 21)).height > 8
