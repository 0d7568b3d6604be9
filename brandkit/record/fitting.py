"""Thresholds and weights that agree best with verdicts, and how sure one can be: numbers in, numbers out.

The disagreement of a decision with a verdict is how many rungs lie between them; a fit is what makes
the mean of it least. Three thresholds cut the totals into four levels, and which decision a story gets
at a level is asked of the real gates beforehand, so the sum over all stories falls apart into one
term for each threshold. Minimising it over every legal triple of whole points is then exact, by
running minima. How sure a fit is comes from resampling stories with replacement (bootstrap); what
it gains is measured on the stories that a resample left out, for what was fitted flatters itself.

Source: B. Efron, Bootstrap Methods (1979) and Estimating the Error Rate of a Prediction Rule (1983);
        ordinal cuts as in R. Herbrich, T. Graepel, K. Obermayer (2000). Standard statistics, written anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Totals are whole points from 0 to 100, and so are thresholds.
POINTS = 101
# Watch, optional, must_cover: they cut the totals into four levels.
N_CUTS = 3
# How many resamples are held at once: 50 x 100,000 stories take 20 MB.
_AT_ONCE = 50
# Nine of ten resamples lie between these.
LOW, HIGH = 0.05, 0.95
_NEVER = np.inf
# Gains are quotients: closer than this they are equal.
_SAME = 1e-12


@dataclass(frozen=True, slots=True)
class Interval:
    """Where nine resamples of ten lie."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """From end to end."""
        return self.high - self.low

    def holds(self, value: float) -> bool:
        """Whether a value lies within, ends included."""
        return self.low <= value <= self.high


def resamples(clusters: Ints, *, n: int, seed: int) -> Iterator[Floats]:
    """How often each row counts in each resample, some resamples at a time.

    Rows of one cluster (the days of one story) come and go together: they are not independent.
    """
    rng = np.random.default_rng(seed)
    n_clusters = int(clusters.max()) + 1 if clusters.size else 0
    for start in range(0, n if n_clusters else 0, _AT_ONCE):
        draws = rng.multinomial(
            n_clusters, np.full(n_clusters, 1 / n_clusters), size=min(_AT_ONCE, n - start)
        )
        yield draws[:, clusters].astype(np.float64)


@dataclass(frozen=True, slots=True)
class Cuts:
    """The cost of every threshold, for one or many weightings of the same rows.

    ``terms[k]`` is what cut k adds at each whole point (a row for each weighting), ``rest`` what
    does not depend on the cuts.
    """

    terms: tuple[Floats, Floats, Floats]
    rest: Floats

    @classmethod
    def of(cls, totals: Ints, costs: Floats, weights: Floats) -> Cuts:
        """From totals (0 to 100), the cost of each row at each of the four levels, and weightings."""
        order = np.argsort(totals, kind="stable")
        points, starts = np.unique(totals[order], return_index=True)
        below = np.zeros((N_CUTS + 1, len(weights), POINTS + 1))
        for level in range(N_CUTS + 1):
            weighted = (weights * costs[:, level])[:, order]
            below[level][:, points + 1] = np.add.reduceat(weighted, starts, axis=1)
        # What lies below a cut, as a running sum: below[level, :, t] is of totals under t.
        below = below.cumsum(axis=2)
        watch, optional, must = (below[k, :, :POINTS] - below[k + 1, :, :POINTS] for k in range(N_CUTS))
        return cls((watch, optional, must), below[N_CUTS, :, POINTS])

    def held(self, present: Ints, free: Sequence[bool]) -> Cuts:
        """The same with some cuts held where they are: anywhere else they cost more than all can."""
        elsewhere = [np.where(np.arange(POINTS) == at, 0.0, _NEVER) for at in present]
        watch, optional, must = (
            term if is_free else term + bar
            for term, is_free, bar in zip(self.terms, free, elsewhere, strict=True)
        )
        return Cuts((watch, optional, must), self.rest)

    def at(self, cuts: Ints) -> Floats:
        """The cost at given cuts: one triple for all weightings, or one for each."""
        rows = np.arange(len(self.rest))
        triples = np.broadcast_to(cuts, (len(self.rest), N_CUTS))
        cost: Floats = self.rest + sum(self.terms[k][rows, triples[:, k]] for k in range(N_CUTS))
        return cost

    def best(self, present: Ints) -> Ints:
        """The cuts of least cost for each weighting; of equals the present ones, else the middle.

        Settled from the top: must_cover, then optional below it, then watch below that.
        """
        watch, optional, must = self.terms
        below_optional = _best_before(watch)
        reach = (watch, optional + below_optional, must + _best_before(optional + below_optional))
        chosen = np.empty((len(self.rest), N_CUTS), dtype=np.int64)
        limit = np.full((len(self.rest), 1), POINTS)
        for k in reversed(range(N_CUTS)):
            chosen[:, k] = pick(np.where(np.arange(POINTS) < limit, reach[k], _NEVER), int(present[k]))
            limit = chosen[:, k : k + 1]
        return chosen

    def ends(self) -> tuple[Ints, Ints]:
        """For each weighting and cut, the lowest and the highest point at which the cost is least.

        Between them the verdicts cannot tell one threshold from another.
        """
        watch, optional, must = self.terms
        below_optional, above_optional = _best_before(watch), _best_after(must)
        of_cut = (
            watch + _best_after(optional + above_optional),
            optional + below_optional + above_optional,
            must + _best_before(optional + below_optional),
        )
        lows, highs = zip(*(_ends(cost) for cost in of_cut), strict=True)
        return np.stack(lows, axis=1), np.stack(highs, axis=1)


def pick(costs: Floats, present: int) -> Ints:
    """For each row the place of least cost: the present one if none is less, else the middle of the best."""
    is_best = costs <= _least(costs)
    middle = (is_best.sum(axis=1, keepdims=True) + 1) // 2
    at_middle = (is_best.cumsum(axis=1) >= middle).argmax(axis=1)
    return np.where(is_best[:, present], present, at_middle)


def _least(costs: Floats) -> Floats:
    # Sums of whole numbers: what is not equal differs by one.
    least: Floats = costs.min(axis=1, keepdims=True) + 0.5
    return least


def _best_before(costs: Floats) -> Floats:
    """At each point the least cost at any point before it."""
    least = np.minimum.accumulate(costs, axis=1)
    return np.concatenate([np.full((len(costs), 1), _NEVER), least[:, :-1]], axis=1)


def _best_after(costs: Floats) -> Floats:
    """At each point the least cost at any point after it."""
    return _best_before(costs[:, ::-1])[:, ::-1]


@dataclass(frozen=True, slots=True)
class CutFit:
    """Fitted thresholds (watch, optional, must_cover), where they may lie, and what they gain.

    ``gains`` has, for each resample, what its fit gains on the stories it left out.
    """

    cuts: tuple[int, int, int]
    intervals: tuple[Interval, Interval, Interval]
    gains: Floats


@dataclass(frozen=True, slots=True)
class Gain:
    """How much less disagreement a fit leaves, in rungs per story: in the middle resample and in nine of ten.

    ``is_sure``: better in the middle, and in nineteen resamples of twenty no worse.
    """

    middle: float
    within: Interval

    @classmethod
    def of(cls, gains: Floats) -> Gain:
        """From the gain in each resample."""
        low, high = (round(_quantile(gains, share), 4) for share in (LOW, HIGH))
        return cls(round(float(np.median(gains)), 4), Interval(low, high))

    @property
    def is_sure(self) -> bool:
        """Whether the gain is more than luck."""
        return self.middle > 0 and self.within.low >= 0


def fit_cuts(
    totals: Ints, costs: Floats, clusters: Ints, *, present: Ints, free: Sequence[bool], n: int, seed: int
) -> CutFit:
    """The thresholds of least disagreement, by exact search over all legal triples of whole points."""
    whole = Cuts.of(totals, costs, np.ones((1, len(totals)))).held(present, free)
    lows, highs, gains = [], [], []
    for weights in resamples(clusters, n=n, seed=seed):
        drawn = Cuts.of(totals, costs, weights).held(present, free)
        low, high = drawn.ends()
        lows.append(low)
        highs.append(high)
        left_out = (weights == 0).astype(np.float64)
        rest = Cuts.of(totals, costs, left_out)
        gained = rest.at(present) - rest.at(drawn.best(present))
        gains.append(gained / np.maximum(left_out.sum(axis=1), 1))
    low, high = np.concatenate(lows), np.concatenate(highs)
    watch, optional, must = (
        Interval(_quantile(low[:, k], LOW), _quantile(high[:, k], HIGH)) for k in range(N_CUTS)
    )
    best = whole.best(present)[0]
    return CutFit((int(best[0]), int(best[1]), int(best[2])), (watch, optional, must), np.concatenate(gains))


@dataclass(frozen=True, slots=True)
class GridFit:
    """Of some settings each with a grid of values: the best place on each grid, and how often it wins.

    Shape: for each setting ``places`` (index into its grid), ``low`` and ``high`` (indexes too),
           ``gains``, and ``wins``, the share of resamples in which nothing else gains more.
    """

    places: list[int]
    low: list[int]
    high: list[int]
    gains: list[Gain]
    wins: list[float]


def fit_grids(
    costs: Sequence[Floats], clusters: Ints, *, present: Sequence[int], rival: Floats, n: int, seed: int
) -> GridFit:
    """The value of least disagreement of each setting by itself, the others as they are.

    ``costs`` has for each setting the cost of each row (down) at each value of its grid (across);
    ``present`` the place of its present value. ``rival`` is what another kind of change gains in each
    resample of the same seed: a setting wins only where it gains more than that, too.
    """
    edges = np.cumsum([0, *(cost.shape[1] for cost in costs)])
    parts = [slice(start, end) for start, end in zip(edges, edges[1:], strict=False)]
    every = np.concatenate(costs, axis=1)
    lows, highs, gains = [], [], []
    for weights in resamples(clusters, n=n, seed=seed):
        left_out = (weights == 0).astype(np.float64)
        inside, outside = weights @ every, left_out @ every
        n_out = np.maximum(left_out.sum(axis=1), 1)
        rows = np.arange(len(weights))
        places = [pick(inside[:, part], at) for part, at in zip(parts, present, strict=True)]
        ends = [_ends(inside[:, part]) for part in parts]
        lows.append(np.stack([low for low, _ in ends]))
        highs.append(np.stack([high for _, high in ends]))
        gains.append(
            np.stack(
                [
                    (outside[:, part][:, at] - outside[:, part][rows, place]) / n_out
                    for part, at, place in zip(parts, present, places, strict=True)
                ]
            )
        )
    gained = np.concatenate(gains, axis=1)
    is_best = (gained >= gained.max(axis=0) - _SAME) & (gained > np.maximum(rival, 0) + _SAME)
    whole = every.sum(axis=0)[None, :]
    return GridFit(
        places=[int(pick(whole[:, part], at)[0]) for part, at in zip(parts, present, strict=True)],
        low=[int(_quantile(row, LOW)) for row in np.concatenate(lows, axis=1)],
        high=[int(_quantile(row, HIGH)) for row in np.concatenate(highs, axis=1)],
        gains=[Gain.of(row) for row in gained],
        wins=[round(float(row.mean()), 4) for row in is_best],
    )


def _ends(costs: Floats) -> tuple[Ints, Ints]:
    """The first and the last place of least cost in each row."""
    is_best = costs <= _least(costs)
    return is_best.argmax(axis=1), costs.shape[1] - 1 - is_best[:, ::-1].argmax(axis=1)


def _quantile(values: NDArray[np.int64 | np.float64], share: float) -> float:
    return float(np.quantile(values, share, method="nearest"))
