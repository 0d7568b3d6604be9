"""``brandkit forecast``: which items of a run are likely to grow, to what, and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import Answer, Command, open_store
from brandkit.cli.reading import PROFILE, STORE, _complete_runs, profile_id_of
from brandkit.cli.tables import show_line, show_table

if TYPE_CHECKING:
    from rich.console import Console

    from brandkit.record.outlook import Outlook

_NUMBERS = ("age", "now", "an hour", "likely", "low", "high", "by")
_FRAME = (
    "item_id", "story_id", "title", "url", "publisher", "source", "decision", "last_seen_at", "value",
    "expected_peak", "low", "high", "growth_h", "age_h", "n_observations", "why", "n_finished", "is_own",
)  # fmt: skip


@click.command(
    cls=Command,
    short_help="Which items are likely to grow, and to what.",
    epilog="\b\nExample:\n  brandkit forecast --profile technology --limit 5",
)
@click.option("--run", "run_id", metavar="RUN", help="A run's id. [default: the latest daily one]")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@PROFILE
@STORE
def forecast(run_id: str | None, limit: int, profile_id: str | None, store_path: Path | None) -> Answer:
    """Say which items of a run are still growing, the peak each is likely to reach, and its range.

    Eight in ten peaks lie in the range. It is learned from the desk's own items of the same source
    that are two days old; until there are 30, posts are forecast by the packaged fit and the rest are
    not. A forecast is never in the score.
    """
    from brandkit.record.outlook import outlook

    store = open_store(store_path)
    owner = store.run(run_id or _complete_runs(store, profile_id)[0]).profile_id
    found = outlook(store, profile_id_of(profile_id) or owner, run=run_id)
    growing = found.growing.head(limit)
    data = {
        "run_id": found.run_id,
        "is_more": found.growing.height > limit,
        **{name: getattr(found, name) for name in ("n_measured", "n_unknown", "n_untaught", "n_runs")},
        "sources": list(found.sources),
        "growing": growing.select(_FRAME).to_dicts(),
    }
    return Answer(data, lambda screen: _show(screen, found, limit))


def _show(screen: Console, found: Outlook, limit: int) -> None:
    growing = found.growing
    if growing.is_empty():
        show_line(screen, f"nothing in sight is likely to grow in {found.run_id}")
    else:
        columns = ("item", *_NUMBERS, "title")
        rows = [_row(row) for row in growing.head(limit).to_dicts()]
        title = f"likely to grow, of {found.run_id}"
        show_table(screen, columns, rows, title=title, right=_NUMBERS, cut=("title",), whole=("item",))
        if growing.height > limit:
            show_line(screen, f"the first {limit} of {growing.height:,}; --limit shows more", style="dim")
    for line in found.limits():
        show_line(screen, line, style="dim")


def _row(row: dict[str, Any]) -> tuple[object, ...]:
    whole = [None if row[name] is None else round(row[name]) for name in ("value", "growth_h")]
    peaks = [round(row[name]) for name in ("expected_peak", "low", "high")]
    by = f"{row['n_finished']:,}" if row["is_own"] else "packaged"
    age = f"{row['age_h']:.1f} h"
    return (row["item_id"][:10], age, *whole, *peaks, by, row["title"] or row["url"] or "")
