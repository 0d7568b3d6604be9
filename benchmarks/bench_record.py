"""The record: recomputing every decision against making it, and one decision explained out of many runs."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import polars as pl

from benchmarks import frames
from benchmarks.measure import Comparison, compare, seconds
from brandkit.assess import rescore
from brandkit.record.explain import explain
from brandkit.record.explain_frame import explain_frame
from brandkit.record.kept import kept
from brandkit.record.verify import verify, verify_records
from brandkit.store.cache import QueryCache
from brandkit.store.state import StateStore
from brandkit.store.tables import RUN

_MADE = ("parts", "base", "modifiers", "scores", "total", "gates", "decision", "reason")
RUNS, RECORDS = 1_000, 200
# What an editor does not wait for.
AT_ONCE_S = 0.1


def verifying(rows: int) -> list[Comparison]:
    """Recomputing and comparing ``rows`` records against scoring them; then with reading them first."""
    made, context = frames.records(rows), frames.context()
    plan = rescore(made.drop(_MADE).lazy(), context).select(*_MADE)
    scored = seconds(plan.collect, repeats=5)
    checked = seconds(lambda: verify_records(made, frames.PROFILE, as_of=context.as_of), repeats=5)
    is_found = not verify_records(_altered(made), frames.PROFILE, as_of=context.as_of).ok
    with tempfile.TemporaryDirectory() as folder:
        store = StateStore(Path(folder) / "store.duckdb", cache=None)
        run_id = _published(store, made)
        start = perf_counter()
        found = verify(run_id, store)
        read = perf_counter() - start
    return [
        compare("verify against scoring", rows, fast_s=checked, slow_s=scored, target=0.5, equal=is_found),
        compare("the same, read from a store", rows, fast_s=read, slow_s=scored, target=0, equal=found.ok),
    ]


def explaining(rows: int) -> Comparison:
    """Every step of ``rows`` records as one frame against one explanation each."""
    made = frames.records(rows)
    fast = seconds(explain_frame(made, frames.PROFILE).collect)
    sums = explain_frame(made, frames.PROFILE).group_by("item_id").agg(pl.col("points").sum())
    some = made.head(1_000)
    start = perf_counter()
    for place in range(some.height):
        explain(some[place : place + 1], frames.PROFILE)
    slow = (perf_counter() - start) * rows / some.height
    total = pl.col("total").cast(pl.Int64)
    equal = sums.sort("item_id").collect()["points"].equals(made.sort("item_id").select(total)["total"])
    return compare(
        "explain_frame against explain", rows, fast_s=fast, slow_s=slow, target=20, equal=equal,
        sampled=some.height,
    )  # fmt: skip


def explaining_one(n_runs: int = RUNS) -> list[Comparison]:
    """One item explained out of a store of many runs: first in a process, and again."""
    made = frames.records(n_runs * RECORDS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.duckdb"
        _fill(StateStore(path), made, n_runs)
        # Of the oldest run: the most there is to look through.
        item_id = made["item_id"][0]
        store, plain = StateStore(path, cache=QueryCache()), StateStore(path, cache=None)
        start = perf_counter()
        account = explain(kept(item_id, store))
        first = perf_counter() - start
        off = seconds(lambda: explain(kept(item_id, plain)), repeats=5)
        warm = seconds(lambda: explain(kept(item_id, store)), repeats=21)
    equal = account.item_id == item_id and account.total == made["total"][0]
    return [
        compare(f"{name}, against {AT_ONCE_S:g} s", made.height, fast_s=took, slow_s=AT_ONCE_S,
                target=target, equal=equal)
        for name, took, target in (
            ("explain one item: first", first, 0), ("explain one item: cache off", off, 0),
            ("explain one item: warm", warm, 1),
        )
    ]  # fmt: skip


def _altered(records: pl.DataFrame) -> pl.DataFrame:
    """The records with one point moved in the middle."""
    is_it = pl.int_range(pl.len()) == records.height // 2
    return records.with_columns(total=pl.when(is_it).then(pl.col("total") + 1).otherwise("total"))


def _published(store: StateStore, records: pl.DataFrame) -> str:
    context = frames.context()
    run = store.start_run(
        frames.PROFILE.id, kind="daily", run_on=(frames.AS_OF - timedelta(days=1)).date(),
        as_of=context.as_of, window_start=context.window_start, started_at=context.as_of,
        profile_json=frames.PROFILE.snapshot, profile_hash=frames.PROFILE.hash,
    )  # fmt: skip
    return store.finish_run(run, records=records, finished_at=context.as_of).run_id


def _fill(store: StateStore, records: pl.DataFrame, n_runs: int) -> None:
    """So many runs, each with its share of the records, in one go: runs one by one take minutes."""
    numbers = pl.DataFrame({"place": range(n_runs)})
    runs = numbers.select(
        run_id=pl.format("bench.daily.{}", "place"),
        profile_id=pl.lit(frames.PROFILE.id),
        kind=pl.lit("daily"),
        run_on=pl.lit(frames.AS_OF.date()) - pl.duration(days=n_runs - pl.col("place")),
        attempt=pl.lit(1),
        shadow=pl.lit(value=False),
        status=pl.lit("complete"),
        **{name: pl.lit(frames.AS_OF) for name in ("as_of", "window_start", "started_at", "finished_at")},
        profile_json=pl.lit(frames.PROFILE.snapshot),
        profile_hash=pl.lit(frames.PROFILE.hash),
        **{name: pl.lit("{}") for name in ("versions", "counts")},
        owner_pid=pl.lit(1),
        owner_host=pl.lit("bench"),
    )
    placed = records.with_columns(
        run_id=pl.format("bench.daily.{}", pl.int_range(pl.len()) // RECORDS), is_lead=pl.lit(value=True)
    )
    with store.transaction(), store._access.writing("fill") as (session, _):
        session.insert("runs", runs.cast({n: RUN[n] for n in runs.columns}))
        session.insert("records", placed)
