"""Runs over a span of days: the latest complete attempt of each, which is what a trend is made of."""

from __future__ import annotations

from datetime import date

import polars as pl

from brandkit.errors import UnknownError
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore


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
