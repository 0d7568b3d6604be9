from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "examples").glob("[0-9]*.py"))


def _blocks(language: str) -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [
        block for name, block in re.findall(r"^```(\w+)\n(.*?)^```", text, re.S | re.M) if name == language
    ]


def test_the_readmes_code_runs_as_one_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    blocks = _blocks("python")
    assert len(blocks) >= 3
    exec(compile("\n".join(blocks), "README.md", "exec"), {})


def test_the_readme_keeps_two_commands_that_do_everything() -> None:
    commands = _blocks("sh")[:2]
    assert commands[0].startswith(
        "pip install -e . && papermill notebooks/daily.ipynb out.ipynb -p run_date "
    )
    assert commands[1].strip() == "pip install -e '.[dev]' && pytest"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_each_lesson_runs_from_anywhere_and_says_something(lesson: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(lesson)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_every_lesson_is_in_the_course() -> None:
    course = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert [lesson.name for lesson in LESSONS if lesson.name not in course] == []


def test_every_picture_of_the_readme_is_there_is_small_and_has_words() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [
        *((path, alt) for alt, path in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text)),
        *re.findall(r'<img src="([^"]+)"[^>]* alt="([^"]*)"', text),
    ]
    made = {f"docs/pictures/{file.name}" for file in (ROOT / "docs" / "pictures").iterdir()}
    assert {path for path, _ in shown} == made
    assert [path for path, alt in shown if len(alt) < 20] == []
    assert [path for path in made if (ROOT / path).stat().st_size > 150_000] == []
