"""Who publishes: outlets with families and tiers, and the accounts of invented platforms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from brandkit.simulate.grammar import Bools, Floats, Grammar, Ints

# Least-squares slope of log count on log rank: .59 for the publishers of news_stories_uci, .88 for
# the domains of hacker_news.
PUBLISHER_ZIPF = 0.55
ACCOUNT_ZIPF = 0.75


@dataclass(frozen=True, slots=True)
class Newsroom:
    """Publishers in order of activity, with the index sets the stories draw from."""

    frame: pl.DataFrame
    weight: Floats
    listed: Ints
    trusted: Ints
    wires: Ints
    portals: Ints
    tech: Ints
    official: dict[str, int]
    own: int
    unlisted: Ints
    has_metrics: Bools


@dataclass(frozen=True, slots=True)
class Crowd:
    """Accounts: platform, handle, followers and activity."""

    platform: Ints
    handle: pl.Series
    followers: Ints
    weight: Floats
    by_platform: tuple[Ints, ...]
    platforms: tuple[tuple[str, str, float, float], ...]


def found_newsroom(grammar: Grammar, *, n_outlets: int, rng: np.random.Generator) -> Newsroom:
    """The fixed, listed outlets first, then a long tail on nobody's list."""
    core = [[cell.strip() for cell in line.split("|")] for line in grammar.newsroom["core"]]
    bad = grammar.newsroom["unreliable"]
    tail = _tail_domains(grammar, max(0, n_outlets - len(core) - len(bad)), rng)
    rows = core + [[d, d.split(".")[0].title(), d.split(".")[0], "unlisted", "outlet"] for d in (*bad, *tail)]
    frame = pl.DataFrame(rows, schema=["domain", "title", "family", "tier", "role"], orient="row")
    tier, role = frame["tier"].to_numpy(), frame["role"].to_numpy()
    # A listed outlet is often, not always, a busy one.
    rank = np.argsort(np.argsort(rng.random(len(frame)) + np.where(tier == "unlisted", 0.55, 0.0))) + 1.0
    weight = rank**-PUBLISHER_ZIPF
    weight[(role == "official") | (role == "own")] = 0.0
    middle = np.select([tier == "A", tier == "B", tier == "C"], [13.5, 11.8, 10.6], 8.2)
    audience = np.exp(middle + rng.normal(0, 0.8, len(frame))).astype(np.int64) // 100 * 100
    index = np.arange(len(frame))
    outlet = role == "outlet"
    return Newsroom(
        frame=frame.with_columns(audience=pl.Series(audience)),
        weight=weight / weight.sum(),
        listed=index[outlet & (tier != "unlisted")],
        trusted=index[outlet & np.isin(tier, ["A", "B"])],
        wires=index[role == "wire"],
        portals=index[role == "portal"],
        tech=index[
            frame["domain"].str.contains("circuit|packet|kernel|deepsedge|lantern|privacy").to_numpy()
        ],
        official={title: int(i) for i, title in enumerate(frame["title"]) if role[i] == "official"},
        own=int(index[role == "own"][0]),
        unlisted=index[(tier == "unlisted")],
        has_metrics=rng.random(len(frame)) < 0.2,
    )


def _tail_domains(grammar: Grammar, n: int, rng: np.random.Generator) -> list[str]:
    towns = [town.lower().replace(" ", "") for town in grammar.cast["town"]]
    stems, papers = towns + grammar.newsroom["coinage"], grammar.newsroom["paper"]
    base = [f"{stem}{paper}" for stem in stems for paper in papers]
    order = rng.permutation(len(base))
    rounds = -(-n // len(base)) if n else 0
    names = [f"{base[i]}{'' if k == 0 else k + 1}" for k in range(rounds) for i in order]
    return [f"{name}.example" for name in names[:n]]


def gather_crowd(grammar: Grammar, *, n_accounts: int, rng: np.random.Generator) -> Crowd:
    """Accounts over the platforms, active and followed by heavy-tailed laws that hardly agree."""
    platforms = tuple(
        (name.strip(), kind.strip(), float(median), float(sigma))
        for name, kind, median, sigma in (line.split("|") for line in grammar.social["platforms"])
    )
    a, b = grammar.social["handle_a"], grammar.social["handle_b"]
    number = rng.permutation(n_accounts)
    handle = pl.DataFrame(
        {
            "a": pl.Series(a).gather(number % len(a)),
            "b": pl.Series(b).gather(number // len(a) % len(b)),
            "n": number,
        }
    ).select(handle=pl.concat_str("a", "b", pl.col("n") // (len(a) * len(b)) + 1))
    platform = rng.choice(len(platforms), size=n_accounts, p=[0.5, 0.34, 0.09, 0.07])
    weight: Floats = np.power(rng.permutation(n_accounts) + 1.0, -ACCOUNT_ZIPF).astype(np.float64)
    followers = np.minimum(np.exp(rng.normal(5.2, 1.9, n_accounts)), 4e6).astype(np.int64)
    return Crowd(
        platform=platform,
        handle=handle.to_series(),
        followers=followers,
        weight=weight,
        by_platform=tuple(np.flatnonzero(platform == p) for p in range(len(platforms))),
        platforms=platforms,
    )


def draw(choices: Ints, weight: Floats, size: int, rng: np.random.Generator) -> Ints:
    """``size`` of the choices, each as often as its weight says."""
    edges = np.cumsum(weight[choices])
    drawn: Ints = choices[np.minimum(np.searchsorted(edges, rng.random(size) * edges[-1]), len(choices) - 1)]
    return drawn
