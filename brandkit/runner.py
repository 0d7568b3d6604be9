"""Task, Runner, RunResult: one call for every door, and the one place where a run writes state.

The clock is in the Task and nowhere else: ``as_of`` decides what a run knows, and the wall clock
only stamps when it happened. A run is published by one transaction, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import polars as pl
import stamina

from brandkit.assess import Assessment, context_for, standard_pipeline
from brandkit.errors import BrandkitError, InputError, StoreBusyError, UsageError
from brandkit.fingerprint import Fingerprint, fingerprint, versions
from brandkit.pipeline import History, Pipeline, PipelineResult, RunContext
from brandkit.profile import BrandProfile
from brandkit.safe import NOT_MATH, html_text
from brandkit.settings import Settings
from brandkit.sources.files import Source, found_files, scan_items
from brandkit.sources.mapping import Mapping as ColumnMapping
from brandkit.store.inputs import RunInputs
from brandkit.store.state import RunRow, StateStore
from brandkit.telemetry import StageEvent, Telemetry

Kind = Literal["daily", "adhoc"]
Status = Literal["complete", "failed"]
T = TypeVar("T")


def now() -> datetime:
    """The clock on the wall, in UTC: what stamps that something happened."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to run: which desk day, for which profile, on which inputs.

    ``date`` is a desk day in the profile's time zone; ``as_of`` (aware) is its end unless given.
    ``inputs`` are files, globs, folders or frames, ``mapping`` says which column is what in them.
    ``shadow`` runs a changed profile beside the live one without being the latest for anybody.
    ``store`` is a store of the task's own, instead of the runner's.

    Raises: UsageError for a date that is none, or an ``as_of`` outside the day.
    """

    date: date
    profile: BrandProfile | str | Path | None = None
    inputs: Sequence[Source] = ()
    mapping: ColumnMapping | Mapping[str, Any] | str | Path | None = None
    kind: Kind = "daily"
    shadow: bool = False
    as_of: datetime | None = None
    store: Path | None = None
    engine: Literal["local"] = "local"
    clock: Callable[[], datetime] = field(default=now, compare=False)

    def __post_init__(self) -> None:
        """Accept ISO text for the dates, and one input for a list of one."""
        object.__setattr__(self, "date", _as_date(self.date))
        object.__setattr__(self, "as_of", _as_instant(self.as_of))
        if self.kind not in ("daily", "adhoc"):
            raise UsageError(f"unknown kind of run '{self.kind}'", allowed="known: daily, adhoc")
        if _is_one(self.inputs):
            object.__setattr__(self, "inputs", (self.inputs,))

    def loaded_profile(self) -> BrandProfile:
        """The profile, read from its file if it was given as one, else from the settings."""
        if isinstance(self.profile, BrandProfile):
            return self.profile
        path = self.profile or Settings.load().profile_path
        if path is None:
            raise UsageError(
                "no profile given",
                hint="pass profile=, set BRANDKIT_PROFILE, or write one with brandkit init",
            )
        return BrandProfile.from_toml(path)

    def context(
        self, profile: BrandProfile, *, history: History | None = None, run_id: str = ""
    ) -> RunContext:
        """The run's context: its desk day up to ``as_of``, and what it may know of the past."""
        start, end = profile.day_window(self.date)
        as_of = self.as_of or end
        if not start < as_of <= end:
            raise UsageError(
                f"as_of {as_of.isoformat()} lies outside the desk day {self.date.isoformat()}",
                where=f"in profile '{profile.id}' ({profile.timezone})",
                allowed=f"after {start.isoformat()}, up to {end.isoformat()}",
            )
        return context_for(profile, as_of=as_of, history=history, run_id=run_id or self.key(profile))

    def key(self, profile: BrandProfile) -> str:
        """What the task runs, without the attempt: profile, kind and date."""
        return f"{profile.id}.{self.kind}.{self.date.isoformat()}"

    def rows(self, *, to_the_end: bool = False) -> tuple[pl.LazyFrame, list[str]]:
        """The raw rows of every input that can be read, and a warning for each that cannot.

        ``to_the_end`` reads each input whole: one that is damaged in its middle opens like any other.

        Raises: InputError or MappingError when there are inputs and none of them can be read.
        """
        frames: list[pl.LazyFrame] = []
        failures: list[BrandkitError] = []
        for source in _each(self.inputs, failures):
            try:
                rows = scan_items(source, mapping=self.mapping)
                frames.append(_read_whole(rows, source) if to_the_end else rows)
            except UsageError as error:
                failures.append(error)
        if failures and not frames:
            raise failures[0]
        rows = (
            pl.concat(frames, how="diagonal_relaxed") if frames else pl.LazyFrame(schema={"title": pl.String})
        )
        return rows, [f"a source failed and was left out: {error.what}" for error in failures]

    def pipeline(self, profile: BrandProfile) -> Pipeline:
        """The standard pipeline bound to this task's rows, with no past."""
        return standard_pipeline().bind(self.rows()[0], self.context(profile))


def _is_one(inputs: object) -> bool:
    """Whether this is one input and not a list of them: rows as dicts are one table."""
    if isinstance(inputs, str | Path) or not isinstance(inputs, Sequence):
        return True
    return bool(inputs) and all(isinstance(entry, Mapping) for entry in inputs)


def _each(inputs: Iterable[Source], failures: list[BrandkitError]) -> Iterator[Source]:
    """Every file of every input: one broken file of a folder leaves the others."""
    for given in inputs:
        try:
            yield from found_files(given) if isinstance(given, str | Path) else (given,)
        except UsageError as error:
            failures.append(error)


def _read_whole(rows: pl.LazyFrame, source: Source) -> pl.LazyFrame:
    try:
        return rows.collect().lazy()
    except Exception as error:
        name = f"'{source}'" if isinstance(source, str | Path) else f"a {type(source).__name__}"
        what = " ".join(str(error).split())[:300]
        raise InputError(f"cannot read {name} to its end: {what}", hint="was it written whole?") from error


def _as_date(value: date | str) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise UsageError(f"not a date: {value!r}", allowed="a calendar date such as 2026-03-02") from None


def _as_instant(value: datetime | str | None) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise UsageError(
                f"not an instant: {value!r}", allowed="such as 2026-03-02T07:00:00+00:00"
            ) from None
    if value is not None and value.tzinfo is None:
        raise UsageError(
            f"as_of has no time zone: {value.isoformat()}", allowed="such as 2026-03-02T07:00:00+00:00"
        )
    return value


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run went: ``ok``, its status, what it counted, how long it took, and what went wrong.

    ``is_repeat`` is True when the same run stood in the store already and nothing was done.
    ``seconds`` is wall time by stage. ``error`` is None unless the status is failed.
    """

    run_id: str
    status: Status
    counts: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: BrandkitError | None = None
    is_repeat: bool = False

    @property
    def ok(self) -> bool:
        """True for a complete run, with or without warnings."""
        return self.status == "complete"

    def _repr_html_(self) -> str:
        rows = {"status": self.status, **{k.replace("_", " "): v for k, v in self.counts.items()}}
        cells = "".join(
            f"<tr><th>{html_text(str(k))}</th><td>{html_text(str(v))}</td></tr>" for k, v in rows.items()
        )
        notes = "".join(
            f"<li>{html_text(line)}</li>"
            for line in (*self.warnings, *([str(self.error)] if self.error else []))
        )
        listed = f"<ul>{notes}</ul>" if notes else ""
        table = f"<table><caption>{html_text(self.run_id)}</caption>{cells}</table>"
        return f'<div class="{NOT_MATH}">{table}{listed}</div>'


class Runner:
    """Runs tasks against a store: history in, records out, one transaction.

    Raises: RunBusyError when the same run is going on in another process; StoreError branches when
            the store cannot be used. A failing input or stage does not raise: it is in the RunResult.
    """

    def __init__(
        self, store: StateStore | str | Path | None = None, *, telemetry: Telemetry | None = None
    ) -> None:
        self.telemetry = telemetry or Telemetry()
        if not isinstance(store, StateStore):
            store = StateStore(store or Settings.load().db_path, telemetry=self.telemetry)
        self.store = store

    def run(self, task: Task, *, force: bool = False) -> RunResult:
        """Run the task, or return the earlier result when the very same run is in the store.

        ``force`` runs again as a new attempt.
        """
        profile = task.loaded_profile()
        task.context(profile)  # an as_of outside the day is refused before anything is touched
        store = StateStore(task.store, telemetry=self.telemetry) if task.store else self.store
        with store.run_lock(profile.id, task.kind, task.date):
            return _Attempt(store, self.telemetry, task, profile).go(force=force)


class _Attempt:
    """One attempt at one task, under the run's lock."""

    def __init__(self, store: StateStore, telemetry: Telemetry, task: Task, profile: BrandProfile) -> None:
        self.store, self.task, self.profile = store, task, profile
        # This attempt's own events, told on as they happen: a failed run keeps them too.
        self.telemetry = Telemetry(hooks=(telemetry.record,))
        self.warnings: list[str] = []
        self.done: list[PipelineResult] = []
        self.known_through = 0

    def go(self, *, force: bool) -> RunResult:
        task, profile = self.task, self.profile
        head, tail = standard_pipeline().split("normalise")
        # Outside the try: a store that cannot be read has no run to mark as failed.
        context = replace(task.context(profile, history=self._history()), telemetry=self.telemetry)
        try:
            admitted = self._admit(head, context)
            # Of an archive of years, a run of one day needs no more than what was seen of its items.
            known = admitted.observations.join(
                admitted.frame, on="item_id", how="semi", maintain_order="left"
            )
            context = replace(context, observations=known)
            made_from = fingerprint(admitted, context)
            earlier = None if force else self._earlier(made_from.run)
            if earlier is not None:
                return replace(_result(earlier), is_repeat=True)
        except BrandkitError as error:
            return self._fail(self._start(), error)
        run = self._start()
        try:
            context = replace(context, run_id=run.run_id)
            self._pass(tail, admitted.frame, context)
            inputs = RunInputs(
                items=admitted.frame, observations=known, history=context.history,
                known_through=self.known_through,
            )  # fmt: skip
            return self._publish(run, Assessment.of(*self.done), inputs, made_from)
        except BrandkitError as error:
            return self._fail(run, error)

    def _history(self) -> History:
        context = self.task.context(self.profile)

        def read() -> History:
            # One view for both, so that the number says which writes the history knows.
            with self.store.reading():
                self.known_through = self.store.known_through()
                return self.store.history(
                    self.profile.id, kind=self.task.kind, window_start=context.window_start,
                    as_of=context.as_of, before=self.task.date, shadow=self.task.shadow,
                )  # fmt: skip

        return self._patiently(read)

    def _admit(self, head: Pipeline, context: RunContext) -> PipelineResult:
        rows, self.warnings = self.task.rows()
        try:
            return self._pass(head, rows, context)
        except InputError:
            # One of the inputs broke while it was read; the others may still be whole.
            rows, self.warnings = self.task.rows(to_the_end=True)
            return self._pass(head, rows, context)

    def _earlier(self, made_from: str) -> RunRow | None:
        """The run that this one would repeat, unless another has taken its place since."""
        task, of = self.task, self.profile.id
        found = self.store.find_fingerprint(
            of, task.kind, task.date, shadow=task.shadow, fingerprint=made_from
        )
        latest = self.store.latest(of, task.kind, on=task.date, shadow=task.shadow)
        # A profile tried and taken back: the desk must not be left with what it made.
        if found and latest and latest.as_of == found.as_of and latest.attempt != found.attempt:
            return None
        return found

    def _pass(
        self, pipeline: Pipeline, rows: pl.LazyFrame | pl.DataFrame, context: RunContext
    ) -> PipelineResult:
        result = pipeline.run(rows, context)
        self.done.append(result)
        return result

    def _start(self) -> RunRow:
        context = self.task.context(self.profile)
        return self._patiently(
            lambda: self.store.start_run(
                profile_id=self.profile.id, kind=self.task.kind, run_on=self.task.date,
                shadow=self.task.shadow, as_of=context.as_of, window_start=context.window_start,
                profile_json=self.profile.snapshot, profile_hash=self.profile.hash,
                versions=versions(), started_at=self.task.clock(),
            )
        )  # fmt: skip

    def _publish(self, run: RunRow, made: Assessment, inputs: RunInputs, made_from: Fingerprint) -> RunResult:
        counts = _counts(made)
        self._patiently(
            lambda: self.store.finish_run(
                run.run_id, records=made.records, stories=made.stories, rejects=made.rejects,
                items=made.items, observations=made.observations, stages=made.stages, counts=counts,
                warnings=self.warnings, fingerprint=made_from.run, inputs=inputs,
                input_hash=made_from.inputs, finished_at=self.task.clock(),
            )
        )  # fmt: skip
        return RunResult(run.run_id, "complete", counts, _seconds(made.stages), tuple(self.warnings))

    def _patiently(self, call: Callable[[], T]) -> T:
        """The call, tried again while another process holds the store: that passes by itself."""
        for attempt in stamina.retry_context(on=StoreBusyError, attempts=3, timeout=90):
            with attempt:
                made = call()
                if attempt.num > 1:
                    waited = StageEvent(kind="store_write", name="wait_for_store", retries=attempt.num - 1)
                    self.telemetry.record(waited)
                return made
        raise AssertionError  # pragma: no cover - the last attempt raised

    def _fail(self, run: RunRow, error: BrandkitError) -> RunResult:
        stages = self.telemetry.frame().filter(pl.col("kind") == "stage")
        self._patiently(
            lambda: self.store.fail_run(
                run.run_id, error=str(error), stages=stages, finished_at=self.task.clock()
            )
        )
        return RunResult(
            run.run_id, "failed", seconds=_seconds(stages), warnings=tuple(self.warnings), error=error
        )


def _counts(made: Assessment) -> dict[str, int]:
    first = made.stages.filter(pl.col("name") == "normalise")
    taken = {name: int(first[name].sum()) for name in ("rows_in", "rows_added", "rejected", "folded")}
    aside = {"set_aside": int(made.stages["set_aside"].sum())}
    stories = {f"stories_{name}": n for name, n in made.decisions.items()}
    return {**taken, **aside, "records": made.records.height, "stories": made.stories.height, **stories}


def _seconds(stages: pl.DataFrame) -> dict[str, float]:
    return dict(stages.select("name", pl.col("wall_s").round(3)).rows())


def _result(run: RunRow) -> RunResult:
    status: Status = "complete" if run.status == "complete" else "failed"
    return RunResult(run.run_id, status, run.counts, warnings=tuple(run.warnings))
