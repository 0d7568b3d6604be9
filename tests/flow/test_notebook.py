"""The daily notebook: by papermill alone from any folder, and by ``render`` with all its guards."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest

from brandkit.errors import BrandkitError, InputError, ReportError, UsageError
from brandkit.report import notebooks
from brandkit.store.state import StateStore
from tests.flow.hostile_mail import DAY, mailed
from tests.flow.newsdesk import ROOT
from tests.unit.report.briefs import read

NOTEBOOK = ROOT / "notebooks" / "daily.ipynb"


@pytest.fixture
def desk(tmp_path: Path) -> dict[str, Any]:
    """A desk with hostile mail, and the parameters of its brief."""
    return mailed(tmp_path)


def papermill(
    out: Path, *given: str, cwd: Path, notebook: str = str(NOTEBOOK)
) -> subprocess.CompletedProcess[str]:
    """papermill as a reader of the README calls it."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "papermill", notebook, str(out), "--no-progress-bar", *given],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def options(values: dict[str, Any]) -> Sequence[str]:
    return [part for name, value in values.items() for part in ("-p", name, value)]


def shown(path: Path) -> str:
    """All that an executed notebook shows."""
    cells = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4).cells
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(output.data.get("text/html", "") for output in outputs if "data" in output)


def test_the_readmes_first_command_gives_the_samples_brief_from_the_notebooks_folder(tmp_path: Path) -> None:
    out = tmp_path / "out.ipynb"
    done = papermill(out, "-p", "run_date", DAY, cwd=NOTEBOOK.parent, notebook="daily.ipynb")
    assert done.returncode == 0, done.stderr
    text = read(shown(out)).text
    assert "Wednesday 4 March 2026" in text
    assert "every name and headline in it is invented" in text
    assert "Every row is accounted for." in text
    assert re.findall("<h2>([^<]*)", shown(out)) == [
        "Must cover", "Do not amplify, but act", "Optional", "Near misses", "Watch",
        "Dropped with a watched name in it", "Big elsewhere", "What changed", "Share of voice",
        "Mentions by hour", "Source health", "Rejects", "Run health",
    ]  # fmt: skip


def test_the_text_true_makes_a_shadow_run_and_the_run_is_made_once(
    tmp_path: Path, desk: dict[str, Any]
) -> None:
    given = options({**desk, "shadow": "true"})
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    for _ in range(2):
        done = papermill(elsewhere / "out.ipynb", *given, cwd=elsewhere)
        assert done.returncode == 0, done.stderr
    runs = StateStore(desk["store"]).runs()
    assert runs.select("shadow", "attempt", "status").rows() == [(True, 1, "complete")]
    assert "A shadow run" in shown(elsewhere / "out.ipynb")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "parameter run_date is missing"),
        ({"run_date": "yesterday"}, "parameter run_date 'yesterday' is not a day"),
        ({"run_date": DAY, "profil": "x.toml"}, "did you mean 'profile'?"),
    ],
)
def test_papermill_alone_fails_with_one_message_for_a_parameter(
    tmp_path: Path, given: dict[str, str], message: str
) -> None:
    done = papermill(tmp_path / "out.ipynb", *options(given), cwd=tmp_path)
    assert done.returncode != 0
    told = done.stderr[done.stderr.index("Exception encountered at") :]
    assert message in told
    assert len(told.splitlines()) < 8


def test_a_day_without_items_is_a_report_that_says_so(tmp_path: Path, desk: dict[str, Any]) -> None:
    notebooks.render(
        "daily", {**desk, "run_date": "2026-05-01"}, out=tmp_path / "out.ipynb", html=tmp_path / "o.html"
    )
    assert "No items were collected on this day." in (tmp_path / "o.html").read_text(encoding="utf-8")


def test_a_failing_report_keeps_the_last_good_one_and_what_there_is_of_itself(
    tmp_path: Path, desk: dict[str, Any]
) -> None:
    out, page = tmp_path / "reports" / "out.ipynb", tmp_path / "reports" / "out.html"
    out.parent.mkdir()
    out.write_text("good", encoding="utf-8")
    page.write_text("good", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        notebooks.render("daily", {**desk, "inputs": str(tmp_path / "gone.csv")}, out=out, html=page)
    assert "no file at" in str(caught.value)
    assert caught.value.exit_code == 2
    assert "the last good one stands" in str(caught.value)
    assert (out.read_text(encoding="utf-8"), page.read_text(encoding="utf-8")) == ("good", "good")
    assert sorted(path.name for path in out.parent.iterdir()) == ["out.failed.ipynb", "out.html", "out.ipynb"]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("import os; os._exit(9)", "the notebook failed: DeadKernelError"),
        ("raise ValueError('[31mno')", "the notebook failed: ValueError: [31mno"),
        ("import time; time.sleep(60)", "the notebook failed: CellTimeoutError"),
    ],
)
def test_a_dead_slow_or_broken_kernel_leaves_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str, message: str
) -> None:
    book = nbformat.reads(NOTEBOOK.read_text(encoding="utf-8"), as_version=4)
    book.cells[2].source = cell
    broken = tmp_path / "broken.ipynb"
    broken.write_text(nbformat.writes(book), encoding="utf-8")
    monkeypatch.setattr(notebooks, "notebook_path", lambda _: broken)
    with pytest.raises(ReportError) as caught:
        notebooks.render("daily", {"run_date": DAY}, out=tmp_path / "out" / "out.ipynb", timeout_s=3)
    assert message in str(caught.value)
    assert caught.value.exit_code == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} <= {"out.failed.ipynb"}


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("daily", {"run_date": DAY, "rundate": DAY}, "unknown parameter 'rundate'"),
        ("daily", {"run_date": DAY, "__import__('os')": 1}, "unknown parameter"),
        ("daily", {}, "parameter run_date is missing"),
        ("../daily", {"run_date": DAY}, "unknown report"),
    ],
)
def test_a_wrong_parameter_is_refused_before_a_kernel_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, given: dict[str, Any], message: str
) -> None:
    monkeypatch.setattr(notebooks, "_execute", lambda *_: pytest.fail("a kernel was started"))
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        notebooks.render(name, given, out=tmp_path / "new" / "out.ipynb")
    assert not (tmp_path / "new").exists()


def test_a_place_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for out in (tmp_path / "file" / "out.ipynb", tmp_path):
        with pytest.raises(ReportError, match=r"cannot write to|is a folder"):
            notebooks.render("daily", {"run_date": DAY}, out=out)


def test_without_inputs_a_finished_run_is_shown_and_a_missing_one_is_an_error(
    tmp_path: Path, desk: dict[str, Any]
) -> None:
    made = notebooks.daily_brief(notebooks.daily_parameters(desk))
    (tmp_path / "mail.ndjson").unlink()
    without = {**desk, "inputs": ""}
    again = notebooks.daily_brief(notebooks.daily_parameters(without))
    assert again.run.run_id == made.run.run_id
    assert again.records.equals(made.records)
    for changed in ({"run_date": "2026-03-05"}, {"shadow": True}, {"as_of": f"{DAY}T12:00:00+00:00"}):
        with pytest.raises(UsageError, match="no run of") as caught:
            notebooks.daily_brief(notebooks.daily_parameters({**without, **changed}))
    assert caught.value._render_traceback_() == [f"NothingToReport: {caught.value}"]  # type: ignore[attr-defined]


def test_what_ended_a_run_is_what_the_notebook_says(tmp_path: Path, desk: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="no file at"):
        notebooks.daily_brief(notebooks.daily_parameters({**desk, "inputs": str(tmp_path / "gone.csv")}))


def test_outside_the_samples_week_the_brief_says_which_days_it_has(tmp_path: Path) -> None:
    given = {"run_date": "2026-02-01", "store": str(tmp_path / "s.duckdb")}
    brief = notebooks.daily_brief(notebooks.daily_parameters(given))
    assert brief.notes[0].endswith("It covers 2026-03-02 to 2026-03-08.")


def test_a_misspelt_setting_is_a_note_and_a_missing_profile_an_error(
    desk: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRANDKIT_DBPATH", "x")
    brief = notebooks.daily_brief(notebooks.daily_parameters(desk))
    assert "did you mean BRANDKIT_DB_PATH" in brief.notes[0]
    monkeypatch.setattr("brandkit.settings.project_root", lambda: None)
    with pytest.raises(UsageError, match="no profile given"):
        notebooks.daily_brief(notebooks.daily_parameters({"run_date": DAY}))
    with pytest.raises(ReportError, match="run from a clone"):
        notebooks.notebook_path("daily")


def test_the_notebook_holds_no_output_no_logic_and_its_parameters() -> None:
    book = nbformat.reads(NOTEBOOK.read_text(encoding="utf-8"), as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.metadata.get("tags") for cell in code][0] == ["parameters"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert max(len(cell.source.splitlines()) for cell in code[1:]) <= 5
    assert not any(word in cell.source for cell in code for word in ("def ", "if ", "for ", "lambda"))


def test_an_error_of_ours_in_the_kernel_keeps_its_kind() -> None:
    class Told(Exception):
        ename, evalue = "StoreBusyError", "held by 7"

    assert notebooks._ours(Told(), "").exit_code == 75
    assert isinstance(notebooks._ours(BrandkitError("x"), ""), BrandkitError)
