"""``brandkit voice``: who was spoken of over some days, by publishers of which tier and in which tone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import Answer, Command, open_store
from brandkit.cli.spans import days_and_csv, days_meant, percent, rows, span_data, write_csv
from brandkit.cli.tables import show_line, show_table

if TYPE_CHECKING:
    from rich.console import Console

    from brandkit.record.voice import Voice

_MOST_LINES = 60
_COLUMNS: Mapping[str, tuple[str, Any]] = {
    "name": ("name", str),
    "kind": ("kind", str),
    "n_items": ("items", int),
    "share_items": ("share", percent),
    "items_A": ("A", int),
    "items_B": ("B", int),
    "items_C": ("C", int),
    "items_unlisted": ("none", int),
    "n_stories": ("stories", int),
    "share_stories": ("share ", percent),
    "stories_negative": ("neg", int),
    "stories_neutral": ("neu", int),
    "stories_positive": ("pos", int),
    "stories_unmeasured": ("?", int),
}


@click.command(
    cls=Command,
    short_help="Who was spoken of: own and rival names by day, tier and tone.",
    epilog="\b\nExample:\n  brandkit voice --profile technology --days 28 --csv voice.csv",
)
@click.option("--each-day", is_flag=True, help="A line for each day and name, not for each name.")
@days_and_csv(28, "every day, name, tier and tone")
def voice(
    *, days: int | None, each_day: bool, csv_path: Path | None, first: datetime | None,
    last: datetime | None, profile_id: str | None, store_path: Path | None,
) -> Answer:  # fmt: skip
    """Count the items and the stories that name each own, rival and watched name.

    Items are counted by the tier of who published them, stories by tone (the median of a story's
    originals). A day without a run is left out and said so; it is not a day of silence.
    """
    from brandkit.record.voice import voice as read_voice

    store = open_store(store_path)
    found = read_voice(store, **days_meant(store, profile_id, first, last, days))
    notes = () if csv_path is None else (write_csv(found.frame, csv_path),)
    return Answer(_data(found), lambda screen: _show(screen, found, each_day=each_day), notes=notes)


def _data(found: Voice) -> Mapping[str, Any]:
    import polars as pl

    named = found.frame.filter((pl.col("n_items") > 0) | (pl.col("n_stories") > 0))
    return {
        **span_data(found.days),
        "names": found.by_name().to_dicts(),
        "days": found.by_day().to_dicts(),
        # Zeros are left out here: ``days`` says which names were looked for on which day.
        "cells": named.to_dicts(),
    }


def _show(screen: Console, found: Voice, *, each_day: bool) -> None:
    title, *rest = found.headlines()
    show_line(screen, title, style="bold")
    for line in rest:
        show_line(screen, line)
    counts = found.by_day() if each_day else found.by_name()
    shown = counts.tail(_MOST_LINES) if each_day else counts.head(_MOST_LINES)
    columns = {"day": ("day", str), **_COLUMNS} if each_day else dict(_COLUMNS)
    if each_day or shown["kind"].n_unique() == 1:
        # A line has no room for both a day and a kind, and own names stand first anyway.
        del columns["kind"]
    heads = [head for head, _ in columns.values()]
    body = rows(shown, {name: put for name, (_, put) in columns.items()})
    numbers = [head for head, put in columns.values() if put is not str]
    if body:
        show_table(screen, heads, body, right=numbers, cut=("name",), whole=("day",))
        show_line(screen, "A, B, C, none: items by tier; neg, neu, pos, ?: stories by tone", style="dim")
    if left := counts.height - shown.height:
        show_line(screen, f"and {left:,} more lines: --csv or --json has them all", style="dim")
