"""Runs of decided stories for what-ifs: signals over the whole range of totals, published as a run would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.record.span import Span
from brandkit.scoring.outcome import settle
from brandkit.store.state import StateStore
from tests import store_frames
from tests.frames import AS_OF, DESK, context, judged, signals

DAY = timedelta(days=1)
FIRST = date(2026, 3, 1)

Row = Mapping[str, Any]


def tied(outlets: int = 0, **more: Any) -> Row:
    """One story of an A publisher with our rival in its title, carried by so many outlets."""
    return {
        "tier": "A", "best_tier": "A", "n_publishers": 3, "n_other_publishers_ab": 2, "n_outlets": outlets,
        "entities": ["Velmora"], "entities_in_title": ["Velmora"], **more,
    }  # fmt: skip


def crowd(n: int, *, seed: int, day: int = 0) -> list[Row]:
    """Many stories, from nothing known to all that speaks for one: their totals cover 0 to 90."""
    rng = np.random.default_rng([seed, day])
    # Most of what speaks for a story comes together.
    strength = rng.random(n)

    def often(share: float = 1.0) -> list[bool]:
        return list(rng.random(n) < strength * share)

    tiers = rng.choice(["A", "B", "C", "unlisted"], size=n, p=[0.45, 0.25, 0.15, 0.15])
    named, ours, pillar, evidence, joined = often(1.3), often(0.6), often(), often(0.8), often(0.8)
    outlets = (np.exp(strength * rng.uniform(1, 4, n)) - 0.5).astype(int)
    return [
        {
            "story_id": f"s_{seed}_{k}",
            "title": f"Story {k} of day {day}",
            "tier": tiers[k],
            "best_tier": tiers[k],
            "entities": (names := ["Nordlys" if ours[k] else "Velmora"] if named[k] else []),
            "entities_in_title": names,
            "pillars": (pillars := ["labour", "prices"][: 1 + k % 2] if pillar[k] else []),
            "pillars_in_title": pillars,
            "n_outlets": int(outlets[k]),
            "n_publishers": int(outlets[k] // 2),
            "n_other_publishers_ab": int(outlets[k] // 3),
            "evidence": ["https://a.example/e"] if evidence[k] else [],
            "url": "https://a.example/1",
            "published_at": AS_OF - timedelta(hours=2),
            "views": int(10 ** (strength[k] * 7)),
            "velocity_h": float(strength[k] * rng.uniform(0, 12)),
            "engagement_ratio": float(2 ** (6 * strength[k] * rng.random())),
            "age_h": float(rng.uniform(0, 40) * (1.2 - strength[k])),
            "last_new_publisher_at": AS_OF + day * DAY - timedelta(hours=1 + k % 15) if joined[k] else None,
        }
        for k in range(n)
    ]


def run(
    store: StateStore, rows: Iterable[Row], *, profile: BrandProfile = DESK, day: int = 0, **more: Any
) -> str:
    """Publish one day's stories as decided by a profile; gives the run's id."""
    as_of = AS_OF + day * DAY
    numbered = [{"story_id": f"s{k}", **row} for k, row in enumerate(rows)]
    ctx = context(profile, as_of=as_of)
    records = settle(judged(signals(*numbered), ctx), ctx).frame
    given: dict[str, Any] = {
        "run_on": FIRST + day * DAY, "as_of": as_of, "window_start": as_of - DAY, "profile_id": profile.id,
        "profile_json": profile.snapshot, "profile_hash": profile.hash, **more,
    }  # fmt: skip
    return store_frames.publish(store, records, **given).run_id


def spanned(rows: Iterable[Row], *, profile: BrandProfile = DESK) -> Span:
    """One day's stories as a span has them, with no store."""
    numbered = [{"story_id": f"s{k}", **row} for k, row in enumerate(rows)]
    found = judged(signals(*numbered), context(profile))
    run = {"run_id": "r", "run_on": FIRST, "as_of": AS_OF, "profile_hash": profile.hash}
    dtypes = {"as_of": schemas.INSTANT}
    of_run = [pl.lit(value, dtypes.get(name)).alias(name) for name, value in run.items()]
    stored = [pl.col(name).alias(f"stored_{name}") for name in ("total", "decision", "reason")]
    leads = found.with_columns(*of_run, *stored).drop(*schemas.SCORE, "gates", "decision", "reason")
    runs = pl.select(*of_run)
    return Span(profile.id, runs, leads.with_row_index("place"), {profile.hash: profile})


def verdict(store: StateStore, story: str, decision: str, *, at: datetime = AS_OF, **more: Any) -> None:
    """An editor's word on a story."""
    store.add_verdict(DESK.id, story_id=story, decision=decision, given_at=at, **more)


def editor(stories: Span, profile: BrandProfile, *, seed: int, noise: float = 0.04) -> pl.DataFrame:
    """Verdicts on all stories of a span, as a profile decides them, a rung off once in a while."""
    rng = np.random.default_rng(seed)
    decided = stories.judged(dict.fromkeys(stories.profiles, profile))
    rungs = decided["decision"].to_physical().to_numpy().astype(np.int64)
    slips = rng.choice([-1, 1], len(rungs)) * (rng.random(len(rungs)) < noise)
    said = np.clip(rungs + slips, 0, len(schemas.Decision) - 1)
    names = pl.Series([decision.value for decision in schemas.Decision])
    return decided.select(
        "story_id",
        given_at=pl.col("as_of"),
        decision=names.gather(said.astype(np.uint32)).cast(schemas.DECISION),
    )


def keep(store: StateStore, verdicts: pl.DataFrame) -> None:
    """The verdicts in a store."""
    with store.transaction():
        for story, at, decision in verdicts.rows():
            verdict(store, story, decision, at=at)
