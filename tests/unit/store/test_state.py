from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from brandkit import schemas
from brandkit.errors import ContractError, StoreError, UnknownError, UsageError
from brandkit.store import QueryCache, StateStore, UpsertCounts
from brandkit.store.runs import OWNER_DIED
from brandkit.telemetry import StageEvent, Telemetry
from tests.store_frames import ON, PROFILE, at, full, item_id, items, publish, records, sightings, start


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "state" / "store.duckdb", cache=None, timeout_s=5)


def test_every_column_of_a_record_comes_back_as_it_went_in_with_nulls_and_empty_lists(
    store: StateStore,
) -> None:
    ids = [item_id(n) for n in (1, 2, 3)]
    hashes, firsts = ["h1", "h2", "h3"], [at(1), at(2), at(3)]
    sent = full(
        schemas.RECORD, 3, nulls_in=2, item_id=ids, content_hash=hashes, collected_at=firsts,
        source=["feed"] * 3, revision=[1, 1, 1],
    )  # fmt: skip
    run = publish(store, sent)
    back = store.records(run)
    assert back.schema == pl.Schema(schemas.RECORD)
    assert_frame_equal(back, sent)
    assert_frame_equal(store.items(run), sent.select(*schemas.ITEM))


@pytest.mark.parametrize(
    "column", ["parts", "modifiers", "coordination", "decision", "first_seen_at", "gates"]
)
def test_one_column_read_alone_has_its_own_type(store: StateStore, column: str) -> None:
    sent = records((1, "s1"), (2, "s1"))
    run = publish(store, sent)
    assert_frame_equal(store.records(run, columns=[column]), sent.select("item_id", column))


def test_stories_rejects_and_stages_come_back_as_they_went_in(store: StateStore) -> None:
    stories = full(schemas.STORY, 3, nulls_in=2, story_id=["a", "b", "c"])
    # Two equal rejects are two rejects, and stay where they were.
    rejects = pl.concat([full(schemas.REJECT, 2), full(schemas.REJECT, 2)])
    telemetry = Telemetry()
    telemetry.record(
        StageEvent(kind="stage", name="copies", rows_in=3, rows_out=3, warnings=("late", "late"))
    )
    telemetry.record(StageEvent(kind="stage", name="stories", error="ValueError", wall_s=0.25))
    run = start(store)
    store.finish_run(
        run,
        records=records((1, "a")),
        stories=stories,
        rejects=rejects,
        stages=telemetry.frame(),
        finished_at=at(25),
    )
    assert_frame_equal(store.stories(run), stories)
    assert_frame_equal(store.rejects(run), rejects)
    assert_frame_equal(store.stages(run), telemetry.frame().with_columns(run_id=pl.lit(run.run_id)))


def test_frames_come_back_sorted_whatever_order_they_were_written_in(store: StateStore) -> None:
    run = publish(store, records((3, "s2"), (1, "s1"), (2, "s1")))
    assert store.records(run)["item_id"].to_list() == [item_id(n) for n in (1, 2, 3)]


def test_a_run_that_found_nothing_is_complete_and_empty_with_all_its_columns(store: StateStore) -> None:
    run = publish(store, schemas.empty(schemas.RECORD))
    assert run.status == "complete"
    assert_frame_equal(store.records(run), schemas.empty(schemas.RECORD))
    assert_frame_equal(store.stories(run), schemas.empty(schemas.STORY))
    assert_frame_equal(store.rejects(run), schemas.empty(schemas.REJECT))


def test_an_item_seen_again_with_new_content_is_its_next_revision(store: StateStore) -> None:
    assert store.upsert_items(items({"id": 1}, {"id": 2})) == UpsertCounts(2, 0, 0)
    edited = items({"id": 1, "hash": "h2", "collected": 5}, {"id": 2}, {"id": 3})
    assert store.upsert_items(edited) == UpsertCounts(1, 1, 1)
    assert store.upsert_items(edited) == UpsertCounts(0, 0, 3)
    assert _revisions(store) == [
        (item_id(1), "h1", 1),
        (item_id(1), "h2", 2),
        (item_id(2), "h1", 1),
        (item_id(3), "h1", 1),
    ]


def test_revisions_go_on_after_the_highest_in_order_of_first_sighting_then_hash(store: StateStore) -> None:
    store.upsert_items(items({"id": 1, "hash": "z"}))
    counts = store.upsert_items(
        items(
            {"id": 1, "hash": "late", "collected": 9},
            {"id": 1, "hash": "b", "collected": 3},
            {"id": 1, "hash": "a", "collected": 3},
            {"id": 7, "hash": "y", "collected": 2},
            {"id": 7, "hash": "x", "collected": 1},
        )
    )
    # Item 7 is one new item that came with two contents.
    assert counts == UpsertCounts(1, 4, 0)
    assert _revisions(store) == [
        (item_id(1), "z", 1), (item_id(1), "a", 2), (item_id(1), "b", 3), (item_id(1), "late", 4),
        (item_id(7), "x", 1), (item_id(7), "y", 2),
    ]  # fmt: skip


def test_stored_content_is_never_changed_by_a_later_sighting(store: StateStore) -> None:
    store.upsert_items(items({"id": 1, "title": "first"}))
    store.upsert_items(items({"id": 1, "title": "second", "collected": 4}))
    history = store.history("desk", kind="daily", window_start=at(0), as_of=at(24), before=ON)
    assert history.items.height == 0  # nothing was sighted
    store.add_observations(sightings((1, 1, None, None, None)))
    history = store.history("desk", kind="daily", window_start=at(0), as_of=at(24), before=ON)
    assert history.items["title"].to_list() == ["first"]
    assert history.items["collected_at"].to_list() == [at(1)]


def test_a_repeated_or_missing_key_is_refused_and_nothing_is_written(store: StateStore) -> None:
    with pytest.raises(ContractError, match="2 rows share an item_id and a content_hash"):
        store.upsert_items(items({"id": 1}, {"id": 1, "title": "other"}))
    with pytest.raises(ContractError, match="items with no content_hash"):
        store.upsert_items(items({"id": 1}).with_columns(content_hash=pl.lit(None, dtype=pl.String)))
    with pytest.raises(ContractError, match="items without collected_at"):
        store.upsert_items(items({"id": 1}).drop("collected_at"))
    assert store.info().n_rows["items"] == 0


def test_a_revision_that_stands_twice_in_the_store_stops_the_write(store: StateStore) -> None:
    store.upsert_items(items({"id": 1}))
    with store._access.writing("test") as (session, _):
        session.insert(
            "items", items({"id": 1, "revision": 2, "hash": "h2"}, {"id": 1, "revision": 2, "hash": "h3"})
        )
    with pytest.raises(ContractError, match="one revision twice"):
        store.upsert_items(items({"id": 1, "hash": "h4"}))
    assert store.info().n_rows["items"] == 3


def test_one_item_can_be_added_by_what_is_known_of_it(store: StateStore) -> None:
    row = {"item_id": item_id(1), "content_hash": "h", "source": "wire", "collected_at": at(1), "title": "t"}
    assert store.upsert_item(row) == UpsertCounts(1, 0, 0)
    assert store.upsert_item({**row, "content_hash": "h2"}) == UpsertCounts(0, 1, 0)
    with pytest.raises(ContractError, match="an item has no headline"):
        store.upsert_item({**row, "headline": "t"})


def test_a_lazy_frame_of_items_does_as_well(store: StateStore) -> None:
    assert store.upsert_items(items({"id": 1}).lazy()) == UpsertCounts(1, 0, 0)
    assert store.add_observations(sightings((1, 1, 5, None, None)).lazy()) == 1


def test_the_same_sighting_counts_once_and_two_that_differ_are_read_as_the_most_of_each(
    store: StateStore,
) -> None:
    store.upsert_items(items({"id": 1}))
    first = sightings((1, 1, 5, None, 2), (1, 1, 5, None, 2), (1, 2, 6, None, None))
    assert store.add_observations(first) == 2
    assert store.add_observations(first) == 0
    assert store.add_observations(sightings((1, 1, 3, 4, 2))) == 1
    found = store.history("desk", kind="daily", window_start=at(0), as_of=at(24), before=ON).observations
    # 01:00 was told twice: reactions 5 and 3, comments unknown and 4, shares 2 and 2.
    assert_frame_equal(found, sightings((1, 1, 5, 4, 2), (1, 2, 6, None, None)))


def test_a_run_id_names_profile_kind_date_and_attempt(store: StateStore) -> None:
    assert [start(store).run_id for _ in range(2)] == ["desk.daily.2026-03-02.1", "desk.daily.2026-03-02.2"]
    assert start(store, kind="adhoc").run_id == "desk.adhoc.2026-03-02.1"
    assert start(store, profile_id="other").run_id == "other.daily.2026-03-02.1"
    assert start(store, run_on=date(2026, 3, 3), shadow=True).run_id == "desk.daily.2026-03-03.1"


def test_a_finished_run_says_all_it_was_told(store: StateStore) -> None:
    run = start(store, versions={"polars": "2.1.0"}, shadow=True, fingerprint="early")
    assert (run.status, run.finished_at, run.fingerprint) == ("running", None, "early")
    done = store.finish_run(
        run.run_id, records=records((1, "s")), counts={"records": 1}, warnings=["a source failed"],
        fingerprint="f", finished_at=at(26),
    )  # fmt: skip
    assert done == store.run(run.run_id)
    assert (done.status, done.shadow, done.finished_at, done.fingerprint) == ("complete", True, at(26), "f")
    assert (done.counts, done.warnings, done.versions) == (
        {"records": 1},
        ("a source failed",),
        {"polars": "2.1.0"},
    )
    assert (done.as_of, done.window_start, done.started_at) == (at(24), at(0), at(24))
    assert (done.profile_json, done.profile_hash, done.run_on, done.attempt) == (PROFILE, "p1", ON, 1)
    assert json.loads(store.runs()["counts"][0]) == {"records": 1}


def test_a_run_cannot_be_finished_or_failed_twice(store: StateStore) -> None:
    run = publish(store, records((1, "s")))
    with pytest.raises(StoreError, match="is complete already"):
        store.finish_run(run, records=records((2, "s")), finished_at=at(26))
    with pytest.raises(StoreError, match="is complete already"):
        store.fail_run(run, "too late", finished_at=at(26))
    assert store.records(run)["item_id"].to_list() == [item_id(1)]


def test_only_complete_runs_can_be_read_and_the_others_say_why_not(store: StateStore) -> None:
    run = start(store)
    for read in (store.records, store.stories, store.rejects, store.items):
        with pytest.raises(
            UnknownError, match=r"run desk.daily.2026-03-02.1 is running: it published nothing"
        ):
            read(run)
    telemetry = Telemetry()
    telemetry.record(StageEvent(kind="stage", name="copies", error="ValueError"))
    failed = store.fail_run(run, "stage 'copies' failed", stages=telemetry.frame(), finished_at=at(25))
    assert (failed.status, failed.error) == ("failed", "stage 'copies' failed")
    with pytest.raises(UnknownError, match="error: stage 'copies' failed"):
        store.records(run)
    assert store.stages(run)["error"].to_list() == ["ValueError"]
    assert store.runs()["status"].to_list() == ["failed"]


def test_an_unknown_run_item_or_column_names_the_near_ones(store: StateStore) -> None:
    run = publish(store, records((1, "s")))
    with pytest.raises(UnknownError, match="did you mean 'desk.daily.2026-03-02.1'"):
        store.run("desk.daly.2026-03-02.1")
    with pytest.raises(UnknownError, match="unknown run"):
        store.records("nothing")
    with pytest.raises(UnknownError, match="unknown item '0{15}2'"):
        store.record(run, item_id(2))
    with pytest.raises(UnknownError, match="unknown record column 'totl'(.|\n)*did you mean 'total'"):
        store.records(run, columns=["totl"])


def test_one_record_is_that_row_of_the_records(store: StateStore) -> None:
    run = publish(store, records((1, "s"), (2, "t")))
    assert_frame_equal(store.record(run, item_id(2)), store.records(run).slice(1, 1))


@pytest.mark.parametrize("lazily", [False, True])
def test_an_item_with_two_records_fails_the_whole_publication(store: StateStore, lazily: bool) -> None:
    run = start(store)
    twice = records((1, "s"), (1, "t")).with_columns(content_hash=pl.Series(["h1", "h2"]))
    with pytest.raises(ContractError):
        store.finish_run(run, records=twice.lazy() if lazily else twice, finished_at=at(25))
    assert store.run(run.run_id).status == "running"
    assert store.info().n_rows["records"] == store.info().n_rows["items"] == 0


def test_a_story_without_a_key_or_with_two_rows_fails_the_publication(store: StateStore) -> None:
    run = start(store)
    stories = full(schemas.STORY, 2, story_id=["a", "a"])
    with pytest.raises(ContractError, match="more than one story"):
        store.finish_run(run, records=records((1, "s")), stories=stories, finished_at=at(25))
    assert store.info().n_rows["records"] == 0


def test_records_carry_the_revision_the_store_gave_their_content(store: StateStore) -> None:
    store.upsert_items(items({"id": 1, "hash": "older"}))
    sent = records((1, "s"), (2, "s")).with_columns(revision=pl.lit(1, dtype=pl.Int32))
    run = publish(store, sent)
    assert store.records(run)["revision"].to_list() == [2, 1]
    assert store.items(run)["revision"].to_list() == [2, 1]


def test_items_and_sightings_are_published_with_the_run_and_with_it_alone(store: StateStore) -> None:
    run = start(store)
    taken = {"items": items({"id": 1}, {"id": 9}), "observations": sightings((1, 1, 2, 3, 4))}
    stories = full(schemas.STORY, 2, story_id=["a", "a"])
    with pytest.raises(ContractError):
        store.finish_run(run, records=records((1, "s")), stories=stories, finished_at=at(25), **taken)
    assert {store.info().n_rows[table] for table in ("items", "observations", "records")} == {0}
    store.finish_run(run, records=records((1, "s")), finished_at=at(25), **taken)
    counted = store.info().n_rows
    assert (counted["items"], counted["observations"], counted["records"]) == (2, 1, 1)


def test_latest_is_by_profile_kind_date_and_shadow_and_only_of_complete_runs(store: StateStore) -> None:
    assert store.latest("desk", "daily") is None
    first = publish(store, records((1, "s")), fingerprint="f1")
    second = publish(store, records((1, "s")), fingerprint="f1")
    shadow = publish(store, records((1, "s")), shadow=True, fingerprint="f1")
    earlier = publish(store, records((1, "s")), run_on=ON - timedelta(days=1))
    publish(store, records((1, "s")), profile_id="other")
    start(store)
    assert store.latest("desk", "daily") == second
    assert store.latest("desk", "daily", on=ON - timedelta(days=1)) == earlier
    assert store.latest("desk", "daily", shadow=True) == shadow
    assert store.latest("desk", "adhoc") is None
    assert store.find_fingerprint("desk", "daily", ON, fingerprint="f1") == second
    assert store.find_fingerprint("desk", "daily", ON, fingerprint="f1", shadow=True) == shadow
    assert store.find_fingerprint("desk", "daily", ON, fingerprint="f2") is None
    assert first.attempt == 1


def test_runs_are_listed_newest_first_and_by_profile(store: StateStore) -> None:
    for n, profile in enumerate(["desk", "desk", "other"]):
        publish(store, records((1, "s")), profile_id=profile, run_on=ON + timedelta(days=n))
    assert store.runs()["run_on"].to_list() == [ON + timedelta(days=n) for n in (2, 1, 0)]
    assert store.runs("desk")["profile_id"].to_list() == ["desk", "desk"]
    assert store.runs(limit=1)["profile_id"].to_list() == ["other"]
    assert "profile_json" not in store.runs().columns


def test_a_run_left_running_is_failed_by_the_next_that_holds_its_lock(store: StateStore) -> None:
    dead, other_day = start(store), start(store, run_on=ON + timedelta(days=1))
    start(store)  # without the lock nobody can say who is dead
    assert store.run(dead.run_id).status == "running"
    with store.run_lock("desk", "daily", ON):
        alive = start(store)
    assert (store.run(dead.run_id).status, store.run(dead.run_id).error) == ("failed", OWNER_DIED)
    assert store.run(alive.run_id).status == store.run(other_day.run_id).status == "running"


def test_verdicts_and_story_rules_are_kept_by_profile(store: StateStore) -> None:
    first = store.add_verdict(
        "desk", story_id="s1", decision="drop", reason="ours", given_at=at(1), given_by="ed"
    )
    second = store.add_verdict("desk", story_id="s1", decision="watch", given_at=at(2), expires_at=at(9))
    store.add_verdict("other", story_id="s1", decision="block", given_at=at(1))
    assert first < second
    found = store.verdicts("desk")
    assert found["verdict_id"].to_list() == [first, second]
    assert found["decision"].dtype == schemas.DECISION
    store.add_story_rule("desk", rule="must_link", item_a=item_id(2), item_b=item_id(1), made_at=at(1))
    assert store.story_rules("desk").select("item_a", "item_b").rows() == [(item_id(1), item_id(2))]
    assert store.story_rules("other").height == 0


def test_a_verdict_or_rule_that_cannot_be_is_refused(store: StateStore) -> None:
    with pytest.raises(UnknownError, match="did you mean 'must_cover'"):
        store.add_verdict("desk", story_id="s", decision="mustcover", given_at=at(1))
    with pytest.raises(UnknownError, match="unknown story rule 'link'"):
        store.add_story_rule("desk", rule="link", item_a="a", item_b="b", made_at=at(1))
    with pytest.raises(UsageError, match="needs two items"):
        store.add_story_rule("desk", rule="must_link", item_a="a", item_b="a", made_at=at(1))


def test_hostile_text_is_stored_as_text(store: StateStore) -> None:
    hostile = "x'); DROP TABLE runs; --"
    with pytest.raises(UnknownError):
        store.records(hostile)
    store.add_verdict(hostile, story_id=hostile, decision="drop", reason=hostile, given_at=at(1))
    assert store.verdicts(hostile)["reason"].to_list() == [hostile]
    assert store.runs().height == 0


def test_the_store_is_a_context_manager_that_may_be_used_after_it(tmp_path: Path) -> None:
    with StateStore(tmp_path / "s.duckdb") as store:
        store.upsert_items(items({"id": 1}))
    assert store.info().n_rows["items"] == 1
    assert repr(store) == f"StateStore({str(tmp_path / 's.duckdb')!r})"


def test_reads_of_a_store_that_is_not_there_find_nothing_and_make_no_file(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "deep" / "s.duckdb")
    assert store.runs().height == 0
    assert store.latest("desk", "daily") is None
    assert store.history("desk", kind="daily", window_start=at(0), as_of=at(24), before=ON).items.height == 0
    assert (store.info().exists, store.info().n_bytes, store.schema_version) == (False, 0, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_store_in_memory_is_refused_with_the_cure() -> None:
    with pytest.raises(StoreError, match="temporary folder"):
        StateStore(":memory:")


def test_reads_and_writes_are_measured_with_their_rows(tmp_path: Path) -> None:
    telemetry = Telemetry()
    store = StateStore(tmp_path / "s.duckdb", cache=QueryCache(), telemetry=telemetry)
    run = publish(store, records((1, "s"), (2, "s")))
    store.records(run)
    store.records(run)
    seen = [(e.kind, e.name, e.rows_out, e.cache_hits, e.cache_misses) for e in telemetry.events]
    assert seen == [
        ("store_write", "start_run", None, 0, 0),
        ("store_write", "finish_run", 2, 0, 0),
        ("store_read", "records", 2, 0, 1),
        ("store_read", "records", 2, 1, 0),
    ]
    assert {e.run_id for e in telemetry.events} == {None, run.run_id}


def _revisions(store: StateStore) -> list[tuple[str, str, int]]:
    with store._access.reading("test") as (session, _):
        return session.rows("SELECT item_id, content_hash, revision FROM items ORDER BY item_id, revision")
