"""What changed since the run before, in words: a line for the whole brief, and a line for one story."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from brandkit.record.causes import part_words
from brandkit.record.compare import because, count_causes
from brandkit.report.brief import Brief, counted, spoken
from brandkit.report.charts import shortened

MOST_NAMES = 4
TITLE_CHARACTERS = 80


def in_short(brief: Brief) -> str:
    """What changed since the run before in one sentence; an empty string where there is none."""
    found = brief.changes
    if found is None:
        return ""
    causes = count_causes(found.moved)
    up, down = int(causes["up"].sum()), int(causes["down"].sum())
    was = pl.col("decision_from") == "must_cover"
    left = found.stories.filter(was & pl.col("decision_to").ne_missing("must_cover")).height
    counts = {"new to cover": _n_new(brief, "must_cover"), "no longer to cover": left,
              "new not to amplify": _n_new(brief, "block")}  # fmt: skip
    said = [f"{n:,} {words}" for words, n in counts.items() if n]
    go_on = counted(found.n_continued, "story that goes on", "stories that go on")
    moved = f"of {go_on}, {up:,} went up and {down:,} down" if up + down else f"none of {go_on} moved"
    moved = moved if found.n_continued else "no story goes on"
    when = since_when(brief).removeprefix("the run of ")
    return f"Since {when}: {'; '.join(filter(None, (', '.join(said), moved)))}."


def _n_new(brief: Brief, decision: str) -> int:
    """How many stories have a decision, by the desk's word, that they did not have before."""
    before = brief.earlier.stories if brief.earlier else brief.stories.clear()
    had = set(before.filter(pl.col("effective_decision") == decision)["story_id"])
    return sum(brief.continued.get(name) not in had for name in brief.of(decision)["story_id"])


def since_when(brief: Brief) -> str:
    """The run that the brief is read against, in words: 'the run of Monday 2 March'."""
    if brief.run.shadow or brief.earlier_on is None:
        return "the live run"
    if brief.earlier_on == brief.run.run_on:
        return "the run before"
    on = brief.earlier_on
    return f"the run of {on:%A} {on.day} {on:%B}"


def story_since(brief: Brief, story: Mapping[str, Any]) -> str:
    """What changed for one story since the run before, in a line; empty where there is no run before."""
    if brief.changes is None or brief.earlier is None:
        return ""
    before = brief.earlier.stories.filter(pl.col("story_id") == brief.continued.get(story["story_id"], ""))
    if before.is_empty():
        first = brief.clock(story["first_seen_at"])
        if story["is_continued"]:
            return f"back, first seen {first}: {since_when(brief)} had nothing of it."
        return f"new: {since_when(brief)} did not have it."
    return f"{'; '.join(_moves(brief, story, before.row(0, named=True)))}."


def _moves(brief: Brief, story: Mapping[str, Any], was: Mapping[str, Any]) -> Iterator[str]:
    totals = f"{was['total']} → {story['total']} points" if was["total"] != story["total"] else ""
    if was["effective_decision"] == story["effective_decision"]:
        yield f"{spoken(story['effective_decision'])} as before{f', {totals}' if totals else ''}"
    else:
        ways = f"{spoken(was['effective_decision'])} → {spoken(story['effective_decision'])}"
        yield f"{ways}{f', {totals}' if totals else ''}"
    moved = brief.changes.moved.filter(pl.col("story_id") == story["story_id"]) if brief.changes else None
    if moved is not None and moved.height:
        yield f"because of {why_moved(moved.row(0, named=True))}"
    yield from _joined(brief, story, was)
    if was["phase"] != story["phase"]:
        yield f"was {was['phase']}, is {story['phase']}"
    if was["title"] and was["title"] != story["title"]:
        is_same = was["lead_item_id"] == story["lead_item_id"]
        earlier = f"“{shortened(was['title'], TITLE_CHARACTERS)}”"
        yield f"its headline was {earlier}" if is_same else f"it was led by {earlier}"


def _joined(brief: Brief, story: Mapping[str, Any], was: Mapping[str, Any]) -> Iterator[str]:
    """The publishers that joined: those of a tier by name, the others and the copies by number."""
    joined = set(story["publishers"] or ()) - set(was["publishers"] or ())
    of_story = brief.records.filter(pl.col("story_id") == story["story_id"])
    listed = of_story.filter(pl.col("tier") != "unlisted").sort("tier", "publisher")["publisher"].drop_nulls()
    named = [name for name in listed.unique(maintain_order=True) if name in joined]
    rest = len(joined) - len(named[:MOST_NAMES])
    others = [f"{rest:,} {('other' if rest == 1 else 'others') if named else 'unlisted'}"] if rest else []
    if said := " and ".join(filter(None, (", ".join(named[:MOST_NAMES]), *others))):
        yield f"joined by {said}"
    if more := (story["n_outlets"] or 0) - (was["n_outlets"] or 0):
        yield f"{more:+,} {'outlet' if abs(more) == 1 else 'outlets'}"


def why_moved(move: Mapping[str, Any]) -> str:
    """The cause of a move and the parts that moved most, in words."""
    parts = part_words(move["parts"])
    return f"{because(move)}: {parts}" if parts else because(move)
