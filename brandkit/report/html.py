"""HTML that cannot run: built from escaped text, kept by an allow-list, wrapped in a page without script.

Text is a ``str`` and is escaped wherever it is put; markup is an ``Html`` and only these functions
make one. So nothing from outside becomes markup by being handed on.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from brandkit import safe

# No script, no network, no form: what is not named here is forbidden.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_PICTURE = "data:image/png;base64,"
_VOID = frozenset({"img", "br"})
_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "a": frozenset({"href", "rel"}),
    "img": frozenset({"src", "alt", "width", "height"}),
    "th": frozenset({"scope"}),
    # What a phone writes before a cell.
    "td": frozenset({"data-label"}),
}
_TAGS = frozenset(
    {
        "a",
        "b",
        "br",
        "caption",
        "code",
        "details",
        "div",
        "em",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "section",
        "span",
        "strong",
        "summary",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    }  # fmt: skip
)


@dataclass(frozen=True, slots=True)
class Html:
    """Markup that is safe to show; a notebook displays it."""

    markup: str

    def _repr_html_(self) -> str:
        return f'<div class="bk {safe.NOT_MATH}">{self.markup}</div>'

    def __repr__(self) -> str:
        return f"<Html of {len(self.markup):,} characters>"

    def __bool__(self) -> bool:
        """True when there is anything to show."""
        return bool(self.markup)


@dataclass(frozen=True, slots=True)
class Theme:
    """The house style for a notebook; a page has it in its head already."""

    def _repr_html_(self) -> str:
        return f"<style>{stylesheet('report')}</style>"

    def __repr__(self) -> str:
        return "<Theme>"


def tag(name: str, *children: Html | str, **attributes: str) -> Html:
    """An element: strings in it are escaped, markup is kept, an empty attribute is left out.

    Example:
        >>> tag("p", "5 < 6", class_="soft").markup
        '<p class="soft">5 &lt; 6</p>'
    """
    kept = ((key.rstrip("_"), safe.html_text(value)) for key, value in attributes.items() if value)
    given = "".join(f' {key}="{value}"' for key, value in kept)
    if name in _VOID:
        return Html(f"<{name}{given}>")
    return Html(f"<{name}{given}>{join(children).markup}</{name}>")


def join(parts: Iterable[Html | str], *, between: str = "") -> Html:
    """Parts in a row, strings escaped; nothing is put around an empty part."""
    shown = [part.markup if isinstance(part, Html) else safe.html_text(part) for part in parts]
    return Html(safe.html_text(between).join(part for part in shown if part))


def link(url: str | None, label: str) -> Html:
    """A link to a web address, or only the text where the address is none."""
    return Html(safe.html_link(url, label))


def picture(png: bytes, alt: str) -> Html:
    """A PNG in the page itself, with the text that stands for it.

    Raises: ValueError without a text, for whoever cannot see it would not know it is there.
    """
    if not alt.strip():
        raise ValueError("a picture in a page needs a text that stands for it: say what it shows")
    return tag("img", src=_PICTURE + base64.b64encode(png).decode("ascii"), alt=alt)


@cache
def stylesheet(name: str) -> str:
    """One of the packaged style sheets: ``report`` for the parts, ``page`` for what is around them."""
    return files("brandkit").joinpath("defaults", f"{name}.css").read_text(encoding="utf-8")


def sanitised(markup: str) -> str:
    """Markup of unknown making with everything taken out that is not on the house's list.

    What is left cannot run: no script, style, handler or form; pictures only as PNG in the page,
    links only to the web.
    """
    from bleach.sanitizer import Cleaner

    protocols = frozenset({"http", "https", "data"})
    cleaner = Cleaner(tags=_TAGS, attributes=_is_allowed, protocols=protocols, strip=True)
    return str(cleaner.clean(markup))


def _is_allowed(tag_name: str, name: str, value: str) -> bool:
    if name == "href":
        return value.lower().startswith(("http://", "https://"))
    if name == "src":
        return tag_name == "img" and value.startswith(_PICTURE)
    return name == "class" or name in _ATTRIBUTES.get(tag_name, frozenset())


def page(body: str, *, title: str) -> str:
    """A whole document around a sanitised body: one file, no network, no script."""
    name = safe.html_text(title)
    style = stylesheet("report") + stylesheet("page")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
