from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import polars as pl
import pytest

from brandkit import schemas
from brandkit.report import daily
from brandkit.report.brief import Brief, headline
from brandkit.report.cards import cards
from brandkit.report.desk_word import aside, commands, counted_aside, lines, state_line, verdict_line
from brandkit.report.tables import card
from brandkit.store.states import STORY_STATES
from brandkit.store.verdicts import VERDICTS
from tests.unit.report.briefs import HOSTILE, briefed, read

RECALL, OWN = "Nordlys issues recall notice for heaters", "Nordlys opens a depot"
# Noon on the desk's day, in Oslo.
NOON = datetime(2026, 3, 4, 11, tzinfo=UTC)
DAY = timedelta(days=1)


@cache
def made(*titles: str) -> Brief:
    return briefed([{"title": title} for title in titles])


def spoken(*titles: str, verdict: dict[str, Any] | None = None, **story: Any) -> Brief:
    """The brief of these headlines, of whose stories all this was said."""
    brief = made(*(titles or (RECALL,)))
    given = {"verdict_id": "v1", "given_by": "Ann", "given_at": NOON - DAY, "reason": "seen before"}
    changed = {"state_id": "st1", "changed_by": "Bo", "changed_at": NOON}
    said = {"desk_state": story.get("desk_state", "open"), **changed, **story.pop("changed", {})}
    columns = {"effective_decision": (verdict or {}).get("decision"), "verdict_id": verdict and "v1", **story}
    return replace(
        brief,
        stories=brief.stories.with_columns(
            pl.lit(value, schemas.STORY[name]).alias(name) for name, value in columns.items() if value
        ).with_columns(state_id=pl.lit("st1")),
        verdicts=pl.DataFrame([{**given, **(verdict or {})}], schema=dict(VERDICTS)),
        states=pl.DataFrame([said], schema=dict(STORY_STATES)),
    )


def first(brief: Brief) -> dict[str, Any]:
    return brief.told.row(0, named=True)


def test_a_verdict_says_what_who_when_until_why_and_what_the_score_says() -> None:
    brief = spoken(verdict={"decision": "watch", "expires_at": NOON + DAY})
    assert verdict_line(brief, first(brief)) == (
        "watch, by Ann, 3 Mar 12:00, until 5 Mar 12:00: seen before. The score alone says must cover."
    )


def test_a_verdict_that_agrees_with_the_score_is_told_too() -> None:
    brief = spoken(verdict={"decision": "must_cover", "given_by": None, "reason": None})
    assert verdict_line(brief, first(brief)) == (
        "must cover, by somebody, 3 Mar 12:00. The score alone says the same."
    )


def test_where_nobody_spoke_nothing_is_said() -> None:
    brief = made(RECALL)
    assert verdict_line(brief, first(brief)) == state_line(brief, first(brief)) == ""


@pytest.mark.parametrize(
    ("story", "told"),
    [
        (
            {"desk_state": "assigned", "assignee": "Cy", "changed": {"assignee": "Cy", "note": "call"}},
            "assigned to Cy by Bo, 12:00: call",
        ),
        (
            {"desk_state": "snoozed", "changed": {"snoozed_until": NOON + DAY}},
            "snoozed by Bo, 12:00, until 5 Mar 12:00",
        ),
        ({"desk_state": "handled"}, "handled by Bo, 12:00"),
        ({"reopened": "must_cover", "changed": {"desk_state": "handled"}},
         "shown again: handled by Bo, 12:00; it must be covered since"),
        ({"reopened": "block", "changed": {"desk_state": "handled"}},
         "shown again: handled by Bo, 12:00; it must not be amplified since"),
        ({"reopened": "snooze_over", "desk_state": "assigned", "assignee": "Cy",
          "changed": {"desk_state": "snoozed", "snoozed_until": NOON}},
         "shown again: snoozed by Bo, 12:00, until 12:00; its time is over; assigned to Cy"),
    ],
)  # fmt: skip
def test_what_was_done_with_a_story_is_said_in_one_line(story: dict[str, Any], told: str) -> None:
    brief = spoken(**story)
    assert state_line(brief, first(brief)) == told
    # Without the rows of the store the line is shorter, and still there.
    bare = replace(brief, states=brief.states.clear())
    assert state_line(bare, first(bare))


def test_what_is_put_aside_stands_apart_and_is_counted() -> None:
    brief = spoken(RECALL, OWN, desk_state="handled")
    assert (brief.active("must_cover").height, brief.aside("must_cover").height) == (0, 1)
    found = aside(brief, brief.aside("optional"))
    assert found.select("title", "what").rows() == [(OWN, "handled by Bo, 12:00")]
    assert counted_aside(brief.told) == "Handled: 2"
    mixed = brief.told.with_columns(desk_state=pl.Series(["handled", "snoozed"], dtype=schemas.DESK_STATE))
    assert counted_aside(mixed) == "Handled: 1, snoozed: 1"
    assert headline(brief).startswith("No story must be covered (1 handled or snoozed), 1 is optional")
    for section in (daily.must_cover, daily.optional):
        told = read(section(brief).markup).text
        assert "Nothing is left to do here." in told
        assert "Handled: 1" in told


def test_the_desks_word_comes_before_the_reason_in_a_line() -> None:
    assigned = {"desk_state": "assigned", "assignee": "Cy", "changed": {"assignee": "Cy"}}
    brief = spoken(OWN, verdict={"decision": "watch"}, **assigned)
    assert lines(brief, brief.told)["why"].to_list() == [
        "assigned to Cy by Bo, 12:00 · verdict: watch, by Ann, 3 Mar 12:00: seen before. "
        "The score alone says optional. · Our own name stands in its title."
    ]


def test_hostile_reasons_notes_and_names_stay_text() -> None:
    for text in HOSTILE:
        verdict = {"decision": "must_cover", "reason": text, "given_by": text}
        changed = {"note": text, "changed_by": text, "assignee": text}
        open_ = spoken(verdict=verdict, desk_state="assigned", assignee=text, changed=changed)
        (story,) = cards(open_, "must_cover", most=1)
        assert not read(card(story, is_drawn=False).markup).live
        done = spoken(verdict=verdict, desk_state="handled", changed=changed)
        assert not read(daily.must_cover(done).markup).live


def test_commands_are_what_a_shell_takes_for_one_word_each() -> None:
    brief = made(RECALL)
    told = commands(brief, "3f9c2a71b2c3d4e5")
    assert [shlex.split(command)[:3] for command in told] == [
        ["brandkit", name, "3f9c2a71b2c3d4e5"] for name in ("verdict", "state", "explain")
    ]
    hostile = commands(brief, "$(rm -rf ~); 'x")
    assert all("$(rm -rf ~); 'x" in shlex.split(command) for command in hostile)
