"""The only way to the store's file: a lock, a short connection inside it, nothing kept between.

DuckDB 2.0.0 reads a file's headers before it locks it, so two processes opening and closing at one
moment lose committed data without a word. Hence our own lock around open and close, always.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Hashable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from brandkit.errors import StoreBusyError, StoreError
from brandkit.store import files, lock, migrations
from brandkit.store.tables import TABLES, Columns, chunks, listed, restored
from brandkit.store.veil import Veil, make_key

Parameters = Mapping[str, object]


class Session:
    """An open connection inside the lock, handed to the functions that hold the SQL."""

    def __init__(self, con: duckdb.DuckDBPyConnection, path: Path, veil: Veil, *, writable: bool) -> None:
        self.writable = writable
        self.veil = veil
        # DuckDB's commit after an error returns as if all were well, and has rolled back.
        self.doomed = False
        self._number: int | None = None
        self._con = con
        self._path = path

    def rows(self, sql: str, parameters: Parameters | None = None) -> list[tuple[Any, ...]]:
        """The rows of a small result."""
        with self._watched():
            return list(self._con.sql(sql, params=dict(parameters or {})).fetchall())

    def frame(self, sql: str, columns: Columns, parameters: Parameters | None = None) -> pl.DataFrame:
        """A result as a frame with the types given, in the order DuckDB had it."""
        with self._watched():
            found = self._con.sql(sql, params=dict(parameters or {})).pl()
        return self.veil.show(restored(found, columns))

    def run(self, sql: str, parameters: Parameters | None = None) -> None:
        """Execute a statement that gives no rows back."""
        with self._watched():
            self._con.execute(sql, dict(parameters or {})).fetchall()

    @contextmanager
    def given(self, name: str, frame: pl.DataFrame) -> Iterator[None]:
        """The frame under a name that SQL may use within the block."""
        with self._watched():
            self._con.register(name, frame)
        try:
            yield
        finally:
            self._con.unregister(name)

    def new_write(self) -> None:
        """What is written from here on is another write than what was written before."""
        self._number = None

    @property
    def write_number(self) -> int:
        """The number of the write that goes on, one more than the last; taken when first asked for."""
        if self._number is None:
            self.run("INSERT INTO writes SELECT coalesce(max(n), 0) + 1 FROM writes")
            self._number = self.known_through()
        return self._number

    def known_through(self) -> int:
        """The number of the last write: what is read here is known through it."""
        ((number,),) = self.rows("SELECT coalesce(max(n), 0) FROM writes")
        return int(number)

    def insert(self, table: str, frame: pl.DataFrame | pl.LazyFrame) -> int:
        """Add the rows to a table, by column name, a chunk at a time; gives how many.

        Where the table keeps it, each row gets the number of the write.
        """
        added = 0
        for chunk in chunks(frame):
            if chunk.height == 0:
                continue
            if "written" in TABLES[table]:
                chunk = chunk.with_columns(written=pl.lit(self.write_number, pl.Int64))
            names = listed(chunk.columns)
            with self.given("chunk", self.veil.hide(chunk)):
                self.run(f"INSERT INTO {table} ({names}) SELECT {names} FROM chunk")
            added += chunk.height
        return added

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            self.doomed = True
            raise files.explained(error, self._path) from error


class _Shared:
    """What the threads of this process share about one file."""

    def __init__(self) -> None:
        self.mutex = threading.RLock()
        self.session: Session | None = None
        self.owner = 0


_SHARED: dict[Path, _Shared] = {}
_SHARED_GUARD = threading.Lock()


def _forget_after_fork() -> None:
    # The child has no right to a lock, a mutex or a connection its parent held at that moment.
    global _SHARED_GUARD
    _SHARED_GUARD = threading.Lock()
    _SHARED.clear()


os.register_at_fork(after_in_child=_forget_after_fork)


class Sessions:
    """Opens sessions on one file, for any number of threads and processes.

    One thread of a process is inside at a time; what it opens within joins the session it has.
    """

    def __init__(self, path: Path, *, timeout_s: float) -> None:
        self.path = path
        self.lock_path = path.with_name(path.name + ".lock")
        self._timeout_s = timeout_s
        self._veil = Veil(path)

    @property
    def _shared(self) -> _Shared:
        # Looked up each time: a forked child must not go on with what its parent had open.
        with _SHARED_GUARD:
            return _SHARED.setdefault(self.path, _Shared())

    def is_inside(self) -> bool:
        """Whether this thread has a session open already."""
        return self._shared.session is not None and self._shared.owner == threading.get_ident()

    def revision(self) -> Hashable | None:
        """What changes with every write by anybody; None where there is no store to have one."""
        stamps = [files.stamp(self.path), files.stamp(files.wal(self.path))]
        return None if stamps[0] is None else (lock.token(self.lock_path), *stamps)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction: all of the block or none of it. An inner one is part of the outer one."""
        with self._turn() as left_s:
            if (session := self._shared.session) is not None:
                with _joined(session, self.path):
                    yield session
                return
            files.check(self.path)
            files.make_parent(self.path)
            with self._locked(exclusive=True, timeout_s=left_s) as descriptor:
                # Before the first change, so that no reader can keep what it replaces.
                if descriptor is not None:
                    lock.renew_token(descriptor)
                with (
                    closing(self._open_to_write()) as con,
                    self._session(con, writable=True) as session,
                    _transaction(con, session, self.path),
                ):
                    yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A view that does not change within the block; inside a transaction, that transaction's."""
        with self._turn() as left_s, ExitStack() as stack:
            if (session := self._shared.session) is not None:
                yield session
                return
            con = self._open_to_read(stack, left_s)
            yield stack.enter_context(self._session(con, writable=False))

    def compact(self) -> None:
        """Write the file anew without what was deleted: until then, it can still be found in it.

        Raises: StoreError inside a transaction, whose file must stay where it is.
        """
        with self._turn() as left_s:
            if self._shared.session is not None:
                raise StoreError(f"the store {self.path} cannot be compacted inside a transaction")
            if files.check(self.path):
                with self._locked(exclusive=True, timeout_s=left_s) as descriptor:
                    if descriptor is not None:
                        lock.renew_token(descriptor)
                    # What is still beside the file belongs to it.
                    files.connect(self.path, read_only=False).close()
                    files.compact(self.path)

    @contextmanager
    def _turn(self) -> Iterator[float]:
        started = time.monotonic()
        if not self._shared.mutex.acquire(timeout=self._timeout_s):
            raise _busy(self.path, "another thread of this process", self._timeout_s)
        try:
            yield max(0.0, self._timeout_s - (time.monotonic() - started))
        finally:
            self._shared.mutex.release()

    @contextmanager
    def _locked(self, *, exclusive: bool, timeout_s: float) -> Iterator[int | None]:
        with ExitStack() as stack:
            try:
                descriptor = stack.enter_context(
                    lock.hold(self.lock_path, exclusive=exclusive, timeout_s=timeout_s)
                )
            except lock.Held as held:
                raise _busy(self.path, str(held), self._timeout_s) from None
            except OSError as error:
                raise files.unwritable(self.path, error) from error
            yield descriptor

    @contextmanager
    def _session(self, con: duckdb.DuckDBPyConnection, *, writable: bool) -> Iterator[Session]:
        session = Session(con, self.path, self._veil, writable=writable)
        self._shared.session, self._shared.owner = session, threading.get_ident()
        try:
            yield session
        finally:
            self._shared.session = None

    def _open_to_read(self, stack: ExitStack, timeout_s: float) -> duckdb.DuckDBPyConnection:
        if not files.check(self.path):
            return stack.enter_context(closing(files.connect_nowhere()))
        stack.enter_context(self._locked(exclusive=False, timeout_s=timeout_s))
        con = stack.enter_context(closing(files.connect(self.path, read_only=True)))
        if not migrations.pending(con, self.path):
            return con
        # Taking the pending steps is a write, whatever the caller came for.
        stack.close()
        with self.write():
            pass
        stack.enter_context(self._locked(exclusive=False, timeout_s=timeout_s))
        return stack.enter_context(closing(files.connect(self.path, read_only=True)))

    def _open_to_write(self) -> duckdb.DuckDBPyConnection:
        if not self.path.exists():
            # The key first: a store without one could not take an account in.
            make_key(self.path)
            files.create(self.path)
        elif not (files.may_write(self.path) and files.may_write(self.path.parent)):
            raise files.unwritable(self.path, None)
        with ExitStack() as stack:
            con = stack.enter_context(closing(files.connect(self.path, read_only=False)))
            if steps := migrations.pending(con, self.path):
                # Closed for the copy: only then is everything in the one file.
                stack.close()
                files.back_up(self.path, before=steps[0].name)
                con = stack.enter_context(closing(files.connect(self.path, read_only=False)))
                migrations.apply(con, steps)
            stack.pop_all()
            return con


@contextmanager
def _joined(session: Session, path: Path) -> Iterator[None]:
    if not session.writable:
        raise StoreError(
            f"the store {path} cannot be written while the same thread reads it",
            hint="open transaction() first; reads inside it see what it wrote",
        )
    try:
        yield
    except BaseException:
        session.doomed = True
        raise


@contextmanager
def _transaction(con: duckdb.DuckDBPyConnection, session: Session, path: Path) -> Iterator[None]:
    con.begin()
    try:
        yield
        if session.doomed:
            raise StoreError(
                f"nothing of the transaction was written to {path}",
                allowed="a part of it had failed, and the failure was caught inside it",
                hint="catch errors outside the outermost transaction",
            )
    except BaseException:
        with suppress(duckdb.Error):
            con.rollback()
        raise
    else:
        try:
            con.commit()
        except duckdb.Error as error:
            raise files.explained(error, path) from error


def _busy(path: Path, holder: str, timeout_s: float) -> StoreBusyError:
    return StoreBusyError(
        f"the store {path} is held by {holder}",
        allowed=f"waited {timeout_s:g} s",
        hint="try again when it is done",
    )
