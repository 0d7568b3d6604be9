"""The only door to a mail server: encrypted unless said otherwise, and back within a deadline.

The server is the desk's own choice, so it may stand in its own network. What a mail says comes from
outside: it fills lines of text and never a header of its own making.
"""

from __future__ import annotations

import re
import smtplib
import ssl
import threading
from contextlib import closing, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from pathlib import Path
from socket import SHUT_RDWR, socket
from urllib.parse import unquote, urlsplit

from brandkit.errors import DeliveryError, NetworkError, UsageError
from brandkit.safe import plain_text, terminal

TIMEOUT_S = 30.0
# Most servers take 10 MB and more; encoded for mail a file grows by a third.
MOST_BYTES = 7_000_000
_SUBJECT_CHARACTERS = 200
_PORTS = {"smtps": 465, "smtp": 587, "smtp+plain": 25}
_ALLOWED = "smtps://, smtp:// (with STARTTLS) or smtp+plain:// (not encrypted)"
# What can be an address without quotes, comments or a list hidden in it.
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{0,63}@[A-Za-z0-9.-]{1,253}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a mail: its name, its kind as ``main/sub``, its bytes."""

    name: str
    kind: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail of plain text, with files; ``to`` are plain addresses."""

    to: tuple[str, ...]
    subject: str
    text: str
    attachments: tuple[Attachment, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a mail to nobody, or to what is no address."""
        if not self.to:
            raise UsageError("a mail to nobody", hint="give an address")
        for address in self.to:
            checked_address(address)


def checked_address(text: str) -> str:
    """The address itself, proved to be one and no more than one.

    Raises: UsageError.

    >>> checked_address("desk@example.org")
    'desk@example.org'
    """
    if _ADDRESS.fullmatch(text):
        return text
    raise UsageError(f"'{terminal(text[:80])}' is no mail address", allowed="such as desk@example.org")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mail server and who writes from it; the password is shown nowhere."""

    host: str
    sender: str
    scheme: str = "smtp"
    port: int = 587
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    timeout_s: float = TIMEOUT_S

    @classmethod
    def of(cls, url: str, *, sender: str, timeout_s: float = TIMEOUT_S) -> Mailbox:
        """The server at an address such as ``smtps://user:password@mail.example.org``.

        Raises: UsageError, with nothing of a password in it.
        """
        try:
            parts = urlsplit(url)
            port, host = parts.port, parts.hostname or ""
        except ValueError:
            raise UsageError("the mail server's address cannot be read", allowed=_ALLOWED) from None
        if parts.scheme not in _PORTS or not re.fullmatch(r"[A-Za-z0-9.:-]+", host):
            raise UsageError("the mail server's address cannot be used", allowed=_ALLOWED)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if user and parts.scheme == "smtp+plain":
            raise UsageError("a password is not sent unencrypted", allowed="smtps:// or smtp://")
        sender = checked_address(sender)
        return cls(host, sender, parts.scheme, port or _PORTS[parts.scheme], user, password, timeout_s)

    @property
    def name(self) -> str:
        """The host of the server."""
        return f"mail:{self.host}"

    def send(self, mail: Mail) -> None:
        """Hand a mail to the server.

        Raises: NetworkError where trying again may do; DeliveryError where the server refused it, or
            some of its addresses: the others have it then.
        """
        message = written(mail, sender=self.sender)
        try:
            with closing(_Session(self)) as session:
                if self.user:
                    session.login(self.user, self.password)
                refused = session.send_message(message, self.sender, mail.to)
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            raise self._failure(error) from None
        if refused:
            who = ", ".join(sorted(refused))
            what = f"{self.host} refused {len(refused)} of {len(mail.to)} addresses"
            raise DeliveryError(what, allowed=who)

    def _failure(self, error: Exception) -> NetworkError | DeliveryError:
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return DeliveryError(f"{self.host} refused the user name or password")
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            return DeliveryError(f"{self.host} refused every address", allowed=", ".join(error.recipients))
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return DeliveryError(f"{self.host} offers no encryption or no login", allowed=_ALLOWED)
        if isinstance(error, smtplib.SMTPResponseException):
            told = error.smtp_error
            text = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
            said = terminal(text[:200])
            # 4xx passes by itself, 5xx does not.
            kind = NetworkError if 400 <= error.smtp_code < 500 else DeliveryError
            return kind(f"{self.host} answered {error.smtp_code}", allowed=f"it said: {said}" if said else "")
        if isinstance(error, ssl.SSLError):
            why = str(error.reason or error)[:200]
            return NetworkError(f"no safe connection to {self.host}", allowed=why)
        if isinstance(error, UnicodeError):
            return DeliveryError("the mail cannot be written", allowed=type(error).__name__)
        return NetworkError(f"no answer from {self.host}", allowed=f"{type(error).__name__}: {error}"[:200])


class _Session(smtplib.SMTP):
    """A conversation that ends with its deadline, encrypted before anything of ours is said."""

    def __init__(self, box: Mailbox) -> None:
        self._box = box
        self._context = None if box.scheme == "smtp+plain" else ssl.create_default_context()
        # The name of this machine is nobody's business, and looking it up may take long.
        hello = box.sender.partition("@")[2]
        # A timeout of the socket's own is for each read: a byte now and then would hold it open for ever.
        self._timer = threading.Timer(box.timeout_s, self._cut)
        self._timer.daemon = True
        self._timer.start()
        try:
            super().__init__(box.host, box.port, local_hostname=hello, timeout=box.timeout_s)
            if box.scheme == "smtp":
                self.starttls(context=self._context)
        except BaseException:
            self.close()
            raise

    def _get_socket(self, host: str, port: int, timeout: float) -> socket:
        opened: socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        if self._box.scheme == "smtps" and self._context is not None:
            return self._context.wrap_socket(opened, server_hostname=host)
        return opened

    def _cut(self) -> None:
        line = getattr(self, "sock", None)
        if line is not None:
            with suppress(OSError):
                line.shutdown(SHUT_RDWR)

    def close(self) -> None:
        """Hang up."""
        self._timer.cancel()
        super().close()


def written(mail: Mail, *, sender: str) -> EmailMessage:
    """The mail as it is sent: one line of subject, lines of text, its files."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = ", ".join(mail.to)
    message["Subject"] = plain_text(mail.subject)[:_SUBJECT_CHARACTERS]
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.partition("@")[2])
    # So that no absence note answers it.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(map(plain_text, mail.text.splitlines())) + "\n")
    for file in mail.attachments:
        main, _, sub = file.kind.partition("/")
        name = re.sub("[^A-Za-z0-9._-]", "_", file.name)[-100:]
        message.add_attachment(file.data, maintype=main, subtype=sub, filename=name)
    return message


def attached(path: Path, kind: str, *, most_bytes: int = MOST_BYTES) -> Attachment | str:
    """A file to attach, or in words why it is not."""
    try:
        size = path.stat().st_size
        if size > most_bytes:
            return f"It has {size / 1e6:,.1f} MB, too much for a mail: {path}"
        return Attachment(path.name, kind, path.read_bytes())
    except OSError as error:
        return f"It cannot be read: {path}: {error.strerror}"
