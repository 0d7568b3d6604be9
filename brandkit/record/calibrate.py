"""Where decisions and verdicts part, and which thresholds or which one weight would bring them together.

Every verdict is compared once, at the run nearest to when it was given, with what the present
profile makes of the facts of that run. How far a decision is from a verdict is how many rungs lie
between them (drop, block, watch, optional, must_cover); ``fitting`` finds the thresholds, and for
each weight by itself its maximum, at which the mean of that is least.

One kind of change is suggested at a time, the one that gains more: a wrong weight looks like wrong
thresholds and the other way round, so change one, and calibrate again. On thin ground nothing is
suggested: ``suggest`` states how much is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from brandkit import schemas
from brandkit.errors import UsageError
from brandkit.profile import BrandProfile
from brandkit.record import suggest, what_if
from brandkit.record.changed import changed, differences
from brandkit.record.counterfactual import rung
from brandkit.record.profile_file import write_changed
from brandkit.record.span import KEY, SHOWN, Runs, Span, span
from brandkit.record.suggest import MIN_VERDICTS, Advice, Ground, Suggestion
from brandkit.record.verdict_scores import rank_correlation, spoken
from brandkit.store.state import StateStore

RESAMPLES = 400
SEED = 20260302
# Points in a score band.
BAND = 10


@dataclass(frozen=True, slots=True)
class Calibration:
    """How decisions agree with verdicts, and what would make them agree more.

    Shape:  ``pairs`` has a row for each verdict that was compared, the furthest from it first: what
            names the story, total, decision, verdict, ``rungs_off`` (the decision above the verdict,
            negative below) and ``points_off`` (how far the total is outside the points of the
            verdict's rung). ``bands`` has low, high, n_verdicts, agreement, n_over, n_under by total.
            ``workload`` is that of ``what_if`` under the suggested profile.
    Units:  ``agreement`` is the share of decisions that are the verdict; ``disagreement`` rungs per
            story; ``rank_correlation`` Spearman's, of totals and verdicts other than block.
    Nulls:  shares and correlations of nothing are None; ``points_off`` is null for a block, which
            says nothing of how high a total should be.
    """

    profile_id: str
    runs: tuple[str, ...]
    profile: BrandProfile
    pairs: pl.DataFrame
    bands: pl.DataFrame
    agreement: float | None
    disagreement: float | None
    rank_correlation: float | None
    thresholds: Suggestion
    weights: Suggestion
    suggested: BrandProfile
    changes: Mapping[str, int]
    conclusion: Advice
    workload: pl.DataFrame
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Calibration({self.sentences()[0]})"

    @property
    def n_verdicts(self) -> int:
        """How many verdicts were compared."""
        return self.pairs.height

    def per_day(self) -> pl.DataFrame:
        """The expected work of a mean day: decision, n_from, n_in, n_out, n_to."""
        return what_if.mean_day(self.workload)

    def over_scored(self, n: int = 10) -> pl.DataFrame:
        """Of the stories decided above their verdict, those with the most points too many."""
        off = self.pairs.filter((pl.col("rungs_off") > 0) & (pl.col("points_off") > 0))
        return off.sort(["points_off", *KEY], descending=[True, False, False]).head(n)

    def under_scored(self, n: int = 10) -> pl.DataFrame:
        """Of the stories decided below their verdict, those with the most points too few."""
        off = self.pairs.filter((pl.col("rungs_off") < 0) & (pl.col("points_off") < 0))
        return off.sort("points_off", *KEY).head(n)

    def sentences(self) -> list[str]:
        """What was found, a line each, the conclusion first."""
        if self.n_verdicts < MIN_VERDICTS:
            few = f"{self.n_verdicts} verdicts, and it takes {MIN_VERDICTS} to say anything"
            return [f"inconclusive: {few}"]
        told = [{
            "keep": "keep: the verdicts want the thresholds where they are",
            "inconclusive": "inconclusive: the verdicts do not say where the thresholds should be",
            "move": "move: " + ", ".join(f"{name} to {value}" for name, value in self.changes.items()),
        }[self.conclusion]]  # fmt: skip
        told.append(f"{self.agreement:.0%} of {self.n_verdicts:,} decisions are the verdict")
        if self.rank_correlation is not None:
            told.append(f"totals and verdicts rank alike to {self.rank_correlation:.2f}")
        return told

    def write(self, path: str | Path, *, source: str | Path | None = None) -> Path:
        """Write the suggested profile as a new file; ``source`` is the profile's own, whose comments stay.

        Without a source the profile the last run froze is written in full.

        Raises: UsageError where nothing is suggested, the file is there, or the source is not what
                was calibrated.
        """
        if not self.changes:
            raise UsageError(f"nothing to write: {self.sentences()[0]}", hint="more verdicts may tell")
        if source is not None:
            _same_settings(BrandProfile.from_toml(source), self.profile, where=str(source))
        remarks = dict.fromkeys(self.changes, f"calibrated on {self.n_verdicts} verdicts")
        return write_changed(self.changes, path, source=source, profile=self.profile, remarks=remarks)


def _same_settings(file: BrandProfile, profile: BrandProfile, *, where: str) -> None:
    if file.id != profile.id:
        raise UsageError(f"the profile is '{file.id}', in {where}", allowed=f"calibrated was '{profile.id}'")
    if (apart := differences(profile, file)).height:
        told = ", ".join(f"{name} = {there}, not {here}" for name, here, there in apart.head(3).rows())
        raise UsageError(
            f"'{where}' is not what was calibrated: {told}",
            hint="calibrate the file itself: pass it as the profile",
        )


def calibrate(
    run: Runs,
    store: StateStore,
    *,
    profile: BrandProfile | None = None,
    profile_id: str | None = None,
    first: date | None = None,
    last: date | None = None,
    weights: Iterable[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Calibration:
    """Decisions held against the desk's verdicts, with what thresholds or weight would agree more.

    Args:
        run: a run's id, several ids, or None for the daily runs of ``profile_id`` from ``first`` to ``last``.
        store: where runs and verdicts are; only read.
        profile: what is calibrated, in place of the profile the last run froze.
        profile_id: whose runs, where ``run`` is None.
        first: the first desk day.
        last: the last desk day.
        weights: the weights to try; every part's maximum unless given.
        resamples: how many bootstrap resamples the intervals come from.
        seed: what they are drawn with.

    Raises: UnknownError or UsageError for runs or weights that are not there.
    """
    asked = span(run, store, profile_id=profile_id, first=first, last=last)
    return of_span(
        asked,
        store.verdicts(asked.profile_id),
        profile=profile,
        weights=weights,
        resamples=resamples,
        seed=seed,
    )


def of_span(
    asked: Span,
    verdicts: pl.DataFrame,
    *,
    profile: BrandProfile | None = None,
    weights: Iterable[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Calibration:
    """The same for stories at hand."""
    present = profile or asked.present
    # All days under the one profile that is in question, whatever each of them froze.
    asked = replace(asked, profiles=dict.fromkeys(asked.profiles, present))
    ground = _ground(asked, verdicts, present, n=resamples, seed=seed)
    if ground.pairs.height < MIN_VERDICTS:
        thresholds, by_weight = suggest.thin(present)
    else:
        thresholds = suggest.thresholds(ground)
        by_weight = suggest.weights(ground, thresholds, weights)
    changes, notes = _chosen(thresholds, by_weight)
    judged = f"{ground.pairs.height:,} of {asked.leads.height:,} stories have a verdict"
    suggested = changed(present, changes)
    conclusion: Advice = "move" if changes else "keep" if thresholds.is_settled else "inconclusive"
    expected = what_if.of_span(asked, dict.fromkeys(asked.profiles, suggested), verdicts=verdicts)
    pairs = _pairs(ground.pairs, present)
    ranked = pairs.filter(pl.col("verdict") != "block")
    return Calibration(
        profile_id=asked.profile_id,
        runs=tuple(asked.runs["run_id"]),
        profile=present,
        pairs=pairs,
        bands=_bands(pairs),
        agreement=_mean(pairs.select(pl.col("rungs_off") == 0)),
        disagreement=_mean(pairs.select(pl.col("rungs_off").abs())),
        rank_correlation=rank_correlation(ranked["total"], ranked["verdict"]),
        thresholds=thresholds,
        weights=by_weight,
        suggested=suggested,
        changes=changes,
        conclusion=conclusion,
        workload=expected.workload,
        notes=(*notes, f"{judged}; what nobody judged says nothing here"),
    )


def _ground(asked: Span, verdicts: pl.DataFrame, present: BrandProfile, *, n: int, seed: int) -> Ground:
    said = spoken(asked.leads.select(*KEY, "as_of"), verdicts)
    compared = replace(asked, leads=asked.leads.join(said, on=KEY, how="inner").sort("place"))
    return Ground(compared, compared.judged(compared.profiles), present, n, seed)


def _chosen(thresholds: Suggestion, weights: Suggestion) -> tuple[Mapping[str, int], tuple[str, ...]]:
    """The changes that gain more, and a note on those that were left out for it."""
    if thresholds.gain is None or weights.gain is None:
        return thresholds.changes or weights.changes, ()
    kinds = [(thresholds.gain.middle, thresholds), (weights.gain.middle, weights)]
    (most, first), (less, other) = sorted(kinds, key=lambda kind: kind[0], reverse=True)
    instead = ", ".join(f"{name} to {value}" for name, value in other.changes.items())
    gains = f"{less:.3f} of a rung per story, and these {most:.3f}"
    return first.changes, (
        f"{instead} would gain too ({gains}): not both at once; calibrate again after the first",
    )


def _pairs(judged: pl.DataFrame, profile: BrandProfile) -> pl.DataFrame:
    t = profile.thresholds
    rungs = {"drop": (0, t.watch), "watch": (t.watch, t.optional), "optional": (t.optional, t.must_cover),
             "must_cover": (t.must_cover, 101)}  # fmt: skip
    total = pl.col("total").cast(pl.Int64)
    off = [
        pl.when(pl.col("verdict") == pl.lit(name, schemas.DECISION)).then(
            total - total.clip(lowest, above - 1)
        )
        for name, (lowest, above) in rungs.items()
    ]
    rungs_off = (rung(pl.col("decision")) - rung(pl.col("verdict"))).cast(pl.Int64)
    return judged.select(
        *SHOWN, "total", "decision", "reason", "verdict", rungs_off=rungs_off, points_off=pl.coalesce(off)
    ).sort([pl.col("rungs_off").abs(), *KEY], descending=[True, False, False])


def _bands(pairs: pl.DataFrame) -> pl.DataFrame:
    """Agreement by ten points of total; the last band takes 100 in."""
    low = ((pl.col("total").cast(pl.Int64) // BAND) * BAND).clip(upper_bound=100 - BAND)
    return (
        pairs.group_by(low=low)
        .agg(
            n_verdicts=pl.len().cast(pl.Int64),
            agreement=(pl.col("rungs_off") == 0).mean().round(4),
            n_over=(pl.col("rungs_off") > 0).sum().cast(pl.Int64),
            n_under=(pl.col("rungs_off") < 0).sum().cast(pl.Int64),
        )
        .sort("low")
        .select("low", pl.when(pl.col("low") == 100 - BAND).then(100).otherwise(pl.col("low") + BAND - 1)
                .alias("high"), pl.exclude("low"))
    )  # fmt: skip


def _mean(frame: pl.DataFrame) -> float | None:
    found = frame.to_series().cast(pl.Float64).mean()
    return None if found is None else round(float(found), 4)  # type: ignore[arg-type]
