"""``brandkit story why`` end to end: what joined two items of a run, from Python and the command line."""

from __future__ import annotations

import json

import polars as pl
import pytest
from click.testing import CliRunner, Result

import brandkit as bk
from brandkit.cli.stories import why
from brandkit.errors import UnknownError, UsageError
from brandkit.record.one_story import one_story
from brandkit.store.state import StateStore
from tests.flow.newsdesk import TUESDAY, ran, row


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> StateStore:
    runner = bk.Runner(tmp_path_factory.mktemp("one_story") / "desk.duckdb")
    ran(runner)
    later = "Nordlys recall of oat drink widened as prices rise"
    ran(runner, (row("delta.example", later, on=TUESDAY, clock="06:00:00"),), on=TUESDAY)
    return runner.store


def items(store: StateStore, word: str) -> list[str]:
    records = pl.concat(store.records(run, columns=["item_id", "title"]) for run in store.runs()["run_id"])
    return records.filter(pl.col("title").str.contains(word)).unique("item_id")["item_id"].sort().to_list()


def asked(store: StateStore, *arguments: str) -> Result:
    return CliRunner().invoke(why, [*arguments, "--store", str(store.path)])


def test_two_items_of_a_run_are_joined_by_the_words_that_decided(store: StateStore) -> None:
    a, b, *_ = items(store, "oat drink")
    found = one_story(a, b, store)
    assert found.steps["item_a"][0] == a
    assert found.steps["item_b"][-1] == b
    assert "drink" in {one["word"] for one in found.steps["shared"][0]}
    assert found.text().startswith(f"story {found.story_id} in run {found.run_id}: ")


def test_an_item_of_today_is_joined_to_one_of_yesterday(store: StateStore) -> None:
    today, yesterday = items(store, "widened")[0], items(store, "ordered as prices")[0]
    assert one_story(today, yesterday, store).steps.height >= 1
    shown = asked(store, today, yesterday)
    assert shown.exit_code == 0, shown.output
    assert "Nordlys recall of oat drink widened" in shown.stdout
    assert " nats: " in shown.stdout


def test_the_same_chain_is_one_object_for_a_machine(store: StateStore) -> None:
    a, b, *_ = items(store, "oat drink")
    data = json.loads(asked(store, a, b, "--json").stdout)
    assert data["story_id"] == one_story(a, b, store).story_id
    assert data["steps"][0]["shared"][0].keys() == {"word", "nats"}


def test_an_item_and_itself_need_no_chain(store: StateStore) -> None:
    a = items(store, "hornbeam")[0]
    assert one_story(a, a, store).text() == f"the same item, in story {one_story(a, a, store).story_id}"


def test_two_stories_are_said_to_be_two(store: StateStore) -> None:
    a, b = items(store, "oat drink")[0], items(store, "hornbeam")[0]
    with pytest.raises(UsageError, match="are not one story") as raised:
        one_story(a, b, store)
    assert "in run desk.daily." in str(raised.value)
    assert asked(store, a, b).exit_code == 2


def test_an_item_that_the_run_did_not_know_is_said(store: StateStore) -> None:
    first, today = store.runs()["run_id"].sort()[0], items(store, "widened")[0]
    with pytest.raises(UnknownError, match=f"no item '{today}'"):
        one_story(items(store, "oat drink")[0], today, store, run=first)
