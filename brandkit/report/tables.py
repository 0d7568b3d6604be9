"""Tables, cards and chips: frames and stories as HTML, everything from outside escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from brandkit.record.explain import Explanation
from brandkit.report import charts
from brandkit.report.brief import counted, spoken
from brandkit.report.cards import Card
from brandkit.report.html import Html, join, link, picture, tag

# A headline is read, not studied: what is longer is cut here and whole behind its link.
TITLE_CHARACTERS = 160
# Any other text is read whole, unless somebody was sent a book.
TEXT_CHARACTERS = 600
_NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Column:
    """One column to show: from ``name``, under ``label``; ``link`` names the column of its address."""

    name: str
    label: str
    kind: Literal["text", "title", "number", "when", "code", "decision"] = "text"
    link: str = ""


def table(
    rows: pl.DataFrame, columns: Sequence[Column], *, caption: str = "", total: int | None = None
) -> Html:
    """The rows as a table, and how many more there are when ``total`` says so.

    Nulls: shown as a dash, which is not 0.
    """
    head = tag("tr", *(tag("th", c.label, scope="col", class_=_class(c)) for c in columns))
    body = [tag("tr", *(_td(row, c) for c in columns)) for row in rows.iter_rows(named=True)]
    title = tag("caption", caption) if caption else Html("")
    made = tag("table", title, tag("thead", head), tag("tbody", *body))
    rest = more(rows.height if total is None else total, shown=rows.height)
    # On a phone a row of many cells is read from top to bottom, a short one from left to right.
    shape = "wide stacked" if len(columns) > 3 else "wide"
    return join([tag("div", made, class_=shape), rest])


def _td(row: dict[str, Any], column: Column) -> Html:
    return tag("td", _cell(row, column), class_=_class(column), **{"data-label": column.label})


def _class(column: Column) -> str:
    return "" if column.kind == "text" else column.kind


def _cell(row: dict[str, Any], column: Column) -> Html | str:
    value = row[column.name]
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return _bounded(", ".join(str(entry) for entry in value))
    if isinstance(value, int):
        return f"{value:,}"
    text = f"{value:,.2f}" if isinstance(value, float) else _bounded(str(value))
    if column.kind == "title":
        text = charts.shortened(text, TITLE_CHARACTERS)
    if column.kind == "decision":
        return chip(text)
    if column.link:
        return link(row[column.link], text)
    return tag("code", text) if column.kind == "code" else text


def _bounded(text: str) -> str:
    return text if len(text) <= TEXT_CHARACTERS else charts.shortened(text, TEXT_CHARACTERS)


def more(total: int, *, shown: int) -> Html:
    """'and 14 more' where a section was cut, nothing where it was not."""
    return tag("p", f"and {total - shown:,} more", class_="soft small") if total > shown else Html("")


def chip(decision: str) -> Html:
    """A decision as a small coloured label; the word says it too."""
    return tag("span", spoken(decision), class_=f"chip {decision}")


def tally(counts: dict[str, int]) -> Html:
    """The number of stories of each decision, side by side."""
    boxes = [
        tag("li", tag("b", f"{n:,}"), spoken(decision), class_=decision) for decision, n in counts.items()
    ]
    return tag("ul", *boxes, class_="tally")


def card(story: Card, *, is_drawn: bool = True) -> Html:
    """A story to act on; with ``is_drawn`` the picture of its points stands beside it."""
    told = tag(
        "div",
        tag("p", chip(story.decision), " ", story.sentence),
        _said("Verdict: ", [story.verdict] if story.verdict else []),
        _said("What changed: ", [story.since] if story.since else []),
        _said("Desk: ", [story.state] if story.state else []),
        tag("p", tag("strong", "About: "), story.about, class_="small") if story.about else Html(""),
        tag("p", story.facts, class_="soft small"),
        _publishers(story),
        _said("Speaks against it: ", story.doubts),
        _links(story),
        _commands(story.commands[:1]),
        class_="told",
    )
    png = charts.png(charts.waterfall_small(story.explanation)) if is_drawn else b""
    drawn = tag("div", picture(png, described(story.explanation)), class_="drawn")
    title = tag("h3", link(story.url, charts.shortened(story.title, TITLE_CHARACTERS)))
    sides = tag("div", told, drawn, class_="sides") if is_drawn else told
    return tag(
        "div",
        title,
        sides,
        points(story.explanation, commands=story.commands[1:]),
        class_=f"card {story.decision}",
    )


def _publishers(story: Card) -> Html:
    most = 6
    parts: list[Html | str] = []
    for tier, names in story.publishers.items():
        rest = f" and {len(names) - most} more" if len(names) > most else ""
        parts.append(join([tag("span", tier, class_="tier"), f" {', '.join(names[:most])}{rest}"]))
    if story.n_unlisted:
        parts.append(counted(story.n_unlisted, "unlisted publisher", "unlisted publishers"))
    return tag("ul", *(tag("li", part) for part in parts), class_="plain small") if parts else Html("")


def _commands(commands: Sequence[str]) -> Html:
    """Commands to type, one below the other."""
    if not commands:
        return Html("")
    return tag("div", *(_command(command) for command in commands), class_="commands")


def _command(command: str) -> Html:
    """A command to type, which breaks between its words only."""
    return tag("code", join([tag("span", word, class_="w") for word in command.split(" ")], between=" "))


def _said(before: str, reasons: Sequence[str]) -> Html:
    said = _bounded("; ".join(reasons))
    return tag("p", tag("strong", before), said, class_="small") if reasons else Html("")


def _links(story: Card) -> Html:
    if not story.links:
        return Html("")
    shown = [link(url, label) for url, label in story.links]
    return tag("p", tag("strong", "See also: "), join(shown, between=" · "), class_="small")


def points(explanation: Explanation, *, commands: Sequence[str] = ()) -> Html:
    """Every step to the total with its fact, and more to type, folded away until asked for."""
    columns = (
        Column("component", "Component"), Column("name", "Part"), Column("points", "Points", "number"),
        Column("maximum", "Of", "number"), Column("fact", "Because"),
    )  # fmt: skip
    frame = explanation.frame().with_columns(pl.col("name").str.replace_all("_", " "))
    told = f"How the {explanation.total} points came about"
    return tag("details", tag("summary", told), table(frame, columns), _commands(commands))


def described(explanation: Explanation) -> str:
    """The picture of the points, in words."""
    scores = ", ".join(f"{component} {n}" for component, n in explanation.scores.items())
    return f"Where the {explanation.total} points come from: {scores}."


def section(title: str, *content: Html | str, n: int | None = None) -> Html:
    """A heading, with the number of stories under it where that is told, and what stands there."""
    count = tag("span", f"{n:,}", class_="n") if n is not None else Html("")
    return join([tag("h2", title, count), *content])


def side_by_side(*parts: Html) -> Html:
    """Pictures, or a picture and what is told of it, beside each other where there is room."""
    return tag("div", *(tag("div", part, class_="drawn") for part in parts if part), class_="sides")


def note(text: str) -> Html:
    """A line a reader should not miss."""
    return tag("p", _bounded(text), class_="note")


def nothing(text: str) -> Html:
    """A section without content says so."""
    return tag("p", text, class_="soft")
