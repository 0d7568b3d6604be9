"""What goes wrong says so once, leaves nothing half-visible, and loses nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import brandkit as bk
from brandkit.assess import standard_pipeline
from brandkit.errors import (
    InputError,
    MappingError,
    RunBusyError,
    StageError,
    StoreBusyError,
    StoreCorruptError,
    UnknownError,
    UsageError,
)  # fmt: skip
from brandkit.pipeline import Pipeline, Stage
from brandkit.store.state import StateStore
from brandkit.telemetry import StageEvent, Telemetry
from tests.flow.newsdesk import MAIL, MONDAY, desk, ran, records, row, same_bytes, table, task

READS = ("records", "stories", "rejects", "items")


@pytest.fixture
def runner(tmp_path: Path) -> bk.Runner:
    return bk.Runner(tmp_path / "desk.duckdb")


def nothing_of_it_is_visible(runner: bk.Runner, run_id: str) -> None:
    for read in READS:
        with pytest.raises(UnknownError, match="it published nothing"):
            getattr(runner.store, read)(run_id)


# Inputs


def _missing(folder: Path) -> Path:
    return folder / "missing.csv"


def _no_bytes(folder: Path) -> Path:
    path = folder / "empty.csv"
    path.touch()
    return path


def _truncated(folder: Path) -> Path:
    path = folder / "cut.parquet"
    table(MAIL).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-40])
    return path


def _damaged(folder: Path) -> Path:
    """A file whose beginning and end are whole, and whose middle is not."""
    path = folder / "damaged.parquet"
    many = tuple(row("beta.example", f"Boats of kind {n * 7} and what they cost") for n in range(400))
    table(many).write_parquet(path)
    bytes_ = bytearray(path.read_bytes())
    bytes_[1_000:3_000] = b"\xff" * 2_000
    path.write_bytes(bytes_)
    return path


def _half_json(folder: Path) -> Path:
    path = folder / "half.json"
    path.write_text('[{"url": "https://alpha.example/1", "title": "Half a')
    return path


def _other_shape(folder: Path) -> Path:
    path = folder / "shape.csv"
    path.write_text("colour,size\nred,3\n")
    return path


def _no_folder(folder: Path) -> str:
    return str(folder / "nowhere" / "*.csv")


BROKEN = (_missing, _no_bytes, _truncated, _damaged, _half_json, _other_shape, _no_folder)


@pytest.mark.parametrize("make", BROKEN)
def test_an_input_that_cannot_be_read_fails_the_run_and_names_itself(
    runner: bk.Runner, tmp_path: Path, make: Callable[[Path], Any]
) -> None:
    good = ran(runner)
    source = make(tmp_path)
    result = runner.run(task(source))
    assert (result.ok, result.status, result.run_id) == (False, "failed", f"desk.daily.{MONDAY}.2")
    assert isinstance(result.error, InputError | MappingError)
    assert result.error.exit_code == 2
    name = Path(str(source)).name
    assert name in str(result.error)
    # The message is kept with the run, and shown once.
    assert runner.store.run(result.run_id).error == str(result.error)
    assert result._repr_html_().count(name) == 1
    nothing_of_it_is_visible(runner, result.run_id)
    latest = runner.store.latest("desk", "daily")
    assert latest is not None
    assert latest.run_id == good.run_id
    assert ran(runner).is_repeat


@pytest.mark.parametrize("make", [_missing, _damaged, _other_shape])
def test_one_source_that_failed_is_a_warning_on_a_complete_run(
    runner: bk.Runner, tmp_path: Path, make: Callable[[Path], Any]
) -> None:
    source = make(tmp_path)
    result = ran(runner, [table(MAIL), source])
    (warning,) = result.warnings
    assert warning.startswith("a source failed and was left out: ")
    assert Path(str(source)).name in warning
    assert runner.store.run(result.run_id).warnings == result.warnings
    alone = bk.Runner(tmp_path / "alone.duckdb")
    assert same_bytes(records(runner, result)) == same_bytes(records(alone, ran(alone)))
    assert warning.replace("'", "&#x27;") in result._repr_html_()


def test_an_object_that_is_no_table_fails_the_run(runner: bk.Runner) -> None:
    result = runner.run(task(7))
    assert isinstance(result.error, InputError)
    assert "cannot read items from a int" in str(result.error)


def test_a_lazy_frame_of_a_file_that_is_gone_fails_the_run(runner: bk.Runner, tmp_path: Path) -> None:
    result = runner.run(task(pl.scan_parquet(tmp_path / "gone.parquet")))
    assert isinstance(result.error, InputError)
    assert "gone.parquet" in str(result.error)


def test_a_mapping_that_does_not_fit_says_what_there_is(runner: bk.Runner, tmp_path: Path) -> None:
    mail = tmp_path / "mail.csv"
    table(MAIL).write_csv(mail)
    result = runner.run(task(mail, mapping={"columns": {"title": "headline", "url": "url"}}))
    assert isinstance(result.error, MappingError)
    assert "no column 'headline'" in str(result.error)
    assert "there are: url, title" in str(result.error)


def test_what_is_asked_wrongly_touches_no_store(runner: bk.Runner, tmp_path: Path) -> None:
    for wrong in (
        lambda: task(on="yesterday"),
        lambda: task(kind="weekly"),
        lambda: task(as_of=f"{MONDAY}T07:00:00"),
        lambda: task(as_of="noon"),
        lambda: runner.run(task(as_of="2026-03-05T00:00:00+00:00")),
        lambda: runner.run(task(as_of=f"{MONDAY}T00:00:00+00:00")),
        lambda: runner.run(task(profile=tmp_path / "gone.toml")),
    ):
        with pytest.raises(UsageError) as told:
            wrong()
        assert told.value.exit_code == 2
    assert not runner.store.path.exists()


# Stages


Fault = Callable[[pl.LazyFrame], pl.LazyFrame]


def _raises(items: pl.LazyFrame) -> pl.LazyFrame:
    raise ZeroDivisionError("a stage of ours has a bug")


def _fails_when_collected(items: pl.LazyFrame) -> pl.LazyFrame:
    return items.with_columns(summary=pl.col("title").cast(pl.Int64).cast(pl.String))


def _loses_a_row(items: pl.LazyFrame) -> pl.LazyFrame:
    return items.filter(~pl.col("title").str.contains("Ferry"))


def break_stage(monkeypatch: pytest.MonkeyPatch, name: str, fault: Fault) -> None:
    """Put a fault behind one stage, as a bug of ours would."""

    def faulty(stage: Stage) -> Stage:
        return replace(stage, run=lambda items, ctx: fault(stage.run(items, ctx)))

    def pipeline() -> Pipeline:
        stages = standard_pipeline().stages
        return Pipeline(tuple(faulty(stage) if stage.name == name else stage for stage in stages))

    monkeypatch.setattr("brandkit.runner.standard_pipeline", pipeline)


@pytest.mark.parametrize(
    ("name", "fault"), [("normalise", _raises), ("mentions", _fails_when_collected), ("risk", _raises)]
)
def test_a_stage_that_raises_ends_the_run_and_names_itself(
    runner: bk.Runner, monkeypatch: pytest.MonkeyPatch, name: str, fault: Fault
) -> None:
    good = ran(runner)
    with monkeypatch.context() as patch:
        break_stage(patch, name, fault)
        result = runner.run(task(), force=True)
    assert (result.status, type(result.error)) == ("failed", StageError)
    assert f"stage '{name}' failed" in str(result.error)
    assert result.error is not None
    assert result.error.exit_code == 1
    nothing_of_it_is_visible(runner, result.run_id)
    before = runner.store.info().n_rows
    latest = runner.store.latest("desk", "daily")
    assert latest is not None
    assert latest.run_id == good.run_id
    # Once the bug is mended, the date can be run; the failed attempt stays on the record.
    mended = runner.run(task(), force=True)
    assert mended.run_id == f"desk.daily.{MONDAY}.3"
    assert same_bytes(records(runner, mended)) == same_bytes(records(runner, good))
    assert runner.store.info().n_rows["items"] == before["items"]


def test_a_failed_run_keeps_the_telemetry_so_far(runner: bk.Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    break_stage(monkeypatch, "coordination", _raises)
    result = runner.run(task())
    stages = runner.store.stages(result.run_id)
    assert stages["name"].to_list() == [
        "normalise", "trust", "mentions", "sentiment", "copies", "stories", "coordination"
    ]  # fmt: skip
    assert stages["error"].to_list() == [None] * 6 + ["StageError"]
    assert stages.row(0, named=True)["rows_out"] == len(MAIL)
    assert set(result.seconds) == set(stages["name"])


def test_a_stage_that_loses_a_row_fails_the_run(runner: bk.Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    # At the checkpoint after normalising, and at every later one.
    for attempt, name in enumerate(("trust", "gate"), start=1):
        with monkeypatch.context() as patch:
            break_stage(patch, name, _loses_a_row)
            result = runner.run(task())
        assert "7 rows went in and 6 came out" in str(result.error)
        nothing_of_it_is_visible(runner, f"desk.daily.{MONDAY}.{attempt}")


def test_a_failed_first_run_stores_no_items(runner: bk.Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    break_stage(monkeypatch, "risk", _raises)
    runner.run(task())
    rows = runner.store.info().n_rows
    assert {name: rows[name] for name in ("runs", "items", "observations", "records", "stories")} == {
        "runs": 1, "items": 0, "observations": 0, "records": 0, "stories": 0,
    }  # fmt: skip


# Others at the same time


RUNNING = """
import sys
from datetime import date
from brandkit.store import StateStore
with StateStore(sys.argv[1]).run_lock("desk", "daily", date.fromisoformat(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""
HOLDING = """
import sys, time
from brandkit.store import StateStore
with StateStore(sys.argv[1]).transaction():
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@contextmanager
def another_process(code: str, *arguments: object) -> Iterator[int]:
    """A process of somebody else's, once it holds what it was to hold; gives its id."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield other.pid
        other.kill()


def test_the_same_run_in_another_process_is_refused_and_names_it(runner: bk.Runner) -> None:
    with another_process(RUNNING, runner.store.path, MONDAY) as pid:
        with pytest.raises(RunBusyError, match=f"process {pid} ") as told:
            runner.run(task())
        assert told.value.exit_code == 75
        # Only this run: another date and another desk go on.
        assert ran(runner, on="2026-03-05").ok
        assert ran(runner, profile=desk(id="other")).ok
    # The lock of a process that was killed is free.
    assert ran(runner).run_id == f"desk.daily.{MONDAY}.1"


def test_of_two_threads_that_start_one_run_one_runs_it(
    runner: bk.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def waits(event: StageEvent) -> None:
        if event.name == "normalise":
            inside.set()
            go_on.wait(60)

    slow = bk.Runner(runner.store.path, telemetry=Telemetry(hooks=(waits,)))
    results: list[bk.RunResult] = []
    thread = threading.Thread(target=lambda: results.append(slow.run(task())))
    thread.start()
    try:
        assert inside.wait(60)
        with pytest.raises(RunBusyError, match=f"process {os.getpid()} "):
            runner.run(task())
    finally:
        go_on.set()
        thread.join(60)
    assert [result.status for result in results] == ["complete"]
    assert runner.store.runs().height == 1
    assert ran(runner).is_repeat


def test_a_store_another_process_holds_too_long_says_try_again(tmp_path: Path) -> None:
    impatient = bk.Runner(StateStore(tmp_path / "desk.duckdb", timeout_s=0.01))
    ran(impatient)
    with another_process(HOLDING, impatient.store.path, 60) as pid:
        with pytest.raises(StoreBusyError, match=f"process {pid} ") as told:
            impatient.run(task(on="2026-03-05"))
        assert told.value.exit_code == 75
    assert impatient.store.runs().height == 1


def test_a_store_that_is_let_go_in_time_is_waited_for(tmp_path: Path) -> None:
    impatient = bk.Runner(StateStore(tmp_path / "desk.duckdb", timeout_s=0.01))
    waited = time.perf_counter()
    # Longer than the store waits by itself, shorter than three attempts with their pauses.
    with another_process(HOLDING, impatient.store.path, 0.1):
        result = impatient.run(task())
    assert result.ok
    assert time.perf_counter() - waited < 60


def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "desk.duckdb"
    path.write_text("not a database, but forty or so characters of text")
    before = path.read_bytes()
    with pytest.raises(StoreCorruptError, match="is not a DuckDB file"):
        bk.Runner(path).run(task())
    assert path.read_bytes() == before


# Telemetry


def test_every_stage_of_a_run_is_in_the_store(runner: bk.Runner) -> None:
    result = ran(runner)
    stages = runner.store.stages(result.run_id)
    assert stages["name"].to_list() == [stage.name for stage in standard_pipeline().stages]
    assert stages["seq"].to_list() == list(range(stages.height))
    assert set(stages["run_id"]) == {result.run_id}
    assert stages["wall_s"].min() >= 0
    assert stages["peak_memory"].null_count() == 0
    assert result.seconds == dict(stages.select("name", pl.col("wall_s").round(3)).rows())


def test_a_hook_that_fails_never_fails_a_run(runner: bk.Runner, tmp_path: Path) -> None:
    def fails(event: StageEvent) -> None:
        raise RuntimeError("the dashboard is down")

    telemetry = Telemetry(hooks=(fails,))
    hooked = bk.Runner(tmp_path / "hooked.duckdb", telemetry=telemetry)
    result = ran(hooked)
    assert telemetry.hook_failures == len(telemetry.events) > len(standard_pipeline().stages)
    assert same_bytes(records(hooked, result)) == same_bytes(records(runner, ran(runner)))


def test_a_runners_telemetry_hears_of_every_stage_once_and_of_the_store(tmp_path: Path) -> None:
    heard: list[StageEvent] = []
    telemetry = Telemetry(hooks=(heard.append,))
    ran(bk.Runner(tmp_path / "desk.duckdb", telemetry=telemetry))
    stages = [event.name for event in heard if event.kind == "stage"]
    assert stages == [stage.name for stage in standard_pipeline().stages]
    assert {"history", "start_run", "finish_run"} <= {e.name for e in heard if e.kind.startswith("store_")}
    assert list(telemetry.events) == heard


def test_hostile_text_in_a_result_is_text() -> None:
    script = "<script>alert(1)</script>"
    html = bk.RunResult(
        f"desk{script}", "failed", {script: 1}, warnings=(script,), error=InputError(script)
    )._repr_html_()
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 4
