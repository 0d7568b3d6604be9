"""Frames of any size for the speed benchmarks: random signals, and items shaped like a day's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from brandkit import schemas
from brandkit.assess import context_for, rescore
from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile
from brandkit.scoring.outcome import ranked, with_leads

AS_OF = datetime(2026, 3, 3, tzinfo=UTC)
PROFILE = BrandProfile.from_dict(
    {
        "id": "bench",
        "own": ["Ostrevane"],
        "rivals": ["Korrivex"],
        "pillars": ["security", "privacy", "chips"],
        "triggers": ["data breach"],
    }
)


def context() -> RunContext:
    """The context every benchmark scores in."""
    return context_for(PROFILE, as_of=AS_OF)


def items(n: int, *, seed: int = 1) -> pl.DataFrame:
    """Normalised items: every column of ITEM, distinct ids, one revision each."""
    rng = np.random.default_rng(seed)
    hours = rng.uniform(0, 24, n)
    at = [AS_OF - timedelta(hours=float(h)) for h in hours]
    ids = pl.Series(np.arange(n)).cast(pl.String).str.zfill(16)
    frame = pl.LazyFrame(
        {
            "item_id": ids,
            "revision": np.ones(n, np.int32),
            "item_type": pl.Series(rng.choice(["article", "post", "filing"], n)),
            "source": pl.Series(rng.choice(["wire", "feed", "forum"], n)),
            "url": pl.select("https://news.example/" + ids).to_series(),
            "title": pl.select("A headline of ordinary length, number " + ids).to_series(),
            "published_at": at,
            "collected_at": at,
            "seen_at": at,
            "reactions": rng.lognormal(3, 1.5, n).astype(np.int64),
            "views": rng.lognormal(7, 2, n).astype(np.int64),
            "content_hash": ids,
        }
    )
    empty = pl.lit([], pl.List(pl.String))
    lists = dict.fromkeys(("claims", "evidence", "risk_flags", "lost"), empty)
    return schemas.conform(frame.with_columns(**lists), schemas.ITEM).collect()


def signals(n: int, *, seed: int = 1) -> pl.DataFrame:
    """Items with every signal, drawn so that each rung and each modifier occurs."""
    rng = np.random.default_rng(seed)

    def names(known: list[str], share: float) -> pl.Series:
        hit, which = rng.random(n) < share, rng.integers(0, len(known), n)
        table = pl.Series([[], *[[name] for name in known]], dtype=pl.List(pl.String))
        return table.gather(pl.Series(np.where(hit, which + 1, 0)))

    tiers = pl.Series(rng.choice(["A", "B", "C", "unlisted"], n, p=[0.1, 0.2, 0.2, 0.5]))
    publishers, hours = rng.geometric(0.5, n), rng.uniform(0, 72, n)
    entities, pillars = names(["Ostrevane", "Korrivex"], 0.4), names(["security", "privacy", "chips"], 0.5)
    triggers, nothing = names(["data breach"], 0.05), names(["none"], 0.0)
    coordinated = rng.random(n) < 0.02
    facts = pl.DataFrame(
        {
            "tier": tiers, "best_tier": tiers, "mixed_script": np.zeros(n, bool),
            "entities": entities, "entities_in_title": entities,
            "pillars": pillars, "pillars_in_title": pillars,
            "triggers": triggers, "triggers_in_title": triggers,
            "forbidden": nothing, "forbidden_in_title": nothing,
            "excluded": rng.random(n) < 0.02, "is_denial": np.zeros(n, bool),
            "story_id": pl.Series(rng.integers(0, max(1, n // 2), n)).cast(pl.String),
            "is_coordinated": coordinated, "coordinated_share": np.where(coordinated, 0.7, 0.0).round(4),
            "n_coordinated": np.where(coordinated, 12, 0),
            "n_items": publishers * 2, "n_outlets": publishers * 2, "n_publishers": publishers,
            "n_publishers_ab": publishers // 2, "n_other_publishers_ab": publishers // 2,
            "n_unlisted": rng.integers(0, 5, n), "n_adopters_ab": rng.integers(0, 5, n),
            "last_new_publisher_at": [AS_OF - timedelta(hours=float(h) / 4) for h in hours],
            "velocity_h": rng.exponential(2, n).round(4),
            "engagement_ratio": rng.lognormal(0, 2, n).round(4),
            "age_h": hours.round(4), "future_dated": np.zeros(n, bool), "disputed": np.zeros(n, bool),
            "misinfo_risk": rng.beta(1, 6, n).round(4), "misinfo_evidence": nothing,
            "coordination": pl.Series([[]], dtype=schemas.COORDINATION).gather(np.zeros(n, np.int64)),
        }
    )  # fmt: skip
    frame = pl.concat([items(n, seed=seed), facts], how="horizontal")
    return schemas.conform(frame.lazy(), {**schemas.ITEM, **schemas.SIGNAL}).collect().rechunk()


def records(n: int, *, seed: int = 1) -> pl.DataFrame:
    """Records as a run publishes them, scored by the real code."""
    scored = rescore(signals(n, seed=seed).lazy(), context()).collect()
    return schemas.conform(ranked(with_leads(scored)).lazy(), schemas.RECORD).sort("item_id").collect()
