"""Text folded to words, the same way for items and for the names looked for in them.

Folding is made of expressions only, so that it stays lazy and costs no Python per row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import polars as pl

FrameT = TypeVar("FrameT", pl.DataFrame, pl.LazyFrame)

# Letters that no decomposition takes to a base letter; readers write either.
_LETTERS = {
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O",
    "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ı": "i", "þ": "th", "Þ": "TH", "ð": "d", "Ð": "D",
}  # fmt: skip
_MARKS = r"[\u0300-\u036f]+"
_POSSESSIVE = r"(?i)['\u2018\u2019\u02bc`]s\b"
# Scripts written without spaces: each character becomes a word, so a name is a run of words there
# as everywhere else, and bigrams of words mean something.
UNSPACED = r"([\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\u30fc])"
# Fewer headlines than this prove nothing about the summary they share.
_BOILERPLATE_TITLES = 4
_NOT_WORD = r"[^\p{L}\p{N}\p{M}]+"


def folded(text: pl.Expr, *, case: str = "lower", possessive: str = "strip") -> pl.Expr:
    """Words of a text, single-spaced: accents, symbols and (unless ``case="keep"``) case folded away.

    ``possessive="split"`` keeps the s of "Macy's" as a word of its own instead of dropping it.
    Nulls: a null text has no words: the empty string.
    """
    plain = text.fill_null("").str.normalize("NFKD").str.replace_all(_MARKS, "")
    plain = plain.str.replace_many(list(_LETTERS), list(_LETTERS.values())).str.normalize("NFC")
    if possessive == "strip":
        plain = plain.str.replace_all(_POSSESSIVE, "")
    if case == "lower":
        plain = plain.str.to_lowercase()
    return plain.str.replace_all(UNSPACED, " ${1} ").str.replace_all(_NOT_WORD, " ").str.strip_chars(" ")


def column(items: pl.DataFrame | pl.LazyFrame, name: str, dtype: Any) -> pl.Expr:
    """A column that a frame may lack: nulls of its type then."""
    present = name in items.collect_schema().names()
    return pl.col(name).cast(dtype) if present else pl.lit(None, dtype=dtype).alias(name)


def known_at(items: pl.DataFrame | pl.LazyFrame) -> pl.Expr:
    """When an item was published, or else collected; null where neither is known."""
    instant = pl.Datetime("us", "UTC")
    return pl.coalesce(column(items, "published_at", instant), column(items, "collected_at", instant))


def exploded(texts: pl.DataFrame) -> pl.DataFrame:
    """One row per word of folded texts: ``row`` and ``word``, in reading order.

    Shape: takes ``row`` and ``text``; a text without words gives no row.
    """
    return (
        texts.select("row", word=pl.col("text").str.split(" ")).explode("word").filter(pl.col("word") != "")
    )


def whole_frame(
    items: FrameT, function: Callable[[pl.DataFrame], pl.DataFrame], adds: dict[str, Any]
) -> FrameT:
    """Apply a function that must see every row at once, lazily where the frame is lazy."""
    if isinstance(items, pl.DataFrame):
        return function(items)
    schema = {**items.collect_schema(), **adds}
    return items.map_batches(function, schema=schema)


@cache
def word_list(name: str) -> tuple[str, ...]:
    """The lines of a packaged word list, without comments and blank lines."""
    text = (files("brandkit") / "defaults" / name).read_text(encoding="utf-8")
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return tuple(line for line in lines if line)


@cache
def stop_words() -> pl.DataFrame:
    """The words that say nothing about what a text is about, as a frame of ``word``."""
    words = sorted({word for line in word_list("stopwords.txt") for word in line.split()})
    return pl.DataFrame({"word": words}, schema={"word": pl.String})


def without_boilerplate(texts: pl.DataFrame) -> pl.DataFrame:
    """The same rows with a summary emptied that stands under headlines of nothing in common.

    "Everything you need to know" says nothing about an event; a wire's summary that desks put
    under headlines of their own does, and those headlines share a word or two.

    Shape: takes and gives ``title`` and ``summary``, folded, and whatever else is there.
    """
    pairs = texts.filter(pl.col("summary") != "").select("summary", "title").unique()
    often = pairs.group_by("summary").agg(n=pl.len()).filter(pl.col("n") >= _BOILERPLATE_TITLES)
    words = (
        pairs.join(often, on="summary", how="semi")
        .select("summary", "title", word=pl.col("title").str.split(" "))
        .explode("word")
        .join(stop_words(), on="word", how="anti")
        .unique()
    )
    shared = words.group_by("summary", "word").len().group_by("summary").agg(most=pl.col("len").max())
    said = often.join(shared, on="summary", how="left").filter(pl.col("most").fill_null(0) * 2 < pl.col("n"))
    return texts.join(
        said.select("summary", is_said=True), on="summary", how="left", maintain_order="left"
    ).select(
        *(name for name in texts.columns if name != "summary"),
        summary=pl.when(pl.col("is_said").is_null()).then("summary").otherwise(pl.lit("")),
    )
