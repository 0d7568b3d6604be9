"""The desk's word on stories: which verdict and which state speaks of which, and what is shown again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit import schemas
from brandkit.pipeline import History, RunContext
from brandkit.scoring.desk_word import with_desk
from tests.frames import AS_OF, context

H = timedelta(hours=1)
ITEMS, STORIES = ("a", "b", "c", "d"), ("s1", "s2", "s3")
DECISIONS = list(schemas.DECISION.categories)
Said = dict[str, Any]


def past(
    verdicts: Sequence[Said] = (), states: Sequence[Said] = (), *, as_of: datetime = AS_OF
) -> RunContext:
    """A run that knows what was said; ids count up in the order of the rows."""
    given = [{"verdict_id": f"verdict-{n:07d}", **row} for n, row in enumerate(verdicts)]
    changed = [{"state_id": f"state-{n:07d}", **row} for n, row in enumerate(states)]
    history = replace(
        History.empty(),
        verdicts=pl.DataFrame(given, schema=dict(schemas.VERDICT)),
        story_states=pl.DataFrame(changed, schema=dict(schemas.STORY_STATE)),
    )
    return context(as_of=as_of, history=history)


def told(
    ctx: RunContext, placed: dict[str, str] | None = None, *, decision: str = "watch", disputed: bool = False
) -> dict[str, Said]:
    """Each story as the desk finds it, of items in their stories: 'a' in s1 unless said otherwise."""
    placed = placed or {"a": "s1"}
    frame = pl.DataFrame({"item_id": list(placed), "story_id": list(placed.values())})
    stories = pl.LazyFrame(
        {
            "story_id": sorted(set(placed.values())),
            "decision": decision,
            "disputed": disputed,
        },
        schema_overrides={"decision": schemas.DECISION},
    )
    found = with_desk(stories, frame, ctx).sort("story_id").collect()
    assert found.height == len(set(placed.values()))
    return {row["story_id"]: row for row in found.to_dicts()}


def said(story: str = "s1", decision: str = "drop", at: datetime = AS_OF - H, **more: Any) -> Said:
    return {"story_id": story, "item_id": "a", "decision": decision, "given_at": at, **more}


def done(state: str = "handled", *, at: datetime = AS_OF - H, **more: Any) -> Said:
    usual = {"story_id": "s1", "item_id": "a", "decision": "watch", "disputed": False}
    return {**usual, "desk_state": state, "changed_at": at, **more}


hours = st.integers(-6, 3).map(lambda n: AS_OF + n * H)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "story_id": st.sampled_from(STORIES),
            "item_id": st.sampled_from([*ITEMS, None]),
            "decision": st.sampled_from(DECISIONS),
            "given_at": hours,
            "expires_at": st.one_of(st.none(), hours),
        }
    ),
    max_size=8,
)
placements = st.fixed_dictionaries({item: st.sampled_from(STORIES) for item in ITEMS})


@given(rows, placements)
@settings(max_examples=80, deadline=None)
def test_a_storys_own_newest_word_counts_else_the_newest_on_an_item_that_is_in_it(
    rows: list[Said], placed: dict[str, str]
) -> None:
    found = told(past(rows), placed)
    standing = [
        (row["given_at"], n, row)
        for n, row in enumerate(rows)
        if row["given_at"] <= AS_OF and (row["expires_at"] is None or row["expires_at"] > AS_OF)
    ]
    newest: dict[str, Any] = {}
    for at, n, row in sorted(standing, key=lambda entry: entry[:2]):
        newest[row["story_id"]] = (at, n, row)
    for story, row in found.items():
        follows = [entry for entry in newest.values() if placed.get(entry[2]["item_id"]) == story]
        speaks = newest.get(story) or max(follows, default=None, key=lambda entry: entry[:2])
        assert row["effective_decision"] == (speaks[2]["decision"] if speaks else "watch")
        assert row["verdict_id"] == (f"verdict-{speaks[1]:07d}" if speaks else None)


@given(rows, placements)
@settings(max_examples=30, deadline=None)
def test_the_order_in_which_things_were_read_is_nothing_to_anybody(
    rows: list[Said], placed: dict[str, str]
) -> None:
    ctx = past(rows)
    turned = replace(ctx, history=replace(ctx.history, verdicts=ctx.history.verdicts.reverse()))
    assert told(ctx, placed) == told(turned, dict(reversed(placed.items())))


def test_a_verdict_follows_its_item_into_a_story_of_another_name() -> None:
    assert told(past([said("s1")]), {"a": "s2"})["s2"]["effective_decision"] == "drop"


def test_after_a_split_both_parts_have_the_verdict_until_somebody_says_otherwise() -> None:
    parted = {"a": "s2", "b": "s1"}
    found = told(past([said("s1")]), parted)
    assert [found[story]["effective_decision"] for story in ("s1", "s2")] == ["drop", "drop"]
    later = told(past([said("s1"), said("s2", "optional", AS_OF)]), parted)
    assert [later[story]["effective_decision"] for story in ("s1", "s2")] == ["drop", "optional"]


def test_a_merged_storys_own_verdict_comes_before_the_one_that_was_brought_along() -> None:
    merged = {"a": "s2", "b": "s2"}
    brought = said("s1", "must_cover", AS_OF)
    assert told(past([brought]), merged)["s2"]["effective_decision"] == "must_cover"
    own = said("s2", "watch", AS_OF - 5 * H, item_id="b")
    assert told(past([own, brought]), merged)["s2"]["effective_decision"] == "watch"


def test_two_verdicts_of_one_instant_are_taken_in_the_order_they_were_given() -> None:
    assert told(past([said(decision="must_cover"), said(decision="drop")]))["s1"]["verdict_id"] == (
        "verdict-0000001"
    )


def test_without_a_word_a_story_is_open_and_as_the_score_says() -> None:
    row = told(past(), disputed=True, decision="must_cover")["s1"]
    assert (row["effective_decision"], row["desk_state"]) == ("must_cover", "open")
    quiet = ("verdict_id", "state_id", "assignee", "snoozed_until", "reopened")
    assert {row[name] for name in quiet} == {None}


@pytest.mark.parametrize("state", ["handled", "assigned", "snoozed"])
def test_a_state_is_known_from_the_instant_it_was_set(state: str) -> None:
    until = {"snoozed_until": AS_OF + 2 * H} if state == "snoozed" else {}
    change = done(state, at=AS_OF, **until)
    assert told(past(states=[change]))["s1"]["desk_state"] == state
    assert told(past(states=[change], as_of=AS_OF - H))["s1"]["desk_state"] == "open"


def test_the_newest_state_counts_and_follows_its_item() -> None:
    changes = [done("assigned", at=AS_OF - 2 * H, assignee="Ann"), done("handled")]
    assert told(past(states=changes))["s1"]["desk_state"] == "handled"
    row = told(past(states=changes[:1]), {"a": "s3"})["s3"]
    assert (row["desk_state"], row["assignee"], row["state_id"]) == ("assigned", "Ann", "state-0000000")


@pytest.mark.parametrize(
    ("left_to", "state"), [(None, "open"), ("Ann", "assigned")], ids=["to nobody", "to somebody"]
)
def test_a_snooze_ends_at_its_instant_and_the_story_falls_to_whom_it_was_left(
    left_to: str | None, state: str
) -> None:
    snoozed = [done("snoozed", snoozed_until=AS_OF + H, assignee=left_to)]
    before = told(past(states=snoozed))["s1"]
    assert (before["desk_state"], before["snoozed_until"], before["reopened"]) == ("snoozed", AS_OF + H, None)
    after = told(past(states=snoozed, as_of=AS_OF + H))["s1"]
    assert (after["desk_state"], after["snoozed_until"]) == (state, None)
    assert (after["reopened"], after["assignee"]) == ("snooze_over", left_to)


@pytest.mark.parametrize("state", ["handled", "snoozed"])
@pytest.mark.parametrize(
    ("then", "now", "reopened"),
    [
        ("watch", "must_cover", "must_cover"),
        ("must_cover", "block", "block"),
        ("block", "must_cover", "must_cover"),
        ("drop", "optional", None),  # up, but nothing that cannot wait for tomorrow's eyes
        ("must_cover", "must_cover", None),  # yesterday's must_cover is not news
        ("must_cover", "drop", None),
        (None, "must_cover", "must_cover"),  # not known how it stood: better shown once too often
        (None, "watch", None),
    ],
)
def test_what_is_put_aside_comes_back_when_it_is_worse_than_it_was(
    state: str, then: str | None, now: str, reopened: str | None
) -> None:
    until = {"snoozed_until": AS_OF + 9 * H} if state == "snoozed" else {}
    row = told(past(states=[done(state, decision=then, **until)]), decision=now)["s1"]
    assert (row["reopened"], row["desk_state"]) == (reopened, "open" if reopened else state)


def test_what_is_put_aside_comes_back_when_it_is_disputed_since() -> None:
    assert told(past(states=[done()]), disputed=True)["s1"]["reopened"] == "disputed"
    assert told(past(states=[done(disputed=True)]), disputed=True)["s1"]["desk_state"] == "handled"
    # The correction is said first: it is what changes the work.
    both = told(past(states=[done()]), decision="must_cover", disputed=True)
    assert both["s1"]["reopened"] == "disputed"


def test_a_verdict_that_makes_it_must_cover_brings_it_back_too() -> None:
    row = told(past([said(decision="must_cover")], [done(at=AS_OF - 2 * H)]))["s1"]
    assert (row["decision"], row["reopened"]) == ("watch", "must_cover")


def test_an_assigned_story_stays_with_whoever_has_it_whatever_happens() -> None:
    row = told(past(states=[done("assigned", assignee="Ann")]), decision="must_cover", disputed=True)["s1"]
    assert (row["desk_state"], row["assignee"], row["reopened"]) == ("assigned", "Ann", None)


def test_a_history_without_the_newer_columns_is_read_as_saying_nothing_of_them() -> None:
    ctx = past([said()])
    older = ctx.history.verdicts.drop("verdict_id", "item_id")
    row = told(replace(ctx, history=replace(ctx.history, verdicts=older)))["s1"]
    assert (row["effective_decision"], row["verdict_id"]) == ("drop", None)
