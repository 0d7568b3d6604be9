"""What the desk says today is in tomorrow's brief: verdicts, merges and splits, and who has which story."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import brandkit as bk
from brandkit.desk.stories import undo_rule
from brandkit.desk.verdicts import withdraw_verdict
from brandkit.report import daily
from brandkit.report.brief import Brief, headline
from brandkit.report.cards import Card, cards
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore
from tests.flow.newsdesk import (
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    Row,
    ran,
    records,
    row,
    same_bytes,
    sample,
    technology,
)  # fmt: skip
from tests.unit.desk.words import EVENING, H, Monday, monday
from tests.unit.report.briefs import read

# The story goes on for two days, each time by the same newsroom: no new ground for anything.
TUESDAYS: tuple[Row, ...] = (
    row("alpha.example", "Nordlys recall of oat drink goes on as prices rise", on=TUESDAY),
    row("beta.example", "Ferry strike leaves islanders waiting at the harbour again", on=TUESDAY),
)
WEDNESDAYS: tuple[Row, ...] = (
    row("alpha.example", "Nordlys oat drink recall goes on as prices rise more", on=WEDNESDAY),
)
DENIED: tuple[Row, ...] = (
    *TUESDAYS,
    row("wire.example", "Nordlys denies recall of oat drink, calls claim false", on=TUESDAY),
)
Desk = tuple[bk.Runner, Monday]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Monday is over; it is evening, and the desk may speak."""
    store, known = monday(tmp_path)
    return bk.Runner(store), known


def said(desk: Desk, **more: Any) -> dict[str, Any]:
    return {"actor": "Ann", "at": EVENING, "store": desk[0].store, **more}


def recall(desk: Desk, rows: tuple[Row, ...] = TUESDAYS, on: str = TUESDAY, **more: Any) -> dict[str, Any]:
    """How the story of the recall stands on a later day."""
    stories = day(desk, rows, on, **more)
    return stories.filter(pl.col("item_ids").list.contains(desk[1].items["recall"])).row(0, named=True)


def day(desk: Desk, rows: tuple[Row, ...], on: str, **more: Any) -> pl.DataFrame:
    return desk[0].store.stories(ran(desk[0], rows, on=on, **more).run_id)


def latest(desk: Desk) -> RunRow:
    run = desk[0].store.latest("desk", "daily")
    assert run is not None
    return run


def brief(desk: Desk) -> Brief:
    return Brief.read(desk[0].store, latest(desk).run_id)


def text(markup: str) -> str:
    return read(markup).text


def test_todays_verdict_is_tomorrows_effective_decision_and_the_score_stays_what_it_was(desk: Desk) -> None:
    store, known = desk[0].store, desk[1]
    silent = same_bytes(records(desk[0], ran(desk[0], TUESDAYS, on=TUESDAY)))
    made = bk.give_verdict(known.items["beta"], "watch", reason="an old story", until=WEDNESDAY, **said(desk))
    story = recall(desk)
    assert (story["decision"], story["effective_decision"]) == ("must_cover", "watch")
    assert story["verdict_id"] == made.verdict_id
    # The records know nothing of it: they are those of a desk that said nothing.
    assert latest(desk).attempt == 2
    assert same_bytes(store.records(latest(desk))) == silent
    # And while nobody says more, there is nothing to do.
    assert ran(desk[0], TUESDAYS, on=TUESDAY).is_repeat


def test_a_verdict_ends_by_itself_and_one_that_is_withdrawn_at_once(desk: Desk) -> None:
    known = desk[1]
    bk.give_verdict(known.items["recall"], "drop", reason="r", until=EVENING + 30 * H, **said(desk))
    made = bk.give_verdict(known.items["ferry"], "optional", reason="r", **said(desk))
    first = day(desk, TUESDAYS, TUESDAY)
    assert set(first["verdict_id"].drop_nulls()) == {"verdict-0000001", made.verdict_id}
    withdraw_verdict(made.verdict_id, reason="no", **said(desk))
    assert day(desk, TUESDAYS, TUESDAY)["verdict_id"].drop_nulls().to_list() == ["verdict-0000001"]
    later = recall(desk, WEDNESDAYS, WEDNESDAY)
    assert (later["effective_decision"], later["verdict_id"]) == ("must_cover", None)


def test_a_merge_is_obeyed_tomorrow_takes_the_verdict_along_and_can_be_undone(desk: Desk) -> None:
    runner, known = desk
    ferry, main = known.items["ferry"], known.items["recall"]
    bk.give_verdict(ferry, "optional", reason="their boat, our drink", **said(desk))
    made = bk.merge_stories(main, ferry, reason="one strike", **said(desk))
    both = recall(desk)
    assert {main, ferry, known.items["gamma"]} <= set(both["item_ids"])
    # Its own id is the larger story's, and the verdict came with its item.
    assert (both["story_id"], both["effective_decision"]) == (known.stories["recall"], "optional")
    undo_rule(made.rule_id, reason="two strikes", **said(desk, at=EVENING + 30 * H))
    ferries = row("beta.example", "Ferry strike: islanders wait at the harbour", on=WEDNESDAY)
    stories = day(desk, (*WEDNESDAYS, ferries), WEDNESDAY)
    parts = stories.filter(pl.col("item_ids").list.eval(pl.element().is_in([main, ferry])).list.any())
    assert parts.height == 2


def test_a_split_is_obeyed_tomorrow_until_it_is_undone(desk: Desk) -> None:
    known = desk[1]
    made = bk.split_story(known.items["gamma"], reason="last year's recall", **said(desk))
    # Beta tells it in nearly the words of gamma, and goes with it.
    assert set(known.items.values()) & set(recall(desk)["item_ids"]) == {known.items["recall"]}
    undo_rule(made.rule_id, reason="one story after all", **said(desk, at=EVENING + 30 * H))
    assert known.items["gamma"] in recall(desk, WEDNESDAYS, WEDNESDAY)["item_ids"]


def test_yesterdays_must_cover_that_was_handled_does_not_come_back_as_new(desk: Desk) -> None:
    known = desk[1]
    bk.set_state(known.items["recall"], "handled", note="ran at noon", **said(desk, actor="Bo"))
    story = recall(desk)
    assert (story["decision"], story["desk_state"], story["is_continued"]) == ("must_cover", "handled", True)
    shown = brief(desk)
    assert cards(shown, "must_cover", most=9) == []
    assert headline(shown).startswith("No story must be covered (1 handled or snoozed)")
    told = text(daily.must_cover(shown).markup)
    assert "Nothing is left to do here." in told
    assert "Handled: 1" in told
    assert "handled by Bo, 00:00: ran at noon" in told
    assert TUESDAYS[0]["title"] in told
    # And the day after: it stays handled until something happens.
    assert recall(desk, WEDNESDAYS, WEDNESDAY)["desk_state"] == "handled"


def test_what_was_handled_is_shown_again_when_a_trusted_publisher_disputes_it(desk: Desk) -> None:
    bk.set_state(desk[1].items["recall"], "handled", **said(desk, actor="Bo"))
    story = recall(desk, DENIED)
    assert (story["desk_state"], story["reopened"], story["disputed"]) == ("open", "disputed", True)
    (card,) = cards(brief(desk), story["effective_decision"], most=9)
    assert card.state == ("shown again: handled by Bo, 00:00; a trusted publisher disputes it since")


def test_a_snoozed_story_comes_back_at_its_hour_to_whom_it_was_left(desk: Desk) -> None:
    noon = EVENING + 12 * H
    bk.set_state(desk[1].items["recall"], "snoozed", until=noon, assignee="Cy", **said(desk))
    morning = recall(desk, as_of=noon - H)
    assert (morning["desk_state"], morning["snoozed_until"]) == ("snoozed", noon)
    assert "snoozed: 1" in text(daily.must_cover(brief(desk)).markup).lower()
    after = recall(desk, as_of=noon)
    assert (after["desk_state"], after["assignee"], after["reopened"]) == ("assigned", "Cy", "snooze_over")
    (card,) = cards(brief(desk), "must_cover", most=9)
    assert card.state.endswith("its time is over; assigned to Cy")


def test_the_card_says_who_has_the_story_what_was_said_of_it_and_how_to_say_more(desk: Desk) -> None:
    known = desk[1]
    bk.set_state(known.items["recall"], "assigned", assignee="Cy <b>", note="call $5", **said(desk))
    bk.give_verdict(known.items["recall"], "must_cover", reason="<script>ours", until=WEDNESDAY, **said(desk))
    recall(desk)
    (card,) = cards(brief(desk), "must_cover", most=9)
    assert card.state == "assigned to Cy <b> by Ann, 00:00: call $5"
    assert card.verdict == (
        "must cover, by Ann, 00:00, until 5 Mar 00:00: <script>ours. The score alone says the same."
    )
    assert f"brandkit verdict {card.item_id} drop --reason 'say why' --profile desk" in card.commands
    page = read(daily.must_cover(brief(desk)).markup)
    assert not page.live
    assert all(words in page.text for words in (card.state, card.verdict, *card.commands))
    assert_only_ids(card)


def assert_only_ids(card: Card) -> None:
    for command in card.commands:
        assert set(command) <= set("abcdefghijklmnopqrstuvwxyz0123456789 -'")


def test_two_days_of_the_sample_obey_an_editor_who_knows_better(tmp_path: Path) -> None:
    runner = bk.Runner(StateStore(tmp_path / "desk.duckdb", cache=None))
    first = runner.run(bk.Task(date=MONDAY, profile=technology(), inputs=sample(MONDAY, 400)))
    assert first.ok, str(first.error)
    stories = runner.store.stories(first.run_id).sort("n_items", "story_id", descending=[True, False])
    large, second, third = stories.head(3).to_dicts()
    stranger = next(item for item in large["item_ids"] if item != large["lead_item_id"])
    words: dict[str, Any] = {
        "actor": "Ann", "reason": "I know", "at": EVENING - timedelta(hours=1), "store": runner.store,
    }  # fmt: skip
    bk.merge_stories(second["story_id"], third["story_id"], **words)
    bk.split_story(stranger, **words)
    bk.set_state(large["story_id"], "handled", actor="Bo", at=words["at"], store=runner.store)
    result = runner.run(bk.Task(date=TUESDAY, profile=technology(), inputs=sample(TUESDAY, 400)))
    assert result.ok, str(result.error)
    now = runner.store.stories(result.run_id)
    placed = {item: row["story_id"] for row in now.to_dicts() for item in row["item_ids"]}
    assert placed[second["lead_item_id"]] == placed[third["lead_item_id"]]
    assert placed.get(stranger) != placed[large["lead_item_id"]]
    kept = now.filter(story_id=placed[large["lead_item_id"]]).row(0, named=True)
    assert kept["desk_state"] == "handled" or kept["reopened"] is not None
    assert bk.verify(result.run_id, runner.store).ok
