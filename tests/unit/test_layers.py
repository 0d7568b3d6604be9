from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BANNED = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select=TID251"]


def _run(command: list[str], *, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=REPOSITORY, input=given, capture_output=True, text=True, check=False)


def test_a_line_of_the_design_imports_only_the_lines_below_it() -> None:
    linted = _run([str(Path(sys.executable).parent / "lint-imports"), "--no-cache"])
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_the_runner_alone_reads_the_clock_and_nothing_unpickles() -> None:
    checked = _run([*BANNED, "brandkit"])
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("line", "banned"),
    [
        ("from datetime import UTC, datetime; datetime.now(UTC)", "datetime.datetime.now"),
        ("from datetime import date; date.today()", "datetime.date.today"),
        ("import time; time.time()", "time.time"),
        ("from time import time", "time.time"),
        ("import urllib.request", "urllib.request"),
        ("import pickle", "pickle"),
    ],
)
def test_that_check_sees_each_way_round_it(line: str, banned: str) -> None:
    checked = _run([*BANNED, "--stdin-filename=brandkit/assess.py", "-"], given=f"{line}\n")
    assert checked.returncode == 1
    assert f"`{banned}` is banned" in checked.stdout
