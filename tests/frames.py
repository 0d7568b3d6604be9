"""Frames for tests: literal rows of signals, each saying only what matters, and the way to judge them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from brandkit import schemas
from brandkit.pipeline import History, RunContext
from brandkit.profile import BrandProfile
from brandkit.scoring import components, gates, modifiers

AS_OF = datetime(2026, 3, 2, 7, tzinfo=UTC)
DESK = BrandProfile.from_dict(
    {
        "id": "desk",
        "own": ["Nordlys", "Aurora"],
        "rivals": ["Velmora"],
        "watched": ["Harbour Board"],
        "pillars": ["labour", "privacy", "prices"],
        "triggers": ["recall", "data breach"],
    }
)
BEAT = BrandProfile.from_dict(
    {
        "id": "beat",
        "rivals": ["Velmora"],
        "watched": ["Nordlys", "Harbour Board"],
        "pillars": ["labour", "privacy", "prices"],
        "triggers": ["recall"],
    }
)

SIGNALS: Mapping[str, Any] = {**schemas.ITEM, **schemas.SIGNAL, "in_scope": pl.Boolean()}
# An item about which nothing is known: it scores 0 in everything but the source of an unlisted publisher.
NOTHING: Mapping[str, Any] = {
    "revision": 1,
    "item_type": "article",
    "source": "feed",
    "collected_at": AS_OF - timedelta(hours=1),
    "seen_at": AS_OF - timedelta(hours=1),
    "content_hash": "0" * 16,
    "tier": "unlisted",
    "best_tier": "unlisted",
    "story_id": "s1",
    "in_scope": True,
    **{name: [] for name, dtype in SIGNALS.items() if isinstance(dtype, pl.List)},
    **{name: False for name, dtype in schemas.SIGNAL.items() if dtype == pl.Boolean},
    **{name: 0 for name in schemas.SIGNAL if name.startswith("n_")},
    "coordinated_share": 0.0,
    "misinfo_risk": 0.0,
}


def item_id(number: int) -> str:
    """A well-formed item_id that shows its number."""
    return f"{number:016x}"


def signals(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """One row per mapping; what it does not say is as in NOTHING, or null."""
    full = [{"item_id": item_id(number), **NOTHING, **row} for number, row in enumerate(rows, start=1)]
    return pl.DataFrame({name: [row.get(name) for row in full] for name in SIGNALS}, schema=dict(SIGNALS))


def context(
    profile: BrandProfile = DESK, *, as_of: datetime = AS_OF, history: History | None = None
) -> RunContext:
    """A run of one desk day that ends at ``as_of``."""
    return RunContext(
        profile=profile,
        as_of=as_of,
        window_start=as_of - timedelta(hours=24),
        run_id="desk.daily.2026-03-02.1",
        history=history or History.empty(),
    )


def judged(frame: pl.DataFrame, ctx: RunContext | None = None) -> pl.DataFrame:
    """The rows with scores, gates, decision and reason, in item_id order."""
    ctx = ctx or context()
    plan = frame.lazy()
    for stage in (components.score, modifiers.modify, gates.gate, gates.decide):
        plan = stage(plan, ctx)
    return plan.sort("item_id").collect()


def judge_one(row: Mapping[str, Any], ctx: RunContext | None = None) -> dict[str, Any]:
    """One literal row, judged, as a dict."""
    return judged(signals(row), ctx).row(0, named=True)


def five(struct: Mapping[str, int]) -> tuple[int, ...]:
    """The components in the order in which they are always written down."""
    return tuple(struct[component] for component in schemas.COMPONENTS)


def stories(pairs: Iterable[tuple[str, str]]) -> pl.DataFrame:
    """History items that say only (item_id, story_id)."""
    ids, names = zip(*pairs, strict=True)
    columns = {name: [None] * len(ids) for name in schemas.HISTORY_ITEM} | {"item_id": ids, "story_id": names}
    return pl.DataFrame(columns, schema=dict(schemas.HISTORY_ITEM))
