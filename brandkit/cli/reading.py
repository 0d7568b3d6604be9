"""``brandkit runs``, ``explain`` and ``verify``: what was decided, why, and whether it still holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import PATH, Answer, Command, load_settings, open_store
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import BrandkitError, CheckFailed, UnknownError, UsageError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from brandkit.record.explain import Explanation
    from brandkit.record.verify import Verification
    from brandkit.store.state import StateStore

STORE = click.option("--store", "store_path", type=PATH, help="The store's file. [default: BRANDKIT_DB_PATH]")
PROFILE = click.option("--profile", "profile_id", metavar="ID", help="A profile's id, or its TOML file.")
SHOWN_DIFFERENCES = 20
SHOWN_MATCHES = 5


@click.command(cls=Command, epilog="\b\nExample:\n  brandkit runs --profile technology --limit 5")
@PROFILE
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@STORE
def runs(profile_id: str | None, limit: int, store_path: Path | None) -> Answer:
    """List the runs in the store, failed ones too, newest first."""
    store = open_store(store_path)
    listed = store.runs(_profile_id(profile_id), limit=limit)
    found = listed.drop("fingerprint", "owner_pid", "owner_host").to_dicts()
    for row in found:
        row.update({name: json.loads(row[name] or "{}") for name in ("counts", "versions")})
        row["warnings"] = row["warnings"] or []
    return Answer({"store": store.path, "runs": found}, lambda screen: _show_runs(screen, found, store.path))


def _show_runs(screen: Console, found: list[dict[str, Any]], path: Path) -> None:
    if not found:
        show_line(screen, f"no runs in {path} yet: brandkit run daily makes one")
        return
    decisions = ("must_cover", "optional", "watch", "block")
    numbers = ("records", *(_spaced(name) for name in decisions))
    rows = [
        (
            row["run_id"],
            row["status"],
            row["counts"].get("records"),
            *(row["counts"].get(f"stories_{name}") for name in decisions),
            _note(row),
        )
        for row in found
    ]
    columns = ("run", "status", *numbers, "notes")
    show_table(screen, columns, rows, right=numbers, whole=("run", "status"))
    for row in found:
        if row["error"]:
            show_line(screen, f"{row['run_id']}: {str(row['error']).splitlines()[0]}", style="red")


def _note(row: dict[str, Any]) -> str:
    told = ["shadow"] if row["shadow"] else []
    if n := len(row["warnings"]):
        told.append(f"{n} warning{'' if n == 1 else 's'}")
    return ", ".join(told)


@click.command(
    cls=Command,
    short_help="Account for one decision, to the point.",
    epilog="\b\nExample:\n  brandkit explain 3f9c2a71 --run technology.daily.2026-03-04.1",
)
@click.argument("item")
@click.option("--run", "run_id", metavar="RUN", help="A run's id. [default: the latest that has the item]")
@PROFILE
@STORE
def explain(item: str, run_id: str | None, profile_id: str | None, store_path: Path | None) -> Answer:
    """Account for one decision: every point, every modifier, every gate.

    ITEM is an item's id, the beginning of one that no other item shares, or a story's id, which
    stands for its lead.
    """
    from brandkit.profile import BrandProfile
    from brandkit.record.explain import explain as explain_record

    store = open_store(store_path)
    run_ids = [run_id] if run_id else _complete_runs(store, profile_id)
    made_in, item_id = _locate(item, store, run_ids)
    profile = BrandProfile.from_snapshot(store.run(made_in).profile_json)
    account = explain_record(store.record(made_in, item_id), profile)
    return Answer(_account_data(account, made_in), lambda screen: _show_account(screen, account, made_in))


def _locate(item: str, store: StateStore, run_ids: Sequence[str]) -> tuple[str, str]:
    """The first run that has the item, and the item's whole id."""
    for run_id in run_ids:
        records = store.records(run_id, columns=["item_id", "story_id", "is_lead"])
        item_id = _find(item, records, run_id=run_id)
        if item_id is not None:
            return run_id, item_id
    raise UnknownError(
        f"no item or story '{item}'",
        where=f"in run {run_ids[0]}" if len(run_ids) == 1 else f"in any of {len(run_ids)} complete runs",
        allowed="an id as brandkit run shows it, or the beginning of one",
        hint="brandkit runs lists the runs",
    )


def _find(item: str, records: pl.DataFrame, *, run_id: str) -> str | None:
    """The item_id that an id or a prefix means in one run: an item first, then a story's lead."""
    import polars as pl

    leads = records.filter("is_lead").select("item_id", key="story_id")
    keyed = (records.select("item_id", key="item_id"), leads)
    wanted = item.strip().lower()
    for is_it in (pl.col("key") == wanted, pl.col("key").str.starts_with(wanted)):
        for rows in keyed:
            found = rows.filter(is_it)["item_id"].unique().sort().to_list()
            if len(found) == 1:
                return str(found[0])
            if found:
                shown = ", ".join(found[:SHOWN_MATCHES])
                more = f" and {len(found) - SHOWN_MATCHES} more" if len(found) > SHOWN_MATCHES else ""
                raise UsageError(
                    f"'{item}' begins {len(found)} ids",
                    where=f"in run {run_id}",
                    allowed=f"they are: {shown}{more}",
                    hint="give more of it",
                )
    return None


def _account_data(account: Explanation, run_id: str) -> dict[str, Any]:
    names = ("item_id", "story_id", "title", "url", "publisher", "decision", "reason", "total")
    return {
        "run_id": run_id,
        **{name: getattr(account, name) for name in names},
        "sentence": account.sentence(),
        "scores": dict(account.scores),
        "steps": account.frame().to_dicts(),
        "gates": account.gate_frame().to_dicts(),
    }


def _show_account(screen: Console, account: Explanation, run_id: str) -> None:
    show_line(screen, account.title, style="bold")
    places = (account.publisher or "no publisher", f"item {account.item_id}", f"story {account.story_id}")
    show_line(screen, " · ".join((*places, f"run {run_id}")), style="dim")
    show_line(screen, f"{_spaced(account.decision)} with {account.total} of 100. {account.sentence()}")
    steps = [
        (step.component, _spaced(step.name), f"{step.points:+d}", step.maximum, step.running, step.fact)
        for step in account.steps
    ]
    columns = ("component", "part", "points", "of", "sum", "fact")
    show_table(screen, columns, steps, right=("points", "of", "sum"))
    gates = [
        (_spaced(gate.name), "passes" if gate.passes else "fails", f"{gate.margin:+d}", gate.meaning)
        for gate in account.gates
    ]
    show_table(screen, ("gate", "result", "margin", "asks for"), gates, right=("margin",))


def _spaced(name: str) -> str:
    return name.replace("_", " ")


@click.command(
    cls=Command,
    short_help="Recompute every record of a run.",
    epilog="\b\nExample:\n  brandkit verify technology.daily.2026-03-04.1",
)
@click.argument("run_id", metavar="[RUN]", required=False)
@PROFILE
@STORE
def verify(run_id: str | None, profile_id: str | None, store_path: Path | None) -> Answer:
    """Recompute every record of a run from its stored signals and frozen profile.

    RUN is the latest complete run unless given. Exit code 3 when a value differs.
    """
    from brandkit.record.verify import verify as verify_run

    store = open_store(store_path)
    found = verify_run(run_id or next(iter(_complete_runs(store, profile_id))), store)
    error: BrandkitError | None = None
    try:
        found.require()
    except CheckFailed as failed:
        error = failed
    data = {
        "run_id": found.run_id,
        "ok": found.ok,
        "n_records": found.n_records,
        "differences": found.differences.to_dicts(),
    }
    return Answer(data, lambda screen: _show_verification(screen, found), error=error)


def _show_verification(screen: Console, found: Verification) -> None:
    if found.ok:
        agreed = f"all {found.n_records:,} records are what their signals make"
        show_line(screen, f"run {found.run_id}: {agreed}", style="green")
        return
    rows = found.differences.head(SHOWN_DIFFERENCES).rows()
    more = found.differences.height - len(rows)
    title = f"run {found.run_id}: values that differ{f' (and {more} more)' if more else ''}"
    columns = ("item", "column", "stored", "computed")
    show_table(screen, columns, rows, title=title, cut=("stored", "computed"))


def _profile_id(given: str | None) -> str | None:
    """A profile's id from its id or its file."""
    from brandkit.profile import BrandProfile

    if given and (given.endswith(".toml") or Path(given).is_file()):
        return BrandProfile.from_toml(given).id
    return given


def _complete_runs(store: StateStore, profile: str | None) -> list[str]:
    """The complete runs, newest first: of one profile, else those of the usual profile before all others.

    Raises: UnknownError when there are none.
    """
    import polars as pl

    profile_id = _profile_id(profile)
    complete = store.runs(profile_id).filter((pl.col("status") == "complete") & ~pl.col("shadow"))
    if complete.is_empty():
        whose = f" of profile '{profile_id}'" if profile_id else ""
        raise UnknownError(
            f"no complete run{whose}", where=f"in {store.path}", hint="brandkit run daily makes one"
        )
    usual = pl.col("profile_id") == _usual_profile()
    ordered = pl.concat([complete.filter(usual), complete.filter(~usual)])
    return ordered["run_id"].to_list()


def _usual_profile() -> str:
    from brandkit.profile import BrandProfile

    path = load_settings().profile_path
    try:
        return BrandProfile.from_toml(path).id if path else ""
    except BrandkitError:
        # What was decided can be read although the profile of today cannot.
        return ""
