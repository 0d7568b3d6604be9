"""Which names, pillars and triggers of a profile occur in an item, and where.

Polars' own Aho-Corasick looks for whole words in folded text. Within one group the longest phrase
wins and hides what lies inside it ("New York Times" is not a mention of "New York"); groups are
matched apart, so that a rival's name never hides an own one. A term with a condition is matched by
itself: where its condition fails it must not have hidden anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from brandkit.pipeline import RunContext
from brandkit.profile import Topic
from brandkit.signals._matching import PARTS, Names, Search
from brandkit.signals._text import FrameT, column
from brandkit.signals.contradiction import contradiction_of

_NONE = pl.lit([], dtype=pl.List(pl.String))
_FOUND = "_found"


def find_mentions(items: FrameT, names: Names, *, into: str = "entities") -> FrameT:
    """Say which of the names occur in each item's title or summary.

    ``names`` maps a canonical name to the terms that mean it, each a phrase or a ``Term`` with
    ``near`` (one of these must stand in the item too) and ``never`` (none of these may).

    Words must match whole; between them any space or sign may stand ("AT&T", "7-Eleven"), and where
    no spaces are written (Chinese, Japanese, Thai) each letter is a word. Case, accents, compatible
    letters, trade mark signs and a possessive 's do not matter, with these exceptions: a name of up
    to four letters that is written with a capital keeps its case ("GE", "Gap", "Visa"), and one that
    has an 's, +, ++ or # at a word wants it there ("Macy's", "Disney+", "C#"). Where names overlap,
    the one that begins first counts, and the longer of two that begin together; a term with a
    condition is matched by itself. An alias of two names gives both.

    Shape:  the same rows, plus ``into`` and ``<into>_in_title``: sorted, unique, never null.
    Nulls:  a null title or summary holds no name.
    Raises: UsageError for terms that are no list, and for one that is blank or over 200 characters.

    Example:
        >>> items = pl.DataFrame({"title": ["Nordlys’s GE deal"], "summary": [None]})
        >>> find_mentions(items, {"Nordlys": ["nordlys"], "General Electric": ["GE"]})["entities"].to_list()
        [['General Electric', 'Nordlys']]
    """
    return _match(items, {into: names})


def mentions(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Find the profile's names, pillars, triggers, forbidden phrases and exclusions in each item.

    Shape:  the same rows, plus entities, pillars, triggers, forbidden with an ``_in_title`` twin
            each, excluded, and is_denial: of a denial, a correction or a fact-check, as
            ``find_contradictions`` tells them. forbidden also names the risk flags the profile refuses.
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
    }
    kinds = ("pillars", "triggers", "forbidden", "_own", "_exclusions")
    outputs = {"entities": tuple(sides), **{kind: (kind,) for kind in kinds}}
    given = items.collect_schema().names()
    found = _match(items, groups, outputs).with_columns(
        # An exclusion tells what an item is really about, unless our own name is in its headline.
        excluded=(pl.col("_exclusions_in_title").list.len() > 0) & (pl.col("_own_in_title").list.len() == 0),
        is_denial=contradiction_of(
            column(items, "title", pl.String), column(items, "item_type", pl.String)
        ).is_not_null(),
        # A flag the profile refuses came with the item: it forbids like a phrase.
        forbidden=_union([pl.col("forbidden"), _flagged(given, profile.forbidden.risk_flags)]),
    )
    public = ("entities", "pillars", "triggers", "forbidden")
    lists = [f"{kind}{twin}" for kind in public for twin in ("", "_in_title")]
    return found.select(*given, *lists, "excluded", "is_denial")


def _flagged(given: Iterable[str], refused: tuple[str, ...]) -> pl.Expr:
    if "risk_flags" not in given or not refused:
        return _NONE
    flags = pl.col("risk_flags").list.eval(pl.element().filter(pl.element().is_in(refused)))
    return pl.coalesce(flags, _NONE)


def _named(topics: Iterable[Topic]) -> Names:
    return {topic.name: topic.terms for topic in topics}


def _match(
    items: FrameT, groups: Mapping[str, Names], outputs: Mapping[str, Sequence[str]] | None = None
) -> FrameT:
    """Add each output's hits and title hits, found for all groups in one pass over the texts."""
    search = Search.of(groups, outputs or {group: (group,) for group in groups})
    texts = pl.struct(column(items, part, pl.String).alias(part) for part in PARTS)
    found = texts.map_batches(search.found, return_dtype=pl.Struct(search.schema), is_elementwise=True)
    return items.with_columns(found.alias(_FOUND)).drop(*search.schema, strict=False).unnest(_FOUND)


def _union(lists: Iterable[pl.Expr]) -> pl.Expr:
    return pl.concat_list(list(lists)).list.unique().list.sort()
