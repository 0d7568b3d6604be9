"""``brandkit run``: decide what a desk day's items come to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from brandkit.cli.base import PATH, Answer, Command, Group, console, error_data, load_settings, open_store
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import UsageError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from brandkit.runner import RunResult
    from brandkit.telemetry import Hook, StageEvent

SAMPLE = Path("data", "sample")
TOP_STORIES = 10
TOP_BLOCKED = 5
_STORY = (
    "story_id", "lead_item_id", "title", "url", "decision", "effective_decision", "reason", "total",
    "n_outlets", "n_publishers", "phase", "disputed",
)  # fmt: skip
ID_CHARACTERS = 10


@click.group(cls=Group, short_help="Decide what a day's items come to.")
def run() -> None:
    """Decide what the items of a desk day come to, and keep it in the store."""


_OPTIONS = (
    click.option(
        "--date", "on", required=True, metavar="YYYY-MM-DD", help="The desk day, in the profile's time zone."
    ),
    click.option(
        "--profile", "profile_path", type=PATH, help="The profile's TOML file. [default: BRANDKIT_PROFILE]"
    ),
    click.option(
        "--input",
        "inputs",
        multiple=True,
        metavar="PATH",
        help="A file, glob or folder of items; may be given again. [default: the sample of a source tree]",
    ),
    click.option("--mapping", type=PATH, help="A TOML file that says which column is what."),
    click.option(
        "--as-of", metavar="ISO", help="Know nothing after this instant. [default: the end of the day]"
    ),
    click.option("--store", "store_path", type=PATH, help="The store's file. [default: BRANDKIT_DB_PATH]"),
    click.option("--shadow", is_flag=True, help="Try a changed profile: never the latest run for anybody."),
    click.option("--force", is_flag=True, help="Run again although the very same run is in the store."),
)


def _options(function: Callable[..., Answer]) -> Callable[..., Answer]:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@run.command(
    "daily",
    cls=Command,
    epilog="\b\nExample:\n  brandkit run daily --date 2026-03-04 --input 'items/*.parquet'",
)
@_options
def daily(**options: Any) -> Answer:
    """Run the daily decision for one desk day.

    The same input, profile and date again means nothing to do: the earlier result is shown.
    """
    return _run("daily", **options)


@run.command(
    "adhoc",
    cls=Command,
    epilog="\b\nExample:\n  brandkit run adhoc --date 2026-03-04 --as-of 2026-03-04T09:30:00+00:00",
)
@_options
def adhoc(**options: Any) -> Answer:
    """Run outside the daily series: a look in between, with a history of its own."""
    return _run("adhoc", **options)


def _run(
    kind: Literal["daily", "adhoc"], *, profile_path: Path | None, inputs: tuple[str, ...],
    store_path: Path | None, force: bool, on: str, as_of: str | None, **rest: Any,
) -> Answer:  # fmt: skip
    from brandkit.profile import BrandProfile
    from brandkit.runner import Runner, Task
    from brandkit.telemetry import Telemetry

    settings = load_settings()
    path = profile_path or settings.profile_path
    if path is None:
        hint = "pass --profile, set BRANDKIT_PROFILE, or write one with brandkit init"
        raise UsageError("no profile given", hint=hint)
    notes, sources = _inputs(inputs)
    # A task reads ISO text itself, and says what is wrong with it.
    times: dict[str, Any] = {"date": on, "as_of": as_of}
    task = Task(profile=BrandProfile.from_toml(path), inputs=sources, kind=kind, **times, **rest)
    with _progress() as hooks:
        runner = Runner(open_store(store_path), telemetry=Telemetry(hooks=hooks))
        result = runner.run(task, force=force)
    stories = _top(runner.store.stories(result.run_id)) if result.ok else None
    data = {
        **_result_data(result),
        "is_sample": not inputs,
        "stories": [] if stories is None else stories.to_dicts(),
    }
    return Answer(data, lambda screen: _show(screen, result, stories), notes, result.error)


def _inputs(given: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Notes, and the inputs: what was given, else the sample that a source tree ships."""
    from brandkit.settings import project_root

    if given:
        return (), given
    root = project_root()
    files = sorted((root / SAMPLE).glob("items-*.parquet")) if root else []
    if root is None or not files:
        raise UsageError("no input given", hint="pass --input with a file, a glob or a folder of items")
    return (f"no --input given: these are the invented items of the shipped sample, {root / SAMPLE}",), tuple(
        map(str, files)
    )


@contextmanager
def _progress() -> Iterator[tuple[Hook, ...]]:
    """A bar over the stages while somebody looks at stderr; nothing otherwise."""
    if not sys.stderr.isatty():
        yield ()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    from brandkit.assess import standard_pipeline

    names = [*(stage.name for stage in standard_pipeline().stages), "store"]
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(names[0], total=len(names))

        def advance(event: StageEvent) -> None:
            if event.kind == "stage" and event.name in names:
                done = names.index(event.name) + 1
                bar.update(task, completed=done, description=names[done])

        yield (advance,)


def _top(stories: pl.DataFrame) -> pl.DataFrame:
    """The stories to look at first, highest rung and total on top; then the blocked ones.

    What the desk has put aside it has looked at.
    """
    import polars as pl

    is_aside = pl.col("desk_state").is_in(["handled", "snoozed"])
    ordered = stories.filter((pl.col("effective_decision") != "drop") & ~is_aside).sort(
        ["effective_decision", "total", "story_id"], descending=[True, True, False]
    )
    is_blocked = pl.col("effective_decision") == "block"
    # What must not be amplified wants a person too, and would drown among the watched.
    parts = [ordered.filter(~is_blocked).head(TOP_STORIES), ordered.filter(is_blocked).head(TOP_BLOCKED)]
    return pl.concat(parts).select(_STORY)


def _result_data(result: RunResult) -> dict[str, Any]:
    return {
        "run_id": result.run_id,
        "status": result.status,
        "ok": result.ok,
        "is_repeat": result.is_repeat,
        "decisions": _decisions(result),
        "counts": dict(result.counts),
        "seconds": dict(result.seconds),
        "warnings": list(result.warnings),
        "error": error_data(result.error),
    }


def _decisions(result: RunResult) -> dict[str, int]:
    from brandkit.schemas import Decision

    # A run read back from the store has its counts in the order of their names.
    counted = {decision.value: result.counts.get(f"stories_{decision.value}") for decision in Decision}
    return {name: n for name, n in reversed(counted.items()) if n is not None}


def _show(screen: Console, result: RunResult, stories: pl.DataFrame | None) -> None:
    if stories is None:
        show_line(screen, f"run {result.run_id} failed; nothing of it is visible", style="bold red")
        return
    how = "was there already" if result.is_repeat else result.status
    show_line(screen, f"run {result.run_id} {how}", style="bold")
    show_line(screen, _sums(result.counts))
    if not result.counts.get("records"):
        show_line(screen, "no items for this day: nothing to decide", style="yellow")
    else:
        decided = [(name.replace("_", " "), n) for name, n in _decisions(result).items()]
        show_table(screen, ("decision", "stories"), decided, right=("stories",))
        is_blocked = stories["effective_decision"] == "block"
        _show_stories(
            screen, stories.filter(~is_blocked), "first to look at (brandkit explain <item> says why)"
        )
        _show_stories(screen, stories.filter(is_blocked), "do not amplify, but act")
    for warning in result.warnings:
        show_line(screen, f"warning: {warning}", style="yellow")


def _show_stories(screen: Console, stories: pl.DataFrame, title: str) -> None:
    if stories.is_empty():
        return
    rows = [
        (decision.replace("_", " "), total, n_outlets, item_id[:ID_CHARACTERS], headline)
        for decision, total, n_outlets, item_id, headline in stories.select(
            "effective_decision", "total", "n_outlets", "lead_item_id", "title"
        ).rows()
    ]
    columns = ("decision", "total", "outlets", "item", "story")
    show_table(screen, columns, rows, title=title, right=("total", "outlets"), cut=("story",))


def _sums(counts: Mapping[str, int]) -> str:
    told = {
        "rows_in": "rows in",
        "rejected": "rejected",
        "folded": "seen again",
        "set_aside": "outside the day",
        "records": "records",
        "stories": "stories",
    }
    return ", ".join(f"{counts.get(name, 0):,} {words}" for name, words in told.items())
