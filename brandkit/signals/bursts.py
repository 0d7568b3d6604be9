"""When a series of counts leaves its own past behind, without ever looking ahead.

Counts are variance-stabilised (Anscombe, 1948) and compared with an exponentially weighted mean
and deviation of all that came before, long enough to remember weeks. An alert needs a new high of
the last day, so that one event is told once.
"""

from __future__ import annotations

import math
from datetime import datetime

import polars as pl

THRESHOLD = 0.58
"""The burst from which ``is_burst`` speaks: 8.3 deviations above the past."""

# 8000 samples five minutes apart, as a half-life in hours: the memory is in time, not in samples.
HALF_LIFE_H = 231.0
MIN_HISTORY_H = 24.0
MIN_SAMPLES = 12
# Counting noise alone has deviation 1 on the stabilised scale; a quieter past is luck.
_LEAST_DEVIATION = 1.0
# A burst of one half stands six deviations above the past.
_HALF_AT = 6.0
# A silence this long starts a new history; it also keeps the growing weights finite.
_SILENCE_H = 24.0 * 365
_STORY_SPAN_H = 24 * 28


def detect_bursts(counts: pl.LazyFrame | pl.DataFrame, *, threshold: float = THRESHOLD) -> pl.LazyFrame:
    """How far each count stands above all that its series counted before.

    Shape:  series, at, count in, any number of series; the same rows in the same order out, plus
            burst 0..1, is_burst, expected (a count), history_h. A missing row is not a zero: give
            quiet hours as 0.
    Units:  burst is z / (z + 6), and 0 where the count is no new high of the last 24 h; history_h is
            the span the baseline really sampled.
    Nulls:  burst is null, and is_burst false, where there is not enough history (24 h and 12 counts
            before this one) or no usable count (null, negative, not finite) or instant; such a
            count never enters the baseline.
    Source: Anscombe's transform and an exponential mean; no row after ``at`` is ever read.

    Example:
    >>> from datetime import datetime, timedelta
    >>> hours = [datetime(2026, 3, 1) + timedelta(hours=h) for h in range(49)]
    >>> quiet_then_loud = pl.DataFrame({"series": "x", "at": hours, "count": [4] * 48 + [400]})
    >>> detect_bursts(quiet_then_loud).collect()["is_burst"].to_list()[-2:]
    [False, True]
    """
    given = counts.lazy()
    columns = given.collect_schema().names()
    rows = given.with_row_index("_row").sort("series", "at", "count", "_row", nulls_last=True)
    measured = _against_past(_with_past(_usable(rows)))
    fresh = pl.col("_raw") > pl.col("_high").fill_null(0.0)
    burst = pl.when(pl.col("_raw").is_not_null()).then(pl.when(fresh).then("_raw").otherwise(0.0)).round(4)
    return (
        measured.with_columns(
            _high=pl.col("_raw").rolling_max_by("_at", "24h", closed="left").over("series", "_segment")
        )
        .with_columns(burst=burst)
        .with_columns(is_burst=(pl.col("burst") >= threshold).fill_null(value=False))
        .sort("_row")
        .select(*columns, "burst", "is_burst", "expected", "history_h")
    )


def _usable(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The stabilised count, its age in hours, and which unbroken history it belongs to."""
    count = pl.col("count").cast(pl.Float64, strict=False)
    is_usable = (count.is_finite() & (count >= 0) & pl.col("at").is_not_null()).fill_null(value=False)
    # rolling_max_by refuses a null instant; an unusable row has no measure to look up anyway.
    instant = pl.col("at").cast(pl.Datetime("us")).fill_null(datetime(1970, 1, 1))
    usable_at = pl.when("_ok").then("_at")
    gap_h = (pl.col("_at") - usable_at.forward_fill().shift(1).over("series")).dt.total_seconds() / 3600
    return (
        rows.with_columns(_ok=is_usable, _n=count, _at=instant)
        .with_columns(_segment=(pl.col("_ok") & (gap_h > _SILENCE_H)).fill_null(value=False))
        .with_columns(_segment=pl.col("_segment").cum_sum().over("series"))
        .with_columns(
            _a=pl.when("_ok").then(2.0 * (pl.col("_n") + 0.375).sqrt()),
            _first=usable_at.min().over("series", "_segment"),
        )
        .with_columns(_age_h=(pl.col("_at") - pl.col("_first")).dt.total_microseconds() / 3.6e9)
    )


def _with_past(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Weighted sums over the rows strictly before each row; later rows weigh more, by half-life."""
    weight = pl.when("_ok").then((pl.col("_age_h") * (math.log(2.0) / HALF_LIFE_H)).exp()).otherwise(0.0)
    value = pl.col("_a").fill_null(0.0)
    sums = {
        "_w1": pl.col("_w"),
        "_w2": pl.col("_w") ** 2,
        "_wa": pl.col("_w") * value,
        "_waa": pl.col("_w") * value**2,
        "_samples": pl.col("_ok").cast(pl.Int64),
    }
    past = [s.cum_sum().shift(1).over("series", "_segment").alias(name) for name, s in sums.items()]
    latest = pl.when("_ok").then("_age_h").forward_fill().shift(1).over("series", "_segment")
    return rows.with_columns(_w=weight).with_columns(*past, history_h=latest.round(4))


def _against_past(rows: pl.LazyFrame) -> pl.LazyFrame:
    enough = (pl.col("history_h") >= MIN_HISTORY_H) & (pl.col("_samples") >= MIN_SAMPLES)
    mean = pl.col("_wa") / pl.col("_w1")
    spread = (pl.col("_waa") / pl.col("_w1") - mean**2).clip(lower_bound=0.0)
    unbiased = spread / (1.0 - pl.col("_w2") / pl.col("_w1") ** 2)
    deviation = pl.max_horizontal(unbiased.sqrt(), pl.lit(_LEAST_DEVIATION))
    z = ((pl.col("_a") - mean) / deviation).clip(lower_bound=0.0)
    raw = (z / (z + _HALF_AT)).fill_nan(None)
    expected = ((mean / 2.0) ** 2 - 0.375).clip(lower_bound=0.0).fill_nan(None)
    return rows.with_columns(
        _raw=pl.when(enough).then(raw),
        expected=pl.when(enough).then(expected).round(4),
    )


def story_bursts(items: pl.LazyFrame, *, as_of: datetime) -> pl.LazyFrame:
    """The strongest burst of each story in the 24 h before ``as_of``, from its hourly counts.

    Shape: story_id, published_at in; story_id, burst out, one row for each story old enough.
    Nulls: a story is absent until it is a day old by its own dates: not enough history. Undated and
           future items are not counted; nor is what is older than 28 days.
    """
    hours_ago = ((pl.lit(as_of) - pl.col("published_at")).dt.total_microseconds() // 3_600_000_000).cast(
        pl.Int64
    )
    hourly = (
        items.select("story_id", _ago=hours_ago)
        .filter(pl.col("_ago").is_between(0, _STORY_SPAN_H) & pl.col("story_id").is_not_null())
        .group_by("story_id", "_ago")
        .agg(count=pl.len())
    )
    lives = hourly.group_by("story_id").agg(_first=pl.col("_ago").max(), _last=pl.col("_ago").min())
    old = lives.filter(pl.col("_first") >= MIN_HISTORY_H)
    # Without an item in the last day no hour of it can be a new high: the answer is known.
    silent = old.filter(pl.col("_last") >= 24).select("story_id", burst=pl.lit(0.0))
    grid = (
        old.filter(pl.col("_last") < 24)
        .select("story_id", _ago=pl.int_ranges(0, pl.col("_first") + 1))
        .explode("_ago")
        .join(hourly, on=["story_id", "_ago"], how="left")
        .select(
            series="story_id",
            at=pl.lit(as_of) - pl.duration(hours=pl.col("_ago")),
            count=pl.col("count").fill_null(0).cast(pl.Int64),
        )
    )
    recent = pl.col("at") > pl.lit(as_of) - pl.duration(hours=24)
    alive = detect_bursts(grid).filter(recent).group_by("series").agg(pl.col("burst").max())
    return pl.concat([silent, alive.select(story_id="series", burst="burst")])
