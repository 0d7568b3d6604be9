from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import polars as pl
import pytest

from brandkit.errors import ContractError, StoreError
from brandkit.store import StateStore, files, migrations
from brandkit.store.migrations import MIGRATIONS, Migration, add_missing_columns
from brandkit.store.tables import TABLES, create_statement, duckdb_type
from tests.store_frames import items, publish, records

# What a store of today is made of. A change here is a change to every store in the world: add a
# migration for it, then put the new digest.
SHAPE = "8a35639b7456e71c"


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "store.duckdb", cache=None, timeout_s=5)


def _add_step(monkeypatch: pytest.MonkeyPatch, *steps: Migration) -> None:
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, *steps))


def _mood(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("ALTER TABLE items ADD COLUMN mood VARCHAR")


def test_the_tables_change_only_with_a_migration() -> None:
    shape = "\n".join([*(create_statement(table) for table in TABLES), *(step.name for step in MIGRATIONS)])
    assert hashlib.sha256(shape.encode()).hexdigest()[:16] == SHAPE


def test_a_new_store_has_taken_every_step_and_no_copy_was_made(store: StateStore) -> None:
    store.upsert_items(items({"id": 1}))
    assert store.schema_version == len(MIGRATIONS)
    names = sorted(path.name for path in store.path.parent.iterdir())
    assert names == ["store.duckdb", "store.duckdb.key", "store.duckdb.lock"]


@pytest.mark.parametrize("by", ["reading", "writing"])
def test_a_step_is_taken_once_and_the_file_copied_before(
    store: StateStore, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    run = publish(store, records((1, "s")))
    before = store.path.read_bytes()
    _add_step(monkeypatch, Migration("add_mood", _mood))
    for _ in range(2):
        if by == "reading":
            assert store.records(run).height == 1
        else:
            store.upsert_items(items({"id": 1}))
    assert store.schema_version == len(MIGRATIONS) + 1
    assert store.path.with_name("store.duckdb.before-add_mood").read_bytes() == before
    with store._access.reading("test") as (session, _):
        assert session.rows("SELECT mood FROM items") == [(None,)] * store.info().n_rows["items"]
        taken = [*(step.name for step in MIGRATIONS), "add_mood"]
        assert session.rows("SELECT version, name FROM migrations ORDER BY 1") == list(enumerate(taken, 1))


def test_a_step_that_fails_leaves_the_store_as_it_was(
    store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = publish(store, records((1, "s")))

    def fail(con: duckdb.DuckDBPyConnection) -> None:
        con.execute("DROP TABLE records")
        raise RuntimeError("half way")

    _add_step(monkeypatch, Migration("add_mood", _mood), Migration("fail", fail))
    with pytest.raises(RuntimeError, match="half way"):
        store.records(run)
    monkeypatch.undo()
    assert store.records(run).height == 1
    assert store.schema_version == len(MIGRATIONS)


def test_a_step_is_not_taken_where_the_copy_cannot_be_made(
    store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, records((1, "s")))
    before = store.path.read_bytes()
    _add_step(monkeypatch, Migration("add_mood", _mood))
    store.path.with_name(".store.duckdb.before-add_mood.new").mkdir()
    with pytest.raises(StoreError, match="could not be copied before the migration 'add_mood'"):
        store.runs()
    assert store.path.read_bytes() == before


def test_columns_that_came_in_are_added_to_a_store_that_lacks_them(
    store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = publish(store, records((1, "s")))
    sent = store.records(run)
    with duckdb.connect(str(store.path)) as con:
        con.execute("ALTER TABLE records DROP COLUMN coordination")
        con.execute("ALTER TABLE records DROP COLUMN gates.tied")
        con.execute("ALTER TABLE records DROP COLUMN parts.impact.reach")
        con.execute("DROP TABLE alerts")
    _add_step(monkeypatch, Migration("add_coordination", add_missing_columns))
    back = store.records(run)
    assert back.schema == sent.schema
    assert back["coordination"].to_list() == [None]
    assert back["gates"][0] == {**sent["gates"][0], "tied": None}
    assert back["parts"][0]["impact"] == {**sent["parts"][0]["impact"], "reach": None}
    assert store.info().n_rows["alerts"] == 0


def test_a_store_from_before_the_tone_reads_as_not_measured_and_takes_it_from_then_on(
    store: StateStore,
) -> None:
    old = publish(store, records((1, "s")))
    with duckdb.connect(str(store.path)) as con:
        con.execute("ALTER TABLE records DROP COLUMN sentiment")
        con.execute("DELETE FROM migrations WHERE name = 'add_tone_and_growth'")
    assert store.records(old)["sentiment"].to_list() == [None]
    assert store.schema_version == len(MIGRATIONS)
    heard = records((2, "s")).with_columns(sentiment=pl.lit(-0.5))
    assert store.records(publish(store, heard))["sentiment"].to_list() == [-0.5]


def test_an_empty_database_becomes_a_store(store: StateStore) -> None:
    duckdb.connect(str(store.path)).close()
    assert publish(store, records((1, "s"))).status == "complete"


def test_a_log_beside_the_file_is_copied_with_it(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    path.write_bytes(b"file")
    files.wal(path).write_bytes(b"log")
    copy = files.back_up(path, before="x")
    assert (copy.read_bytes(), files.wal(copy).read_bytes()) == (b"file", b"log")


def test_files_are_of_the_version_that_both_releases_of_duckdb_read(store: StateStore) -> None:
    store.upsert_items(items({"id": 1}))
    with duckdb.connect(str(store.path), read_only=True) as con:
        ((tags,),) = con.sql("SELECT tags FROM duckdb_databases() WHERE NOT internal").fetchall()
    assert "v1.5" in str(tags)


def test_every_table_of_the_design_is_there(store: StateStore) -> None:
    store.upsert_items(items({"id": 1}))
    assert set(store.info().n_rows) >= {
        "runs", "items", "observations", "stories", "records", "rejects", "stage_runs", "source_runs",
        "source_cursors", "verdicts", "story_rules", "story_states", "alerts", "artifacts", "migrations",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("dtype", "column"),
    [
        (pl.Enum(["a"]), "VARCHAR"),
        (pl.List(pl.Enum(["a"])), "VARCHAR[]"),
        (pl.Int16, "SMALLINT"),
        (pl.Datetime("us", "UTC"), "TIMESTAMPTZ"),
        (pl.Struct({'a"b': pl.List(pl.Struct({"c": pl.Float64}))}), 'STRUCT("a""b" STRUCT("c" DOUBLE)[])'),
    ],
)
def test_a_polars_type_has_its_column_type(dtype: pl.DataType, column: str) -> None:
    assert duckdb_type(dtype) == column


@pytest.mark.parametrize("dtype", [pl.Duration("us"), pl.Datetime("us"), pl.Int128(), pl.Object()])
def test_a_type_that_does_not_come_back_is_refused(dtype: pl.DataType) -> None:
    with pytest.raises(ContractError, match="no table can hold"):
        duckdb_type(dtype)
