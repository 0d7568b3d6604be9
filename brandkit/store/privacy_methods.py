"""What a StateStore does for people's privacy: forget a person, and forget with age."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from brandkit.store import erase, prune
from brandkit.store.access import HasAccess
from brandkit.store.erase import Erased
from brandkit.store.prune import Pruned


class PrivacyMethods(HasAccess):
    """The methods of a StateStore that take things away."""

    def erase(
        self,
        *,
        account: str | None = None,
        author: str | None = None,
        erased_at: datetime,
        erased_by: str,
        reason: str = "",
    ) -> Erased:
        """Forget an account (``platform:name``) or an author: everywhere, for good, and from now on.

        What the account posted goes from the items and sightings; records keep their numbers, with a
        placeholder for its words; a byline is blanked. Later loads refuse what the account posts. The
        runs that met it cannot be replayed any more. Copies of the file elsewhere are not reached.

        Raises: UsageError unless exactly one is given; UnknownError where nothing of them is stored.
        """
        with self._access.writing("erase") as (session, counted):
            found = erase.erase(
                session,
                account=account,
                author=author,
                erased_at=erased_at,
                erased_by=erased_by,
                reason=reason,
            )
            counted.rows_out = found.n_records
        self._access.sessions.compact()
        return found

    def erasures(self) -> pl.DataFrame:
        """Who was erased, as pseudonyms, when, by whom and why; oldest first."""
        with self._access.reading("erasures") as (session, _):
            return erase.erasures(session)

    def prune(
        self,
        *,
        inputs_before: datetime | None = None,
        runs_before: date | None = None,
        pruned_at: datetime,
        is_trial: bool = False,
    ) -> Pruned:
        """Delete inputs last sighted before an instant, and runs of days before a date.

        Inputs of stories that are alive stay. Runs that lost inputs refuse a replay and say why; of a
        pruned run only its row stays. ``is_trial`` tells what would go and takes nothing.

        Raises: UsageError where a coming run would miss what goes.
        """
        try:
            with self._access.writing("prune") as (session, counted):
                found = prune.prune(
                    session, inputs_before=inputs_before, runs_before=runs_before, pruned_at=pruned_at
                )
                counted.rows_out = found.n_rows
                if is_trial:
                    raise _Trial
        except _Trial:
            return found
        if found.n_rows:
            self._access.sessions.compact()
        return found


class _Trial(Exception):
    """Ends a transaction that was only to be looked at."""
