from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandkit.desk.delivery import MOST_FAILURES, Channel, Command, Lines, Webhook, deliver
from brandkit.errors import DeliveryError, NetworkError, UsageError
from tests.web import says, serving

HOSTILE = "\n--help; $(touch pwned) `touch pwned` | touch pwned \x1b[2J «'\"\u2028\u202e"
ALERT: Mapping[str, Any] = {"alert_id": "a", "title": HOSTILE, "why": ["rumour"], "text": HOSTILE}
# Keeps its arguments and its standing input.
KEEPS = "import json, sys; json.dump([sys.argv[1:], sys.stdin.read()], open('kept.json', 'w'))"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def python(code: str, *arguments: str, timeout_s: float = 10) -> Command:
    return Command((sys.executable, "-c", code, *arguments), timeout_s=timeout_s)


# JSON lines


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_one_alert_is_one_line_whatever_its_title_holds(titles: list[str]) -> None:
    stream = io.StringIO()
    found = deliver([{"title": title} for title in titles], Lines(stream))
    assert found == [None] * len(titles)
    lines = stream.getvalue().splitlines()
    assert [json.loads(line)["title"] for line in lines] == titles
    assert stream.getvalue().isascii()


def test_a_file_is_added_to(here: Path) -> None:
    for name in ("first", "second"):
        deliver([{"title": name}], Lines(here / "alerts.jsonl"))
    lines = (here / "alerts.jsonl").read_text().splitlines()
    assert [json.loads(line)["title"] for line in lines] == ["first", "second"]


def test_a_file_that_cannot_be_written_is_a_failed_delivery(here: Path) -> None:
    with pytest.raises(DeliveryError, match="cannot write to file:gone"):
        Lines(here / "no" / "such" / "gone").deliver(ALERT)


# A command


def test_a_command_has_the_alert_on_its_input_and_nothing_of_it_in_its_arguments(here: Path) -> None:
    python(KEEPS, "--urgent", "$HOME").deliver(ALERT)
    arguments, given_ = json.loads((here / "kept.json").read_text())
    assert arguments == ["--urgent", "$HOME"]
    assert json.loads(given_) == ALERT
    assert sorted(path.name for path in here.iterdir()) == ["kept.json"]


def test_a_command_that_reads_nothing_has_been_told() -> None:
    python("pass").deliver({"title": "x" * 1_000_000})


def test_a_command_that_fails_says_how_and_only_the_beginning_of_it() -> None:
    with pytest.raises(DeliveryError) as raised:
        python("import sys; sys.stderr.write('no bell ' * 100_000); sys.exit(3)").deliver(ALERT)
    assert str(raised.value).startswith(f"{Path(sys.executable).name} ended with 3\n  no bell no bell")
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize("program", ["no-such-program", "/", "nul\0"])
def test_a_command_that_cannot_be_started_is_a_failed_delivery(program: str) -> None:
    with pytest.raises(DeliveryError, match="cannot start"):
        Command((program,)).deliver(ALERT)


def test_a_command_that_takes_too_long_ends_with_all_it_started(here: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('child', 'w').write(str(child.pid)); time.sleep(60)"
    )
    started = time.monotonic()
    with pytest.raises(DeliveryError, match=r"did not end within 0.6 s"):
        python(code, timeout_s=0.6).deliver(ALERT)
    assert time.monotonic() - started < 10
    child = int((here / "child").read_text())
    for _ in range(100):
        if not _is_running(child):
            return
        time.sleep(0.02)
    raise AssertionError(f"process {child} is still there")


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_command_without_a_program_is_refused() -> None:
    for argv in ((), ("",)):
        with pytest.raises(UsageError, match="an empty command"):
            Command(argv)


# A webhook


def test_a_webhook_is_posted_to() -> None:
    with serving(says(204)) as server:
        Webhook(server.url, ports=None, allow_private=True).deliver(ALERT)
    assert json.loads(server.requests[0][2]) == ALERT


def test_a_webhook_that_refuses_is_a_failed_delivery() -> None:
    with serving(says(500)) as server, pytest.raises(NetworkError, match="answered 500"):
        Webhook(server.url, ports=None, allow_private=True).deliver(ALERT)


def test_a_webhook_in_ones_own_network_has_to_be_allowed() -> None:
    with serving(says(200)) as server:
        with pytest.raises(UsageError, match=r"it leads to 127.0.0.1"):
            Webhook(server.url, ports=None).deliver(ALERT)
        with pytest.raises(UsageError, match="port"):
            Webhook(server.url, allow_private=True).deliver(ALERT)
    assert server.requests == []


# All channels


def test_a_channels_name_tells_two_apart_and_gives_no_secret_away(here: Path) -> None:
    channels: list[Channel] = [
        Webhook("https://hooks.example/T0/secret"),
        Webhook("https://hooks.example/T1/secret"),
        Command(("/usr/bin/bell", "--token", "secret")),
        Command(("/usr/bin/bell",)),
        Lines(here / "secret" / "alerts.jsonl"),
        Lines(sys.stdout),
    ]
    names = [channel.name for channel in channels]
    assert len(set(names)) == len(names)
    assert [name.partition("#")[0] for name in names] == [
        "webhook:hooks.example", "webhook:hooks.example", "command:bell", "command:bell",
        "file:alerts.jsonl", "stream",
    ]  # fmt: skip
    assert not any("secret" in name for name in names)


@dataclass
class Fails:
    """A channel that fails for the titles it is told to."""

    on: str
    heard: list[str] = field(default_factory=list)
    name: str = "fails"

    def deliver(self, document: Mapping[str, Any]) -> None:
        self.heard.append(document["title"])
        if document["title"] in self.on:
            raise DeliveryError(f"not {document['title']}")


def test_one_alert_that_fails_leaves_the_others() -> None:
    found = deliver([{"title": name} for name in "abcd"], Fails("bd"))
    assert found == [None, "not b", None, "not d"]


def test_a_channel_that_fails_again_and_again_is_left_alone() -> None:
    channel = Fails("bcdefg")
    assert deliver([{"title": name} for name in "abcdefg"], channel) == [None, "not b", "not c", "not d"]
    assert len(channel.heard) == 1 + MOST_FAILURES
