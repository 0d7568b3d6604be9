"""Two runs of a real store side by side: through the library and through the command."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

import brandkit as bk
from brandkit.cli.comparing import compare as command
from brandkit.record.compare import Comparison, compare, run_before
from tests.flow.newsdesk import (
    MAIL,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    desk,
    end_of,
    ran,
    row,
    sample,
    technology,
)
from tests.store_frames import ON, publish
from tests.store_frames import records as stored

OAT = "Nordlys recall of oat drink widened as prices rise"
# The recall goes on at a stranger's; a rival's story is taken up; the rest is not seen again.
NEXT_DAY = (
    row("stranger.example", OAT, on=TUESDAY),
    row("alpha.example", "Velmora names new head of its Oslo bakery after all", on=TUESDAY, clock="07:00:00"),
    row("hobby.example", "Ten quiet walks along the canals of Ghent", on=TUESDAY),
)


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> bk.Runner:
    runner = bk.Runner(tmp_path_factory.mktemp("desk") / "desk.duckdb")
    ran(runner)
    ran(runner, NEXT_DAY, on=TUESDAY)
    return runner


def of(day: str, attempt: int = 1) -> str:
    return f"desk.daily.{day}.{attempt}"


@pytest.fixture
def found(two_days: bk.Runner) -> Comparison:
    return compare(of(MONDAY), of(TUESDAY), two_days.store)


def called(store: bk.StateStore, *arguments: str) -> Result:
    given = [*arguments, "--store", str(store.path)]
    return CliRunner().invoke(
        command, given, env={"COLUMNS": "120", "BRANDKIT_PROFILE": ""}, prog_name="brandkit"
    )


def answer(store: bk.StateStore, *arguments: str) -> dict[str, Any]:
    result = called(store, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_a_story_that_went_on_is_one_row_with_its_cause_and_its_items_are_two(found: Comparison) -> None:
    moved = found.moved.filter(pl.col("title") == OAT)
    assert moved.select("decision_from", "decision_to", "cause", "n_new", "n_out").row(0) == (
        "must_cover", "watch", "new_item", 1, 0
    )  # fmt: skip
    by = sum(part["to"] - part["from"] for part in moved["parts"].item())
    assert by == moved["total_to"].item() - moved["total_from"].item()
    assert found.items.filter(pl.col("title") == OAT)["cause"].item() == "new_item"


def test_every_record_of_either_run_is_accounted_for(two_days: bk.Runner, found: Comparison) -> None:
    then, now = (two_days.store.records(of(day)) for day in (MONDAY, TUESDAY))
    assert found.items["item_id"].sort().to_list() == pl.concat([then, now])["item_id"].sort().to_list()
    stories = (two_days.store.stories(of(day)).height for day in (MONDAY, TUESDAY))
    came, went = (found.stories[side].null_count() for side in ("decision_from", "decision_to"))
    assert (found.n_continued + went, found.n_continued + came) == tuple(stories)


def test_a_run_compared_with_itself_moves_nothing(two_days: bk.Runner) -> None:
    same = compare(of(MONDAY), of(MONDAY), two_days.store)
    assert same.stories.is_empty()
    assert same.items.is_empty()


def test_the_command_shows_what_the_library_found(two_days: bk.Runner, found: Comparison) -> None:
    for arguments in ((), (of(TUESDAY),), (of(MONDAY), of(TUESDAY)), ("--profile", "desk")):
        told = answer(two_days.store, *arguments)
        assert (told["run_a"], told["run_b"]) == (of(MONDAY), of(TUESDAY))
        assert told["n_moved"] == found.moved.height
        assert [story["story_id"] for story in told["stories"]] == found.notable["story_id"].to_list()
    everything = answer(two_days.store, "--all")
    assert len(everything["stories"]) == found.stories.height > found.notable.height
    shown = called(two_days.store).stdout
    assert "must cover -> watch" in shown
    assert "a new item" in shown
    assert len(shown.splitlines()) < 45
    assert "Harvest festival" in called(two_days.store, "--all").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((of(MONDAY, 7), of(TUESDAY)), "unknown run 'desk.daily.2026-03-02.7'"),
        ((of(MONDAY),), "no run before desk.daily.2026-03-02.1 to compare it with"),
        (("--profile", "nobody"), "no complete run of profile 'nobody'"),
        (("--first", MONDAY), "--first and --last go with --shadow"),
        ((of(MONDAY), "--shadow"), "--shadow compares days, not runs"),
        (("--shadow",), "no complete shadow daily run of profile 'desk'"),
    ],
)
def test_what_cannot_be_compared_is_one_message(
    two_days: bk.Runner, arguments: tuple[str, ...], message: str
) -> None:
    result = called(two_days.store, *arguments)
    assert result.exit_code == 2
    assert f"error: {message}" in result.stderr
    assert "Traceback" not in result.output


def test_an_empty_store_and_a_failed_run_have_nothing_to_compare(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    assert "no complete run" in called(runner.store).stderr
    assert not runner.store.path.exists()
    failed = runner.run(bk.Task(date=MONDAY, profile=desk(), inputs=[tmp_path / "gone.csv"]))
    assert "it published nothing" in called(runner.store, failed.run_id, failed.run_id).stderr


def test_two_attempts_at_one_day_tell_the_profile_from_the_late_file_and_the_word_of_an_editor(
    tmp_path: Path,
) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    first = ran(runner)
    tried = ran(runner, profile=desk(thresholds={"must_cover": 99}, triggers=["outage"]))
    found = compare(first.run_id, tried.run_id, runner.store)
    assert found.moved.select("decision_from", "decision_to", "cause").rows() == [
        ("must_cover", "optional", "profile_changed")
    ]
    assert found.items.filter(pl.col("cause") != "profile_changed").is_empty()
    late = row("wire.example", "Velmora and Nordlys both lose ferry contract", clock="16:00:00")
    again = ran(runner, (*MAIL, late))
    fresh = compare(first.run_id, again.run_id, runner.store)
    assert fresh.stories.select("title", "decision_from", "cause").rows() == [
        (late["title"], None, "new_item")
    ]
    story = fresh.stories["story_id"].item()
    runner.store.add_verdict(
        "desk", story_id=story, decision="drop", reason="old news", given_at=end_of(TUESDAY)
    )
    ran(
        runner,
        (row("beta.example", "Both Velmora and Nordlys lose ferry contract", on=WEDNESDAY),),
        on=WEDNESDAY,
    )
    ruled = compare(again.run_id, of(WEDNESDAY), runner.store)
    assert ruled.verdicts.select("story_id", "effective_to", "reason").rows() == [(story, "drop", "old news")]


def test_the_run_before_is_of_an_earlier_day_and_an_adhoc_run_follows_the_one_before(tmp_path: Path) -> None:
    store = bk.StateStore(tmp_path / "desk.duckdb")
    made = [
        publish(store, stored((1, "s1")), **given)
        for given in (
            {}, {"shadow": True}, {"kind": "adhoc"}, {"kind": "adhoc"}, {"run_on": ON + timedelta(days=2)}
        )
    ]  # fmt: skip
    monday, shadow, early, noon, wednesday = made
    before = {run.run_id: run_before(store, run) for run in made}
    assert before == {
        monday.run_id: None, shadow.run_id: monday.run_id, early.run_id: None, noon.run_id: early.run_id,
        wednesday.run_id: monday.run_id,
    }  # fmt: skip


def test_on_the_sample_the_causes_partition_what_moved(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "sample.duckdb")
    days = [ran(runner, sample(on, 200), on=on, profile=technology()).run_id for on in (MONDAY, TUESDAY)]
    found = compare(*days, runner.store)
    assert found.stories["cause"].null_count() == 0
    assert "code_changed" not in {*found.stories["cause"], *found.items["cause"]}
    assert "profile_changed" not in {*found.stories["cause"], *found.items["cause"]}
    assert found.by_cause()["n_items"].sum() == found.items.height
    moved_by = found.moved["parts"].list.eval(
        pl.element().struct.field("to").cast(pl.Int64) - pl.element().struct.field("from")
    )
    totals = found.moved["total_to"].cast(pl.Int64) - found.moved["total_from"].cast(pl.Int64)
    assert moved_by.list.sum().to_list() == totals.to_list()
