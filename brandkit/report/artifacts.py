"""Where reports are kept: a folder for each, put in place whole, with a ``run.json`` that proves it.

``<root>/<report>/<date>/<run_id>/``. A name that begins with a dot is not finished and nobody's to read.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from brandkit.errors import ReportError, RunBusyError
from brandkit.safe import path_segment
from brandkit.store import lock

MANIFEST = "run.json"
_PLAIN = re.compile(r"[a-z0-9_.-]{1,64}")
_UNDATED = "undated"
# A report that another process makes is done in a minute; whoever waits longer is told who has it.
_PATIENCE_S = 60.0
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


@dataclass(frozen=True, slots=True)
class Place:
    """Where one report goes: ``final`` once it is whole, ``made`` until then, ``failed`` if it never is."""

    root: Path
    name: str
    on: date | None
    run: str

    @property
    def final(self) -> Path:
        """The folder that readers open."""
        return self._day / self.run

    @property
    def made(self) -> Path:
        """The folder that is being filled."""
        return self._day / f".{self.run}.part"

    @property
    def aside(self) -> Path:
        """Where the earlier report stands for a moment, on a system that cannot exchange two folders."""
        return self._day / f".{self.run}.before"

    @property
    def failed(self) -> Path:
        """The folder of what went wrong."""
        return self._day / f"{self.run}.failed"

    @property
    def _day(self) -> Path:
        return self.root / path_segment(self.name) / (self.on.isoformat() if self.on else _UNDATED)


def folder_of(run_id: str, beside: Mapping[str, object]) -> str:
    """A folder's name: the run's, and what else tells this report from others of the same run."""
    if not beside:
        return run_id
    plain = ".".join(f"{name}-{value}" for name, value in beside.items())
    told = hashlib.sha256(plain.encode()).hexdigest()[:12]
    return f"{run_id}.{plain if _PLAIN.fullmatch(plain) else told}"


@contextmanager
def building(place: Place) -> Iterator[Path]:
    """An empty folder to fill, for this process alone; what is left in it at the end is taken away.

    Raises: RunBusyError where another process makes the same report; ReportError where nothing can
            be written.
    """
    guard = place.made.with_suffix(".lock")
    try:
        guard.parent.mkdir(parents=True, exist_ok=True)
        with lock.hold(guard, exclusive=True, timeout_s=_PATIENCE_S, leave_file=False):
            _tidy(place)
            place.made.mkdir()
            try:
                yield place.made
            finally:
                shutil.rmtree(place.made, ignore_errors=True)
    except lock.Held as held:
        raise RunBusyError(
            f"report {place.name} of {place.run} is being made elsewhere", where=str(held)
        ) from held
    except OSError as error:
        raise unwritable(error, place.final.parent) from error


def unwritable(error: OSError, where: Path, *, hint: str = "") -> ReportError:
    """What an operating system said of a place, as an error of ours."""
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    hints = ["free some space, then try again"] if is_full else []
    hints += [hint] if hint else []
    what = f"cannot write to '{error.filename or where}': {error.strerror or error}"
    return ReportError(what, hint="\n  ".join(hints))


def _tidy(place: Place) -> None:
    # Only the holder of the lock is here: whoever left these has died.
    if place.aside.is_dir() and not place.final.exists():
        os.rename(place.aside, place.final)
    shutil.rmtree(place.aside, ignore_errors=True)
    shutil.rmtree(place.made, ignore_errors=True)


def put(place: Place) -> Path:
    """Put what was made in place, in one step, and take the earlier report and failures away."""
    for path in (*sorted(place.made.iterdir()), place.made):
        _flush(path)
    if not place.final.exists():
        os.rename(place.made, place.final)
    elif not _exchanged(place.made, place.final):
        os.rename(place.final, place.aside)
        os.rename(place.made, place.final)
        shutil.rmtree(place.aside, ignore_errors=True)
    _flush(place.final.parent)
    shutil.rmtree(place.failed, ignore_errors=True)
    return place.final


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exchanged(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system has no such call."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    done = call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), ctypes.c_uint(_RENAME_EXCHANGE))
    return bool(done == 0)


# What proves a report ------------------------------------------------------------------------------


def sha256(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, told: Mapping[str, Any]) -> None:
    """Write ``run.json``: what the report is of and was made with, and each file's size and hash."""
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in sorted(folder.iterdir())
        if path.name != MANIFEST
    }
    text = json.dumps({**told, "files": files}, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / MANIFEST).write_text(f"{text}\n", encoding="utf-8")


def manifest(folder: Path) -> dict[str, Any] | None:
    """The ``run.json`` of a report that is whole, each file as it was made; None where it is not."""
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        is_whole = bool(told["files"]) and all(
            sha256(folder / name) == file["sha256"] for name, file in told["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return told if is_whole else None


def last_good(place: Place, profile_id: str) -> Path | None:
    """The newest whole report of that kind and profile, up to the day in question."""
    here = manifest(place.final)
    if here is not None:
        return place.final
    until = place.on.isoformat() if place.on else _UNDATED
    days = [day for day in sorted(_folders(place.root / place.name), reverse=True) if day.name <= until]
    for day in days:
        whole = ((folder, manifest(folder)) for folder in _folders(day))
        found = [
            (told.get("attempt") or 0, folder) for folder, told in whole if told and _is_of(told, profile_id)
        ]
        if found:
            return max(found)[1]
    return None


def _is_of(told: Mapping[str, Any], profile_id: str) -> bool:
    return bool(told.get("profile_id") == profile_id)


def _folders(path: Path) -> list[Path]:
    try:
        return [entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    except OSError:
        return []
