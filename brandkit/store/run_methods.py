"""What a StateStore does with runs: begin, publish, fail, find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime

import polars as pl

from brandkit.store import inputs as run_inputs
from brandkit.store import published, runlock, runs
from brandkit.store.access import HasAccess
from brandkit.store.inputs import RunInputs
from brandkit.store.runs import NewRun, RunRow, id_of


class RunMethods(HasAccess):
    """The methods of a StateStore that write runs and find them."""

    def run_lock(
        self, profile_id: str, kind: str, on: date, *, timeout_s: float = 0
    ) -> AbstractContextManager[None]:
        """Keep every other process and thread out of this run for the block.

        The lock of a process that dies is free at once.

        Raises: RunBusyError naming the holder.
        """
        return runlock.run_lock(self.path, (profile_id, kind, on), timeout_s=timeout_s)

    def start_run(
        self,
        profile_id: str,
        *,
        kind: str,
        run_on: date,
        as_of: datetime,
        window_start: datetime,
        started_at: datetime,
        profile_json: str,
        profile_hash: str,
        versions: Mapping[str, str] | None = None,
        shadow: bool = False,
        fingerprint: str | None = None,
    ) -> RunRow:
        """Record a run as running; its id is ``<profile>.<kind>.<date>.<attempt>``.

        Within ``run_lock`` a run of the same key that is down as running is marked failed: its
        owner has died.
        """
        new = NewRun(
            profile_id=profile_id,
            kind=kind,
            run_on=run_on,
            as_of=as_of,
            window_start=window_start,
            started_at=started_at,
            shadow=shadow,
            profile_json=profile_json,
            profile_hash=profile_hash,
            versions=versions or {},
            fingerprint=fingerprint,
        )
        is_alone = runlock.is_held_here(self.path, (profile_id, kind, run_on))
        with self._access.writing("start_run") as (session, _):
            return runs.begin(session, new, is_alone=is_alone)

    def finish_run(
        self,
        run: str | RunRow,
        *,
        records: pl.DataFrame | pl.LazyFrame,
        stories: pl.DataFrame | None = None,
        rejects: pl.DataFrame | None = None,
        items: pl.DataFrame | None = None,
        observations: pl.DataFrame | None = None,
        stages: pl.DataFrame | None = None,
        counts: Mapping[str, int] | None = None,
        warnings: Sequence[str] = (),
        fingerprint: str | None = None,
        inputs: RunInputs | None = None,
        input_hash: str | None = None,
        finished_at: datetime,
    ) -> RunRow:
        """Publish all of a run in one transaction, whose last statement marks it complete.

        ``items`` are those the run took in (without them: the records' own); each record is stored
        with the revision the store gave its content. Records may be lazy: they are written in
        chunks and never whole in memory. Without its ``inputs`` a run cannot be replayed.

        Raises: UnknownError; StoreError for a run that has ended; ContractError for repeated keys.
        """
        output = published.Output(
            records=records, stories=stories, rejects=rejects, items=items, observations=observations
        )
        run_id = id_of(run)
        with self._access.writing("finish_run", run_id=run_id) as (session, counted):
            row = runs.running(session, run_id)
            counted.rows_in = counted.rows_out = published.write(session, run_id, output, seen_by=row.desk)
            runs.add_stages(session, run_id, stages)
            if inputs is not None:
                run_inputs.keep(session, row, inputs)
            runs.publish(
                session,
                run_id,
                counts=counts or {},
                warnings=warnings,
                fingerprint=fingerprint,
                known_through=None if inputs is None else inputs.known_through,
                input_hash=input_hash,
                finished_at=finished_at,
            )
            return runs.get(session, run_id)

    def fail_run(
        self,
        run: str | RunRow,
        error: str,
        *,
        finished_at: datetime,
        stages: pl.DataFrame | None = None,
    ) -> RunRow:
        """Close a running run as failed, with its error and the telemetry so far."""
        run_id = id_of(run)
        with self._access.writing("fail_run", run_id=run_id) as (session, _):
            runs.running(session, run_id)
            runs.add_stages(session, run_id, stages)
            runs.fail(session, run_id, error=error, finished_at=finished_at)
            return runs.get(session, run_id)

    def run(self, run_id: str) -> RunRow:
        """The run of that id, whatever its status.

        Raises: UnknownError with the near ids.
        """
        with self._access.reading("run", run_id=run_id) as (session, _):
            return runs.get(session, run_id)

    def runs(self, profile_id: str | None = None, *, limit: int | None = None) -> pl.DataFrame:
        """All runs, newest first, with their status; the frozen profile is in ``run(run_id)``."""
        with self._access.reading("runs") as (session, counted):
            found = runs.listing(session, profile_id=profile_id, limit=limit)
            counted.rows_out = found.height
            return found

    def latest(
        self, profile_id: str, kind: str, *, on: date | None = None, shadow: bool = False
    ) -> RunRow | None:
        """The latest complete attempt of the newest date, or of one date; None where there is none."""
        with self._access.reading("latest") as (session, _):
            return runs.find(session, profile_id=profile_id, kind=kind, on=on, shadow=shadow)

    def find_fingerprint(
        self, profile_id: str, kind: str, on: date, *, fingerprint: str, shadow: bool = False
    ) -> RunRow | None:
        """The latest complete run of exactly this input, or None."""
        with self._access.reading("find_fingerprint") as (session, _):
            return runs.find(
                session, profile_id=profile_id, kind=kind, on=on, shadow=shadow, fingerprint=fingerprint
            )
