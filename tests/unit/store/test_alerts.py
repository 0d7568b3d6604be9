from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from brandkit.store import StateStore
from brandkit.store.tables import TABLES
from tests.store_frames import at, full

ALERTS = TABLES["alerts"]


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "store.duckdb", cache=None, timeout_s=5)


def alerts(*names: str, **given: list[Any]) -> pl.DataFrame:
    """Alerts of profile 'desk', raised an hour apart; every other column is filled from its type."""
    n = len(names)
    values = {"profile_id": ["desk"] * n, "raised_at": [at(hour) for hour in range(n)], **given}
    return full(ALERTS, n, alert_id=list(names), **values)


def tries(*rows: tuple[str, str, int, str | None]) -> pl.DataFrame:
    made = [
        {"alert_id": name, "channel": channel, "tried_at": at(hour), "error": error}
        for name, channel, hour, error in rows
    ]
    return pl.DataFrame(made, schema_overrides={"error": pl.String})


def outcome(store: StateStore) -> list[tuple[Any, ...]]:
    kept = store.alerts("desk")
    return kept.select("alert_id", "delivered_to", "delivered_at", "n_tries", "error").rows()


def test_alerts_are_kept_as_they_were_raised_and_untried(store: StateStore) -> None:
    raised = alerts("a", "b", delivered_at=[None, None], error=[None, None])
    assert store.add_alerts(raised) == 2
    fresh = raised.with_columns(delivered_to=pl.lit([], ALERTS["delivered_to"]), n_tries=pl.lit(0, pl.Int64))
    assert_frame_equal(store.alerts("desk"), fresh)


def test_an_alert_is_kept_once_and_stays_as_it_is(store: StateStore) -> None:
    store.add_alerts(alerts("a", title=["first"]))
    assert store.add_alerts(alerts("a", "b", title=["second", "new"])) == 1
    assert store.alerts("desk")["title"].to_list() == ["first", "new"]


def test_alerts_are_of_one_profile_and_since_an_instant(store: StateStore) -> None:
    store.add_alerts(alerts("a", "b", "c", profile_id=["desk", "desk", "other"]))
    assert store.alerts("desk")["alert_id"].to_list() == ["a", "b"]
    assert store.alerts("desk", since=at(0))["alert_id"].to_list() == ["b"]
    assert store.alerts("nobody").is_empty()


def test_an_attempt_is_where_it_arrived_or_the_error_of_the_last(store: StateStore) -> None:
    store.add_alerts(alerts("a", "b", delivered_at=[None, None], error=[None, None]))
    store.note_tries(tries(("a", "hook", 5, "no answer")))
    assert outcome(store)[0] == ("a", [], None, 1, "no answer")
    store.note_tries(tries(("a", "hook", 6, None), ("b", "hook", 6, "no answer")))
    assert outcome(store) == [("a", ["hook"], at(6), 2, None), ("b", [], None, 1, "no answer")]
    store.note_tries(tries(("a", "file", 7, "full"), ("a", "hook", 7, None)))
    assert outcome(store)[0] == ("a", ["hook"], at(7), 4, "full")
    store.note_tries(tries(("a", "file", 8, None)))
    assert outcome(store)[0] == ("a", ["file", "hook"], at(8), 5, None)


def test_no_attempts_change_nothing(store: StateStore) -> None:
    store.add_alerts(alerts("a"))
    before = store.alerts("desk")
    store.note_tries(tries())
    assert_frame_equal(store.alerts("desk"), before)


def test_a_store_without_a_file_has_none(store: StateStore) -> None:
    assert store.alerts("desk").is_empty()
    assert not store.path.exists()
