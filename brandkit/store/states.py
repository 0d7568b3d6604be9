"""What a desk did with its stories, as rows that are never changed: handled, assigned, snoozed, open."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from brandkit import schemas
from brandkit.errors import unknown
from brandkit.store import verdicts
from brandkit.store.session import Session
from brandkit.store.tables import Columns, listed

STATES = tuple(schemas.DESK_STATE.categories)
STORY_STATES: Columns = {**schemas.STORY_STATE, "note": pl.String, "changed_by": pl.String}


def add_story_state(session: Session, row: Mapping[str, object]) -> str:
    """Keep a change of a story's state; gives its id."""
    if row["desk_state"] not in STATES:
        raise unknown("state", str(row["desk_state"]), STATES)
    return verdicts.add(session, "state", row)


def story_states(session: Session, profile_id: str) -> pl.DataFrame:
    """Every change of state of a profile's stories, oldest first."""
    return session.frame(
        f"SELECT {listed(STORY_STATES)} FROM story_states WHERE profile_id = $profile_id "
        "ORDER BY changed_at, state_id",
        STORY_STATES,
        {"profile_id": profile_id},
    )
