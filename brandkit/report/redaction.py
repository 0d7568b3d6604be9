"""What a redacted edition withholds, as replacements that are the same wherever a thing is met.

A name is replaced and not cut out: a decision is explained and compared by the very names that stand in
records and in the profile, and so it stays the same decision.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from brandkit.profile import BrandProfile, Topic

SOMEBODY = "somebody"
_WITHHELD = "[withheld "
# Letters and digits by chance, by which rows find each other.
_IDS = ("_id", "_ids", "_hash", "copy_of")
# What may stand between the words of a name, in a text and in an address: the signs by their ranges, for
# the class of all signs that there are makes a pattern of a megabyte.
_BETWEEN = "(?:[ -/:-@\\[-`{-~\u00a0\u00ad\u2000-\u206f\u3000]|%20){0,4}"
# A name as short as this is looked for as a whole word: it stands by chance in many.
_SHORT = 3
# Accented letters of which no decomposition is known.
_ALIKE = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i"}


def is_withheld(text: str) -> bool:
    """Whether nothing but a replacement is left of a text."""
    return text.startswith(_WITHHELD)


@dataclass(frozen=True, slots=True)
class Redaction:
    """The names that are withheld: rivals' names and terms, with the number each goes by.

    >>> desk = BrandProfile.from_dict({"id": "desk", "own": ["Nordlys"], "rivals": ["Velmora"]})
    >>> Redaction.of(desk).text("At VELMORA")
    'At [withheld 1]'
    """

    terms: tuple[str, ...]

    @classmethod
    def of(cls, profile: BrandProfile) -> Redaction:
        """What a profile's rivals are called."""
        return cls(()).with_rivals(profile)

    def with_rivals(self, profile: BrandProfile) -> Redaction:
        """The same, and the rivals of another profile; what was known keeps its number."""
        phrases = [
            text for topic in profile.rivals for text in (topic.name, *(t.phrase for t in topic.terms))
        ]
        folded = (_folded(phrase) for phrase in phrases)
        return Redaction(tuple(dict.fromkeys((*self.terms, *filter(None, folded)))))

    def text(self, text: str) -> str:
        """A text with each name replaced."""
        if not self.terms:
            return text
        pattern, numbers = _compiled(self.terms)
        return pattern.sub(lambda found: f"{_WITHHELD}{numbers[(found.lastindex or 1) - 1]}]", text)

    def changed(self, texts: pl.Series) -> dict[str, str]:
        """The texts of a column in which a name stands, each with what is left of it."""
        if not self.terms:
            return {}
        # A day has few texts with a name in them: they are found by one word of it, in one pass over all.
        longest = pl.Series([max(term.split(), key=len) for term in self.terms])
        words = pl.select(_plain(pl.lit(longest))).to_series()
        near = texts.drop_nulls().unique(maintain_order=True).to_frame("text")
        found = near.filter(_plain(pl.col("text")).str.contains_any(words.to_list()))["text"]
        left = {text: self.text(text) for text in found}
        return {text: instead for text, instead in left.items() if instead != text}

    def frame(self, rows: pl.DataFrame) -> pl.DataFrame:
        """A frame with the names replaced in every text and every list of texts."""
        shown = [name for name in rows.columns if not name.endswith(_IDS)]
        return rows.with_columns(
            self._column(rows[name]) for name in shown if rows.schema[name] in (pl.String, pl.List(pl.String))
        )

    def _column(self, column: pl.Series) -> pl.Expr:
        of, is_list = pl.col(column.name), column.dtype != pl.String
        changed = self.changed(column.explode(empty_as_null=False, keep_nulls=False) if is_list else column)
        if not changed:
            return of
        return of.list.eval(pl.element().replace(changed)) if is_list else of.replace(changed)

    def profile(self, profile: BrandProfile) -> BrandProfile:
        """The profile with the names replaced wherever a record may hold them."""
        kinds = ("own", "rivals", "watched", "pillars", "triggers")
        changed = {kind: _distinct(tuple(map(self._topic, getattr(profile, kind)))) for kind in kinds}
        phrases = tuple(dict.fromkeys(map(self.text, profile.forbidden.phrases)))
        return profile.model_copy(
            update={
                **changed,
                "title": self.text(profile.title),
                "forbidden": profile.forbidden.model_copy(update={"phrases": phrases}),
                "exclusions": BrandProfile.model_fields["exclusions"].default,
            }
        )

    def _topic(self, topic: Topic) -> Topic:
        name = self.text(topic.name)
        said = [text for term in topic.terms for text in (term.phrase, *term.near, *term.never)]
        is_clean = name == topic.name and all(self.text(text) == text for text in said)
        return topic if is_clean else Topic.model_validate({"name": name, "terms": [name]})


def _distinct(topics: tuple[Topic, ...]) -> tuple[Topic, ...]:
    return tuple({topic.name: topic for topic in reversed(topics)}.values())[::-1]


def _folded(phrase: str) -> str:
    plain = "".join(map(_base, unicodedata.normalize("NFC", phrase.casefold())))
    return " ".join(re.findall(r"\w+", plain)) or " ".join(phrase.split())


def _base(letter: str) -> str:
    """The Latin letter under an accent; a letter of another script as it is."""
    base = _ALIKE.get(letter, unicodedata.normalize("NFKD", letter))
    return base[0] if base[0].isascii() else letter


@cache
def _compiled(terms: tuple[str, ...]) -> tuple[re.Pattern[str], list[int]]:
    """One pattern for all names, the longest first, and the number of each of its groups."""
    order = sorted(range(len(terms)), key=lambda place: (-len(terms[place]), place))
    groups = "|".join(f"({_pattern(terms[place])})" for place in order)
    return re.compile(groups, re.IGNORECASE), [place + 1 for place in order]


def _plain(texts: pl.Expr) -> pl.Expr:
    """Texts as names are folded: small letters without accents."""
    folded = texts.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()
    return folded.str.replace_many(list(_ALIKE), list(_ALIKE.values())).str.normalize("NFC")


def _pattern(term: str) -> str:
    words = [re.sub(r"\w", lambda found: _letter(found.group()), re.escape(word)) for word in term.split()]
    whole = _BETWEEN.join(words)
    return rf"\b{whole}\b" if len(term) <= _SHORT and term.isascii() else whole


def _letter(letter: str) -> str:
    accented = _accented().get(letter, "")
    return f"[{letter}{accented}]" if accented else letter


@cache
def _accented() -> Mapping[str, str]:
    """The Latin letters that are one letter with an accent."""
    found: dict[str, str] = defaultdict(str)
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        letter = chr(code)
        base = _base(letter.lower())
        if base.isascii() and base.isalpha():
            found[base] += letter
    return found
