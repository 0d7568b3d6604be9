"""What a StateStore counts over runs, and what stories came to in each."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from brandkit.store import trends
from brandkit.store.access import HasAccess
from brandkit.store.runs import RunRow, id_of


class TrendMethods(HasAccess):
    """The methods of a StateStore that look along a series of runs."""

    def score_counts(self, runs: Sequence[str | RunRow]) -> pl.DataFrame:
        """How many records and stories of each run have each value of each number of the score.

        Counted in the store: 28 runs of 20,000 records take about a second.

        Shape:  run_id, kind, component, name, value, n_records, n_stories (those that lead one),
                sorted. ``total``, ``component``, ``part`` in points; ``modifier`` the points it
                took, only where it applied; ``gate`` 0 where it passed and -1 where it did not;
                ``decision`` 1.
        Raises: UnknownError for a run that is not there or published nothing.
        """
        ids = [id_of(run) for run in runs]
        with self._access.reading("score_counts") as (session, counted):
            found = trends.score_counts(session, ids)
            counted.rows_out = found.height
            return found

    def story_scores(self, run: str | RunRow) -> pl.DataFrame:
        """The stories of a complete run with what their leads came to, sorted by story_id.

        Shape:  the columns of a story; publisher, parts, modifiers and gates of its lead;
                ``engagement`` of the loudest of its items in the run.
        Nulls:  engagement where none is known.
        Raises: UnknownError for a run that is not there or published nothing.
        """
        with self._access.reading("story_scores", run_id=id_of(run)) as (session, counted):
            found = trends.story_scores(session, id_of(run))
            counted.rows_out = found.height
            return found

    def known_stories(self, runs: Sequence[str | RunRow], story_ids: Sequence[str]) -> pl.DataFrame:
        """Those of the stories that any of the runs decided on: story_id, sorted."""
        with self._access.reading("known_stories") as (session, counted):
            found = trends.known_stories(session, [id_of(run) for run in runs], story_ids)
            counted.rows_out = found.height
            return found
