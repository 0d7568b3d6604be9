"""Lesson 5: what moved from one day to the next, and why; and what a profile on trial would have moved."""

import sys
import tempfile
from pathlib import Path

import brandkit as bk
from brandkit.record.shadow import compare_shadow

here = Path(__file__).resolve().parents[1] / "data"
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
runner = bk.Runner(folder / "desk.duckdb")
live = bk.BrandProfile.from_toml(here / "profiles" / "technology.toml")
# The same desk with lower bars. A trial keeps the id of the live profile, and runs as its shadow.
trial = bk.BrandProfile.from_dict(
    {**live.model_dump(by_alias=True), "thresholds": {"must_cover": 72, "optional": 55, "watch": 45}}
)


def task(day: str, profile: bk.BrandProfile, *, shadow: bool = False) -> bk.Task:
    """One desk day, of that day's items only."""
    return bk.Task(date=day, profile=profile, inputs=here / "sample" / f"items-{day}.parquet", shadow=shadow)


runner.run(task("2026-03-03", live))
runner.run(task("2026-03-04", live))
# Beside the live run: with the same past and items, in no brief, nobody's latest.
runner.run(task("2026-03-04", trial, shadow=True))

found = bk.compare("technology.daily.2026-03-03.1", "technology.daily.2026-03-04.1", runner.store)
print(found)

# Each move has one cause. The path behind it: what the story came to as B's values came in, group by group.
first = found.moved.row(0, named=True)
print(f"\n{first['title']}: {first['decision_from']} -> {first['decision_to']}, {first['cause']}")
print("  " + ", ".join(f"{step['swap']}: {step['decision']}" for step in first["path"]))

print()
print(compare_shadow(runner.store, "technology"))
