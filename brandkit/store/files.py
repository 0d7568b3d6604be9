"""The store's file as a file: made, checked, opened, copied; what DuckDB says of it put plainly."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import duckdb

from brandkit.errors import (
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreNewerError,
    StoreReadOnlyError,
)
from brandkit.store import migrations

# Files that DuckDB 1.5 and 2.0 both read.
STORAGE_VERSION = "v1.5.0"
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}
_MOST_MEMORY = 2 * 1024**3
_MAGIC_AT, _MAGIC = 8, b"DUCK"
_RECOVER = "put a backup in its place, or move the file away and run again: a new one is made"
_SAYS: tuple[tuple[type[StoreError], str], ...] = (
    (StoreBusyError, r"could not set lock|conflicting lock|different configuration|unique file handle"),
    (StoreNewerError, r"version number \d+|newer version of duckdb|serialization version"),
    (StoreReadOnlyError, r"permission denied|read-only"),
    (
        StoreCorruptError,
        r"corrupt|not a valid duckdb|read enough bytes|checksum|failed to deserialize|replaying wal",
    ),
)


def wal(path: Path) -> Path:
    """Where DuckDB keeps what is committed and not yet in the file itself."""
    return path.with_name(path.name + ".wal")


def stamp(path: Path) -> tuple[int, int, int] | None:
    """Inode, size and time of change; None for a file that is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def make_parent(path: Path) -> None:
    """Make the folder a new store will stand in."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except PermissionError as error:
        raise unwritable(path, error) from error
    except OSError as error:
        raise StoreError(f"no folder for the store {path} can be made", allowed=str(error)) from error


def check(path: Path) -> bool:
    """Whether a DuckDB file is there, seen before DuckDB touches it.

    Raises: StoreError for a folder; StoreCorruptError for any other file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_MAGIC_AT + len(_MAGIC))
    except FileNotFoundError:
        return False
    except IsADirectoryError:
        hint = f"give a file in it: {path / 'brandkit.duckdb'}"
        raise StoreError(f"the store {path} is a folder", hint=hint) from None
    except OSError as error:
        raise StoreError(f"the store {path} cannot be read", allowed=str(error.strerror)) from error
    if head[_MAGIC_AT:] != _MAGIC:
        what = "is empty: zero bytes" if not head else "is not a DuckDB file"
        raise StoreCorruptError(f"the store {path} {what}", hint=_RECOVER)
    return True


def connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """A connection that can reach this file and nothing else."""
    try:
        config = {**_CONFIG, "storage_compatibility_version": STORAGE_VERSION}
        return _closed_in(duckdb.connect(str(path), read_only=read_only, config=config))
    except duckdb.Error as error:
        raise explained(error, path) from error


def connect_nowhere() -> duckdb.DuckDBPyConnection:
    """A connection to empty tables in memory: what is read where there is no store yet."""
    con = _closed_in(duckdb.connect(":memory:", config=_CONFIG))
    migrations.create_tables(con)
    return con


def _closed_in(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    # In this order: once the configuration is locked, the zone can no longer be set.
    con.execute("SET GLOBAL TimeZone = 'UTC'")
    # In a kernel the switch can be touched only where widgets are installed, and only there is it on.
    if con.sql("SELECT current_setting('enable_progress_bar')").fetchall()[0][0]:
        con.execute("SET enable_progress_bar = false")
    # Left alone, a large load fills four fifths of the machine with pages it will not read again.
    con.execute(f"SET memory_limit = '{min(_MOST_MEMORY, _machine_memory() // 2)}B'")
    con.execute("SET lock_configuration = true")
    return con


def _machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def create(path: Path) -> None:
    """Make a new store, whole or not at all: a crash leaves no half-made file under its name."""
    unfinished = path.with_name(f".{path.name}.new")
    try:
        for leftover in (unfinished, wal(unfinished)):
            leftover.unlink(missing_ok=True)
        con = connect(unfinished, read_only=False)
        try:
            migrations.apply(con, migrations.MIGRATIONS)
        finally:
            con.close()
        unfinished.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error


def back_up(path: Path, *, before: str) -> Path:
    """Copy the closed file, and what is still beside it, ahead of a migration; gives the copy's path."""
    copy = path.with_name(f"{path.name}.before-{before}")
    unfinished = copy.with_name(f".{copy.name}.new")
    try:
        if wal(path).exists():
            shutil.copyfile(wal(path), wal(copy))
        shutil.copyfile(path, unfinished)
        unfinished.replace(copy)
    except OSError as error:
        raise StoreError(
            f"the store {path} could not be copied before the migration '{before}'",
            allowed=str(error),
            hint="make room in its folder; nothing was changed",
        ) from error
    return copy


def compact(path: Path) -> None:
    """Write the closed file anew without what was deleted from it, which DuckDB would leave in place."""
    unfinished = path.with_name(f".{path.name}.new")
    for leftover in (unfinished, wal(unfinished)):
        leftover.unlink(missing_ok=True)
    config = {**_CONFIG, "enable_external_access": "true", "storage_compatibility_version": STORAGE_VERSION}
    try:
        con = duckdb.connect(str(unfinished), config=config)
        try:
            name = str(path).replace("'", "''")
            con.execute(f"ATTACH '{name}' AS old (READ_ONLY)")
            (new,) = con.sql("SELECT current_database()").fetchall()[0]
            con.execute(f'COPY FROM DATABASE old TO "{new}"')
            con.execute("DETACH old")
        finally:
            con.close()
        unfinished.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    except duckdb.Error as error:
        raise explained(error, path) from error


def may_write(path: Path) -> bool:
    """Whether this process may write the file, or make files in the folder."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def unwritable(path: Path, error: OSError | None) -> StoreError:
    """What to tell of a store that cannot be written."""
    what = path if path.exists() and not may_write(path) else path.parent
    why = error.strerror if error is not None and error.strerror else "no right to write"
    return StoreReadOnlyError(
        f"the store {path} cannot be written",
        allowed=f"{why}: {what}",
        hint="change its rights, or set BRANDKIT_DB_PATH to a file you may write",
    )


def explained(error: Exception, path: Path) -> StoreError:
    """DuckDB's error as one of ours: busy, newer, read-only, damaged, or else what it said."""
    text = str(error)
    kind = next((kind for kind, pattern in _SAYS if re.search(pattern, text, re.IGNORECASE)), StoreError)
    said = (text.strip().splitlines() or [type(error).__name__])[0][:300]
    if kind is StoreBusyError:
        pid = re.search(r"PID (\d+)", text)
        holder = f"process {pid[1]}" if pid else "this process, outside brandkit"
        return StoreBusyError(
            f"the store {path} is held by {holder}", allowed=said, hint="close it there, then try again"
        )
    if kind is StoreNewerError:
        return StoreNewerError(
            f"the store {path} was written by a later DuckDB than {duckdb.__version__}",
            allowed=said,
            hint="upgrade duckdb; nothing was written",
        )
    if kind is StoreReadOnlyError:
        return unwritable(path, None)
    if kind is StoreCorruptError or isinstance(error, (duckdb.FatalException, duckdb.SerializationException)):
        return StoreCorruptError(f"the store {path} is damaged", allowed=said, hint=_RECOVER)
    return StoreError(f"the store {path} could not do what was asked", allowed=said)
