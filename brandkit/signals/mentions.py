"""Which names, pillars and triggers of a profile occur in an item, and where.

Polars' own Aho-Corasick looks for whole words in folded text. Within one group the longest phrase
wins and hides what lies inside it ("New York Times" is not a mention of "New York"); groups are
matched apart, so that a rival's name never hides an own one. A term with a condition is matched by
itself: where its condition fails it must not have hidden anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from brandkit.pipeline import RunContext
from brandkit.profile import Term, Topic
from brandkit.signals._lexicon import Lexicon
from brandkit.signals._text import FrameT, column, word_list

Names = Mapping[str, Sequence[Term | str]]

_NAMES = pl.List(pl.String)
_NONE = pl.lit([], dtype=_NAMES)
_PARTS = ("title", "summary")
# Between canonical names that share one alias; no name can hold it, for texts have no controls.
_BETWEEN = "\x1f"


def find_mentions(items: FrameT, names: Names, *, into: str = "entities") -> FrameT:
    """Say which of the names occur in each item's title or summary.

    ``names`` maps a canonical name to the terms that mean it, each a phrase or a ``Term`` with
    ``near`` (one of these must stand in the item too) and ``never`` (none of these may). Words must
    match whole; case, accents and a possessive 's do not matter, but a name of up to four letters
    that is written with a capital keeps its case. An alias of two names gives both.

    Shape:  the same rows, plus ``into`` and ``<into>_in_title``: sorted, unique, never null.
    Nulls:  a null title or summary holds no name.

    Example:
        >>> items = pl.DataFrame({"title": ["Nordlys’s GE deal"], "summary": [None]})
        >>> find_mentions(items, {"Nordlys": ["nordlys"], "General Electric": ["GE"]})["entities"].to_list()
        [['General Electric', 'Nordlys']]
    """
    return _match(items, {into: names})


def mentions(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Find the profile's names, pillars, triggers, forbidden phrases and exclusions in each item.

    Shape:  the same rows, plus entities, pillars, triggers, forbidden with an ``_in_title`` twin
            each, excluded and is_denial. forbidden also names the risk flags the profile refuses.
    Nulls:  a null title or summary holds nothing; no list is null.
    """
    profile = ctx.profile
    sides = {"_own": profile.own, "_rivals": profile.rivals, "_watched": profile.watched}
    groups: dict[str, Names] = {
        **{side: _named(topics) for side, topics in sides.items()},
        "pillars": _named(profile.pillars),
        "triggers": _named(profile.triggers),
        "forbidden": {phrase: [phrase] for phrase in profile.forbidden.phrases},
        "_exclusions": {"exclusion": profile.exclusions.terms},
        "_denial": {"denial": _denials()},
    }
    found = _match(items, groups)
    given = items.collect_schema().names()
    helpers = [f"{side}{twin}" for side in (*sides, "_exclusions", "_denial") for twin in ("", "_in_title")]
    found = found.with_columns(
        entities=_union(pl.col(side) for side in sides),
        entities_in_title=_union(pl.col(f"{side}_in_title") for side in sides),
        # An exclusion tells what an item is really about, unless our own name is in its headline.
        excluded=(pl.col("_exclusions_in_title").list.len() > 0) & (pl.col("_own_in_title").list.len() == 0),
        is_denial=pl.col("_denial_in_title").list.len() > 0,
        # A flag the profile refuses came with the item: it forbids like a phrase.
        forbidden=_union([pl.col("forbidden"), _flagged(given, profile.forbidden.risk_flags)]),
    ).drop(helpers)
    kinds = ("entities", "pillars", "triggers", "forbidden")
    lists = [f"{kind}{twin}" for kind in kinds for twin in ("", "_in_title")]
    return found.select(*given, *lists, "excluded", "is_denial")


def _flagged(given: Iterable[str], refused: tuple[str, ...]) -> pl.Expr:
    if "risk_flags" not in given or not refused:
        return _NONE
    flags = pl.col("risk_flags").list.eval(pl.element().filter(pl.element().is_in(refused)))
    return pl.coalesce(flags, _NONE)


def _named(topics: Iterable[Topic]) -> Names:
    return {topic.name: topic.terms for topic in topics}


def _denials() -> list[Term]:
    lines = (line.partition("!") for line in word_list("denials.txt"))
    return [
        Term(phrase=phrase.strip(), never=tuple(word.strip() for word in never.split(",") if word.strip()))
        for phrase, _, never in lines
    ]


def _match(items: FrameT, groups: Mapping[str, Names]) -> FrameT:
    """Add each group's hits and title hits; readings of the text are made once for all groups."""
    texts = {name: column(items, name, pl.String) for name in _PARTS}
    compiled: dict[str, list[tuple[str, Term]]] = {
        group: [(name, _term(term)) for name, terms in names.items() for term in terms]
        for group, names in groups.items()
    }
    lexicon = _lexicon(term for terms in compiled.values() for _, term in terms)
    readings = {
        _read(part, reading): lexicon.read(text, reading)
        for part, text in texts.items()
        for reading in lexicon.readings
    }
    hits = {
        f"_{group}_{part}": _hits(terms, part, lexicon)
        for group, terms in compiled.items()
        for part in _PARTS
    }
    anywhere = {group: _union(pl.col(f"_{group}_{part}") for part in _PARTS) for group in groups}
    titles = {f"{group}_in_title": _union([pl.col(f"_{group}_title")]) for group in groups}
    found = items.with_columns(**readings).with_columns(**hits).with_columns(**anywhere, **titles)
    return found.drop(*readings, *hits)


def _lexicon(terms: Iterable[Term]) -> Lexicon:
    return Lexicon.of(phrase for term in terms for phrase in (term.phrase, *term.near, *term.never))


def _read(part: str, reading: str) -> str:
    return f"_{part}_{reading}"


def _term(term: Term | str) -> Term:
    return Term(phrase=term) if isinstance(term, str) else term


def _hits(terms: Iterable[tuple[str, Term]], part: str, lexicon: Lexicon) -> pl.Expr:
    """The canonical names found in one part of the item, with repeats, never null."""
    meant: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    found: list[pl.Expr] = []
    for name, term in terms:
        pattern = lexicon.patterns.get(term.phrase)
        if pattern and (term.near or term.never):
            found.append(_conditional(name, term, part, lexicon))
        elif pattern:
            for text in pattern.texts:
                meant[pattern.reading][text].add(name)
    found += [_extracted(texts, _read(part, reading)) for reading, texts in sorted(meant.items())]
    return pl.concat_list(found) if found else _NONE


def _extracted(meant: Mapping[str, set[str]], text: str) -> pl.Expr:
    # Longest first: with leftmost matching the pattern named first wins at each place.
    patterns = sorted(meant, key=lambda pattern: (-len(pattern), pattern))
    values = [_BETWEEN.join(sorted(meant[pattern])) for pattern in patterns]
    hits = pl.col(text).str.extract_many(patterns, leftmost=True)
    named = hits.list.eval(pl.element().replace_strict(patterns, values, return_dtype=pl.String))
    return named.list.join(_BETWEEN).str.split(_BETWEEN)


def _conditional(name: str, term: Term, part: str, lexicon: Lexicon) -> pl.Expr:
    """A name whose term holds only where its company does, anywhere in the item."""
    holds = _contains([term.phrase], [part], lexicon)
    if term.near:
        holds = holds & _contains(term.near, _PARTS, lexicon)
    if term.never:
        holds = holds & ~_contains(term.never, _PARTS, lexicon)
    return pl.when(holds).then(pl.lit([name], dtype=_NAMES)).otherwise(_NONE)


def _contains(phrases: Iterable[str], parts: Iterable[str], lexicon: Lexicon) -> pl.Expr:
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for phrase in phrases:
        if pattern := lexicon.patterns.get(phrase):
            texts[pattern.reading] += pattern.texts
    found = (
        pl.col(_read(part, reading)).str.contains_any(patterns)
        for part in parts
        for reading, patterns in texts.items()
    )
    return pl.any_horizontal(pl.lit(value=False), *found)


def _union(lists: Iterable[pl.Expr]) -> pl.Expr:
    """Sorted unique strings of lists, without the empty string that an empty join leaves."""
    joined = pl.concat_list(list(lists))
    return joined.list.eval(pl.element().filter(pl.element() != "")).list.unique().list.sort()
