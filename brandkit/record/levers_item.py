"""Levers on an item: its publisher's tier, its age, what is known of it, and what it stirs.

As for a story, each moves what must move with it: a publisher tiered A in the profile is an A
publisher of its story too, and after six hours with nothing new no item of a story is recent.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from brandkit import schemas
from brandkit.profile_levers import TIERS
from brandkit.record.levers_kinds import (
    NOTHING,
    WITHOUT_AB,
    Lever,
    Move,
    Setting,
    at_least,
    falls,
    has_ab,
    move,
    rises,
    risk_without,
    risk_without_ab,
    several,
    tier_place,
)
from brandkit.scoring.components import signal
from brandkit.signals.spread import VELOCITY_WINDOW_H

_SPEAKS_FOR_ITSELF = ("own", "portal")
_GIVEN = pl.lit(["given"], schemas.NAMES)
_AUDIENCES = ("views", "followers", "audience")
_PUBLISHED = pl.col("publisher").is_not_null()


# Its publisher


def _is_outside() -> pl.Expr:
    speaks_for_itself = pl.col("role").is_in(_SPEAKS_FOR_ITSELF).fill_null(value=False)
    return pl.col("publisher").is_not_null() & ~speaks_for_itself


def _counts() -> tuple[pl.Expr, pl.Expr]:
    """Whether its publisher confirms the story, and whether it is one that copies it."""
    is_free = _is_outside() & ~pl.col("is_coordinated").fill_null(value=False)
    is_copy = pl.col("copy_of").is_not_null()
    return is_free & ~is_copy & ~pl.col("is_denial").fill_null(value=False), is_free & is_copy


def _tiered(tier: str) -> pl.Expr:
    how = "on no list" if tier == "unlisted" else f"tiered {tier}"
    return pl.format(f"its publisher {{}} {how} in the profile", "publisher")


def _tier_sets(tier: str) -> dict[str, pl.Expr]:
    """The item's own publisher in another tier, and the counts that follow from it."""
    confirms, copies = _counts()
    was_listed, was_ab = pl.col("tier").is_in(["A", "B", "C"]), pl.col("tier").is_in(["A", "B"])
    listed = pl.lit(int(tier != "unlisted")) - was_listed.fill_null(value=False).cast(pl.Int64)
    trusted = pl.lit(int(tier in ("A", "B"))) - was_ab.fill_null(value=False).cast(pl.Int64)
    moved = {
        "n_publishers": (confirms, listed),
        "n_publishers_ab": (confirms, trusted),
        "n_unlisted": (confirms, -listed),
        "n_adopters_ab": (copies, trusted),
    }
    return {
        "tier": pl.lit(tier),
        **{
            name: pl.when(counts & (by != 0))
            .then((pl.col(name).fill_null(0) + by).clip(lower_bound=0))
            .otherwise(pl.col(name))
            for name, (counts, by) in moved.items()
        },
    }


def _better_tier(setting: Setting) -> Iterator[Move]:
    def at(tier: str) -> tuple[pl.Expr, dict[str, pl.Expr]]:
        sets = _tier_sets(tier)
        sets["best_tier"] = pl.when(_is_outside()).then(at_least(tier)).otherwise(pl.col("best_tier"))
        if tier in ("A", "B"):
            gained = has_ab(published=sets["n_publishers_ab"], adopted=sets["n_adopters_ab"]) & ~has_ab()
            sets |= _trusted_risk(gained)
        return _tiered(tier), sets

    yield from rises(tier_place("tier"), setting.grids.tier, at, place=TIERS.index, when=_PUBLISHED)


def _trusted_risk(gained: pl.Expr) -> dict[str, pl.Expr]:
    # A trusted newsroom's hedging is attribution, whether or not it confirms anything here.
    both, hedging = risk_without((*WITHOUT_AB, "hedging")), risk_without(("hedging",))
    return {name: pl.when(gained).then(both[name]).otherwise(hedging[name]) for name in both}


def _worse_tier(setting: Setting) -> Iterator[Move]:
    def at(tier: str) -> tuple[pl.Expr, dict[str, pl.Expr]]:
        sets = _tier_sets(tier)
        published, adopted = sets["n_publishers"].fill_null(1) > 0, sets["n_adopters_ab"]
        # As long as another A or B publisher is there, the best tier may be its; then any listed one's.
        alone = (pl.col("n_other_publishers_ab") == 0) & (adopted == 0) & _is_outside()
        left = pl.when(published).then(pl.lit("C")).otherwise(pl.lit("unlisted")).cast(schemas.TIER)
        best = left if tier == "unlisted" else pl.lit(tier, schemas.TIER)
        lost = has_ab() & ~has_ab(published=sets["n_publishers_ab"], adopted=adopted)
        return _tiered(tier), {
            **sets,
            "best_tier": pl.when(alone).then(best).otherwise(pl.col("best_tier")),
            "last_new_publisher_at": pl.when(published).then(pl.col("last_new_publisher_at")),
            **risk_without_ab(when=lost),
        }

    yield from falls(tier_place("tier"), setting.grids.tier, at, place=TIERS.index, when=_PUBLISHED)


# Its age, and what is known of it


def _dated(setting: Setting) -> Iterator[Move]:
    grid = setting.grids.age
    # An item that is dated cannot grow younger; one that is not may turn out as young as any.
    undated = signal("age_h").is_null() | pl.col("future_dated").ne_missing(pl.lit(value=False))
    for place, hours in enumerate(reversed(grid), start=1):
        sets = {
            "age_h": pl.lit(hours),
            "published_at": pl.lit(setting.as_of - timedelta(hours=hours)),
            "future_dated": pl.lit(value=False),
        }
        words = f"a known date, {several(hours, 'hour', 'hours')} ago"
        yield move(words, sets, when=undated, steps=place)


def _older(setting: Setting) -> Iterator[Move]:
    is_aging = signal("age_h").is_not_null() & ~pl.col("future_dated").fill_null(value=True)
    for place, hours in enumerate(setting.grids.age, start=1):
        # By the end of the window in which items are counted, none of them is recent.
        is_over = hours >= VELOCITY_WINDOW_H
        velocity = pl.when(pl.col("velocity_h").is_not_null()).then(0.0) if is_over else pl.col("velocity_h")
        sets = {
            "age_h": pl.col("age_h") + hours,
            # The clock of a record stands still: what is measured from it moves back instead.
            "last_new_publisher_at": pl.col("last_new_publisher_at") - timedelta(hours=hours),
            "velocity_h": velocity,
        }
        words = f"{several(hours, 'hour', 'hours')} with nothing new"
        when = is_aging | pl.col("last_new_publisher_at").is_not_null()
        yield move(words, sets, when=when, steps=place)


def _evidenced(setting: Setting) -> Iterator[Move]:
    given = pl.col("evidence")
    for _ in setting.grids.evidence:
        lacks = (given.list.len() == 0).fill_null(value=True)
        yield move("evidence given for it", {"evidence": _GIVEN}, when=lacks, known=given.is_not_null())


def _unevidenced(setting: Setting) -> Iterator[Move]:
    for _ in setting.grids.evidence:
        there = pl.col("evidence").list.len() > 0
        yield move("without its evidence", {"evidence": NOTHING}, when=there)


def _known(setting: Setting) -> Iterator[Move]:
    no_url, no_date = pl.col("url").is_null(), pl.col("published_at").is_null()
    words = (
        pl.when(no_url & no_date)
        .then(pl.lit("a known address and date"))
        .when(no_url)
        .then(pl.lit("a known address"))
        .otherwise(pl.lit("a known date"))
    )
    for _ in setting.grids.provenance:
        # However long ago that is: a date of some age is the lever 'age'.
        sets = {
            "url": pl.coalesce("url", pl.lit("given")),
            "published_at": pl.coalesce("published_at", "collected_at"),
        }
        yield move(words, sets, when=no_url | no_date)


def _unknown(setting: Setting) -> Iterator[Move]:
    for _ in setting.grids.provenance:
        there = pl.col("url").is_not_null() & pl.col("published_at").is_not_null()
        yield move("without its address", {"url": pl.lit(None, pl.String)}, when=there)


# What it stirs


def _engagement(ratio: float) -> str:
    return "the usual engagement" if ratio == 1 else f"{ratio:g} times the usual engagement"


def _louder(setting: Setting) -> Iterator[Move]:
    def at(ratio: float) -> tuple[str, dict[str, pl.Expr]]:
        return _engagement(ratio), {"engagement_ratio": pl.lit(ratio)}

    yield from rises(signal("engagement_ratio"), setting.grids.engagement_ratio, at)


def _quieter(setting: Setting) -> Iterator[Move]:
    def at(ratio: float) -> tuple[str, dict[str, pl.Expr]]:
        words = f"only {_engagement(ratio)}" if ratio else "no engagement"
        return words, {"engagement_ratio": pl.lit(ratio)}

    yield from falls(signal("engagement_ratio"), setting.grids.engagement_ratio, at)


def _wider(setting: Setting) -> Iterator[Move]:
    def at(people: int) -> tuple[str, dict[str, pl.Expr]]:
        return f"{people:,} views", {"views": pl.lit(people)}

    yield from rises(pl.max_horizontal(*_AUDIENCES), setting.grids.reach, at)


def _narrower(setting: Setting) -> Iterator[Move]:
    def at(people: int) -> tuple[str, dict[str, pl.Expr]]:
        sets = {name: pl.col(name).clip(upper_bound=people) for name in _AUDIENCES}
        return f"a reach of only {people:,}", sets

    yield from falls(pl.max_horizontal(*_AUDIENCES), setting.grids.reach, at)


ITEM = (
    Lever("age", _dated, _older),
    Lever("engagement_ratio", _louder, _quieter),
    Lever("evidence", _evidenced, _unevidenced),
    Lever("provenance", _known, _unknown),
    Lever("reach", _wider, _narrower),
    Lever("tier", _better_tier, _worse_tier),
)
