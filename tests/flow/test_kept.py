"""What was decided is kept: reopened elsewhere, questioned, recomputed, and found out when it was changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

import brandkit as bk
from brandkit.store.state import StateStore
from tests.flow.newsdesk import DIRT, MAIL, MONDAY, TUESDAY, ran, row, sample, task, technology

# A program of somebody else's, that knows nothing but where the store is.
READER = """
import json, sys
import brandkit as bk
store = bk.StateStore(sys.argv[1])
run = store.latest("desk", "daily")
records = store.records(run)
top = records.sort("rank").head(1)
account = bk.explain(top, bk.BrandProfile.from_snapshot(run.profile_json))
print(json.dumps({
    "run_id": run.run_id, "ok": bk.verify(run.run_id, store).ok, "n": records.height,
    "title": account.title, "total": account.total, "sum": sum(step.points for step in account.steps),
    "decision": account.decision, "rejects": store.rejects(run)["reasons"].to_list(),
    "stories": store.stories(run).height, "text": str(account),
}))
"""


def test_a_run_is_read_explained_and_verified_by_another_process(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    result = ran(runner, MAIL + tuple(dirty for dirty, _ in DIRT))
    done = subprocess.run(
        [sys.executable, "-c", READER, str(tmp_path / "desk.duckdb")],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (told["run_id"], told["ok"], told["n"]) == (result.run_id, True, 7)
    assert told["total"] == told["sum"]
    assert (told["decision"], told["title"]) == ("must_cover", MAIL[0]["title"])
    assert told["rejects"] == [[reason] for _, reason in DIRT]
    assert told["stories"] == result.counts["stories"]
    assert f"must_cover with {told['total']} of 100" in told["text"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store with a run in it, and the run's id."""
    path = tmp_path_factory.mktemp("kept") / "desk.duckdb"
    made = bk.Runner(path).run(bk.Task(date=TUESDAY, profile=technology(), inputs=sample(TUESDAY, 400)))
    return path, made.run_id


def test_every_record_of_a_stored_run_can_be_made_again_from_its_signals(kept: tuple[Path, str]) -> None:
    path, run_id = kept
    found = bk.verify(run_id, StateStore(path, cache=None))
    assert found.ok
    assert found.n_records > 200
    assert found.require() is found


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ("total = total + 1", "total"),
        ("decision = 'must_cover'", "decision"),
        ("reason = 'own_name'", "reason"),
        ("rank = rank + 10000", "rank"),
        ("is_lead = NOT is_lead", "is_lead"),
        ("scores = struct_update(scores, impact := 24::SMALLINT)", "scores"),
        ("gates = struct_update(gates, watch := 99::SMALLINT)", "gates"),
        ("modifiers = []", "modifiers"),
    ],
)
def test_one_changed_number_is_found_and_nothing_else(
    kept: tuple[Path, str], tmp_path: Path, change: str, column: str
) -> None:
    path, run_id = kept
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(path.read_bytes())
    with duckdb.connect(str(copy)) as con:
        (item,) = con.execute(
            "SELECT item_id FROM records WHERE len(modifiers) > 0 AND decision = 'drop' ORDER BY item_id"
        ).fetchall()[7]
        con.execute(f"UPDATE records SET {change} WHERE item_id = ?", [item])
    found = bk.verify(run_id, StateStore(copy, cache=None))
    assert found.differences.select("item_id", "column").rows() == [(item, column)]
    assert not found.ok
    with pytest.raises(bk.BrandkitError, match="1 stored values differ") as told:
        found.require()
    assert told.value.exit_code == 3


def test_a_changed_signal_is_found_by_what_it_would_have_made(kept: tuple[Path, str], tmp_path: Path) -> None:
    path, run_id = kept
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(path.read_bytes())
    with duckdb.connect(str(copy)) as con:
        ((item,),) = con.execute(
            "SELECT item_id FROM records WHERE tier = 'unlisted' ORDER BY item_id LIMIT 1"
        ).fetchall()
        con.execute("UPDATE records SET n_outlets = 100 WHERE item_id = ?", [item])
    found = bk.verify(run_id, StateStore(copy, cache=None)).differences
    assert {"parts", "base", "scores", "total"} <= set(found.filter(item_id=item)["column"])


def test_the_parts_of_every_stored_record_add_up_to_its_total(kept: tuple[Path, str]) -> None:
    path, run_id = kept
    stored = StateStore(path, cache=None).records(run_id)
    for component in ("impact", "timeliness", "virality", "relevance", "confidence"):
        whole = pl.sum_horizontal(
            pl.col("parts").struct.field(component).struct.field(part.name)
            for part in stored.schema["parts"].to_schema()[component].fields
        )
        assert stored.filter(whole != pl.col("base").struct.field(component)).is_empty()
    taken = pl.col("modifiers").list.eval(pl.element().struct.field("points")).list.sum().fill_null(0)
    base, scores = (_sum_of(name, stored) for name in ("base", "scores"))
    assert stored.filter((base + taken != pl.col("total")) | (scores != pl.col("total"))).is_empty()


def _sum_of(name: str, stored: pl.DataFrame) -> pl.Expr:
    fields = stored.schema[name].to_schema()
    return pl.sum_horizontal(pl.col(name).struct.field(field) for field in fields)


def test_the_profile_frozen_into_a_run_outlives_its_file(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    path = tmp_path / "desk.toml"
    path.write_text('id = "desk"\nown = ["Nordlys"]\n[thresholds]\nmust_cover = 90\n')
    result = runner.run(task(profile=path))
    path.unlink()
    frozen = bk.BrandProfile.from_snapshot(runner.store.run(result.run_id).profile_json)
    assert frozen.thresholds.must_cover == 90
    assert bk.verify(result.run_id, runner.store).ok


def test_a_story_made_of_a_context_item_verifies_too(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    ran(runner)
    more = (row("delta.example", "Nordlys recall of oat drink widened as prices rise", on=TUESDAY),)
    assert bk.verify(ran(runner, more, on=TUESDAY).run_id, runner.store).ok


def test_verify_knows_only_runs_that_are_complete(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    failed = runner.run(task(tmp_path / "nowhere.csv"))
    with pytest.raises(bk.BrandkitError, match="published nothing"):
        bk.verify(failed.run_id, runner.store)
    with pytest.raises(bk.BrandkitError, match=f"unknown run 'desk.daily.{MONDAY}.9'"):
        bk.verify(f"desk.daily.{MONDAY}.9", runner.store)
