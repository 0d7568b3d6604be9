"""Texts as sparse TF-IDF rows: what stories are compared by."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from scipy import sparse

from brandkit.signals._text import exploded, stop_words

# A report says what it is about early; the tail of a long one would only cost memory.
_MOST_WORDS = 1_000


def tfidf(texts: pl.DataFrame, n_rows: int) -> Any:
    """One unit-length row per text: words and word pairs without stop words, sublinear, rare ones heavier.

    Shape: takes ``row`` (0 up to n_rows - 1) and ``text``, folded; a row without words is all zero.
    """
    words = exploded(texts.sort("row")).join(stop_words(), on="word", how="anti", maintain_order="left")
    words = words.filter(pl.int_range(pl.len()).over("row") < _MOST_WORDS)
    pairs = words.select(
        pl.col("row"),
        term=pl.when(pl.col("row") == pl.col("row").shift(-1)).then(
            pl.concat_str("word", pl.col("word").shift(-1), separator=" ")
        ),
    ).drop_nulls()
    counts = (
        pl.concat([words.rename({"word": "term"}), pairs])
        .group_by("row", "term")
        .len("n")
        .with_columns(column=pl.col("term").rank("dense") - 1, df=pl.len().over("term"))
        # Sums of floats depend on their order; this fixes it.
        .sort("row", "column")
    )
    weights = counts.select(
        (1 + pl.col("n").log()) * (((1 + n_rows) / (1 + pl.col("df"))).log() + 1)
    ).to_series()
    shape = (n_rows, counts["column"].n_unique())
    rows, columns = counts["row"].to_numpy().astype(np.int64), counts["column"].to_numpy().astype(np.int64)
    return unit_rows(sparse.csr_matrix((weights.to_numpy(), (rows, columns)), shape=shape))


def unit_rows(matrix: Any) -> Any:
    """The rows scaled to length one; a zero row stays zero."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1.0
    return (sparse.diags(1.0 / lengths) @ matrix).tocsr()
