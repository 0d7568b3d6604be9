"""The levers and the search of "why not" in plain Python, one row and one change at a time.

Written from what each lever says it moves and not from the package: slow and obvious on purpose.
Rows are judged by ``tests.reference``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from brandkit.profile import BrandProfile
from tests import reference

Row = dict[str, Any]
# lever, grid steps, the changed row.
Change = tuple[str, int, Row]

TIERS = ("unlisted", "C", "B", "A")
PLACES = ("nowhere", "summary", "title")
RUNGS = ("drop", "block", "watch", "optional", "must_cover")
WEIGHT_WITHOUT_AB = 0.25
WITHOUT_AB = (
    "no_ab_publisher", "sensational_form", "alarm_opening", "shouting", "capitalised_throughout",
    "long_title", "exclaiming", "cheap_address",
)  # fmt: skip


def changes(
    row: Row, profile: BrandProfile, as_of: datetime, ways: tuple[str, ...], *, after: str = ""
) -> Iterator[Change]:
    """Every single change that is one, by the levers' names; ``after`` leaves out those up to a name."""
    for lever in NAMES:
        if lever > after:
            for way in ways:
                yield from LEVERS[lever](row, profile, as_of, way)


def cheapest(
    row: Row,
    profile: BrandProfile,
    as_of: datetime,
    ways: tuple[str, ...],
    reached: Callable[[str], bool],
) -> dict[tuple[str, ...], tuple[int, str, int]]:
    """The flips by lever or pair of levers: steps, decision and total; all single, or else all pairs."""

    def judged(changed: Row) -> tuple[str, int]:
        found = reference.judge(changed, profile, as_of)
        return found.decision, found.total

    flips: dict[tuple[str, ...], tuple[int, str, int]] = {}
    costs: dict[tuple[str, ...], tuple[int, int]] = {}

    def keep(levers: tuple[str, ...], cost: tuple[int, int], changed: Row) -> None:
        decision, total = judged(changed)
        # Of equal sums, the one with the smaller first step.
        if reached(decision) and (levers not in costs or cost < costs[levers]):
            flips[levers], costs[levers] = (cost[0], decision, total), cost

    single = list(changes(row, profile, as_of, ways))
    for lever, steps, changed in single:
        keep((lever,), (steps, steps), changed)
    if not flips:
        for first, steps, changed in single:
            for second, more, twice in changes(changed, profile, as_of, ways, after=first):
                keep((first, second), (steps + more, steps), twice)
    return flips


# What several levers share


def count(row: Row, name: str) -> int:
    return row[name] or 0


def more(row: Row, n: int, *names: str) -> Row:
    return {**row, **{name: count(row, name) + n for name in names}}


def fewer(row: Row, n: int, *names: str) -> Row:
    return {**row, **{name: None if row[name] is None else max(0, row[name] - n) for name in names}}


def better(row: Row, tier: str) -> str:
    now = row["best_tier"]
    return now if now is not None and TIERS.index(now) >= TIERS.index(tier) else tier


def has_ab(row: Row) -> bool:
    return count(row, "n_publishers_ab") > 0 or count(row, "n_adopters_ab") > 0


def without_risk(row: Row, *names: str) -> Row:
    said = row["misinfo_evidence"]
    if said is None:
        return row
    kept = [one for one in said if one.split(":")[0] not in names]
    if len(kept) == len(said):
        return row
    risk = min(1.0, round(sum(float(one.split(":")[1]) for one in kept), 4))
    return {**row, "misinfo_risk": risk, "misinfo_evidence": kept}


def trusted_now(row: Row) -> Row:
    """An A or B publisher carries it: what spoke against it for lack of one is gone."""
    return without_risk(row, *WITHOUT_AB)


def distrusted(before: Row, after: Row) -> Row:
    """The last A or B publisher is gone: that speaks against it, unless it is a trusted debunk."""
    said, risk = before["misinfo_evidence"], before["misinfo_risk"]
    is_debunk = before["is_denial"] and before["tier"] in ("A", "B")
    lost = has_ab(before) and not has_ab(after)
    if not lost or is_debunk or said is None or any(one.startswith("no_ab") for one in said):
        return after
    raised = None if risk is None else min(1.0, round(risk + WEIGHT_WITHOUT_AB, 4))
    return {**after, "misinfo_risk": raised, "misinfo_evidence": [*said, "no_ab_publisher:0.25"]}


def levels(
    lever: str, stands: float | None, grid: tuple[Any, ...], way: str, made: Callable[[Any], Row],
    rank: Callable[[Any], float] = float,
) -> Iterator[Change]:  # fmt: skip
    """Grid values above or below where something stands; steps are the values passed."""
    ranks = [rank(value) for value in grid]
    for value in grid:
        to = rank(value)
        if way == "up" and (stands is None or stands < to):
            yield lever, sum(1 for r in ranks if r <= to and (stands is None or stands < r)), made(value)
        if way == "down" and stands is not None and stands > to:
            yield lever, sum(1 for r in ranks if to <= r < stands), made(value)


CARRIED = ("n_items", "n_outlets")
TOLD = (*CARRIED, "n_publishers", "n_publishers_ab", "n_other_publishers_ab")


# The levers, by name


def adopters_ab(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    is_one = row["copy_of"] is not None and row["tier"] in ("A", "B", None)
    for steps, n in enumerate(profile.levers.adopters_ab, start=1):
        if way == "up":
            changed = more(row, n, *CARRIED, "n_adopters_ab")
            yield "adopters_ab", steps, trusted_now({**changed, "best_tier": better(row, "B")})
        if way == "down" and row["n_adopters_ab"] is not None and row["n_adopters_ab"] - is_one >= n:
            yield "adopters_ab", steps, distrusted(row, fewer(row, n, *CARRIED, "n_adopters_ab"))


def age(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    grid = profile.levers.age
    hours_old = reference.number(row["age_h"])
    if way == "up" and (hours_old is None or row["future_dated"] is not False):
        for hours in grid:
            dated = {"age_h": hours, "published_at": as_of - timedelta(hours=hours), "future_dated": False}
            yield "age", sum(1 for value in grid if value >= hours), {**row, **dated}
    joined = row["last_new_publisher_at"]
    if way == "down" and ((hours_old is not None and row["future_dated"] is False) or joined is not None):
        for steps, hours in enumerate(grid, start=1):
            changed = {
                **row,
                "age_h": None if row["age_h"] is None else row["age_h"] + hours,
                "last_new_publisher_at": None if joined is None else joined - timedelta(hours=hours),
            }
            if hours >= 6 and row["velocity_h"] is not None:
                changed["velocity_h"] = 0.0
            yield "age", steps, changed


def constraint(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    listed = [*profile.forbidden.phrases, *profile.forbidden.risk_flags]
    for _ in profile.levers.constraint:
        if way == "up" and row["forbidden"] != []:
            yield "constraint", 1, {**row, "forbidden": [], "forbidden_in_title": []}
        if way == "comes" and row["forbidden"] == [] and listed:
            yield "constraint", 1, {**row, "forbidden": listed[:1]}


def coordination(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    share, accounts, p = reference.number(row["coordinated_share"]), row["n_coordinated"], profile.parameters
    for _ in profile.levers.coordination:
        if way == "up" and ((share or 0) > 0 or (accounts or 0) > 0):
            clean = {"coordinated_share": 0.0, "n_coordinated": 0, "coordination": []}
            yield "coordination", 1, {**row, **clean}
        is_there = (
            share is not None and share >= p.brigading_share
            and accounts is not None and accounts >= p.brigading_accounts
        )  # fmt: skip
        if way == "comes" and not is_there:
            found = {
                "coordinated_share": max(share or 0, p.brigading_share),
                "n_coordinated": max(accounts or 0, p.brigading_accounts),
            }
            yield "coordination", 1, {**row, **found}


def engagement_ratio(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    yield from levels(
        "engagement_ratio", reference.number(row["engagement_ratio"]), profile.levers.engagement_ratio, way,
        lambda value: {**row, "engagement_ratio": value},
    )  # fmt: skip


def evidence(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    for _ in profile.levers.evidence:
        if way == "up" and not row["evidence"]:
            yield "evidence", 1, {**row, "evidence": ["given"]}
        if way == "down" and row["evidence"]:
            yield "evidence", 1, {**row, "evidence": []}


def exclusion(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    for _ in profile.levers.exclusion:
        if way == "up" and row["excluded"] is not False:
            yield "exclusion", 1, {**row, "excluded": False}


def joins_now(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    for steps, to in enumerate(profile.levers.joins_now, start=1):
        if way == "up":
            recent = round((reference.number(row["velocity_h"]) or 0.0) * 6) + 1
            counts = (*CARRIED, "n_publishers") if to == "C" else TOLD
            joined = {
                **more(row, 1, *counts),
                "best_tier": better(row, to),
                "last_new_publisher_at": as_of,
                "velocity_h": round(recent / 6, 4),
            }
            yield "joins_now", steps, joined if to == "C" else trusted_now(joined)


def misinfo_risk(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    risk, bar = reference.number(row["misinfo_risk"]), profile.parameters.misinfo_risk
    for _ in profile.levers.misinfo_risk:
        if way == "up" and (risk or 0) > 0:
            yield "misinfo_risk", 1, {**row, "misinfo_risk": 0.0, "misinfo_evidence": [], "disputed": False}
        if way == "comes" and (risk is None or risk < bar):
            yield "misinfo_risk", 1, {**row, "misinfo_risk": bar}


def said(row: Row, column: str, names: set[str] | None) -> int:
    """Where one of the names (any, if none are given) is said, as a place in PLACES."""

    def is_in(found: str) -> bool:
        return bool(row[found]) if names is None else bool(names & set(row[found] or []))

    return 2 if is_in(f"{column}_in_title") else 1 if is_in(column) else 0


def saying(row: Row, column: str, names: list[str], place: str) -> Row:
    columns = [column, f"{column}_in_title"] if place == "title" else [column]
    return {**row, **{found: sorted({*(row[found] or []), *names}) for found in columns}}


def not_saying(row: Row, column: str, names: set[str] | None, place: str) -> Row:
    columns = [f"{column}_in_title"] if place == "summary" else [column, f"{column}_in_title"]
    gone = {
        found: None if row[found] is None and names is not None
        else [one for one in row[found] or [] if names is not None and one not in names]
        for found in columns
    }  # fmt: skip
    return {**row, **gone}


def named(row: Row, profile: BrandProfile, way: str, *, own: bool) -> Iterator[Change]:
    lever = "own_name" if own else "other_name"
    grid = getattr(profile.levers, lever)
    if profile.own:
        topics = profile.own if own else (*profile.rivals, *profile.watched)
    else:
        topics = profile.watched if own else profile.rivals
    names = [topic.name for topic in topics]

    def made(place: str) -> Row:
        if way == "down":
            return not_saying(row, "entities", set(names), place)
        changed = saying(row, "entities", names[:1], place)
        # Our own name in a title outweighs an exclusion there.
        return {**changed, "excluded": False} if own and profile.own and place == "title" else changed

    if names:
        yield from levels(lever, said(row, "entities", set(names)), grid, way, made, PLACES.index)


def other_name(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    yield from named(row, profile, way, own=False)


def own_name(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    yield from named(row, profile, way, own=True)


def outlets(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    telling = max(1, count(row, "n_publishers") + count(row, "n_unlisted"))
    for steps, n in enumerate(profile.levers.outlets, start=1):
        if way == "up":
            yield "outlets", steps, more(row, n, *CARRIED)
        if way == "down" and row["n_outlets"] is not None and row["n_outlets"] - n >= telling:
            yield "outlets", steps, fewer(row, n, *CARRIED)


def pillars(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    title, anywhere = row["pillars_in_title"] or [], row["pillars"] or []
    known = [topic.name for topic in profile.pillars]
    fresh = sorted(name for name in known if name not in anywhere and name not in title)
    free = [*fresh, *sorted(name for name in known if name in anywhere and name not in title)]
    there = [*title, *sorted(name for name in anywhere if name not in title)]
    for steps, n in enumerate(profile.levers.pillars, start=1):
        if way == "up" and len(free) >= n:
            lists = {"pillars": anywhere, "pillars_in_title": title}
            yield "pillars", steps, {**row, **{c: sorted({*now, *free[:n]}) for c, now in lists.items()}}
        if way == "down" and len(there) >= n:
            left = {
                "pillars": [name for name in anywhere if name not in there[:n]],
                "pillars_in_title": [name for name in title if name not in there[:n]],
            }
            yield "pillars", steps, {**row, **left}


def provenance(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    for _ in profile.levers.provenance:
        if way == "up" and (row["url"] is None or row["published_at"] is None):
            known = {"url": row["url"] or "given", "published_at": row["published_at"] or row["collected_at"]}
            yield "provenance", 1, {**row, **known}
        if way == "down" and row["url"] is not None and row["published_at"] is not None:
            yield "provenance", 1, {**row, "url": None}


def publisher_a(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    for _ in profile.levers.publisher_a:
        if way == "up" and row["best_tier"] != "A":
            yield "publisher_a", 1, trusted_now({**more(row, 1, *TOLD), "best_tier": "A"})
        if way == "down" and row["best_tier"] == "A" and row["tier"] not in ("A", None):
            yield "publisher_a", 1, {**row, "best_tier": "B"}


def publishers_ab(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    for steps, n in enumerate(profile.levers.publishers_ab, start=1):
        if way == "up":
            yield "publishers_ab", steps, trusted_now({**more(row, n, *TOLD), "best_tier": better(row, "B")})
        if way == "down" and row["n_other_publishers_ab"] is not None and row["n_other_publishers_ab"] >= n:
            changed = fewer(row, n, *TOLD)
            if changed["n_publishers"] == 0:
                changed["last_new_publisher_at"] = None
            yield "publishers_ab", steps, distrusted(row, changed)


def reach(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    names = ("views", "followers", "audience")
    stands = max((row[name] for name in names if row[name] is not None), default=None)

    def made(people: int) -> Row:
        if way == "up":
            return {**row, "views": people}
        return {**row, **{name: None if row[name] is None else min(row[name], people) for name in names}}

    yield from levels("reach", stands, profile.levers.reach, way, made)


def tier(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    if row["publisher"] is None:
        return
    now = row["tier"]
    is_outside = row["role"] not in ("own", "portal")
    is_free = is_outside and not row["is_coordinated"]
    confirms = is_free and row["copy_of"] is None and not row["is_denial"]
    copies = is_free and row["copy_of"] is not None

    def made(to: str) -> Row:
        listed = (to != "unlisted") - (now in ("A", "B", "C"))
        trusted = (to in ("A", "B")) - (now in ("A", "B"))
        changed = {**row, "tier": to}
        for name, counts, by in (
            ("n_publishers", confirms, listed), ("n_publishers_ab", confirms, trusted),
            ("n_unlisted", confirms, -listed), ("n_adopters_ab", copies, trusted),
        ):  # fmt: skip
            if counts and by:
                changed[name] = max(0, count(row, name) + by)
        if way == "up":
            if is_outside:
                changed["best_tier"] = better(row, to)
            if to in ("A", "B"):
                gained = has_ab(changed) and not has_ab(row)
                gone = (*WITHOUT_AB, "hedging") if gained else ("hedging",)
                changed = without_risk(changed, *gone)
            return changed
        nobody = changed["n_publishers"] == 0
        if is_outside and row["n_other_publishers_ab"] == 0 and changed["n_adopters_ab"] == 0:
            changed["best_tier"] = to if to != "unlisted" else "unlisted" if nobody else "C"
        if nobody:
            changed["last_new_publisher_at"] = None
        return distrusted(row, changed)

    stands = None if now is None else TIERS.index(now)
    yield from levels("tier", stands, profile.levers.tier, way, made, TIERS.index)


def trigger(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    names = [topic.name for topic in profile.triggers]

    def made(place: str) -> Row:
        if way == "down":
            return not_saying(row, "triggers", None, place)
        return saying(row, "triggers", names[:1], place)

    if names or way == "down":
        yield from levels(
            "trigger", said(row, "triggers", None), profile.levers.trigger, way, made, PLACES.index
        )


def unlisted_publishers(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    own = row["tier"] in ("unlisted", None)
    for steps, n in enumerate(profile.levers.unlisted_publishers, start=1):
        if way == "up":
            yield "unlisted_publishers", steps, more(row, n, *CARRIED, "n_unlisted")
        if way == "down" and row["n_unlisted"] is not None and row["n_unlisted"] - own >= n:
            yield "unlisted_publishers", steps, fewer(row, n, *CARRIED, "n_unlisted")


def velocity_h(row: Row, profile: BrandProfile, as_of: datetime, way: str) -> Iterator[Change]:
    stands = reference.number(row["velocity_h"])
    yield from levels(
        "velocity_h", stands, profile.levers.velocity_h, way, lambda value: {**row, "velocity_h": value}
    )


LEVERS: Mapping[str, Callable[[Row, BrandProfile, datetime, str], Iterator[Change]]] = {
    lever.__name__: lever
    for lever in (
        adopters_ab, age, constraint, coordination, engagement_ratio, evidence, exclusion, joins_now,
        misinfo_risk, other_name, outlets, own_name, pillars, provenance, publisher_a, publishers_ab, reach,
        tier, trigger, unlisted_publishers, velocity_h,
    )
}  # fmt: skip
NAMES = sorted(LEVERS)
