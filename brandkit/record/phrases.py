"""The words for numbers and codes: one phrase per part, gate, modifier and reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from brandkit.profile import BrandProfile

Row = Mapping[str, Any]
NO_DATA = "no data"

_REASONS = {
    "score": "Its score carried it.",
    "always_cover": "It names something the profile always covers.",
    "own_name": "Our own name stands in its title.",
    "held_by_confidence": "It would have been promoted, but too little confirms it.",
    "not_tied": "It has no tie to what the profile covers.",
    "excluded": "An exclusion of the profile stands in its title.",
    "unverified": "Too little confirms it to act on it as news: do not amplify, but act.",
    "constraint": "A constraint of the profile forbids it.",
    "low_score": "It stayed below the bar for watching.",
}


def reason(decision: str, code: str, total: int) -> str:
    """The rule that spoke, as a sentence."""
    if code == "score":
        return f"Its {total} points carried it to {decision.replace('_', ' ')}."
    return _REASONS[code]


def _count(n: int, one: str) -> str:
    return f"{n:,} {one}{'' if n == 1 else 's'}"


def _listed(title: list[str] | None, anywhere: list[str] | None) -> str:
    if title:
        return f"in the title: {', '.join(title)}"
    return f"in the summary: {', '.join(anywhere)}" if anywhere else "none"


def _reach(row: Row) -> str:
    known = {name: row[name] for name in ("views", "followers", "audience") if row[name] is not None}
    if not known:
        return NO_DATA
    name, best = max(known.items(), key=lambda pair: pair[1])
    return f"{best:,} {name}"


def _freshness(row: Row) -> str:
    if row["future_dated"]:
        return "dated in the future"
    return NO_DATA if row["age_h"] is None else f"{row['item_type']}, {row['age_h']:.1f} h old"


def _joined(row: Row) -> str:
    at = row["last_new_publisher_at"]
    return NO_DATA if at is None else f"newest independent publisher at {at:%d %b %H:%M} UTC"


def _ratio(row: Row) -> str:
    ratio = row["engagement_ratio"]
    return NO_DATA if ratio is None else f"{ratio:.1f} times the usual for {row['source']}"


def _corroboration(row: Row) -> str:
    others = _count(row["n_other_publishers_ab"], "other independent A or B publisher")
    return f"{others}, {row['n_adopters_ab']} adopting a copy, {row['n_unlisted']} unlisted"


def _provenance(row: Row) -> str:
    missing = [name for name in ("url", "published_at") if row[name] is None]
    return f"unknown: {', '.join(missing)}" if missing else "address and date known"


_FACTS: Mapping[tuple[str, str], Callable[[Row], str]] = {
    ("impact", "breadth"): lambda r: _count(r["n_outlets"], "outlet"),
    ("impact", "authority"): lambda r: f"best tier in the story: {r['best_tier']}",
    ("impact", "reach"): _reach,
    ("impact", "consequence"): lambda r: _listed(r["triggers_in_title"], r["triggers"]),
    ("timeliness", "freshness"): _freshness,
    ("timeliness", "development"): _joined,
    ("virality", "momentum"): lambda r: (
        NO_DATA if r["velocity_h"] is None else f"{r['velocity_h']:.1f} items an hour"
    ),
    ("virality", "engagement"): _ratio,
    ("relevance", "entities"): lambda r: _listed(r["entities_in_title"], r["entities"]),
    ("relevance", "pillars"): lambda r: _listed(r["pillars_in_title"], r["pillars"]),
    ("relevance", "triggers"): lambda r: _listed(r["triggers_in_title"], r["triggers"]),
    ("relevance", "excluded"): lambda _: "an exclusion of the profile stands in the title",
    ("confidence", "source"): lambda r: f"its own tier: {r['tier']}",
    ("confidence", "corroboration"): _corroboration,
    ("confidence", "evidence"): lambda r: (
        _count(len(r["evidence"]), "link") if r["evidence"] else "none given"
    ),
    ("confidence", "provenance"): _provenance,
}


def fact(component: str, part: str, row: Row, maximum: int) -> str:
    """What was measured behind one part."""
    if part == "cap":
        return f"{component} stops at {maximum}"
    return _FACTS[component, part](row)


def evidence(modifier: str, row: Row, column: str) -> str:
    """What a modifier rests on."""
    if modifier == "single_source":
        return f"{_count(row['n_publishers'] or 0, 'independent listed publisher')} in the story"
    if modifier == "brigading":
        share = row["coordinated_share"] or 0.0
        return f"{_count(row['n_coordinated'], 'account')} acting together made {share:.0%} of its shares"
    if modifier == "misinfo_risk":
        return f"risk {row['misinfo_risk']:.2f}: {', '.join(row['misinfo_evidence']) or 'no detail'}"
    found = row.get(column)
    return NO_DATA if found is None else str(found)


def gate(name: str, profile: BrandProfile) -> str:
    """What a gate asks for, with the profile's own threshold in it."""
    t = profile.thresholds
    return {
        "constraint": "no constraint of the profile is broken",
        "verified": f"confidence of {t.verified} or more, else it is unverified",
        "not_excluded": "no exclusion in the title",
        "tied": f"{t.tied} points or more for names and pillars",
        "confidence": f"confidence of {t.confidence} or more, to be promoted",
        "must_cover": f"a total of {t.must_cover} or more",
        "always_cover": "an always-cover trigger in the title",
        "optional": f"a total of {t.optional} or more",
        "own_name_floor": "own name in the title and an A publisher in the story",
        "watch": f"a total of {t.watch} or more",
        "trigger_watch": "tied, with a trigger in the title",
        "own_name_watch": "own name in the title, and trusted, loud or under attack",
    }[name]
