"""``brandkit profile``: is a profile sound, and what does it say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import PATH, Answer, Command, Group, load_settings, open_store
from brandkit.cli.reading import STORE
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import CheckFailed, StoreError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from brandkit.profile import BrandProfile, Topic
    from brandkit.record.drift import Drift
    from brandkit.scoring.reachable import Reach

_LEVELS = ("median", "median_before", "p90", "p90_before")
FILE = click.argument("path", type=PATH, required=False)


@click.group(cls=Group)
def profile() -> None:
    """Check a profile, or show what it says."""


@profile.command("check", cls=Command, epilog="\b\nExample:\n  brandkit profile check desk.toml")
@FILE
@STORE
def check(path: Path | None, store_path: Path | None) -> Answer:
    """Validate a profile, and say how high its own sources can score.

    Where the store has runs of it, also what moved in the latest against those before, and which
    parts of the score never act. PATH is BRANDKIT_PROFILE unless given. Exit code 2 for a profile
    that contradicts itself, 3 when must_cover is out of reach.
    """
    from brandkit.scoring.reachable import highest_total
    from brandkit.signals.trust import publishers_for

    file, loaded = _load(path)
    reach = highest_total(loaded, publishers_for(loaded.sources))
    data: dict[str, Any] = {
        "path": file, "id": loaded.id, "hash": loaded.hash, "ok": reach.ok, "highest_total": reach.total,
        "must_cover": reach.bar, "scores": dict(reach.scores), "decision": reach.decision,
        "publishers": dict(reach.publishers),
    }  # fmt: skip
    moved, note = _drift(loaded, store_path)
    data["drift"] = None if moved is None else _drift_data(moved)
    error = None if reach.ok else _out_of_reach(loaded, reach, file)

    def show(screen: Console) -> None:
        _show_check(screen, file, loaded, reach)
        if moved is not None:
            _show_drift(screen, moved)

    return Answer(data, show, (note,) if note else (), error=error)


def _drift(loaded: BrandProfile, store_path: Path | None) -> tuple[Drift | None, str]:
    """What the runs in the store tell of the profile, or why they tell nothing."""
    from brandkit.record.drift import drift

    try:
        store = open_store(store_path)
        if store.latest(loaded.id, "daily") is None:
            none = f"no daily run of '{loaded.id}' in {store.path}: nothing to say of drift"
            return None, none if store_path else ""
        return drift(store, loaded.id), ""
    except StoreError as error:
        # The profile is what is checked; a store that cannot be read is no fault of it.
        return None, f"no word on drift: {error}"


def _drift_data(moved: Drift) -> dict[str, Any]:
    frames = ("scores", "workload", "parts", "modifiers", "gates")
    return {
        "run_id": moved.run_id,
        "earlier": list(moved.earlier),
        "sentences": list(moved.sentences()),
        **{name: getattr(moved, name).to_dicts() for name in frames},
    }


def _show_drift(screen: Console, moved: Drift) -> None:
    show_line(screen, f"{moved.run_id} against {len(moved.earlier)} earlier runs", style="bold")
    for sentence in moved.sentences():
        show_line(screen, sentence)
    if not moved.has_history:
        return
    rows = [
        (row["name"], *(row[name] for name in _LEVELS), f"{row['psi']:.2f}", "moved" if row["moved"] else "")
        for row in moved.scores.drop_nulls("psi").to_dicts()
    ]
    heads = ("stories by", "median", "before", "nine in ten", "before ", "psi", "")
    show_table(screen, heads, rows, right=heads[1:6])


def _out_of_reach(loaded: BrandProfile, reach: Reach, file: Path) -> CheckFailed:
    t = loaded.thresholds
    if reach.total < reach.bar:
        why = f"the highest total is {reach.total}, and must_cover = {reach.bar}"
        hint = "lower the bar, or list more A and B publishers in [sources.tiers]"
    elif reach.margins["confidence"] < 0:
        why = f"confidence reaches {reach.scores['confidence']}, and promotion needs {t.confidence}"
        hint = "list more A and B publishers in [sources.tiers]"
    else:
        why = f"names and pillars reach {t.tied + reach.margins['tied']} points, and a tie needs {t.tied}"
        hint = "give the profile names or pillars, or lower tied in [thresholds]"
    return CheckFailed(
        "must_cover is out of reach for the profile's own sources", where=f"in {file}", allowed=why, hint=hint
    )


def _show_check(screen: Console, file: Path, loaded: BrandProfile, reach: Reach) -> None:
    show_line(screen, f"profile '{loaded.id}' in {file} is valid", style="bold")
    listed = ", ".join(f"{n:,} {tier}" for tier, n in reach.publishers.items()) or "none"
    kinds = ("own", "rivals", "watched", "pillars", "triggers")
    counted = ", ".join(f"{len(getattr(loaded, kind))} {kind}" for kind in kinds)
    show_line(screen, f"{counted}; publishers: {listed}")
    rows: list[tuple[object, ...]] = [
        (name, n, getattr(loaded.weights, name).total) for name, n in reach.scores.items()
    ]
    rows.append(("total", reach.total, 100))
    show_table(screen, ("component", "highest", "of"), rows, right=("highest", "of"))
    reached = f"the highest total its own sources can reach is {reach.total}; must_cover = {reach.bar}"
    show_line(screen, reached, style="green" if reach.ok else "red")


@profile.command("show", cls=Command, epilog="\b\nExample:\n  brandkit profile show desk.toml --json")
@FILE
def show(path: Path | None) -> Answer:
    """Show a profile as a run would freeze it, with every default filled in.

    PATH is BRANDKIT_PROFILE unless given.
    """
    file, loaded = _load(path)
    data = {"path": file, "hash": loaded.hash, "profile": json.loads(loaded.snapshot)}
    return Answer(data, lambda screen: _show_profile(screen, file, loaded))


def _show_profile(screen: Console, file: Path, loaded: BrandProfile) -> None:
    show_line(screen, f"{loaded.title or loaded.id} ({file})", style="bold")
    day = f"{loaded.timezone}, the day starts at {loaded.day_starts:%H:%M}"
    show_line(screen, f"id {loaded.id} · {day} · hash {loaded.hash[:12]}", style="dim")
    kinds = ("own", "rivals", "watched", "pillars", "triggers")
    rows = [(kind, topic.name, _terms(topic)) for kind in kinds for topic in getattr(loaded, kind)]
    rows += [("forbidden", "phrase", phrase) for phrase in loaded.forbidden.phrases]
    rows += [("forbidden", "risk flag", flag) for flag in loaded.forbidden.risk_flags]
    rows += [("exclusions", "term", term.phrase) for term in loaded.exclusions.terms]
    show_table(screen, ("what", "name", "terms"), rows)
    numbers: list[tuple[object, ...]] = [
        (table, name, value)
        for table, model in (("thresholds", loaded.thresholds), ("parameters", loaded.parameters))
        for name, value in model.model_dump().items()
        if not isinstance(value, dict)
    ]
    show_table(screen, ("table", "key", "value"), numbers, right=("value",))
    s = loaded.sources
    under = f"{'with' if s.use_defaults else 'without'} brandkit's list"
    others = f"{len(s.unreliable)} unreliable, {len(s.own_domains)} own domains"
    show_line(screen, f"sources: {len(s.tiers):,} tiers of its own, {under}; {others}")


def _terms(topic: Topic) -> str:
    def spelt(term: Any) -> str:
        near = f" near {'/'.join(term.near)}" if term.near else ""
        never = f" not {'/'.join(term.never)}" if term.never else ""
        return f"{term.phrase}{near}{never}"

    return ", ".join(map(spelt, topic.terms))


def _load(path: Path | None) -> tuple[Path, BrandProfile]:
    from brandkit.profile import BrandProfile

    settings = load_settings()
    file = path or settings.profile_path
    if file is None:
        raise UsageError(
            "no profile given", hint="pass its path, set BRANDKIT_PROFILE, or write one with brandkit init"
        )
    return file, BrandProfile.from_toml(file)
