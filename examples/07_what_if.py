"""Lesson 7: what if the bar were elsewhere? Two days judged again, a day's slots, and what verdicts say."""

import sys
import tempfile
from pathlib import Path

import polars as pl

import brandkit as bk
from brandkit.record.changed import changed
from brandkit.record.slots import threshold_for
from brandkit.record.span import span
from brandkit.record.sweep import sweep

here = Path(__file__).resolve().parents[1] / "data"
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
runner = bk.Runner(folder / "desk.duckdb")
store = runner.store
profile = bk.BrandProfile.from_toml(here / "profiles" / "technology.toml")
for day in ("2026-03-03", "2026-03-04"):
    runner.run(bk.Task(date=day, profile=profile, inputs=here / "sample" / f"items-{day}.parquet"))

# The facts of both days stay as they were measured; only judgement is done anew, and nothing is written.
found = bk.what_if(None, store, profile_id="technology", thresholds={"must_cover": 66, "optional": 55})
print(found)
for moved in found.moved.head(4).select("decision_from", "decision_to", "total_to", "title").rows():
    print("  {:<10} -> {:<10} {:>3}  {}".format(*moved))

# A whole curve, and the same question turned round: the desk can take six stories a day.
curve = sweep(None, store, over="optional", values=range(50, 71, 5), profile_id="technology")
for value, per_day in curve.frame.select("value", "promoted_per_day").rows():
    print(f"  optional = {value}: {per_day:.1f} stories a day {'(now)' if value == curve.present else ''}")
slots = threshold_for(None, store, slots=6, decision="optional", profile_id="technology")
print(*slots.sentences(), sep="\n")

# An editor says of 150 stories what they are worth: as the profile does, but for a lower bar for watching.
stories = span(None, store, profile_id="technology")
editor = stories.judged(dict.fromkeys(stories.profiles, changed(profile, {"watch": 38})))
with store.transaction():
    for story, said, at in editor.sort("total").tail(150).select("story_id", "decision", "as_of").rows():
        store.add_verdict("technology", story_id=story, decision=said, given_at=at)

# The verdicts bring that bar back, and leave the others where they are.
fit = bk.calibrate(None, store, profile_id="technology", weights=["impact.breadth"])
print(*fit.sentences(), sep="\n")
with pl.Config(tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
    print(fit.thresholds.frame.select("name", "present", "suggested", "low", "high", "advice"))

# The suggestion is a new file; the profile itself, comments and all, is as it was.
new = fit.write(folder / "calibrated.toml", source=here / "profiles" / "technology.toml")
print(new.name, [line for line in new.read_text().splitlines() if "calibrated on" in line])
