"""What a StateStore keeps of what people said: verdicts, story rules, story states. Added, never changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import polars as pl

from brandkit.store import states, verdicts
from brandkit.store.access import HasAccess


class DeskMethods(HasAccess):
    """The methods of a StateStore that keep the desk's word."""

    def add_verdict(
        self,
        profile_id: str,
        *,
        story_id: str,
        decision: str,
        item_id: str | None = None,
        reason: str | None = None,
        given_at: datetime,
        expires_at: datetime | None = None,
        given_by: str | None = None,
    ) -> str:
        """Keep an editor's verdict on a story; gives its id. Earlier ones stay on the record.

        ``item_id`` is what it was given on: the verdict goes with it where the story has another id.
        """
        row: dict[str, object] = {
            "profile_id": profile_id,
            "story_id": story_id,
            "item_id": item_id,
            "decision": decision,
            "reason": reason,
            "given_at": given_at,
            "expires_at": expires_at,
            "given_by": given_by,
        }
        with self._access.writing("add_verdict") as (session, _):
            return verdicts.add_verdict(session, row)

    def withdraw_verdict(
        self, verdict_id: str, *, at: datetime, reason: str | None = None, by: str | None = None
    ) -> str:
        """Keep that a verdict is taken back; gives the id of the row that says so.

        Raises: UnknownError for a verdict that is not there; UsageError for one taken back before.
        """
        row: dict[str, object] = {"given_at": at, "reason": reason, "given_by": by}
        with self._access.writing("withdraw_verdict") as (session, _):
            return verdicts.withdraw_verdict(session, verdict_id, row)

    def verdicts(self, profile_id: str, *, withdrawn: bool = False) -> pl.DataFrame:
        """The verdicts of a profile, expired or not, oldest first; ``withdrawn``: those taken back too."""
        with self._access.reading("verdicts") as (session, counted):
            found = verdicts.verdicts(session, profile_id, withdrawn=withdrawn)
            counted.rows_out = found.height
            return found

    def add_story_rule(
        self,
        profile_id: str,
        *,
        rule: str,
        item_a: str,
        item_b: str,
        made_at: datetime,
        made_by: str | None = None,
        reason: str | None = None,
    ) -> str:
        """Keep a rule that two items are one story (``must_link``) or are not (``cannot_link``).

        Gives its id. The newest rule about two items counts.
        """
        row: dict[str, object] = {
            "profile_id": profile_id,
            "rule": rule,
            "item_a": item_a,
            "item_b": item_b,
            "reason": reason,
            "made_at": made_at,
            "made_by": made_by,
        }
        with self._access.writing("add_story_rule") as (session, _):
            return verdicts.add_story_rule(session, row)

    def undo_story_rule(
        self, rule_id: str, *, at: datetime, reason: str | None = None, by: str | None = None
    ) -> str:
        """Keep that a story rule is undone: its two items are told apart by their words again.

        Raises: UnknownError for a rule that is not there; UsageError for one that does not stand.
        """
        row: dict[str, object] = {"made_at": at, "reason": reason, "made_by": by}
        with self._access.writing("undo_story_rule") as (session, _):
            return verdicts.undo_story_rule(session, rule_id, row)

    def story_rules(self, profile_id: str) -> pl.DataFrame:
        """Every story rule of a profile, oldest first; ``stands`` says which of them are obeyed."""
        with self._access.reading("story_rules") as (session, counted):
            found = verdicts.story_rules(session, profile_id)
            counted.rows_out = found.height
            return found

    def add_story_state(
        self,
        profile_id: str,
        *,
        story_id: str,
        desk_state: str,
        changed_at: datetime,
        item_id: str | None = None,
        assignee: str | None = None,
        snoozed_until: datetime | None = None,
        decision: str | None = None,
        disputed: bool | None = None,
        note: str | None = None,
        changed_by: str | None = None,
    ) -> str:
        """Keep what the desk does with a story; gives the id of the change. Earlier ones stay.

        ``decision`` and ``disputed`` are how the story stood then: what is worse later shows it again.
        """
        row: dict[str, object] = {
            "profile_id": profile_id,
            "story_id": story_id,
            "item_id": item_id,
            "desk_state": desk_state,
            "assignee": assignee,
            "snoozed_until": snoozed_until,
            "decision": decision,
            "disputed": disputed,
            "note": note,
            "changed_at": changed_at,
            "changed_by": changed_by,
        }
        with self._access.writing("add_story_state") as (session, _):
            return states.add_story_state(session, row)

    def story_states(self, profile_id: str) -> pl.DataFrame:
        """Every change of state of a profile's stories, oldest first."""
        with self._access.reading("story_states") as (session, counted):
            found = states.story_states(session, profile_id)
            counted.rows_out = found.height
            return found

    def titles(self, items: Iterable[str]) -> pl.DataFrame:
        """The newest title of each stored item, else its address or id: item_id, title."""
        with self._access.reading("titles") as (session, _):
            return verdicts.titles(session, items)
