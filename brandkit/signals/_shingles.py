"""Sets of words and word bigrams as sparse rows, and MinHash bands that say which rows to compare.

Hashes are made from the text by a fixed function, never from what else is in the frame, so that
the same two texts meet in the same band on every day and with every version.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from brandkit.signals._text import exploded

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

_BANDS, _ROWS = 16, 4
_BLOCK = 100_000
_ODD = np.uint64(0x9E3779B97F4A7C15)
_PERMUTATIONS = np.random.Generator(np.random.PCG64(20261123)).integers(
    1, 2**63, size=(_BANDS * _ROWS, 2), dtype=np.uint64
) | np.uint64(1)


def shingles(texts: pl.DataFrame, *, size: int, n_rows: int) -> tuple[Any, Hashes]:
    """One sparse row of ones per text, a column per distinct run of ``size`` words, and their hashes.

    Shape: takes ``row`` (0 up to n_rows - 1, each once) and ``text``, folded.
    """
    words = exploded(texts.sort("row"))
    vocabulary = words["word"].unique().sort()
    hashes = np.array([_hash(word) for word in vocabulary], dtype=np.uint64)
    codes = words.join(
        pl.DataFrame({"word": vocabulary, "code": np.arange(len(vocabulary))}),
        on="word",
        maintain_order="left",
    )
    row, code = codes["row"].to_numpy().astype(np.int64), hashes[codes["code"].to_numpy()]
    if size == 2:
        whole = row[1:] == row[:-1]
        row, code = row[1:][whole], _mixed(code[:-1] * _ODD + code[1:])[whole]
    kinds, columns = np.unique(code, return_inverse=True)
    matrix = sparse.csr_matrix((np.ones(len(row)), (row, columns)), shape=(n_rows, len(kinds)))
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix, kinds


def _hash(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")


def _mixed(values: Hashes) -> Hashes:
    mixed = (values ^ (values >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(29)
    return mixed


def alike_candidates(matrix: Any, hashes: Hashes) -> tuple[Ints, Ints]:
    """Pairs of rows (earlier, later) that share a MinHash band, linear in the number of rows.

    A bucket's rows meet its first row and the row before them, never each other: what all of a
    bucket's rows have in common, they have in common with its head.
    """
    filled = np.flatnonzero(np.diff(matrix.indptr))
    earlier, later = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    if len(filled):
        signatures = _signatures(hashes[matrix.indices], matrix.indptr[filled])
        for band in range(_BANDS):
            key = np.zeros(len(filled), dtype=np.uint64)
            for part in signatures[band * _ROWS : (band + 1) * _ROWS]:
                key = _mixed(key * _ODD + part)
            for first, second in _bucket_pairs(key):
                earlier.append(filled[first])
                later.append(filled[second])
    pairs = np.unique(np.stack([np.concatenate(earlier), np.concatenate(later)]), axis=1)
    return pairs[0], pairs[1]


def _signatures(hashes: Hashes, starts: Ints) -> Hashes:
    signatures = np.empty((len(_PERMUTATIONS), len(starts)), dtype=np.uint64)
    for k, (factor, offset) in enumerate(_PERMUTATIONS):
        # The high bits of a product are the well mixed ones.
        signatures[k] = np.minimum.reduceat((hashes * factor + offset) >> np.uint64(32), starts)
    return signatures


def _bucket_pairs(key: Hashes) -> list[tuple[Ints, Ints]]:
    order = np.lexsort((np.arange(len(key)), key))
    is_head = np.r_[True, key[order][1:] != key[order][:-1]]
    position = np.arange(len(key))
    head = np.maximum.accumulate(np.where(is_head, position, 0))
    member = position[~is_head]
    return [(order[head[member]], order[member]), (order[member - 1], order[member])]


def overlap(matrix: Any, left: Ints, right: Ints) -> Ints:
    """How many columns each pair of rows has in common; in blocks, so that memory stays bounded."""
    blocks = [
        matrix[left[at : at + _BLOCK]].multiply(matrix[right[at : at + _BLOCK]]).sum(axis=1)
        for at in range(0, len(left), _BLOCK)
    ]
    return np.concatenate([np.asarray(block).ravel() for block in blocks] or [np.empty(0)]).astype(np.int64)


def sizes(matrix: Any) -> Ints:
    """How many columns each row has."""
    n: Ints = np.diff(matrix.indptr).astype(np.int64)
    return n
