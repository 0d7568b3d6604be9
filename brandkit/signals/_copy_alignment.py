"""Texts laid side by side: what two share, and what stands in one where the other has something else.

Two shared bigrams of words in a row tie two texts together; what lies between two ties is a *gap*.
Where both have a few words in a gap, something was swapped; where those are numbers, or one side
denies, the texts say something else. A gap with a sentence in it is another sentence, not a swap.

Everything is done for many pairs at once: bigrams are sparse rows whose values are positions, so
that the product of two rows lists where what they share stands in both.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from brandkit.signals._copy_words import Hashes, Ints, Words, hashed, mixed, runs

Flags = npt.NDArray[np.bool_]

# Of either side of a gap: a name or an amount is shorter than this, a sentence longer.
LONGEST_SWAP = 6
# Under this many words nothing may be replaced, only added.
SHORT_WORDS = 20
_BLOCK_WORDS = 1_000_000
# How often a run of words may come in one text and still be matched: 16 times.
_TIMES_BITS = 4
# "t" is what folding leaves of "isn't".
_NEGATIONS = ("not", "no", "never", "t", "without", "cannot", "denies", "denied", "deny")
_NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alignment:
    """How the texts of each pair lie side by side.

    ``shared`` counts the bigrams in both, ``n_left`` and ``n_right`` those of either; ``n_body`` those
    of the text with fewer words outside of its head, ``body_shared`` the ones of them in both, and
    ``starts_at`` is how far into the other's body the first tie stands (past every end where there is
    none). Swaps and turns are counted outside of the heads; ``is_head_changed`` is a
    turn or another name in them. For
    pairs with a short text, ``is_added`` says that every word of the one stands in the other,
    ``same_turns`` that all their numbers and negations are the same.
    """

    shared: Ints
    n_left: Ints
    n_right: Ints
    body_shared: Ints
    n_body: Ints
    starts_at: Ints
    n_swaps: Ints
    n_renamed: Ints
    is_turned: Flags
    is_head_changed: Flags
    is_added: Flags
    same_turns: Flags


def aligned(texts: pl.Series, n_head: Ints, left: Ints, right: Ints) -> Alignment:
    """Lay each pair of folded texts side by side, in blocks, so that memory stays bounded.

    ``n_head`` is how many words of each text are its head: desks change those as they please.
    """
    n_words = texts.str.count_matches(" ", literal=True).to_numpy().astype(np.int64) + 1
    order = np.lexsort((right, left))
    load = np.cumsum(n_words[left[order]] + n_words[right[order]])
    cuts = np.flatnonzero(np.diff(load // _BLOCK_WORDS)) + 1
    parts = []
    for block in np.split(order, cuts):
        rows, local = np.unique(np.r_[left[block], right[block]], return_inverse=True)
        first, second = local[: len(block)], local[len(block) :]
        parts.append(_aligned(hashed(texts.gather(rows)), n_head[rows], first, second))
    back = np.argsort(order)
    return Alignment(
        *(np.concatenate([getattr(part, f.name) for part in parts])[back] for f in fields(Alignment))
    )


def _aligned(words: Words, n_head: Ints, left: Ints, right: Ints) -> Alignment:
    bigrams = _positions(words, size=2)
    found = _shared(bigrams, left, right)
    is_tie = _is_tie(*found)
    n_bigrams = np.diff(bigrams.indptr)
    body_shared, n_body, starts_at = _contained(words.n, n_head, (left, right), found, is_tie)
    n_swaps, n_renamed, is_turned, is_head_changed = _swaps(
        words, n_head, (left, right), (found[0][is_tie], found[1][is_tie], found[2][is_tie])
    )
    is_added, same_turns = _added(words, left, right)
    return Alignment(
        shared=np.bincount(found[0], minlength=len(left)),
        n_left=n_bigrams[left],
        n_right=n_bigrams[right],
        body_shared=body_shared,
        n_body=n_body,
        starts_at=starts_at,
        n_swaps=n_swaps,
        n_renamed=n_renamed,
        is_turned=is_turned,
        is_head_changed=is_head_changed,
        is_added=is_added,
        same_turns=same_turns,
    )


def _contained(
    n: Ints, n_head: Ints, pairs: tuple[Ints, Ints], found: tuple[Ints, Ints, Ints], is_tie: Flags
) -> tuple[Ints, Ints, Ints]:
    """How much of the shorter text's body the longer one has, and how far into its own body."""
    left, right = pairs
    pair, at_left, at_right = found
    is_left = n[left] <= n[right]
    shorter, longer = np.where(is_left, left, right), np.where(is_left, right, left)
    in_shorter = np.where(is_left[pair], at_left, at_right) >= n_head[shorter][pair]
    body_shared = np.bincount(pair[in_shorter], minlength=len(left))
    depth = np.where(is_left[pair], at_right, at_left) - n_head[longer][pair]
    starts_at = np.full(len(left), np.iinfo(np.int64).max)
    is_begun = is_tie & (depth >= 0) & in_shorter
    np.minimum.at(starts_at, pair[is_begun], depth[is_begun])
    return body_shared, np.maximum(n[shorter] - n_head[shorter] - 1, 0), starts_at


def _added(words: Words, left: Ints, right: Ints) -> tuple[Flags, Flags]:
    """Whether one text has all words of the other, and whether both turn alike; False for long pairs."""
    is_added, same_turns = np.zeros(len(left), dtype=np.bool_), np.zeros(len(left), dtype=np.bool_)
    # Twice the words: a character of a script without spaces is half a word.
    short = np.flatnonzero(np.minimum(words.n[left], words.n[right]) < 2 * SHORT_WORDS)
    rows, local = np.unique(np.r_[left[short], right[short]], return_inverse=True)
    left, right = local[: len(short)], local[len(short) :]
    n = words.n[rows]
    place, starts = _places(words.starts[rows], n), np.r_[0, np.cumsum(n)]
    said = Words(words.codes[place], starts, words.initials[place])
    singles = _positions(said, size=1)
    n_singles = np.diff(singles.indptr)
    n_same = np.bincount(_shared(singles, left, right)[0], minlength=len(short))
    is_added[short] = n_same == np.minimum(n_singles[left], n_singles[right])
    turns = _sums(_turns(said.codes, said.initials), starts[:-1], n)
    same_turns[short] = turns[left] == turns[right]
    return is_added, same_turns


def _positions(words: Words, *, size: int) -> Any:
    """A sparse row per text, a column per run of words, its value one more than where it stands.

    The second time a run stands in a text it has another column than the first time.
    """
    n = words.n
    row = np.repeat(np.arange(len(n)), n)
    at = np.arange(len(row)) - words.starts[row]
    hashes = words.codes if size == 1 else np.r_[runs(words.codes, doublings=1), words.codes[:1]]
    whole = at < (n - (size - 1))[row]
    # Row, hash and place in one number, sorted at once. Enough of the hash is left that of two texts
    # of 300 words, one pair in a hundred thousand shares a bigram by chance.
    at_bits = int(n.max(initial=1)).bit_length()
    hash_bits = min(63 - max(at_bits, _TIMES_BITS) - len(n).bit_length(), 62 - _TIMES_BITS)
    hashes = hashes[whole] >> np.uint64(64 - hash_bits)
    key = (row[whole].astype(np.uint64) << np.uint64(hash_bits)) | hashes
    packed = np.sort((key << np.uint64(at_bits)) | at[whole].astype(np.uint64))
    key, place = packed >> np.uint64(at_bits), (packed & np.uint64((1 << at_bits) - 1)).astype(np.int64) + 1
    index = np.arange(len(key))
    is_first = np.r_[np.ones(min(1, len(key)), dtype=np.bool_), key[1:] != key[:-1]]
    times = index - np.maximum.accumulate(np.where(is_first, index, 0))
    kept = times < 1 << _TIMES_BITS
    columns = (((key & np.uint64((1 << hash_bits) - 1)).astype(np.int64) << _TIMES_BITS) | times)[kept]
    starts = np.searchsorted((key >> np.uint64(hash_bits))[kept].astype(np.int64), np.arange(len(n) + 1))
    matrix = sparse.csr_matrix((place[kept], columns, starts), shape=(len(n), 1 << (hash_bits + _TIMES_BITS)))
    matrix.has_canonical_format = True
    return matrix


def _shared(matrix: Any, left: Ints, right: Ints) -> tuple[Ints, Ints, Ints]:
    """What each pair shares: the number of the pair, and where it stands in either."""
    ones = matrix.copy()
    ones.data[:] = 1
    places = matrix[left].multiply(ones[right]).tocsr(), ones[left].multiply(matrix[right]).tocsr()
    pair = np.repeat(np.arange(len(left)), np.diff(places[0].indptr))
    at_left, at_right = (found.data.astype(np.int64) - 1 for found in places)
    order = np.argsort(pair * (at_left.max(initial=0) + 1) + at_left)
    return pair[order], at_left[order], at_right[order]


def _is_tie(pair: Ints, at_left: Ints, at_right: Ints) -> Flags:
    """Whether the next or the last shared bigram follows on directly, in both texts."""
    if not len(pair):
        return np.empty(0, dtype=np.bool_)
    follows = (np.diff(pair) == 0) & (np.diff(at_left) == 1) & (np.diff(at_right) == 1)
    return np.asarray(np.r_[follows, False] | np.r_[False, follows])


def _swaps(
    words: Words, n_head: Ints, pairs: tuple[Ints, Ints], ties: tuple[Ints, Ints, Ints]
) -> tuple[Ints, Ints, Flags, Flags]:
    """Of each pair: swaps, swapped names and turns outside of the head, and turns in it."""
    n_pairs = len(pairs[0])
    every = np.arange(n_pairs)
    pair = np.r_[every, ties[0], every]
    # Both texts are tied where they begin and where they end.
    order = np.argsort(pair, kind="stable")
    pair = pair[order]
    is_open = np.diff(pair) == 0
    of = pair[1:][is_open]
    begin, n, in_head, forward = [], [], np.zeros(len(of), dtype=np.bool_), np.ones(len(of), dtype=np.bool_)
    for rows, at in zip(pairs, ties[1:], strict=True):
        place = np.r_[np.full(n_pairs, -2), at, words.n[rows]][order]
        start, stop = place[:-1][is_open] + 2, place[1:][is_open]
        forward &= stop >= start - 1
        in_head |= start < n_head[rows][of]
        begin.append(words.starts[rows][of] + start)
        n.append(np.maximum(stop - start, 0))
    is_gap = forward & (np.maximum(*n) > 0) & (np.maximum(*n) <= LONGEST_SWAP)
    begin, n, of, in_head = [b[is_gap] for b in begin], [k[is_gap] for k in n], of[is_gap], in_head[is_gap]
    said, numbers, names, denials = (
        [_filled(words, begin[side], n[side], what) for side in (0, 1)]
        for what in (_all, _numbers, _names, _denials)
    )
    is_swap = (n[0] > 0) & (n[1] > 0) & (said[0] != said[1])
    is_turned = (is_swap & (numbers[0] != numbers[1]) & (numbers[0] > 0) & (numbers[1] > 0)) | (
        denials[0] != denials[1]
    )
    is_renamed = is_swap & (names[0] != names[1]) & (names[0] > 0) & (names[1] > 0)
    # In A Headline Like This every word looks like a name.
    is_loud = _is_loud(words, n_head)
    is_named = is_renamed & ~is_loud[pairs[0][of]] & ~is_loud[pairs[1][of]]
    n_swaps, n_renamed, n_turns, n_head_changes = (
        np.bincount(of[where], minlength=n_pairs)
        for where in (
            is_swap & ~in_head,
            is_renamed & ~in_head,
            is_turned & ~in_head,
            (is_turned | is_named) & in_head,
        )
    )
    return n_swaps, n_renamed, n_turns > 0, n_head_changes > 0


def _is_loud(words: Words, n_head: Ints) -> Flags:
    """Whether more than three in four words of a text's head begin with a capital."""
    capital = (_names(words.codes, words.initials) > 0).astype(np.uint64)
    return np.asarray(_sums(capital, words.starts[:-1], n_head).astype(np.int64) * 4 > n_head * 3)


def _filled(words: Words, begin: Ints, n: Ints, what: Any) -> Hashes:
    """The sum of what the words of each gap count for."""
    place = _places(begin, n)
    return _sums(what(words.codes[place], words.initials[place]), np.cumsum(n) - n, n)


def _places(begin: Ints, n: Ints) -> Ints:
    """Where the words of each run stand, one run after the other."""
    ends = np.cumsum(n)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(begin - ends + n, n)


def _sums(values: Hashes, begin: Ints, n: Ints) -> Hashes:
    total = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(values, dtype=np.uint64)])
    return np.asarray(total[begin + n] - total[begin])


def _all(codes: Hashes, initials: npt.NDArray[np.uint8]) -> Hashes:
    return codes


def _numbers(codes: Hashes, initials: npt.NDArray[np.uint8]) -> Hashes:
    """Numbers count for their hash, also where they are written out; other words for nothing."""
    words, digits = _number_codes()
    place = np.minimum(np.searchsorted(words, codes), len(words) - 1)
    is_digit = (initials >= ord("0")) & (initials <= ord("9"))
    return np.where(words[place] == codes, digits[place], np.where(is_digit, codes, np.uint64(0)))


def _names(codes: Hashes, initials: npt.NDArray[np.uint8]) -> Hashes:
    return np.where((initials >= ord("A")) & (initials <= ord("Z")), codes, np.uint64(0))


def _denials(codes: Hashes, initials: npt.NDArray[np.uint8]) -> Hashes:
    known = _denial_codes()
    place = np.minimum(np.searchsorted(known, codes), len(known) - 1)
    return np.where(known[place] == codes, codes, np.uint64(0))


def _turns(codes: Hashes, initials: npt.NDArray[np.uint8]) -> Hashes:
    return np.asarray(mixed(_numbers(codes, initials)) + _denials(codes, initials))


@cache
def _number_codes() -> tuple[Hashes, Hashes]:
    words = hashed(pl.Series(_NUMBERS)).codes
    digits = hashed(pl.Series([str(k) for k in range(len(_NUMBERS))])).codes
    order = np.argsort(words)
    return words[order], digits[order]


@cache
def _denial_codes() -> Hashes:
    return np.sort(hashed(pl.Series(_NEGATIONS)).codes)
