"""``brandkit hindsight``: what was passed over and grew big, what was promoted and went nowhere, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import Answer, Command, open_store
from brandkit.cli.spans import meant, span_options
from brandkit.cli.tables import show_line

if TYPE_CHECKING:
    from rich.console import Console

    from brandkit.record.hindsight import Hindsight

_HELP = "From {} on a story is big. [default: what our own had when promoted]"


@click.command(
    cls=Command,
    short_help="What was missed, what went nowhere, and what misled us.",
    epilog="\b\nExample:\n  brandkit hindsight --first 2026-03-02 --last 2026-03-08",
)
@click.option(
    "--publishers", "n_publishers_ab", type=float, metavar="N", help=_HELP.format("N A or B publishers")
)
@click.option("--outlets", "n_outlets", type=float, metavar="N", help=_HELP.format("N outlets"))
@click.option("--engagement", type=float, metavar="N", help=_HELP.format("an engagement of N"))
@span_options
def hindsight(
    n_publishers_ab: float | None, n_outlets: float | None, engagement: float | None, first: datetime | None,
    last: datetime | None, profile_id: str | None, store_path: Path | None,
) -> Answer:  # fmt: skip
    """Hold the first decisions of some days against what became of their stories by the last of them.

    Missed: dropped, blocked or watched at first, and later big or promoted. False alarms: promoted
    at first, and nobody new carried them. Stories are counted, not items.
    """
    from brandkit.record.hindsight import hindsight as look_back

    store = open_store(store_path)
    asked = meant(store, None, profile_id, first, last)
    asked.pop("run")
    found = look_back(
        store, **asked, n_publishers_ab=n_publishers_ab, n_outlets=n_outlets, engagement=engagement
    )
    return Answer(_data(found), lambda screen: _show(screen, found))


def _data(found: Hindsight) -> Mapping[str, Any]:
    counts = ("n_stories", "n_again", "n_promoted", "n_too_early", "n_agreed")
    frames = ("bars", "misses", "false_alarms", "elsewhere")
    return {
        "profile_id": found.profile_id,
        "first": found.first,
        "last": found.last,
        "runs": list(found.runs),
        **{name: getattr(found, name) for name in counts},
        **{name: getattr(found, name).to_dicts() for name in frames},
        "causes": found.by_cause().to_dicts(),
    }


def _show(screen: Console, found: Hindsight) -> None:
    title, *rest = found.text().splitlines()
    show_line(screen, title, style="bold")
    for line in rest:
        show_line(screen, line)
