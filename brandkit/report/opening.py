"""Which run a report shows: the one in the store, or one made now of the inputs or of the shipped sample."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from brandkit import settings
from brandkit.errors import UsageError
from brandkit.profile import BrandProfile
from brandkit.report.brief import Brief
from brandkit.report.parameters import DailyParameters, ReportParameters
from brandkit.runner import Runner, Task
from brandkit.settings import Settings
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore

_SAMPLE = Path("data", "sample")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class _Desk:
    """The profile and store of a report, and what was to be said of finding them."""

    profile: BrandProfile
    store: StateStore
    is_shipped: bool
    notes: tuple[str, ...]


def open_daily(chosen: DailyParameters) -> Brief:
    """The brief of a day: of its run in the store, made first where it is missing.

    Raises: UsageError when there is neither a run nor anything to run on; what ended the run, when
            it failed.
    """
    desk = _desk(chosen)
    sample = _sample(chosen, desk)
    inputs = chosen.inputs or sample
    if not inputs:
        return Brief.read(desk.store, _finished(chosen, desk).run_id, notes=desk.notes)
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
    return Brief.read(desk.store, result.run_id, notes=notes)


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
        raise UsageError(
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
    note = "This is the sample that comes with brandkit: every name and headline in it is invented."
    return note if asked in days else f"{note} It covers {min(days)} to {max(days)}."
