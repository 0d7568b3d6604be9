"""The tour of the decision record runs from any folder, answers every question and holds no output."""

from __future__ import annotations

import nbformat
import pytest

from tests.flow.newsdesk import ROOT
from tests.flow.test_notebook import papermill

TOUR = ROOT / "notebooks" / "explore.ipynb"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> str:
    """All that the tour's cells said."""
    folder = tmp_path_factory.mktemp("tour")
    done = papermill(folder / "out.ipynb", cwd=folder, notebook=str(TOUR))
    assert done.returncode == 0, done.stderr
    book = nbformat.reads((folder / "out.ipynb").read_text(encoding="utf-8"), as_version=4)
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    return "\n".join(texts)


@pytest.mark.parametrize(
    "said",
    [
        "technology.daily.2026-03-04.1",
        "0 differences",
        "what it lacks",
        "what holds it up",
        "gate ",
        "stories are in both runs",
        "byte for byte",
        "would move",
        "stories first decided on",
        "verdicts",
        "with an engagement",
        "due",
        "spread_share",
        "Tables ",
        "data breach",
        "misinfo_evidence",
        "Share of mentions",
        "is usual.",
    ],
)
def test_every_question_is_answered(answers: str, said: str) -> None:
    assert said in answers


def test_the_tour_holds_no_output() -> None:
    book = nbformat.reads(TOUR.read_text(encoding="utf-8"), as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert not any(word in cell.source for cell in code for word in ("def ", "lambda"))
