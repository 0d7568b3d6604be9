from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from brandkit.errors import ContractError, InputError, UsageError
from brandkit.signals._forecast_model import Band, ForecastModel, Growth, packaged_model, read_model
from brandkit.signals.forecast import FORECAST, LEAST_FINISHED, calibrate_forecast, forecast_peak

BORN = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
# Round numbers, so that the arithmetic can be seen: growth left is 1 at any age and rate.
FLAT = ForecastModel(
    growth=Growth(level=0.0, age_h=0.0, comments=0.0),
    age=Growth(level=0.0, age_h=0.0, comments=0.0),
    bands=(
        Band("age", 0.0, math.log(2), math.log(4), math.log(8), 100),
        Band("growth", 0.0, math.log(2), math.log(3), math.log(5), 200),
    ),
    usual_comments=0.0,
    last_age_h=12.0,
    rates=(0.01, 2.0),
    comments_within=2.0,
)


def seen(*rows: tuple[str, float, float | None], **more: Any) -> pl.DataFrame:
    """Sightings as (item, hours after it was published, value)."""
    frame = pl.DataFrame(
        [(item, BORN + h * HOUR, value) for item, h, value in rows],
        schema={"item_id": pl.String, "observed_at": pl.Datetime("us", "UTC"), "value": pl.Float64},
        orient="row",
    )
    return frame.with_columns(published_at=pl.lit(BORN)).with_columns(
        pl.lit(value).alias(name) for name, value in more.items()
    )


def said(observations: pl.DataFrame, **more: Any) -> list[dict[str, Any]]:
    return forecast_peak(observations, **{"model": FLAT, **more}).collect().to_dicts()


def test_an_item_seen_once_is_forecast_from_its_age() -> None:
    (row,) = said(seen(("a", 2.0, 99.0)))
    # (99 + 1) x 2, 4 and 8, less 1.
    assert (row["low"], row["expected_peak"], row["high"]) == (199, 399, 799)
    assert (row["why"], row["n_observations"], row["age_h"], row["n_finished"]) == ("age", 1, 2.0, 100)
    assert row["growth_h"] is row["rate_h"] is None


def test_a_second_sighting_gives_its_own_growth() -> None:
    (row,) = said(seen(("a", 1.0, 49.0), ("a", 3.0, 99.0)))
    assert (row["low"], row["expected_peak"], row["high"]) == (199, 299, 499)
    assert (row["why"], row["growth_h"], row["rate_h"]) == ("growth", 25.0, round(math.log(2) / 2, 4))
    assert row["last_seen_at"] == BORN + 3 * HOUR


@pytest.mark.parametrize(
    ("hours", "why", "growth_h"),
    [
        ((1.0, 1.25), "age", None),  # a quarter of an hour apart: noise
        ((1.0, 1.5), "growth", 100.0),
        ((1.0, 7.0), "growth", 50 / 6),
        ((1.0, 7.5), "age", None),  # the past
    ],
)
def test_growth_is_read_over_half_an_hour_to_six(
    hours: tuple[float, float], why: str, growth_h: float | None
) -> None:
    (row,) = said(seen(("a", hours[0], 50.0), ("a", hours[1], 100.0)))
    assert row["why"] == why
    assert row["growth_h"] == (None if growth_h is None else pytest.approx(growth_h, abs=1e-4))


def test_growth_is_read_from_the_latest_sighting_that_is_early_enough() -> None:
    (row,) = said(seen(("a", 1.0, 10.0), ("a", 2.0, 40.0), ("a", 2.75, 90.0), ("a", 3.0, 100.0)))
    assert row["growth_h"] == 60.0


def test_a_sighting_without_a_value_changes_nothing() -> None:
    assert said(seen(("a", 1.0, 50.0), ("a", 3.0, 100.0), ("a", 4.0, None))) == said(
        seen(("a", 1.0, 50.0), ("a", 3.0, 100.0))
    )


def test_what_is_not_known_gives_no_forecast_and_says_why() -> None:
    rows = said(
        pl.concat(
            [
                seen(("a", 1.0, None), ("b", 1.0, -5.0), ("c", 1.0, math.inf), ("d", 1.0, math.nan)),
                seen(("e", 1.0, 10.0)).with_columns(published_at=pl.lit(None, pl.Datetime("us", "UTC"))),
                seen(("f", -1.0, 10.0), ("f", 1.0, 20.0)),
            ]
        )
    )
    assert [(row["item_id"], row["why"]) for row in rows] == [
        ("a", "no_value"), ("b", "no_value"), ("c", "no_value"), ("d", "no_value"),
        ("e", "undated"), ("f", "undated"),
    ]  # fmt: skip
    assert {row[name] for row in rows for name in ("expected_peak", "low", "high", "is_own")} == {None}


def test_a_clock_that_is_minutes_ahead_makes_an_item_new() -> None:
    (row,) = said(seen(("a", -0.2, 10.0)))
    assert (row["why"], row["age_h"]) == ("age", 0.0)


def test_a_peak_is_never_below_what_was_seen() -> None:
    (row,) = said(seen(("a", 1.0, 1000.0), ("a", 2.0, 9.0)))
    # (9 + 1) x 5 - 1 would be 49.
    assert (row["value"], row["low"], row["expected_peak"], row["high"]) == (9, 1000, 1000, 1000)


def test_without_a_value_engagement_is_what_grows() -> None:
    counted = (
        seen(("a", 2.0, None))
        .drop("value")
        .with_columns(reactions=pl.lit(10), comments=pl.lit(20), shares=pl.lit(None, pl.Int64))
    )
    (row,) = said(counted)
    assert (row["value"], row["comments"]) == (10 + 2 * 20, 20)


def test_a_count_that_comes_to_be_known_is_no_growth() -> None:
    counted = pl.concat(
        seen((item, h, None)).drop("value").with_columns(
            reactions=pl.lit(10), comments=pl.lit(n, pl.Int64), shares=pl.lit(None, pl.Int64)
        )
        for item, h, n in (("a", 1.0, None), ("a", 2.0, 5), ("b", 1.0, 5), ("b", 2.0, 5))
    )  # fmt: skip
    assert [(row["why"], row["growth_h"], row["value"]) for row in said(counted)] == [
        ("age", None, 20),
        ("growth", 0, 20),
    ]


def test_a_source_with_a_range_of_its_own_is_forecast_by_it() -> None:
    own = replace(FLAT, bands=(*FLAT.bands, Band("age", 0.0, 0.0, math.log(2), math.log(3), 40, "board")))
    rows = said(
        pl.concat([seen((i, 2.0, 99.0), source=s) for i, s in (("a", "board"), ("b", "feed"))]), model=own
    )
    assert [(row["expected_peak"], row["n_finished"], row["is_own"]) for row in rows] == [
        (199, 40, True),
        (399, 100, False),
    ]


def _finished(n: int, times: float) -> pl.DataFrame:
    """Items of a board seen at an hour with 99 and, a day later, at between 1 and ``times`` times that."""
    rows = [
        row
        for i in range(n)
        for row in ((f"i{i:03}", 0.5, 99.0), (f"i{i:03}", 25.0, 100 * times ** ((i + 1) / n) - 1))
    ]
    return seen(*rows, source="board")


def test_a_range_is_learned_from_finished_items() -> None:
    model = calibrate_forecast(_finished(99, 8.0), as_of=BORN + 72 * HOUR, model=FLAT)
    (own,) = (band for band in model.bands if band.source == "board")
    # The 10th, 50th and 90th of 99 that came to 8^(1/99), 8^(2/99), ... 8 times what they were.
    assert (own.kind, own.from_age_h, own.n_finished) == ("age", 0.0, 99)
    assert [own.low, own.middle, own.high] == pytest.approx([math.log(8) * i / 99 for i in (10, 50, 90)])


def test_too_few_or_unfinished_items_teach_nothing() -> None:
    few = calibrate_forecast(_finished(LEAST_FINISHED - 1, 8.0), as_of=BORN + 72 * HOUR, model=FLAT)
    young = calibrate_forecast(_finished(99, 8.0), as_of=BORN + 47 * HOUR, model=FLAT)
    assert few == young == FLAT
    with pytest.raises(UsageError, match="least = 9"):
        calibrate_forecast(_finished(9, 8.0), as_of=BORN, least=9)


def test_what_came_after_the_run_teaches_nothing() -> None:
    late = seen(("i000", 80.0, 1e9), source="board")
    both = pl.concat([_finished(40, 8.0), late])
    as_of = BORN + 72 * HOUR
    assert calibrate_forecast(both, as_of=as_of) == calibrate_forecast(_finished(40, 8.0), as_of=as_of)


def test_missing_columns_are_named_with_what_may_have_been_meant() -> None:
    with pytest.raises(InputError, match=r"lack published_at\n.*\n.*did you mean 'published'"):
        forecast_peak(seen(("a", 1.0, 1.0)).rename({"published_at": "published"}))
    with pytest.raises(InputError, match="no value"):
        forecast_peak(seen(("a", 1.0, 1.0)).drop("value"))


def test_no_sightings_give_no_forecasts() -> None:
    found = forecast_peak(seen(("a", 1.0, 1.0)).clear()).collect()
    assert (found.height, dict(found.schema)) == (0, dict(FORECAST))


_rows = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(0, 40).map(lambda quarter: quarter / 4),
        st.none() | st.integers(0, 10**6).map(float),
    ),
    min_size=1,
    max_size=12,
)


@given(_rows, st.integers(0, 40), st.randoms())
@settings(max_examples=25, deadline=None)
def test_a_forecast_looks_at_nothing_later_and_at_no_order(
    rows: list[Any], quarter: int, random: Any
) -> None:
    as_of = BORN + quarter / 4 * HOUR
    known = seen(*(row for row in rows if BORN + row[1] * HOUR <= as_of))
    shuffled = random.sample(rows, len(rows))
    assert_frame_equal(forecast_peak(seen(*shuffled), as_of=as_of).collect(), forecast_peak(known).collect())


@given(_rows)
@settings(max_examples=25, deadline=None)
def test_a_range_holds_its_middle_and_lies_above_what_was_seen(rows: list[Any]) -> None:
    found = forecast_peak(seen(*rows)).collect()
    known = found.filter(pl.col("why").is_in(["age", "growth"]))
    assert known.select(
        ((pl.col("value") <= pl.col("low")) & (pl.col("low") <= pl.col("expected_peak"))
         & (pl.col("expected_peak") <= pl.col("high")) & pl.col("high").is_finite()).all()
    ).item()  # fmt: skip
    assert found.height == len({row[0] for row in rows})


def test_the_packaged_model_is_whole_and_the_young_have_more_before_them() -> None:
    assert packaged_model().ages[0] == 0.0
    young, old = said(seen(("a", 1.0, 1000.0), ("b", 10.0, 1000.0)), model=None)
    assert young["expected_peak"] > 2 * old["expected_peak"] > 2000


@pytest.mark.parametrize("broken", ["", "[growth]\nlevel = 1", "not toml"])
def test_a_model_that_cannot_be_read_says_what_it_lacks(broken: str) -> None:
    with pytest.raises(ContractError, match="cannot be read"):
        read_model(broken)


def test_a_model_with_a_band_out_of_order_is_refused() -> None:
    text = (
        "[growth]\nlevel=0\nage_h=0\ncomments=0\n[age]\nlevel=0\nage_h=0\ncomments=0\n"
        "[seen]\nusual_comments=0\ncomments_within=1\nlast_age_h=1\nleast_rate=0.1\nmost_rate=1\n"
    )
    band = '[[band]]\nkind="{}"\nfrom_age_h=0.0\nlow={}\nmiddle=1\nhigh=2\nn_finished=1\n'
    whole = text + band.format("age", 0.5) + band.format("growth", 0.5)
    assert read_model(whole).ages == (0.0,)
    with pytest.raises(ContractError, match="out of order"):
        read_model(text + band.format("age", 0.5) + band.format("growth", 1.5))
    with pytest.raises(ContractError, match="lacks bands"):
        read_model(text + band.format("age", 0.5))
