"""Comparing two runs: the vectorised swaps against the same method row by row in plain Python.

``python -m benchmarks.bench_compare --rows 50000`` prints the line and the seconds from a store.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from benchmarks import frames
from benchmarks.measure import Comparison, compare, seconds, table
from brandkit.record.causes import attributed
from brandkit.record.compare import compare as compare_runs
from brandkit.record.compare import compare_records
from brandkit.record.pairing import Decided, Pairing
from brandkit.scoring.outcome import fold_stories
from brandkit.store.state import StateStore
from tests.reference_causes import first_cause

# The plain way takes a second for some thousand rows; what this many show is scaled up.
PLAIN = 2_000


def decided(rows: int, *, seed: int) -> Decided:
    """A run of ``rows`` items; of another seed the same items with other signals, in other stories."""
    context, records = frames.context(), frames.records(rows, seed=seed)
    stories = fold_stories(records, records, context)
    return Decided(records, stories, frames.PROFILE, context.as_of, context.window_start, f"seed {seed}")


def comparing(rows: int) -> Comparison:
    """The causes of all that moved between two runs of ``rows`` items, all of them in both."""
    a, b = decided(rows, seed=1), decided(rows, seed=2)
    fast = seconds(lambda: compare_records(a, b))
    pairs = Pairing(a, b).pairs()
    sample = pairs.head(min(PLAIN, pairs.height))
    needed = sample.select(item_id="item_from").vstack(sample.select(item_id="item_to")).unique()
    then, now = (
        {row["item_id"]: row for row in side.records.join(needed, on="item_id", how="semi").to_dicts()}
        for side in (a, b)
    )
    start = perf_counter()
    plain = [
        first_cause(
            pair, then[pair["item_from"]], now[pair["item_to"]], (a.profile, b.profile), (a.as_of, b.as_of)
        )
        for pair in sample.to_dicts()
    ]
    slow = (perf_counter() - start) * pairs.height / sample.height
    equal = attributed(sample, a, b)["cause"].to_list() == [cause for cause in plain if cause]
    return compare(
        "compare, vectorised against per row", rows, fast_s=fast, slow_s=slow, target=2, equal=equal,
        sampled=min(PLAIN, rows),
    )  # fmt: skip


def from_store(rows: int) -> float:
    """The seconds that ``compare`` takes for two such runs in a store, nothing of it cached."""
    with tempfile.TemporaryDirectory() as folder:
        store = StateStore(Path(folder) / "store.duckdb", cache=None)
        run_ids = [_published(store, decided(rows, seed=seed)) for seed in (1, 2)]
        return seconds(lambda: compare_runs(*run_ids, store))


def _published(store: StateStore, side: Decided) -> str:
    run = store.start_run(
        side.profile.id,
        kind="daily",
        run_on=(side.as_of - timedelta(days=1)).date(),
        as_of=side.as_of,
        window_start=side.window_start,
        started_at=side.as_of,
        profile_json=side.profile.snapshot,
        profile_hash=side.profile.hash,
    )
    return store.finish_run(run, records=side.records, stories=side.stories, finished_at=side.as_of).run_id


def main() -> None:
    """Print the comparison at one size, and the time from a store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_compare", description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000, help="items in each of the two runs")
    rows = parser.parse_args().rows
    print(table([comparing(rows)]))
    print(f"\ncompare of two runs of {rows:,} items from a store: {from_store(rows):.2f} s (to stay under 5)")


if __name__ == "__main__":
    main()
