from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from brandkit.errors import (
    StoreCorruptError,
    StoreError,
    StoreNewerError,
    StoreReadOnlyError,
)
from brandkit.store import StateStore, files
from tests.store_frames import ON, at, items, publish, records


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "store.duckdb", cache=None, timeout_s=5)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "zero bytes"), (b"item_id,title\n1,x\n", "is not a DuckDB file")]
)
def test_a_file_that_is_no_database_is_left_alone(store: StateStore, content: bytes, says: str) -> None:
    store.path.write_bytes(content)
    for call in (store.runs, lambda: store.upsert_items(items({"id": 1}))):
        with pytest.raises(StoreCorruptError, match=f"{says}(.|\n)*put a backup in its place"):
            call()
    assert store.path.read_bytes() == content


@pytest.mark.parametrize("damage", ["cut off", "overwritten"])
def test_a_damaged_store_says_so_and_what_to_do(store: StateStore, damage: str) -> None:
    publish(store, records(*((n, "s") for n in range(50))))
    whole = store.path.read_bytes()
    if damage == "cut off":
        store.path.write_bytes(whole[:5000])
    else:
        store.path.write_bytes(whole[:12288] + b"\x55" * (len(whole) - 12288))
    with pytest.raises(StoreCorruptError, match=r"is damaged(.|\n)*put a backup in its place"):
        store.runs()


def test_a_folder_is_not_a_store(tmp_path: Path) -> None:
    store = StateStore(tmp_path)
    for call in (store.runs, lambda: store.upsert_items(items({"id": 1}))):
        with pytest.raises(StoreError, match=r"is a folder(.|\n)*brandkit.duckdb"):
            call()


def test_a_path_through_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    store = StateStore(tmp_path / "file" / "s.duckdb")
    with pytest.raises(StoreError):
        store.upsert_items(items({"id": 1}))


def test_another_programs_database_is_left_alone(store: StateStore) -> None:
    with duckdb.connect(str(store.path)) as con:
        con.execute("CREATE TABLE theirs (a INTEGER)")
    before = _digest(store.path)
    for call in (store.runs, lambda: store.upsert_items(items({"id": 1}))):
        with pytest.raises(StoreError, match=r"not a brandkit store(.|\n)*it holds: theirs"):
            call()
    assert _digest(store.path) == before


def test_a_store_of_a_later_brandkit_is_refused_and_not_written(store: StateStore) -> None:
    publish(store, records((1, "s")))
    with duckdb.connect(str(store.path)) as con:
        con.execute("INSERT INTO migrations VALUES (99, 'from_the_future', now())")
    before = _digest(store.path)
    for call in (store.runs, lambda: store.upsert_items(items({"id": 1}))):
        with pytest.raises(
            StoreNewerError, match=r"later brandkit(.|\n)*from_the_future(.|\n)*upgrade brandkit"
        ):
            call()
    assert _digest(store.path) == before


def test_what_duckdb_says_of_a_newer_file_is_told_as_that() -> None:
    said = duckdb.IOException(
        "Trying to read a database file with version number 999, but we can only read 68"
    )
    error = files.explained(said, Path("s.duckdb"))
    assert isinstance(error, StoreNewerError)
    assert "upgrade duckdb" in str(error)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    # Not tmp_path: that is closed to other users, and rights bind only who is not root.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)
        Path(folder).chmod(0o700)


@contextmanager
def _without_rights() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("keeps_lock", [True, False])
def test_a_read_only_file_can_be_read_and_says_why_it_cannot_be_written(
    open_folder: Path, keeps_lock: bool
) -> None:
    store = StateStore(open_folder / "s.duckdb", cache=None)
    publish(store, records((1, "s")))
    if not keeps_lock:
        Path(f"{store.path}.lock").unlink()
    for path in open_folder.iterdir():
        path.chmod(0o444)
    open_folder.chmod(0o555)
    with _without_rights():
        assert store.runs().height == 1
        with pytest.raises(StoreReadOnlyError, match=r"cannot be written(.|\n)*BRANDKIT_DB_PATH"):
            store.upsert_items(items({"id": 1}))


def test_a_read_only_file_in_a_folder_that_is_not_is_read_only(open_folder: Path) -> None:
    store = StateStore(open_folder / "s.duckdb", cache=None)
    publish(store, records((1, "s")))
    store.path.chmod(0o444)
    Path(f"{store.path}.lock").chmod(0o666)
    with _without_rights(), pytest.raises(StoreReadOnlyError, match="no right to write: .*s.duckdb"):
        store.upsert_items(items({"id": 1}))
    assert store.runs().height == 1


def test_a_read_only_folder_takes_no_new_store_and_no_run(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    with _without_rights():
        for path in (open_folder / "s.duckdb", open_folder / "deep" / "s.duckdb"):
            store = StateStore(path)
            assert store.runs().height == 0
            with pytest.raises(StoreReadOnlyError, match="cannot be written"):
                store.upsert_items(items({"id": 1}))
            with pytest.raises(StoreReadOnlyError):
                store.run_lock("desk", "daily", ON).__enter__()
    assert os.listdir(open_folder) == []


def test_a_store_that_may_not_be_read_says_so(open_folder: Path) -> None:
    store = StateStore(open_folder / "s.duckdb", cache=None)
    publish(store, records((1, "s")))
    store.path.chmod(0o000)
    with _without_rights(), pytest.raises(StoreError, match=r"cannot be read(.|\n)*Permission denied"):
        store.runs()


def test_a_store_reaches_no_other_file_and_no_variable(store: StateStore, tmp_path: Path) -> None:
    frame = items({"id": 1})  # noqa: F841 - what a replacement scan would find
    with store._access.reading("test") as (session, _):
        for sql in (
            f"SELECT * FROM '{tmp_path}/x.csv'",
            "SELECT * FROM frame",
            "SET lock_configuration = false",
            "INSTALL httpfs",
        ):
            with pytest.raises(StoreError):
                session.rows(sql)


def test_instants_are_utc_whatever_the_machines_zone(
    store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    run = publish(store, records((1, "s")))
    assert store.records(run)["collected_at"].to_list() == [at(0)]
    assert run.as_of.utcoffset() == at(0).utcoffset()


def test_a_half_made_store_of_a_crash_is_made_anew(store: StateStore) -> None:
    store.path.with_name(f".{store.path.name}.new").write_bytes(b"half")
    assert publish(store, records((1, "s"))).status == "complete"
    assert sorted(os.listdir(store.path.parent)) == [
        "store.duckdb", "store.duckdb.key", "store.duckdb.lock",
    ]  # fmt: skip
