"""A mail server on this machine that keeps what it was sent and answers as a test says."""

from __future__ import annotations

import base64
import datetime as dt
import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class MailServer(socketserver.ThreadingTCPServer):
    """Mails as they came: who from, who to, the message. ``answers`` stand for the usual ones."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self, answers: Mapping[str, str], context: ssl.SSLContext | None, *, is_wrapped: bool
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.answers, self.context, self.is_wrapped = answers, context, is_wrapped
        self.mails: list[tuple[str, tuple[str, ...], EmailMessage]] = []
        self.commands: list[str] = []
        self.logins: list[tuple[str, ...]] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, *_: object) -> None:
        """Nothing: whoever hangs up is the test."""


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def wrapped(self) -> None:
        assert self.server.context is not None
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", buffering=0)

    def handle(self) -> None:
        if self.server.is_wrapped:
            self.wrapped()
        self.talk()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        self.request.close()

    def talk(self) -> None:
        sender, to = "", []
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            self.server.commands.append(verb)
            answer = self.server.answers.get(line, self.server.answers.get(verb))
            if answer:
                self.say(answer)
            elif verb == "EHLO":
                secure = isinstance(self.request, ssl.SSLSocket)
                offers = ["AUTH PLAIN"] if secure else ["STARTTLS"] if self.server.context else []
                for offer in ("here", *offers):
                    self.say(f"250-{offer}")
                self.say("250 8BITMIME")
            elif verb == "STARTTLS":
                self.say("220 go on")
                self.wrapped()
            elif verb == "AUTH":
                told = base64.b64decode(line.split()[2]).decode().split("\0")
                self.server.logins.append(tuple(told[1:]))
                self.say("235 known")
            elif verb == "MAIL":
                sender = line.partition("<")[2].partition(">")[0]
                self.say("250 ok")
            elif verb == "RCPT":
                to.append(line.partition("<")[2].partition(">")[0])
                self.say("250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                self.server.mails.append((sender, tuple(to), self.received()))
                self.say("250 kept")
            else:
                self.say("221 bye" if verb == "QUIT" else "250 ok")
                if verb == "QUIT":
                    return

    def received(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        message = message_from_bytes(b"".join(lines), policy=default)
        assert isinstance(message, EmailMessage)
        return message


@contextmanager
def mailing(
    answers: Mapping[str, str] | None = None,
    *,
    context: ssl.SSLContext | None = None,
    is_wrapped: bool = False,
) -> Iterator[MailServer]:
    """The server while the block lasts; with a context it offers STARTTLS, or is encrypted from the start."""
    server = MailServer(answers or {}, context, is_wrapped=is_wrapped)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A context for 127.0.0.1, and the file of the authority that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    start, end = dt.datetime(2020, 1, 1), dt.datetime(2099, 1, 1)
    vouched = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), start, end)
        .add_extension(vouched, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return context, pem
