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

from brandkit.errors import InputError, UsageError
from brandkit.signals.bursts import THRESHOLD, detect_bursts, story_bursts

START = datetime(2026, 3, 1, tzinfo=UTC)
GIVES = ["burst", "is_burst", "expected", "history_h"]


def hourly(counts: list[float | None], *, series: str = "x") -> pl.DataFrame:
    at = [START + timedelta(hours=h) for h in range(len(counts))]
    return pl.DataFrame(
        {"series": [series] * len(at), "at": at, "count": pl.Series(counts, dtype=pl.Float64)}
    )


def test_a_burst_is_its_height_in_usual_highs_squashed() -> None:
    # A past of fours has no spread, so the least deviation (one half) stands in for it, and no day
    # is over yet, so the usual high is what chance makes: 3 deviations.
    frame = detect_bursts(hourly([4.0] * 25 + [100.0])).collect()
    excess = (2 * math.sqrt(100.375) - 2 * math.sqrt(4.375)) / 0.5 / 3.0
    assert frame["burst"][-1] == pytest.approx(excess / (excess + 1.65), abs=1e-4)
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
    assert frame["burst"][-1] < 0.4 < THRESHOLD


def test_five_mentions_in_an_hour_after_silence_are_a_burst() -> None:
    frame = detect_bursts(hourly([0.0] * 48 + [5.0])).collect()
    assert frame["is_burst"].to_list() == [False] * 48 + [True]


def test_an_event_that_keeps_growing_is_told_again_where_it_climbs_a_step() -> None:
    # Fours and sixes every five minutes for two weeks, then a height of z that doubles hour by hour.
    past = [4.0, 6.0] * 12 * 24 * 7
    growing = [(2.2 + 2.0**h) ** 2 for h in range(1, 5) for _ in range(12)]
    at = [START + timedelta(minutes=5 * i) for i in range(len(past) + len(growing))]
    frame = pl.DataFrame({"series": "x", "at": at, "count": past + growing})
    burst = detect_bursts(frame).collect()["burst"][len(past) :].to_list()
    # Each hour tells its first count, and none of the eleven that only hold what was reached.
    assert [b > 0 for b in burst] == ([True] + [False] * 11) * 4


def test_a_nervous_series_needs_more_than_a_calm_one() -> None:
    # Every day of the nervous one has an hour of 40; the calm one has none. Then both have one of 50.
    calm = [10.0] * 24 * 21
    nervous = [40.0 if h % 24 == 7 * (h // 24) % 24 else 10.0 for h in range(24 * 21)]
    both = pl.concat([hourly([*calm, 10.0, 50.0], series="calm"), hourly([*nervous, 10.0, 50.0], series="n")])
    told = detect_bursts(both).collect().group_by("series", maintain_order=True).last()
    assert told["is_burst"].to_list() == [True, False]


def a_week(*, day: float, night: float, weekend: float) -> list[float]:
    working = [night] * 8 + [day] * 12 + [night] * 4
    return working * 5 + [weekend] * 48


def test_the_rhythm_of_the_week_is_no_burst_and_what_leaves_it_is() -> None:
    # START is a Sunday: six weeks of busy days, quiet nights and quieter weekends.
    weeks = a_week(day=200.0, night=5.0, weekend=2.0) * 6
    frame = detect_bursts(hourly(weeks)).collect()
    assert not frame["is_burst"][168:].any()
    # What is usual at noon is a burst in the night of a weekend.
    at_night = [*weeks, *a_week(day=200.0, night=5.0, weekend=2.0)[:121], 200.0]
    told = detect_bursts(hourly(at_night)).collect()
    assert told["is_burst"].arg_true().to_list()[-1] == len(at_night) - 1
    assert told["expected"][-1] < 40.0


def test_the_rhythm_goes_by_the_clock_the_counts_are_in() -> None:
    # Noon in Oslo stays noon when summer time begins on 29 March 2026, an hour earlier in UTC.
    days = 60
    start = datetime(2026, 2, 1, tzinfo=UTC)
    frame = pl.DataFrame(
        {"series": "x", "at": [start + timedelta(hours=h) for h in range(24 * days)]},
        schema_overrides={"at": pl.Datetime("us", "UTC")},
    ).with_columns(pl.col("at").dt.convert_time_zone("Europe/Oslo"))
    loud_at_noon = pl.when(pl.col("at").dt.hour() == 12).then(150.0).otherwise(5.0)
    frame = frame.with_columns(count=loud_at_noon)
    in_oslo = detect_bursts(frame).collect()
    first_summer_noon = (pl.col("at").dt.date() == datetime(2026, 3, 29).date()) & (pl.col("count") == 150.0)
    in_utc = detect_bursts(frame.with_columns(pl.col("at").dt.convert_time_zone("UTC"))).collect()
    expected = in_oslo.filter(first_summer_noon)["expected"][0]
    assert expected > 4 * in_utc.filter(first_summer_noon)["expected"][0]


def test_a_hole_adds_a_day_at_most_to_the_history() -> None:
    frame = pl.concat([hourly([4.0] * 10), hourly([4.0]).with_columns(pl.col("at") + timedelta(days=30))])
    after = hourly([4.0]).with_columns(pl.col("at") + timedelta(days=30, hours=1))
    told = detect_bursts(pl.concat([frame, after])).collect()
    # Nine hours, and a day of the thirty.
    assert told["history_h"][-1] == 33.0


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.5, math.nan])
def test_a_threshold_outside_its_range_is_refused(threshold: float) -> None:
    with pytest.raises(UsageError, match="outside 0..1"):
        detect_bursts(hourly([1.0]), threshold=threshold)


def test_counts_that_lack_a_column_or_a_clock_are_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match="counts lack count"):
        detect_bursts(hourly([1.0]).drop("count"))
    with pytest.raises(InputError, match="must be a date with time"):
        detect_bursts(hourly([1.0]).with_columns(pl.col("at").dt.to_string()))


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


@pytest.mark.parametrize("cut", [3001, 4032])
def test_a_prefix_of_months_is_the_prefix_too(cut: int) -> None:
    minutes = pl.int_range(0, 6000, eager=True) * 20
    frame = pl.select(series=pl.lit("x"), at=pl.lit(START) + pl.duration(minutes=minutes)).with_columns(
        count=20.0 + 15.0 * (pl.int_range(pl.len()) / 11.0).sin()
    )
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
