"""Words of folded texts as numbers: hashed from their bytes, the same on every day and machine.

The hash is a fixed function of the word alone, so that the same two texts meet whatever else is in
the frame and with every version of the libraries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

# A block's arrays of eight bytes a letter should stay within the processor's reach.
_BLOCK_BYTES = 1 << 20
_ODD = np.uint64(0x9E3779B97F4A7C15)
_FIRST_BEYOND_ASCII = 128
_IS_LETTER = np.array([byte >= _FIRST_BEYOND_ASCII or chr(byte).isalnum() for byte in range(256)])
_LETTERS = np.random.Generator(np.random.PCG64(20261123)).integers(1, 2**64, size=256, dtype=np.uint64)
_LETTERS[ord("A") : ord("Z") + 1] = _LETTERS[ord("a") : ord("z") + 1]
_LETTERS[~_IS_LETTER] = 0
_STEP = 0xD1342543DE82EF95
_STEP_BACK = pow(_STEP, -1, 2**64)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of some texts, one after the other; text k has those from starts[k] to starts[k + 1].

    Case makes no difference to the codes; ``initials``, the first byte of each word, shows it.
    """

    codes: Hashes
    starts: Ints
    initials: npt.NDArray[np.uint8]

    @property
    def n(self) -> Ints:
        """How many words each text has."""
        return np.diff(self.starts)


def hashed(texts: pl.Series) -> Words:
    """The words of texts: runs of ASCII letters, digits and whatever is not ASCII."""
    blocks = list(in_blocks(texts))
    counts = np.concatenate([np.zeros(1, dtype=np.int64), *(words.n for _, words in blocks)])
    codes = np.concatenate([np.empty(0, dtype=np.uint64), *(words.codes for _, words in blocks)])
    initials = np.concatenate([np.empty(0, dtype=np.uint8), *(words.initials for _, words in blocks)])
    return Words(codes, np.cumsum(counts), initials)


def in_blocks(texts: pl.Series) -> Iterator[tuple[int, Words]]:
    """The words of texts, a bounded number of texts at a time, with the number of the first."""
    ends = texts.str.len_bytes().fill_null(0).cum_sum().to_numpy().astype(np.int64)
    at = 0
    while at < len(texts):
        done = ends[at - 1] if at else 0
        stop = max(at + 1, int(np.searchsorted(ends, done + _BLOCK_BYTES, side="right")))
        yield at, _block(texts[at:stop])
        at = stop


def mixed(values: Hashes) -> Hashes:
    """The numbers scrambled, so that their high bits depend on all of them."""
    out = values ^ (values >> np.uint64(31))
    out *= np.uint64(0xBF58476D1CE4E5B9)
    out ^= out >> np.uint64(29)
    out *= np.uint64(0x94D049BB133111EB)
    out ^= out >> np.uint64(32)
    return out


def runs(codes: Hashes, *, doublings: int) -> Hashes:
    """Hashes of every run of 2 (one doubling) or 4 (two) words, by the run's first word."""
    for k in range(doublings):
        step = 1 << k
        codes = mixed(codes[:-step] * _ODD + codes[step:])
    return codes


def _block(texts: pl.Series) -> Words:
    cased = texts.fill_null("")
    letters, first = _first_letters(cased)
    initials = letters[first]
    size = cased.str.len_bytes().to_numpy().astype(np.int64)
    starts: Ints = np.asarray(np.searchsorted(first, np.r_[0, np.cumsum(size + 1)]), dtype=np.int64)
    if len(letters) and letters.max() >= _FIRST_BEYOND_ASCII:
        letters, first = _first_letters(cased.str.to_lowercase())
    if not len(first):
        return Words(np.empty(0, dtype=np.uint64), starts, initials)
    forth, back = _powers(1 << len(letters).bit_length())
    weighed = _LETTERS[letters]
    weighed *= forth[: len(letters)]
    codes = np.add.reduceat(weighed, first)
    codes *= back[first]
    return Words(mixed(codes), starts, initials)


def _first_letters(texts: pl.Series) -> tuple[npt.NDArray[np.uint8], Ints]:
    """The bytes of the texts, a space after each, and where in them words begin."""
    letters = np.frombuffer(texts.str.join(" ").item().encode(), dtype=np.uint8)
    is_letter = _IS_LETTER[letters]
    is_first = is_letter.copy()
    is_first[1:] &= ~is_letter[:-1]
    return letters, np.flatnonzero(is_first)


@lru_cache(maxsize=2)
def _powers(n: int) -> tuple[Hashes, Hashes]:
    return _power(_STEP, n), _power(_STEP_BACK, n)


def _power(step: int, n: int) -> Hashes:
    powers = np.full(n, step, dtype=np.uint64)
    powers[:1] = 1
    return np.multiply.accumulate(powers)
