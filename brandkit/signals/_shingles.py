"""Sets as sparse rows, compared pair by pair."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

_BLOCK = 100_000


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
