"""StateStore: what runs leave behind, and what people say of it, in one DuckDB file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from brandkit.store.access import Access, StoreInfo
from brandkit.store.alert_methods import AlertMethods
from brandkit.store.cache import SHARED_CACHE, QueryCache
from brandkit.store.desk_methods import DeskMethods
from brandkit.store.find_methods import FindMethods
from brandkit.store.item_methods import ItemMethods
from brandkit.store.lookup_methods import LookupMethods
from brandkit.store.privacy_methods import PrivacyMethods
from brandkit.store.read_methods import ReadMethods
from brandkit.store.run_methods import RunMethods
from brandkit.store.runs import RunRow
from brandkit.store.trend_methods import TrendMethods
from brandkit.telemetry import Telemetry

__all__ = ["RunRow", "StateStore", "StoreInfo"]


class StateStore(
    ItemMethods,
    RunMethods,
    ReadMethods,
    DeskMethods,
    LookupMethods,
    AlertMethods,
    PrivacyMethods,
    FindMethods,
    TrendMethods,
):
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

    @property
    def schema_version(self) -> int:
        """How many migrations the store has taken; 0 where there is none yet."""
        return self._access.schema_version()

    def info(self) -> StoreInfo:
        """The store at a glance, without reading what is in it."""
        return self._access.info()
