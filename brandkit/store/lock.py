"""A lock between processes and threads: an empty file beside what it guards, held with flock.

The kernel frees the lock of a process that dies, so nothing has to be cleaned up after a crash.
The file says who holds it, for the message alone. POSIX only, and not proven on network drives.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TOKEN_BYTES = 16
_HOLDER_AT = 2 * _TOKEN_BYTES + 1
_HOLDER_BYTES = 160
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.001, 0.05
_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


class Held(Exception):
    """Somebody else holds the lock; the text says who, as far as the file tells."""


@contextmanager
def hold(path: Path, *, exclusive: bool, timeout_s: float, leave_file: bool = True) -> Iterator[int | None]:
    """Hold the lock for the block: alone, or together with others who share it.

    Gives the open lock file, or None where a reader finds none and may not make one: then nobody
    has ever written there, and nobody with these rights can.

    Raises: Held after ``timeout_s``; OSError where the file cannot be made.
    """
    descriptor = _acquire(path, exclusive=exclusive, deadline=time.monotonic() + timeout_s)
    try:
        if descriptor is not None:
            _sign(descriptor, "writing" if exclusive else "reading")
        yield descriptor
    finally:
        if not leave_file:
            with suppress(OSError):
                path.unlink()
        if descriptor is not None:
            # Unlocked by name: closing alone would leave the lock to a forked child's copy.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)


def _acquire(path: Path, *, exclusive: bool, deadline: float) -> int | None:
    wanted = (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB
    wait = _FIRST_WAIT_S
    while True:
        descriptor = _open(path, exclusive=exclusive)
        if descriptor is None:
            return None
        try:
            fcntl.flock(descriptor, wanted)
            if _is_still_there(descriptor, path):
                return descriptor
            os.close(descriptor)
            continue
        except BlockingIOError:
            holder = _holder(descriptor)
            os.close(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        if time.monotonic() >= deadline:
            raise Held(holder)
        time.sleep(min(wait, max(0.0, deadline - time.monotonic())))
        wait = min(2 * wait, _LONGEST_WAIT_S)


def _open(path: Path, *, exclusive: bool) -> int | None:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        if exclusive or error.errno not in _UNWRITABLE:
            raise
    try:
        return os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None


def _is_still_there(descriptor: int, path: Path) -> bool:
    # A holder that leaves may remove the file: a lock on a removed file guards nothing.
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _sign(descriptor: int, doing: str) -> None:
    since = time.strftime("%H:%M:%S UTC", time.gmtime())
    line = f"process {os.getpid()} on {socket.gethostname()[:64]}, {doing} since {since}"
    # A reader without the right to write here still holds its lock, only without a name.
    with suppress(OSError):
        os.pwrite(descriptor, line.encode().ljust(_HOLDER_BYTES), _HOLDER_AT)


def _holder(descriptor: int) -> str:
    text = os.pread(descriptor, _HOLDER_BYTES, _HOLDER_AT).decode(errors="replace").strip()
    return text or "another process"


def renew_token(descriptor: int) -> None:
    """Mark that what the lock guards is about to change; only an exclusive holder may."""
    os.pwrite(descriptor, os.urandom(_TOKEN_BYTES).hex().encode() + b"\n", 0)


def token(path: Path) -> bytes:
    """The mark of the last writer, read without the lock; empty where there has been none."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.pread(descriptor, 2 * _TOKEN_BYTES, 0)
    finally:
        os.close(descriptor)
