"""``brandkit simulate``: an invented week of news with its ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from brandkit.cli.base import Answer, Command
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import UsageError


@click.command(
    cls=Command, epilog="\b\nExample:\n  brandkit simulate --out week --days 3 --items-per-day 1000 --seed 7"
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The folder to write to; it need not exist."
)
@click.option("--days", type=int, default=7, show_default=True, help="How many days.")
@click.option(
    "--items-per-day",
    type=int,
    default=2_500,
    show_default=True,
    help="About how many rows are collected a day.",
)
@click.option(
    "--seed", type=int, default=20260302, show_default=True, help="The same seed gives the same bytes."
)
@click.option("--start", metavar="YYYY-MM-DD", default="2026-03-02", show_default=True, help="The first day.")
def simulate(out: Path, days: int, items_per_day: int, seed: int, start: str) -> Answer:
    """Invent days of news, with what is really so of them.

    Publishers, stories, copies, rumours and brigades, dirty and late rows; all names are invented.
    """
    from datetime import date

    from brandkit.simulate import simulate as invent

    try:
        first = date.fromisoformat(start)
    except ValueError:
        raise UsageError(f"not a date: '{start}'", allowed="a calendar date such as 2026-03-02") from None
    if seed < 0:
        raise UsageError(f"seed {seed} is below 0", allowed="a whole number from 0")
    week = invent(days=days, items_per_day=items_per_day, seed=seed, start=first)
    try:
        files = week.write(out)
    except OSError as error:
        raise UsageError(f"cannot write to '{out}': {error.strerror or error}") from None
    data: dict[str, Any] = {
        "out": out, "start": first, "days": days, "seed": seed,
        "n_rows": week.items.height, "n_stories": week.truth_stories.height,
        "n_publishers": week.publishers.height,
        "files": [{"path": path, "n_bytes": path.stat().st_size} for path in files],
    }  # fmt: skip

    def show(screen: Any) -> None:
        made = ", ".join(f"{data[f'n_{what}']:,} {what}" for what in ("rows", "stories", "publishers"))
        show_line(screen, f"{made} over {days} days")
        rows = [(path, path.stat().st_size) for path in files]
        show_table(screen, ("file", "bytes"), rows, right=("bytes",))

    return Answer(data, show)
