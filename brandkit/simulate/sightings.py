"""From reports to raw rows: addresses, times, engagement, and every time an item was seen."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import numpy as np
import polars as pl

from brandkit.simulate.grammar import Bools, Floats, Grammar, Ints
from brandkit.simulate.newsroom import Crowd, Newsroom
from brandkit.simulate.plan import DAY_S, HOUR_S, Plan
from brandkit.simulate.reports import POST, REVIEW, VIDEO, Reports

# A prime above the largest week; stepping through it gives each item a number that tells nothing.
_CODES = 9_999_991
_SECOND = 1_000_000
_ROLE_BOOST = {"giant": 1.2, "elsewhere": 1.6, "trigger": 0.7, "rumour": 3.6, "brigade": 3.2}
# Half the items of a planted story catch on; what a ring or a rumour pushes, nearly all.
_CATCHES_ON = {"rumour": 0.95, "brigade": 0.95}


def week_start(start: date) -> datetime:
    """Midnight UTC of the first day."""
    return datetime.combine(start, time(), tzinfo=UTC)


def number_items(n: int, rng: np.random.Generator) -> Ints:
    """A public number for each item, in no order."""
    return (np.arange(n) * 1_000_003 + int(rng.integers(_CODES))) % _CODES


def address(
    grammar: Grammar, room: Newsroom, crowd: Crowd, reports: Reports, code: Ints, rng: np.random.Generator
) -> pl.DataFrame:
    """Where each item stands: source, native id, URL, what it links to, account."""
    frame = _addressed(_places(grammar, room, crowd, reports, code, rng))
    linked = frame["url"].gather(np.maximum(reports.target, 0).astype(np.uint32)).alias("linked")
    return frame.with_columns(linked).select(
        "native_id",
        "source",
        "url",
        target_url=pl.when(pl.col("target") >= 0)
        .then("linked")
        .when("lonely_link")
        .then(pl.concat_str(pl.lit("https://"), "elsewhere", pl.lit("/p/"), "code")),
        account="account",
    )


def _places(
    grammar: Grammar, room: Newsroom, crowd: Crowd, reports: Reports, code: Ints, rng: np.random.Generator
) -> pl.DataFrame:
    n = len(reports)
    topics = pl.Series([event.topic for event in grammar.events]).gather(reports.event.astype(np.uint32))
    domain = room.frame["domain"].gather(np.maximum(reports.publisher, 0).astype(np.uint32))
    family = room.frame["family"].gather(np.maximum(reports.publisher, 0).astype(np.uint32))
    tier = room.frame["tier"].gather(np.maximum(reports.publisher, 0).astype(np.uint32))
    account = np.maximum(reports.account, 0)
    platform = pl.Series([name for name, *_ in crowd.platforms]).gather(
        crowd.platform[account].astype(np.uint32)
    )
    social = pl.Series(reports.account >= 0)
    elsewhere = room.frame["domain"].gather(
        room.unlisted[rng.integers(len(room.unlisted), size=n)].astype(np.uint32)
    )
    lonely_link = pl.Series(reports.is_single & (reports.kind == POST) & (rng.random(n) < 0.25))
    return pl.DataFrame(
        {
            "code": pl.Series(code).cast(pl.String),
            "topic": topics,
            "domain": domain,
            "family": family,
            "tier": tier,
            "platform": platform,
            "handle": crowd.handle.gather(account.astype(np.uint32)),
            "social": social,
            "elsewhere": elsewhere,
            "lonely_link": lonely_link,
            "target": reports.target,
        }
    )


def _addressed(places: pl.DataFrame) -> pl.DataFrame:
    return places.select(
        "target",
        "lonely_link",
        "elsewhere",
        "code",
        native_id=pl.when("social").then("code"),
        source=pl.when("social")
        .then("platform")
        .when(pl.col("tier") == "unlisted")
        .then(pl.lit("opencrawl"))
        .otherwise("family"),
        url=pl.when("social")
        .then(
            pl.concat_str(pl.lit("https://"), "platform", pl.lit(".example/"), "handle", pl.lit("/"), "code")
        )
        .otherwise(pl.concat_str(pl.lit("https://"), "domain", pl.lit("/"), "topic", pl.lit("/"), "code")),
        account=pl.when("social").then("handle"),
    )


def engage(
    room: Newsroom, crowd: Crowd, plan: Plan, reports: Reports, rng: np.random.Generator
) -> pl.DataFrame:
    """What each item ends up with: log-normal per platform, null where the platform tells nothing."""
    n, account = len(reports), np.maximum(reports.account, 0)
    platform = crowd.platform[account]
    middle = np.array([median for _, _, median, _ in crowd.platforms])[platform]
    sigma = np.array([spread for *_, spread in crowd.platforms])[platform]
    role = plan.role.to_list()
    boost = np.array([_ROLE_BOOST.get(name, 0.0) for name in role] + [0.0])
    of_story = np.minimum(reports.story, len(role))
    share = np.array([_CATCHES_ON.get(name, 0.5) for name in role] + [0.5])
    lift = boost[of_story] * (rng.random(n) < share[of_story])
    social = reports.account >= 0
    size = np.exp(
        np.log(np.where(social, middle, 5.0)) + rng.normal(0, 1, n) * np.where(social, sigma, 1.4) + lift
    )
    size = np.minimum(size, 2e6)
    told = room.has_metrics[np.maximum(reports.publisher, 0)] & ~social
    u = rng.random((4, n))
    chirp, board, clip = ((platform == p) & social for p in range(3))
    shares = np.where(chirp | clip, size * u[1] * 0.3, size * u[1] * 0.8)
    views = size * (12 + 60 * u[2])
    followers = crowd.followers[account]
    review = reports.kind == REVIEW
    return pl.DataFrame(
        {
            "reactions": _or_null(size, social),
            "comments": _or_null(size * (0.05 + 0.5 * u[0] ** 2), (social & ~review) | told),
            "shares": _or_null(shares, chirp | clip | told),
            "views": _or_null(views, clip | (chirp & (u[3] < 0.4))),
            "followers": pl.Series(followers).set(pl.Series(~social | board), None),
        }
    )


def _or_null(values: Floats, known: Bools) -> pl.Series:
    return pl.DataFrame({"v": np.floor(values).astype(np.int64), "k": known}).select(
        v=pl.when("k").then("v")
    )["v"]


def collect_times(reports: Reports, rng: np.random.Generator) -> tuple[Ints, Ints, Bools]:
    """Microseconds of publishing and first collecting; which items were collected a day late."""
    n = len(reports)
    social = np.isin(reports.kind, [POST, VIDEO, REVIEW])
    lag = np.exp(rng.normal(0, 1.0, n)) * np.where(social, 35 * 60.0, 9 * 60.0)
    lag = np.where(reports.is_brigade, rng.uniform(60, 600, n), lag)
    late = (rng.random(n) < 0.03) & reports.is_single
    lag = np.where(late, rng.uniform(9, 32, n) * HOUR_S, lag)
    published = (reports.at_s * _SECOND).astype(np.int64) // _SECOND * _SECOND
    return published, published + (lag * _SECOND).astype(np.int64), late


def within_week(collected: Ints, days: int) -> Bools:
    """Rows collected in the week."""
    return (collected >= 0) & (collected < days * DAY_S * _SECOND)


def on_the_edges(published: Ints, collected: Ints, days: int, rows: Ints) -> None:
    """Put some items on the first and last instants of desk days: midnight UTC, and 05:00 UTC."""
    edges = [day * DAY_S * _SECOND + shift for day in range(days) for shift in (0, 5 * HOUR_S * _SECOND)]
    edges = [instant - before for instant in edges for before in (0, 1)] + [days * DAY_S * _SECOND - 1]
    for row, instant in zip(rows, (edge for edge in edges if edge >= 0), strict=False):
        collected[row], published[row] = instant, instant - instant % _SECOND - 600 * _SECOND


def see_again(items: pl.DataFrame, *, days: int, edited: pl.Series, rng: np.random.Generator) -> pl.DataFrame:
    """Every sighting of every item, with engagement as it stood then and the headline as it stood then.

    An item's numbers grow to their final value as 1 - exp(-age / 6 h).
    """
    n = len(items)
    social = items["native_id"].is_not_null().to_numpy()
    more = np.where(social, rng.choice(5, size=n, p=[0.7, 0.13, 0.09, 0.05, 0.03]), 0)
    more = np.where(edited.to_numpy(), np.maximum(more, 1), more)
    row = np.repeat(np.arange(n), more + 1)
    turn = np.arange(len(row)) - np.repeat(np.cumsum(more + 1) - (more + 1), more + 1)
    wait = turn * (1.5 + 4.0 * rng.random(len(row))) * HOUR_S * _SECOND
    seen = items["collected_us"].to_numpy()[row] + wait.astype(np.int64)
    kept = np.flatnonzero(within_week(seen, days))
    row, turn, seen = row[kept], turn[kept], seen[kept]
    sightings = items[row.astype(np.uint32)].with_columns(collected_us=pl.Series(seen), turn=pl.Series(turn))
    age_h = (pl.col("collected_us") - pl.col("published_us")) / (HOUR_S * _SECOND)
    grown = 0.25 + 0.75 * (1 - (-age_h / 6).exp())
    return sightings.with_columns(
        *(
            (pl.col(name) * grown).floor().cast(pl.Int64)
            for name in ("reactions", "comments", "shares", "views")
        ),
        title=pl.when(pl.col("is_edited") & (pl.col("turn") > 0)).then("edited").otherwise("title"),
    )


def instants(column: str, start: date) -> pl.Expr:
    """Microseconds of the week as instants."""
    return (
        pl.lit(week_start(start)).cast(pl.Datetime("us", "UTC")) + pl.duration(microseconds=pl.col(column))
    ).alias(column)
