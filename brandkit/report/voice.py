"""Who was spoken of: by publishers of which tier, and when."""

from __future__ import annotations

import polars as pl

from brandkit.report.brief import Brief, counted


def share_of_voice(brief: Brief) -> pl.DataFrame:
    """Items that name our own, rival and watched names, by tier of publisher.

    Shape:  name, kind, tier, n_items; own names first, then by number of items; no row for a name
            nobody mentions.
    """
    kinds = pl.DataFrame(
        [(name, kind) for kind in ("own", "rival", "watched") for name in brief.names(kind)],
        schema={"name": pl.String, "kind": pl.Enum(["own", "rival", "watched"])},
        orient="row",
    )
    return (
        brief.records.select("tier", name=pl.col("entities"))
        .explode("name")
        .join(kinds, on="name", how="inner")
        .group_by("name", "kind", "tier")
        .agg(n_items=pl.len().cast(pl.Int64))
        .with_columns(_all=pl.col("n_items").sum().over("name"))
        .sort("kind", "_all", "name", "tier", descending=[False, True, False, False])
        .drop("_all")
    )


def mentions_by_hour(brief: Brief) -> pl.DataFrame:
    """Items collected in each hour of the desk's day that name somebody the profile covers.

    Shape:  hour (desk time), kind, n_items: a row for each hour so far and kind the profile has. An
            item naming an own name and a rival counts for the own name only.
    """
    start, end = brief.run.window_start, brief.run.as_of
    hours = pl.DataFrame({"hour": pl.datetime_range(start, end, "1h", closed="left", eager=True)})
    kinds = [kind for kind in ("own", "rival", "watched") if brief.names(kind)]
    named = pl.col("entities").list
    found = [
        pl.when(named.set_intersection(brief.names(kind)).list.len() > 0).then(pl.lit(kind)) for kind in kinds
    ]
    kind = pl.coalesce(*found, pl.lit(None, dtype=pl.String))
    since = (pl.col("collected_at") - start).dt.total_hours() * pl.duration(hours=1)
    counts = (
        brief.records.select(hour=pl.lit(start) + since, kind=kind)
        .drop_nulls()
        .group_by("hour", "kind")
        .agg(n_items=pl.len().cast(pl.Int64))
    )
    each, zone = pl.DataFrame({"kind": kinds}, schema={"kind": pl.String}), brief.profile.timezone
    return (
        hours.join(each, how="cross", maintain_order="left_right")
        .join(counts, on=["hour", "kind"], how="left", maintain_order="left")
        .with_columns(pl.col("n_items").fill_null(0), pl.col("hour").dt.convert_time_zone(zone))
    )


def leader(mentions: pl.DataFrame) -> str:
    """Who was named most, as a sentence."""
    totals = mentions.group_by("name", maintain_order=True).agg(pl.col("n_items").sum())
    total = int(totals["n_items"].sum())
    name, most = totals.sort("n_items", descending=True, maintain_order=True).row(0)
    return f"{name} was named most: {most:,} of {counted(total, 'mention', 'mentions')}."


def busiest(mentions: pl.DataFrame) -> str:
    """The fullest hour, as a sentence."""
    totals = mentions.group_by("hour", maintain_order=True).agg(pl.col("n_items").sum())
    total = int(totals["n_items"].sum())
    hour, most = totals.sort("n_items", descending=True, maintain_order=True).row(0)
    return f"The busiest hour began at {hour:%H:%M}: {counted(most, 'item', 'items')} of {total:,}."
