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

    @property
    def patterns(self) -> Mapping[str, str]:
        """A pattern for each name with what replaces it, the longest name first."""
        numbered = {term: f"{_WITHHELD}{n}]" for n, term in enumerate(self.terms, start=1)}
        return {_pattern(term): numbered[term] for term in sorted(self.terms, key=lambda t: (-len(t), t))}

    def text(self, text: str) -> str:
        """A text with each name replaced."""
        for pattern, instead in self.patterns.items():
            text = re.sub(pattern, instead, text)
        return text

    def texts(self, column: pl.Expr) -> pl.Expr:
        """The same for a column of strings."""
        for pattern, instead in self.patterns.items():
            column = column.str.replace_all(pattern, instead.replace("$", "$$"))
        return column

    def frame(self, rows: pl.DataFrame) -> pl.DataFrame:
        """A frame with the names replaced in every text and every list of texts."""
        shown = {name: kind for name, kind in rows.schema.items() if not name.endswith(_IDS)}
        texts = [name for name, kind in shown.items() if kind == pl.String]
        lists = [name for name, kind in shown.items() if kind == pl.List(pl.String)]
        return rows.with_columns(
            *(self.texts(pl.col(name)) for name in texts),
            *(pl.col(name).list.eval(self.texts(pl.element())) for name in lists),
        )

    def names_any(self, column: pl.Expr) -> pl.Expr:
        """Whether a name stands in each text of a column; null where there is no text."""
        if not self.terms:
            return pl.when(column.is_not_null()).then(pl.lit(value=False))
        return pl.any_horizontal(column.str.contains(pattern) for pattern in self.patterns)

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


def _pattern(term: str) -> str:
    words = [re.sub(r"\w", lambda found: _letter(found.group()), re.escape(word)) for word in term.split()]
    whole = _BETWEEN.join(words)
    is_short = len(term) <= _SHORT and term.isascii()
    return rf"(?i)\b{whole}\b" if is_short else f"(?i){whole}"


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
