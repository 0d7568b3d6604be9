"""Lesson 6: yesterday, had again: to the byte, whatever came since; and as another profile would have it."""

import sys
import tempfile
from pathlib import Path

import brandkit as bk
from brandkit.errors import ReplayRefused
from brandkit.record.changed import changed
from brandkit.schemas import frame_hash

here = Path(__file__).resolve().parents[1] / "data"
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
runner = bk.Runner(folder / "desk.duckdb")
profile = bk.BrandProfile.from_toml(here / "profiles" / "technology.toml")


def run(day: str, *, force: bool = False) -> str:
    """One desk day of the sample; gives the id of its run."""
    inputs = here / "sample" / f"items-{day}.parquet"
    return runner.run(bk.Task(date=day, profile=profile, inputs=inputs), force=force).run_id


first = run("2026-03-03")
before = frame_hash(runner.store.records(first))

# The store lives on: the next day, a second attempt, a verdict on a story of the first.
run("2026-03-04")
run("2026-03-03", force=True)
story = runner.store.stories(first)["story_id"][0]
as_of = runner.store.run(first).as_of
runner.store.add_verdict(profile.id, story_id=story, decision="watch", given_at=as_of)

# Its past is read as it was known then, so the same records come out.
found = bk.replay(first, runner.store)
print(found)
print("the same hash:", frame_hash(found.records) == before)

# The same items and the same past, by another bar: a what-if on history. Nothing is written.
lower = changed(profile, {"thresholds": {"must_cover": 60, "optional": 50}})
print()
print(bk.replay(first, runner.store, profile=lower))

# What published nothing cannot be had again; what was pruned, erased or made by other versions neither.
failed = runner.run(bk.Task(date="2026-03-05", profile=profile, inputs=here / "nothing.parquet"))
try:
    bk.replay(failed.run_id, runner.store)
except ReplayRefused as refused:
    print()
    print(refused)
