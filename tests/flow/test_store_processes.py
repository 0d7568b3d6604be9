"""Several processes at one store: nothing acknowledged is lost, nothing half-done is seen."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from brandkit import schemas
from brandkit.store import StateStore
from tests.store_frames import at, full, item_id, publish, records, start

ROOT = Path(__file__).parents[2]

_WRITER = """
import sys
from brandkit.store import StateStore
from tests.store_frames import publish, records
store = StateStore(sys.argv[1], cache=None, timeout_s=60)
for n in range(int(sys.argv[3])):
    run = publish(store, records((n, "s"), (n + 1, "t")), profile_id=sys.argv[2])
    print(run.run_id, flush=True)
"""
_READER = """
import sys
from brandkit.store import StateStore
store = StateStore(sys.argv[1], timeout_s=60)
while True:
    complete = [row["run_id"] for row in store.runs().to_dicts() if row["status"] == "complete"]
    for run_id in complete[:3]:
        assert store.records(run_id).height == 2, run_id
    print(len(complete), flush=True)
"""
_KILLED = """
import sys
from brandkit.store import StateStore, published
from tests.store_frames import records, start, at
store = StateStore(sys.argv[1], cache=None)
kept = published._assert_unique
def stop(*given):
    kept(*given)
    print("inside", flush=True)
    sys.stdin.readline()
published._assert_unique = stop
with store.run_lock("desk", "daily", start(store).run_on):
    run = start(store)
    store.finish_run(run, records=records((1, "s")), finished_at=at(25))
"""


def _python(program: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip


def test_writers_and_a_reader_at_once_lose_nothing_and_see_only_whole_runs(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    writers = [_python(_WRITER, path, profile, 6) for profile in ("desk", "desk", "other")]
    reader = _python(_READER, path)
    acknowledged = [line for writer in writers for line in writer.communicate(timeout=120)[0].split()]
    reader.terminate()
    seen = reader.communicate(timeout=30)[0].split()
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert reader.returncode == -15  # stopped by us, not by a failed assertion
    assert [int(n) for n in seen] == sorted(int(n) for n in seen)
    store = StateStore(path, cache=None)
    assert len(acknowledged) == len(set(acknowledged)) == 18
    assert sorted(store.runs()["run_id"].to_list()) == sorted(acknowledged)
    assert all(store.records(run_id).height == 2 for run_id in acknowledged)


def test_a_process_killed_while_it_publishes_leaves_a_run_that_the_next_one_closes(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "store.duckdb", cache=None, timeout_s=20)
    killed = _python(_KILLED, store.path)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "inside\n"
    killed.kill()
    killed.communicate(timeout=30)
    assert store.runs()["status"].to_list() == ["running", "failed"]
    assert store.info().n_rows["records"] == store.info().n_rows["items"] == 0
    first = store.runs()["run_on"][0]
    with store.run_lock("desk", "daily", first):
        run = publish(store, records((1, "s")))
    assert run.attempt == 3
    assert store.runs()["status"].to_list() == ["complete", "failed", "failed"]


def test_what_was_stored_is_there_after_every_way_of_reopening(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    ids = [item_id(n) for n in range(1, 6)]
    sent = full(
        schemas.RECORD, 5, item_id=ids, content_hash=["h"] * 5, collected_at=[at(n) for n in range(5)],
        revision=[1] * 5, source=["feed"] * 5,
    )  # fmt: skip
    with StateStore(path) as store:
        run = publish(store, sent)
    elsewhere = path.rename(tmp_path / "moved.duckdb")
    link = tmp_path / "link.duckdb"
    link.symlink_to(elsewhere)
    for where in (elsewhere, link):
        assert_frame_equal(StateStore(where, cache=None).records(run), sent)


@pytest.mark.parametrize("lazily", [False, True])
def test_many_records_are_written_in_chunks_and_come_back_whole(
    tmp_path: Path, lazily: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brandkit.store.tables.CHUNK_ROWS", 700)
    store = StateStore(tmp_path / "store.duckdb", cache=None)
    one = records((1, "s"))
    n_rows = 3_000
    sent = (
        pl.concat([one] * n_rows)
        .with_columns(
            item_id=pl.Series([item_id(n) for n in reversed(range(n_rows))]), revision=pl.lit(1, pl.Int32)
        )
        .sort("item_id")
    )
    run = start(store)
    store.finish_run(run, records=sent.lazy() if lazily else sent, finished_at=at(25))
    assert_frame_equal(store.records(run), sent)
    assert store.info().n_rows["items"] == n_rows


def test_a_cached_read_opens_no_file(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "store.duckdb")
    run = publish(store, records((1, "s")))
    store.records(run)
    started = time.perf_counter()
    for _ in range(100):
        store.records(run)
    # Opening alone costs 20 ms each time.
    assert time.perf_counter() - started < 1
