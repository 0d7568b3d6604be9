"""The five components, part by part, as whole points.

Each part is half_up(maximum x f) with f in 0..1. A null input gives the part 0 points; a component
stops at its own maximum, and what was cut off stands in the part ``cap``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime

import polars as pl

from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile, Topic
from brandkit.schemas import COMPONENTS, PARTS

TAKES = (
    "item_type", "url", "published_at", "views", "followers", "evidence", "tier", "audience", "entities",
    "entities_in_title", "pillars", "pillars_in_title", "triggers", "triggers_in_title", "excluded",
    "n_outlets", "n_other_publishers_ab", "n_unlisted", "n_adopters_ab", "copy_of", "best_tier",
    "last_new_publisher_at", "velocity_h", "engagement_ratio", "age_h", "future_dated",
)  # fmt: skip

# What a title hit and a hit elsewhere are worth of a part's maximum.
_TITLE, _ELSEWHERE = 1.0, 0.6
_AUTHORITY = {"A": 1.0, "B": 0.6, "C": 0.2}
_SOURCE = {"A": 1.0, "B": 4 / 6, "C": 2 / 6, "unlisted": 1 / 6}
_DEVELOPMENT_H = ((3.0, 1.0), (6.0, 0.6), (12.0, 0.2))
# Whole doublings of the usual engagement that fill the part: 2^6 = 64 times.
_DOUBLINGS = 6

Part = Mapping[str, pl.Expr]


def score(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Add ``parts`` (every part of every component) and ``base`` (the five sums, before modifiers).

    Shape:  the same rows, plus two struct columns of Int16.
    Nulls:  a missing fact is worth nothing; it is never read as zero of something good.
    """
    parts = score_parts(ctx.profile, as_of=ctx.as_of)
    flat = {f"_{c}_{name}": part for c, named in parts.items() for name, part in named.items()}
    capped = {f"_{c}_cap": _cap(c, ctx.profile) for c in COMPONENTS}
    # Exclusion takes back what the component came to, so it has to stand after the cap.
    taken_back = -pl.sum_horizontal(f"_relevance_{n}" for n in ("entities", "pillars", "triggers", "cap"))
    excluded = pl.when(pl.col("excluded")).then(taken_back).otherwise(pl.lit(0, pl.Int16))
    structs = {c: pl.struct(pl.col(f"_{c}_{name}").alias(name) for name in PARTS[c]) for c in COMPONENTS}
    sums = {c: pl.sum_horizontal(f"_{c}_{name}" for name in PARTS[c]).cast(pl.Int16) for c in COMPONENTS}
    helpers = [f"_{c}_{name}" for c in COMPONENTS for name in PARTS[c]]
    return (
        items.with_columns(**flat)
        .with_columns(**capped)
        .with_columns(_relevance_excluded=excluded.cast(pl.Int16))
        .with_columns(
            parts=pl.struct(structs[c].alias(c) for c in COMPONENTS),
            base=pl.struct(sums[c].alias(c) for c in COMPONENTS),
        )
        .drop(helpers)
    )


def score_parts(profile: BrandProfile, *, as_of: datetime) -> dict[str, Part]:
    """The catalogue: every part as an expression over the signals, in whole points (no caps yet)."""
    return {
        "impact": _impact(profile),
        "timeliness": _timeliness(profile, as_of),
        "virality": _virality(profile),
        "relevance": _relevance(profile),
        "confidence": _confidence(profile),
    }


def is_primary_document() -> pl.Expr:
    """True for a statement or filing whose publisher is itself trusted (tier A): it confirms itself."""
    is_document = pl.col("item_type").is_in(["statement", "filing"]) & (pl.col("tier") == "A")
    # Unknown is not primary: a null here would let a garbled item escape the single_source modifier.
    return is_document.fill_null(value=False)


def names_in(column: str, topics: Iterable[Topic]) -> pl.Expr:
    """True where one of the topics' names stands in the list column."""
    names = [topic.name for topic in topics]
    return pl.col(column).list.eval(pl.element().is_in(names)).list.any().fill_null(value=False)


def points(maximum: int, fraction: pl.Expr) -> pl.Expr:
    """half_up(maximum x fraction) as Int16; a null or NaN fraction is worth 0."""
    # Polars rounds half to even; the score's promise is half up.
    share = fraction.cast(pl.Float64).fill_nan(None).clip(0.0, 1.0).fill_null(0.0)
    return (share * maximum + 0.5).floor().cast(pl.Int16)


def signal(name: str) -> pl.Expr:
    """A float signal as the score sees it: rounded to 4 decimals, so that storage cannot move a point.

    Nulls:  NaN and infinity are no data either.
    """
    # Polars orders NaN above every number, so a bare comparison would pass it.
    return pl.when(pl.col(name).is_finite()).then(pl.col(name).round(4))


def _by(column: str, shares: Mapping[str, float]) -> pl.Expr:
    # when/then chains stream; replace() would buffer the whole scan.
    return pl.coalesce(pl.when(pl.col(column) == key).then(share) for key, share in shares.items())


def _log_share(value: pl.Expr, full: float) -> pl.Expr:
    return (value.cast(pl.Float64) + 1.0).log() / math.log(1.0 + full)


def _hit(title: pl.Expr, anywhere: pl.Expr) -> pl.Expr:
    return pl.when(title).then(_TITLE).when(anywhere).then(_ELSEWHERE)


def _has(column: str) -> pl.Expr:
    return (pl.col(column).list.len() > 0).fill_null(value=False)


def _impact(profile: BrandProfile) -> Part:
    weights, p = profile.weights.impact, profile.parameters
    reach = pl.max_horizontal("views", "followers", "audience")
    return {
        "breadth": points(weights.breadth, _log_share(pl.col("n_outlets"), p.breadth_outlets)),
        "authority": points(weights.authority, _by("best_tier", _AUTHORITY)),
        "reach": points(weights.reach, _log_share(reach, p.reach_people)),
        "consequence": points(weights.consequence, _hit(_has("triggers_in_title"), _has("triggers"))),
    }


def _timeliness(profile: BrandProfile, as_of: datetime) -> Part:
    weights, half_lives = profile.weights.timeliness, profile.parameters.half_life_h
    # An unknown kind ages like the fastest: a garbled item_type must not keep an item fresh.
    half_life = pl.coalesce(_by("item_type", half_lives), pl.lit(min(half_lives.values())))
    fresh = pl.when(~pl.col("future_dated")).then(0.5 ** (signal("age_h").clip(lower_bound=0.0) / half_life))
    since_h = (pl.lit(as_of) - pl.col("last_new_publisher_at")).dt.total_microseconds() / 3_600_000_000
    joined = pl.coalesce(pl.when(since_h <= hours).then(share) for hours, share in _DEVELOPMENT_H)
    return {
        "freshness": points(weights.freshness, fresh),
        "development": points(weights.development, joined),
    }


def _virality(profile: BrandProfile) -> Part:
    weights, half = profile.weights.virality, profile.parameters.momentum_half
    velocity = signal("velocity_h").clip(lower_bound=0.0)
    ratio = signal("engagement_ratio")
    return {
        "momentum": points(weights.momentum, velocity / (velocity + half)),
        "engagement": points(weights.engagement, (ratio + 1.0).log(2) / _DOUBLINGS),
    }


def _relevance(profile: BrandProfile) -> Part:
    weights = profile.weights.relevance
    others = (*profile.rivals, *profile.watched)
    # Twelfths of the part: own 12/7, others 6/3; a beat desk's watched names count as own.
    own, lesser = (profile.own, others) if profile.own else (profile.watched, profile.rivals)
    entities = pl.coalesce(
        pl.when(names_in("entities_in_title", own)).then(12 / 12),
        pl.when(names_in("entities", own)).then(7 / 12),
        pl.when(names_in("entities_in_title", lesser)).then(6 / 12),
        pl.when(names_in("entities", lesser)).then(3 / 12),
    )
    in_title = pl.col("pillars_in_title").list.len().cast(pl.Float64)
    elsewhere = pl.col("pillars").list.len().cast(pl.Float64) - in_title
    pillar_points = weights.beat_pillars if profile.is_beat_desk else weights.pillars
    return {
        "entities": points(weights.entities, entities),
        "pillars": points(pillar_points, in_title / 2 + elsewhere / 4),
        "triggers": points(weights.triggers, _hit(_has("triggers_in_title"), _has("triggers"))),
    }


def _confidence(profile: BrandProfile) -> Part:
    weights, p = profile.weights.confidence, profile.parameters
    # An item that is itself a copy in an A or B outlet must not count itself among the adopters.
    is_adopter = pl.col("copy_of").is_not_null() & pl.col("tier").is_in(["A", "B"])
    adopters = pl.col("n_adopters_ab") - is_adopter.cast(pl.Int64)
    confirmed = pl.sum_horizontal(
        pl.col("n_other_publishers_ab").clip(0, 2),
        (adopters >= p.adopters).cast(pl.Int64),
        (pl.col("n_unlisted") >= p.unlisted_publishers).cast(pl.Int64),
    )
    known = pl.col("url").is_not_null() & pl.col("published_at").is_not_null()
    return {
        "source": points(weights.source, _by("tier", _SOURCE)),
        "corroboration": points(weights.corroboration, confirmed / 2),
        "evidence": points(weights.evidence, (_has("evidence") | is_primary_document()).cast(pl.Float64)),
        "provenance": points(weights.provenance, known.cast(pl.Float64)),
    }


def _cap(component: str, profile: BrandProfile) -> pl.Expr:
    counted = [f"_{component}_{name}" for name in PARTS[component] if name not in ("cap", "excluded")]
    maximum = getattr(profile.weights, component).total
    return (pl.lit(maximum) - pl.sum_horizontal(counted).cast(pl.Int32)).clip(upper_bound=0).cast(pl.Int16)
