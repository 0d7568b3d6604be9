"""What is really so: which item belongs where, and what an editor would have said of each story.

The editor knows the facts (who is in it, who stood behind it, whether it is made up), never a score.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from brandkit.simulate.grammar import Bools, Grammar, Ints
from brandkit.simulate.newsroom import Newsroom
from brandkit.simulate.plan import FOLLOWED, Plan
from brandkit.simulate.reports import Reports

RUNGS = ("drop", "block", "watch", "optional", "must_cover")
_DROP, _BLOCK, _WATCH, _OPTIONAL, _MUST = range(5)
# Editors disagree with themselves about once in twenty-five stories.
_NOISE = 0.04
# desk: names it follows (list, how many), its subjects, what it must never miss.
DESKS: dict[str, tuple[str, int, tuple[str, ...], tuple[str, ...]]] = {
    "technology": (
        "tech",
        FOLLOWED["tech"],
        ("security", "cloud", "chips", "artificial intelligence", "privacy", "regulation", "labour"),
        ("data breach", "antitrust ruling", "zero-day"),
    ),
    "consumer": (
        "grocer",
        FOLLOWED["grocer"],
        ("food safety", "pricing", "advertising", "sustainability", "labelling", "supply chain"),
        ("product recall", "contamination", "boycott call"),
    ),
}
N_OWN = 2


def true_stories(
    grammar: Grammar,
    room: Newsroom,
    plan: Plan,
    reports: Reports,
    facts: Ints,
    start_us: Ints,
    private: Bools,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """One row per story, singles too, with an editor's verdict for each shipped desk."""
    stories = _story_facts(room, plan, reports, start_us, private)
    event = stories["event"].to_numpy()
    verdicts = [
        pl.Series(
            f"verdict_{desk}", _verdicts(grammar, stories, event, facts[stories["row"].to_numpy()], desk, rng)
        )
        for desk in DESKS
    ]
    burst = np.append(plan.is_burst, False)[np.minimum(stories["story"].to_numpy(), len(plan))]
    return stories.select(
        "story",
        pl.Series("event", [e.name for e in grammar.events]).gather(event.astype(np.uint32)),
        pl.Series("topic", [e.topic for e in grammar.events]).gather(event.astype(np.uint32)),
        "role",
        "n_items",
        "n_outlets",
        "is_credible",
        "is_rumour",
        "is_denied",
        "is_brigade",
        "is_private",
        pl.Series("is_burst", burst & (stories["n_items"].to_numpy() >= 7)),
        "started_us",
        *verdicts,
    )


def _story_facts(
    room: Newsroom, plan: Plan, reports: Reports, start_us: Ints, private: Bools
) -> pl.DataFrame:
    tier = room.frame["tier"].gather(np.maximum(reports.publisher, 0).astype(np.uint32))
    role = pl.concat([plan.role, pl.Series(["none"])]).gather(
        np.minimum(reports.story, len(plan)).astype(np.uint32)
    )
    per_item = pl.DataFrame(
        {
            "story": reports.story,
            "event": reports.event,
            "role": role,
            "row": np.arange(len(reports)),
            "publisher": pl.Series(reports.publisher).set(pl.Series(reports.publisher < 0), None),
            "listed": pl.Series(reports.publisher >= 0) & tier.is_in(["A", "B"]),
            "at": start_us,
            "copy": reports.copy_of >= 0,
            "rumour": reports.is_rumour,
            "denial": reports.is_denial,
            "brigade": reports.is_brigade,
            "private": private,
        }
    )
    return per_item.group_by("story", maintain_order=True).agg(
        pl.col("event", "role", "row").first(),
        n_items=pl.len(),
        n_outlets=pl.col("publisher").drop_nulls().n_unique(),
        is_credible=(pl.col("listed") & ~pl.col("copy") & ~pl.col("rumour")).any(),
        is_rumour=pl.col("rumour").any(),
        is_denied=pl.col("denial").any(),
        is_brigade=pl.col("brigade").any(),
        is_private=pl.col("private").any(),
        started_us=pl.col("at").min(),
    )


def _verdicts(
    grammar: Grammar, stories: pl.DataFrame, event: Ints, facts: Ints, desk: str, rng: np.random.Generator
) -> pl.Series:
    kind, n_followed, subjects, triggers = DESKS[desk]
    followed, own = (
        _named(grammar, event, facts, kind, n_followed),
        _named(grammar, event, facts, kind, N_OWN),
    )
    own &= desk == "consumer"
    on_beat = np.array([bool(set(e.tags) & set(subjects)) for e in grammar.events])[event]
    urgent = np.array([bool(set(e.tags) & set(triggers)) for e in grammar.events])[event]
    grave = np.array([e.gravity for e in grammar.events])[event]
    n_items, n_outlets = stories["n_items"].to_numpy(), stories["n_outlets"].to_numpy()
    credible = stories["is_credible"].to_numpy()
    made_up = (stories["is_rumour"] & ~stories["is_denied"]).to_numpy() | stories["is_brigade"].to_numpy()
    tied = followed | on_beat
    rung = np.select(
        [
            stories["is_private"].to_numpy(),
            tied & made_up,
            tied & stories["is_denied"].to_numpy(),
            tied & urgent & credible & (followed | (grave > 0.8)),
            followed & credible & (n_outlets >= 14),
            tied & credible & ((n_outlets >= 5) | own | (followed & (grave >= 0.5))),
            tied & (credible | (n_items >= 4)) & followed,
            n_items >= 60,
        ],
        [_BLOCK, _BLOCK, _WATCH, _MUST, _MUST, _OPTIONAL, _WATCH, _WATCH],
        _DROP,
    )
    slip = (rng.random(len(rung)) < _NOISE) & np.isin(rung, [_WATCH, _OPTIONAL, _MUST])
    rung = np.where(slip, np.clip(rung + rng.choice([-1, 1], size=len(rung)), _WATCH, _MUST), rung)
    return pl.Series(RUNGS).gather(rung.astype(np.uint32))


def _named(grammar: Grammar, event: Ints, facts: Ints, kind: str, first: int) -> Bools:
    """Stories with one of the first names of a list among their facts."""
    start = np.full((len(grammar.events), grammar.n_facts), -1)
    for number, told in enumerate(grammar.events):
        for slot, of in enumerate(told.kinds):
            if of == kind:
                start[number, slot] = told.facts[slot][0]
    begin = start[event]
    is_named = (begin >= 0) & (facts >= begin) & (facts < begin + 2 * first)
    return np.asarray(is_named.any(axis=1), dtype=np.bool_)
