"""Whether a story rises or fades, by its own growth: what came lately against what came before.

Two counts are seldom equal by chance, so a change is claimed only where counting noise does not explain
it, and only where it would be claimed without any one of the story's items as well. Hence one late item
does not turn a fading story into a rising one, nor one that is missing the other way round. What fell
far below the rate of its own life is fading too, so that a large story is not woken by a straggler.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import polars as pl

from brandkit.errors import InputError, near_name
from brandkit.schemas import INSTANT, PHASE
from brandkit.signals._text import column
from brandkit.signals.spread import FUTURE_TOLERANCE

RECENT_H = 6.0
"""The recent past of a story; half of its life for one younger than twice this."""

BEFORE_H = 24.0
"""What the recent past is held against: so many hours before it, or since the story's first item."""

LEAST_LIFE_H = 2.0
"""A younger story has no growth to speak of yet."""

SILENT_H = 12.0
"""A story nobody added to for longer than this is fading, whatever it was; and one that had far less in
this time than its life before makes expect."""

CLAIMED_FROM = 1.645
"""How many standard deviations a change must be: one in twenty by chance, on either side."""

SPENT_FROM = 2.326
"""The same for a story below the rate of its whole life: one in a hundred, for it comes on top."""

# A story first seen within a day of now is new, where nothing says since when.
_NEW = timedelta(hours=24)
TREND = pl.Enum(["rising", "steady", "fading"])
GROWTH: Mapping[str, Any] = {
    "trend": TREND,
    "n_recent": pl.Int64(),
    "expected_recent": pl.Float64(),
    "growth_z": pl.Float64(),
    "n_half_day": pl.Int64(),
    "expected_half_day": pl.Float64(),
    "recent_h": pl.Float64(),
    "before_h": pl.Float64(),
    "n_dated": pl.Int64(),
    "n_undated": pl.Int64(),
    "first_seen_at": INSTANT,
    "last_seen_at": INSTANT,
}


def story_phases(
    items: pl.LazyFrame | pl.DataFrame, *, as_of: datetime, new_since: datetime | None = None
) -> pl.LazyFrame:
    """The phase each story is in: new, rising, steady or fading.

    A story that was silent for ``SILENT_H`` is fading; else one first seen from ``new_since`` on (a
    day before ``as_of`` without it) is new; else its growth decides.

    Shape:  one row per story, sorted by story_id: phase, and the columns of ``story_growth``.
    Nulls:  as there; a story whose growth is not known is steady.
    Raises: InputError where a column is missing.
    """
    now = _utc(as_of)
    since = now - _NEW if new_since is None else _utc(new_since)
    phase = (
        pl.when(is_silent(now))
        .then(pl.lit("fading"))
        .when(pl.col("first_seen_at") >= pl.lit(since, INSTANT))
        .then(pl.lit("new"))
        .otherwise(pl.col("trend").cast(pl.String).fill_null("steady"))
    )
    grown = story_growth(items.lazy(), as_of=as_of)
    return grown.select("story_id", phase.cast(PHASE).alias("phase"), *GROWTH)


def is_silent(as_of: datetime) -> pl.Expr:
    """Whether nobody added to a story (``last_seen_at``) for ``SILENT_H``."""
    return pl.col("last_seen_at") < pl.lit(as_of - timedelta(hours=SILENT_H), INSTANT)


def story_growth(items: pl.LazyFrame | pl.DataFrame, *, as_of: datetime) -> pl.LazyFrame:
    """Whether more or fewer items came to each story lately than before, and how sure that is.

    Shape:  takes story_id, published_at and, where there is one, collected_at; one row per story,
            sorted by story_id, with the columns of ``GROWTH``. What was seen after ``as_of`` is not
            looked at.
    Units:  ``n_recent`` items published in the last ``recent_h`` hours (6, or half the story's life),
            ``expected_recent`` had they come as in the ``before_h`` hours before (24, or since its
            first item), ``growth_z`` how many standard deviations lie between. ``n_half_day`` in the
            last 12 h, ``expected_half_day`` by all that came before in its life.
    Nulls:  an item without a date, or dated after it was collected or after ``as_of``, is in
            ``n_undated`` and nowhere else. trend, expected_recent and growth_z are null for a story
            younger than ``LEAST_LIFE_H``, or without a date; expected_half_day for one under a day.
    Raises: InputError where a column is missing.
    Source: two Poisson rates compared on the square-root scale (Huffman 1984; Gu et al. 2008).

    Example:
    >>> from datetime import UTC, datetime, timedelta
    >>> now = datetime(2026, 3, 2, tzinfo=UTC)
    >>> came = [now - timedelta(hours=h) for h in (30, 20, 10, 5, 4, 3, 2, 1)]
    >>> story = pl.DataFrame({"story_id": "s", "published_at": came})
    >>> story_growth(story, as_of=now).select("trend", "n_recent", "expected_recent").collect().row(0)
    ('rising', 5, 0.5)
    """
    given = items.lazy()
    columns = given.collect_schema().names()
    if missing := [name for name in ("story_id", "published_at") if name not in columns]:
        raise InputError(
            f"items lack {', '.join(missing)}",
            allowed="columns: story_id, published_at and, where there is one, collected_at",
            hint=near_name(missing[0], columns),
        )
    plain = given.select(
        "story_id", pl.col("published_at").cast(INSTANT), column(given, "collected_at", INSTANT)
    )
    # One node in the caller's plan: the joins would repeat everything that leads up to them.
    return plain.map_batches(
        partial(_grown, as_of=_utc(as_of)), schema={"story_id": plain.collect_schema()["story_id"], **GROWTH}
    )


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _grown(items: pl.DataFrame, *, as_of: datetime) -> pl.DataFrame:
    now = pl.lit(as_of, INSTANT)
    seen_at = pl.coalesce("collected_at", "published_at")
    latest = pl.min_horizontal(now, pl.col("collected_at")) + FUTURE_TOLERANCE
    known = (
        items.lazy()
        .filter(pl.col("story_id").is_not_null() & (seen_at.is_null() | (seen_at <= now + FUTURE_TOLERANCE)))
        # Clocks differ by minutes; a date later than that is not known.
        .with_columns(
            _at=pl.when(pl.col("published_at") <= latest).then(pl.min_horizontal("published_at", now))
        )
        .with_columns(_first_at=pl.col("_at").min().over("story_id"))
        .with_columns(_seen_at=pl.when(seen_at.is_not_null()).then(pl.min_horizontal(seen_at, now)))
        .collect(engine="in-memory")
        .lazy()
    )
    dated = known.filter(pl.col("_at").is_not_null())
    # Who came first says how long a story lives; without that one item it may be much shorter.
    rest = dated.sort("story_id", "_at").filter(~pl.col("story_id").is_first_distinct())
    again = rest.with_columns(_first_at=pl.col("_at").min().over("story_id"))
    without = _counted(again, as_of).select(
        "story_id", *(pl.col(name).alias(f"{name}_less") for name in ("n_recent", "_n_before", "_share"))
    )
    counts = known.group_by("story_id").agg(
        n_dated=pl.col("_at").is_not_null().sum().cast(pl.Int64),
        n_undated=pl.col("_at").is_null().sum().cast(pl.Int64),
        first_seen_at=pl.col("_seen_at").min(),
        last_seen_at=pl.col("_seen_at").max(),
    )
    joined = counts.join(_counted(dated, as_of), on="story_id", how="left").join(
        without, on="story_id", how="left"
    )
    return _claimed(joined).select("story_id", *GROWTH).sort("story_id").collect(engine="in-memory")


def _counted(dated: pl.LazyFrame, as_of: datetime) -> pl.LazyFrame:
    """How many items came in the recent past of each story, and before; the share of the two spans."""
    life_h = (pl.lit(as_of, INSTANT) - pl.col("_first_at")).dt.total_microseconds() / 3.6e9
    ago_h = (pl.lit(as_of, INSTANT) - pl.col("_at")).dt.total_microseconds() / 3.6e9
    recent_h = pl.min_horizontal(life_h / 2, pl.lit(RECENT_H))
    before_h = pl.min_horizontal(life_h - pl.col("_recent_h"), pl.lit(BEFORE_H))
    return (
        dated.with_columns(_ago_h=ago_h, _life_h=life_h, _recent_h=recent_h)
        .with_columns(_before_h=before_h)
        .with_columns(_is_recent=pl.col("_ago_h") < pl.col("_recent_h"))
        # A span that begins with the story's first item says nothing by that item.
        .with_columns(
            _is_before=~pl.col("_is_recent") & (pl.col("_ago_h") < pl.col("_recent_h") + pl.col("_before_h"))
        )
        .group_by("story_id")
        .agg(
            n_recent=pl.col("_is_recent").sum().cast(pl.Int64),
            _n_before=pl.col("_is_before").sum().cast(pl.Int64),
            n_half_day=(pl.col("_ago_h") < SILENT_H).sum().cast(pl.Int64),
            _n_life=((pl.col("_ago_h") >= SILENT_H) & (pl.col("_ago_h") < pl.col("_life_h")))
            .sum()
            .cast(pl.Int64),
            recent_h=pl.col("_recent_h").first(),
            before_h=pl.col("_before_h").first(),
            _life_h=pl.col("_life_h").first(),
        )
        .with_columns(
            _share=pl.when(pl.col("_life_h") >= LEAST_LIFE_H).then(pl.col("recent_h") / pl.col("before_h")),
            # Half a day is a part of a life only where there is as much before it.
            _half_share=pl.when(pl.col("_life_h") >= 2 * SILENT_H).then(
                SILENT_H / (pl.col("_life_h") - SILENT_H)
            ),
        )
    )


def _z(recent: pl.Expr, before: pl.Expr, share: pl.Expr) -> pl.Expr:
    """How many standard deviations the recent count lies above what the one before makes expect."""
    root = (recent.clip(0) + 0.375).sqrt() - (share * (before.clip(0) + 0.375)).sqrt()
    return 2.0 * root / (1.0 + share).sqrt()


def _claimed(counts: pl.LazyFrame) -> pl.LazyFrame:
    """The trend of each story, claimed where it stands without any one of its items too."""
    recent, before, share = pl.col("n_recent"), pl.col("_n_before"), pl.col("_share")
    without_first = _z(pl.col("n_recent_less"), pl.col("_n_before_less"), pl.col("_share_less"))
    # Of all other single items, a recent one matters most to a rise and an earlier one to a fall.
    rises = pl.min_horizontal(_z(recent - 1, before, share), without_first) >= CLAIMED_FROM
    falls = pl.max_horizontal(_z(recent, before - 1, share), without_first) <= -CLAIMED_FROM
    # Below its life's rate, and with no item without which it would seem to rise.
    may_rise = pl.max_horizontal(_z(recent, before - 1, share), without_first) >= CLAIMED_FROM
    late, life, half_share = pl.col("n_half_day"), pl.col("_n_life"), pl.col("_half_share")
    is_spent = (_z(late, life - 1, half_share) <= -SPENT_FROM).fill_null(value=False)
    is_known = share.is_not_null()
    stands = pl.col("_share_less").is_not_null()
    trend = (
        pl.when(is_known & stands & rises)
        .then(pl.lit("rising"))
        .when(is_known & stands & (falls | (is_spent & ~may_rise)))
        .then(pl.lit("fading"))
        .when(is_known)
        .then(pl.lit("steady"))
    )
    return counts.with_columns(
        pl.col("n_recent", "n_half_day").fill_null(0),
        trend=trend.cast(TREND),
        expected_recent=(before * share).round(4),
        expected_half_day=(life * half_share).round(4),
        growth_z=_z(recent, before, share).round(4),
        recent_h=pl.col("recent_h").round(4),
        before_h=pl.col("before_h").round(4),
    )
