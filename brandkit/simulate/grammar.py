"""Headlines from word lists: templates compiled to number tables, text joined a column at a time.

A template is a row of pieces: fixed text, one of a group of words (drawn for every report anew),
or a fact of the event (drawn once, in one of its two forms). All text lives in one pool, so that
a million headlines are a matrix of pool numbers and one gather per piece.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FIXED, WORD, FACT = 0, 1, 2
_SLOT = re.compile(r"(\{[a-z_0-9]+(?:\.(?:alt|cap))?\})")
_ROWS_AT_ONCE = 250_000
# What every everyday topic may name without saying so.
_ALWAYS_TOLD = {"who": "person", "town": "town", "product": "product", "byline": "person", "place": "town"}
_DEFAULT_TYPES = ("article", "article", "article", "post")


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of happening, compiled: where its facts and its templates stand."""

    name: str
    topic: str
    tags: tuple[str, ...]
    gravity: float
    weight: float
    official: bool
    language: str
    types: tuple[str, ...]
    kinds: tuple[str, ...]
    facts: tuple[tuple[int, int], ...]
    leads: tuple[int, int]
    tails: tuple[int, int]
    summaries: tuple[int, int]
    rumours: tuple[int, int]
    rumour_tails: tuple[int, int]
    rumour_summaries: tuple[int, int]
    denials: tuple[int, int]
    denial_summaries: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Grammar:
    """The compiled grammar: events, the text pool, and the template table."""

    events: tuple[Event, ...]
    n_stories: int
    pool: pl.Series
    kind: Ints
    first: Ints
    second: Ints
    cast: dict[str, list[str]]
    newsroom: dict[str, list[str]]
    social: dict[str, list[str]]
    asides: dict[str, tuple[int, int]]

    @property
    def n_facts(self) -> int:
        """The most facts any event has."""
        return max(len(event.facts) for event in self.events)

    def render(self, templates: Ints, facts: Ints, rng: np.random.Generator) -> pl.Series:
        """The text of each row: its template filled from its facts, words drawn by ``rng``."""
        parts = [
            self._render(templates[at : at + _ROWS_AT_ONCE], facts[at : at + _ROWS_AT_ONCE], rng)
            for at in range(0, len(templates), _ROWS_AT_ONCE)
        ]
        return pl.concat(parts) if parts else pl.Series("text", [], dtype=pl.String)

    def _render(self, templates: Ints, facts: Ints, rng: np.random.Generator) -> pl.Series:
        rows = np.arange(len(templates))
        columns: list[pl.Series] = []
        for piece in range(self.kind.shape[1]):
            kind, first, second = (t[templates, piece] for t in (self.kind, self.first, self.second))
            if not (first.any() or kind.any()):
                continue
            drawn = first + (rng.random(len(rows)) * second).astype(np.int64)
            told = facts[rows, np.where(kind == FACT, first, 0)] + second
            number = np.select([kind == WORD, kind == FACT], [drawn, told], first)
            columns.append(self.pool.gather(number.astype(np.uint32)).alias(f"p{piece}"))
        if not columns:
            return pl.Series("text", [""] * len(rows), dtype=pl.String)
        return pl.DataFrame(columns).select(text=pl.concat_str(pl.all())).to_series()


def pick(span: Ints, rng: np.random.Generator) -> Ints:
    """One number of each row's (start, count) span."""
    return span[:, 0] + (rng.random(len(span)) * span[:, 1]).astype(np.int64)


class _Pool:
    """Text by number; equal lists are kept once."""

    def __init__(self) -> None:
        self.texts: list[str] = [""]
        self._known: dict[tuple[str, ...], int] = {}

    def add(self, texts: list[str]) -> tuple[int, int]:
        key = tuple(texts)
        if key not in self._known:
            self._known[key] = len(self.texts)
            self.texts.extend(texts)
        return self._known[key], len(texts)


class _Compiler:
    """Reads the word lists once and turns them into tables."""

    def __init__(self) -> None:
        folder = resources.files("brandkit.defaults")
        self.cast, self.told, self.everyday = (
            tomllib.loads((folder / f"grammar_{name}.toml").read_text(encoding="utf-8"))
            for name in ("cast", "events", "everyday")
        )
        self.pool = _Pool()
        self.rows: list[list[tuple[int, int, int]]] = []
        self.kinds = {
            kind: _halved(self.pool.add(forms))
            for kind, forms in _name_forms(_with_coined(self.cast)).items()
        }
        self.words: dict[str, tuple[int, int]] = {
            name: self.pool.add(texts) for name, texts in self.told["words"].items()
        }

    def compile(self) -> Grammar:
        happenings = self.told["event"]
        events = [
            self._event(entry) for entry in (*happenings, *map(self._everyday, self.everyday["everyday"]))
        ]
        asides = {name: self._templates(texts, {}, {}) for name, texts in self.everyday["asides"].items()}
        width = max(len(row) for row in self.rows)
        table = np.zeros((3, len(self.rows), width), dtype=np.int64)
        for number, row in enumerate(self.rows):
            for at, piece in enumerate(row):
                table[:, number, at] = piece
        return Grammar(
            events=tuple(events),
            n_stories=len(happenings),
            pool=pl.Series("pool", self.pool.texts),
            kind=table[0],
            first=table[1],
            second=table[2],
            cast=self.cast["names"],
            newsroom=self.cast["newsroom"],
            social=self.cast["social"],
            asides=asides,
        )

    def _everyday(self, entry: dict[str, Any]) -> dict[str, Any]:
        enders = self.everyday["enders"]["texts"]
        return {
            "name": f"everyday_{entry['topic']}",
            "summaries": self.everyday["asides"]["summaries"],
            # About half of the headlines end where they end.
            "tails": [""] * len(enders) + enders,
            **entry,
            "facts": {**_ALWAYS_TOLD, **entry["facts"]},
        }

    def _event(self, entry: dict[str, Any]) -> Event:
        kinds = {slot: kind if isinstance(kind, str) else "" for slot, kind in entry["facts"].items()}
        spans = [
            self.kinds[kind] if isinstance(kind, str) else _halved(self.pool.add(_two_forms(kind)))
            for kind in entry["facts"].values()
        ]
        slots = {slot: number for number, slot in enumerate(entry["facts"])}
        words = {
            **self.words,
            **{name: self.pool.add(texts) for name, texts in entry.get("words", {}).items()},
        }

        def templates(texts: list[str]) -> tuple[int, int]:
            return self._templates(texts, slots, words)

        rumour = self.told["rumour"]
        about = {"{claim}": entry.get("claim", "something happened"), "{subject}": f"{{{next(iter(slots))}}}"}
        around = {
            part: templates([_filled(text, about) for text in rumour[part]])
            for part in ("leads", "tails", "summaries", "denials", "denial_summaries")
        }
        return Event(
            name=entry["name"],
            topic=entry["topic"],
            tags=tuple(entry.get("tags", ())),
            gravity=entry.get("gravity", 0.1),
            weight=float(entry.get("weight", 1)),
            official=bool(entry.get("official")),
            language=entry.get("language", "en"),
            types=tuple(entry.get("types", _DEFAULT_TYPES)),
            kinds=tuple(kinds.values()),
            facts=tuple(spans),
            leads=templates(entry["leads"]),
            tails=templates(entry.get("tails", [""])),
            summaries=templates(entry["summaries"]),
            rumours=around["leads"],
            rumour_tails=around["tails"],
            rumour_summaries=around["summaries"],
            denials=around["denials"],
            denial_summaries=around["denial_summaries"],
        )

    def _templates(
        self, texts: list[str], slots: dict[str, int], words: dict[str, tuple[int, int]]
    ) -> tuple[int, int]:
        start = len(self.rows)
        self.rows.extend(
            [self._piece(piece, slots, words) for piece in _SLOT.split(text) if piece] for text in texts
        )
        return start, len(texts)

    def _piece(
        self, piece: str, slots: dict[str, int], words: dict[str, tuple[int, int]]
    ) -> tuple[int, int, int]:
        if not _SLOT.fullmatch(piece):
            return FIXED, self.pool.add([piece])[0], 0
        name, _, form = piece[1:-1].partition(".")
        if name in slots:
            return FACT, slots[name], int(bool(form))
        return (WORD, *words[name])


@cache
def load_grammar() -> Grammar:
    """The shipped grammar, compiled once."""
    return _Compiler().compile()


def _filled(text: str, values: dict[str, str]) -> str:
    for slot, value in values.items():
        text = text.replace(slot, value)
    return text


def _two_forms(texts: list[str]) -> list[str]:
    return [form for text in texts for form in (text, text[:1].upper() + text[1:])]


def _halved(span: tuple[int, int]) -> tuple[int, int]:
    return span[0], span[1] // 2


def _with_coined(cast: dict[str, Any]) -> dict[str, list[str]]:
    """The names as listed, then those coined from beginnings and ends."""
    coined = {
        kind: [a + b for b in parts["end"] for a in parts["begin"]] for kind, parts in cast["coined"].items()
    }
    return {kind: names + coined.get(kind, []) for kind, names in cast["names"].items()}


def _name_forms(names: dict[str, list[str]]) -> dict[str, list[str]]:
    """Every kind of fact with its two forms side by side: a full name and a surname, $2bn and $2 billion."""
    firsts, lasts = names["first"], names["last"]
    people = [(f"{first} {last}", last) for i, first in enumerate(firsts) for last in lasts[i % 37 :: 37]]
    millions = [2, 3, 5, 8, 12, 18, 25, 40, 60, 75, 90, 120, 150, 220, 300, 450, 600, 750, 900]
    billions = ["1.1", "1.4", "1.9", "2.3", "2.8", "3.5", "4.2", "5.6", "7.5", "9", "11", "14", "18", "26"]
    thousands = [4, 7, 9, 12, 15, 21, 34, 48, 60, 85, 120, 180, 240, 310, 460, 650, 800]
    numbers: dict[str, list[tuple[str, str]]] = {
        "person": people,
        "money": [(f"${n}m", f"${n} million") for n in millions]
        + [(f"${n}bn", f"${n} billion") for n in billions],
        "money_round": [(f"${n}m", f"${n} million") for n in millions],
        "money_big": [(f"${n}bn", f"${n} billion") for n in billions],
        "hundreds": [(f"{n:,}", f"{n}") for n in (*range(150, 990, 70), *range(1200, 9000, 850))],
        "money_small": [(f"${n},000", f"${n}k") for n in range(85, 990, 45)],
        "people": [(f"{n},000", f"{n} thousand") for n in thousands]
        + [(f"{n} million", f"{n}m") for n in ("1.2", "1.7", "2", "2.5", "3", "4.4", "6", "9", "11", "19")],
        "percent": [(f"{n}%", f"{n} per cent") for n in (*range(2, 31), 35, 38, 42, 47, 55, 60, 73)],
        "count": [
            (str(n), f"about {n}") for n in (*range(7, 60, 3), 70, 85, 96, 110, 130, 175, 200, 240, 320, 450)
        ],
        "year": [(str(n), f"the end of {n}") for n in range(2027, 2036)],
        "age": [(str(n), f"age {n}") for n in range(19, 84)],
    }
    forms = {kind: [form for pair in pairs for form in pair] for kind, pairs in numbers.items()}
    return forms | {kind: _two_forms(texts) for kind, texts in names.items() if kind not in ("first", "last")}
