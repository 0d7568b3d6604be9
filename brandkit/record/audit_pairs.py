"""Pairs of publishers that may be one: the same name under two endings, or the same text most of the time."""

from __future__ import annotations

import polars as pl

from brandkit.schemas import Columns
from brandkit.signals.lookalikes import LEAST_FOR_ENDING

# From here on two publishers share text too often for chance: items, and share of what each publishes.
LEAST_SHARED = 3
LEAST_SHARE = 0.5
# A text with more publishers is a wire's, and says nothing of any two of them.
MOST_WITH_ONE_TEXT = 20
HOWS = pl.Enum(["text", "name"])
_TWINS: Columns = {
    "publisher_a": pl.String, "publisher_b": pl.String, "how": HOWS, "n_shared": pl.Int64,
    "share_a": pl.Float64, "share_b": pl.Float64,
}  # fmt: skip


def twins(items: pl.DataFrame, looks: pl.DataFrame) -> pl.DataFrame:
    """The pairs of publishers that look like one family and are not folded into one.

    ``text``: at least half of what each publishes stands with the other too. ``name``: the same name
    under two endings, one of them on no list (two listed ones were told apart by a person).

    Shape:  items with publisher, domain, tier, copy_of; ``looks`` as ``lookalikes`` gives it.
            publisher_a < publisher_b, how, n_shared, share_a, share_b; most shared first.
            For ``name`` a listed one is named by its domain.
    Nulls:  the shares are null for ``name``, and n_shared 0.
    """
    rows = pl.concat([_of_one_text(items), _of_one_name(items, looks)])
    return rows.sort("how", "n_shared", "publisher_a", "publisher_b", descending=[False, True, False, False])


def _of_one_text(items: pl.DataFrame) -> pl.DataFrame:
    texts = items.select("publisher", text=pl.coalesce("copy_of", "item_id"), item_id="item_id")
    total = texts.group_by("publisher").agg(n=pl.len())
    voices = texts.select("publisher", "text").unique()
    shared = voices.filter(pl.len().over("text").is_between(2, MOST_WITH_ONE_TEXT))
    pairs = (
        shared.join(shared, on="text", suffix="_b")
        .filter(pl.col("publisher") < pl.col("publisher_b"))
        .group_by(publisher_a="publisher", publisher_b="publisher_b")
        .agg(n_shared=pl.len().cast(pl.Int64))
        .filter(pl.col("n_shared") >= LEAST_SHARED)
    )
    for side in ("a", "b"):
        pairs = pairs.join(
            total.select(pl.col("publisher").alias(f"publisher_{side}"), pl.col("n").alias(f"n_{side}")),
            on=f"publisher_{side}",
        )
    share = [(pl.col("n_shared") / pl.col(f"n_{side}")).round(4).alias(f"share_{side}") for side in "ab"]
    return (
        pairs.with_columns(*share, how=pl.lit("text", dtype=HOWS))
        .filter(pl.min_horizontal("share_a", "share_b") >= LEAST_SHARE)
        .select(pl.col(name).cast(dtype) for name, dtype in _TWINS.items())
    )


def _of_one_name(items: pl.DataFrame, looks: pl.DataFrame) -> pl.DataFrame:
    """Unlisted domains of a name that a listed domain has, or another unlisted one."""
    to_listed = looks.filter(pl.col("how") == "ending").select(publisher="domain", publisher_b="looks_like")
    parts = pl.col("domain").str.splitn(".", 2)
    unlisted = (
        items.filter(pl.col("tier") == "unlisted")
        .select("publisher", "domain", name=parts.struct.field("field_0"))
        .filter(
            (pl.col("publisher") == pl.col("domain")) & (pl.col("name").str.len_chars() >= LEAST_FOR_ENDING)
        )
        .unique()
    )
    among = unlisted.join(unlisted, on="name", suffix="_b").select("publisher", "publisher_b")
    pairs = pl.concat([to_listed, among]).filter(pl.col("publisher") != pl.col("publisher_b"))
    first, second = (
        pl.min_horizontal("publisher", "publisher_b"),
        pl.max_horizontal("publisher", "publisher_b"),
    )
    return (
        pairs.select(
            publisher_a=first, publisher_b=second, how=pl.lit("name", dtype=HOWS), n_shared=pl.lit(0),
            share_a=pl.lit(None), share_b=pl.lit(None),
        )
        .unique()
        .select(pl.col(name).cast(dtype) for name, dtype in _TWINS.items())
    )  # fmt: skip
