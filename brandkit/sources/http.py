"""The only door to the network: to public addresses, and back within a deadline.

A name is looked up once and the very address that was checked is connected to, so that a name which
answers differently the second time reaches nothing. Proxies of the environment are not used.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import idna

from brandkit.errors import NetworkError, UsageError
from brandkit.safe import terminal

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

WEB_PORTS = (80, 443)
TIMEOUT_S = 10.0
REPLY_BYTES = 64 * 1024
_USER_AGENT = "brandkit"
_DEFAULT_PORTS = {"http": 80, "https": 443}
# What ipaddress takes for global and is not: a client ends up inside its own network, or nowhere.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "2001::/23", "2001:db8::/32", "3fff::/20")
)


@dataclass(frozen=True, slots=True)
class Target:
    """An address of the web in its parts; ``path`` holds the query too."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The host as a request names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the status and the beginning of the body."""

    status: int
    body: bytes


def post_json(
    url: str,
    document: Mapping[str, Any],
    *,
    timeout_s: float = TIMEOUT_S,
    ports: Collection[int] | None = WEB_PORTS,
    allow_private: bool = False,
    most_bytes: int = REPLY_BYTES,
) -> Reply:
    """Send a document as JSON to an http or https address; redirects are not followed.

    Args:
        url: where to.
        document: what to send.
        timeout_s: for all of it, from the lookup of the name to the last byte read.
        ports: the ports that may be connected to; None for any.
        allow_private: connect to an address of one's own network or machine too.
        most_bytes: how much of the reply is read.

    Raises: UsageError for an address that is refused; NetworkError for no answer, or any but 2xx.
    """
    target = parsed(url, ports=ports)
    body = json.dumps(document, allow_nan=False).encode("ascii")
    headers = {
        "Host": target.host_header,
        "User-Agent": _USER_AGENT,
        "Content-Type": "application/json",
        "Connection": "close",
    }
    deadline = _Deadline(target, timeout_s)
    try:
        with closing(_opened(target, deadline, allow_private=allow_private)) as line:
            connection = http.client.HTTPConnection(target.host, target.port)
            connection.auto_open = 0
            connection.sock = _Line(line, deadline)
            connection.request("POST", target.path, body, headers)
            response = connection.getresponse()
            reply = Reply(response.status, response.read(most_bytes))
    except (OSError, http.client.HTTPException) as error:
        raise deadline.failure(error) from error
    if not 200 <= reply.status < 300:
        moved = "; redirects are not followed" if 300 <= reply.status < 400 else ""
        said = reply.body[:200].decode("utf-8", "replace")
        raise NetworkError(
            f"{target.host} answered {reply.status}{moved}", allowed=f"it said: {said}" if said else ""
        )
    return reply


def parsed(url: str, *, ports: Collection[int] | None = WEB_PORTS) -> Target:
    """The parts of an address that may be connected to, as far as its text tells.

    Raises: UsageError for another scheme or port, a user name, or what is no address.
    """
    # Clients disagree about what these mean inside an address, and so about where it leads.
    if any(character <= " " or character in '\\"<>`\x7f' for character in url):
        raise _refused("an address with spaces, quotes or backslashes in it")
    scheme = url.partition(":")[0].lower()
    if scheme not in _DEFAULT_PORTS:
        raise _refused(f"an address that begins with '{terminal(url[:12])}'", "http:// and https://")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _ascii_host(parts.hostname or "")
    except (ValueError, idna.IDNAError):
        raise _refused("an address without a host", "such as https://example.org/path") from None
    if "@" in parts.netloc:
        raise _refused(f"an address with a user name before '{host}'", "an address without one")
    port = _DEFAULT_PORTS[scheme] if port is None else port
    if ports is not None and port not in ports:
        raise _refused(f"port {port} of {host}", f"ports {', '.join(map(str, sorted(ports)))}")
    query = f"?{parts.query}" if parts.query else ""
    # What is quoted already stays as it is.
    return Target(scheme, host, port, quote((parts.path or "/") + query, safe="!#$%&'()*+,/:;=?@[]~"))


def _ascii_host(host: str) -> str:
    if not host:
        raise ValueError("no host")
    if ":" in host:
        return ipaddress.IPv6Address(host).compressed
    return host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")


def _refused(what: str, allowed: str = "") -> UsageError:
    return UsageError(f"{what} is refused", allowed=f"allowed: {allowed}" if allowed else "")


def is_public(address: str) -> bool:
    """Whether an address leads to the open internet, also after every way of wrapping one in another.

    >>> is_public("93.184.216.34"), is_public("64:ff9b::7f00:1"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    found = unwrapped(ipaddress.ip_address(address))
    if isinstance(found, ipaddress.IPv6Address) and found not in _GLOBAL_V6:
        return False
    return found.is_global and not any(found.version == net.version and found in net for net in _REFUSED)


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside a mapped, NAT64 or 6to4 one; any other as it is."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


class _Deadline:
    """How long is left of one exchange, and what to say when nothing is."""

    def __init__(self, target: Target, timeout_s: float) -> None:
        self._target, self._timeout_s = target, timeout_s
        self._ends = time.monotonic() + timeout_s

    def left(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def failure(self, error: Exception) -> NetworkError:
        host = self._target.host
        if isinstance(error, TimeoutError):
            return NetworkError(f"{host} did not answer within {self._timeout_s:g} s")
        if isinstance(error, ssl.SSLError):
            return NetworkError(f"no safe connection to {host}", allowed=str(error.reason or error)[:200])
        return NetworkError(f"no answer from {host}", allowed=f"{type(error).__name__}: {error}"[:200])


def _opened(target: Target, deadline: _Deadline, *, allow_private: bool) -> socket.socket:
    """A connection to one of the host's addresses, each of them checked."""
    addresses = _looked_up(target, deadline)
    if not allow_private and (inside := [text for text in addresses if not is_public(text)]):
        raise UsageError(
            f"{target.host} is refused: it leads to {inside[0]}",
            allowed="allowed: addresses of the open internet",
            hint="a service of one's own has to be allowed by name: allow_private, --allow-private",
        )
    for place, address in enumerate(addresses):
        try:
            line = socket.create_connection((address, target.port), timeout=deadline.left())
            break
        except OSError:
            if place == len(addresses) - 1:
                raise
    if target.scheme == "https":
        line.settimeout(deadline.left())
        try:
            # The certificate is for the name; that the address is looked up already changes nothing.
            line = ssl.create_default_context().wrap_socket(line, server_hostname=target.host)
        except BaseException:
            line.close()
            raise
    return line


def _looked_up(target: Target, deadline: _Deadline) -> list[str]:
    """Every address the host has now."""
    found: list[Any] = []

    def look_up() -> None:
        try:
            found.extend(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    # The system's lookup knows no timeout: one that hangs is left behind.
    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(deadline.left())
    if not found:
        raise TimeoutError
    if isinstance(found[0], Exception):
        raise OSError("the name has no address")
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Line:
    """A socket as http.client uses one, with every wait cut to what is left of the whole.

    A timeout of the socket's own is for each read: a byte now and then would hold it open for ever.
    """

    def __init__(self, line: socket.socket, deadline: _Deadline) -> None:
        self._line, self._deadline = line, deadline

    def sendall(self, data: bytes) -> None:
        self._line.settimeout(self._deadline.left())
        self._line.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self._line, self._deadline))

    def close(self) -> None:
        """Nothing: http.client closes before the body is read, and who opened the socket closes it."""


class _Incoming(io.RawIOBase):
    def __init__(self, line: socket.socket, deadline: _Deadline) -> None:
        self._line, self._deadline = line, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._line.settimeout(self._deadline.left())
        return self._line.recv_into(buffer)
