"""Text, links, CSV cells and terminal output made safe: the only place that escapes.

What comes from outside is shown, never obeyed. Each function serves one place where text is shown;
there is no general "sanitise", for what is harmless in one place is an order in another.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from brandkit.errors import UsageError

# `brandkit --help` imports this module and must not wait for Polars.
if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    import polars as pl

# Classes are built from characters, not from regex escapes: Python's `re` and the engine inside
# Polars must read the very same class, and they disagree about \s and \w.
_SPACES = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_CONTROLS = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
# Zero-width characters split a name for a matcher and not for a reader; tag characters hide whole
# sentences from a reader.
_HIDDEN = (
    "\u00ad\u034f\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f"
)
_INVISIBLE = f"[{_CONTROLS}{_BIDI}{_HIDDEN}]+"
# Joiners spell words in Persian and Hindi and build emoji, but after a letter of these scripts
# (Latin, Greek, Cyrillic, CJK), a digit or a space they only split names.
_STRAY_JOINER = (
    "(^|[\x00-\u058f\u1e00-\u200a\u2010-\u206f\u2100-\u214f\u3000-\u9fff\uac00-\ud7a3\uff00-\uffef])"
    "[\u200c\u200d]+"
)
_GAP = f"[{_SPACES}]+"

# Spreadsheets read a cell by its first visible character, whatever its width.
_FORMULA = (
    f"^(?:[\t\r\n]|[{_SPACES}{_CONTROLS}{_BIDI}{_HIDDEN}\u200c\u200d]*"
    "[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])"
)
_UNSHOWABLE = re.compile(f"[{_CONTROLS}{_BIDI}{_HIDDEN}\t\n\x0b\x0c\r\x85\u2028\u2029\ud800-\udfff]")
_INVISIBLE_RE = re.compile(_INVISIBLE)
_STRAY_JOINER_RE = re.compile(_STRAY_JOINER)
_GAP_RE = re.compile(_GAP)
# JupyterLab and Jupyter's template typeset what stands between dollars, links to scripts included; of
# an element of these classes they take it as text. What stands in <pre> or <code> they leave alone.
NOT_MATH = "tex2jax_ignore mathjax_ignore"
_NOT_IN_A_URL = re.compile(f'[{_SPACES}{_CONTROLS}{_BIDI}{_HIDDEN}\u200c\u200d"<>`\\\\]')
_SEGMENT = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def plain_text(text: str) -> str:
    r"""Text as a reader sees it: NFC, one line, single spaces, nothing invisible.

    Markup is left standing: it is text until somebody shows it, and each place escapes for itself.

    Example:
        >>> plain_text("Cafe\u0301\n  re\u200bopens \u202etoday")
        'Café reopens today'
    """
    # A lone surrogate cannot be stored as UTF-8; JSON can smuggle one in.
    text = text.encode("utf-8", "ignore").decode("utf-8")
    text = _STRAY_JOINER_RE.sub(r"\1", _INVISIBLE_RE.sub("", text))
    return _GAP_RE.sub(" ", unicodedata.normalize("NFC", text)).strip(" ")


def plain_text_expr(column: str | pl.Expr) -> pl.Expr:
    """What ``plain_text`` does, for a column of strings.

    Nulls: null stays null; a text of which nothing is left is an empty string, not null.
    """
    import polars as pl

    text = pl.col(column) if isinstance(column, str) else column
    return (
        text.str.replace_all(_INVISIBLE, "")
        .str.replace_all(_STRAY_JOINER, "${1}")
        .str.normalize("NFC")
        .str.replace_all(_GAP, " ")
        .str.strip_chars(" ")
    )


def html_text(text: str) -> str:
    """Text for HTML, in an element or in a quoted attribute: shown to the letter, never as markup.

    Example:
        >>> html_text("<b>R&D</b>")
        '&lt;b&gt;R&amp;D&lt;/b&gt;'
    """
    return html.escape(_INVISIBLE_RE.sub("", text), quote=True)


def html_link(url: str | None, label: str) -> str:
    """A link to an http or https address, or only the escaped label when ``url`` is anything else.

    Example:
        >>> html_link("javascript:alert(1)", "read")
        'read'
    """
    shown = html_text(label)
    if url is None or not _is_web_url(url):
        return shown
    return f'<a href="{html.escape(url, quote=True)}" rel="noopener noreferrer nofollow">{shown}</a>'


def _is_web_url(url: str) -> bool:
    # Browsers drop tabs and line ends inside a scheme, so an address holding one is no address.
    if _NOT_IN_A_URL.search(url):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    # What stands before an @ looks like the host and is not.
    return parts.scheme in {"http", "https"} and bool(host) and "@" not in parts.netloc


def csv_cells(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame whose strings and column names no spreadsheet takes for a formula.

    A leading apostrophe makes such a cell text. Numbers are left alone, negative ones too. Where a
    semicolon parts the cells, ``a;=1`` would be two of them: write with ``quote_style="non_numeric"``, or
    by ``write_csv``.

    Shape: the same rows and columns; Categorical and Enum columns become String.
    Nulls: stay null.
    """
    import polars as pl
    import polars.selectors as cs

    cell = cs.by_dtype(pl.String, pl.Categorical, pl.Enum).cast(pl.String)
    quoted = pl.when(cell.str.contains(_FORMULA)).then(pl.lit("'") + cell).otherwise(cell)
    return frame.with_columns(quoted.name.keep()).rename(
        lambda name: f"'{name}" if re.match(_FORMULA, name) else name
    )


def write_csv(frame: pl.DataFrame, target: Path | IO[bytes], *, has_mark: bool = False) -> None:
    """Write a frame for spreadsheets: ``csv_cells``, every text in quotes, numbers bare.

    Args:
        frame: what to write; lists and structs have to be text by then.
        target: a path or an open file.
        has_mark: begin with a byte-order mark, by which Excel knows UTF-8.
    """
    csv_cells(frame).write_csv(target, quote_style="non_numeric", include_bom=has_mark)


def terminal(text: str, *, keep_lines: bool = False) -> str:
    r"""Text that cannot move the cursor, ring, link or reorder: control characters are spelt out.

    Square brackets are left alone, so hand the result to rich as ``Text``, never as markup.

    Args:
        text: what came from outside.
        keep_lines: leave line ends in, for a message of ours of several lines.

    Example:
        >>> print(terminal("\x1b[2Jgone"))
        \x1b[2Jgone
    """

    def spelt(found: re.Match[str]) -> str:
        character = found.group()
        if keep_lines and character == "\n":
            return character
        return character.encode("unicode_escape").decode("ascii")

    return _UNSHOWABLE.sub(spelt, text)


def path_segment(text: str, *, kind: str = "name") -> str:
    """The text itself, proved fit to be one segment of a path.

    Raises: UsageError when it could leave its folder, hide, or clash on another file system.

    Example:
        >>> path_segment("desk.daily.2026-03-02.1")
        'desk.daily.2026-03-02.1'
    """
    if _SEGMENT.fullmatch(text):
        return text
    shown = terminal(text if len(text) <= 80 else f"{text[:80]}…")
    raise UsageError(
        f"{kind} '{shown}' cannot stand in a path",
        allowed="allowed: 1 to 64 characters of a-z, 0-9, '.', '_' and '-', the first a letter or a digit",
    )
