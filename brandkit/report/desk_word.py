"""What the desk said of the stories of a brief, in lines: verdicts, who has a story, what was put aside."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import polars as pl

from brandkit.report.brief import Brief, listing, spoken

Story = Mapping[str, Any]
_SINCE: Mapping[str, str] = {
    "snooze_over": "its time is over",
    "must_cover": "it must be covered since",
    "block": "it must not be amplified since",
    "disputed": "a trusted publisher disputes it since",
}


def verdict_line(brief: Brief, story: Story) -> str:
    """The verdict on a story: what, by whom, until when and why, and what the score alone says."""
    told, decision = story["effective_decision"], story["decision"]
    alone = f"The score alone says {spoken(decision) if told != decision else 'the same'}."
    given = _row(brief.verdicts, "verdict_id", story["verdict_id"])
    if given is None:
        return f"{spoken(told)}. {alone}" if told != decision else ""
    until = f", until {brief.clock(given['expires_at'])}" if given["expires_at"] else ""
    why = f": {given['reason']}" if given["reason"] else ""
    return f"{spoken(told)}, {_who(brief, given['given_by'], given['given_at'])}{until}{why}. {alone}"


def state_line(brief: Brief, story: Story) -> str:
    """What was done with a story, or why it is shown again; an empty string where it is simply open."""
    done = _done(brief, _row(brief.states, "state_id", story["state_id"]))
    falls_to = f"assigned to {story['assignee']}" if story["desk_state"] == "assigned" else ""
    if story["reopened"]:
        again = f"shown again: {done or 'put aside before'}; {_SINCE[story['reopened']]}"
        return f"{again}; {falls_to}" if falls_to else again
    return "" if story["desk_state"] == "open" else done or falls_to or story["desk_state"]


def lines(brief: Brief, stories: pl.DataFrame) -> pl.DataFrame:
    """Stories as ``brief.listing`` has them, with the desk's word before the reason."""
    shown = listing(brief, stories)
    said = [
        " · ".join([*_said(brief, story), *([why] if why else [])])
        for story, why in zip(stories.iter_rows(named=True), shown["why"], strict=True)
    ]
    return shown.with_columns(why=pl.Series(said, dtype=pl.String))


def aside(brief: Brief, stories: pl.DataFrame) -> pl.DataFrame:
    """Stories that were put aside, as lines: title, url, what (by whom, until when, a note), item_id."""
    what = [" · ".join(_said(brief, story)) for story in stories.iter_rows(named=True)]
    return stories.select(
        pl.coalesce("title", "url", "lead_item_id").alias("title"),
        "url",
        pl.Series("what", what, dtype=pl.String),
        item_id=pl.col("lead_item_id"),
    )


def counted_aside(stories: pl.DataFrame) -> str:
    """How many were put aside, by state: 'Handled: 3, snoozed: 1'."""
    counts = stories.group_by("desk_state").len().sort("desk_state").rows()
    return ", ".join(f"{state}: {n:,}" for state, n in counts).capitalize()


def commands(brief: Brief, item_id: str) -> tuple[str, ...]:
    """Commands on a story, to be copied into a shell: ids alone stand in them, and each is quoted."""
    mine = ("--profile", brief.run.profile_id)
    return (
        shlex.join(("brandkit", "verdict", item_id, "drop", "--reason", "say why", *mine)),
        shlex.join(("brandkit", "state", item_id, "handled", *mine)),
        shlex.join(("brandkit", "explain", item_id)),
    )


def _said(brief: Brief, story: Story) -> list[str]:
    verdict = verdict_line(brief, story)
    return [part for part in (state_line(brief, story), verdict and f"verdict: {verdict}") if part]


def _row(said: pl.DataFrame, name: str, of: str | None) -> dict[str, Any] | None:
    rows = said.filter(pl.col(name) == pl.lit(of, pl.String))
    return rows.row(0, named=True) if rows.height else None


def _done(brief: Brief, changed: Mapping[str, Any] | None) -> str:
    if changed is None:
        return ""
    to = f" to {changed['assignee']}" if changed["desk_state"] == "assigned" else ""
    who = _who(brief, changed["changed_by"], changed["changed_at"])
    until = f", until {brief.clock(changed['snoozed_until'])}" if changed["snoozed_until"] else ""
    note = f": {changed['note']}" if changed["note"] else ""
    return f"{changed['desk_state']}{to} {who}{until}{note}"


def _who(brief: Brief, name: str | None, at: Any) -> str:
    return f"by {name or 'somebody'}, {brief.clock(at)}"
