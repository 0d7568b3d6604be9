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

from brandkit.signals._pairwise import Floats, Ints
from brandkit.signals._story_evidence import HELD_TOGETHER, Groups
from brandkit.signals._story_partners import NO_PAIRS, Pairs, alike, both, candidates, place_among_equals
from brandkit.signals._story_words import Words, rates, words_of

# The first pass says which words are of one event; the second weighs words by that.
PASSES = 2
# How many texts a group takes in at once, as a share of those it has; two that are each other's best
# always merge.
ABSORB = 0.5


@dataclass(frozen=True, slots=True)
class Grouped:
    """A group for each text (the lowest row of it), and what decided that."""

    groups: Ints
    pairs: Pairs
    words: Words
    usual: Floats


def group_texts(
    texts: pl.DataFrame, seconds: Floats, earlier: Ints, meanings: Any = None, *, window_s: float
) -> Grouped:
    """The groups of texts that are likelier about one event than about two.

    ``seconds`` are instants, NaN where unknown: such a text is compared with all. Others are compared
    within the window, and meet beyond it only through what lies between. ``earlier`` numbers the story
    that an earlier run had a text in, -1 where none had. ``meanings``, where given, has a unit row for
    each text, or zeros where nothing is known of it.

    Shape: takes ``row`` (0 up to n - 1, each once) and ``text``, folded but for its case.
    """
    n = len(seconds)
    words = words_of(texts, n)
    meanings = np.zeros((n, 0), dtype=np.float32) if meanings is None else meanings
    near = alike(meanings, seconds, window_s=window_s) if meanings.shape[1] else NO_PAIRS
    groups: Ints = np.arange(n)
    for _ in range(PASSES):
        usual = rates(words, np.unique(groups, return_inverse=True)[1])
        pairs = both(candidates(words, usual, seconds, window_s=window_s), near, n)
        each = Groups.of_texts(words.matrix, usual, words.is_name, earlier, meanings)
        groups = agglomerate(each, pairs)
    return Grouped(groups, pairs, words, usual)


def agglomerate(texts: Groups, pairs: Pairs) -> Ints:
    """Merge groups, best pairs first, while a pair passes the bar; the lowest row of each text's group."""
    labels: Ints = np.arange(len(texts.size))
    partners = _partners(pairs, len(labels))
    # Between single texts the evidence is known, and what falls short of the bar is no link yet.
    # Unless an earlier run held them together, or they mean the same.
    hopeful = (pairs.evidence > texts.bar - HELD_TOGETHER) | texts.has_meanings
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
    is_best = place_among_equals(one) == 0
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
    before = np.where(place_among_equals(hub) == 0, taken - size[leaves], 0)
    fits = taken - np.maximum.accumulate(before) <= ABSORB * size[hub]
    into[leaves[fits]] = into[hub[fits]]
    return into
