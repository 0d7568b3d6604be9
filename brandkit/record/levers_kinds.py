"""What a lever is made of: moves along a grid, and the expressions that several of them share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

import polars as pl

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.profile_levers import TIERS, LeverGrids
from brandkit.signals.risk import FORM, RISK_WEIGHTS

# up: it helps. down: something goes away, or time passes. comes: an adverse fact is found.
Way = Literal["up", "down", "comes"]
# What speaks against an item only while no A or B publisher carries its story.
WITHOUT_AB = ("no_ab_publisher", *FORM)
NOTHING = pl.lit([], schemas.NAMES)
_ALWAYS = pl.lit(value=True)


@dataclass(frozen=True, slots=True)
class Setting:
    """Whose profile, and as of when: what a lever may need to know beside the record."""

    profile: BrandProfile
    as_of: datetime

    @property
    def grids(self) -> LeverGrids:
        """The grids of the profile."""
        return self.profile.levers


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A lever moved to one value of its grid, as expressions over a record's signals.

    ``applies`` is true where that is a change from where the record stands, ``steps`` how many grid
    values away it is; ``sets`` are the signals it moves, all at once. ``known`` is false where the
    signal it replaces was not known.
    """

    applies: pl.Expr
    sets: Mapping[str, pl.Expr]
    steps: pl.Expr
    phrase: pl.Expr
    known: pl.Expr


Moves = Callable[[Setting], Iterator[Move]]
Value = TypeVar("Value")
Made = Callable[[Value], tuple[str | pl.Expr, Mapping[str, pl.Expr]]]


def none(_: Setting) -> Iterator[Move]:
    """No moves this way."""
    yield from ()


@dataclass(frozen=True, slots=True)
class Lever:
    """A named change in the world: the moves by which it helps, hurts, or comes as bad news."""

    name: str
    up: Moves
    down: Moves = none
    comes: Moves = none


def move(
    phrase: str | pl.Expr,
    sets: Mapping[str, pl.Expr],
    *,
    when: pl.Expr = _ALWAYS,
    steps: int | pl.Expr = 1,
    known: pl.Expr = _ALWAYS,
) -> Move:
    """A move; ``when`` is taken as false where it is null."""
    return Move(
        applies=when.fill_null(value=False),
        sets={name: value.cast(schemas.RECORD[name]) for name, value in sets.items()},
        steps=pl.lit(steps, pl.Int32) if isinstance(steps, int) else steps.cast(pl.Int32),
        phrase=pl.lit(phrase) if isinstance(phrase, str) else phrase,
        known=known,
    )


def rises(
    stands: pl.Expr,
    grid: Sequence[Value],
    made: Made[Value],
    *,
    place: Callable[[Any], float] = float,
    when: pl.Expr = _ALWAYS,
) -> Iterator[Move]:
    """A move to each grid value above where a signal stands; what is not known stands below them all.

    ``made`` gives the words and the signals of a value, ``place`` its rank where it is no number;
    ``when`` must hold too.
    """
    for value in grid:
        words, sets = made(value)
        passed = [stands.is_null() | (stands < place(step)) for step in grid if place(step) <= place(value)]
        yield move(
            words, sets, when=when & passed[-1], steps=pl.sum_horizontal(passed), known=stands.is_not_null()
        )


def falls(
    stands: pl.Expr,
    grid: Sequence[Value],
    made: Made[Value],
    *,
    place: Callable[[Any], float] = float,
    when: pl.Expr = _ALWAYS,
) -> Iterator[Move]:
    """A move to each grid value below where a signal stands, the nearest first, as far as that is known."""
    for value in reversed(grid):
        words, sets = made(value)
        passed = [stands > place(step) for step in grid if place(step) >= place(value)]
        yield move(words, sets, when=when & passed[0], steps=pl.sum_horizontal(passed))


def plus(n: int, *names: str) -> dict[str, pl.Expr]:
    """Counts, ``n`` higher; one that is not known counts from 0."""
    return {name: pl.col(name).fill_null(0) + n for name in names}


def minus(n: int, *names: str) -> dict[str, pl.Expr]:
    """Counts, ``n`` lower and never under 0."""
    return {name: (pl.col(name) - n).clip(lower_bound=0) for name in names}


def tier_place(column: str) -> pl.Expr:
    """A tier's place in ``TIERS``, the best highest; null where it is not known."""
    return len(TIERS) - 1 - pl.col(column).to_physical().cast(pl.Int32)


def at_least(tier: str) -> pl.Expr:
    """The best tier of the story, once a publisher of this tier is in it."""
    is_better = tier_place("best_tier") >= TIERS.index(tier)
    return pl.when(is_better).then(pl.col("best_tier")).otherwise(pl.lit(tier, schemas.TIER))


def has_ab(published: pl.Expr | None = None, adopted: pl.Expr | None = None) -> pl.Expr:
    """Whether an A or B publisher carries the story, as an original or with a copy."""
    counts = (
        pl.col("n_publishers_ab") if published is None else published,
        pl.col("n_adopters_ab") if adopted is None else adopted,
    )
    return pl.any_horizontal(count.fill_null(0) > 0 for count in counts)


def risk_without(names: Sequence[str] = WITHOUT_AB) -> dict[str, pl.Expr]:
    """The risk once some contributions fall away: what is left in the evidence, added up.

    Where none of them is in the evidence, the risk stays what it was.
    """
    said, risk = pl.col("misinfo_evidence"), pl.col("misinfo_risk")
    kept = said.list.filter(~pl.element().str.extract("^([^:]*)").is_in(names))
    weights = kept.list.eval(pl.element().str.extract(":([0-9.]+)$").cast(pl.Float64))
    changes = kept.list.len() < said.list.len()
    left = weights.list.sum().clip(upper_bound=1.0).round(4)
    return {
        "misinfo_risk": pl.when(changes).then(left).otherwise(risk),
        "misinfo_evidence": pl.when(changes).then(kept).otherwise(said),
    }


def risk_without_ab(*, when: pl.Expr) -> dict[str, pl.Expr]:
    """The risk once no A or B publisher carries the story any more.

    What its form would add, which counts only then, is not in the record and left out.
    """
    said, weight = pl.col("misinfo_evidence"), RISK_WEIGHTS["no_ab_publisher"]
    is_debunk = pl.col("is_denial").fill_null(value=False) & pl.col("tier").is_in(["A", "B"])
    changes = when & ~is_debunk & ~said.list.eval(pl.element().str.starts_with("no_ab")).list.any()
    risk = (pl.col("misinfo_risk") + weight).clip(upper_bound=1.0).round(4)
    added = pl.concat_list(said, pl.lit(f"no_ab_publisher:{weight:g}"))
    return {
        "misinfo_risk": pl.when(changes).then(risk).otherwise(pl.col("misinfo_risk")),
        "misinfo_evidence": pl.when(changes).then(added).otherwise(said),
    }


def several(n: float, one: str, many: str) -> str:
    """'one more outlet', '5 more outlets'."""
    return f"one {one}" if n == 1 else f"{n:,g} {many}"
