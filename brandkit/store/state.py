"""StateStore: what runs leave behind, and what people say of it, in one DuckDB file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

from brandkit.pipeline import History
from brandkit.store import history as past
from brandkit.store import items as item_rows
from brandkit.store import published, runlock, runs, verdicts
from brandkit.store.access import Access, StoreInfo
from brandkit.store.cache import SHARED_CACHE, QueryCache
from brandkit.store.items import UpsertCounts
from brandkit.store.runs import NewRun, RunRow
from brandkit.telemetry import Telemetry

__all__ = ["RunRow", "StateStore", "StoreInfo"]


class StateStore:
    """The store at a path: made on the first write, held only while a call lasts.

    Safe from several threads and several processes. Until something was written, every read finds
    nothing, and no file. ``:memory:`` is not supported: a temporary file does the same.

    ``cache=None`` switches the cache off. ``timeout_s`` is how long to wait for another process.

    Raises: StoreBusyError, StoreReadOnlyError, StoreNewerError, StoreCorruptError, StoreError.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        cache: QueryCache | None = SHARED_CACHE,
        timeout_s: float = 30,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._access = Access(path, cache=cache, timeout_s=timeout_s, telemetry=telemetry)

    @property
    def path(self) -> Path:
        """Where the file is, or will be; absolute."""
        return self._access.path

    def __repr__(self) -> str:
        return f"StateStore({str(self.path)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing to do: no call leaves the file open. The store may be used again."""

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """One transaction around the block: all of it or nothing. Inner ones join the outermost.

        Other processes wait until it ends, so keep it short.
        """
        with self._access.sessions.write():
            yield self

    @contextmanager
    def reading(self) -> Iterator[Self]:
        """One view for all reads in the block, opened once; nothing can be written meanwhile."""
        with self._access.sessions.read():
            yield self

    # Items ---------------------------------------------------------------------------------------

    def upsert_items(self, frame: pl.DataFrame | pl.LazyFrame) -> UpsertCounts:
        """Add what is new of these items: an item never seen, or new content as its next revision.

        Identity is (item_id, content_hash); numbers go on after the highest known, in the order of
        collected_at, then content_hash. Stored content is never changed.

        Raises: ContractError for a missing or repeated key.
        """
        rows = frame.collect() if isinstance(frame, pl.LazyFrame) else frame
        with self._access.writing("upsert_items") as (session, counted):
            counted.rows_in = rows.height
            found = item_rows.upsert(session, rows)
            counted.rows_out = rows.height - found.unchanged
        return found

    def upsert_item(self, row: Mapping[str, object]) -> UpsertCounts:
        """Add one item; many are better added by ``upsert_items``, which costs the same."""
        return self.upsert_items(item_rows.single(row))

    def add_observations(self, frame: pl.DataFrame | pl.LazyFrame) -> int:
        """Add sightings that are not stored yet, for every profile to see; gives how many."""
        rows = frame.collect() if isinstance(frame, pl.LazyFrame) else frame
        with self._access.writing("add_observations") as (session, counted):
            counted.rows_in = rows.height
            counted.rows_out = item_rows.add_observations(session, rows)
        return counted.rows_out or 0

    # Runs ----------------------------------------------------------------------------------------

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
        finished_at: datetime,
    ) -> RunRow:
        """Publish all of a run in one transaction, whose last statement marks it complete.

        ``items`` are those the run took in (without them: the records' own); each record is stored
        with the revision the store gave its content. Records may be lazy: they are written in
        chunks and never whole in memory.

        Raises: UnknownError; StoreError for a run that has ended; ContractError for repeated keys.
        """
        output = published.Output(
            records=records, stories=stories, rejects=rejects, items=items, observations=observations
        )
        run_id = _id(run)
        with self._access.writing("finish_run", run_id=run_id) as (session, counted):
            seen_by = runs.running(session, run_id).desk
            counted.rows_in = counted.rows_out = published.write(session, run_id, output, seen_by=seen_by)
            runs.add_stages(session, run_id, stages)
            runs.publish(
                session,
                run_id,
                counts=counts or {},
                warnings=warnings,
                fingerprint=fingerprint,
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
        run_id = _id(run)
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

    # What a run published ------------------------------------------------------------------------

    def records(self, run: str | RunRow, *, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The records of a complete run, or some columns of them, sorted by item_id.

        Raises: UnknownError for a run that is not there, running or failed, or an unknown column.
        """
        wanted = published.record_columns(columns)
        return self._access.frame(
            "records", (_id(run), *wanted), lambda s: published.records(s, _id(run), wanted)
        )

    def record(self, run: str | RunRow, item_id: str) -> pl.DataFrame:
        """The one record of an item in a complete run, as a frame of one row.

        Raises: UnknownError for a run or an item that is not there.
        """
        return self._access.frame(
            "record", (_id(run), item_id), lambda s: published.record(s, _id(run), item_id)
        )

    def items(self, run: str | RunRow) -> pl.DataFrame:
        """The items of a complete run as it saw them, at the revisions it had; sorted by item_id."""
        return self._access.frame("items", (_id(run),), lambda s: published.items(s, _id(run)))

    def stories(self, run: str | RunRow) -> pl.DataFrame:
        """The stories of a complete run, sorted by story_id."""
        return self._access.frame("stories", (_id(run),), lambda s: published.stories(s, _id(run)))

    def rejects(self, run: str | RunRow) -> pl.DataFrame:
        """The rows a complete run rejected, in the order it met them."""
        return self._access.frame("rejects", (_id(run),), lambda s: published.rejects(s, _id(run)))

    def stages(self, run: str | RunRow) -> pl.DataFrame:
        """The telemetry of a run that has ended, also of a failed one, in the order it came."""
        return self._access.frame("stages", (_id(run),), lambda s: published.stages(s, _id(run)))

    def history(
        self,
        profile_id: str,
        *,
        kind: str,
        window_start: datetime,
        as_of: datetime,
        before: date,
    ) -> History:
        """What a run of this profile may know of the past, read as of one instant.

        Items: the current revision of every item sighted in the 72 h before ``window_start`` or
        since, up to ``as_of``, and the older items of their stories, as the latest complete runs
        dated before ``before`` placed them. ``collected_at`` is an item's
        first sighting, ``seen_at`` its last. Shares are empty so far.
        """
        asked = past.Asked(
            profile_id=profile_id,
            kind=kind,
            window_start=window_start,
            as_of=as_of,
            before=before,
        )
        with self._access.reading("history") as (session, counted):
            found = past.read(session, asked)
            counted.rows_out = found.items.height
            return found

    # What people said ----------------------------------------------------------------------------

    def add_verdict(
        self,
        profile_id: str,
        *,
        story_id: str,
        decision: str,
        reason: str | None = None,
        given_at: datetime,
        expires_at: datetime | None = None,
        given_by: str | None = None,
    ) -> str:
        """Keep an editor's verdict on a story; gives its id. Earlier ones stay on the record."""
        row: dict[str, object] = {
            "profile_id": profile_id,
            "story_id": story_id,
            "decision": decision,
            "reason": reason,
            "given_at": given_at,
            "expires_at": expires_at,
            "given_by": given_by,
        }
        with self._access.writing("add_verdict") as (session, _):
            return verdicts.add_verdict(session, row)

    def verdicts(self, profile_id: str) -> pl.DataFrame:
        """Every verdict of a profile, expired or not, oldest first."""
        with self._access.reading("verdicts") as (session, _):
            return verdicts.verdicts(session, profile_id)

    def add_story_rule(
        self,
        profile_id: str,
        *,
        rule: str,
        item_a: str,
        item_b: str,
        made_at: datetime,
        made_by: str | None = None,
    ) -> None:
        """Keep a rule that two items are one story (``must_link``) or are not (``cannot_link``)."""
        row: dict[str, object] = {
            "profile_id": profile_id,
            "rule": rule,
            "item_a": item_a,
            "item_b": item_b,
            "made_at": made_at,
            "made_by": made_by,
        }
        with self._access.writing("add_story_rule") as (session, _):
            verdicts.add_story_rule(session, row)

    def story_rules(self, profile_id: str) -> pl.DataFrame:
        """Every story rule of a profile, oldest first."""
        with self._access.reading("story_rules") as (session, _):
            return verdicts.story_rules(session, profile_id)

    # The store itself ----------------------------------------------------------------------------

    @property
    def schema_version(self) -> int:
        """How many migrations the store has taken; 0 where there is none yet."""
        return self._access.schema_version()

    def info(self) -> StoreInfo:
        """The store at a glance, without reading what is in it."""
        return self._access.info()


def _id(run: str | RunRow) -> str:
    return run if isinstance(run, str) else run.run_id
