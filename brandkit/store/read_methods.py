"""What a StateStore gives back of what runs published, and of the past a run may know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import polars as pl

from brandkit.pipeline import History
from brandkit.store import history as past
from brandkit.store import inputs as run_inputs
from brandkit.store import published, runs
from brandkit.store.access import HasAccess
from brandkit.store.inputs import RunInputs
from brandkit.store.runs import RunRow, id_of


class ReadMethods(HasAccess):
    """The methods of a StateStore that read what complete runs left."""

    def records(self, run: str | RunRow, *, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The records of a complete run, or some columns of them, sorted by item_id.

        Raises: UnknownError for a run that is not there, running or failed, or an unknown column.
        """
        wanted = published.record_columns(columns)
        return self._access.frame(
            "records", (id_of(run), *wanted), lambda s: published.records(s, id_of(run), wanted)
        )

    def record(self, run: str | RunRow, item_id: str) -> pl.DataFrame:
        """The one record of an item in a complete run, as a frame of one row.

        Raises: UnknownError for a run or an item that is not there.
        """
        return self._access.frame(
            "record", (id_of(run), item_id), lambda s: published.record(s, id_of(run), item_id)
        )

    def items(self, run: str | RunRow) -> pl.DataFrame:
        """The items of a complete run as it saw them, at the revisions it had; sorted by item_id."""
        return self._access.frame("items", (id_of(run),), lambda s: published.items(s, id_of(run)))

    def stories(self, run: str | RunRow) -> pl.DataFrame:
        """The stories of a complete run, sorted by story_id."""
        return self._access.frame("stories", (id_of(run),), lambda s: published.stories(s, id_of(run)))

    def rejects(self, run: str | RunRow) -> pl.DataFrame:
        """The rows a complete run rejected, in the order it met them."""
        return self._access.frame("rejects", (id_of(run),), lambda s: published.rejects(s, id_of(run)))

    def stages(self, run: str | RunRow) -> pl.DataFrame:
        """The telemetry of a run that has ended, also of a failed one, in the order it came."""
        return self._access.frame("stages", (id_of(run),), lambda s: published.stages(s, id_of(run)))

    def history(
        self,
        profile_id: str,
        *,
        kind: str,
        window_start: datetime,
        as_of: datetime,
        before: date,
        known_through: int | None = None,
        shadow: bool = False,
    ) -> History:
        """What a run of this profile may know of the past, read as of one instant.

        With ``known_through`` as the store was after its write of that number: whatever came in
        later, of whatever date, is not seen. A ``shadow`` sees what earlier shadows brought in, too.

        Items: the current revision of every item sighted in the 72 h before ``window_start`` or
        since, up to ``as_of``, and the older items of their stories, as the latest complete runs
        dated before ``before`` placed them. ``collected_at`` is an item's
        first sighting, ``seen_at`` its last. Shares are empty so far.
        """
        with self._access.reading("history") as (session, counted):
            asked = past.Asked(
                profile_id=profile_id,
                kind=kind,
                window_start=window_start,
                as_of=as_of,
                before=before,
                known_through=session.known_through() if known_through is None else known_through,
                shadow=shadow,
            )
            found = past.read(session, asked)
            counted.rows_out = found.items.height
            return found

    def known_through(self) -> int:
        """The number of the store's last write; inside ``reading()``, what all reads of it know."""
        with self._access.reading("known_through") as (session, _):
            return session.known_through()

    def inputs(self, run: str | RunRow) -> RunInputs:
        """What the stages of a complete run went to work on, the past as it was known then.

        Raises: UnknownError for a run that is not there; ReplayRefused where it has no inputs, or
        none any more, with the reason.
        """
        with self._access.reading("inputs", run_id=id_of(run)) as (session, counted):
            found = run_inputs.again(session, runs.get(session, id_of(run)))
            counted.rows_out = found.items.height
            return found
