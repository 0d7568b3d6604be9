"""The highest score a profile's own sources can give: the real stages, run on ideal rows.

A bar above what the listed publishers can ever reach is a mistake in the profile, and nobody would
see it in the records: they would only be empty of must-cover.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from brandkit import schemas
from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile
from brandkit.scoring import components, gates, modifiers

# Nothing of an ideal row depends on the day it is scored.
_AS_OF = datetime(2000, 1, 1, tzinfo=UTC)
# Full points at any weight: 1000/1001 of a maximum of 100 still rounds to 100.
_FAST = 1000.0
_USUAL_TIMES = 64.0
# A suffix such as .gov.uk stands for many publishers; no part counts further than this.
_MANY = 3
_SPEAKS_FOR_ITSELF = ("own", "portal")


@dataclass(frozen=True, slots=True)
class Reach:
    """The best an item can come to: the highest total, and whether it makes must_cover.

    ``scores``, ``margins`` and ``decision`` are those of the item with the highest ``total``; ``bar``
    is the profile's own must_cover; ``publishers`` counts the listed publishers by tier. ``ok`` is
    True when some item can be must_cover by its score, not only by an always-cover trigger.
    """

    total: int
    scores: Mapping[str, int]
    margins: Mapping[str, int]
    decision: str
    bar: int
    publishers: Mapping[str, int]
    ok: bool


def highest_total(profile: BrandProfile, publishers: pl.DataFrame) -> Reach:
    """The highest total that items of these publishers can reach, scored by the real stages.

    Every fact but the publishers is ideal: all names, pillars and triggers of the profile in the
    title, a moment old, loud, and carried by any number of outlets on no list.

    Args:
        profile: whose weights, parameters and thresholds count.
        publishers: domain, family, tier, role and audience, as ``publishers_for`` gives them. Public
            bodies that only a packaged suffix tiers are not in it: alone they make no news desk.
    """
    context = RunContext(profile=profile, as_of=_AS_OF, window_start=_AS_OF - timedelta(days=1))
    plan = ideal_items(profile, publishers).lazy()
    for stage in (components.score, modifiers.modify, gates.gate, gates.decide):
        plan = stage(plan, context)
    bar = profile.thresholds.must_cover
    in_reach = (pl.col("decision") == schemas.Decision.MUST_COVER.value) & (pl.col("total") >= bar)
    scored = plan.select("total", "scores", "gates", "decision", "item_id", in_reach=in_reach).collect()
    best = scored.sort(["total", "in_reach", "item_id"], descending=[True, True, False]).row(0, named=True)
    listed = publishers.filter(pl.col("tier").is_not_null()).group_by("tier").len().sort("tier")
    return Reach(
        total=best["total"],
        scores=best["scores"],
        margins=best["gates"],
        decision=str(best["decision"]),
        bar=bar,
        publishers={str(tier): n for tier, n in listed.rows()},
        ok=bool(scored["in_reach"].any()),
    )


def ideal_items(profile: BrandProfile, publishers: pl.DataFrame) -> pl.DataFrame:
    """One ideal item per listed publisher and kind (article, statement), and one of nobody's list."""
    voices = _voices(publishers)
    facts = _story_facts(voices)
    known = [topic.name for topic in (*profile.own, *profile.rivals, *profile.watched)]
    names = {
        "entities": known,
        "pillars": [topic.name for topic in profile.pillars],
        "triggers": [topic.name for topic in profile.triggers],
    }
    lists = {
        f"{name}{twin}": pl.lit(found, schemas.NAMES)
        for name, found in names.items()
        for twin in ("", "_in_title")
    }
    kinds = pl.DataFrame({"item_type": ["article", "statement"]}, schema={"item_type": schemas.ITEM_TYPE})
    p = profile.parameters
    return (
        voices.join(kinds, how="cross")
        .with_row_index("item_id")
        .with_columns(
            **facts,
            **lists,
            url=pl.lit("https://example.org/"),
            published_at=pl.lit(_AS_OF),
            views=pl.lit(int(p.reach_people)),
            followers=pl.lit(None, pl.Int64),
            audience=pl.lit(None, pl.Int64),
            evidence=pl.lit(["https://example.org/"], schemas.NAMES),
            forbidden=pl.lit([], schemas.NAMES),
            excluded=pl.lit(value=False),
            future_dated=pl.lit(value=False),
            copy_of=pl.lit(None, pl.String),
            n_outlets=pl.lit(p.breadth_outlets),
            n_unlisted=pl.lit(p.unlisted_publishers),
            velocity_h=pl.lit(_FAST * p.momentum_half),
            engagement_ratio=pl.lit(_USUAL_TIMES),
            age_h=pl.lit(0.0),
            coordinated_share=pl.lit(0.0),
            n_coordinated=pl.lit(0, pl.Int64),
            misinfo_risk=pl.lit(0.0),
        )
    )


def _voices(publishers: pl.DataFrame) -> pl.DataFrame:
    """The publishers an item may come from: tier, family, whether it confirms, for how many it stands."""
    listed = publishers.filter(pl.col("tier").is_not_null()).select(
        pl.col("tier").cast(schemas.TIER),
        family=pl.coalesce("family", "domain"),
        confirms=~pl.col("role").is_in(_SPEAKS_FOR_ITSELF).fill_null(value=False),
        n=pl.when(pl.col("domain").str.starts_with(".")).then(_MANY).otherwise(1).cast(pl.Int64),
    )
    nobody = pl.DataFrame(
        {"tier": ["unlisted"], "family": [None], "confirms": [False], "n": [0]},
        schema={"tier": schemas.TIER, "family": pl.String, "confirms": pl.Boolean, "n": pl.Int64},
    )
    return pl.concat([listed, nobody])


def _story_facts(voices: pl.DataFrame) -> dict[str, pl.Expr]:
    """What all listed publishers together make of a story, and who is left beside the item's own."""
    confirming = voices.filter("confirms")
    trusted = confirming.filter(pl.col("tier").is_in(["A", "B"]))
    counted = {
        "n_publishers": _families(confirming),
        "n_publishers_ab": _families(trusted),
    }
    is_one_of_them = pl.col("family").is_in(trusted["family"].implode()).fill_null(value=False) & (
        pl.col("n") < _MANY
    )
    others = pl.lit(counted["n_publishers_ab"]) - is_one_of_them.cast(pl.Int64)
    joined = pl.lit(_AS_OF if counted["n_publishers"] else None, schemas.INSTANT)
    return {
        **{name: pl.lit(n) for name, n in counted.items()},
        "n_other_publishers_ab": others,
        "n_adopters_ab": others,
        "best_tier": pl.lit(confirming["tier"].cast(schemas.TIER).min() or "unlisted", schemas.TIER),
        "last_new_publisher_at": joined,
    }


def _families(voices: pl.DataFrame) -> int:
    return int(voices.group_by("family").agg(pl.col("n").max())["n"].sum())
