"""Stories followed through some days: what each was decided to be on every one, and what moved it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import polars as pl

from brandkit.record.causes import part_words
from brandkit.record.compare import because
from brandkit.report.week import ASKING, Week, day_name, named, place

_MOST_MOVES = 3


def followed(week: Week) -> pl.DataFrame:
    """The stories that were promoted or blocked on any day, with their decision on each.

    A story that went into another is told as one with it, by the most either came to.

    Shape:  story_id (the last it went under), title, url, item_id and total (of its last day), n_days
            (with a run that has it), n_asking (on which it asked for action), is_moved, and a column
            for each day of the week, named by its date. What asked for most stands first.
    Nulls:  a day on which no run saw it.
    """
    rows = _rows(week)
    asked = rows.filter(pl.col("place") < len(ASKING)).select("story").unique()
    rows = rows.join(asked, on="story", how="semi")
    told = rows.group_by("story").agg(
        pl.col("title", "url", "lead_item_id", "total").sort_by("run_on").last(),
        n_days=pl.len().cast(pl.Int64),
        n_asking=(pl.col("place") < len(ASKING)).sum().cast(pl.Int64),
        is_moved=pl.col("place").n_unique() > 1,
        best=pl.col("place").min(),
    )
    cells = [
        rows.filter(pl.col("run_on") == day).select("story", pl.col("effective_decision").alias(str(day)))
        for day in week.days
    ]
    for of_day in cells:
        told = told.join(of_day, on="story", how="left")
    return told.sort(
        ["best", "n_asking", "total", "story"], descending=[False, True, True, False]
    ).select(
        pl.col("story").alias("story_id"), pl.coalesce("title", "url", "story").alias("title"), "url",
        pl.col("lead_item_id").alias("item_id"), "total", "n_days", "n_asking", "is_moved",
        *map(str, week.days),
    )  # fmt: skip


def _rows(week: Week) -> pl.DataFrame:
    """One row for each story and day, under the name the story was last known by."""
    stories = named(week.stories, week.last_names).with_columns(place=place(pl.col("effective_decision")))
    order = ["story", "run_on", "place", "total", "story_id"]
    return stories.sort(order, descending=[False, False, False, True, False]).unique(
        ["story", "run_on"], keep="first", maintain_order=True
    )


def moves(week: Week, stories: pl.DataFrame) -> list[str]:
    """What moved each of the stories from run to run, in words; an empty text where nothing did.

    Shape:  ``stories`` as ``followed`` gives them, a text for each row.
    """
    names = dict(week.last_names.drop_nulls().rows())
    said: dict[str, list[str]] = {story: [] for story in stories["story_id"]}
    for day, move in _told(week):
        story = names.get(move["story_id"], move["story_id"])
        if story in said:
            said[story].append(f"{day_name(day)} {move['told']}")
    return [_cut(said[story]) for story in stories["story_id"]]


def _told(week: Week) -> Iterator[tuple[date, Mapping[str, Any]]]:
    """Every move of a story that goes on, and every day on which a verdict began to stand, by day."""
    verdicts = _by_verdict(week)
    moved = {day: found.moved for day, found in week.comparisons}
    for run in week.span.runs:
        day = run.run_on
        if day in moved:
            for move in moved[day].to_dicts():
                parts = part_words(move["parts"], most=2)
                yield day, {**move, "told": f"{because(move)}{f' ({parts})' if parts else ''}"}
        for story in verdicts.filter(pl.col("run_on") == day)["story_id"]:
            yield day, {"story_id": story, "told": "an editor's verdict"}


def _by_verdict(week: Week) -> pl.DataFrame:
    """The first day of each story on which an editor had decided otherwise than the score."""
    said = pl.col("effective_decision") != pl.col("decision")
    return week.stories.filter(said).sort("run_on", "story_id").unique(
        "story_id", keep="first", maintain_order=True
    )  # fmt: skip


def _cut(told: list[str]) -> str:
    rest = f"; and {len(told) - _MOST_MOVES} more" if len(told) > _MOST_MOVES else ""
    return "; ".join(told[:_MOST_MOVES]) + rest


def in_words(stories: pl.DataFrame) -> str:
    """How many stories were followed, and how many of them moved."""
    n, moved = stories.height, int(stories["is_moved"].sum())
    once = stories.filter(pl.col("n_days") == 1).height
    noun = "story was" if n == 1 else "stories were"
    return f"{n:,} {noun} promoted or blocked on some day: {moved:,} moved, {once:,} stood on one day only."
