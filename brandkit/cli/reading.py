"""``brandkit runs``, ``explain`` and ``verify``: what was decided, why, and whether it still holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import PATH, Answer, Command, load_settings, open_store
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import BrandkitError, CheckFailed, UnknownError

if TYPE_CHECKING:
    from rich.console import Console

    from brandkit.record.explain import Explanation
    from brandkit.record.verify import Verification
    from brandkit.store.state import StateStore

STORE = click.option("--store", "store_path", type=PATH, help="The store's file. [default: BRANDKIT_DB_PATH]")
PROFILE = click.option("--profile", "profile_id", metavar="ID", help="A profile's id, or its TOML file.")
SHOWN_DIFFERENCES = 20


@click.command(cls=Command, epilog="\b\nExample:\n  brandkit runs --profile technology --limit 5")
@PROFILE
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@STORE
def runs(profile_id: str | None, limit: int, store_path: Path | None) -> Answer:
    """List the runs in the store, failed ones too, newest first."""
    store = open_store(store_path)
    listed = store.runs(profile_id_of(profile_id), limit=limit)
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
    from brandkit.record.explain import explain as explain_record
    from brandkit.record.kept import kept

    store = open_store(store_path)
    found = kept(item, store, run=run_id, profile_id=profile_id_of(profile_id), usual=usual_profile())
    account, made_in = explain_record(found), found.run.run_id
    return Answer(_account_data(account, made_in), lambda screen: _show_account(screen, account, made_in))


def _account_data(account: Explanation, run_id: str) -> dict[str, Any]:
    names = ("item_id", "story_id", "title", "url", "publisher", "decision", "reason", "total")
    return {
        "run_id": run_id,
        **{name: getattr(account, name) for name in names},
        "sentence": account.sentence(),
        "verdict": account.verdict,
        "lost": list(account.lost),
        "sentiment": account.sentiment,
        "scores": dict(account.scores),
        "steps": account.frame().to_dicts(),
        "gates": account.gate_frame().to_dicts(),
    }


def _show_account(screen: Console, account: Explanation, run_id: str) -> None:
    from brandkit.record.phrases import lost, tone

    show_line(screen, account.title, style="bold")
    places = (account.publisher or "no publisher", f"item {account.item_id}", f"story {account.story_id}")
    show_line(screen, " · ".join((*places, f"run {run_id}")), style="dim")
    show_line(screen, f"{_spaced(account.decision)} with {account.total} of 100. {account.sentence()}")
    if account.verdict:
        show_line(screen, account.verdict_sentence(), style="bold")
    steps = [
        (step.component, _spaced(step.name), f"{step.points:+d}", step.maximum, step.running, step.fact)
        for step in account.steps
    ]
    columns = ("component", "part", "points", "of", "sum", "fact")
    show_table(screen, columns, steps, right=("points", "of", "sum"))
    _show_evidence(screen, account)
    gates = [
        (_spaced(gate.name), "passes" if gate.passes else "fails", f"{gate.margin:+d}", gate.meaning)
        for gate in account.gates
    ]
    show_table(screen, ("gate", "result", "margin", "asks for"), gates, right=("margin",))
    for field in account.lost:
        show_line(screen, f"lost on the way in: {field}, {lost(field)}", style="yellow")
    if account.sentiment is not None:
        show_line(screen, tone(account.sentiment), style="dim")


def _show_evidence(screen: Console, account: Explanation) -> None:
    """What each modifier rests on, said once where it changed several components."""
    from brandkit.record.explain import shown

    for name, lines in {step.name: step.evidence for step in account.steps if step.evidence}.items():
        show_line(screen, f"{_spaced(name)} rests on")
        for line in shown(lines):
            show_line(screen, f"  {line}")


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
        "stories": found.stories.to_dicts(),
    }
    return Answer(data, lambda screen: _show_verification(screen, found), error=error)


def _show_verification(screen: Console, found: Verification) -> None:
    if found.ok:
        agreed = f"all {found.n_records:,} records are what their signals make, stories too"
        show_line(screen, f"run {found.run_id}: {agreed}", style="green")
        return
    told = {
        "item": (found.differences, "values that differ"),
        "story": (found.stories, "stories that do not follow their lead"),
    }
    for what, (differences, title) in told.items():
        rows = differences.head(SHOWN_DIFFERENCES).rows()
        more = f" (and {differences.height - len(rows)} more)" if differences.height > len(rows) else ""
        columns = (what, "column", "stored", "computed")
        if rows:
            title = f"run {found.run_id}: {title}{more}"
            show_table(screen, columns, rows, title=title, cut=("stored", "computed"))


def profile_id_of(given: str | None) -> str | None:
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

    profile_id = profile_id_of(profile)
    complete = store.runs(profile_id).filter((pl.col("status") == "complete") & ~pl.col("shadow"))
    if complete.is_empty():
        whose = f" of profile '{profile_id}'" if profile_id else ""
        raise UnknownError(
            f"no complete run{whose}", where=f"in {store.path}", hint="brandkit run daily makes one"
        )
    usual = pl.col("profile_id") == usual_profile()
    ordered = pl.concat([complete.filter(usual), complete.filter(~usual)])
    return ordered["run_id"].to_list()


def usual_profile() -> str:
    """The id of the profile of the settings, whose runs speak before all others; empty without one."""
    from brandkit.profile import BrandProfile

    path = load_settings().profile_path
    try:
        return BrandProfile.from_toml(path).id if path else ""
    except BrandkitError:
        # What was decided can be read although the profile of today cannot.
        return ""
