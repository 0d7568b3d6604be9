"""What a StateStore keeps of what a desk was told."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from brandkit.store import alerts
from brandkit.store.access import HasAccess


class AlertMethods(HasAccess):
    """The methods of a StateStore that keep alerts and what became of them."""

    def add_alerts(self, raised: pl.DataFrame) -> int:
        """Keep alerts; one that is kept already (by ``alert_id``) stays as it is. Gives how many came in.

        Shape:  alert_id, profile_id, run_id and the columns of ``schemas.ALERT``.
        """
        with self._access.writing("add_alerts") as (session, counted):
            counted.rows_in = counted.rows_out = alerts.add(session, raised)
            return counted.rows_out

    def alerts(self, profile_id: str, *, since: datetime | None = None) -> pl.DataFrame:
        """The alerts of a profile, oldest first; with ``since`` those raised after it."""
        with self._access.reading("alerts") as (session, counted):
            found = alerts.kept(session, profile_id, since=since)
            counted.rows_out = found.height
            return found

    def note_tries(self, tries: pl.DataFrame) -> None:
        """Keep what became of attempts to deliver: alert_id, channel, tried_at, error (null: it arrived)."""
        with self._access.writing("note_tries") as (session, counted):
            counted.rows_in = tries.height
            alerts.note_tries(session, tries)
