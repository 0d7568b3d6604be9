"""What is still growing: told of a run, by what the run knew, with ranges learned from finished items."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

import brandkit as bk
from brandkit.cli import main
from brandkit.errors import UnknownError
from brandkit.record.outlook import Outlook, outlook
from brandkit.signals.forecast import LEAST_FINISHED
from tests.flow.newsdesk import MONDAY, WEDNESDAY, ran, row


def sighted(n: int, on: str, *clocks_and_reactions: tuple[str, int], source: str = "board") -> list[Any]:
    """One article of 08:00, with what was counted of it at each time."""
    told = row(f"host{n}.example", f"Boats of kind {n * 7} {on}", on=on, source=source)
    return [
        {**told, "collected_at": f"{on}T{clock}Z", "reactions": n_seen}
        for clock, n_seen in clocks_and_reactions
    ]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> tuple[bk.Runner, str]:
    """A Monday of articles that came to three times what they had after an hour, and a Wednesday."""
    runner = bk.Runner(tmp_path_factory.mktemp("outlook") / "desk.duckdb")
    monday = [
        each
        for n in range(LEAST_FINISHED)
        for each in sighted(n, MONDAY, ("08:30:00", 100), ("20:00:00", 303))
    ]
    ran(runner, tuple(monday))
    wednesday = (
        *sighted(50, WEDNESDAY, ("08:30:00", 40)),
        *sighted(51, WEDNESDAY, ("08:30:00", 400), source="elsewhere"),
        row("quiet.example", "Harbour lights", on=WEDNESDAY),
    )
    result = ran(runner, wednesday, on=WEDNESDAY, as_of=f"{WEDNESDAY}T09:00:00+00:00")
    return runner, result.run_id


def told(desk: tuple[bk.Runner, str], **more: Any) -> Outlook:
    return outlook(desk[0].store, "desk", **{"run": desk[1], **more})


def test_an_item_is_forecast_by_what_became_of_its_sources_own(desk: tuple[bk.Runner, str]) -> None:
    found = told(desk)
    (item,) = found.growing.to_dicts()
    # All of Monday's came to 3.01 times as much: (303 + 1) / (100 + 1).
    assert item["expected_peak"] == pytest.approx(41 * 304 / 101 - 1, abs=0.1)
    assert (item["n_finished"], item["is_own"], item["why"]) == (LEAST_FINISHED, True, "age")
    assert item["low"] == item["high"] == item["expected_peak"]
    assert (found.n_measured, found.n_untaught, found.n_unknown, found.sources) == (2, 1, 0, ("board",))


def test_it_is_told_in_sentences_with_what_could_not_be_said(desk: tuple[bk.Runner, str]) -> None:
    text = told(desk).text()
    assert "40 at 0.5 h; likely 122 (122 to 122, by 30 items of its source)" in text
    assert "1 of sources without a range of their own" in text
    assert repr(told(desk)) == f"Outlook({desk[1]}: 1 of 2 likely to grow)"


def test_without_finished_items_nothing_is_said_of_articles(desk: tuple[bk.Runner, str]) -> None:
    found = told(desk, days=1)
    assert (found.items.height, found.n_untaught, found.n_runs) == (0, 2, 0)
    assert found.text().startswith("Nothing in sight is likely to grow.")


def test_what_came_after_a_run_changes_nothing_it_said(desk: tuple[bk.Runner, str]) -> None:
    runner, run_id = desk
    before = outlook(runner.store, "desk", run=run_id).items
    ran(runner, tuple(sighted(50, WEDNESDAY, ("22:00:00", 9000))), on=WEDNESDAY)
    assert outlook(runner.store, "desk", run=run_id).items.equals(before)


def test_the_command_answers_a_person_and_a_machine(desk: tuple[bk.Runner, str]) -> None:
    runner, run_id = desk
    asked = ["forecast", "--run", run_id, "--store", str(runner.store.path)]
    shown = CliRunner().invoke(main, asked)
    assert shown.exit_code == 0
    assert "122" in shown.output
    assert "Boats of kind 350" in shown.output
    data = json.loads(CliRunner().invoke(main, [*asked, "--json"]).output)
    assert [row["expected_peak"] for row in data["growing"]] == [pytest.approx(122.4, abs=0.1)]
    assert (data["run_id"], data["is_more"], data["n_untaught"]) == (run_id, False, 1)


def test_a_profile_without_a_run_is_told_so(desk: tuple[bk.Runner, str]) -> None:
    with pytest.raises(UnknownError, match="no complete daily run of profile 'other'"):
        outlook(desk[0].store, "other")
