"""Which thresholds, and which one weight, the verdicts speak for: fits turned into advice.

The fits are in ``fitting``; here the real gates and the real score are asked what each threshold and
each weight would decide, and what is found is held against how much ground there is for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from brandkit import schemas
from brandkit.errors import unknown
from brandkit.profile import BrandProfile
from brandkit.record.changed import changed, full_name, settings_of
from brandkit.record.counterfactual import rung
from brandkit.record.fitting import Floats, Gain, GridFit, Interval, Ints, fit_cuts, fit_grids
from brandkit.record.span import Span
from brandkit.schemas import GATES
from brandkit.scoring.gates import decision_of

Advice = Literal["move", "keep", "inconclusive"]

# Fewer verdicts than this say nothing about a profile.
MIN_VERDICTS = 30
# A threshold parts stories above from stories below; each side needs so many.
MIN_BESIDE = 5
# Wider than this an interval is no answer: in points for a threshold, for a weight as a share of its grid.
MAX_WIDTH = 10
MAX_WEIGHT_WIDTH = 0.5
# A weight is named only where it gains most in this share of the resamples.
MIN_WINS = 0.5
# Weights are tried in steps of five points, the best two of them then in steps of one.
_STEP, _REFINED = 5, 2
CUTS = ("watch", "optional", "must_cover")
_THRESHOLD: schemas.Columns = {
    "name": pl.String, "present": pl.Int64, "suggested": pl.Int64, "low": pl.Int64, "high": pl.Int64,
    "n_below": pl.Int64, "n_above": pl.Int64, "advice": pl.String,
}  # fmt: skip
_WEIGHT: schemas.Columns = {
    "name": pl.String, "present": pl.Int64, "suggested": pl.Int64, "low": pl.Int64, "high": pl.Int64,
    "gain": pl.Float64, "gain_low": pl.Float64, "gain_high": pl.Float64, "wins": pl.Float64,
    "advice": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What one kind of change would be: the settings to change (none: nothing is sure) and what it gains.

    Shape: ``frame`` has a row for each setting looked at: name, present, suggested, low, high, advice
           and the ground for it. ``reach`` is what the best fit of all gains in each resample, sure or not.
    """

    frame: pl.DataFrame
    changes: Mapping[str, int]
    gain: Gain | None
    reach: Floats

    @property
    def is_settled(self) -> bool:
        """Whether every setting is where the verdicts want it."""
        return bool((self.frame["advice"] == "keep").all()) and self.frame.height > 0


@dataclass(frozen=True, slots=True)
class Ground:
    """The stories with a verdict, judged by the present profile; what fits are made on.

    Shape: ``pairs`` are the rows of ``span.leads``, with total, gates, decision and verdict.
    """

    span: Span
    pairs: pl.DataFrame
    profile: BrandProfile
    n: int
    seed: int

    @property
    def clusters(self) -> Ints:
        """A number for each story: its days are resampled together."""
        return self.pairs["story_id"].rank("dense").to_numpy().astype(np.int64) - 1

    def costs(self, decisions: pl.DataFrame) -> Floats:
        """How many rungs each decision is from its verdict, for columns of decisions."""
        verdict = rung(pl.col("verdict"))
        table = pl.concat([self.pairs.select("verdict"), decisions], how="horizontal")
        off = table.select((rung(pl.col(name)) - verdict).abs() for name in decisions.columns)
        return off.to_numpy().astype(np.float64)


def thin(profile: BrandProfile) -> tuple[Suggestion, Suggestion]:
    """What is suggested where there are too few verdicts: nothing."""
    at = {cut: getattr(profile.thresholds, cut) for cut in reversed(CUTS)}
    rows = [
        {"name": f"thresholds.{cut}", "present": value, "suggested": value, "advice": "inconclusive"}
        for cut, value in at.items()
    ]
    thresholds = pl.DataFrame(rows, schema=dict(_THRESHOLD))
    nothing = np.zeros(0)
    return Suggestion(thresholds, {}, None, nothing), Suggestion(schemas.empty(_WEIGHT), {}, None, nothing)


def thresholds(ground: Ground) -> Suggestion:
    """The thresholds of watch, optional and must_cover that the verdicts speak for."""
    present = np.array([getattr(ground.profile.thresholds, cut) for cut in CUTS], dtype=np.int64)
    totals = ground.pairs["total"].to_numpy().astype(np.int64)
    costs = ground.costs(_at_each_level(ground.pairs))
    asked: dict[str, Any] = {"present": present, "n": ground.n, "seed": ground.seed}
    fit = fit_cuts(totals, costs, ground.clusters, free=(True, True, True), **asked)
    beside = [_beside(ground.pairs, cut) for cut in CUTS]
    advice = [
        _advise(int(at), within, ground=min(sides) >= MIN_BESIDE, most=MAX_WIDTH)
        for at, within, sides in zip(present, fit.intervals, beside, strict=True)
    ]
    cuts, gain = (int(present[0]), int(present[1]), int(present[2])), None
    if "move" in advice:
        # What stays where it is narrows the others: they are fitted again beside it.
        final = fit_cuts(totals, costs, ground.clusters, free=[one == "move" for one in advice], **asked)
        gain = Gain.of(final.gains)
        if gain.is_sure:
            cuts = final.cuts
        else:
            advice = ["inconclusive" if one == "move" else one for one in advice]
    rows = [
        (f"thresholds.{cut}", int(at), new, int(within.low), int(within.high), *sides, said)
        for cut, at, new, within, sides, said in zip(
            CUTS, present, cuts, fit.intervals, beside, advice, strict=True
        )
    ]
    changes = {name: new for name, at, new, *_ in rows if new != at}
    frame = pl.DataFrame(rows, schema=dict(_THRESHOLD), orient="row").reverse()
    return Suggestion(frame, changes, gain if changes else None, fit.gains)


def _at_each_level(pairs: pl.DataFrame) -> pl.DataFrame:
    """The decision on each story were its total under watch, or from watch, optional or must_cover on."""
    columns = {}
    for level in range(len(CUTS) + 1):
        passed = {cut: pl.lit(0 if place < level else -1, pl.Int16) for place, cut in enumerate(CUTS)}
        margins = [passed.get(gate, pl.col("gates").struct.field(gate)).alias(gate) for gate in GATES]
        decision, _ = decision_of(pl.struct(margins))
        columns[f"level_{level}"] = decision
    return pairs.lazy().select(**columns).collect(engine="in-memory")


def _beside(pairs: pl.DataFrame, cut: str) -> tuple[int, int]:
    """How many verdicts say below the rung of a threshold, and how many at it or above."""
    # A block says what must not be amplified, and nothing of how high a total should be.
    said = pairs.filter(pl.col("verdict") != "block")["verdict"]
    above = int((said.to_physical() >= schemas.DECISION.categories.to_list().index(cut)).sum())
    return said.len() - above, above


def _advise(present: int, within: Interval, *, ground: bool, most: float) -> Advice:
    if not ground or within.width > most:
        return "inconclusive"
    return "keep" if within.holds(present) else "move"


def weights(ground: Ground, rival: Suggestion, names: Iterable[str] | None = None) -> Suggestion:
    """The one weight (a part's maximum) that the verdicts speak for changing, and all that were tried.

    Raising a weight lifts every story a little, much as lower thresholds do; so a weight is named
    only where it gains more than the best thresholds (``rival``) would.
    """
    every = _asked(ground.profile, names)
    grids = {name: _grid(ground.profile, name, _STEP) for name in every}
    costs = {name: _costs(ground, name, grid) for name, grid in grids.items()}
    first = _order(_fitted(ground, grids, costs, rival.reach), every)
    for name in first[:_REFINED]:
        grids[name] = _grid(ground.profile, name, 1)
        costs[name] = _costs(ground, name, grids[name])
    fit = _fitted(ground, grids, costs, rival.reach)
    order = _order(fit, every)
    rows = [
        _weight_row(ground.profile, name, grids[name], fit, every.index(name), is_best=name == order[0])
        for name in order
    ]
    frame = pl.DataFrame(rows, schema=dict(_WEIGHT), orient="row")
    top = frame.row(0, named=True)
    if top["advice"] != "move":
        return Suggestion(frame, {}, None, rival.reach)
    return Suggestion(frame, {order[0]: top["suggested"]}, fit.gains[every.index(order[0])], rival.reach)


def _asked(profile: BrandProfile, names: Iterable[str] | None) -> list[str]:
    known = parts_of(profile)
    asked = known if names is None else [full_name(name, profile) for name in names]
    for name in asked:
        if name not in known:
            raise unknown("weight of a part", name, known)
    return asked


def _order(fit: GridFit, names: Sequence[str]) -> list[str]:
    """What gains most first."""
    place = {name: k for k, name in enumerate(names)}
    return sorted(names, key=lambda name: (-fit.gains[place[name]].middle, -fit.wins[place[name]], name))


def parts_of(profile: BrandProfile) -> list[str]:
    """The maxima of parts that a profile's scores depend on; component totals stay as they are."""
    idle = "pillars" if profile.is_beat_desk else "beat_pillars"
    return [
        name
        for name in settings_of(profile)
        if name.startswith("weights.") and not name.endswith((".total", f".relevance.{idle}"))
    ]


def _grid(profile: BrandProfile, name: str, step: int) -> list[int]:
    # Above its component's total a part's maximum only moves the cap.
    most = settings_of(profile)[f"{name.rpartition('.')[0]}.total"]
    return sorted({*range(0, most + 1, step), most, int(settings_of(profile)[name])})


def _costs(ground: Ground, name: str, grid: Sequence[int]) -> Floats:
    """How far from its verdict each story is at each value of a setting."""
    present = settings_of(ground.profile)[name]
    decided = {str(value): _decided(ground, {} if value == present else {name: value}) for value in grid}
    return ground.costs(pl.DataFrame(decided))


def _fitted(
    ground: Ground, grids: Mapping[str, list[int]], costs: Mapping[str, Floats], rival: Floats
) -> GridFit:
    now = settings_of(ground.profile)
    at = [grid.index(int(now[name])) for name, grid in grids.items()]
    return fit_grids(
        list(costs.values()), ground.clusters, present=at, rival=rival, n=ground.n, seed=ground.seed
    )


def _decided(ground: Ground, changes: Mapping[str, int]) -> pl.Series:
    if not changes:
        return ground.pairs["decision"]
    other = changed(ground.profile, changes)
    return ground.span.judged(dict.fromkeys(ground.span.profiles, other), columns=["decision"])["decision"]


def _weight_row(
    profile: BrandProfile, name: str, grid: Sequence[int], fit: GridFit, at: int, *, is_best: bool
) -> tuple[object, ...]:
    present, gain, wins = int(settings_of(profile)[name]), fit.gains[at], fit.wins[at]
    within = Interval(grid[fit.low[at]], grid[fit.high[at]])
    is_clear = is_best and gain.is_sure and wins >= MIN_WINS
    said = _advise(present, within, ground=is_clear, most=MAX_WEIGHT_WIDTH * (grid[-1] - grid[0]))
    if within.holds(present):
        said = "keep"
    new = grid[fit.places[at]] if said == "move" else present
    return (name, present, new, int(within.low), int(within.high),
            gain.middle, gain.within.low, gain.within.high, wins, said)  # fmt: skip
