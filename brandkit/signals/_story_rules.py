"""What an editor said of stories, held against what the clustering found: merges and splits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

import polars as pl

from brandkit.signals._text import exploded, stop_words

Pair = tuple[str, str]


class _Sets:
    """Disjoint sets of names; a set is called by its lowest member."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def find(self, name: str) -> str:
        while (above := self._above.get(name, name)) != name:
            name = above
        return name

    def join(self, one: str, other: str) -> None:
        low, high = sorted((self.find(one), self.find(other)))
        self._above[high] = low


def apply_rules(members: pl.DataFrame, rules: pl.DataFrame) -> pl.DataFrame:
    """The members with the editor's merges and splits applied; a split wins over a merge.

    ``must_link`` joins the whole groups of its two items. ``cannot_link`` parts a group in which
    both of its items are: each other member goes with the one of the two that it may be with and
    its words are nearer to, and stays with item_a when there is nothing in it. Items that must be
    together go together.

    Shape: takes and gives ``item_id``, ``cluster`` and ``text`` (folded); rules as STORY_RULE.
    """
    known = rules.join(members.select(item_a="item_id"), on="item_a", how="semi").join(
        members.select(item_b="item_id"), on="item_b", how="semi"
    )
    if known.is_empty():
        return members
    pairs = {
        kind: known.filter(pl.col("rule") == kind)
        .select("item_a", "item_b")
        .unique()
        .sort("item_a", "item_b")
        .rows()
        for kind in ("must_link", "cannot_link")
    }
    cannot = [(a, b) for a, b in pairs["cannot_link"] if a != b]
    units, linked = _units(pairs["must_link"], cannot)
    apart = {(units.find(x), units.find(y)) for a, b in cannot for x, y in ((a, b), (b, a))}
    members = _merged(members, linked)
    for a, b in cannot:
        members = _parted(members, (a, b), units, apart)
    return members


def _units(must: Iterable[Pair], cannot: Iterable[Pair]) -> tuple[_Sets, list[Pair]]:
    """Sets of items that stay together, and the merges that contradict no split."""
    units, linked, cannot = _Sets(), [], list(cannot)
    for a, b in must:
        ends = {units.find(a), units.find(b)}
        if any({units.find(x), units.find(y)} == ends for x, y in cannot):
            continue
        units.join(a, b)
        linked.append((a, b))
    return units, linked


def _merged(members: pl.DataFrame, linked: Iterable[Pair]) -> pl.DataFrame:
    named = {item for pair in linked for item in pair}
    cluster_of = dict(
        members.filter(pl.col("item_id").is_in(list(named))).select("item_id", "cluster").rows()
    )
    sets = _Sets()
    for a, b in linked:
        sets.join(cluster_of[a], cluster_of[b])
    return _renamed(members, {cluster: sets.find(cluster) for cluster in cluster_of.values()})


def _renamed(members: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    if not names:
        return members
    return members.with_columns(pl.col("cluster").replace(list(names), list(names.values())))


def _parted(members: pl.DataFrame, pair: Pair, units: _Sets, apart: Set[Pair]) -> pl.DataFrame:
    """The members with the pair in two groups, if it was in one."""
    a, b = pair
    cluster_of = dict(members.filter(pl.col("item_id").is_in([a, b])).select("item_id", "cluster").rows())
    if cluster_of[a] != cluster_of[b]:
        return members
    group = members.filter(pl.col("cluster") == cluster_of[a]).sort("item_id")
    unit = pl.Series([units.find(item) for item in group["item_id"]], dtype=pl.String)
    group = group.select("item_id", "text", unit=unit)
    ends = (units.find(a), units.find(b))
    likeness = [_likeness(group, end) for end in ends]
    nearer_b = pl.col("likeness_b").fill_null(0) > pl.col("likeness").fill_null(0)
    # What must not be with one end goes with the other, so that two splits off one item make one story.
    not_with_a, not_with_b = (
        pl.col("unit").is_in(sorted(other for one, other in apart if one == end)) for end in ends
    )
    leaves = (
        group.select("unit")
        .unique()
        .join(likeness[0], on="unit", how="left")
        .join(likeness[1], on="unit", how="left", suffix="_b")
        .filter(
            pl.when(not_with_a != not_with_b)
            .then(not_with_a)
            .otherwise(nearer_b & (pl.col("unit") != ends[0]))
        )
    )
    leaving = group.join(leaves, on="unit", how="semi").select("item_id", is_leaving=True)
    # Named for the item that left: no other group can have that name, for names are lowest members.
    return (
        members.join(leaving, on="item_id", how="left", maintain_order="left")
        .with_columns(cluster=pl.when("is_leaving").then(pl.lit(f"parted {b} {a}")).otherwise("cluster"))
        .drop("is_leaving")
    )


def _likeness(group: pl.DataFrame, end: str) -> pl.DataFrame:
    """For each unit, how many distinct words it shares with the unit ``end``, by both their numbers."""
    words = exploded(group.select("text", row="unit")).unique().join(stop_words(), on="word", how="anti")
    of_end = words.filter(pl.col("row") == end)
    return (
        words.group_by(unit="row")
        .agg(shared=pl.col("word").is_in(of_end["word"].implode()).sum(), n=pl.len())
        .select("unit", likeness=(pl.col("shared") / (pl.col("n") * max(of_end.height, 1)).sqrt()).round(9))
    )
