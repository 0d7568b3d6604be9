"""People in the store: known by pseudonyms, forgotten when they ask, and forgotten with age."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

import brandkit as bk
from brandkit.cli.privacy import erase as erase_command
from brandkit.cli.privacy import prune as prune_command
from brandkit.errors import UnknownError, UsageError
from brandkit.schemas import frame_hash
from tests.flow.newsdesk import MONDAY, TUESDAY, desk, instant, row

AT = datetime(2026, 3, 10, tzinfo=UTC)


def post(account: str, text: str, *, on: str = MONDAY, number: int = 1) -> dict[str, object]:
    when = instant(on, "09:00:00")
    return {
        "native_id": f"{account}-{number}",
        "source": "forum",
        "item_type": "post",
        "account": account,
        "title": text,
        "url": f"https://forum.example/t/{number}",
        "published_at": when,
        "collected_at": when,
        "reactions": 7,
    }


MAIL = [
    post("ada_lovelace", "Nordlys raised the price of oat drink"),
    post("bob", "Harvest festival draws a record crowd", number=2),
    # No identity: refused, and kept as it came.
    {**post("ada_lovelace", "Nothing to find me by", number=3), "native_id": None, "url": None},
    row("alpha.example", "Nordlys opens a plant in Oslo", author="By Jane Doe and Al Roe"),
    row("beta.example", "Ferry strike leaves islanders waiting", author="Al Roe"),
]


@pytest.fixture
def runner(tmp_path: Path) -> bk.Runner:
    return bk.Runner(tmp_path / "desk.duckdb")


def ran(runner: bk.Runner, rows: list[dict[str, object]], on: str = MONDAY) -> str:
    inputs = pl.DataFrame(rows, infer_schema_length=None)
    result = runner.run(bk.Task(date=on, profile=desk(), inputs=[inputs]))
    assert result.ok, result.error
    return result.run_id


def at_rest(runner: bk.Runner) -> bytes:
    """Every byte that lies beside the store, but its key."""
    folder = runner.store.path.parent
    return b"".join(path.read_bytes() for path in sorted(folder.glob("desk.duckdb*")) if path.is_file())


def test_no_account_lies_in_the_file_by_name_or_by_a_guess(runner: bk.Runner) -> None:
    run_id = ran(runner, MAIL)
    accounts = runner.store.records(run_id)["account"].drop_nulls().to_list()
    assert len(accounts) == 2
    for account in accounts:
        assert account.encode() not in at_rest(runner)
    assert b"ada_lovelace" not in at_rest(runner)
    assert "[account]" in runner.store.rejects(run_id)["raw"].item()


def test_an_erased_account_is_gone_everywhere_and_every_sum_stays(runner: bk.Runner) -> None:
    run_id = ran(runner, MAIL)
    before = runner.store.records(run_id)
    found = runner.store.erase(account="Forum:@Ada_Lovelace", erased_at=AT, erased_by="desk")
    assert (found.n_items, found.n_records, found.runs) == (1, 1, (run_id,))
    after = runner.store.records(run_id)
    judged = ["item_id", "parts", "total", "decision", "rank", "is_lead"]
    assert after.select(judged).equals(before.select(judged))
    assert bk.verify(run_id, runner.store).require()
    assert before.filter(pl.col("account").is_not_null()).height == 2
    assert sorted(after["account"].drop_nulls().to_list())[0] == "[erased]"
    assert "oat drink" not in after["title"].str.join(" ").item()
    assert "oat drink" not in runner.store.stories(run_id)["title"].str.join(" ").item()
    assert b"oat drink" not in at_rest(runner)


def test_what_an_erased_account_posts_again_is_refused_without_its_words(runner: bk.Runner) -> None:
    ran(runner, MAIL)
    runner.store.erase(account="forum:ada_lovelace", erased_at=AT, erased_by="desk")
    run_id = ran(runner, [MAIL[0], post("bob", "The price of bread", on=TUESDAY, number=9)], on=TUESDAY)
    assert runner.store.rejects(run_id).select("reasons", "raw").rows() == [(["erased"], "[erased]")]
    assert runner.store.records(run_id)["title"].to_list() == ["The price of bread"]


def test_an_erased_author_is_taken_out_of_every_byline_and_others_stay(runner: bk.Runner) -> None:
    run_id = ran(runner, MAIL)
    runner.store.erase(author="jane doe", erased_at=AT, erased_by="desk", reason="asked")
    records = runner.store.records(run_id)
    assert sorted(records["author"].drop_nulls().to_list()) == ["Al Roe", "[erased]"]
    assert bk.verify(run_id, runner.store).require()
    assert b"Jane Doe" not in at_rest(runner)
    again = row("alpha.example", "Nordlys closes a plant in Oslo", on=TUESDAY, author="Jane Doe")
    later = runner.store.records(ran(runner, [dict(again)], on=TUESDAY))
    assert later["author"].to_list() == ["[erased]"]


def test_who_was_erased_is_listed_without_a_name(runner: bk.Runner) -> None:
    ran(runner, MAIL)
    runner.store.erase(author="Jane Doe", erased_at=AT, erased_by="desk", reason="asked by letter")
    listed = runner.store.erasures()
    assert listed.select("kind", "erased_at", "erased_by", "reason", "n_items").rows() == [
        ("author", AT, "desk", "asked by letter", 1)
    ]
    assert "jane" not in str(listed.rows()).lower()


@pytest.mark.parametrize(
    ("asked", "kind", "said"),
    [
        ({}, UsageError, "one account or one author"),
        ({"account": "forum:ada", "author": "Ada"}, UsageError, "one account or one author"),
        ({"account": "ada"}, UsageError, "names no account"),
        ({"account": "forum:nobody"}, UnknownError, "nothing of account 'forum:nobody'"),
        ({"author": "Nobody"}, UnknownError, "nothing of author 'Nobody'"),
        ({"author": "Jane Doe and Al Roe"}, UsageError, "is not one name"),
    ],
)
def test_erasing_says_what_it_cannot_do(
    asked: dict[str, str], kind: type[Exception], said: str, runner: bk.Runner
) -> None:
    run_id = ran(runner, MAIL)
    before = frame_hash(runner.store.records(run_id))
    with pytest.raises(kind, match=said):
        runner.store.erase(**asked, erased_at=AT, erased_by="desk")
    assert frame_hash(runner.store.records(run_id)) == before


# Retention ---------------------------------------------------------------------------------------


STRANGERS = (
    "Ferry strike leaves islanders waiting",
    "Choir of pensioners wins national prize",
    "New bridge over the fjord closes for repairs",
    "Library extends its opening hours",
    "Snow delays the spring market",
    "Museum finds a forgotten painting",
)


def week(runner: bk.Runner) -> list[str]:
    """Runs of six days, one item a day, and one story that goes on from the first day to the last."""
    runs = []
    for number in range(6):
        on = (date(2026, 3, 1) + timedelta(days=number)).isoformat()
        told = row("alpha.example", STRANGERS[number], on=on)
        lasting = row(
            "beta.example", "Nordlys recall of oat drink widens", on=on, url="https://beta.example/r"
        )
        runs.append(ran(runner, [dict(told), dict(lasting)], on=on))
    return runs


def test_what_a_coming_run_looks_back_on_cannot_be_pruned(runner: bk.Runner) -> None:
    week(runner)
    with pytest.raises(UsageError, match="are still needed"):
        runner.store.prune(inputs_before=datetime(2026, 3, 4, tzinfo=UTC), pruned_at=AT)
    with pytest.raises(UsageError, match="are still needed"):
        runner.store.prune(runs_before=date(2026, 3, 4), pruned_at=AT)


def test_pruned_inputs_are_gone_and_the_next_run_decides_as_if_they_were_not(
    runner: bk.Runner, tmp_path: Path
) -> None:
    runs = week(runner)
    other = bk.Runner(tmp_path / "other.duckdb")
    week(other)
    found = runner.store.prune(inputs_before=datetime(2026, 3, 3, tzinfo=UTC), pruned_at=AT)
    # The items of the first two days went; the story that goes on kept its own.
    assert found.rows["items"] == 2
    assert set(found.inputs_gone) >= set(runs[:2])
    assert runner.store.run(runs[0]).inputs_gone == (
        "pruned on 2026-03-10: sightings before 2026-03-03 00:00 UTC"
    )
    assert runner.store.records(runs[0]).height == 2
    tomorrow = [dict(row("gamma.example", "Nordlys recall of oat drink ends", on="2026-03-07"))]
    same = [frame_hash(r.store.records(ran(r, tomorrow, on="2026-03-07"))) for r in (runner, other)]
    assert same[0] == same[1]


def test_a_trial_says_what_would_go_and_takes_nothing(runner: bk.Runner) -> None:
    week(runner)
    before = runner.store.info().n_rows
    found = runner.store.prune(inputs_before=datetime(2026, 3, 3, tzinfo=UTC), pruned_at=AT, is_trial=True)
    assert found.n_rows > 0
    assert runner.store.info().n_rows == before


def test_of_a_pruned_run_a_line_stays(runner: bk.Runner) -> None:
    runs = week(runner)
    late = "2026-04-05"
    ran(runner, [dict(row("alpha.example", "A month later", on=late))], on=late)
    found = runner.store.prune(runs_before=date(2026, 3, 3), pruned_at=AT)
    assert found.runs == tuple(runs[:2])
    assert runner.store.run(runs[0]).status == "pruned"
    with pytest.raises(UnknownError, match="is pruned"):
        runner.store.records(runs[0])
    assert runner.store.records(runs[2]).height == 2


# The commands ------------------------------------------------------------------------------------


def test_the_commands_ask_first_and_answer_a_machine(runner: bk.Runner) -> None:
    ran(runner, MAIL)
    store = ["--store", str(runner.store.path)]
    refused = CliRunner().invoke(erase_command, ["--author", "Jane Doe", *store])
    assert (refused.exit_code, "--yes does it" in refused.output) == (2, True), refused.output
    done = CliRunner().invoke(erase_command, ["--author", "Jane Doe", "--yes", "--json", *store])
    assert json.loads(done.stdout)["n_items"] == 1
    dry = CliRunner().invoke(prune_command, ["--runs-older-than", "40000", "--dry-run", *store])
    assert (dry.exit_code, dry.stdout.strip()) == (0, "nothing is that old")
    ageless = CliRunner().invoke(prune_command, ["--yes", *store])
    assert (ageless.exit_code, "prune needs an age" in ageless.output) == (2, True), ageless.output
