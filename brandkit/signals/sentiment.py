"""The tone of a text, negative to positive, as VADER reads it: shown, and never in the score.

VADER (Hutto and Gilbert, 2014) adds up the words of a lexicon that people rated, with rules for
negation, emphasis and emoji. It knows English, no irony and no facts: "recalls 40,000 batteries" is
neutral to it. Of all the signals this is the one to trust least, so no judgement reads it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import polars as pl

from brandkit.signals._text import FrameT, column

if TYPE_CHECKING:
    from vader import SentimentIntensityAnalyzer

    from brandkit.pipeline import RunContext

TONE_CUT = 0.05
"""From here on a tone is positive, from minus this on negative: the cut of VADER's authors."""

TONES = ("negative", "neutral", "positive", "unmeasured")
TONE = pl.Enum(TONES)

_ENGLISH = ("en", "eng", "english")
# Codes that say that nobody knows.
_UNKNOWN = ("", "und", "mul", "mis", "zxx", "unknown")
# The sum saturates: every long text ends up at one end, and a feed may send a whole article.
_LONGEST = 1_000
_DECIMALS = 4
# A text shows another language by most of its letters, by its small words, or by marked letters.
_LEAST_WORDS = 2
_LEAST_MARKED, _ONE_MARKED_IN = 3, 20
_MARKED = r"[\p{Latin}--[A-Za-zªº]]"
_PARTS = ("title", "summary")
_RELEVANT_BY = ("entities", "pillars", "triggers")


def measure_sentiment(items: FrameT, *, only: pl.Expr | None = None) -> FrameT:
    """The tone of each item's title and summary: the mean of what VADER says of the two.

    Each is read by itself, for VADER's sums do not compare across lengths, and up to its first 1,000
    characters. A text is read once, however many items of a batch have it.

    Shape:  ``title`` and, where there are such columns, ``summary`` and ``language`` (a code such as
            ``en`` or ``en-gb``); the same rows in the same order, plus ``sentiment``.
    Units:  -1 (all negative) to 1, rounded to 4 decimals; 0 is a text without a word that VADER knows.
    Nulls:  not measured: an item without any text, one for which ``only`` is not true, one whose
            language is known and not English, and one whose text shows another language (most
            letters of another script, the small words of others, or many marked letters). An
            unknown language is otherwise taken for English: a short headline may hide another.
    Source: Hutto and Gilbert, ICWSM 2014, by the package nltk-vader-sentiment.

    Example:
        >>> items = pl.DataFrame({"title": ["Nordlys wins an award", "Nordlys opens a depot", None]})
        >>> measure_sentiment(items)["sentiment"].to_list()
        [0.802, 0.0, None]
    """
    is_read = _is_english(column(items, "language", pl.String))
    if only is not None:
        is_read = is_read & only
    texts = {part: column(items, part, pl.String).str.slice(0, _LONGEST) for part in _PARTS}
    read = pl.struct(pl.when(is_read).then(text).alias(part) for part, text in texts.items())
    return items.with_columns(
        sentiment=read.map_batches(_tones, return_dtype=pl.Float64(), is_elementwise=True)
    )


def tone(sentiment: pl.Expr) -> pl.Expr:
    """A sentiment in a word: negative, neutral, positive; ``unmeasured`` where it is null or no number."""
    # To Polars NaN is above every number, and would be praise.
    heard = sentiment.cast(pl.Float64).fill_nan(None)
    named = (
        pl.when(heard >= TONE_CUT)
        .then(pl.lit("positive"))
        .when(heard <= -TONE_CUT)
        .then(pl.lit("negative"))
        .when(heard.is_not_null())
        .then(pl.lit("neutral"))
        .otherwise(pl.lit("unmeasured"))
    )
    return named.cast(TONE)


def sentiment(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Measure the tone of the items that have a tie to the profile: a name, a pillar or a trigger.

    Shape:  the same rows, plus sentiment; the context of earlier days is not measured again.
    Nulls:  an item without such a tie, or as ``measure_sentiment`` says.
    """
    given = items.collect_schema().names()
    is_tied = pl.any_horizontal(pl.col(name).list.len() > 0 for name in _RELEVANT_BY)
    in_scope = pl.col("in_scope").fill_null(value=True) if "in_scope" in given else pl.lit(value=True)
    return measure_sentiment(items, only=is_tied & in_scope)


def _tones(parts: pl.Series) -> pl.Series:
    """The tone of each row: the mean of VADER's compound over the parts that hold any text."""
    rows = parts.struct.unnest()
    # What a desk relates to nothing is null here, and copies say the same: few rows are left.
    distinct = rows.unique().filter(~pl.all_horizontal(pl.all().is_null()))
    whole = pl.concat_str(_PARTS, separator=" ", ignore_nulls=True).str.normalize("NFC")
    ours = distinct.filter(~_shows_another(whole))
    heard = [_heard(ours[part]) for part in _PARTS]
    mean = pl.DataFrame(heard).mean_horizontal(ignore_nulls=True)
    # Adding nothing makes a zero of a negative zero: the same tone has the same bytes.
    measured = ours.with_columns((mean.round(_DECIMALS) + 0.0).alias("tone"))
    found = rows.join(measured, on=list(_PARTS), how="left", nulls_equal=True, maintain_order="left")
    return found["tone"].alias(parts.name)


def _heard(texts: pl.Series) -> pl.Series:
    """What VADER says of each text; null for one without any."""
    distinct = texts.drop_nulls().unique()
    distinct = distinct.filter(distinct.str.strip_chars() != "")
    # A loop over distinct texts, each by itself: VADER takes them in no other way.
    heard = [_analyzer().polarity_scores(text)["compound"] for text in distinct]
    tones = pl.Series(heard, dtype=pl.Float64)
    return texts.replace_strict(distinct, tones, default=None, return_dtype=pl.Float64)


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    # Here and not above: whoever does not measure does not load the lexicon.
    from vader import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


def _is_english(language: pl.Expr) -> pl.Expr:
    """Whether a code names English, or nothing; "en-GB" and "eng_US" name it too."""
    first = language.str.strip_chars().str.to_lowercase().str.extract(r"^([^-_]*)")
    return first.is_in([*_ENGLISH, *_UNKNOWN]).fill_null(value=True)


def _shows_another(text: pl.Expr) -> pl.Expr:
    """Whether a text shows that it is not in English, whatever its source says."""
    letters, latin = text.str.count_matches(r"\p{L}"), text.str.count_matches(r"\p{Latin}")
    marked, low = text.str.count_matches(_MARKED), text.str.to_lowercase()
    ours, others = (low.str.count_matches(_any_of(words)) for words in _small_words())
    return (
        (2 * latin < letters)
        | ((marked >= _LEAST_MARKED) & (_ONE_MARKED_IN * marked >= latin))
        | ((others >= _LEAST_WORDS) & (others > ours))
    )


def _any_of(words: Iterable[str]) -> str:
    return rf"\b(?:{'|'.join(map(re.escape, words))})\b"


@cache
def _small_words() -> tuple[tuple[str, ...], tuple[str, ...]]:
    text = files("brandkit").joinpath("defaults", "language_words.toml").read_text(encoding="utf-8")
    lists = tomllib.loads(text)
    return tuple(lists["english"]), tuple(lists["others"])
