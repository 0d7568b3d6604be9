"""The tables of the store: their columns as Polars types, and the way to DuckDB's types and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from brandkit import schemas
from brandkit.errors import ContractError
from brandkit.telemetry import event_schema

Columns = Mapping[str, Any]

# Chunks are what is held twice, once in Polars and once in Arrow, while a frame is written.
CHUNK_ROWS = 100_000

# The number of the store's write that brought a row in: with it the store can be read as it was known
# then. ``Session.insert`` puts it there; nothing but erasing and pruning changes such rows afterwards.
_WRITTEN: Columns = {"written": pl.Int64}
RUN: Columns = {
    "run_id": pl.String,
    "profile_id": pl.String,
    "kind": pl.String,
    "run_on": pl.Date,
    "attempt": pl.Int32,
    "shadow": pl.Boolean,
    "status": pl.Enum(["running", "complete", "failed", "pruned"]),
    "as_of": schemas.INSTANT,
    "window_start": schemas.INSTANT,
    "started_at": schemas.INSTANT,
    "finished_at": schemas.INSTANT,
    "fingerprint": pl.String,
    "profile_json": pl.String,
    "profile_hash": pl.String,
    "versions": pl.String,
    "counts": pl.String,
    "warnings": pl.List(pl.String),
    "error": pl.String,
    "owner_pid": pl.Int64,
    "owner_host": pl.String,
    # What ``replay`` goes by: the write its history was read at, the write that published it, and
    # the hash of all it went to work on; and why that cannot be had any more, where it cannot.
    "known_through": pl.Int64,
    **_WRITTEN,
    "input_hash": pl.String,
    "inputs_gone": pl.String,
}
_RUN_ID: Columns = {"run_id": pl.String}
_PROFILE_ID: Columns = {"profile_id": pl.String}

TABLES: Mapping[str, Columns] = {
    "runs": RUN,
    "items": {**schemas.ITEM, **_WRITTEN},
    # Whose run brought the sighting in; null where it belongs to all, as what a fetch brings.
    "observations": {**schemas.OBSERVATION, "seen_by": pl.String, **_WRITTEN},
    # Of what a run went to work on, the little that neither its records nor its history tell.
    "run_items": {**_RUN_ID, **schemas.ITEM},
    "run_observations": {**_RUN_ID, **schemas.OBSERVATION},
    "records": {**_RUN_ID, **schemas.RECORD},
    "stories": {**_RUN_ID, **schemas.STORY},
    "rejects": {**_RUN_ID, "seq": pl.Int64, **schemas.REJECT},
    "stage_runs": {**_RUN_ID, "seq": pl.Int64, **event_schema()},
    "source_runs": {
        **_RUN_ID,
        "source": pl.String,
        "started_at": schemas.INSTANT,
        "finished_at": schemas.INSTANT,
        "status": pl.String,
        "n_rows": pl.Int64,
        "n_rejected": pl.Int64,
        "error": pl.String,
    },
    "source_cursors": {
        "source": pl.String,
        "cursor": pl.String,
        "etag": pl.String,
        "last_modified": pl.String,
        "updated_at": schemas.INSTANT,
    },
    "verdicts": {
        **_PROFILE_ID,
        **schemas.VERDICT,
        "given_by": pl.String,
        # A row that takes a verdict back names it, and has no decision of its own.
        "withdraws": pl.String,
        **_WRITTEN,
    },
    "story_rules": {
        "rule_id": pl.String,
        **_PROFILE_ID,
        **schemas.STORY_RULE,
        "reason": pl.String,
        "made_at": schemas.INSTANT,
        "made_by": pl.String,
        **_WRITTEN,
    },
    "story_states": {
        **_PROFILE_ID,
        **schemas.STORY_STATE,
        "note": pl.String,
        "changed_by": pl.String,
        **_WRITTEN,
    },
    "alerts": {
        "alert_id": pl.String,
        **_PROFILE_ID,
        **_RUN_ID,
        **schemas.ALERT,
        "delivered_to": schemas.NAMES,
        "delivered_at": schemas.INSTANT,
        "n_tries": pl.Int64,
        "error": pl.String,
    },
    "artifacts": {
        **_RUN_ID,
        "name": pl.String,
        "path": pl.String,
        "sha256": pl.String,
        "n_bytes": pl.Int64,
        "made_at": schemas.INSTANT,
    },
    # Who asked to be forgotten, so that the next load does not bring them back.
    "erasures": {
        **schemas.ERASURE,
        "erased_at": schemas.INSTANT,
        "erased_by": pl.String,
        "reason": pl.String,
        "n_items": pl.Int64,
        **_WRITTEN,
    },
    "writes": {"n": pl.Int64},
    "migrations": {"version": pl.Int32, "name": pl.String, "applied_at": schemas.INSTANT},
}

_SCALARS: Mapping[Any, str] = {
    pl.String(): "VARCHAR",
    pl.Boolean(): "BOOLEAN",
    pl.Int16(): "SMALLINT",
    pl.Int32(): "INTEGER",
    pl.Int64(): "BIGINT",
    pl.Float64(): "DOUBLE",
    pl.Date(): "DATE",
    pl.Datetime("us", "UTC"): "TIMESTAMPTZ",
}


def quoted(name: str) -> str:
    """An identifier in double quotes; the names themselves come from the tables above."""
    return '"' + name.replace('"', '""') + '"'


def duckdb_type(dtype: Any) -> str:
    """The column type that holds values of this Polars type.

    An Enum becomes VARCHAR, for DuckDB's own comes back without its order; reading restores it.

    Raises: ContractError for a type no table of ours may have.
    """
    # Schemas may hold a class where an instance is meant: pl.String for pl.String().
    dtype = dtype() if isinstance(dtype, type) else dtype
    if isinstance(dtype, pl.Enum):
        return "VARCHAR"
    if isinstance(dtype, pl.List):
        return f"{duckdb_type(dtype.inner)}[]"
    if isinstance(dtype, pl.Struct):
        fields = ", ".join(f"{quoted(field.name)} {duckdb_type(field.dtype)}" for field in dtype.fields)
        return f"STRUCT({fields})"
    if dtype not in _SCALARS:
        raise ContractError(f"no table can hold the type {dtype}", allowed="see brandkit/store/tables.py")
    return _SCALARS[dtype]


def create_statement(table: str) -> str:
    """The statement that makes one of the tables. No keys and no indexes: see DESIGN 6."""
    columns = ", ".join(f"{quoted(name)} {duckdb_type(dtype)}" for name, dtype in TABLES[table].items())
    return f"CREATE TABLE IF NOT EXISTS {quoted(table)} ({columns})"


def listed(columns: Iterable[str], *, table: str = "") -> str:
    """Column names for a SELECT, quoted, with the table's alias in front where one is given."""
    prefix = f"{table}." if table else ""
    return ", ".join(f"{prefix}{quoted(name)}" for name in columns)


def restored(frame: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """A frame as DuckDB gave it, with the types of the schema: Enums above all, also in structs."""
    return frame.select(pl.col(name).cast(dtype) for name, dtype in columns.items())


def chunks(frame: pl.DataFrame | pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """The frame in parts of bounded size; a lazy one is never whole in memory."""
    if isinstance(frame, pl.LazyFrame):
        yield from frame.collect_batches(chunk_size=CHUNK_ROWS)
    else:
        yield from frame.iter_slices(CHUNK_ROWS)


def conformed(frame: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """The frame with exactly these columns; missing ones come in as null."""
    return schemas.conform(frame.lazy(), columns).collect(engine="in-memory")
