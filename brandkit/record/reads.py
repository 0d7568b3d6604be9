"""What each part, modifier and gate reads, asked of the expressions that compute them.

Nothing is listed by hand, so that a changed formula cannot leave a wrong account behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import polars as pl

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.scoring import components, gates, modifiers

# Names of columns are the same at every clock.
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)

Path = tuple[str, ...]


def part_reads(profile: BrandProfile) -> dict[tuple[str, str], tuple[str, ...]]:
    """The signals behind each part, by (component, part); caps read only other parts."""
    parts = components.score_parts(profile, as_of=_ANY_TIME)
    found = {(c, name): _columns(part) for c, named in parts.items() for name, part in named.items()}
    # What it takes back is a sum of parts; whether it does is this one signal.
    return {**found, ("relevance", "excluded"): ("excluded",)}


def modifier_reads(profile: BrandProfile) -> dict[str, tuple[str, ...]]:
    """The signals by which each modifier applies, with the column of its evidence, by name."""
    return {
        modifier.name: tuple(
            dict.fromkeys((*_columns(modifier.applies(profile.parameters)), modifier.evidence))
        )
        for modifier in modifiers.MODIFIERS
    }


def gate_reads(profile: BrandProfile) -> dict[str, tuple[Path, ...]]:
    """What each gate reads: signals as (name,), scores as (struct, field...) down to the field."""
    return {
        name: tuple(path for column in _columns(margin) for path in _fields(margin, column))
        for name, margin in gates.gate_margins(profile).items()
    }


def _columns(expression: pl.Expr) -> tuple[str, ...]:
    return tuple(dict.fromkeys(expression.meta.root_names()))


def _fields(expression: pl.Expr, column: str) -> Iterator[Path]:
    """The fields of a struct that an expression cannot do without; a plain column is its own."""
    dtype = schemas.RECORD[column]
    if not isinstance(dtype, pl.Struct):
        yield (column,)
        return
    others = {name: schemas.RECORD[name] for name in _columns(expression) if name != column}
    for path in _leaves(dtype):
        frame = pl.LazyFrame(schema={**others, column: _without(dtype, path)})
        try:
            frame.select(expression).collect_schema()
        except pl.exceptions.PolarsError:
            yield (column, *path)


def _leaves(dtype: pl.Struct) -> Iterator[Path]:
    for field in dtype.fields:
        if isinstance(field.dtype, pl.Struct):
            yield from ((field.name, *rest) for rest in _leaves(field.dtype))
        else:
            yield (field.name,)


def _without(dtype: pl.Struct, path: Path) -> pl.Struct:
    kept = {}
    for field in dtype.fields:
        if field.name != path[0]:
            kept[field.name] = field.dtype
        elif len(path) > 1 and isinstance(field.dtype, pl.Struct):
            kept[field.name] = _without(field.dtype, path[1:])
    return pl.Struct(kept)
