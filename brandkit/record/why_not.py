"""Why not: the gates that bind, how far off they are, and the cheapest changes that would flip it.

And the other way: what holds a decision up, and how little would have to go away for it to fall. Every
answer is the real scoring code's, on signals that a lever has moved (``levers``); the search over the
profile's grids is exact (``levers_search``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl

from brandkit import schemas
from brandkit.errors import UsageError
from brandkit.profile import BrandProfile
from brandkit.record import levers_words, phrases
from brandkit.record.counterfactual import RUNGS, rescored
from brandkit.record.explain import GateLine
from brandkit.record.kept import Record, unpacked
from brandkit.record.levers import READ, pulls
from brandkit.record.levers_goal import Goal, below, toward
from brandkit.record.levers_search import CHANGE, FOUND, Question, facts, nearest, phrased, search
from brandkit.safe import html_text, terminal

FLIP: schemas.Columns = {
    "item_id": pl.String,
    "changes": pl.List(CHANGE),
    "n_changes": pl.Int8,
    "n_steps": pl.Int32,
    "decision_from": schemas.DECISION,
    "decision": schemas.DECISION,
    "total_from": pl.Int16,
    "total_to": pl.Int16,
    "confidence_from": pl.Int16,
    "confidence_to": pl.Int16,
}
_NEEDED = {*READ, "story_id", "title"}


@dataclass(frozen=True, slots=True)
class Change:
    """One lever pulled, and what that is in the world."""

    lever: str
    phrase: str


@dataclass(frozen=True, slots=True)
class Flip:
    """One or two changes, their cost in grid steps, and what the record comes to with them.

    ``effect`` names what turns: 'confidence 5 -> 6'. ``binding`` are the gates that would still stand
    in the way: a change that flips the decision has none.
    """

    changes: tuple[Change, ...]
    n_steps: int
    decision: str
    reason: str
    total: int
    confidence: int
    effect: str
    binding: tuple[GateLine, ...] = ()

    def __str__(self) -> str:
        """The change and its effect: 'one more independent A or B publisher: confidence 5 -> 6'."""
        return f"{', and '.join(change.phrase for change in self.changes)}: {self.effect}"


@dataclass(frozen=True, slots=True)
class WhyNot:
    """What stands between a record and a decision: ``print`` it, or take the frames.

    ``course`` is rise, fall, block or release, and empty where the record stands there already.
    ``every`` and ``some`` are the gates that bear on it: to rise, those that fail, of which every one
    must pass and one of ``some``; to fall, those that pass, of which one must fail or all of ``some``.
    ``flips`` are the cheapest changes, one for each lever or pair of levers that does it; where none
    does, ``nearest`` came nearest. ``note`` says where the decision is not the one that was stored.
    """

    item_id: str
    story_id: str
    title: str
    target: str
    course: str
    decision: str
    reason: str
    total: int
    confidence: int
    every: tuple[GateLine, ...] = ()
    some: tuple[GateLine, ...] = ()
    flips: tuple[Flip, ...] = ()
    nearest: Flip | None = None
    note: str = ""

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return f"<pre>{html_text(self.text())}</pre>"

    def text(self, *, most: int = levers_words.SHOWN) -> str:
        """The answer in lines an editor can read aloud. Control characters are made visible."""
        return "\n".join(terminal(line) for line in levers_words.lines(self, most))

    def frame(self) -> pl.DataFrame:
        """The flips, cheapest first.

        Shape: the columns of ``why_not_frame``, one row for each flip.
        """
        told = [[{"lever": c.lever, "phrase": c.phrase} for c in flip.changes] for flip in self.flips]
        columns: dict[str, Any] = {
            "changes": told,
            "n_changes": [len(changes) for changes in told],
            "n_steps": [flip.n_steps for flip in self.flips],
            "decision": [flip.decision for flip in self.flips],
            "total_to": [flip.total for flip in self.flips],
            "confidence_to": [flip.confidence for flip in self.flips],
        }
        same = {"item_id": self.item_id, "decision_from": self.decision, "total_from": self.total,
                "confidence_from": self.confidence}  # fmt: skip
        columns |= {name: [value] * len(told) for name, value in same.items()}
        return pl.DataFrame(columns, schema_overrides=dict(FLIP)).select(*FLIP)

    def gate_frame(self) -> pl.DataFrame:
        """The gates that bear on it.

        Shape: gate, margin, passes, is_one_of (the others must all pass, or one of them fail), meaning.
        """
        lines = [*((line, False) for line in self.every), *((line, True) for line in self.some)]
        rows = [(line.name, line.margin, line.passes, is_one, line.meaning) for line, is_one in lines]
        schema = {"gate": pl.String, "margin": pl.Int64, "passes": pl.Boolean, "is_one_of": pl.Boolean,
                  "meaning": pl.String}  # fmt: skip
        return pl.DataFrame(rows, schema=schema, orient="row")


def why_not(
    record: Record,
    target: str = "must_cover",
    *,
    profile: BrandProfile | None = None,
    as_of: datetime | None = None,
) -> WhyNot:
    """Why a record was not decided otherwise, and the cheapest changes that would make it so.

    ``record`` is what ``kept`` gives, a frame of one row or a mapping; the last two need the profile
    and the ``as_of`` of their run. A target below where the record stands asks how little would have
    to go away, or how long must pass, for it to fall so far.

    It speaks of the record: a story is decided by its lead, and a better item may come to lead it.

    Raises: UnknownError for what is no decision; UsageError without one whole record, its profile
            and its clock.

    Example:
        print(bk.why_not(bk.kept("3f9c2a71", store)))
    """
    return _answered(record, profile, as_of, target=str(target), aim=lambda now: toward(str(target), now))


def what_holds(
    record: Record, *, profile: BrandProfile | None = None, as_of: datetime | None = None
) -> WhyNot:
    """What holds a decision where it is, and the least that would have to go away for it to fall.

    The same as ``why_not`` with the rung below for a target; a watch may fall into being blocked. Of
    a block it says what would release it; below a drop there is nothing.

    Raises: UsageError without one whole record, its profile and its clock.
    """
    return _answered(record, profile, as_of, target="", aim=below)


def why_not_frame(
    records: pl.DataFrame | pl.LazyFrame,
    target: str = "must_cover",
    *,
    profile: BrandProfile,
    as_of: datetime,
    most: int = 1,
) -> pl.DataFrame:
    """The cheapest change that would flip each of many records to a decision, or the cheapest few.

    On the usual grids 1,000 records that need pairs took 1.7 s of one processor, and memory stays
    at some 150 MB for any number of them.

    Shape:  a row for each record, in their order, or up to ``most``, cheapest first: item_id, changes
            (lever, phrase), n_changes, n_steps, decision_from, decision (with the change), and total
            and confidence, _from and _to.
    Nulls:  where no change of one or two levers does it, from n_changes on what it comes to; where
            the record stands there already, n_changes is 0.
    Raises: UnknownError for what is no decision; UsageError for records that are not whole.
    """
    # What is no decision is refused also where there are no records.
    toward(target, RUNGS[0])
    given = facts(_judged(records.lazy().collect(), profile, as_of))
    found = [schemas.empty({**FOUND, "changes": FLIP["changes"]})]
    for part in given.partition_by("decision_from", maintain_order=True):
        goal = toward(target, str(part["decision_from"][0]))
        if goal is not None:
            question = _question(goal, profile, as_of)
            found.append(phrased(part, search(part, question, most=most), question))
    flipped = pl.concat(found).with_columns(
        total_to="total", confidence_to=pl.col("scores").struct.field("confidence")
    )
    there = pl.when(pl.col("decision_from") == target)
    return (
        given.select("record", "item_id", "decision_from", "total_from", "confidence_from")
        .join(flipped, on="record", how="left", maintain_order="left_right")
        .with_columns(n_changes=there.then(0).otherwise("n_changes"))
        .select(pl.col(name).cast(dtype) for name, dtype in FLIP.items())
    )


def _answered(
    record: Record,
    profile: BrandProfile | None,
    as_of: datetime | None,
    *,
    target: str,
    aim: Callable[[str], Goal | None],
) -> WhyNot:
    frame, profile, as_of = unpacked(record, profile, as_of)
    if as_of is None:
        raise UsageError("a record without its clock", hint="pass as_of=, or take it from kept()")
    base = _judged(frame, profile, as_of)
    row = base.row(0, named=True)
    decision, goal = str(row["decision"]), aim(str(row["decision"]))
    answer = WhyNot(
        item_id=row["item_id"],
        story_id=row["story_id"],
        title=row["title"] or row["url"] or row["item_id"],
        target=goal.target if goal else target or decision,
        course=goal.course if goal else "",
        decision=decision,
        reason=str(row["reason"]),
        total=row["total"],
        confidence=row["scores"]["confidence"],
        note=_note(frame, decision, row["total"]),
    )
    return answer if goal is None else _searched(answer, goal, base, profile, as_of)


def _searched(
    answer: WhyNot, goal: Goal, base: pl.DataFrame, profile: BrandProfile, as_of: datetime
) -> WhyNot:
    question = _question(goal, profile, as_of)
    given, before, bars = facts(base), base["gates"].item(), profile.thresholds
    every, some = _bearing(goal, before, profile)
    found = search(given, question)
    flips = [
        _flip(row, effect=levers_words.effect(before, row["gates"], goal, bars))
        for row in phrased(given, found, question).to_dicts()
    ]
    near = phrased(given, nearest(given, question, goal.distance()), question) if not flips else found.clear()
    nearly = [
        _flip(
            row,
            effect=levers_words.approach(before, row["gates"], goal, bars),
            binding=[line for lines in _bearing(goal, row["gates"], profile) for line in lines],
        )
        for row in near.to_dicts()
    ]
    return replace(answer, every=every, some=some, flips=tuple(flips), nearest=next(iter(nearly), None))


def _judged(records: pl.DataFrame, profile: BrandProfile, as_of: datetime) -> pl.DataFrame:
    if missing := sorted(_NEEDED.difference(records.columns)):
        raise UsageError(
            f"a record without {', '.join(missing[:5])}{' and more' if len(missing) > 5 else ''}",
            hint="take whole rows of records",
        )
    numbered = records.with_row_index("record")
    return rescored(numbered, profile, as_of=as_of).sort("record").collect()


def _question(goal: Goal, profile: BrandProfile, as_of: datetime) -> Question:
    return Question(profile, as_of, pulls(profile, as_of=as_of, ways=goal.ways), goal.reached)


def _note(stored: pl.DataFrame, decision: str, total: int) -> str:
    """Where a record was stored with another decision than its signals make under this profile."""
    if not {"decision", "total"} <= set(stored.columns):
        return ""
    was, points = str(stored["decision"].item()), stored["total"].item()
    if (was, points) == (decision, total):
        return ""
    return f"It was stored as {phrases.spoken(was)} with {points}; this profile makes something else of it."


def _flip(row: Mapping[str, Any], *, effect: str, binding: Sequence[GateLine] = ()) -> Flip:
    return Flip(
        changes=tuple(Change(**change) for change in row["changes"]),
        n_steps=row["n_steps"],
        decision=str(row["decision"]),
        reason=str(row["reason"]),
        total=row["total"],
        confidence=row["scores"]["confidence"],
        effect=effect,
        binding=tuple(binding),
    )


def _bearing(
    goal: Goal, gates: Mapping[str, int], profile: BrandProfile
) -> tuple[tuple[GateLine, ...], tuple[GateLine, ...]]:
    """The gates that stand in the way: of ``some`` none where one of them does what it should."""
    lines = {name: GateLine(name, gates[name], phrases.gate(name, profile)) for name in schemas.GATES}
    every = tuple(lines[name] for name in goal.every if lines[name].passes != goal.must_pass)
    some = tuple(lines[name] for name in goal.some if lines[name].passes != goal.must_pass)
    done = goal.must_pass and len(some) < len(goal.some)
    return every, () if done else some
