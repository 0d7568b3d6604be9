"""The store: many items at once against one at a time, and a read from the cache against one from disk."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import polars as pl
from polars.testing import assert_frame_equal

from benchmarks import frames
from benchmarks.measure import Comparison, compare, seconds
from brandkit.store.cache import QueryCache
from brandkit.store.state import StateStore

# One upsert at a time costs its whole lock, open, commit and close; this many show what one takes.
SINGLES = 100


def upserts(rows: int) -> Comparison:
    """Upserting ``rows`` items as one frame against one call each."""
    items = frames.items(rows)
    n = min(SINGLES, rows)
    with tempfile.TemporaryDirectory() as folder:
        bulk, single = (StateStore(Path(folder) / f"{name}.duckdb") for name in ("bulk", "single"))
        start = perf_counter()
        bulk.upsert_items(items)
        fast = perf_counter() - start
        # The single ones go into a store of the same size, so that both meet the same table.
        single.upsert_items(items[n:])
        start = perf_counter()
        for row in items[:n].iter_rows(named=True):
            single.upsert_item(row)
        slow = (perf_counter() - start) * rows / n
        equal = _stored(bulk).equals(_stored(single))
    return compare(
        "bulk upsert against single", rows, fast_s=fast, slow_s=slow, target=100, equal=equal, sampled=n
    )


def cached_records(rows: int) -> Comparison:
    """``records(run)`` again from the cache against from the file."""
    made = frames.records(rows)
    context = frames.context()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.duckdb"
        store, plain = StateStore(path, cache=QueryCache()), StateStore(path, cache=None)
        run = store.start_run(
            frames.PROFILE.id,
            kind="daily",
            run_on=(frames.AS_OF - timedelta(days=1)).date(),
            as_of=context.as_of,
            window_start=context.window_start,
            started_at=context.as_of,
            profile_json=frames.PROFILE.snapshot,
            profile_hash=frames.PROFILE.hash,
        )
        store.finish_run(run, records=made, finished_at=context.as_of)
        first = store.records(run)
        fast = seconds(lambda: store.records(run), repeats=21)
        slow = seconds(lambda: plain.records(run), repeats=5)
        assert_frame_equal(first, plain.records(run))
        equal = store.records(run).equals(made)
    return compare("records(run) cached against not", rows, fast_s=fast, slow_s=slow, target=50, equal=equal)


def _stored(store: StateStore) -> pl.DataFrame:
    past = store.history(
        frames.PROFILE.id,
        kind="daily",
        window_start=frames.AS_OF - timedelta(days=1),
        as_of=frames.AS_OF,
        before=frames.AS_OF.date(),
    )
    return past.items
