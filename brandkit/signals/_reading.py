"""Text as mentions are looked for in it: plain words in their case, with what may end a word.

Made of expressions only. What ``_text.folded`` does for comparing texts goes further here, where a
name must be found however it is written: invisible characters and trade mark signs do not break a
name, and a sign that belongs to it ("C++") can be told from its absence.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import polars as pl

from brandkit.signals._text import _LETTERS, UNSPACED

# One private character for each way a word may end, in the order of their weight: a word has one.
POSSESSIVE, PLUS, PLUS_PLUS, SHARP = SUFFIXES = tuple(map(chr, range(0xF0000, 0xF0004)))
_SIGNS = {PLUS_PLUS: r"\+\+", PLUS: r"\+", SHARP: "#"}
WORD = r"\p{L}\p{N}\p{M}"
# Every way to write an apostrophe, but the back quote, which is ASCII; and signs that a compatible
# decomposition would glue to a name as letters. A final sigma is a sigma.
_SPELLED = dict.fromkeys("\u2018\u2019\u201b\u02bb\u02bc\u00b4\u2032", "'")
_SPELLED |= {"\u2122": " ", "\u2120": " ", "\u03c2": "\u03c3"}
# What is not seen (soft hyphens, zero widths, directions, variation selectors, key caps), and marks
# that readers leave out: accents, and the points of Hebrew and Arabic with the Arabic stretcher.
_UNSEEN = (
    r"[\p{Cf}\u0300-\u036f\ufe00-\ufe0f\u20e3\u{e0100}-\u{e01ef}"
    r"\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc]+"
)
# Where letters have case, beside ASCII.
_CASED = (
    (0x80, 0x590), (0x10A0, 0x1100), (0x13A0, 0x1400), (0x1C80, 0x2000), (0x2100, 0x2190), (0x24B6, 0x24EA),
    (0x2C00, 0x2D30), (0xA640, 0xA800), (0xAB30, 0xABC0), (0x10400, 0x10600), (0x10C80, 0x10D90),
    (0x118A0, 0x118E0), (0x16E40, 0x16E80), (0x1E900, 0x1E944),
)  # fmt: skip


def is_ascii(text: pl.Expr) -> pl.Expr:
    """True for a text that is ASCII throughout, which ``plain`` would leave as it is."""
    return text.str.len_bytes() == text.str.len_chars()


def plain(text: pl.Expr) -> pl.Expr:
    """A text without accents, compatible forms and unseen characters, in its case.

    Signs outside ASCII are spaces then, and scripts written without spaces have one round each letter.
    """
    bare = text.str.replace_many(list(_SPELLED), list(_SPELLED.values())).str.normalize("NFKD")
    bare = bare.str.replace_all(_UNSEEN, "").str.replace_many(list(_LETTERS), list(_LETTERS.values()))
    spaced = bare.str.normalize("NFC").str.replace_all(UNSPACED, " ${1} ")
    return spaced.str.replace_all(rf"[^{WORD}\x00-\x7f]+", " ")


def worded(text: pl.Expr, *, suffixes: Iterable[str]) -> pl.Expr:
    """A plain text as words in their case, each between two spaces; of suffixes those that are named."""
    kept = sorted(suffixes)
    owned = rf"([{WORD}])(\+\+?|#)?['`][sS]([^{WORD}]|$)"
    words = text.str.replace_all(owned, f"${{1}}${{2}}{POSSESSIVE}${{3}}")
    # A sign outweighs the possessive after it: "Disney+'s".
    for sign in "+#":
        words = words.str.replace_all(f"{sign}{POSSESSIVE}", sign, literal=True)
    if POSSESSIVE not in kept:
        words = words.str.replace_all(POSSESSIVE, " ", literal=True)
    if any(suffix in kept for suffix in _SIGNS):
        for suffix, sign in _SIGNS.items():
            end = suffix if suffix in kept else ""
            words = words.str.replace_all(f"([{WORD}]){sign}", f"${{1}}{end} ")
    return pl.lit(" ") + words.str.replace_all(f"[^{WORD}{''.join(SUFFIXES)}]+", "  ") + " "


def lowered(text: pl.Expr) -> pl.Expr:
    """The text with letters outside ASCII in lower case."""
    lower = _lower()
    return text.str.replace_many(list(lower), list(lower.values()))


@cache
def _lower() -> dict[str, str]:
    letters = pl.Series([chr(code) for start, stop in _CASED for code in range(start, stop)])
    pairs = pl.DataFrame({"letter": letters, "low": letters.str.to_lowercase()})
    changed = pairs.filter((pl.col("letter") != pl.col("low")) & (pl.col("low").str.len_chars() == 1))
    return dict(changed.rows())
