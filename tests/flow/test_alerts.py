"""A desk that is told between two briefs: raised by runs, sent until it arrives, and never twice."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from polars.testing import assert_frame_equal

from brandkit.cli.alerting import alerts as alerts_command
from brandkit.desk.alerts_kept import LISTED, list_alerts, send_alerts
from brandkit.desk.delivery import Command, Lines
from brandkit.desk.states import set_state
from brandkit.errors import DeliveryError, RunBusyError, UnknownError
from brandkit.runner import Runner
from tests.flow.newsdesk import MAIL, MONDAY, TUESDAY, WEDNESDAY, desk, end_of, ran, row, task
from tests.web import says, serving

MONDAYS = "desk.daily.2026-03-02.1"
RECALL = "Nordlys orders recall of oat drink as prices rise"
# The newsroom that led the story on Monday has thought again.
TAKEN_BACK = (row("alpha.example", "Nordlys oat drink was safe all along", on=TUESDAY, url=MAIL[0]["url"]),)
MORNING = datetime.fromisoformat(f"{TUESDAY}T08:00:00+00:00")


@pytest.fixture(scope="module")
def monday(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which Monday has been run."""
    path = tmp_path_factory.mktemp("monday") / "store.duckdb"
    ran(Runner(path))
    return path


@pytest.fixture
def runner(monday: Path, tmp_path: Path) -> Runner:
    """A runner whose desk has one story to tell, of Monday."""
    return copied(monday, tmp_path)


@pytest.fixture(scope="module")
def silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which a day was run that has nothing to tell."""
    path = tmp_path_factory.mktemp("silence") / "store.duckdb"
    ran(Runner(path), MAIL[4:])
    return path


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Monday, for a desk in Oslo that sleeps at night."""
    path = tmp_path_factory.mktemp("night") / "store.duckdb"
    sleeps = desk(timezone="Europe/Oslo", alerts={"quiet_from": "22:00", "quiet_to": "07:00"})
    ran(Runner(path), profile=sleeps)
    return path


def copied(store: Path, folder: Path) -> Runner:
    for path in store.parent.glob(f"{store.name}*"):
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
    return Runner(folder / store.name)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "alerts.jsonl"


def listed(runner: Runner, *columns: str, now: datetime = MORNING) -> list[tuple[Any, ...]]:
    found = list_alerts(runner.store, "desk", now=now)
    return found.select(pl.col(columns or ("rule", "state")).cast(pl.String)).rows()


def send(runner: Runner, *channels: Any, now: datetime = MORNING) -> list[str | None]:
    return send_alerts(runner.store, "desk", channels, now=now)["error"].to_list()


def heard(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


def test_what_a_run_promoted_is_sent_once(runner: Runner, out: Path) -> None:
    assert send(runner, Lines(out)) == [None]
    assert send(runner, Lines(out)) == []
    (told,) = heard(out)
    assert (told["rule"], told["title"], told["run_id"]) == ("must_cover", RECALL, MONDAYS)
    assert told["text"] == f"To be covered now: {RECALL}"
    assert told["why"] == ["was:unseen", "reason:always_cover", "total:54"]
    assert listed(runner) == [("must_cover", "delivered")]


def test_listing_says_the_same_before_and_writes_nothing(runner: Runner) -> None:
    assert listed(runner) == [("must_cover", "due")]
    assert runner.store.alerts("desk").is_empty()


def test_a_story_that_stays_promoted_is_no_news_and_its_new_headline_is(runner: Runner, out: Path) -> None:
    send(runner, Lines(out))
    ran(runner, TAKEN_BACK, on=TUESDAY)
    assert send(runner, Lines(out)) == [None]
    told = heard(out)[1]
    assert (told["rule"], told["title"], told["previous_title"]) == (
        "headline", "Nordlys oat drink was safe all along", RECALL,
    )  # fmt: skip


def test_a_sending_that_was_missed_is_made_up_for(runner: Runner, out: Path) -> None:
    ran(runner, MAIL[4:], on=TUESDAY)
    assert listed(runner, "run_id", "rule", "state") == [(MONDAYS, "must_cover", "due")]
    assert send(runner, Lines(out)) == [None]


def test_another_attempt_at_the_day_tells_nothing_twice(runner: Runner, out: Path) -> None:
    send(runner, Lines(out))
    runner.run(task(), force=True)
    assert send(runner, Lines(out)) == []
    assert listed(runner) == [("must_cover", "delivered")]


def test_what_the_next_attempt_takes_back_is_not_sent(runner: Runner, out: Path) -> None:
    right = desk(triggers=["strike"], thresholds={"own_name_floor": "off"})
    ran(runner, profile=right)
    assert listed(runner) == [("must_cover", "overtaken")]
    assert send(runner, Lines(out)) == []


def test_a_failed_delivery_is_kept_and_tried_again(runner: Runner, out: Path) -> None:
    broken = Command((sys.executable, "-c", "import sys; sys.exit('no bell here')"))
    (error,) = send(runner, broken)
    assert error is not None
    assert "no bell here" in error
    assert listed(runner, "state", "n_tries") == [("failed", "1")]
    assert runner.store.run(MONDAYS).status == "complete"
    assert send(runner, broken) == [error]
    assert send(runner, Lines(out)) == [None]
    assert listed(runner, "state", "n_tries", "error") == [("delivered", "3", None)]


@dataclass
class Bell:
    """A channel that somebody has to plug in."""

    plugged: bool = False
    name: str = "bell"

    def deliver(self, _: Mapping[str, Any]) -> None:
        if not self.plugged:
            raise DeliveryError("the bell is not plugged in")


def test_each_channel_has_each_alert_once_whatever_the_others_do(runner: Runner, out: Path) -> None:
    bell = Bell()
    assert [error is None for error in send(runner, Lines(out), bell)] == [True, False]
    assert listed(runner) == [("must_cover", "failed")]
    bell.plugged = True
    assert send(runner, Lines(out), bell) == [None]
    assert send(runner, Lines(out), bell) == []
    assert len(heard(out)) == 1
    assert listed(runner) == [("must_cover", "delivered")]


def test_what_waited_too_long_is_listed_and_not_sent(runner: Runner, out: Path) -> None:
    send(runner, Bell())
    ran(runner, MAIL[4:], on=WEDNESDAY)
    assert listed(runner) == [("must_cover", "stale")]
    assert send(runner, Lines(out)) == []


def test_quiet_hours_hold_back_what_is_no_escalation(night: Path, tmp_path: Path, out: Path) -> None:
    sleepy, late = copied(night, tmp_path), end_of(MONDAY)
    # Seven in Oslo is six in UTC.
    until = "2026-03-03 06:00:00.000000+00:00"
    assert listed(sleepy, "state", "held_until", now=late) == [("held", until)]
    assert send(sleepy, Lines(out), now=late) == []
    assert listed(sleepy, "state", "muted_by", "held_until", now=late) == [("held", "quiet_hours", until)]
    assert send(sleepy, Lines(out), now=late + timedelta(hours=7)) == [None]


def test_what_was_raised_by_day_is_not_sent_by_night_either(night: Path, tmp_path: Path, out: Path) -> None:
    sleepy, late = copied(night, tmp_path), MORNING.replace(hour=23)
    send(sleepy, Bell(), now=MORNING)
    assert listed(sleepy, "state", now=late) == [("held",)]
    assert send(sleepy, Lines(out), now=late) == []


def test_a_story_the_desk_has_put_aside_since_is_not_sent(runner: Runner, out: Path) -> None:
    ran_at = runner.store.run(MONDAYS).started_at
    after, end = ran_at + timedelta(minutes=1), ran_at + timedelta(hours=2)
    (story,) = list_alerts(runner.store, "desk", now=after)["story_id"]
    word = {"actor": "ann", "at": after, "store": runner.store}
    set_state(story, "snoozed", until=end, **word)
    assert listed(runner, "state", "muted_by", now=after) == [("held", "snoozed")]
    assert listed(runner, "state", "muted_by", now=end) == [("due", None)]
    set_state(story, "handled", **word)
    assert listed(runner, "state", "muted_by", now=end) == [("muted", "handled")]
    assert send(runner, Lines(out), now=end) == []
    set_state(story, "open", **word)
    assert send(runner, Lines(out), now=end) == [None]


def test_a_run_that_says_nothing_is_an_empty_list_with_every_column(silence: Path, out: Path) -> None:
    found = list_alerts(Runner(silence).store, "desk", now=MORNING)
    assert_frame_equal(found, pl.DataFrame(schema=dict(LISTED)))
    assert send(Runner(silence), Lines(out)) == []
    assert not out.exists()


def test_a_shadow_tells_nobody_anything(silence: Path, tmp_path: Path, out: Path) -> None:
    alone = Runner(tmp_path / "shadow.duckdb")
    ran(alone, shadow=True)
    with pytest.raises(UnknownError, match="no complete daily run of profile 'desk'"):
        send(alone, Lines(out))
    beside = copied(silence, tmp_path)
    ran(beside, shadow=True)
    assert listed(beside) == []


def test_two_at_once_do_not_send_the_same(runner: Runner, out: Path) -> None:
    with runner.store.run_lock("desk", "alerts", date.fromisoformat(MONDAY)), pytest.raises(RunBusyError):
        send(runner, Lines(out))
    assert heard(out) == []


# The commands


def call(runner: Runner, *arguments: str) -> Result:
    options = ["--store", str(runner.store.path), "--profile", "desk", "--at", MORNING.isoformat()]
    return CliRunner().invoke(alerts_command, [*arguments, *options], prog_name="brandkit alerts")


def test_the_list_is_what_the_group_does_by_itself(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    result = call(runner)
    assert result.output == call(runner, "list").output
    assert result.exit_code == 0
    assert "run desk.daily.2026-03-02.1" in result.output
    assert "due" in result.output
    assert RECALL in result.output
    assert json.loads(call(runner, "--json").output)["alerts"][0]["rule"] == "must_cover"


def test_nothing_to_tell_is_said(silence: Path) -> None:
    assert "nothing to tell of profile 'desk'" in call(Runner(silence)).output
    assert "nothing to send" in call(Runner(silence), "send", "--out", "-").output


def test_sending_to_the_screen_leaves_it_to_the_lines(runner: Runner) -> None:
    result = call(runner, "send", "--out", "-")
    assert json.loads(result.stdout)["title"] == RECALL
    assert result.stderr == "note: 1 of 1 alerts arrived\n"
    assert call(runner, "send", "--out", "-").stdout == ""


def test_sending_to_a_webhook_and_a_program(runner: Runner, out: Path) -> None:
    program = f"{sys.executable} -c \"import shutil, sys; shutil.copyfileobj(sys.stdin, open('{out}', 'w'))\""
    with serving(says(200)) as server:
        result = call(
            runner, "send", "--webhook", server.url, "--allow-private", "--command", program, "--json"
        )
    assert result.exit_code == 0, result.output
    assert [attempt["error"] for attempt in json.loads(result.stdout)["tries"]] == [None, None]
    assert json.loads(server.requests[0][2]) == json.loads(out.read_text())


def test_what_did_not_arrive_leaves_with_try_again(runner: Runner) -> None:
    with serving(says(503, b"later")) as server:
        result = call(runner, "send", "--webhook", server.url, "--allow-private")
    assert result.exit_code == 75
    assert "error: 1 of 1 alerts did not arrive" in result.stderr
    assert "answered 503" in result.stderr
    assert "did not arrive: 127.0.0.1 answered 503" in call(runner).output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "nowhere to send to"),
        (("--out", "-", "--json"), "--json and --out - both want the screen"),
        (("--command", "'"), "--command cannot be read"),
        (("--command", ""), "an empty command"),
        (("--webhook", "ftp://a.example/"), "begins with 'ftp://a.exam'"),
        (("--webhook", "https://a.example:8443/"), "port 8443"),
    ],
)
def test_what_cannot_be_sent_to_is_refused_before_anything_is_sent(
    runner: Runner, arguments: tuple[str, ...], told: str
) -> None:
    result = call(runner, "send", *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert runner.store.alerts("desk").is_empty()


def test_a_clock_without_a_zone_is_refused(runner: Runner) -> None:
    result = CliRunner().invoke(alerts_command, ["--store", str(runner.store.path), "--at", "2026-03-03"])
    assert result.exit_code == 2
    assert "not an instant with a zone: '2026-03-03'" in result.stderr


def test_a_store_without_runs_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(alerts_command, ["--store", str(tmp_path / "none.duckdb")])
    assert result.exit_code == 2
    assert "no complete run" in result.stderr
