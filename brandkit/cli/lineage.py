"""``brandkit lineage``: where a decision comes from, down to the stored sightings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from brandkit.cli.base import Answer, Command, open_store
from brandkit.cli.reading import PROFILE, STORE, profile_id_of, usual_profile

if TYPE_CHECKING:
    from rich.console import Console

    from brandkit.record.lineage import Lineage


@click.command(
    cls=Command,
    short_help="Trace a decision to its sources.",
    epilog="\b\nExample:\n  brandkit lineage 3f9c2a71 --run technology.daily.2026-03-04.1 --most 3",
)
@click.argument("item")
@click.option("--run", "run_id", metavar="RUN", help="A run's id. [default: the latest that has the item]")
@click.option(
    "--most",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="How many items or pieces of evidence to show at one place.",
)
@PROFILE
@STORE
def lineage(
    item: str, run_id: str | None, most: int, profile_id: str | None, store_path: Path | None
) -> Answer:
    """Trace a decision: gates, modifiers, parts, signals, evidence, and the items as they were seen.

    ITEM is an item's id, the beginning of one that no other item shares, or a story's id, which
    stands for its lead.
    """
    from brandkit.record.kept import kept
    from brandkit.record.lineage import lineage as trace

    store = open_store(store_path)
    found = kept(item, store, run=run_id, profile_id=profile_id_of(profile_id), usual=usual_profile())
    traced = trace(found, store)
    data = {
        "run_id": traced.run_id,
        "item_id": traced.item_id,
        "story_id": traced.story_id,
        "title": traced.title,
        "nodes": traced.frame().to_dicts(),
    }
    return Answer(data, lambda screen: _show(screen, traced, most))


def _show(screen: Console, traced: Lineage, most: int) -> None:
    from rich.text import Text

    # A tree whose lines are broken is none; what is too long is left to the terminal.
    screen.print(Text(traced.text(most=most)), no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)
