"""Sparse rows, compared pair by pair."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

BLOCK = 50_000


def row_products(rows: Any, left: Ints, right: Ints) -> Floats:
    """The product of each pair of rows; in blocks, so that memory stays bounded."""
    blocks = [
        np.asarray(rows[left[at : at + BLOCK]].multiply(rows[right[at : at + BLOCK]]).sum(axis=1)).ravel()
        for at in range(0, len(left), BLOCK)
    ]
    return np.concatenate(blocks or [np.empty(0)])
