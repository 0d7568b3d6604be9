"""A profile on trial: what its shadow runs decided beside the live ones, day by day.

A shadow run has the live runs' past and its own day's items, is nobody's latest and in no brief. So
what differs on a day is the profile's doing, unless a cause says otherwise: another clock, other items.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from brandkit.errors import UnknownError
from brandkit.record.causes import WORDS
from brandkit.record.compare import Comparison, compare, count_causes, in_both, spoken, story_line
from brandkit.record.counterfactual import rung
from brandkit.record.series import runs_between
from brandkit.store.state import StateStore

MOST_SHOWN = 10
_DAY: Mapping[str, Any] = {
    "run_on": pl.Date, "run_live": pl.String, "run_shadow": pl.String, "n_stories": pl.Int64,
    "n_moved": pl.Int64, "n_up": pl.Int64, "n_down": pl.Int64, "n_came": pl.Int64, "n_went": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trial:
    """What a profile on trial would have changed: ``print`` it for one screen, or take the frames.

    Shape:  ``days``: a row for each day with both runs; ``n_stories`` are in both, ``n_moved`` of
            them moved. ``stories``: as ``Comparison.stories`` from live to shadow, with ``run_on``.
            ``workload``: run_on, decision, n_live, n_shadow. ``alone``: the days without a live run.
    """

    profile_id: str
    days: pl.DataFrame
    stories: pl.DataFrame
    workload: pl.DataFrame
    alone: tuple[date, ...] = ()
    notes: tuple[str, ...] = ()

    def by_cause(self) -> pl.DataFrame:
        """How many stories each cause moved over all days: cause, up, down, came, went."""
        return count_causes(self.stories)

    def totals(self) -> pl.DataFrame:
        """The workload of all days: decision, n_live, n_shadow, and live_a_day, shadow_a_day."""
        summed = self.workload.group_by("decision", maintain_order=True).agg(
            pl.col("n_live", "n_shadow").sum()
        )
        means = {f"{name}_a_day": pl.col(f"n_{name}") / self.days.height for name in ("live", "shadow")}
        return summed.with_columns(**means)

    def top(self, most: int) -> pl.DataFrame:
        """The stories to look at first over all days: what moved at the top of the ladder."""
        highest = pl.max_horizontal(rung(pl.col("decision_from")), rung(pl.col("decision_to")))
        return self.stories.sort(-highest, "run_on", maintain_order=True).head(most)

    def headlines(self) -> tuple[str, ...]:
        """What was compared, how much of it moved, and what a reader must know of it."""
        first, last = self.days["run_on"][0], self.days["run_on"][-1]
        told = f"{in_both(int(self.days['n_stories'].sum()))}, {self.days['n_moved'].sum():,} of them moved"
        alone = (f"no live run beside the shadow on {', '.join(map(str, self.alone))}",) if self.alone else ()
        title = f"{self.profile_id}: live -> shadow, {first} to {last}"
        return (title, told, *(f"note: {note}" for note in (*alone, *self.notes)))

    def text(self) -> str:
        """The trial on one screen."""
        return "\n".join(_lines(self))

    def __str__(self) -> str:
        """The same."""
        return self.text()

    def __repr__(self) -> str:
        """Whose trial, over how many days, and how many stories moved."""
        moved = self.days["n_moved"].sum()
        return f"Trial({self.profile_id}: {moved} stories moved in {self.days.height} days)"


def compare_shadow(
    store: StateStore, profile_id: str, *, first: date | None = None, last: date | None = None
) -> Trial:
    """Live against shadow, the latest complete runs of each day from ``first`` to ``last``.

    Raises: UnknownError where there are no shadow runs, or no day has both.
    """
    with store.reading():
        shadow = runs_between(store, profile_id, first=first, last=last, shadow=True)
        live = runs_between(store, profile_id, first=first, last=last)
        both = live.select("run_on", run_live="run_id").join(
            shadow.select("run_on", run_shadow="run_id"), on="run_on"
        )
        if both.is_empty():
            raise UnknownError(
                f"no day has both a live and a shadow run of profile '{profile_id}'",
                where=f"in {store.path}",
                allowed=f"live: {_span(live)}; shadow: {_span(shadow)}",
                hint="brandkit run daily --shadow runs the profile on trial on a day's items",
            )
        pairs = both.sort("run_on").rows()
        found = [(on, compare(run_live, run_shadow, store)) for on, run_live, run_shadow in pairs]
    alone = shadow.join(both, on="run_on", how="anti")["run_on"].to_list()
    stories = [c.stories.select(pl.lit(on).alias("run_on"), pl.all()) for on, c in found]
    workload = [
        c.workload.select(pl.lit(on).alias("run_on"), "decision", n_live="n_from", n_shadow="n_to")
        for on, c in found
    ]
    return Trial(
        profile_id=profile_id,
        days=pl.DataFrame([_day(on, c) for on, c in found], schema=dict(_DAY), orient="row"),
        stories=pl.concat(stories),
        workload=pl.concat(workload),
        alone=tuple(alone),
        notes=tuple(dict.fromkeys(note for _, c in found for note in c.notes)),
    )


def _span(runs: pl.DataFrame) -> str:
    return f"{runs['run_on'][0]} to {runs['run_on'][-1]}"


def _day(on: date, found: Comparison) -> tuple[object, ...]:
    counts = found.by_cause().select(pl.col("up", "down", "came", "went").sum()).row(0)
    return (on, found.run_a, found.run_b, found.n_continued, found.moved.height, *counts)


def _lines(trial: Trial) -> Iterator[str]:
    yield from trial.headlines()
    yield from ("", f"{'day':<12}{'stories':>8}{'moved':>7}{'up':>6}{'down':>6}{'came':>6}{'went':>6}")
    for on, n, moved, *ways in trial.days.drop("run_live", "run_shadow").rows():
        yield f"{on!s:<12}{n:>8,}{moved:>7,}" + "".join(f"{way:>6,}" for way in ways)
    yield from ("", f"{'decision':<12}{'live':>8}{'shadow':>8}{'a day':>9}{'a day':>9}")
    for name, n_live, n_shadow, live, shadow in trial.totals().rows():
        yield f"{spoken(name):<12}{n_live:>8,}{n_shadow:>8,}{live:>9.1f}{shadow:>9.1f}"
    told = ", ".join(f"{WORDS[cause]} {sum(ways):,}" for cause, *ways in trial.by_cause().rows())
    yield from ("", f"causes: {told or 'nothing moved'}")
    shown = trial.top(MOST_SHOWN)
    yield from (f"  {move['run_on']} {story_line(move)}" for move in shown.to_dicts())
    if (rest := trial.stories.height - shown.height) > 0:
        yield f"  and {rest:,} more"
