"""The last checkpoint: items that were decided become records, and records fold into stories.

Context items have done their work by now: they were clustered and counted, and are set aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import polars as pl

from brandkit import schemas
from brandkit.errors import ContractError
from brandkit.pipeline import Checked, RunContext
from brandkit.scoring.desk_word import with_desk

# A story nobody added to for this long is fading, however it grew.
_SILENT = timedelta(hours=12)
# What ``story_growth`` measures and a story keeps: its trend, and the two counts behind it.
_GROWTH: schemas.Columns = {
    "story_id": pl.String, "trend": pl.String, "n_recent": pl.Int64, "expected_recent": pl.Float64,
}  # fmt: skip
# What makes an item complete enough to stand for its story.
_COMPLETE = ("title", "summary", "url", "author", "published_at")
# Who comes first, and whether more is better; what is not known comes last, and item_id ends every tie.
LEAD_ORDER = {"_speaks": True, "tier": False, "_complete": True, "published_at": False, "item_id": False}
RANK_ORDER = {"total": True, "_confidence": True, "published_at": True, "item_id": False}


def settle(frame: pl.DataFrame, ctx: RunContext, *, growth: pl.DataFrame | None = None) -> Checked:
    """The records (ranked, with their leads) and, as the output ``stories``, one row per story.

    ``growth`` says of each story whether it grows (story_id, trend, n_recent, expected_recent); a
    story it does not name is neither rising nor fading by it.

    Shape:  records are the rows in scope, sorted by item_id; the rest is set aside as context.
    Raises: ContractError where a record breaks its schema.
    """
    marked = ranked(with_leads(frame.filter("in_scope")))
    records = schemas.conform(marked.lazy(), schemas.RECORD).sort("item_id").collect()
    check_values(records, schemas.Records, where=f"records of {ctx.run_id}")
    stories = fold_stories(frame, records, ctx, growth=growth)
    check_values(stories, schemas.Stories, where=f"stories of {ctx.run_id}")
    return Checked(records, set_aside=frame.height - records.height, outputs={"stories": stories})


def check_values(frame: pl.DataFrame, schema: schemas.Schema, *, where: str) -> None:
    """Check every value of a frame of ours.

    Raises: ContractError naming the first failures; here they are a bug, so nothing is rejected.
    """
    try:
        schema.validate(frame, lazy=True)
    except schemas.SchemaErrors as error:
        cases = error.failure_cases.select("column", "check", "failure_case").head(3).rows()
        shown = "; ".join(f"{column}: {check} ({case})" for column, check, case in cases)
        raise ContractError(f"a frame breaks its schema: {shown}"[:400], where=f"in {where}") from error


def lead_keys() -> dict[str, pl.Expr]:
    """The columns of ``LEAD_ORDER`` that a record has not."""
    return {
        "_speaks": pl.col("is_denial") & pl.col("tier").is_in(["A", "B"]) & pl.col("disputed"),
        "_complete": pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.Int8) for name in _COMPLETE),
    }


def rank_keys() -> dict[str, pl.Expr]:
    """The columns of ``RANK_ORDER`` that a record has not."""
    return {"_confidence": pl.col("scores").struct.field("confidence")}


def with_leads(records: pl.DataFrame) -> pl.DataFrame:
    """The records with ``is_lead``: best tier, then most complete, then earliest; a trusted denial first."""
    ordered = _in_order(records.with_columns(**lead_keys()), LEAD_ORDER)
    return ordered.with_columns(is_lead=pl.col("story_id").is_first_distinct()).drop(*lead_keys())


def ranked(records: pl.DataFrame) -> pl.DataFrame:
    """The records with ``rank``: by total, confidence, newest (undated last), item_id."""
    ordered = _in_order(records.with_columns(**rank_keys()), RANK_ORDER)
    return ordered.drop(*rank_keys()).with_row_index("rank", offset=1)


def _in_order(records: pl.DataFrame, order: Mapping[str, bool]) -> pl.DataFrame:
    return records.sort(list(order), descending=list(order.values()), nulls_last=True)


def fold_stories(
    frame: pl.DataFrame, records: pl.DataFrame, ctx: RunContext, *, growth: pl.DataFrame | None = None
) -> pl.DataFrame:
    """One row per story that has a record: its lead's decision, its facts, its desk state."""
    carried = (
        frame.lazy()
        .group_by("story_id")
        .agg(publishers=pl.col("publisher").drop_nulls().unique().sort(), item_ids=pl.col("item_id").sort())
    )
    recorded = records.lazy().group_by("story_id").agg(n_recorded=pl.len().cast(pl.Int64))
    earlier = (
        ctx.history.items.lazy()
        .select("story_id")
        .drop_nulls()
        .unique()
        .with_columns(is_continued=pl.lit(value=True))
    )
    known = schemas.empty(_GROWTH) if growth is None else growth
    grown = known.lazy().select(pl.col(name).cast(dtype) for name, dtype in _GROWTH.items())
    leads = (
        records.lazy()
        .filter("is_lead")
        .rename({"item_id": "lead_item_id"})
        .join(carried, on="story_id", how="left")
        .join(recorded, on="story_id", how="left")
        .join(earlier, on="story_id", how="left")
        .join(grown, on="story_id", how="left")
        .with_columns(is_continued=pl.col("is_continued").fill_null(value=False), phase=_phase(ctx))
        .pipe(with_desk, frame, ctx)
    )
    return schemas.conform(leads, schemas.STORY).sort("story_id").collect()


def _phase(ctx: RunContext) -> pl.Expr:
    """new, rising, steady or fading, as of the run."""
    return (
        pl.when(pl.col("last_seen_at") < pl.lit(ctx.as_of) - _SILENT)
        .then(pl.lit("fading"))
        .when(~pl.col("is_continued").fill_null(value=False) & (pl.col("first_seen_at") >= ctx.window_start))
        .then(pl.lit("new"))
        .otherwise(pl.col("trend").fill_null("steady"))
        .cast(schemas.PHASE)
    )
