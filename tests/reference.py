"""The score of one item in plain Python, written from the design and not from the package.

Slow and obvious on purpose: tests hold the vectorised score to it, and the benchmark measures
against it. ``judge`` takes a row of signals as a dict; None and a number that is not finite mean
"no data".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from brandkit.profile import BrandProfile

Row = Mapping[str, Any]
Points = dict[str, int]

AUTHORITY = {"A": 5, "B": 3, "C": 1}
SOURCE = {"A": 6, "B": 4, "C": 2, "unlisted": 1}
FLAGS = ("constraint", "not_excluded", "always_cover", "own_name_floor", "trigger_watch", "own_name_watch")


@dataclass(frozen=True, slots=True)
class Judgement:
    """All that scoring says of one item."""

    parts: dict[str, Points]
    base: Points
    modifiers: list[tuple[str, str, int]]
    scores: Points
    total: int
    gates: Points
    decision: str
    reason: str


def judge(row: Row, profile: BrandProfile, as_of: datetime) -> Judgement:
    """The whole way from signals to a decision."""
    parts = {
        "impact": impact(row, profile),
        "timeliness": timeliness(row, profile, as_of),
        "virality": virality(row, profile),
        "relevance": relevance(row, profile),
        "confidence": confidence(row, profile),
    }
    base = {component: sum(points.values()) for component, points in parts.items()}
    taken, scores = modified(row, base, profile)
    total = sum(scores.values())
    gates = margins(row, parts, base, taken, scores, profile)
    decision, reason = decided({gate: margin >= 0 for gate, margin in gates.items()})
    return Judgement(parts, base, taken, scores, total, gates, decision, reason)


def number(value: float | None) -> float | None:
    """A float signal as the score takes it: 4 decimals, nothing that is not a number."""
    return None if value is None or not math.isfinite(value) else round(value, 4)


def share_of(maximum: int, share: float | None) -> int:
    """half_up(maximum x share), the share held to 0..1; no data is 0 points."""
    return 0 if share is None or math.isnan(share) else math.floor(maximum * min(1.0, max(0.0, share)) + 0.5)


def log_share(value: int | None, full: float) -> float | None:
    if value is None or value <= 0:
        return None
    return math.log(1 + value) / math.log(1 + full)


def with_cap(parts: Points, maximum: int) -> Points:
    return {**parts, "cap": min(0, maximum - sum(parts.values()))}


def listed(row: Row, column: str) -> list[str]:
    return row[column] or []


def is_primary(row: Row) -> bool:
    return row["item_type"] in ("statement", "filing") and row["tier"] == "A"


def impact(row: Row, profile: BrandProfile) -> Points:
    w, p = profile.weights.impact, profile.parameters
    reach = max((n for n in (row["views"], row["followers"], row["audience"]) if n is not None), default=None)
    trigger = 5 if listed(row, "triggers_in_title") else 3 if listed(row, "triggers") else 0
    return with_cap(
        {
            "breadth": share_of(w.breadth, log_share(row["n_outlets"], p.breadth_outlets)),
            "authority": share_of(w.authority, AUTHORITY.get(row["best_tier"], 0) / 5),
            "reach": share_of(w.reach, log_share(reach, p.reach_people)),
            "consequence": share_of(w.consequence, trigger / 5),
        },
        w.total,
    )


def timeliness(row: Row, profile: BrandProfile, as_of: datetime) -> Points:
    w, half_lives = profile.weights.timeliness, profile.parameters.half_life_h
    half_life = half_lives.get(row["item_type"], min(half_lives.values()))
    age = number(row["age_h"])
    fresh = None
    if age is not None and row["future_dated"] is False:
        fresh = 0.5 ** (max(0.0, age) / half_life)
    development = 0
    if row["last_new_publisher_at"] is not None:
        hours = (as_of - row["last_new_publisher_at"]).total_seconds() / 3600
        development = 5 if hours <= 3 else 3 if hours <= 6 else 1 if hours <= 12 else 0
    return with_cap(
        {"freshness": share_of(w.freshness, fresh), "development": share_of(w.development, development / 5)},
        w.total,
    )


def virality(row: Row, profile: BrandProfile) -> Points:
    w = profile.weights.virality
    momentum = engagement = 0.0
    velocity, ratio = number(row["velocity_h"]), number(row["engagement_ratio"])
    if velocity is not None and velocity > 0:
        momentum = velocity / (velocity + profile.parameters.momentum_half)
    if ratio is not None and ratio > 0:
        engagement = math.log2(1 + ratio) / 6
    return with_cap(
        {"momentum": share_of(w.momentum, momentum), "engagement": share_of(w.engagement, engagement)},
        w.total,
    )


def relevance(row: Row, profile: BrandProfile) -> Points:
    w = profile.weights.relevance
    full = {topic.name for topic in profile.own or profile.watched}
    half = {topic.name for topic in (*profile.rivals, *profile.watched)} - full
    title, anywhere = set(listed(row, "entities_in_title")), set(listed(row, "entities"))
    entities = (
        12 if title & full else 7 if anywhere & full else 6 if title & half else 3 if anywhere & half else 0
    )
    pillars = 0
    if row["pillars"] is not None and row["pillars_in_title"] is not None:
        n_title = len(row["pillars_in_title"])
        pillars = 4 * n_title + 2 * (len(row["pillars"]) - n_title)
    trigger = 5 if listed(row, "triggers_in_title") else 3 if listed(row, "triggers") else 0
    found = with_cap(
        {
            "entities": share_of(w.entities, entities / 12),
            "pillars": share_of(w.pillars if profile.own else w.beat_pillars, pillars / 8),
            "triggers": share_of(w.triggers, trigger / 5),
        },
        w.total,
    )
    return {**found, "excluded": -sum(found.values()) if row["excluded"] else 0}


def confidence(row: Row, profile: BrandProfile) -> Points:
    w, p = profile.weights.confidence, profile.parameters
    confirmed = min(2, max(0, row["n_other_publishers_ab"] or 0))
    adopters = row["n_adopters_ab"]
    is_copy, tier = row["copy_of"] is not None, row["tier"]
    # A copy may be one of the adopters itself, which "other" leaves out; of no known tier, who can say?
    if adopters is not None and not (is_copy and tier is None):
        confirmed += adopters - (is_copy and tier in ("A", "B")) >= p.adopters
    confirmed += row["n_unlisted"] is not None and row["n_unlisted"] >= p.unlisted_publishers
    evidence = bool(listed(row, "evidence")) or is_primary(row)
    provenance = row["url"] is not None and row["published_at"] is not None
    return with_cap(
        {
            "source": share_of(w.source, SOURCE.get(row["tier"], 0) / 6),
            "corroboration": share_of(w.corroboration, confirmed / 2),
            "evidence": share_of(w.evidence, float(evidence)),
            "provenance": share_of(w.provenance, float(provenance)),
        },
        w.total,
    )


def modified(row: Row, base: Points, profile: BrandProfile) -> tuple[list[tuple[str, str, int]], Points]:
    """The modifiers that applied, with the points really taken, and what they left."""
    p, scores, taken = profile.parameters, dict(base), []

    def take(name: str, component: str, points: int) -> None:
        taken.append((name, component, -min(points, scores[component])))
        scores[component] += taken[-1][2]

    if (row["n_publishers"] or 0) <= 1 and not is_primary(row):
        weak = scores["confidence"] <= 5
        take("single_source", "confidence", 1)
        take("single_source", "virality", 4 if weak else 2)
    share, accounts = number(row["coordinated_share"]), row["n_coordinated"]
    if (
        share is not None
        and accounts is not None
        and share >= p.brigading_share
        and accounts >= p.brigading_accounts
    ):
        take("brigading", "virality", 10)
    risk = number(row["misinfo_risk"])
    if risk is not None and risk >= p.misinfo_risk:
        take("misinfo_risk", "confidence", 3)
    return taken, scores


def margins(
    row: Row,
    parts: dict[str, Points],
    base: Points,
    taken: list[tuple[str, str, int]],
    scores: Points,
    profile: BrandProfile,
) -> Points:
    t, total = profile.thresholds, sum(scores.values())
    excluded = row["excluded"] is not False
    tie = parts["relevance"]["entities"] + parts["relevance"]["pillars"] - t.tied
    trigger = bool(listed(row, "triggers_in_title"))
    own_in_title = bool({topic.name for topic in profile.own} & set(listed(row, "entities_in_title")))
    abused = any(name in ("brigading", "misinfo_risk") for name, _, _ in taken)
    seen = row["best_tier"] in ("A", "B") or base["virality"] >= t.watch_virality or abused
    flags = {
        "constraint": row["forbidden"] == [],
        "not_excluded": not excluded,
        "always_cover": trigger,
        "own_name_floor": own_in_title and row["best_tier"] == "A" and t.own_name_floor == "optional",
        "trigger_watch": trigger and not excluded and tie >= 0,
        "own_name_watch": own_in_title and seen and t.own_name_floor != "off",
    }
    return {
        **{name: 0 if flags[name] else -1 for name in FLAGS},
        "verified": scores["confidence"] - t.verified,
        "tied": min(tie, -1) if excluded else tie,
        "confidence": scores["confidence"] - t.confidence,
        "must_cover": total - t.must_cover,
        "optional": total - t.optional,
        "watch": total - t.watch,
    }


def decided(passes: Mapping[str, bool]) -> tuple[str, str]:
    """The highest rung whose gates pass, and the rule that spoke."""
    if not passes["constraint"]:
        return "block", "constraint"
    fit = passes["tied"] and passes["confidence"]
    near_promotion = any(
        passes[gate] for gate in ("must_cover", "always_cover", "optional", "own_name_floor")
    )
    rung, reason = "drop", "low_score"
    if fit and (passes["must_cover"] or passes["always_cover"]):
        rung, reason = "must_cover", "score" if passes["must_cover"] else "always_cover"
    elif fit and (passes["optional"] or passes["own_name_floor"]):
        rung, reason = "optional", "score" if passes["optional"] else "own_name"
    elif passes["not_excluded"] and any(
        passes[gate] for gate in ("watch", "trigger_watch", "own_name_watch")
    ):
        rung = "watch"
        if near_promotion:
            reason = "held_by_confidence" if passes["tied"] else "not_tied"
        else:
            reason = "score" if passes["watch"] else "always_cover" if passes["trigger_watch"] else "own_name"
    elif not passes["not_excluded"]:
        reason = "excluded"
    elif not passes["tied"]:
        reason = "not_tied"
    return ("block", "unverified") if rung != "drop" and not passes["verified"] else (rung, reason)
