"""The desk's word on a run's stories: the verdict beside the model's decision, and who has the story.

What was said goes with the id of its story, and with the item it was said of: after a merge, a split
or a change of name it still speaks. A story's own comes before what comes with an item.
"""

from __future__ import annotations

import polars as pl

from brandkit import schemas
from brandkit.pipeline import RunContext


def with_desk(stories: pl.LazyFrame, frame: pl.DataFrame, ctx: RunContext) -> pl.LazyFrame:
    """The stories with effective_decision, and with their desk state as of the run.

    A story put aside, handled or snoozed, is shown again when its snooze is over, when its effective
    decision has become must_cover or block since, or when a trusted publisher disputes it since:
    ``reopened`` says which. It then falls to whoever it was left to, else it is open.

    Shape:  plus verdict_id, effective_decision, state_id, desk_state, assignee, snoozed_until, reopened.
            ``frame`` is every item with its story_id, context too.
    """
    return (
        stories.join(_verdicts(frame, ctx), on="story_id", how="left")
        .with_columns(effective_decision=pl.coalesce("verdict", "decision"))
        .join(_states(frame, ctx), on="story_id", how="left")
        .with_columns(reopened=_reopened(ctx))
        .with_columns(
            desk_state=pl.when(pl.col("reopened").is_null())
            .then(pl.col("desk_state"))
            .when(pl.col("assignee").is_not_null())
            .then(pl.lit("assigned", schemas.DESK_STATE))
        )
        .with_columns(
            pl.col("desk_state").fill_null(pl.lit("open", schemas.DESK_STATE)),
            snoozed_until=pl.when(pl.col("desk_state") == "snoozed").then("snoozed_until"),
        )
    )


def _verdicts(frame: pl.DataFrame, ctx: RunContext) -> pl.LazyFrame:
    given = schemas.conform(ctx.history.verdicts.lazy(), schemas.VERDICT)
    standing = pl.col("expires_at").is_null() | (pl.col("expires_at") > ctx.as_of)
    known = given.filter(standing & (pl.col("given_at") <= ctx.as_of))
    spoken = _spoken(known, frame, "given_at", "verdict_id", "decision")
    return spoken.select("story_id", "verdict_id", verdict="decision")


def _states(frame: pl.DataFrame, ctx: RunContext) -> pl.LazyFrame:
    changed = schemas.conform(ctx.history.story_states.lazy(), schemas.STORY_STATE)
    known = changed.filter(pl.col("changed_at") <= ctx.as_of)
    columns = ("story_id", "state_id", "desk_state", "assignee", "snoozed_until")
    return _spoken(known, frame, "changed_at", "state_id", "desk_state").select(
        *columns, decision_then="decision", disputed_then="disputed"
    )


def _spoken(said: pl.LazyFrame, frame: pl.DataFrame, *order: str) -> pl.LazyFrame:
    """What speaks of each story: the newest on the story itself, else on an item that is in it."""
    newest = said.sort("story_id", *order).unique("story_id", keep="last", maintain_order=True)
    placed = frame.lazy().select("item_id", story_now="story_id")
    follows = newest.join(placed, on="item_id").with_columns(story_id="story_now").drop("story_now")
    both = [follows.with_columns(is_own=pl.lit(value=False)), newest.with_columns(is_own=pl.lit(value=True))]
    return (
        pl.concat(both, how="diagonal")
        .sort("story_id", "is_own", *order)
        .unique("story_id", keep="last", maintain_order=True)
    )


def _reopened(ctx: RunContext) -> pl.Expr:
    """Why a story that was put aside is shown again; null where it is not, or never was."""
    is_aside = pl.col("desk_state").is_in(["handled", "snoozed"]).fill_null(value=False)
    is_over = (pl.col("desk_state") == "snoozed") & (pl.col("snoozed_until") <= ctx.as_of)
    decision = pl.col("effective_decision")
    # Not known how it stood then: better shown once too often.
    is_new = decision.ne_missing(pl.col("decision_then"))
    return (
        pl.when(~is_aside)
        .then(None)
        .when(pl.col("disputed") & ~pl.col("disputed_then").fill_null(value=False))
        .then(pl.lit("disputed"))
        .when(is_new & decision.is_in(["must_cover", "block"]))
        .then(decision.cast(pl.String))
        .when(is_over)
        .then(pl.lit("snooze_over"))
        .cast(schemas.REOPENED)
    )
