"""One run of a profile, kind and date at a time, over all processes and threads of a machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from brandkit.errors import RunBusyError
from brandkit.safe import path_segment
from brandkit.store import files, lock

Key = tuple[str, str, date]

_HELD: dict[tuple[Path, Key], int] = {}


@contextmanager
def run_lock(store: Path, key: Key, *, timeout_s: float) -> Iterator[None]:
    """Hold the run's lock for the block.

    Raises: RunBusyError naming who has it; StoreReadOnlyError where no lock can be made.
    """
    profile_id, kind, on = key
    folder = store.with_name(store.name + ".locks")
    parts = (
        path_segment(profile_id, kind="profile id"),
        path_segment(kind, kind="kind of run"),
        on.isoformat(),
    )
    name = ".".join(parts)
    files.make_parent(folder / name)
    held = lock.hold(folder / f"{name}.lock", exclusive=True, timeout_s=timeout_s, leave_file=False)
    try:
        held.__enter__()
    except lock.Held as error:
        raise RunBusyError(
            f"the {kind} run of {profile_id} for {on.isoformat()} is going on already",
            allowed=f"it is held by {error}",
            hint="wait for it to end, then look at its result",
        ) from None
    except OSError as error:
        raise files.unwritable(folder / name, error) from error
    _HELD[store, key] = threading.get_ident()
    try:
        yield
    finally:
        _HELD.pop((store, key), None)
        held.__exit__(None, None, None)


def is_held_here(store: Path, key: Key) -> bool:
    """Whether this very thread is inside ``run_lock`` of that run."""
    return _HELD.get((store, key)) == threading.get_ident()
