"""Where a decision is to go, and which gates stand between: what must pass, or what must not.

The decision itself is always the gates' own (``scoring.gates``); this says only which of them to
name, and how near a change came that did not do it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from brandkit.errors import unknown
from brandkit.record.counterfactual import RUNGS, rung
from brandkit.record.explain import COUNTED
from brandkit.record.levers_kinds import Way

Course = Literal["rise", "fall", "block", "release"]
# What a rung asks for: every one of the first, and one of the second at least.
NEEDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "must_cover": (("constraint", "tied", "confidence"), ("must_cover", "always_cover")),
    "optional": (("constraint", "tied", "confidence"), ("optional", "own_name_floor", "always_cover")),
    "watch": (("constraint", "verified", "not_excluded"), ("watch", "trigger_watch", "own_name_watch")),
}
SOME = frozenset(name for _, some in NEEDS.values() for name in some)
# Further than any total can be: a trigger that is not there is no nearer for being a yes or no.
_FAR = 1000
_BLOCKING = ("constraint", "verified")
_WAYS: Mapping[Course, tuple[Way, ...]] = {
    "rise": ("up",),
    "fall": ("down",),
    # An unverified story is blocked for being wanted and for being thin: either may be what moves.
    "block": ("up", "down", "comes"),
    "release": ("up", "down"),
}


@dataclass(frozen=True, slots=True)
class Goal:
    """Where to, and by which course; ``every`` and ``some`` are the gates that bear on it.

    To rise or be released all of ``every`` must pass, and one of ``some``. To fall or be blocked one
    of ``every`` must fail, or all of ``some``.
    """

    target: str
    course: Course
    reached: pl.Expr
    every: tuple[str, ...]
    some: tuple[str, ...] = ()

    @property
    def ways(self) -> tuple[Way, ...]:
        """Which of their ways the levers may be pulled."""
        return _WAYS[self.course]

    @property
    def must_pass(self) -> bool:
        """True where gates have to pass, false where they have to fail."""
        return self.course in ("rise", "release")

    def distance(self) -> pl.Expr:
        """How far a record's gates are from the goal, in points; 0 where it is reached.

        A yes or no is one point; where a total would do as well, the points missing there count.
        """
        margin = {
            name: pl.col("gates").struct.field(name).cast(pl.Int32) for name in (*self.every, *self.some)
        }
        if self.must_pass:
            lacking = {
                name: (-value).clip(lower_bound=0) * (1 if name in COUNTED or name in self.every else _FAR)
                for name, value in margin.items()
            }
            nearest = pl.min_horizontal([lacking[name] for name in self.some] or [pl.lit(0)])
            return pl.sum_horizontal([lacking[name] for name in self.every]) + nearest
        spare = {name: (value + 1).clip(lower_bound=0) for name, value in margin.items()}
        ways_out = [spare[name] for name in self.every]
        if self.some:
            ways_out.append(pl.sum_horizontal([spare[name] for name in self.some]))
        return pl.min_horizontal(ways_out)


def toward(target: str, decision: str) -> Goal | None:
    """The goal of a record that was decided so: to the target or beyond; None where it stands there.

    Beyond is further from where it stands: must_cover is beyond optional for a watch; block and drop
    are beyond watch for an optional. As a target ``block`` is reached only by being block.

    Raises: UnknownError for what is no decision.
    """
    if target not in RUNGS:
        raise unknown("decision", target, RUNGS)
    if target == decision:
        return None
    if target == "block":
        return Goal(target, "block", pl.col("decision") == "block", _BLOCKING)
    bar, now = RUNGS.index(target), RUNGS.index(decision)
    if bar > now:
        return Goal(target, "rise", rung(pl.col("decision")) >= bar, *NEEDS[target])
    return _fall(target, rung(pl.col("decision")) <= bar)


def below(decision: str) -> Goal | None:
    """The goal of falling at all, for a block of being released; None for a drop."""
    if decision == "drop":
        return None
    if decision == "block":
        return Goal("watch", "release", pl.col("decision") != "block", _BLOCKING)
    lower = {"must_cover": "optional", "optional": "watch", "watch": "drop"}[decision]
    # From watch, being blocked is a fall too.
    return _fall(lower, rung(pl.col("decision")) < RUNGS.index(decision), of=decision)


def _fall(target: str, reached: pl.Expr, *, of: str = "") -> Goal:
    held = of or {"drop": "watch", "watch": "optional", "optional": "must_cover"}[target]
    every, some = NEEDS[held]
    if target == "drop" and not of:
        # A broken constraint or too little confidence makes it a block, which is no drop.
        every = ("not_excluded",)
    return Goal(target, "fall", reached, every, some)
