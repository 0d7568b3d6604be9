"""Runs over a span of days: the latest complete attempt of each, which is what a trend is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from brandkit.errors import UnknownError, UsageError
from brandkit.record.phrases import counted
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore


@dataclass(frozen=True, slots=True)
class Days:
    """Some days of a profile: the run of each that has one, oldest first, and the days without."""

    profile_id: str
    first: date
    last: date
    runs: tuple[RunRow, ...]

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs by their ids."""
        return tuple(run.run_id for run in self.runs)

    @property
    def without_run(self) -> tuple[date, ...]:
        """The days that no complete run covers: nothing is known of them."""
        covered = {run.run_on for run in self.runs}
        calendar = [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]
        return tuple(day for day in calendar if day not in covered)

    def sentence(self) -> str:
        """Which days these are and how many of them have a run."""
        gaps = len(self.without_run)
        missing = f", {counted(gaps, 'day')} without one" if gaps else ""
        return f"{self.profile_id}, {self.first} to {self.last}: {counted(len(self.runs), 'run')}{missing}"


def days_of(store: StateStore, profile_id: str, *, first: date | None, last: date | None, days: int) -> Days:
    """The daily runs of a span: up to ``last``, or the latest run, from ``first`` or ``days`` of them.

    Raises: UnknownError where no run is of these days; UsageError for days that are no span.
    """
    if days < 1:
        raise UsageError(f"a span of {days} days", allowed="1 or more")
    if first is not None and last is not None and first > last:
        raise UsageError(f"the days end before they begin: {first} to {last}")
    with store.reading():
        if last is None:
            last = runs_between(store, profile_id)["run_on"][-1]
        first = last - timedelta(days=days - 1) if first is None else first
        listed = runs_between(store, profile_id, first=first, last=last)
        runs = tuple(store.run(run_id) for run_id in listed["run_id"])
    return Days(profile_id, first, last, runs)


def one_run(store: StateStore, profile_id: str, run: str | None) -> RunRow:
    """A run of a profile by its id, or its latest daily one.

    Raises: UnknownError where there is none, or it is another profile's.
    """
    found = store.run(run) if run else store.latest(profile_id, "daily")
    if found is None or found.profile_id != profile_id:
        raise UnknownError(
            f"no {f'run {run}' if run else 'complete daily run'} of profile '{profile_id}'",
            where=f"in {store.path}",
            hint="brandkit runs lists them",
        )
    return found


def runs_between(
    store: StateStore,
    profile_id: str,
    *,
    first: date | None = None,
    last: date | None = None,
    kind: str = "daily",
    shadow: bool = False,
) -> pl.DataFrame:
    """The latest complete attempt of each date from ``first`` to ``last``, oldest first.

    Shape:  as ``StateStore.runs``; the run ids are in ``run_id``.
    Raises: UnknownError where there is none, naming what there is.
    """
    listed = store.runs(profile_id)
    wanted = (pl.col("status") == "complete") & (pl.col("kind") == kind) & (pl.col("shadow") == shadow)
    found = listed.filter(wanted)
    if first is not None:
        found = found.filter(pl.col("run_on") >= first)
    if last is not None:
        found = found.filter(pl.col("run_on") <= last)
    if found.is_empty():
        days = sorted(listed.filter(wanted)["run_on"].to_list())
        span = f"runs are of {days[0]} to {days[-1]}" if days else "there are none at all"
        raise UnknownError(
            f"no complete {'shadow ' if shadow else ''}{kind} run of profile '{profile_id}'"
            f"{f' from {first}' if first else ''}{f' to {last}' if last else ''}",
            where=f"in {store.path}",
            allowed=span,
            hint="brandkit runs lists them",
        )
    return found.sort("run_on", "attempt").unique("run_on", keep="last", maintain_order=True)
