"""Why two items are one story: the chain of items between them, and what joined each to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from brandkit.errors import UnknownError, UsageError
from brandkit.pipeline import RunContext
from brandkit.signals._pairwise import Ints
from brandkit.signals._story_evidence import weights
from brandkit.signals._story_groups import Grouped
from brandkit.signals._story_words import STEM
from brandkit.signals._text import column, exploded, folded
from brandkit.signals.stories import WINDOW_H, Gathered, alone, gather, of_run

SHARED = pl.List(pl.Struct({"word": pl.String, "nats": pl.Float64}))
CHAIN = {
    "step": pl.Int64, "item_a": pl.String, "title_a": pl.String, "item_b": pl.String,
    "title_b": pl.String, "kind": pl.String, "nats": pl.Float64, "shared": SHARED,
}  # fmt: skip
# What joins for sure comes before any words: an editor's word, the same text, a story there was.
_SURE = {"rule": 3e6, "copy": 2e6, "earlier": 1e6}
# Items of a story that no single pair joins: their groups' words did.
_GROUPS = 1e-6


def story_chain(
    items: pl.DataFrame, item_a: str, item_b: str, *, window_h: float = WINDOW_H,
    rules: pl.DataFrame | None = None,
) -> pl.DataFrame:  # fmt: skip
    """The chain of items between two of one story, by the strongest evidence there is.

    Each step says what joined two items: ``words`` they share, one being a ``copy`` of the other, an
    editor's ``rule``, or ``groups``: the words of the two sides' items together, and no single pair.

    Shape:  takes what ``cluster_stories`` takes; one row a step: step, item_a, title_a, item_b,
            title_b, kind, nats, shared (a list of word and nats, the most telling first).
    Units:  nats: the natural logarithm of how much likelier the words are of one event than of two;
            ``shared`` is what each word gave, before what the texts' lengths take off.
    Nulls:  nats is null and shared empty where no words joined the two.
    Raises: UnknownError for an item that is not there; UsageError for two that are not one story.

    Example:
        >>> news = pl.DataFrame({
        ...     "item_id": ["a", "b"],
        ...     "title": ["Nordlys opens Oslo plant", "Oslo plant opened by Nordlys"],
        ... })
        >>> story_chain(news, "a", "b")["shared"].list.eval(pl.element().struct["word"]).to_list()
        [['nordlys', 'oslo', 'plant']]
    """
    return _chain(items, item_a, item_b, alone(rules=rules, window_h=window_h))[0]


def run_chain(items: pl.DataFrame, ctx: RunContext, item_a: str, item_b: str) -> tuple[pl.DataFrame, str]:
    """The same for two items of a run, among all that the run gathered, and the story's id."""
    return _chain(items, item_a, item_b, of_run(ctx))


def _chain(items: pl.DataFrame, item_a: str, item_b: str, how: Mapping[str, Any]) -> tuple[pl.DataFrame, str]:
    gathered = gather(items, **how)
    members = gathered.members
    story_of = dict(
        members.filter(pl.col("item_id").is_in([item_a, item_b])).select("item_id", "story_id").rows()
    )
    for item in (item_a, item_b):
        if item not in story_of:
            raise UnknownError(f"no item '{item}'", where=f"among {members.height} items")
    if story_of[item_a] != story_of[item_b]:
        raise UsageError(
            f"'{item_a}' and '{item_b}' are not one story",
            where=f"in {story_of[item_a]} and {story_of[item_b]}",
        )
    story = members.filter(story_id=story_of[item_a]).sort("item_id").with_row_index("place")
    joins = _joins(story, gathered, how["rules"])
    steps = _path(story.height, joins, *(story["item_id"].index_of(item) or 0 for item in (item_a, item_b)))
    return _told(items, story, joins, steps, gathered.grouped), story_of[item_a]


def _joins(story: pl.DataFrame, gathered: Gathered, rules: pl.DataFrame | None) -> pl.DataFrame:
    """What joins two items of a story: ``one`` and ``other`` by place, kind, nats and strength."""
    place = story.select("item_id", "place")
    rows = story.select("row", "place").drop_nulls()
    pairs = gathered.grouped.pairs
    of_words = (
        pl.DataFrame({"left": pairs.left, "right": pairs.right, "nats": pairs.evidence})
        .join(rows.select(left=pl.col("row").cast(pl.Int64), one="place"), on="left")
        .join(rows.select(right=pl.col("row").cast(pl.Int64), other="place"), on="right")
        .select("one", "other", kind=pl.lit("words"), nats="nats", strength="nats")
    )
    named = {
        "copy": story.select(item_a="item_id", item_b="copy_of"),
        "earlier": story.select(item_a="item_id", item_b=pl.col("item_id").first().over("earlier_id")).filter(
            story["earlier_id"].is_not_null() & story["row"].is_null()
        ),
        "rule": pl.DataFrame(schema={"item_a": pl.String, "item_b": pl.String})
        if rules is None
        else rules.filter(rule="must_link").select("item_a", "item_b"),
    }
    sure = [
        ends.join(place.select(item_a="item_id", one="place"), on="item_a")
        .join(place.select(item_b="item_id", other="place"), on="item_b")
        .filter(pl.col("one") != pl.col("other"))
        .select(
            "one",
            "other",
            kind=pl.lit(kind),
            nats=pl.lit(None, dtype=pl.Float64),
            strength=pl.lit(_SURE[kind]),
        )
        for kind, ends in named.items()
    ]
    low, high = pl.min_horizontal("one", "other"), pl.max_horizontal("one", "other")
    found = pl.concat([of_words, *sure]).with_columns(one=low.cast(pl.Int64), other=high.cast(pl.Int64))
    found = found.sort("strength", "one", "other", "kind", descending=[True, False, False, False])
    return found.unique(["one", "other"], keep="first", maintain_order=True)


def _path(n: int, joins: pl.DataFrame, start: int, end: int) -> list[tuple[int, int]]:
    """The steps from one place to another whose weakest join is strongest."""
    one, other, strength = (joins[name].to_numpy() for name in ("one", "other", "strength"))
    graph = sparse.csr_matrix((1.0 / (1.0 + strength), (one, other)), shape=(n, n))
    tree = minimum_spanning_tree(graph)
    _, before = breadth_first_order(tree + tree.T, start, directed=False)
    if start != end and before[end] < 0:
        return [(start, end)]
    places = list(_back(before, end))[::-1]
    return list(zip(places, places[1:], strict=False))


def _back(before: Ints, place: int) -> Iterator[int]:
    while place >= 0:
        yield place
        place = int(before[place])


def _told(
    items: pl.DataFrame,
    story: pl.DataFrame,
    joins: pl.DataFrame,
    steps: list[tuple[int, int]],
    grouped: Grouped,
) -> pl.DataFrame:
    items = items.join(story, on="item_id", how="semi")
    titles = items.select("item_id", title=column(items, "title", pl.String))
    texts = pl.concat_str(
        folded(column(items, "title", pl.String)), folded(column(items, "summary", pl.String)), separator=" "
    )
    words = exploded(items.select(row="item_id", text=texts))
    ends = pl.DataFrame(steps, schema={"from": pl.Int64, "to": pl.Int64}, orient="row").with_row_index(
        "step", 1
    )
    told = ends.with_columns(one=pl.min_horizontal("from", "to"), other=pl.max_horizontal("from", "to")).join(
        joins, on=["one", "other"], how="left", maintain_order="left"
    )
    for end, name in (("from", "a"), ("to", "b")):
        named = story.select(
            pl.col("place").cast(pl.Int64).alias(end), pl.col("item_id").alias(f"item_{name}"),
            pl.col("row").alias(f"row_{name}"),
        )  # fmt: skip
        told = told.join(named, on=end, how="left", maintain_order="left").join(
            titles.rename({"item_id": f"item_{name}", "title": f"title_{name}"}),
            on=f"item_{name}", how="left", maintain_order="left",
        )  # fmt: skip
    shared = [
        _shared(words, item, a, b, grouped) if kind == "words" else []
        for item, a, b, kind in told.select("item_a", "row_a", "row_b", "kind").rows()
    ]
    return told.with_columns(
        pl.col("kind").fill_null("groups"), step=pl.col("step").cast(pl.Int64),
        shared=pl.Series(shared, dtype=SHARED),
    ).select(list(CHAIN))  # fmt: skip


def _shared(words: pl.DataFrame, item: str, a: int, b: int, grouped: Grouped) -> list[dict[str, Any]]:
    """The words that both texts hold, as the first writes them; once for each of a few steps."""
    matrix, names = grouped.words.matrix, grouped.words.terms
    columns = np.intersect1d(matrix[a].indices, matrix[b].indices)
    worth = weights(grouped.usual)[columns]
    said = words.filter(row=item)["word"].to_list()
    written = {cut: word for word in reversed(said) for cut in (word[:STEM], word)}
    found = [
        {"word": written.get(names[int(c)], names[int(c)]), "nats": round(float(w), 2)}
        for c, w in zip(columns, worth, strict=True)
    ]
    return sorted(found, key=lambda one: (-one["nats"], one["word"]))
