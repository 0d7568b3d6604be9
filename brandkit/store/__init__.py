"""The store: runs, items, records and what people said, in one DuckDB file. All SQL lives here."""

from brandkit.store.cache import CacheCounts, QueryCache
from brandkit.store.items import UpsertCounts
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore, StoreInfo

__all__ = ["CacheCounts", "QueryCache", "RunRow", "StateStore", "StoreInfo", "UpsertCounts"]
