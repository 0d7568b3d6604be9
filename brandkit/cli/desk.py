"""``brandkit verdict`` and ``state``: what the desk says of stories, and what it said before."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from brandkit.cli.base import Answer, Command, open_store
from brandkit.cli.reading import PROFILE, STORE, _complete_runs, profile_id_of, usual_profile
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from brandkit.store.state import StateStore

MOST_LINES = 40
ID_CHARACTERS = 10
REASON = click.option("--reason", metavar="TEXT", help="Why, in one line; whoever reads it later needs it.")
ACTOR = click.option("--actor", metavar="NAME", help="Who says so. [default: your login name]")
AT = click.option("--at", metavar="ISO", help="When it was said, with its time zone. [default: now]")
_UNTIL = "an instant with its zone, or a desk day of the profile's zone, to its end."
Row = Mapping[str, Any]


@click.command(
    cls=Command,
    short_help="Say what a story is, beside its score; or list what was said.",
    epilog='\b\nExample:\n  brandkit verdict 3f9c2a71 drop --reason "an old story" --until 2026-03-09',
)
@click.argument("item", required=False)
@click.argument("decision", required=False)
@REASON
@click.option("--until", metavar="WHEN", help=f"When it ends: {_UNTIL}")
@click.option("--withdraw", is_flag=True, help="Take back the verdict on ITEM, which may be a verdict's id.")
@click.option("--stale", is_flag=True, help="List those that expired or whose story is out of sight.")
@click.option("--all", "is_all", is_flag=True, help="List every verdict ever given.")
@ACTOR
@AT
@PROFILE
@STORE
def verdict(
    item: str | None, decision: str | None, *, reason: str | None, until: str | None, withdraw: bool,
    stale: bool, is_all: bool, actor: str | None, at: str | None, profile_id: str | None,
    store_path: Path | None,
) -> Answer:  # fmt: skip
    """Give, withdraw or list verdicts: what an editor says of a story, beside what its score says.

    ITEM is an item's or a story's id, or the beginning of one; DECISION is must_cover, optional, watch,
    drop or block. The next run has it; the score stays as it is. Without DECISION, the list.
    """
    store = open_store(store_path)
    is_list = decision is None and not withdraw
    if is_list and (reason or until or actor):
        raise UsageError(
            "a verdict without a decision", allowed="must_cover, optional, watch, drop, block, or --withdraw"
        )
    if not is_list and (stale or is_all or (withdraw and (decision or until or not item))):
        raise UsageError("give, withdraw or list: one at a time", hint="brandkit verdict --help")
    if is_list:
        return _verdicts(store, item, at, profile_id, stale=stale, is_all=is_all)
    from brandkit.desk.verdicts import give_verdict, withdraw_verdict

    word = said(store, actor, at, profile_id, reason=needed(reason))
    if withdraw:
        verdict_id = withdraw_verdict(item or "", **word)
        return Answer(
            {"verdict_id": verdict_id}, lambda screen: show_line(screen, f"{verdict_id} is withdrawn")
        )
    made = give_verdict(item or "", decision or "", until=until, **word)

    def show(screen: Console) -> None:
        clock = clock_of(store, made.profile_id)
        ends = f", until {clock(made.expires_at)}" if made.expires_at else ", until it is withdrawn"
        show_line(screen, made.title, style="bold")
        show_line(screen, f"{made.verdict_id}: {spaced(made.decision)}, by {made.given_by}{ends}")
        show_line(screen, f"The score alone says {spaced(made.decided)}. The next run has the verdict.")

    return Answer(asdict(made), show)


def _verdicts(
    store: StateStore, item: str | None, at: str | None, profile: str | None, *, stale: bool, is_all: bool
) -> Answer:
    from brandkit.desk.verdicts import STALE, STATES, list_verdicts

    profile_id = owner_of(store, item, profile)
    rows = list_verdicts(store, profile_id, at=instant(at), item=item)
    counts = {name: int((rows["state"] == name).sum()) for name in STATES}
    wanted = STALE if stale else ("standing", "unseen")
    shown = rows if is_all or (item and not stale) else rows.filter(rows["state"].is_in(wanted))

    def show(screen: Console) -> None:
        clock = clock_of(store, profile_id)
        show_rows(
            screen, f"verdicts of profile '{profile_id}'", shown.to_dicts(),
            {
                "verdict": lambda row: row["verdict_id"],
                "state": lambda row: row["state"],
                "says": lambda row: spaced(row["decision"]),
                "by": lambda row: row["given_by"],
                "given": lambda row: clock(row["given_at"]),
                "until": lambda row: clock(row["withdrawn_at"] or row["expires_at"]),
                "reason": lambda row: row["reason"],
                "story": lambda row: row["title"] or row["story_id"],
            },
        )  # fmt: skip
        rest = [f"{n:,} {name}" for name, n in counts.items() if n and name not in shown["state"]]
        if rest:
            show_line(screen, f"not shown: {', '.join(rest)} (--all)", style="dim")

    return Answer({"profile_id": profile_id, "counts": counts, "verdicts": shown.to_dicts()}, show)


@click.command(
    cls=Command,
    short_help="Say who has a story, or that it is done; or list what is going on.",
    epilog="\b\nExample:\n  brandkit state 3f9c2a71 assigned --to Ann --note 'call the regulator'",
)
@click.argument("story", required=False)
@click.argument("state", required=False)
@click.option("--to", "assignee", metavar="NAME", help="Who has it; of a snoozed one, who has it afterwards.")
@click.option("--until", metavar="WHEN", help=f"How long it is snoozed: {_UNTIL}")
@click.option("--note", metavar="TEXT", help="A word for whoever reads it, in one line.")
@click.option("--all", "is_all", is_flag=True, help="List every change, not only each story's last.")
@ACTOR
@AT
@PROFILE
@STORE
def state(
    story: str | None, state: str | None, *, assignee: str | None, until: str | None, note: str | None,
    is_all: bool, actor: str | None, at: str | None, profile_id: str | None, store_path: Path | None,
) -> Answer:  # fmt: skip
    """Set or list what the desk does with stories: open, handled, assigned or snoozed.

    STORY is a story's or an item's id, or the beginning of one. What is handled or snoozed stands apart
    in the next run's brief, and comes back when the snooze is over, when it becomes must_cover or block,
    or when a trusted publisher disputes it. Without STATE, the list.
    """
    store = open_store(store_path)
    if state is None:
        if assignee or until or note or actor or at:
            raise UsageError("no state given", allowed="open, handled, assigned, snoozed")
        return _states(store, story, profile_id, is_all=is_all)
    if is_all:
        raise UsageError("set a state or list them: one at a time", hint="brandkit state --help")
    from brandkit.desk.states import set_state

    made = set_state(
        story or "", state, assignee=assignee, until=until, note=note, **said(store, actor, at, profile_id)
    )

    def show(screen: Console) -> None:
        clock = clock_of(store, made.profile_id)
        ends = f" until {clock(made.snoozed_until)}" if made.snoozed_until else ""
        to = f"{', then with' if ends else ' to'} {made.assignee}" if made.assignee else ""
        show_line(screen, made.title, style="bold")
        show_line(screen, f"{made.desk_state}{ends}{to}, by {made.changed_by}. The next run shows it so.")

    return Answer(asdict(made), show)


def _states(store: StateStore, story: str | None, profile: str | None, *, is_all: bool) -> Answer:
    from brandkit.desk.states import list_states

    profile_id = owner_of(store, story, profile)
    rows = list_states(store, profile_id, story=story)
    going_on = rows.filter(rows["is_newest"] & (rows["desk_state"] != "open"))
    shown = rows if is_all or story else going_on

    def show(screen: Console) -> None:
        clock = clock_of(store, profile_id)
        show_rows(
            screen, f"what the desk does with stories of profile '{profile_id}'", shown.to_dicts(),
            {
                "state": lambda row: row["desk_state"],
                "to": lambda row: row["assignee"],
                "until": lambda row: clock(row["snoozed_until"]),
                "by": lambda row: row["changed_by"],
                "since": lambda row: clock(row["changed_at"]),
                "note": lambda row: row["note"],
                "item": lambda row: row["item_id"][:ID_CHARACTERS],
                "story": lambda row: row["title"] or row["story_id"],
            },
        )  # fmt: skip

    return Answer({"profile_id": profile_id, "states": shown.to_dicts()}, show)


def said(
    store: StateStore, actor: str | None, at: str | None, profile: str | None, **more: str
) -> dict[str, Any]:
    """What every word of the desk comes with: who, when, and of whose story in which store."""
    whose = {"profile_id": profile_id_of(profile), "usual": usual_profile()}
    return {"actor": actor_name(actor), "at": instant(at), "store": store, **whose, **more}


def needed(reason: str | None) -> str:
    """The reason, which nobody may leave out."""
    if not reason:
        raise UsageError("no reason given", hint='say why: --reason "..."')
    return reason


def actor_name(given: str | None) -> str:
    """Who says so: as given, else the login name."""
    if given is not None:
        return given
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise UsageError("this machine does not know who you are", hint="say so: --actor NAME") from None


def instant(given: str | None) -> datetime:
    """When it is said: as given, else now."""
    from brandkit.runner import now

    if given is None:
        return now()
    try:
        return datetime.fromisoformat(given)
    except ValueError:
        raise UsageError(f"not an instant: {given!r}", allowed="such as 2026-03-03T07:00+01:00") from None


def owner_of(store: StateStore, item: str | None, profile: str | None) -> str:
    """Whose list is meant: the profile that is named, else the item's, else the usual one."""
    if item is None:
        return store.run(_complete_runs(store, profile)[0]).profile_id
    return store.find_item(item, profile_id=profile_id_of(profile), usual=usual_profile()).run.profile_id


def clock_of(store: StateStore, profile_id: str) -> Callable[[datetime | None], str]:
    """How instants are shown: in the zone of the profile, and which that is."""
    from brandkit.profile import BrandProfile

    newest = store.runs(profile_id, limit=1)["run_id"].item()
    zone = ZoneInfo(BrandProfile.from_snapshot(store.run(newest).profile_json).timezone)
    return lambda at: f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}" if at else ""


def show_rows(
    screen: Console, title: str, rows: Sequence[Row], columns: Mapping[str, Callable[[Row], Any]]
) -> None:
    """Print rows under their columns, each value made of its row; a long list is cut and says so."""
    if not rows:
        show_line(screen, f"no {title}")
        return
    more = f" (and {len(rows) - MOST_LINES:,} more: --json)" if len(rows) > MOST_LINES else ""
    cells = [tuple(value(row) for value in columns.values()) for row in rows[:MOST_LINES]]
    cut = [name for name in columns if name in ("reason", "note", "story", "one", "other")]
    whole = [name for name in columns if name in ("verdict", "rule", "item")]
    show_table(screen, tuple(columns), cells, title=f"{title}{more}", cut=cut, whole=whole)


def spaced(name: str) -> str:
    """A code as it is said."""
    return name.replace("_", " ")
