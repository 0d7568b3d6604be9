"""How much two groups of texts speak for being about one event, in nats (natural logarithm of odds).

A group is taken to draw its words from an urn of its own that holds words at their usual rates until
texts are drawn from it (a Dirichlet-multinomial). The evidence is the logarithm of how much likelier
the two groups' words are from one urn than from two. So a word that both have counts for them, the
rarer the more; every word counts a little against them, and a long text that shares only common
words with another speaks against being about the same. Known as Bayesian hierarchical clustering
(Heller and Ghahramani 2005), here with the rates held fixed.

Two tempers, since reports of one event repeat each other more than draws from one urn would: the
words of a group count as ``size ** GROUP_TEMPER`` texts, and evidence from long texts is scaled down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import gammaln

from brandkit.signals._pairwise import BLOCK, Floats, Ints, row_products
from brandkit.signals._story_words import WORLD

# How many words at usual rates an urn holds at first: the larger, the more alike one event's reports.
CONCENTRATION = 200.0
# Evidence needed before two groups are one story: about 900 to 1 against any two being of one event,
# in a day of WORLD items; in a larger one any two are so much less likely to be.
PRIOR = 6.8
GROUP_TEMPER = 0.85
# A text up to this many words is a headline; the evidence of one k times as long weighs k ** -0.7.
HEADLINE = 8.0
LENGTH_TEMPER = -0.7
# The share of what two headlines say that they must say both, on average over all pairs of a story.
LEAST_SHARED = 0.095
# Long texts of different events share more by chance: the bar rises with length.
SHARED_RISE = 0.3
# Two sides that each name somebody and have too few names in common speak of another storm, another
# company: the bar is up to so many nats higher. Enough is a share of the names of the side with fewer.
NAMES_APART = 8.0
NAMES_ENOUGH = 0.5
# An earlier run judged too: what it held together needs less to stay so, what it held apart more to
# become one. Without it a desk's stories would change their names from day to day.
HELD_TOGETHER, HELD_APART = 12.0, 20.0

# With meanings: what a mean cosine of 1 above the expected adds, in nats; what two texts and what two
# large groups of one event are expected to have; and how far it makes up for words that are not shared.
MEANING_WEIGHT = 18.0
ALIKE_TEXTS, ALIKE_GROUPS = 0.55, 0.25
MEANING_SHARED, LEAST_ALIKE = 0.4, 0.25


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of texts: their words added up, what they say (unit rows added up), and their sizes."""

    words: Any
    said: Any
    size: Floats
    usual: Floats
    is_name: Floats
    past: Any
    meanings: Any
    meant: Floats
    bar: float

    @classmethod
    def of_texts(cls, words: Any, rates: Floats, is_name: Floats, earlier: Ints, meanings: Any) -> Groups:
        """Each text a group of its own; ``words`` has a row of ones per text.

        ``earlier`` numbers the story that an earlier run had each text in, -1 where none had.
        ``meanings`` has a unit row per text, zeros where nothing is known, or no columns at all.
        """
        n = words.shape[0]
        known = np.flatnonzero(earlier >= 0)
        n_stories = int(earlier.max(initial=-1)) + 1
        past = sparse.csr_matrix((np.ones(len(known)), (known, earlier[known])), shape=(n, n_stories))
        said = unit_rows(weighted(words, rates))
        meant = (meanings != 0).any(axis=1).astype(np.float64)
        usual, bar = CONCENTRATION * rates, bar_of(n)
        return cls(words.tocsr(), said, np.ones(n), usual, is_name, past, meanings, meant, bar)

    @property
    def has_meanings(self) -> bool:
        """Whether anything is known of what the texts mean, beside their words."""
        return bool(self.meanings.shape[1])

    def merged(self, into: Ints, n_groups: int) -> Groups:
        """The groups of which each goes into the one whose number is given; those with -1 are left out."""
        of = np.flatnonzero(into >= 0)
        move = sparse.csr_matrix((np.ones(len(of)), (into[of], of)), shape=(n_groups, len(into)))
        words, said = _sorted(move @ self.words), _sorted(move @ self.said)
        past, meanings = _sorted(move @ self.past), move @ self.meanings
        size, meant = move @ self.size, move @ self.meant
        return Groups(words, said, size, self.usual, self.is_name, past, meanings, meant, self.bar)

    def links(self, left: Ints, right: Ints) -> Floats:
        """For each pair of groups, by how much it passes the bar for being one story; -inf if it cannot.

        A pair that says too little in common is out whatever its evidence: a topic shares common
        words among hundreds of texts, and sums them up to any evidence.
        """
        total = np.asarray(self.words.sum(axis=1)).ravel()
        length = total / self.size
        shared = row_products(self.said, left, right) / (self.size[left] * self.size[right])
        closer, meaning = self._meaning(left, right)
        shared += closer
        together, apart_before = self._held(left, right)
        least = LEAST_SHARED * _headlines_long(length[left], length[right]) ** SHARED_RISE
        enough = shared >= least * (1 - together)
        found = np.full(len(left), -np.inf)
        left, right = left[enough], right[enough]
        temper = self.size ** (GROUP_TEMPER - 1)

        def joint(a: Floats, b: Floats, word: Ints, of: Ints, other: Ints) -> Floats:
            return _joint(a * temper[of], b * temper[other], self.usual[word])

        alike = _over_shared(self.words, left, right, joint)
        apart = _joint(total[left] * temper[left], total[right] * temper[right], CONCENTRATION)
        scale = length_scale(length[left], length[right])
        bar = self.bar + NAMES_APART * self._apart(left, right)
        bar += HELD_APART * apart_before[enough] - HELD_TOGETHER * together[enough]
        found[enough] = np.round((alike - apart) * scale + meaning[enough] - bar, 6)
        return found

    def _meaning(self, left: Ints, right: Ints) -> tuple[Floats, Floats]:
        """What the mean cosine of two groups' meanings makes up in shared words, and adds in nats.

        Nothing where one of them has no meaning. More texts make a mean surer, so less is expected.
        """
        closer, added = np.zeros(len(left)), np.zeros(len(left))
        if not self.has_meanings:
            return closer, added
        n = self.meant[left] * self.meant[right]
        known = n > 0
        cosine = _dense_products(self.meanings, left[known], right[known]) / n[known]
        expected = ALIKE_GROUPS + (ALIKE_TEXTS - ALIKE_GROUPS) * n[known] ** -0.25
        closer[known] = MEANING_SHARED * np.maximum(cosine - LEAST_ALIKE, 0)
        added[known] = MEANING_WEIGHT * (cosine - expected)
        return closer, added

    def _held(self, left: Ints, right: Ints) -> tuple[Floats, Floats]:
        """How far an earlier run had two groups in one story, and how far in two, each 0..1."""
        known = np.asarray(self.past.sum(axis=1)).ravel()
        both = (known[left] > 0) & (known[right] > 0)
        together = np.zeros(len(left))
        share = (sparse.diags(1.0 / np.maximum(known, 1)) @ self.past).tocsr()
        together[both] = _over_shared(share, left[both], right[both], _lesser)
        return together, both - together

    def _apart(self, left: Ints, right: Ints) -> Floats:
        """How far two groups name different things, 0..1; 0 where one of them names nothing."""
        names = (self.words @ sparse.diags(self.is_name)).tocsr()
        names.eliminate_zeros()
        share = (sparse.diags(1.0 / self.size) @ names).tocsr()
        common = _over_shared(share, left, right, _lesser)
        mass = np.asarray(share.sum(axis=1)).ravel()
        fewer = np.minimum(mass[left], mass[right])
        missing = 1 - common / np.maximum(fewer, 1e-9) / NAMES_ENOUGH
        return np.asarray(np.clip(missing, 0, 1) * np.minimum(fewer, 1))


def bar_of(n: int) -> float:
    """The evidence that two groups among n texts need to be one story."""
    return PRIOR + float(np.log(max(n / WORLD, 1.0)))


def _lesser(a: Floats, b: Floats, column: Ints, of: Ints, other: Ints) -> Floats:
    return np.minimum(a, b)


def weights(rates: Floats) -> Floats:
    """What one shared word is worth between two single texts."""
    usual = CONCENTRATION * rates
    return np.asarray(np.log1p(usual) - np.log(usual))


def weighted(words: Any, rates: Floats) -> Any:
    """Rows whose products are the worth of the words they share."""
    return (words @ sparse.diags(np.sqrt(weights(rates)))).tocsr()


def against(left: Floats, right: Floats) -> Floats:
    """What the lengths of two single texts take off the worth of the words they share."""
    return _joint(left, right, CONCENTRATION)


def length_scale(left: Floats, right: Floats) -> Floats:
    """What evidence between texts of these (mean) lengths is scaled by."""
    return np.asarray(_headlines_long(left, right) ** LENGTH_TEMPER)


def _headlines_long(left: Floats, right: Floats) -> Floats:
    """How many headlines long two texts are, by the geometric mean; never less than one."""
    return np.asarray(np.sqrt(np.maximum(left, HEADLINE) * np.maximum(right, HEADLINE)) / HEADLINE)


def _joint(a: Floats, b: Floats, usual: Floats | float) -> Floats:
    """The logarithm of how much likelier a and b draws are from one urn than from two."""
    return np.asarray(gammaln(a + b + usual) + gammaln(usual) - gammaln(a + usual) - gammaln(b + usual))


def _over_shared(
    words: Any, left: Ints, right: Ints, worth: Callable[[Floats, Floats, Ints, Ints, Ints], Floats]
) -> Floats:
    """For each pair of rows, the sum of ``worth`` over the columns that both have."""
    found = np.zeros(len(left))
    there = words.copy()
    there.data = np.ones_like(there.data)
    for at in range(0, len(left), BLOCK):
        of, other = left[at : at + BLOCK], right[at : at + BLOCK]
        a = _sorted(words[of].multiply(there[other]))
        b = _sorted(words[other].multiply(there[of]))
        pair = np.repeat(np.arange(len(of)), np.diff(a.indptr))
        worths = worth(a.data, b.data, a.indices, of[pair], other[pair])
        found[at : at + BLOCK] = np.bincount(pair, weights=worths, minlength=len(of))
    return found


def _dense_products(rows: Any, left: Ints, right: Ints) -> Floats:
    blocks = [
        np.einsum("ij,ij->i", rows[left[at : at + BLOCK]], rows[right[at : at + BLOCK]])
        for at in range(0, len(left), BLOCK)
    ]
    return np.concatenate(blocks or [np.empty(0)]).astype(np.float64)


def unit_rows(matrix: Any) -> Any:
    """The rows scaled to length one; a zero row stays zero."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1.0
    return (sparse.diags(1.0 / lengths) @ matrix).tocsr()


def _sorted(matrix: Any) -> Any:
    # Sums of floats depend on their order; sorted columns fix it.
    matrix = matrix.tocsr()
    matrix.sort_indices()
    return matrix
