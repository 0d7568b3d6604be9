"""Yesterday can be had again: the same input gives the same bytes, however it came in."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import brandkit as bk
from tests.flow.newsdesk import (
    DIRT,
    MAIL,
    MONDAY,
    ROOT,
    TUESDAY,
    Row,
    desk,
    ran,
    records,
    row,
    same_bytes,
    sample,
    table,
    technology,
)  # fmt: skip

END = datetime(2026, 3, 4, tzinfo=UTC)
ELSEWHERE = """
import sys
from datetime import UTC, datetime
import brandkit as bk
from brandkit.schemas import frame_hash
profile = bk.BrandProfile.from_toml(sys.argv[1])
made = bk.assess(bk.scan_items(sys.argv[2]), profile, as_of=datetime(2026, 3, 4, tzinfo=UTC))
print(frame_hash(made.records), frame_hash(made.stories), frame_hash(made.rejects.drop("raw_file")))
"""


def test_two_fresh_stores_are_left_with_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        runner = bk.Runner(tmp_path / name / "desk.duckdb")
        result = runner.run(bk.Task(date=TUESDAY, profile=technology(), inputs=sample(TUESDAY, 400)))
        made.append((same_bytes(records(runner, result)), runner.store.run(result.run_id).fingerprint))
    assert made[0] == made[1]


def test_another_process_with_other_hash_seeds_and_threads_gives_the_same_bytes(tmp_path: Path) -> None:
    mail = tmp_path / "items.parquet"
    sample(TUESDAY, 400).write_parquet(mail)
    profile = ROOT / "data" / "profiles" / "technology.toml"

    def hashes(**env: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", ELSEWHERE, str(profile), str(mail)],
            env={**os.environ, **env}, capture_output=True, text=True, check=True, timeout=120,
        ).stdout  # fmt: skip

    one = hashes(PYTHONHASHSEED="1", POLARS_MAX_THREADS="1")
    assert one == hashes(PYTHONHASHSEED="271828", POLARS_MAX_THREADS="4")
    here = bk.assess(bk.scan_items(mail), technology(), as_of=END)
    assert one.split()[0] == same_bytes(here)


@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_means_nothing(seed: int) -> None:
    rows = sample(TUESDAY, 250)
    assert same_bytes(bk.assess(rows, technology(), as_of=END)) == same_bytes(
        bk.assess(rows.sample(fraction=1, shuffle=True, seed=seed), technology(), as_of=END)
    )


# Two sightings of everything, with other counts, another title and another place.
_TWICE = tuple(
    row("alpha.example", f"Nordlys raises price of oat drink{more}", url=f"https://alpha.example/{n}",
        clock=f"{8 + n:02}:{minute}:00", reactions=reactions, account=None)
    for n in range(3)
    for more, minute, reactions in (("", "00", 3), (" again", "30", 9), ("", "30", 4))
)  # fmt: skip


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(order=st.permutations(_TWICE), cut=st.integers(0, len(_TWICE)))
def test_sightings_of_one_instant_are_told_apart_by_what_is_in_them(order: Sequence[Row], cut: int) -> None:
    end = datetime(2026, 3, 3, tzinfo=UTC)
    whole = bk.assess(table(_TWICE), desk(), as_of=end)
    parts = [table(part) for part in (order[:cut], order[cut:]) if part]
    assert same_bytes(bk.assess(pl.concat(parts), desk(), as_of=end)) == same_bytes(whole)
    assert whole.records.height == 3
    assert whole.observations.height == 6


def _files(folder: Path, rows: pl.DataFrame, *, seed: int) -> list[Path]:
    """The rows in three files, in an order that no name tells."""
    dealt = random.Random(seed).choices(range(3), k=rows.height)
    parts = rows.with_columns(_part=pl.Series(dealt)).partition_by("_part", as_dict=True)
    for (number,), part in parts.items():
        part.drop("_part").write_parquet(folder / f"{'bca'[int(number)]}.parquet")
    return [folder / f"{name}.parquet" for name in "abc"]


def test_one_load_split_over_files_and_sources_is_the_same_run(tmp_path: Path) -> None:
    rows = sample(TUESDAY, 300)
    files = _files(tmp_path, rows, seed=5)
    runner = bk.Runner(tmp_path / "desk.duckdb")
    whole = runner.run(bk.Task(date=TUESDAY, profile=technology(), inputs=rows))
    assert whole.counts["rejected"] > 0
    for inputs in (
        files,  # three sources
        list(reversed(files)),
        [files],  # one source of three files
        [str(tmp_path / "*.parquet")],
        [files[0], rows.clear(), files[1:]],
    ):
        again = runner.run(bk.Task(date=TUESDAY, profile=technology(), inputs=inputs))
        assert (again.run_id, again.is_repeat) == (whole.run_id, True), inputs


def test_one_load_in_two_formats_is_the_same_run(tmp_path: Path) -> None:
    rows = table(MAIL + tuple(dirty for dirty, _ in DIRT)).select(pl.all().exclude("native_id"))
    rows.head(4).write_csv(tmp_path / "a.csv")
    typed = rows.slice(4).with_columns(
        pl.col("collected_at").str.to_datetime(time_unit="ms", time_zone="UTC", strict=False),
        claims=pl.lit([], pl.List(pl.String)),
        reactions=pl.lit(None, pl.Int32),
    )
    kept = typed.filter(pl.col("collected_at").is_not_null())
    kept.write_parquet(tmp_path / "b.parquet")
    made = bk.Runner(tmp_path / "desk.duckdb")
    two = ran(made, [tmp_path / "a.csv", tmp_path / "b.parquet"])
    by_hand = bk.assess(
        rows.filter(pl.col("title").is_in(rows["title"][:4].append(kept["title"]).implode())),
        desk(),
        as_of=datetime(2026, 3, 3, tzinfo=UTC),
    )
    assert same_bytes(records(made, two)) == same_bytes(by_hand)


def test_where_a_file_stands_is_not_part_of_the_input(tmp_path: Path) -> None:
    mail = tmp_path / "mail" / "items.csv"
    mail.parent.mkdir()
    table(MAIL + tuple(dirty for dirty, _ in DIRT)).write_csv(mail)
    runner = bk.Runner(tmp_path / "desk.duckdb")
    first = ran(runner, mail, on=MONDAY)
    moved = mail.rename(tmp_path / "moved.csv")
    assert ran(runner, moved, on=MONDAY).run_id == first.run_id
