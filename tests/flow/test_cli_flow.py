from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner, Result

from brandkit.cli import base, main
from brandkit.store.runlock import run_lock

ON = "2026-03-02"
MAIN = "import sys; from brandkit.cli import main; main(prog_name='brandkit')"
DESK = """
id = "desk"
own = ["Nordlys"]
rivals = ["Sunnacre"]
pillars = [{ name = "prices", terms = ["price", "prices"] }]
triggers = [{ name = "recall", terms = ["recall"] }]
[forbidden]
phrases = ["names of striking workers"]
[sources]
use_defaults = false
[sources.tiers]
"alpha.example" = "A"
"beta.example" = "B"
"""
TITLES = {
    "alpha.example": "Nordlys orders recall of oat drink as prices rise",
    "beta.example": "Nordlys oat drink recall as prices rise",
    "stranger.example": "Sunnacre depot: the names of striking workers",
}


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables as wide as in a pipe, whatever terminal the tests were started from."""
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "desk.toml").write_text(DESK)
    rows = [
        f"https://{domain}/story,{title},{domain},{ON}T08:00:00Z,{ON}T08:30:00Z"
        for domain, title in TITLES.items()
    ]
    rows.append(f",a row without identity,,{ON}T08:00:00Z,{ON}T08:30:00Z")
    (folder / "items.csv").write_text("\n".join(["url,title,source,published_at,collected_at", *rows]) + "\n")
    return folder


@dataclass(frozen=True)
class Desk:
    folder: Path

    @property
    def store(self) -> Path:
        return self.folder / "desk.duckdb"

    def run(self, *more: str | Path, kind: str = "daily", on: str = ON) -> Result:
        given = () if "--input" in more else ("--input", self.folder / "items.csv")
        return self.call("run", kind, "--date", on, "--profile", self.folder / "desk.toml", *given, *more)

    def call(self, *arguments: str | Path) -> Result:
        # The store's place comes last: it is an option of every command here.
        return CliRunner().invoke(
            main, [*map(str, arguments), "--store", str(self.store)], prog_name="brandkit"
        )

    def command(self) -> list[str]:
        """The day's run as a process of its own."""
        profile, items = self.folder / "desk.toml", self.folder / "items.csv"
        options = {"date": ON, "profile": profile, "input": items, "store": self.store}
        given = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        return [sys.executable, "-c", MAIN, "run", "daily", *given]

    def data(self, *arguments: str | Path) -> Any:
        result = self.call(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture(scope="module")
def desk(folder: Path) -> Desk:
    """A desk with one complete run."""
    made = Desk(folder)
    result = made.run()
    assert result.exit_code == 0, result.output
    return made


@pytest.fixture
def fresh(folder: Path, tmp_path: Path) -> Desk:
    """The same desk with a store of its own."""
    for name in ("desk.toml", "items.csv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    return Desk(tmp_path)


def test_a_day_is_decided_shown_and_kept(fresh: Desk) -> None:
    result = fresh.run()
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    assert f"run desk.daily.{ON}.1 complete" in result.stdout
    assert "4 rows in, 1 rejected, 0 seen again, 0 outside the day, 3 records" in result.stdout
    assert "must cover" in result.stdout
    assert TITLES["alpha.example"] in result.stdout
    assert result.stdout.index("do not amplify, but act") < result.stdout.index(TITLES["stranger.example"])


def test_the_same_run_again_is_the_earlier_one_and_force_makes_another(fresh: Desk) -> None:
    first = json.loads(fresh.run("--json").stdout)
    assert (first["run_id"], first["ok"], first["is_repeat"], first["is_sample"]) == (
        f"desk.daily.{ON}.1",
        True,
        False,
        False,
    )
    assert first["counts"]["records"] == 3
    assert sum(first["decisions"].values()) == first["counts"]["stories"]
    assert {"story_id", "lead_item_id", "decision", "effective_decision", "total", "title"} <= set(
        first["stories"][0]
    )
    again = fresh.run()
    assert f"run desk.daily.{ON}.1 was there already" in again.stdout
    assert json.loads(fresh.run("--force", "--json").stdout)["run_id"] == f"desk.daily.{ON}.2"


def test_runs_list_every_attempt_newest_first(fresh: Desk) -> None:
    assert fresh.data("runs") == {"store": str(fresh.store), "runs": []}
    assert "no runs in" in fresh.call("runs").stdout
    fresh.run()
    fresh.run("--shadow", "--force")
    fresh.run("--input", fresh.folder / "missing.csv", kind="adhoc")
    listed = fresh.data("runs")["runs"]
    assert [run["status"] for run in listed] == ["failed", "complete", "complete"]
    assert [run["shadow"] for run in listed] == [False, True, False]
    assert listed[2]["counts"]["records"] == 3
    assert listed[2]["versions"]["polars"] == pl.__version__
    assert len(fresh.data("runs", "--limit", "1")["runs"]) == 1
    assert fresh.data("runs", "--profile", "another")["runs"] == []
    assert len(fresh.data("runs", "--profile", fresh.folder / "desk.toml")["runs"]) == 3
    shown = fresh.call("runs").stdout
    assert "shadow" in shown
    assert "missing.csv" in shown


def test_a_source_that_failed_is_a_warning_and_the_others_count(fresh: Desk) -> None:
    result = fresh.run("--input", fresh.folder / "items.csv", "--input", fresh.folder / "missing.csv")
    assert result.exit_code == 0
    assert "warning: a source failed and was left out" in result.stdout
    assert "1 warning" in fresh.call("runs").stdout


def test_a_source_tree_brings_its_own_sample(fresh: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = fresh.folder / "data" / "sample"
    sample.mkdir(parents=True)
    pl.read_csv(fresh.folder / "items.csv").write_parquet(sample / f"items-{ON}.parquet")
    monkeypatch.setattr("brandkit.settings.project_root", lambda: fresh.folder)
    result = fresh.call("run", "daily", "--date", ON, "--profile", fresh.folder / "desk.toml")
    assert result.exit_code == 0, result.output
    assert result.stderr.count("\n") == 1
    assert "shipped sample" in result.stderr


def test_without_input_and_sample_the_way_out_is_told(fresh: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brandkit.settings.project_root", lambda: None)
    result = fresh.call("run", "daily", "--date", ON, "--profile", fresh.folder / "desk.toml")
    assert result.exit_code == 2
    assert "pass --input" in result.stderr


# Explain


def test_a_decision_is_accounted_for_to_the_point(desk: Desk) -> None:
    lead = json.loads(desk.run("--json").stdout)["stories"][0]
    data = desk.data("explain", lead["lead_item_id"])
    assert sum(step["points"] for step in data["steps"]) == data["total"] == lead["total"]
    assert data["steps"][-1]["running"] == data["total"]
    assert data["run_id"] == f"desk.daily.{ON}.1"
    assert {gate["gate"] for gate in data["gates"]} >= {"must_cover", "confidence"}
    shown = desk.call("explain", lead["lead_item_id"]).stdout
    assert lead["title"] in shown
    assert f"{lead['decision'].replace('_', ' ')} with {lead['total']} of 100" in shown


def test_the_beginning_of_an_id_is_enough_and_a_story_stands_for_its_lead(desk: Desk) -> None:
    lead = json.loads(desk.run("--json").stdout)["stories"][0]
    whole = desk.data("explain", lead["lead_item_id"])
    assert desk.data("explain", lead["lead_item_id"][:10].upper()) == whole
    assert desk.data("explain", lead["story_id"]) == whole
    assert desk.data("explain", lead["story_id"][:-2]) == whole
    assert desk.data("explain", lead["lead_item_id"], "--run", f"desk.daily.{ON}.1") == whole


def test_an_ambiguous_beginning_lists_what_it_may_be(desk: Desk) -> None:
    result = desk.call("explain", "")
    assert result.exit_code == 2
    assert "begins 3 ids" in result.stderr


@pytest.mark.parametrize("more", [(), ("--run", f"desk.daily.{ON}.1"), ("--profile", "desk")])
def test_an_unknown_item_is_a_usage_error(desk: Desk, more: tuple[str, ...]) -> None:
    result = desk.call("explain", "zzzz", *more)
    assert result.exit_code == 2
    assert "no item or story 'zzzz'" in result.stderr


def test_the_latest_run_that_has_the_item_speaks(fresh: Desk) -> None:
    fresh.run()
    item = json.loads(fresh.run("--json").stdout)["stories"][0]["lead_item_id"]
    fresh.run("--force")
    assert fresh.run(on="2026-03-09").exit_code == 0
    assert fresh.data("explain", item)["run_id"] == f"desk.daily.{ON}.2"


def test_the_usual_profile_speaks_before_others(fresh: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    item = json.loads(fresh.run("--json").stdout)["stories"][0]["lead_item_id"]
    other = fresh.folder / "other.toml"
    other.write_text(DESK.replace('"desk"', '"other"'))
    made = fresh.call(
        "run", "daily", "--date", ON, "--profile", other, "--input", fresh.folder / "items.csv", "--json"
    )
    assert made.exit_code == 0, made.output
    monkeypatch.setenv("BRANDKIT_PROFILE", str(fresh.folder / "desk.toml"))
    assert fresh.data("explain", item)["run_id"].startswith("desk.")
    assert fresh.data("explain", item, "--profile", "other")["run_id"].startswith("other.")
    monkeypatch.setenv("BRANDKIT_PROFILE", str(fresh.folder / "gone.toml"))
    assert fresh.data("explain", item)["run_id"].startswith("other.")


def test_before_the_first_run_there_is_nothing_to_explain(fresh: Desk) -> None:
    for arguments in (("explain", "a"), ("verify",), ("verify", "--profile", "desk")):
        result = fresh.call(*arguments)
        assert result.exit_code == 2
        assert "no complete run" in result.stderr


# Verify


def test_what_is_stored_is_what_the_signals_make(desk: Desk) -> None:
    data = desk.data("verify")
    assert data == {
        "run_id": f"desk.daily.{ON}.1", "ok": True, "n_records": 3, "differences": [], "stories": [],
    }  # fmt: skip
    assert "all 3 records" in desk.call("verify", f"desk.daily.{ON}.1").stdout


def test_a_changed_store_fails_the_check(fresh: Desk) -> None:
    fresh.run()
    with duckdb.connect(str(fresh.store)) as con:
        con.execute("UPDATE records SET total = 99")
    result = fresh.call("verify")
    assert result.exit_code == 3
    assert "values that differ" in result.stdout
    assert "error: 3 stored values differ" in result.stderr
    found = json.loads(fresh.call("verify", "--json").stdout)
    assert (found["ok"], len(found["differences"])) == (False, 3)
    assert set(found["differences"][0]) == {"item_id", "column", "stored", "computed"}


def test_a_run_that_is_not_there_is_a_usage_error(desk: Desk) -> None:
    result = desk.call("verify", f"desk.daily.{ON}.7")
    assert result.exit_code == 2
    assert f"unknown run 'desk.daily.{ON}.7'" in result.stderr


# Errors that must be right


def test_a_missing_input_fails_the_run_with_one_message(fresh: Desk) -> None:
    result = fresh.run("--input", fresh.folder / "missing.csv")
    assert result.exit_code == 2
    assert result.stderr.count("error:") == 1
    assert "missing.csv" in result.stderr
    assert "Traceback" not in result.output
    data = json.loads(fresh.run("--input", fresh.folder / "missing.csv", "--json").stdout)
    assert (data["status"], data["ok"], data["error"]["kind"]) == ("failed", False, "InputError")


def test_a_truncated_input_fails_the_run_with_one_message(fresh: Desk) -> None:
    whole = fresh.folder / "items.parquet"
    pl.read_csv(fresh.folder / "items.csv").write_parquet(whole)
    whole.write_bytes(whole.read_bytes()[:-20])
    result = fresh.run("--input", whole)
    assert result.exit_code == 2, result.output
    assert "items.parquet" in result.stderr
    assert fresh.data("runs")["runs"][0]["status"] == "failed"


def test_an_input_of_the_wrong_shape_fails_the_run_with_one_message(fresh: Desk) -> None:
    wrong = fresh.folder / "wrong.csv"
    wrong.write_text("colour,size\nred,3\n")
    result = fresh.run("--input", wrong)
    assert result.exit_code == 2, result.output
    assert "wrong.csv" in result.stderr


def test_a_contradictory_profile_touches_nothing(fresh: Desk) -> None:
    (fresh.folder / "desk.toml").write_text(DESK + "[thresholds]\nwatch = 80\n")
    result = fresh.run()
    assert result.exit_code == 2
    assert "watch = 80 stands at or above optional = 60" in result.stderr
    assert not fresh.store.exists()


def test_a_date_without_data_is_a_complete_run_of_nothing(fresh: Desk) -> None:
    result = fresh.run(on="2020-01-01")
    assert result.exit_code == 0, result.output
    assert "no items for this day" in result.stdout
    assert fresh.data("runs")["runs"][0]["status"] == "complete"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--as-of", "2026-03-05T00:00:00+00:00"), "outside the desk day"),
        (("--as-of", "2026-03-02T09:00:00"), "no time zone"),
        (("--as-of", "noon"), "not an instant"),
    ],
)
def test_an_instant_outside_the_day_touches_nothing(fresh: Desk, more: tuple[str, ...], told: str) -> None:
    result = fresh.run(*more)
    assert result.exit_code == 2
    assert told in result.stderr
    assert not fresh.store.exists()


def test_a_date_that_is_none_is_a_usage_error(fresh: Desk) -> None:
    assert fresh.run(on="yesterday").exit_code == 2


def test_the_same_run_started_elsewhere_says_try_again(fresh: Desk) -> None:
    with run_lock(fresh.store, ("desk", "daily", date.fromisoformat(ON)), timeout_s=0):
        result = fresh.run()
    assert result.exit_code == 75
    assert "Traceback" not in result.output
    assert not fresh.store.exists()


@contextmanager
def _held(store: Path) -> Iterator[None]:
    """The store in the hands of another process."""
    code = (
        "import sys\nfrom brandkit.store import StateStore\n"
        "with StateStore(sys.argv[1]).transaction():\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    held = subprocess.Popen(
        [sys.executable, "-c", code, str(store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with held:
        assert held.stdout is not None
        assert held.stdin is not None
        assert held.stdout.readline() == "held\n"
        yield
        held.stdin.close()


def test_a_store_held_by_another_process_says_try_again(fresh: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "PATIENCE_S", 0.05)
    with _held(fresh.store):
        for result in (fresh.call("runs"), fresh.run()):
            assert result.exit_code == 75, result.output
            assert "process" in result.stderr
            assert "Traceback" not in result.output
    assert fresh.run().exit_code == 0


def test_a_store_that_is_no_database_is_left_alone(fresh: Desk) -> None:
    fresh.store.write_text("not a database, but forty or so characters of text")
    before = fresh.store.read_bytes()
    for result in (fresh.call("runs"), fresh.run()):
        assert result.exit_code == 1
        assert "is not a DuckDB file" in result.stderr
    assert fresh.store.read_bytes() == before


def test_a_store_of_a_later_brandkit_is_left_alone(fresh: Desk) -> None:
    fresh.run()
    with duckdb.connect(str(fresh.store)) as con:
        con.execute("INSERT INTO migrations VALUES (99, 'from_the_future', now())")
    before = fresh.store.read_bytes()
    for result in (fresh.call("runs"), fresh.run()):
        assert result.exit_code == 1
        assert "later brandkit" in result.stderr
    assert fresh.store.read_bytes() == before


def test_a_store_that_cannot_be_written_says_where(fresh: Desk) -> None:
    # A folder nobody can write to, not even root.
    nowhere = Path("/proc/brandkit/desk.duckdb")
    result = CliRunner().invoke(
        main,
        ["run", "daily", "--date", ON, "--profile", str(fresh.folder / "desk.toml"),
         "--input", str(fresh.folder / "items.csv"), "--store", str(nowhere)],
    )  # fmt: skip
    assert result.exit_code == 1, result.output
    assert str(nowhere) in result.stderr
    assert "internal error" not in result.stderr


# On a terminal


def test_on_a_terminal_a_bar_moves_and_the_table_is_drawn(fresh: Desk) -> None:
    master, slave = pty.openpty()
    command = fresh.command()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    seen: list[bytes] = []

    def read() -> None:
        # The end of a terminal is an error on Linux.
        try:
            while chunk := os.read(master, 65536):
                seen.append(chunk)
        except OSError:
            pass

    with subprocess.Popen(command, stdout=slave, stderr=slave, stdin=slave, env=env) as running:
        os.close(slave)
        reader = threading.Thread(target=read)
        reader.start()
    reader.join(timeout=60)
    os.close(master)
    text = b"".join(seen).decode()
    assert running.returncode == 0, text
    assert "normalise" in text
    assert f"run desk.daily.{ON}.1 complete" in text


def test_a_run_in_a_pipe_prints_no_bar(fresh: Desk) -> None:
    command = [*fresh.command(), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stderr == ""
    assert json.loads(done.stdout)["ok"] is True
