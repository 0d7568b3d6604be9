"""Alerts on their way out: JSON lines, a command, a webhook. Each takes one alert at a time."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

from brandkit.errors import BrandkitError, DeliveryError, UsageError

TIMEOUT_S = 10.0
# A channel that fails this often in a row is left alone until the next time.
MOST_FAILURES = 3
_SAID_BYTES = 300

Document = Mapping[str, Any]


class Channel(Protocol):
    """A way out. ``name`` keeps what arrived here apart from what arrived elsewhere; it holds no secret."""

    @property
    def name(self) -> str:
        """What the store knows the channel by."""

    def deliver(self, document: Document) -> None:
        """Hand one alert over.

        Raises: BrandkitError when it did not arrive.
        """


def _named(kind: str, shown: str, *whole: str) -> str:
    # A webhook's address is a password: of the part that is not shown, only a digest is kept.
    digest = hashlib.sha256("\0".join(whole).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{kind}:{shown}#{digest}"


@dataclass(frozen=True, slots=True)
class Lines:
    """One line of JSON for each alert, at the end of a file or on an open stream."""

    target: Path | TextIO

    @property
    def name(self) -> str:
        """``stream``, or the file's name."""
        if not isinstance(self.target, Path):
            return "stream"
        return _named("file", self.target.name, str(self.target.resolve()))

    def deliver(self, document: Document) -> None:
        """Write the line, whole."""
        # ASCII: a title cannot end the line, whatever it holds and whoever reads it.
        line = json.dumps(document, allow_nan=False) + "\n"
        try:
            if isinstance(self.target, Path):
                with self.target.open("a", encoding="ascii") as file:
                    file.write(line)
            else:
                self.target.write(line)
                self.target.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise DeliveryError(f"cannot write to {self.name}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Command:
    """A program that is started for each alert, with the alert as JSON on its standard input.

    There is no shell, and nothing of an alert stands in the arguments: a title can neither run nor
    be taken for an option.
    """

    argv: tuple[str, ...]
    timeout_s: float = TIMEOUT_S

    def __post_init__(self) -> None:
        """Refuse a command without a program."""
        if not self.argv or not self.argv[0]:
            raise UsageError("an empty command", allowed="a program and its arguments")

    @property
    def name(self) -> str:
        """The program's name."""
        return _named("command", Path(self.argv[0]).name, *self.argv)

    def deliver(self, document: Document) -> None:
        """Run the program to its end.

        Raises: DeliveryError when it cannot be started, fails, or takes too long.
        """
        program = Path(self.argv[0]).name
        text = json.dumps(document, allow_nan=False).encode("ascii")
        # What it says goes to a file: a pipe that nobody reads would stop it.
        with tempfile.TemporaryFile() as said:
            try:
                process = subprocess.Popen(
                    self.argv,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                raise DeliveryError(f"cannot start {program}: {error}") from error
            try:
                process.communicate(text, timeout=self.timeout_s)
            except subprocess.TimeoutExpired:
                raise DeliveryError(f"{program} did not end within {self.timeout_s:g} s") from None
            finally:
                if process.poll() is None:
                    _end(process)
            if process.returncode != 0:
                said.seek(0)
                message = said.read(_SAID_BYTES).decode("utf-8", "replace").strip()
                raise DeliveryError(f"{program} ended with {process.returncode}", allowed=message)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program with all it started: it has a process group of its own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that each alert is posted to as JSON; ``text`` in it is the alert in words."""

    url: str
    timeout_s: float = TIMEOUT_S
    ports: Collection[int] | None = (80, 443)
    allow_private: bool = False

    @property
    def name(self) -> str:
        """The host of the address."""
        from brandkit.sources.http import parsed

        return _named("webhook", parsed(self.url, ports=self.ports).host, self.url)

    def deliver(self, document: Document) -> None:
        """Post the alert.

        Raises: NetworkError; UsageError for an address that is refused.
        """
        # Only who sends to the network loads what reaches it.
        from brandkit.sources.http import post_json

        post_json(
            self.url, document, timeout_s=self.timeout_s, ports=self.ports, allow_private=self.allow_private
        )


def deliver(documents: Sequence[Document], channel: Channel) -> list[str | None]:
    """What became of each: None where it arrived, else why not; shorter where the channel was given up."""
    found: list[str | None] = []
    for document in documents:
        if found[-MOST_FAILURES:].count(None) == 0 and len(found) >= MOST_FAILURES:
            break
        try:
            channel.deliver(document)
            found.append(None)
        except BrandkitError as error:
            found.append(str(error))
    return found
