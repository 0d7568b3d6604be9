"""What ``find_mentions`` promises, in plain Python: one text, one name, one word after the other.

Nothing of brandkit is used here but ``Term``: the rules are written down a second time, slowly.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from brandkit.profile import Term

LETTERS = {
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O",
    "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ı": "i", "þ": "th", "Þ": "TH", "ð": "d", "Ð": "D",
}  # fmt: skip
APOSTROPHES = "'`‘’‛ʻʼ´′"
POINTS = "ֿׁׂׅׄ" + "".join(
    map(chr, [*range(0x591, 0x5BE), 0x5C7, *range(0x610, 0x61B), 0x640, *range(0x64B, 0x660), 0x670,
              *range(0x6D6, 0x6DD)])
)  # fmt: skip
MARKS = ((0x300, 0x36F), (0xFE00, 0xFE0F), (0x20E3, 0x20E3), (0xE0100, 0xE01EF))
ALONE = ("CJK UNIFIED", "CJK COMPAT", "IDEOGRAPHIC ITER", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO",
         "KHMER", "MYANMAR")  # fmt: skip


@dataclass(frozen=True)
class Word:
    """A word as it is written, and what it ends in: ``+``, ``++``, ``#``, ``'s`` or nothing."""

    cased: str
    ending: str = ""

    @property
    def low(self) -> str:
        """The word in lower case."""
        return self.cased.lower().replace("ς", "σ")


def words(text: str | None) -> list[Word]:
    """The words of a text, from left to right."""
    letters = _folded(text or "")
    found: list[Word] = []
    place = 0
    while place < len(letters):
        stop = place
        while stop < len(letters) and _is_letter(letters[stop]) and not _stands_alone(letters[stop]):
            stop += 1
        if stop == place:
            if _stands_alone(letters[place]):
                found.append(Word(letters[place]))
            place += 1
            continue
        word, place = letters[place:stop], stop
        ending = ""
        for sign in ("++", "+", "#"):
            if letters.startswith(sign, place):
                ending = sign
                break
        if _owns(letters, place + len(ending)):
            place += 2
            ending = ending or "'s"
        found.append(Word(word, ending))
        place += len(ending) if ending != "'s" else 0
    return found


def _owns(letters: str, place: int) -> bool:
    after = letters[place + 2 : place + 3]
    is_s = letters[place : place + 1] in ("'", "`") and letters[place + 1 : place + 2] in ("s", "S")
    return is_s and not (after and _is_letter(after) and not _stands_alone(after))


def _folded(text: str) -> str:
    for sign in APOSTROPHES[2:]:
        text = text.replace(sign, "'")
    text = unicodedata.normalize("NFKD", text.replace("™", " ").replace("℠", " ").replace("ς", "σ"))
    text = "".join(letter for letter in text if not _is_unseen(letter))
    return unicodedata.normalize("NFC", "".join(LETTERS.get(letter, letter) for letter in text))


def _is_unseen(letter: str) -> bool:
    code = ord(letter)
    is_mark = (
        0x300 <= code <= 0x36F or 0xFE00 <= code <= 0xFE0F or code == 0x20E3 or 0xE0100 <= code <= 0xE01EF
    )
    return is_mark or letter in POINTS or unicodedata.category(letter) == "Cf"


def _is_letter(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LNM"


def _stands_alone(letter: str) -> bool:
    name = unicodedata.name(letter, "")
    return _is_letter(letter) and (name.startswith(ALONE) or "PROLONGED SOUND MARK" in name)


def says(part: Sequence[Word], place: int, phrase: Sequence[Word]) -> bool:
    """Whether the phrase stands at a place of the text."""
    there = part[place : place + len(phrase)]
    return len(there) == len(phrase) and all(
        wanted.low == word.low
        and wanted.ending in ("", word.ending)
        and (wanted.cased == word.cased or not is_short(phrase))
        for wanted, word in zip(phrase, there, strict=True)
    )


def is_short(phrase: Sequence[Word]) -> bool:
    """Up to four letters, and a capital among them."""
    together = "".join(word.cased for word in phrase)
    has_ending = any(word.ending for word in phrase)
    return len(together) <= 4 and together.lower() != together and not has_ending


class Reference:
    """The names of one group, looked for by going through every text word by word."""

    def __init__(self, names: Mapping[str, Sequence[Term | str]]) -> None:
        terms = [
            (name, term if isinstance(term, Term) else Term(phrase=term))
            for name, given in names.items()
            for term in given
        ]
        self.terms = [(name, term, words(term.phrase)) for name, term in terms if words(term.phrase)]
        self.by_first: dict[str, list[tuple[str, list[Word]]]] = {}
        for name, term, phrase in self.terms:
            if not term.near and not term.never:
                self.by_first.setdefault(phrase[0].low, []).append((name, phrase))

    def find(self, title: str | None, summary: str | None = None) -> tuple[list[str], list[str]]:
        """The names in the item, and those in its title."""
        parts = [words(title), words(summary)]
        in_title, in_summary = ({*self._bare(part), *self._conditional(part, parts)} for part in parts)
        return sorted(in_title | in_summary), sorted(in_title)

    def _bare(self, part: Sequence[Word]) -> Iterator[str]:
        place = 0
        while place < len(part):
            here = [
                (name, phrase)
                for name, phrase in self.by_first.get(part[place].low, [])
                if says(part, place, phrase)
            ]
            longest = max((len(phrase) for _, phrase in here), default=1)
            yield from (name for name, phrase in here if len(phrase) == longest)
            place += longest

    def _conditional(self, part: Sequence[Word], parts: Sequence[Sequence[Word]]) -> Iterator[str]:
        for name, term, phrase in self.terms:
            if not (term.near or term.never) or not _holds(part, phrase):
                continue
            is_near = any(_holds(p, words(near)) for p in parts for near in term.near)
            is_never = any(_holds(p, words(never)) for p in parts for never in term.never)
            if (is_near or not term.near) and not is_never:
                yield name


def _holds(part: Sequence[Word], phrase: Sequence[Word]) -> bool:
    return bool(phrase) and any(says(part, place, phrase) for place in range(len(part)))
