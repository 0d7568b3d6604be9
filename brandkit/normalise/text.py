"""Text from outside as plain text: tags off, entities decoded once, then what ``safe`` calls plain."""

from __future__ import annotations

import html
import re

import polars as pl

from brandkit.normalise.columns import patched, replaced
from brandkit.safe import plain_text_expr

TITLE_CHARACTERS = 1_000
SUMMARY_CHARACTERS = 20_000

# A letter must follow the bracket: "profits < costs" is arithmetic, not markup.
_TAG = r"(?s)<(?:!--.*?--|[!/]?[A-Za-z][^<>]{0,2000})>"
_BREAK = r"(?i)<(?:/?(?:p|div|li|ul|ol|h[1-6]|tr|td|table|blockquote)|br)(?:\s[^<>]{0,200})?/?>"
_SCRIPT = r"(?is)<(script|style)\b.*?(?:</(?:script|style)\s*>|$)"
# With its semicolon only: "AT&T" and "?a=1&copy=2" are left as they stand.
_ENTITY = r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
_ENTITY_RE = re.compile(_ENTITY)
# Characters that are plain and in NFC in any company: ASCII, accented Latin, Cyrillic, dashes and
# quotes, currency signs, CJK, kana and Hangul. Text of nothing else is left as it stands.
PLAIN = (
    "\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u0400-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e\u20a0-\u20bf"
    "\u3001-\u3029\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3"
)
_WORTH_A_LOOK = f"[^{PLAIN}]|  |^ | $|^$"


def decode_entities(values: pl.Series) -> pl.Series:
    """The series with HTML entities decoded, once: what was escaped twice stays escaped once."""
    return patched(values, _ENTITY, _decode)


def _decode(text: str) -> str:
    # Lone surrogates, such as &#xd800; would give, have no UTF-8; html.unescape makes them U+FFFD.
    return _ENTITY_RE.sub(lambda found: html.unescape(found.group()), text)


def clean_text(text: pl.Expr) -> pl.Expr:
    """Markup off, entities decoded once, NFC, one line, nothing invisible; blank is null."""
    return text.map_batches(cleaned, return_dtype=pl.String, is_elementwise=True)


def cleaned(values: pl.Series) -> pl.Series:
    """The series cleaned; only what could need it is worked on."""
    return replaced(replaced(values, "[<&]", _unmarked), _WORTH_A_LOOK, _plain)


def _unmarked(values: pl.Series) -> pl.Series:
    bare = values.str.replace_all(_SCRIPT, " ").str.replace_all(_BREAK, " ").str.replace_all(_TAG, "")
    # An entity may stand for a space at an end, or for nothing visible at all.
    return decode_entities(bare).str.strip_chars()


def _plain(values: pl.Series) -> pl.Series:
    plain = values.to_frame("text").select(plain_text_expr("text")).to_series()
    return plain.set(plain == "", None)


def cut(text: pl.Expr, *, at: int) -> pl.Expr:
    """The text, at most ``at`` characters of it."""
    return text.str.slice(0, at).str.strip_chars_end()
