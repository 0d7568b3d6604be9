"""Form that sells a headline rather than tells it, and addresses that anybody gets unasked.

Each is an expression over one item: whether it holds, and null where the text is not known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import polars as pl

from brandkit.signals._text import folded

# Longer than nine headlines in ten. Source: Horne and Adali 2017, "This Just In: Fake News Packs a Lot
# in Title": invented stories have longer titles with more capitals, for the title is the whole claim.
LONG_TITLE_WORDS = 14
# Shorter words in capitals are mostly names: NATO, NASA, UEFA.
SHOUTED_LETTERS = 5
# A post has no headline: its title is the text, which is long and loud for other reasons.
_WITH_HEADLINE = ("article", "other")

_LETTER_WORDS = r"\b\p{L}{2,}\b"
_LOUD = r"\b\p{Lu}{4,}\b"
_WORDS = r"\S*[\p{L}\p{N}]\S*"
_MARKS = r"!\s*!|\?\s*!|!\s*\?|\?\s*\?"
# What stands before a colon, an exclamation mark, a bar or a dash, at the start or after another such part.
_OPENING = r"^([^:!|\u2013\u2014]{1,40}?)\s*(?:[:!|\u2013\u2014]|\s-\s)"
_SECOND = (
    r"^[^:!|\u2013\u2014]{1,40}[:!|\u2013\u2014]\s*([^:!|\u2013\u2014]{1,40}?)\s*(?:[:!|\u2013\u2014]|\s-\s)"
)
# An archived page is the page of whom it was taken from. Nothing else in a path names a host.
_ARCHIVED = r"(?i)^(?:https?://)?web\.archive\.org/web/[^/]+/(.+)$"
_HOST = r"^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?(?://)?(?:[^/?#@]*@)?([^/?#:@]+)"


def forms(words: Mapping[str, Sequence[str]], addresses: Mapping[str, Sequence[str]]) -> dict[str, pl.Expr]:
    """Whether each form holds, by name: columns title, item_type, url and domain in."""
    title = pl.col("title")
    is_headline = pl.col("item_type").cast(pl.String).is_in(_WITH_HEADLINE).fill_null(value=True)
    sells = says(title, words["sensational"]) | title.str.contains(_MARKS) | _is_loud(title)
    holds = {
        "sensational_form": sells,
        "alarm_opening": _alarm(title, words["alarm"]),
        "exclaiming": title.str.contains("!", literal=True) & ~title.str.contains(_MARKS),
        "capitalised_throughout": _capitalised(title, words["little"]) & is_headline,
        "long_title": (title.str.count_matches(_WORDS) >= LONG_TITLE_WORDS) & is_headline,
        "cheap_address": _cheap(addresses),
    }
    # A title in capitals throughout is told as sensational form already.
    shouts = (_shouted(title, (*words["labels"], *words["alarm"])) > 0) & ~_is_loud(title)
    return holds | {"shouting": shouts}


def says(text: pl.Expr, phrases: Sequence[str]) -> pl.Expr:
    """Whether a text holds one of the folded phrases as whole words."""
    padded = pl.concat_str(pl.lit(" "), folded(text), pl.lit(" "))
    return padded.str.contains_any([f" {phrase} " for phrase in phrases])


def phrases_in(text: pl.Expr, phrases: Sequence[str], *, label: str) -> pl.Expr:
    """The folded phrases that stand in a text as whole words, as ``label: phrase``."""
    # Two spaces: two phrases side by side would share one. Longest first: "not confirmed", not its end.
    words = pl.concat_str(pl.lit("  "), folded(text), pl.lit("  ")).str.replace_all(r" +", "  ")
    doubled = [f" {phrase.replace(' ', '  ')} " for phrase in phrases]
    found = words.str.extract_many(sorted(doubled, key=lambda one: (-len(one), one)), leftmost=True)
    bare = pl.element().str.strip_chars(" ").str.replace_all("  ", " ", literal=True)
    return found.list.eval(pl.concat_str(pl.lit(f"{label}: "), bare))


def _is_loud(title: pl.Expr) -> pl.Expr:
    """Most of a title in capitals, and four words of it at least."""
    loud = title.str.count_matches(_LOUD)
    return (loud >= 4) & (2 * loud > title.str.count_matches(_LETTER_WORDS))


def _shouted(title: pl.Expr, labels: Sequence[str]) -> pl.Expr:
    """Words in capitals, without the labels that desks write so (VIDEO, UPDATE) and what opens an alarm."""
    single = sorted({re.escape(word.upper()) for label in labels for word in label.split(" ")})
    bare = title.str.replace_all(rf"\b(?:{'|'.join(single)})\b", "")
    return bare.str.count_matches(rf"\b\p{{Lu}}{{{SHOUTED_LETTERS},}}\b")


def _alarm(title: pl.Expr, openings: Sequence[str]) -> pl.Expr:
    parts = [folded(title.str.extract(pattern)).is_in(openings) for pattern in (_OPENING, _SECOND)]
    return pl.any_horizontal(parts)


def _capitalised(title: pl.Expr, little: Sequence[str]) -> pl.Expr:
    """Little words within the title have capitals, and none has not: no style book asks for that."""
    small = "|".join(re.escape(word) for word in little)
    large = "|".join(re.escape(word.capitalize()) for word in little)
    # Only after a word in small letters or a number: the first word of a quotation is no little word.
    return title.str.contains(rf"[\p{{Ll}}\p{{N}}]\s+(?:{large})\s") & ~title.str.contains(
        rf"\s(?:{small})\s"
    )


def _cheap(addresses: Mapping[str, Sequence[str]]) -> pl.Expr:
    host = hosts(pl.col("url"), pl.col("domain"))
    ending = pl.concat_str(pl.lit("."), host.str.extract(r"([^.]+)$"))
    hosted = "|".join(re.escape(name) for name in addresses["hosts"])
    listed = ending.is_in([f".{name}" for name in addresses["endings"]])
    return listed | host.str.contains(rf"(?:^|\.)(?:{hosted})$")


def hosts(url: pl.Expr, domain: pl.Expr) -> pl.Expr:
    """The host an address names, that of the page itself for an archived one; else the domain."""
    page = pl.coalesce(url.str.extract(_ARCHIVED), url)
    return pl.coalesce(page.str.extract(_HOST), domain.cast(pl.String)).str.to_lowercase()
