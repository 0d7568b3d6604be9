"""A story as a card: what it is, why, who carries it, what speaks against it and where to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from brandkit.record.explain import Explanation, explain
from brandkit.record.phrases import AGAINST
from brandkit.report.brief import Brief, about, counted
from brandkit.report.desk_word import Story, commands, state_line, verdict_line
from brandkit.report.since import story_since

TIERS = ("A", "B", "C", "unlisted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One story to act on: what it is, why, who carries it, what speaks against it, where to look.

    ``since`` is what changed since the run before, ``verdict`` and ``state`` the desk's word on it,
    ``commands`` what to type to say or ask more: the verdict's first.
    """

    title: str
    url: str | None
    decision: str
    verdict: str
    state: str
    sentence: str
    about: str
    facts: str
    since: str
    publishers: Mapping[str, tuple[str, ...]]
    n_unlisted: int
    doubts: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    item_id: str
    commands: tuple[str, ...]
    explanation: Explanation


def cards(brief: Brief, decision: str, *, most: int) -> list[Card]:
    """The first stories of a decision that nobody put aside, each with all that made it."""
    chosen = brief.active(decision).head(most)
    records = brief.records.filter(pl.col("story_id").is_in(chosen["story_id"].implode()))
    return [_card(brief, story, records.filter(pl.col("story_id") == story["story_id"]))
            for story in chosen.iter_rows(named=True)]  # fmt: skip


def _card(brief: Brief, story: Story, records: pl.DataFrame) -> Card:
    why = explain(records.filter(pl.col("item_id") == story["lead_item_id"]), brief.profile)
    publishers = records.select("tier", "publisher").drop_nulls().unique().sort("tier", "publisher")
    by_tier = {tier: tuple(publishers.filter(pl.col("tier") == tier)["publisher"]) for tier in TIERS}
    return Card(
        title=why.title,
        url=why.url,
        decision=story["effective_decision"],
        verdict=verdict_line(brief, story),
        state=state_line(brief, story),
        sentence=why.sentence(),
        about=about(story),
        facts=_facts(brief, story),
        since=story_since(brief, story),
        publishers={tier: names for tier, names in by_tier.items() if names and tier != "unlisted"},
        n_unlisted=len(by_tier["unlisted"]),
        doubts=tuple(_doubts(story)),
        links=tuple(_links(records, why.publisher)),
        item_id=why.item_id,
        commands=commands(brief, why.item_id),
        explanation=why,
    )


def _facts(brief: Brief, story: Story) -> str:
    parts = [
        story["phase"].capitalize(),
        counted(story["n_publishers"] or 0, "independent publisher", "independent publishers"),
        counted(story["n_outlets"] or 0, "outlet", "outlets"),
        f"first seen {brief.clock(story['first_seen_at'])}",
        *(["disputed"] if story["disputed"] else []),
    ]
    return " · ".join(parts)


def _doubts(story: Story) -> list[str]:
    """What speaks against believing or spreading a story, in words."""
    found: list[str] = []
    if story["forbidden"]:
        found.append(f"the profile forbids: {', '.join(story['forbidden']).replace('_', ' ')}")
    if n := story["n_coordinated"]:
        share = story["coordinated_share"] or 0
        found.append(f"{counted(n, 'account', 'accounts')} acting together made {share:.0%} of its shares")
    codes = [code.partition(":")[0] for code in story["misinfo_evidence"]]
    return found + [AGAINST.get(code, code.replace("_", " ")) for code in codes]


def _links(records: pl.DataFrame, lead: str | None) -> list[tuple[str, str]]:
    """Where to look: evidence that was given, then the best other items, one for each publisher."""
    given = records.select(pl.col("evidence").explode()).drop_nulls().unique(maintain_order=True)["evidence"]
    others = (
        records.filter(pl.col("url").is_not_null() & pl.col("copy_of").is_null())
        .filter(pl.col("publisher").ne_missing(lead))
        .sort("tier", "rank")
        .unique("publisher", keep="first", maintain_order=True)
        .filter(pl.col("tier") != "unlisted")
        .select("url", pl.col("publisher").fill_null("source"))
    )
    return [*((url, "evidence given") for url in given.head(3)), *others.head(4).rows()]
