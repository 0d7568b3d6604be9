"""Agreement of a score with what happened, and how sure a figure is: ranks and the bootstrap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

Values = NDArray[np.float64]
DRAWS = 1_000


def auc(score: Values, is_one: Values) -> float:
    """The chance that a one is scored above another, ties counting half; nan without one of either."""
    return float(roc_auc_score(is_one > 0, score)) if 0 < (is_one > 0).sum() < len(is_one) else float("nan")


def spearman(score: Values, outcome: Values) -> float:
    """The correlation of ranks; 0 where either does not vary."""
    one, other = rankdata(score), rankdata(outcome)
    return float(np.corrcoef(one, other)[0, 1]) if one.std() and other.std() else 0.0


def interval(
    figure: Callable[..., float],
    *columns: Values,
    groups: NDArray[np.generic] | None = None,
    draws: int = DRAWS,
) -> tuple[float, float]:
    """The 95 % bootstrap interval of a figure of some columns; whole groups are drawn where given."""
    rng = np.random.default_rng(0)
    _, group = np.unique(np.arange(len(columns[0])) if groups is None else groups, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.append(np.flatnonzero(np.diff(group[order], prepend=-1)), len(order))
    n = len(starts) - 1
    found = []
    for _ in range(draws):
        drawn = rng.integers(0, n, n)
        lengths = starts[drawn + 1] - starts[drawn]
        # Row numbers of the drawn groups, one after the other.
        offset = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        rows = order[np.repeat(starts[drawn], lengths) + offset]
        found.append(figure(*(column[rows] for column in columns)))
    low, high = np.nanquantile(found, [0.025, 0.975])
    return float(low), float(high)
