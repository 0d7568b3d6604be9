"""Yesterday, had again: every run replays to its bytes whatever came after it, or says why it cannot."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

import brandkit as bk
from brandkit.errors import CheckFailed, ReplayRefused, UnknownError
from brandkit.fingerprint import versions
from brandkit.normalise import normalise_items
from brandkit.profile import BrandProfile
from brandkit.record.changed import changed
from brandkit.record.replay import replay
from brandkit.store.state import RunRow, StateStore
from tests.flow.newsdesk import (
    MAIL,
    MONDAY,
    ROOT,
    TUESDAY,
    WEDNESDAY,
    desk,
    ran,
    records,
    row,
    same_bytes,
    sample,
    table,
    task,
    technology,
)  # fmt: skip

DAYS = (MONDAY, TUESDAY, WEDNESDAY)
N_ROWS = 600


def at(on: str, hour: int) -> datetime:
    return datetime.fromisoformat(on).replace(hour=hour, tzinfo=UTC)


def complete(store: StateStore) -> list[str]:
    return sorted(store.runs().filter(pl.col("status") == "complete")["run_id"])


def same_past(store: StateStore, run: RunRow) -> bool:
    """Whether the run would be told today what it was told then."""
    then, now = (
        store.history(
            run.profile_id, kind=run.kind, window_start=run.window_start, as_of=run.as_of, before=run.run_on,
            known_through=known,
        )
        for known in (run.known_through, None)
    )  # fmt: skip
    return all(getattr(then, frame.name).equals(getattr(now, frame.name)) for frame in fields(then))


def tried(profile: BrandProfile) -> BrandProfile:
    """The profile with a bar that moves stories."""
    return changed(profile, {"thresholds": {"must_cover": 60, "optional": 40, "watch": 30}})


# The sample, and all that may happen to a store afterwards


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> tuple[StateStore, Mapping[str, str]]:
    """Three days of the sample, and the hash of what each run left, taken at once."""
    runner = bk.Runner(tmp_path_factory.mktemp("days") / "desk.duckdb")
    left = {}
    for on in DAYS:
        made = runner.run(bk.Task(date=on, profile=technology(), inputs=sample(on, N_ROWS)))
        left[made.run_id] = same_bytes(records(runner, made))
    return runner.store, left


def test_every_day_of_the_sample_comes_out_byte_for_byte(
    days: tuple[StateStore, Mapping[str, str]],
) -> None:
    store, left = days
    for run_id, before in left.items():
        found = replay(run_id, store)
        assert (found.ok, found.is_same, found.is_what_if) == (True, True, False)
        assert same_bytes(found.records) == before
        assert found.require() is found
        assert found.records.height > 450
    # Nothing of it had to be kept twice: records, history and sightings tell it all.
    assert store.info().n_rows["run_items"] == store.info().n_rows["run_observations"] == 0


def _live(store: StateStore, run: Callable[..., pl.DataFrame]) -> None:
    mail = {on: sample(on, 80) for on in DAYS}
    first = run(mail[MONDAY].head(50), MONDAY)
    run(mail[TUESDAY], TUESDAY)
    # A late file, then the same once more, up to an earlier hour.
    run(mail[MONDAY], MONDAY)
    run(mail[MONDAY], MONDAY, as_of=f"{MONDAY}T12:00:00+00:00", force=True)
    # Inputs of several days, whose other days were never run, or were.
    run(pl.concat([sample(on, 120) for on in DAYS], how="diagonal_relaxed"), WEDNESDAY)
    run(mail[TUESDAY], TUESDAY, force=True)
    # Whoever else is in the store: a trial twice, and another desk.
    for _ in range(2):
        run(sample(TUESDAY, 150), TUESDAY, profile=tried(technology()), shadow=True, force=True)
    run(mail[TUESDAY], TUESDAY, profile=BrandProfile.from_toml(ROOT / "data" / "profiles" / "consumer.toml"))
    # What people say, and what a fetch brings, of days that are over.
    lead, other = first.filter("is_lead").select("story_id", "item_id").head(2).rows()
    store.add_verdict("technology", story_id=lead[0], decision="drop", given_at=at(MONDAY, 9))
    store.add_story_rule(
        "technology", rule="must_link", item_a=lead[1], item_b=other[1], made_at=at(MONDAY, 9)
    )
    store.add_story_state("technology", story_id=lead[0], desk_state="handled", changed_at=at(MONDAY, 9))
    fetched = normalise_items(sample(MONDAY, 200).tail(60))
    store.upsert_items(fetched.items)
    store.add_observations(fetched.observations)
    run(mail[WEDNESDAY], WEDNESDAY)


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[StateStore, Mapping[str, str]]:
    """A store in which everything happened after its first runs that may happen to one."""
    runner = bk.Runner(tmp_path_factory.mktemp("lived_in") / "desk.duckdb")
    store, left = runner.store, dict[str, str]()

    def run(inputs: Any, on: str, *, force: bool = False, **more: Any) -> pl.DataFrame:
        made = runner.run(task(inputs, **{"on": on, "profile": technology(), **more}), force=force)
        assert made.ok, str(made.error)
        found = records(runner, made)
        left[made.run_id] = same_bytes(found)
        return found

    # One session for all of it, which is quicker; each write has its number all the same.
    with store.transaction():
        _live(store, run)
    return store, left


def test_every_run_can_be_had_again_whatever_came_after_it(
    lived_in: tuple[StateStore, Mapping[str, str]],
) -> None:
    store, left = lived_in
    assert complete(store) == sorted(left)
    assert len(left) == 10
    with store.reading():
        for run_id, before in left.items():
            found = replay(run_id, store)
            assert found.is_same, str(found)
            assert same_bytes(found.records) == before, run_id
        # None of which would hold by itself: the past of all these is another one by now, ...
        other = [run_id for run_id in left if not same_past(store, store.run(run_id))]
    assert len(other) >= 7, other
    # ... and what was not to be had otherwise was kept.
    assert store.info().n_rows["run_items"] > 0


def test_an_old_sighting_that_is_brought_again_is_known_again(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    old = row("alpha.example", "Nordlys opens a bakery", reactions=5)
    ran(runner, (old,))
    # Ten days on, it is no context any more; what was seen of it came with the file alone.
    again = {**old, "collected_at": "2026-03-12T09:00:00Z", "reactions": 40}
    late = ran(runner, (old, again), on="2026-03-12")
    assert runner.store.info().n_rows["run_observations"] == 1
    found = runner.store.inputs(late.run_id)
    assert found.observations["reactions"].to_list() == [5, 40]
    assert found.history.observations.is_empty()
    assert replay(late.run_id, runner.store).is_same


def test_another_profile_decides_the_same_items_beside_the_same_past(
    days: tuple[StateStore, Mapping[str, str]], tmp_path: Path
) -> None:
    store, left = days
    other = tried(technology())
    alone = bk.Runner(tmp_path / "alone.duckdb")
    for on, run_id in zip(DAYS[:2], left, strict=False):
        found = replay(run_id, store, profile=other)
        assert (found.is_what_if, found.ok, found.is_same) == (True, True, False)
        # As if that profile had been the desk's from the first day on.
        made = alone.run(bk.Task(date=on, profile=other, inputs=sample(on, N_ROWS)))
        assert same_bytes(found.records) == same_bytes(records(alone, made))
        moved = found.moved()
        assert moved.moved.height > 0
        assert moved.moved["cause"].unique().to_list() == ["profile_changed"]
        assert str(found).startswith(f"{run_id} -> {run_id} (replayed)")
    assert store.latest("technology", "daily", shadow=True) is None


def test_the_profile_it_has_moves_nobody(days: tuple[StateStore, Mapping[str, str]]) -> None:
    store, left = days
    found = replay(next(iter(left)), store, profile=technology())
    assert (found.is_what_if, found.is_same) == (True, True)
    assert found.moved().stories.is_empty()


# One small run, and what may be wrong with it

STORY = (row("delta.example", "Nordlys recall of oat drink widened as prices rise", on=TUESDAY),)


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of two runs, to be copied."""
    folder = tmp_path_factory.mktemp("two_days")
    runner = bk.Runner(folder / "desk.duckdb")
    ran(runner)
    ran(runner, STORY, on=TUESDAY)
    return folder


@pytest.fixture
def store(two_days: Path, tmp_path: Path) -> StateStore:
    shutil.copytree(two_days, tmp_path / "desk")
    return StateStore(tmp_path / "desk" / "desk.duckdb", cache=None)


FIRST, SECOND = f"desk.daily.{MONDAY}.1", f"desk.daily.{TUESDAY}.1"


def sql(store: StateStore, statement: str) -> None:
    """A change by other means."""
    with duckdb.connect(str(store.path)) as con:
        con.execute(statement)


def refused(run_id: str, store: StateStore, **more: Any) -> str:
    with pytest.raises(ReplayRefused) as told:
        replay(run_id, store, **more)
    return str(told.value)


def test_replay_changes_nothing_not_even_a_byte(store: StateStore) -> None:
    def written() -> dict[str, str]:
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in store.path.parent.iterdir()
            if path.is_file() and path.suffix in (".duckdb", ".key", ".wal")
        }

    before = written()
    for run_id in (FIRST, SECOND):
        assert replay(run_id, store).is_same
        replay(run_id, store, profile=tried(desk()))
    assert written() == before
    assert "desk.duckdb" in before


@pytest.mark.parametrize("column", ["title", "account", "story_id", "collected_at"])
def test_inputs_that_are_not_what_they_were_are_refused(store: StateStore, column: str) -> None:
    new = "collected_at - INTERVAL 1 HOUR" if column == "collected_at" else "'changed'"
    sql(store, f"UPDATE records SET {column} = {new} WHERE run_id = '{FIRST}'")
    told = refused(SECOND if column == "story_id" else FIRST, store)
    assert "cannot be had again" in told
    assert "pruned, erased or changed by other means since" in told


@pytest.mark.parametrize("table", ["items", "observations", "records"])
def test_a_past_that_is_not_there_any_more_is_refused(store: StateStore, table: str) -> None:
    item = store.records(FIRST).filter(pl.col("title") == MAIL[0]["title"])["item_id"].item()
    sql(store, f"DELETE FROM {table} WHERE item_id = '{item}'")
    assert "cannot be had again" in refused(SECOND, store)
    if table == "items":
        # What it recorded itself stands in its records.
        assert replay(FIRST, store).is_same
    else:
        assert "cannot be had again" in refused(FIRST, store)


def test_inputs_that_were_let_go_are_refused_with_their_reason(store: StateStore) -> None:
    sql(store, f"UPDATE runs SET inputs_gone = 'pruned on 2026-04-01' WHERE run_id = '{FIRST}'")
    told = f"the inputs of run {FIRST} are gone: pruned on 2026-04-01"
    assert refused(FIRST, store) == refused(FIRST, store, profile=desk(), strict=False) == told
    assert replay(SECOND, store).is_same


def test_a_profile_that_is_not_the_one_it_was_made_by_is_refused(store: StateStore) -> None:
    snapshot = desk(thresholds={"must_cover": 80}).snapshot.replace("'", "''")
    sql(store, f"UPDATE runs SET profile_json = '{snapshot}' WHERE run_id = '{FIRST}'")
    assert "the profile frozen in run" in refused(FIRST, store)


def test_other_versions_are_refused_and_named_and_replayed_all_the_same_when_asked(
    store: StateStore,
) -> None:
    made_by = json.dumps({**versions(), "polars": "1.0.0", "gone": "7"})
    sql(store, f"UPDATE runs SET versions = '{made_by}' WHERE run_id = '{FIRST}'")
    told = refused(FIRST, store)
    assert told.startswith(f"run {FIRST} was made by other versions: the same bytes cannot be promised")
    assert f"gone 7 then, none now; polars 1.0.0 then, {pl.__version__} now" in told
    found = replay(FIRST, store, strict=False)
    assert found.is_same
    assert found.changed == ("gone 7 then, none now", f"polars 1.0.0 then, {pl.__version__} now")
    assert "note: made by other versions: gone 7" in str(found)
    # A what-if promises no bytes, so it asks for no versions.
    assert replay(FIRST, store, profile=tried(desk())).is_what_if
    # Whether inputs are what they were, other versions cannot say for sure.
    sql(store, f"UPDATE records SET title = 'changed' WHERE run_id = '{FIRST}'")
    doubtful = replay(FIRST, store, strict=False)
    assert any("cannot be had again, as far as other versions can tell" in note for note in doubtful.notes)


@pytest.mark.parametrize(
    ("change", "column", "n"),
    [
        ("UPDATE records SET total = 99, decision = 'drop' WHERE is_lead AND total = {top}", "total", 2),
        ("UPDATE records SET misinfo_risk = misinfo_risk + 1e-15 WHERE total = {top}", "misinfo_risk", 1),
        ("UPDATE records SET modifiers = [] WHERE len(modifiers) > 0", "modifiers", None),
    ],
)
def test_what_is_stored_otherwise_than_it_comes_out_is_listed(
    store: StateStore, change: str, column: str, n: int | None
) -> None:
    top = store.records(FIRST)["total"].max()
    sql(store, change.format(top=top) + f" AND run_id = '{FIRST}'")
    found = replay(FIRST, store)
    assert not found.ok
    assert column in found.differences["column"]
    assert found.story_differences.is_empty()
    assert n is None or found.differences.height == n
    with pytest.raises(CheckFailed, match=f"values of run {FIRST} came out otherwise") as told:
        found.require()
    assert told.value.exit_code == 3
    assert column in str(told.value)
    assert f"{found.n_different} values came out otherwise" in str(found)


def test_a_story_or_a_record_that_is_not_there_is_listed_too(store: StateStore) -> None:
    story = store.stories(FIRST).row(0, named=True)
    sql(store, f"DELETE FROM stories WHERE run_id = '{FIRST}' AND story_id = '{story['story_id']}'")
    sql(store, f"UPDATE stories SET title = 'Hi \x1b[31m' WHERE run_id = '{FIRST}'")
    found = replay(FIRST, store)
    gone = found.story_differences.filter(pl.col("column") == "story_id")
    assert gone.rows() == [(story["story_id"], "story_id", None, story["story_id"])]
    assert (found.differences.height, found.n_different) == (0, store.stories(FIRST).height + 1)
    # What a stranger wrote does not reach a terminal as it is.
    assert "\x1b" not in str(found)


def test_a_run_that_is_not_complete_or_not_there_is_refused(store: StateStore) -> None:
    broken = table(MAIL).lazy().with_columns(pl.col("title").cast(pl.Int64))
    failed = bk.Runner(store).run(task([broken], on=WEDNESDAY))
    assert not failed.ok
    told = refused(failed.run_id, store)
    assert told.startswith(f"run {failed.run_id} is failed: it published nothing to replay")
    with pytest.raises(UnknownError, match="unknown run 'desk.daily.2026-03-02.7'"):
        replay("desk.daily.2026-03-02.7", store)


def test_what_was_published_without_inputs_is_refused(store: StateStore) -> None:
    run = store.run(FIRST)
    begun = store.start_run(
        "desk", kind="daily", run_on=run.run_on, as_of=run.as_of, window_start=run.window_start,
        started_at=run.started_at, profile_json=run.profile_json, profile_hash=run.profile_hash,
        versions=run.versions,
    )  # fmt: skip
    store.finish_run(begun, records=store.records(FIRST), finished_at=run.started_at)
    assert refused(begun.run_id, store) == f"run {begun.run_id} was published without its inputs"


def test_a_run_recorded_within_a_transaction_knows_what_was_written_before_it(store: StateStore) -> None:
    story = store.stories(FIRST).filter(pl.col("title").str.contains("Nordlys"))["story_id"].item()
    with store.transaction():
        store.add_verdict("desk", story_id=story, decision="drop", given_at=at(TUESDAY, 9))
        second = ran(bk.Runner(store), STORY, on=TUESDAY)
        store.add_verdict("desk", story_id=story, decision="watch", given_at=at(TUESDAY, 10))
        third = ran(bk.Runner(store), STORY, on=TUESDAY)
    for made, word in ((second, "drop"), (third, "watch")):
        found = replay(made.run_id, store)
        assert found.is_same
        assert word in found.now.stories["effective_decision"]
