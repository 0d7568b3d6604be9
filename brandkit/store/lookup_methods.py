"""What a StateStore finds by an id, and what a run knew behind it."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from brandkit.store import lookup, runs
from brandkit.store.access import HasAccess
from brandkit.store.lookup import Asked, Found
from brandkit.store.runs import RunRow, id_of


class LookupMethods(HasAccess):
    """The methods of a StateStore that find an item or a story in whichever run knows it."""

    def find_item(
        self, item: str, *, run: str | None = None, profile_id: str | None = None, usual: str | None = None
    ) -> Found:
        """The record of an item or story in the newest complete run that has it, or in ``run``.

        ``item`` is an item's id, a story's (which stands for its lead), or the beginning of one that
        no other shares in that run. Shadow runs are left out unless named; ``usual`` is a profile
        whose runs are asked before all others.

        Raises: UnknownError where no run has it, with the nearest ids; UsageError where it begins
        several ids.
        """
        asked = Asked(item=item, where=f"in {self.path}", run=run, profile_id=profile_id, usual=usual)
        about = tuple(repr(part) for part in (asked.wanted, run, profile_id, usual))
        return lookup.unpack(
            self._access.frame("find_item", about, lambda session: lookup.find(session, asked))
        )

    def story_items(self, run: str | RunRow, story_id: str) -> pl.DataFrame:
        """Every item of a story as a complete run knew it: its own records, and older ones' it built on.

        Shape: run_id (whose record it is) and the columns of a record, by collected_at and item_id.
        """
        about = (id_of(run), story_id)
        return self._access.frame(
            "story_items",
            about,
            lambda session: lookup.story_items(session, runs.complete(session, id_of(run)), story_id),
        )

    def sightings(self, run: str | RunRow, item_ids: Sequence[str]) -> pl.DataFrame:
        """The sightings of items that a complete run knew of, by item_id and observed_at."""
        about = (id_of(run), *item_ids)
        return self._access.frame(
            "sightings",
            about,
            lambda session: lookup.sightings(session, runs.complete(session, id_of(run)), item_ids),
        )
