"""A history to look things up in: runs of a few items each, saying only what matters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from brandkit import schemas
from brandkit.store import RunRow, StateStore
from tests.store_frames import at, full, item_id, start

DEFAULTS: Mapping[str, Any] = {
    "title": None, "summary": None, "url": None, "publisher": "alpha", "source": "feed", "author": None,
    "decision": "watch", "total": 50, "story_id": "s_1", "published_at": at(1),
}  # fmt: skip


def told(store: StateStore, *rows: Mapping[str, Any], day: int = 2, **run: Any) -> RunRow:
    """A complete run of a day in March: a record for each row (``id``: a number), and their stories.

    A story's lead is its first row; its decision is the lead's, or the row's ``effective``.
    """
    made = [{**DEFAULTS, **row} for row in rows]
    keys = {"item_id": [item_id(row["id"]) for row in made]}
    given = {name: [row[name] for row in made] for name in DEFAULTS}
    records = full(schemas.RECORD, len(made), **keys, content_hash=["h1"] * len(made)).with_columns(
        pl.Series(name, values, dtype=schemas.RECORD[name]) for name, values in given.items()
    )
    leads = list({row["story_id"]: row for row in reversed(made)}.values())
    stories = full(
        schemas.STORY,
        len(leads),
        story_id=[row["story_id"] for row in leads],
        lead_item_id=[item_id(row["id"]) for row in leads],
        title=[row["title"] or "untitled" for row in leads],
        effective_decision=[row.get("effective", row["decision"]) for row in leads],
    )
    begun = start(store, **{"run_on": date(2026, 3, day), "started_at": at(24 * day), **run})
    return store.finish_run(begun, records=records, stories=stories, finished_at=at(24 * day + 1))
