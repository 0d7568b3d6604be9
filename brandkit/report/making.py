"""Reports made with all their guards: checked, each in a process of its own, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import polars as pl

from brandkit import schemas
from brandkit.errors import EXIT_FAILED, BrandkitError, NothingToReport, ReportError, RunBusyError, UsageError
from brandkit.fingerprint import versions
from brandkit.report import artifacts, notebooks, parameters
from brandkit.report.artifacts import Place
from brandkit.report.failed import keep_failure
from brandkit.report.opening import find_daily, find_latest, profile_id_of
from brandkit.report.parameters import DailyParameters, ReportParameters
from brandkit.report.worker import Job, error_of
from brandkit.settings import Settings, project_root
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore

TIMEOUT_S = 600.0
# Starting, exporting and writing, on top of what the notebook may take.
_GRACE_S = 60.0
_LET_GO_S = 5.0
_LIBRARIES = ("bleach", "matplotlib", "nbclient", "nbconvert", "papermill")

_OF_DAILY_RUN = {"inputs", "as_of", "shadow"}

Status = Literal["made", "up to date", "failed", "nothing to report"]


@dataclass(frozen=True, slots=True)
class Made:
    """What came of one report: where it is, or what went wrong."""

    name: str
    on: date | None
    run_id: str | None
    status: Status
    folder: Path | None = None
    error: BrandkitError | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report that can be made: its parameters checked, its run found."""

    place: Place
    chosen: ReportParameters
    store: StateStore
    profile_id: str
    run: RunRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How to make reports: ``root`` is the folder of all of them (None: that of the settings)."""

    root: Path | None = None
    is_html: bool = True
    timeout_s: float = TIMEOUT_S
    is_forced: bool = False


def make(name: str, given: Mapping[str, object], how: How | None = None) -> Made:
    """Make one report, unless the one that is there is whole and up to date.

    Raises: UsageError, before anything starts, for a name, a parameter, a day with neither run nor
            items or a notebook that cannot take them; else what went wrong, with an error page beside
            where the report would be. The last good report stays as it was.
    """
    how = how or How()
    return _make(wanted(name, given, how), how)


def make_range(
    name: str,
    given: Mapping[str, object],
    first: date,
    last: date,
    how: How | None = None,
    *,
    workers: int = 2,
    hear: Callable[[Made], None] = lambda _: None,
) -> list[Made]:
    """Make a report for each day, several at a time; ``hear`` gets each as it comes.

    Runs that are missing are made first, in the order of their days, for each is read against the one
    before. One day's failure leaves the others.

    Raises: UsageError for a range or a report that cannot be.
    """
    how = how or How()
    field = parameters.model_of(name).date_field
    if not field:
        raise UsageError(f"report '{name}' is of no day", hint="leave --range out")
    if last < first:
        raise UsageError(f"the range ends before it begins: {first} to {last}")
    # What is wrong with all of them is said once.
    parameters.checked(name, {**given, field: first.isoformat()})
    notebooks.check_notebook(notebooks.notebook_path(name))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    found: dict[date, Made] = {}
    asked: list[Wanted] = []
    for day in days:
        try:
            asked.append(wanted(name, {**given, field: day.isoformat()}, how))
        except BrandkitError as error:
            is_empty = isinstance(error, NothingToReport)
            found[day] = Made(name, day, None, "nothing to report" if is_empty else "failed", error=error)
            hear(found[day])
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for made in pool.map(lambda one: _heard(one, how, hear), asked):
            if made.on is not None:
                found[made.on] = made
    return [found[day] for day in days]


def _heard(one: Wanted, how: How, hear: Callable[[Made], None]) -> Made:
    try:
        made = _make(one, how)
    except BrandkitError as error:
        made = Made(one.place.name, one.place.on, one.run.run_id if one.run else None, "failed", error=error)
    hear(made)
    return made


# What is asked for ---------------------------------------------------------------------------------


def wanted(name: str, given: Mapping[str, object], how: How) -> Wanted:
    """The report that is asked for, its run found or made; no kernel has started.

    Raises: as ``make``.
    """
    model = parameters.model_of(name)
    chosen = parameters.checked(name, _with_day(model, given))
    notebooks.check_notebook(notebooks.notebook_path(name))
    root = how.root or Settings.load().artifacts_dir
    run: RunRow | None
    if isinstance(chosen, DailyParameters):
        store, run = _run_of(chosen, root.absolute(), name)
        profile_id = run.profile_id
        # From here on it is about this very run, whatever comes in meanwhile.
        fixed = {"run_id": run.run_id, "store": store.path, "shadow": run.shadow, "inputs": (), "as_of": None}
        chosen = chosen.model_copy(update=fixed)
    else:
        store, profile_id, run = find_latest(chosen)
    folder = artifacts.folder_of(run.run_id if run else profile_id, _beside(chosen))
    on = chosen.on or (run.run_on if run else None)
    return Wanted(Place(root.absolute(), name, on, folder), chosen, store, profile_id, run)


def _beside(chosen: ReportParameters) -> dict[str, object]:
    """What asks for another report of the same run, and so for a folder of its own."""
    of_run = {"profile", "store", chosen.date_field, chosen.run_field}
    if isinstance(chosen, DailyParameters):
        of_run |= _OF_DAILY_RUN
    fields = type(chosen).model_fields
    given = {name: getattr(chosen, name) for name in fields if name not in of_run}
    return {name: value for name, value in given.items() if value != fields[name].default}


def _run_of(chosen: DailyParameters, root: Path, name: str) -> tuple[StateStore, RunRow]:
    """The run to report; one that fails to be made leaves an error page as a failing notebook does."""
    try:
        return find_daily(chosen)
    except BrandkitError as error:
        if error.exit_code != EXIT_FAILED:
            raise
        owner = profile_id_of(chosen)
        key = f"{owner}.daily.{chosen.run_date}"
        place = Place(root, name, chosen.run_date, key)
        raise keep_failure(place, error, artifacts.last_good(place, owner)) from error


def _with_day(model: type[ReportParameters], given: Mapping[str, object]) -> Mapping[str, object]:
    """What was given, with the day of the run where only the run was."""
    run_id = given.get(model.run_field) if model.run_field else None
    if not run_id or not model.date_field or given.get(model.date_field):
        return given
    path = given.get("store")
    store = StateStore(Path(str(path)).expanduser() if path else Settings.load().db_path)
    return {**given, model.date_field: store.run(str(run_id)).run_on}


def _told(one: Wanted, how: How, source: Path) -> dict[str, Any]:
    """What the report depends on, as ``run.json`` has it: the same again would be the same report."""
    run, store = one.run, one.store
    with store.reading():
        runs = store.runs(one.profile_id).filter(pl.col("status") == "complete")
        heard = {
            "verdicts": store.verdicts(one.profile_id, withdrawn=True),
            "states": store.story_states(one.profile_id),
            "erasures": store.erasures(),
            # Briefs look back: at the run before, at weeks of mentions.
            "runs": runs.filter(True if one.place.on is None else pl.col("run_on") <= one.place.on).select(
                "run_id", "fingerprint"
            ),
        }
    return {
        "report": one.place.name,
        "run_id": run.run_id if run else None,
        "profile_id": one.profile_id,
        "date": one.place.on.isoformat() if one.place.on else None,
        "attempt": run.attempt if run else None,
        "parameters": one.chosen.for_notebook(),
        "is_html": how.is_html,
        "inputs": {
            "run": run.fingerprint if run else None,
            "items": run.input_hash if run else None,
            "profile": run.profile_hash if run else None,
            "notebook": artifacts.sha256(source),
            **{name: schemas.frame_hash(frame) for name, frame in heard.items()},
        },
        "versions": {**versions(), **{name: version(name) for name in _LIBRARIES}},
    }


# Making it -----------------------------------------------------------------------------------------


def _make(one: Wanted, how: How) -> Made:
    place, run_id = one.place, one.run.run_id if one.run else None
    source = notebooks.notebook_path(place.name)
    told = _told(one, how, source)
    if not how.is_forced and _is_up_to_date(place, told):
        return Made(place.name, place.on, run_id, "up to date", place.final)
    failure: BrandkitError | None = None
    try:
        with artifacts.building(place) as folder:
            try:
                _filled(one, how, told, folder)
            except (BrandkitError, OSError) as error:
                failure = _kept(one, error)
    except RunBusyError:
        # Nothing failed: somebody is at it.
        raise
    except ReportError as error:
        failure = _kept(one, error)
    if failure is not None:
        raise failure
    if run_id:
        shutil.rmtree(_of_no_run(place, run_id.rpartition(".")[0]).failed, ignore_errors=True)
    return Made(place.name, place.on, run_id, "made", place.final)


def _filled(one: Wanted, how: How, told: Mapping[str, Any], folder: Path) -> None:
    """Have the folder filled, and put it in place if it is whole."""
    place = one.place
    job = Job(
        name=place.name,
        source=str(notebooks.notebook_path(place.name)),
        parameters=told["parameters"],
        folder=str(folder),
        final=str(place.final),
        store=str(one.store.path),
        run_id=one.run.run_id if one.run else None,
        is_html=how.is_html,
        timeout_s=how.timeout_s,
        told=dict(told),
    )
    _in_own_process(job)
    if artifacts.manifest(folder) is None:
        raise ReportError("the report is not whole, though its process ended well")
    artifacts.put(place)


def _kept(one: Wanted, error: BrandkitError | OSError) -> BrandkitError:
    ours = artifacts.unwritable(error, one.place.made) if isinstance(error, OSError) else error
    return keep_failure(one.place, ours, artifacts.last_good(one.place, one.profile_id))


def _of_no_run(place: Place, key: str) -> Place:
    """Where the error page goes of a day whose run could not be made."""
    return replace(place, run=key)


def _is_up_to_date(place: Place, told: Mapping[str, Any]) -> bool:
    there = artifacts.manifest(place.final)
    return there is not None and {key: there.get(key) for key in told} == json.loads(json.dumps(told))


def _in_own_process(job: Job) -> None:
    """Have the job done by a process of its own, which is judged by its exit code.

    Raises: the error it ended with; ReportError where it was killed or took too long.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "brandkit.report.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=_environment(),
            start_new_session=True,
        )  # fmt: skip
        try:
            code = _ended(process, job)
            answer = process.stdout.read() if process.stdout else b""
        finally:
            _end(process)
        if code == 0:
            return
        raise _why(code, answer, _last_line(said))


def _environment() -> dict[str, str]:
    root = project_root()
    known = [str(root) if root else "", os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, known))}


def _ended(process: subprocess.Popen[bytes], job: Job) -> int:
    # Its input stays open: the process takes its closing for our end, and ends too.
    with suppress(BrokenPipeError):
        if process.stdin:
            process.stdin.write(job.line())
            process.stdin.flush()
    most = None if job.timeout_s is None else job.timeout_s + _GRACE_S
    try:
        return process.wait(most)
    except subprocess.TimeoutExpired:
        raise ReportError(f"the report was not done within {most:.0f} seconds") from None


def _end(process: subprocess.Popen[bytes]) -> None:
    """See that the process and its kernel are gone, whatever state they are in."""
    with suppress(OSError):
        if process.stdin:
            process.stdin.close()
    try:
        process.wait(_LET_GO_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def _last_line(said: Any) -> str:
    said.seek(0, os.SEEK_END)
    said.seek(max(0, said.tell() - 2_000))
    lines: Sequence[str] = said.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else ""


def _why(code: int, answer: bytes, last: str) -> BrandkitError:
    with suppress(ValueError, KeyError, TypeError):
        return error_of(json.loads(answer))
    if code < 0:
        name = signal.Signals(-code).name if -code in list(signal.Signals) else str(-code)
        return ReportError(f"the process that made the report was ended by {name}", hint=last)
    return ReportError(f"the process that made the report ended with {code}", hint=last)
