"""Retention: what is older than the desk wants to keep goes, and what went is said.

Two ages, for two things. *Inputs* are items and sightings: a run whose inputs went cannot be replayed,
and says so; its records stay. *Runs* are what runs left: of a pruned one only its row in ``runs`` stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from brandkit.errors import UsageError
from brandkit.store.history import BASELINE, CONTEXT
from brandkit.store.session import Session

_OF_RUN = ("records", "stories", "rejects", "stage_runs", "run_items", "run_observations")
_RUN_ID = {"run_id": pl.String}


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went, or would go: rows by table, the runs that lost their inputs, and the runs that went."""

    rows: dict[str, int]
    inputs_gone: tuple[str, ...]
    runs: tuple[str, ...]

    @property
    def n_rows(self) -> int:
        """How many rows in all."""
        return sum(self.rows.values())


def prune(
    session: Session,
    *,
    inputs_before: datetime | None,
    runs_before: date | None,
    pruned_at: datetime,
) -> Pruned:
    """Delete inputs last sighted before an instant, and runs of days before a date.

    Inputs that a coming run may still need stay whatever their age: those of stories that are alive.

    Raises: UsageError where a coming run would miss what goes.
    """
    rows: dict[str, int] = {}
    losing: list[str] = []
    going: list[str] = []
    if runs_before is not None:
        going = _runs_of(session, runs_before)
        for table in _OF_RUN:
            rows[table] = _delete(session, table, "run_id", going)
        why = {"why": f"pruned on {pruned_at:%Y-%m-%d}: its day was before {runs_before}"}
        _update(session, going, "status = 'pruned', inputs_gone = $why", why)
    if inputs_before is not None:
        losing = _losing_inputs(session, inputs_before)
        rows.update(_prune_inputs(session, inputs_before))
        why = {"why": f"pruned on {pruned_at:%Y-%m-%d}: sightings before {inputs_before:%Y-%m-%d %H:%M} UTC"}
        _update(session, losing, "inputs_gone = coalesce(inputs_gone, $why)", why)
    return Pruned({table: n for table, n in rows.items() if n}, tuple(losing), tuple(going))


def _runs_of(session: Session, before: date) -> list[str]:
    _refuse_young(session, "runs", before, "run_on", BASELINE)
    found = session.frame(
        "SELECT run_id FROM runs WHERE run_on < $before AND status IN ('complete', 'failed') ORDER BY run_id",
        _RUN_ID,
        {"before": before},
    )
    return found["run_id"].to_list()


def _losing_inputs(session: Session, before: datetime) -> list[str]:
    _refuse_young(session, "inputs", before, "window_start", CONTEXT)
    found = session.frame(
        "SELECT run_id FROM runs WHERE window_start < $until AND status = 'complete' ORDER BY run_id",
        _RUN_ID,
        {"until": before + CONTEXT},
    )
    return found["run_id"].to_list()


def _refuse_young(session: Session, what: str, before: date, column: str, needed: timedelta) -> None:
    ((newest,),) = session.rows(f"SELECT max({column}) FROM runs WHERE status = 'complete' AND NOT shadow")
    if newest is not None and before > newest - needed:
        asked, most = (f"{at:%Y-%m-%d}" for at in (before, newest - needed))
        raise UsageError(
            f"{what} before {asked} are still needed",
            allowed=f"up to {most}: the next run looks back {needed.days} days",
            hint="keep more, or run the newest days first",
        )


def _prune_inputs(session: Session, before: datetime) -> dict[str, int]:
    kept = session.frame(
        """
        WITH fresh AS (SELECT DISTINCT item_id FROM observations WHERE observed_at >= $before),
        alive AS (SELECT DISTINCT story_id FROM records SEMI JOIN fresh USING (item_id))
        SELECT item_id FROM fresh
        UNION SELECT item_id FROM records SEMI JOIN alive USING (story_id)
        UNION SELECT item_id FROM items WHERE collected_at >= $before
        """,
        {"item_id": pl.String},
        {"before": before},
    )
    gone: dict[str, int] = {}
    with session.given("kept", kept):
        for table in ("items", "observations", "run_items", "run_observations"):
            old = f"{table}.item_id NOT IN (SELECT item_id FROM kept)"
            ((n,),) = session.rows(f"SELECT count(*) FROM {table} WHERE {old}")
            session.run(f"DELETE FROM {table} WHERE {old}")
            gone[table] = int(n)
    return gone


def _delete(session: Session, table: str, key: str, values: list[str]) -> int:
    with session.given("gone", pl.DataFrame({key: values}, schema={key: pl.String})):
        ((n,),) = session.rows(f"SELECT count(*) FROM {table} SEMI JOIN gone USING ({key})")
        session.run(f"DELETE FROM {table} USING gone WHERE {table}.{key} = gone.{key}")
    return int(n)


def _update(session: Session, runs: list[str], change: str, given: Mapping[str, object]) -> None:
    with session.given("touched", pl.DataFrame({"run_id": runs}, schema=_RUN_ID)):
        session.run(f"UPDATE runs SET {change} FROM touched WHERE runs.run_id = touched.run_id", given)
