"""``brandkit report``: made in a process of its own, put in place whole, and never quietly wrong."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import psutil
import pytest
from click.testing import CliRunner, Result

from brandkit.cli import main
from brandkit.errors import BrandkitError, ReportError, StoreCorruptError, UsageError
from brandkit.report import artifacts, making, notebooks, voice
from brandkit.report.brief import Brief, tally
from brandkit.report.making import How
from brandkit.store.state import StateStore
from tests.flow.hostile_mail import DAY, mailed
from tests.flow.newsdesk import ROOT
from tests.unit.report.briefs import read

RUN = f"desk.daily.{DAY}.1"
FILES = ["daily.html", "daily.ipynb", "daily.txt", "decisions.csv", "decisions.parquet", "run.json"]


@pytest.fixture
def desk(tmp_path: Path) -> dict[str, Any]:
    """A desk with hostile mail, and the parameters of its brief."""
    return mailed(tmp_path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "{run_date} of all"


def small(folder: Path, *cells: str) -> Path:
    """A notebook that takes the daily parameters and does what the cells say: a kernel is up sooner."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in ("", *cells)])
    book.cells[0].metadata["tags"] = ["parameters"]
    path = folder / "small.ipynb"
    path.write_text(nbformat.writes(book), encoding="utf-8")
    return path


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a small notebook in the place of the daily one."""

    def put(*cells: str) -> None:
        path = small(tmp_path, *cells)
        monkeypatch.setattr(notebooks, "notebook_path", lambda _: path)

    return put


def place(root: Path) -> Path:
    return root / "daily" / DAY


def a_good_report(root: Path) -> Path:
    """A whole report where the daily one of the desk goes, as an earlier call left it."""
    folder = place(root) / RUN
    folder.mkdir(parents=True)
    (folder / "daily.html").write_text("good", encoding="utf-8")
    artifacts.write_manifest(folder, {"profile_id": "desk", "attempt": 1})
    return folder


def finals(root: Path) -> list[str]:
    """What a reader finds of the day; a name that begins with a dot is nobody's to read."""
    return sorted(path.name for path in place(root).iterdir() if not path.name.startswith("."))


# What it makes -------------------------------------------------------------------------------------


def test_a_report_is_whole_true_to_the_store_and_the_same_bytes_each_time(
    desk: dict[str, Any], root: Path
) -> None:
    made = making.make("daily", desk, How(root=root))
    assert (made.status, made.run_id, made.folder) == ("made", RUN, place(root) / RUN)
    assert made.folder is not None
    assert sorted(path.name for path in made.folder.iterdir()) == FILES
    first = {name: (made.folder / name).read_bytes() for name in FILES}
    again = making.make("daily", {**desk, "run_id": RUN}, How(root=root, is_forced=True))
    assert again.status == "made"
    assert {name: (made.folder / name).read_bytes() for name in FILES} == first
    assert making.make("daily", {**desk, "run_id": RUN}, How(root=root)).status == "up to date"
    brief = Brief.read(StateStore(desk["store"]), RUN)
    _cannot_run_and_says_the_same(first["daily.html"].decode(), brief)
    _is_a_table_of_the_run(made.folder, brief)
    lines = first["daily.txt"].decode().splitlines()
    assert len(lines) == 5
    assert lines[-1].endswith(str(made.folder / "daily.html"))
    assert finals(root) == [RUN]


def _cannot_run_and_says_the_same(markup: str, brief: Brief) -> None:
    page = read(markup)
    assert not page.live
    assert "default-src 'none'" in markup
    assert "brief = " not in page.text
    for decision, n in tally(brief).items():
        assert f"{n:,}{decision.replace('_', ' ')}" in page.text
    leads = brief.active("must_cover").head(8)
    assert leads.height
    shown = [int(n) for n in re.findall(r"How the (\d+) points came about", page.text)]
    assert shown[: leads.height] == leads["total"].to_list()
    assert [title for title in leads["title"] if title[:140] not in page.text] == []
    said = voice.share_of_voice(brief)
    told = re.search(
        r"(Nordlys) was named most: ([\d,]+) of ([\d,]+) mentions, and ([\d,]+) of ([\d,]+)", page.text
    )
    assert told is not None
    top = said.row(0, named=True)
    assert told.groups() == (
        top["name"], f"{top['n_items']:,}", f"{said['n_items'].sum():,}", f"{top['n_stories']:,}",
        f"{said['n_stories'].sum():,}",
    )  # fmt: skip


def _is_a_table_of_the_run(folder: Path, brief: Brief) -> None:
    typed = pl.read_parquet(folder / "decisions.parquet")
    told = typed.select("story_id", "effective_decision", "total")
    assert told.equals(brief.told.select("story_id", "effective_decision", "total"))
    sheet = pl.read_csv(folder / "decisions.csv")
    assert sheet.height == typed.height
    assert sheet["total"].to_list() == typed["total"].to_list()
    # A number under zero is a number still.
    assert sheet["margin_must_cover"].to_list() == typed["margin_must_cover"].to_list()
    assert not any(text[0] in "=+-@" for text in sheet["title"])


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, arguments)], prog_name="brandkit")


# What it refuses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("dialy", "--date", DAY), "did you mean 'daily'?"),
        (("daily",), "parameter run_date is missing"),
        (("daily", "--date", "yesterday"), "'yesterday' is not a day"),
        (("daily", "--date", DAY, "-p", "shadow=perhaps"), "neither true nor false"),
        (("daily", "--date", DAY, "-p", "shadw=true"), "did you mean 'shadow'?"),
        (("daily", "--date", DAY, "-p", "shadow"), "no NAME=VALUE"),
        (("daily", "--date", DAY, "-p", f"run_date={DAY}"), "given twice"),
        (("daily", "--date", DAY, "--run", "nobody.daily.2026-03-04.1"), "unknown run"),
        (("daily", "--date", DAY, "--range", DAY, DAY), "--range says which days"),
        (("daily", "--range", DAY, "2026-03-01"), "ends before it begins"),
        (("daily", "--date", DAY, "--profile", "{desk}"), f"no run of {DAY}"),
    ],
)
def test_what_cannot_be_is_refused_before_a_kernel_starts(
    tmp_path: Path, desk: dict[str, Any], arguments: tuple[str, ...], message: str
) -> None:
    given = [part.replace("{desk}", desk["profile"]) for part in arguments]
    done = call(*given, "--out", tmp_path / "all", "--store", tmp_path / "none.duckdb")
    assert (done.exit_code, message in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "all").exists()


def test_a_notebook_without_its_parameters_cell_is_refused_before_a_kernel_starts(
    tmp_path: Path, desk: dict[str, Any], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = small(tmp_path, "1")
    bare.write_text(bare.read_text(encoding="utf-8").replace('"parameters"', '"params"'), encoding="utf-8")
    monkeypatch.setattr(notebooks, "notebook_path", lambda _: bare)
    for text, message in (
        (None, "has no cells tagged 'parameters'"),
        ("{", "is no notebook"),
        ('{"cells": 3}', "is no notebook"),
    ):
        if text:
            bare.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match=message):
            making.make("daily", desk, How(root=root))
    assert not root.exists()


# What fails ----------------------------------------------------------------------------------------


def test_a_failing_report_leaves_an_error_page_that_cannot_run_and_the_last_good_report(
    desk: dict[str, Any], root: Path, book: Callable[..., None]
) -> None:
    good = a_good_report(root)
    book("'before'", "raise ValueError('[31mno <script>alert(1)</script>')")
    message = "the notebook failed: ValueError: [31mno <script>"
    with pytest.raises(ReportError) as caught:
        making.make("daily", desk, How(root=root))
    assert message in str(caught.value)
    assert caught.value.exit_code == 1
    assert f"the last good report stands: {good}" in str(caught.value)
    assert artifacts.manifest(good) is not None
    assert finals(root) == [RUN, f"{RUN}.failed"]
    markup = (place(root) / f"{RUN}.failed" / "daily.failed.html").read_text(encoding="utf-8")
    page = read(markup)
    assert not page.live
    assert [said for said in (message, RUN, str(good)) if said not in page.text] == []
    half = place(root) / f"{RUN}.failed" / "daily.failed.ipynb"
    assert "before" in half.read_text(encoding="utf-8")


def test_a_run_that_cannot_be_made_leaves_an_error_page(desk: dict[str, Any], root: Path) -> None:
    Path(desk["store"]).write_bytes(b"no store" * 1_000)
    with pytest.raises(StoreCorruptError) as caught:
        making.make("daily", desk, How(root=root))
    assert caught.value.exit_code == 1
    assert finals(root) == [f"desk.daily.{DAY}.failed"]
    page = read((place(root) / f"desk.daily.{DAY}.failed" / "daily.failed.html").read_text(encoding="utf-8"))
    assert "StoreCorruptError" in page.text


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, Any]]:
    """What a program that hears of reports was told last."""
    told = tmp_path / "told.json"
    listen = f"import sys; open({str(told)!r}, 'w').write(sys.stdin.read())"
    monkeypatch.setenv("BRANDKIT_REPORT_COMMAND", f'{sys.executable} -c "{listen}"')
    return lambda: dict(json.loads(told.read_text(encoding="utf-8")))


def test_readers_hear_of_a_report_that_is_made_and_of_one_that_failed(
    desk: dict[str, Any], root: Path, book: Callable[..., None], heard: Callable[[], dict[str, Any]]
) -> None:
    book("'whole'")
    asked = ("daily", "--date", DAY, "--profile", desk["profile"], "--store", desk["store"],
             "-p", f"inputs={desk['inputs']}", "--out", root, "--send")  # fmt: skip
    made = call(*asked)
    assert made.exit_code == 0, made.stderr
    told = heard()
    assert (told["ok"], told["run_id"]) == (True, RUN)
    assert str(place(root) / RUN / "daily.html") in told["paths"]
    Path(desk["store"]).write_bytes(b"no store" * 1_000)
    assert call(*asked, "--force").exit_code == 1
    assert (heard()["ok"], heard()["subject"]) == (False, "FAILED: daily")


def test_sending_nowhere_and_an_edition_that_is_none_are_refused_before_anything_is_made(
    desk: dict[str, Any], root: Path
) -> None:
    for more, message in (
        (("--send",), "nowhere to send the report to"),
        (("--edition", "secret"), "is no edition"),
    ):
        done = call("daily", "--date", DAY, "--profile", desk["profile"], "--out", root, *more)
        assert (done.exit_code, message in done.stderr) == (2, True), done.stderr
    assert "one edition only" in call("weekly", "--date", DAY, "--edition", "redacted").stderr
    assert not root.exists()


def acting(on: Callable[[psutil.Process, psutil.Process], None]) -> threading.Thread:
    """A thread that waits for the kernel of a report made here, then acts on (worker, kernel)."""

    def act() -> None:
        for _ in range(600):
            for process in psutil.Process().children(recursive=True):
                try:
                    if "ipykernel_launcher" in process.cmdline() and (worker := process.parent()):
                        on(worker, process)
                        return
                except psutil.Error:
                    pass
            time.sleep(0.02)

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


def _full_disk(worker: psutil.Process, _: psutil.Process) -> None:
    """From now on the worker can make no file larger than this: what a full disk says, on one process."""
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (100_000, 100_000))


@pytest.mark.parametrize(
    ("on", "message"),
    [
        (lambda worker, _: worker.kill(), "was ended by SIGKILL"),
        (_full_disk, "cannot write to"),
    ],
    ids=["worker killed", "disk full"],
)
def test_a_killed_process_or_a_full_disk_leaves_no_half_report(
    desk: dict[str, Any],
    root: Path,
    book: Callable[..., None],
    on: Callable[[psutil.Process, psutil.Process], None],
    message: str,
) -> None:
    good = a_good_report(root)
    book("import time; time.sleep(0.4)", "print('x' * 200_000)")
    seen: list[psutil.Process] = []

    def act(worker: psutil.Process, kernel: psutil.Process) -> None:
        seen.extend((worker, kernel))
        on(worker, kernel)

    thread = acting(act)
    with pytest.raises(BrandkitError, match=message) as caught:
        making.make("daily", desk, How(root=root))
    thread.join()
    assert caught.value.exit_code == 1
    assert artifacts.manifest(good) is not None
    assert finals(root) == [RUN, f"{RUN}.failed"]
    assert (place(root) / f"{RUN}.failed" / "daily.failed.html").is_file()
    _, alive = psutil.wait_procs(seen, timeout=5)
    assert alive == []


def test_when_whoever_makes_it_is_killed_nothing_half_made_is_shown_and_the_next_call_tidies_up(
    tmp_path: Path, desk: dict[str, Any], root: Path, book: Callable[..., None]
) -> None:
    book("import time; time.sleep(30)")
    script = (
        "import sys, json; from pathlib import Path; from brandkit.report import making, notebooks\n"
        "path, given, root = json.loads(sys.argv[1])\n"
        "notebooks.notebook_path = lambda _: Path(path)\n"
        "making.make('daily', given, making.How(root=Path(root)))"
    )
    given = json.dumps([str(tmp_path / "small.ipynb"), desk, str(root)])
    runner = subprocess.Popen([sys.executable, "-c", script, given], cwd=ROOT)
    seen: list[psutil.Process] = []

    def end(worker: psutil.Process, kernel: psutil.Process) -> None:
        seen.extend((worker, kernel))
        os.kill(runner.pid, signal.SIGKILL)

    thread = acting(end)
    assert runner.wait(60) == -signal.SIGKILL
    thread.join()
    assert finals(root) == []
    _, alive = psutil.wait_procs(seen, timeout=5)
    assert alive == []
    for failure in (RUN, f"desk.daily.{DAY}"):
        (place(root) / f"{failure}.failed").mkdir()
    book("run_date")
    making.make("daily", desk, How(root=root, is_html=False))
    assert os.listdir(place(root)) == [RUN]
    _a_range_is_resumed(desk, root)


def _a_range_is_resumed(desk: dict[str, Any], root: Path) -> None:
    options = [part for name in ("profile", "store") for part in (f"--{name}", desk[name])]
    done = call("daily", "--range", DAY, "2026-03-05", "--out", root, "--no-html", "--json", *options)
    reports = json.loads(done.stdout)["reports"]
    assert [report["status"] for report in reports] == ["up to date", "nothing to report"]
    assert f"{DAY} up to date" in done.stderr
    assert "no run of 2026-03-05" in reports[1]["error"]["message"]
    assert done.exit_code == 0
    assert call("daily", "--range", "2026-03-06", "2026-03-07", "--out", root, *options).exit_code == 2


def test_a_place_that_cannot_be_written_is_said_at_once(tmp_path: Path, desk: dict[str, Any]) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ReportError, match="cannot write to") as caught:
        making.make("daily", desk, How(root=tmp_path / "file"))
    assert "the error page could not be written either" in str(caught.value)


def test_help_and_import_load_no_kernel_machinery() -> None:
    heavy = ("papermill", "nbconvert", "nbformat", "nbclient", "IPython", "zmq", "jupyter_client")
    ask = (
        "import sys\nfrom brandkit.cli import main\n"
        "main(['report', '--help'], prog_name='brandkit', standalone_mode=False)\n"
        "early = 'polars' in sys.modules\n"
        "import brandkit.report.making, brandkit.report.worker\n"
        f"print([early, [m for m in {heavy} if m in sys.modules]])"
    )
    said = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "[False, []]"
