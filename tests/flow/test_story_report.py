"""The notebook of one story: rendered like every report, with one message where there is no such story."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

import brandkit as bk
from brandkit.errors import UnknownError
from brandkit.report import notebooks
from tests.flow.newsdesk import ROOT, ran
from tests.unit.report.briefs import read


def test_the_notebook_shows_the_story_and_an_unknown_one_is_an_error_of_its_own_kind(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text('id = "desk"\nown = ["Nordlys"]\n', encoding="utf-8")
    runner = bk.Runner(tmp_path / "desk.duckdb")
    stories = runner.store.stories(ran(runner).run_id).sort("total")
    given = {"profile": str(tmp_path / "desk.toml"), "store": str(tmp_path / "desk.duckdb")}
    story, title = stories.select("lead_item_id", "title").row(-1)
    out, page = tmp_path / "out.ipynb", tmp_path / "out.html"
    notebooks.render("story", {**given, "story": story}, out=out, html=page)
    made = read(page.read_text(encoding="utf-8"))
    assert not made.live
    assert title in made.text
    assert "Every decision" in made.text
    with pytest.raises(UnknownError, match="no item or story 'ffffffff'") as caught:
        notebooks.render("story", {**given, "story": "ffffffff"}, out=out, html=page)
    assert caught.value.exit_code == 2


def test_the_notebook_holds_no_output_and_no_logic() -> None:
    book = nbformat.reads((ROOT / "notebooks" / "story.ipynb").read_text(encoding="utf-8"), as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert code[0].metadata.get("tags") == ["parameters"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert max(len(cell.source.splitlines()) for cell in code[1:]) <= 5
    assert not any(word in cell.source for cell in code for word in ("def ", "if ", "for ", "lambda"))
