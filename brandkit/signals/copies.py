"""Items whose text is (nearly) that of an earlier one: syndication, editions, reposts.

Two texts are copies when they are equal after folding, or when the exact Jaccard of their word
bigrams reaches ``LEAST_JACCARD``. MinHash bands only say which pairs to look at. What a copy must
not be taken for is the next event in the same words, so beside the overlap:

- the titles must hold the same numbers and negations ("up 3 %" is not a copy of "up 4 %");
- in texts under twenty words nothing may be replaced, only added ("Velmora sues over patents" is
  not "Nordlys sues over patents", whatever the share of equal bigrams);
- texts under four words are never copies: two desks write "Market close" without copying.

Where one of two items came without a summary, their titles alone are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from brandkit.pipeline import RunContext
from brandkit.signals._shingles import Ints, alike_candidates, overlap, shingles, sizes
from brandkit.signals._text import FrameT, column, folded, known_at, whole_frame, without_boilerplate

LEAST_JACCARD = 0.6
_FEWEST_WORDS = 4
_SHORT_WORDS = 20
# A copy runs to the end of the longest wire report; what follows says nothing new about copying.
_LONGEST = 20_000
# "t" is what folding leaves of "isn't".
_TURNS = r"^(?:\p{N}+|not|no|never|t|without|cannot|denies|denied|deny)$"
# A wire numbers the versions of one report.
_NUMBERED = r"^(?:update|wrapup|refile|corrected) \p{N}+ "

Flags = npt.NDArray[np.bool_]


def find_copies(items: FrameT, *, least_jaccard: float = LEAST_JACCARD) -> FrameT:
    """Name the original of every item that repeats an earlier item's text.

    The original is the earliest by published_at, else collected_at, else (neither is known) the
    lowest item_id after all dated ones; it is never a copy itself. The order of rows plays no part.

    Shape:  the same rows, plus copy_of. Takes item_id and title; summary, published_at and
            collected_at where they are there.
    Units:  ``least_jaccard`` is the least share of word bigrams in common, 0..1.
    Nulls:  copy_of is null for an original; an item without text is one.

    Example:
        >>> news = pl.DataFrame({
        ...     "item_id": ["a", "b", "c"],
        ...     "title": ["Nordlys opens a plant", "NORDLYS opens a plant!", "Rain in Oslo today"],
        ... })
        >>> find_copies(news)["copy_of"].to_list()
        [None, 'a', None]
    """
    return whole_frame(items, partial(_with_copies, least_jaccard=least_jaccard), {"copy_of": pl.String})


def copies(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Name the original of every copy among the run's items and its context.

    Shape:  the same rows, plus copy_of.
    Nulls:  copy_of is null where the original is not in scope or context: the item stands for it.
    """
    return find_copies(items)


def _with_copies(items: pl.DataFrame, *, least_jaccard: float) -> pl.DataFrame:
    texts = _texts(items)
    # Equal texts need no bands: one of them, the earliest, is compared for all.
    unique = texts.unique("text", keep="first", maintain_order=True).with_row_index("row")
    head_of = _original_of(unique, least_jaccard)
    heads = unique.select("text", "item_id").with_columns(original=unique["item_id"].gather(head_of))
    found = texts.join(heads, on="text", how="left", suffix="_first").select(
        "item_id",
        copy_of=pl.when(pl.col("original") != pl.col("item_id")).then(pl.col("original")),
    )
    rest = items.drop("copy_of", strict=False)
    return rest.join(found, on="item_id", how="left", maintain_order="left")


def _texts(items: pl.DataFrame) -> pl.DataFrame:
    """The items that have text enough to be copies, earliest first, folded."""
    title, summary = (column(items, name, pl.String).str.slice(0, _LONGEST) for name in ("title", "summary"))
    return (
        items.select("item_id", at=known_at(items), title=folded(title), summary=folded(summary))
        .pipe(without_boilerplate)
        .with_columns(text=pl.concat_str("title", "summary", separator=" ").str.strip_chars(" "))
        .filter(_n_words("text") >= _FEWEST_WORDS)
        .sort("at", "item_id", nulls_last=True)
    )


def _n_words(name: str) -> pl.Expr:
    return (
        pl.when(pl.col(name) == "").then(0).otherwise(pl.col(name).str.count_matches(" ", literal=True) + 1)
    )


@dataclass(frozen=True, slots=True)
class _Texts:
    """What two texts are compared by: bigrams for likeness, words to see what was replaced."""

    bigrams: Any
    words: Any
    n_words: Ints

    def alike(self, left: Ints, right: Ints, least: float) -> Flags:
        shared = overlap(self.bigrams, left, right)
        n_bigrams = sizes(self.bigrams)
        either = n_bigrams[left] + n_bigrams[right] - shared
        enough = (shared >= least * either) & (shared > 0)
        n_distinct = sizes(self.words)
        only_added = overlap(self.words, left, right) == np.minimum(n_distinct[left], n_distinct[right])
        fewest = np.minimum(self.n_words[left], self.n_words[right])
        sure = (fewest >= _SHORT_WORDS) | only_added
        return np.asarray(enough & sure & (fewest >= _FEWEST_WORDS), dtype=np.bool_)


def _original_of(unique: pl.DataFrame, least: float) -> Ints:
    """For each distinct text, in order of time, the row of its original: itself, or an earlier one."""
    n = unique.height
    whole, whole_hashes = _compared(unique, "text")
    titles, title_hashes = _compared(unique, "title")
    pairs = [alike_candidates(whole.bigrams, whole_hashes), alike_candidates(titles.bigrams, title_hashes)]
    left, right = np.unique(np.concatenate([np.stack(pair) for pair in pairs], axis=1), axis=1)
    turns = (
        unique.select(
            pl.col("title")
            .str.replace(_NUMBERED, "")
            .str.split(" ")
            .list.eval(pl.element().filter(pl.element().str.contains(_TURNS)))
            .list.sort()
            .list.join(" ")
            .rank("dense")
        )
        .to_series()
        .to_numpy()
    )
    has_summary = (unique["summary"] != "").to_numpy()

    def verified(first: Ints, second: Ints) -> Flags:
        by_text = whole.alike(first, second, least)
        by_title = titles.alike(first, second, least)
        both = has_summary[first] & has_summary[second]
        same_turns = turns[first] == turns[second]
        return np.asarray(np.where(both, by_text, by_title) & same_turns, dtype=np.bool_)

    kept = verified(left, right)
    left, right = left[kept], right[kept]
    original = _earliest_original(n, left, right)
    # A text that met only copies may still be a copy of what those are copies of.
    is_lost = (original[left] != left) & (original[right] == right)
    first, second = original[left[is_lost]], right[is_lost]
    kept = verified(first, second)
    return _earliest_original(n, np.r_[left, first[kept]], np.r_[right, second[kept]])


def _compared(unique: pl.DataFrame, name: str) -> tuple[_Texts, npt.NDArray[np.uint64]]:
    texts = unique.select("row", text=name)
    bigrams, hashes = shingles(texts, size=2, n_rows=unique.height)
    words, _ = shingles(texts, size=1, n_rows=unique.height)
    n_words = unique.select(_n_words(name)).to_series().to_numpy().astype(np.int64)
    return _Texts(bigrams, words, n_words), hashes


def _earliest_original(n: int, left: Ints, right: Ints) -> Ints:
    """Follow pairs (earlier, later) in order of time: a text is a copy if an original is among its pairs."""
    is_copy = np.zeros(n, dtype=np.bool_)
    is_known = np.ones(n, dtype=np.bool_)
    is_known[right] = False
    # Each round settles at least the earliest open text; real chains of copies are a few long.
    while not is_known.all():
        has_original = np.zeros(n, dtype=np.bool_)
        has_original[right[is_known[left] & ~is_copy[left]]] = True
        has_open = np.zeros(n, dtype=np.bool_)
        has_open[right[~is_known[left]]] = True
        is_copy |= ~is_known & has_original
        is_known |= has_original | ~has_open
    original = np.arange(n)
    of_original = is_copy[right] & ~is_copy[left]
    found = np.full(n, n)
    np.minimum.at(found, right[of_original], left[of_original])
    return np.where(is_copy, found, original)
