"""Which run a report shows: the one in the store, or one made now of the inputs or of the shipped sample."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from brandkit import settings
from brandkit.errors import NothingToReport, UsageError
from brandkit.profile import BrandProfile
from brandkit.report.brief import Brief
from brandkit.report.parameters import DailyParameters, ReportParameters
from brandkit.report.redacted import redacted
from brandkit.runner import Runner, Task
from brandkit.settings import Settings
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore

_SAMPLE = Path("data", "sample")
_SAMPLE_NOTE = "This is the sample that comes with brandkit: every name and headline in it is invented."
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class _Desk:
    """The profile and store of a report, and what was to be said of finding them."""

    profile: BrandProfile
    store: StateStore
    is_shipped: bool
    notes: tuple[str, ...]


def open_daily(chosen: DailyParameters) -> Brief:
    """The brief of a day, in the edition asked for: of its run in the store, made first where it is missing.

    Raises: UsageError when there is neither a run nor anything to run on; what ended the run, when
            it failed.
    """
    brief = _opened(chosen)
    return redacted(brief) if chosen.edition == "redacted" else brief


def _opened(chosen: DailyParameters) -> Brief:
    desk = _desk(chosen)
    run_id, notes = _of_day(chosen, desk)
    brief = Brief.read(desk.store, run_id, notes=notes)
    if chosen.run_id and desk.is_shipped and _is_invented(brief.records):
        return replace(brief, notes=(*notes, _SAMPLE_NOTE))
    return brief


def find_daily(chosen: DailyParameters) -> tuple[StateStore, RunRow]:
    """The run that the brief of a day shows, and its store; made first where it is missing.

    Raises: as ``open_daily``.
    """
    desk = _desk(chosen)
    return desk.store, desk.store.run(_of_day(chosen, desk)[0])


def profile_id_of(chosen: ReportParameters) -> str:
    """Whose report it is."""
    return _desk(chosen).profile.id


def find_latest(chosen: ReportParameters) -> tuple[StateStore, str, RunRow | None]:
    """The newest finished daily run up to a report's day, with its store and its profile's id.

    Nulls:  no run where the shipped profile has none: its sample can be run.
    Raises: UsageError where there is none to report on.
    """
    desk = _desk(chosen)
    named = getattr(chosen, chosen.run_field) if chosen.run_field else None
    if named:
        run = desk.store.run(str(named))
        return desk.store, run.profile_id, run
    is_of = (pl.col("status") == "complete") & (pl.col("kind") == "daily") & ~pl.col("shadow")
    until = pl.lit(value=True) if chosen.on is None else pl.col("run_on") <= chosen.on
    found = desk.store.runs(desk.profile.id).filter(is_of & until).sort("run_on", "attempt")
    if found.height:
        return desk.store, desk.profile.id, desk.store.run(found["run_id"][-1])
    if desk.is_shipped and settings.project_root() is not None:
        return desk.store, desk.profile.id, None
    when = f" up to {chosen.on}" if chosen.on else ""
    raise NothingToReport(
        f"no finished run{when} for profile '{desk.profile.id}'",
        where=f"in {desk.store.path}",
        hint="brandkit run daily makes one",
    )


def _of_day(chosen: DailyParameters, desk: _Desk) -> tuple[str, tuple[str, ...]]:
    """The run's id, and the notes of the brief."""
    if chosen.run_id:
        return _named(chosen, desk).run_id, desk.notes
    sample = _sample(chosen, desk)
    inputs = chosen.inputs or sample
    if not inputs:
        return _finished(chosen, desk).run_id, desk.notes
    task = Task(
        date=chosen.run_date,
        profile=desk.profile,
        inputs=inputs,
        shadow=chosen.shadow,
        as_of=chosen.as_of,
        store=desk.store.path,
    )
    result = Runner(desk.store).run(task)
    if result.error is not None:
        raise result.error
    notes = desk.notes if chosen.inputs else (*desk.notes, _sample_note(sample, chosen.run_date))
    return result.run_id, notes


def _named(chosen: DailyParameters, desk: _Desk) -> RunRow:
    run = desk.store.run(chosen.run_id)
    if run.run_on != chosen.run_date:
        raise UsageError(
            f"run '{run.run_id}' is of {run.run_on}, not of {chosen.run_date}",
            hint="name the run or the day",
        )
    if chosen.profile is not None and run.profile_id != desk.profile.id:
        raise UsageError(f"run '{run.run_id}' is of profile '{run.profile_id}', not of '{desk.profile.id}'")
    if run.status != "complete":
        raise UsageError(
            f"run '{run.run_id}' is {run.status}: it has nothing to report", hint=run.error or ""
        )
    return run


def _is_invented(records: pl.DataFrame) -> bool:
    """Whether every address is under .example, which is nobody's: the sample's are, all of them."""
    return bool(records.height) and bool(records["domain"].drop_nulls().str.ends_with(".example").all())


def _desk(chosen: ReportParameters) -> _Desk:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", UserWarning)
        found = Settings.load()
    path = chosen.profile or found.profile_path
    if path is None:
        raise UsageError(
            "no profile given",
            hint="pass -p profile <file>, set BRANDKIT_PROFILE, or write one with brandkit init",
        )
    shipped = settings.shipped_profile()
    is_shipped = shipped is not None and path.resolve() == shipped
    notes = tuple(str(warning.message) for warning in heard)
    return _Desk(BrandProfile.from_toml(path), StateStore(chosen.store or found.db_path), is_shipped, notes)


def _latest(chosen: DailyParameters, desk: _Desk) -> RunRow | None:
    run = desk.store.latest(desk.profile.id, "daily", on=chosen.run_date, shadow=chosen.shadow)
    return run if run is None or chosen.as_of in (None, run.as_of) else None


def desk_of(chosen: ReportParameters) -> tuple[BrandProfile, StateStore, tuple[str, ...]]:
    """Whose report it is, the store its runs stand in, and what was to be said of finding them.

    Raises: UsageError where nothing names a profile.
    """
    found = _desk(chosen)
    return found.profile, found.store, found.notes


def _finished(chosen: DailyParameters, desk: _Desk) -> RunRow:
    run = _latest(chosen, desk)
    if run is None:
        raise NothingToReport(
            f"no run of {chosen.run_date} for profile '{desk.profile.id}', and nothing to run it on",
            where=f"in {desk.store.path}",
            hint="pass -p inputs <file, folder or pattern>",
        )
    return run


def _sample(chosen: DailyParameters, desk: _Desk) -> tuple[str, ...]:
    """The sample's files, where they are meant: the shipped profile, no inputs, no run of one's own."""
    root = settings.project_root()
    if chosen.inputs or root is None or not desk.is_shipped:
        return ()
    found = tuple(str(path) for path in sorted((root / _SAMPLE).glob("items-*.parquet")))
    return found if chosen.run_date in _days(found) or _latest(chosen, desk) is None else ()


def _days(paths: Sequence[str]) -> list[date]:
    found = (_DAY.search(Path(path).name) for path in paths)
    return [date.fromisoformat(day.group()) for day in found if day]


def _sample_note(sample: Sequence[str], asked: date) -> str:
    days = _days(sample)
    return _SAMPLE_NOTE if asked in days else f"{_SAMPLE_NOTE} It covers {min(days)} to {max(days)}."
