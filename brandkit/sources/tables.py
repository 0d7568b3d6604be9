"""Tables in memory as Polars frames: Polars itself, pandas, Arrow, and rows as dicts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl

from brandkit.errors import InputError


def is_table(source: object) -> bool:
    """True for a Polars, pandas or Arrow table."""
    return isinstance(source, pl.DataFrame | pl.LazyFrame) or _family(source) in ("pandas", "pyarrow")


def _family(source: object) -> str:
    return type(source).__module__.split(".")[0]


def to_polars(source: Any) -> pl.LazyFrame:
    """The table as a LazyFrame with raw_row; a LazyFrame stays lazy.

    Raises: InputError for an object that is no table, such as a pandas Series, or a plan that fails.
    """
    if isinstance(source, pl.DataFrame | pl.LazyFrame):
        table = source.lazy()
    elif hasattr(source, "columns") and _family(source) == "pandas":
        table = _from_pandas(source).lazy()
    elif hasattr(source, "schema") and _family(source) == "pyarrow":
        table = pl.DataFrame(pl.from_arrow(source)).lazy()
    else:
        raise InputError(
            f"cannot read items from a {type(source).__name__}", hint="give a table: rows and named columns"
        )
    try:
        there = table.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        what = " ".join(str(error).split())[:200]
        raise InputError(f"cannot read the table: {what}", hint="does what it scans exist?") from None
    objects = [name for name, dtype in there.items() if dtype == pl.Object]
    if objects:
        # Python objects of any kind: only Python can read them.
        frame = table.collect()
        table = frame.with_columns(column(name, frame[name].to_list()) for name in objects).lazy()
    if "raw_row" in there or not there:
        return table
    return table.with_row_index("raw_row", offset=1).with_columns(pl.col("raw_row").cast(pl.Int64))


def _from_pandas(frame: Any) -> pl.DataFrame:
    names = [str(name) for name in frame.columns]
    if len(set(names)) != len(names):
        raise InputError(
            "two columns of the pandas table have one name", allowed=f"there are: {', '.join(names)}"
        )
    columns = []
    for position, name in enumerate(names):
        values = frame.iloc[:, position]
        try:
            columns.append(pl.Series(name, pl.from_pandas(values)))
        except (TypeError, ValueError, NotImplementedError, pl.exceptions.PolarsError):
            # pyarrow's own errors are kinds of these.
            columns.append(column(name, values.tolist()))
    return pl.DataFrame(columns)


def from_rows(rows: Sequence[Any]) -> pl.LazyFrame:
    """Rows given as dicts, with raw_row; an entry that is no dict is an unreadable row."""
    names = list(dict.fromkeys(str(name) for row in rows if isinstance(row, Mapping) for name in row))
    if not rows:
        return pl.LazyFrame()
    cells = {name: [row.get(name) if isinstance(row, Mapping) else None for row in rows] for name in names}
    errors = [
        None if isinstance(row, Mapping) else f"unreadable: no object but a {type(row).__name__}"
        for row in rows
    ]
    texts = [None if isinstance(row, Mapping) else str(row)[:4_000] for row in rows]
    return pl.LazyFrame(
        [
            *(column(name, values) for name, values in cells.items()),
            pl.Series("raw_row", range(1, len(rows) + 1), dtype=pl.Int64),
            pl.Series("raw_error", errors, dtype=pl.String),
            pl.Series(
                "raw_text",
                [text and text.encode("utf-8", "replace").decode() for text in texts],
                dtype=pl.String,
            ),
        ]
    )


def column(name: str, values: Sequence[Any]) -> pl.Series:
    """A series from Python values: of their own dtype where they share one, else of text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int} and all(abs(value) < 2**63 for value in values if value is not None):
        return pl.Series(name, values, dtype=pl.Int64)
    if float in kinds and kinds <= {int, float}:
        return pl.Series(
            name, [None if value is None else float(value) for value in values], dtype=pl.Float64
        )
    if kinds <= {list, tuple}:
        lists = [None if value is None else [_text(entry) for entry in value] for value in values]
        return pl.Series(name, lists, dtype=pl.List(pl.String))
    return pl.Series(name, [_text(value) for value in values], dtype=pl.String)


def _text(value: object) -> str | None:
    if value is None or value != value:  # noqa: PLR0124 - only NaN and NaT differ from themselves
        return None
    if isinstance(value, str):
        text = value
    elif isinstance(value, datetime | date):
        text = value.isoformat()
    elif isinstance(value, bytes):
        text = value.decode("utf-8", "replace")
    elif isinstance(value, dict | list | tuple):
        text = json.dumps(value, default=str, ensure_ascii=False)
    else:
        text = str(value)
    # Half a character, which JSON can spell, has no UTF-8.
    return text.encode("utf-8", "ignore").decode("utf-8")
