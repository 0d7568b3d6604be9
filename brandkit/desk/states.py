"""What the desk does with its stories: open, handled, assigned to somebody, snoozed until a time.

A story put aside (handled or snoozed) stands apart in the brief, and is never hidden. It is shown again
when its snooze is over, when its effective decision becomes must_cover or block, or when a trusted
publisher disputes it: whatever is worse than when it was put aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from brandkit.desk import _given
from brandkit.desk.verdicts import decided, standing_on
from brandkit.errors import UsageError
from brandkit.store.state import StateStore
from brandkit.store.states import STATES, STORY_STATES

LISTED: Mapping[str, Any] = {**STORY_STATES, "title": pl.String, "is_newest": pl.Boolean()}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryState:
    """A change of state as it was kept; ``decision`` is how the story stood for the desk then."""

    state_id: str
    profile_id: str
    story_id: str
    item_id: str
    title: str
    desk_state: str
    assignee: str | None
    snoozed_until: datetime | None
    decision: str
    note: str | None
    changed_by: str
    changed_at: datetime


def set_state(
    story: str,
    state: str,
    *,
    actor: str,
    at: datetime,
    store: StateStore,
    assignee: str | None = None,
    until: datetime | date | str | None = None,
    note: str | None = None,
    profile_id: str | None = None,
    usual: str | None = None,
) -> StoryState:
    """Keep what the desk does with a story; the next run's brief shows it so.

    Args:
        story: a story's id, an item's, or the beginning of one.
        state: open, handled, assigned or snoozed.
        actor: who says so.
        at: when.
        store: where the story is.
        assignee: who has it; needed for assigned. Of a snoozed story: whom it falls to afterwards.
        until: how long it is snoozed: an instant, or a desk day in the profile's zone, to its end.
        note: a word for whoever reads it, on one line.
        profile_id: whose story is meant, where several profiles know the item.
        usual: a profile whose runs are asked before all others.

    Raises: UnknownError for a story or state that is not there; UsageError for what does not go together.
    """
    told = _given.one_of("state", state, STATES)
    if (assignee is None) == (told == "assigned") and told != "snoozed":
        raise UsageError(
            f"a story that is {told} {'needs' if told == 'assigned' else 'has no'} assignee",
            hint="say assigned and to whom, or snoozed and whom it falls to afterwards",
        )
    if (until is None) == (told == "snoozed"):
        needs = "needs an end" if told == "snoozed" else "has no end"
        raise UsageError(f"a story that is {told} {needs}", hint="only snoozed goes with until")
    by = _given.name(actor, "name of who says so")
    changed_at = _given.instant(at, "at")
    kept: dict[str, Any] = {
        "desk_state": told,
        "assignee": None if assignee is None else _given.name(assignee, "assignee"),
        "note": None if note is None else _given.words(note, "note"),
        "changed_by": by,
        "changed_at": changed_at,
    }
    found = store.find_item(story, profile_id=profile_id, usual=usual)
    verdict = standing_on(store, found, at=changed_at)
    kept |= {
        "story_id": found.story_id,
        "item_id": found.item_id,
        "snoozed_until": _given.until(until, _given.profile_of(found), after=changed_at),
        "decision": decided(found) if verdict is None else verdict["decision"],
    }
    disputed = bool(found.record["disputed"].item())
    state_id = store.add_story_state(found.run.profile_id, **kept, disputed=disputed)
    return StoryState(state_id=state_id, profile_id=found.run.profile_id, title=_given.title(found), **kept)


def list_states(store: StateStore, profile_id: str, *, story: str | None = None) -> pl.DataFrame:
    """Every change of state of a profile's stories, or of one, newest first.

    ``is_newest`` marks the last of each story.

    Shape:  state_id, story_id, item_id, desk_state, assignee, snoozed_until, decision, disputed,
            changed_at, note, changed_by, title, is_newest.
    """
    with store.reading():
        changed = store.story_states(profile_id)
        titles = store.titles(changed["item_id"].drop_nulls())
    listed = (
        changed.with_columns(is_newest=pl.col("story_id").is_last_distinct())
        .join(titles, on="item_id", how="left", maintain_order="left")
        .reverse()
        .select(*LISTED)
    )
    return _given.on_story(listed, store.find_item(story, profile_id=profile_id)) if story else listed
