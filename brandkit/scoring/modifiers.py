"""Named changes to components, made for a reason, each seeing what the one before left.

A modifier never takes a component under 0. Its row is kept where it took nothing, and says the
points really taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from brandkit.pipeline import RunContext
from brandkit.profile import ScoreParameters
from brandkit.schemas import COMPONENT, COMPONENTS
from brandkit.schemas import MODIFIERS as MODIFIERS_DTYPE
from brandkit.scoring.components import is_primary_document, signal

TAKES = ("base", "n_publishers", "coordinated_share", "n_coordinated", "misinfo_risk", "item_type", "tier")


@dataclass(frozen=True, slots=True)
class Modifier:
    """A named change to components, with the condition for it and the column that holds its evidence.

    ``applies`` is given the profile's parameters. In ``points`` an expression may read the five
    components by name, as the modifier before left them. ``is_adverse`` marks one that speaks of
    abuse rather than of thin sourcing: such a story about us stays in sight.
    """

    name: str
    applies: Callable[[ScoreParameters], pl.Expr]
    points: Mapping[str, pl.Expr]
    evidence: str
    is_adverse: bool = False


SINGLE_SOURCE = Modifier(
    name="single_source",
    applies=lambda p: (pl.col("n_publishers").fill_null(0) <= 1) & ~is_primary_document(),
    points={"confidence": pl.lit(-1), "virality": pl.when(pl.col("confidence") <= 5).then(-4).otherwise(-2)},
    evidence="n_publishers",
)
BRIGADING = Modifier(
    name="brigading",
    applies=lambda p: (
        (signal("coordinated_share") >= p.brigading_share) & (pl.col("n_coordinated") >= p.brigading_accounts)
    ),
    points={"virality": pl.lit(-10)},
    evidence="coordination",
    is_adverse=True,
)
MISINFO_RISK = Modifier(
    name="misinfo_risk",
    applies=lambda p: signal("misinfo_risk") >= p.misinfo_risk,
    points={"confidence": pl.lit(-3)},
    evidence="misinfo_evidence",
    is_adverse=True,
)

# The order is part of the score: single_source looks at the confidence nobody has touched yet.
MODIFIERS: tuple[Modifier, ...] = (SINGLE_SOURCE, BRIGADING, MISINFO_RISK)


def modify(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Add ``modifiers`` (name, component, points taken), ``scores`` and ``total``.

    Shape:  the same rows, plus a list, a struct of five Int16 and an Int16.
    """
    return apply_modifiers(items, MODIFIERS, parameters=ctx.profile.parameters)


def apply_modifiers(
    items: pl.LazyFrame, modifiers: Sequence[Modifier], *, parameters: ScoreParameters
) -> pl.LazyFrame:
    """The rows of ``base`` with the modifiers taken in order; ``modify`` with any list of modifiers."""
    plan = items.with_columns(pl.col("base").struct.field(c).alias(c) for c in COMPONENTS)
    rows: list[pl.Expr] = []
    for modifier in modifiers:
        applies = modifier.applies(parameters).fill_null(value=False)
        left = {
            component: pl.max_horizontal(pl.col(component) + change.cast(pl.Int16), pl.lit(0, pl.Int16))
            for component, change in modifier.points.items()
        }
        taken = {
            f"_{modifier.name}_{c}": pl.when(applies).then(after - pl.col(c)) for c, after in left.items()
        }
        plan = plan.with_columns(**taken).with_columns(
            (pl.col(c) + pl.col(f"_{modifier.name}_{c}").fill_null(0)).alias(c) for c in left
        )
        rows.extend(_row(modifier.name, c) for c in left)
    helpers = [f"_{modifier.name}_{c}" for modifier in modifiers for c in modifier.points]
    listed = _listed(rows)
    return plan.with_columns(
        modifiers=listed.cast(MODIFIERS_DTYPE),
        scores=pl.struct(COMPONENTS),
        total=pl.sum_horizontal(COMPONENTS).cast(pl.Int16),
    ).drop(*COMPONENTS, *helpers)


def _row(name: str, component: str) -> pl.Expr:
    taken = pl.col(f"_{name}_{component}").cast(pl.Int16)
    return pl.struct(name=pl.lit(name), component=pl.lit(component, COMPONENT), points=taken)


def _listed(rows: Sequence[pl.Expr]) -> pl.Expr:
    """The rows whose modifier applied, as a list; a row without points did not apply."""
    if not rows:
        return pl.lit([], MODIFIERS_DTYPE)
    # concat_list of structs takes 15 times as long as a fixed array that is then filtered.
    return pl.concat_arr(rows).arr.to_list().list.filter(pl.element().struct.field("points").is_not_null())
