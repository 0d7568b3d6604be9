"""How phrases are looked for in text: as whole words, in the same reading of text and phrase.

Text is read as words between double spaces; with single ones, two names side by side would share a
space and the second would be lost. It keeps its case, and the search does not mind it: what was found
comes back as it is written, so that a short name such as "GE" can be asked to be written just so.

A word may end in a *suffix*: a possessive 's, or a sign that is part of some names ("C++", "C#",
"Disney+"). A phrase that has one wants it in the text; any other phrase does not mind it. So suffixes
are dropped from the text, but for those that some phrase wants, and a phrase with such a word is
looked for in every form the word may take in the text. The same is done for the words of a short name
of several words ("AT&T"): found in the wrong case, it would hide what lies beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product

import polars as pl

from brandkit.signals._reading import SUFFIXES, lowered, plain, worded

_SHORT_NAME = 4
# Suffixes that some phrase wants, once the others are gone.
_WANTED = {suffix: chr(ord(suffix) + len(SUFFIXES)) for suffix in SUFFIXES}
# Private characters, which no text holds once it is read, for words whose case matters.
_FIRST_CASED = 0xF0100
# A phrase of nothing but words that have several forms is not looked for in more ways than this.
_MOST_FORMS = 1_024


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a phrase: as written, in lower case, and the suffix it wants (or none)."""

    cased: str
    low: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """The words of a phrase; ``is_short`` ones keep their case."""

    words: tuple[Word, ...]

    @property
    def is_short(self) -> bool:
        """True for "GE", "Gap" and "AI", which are names; "ge", "gap" and "ai" are words of some language."""
        is_name = any(word.cased != word.low for word in self.words)
        is_bare = not any(word.suffix for word in self.words)
        return is_name and is_bare and sum(len(word.cased) for word in self.words) <= _SHORT_NAME


@dataclass(frozen=True)
class Lexicon:
    """A set of phrases, and the reading of text in which they are looked for."""

    phrases: Mapping[str, Phrase]

    @classmethod
    def of(cls, phrases: Iterable[str]) -> Lexicon:
        """The lexicon of the phrases; one without a letter or digit is in no text and is left out."""
        table = pl.DataFrame({"phrase": sorted(set(phrases))}, schema={"phrase": pl.String})
        cased = worded(plain(pl.col("phrase")), suffixes=SUFFIXES)
        words = table.select("phrase", cased=cased, low=lowered(cased).str.to_lowercase())
        return cls(
            {
                phrase: Phrase(tuple(map(_word, written.split(), low.split())))
                for phrase, written, low in words.rows()
                if written.strip()
            }
        )

    @cached_property
    def wanted(self) -> dict[str, list[str]]:
        """The suffixes that some phrase wants, by the word they stand at."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for phrase in self.phrases.values():
            for word in phrase.words:
                if word.suffix:
                    found[word.low].add(word.suffix)
        return {low: sorted(found[low]) for low in sorted(found)}

    @cached_property
    def cased(self) -> dict[str, str]:
        """A private character for each word whose case is to be told in the text already.

        A short name of one word needs none: what is found of it is held against how it is written.
        """
        words = {
            word
            for phrase in self.phrases.values()
            if phrase.is_short
            for word in phrase.words
            if len(phrase.words) > 1 or not word.cased.isascii() or word.low in self.wanted
        }
        ordered = sorted({word.cased for word in words})
        return {cased: chr(_FIRST_CASED + place) for place, cased in enumerate(ordered)}

    @cached_property
    def _cased_by_low(self) -> dict[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        lows = {word.cased: word.low for phrase in self.phrases.values() for word in phrase.words}
        for cased, character in self.cased.items():
            found[lows[cased]].append(character)
        return dict(found)

    def read(self, texts: pl.Expr, *, ascii_only: str) -> pl.Expr:
        """Plain texts in the reading in which patterns are looked for.

        ``ascii_only="yes"`` spares texts that are known to be ASCII what only others need.
        """
        suffixes = sorted({suffix for ends in self.wanted.values() for suffix in ends})
        words = worded(texts, suffixes=suffixes)
        if self.cased:
            marks = {
                f" {cased}{end}": f" {mark}{end}"
                for cased, mark in self.cased.items()
                for end in (" ", *suffixes)
            }
            words = words.str.replace_many(list(marks), list(marks.values()))
        if ascii_only != "yes":
            words = lowered(words)
        if suffixes:
            kept = {
                f" {head}{suffix} ": f" {head}{_WANTED[suffix]} "
                for low, ends in self.wanted.items()
                for head in (low, *self._cased_by_low.get(low, []))
                for suffix in ends
            }
            words = words.str.replace_many(list(kept), list(kept.values()), ascii_case_insensitive=True)
            words = words.str.replace_all(f"[{''.join(suffixes)}]", "")
        return words

    def patterns(self, phrases: Iterable[str]) -> pl.DataFrame:
        """What to look for in read texts: one row per phrase and form of it.

        Shape: ``phrase``, ``pattern`` in lower case, and ``written``: what must have been found, to
               the letter, where the case matters; else null.
        """
        rows = [
            (phrase, pattern, f" {known.words[0].cased} " if self._is_checked(known) else None)
            for phrase in sorted(set(phrases))
            if (known := self.phrases.get(phrase))
            for pattern in self._forms(known)
        ]
        schema = {"phrase": pl.String, "pattern": pl.String, "written": pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def hints(self, phrases: Iterable[str]) -> tuple[list[str], list[str]]:
        """One word of each phrase: a text in ASCII without any of them holds none of the phrases.

        The first list is to be looked for in any case, the second as written. A phrase with a letter
        outside ASCII is in no such text and gives no hint.
        """
        loose, written = set(), set()
        for phrase in phrases:
            known = self.phrases.get(phrase)
            if known is None or not all(word.low.isascii() for word in known.words):
                continue
            longest = max(known.words, key=lambda word: len(word.low))
            if known.is_short:
                written.add(longest.cased)
            else:
                loose.add(longest.low)
        return sorted(loose), sorted(written)

    def _is_checked(self, phrase: Phrase) -> bool:
        return phrase.is_short and phrase.words[0].cased not in self.cased

    def _forms(self, phrase: Phrase) -> list[str]:
        forms = [self._word_forms(word, is_short=phrase.is_short) for word in phrase.words]
        return ["".join(words) for words in islice(product(*forms), _MOST_FORMS)]

    def _word_forms(self, word: Word, *, is_short: bool) -> list[str]:
        """How a word of a phrase may stand in a read text, spaces and all."""
        if is_short:
            heads = [self.cased.get(word.cased, word.low)]
        else:
            heads = [word.low, *self._cased_by_low.get(word.low, [])]
        ends = (
            [_WANTED[word.suffix]]
            if word.suffix
            else ["", *(_WANTED[end] for end in self.wanted.get(word.low, []))]
        )
        return [f" {head}{end} " for head in heads for end in ends]


def _word(written: str, low: str) -> Word:
    suffix = written[-1] if written[-1] in SUFFIXES else ""
    bare = len(written) - len(suffix)
    return Word(written[:bare], low[: len(low) - len(suffix)], suffix)
