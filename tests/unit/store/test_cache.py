from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from brandkit.errors import UnknownError
from brandkit.store import QueryCache, StateStore
from brandkit.store.cache import CacheCounts
from tests.store_frames import ON, at, items, publish, records


def _frame(n_rows: int = 4) -> pl.DataFrame:
    return pl.DataFrame({"a": range(n_rows), "b": ["x"] * n_rows}, schema={"a": pl.Int64, "b": pl.String})


def _set_cell(frame: pl.DataFrame) -> None:
    frame[0, "a"] = 99


def _set_column(frame: pl.DataFrame) -> None:
    frame[list(range(frame.height)), "a"] = 9


def _scatter(frame: pl.DataFrame) -> None:
    frame["a"].scatter(0, 99)


def _set_in_series(frame: pl.DataFrame) -> None:
    frame.get_column("a")[0] = 99


def _rename(frame: pl.DataFrame) -> None:
    frame.columns = ["c", "d"]


def _extend(frame: pl.DataFrame) -> None:
    frame.extend(frame.clone())


_CHANGES: list[Callable[[pl.DataFrame], object]] = [
    _set_cell, _set_column, _scatter, _set_in_series, _rename, _extend,
    lambda f: f.insert_column(0, pl.Series("new", [0] * f.height)),
    lambda f: f.replace_column(0, pl.Series("new", [0] * f.height)),
    lambda f: f.drop_in_place("a"),
    lambda f: f["a"].rename("c"),
    lambda f: f["a"].append(f["a"]),
    lambda f: f["a"].shrink_to_fit(in_place=True),
    lambda f: f.shrink_to_fit(in_place=True),
    lambda f: f["a"].sort(in_place=True, descending=True),
]  # fmt: skip


@pytest.mark.parametrize("change", _CHANGES)
def test_no_caller_can_change_what_the_cache_holds(change: Callable[[pl.DataFrame], object]) -> None:
    cache = QueryCache()
    given = _frame()
    cache.put("k", 1, given)
    change(given)
    found = cache.get("k", 1)
    assert found is not None
    assert_frame_equal(found, _frame())
    change(found)
    again = cache.get("k", 1)
    assert again is not None
    assert_frame_equal(again, _frame())


def test_numpy_and_arrow_views_cannot_be_written_through() -> None:
    cache = QueryCache()
    cache.put("k", 1, _frame())
    found = cache.get("k", 1)
    assert found is not None
    view = found["a"].to_numpy()
    assert not view.flags.writeable
    found.to_numpy(writable=True)[0, 0] = 99
    again = cache.get("k", 1)
    assert again is not None
    assert_frame_equal(again, _frame())


def test_the_least_recently_used_goes_first() -> None:
    cache = QueryCache(max_entries=2)
    cache.put("a", 1, _frame())
    cache.put("b", 1, _frame())
    assert cache.get("a", 1) is not None
    assert cache.put("c", 1, _frame()) == 1
    assert cache.get("b", 1) is None
    assert cache.get("a", 1) is not None
    assert cache.counts() == CacheCounts(
        hits=2, misses=1, evictions=1, entries=2, n_bytes=2 * _frame().estimated_size()
    )


def test_bytes_are_bounded_and_a_frame_over_the_bound_is_not_kept() -> None:
    size = _frame().estimated_size()
    cache = QueryCache(max_bytes=2 * size)
    assert [cache.put(key, 1, _frame()) for key in "abc"] == [0, 0, 1]
    cache.put("large", 1, _frame(1000))
    assert cache.get("large", 1) is None
    assert cache.counts().n_bytes == 2 * size


def test_another_revision_ends_an_entry_which_is_no_eviction() -> None:
    cache = QueryCache()
    cache.put("k", 1, _frame())
    assert cache.get("k", 2) is None
    assert cache.counts() == CacheCounts(hits=0, misses=1, evictions=0, entries=0, n_bytes=0)
    cache.put("k", 2, _frame())
    cache.put("k", 3, _frame(1))
    assert cache.counts().n_bytes == _frame(1).estimated_size()
    cache.clear()
    assert cache.counts().entries == 0


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 40)), max_size=40),
    st.integers(0, 4),
    st.integers(1, 900),
)
def test_the_bounds_hold_after_any_sequence(
    puts: list[tuple[str, int]], max_entries: int, max_bytes: int
) -> None:
    cache = QueryCache(max_entries=max_entries, max_bytes=max_bytes)
    for key, n_rows in puts:
        cache.put(key, 1, _frame(n_rows))
        counts = cache.counts()
        assert counts.entries <= max_entries
        assert counts.n_bytes <= max_bytes
    held = [found for key in "abcdef" if (found := cache.get(key, 1)) is not None]
    assert sum(frame.estimated_size() for frame in held) == cache.counts().n_bytes


@pytest.fixture
def cached(tmp_path: Path) -> tuple[StateStore, QueryCache]:
    cache = QueryCache()
    return StateStore(tmp_path / "s.duckdb", cache=cache, timeout_s=5), cache


def test_a_second_read_comes_from_the_cache_and_equals_the_first(
    cached: tuple[StateStore, QueryCache],
) -> None:
    store, cache = cached
    run = publish(store, records((1, "s")))
    first = store.records(run)
    assert_frame_equal(store.records(run), first)
    assert_frame_equal(store.records(run, columns=["total"]), first.select("item_id", "total"))
    counts = cache.counts()
    assert (counts.hits, counts.misses, counts.entries) == (1, 2, 2)


def test_a_write_of_this_process_ends_what_was_read_before(cached: tuple[StateStore, QueryCache]) -> None:
    store, cache = cached
    run = publish(store, records((1, "s")))
    store.records(run)
    StateStore(store.path, cache=None).upsert_items(items({"id": 5}))
    store.records(run)
    assert cache.counts().hits == 0


def test_a_write_of_another_process_ends_what_was_read_before(cached: tuple[StateStore, QueryCache]) -> None:
    store, cache = cached
    run = publish(store, records((1, "s")))
    store.stages(run)
    program = (
        "import sys; from brandkit.store import StateStore; from tests.store_frames import *; "
        "publish(StateStore(sys.argv[1]), records((2, 's')))"
    )
    subprocess.run([sys.executable, "-c", program, str(store.path)], check=True, timeout=60)
    store.stages(run)
    assert cache.counts().hits == 0
    assert store.runs().height == 2


def test_another_file_put_in_the_stores_place_ends_what_was_read_before(
    cached: tuple[StateStore, QueryCache],
) -> None:
    store, _ = cached
    run = publish(store, records((1, "s")))
    assert store.records(run).height == 1
    other = StateStore(store.path.with_name("other.duckdb"), cache=None)
    other.upsert_items(items({"id": 1}))
    os.replace(other.path, store.path)
    with pytest.raises(UnknownError):
        store.records(run)


def test_what_is_not_committed_is_never_cached(cached: tuple[StateStore, QueryCache]) -> None:
    store, cache = cached

    def fail() -> None:
        with store.transaction():
            run = publish(store, records((1, "s")))
            assert store.records(run).height == 1
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert cache.counts().entries == 0
    with pytest.raises(UnknownError):
        store.records("desk.daily.2026-03-02.1")


def test_an_error_is_not_cached(cached: tuple[StateStore, QueryCache]) -> None:
    store, cache = cached
    with pytest.raises(UnknownError):
        store.records("none")
    assert cache.counts().entries == 0


def test_a_store_without_a_cache_reads_the_same(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "s.duckdb", cache=None)
    run = publish(store, records((1, "s")))
    assert_frame_equal(store.records(run), store.records(run))
    assert store.info().cache is None
    assert StateStore(store.path).info().cache is not None


def test_the_cache_keeps_two_stores_apart(tmp_path: Path) -> None:
    cache = QueryCache()
    one, two = (StateStore(tmp_path / name, cache=cache) for name in ("1.duckdb", "2.duckdb"))
    first, second = publish(one, records((1, "s"))), publish(two, records((2, "s")))
    assert first.run_id == second.run_id
    assert one.records(first)["item_id"][0] != two.records(second)["item_id"][0]
    assert one.history("desk", kind="daily", window_start=at(0), as_of=at(24), before=ON).items.height == 0
