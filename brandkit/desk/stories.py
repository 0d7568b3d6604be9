"""What is one story and what is not, where an editor knows better: merges and splits, obeyed by each run.

A merge links the leads of two stories (``must_link``), a split parts an item from another
(``cannot_link``). The newest word on two items counts, and ``undo`` is a word too: so nothing is ever
changed or deleted. A rule of older date that stands against a new one is undone with it, and named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from brandkit.desk import _given
from brandkit.errors import UsageError
from brandkit.store.state import StateStore
from brandkit.store.verdicts import STORY_RULES

LISTED: Mapping[str, Any] = {**STORY_RULES, "title_a": pl.String, "title_b": pl.String}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryRule:
    """A rule as it was kept: its two items, and the older rules it undid."""

    rule_id: str
    profile_id: str
    rule: str
    item_a: str
    item_b: str
    title_a: str
    title_b: str
    reason: str
    made_by: str
    made_at: datetime
    undone: tuple[str, ...] = ()


def merge_stories(
    story_a: str,
    story_b: str,
    *,
    actor: str,
    reason: str,
    at: datetime,
    store: StateStore,
    profile_id: str | None = None,
    usual: str | None = None,
) -> StoryRule:
    """Make two stories one, from the next run on: their leads are linked, and bring their stories along.

    A split between the two that stood is undone.

    Raises: UnknownError for a story that is not there; UsageError for two that are one already, or a
        missing name or reason.
    """
    a = store.find_item(story_a, profile_id=profile_id, usual=usual)
    b = store.find_item(story_b, profile_id=a.run.profile_id)
    if a.story_id == b.story_id:
        raise UsageError(f"'{story_a}' and '{story_b}' are one story already: {a.story_id}")
    ours, theirs = set(_given.members(a)), set(_given.members(b))
    against = [
        rule["rule_id"]
        for rule in _standing(store, a.run.profile_id, "cannot_link")
        if _goes_across(rule, ours, theirs)
    ]
    leads = (_given.lead(a), _given.lead(b))
    return _keep(store, "must_link", a.run.profile_id, *leads, against, actor=actor, reason=reason, at=at)


def split_story(
    item: str,
    *,
    actor: str,
    reason: str,
    at: datetime,
    store: StateStore,
    from_item: str | None = None,
    profile_id: str | None = None,
    usual: str | None = None,
) -> StoryRule:
    """Part an item from its story's lead, or from another item of it, from the next run on.

    The other items go with the one of the two that their words are nearer to. A merge that held the
    item to the one it leaves is undone.

    Raises: UnknownError for an item that is not there; UsageError for two that are in different
        stories, for the lead itself without ``from_item``, or a missing name or reason.
    """
    found = store.find_item(item, profile_id=profile_id, usual=usual)
    if from_item is not None:
        other = store.find_item(from_item, profile_id=found.run.profile_id)
        if other.story_id != found.story_id:
            raise UsageError(
                f"'{item}' and '{from_item}' are two stories already: {found.story_id}, {other.story_id}"
            )
        other_id = other.item_id
    else:
        other_id = _given.lead(found)
    if other_id == found.item_id:
        raise UsageError(
            f"item {found.item_id} {'cannot leave itself' if from_item else 'leads its story'}",
            where=f"in story {found.story_id} of {len(_given.members(found))} items",
            hint="name another item of the story, and which to part it from",
        )
    links = _standing(store, found.run.profile_id, "must_link")
    against = [rule["rule_id"] for rule in _holding(found.item_id, other_id, links)]
    pair = (found.item_id, other_id)
    return _keep(
        store, "cannot_link", found.run.profile_id, *pair, against, actor=actor, reason=reason, at=at
    )


def undo_rule(rule_id: str, *, actor: str, reason: str, at: datetime, store: StateStore) -> str:
    """Take a merge or a split back, from the next run on; gives the id of the row that says so.

    Raises: UnknownError for a rule that is not there; UsageError for one that does not stand any more.
    """
    by, why = _given.name(actor, "name of who says so"), _given.words(reason, "reason")
    return store.undo_story_rule(rule_id.strip(), at=_given.instant(at, "at"), by=by, reason=why)


def list_rules(store: StateStore, profile_id: str) -> pl.DataFrame:
    """Every merge, split and undoing of a profile, the newest first; ``stands`` marks what is obeyed.

    Shape:  rule_id, rule, item_a, item_b, reason, made_at, made_by, stands, title_a, title_b.
    """
    with store.reading():
        rules = store.story_rules(profile_id)
        titles = store.titles([*rules["item_a"], *rules["item_b"]])
    for end in ("a", "b"):
        named = titles.rename({"item_id": f"item_{end}", "title": f"title_{end}"})
        rules = rules.join(named, on=f"item_{end}", how="left", maintain_order="left")
    return rules.reverse().select(*LISTED)


def _keep(
    store: StateStore,
    rule: str,
    profile_id: str,
    one: str,
    other: str,
    against: Iterable[str],
    *,
    actor: str,
    reason: str,
    at: datetime,
) -> StoryRule:
    """Keep a rule and, in the same transaction, that older ones against it are undone."""
    by, why = _given.name(actor, "name of who says so"), _given.words(reason, "reason")
    made_at, pair = _given.instant(at, "at"), {one, other}
    said: dict[str, Any] = {"item_a": one, "item_b": other, "reason": why, "made_by": by}
    with store.transaction():
        for known in _standing(store, profile_id, rule):
            if {known["item_a"], known["item_b"]} == pair:
                raise UsageError(
                    f"{known['rule_id']} says so already",
                    where=f"by {known['made_by']} at {known['made_at'].isoformat()}",
                    hint="the next run obeys it",
                )
        undone = tuple(against)
        for rule_id in undone:
            store.undo_story_rule(rule_id, at=made_at, by=by, reason=why)
        rule_id = store.add_story_rule(profile_id, rule=rule, made_at=made_at, **said)
        if rule_id not in {known["rule_id"] for known in _standing(store, profile_id, rule)}:
            raise UsageError(f"a newer word on these two stands than one of {made_at.isoformat()}")
        titles = dict(store.titles(pair).rows())
    return StoryRule(
        rule_id=rule_id, profile_id=profile_id, rule=rule, undone=undone, made_at=made_at,
        title_a=titles.get(one, one), title_b=titles.get(other, other), **said,
    )  # fmt: skip


def _standing(store: StateStore, profile_id: str, rule: str) -> list[dict[str, Any]]:
    """The rules of a kind that are obeyed: as many as editors made, so few."""
    rules = store.story_rules(profile_id)
    return rules.filter("stands", pl.col("rule") == rule).to_dicts()


def _goes_across(rule: Mapping[str, Any], ours: set[str], theirs: set[str]) -> bool:
    a, b = rule["item_a"], rule["item_b"]
    return (a in ours and b in theirs) or (a in theirs and b in ours)


def _holding(item: str, other: str, links: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The merges of an item through which it is held to another."""
    others = [link for link in links if item not in (link["item_a"], link["item_b"])]
    held = {other}
    while more := {
        end for link in others for end in _ends(link) if end not in held and held.intersection(_ends(link))
    }:
        held |= more
    return [link for link in links if item in _ends(link) and held.intersection(_ends(link))]


def _ends(link: Mapping[str, Any]) -> tuple[str, str]:
    return link["item_a"], link["item_b"]
