from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from brandkit import schemas
from brandkit.pipeline import History
from brandkit.store import StateStore
from tests.store_frames import ON, at, item_id, items, publish, records, sightings


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "store.duckdb", cache=None, timeout_s=5)


def _history(store: StateStore, **given: Any) -> History:
    asked: dict[str, Any] = {"kind": "daily", "window_start": at(0), "as_of": at(24), "before": ON, **given}
    return store.history(asked.pop("profile_id", "desk"), **asked)


def _ids(history: History) -> list[int]:
    return [int(text, 16) for text in history.items["item_id"]]


def _add(store: StateStore, *rows: dict[str, Any]) -> None:
    """Items, each sighted when it was collected."""
    store.upsert_items(items(*rows))
    store.add_observations(
        sightings(*((row["id"], row.get("collected", 0), None, None, None) for row in rows))
    )


def test_without_a_past_all_frames_are_empty_and_typed(store: StateStore) -> None:
    store.add_verdict("other", story_id="s", decision="drop", given_at=at(1))
    found, none = _history(store), History.empty()
    for name in (field.name for field in fields(History)):
        assert_frame_equal(getattr(found, name), getattr(none, name))


def test_context_is_what_was_sighted_in_the_72_hours_before_the_window_or_since(store: StateStore) -> None:
    _add(
        store,
        {"id": 1, "collected": -73},
        {"id": 2, "collected": -72},
        {"id": 3, "collected": 23},
        {"id": 4, "collected": 24},
    )
    # Item 1 is too old, and item 4 was collected at as_of, which the run does not know.
    assert _ids(_history(store)) == [2, 3]


def test_an_old_item_sighted_again_is_context(store: StateStore) -> None:
    _add(store, {"id": 1, "collected": -500})
    store.add_observations(sightings((1, -2, 9, None, None)))
    assert _ids(_history(store)) == [1]


def test_older_items_of_a_story_with_a_recent_one_come_along(store: StateStore) -> None:
    _add(store, {"id": 1, "collected": -200}, {"id": 2, "collected": -10}, {"id": 3, "collected": -200})
    publish(store, records((1, "alive"), (2, "alive"), (3, "over")), run_on=ON - timedelta(days=1))
    found = _history(store)
    assert _ids(found) == [1, 2]
    assert found.items["story_id"].to_list() == ["alive", "alive"]


def test_an_item_of_no_earlier_run_is_in_no_story(store: StateStore) -> None:
    _add(store, {"id": 1, "collected": 3})
    publish(store, records((1, "today")))  # the same date is not the past
    publish(store, records((1, "shadow")), run_on=ON - timedelta(days=1), shadow=True)
    publish(store, records((1, "theirs")), run_on=ON - timedelta(days=1), profile_id="other")
    publish(store, records((1, "adhoc")), run_on=ON - timedelta(days=1), kind="adhoc")
    assert _history(store).items["story_id"].to_list() == [None]
    assert _history(store, profile_id="other").items["story_id"].to_list() == ["theirs"]


def test_the_latest_run_that_recorded_an_item_says_its_story(store: StateStore) -> None:
    _add(store, {"id": 1, "collected": -60}, {"id": 2, "collected": -60}, {"id": 3, "collected": -300})
    publish(store, records((1, "old"), (2, "old"), (3, "old")), run_on=ON - timedelta(days=3))
    publish(store, records((1, "never")), run_on=ON - timedelta(days=2))
    publish(store, records((1, "new")), run_on=ON - timedelta(days=2))  # the later attempt counts
    found = _history(store)
    assert found.items.select("item_id", "story_id").rows() == [
        (item_id(1), "new"), (item_id(2), "old"), (item_id(3), "old"),
    ]  # fmt: skip


def test_an_old_item_that_a_later_run_put_elsewhere_does_not_come_along(store: StateStore) -> None:
    _add(store, {"id": 1, "collected": -300}, {"id": 2, "collected": -10})
    publish(store, records((1, "s"), (2, "s")), run_on=ON - timedelta(days=3))
    publish(store, records((1, "elsewhere")), run_on=ON - timedelta(days=2))
    assert _ids(_history(store)) == [2]


def test_an_item_says_what_its_last_sighting_said_also_when_an_edit_was_taken_back(store: StateStore) -> None:
    for hour, content in ((-5, "a"), (2, "b"), (3, "a")):
        store.upsert_items(items({"id": 1, "hash": content, "collected": hour, "title": f"title {content}"}))
        seen = sightings((1, hour, None, None, None)).with_columns(content_hash=pl.lit(content))
        store.add_observations(seen)
    assert _history(store).items.select("title", "revision").rows() == [("title a", 1)]
    assert _history(store, as_of=at(3)).items.select("title", "revision").rows() == [("title b", 2)]


def test_without_contents_in_its_sightings_the_newest_revision_counts(store: StateStore) -> None:
    _add(store, {"id": 1, "hash": "a", "collected": -5, "title": "first"})
    _add(store, {"id": 1, "hash": "b", "collected": 2, "title": "second"})
    _add(store, {"id": 1, "hash": "c", "collected": 30, "title": "tomorrow's"})
    found = _history(store).items
    assert found.select("title", "revision").rows() == [("second", 2)]
    # The first sighting is that of any revision, the last the latest observation known.
    assert (found["collected_at"][0], found["seen_at"][0]) == (at(-5), at(2))


def test_observations_of_context_items_reach_back_to_their_start_and_end_before_as_of(
    store: StateStore,
) -> None:
    _add(store, {"id": 1, "collected": -200}, {"id": 2, "collected": -300})
    store.add_observations(sightings((1, -1, 7, 1, None), (1, 24, 99, None, None)))
    assert _history(store).observations.drop("content_hash").rows() == [
        (item_id(1), at(-200), None, None, None, None),
        (item_id(1), at(-1), 7, 1, None, None),
    ]


def _recorded(*rows: tuple[int, str, float, float | None]) -> pl.DataFrame:
    """Records of (item, source, hour last seen, engagement)."""
    ids, sources, hours, engagement = zip(*rows, strict=True)
    return records(*((n, f"s{n}") for n in ids)).with_columns(
        source=pl.Series(sources),
        seen_at=pl.Series([at(hour) for hour in hours], dtype=schemas.INSTANT),
        engagement=pl.Series(engagement, dtype=pl.Float64),
    )


def test_a_baseline_is_the_median_engagement_of_what_the_runs_of_four_weeks_recorded(
    store: StateStore,
) -> None:
    day = 24
    earlier = [
        (1, "feed", -10 * day, 9.0),  # recorded again below: the later run's word counts
        (2, "feed", -8 * day, 5.0),
        (4, "feed", -8 * day, None),  # nothing known of it
        (5, "feed", -29 * day, 500.0),  # too old
        (7, "silent", -8 * day, None),
    ]
    publish(store, _recorded(*earlier), run_on=ON - timedelta(days=8))
    publish(
        store,
        _recorded((1, "feed", -7 * day, 21.0), (3, "feed", -5 * day, 6.0)),
        run_on=ON - timedelta(days=5),
    )
    # Median of 5, 6, 21; last seen from eight to five days before: 72 h.
    assert _history(store).baselines.rows() == [("feed", 6.0, 3, 72.0)]


def test_a_second_attempt_meets_the_baselines_of_the_first(store: StateStore) -> None:
    publish(store, _recorded((1, "feed", -24, 4.0)), run_on=ON - timedelta(days=1))
    before = _history(store).baselines
    publish(store, _recorded((2, "feed", 1, 900.0), (3, "feed", -30, 900.0)))
    publish(store, _recorded((4, "feed", -24, 900.0)), run_on=ON - timedelta(days=1), profile_id="other")
    assert_frame_equal(_history(store).baselines, before)


def test_the_newest_unexpired_verdict_of_each_story_counts_and_only_what_was_given_by_then(
    store: StateStore,
) -> None:
    given: list[tuple[str, str, float, float | None]] = [
        ("s1", "drop", 1, None), ("s1", "watch", 2, None),  # the newer
        ("s2", "drop", 1, None), ("s2", "watch", 2, 24),  # the newer has lapsed at as_of
        ("s3", "drop", 25, None),  # not given yet
        ("s4", "must_cover", 24, 24.5),  # given at as_of, in force
    ]  # fmt: skip
    for story_id, decision, given_at, expires in given:
        store.add_verdict(
            "desk", story_id=story_id, decision=decision, given_at=at(given_at),
            expires_at=None if expires is None else at(expires),
        )  # fmt: skip
    store.add_verdict("other", story_id="s9", decision="drop", given_at=at(1))
    found = _history(store).verdicts
    assert found.select("story_id", "decision").rows() == [
        ("s1", "watch"),
        ("s2", "drop"),
        ("s4", "must_cover"),
    ]
    assert found.schema == pl.Schema(schemas.VERDICT)


def test_story_rules_made_by_then_come_once_each(store: StateStore) -> None:
    for profile, rule, hour in [
        ("desk", "must_link", 1),
        ("desk", "must_link", 2),
        ("desk", "cannot_link", 25),
        ("other", "cannot_link", 1),
    ]:
        store.add_story_rule(profile, rule=rule, item_a="a", item_b="b", made_at=at(hour))
    assert _history(store).story_rules.rows() == [("must_link", "a", "b")]


def test_items_are_shared_by_profiles_and_everything_else_is_not(store: StateStore) -> None:
    _add(store, {"id": 1, "collected": -5})
    publish(store, records((1, "desk's")), run_on=ON - timedelta(days=1))
    store.add_verdict("desk", story_id="desk's", decision="drop", given_at=at(1))
    theirs = _history(store, profile_id="other")
    assert _ids(theirs) == [1]
    assert theirs.items["story_id"].to_list() == [None]
    assert theirs.verdicts.height == 0
