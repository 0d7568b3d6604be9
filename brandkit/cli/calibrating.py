"""``brandkit calibrate``: where decisions and verdicts part, and what would bring them together."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import PATH, Answer, Command, load_settings, open_store
from brandkit.cli.spans import ID_CHARACTERS, meant, over_days, percent, rows, spaced, span_options
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import BrandkitError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from brandkit.profile import BrandProfile
    from brandkit.record.calibrate import Calibration
    from brandkit.record.suggest import Suggestion

SHOWN_WEIGHTS, SHOWN_STORIES = 5, 5


@click.command(
    cls=Command,
    short_help="Hold decisions against verdicts; suggest thresholds.",
    epilog="\b\nExample:\n  brandkit calibrate --first 2026-03-02 --last 2026-03-29 --write calibrated.toml",
)
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option(
    "--write", "target", type=PATH, metavar="NEW.toml", help="Write the suggested profile as a new file."
)
@span_options
def calibrate(
    run_id: str | None, target: Path | None, first: datetime | None, last: datetime | None,
    profile_id: str | None, store_path: Path | None,
) -> Answer:  # fmt: skip
    """Hold past decisions against the verdicts on them, and suggest thresholds or one weight.

    All daily runs of the profile, or those from --first to --last, or one RUN. With a profile's file
    that profile is calibrated, else the one the last run froze. Fewer than 30 verdicts, or an interval
    too wide, and the answer is "inconclusive". --write never changes a file that is there.
    """
    from brandkit.profile import BrandProfile
    from brandkit.record.calibrate import calibrate as ask

    store = open_store(store_path)
    asked = meant(store, run_id, profile_id, first, last)
    is_file = bool(profile_id) and (str(profile_id).endswith(".toml") or Path(str(profile_id)).is_file())
    file = Path(str(profile_id)) if is_file else None
    found = ask(asked.pop("run"), store, profile=BrandProfile.from_toml(file) if file else None, **asked)
    written, error = _write(found, target, file)
    data = {
        "profile_id": found.profile_id,
        "runs": list(found.runs),
        "conclusion": found.conclusion,
        "changes": dict(found.changes),
        "n_verdicts": found.n_verdicts,
        "agreement": found.agreement,
        "disagreement": found.disagreement,
        "rank_correlation": found.rank_correlation,
        "thresholds": found.thresholds.frame.to_dicts(),
        "weights": found.weights.frame.to_dicts(),
        "bands": found.bands.to_dicts(),
        "over_scored": found.over_scored().to_dicts(),
        "under_scored": found.under_scored().to_dicts(),
        "workload": found.per_day().to_dicts(),
        "notes": list(found.notes),
        "written": written,
    }
    return Answer(data, lambda screen: _show(screen, found, written), found.notes, error)


def _write(
    found: Calibration, target: Path | None, file: Path | None
) -> tuple[Path | None, BrandkitError | None]:
    """Where the suggested profile was written; what was found is shown although it could not be."""
    if target is None:
        return None, None
    try:
        return found.write(target, source=file or _own_file(found.profile)), None
    except BrandkitError as error:
        return None, error


def _own_file(profile: BrandProfile) -> Path | None:
    """The file of the settings, where it is the very profile that was calibrated: its comments are kept."""
    from brandkit.profile import BrandProfile

    path = load_settings().profile_path
    try:
        return path if path and BrandProfile.from_toml(path).hash == profile.hash else None
    except BrandkitError:
        return None


def _show(screen: Console, found: Calibration, written: Path | None) -> None:
    days = over_days(found.runs, found.workload["run_on"])
    conclusion, *rest = found.sentences()
    style = {"move": "yellow", "keep": "green"}.get(found.conclusion, "")
    show_line(screen, f"{found.profile_id}, {days}", style="bold")
    show_line(screen, conclusion, style=style)
    for sentence in rest:
        show_line(screen, sentence)
    _show_suggestion(screen, "thresholds, with the range nine resamples of ten leave", found.thresholds)
    _show_suggestion(screen, "weights that gain most, each by itself", found.weights)
    if not found.n_verdicts:
        return
    bands = {"low": int, "high": int, "n_verdicts": int, "agreement": percent, "n_over": int, "n_under": int}
    columns = ("points from", "to", "verdicts", "agree", "decided above", "below")
    show_table(screen, columns, rows(found.bands, bands), right=columns)
    _show_stories(screen, "most over-scored", found.over_scored(SHOWN_STORIES))
    _show_stories(screen, "most under-scored", found.under_scored(SHOWN_STORIES))
    if found.changes:
        tenths = dict.fromkeys(("n_from", "n_in", "n_out", "n_to"), lambda n: f"{n:,.1f}")
        heads = ("stories a day", "now", "in", "out", "then")
        show_table(screen, heads, rows(found.per_day(), {"decision": spaced, **tenths}), right=heads[1:])
    if written:
        show_line(screen, f"wrote {written}; next: brandkit profile check {written}", style="bold")


def _show_suggestion(screen: Console, title: str, told: Suggestion) -> None:
    frame = told.frame.head(SHOWN_WEIGHTS)
    if frame.is_empty():
        return
    shown: dict[str, Any] = {"name": str, "present": int, "suggested": int, "low": _known, "high": _known}
    if "gain" in frame.columns:
        shown |= {"gain": lambda gain: f"{gain:+.3f}", "wins": percent}
    shown["advice"] = str
    columns = [{"low": "from", "high": "to"}.get(name, name) for name in shown]
    right = [name for name in columns if name not in ("name", "advice")]
    show_table(screen, columns, rows(frame, shown), title=title, right=right)


def _show_stories(screen: Console, title: str, stories: pl.DataFrame) -> None:
    if stories.is_empty():
        return
    shown = {"run_on": str, "total": int, "decision": spaced, "verdict": spaced, "points_off": _signed,
             "item_id": lambda item: str(item)[:ID_CHARACTERS], "title": str}  # fmt: skip
    columns = ("day", "total", "decision", "verdict", "off", "item", "story")
    show_table(screen, columns, rows(stories, shown), title=title, right=("total", "off"), cut=("story",))


def _known(value: int | None) -> object:
    return "-" if value is None else value


def _signed(points: int) -> str:
    return f"{points:+d}"
