"""Raw rows from files and tables: CSV, TSV, NDJSON, JSON, Parquet, Arrow, and frames in memory.

A row that cannot be read comes out with its reason in ``raw_error`` and is rejected later; the
others go on. A file that cannot be read at all is an error, and says which and why.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import polars as pl

from brandkit.errors import InputError, near_name
from brandkit.normalise.columns import LISTS, LOCATORS, RAW_COLUMNS
from brandkit.sources.mapping import Mapping as ColumnMapping
from brandkit.sources.mapping import suggested
from brandkit.sources.tables import from_rows, is_table, to_polars
from brandkit.sources.tolerant import read_delimited, read_json_lines, text_of

SUFFIXES = (
    ".csv", ".tsv", ".ndjson", ".jsonl", ".json", ".parquet", ".pq", ".arrow", ".feather", ".ipc",
    ".csv.gz", ".tsv.gz", ".ndjson.gz", ".jsonl.gz", ".json.gz",
)  # fmt: skip

Source = str | Path | Sequence[Any] | Any


def scan_items(
    source: Source,
    *,
    mapping: ColumnMapping | Mapping[str, Any] | str | Path | None = None,
    timezone: str | None = None,
) -> pl.LazyFrame:
    """Raw rows, ready for ``assess``, ``normalise_items`` or a run.

    Shape:  one row per row of the source, in order of file name and row; the raw columns that the
            source has, any dtype, and raw_file, raw_row (from 1), raw_error and raw_text.
    Nulls:  a row that cannot be read has nothing but raw_file, raw_row, raw_error and raw_text.

    Args:
        source: a path, a glob, a folder, or a list of them; a Polars, pandas or Arrow table; a list
            of dicts. Parquet and Arrow files are read lazily, the rest at once.
        mapping: how the table's columns are named: a ``Mapping``, a dict of its shape or a TOML file.
        timezone: the declared zone of times that state none; the same as ``zone`` in a mapping.

    Raises: InputError for what is missing, empty, truncated or no table; MappingError where the
            table and the mapping do not fit.

    >>> row = {"url": "https://a.example/x", "title": "Tram strike", "collected_at": "2026-03-02T07:00Z"}
    >>> scan_items([row]).collect()["title"].to_list()
    ['Tram strike']
    """
    rules = ColumnMapping.of(mapping).with_zone(timezone)
    if is_table(source):
        tables = [("the table", to_polars(source))]
    elif _are_rows(source):
        tables = [("the rows", from_rows(source))]
    else:
        files = found_files(source)
        wanted = tuple(rules.wanted.values())
        tables = [(str(path), _scan(path, wanted)) for path in files]
    rows = [_mapped(rules, table, where) for where, table in tables]
    return _joined(rows)


def _are_rows(source: Source) -> TypeGuard[Sequence[Any]]:
    if isinstance(source, str | Path) or not isinstance(source, Sequence):
        return False
    return not any(isinstance(entry, str | Path) for entry in source)


def _mapped(rules: ColumnMapping, table: pl.LazyFrame, where: str) -> pl.LazyFrame:
    names = table.collect_schema().names()
    if not set(names) - set(LOCATORS):
        # No columns at all is an empty table, and an empty day is no error.
        return table.select(*(name for name in names))
    rows = rules.apply(table, where=where)
    there = rows.collect_schema().names()
    if not {"collected_at", "observed_at"} & set(there):
        raise InputError(
            f"nothing says when the rows of {where} were collected",
            allowed=f"there are: {', '.join(name for name in names if name not in LOCATORS)}",
            hint="map collected_at or observed_at, or say what stands for it: "
            '[time] collected_at = "published_at"',
        )
    if not {"url", "native_id"} & set(there):
        raise InputError(
            f"nothing says which item a row of {where} is: neither url nor native_id is mapped",
            hint=suggested([name for name in names if name not in LOCATORS]),
        )
    return rows


def found_files(source: Source) -> list[Path]:
    """The files meant by a path, a glob, a folder or a list of them, sorted by name.

    Raises: InputError for what is not there, is empty, or is of no known kind.
    """
    if not isinstance(source, str | Path | Sequence):
        raise InputError(
            f"cannot read items from a {type(source).__name__}",
            hint="give paths, one table, or rows as dicts",
        )
    given = [source] if isinstance(source, str | Path) else list(source)
    files = [path for one in given for path in _expanded(one)]
    # One file named twice would double every count.
    unique = {path.resolve(): path for path in files}
    return sorted(unique.values(), key=lambda path: (path.name, str(path)))


def _expanded(given: object) -> list[Path]:
    if not isinstance(given, str | Path):
        raise InputError(
            f"cannot read items from a {type(given).__name__}",
            hint="give paths, or one table, or rows as dicts",
        )
    path = Path(given)
    if path.is_dir():
        files = [entry for entry in path.iterdir() if entry.is_file() and _suffix(entry)]
        if not files:
            raise InputError(
                f"no files to read in folder '{path}'", allowed=f"known: {', '.join(SUFFIXES[:10])}"
            )
        return files
    if path.is_file():
        if not _suffix(path):
            raise InputError(f"'{path}' is of no known kind", allowed=f"known: {', '.join(SUFFIXES)}")
        if path.stat().st_size == 0:
            raise InputError(f"'{path}' is empty: zero bytes", hint="was it still being written?")
        return [path]
    if any(sign in str(given) for sign in "*?["):
        files = [Path(name) for name in glob.glob(str(given), recursive=True)]
        files = [entry for entry in files if entry.is_file()]
        if not files:
            raise InputError(f"no file matches '{given}'", where=f"from {Path.cwd()}")
        return [one for entry in files for one in _expanded(entry)]
    folder = path.parent
    near = (
        near_name(path.name, [entry.name for entry in folder.iterdir()])
        if folder.is_dir()
        else f"there is no folder '{folder}'"
    )
    raise InputError(f"no file at '{path}'", where=f"from {Path.cwd()}", hint=near)


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return next((suffix for suffix in sorted(SUFFIXES, key=len, reverse=True) if name.endswith(suffix)), "")


def _scan(path: Path, wanted: tuple[str, ...]) -> pl.LazyFrame:
    readers: dict[str, Callable[[Path, tuple[str, ...]], pl.LazyFrame]] = {
        ".csv": lambda path, _: read_delimited(text_of(path), separator=",", where=str(path)).lazy(),
        ".tsv": lambda path, _: read_delimited(text_of(path), separator="\t", where=str(path)).lazy(),
        ".ndjson": _json_lines,
        ".jsonl": _json_lines,
        ".json": _json,
        ".parquet": _parquet,
        ".pq": _parquet,
        ".arrow": _arrow,
        ".feather": _arrow,
        ".ipc": _arrow,
    }
    table = readers[_suffix(path).removesuffix(".gz")](path, wanted)
    return table.with_columns(pl.lit(path.as_posix()).alias("raw_file"))


def _parquet(path: Path, _: tuple[str, ...]) -> pl.LazyFrame:
    return _opened(path, lambda: pl.scan_parquet(path, glob=False))


def _arrow(path: Path, _: tuple[str, ...]) -> pl.LazyFrame:
    def stream_or_file() -> pl.LazyFrame:
        with path.open("rb") as file:
            is_file = file.read(6) == b"ARROW1"
        return pl.scan_ipc(path, glob=False) if is_file else pl.read_ipc_stream(path).lazy()

    return _opened(path, stream_or_file)


def _opened(path: Path, scan: Callable[[], pl.LazyFrame]) -> pl.LazyFrame:
    """A scan whose header has been read, so that a broken file is found here and not in mid-run."""
    try:
        table = scan()
        table.collect_schema()
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        first = (str(error).strip().splitlines() or [""])[0][:200]
        raise InputError(
            f"cannot read '{path}': {first}", hint="is it complete, and what its name says?"
        ) from None
    return table.with_row_index("raw_row", offset=1).with_columns(pl.col("raw_row").cast(pl.Int64))


def _json_lines(path: Path, wanted: tuple[str, ...]) -> pl.LazyFrame:
    return read_json_lines(text_of(path), wanted=wanted, where=str(path)).lazy()


def _json(path: Path, wanted: tuple[str, ...]) -> pl.LazyFrame:
    data = text_of(path)
    if data.lstrip()[:1] == b"{":
        # Many programs call one object a line ".json"; an object alone is a table of one row.
        return read_json_lines(data, wanted=wanted, where=str(path)).lazy()
    return from_rows(_array(data, path))


def _array(data: bytes, path: Path) -> list[Any]:
    import json

    try:
        found = json.loads(data.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"cannot read '{path}': {error}",
            hint="a JSON file must be whole; one object a line (.ndjson) forgives broken lines",
        ) from None
    if not isinstance(found, list):
        raise InputError(
            f"'{path}' holds one {type(found).__name__}", hint="a JSON file holds an array of objects"
        )
    return found


def _joined(rows: list[pl.LazyFrame]) -> pl.LazyFrame:
    """The rows of all files, one after the other; columns of one name and two dtypes become text."""
    if len(rows) == 1:
        return rows[0]
    schemas = [frame.collect_schema() for frame in rows]
    mixed = {
        name for name in (*RAW_COLUMNS, *LOCATORS)
        if len({schema[name] for schema in schemas if name in schema and schema[name] != pl.Null}) > 1
    }  # fmt: skip
    told = [
        frame.with_columns(_as_text(name, schema[name]) for name in schema if name in mixed)
        for frame, schema in zip(rows, schemas, strict=True)
    ]
    return pl.concat(told, how="diagonal_relaxed")


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.List):
        return (
            pl.col(name).list.eval(pl.element().cast(pl.String, strict=False))
            if name in LISTS
            else pl.lit(None, pl.String).alias(name)
        )
    if name in LISTS:
        return pl.concat_list(pl.col(name).cast(pl.String)).alias(name)
    if dtype.is_temporal():
        return pl.col(name).dt.to_string("iso:strict")
    return pl.col(name).cast(pl.String, strict=False)
