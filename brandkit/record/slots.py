"""A day's slots turned round: how much the desk can take, and which threshold gives that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from brandkit import schemas
from brandkit.errors import UsageError, unknown
from brandkit.record.changed import Alter
from brandkit.record.span import KEY, SHOWN, Runs, Span, span
from brandkit.record.sweep import Curve, Judge, curve
from brandkit.record.verdict_scores import spoken
from brandkit.store.state import StateStore

# What a threshold lets in: its own rung and all above it.
LETS_IN: Mapping[str, tuple[str, ...]] = {
    "must_cover": ("must_cover",),
    "optional": ("must_cover", "optional"),
    "watch": ("must_cover", "optional", "watch"),
}


@dataclass(frozen=True, slots=True)
class Slots:
    """The lowest thresholds that leave a day no more than its slots.

    ``each_day`` holds on every single day, ``on_average`` on a mean day. One point lower there are
    more: totals are whole points, so stories that tie come in together, and the exact number of
    slots is often in nobody's reach. ``sentences`` says it.

    Shape:  ``by_day`` has run_id, run_on, threshold (the lowest that fits this day alone), and the
            day's stories at ``each_day`` (n) and one point lower (n_one_lower).
            ``tied`` are the stories that come in together one point below ``each_day``, with their
            ``total``, on the days that then have too many.
    Nulls:  a threshold is None (null) where none fits: some stories are let in at any.
    """

    decision: str
    slots: int
    present: int | None
    each_day: int | None
    on_average: int | None
    by_day: pl.DataFrame
    tied: pl.DataFrame
    curve: Curve

    def __repr__(self) -> str:
        return f"Slots({self.sentences()[0]})"

    def sentences(self) -> list[str]:
        """The answer, what one point less would do, and what stands in the way."""
        told = [self._told("each day", self.each_day), self._told("on average", self.on_average)]
        lowest = self.curve.frame["value"][0]
        if self.each_day == lowest:
            told.append(f"{lowest} is the lowest that can stand beside the others; slots may stay free")
        return told

    def _told(self, how: str, threshold: int | None) -> str:
        name = self.decision.replace("_", " ")
        if threshold is None:
            highest = self.curve.frame["value"][-1]
            mean, most = self._work(highest)
            let_in = f"at {highest} there are still {mean:.1f} a day, {most} on the fullest"
            return f"{how}: no threshold of {name} leaves {self.slots}: {let_in}"
        mean, most = self._work(threshold)
        at = f"{how}: {name} = {threshold} leaves {mean:.1f} a day, {most} on the fullest"
        if threshold == self.curve.frame["value"][0]:
            return at
        mean, most = self._work(threshold - 1)
        return f"{at}; {threshold - 1} would leave {mean:.1f}, {most} on the fullest"

    def _work(self, threshold: int) -> tuple[float, int]:
        days = _let_in(self.curve, self.decision).filter(pl.col("value") == threshold)["n"]
        return float(days.sum() / len(days)), int(days.max())  # type: ignore[arg-type]


def threshold_for(
    run: Runs,
    store: StateStore,
    *,
    slots: int,
    decision: str = "must_cover",
    alter: Alter | None = None,
    profile_id: str | None = None,
    first: date | None = None,
    last: date | None = None,
) -> Slots:
    """The threshold at which a day has no more stories than the desk can take. Nothing is written.

    Exact: every threshold that can stand beside the others is tried, by the real gates.

    Args:
        run: a run's id, several ids, or None for the daily runs of ``profile_id`` from ``first`` to ``last``.
        store: where the runs are; only read.
        slots: how many stories a day the desk can take.
        decision: the rung they must reach: ``must_cover``, ``optional`` (both promoted rungs) or ``watch``.
        alter: what else is changed, see ``changed.altered``.
        profile_id: whose runs, where ``run`` is None.
        first: the first desk day.
        last: the last desk day.

    Raises: UnknownError or UsageError for runs or a rung that are not there, or fewer than 0 slots.
    """
    _check(slots, decision)
    asked = span(run, store, profile_id=profile_id, first=first, last=last)
    return of_span(asked, slots=slots, decision=decision, alter=alter)


def of_span(asked: Span, *, slots: int, decision: str = "must_cover", alter: Alter | None = None) -> Slots:
    """The same for stories at hand."""
    _check(slots, decision)
    judge = Judge.of(asked, f"thresholds.{decision}", alter)
    nobody = spoken(asked.leads.select(*KEY, "as_of"), schemas.empty(schemas.VERDICT))
    swept = curve(judge, asked.runs, nobody)
    work = _let_in(swept, decision)
    # In whole numbers: a mean of exactly N must not miss by the last bit.
    per_value = work.group_by("value").agg(
        most=pl.col("n").max(), spare=slots * pl.len().cast(pl.Int64) - pl.col("n").sum()
    )
    each_day = _lowest(per_value.filter(pl.col("most") <= slots))
    # No threshold is below 0, so nothing is found at a point below none.
    fit, one_lower = (-1, -2) if each_day is None else (each_day, each_day - 1)
    by_day = _by_day(asked.runs, work, slots=slots, at={"n": fit, "n_one_lower": one_lower})
    over_full = by_day.filter(pl.col("n_one_lower") > slots)["run_id"]
    return Slots(
        decision=decision,
        slots=slots,
        present=None if swept.present is None else int(swept.present),
        each_day=each_day,
        on_average=_lowest(per_value.filter(pl.col("spare") >= 0)),
        by_day=by_day,
        tied=_tied(judge, decision, one_lower).filter(pl.col("run_id").is_in(over_full.implode())),
        curve=swept,
    )


def _check(slots: int, decision: str) -> None:
    if decision not in LETS_IN:
        raise unknown("threshold", decision, LETS_IN)
    if slots < 0:
        raise UsageError(f"a desk cannot take {slots} stories", allowed="0 or more")


def _by_day(runs: pl.DataFrame, work: pl.DataFrame, *, slots: int, at: Mapping[str, int]) -> pl.DataFrame:
    """Each day with the threshold that fits it alone, and what other thresholds would let in on it."""
    alone = work.filter(pl.col("n") <= slots).group_by("run_id").agg(threshold=pl.col("value").min())
    days = runs.select("run_id", "run_on").join(alone, on="run_id", how="left")
    for name, threshold in at.items():
        days = days.join(_at(work, threshold, name), on="run_id", how="left")
    return days.sort("run_on", "run_id")


def _let_in(swept: Curve, decision: str) -> pl.DataFrame:
    return swept.by_day.select("value", "run_id", "run_on", n=pl.sum_horizontal(LETS_IN[decision]))


def _lowest(fitting: pl.DataFrame) -> int | None:
    return None if fitting.is_empty() else int(fitting["value"].min())  # type: ignore[arg-type]


def _at(work: pl.DataFrame, value: int, name: str) -> pl.DataFrame:
    return work.filter(pl.col("value") == value).select("run_id", pl.col("n").alias(name))


def _tied(judge: Judge, decision: str, lower: int) -> pl.DataFrame:
    """The stories that a threshold lets in and one point more does not."""
    rungs = pl.col("decision").is_in(LETS_IN[decision])
    wanted = [*SHOWN, "total"]
    try:
        judge.profiles(lower)
    except UsageError:
        return judge.asked.leads.select(*SHOWN, total="stored_total").clear()
    let_in = judge.at(lower).filter(rungs).select(wanted)
    already = judge.at(lower + 1).filter(rungs).select(KEY)
    found = let_in.join(already, on=KEY, how="anti").sort("run_on", "run_id", "story_id")
    return found.collect(engine="in-memory")
