"""Whether whole numbers are still distributed as before, and whether a count is still usual.

The measure is the population stability index (PSI) over the tenths of what was before: the sum of
(now - before) x ln(now / before) over the shares of each bin. Below 0.1 nobody looks, from 0.25 on
everybody does (N. Siddiqi, Credit Risk Scorecards, 2006). A rule of thumb without regard to sample size
cries wolf on small days: of samples of n and m from one distribution the PSI is about (1/n + 1/m) times
a chi-square variable with a degree of freedom less than there are bins (B. Yurdakul and J. Naranjo,
Statistical properties of the population stability index, Journal of Risk Model Validation 14, 2020).
So it has to clear that too, and what nine in ten of the days before had against each other: stories go
on from day to day, and weekends are weekends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import chdtri

WORTH_A_LOOK = 0.1
# One in a hundred days of nothing but chance is allowed to look as if something had moved.
_CHANCE = 0.01
# One odd day in a month must not hide all that come after it.
_DAYS = 0.9
# A count this many robust standard deviations off is an outlier (B. Iglewicz and D. Hoaglin, How to
# Detect and Handle Outliers, 1993); 1.4826 makes the median deviation one of a normal distribution.
UNUSUAL = 3.5
_NORMAL_MAD = 1.4826

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Stability:
    """The PSI of one day against those before, and what it must clear to mean anything.

    ``chance`` is what chance alone stays below 99 times in 100, ``usual`` what nine in ten of the
    days before had at most against the others; infinite where there is only one.
    """

    psi: float
    chance: float
    usual: float

    @property
    def moved(self) -> bool:
        """True when it is worth a look, more than chance, and more than on a day before."""
        return self.psi >= WORTH_A_LOOK and self.psi > max(self.chance, self.usual)


def stability(now: pl.DataFrame, before: Sequence[pl.DataFrame]) -> Stability:
    """How far the values of a day are from those of the days before.

    Shape:  each frame has value and n: how often each whole number was met.

    >>> day = pl.DataFrame({"value": [0, 10, 20], "n": [50, 30, 20]})
    >>> stability(day, [day, day]).psi
    0.0
    """
    pooled = pl.concat(before).group_by("value").agg(pl.col("n").sum()).sort("value")
    cuts = _cuts(pooled)
    today, *days = (_binned(frame, cuts) for frame in (now, *before))
    total = np.sum(days, axis=0)
    others = sorted(psi(day, total - day) for day in days) if len(days) > 1 else [math.inf]
    n_bins = int(np.count_nonzero(total + today))
    chance = float(chdtri(max(n_bins - 1, 1), _CHANCE) * (1 / today.sum() + 1 / total.sum()))
    usual = others[math.ceil(_DAYS * len(others)) - 1]
    return Stability(psi(today, total), round(chance, 4), usual)


def psi(now: Counts, before: Counts) -> float:
    """The population stability index of counts by bin, rounded to 4 decimals; 0 means no change.

    A bin that only one side has would weigh infinitely; the other side is taken to have half a count.
    """
    met = (now + before) > 0
    p, q = (np.maximum(side[met], 0.5) / side.sum() for side in (now, before))
    return round(float(np.sum((p - q) * np.log(p / q))), 4)


def _cuts(pooled: pl.DataFrame) -> Counts:
    """The upper ends of the bins: the tenths of what was before, with what lies under and over all of it."""
    values, running = pooled["value"].to_numpy().astype(np.int64), pooled["n"].cum_sum().to_numpy()
    tenths = np.searchsorted(running, running[-1] * np.arange(1, 11) / 10, side="left")
    return np.unique(np.concatenate([[values[0] - 1], values[np.minimum(tenths, len(values) - 1)]]))


def _binned(counted: pl.DataFrame, cuts: Counts) -> Counts:
    at = np.searchsorted(cuts, counted["value"].to_numpy(), side="left")
    found: Counts = np.bincount(at, counted["n"].to_numpy(), minlength=len(cuts) + 1).astype(np.int64)
    return found


def distance(n: pl.Expr, before: pl.Expr) -> pl.Expr:
    """How many robust standard deviations a count is from the median of a list of counts before.

    The deviation is never taken for less than that of a count that comes by chance, the square root
    of its mean: three stories after weeks of exactly one are no event.
    """
    median = before.list.median()
    spread = before.list.eval((pl.element() - pl.element().median()).abs()).list.median() * _NORMAL_MAD
    floor = pl.max_horizontal(median, pl.lit(1.0)).sqrt()
    return ((n - median) / pl.max_horizontal(spread, floor)).round(1)


def quantile(counted: pl.DataFrame, share: float, *, over: Sequence[str]) -> pl.DataFrame:
    """The smallest value that at least a share of all are not above, for each group.

    Shape:  takes ``over``, value and n; gives ``over`` and value, sorted.
    """
    reached = pl.col("n").cum_sum().over(over, order_by="value") >= share * pl.col("n").sum().over(over)
    return counted.filter(reached).group_by(over).agg(pl.col("value").min()).sort(over)
