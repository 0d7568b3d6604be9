"""Every step of every record, as one long frame: the vectorised twin of ``explain``, number for number."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.record.explain import TAKEN_BACK, maximum_of

KIND = pl.Enum(["part", "cap", "modifier"])
STEP: schemas.Columns = {
    "item_id": pl.String,
    "order": pl.Int16,
    "kind": KIND,
    "component": schemas.COMPONENT,
    "name": pl.String,
    "points": pl.Int16,
    "maximum": pl.Int16,
    "running": pl.Int16,
}


def explain_frame(records: pl.DataFrame | pl.LazyFrame, profile: BrandProfile) -> pl.LazyFrame:
    """The steps of all records of a run, in the order of the records and of each waterfall.

    Shape:  item_id, order (from 0), kind (part, cap, modifier), component, name, points, maximum,
            running. The points of an item sum to its total.
    Nulls:  maximum, for caps and modifiers.

    Example:
        explain_frame(records, profile).group_by("name").agg(pl.col("points").mean()).collect()
    """
    plan = records.lazy()
    # How many slots a row needs; a list that is joined to another takes far longer than fixed slots.
    most = plan.select(pl.col("modifiers").list.len().max()).collect().item() or 0
    steps = pl.concat_arr(list(_steps(profile, most))).arr.to_list()
    taken = steps.list.filter(pl.element().struct.field("order").is_not_null())
    return (
        plan.select("item_id", _step=taken)
        .explode("_step", empty_as_null=False, keep_nulls=False)
        .unnest("_step")
        .select(pl.col(name).cast(dtype) for name, dtype in STEP.items())
    )


def _steps(profile: BrandProfile, most_modifiers: int) -> Iterator[pl.Expr]:
    """One struct for each possible step; one that a record has not has no order."""
    order, running = pl.lit(0, pl.Int16), pl.lit(0, pl.Int16)
    for component, name in ((c, n) for c in schemas.COMPONENTS for n in schemas.PARTS[c]):
        points = pl.col("parts").struct.field(component).struct.field(name)
        is_cap = name in TAKEN_BACK
        is_there = points != 0 if is_cap else pl.lit(value=True)
        running = running + points
        yield pl.struct(
            order=pl.when(is_there).then(order),
            kind=pl.lit("cap" if is_cap else "part", KIND),
            component=pl.lit(component, schemas.COMPONENT),
            name=pl.lit(name),
            points=points,
            maximum=pl.lit(maximum_of(profile, component).get(name), pl.Int16),
            running=running,
        )
        order = order + is_there.cast(pl.Int16)
    for slot in range(most_modifiers):
        taken = pl.col("modifiers").list.get(slot, null_on_oob=True).struct
        running = running + taken.field("points").fill_null(0)
        yield pl.struct(
            order=pl.when(taken.field("name").is_not_null()).then(order + slot),
            kind=pl.lit("modifier", KIND),
            component=taken.field("component"),
            name=taken.field("name"),
            points=taken.field("points"),
            maximum=pl.lit(None, pl.Int16),
            running=running,
        )
