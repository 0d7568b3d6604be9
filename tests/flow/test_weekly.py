"""The weekly and the tuning report of a small store: their notebooks, and what they say of thin weeks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import pytest

from brandkit.errors import UnknownError, UsageError
from brandkit.record import calibrate
from brandkit.report import notebooks, tune, weekly
from brandkit.report.html import Html, join
from brandkit.report.tuning import AROUND, Tuning
from brandkit.report.week import Week, by_day
from brandkit.runner import Runner
from brandkit.store.state import StateStore
from tests.flow.newsdesk import DIRT, MAIL, MONDAY, ROOT, TUESDAY, desk, ran, row, task
from tests.unit.report.briefs import HOSTILE, read

THURSDAY, FRIDAY = "2026-03-05", "2026-03-06"
PROFILE = """
id = "desk"
title = "Nordlys <script>alert(1)</script> $desk$"
own = ["Nordlys"]
rivals = ["Velmora"]
pillars = [{ name = "prices", terms = ["price", "prices"] }]
triggers = ["recall"]
[sources]
use_defaults = false
tiers = { "alpha.example" = "A" }
"""
SECTIONS: tuple[Callable[[Week], Html], ...] = (
    weekly.headline, weekly.trends_by_day, weekly.followed, weekly.workload, weekly.agreement,
    weekly.hindsight, weekly.share_of_voice, weekly.bursts, weekly.drift, weekly.sources, weekly.runs,
)  # fmt: skip


def on(day: str, *rows: Any) -> tuple[Any, ...]:
    return tuple({**one, "collected_at": str(one["collected_at"]).replace(MONDAY, day)} for one in rows)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> StateStore:
    """Monday ran twice, Tuesday with a shadow, Wednesday never, Thursday failed, Friday without items."""
    folder = tmp_path_factory.mktemp("week")
    (folder / "desk.toml").write_text(PROFILE, encoding="utf-8")
    runner = Runner(StateStore(folder / "desk.duckdb"))
    hostile = tuple(
        row("alpha.example", f"Nordlys recall {text}", url=f"https://alpha.example/h{n}")
        for n, text in enumerate(HOSTILE)
    )
    ran(runner, MAIL[:2])
    first = ran(runner, (*MAIL, *hostile, DIRT[0][0]))
    echo = row("beta.example", "Nordlys recall of oat drink goes on as prices rise", on=TUESDAY)
    tuesday = (*on(TUESDAY, *MAIL[3:]), echo)
    ran(runner, tuesday, on=TUESDAY)
    ran(runner, tuesday, on=TUESDAY, profile=desk(thresholds={"must_cover": 90}), shadow=True)
    assert not runner.run(task(str(folder / "gone.csv"), on=THURSDAY)).ok
    ran(runner, on(FRIDAY), on=FRIDAY)
    told = runner.store.stories(first.run_id).sort("story_id")
    with runner.store.transaction():
        for story, decision in zip(told["story_id"], ("watch", "must_cover", "drop"), strict=False):
            at = runner.store.run(first.run_id).as_of - timedelta(hours=1)
            runner.store.add_verdict("desk", story_id=story, decision=decision, given_at=at)
    return runner.store


def given(store: StateStore, **more: Any) -> dict[str, Any]:
    return {"profile": str(store.path.with_name("desk.toml")), "store": str(store.path), **more}


def week(store: StateStore, **more: Any) -> Week:
    return notebooks.week(notebooks.weekly_parameters(given(store, **{"run_date": "2026-03-08", **more})))


def tuning(store: StateStore, **more: Any) -> Tuning:
    return notebooks.tuning(notebooks.tune_parameters(given(store, **more)))


def said(*sections: Html) -> str:
    return read(join(sections).markup).text


def shown(path: Path) -> str:
    cells = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4).cells
    assert not [cell for cell in cells if any(out.output_type == "error" for out in cell.get("outputs", ()))]
    return path.with_suffix(".html").read_text(encoding="utf-8")


def test_the_weekly_notebook_tells_the_stores_numbers_and_holds_nothing_that_runs(
    tmp_path: Path, store: StateStore
) -> None:
    before = store.runs()
    out = tmp_path / "week.ipynb"
    notebooks.render("weekly", given(store, run_date="2026-03-08"), out=out, html=out.with_suffix(".html"))
    markup = shown(out)
    page = read(markup)
    assert not page.live
    headings = (
        "Week of 2 to 8 March 2026", "Trends", "Stories followed", "Workload", "Verdicts", "Hindsight",
        "Share of voice", "Bursts", "Drift", "Source health", "Runs and versions",
    )  # fmt: skip
    assert [heading for heading in headings if heading not in page.text] == []
    items = sum(store.run(f"desk.daily.{day}").counts["records"] for day in (f"{MONDAY}.2", f"{TUESDAY}.1"))
    assert f"7 days, 3 runs (Wed 4, Thu 5, Sat 7 and Sun 8 without one): {items} items" in page.text
    assert "Thu 5 (failed)" in page.text
    assert "3 runs finished, 1 failed." in page.text
    assert "1 earlier attempt of the same days: the latest counts." in page.text
    assert "gone.csv" in page.text
    assert store.runs().equals(before)


def test_the_tuning_notebook_draws_each_setting_and_holds_shadow_against_live(
    tmp_path: Path, store: StateStore
) -> None:
    out = tmp_path / "tune.ipynb"
    asked = given(store, settings="must_cover", slots="1", days="7")
    notebooks.render("tune", asked, out=out, html=out.with_suffix(".html"))
    page = read(shown(out))
    assert not page.live
    assert "Tuning on 28 February to 6 March 2026" in page.text
    assert "Must cover at 75 gives" in page.text
    assert "How high must the bar stand for 1 story a day" in page.text
    assert "Inconclusive: 3 verdicts, and it takes 30 to say anything." in page.text
    assert "Over 1 day:" in page.text
    assert "no live run beside the shadow" not in page.text


def test_days_without_a_run_and_failed_ones_are_gaps(store: StateStore) -> None:
    counts = by_day(week(store))
    known = counts.filter(pl.col("items").is_not_null())["day"].dt.to_string().to_list()
    assert known == [MONDAY, TUESDAY, FRIDAY]
    assert counts.filter(pl.col("items") == 0)["day"].dt.to_string().to_list() == [FRIDAY]


def test_the_same_week_is_the_same_page(store: StateStore) -> None:
    one, other = week(store), week(store)
    assert [section(one).markup for section in SECTIONS] == [section(other).markup for section in SECTIONS]


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (MONDAY, "One run has no later one to look back from."),
        (FRIDAY, "No items were collected."),
    ],
)
def test_a_week_of_one_run_reads_as_what_it_is(store: StateStore, day: str, told: str) -> None:
    alone = week(store, run_date=day, days="1")
    text = said(*(section(alone) for section in SECTIONS))
    assert told in text
    assert "1 day, 1 run" in text


def test_a_week_without_any_finished_run_is_an_error_that_names_those_there_are(store: StateStore) -> None:
    for day, days in ((THURSDAY, 2), ("2026-05-01", 7)):
        with pytest.raises(UnknownError, match=f"runs are of {MONDAY} to {FRIDAY}") as caught:
            week(store, run_date=day, days=days)
        assert caught.value.exit_code == 2
    with pytest.raises(UnknownError) as caught:
        tuning(store, run_date="2026-05-01", days=3)
    assert caught.value.exit_code == 2


def test_a_week_is_held_against_the_one_before_only_where_there_is_one(store: StateStore) -> None:
    assert "has no finished run to compare with" in said(weekly.headline(week(store)))
    text = said(weekly.headline(week(store, run_date=TUESDAY, days=1)))
    assert "The 1 days before" not in text
    assert "The day before (1 run):" in text


def test_no_verdict_and_no_shadow_are_said_plainly(store: StateStore) -> None:
    friday = week(store, run_date=FRIDAY, days=1)
    assert "No verdict was given on a story of these days." in said(weekly.agreement(friday))
    assert "3 verdicts on stories of these days" in said(weekly.agreement(week(store)))
    found = tuning(store, run_date=MONDAY, days=1)
    assert "No day of these has a shadow run beside its live one." in said(tune.shadow(found))
    nobody = tuning(store, run_date=FRIDAY, days=1)
    assert "No verdict was given on these stories" in said(tune.calibration(nobody))


def test_a_curve_is_drawn_around_the_present_bar_and_a_weight_up_to_twice_what_it_is(
    store: StateStore,
) -> None:
    bar, weight = tuning(store, settings=["watch", "weights.impact.breadth"]).curves
    assert bar.present is not None
    assert (bar.frame["value"].min(), bar.frame["value"].max()) == (
        bar.present - AROUND,
        bar.present + AROUND - 1,
    )
    assert weight.frame["value"].to_list() == list(range(21))


def test_a_profile_that_is_not_that_of_the_runs_is_told(tmp_path: Path, store: StateStore) -> None:
    other = tmp_path / "desk.toml"
    other.write_text(f"{PROFILE}[thresholds]\nmust_cover = 80\n", encoding="utf-8")
    found = tuning(store, profile=str(other))
    assert found.curves[0].present == 80
    assert "must cover 80, then 75" in found.notes[0]
    assert "sources" in found.notes[1]


def test_enough_verdicts_are_drawn_with_what_they_suggest(store: StateStore) -> None:
    found = tuning(store)
    few = calibrate.of_span(found.asked, found.verdicts, resamples=2)
    pairs = pl.concat([few.pairs] * 10)
    vars(found)["calibration"] = replace(few, pairs=pairs, agreement=0.5)
    text = said(tune.calibration(found))
    assert "50% of 30 decisions are the verdict." in text
    assert "Thresholds, with the range nine resamples of ten leave" in text
    assert "Most under-scored" in text or "Most over-scored" in text


def test_a_setting_that_is_none_is_told_with_what_is_near(store: StateStore) -> None:
    with pytest.raises(UnknownError, match="did you mean 'must_cover'"):
        tuning(store, settings="must_covr")
    with pytest.raises(UsageError, match="the days end before they begin"):
        tuning(store, first=FRIDAY, run_date=MONDAY)


@pytest.mark.parametrize("name", ["weekly", "tune"])
def test_the_notebooks_hold_no_output_and_no_logic_and_take_what_their_model_takes(name: str) -> None:
    book = nbformat.reads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"), as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert max(len(cell.source.splitlines()) for cell in code[1:]) <= 5
    assert not any(word in cell.source for cell in code for word in ("def ", "if ", "for ", "lambda"))
    lines = code[0].source.splitlines()
    assert code[0].metadata.tags == ["parameters"]
    assert {line.partition(":")[0] for line in lines} == set(notebooks.parameters.MODELS[name].model_fields)
