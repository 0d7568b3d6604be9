"""What a StateStore keeps of what people said: verdicts, story rules."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from brandkit.store import verdicts
from brandkit.store.access import HasAccess


class DeskMethods(HasAccess):
    """The methods of a StateStore that keep the desk's word."""

    def add_verdict(
        self,
        profile_id: str,
        *,
        story_id: str,
        decision: str,
        reason: str | None = None,
        given_at: datetime,
        expires_at: datetime | None = None,
        given_by: str | None = None,
    ) -> str:
        """Keep an editor's verdict on a story; gives its id. Earlier ones stay on the record."""
        row: dict[str, object] = {
            "profile_id": profile_id,
            "story_id": story_id,
            "decision": decision,
            "reason": reason,
            "given_at": given_at,
            "expires_at": expires_at,
            "given_by": given_by,
        }
        with self._access.writing("add_verdict") as (session, _):
            return verdicts.add_verdict(session, row)

    def verdicts(self, profile_id: str) -> pl.DataFrame:
        """Every verdict of a profile, expired or not, oldest first."""
        with self._access.reading("verdicts") as (session, _):
            return verdicts.verdicts(session, profile_id)

    def add_story_rule(
        self,
        profile_id: str,
        *,
        rule: str,
        item_a: str,
        item_b: str,
        made_at: datetime,
        made_by: str | None = None,
    ) -> None:
        """Keep a rule that two items are one story (``must_link``) or are not (``cannot_link``)."""
        row: dict[str, object] = {
            "profile_id": profile_id,
            "rule": rule,
            "item_a": item_a,
            "item_b": item_b,
            "made_at": made_at,
            "made_by": made_by,
        }
        with self._access.writing("add_story_rule") as (session, _):
            verdicts.add_story_rule(session, row)

    def story_rules(self, profile_id: str) -> pl.DataFrame:
        """Every story rule of a profile, oldest first."""
        with self._access.reading("story_rules") as (session, _):
            return verdicts.story_rules(session, profile_id)
