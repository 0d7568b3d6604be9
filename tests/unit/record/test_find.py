from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from brandkit.cli.finding import find as find_command
from brandkit.errors import UnknownError, UsageError
from brandkit.record.find import find
from brandkit.store import StateStore
from tests.history_frames import told
from tests.store_frames import item_id

# What a terminal or a markup language would obey.
HOSTILE = "Oat drink \x1b[2J [bold]recalled[/bold]"
SHOWN = r"Oat drink \x1b[2J [bold]recalled[/bold]"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> StateStore:
    """Two days: an oat drink recalled, by two newsrooms, and a stranger."""
    store = StateStore(tmp_path_factory.mktemp("find") / "store.duckdb", cache=None)
    recall = {"id": 1, "title": HOSTILE, "decision": "must_cover"}
    told(store, recall, {"id": 2, "title": "Ferry strike"}, day=2)
    told(store, {"id": 3, "title": "Oat drink safe", "publisher": "beta", "decision": "block"}, day=3)
    return store


def ids(store: StateStore, *query: str, **options: Any) -> list[int]:
    return [int(text, 16) for text in find(store, *query, **options)["item_id"]]


def test_options_say_what_fields_of_the_query_say(store: StateStore) -> None:
    assert ids(store, "oat") == [3, 1]
    for query, options in [
        ("oat publisher:beta", {}),
        ("oat", {"publisher": "Beta"}),
        ("oat", {"decision": "block"}),
        ("oat", {"first": date(2026, 3, 3)}),
        ("", {"publisher": "beta"}),
        ("", {"first": date(2026, 3, 3), "last": date(2026, 3, 3)}),
        ("oat", {"limit": 1}),
    ]:
        assert ids(store, query, **options) == [3], (query, options)


def test_what_is_found_names_its_run_and_decision(store: StateStore) -> None:
    found = find(store, "safe", profile_id="desk")
    assert found.select("item_id", "story_id", "run_id", "run_on", "decision").rows() == [
        (item_id(3), "s_1", "desk.daily.2026-03-03.1", date(2026, 3, 3), "block")
    ]


@pytest.mark.parametrize(
    ("options", "told_"),
    [
        ({"decision": "must"}, "unknown decision 'must'"),
        ({"kind": "posts"}, "unknown kind 'posts'"),
        ({"limit": 0}, "a limit of 0 rows"),
        ({"first": date(2026, 3, 3), "last": date(2026, 3, 2)}, "the first day 2026-03-03 is after"),
    ],
)
def test_an_option_that_cannot_be_is_refused(store: StateStore, options: Any, told_: str) -> None:
    with pytest.raises((UsageError, UnknownError), match=told_):
        find(store, "oat", **options)


# The command


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")


def call(store: StateStore, *arguments: str) -> Result:
    return CliRunner().invoke(
        find_command, [*arguments, "--store", str(store.path)], prog_name="brandkit find"
    )


def test_the_command_shows_what_it_found_as_text_and_as_json(store: StateStore) -> None:
    result = call(store, "oat")
    assert result.exit_code == 0, result.output
    assert result.output.index("Oat drink safe") < result.output.index(SHOWN)
    assert "must cover" in result.output
    assert item_id(1)[:10] in result.output
    data = json.loads(call(store, "oat", "--json").output)
    assert [row["decision"] for row in data["found"]] == ["block", "must_cover"]
    assert data["is_more"] is False


def test_a_word_with_a_minus_is_left_out_and_no_option(store: StateStore) -> None:
    found = json.loads(call(store, "oat", "-safe", "--json").output)["found"]
    assert [row["item_id"] for row in found] == [item_id(1)]


def test_stories_are_found_with_the_words_of_their_items(store: StateStore) -> None:
    result = call(store, "ferry", "--stories")
    assert f"{SHOWN} · Ferry strike" in result.output


def test_that_there_is_more_is_said(store: StateStore) -> None:
    assert "the first 1; --limit shows more" in call(store, "oat", "--limit", "1").output
    assert "the first" not in call(store, "oat", "--limit", "2").output


def test_nothing_found_is_no_failure(store: StateStore, tmp_path: Path) -> None:
    for where in (store, StateStore(tmp_path / "none.duckdb")):
        result = call(where, "marmalade")
        assert (result.exit_code, result.output) == (0, f"nothing found in {where.path}\n")
    assert not (tmp_path / "none.duckdb").exists()


@pytest.mark.parametrize(
    ("arguments", "told_"),
    [
        ((), "nothing to look for"),
        (("oat", "--jsn"), "no such option: --jsn"),
        (("publsher:x",), "did you mean 'publisher'?"),
        (("oat", "--decision", "must"), "did you mean 'must_cover'?"),
        (("oat", "--first", "2026-03-03", "--last", "2026-03-02"), "is after the last"),
    ],
)
def test_what_cannot_be_asked_is_said(store: StateStore, arguments: tuple[str, ...], told_: str) -> None:
    result = call(store, *arguments)
    assert result.exit_code == 2
    assert told_ in result.stderr
