"""Tables on a terminal. Every cell is Text, never markup: a title in brackets is a title."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from brandkit.safe import terminal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

STYLES = {
    "must cover": "bold green", "optional": "green", "watch": "cyan", "block": "bold red",
    "complete": "green", "failed": "bold red", "passes": "green", "fails": "red",
}  # fmt: skip
# What rich puts between two columns, and the least that a cut column is still worth.
COLUMN_GAP = 2
LEAST_WIDTH = 12
# A cell is read, not scrolled.
MOST_CHARACTERS = 1_000


def cell(value: object) -> Text:
    """One value as safe text: instants to the minute, nothing for None, yes and no for truth."""
    from rich.text import Text

    if value is None:
        return Text("")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, datetime):
        return Text(f"{value:%Y-%m-%d %H:%M}")
    if isinstance(value, int):
        return Text(f"{value:,}")
    whole = str(value)
    text = terminal(whole if len(whole) <= MOST_CHARACTERS else f"{whole[:MOST_CHARACTERS]}…")
    return Text(text, style=STYLES.get(text, ""))


def show_table(
    console: Console,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
    right: Iterable[str] = (),
    cut: Iterable[str] = (),
    whole: Iterable[str] = (),
) -> None:
    """Print rows under their columns.

    Args:
        console: where.
        columns: the headings.
        rows: the values, in the order of the columns.
        title: a line above the table.
        right: columns of numbers.
        cut: columns whose text is shortened where there is no room.
        whole: columns that are never broken, for they are there to be copied.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    heads, body = [cell(name) for name in columns], [[cell(value) for value in row] for row in rows]
    _cut_to_fit(columns, heads, body, width=console.width, cut=set(cut))
    numbers, unbroken = set(right), set(whole)
    if title:
        show_line(console, title)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name, head in zip(columns, heads, strict=True):
        justify: Literal["left", "right"] = "right" if name in numbers else "left"
        table.add_column(head, justify=justify, overflow="fold", no_wrap=name in unbroken)
    for cells in body:
        table.add_row(*cells)
    console.print(table)


def _cut_to_fit(
    columns: Sequence[str],
    heads: Sequence[Text],
    body: Sequence[Sequence[Text]],
    *,
    width: int,
    cut: set[str],
) -> None:
    """Shorten the cells of some columns, so that the others keep the room they need."""
    places = [place for place, name in enumerate(columns) if name in cut]
    widest = [
        max(text.cell_len for text in (head, *cells)) for head, *cells in zip(heads, *body, strict=True)
    ]
    kept = sum(n for place, n in enumerate(widest) if place not in places)
    room = width - kept - COLUMN_GAP * len(columns)
    # Room is shared from the narrowest on, so that a short column leaves its rest to a long one.
    for left, place in zip(range(len(places), 0, -1), sorted(places, key=lambda at: widest[at]), strict=True):
        share = max(room // left, LEAST_WIDTH)
        for cells in body:
            cells[place].truncate(share, overflow="ellipsis")
        room -= min(share, widest[place])


def show_line(console: Console, text: str, *, style: str = "") -> None:
    """Print one line of text, wrapped at words where it is too long."""
    from rich.text import Text

    console.print(Text(terminal(text), style=style))
