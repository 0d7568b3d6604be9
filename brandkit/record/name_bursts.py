"""When a name was spoken of far more than its own past has it: bursts of mentions, hour by hour.

Items are counted in the hour they were published, or else collected, once each however often they were
seen. The hours of a day without a run are not known; they are no hours of silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.record.phrases import counted
from brandkit.record.series import Days, days_of
from brandkit.record.voice import KIND, names_of
from brandkit.safe import terminal
from brandkit.signals.bursts import detect_bursts

if TYPE_CHECKING:
    from brandkit.store.runs import RunRow
    from brandkit.store.state import StateStore

MENTIONS: schemas.Columns = {
    "name": pl.String, "kind": KIND, "at": schemas.INSTANT, "n_items": pl.Int64, "n_stories": pl.Int64,
    "story_id": pl.String, "in_story": pl.Int64,
}  # fmt: skip
_READ = ("item_id", "story_id", "entities", "published_at", "collected_at")
_MOST_SAID = 3


def mention_counts(records: pl.DataFrame, sought: pl.DataFrame) -> pl.DataFrame:
    """How many items named each name in each hour, and which story most of them belong to.

    Args:
        records: item_id, story_id, entities, published_at, collected_at. An item that stands there
            twice is counted once, by its first row.
        sought: name, kind, at: every hour (its beginning) in which a name was looked for.

    Shape:  ``MENTIONS``, one row for each of ``sought``, sorted by kind, name and hour. n_stories counts
            the stories of the items; story_id has the most of them, the first by id where two have.
    Nulls:  story_id and in_story where nobody named the name.
    """
    said = (
        records.unique("item_id", keep="first", maintain_order=True)
        .select(
            "story_id",
            at=pl.coalesce("published_at", "collected_at").dt.truncate("1h"),
            name=pl.col("entities").list.unique(),
        )
        .explode("name")
        .drop_nulls(["name", "at"])
    )
    by_story = said.group_by("name", "at", "story_id").agg(in_story=pl.len().cast(pl.Int64))
    counts = (
        by_story.sort("in_story", "story_id", descending=[True, False])
        .group_by("name", "at", maintain_order=True)
        .agg(
            n_items=pl.col("in_story").sum(),
            n_stories=pl.len().cast(pl.Int64),
            story_id=pl.col("story_id").first(),
            in_story=pl.col("in_story").first(),
        )
    )
    return (
        sought.join(counts, on=["name", "at"], how="left")
        .with_columns(pl.col("n_items", "n_stories").fill_null(0))
        .select(pl.col(name).cast(dtype) for name, dtype in MENTIONS.items())
        .sort("kind", "name", "at")
    )


@dataclass(frozen=True, slots=True)
class NameBursts:
    """The mentions of every name by the hour, held against its own past: print it, or take the frame.

    Shape: ``frame`` has ``MENTIONS`` and burst, is_burst, expected, history_h, as ``detect_bursts`` gives
           them, in the profile's time, for the days told; the days before are their past.
    """

    days: Days
    frame: pl.DataFrame

    def told(self) -> pl.DataFrame:
        """The hours that burst, newest first."""
        return self.frame.filter("is_burst").sort("at", "burst", "name", descending=[True, True, False])

    def unknown(self) -> tuple[str, ...]:
        """The names of which no hour had enough history to say anything."""
        by_name = self.frame.group_by("name", maintain_order=True).agg(
            known=pl.col("burst").is_not_null().any()
        )
        return tuple(by_name.filter(~pl.col("known"))["name"])

    def headlines(self) -> tuple[str, ...]:
        """What was looked at, what burst, and of whom too little is known, a sentence each."""
        lines = [self.days.sentence()]
        told = self.told()
        lines += [sentence(row) for row in told.head(_MOST_SAID).to_dicts()] or ["No name burst."]
        if told.height > _MOST_SAID:
            lines.append(f"And {counted(told.height - _MOST_SAID, 'more hour')}.")
        if silent := self.unknown():
            shown = ", ".join(silent[:_MOST_SAID]) + (" and others" if len(silent) > _MOST_SAID else "")
            lines.append(f"Not enough history (a day of hours) to say anything of {shown}.")
        return tuple(lines)

    def text(self) -> str:
        """The sentences, one a line; control characters are made visible."""
        return "\n".join(terminal(line) for line in self.headlines())

    def __str__(self) -> str:
        """The same."""
        return self.text()


def sentence(row: Mapping[str, object]) -> str:
    """One hour of one name in words: what was counted, what was expected, how many stories that was."""
    at = row["at"]
    assert isinstance(at, datetime)
    stories = counted(int(str(row["n_stories"])), "story", "stories")
    return (
        f"{row['name']}, {at:%a %d %b %H:%M}: {counted(int(str(row['n_items'])), 'item')} of {stories} "
        f"where {row['expected']:.0f} is usual."
    )


def name_bursts(
    store: StateStore,
    profile_id: str,
    *,
    first: date | None = None,
    last: date | None = None,
    days: int = 7,
    past_days: int = 56,
) -> NameBursts:
    """When the names of a profile were spoken of far more than usual, by its daily runs.

    An hour is told once its day's run is there, and counts what later runs brought in for it too. A
    name that came into the profile later is looked for from then on.

    Args:
        store: where the runs are; only read.
        profile_id: whose runs.
        first: the first day that is told; without it, ``days`` up to the last.
        last: the last day; without it, that of the latest run.
        days: how many days are told, where ``first`` is not given.
        past_days: how many days before them their past is taken from.

    Raises: UnknownError where no run is of these days; UsageError for days that are no span.
    """
    with store.reading():
        span = days_of(store, profile_id, first=first, last=last, days=days)
        before = span.first - timedelta(days=past_days)
        whole = days_of(store, profile_id, first=before, last=span.last, days=days)
        named = pl.col("entities").list.len() > 0
        # One run at a time: what names somebody is a small part of it, and the rest is let go.
        found = [store.records(run, columns=_READ).filter(named).select(_READ) for run in whole.runs]
    counts = mention_counts(pl.concat(found), _sought(whole.runs))
    zone = BrandProfile.from_snapshot(span.runs[-1].profile_json).timezone
    local = counts.with_columns(pl.col("at").dt.convert_time_zone(zone))
    told = detect_bursts(local.rename({"name": "series", "n_items": "count"})).collect()
    back = told.rename({"series": "name", "count": "n_items"})
    start = pl.lit(span.runs[0].window_start).dt.convert_time_zone(zone)
    return NameBursts(span, back.filter(pl.col("at") >= start))


def _sought(runs: Sequence[RunRow]) -> pl.DataFrame:
    """Every hour of the runs' days and the names their profiles looked for, each hour once."""
    names = {
        run.profile_hash: [
            (name, kind)
            for kind, listed in names_of(BrandProfile.from_snapshot(run.profile_json)).items()
            for name in listed
        ]
        for run in {run.profile_hash: run for run in runs}.values()
    }
    parts = []
    for run in runs:
        # The last hour is counted as far as the run saw it: too little never makes a burst.
        hours = pl.datetime_range(
            run.window_start, run.as_of, "1h", closed="left", time_unit="us", eager=True
        )
        kinds = pl.DataFrame(names[run.profile_hash], schema={"name": pl.String, "kind": KIND}, orient="row")
        parts.append(kinds.join(hours.dt.truncate("1h").alias("at").to_frame(), how="cross"))
    # Two desk days meet within an hour where the day does not begin on the hour.
    return pl.concat(parts).unique(["name", "at"], keep="last", maintain_order=True)
