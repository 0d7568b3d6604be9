"""When a series of counts leaves its own past behind, without ever looking ahead.

Counts are variance-stabilised (Anscombe, 1948) and compared with a level that remembers weeks, the
rhythm of the hour of the day and of the week, and the usual deviation from both. How high they stand
is told in usual highs: what the days of the series reached before. An alert needs a step above all
of the last day, so that one event is told once.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from brandkit.errors import InputError, UsageError
from brandkit.signals._burst_baseline import BAR, HIGH_H, MIN_HISTORY_H, measure
from brandkit.signals._text import whole_frame

THRESHOLD = 0.5
"""The burst from which ``is_burst`` speaks: 1.65 times as high as the series' usual high of a day."""

_NEEDS = ("series", "at", "count")
_GIVES: dict[str, Any] = {
    "burst": pl.Float64,
    "is_burst": pl.Boolean,
    "expected": pl.Float64,
    "history_h": pl.Float64,
}
_HOUR_US = 3_600_000_000
_STORY_SPAN_H = 24 * 28


def detect_bursts(counts: pl.LazyFrame | pl.DataFrame, *, threshold: float = THRESHOLD) -> pl.LazyFrame:
    """How far each count stands above all that its series counted before.

    Shape:  series, at, count in, any number of series; the same rows in the same order out, plus
            burst 0..1, is_burst, expected (a count), history_h. A missing row is not a zero: give
            quiet hours as 0. The rhythm goes by the clock that ``at`` is in.
    Units:  burst is e / (e + 1.65) for an excess of e usual highs of a day, and 0 where the last 24
            hours of the clock already stood as high (within a step of a quarter of e); history_h is
            the time the past was really sampled: a count speaks for at most the day before it, so a
            hole adds no more than that.
    Nulls:  burst and expected are null, and is_burst false, where there is not enough history (24 h
            and 12 counts before this one) or no usable count (null, negative, not finite) or instant;
            such a count never enters the baseline, and its history_h is null. A silence of a
            quarter starts a new history.
    Raises: UsageError for a threshold outside 0..1; InputError for other columns.
    Source: Anscombe's transform and exponential means; no row after ``at`` is ever read.

    Example:
    >>> from datetime import datetime, timedelta
    >>> hours = [datetime(2026, 3, 1) + timedelta(hours=h) for h in range(49)]
    >>> quiet_then_loud = pl.DataFrame({"series": "x", "at": hours, "count": [4] * 48 + [400]})
    >>> detect_bursts(quiet_then_loud).collect()["is_burst"].to_list()[-2:]
    [False, True]
    """
    if not 0 < threshold <= 1:
        raise UsageError(f"threshold = {threshold} is outside 0..1", where="in detect_bursts")
    plan = counts.lazy()
    _require(plan.collect_schema())
    kept = plan.drop([name for name in _GIVES if name in plan.collect_schema()])
    return whole_frame(kept, partial(_measured, threshold=threshold), _GIVES)


def _require(schema: pl.Schema) -> None:
    if missing := [name for name in _NEEDS if name not in schema]:
        raise InputError(f"counts lack {', '.join(missing)}", allowed=f"columns: {', '.join(_NEEDS)}")
    if not isinstance(schema["at"], pl.Datetime):
        raise InputError(
            f"at is {schema['at']}; it must be a date with time",
            hint='text becomes one by polars.col("at").str.to_datetime()',
        )


def _measured(counts: pl.DataFrame, *, threshold: float) -> pl.DataFrame:
    rows = _usable_in_order(counts)
    found = measure(
        2.0 * np.sqrt(rows["n"].to_numpy() + 0.375),
        rows["at_us"].to_numpy() / _HOUR_US,
        rows["hour"].to_numpy(),
        rows["series"].rle_id().cast(pl.Int64).to_numpy(),
    )
    up = np.maximum(found.excess, 0.0)
    columns = {
        "burst": np.where(np.isnan(found.excess) | found.is_high, up / (up + BAR), 0.0),
        "expected": np.maximum((found.expected / 2.0).clip(0.0) ** 2 - 0.375, 0.0),
        "history_h": found.history_h,
    }
    measured = pl.DataFrame({"row": rows["row"], **columns}, nan_to_null=True).select(
        "row", pl.col("burst", "expected", "history_h").round(4)
    )
    if measured.height < counts.height or not rows["row"].is_sorted():
        everything = pl.DataFrame({"row": pl.int_range(counts.height, dtype=pl.UInt32, eager=True)})
        measured = everything.join(measured, on="row", how="left", maintain_order="left")
    is_burst = (pl.col("burst") >= threshold).fill_null(value=False)
    return pl.concat(
        [
            counts,
            measured.select("burst", is_burst=is_burst).hstack(measured.select("expected", "history_h")),
        ],
        how="horizontal",
    )


def _usable_in_order(counts: pl.DataFrame) -> pl.DataFrame:
    """The counts that can be measured, by series and instant: row, series (a number), at_us, hour, n."""
    wall = pl.col("at").dt.replace_time_zone(None).dt.epoch("us")
    usable = (
        counts.select(
            # Numbers sort many times faster than names; which number a series gets is of no account.
            series=pl.col("series").cast(pl.String).cast(pl.Categorical).to_physical(),
            at_us=pl.col("at").dt.epoch("us"),
            hour=wall // _HOUR_US,
            n=pl.col("count").cast(pl.Float64, strict=False),
        )
        .with_row_index("row")
        .filter(pl.col("n").is_finite() & (pl.col("n") >= 0) & pl.col("at_us").is_not_null())
    )
    return usable if _is_in_order(usable) else usable.sort("series", "at_us", "n", "row", nulls_last=True)


def _is_in_order(usable: pl.DataFrame) -> bool:
    """Whether each series is in one piece and its instants only rise: most frames are, and need no sort."""
    piece = pl.col("series").rle_id()
    rises = (pl.col("at_us").diff() > 0) | (piece.diff() != 0)
    found = usable.select(rises=rises.all(), pieces=piece.n_unique(), series=pl.col("series").n_unique())
    return bool(found.item(0, "rises")) and found.item(0, "pieces") == found.item(0, "series")


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
    silent = old.filter(pl.col("_last") >= HIGH_H).select("story_id", burst=pl.lit(0.0))
    grid = (
        old.filter(pl.col("_last") < HIGH_H)
        .select("story_id", _ago=pl.int_ranges(0, pl.col("_first") + 1))
        .explode("_ago")
        .join(hourly, on=["story_id", "_ago"], how="left")
        .select(
            series="story_id",
            at=pl.lit(as_of) - pl.duration(hours=pl.col("_ago")),
            count=pl.col("count").fill_null(0).cast(pl.Int64),
        )
    )
    recent = pl.col("at") > pl.lit(as_of) - pl.duration(hours=HIGH_H)
    alive = detect_bursts(grid).filter(recent).group_by("series").agg(pl.col("burst").max())
    return pl.concat([silent, alive.select(story_id="series", burst="burst")])
