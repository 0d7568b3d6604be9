"""What people give, made fit to be kept: words, instants, and the story that is meant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import polars as pl

from brandkit.errors import UsageError, unknown
from brandkit.profile import BrandProfile
from brandkit.safe import plain_text
from brandkit.store.lookup import Found
from brandkit.store.state import StateStore

MOST_CHARACTERS = 500
MOST_OF_A_NAME = 80
_AN_INSTANT = "an instant with its zone, such as 2026-03-09T18:00+01:00"


def words(text: str | None, what: str, *, most: int = MOST_CHARACTERS) -> str:
    """The text on one line without anything invisible.

    Raises: UsageError where nothing is left of it, or it is too long.
    """
    found = plain_text(text or "")
    if not found:
        raise UsageError(f"no {what} given", hint="who reads it later has nothing else to go by")
    if len(found) > most:
        raise UsageError(f"a {what} of {len(found):,} characters", allowed=f"at most {most}")
    return found


def name(text: str | None, what: str) -> str:
    """A person's name, on one line."""
    return words(text, what, most=MOST_OF_A_NAME)


def one_of(kind: str, text: str, known: Sequence[str]) -> str:
    """One of the names that are known, however it was written: ``Must cover`` is ``must_cover``.

    Raises: UnknownError with the nearest.
    """
    written = "_".join(plain_text(text).lower().replace("-", " ").split())
    if written not in known:
        raise unknown(kind, written, known)
    return written


def instant(value: datetime, what: str) -> datetime:
    """An aware instant, in UTC.

    Raises: UsageError for one without a time zone.
    """
    if value.tzinfo is None:
        raise UsageError(f"{what} has no time zone: {value.isoformat()}", allowed=_AN_INSTANT)
    return value.astimezone(UTC)


def until(value: datetime | date | str | None, profile: BrandProfile, *, after: datetime) -> datetime | None:
    """When something ends, in UTC: an aware instant, or the end of a desk day in the profile's zone.

    Raises: UsageError for text that is neither, an instant without a zone, or one not ``after`` the other.
    """
    if value is None:
        return None
    given = _read(value) if isinstance(value, str) else value
    ends = instant(given, "until") if isinstance(given, datetime) else profile.day_window(given)[1]
    if ends <= after:
        raise UsageError(
            f"until {ends.isoformat()} is over already", allowed=f"an instant after {after.isoformat()}"
        )
    return ends


def _read(text: str) -> date:
    """A date, or an instant (which is a date too)."""
    for kind in (date, datetime):
        try:
            return kind.fromisoformat(text.strip())
        except ValueError:
            continue
    raise UsageError(
        f"not a time: {text!r}", allowed=f"a desk day such as 2026-03-09, to its end, or {_AN_INSTANT}"
    )


def profile_of(found: Found) -> BrandProfile:
    """The profile of the run that knows the story, as it was frozen."""
    return BrandProfile.from_snapshot(found.run.profile_json)


def members(found: Found) -> list[str]:
    """All items of the story that was found."""
    return found.story["item_ids"].item().to_list() if found.story.height else [found.item_id]


def lead(found: Found) -> str:
    """The item that leads the story that was found."""
    return str(found.story["lead_item_id"].item()) if found.story.height else found.item_id


def title(found: Found) -> str:
    """What the story is called."""
    rows = found.story if found.story.height else found.record
    return str(rows.select(pl.coalesce("title", "url", "story_id")).item())


def on_story(rows: pl.DataFrame, found: Found) -> pl.DataFrame:
    """Of what was said, what speaks of the story that was found: by its id, or by an item of it."""
    is_its = (pl.col("story_id") == found.story_id) | pl.col("item_id").is_in(members(found))
    return rows.filter(is_its)


def latest_stories(store: StateStore, profile_id: str, *, n_runs: int) -> pl.DataFrame:
    """The stories of a profile's latest days with a complete run: story_id, item_ids."""
    complete = store.runs(profile_id).filter((pl.col("status") == "complete") & ~pl.col("shadow"))
    days = complete.sort("run_on", "started_at", "run_id").unique(
        ["run_on", "kind"], keep="last", maintain_order=True
    )
    runs = days.tail(n_runs)["run_id"]
    empty = pl.DataFrame(schema={"story_id": pl.String, "item_ids": pl.List(pl.String)})
    return pl.concat([empty, *(store.stories(run).select("story_id", "item_ids") for run in runs)])
