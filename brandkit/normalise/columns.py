"""What a source may give: the names of raw columns, and how a column of any dtype is read as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

TEXTS = ("native_id", "item_type", "source", "account", "author", "language", "title", "summary")
LINKS = ("url", "target_url")
TIMES = ("published_at", "collected_at", "observed_at")
COUNTS = ("reactions", "comments", "shares", "views", "followers")
LISTS = ("claims", "evidence", "risk_flags")
RAW_COLUMNS = (
    "native_id", "item_type", "source", "url", "target_url", "account", "author", "language", "title",
    "summary", "published_at", "collected_at", "observed_at", *COUNTS, *LISTS,
)  # fmt: skip
# Where a row came from, and what its source already knows to be wrong with it.
LOCATORS: Mapping[str, pl.DataType] = {
    "raw_file": pl.String(),
    "raw_row": pl.Int64(),
    "raw_error": pl.String(),
    "raw_text": pl.String(),
}

# Whole numbers up to here survive a stay in a Float64.
_EXACT = 2**53


def as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """The column as stripped text; blank is null, and so is what has no text (a list, a struct)."""
    column = pl.col(name)
    if dtype.is_nested() or dtype == pl.Object:
        return pl.lit(None, dtype=pl.String)
    if dtype.is_float():
        # pandas turns whole ids into floats as soon as one is missing.
        whole = (column == column.floor()) & (column.abs() < _EXACT)
        column = (
            pl.when(whole)
            .then(column.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(column.cast(pl.String))
        )
    elif dtype.is_temporal() and not isinstance(dtype, pl.Duration):
        column = column.dt.to_string("iso:strict")
    text = column.cast(pl.String, strict=False).str.strip_chars()
    return pl.when(text != "").then(text)


def was_given(name: str, dtype: pl.DataType) -> pl.Expr:
    """True where the source gave something; blank text is nothing."""
    column = pl.col(name)
    if dtype == pl.String:
        return column.is_not_null() & (column.str.strip_chars() != "")
    return column.is_not_null()


def patched(values: pl.Series, odd: str, fix: Callable[[str], str | None]) -> pl.Series:
    """The series with the values that match ``odd`` put through ``fix``, once for each distinct value.

    For what no expression can do (international host names, HTML entities) and few rows need.
    """
    return replaced(values, odd, lambda rare: _one_by_one(rare, fix))


def _one_by_one(rare: pl.Series, fix: Callable[[str], str | None]) -> pl.Series:
    texts = rare.to_list()
    fixed = {text: fix(text) for text in set(texts)}
    return pl.Series([fixed[text] for text in texts], dtype=pl.String)


def replaced(values: pl.Series, odd: str, work: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """The series with the values that match ``odd`` replaced by what ``work`` makes of them."""
    rows = values.str.contains(odd).arg_true()
    if rows.is_empty():
        return values
    # One gather: a join on the texts costs ten times as much when every one is different.
    place = np.arange(len(values))
    place[rows.to_numpy()] = np.arange(len(values), len(values) + len(rows))
    return pl.concat([values, work(values.gather(rows)).alias(values.name)]).gather(place)
