"""The brief as a reader sees it: in headless Chromium, at desk and on the phone, light, dark and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter

from brandkit.report import charts, daily, html, notebooks, palette
from brandkit.report.brief import Brief
from tests.browser import found, opened
from tests.looks import DESKTOP, PHONE, Look
from tests.unit.report.briefs import HOSTILE, briefed
from tests.unit.report.test_charts import LEAST_TYPE

SECTIONS = (
    daily.headline, daily.must_cover, daily.do_not_amplify, daily.optional, daily.near_misses, daily.watch,
    daily.dropped, daily.big_elsewhere, daily.share_of_voice, daily.timeline, daily.sources,
    daily.rejects, daily.run_health,
)  # fmt: skip
LONG = "Sorglimt hides a fault: " + "an unbroken" + "x" * 180 + " headline"
WIDTHS = (320, PHONE, DESKTOP)


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Look]:
    program = found()
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    with opened(program, tmp_path_factory.mktemp("chromium")) as browser:
        yield Look(browser)


@pytest.fixture(scope="module")
def full() -> Brief:
    """A day with something in every section: cards with and without picture, long and hostile titles."""
    post = {"item_type": "post", "url": None, "published_at": "2026-03-04T10:00:00Z"}
    shares = [
        {**post, "native_id": f"{account}{n}", "account": account, "title": f"Nordlys fault {n}",
         "target_url": f"https://nobody.example/{n}", "published_at": f"2026-03-04T10:0{n}:0{i}Z"}
        for i, account in enumerate("abc")
        for n in range(4)
    ]  # fmt: skip
    return briefed(
        [
            {"title": "Nordlys issues recall notice for heaters", "evidence": ["https://gov.example/notice"]},
            {"title": "Nordlys issues recall notice for its heaters", "url": "https://beta.example/2"},
            {"title": LONG, "source": "x" * 70},
            {"title": "Nordlys leak", "url": "https://nobody.example/1", "risk_flags": ["private_data"]},
            {"title": "Sorglimt fault", "reactions": 9000, "url": "https://beta.example/9"},
            {"title": "Nordlys opens a new hall", "url": "https://gamma.example/3"},
            {"title": None, "url": None, "native_id": None, "raw_file": "mail-of-a-very-long-name" * 4},
            *({"title": text} for text in HOSTILE[:3]),
            *shares,
        ],
        profile={"thresholds": {"watch": 20, "optional": 30, "must_cover": 60}},
    )


def parts(brief: Brief) -> list[str]:
    return [section(brief)._repr_html_() for section in SECTIONS]


def paged(brief: Brief, file: Path) -> Path:
    file.write_text(html.page(html.sanitised("\n".join(parts(brief))), title="daily"), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def pages(full: Brief, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A full day's page and an empty one's."""
    folder = tmp_path_factory.mktemp("pages")
    return {"full": paged(full, folder / "full.html"), "empty": paged(briefed([]), folder / "empty.html")}


@pytest.mark.parametrize(("width", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_axe_finds_nothing_serious(look: Look, pages: dict[str, Path], width: int, scheme: str) -> None:
    pytest.importorskip("axe_core_python")
    look.show(pages["full"], width=width, scheme=scheme)
    look.run("document.querySelectorAll('details').forEach(e => { e.open = true })")
    assert look.findings() == {}


def test_axe_would_find_what_is_wrong(look: Look, tmp_path: Path) -> None:
    pytest.importorskip("axe_core_python")
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<html><title>x</title><main><img src=x><p style='color:#ccc'>faint</p><a href='#'></a></main>"
    )
    look.show(bad)
    expected = {
        "image-alt (critical)",
        "color-contrast (serious)",
        "link-name (serious)",
        "html-has-lang (serious)",
    }
    assert expected <= set(look.findings())


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_its_window(look: Look, pages: dict[str, Path], width: int) -> None:
    look.show(pages["full"], width=width)
    look.run("document.querySelectorAll('details').forEach(e => { e.open = true })")
    assert look.run("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert look.run("innerWidth") == width
    inside = "[...document.querySelectorAll('.wide')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
    assert look.run(inside) == 0


def test_a_phone_writes_the_columns_name_before_a_cell_and_the_desk_does_not(
    look: Look, pages: dict[str, Path]
) -> None:
    cell = ".stacked td.number"
    look.show(pages["full"], width=PHONE)
    assert look.style(cell, "content", "::before") not in ("none", "normal", '""')
    look.show(pages["full"])
    assert look.style(cell, "content", "::before") == "none"


def test_type_in_the_pictures_of_a_phone_is_not_under_eight_pixels(
    look: Look, pages: dict[str, Path]
) -> None:
    look.show(pages["full"], width=PHONE)
    shown = look.run(
        "[...document.querySelectorAll('.drawn > img')].map(e => e.getBoundingClientRect().width)"
    )
    assert len(shown) >= 2
    # 72 points are an inch of the picture.
    assert min(shown) / charts.COLUMN * LEAST_TYPE / 72 >= 8


def test_dark_is_followed_and_a_decision_keeps_its_colour(look: Look, pages: dict[str, Path]) -> None:
    blue = "rgb({}, {}, {})".format(*bytes.fromhex(palette.DECISION_COLOURS["must_cover"][1:]))
    grounds = []
    for scheme in ("light", "dark"):
        look.show(pages["full"], scheme=scheme)
        grounds.append(look.style("body", "background-color"))
        assert look.style(".chip.must_cover", "background-color") == blue
        assert look.style(".tally .must_cover", "border-top-color") == blue
        assert look.style(".card.must_cover", "border-left-color") == blue
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 24, 29)"]


def test_on_paper_nothing_needs_colour_addresses_are_written_out_and_no_card_is_cut(
    look: Look, pages: dict[str, Path]
) -> None:
    look.show(pages["full"], scheme="dark", medium="print")
    assert look.style("body", "background-color") == "rgb(255, 255, 255)"
    assert look.style(".chip.must_cover", "color") == "rgb(0, 0, 0)"
    assert look.style(".lead", "color") == "rgb(0, 0, 0)"
    assert "alpha.example" in look.style(".card h3 a", "content", "::after")
    assert look.style(".card", "break-inside") == "avoid"
    assert look.style(".commands", "display") == "none"
    assert look.printed().startswith(b"%PDF")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_our_tables_words_and_links_win_over_jupyters_own(
    look: Look, full: Brief, tmp_path: Path, theme: str
) -> None:
    shown = [notebooks.theme()._repr_html_(), *parts(full)]
    cells = []
    for part in shown:
        output = nbformat.v4.new_output("execute_result", {"text/html": part}, execution_count=1)
        cells.append(nbformat.v4.new_code_cell("shown", outputs=[output], execution_count=1))
    body, _ = HTMLExporter(theme=theme).from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    file = tmp_path / "jupyter.html"
    file.write_text(body, encoding="utf-8")
    look.show(file)
    ink, link = {"light": ("rgb(28, 36, 48)", "rgb(11, 92, 173)"),
                 "dark": ("rgb(232, 235, 239)", "rgb(122, 184, 245)")}[theme]  # fmt: skip
    assert look.run("document.body.dataset.jpThemeLight") == str(theme == "light").lower()
    for selector, name in product((".bk td:not(.number)", ".bk th:not(.number)"), ("text-align",)):
        assert look.style(selector, name) == "left"
    assert look.style(".bk td.number", "text-align") == "right"
    assert look.style(".bk td.title", "color") == ink
    assert look.style(".bk td.title a", "color") == link
    assert look.style(".bk tbody tr:nth-child(odd)", "background-color") == "rgba(0, 0, 0, 0)"
    assert look.style(".bk .tally", "padding-left") == "0px"


def test_every_picture_of_a_brief_has_words_for_whoever_cannot_see_it(
    look: Look, pages: dict[str, Path]
) -> None:
    look.show(pages["full"])
    alts = look.run("[...document.images].map(e => e.alt)")
    assert len(alts) >= 3
    assert [alt for alt in alts if len(alt) < 20] == []
    assert len(set(alts)) == len(alts)


@pytest.mark.parametrize("day", ["full", "empty"])
def test_headings_go_down_one_step_at_a_time_and_tables_name_their_columns(
    look: Look, pages: dict[str, Path], day: str
) -> None:
    look.show(pages[day])
    levels = look.run("[...document.querySelectorAll('h1, h2, h3, h4')].map(e => +e.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    assert look.run(
        "[...document.querySelectorAll('th')].every(e => e.scope === 'col' && e.textContent.trim() !== '')"
    )
    assert look.run("document.documentElement.lang") == "en"
    assert look.run("document.querySelectorAll('main').length") == 1
