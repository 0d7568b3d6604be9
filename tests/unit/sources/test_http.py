from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandkit.errors import NetworkError, UsageError
from brandkit.sources.http import is_public, parsed, post_json
from tests.web import Answer, says, serving


def send(url: str, **more: Any) -> Any:
    return post_json(url, {"title": "Ærlig «talt»\n"}, ports=None, allow_private=True, **more)


# What goes out


def test_a_document_arrives_as_json_whatever_its_script() -> None:
    with serving(says(200, b"ok")) as server:
        reply = send(f"{server.url}hook/é?a=b%20c")
    (path, headers, body), *more = server.requests
    assert (reply.status, reply.body, more) == (200, b"ok", [])
    assert path == "/hook/%C3%A9?a=b%20c"
    assert headers["Content-Type"] == "application/json"
    assert headers["Host"] == f"127.0.0.1:{server.server_port}"
    assert body.isascii()
    assert json.loads(body) == {"title": "Ærlig «talt»\n"}


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving(says(204)) as server:
        assert send(server.url).status == 204


# What comes back


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_an_answer_that_is_not_followed(status: int) -> None:
    with (
        serving(says(200)) as elsewhere,
        serving(says(status, Location=elsewhere.url)) as server,
        pytest.raises(NetworkError, match=f"127.0.0.1 answered {status}; redirects are not followed"),
    ):
        send(server.url)
    assert elsewhere.requests == []


@pytest.mark.parametrize("status", [400, 404, 429, 500])
def test_any_answer_but_2xx_is_an_error_with_what_it_said(status: int) -> None:
    with serving(says(status, b"no such channel")) as server, pytest.raises(NetworkError) as raised:
        send(server.url)
    assert str(raised.value) == f"127.0.0.1 answered {status}\n  it said: no such channel"


def test_no_more_of_a_reply_is_read_than_allowed() -> None:
    with serving(says(200, b"x" * 100_000)) as server:
        assert send(server.url, most_bytes=10).body == b"x" * 10


def _drips(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def _drips_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(100):
        handler.wfile.write(b"X-A: b\r\n")
        handler.wfile.flush()
        time.sleep(0.05)


def _sleeps(_: BaseHTTPRequestHandler) -> None:
    time.sleep(1)


@pytest.mark.parametrize("answer", [_drips, _drips_headers, _sleeps])
def test_the_deadline_is_for_all_of_it_and_not_for_each_read(answer: Answer) -> None:
    with serving(answer) as server:
        started = time.monotonic()
        with pytest.raises(NetworkError, match=r"127.0.0.1 did not answer within 0.2 s"):
            send(server.url, timeout_s=0.2)
        assert time.monotonic() - started < 0.9


def test_nobody_there_is_an_error_that_names_the_host() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NetworkError, match="no answer from 127.0.0.1"):
        send(f"http://127.0.0.1:{port}/secret-token")


def test_what_is_no_http_is_an_error() -> None:
    with (
        serving(lambda handler: handler.wfile.write(b"220 mail ready\r\n") and None) as server,
        pytest.raises(NetworkError, match="no answer from 127.0.0.1"),
    ):
        send(server.url)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_a_certificate_that_nobody_signed_is_refused(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(says(200)) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with pytest.raises(NetworkError, match=r"no safe connection to localhost\n.*CERTIFICATE_VERIFY"):
            send(f"https://localhost:{server.server_port}/")
        assert server.requests == []


# Where it does not go


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "0.0.0.0", "10.0.0.1",
        "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "192.0.0.8", "224.0.0.1",
        "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::7f00:1]", "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::]", "[fe80::1]", "[fc00::1]",
        "[ff02::1]", "[2001:db8::1]", "[2001::1]",
    ],
)  # fmt: skip
def test_no_way_of_writing_an_inner_address_leads_there(host: str) -> None:
    with pytest.raises(UsageError, match="is refused: it leads to"):
        post_json(f"http://{host}/", {})


def test_a_name_with_one_inner_address_among_others_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def looked_up(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, 1, 6, "", (address, 80)) for address in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with pytest.raises(UsageError, match="mixed.example is refused: it leads to 10.0.0.1"):
        post_json("http://mixed.example/", {})


def test_a_name_is_looked_up_once_and_the_checked_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def looked_up(host: str, port: Any, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        return real("127.0.0.1" if host == "rebound.example" else host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with serving(says(200)) as server:
        send(f"http://rebound.example:{server.server_port}/")
    assert server.requests[0][1]["Host"] == f"rebound.example:{server.server_port}"
    # The second lookup is of the address itself, which cannot answer differently.
    assert asked == ["rebound.example", "127.0.0.1"]


def test_a_lookup_that_hangs_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def looks_up(*_: Any, **__: Any) -> list[Any]:
        released.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", looks_up)
    with pytest.raises(NetworkError, match=r"slow.example did not answer within 0.1 s"):
        post_json("http://slow.example/", {}, timeout_s=0.1)
    released.set()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://a.example/", "begins with 'ftp://a.exam'"),
        ("file:///etc/passwd", "begins with 'file:///etc/'"),
        ("//a.example/", "begins with '//a.example/'"),
        ("", "begins with ''"),
        ("http://", "without a host"),
        ("http://[::1", "without a host"),
        ("http://a.example:99999/", "without a host"),
        ("http://user@a.example/", "user name before 'a.example'"),
        ("https://a.example:22/", "port 22 of a.example"),
        ("http://ok.example\\@127.0.0.1/", "backslashes"),
        ("http://a.example/ b", "spaces"),
        ("http://a.example/\r\nX: y", "spaces"),
    ],
)
def test_an_address_that_may_mean_two_things_is_refused_before_it_is_looked_up(url: str, told: str) -> None:
    with pytest.raises(UsageError) as raised:
        post_json(url, {})
    assert told in str(raised.value)


def test_a_name_is_asked_for_as_the_network_writes_it() -> None:
    assert parsed("https://Bücher.example/x").host == "xn--bcher-kva.example"
    assert parsed("https://bücher.example/").host_header == "xn--bcher-kva.example"
    assert parsed("http://[2606:4700::1]:8080/", ports=None).host_header == "[2606:4700::1]:8080"


@given(st.ip_addresses(v=4))
def test_an_address_is_as_public_as_the_one_inside_it(address: Any) -> None:
    whole, parts = int(address), address.packed.hex()
    wrapped = (
        f"::ffff:{address}",
        f"64:ff9b::{whole >> 16:x}:{whole & 0xFFFF:x}",
        f"2002:{parts[:4]}:{parts[4:]}::1",
    )
    assert {is_public(text) for text in wrapped} == {is_public(str(address))}


@given(st.text(max_size=40))
def test_whatever_is_given_for_an_address_is_refused_or_parsed(text: str) -> None:
    for url in (text, f"http://{text}", f"https://a.example/{text}"):
        try:
            target = parsed(url)
        except UsageError:
            continue
        assert target.host.isascii()
        assert target.path.isascii()
        assert target.path.startswith("/")
