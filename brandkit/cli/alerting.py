"""``brandkit alerts``: what the desk should hear between two briefs, sent and listed."""

from __future__ import annotations

import shlex
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import PATH, Answer, Command, Group, open_store, wants_json
from brandkit.cli.reading import PROFILE, STORE, _complete_runs
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import DeliveryError, UsageError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from brandkit.desk.delivery import Channel
    from brandkit.store.state import StateStore

ID_CHARACTERS = 10
AT = click.option("--at", metavar="ISO", help="The clock that quiet hours go by. [default: now]")
KIND = click.option(
    "--kind", type=click.Choice(["daily", "adhoc"]), default="daily", show_default=True, help="Of which runs."
)


class _ListsByDefault(Group):
    """A group that lists where no command of it is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "-h")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListsByDefault, short_help="What the desk should hear between two briefs.")
def alerts() -> None:
    """Newly promoted stories and bad news, once each; without a command, the list of them."""


@alerts.command(
    "list",
    cls=Command,
    short_help="What is due, held, muted or sent.",
    epilog="\b\nExample:\n  brandkit alerts list --profile technology",
)
@AT
@KIND
@PROFILE
@STORE
def list_(at: str | None, kind: str, profile_id: str | None, store_path: Path | None) -> Answer:
    """List what the latest run has to tell, and what of earlier runs is not told yet.

    due would be sent now; failed was tried; held waits for the hour shown; muted stays unsaid, with
    what mutes it and until when; overtaken is not so any more. Nothing is sent or written.
    """
    from brandkit.desk.alerts_kept import list_alerts

    store = open_store(store_path)
    wanted = _profile(store, profile_id)
    found = list_alerts(store, wanted, now=_instant(at), kind=kind)
    data = {"profile_id": wanted, "alerts": found.to_dicts()}
    return Answer(data, lambda screen: _show(screen, found, wanted))


@alerts.command(
    "send",
    cls=Command,
    short_help="Send what is due.",
    epilog="\b\nExample:\n  brandkit alerts send --out alerts.jsonl --command 'desk-bell --loud'",
)
@click.option("--out", type=PATH, help="Add a line of JSON for each alert to this file; - is the screen.")
@click.option(
    "--command", "command_line", metavar="LINE", help="Start this program for each alert, JSON on its stdin."
)
@click.option("--webhook", metavar="URL", help="Post each alert as JSON to this address.")
@click.option("--allow-private", is_flag=True, help="Let the webhook be in one's own network, on any port.")
@click.option(
    "--allow-port",
    type=click.IntRange(1, 65535),
    help="Let the webhook have this port, not only 80 and 443.",
)
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=0.1), default=10.0, show_default=True,
    help="Seconds for one alert on one channel.",
)  # fmt: skip
@AT
@KIND
@PROFILE
@STORE
def send(
    out: Path | None, command_line: str | None, webhook: str | None, allow_private: bool,
    allow_port: int | None, timeout_s: float, at: str | None, kind: str, profile_id: str | None,
    store_path: Path | None,
) -> Answer:  # fmt: skip
    """Send what is due to a file, a program or an address; each alert arrives once at each of them.

    What does not arrive is tried again next time: exit code 75. What is muted is not sent.
    """
    from brandkit.desk.alerts_kept import send_alerts

    ports = None if allow_private else {80, 443, *([allow_port] if allow_port else [])}
    channels = _channels(
        out, command_line, webhook, timeout_s=timeout_s, ports=ports, allow_private=allow_private
    )
    store = open_store(store_path)
    wanted = _profile(store, profile_id)
    tries = send_alerts(store, wanted, channels, now=_instant(at), kind=kind)
    failed = tries.filter(tries["error"].is_not_null())
    error = None
    if failed.height:
        told = f"{failed.height} of {tries.height} alerts did not arrive"
        error = DeliveryError(told, allowed=failed["error"][0], hint="they are sent again next time")
    n_arrived = tries.height - failed.height
    arrived = f"{n_arrived} of {tries.height} alerts arrived" if tries.height else "nothing to send"
    if out == Path("-"):
        # The screen has the alerts themselves, for a program to read.
        return Answer({}, lambda _: None, notes=(arrived,), error=error)
    return Answer({"tries": tries.to_dicts()}, lambda screen: show_line(screen, arrived), error=error)


def _channels(
    out: Path | None, command_line: str | None, webhook: str | None, *, timeout_s: float,
    ports: set[int] | None, allow_private: bool,
) -> list[Channel]:  # fmt: skip
    from brandkit.desk.delivery import Command as Program
    from brandkit.desk.delivery import Lines, Webhook

    found: list[Channel] = []
    if out is not None:
        if out == Path("-") and wants_json():
            raise UsageError("--json and --out - both want the screen", hint="give a file to --out")
        found.append(Lines(sys.stdout if out == Path("-") else out))
    if command_line is not None:
        try:
            found.append(Program(tuple(shlex.split(command_line)), timeout_s=timeout_s))
        except ValueError as error:
            raise UsageError(f"--command cannot be read: {error}") from None
    if webhook is not None:
        found.append(Webhook(webhook, timeout_s=timeout_s, ports=ports, allow_private=allow_private))
    if not found:
        raise UsageError("nowhere to send to", hint="give --out, --command or --webhook")
    return found


def _profile(store: StateStore, given: str | None) -> str:
    """The profile meant: the one given, else that of the newest run, the usual one's before all others."""
    return str(store.run(_complete_runs(store, given)[0]).profile_id)


def _instant(given: str | None) -> datetime:
    from brandkit.runner import now

    if given is None:
        return now()
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise UsageError(
            f"not an instant with a zone: '{given}'", allowed="such as 2026-03-02T07:00:00+00:00"
        )
    return at


def _show(screen: Console, found: pl.DataFrame, profile_id: str) -> None:
    if found.is_empty():
        show_line(screen, f"nothing to tell of profile '{profile_id}': no story was promoted, no bad news")
        return
    columns = ("state", "until (UTC)", "alert", "total", "item", "story")
    for (run_id,), part in found.group_by("run_id", maintain_order=True):
        rows = [_row(alert) for alert in part.to_dicts()]
        title = f"run {run_id}"
        show_table(screen, columns, rows, title=title, right=("total",), cut=("story",))
    for error in found["error"].drop_nulls().unique(maintain_order=True):
        show_line(screen, f"did not arrive: {error.splitlines()[0]}", style="red")


def _row(alert: dict[str, Any]) -> tuple[object, ...]:
    state = alert["state"]
    if state == "muted" or (state == "held" and alert["muted_by"]):
        state = f"{state}: {alert['muted_by'].replace('_', ' ')}"
    until = alert["held_until"] or (alert["muted_until"] if alert["state"] == "muted" else None)
    escalates = "!" if alert["is_escalation"] else ""
    rule = alert["rule"].replace("_", " ") + escalates
    return state, until, rule, alert["total"], alert["lead_item_id"][:ID_CHARACTERS], alert["title"]
