"""The stories of one run or of a range of runs, with what a judgement needs and the profiles they had.

A story is judged by its lead, and who leads does not depend on scores, so what-ifs over stories
need the leads alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from brandkit import schemas
from brandkit.assess import scoring_stages
from brandkit.errors import UnknownError, UsageError
from brandkit.profile import BrandProfile
from brandkit.record.counterfactual import JUDGED, RUNGS, rescored
from brandkit.record.series import runs_between
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore

# The decisions as a desk reads them.
DOWNWARD = tuple(reversed(RUNGS))
# What names a story of a run, and what is shown of it.
KEY = ("run_id", "story_id")
SHOWN = ("run_id", "run_on", "story_id", "item_id", "title", "publisher")
_SIGNALS = {
    name: dtype
    for name, dtype in {**schemas.ITEM, **schemas.SIGNAL}.items()
    if any(name in stage.takes for stage in scoring_stages())
}
_STORED: schemas.Columns = {"total": pl.Int16, "decision": schemas.DECISION, "reason": schemas.REASON}
_WANTED = ("item_id", "title", "publisher", "is_lead", *_SIGNALS, *_STORED)
_INSTANTS = tuple(name for name, dtype in _SIGNALS.items() if dtype == schemas.INSTANT)

# A run's id, several, or None for the range that ``first`` and ``last`` give.
Runs = str | Iterable[str] | None


@dataclass(frozen=True, slots=True)
class Span:
    """The runs that were asked for, oldest first, and the lead of every story in them.

    Shape: ``runs`` has run_id, run_on, as_of and profile_hash; ``leads`` one row per story and run:
           what is shown of it, its signals, and as ``stored_*`` what the run decided.
    """

    profile_id: str
    runs: pl.DataFrame
    leads: pl.DataFrame
    profiles: Mapping[str, BrandProfile]

    @property
    def present(self) -> BrandProfile:
        """The profile that the last of the runs froze."""
        return self.profiles[self.runs["profile_hash"][-1]]

    def judged(
        self, profiles: Mapping[str, BrandProfile], *, columns: Iterable[str] | None = None
    ) -> pl.DataFrame:
        """All leads judged anew, each run by the profile that stands for its own (by its hash).

        Shape: the rows and the order of ``leads``, with the judged columns; or only ``columns``.
        """
        # Runs under one profile are one plan: a year of them costs what one large run does.
        alike: dict[str, list[str]] = {}
        for frozen in self.profiles:
            alike.setdefault(profiles[frozen].hash, []).append(frozen)
        by_hash = {profile.hash: profile for profile in profiles.values()}
        # Judgement knows instants only by their distance from as_of: all runs can stand at one clock.
        clock: datetime = self.runs["as_of"].max()  # type: ignore[assignment]
        at_one_clock = [(pl.col(name) + (pl.lit(clock) - pl.col("as_of"))).alias(name) for name in _INSTANTS]
        plans = [
            rescored(
                self.leads.lazy().filter(pl.col("profile_hash").is_in(frozen)).with_columns(at_one_clock),
                by_hash[hash_],
                as_of=clock,
            )
            for hash_, frozen in alike.items()
        ]
        wanted = pl.all() if columns is None else pl.col(columns)
        return pl.concat(plans).sort("place").select(wanted).collect(engine="in-memory")


def span(
    run: Runs,
    store: StateStore,
    *,
    profile_id: str | None = None,
    first: date | None = None,
    last: date | None = None,
) -> Span:
    """The stories of a run, of several, or of a profile's daily runs from ``first`` to ``last``.

    Raises: UnknownError where there is no such run; UsageError for runs of several profiles, or
            neither a run nor a profile.
    """
    with store.reading():
        rows = sorted(_rows(run, store, profile_id, first, last), key=lambda row: (row.run_on, row.run_id))
        if len(owners := sorted({row.profile_id for row in rows})) > 1:
            raise UsageError(
                f"the runs are of several profiles: {', '.join(owners)}", hint="ask for the runs of one"
            )
        leads = [_leads(store, row) for row in rows]
    runs = pl.DataFrame(
        [(row.run_id, row.run_on, row.as_of, row.profile_hash) for row in rows],
        schema={
            "run_id": pl.String, "run_on": pl.Date, "as_of": schemas.INSTANT, "profile_hash": pl.String,
        },
        orient="row",
    )  # fmt: skip
    profiles = {row.profile_hash: row.profile_json for row in rows}
    return Span(
        profile_id=owners[0],
        runs=runs,
        leads=pl.concat(leads).with_row_index("place"),
        profiles={hash_: BrandProfile.from_snapshot(text) for hash_, text in profiles.items()},
    )


def counted(n: int, one: str) -> str:
    """A number with its noun."""
    return f"{n:,} {one}{'' if n == 1 else 's'}"


def _rows(
    run: Runs, store: StateStore, profile_id: str | None, first: date | None, last: date | None
) -> list[RunRow]:
    if run is None:
        if profile_id is None:
            raise UsageError("neither a run nor a profile is named", hint="pass a run's id, or profile_id=")
        found = runs_between(store, profile_id, first=first, last=last)["run_id"].to_list()
        return [store.run(run_id) for run_id in found]
    if first is not None or last is not None:
        raise UsageError("a run and a range are two questions", hint="give a run, or first and last")
    ids = [run] if isinstance(run, str) else list(dict.fromkeys(run))
    if not ids:
        raise UnknownError("no run is named", hint="brandkit runs lists them")
    return [store.run(run_id) for run_id in ids]


def _leads(store: StateStore, row: RunRow) -> pl.DataFrame:
    """The leads of one complete run, sorted by story_id."""
    records = store.records(row.run_id, columns=_WANTED)
    stored = [pl.col(name).alias(f"stored_{name}") for name in _STORED]
    return (
        records.filter("is_lead")
        .with_columns(*stored)
        .drop(*JUDGED, "is_lead", strict=False)
        .with_columns(
            run_id=pl.lit(row.run_id),
            run_on=pl.lit(row.run_on, pl.Date),
            as_of=pl.lit(row.as_of, schemas.INSTANT),
            profile_hash=pl.lit(row.profile_hash),
        )
        .sort("story_id")
    )
