"""A report in five lines of plain text, for mail or chat."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import polars as pl

from brandkit import safe
from brandkit.record.compare import compare, run_before
from brandkit.record.compare import headline as moved_line
from brandkit.report import brief as content
from brandkit.report.brief import Brief
from brandkit.store.state import StateStore

MOST_TITLES = 3
MOST_LINES = 5
_TITLE_CHARACTERS, _LINE_CHARACTERS = 90, 400


def five_lines(brief: Brief, store: StateStore, link: Path) -> str:
    """Headline, must cover, do not amplify, what changed, and where the whole of it is.

    Every title is one line of plain text, cut where it is long; nothing in it can start a line.
    """
    title = safe.plain_text(brief.profile.title or brief.profile.id)
    lines = [
        f"{_cut(title)}, {content.day(brief)}: {content.headline(brief)}",
        f"Must cover: {_titles(brief.active('must_cover'))}",
        f"Do not amplify, but act: {_titles(brief.active('block'))}",
        f"What changed: {_changed(brief, store)}",
        f"The whole brief: {link}",
    ]
    return "".join(f"{safe.terminal(line)}\n" for line in lines)


def head_lines(page: str, link: Path) -> str:
    """What a page says above its first section, and where the whole of it is: at most five lines.

    It is read from the page itself, so an edition that leaves something out leaves it out here.
    """
    reader = _Head()
    reader.feed(page)
    told = [line for line in (safe.plain_text(" ".join(said.split())) for said in reader.lines) if line]
    cut = [line if len(line) <= _LINE_CHARACTERS else f"{line[: _LINE_CHARACTERS - 1]}…" for line in told]
    lines = [*cut[: MOST_LINES - 1], f"The whole report: {link}"]
    return "".join(f"{safe.terminal(line)}\n" for line in lines)


class _Head(HTMLParser):
    """The paragraphs and the title of a page up to its first section."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._is_over = self._is_in = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A paragraph or the title begins a line; a section ends it all."""
        self._is_over |= tag == "h2"
        self._is_in = tag in ("h1", "p") or (self._is_in and tag not in ("div", "section", "h2"))
        if tag in ("h1", "p") and not self._is_over:
            self.lines.append("")

    def handle_endtag(self, tag: str) -> None:
        """What stands between lines is none."""
        self._is_in &= tag not in ("h1", "p")

    def handle_data(self, data: str) -> None:
        """Text of a line, without its markup."""
        if self._is_in and not self._is_over:
            self.lines[-1] += data


def _titles(stories: pl.DataFrame) -> str:
    if stories.is_empty():
        return "nothing."
    shown = stories.head(MOST_TITLES).select("total", title=pl.coalesce("title", "url", "lead_item_id"))
    told = "; ".join(f"{_cut(safe.plain_text(title))} ({total})" for total, title in shown.rows())
    rest = stories.height - shown.height
    return f"{told}; and {rest:,} more." if rest else f"{told}."


def _cut(text: str) -> str:
    return text if len(text) <= _TITLE_CHARACTERS else f"{text[: _TITLE_CHARACTERS - 1].rstrip()}…"


def _changed(brief: Brief, store: StateStore) -> str:
    if brief.records.is_empty():
        return "no items on this day."
    before = run_before(store, brief.run)
    if before is None:
        return "there is no earlier run to compare with."
    told = moved_line(compare(before, brief.run, store))
    return f"since {store.run(before).run_on}: {told}."
