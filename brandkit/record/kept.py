"""One stored record together with the run that made it: what every question about a decision starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from brandkit.errors import UsageError
from brandkit.profile import BrandProfile
from brandkit.schemas import RECORD
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore


@dataclass(frozen=True, slots=True)
class Kept:
    """A record (a frame of one row) and its run; the run's frozen profile and clock come with it.

    ``story`` is the row of its story in that run, where there is one.
    """

    record: pl.DataFrame
    run: RunRow
    profile: BrandProfile
    story: pl.DataFrame | None = None

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


def kept(
    item: str,
    store: StateStore,
    *,
    run: str | None = None,
    profile_id: str | None = None,
    usual: str | None = None,
) -> Kept:
    """The record of an item, as its latest complete run decided it, or as ``run`` did.

    ``item`` is an item's id, the beginning of one that no other shares, or a story's id, which
    stands for its lead. ``profile_id`` asks the runs of one profile only, ``usual`` those of one
    profile before all others.

    Raises: UnknownError where no run has it; UsageError where it begins several ids.
    """
    found = store.find_item(item, run=run, profile_id=profile_id, usual=usual)
    profile = BrandProfile.from_snapshot(found.run.profile_json)
    return Kept(found.record, found.run, profile, found.story if found.story.height else None)


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
