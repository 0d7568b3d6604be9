"""A report on its way out: to readers when it is done, to whoever looks after it when it failed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina

from brandkit.desk.delivery import Command, Webhook
from brandkit.errors import EXIT_RETRY, DeliveryError, NetworkError, UsageError
from brandkit.report.delivery import Delivery, Outcome, Ways, deliver
from brandkit.settings import Sending
from brandkit.sources.smtp import MOST_BYTES, Mail, Mailbox
from tests.hostile import MEGABYTE, vectors
from tests.mail import MailServer, certified, mailing
from tests.web import says, serving

READERS, KEEPERS = ("ann@desk.example", "bo@desk.example"), ("ops@desk.example",)
LINES = ("2 stories must be covered.", "Nordlys issues recall notice", "three", "four", "five")
HOSTILE = (*vectors("escape", "bidi"), "a\r\nBcc: evil@evil.example\r\n\r\nx", MEGABYTE)
KEEPS = "import sys; open('kept.json', 'w').write(sys.stdin.read())"


@pytest.fixture(autouse=True)
def at_once() -> Iterator[None]:
    """As often as ever, without the waits."""
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def done(tmp_path: Path) -> Outcome:
    page, book = tmp_path / "daily.html", tmp_path / "daily.ipynb"
    page.write_text("<p>Ørsted & co</p>", encoding="utf-8")
    book.write_text("{}", encoding="utf-8")
    return Outcome(name="daily", ok=True, run_id="desk.daily.2026-03-04.1", lines=LINES, paths=(book, page))


FAILED = Outcome(name="daily", ok=False, error="no file at 'x.csv'\n  allowed: csv", lines=())


def box(server: MailServer, **more: Any) -> Mailbox:
    return Mailbox("127.0.0.1", "desk@desk.example", "smtp+plain", server.port, **{"timeout_s": 5, **more})


def sent_to(server: MailServer) -> list[tuple[str, ...]]:
    return [to for _, to, _ in server.mails]


# Mail


def test_a_report_that_is_done_goes_to_its_readers_as_five_lines_with_the_page(done: Outcome) -> None:
    with mailing() as server:
        found = deliver(done, to=READERS, errors_to=KEEPERS, mailbox=box(server))
    assert found == Delivery(("mail:127.0.0.1",), {})
    ((sender, to, mail),) = server.mails
    assert (sender, to) == ("desk@desk.example", READERS)
    assert mail["Subject"] == "daily desk.daily.2026-03-04.1: 2 stories must be covered."
    assert mail.get_body(("plain",)).get_content().splitlines() == list(LINES)  # type: ignore[union-attr]
    (page,) = mail.iter_attachments()
    assert (page.get_filename(), page.get_content_type()) == ("daily.html", "text/html")
    assert page.get_payload(decode=True) == "<p>Ørsted & co</p>".encode()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"]


@pytest.mark.parametrize(("errors_to", "heard"), [(KEEPERS, KEEPERS), ((), READERS)])
def test_a_failure_goes_to_the_error_address_which_falls_back_to_the_readers(
    errors_to: tuple[str, ...], heard: tuple[str, ...]
) -> None:
    with mailing() as server:
        assert deliver(FAILED, to=READERS, errors_to=errors_to, mailbox=box(server)).ok
    assert sent_to(server) == [heard]
    mail = server.mails[0][2]
    assert mail["Subject"] == "FAILED: daily"
    text = mail.get_content()
    assert "The report 'daily' could not be made." in text
    assert "no file at 'x.csv'" in text
    assert "allowed: csv" in text


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_makes_a_header_of_its_own_or_a_mail_without_end(text: str, done: Outcome) -> None:
    outcome = Outcome(name=text, ok=True, run_id=text, lines=(text, f".{text}", text), paths=done.paths)
    failed = Outcome(name=text, ok=False, run_id=text, error=text)
    with mailing() as server:
        for one in (outcome, failed):
            assert deliver(one, to=READERS, mailbox=box(server)).ok
    assert sent_to(server) == [READERS, READERS]
    for _, _, mail in server.mails:
        assert mail["Bcc"] is None
        assert len(mail["Subject"]) <= 200
        assert not any(character in mail["Subject"] for character in "\r\n\x1b\u202e\u2066\x00")
        body = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        assert len(body) < 6_000
        assert not any(character in body for character in "\x1b\u202e\u2066\x00")


def test_a_reports_folder_is_its_outcome_and_a_failure_brings_its_error_page(tmp_path: Path) -> None:
    for name in ("daily.html", "daily.ipynb", "run.json"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / "daily.txt").write_text("one\ntwo\n", encoding="utf-8")
    made = Outcome.of("daily", tmp_path, run_id="r.1")
    assert (made.ok, made.lines, made.page) == (True, ("one", "two"), tmp_path / "daily.html")
    assert [path.name for path in made.paths] == ["daily.html", "daily.ipynb", "daily.txt", "run.json"]
    broken = Outcome.of("daily", tmp_path, error="no")
    assert (broken.ok, broken.lines, broken.page) == (False, (), tmp_path / "daily.html")
    assert Outcome.of("daily", None, error="no").paths == ()
    with mailing() as server:
        assert deliver(broken, to=READERS, mailbox=box(server)).ok
    assert [part.get_filename() for part in server.mails[0][2].iter_attachments()] == ["daily.html"]


def test_a_page_too_large_for_a_mail_is_named_and_not_attached(done: Outcome, tmp_path: Path) -> None:
    (tmp_path / "daily.html").write_bytes(b"x" * (MOST_BYTES + 1))
    with mailing() as server:
        assert deliver(done, to=READERS, mailbox=box(server)).ok
    mail = server.mails[0][2]
    assert list(mail.iter_attachments()) == []
    assert f"It has 7.0 MB, too much for a mail: {tmp_path / 'daily.html'}" in mail.get_content()


def test_a_page_that_is_gone_is_said_and_the_lines_are_sent(done: Outcome, tmp_path: Path) -> None:
    (tmp_path / "daily.html").unlink()
    with mailing() as server:
        assert deliver(done, to=READERS, mailbox=box(server)).ok
    assert "The page is not attached. It cannot be read" in server.mails[0][2].get_content()


@pytest.mark.parametrize(
    "address",
    ["", "ann", "ann@a.example\r\nBcc: x@y.example", "a@b.example, c@d.example", "<a@b.example>",
     "-a@b.example", "Ann <a@b.example>", "a@b.example\u202e", "a b@c.example"],
)  # fmt: skip
def test_what_is_no_address_is_refused_before_anything_is_sent(address: str, done: Outcome) -> None:
    with mailing() as server:
        for given in ({"to": (address,)}, {"to": READERS, "errors_to": (address,)}):
            with pytest.raises(UsageError, match="is no mail address"):
                deliver(done, mailbox=box(server), **given)
    assert server.commands == []


# What goes wrong on the way


def test_a_delivery_that_fails_says_try_again_and_touches_no_file(done: Outcome) -> None:
    before = [path.read_bytes() for path in done.paths]
    with mailing({"DATA": "554 no"}) as server:
        found = deliver(done, to=READERS, mailbox=box(server))
    assert (found.ok, found.sent) == (False, ())
    assert isinstance(found.error, DeliveryError)
    assert found.error.exit_code == EXIT_RETRY
    assert "127.0.0.1 answered 554\n  it said: no" in str(found.error)
    assert "the report itself stands" in str(found.error)
    assert [path.read_bytes() for path in done.paths] == before


def test_what_passes_by_itself_is_tried_three_times_and_what_does_not_once(done: Outcome) -> None:
    for answer, times in (("451 later", 3), ("554 never", 1)):
        with mailing({"MAIL": answer}) as server:
            assert not deliver(done, to=READERS, mailbox=box(server)).ok
        assert server.commands.count("MAIL") == times


def test_the_readers_that_a_server_takes_have_the_mail_and_the_others_are_named(done: Outcome) -> None:
    with mailing({"rcpt TO:<bo@desk.example>": "550 unknown"}) as server:
        found = deliver(done, to=READERS, mailbox=box(server))
    assert sent_to(server) == [("ann@desk.example",)]
    assert "refused 1 of 2 addresses\n  bo@desk.example" in found.failed["mail:127.0.0.1"]


def test_a_server_that_says_nothing_is_given_up_within_the_deadline() -> None:
    mail = Mail(READERS, "subject", "text")
    with mailing({"EHLO": "250-and", "HELO": "250-and"}) as server:
        started = time.monotonic()
        with pytest.raises(NetworkError, match="no answer from 127"):
            box(server, timeout_s=0.4).send(mail)
        assert time.monotonic() - started < 3
    with pytest.raises(NetworkError, match=r"no answer from 127.0.0.1"):
        Mailbox("127.0.0.1", "a@b.example", "smtp+plain", server.port).send(mail)


def test_one_way_that_fails_leaves_the_others(
    done: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept, broken = (
        Command((sys.executable, "-c", KEEPS)),
        Command((sys.executable, "-c", "import sys; sys.exit(3)")),
    )
    with mailing() as server:
        found = deliver(done, to=READERS, mailbox=box(server), channels=(broken, kept))
    assert sent_to(server) == [READERS]
    assert list(found.failed) == [broken.name]
    assert found.sent == (kept.name, "mail:127.0.0.1")
    document = json.loads((tmp_path / "kept.json").read_text())
    assert document == done.document()
    assert (document["ok"], document["report"], document["text"]) == (True, "daily", "\n".join(LINES) + "\n")


def test_a_webhook_hears_of_done_and_failed() -> None:
    with serving(says(204)) as server:
        hook = Webhook(server.url, ports=None, allow_private=True)
        assert deliver(FAILED, channels=(hook,)).ok
    told = json.loads(server.requests[0][2])
    assert (told["ok"], told["error"]) == (False, FAILED.error)
    assert "no file at" in told["text"]


def test_nowhere_to_send_to_and_mail_without_a_server_are_said_at_once(done: Outcome) -> None:
    with pytest.raises(UsageError, match="nowhere to send the report to"):
        deliver(done)
    with pytest.raises(UsageError, match="no mail server is known"):
        deliver(done, to=READERS)


# Encryption and passwords


def test_the_password_goes_over_an_encrypted_line_to_a_server_that_proves_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: Outcome
) -> None:
    context, authority = certified(tmp_path)
    for scheme in ("smtp", "smtps"):
        with mailing(context=context, is_wrapped=scheme == "smtps") as server:
            url = f"{scheme}://desk:hu%40sh@127.0.0.1:{server.port}"
            ways = Ways.of(Sending(smtp_url=url, mail_from="desk@desk.example", mail_to=READERS))
            monkeypatch.delenv("SSL_CERT_FILE", raising=False)
            found = ways.deliver(done)
            assert "no safe connection to 127.0.0.1" in str(found.error)
            assert server.logins == []
            monkeypatch.setenv("SSL_CERT_FILE", str(authority))
            assert ways.deliver(done).ok
        assert server.logins == [("desk", "hu@sh")]
        assert sent_to(server) == [READERS]
        assert "hu@sh" not in f"{ways!r}{found!r}"


def test_a_server_without_encryption_hears_no_password_and_no_mail(done: Outcome) -> None:
    with mailing() as server:
        url = f"smtp://desk:hush@127.0.0.1:{server.port}"
        found = Ways.of(Sending(smtp_url=url, mail_from="a@b.example", mail_to=READERS)).deliver(done)
    assert "offers no encryption" in str(found.error)
    assert "hush" not in str(found.error)
    assert "MAIL" not in server.commands


def test_a_password_that_is_refused_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, authority = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with mailing({"AUTH": "535 hush is wrong"}, context=context) as server:
        wrong = Mailbox("127.0.0.1", "a@b.example", "smtp", server.port, "desk", "hush", 5)
        with pytest.raises(DeliveryError, match="refused the user name or password") as caught:
            wrong.send(Mail(READERS, "s", "t"))
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("sending", "message"),
    [
        (Sending(smtp_url="http://desk:hush@x", mail_from="a@b.example"), "cannot be used"),
        (Sending(smtp_url="smtps://desk:hush@x:port", mail_from="a@b.example"), "cannot be read"),
        (Sending(smtp_url="smtps://desk:hush@", mail_from="a@b.example"), "cannot be used"),
        (Sending(smtp_url="smtp+plain://desk:hush@x", mail_from="a@b.example"), "not sent unencrypted"),
        (Sending(smtp_url="smtps://desk:hush@x"), "is no mail address"),
        (Sending(webhook="ftp://x/hush"), "no address of the web"),
        (Sending(webhook="https://hush@x.example/"), "user name"),
        (Sending(command="bell 'hush"), "cannot be read"),
        (Sending(), "nowhere to send the report to"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_without_their_secrets(
    sending: Sending, message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        Ways.of(sending, to=READERS if sending.smtp_url else ())
    assert "hush" not in str(caught.value)


def test_addresses_that_are_given_stand_for_those_of_the_settings() -> None:
    sending = Sending(
        smtp_url="smtps://mail.example", mail_from="a@b.example", mail_to=READERS, errors_to=KEEPERS
    )
    assert Ways.of(sending).to == READERS
    assert Ways.of(sending, to=("eve@desk.example",)).to == ("eve@desk.example",)
    assert Ways.of(sending, errors_to=("eve@desk.example",)).errors_to == ("eve@desk.example",)
    assert Ways.of(sending).mailbox == Mailbox("mail.example", "a@b.example", "smtps", 465)
