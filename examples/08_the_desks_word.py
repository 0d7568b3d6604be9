"""Lesson 8: the desk speaks. What is said of today's stories is in tomorrow's brief, beside the score."""

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import polars as pl

import brandkit as bk
from brandkit.desk.verdicts import list_verdicts
from brandkit.report.brief import Brief, headline
from brandkit.report.cards import cards
from brandkit.report.desk_word import state_line, verdict_line

here = Path(__file__).resolve().parents[1] / "data"
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
runner = bk.Runner(folder / "desk.duckdb")
store = runner.store


def ran(day: str) -> Brief:
    """The brief of one desk day."""
    inputs = here / "sample" / f"items-{day}.parquet"
    profile = here / "profiles" / "technology.toml"
    return Brief.read(store, runner.run(bk.Task(date=day, profile=profile, inputs=inputs)).run_id)


today = ran("2026-03-03")
print("today:", headline(today))
done, doubted = today.of("must_cover")["story_id"][:2]
taken, first, second = today.of("optional")["story_id"][:3]
evening = today.run.as_of - timedelta(hours=5)

# A verdict stands beside the score, with a reason, and ends by itself.
bk.give_verdict(
    doubted, "watch", actor="Ann", reason="wait for the maker", until="2026-03-05", at=evening, store=store
)
# One story is done, another has found somebody; and two are one.
bk.set_state(done, "handled", actor="Bo", note="ran at noon", at=evening, store=store)
bk.set_state(taken, "assigned", actor="Bo", assignee="Cy", at=evening, store=store)
rule = bk.merge_stories(first, second, actor="Ann", reason="one affair", at=evening, store=store)

tomorrow = ran("2026-03-04")
print("tomorrow:", headline(tomorrow))
for title, state in tomorrow.aside("must_cover").select("title", "desk_state").rows():
    print(f"  {state}, so not new today: {title}")
for story in tomorrow.told.filter(pl.col("desk_state") != "handled").to_dicts():
    for line in (verdict_line(tomorrow, story), state_line(tomorrow, story)):
        if line:
            print(f"  {story['title']}\n    {line}")

for story in tomorrow.stories.filter(pl.col("item_ids").list.contains(rule.item_a)).to_dicts():
    print(f"{rule.rule_id} is obeyed: {rule.item_b in story['item_ids']}, {story['n_items']} items now")
print("each card has its command:", cards(tomorrow, "must_cover", most=1)[0].commands[1])

# Nothing is ever changed: what was said stays on the record, and says what has become of it.
later = tomorrow.run.as_of + timedelta(days=3)
for verdict_id, state, title in (
    list_verdicts(store, "technology", at=later).select("verdict_id", "state", "title").rows()
):
    print(verdict_id, state, title)
