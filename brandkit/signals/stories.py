"""Items about one event, gathered into stories that keep their identity from run to run.

Texts within a time window merge, best pairs first, while their words are likelier to be of one event
than of two (``_story_evidence`` has the model); then come editors' rules, then names. Copies follow their
originals and take no part: two hundred reprints of one report must not decide what the words of a
day are worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from brandkit import schemas
from brandkit.pipeline import RunContext
from brandkit.signals._embeddings import embed
from brandkit.signals._story_groups import Grouped, group_texts
from brandkit.signals._story_names import name_stories
from brandkit.signals._story_rules import apply_rules
from brandkit.signals._text import FrameT, column, folded, known_at, whole_frame, without_boilerplate

WINDOW_H = 72.0
_LONGEST = 20_000
_NO_EARLIER = pl.DataFrame(schema={"item_id": pl.String, "story_id": pl.String, "at": schemas.INSTANT})


def cluster_stories(
    items: FrameT, *, window_h: float = WINDOW_H, rules: pl.DataFrame | None = None, meanings: bool = False
) -> FrameT:
    """Put each item into a story, named ``s_`` and the id of the story's earliest item.

    The same items give the same stories in any order of rows. An item without a title is a story
    of its own; where copy_of is there, a copy is in the story of its original.

    Shape:  the same rows, plus story_id. Takes item_id and title; summary, published_at,
            collected_at and copy_of where they are there. ``rules`` has rule (must_link or
            cannot_link), item_a and item_b, and holds against the clustering. ``meanings`` also
            compares what headlines mean, not only their words: English, and slow; needs the extra
            ``embed``.
    Units:  only items published (else collected) within ``window_h`` hours are compared.
    Nulls:  an item without any instant is compared with all.
    Raises: UsageError where ``meanings`` are asked for and the extra is not installed.

    Example:
        >>> news = pl.DataFrame({
        ...     "item_id": ["a", "b", "c"],
        ...     "title": ["Nordlys opens Oslo plant", "Oslo plant opened by Nordlys", "Heavy rain"],
        ... })
        >>> cluster_stories(news)["story_id"].to_list()
        ['s_a', 's_a', 's_c']
    """
    assign = partial(_assign, **alone(rules=rules, window_h=window_h), meanings=meanings)
    return whole_frame(items, assign, {"story_id": pl.String})


def stories(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Put the run's items and its context into stories, continuing those of earlier runs.

    Context older than 72 h before the window is not compared any more: it stays with its story.

    Shape:  the same rows, plus story_id.
    """
    return whole_frame(items, partial(_assign, **of_run(ctx)), {"story_id": pl.String})


def of_run(ctx: RunContext) -> dict[str, Any]:
    """How a run gathers: what is recent, the stories there are already, the editor's rules, the window."""
    past = ctx.history.items.filter(pl.col("story_id").is_not_null())
    return {
        "since": ctx.window_start - timedelta(hours=WINDOW_H),
        "earlier": past.select("item_id", "story_id", at=known_at(past)).sort("item_id"),
        "rules": ctx.history.story_rules,
        "window_h": WINDOW_H,
    }


def alone(*, rules: pl.DataFrame | None, window_h: float) -> dict[str, Any]:
    """How items without a past are gathered."""
    return {"since": None, "earlier": _NO_EARLIER, "rules": rules, "window_h": window_h}


@dataclass(frozen=True, slots=True)
class Gathered:
    """Items in their stories, and what put them there.

    Shape: ``members`` has item_id, story_id, at, copy_of, earlier_id and ``row``, the item's place in
    ``grouped``, null for those that were not compared.
    """

    members: pl.DataFrame
    grouped: Grouped


def _assign(items: pl.DataFrame, **how: Any) -> pl.DataFrame:
    named = gather(items, **how).members.select("item_id", "story_id")
    return items.drop("story_id", strict=False).join(named, on="item_id", how="left", maintain_order="left")


def gather(
    items: pl.DataFrame,
    *,
    since: datetime | None,
    earlier: pl.DataFrame,
    rules: pl.DataFrame | None,
    window_h: float,
    meanings: bool = False,
) -> Gathered:
    """Every item in its story: clustered, with copies and older context, by the editor's rules, named."""
    clustered, grouped = _clustered(_members(items, since, earlier), window_h, meanings=meanings)
    members = _follow_originals(_follow_stories(clustered))
    if rules is not None:
        members = apply_rules(members, rules)
    named = name_stories(members, earlier)
    known = clustered.select("item_id", "at", "copy_of", "earlier_id", "row")
    return Gathered(known.join(named, on="item_id", how="left", maintain_order="left"), grouped)


def _members(items: pl.DataFrame, since: datetime | None, earlier: pl.DataFrame) -> pl.DataFrame:
    """One row per item, by item_id: its words, its instant, its past, and whether it is compared."""
    title, summary = (column(items, name, pl.String).str.slice(0, _LONGEST) for name in ("title", "summary"))
    in_scope = column(items, "in_scope", pl.Boolean).fill_null(value=True)
    collected_at = pl.coalesce(column(items, "collected_at", schemas.INSTANT), known_at(items))
    is_recent = (
        pl.lit(value=True) if since is None else in_scope | (collected_at >= since).fill_null(value=False)
    )
    return (
        items.select(
            "item_id",
            said=folded(title, case="keep"),
            more=folded(summary, case="keep"),
            at=known_at(items),
            copy_of=column(items, "copy_of", pl.String),
            is_recent=is_recent,
        )
        .with_columns(title=pl.col("said").str.to_lowercase(), summary=pl.col("more").str.to_lowercase())
        .pipe(without_boilerplate)
        .with_columns(
            text=pl.concat_str("title", "summary", separator=" ").str.strip_chars(" "),
            cased=pl.concat_str(
                "said", pl.when(pl.col("summary") != "").then("more").otherwise(pl.lit("")), separator=" "
            ),
        )
        .drop("said", "more")
        .join(earlier.select("item_id", earlier_id="story_id"), on="item_id", how="left")
        .sort("item_id")
    )


def _clustered(members: pl.DataFrame, window_h: float, *, meanings: bool) -> tuple[pl.DataFrame, Grouped]:
    """The members with ``cluster``, the lowest item_id of its group, for those that are compared."""
    is_compared = pl.col("is_recent") & pl.col("copy_of").is_null() & (pl.col("title") != "")
    compared = members.filter(is_compared)
    seconds = compared["at"].dt.epoch("us").cast(pl.Float64).fill_null(np.nan).to_numpy() / 1e6
    texts = compared.select(text="cased").with_row_index("row")
    past = compared["earlier_id"].rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1
    meant = embed(texts["text"]) if meanings else None
    grouped = group_texts(texts, seconds, past, meant, window_s=window_h * 3600)
    names = compared["item_id"].gather(grouped.groups)
    found = compared.select("item_id", cluster=names).with_row_index("row")
    return members.join(found, on="item_id", how="left", maintain_order="left"), grouped


def _follow_stories(members: pl.DataFrame) -> pl.DataFrame:
    """Give older context the group in which most of its story's compared items are, or one of its own."""
    where = (
        members.filter(pl.col("earlier_id").is_not_null() & pl.col("cluster").is_not_null())
        .group_by("earlier_id", "cluster")
        .len("n")
        .sort("n", "cluster", descending=[True, False])
        .unique("earlier_id", keep="first", maintain_order=True)
        .select("earlier_id", now="cluster")
    )
    is_older = ~pl.col("is_recent") & pl.col("earlier_id").is_not_null()
    # One story's older items stay together even where none of its items is compared any more.
    alone = pl.col("item_id").filter(~pl.col("is_recent")).min().over("earlier_id")
    return members.join(where, on="earlier_id", how="left", maintain_order="left").with_columns(
        cluster=pl.when(is_older).then(pl.coalesce("now", alone)).otherwise("cluster")
    )


def _follow_originals(members: pl.DataFrame) -> pl.DataFrame:
    """Give copies their original's group, and what is left a group of its own."""
    original = members.select(copy_of="item_id", of_original=pl.coalesce("cluster", "item_id"))
    return members.join(original, on="copy_of", how="left", maintain_order="left").select(
        "item_id", "text", "at", cluster=pl.coalesce("cluster", "of_original", "item_id")
    )
