"""A run's decisions as a table for other tools: Parquet with types, CSV that no spreadsheet runs."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import polars.selectors as cs

from brandkit import safe
from brandkit.report.brief import Brief

_OF_STORY = (
    "story_id", "effective_decision", "decision", "reason", "total", "title", "url", "n_items", "n_outlets",
    "n_publishers", "n_publishers_ab", "best_tier", "publishers", "first_seen_at", "last_seen_at", "phase",
    "disputed", "desk_state", "assignee", "snoozed_until",
)  # fmt: skip
_OF_LEAD = ("entities", "pillars", "triggers_in_title", "coordinated_share", "misinfo_evidence")


def decisions(brief: Brief) -> pl.DataFrame:
    """One row for each story of the run, what asks for action first.

    Shape:  run_id, date, rank (of the story's lead), the story's own columns, its lead's, and the
            ``margin_<gate>`` of each gate: points over it, negative under it.
    Nulls:  not known, never 0.
    """
    gates = [
        pl.col("gates").struct.field(field.name).alias(f"margin_{field.name}")
        for field in brief.told.schema["gates"].fields  # type: ignore[attr-defined]
    ]
    return brief.told.select(
        pl.lit(brief.run.run_id).alias("run_id"),
        pl.lit(brief.run.run_on).alias("date"),
        "rank",
        *_OF_STORY,
        "lead_item_id",
        *_OF_LEAD,
        *gates,
    )


def flat(table: pl.DataFrame) -> pl.DataFrame:
    """The same for a spreadsheet: lists as one text, instants as ISO text, no text that is a formula."""
    lists = cs.by_dtype(pl.List(pl.String)).list.join("; ")
    instants = cs.datetime().dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return safe.csv_cells(table.with_columns(lists, instants))


def write_decisions(brief: Brief, folder: Path) -> None:
    """Write ``decisions.parquet`` and ``decisions.csv`` into a folder."""
    table = decisions(brief)
    table.write_parquet(folder / "decisions.parquet")
    # Spreadsheets take a file for UTF-8 only when it says so.
    flat(table).write_csv(folder / "decisions.csv", include_bom=True)
