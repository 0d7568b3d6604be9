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
from brandkit.safe import terminal
from brandkit.scoring.modifiers import MODIFIERS

RUNGS: Mapping[str, tuple[str, ...]] = {
    "block": ("constraint", "verified"),
    "must_cover": ("tied", "confidence", "must_cover", "always_cover"),
    "optional": ("tied", "confidence", "optional", "own_name_floor"),
    "watch": ("not_excluded", "watch", "trigger_watch", "own_name_watch"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of the waterfall: what it is, its points, what it could have been, and the fact behind it."""

    kind: str  # part, cap or modifier
    component: str
    name: str
    points: int
    maximum: int | None
    running: int
    fact: str


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


@dataclass(frozen=True, slots=True)
class Explanation:
    """One decision, accounted for to the point: print it, ``frame()`` it, or draw it.

    ``steps`` sum exactly to ``total``; ``gates`` are the margins that made ``decision``.
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

    def __str__(self) -> str:
        return self.text()

    def sentence(self) -> str:
        """The decision and its reason, in one sentence."""
        return phrases.reason(self.decision, self.reason, self.total)

    def text(self) -> str:
        """The whole account, as lines an editor can read aloud. Control characters are made visible."""
        return terminal("\n".join(self._lines()), keep_lines=True)

    def _lines(self) -> Iterator[str]:
        yield terminal(self.title)
        yield f"{self.decision} with {self.total} of 100. {self.sentence()}"
        for component in schemas.COMPONENTS:
            yield f"  {component:<11}{self.scores[component]:>4}"
            for step in self.steps:
                if step.component != component or (step.kind == "cap" and not step.points):
                    continue
                of = f" of {step.maximum}" if step.kind == "part" and step.maximum else ""
                yield f"    {step.name:<14}{step.points:>+4}{of:<7} {terminal(step.fact)}".rstrip()
        yield "  gates"
        for line in self.gates:
            mark = "passes" if line.passes else "fails"
            yield f"    {line.name:<15}{mark:<7}{line.margin:>+4}  {line.meaning}"

    def frame(self) -> pl.DataFrame:
        """The waterfall: one row per step in order, with the running sum.

        Shape: kind, component, name, points, maximum (null for caps and modifiers), running, fact.
        """
        columns = ("kind", "component", "name", "points", "maximum", "running", "fact")
        return pl.DataFrame(
            {name: [getattr(step, name) for step in self.steps] for name in columns},
            schema={"kind": pl.String, "component": pl.String, "name": pl.String, "points": pl.Int64,
                    "maximum": pl.Int64, "running": pl.Int64, "fact": pl.String},
        )  # fmt: skip

    def gate_frame(self) -> pl.DataFrame:
        """The gates: one row each, with margin and whether it passes."""
        rows = [(line.name, line.margin, line.passes, line.meaning) for line in self.gates]
        return pl.DataFrame(
            rows,
            schema={"gate": pl.String, "margin": pl.Int64, "passes": pl.Boolean, "meaning": pl.String},
            orient="row",
        )


def explain(record: pl.DataFrame | Mapping[str, Any], profile: BrandProfile) -> Explanation:
    """The account of one record: parts, caps, modifiers with their evidence, total, gates, decision.

    ``record`` is one row of ``records`` (a frame of one row, or a mapping); ``profile`` is the one
    its run froze.

    Raises: UsageError when the frame does not hold exactly one record.
    """
    row = _one(record)
    steps = tuple(_steps(row, profile))
    title = row["title"] or row["url"] or row["item_id"]
    return Explanation(
        item_id=row["item_id"],
        story_id=row["story_id"],
        title=title,
        url=row["url"],
        publisher=row["publisher"],
        decision=str(row["decision"]),
        reason=str(row["reason"]),
        total=row["total"],
        scores=row["scores"],
        steps=steps,
        gates=tuple(
            GateLine(name, row["gates"][name], phrases.gate(name, profile)) for name in schemas.GATES
        ),
    )


def _one(record: pl.DataFrame | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(record, Mapping):
        return record
    if record.height != 1:
        raise UsageError(
            f"explain takes one record and was given {record.height}", hint="filter by item_id first"
        )
    return record.row(0, named=True)


def _steps(row: Mapping[str, Any], profile: BrandProfile) -> Iterator[Step]:
    running = 0
    maxima = {c: getattr(profile.weights, c).model_dump() for c in schemas.COMPONENTS}
    if profile.is_beat_desk:
        maxima["relevance"]["pillars"] = maxima["relevance"]["beat_pillars"]
    for component in schemas.COMPONENTS:
        for name in schemas.PARTS[component]:
            points = row["parts"][component][name]
            running += points
            kind = "cap" if name in ("cap", "excluded") else "part"
            if kind == "cap" and not points:
                continue
            fact = phrases.fact(component, name, row, maxima[component]["total"])
            yield Step(kind, component, name, points, maxima[component].get(name), running, fact)
    evidence = {modifier.name: modifier.evidence for modifier in MODIFIERS}
    for taken in row["modifiers"]:
        running += taken["points"]
        fact = phrases.evidence(taken["name"], row, evidence.get(taken["name"], ""))
        yield Step("modifier", str(taken["component"]), taken["name"], taken["points"], None, running, fact)
