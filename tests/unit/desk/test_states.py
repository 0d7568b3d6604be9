from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from brandkit.desk.states import LISTED, StoryState, list_states, set_state
from brandkit.desk.verdicts import give_verdict
from brandkit.errors import UnknownError, UsageError
from brandkit.store.state import StateStore
from tests.unit.desk.words import EVENING, H, Monday, monday

Desk = tuple[StateStore, Monday]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return monday(tmp_path)


def put(desk: Desk, state: str = "handled", item: str = "recall", **more: Any) -> StoryState:
    store, known = desk
    return set_state(
        known.items.get(item, item), state, **{"actor": "Ann", "at": EVENING, "store": store, **more}
    )


def test_a_state_is_kept_with_who_when_why_and_how_the_story_stood(desk: Desk) -> None:
    store, known = desk
    made = put(desk, "snoozed", assignee="Bo", until="2026-03-04", note="wait for\nthe court")
    kept = store.story_states("desk").row(0, named=True)
    assert kept["state_id"] == made.state_id
    assert (kept["story_id"], kept["item_id"]) == (known.stories["recall"], known.items["recall"])
    assert (kept["desk_state"], kept["assignee"], kept["note"]) == ("snoozed", "Bo", "wait for the court")
    assert (kept["changed_by"], kept["changed_at"]) == ("Ann", EVENING)
    assert kept["snoozed_until"] == datetime(2026, 3, 5, tzinfo=UTC)
    assert (kept["decision"], kept["disputed"]) == ("must_cover", False)


def test_how_a_story_stood_for_the_desk_is_what_its_verdict_said(desk: Desk) -> None:
    store, known = desk
    give_verdict(
        known.items["beta"], "optional", actor="Ann", reason="r", at=EVENING, until=EVENING + H, store=store
    )
    assert put(desk).decision == "optional"
    assert put(desk, at=EVENING + H).decision == "must_cover"  # the verdict has ended
    assert put(desk, item="ferry").decision == "drop"  # it was another story's


@pytest.mark.parametrize(
    ("wrong", "error", "told"),
    [
        ({"state": "handeld"}, UnknownError, "did you mean 'handled'"),
        ({"state": "assigned"}, UsageError, "assigned needs assignee"),
        ({"state": "handled", "assignee": "Bo"}, UsageError, "handled has no assignee"),
        ({"state": "snoozed"}, UsageError, "snoozed needs an end"),
        ({"state": "open", "until": "2026-03-09"}, UsageError, "open has no end"),
        ({"state": "snoozed", "until": EVENING}, UsageError, "is over already"),
        ({"state": "assigned", "assignee": " "}, UsageError, "no assignee given"),
        ({"note": "\u200b"}, UsageError, "no note given"),
        ({"actor": ""}, UsageError, "no name of who says so given"),
        ({"at": datetime(2026, 3, 3)}, UsageError, "at has no time zone"),
        ({"item": "ffffffffffffffff"}, UnknownError, "no item or story"),
    ],
)
def test_what_does_not_go_together_is_refused_and_nothing_is_kept(
    desk: Desk, wrong: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        put(desk, **wrong)
    assert desk[0].info().n_rows["story_states"] == 0


def test_every_change_is_listed_the_newest_first_and_each_storys_last_is_marked(desk: Desk) -> None:
    store, known = desk
    assert list_states(store, "desk").schema == pl.Schema(LISTED)
    put(desk, "assigned", assignee="Bo", at=EVENING - H)
    put(desk, item="ferry")
    put(desk)
    listed = list_states(store, "desk")
    assert listed.select("desk_state", "is_newest").rows() == [
        ("handled", True), ("handled", True), ("assigned", False),
    ]  # fmt: skip
    assert listed["title"].to_list()[1] == "Ferry strike leaves islanders waiting at the harbour"
    of_one = list_states(store, "desk", story=known.items["gamma"])
    assert of_one["desk_state"].to_list() == ["handled", "assigned"]
