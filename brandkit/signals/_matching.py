"""The search for many names in many texts: a cheap look first, then the exact one.

Texts that hold no word of any name are left at a plain Aho-Corasick pass over them as they are; only
the others are read and searched for whole words. Both passes are Polars' own, so the cost a text is
the same for five names as for five thousand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import polars as pl
from pydantic import ValidationError

from brandkit.errors import UsageError
from brandkit.profile import Term
from brandkit.signals._lexicon import Lexicon
from brandkit.signals._reading import is_ascii, plain

Names = Mapping[str, Sequence[Term | str]]

PARTS = ("title", "summary")
# What is in hand at one time; the tables of hits are larger than the texts.
_BATCH_ROWS = 100_000
_MOST_THREADS = 4
_HIT = {"row": pl.UInt32, "part": pl.UInt8, "name": pl.UInt32}


@dataclass(frozen=True)
class Group:
    """Phrases that are looked for together: the longest one at a place hides what lies inside it.

    Shape: ``meanings`` has ``pattern``, ``written`` and ``name``, the number of a name or a phrase.
    """

    patterns: list[str]
    meanings: pl.DataFrame

    @classmethod
    def of(cls, lexicon: Lexicon, numbers: Mapping[str, Iterable[int]]) -> Group:
        """A group of phrases, each with the numbers it stands for."""
        rows = [(phrase, number) for phrase in numbers for number in numbers[phrase]]
        named = pl.DataFrame(rows, schema={"phrase": pl.String, "name": pl.UInt32}, orient="row")
        meanings = lexicon.patterns(numbers).join(named, on="phrase").drop("phrase")
        # Longest first: with leftmost matching the pattern named first wins at each place.
        patterns = sorted(set(meanings["pattern"]), key=lambda pattern: (-len(pattern), pattern))
        return cls(patterns, meanings.unique().sort("pattern", "name"))

    def hits(self, words: pl.DataFrame, *, overlaps: str) -> pl.DataFrame:
        """Row, part and name of each phrase found in read texts; repeats are there still.

        ``overlaps="kept"`` finds every phrase, ``"hidden"`` the longest at each place, from the left.
        """
        if not self.patterns or words.is_empty():
            return pl.DataFrame(schema=_HIT)
        found = pl.col("text").str.extract_many(
            self.patterns,
            ascii_case_insensitive=True,
            overlapping=overlaps == "kept",
            leftmost=overlaps != "kept",
        )
        hits = (
            words.select("row", "part", hit=found)
            .filter(pl.col("hit").list.len() > 0)
            .explode("hit", empty_as_null=False, keep_nulls=False)
        )
        return hits.join(self._meant(hits["hit"].unique()), on="hit").select(
            pl.col(name).cast(dtype) for name, dtype in _HIT.items()
        )

    def _meant(self, hits: pl.Series) -> pl.DataFrame:
        lower = pl.DataFrame({"hit": hits}).with_columns(pattern=pl.col("hit").str.to_lowercase())
        meant = lower.join(self.meanings, on="pattern")
        return meant.filter(pl.col("written").is_null() | (pl.col("written") == pl.col("hit")))


@dataclass(frozen=True)
class Conditions:
    """Terms that hold only in their company, matched by themselves: none hides anything.

    Shape: ``terms`` has condition, phrase, name and wants_near; ``near`` and ``never`` condition and phrase.
    """

    phrases: Group
    terms: pl.DataFrame
    near: pl.DataFrame
    never: pl.DataFrame

    @classmethod
    def of(cls, lexicon: Lexicon, terms: Sequence[tuple[Term, Sequence[int]]]) -> Conditions:
        """The conditions of terms, each with the numbers of the names it stands for."""
        spoken = sorted({p for term, _ in terms for p in (term.phrase, *term.near, *term.never)})
        number = {phrase: place for place, phrase in enumerate(spoken)}
        pairs: dict[str, list[tuple[int, int]]] = {"near": [], "never": []}
        rows: list[tuple[int, int, int, bool]] = []
        for place, (term, names) in enumerate(terms):
            rows += [(place, number[term.phrase], name, bool(term.near)) for name in names]
            pairs["near"] += [(place, number[phrase]) for phrase in term.near]
            pairs["never"] += [(place, number[phrase]) for phrase in term.never]
        schema = {"condition": pl.UInt32, "phrase": pl.UInt32}
        return cls(
            Group.of(lexicon, {phrase: [number[phrase]] for phrase in spoken}),
            pl.DataFrame(rows, schema=schema | {"name": pl.UInt32, "wants_near": pl.Boolean}, orient="row"),
            *(pl.DataFrame(pairs[kind], schema=schema, orient="row") for kind in ("near", "never")),
        )

    def hits(self, words: pl.DataFrame) -> pl.DataFrame:
        """Row, part and name of each term whose company is right, anywhere in the item."""
        if self.terms.is_empty():
            return pl.DataFrame(schema=_HIT)
        said = self.phrases.hits(words, overlaps="kept").unique().rename({"name": "phrase"})
        anywhere = said.select("row", "phrase").unique()
        near = anywhere.join(self.near, on="phrase").select("row", "condition").unique()
        never = anywhere.join(self.never, on="phrase").select("row", "condition").unique()
        held = (
            said.join(self.terms, on="phrase")
            .join(never, on=["row", "condition"], how="anti")
            .join(near.with_columns(is_near=pl.lit(value=True)), on=["row", "condition"], how="left")
        )
        return held.filter(~pl.col("wants_near") | pl.col("is_near").is_not_null()).select(*_HIT)


@dataclass(frozen=True)
class Search:
    """Groups of names compiled to be looked for in one pass over the texts of items.

    Shape: ``found`` gives a Struct of two lists for each output, ``<output>`` and ``<output>_in_title``.
    """

    lexicon: Lexicon
    groups: tuple[Group, ...]
    conditions: Conditions
    # For each output its names in order, and the number of the first.
    outputs: Mapping[str, tuple[int, pl.Series]]
    # One word of each phrase, in any case or as written, in texts of ASCII: see ``Lexicon.hints``.
    hints: tuple[list[str], list[str]]
    condition_hints: tuple[list[str], list[str]]

    @classmethod
    def of(cls, groups: Mapping[str, Names], outputs: Mapping[str, Sequence[str]]) -> Search:
        """A search for groups of names; each output takes the names of one group or several."""
        compiled = {
            group: [(name, term) for name, terms in names.items() for term in _terms(name, terms)]
            for group, names in groups.items()
        }
        terms = [term for pairs in compiled.values() for _, term in pairs]
        lexicon = Lexicon.of(phrase for term in terms for phrase in (term.phrase, *term.near, *term.never))
        numbered, numbers = _numbered({group: list(groups[group]) for group in groups}, outputs)
        bare: dict[str, defaultdict[str, list[int]]] = {group: defaultdict(list) for group in groups}
        conditional: list[tuple[Term, Sequence[int]]] = []
        for group, pairs in compiled.items():
            for name, term in pairs:
                if term.near or term.never:
                    conditional.append((term, numbers[group, name]))
                else:
                    bare[group][term.phrase] += numbers[group, name]
        return cls(
            lexicon,
            tuple(Group.of(lexicon, phrases) for phrases in bare.values()),
            Conditions.of(lexicon, conditional),
            numbered,
            lexicon.hints(phrase for phrases in bare.values() for phrase in phrases),
            lexicon.hints(term.phrase for term, _ in conditional),
        )

    @property
    def schema(self) -> dict[str, pl.List]:
        """The fields of what ``found`` gives."""
        names = (f"{output}{end}" for output in self.outputs for end in ("", "_in_title"))
        return dict.fromkeys(names, pl.List(pl.String))

    def found(self, items: pl.Series) -> pl.Series:
        """The names in each item, a Struct of its texts; a batch of rows at a time."""
        starts = range(0, max(1, len(items)), _BATCH_ROWS)
        batches = [items.slice(start, _BATCH_ROWS).struct.unnest() for start in starts]
        if len(batches) == 1:
            return self._batch(batches[0]).to_struct(items.name)
        # Each step of a batch keeps one thread of Polars busy; the rows of a batch concern no other.
        with ThreadPoolExecutor(min(len(batches), pl.thread_pool_size(), _MOST_THREADS)) as threads:
            return pl.concat(threads.map(self._batch, batches)).to_struct(items.name)

    def _batch(self, items: pl.DataFrame) -> pl.DataFrame:
        words = self._words(_texts(items))
        found = [group.hits(words, overlaps="hidden") for group in self.groups]
        hits = pl.concat([*found, self.conditions.hits(words), pl.DataFrame(schema=_HIT)])
        lists = {}
        for output, (first, names) in self.outputs.items():
            ours = hits.filter(pl.col("name").is_between(first, first + len(names), closed="left"))
            ours = ours.with_columns(name=pl.col("name") - first)
            lists[output] = _lists(ours, names, items.height)
            in_title = ours.filter(pl.col("part") == PARTS.index("title"))
            is_all = in_title.height == ours.height
            lists[f"{output}_in_title"] = lists[output] if is_all else _lists(in_title, names, items.height)
        return pl.DataFrame(lists, schema=self.schema)

    def _words(self, texts: pl.DataFrame) -> pl.DataFrame:
        """The texts that may hold a name, read."""
        if not self.lexicon.phrases:
            return texts.clear()
        ascii_texts = texts.filter(is_ascii(pl.col("text")))
        # Once accents and typographic quotes are gone, most of the others are ASCII too.
        others = texts.filter(~is_ascii(pl.col("text"))).with_columns(text=plain(pl.col("text")))
        ascii_texts = pl.concat([ascii_texts, others.filter(is_ascii(pl.col("text")))])
        others = others.filter(~is_ascii(pl.col("text")))
        worth_it = ascii_texts.filter(self._may_hold(ascii_texts, others))
        read = self.lexicon.read
        return pl.concat(
            [
                worth_it.with_columns(text=read(pl.col("text"), ascii_only="yes")),
                others.with_columns(text=read(pl.col("text"), ascii_only="no")),
            ]
        )

    def _may_hold(self, texts: pl.DataFrame, others: pl.DataFrame) -> pl.Expr:
        """Which ASCII texts hold a word of a name, or belong to a term that an item may hold."""
        may_hold = _says_any(self.hints)
        if self.conditions.terms.is_empty():
            return may_hold
        # What a term wants in its company may stand in the other part of the item.
        rows = texts.filter(_says_any(self.condition_hints))["row"].append(others["row"]).unique()
        return may_hold | pl.col("row").is_in(rows.implode())


def _terms(name: str, terms: object) -> list[Term]:
    if isinstance(terms, str) or not isinstance(terms, Iterable):
        raise UsageError(
            f"the terms of {name!r} are no list: {terms!r}"[:300],
            allowed="a list of phrases and Terms",
            hint=f"write {{{name!r}: [{terms!r}]}}"[:300],
        )
    return [term if isinstance(term, Term) else _term(name, term) for term in terms]


def _term(name: str, phrase: Any) -> Term:
    try:
        return Term(phrase=phrase)
    except ValidationError as error:
        raise UsageError(
            f"a term of {name!r} cannot be looked for: {phrase!r}"[:300],
            allowed="a phrase of 1 to 200 characters, or a Term",
        ) from error


def _numbered(
    groups: Mapping[str, Sequence[str]], outputs: Mapping[str, Sequence[str]]
) -> tuple[dict[str, tuple[int, pl.Series]], dict[tuple[str, str], list[int]]]:
    """A number for each name of each output, in their order, and the numbers of each group's names."""
    numbered: dict[str, tuple[int, pl.Series]] = {}
    numbers: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    first = 0
    for output, members in outputs.items():
        names = sorted({name for group in members for name in groups[group]})
        place = {name: first + n for n, name in enumerate(names)}
        for group in members:
            for name in groups[group]:
                numbers[group, name].append(place[name])
        numbered[output] = (first, pl.Series(names, dtype=pl.String))
        first += len(names)
    return numbered, numbers


def _texts(items: pl.DataFrame) -> pl.DataFrame:
    """Row, part and text of every part that has one."""
    numbered = items.with_row_index("row")
    parts = [
        numbered.select("row", part=pl.lit(place, dtype=pl.UInt8), text=part)
        for place, part in enumerate(PARTS)
    ]
    return pl.concat(parts).filter(pl.col("text").fill_null("") != "")


def _says_any(hints: tuple[list[str], list[str]]) -> pl.Expr:
    loose, written = hints
    text = pl.col("text").str
    said = [text.contains_any(loose, ascii_case_insensitive=True)] if loose else []
    said += [text.contains_any(written)] if written else []
    return pl.any_horizontal(pl.lit(value=False), *said)


def _lists(hits: pl.DataFrame, names: pl.Series, n_rows: int) -> pl.Series:
    """The names of each row, sorted and unique, from rows and places among the names."""
    # One number for both: sorting that is several times as fast as sorting by two columns.
    keys = (hits["row"].cast(pl.UInt64) * len(names) + hits["name"]).unique().sort()
    row = (keys // max(1, len(names))).cast(pl.UInt32).set_sorted()
    spelled = pl.DataFrame({"row": row, "name": names.gather(keys % max(1, len(names)))})
    lists = spelled.group_by("row", maintain_order=True).agg("name")
    every = pl.DataFrame({"row": pl.int_range(n_rows, dtype=pl.UInt32, eager=True)})
    joined = every.join(lists, on="row", how="left", maintain_order="left")
    return joined["name"].fill_null(pl.Series([[]], dtype=pl.List(pl.String)))
