"""Texts as sets of words, and how common each word is in writing at large.

A word is cut to its first six letters, so that "recall", "recalls" and "recalled" are one, which
needs no stemmer for each language; names are left whole. In scripts written without spaces a word is
a pair of neighbouring characters.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse

from brandkit.errors import ContractError
from brandkit.signals._pairwise import Floats, Ints
from brandkit.signals._text import UNSPACED, exploded, stop_words

# A report says what it is about early; what follows is background that other reports share.
MOST_WORDS = 100
STEM = 6
# A frame is taken for a part of a day of at least this many items in which its words are as rare as
# elsewhere. Without it, two headlines alone in a frame would have only common words.
WORLD = 20_000
# A headline with a larger share of capitals is in title case; a name has one nearly always.
MOST_CAPITALS, LEAST_CAPITALS = 0.75, 0.8


@dataclass(frozen=True, slots=True)
class Words:
    """``matrix`` has a row of ones per text, a column per word of ``terms``; some words are names."""

    matrix: Any
    terms: pl.Series
    is_name: Floats

    @property
    def lengths(self) -> Floats:
        """How many distinct words each text has."""
        return np.asarray(np.diff(self.matrix.indptr), dtype=np.float64)


def words_of(texts: pl.DataFrame, n_rows: int) -> Words:
    """The distinct telling words among the first of each text.

    Shape: takes ``row`` (0 up to n_rows - 1, each once) and ``text``, folded but for its case.
    """
    written = exploded(texts.sort("row")).with_columns(cased="word", word=pl.col("word").str.to_lowercase())
    said = written.join(stop_words(), on="word", how="anti", maintain_order="left")
    names = _names(said).to_frame().with_columns(is_name=True)
    is_unspaced = pl.col("word").str.contains(UNSPACED)
    following = pl.when(pl.col("row") == pl.col("row").shift(-1)).then(pl.col("word").shift(-1))
    pair = pl.when(following.str.contains(UNSPACED)).then(pl.concat_str("word", following))
    # A character that ends its run is in the pair before it, unless it stands alone.
    before = pl.when(pl.col("row") == pl.col("row").shift(1)).then(pl.col("word").shift(1))
    is_paired = before.str.contains(UNSPACED).fill_null(value=False)
    lone = pl.when(~is_paired).then("word")
    terms = (
        said.join(names, on="word", how="left", maintain_order="left")
        .select("row", term=pl.when(is_unspaced).then(pl.coalesce(pair, lone)).otherwise(_term()))
        .drop_nulls()
        .unique(maintain_order=True)
        .filter(pl.int_range(pl.len()).over("row") < MOST_WORDS)
        .with_columns(column=pl.col("term").rank("dense").cast(pl.Int64) - 1)
        .sort("row", "column")
    )
    rows, columns = terms["row"].to_numpy().astype(np.int64), terms["column"].to_numpy()
    known = terms["term"].unique().sort()
    matrix = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(n_rows, len(known)))
    is_name = known.is_in(names["word"].implode()).cast(pl.Float64).to_numpy()
    return Words(matrix, known, is_name)


def _names(said: pl.DataFrame) -> pl.Series:
    """The words that sentences of the frame write with a capital where a sentence has no other.

    Headlines that capitalise every word tell nothing, but profit from what the others told. A common
    word is no name by itself: "Storm" in "Storm Turid", "China", "Monday".
    """
    is_word = pl.col("cased").str.contains(r"^\p{L}")
    has_capital = pl.col("cased").str.contains(r"^\p{Lu}")
    inside = (
        said.filter(is_word)
        .with_columns(has_capital=has_capital, share=has_capital.mean().over("row"))
        .filter((pl.col("share") <= MOST_CAPITALS) & (pl.col("row") == pl.col("row").shift(1)))
    )
    often = inside.group_by("word").agg(pl.col("has_capital").mean(), term=_stem().first())
    named = often.filter(pl.col("has_capital") >= LEAST_CAPITALS)
    return named.join(common_words(), on="term", how="anti")["word"]


def _term() -> pl.Expr:
    """A name as it is, any other word without its endings: Hasselness is not Hasselwyke."""
    return pl.when("is_name").then("word").otherwise(_stem())


def _stem() -> pl.Expr:
    return pl.col("word").str.slice(0, STEM)


def rates(words: Words, groups: Ints) -> Floats:
    """How often each word stands among all words: what to expect of a text on anything.

    A group of texts that are known to be of one event counts once, whatever its size: a word of two
    hundred reports of one recall is not a common word. A word common in writing at large stays
    common where the frame hardly has it.
    """
    n_groups = int(groups.max()) + 1 if len(groups) else 0
    member = sparse.csr_matrix(
        (np.ones(len(groups)), (groups, np.arange(len(groups)))), shape=(n_groups, len(groups))
    )
    held = (member @ words.matrix).tocsr()
    n_holding = np.bincount(held.indices, minlength=len(words.terms))
    mean_length = max(float(words.lengths.mean()) if len(groups) else 1.0, 1.0)
    here = (n_holding + 1) / (max(n_groups, WORLD) * mean_length)
    common = pl.DataFrame({"term": words.terms}).join(
        common_words(), on="term", how="left", maintain_order="left"
    )
    return np.asarray(np.maximum(here, common["rate"].fill_null(0.0).to_numpy()))


@cache
def common_words() -> pl.DataFrame:
    """The packaged common words, cut like all words: ``term`` and its ``rate`` among words."""
    text = (files("brandkit") / "defaults" / "common_words.toml").read_text(encoding="utf-8")
    bands = tomllib.loads(text)["band"]
    if not all(set(band) == {"per_million", "words"} for band in bands):
        raise ContractError(
            "common_words.toml has a band without its rate or words", allowed="per_million, words"
        )
    listed = pl.DataFrame(
        [(word, band["per_million"] / 1e6) for band in bands for word in band["words"].split()],
        schema={"word": pl.String, "rate": pl.Float64},
        orient="row",
    )
    return (
        listed.group_by("word")
        .agg(pl.col("rate").max())
        .sort("word")
        .group_by(term=_stem(), maintain_order=True)
        .agg(pl.col("rate").sum())
    )
