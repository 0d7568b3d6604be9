"""Bursts: high counts against the past, never against the future."""

from __future__ import annotations

import math
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from brandkit.signals.bursts import THRESHOLD, detect_bursts, story_bursts

START = datetime(2026, 3, 1, tzinfo=UTC)
GIVES = ["burst", "is_burst", "expected", "history_h"]


def hourly(counts: list[float | None], *, series: str = "x") -> pl.DataFrame:
    at = [START + timedelta(hours=h) for h in range(len(counts))]
    return pl.DataFrame(
        {"series": [series] * len(at), "at": at, "count": pl.Series(counts, dtype=pl.Float64)}
    )


def test_a_burst_is_its_z_score_squashed() -> None:
    # A past of fours has no spread, so counting noise (1) is the deviation.
    frame = detect_bursts(hourly([4.0] * 25 + [100.0])).collect()
    z = 2 * math.sqrt(100.375) - 2 * math.sqrt(4.375)
    assert frame["burst"][-1] == pytest.approx(z / (z + 6), abs=1e-4)
    assert frame["expected"][-1] == pytest.approx(4.0, abs=1e-4)
    assert frame["history_h"][-1] == 24.0
    assert frame["is_burst"].to_list() == [False] * 25 + [True]


def test_short_history_is_null_and_says_how_long_it_is() -> None:
    frame = detect_bursts(hourly([4.0] * 24 + [400.0])).collect()
    assert frame["burst"].to_list() == [None] * 25
    assert not frame["is_burst"].any()
    assert frame["history_h"].to_list() == [None, *(float(h) for h in range(24))]


def test_a_long_span_of_few_samples_is_not_history() -> None:
    at = [START + timedelta(days=d) for d in range(12)]
    few = pl.DataFrame({"series": "x", "at": at, "count": [1] * 11 + [999]})
    assert detect_bursts(few).collect()["burst"].to_list() == [None] * 12


def test_one_event_is_told_once_until_a_day_has_passed() -> None:
    counts = [4.0] * 336 + [400.0, 300.0, 4.0] + [4.0] * 30 + [400.0]
    frame = detect_bursts(hourly(counts)).collect()
    assert frame["is_burst"].arg_true().to_list() == [336, 369]
    assert frame["burst"][337] == 0.0


def test_one_mention_after_silence_is_no_burst() -> None:
    frame = detect_bursts(hourly([0.0] * 48 + [1.0])).collect()
    assert frame["burst"][-1] < 0.2 < THRESHOLD


def test_fewer_than_usual_is_no_burst() -> None:
    assert detect_bursts(hourly([100.0] * 48 + [0.0])).collect()["burst"][-1] == 0.0


def test_corrupt_counts_are_null_and_leave_the_rest_as_if_they_were_absent() -> None:
    good = [float(4 + h % 3) for h in range(60)]
    bad = list(good)
    for h, value in ((20, None), (30, -5.0), (40, math.nan), (50, math.inf)):
        bad[h] = value
    holes = [20, 30, 40, 50]
    frame = detect_bursts(hourly(bad)).collect()
    assert frame["burst"][holes].to_list() == [None] * 4
    assert not frame["is_burst"][holes].any()
    without = hourly(good).with_row_index().filter(~pl.col("index").is_in(holes)).drop("index")
    kept = frame.with_row_index().filter(~pl.col("index").is_in(holes)).select(GIVES)
    assert_frame_equal(kept, detect_bursts(without).collect().select(GIVES))


def test_rows_keep_their_order_and_other_columns() -> None:
    frame = hourly([4.0] * 30 + [400.0]).with_columns(note=pl.lit("n"))
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=3)
    result = detect_bursts(shuffled).collect()
    assert_frame_equal(result.select("series", "at", "count", "note"), shuffled)
    assert_frame_equal(result.sort("at"), detect_bursts(frame).collect())


def test_a_null_instant_and_an_empty_frame_have_no_burst() -> None:
    frame = pl.concat(
        [hourly([4.0] * 30), hourly([400.0]).with_columns(at=pl.lit(None, dtype=pl.Datetime("us", "UTC")))]
    )
    assert detect_bursts(frame).collect()["burst"][-1] is None
    assert detect_bursts(frame.clear()).collect().columns == ["series", "at", "count", *GIVES]


def test_a_year_of_silence_starts_a_new_history() -> None:
    early = hourly([4.0] * 30)
    late = hourly([4.0] * 30).with_columns(pl.col("at") + timedelta(days=20_000))
    frame = detect_bursts(pl.concat([early, late])).collect()
    assert_frame_equal(frame[30:].select(GIVES), frame[:30].select(GIVES))


counts = st.lists(st.one_of(st.none(), st.integers(-3, 500)), min_size=2, max_size=80)


@given(values=counts, cut=st.integers(1, 79), step_min=st.sampled_from([5, 60, 240]))
@settings(max_examples=40)
def test_the_answer_for_a_prefix_is_the_prefix_of_the_answer(
    values: list[int | None], cut: int, step_min: int
) -> None:
    at = [START + timedelta(minutes=step_min * i) for i in range(len(values))]
    frame = pl.DataFrame({"series": "x", "at": at, "count": pl.Series(values, dtype=pl.Int64)})
    whole = detect_bursts(frame).collect()
    assert_frame_equal(detect_bursts(frame.head(cut)).collect(), whole.head(cut), check_exact=True)


@given(first=counts, second=counts)
@settings(max_examples=20)
def test_series_do_not_hear_each_other(first: list[int | None], second: list[int | None]) -> None:
    one, two = (hourly(list(values), series=name) for name, values in (("a", first), ("b", second)))
    both = detect_bursts(pl.concat([one, two])).collect()
    assert_frame_equal(both.filter(pl.col("series") == "b"), detect_bursts(two).collect(), check_exact=True)
    assert both["burst"].drop_nulls().is_between(0, 1).all()


def test_story_burst_is_the_last_days_strongest_hour() -> None:
    as_of = START + timedelta(hours=48)
    ago = [40.0, 30.0, 20.0, *([0.5] * 60)]
    rows = [{"story_id": "loud", "published_at": as_of - timedelta(hours=h)} for h in ago]
    rows += [{"story_id": "young", "published_at": as_of - timedelta(hours=h)} for h in [10, *([0.5] * 60)]]
    rows += [{"story_id": "silent", "published_at": as_of - timedelta(hours=h)} for h in [40, 30]]
    rows += [
        {"story_id": "ahead", "published_at": as_of + timedelta(hours=3)},
        {"story_id": "x", "published_at": None},
    ]
    items = pl.LazyFrame(rows, schema={"story_id": pl.String, "published_at": pl.Datetime("us", "UTC")})
    found = dict(story_bursts(items, as_of=as_of).collect().rows())
    assert set(found) == {"loud", "silent"}
    assert found["silent"] == 0.0
    assert found["loud"] > THRESHOLD


SHARED = Path(os.environ.get("SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))


def test_real_brand_mentions_are_read_without_a_false_alarm_a_day() -> None:
    folder = SHARED / "brand_mentions_nab"
    if not folder.is_dir():
        pytest.skip("no real data beside the repository")
    path = folder / "Twitter_volume_KO.csv"
    frame = pl.read_csv(path).select(
        series=pl.lit("KO"), at=pl.col("timestamp").str.to_datetime(), count=pl.col("value")
    )
    result = detect_bursts(frame).collect()
    days = result["history_h"].drop_nulls().max() / 24  # type: ignore[operator]  # a Float64 column
    assert 0 < result["is_burst"].sum() < days / 3
