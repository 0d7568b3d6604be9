"""The texts that copies are looked for in: folded, equal ones met, earliest first."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from brandkit.signals._copy_alignment import SHORT_WORDS
from brandkit.signals._text import column, folded, known_at, stop_words, without_boilerplate

# A copy runs to the end of the longest wire report; what follows says nothing new about copying.
LONGEST = 20_000
# Fewer words than this prove nothing: two desks write "Market close" without copying.
FEWEST_WORDS, FEWEST_TELLING = 4, 3
# What the headlines of columns are made of, beside stop words: they come again every day.
_COLUMN_WORDS = (
    "today", "tonight", "tomorrow", "yesterday", "monday", "tuesday", "wednesday", "thursday", "friday",
    "saturday", "sunday", "daily", "weekly", "morning", "evening", "week", "weekend", "news", "briefing",
    "live", "latest", "update", "updates", "need", "know",
)  # fmt: skip
# What is said again in a few words days later is the next event in the same few words.
SHORT_LIVED = timedelta(hours=72)
# Wires number the versions of a report.
_VERSION = r"(?i)^(?:(?:rpt|refile|corrected|updated?|wrapup) (?:\p{N}{1,2} )?)+"
# A number in the name of an outlet after the headline is not of the news.
_OUTLET = r"^(.*\s[-\u2013\u2014|]\s\p{Lu}[^-\u2013\u2014|]{0,30}?)\s?\p{N}+$"
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\u30fc]"
_POSSESSIVE = r"['`][sS]\b"
_LONG_BYTES = 500
# Typography that has a plain form: most texts are ASCII after it, and cost a fifth of the folding.
_PLAIN = {
    **dict.fromkeys("\u2013\u2014\u2022\u2026\u00a0\u20ac\u00a3", " "), **dict.fromkeys("\u00ad\u200b", ""),
    **dict.fromkeys("\u201c\u201d\u00ab\u00bb\u201e", '"'), **dict.fromkeys("\u2018\u2019\u02bc", "'"),
    **{chr(zero + k): str(k) for zero in (0x660, 0x6F0, 0x966) for k in range(10)},
}  # fmt: skip


def copy_texts(items: pl.DataFrame) -> pl.DataFrame:
    """The distinct texts among items with text enough to be copies, earliest first.

    Shape: ``item_id`` and ``at`` of the first that has it, ``title``, ``text``, ``has_summary``;
           ``n_words`` and ``n_title``, of text and title, and ``n_head``, where in the text the title
           ends; ``is_title_telling``; and ``said_by``, all items that have it.
    Units: in scripts without spaces every character is a word of the text, but counts for half of one.
    """
    return (
        _folded(items)
        .with_columns(_cased="title", title=pl.col("title").str.to_lowercase())
        .pipe(without_boilerplate)
        .with_columns(title="_cased")
        .select(
            "item_id",
            "at",
            "title",
            has_summary=pl.col("summary") != "",
            text=pl.concat_str("title", "summary", separator=" ").str.strip_chars(" "),
        )
        .with_columns(n_words=_n_words("text") - _n_halves("text"), n_head=_n_words("title"))
        .with_columns(n_title=pl.col("n_head") - _n_halves("title"))
        .with_columns(
            is_title_telling=_is_telling("title", "n_title"), is_telling=_is_telling("text", "n_words")
        )
        .filter("is_telling")
        .sort("at", "item_id", nulls_last=True)
        .with_columns(spell=_spell())
        .group_by(pl.col("text").str.to_lowercase().alias("_text"), "spell", maintain_order=True)
        .agg(pl.all().exclude("item_id").first(), pl.col("item_id").first(), said_by="item_id")
        .drop("_text", "spell", "is_telling")
    )


def _n_words(name: str) -> pl.Expr:
    spaces = pl.col(name).str.count_matches(" ", literal=True).cast(pl.Int64)
    return pl.when(pl.col(name) == "").then(0).otherwise(spaces + 1)


def _n_halves(name: str) -> pl.Expr:
    is_ascii = pl.col(name).str.len_bytes() == pl.col(name).str.len_chars()
    text = pl.when(is_ascii).then(pl.lit("")).otherwise(pl.col(name))
    return text.str.count_matches(_UNSPACED).cast(pl.Int64) // 2


def _folded(items: pl.DataFrame) -> pl.DataFrame:
    title, summary = (
        column(items, name, pl.String).fill_null("").str.slice(0, LONGEST).str.replace_many(_PLAIN)
        for name in ("title", "summary")
    )
    raw = items.lazy().select(
        "item_id", at=known_at(items), title=title.str.replace(_OUTLET, "${1}"), summary=summary
    )
    title, summary = pl.col("title"), pl.col("summary")
    is_ascii = (title.str.len_bytes() == title.str.len_chars()) & (
        summary.str.len_bytes() == summary.str.len_chars()
    )
    is_long = summary.str.len_bytes() >= _LONG_BYTES
    parts = [
        # Half of all folding would go into long texts, to find what the hashing of words finds anyway.
        raw.filter(is_ascii & is_long).with_columns(
            _folded_ascii(title), summary.str.replace_all(_POSSESSIVE, "")
        ),
        raw.filter(is_ascii & ~is_long).with_columns(_folded_ascii(title), _folded_ascii(summary)),
        raw.filter(~is_ascii).with_columns(folded(title, case="keep"), folded(summary, case="keep")),
    ]
    return pl.concat(parts).with_columns(title.str.replace(_VERSION, "")).collect()


def _folded_ascii(text: pl.Expr) -> pl.Expr:
    """What ``folded`` gives for a text without any letter that it would have to fold."""
    return text.str.replace_all(_POSSESSIVE, "").str.replace_all(r"[^a-zA-Z0-9]+", " ").str.strip_chars(" ")


def _is_telling(name: str, n: str) -> pl.Expr:
    """Whether a text has words enough, and enough of them that are not of every text."""
    words = (*stop_words()["word"], *_COLUMN_WORDS)
    empty = rf"(?i)\b(?:{'|'.join(words)})\b"
    is_short = pl.col(n) < SHORT_WORDS
    text = pl.when(is_short).then(pl.col(name)).otherwise(pl.lit(""))
    n_telling = pl.col(n) - text.str.count_matches(empty).cast(pl.Int64)
    return ~is_short | ((pl.col(n) >= FEWEST_WORDS) & (n_telling >= FEWEST_TELLING))


def _spell() -> pl.Expr:
    """Which time of saying a short text: what is said again after days without it is said anew."""
    text = pl.col("text").str.to_lowercase()
    is_new = (pl.col("at").diff().over(text) > SHORT_LIVED).fill_null(value=False)
    return pl.when(pl.col("n_words") < SHORT_WORDS).then(is_new.cum_sum().over(text)).otherwise(0)
