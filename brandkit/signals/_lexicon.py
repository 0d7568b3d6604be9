"""How phrases are looked for in text: as whole words, in the same reading of text and phrase.

Text is read as folded words between double spaces; with single ones, two names side by side would
share a space and the second would be lost. A short name such as "GE" keeps its case: where the text
writes it just so it is marked, and then everything is lower-cased. So one pass of Aho-Corasick sees
short and long names together, and "GE HealthCare" can hide the "GE" inside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import polars as pl

from brandkit.signals._text import folded

_SHORT_NAME = 4
_MARK = "\x02"
# More marked places than this in one phrase are not looked for in every combination.
_MOST_MARKS = 4


@dataclass(frozen=True, slots=True)
class Pattern:
    """A phrase as it may stand in one reading of a text."""

    reading: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The patterns of a set of phrases, and the readings of text in which they are looked for."""

    patterns: dict[str, Pattern]
    shorts: tuple[str, ...]

    @classmethod
    def of(cls, phrases: Iterable[str]) -> Lexicon:
        """Patterns for the phrases; one without a letter or digit is in no text and has none."""
        table = pl.DataFrame({"phrase": sorted(set(phrases))}, schema={"phrase": pl.String}).select(
            "phrase",
            cased=_spaced(pl.col("phrase"), "strip"),
            split=_spaced(pl.col("phrase"), "split").str.to_lowercase(),
        )
        rows = [(phrase, cased, split) for phrase, cased, split in table.rows() if split.strip()]
        shorts = tuple(
            sorted({cased for _, cased, split in rows if _is_short(cased, split)}, key=_longest_first)
        )
        patterns = {
            phrase: Pattern("owned", (split,))
            if split != cased.lower()
            else Pattern("words", (_marked(split),) if _is_short(cased, split) else _variants(split, shorts))
            for phrase, cased, split in rows
        }
        return cls(patterns, shorts)

    @property
    def readings(self) -> list[str]:
        """The readings that any pattern needs."""
        return sorted({pattern.reading for pattern in self.patterns.values()})

    def read(self, text: pl.Expr, reading: str) -> pl.Expr:
        """A text in one reading: ``words`` without possessives, or ``owned`` with the s of "Macy's" kept."""
        if reading == "owned":
            return _spaced(text, "split").str.to_lowercase()
        words = _spaced(text, "strip")
        if self.shorts:
            marked = [_marked(short) for short in self.shorts]
            words = words.str.replace_many(list(self.shorts), marked, leftmost=True)
        return words.str.to_lowercase()


def _spaced(text: pl.Expr, possessive: str) -> pl.Expr:
    words = folded(text, case="keep", possessive=possessive)
    return pl.lit(" ") + words.str.replace_all(" ", "  ", literal=True) + " "


def _is_short(cased: str, split: str) -> bool:
    # "GE", "Gap" and "AI" are names; "ge", "gap" and "ai" are words of some language.
    is_written_as_name = cased != cased.lower() and split == cased.lower()
    return is_written_as_name and len(cased.replace(" ", "")) <= _SHORT_NAME


def _longest_first(text: str) -> tuple[int, str]:
    return -len(text), text


def _marked(text: str) -> str:
    return f" {_MARK}{text[1:]}"


def _variants(text: str, shorts: Iterable[str]) -> tuple[str, ...]:
    """A longer phrase with each short name inside it marked or not: "GE HealthCare", "Ge healthcare"."""
    inside = [low for short in shorts if (low := short.lower()) in text][:_MOST_MARKS]
    found = set()
    for choice in product([False, True], repeat=len(inside)):
        variant = text
        for low, is_marked in zip(inside, choice, strict=True):
            variant = variant.replace(low, _marked(low)) if is_marked else variant
        found.add(variant)
    return tuple(sorted(found))
