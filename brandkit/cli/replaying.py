"""``brandkit replay``: a past run had again, or decided again by another profile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import PATH, Answer, Command, open_store
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import BrandkitError, CheckFailed

if TYPE_CHECKING:
    from rich.console import Console

    from brandkit.record.compare import Comparison
    from brandkit.record.replay import Replay

MOST_SHOWN = 20


@click.command(
    cls=Command,
    short_help="Make a past run again: the same bytes, or why not.",
    epilog="\b\nExample:\n  brandkit replay technology.daily.2026-03-04.1",
)
@click.argument("run_id", metavar="RUN")
@click.option(
    "--profile", "profile_path", type=PATH, metavar="FILE", help="Decide it by this profile instead."
)
@click.option("--anyway", is_flag=True, help="Also where other versions made it: list what differs.")
@click.option("--store", "store_path", type=PATH, help="The store's file. [default: BRANDKIT_DB_PATH]")
def replay(run_id: str, *, profile_path: Path | None, anyway: bool, store_path: Path | None) -> Answer:
    """Make a run again from its stored inputs, as they were known then, and its frozen profile.

    Records and stories must come out byte for byte as they are stored: exit code 3 when one does
    not. A run whose inputs are gone, or that other versions made, is refused with the reason. With
    --profile it is a what-if on that day: who would have moved. Nothing is ever written.
    """
    from brandkit.profile import BrandProfile
    from brandkit.record.replay import replay as replay_run

    other = BrandProfile.from_toml(profile_path) if profile_path else None
    found = replay_run(run_id, open_store(store_path), profile=other, strict=not anyway)
    error: BrandkitError | None = None
    try:
        found.require()
    except CheckFailed as failed:
        error = failed
    moved = None if found.is_same else found.moved()
    data = {
        "run_id": found.run_id,
        "is_what_if": found.is_what_if,
        "is_same": found.is_same,
        "n_records": found.records.height,
        "differences": [] if found.is_what_if else found.differences.to_dicts(),
        "story_differences": [] if found.is_what_if else found.story_differences.to_dicts(),
        "moved": [] if moved is None else moved.notable.to_dicts(),
        "workload": [] if moved is None else moved.workload.to_dicts(),
        "notes": list(found.notes),
    }
    return Answer(data, lambda screen: _show(screen, found, moved), notes=found.notes, error=error)


def _show(screen: Console, found: Replay, moved: Comparison | None) -> None:
    if moved is None:
        show_line(screen, found.headline(), style="green")
        return
    if found.is_what_if:
        would = f"{found.run_id} as profile '{found.now.profile.id}' would have it"
        show_line(screen, would, style="bold")
    else:
        _show_differences(screen, found)
    _show_moved(screen, moved)


def _show_differences(screen: Console, found: Replay) -> None:
    frames = (found.differences, found.story_differences)
    rows = [row for frame in frames for row in frame.head(MOST_SHOWN).rows()][:MOST_SHOWN]
    more = found.n_different - len(rows)
    title = f"{found.headline()}{f' (and {more:,} more)' if more else ''}"
    columns = ("item or story", "column", "stored", "replayed")
    show_table(screen, columns, rows, title=title, cut=("stored", "replayed"))


def _show_moved(screen: Console, moved: Comparison) -> None:
    from brandkit.record.compare import spoken

    loads = (f"{spoken(name)} {then:,} -> {now:,}" for name, then, now in moved.workload.rows())
    show_line(screen, f"stories: {', '.join(loads)}")
    stories = moved.notable
    if stories.is_empty():
        show_line(screen, "no story moved")
        return
    left = stories.height - MOST_SHOWN
    title = f"{stories.height:,} moved{f' (and {left:,} more)' if left > 0 else ''}"
    rows = [_row(move) for move in stories.head(MOST_SHOWN).to_dicts()]
    columns = ("then", "now", "total", "because", "story")
    show_table(screen, columns, rows, title=title, right=("total",), cut=("story",))


def _row(move: dict[str, Any]) -> tuple[object, ...]:
    from brandkit.record.compare import because, spoken

    totals = (move["total_from"], move["total_to"])
    return (
        spoken(move["decision_from"]),
        spoken(move["decision_to"]),
        " -> ".join("-" if total is None else str(total) for total in totals),
        because(move),
        move["title"] or move["url"],
    )
