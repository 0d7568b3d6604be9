"""Instants from whatever a source calls a time: ISO 8601, RFC 2822, epochs, native datetimes.

A time without a zone is not an instant. It becomes one only where a zone was declared.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial

import polars as pl

INSTANT = pl.Datetime("us", "UTC")
# What a reading gives: the instant, or null; and whether it was a time, only without a zone.
READING = pl.Struct({"at": INSTANT, "naive": pl.Boolean})
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)

_WITH_ZONE = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%d %b %Y %H:%M:%S %z")
_WITHOUT_ZONE = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M")
_EPOCH = r"^-?[0-9]{9,19}(?:\.[0-9]+)?$"
_COMPACT = r"^(?:19|20)[0-9]{12}$"
_PER_SECOND = {"s": 1_000_000, "ms": 1_000, "us": 1}
# Epochs say their unit by their size: 1e11 seconds is the year 5138, 1e11 milliseconds is 1973.
_SIZES = ((1e11, 1_000_000), (1e14, 1_000), (1e17, 1))
_LARGEST = 1e19


def reading(
    name: str,
    dtype: pl.DataType,
    *,
    zone: str | None = None,
    formats: Sequence[str] = (),
    unit: str | None = None,
) -> pl.Expr:
    """The column read as instants.

    Shape:  a Struct{at: Datetime(us, UTC)?, naive: Boolean}; ``at`` null and ``naive`` false is no time.

    Args:
        name: the column.
        dtype: its dtype.
        zone: what a time without a zone is in; without it such a time has no ``at``.
        formats: strftime forms to try before the known ones.
        unit: ``s``, ``ms`` or ``us`` for numbers; without it their size tells.
    """
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        return _struct(column.dt.convert_time_zone("UTC").cast(INSTANT))
    if dtype.is_numeric():
        return _struct(_epoch(column.cast(pl.Float64) if dtype.is_decimal() else column, unit))
    if dtype == pl.Date or isinstance(dtype, pl.Datetime):
        # A day far out of range has no microseconds; it is no time rather than an error.
        local = column.cast(pl.Datetime("us"), strict=False)
        return _struct(_localised(local, zone), local.is_not_null())
    if dtype == pl.String:
        read = partial(read_times, zone=zone, formats=tuple(formats), unit=unit)
        return column.map_batches(read, return_dtype=READING, is_elementwise=True)
    return _struct(pl.lit(None, dtype=INSTANT))


def _struct(at: pl.Expr, naive: pl.Expr | None = None) -> pl.Expr:
    is_naive = pl.lit(value=False) if naive is None else naive & at.is_null()
    return pl.struct(at=at, naive=is_naive)


def _localised(local: pl.Expr, zone: str | None) -> pl.Expr:
    if zone is None:
        return pl.lit(None, dtype=INSTANT)
    # An hour that a clock change repeats is the earlier one; one that it skips was no time.
    aware = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return aware.dt.convert_time_zone("UTC").cast(INSTANT)


def _epoch(number: pl.Expr, unit: str | None = None) -> pl.Expr:
    """Microseconds since 1970 from a number of seconds, milliseconds, microseconds or nanoseconds."""
    size = number.cast(pl.Float64, strict=False).abs()
    whole = number.cast(pl.Float64, strict=False)
    if unit is not None:
        told = pl.when(size < LATEST.timestamp() * 1e6 / _PER_SECOND[unit]).then(whole * _PER_SECOND[unit])
        return told.round().cast(pl.Int64, strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    (s_limit, s), (ms_limit, ms), (us_limit, us) = _SIZES
    micros = (
        pl.when(size < s_limit)
        .then(whole * s)
        .when(size < ms_limit)
        .then(whole * ms)
        .when(size < us_limit)
        .then(whole * us)
        .when(size < _LARGEST)
        .then(whole / 1_000)
    )
    return micros.round().cast(pl.Int64, strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def read_times(
    values: pl.Series, *, zone: str | None = None, formats: tuple[str, ...] = (), unit: str | None = None
) -> pl.Series:
    """Times in text read as instants: a Struct{at, naive} series of the same length.

    The usual form is read at once; only what is left over is tried in other forms, and the rest of
    that one distinct value at a time.
    """
    frame = pl.DataFrame({"text": values.str.strip_chars()}, schema={"text": pl.String}).with_row_index("row")
    done: list[pl.DataFrame] = []
    for step in _steps(zone, formats, unit):
        if frame.is_empty():
            break
        tried = frame.with_columns(step)
        known = pl.col("at").is_not_null() | pl.col("naive")
        done.append(tried.filter(known).select("row", "at", "naive"))
        frame = tried.filter(~known & pl.col("text").is_not_null()).select("row", "text")
    done.append(_one_by_one(frame, zone))
    read = pl.concat(done)
    rows = pl.DataFrame({"row": pl.int_range(len(values), dtype=pl.UInt32, eager=True)})
    whole = rows.join(read, on="row", how="left", maintain_order="left")
    return (
        whole.select(pl.struct("at", pl.col("naive").fill_null(value=False))).to_series().alias(values.name)
    )


def _steps(zone: str | None, formats: tuple[str, ...], unit: str | None) -> list[list[pl.Expr]]:
    text = pl.col("text")
    steps = [_parsed(text, form, zone) for form in formats]
    first, *others = _WITH_ZONE
    steps.append(_parsed(text, first, zone))
    digits = text.str.contains(_EPOCH) & ~text.str.contains(_COMPACT)
    number = pl.when(digits).then(text).cast(pl.Float64, strict=False)
    steps.append([_epoch(number, unit).alias("at"), pl.lit(value=False).alias("naive")])
    # The weekday says nothing new, and chrono knows no zone by name.
    mail = text.str.replace(r"^[A-Za-z]{3,9},\s*", "").str.replace(r"\s*(?:GMT|UTC|UT|Z)$", " +0000")
    steps.extend(_parsed(mail if form.startswith("%d") else text, form, zone) for form in others)
    steps.extend(_parsed(text, form, zone) for form in _WITHOUT_ZONE)
    return steps


def _parsed(text: pl.Expr, form: str, zone: str | None) -> list[pl.Expr]:
    if "%H" in form and "%M" not in form:
        # chrono reads no time of day without minutes.
        text, form = text + ":00", form + ":%M"
    if "z" in form or "%+" in form:
        at = text.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
        return [at.alias("at"), pl.lit(value=False).alias("naive")]
    if form.endswith("Z"):
        return _parsed(text, form[:-1] + "%#z", zone)
    if "%H" in form or "%I" in form or "%T" in form:
        local = text.str.to_datetime(form, time_unit="us", strict=False)
    else:
        local = text.str.to_date(form, strict=False).cast(pl.Datetime("us"))
    at = _localised(local, zone)
    return [at.alias("at"), (local.is_not_null() & at.is_null()).alias("naive")]


def _one_by_one(frame: pl.DataFrame, zone: str | None) -> pl.DataFrame:
    """Whatever is left, one distinct text at a time: odd ISO forms, dates alone, mail with named zones."""
    rare = frame["text"].unique().to_list()
    read = [_lenient(text) for text in rare]
    known = pl.DataFrame(
        {
            "text": rare,
            "aware": [at.astimezone(UTC) if at and at.tzinfo else None for at in read],
            "local": [at if at and not at.tzinfo else None for at in read],
        },
        schema={"text": pl.String, "aware": INSTANT, "local": pl.Datetime("us")},
    )
    at = pl.coalesce("aware", _localised(pl.col("local"), zone))
    known = known.select("text", at=at, naive=pl.col("local").is_not_null() & at.is_null())
    return frame.join(known, on="text", how="left").select("row", "at", "naive")


def _lenient(text: str) -> datetime | None:
    if len(text) > 64:
        return None
    if len(text) == 14 and text.isdigit():
        text = f"{text[:8]}T{text[8:]}"
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            at = read(text)
            # Half of the answers of `parsedate` cannot be told in UTC at the ends of the calendar.
            return at if EARLIEST.year <= at.year < LATEST.year else None
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None
