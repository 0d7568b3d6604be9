"""Who was spoken of: by publishers of which tier, in which tone, and when."""

from __future__ import annotations

import polars as pl

from brandkit import schemas
from brandkit.errors import UnknownError
from brandkit.record.name_bursts import name_bursts, sentence
from brandkit.record.voice import KINDS, names_of, summed
from brandkit.record.voice import share_of_voice as count_voices
from brandkit.report.brief import Brief, counted
from brandkit.signals.sentiment import TONES
from brandkit.store.state import StateStore

# Enough for the rhythm of the week; a brief does not read months.
_PAST_DAYS = 28


def share_of_voice(brief: Brief) -> pl.DataFrame:
    """Who was named today: items by tier of publisher, stories by tone.

    Shape:  as ``record.voice.summed`` gives it; own names first, then by number of stories; no row
            for a name nobody mentions.
    """
    records = brief.records.with_columns(run_on=pl.lit(brief.run.run_on, pl.Date))
    found = summed(count_voices(records, names_of(brief.profile))).filter(pl.col("n_items") > 0)
    return found.filter(pl.col("kind").cast(pl.String).is_in(_kinds(brief)))


def mentions_by_hour(brief: Brief) -> pl.DataFrame:
    """Items in each hour of the desk's day that name somebody the profile covers.

    Shape:  hour (desk time), kind, n_items: a row for each hour so far and kind the profile has. An
            item naming an own name and a rival counts for the own name only. An item stands at the
            hour it was published, as bursts are counted, or collected where that is not known or
            was not before; one that was published before the day stands nowhere: ``n_older``.
    """
    start, end = brief.run.window_start, brief.run.as_of
    hours = pl.DataFrame({"hour": pl.datetime_range(start, end, "1h", closed="left", eager=True)})
    kinds = [kind for kind in _kinds(brief) if brief.names(kind)]
    named = pl.col("entities").list
    found = [
        pl.when(named.set_intersection(brief.names(kind)).list.len() > 0).then(pl.lit(kind)) for kind in kinds
    ]
    kind = pl.coalesce(*found, pl.lit(None, dtype=pl.String))
    since = (_came_at() - start).dt.total_hours() * pl.duration(hours=1)
    counts = (
        brief.records.filter(_came_at() >= start)
        .select(hour=pl.lit(start) + since, kind=kind)
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


def n_older(brief: Brief) -> int:
    """Items naming somebody the profile covers that were published before the day, and came in on it."""
    names = [name for kind in ("own", "rival", "watched") for name in brief.names(kind)]
    is_named = pl.col("entities").list.set_intersection(names).list.len() > 0
    return brief.records.filter(is_named & (_came_at() < brief.run.window_start)).height


def _came_at() -> pl.Expr:
    is_likely = pl.col("published_at") <= pl.col("collected_at")
    return pl.when(is_likely).then("published_at").otherwise("collected_at")


def bursts(brief: Brief, store: StateStore) -> pl.DataFrame:
    """The hours of the day in which a name was spoken of far more than usual, the loudest first.

    Shape:  as ``NameBursts.told``, with ``told``: the hour as a sentence. No row for a run outside the
            daily series, nor for names of which too little is known.
    """
    none = pl.DataFrame(schema={"name": pl.String, "at": schemas.INSTANT, "told": pl.String})
    if brief.run.kind != "daily" or brief.run.shadow:
        return none
    day = brief.run.run_on
    try:
        found = name_bursts(store, brief.run.profile_id, first=day, last=day, past_days=_PAST_DAYS)
    except UnknownError:
        # A brief of what no store holds can be shown; it has no past.
        return none
    told = found.told().filter(pl.col("kind").cast(pl.String).is_in(_kinds(brief)))
    told = told.sort("burst", "at", "name", descending=[True, False, False])
    return told.with_columns(told=pl.Series([sentence(row) for row in told.to_dicts()], dtype=pl.String))


def _kinds(brief: Brief) -> list[str]:
    """Whose names are told of."""
    return [kind for kind in KINDS if kind != "rival" or brief.redaction is None]


def leader(mentions: pl.DataFrame) -> str:
    """Who was named most, in items and in stories, as a sentence."""
    items, stories = int(mentions["n_items"].sum()), int(mentions["n_stories"].sum())
    top = mentions.sort("n_items", descending=True, maintain_order=True).row(0, named=True)
    told = f"{top['n_items']:,} of {counted(items, 'mention', 'mentions')}"
    return f"{top['name']} was named most: {told}, and {top['n_stories']:,} of {stories:,} by story."


def mood(mentions: pl.DataFrame) -> str:
    """How the stories about our own names sound, or about all where none is ours, as a sentence."""
    ours = mentions.filter(pl.col("kind") == "own")
    whose = "our names" if ours.height else "these names"
    counts = (
        (ours if ours.height else mentions)
        .select(pl.col("^(n_stories|stories_.*)$").sum())
        .row(0, named=True)
    )
    told = [f"{counts[f'stories_{one}']:,} {one}" for one in TONES if counts[f"stories_{one}"]]
    stories = counted(counts["n_stories"], "story", "stories")
    return f"By tone, {stories} on {whose}: {', '.join(told)}. A tone is no part of the score."


def busiest(mentions: pl.DataFrame) -> str:
    """The fullest hour, as a sentence."""
    totals = mentions.group_by("hour", maintain_order=True).agg(pl.col("n_items").sum())
    total = int(totals["n_items"].sum())
    hour, most = totals.sort("n_items", descending=True, maintain_order=True).row(0)
    return f"The busiest hour began at {hour:%H:%M}: {counted(most, 'item', 'items')} of {total:,}."
