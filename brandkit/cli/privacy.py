"""``brandkit erase`` and ``prune``: forget a person, and forget with age."""

from __future__ import annotations

import getpass
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import PATH, Answer, Command, open_store, wants_json
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from brandkit.store.prune import Pruned

STORE = click.option("--store", "store_path", type=PATH, help="The store's file. [default: BRANDKIT_DB_PATH]")
YES = click.option("--yes", is_flag=True, help="Do it without asking.")


@click.command(
    cls=Command,
    short_help="Forget an account or an author, everywhere.",
    epilog='\b\nExample:\n  brandkit erase --account forum:ada --reason "asked on 3 March"',
)
@click.option("--account", metavar="PLATFORM:NAME", help="The account to forget.")
@click.option("--author", metavar="NAME", help="The author to forget, as in a byline.")
@click.option("--reason", default="", help="Why, for the record.")
@click.option("--by", "erased_by", help="Who does it. [default: your login name]")
@YES
@STORE
def erase(
    account: str | None,
    author: str | None,
    reason: str,
    erased_by: str | None,
    yes: bool,
    store_path: Path | None,
) -> Answer:
    """Forget an account or an author: everywhere in the store, for good, and from now on.

    Records keep their points. Runs that met the person cannot be replayed any more. Copies of the
    store made earlier are not reached.
    """
    from brandkit.runner import now

    store = open_store(store_path)
    _confirm(f"Forget {account or author or 'nobody'} in {store.path}? This cannot be undone.", yes=yes)
    found = store.erase(
        account=account,
        author=author,
        erased_at=now(),
        erased_by=erased_by or getpass.getuser(),
        reason=reason,
    )
    data = {
        "kind": found.kind,
        "n_items": found.n_items,
        "n_records": found.n_records,
        "runs": list(found.runs),
    }

    def show(screen: Console) -> None:
        show_line(screen, f"{found.n_items:,} items and {found.n_records:,} records forgot the {found.kind}")
        if found.runs:
            show_line(screen, f"no replay any more of: {', '.join(found.runs)}")

    return Answer(data, show)


@click.command(
    cls=Command,
    short_help="Delete inputs and runs older than you keep.",
    epilog="\b\nExample:\n  brandkit prune --inputs-older-than 90 --runs-older-than 400 --dry-run",
)
@click.option(
    "--inputs-older-than", "inputs_days", type=click.IntRange(min=1), metavar="DAYS",
    help="Delete items and sightings last seen longer ago; records stay.",
)  # fmt: skip
@click.option(
    "--runs-older-than", "runs_days", type=click.IntRange(min=1), metavar="DAYS",
    help="Delete what runs of older days left; a line in runs stays.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would go, and take nothing.")
@YES
@STORE
def prune(
    inputs_days: int | None, runs_days: int | None, dry_run: bool, yes: bool, store_path: Path | None
) -> Answer:
    """Delete what is older than you keep, and say what went.

    A run whose inputs went refuses a replay and says why. What a coming run looks back on stays:
    sightings of three days, stories that are alive, records of four weeks.
    """
    from brandkit.runner import now

    if inputs_days is None and runs_days is None:
        raise UsageError("prune needs an age", allowed="--inputs-older-than DAYS, --runs-older-than DAYS")
    store, at = open_store(store_path), now()
    if not dry_run:
        _confirm(f"Delete from {store.path}? This cannot be undone.", yes=yes)
    found = store.prune(
        inputs_before=None if inputs_days is None else at - timedelta(days=inputs_days),
        runs_before=None if runs_days is None else (at - timedelta(days=runs_days)).date(),
        pruned_at=at,
        is_trial=dry_run,
    )
    data: dict[str, Any] = {
        "dry_run": dry_run,
        "rows": found.rows,
        "runs": list(found.runs),
        "inputs_gone": list(found.inputs_gone),
    }
    return Answer(data, lambda screen: _show_pruned(screen, found, is_trial=dry_run))


def _show_pruned(screen: Console, found: Pruned, *, is_trial: bool) -> None:
    if not found.n_rows:
        show_line(screen, "nothing is that old")
        return
    went = "would go" if is_trial else "went"
    show_table(screen, ("table", went), found.rows.items(), right=(went,))
    could = "could" if is_trial else "can"
    told = f"{len(found.runs)} runs {went}; {len(found.inputs_gone)} runs {could} not be replayed any more"
    show_line(screen, told)


def _confirm(question: str, *, yes: bool) -> None:
    if yes:
        return
    if wants_json() or not sys.stdin.isatty():
        raise UsageError("this takes things away and asks first", hint="--yes does it without asking")
    click.confirm(question, abort=True)
