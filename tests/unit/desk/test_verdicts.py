from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from brandkit.desk.verdicts import (
    LISTED,
    STATES,
    Verdict,
    give_verdict,
    list_verdicts,
    stale_verdicts,
    withdraw_verdict,
)
from brandkit.errors import UnknownError, UsageError
from brandkit.schemas import Decision
from brandkit.store.state import StateStore
from tests.store_frames import publish, records
from tests.unit.desk.words import EVENING, RUN, H, Monday, monday

Desk = tuple[StateStore, Monday]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return monday(tmp_path)


def give(desk: Desk, item: str = "recall", decision: Decision | str = "drop", **more: Any) -> Verdict:
    store, known = desk
    usual: dict[str, Any] = {"actor": "Ann", "reason": "seen before", "at": EVENING, "store": store}
    return give_verdict(known.items.get(item, item), decision, **{**usual, **more})


def states(desk: Desk, **more: Any) -> dict[str, str]:
    store, _ = desk
    found = list_verdicts(store, "desk", **{"at": EVENING + H, **more})
    return dict(found.select("verdict_id", "state").rows())


def test_a_verdict_is_kept_with_its_story_its_item_and_all_that_was_said(desk: Desk) -> None:
    store, known = desk
    made = give(desk, until="2026-03-09")
    kept = store.verdicts("desk").row(0, named=True)
    assert {name: value for name, value in asdict(made).items() if name in kept} == {
        name: value for name, value in kept.items() if name in asdict(made)
    }
    assert (made.story_id, made.item_id) == (known.stories["recall"], known.items["recall"])
    assert (made.decided, made.decision, made.profile_id) == ("must_cover", "drop", "desk")
    assert made.title == "Nordlys orders recall of oat drink as prices rise"
    # The desk keeps UTC: the 9th ends with it.
    assert made.expires_at == datetime(2026, 3, 10, tzinfo=UTC)


def test_a_storys_id_stands_for_its_lead_and_a_beginning_for_the_whole(desk: Desk) -> None:
    _, known = desk
    by_story = give(desk, known.stories["recall"])
    by_prefix = give(desk, known.items["recall"][:9])
    assert by_story.item_id == by_prefix.item_id == known.items["recall"]
    # An item that does not lead is the one the verdict goes with.
    assert give(desk, "gamma").item_id == known.items["gamma"]


@pytest.mark.parametrize("written", ["must_cover", "Must cover", "must-cover", Decision.MUST_COVER])
def test_a_decision_may_be_written_as_it_is_said(desk: Desk, written: str) -> None:
    assert give(desk, decision=written).decision == "must_cover"


@pytest.mark.parametrize(
    ("wrong", "error", "told"),
    [
        ({"decision": "mustcover"}, UnknownError, "did you mean 'must_cover'"),
        ({"item": "ffffffffffffffff"}, UnknownError, "no item or story"),
        ({"reason": " \u200b\n"}, UsageError, "no reason given"),
        ({"reason": "x" * 501}, UsageError, "a reason of 501 characters"),
        ({"actor": ""}, UsageError, "no name of who says so given"),
        ({"actor": "x" * 81}, UsageError, "a name of who says so of 81 characters"),
        ({"at": datetime(2026, 3, 3)}, UsageError, "at has no time zone"),
        ({"until": datetime(2026, 3, 9)}, UsageError, "until has no time zone"),
        ({"until": "2026-03-09T10:00"}, UsageError, "until has no time zone"),
        ({"until": "next week"}, UsageError, "not a time: 'next week'"),
        ({"until": EVENING}, UsageError, "is over already"),
        ({"until": date(2026, 3, 2)}, UsageError, "is over already"),
        ({"profile_id": "other"}, UnknownError, "no complete run of profile 'other'"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_kept(
    desk: Desk, wrong: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        give(desk, **wrong)
    assert desk[0].info().n_rows["verdicts"] == 0


def test_words_are_kept_on_one_line_without_what_a_terminal_would_obey(desk: Desk) -> None:
    made = give(desk, reason="\x1b[2Jseen\n\tbefore \u202e", actor="A\x00nn")
    assert (made.reason, made.given_by) == ("[2Jseen before", "Ann")
    quoted = "'; DROP TABLE verdicts; --"
    assert give(desk, reason=quoted).reason == quoted


def test_what_became_of_each_verdict_is_listed_with_the_title_of_its_item(desk: Desk) -> None:
    store, known = desk
    old = give(desk, at=EVENING - 2 * H).verdict_id
    new = give(desk, decision="watch").verdict_id
    lapsed = give(desk, "ferry", until=EVENING + H).verdict_id
    taken = give(desk, "velmora").verdict_id
    withdraw_verdict(taken, actor="Bo", reason="not ours", at=EVENING, store=store)
    assert states(desk) == {new: "standing", old: "superseded", lapsed: "expired", taken: "withdrawn"}
    listed = list_verdicts(store, "desk", at=EVENING + H)
    assert listed.schema == pl.Schema(LISTED)
    assert listed["title"].null_count() == 0
    assert list(dict.fromkeys(listed["state"])) == [name for name in STATES if name != "unseen"]
    # An hour earlier the one was still in force; and each story has its own list.
    assert states(desk, at=EVENING)[lapsed] == "standing"
    assert states(desk, item=known.items["beta"]) == {new: "standing", old: "superseded"}


def test_what_expired_or_is_out_of_sight_is_stale(desk: Desk) -> None:
    store, _ = desk
    gone, lapsed = give(desk), give(desk, "ferry", until=EVENING + H)
    stale = stale_verdicts(store, "desk", at=EVENING + H)
    assert stale["verdict_id"].to_list() == [lapsed.verdict_id]
    # Three days on which nobody saw anything of it.
    for day in (3, 4, 5):
        publish(store, records((99, "s_other")), run_on=date(2026, 3, day))
    stale = stale_verdicts(store, "desk", at=EVENING + H)
    assert dict(stale.select("verdict_id", "state").rows()) == {
        gone.verdict_id: "unseen", lapsed.verdict_id: "expired",
    }  # fmt: skip


def test_a_verdict_is_withdrawn_by_its_id_or_by_the_story_it_stands_on(desk: Desk) -> None:
    store, known = desk
    older, newer = give(desk, at=EVENING - H), give(desk, decision="watch")
    said: dict[str, Any] = {"actor": "Bo", "reason": "no", "at": EVENING, "store": store}
    assert withdraw_verdict(known.stories["recall"], **said) == newer.verdict_id
    assert states(desk)[older.verdict_id] == "standing"
    assert withdraw_verdict(older.verdict_id, **said) == older.verdict_id
    with pytest.raises(UnknownError, match="no verdict stands on story"):
        withdraw_verdict(known.items["recall"], **said)


def test_a_run_is_not_changed_by_what_is_said_of_it_afterwards(desk: Desk) -> None:
    store, _ = desk
    before = store.stories(RUN)
    give(desk)
    assert store.stories(RUN).equals(before)
