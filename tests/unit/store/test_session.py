from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from brandkit.errors import (
    StoreBusyError,
    StoreError,
    UnknownError,
)
from brandkit.store import StateStore, UpsertCounts
from tests.store_frames import at, items, publish, records, start


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "store.duckdb", cache=None, timeout_s=5)


# Transactions ------------------------------------------------------------------------------------


def test_an_error_in_a_transaction_takes_everything_back(store: StateStore) -> None:
    def fail() -> None:
        with store.transaction():
            store.upsert_items(items({"id": 1}))
            start(store)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert store.info().n_rows["items"] == store.info().n_rows["runs"] == 0


def test_an_interrupt_in_a_transaction_takes_everything_back(store: StateStore) -> None:
    def interrupt() -> None:
        with store.transaction():
            store.upsert_items(items({"id": 1}))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert store.info().n_rows["items"] == 0


def test_an_inner_transaction_is_part_of_the_outer_one_and_read_through_it(store: StateStore) -> None:
    with store.transaction() as outer, store.transaction():
        run = publish(outer, records((1, "s")))
        assert store.records(run).height == 1
        with store.reading():
            assert store.run(run.run_id).status == "complete"
    assert store.records(run).height == 1


def test_an_inner_error_takes_the_whole_back_even_when_it_was_caught(store: StateStore) -> None:
    def carry_on() -> None:
        with store.transaction():
            store.upsert_items(items({"id": 1}))
            with pytest.raises(UnknownError):
                store.finish_run("none", records=records((1, "s")), finished_at=at(1))

    with pytest.raises(StoreError, match="nothing of the transaction was written"):
        carry_on()
    assert store.info().n_rows["items"] == 0


def test_an_error_of_the_database_that_was_caught_takes_the_whole_back(store: StateStore) -> None:
    def carry_on() -> None:
        with store.transaction():
            store.upsert_items(items({"id": 1}))
            with (
                store._access.reading("test") as (session, _),
                pytest.raises(StoreError, match="could not do"),
            ):
                session.rows("SELECT no_such_column FROM items")

    with pytest.raises(StoreError, match="nothing of the transaction was written"):
        carry_on()
    assert store.info().n_rows["items"] == 0


def test_a_question_without_an_answer_does_not_spoil_a_transaction(store: StateStore) -> None:
    with store.transaction():
        store.upsert_items(items({"id": 1}))
        with pytest.raises(UnknownError):
            store.run("none")
    assert store.info().n_rows["items"] == 1


def test_writing_while_the_same_thread_reads_is_refused_with_the_cure(store: StateStore) -> None:
    publish(store, records((1, "s")))
    with store.reading(), pytest.raises(StoreError, match=r"open transaction\(\) first"):
        store.upsert_items(items({"id": 1}))


def test_two_stores_of_one_file_in_one_thread_are_one_session(store: StateStore) -> None:
    with store.transaction():
        other = StateStore(store.path, timeout_s=1)
        assert other.upsert_items(items({"id": 1})) == UpsertCounts(1, 0, 0)
    assert store.info().n_rows["items"] == 1


# Threads and processes ---------------------------------------------------------------------------


def test_threads_write_and_read_at_once_and_lose_nothing(store: StateStore) -> None:
    def write(n: int) -> str:
        return publish(store, records((n, "s")), profile_id="desk" if n % 2 else "other").run_id

    def read(_: int) -> int:
        return int(store.runs().height)

    with ThreadPoolExecutor(6) as pool:
        written = list(pool.map(write, range(12)))
        list(pool.map(read, range(12)))
    assert len(set(written)) == 12
    assert sorted(store.runs()["attempt"].to_list()) == sorted([1, 2, 3, 4, 5, 6] * 2)


def test_a_thread_that_waits_too_long_is_told_that_a_thread_has_it(store: StateStore) -> None:
    impatient = StateStore(store.path, timeout_s=0.05)
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with store.transaction():
            inside.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert inside.wait(10)
        with pytest.raises(StoreBusyError, match="another thread of this process"):
            impatient.runs()
    finally:
        leave.set()
        holder.join()


_HOLD = """
import sys
from brandkit.store import StateStore
with StateStore(sys.argv[1]).transaction() as store:
    print("inside", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(store: StateStore) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(store.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "inside\n"
    yield process
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


def test_a_store_held_by_another_process_names_it(store: StateStore, holder: subprocess.Popen[str]) -> None:
    impatient = StateStore(store.path, timeout_s=0.1)
    for call in (impatient.runs, lambda: impatient.upsert_items(items({"id": 1}))):
        with pytest.raises(StoreBusyError, match=f"process {holder.pid} on .*, writing since") as caught:
            call()
        assert caught.value.exit_code == 75


def test_the_lock_of_a_killed_process_is_free_and_its_work_gone(
    store: StateStore, holder: subprocess.Popen[str]
) -> None:
    holder.kill()
    holder.wait(10)
    assert store.runs().height == 0
    assert publish(store, records((1, "s"))).attempt == 1


def test_a_file_opened_by_another_program_says_which_process_has_it(store: StateStore) -> None:
    publish(store, records((1, "s")))
    program = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(store.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StoreBusyError, match=f"held by process {other.pid}"):
            store.upsert_items(items({"id": 1}))
        other.communicate("\n")


def test_a_file_opened_in_this_process_outside_brandkit_is_busy(store: StateStore) -> None:
    publish(store, records((1, "s")))
    con = duckdb.connect(str(store.path))
    try:
        with pytest.raises(StoreBusyError, match="this process, outside brandkit"):
            store.runs()
    finally:
        con.close()
    assert store.runs().height == 1


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_is_not_inside_its_parents_transaction(store: StateStore) -> None:
    with store.transaction():
        child = os.fork()
        if child == 0:
            os._exit(int(store._access.sessions.is_inside()))
        assert os.waitpid(child, 0)[1] == 0
        store.upsert_items(items({"id": 1}))
    assert store.info().n_rows["items"] == 1


def test_a_lock_file_removed_while_it_is_held_guards_the_next_who_comes(store: StateStore) -> None:
    impatient = StateStore(store.path, cache=None, timeout_s=0.05)
    store.upsert_items(items({"id": 1}))
    lock_file = Path(f"{store.path}.lock")
    with store.transaction():
        store.upsert_items(items({"id": 2}))
        lock_file.unlink()
    assert impatient.upsert_items(items({"id": 3})) == UpsertCounts(1, 0, 0)
    assert lock_file.exists()
    assert store.info().n_rows["items"] == 3
