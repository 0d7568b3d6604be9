"""Which pairs of texts to compare: few, whatever the frame holds, and hardly ever the wrong few.

Two nets. A text of some length leaves *anchors*: runs of four words chosen by their own hash, one
in four, so that a paragraph chooses the same ones wherever it stands. Short texts have too few runs
and share too much by chance; they meet in *bands*: MinHash over their word bigrams.

In either net a bucket's rows meet its first row and the row before them, never each other: what
all of a bucket's rows have in common, they have in common with its head. So the pairs are linear
in the rows, also where one text comes a hundred thousand times with one word changed.

Source: Broder 1997 (MinHash); Manber 1994 (anchors chosen by their hash).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from brandkit.signals._copy_words import Hashes, Ints, Words, in_blocks, mixed, runs
from brandkit.signals._pairwise import row_products

# A pair at Jaccard .6 shares at least one of 32 bands of 3 with probability .9996, at .5 with .986.
BANDS, ROWS = 32, 3
ANCHORED_ONE_IN = 4
# Texts that repeat each other share most anchors; what shares a stock phrase shares one or two.
LEAST_ANCHORS_SHARED = 0.25

_CHOSEN_BELOW = np.uint64((1 << 64) // ANCHORED_ONE_IN)
_PERMUTATIONS = np.random.Generator(np.random.PCG64(20261123)).integers(
    1, 2**32, size=(256, 2), dtype=np.uint32
) | np.uint32(1)

Pairs = tuple[Ints, Ints]
Parts = npt.NDArray[np.uint32]


def banded(texts: pl.Series, *, bands: int = BANDS, rows: int = ROWS) -> Pairs:
    """Pairs of texts (earlier, later) that share a MinHash band; a text of one word is in none."""
    signed = [_signed(at, words, bands * rows) for at, words in in_blocks(texts)]
    if not signed:
        return _unpacked(np.empty(0, dtype=np.uint64), 1)
    row = np.concatenate([filled for filled, _ in signed])
    parts = np.concatenate([parts for _, parts in signed], axis=1)
    n_bits = len(texts).bit_length()
    found = []
    for band in range(bands):
        key = np.zeros(len(row), dtype=np.uint64)
        for part in parts[band * rows : (band + 1) * rows]:
            key = mixed((key << np.uint64(32)) ^ (key >> np.uint64(32)) ^ part)
        found.append(_met(np.sort(_packed(key, row, n_bits)), n_bits))
    return _unpacked(_distinct(np.concatenate(found)), n_bits)


def anchored(texts: pl.Series) -> Pairs:
    """Pairs of texts (earlier, later) that share a good part of their anchors."""
    n_bits = max(1, len(texts).bit_length())
    kept = [_packed(*_anchors(at, words), n_bits) for at, words in in_blocks(texts)]
    packed = _distinct(np.concatenate([np.empty(0, dtype=np.uint64), *kept]))
    del kept
    row = (packed & np.uint64((1 << n_bits) - 1)).astype(np.int64)
    n_anchors = np.bincount(row, minlength=len(texts))
    left, right = _unpacked(_met(packed, n_bits), n_bits)
    # An anchor of one text says nothing of two.
    is_first = _is_first(packed >> np.uint64(n_bits))
    is_shared = ~is_first | np.r_[~is_first[1:], False]
    row, column = row[is_shared], np.cumsum(is_first)[is_shared]
    matrix = sparse.csr_matrix(
        (np.ones(len(row), dtype=np.float32), (row, column)), shape=(len(texts), len(packed) + 1)
    )
    matrix.data[:] = 1
    least = LEAST_ANCHORS_SHARED * np.minimum(n_anchors[left], n_anchors[right])
    enough = row_products(matrix, left, right) >= least
    return left[enough], right[enough]


def _anchors(at: int, words: Words) -> tuple[Hashes, Ints]:
    n = words.n
    if len(words.codes) < 4:
        return np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
    hashes = runs(words.codes, doublings=2)
    row = np.repeat(np.arange(len(n)), n)
    whole = row[3:] == row[:-3]
    chosen = whole & (hashes < _CHOSEN_BELOW)
    # What chose them is gone from their high bits.
    return mixed(hashes[chosen]), at + row[:-3][chosen]


def _signed(at: int, words: Words, n_parts: int) -> tuple[Ints, Parts]:
    n = words.n
    filled = np.flatnonzero(n >= 2)
    if not len(filled):
        return filled, np.empty((n_parts, 0), dtype=np.uint32)
    row = np.repeat(np.arange(len(n)), n)
    hashes = (runs(words.codes, doublings=1) >> np.uint64(32)).astype(np.uint32)[row[1:] == row[:-1]]
    starts = np.r_[0, np.cumsum(n[filled] - 1)[:-1]]
    parts = np.empty((n_parts, len(filled)), dtype=np.uint32)
    for k, (factor, offset) in enumerate(_PERMUTATIONS[:n_parts]):
        parts[k] = np.minimum.reduceat(hashes * factor + offset, starts)
    return at + filled, parts


def _packed(key: Hashes, row: Ints, n_bits: int) -> Hashes:
    """Hash above, row below in one number: sorted, it is grouped by hash and in order within."""
    shift = np.uint64(n_bits)
    return ((key >> shift) << shift) | row.astype(np.uint64)


def _met(packed: Hashes, n_bits: int) -> Hashes:
    """Packed pairs of each bucket's rows with its first row and with the row before them.

    Shape: takes ``packed`` sorted.
    """
    is_first = _is_first(packed >> np.uint64(n_bits))
    row = packed & np.uint64((1 << n_bits) - 1)
    position = np.arange(len(row))
    head = np.maximum.accumulate(np.where(is_first, position, 0))
    member = position[~is_first]
    earlier = np.concatenate([row[head[member]], row[member - 1]])
    later = np.concatenate([row[member], row[member]])
    apart = earlier != later
    return _distinct((earlier[apart] << np.uint64(n_bits)) | later[apart])


def _distinct(packed: Hashes) -> Hashes:
    # Sorting numbers takes a tenth of the time of np.unique, which hashes them.
    packed.sort()
    return packed[_is_first(packed)]


def _is_first(key: Hashes) -> npt.NDArray[np.bool_]:
    first: npt.NDArray[np.bool_] = np.r_[np.ones(min(1, len(key)), dtype=np.bool_), key[1:] != key[:-1]]
    return first


def _unpacked(pairs: Hashes, n_bits: int) -> Pairs:
    low = np.uint64((1 << n_bits) - 1)
    return (pairs >> np.uint64(n_bits)).astype(np.int64), (pairs & low).astype(np.int64)
