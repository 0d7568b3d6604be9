"""How a store comes to the tables of today: named steps, each applied once and recorded.

A change to a frame that the store keeps needs a step here: ``Migration("add_sentiment",
add_missing_columns)`` is enough for columns that came in. Never edit or remove a step that shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from brandkit.errors import StoreError, StoreNewerError
from brandkit.store.tables import TABLES, Columns, create_statement, duckdb_type, quoted


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its name, which is recorded, and the function that takes it."""

    name: str
    run: Callable[[duckdb.DuckDBPyConnection], None]


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Every table that is not there yet."""
    for table in TABLES:
        con.execute(create_statement(table))


def add_missing_columns(con: duckdb.DuckDBPyConnection) -> None:
    """Every table, column and field of a struct that the schemas have and the store has not.

    Old rows hold null there. A field of a struct inside a list needs a step of its own.
    """
    create_tables(con)
    for table, columns in TABLES.items():
        for place, dtype in _places(columns):
            con.execute(f"ALTER TABLE {quoted(table)} ADD COLUMN IF NOT EXISTS {place} {duckdb_type(dtype)}")


def _places(columns: Columns, inside: str = "") -> Iterator[tuple[str, Any]]:
    for name, dtype in columns.items():
        place = inside + quoted(name)
        yield place, dtype
        if isinstance(dtype, pl.Struct):
            yield from _places({field.name: field.dtype for field in dtype.fields}, f"{place}.")


MIGRATIONS: tuple[Migration, ...] = (
    Migration("create_tables", create_tables),
    # The tone of an item; the counts behind a story's phase.
    Migration("add_tone_and_growth", add_missing_columns),
)


def pending(con: duckdb.DuckDBPyConnection, path: Path) -> tuple[Migration, ...]:
    """The steps this store has yet to take.

    Raises: StoreNewerError where it took one this code does not know; StoreError where the file
    is somebody else's database.
    """
    found = [str(name) for (name,) in con.sql("SELECT table_name FROM duckdb_tables()").fetchall()]
    if not found:
        return MIGRATIONS
    if "migrations" not in found:
        raise StoreError(
            f"{path} is a DuckDB file, but not a brandkit store",
            allowed=f"it holds: {', '.join(sorted(found)[:5])}",
            hint="give another path; brandkit makes the file itself",
        )
    applied = [str(name) for (name,) in con.sql("SELECT name FROM migrations ORDER BY version").fetchall()]
    known = {migration.name for migration in MIGRATIONS}
    if later := [name for name in applied if name not in known]:
        raise StoreNewerError(
            f"the store {path} was written by a later brandkit than this one",
            allowed=f"it has schema version {len(applied)} ({later[-1]}); this code knows {len(MIGRATIONS)}",
            hint="upgrade brandkit; nothing was written",
        )
    return tuple(migration for migration in MIGRATIONS if migration.name not in applied)


def apply(con: duckdb.DuckDBPyConnection, steps: tuple[Migration, ...]) -> None:
    """Take the steps in one transaction: all of them or none."""
    con.begin()
    try:
        for step in steps:
            step.run(con)
            con.execute(
                "INSERT INTO migrations SELECT coalesce(max(version), 0) + 1, $name, now() FROM migrations",
                {"name": step.name},
            )
    except BaseException:
        con.rollback()
        raise
    else:
        con.commit()
    con.execute("CHECKPOINT")
