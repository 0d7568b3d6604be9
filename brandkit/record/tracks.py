"""Stories followed from run to run: by their id, and where an id ends, by the items it had.

A story that a run does not name any more, while another of that run holds most of the items it had,
was merged into that one, and what becomes of the other from then on is what became of it. Where the
other is no younger, it had the story all along, and the merged one was only a piece of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from brandkit import schemas
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore

_FOLLOWED = {"track": pl.String, "place": pl.Int64, "story_id": pl.String}
_EDGE = {"story_id": pl.String, "into": pl.String}
# What a look back asks of a story; a year of them must fit into memory.
_KEPT = (
    "story_id", "lead_item_id", "title", "url", "publisher", "decision", "reason", "total", "n_publishers",
    "n_publishers_ab", "n_outlets", "engagement", "parts", "modifiers", "gates", "is_continued",
)  # fmt: skip
_ITEM = {"story_id": pl.String, "item_id": pl.String}


@dataclass(frozen=True, slots=True)
class Tracks:
    """The stories of a series of runs, each followed through all of it.

    Shape:  ``seen``: a row for each story and run: ``place`` of the run in the series, run_id, run_on,
            as_of, and of ``StateStore.story_scores`` what a look back asks for.
            ``first``: of these the first decision of each story, where it falls into the series,
            with ``ends_as`` (the id it was last followed under) and ``is_piece`` (it went into a
            story that is no younger). ``later``: the rows of the runs after that, under the
            ``track`` of the story they are followed from (its first id).
    """

    seen: pl.DataFrame
    first: pl.DataFrame
    later: pl.DataFrame


def follow(store: StateStore, runs: Sequence[RunRow], *, earlier: Sequence[str] = ()) -> Tracks:
    """The stories of the runs, oldest first.

    ``earlier`` names runs from before the series: a story that any of them knew had its first
    decision there. So had one that its first run in the series already continued.
    """
    rows, followed, merges = [], [pl.DataFrame(schema=_FOLLOWED)], [pl.DataFrame(schema=_EDGE)]
    names, items = (
        pl.DataFrame(schema={"track": pl.String, "story_id": pl.String}),
        pl.DataFrame(schema=_ITEM),
    )
    for place, run in enumerate(runs):
        found = store.story_scores(run)
        members = found.select("story_id", item_id="item_ids").explode("item_id").drop_nulls()
        gone = items.join(found, on="story_id", how="anti")
        merges.append(merged := _merged(gone, members))
        new = found.select(track="story_id", story_id="story_id").join(names, on="track", how="anti")
        names = pl.concat([_renamed(names, merged), new])
        # What went into another story is found under its name from now on.
        items = pl.concat([gone.join(merged, on="story_id", how="anti"), members])
        met = names.join(found.select("story_id"), on="story_id")
        followed.append(met.select("track", pl.lit(place, pl.Int64).alias("place"), "story_id"))
        rows.append(_placed(found, place, run))
    seen = pl.concat(rows)
    known = store.known_stories(earlier, seen["story_id"].unique().to_list())
    return _split(seen, pl.concat(followed), pl.concat(merges), names, known)


def _placed(found: pl.DataFrame, place: int, run: RunRow) -> pl.DataFrame:
    return found.select(
        pl.lit(place, pl.Int64).alias("place"),
        pl.lit(run.run_id).alias("run_id"),
        pl.lit(run.run_on, pl.Date).alias("run_on"),
        pl.lit(run.as_of, schemas.INSTANT).alias("as_of"),
        *_KEPT,
    )


def _merged(gone: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """The stories that a run does not name, most of whose items stand in another story of it."""
    size = gone.group_by("story_id").agg(n_items=pl.len())
    return (
        gone.join(members.rename({"story_id": "into"}), on="item_id")
        .group_by("story_id", "into")
        .len()
        .join(size, on="story_id")
        .filter(2 * pl.col("len") > pl.col("n_items"))
        .select("story_id", "into")
        .sort("story_id")
    )


def _renamed(names: pl.DataFrame, merged: pl.DataFrame) -> pl.DataFrame:
    return names.join(merged, on="story_id", how="left", maintain_order="left").select(
        "track", story_id=pl.coalesce("into", "story_id")
    )


def _split(
    seen: pl.DataFrame, followed: pl.DataFrame, merges: pl.DataFrame, names: pl.DataFrame, known: pl.DataFrame
) -> Tracks:
    first = seen.sort("place", "story_id").unique("story_id", keep="first", maintain_order=True)
    was_there = pl.col("story_id").is_in(known["story_id"].implode()) | pl.col("is_continued")
    # What was there before the series is older than all of it.
    born = first.select("story_id", born=pl.when(was_there).then(-1).otherwise("place"))
    pieces = (
        merges.join(born, on="story_id")
        .join(born.rename({"story_id": "into", "born": "into_born"}), on="into")
        .filter(pl.col("into_born") <= pl.col("born"))
        .select("story_id", is_piece=pl.lit(value=True))
        .unique()
    )
    first = (
        first.filter(~was_there)
        .join(names.rename({"track": "story_id", "story_id": "ends_as"}), on="story_id", how="left")
        .join(pieces, on="story_id", how="left")
        .with_columns(pl.col("is_piece").fill_null(value=False))
        .sort("story_id")
    )
    begun = first.select(track="story_id", _begun="place")
    later = (
        followed.join(begun, on="track")
        .filter(pl.col("place") > pl.col("_begun"))
        .join(seen, on=["place", "story_id"])
        .drop("_begun")
        .sort("track", "place")
    )
    return Tracks(seen=seen, first=first, later=later)
