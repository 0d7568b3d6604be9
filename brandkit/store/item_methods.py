"""What a StateStore does with items and sightings: append, never overwrite."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from brandkit.store import items as item_rows
from brandkit.store.access import HasAccess
from brandkit.store.items import UpsertCounts


class ItemMethods(HasAccess):
    """The methods of a StateStore that take items in."""

    def upsert_items(self, frame: pl.DataFrame | pl.LazyFrame) -> UpsertCounts:
        """Add what is new of these items: an item never seen, or new content as its next revision.

        Identity is (item_id, content_hash); numbers go on after the highest known, in the order of
        collected_at, then content_hash. Stored content is never changed.

        Raises: ContractError for a missing or repeated key.
        """
        rows = frame.collect() if isinstance(frame, pl.LazyFrame) else frame
        with self._access.writing("upsert_items") as (session, counted):
            counted.rows_in = rows.height
            found = item_rows.upsert(session, rows)
            counted.rows_out = rows.height - found.unchanged
        return found

    def upsert_item(self, row: Mapping[str, object]) -> UpsertCounts:
        """Add one item; many are better added by ``upsert_items``, which costs the same."""
        return self.upsert_items(item_rows.single(row))

    def add_observations(self, frame: pl.DataFrame | pl.LazyFrame) -> int:
        """Add sightings that are not stored yet, for every profile to see; gives how many."""
        rows = frame.collect() if isinstance(frame, pl.LazyFrame) else frame
        with self._access.writing("add_observations") as (session, counted):
            counted.rows_in = rows.height
            counted.rows_out = item_rows.add_observations(session, rows)
        return counted.rows_out or 0
