"""Which texts to compare: each one's best partners within a time window, found without comparing all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from brandkit.signals._pairwise import Floats, Ints
from brandkit.signals._story_evidence import against, length_scale, weighted, weights
from brandkit.signals._story_words import Words

N_NEIGHBOURS = 15
# A pair of texts below this much evidence starts nothing; its groups meet through better pairs.
LEAST_EVIDENCE = 3.0
# A word that many texts hold finds nobody; it counts once others have. The second bar keeps the work
# linear in the number of texts: it takes words out of the search where a frame has hundreds of thousands.
LEAST_TELLING = 1.5
MOST_HOLDING = 3_000
_MOST_KEYS = 50
# Meanings this alike are worth a look: so many of each text's nearest.
LEAST_COSINE, N_ALIKE = 0.4, 10
# How many rows look at the same others, and how many of them at a time.
_STRETCH, _ROWS = 20_000, 500
_MOST_CELLS = 50_000_000


# Rows in; places in them, places in what they are compared with, and a value for each two.
Compare = Callable[[Ints], tuple[Ints, Ints, Floats]]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Undirected pairs of rows, each once, ``left`` below ``right``, and the evidence between them."""

    left: Ints
    right: Ints
    evidence: Floats


NO_PAIRS = Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def candidates(words: Words, usual: Floats, seconds: Floats, *, window_s: float) -> Pairs:
    """Each text's best partners within the window, by the evidence of their most telling words."""
    keys, lengths = _keys(words, usual), words.lengths

    def among(others: Ints) -> Compare:
        theirs = keys[others].T.tocsr()

        def worth(rows: Ints) -> tuple[Ints, Ints, Floats]:
            product = (keys[rows] @ theirs).tocoo()
            telling = product.data >= LEAST_EVIDENCE
            return product.row[telling], product.col[telling], product.data[telling]

        return worth

    def evidence(row: Ints, column: Ints, worths: Floats) -> Floats:
        return (worths - against(lengths[row], lengths[column])) * length_scale(lengths[row], lengths[column])

    return _within(seconds, window_s, among, evidence, least=LEAST_EVIDENCE, most=N_NEIGHBOURS)


def alike(meanings: Any, seconds: Floats, *, window_s: float) -> Pairs:
    """Each text's nearest within the window by meaning; ``evidence`` is their cosine.

    Shape: ``meanings`` has a unit row per text, or zeros where there is none.
    """

    def among(others: Ints) -> Compare:
        theirs = meanings[others].T

        def cosines(rows: Ints) -> tuple[Ints, Ints, Floats]:
            product = meanings[rows] @ theirs
            row, column = np.nonzero(product >= LEAST_COSINE)
            return row, column, product[row, column].astype(np.float64)

        return cosines

    def itself(row: Ints, column: Ints, cosine: Floats) -> Floats:
        return cosine

    return _within(seconds, window_s, among, itself, least=LEAST_COSINE, most=N_ALIKE)


def both(one: Pairs, other: Pairs, n: int) -> Pairs:
    """The pairs of either, with the evidence of the first where both have one."""
    missing = np.full(len(other.left), -np.inf)
    left, right = np.r_[one.left, other.left], np.r_[one.right, other.right]
    _, first = np.unique(left * n + right, return_index=True)
    return Pairs(left[first], right[first], np.r_[one.evidence, missing][first])


def _within(
    seconds: Floats,
    window_s: float,
    among: Callable[[Ints], Compare],
    judge: Callable[[Ints, Ints, Floats], Floats],
    *,
    least: float,
    most: int,
) -> Pairs:
    """The best partners of every row among those within the window; by blocks, so that memory stays bounded.

    ``among`` takes the rows to compare with and gives what compares others with them; ``judge`` turns
    what that gave into evidence.
    """
    order = np.lexsort((np.arange(len(seconds)), seconds))  # NaN sorts last
    when = seconds[order]
    n_dated = int(np.isfinite(when).sum())
    found = []
    for start, stop in _stretches(n_dated, len(order)):
        low, high = _reach(when, start, stop - 1, n_dated, window_s)
        columns = np.r_[low:high, max(high, n_dated) : len(order)]
        compare = among(order[columns])
        step = max(1, min(_ROWS, _MOST_CELLS // max(len(columns), 1)))
        for first in range(start, stop, step):
            place, other, value = compare(order[first : min(first + step, stop)])
            row, column = place + first, columns[other]
            near = ~(np.abs(when[row] - when[column]) > window_s) & (row != column)
            row, column, value = order[row[near]], order[column[near]], value[near]
            found.append(_best(row, column, np.round(judge(row, column, value), 6), least, most))
    return _undirected(found, len(seconds))


def _stretches(n_dated: int, n: int) -> list[tuple[int, int]]:
    """Rows in order of time by stretches that look at the same others; undated ones by themselves."""
    ends = [(0, n_dated), (n_dated, n)]
    return [(at, min(at + _STRETCH, end)) for start, end in ends for at in range(start, end, _STRETCH)]


def _keys(words: Words, usual: Floats) -> Any:
    """The rows with their most telling words only: by those a text is looked for."""
    vectors = weighted(words.matrix, usual)
    held = np.bincount(vectors.indices, minlength=vectors.shape[1])
    too_common = (weights(usual) < LEAST_TELLING) | (held > MOST_HOLDING)
    vectors.data[too_common[vectors.indices]] = 0.0
    vectors.eliminate_zeros()
    row = np.repeat(np.arange(vectors.shape[0]), np.diff(vectors.indptr))
    order = np.lexsort((vectors.indices, -vectors.data, row))
    place = np.arange(len(row)) - vectors.indptr[row]
    weak = np.zeros(len(row), dtype=np.bool_)
    weak[order[place >= _MOST_KEYS]] = True
    vectors.data[weak] = 0.0
    vectors.eliminate_zeros()
    return vectors


def _reach(when: Floats, first: int, last: int, n_dated: int, window_s: float) -> tuple[int, int]:
    if first >= n_dated:
        return 0, len(when)
    dated = when[:n_dated]
    return (
        int(np.searchsorted(dated, when[first] - window_s, side="left")),
        int(np.searchsorted(dated, when[last] + window_s, side="right")),
    )


def _best(row: Ints, column: Ints, evidence: Floats, least: float, most: int) -> tuple[Ints, Ints, Floats]:
    enough = evidence >= least
    row, column, evidence = row[enough], column[enough], evidence[enough]
    order = np.lexsort((column, -evidence, row))
    row, column, evidence = row[order], column[order], evidence[order]
    kept = place_among_equals(row) < most
    return row[kept], column[kept], evidence[kept]


def place_among_equals(keys: Ints) -> Ints:
    """Each element's place among its equals, where equals stand side by side."""
    position = np.arange(len(keys))
    starts = np.ones(len(keys), dtype=np.bool_)
    starts[1:] = keys[1:] != keys[:-1]
    return np.asarray(position - np.maximum.accumulate(np.where(starts, position, 0)))


def _undirected(found: list[tuple[Ints, Ints, Floats]], n: int) -> Pairs:
    if not found:
        return NO_PAIRS
    row, column, evidence = (np.concatenate(part) for part in zip(*found, strict=True))
    left, right = np.minimum(row, column).astype(np.int64), np.maximum(row, column).astype(np.int64)
    _, first = np.unique(left * n + right, return_index=True)
    return Pairs(left[first], right[first], evidence[first])
