"""What a StateStore finds by the words of a question."""

from __future__ import annotations

import polars as pl

from brandkit.store import find
from brandkit.store.access import HasAccess
from brandkit.store.find import Asked


class FindMethods(HasAccess):
    """The methods of a StateStore that search the whole history."""

    def find(self, asked: Asked) -> pl.DataFrame:
        """The items or stories of complete runs that answer; ``brandkit.record.find`` asks in words.

        Raises: UsageError where nothing is asked for.
        """
        with self._access.reading("find") as (session, counted):
            found = find.find(session, asked)
            counted.rows_out = found.height
            return found
