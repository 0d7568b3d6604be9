"""Lesson 2: two days of the shipped sample in a store. The second day continues the first day's stories."""

import sys
import tempfile
from pathlib import Path

import brandkit as bk

here = Path(__file__).resolve().parents[1] / "data"
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
runner = bk.Runner(folder / "desk.duckdb")


def task(day: str) -> bk.Task:
    """One desk day, of that day's items only."""
    inputs = here / "sample" / f"items-{day}.parquet"
    return bk.Task(date=day, profile=here / "profiles" / "technology.toml", inputs=inputs)


for day in ("2026-03-03", "2026-03-04"):
    result = runner.run(task(day))
    print(
        result.run_id,
        result.status,
        f"{result.counts['records']} records in {result.counts['stories']} stories",
    )

# The same task again: nothing to do, and the earlier result is given.
print("again:", runner.run(task("2026-03-04")).is_repeat)

stories = runner.store.stories("technology.daily.2026-03-04.1")
print(f"{stories['is_continued'].sum()} stories go on from the day before")
for decision, n in stories["effective_decision"].value_counts(sort=True).sort("effective_decision").rows():
    print(f"  {decision:<11}{n:>5}")

# Every stored number is recomputed from its signals and the profile the run froze.
print(bk.verify("technology.daily.2026-03-04.1", runner.store))

# Where a decision comes from: gate by gate, part by part, down to each item's address and first sighting.
lead = stories.filter(decision="must_cover").sort("total", "story_id")["lead_item_id"][-1]
traced = bk.lineage(lead, runner.store)
print(*traced.text(most=2).splitlines()[:14], "...", sep="\n")
sources = traced.frame().filter(level="source").unique("item_id")
print(f"{sources.height} items of {sources['publisher'].n_unique()} publishers stand behind it")
