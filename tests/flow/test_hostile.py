"""Hostile content in everything people open, in a real browser: nothing runs, and no request leaves.

A report is taken in by its entry in ``report.parameters.MODELS``; what it needs beyond the desk's own
parameters stands in ``MORE``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import pytest
from click.testing import CliRunner
from IPython.core.interactiveshell import InteractiveShell
from nbconvert import HTMLExporter

import brandkit as bk
from brandkit import safe
from brandkit.cli import main
from brandkit.errors import InputError
from brandkit.record.kept import kept
from brandkit.report import daily, html, notebooks, tables
from brandkit.report.brief import Brief
from brandkit.report.cards import cards
from brandkit.report.html import POLICY, Html, join, link, picture, tag
from brandkit.report.parameters import MODELS
from brandkit.report.redacted import redacted
from brandkit.report.tables import Column
from brandkit.runner import RunResult
from tests import browser
from tests.hostile import MEGABYTE, SCRIPTS, vectors
from tests.hostile_desk import HostileDesk, made
from tests.web import says, serving

# What a report needs that is not a parameter of every report.
MORE: dict[str, Callable[[HostileDesk], dict[str, Any]]] = {
    "story": lambda desk: {"story": desk.store.records(desk.run.run_id, columns=["item_id"])["item_id"][0]},
}
_UNSHOWN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# A title is cut to a thousand characters on its way in, and to a line where it is shown.
_WHOLE = MEGABYTE[:1_200]


@pytest.fixture(scope="module")
def canary() -> Iterator[Any]:
    with serving(says(200)) as server:
        yield server


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, canary: Any) -> HostileDesk:
    return made(tmp_path_factory.mktemp("hostile"), canary=canary.url)


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Browser]:
    program = browser.found()
    if program is None:
        pytest.skip("no Chromium here")
    with browser.opened(program, tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture(scope="module")
def rendered(desk: HostileDesk, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A report's notebook, its page beside it, each made once."""
    folder = tmp_path_factory.mktemp("reports")

    def render(name: str) -> Path:
        out = folder / f"{name}.ipynb"
        if not out.is_file():
            known = MODELS[name].model_fields
            given = {key: value for key, value in desk.given.items() if key in known}
            more = MORE[name](desk) if name in MORE else {}
            notebooks.render(name, {**given, **more}, out=out, html=out.with_suffix(".html"))
        return out

    return render


def unguarded(page: str) -> str:
    """A page without its policy, so that the escaping alone holds."""
    assert page.count(POLICY) == 1
    return page.replace(POLICY, "")


def looked_at(window: browser.Browser, folder: Path, body: str) -> browser.Visit:
    path = folder / "page.html"
    path.write_text(body, encoding="utf-8", errors="replace")
    return window.visit(path)


def assert_inert(seen: browser.Visit, canary: Any) -> None:
    assert (sorted(seen.marks), seen.requests, seen.dialogs, seen.scripts) == ([], (), (), 0)
    assert {other.partition(":")[0] for other in seen.links} <= {"http", "https"}
    assert not any("@" in other.partition("?")[0] for other in seen.links)
    assert canary.methods == []


def test_the_vectors_do_run_where_nothing_is_escaped(
    window: browser.Browser, canary: Any, tmp_path: Path
) -> None:
    with serving(says(200)) as other:
        frames = [f'<iframe srcdoc="{escape(text)}"></iframe>' for text in vectors(canary=other.url)]
        path = tmp_path / "raw.html"
        path.write_text(f"<!DOCTYPE html><meta charset=utf-8>{''.join(frames)}", encoding="utf-8")
        seen = window.visit(path, wait_ms=400)
        asked = {int(found) for url in seen.requests for found in re.findall(rf"{other.url}(\d+)", url)}
        ran = [n for n in range(len(SCRIPTS)) if n in seen.marks | asked]
        assert len(vectors()) >= 40
        assert len(ran) >= len(SCRIPTS) - 3
        assert len(other.methods) >= 10


def test_nothing_runs_in_any_part_of_a_report_whatever_stands_in_it(
    window: browser.Browser, desk: HostileDesk, canary: Any, tmp_path: Path
) -> None:
    texts = vectors(canary=canary.url)
    parts = [
        made_of(text) for text in texts
        for made_of in (
            tables.note, tables.nothing, tables.chip, lambda text: tables.section(text, text, n=1),
            lambda text: tag("p", text, class_=text), lambda text: picture(b"", text),
            lambda text: join([tag("code", text), text], between=text), lambda text: link(text, text),
        )
    ]  # fmt: skip
    rows = pl.DataFrame({"a": texts, "list": [[text] for text in texts]})
    columns = [Column("a", text, kind, link=of) for text in texts[::9]
               for kind in ("text", "title", "code", "decision") for of in ("", "a")]  # fmt: skip
    parts += [tables.note(MEGABYTE), tables.table(pl.DataFrame({"a": [MEGABYTE]}), columns[:8])]
    parts.append(tables.table(rows, [*columns, Column("list", "L")], caption=texts[9]))
    brief = Brief.read(desk.store, desk.run.run_id)
    # Which decision it came to is of no account here: the texts name a port, and no two runs the same.
    decisions = ("block", "must_cover", "optional", "watch", "drop")
    story = next(found for decision in decisions for found in cards(brief, decision, most=1))
    parts += [
        tables.card(
            replace(
                story, title=text, url=text, verdict=text, state=text, sentence=text, about=text, facts=text,
                publishers={"A": (text,), text: (text,)}, doubts=(text,), links=((text, text),),
                item_id=text, commands=(text,), explanation=replace(story.explanation, forbidden=(text,)),
            ),
            is_drawn=False,
        )
        for text in texts
    ]  # fmt: skip
    page = html.page(join(parts).markup, title=texts[2])
    seen = looked_at(window, tmp_path, unguarded(page))
    assert_inert(seen, canary)
    assert "<script>mark(0)" in seen.text
    assert _WHOLE not in seen.text
    # The house's list lets nothing through either, where escaping had been forgotten.
    assert_inert(looked_at(window, tmp_path, html.sanitised(" ".join(texts))), canary)


@pytest.mark.parametrize("name", MODELS)
def test_nothing_runs_in_a_report_nor_in_its_notebook_as_jupyter_shows_it(
    name: str, window: browser.Browser, rendered: Callable[[str], Path], canary: Any, tmp_path: Path
) -> None:
    book = rendered(name)
    page = book.with_suffix(".html").read_text(encoding="utf-8")
    for body in (page, unguarded(page)):
        seen = looked_at(window, tmp_path, body)
        assert_inert(seen, canary)
        assert not _UNSHOWN.search(body)
        assert _WHOLE not in body
        assert "mark(" in seen.text
    # Jupyter's own template brings its scripts along; the outputs must add nothing to them.
    shown = nbformat.reads(book.read_text(encoding="utf-8"), as_version=4)
    full = looked_at(window, tmp_path, HTMLExporter().from_notebook_node(shown)[0])
    kinds = {
        kind for cell in shown.cells for output in cell.get("outputs", []) for kind in output.get("data", ())
    }
    for cell in shown.cells:
        cell["outputs"] = []
    bare = looked_at(window, tmp_path, HTMLExporter().from_notebook_node(shown)[0])
    assert (full.marks, full.dialogs, set(full.requests), full.scripts) == (
        frozenset(), (), set(bare.requests), bare.scripts,
    )  # fmt: skip
    assert kinds <= {"text/html", "text/plain"}
    assert canary.methods == []


def shown_in_a_notebook(desk: HostileDesk) -> Iterator[Any]:
    """One of everything that a notebook shows by itself."""
    store, run = desk.store, desk.run
    records = store.records(run.run_id)
    yield from (records, store.stories(run.run_id), store.rejects(run.run_id), store.runs())
    yield from (store.verdicts(desk.run.profile_id), store.story_states(desk.run.profile_id))
    for item in records.filter(pl.col("is_lead"))["item_id"].head(3):
        found = kept(item, store)
        yield from (bk.explain(found), bk.why_not(found), bk.lineage(found, store))
    texts = vectors()
    error = InputError(texts[0], where=texts[60], allowed=texts[70], hint=texts[75])
    yield RunResult(run_id=texts[3], status="failed", counts={texts[5]: 1}, warnings=texts, error=error)
    yield Html(tag("p", texts[0]).markup)


def test_nothing_runs_and_no_math_is_read_in_what_a_notebook_shows_by_itself(
    window: browser.Browser, desk: HostileDesk, canary: Any, tmp_path: Path
) -> None:
    shown = list(shown_in_a_notebook(desk))
    page = "\n".join(value._repr_html_() for value in shown)
    seen = looked_at(window, tmp_path, f"<!DOCTYPE html><meta charset=utf-8>{page}")
    assert_inert(seen, canary)
    assert _WHOLE not in page
    for value in shown:
        if not isinstance(value, pl.DataFrame):
            # JupyterLab and Jupyter's template read dollars as mathematics, but not in these.
            assert re.match(r"<pre|<div class=\"[^\"]*mathjax_ignore", value._repr_html_()), type(value)
            assert not _UNSHOWN.search(str(value)), type(value)
            assert not _UNSHOWN.search(repr(value)), type(value)


def test_a_redacted_edition_can_be_made_whatever_rivals_are_called(desk: HostileDesk) -> None:
    brief = Brief.read(desk.store, desk.run.run_id)
    hidden = redacted(brief)
    assert hidden.told.height == brief.told.height
    for name in ("headline", "must_cover", "do_not_amplify", "near_misses", "share_of_voice"):
        shown = getattr(daily, name)(hidden).markup
        assert not [rival for rival in brief.names("rival") if safe.html_text(rival) in shown]


def test_a_notebook_in_the_house_style_shows_the_dollars_of_a_frame_as_text() -> None:
    shell = InteractiveShell.instance()
    try:
        notebooks.theme()
        frame = pl.DataFrame({"title": ["$\\href{javascript:mark(1)}{x}$"]})
        shown, _ = shell.display_formatter.format(frame)
    finally:
        InteractiveShell.clear_instance()
    assert shown["text/html"].startswith('<div class="tex2jax_ignore mathjax_ignore"><div>')


LINES = (
    "runs", "explain {item}", "why-not {item}", "lineage {item}", "verify {run}", "compare", "verdict --all",
    "state --all", "story rules", "alerts list", "voice", "bursts", "forecast", "find Nordlys",
    "find Sorglimt", "profile show {profile}", "profile check {profile}", "hindsight", "calibrate",
    "sources audit", "replay {run}", "explain nothing\x1b[2J\u202e", "runs --profile \x1b]0;x\x07",
)  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_a_terminal_is_given_no_escape_and_no_bidi_character(line: str, desk: HostileDesk) -> None:
    records = desk.store.records(desk.run.run_id, columns=["item_id", "is_lead"])
    item = records.filter("is_lead")["item_id"][0]
    told = line.format(run=desk.run.run_id, item=item, profile=desk.profile).split(" ")
    store = [] if told[0] == "profile" else ["--store", str(desk.store.path)]
    done = CliRunner().invoke(main, [*told, *store], env={"BRANDKIT_PROFILE": str(desk.profile)})
    assert (done.exit_code == 2) == (done.output.startswith("error: ")), done.output
    assert "Usage:" not in done.output
    assert not _UNSHOWN.search(done.output)
    assert _WHOLE not in done.output
