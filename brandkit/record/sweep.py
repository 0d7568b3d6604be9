"""One setting moved over its range: the day's work at every value of it, as a curve.

A threshold is met by gates alone, and a decision is a function of the gates' margins. So for a
threshold the stories are scored once, and at each value only the gates that it moves and the
decision are worked out anew, by the code of ``scoring.gates``. Any other setting is scored at each
value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

import polars as pl
from pydantic import ValidationError

from brandkit import schemas
from brandkit.errors import ProfileError, UsageError
from brandkit.profile import BrandProfile, GateThresholds
from brandkit.record.changed import Alter, changed, full_name, settings_of
from brandkit.record.span import DOWNWARD, KEY, Runs, Span, counted, span
from brandkit.record.verdict_scores import BARS, How, shares, spoken
from brandkit.schemas import GATES
from brandkit.scoring.gates import decision_of, gate_margins
from brandkit.store.state import StateStore

Number = int | float
# No threshold is above: totals are points of 100.
_MOST = 100


@dataclass(frozen=True, slots=True)
class Curve:
    """The work and the agreement at every value of one setting.

    Shape:  ``frame`` has value, the stories of all runs by decision (must_cover, optional, watch,
            block, drop), promoted_per_day, n_verdicts, and precision and recall of must_cover and of
            promoted. ``by_day`` has value, run_id, run_on and the stories by decision.
    Nulls:  ``present`` is None where the runs had several values of it; precision and recall are
            null where there is nothing to take a share of.
    """

    name: str
    present: Number | None
    frame: pl.DataFrame
    by_day: pl.DataFrame
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        values = self.frame["value"]
        return f"Curve({self.name} from {values[0]} to {values[-1]}, {counted(self.n_days, 'day')})"

    @property
    def n_days(self) -> int:
        """How many desk days the runs are of."""
        return self.by_day["run_on"].n_unique()


def sweep(
    run: Runs,
    store: StateStore,
    *,
    over: str,
    values: Iterable[Number] | None = None,
    alter: Alter | None = None,
    profile_id: str | None = None,
    first: date | None = None,
    last: date | None = None,
    verdicts: How = "given",
) -> Curve:
    """The day's work at every value of one setting. Stories are counted; nothing is written.

    Args:
        run: a run's id, several ids, or None for the daily runs of ``profile_id`` from ``first`` to ``last``.
        store: where the runs are; only read.
        over: the setting: ``must_cover``, or in full ``thresholds.must_cover``.
        values: its values; of a threshold all that can stand beside the others, unless given.
        alter: what else is changed, see ``changed.altered``.
        profile_id: whose runs, where ``run`` is None.
        first: the first desk day.
        last: the last desk day.
        verdicts: which verdicts count for precision and recall, see ``verdict_scores.spoken``.

    Raises: UnknownError or UsageError for runs or a setting that are not there; ProfileError where no
            value can stand.
    """
    asked = span(run, store, profile_id=profile_id, first=first, last=last)
    said = spoken(asked.leads.select(*KEY, "as_of"), store.verdicts(asked.profile_id), how=verdicts)
    return curve(Judge.of(asked, over, alter), asked.runs, said, values=values)


@dataclass(frozen=True, slots=True)
class Judge:
    """The stories of a span, ready to be decided at any value of one setting.

    ``bases`` says by which profile each run is judged otherwise; ``scored`` are the stories under
    these, where the setting is a threshold and scores do not depend on it.
    """

    asked: Span
    bases: Mapping[str, BrandProfile]
    name: str
    scored: pl.DataFrame | None

    @classmethod
    def of(cls, asked: Span, over: str, alter: Alter | None = None) -> Judge:
        """The judge of one setting; ``alter`` changes the profiles first."""
        bases = {key: alter(frozen) if alter else frozen for key, frozen in asked.profiles.items()}
        name = full_name(over, asked.present)
        if isinstance(settings_of(asked.present)[name], str):
            raise UsageError(f"{name} is no number", hint="change it, and look at the two sides")
        scored = asked.judged(bases) if name.startswith("thresholds.") else None
        return cls(asked, bases, name, scored)

    @property
    def present(self) -> Number | None:
        """The value the runs are judged by otherwise; None where there are several."""
        found = {settings_of(base)[self.name] for base in self.bases.values()}
        return found.pop() if len(found) == 1 else None

    def profiles(self, value: Number) -> dict[str, BrandProfile]:
        """The profiles with the setting at a value.

        Raises: ProfileError where one of them cannot have it.
        """
        return {key: changed(base, {self.name: value}) for key, base in self.bases.items()}

    def at(self, value: Number) -> pl.LazyFrame:
        """Every story of the span with its ``decision`` at a value of the setting, in no order."""
        others = self.profiles(value)
        if self.scored is None:
            return self.asked.judged(others).lazy()
        plans = []
        for key, base in self.bases.items():
            old, new = gate_margins(base), gate_margins(others[key])
            # What a threshold does not touch has its margin already; what it touches is asked anew.
            margins = [
                pl.col("gates").struct.field(gate) if new[gate].meta.eq(old[gate]) else new[gate].alias(gate)
                for gate in GATES
            ]
            rows = self.scored.lazy().filter(pl.col("profile_hash") == key)
            plans.append(rows.with_columns(gates=pl.struct(margins)))
        decision, _ = decision_of(pl.col("gates"))
        return pl.concat(plans).with_columns(decision=decision)


def curve(
    judge: Judge, runs: pl.DataFrame, said: pl.DataFrame, *, values: Iterable[Number] | None = None
) -> Curve:
    """The curve of a judge's setting; ``said`` are the verdicts as ``spoken`` gives them."""
    legal, refused = _legal(judge, values)
    dtype = pl.Float64 if any(isinstance(value, float) for value in legal) else pl.Int64
    # A small plan for each value takes a tenth of the time of one plan for all.
    tally = pl.concat(
        judge.at(value)
        .join(said.lazy(), on=KEY, how="left")
        .group_by("run_id", "decision", "verdict")
        .agg(n=pl.len().cast(pl.Int64))
        .select(pl.lit(value, dtype).alias("value"), pl.all())
        .collect(engine="in-memory")
        for value in legal
    )
    by_day = _by_day(tally, runs, pl.Series("value", legal, dtype))
    frame = by_day.group_by("value").agg(pl.col(DOWNWARD).sum()).sort("value")
    promoted = pl.sum_horizontal("must_cover", "optional") / max(runs["run_on"].n_unique(), 1)
    frame = frame.with_columns(promoted_per_day=promoted).join(_agreement(tally), on="value", how="left")
    frame = frame.with_columns(pl.col("n_verdicts").fill_null(0))
    told = ", ".join(map(str, refused))
    notes = (f"left out, for they cannot stand beside the other settings: {told}",) if refused else ()
    return Curve(judge.name, judge.present, frame, by_day, notes)


def _legal(judge: Judge, values: Iterable[Number] | None) -> tuple[list[Number], list[Number]]:
    """The values that can stand, in order, and of those asked for the ones that cannot."""
    if values is None:
        return _whole_range(judge), []
    legal, refused, why = [], [], None
    for value in sorted(set(values)):
        try:
            judge.profiles(value)
        except ProfileError as error:
            refused.append(value)
            why = error
        else:
            legal.append(value)
    if not legal:
        raise why or UsageError(f"no values given for {judge.name}")
    return legal, refused


def _whole_range(judge: Judge) -> list[Number]:
    """Every value of a threshold that can stand beside the others."""
    table, _, key = judge.name.rpartition(".")
    if table != "thresholds":
        raise UsageError(f"no values given for {judge.name}", hint="only a threshold has a range of its own")
    legal: list[Number] = []
    for value in range(_MOST + 1):
        with suppress(ValidationError):
            for base in judge.bases.values():
                GateThresholds.model_validate({**dict(base.thresholds), key: value})
            legal.append(value)
    return legal


def _by_day(tally: pl.DataFrame, runs: pl.DataFrame, values: pl.Series) -> pl.DataFrame:
    """The stories by decision at each value in each run, a day without any as 0."""
    counts = (
        pl.when(pl.col("decision") == pl.lit(name, schemas.DECISION)).then("n").sum().alias(name)
        for name in DOWNWARD
    )
    every = values.to_frame().join(runs.select("run_id", "run_on"), how="cross")
    return (
        every.join(tally.group_by("value", "run_id").agg(counts), on=["value", "run_id"], how="left")
        .with_columns(pl.col(DOWNWARD).fill_null(0))
        .sort("value", "run_on", "run_id")
    )


def _agreement(tally: pl.DataFrame) -> pl.DataFrame:
    judged = tally.filter(pl.col("verdict").is_not_null())
    counts = {"n_verdicts": pl.col("n").sum()}
    for bar, rungs in BARS.items():
        decided, wanted = pl.col("decision").is_in(rungs), pl.col("verdict").is_in(rungs)
        counts[f"decided_{bar}"] = pl.when(decided).then("n").sum()
        counts[f"wanted_{bar}"] = pl.when(wanted).then("n").sum()
        counts[f"both_{bar}"] = pl.when(decided & wanted).then("n").sum()
    found = judged.group_by("value").agg(**counts)
    of_bar = {
        f"{name}_{bar}": share
        for bar in BARS
        for name, share in shares(
            both=f"both_{bar}", decided=f"decided_{bar}", wanted=f"wanted_{bar}"
        ).items()
    }
    return found.select("value", "n_verdicts", **of_bar)
