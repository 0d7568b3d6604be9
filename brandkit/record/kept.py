"""One stored record together with the run that made it: what every question about a decision starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from brandkit.errors import UnknownError, UsageError
from brandkit.profile import BrandProfile
from brandkit.schemas import RECORD
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore

SHOWN_MATCHES = 5


@dataclass(frozen=True, slots=True)
class Kept:
    """A record (a frame of one row) and its run; the run's frozen profile and clock come with it."""

    record: pl.DataFrame
    run: RunRow
    profile: BrandProfile

    @property
    def item_id(self) -> str:
        """The item that was decided on."""
        return str(self.record["item_id"].item())

    @property
    def story_id(self) -> str:
        """The story the item is in."""
        return str(self.record["story_id"].item())


# What explain, why_not and lineage take: a record from a store, a frame of one row, or a mapping.
Record = Kept | pl.DataFrame | Mapping[str, Any]


def kept(item: str, store: StateStore, *, run: str | None = None, profile_id: str | None = None) -> Kept:
    """The record of an item, as its latest complete run decided it, or as ``run`` did.

    ``item`` is an item's id, the beginning of one that no other shares, or a story's id, which
    stands for its lead.

    Raises: UnknownError where no run has it; UsageError where it begins several ids.
    """
    with store.reading():
        for run_id in [run] if run else _latest_first(store, profile_id):
            records = store.records(run_id, columns=["item_id", "story_id", "is_lead"])
            found = _meant(item, records, run_id=run_id)
            if found is not None:
                row = store.run(run_id)
                profile = BrandProfile.from_snapshot(row.profile_json)
                return Kept(store.record(run_id, found), row, profile)
    raise UnknownError(
        f"no item or story '{item}'",
        where=f"in run {run}" if run else f"in any complete run of {store.path}",
        allowed="an id as brandkit run shows it, or the beginning of one",
        hint="brandkit runs lists the runs",
    )


def unpacked(
    record: Record, profile: BrandProfile | None, as_of: datetime | None = None
) -> tuple[pl.DataFrame, BrandProfile, datetime | None]:
    """A record as a frame of one row, with the profile and the clock it was decided by.

    Raises: UsageError where there is not exactly one record, or no profile came with it.
    """
    if isinstance(record, Kept):
        return record.record, profile or record.profile, as_of or record.run.as_of
    if profile is None:
        raise UsageError("a record without its profile", hint="pass profile=, or take it from kept()")
    if isinstance(record, pl.DataFrame):
        if record.height != 1:
            raise UsageError(f"one record is asked for, and {record.height} given", hint="filter by item_id")
        return record, profile, as_of
    columns = {name: dtype for name, dtype in RECORD.items() if name in record}
    return pl.DataFrame([dict(record)], schema=columns), profile, as_of


def _latest_first(store: StateStore, profile_id: str | None) -> list[str]:
    runs = store.runs(profile_id).filter((pl.col("status") == "complete") & ~pl.col("shadow"))
    return runs["run_id"].to_list()


def _meant(item: str, records: pl.DataFrame, *, run_id: str) -> str | None:
    """The item_id that an id or a prefix means in one run: an item first, then a story's lead."""
    leads = records.filter("is_lead").select("item_id", key="story_id")
    keyed = (records.select("item_id", key="item_id"), leads)
    wanted = item.strip().lower()
    for is_it in (pl.col("key") == wanted, pl.col("key").str.starts_with(wanted)):
        for rows in keyed:
            found = rows.filter(is_it)["item_id"].unique().sort().to_list()
            if len(found) == 1:
                return str(found[0])
            if found:
                shown = ", ".join(found[:SHOWN_MATCHES])
                more = f" and {len(found) - SHOWN_MATCHES} more" if len(found) > SHOWN_MATCHES else ""
                raise UsageError(
                    f"'{item}' begins {len(found)} ids",
                    where=f"in run {run_id}",
                    allowed=f"they are: {shown}{more}",
                    hint="give more of it",
                )
    return None
