"""What misled a decision, found in its own stored parts and gates: computed for many stories at once.

*A story we did not promote that grew.* The gate: of those that kept it from being optional (or, where
it was blocked, of those that blocked it) the one that missed most of what it asks for: its shortfall
as a share of its threshold; a condition that is not met misses all. Equal shares go by the order of
``schemas.GATES``. The step: the part or modifier that gave most points more at its best in a later
run; where none ever gave more, the one furthest below its median among the stories we promoted.

*A story we promoted that went nowhere.* The gate: the one that lifted it, with its margin. The step:
the part or modifier furthest above its median among the stories we did not promote, which is what any
story has.

A modifier is a step of no or negative points. Caps are left out: they only follow from other parts.
Equal distances go by the order in which points are added up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.scoring.modifiers import MODIFIERS

# A step as a column: its component and name.
STEPS: tuple[str, ...] = (
    *(f"{c}.{part}" for c, parts in schemas.PARTS.items() for part in parts if part != "cap"),
    *(f"{component}.{modifier.name}" for modifier in MODIFIERS for component in modifier.points),
)
_HOLDING = ("not_excluded", "tied", "confidence", "optional")
_BLOCKING = ("constraint", "verified")
_LIFTED_BY = {"always_cover": "always_cover", "own_name": "own_name_floor"}


def with_steps(stories: pl.DataFrame) -> pl.DataFrame:
    """The stories with a column of points for each of ``STEPS`` in place of parts and modifiers."""
    parts = [
        pl.col("parts").struct.field(component).struct.field(part).alias(f"{component}.{part}")
        for component, names in schemas.PARTS.items()
        for part in names
        if part != "cap"
    ]
    row = pl.element().struct
    taken = [
        pl.col("modifiers")
        .list.eval(
            pl.when((row.field("name") == modifier.name) & (row.field("component") == component))
            .then(row.field("points"))
            .otherwise(0)
        )
        .list.sum()
        .cast(pl.Int16)
        .alias(f"{component}.{modifier.name}")
        for modifier in MODIFIERS
        for component in modifier.points
    ]
    return stories.with_columns(*parts, *taken).drop("parts", "modifiers")


def thresholds(profiles: Mapping[str, BrandProfile]) -> pl.DataFrame:
    """What the gates that hold a story back ask for in each run; a condition asks for one thing.

    Shape: run_id, and a column for each gate with ``_`` before its name.
    """
    rows = [
        (run_id, 1, t.verified, 1, t.tied, t.confidence, t.optional)
        for run_id, profile in profiles.items()
        for t in (profile.thresholds,)
    ]
    names = ("constraint", "verified", "not_excluded", "tied", "confidence", "optional")
    return pl.DataFrame(
        rows, schema={"run_id": pl.String, **{f"_{name}": pl.Int16 for name in names}}, orient="row"
    )


def held_by(stories: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """The stories with ``gate``, what kept each from being promoted, and ``gate_margin``, how far it was.

    ``asked`` is what ``thresholds`` gives.
    """
    margin = _margins()
    names = (*_BLOCKING, *_HOLDING)
    is_block = pl.col("decision") == "block"
    # Where another gate lifts a story, its points hold it no longer.
    is_lifted = pl.any_horizontal(margin[gate] >= 0 for gate in ("must_cover", *_LIFTED_BY.values()))
    counts = {gate: is_block if gate in _BLOCKING else ~is_block for gate in names}
    counts["optional"] &= ~is_lifted
    missed = [
        pl.when(counts[gate]).then((-margin[gate] / pl.max_horizontal(f"_{gate}", pl.lit(1))).clip(0.0, 1.0))
        for gate in names
    ]
    found = stories.join(asked, on="run_id", how="left", maintain_order="left")
    gate = pl.when(pl.max_horizontal(missed) > 0).then(_largest(missed, names))
    named = found.with_columns(gate=gate).drop(f"_{name}" for name in names)
    return named.with_columns(gate_margin=_chosen(margin, names, by="gate"))


def lifted_by(stories: pl.DataFrame) -> pl.DataFrame:
    """The stories with ``gate``, what lifted each, and ``gate_margin``, how far above it was."""
    decided = pl.col("decision").cast(pl.String)
    ruled = pl.coalesce(
        *(pl.when(pl.col("reason") == code).then(pl.lit(gate)) for code, gate in _LIFTED_BY.items()), decided
    )
    names = ("must_cover", "optional", *_LIFTED_BY.values())
    return stories.with_columns(gate=ruled).with_columns(gate_margin=_chosen(_margins(), names, by="gate"))


def risen(stories: pl.DataFrame, usual: Mapping[str, int | None]) -> pl.DataFrame:
    """The stories with the step furthest below its later best, else below what is ``usual``.

    Shape:  takes a column ``<step>`` and ``<step>_best`` for each of ``STEPS``; adds component, part,
            points, than ('later' or 'promoted') and points_than.
    Nulls:  where no step was below either.
    """
    best = {step: pl.col(f"{step}_best") for step in STEPS}
    return _told(stories, {"later": best, "promoted": _as_values(usual)}, sign=1)


def standing_out(stories: pl.DataFrame, usual: Mapping[str, int | None]) -> pl.DataFrame:
    """The stories with the step furthest above what is ``usual``; columns as of ``risen``."""
    return _told(stories, {"not_promoted": _as_values(usual)}, sign=-1)


def medians(stories: pl.DataFrame) -> dict[str, int | None]:
    """The median of each step, of two the lower; None where there are no stories."""
    if stories.is_empty():
        return dict.fromkeys(STEPS)
    return stories.select(pl.col(STEPS).quantile(0.5, "lower").cast(pl.Int16)).row(0, named=True)


def _as_values(usual: Mapping[str, int | None]) -> dict[str, pl.Expr]:
    return {step: pl.lit(value, pl.Int16) for step, value in usual.items()}


def _told(stories: pl.DataFrame, others: Mapping[str, Mapping[str, pl.Expr]], *, sign: int) -> pl.DataFrame:
    """The step with the largest distance to the first of the others that is away from it at all."""
    found = {}
    for than, there in others.items():
        gaps = [(there[step] - pl.col(step)).fill_null(0) * sign for step in STEPS]
        found[f"_{than}"] = pl.when(pl.max_horizontal(gaps) > 0).then(_largest(gaps, STEPS))
    step = pl.col("_step").str.split(".").list
    return (
        stories.with_columns(**found)
        .with_columns(
            _step=pl.coalesce(list(found)),
            than=pl.coalesce(pl.when(pl.col(f"_{than}").is_not_null()).then(pl.lit(than)) for than in others),
            points_than=pl.coalesce(_chosen(there, STEPS, by=f"_{than}") for than, there in others.items()),
        )
        .with_columns(
            component=step.get(0, null_on_oob=True).cast(schemas.COMPONENT),
            part=step.get(1, null_on_oob=True),
            points=_chosen({name: pl.col(name) for name in STEPS}, STEPS, by="_step"),
        )
        .drop("_step", *found)
    )


def _margins() -> dict[str, pl.Expr]:
    return {gate: pl.col("gates").struct.field(gate) for gate in schemas.GATES}


def _largest(values: Sequence[pl.Expr], names: Sequence[str]) -> pl.Expr:
    """The name of the largest value, the first of several."""
    most = pl.max_horizontal(values)
    pairs = zip(values, names, strict=True)
    return pl.coalesce(pl.when(value == most).then(pl.lit(name)) for value, name in pairs)


def _chosen(values: Mapping[str, pl.Expr], names: Sequence[str], *, by: str) -> pl.Expr:
    """Of several values the one that a column names."""
    return pl.coalesce(pl.when(pl.col(by) == name).then(values[name]) for name in names)
