"""``brandkit report``: a report of a day or of many, made with all guards."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import PATH, Answer, Command, error_data, load_settings, say
from brandkit.cli.reading import STORE
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import BrandkitError, DeliveryError, ReportError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from brandkit.report.delivery import Ways
    from brandkit.report.making import How, Made

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    cls=Command,
    short_help="Make a report: notebook, page, text, tables.",
    epilog="\b\nExample:\n  brandkit report daily --date 2026-03-04",
)
@click.argument("name")
@click.option("--date", "on", metavar="YYYY-MM-DD", help="The day the report is of.")
@click.option(
    "--range",
    "days",
    type=_DAY,
    nargs=2,
    metavar="FIRST LAST",
    help="A report for each of these days; those that are whole and up to date are left as they are.",
)
@click.option("--run", "run_id", metavar="RUN", help="A run's id. [default: the latest of the day]")
@click.option(
    "--profile", "profile_path", type=PATH, help="The profile's TOML file. [default: BRANDKIT_PROFILE]"
)
@STORE
@click.option("-p", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter of the notebook.")
@click.option("--html/--no-html", "is_html", default=True, help="Also the page without code. [default: html]")
@click.option(
    "--out", type=PATH, metavar="DIR", help="The folder of all reports. [default: BRANDKIT_ARTIFACTS_DIR]"
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a cell, and the notebook but for a minute, may take.",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="How many of a range at once."
)
@click.option("--force", is_flag=True, help="Make it again although it is whole and up to date.")
@click.option(
    "--edition", help="full, or redacted: without rivals, reasons of verdicts, people and accounts."
)
@click.option(
    "--send",
    is_flag=True,
    help="Send what is made, or word that it failed, where the settings say; not what is up to date.",
)
def report(
    name: str,
    on: str | None,
    days: tuple[datetime, datetime] | None,
    workers: int,
    send: bool,
    **options: Any,
) -> Answer:
    """Make the report NAME, each in a process of its own, and put it in place whole or not at all.

    A report is a folder, <out>/<name>/<date>/<run>/: the executed notebook, a page without code, a few
    lines for mail or chat, and for the daily brief the decisions as CSV and Parquet; run.json says what
    it was made of. When it fails, an error page is written and the last good report stays.
    """
    from brandkit.report.making import How, make_range

    root = options.pop("out") or load_settings().artifacts_dir
    how = How(root=root, is_html=options["is_html"], timeout_s=options["timeout"], is_forced=options["force"])
    given = _given(name, on, options)
    ways = _ways() if send else None
    if days is None:
        return _answer(*_sent([_made_or_told(name, given, how, ways)], ways))
    if on or options["run_id"]:
        raise UsageError("--range says which days", hint="leave out --date and --run")
    first, last = (day.date() for day in days)
    return _answer(*_sent(make_range(name, given, first, last, how, workers=workers, hear=_hear), ways))


def _ways() -> Ways:
    """Where reports are sent: read before one is made, so that a slip in it is known at once."""
    from brandkit.report.delivery import Ways

    return Ways.of(load_settings().sending)


def _made_or_told(name: str, given: dict[str, object], how: How, ways: Ways | None) -> Made:
    """One report; whoever waits for it hears that it failed before the error goes its way."""
    from brandkit.report.delivery import Outcome
    from brandkit.report.making import make

    try:
        return make(name, given, how)
    except BrandkitError as error:
        # What was asked for wrongly is the asker's to hear, and nobody else's.
        if ways is not None and not isinstance(error, UsageError):
            unsent = ways.deliver(Outcome.of(name, None, error=str(error))).error
            if unsent is not None:
                say(str(unsent))
        raise


def _sent(found: list[Made], ways: Ways | None) -> tuple[list[Made], DeliveryError | None]:
    """The reports, and what kept one of them from arriving."""
    from brandkit.report.delivery import Outcome

    if ways is None:
        return found, None
    error = None
    for made in found:
        if made.status in ("made", "failed"):
            told = Outcome.of(
                made.name, made.folder, run_id=made.run_id or "", error=str(made.error) if made.error else ""
            )
            unsent = ways.deliver(told).error
            error = error or unsent
    return found, error


def _given(name: str, on: str | None, options: dict[str, Any]) -> dict[str, object]:
    """What was asked for, as the notebook's parameters."""
    from brandkit.report.parameters import model_of

    model = model_of(name)
    if on and not model.date_field:
        raise UsageError(f"report '{name}' is of no day", hint="leave --date out")
    if options["run_id"] and not model.run_field:
        raise UsageError(f"report '{name}' is of no single run", hint="leave --run out")
    said = {
        model.date_field: on, model.run_field: options["run_id"], "profile": options["profile_path"],
        "store": options["store_path"],
    }  # fmt: skip
    if options["edition"]:
        if "edition" not in model.model_fields:
            raise UsageError(f"report '{name}' has one edition only", hint="leave --edition out")
        said["edition"] = options["edition"]
    given: dict[str, object] = {key: value for key, value in said.items() if key and value}
    for key, values in _pairs(options["pairs"]).items():
        if key in given:
            raise UsageError(f"parameter '{key}' is given twice", hint="by -p or by its option")
        given[key] = values[0] if len(values) == 1 else values
    return given


def _pairs(pairs: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise UsageError(f"-p '{pair}' is no NAME=VALUE", hint="such as -p run_date=2026-03-04")
        found.setdefault(key.strip(), []).append(value)
    return found


def _hear(made: Made) -> None:
    """One line for each report of a range as it comes."""
    what = made.error.what if made.error else made.folder
    say(f"{made.on} {made.status}: {what}")


def _answer(found: list[Made], unsent: DeliveryError | None) -> Answer:
    data = {
        "reports": [
            {
                "name": made.name,
                "date": made.on,
                "run_id": made.run_id,
                "status": made.status,
                "folder": made.folder,
                "files": _files(made),
                "error": error_data(made.error),
            }
            for made in found
        ]
    }
    return Answer(data, lambda screen: _show(screen, found), error=_error(found) or unsent)


def _files(made: Made) -> list[str]:
    return sorted(path.name for path in made.folder.iterdir()) if made.folder else []


def _error(found: list[Made]) -> ReportError | UsageError | None:
    failed = [made for made in found if made.status == "failed"]
    if failed:
        first = failed[0].error
        return ReportError(
            f"{len(failed)} of {len(found)} reports failed", where=f"the first is of {failed[0].on}",
            hint=str(first),
        )  # fmt: skip
    if all(made.status == "nothing to report" for made in found):
        return UsageError("no day of the range has a run or items", hint=str(found[0].error))
    return None


def _show(screen: Console, found: list[Made]) -> None:
    if len(found) > 1:
        rows = [(made.on, made.status, made.run_id or "", made.folder or "") for made in found]
        show_table(screen, ("date", "report", "run", "folder"), rows, whole=("date", "report", "run"))
        return
    for made in found:
        if made.folder is None:
            continue
        show_line(screen, f"report {made.name} of {made.run_id or made.on}: {made.status}", style="bold")
        show_line(screen, f"in {made.folder}")
        for path in sorted(made.folder.iterdir()):
            show_line(screen, f"  {path.name:<20} {path.stat().st_size:>11,} bytes")
