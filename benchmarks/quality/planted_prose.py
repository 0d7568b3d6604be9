"""Invented news prose: words by their usual order of frequency, names, numbers, quotes.

About half of it are common words, a tenth stock phrases of the trade, the rest invented words, some of
everyday and some of the event. So unrelated reports share what unrelated reports share.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

_COMMON = [
    word
    for line in (
        "the of to and in a for on that with is said by as at it from was has be are its will an have",
        "would which after been were this not had their but he more also who they his about or one than",
        "over when she new up could all into year last first two her out there some time other years",
        "before between while most during under since because other against no people so what where many",
        "government week company months how only made can through being did both these them then still",
        "may should own such",
    )
    for word in line.split()
]
_STOCK = (
    "a spokesman for the company said", "did not immediately respond to a request for comment",
    "according to two people familiar with the matter", "on condition of anonymity because",
    "the company said in a statement", "at a news conference on", "in the first three months of the year",
    "compared with the same period a year ago", "a decision is expected by the end of the month",
    "the case is being heard in", "officials said on Tuesday", "the ministry declined to comment",
    "has been under pressure from", "in an interview with local radio", "are expected to vote on",
    "no one was hurt", "the police are asking anyone who saw", "is due to open in the spring",
    "critics say the plan", "the union said its members", "a court filing showed", "as part of a deal",
    "for the second time this year", "it was not clear whether", "at the end of last year",
)  # fmt: skip
WIRES = ("Fjord Wire", "Nordpress", "Tellus News", "Agence Littoral")
OUTLETS = ("The Harbour Post", "Evening Ledger", "Valley Courier", "Morgenavisen", "Portal 24", "News 7")
_ONSETS = ("b", "br", "d", "f", "g", "gr", "h", "k", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v")
_SYLLABLES = [onset + rest for onset in _ONSETS for rest in ("a", "e", "i", "o", "u", "ai", "or", "en")]
_ACCENTED = str.maketrans({"e": "é", "o": "ö", "a": "å"})
PLAIN = str.maketrans({"é": "e", "ö": "o", "å": "a"})
_SLOT = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class Told:
    """One text: a title and the sentences of its body."""

    title: str
    sentences: tuple[str, ...]

    @property
    def body(self) -> str:
        """The sentences as one text."""
        return " ".join(self.sentences)


class Desk:
    """Writes reports, edits them as other desks do, and writes what only looks like them."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.Generator(np.random.PCG64(seed))
        words = {self._coined() for _ in range(26_000)}
        self.words = sorted(words)
        self.rng.shuffle(self.words)
        self._common = self._zipf(len(_COMMON), 0.9)
        self._everyday = self._zipf(len(self.words), 1.0)
        self.footers = [self.sentence([], length=int(n)) for n in self.rng.integers(20, 46, len(OUTLETS))]

    def _coined(self) -> str:
        return "".join(self.rng.choice(_SYLLABLES, size=int(self.rng.integers(2, 5))))

    @staticmethod
    def _zipf(n: int, slope: float) -> np.ndarray:
        return np.cumsum((w := 1 / np.arange(1, n + 1) ** slope) / w.sum())

    def drawn(self, words: list[str] | tuple[str, ...], cumulative: np.ndarray | None = None) -> str:
        """One of the words, all alike or by their cumulative frequency."""
        if cumulative is None:
            return words[int(self.rng.integers(len(words)))]
        return words[min(int(np.searchsorted(cumulative, self.rng.random())), len(words) - 1)]

    def name(self) -> str:
        """A coined name; one in three has a letter with an accent."""
        name = self.drawn(self.words)
        return (name.translate(_ACCENTED) if self.rng.random() < 0.33 else name).capitalize()

    def facts(self) -> dict[str, str]:
        """Who, where and how much of one event."""
        rng = self.rng
        money = f"${rng.integers(2, 900)}.{rng.integers(1, 10)} million"
        numbers = [
            f"{rng.integers(2, 95)} percent", money, f"{rng.integers(3, 40) * 100:,}",
            str(rng.integers(2, 60)),
            f"{rng.integers(2, 30)}.{rng.integers(1, 10)} percent", str(rng.integers(100, 990)),
            f"${rng.integers(1, 30)}.{rng.integers(1, 10)} billion", str(rng.integers(1880, 2026)),
        ]  # fmt: skip
        return {
            "company": f"{self.name()} {self.drawn(('Bank', 'Group', 'Motors', 'Energy', 'Foods'))}",
            "person": f"{self.name()} {self.name()}", "other": f"{self.name()} {self.name()}",
            "town": self.name(), "rival": self.name(),
            **{f"n{k + 1}": number for k, number in enumerate(numbers)},
        }  # fmt: skip

    def sentence(
        self, topic: list[str], *, length: int, slots: tuple[str, ...] = (), often: float = 0.1
    ) -> str:
        """One sentence with about ``length`` words; slots stand in it as {slot}."""
        words: list[str] = []
        while len(words) < length:
            draw = self.rng.random()
            if slots and draw < often:
                words.append("{" + self.drawn(slots) + "}")
            elif draw < often + 0.03:
                words.extend(self.drawn(_STOCK).split())
            elif topic and draw < often + 0.18:
                words.append(self.drawn(topic))
            elif draw < 0.62:
                words.append(self.drawn(_COMMON, self._common))
            else:
                words.append(self.drawn(self.words, self._everyday))
        text = " ".join(words)
        return text[:1].upper() + text[1:] + "."

    def texts(self, n: int, fewest: int, most: int) -> pl.Series:
        """Many texts at once, of words alone."""
        pool, at_once = pl.Series([*_COMMON, *self.words]), 20_000
        parts = []
        for _ in range(0, n, at_once):
            length = np.exp(self.rng.uniform(np.log(fewest), np.log(most), at_once)).astype(np.int64)
            is_common = self.rng.random(int(length.sum())) < 0.48
            draw = self.rng.random(len(is_common))
            word = np.where(
                is_common,
                np.searchsorted(self._common, draw).clip(max=len(_COMMON) - 1),
                len(_COMMON) + np.searchsorted(self._everyday, draw).clip(max=len(self.words) - 1),
            )
            rows = pl.DataFrame({"row": np.repeat(np.arange(at_once), length), "word": pool.gather(word)})
            parts.append(rows.group_by("row", maintain_order=True).agg(pl.col("word").str.join(" "))["word"])
        return pl.concat(parts)[:n]

    def topic(self) -> list[str]:
        """The words of one event."""
        return [self.drawn(self.words) for _ in range(30)]

    def plan(self, topic: list[str], n_words: int, *, often: float = 0.1, names_only: bool = False) -> Told:
        """A report with slots where its facts go."""
        names = ("company", "person", "other", "town", "rival", "company")
        slots = names if names_only else (*names, "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8")
        lead = "{company} " + self.sentence(topic, length=8)[:-1].lower() + " in {town}"
        if not names_only:
            lead += " {n4} {n1}"
        sentences = [lead + " " + self.drawn(_STOCK) + "."]
        while len(sentences) < 2 or sum(len(s.split()) for s in sentences) < n_words:
            length = int(self.rng.integers(9, 29))
            if self.rng.random() < 0.15:
                quote = self.sentence(topic, length=length)
                sentences.append(f'"{quote[:-1]}," {{person}} said.')
            else:
                sentences.append(self.sentence(topic, length=length, slots=slots, often=often))
        title = "{company} " + self.sentence(topic, length=int(self.rng.integers(4, 9)))[:-1].lower()
        return Told(title if names_only else title + " {n1}", tuple(sentences))

    @staticmethod
    def filled(told: Told, facts: dict[str, str]) -> Told:
        """The report with its facts."""

        def fill(text: str) -> str:
            return _SLOT.sub(lambda slot: facts[slot.group()[1:-1]], text)

        return Told(fill(told.title), tuple(map(fill, told.sentences)))

    def rewrite(
        self, told: Told, facts: dict[str, str], topic: list[str], *, n_words: int, lifted: float = 0
    ) -> Told:
        """Another desk's own report of the event: its quotes, names and numbers, in other words.

        ``lifted`` is a share of its own length that it takes over as it is.
        """
        fresh = self.filled(self.plan(topic, n_words), facts)
        quotes = [s for s in told.sentences if s.startswith('"')][:3]
        own = [s for s in fresh.sentences if not s.startswith('"')]
        for sentence in told.sentences[1:]:
            if sum(len(s.split()) for s in quotes) + len(sentence.split()) <= lifted * n_words:
                quotes.append(sentence)
        for quote in quotes:
            own.insert(int(self.rng.integers(1, len(own) + 1)), quote)
        return Told(fresh.title, tuple(own))
