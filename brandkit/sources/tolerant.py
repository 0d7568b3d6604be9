"""Text files row by row: at full speed while they are clean, and past what is broken when not."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from brandkit.errors import InputError

_NOT_UTF8 = "unreadable: not UTF-8"
# Longer than any cell of a sane table; a quote that is never closed swallows the rest of the file.
_CELL = 1_000_000
_SHOWN = 4_000
_QUOTED = r'"(?:[^"]|"")*"'


def text_of(path: Path) -> bytes:
    """The bytes of a text file: unpacked, without a byte order mark, UTF-16 turned into UTF-8.

    Raises: InputError for a file that cannot be opened or unpacked.
    """
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"cannot read '{path}': {error}", hint="is it complete, and may it be read?"
        ) from None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace").encode()
    return data.removeprefix(b"\xef\xbb\xbf")


def read_delimited(data: bytes, *, separator: str, where: str) -> pl.DataFrame:
    """The rows of a CSV or TSV file with a header, every cell as text.

    Shape:  one row per record, blank lines left out; the columns of the header, raw_row, raw_error
            and raw_text.
    Raises: InputError for a header that cannot be one.
    """
    if not data.strip():
        raise InputError(f"'{where}' holds no header and no rows")
    fast = _fast_delimited(data, separator)
    return _slow_delimited(data, separator, where) if fast is None else fast


def _fast_delimited(data: bytes, separator: str) -> pl.DataFrame | None:
    """The whole file at once, or None when anything about it is not as it should be."""
    if b"\r" in data.replace(b"\r\n", b"") or data[:1] in b"\r\n":
        return None
    try:
        frame = pl.read_csv(data, separator=separator, infer_schema=False, glob=False)
        lines = pl.scan_lines(io.BytesIO(data), name="line")
        # Polars fills a short record with nulls and says nothing, so separators are counted outside
        # quotes. A quote left over spans lines, and is for the careful reader.
        bare = (
            pl.when(pl.col("line").str.contains('"', literal=True))
            .then(pl.col("line").str.replace_all(_QUOTED, ""))
            .otherwise(pl.col("line"))
        )
        other = bare.str.count_matches(separator, literal=True) != frame.width - 1
        odd = lines.filter(other | bare.str.contains('"', literal=True)).select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, UnicodeDecodeError):
        return None
    header = next(csv.reader([data.split(b"\n", 1)[0].decode().rstrip("\r")], delimiter=separator), [])
    if odd or header != frame.columns:
        return None
    return _with_locators(frame)


def _with_locators(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("raw_row"),
        pl.lit(None, dtype=pl.String).alias("raw_error"),
        pl.lit(None, dtype=pl.String).alias("raw_text"),
    )


def _slow_delimited(data: bytes, separator: str, where: str) -> pl.DataFrame:
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    records = _records(lines, separator)
    header, problem, text = next(records, ([], "no header", ""))
    if problem or len(set(header)) != len(header):
        raise InputError(
            f"the header of '{where}' is no list of column names: {text[:200]!r}",
            hint="each name once, in UTF-8",
        )
    cells: list[list[str]] = []
    errors: list[str | None] = []
    texts: list[str | None] = []
    for fields, problem, text in records:
        if not problem and len(fields) != len(header):
            problem = f"unreadable: {len(fields)} fields where the header has {len(header)}"
        cells.append([""] * len(header) if problem else fields)
        errors.append(problem or None)
        texts.append(text[:_SHOWN] if problem else None)
    columns = [
        pl.Series(name, [row[i] or None for row in cells], dtype=pl.String) for i, name in enumerate(header)
    ]
    frame = pl.DataFrame(columns)
    return _with_locators(frame).with_columns(
        pl.Series("raw_error", errors, dtype=pl.String), pl.Series("raw_text", texts, dtype=pl.String)
    )


def _records(lines: list[bytes], separator: str) -> Iterator[tuple[list[str], str, str]]:
    """Each record as its fields, what is wrong with it, and its text when something is."""
    position = 0
    width = 0
    while position < len(lines):
        if not lines[position].strip():
            position += 1
            continue
        fields, used, problem = _record(lines, position, separator, width)
        width = width or len(fields)
        text = (
            b"\n".join(lines[position : position + used]).decode("utf-8", "replace")
            if problem or len(fields) != width
            else ""
        )
        yield fields, problem, text
        position += used


def _record(lines: list[bytes], position: int, separator: str, width: int) -> tuple[list[str], int, str]:
    """One record: its fields, how many lines it took, and what is wrong with it.

    A quote that is opened takes lines until it is closed. Where that gives no record of the right
    width, the quote was a slip: its line alone is given up, and reading goes on with the next.
    """
    first = lines[position]
    if first.count(b'"') % 2 == 0:
        return _fields(first, separator, 1)
    taken = bytearray(first)
    for n, line in enumerate(lines[position + 1 :], start=2):
        taken += b"\n" + line
        if len(taken) > _CELL:
            break
        if line.count(b'"') % 2:
            fields, used, problem = _fields(bytes(taken), separator, n)
            if problem or (width and len(fields) != width):
                break
            return fields, used, ""
    return [], 1, "unreadable: a quote is never closed"


def _fields(record: bytes, separator: str, used: int) -> tuple[list[str], int, str]:
    try:
        text = record.decode("utf-8")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except UnicodeDecodeError:
        return [], used, _NOT_UTF8
    except csv.Error as error:
        return [], used, f"unreadable: {error}"
    return (rows[0], used, "") if len(rows) == 1 else ([], used, "unreadable: more than one record")


def read_json_lines(data: bytes, *, wanted: Sequence[str], where: str) -> pl.DataFrame:
    """The rows of a file with one JSON object a line: the wanted fields as text or lists of text.

    Shape:  one row per line that is not blank; the wanted fields that occur, raw_row, raw_error and
            raw_text; an object inside a field stays JSON text.
    Raises: InputError for a file that is one object over many lines, or no JSON at all.
    """
    if not data.strip():
        raise InputError(f"'{where}' holds no rows")
    fast = _fast_json_lines(data, wanted)
    return _slow_json_lines(data, where) if fast is None else fast


def _fast_json_lines(data: bytes, wanted: Sequence[str]) -> pl.DataFrame | None:
    names = _names_in(data)
    # Read as text: the dtype that a first few lines suggest makes nulls of later values.
    schema = dict.fromkeys([name for name in names or [] if name in set(wanted)] or names or [], pl.String())
    if not schema:
        return None
    try:
        frame = pl.read_ndjson(data, schema=schema)
    except pl.exceptions.PolarsError:
        return None
    # A blank line is no row in either path, or the row numbers would differ.
    return _with_locators(frame)


def _names_in(data: bytes) -> list[str] | None:
    """The fields of all objects in order of appearance, or None when a line cannot be read."""
    try:
        return pl.read_ndjson(data, infer_schema_length=None).columns
    except pl.exceptions.PolarsError:
        return None


def _slow_json_lines(data: bytes, where: str) -> pl.DataFrame:
    lines = [line for line in data.splitlines() if line.strip()]
    rows: list[dict[str, Any]] = []
    errors: list[str | None] = []
    texts: list[str | None] = []
    for line in lines:
        row, problem = _object(line)
        rows.append(row)
        errors.append(problem)
        texts.append(line.decode("utf-8", "replace")[:_SHOWN] if problem else None)
    if all(errors):
        raise InputError(
            f"no line of '{where}' is a JSON object: {errors[0]}",
            hint="one whole object a line (.ndjson), or one array (.json)",
        )
    names = list(dict.fromkeys(name for row in rows for name in row))
    frame = pl.DataFrame(
        [pl.Series(name, [_cell(row.get(name)) for row in rows], dtype=pl.String) for name in names]
    )
    return _with_locators(frame).with_columns(
        pl.Series("raw_error", errors, dtype=pl.String), pl.Series("raw_text", texts, dtype=pl.String)
    )


def _object(line: bytes) -> tuple[dict[str, Any], str | None]:
    try:
        found = json.loads(line.decode("utf-8"), object_pairs_hook=_first_of_each)
    except UnicodeDecodeError:
        return {}, _NOT_UTF8
    except (ValueError, RecursionError):
        return {}, "unreadable: no JSON"
    if not isinstance(found, dict):
        return {}, f"unreadable: no object but a {type(found).__name__}"
    return found, None


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose repeated names keep their first value, as the fast path has it."""
    return dict(reversed(pairs))


def _cell(value: object) -> str | None:
    """A value as the text that stood in the line, so that one broken line changes no other row."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "ignore").decode("utf-8")
