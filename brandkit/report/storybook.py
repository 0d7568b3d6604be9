"""One story as the runs had it: where it stands, every decision it got, what the desk said of it.

A story is followed by its id, and where an id ends or had not begun, by the items it has: one that most
of them went into goes on with it, one of which most items are its own was a part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from brandkit.errors import UnknownError, UsageError
from brandkit.record.causes import part_words
from brandkit.record.compare import Decided, because, compare_records
from brandkit.record.kept import Kept, kept
from brandkit.record.outlook import outlook
from brandkit.record.series import runs_between
from brandkit.report.opening import desk_of
from brandkit.report.parameters import StoryParameters
from brandkit.store.lookup import Found
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore

# A story that is decided on for longer is told by its last runs; how many more there are is said.
MOST_RUNS = 30
# A story that so many runs had nothing of is over: what they know of the past is three days.
MOST_MISSED = 5
DAY: Mapping[str, Any] = {
    "run_id": pl.String, "run_on": pl.Date, "as_of": pl.Datetime("us", "UTC"), "story_id": pl.String,
    "is_itself": pl.Boolean, "title": pl.String, "url": pl.String, "effective_decision": pl.String,
    "decision": pl.String, "total": pl.Int64, "phase": pl.String, "n_items": pl.Int64,
    "n_publishers": pl.Int64, "n_outlets": pl.Int64, "lead_item_id": pl.String, "n_ours": pl.Int64,
    "n_all": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True)
class Storybook:
    """A story as its newest run has it, with what came before.

    ``asked`` is the id that was asked for, whole; ``notes`` what a reader must know first. ``days``: a row
    for each run and story that held its items, oldest first (``DAY``): ``is_itself`` for the story under
    its own id, ``n_ours`` of the ``n_all`` items there are its own.
    """

    store: StateStore
    lead: Kept
    asked: str
    series: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def run(self) -> RunRow:
        """The newest run that has it."""
        return self.lead.run

    @cached_property
    def row(self) -> dict[str, Any]:
        """The story's row in that run."""
        if self.lead.story is None:
            raise UnknownError(f"run '{self.run.run_id}' kept no story '{self.lead.story_id}'")
        return dict(self.lead.story.row(0, named=True))

    @cached_property
    def items(self) -> pl.DataFrame:
        """Every item of it, each as the last run recorded it; by collected_at and item_id."""
        return self.store.story_items(self.run, self.lead.story_id)

    @cached_property
    def members(self) -> tuple[str, ...]:
        """The ids of its items, earlier days' too."""
        return tuple(sorted({*(self.row["item_ids"] or ()), *self.items["item_id"]}))

    @cached_property
    def days(self) -> pl.DataFrame:
        """Every decision it got, its parts' before they were one with it too."""
        with self.store.reading():
            found = [self._day(run_id) for run_id in self.series[-MOST_RUNS:]]
        return pl.concat([pl.DataFrame(schema=dict(DAY)), *found])

    def _day(self, run_id: str) -> pl.DataFrame:
        run = self.store.run(run_id)
        stories = self.store.stories(run_id)
        held = _held(stories, self.members)
        rows = stories.join(held, on="story_id", how="left").with_columns(
            pl.col("n_ours").fill_null(0), n_all=pl.col("item_ids").list.len().cast(pl.Int64),
            is_itself=pl.col("story_id") == self.lead.story_id, run_id=pl.lit(run_id),
            run_on=pl.lit(run.run_on, pl.Date), as_of=pl.lit(run.as_of, DAY["as_of"]),
        )  # fmt: skip
        met = rows.filter(pl.col("is_itself") | (pl.col("n_ours") > 0))
        return met.select(pl.col(name).cast(kind) for name, kind in DAY.items()).sort(
            "is_itself", "n_ours", "story_id", descending=[True, True, False]
        )

    @cached_property
    def moves(self) -> dict[str, str]:
        """What moved its total, by run: the cause where the decision moved, and the parts that did most.

        Before it had its own id, by the part of it that was there.
        """
        main = self.days.unique("run_id", keep="first", maintain_order=True).to_dicts()
        return {now["run_id"]: self._moved(was, now) for was, now in zip(main, main[1:], strict=False)}

    def _moved(self, was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
        sides = [self._side(day) for day in (was, now)]
        moved = compare_records(*sides).moved.filter(pl.col("story_id") == now["story_id"])
        then, since = (
            _points(side, day["lead_item_id"]) for side, day in zip(sides, (was, now), strict=True)
        )
        names = sorted(name for name in {*then, *since} if then.get(name, 0) != since.get(name, 0))
        parts = [{"part": name, "from": then.get(name, 0), "to": since.get(name, 0)} for name in names]
        cause = [because(moved.row(0, named=True))] if moved.height else []
        return ": ".join([*cause, *filter(None, [part_words(parts)])])

    def _side(self, day: Mapping[str, Any]) -> Decided:
        """The story alone as one side of a comparison."""
        with self.store.reading():
            side = Decided.read(self.store, day["run_id"])
        mine = pl.col("story_id") == day["story_id"]
        return replace(side, records=side.records.filter(mine), stories=side.stories.filter(mine))

    @cached_property
    def ids(self) -> frozenset[str]:
        """Its id, and those of the stories that were parts of it, as the asked one may have been."""
        parts = self.days.filter(2 * pl.col("n_ours") > pl.col("n_all"))
        return frozenset({self.lead.story_id, self.asked, *parts["story_id"]})

    def of_it(self, said: pl.DataFrame, *, items: Iterable[str] = ("item_id",)) -> pl.DataFrame:
        """Those rows of what people said that are about it: by its ids, or by one of its items."""
        about = [pl.col(name).is_in(self.members) for name in items]
        if "story_id" in said.columns:
            about.append(pl.col("story_id").is_in(sorted(self.ids)))
        return said.filter(pl.any_horizontal(about))

    @cached_property
    def forecast(self) -> pl.DataFrame:
        """The items of it whose peak can be foretold, largest gain first; none outside the daily series."""
        if self.run.kind != "daily":
            return pl.DataFrame(schema={"item_id": pl.String})
        found = outlook(self.store, self.run.profile_id, run=self.run.run_id)
        return found.items.filter(pl.col("item_id").is_in(self.members) & pl.col("is_in_sight"))

    def clock(self, at: datetime | None) -> str:
        """An instant in the desk's time, with its date."""
        if at is None:
            return "–"
        local = at.astimezone(ZoneInfo(self.lead.profile.timezone))
        return f"{local:%a} {local.day} {local:%b %H:%M}"


def open_story(chosen: StoryParameters) -> Storybook:
    """The story of an item's or a story's id, or of the beginning of one, as it stood at ``until``.

    Raises: UnknownError where no run has it, with the nearest ids; UsageError where it begins several.
    """
    profile, store, notes = desk_of(chosen)
    with store.reading():
        newest = store.find_item(chosen.story, profile_id=profile.id)
        wanted = chosen.story.strip().lower()
        asked = newest.item_id if newest.item_id.startswith(wanted) else newest.story_id
        series = _series(store, profile.id, chosen, newest)
        found = newest if newest.run.run_id in series else _earlier(store, asked, series, chosen.until)
        lead, met = _as_of_now(store, found, series)
    return Storybook(store, lead, asked, series, (*notes, *_merged(found, lead, asked, met)))


def _series(store: StateStore, profile_id: str, chosen: StoryParameters, newest: Found) -> tuple[str, ...]:
    """The runs that tell the story, oldest first, the last one being the one it is told up to."""
    last, end = chosen.on, None
    if chosen.until and last is None:
        end = store.run(chosen.until)
        if end.profile_id != profile_id or end.status != "complete":
            raise UsageError(
                f"run '{end.run_id}' is {end.status} and of profile '{end.profile_id}'",
                allowed=f"a complete run of '{profile_id}', or a day such as 2026-03-04",
            )
    elif newest.run.kind != "daily" and not chosen.until:
        end = newest.run
    last = end.run_on if end else last
    try:
        daily = runs_between(store, profile_id, last=last)
    except UnknownError:
        if end is None:
            raise
        return (end.run_id,)
    if end is not None:
        daily = daily.filter(pl.col("run_on") < end.run_on)
    return (*daily["run_id"], *([end.run_id] if end else []))


def _earlier(store: StateStore, asked: str, series: tuple[str, ...], until: str) -> Found:
    """What ``asked`` was in the newest run of the series that has it."""
    for run_id in reversed(series):
        try:
            return store.find_item(asked, run=run_id)
        except UnknownError:
            continue
    raise UnknownError(
        f"no run up to {until or series[-1]} has '{asked}'",
        where=f"in {store.path}",
        hint="a later one has: leave until away",
    )


def _as_of_now(store: StateStore, found: Found, series: tuple[str, ...]) -> tuple[Kept, tuple[int, int]]:
    """The story in the newest run that goes on with it; where it was merged, how many of how many items were.

    Run by run, for a story lets go of its oldest items in time: what took most of it in has most of what
    it had then.
    """
    own = ids = tuple(found.story["item_ids"].explode().drop_nulls()) or (found.item_id,)
    story_id, run_id, met, missed = found.story_id, found.run.run_id, (len(ids), len(ids)), 0
    later = series[series.index(run_id) + 1 :] if run_id in series else ()
    for place in later:
        if missed == MOST_MISSED:
            break
        stories = store.stories(place)
        now = stories.filter(pl.col("story_id") == story_id)
        # What was merged may be let go again: then it goes its own way.
        of = own if story_id != found.story_id else ids
        most = _held(stories, of).filter(2 * pl.col("n_ours") > len(of))
        if most.height and (now.is_empty() or of is own):
            met = (most["n_ours"][0], len(of))
            now = stories.filter(pl.col("story_id") == most["story_id"][0])
        missed = missed + 1 if now.is_empty() else 0
        if now.height:
            story_id, run_id = str(now["story_id"][0]), place
            ids = tuple(now["item_ids"].explode().drop_nulls()) or ids
    return kept(story_id, store, run=run_id), met


def _held(stories: pl.DataFrame, ids: Iterable[str]) -> pl.DataFrame:
    """How many of some items each story holds: story_id, n_ours; no row where none."""
    wanted = pl.DataFrame({"item_id": list(ids)}, schema={"item_id": pl.String})
    members = stories.select("story_id", item_id="item_ids").explode("item_id")
    return (
        members.join(wanted, on="item_id", how="semi")
        .group_by("story_id")
        .agg(n_ours=pl.len().cast(pl.Int64))
    )


def _merged(found: Found, lead: Kept, asked: str, met: tuple[int, int]) -> tuple[str, ...]:
    if found.story_id == lead.story_id:
        return ()
    what = f"Story {found.story_id}" if asked == found.story_id else f"The story of item {asked}"
    return (
        f"{what} was merged into {lead.story_id}: {met[0]:,} of its {met[1]:,} items went "
        "there. This is that story.",
    )


def _points(side: Decided, item_id: str) -> dict[str, int]:
    """The points of a lead by part and modifier."""
    lead = side.records.filter(pl.col("item_id") == item_id)
    if lead.is_empty():
        return {}
    (row,) = lead.select("parts", "modifiers").to_dicts()
    found = {name: n for component in row["parts"].values() for name, n in component.items() if name != "cap"}
    caps = sum(component.get("cap") or 0 for component in row["parts"].values())
    modified: dict[str, int] = {}
    for one in row["modifiers"] or ():
        modified[one["name"]] = modified.get(one["name"], 0) + one["points"]
    return {name: int(n or 0) for name, n in {**found, "cap": caps, **modified}.items()}


def day_of(on: date) -> str:
    """A day in words: 'Mon 2 Mar'."""
    return f"{on:%a} {on.day} {on:%b}"
