"""What an operation took, counted where it ran: local only, and no content in any event.

An event says how many and how long, never what about. Durations come from monotonic clocks; the
instant a run happened is the Task's business.
"""

from __future__ import annotations

import logging
import re
import resource
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

log = logging.getLogger(__name__)
log.addHandler(logging.NullHandler())

Operation = Literal["stage", "store_read", "store_write", "fetch", "render", "cache"]
Hook = Callable[["StageEvent"], object]

WITHHELD = "(withheld)"
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,120}")
# Kibibytes on Linux, bytes on macOS.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def _name(text: str) -> str:
    # A title, a URL or a message may reach a field by mistake; none is shaped like a name.
    return text if _NAME.fullmatch(text) else WITHHELD


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEvent:
    """One operation that has ended: its name, its counts and its cost.

    Text that is not a name (letters, digits, ``_ . : -``) is replaced by ``(withheld)``, so no title
    and no address is ever held.

    Units: seconds; bytes. ``cpu_s`` and ``peak_memory`` are the whole process's, all threads.
    Nulls: a row count is None where it is not known, which is not 0.
    """

    kind: Operation
    name: str
    run_id: str | None = None
    rows_in: int | None = None
    rows_out: int | None = None
    rejected: int = 0
    folded: int = 0
    rows_added: int = 0
    set_aside: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_memory: int | None = None
    cache_hits: int = 0
    cache_misses: int = 0
    cache_evictions: int = 0
    retries: int = 0
    warnings: tuple[str, ...] = ()
    error: str | None = None

    def __post_init__(self) -> None:
        """Withhold what is not a name."""
        names = {
            "name": _name(self.name),
            "run_id": None if self.run_id is None else _name(self.run_id),
            "warnings": tuple(_name(warning) for warning in self.warnings),
            "error": None if self.error is None else _name(self.error),
        }
        for key, value in names.items():
            object.__setattr__(self, key, value)


@dataclass(slots=True, kw_only=True)
class Measurement:
    """What the caller of ``Telemetry.measure`` fills in while the operation runs."""

    rows_in: int | None = None
    rows_out: int | None = None
    rejected: int = 0
    folded: int = 0
    rows_added: int = 0
    set_aside: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    cache_evictions: int = 0
    retries: int = 0
    warnings: list[str] = field(default_factory=list)


class Telemetry:
    """The events of this process, newest kept, and the hooks that are told of each.

    Safe from several threads. A hook runs on the thread that recorded; one that raises is counted,
    warned of once in the log, and never fails the run.
    """

    def __init__(self, hooks: Iterable[Hook] = (), *, limit: int = 10_000) -> None:
        self._hooks = tuple(hooks)
        self._events: deque[StageEvent] = deque(maxlen=limit)
        self._recorded = 0
        self._failures: Counter[int] = Counter()
        self._lock = threading.Lock()

    def record(self, event: StageEvent) -> None:
        """Keep an event and tell the hooks."""
        with self._lock:
            self._events.append(event)
            self._recorded += 1
        # Outside the lock: a hook may read this object, or take its time.
        for position, hook in enumerate(self._hooks):
            try:
                hook(event)
            except Exception as error:
                self._note_failure(position, hook, error)

    def _note_failure(self, position: int, hook: Hook, error: Exception) -> None:
        with self._lock:
            self._failures[position] += 1
            is_first = self._failures[position] == 1
        if is_first:
            name = getattr(hook, "__qualname__", type(hook).__qualname__)
            # The type alone: a message may quote what the hook was shown.
            log.warning("telemetry hook %s failed (%s); the run goes on", name, type(error).__name__)

    @contextmanager
    def measure(self, kind: Operation, name: str, *, run_id: str | None = None) -> Iterator[Measurement]:
        """Time the block and record it, also when it raises; the error goes on to the caller.

        Example:
            >>> telemetry = Telemetry()
            >>> with telemetry.measure("stage", "copies") as counts:
            ...     counts.rows_in = counts.rows_out = 3
            >>> telemetry.events[0].rows_out
            3
        """
        counts = Measurement()
        error: str | None = None
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield counts
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
            self.record(
                StageEvent(
                    kind=kind,
                    name=name,
                    run_id=run_id,
                    rows_in=counts.rows_in,
                    rows_out=counts.rows_out,
                    rejected=counts.rejected,
                    folded=counts.folded,
                    rows_added=counts.rows_added,
                    set_aside=counts.set_aside,
                    wall_s=wall_s,
                    cpu_s=cpu_s,
                    peak_memory=peak_memory(),
                    cache_hits=counts.cache_hits,
                    cache_misses=counts.cache_misses,
                    cache_evictions=counts.cache_evictions,
                    retries=counts.retries,
                    warnings=tuple(counts.warnings),
                    error=error,
                )
            )

    @property
    def events(self) -> tuple[StageEvent, ...]:
        """The events still held, oldest first."""
        with self._lock:
            return tuple(self._events)

    @property
    def dropped(self) -> int:
        """How many events the limit has pushed out."""
        with self._lock:
            return self._recorded - len(self._events)

    @property
    def hook_failures(self) -> int:
        """How often a hook raised."""
        with self._lock:
            return self._failures.total()

    def frame(self) -> pl.DataFrame:
        """The events still held as a frame, oldest first.

        Shape: one row per event: ``seq`` (its number in this process, from 0), then the event's fields.
        """
        import polars as pl

        with self._lock:
            events, first = tuple(self._events), self._recorded - len(self._events)
        columns = {key: [getattr(event, key) for event in events] for key in EVENT_FIELDS}
        return pl.DataFrame(
            {"seq": range(first, first + len(events)), **columns}, schema={"seq": pl.Int64, **event_schema()}
        )


EVENT_FIELDS = tuple(f.name for f in fields(StageEvent))


def event_schema() -> dict[str, pl.DataType]:
    """The Polars types of an event's fields, in their order."""
    import polars as pl

    kinds: dict[str, pl.DataType] = {
        "str": pl.String(),
        "int": pl.Int64(),
        "float": pl.Float64(),
        "tuple[str, ...]": pl.List(pl.String()),
        "Operation": pl.String(),
    }
    return {f.name: kinds[str(f.type).removesuffix(" | None")] for f in fields(StageEvent)}


def peak_memory() -> int:
    """The most memory this process has held so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT
