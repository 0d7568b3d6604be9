"""Three doors, one house: a function, a runner and a command end in the same records."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

import brandkit as bk
from brandkit.cli import main
from brandkit.store.state import StateStore
from tests.flow.newsdesk import ROOT, TUESDAY, WEDNESDAY, same_bytes, sample, technology


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of the sample's dirt in a file of its own."""
    path = tmp_path_factory.mktemp("mail") / "items.parquet"
    sample(TUESDAY, 400).write_parquet(path)
    return path


def test_a_function_a_runner_and_a_command_end_in_the_same_records(mail: Path, tmp_path: Path) -> None:
    by_hand = bk.assess(bk.scan_items(mail), technology(), as_of=datetime(2026, 3, 4, tzinfo=UTC))
    assert by_hand.records.height > 200
    assert by_hand.rejects.height > 0

    runner = bk.Runner(tmp_path / "runner.duckdb")
    result = runner.run(bk.Task(date=TUESDAY, profile=technology(), inputs=mail))
    assert result.ok

    profile, store = ROOT / "data" / "profiles" / "technology.toml", tmp_path / "cli.duckdb"
    arguments = ("run", "daily", "--date", TUESDAY, "--profile", profile, "--input", mail, "--store", store)
    called = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert called.exit_code == 0, called.output
    latest = StateStore(store).latest("technology", "daily")
    assert latest is not None

    stored = runner.store.records(result.run_id), StateStore(store, cache=None).records(latest.run_id)
    assert {same_bytes(by_hand), *map(same_bytes, stored)} == {same_bytes(by_hand)}
    for name in ("stories", "rejects"):
        through_the_store = getattr(runner.store, name)(result.run_id)
        assert getattr(by_hand, name).equals(getattr(StateStore(store), name)(latest.run_id))
        assert getattr(by_hand, name).equals(through_the_store)


def test_the_notebook_ends_in_the_same_records_from_any_folder(mail: Path, tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "runner.duckdb")
    result = runner.run(bk.Task(date=TUESDAY, profile=technology(), inputs=mail))
    profile, store = ROOT / "data" / "profiles" / "technology.toml", tmp_path / "notebook.duckdb"
    given = {"run_date": TUESDAY, "profile": profile, "inputs": mail, "store": store}
    options = [part for name, value in given.items() for part in ("-p", name, str(value))]
    command = [
        sys.executable,
        "-m",
        "papermill",
        str(ROOT / "notebooks" / "daily.ipynb"),
        "out.ipynb",
        *options,
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    latest = StateStore(store).latest("technology", "daily")
    assert latest is not None
    assert same_bytes(StateStore(store).records(latest)) == same_bytes(runner.store.records(result.run_id))


def test_a_pipeline_built_from_a_task_gives_what_the_runner_stores(mail: Path, tmp_path: Path) -> None:
    task = bk.Task(date=TUESDAY, profile=technology(), inputs=mail)
    built = bk.Pipeline.from_task(task, technology()).run()
    runner = bk.Runner(tmp_path / "desk.duckdb")
    assert same_bytes(built.frame) == same_bytes(runner.store.records(runner.run(task).run_id))


def test_history_by_hand_is_the_history_of_the_store(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    days = {on: sample(on, 300) for on in (TUESDAY, WEDNESDAY)}
    ran = [runner.run(bk.Task(date=on, profile=technology(), inputs=rows)) for on, rows in days.items()]
    end = datetime(2026, 3, 5, tzinfo=UTC)
    task = bk.Task(date=WEDNESDAY, profile=technology())
    history = runner.store.history(
        "technology", kind="daily", window_start=task.context(technology()).window_start, as_of=end,
        before=task.date,
    )  # fmt: skip
    by_hand = bk.assess(bk.scan_items(days[WEDNESDAY]), technology(), as_of=end, history=history)
    stored = runner.store.records(ran[1].run_id)
    assert stored["story_id"].is_in(runner.store.records(ran[0].run_id)["story_id"].implode()).any()
    # The store numbers revisions; by hand they go on from what the history says.
    assert same_bytes(by_hand.records.drop("revision")) == same_bytes(stored.drop("revision"))


def test_what_a_run_prints_for_a_notebook_is_its_counts(mail: Path, tmp_path: Path) -> None:
    result = bk.Runner(tmp_path / "desk.duckdb").run(bk.Task(date=TUESDAY, profile=technology(), inputs=mail))
    html = result._repr_html_()
    assert f"<caption>{result.run_id}</caption>" in html
    assert f"<th>records</th><td>{result.counts['records']}</td>" in html
