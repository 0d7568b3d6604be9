"""Verdicts: what an editor says of a story, kept apart from the score, with a reason and an end.

A verdict goes with the id of its story, and with the item it was given on: after a merge, a split or a
change of name it speaks of the story that item is in. The newest in force counts; when it ends or is
withdrawn, the one before it holds again. Every run whose ``as_of`` is not before it sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from brandkit.desk import _given
from brandkit.errors import UnknownError
from brandkit.schemas import Decision
from brandkit.store.lookup import Found
from brandkit.store.state import StateStore
from brandkit.store.verdicts import VERDICTS

# A story that was in none of so many latest runs is out of sight, and so is what was said of it.
SEEN_IN_RUNS = 3
STATES = ("standing", "unseen", "superseded", "expired", "withdrawn")
STALE = ("unseen", "expired")
LISTED: Mapping[str, Any] = {**VERDICTS, "state": pl.Enum(list(STATES)), "title": pl.String}
_ID = "verdict-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A verdict as it was kept. ``decided`` is what the score alone said of the story then."""

    verdict_id: str
    profile_id: str
    story_id: str
    item_id: str
    title: str
    decision: str
    decided: str
    reason: str
    given_by: str
    given_at: datetime
    expires_at: datetime | None


def give_verdict(
    item: str,
    decision: Decision | str,
    *,
    actor: str,
    reason: str,
    at: datetime,
    store: StateStore,
    until: datetime | date | str | None = None,
    profile_id: str | None = None,
    usual: str | None = None,
) -> Verdict:
    """Keep what an editor says of a story; the next run shows it beside its own decision.

    Args:
        item: an item's id, a story's, or the beginning of one.
        decision: must_cover, optional, watch, drop or block.
        actor: who says so.
        reason: why, on one line.
        at: when it was said.
        store: where the story is.
        until: when it ends: an instant, or a desk day in the profile's zone, to its end.
        profile_id: whose story is meant, where several profiles know the item.
        usual: a profile whose runs are asked before all others.

    Raises: UnknownError for a story or decision that is not there; UsageError for a time without a
        zone, an end that has passed, a missing name, or a reason that is missing or too long.
    """
    told = _given.one_of("decision", str(decision), [known.value for known in Decision])
    by, why = _given.name(actor, "name of who says so"), _given.words(reason, "reason")
    given_at = _given.instant(at, "at")
    found = store.find_item(item, profile_id=profile_id, usual=usual)
    said: dict[str, Any] = {
        "story_id": found.story_id,
        "item_id": found.item_id,
        "decision": told,
        "reason": why,
    }
    ends = _given.until(until, _given.profile_of(found), after=given_at)
    said |= {"given_at": given_at, "expires_at": ends, "given_by": by}
    verdict_id = store.add_verdict(found.run.profile_id, **said)
    return Verdict(
        verdict_id=verdict_id, profile_id=found.run.profile_id, title=_given.title(found),
        decided=decided(found), **said,
    )  # fmt: skip


def withdraw_verdict(
    verdict: str,
    *,
    actor: str,
    reason: str,
    at: datetime,
    store: StateStore,
    profile_id: str | None = None,
    usual: str | None = None,
) -> str:
    """Take a verdict back; gives its id. It stays on the record, with who took it back and why.

    ``verdict`` is its id, or an item or story: then the one that stands on it.

    Raises: UnknownError where there is none; UsageError for one withdrawn before.
    """
    by, why = _given.name(actor, "name of who says so"), _given.words(reason, "reason")
    taken_at = _given.instant(at, "at")
    verdict_id = verdict.strip()
    if not verdict_id.startswith(_ID):
        found = store.find_item(verdict, profile_id=profile_id, usual=usual)
        row = standing_on(store, found, at=taken_at)
        if row is None:
            raise UnknownError(
                f"no verdict stands on story {found.story_id}",
                where=f"in profile '{found.run.profile_id}'",
                hint="brandkit verdict --all lists those that ended too",
            )
        verdict_id = row["verdict_id"]
    store.withdraw_verdict(verdict_id, at=taken_at, by=by, reason=why)
    return verdict_id


def list_verdicts(
    store: StateStore, profile_id: str, *, at: datetime, item: str | None = None
) -> pl.DataFrame:
    """Every verdict of a profile, or on the story of one item, with what has become of it.

    ``state``: ``standing``; ``unseen``, in force on a story that was in none of the latest runs;
    ``superseded`` by a newer one on the same story; ``expired``; ``withdrawn``.

    Shape:  verdict_id, story_id, item_id, decision, reason, given_at, expires_at, given_by,
            withdrawn_at, withdrawn_by, withdrawn_for, state and the title of its item; by state, the
            newest first.
    """
    with store.reading():
        given = store.verdicts(profile_id, withdrawn=True)
        seen = _given.latest_stories(store, profile_id, n_runs=SEEN_IN_RUNS)
        titles = store.titles(given["item_id"].drop_nulls())
    in_force = pl.col("ended").is_null()
    is_seen = pl.col("story_id").is_in(seen["story_id"].implode()) | pl.col("item_id").is_in(
        seen["item_ids"].explode(empty_as_null=False).implode()
    ).fill_null(value=False)
    ended = (
        pl.when(pl.col("withdrawn_at").is_not_null())
        .then(pl.lit("withdrawn"))
        .when(pl.col("expires_at") <= _given.instant(at, "at"))
        .then(pl.lit("expired"))
    )
    is_newest = pl.col("verdict_id") == pl.col("verdict_id").filter(in_force).last().over("story_id")
    listed = (
        given.with_columns(ended=ended)
        .with_columns(
            state=pl.when(~in_force)
            .then("ended")
            .when(~is_newest)
            .then(pl.lit("superseded"))
            .when(~is_seen)
            .then(pl.lit("unseen"))
            .otherwise(pl.lit("standing"))
            .cast(LISTED["state"])
        )
        .join(titles, on="item_id", how="left")
        .sort(["state", "given_at", "verdict_id"], descending=[False, True, True])
        .select(*LISTED)
    )
    return _given.on_story(listed, store.find_item(item, profile_id=profile_id)) if item else listed


def stale_verdicts(store: StateStore, profile_id: str, *, at: datetime) -> pl.DataFrame:
    """The verdicts that say nothing any more: expired, or of a story that the latest runs have not seen."""
    return list_verdicts(store, profile_id, at=at).filter(pl.col("state").is_in(STALE))


def standing_on(store: StateStore, found: Found, *, at: datetime) -> dict[str, Any] | None:
    """The verdict in force on a story at an instant, as its row, or None."""
    given = store.verdicts(found.run.profile_id)
    known = given.filter(
        (pl.col("given_at") <= at) & (pl.col("expires_at").is_null() | (pl.col("expires_at") > at))
    ).unique("story_id", keep="last", maintain_order=True)
    own = known.filter(pl.col("story_id") == found.story_id)
    rows = own if own.height else known.filter(pl.col("item_id").is_in(_given.members(found)))
    return rows.row(-1, named=True) if rows.height else None


def decided(found: Found) -> str:
    """What the score alone says of the story that was found."""
    rows = found.story if found.story.height else found.record
    return str(rows["decision"].item())
