"""``brandkit replay``: the same, what differs, who would have moved; each with its exit code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

import brandkit as bk
from brandkit.cli.replaying import replay as command
from brandkit.store.state import StateStore
from tests.flow.newsdesk import MONDAY, ran

FIRST = f"desk.daily.{MONDAY}.1"


@pytest.fixture(scope="module")
def one_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of one run, to be copied."""
    folder = tmp_path_factory.mktemp("one_day")
    ran(bk.Runner(folder / "desk.duckdb"))
    return folder


@pytest.fixture
def store(one_day: Path, tmp_path: Path) -> StateStore:
    shutil.copytree(one_day, tmp_path / "desk")
    return StateStore(tmp_path / "desk" / "desk.duckdb", cache=None)


def sql(store: StateStore, statement: str) -> None:
    """A change by other means."""
    with duckdb.connect(str(store.path)) as con:
        con.execute(statement)


def told(store: StateStore, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--store", str(store.path)])


def test_the_command_says_that_it_is_the_same(store: StateStore) -> None:
    found = told(store, FIRST)
    n = f"{store.records(FIRST).height} records and {store.stories(FIRST).height} stories"
    assert (found.exit_code, " ".join(found.stdout.split())) == (
        0, f"run {FIRST}: {n} came out byte for byte as they are stored",
    )  # fmt: skip
    data = json.loads(told(store, FIRST, "--json").stdout)
    assert (data["is_same"], data["differences"], data["moved"]) == (True, [], [])


def test_the_command_leaves_with_3_and_a_table_when_something_differs(store: StateStore) -> None:
    sql(store, f"UPDATE records SET total = total + 1 WHERE run_id = '{FIRST}'")
    found = told(store, FIRST)
    assert found.exit_code == 3
    assert "total" in found.stdout
    assert "came out otherwise" in found.stderr
    data = json.loads(told(store, FIRST, "--json").stdout)
    assert len(data["differences"]) == data["n_records"] == store.records(FIRST).height


def test_the_command_with_a_profile_says_who_moves_and_leaves_with_0(
    store: StateStore, tmp_path: Path
) -> None:
    other = tmp_path / "other.toml"
    other.write_text('id = "other"\nown = ["Velmora"]\n')
    found = told(store, FIRST, "--profile", str(other))
    assert found.exit_code == 0
    assert "must cover 1 -> 0" in found.stdout
    assert "Nordlys orders recall" in found.stdout
    data = json.loads(told(store, FIRST, "--profile", str(other), "--json").stdout)
    assert (data["is_what_if"], data["differences"]) == (True, [])
    assert data["moved"]


def test_the_command_leaves_with_2_when_it_is_refused(store: StateStore) -> None:
    sql(store, f"UPDATE runs SET versions = '{{}}' WHERE run_id = '{FIRST}'")
    assert (told(store, FIRST).exit_code, told(store, FIRST, "--anyway").exit_code) == (2, 0)
    assert "--anyway" in told(store, FIRST).stderr
    assert told(store, "desk.daily.2026-03-09.1").exit_code == 2
    empty = StateStore(store.path.with_name("none.duckdb"))
    assert told(empty, FIRST).exit_code == 2
    assert not empty.path.exists()
