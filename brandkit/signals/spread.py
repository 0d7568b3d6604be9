"""How far, how fast and by whom a story is carried: facts over the whole story's life.

Outlets measure breadth: everybody who carries the story. Independent publishers confirm it:
families folded; copies, own and portal voices and coordinated accounts left out; and a denial
never counts for what it denies.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from brandkit.schemas import BASELINE, INSTANT, ITEM_TYPE, METRICS, SIGNAL, TIER, empty
from brandkit.signals._text import whole_frame
from brandkit.signals.bursts import story_bursts

if TYPE_CHECKING:
    from brandkit.pipeline import RunContext

VELOCITY_WINDOW_H = 6
FUTURE_TOLERANCE = timedelta(minutes=15)
BASELINE_ITEMS = 20
SOURCE_ITEMS = 5
# Filling an Enum with a bare string makes the plan believe in a String column (Polars 2.1), and
# the streaming engine panics on the difference.
UNLISTED = pl.lit("unlisted", dtype=TIER)
SPREAD_COLUMNS = (
    "n_items", "n_outlets", "n_publishers", "n_publishers_ab", "n_unlisted", "n_adopters_ab",
    "best_tier", "first_seen_at", "last_seen_at", "last_new_publisher_at", "velocity_h", "burst",
    "engagement", "engagement_ratio", "age_h", "future_dated", "n_other_publishers_ab", "disputed",
)  # fmt: skip

# What an item frame may lack when these functions are used alone.
_OPTIONAL: Mapping[str, Any] = {
    "publisher": pl.String(),
    "tier": TIER,
    "role": pl.String(),
    "copy_of": pl.String(),
    "is_denial": pl.Boolean(),
    "is_coordinated": pl.Boolean(),
    "published_at": INSTANT,
    "collected_at": INSTANT,
    "source": pl.String(),
    "item_type": ITEM_TYPE,
    **dict.fromkeys(METRICS, pl.Int64()),
}
_COUNTS = ("n_items", "n_outlets", "n_publishers", "n_publishers_ab", "n_unlisted", "n_adopters_ab")


def measure_spread(
    items: pl.LazyFrame, *, as_of: datetime, baselines: pl.DataFrame | None = None
) -> pl.LazyFrame:
    """Items with the facts of their story and their own age and engagement.

    Shape:  the same rows in the same order, plus ``SPREAD_COLUMNS``. Needs item_id and story_id;
            whatever else is missing counts as not known.
    Units:  ``*_h`` hours, velocity_h items per hour over the last 6 h.
    Nulls:  counts are 0 where nothing is known of the story; velocity_h is null where no item of it
            is dated, burst until it is a day old, engagement where no metric is known.
    """
    given = items.collect_schema().names()
    kept = items.drop([name for name in SPREAD_COLUMNS if name in given])
    # One node in the caller's plan: the joins below would repeat everything that leads up to them.
    return whole_frame(
        kept,
        partial(_measured, as_of=as_of, baselines=baselines),
        {name: SIGNAL[name] for name in SPREAD_COLUMNS},
    )


def _measured(items: pl.DataFrame, *, as_of: datetime, baselines: pl.DataFrame | None) -> pl.DataFrame:
    absent = [
        pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in _OPTIONAL.items()
        if name not in items.columns
    ]
    judged = _judge(items.lazy().with_columns(absent), as_of=as_of).collect(engine="in-memory").lazy()
    facts = _story_counts(judged, as_of=as_of)
    for more in (_last_joined(judged), story_bursts(judged.filter("_is_dated"), as_of=as_of)):
        facts = facts.join(more, on="story_id", how="left")
    joined = judged.join(facts, on="story_id", how="left", maintain_order="left")
    engaged = _with_engagement(joined, empty(BASELINE) if baselines is None else baselines)
    return (
        engaged.with_columns(
            *(pl.col(name).fill_null(0) for name in _COUNTS),
            pl.col("best_tier").fill_null(UNLISTED),
            pl.col("disputed").fill_null(value=False),
            n_other_publishers_ab=_others_ab(),
        )
        .select(*items.columns, *(pl.col(name).cast(SIGNAL[name]) for name in SPREAD_COLUMNS))
        .collect(engine="in-memory")
    )


def _judge(items: pl.LazyFrame, *, as_of: datetime) -> pl.LazyFrame:
    """Which items count for what, in helper columns."""
    has_claim = (~pl.col("is_denial").fill_null(value=False)).any().over("story_id") & pl.col(
        "story_id"
    ).is_not_null()
    future = (pl.col("published_at") > as_of + FUTURE_TOLERANCE).fill_null(value=False)
    age_h = (pl.lit(as_of) - pl.col("published_at")).dt.total_microseconds() / 3.6e9
    speaks_for_itself = pl.col("role").is_in(["own", "portal"]).fill_null(value=False)
    return (
        items.with_columns(
            _is_denial=pl.col("is_denial").fill_null(value=False),
            _tier=pl.col("tier").cast(TIER).fill_null(UNLISTED),
            future_dated=future,
            _is_dated=pl.col("published_at").is_not_null() & ~future,
            _is_outside=pl.col("publisher").is_not_null() & ~speaks_for_itself,
        )
        .with_columns(
            age_h=pl.when("_is_dated").then(age_h.clip(lower_bound=0.0)).round(4),
            # Where every item is a denial, the denial is the event: nothing is denied within it.
            _denies=pl.col("_is_denial") & has_claim,
            _is_ab=pl.col("_tier").is_in(["A", "B"]),
            _is_listed=pl.col("_tier") != "unlisted",
        )
        .with_columns(
            _is_original=pl.col("_is_outside")
            & pl.col("copy_of").is_null()
            & ~pl.col("is_coordinated").fill_null(value=False),
        )
        .with_columns(_confirms=pl.col("_is_original") & ~pl.col("_denies"))
    )


def _publishers(of: pl.Expr) -> pl.Expr:
    return pl.col("publisher").filter(of & pl.col("publisher").is_not_null()).n_unique()


def _story_counts(judged: pl.LazyFrame, *, as_of: datetime) -> pl.LazyFrame:
    confirms, is_ab, is_listed = pl.col("_confirms"), pl.col("_is_ab"), pl.col("_is_listed")
    is_copy = pl.col("copy_of").is_not_null()
    is_recent = pl.col("_is_dated") & (pl.col("published_at") > as_of - timedelta(hours=VELOCITY_WINDOW_H))
    # Clocks differ by minutes: an item dated just after the run counts as of now.
    velocity = is_recent.sum() / VELOCITY_WINDOW_H
    return judged.group_by("story_id").agg(
        n_items=pl.len(),
        n_outlets=_publishers(pl.lit(value=True)),
        n_publishers=_publishers(confirms & is_listed),
        n_publishers_ab=_publishers(confirms & is_ab),
        n_unlisted=_publishers(confirms & ~is_listed),
        n_adopters_ab=_publishers(
            is_copy & is_ab & pl.col("_is_outside") & ~pl.col("is_coordinated").fill_null(value=False)
        ),
        best_tier=pl.col("_tier").filter("_is_outside").min(),
        first_seen_at=pl.col("collected_at").min(),
        last_seen_at=pl.col("collected_at").max(),
        velocity_h=pl.when(pl.col("_is_dated").any()).then(velocity).round(4),
        disputed=(pl.col("_denies") & is_ab & pl.col("publisher").is_not_null()).any(),
    )


def _last_joined(judged: pl.LazyFrame) -> pl.LazyFrame:
    """When the newest independent listed publisher of each story joined it.

    A publisher joins with its first item of any kind; one undated item and that moment is unknown.
    An item without a publisher may have been anybody's first, so nobody joins after it.
    """
    dated = pl.col("published_at").filter("_is_dated")
    is_unknown = ~pl.col("_is_dated").all()
    voices = judged.group_by("story_id", "publisher").agg(
        _joined=pl.when(~is_unknown).then(dated.min()),
        _counts=(pl.col("_confirms") & pl.col("_is_listed")).any(),
    )
    nameless = voices.filter(pl.col("publisher").is_null()).select(
        "story_id", _until="_joined", _nameless=True
    )
    return (
        voices.filter("_counts")
        .join(nameless, on="story_id", how="left")
        .filter(pl.col("_nameless").is_null() | (pl.col("_joined") <= pl.col("_until")))
        .group_by("story_id")
        .agg(last_new_publisher_at=pl.col("_joined").max())
    )


def _others_ab() -> pl.Expr:
    """A or B publishers saying the same (or denying the same) as an item, its own left out."""
    counts = pl.col("_is_original") & pl.col("_is_ab")
    side = ["story_id", "_denies"]
    voices = pl.col("publisher").filter(counts).drop_nulls().n_unique().over(side).cast(pl.Int64)
    own = counts.any().over([*side, "publisher"])
    # An item that names no publisher may itself be one of them.
    mine = own | (pl.col("publisher").is_null() & (voices > 0))
    return pl.when(pl.col("story_id").is_not_null()).then(voices - mine.cast(pl.Int64)).otherwise(0)


def engagement_of() -> pl.Expr:
    """Reactions + 2 comments + 3 shares of an item; null where none of them is known."""
    parts = [pl.col("reactions"), 2 * pl.col("comments"), 3 * pl.col("shares")]
    known = pl.any_horizontal(part.is_not_null() for part in parts)
    return pl.when(known).then(pl.sum_horizontal(parts)).cast(pl.Float64)


def _with_engagement(items: pl.LazyFrame, baselines: pl.DataFrame) -> pl.LazyFrame:
    trusted = baselines.filter(pl.col("n_items") >= BASELINE_ITEMS).select(
        "source", _usual="median_engagement"
    )
    # Where a source is known by a handful of items, each would be measured against itself: what all
    # of its kind stir says more.
    known = pl.col("_engagement").is_not_null().sum().over("source")
    of_source = pl.when(known >= SOURCE_ITEMS).then(pl.col("_engagement").median().over("source"))
    usual = pl.coalesce("_usual", of_source, pl.col("_engagement").median().over("item_type"))
    return (
        items.with_columns(_engagement=engagement_of())
        .join(
            trusted.unique("source", keep="first", maintain_order=True).lazy(),
            on="source",
            how="left",
            maintain_order="left",
        )
        .with_columns(
            engagement=pl.col("_engagement"),
            engagement_ratio=(pl.col("_engagement") / pl.max_horizontal(usual, pl.lit(1.0))).round(4),
        )
    )


def spread(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Count who carries each story, how fast it grows, and how much each item stirs.

    Shape:  the same rows, plus ``SPREAD_COLUMNS``.
    Nulls:  an item without a publisher adds to n_items only; an undated one never to velocity_h.
    """
    return measure_spread(items, as_of=ctx.as_of, baselines=ctx.history.baselines)
