"""``brandkit story``: merges and splits, where an editor knows better what is one story."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brandkit.cli.base import Answer, Command, Group, open_store
from brandkit.cli.desk import (
    ACTOR,
    AT,
    ID_CHARACTERS,
    REASON,
    actor_name,
    clock_of,
    instant,
    needed,
    owner_of,
    said,
    show_rows,
    spaced,
)
from brandkit.cli.reading import PROFILE, STORE
from brandkit.cli.tables import show_line

if TYPE_CHECKING:
    from rich.console import Console

    from brandkit.desk.stories import StoryRule


@click.group(cls=Group, short_help="Merge and split stories.")
def story() -> None:
    """Say what is one story and what is not; every later run obeys."""


@story.command(
    "merge",
    cls=Command,
    short_help="Make two stories one.",
    epilog='\b\nExample:\n  brandkit story merge 3f9c2a71 81d0be44 --reason "the same recall"',
)
@click.argument("story_a", metavar="A")
@click.argument("story_b", metavar="B")
@REASON
@ACTOR
@AT
@PROFILE
@STORE
def merge(
    story_a: str, story_b: str, *, reason: str | None, actor: str | None, at: str | None,
    profile_id: str | None, store_path: Path | None,
) -> Answer:  # fmt: skip
    """Make two stories one from the next run on. A and B are ids of stories, or of items in them."""
    from brandkit.desk.stories import merge_stories

    store = open_store(store_path)
    made = merge_stories(story_a, story_b, **said(store, actor, at, profile_id, reason=needed(reason)))
    return _rule(made, "one story from the next run on")


@story.command(
    "split",
    cls=Command,
    short_help="Part an item from its story.",
    epilog='\b\nExample:\n  brandkit story split 3f9c2a71 --reason "last year\'s recall"',
)
@click.argument("item")
@click.option("--from", "from_item", metavar="ITEM", help="Which item to part it from. [default: the lead]")
@REASON
@ACTOR
@AT
@PROFILE
@STORE
def split(
    item: str, *, from_item: str | None, reason: str | None, actor: str | None, at: str | None,
    profile_id: str | None, store_path: Path | None,
) -> Answer:  # fmt: skip
    """Part an item from its story's lead from the next run on; the rest goes where its words are nearer."""
    from brandkit.desk.stories import split_story

    store = open_store(store_path)
    word = said(store, actor, at, profile_id, reason=needed(reason))
    return _rule(split_story(item, from_item=from_item, **word), "two stories from the next run on")


def _rule(made: StoryRule, becomes: str) -> Answer:
    def show(screen: Console) -> None:
        show_line(screen, f"{made.item_a[:ID_CHARACTERS]}  {made.title_a}", style="bold")
        show_line(screen, f"{made.item_b[:ID_CHARACTERS]}  {made.title_b}", style="bold")
        show_line(screen, f"{made.rule_id}: {becomes}, by {made.made_by}")
        if made.undone:
            show_line(screen, f"against it stood {', '.join(made.undone)}: undone")

    return Answer({**asdict(made), "undone": list(made.undone)}, show)


@story.command(
    "undo",
    cls=Command,
    short_help="Take a merge or a split back.",
    epilog='\b\nExample:\n  brandkit story undo rule-0000001 --reason "they differ after all"',
)
@click.argument("rule")
@REASON
@ACTOR
@AT
@STORE
def undo(
    rule: str, *, reason: str | None, actor: str | None, at: str | None, store_path: Path | None
) -> Answer:
    """Take a merge or a split back from the next run on. RULE is its id, as brandkit story rules shows it."""
    from brandkit.desk.stories import undo_rule

    store = open_store(store_path)
    made = undo_rule(rule, actor=actor_name(actor), reason=needed(reason), at=instant(at), store=store)
    data = {"rule_id": rule, "undone_by": made}
    return Answer(data, lambda screen: show_line(screen, f"{rule} is undone from the next run on"))


@story.command(
    "rules",
    cls=Command,
    short_help="List merges and splits.",
    epilog="\b\nExample:\n  brandkit story rules --profile technology",
)
@click.option("--all", "is_all", is_flag=True, help="List those that do not stand any more too.")
@PROFILE
@STORE
def rules(*, is_all: bool, profile_id: str | None, store_path: Path | None) -> Answer:
    """List the merges and splits that every run obeys, newest first."""
    from brandkit.desk.stories import list_rules

    store = open_store(store_path)
    owner = owner_of(store, None, profile_id)
    found = list_rules(store, owner)
    shown = found if is_all else found.filter("stands")

    def show(screen: Console) -> None:
        clock = clock_of(store, owner)
        show_rows(
            screen, f"merges and splits of profile '{owner}'", shown.to_dicts(),
            {
                "rule": lambda row: row["rule_id"],
                "says": lambda row: spaced(row["rule"]),
                "by": lambda row: row["made_by"],
                "made": lambda row: clock(row["made_at"]),
                "reason": lambda row: row["reason"],
                "one": lambda row: row["title_a"] or row["item_a"],
                "other": lambda row: row["title_b"] or row["item_b"],
            },
        )  # fmt: skip

    return Answer({"profile_id": owner, "rules": shown.to_dicts()}, show)


@story.command(
    "why",
    cls=Command,
    short_help="Show what joined two items into one story.",
    epilog="\b\nExample:\n  brandkit story why 3f9c2a71 81d0be44",
)
@click.argument("item_a", metavar="A")
@click.argument("item_b", metavar="B")
@click.option("--run", "run_id", metavar="RUN", help="Which run. [default: the newest that has A]")
@STORE
def why(item_a: str, item_b: str, *, run_id: str | None, store_path: Path | None) -> Answer:
    """Show the chain of items from A to B, and the words or rules that joined each to the next."""
    from brandkit.record.one_story import one_story

    found = one_story(item_a, item_b, open_store(store_path), run=run_id)
    data = {"run_id": found.run_id, "story_id": found.story_id, "steps": found.steps.to_dicts()}

    def show(screen: Console) -> None:
        for line in found.text().splitlines():
            show_line(screen, line)

    return Answer(data, show)
