"""Runs as rows: begun, published, failed, found."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from brandkit.errors import StoreError, UnknownError, unknown
from brandkit.store.session import Session
from brandkit.store.tables import RUN, TABLES, conformed, listed
from brandkit.telemetry import event_schema

OWNER_DIED = "owner died"
# A listing shows many runs; the frozen profile of each, and what replay goes by, belong to the one that
# is looked at.
_OF_ONE = ("profile_json", "known_through", "written", "input_hash")
LISTED = {name: dtype for name, dtype in RUN.items() if name not in _OF_ONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run as the store has it. ``profile_json`` is the profile as it was frozen into the run."""

    run_id: str
    profile_id: str
    kind: str
    run_on: date
    attempt: int
    shadow: bool
    status: str
    as_of: datetime
    window_start: datetime
    started_at: datetime
    finished_at: datetime | None
    fingerprint: str | None
    profile_json: str
    profile_hash: str
    versions: Mapping[str, str]
    counts: Mapping[str, int]
    warnings: tuple[str, ...]
    error: str | None
    owner_pid: int
    owner_host: str
    known_through: int | None = None
    written: int | None = None
    input_hash: str | None = None
    inputs_gone: str | None = None

    @property
    def desk(self) -> str:
        """Who sees what the run brings in: the runs of its profile and kind; a shadow's stay its own."""
        return desk(self.profile_id, self.kind, shadow=self.shadow)


def desk(profile_id: str, kind: str, *, shadow: bool = False) -> str:
    """The series of runs that share one view of the store."""
    return f"{profile_id}.{kind}{'.shadow' if shadow else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """What is known of a run when it begins."""

    profile_id: str
    kind: str
    run_on: date
    as_of: datetime
    window_start: datetime
    started_at: datetime
    shadow: bool
    profile_json: str
    profile_hash: str
    versions: Mapping[str, str]
    fingerprint: str | None


def _as_row(frame: pl.DataFrame) -> RunRow | None:
    return as_row(frame) if frame.height else None


def as_row(frame: pl.DataFrame) -> RunRow:
    """The run in a frame of one row, as the table has it."""
    values = frame.row(0, named=True)
    values["versions"] = json.loads(values["versions"])
    values["counts"] = json.loads(values["counts"])
    values["warnings"] = tuple(values["warnings"] or ())
    return RunRow(**values)


def begin(session: Session, new: NewRun, *, is_alone: bool) -> RunRow:
    """Record a run as running, under the next attempt of its profile, kind and date.

    ``is_alone`` says that the caller holds the run's lock: whoever else is down as running is dead.
    """
    key = {"profile_id": new.profile_id, "kind": new.kind, "run_on": new.run_on}
    same = "profile_id = $profile_id AND kind = $kind AND run_on = $run_on"
    if is_alone:
        session.run(
            "UPDATE runs SET status = 'failed', error = $error, finished_at = $at "
            f"WHERE status = 'running' AND {same}",
            {**key, "error": OWNER_DIED, "at": new.started_at},
        )
    ((attempt,),) = session.rows(f"SELECT coalesce(max(attempt), 0) + 1 FROM runs WHERE {same}", key)
    run_id = f"{new.profile_id}.{new.kind}.{new.run_on.isoformat()}.{attempt}"
    row = {
        **key,
        "run_id": run_id,
        "attempt": attempt,
        "shadow": new.shadow,
        "status": "running",
        "as_of": new.as_of,
        "window_start": new.window_start,
        "started_at": new.started_at,
        "fingerprint": new.fingerprint,
        "profile_json": new.profile_json,
        "profile_hash": new.profile_hash,
        "versions": json.dumps(dict(new.versions), sort_keys=True),
        "counts": "{}",
        "warnings": [],
        "owner_pid": os.getpid(),
        "owner_host": socket.gethostname(),
    }
    session.insert("runs", pl.DataFrame([row], schema=dict(RUN)))
    return get(session, run_id)


def publish(
    session: Session,
    run_id: str,
    *,
    counts: Mapping[str, int],
    warnings: Iterable[str],
    fingerprint: str | None,
    known_through: int | None,
    input_hash: str | None,
    finished_at: datetime,
) -> None:
    """Mark a run complete: the last statement of the transaction that publishes it."""
    session.run(
        "UPDATE runs SET counts = $counts, warnings = $warnings, finished_at = $finished_at, "
        "fingerprint = coalesce($fingerprint, fingerprint), known_through = $known_through, "
        "written = $written, input_hash = $input_hash, status = 'complete' WHERE run_id = $run_id",
        {
            "run_id": run_id,
            "counts": json.dumps(dict(counts), sort_keys=True),
            "warnings": list(warnings),
            "fingerprint": fingerprint,
            "known_through": known_through,
            "written": session.write_number,
            "input_hash": input_hash,
            "finished_at": finished_at,
        },
    )


def fail(session: Session, run_id: str, *, error: str, finished_at: datetime) -> None:
    """Mark a run failed, with its error."""
    session.run(
        "UPDATE runs SET error = $error, finished_at = $finished_at, status = 'failed' "
        "WHERE run_id = $run_id",
        {"run_id": run_id, "error": error, "finished_at": finished_at},
    )


def get(session: Session, run_id: str) -> RunRow:
    """The run of that id.

    Raises: UnknownError naming the runs there are.
    """
    found = _as_row(
        session.frame(f"SELECT {listed(RUN)} FROM runs WHERE run_id = $run_id", RUN, {"run_id": run_id})
    )
    if found is None:
        newest_first = session.rows("SELECT run_id FROM runs ORDER BY started_at DESC, run_id")
        raise unknown("run", run_id, [str(name) for (name,) in newest_first])
    return found


def running(session: Session, run_id: str) -> RunRow:
    """The run of that id, still open.

    Raises: UnknownError; StoreError for one that has ended, for what is published stays as it is.
    """
    row = get(session, run_id)
    if row.status != "running":
        raise StoreError(
            f"run {run_id} is {row.status} already",
            allowed="what a run published is never written again",
            hint="run the date again: that makes a new attempt",
        )
    return row


def complete(session: Session, run_id: str) -> RunRow:
    """The run of that id, published.

    Raises: UnknownError for one that is not there, still running or failed.
    """
    row = get(session, run_id)
    if row.status != "complete":
        raise UnknownError(
            f"run {run_id} is {row.status}: it published nothing",
            allowed=f"error: {row.error}" if row.error else "",
            hint="runs() shows the status of every run",
        )
    return row


def find(
    session: Session,
    *,
    profile_id: str,
    kind: str,
    on: date | None,
    shadow: bool,
    fingerprint: str | None = None,
) -> RunRow | None:
    """The latest complete run of a key, or None."""
    wanted = {
        "profile_id": profile_id,
        "kind": kind,
        "run_on": on,
        "shadow": shadow,
        "fingerprint": fingerprint,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    where = " AND ".join(f"{name} = ${name}" for name in given)
    return _as_row(
        session.frame(
            f"SELECT {listed(RUN)} FROM runs WHERE status = 'complete' AND {where} "
            "ORDER BY run_on DESC, attempt DESC LIMIT 1",
            RUN,
            given,
        )
    )


def listing(session: Session, *, profile_id: str | None, limit: int | None) -> pl.DataFrame:
    """All runs whatever their status, newest first, without their profiles."""
    where = "" if profile_id is None else "WHERE profile_id = $profile_id"
    most = "" if limit is None else f"LIMIT {int(limit)}"
    return session.frame(
        f"SELECT {listed(LISTED)} FROM runs {where} "
        f"ORDER BY run_on DESC, started_at DESC, run_id DESC {most}",
        LISTED,
        {} if profile_id is None else {"profile_id": profile_id},
    )


def past(session: Session, *, profile_id: str, kind: str, before: date, known_through: int) -> pl.DataFrame:
    """The latest complete attempt of each earlier date, shadows left out: run_id, run_on.

    Complete by the store's write of that number, that is: later ones are not seen.
    """
    return session.frame(
        """
        SELECT run_id, run_on FROM runs
        WHERE profile_id = $profile_id AND kind = $kind AND run_on < $before
          AND NOT shadow AND status = 'complete' AND written <= $through
        QUALIFY row_number() OVER (PARTITION BY run_on ORDER BY attempt DESC) = 1
        ORDER BY run_on
        """,
        {"run_id": pl.String, "run_on": pl.Date},
        {"profile_id": profile_id, "kind": kind, "before": before, "through": known_through},
    )


def add_stages(session: Session, run_id: str, stages: pl.DataFrame | None) -> None:
    """Keep the telemetry of a run, numbered in the order it came."""
    if stages is not None:
        rows = stages.drop("seq", strict=False).with_row_index("seq").with_columns(run_id=pl.lit(run_id))
        session.insert("stage_runs", conformed(rows, TABLES["stage_runs"]))


def stages(session: Session, run_id: str) -> pl.DataFrame:
    """The telemetry of a run, in the order it came."""
    columns = {"seq": pl.Int64, **event_schema()}
    return session.frame(
        f"SELECT {listed(columns)} FROM stage_runs WHERE run_id = $run_id ORDER BY seq",
        columns,
        {"run_id": run_id},
    )


def id_of(run: str | RunRow) -> str:
    """The id of a run given by id or as its row."""
    return run if isinstance(run, str) else run.run_id
