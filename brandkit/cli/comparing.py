"""``brandkit compare``: what moved between two runs, or between the live runs and a profile on trial."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import Answer, Command, open_store
from brandkit.cli.reading import PROFILE, STORE, _complete_runs
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import UnknownError, UsageError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from brandkit.record.compare import Comparison
    from brandkit.record.shadow import Trial
    from brandkit.store.state import StateStore

MOST_MOVED = 12
_ID_CHARACTERS = 10
_DAY = click.DateTime(["%Y-%m-%d"])
_COLUMNS = ("decision", "total", "because", "parts", "item", "story")


@click.command(
    cls=Command,
    short_help="What moved between two runs, and why.",
    epilog="\b\nExample:\n  brandkit compare technology.daily.2026-03-03.1 technology.daily.2026-03-04.1",
)
@click.argument("run_a", metavar="[RUN_A]", required=False)
@click.argument("run_b", metavar="[RUN_B]", required=False)
@click.option("--all", "is_all", is_flag=True, help="List every story that moved, came or went.")
@click.option("--shadow", is_flag=True, help="Compare the live runs with the shadow runs of the same days.")
@click.option("--first", type=_DAY, metavar="YYYY-MM-DD", help="With --shadow: the first day. [default: all]")
@click.option("--last", type=_DAY, metavar="YYYY-MM-DD", help="With --shadow: the last day. [default: all]")
@PROFILE
@STORE
def compare(
    run_a: str | None, run_b: str | None, *, is_all: bool, shadow: bool, first: datetime | None,
    last: datetime | None, profile_id: str | None, store_path: Path | None,
) -> Answer:  # fmt: skip
    """Say what moved between two runs, each story with the first cause that moved it.

    With one run, that run is compared with the one before it; with none, the latest daily run. A
    shadow run is compared with the live run of its day.
    """
    store = open_store(store_path)
    if shadow:
        if run_a:
            raise UsageError("--shadow compares days, not runs", hint="give --first and --last instead")
        return _trial(store, profile_id, first, last, is_all=is_all)
    if first or last:
        raise UsageError("--first and --last go with --shadow", hint="name two runs to compare two days")
    from brandkit.record.compare import compare as compare_runs

    found = compare_runs(*_chosen(store, run_a, run_b, profile_id), store)
    data = {
        "stories": (found.stories if is_all else found.notable).to_dicts(),
        "run_a": found.run_a,
        "run_b": found.run_b,
        "n_continued": found.n_continued,
        "n_moved": found.moved.height,
        "workload": found.workload.to_dicts(),
        "causes": found.by_cause().to_dicts(),
        "verdicts": found.verdicts.to_dicts(),
        "notes": list(found.notes),
    }
    return Answer(data, lambda screen: _show(screen, found, is_all=is_all))


def _chosen(store: StateStore, run_a: str | None, run_b: str | None, profile: str | None) -> tuple[str, str]:
    """The two runs that are meant: those given, or one and the one before it."""
    from brandkit.record.compare import run_before

    if run_a and run_b:
        return run_a, run_b
    latest = run_a or _latest(store, profile)
    before = run_before(store, store.run(latest))
    if before is None:
        raise UnknownError(
            f"no run before {latest} to compare it with",
            where=f"in {store.path}",
            hint="name two runs; brandkit runs lists them",
        )
    return before, latest


def _latest(store: StateStore, profile: str | None) -> str:
    owner = store.run(_complete_runs(store, profile)[0]).profile_id
    latest = store.latest(owner, "daily")
    if latest is None:
        raise UnknownError(
            f"no complete daily run of profile '{owner}'", where=f"in {store.path}", hint="name two runs"
        )
    return latest.run_id


def _show(screen: Console, found: Comparison, *, is_all: bool) -> None:
    from brandkit.record.compare import headline, spoken

    show_line(screen, f"{found.run_a} -> {found.run_b}", style="bold")
    show_line(screen, headline(found))
    loads = (f"{spoken(name)} {then:,} -> {now:,}" for name, then, now in found.workload.rows())
    show_line(screen, ", ".join(loads))
    _show_causes(screen, found.by_cause().drop("n_items"))
    if is_all:
        _show_moves(screen, "every story that moved, came or went", found.stories, 0)
    else:
        _show_moves(screen, "what moved, then what came and went as more than watched", *found.shown())
    if found.verdicts.height:
        _show_verdicts(screen, found.verdicts)
    for note in found.notes:
        show_line(screen, f"note: {note}", style="yellow")


def _show_causes(screen: Console, causes: pl.DataFrame) -> None:
    import polars as pl

    from brandkit.record.causes import WORDS

    ways = causes.columns[1:]
    causes = causes.filter(pl.sum_horizontal(ways) > 0)
    if causes.height:
        rows = [(WORDS[cause], *counts) for cause, *counts in causes.rows()]
        show_table(screen, ("cause", *ways), rows, title="stories by cause", right=ways)


def _show_moves(screen: Console, title: str, moves: pl.DataFrame, n_left: int) -> None:
    if moves.is_empty():
        return
    rows = [_row(move) for move in moves.to_dicts()]
    columns = ("day", *_COLUMNS) if "run_on" in moves.columns else _COLUMNS
    more = f" (and {n_left:,} more: --all)" if n_left else ""
    show_table(screen, columns, rows, title=f"{title}{more}", right=("total",), cut=("parts", "story"))


def _row(move: dict[str, Any]) -> tuple[object, ...]:
    from brandkit.record.causes import part_words
    from brandkit.record.compare import because, spoken

    ways = f"{spoken(move['decision_from'])} -> {spoken(move['decision_to'])}"
    totals = (move["total_from"], move["total_to"])
    return (
        *([move["run_on"]] if "run_on" in move else []),
        ways,
        " -> ".join("-" if total is None else str(total) for total in totals),
        because(move),
        part_words(move["parts"], most=2),
        (move["item_to"] or move["item_from"])[:_ID_CHARACTERS],
        move["title"] or move["url"],
    )


def _show_verdicts(screen: Console, verdicts: pl.DataFrame) -> None:
    from brandkit.record.compare import spoken

    rows = [
        (
            f"{spoken(v['decision_from'])} -> {spoken(v['decision_to'])}",
            f"{spoken(v['effective_from'])} -> {spoken(v['effective_to'])}",
            v["given_at"],
            v["given_by"],
            v["reason"],
            v["title"] or v["story_id"],
        )
        for v in verdicts.to_dicts()
    ]
    columns = ("by the score", "with the verdict", "given", "by", "reason", "story")
    show_table(screen, columns, rows, title="verdicts, apart from the score", cut=("reason", "story"))


def _trial(
    store: StateStore, profile: str | None, first: datetime | None, last: datetime | None, *, is_all: bool
) -> Answer:
    from brandkit.record.shadow import compare_shadow

    owner = store.run(_complete_runs(store, profile)[0]).profile_id
    found = compare_shadow(store, owner, first=_day(first), last=_day(last))
    data = {
        "stories": found.stories.to_dicts(),
        "profile_id": found.profile_id,
        "days": found.days.to_dicts(),
        "workload": found.workload.to_dicts(),
        "totals": found.totals().to_dicts(),
        "causes": found.by_cause().to_dicts(),
        "alone": list(found.alone),
        "notes": list(found.notes),
    }
    return Answer(data, lambda screen: _show_trial(screen, found, is_all=is_all))


def _day(at: datetime | None) -> date | None:
    return at.date() if at else None


def _show_trial(screen: Console, found: Trial, *, is_all: bool) -> None:
    from brandkit.record.compare import spoken

    title, told, *notes = found.headlines()
    show_line(screen, title, style="bold")
    show_line(screen, told)
    days = found.days.drop("run_live", "run_shadow")
    show_table(
        screen,
        tuple(name.removeprefix("n_").replace("run_on", "day") for name in days.columns),
        [(str(on), *counts) for on, *counts in days.rows()],
        right=[name.removeprefix("n_") for name in days.columns[1:]],
    )
    rows = [
        (spoken(name), *counts, f"{live:.1f}", f"{shadow:.1f}")
        for name, *counts, live, shadow in found.totals().rows()
    ]
    columns = ("decision", "live", "shadow", "live a day", "shadow a day")
    show_table(screen, columns, rows, title="stories by decision", right=columns[1:])
    _show_causes(screen, found.by_cause())
    shown = found.top(found.stories.height if is_all else MOST_MOVED)
    _show_moves(screen, "what would have moved", shown, found.stories.height - shown.height)
    for note in notes:
        show_line(screen, note, style="yellow")
