"""What other thresholds, weights or another profile would have made of past runs. Nothing is written.

Facts stay as the runs measured them; only judgement is done anew, by the real scoring code. A
profile that would also measure otherwise (other names, tiers, lists) is answered in part only, and
the notes say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.record.changed import Alter, altered, differences, measured_otherwise
from brandkit.record.span import DOWNWARD, KEY, SHOWN, Runs, Span, counted, span
from brandkit.record.verdict_scores import How, quality, spoken
from brandkit.store.state import StateStore


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Who would have moved, what a day's work would have been, and whether the desk would agree more.

    Shape:  ``changes`` has name, before, after: the settings that differ.
            ``moved`` a row for each story of a run whose decision moves (run_id, run_on, story_id,
            item_id of its lead, title, publisher, decision, reason and total ``_from`` and ``_to``,
            verdict), by day, highest first.
            ``workload`` a row for each run and decision: n_from - n_out + n_in = n_to stories.
            ``quality`` precision and recall ``before`` and ``after`` (column ``when``), see
            ``verdict_scores.quality``.
    Nulls:  ``verdict`` is null where none speaks of the story.
    """

    profile_id: str
    runs: tuple[str, ...]
    n_stories: int
    changes: pl.DataFrame
    moved: pl.DataFrame
    workload: pl.DataFrame
    quality: pl.DataFrame
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"WhatIf({self.sentence()})"

    @property
    def n_days(self) -> int:
        """How many desk days the runs are of."""
        return self.workload["run_on"].n_unique()

    def into(self, decision: str) -> pl.DataFrame:
        """The stories that would move into a decision."""
        return self.moved.filter(pl.col("decision_to") == pl.lit(decision, schemas.DECISION))

    def out_of(self, decision: str) -> pl.DataFrame:
        """The stories that would move out of a decision."""
        return self.moved.filter(pl.col("decision_from") == pl.lit(decision, schemas.DECISION))

    def per_day(self) -> pl.DataFrame:
        """The workload of a mean day: decision, n_from, n_in, n_out, n_to, highest rung first."""
        return mean_day(self.workload)

    def sentence(self) -> str:
        """The answer in one line."""
        where = f"{self.n_stories:,} stories in {counted(self.n_days, 'day')}"
        if self.moved.is_empty():
            return f"none of {where} would move"
        more = pl.col("n_to").sum() - pl.col("n_from").sum()
        sums = dict(self.workload.group_by("decision").agg(more).rows())
        told = ", ".join(f"{sums[name]:+d} {name.replace('_', ' ')}" for name in DOWNWARD if sums.get(name))
        return f"{self.moved.height:,} of {where} would move ({told or 'as many in as out'})"


def mean_day(workload: pl.DataFrame) -> pl.DataFrame:
    """A workload by run as that of a mean day, highest rung first."""
    counts = pl.col("n_from", "n_in", "n_out", "n_to").sum() / max(workload["run_on"].n_unique(), 1)
    return workload.group_by("decision").agg(counts).sort("decision", descending=True)


def what_if(
    run: Runs,
    store: StateStore,
    *,
    profile: BrandProfile | None = None,
    thresholds: Mapping[str, Any] | None = None,
    weights: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    alter: Alter | None = None,
    profile_id: str | None = None,
    first: date | None = None,
    last: date | None = None,
    verdicts: How = "given",
) -> WhatIf:
    """Who would move, and what a day's work would be, had the runs been judged otherwise.

    Both sides are computed now, by the same code: ``_from`` by the profile each run froze, ``_to``
    by that profile with the changes. Stories are counted, not items. The model's decisions are
    compared; verdicts stand beside them and change none.

    Args:
        run: a run's id, several ids, or None for the daily runs of ``profile_id`` from ``first`` to ``last``.
        store: where the runs are; only read.
        profile: judged by this whole profile in place of what each run froze.
        thresholds: changed settings of the table, by name: ``{"must_cover": 72}``.
        weights: the same: ``{"impact": {"breadth": 12}}`` or ``{"impact.breadth": 12}``.
        parameters: the same: ``{"momentum_half": 1.5}``.
        alter: in place of these four, what makes the other profile of a frozen one.
        profile_id: whose runs, where ``run`` is None.
        first: the first desk day.
        last: the last desk day.
        verdicts: which verdicts count for precision and recall, see ``verdict_scores.spoken``.

    Raises: UnknownError, UsageError or ProfileError for runs, names or values that cannot be.
    """
    over = span(run, store, profile_id=profile_id, first=first, last=last)
    alter = alter or altered(profile=profile, thresholds=thresholds, weights=weights, parameters=parameters)
    return of_span(over, {key: alter(frozen) for key, frozen in over.profiles.items()},
                   verdicts=store.verdicts(over.profile_id), how=verdicts)  # fmt: skip


def of_span(
    over: Span, others: Mapping[str, BrandProfile], *, verdicts: pl.DataFrame, how: How = "given"
) -> WhatIf:
    """The same for stories at hand; ``others`` says who stands for each frozen profile, by its hash."""
    judged = ("decision", "reason", "total")
    before, after = over.judged(over.profiles), over.judged(others)
    both = before.select(
        *SHOWN, "stored_decision", "as_of", *(pl.col(name).alias(f"{name}_from") for name in judged)
    ).with_columns(after[name].alias(f"{name}_to") for name in judged)
    said = spoken(both, verdicts, how=how)
    both = both.join(said, on=KEY, how="left")
    others_present = others[over.runs["profile_hash"][-1]]
    return WhatIf(
        profile_id=over.profile_id,
        runs=tuple(over.runs["run_id"]),
        n_stories=both.height,
        changes=differences(over.present, others_present),
        moved=_moved(both),
        workload=_workload(both, over.runs),
        quality=_quality(both),
        notes=tuple(_notes(over, others_present, both, n_said=said.height)),
    )


def _moved(both: pl.DataFrame) -> pl.DataFrame:
    columns = [f"{name}_{side}" for name in ("decision", "reason", "total") for side in ("from", "to")]
    return (
        both.filter(pl.col("decision_from") != pl.col("decision_to"))
        .sort(
            ["run_on", "decision_to", "total_to", "run_id", "story_id"],
            descending=[False, True, True, False, False],
        )
        .select(*SHOWN, *columns, "verdict")
    )


def _workload(both: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    decisions = pl.DataFrame({"decision": pl.Series(DOWNWARD, dtype=schemas.DECISION)})
    every = runs.select("run_id", "run_on").join(decisions, how="cross")
    moves = pl.col("decision_from") != pl.col("decision_to")
    for side, way in (("from", "out"), ("to", "in")):
        counts = both.group_by("run_id", decision=f"decision_{side}").agg(
            pl.len().cast(pl.Int64).alias(f"n_{side}"), moves.sum().cast(pl.Int64).alias(f"n_{way}")
        )
        every = every.join(counts, on=["run_id", "decision"], how="left")
    return (
        every.select("run_id", "run_on", "decision", pl.col("n_from", "n_in", "n_out", "n_to").fill_null(0))
        .sort(["run_on", "run_id", "decision"], descending=[False, False, True])
    )  # fmt: skip


def _quality(both: pl.DataFrame) -> pl.DataFrame:
    sides = {"before": "decision_from", "after": "decision_to"}
    return pl.concat(
        quality(both.select("verdict", decision=column)).select(pl.lit(when).alias("when"), pl.all())
        for when, column in sides.items()
    )


def _notes(over: Span, other: BrandProfile, both: pl.DataFrame, *, n_said: int) -> list[str]:
    notes = []
    if drifted := both.filter(pl.col("stored_decision") != pl.col("decision_from")).height:
        notes.append(
            f"{drifted:,} of {both.height:,} stories are decided otherwise by the code of today than stored; "
            "both sides here are of today: brandkit verify names them"
        )
    if len(over.profiles) > 1:
        versions = f"the runs froze {len(over.profiles)} versions of the profile"
        notes.append(f"{versions}; the changes are told of the last")
    if found := measured_otherwise(over.present, other):
        notes.append(
            f"the other profile also differs in {', '.join(found)}: names, tiers and lists stay as the runs "
            "measured them, so this is only its scoring; replay(run, profile=other) measures anew"
        )
    if both.height and not n_said:
        notes.append("no verdict speaks of these stories: no precision, no recall")
    return notes
