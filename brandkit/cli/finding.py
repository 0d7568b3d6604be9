"""``brandkit find``: look something up in all that was ever decided."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import Answer, Command, open_store
from brandkit.cli.reading import PROFILE, STORE, profile_id_of
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

ID_CHARACTERS = 10
DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    "find",
    cls=Command,
    short_help="Look up items and stories by their words.",
    # A word with a minus before it is a word to leave out, and no option.
    context_settings={"ignore_unknown_options": True},
    epilog="\b\nExample:\n  brandkit find '\"zero-day\" attack -patch publisher:register' --decision watch",
)
@click.argument("words", nargs=-1)
@click.option("--stories", is_flag=True, help="Find stories, with the desk's decision, not items.")
@click.option("--publisher", metavar="NAME", help="Only of publishers whose name holds this.")
@click.option("--decision", metavar="DECISION", help="Only what was decided so: must_cover, block, ...")
@click.option("--first", type=DAY, metavar="YYYY-MM-DD", help="From this desk day.")
@click.option("--last", type=DAY, metavar="YYYY-MM-DD", help="Up to this desk day.")
@click.option("--all-runs", is_flag=True, help="Each run that has it, not the newest alone.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@PROFILE
@STORE
def find(
    words: tuple[str, ...], stories: bool, publisher: str | None, decision: str | None,
    first: datetime | None, last: datetime | None, all_runs: bool, limit: int, profile_id: str | None,
    store_path: Path | None,
) -> Answer:  # fmt: skip
    """Find the items or stories in which all WORDS stand, in any run.

    WORDS are words, "quoted phrases" (in quotes for the shell too), beginnings*, -words to leave out,
    and field:word for one of title, summary, publisher, source, author, url, decision, item, story, run.
    """
    from brandkit.record.find import find as find_in

    if stray := [word for word in words if word.startswith("--")]:
        raise UsageError(f"no such option: {stray[0]}", hint="brandkit find --help lists them")
    query = " ".join(words)
    store = open_store(store_path)
    found = find_in(
        store, query, kind="stories" if stories else "items", profile_id=profile_id_of(profile_id),
        publisher=publisher, decision=decision, first=_day(first), last=_day(last), all_runs=all_runs,
        limit=limit + 1,
    )  # fmt: skip
    rows = found.head(limit).to_dicts()
    is_more = found.height > limit
    data = {"store": store.path, "query": query, "is_more": is_more, "found": rows}
    return Answer(data, lambda screen: _show(screen, rows, store.path, is_more=is_more))


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None


def _show(screen: Console, rows: list[dict[str, Any]], path: Path, *, is_more: bool) -> None:
    if not rows:
        show_line(screen, f"nothing found in {path}")
        return
    is_one = len({row["profile_id"] for row in rows}) == 1
    columns = ("day", *(() if is_one else ("profile",)), "decision", "total", "item", "publisher", "title")
    table = [
        (
            row["run_on"],
            *(() if is_one else (row["profile_id"],)),
            row["decision"].replace("_", " "),
            row["total"],
            row["item_id"][:ID_CHARACTERS],
            row["publisher"],
            _told(row),
        )
        for row in rows
    ]
    show_table(
        screen, columns, table, right=("total",), cut=("publisher", "title"), whole=("day", "decision")
    )
    if is_more:
        show_line(screen, f"the first {len(rows)}; --limit shows more, more words find fewer", style="dim")


def _told(row: dict[str, Any]) -> str:
    title = row["title"] or row["url"] or row["item_id"]
    return f"{title} · {row['snippet']}" if row["snippet"] else title
