from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit import schemas
from brandkit.errors import UnknownError, UsageError
from brandkit.store import RunRow, StateStore
from brandkit.store.cache import QueryCache
from tests.store_frames import at, full, items, publish, sightings, start


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "store.duckdb", cache=None, timeout_s=5)


def records(rows: dict[str, str], **given_columns: Any) -> pl.DataFrame:
    """Records by item_id and story; the first of each story leads it."""
    ids, stories = list(rows), list(rows.values())
    n = len(ids)
    leads = [stories.index(story) == place for place, story in enumerate(stories)]
    return full(
        schemas.RECORD, n, item_id=ids, story_id=stories, content_hash=["h1"] * n, collected_at=[at(0)] * n,
        **given_columns,
    ).with_columns(is_lead=pl.Series(leads))  # fmt: skip


def day(number: int) -> dict[str, Any]:
    return {"run_on": date(2026, 3, number), "started_at": at(24 * number)}


def test_an_items_id_a_storys_and_the_beginning_of_either_find_the_newest_record(store: StateStore) -> None:
    publish(store, records({"1f00": "s_10", "2abc": "s_20"}), **day(1))
    newest = publish(store, records({"1f00": "s_10", "1f01": "s_10"}), **day(2))
    for meant in ("1f00", " 1F00 ", "s_10", "s_1"):
        found = store.find_item(meant)
        assert (found.run.run_id, found.item_id, found.story_id) == (newest.run_id, "1f00", "s_10")
    assert store.find_item("2").run.run_on == date(2026, 3, 1)
    assert store.find_item("1f00").record.equals(store.record(newest, "1f00"))
    assert store.find_item("1f00").run == store.run(newest.run_id)


@given(typed=st.text("012abfs_", min_size=1, max_size=4))
@settings(max_examples=12, deadline=None)
def test_a_prefix_finds_exactly_what_begins_with_it(
    typed: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = _shared_store(tmp_path_factory)
    rows = {"1f00": "s_10", "1f01": "s_10", "2abc": "s_20"}
    by_item = [item for item in rows if item.startswith(typed)]
    by_story = [story for story in ("s_10", "s_20") if story.startswith(typed)]
    meant = [typed] if typed in by_item or typed in by_story else (by_item or by_story)
    if not meant:
        with pytest.raises(UnknownError, match="no item or story"):
            store.find_item(typed)
    elif len(meant) > 1:
        with pytest.raises(UsageError, match=f"begins {len(meant)} ids"):
            store.find_item(typed)
    else:
        found = store.find_item(typed)
        assert meant[0] in (found.item_id, found.story_id)


_STORES: list[StateStore] = []


def _shared_store(factory: pytest.TempPathFactory) -> StateStore:
    if not _STORES:
        store = StateStore(factory.mktemp("lookup") / "store.duckdb", cache=QueryCache())
        publish(store, records({"1f00": "s_10", "1f01": "s_10", "2abc": "s_20"}))
        _STORES.append(store)
    return _STORES[0]


def test_the_row_of_the_story_comes_along_where_there_is_one(store: StateStore) -> None:
    run = start(store)
    stories = full(schemas.STORY, 1, story_id=["s_10"], lead_item_id=["1f00"])
    store.finish_run(
        run, records=records({"1f00": "s_10", "2abc": "s_20"}), stories=stories, finished_at=at(25)
    )
    assert store.find_item("1f00").story["lead_item_id"].to_list() == ["1f00"]
    assert store.find_item("2abc").story.is_empty()


def test_shadows_and_failed_runs_answer_only_when_named_and_complete(store: StateStore) -> None:
    first = publish(store, records({"1f00": "s_10"}), **day(1))
    shadow = publish(store, records({"1f00": "s_10"}), shadow=True, **day(2))
    broken = start(store, **day(3))
    store.fail_run(broken, "it broke", finished_at=at(99))
    assert store.find_item("1f00").run.run_id == first.run_id
    assert store.find_item("1f00", run=shadow.run_id).run.shadow
    with pytest.raises(UnknownError, match="published nothing"):
        store.find_item("1f00", run=broken.run_id)
    with pytest.raises(UnknownError, match="unknown run 'nope'"):
        store.find_item("1f00", run="nope")


def test_the_usual_profile_is_asked_before_all_others_and_one_profile_alone(store: StateStore) -> None:
    publish(store, records({"1f00": "s_10"}), profile_id="desk", **day(1))
    publish(store, records({"1f00": "s_10", "2abc": "s_20"}), profile_id="other", **day(2))
    assert store.find_item("1f00").run.profile_id == "other"
    assert store.find_item("1f00", usual="desk").run.profile_id == "desk"
    assert store.find_item("2abc", usual="desk").run.profile_id == "other"
    assert store.find_item("1f00", profile_id="desk").run.profile_id == "desk"
    with pytest.raises(UnknownError, match="no complete run of profile 'third'"):
        store.find_item("1f00", profile_id="third")


def test_what_is_no_id_is_nobodys(store: StateStore) -> None:
    publish(store, records({"1f00": "s_10"}))
    for hostile in ("%", "_", "1f0%", "' OR 1=1 --", "\x00", "\udcff", "\U0010ffff", "é" * 500):
        with pytest.raises(UnknownError, match="no item or story"):
            store.find_item(hostile)


def test_a_misspelt_id_is_told_the_nearest_ones(store: StateStore) -> None:
    publish(store, records({"3330cca08a75ebbf": "s_2f73d807bfc23e3a"}))
    for typed in ("3330cca08a75ebbe", "333Occa08a75ebbf", "3330cca80a75ebbf", "3330ccb"):
        with pytest.raises(UnknownError, match="did you mean 3330cca08a75ebbf"):
            store.find_item(typed)
    with pytest.raises(UnknownError, match="brandkit runs lists the runs"):
        store.find_item("fedcba9876543210")


def test_before_the_first_run_there_is_nothing_to_find(store: StateStore) -> None:
    with pytest.raises(UnknownError, match="no complete run, in .*store.duckdb"):
        store.find_item("1f00")


def test_the_second_look_is_from_the_cache_and_a_write_ends_it(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "store.duckdb", cache=QueryCache())
    first = publish(store, records({"1f00": "s_10"}), **day(1))
    assert store.find_item("1f").run.run_id == store.find_item("1f").run.run_id == first.run_id
    assert (counts := store.info().cache) is not None
    assert counts.hits == 1
    second = publish(store, records({"1f00": "s_10"}), **day(2))
    assert store.find_item("1f").run.run_id == second.run_id


# What a run knew


def finished(store: StateStore, rows: dict[str, str], members: dict[str, list[str]], **run: Any) -> RunRow:
    stories = full(
        schemas.STORY, len(members), story_id=list(members), item_ids=list(members.values()),
        lead_item_id=[ids[0] for ids in members.values()],
    )  # fmt: skip
    return store.finish_run(start(store, **run), records=records(rows), stories=stories, finished_at=at(25))


def test_a_storys_items_are_those_the_run_counted_each_as_the_latest_run_up_to_it_had_it(
    store: StateStore,
) -> None:
    first = finished(store, {"1f00": "s_10", "2abc": "s_20"}, {"s_10": ["1f00"], "s_20": ["2abc"]}, **day(1))
    # The second day put both into one story, and recorded only the new item again.
    second = finished(store, {"1f01": "s_10"}, {"s_10": ["1f00", "1f01", "2abc"]}, **day(2))
    finished(store, {"1f00": "s_30"}, {"s_30": ["1f00"]}, **day(3))
    found = store.story_items(second, "s_10").sort("item_id")
    assert found.select("item_id", "run_id").rows() == [
        ("1f00", first.run_id),
        ("1f01", second.run_id),
        ("2abc", first.run_id),
    ]
    assert found.drop("run_id").schema == pl.Schema(schemas.RECORD)
    assert store.story_items(first, "s_10")["item_id"].to_list() == ["1f00"]
    assert store.story_items(first, "s_99").is_empty()


def test_an_item_no_run_recorded_is_told_as_it_was_stored(store: StateStore) -> None:
    stored = items({"id": 7, "collected": 1})
    store.upsert_items(stored)
    (item_id,) = stored["item_id"]
    run = finished(store, {"1f00": "s_10"}, {"s_10": ["1f00", item_id]})
    found = store.story_items(run, "s_10")
    assert found.select("item_id", "title", "run_id", "tier").rows()[-1] == (item_id, "title 7", None, None)


def test_sightings_are_those_the_run_knew_of_and_no_other_desks(store: StateStore) -> None:
    own = sightings((1, 1, 5, None, None), (1, 3, 6, None, None), (2, 1, 1, None, None))
    run = start(store, as_of=at(4))
    store.finish_run(run, records=records({"1f00": "s_10"}), observations=own, finished_at=at(5))
    other = start(store, profile_id="other", as_of=at(4))
    theirs = sightings((1, 2, 99, None, None))
    store.finish_run(other, records=records({"1f00": "s_10"}), observations=theirs, finished_at=at(5))
    (item_id,) = own.filter(pl.col("reactions") == 6)["item_id"]
    assert store.sightings(run, [item_id])["reactions"].to_list() == [5, 6]
    assert store.sightings(other, [item_id])["reactions"].to_list() == [99]
    assert store.sightings(run, []).is_empty()
