"""Rows in are rows out, refused, folded or set aside: exactly, on whatever comes in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

import brandkit as bk
from tests.flow.newsdesk import (
    DIRT,
    MAIL,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    desk,
    ran,
    records,
    row,
    sample,
    table,
    task,
    technology,
)

END = datetime(2026, 3, 3, tzinfo=UTC)


def adds_up(stages: pl.DataFrame) -> bool:
    """Whether every stage's rows add up, and each stage takes what the one before gave."""
    given = pl.col("rows_in") + pl.col("rows_added")
    went = pl.sum_horizontal("rows_out", "rejected", "folded", "set_aside")
    chained = stages["rows_in"][1:].to_list() == stages["rows_out"][:-1].to_list()
    return stages.filter(given != went).is_empty() and chained


def test_every_row_of_a_dirty_day_is_somewhere(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    rows = pl.concat([sample(TUESDAY, 500), sample(WEDNESDAY, 200)])
    result = runner.run(bk.Task(date=TUESDAY, profile=technology(), inputs=rows))
    counts = result.counts
    assert counts["rows_in"] == rows.height
    assert rows.height == counts["records"] + counts["rejected"] + counts["folded"] + counts["set_aside"]
    assert min(counts[name] for name in ("records", "rejected", "folded", "set_aside")) > 0
    assert counts["records"] == runner.store.records(result.run_id).height
    assert counts["stories"] == runner.store.stories(result.run_id).height
    assert adds_up(runner.store.stages(result.run_id))
    # The next day takes what it knows of this one, and still adds up.
    later = runner.run(bk.Task(date=WEDNESDAY, profile=technology(), inputs=sample(WEDNESDAY, 200)))
    taken = later.counts["rows_in"] + later.counts["rows_added"]
    assert later.counts["rows_added"] > 0
    assert taken == sum(later.counts[name] for name in ("records", "rejected", "folded", "set_aside"))
    assert adds_up(runner.store.stages(later.run_id))


def test_every_refused_row_says_why_and_where_it_stood(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    mail = tmp_path / "mail.csv"
    table(MAIL + tuple(dirty for dirty, _ in DIRT)).write_csv(mail)
    refused = runner.store.rejects(ran(runner, mail).run_id)
    first = len(MAIL) + 1
    assert refused["raw_row"].to_list() == list(range(first, first + len(DIRT)))
    assert refused["reasons"].to_list() == [[reason] for _, reason in DIRT]
    assert set(refused["raw_file"]) == {mail.as_posix()}
    assert json.loads(refused["raw"][0])["title"] == "A row without a link"


@pytest.mark.parametrize("on", [TUESDAY, WEDNESDAY])
def test_every_refused_row_of_the_sample_has_a_reason(on: str) -> None:
    refused = bk.assess(sample(on, 3_000), technology(), as_of=END.replace(day=int(on[-2:]) + 1)).rejects
    assert refused.height > 0
    assert refused["reasons"].list.len().min() >= 1


def test_a_bad_value_inside_a_lazy_frame_is_caught(tmp_path: Path) -> None:
    # A schema on a lazy frame checks names and dtypes: a negative count passes it. A run must not.
    rows = table(MAIL).lazy().with_columns(
        comments=pl.when(pl.col("title").str.contains("Ferry")).then(-4).otherwise(2),
        published_at=pl.when(pl.col("title").str.contains("hedge"))
        .then(pl.lit("9999-99-99"))
        .otherwise("published_at"),
        collected_at=pl.when(pl.col("title").str.contains("festival"))
        .then(pl.lit("0001-01-01T00:00:00Z"))
        .otherwise("collected_at"),
    )  # fmt: skip
    runner = bk.Runner(tmp_path / "desk.duckdb")
    result = runner.run(task(rows))
    found = records(runner, result)
    lost = {title: lost for title, lost in found.select("title", "lost").rows() if lost}
    assert sorted(lost.values()) == [["comments"], ["published_at"]]
    assert found["comments"].drop_nulls().min() == 2
    assert runner.store.rejects(result.run_id)["reasons"].to_list() == [["bad_time:collected_at"]]


def test_a_day_without_items_is_a_complete_run_of_nothing(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    empty_file = tmp_path / "none.csv"
    empty_file.write_text("url,title,collected_at\n")
    for day, rows in enumerate((pl.DataFrame(), table(MAIL).clear(), [], empty_file), start=1):
        on = f"2026-01-{day:02}"
        result = ran(runner, rows, on=on)
        assert (result.ok, result.counts["records"], result.counts["rows_in"]) == (True, 0, 0), on
        for read in ("records", "stories", "rejects", "items"):
            assert getattr(runner.store, read)(result.run_id).is_empty()
        assert bk.verify(result.run_id, runner.store).ok
        assert "records" in result._repr_html_()
        assert ran(runner, rows, on=on).is_repeat


def test_a_date_without_data_sets_everything_aside(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    result = ran(runner, on="2025-01-01")
    assert (result.counts["records"], result.counts["set_aside"]) == (0, len(MAIL))
    # What came too early is not lost: its own day has it without being given it again.
    assert ran(runner, [], on=MONDAY).counts["records"] == len(MAIL)


def test_a_file_of_nothing_but_dirt_is_a_complete_run_of_nothing(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    result = ran(runner, tuple(dirty for dirty, _ in DIRT))
    assert (result.counts["records"], result.counts["rejected"]) == (0, len(DIRT))


def test_one_row_a_thousand_times_is_one_record() -> None:
    rows = table((row("alpha.example", "Nordlys opens a bakery"),) * 1_000)
    found = bk.assess(rows, desk(), as_of=END)
    assert found.records.height == found.observations.height == 1
    assert found.stages.row(0, named=True)["folded"] == 999
