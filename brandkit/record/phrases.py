"""The words for numbers and codes: one phrase per part, gate, modifier, reason and lost field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import polars as pl

from brandkit.profile import BrandProfile
from brandkit.signals.risk import risk_phrases
from brandkit.signals.sentiment import TONE_CUT

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
# What speaks against an item, by the code that stands in misinfo_evidence.
AGAINST: Mapping[str, str] = {
    "no_ab_publisher": "no A or B publisher carries it",
    "hedging": "its words hedge",
    "sensational_form": "its form is sensational",
    "alarm_opening": "its title opens with an alarm",
    "shouting": "its title shouts",
    "capitalised_throughout": "its title has capitals no style book asks for",
    "long_title": "its title is unusually long",
    "exclaiming": "its title exclaims",
    "cheap_address": "it stands at an address anybody gets unasked",
    "disguised_publisher": "its publisher's name is a disguise",
    "disputed": "a trusted publisher disputes it",
    "unreliable_publisher": "its publisher is on the unreliable list",
    "risk_flag": "its source flags a risk",
}
# What an unreadable field may have hidden; any other may only have raised the score.
_MAY_HIDE: Mapping[str, str] = {
    "risk_flags": "a warning may have stood in it",
    "account": "accounts acting together cannot be seen without it",
    "target_url": "accounts sharing one link cannot be seen without it",
    "published_at": "without it the item counts as no share of its account",
    "title": "what was cut off was searched for nothing",
    "summary": "what was cut off was searched for nothing",
    "url": "an unreliable publisher cannot be known without it",
    "item_type": "it is taken for the kind that ages fastest",
}
_AUDIENCES = {"views": "views", "followers": "followers", "audience": "people in its publisher's audience"}


def spoken(code: str) -> str:
    """A code as words: ``must_cover`` is 'must cover'."""
    return code.replace("_", " ")


def moment(at: datetime) -> str:
    """An instant as one says it."""
    return f"{at.day} {at:%B} at {at:%H:%M} UTC"


def counted(n: int, one: str, many: str = "") -> str:
    """A number with its noun: '1 outlet', '2 outlets'."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def reason(decision: str, code: str, total: int) -> str:
    """The rule that spoke, as a sentence."""
    if code == "score":
        return f"Its {total} points carried it to {spoken(decision)}."
    return _REASONS[code]


def verdict(effective: str, decision: str) -> str:
    """What an editor made of it, beside what the score alone says."""
    return f"An editor's verdict makes it {spoken(effective)}; the score alone says {spoken(decision)}."


def lost(field: str) -> str:
    """What it means that a field was given and could not be used."""
    name = field.rpartition(":")[2]
    why = "its time has no zone" if field.startswith("naive_time:") else "given, but not usable"
    hidden = _MAY_HIDE.get(name)
    return f"{why}; {hidden}" if hidden else why


def tone(sentiment: float) -> str:
    """How a text sounds, and that no point comes of it.

    >>> tone(-0.5994)
    'tone: negative, -0.60 on a scale of -1 to 1 (not in the score)'
    """
    named = "neutral" if abs(sentiment) < TONE_CUT else "positive" if sentiment > 0 else "negative"
    number = f"{sentiment:+.2f}" if round(sentiment, 2) else "0"
    return f"tone: {named}, {number} on a scale of -1 to 1 (not in the score)"


def _said(title: Sequence[str] | None, anywhere: Sequence[str] | None, verb: str, none: str) -> str:
    """What the title says, and what only the summary does."""
    first = list(title or ())
    rest = [name for name in anywhere or () if name not in first]
    told = [f"the title {verb} {', '.join(first)}"] if first else []
    if rest:
        told.append(f"the summary {'also ' if first else ''}{verb} {', '.join(rest)}")
    return "; ".join(told) or none


def _reach(row: Row) -> str:
    known = {name: row[name] for name in _AUDIENCES if row[name] is not None}
    if not known:
        return NO_DATA
    name, best = max(known.items(), key=lambda pair: pair[1])
    return f"{best:,} {_AUDIENCES[name]}"


def _authority(row: Row) -> str:
    if row["best_tier"] in (None, "unlisted"):
        return "no publisher of its story is on a list"
    return f"the best publisher in its story is of tier {row['best_tier']}"


def _freshness(row: Row) -> str:
    if row["future_dated"]:
        return "it is dated in the future"
    if row["age_h"] is None:
        return NO_DATA
    kind = str(row["item_type"])
    article = "an" if kind[0] in "aeiou" else "a"
    return f"{article} {kind}, {row['age_h']:.1f} hours old"


def _joined(row: Row) -> str:
    at = row["last_new_publisher_at"]
    return NO_DATA if at is None else f"its newest independent publisher joined on {moment(at)}"


def _ratio(row: Row) -> str:
    ratio = row["engagement_ratio"]
    return NO_DATA if ratio is None else f"{ratio:.1f} times the usual for {row['source']}"


def _source(row: Row) -> str:
    if row["tier"] in (None, "unlisted"):
        return "its own publisher is on no list"
    return f"its own publisher is of tier {row['tier']}"


def _corroboration(row: Row) -> str:
    told = []
    if n := row["n_other_publishers_ab"]:
        told.append(counted(n, "other independent A or B publisher"))
    if n := row["n_adopters_ab"]:
        told.append(f"{counted(n, 'A or B publisher')} with a copy")
    if n := row["n_unlisted"]:
        told.append(counted(n, "unlisted publisher"))
    return f"told by {', '.join(told)}" if told else "nobody else tells it"


def _evidence(row: Row) -> str:
    if n := len(row["evidence"] or ()):
        return f"{counted(n, 'link')} given"
    is_primary = row["item_type"] in ("statement", "filing") and row["tier"] == "A"
    return "it is a primary document itself" if is_primary else "none given"


def _provenance(row: Row) -> str:
    missing = [name for name, of in (("address", "url"), ("date", "published_at")) if row[of] is None]
    if not missing:
        return "its address and date are known"
    return f"its {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} unknown"


_FACTS: Mapping[tuple[str, str], Callable[[Row], str]] = {
    ("impact", "breadth"): lambda r: (
        NO_DATA if r["n_outlets"] is None else f"carried by {counted(r['n_outlets'], 'outlet')}"
    ),
    ("impact", "authority"): _authority,
    ("impact", "reach"): _reach,
    ("impact", "consequence"): lambda r: _said(r["triggers_in_title"], r["triggers"], "says", "no trigger"),
    ("timeliness", "freshness"): _freshness,
    ("timeliness", "development"): _joined,
    ("virality", "momentum"): lambda r: (
        NO_DATA if r["velocity_h"] is None else f"{r['velocity_h']:.1f} items an hour"
    ),
    ("virality", "engagement"): _ratio,
    ("relevance", "entities"): lambda r: _said(r["entities_in_title"], r["entities"], "names", "no name"),
    ("relevance", "pillars"): lambda r: _said(r["pillars_in_title"], r["pillars"], "is on", "no pillar"),
    ("relevance", "triggers"): lambda r: _said(r["triggers_in_title"], r["triggers"], "says", "no trigger"),
    ("relevance", "excluded"): lambda _: "an exclusion of the profile stands in the title",
    ("confidence", "source"): _source,
    ("confidence", "corroboration"): _corroboration,
    ("confidence", "evidence"): _evidence,
    ("confidence", "provenance"): _provenance,
}


def fact(component: str, part: str, row: Row, maximum: int) -> str:
    """What was measured behind one part."""
    if part == "cap":
        return f"{component} stops at {maximum}"
    return _FACTS[component, part](row)


def modifier(name: str, row: Row, column: str) -> str:
    """What a modifier rests on, in one line."""
    if name == "single_source":
        n = row["n_publishers"] or 0
        return f"{'only 1' if n == 1 else 'no'} independent listed publisher tells it"
    if name == "brigading":
        share = row["coordinated_share"] or 0.0
        return f"{counted(row['n_coordinated'], 'account')} acting together made {share:.0%} of its shares"
    if name == "misinfo_risk":
        return f"{row['misinfo_risk']:.2f} of 1 speaks against believing it"
    found = row.get(column)
    return NO_DATA if found is None else str(found)


def evidence(column: str, row: Row) -> tuple[str, ...]:
    """What a modifier's evidence holds, one line each: pairs of accounts, or what speaks against it."""
    if column == "coordination":
        return tuple(pair(one) for one in row["coordination"] or ())
    if column == "misinfo_evidence":
        said = doubtful_words(row)
        return tuple(against(one, said=said) for one in row["misinfo_evidence"] or ())
    return ()


def pair(found: Mapping[str, Any]) -> str:
    """Two accounts that shared the same things close together."""
    objects = counted(found["n_objects"], "thing")
    gap = found["median_gap_s"]
    apart = "" if gap is None else f", {gap:.0f} s apart"
    return f"{found['account_a']} and {found['account_b']} shared the same {objects}{apart}"


def against(code: str, *, said: Mapping[str, Sequence[str]] = MappingProxyType({})) -> str:
    """A contribution to the risk, such as ``hedging:0.2``, in words; with the words that made it."""
    name, _, weight = code.partition(":")
    quoted = ", ".join(f"'{word}'" for word in said.get(name, ()))
    about = f"{AGAINST.get(name, spoken(name))}{f': {quoted}' if quoted else ''}"
    return f"{about}{f' ({weight})' if weight else ''}"


def doubtful_words(row: Row) -> dict[str, list[str]]:
    """The phrases in an item's own text that its risk rests on, by contribution."""
    text = {name: row.get(name) for name in ("title", "summary")}
    items = pl.LazyFrame([text], schema=dict.fromkeys(text, pl.String))
    found: dict[str, list[str]] = {}
    for phrase in risk_phrases(items).collect()["risk_phrases"].explode().drop_nulls():
        name, _, words = phrase.partition(": ")
        found.setdefault(name, []).append(words)
    return found


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
        "own_name_floor": "our own name in the title and an A publisher in the story",
        "watch": f"a total of {t.watch} or more",
        "trigger_watch": "tied, with a trigger in the title",
        "own_name_watch": "our own name in the title, and trusted, loud or under attack",
    }[name]
