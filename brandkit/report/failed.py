"""The page that stands for a report that could not be made: what failed, and what there is."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from brandkit.errors import BrandkitError
from brandkit.report import html
from brandkit.report.artifacts import Place
from brandkit.report.html import join, tag

_MOST_CHARACTERS = 4_000


def error_page(place: Place, error: BrandkitError, good: Path | None, half: Path | None = None) -> str:
    """The page as text; whatever the error says is shown to the letter and cut where it is endless."""
    when = f" of {place.on}" if place.on else ""
    told = str(type(error)(error.what, where=error.where, allowed=error.allowed))
    message = told if len(told) <= _MOST_CHARACTERS else f"{told[:_MOST_CHARACTERS]}…"
    facts = {
        "Run": place.run,
        "Last good report": str(good) if good else "there is none yet",
        "How far it got": str(half) if half else "",
        "To try again": f"brandkit report {place.name}" + (f" --date {place.on}" if place.on else ""),
    }
    lines = [tag("p", tag("strong", f"{label}: "), value) for label, value in facts.items() if value]
    body = [
        tag("p", "brandkit", class_="kicker"),
        tag("h1", f"The {place.name} report{when} could not be made"),
        tag(
            "p",
            "Nothing here was decided anew: this page stands for a report that is missing.",
            class_="lead",
        ),
        tag("h2", "What failed"),
        tag("p", tag("strong", type(error).__name__)),
        # Not as code: an address or a path is long, and a phone is narrow.
        *(tag("p", line) for line in message.splitlines()),
        tag("h2", "What there is"),
        *lines,
    ]
    title = f"{place.name}{when}: failed"
    return html.page(html.sanitised(tag("div", join(body), class_="bk").markup), title=title)


def keep_failure(place: Place, error: BrandkitError, good: Path | None) -> BrandkitError:
    """Write the error page and keep the half-made notebook; gives the error with where they are.

    Where even that cannot be written, the error says so and stands as it was.
    """
    # What was kept in the folder that is taken away has moved.
    hints = [line.strip() for line in error.hint.splitlines() if str(place.made) not in line]
    half: Path | None = None
    try:
        place.failed.mkdir(parents=True, exist_ok=True)
        half = _half(place)
        page = place.failed / f"{place.name}.failed.html"
        part = page.with_name(f".{page.name}.part")
        part.write_text(error_page(place, error, good, half), encoding="utf-8")
        os.replace(part, page)
        hints.append(f"the error page: {page}")
    except OSError as second:
        hints.append(f"the error page could not be written either: {second.strerror or second}")
        with suppress(OSError):
            (place.failed / f".{place.name}.failed.html.part").unlink(missing_ok=True)
            place.failed.rmdir()
    if good is not None:
        hints.append(f"the last good report stands: {good}")
    return type(error)(error.what, where=error.where, allowed=error.allowed, hint="\n  ".join(hints))


def _half(place: Place) -> Path | None:
    """What there is of the notebook, moved out of the folder that is about to be taken away."""
    found = sorted(place.made.glob("*.ipynb")) + sorted(place.made.glob(".*.part.ipynb"))
    if not found:
        return None
    kept = place.failed / f"{place.name}.failed.ipynb"
    with suppress(OSError):
        shutil.move(found[0], kept)
    return kept if kept.is_file() else None
