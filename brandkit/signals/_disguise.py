"""Names written in letters that look like other letters: mixed scripts, and what a disguised name shows.

Source: the look-alikes are facts from the Unicode confusables data (UTS 39), for what a host name can
hold in lower case; a few that are told apart only in some fonts are in, for a false hit needs the
whole name to come out as one that is listed.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import polars as pl

# What a reader takes for the letter, from other scripts and from rarer corners of Latin.
_LOOKS_LIKE = {
    "a": "аαɑᴀ", "b": "ьƅɓ", "c": "сςᴄɔ", "d": "ԁɗđժᴅ", "e": "еҽєεɛəᴇ", "f": "ƒքϝꜰ", "g": "ɡցԍǥɢ",
    "h": "һհћħʜ", "i": "іιıɩɪ", "j": "јϳȷյ", "k": "кκҝĸᴋ", "l": "ӏǀłʟוا", "m": "мɱᴍ", "n": "пոռηŋɲɴ",
    "o": "оοօσøөѳᴏס๐ഠ", "p": "рρþᴘ", "q": "ԛգզ", "r": "гᴦɾɼʀ", "s": "ѕʂꜱƽ", "t": "тτŧᴛ", "u": "υսʋᴜ",
    "v": "νѵᴠ", "w": "ԝѡաωшɯᴡ", "x": "хχҳ", "y": "уγүყʏ", "z": "ᴢʐƶζ", "-": "‐‒–—―−ー", ".": "。",
    "ae": "æӕ", "oe": "œ", "ss": "ß",
}  # fmt: skip
_SHOWS = str.maketrans({odd: plain for plain, all_ in _LOOKS_LIKE.items() for odd in all_})
# Letters that show nothing at all; marks and format characters go by their category.
_BLANK = str.maketrans(dict.fromkeys("\u115f\u1160\u17b4\u17b5\u3164\uffa0"))
# Scripts that one language writes together, so that their mixture says nothing.
_TOGETHER = (
    frozenset({"LATIN", "CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "IDEOGRAPHIC", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "IDEOGRAPHIC", "HANGUL"}),
)
# Only internationalised names can be disguised so, and a day has few distinct ones.
# Only the prefix in any case: with its case folded, the other class would take a Kelvin sign for a k.
ODD = r"(?i:(^|\.)xn--)|[^\x00-\x7f]"


def mixed_script(domains: pl.Series) -> pl.Series:
    """Whether a label of each domain mixes scripts that no language writes together; null for null."""
    odd = domains.filter(domains.str.contains(ODD).fill_null(value=False)).unique()
    mixed = [name for name in odd.to_list() if any(_mixes(label) for label in shown(name))]
    return domains.is_in(pl.Series(mixed, dtype=pl.String).implode())


def skeletons(domains: pl.Series) -> pl.Series:
    """What a reader takes each odd domain for, in ASCII where its letters allow it; null for a plain one."""
    found = pl.Series(domains.name, [None], dtype=pl.String).new_from_index(0, len(domains))
    rows = domains.str.contains(ODD).arg_true()
    # Scattered over nulls: a look-up of every row would cost more than all the rest of the stage.
    return found.scatter(rows, [skeleton(name) for name in domains.gather(rows)]) if len(rows) else found


@lru_cache(maxsize=10_000)
def skeleton(name: str) -> str:
    """A name as it looks: A-labels shown, accents and invisible characters gone, look-alikes as ASCII.

    >>> skeleton("xn--pple-43d.com"), skeleton("réuters.com")
    ('apple.com', 'reuters.com')
    """
    text = unicodedata.normalize("NFKD", ".".join(shown(name)).translate(_BLANK).lower())
    seen = "".join(c for c in text if unicodedata.category(c) not in ("Mn", "Me", "Cf", "Cc"))
    return seen.translate(_SHOWS)


def shown(name: str) -> list[str]:
    """The labels of a name as a reader sees them; one that decodes to nothing is left as it is."""
    return [_decoded(label) or label for label in name.split(".")]


def _decoded(label: str) -> str | None:
    """The text of an A-label; None for any other label, and for one that decodes to nothing."""
    if label[:4].lower() != "xn--":
        return None
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return None


def _mixes(label: str) -> bool:
    if label[:4].lower() == "xn--":
        # What decodes to nothing hides what it shows; it is treated as a disguise.
        return True
    scripts = {unicodedata.name(letter, "UNKNOWN").split()[0] for letter in label if letter.isalpha()}
    return len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER)
