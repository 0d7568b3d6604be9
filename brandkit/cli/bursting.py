"""``brandkit bursts``: the hours in which a name was spoken of far more than its own past has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import Answer, Command, open_store
from brandkit.cli.spans import ID_CHARACTERS, days_and_csv, days_meant, rows, span_data, write_csv
from brandkit.cli.tables import show_line, show_table

if TYPE_CHECKING:
    from rich.console import Console

    from brandkit.record.name_bursts import NameBursts

_MOST_LINES = 30
_COLUMNS: Mapping[str, tuple[str, Any]] = {
    "at": ("hour", lambda at: f"{at:%Y-%m-%d %H:%M}"),
    "name": ("name", str),
    "n_items": ("items", int),
    "expected": ("usual", lambda n: f"{n:.0f}"),
    "burst": ("burst", lambda burst: f"{burst:.2f}"),
    "n_stories": ("stories", int),
    "story_id": ("most in", lambda story: (story or "-")[:ID_CHARACTERS]),
    "in_story": ("of them", lambda n: n or 0),
}


@click.command(
    cls=Command,
    short_help="The hours in which a name was spoken of far more than usual.",
    epilog="\b\nExample:\n  brandkit bursts --profile technology --days 7",
)
@days_and_csv(7, "every name and hour")
def bursts(
    *, days: int | None, csv_path: Path | None, first: datetime | None, last: datetime | None,
    profile_id: str | None, store_path: Path | None,
) -> Answer:  # fmt: skip
    """Hold each name's mentions of every hour against its own past: level, rhythm of the week, usual highs.

    The eight weeks before the days that are told are their past; a name needs a day of it. An event is
    told once, and again only where it grows by a step.
    """
    from brandkit.record.name_bursts import name_bursts

    store = open_store(store_path)
    found = name_bursts(store, **days_meant(store, profile_id, first, last, days))
    notes = () if csv_path is None else (write_csv(found.frame, csv_path),)
    data = {**span_data(found.days), "bursts": found.told().to_dicts(), "not_enough_history": found.unknown()}
    return Answer(data, lambda screen: _show(screen, found), notes=notes)


def _show(screen: Console, found: NameBursts) -> None:
    title, *rest = found.headlines()
    show_line(screen, title, style="bold")
    told = found.told()
    for line in rest if told.is_empty() else [one for one in rest if one.startswith("Not enough")]:
        show_line(screen, line)
    if told.is_empty():
        return
    heads = [head for head, _ in _COLUMNS.values()]
    body = rows(told.head(_MOST_LINES), {name: put for name, (_, put) in _COLUMNS.items()})
    right = ("items", "usual", "burst", "stories", "of them")
    show_table(screen, heads, body, right=right, cut=("name",), whole=("hour", "most in"))
    if (left := told.height - _MOST_LINES) > 0:
        show_line(screen, f"and {left:,} more lines: --csv or --json has them all", style="dim")
