from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from brandkit.errors import InputError
from brandkit.signals.phases import GROWTH, story_growth, story_phases

NOW = datetime(2026, 3, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
LONG_AGO = NOW - 1000 * HOUR
BUSY_THEN_QUIET = [40.0, *(h / 2 for h in range(16, 56))]
QUIET_THEN_BUSY = [40.0, 20.0, 10.0, *(h / 2 for h in range(1, 11))]


def story(hours_ago: list[float | None], *, story_id: str = "s") -> pl.DataFrame:
    at = [None if h is None else NOW - h * HOUR for h in hours_ago]
    return pl.DataFrame(
        {"story_id": [story_id] * len(at), "published_at": at},
        schema={"story_id": pl.String, "published_at": pl.Datetime("us", "UTC")},
    )


def grown(hours_ago: list[float | None], as_of: datetime = NOW) -> dict[str, Any]:
    return story_growth(story(hours_ago), as_of=as_of).collect().row(0, named=True)


def phase(hours_ago: list[float | None]) -> str:
    """The phase of a story that is not new."""
    return str(story_phases(story(hours_ago), as_of=NOW, new_since=NOW).collect()["phase"].item())


def test_growth_is_what_came_lately_against_what_came_before() -> None:
    told = grown([40.0, 20.0, 10.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    # Five in 6 h; two in the 24 h before make a quarter of two expected.
    assert (told["n_recent"], told["expected_recent"], told["trend"]) == (5, 0.5, "rising")
    assert (told["recent_h"], told["before_h"]) == (6.0, 24.0)
    z = 2 * (math.sqrt(5.375) - math.sqrt(2.375 / 4)) / math.sqrt(1.25)
    assert told["growth_z"] == pytest.approx(z, abs=1e-4)


def test_a_young_story_is_measured_by_halves_of_its_life_without_the_first_item() -> None:
    told = grown([8.0, 7.0, 6.0, 3.0])
    assert (told["recent_h"], told["before_h"]) == (4.0, 4.0)
    assert (told["n_recent"], told["expected_recent"], told["n_dated"]) == (1, 2.0, 4)


def test_a_story_of_under_two_hours_has_no_growth_yet() -> None:
    told = grown([1.9, 1.0, 0.5])
    assert (told["trend"], told["expected_recent"], told["growth_z"]) == (None, None, None)
    assert phase([1.9, 1.0, 0.5]) == "steady"


@pytest.mark.parametrize(
    ("hours_ago", "expected"),
    [
        (QUIET_THEN_BUSY, "rising"),
        (BUSY_THEN_QUIET, "fading"),
        ([40.0, 20.0, 1.0], "steady"),  # one is no growth
        ([40.0, *(float(h) for h in range(1, 30))], "steady"),  # one an hour, throughout
        ([12.5], "fading"),  # silent
        ([11.5], "steady"),
    ],
)
def test_the_phase_of_a_story_that_is_not_new(hours_ago: list[float | None], expected: str) -> None:
    assert phase(hours_ago) == expected


def test_a_large_story_is_not_woken_by_a_straggler() -> None:
    over = [h / 2 for h in range(80, 121)]
    assert phase(over) == phase([*over, 0.5]) == "fading"
    told = grown([*over, 0.5])
    # 40 after the first in the 48 h before make 10 expected in 12.
    assert (told["n_half_day"], told["expected_half_day"]) == (1, 10.0)
    # It rises when many come again, and a story of four was never large.
    assert phase([*over, 0.5, 1.0, 1.5, 2.0, 2.5]) == "rising"
    assert phase([60.0, 50.0, 40.0, 0.5]) == "steady"


def test_a_story_is_new_until_it_is_silent() -> None:
    def since(hours: float) -> str:
        told = story_phases(story([14.0, 13.0, 5.0]), as_of=NOW, new_since=NOW - hours * HOUR)
        return str(told.collect()["phase"].item())

    assert [since(14.0), since(13.9)] == ["new", "steady"]
    # Without an instant: a day.
    assert story_phases(story([23.0, 5.0]), as_of=NOW).collect()["phase"].item() == "new"
    assert story_phases(story([23.0, 12.5]), as_of=NOW).collect()["phase"].item() == "fading"


def test_what_is_not_dated_is_not_known() -> None:
    told = grown([None, None])
    assert (told["n_dated"], told["n_undated"], told["n_recent"]) == (0, 2, 0)
    assert {told[name] for name in ("trend", "expected_recent", "first_seen_at", "last_seen_at")} == {None}
    assert phase([None]) == "steady"
    with_date = grown([40.0, 20.0, 1.0])
    assert grown([40.0, 20.0, 1.0, None]) == {**with_date, "n_undated": 1}


def test_a_date_after_the_item_was_collected_is_not_known() -> None:
    late = story([3.0, 3.0]).with_columns(
        collected_at=pl.Series([NOW - 4 * HOUR, NOW - 3.1 * HOUR], dtype=pl.Datetime("us", "UTC"))
    )
    told = story_growth(late, as_of=NOW).collect().row(0, named=True)
    assert (told["n_dated"], told["n_undated"]) == (1, 1)
    assert told["first_seen_at"] == NOW - 4 * HOUR


def test_what_was_seen_later_is_not_looked_at() -> None:
    as_of = NOW - 10 * HOUR
    assert grown(QUIET_THEN_BUSY, as_of) == grown([h for h in QUIET_THEN_BUSY if h >= 10], as_of)


def test_stories_do_not_touch_each_other() -> None:
    both = pl.concat([story(QUIET_THEN_BUSY), story(BUSY_THEN_QUIET, story_id="t")])
    found = story_growth(both, as_of=NOW).collect()
    assert found.select("story_id", "trend").rows() == [("s", "rising"), ("t", "fading")]
    assert found.columns == ["story_id", *GROWTH]


def test_a_missing_column_is_named_with_what_may_have_been_meant() -> None:
    with pytest.raises(InputError, match=r"lack published_at\n.*\n.*did you mean 'published'"):
        story_growth(story([1.0]).rename({"published_at": "published"}), as_of=NOW)


def test_no_items_give_no_stories() -> None:
    assert story_phases(story([]), as_of=NOW).collect().height == 0


_times = st.lists(st.integers(0, 240).map(lambda quarter: quarter / 4), min_size=1, max_size=40)
# Stories near a change: a crowd before, a crowd lately, and a few long ago.
_stories = st.builds(
    lambda before, lately, old: [*before, *lately, *old],
    st.lists(st.integers(24, 120).map(lambda quarter: quarter / 4), max_size=25),
    st.lists(st.integers(0, 24).map(lambda quarter: quarter / 4), max_size=25),
    st.lists(st.sampled_from([28.0, 31.0, 40.0, 300.0]), min_size=1, max_size=3),
)


@given(_stories, st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_one_late_item_never_makes_a_fading_story_rise(hours_ago: list[float], late: int) -> None:
    first = story(list(hours_ago))
    more = pl.concat([first, story([min(late / 2, max(hours_ago))])])
    both = pl.concat([first, more.with_columns(story_id=pl.lit("t"))])
    before, after = story_phases(both, as_of=NOW, new_since=NOW).collect()["phase"]
    assert (before, after) != ("fading", "rising")


@given(_stories)
@settings(max_examples=30, deadline=None)
def test_no_single_item_stands_between_rising_and_fading(hours_ago: list[float]) -> None:
    whole = story(list(hours_ago), story_id="all")
    # The same story without each of its items, side by side.
    less = [story([*hours_ago[:i], *hours_ago[i + 1 :]], story_id=f"{i:02}") for i in range(len(hours_ago))]
    found = story_phases(pl.concat([whole, *less]), as_of=NOW, new_since=NOW).collect()
    phases = dict(found.select("story_id", "phase").rows())
    whole_is = phases.pop("all")
    assert {"rising": "fading", "fading": "rising"}.get(whole_is) not in phases.values()


@given(_times, st.randoms())
@settings(max_examples=15, deadline=None)
def test_the_order_of_items_changes_nothing(hours_ago: list[float], random: Any) -> None:
    shuffled = random.sample(hours_ago, len(hours_ago))
    assert_frame_equal(
        story_phases(story(list(hours_ago)), as_of=NOW).collect(),
        story_phases(story(shuffled), as_of=NOW).collect(),
    )
