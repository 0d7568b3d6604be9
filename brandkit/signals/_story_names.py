"""The identity of stories: what a group is called, from run to run."""

from __future__ import annotations

import polars as pl

PREFIX = "s_"


def name_stories(members: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """A story_id for each item: an earlier story's where the group continues one, else a new one.

    A group takes the id of the earlier story that holds most of its items (of two, the one first
    seen); where two groups claim one id, the group with more of the story's items keeps it. A new
    story is named for its earliest item whose name is still free.

    Shape:  takes ``item_id``, ``cluster`` and ``at``, and of the past ``item_id``, ``story_id``
            and ``at``; gives ``item_id`` and ``story_id``.
    """
    in_time = members.sort("at", "item_id", nulls_last=True)
    first = in_time.group_by("cluster", maintain_order=True).agg(first_item=pl.col("item_id").first())
    names = _continued(in_time, first, earlier)
    taken = set(earlier["story_id"].unique()) | set(names.values())
    new = first.filter(~pl.col("cluster").is_in(list(names))).with_columns(
        story_id=PREFIX + pl.col("first_item")
    )
    # A part that left a story may hold the very item the story is named for.
    clash = new["story_id"].is_in(list(taken))
    names |= dict(new.filter(~clash).select("cluster", "story_id").rows())
    taken |= set(names.values())
    for cluster in new.filter(clash)["cluster"]:
        items = in_time.filter(pl.col("cluster") == cluster)["item_id"]
        names[cluster] = _free_name(items.to_list(), taken)
        taken.add(names[cluster])
    named = pl.DataFrame(
        {"cluster": list(names), "story_id": list(names.values())},
        schema=dict.fromkeys(("cluster", "story_id"), pl.String),
    )
    return members.join(named, on="cluster", how="left", maintain_order="left").select("item_id", "story_id")


def _continued(in_time: pl.DataFrame, first: pl.DataFrame, earlier: pl.DataFrame) -> dict[str, str]:
    """The groups that continue an earlier story, with its id."""
    first_seen = earlier.group_by("story_id").agg(first_seen_at=pl.col("at").min())
    claims = (
        in_time.select("item_id", "cluster")
        .join(earlier.select("item_id", "story_id"), on="item_id")
        .group_by("cluster", "story_id")
        .agg(n=pl.len())
        .join(first_seen, on="story_id")
        .join(first, on="cluster")
        .sort(
            "n",
            "first_seen_at",
            "story_id",
            "first_item",
            descending=[True, False, False, False],
            nulls_last=True,
        )
    )
    names: dict[str, str] = {}
    taken: set[str] = set()
    # Once per pair of group and earlier story, not per item.
    for cluster, story_id in claims.select("cluster", "story_id").rows():
        if cluster not in names and story_id not in taken:
            names[cluster] = story_id
            taken.add(story_id)
    return names


def _free_name(items: list[str], taken: set[str]) -> str:
    for item in items:
        if (name := PREFIX + item) not in taken:
            return name
    number = 2
    while (name := f"{PREFIX}{items[0]}_{number}") in taken:
        number += 1
    return name
