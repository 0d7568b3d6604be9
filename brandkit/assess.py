"""The whole pure pipeline on one page: which stages, in which order, and ``assess`` to run them.

From here down there is no network, no store and no wall clock: the same rows, profile and
``as_of`` give the same records, whichever door they came through.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from brandkit import schemas
from brandkit.errors import ContractError, UsageError
from brandkit.normalise import admit, normalise
from brandkit.pipeline import Checked, History, Pipeline, PipelineResult, RunContext, Stage
from brandkit.profile import BrandProfile
from brandkit.scoring import components, gates, modifiers
from brandkit.scoring.outcome import settle
from brandkit.signals.coordination import coordination
from brandkit.signals.copies import copies
from brandkit.signals.mentions import mentions
from brandkit.signals.phases import story_growth
from brandkit.signals.risk import risk
from brandkit.signals.sentiment import sentiment
from brandkit.signals.spread import spread
from brandkit.signals.stories import stories
from brandkit.signals.trust import trust

_TEXT = ("item_id", "title", "summary")
_MENTIONS = ("entities", "pillars", "triggers", "forbidden")


def standard_pipeline() -> Pipeline:
    """The stages of a run, in order: facts first, then judgement, with three checkpoints."""
    return Pipeline(
        (
            Stage("normalise", normalise, gives=("item_id", "reject_reasons"), checkpoint=admit),
            Stage(
                "trust", trust, takes=("domain", "publisher", "account"),
                gives=("tier", "publisher", "audience", "role", "mixed_script"),
            ),
            Stage(
                "mentions", mentions, takes=(*_TEXT, "item_type"),
                gives=(*_MENTIONS, *(f"{name}_in_title" for name in _MENTIONS), "excluded", "is_denial"),
            ),
            # Read by people alone: no stage after it takes what it gives.
            Stage(
                "sentiment", sentiment, takes=("title", "summary", "language", *_MENTIONS[:3]),
                gives=("sentiment",),
            ),
            Stage("copies", copies, scope="global", takes=(*_TEXT, "published_at"), gives=("copy_of",)),
            Stage(
                "stories", stories, scope="global", takes=(*_TEXT, "published_at", "copy_of"),
                gives=("story_id",), checkpoint=told,
            ),
            # Before spread: accounts that act together are not independent of each other.
            Stage(
                "coordination", coordination, scope="key", key="story_id",
                takes=("story_id", "account", "target_url", "copy_of"),
                gives=("is_coordinated", "coordinated_share", "n_coordinated", "coordination"),
            ),
            Stage(
                "spread", spread, scope="key", key="story_id",
                takes=("story_id", "publisher", "tier", "role", "copy_of", "is_coordinated", "is_denial"),
                gives=("n_outlets", "n_publishers", "velocity_h", "engagement_ratio", "age_h", "disputed"),
            ),
            Stage(
                "risk", risk, scope="key", key="story_id", takes=("story_id", "disputed", "risk_flags"),
                gives=("misinfo_risk", "misinfo_evidence"),
            ),
            *scoring_stages(),
        )
    )  # fmt: skip


def scoring_stages() -> tuple[Stage, ...]:
    """Judgement alone: signals to decisions, row by row. ``verify`` and ``replay`` run these again."""
    return (
        Stage("score", components.score, takes=components.TAKES, gives=("parts", "base")),
        Stage("modify", modifiers.modify, takes=modifiers.TAKES, gives=("modifiers", "scores", "total")),
        Stage("gate", gates.gate, takes=gates.TAKES, gives=("gates",)),
        Stage(
            "decide", gates.decide, scope="key", key="story_id", takes=("gates", "story_id", "in_scope"),
            gives=("decision", "reason"), checkpoint=settled,
        ),
    )  # fmt: skip


def rescore(signals: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Scores and decisions computed again from stored signals: the one formula, for every caller.

    Shape: the same rows, plus parts, base, modifiers, scores, total, gates, decision and reason.
    """
    plan = signals
    for stage in scoring_stages():
        plan = stage.run(plan, ctx)
    return plan


def told(frame: pl.DataFrame, ctx: RunContext) -> Checked:
    """The second checkpoint: every item is in exactly one story, every copy points at an item there is."""
    if frame["item_id"].n_unique() != frame.height:
        raise ContractError("an item stands twice after clustering", where=f"in run {ctx.run_id}")
    if n := frame["story_id"].null_count():
        raise ContractError(f"{n} items are in no story", where=f"in run {ctx.run_id}")
    if n := frame.filter(
        pl.col("copy_of").is_not_null() & ~pl.col("copy_of").is_in(frame["item_id"].implode())
    ).height:
        raise ContractError(f"{n} copies point at an item that is not there", where=f"in run {ctx.run_id}")
    return Checked(frame.sort("item_id"))


def settled(frame: pl.DataFrame, ctx: RunContext) -> Checked:
    """The last checkpoint, with the growth of each story beside what was decided."""
    return settle(frame, ctx, growth=story_growth(frame, as_of=ctx.as_of).collect())


@dataclass(frozen=True, slots=True)
class Assessment:
    """What came of a set of items: every decision, the stories, what was refused, how it went.

    Shape:  ``records`` one row per item in the window, ``stories`` one per story with a record,
            ``rejects`` one per refused row with its reasons, ``stages`` one per stage with its counts.
            ``items`` and ``observations`` are what a store keeps: new revisions, and all sightings.
    """

    records: pl.DataFrame
    stories: pl.DataFrame
    rejects: pl.DataFrame
    stages: pl.DataFrame
    items: pl.DataFrame
    observations: pl.DataFrame

    @classmethod
    def of(cls, *results: PipelineResult) -> Assessment:
        """The assessment that one pass, or consecutive passes, of the standard pipeline came to."""
        last, outputs = results[-1], {name: frame for r in results for name, frame in r.outputs.items()}
        stages = pl.concat([r.stages for r in results])
        return cls(
            records=last.frame,
            stories=outputs["stories"],
            rejects=pl.concat([r.rejects for r in results]),
            stages=stages.with_columns(seq=pl.int_range(pl.len(), dtype=pl.Int64)),
            items=outputs.get("items", schemas.empty(schemas.ITEM)),
            observations=outputs.get("observations", schemas.empty(schemas.OBSERVATION)),
        )

    def __repr__(self) -> str:
        """Counts in one line."""
        counts = ", ".join(f"{n} {decision}" for decision, n in self.decisions.items() if n)
        return (
            f"Assessment({self.records.height} records, {self.stories.height} stories"
            f"{f' ({counts})' if counts else ''}, {self.rejects.height} rejects)"
        )

    @property
    def decisions(self) -> dict[str, int]:
        """How many stories came to each decision, highest rung first."""
        counted = dict(self.stories.group_by("decision").len().rows())
        return {d.value: counted.get(d.value, 0) for d in reversed(schemas.Decision)}


def context_for(
    profile: BrandProfile, *, as_of: datetime, history: History | None = None, run_id: str = "assess"
) -> RunContext:
    """The context of a run that ends at ``as_of``: its window is the desk day so far.

    Raises: UsageError for an ``as_of`` without a time zone.
    """
    if as_of.tzinfo is None:
        raise UsageError(
            f"as_of has no time zone: {as_of.isoformat()}",
            hint="give an aware instant, such as datetime(..., tzinfo=UTC)",
        )
    # An as_of that is exactly a day's end belongs to the day that ends there.
    before = as_of - schemas.TICK
    start, _ = profile.day_window(profile.day_of(before))
    past = history or History.empty()
    return RunContext(
        profile=profile, as_of=as_of.astimezone(UTC), window_start=start, run_id=run_id,
        history=past, observations=past.observations,
    )  # fmt: skip


def assess(
    items: pl.LazyFrame | pl.DataFrame,
    profile: BrandProfile,
    *,
    as_of: datetime,
    history: History | None = None,
) -> Assessment:
    """The decisions on a set of raw rows, with no store: what ``scan_items`` gives goes in.

    Shape:  rows in = records + rejects + folded + set aside, exactly; ``stages`` shows the sum.
    Units:  ``as_of`` is an aware instant. Items collected from the start of its desk day on are
            recorded; the 72 h before are context; anything else is set aside.
    Raises: UsageError, StageError, ContractError.
    """
    context = context_for(profile, as_of=as_of, history=history)
    return Assessment.of(standard_pipeline().run(items.lazy(), context))
