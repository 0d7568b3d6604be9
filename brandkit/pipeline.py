"""Stages in order, with checkpoints: the machine that every door runs. Knows no concrete stage.

A stage is a function from a LazyFrame to a LazyFrame with the same rows. Between checkpoints the
plan stays lazy and fuses; at a checkpoint it is collected once, checked, and its rows are counted:
rows in + added = rows out + rejected + folded + set aside, exactly, or the run fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

import polars as pl

from brandkit import schemas
from brandkit.errors import BrandkitError, ContractError, InputError, StageError, unknown
from brandkit.telemetry import Measurement, Telemetry

if TYPE_CHECKING:
    from brandkit.profile import BrandProfile


@dataclass(frozen=True, slots=True)
class History:
    """What a run may know of the past: seven frames, read as of the run's start.

    Shape: the columns of HISTORY_ITEM, OBSERVATION, SHARE, BASELINE, STORY_RULE, VERDICT and
    STORY_STATE in ``brandkit.schemas``. Items are context: earlier ones are clustered but not recorded again.
    ``erased`` (ERASURE) is who must not come back: what such an account posts is refused.
    """

    items: pl.DataFrame
    observations: pl.DataFrame
    shares: pl.DataFrame
    baselines: pl.DataFrame
    story_rules: pl.DataFrame
    verdicts: pl.DataFrame
    story_states: pl.DataFrame = field(default_factory=lambda: schemas.empty(schemas.STORY_STATE))
    erased: pl.DataFrame = field(default_factory=lambda: schemas.empty(schemas.ERASURE))

    @classmethod
    def empty(cls) -> History:
        """No past at all: what a first run has."""
        return cls(
            items=schemas.empty(schemas.HISTORY_ITEM),
            observations=schemas.empty(schemas.OBSERVATION),
            shares=schemas.empty(schemas.SHARE),
            baselines=schemas.empty(schemas.BASELINE),
            story_rules=schemas.empty(schemas.STORY_RULE),
            verdicts=schemas.empty(schemas.VERDICT),
        )


@dataclass(frozen=True, slots=True)
class RunContext:
    """What every stage may read beside the items. Instants are UTC; the window's end is exclusive.

    ``observations`` starts as the history's and gains this run's sightings after normalising.
    """

    profile: BrandProfile
    as_of: datetime
    window_start: datetime
    run_id: str = "assess"
    history: History = field(default_factory=History.empty)
    observations: pl.DataFrame = field(default_factory=lambda: schemas.empty(schemas.OBSERVATION))
    telemetry: Telemetry = field(default_factory=Telemetry)

    @property
    def window_end(self) -> datetime:
        """The end of the window: nothing collected at or after it is known to the run."""
        return self.as_of


@dataclass(frozen=True, slots=True)
class Checked:
    """What a checkpoint hands on: the frame, and where every other row went.

    ``outputs`` are frames the run keeps beside the items; ``observations``, when given, replaces
    the context's for the stages that follow.
    """

    frame: pl.DataFrame
    rejects: pl.DataFrame = field(default_factory=lambda: schemas.empty(schemas.REJECT))
    added: int = 0
    folded: int = 0
    set_aside: int = 0
    outputs: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    observations: pl.DataFrame | None = None

    @classmethod
    def of(cls, frame: pl.DataFrame, ctx: RunContext) -> Checked:
        """A frame as it is: the checkpoint of a pipeline that ends without one of its own."""
        return cls(frame)


Scope = Literal["row", "key", "global"]
StageFunction = Callable[[pl.LazyFrame, RunContext], pl.LazyFrame]
Checkpoint = Callable[[pl.DataFrame, RunContext], Checked]


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: what it is called, what it needs, what it gives, and how far it must see.

    ``scope`` says whether a row, all rows of a key, or all rows are needed at once; an engine may
    split the work accordingly. ``partial`` is a first step for parts of a global stage.
    """

    name: str
    run: StageFunction
    scope: Scope = "row"
    key: str | None = None
    takes: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    partial: StageFunction | None = None
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True, slots=True)
class PipelineResult:
    """The frames of a finished pass.

    ``frame`` is the last checkpoint's, ``outputs`` what checkpoints kept beside it, ``stages`` one
    row per stage (rows, seconds, memory), ``observations`` the sightings known at the end.
    """

    frame: pl.DataFrame
    outputs: Mapping[str, pl.DataFrame]
    rejects: pl.DataFrame
    stages: pl.DataFrame
    observations: pl.DataFrame


class BuildsPipeline(Protocol):
    """A task: whatever can say which stages, rows and context its run has."""

    def pipeline(self, profile: BrandProfile) -> Pipeline:
        """The bound pipeline of this task."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """An ordered set of stages, alone or bound to the rows and the context of one run."""

    stages: tuple[Stage, ...]
    raw: pl.LazyFrame | None = None
    context: RunContext | None = None

    def __post_init__(self) -> None:
        names = [stage.name for stage in self.stages]
        if len(set(names)) != len(names):
            raise ContractError(f"two stages of one name in {names}", hint="give each stage its own name")

    @classmethod
    def from_task(cls, task: BuildsPipeline, profile: BrandProfile) -> Pipeline:
        """The pipeline a task stands for, ready to ``run()``; it reads no store and writes nothing."""
        return task.pipeline(profile)

    def split(self, after: str) -> tuple[Pipeline, Pipeline]:
        """The stages up to and with ``after``, and the rest: for a caller that has to look in between.

        Raises: UnknownError where no stage is called that.
        """
        names = [stage.name for stage in self.stages]
        if after not in names:
            raise unknown("stage", after, names, where="in a pipeline")
        cut = names.index(after) + 1
        return replace(self, stages=self.stages[:cut]), replace(self, stages=self.stages[cut:])

    def bind(self, raw: pl.LazyFrame, context: RunContext) -> Pipeline:
        """The same stages with the rows and the context of a run."""
        return replace(self, raw=raw, context=context)

    def run(
        self, raw: pl.LazyFrame | pl.DataFrame | None = None, context: RunContext | None = None
    ) -> PipelineResult:
        """Run every stage and collect at the checkpoints.

        The end is a checkpoint too: a last stage that has none hands its rows on as they are.

        Raises: StageError naming the stage, its columns and the run; ContractError where rows are
            lost; InputError where the rows themselves cannot be read.
        """
        raw = self.raw if raw is None else raw
        context = self.context if context is None else context
        if raw is None or context is None:
            raise ContractError(
                "a pipeline without rows or context cannot run", hint="bind(raw, context) first"
            )
        return _Run(self.stages, context).go(raw)

    def describe(self) -> str:
        """The stages as text: what each takes and gives, its scope, and where rows are counted."""
        return "\n".join(_drawn(self.stages))


def _drawn(stages: Sequence[Stage]) -> Iterator[str]:
    yield "raw rows"
    for stage in stages:
        scope = f"{stage.scope} {stage.key}" if stage.key else stage.scope
        yield "   │"
        yield f"   ▼  {stage.name}  ({scope})"
        for verb, columns in (("takes", stage.takes), ("gives", stage.gives)):
            if columns:
                yield f"   │      {verb}: {', '.join(columns)}"
        if stage.checkpoint:
            yield "   ╞══════ checkpoint: collected, checked, rows counted"
    yield "   │"
    yield "   ▼"
    yield "records"


class _Run:
    """The state of one pass through the stages."""

    def __init__(self, stages: Sequence[Stage], context: RunContext) -> None:
        self.stages = stages
        self.context = context
        # This pass's own events, told on to the context's telemetry as they happen.
        self.telemetry = Telemetry(hooks=(context.telemetry.record,))
        self.outputs: dict[str, pl.DataFrame] = {}
        self.rejects: list[pl.DataFrame] = []
        # Lazy stages since the last checkpoint, kept so that a failure can be laid to one of them.
        self.since: list[Stage] = []
        self.counted: tuple[pl.LazyFrame, int | None] = (pl.LazyFrame(), None)

    def go(self, raw: pl.LazyFrame | pl.DataFrame) -> PipelineResult:
        plan, frame = raw.lazy(), pl.DataFrame()
        # What one pass counted the next must not lose: a frame goes in with its number of rows.
        self.counted = (plan, raw.height if isinstance(raw, pl.DataFrame) else None)
        try:
            plan.collect_schema()
        except Exception as error:
            raise self._unreadable(error) from error
        for stage in self.stages:
            self.since.append(stage)
            with self.telemetry.measure("stage", stage.name, run_id=self.context.run_id) as counts:
                # Stages keep their rows, so the last counted checkpoint says what passes through.
                counts.rows_in = counts.rows_out = self.counted[1]
                plan = self._apply(stage, plan)
                checkpoint = stage.checkpoint or (Checked.of if stage is self.stages[-1] else None)
                if checkpoint is None:
                    continue
                checked = self._check(stage, checkpoint, self._collect(plan))
                _count(checked, counts)
            frame, plan = checked.frame, checked.frame.lazy()
            self.counted, self.since = (plan, frame.height), []
        return PipelineResult(
            frame=frame,
            outputs=self.outputs,
            rejects=pl.concat([schemas.empty(schemas.REJECT), *self.rejects], how="diagonal_relaxed"),
            stages=self.telemetry.frame(),
            observations=self.context.observations,
        )

    def _apply(self, stage: Stage, plan: pl.LazyFrame) -> pl.LazyFrame:
        present = plan.collect_schema().names()
        if missing := [column for column in stage.takes if column not in present]:
            raise StageError(
                f"stage '{stage.name}' needs columns that are not there: {', '.join(missing)}",
                where=f"in run {self.context.run_id}",
                allowed=f"there are: {', '.join(present)}",
            )
        try:
            plan = stage.run(plan, self.context)
            given = plan.collect_schema().names()
        except BrandkitError:
            raise
        except Exception as error:
            raise self._failed(stage, error) from error
        if missing := [column for column in stage.gives if column not in given]:
            raise StageError(
                f"stage '{stage.name}' did not give: {', '.join(missing)}",
                where=f"in run {self.context.run_id}",
            )
        return plan

    def _collect(self, plan: pl.LazyFrame) -> pl.DataFrame:
        try:
            return plan.collect()
        except Exception as error:
            stage = self._culprit()
            raise (self._failed(stage, error) if stage else self._unreadable(error)) from error

    def _culprit(self) -> Stage | None:
        """Which of the fused stages fails when they are collected one by one; None: the rows do."""
        try:
            frame = self.counted[0].collect().lazy()
        except Exception:
            return None
        for stage in self.since:
            try:
                frame = stage.run(frame, self.context).collect().lazy()
            except Exception:
                return stage
        return self.since[-1]

    def _unreadable(self, error: Exception) -> InputError:
        return InputError(
            f"the rows cannot be read: {_first_line(error)}", where=f"in run {self.context.run_id}"
        )

    def _failed(self, stage: Stage, error: Exception) -> StageError:
        takes, gives = ", ".join(stage.takes) or "any", ", ".join(stage.gives) or "nothing new"
        return StageError(
            f"stage '{stage.name}' failed: {_first_line(error)}",
            where=f"in run {self.context.run_id}",
            allowed=f"takes: {takes}; gives: {gives}",
        )

    def _check(self, stage: Stage, checkpoint: Checkpoint, frame: pl.DataFrame) -> Checked:
        known = self.counted[1]
        if known is not None and frame.height != known:
            through = ", ".join(passed.name for passed in self.since)
            raise ContractError(
                f"{known} rows went in and {frame.height} came out of {through}",
                where=f"before the checkpoint of '{stage.name}', in run {self.context.run_id}",
            )
        try:
            checked = checkpoint(frame, self.context)
        except BrandkitError:
            raise
        except Exception as error:
            raise self._failed(stage, error) from error
        out = checked.frame.height + checked.rejects.height + checked.folded + checked.set_aside
        if frame.height + checked.added != out:
            raise ContractError(
                f"rows do not add up: {frame.height} in + {checked.added} added != "
                f"{checked.frame.height} out + {checked.rejects.height} rejected + "
                f"{checked.folded} folded + {checked.set_aside} set aside",
                where=f"at the checkpoint of '{stage.name}', in run {self.context.run_id}",
            )
        self.outputs.update(checked.outputs)
        self.rejects.append(checked.rejects)
        if checked.observations is not None:
            self.context = replace(self.context, observations=checked.observations)
        return checked


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:300]}"


def _count(checked: Checked, counts: Measurement) -> None:
    counts.rows_out = checked.frame.height
    counts.rejected = checked.rejects.height
    counts.folded, counts.rows_added, counts.set_aside = checked.folded, checked.added, checked.set_aside
    counts.rows_in = counts.rows_out + counts.rejected + counts.folded + counts.set_aside - counts.rows_added
