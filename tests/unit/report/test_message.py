"""A report in a few lines: what stands above its first section, as text that can do nothing."""

from __future__ import annotations

from pathlib import Path

from brandkit.report.html import join, page, tag
from brandkit.report.message import head_lines
from tests.unit.report.briefs import HOSTILE

LINK = Path("/reports/weekly.html")


def test_the_head_of_a_page_is_told_and_nothing_of_its_sections() -> None:
    body = join(
        [
            tag("p", "Technology desk", class_="kicker"),
            tag("h1", "Week of 2 to 8 March"),
            tag("p", "7 runs, ", tag("strong", "3 stories"), " to cover.", class_="lead"),
            tag("div", "7 must cover"),
            tag("h2", "Trends"),
            tag("p", "not this"),
        ]
    )
    assert head_lines(page(body.markup, title="t"), LINK).splitlines() == [
        "Technology desk",
        "Week of 2 to 8 March",
        "7 runs, 3 stories to cover.",
        "The whole report: /reports/weekly.html",
    ]


def test_hostile_text_makes_no_line_of_its_own_and_no_more_than_five_are_told() -> None:
    for text in HOSTILE:
        body = join([tag("p", f"{text}\nX-Header: 1", class_="lead") for _ in range(9)])
        lines = head_lines(page(body.markup, title="t"), LINK).splitlines()
        assert len(lines) <= 5
        assert not [
            line for line in lines if line.startswith("X-Header") or "\x1b" in line or len(line) > 420
        ]
