"""What a brand covers, must never miss, never does and trusts: one frozen, validated object.

A profile is one TOML file. It holds the weights and thresholds of the score too, so that a run
that froze its profile can be explained and recomputed years later. Unknown keys are refused.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from brandkit.errors import ProfileError, near_name
from brandkit.profile_alerts import AlertPolicy
from brandkit.profile_errors import Unfit, explain_validation
from brandkit.profile_levers import LeverGrids
from brandkit.profile_lists import with_lists

Tier = Literal["A", "B", "C"]
Role = Literal["outlet", "wire", "portal", "official", "own"]
ITEM_TYPES = ("article", "post", "video", "statement", "filing", "review", "other")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)


def _term(value: object) -> object:
    return {"phrase": value} if isinstance(value, str) else value


class Term(_Frozen):
    """One phrase to look for, with what must or must not stand in the same item.

    In TOML a plain string, or ``{phrase = "apple", near = ["iphone"], not = ["orchard"]}``.
    """

    phrase: Annotated[str, Field(min_length=1, max_length=200)]
    near: tuple[str, ...] = ()
    never: Annotated[tuple[str, ...], Field(alias="not")] = ()

    model_config = ConfigDict(populate_by_name=True)


Terms = Annotated[tuple[Annotated[Term, BeforeValidator(_term)], ...], Field(min_length=1)]


class Topic(_Frozen):
    """A named thing to look for (a name, a pillar, a trigger) and the terms that mean it."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    terms: Terms

    @model_validator(mode="before")
    @classmethod
    def _name_is_a_term(cls, value: Any) -> Any:
        # 'name = "Nordlys"' alone is the common case; the name then stands for itself.
        if isinstance(value, str):
            return {"name": value, "terms": [value]}
        if isinstance(value, Mapping) and "terms" not in value and "name" in value:
            return {**value, "terms": [value["name"]]}
        return value


def _phrase(value: str) -> str:
    if len(value.split()) < 2:
        raise Unfit(f"'{value}' is one bare word", allowed="a forbidden phrase has two words or more")
    return value


class Forbidden(_Frozen):
    """What blocks an item whatever its score: phrases of two words or more, and risk flags."""

    phrases: tuple[Annotated[str, AfterValidator(_phrase)], ...] = ()
    risk_flags: tuple[str, ...] = ()


class Exclusions(_Frozen):
    """What is not ours although our names or pillars stand in it (horoscopes, match reports)."""

    terms: tuple[Annotated[Term, BeforeValidator(_term)], ...] = ()


class ImpactWeights(_Frozen):
    """Maxima of the impact parts."""

    total: Annotated[int, Field(ge=0, le=100)] = 25
    breadth: Annotated[int, Field(ge=0, le=100)] = 10
    authority: Annotated[int, Field(ge=0, le=100)] = 5
    reach: Annotated[int, Field(ge=0, le=100)] = 5
    consequence: Annotated[int, Field(ge=0, le=100)] = 5


class TimelinessWeights(_Frozen):
    """Maxima of the timeliness parts."""

    total: Annotated[int, Field(ge=0, le=100)] = 20
    freshness: Annotated[int, Field(ge=0, le=100)] = 15
    development: Annotated[int, Field(ge=0, le=100)] = 5


class ViralityWeights(_Frozen):
    """Maxima of the virality parts."""

    total: Annotated[int, Field(ge=0, le=100)] = 20
    momentum: Annotated[int, Field(ge=0, le=100)] = 10
    engagement: Annotated[int, Field(ge=0, le=100)] = 10


class RelevanceWeights(_Frozen):
    """Maxima of the relevance parts; ``beat_pillars`` replaces ``pillars`` where there are no own names."""

    total: Annotated[int, Field(ge=0, le=100)] = 25
    entities: Annotated[int, Field(ge=0, le=100)] = 12
    pillars: Annotated[int, Field(ge=0, le=100)] = 8
    triggers: Annotated[int, Field(ge=0, le=100)] = 5
    beat_pillars: Annotated[int, Field(ge=0, le=100)] = 20


class ConfidenceWeights(_Frozen):
    """Maxima of the confidence parts."""

    total: Annotated[int, Field(ge=0, le=100)] = 10
    source: Annotated[int, Field(ge=0, le=100)] = 6
    corroboration: Annotated[int, Field(ge=0, le=100)] = 2
    evidence: Annotated[int, Field(ge=0, le=100)] = 1
    provenance: Annotated[int, Field(ge=0, le=100)] = 1


class ScoreWeights(_Frozen):
    """Points: the maximum of each part and component. The components sum to 100."""

    impact: ImpactWeights = ImpactWeights()
    timeliness: TimelinessWeights = TimelinessWeights()
    virality: ViralityWeights = ViralityWeights()
    relevance: RelevanceWeights = RelevanceWeights()
    confidence: ConfidenceWeights = ConfidenceWeights()

    @model_validator(mode="after")
    def _sums_to_100(self) -> Self:
        parts = (self.impact, self.timeliness, self.virality, self.relevance, self.confidence)
        if (sum_ := sum(part.total for part in parts)) != 100:
            raise ValueError(f"the five component totals sum to {sum_}; they must sum to 100")
        return self


_HALF_LIFE_H: Mapping[str, float] = {
    "article": 24.0, "video": 24.0, "review": 24.0, "post": 12.0, "statement": 72.0, "filing": 72.0,
}  # fmt: skip


def _half_lives(value: dict[str, float]) -> dict[str, float]:
    for kind, hours in value.items():
        if kind not in ITEM_TYPES:
            known = f"known: {', '.join(ITEM_TYPES)}"
            raise Unfit(f"unknown item type '{kind}'", allowed=known, hint=near_name(kind, ITEM_TYPES))
        if hours <= 0:
            raise Unfit(f"half-life of '{kind}' is {hours} h", allowed="must be above 0")
    # One kind said is not the others unsaid.
    return {**_HALF_LIFE_H, **value}


class ScoreParameters(_Frozen):
    """The numbers inside the parts and modifiers (DESIGN: the score).

    Units: ``*_h`` hours, ``reach_people`` people, ``momentum_half`` items per hour, shares 0..1.
    """

    breadth_outlets: Annotated[int, Field(ge=1)] = 20
    reach_people: Annotated[float, Field(ge=1)] = 5_000_000
    half_life_h: Annotated[dict[str, float], AfterValidator(_half_lives)] = dict(_HALF_LIFE_H)
    momentum_half: Annotated[float, Field(gt=0)] = 2.0
    adopters: Annotated[int, Field(ge=1)] = 3
    unlisted_publishers: Annotated[int, Field(ge=1)] = 3
    brigading_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    brigading_accounts: Annotated[int, Field(ge=1)] = 3
    misinfo_risk: Annotated[float, Field(ge=0, le=1)] = 0.6


class GateThresholds(_Frozen):
    """Where the rungs stand. Totals in points of 100, ``confidence`` and ``verified`` in points of 10.

    ``own_name_floor`` says how far an own name in the title lifts a story by itself: to
    ``optional``, only to ``watch``, or not at all (``off``: a brand whose name is a common word).
    """

    must_cover: Annotated[int, Field(ge=0, le=100)] = 75
    optional: Annotated[int, Field(ge=0, le=100)] = 60
    watch: Annotated[int, Field(ge=0, le=100)] = 45
    confidence: Annotated[int, Field(ge=0, le=10)] = 6
    verified: Annotated[int, Field(ge=0, le=10)] = 3
    tied: Annotated[int, Field(ge=0, le=25)] = 4
    watch_virality: Annotated[int, Field(ge=0, le=20)] = 8
    own_name_floor: Literal["optional", "watch", "off"] = "optional"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for low, high in (("watch", "optional"), ("optional", "must_cover"), ("verified", "confidence")):
            if getattr(self, low) >= getattr(self, high):
                raise Unfit(
                    f"{low} = {getattr(self, low)} stands at or above {high} = {getattr(self, high)}",
                    allowed=f"{low} must be below {high}",
                )
        return self


def _domains(value: dict[str, Any]) -> dict[str, Any]:
    return {domain.lower().rstrip("."): rest for domain, rest in value.items()}


class SourcePolicy(_Frozen):
    """Whom this brand trusts: tiers, families, roles and audiences by registrable domain.

    A post's publisher is written ``platform:account``. ``lists`` names CSV files beside the
    profile (domain, family, tier, role, audience); they are read when the profile is loaded, so
    that the frozen profile needs no other file. ``use_defaults`` puts brandkit's own publisher
    list underneath; what stands here wins over both.
    """

    use_defaults: bool = True
    lists: tuple[str, ...] = ()
    tiers: Annotated[dict[str, Tier], AfterValidator(_domains)] = {}
    families: Annotated[dict[str, str], AfterValidator(_domains)] = {}
    roles: Annotated[dict[str, Role], AfterValidator(_domains)] = {}
    audiences: Annotated[dict[str, Annotated[int, Field(ge=0)]], AfterValidator(_domains)] = {}
    own_domains: tuple[str, ...] = ()
    unreliable: tuple[str, ...] = ()


@cache
def _zones() -> tuple[str, ...]:
    # Every call of available_timezones walks the disk.
    return tuple(sorted(available_timezones()))


def _time_zone(value: str) -> str:
    if value not in _zones():
        hint = near_name(value, _zones())
        raise Unfit(f"unknown time zone '{value}'", allowed="an IANA name such as 'Europe/Paris'", hint=hint)
    return value


def _clock(value: object) -> object:
    if isinstance(value, time):
        value = value.isoformat()
    # A bare number would be read as seconds after midnight, and a zone would be dropped.
    if not isinstance(value, str) or not re.fullmatch(r"\d\d:\d\d(:\d\d)?", value):
        raise Unfit(f"day_starts is {value!r}", allowed="a local time such as '06:00'")
    return value


class BrandProfile(_Frozen):
    """What a brand covers, must never miss, never does, and trusts. Frozen and validated.

    Raises: ProfileError from the ``from_*`` constructors, naming the file, the table and the key.

    >>> desk = BrandProfile.from_dict({"id": "desk", "own": ["Nordlys"]})
    >>> desk.own[0].terms[0].phrase, len(desk.hash)
    ('Nordlys', 64)
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    title: str = ""
    timezone: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    day_starts: Annotated[time, BeforeValidator(_clock)] = time(0, 0)
    own: tuple[Topic, ...] = ()
    rivals: tuple[Topic, ...] = ()
    watched: tuple[Topic, ...] = ()
    pillars: tuple[Topic, ...] = ()
    triggers: tuple[Topic, ...] = ()
    forbidden: Forbidden = Forbidden()
    exclusions: Exclusions = Exclusions()
    sources: SourcePolicy = SourcePolicy()
    weights: ScoreWeights = ScoreWeights()
    parameters: ScoreParameters = ScoreParameters()
    thresholds: GateThresholds = GateThresholds()
    alerts: AlertPolicy = AlertPolicy()
    levers: LeverGrids = LeverGrids()

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        if not (self.own or self.rivals or self.watched or self.pillars):
            raise ValueError("nothing to cover: give at least one of own, rivals, watched or pillars")
        for kind in ("own", "rivals", "watched", "pillars", "triggers"):
            if twice := _twice(getattr(self, kind)):
                raise ValueError(f"'{twice}' stands twice in {kind}")
        # One name on two sides would score as both; the profile has to say which it is.
        if twice := _twice((*self.own, *self.rivals, *self.watched)):
            raise ValueError(
                f"'{twice}' stands in two of own, rivals and watched; it can be only one of them"
            )
        return self

    @property
    def is_beat_desk(self) -> bool:
        """True for a profile without own names: it covers a beat, so pillars carry more points."""
        return not self.own

    @cached_property
    def snapshot(self) -> str:
        """The whole profile as canonical JSON: what a run freezes."""
        document = self.model_dump(mode="json", by_alias=True, exclude={"sources": {"lists"}})
        return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the snapshot, in hex."""
        return hashlib.sha256(self.snapshot.encode()).hexdigest()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, with other values where ``update`` has them: for a what-if in a line."""
        copied = super().model_copy(update=update, deep=deep)
        # Both are kept once worked out, and a copy would have them of the profile it came from.
        for name in ("snapshot", "hash"):
            copied.__dict__.pop(name, None)
        return copied

    @classmethod
    def from_toml(cls, path: str | Path) -> BrandProfile:
        """The profile in a TOML file, with the publisher lists it names read in."""
        path = Path(path)
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ProfileError(f"no profile at '{path}'", hint="brandkit init writes one") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise ProfileError(f"cannot read the profile: {error}", where=f"in {path}") from None
        return cls.from_dict(document, where=str(path), folder=path.parent)

    @classmethod
    def from_dict(
        cls, document: Mapping[str, Any], *, where: str = "the profile", folder: Path | None = None
    ) -> BrandProfile:
        """The profile in a mapping of TOML's shape; ``where`` is named in errors."""
        document = with_lists(dict(document), folder or Path(), where)
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise explain_validation(error, where=where, model=cls) from None

    @classmethod
    def from_snapshot(cls, snapshot: str) -> BrandProfile:
        """The profile a run froze."""
        return cls.from_dict(json.loads(snapshot), where="a stored profile")

    def day_window(self, on: date) -> tuple[datetime, datetime]:
        """The desk day ``on`` as two UTC instants, the second exclusive: 23 or 25 h at a clock change."""
        zone = ZoneInfo(self.timezone)
        start, end = (
            datetime.combine(day, self.day_starts, tzinfo=zone).astimezone(UTC)
            for day in (on, on + timedelta(days=1))
        )
        return start, end

    def day_of(self, instant: datetime) -> date:
        """The desk day an aware instant falls into."""
        local = instant.astimezone(ZoneInfo(self.timezone)).date()
        for day in (local + timedelta(days=1), local, local - timedelta(days=1)):
            if self.day_window(day)[0] <= instant:
                return day
        return local - timedelta(days=2)  # pragma: no cover - no zone shifts by two days


def _twice(topics: tuple[Topic, ...]) -> str:
    counted = Counter(topic.name for topic in topics)
    return next((name for name, n in counted.items() if n > 1), "")


def slug(name: str) -> str:
    """A profile id made from a name: lower case, digits, hyphens.

    >>> slug("Café Nordlys & Co.")
    'caf-nordlys-co'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64] or "desk"
