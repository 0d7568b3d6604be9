"""From texts to groups: which texts to compare, and merging whatever is likelier together than apart.

Pairs merge best first: in each round every pair of groups that are each other's best merges. A group
is never judged by one member, so two stories do not chain through a report that mentions both; and
what shares no word with a group cannot move it at all, so that a day of strangers leaves stories as
they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse

from brandkit.signals._evidence import (
    HELD_TOGETHER,
    PRIOR,
    Floats,
    Groups,
    Ints,
    against,
    length_scale,
    weighted,
    weights,
)
from brandkit.signals._words import Words, rates, words_of

N_NEIGHBOURS = 25
# A pair of texts below this much evidence starts nothing; its groups meet through better pairs.
LEAST_EVIDENCE = 3.0
# The first pass says which words are of one event; the second weighs words by that.
PASSES = 2
# How many texts a group takes in at once, as a share of those it has; two that are each other's best
# always merge.
ABSORB = 0.5

# A word that many texts hold finds nobody; it counts once others have. The second bar keeps the work
# linear in the number of texts: it takes words out of the search where a frame has hundreds of thousands.
LEAST_TELLING = 1.5
MOST_HOLDING = 3_000
_MOST_KEYS = 50
# How many rows look at the same others, and how many of them at a time.
_STRETCH, _ROWS = 20_000, 500


@dataclass(frozen=True, slots=True)
class Pairs:
    """Undirected pairs of rows, each once, ``left`` below ``right``, and the evidence between them."""

    left: Ints
    right: Ints
    evidence: Floats


@dataclass(frozen=True, slots=True)
class Grouped:
    """A group for each text (the lowest row of it), and what decided that."""

    groups: Ints
    pairs: Pairs
    words: Words
    usual: Floats


def group_texts(texts: pl.DataFrame, seconds: Floats, earlier: Ints, *, window_s: float) -> Grouped:
    """The groups of texts that are likelier about one event than about two.

    ``seconds`` are instants, NaN where unknown: such a text is compared with all. Others are compared
    within the window, and meet beyond it only through what lies between. ``earlier`` numbers the story
    that an earlier run had a text in, -1 where none had.

    Shape: takes ``row`` (0 up to n - 1, each once) and ``text``, folded but for its case.
    """
    words = words_of(texts, len(seconds))
    found = _grouped(words, np.arange(len(seconds)), seconds, earlier, window_s)
    for _ in range(1, PASSES):
        found = _grouped(words, found.groups, seconds, earlier, window_s)
    return found


def _grouped(words: Words, known: Ints, seconds: Floats, earlier: Ints, window_s: float) -> Grouped:
    usual = rates(words, np.unique(known, return_inverse=True)[1])
    pairs = candidates(words, usual, seconds, window_s=window_s)
    groups = agglomerate(Groups.of_texts(words.matrix, usual, words.is_name, earlier), pairs)
    return Grouped(groups, pairs, words, usual)


def candidates(words: Words, usual: Floats, seconds: Floats, *, window_s: float) -> Pairs:
    """Each text's best partners within the window, by the evidence of their most telling words.

    By blocks of time, so that memory stays bounded.
    """
    keys = _keys(words, usual)
    lengths = words.lengths
    order = np.lexsort((np.arange(len(seconds)), seconds))  # NaN sorts last
    when = seconds[order]
    n_dated = int(np.isfinite(when).sum())
    by_time = keys[order]
    found = []
    for start, stop in _stretches(n_dated, len(order)):
        low, high = _reach(when, start, stop - 1, n_dated, window_s)
        columns = np.r_[low:high, max(high, n_dated) : len(order)]
        others = by_time[columns].T.tocsr()
        for first in range(start, stop, _ROWS):
            product = (by_time[first : min(first + _ROWS, stop)] @ others).tocoo()
            telling = product.data >= LEAST_EVIDENCE
            row, column = product.row[telling] + first, columns[product.col[telling]]
            near = ~(np.abs(when[row] - when[column]) > window_s) & (row != column)
            row, column, worth = order[row[near]], order[column[near]], product.data[telling][near]
            found.append(_best(row, column, _between(worth, lengths[row], lengths[column])))
    return _undirected(found, len(seconds))


def _stretches(n_dated: int, n: int) -> list[tuple[int, int]]:
    """Rows in order of time by stretches that look at the same others; undated ones by themselves."""
    ends = [(0, n_dated), (n_dated, n)]
    return [(at, min(at + _STRETCH, end)) for start, end in ends for at in range(start, end, _STRETCH)]


def _between(worth: Floats, left: Floats, right: Floats) -> Floats:
    """The evidence between texts of these lengths whose shared words are worth so much."""
    return np.asarray(np.round((worth - against(left, right)) * length_scale(left, right), 6))


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
    kept = vectors.copy()
    kept.data[weak] = 0.0
    kept.eliminate_zeros()
    return kept


def _reach(when: Floats, first: int, last: int, n_dated: int, window_s: float) -> tuple[int, int]:
    if first >= n_dated:
        return 0, len(when)
    dated = when[:n_dated]
    return (
        int(np.searchsorted(dated, when[first] - window_s, side="left")),
        int(np.searchsorted(dated, when[last] + window_s, side="right")),
    )


def _best(row: Ints, column: Ints, evidence: Floats) -> tuple[Ints, Ints, Floats]:
    enough = evidence >= LEAST_EVIDENCE
    row, column, evidence = row[enough], column[enough], evidence[enough]
    order = np.lexsort((column, -evidence, row))
    row, column, evidence = row[order], column[order], evidence[order]
    kept = _place(row) < N_NEIGHBOURS
    return row[kept], column[kept], evidence[kept]


def _place(keys: Ints) -> Ints:
    """Each element's place among its equals, where equals stand side by side."""
    position = np.arange(len(keys))
    starts = np.ones(len(keys), dtype=np.bool_)
    starts[1:] = keys[1:] != keys[:-1]
    return np.asarray(position - np.maximum.accumulate(np.where(starts, position, 0)))


def _undirected(found: list[tuple[Ints, Ints, Floats]], n: int) -> Pairs:
    if not found:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    row, column, evidence = (np.concatenate(part) for part in zip(*found, strict=True))
    left, right = np.minimum(row, column).astype(np.int64), np.maximum(row, column).astype(np.int64)
    _, first = np.unique(left * n + right, return_index=True)
    return Pairs(left[first], right[first], evidence[first])


def agglomerate(texts: Groups, pairs: Pairs) -> Ints:
    """Merge groups, best pairs first, while a pair passes the bar; the lowest row of each text's group."""
    labels: Ints = np.arange(len(texts.size))
    partners = _partners(pairs, len(labels))
    # Between single texts the evidence is known, and what falls short of the bar is no link yet.
    # Unless an earlier run held them together.
    hopeful = pairs.evidence > PRIOR - HELD_TOGETHER
    left, right = pairs.left[hopeful], pairs.right[hopeful]
    left, right, link = _passing(left, right, texts.links(left, right))
    while len(link):
        into = _merges(left, right, link, np.bincount(labels, minlength=len(labels)))
        labels = into[labels]
        moved = np.flatnonzero(into != np.arange(len(into)))
        has_changed = np.zeros(len(labels), dtype=np.bool_)
        has_changed[moved], has_changed[into[moved]] = True, True
        kept = ~(has_changed[left] | has_changed[right])
        fresh = _linked(texts, labels, partners, np.flatnonzero(has_changed[labels]))
        left, right, link = (
            np.concatenate([old[kept], new]) for old, new in zip((left, right, link), fresh, strict=True)
        )
    groups = np.unique(labels, return_inverse=True)[1]
    return np.asarray(np.unique(groups, return_index=True)[1][groups])


def _partners(pairs: Pairs, n: int) -> Any:
    """Each text's candidates, both ways, as rows of a sparse matrix."""
    ones = np.ones(len(pairs.left), dtype=np.bool_)
    one_way = sparse.csr_matrix((ones, (pairs.left, pairs.right)), shape=(n, n))
    return (one_way + one_way.T).tocsr()


def _linked(texts: Groups, labels: Ints, partners: Any, members: Ints) -> tuple[Ints, Ints, Floats]:
    """The pairs that pass the bar among those of the groups whose members are given."""
    near = partners[members]
    one = np.repeat(labels[members], np.diff(near.indptr))
    other = labels[near.indices]
    apart = one != other
    low, high = np.minimum(one, other)[apart], np.maximum(one, other)[apart]
    _, first = np.unique(low * len(labels) + high, return_index=True)
    low, high = low[first], high[first]
    names = np.unique(np.concatenate([low, high]))
    number = np.full(len(labels), -1)
    number[names] = np.arange(len(names))
    groups = texts.merged(number[labels], len(names))
    return _passing(low, high, groups.links(number[low], number[high]))


def _passing(left: Ints, right: Ints, link: Floats) -> tuple[Ints, Ints, Floats]:
    passes = link > 0
    return left[passes], right[passes], link[passes]


def _merges(left: Ints, right: Ints, link: Floats, size: Ints) -> Ints:
    """Where each group goes in this round: two that are each other's best go together.

    And a group that is nobody's best goes to its own best, the best first and as many at once as
    ``ABSORB`` allows: two hundred reports need not join a story one by one.
    """
    one, other, value = np.r_[left, right], np.r_[right, left], np.r_[link, link]
    order = np.lexsort((other, -value, one))
    one, other, value = one[order], other[order], value[order]
    is_best = _place(one) == 0
    one, other, value = one[is_best], other[is_best], value[is_best]
    best = np.full(len(size), -1)
    best[one] = other
    into: Ints = np.arange(len(size))
    mutual = (best[other] == one) & (one < other)
    into[other[mutual]] = one[mutual]
    is_wanted = np.zeros(len(size), dtype=np.bool_)
    is_wanted[other] = True
    leaf = ~is_wanted[one] & (size[one] <= size[other])
    order = np.lexsort((one[leaf], -value[leaf], other[leaf]))
    leaves, hub = one[leaf][order], other[leaf][order]
    taken = np.cumsum(size[leaves])
    before = np.where(_place(hub) == 0, taken - size[leaves], 0)
    fits = taken - np.maximum.accumulate(before) <= ABSORB * size[hub]
    into[leaves[fits]] = into[hub[fits]]
    return into
