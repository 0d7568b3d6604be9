"""What happens in the week: stories with their facts, size, pace and kind, before anybody reports them.

Some are planted so that every day holds each kind of case a desk must get right: followed names
with a trigger, something enormous without a tie, a rumour, a brigade, a filing nobody noticed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from brandkit.simulate.grammar import Bools, Floats, Grammar, Ints

DAY_S = 86_400
HOUR_S = 3_600
# How many names at the head of a list the shipped profiles follow.
FOLLOWED = {"tech": 10, "grocer": 7}
# A followed name is news, so it comes up more often than its place in the list says.
_FOLLOWED_SHARE = 0.18
# Share of the day's items in each hour, UTC.
_HOURS = np.array([2, 1.5, 1.5, 1.5, 2, 3, 4, 5, 6, 6.5, 6, 6, 6, 6, 6, 6, 5.5, 5, 4.5, 4, 3.5, 3, 3, 2.5])
_TRIGGERS = ("breach", "zero_day", "antitrust", "recall", "illness", "boycott")


@dataclass(frozen=True, slots=True)
class Plan:
    """One row per story, as parallel arrays."""

    event: Ints
    facts: Ints
    size: Ints
    start_s: Floats
    pace_s: Floats
    is_burst: Bools
    is_wire: Bools
    is_rumour: Bools
    is_denied: Bools
    is_brigade: Bools
    role: pl.Series  # why it was planted, or "chance"

    def __len__(self) -> int:
        return len(self.event)


@dataclass(frozen=True, slots=True)
class _Planted:
    role: str
    events: tuple[str, ...]
    low: int
    high: int
    name: int | None = None  # which name of the list its first fact is, None for any followed one
    per_day: float = 1.0
    pace_h: float = 1.5
    rumour: bool = False
    brigade: bool = False


_PLANTED = (
    _Planted("trigger", ("breach", "antitrust", "zero_day"), 7, 26, per_day=3.0),
    _Planted("giant", ("takeover", "layoffs", "outage", "model", "platform_law"), 45, 90),
    _Planted(
        "followed", ("outage", "privacy_suit", "layoffs", "boss_leaves", "earnings", "chip"), 4, 14, per_day=3
    ),
    _Planted("elsewhere", ("quake", "storm", "election", "rail_crash", "wildfire", "awards"), 70, 130),
    _Planted("unnoticed", ("antitrust",), 1, 1),
    _Planted("rumour", ("breach", "zero_day", "antitrust", "privacy_suit"), 6, 16, per_day=2.0, rumour=True),
    _Planted("rumour", ("illness", "boycott", "recall"), 5, 14, name=0, per_day=0.6, rumour=True),
    _Planted("brigade", ("outage", "privacy_suit", "model", "layoffs"), 26, 40, per_day=0.7, brigade=True),
    _Planted("brigade", ("boycott", "price_rise"), 26, 40, name=0, per_day=0.5, brigade=True),
    _Planted(
        "own",
        ("price_rise", "new_line", "packaging", "plant_strike", "labelling"),
        2,
        12,
        name=0,
        per_day=2.2,
    ),
    _Planted("own", ("recall", "boycott"), 10, 40, name=0, per_day=0.45),
    _Planted("rival", ("recall", "illness", "boycott", "plant_strike", "packaging"), 4, 20, per_day=1.5),
)


def draw_facts(grammar: Grammar, event: Ints, rng: np.random.Generator) -> Ints:
    """Pool numbers of every story's facts; two of one kind in an event differ."""
    facts = np.zeros((len(event), grammar.n_facts), dtype=np.int64)
    for number, told in enumerate(grammar.events):
        rows = np.flatnonzero(event == number)
        seen: dict[tuple[int, int], list[Ints]] = {}
        for slot, span in enumerate(told.facts):
            choice = _choose(told.kinds[slot], span[1], len(rows), rng)
            for other in seen.get(span, []):
                choice = np.where(choice == other, (choice + 1) % span[1], choice)
            seen.setdefault(span, []).append(choice)
            facts[rows, slot] = span[0] + 2 * choice
    return facts


def _choose(kind: str, n: int, size: int, rng: np.random.Generator) -> Ints:
    if kind not in FOLLOWED:
        return rng.integers(n, size=size)
    head = FOLLOWED[kind]
    is_followed = rng.random(size) < _FOLLOWED_SHARE
    return np.where(is_followed, rng.integers(head, size=size), rng.integers(head, n, size=size))


def daytime(n: int, days: int, rng: np.random.Generator) -> Floats:
    """Seconds from the start of the week, more of them by day than by night."""
    hour = rng.choice(24, size=n, p=_HOURS / _HOURS.sum())
    return rng.integers(days, size=n) * DAY_S + (hour + rng.random(n)) * HOUR_S


def plan_stories(grammar: Grammar, *, days: int, n_items: int, rng: np.random.Generator) -> Plan:
    """Stories that together make about ``n_items`` items, the planted ones first."""
    planted = [kind for kind in _PLANTED for _ in range(len(_spread(kind.per_day, days)))]
    days_of = np.concatenate([_spread(kind.per_day, days) for kind in _PLANTED])
    n_planted = len(planted)
    size_planted = np.array([rng.integers(kind.low, kind.high + 1) for kind in planted], dtype=np.int64)
    # Pareto sizes from 2 up: most stories are small, a few are everywhere.
    left = max(0, n_items - int(size_planted.sum()))
    sizes = np.minimum(2 + (rng.pareto(1.05, size=max(8, left)) * 1.6).astype(np.int64), 160)
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), left))]
    names = {event.name: i for i, event in enumerate(grammar.events)}
    weights = np.array([event.weight for event in grammar.events[: grammar.n_stories]])
    weights[[names[name] for name in _TRIGGERS]] *= 0.35
    chance = rng.choice(grammar.n_stories, size=len(sizes), p=weights / weights.sum())
    chosen = [names[str(rng.choice(kind.events))] for kind in planted]
    event = np.concatenate([np.array(chosen, dtype=np.int64), chance])
    facts = draw_facts(grammar, event, rng)
    _name_followed(grammar, planted, event, facts, rng)
    size = np.concatenate([size_planted, sizes])
    n = len(event)
    is_burst = np.concatenate([size_planted >= 7, (rng.random(len(sizes)) < 0.25) & (sizes >= 7)])
    # What spreads by deceit is still spreading when the desk's day ends.
    hour = np.where(
        [kind.rumour or kind.brigade for kind in planted],
        rng.uniform(15, 20, n_planted),
        rng.uniform(3, 19, n_planted),
    )
    start = np.concatenate([days_of * DAY_S + hour * HOUR_S, daytime(n - n_planted, days, rng)])
    early = (np.arange(n) >= n_planted) & (rng.random(n) < 0.12)
    pace = np.where(is_burst, 1.3, 5.0) * HOUR_S * np.exp(rng.normal(0, 0.4, n))
    rumour, brigade = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    rumour[:n_planted] = [kind.rumour for kind in planted]
    brigade[:n_planted] = [kind.brigade for kind in planted]
    return Plan(
        event=event,
        facts=facts,
        size=size,
        # Some of what is told in the week began before it.
        start_s=np.where(early, start - 1.5 * DAY_S, start),
        pace_s=pace,
        is_burst=is_burst,
        is_wire=(rng.random(n) < 0.45) & (size >= 5) & ~rumour & ~brigade,
        is_rumour=rumour,
        is_denied=rumour & (rng.random(n) < 0.35),
        is_brigade=brigade,
        role=pl.Series("role", [kind.role for kind in planted] + ["chance"] * (n - n_planted)),
    )


def _spread(per_day: float, days: int) -> Ints:
    times = max(1, round(per_day * days))
    return (np.arange(times) * days // times).astype(np.int64)


def _name_followed(
    grammar: Grammar, planted: list[_Planted], event: Ints, facts: Ints, rng: np.random.Generator
) -> None:
    """Put a followed name where a planted story's event has one."""
    for row, kind in enumerate(planted):
        told = grammar.events[event[row]]
        for slot, of in enumerate(told.kinds):
            if of in FOLLOWED:
                first = 1 if kind.role == "rival" else 0
                choice = kind.name if kind.name is not None else int(rng.integers(first, FOLLOWED[of]))
                facts[row, slot] = told.facts[slot][0] + 2 * choice
                break
