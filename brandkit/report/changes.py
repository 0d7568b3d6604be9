"""The brief's section "What changed": the stories that moved since the run before, each with its cause."""

from __future__ import annotations

import warnings
from pathlib import Path

import polars as pl

from brandkit.record.compare import Comparison, because
from brandkit.report.brief import Brief, counted, spoken
from brandkit.report.charts import shortened
from brandkit.report.html import Html, join, tag
from brandkit.report.since import TITLE_CHARACTERS, since_when, why_moved
from brandkit.report.tables import Column, nothing, section, table
from brandkit.settings import Settings
from brandkit.store.state import StateStore

MOST_LINES = 8
MOST_GONE = 3
_COLUMNS = (
    Column("title", "Story", "title", link="url"),
    Column("decision_from", "Before", "decision"),
    Column("decision_to", "Now", "decision"),
    Column("why", "Because"),
    Column("points", "Points", "when"),
    Column("item_to", "Id", "code"),
)


def what_changed(brief: Brief) -> Html:
    """What moved since the run before, and why; for a shadow run, against the live run of its day."""
    if brief.records.is_empty():
        return section("What changed", nothing("No items on this day, so nothing to compare."))
    found = brief.changes
    if found is None:
        return section("What changed", nothing("There is no earlier run to compare with."))
    return section("What changed", *_told(found, brief), n=found.moved.height)


def store_of(store: StateStore | str | Path | None) -> StateStore:
    """The store a brief's run stands in: as given, by its path, or that of the settings."""
    if isinstance(store, StateStore):
        return store
    if store:
        return StateStore(store)
    with warnings.catch_warnings():
        # The brief's opening has said already what is wrong with the settings.
        warnings.simplefilter("ignore", UserWarning)
        return StateStore(Settings.load().db_path)


def _told(found: Comparison, brief: Brief) -> tuple[Html, ...]:
    moved, since = found.moved, since_when(brief)
    if found.n_continued == 0:
        return (nothing(f"No story of {since} goes on."), _gone(found))
    if moved.is_empty():
        as_was = counted(found.n_continued, "story goes on as it was", "stories go on as they were")
        return (nothing(f"Nothing moved since {since}: {as_was}."), _gone(found))
    go_on = counted(found.n_continued, "story goes on", "stories go on")
    said = f"{go_on} since {since}; {moved.height:,} of them moved. {_causes(moved)}"
    return (tag("p", said, class_="soft"), table(_rows(moved), _COLUMNS, total=moved.height), _gone(found))


def _causes(moved: pl.DataFrame) -> str:
    """How many stories each cause moved, most first."""
    counts = moved["cause"].value_counts(name="n").sort("n", "cause", descending=[True, False]).rows()
    words = [f"{because({'cause': cause, 'decision_to': ''})} {n:,}" for cause, n in counts]
    return f"Causes: {', '.join(words)}."


def _rows(moved: pl.DataFrame) -> pl.DataFrame:
    shown = moved.head(MOST_LINES)
    told = [why_moved(move) for move in shown.to_dicts()]
    return shown.with_columns(
        title=pl.coalesce("title", "url", "story_id"),
        why=pl.Series(told, dtype=pl.String),
        points=pl.format("{} → {}", "total_from", "total_to"),
    )


def _gone(found: Comparison) -> Html:
    """The stories that asked for action and were not seen again, neither alone nor in another story."""
    asked = pl.col("decision_from").is_in(["must_cover", "block", "optional"])
    is_gone = pl.col("decision_to").is_null() & (pl.col("cause") == "gone")
    gone = found.stories.filter(asked & is_gone)
    if gone.is_empty():
        return Html("")
    named = [
        f"{shortened(move['title'] or move['story_id'], TITLE_CHARACTERS)} ({spoken(move['decision_from'])})"
        for move in gone.head(MOST_GONE).to_dicts()
    ]
    rest = f" and {gone.height - MOST_GONE:,} more" if gone.height > MOST_GONE else ""
    return tag("p", join([tag("strong", "Not seen again: "), f"{'; '.join(named)}{rest}."]), class_="small")
