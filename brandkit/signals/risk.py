"""How much speaks against believing an item: a sum of named contributions, each in the evidence.

It is a caution and not a verdict of falsehood. Nothing is learned and nothing hidden: the table
below is the whole of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from brandkit.errors import ContractError
from brandkit.schemas import NAMES
from brandkit.signals._text import folded

if TYPE_CHECKING:
    from brandkit.pipeline import RunContext

# The modifier acts from .6: nothing reaches that alone, and nothing a careful newsroom does reaches
# it together. Nobody trusted + hedging + form does, and so does nobody trusted + a debunk.
RISK_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "no_ab_publisher": 0.25,
        "hedging": 0.2,
        "sensational_form": 0.2,
        "disputed": 0.4,
        "unreliable_publisher": 0.4,
        "risk_flag": 0.4,
    }
)
RISK_COLUMNS = ("misinfo_risk", "misinfo_evidence")

_OPTIONAL: Mapping[str, Any] = {
    "title": pl.String,
    "summary": pl.String,
    "tier": pl.String,
    "domain": pl.String,
    "publisher": pl.String,
    "is_denial": pl.Boolean,
    "disputed": pl.Boolean,
    "n_publishers_ab": pl.Int64,
    "n_adopters_ab": pl.Int64,
    "risk_flags": NAMES,
}
_SHOUTED = r"\b\p{Lu}{4,}\b"
_LETTER_WORDS = r"\b\p{L}{2,}\b"


@cache
def risk_words() -> Mapping[str, tuple[str, ...]]:
    """The packaged word lists of the risk signal: ``hedging`` and ``sensational``, folded phrases."""
    text = files("brandkit").joinpath("defaults", "risk_words.toml").read_text(encoding="utf-8")
    lists = {name: tuple(words) for name, words in tomllib.loads(text).items()}
    if set(lists) != {"hedging", "sensational"} or not all(lists.values()):
        raise ContractError(
            f"risk_words.toml has {sorted(lists)}", allowed="hedging and sensational, not empty"
        )
    return MappingProxyType(lists)


def score_risk(
    items: pl.LazyFrame,
    *,
    unreliable: Iterable[str] = (),
    words: Mapping[str, Sequence[str]] | None = None,
) -> pl.LazyFrame:
    """Items with the sum of what speaks against believing them, each contribution named.

    ``unreliable`` holds domains or ``platform:account`` publishers; ``words`` replaces the packaged
    lists ``hedging`` and ``sensational``.

    Shape:  the same rows in the same order, plus misinfo_risk 0..1 and misinfo_evidence, a list like
            ``["no_ab_publisher:0.25", "hedging:0.2"]`` in the order of ``RISK_WEIGHTS``.
    Nulls:  what is not known adds nothing, except that a story in which no A or B publisher is known
            has none.
    """
    words = risk_words() if words is None else words
    given = items.collect_schema().names()
    kept = [name for name in given if name not in RISK_COLUMNS]
    absent = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in _OPTIONAL.items() if name not in given]
    speaks = _contributions(sorted({name.lower() for name in unreliable}), words)
    said = {name: speaks[name].fill_null(value=False) & ~_is_debunk() for name in RISK_WEIGHTS}
    points = [pl.when(said[name]).then(weight).otherwise(0.0) for name, weight in RISK_WEIGHTS.items()]
    named = [pl.when(said[name]).then(pl.lit(f"{name}:{weight:g}")) for name, weight in RISK_WEIGHTS.items()]
    return (
        items.with_columns(absent)
        .with_columns(
            _has_ab=(pl.col("n_publishers_ab").fill_null(0) > 0) | (pl.col("n_adopters_ab").fill_null(0) > 0)
        )
        .with_columns(
            misinfo_risk=pl.sum_horizontal(points).clip(upper_bound=1.0).round(4),
            misinfo_evidence=pl.concat_list(named).list.drop_nulls(),
        )
        .select(*kept, *RISK_COLUMNS)
    )


def _is_ab() -> pl.Expr:
    return pl.col("tier").cast(pl.String).is_in(["A", "B"]).fill_null(value=False)


def _is_debunk() -> pl.Expr:
    return pl.col("is_denial").fill_null(value=False) & _is_ab()


def _contributions(unreliable: Sequence[str], words: Mapping[str, Sequence[str]]) -> dict[str, pl.Expr]:
    text = pl.concat_str(pl.col("title").fill_null(""), pl.lit(" "), pl.col("summary").fill_null(""))
    listed = [
        pl.col(name).cast(pl.String).str.to_lowercase().is_in(unreliable) for name in ("domain", "publisher")
    ]
    return {
        "no_ab_publisher": ~pl.col("_has_ab"),
        # "Reportedly" in a newsroom with corrections is attribution, not rumour.
        "hedging": _says(text, words["hedging"]) & ~_is_ab(),
        "sensational_form": (_says(pl.col("title"), words["sensational"]) | _shouts(pl.col("title")))
        & ~pl.col("_has_ab"),
        "disputed": pl.col("disputed") & ~pl.col("is_denial").fill_null(value=False),
        "unreliable_publisher": pl.any_horizontal(mark.fill_null(value=False) for mark in listed),
        "risk_flag": pl.col("risk_flags").list.drop_nulls().list.len() > 0,
    }


def _says(text: pl.Expr, phrases: Sequence[str]) -> pl.Expr:
    padded = pl.concat_str(pl.lit(" "), folded(text), pl.lit(" "))
    return padded.str.contains_any([f" {phrase} " for phrase in phrases])


def _shouts(title: pl.Expr) -> pl.Expr:
    """Repeated marks, or most of a title in capitals (four words of it at least)."""
    marks = title.str.contains(r"!\s*!|\?\s*!|!\s*\?|\?\s*\?")
    loud = title.str.count_matches(_SHOUTED)
    return marks | ((loud >= 4) & (2 * loud > title.str.count_matches(_LETTER_WORDS)))


def risk(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Add up what speaks against each item, in the eyes of the run's profile.

    Shape:  the same rows, plus misinfo_risk and misinfo_evidence.
    Nulls:  a missing text or flag adds nothing.
    """
    return score_risk(items, unreliable=ctx.profile.sources.unreliable)
