"""``brandkit verdict``, ``state`` and ``story``, as they are typed."""

from __future__ import annotations

import getpass
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from brandkit.cli.desk import state, verdict
from brandkit.cli.stories import story
from brandkit.report.brief import Brief
from brandkit.report.desk_word import commands
from brandkit.store.state import StateStore
from tests.unit.desk.words import RUN, Monday, monday

EVENING = ("--at", "2026-03-03T00:00+00:00")
WHY = ("--reason", "seen before")
COMMANDS = {"verdict": verdict, "state": state, "story": story}
Desk = tuple[StateStore, Monday]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("BRANDKIT_PROFILE", raising=False)
    return monday(tmp_path)


def typed(desk: Desk, *line: str, code: int = 0) -> Result:
    command, *rest = line
    store = ("--store", str(desk[0].path))
    result = CliRunner().invoke(COMMANDS[command], [*rest, *store], prog_name=f"brandkit {command}")
    assert result.exit_code == code, result.output
    return result


def answer(desk: Desk, *line: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(typed(desk, *line, "--json", code=code).stdout)
    return found


def test_a_verdict_is_given_listed_and_withdrawn(desk: Desk) -> None:
    item = desk[1].items["recall"]
    told = typed(
        desk, "verdict", item[:10], "drop", *WHY, *EVENING, "--until", "2026-03-09", "--actor", "Ann"
    )
    assert "verdict-0000001: drop, by Ann, until 2026-03-10 00:00 UTC" in told.stdout
    assert "The score alone says must cover." in told.stdout
    listed = typed(desk, "verdict", *EVENING).stdout
    assert "standing" in listed
    assert "Nordlys orders recall" in listed
    found = answer(desk, "verdict", item, *EVENING)
    assert found["counts"] == {"standing": 1, "unseen": 0, "superseded": 0, "expired": 0, "withdrawn": 0}
    (row,) = found["verdicts"]
    assert (row["given_by"], row["expires_at"]) == ("Ann", "2026-03-10T00:00:00+00:00")
    typed(desk, "verdict", "verdict-0000001", "--withdraw", *WHY, *EVENING)
    after = typed(desk, "verdict", *EVENING).stdout
    assert "no verdicts of profile 'desk'" in after
    assert "not shown: 1 withdrawn (--all)" in after
    assert answer(desk, "verdict", "--all")["verdicts"][0]["withdrawn_for"] == "seen before"


def test_the_command_on_the_card_works_as_it_stands_there(desk: Desk) -> None:
    give, put, _ = commands(Brief.read(desk[0], RUN), desk[1].items["recall"])
    for line in (give, put):
        typed(desk, *shlex.split(line)[1:])
    assert desk[0].verdicts("desk").select("decision", "reason", "given_by").rows() == [
        ("drop", "say why", getpass.getuser())
    ]
    assert desk[0].story_states("desk")["desk_state"].to_list() == ["handled"]


def test_what_expired_is_listed_as_stale(desk: Desk) -> None:
    item = desk[1].items["ferry"]
    typed(desk, "verdict", item, "optional", *WHY, *EVENING, "--until", "2026-03-04")
    assert answer(desk, "verdict")["verdicts"] == []
    assert [row["state"] for row in answer(desk, "verdict", "--stale")["verdicts"]] == ["expired"]


def test_a_story_is_assigned_snoozed_and_handled_and_the_list_says_so(desk: Desk) -> None:
    items = desk[1].items
    typed(desk, "state", items["recall"], "assigned", "--to", "Cy", "--note", "call them", *EVENING)
    told = typed(
        desk, "state", items["ferry"], "snoozed", "--to", "Bo", "--until", "2026-03-03T09:00Z", *EVENING
    )
    assert "snoozed until 2026-03-03 09:00 UTC, then with Bo" in told.stdout
    typed(desk, "state", items["velmora"], "handled", *EVENING)
    typed(desk, "state", items["velmora"], "open", *EVENING)
    listed = typed(desk, "state").stdout
    assert all(word in listed for word in ("assigned", "Cy", "call them", "snoozed", "Bo"))
    assert "handled" not in listed
    assert len(answer(desk, "state", "--all")["states"]) == 4
    assert [row["desk_state"] for row in answer(desk, "state", items["velmora"])["states"]] == [
        "open", "handled",
    ]  # fmt: skip


def test_stories_are_merged_split_and_the_rules_listed_and_undone(desk: Desk) -> None:
    items = desk[1].items
    told = typed(desk, "story", "merge", items["recall"], items["ferry"], *WHY, *EVENING, "--actor", "Ann")
    assert "rule-0000001: one story from the next run on, by Ann" in told.stdout
    typed(desk, "story", "split", items["gamma"], "--from", items["beta"], *WHY, *EVENING)
    assert "must link" in typed(desk, "story", "rules").stdout
    typed(desk, "story", "undo", "rule-0000001", *WHY, *EVENING)
    found = answer(desk, "story", "rules")["rules"]
    assert [(row["rule_id"], row["rule"]) for row in found] == [("rule-0000002", "cannot_link")]
    assert len(answer(desk, "story", "rules", "--all")["rules"]) == 3


def test_a_merge_says_which_split_it_undid(desk: Desk) -> None:
    store, known = desk
    pair = {"item_a": known.items["gamma"], "item_b": known.items["ferry"]}
    made_at = store.run(RUN).as_of
    store.add_story_rule("desk", rule="cannot_link", made_at=made_at, **pair)
    told = typed(desk, "story", "merge", known.items["recall"], known.items["ferry"], *WHY, *EVENING)
    assert "against it stood rule-0000001: undone" in told.stdout


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (("verdict", "recall", "drop"), "no reason given"),
        (("verdict", "recall", *WHY), "a verdict without a decision"),
        (("verdict", "recall", "drop", "--stale", *WHY), "one at a time"),
        (("verdict", "recall", "drop", "--withdraw", *WHY), "one at a time"),
        (("verdict", "--withdraw", *WHY), "one at a time"),
        (("verdict", "recall", "drop", *WHY, "--at", "2026-03-03T00:00"), "at has no time zone"),
        (("verdict", "recall", "drop", *WHY, "--at", "now"), "not an instant: 'now'"),
        (("verdict", "recall", "drop", *WHY, "--profile", "other"), "no complete run of profile 'other'"),
        (("state", "recall", "--to", "Ann"), "no state given"),
        (("state", "recall", "handled", "--all"), "one at a time"),
        (("story", "undo", "rule-7", *WHY), "unknown story rule 'rule-7'"),
        (("story", "merge", "recall", "ferry"), "no reason given"),
    ],
)
def test_what_cannot_be_is_told_in_one_message_and_nothing_is_kept(
    desk: Desk, line: tuple[str, ...], told: str
) -> None:
    words = [desk[1].items.get(word, word) for word in line]
    assert told in typed(desk, *words, code=2).stderr
    counts = desk[0].info().n_rows
    assert (counts["verdicts"], counts["story_rules"], counts["story_states"]) == (0, 0, 0)


@pytest.mark.parametrize("line", [("verdict",), ("state",), ("story", "rules")])
def test_a_store_with_nothing_in_it_says_what_to_do(tmp_path: Path, line: tuple[str, ...]) -> None:
    empty = (StateStore(tmp_path / "empty.duckdb"), Monday({}, {}))
    assert "brandkit run daily makes one" in typed(empty, *line, code=2).stderr
    assert not empty[0].path.exists()


def test_whoever_the_machine_does_not_know_must_say_who_they_are(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise OSError

    monkeypatch.setattr(getpass, "getuser", nobody)
    refused = typed(desk, "verdict", desk[1].items["recall"], "drop", *WHY, code=2)
    assert "say so: --actor NAME" in refused.stderr
    typed(desk, "verdict", desk[1].items["recall"], "drop", *WHY, "--actor", "Ann")


def test_what_an_editor_wrote_cannot_move_the_cursor(desk: Desk) -> None:
    item = desk[1].items["recall"]
    typed(desk, "verdict", item, "drop", "--reason", "a\x1b[2Jb", "--actor", "\x07Ann", *EVENING)
    shown = typed(desk, "verdict", *EVENING).stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "a[2Jb" in shown
