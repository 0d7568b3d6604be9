"""How much speaks against believing an item: a sum of named contributions, each in the evidence.

It is a caution and not a verdict of falsehood. Nothing is hidden: the points stand in
``defaults/risk_weights.toml``, with what they rest on, and the words in ``defaults/risk_words.toml``.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from brandkit.errors import ContractError, UsageError, near_name
from brandkit.schemas import NAMES
from brandkit.signals._risk_form import forms, phrases_in, says

if TYPE_CHECKING:
    from brandkit.pipeline import RunContext

# The modifier acts from .6. No contribution reaches that alone, and no A or B publisher with all of
# what form can add does not either; with hedging or a debunk it does.
FORM = (
    "sensational_form", "alarm_opening", "shouting", "capitalised_throughout", "long_title", "exclaiming",
    "cheap_address",
)  # fmt: skip
RISK_COLUMNS = ("misinfo_risk", "misinfo_evidence")
_CONTRIBUTIONS = (
    "no_ab_publisher", "hedging", *FORM, "disguised_publisher", "disputed", "unreliable_publisher",
    "risk_flag",
)  # fmt: skip
_WORD_LISTS = ("hedging", "sensational", "alarm", "labels", "little")
_ADDRESSES = ("endings", "hosts")

_OPTIONAL: Mapping[str, Any] = {
    "title": pl.String,
    "summary": pl.String,
    "item_type": pl.String,
    "url": pl.String,
    "tier": pl.String,
    "domain": pl.String,
    "publisher": pl.String,
    "mixed_script": pl.Boolean,
    "story_id": pl.String,
    "is_denial": pl.Boolean,
    "disputed": pl.Boolean,
    "n_publishers_ab": pl.Int64,
    "n_adopters_ab": pl.Int64,
    "risk_flags": NAMES,
}
# Points are added up as whole ten-thousandths, so that the evidence says exactly what was added.
_SCALE = 10_000


@cache
def risk_words() -> Mapping[str, tuple[str, ...]]:
    """The packaged word lists of the risk signal, by name; ``risk_words.toml`` says what each is."""
    lists = {name: tuple(words) for name, words in _packaged("risk_words.toml").items()}
    return _complete(lists, _WORD_LISTS, "risk_words.toml")


@cache
def _packaged(name: str) -> Mapping[str, Any]:
    return tomllib.loads(files("brandkit").joinpath("defaults", name).read_text(encoding="utf-8"))


def _complete(lists: dict[str, Any], names: Sequence[str], where: str) -> Mapping[str, Any]:
    if set(lists) != set(names) or not all(lists.values()):
        raise ContractError(f"{where} has {sorted(lists)}", allowed=f"{', '.join(names)}, none of them empty")
    return MappingProxyType({name: lists[name] for name in names})


# What each contribution adds, and all of form together: the packaged file, read once.
RISK_WEIGHTS: Mapping[str, float] = _complete(
    _packaged("risk_weights.toml")["weights"], _CONTRIBUTIONS, "risk_weights.toml"
)
FORM_AT_MOST: float = _packaged("risk_weights.toml")["form_at_most"]
RISK_ADDRESSES: Mapping[str, Sequence[str]] = _complete(
    _packaged("risk_weights.toml")["addresses"], _ADDRESSES, "risk_weights.toml"
)


def score_risk(
    items: pl.LazyFrame | pl.DataFrame,
    *,
    unreliable: Iterable[str] = (),
    words: Mapping[str, Sequence[str]] | None = None,
    weights: Mapping[str, float] | None = None,
) -> pl.LazyFrame:
    """Items with the sum of what speaks against believing them, each contribution named.

    ``unreliable`` holds domains or ``platform:account`` publishers. ``words`` and ``weights`` replace the
    packaged lists and points that they name; a weight of 0 leaves a contribution out. What a headline's
    form and its address add counts only where no A or B publisher is in the story, and together no more
    than ``FORM_AT_MOST``: whatever comes after that takes what is left.

    Shape:  the same rows in the same order, plus misinfo_risk 0..1 and misinfo_evidence, a list like
            ``["no_ab_publisher:0.25", "hedging:0.2"]`` in the order of ``RISK_WEIGHTS``. Any column may
            be missing. In a frame without n_publishers_ab and n_adopters_ab the tiers at hand say
            whether an A or B publisher is in the story: those of the item's story_id, else its own.
    Nulls:  what is not known adds nothing, except that a story in which no A or B publisher is known
            has none.
    Raises: UsageError for a list or weight that there is none of, or a weight outside 0..1.

    >>> items = pl.LazyFrame({"title": ["BREAKING: Mayor To Resign", "Mayor to resign"]})
    >>> score_risk(items).collect()["misinfo_risk"].to_list()
    [0.4, 0.25]
    """
    points = {**RISK_WEIGHTS, **_checked_weights(weights or {})}
    lists = {**risk_words(), **_checked_words(words or {})}
    items = items.lazy()
    given = items.collect_schema().names()
    kept = [name for name in given if name not in RISK_COLUMNS]
    absent = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in _OPTIONAL.items() if name not in given]
    speaks = _contributions(sorted({name.lower() for name in unreliable}), lists)
    holds = {name: speaks[name].fill_null(value=False) & ~_is_debunk() for name in points}
    raw = {
        f"_risk_{name}": pl.when(holds[name]).then(pl.lit(round(weight * _SCALE), pl.Int64)).otherwise(0)
        for name, weight in points.items()
    }
    taken = {name: pl.col(f"_risk_{name}") for name in points} | _shared_room()
    named = [
        pl.when(n > 0).then(pl.concat_str(pl.lit(f"{name}:"), (n / _SCALE).round(4).cast(pl.String)))
        for name, n in taken.items()
    ]
    return (
        items.with_columns(absent)
        .with_columns(_risk_has_ab=_has_ab(given))
        .with_columns(**raw)
        .with_columns(
            misinfo_risk=(pl.sum_horizontal(taken.values()) / _SCALE).clip(upper_bound=1.0).round(4),
            misinfo_evidence=pl.concat_list(named).list.drop_nulls(),
        )
        .select(*kept, *RISK_COLUMNS)
    )


def risk_phrases(
    items: pl.LazyFrame | pl.DataFrame, *, words: Mapping[str, Sequence[str]] | None = None
) -> pl.LazyFrame:
    """Items with the phrases that the risk found in their texts, for a person to read beside it.

    Shape:  the same rows in the same order, plus risk_phrases, a list like ``["hedging: reportedly"]``:
            hedging in title and summary, what is sensational in the title. Each phrase once, sorted.
    Nulls:  a missing text holds none.

    >>> items = pl.LazyFrame({"title": ["Mayor reportedly to resign"]})
    >>> risk_phrases(items).collect()["risk_phrases"].to_list()
    [['hedging: reportedly']]
    """
    lists = {**risk_words(), **_checked_words(words or {})}
    given = set(items.collect_schema().names())
    title, summary = (pl.col(n) if n in given else pl.lit(None, pl.String) for n in ("title", "summary"))
    both = pl.concat_str(title.fill_null(""), pl.lit(" "), summary.fill_null(""))
    found = [
        phrases_in(text, lists[name], label=contribution)
        for contribution, name, text in (
            ("hedging", "hedging", both),
            ("sensational_form", "sensational", title),
        )
    ]
    return items.lazy().with_columns(risk_phrases=pl.concat_list(found).list.unique().list.sort())


def _checked_weights(weights: Mapping[str, float]) -> Mapping[str, float]:
    for name, weight in weights.items():
        if name not in RISK_WEIGHTS:
            _refuse("contribution", name, _CONTRIBUTIONS)
        if not (math.isfinite(weight) and 0 <= weight <= 1):
            raise UsageError(f"the weight of '{name}' is {weight}", allowed="0 to 1")
    return weights


def _checked_words(words: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    for name in words:
        if name not in _WORD_LISTS:
            _refuse("list of words", name, _WORD_LISTS)
    return words


def _refuse(kind: str, name: str, known: Sequence[str]) -> None:
    raise UsageError(
        f"the risk has no {kind} '{name}'", allowed=", ".join(known), hint=near_name(name, known)
    )


def _shared_room() -> dict[str, pl.Expr]:
    """What each form adds once those before it have taken theirs of ``FORM_AT_MOST``."""
    room = pl.lit(round(FORM_AT_MOST * _SCALE), dtype=pl.Int64)
    raw = [pl.col(f"_risk_{name}") for name in FORM]
    before = [pl.sum_horizontal(pl.lit(0, dtype=pl.Int64), *raw[:n]) for n in range(len(raw))]
    left = [(room - sum_).clip(lower_bound=0) for sum_ in before]
    return {name: pl.min_horizontal(raw[n], left[n]) for n, name in enumerate(FORM)}


def _is_ab() -> pl.Expr:
    return pl.col("tier").cast(pl.String).is_in(["A", "B"]).fill_null(value=False)


def _has_ab(given: Sequence[str]) -> pl.Expr:
    counts = [name for name in ("n_publishers_ab", "n_adopters_ab") if name in given]
    if counts:
        return pl.any_horizontal(pl.col(name).fill_null(0) > 0 for name in counts)
    # Items of no story are strangers to each other, though all have the same null.
    in_story = _is_ab().any().over("story_id") & pl.col("story_id").is_not_null()
    return _is_ab() | in_story


def _is_debunk() -> pl.Expr:
    return pl.col("is_denial").fill_null(value=False) & _is_ab()


def _contributions(unreliable: Sequence[str], words: Mapping[str, Sequence[str]]) -> dict[str, pl.Expr]:
    """Whether each contribution holds; null where what it needs is not known."""
    text = pl.concat_str(pl.col("title").fill_null(""), pl.lit(" "), pl.col("summary").fill_null(""))
    listed = [
        pl.col(name).cast(pl.String).str.to_lowercase().is_in(unreliable) for name in ("domain", "publisher")
    ]
    form = forms(words, RISK_ADDRESSES)
    return {
        "no_ab_publisher": ~pl.col("_risk_has_ab"),
        # "Reportedly" in a newsroom with corrections is attribution, not rumour.
        "hedging": says(text, words["hedging"]) & ~_is_ab(),
        **{name: pl.when(~pl.col("_risk_has_ab")).then(form[name]) for name in FORM},
        "disguised_publisher": pl.col("mixed_script"),
        "disputed": pl.col("disputed") & ~pl.col("is_denial").fill_null(value=False),
        "unreliable_publisher": pl.any_horizontal(mark.fill_null(value=False) for mark in listed),
        "risk_flag": pl.col("risk_flags").list.drop_nulls().list.len() > 0,
    }


def risk(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Add up what speaks against each item, in the eyes of the run's profile.

    Shape:  the same rows, plus misinfo_risk and misinfo_evidence.
    Nulls:  a missing text or flag adds nothing.
    """
    return score_risk(items, unreliable=ctx.profile.sources.unreliable)
