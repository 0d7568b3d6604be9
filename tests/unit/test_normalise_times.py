from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest

from brandkit.normalise.times import read_times, reading

SEVEN = datetime(2026, 3, 2, 7, tzinfo=UTC)


def read(values: list[object], dtype: pl.DataType | None = None, **how: object) -> pl.DataFrame:
    frame = pl.LazyFrame({"t": pl.Series(values, dtype=dtype)})
    read = frame.select(reading("t", frame.collect_schema()["t"], **how)).collect()  # type: ignore[arg-type]
    if frame.collect_schema()["t"] == pl.String:
        # The plan and the function it is made of agree, whichever thread runs them.
        assert read.to_series().equals(read_times(pl.Series("t", values, dtype=pl.String), **how))  # type: ignore[arg-type]
    return read.unnest(read.columns[0])


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T07:00:00Z", "2026-03-02T07:00:00.000000Z", "2026-03-02T08:00:00+01:00",
        "2026-03-02T08:00:00+0100",
        "2026-03-02T08:00:00+01", "2026-03-02 07:00:00Z", "2026-03-02 08:00:00+01:00", "2026-03-02T07:00Z",
        "20260302T070000Z", "Mon, 02 Mar 2026 07:00:00 GMT", "Mon, 2 Mar 2026 08:00:00 +0100",
        "02 Mar 2026 02:00:00 EST",
        "Mon, 02 Mar 2026 07:00:00 -0000", "1772434800", "1772434800000", "1772434800.0",
        " 2026-03-02T07:00:00Z ",
        "2026-03-02T07:00:00.000000000Z", "1772434800000000", "1772434800000000000",
    ],
)  # fmt: skip
def test_an_instant_is_read_in_every_usual_form(text: str) -> None:
    assert read([text]).row(0) == (SEVEN, False)


@pytest.mark.parametrize(
    "text",
    ["2026-03-02T07:00:00", "2026-03-02 07:00:00", "2026-03-02T07:00", "2026-03-02T07", "20260302070000"],
)  # fmt: skip
def test_a_time_without_a_zone_is_naive_until_a_zone_is_declared(text: str) -> None:
    assert read([text]).row(0) == (None, True)
    assert read([text], zone="UTC").row(0) == (SEVEN, False)
    assert read([text], zone="Europe/Paris").row(0) == (SEVEN - timedelta(hours=1), False)


@pytest.mark.parametrize(
    "text", ["", "soon", "31 Feb 2026 25:00", "2026-13-45T00:00:00Z", "9" * 30, "\x00", "12", "x" * 500]
)
def test_what_is_no_time_is_null_and_not_naive(text: str) -> None:
    assert read([text], zone="UTC").row(0) == (None, False)


def test_a_date_alone_is_a_naive_midnight() -> None:
    assert read(["2026-03-02"]).row(0) == (None, True)
    assert read(["2026-03-02"], zone="UTC").row(0) == (datetime(2026, 3, 2, tzinfo=UTC), False)
    assert read([date(2026, 3, 2)], zone="UTC").row(0) == (datetime(2026, 3, 2, tzinfo=UTC), False)


def test_an_hour_that_a_clock_change_repeats_is_the_earlier_and_one_it_skips_is_none() -> None:
    both = read(["2026-10-25T02:30:00", "2026-03-29T02:30:00"], zone="Europe/Paris")
    assert both["at"].to_list() == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), None]
    assert both["naive"].to_list() == [False, True]


def test_native_datetimes_of_any_unit_and_zone_are_instants() -> None:
    for unit in ("ms", "us", "ns"):
        assert read([datetime(2026, 3, 2, 7)], pl.Datetime(unit), zone="UTC")["at"].item() == SEVEN  # noqa: DTZ001
        aware = pl.Series([SEVEN]).cast(pl.Datetime(unit, "UTC")).dt.convert_time_zone("Asia/Tokyo")
        assert read(aware.to_list(), aware.dtype)["at"].item() == SEVEN
    assert read([datetime(2026, 3, 2, 7)], pl.Datetime("us")).row(0) == (None, True)  # noqa: DTZ001


def test_numbers_say_their_unit_by_their_size_unless_it_is_declared() -> None:
    at = [datetime(2026, 3, 2, 7, tzinfo=UTC)] * 4
    assert read([1_772_434_800 * 10**n for n in (0, 3, 6, 9)])["at"].to_list() == at
    assert read([1_772_434_800.0])["at"].to_list() == at[:1]
    assert read([86_400_000], unit="ms")["at"].item() == datetime(1970, 1, 2, tzinfo=UTC)
    assert read([float("nan"), float("inf"), 2.0**80])["at"].to_list() == [None, None, None]


def test_declared_forms_are_tried_first() -> None:
    # Without the form 03/02 would be nothing at all.
    assert read(["03/02/2026 07h"], formats=["%d/%m/%Y %Hh"], zone="UTC")["at"].item() == datetime(
        2026, 2, 3, 7, tzinfo=UTC
    )
    assert read(["02/03/2026"], formats=["%d/%m/%Y"], zone="UTC")["at"].item() == datetime(
        2026, 3, 2, tzinfo=UTC
    )
    assert read(["02/03/2026 07:00:00 +0000"], formats=["%d/%m/%Y %H:%M:%S %z"])["at"].item() == SEVEN
    assert read(["20260302T070000Z"], formats=["%Y%m%dT%H%M%SZ"])["at"].item() == SEVEN


def test_a_mixed_column_is_read_value_by_value() -> None:
    texts = [
        "2026-03-02T07:00:00Z",
        None,
        "Mon, 02 Mar 2026 07:00:00 GMT",
        "soon",
        "1772434800",
        "2026-03-02T07",
    ]
    frame = read(texts)
    assert frame["at"].to_list() == [SEVEN, None, SEVEN, None, SEVEN, None]
    assert frame["naive"].to_list() == [False, False, False, False, False, True]


def test_the_end_of_the_calendar_is_no_error() -> None:
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))).isoformat()
    # Microseconds reach further than Python's calendar; normalise believes neither.
    years = read(["9999-12-31T23:59:59.5-14:00", first])["at"].dt.year().to_list()
    assert years == [10_000, 0]


def test_a_column_of_anything_else_is_no_time() -> None:
    assert read([True]).row(0) == (None, False)
    assert read([None], pl.Null()).row(0) == (None, False)
