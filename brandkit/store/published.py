"""What a run publishes, and how it is read again: records, stories, rejects, stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from brandkit import schemas
from brandkit.errors import ContractError, unknown
from brandkit.store import items as item_rows
from brandkit.store import runs
from brandkit.store.session import Session
from brandkit.store.tables import TABLES, Columns, chunks, conformed, listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The frames of a finished run, as it hands them over."""

    records: pl.DataFrame | pl.LazyFrame
    stories: pl.DataFrame | None
    rejects: pl.DataFrame | None
    items: pl.DataFrame | None
    observations: pl.DataFrame | None


def write(session: Session, run_id: str, output: Output, *, seen_by: str | None) -> int:
    """Write all of it for the run; gives the number of records. Its sightings are ``seen_by``'s.

    Raises: ContractError where an item has two records, or a story two rows.
    """
    if isinstance(output.records, pl.DataFrame):
        _prove_unique(output.records, "item_id", "record")
    if output.items is not None:
        item_rows.upsert(session, output.items)
    if output.observations is not None:
        item_rows.add_observations(session, output.observations, seen_by=seen_by)
    n_records = 0
    for chunk in chunks(output.records):
        if output.items is None:
            item_rows.upsert(session, chunk.select(name for name in schemas.ITEM if name in chunk.columns))
        n_records += _add(session, "records", run_id, item_rows.renumber(session, chunk))
    _assert_unique(session, run_id)
    if output.stories is not None:
        _prove_unique(output.stories, "story_id", "story")
        _add(session, "stories", run_id, output.stories)
    if output.rejects is not None:
        _add(session, "rejects", run_id, output.rejects.with_row_index("seq"))
    return n_records


def _add(session: Session, table: str, run_id: str, frame: pl.DataFrame) -> int:
    return session.insert(table, conformed(frame.with_columns(run_id=pl.lit(run_id)), TABLES[table]))


def _prove_unique(frame: pl.DataFrame, key: str, what: str) -> None:
    repeated = frame.filter(pl.col(key).is_duplicated() | pl.col(key).is_null())
    if repeated.height:
        raise ContractError(
            f"more than one {what}, or one without a key, for {key} {repeated[key].sort()[0]}"
        )


def _assert_unique(session: Session, run_id: str) -> None:
    # The frame may have come lazily, a chunk at a time; here it is whole.
    ((n_rows, n_items),) = session.rows(
        "SELECT count(*), count(DISTINCT item_id) FROM records WHERE run_id = $run_id", {"run_id": run_id}
    )
    if n_rows != n_items:
        raise ContractError(f"{n_rows} records for {n_items} items", where=f"in run {run_id}")


def record_columns(columns: Sequence[str] | None) -> tuple[str, ...]:
    """The names asked for, all of a record's without any, in the order of the schema.

    Raises: UnknownError for one that a record has not.
    """
    if columns is None:
        return tuple(schemas.RECORD)
    for name in columns:
        if name not in schemas.RECORD:
            raise unknown("record column", name, schemas.RECORD)
    return tuple(name for name in schemas.RECORD if name in {"item_id", *columns})


def _of_run(session: Session, table: str, run_id: str, columns: Columns) -> pl.DataFrame:
    runs.complete(session, run_id)
    return session.frame(
        f"SELECT {listed(columns)} FROM {table} WHERE run_id = $run_id", columns, {"run_id": run_id}
    )


def records(session: Session, run_id: str, names: Sequence[str]) -> pl.DataFrame:
    """The records of a complete run, in these columns, sorted by item_id."""
    columns = {name: schemas.RECORD[name] for name in names}
    return _of_run(session, "records", run_id, columns).sort("item_id")


def items(session: Session, run_id: str) -> pl.DataFrame:
    """The item columns of a complete run's records, sorted by item_id."""
    return _of_run(session, "records", run_id, schemas.ITEM).sort("item_id")


def record(session: Session, run_id: str, item_id: str) -> pl.DataFrame:
    """The one record of an item in a complete run."""
    runs.complete(session, run_id)
    key = {"run_id": run_id, "item_id": item_id}
    found = session.frame(
        f"SELECT {listed(schemas.RECORD)} FROM records WHERE run_id = $run_id AND item_id = $item_id",
        schemas.RECORD,
        key,
    )
    if found.height == 0:
        known = session.rows(
            "SELECT item_id FROM records WHERE run_id = $run_id ORDER BY item_id", {"run_id": run_id}
        )
        raise unknown("item", item_id, [str(name) for (name,) in known], where=f"in run {run_id}")
    return found


def stories(session: Session, run_id: str) -> pl.DataFrame:
    """The stories of a complete run, sorted by story_id."""
    return _of_run(session, "stories", run_id, schemas.STORY).sort("story_id")


def rejects(session: Session, run_id: str) -> pl.DataFrame:
    """The rejects of a complete run, in the order the run met them."""
    columns = {"seq": pl.Int64, **schemas.REJECT}
    return _of_run(session, "rejects", run_id, columns).sort("seq").drop("seq")


def stages(session: Session, run_id: str) -> pl.DataFrame:
    """The telemetry of a run, whatever became of it."""
    runs.get(session, run_id)
    return runs.stages(session, run_id)
