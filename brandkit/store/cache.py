"""What was read before, while the store has not changed since: bounded, and counted."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class CacheCounts:
    """How a cache has done so far, and what it holds now."""

    hits: int
    misses: int
    evictions: int
    entries: int
    n_bytes: int


class QueryCache:
    """Frames by query, least recently used out first. Safe from several threads.

    An entry is good for one revision of its store: any write, by this process or another, ends it.
    An entry that a write ended is a miss, and no eviction: evictions count what the bounds cost.
    """

    def __init__(self, *, max_entries: int = 64, max_bytes: int = 256 * 1024 * 1024) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, tuple[Hashable, pl.DataFrame, int]] = OrderedDict()
        self._bytes = 0
        self._hits = self._misses = self._evictions = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, revision: Hashable) -> pl.DataFrame | None:
        """The caller's own copy of the frame, or None where there is none of this revision."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry[0] != revision:
                self._drop(key)
                entry = None
            if entry is None:
                self._misses += 1
                return None
            self._entries.move_to_end(key)
            self._hits += 1
            # A clone shares the data until somebody changes it, then the changer alone copies.
            return entry[1].clone()

    def put(self, key: Hashable, revision: Hashable, frame: pl.DataFrame) -> int:
        """Keep a frame; gives how many others had to go."""
        size = int(frame.estimated_size())
        with self._lock:
            if key in self._entries:
                self._drop(key)
            if size > self._max_bytes or self._max_entries < 1:
                return 0
            self._entries[key] = (revision, frame.clone(), size)
            self._bytes += size
            evicted = 0
            while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
                self._drop(next(iter(self._entries)))
                evicted += 1
            self._evictions += evicted
            return evicted

    def clear(self) -> None:
        """Let everything go; the counts stay."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def counts(self) -> CacheCounts:
        """Hits, misses and evictions so far; entries and bytes now."""
        with self._lock:
            return CacheCounts(self._hits, self._misses, self._evictions, len(self._entries), self._bytes)

    def _drop(self, key: Hashable) -> None:
        self._bytes -= self._entries.pop(key)[2]


# One for the process: stores of one file share what they read, whoever opened them.
SHARED_CACHE = QueryCache()
