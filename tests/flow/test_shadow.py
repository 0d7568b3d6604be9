"""A profile on trial beside the live one: with the live past, in nobody's way, compared day by day."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

import brandkit as bk
from brandkit.cli import main
from brandkit.cli.comparing import compare as command
from brandkit.record.kept import kept
from brandkit.record.shadow import compare_shadow
from brandkit.report.opening import open_daily
from brandkit.report.parameters import DailyParameters, checked_as
from tests.flow.newsdesk import MAIL, MONDAY, TUESDAY, WEDNESDAY, desk, ran, records, row, same_bytes

# The same id, another bar: 60 is out of reach of the recall, which always-cover lifts in the live one.
TRIAL = {"thresholds": {"must_cover": 90}, "triggers": ["outage"]}
DAYS = (
    (MONDAY, MAIL),
    (TUESDAY, (row("beta.example", "Nordlys recall of oat drink widened as prices rise", on=TUESDAY),)),
)


def shadowed(runner: bk.Runner, rows: Any, **more: Any) -> bk.RunResult:
    return ran(runner, rows, shadow=True, profile=desk(**TRIAL), **more)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> bk.Runner:
    """Two days, each run live and then as a shadow."""
    runner = bk.Runner(tmp_path_factory.mktemp("trial") / "desk.duckdb")
    for on, rows in DAYS:
        ran(runner, rows, on=on)
        shadowed(runner, rows, on=on)
    return runner


def test_live_against_shadow_is_the_profiles_doing_day_by_day(trial: bk.Runner) -> None:
    found = compare_shadow(trial.store, "desk")
    assert found.days.select("run_on", "run_live", "run_shadow", "n_moved", "n_down", "n_came").rows() == [
        (date(2026, 3, day), f"desk.daily.2026-03-0{day}.1", f"desk.daily.2026-03-0{day}.2", 1, 1, 0)
        for day in (2, 3)
    ]
    assert found.stories.select("decision_from", "decision_to", "cause").unique().rows() == [
        ("must_cover", "optional", "profile_changed")
    ]
    must = found.totals().filter(decision="must_cover")
    assert must.select("n_live", "n_shadow", "live_a_day").row(0) == (2, 0, 1.0)
    assert found.alone == ()
    assert compare_shadow(trial.store, "desk", last=date(2026, 3, 2)).days.height == 1
    for words in (
        "live -> shadow, 2026-03-02 to 2026-03-03",
        "the profile changed 2",
        "must cover -> optional",
    ):
        assert words in str(found)
    assert repr(found) == "Trial(desk: 2 stories moved in 2 days)"


def test_a_shadow_has_the_past_of_the_live_runs_and_the_live_runs_have_none_of_it(
    trial: bk.Runner, tmp_path: Path
) -> None:
    store = trial.store
    live, shadow = (store.stories(f"desk.daily.{TUESDAY}.{attempt}") for attempt in (1, 2))
    assert (
        shadow.select("story_id", "is_continued", "n_items").rows()
        == live.select("story_id", "is_continued", "n_items").rows()
    )
    assert shadow["is_continued"].all()
    alone = bk.Runner(tmp_path / "alone.duckdb")
    for on, rows in DAYS:
        result = ran(alone, rows, on=on)
        assert same_bytes(records(alone, result)) == same_bytes(store.records(f"desk.daily.{on}.1"))


def test_a_shadow_is_nobodys_latest_and_in_no_brief_and_no_answer(trial: bk.Runner, tmp_path: Path) -> None:
    latest = trial.store.latest("desk", "daily")
    assert latest is not None
    assert latest.run_id == f"desk.daily.{TUESDAY}.1"
    lead = trial.store.stories(latest.run_id)["lead_item_id"][0]
    assert kept(lead, trial.store).run.run_id == latest.run_id
    (tmp_path / "desk.toml").write_text('id = "desk"\nown = ["Nordlys"]\n')
    given = {"run_date": TUESDAY, "profile": str(tmp_path / "desk.toml"), "store": str(trial.store.path)}
    assert open_daily(checked_as(DailyParameters, given)).run.run_id == latest.run_id


def test_a_trial_of_more_sources_shows_its_own_items_as_new_ones(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    ran(runner)
    more = row("wire.example", "Nordlys and Velmora lose ferry contract", clock="16:00:00")
    shadowed(runner, (*MAIL, more))
    found = compare_shadow(runner.store, "desk")
    came = found.stories.filter(pl.col("decision_from").is_null())
    assert came.select("title", "decision_to", "cause").rows() == [(more["title"], "optional", "new_item")]


def test_the_same_profile_moves_nothing_and_a_day_with_only_one_of_the_two_is_left_out(
    tmp_path: Path,
) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    live = ran(runner)
    ran(runner, (), shadow=True, on=WEDNESDAY)
    with pytest.raises(bk.BrandkitError, match="no day has both a live and a shadow run") as told:
        compare_shadow(runner.store, "desk")
    assert "live: 2026-03-02 to 2026-03-02; shadow: 2026-03-04 to 2026-03-04" in str(told.value)
    shadow = ran(runner, shadow=True)
    assert same_bytes(records(runner, shadow)) == same_bytes(records(runner, live))
    found = compare_shadow(runner.store, "desk")
    assert found.days["n_moved"].to_list() == [0]
    assert found.alone == (date(2026, 3, 4),)
    assert "no live run beside the shadow on 2026-03-04" in found.text()
    assert "causes: nothing moved" in found.text()


def test_a_trial_runs_from_the_command_line_to_the_end(tmp_path: Path) -> None:
    document = 'id = "desk"\nown = ["Nordlys"]\n[sources]\ntiers = {{ "alpha.example" = "A" }}\n{}'
    (tmp_path / "live.toml").write_text(document.format(""))
    (tmp_path / "trial.toml").write_text(document.format('[thresholds]\nown_name_floor = "off"\n'))
    at = f"{MONDAY}T09:00:00Z"
    (tmp_path / "mail.csv").write_text(
        f"url,title,published_at,collected_at\nhttps://alpha.example/1,Nordlys opens a bakery,{at},{at}\n"
    )
    store = ["--store", str(tmp_path / "desk.duckdb")]
    day = ["--date", MONDAY, "--input", str(tmp_path / "mail.csv"), *store]
    for profile, shadow in (("live.toml", []), ("trial.toml", ["--shadow"])):
        done = CliRunner().invoke(main, ["run", "daily", "--profile", str(tmp_path / profile), *shadow, *day])
        assert done.exit_code == 0, done.output
    chosen = ["--shadow", "--first", MONDAY, "--last", MONDAY, "--profile", "desk", *store]
    told = json.loads(CliRunner().invoke(command, [*chosen, "--json"]).stdout)
    assert [day["n_moved"] for day in told["days"]] == [1]
    assert [(story["decision_from"], story["cause"]) for story in told["stories"]] == [
        ("optional", "profile_changed")
    ]
    shown = CliRunner().invoke(command, chosen, env={"COLUMNS": "120"}).stdout
    for words in ("live -> shadow", "optional -> drop", "the profile changed", "shadow a day"):
        assert words in shown


def test_a_shadow_knows_what_its_own_sources_brought_in_before_and_can_be_replayed(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    first = row("gamma.example", "Nordlys recall of oat drink ordered by regulator")
    ran(runner, MAIL[3:])
    shadowed(runner, (*MAIL[3:], first))
    second = row("beta.example", "Regulator orders recall of Nordlys oat drink", on=TUESDAY)
    live = ran(runner, (second,), on=TUESDAY)
    shadow = shadowed(runner, (second,), on=TUESDAY)
    told = {run.run_id: runner.store.stories(run.run_id)["n_items"].to_list() for run in (live, shadow)}
    assert told == {live.run_id: [1], shadow.run_id: [2]}
    assert bk.replay(shadow.run_id, runner.store).ok
