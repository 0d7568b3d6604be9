"""Who reports what, when: one row per item, still without words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from brandkit.simulate.grammar import Bools, Floats, Grammar, Ints, pick
from brandkit.simulate.newsroom import Crowd, Newsroom, draw
from brandkit.simulate.plan import HOUR_S, Plan, daytime

KINDS = ("article", "post", "video", "review", "statement", "filing", "other")
ARTICLE, POST, VIDEO, REVIEW, STATEMENT, FILING, OTHER = range(7)
NOBODY = -1
# Delays behind the first report: log-normal, as heavy as the share gaps of fake_news.
_DELAY_SIGMA = 1.4
_COMMUNITIES = 40
_SINGLES_FROM_STORY_EVENTS = 0.2
# How often an everyday topic comes up, where not once.
_EVERYDAY_WEIGHT = {
    "business_desk": 40.0,
    "council_desk": 34.0,
    "politics_desk": 36.0,
    "court_desk": 26.0,
    "science_desk": 26.0,
    "arts_desk": 22.0,
    "sport_desk": 26.0,
    "lifestyle_desk": 22.0,
    "town_and_country": 8.0,
    "culture": 4.0,
    "trade": 6.0,
    "news": 14.0,
    "life": 12.0,
    "business_notes": 12.0,
    "talk": 24.0,
    "odd_news": 12.0,
    "sites": 5.0,
    "appointments": 5.0,
    "chatter": 6.0,
    "people": 4.0,
    "small_ads": 6.0,
    "clips": 4.0,
    "reviews": 1.5,
    "filing": 2.0,
    "statement": 1.5,
}


@dataclass(slots=True)
class Reports:
    """One row per item, as parallel arrays; ``NOBODY`` where there is no such thing."""

    story: Ints
    event: Ints
    kind: Ints
    at_s: Floats
    publisher: Ints
    account: Ints
    copy_of: Ints
    target: Ints
    is_rumour: Bools
    is_denial: Bools
    is_brigade: Bools
    is_single: Bools

    def __len__(self) -> int:
        return len(self.story)


def report_stories(
    grammar: Grammar, room: Newsroom, crowd: Crowd, plan: Plan, rng: np.random.Generator
) -> Reports:
    """The items of every planned story, the first report of each first."""
    story = np.repeat(np.arange(len(plan)), plan.size)
    n = len(story)
    first = np.repeat(np.cumsum(plan.size) - plan.size, plan.size)
    place = np.arange(n) - first
    delay = np.exp(rng.normal(0, _DELAY_SIGMA, n)) * plan.pace_s[story]
    delay = delay[np.lexsort((delay, story))]
    delay[place == 0] = 0.0
    reports = Reports(
        story=story,
        event=plan.event[story],
        kind=_story_kinds(grammar, plan, story, place, rng),
        at_s=plan.start_s[story] + delay,
        publisher=np.full(n, NOBODY),
        account=np.full(n, NOBODY),
        copy_of=np.full(n, NOBODY),
        target=np.full(n, NOBODY),
        is_rumour=plan.is_rumour[story],
        is_denial=np.zeros(n, dtype=bool),
        is_brigade=np.zeros(n, dtype=bool),
        is_single=np.zeros(n, dtype=bool),
    )
    _deny(plan, reports, place, rng)
    _publish(grammar, room, plan, reports, place, rng)
    _copy_wires(plan, reports, place, first, rng)
    _post(crowd, reports, place, first, rng)
    _brigade(crowd, plan, reports, first, rng)
    return reports


def _story_kinds(grammar: Grammar, plan: Plan, story: Ints, place: Ints, rng: np.random.Generator) -> Ints:
    u = rng.random(len(story))
    kind = np.select([u < 0.31, u < 0.35], [POST, VIDEO], ARTICLE)
    official = np.array([event.official for event in grammar.events])[plan.event][story]
    unnoticed = (plan.role == "unnoticed").to_numpy()[story]
    opens_officially = (official & (u < 0.35)) | unnoticed
    opening = np.where(opens_officially, np.where(u < 0.1, FILING, STATEMENT), ARTICLE)
    kind = np.where(place == 0, opening, kind)
    kind = np.where(plan.is_rumour[story], np.where(rng.random(len(story)) < 0.72, POST, ARTICLE), kind)
    return np.where(plan.is_brigade[story], np.where(place < 4, ARTICLE, POST), kind).astype(np.int64)


def _deny(plan: Plan, reports: Reports, place: Ints, rng: np.random.Generator) -> None:
    """The last reports of a denied rumour are its denial, by trusted publishers, hours later."""
    size = plan.size[reports.story]
    denial = plan.is_denied[reports.story] & (place >= np.maximum(size - 2, 1))
    reports.is_denial, reports.is_rumour = denial, reports.is_rumour & ~denial
    reports.kind[denial] = ARTICLE
    reports.at_s[denial] += rng.uniform(1, 5, int(denial.sum())) * HOUR_S


def _publish(
    grammar: Grammar, room: Newsroom, plan: Plan, reports: Reports, place: Ints, rng: np.random.Generator
) -> None:
    n = len(reports)
    everybody = np.arange(len(room.frame))
    role = plan.role.to_numpy()[reports.story]
    planted = role != "chance"
    publisher = draw(everybody, room.weight, n, rng)
    topic = np.array([event.topic for event in grammar.events])[reports.event]
    u = rng.random(n)
    for rows, choices in (
        (np.isin(topic, ["technology", "policy"]) & (u < 0.22), room.tech),
        (planted & (u > 0.6), room.listed),
        (plan.is_wire[reports.story] & (place == 0), room.wires),
        (planted & ~plan.is_wire[reports.story] & (place == 0), room.trusted),
        (reports.is_rumour | plan.is_brigade[reports.story], room.unlisted[:40]),
        (reports.is_denial, room.trusted),
    ):
        publisher[rows] = draw(choices, room.weight, int(rows.sum()), rng)
    official = np.isin(reports.kind, [STATEMENT, FILING])
    publisher[official] = _officials(grammar, room, plan, reports, official)
    own = (role == "own") & (place == 0) & (u < 0.3)
    publisher[own], reports.kind[own] = room.own, STATEMENT
    reports.publisher = np.where(np.isin(reports.kind, [POST, VIDEO, REVIEW]), NOBODY, publisher)


def _officials(grammar: Grammar, room: Newsroom, plan: Plan, reports: Reports, rows: Bools) -> Ints:
    """The office an official story names; the public register where it names none."""
    register = room.official["Public Filings Register"]
    found = np.full(int(rows.sum()), register)
    texts = grammar.pool
    for slot in range(grammar.n_facts):
        named = texts.gather(plan.facts[reports.story[rows], slot].astype(np.uint32)).to_list()
        office = np.array([room.official.get(name, NOBODY) for name in named])
        found = np.where(office >= 0, office, found)
    return found


def _copy_wires(plan: Plan, reports: Reports, place: Ints, first: Ints, rng: np.random.Generator) -> None:
    u = rng.random(len(reports))
    takes = (reports.kind == ARTICLE) & (place > 0) & (reports.kind[first] == ARTICLE) & ~reports.is_denial
    wire = plan.is_wire[reports.story] & (u < 0.5)
    scraped = ~reports.is_rumour & ~plan.is_brigade[reports.story] & (u > 0.96)
    rows = takes & (wire | scraped)
    reports.copy_of[rows] = first[rows]


def _post(crowd: Crowd, reports: Reports, place: Ints, first: Ints, rng: np.random.Generator) -> None:
    """Accounts, and what they link to: half of a story's posts come from the community that follows it."""
    n = len(reports)
    posters = np.concatenate(crowd.by_platform[:2])
    at = draw(np.arange(len(posters)), crowd.weight[posters], n, rng)
    close = rng.random(n) < 0.5
    near = np.minimum(at - at % _COMMUNITIES + reports.story % _COMMUNITIES, len(posters) - 1)
    is_post, is_video = reports.kind == POST, reports.kind == VIDEO
    reports.account[is_post] = posters[np.where(close, near, at)][is_post]
    reports.account[is_video] = draw(crowd.by_platform[2], crowd.weight, int(is_video.sum()), rng)
    goal = first + (place * rng.random(n) ** 1.7).astype(np.int64)
    links = (
        is_post
        & (place > 0)
        & np.isin(reports.kind[goal], [ARTICLE, STATEMENT, FILING])
        & (rng.random(n) < 0.62)
    )
    reports.target[links] = goal[links]
    # A post that only repeats the headline it links to is a copy of it.
    repeats = links & (rng.random(n) < 0.3)
    origin = np.where(reports.copy_of[goal] >= 0, reports.copy_of[goal], goal)
    reports.copy_of[repeats] = origin[repeats]


def _brigade(crowd: Crowd, plan: Plan, reports: Reports, first: Ints, rng: np.random.Generator) -> None:
    """A ring posts the same few links within seconds of each other, one link after the other."""
    posters = np.concatenate(crowd.by_platform[:2])
    for story in np.flatnonzero(plan.is_brigade):
        rows = np.flatnonzero((reports.story == story) & (reports.kind == POST))
        if len(rows) < 6:
            continue
        ring_size = min(10, max(5, len(rows) // 4))
        ring = rng.choice(posters, size=ring_size, replace=False)
        wave, member = np.divmod(np.arange(len(rows)), ring_size)
        start = plan.start_s[story] + 0.5 * HOUR_S + wave * rng.uniform(0.4, 1.5) * HOUR_S
        reports.at_s[rows] = start + np.where(member == 0, 0.0, rng.uniform(0, 24, len(rows)))
        reports.account[rows] = ring[member]
        reports.target[rows] = first[rows] + wave % 4
        leader = rows[wave * ring_size]
        reports.copy_of[rows] = np.where(rows == leader, NOBODY, leader)
        reports.is_brigade[rows] = True


def report_singles(
    grammar: Grammar, room: Newsroom, crowd: Crowd, n: int, days: int, rng: np.random.Generator
) -> Reports:
    """Items that nobody else reports: everyday topics, and some events that nobody picked up."""
    event = _single_events(grammar, n, rng)
    kinds: list[int] = []
    spans: list[tuple[int, int]] = []
    for one in grammar.events:
        spans.append((len(kinds), len(one.types)))
        kinds.extend(KINDS.index(kind) for kind in one.types)
    kind = np.array(kinds)[pick(np.array(spans)[event], rng)]
    kind = np.where((kind == ARTICLE) & (rng.random(n) < 0.004), OTHER, kind)
    publisher = draw(np.arange(len(room.frame)), room.weight, n, rng)
    filing, statement = kind == FILING, kind == STATEMENT
    publisher[filing] = room.official["Public Filings Register"]
    offices = np.array(sorted(room.official.values()))
    publisher[statement] = rng.choice(offices, size=int(statement.sum()))
    account = np.full(n, NOBODY)
    for of, where in (
        (POST, np.concatenate(crowd.by_platform[:2])),
        (VIDEO, crowd.by_platform[2]),
        (REVIEW, crowd.by_platform[3]),
    ):
        rows = kind == of
        account[rows] = draw(where, crowd.weight, int(rows.sum()), rng)
    social = np.isin(kind, [POST, VIDEO, REVIEW])
    nothing = np.zeros(n, dtype=bool)
    return Reports(
        story=np.arange(n),
        event=event,
        kind=kind,
        at_s=daytime(n, days, rng),
        publisher=np.where(social, NOBODY, publisher),
        account=account,
        copy_of=np.full(n, NOBODY),
        target=np.full(n, NOBODY),
        is_rumour=nothing,
        is_denial=nothing.copy(),
        is_brigade=nothing.copy(),
        is_single=np.ones(n, dtype=bool),
    )


def _single_events(grammar: Grammar, n: int, rng: np.random.Generator) -> Ints:
    everyday = grammar.events[grammar.n_stories :]
    weight = np.array([_EVERYDAY_WEIGHT.get(event.topic, 1.0) for event in everyday])
    event = grammar.n_stories + rng.choice(len(everyday), size=n, p=weight / weight.sum())
    told = np.array(
        [
            event.weight * (0.1 if event.gravity > 0.7 else 1.0)
            for event in grammar.events[: grammar.n_stories]
        ]
    )
    borrowed = rng.random(n) < _SINGLES_FROM_STORY_EVENTS
    event[borrowed] = rng.choice(grammar.n_stories, size=int(borrowed.sum()), p=told / told.sum())
    return event


def join_reports(stories: Reports, singles: Reports, n_stories: int) -> Reports:
    """Both in one table; a single item is a story of its own, numbered after the real ones."""
    singles.story = singles.story + n_stories
    names = Reports.__slots__
    return Reports(
        **{name: np.concatenate([getattr(stories, name), getattr(singles, name)]) for name in names}
    )


def take(reports: Reports, rows: Ints) -> Reports:
    """Those rows; copies and links whose other end is not taken lose it."""
    place = np.full(len(reports), NOBODY)
    place[rows] = np.arange(len(rows))
    taken = Reports(**{name: getattr(reports, name)[rows] for name in Reports.__slots__})
    for name in ("copy_of", "target"):
        end = getattr(taken, name)
        setattr(taken, name, np.where(end >= 0, place[np.maximum(end, 0)], NOBODY))
    return taken


def kind_names(kind: Ints) -> pl.Series:
    """The item types' names."""
    return pl.Series(KINDS).gather(kind.astype(np.uint32)).alias("item_type")
