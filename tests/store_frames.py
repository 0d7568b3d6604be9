"""Frames for the store's tests: every column filled from its type, or only what a test names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from brandkit import schemas
from brandkit.store import RunRow, StateStore

DAY = datetime(2026, 3, 2, tzinfo=UTC)
ON = date(2026, 3, 2)
PROFILE = '{"id":"desk"}'


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def value(dtype: Any, n: int) -> Any:
    """A value of the type that depends on n."""
    dtype = dtype() if isinstance(dtype, type) else dtype
    if isinstance(dtype, pl.Enum):
        return dtype.categories[n % len(dtype.categories)]
    if isinstance(dtype, pl.List):
        return [value(dtype.inner, n + k) for k in range(n % 3)]
    if isinstance(dtype, pl.Struct):
        return {field.name: value(field.dtype, n + k) for k, field in enumerate(dtype.fields)}
    scalars: dict[Any, Any] = {
        pl.String(): f"text {n} é 'quoted'; --",
        pl.Boolean(): n % 2 == 0,
        pl.Date(): ON + timedelta(days=n),
        pl.Float64(): n / 3,
        schemas.INSTANT: at(n) + timedelta(microseconds=n + 1),
    }
    return scalars.get(dtype, -n if dtype == pl.Int16() else n)


def full(
    columns: Mapping[str, Any], n_rows: int, *, nulls_in: int | None = None, **given: list[Any]
) -> pl.DataFrame:
    """A frame with a value in every column; one row may be null wherever the test does not say."""
    data = {
        name: given.get(name) or [None if row == nulls_in else value(dtype, row + k) for row in range(n_rows)]
        for k, (name, dtype) in enumerate(columns.items())
    }
    return pl.DataFrame(data, schema=dict(columns))


def item_id(n: int) -> str:
    return f"{n:016x}"


def items(*rows: dict[str, Any]) -> pl.DataFrame:
    """Items with what the rows say; ids are numbers, instants are hours of the day."""
    made = []
    for row in rows:
        collected = at(row.get("collected", 0))
        made.append(
            {
                "item_id": item_id(row["id"]),
                "revision": row.get("revision", 1),
                "item_type": "article",
                "source": row.get("source", "feed"),
                "title": row.get("title", f"title {row['id']}"),
                "content_hash": row.get("hash", "h1"),
                "collected_at": collected,
                "seen_at": collected,
                "claims": [],
                "evidence": [],
                "risk_flags": [],
            }
        )
    return pl.DataFrame(made, schema=dict(schemas.ITEM))


def sightings(*rows: tuple[int, float, int | None, int | None, int | None]) -> pl.DataFrame:
    """Observations: item, hour, reactions, comments, shares."""
    return pl.DataFrame(
        [
            {"item_id": item_id(n), "observed_at": at(h), "reactions": r, "comments": c, "shares": s}
            for n, h, r, c, s in rows
        ],
        schema=dict(schemas.OBSERVATION),
    )


def records(*rows: tuple[int, str]) -> pl.DataFrame:
    """Records of items (by number) in stories; every other column is filled from its type."""
    n = len(rows)
    return full(
        schemas.RECORD,
        n,
        item_id=[item_id(number) for number, _ in rows],
        story_id=[story for _, story in rows],
        content_hash=["h1"] * n,
        collected_at=[at(0)] * n,
    )


def start(store: StateStore, **given: Any) -> RunRow:
    """A run begun, of profile 'desk' for 2 March unless said otherwise."""
    values: dict[str, Any] = {
        "profile_id": "desk",
        "kind": "daily",
        "run_on": ON,
        "as_of": at(24),
        "window_start": at(0),
        "started_at": at(24),
        "profile_json": PROFILE,
        "profile_hash": "p1",
        **given,
    }
    return store.start_run(**values)


def publish(store: StateStore, frame: pl.DataFrame, **given: Any) -> RunRow:
    """A complete run with these records."""
    finish = {
        name: given.pop(name) for name in list(given) if name in ("items", "observations", "fingerprint")
    }
    run = start(store, **given)
    return store.finish_run(run, records=frame, finished_at=at(25), **finish)
