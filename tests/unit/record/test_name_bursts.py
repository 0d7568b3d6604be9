"""Mentions by the hour: each item once, in its own hour, and only where somebody looked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from brandkit.record.name_bursts import MENTIONS, NameBursts, mention_counts
from brandkit.record.series import Days
from brandkit.signals.bursts import detect_bursts

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SCHEMA: dict[str, Any] = {
    "item_id": pl.String, "story_id": pl.String, "entities": pl.List(pl.String),
    "published_at": pl.Datetime("us", "UTC"), "collected_at": pl.Datetime("us", "UTC"),
}  # fmt: skip


def after(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def records(*rows: tuple[str, str, list[str], datetime | None, datetime]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row")


def sought(*names: str, hours: int = 2) -> pl.DataFrame:
    rows = [(name, "own", after(60 * h)) for name in names for h in range(hours)]
    return pl.DataFrame(rows, schema={n: MENTIONS[n] for n in ("name", "kind", "at")}, orient="row")


def test_an_item_counts_once_in_the_hour_it_was_published() -> None:
    found = mention_counts(
        records(
            ("a", "s", ["Nordlys"], after(5), after(90)),
            ("a", "s", ["Nordlys"], after(5), after(1500)),  # the same item, seen again the day after
            ("b", "s", ["Nordlys"], None, after(70)),  # undated: the hour it was collected
            ("c", "t", ["Nordlys", "Velmora"], after(59), after(60)),
        ),
        sought("Nordlys", "Velmora"),
    )
    assert found.select("name", "at", "n_items", "n_stories", "story_id", "in_story").rows() == [
        ("Nordlys", after(0), 2, 2, "s", 1),
        ("Nordlys", after(60), 1, 1, "s", 1),
        ("Velmora", after(0), 1, 1, "t", 1),
        ("Velmora", after(60), 0, 0, None, None),
    ]


def test_an_hour_nobody_looked_at_has_no_row_and_row_order_is_of_no_account() -> None:
    rows = [("a", "s", ["Nordlys"], after(150), after(160)), ("b", "t", ["Nordlys"], after(1), after(2))]
    found = mention_counts(records(*rows), sought("Nordlys"))
    assert found["at"].to_list() == [after(0), after(60)]
    assert_frame_equal(mention_counts(records(*rows[::-1]), sought("Nordlys")), found)


def test_it_says_what_burst_and_of_whom_too_little_is_known() -> None:
    hours = 49
    counts = mention_counts(
        records(*[(f"i{n}", "s", ["Nordlys"], after(60 * 48), after(60 * 48)) for n in range(40)]),
        pl.concat([sought("Nordlys", hours=hours), sought("Velm\x1bora", hours=3)]),
    )
    frame = detect_bursts(counts.rename({"name": "series", "n_items": "count"})).collect()
    told = NameBursts(
        Days("desk", date(2026, 3, 2), date(2026, 3, 4), ()),
        frame.rename({"series": "name", "count": "n_items"}),
    )
    assert told.told()["name"].to_list() == ["Nordlys"]
    assert told.unknown() == ("Velm\x1bora",)
    assert told.text().splitlines() == [
        "desk, 2026-03-02 to 2026-03-04: 0 runs, 3 days without one",
        "Nordlys, Wed 04 Mar 12:00: 40 items of 1 story where 0 is usual.",
        "Not enough history (a day of hours) to say anything of Velm\\x1bora.",
    ]
