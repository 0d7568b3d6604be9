"""Lesson 9: what three days look like from their end, and whether the score still does what it did."""

import sys
import tempfile
from datetime import date
from pathlib import Path

import brandkit as bk
from brandkit.record.drift import drift

here = Path(__file__).resolve().parents[1] / "data"
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
runner = bk.Runner(folder / "desk.duckdb")
desk = bk.BrandProfile.from_toml(here / "profiles" / "technology.toml")
for day in ("2026-03-02", "2026-03-03", "2026-03-04"):
    runner.run(bk.Task(date=day, profile=desk, inputs=here / "sample" / f"items-{day}.parquet"))

# What we passed over that grew big, what we promoted that went nowhere, and what misled us.
found = bk.hindsight(runner.store, "technology", first=date(2026, 3, 2), last=date(2026, 3, 4))
print(*found.text().splitlines()[:12], "...", sep="\n")
for what, kind, name, n in found.by_cause().head(4).rows():
    print(f"{what}, by {kind}: {name} {n}")

# The first decision stands as it was made: the record says the same, and so does its account.
miss = found.misses.row(0, named=True)
first = bk.kept(miss["item_id"], runner.store, run=miss["run_id"])
print(f"\n{miss['title']}: {bk.explain(first).sentence()}")

# Two earlier days are no history. Ask with fewer than the usual five, and see what came of a cold start:
# on the first day no story had a past, so less was known of each.
print()
print(drift(runner.store, "technology").movements()[0])
moved = drift(runner.store, "technology", min_runs=2)
print(moved)
print(moved.scores.select("name", "median_before", "median", "p90_before", "p90", "psi", "moved"))
