"""Days of literal stories in a store: each row is a story by its lead, judged by the real score."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.store import RunRow, StateStore
from tests.frames import DESK, context, item_id, judged, signals
from tests.store_frames import DAY

# What an item is whose story nobody will hear of: 16 points, a drop.
QUIET: Mapping[str, Any] = {
    "title": "A quiet thing", "url": "https://alpha.example/1", "tier": "C", "best_tier": "C",
    "age_h": 0.0, "n_items": 1, "n_outlets": 1, "n_publishers": 1, "velocity_h": 0.0,
}  # fmt: skip
# The same thing with our name and two pillars in the title, and eight A or B publishers behind it.
LOUD: Mapping[str, Any] = {
    **QUIET,
    "title": "Nordlys in the news", "tier": "A", "best_tier": "A", "published_at": DAY,
    "entities": ["Nordlys"], "entities_in_title": ["Nordlys"],
    "pillars": ["labour", "prices"], "pillars_in_title": ["labour", "prices"],
    "n_outlets": 40, "n_publishers": 15, "n_publishers_ab": 8, "n_other_publishers_ab": 7,
    "views": 1_000_000, "velocity_h": 8.0, "engagement": 900.0, "engagement_ratio": 30.0,
}  # fmt: skip


def on(day: int) -> date:
    """The desk day of that number, from 1."""
    return DAY.date() + timedelta(days=day - 1)


def run_day(
    store: StateStore,
    day: int,
    stories: Mapping[str, Mapping[str, Any]],
    *,
    profile: BrandProfile = DESK,
    **run: Any,
) -> RunRow:
    """A complete run of that day; a story says its signals, its ``items`` by number, is_continued.

    The last of its items leads it.
    """
    at = DAY + timedelta(days=day - 1)
    of_story = ("items", "is_continued")
    rows = [
        {**{key: value for key, value in said.items() if key not in of_story}, "story_id": name,
         "item_id": item_id(said["items"][-1]), "content_hash": "h", "collected_at": at, "seen_at": at}
        for name, said in stories.items()
    ]  # fmt: skip
    made = judged(signals(*rows), context(profile, as_of=at + timedelta(days=1))).with_columns(
        is_lead=pl.lit(value=True), rank=pl.int_range(1, pl.len() + 1)
    )
    records = schemas.conform(made.lazy(), schemas.RECORD).collect()
    told = pl.DataFrame(
        [
            (name, [item_id(n) for n in story["items"]], bool(story.get("is_continued")))
            for name, story in stories.items()
        ],
        schema={"story_id": pl.String, "item_ids": schemas.NAMES, "is_continued": pl.Boolean},
        orient="row",
    )
    kept = (
        records.rename({"item_id": "lead_item_id"})
        .with_columns(effective_decision="decision")
        .join(told, on="story_id")
    )
    row = store.start_run(
        **{
            "profile_id": profile.id, "kind": "daily", "run_on": on(day), "as_of": at + timedelta(days=1),
            "window_start": at, "started_at": at + timedelta(days=1), "profile_json": profile.snapshot,
            "profile_hash": profile.hash, **run,
        }
    )  # fmt: skip
    return store.finish_run(
        row,
        records=records,
        stories=schemas.conform(kept.lazy(), schemas.STORY).collect(),
        finished_at=at + timedelta(days=1),
    )


def story(*items: int, of: Mapping[str, Any] = QUIET, **changes: Any) -> dict[str, Any]:
    """A story of these items, as quiet as can be unless it says otherwise."""
    return {**of, **changes, "items": list(items)}
