"""The finished daily runs of some days, as the weekly report reads them: nothing is run, nothing scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise

import polars as pl

from brandkit.errors import UnknownError
from brandkit.profile import BrandProfile
from brandkit.record.compare import Comparison, Decided, compare_records
from brandkit.record.series import Days, days_of
from brandkit.record.tracks import follow
from brandkit.report.brief import counted
from brandkit.report.opening import desk_of
from brandkit.report.parameters import WeeklyParameters
from brandkit.schemas import DECISION
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore

# What asks for action comes first, as in the brief; a story counts as the first of these it came to.
ORDER = ("must_cover", "block", "optional", "watch", "drop")
# What somebody has to look at.
ASKING = ORDER[:3]
_OF_STORY = (
    "story_id", "lead_item_id", "title", "url", "decision", "effective_decision", "total", "desk_state",
)  # fmt: skip


def place(decision: pl.Expr) -> pl.Expr:
    """Where decisions stand in ``ORDER``, for sorting."""
    return decision.cast(pl.String).replace_strict(dict(zip(ORDER, range(5), strict=True)), default=5)


@dataclass(frozen=True)
class Week:
    """The runs of some days: the latest complete attempt of each, and what there was beside them.

    Shape:  ``listed`` has every daily attempt of the days that was not a shadow's, as ``StateStore.runs``
            gives them, oldest first. ``before`` are as many days just before, None without a run.
    """

    store: StateStore
    span: Days
    before: Days | None
    listed: pl.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def last(self) -> RunRow:
        """The latest of its runs."""
        return self.span.runs[-1]

    @cached_property
    def profile(self) -> BrandProfile:
        """The profile as the latest of its runs froze it."""
        return BrandProfile.from_snapshot(self.last.profile_json)

    @property
    def days(self) -> list[date]:
        """Every day of it, those without a run too."""
        length = (self.span.last - self.span.first).days + 1
        return [self.span.first + timedelta(days=n) for n in range(length)]

    @cached_property
    def stories(self) -> pl.DataFrame:
        """The stories of every run: run_id, run_on and what a report tells of a story."""
        return _stories(self.store, self.span, _OF_STORY)

    @cached_property
    def stories_before(self) -> pl.DataFrame:
        """Those of the days before: run_on, story_id and effective_decision."""
        if self.before is None:
            return self.stories.select("run_on", "story_id", "effective_decision").clear()
        return _stories(self.store, self.before, ("story_id", "effective_decision"))

    @cached_property
    def comparisons(self) -> tuple[tuple[date, Comparison], ...]:
        """What moved from each run to the next, under the day it had moved by."""
        # Two at a time: a run's records are read once, and let go; the store is free while they are held
        # against each other.
        read = pairwise((run.run_on, _decided(self.store, run)) for run in self.span.runs)
        return tuple((day, compare_records(earlier, later)) for (_, earlier), (day, later) in read)

    @cached_property
    def last_names(self) -> pl.DataFrame:
        """The story that each story of these days went under in the end: story_id, ends_as."""
        earlier = () if self.before is None else self.before.run_ids
        return _last_names(self.store, self.span, earlier)

    @cached_property
    def last_names_before(self) -> pl.DataFrame:
        """The same of the days before."""
        return self.last_names.clear() if self.before is None else _last_names(self.store, self.before)

    @cached_property
    def sightings(self) -> pl.DataFrame:
        """What every source delivered on every day: source, run_on, n_items, n_undated, n_damaged."""
        return pl.concat([_sightings(self.store, run) for run in self.span.runs]).sort("source", "run_on")


def open_week(chosen: WeeklyParameters) -> Week:
    """The finished runs of the days up to ``run_date``.

    Raises: UnknownError where no run of these days was finished; UsageError where nothing names a
            profile.
    """
    profile, store, notes = desk_of(chosen)
    name = profile.id
    with store.reading():
        span = days_of(store, name, first=None, last=chosen.run_date, days=chosen.days)
        listed = store.runs(name).filter(
            pl.col("run_on").is_between(span.first, span.last), ~pl.col("shadow"), pl.col("kind") == "daily"
        )
        before = _before(store, span, chosen.days)
    return Week(store, span, before, listed.sort("run_on", "attempt"), notes)


def _before(store: StateStore, span: Days, days: int) -> Days | None:
    try:
        return days_of(store, span.profile_id, first=None, last=span.first - timedelta(days=1), days=days)
    except UnknownError:
        return None


def _stories(store: StateStore, span: Days, columns: tuple[str, ...]) -> pl.DataFrame:
    # A story's list of items is the most of it, and is not told here.
    return pl.concat(
        store.stories(run).select(
            pl.lit(run.run_id).alias("run_id"), pl.lit(run.run_on, pl.Date).alias("run_on"), *columns
        )
        for run in span.runs
    )


def _decided(store: StateStore, run: RunRow) -> Decided:
    with store.reading():
        return Decided.read(store, run)


def _last_names(store: StateStore, span: Days, earlier: tuple[str, ...] = ()) -> pl.DataFrame:
    return follow(store, span.runs, earlier=earlier).first.select("story_id", "ends_as")


def _sightings(store: StateStore, run: RunRow) -> pl.DataFrame:
    records = store.records(run, columns=["source", "published_at", "lost"])
    return (
        records.group_by("source")
        .agg(
            n_items=pl.len().cast(pl.Int64),
            n_undated=pl.col("published_at").null_count().cast(pl.Int64),
            n_damaged=(pl.col("lost").list.len() > 0).sum().cast(pl.Int64),
        )
        .with_columns(run_on=pl.lit(run.run_on, pl.Date))
    )


# What a week says, as plain frames and sentences -----------------------------------------------------


def named(stories: pl.DataFrame, last_names: pl.DataFrame) -> pl.DataFrame:
    """The stories with ``story``, the name that each went under in the end: what was merged is one."""
    ends = stories.join(last_names, on="story_id", how="left", maintain_order="left")
    return ends.with_columns(story=pl.coalesce("ends_as", "story_id")).drop("ends_as")


def most(stories: pl.DataFrame) -> dict[str, int]:
    """How many stories came to each decision, each counted once, by the most it came to.

    Shape:  ``stories`` as ``named`` gives them.
    """
    best = stories.group_by("story").agg(place(pl.col("effective_decision")).min().alias("place"))
    counts = dict(best.group_by("place").len().rows())
    return {name: int(counts.get(at, 0)) for at, name in enumerate(ORDER)}


def by_day(week: Week) -> pl.DataFrame:
    """The counts of every day: day, items, stories, and stories by decision.

    Nulls:  all counts of a day without a run: nothing is known of it.
    """
    counts = {run.run_on: run.counts.get("records", 0) for run in week.span.runs}
    runs = pl.DataFrame(
        {"day": list(counts), "items": list(counts.values())}, schema={"day": pl.Date, "items": pl.Int64}
    )
    return (
        pl.DataFrame({"day": week.days}, schema={"day": pl.Date})
        .join(runs, on="day", how="left")
        .join(decided(week.stories), on="day", how="left")
        .with_columns(
            # A run without items has no row of stories, and its zeros are known.
            pl.when(pl.col("items").is_not_null()).then(pl.col(name).fill_null(0)).alias(name)
            for name in ("stories", *ORDER)
        )
        .sort("day")
    )


def decided(stories: pl.DataFrame) -> pl.DataFrame:
    """Stories by day and decision, verdicts counted: day, stories, and a column for each decision."""
    return stories.group_by(day="run_on").agg(
        pl.len().cast(pl.Int64).alias("stories"),
        *(
            (pl.col("effective_decision") == pl.lit(name, DECISION)).sum().cast(pl.Int64).alias(name)
            for name in ORDER
        ),
    )


def means_before(week: Week) -> Mapping[str, float]:
    """The mean day of the days before: items, stories and each decision; nothing without a run."""
    if week.before is None:
        return {}
    n = len(week.before.runs)
    items = sum(run.counts.get("records", 0) for run in week.before.runs)
    sums = decided(week.stories_before).select(pl.exclude("day").sum()).row(0, named=True)
    return {"items": items / n, **{name: (total or 0) / n for name, total in sums.items()}}


def days_in_words(first: date, last: date) -> str:
    """A span as one says it.

    >>> days_in_words(date(2026, 3, 2), date(2026, 3, 8)), days_in_words(date(2025, 12, 29), date(2026, 1, 4))
    ('2 to 8 March 2026', '29 December 2025 to 4 January 2026')
    """
    if first == last:
        return f"{last:%A} {last.day} {last:%B} {last.year}"
    start = str(first.day)
    if (first.year, first.month) != (last.year, last.month):
        start += f" {first:%B}"
    if first.year != last.year:
        start += f" {first.year}"
    return f"{start} to {last.day} {last:%B} {last.year}"


def headline(week: Week) -> str:
    """The week in one line: runs, days without one, and what its stories came to."""
    n_days, runs, gaps = len(week.days), len(week.span.runs), week.span.without_run
    told = f"{counted(n_days, 'day', 'days')}, {counted(runs, 'run', 'runs')}"
    if gaps:
        told += f" ({listed([day_name(day) for day in gaps])} without one)"
    items = sum(run.counts.get("records", 0) for run in week.span.runs)
    if not items:
        return f"{told}. No items were collected."
    followed = named(week.stories, week.last_names)
    n, stories = most(followed), counted(followed["story"].n_unique(), "story", "stories")
    return (
        f"{told}: {counted(items, 'item', 'items')} in {stories}. {n['must_cover']:,} came to must cover, "
        f"{n['block']:,} to block, {n['optional']:,} to optional and {n['watch']:,} to watch."
    )


def against_before(week: Week) -> str:
    """What the same counts were in the days before, or that nothing is known of them."""
    n = len(week.days)
    whose = {1: "The day before", 7: "The week before"}.get(n, f"The {n} days before")
    if week.before is None:
        return f"{whose} {'has' if n in (1, 7) else 'have'} no finished run to compare with."
    then = most(named(week.stories_before, week.last_names_before))
    told = [f"{then[name]:,} came to {name.replace('_', ' ')}" for name in ORDER[:1]]
    told += [f"{then[name]:,} to {name}" for name in ORDER[1:4]]
    runs = counted(len(week.before.runs), "run", "runs")
    return f"{whose} ({runs}): {', '.join(told)}."


def day_name(day: date) -> str:
    """A day within a week, short.

    >>> day_name(date(2026, 3, 4))
    'Wed 4'
    """
    return f"{day:%a} {day.day}"


def listed(names: list[str], *, most_named: int = 7) -> str:
    """Names in a row, cut where there are many.

    >>> listed(["Mon 2", "Wed 4", "Thu 5"])
    'Mon 2, Wed 4 and Thu 5'
    """
    if len(names) > most_named:
        return f"{', '.join(names[:most_named])} and {len(names) - most_named:,} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def trend_words(counts: pl.DataFrame) -> str:
    """Between what the items of a day lay, and when most was to be covered."""
    known = counts.filter(pl.col("items").is_not_null())
    if known.height == 1:
        row = known.row(0, named=True)
        return f"One day is known: {counted(row['items'], 'item', 'items')} on {day_name(row['day'])}."
    low, high = int(known["items"].min()), int(known["items"].max())  # type: ignore[arg-type]
    told = f"{low:,} items a day" if low == high else f"{low:,} to {high:,} items a day"
    best = known.sort(["must_cover", "day"], descending=[True, False]).row(0, named=True)
    if not best["must_cover"]:
        return f"{told}; nothing was to be covered on any."
    least = int(known["must_cover"].min())  # type: ignore[arg-type]
    must = f"{best['must_cover']:,} on {day_name(best['day'])}"
    return f"{told}; must cover was highest with {must}, and never under {least:,}."
