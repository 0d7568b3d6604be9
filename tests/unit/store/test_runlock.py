from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from brandkit.errors import RunBusyError, UsageError
from brandkit.store import StateStore
from tests.store_frames import ON

_HOLD = """
import sys
from datetime import date
from brandkit.store import StateStore
with StateStore(sys.argv[1]).run_lock("desk", "daily", date(2026, 3, 2)):
    print("inside", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "store.duckdb")


def test_a_run_going_on_in_another_process_is_busy_until_that_dies(store: StateStore) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(store.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "inside\n"
        with pytest.raises(
            RunBusyError, match=f"daily run of desk for 2026-03-02(.|\n)*process {other.pid}"
        ) as caught:
            store.run_lock("desk", "daily", ON).__enter__()
        assert caught.value.exit_code == 75
        with store.run_lock("desk", "daily", ON + timedelta(days=1)), store.run_lock("other", "daily", ON):
            pass
        other.kill()
    with store.run_lock("desk", "daily", ON):
        pass


def test_a_run_going_on_in_another_thread_is_busy(store: StateStore) -> None:
    def enter() -> None:
        with store.run_lock("desk", "daily", ON, timeout_s=0.02):
            raise AssertionError("two threads inside")

    with ThreadPoolExecutor(1) as pool, store.run_lock("desk", "daily", ON), pytest.raises(RunBusyError):
        pool.submit(enter).result()


def test_the_lock_leaves_no_file_behind_also_after_an_error(store: StateStore) -> None:
    def fail() -> None:
        with store.run_lock("desk", "daily", ON):
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert list(store.path.parent.rglob("*.lock")) == []


def test_many_threads_are_inside_one_at_a_time(store: StateStore) -> None:
    inside: list[int] = []

    def enter(n: int) -> int:
        with store.run_lock("desk", "daily", ON, timeout_s=20):
            inside.append(n)
            alone = len(inside)
            inside.remove(n)
            return alone

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(enter, range(60))) == {1}


def test_a_name_that_could_leave_the_folder_is_refused(store: StateStore) -> None:
    with pytest.raises(UsageError, match="cannot stand in a path"):
        store.run_lock("../../etc", "daily", ON).__enter__()
