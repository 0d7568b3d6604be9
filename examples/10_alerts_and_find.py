"""Lesson 10: what a desk hears between two briefs, what it is spared, and how to find a story again."""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import brandkit as bk
from brandkit.desk.alerts_kept import list_alerts, send_alerts
from brandkit.desk.delivery import Command, Lines
from brandkit.record.find import find

here = Path(__file__).resolve().parents[1] / "data"
folder = Path(tempfile.mkdtemp())
store = bk.StateStore(folder / "desk.duckdb")
# The desk sleeps from ten to seven; a story that has become graver may wake it.
profile = bk.BrandProfile.from_toml(here / "profiles" / "technology.toml")
night = {"quiet_from": "22:00", "quiet_to": "07:00", "cool_down_h": 72}
profile = profile.model_copy(update={"alerts": type(profile.alerts)(**night)})

for day in ("2026-03-02", "2026-03-03"):
    inputs = here / "sample" / f"items-{day}.parquet"
    result = bk.Runner(store).run(bk.Task(date=day, profile=profile, inputs=inputs))
    assert result.ok, result.error

# Half past two in the night: one promoted story is disputed now, and the others can wait.
at_night = datetime(2026, 3, 4, 2, 30, tzinfo=UTC)
print("at night:")
alerts = list_alerts(store, profile.id, now=at_night)
for state, until, rule, title in alerts.select("state", "held_until", "rule", "title").rows():
    print(f"  {state:<10} {f'until {until:%H:%M}' if until else '':<12} {rule:<11} {title[:60]}")

# One file takes every alert once; a program that fails is tried again the next time.
lines, broken = Lines(folder / "alerts.jsonl"), Command((sys.executable, "-c", "raise SystemExit(1)"))
for name, now in (("at night", at_night), ("at eight", datetime(2026, 3, 4, 8, tzinfo=UTC))):
    tries = send_alerts(store, profile.id, [lines, broken], now=now)
    arrived = tries["error"].null_count()
    print(f"{name}: {arrived} arrived, {tries.height - arrived} did not")
print(f"{lines.target.name} has {len(lines.target.read_text().splitlines())} lines")

# Words, phrases, beginnings, words to leave out, and fields: accents and capitals make no difference.
for query in ('zero-day "under attack"', "antitr* -fine decision:must_cover", "publisher:nordpost brasstide"):
    found = find(store, query, limit=3)
    print(f"find {query}")
    for on, decision, title in found.select("run_on", "decision", "title").rows():
        print(f"  {on} {decision:<10} {title[:70]}")
