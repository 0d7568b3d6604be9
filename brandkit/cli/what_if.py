"""``brandkit what-if``: other thresholds, weights or another profile on past runs. Nothing is written."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import PATH, Answer, Command, open_store
from brandkit.cli.spans import (
    ID_CHARACTERS,
    meant,
    over_days,
    percent,
    rows,
    settings,
    spaced,
    span_options,
    values,
)
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import UsageError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from brandkit.record.slots import Slots
    from brandkit.record.sweep import Curve
    from brandkit.record.what_if import WhatIf

SHOWN_MOVED, SHOWN_TIED = 20, 8


@click.command(
    "what-if",
    cls=Command,
    short_help="Other thresholds, weights or another profile on past runs.",
    epilog="\b\nExample:\n  brandkit what-if --first 2026-03-02 --last 2026-03-08 --set must_cover=66",
)
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    help="A changed setting, as must_cover=72 or weights.impact.breadth=12; may be given again.",
)
@click.option("--with", "other", type=PATH, help="Judge by this profile's file in place of the runs' own.")
@click.option("--sweep", metavar="NAME", help="The day's work at every value of one setting.")
@click.option("--values", "range_", metavar="FROM:TO[:STEP]", help="The values of --sweep. [default: all]")
@click.option(
    "--slots",
    type=int,
    metavar="N",
    help="Which threshold leaves a day N stories; of --sweep. [default: must_cover]",
)
@click.option(
    "--verdicts",
    type=click.Choice(["given", "standing"]),
    default="given",
    show_default=True,
    help="Count every verdict at the run it was given on, or at each run those that stood.",
)
@span_options
def what_if(
    run_id: str | None, changes: tuple[str, ...], other: Path | None, sweep: str | None, range_: str | None,
    slots: int | None, first: datetime | None, last: datetime | None, profile_id: str | None,
    store_path: Path | None, **ways: Any,
) -> Answer:  # fmt: skip
    """Say what past runs would have decided otherwise. Facts stay; only judgement changes.

    RUN is one run; else all daily runs of the profile, or those from --first to --last. Stories are
    counted, not items.
    """
    from brandkit.profile import BrandProfile
    from brandkit.record.changed import changed

    if range_ and not sweep:
        raise UsageError("--values without --sweep", hint="name the setting: --sweep must_cover")
    if range_ and slots is not None:
        raise UsageError("--values and --slots are two questions", hint="leave one out")
    given = settings(changes)
    if not (given or other or sweep or slots is not None):
        raise UsageError("nothing to change", hint="pass --set, --with, --sweep or --slots")
    whole = BrandProfile.from_toml(other) if other else None

    def alter(frozen: BrandProfile) -> BrandProfile:
        return changed(whole or frozen, given)

    store = open_store(store_path)
    asked = meant(store, run_id, profile_id, first, last)
    run = asked.pop("run")
    if slots is not None:
        return _slots(run, store, slots=slots, decision=_rung(sweep), alter=alter, **asked)
    if sweep:
        wanted = values(range_) if range_ else None
        return _sweep(run, store, over=sweep, values=wanted, alter=alter, **ways, **asked)
    return _moves(run, store, alter=alter, **ways, **asked)


def _moves(run: str | None, store: Any, **asked: Any) -> Answer:
    from brandkit.record.what_if import what_if as ask

    found = ask(run, store, **asked)
    data = {
        "profile_id": found.profile_id,
        "runs": list(found.runs),
        "n_stories": found.n_stories,
        "changes": found.changes.to_dicts(),
        "moved": found.moved.to_dicts(),
        "workload": found.workload.to_dicts(),
        "quality": found.quality.to_dicts(),
        "notes": list(found.notes),
    }
    return Answer(data, lambda screen: _show_moves(screen, found), found.notes)


def _show_moves(screen: Console, found: WhatIf) -> None:
    show_line(screen, f"{over_days(found.runs, found.workload['run_on'])}: {found.sentence()}", style="bold")
    if found.changes.height:
        show_table(screen, ("setting", "now", "then"), found.changes.rows(), right=("now", "then"))
    per_day = {"decision": spaced, **dict.fromkeys(("n_from", "n_in", "n_out", "n_to"), _tenths)}
    heads = ("stories a day", "now", "in", "out", "then")
    show_table(screen, heads, rows(found.per_day(), per_day), right=heads[1:])
    _show_quality(screen, found.quality)
    if found.moved.is_empty():
        return
    told = {"run_on": str, "decision_from": spaced, "decision_to": spaced, "total_from": int, "total_to": int,
            "verdict": _said, "item_id": _short, "title": str}  # fmt: skip
    # What moves most matters first, not what came first.
    ordered = found.moved.sort(
        ["decision_to", "total_to", "run_on", "story_id"], descending=[True, True, False, False]
    )
    more = found.moved.height - SHOWN_MOVED
    title = f"who moves{f' (and {more} more; --json has all)' if more > 0 else ''}"
    columns = ("day", "now", "then", "total", "then ", "verdict", "item", "story")
    show_table(
        screen, columns, rows(ordered.head(SHOWN_MOVED), told), title=title, right=("total", "then "),
        cut=("story",),
    )  # fmt: skip


def _show_quality(screen: Console, quality: pl.DataFrame) -> None:
    if not quality["n_verdicts"].max():
        return
    sides = [quality.filter(when=when).to_dicts() for when in ("before", "after")]
    table = [
        (
            spaced(now["bar"]),
            *(percent(side[name]) for name in ("precision", "recall") for side in (now, then)),
        )
        for now, then in zip(*sides, strict=True)
    ]
    title = f"against {quality['n_verdicts'][0]:,} verdicts"
    columns = ("stories", "precision", "then", "recall", "then ")
    show_table(screen, columns, table, title=title, right=columns[1:])


def _sweep(run: str | None, store: Any, **asked: Any) -> Answer:
    from brandkit.record.sweep import sweep

    found = sweep(run, store, **asked)
    data = {
        "name": found.name,
        "present": found.present,
        "n_days": found.n_days,
        "curve": found.frame.to_dicts(),
        "by_day": found.by_day.to_dicts(),
        "notes": list(found.notes),
    }
    return Answer(data, lambda screen: _show_curve(screen, found), found.notes)


def _show_curve(screen: Console, found: Curve) -> None:
    import polars as pl

    from brandkit.record.span import DOWNWARD, counted

    frame = found.frame
    changes = pl.any_horizontal(pl.col(DOWNWARD) != pl.col(DOWNWARD).shift(1))
    is_new = changes.fill_null(value=True)
    shown = frame.filter(is_new | (pl.col("value") == found.present).fill_null(value=False))
    told: dict[str, Any] = {"value": lambda value: f"{value}{' *' if value == found.present else ''}"}
    told |= dict.fromkeys(DOWNWARD, lambda n: _tenths(n / max(found.n_days, 1)))
    heads = ["value", *map(spaced, DOWNWARD)]
    if frame["n_verdicts"].max():
        told |= dict.fromkeys(("precision_promoted", "recall_promoted"), percent)
        heads += ["precision", "recall"]
    days = counted(found.n_days, "day")
    title = f"stories a day, over {days}, by {found.name} (* now; values that change nothing are left out)"
    show_table(screen, heads, rows(shown, told), title=title, right=heads)


def _rung(sweep: str | None) -> str:
    return (sweep or "must_cover").removeprefix("thresholds.").replace("-", "_")


def _slots(run: str | None, store: Any, **asked: Any) -> Answer:
    from brandkit.record.slots import threshold_for

    found = threshold_for(run, store, **asked)
    data = {
        "threshold": f"thresholds.{found.decision}",
        "slots": found.slots,
        "present": found.present,
        "each_day": found.each_day,
        "on_average": found.on_average,
        "sentences": found.sentences(),
        "by_day": found.by_day.to_dicts(),
        "tied": found.tied.to_dicts(),
    }
    return Answer(data, lambda screen: _show_slots(screen, found))


def _show_slots(screen: Console, found: Slots) -> None:
    now = "" if found.present is None else f"; now {found.present}"
    show_line(screen, f"{found.slots} slots a day for {spaced(found.decision)}{now}", style="bold")
    for sentence in found.sentences():
        show_line(screen, sentence)
    told = {"run_on": str, **dict.fromkeys(("threshold", "n", "n_one_lower"), _known)}
    columns = ("day", "fits alone", "stories", "one lower")
    show_table(screen, columns, rows(found.by_day, told), right=columns[1:])
    if found.tied.height:
        shown = {"run_on": str, "total": int, "item_id": _short, "title": str}
        more = found.tied.height - SHOWN_TIED
        title = f"these come in together one point lower{f' (and {more} more)' if more > 0 else ''}"
        columns = ("day", "total", "item", "story")
        show_table(screen, columns, rows(found.tied.head(SHOWN_TIED), shown), title=title,
                   right=("total",), cut=("story",))  # fmt: skip


def _tenths(value: float) -> str:
    return f"{value:,.1f}"


def _known(value: int | None) -> object:
    return "-" if value is None else value


def _said(verdict: str | None) -> str:
    return "" if verdict is None else spaced(verdict)


def _short(item_id: str) -> str:
    return item_id[:ID_CHARACTERS]
