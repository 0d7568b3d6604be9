"""``python -m benchmarks.bench_report``: the daily report of a large day, and what its queries cost.

Two days of made news of which the second has at least ``--items`` records; both are run, then the second is
reported: once in this process, cell by cell (the store's queries, the readings of the record, the drawing),
and as ``brandkit report`` in processes of its own, wall time from start to end.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

from brandkit.report import daily, decisions, message
from brandkit.report.brief import Brief
from brandkit.runner import Runner, Task
from brandkit.settings import project_root
from brandkit.simulate import simulate
from brandkit.store.state import StateStore

T = TypeVar("T")
DAY, BEFORE = "2026-03-03", "2026-03-02"
# Rows that are refused, copies of rows and late ones are no records.
ROWS_FOR_A_RECORD = 1.17
MOST_S, MOST_QUERIES_S, MOST_BYTES = 30.0, 5.0, 1_500_000
_COMMAND = "from brandkit.cli import main; main(prog_name='brandkit')"
_OF_BRIEF = (
    "headline", "must_cover", "do_not_amplify", "optional", "near_misses", "watch", "dropped",
    "big_elsewhere", "share_of_voice", "sources", "run_health",
)  # fmt: skip
# These read the store again: the run before, weeks of mentions, earlier days.
_OF_STORE = ("what_changed", "timeline", "drift")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the report and its seconds."""

    name: str
    seconds: float
    is_query: bool


def timed(name: str, call: Callable[[], T], parts: list[Part], *, is_query: bool) -> T:
    """What the call gives; its time is added to the parts."""
    begun = time.perf_counter()
    found = call()
    parts.append(Part(name, time.perf_counter() - begun, is_query))
    return found


def in_process(store: Path, run_id: str, folder: Path) -> list[Part]:
    """Each part of the report, one after the other, with a store opened afresh."""
    kept, parts = StateStore(store), list[Part]()
    brief = timed("read the run", lambda: Brief.read(kept, run_id), parts, is_query=True)
    for name in _OF_STORE:
        timed(name, lambda name=name: getattr(daily, name)(brief, store), parts, is_query=True)
    for name in _OF_BRIEF:
        timed(name, lambda name=name: getattr(daily, name)(brief), parts, is_query=False)
    timed("five lines", lambda: message.five_lines(brief, kept, folder), parts, is_query=True)
    timed("decisions", lambda: decisions.write_decisions(brief, folder), parts, is_query=False)
    return parts


def whole(store: Path, run_id: str, root: Path) -> float:
    """The wall time of ``brandkit report`` for the run."""
    arguments = ["report", "daily", "--run", run_id, "--store", str(store), "--out", str(root), "--force"]
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", _COMMAND, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> int:
    """Make the day, report it, print the figures; exit 1 where one is over its limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_report", description=__doc__)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    source = project_root()
    if source is None:
        raise SystemExit("run from a source tree: it has the profile")
    profile = source / "data" / "profiles" / "technology.toml"
    with tempfile.TemporaryDirectory() as made:
        folder, store = Path(made), Path(made) / "s.duckdb"
        simulate(days=2, items_per_day=round(given.items * ROWS_FOR_A_RECORD)).write(folder / "items")
        items = sorted((folder / "items").glob("items-*.parquet"))
        for on in (BEFORE, DAY):
            run_id = Runner(store).run(Task(date=on, profile=profile, inputs=items)).run_id
        records = StateStore(store).run(run_id).counts["records"]
        parts = in_process(store, run_id, folder)
        walls = [whole(store, run_id, folder / "reports") for _ in range(given.repeats)]
        (page,) = (folder / "reports").glob("daily/*/*/daily.html")
        n_bytes = page.stat().st_size
    queries = sum(part.seconds for part in parts if part.is_query)
    print(f"{records:,} records\n\n| part | s | store or record query |\n|---|---:|---|")
    for part in parts:
        print(f"| {part.name.replace('_', ' ')} | {part.seconds:.2f} | {'yes' if part.is_query else ''} |")
    print("\n| figure | measured | limit |\n|---|---:|---:|")
    print(f"| `brandkit report`, wall s (middle of {len(walls)}) | {median(walls):.1f} | {MOST_S:.0f} |")
    print(f"| queries, s | {queries:.2f} | {MOST_QUERIES_S:.0f} |")
    print(f"| page, bytes | {n_bytes:,} | {MOST_BYTES:,} |")
    return 0 if median(walls) < MOST_S and queries < MOST_QUERIES_S and n_bytes < MOST_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
