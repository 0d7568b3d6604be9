"""A report on its way out: mail, a command, a webhook. Done or failed, somebody hears of it.

What is sent is what stands on the disk: a delivery that fails loses nothing but itself.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import stamina

from brandkit.desk.delivery import Channel, Command, Webhook
from brandkit.errors import BrandkitError, DeliveryError, NetworkError, UsageError
from brandkit.safe import plain_text, terminal
from brandkit.settings import MAIL_TO, REPORT_COMMAND, REPORT_WEBHOOK, SMTP_URL, Sending
from brandkit.sources.http import parsed
from brandkit.sources.smtp import Mail, Mailbox, attached, checked_address

ATTEMPTS = 3
MOST_LINES = 40
_LINE_CHARACTERS = 500
_ERROR_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a report: ``lines`` are its text, ``paths`` its files, ``error`` why it failed.

    ``run_id`` and ``lines`` may be empty where it failed before there was a run.
    """

    name: str
    ok: bool
    run_id: str = ""
    lines: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()
    error: str = ""

    @property
    def subject(self) -> str:
        """One line: which report, of which run, and whether it is there."""
        what = _line(f"{self.name} {self.run_id}".strip())
        return f"{what}: {_line(self.lines[0])}" if self.ok and self.lines else self._state(what)

    def _state(self, what: str) -> str:
        return f"{what} is ready" if self.ok else f"FAILED: {what}"

    @property
    def text(self) -> str:
        """The lines of the report, or what went wrong; one line each, nothing invisible."""
        told = [_line(line) for line in self.lines[:MOST_LINES]]
        if not self.ok:
            error = terminal(self.error[:_ERROR_CHARACTERS], keep_lines=True)
            told = [f"The report '{_line(self.name)}' could not be made.", "", error, "", *told]
        return "\n".join(told).rstrip() + "\n"

    @property
    def page(self) -> Path | None:
        """The page among its files: the report, or what stands for one that failed."""
        return next((path for path in self.paths if path.suffix == ".html"), None)

    @classmethod
    def of(cls, name: str, folder: Path | None, *, run_id: str = "", error: str = "") -> Outcome:
        """The outcome of a report that lies in a folder: its files, and the lines of ``<name>.txt`` there.

        With an ``error`` it is a failure, and the folder, if there is one, holds its error page.
        """
        paths = tuple(sorted(path for path in folder.iterdir() if path.is_file())) if folder else ()
        text = folder / f"{name}.txt" if folder else None
        lines: tuple[str, ...] = ()
        if text is not None and text.is_file() and not error:
            lines = tuple(text.read_text(encoding="utf-8", errors="replace").splitlines())
        return cls(name=name, ok=not error, run_id=run_id, lines=lines, paths=paths, error=error)

    def document(self) -> dict[str, Any]:
        """The same for a program: report, run_id, ok, subject, text, error, paths."""
        return {
            "report": self.name,
            "run_id": self.run_id,
            "ok": self.ok,
            "subject": self.subject,
            "text": self.text,
            "error": self.error[:_ERROR_CHARACTERS] or None,
            "paths": [str(path) for path in self.paths],
        }


def _line(text: str) -> str:
    line = plain_text(text[: 20 * _LINE_CHARACTERS])
    return line if len(line) <= _LINE_CHARACTERS else f"{line[: _LINE_CHARACTERS - 1]}…"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of sending: the names of the ways it went, and of those it did not with the reason."""

    sent: tuple[str, ...]
    failed: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether it arrived everywhere."""
        return not self.failed

    @property
    def error(self) -> DeliveryError | None:
        """What to leave with where it did not: exit code 75, try again. The report itself stands."""
        if self.ok:
            return None
        told = "; ".join(f"{name}: {why}" for name, why in self.failed.items())
        what = "the report was not delivered everywhere"
        return DeliveryError(what, allowed=told, hint="the report itself stands")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Where reports go: checked before one is made, so that a slip is known at once.

    ``errors_to`` hears of failures; where it is empty the readers do.
    """

    to: tuple[str, ...] = ()
    errors_to: tuple[str, ...] = ()
    mailbox: Mailbox | None = None
    channels: tuple[Command | Webhook, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what leads nowhere."""
        for address in (*self.to, *self.errors_to):
            checked_address(address)
        if (self.to or self.errors_to) and self.mailbox is None:
            raise UsageError("mail is to be sent and no mail server is known", hint=f"set {SMTP_URL}")
        if not (self.to or self.channels):
            raise UsageError(
                "nowhere to send the report to", hint=f"set {MAIL_TO}, {REPORT_COMMAND} or {REPORT_WEBHOOK}"
            )

    @classmethod
    def of(
        cls,
        sending: Sending,
        *,
        to: Sequence[str] = (),
        errors_to: Sequence[str] = (),
        ports: Collection[int] | None = (80, 443),
        allow_private: bool = False,
    ) -> Ways:
        """The ways that the settings name; addresses that are given stand for those of the settings.

        Raises: UsageError for what cannot be used, without a secret in it.
        """
        channels: list[Command | Webhook] = []
        if sending.command:
            try:
                channels.append(Command(tuple(shlex.split(sending.command))))
            except ValueError as error:
                raise UsageError(f"{REPORT_COMMAND} cannot be read: {error}") from None
        if sending.webhook:
            if not sending.webhook.startswith(("http://", "https://")):
                raise UsageError(f"{REPORT_WEBHOOK} is no address of the web", allowed="http:// and https://")
            parsed(sending.webhook, ports=ports)
            channels.append(Webhook(sending.webhook, ports=ports, allow_private=allow_private))
        box = Mailbox.of(sending.smtp_url, sender=sending.mail_from) if sending.smtp_url else None
        return cls(
            to=tuple(to) or sending.mail_to,
            errors_to=tuple(errors_to) or sending.errors_to,
            mailbox=box,
            channels=tuple(channels),
        )

    def deliver(self, outcome: Outcome) -> Delivery:
        """Send a report, or word of its failure, every way; each is tried whatever became of the others."""
        ways: list[Channel] = [*self.channels]
        readers = self.to if outcome.ok else self.errors_to or self.to
        if readers and self.mailbox is not None:
            ways.append(_Mailing(self.mailbox, mailing(outcome, readers)))
        sent: list[str] = []
        failed: dict[str, str] = {}
        for way in ways:
            try:
                _tried(way, outcome.document())
                sent.append(way.name)
            except BrandkitError as error:
                failed[way.name] = str(error)
        return Delivery(tuple(sent), failed)


def _tried(way: Channel, document: Mapping[str, Any]) -> None:
    """Hand it over, and where the network failed once more: nobody sends a report again next time."""
    for attempt in stamina.retry_context(on=NetworkError, attempts=ATTEMPTS, timeout=None, wait_max=4.0):
        with attempt:
            way.deliver(document)


def deliver(
    outcome: Outcome,
    *,
    to: Sequence[str] = (),
    errors_to: Sequence[str] = (),
    mailbox: Mailbox | None = None,
    channels: Sequence[Command | Webhook] = (),
) -> Delivery:
    """Send a report to its readers, or word of its failure to whoever looks after it.

    A failure is mailed to ``errors_to``, and where that is empty to the readers: silence would look
    like a quiet day. Commands and webhooks are told of both; ``ok`` in the document says which. What
    the network loses is tried three times: a reader may get it twice, and none of them never.

    Args:
        outcome: the report.
        to: the readers' addresses.
        errors_to: the addresses for failures.
        mailbox: the mail server; needed where there is an address.
        channels: commands and webhooks, given ``outcome.document()`` as JSON.

    Raises: UsageError for an address that cannot be one, for addresses without a mailbox, or for
        nowhere to send to. What does not arrive is in the answer.
    """
    ways = Ways(to=tuple(to), errors_to=tuple(errors_to), mailbox=mailbox, channels=tuple(channels))
    return ways.deliver(outcome)


def mailing(outcome: Outcome, readers: Sequence[str]) -> Mail:
    """A report as a mail: its lines as plain text, its page attached where it is there."""
    page = None if outcome.page is None else attached(outcome.page, "text/html")
    text = f"{outcome.text}\nThe page is not attached. {page}\n" if isinstance(page, str) else outcome.text
    files = () if page is None or isinstance(page, str) else (page,)
    return Mail(to=tuple(readers), subject=outcome.subject, text=text, attachments=files)


@dataclass(frozen=True, slots=True)
class _Mailing:
    """A mail that is written already, as a way out."""

    mailbox: Mailbox
    mail: Mail

    @property
    def name(self) -> str:
        """The server, without a secret."""
        return self.mailbox.name

    def deliver(self, document: Mapping[str, Any]) -> None:
        """Send it; the document is in it already."""
        self.mailbox.send(self.mail)
