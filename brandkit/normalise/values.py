"""Counts and lists as a source gives them, made whole numbers and lists of text."""

from __future__ import annotations

import json

import polars as pl

from brandkit.normalise.columns import as_text
from brandkit.safe import plain_text, plain_text_expr

# More than this was never counted; it also keeps sums of counts far from the end of Int64.
LARGEST_COUNT = 10**12
LIST_SEPARATOR = "|"
NAMES = pl.List(pl.String)

_LINK = r"^(?i:https?)://[^\s/?#@\\<>\"]+(?:[/?#][^\s\\<>\"]*)?$"


def count(name: str, dtype: pl.DataType) -> pl.Expr:
    """The column as whole numbers from 0; null for anything else: negative, broken, not a number."""
    column = pl.col(name)
    if dtype == pl.String:
        text = as_text(name, dtype)
        # Spreadsheets and pandas write 12 as 12.0 when a neighbour is missing.
        number = pl.coalesce(text.cast(pl.Int64, strict=False), _whole(text.cast(pl.Float64, strict=False)))
    elif dtype.is_float() or dtype.is_decimal():
        number = _whole(column.cast(pl.Float64, strict=False))
    elif dtype.is_integer():
        number = column.cast(pl.Int64, strict=False)
    else:
        number = pl.lit(None, dtype=pl.Int64)
    return pl.when(number.is_between(0, LARGEST_COUNT)).then(number)


def _whole(number: pl.Expr) -> pl.Expr:
    return pl.when(number == number.floor()).then(number).cast(pl.Int64, strict=False)


def names(name: str, dtype: pl.DataType) -> pl.Expr:
    """The column as lists of plain text, without blanks and repeats; null is the empty list."""
    column = pl.col(name)
    if dtype == pl.String:
        lists = column.map_batches(split_lists, return_dtype=NAMES, is_elementwise=True)
    elif isinstance(dtype, pl.List) and not _is_nested(dtype):
        lists = column.cast(NAMES, strict=False)
    else:
        lists = pl.lit(None, dtype=NAMES)
    text = plain_text_expr(pl.element())
    tidy = lists.list.eval(text.filter(text != "")).list.drop_nulls().list.unique(maintain_order=True)
    return tidy.fill_null(pl.lit([], dtype=NAMES))


def _is_nested(dtype: pl.List) -> bool:
    return isinstance(dtype.inner, pl.DataType) and dtype.inner.is_nested()


def links(lists: pl.Expr) -> pl.Expr:
    """The lists with only what is an http or https address."""
    return lists.list.eval(pl.element().filter(pl.element().str.contains(_LINK)))


def split_lists(values: pl.Series, *, separator: str = LIST_SEPARATOR) -> pl.Series:
    """Lists from text: a JSON array, or parts between separators."""
    split = values.str.strip_chars().str.split(separator)
    is_json = values.str.contains(r"^\s*\[").fill_null(value=False)
    if not is_json.any():
        return split
    read = [
        _array(text) if flag else None for text, flag in zip(values.to_list(), is_json.to_list(), strict=True)
    ]
    return pl.Series(values.name, read, dtype=NAMES).zip_with(is_json, split)


def _array(text: str) -> list[str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return [text]
    # JSON can spell half a character, which has no UTF-8.
    return [plain_text(str(value)) for value in found if isinstance(value, str | int | float)]
