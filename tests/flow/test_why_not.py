"""``brandkit why-not`` end to end: a run in a store, asked from the command line and from Python."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import brandkit as bk
from brandkit.cli.why_not import why_not
from brandkit.store.state import StateStore
from tests.flow.newsdesk import MONDAY, desk, ran, row

RUN = f"desk.daily.{MONDAY}.1"
MAIL = (
    row("beta.example", "Nordlys warns of price shock", clock="23:00:00"),
    row("alpha.example", "Nordlys orders recall as prices rise", clock="22:00:00"),
    row("stranger.example", "Harvest festival draws record crowd to river town", clock="10:00:00"),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> StateStore:
    runner = bk.Runner(tmp_path_factory.mktemp("why_not") / "desk.duckdb")
    ran(runner, MAIL)
    return runner.store


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")


def item(store: StateStore, number: int) -> str:
    records = store.records(RUN, columns=["item_id", "title"])
    return str(records.filter(title=MAIL[number]["title"])["item_id"].item())


def asked(store: StateStore, *arguments: str) -> Result:
    return CliRunner().invoke(why_not, [*arguments, "--store", str(store.path)])


def test_the_cheapest_changes_are_listed_under_the_gates_that_bind(store: StateStore) -> None:
    shown = asked(store, item(store, 0)[:8], "--target", "optional")
    assert shown.exit_code == 0, shown.output
    lines = [line.strip() for line in shown.stdout.splitlines()]
    assert lines[0] == "Nordlys warns of price shock"
    assert "what it lacks" in lines
    assert any(line.startswith("confidence") and "fails by 2" in line for line in lines)
    assert "any of these alone would make it optional, cheapest first" in lines
    assert any(line.startswith("1. an independent A publisher: confidence 4 -> 6") for line in lines)


def test_the_same_answer_is_one_object_for_a_machine(store: StateStore) -> None:
    data = json.loads(asked(store, item(store, 0), "--target", "optional", "--json").stdout)
    assert (data["run_id"], data["decision"], data["course"]) == (RUN, "watch", "rise")
    first = data["flips"][0]
    assert first["changes"] == [{"lever": "publisher_a", "phrase": "an independent A publisher"}]
    assert (first["confidence_from"], first["confidence_to"], first["decision"]) == (4, 6, "optional")
    assert data["gates"][0] == {
        "gate": "confidence", "margin": -2, "passes": False, "is_one_of": False,
        "meaning": "confidence of 6 or more, to be promoted",
    }  # fmt: skip
    answer = bk.why_not(bk.kept(item(store, 0), store), "optional")
    assert [flip["effect"] for flip in data["flips"]] == [flip.effect for flip in answer.flips]


def test_what_holds_it_up_is_asked_with_holds(store: StateStore) -> None:
    shown = asked(store, item(store, 1), "--holds")
    assert "what holds it up" in shown.stdout
    assert "would bring it down to optional" in shown.stdout
    assert shown.stdout.count("\n  6. ") == 0
    data = json.loads(asked(store, item(store, 1), "--holds", "--json").stdout)
    assert (data["course"], data["target"]) == ("fall", "optional")


def test_all_lists_every_change_that_would_do_it(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    ran(runner, MAIL, profile=desk(thresholds={"watch": 20, "optional": 40, "must_cover": 56}))
    few, every = (asked(runner.store, item(runner.store, 0), *more).stdout for more in ([], ["--all"]))
    n = len(json.loads(asked(runner.store, item(runner.store, 0), "--json").stdout)["flips"])
    assert n > 5
    assert "no single change; any of these pairs would make it must cover, cheapest first" in few
    assert f"and {n - 5:,} more: --all" in few
    assert f"  {n}. " in every


def test_where_there_is_nothing_to_say_that_is_said(store: StateStore) -> None:
    assert "It is a drop: nothing is below it." in asked(store, item(store, 2), "--holds").stdout
    assert "It is must cover already." in asked(store, item(store, 1)).stdout


def test_where_nothing_does_it_the_nearest_is_said(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    off = dict.fromkeys(bk.BrandProfile.from_dict({"id": "x", "own": ["x"]}).levers.model_dump(), [])
    ran(runner, MAIL, profile=desk(levers={**off, "outlets": [20]}))
    shown = asked(runner.store, item(runner.store, 2))
    assert "no change of one or two levers on the profile's grids would make it must cover" in shown.stdout
    assert "nearest: 20 more outlets: total" in shown.stdout
    data = json.loads(asked(runner.store, item(runner.store, 2), "--json").stdout)
    assert data["flips"] == []
    assert data["nearest"]["changes"] == [{"lever": "outlets", "phrase": "20 more outlets"}]
    assert "must_cover" in data["nearest"]["binding"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["zzzz"], "no item or story 'zzzz'"),
        (["zzzz", "--run", "nope"], "unknown run 'nope'"),
        (["{item}", "--target", "mustcover"], "did you mean 'must_cover'?"),
        (["{item}", "--holds", "--target", "watch"], "--holds asks for no --target"),
        (["{item}", "--profile", "other"], "no complete run of profile 'other'"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(
    store: StateStore, arguments: list[str], told: str
) -> None:
    refused = asked(store, *(one.format(item=item(store, 0)) for one in arguments))
    assert refused.exit_code == 2
    assert told in refused.stderr


def test_an_empty_store_says_how_to_fill_it(tmp_path: Path) -> None:
    refused = asked(StateStore(tmp_path / "none.duckdb"), "abc")
    assert refused.exit_code == 2
    assert "brandkit run daily makes one" in refused.stderr
