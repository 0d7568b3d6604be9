from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit.desk.stories import LISTED, _holding, list_rules, merge_stories, split_story, undo_rule
from brandkit.errors import UnknownError, UsageError
from brandkit.store.state import StateStore
from tests.unit.desk.words import EVENING, H, Monday, monday

Desk = tuple[StateStore, Monday]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return monday(tmp_path)


def said(desk: Desk, **more: Any) -> dict[str, Any]:
    return {"actor": "Ann", "reason": "I know", "at": EVENING, "store": desk[0], **more}


def standing(desk: Desk) -> list[tuple[str, frozenset[str]]]:
    rules = desk[0].story_rules("desk").filter("stands").select("rule", "item_a", "item_b").rows()
    return [(rule, frozenset(pair)) for rule, *pair in rules]


def test_a_merge_links_the_leads_whichever_items_were_named(desk: Desk) -> None:
    _, known = desk
    made = merge_stories(known.items["gamma"], known.items["ferry"], **said(desk))
    pair = frozenset((known.items["recall"], known.items["ferry"]))
    assert standing(desk) == [("must_link", pair)]
    assert {made.item_a, made.item_b} == pair
    assert (made.rule, made.made_by, made.reason, made.undone) == ("must_link", "Ann", "I know", ())


def test_a_split_parts_an_item_from_the_lead_or_from_the_one_that_is_named(desk: Desk) -> None:
    store, known = desk
    items = known.items
    split_story(items["gamma"], **said(desk))
    split_story(items["gamma"], from_item=items["beta"], **said(desk))
    split_story(items["recall"], from_item=items["beta"], **said(desk))
    assert standing(desk) == [
        ("cannot_link", frozenset((items["gamma"], items["recall"]))),
        ("cannot_link", frozenset((items["gamma"], items["beta"]))),
        ("cannot_link", frozenset((items["recall"], items["beta"]))),
    ]


def test_a_merge_undoes_the_splits_between_its_stories_and_leaves_the_others(desk: Desk) -> None:
    store, known = desk
    items = known.items
    for a, b in (("gamma", "ferry"), ("beta", "velmora")):
        store.add_story_rule(
            "desk", rule="cannot_link", item_a=items[a], item_b=items[b], made_at=EVENING - H
        )
    made = merge_stories(items["recall"], items["ferry"], **said(desk))
    assert made.undone == ("rule-0000001",)
    assert standing(desk) == [
        ("cannot_link", frozenset((items["beta"], items["velmora"]))),
        ("must_link", frozenset((items["recall"], items["ferry"]))),
    ]


def test_a_split_undoes_the_merges_that_hold_its_item_and_leaves_the_others(desk: Desk) -> None:
    store, known = desk
    items = known.items
    for a, b in (("gamma", "beta"), ("beta", "recall"), ("gamma", "ferry")):
        store.add_story_rule("desk", rule="must_link", item_a=items[a], item_b=items[b], made_at=EVENING - H)
    made = split_story(items["gamma"], **said(desk))
    # Through beta it was held to the lead; the ferry comes along.
    assert made.undone == ("rule-0000001",)
    assert standing(desk) == [
        ("must_link", frozenset((items["beta"], items["recall"]))),
        ("must_link", frozenset((items["gamma"], items["ferry"]))),
        ("cannot_link", frozenset((items["gamma"], items["recall"]))),
    ]


links = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde")).filter(lambda p: p[0] != p[1]))


@given(links)
@settings(max_examples=200, deadline=None)
def test_without_the_merges_that_hold_it_an_item_is_free_and_with_any_of_them_it_is_not(
    pairs: list[tuple[str, str]],
) -> None:
    rules = [{"rule_id": str(n), "item_a": a, "item_b": b} for n, (a, b) in enumerate(pairs)]
    holding = _holding("a", "b", rules)
    free = [rule for rule in rules if rule not in holding]
    assert "b" not in reached("a", free)
    for rule in holding:
        assert "b" in reached("a", [*free, rule])


def reached(start: str, rules: list[dict[str, str]]) -> set[str]:
    found, fresh = {start}, {start}
    while fresh:
        pairs = [{rule["item_a"], rule["item_b"]} for rule in rules]
        fresh = {end for pair in pairs if pair & found for end in pair} - found
        found |= fresh
    return found


def test_a_merge_or_split_taken_back_is_on_the_record_and_does_not_stand(desk: Desk) -> None:
    store, known = desk
    made = merge_stories(known.items["recall"], known.items["ferry"], **said(desk))
    undone = undo_rule(made.rule_id, **said(desk, reason="two things", actor="Bo"))
    assert standing(desk) == []
    listed = list_rules(store, "desk")
    assert listed.schema == pl.Schema(LISTED)
    assert listed.select("rule_id", "rule", "made_by", "reason").rows() == [
        (undone, "undo", "Bo", "two things"), (made.rule_id, "must_link", "Ann", "I know"),
    ]  # fmt: skip
    assert set(listed["title_a"]) | set(listed["title_b"]) == {made.title_a, made.title_b}
    # And may be said again.
    again = merge_stories(known.items["recall"], known.items["ferry"], **said(desk))
    assert [rule for rule, _ in standing(desk)] == ["must_link"]
    assert again.rule_id > undone


@pytest.mark.parametrize(
    ("act", "error", "told"),
    [
        (lambda d, i: merge_stories(i["gamma"], i["beta"], **said(d)), UsageError, "one story already"),
        (lambda d, i: merge_stories(i["recall"], "ffffff", **said(d)), UnknownError, "no item or story"),
        (lambda d, i: merge_stories(i["recall"], i["ferry"], **said(d, reason="")), UsageError, "no reason"),
        (lambda d, i: merge_stories(i["recall"], i["ferry"], **said(d, actor="")), UsageError, "no name of"),
        (
            lambda d, i: merge_stories(i["recall"], i["ferry"], **said(d, at=datetime(2026, 3, 3))),
            UsageError,
            "at has no time zone",
        ),
        (lambda d, i: split_story(i["recall"], **said(d)), UsageError, "leads its story.*of 3 items"),
        (
            lambda d, i: split_story(i["beta"], from_item=i["beta"], **said(d)),
            UsageError,
            "cannot leave itself",
        ),
        (
            lambda d, i: split_story(i["beta"], from_item=i["ferry"], **said(d)),
            UsageError,
            "two stories already",
        ),
        (lambda d, i: undo_rule("rule-1", **said(d)), UnknownError, "unknown story rule 'rule-1'"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(
    desk: Desk, act: Any, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        act(desk, desk[1].items)
    assert desk[0].info().n_rows["story_rules"] == 0


def test_the_same_word_twice_is_told_who_said_it_first(desk: Desk) -> None:
    _, known = desk
    pair = (known.items["recall"], known.items["ferry"])
    merge_stories(*pair, **said(desk))
    with pytest.raises(UsageError, match="rule-0000001 says so already, by Ann"):
        merge_stories(*reversed(pair), **said(desk, actor="Bo"))


def test_a_word_of_older_date_than_the_one_that_stands_is_refused_whole(desk: Desk) -> None:
    store, known = desk
    pair = {"item_a": known.items["recall"], "item_b": known.items["ferry"]}
    store.add_story_rule("desk", rule="undo", made_at=EVENING, **pair)
    with pytest.raises(UsageError, match="a newer word on these two stands"):
        merge_stories(*pair.values(), **said(desk, at=EVENING - H))
    assert store.info().n_rows["story_rules"] == 1
