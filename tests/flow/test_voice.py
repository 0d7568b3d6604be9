"""Share of voice and bursts of names over days that the pipeline ran, in Python and on the command line."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from brandkit.cli import main
from brandkit.errors import UnknownError, UsageError
from brandkit.record.voice import Voice, voice
from brandkit.runner import Runner
from tests.flow.newsdesk import MONDAY, WEDNESDAY, desk, ran, row, task

FORMULA = "=Sorglimt"


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A Monday that ran twice, no Tuesday, and a Wednesday whose profile has a new rival."""
    runner = Runner(tmp_path_factory.mktemp("voice") / "store.duckdb")
    monday = (
        row("alpha.example", "Nordlys wins an award for great bread"),
        row("gamma.example", "Nordlys wins an award for great bread"),
        row("beta.example", "Harbour choir sings"),
    )
    ran(runner, monday)
    assert runner.run(task(monday), force=True).ok
    more = desk(rivals=["Velmora", {"name": FORMULA, "terms": ["Sorglimt"]}])
    wednesday = (row("delta.example", "Velmora accused of fraud, Sorglimt gloats", on=WEDNESDAY),)
    ran(runner, wednesday, on=WEDNESDAY, profile=more)
    return runner


def found(runner: Runner, **more: Any) -> Voice:
    return voice(runner.store, "desk", **more)


def test_a_day_counts_once_however_often_it_ran_and_its_copies_are_one_story(runner: Runner) -> None:
    cells = found(runner).frame.filter(pl.col("n_items") > 0)
    assert cells.select("day", "name", "tier", "tone", "n_items", "n_stories").rows() == [
        (date.fromisoformat(MONDAY), "Nordlys", "A", "positive", 1, 1),
        (date.fromisoformat(MONDAY), "Nordlys", "B", "positive", 1, 0),
        (date.fromisoformat(WEDNESDAY), FORMULA, "C", "negative", 1, 1),
        (date.fromisoformat(WEDNESDAY), "Velmora", "C", "negative", 1, 1),
    ]


def test_a_name_is_silent_on_days_it_was_looked_for_and_unknown_on_all_others(runner: Runner) -> None:
    days = found(runner).by_day()
    silent = {(str(day), name) for day, name, n in days.select("day", "name", "n_items").rows() if n == 0}
    assert silent == {(MONDAY, "Velmora"), (WEDNESDAY, "Nordlys")}
    assert FORMULA not in days.filter(pl.col("day") == date.fromisoformat(MONDAY))["name"]
    span = found(runner, days=3)
    assert [str(day) for day in span.days.without_run] == ["2026-03-03"]
    assert "2 runs, 1 day without one" in span.headlines()[0]


def test_a_span_is_cut_where_it_is_asked_to_be(runner: Runner) -> None:
    one = found(runner, first=date.fromisoformat(MONDAY), last=date.fromisoformat(MONDAY))
    assert one.by_name().select("name", "n_items", "n_stories", "share_items").rows() == [
        ("Nordlys", 2, 1, 1.0),
        ("Velmora", 0, 0, 0.0),
    ]
    with pytest.raises(UnknownError, match="no complete daily run"):
        found(runner, first=date(2026, 3, 3), last=date(2026, 3, 3))
    with pytest.raises(UsageError, match="end before they begin"):
        found(runner, first=date(2026, 3, 4), last=date(2026, 3, 2))
    with pytest.raises(UsageError, match="a span of 0 days"):
        found(runner, days=0)


def _told(runner: Runner, *arguments: str, command: str = "voice") -> Any:
    given = [command, "--store", str(runner.store.path), "--profile", "desk", *arguments]
    return CliRunner().invoke(main, given, prog_name="brandkit")


def test_the_command_tells_a_person_and_a_machine_the_same(runner: Runner) -> None:
    told = json.loads(_told(runner, "--days", "3", "--json").stdout)
    assert told["without_run"] == ["2026-03-03"]
    assert (
        sum(cell["n_items"] for cell in told["cells"]) == sum(name["n_items"] for name in told["names"]) == 4
    )
    shown = _told(runner, "--each-day").stdout
    assert "Share of mentions by item (by story): Nordlys 50% (33%)" in shown
    assert MONDAY in shown


def test_a_file_for_a_spreadsheet_holds_no_formula(runner: Runner, tmp_path: Path) -> None:
    path = tmp_path / "voice.csv"
    assert "rows written" in _told(runner, "--csv", str(path)).stderr
    with path.open(encoding="utf-8", newline="") as file:
        names = {line["name"] for line in csv.DictReader(file)}
    assert names == {"Nordlys", "Velmora", f"'{FORMULA}"}


def test_two_beginnings_and_a_file_that_cannot_be_written_are_refused(runner: Runner, tmp_path: Path) -> None:
    both = _told(runner, "--first", MONDAY, "--days", "3")
    assert (both.exit_code, "both say where to begin" in both.stderr) == (2, True)
    nowhere = _told(runner, "--csv", str(tmp_path / "none" / "voice.csv"))
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (2, True)


def test_bursts_count_the_hours_of_days_that_ran_and_say_of_whom_too_little_is_known(
    runner: Runner, tmp_path: Path
) -> None:
    path = tmp_path / "bursts.csv"
    shown = _told(runner, "--days", "3", "--csv", str(path), command="bursts")
    assert shown.exit_code == 0, shown.stderr
    assert "2 runs, 1 day without one" in shown.stdout
    assert "No name burst." in shown.stdout
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    # Two names on Monday, three on Wednesday, 24 hours each; the Tuesday nobody looked at has none.
    assert len(lines) == 2 * 24 + 3 * 24
    assert sum(int(line["n_items"]) for line in lines) == 4
    told = json.loads(_told(runner, "--days", "3", "--json", command="bursts").stdout)
    # One day of hours is less than what is needed before the first can be judged.
    assert (told["bursts"], told["not_enough_history"]) == ([], [FORMULA])


def test_bursts_refuse_two_beginnings(runner: Runner) -> None:
    both = _told(runner, "--first", MONDAY, "--days", "3", command="bursts")
    assert (both.exit_code, "both say where to begin" in both.stderr) == (2, True)
