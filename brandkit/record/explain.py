"""Why: the exact way from facts to parts, through caps and modifiers, to the total and the decision.

A stored record and its run's frozen profile are enough, years later. Text is rendered here, on
reading; the record holds numbers and codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from brandkit import schemas
from brandkit.errors import UsageError
from brandkit.profile import BrandProfile
from brandkit.record import phrases
from brandkit.record.kept import Kept, Record, unpacked
from brandkit.safe import html_text, terminal
from brandkit.scoring import components, gates, modifiers

RUNGS: Mapping[str, tuple[str, ...]] = {
    "block": ("constraint", "verified"),
    "must_cover": ("tied", "confidence", "must_cover", "always_cover"),
    "optional": ("tied", "confidence", "optional", "own_name_floor"),
    "watch": ("not_excluded", "watch", "trigger_watch", "own_name_watch"),
}
# Gates whose margin is a number of points; the others only pass or fail.
COUNTED = ("verified", "tied", "confidence", "must_cover", "optional", "watch")
# Parts that only take back what the others gave.
TAKEN_BACK = ("cap", "excluded")
SHOWN_EVIDENCE = 5
_READ = {
    *components.TAKES, *modifiers.TAKES, *gates.TAKES, "gates", "decision", "reason", "item_id", "story_id",
    "title", "summary", "url", "publisher", "source", "coordination", "misinfo_evidence", "lost",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of the waterfall: what it is, its points, what it could have been, and the fact behind it.

    ``evidence`` is what a modifier rests on, one line each.
    """

    kind: str  # part, cap or modifier
    component: str
    name: str
    points: int
    maximum: int | None
    running: int
    fact: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateLine:
    """One gate: how far above (or below) its threshold the record stands."""

    name: str
    margin: int
    meaning: str

    @property
    def passes(self) -> bool:
        """True where the margin is zero or more."""
        return self.margin >= 0

    @property
    def result(self) -> str:
        """'passes', 'fails by 14': a yes or no has no distance."""
        mark = "passes" if self.passes else "fails"
        return f"{mark} by {abs(self.margin)}" if self.name in COUNTED and self.margin else mark


@dataclass(frozen=True, slots=True)
class Explanation:
    """One decision, accounted for to the point: print it, ``frame()`` it, or draw it.

    ``steps`` sum exactly to ``total``; ``gates`` are the margins that made ``decision``. ``verdict``
    is an editor's decision where it is another; ``lost`` names the fields that were given and could
    not be used. ``sentiment`` stands beside all this: -1 to 1, None where it was not measured.
    """

    item_id: str
    story_id: str
    title: str
    url: str | None
    publisher: str | None
    decision: str
    reason: str
    total: int
    scores: Mapping[str, int]
    steps: tuple[Step, ...]
    gates: tuple[GateLine, ...]
    maxima: Mapping[str, int]
    forbidden: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    verdict: str | None = None
    sentiment: float | None = None

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return f"<pre>{html_text(self.text())}</pre>"

    def sentence(self) -> str:
        """The decision and its reason, in one sentence."""
        if self.reason == "constraint" and self.forbidden:
            return f"The profile forbids {', '.join(map(phrases.spoken, self.forbidden))}."
        return phrases.reason(self.decision, self.reason, self.total)

    def verdict_sentence(self) -> str:
        """What an editor made of it, or an empty string where nobody said otherwise."""
        return phrases.verdict(self.verdict, self.decision) if self.verdict else ""

    def text(self) -> str:
        """The whole account, as lines an editor can read aloud. Control characters are made visible."""
        return terminal("\n".join(self._lines()), keep_lines=True)

    def _lines(self) -> Iterator[str]:
        yield terminal(self.title)
        yield f"{self.decision} with {self.total} of 100. {terminal(self.sentence())}"
        if self.verdict:
            yield self.verdict_sentence()
        for component in schemas.COMPONENTS:
            yield f"  {component:<11}{self.scores[component]:>4} of {self.maxima[component]}"
            for step in self.steps:
                if step.component == component:
                    of = f" of {step.maximum}" if step.maximum is not None else ""
                    yield f"    {step.name:<14}{step.points:>+4}{of:<7} {terminal(step.fact)}".rstrip()
                    yield from (f"{'':<26} {terminal(line)}" for line in shown(step.evidence))
        yield "  gates"
        for line in self.gates:
            yield f"    {line.name:<15}{line.result:<14}{line.meaning}"
        if self.lost:
            yield "  lost on the way in"
            yield from (f"    {terminal(name):<15}{phrases.lost(name)}" for name in self.lost)
        if self.sentiment is not None:
            yield f"  {phrases.tone(self.sentiment)}"

    def frame(self) -> pl.DataFrame:
        """The waterfall: one row per step in order, with the running sum.

        Shape: kind, component, name, points, maximum (null for caps and modifiers), running, fact,
               evidence.
        """
        schema: dict[str, Any] = {
            "kind": pl.String, "component": pl.String, "name": pl.String, "points": pl.Int64,
            "maximum": pl.Int64, "running": pl.Int64, "fact": pl.String, "evidence": schemas.NAMES,
        }  # fmt: skip
        columns = {name: [getattr(step, name) for step in self.steps] for name in schema}
        columns["evidence"] = [list(step.evidence) for step in self.steps]
        return pl.DataFrame(columns, schema=schema)

    def gate_frame(self) -> pl.DataFrame:
        """The gates: one row each, with margin and whether it passes."""
        rows = [(line.name, line.margin, line.passes, line.meaning) for line in self.gates]
        return pl.DataFrame(
            rows,
            schema={"gate": pl.String, "margin": pl.Int64, "passes": pl.Boolean, "meaning": pl.String},
            orient="row",
        )


def explain(
    record: Record,
    profile: BrandProfile | None = None,
    *,
    story: pl.DataFrame | Mapping[str, Any] | None = None,
) -> Explanation:
    """The account of one record: parts, caps, modifiers with their evidence, total, gates, decision.

    ``record`` is what ``kept`` gives, one row of ``records`` (a frame of one row) or a mapping; the
    last two need the profile that their run froze. ``story`` is the row of its story, which tells
    what an editor made of it; a record from ``kept`` brings it along.

    Raises: UsageError when there is not exactly one whole record, or no profile came with it.
    """
    frame, profile, _ = unpacked(record, profile)
    if missing := sorted(_READ.difference(frame.columns)):
        raise UsageError(
            f"a record without {', '.join(missing[:5])}{' and more' if len(missing) > 5 else ''}",
            hint="take whole rows of records",
        )
    row = frame.row(0, named=True)
    told = record.story if story is None and isinstance(record, Kept) else story
    effective = None if told is None else _of_story(told, row["story_id"])
    return Explanation(
        item_id=row["item_id"],
        story_id=row["story_id"],
        title=row["title"] or row["url"] or row["item_id"],
        url=row["url"],
        publisher=row["publisher"],
        decision=str(row["decision"]),
        reason=str(row["reason"]),
        total=row["total"],
        scores=row["scores"],
        steps=tuple(_steps(row, profile)),
        gates=tuple(
            GateLine(name, row["gates"][name], phrases.gate(name, profile)) for name in schemas.GATES
        ),
        maxima={c: maximum_of(profile, c)["total"] for c in schemas.COMPONENTS},
        forbidden=tuple(row["forbidden"] or ()),
        lost=tuple(row["lost"] or ()),
        verdict=None if effective in (None, str(row["decision"])) else effective,
        # No part of the account, so a record without it is whole.
        sentiment=row.get("sentiment"),
    )


def maximum_of(profile: BrandProfile, component: str) -> dict[str, int]:
    """The most that each part of a component can give under a profile, and under ``total`` the component."""
    maxima: dict[str, int] = getattr(profile.weights, component).model_dump()
    if profile.is_beat_desk and component == "relevance":
        maxima["pillars"] = maxima["beat_pillars"]
    return maxima


def shown(lines: tuple[str, ...], most: int = SHOWN_EVIDENCE) -> list[str]:
    """The first lines, and how many more there are."""
    more = len(lines) - most
    return [*lines[:most], *([f"and {more:,} more"] if more > 0 else [])]


def _of_story(story: pl.DataFrame | Mapping[str, Any], story_id: str) -> str | None:
    if isinstance(story, pl.DataFrame):
        rows = story.filter(pl.col("story_id") == story_id)
        return str(rows["effective_decision"][0]) if rows.height else None
    return str(story["effective_decision"])


def _steps(row: Mapping[str, Any], profile: BrandProfile) -> Iterator[Step]:
    running = 0
    for component in schemas.COMPONENTS:
        maxima = maximum_of(profile, component)
        for name in schemas.PARTS[component]:
            points = row["parts"][component][name]
            running += points
            kind = "cap" if name in TAKEN_BACK else "part"
            if kind == "cap" and not points:
                continue
            fact = phrases.fact(component, name, row, maxima["total"])
            yield Step(kind, component, name, points, maxima.get(name), running, fact)
    rests_on = {modifier.name: modifier.evidence for modifier in modifiers.MODIFIERS}
    for taken in row["modifiers"]:
        running += taken["points"]
        name, column = taken["name"], rests_on.get(taken["name"], "")
        yield Step(
            "modifier", str(taken["component"]), name, taken["points"], None, running,
            phrases.modifier(name, row, column), phrases.evidence(column, row),
        )  # fmt: skip
