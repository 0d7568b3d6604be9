"""How the store's methods reach their sessions: measured, and through the cache where it may be."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from brandkit.errors import StoreError
from brandkit.store.cache import CacheCounts, QueryCache
from brandkit.store.files import stamp
from brandkit.store.session import Session, Sessions
from brandkit.store.tables import TABLES
from brandkit.telemetry import Measurement, Operation, Telemetry


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """A store at a glance: where, how large, which schema, how many rows in each table."""

    path: Path
    exists: bool
    n_bytes: int
    schema_version: int
    n_rows: Mapping[str, int]
    cache: CacheCounts | None


class Access:
    """Sessions on one file, with the cache and the telemetry that go with them."""

    def __init__(
        self, path: str | Path, *, cache: QueryCache | None, timeout_s: float, telemetry: Telemetry | None
    ) -> None:
        if str(path) == ":memory:":
            raise StoreError("a store cannot be in memory", hint="give a path in a temporary folder")
        # Resolved, so that two names of one file share one lock.
        self.path = Path(path).expanduser().resolve()
        self.sessions = Sessions(self.path, timeout_s=timeout_s)
        self.cache = cache
        self._telemetry = telemetry

    @contextmanager
    def writing(self, name: str, *, run_id: str | None = None) -> Iterator[tuple[Session, Measurement]]:
        """A transaction, measured as a store write."""
        with self._measured("store_write", name, run_id) as counted, self.sessions.write() as session:
            # Also within one transaction: what a history read there knew must not grow afterwards.
            session.new_write()
            yield session, counted

    @contextmanager
    def reading(self, name: str, *, run_id: str | None = None) -> Iterator[tuple[Session, Measurement]]:
        """A read session, measured as a store read."""
        with self._measured("store_read", name, run_id) as counted, self.sessions.read() as session:
            yield session, counted

    def frame(
        self, name: str, about: tuple[str, ...], query: Callable[[Session], pl.DataFrame]
    ) -> pl.DataFrame:
        """What the query finds, from the cache where nobody has written since it was last asked."""
        run_id = about[0] if about else None
        with self._measured("store_read", name, run_id) as counted:
            # What is not committed yet is for this transaction alone.
            cache = None if self.sessions.is_inside() else self.cache
            key: Hashable = (self.path, name, about)
            if cache is not None and (revision := self.sessions.revision()) is not None:
                if (found := cache.get(key, revision)) is not None:
                    counted.rows_out, counted.cache_hits = found.height, 1
                    return found
                counted.cache_misses = 1
            with self.sessions.read() as session:
                # Asked again inside the lock: only this is the revision of what is read.
                revision = self.sessions.revision()
                found = query(session)
            if cache is not None and revision is not None:
                counted.cache_evictions = cache.put(key, revision, found)
            counted.rows_out = found.height
            return found

    def schema_version(self) -> int:
        """How many migrations the store has taken; 0 where there is none yet."""
        with self.sessions.read() as session:
            return int(session.rows("SELECT coalesce(max(version), 0) FROM migrations")[0][0])

    def info(self) -> StoreInfo:
        """The store at a glance, in one view."""
        with self.reading("info") as (session, _):
            version = self.schema_version()
            n_rows = {table: session.rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}
        return StoreInfo(
            path=self.path,
            exists=(found := stamp(self.path)) is not None,
            n_bytes=0 if found is None else found[1],
            schema_version=version,
            n_rows=n_rows,
            cache=None if self.cache is None else self.cache.counts(),
        )

    def _measured(
        self, kind: Operation, name: str, run_id: str | None
    ) -> AbstractContextManager[Measurement]:
        if self._telemetry is None:
            return nullcontext(Measurement())
        return self._telemetry.measure(kind, name, run_id=run_id)


class HasAccess:
    """What the method groups of a StateStore share: the way to its sessions."""

    _access: Access

    @property
    def path(self) -> Path:
        """Where the file is, or will be; absolute."""
        return self._access.path
