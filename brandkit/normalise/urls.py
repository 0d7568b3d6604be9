"""Canonical URLs, the key that makes two URLs one, and the registrable domain behind a host."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from importlib import resources
from urllib.parse import quote, urlsplit

import idna
import polars as pl

from brandkit.normalise.columns import patched

URL_CHARACTERS = 4_096

_PARTS = r"^(?i:(https?))://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?$"
_AUTHORITY = r"^([a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?|\[[0-9a-f:.]+\])\.?(?::([0-9]{0,5}))?$"
# What is left of quotes, angle brackets and backslashes after settling stands where it fools a reader.
_REFUSED = r'[^\x21-\x7e]|["<>\\`]'
_ODD = r'[^\x21-\x7e]|["%<>\\`]|/\.\.?(?:/|$|[?#])'
# Parameters that say who shared the link, never which page it is.
_TRACKING = (
    r"(^|&)(?i:utm_[^=&]*|pk_[^=&]*|mtm_[^=&]*|hsa_[^=&]*|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|"
    r"twclid|ttclid|igshid|igsh|mc_cid|mc_eid|_hsenc|_hsmi|vero_id|oly_anon_id|oly_enc_id|wickedid|mkt_tok|"
    r"s_cid|cmpid|ocid|ncid|smid|ftag|xtor|wt_mc|guccounter|guce_referrer|guce_referrer_sig)"
    r"(?:=[^&]*)?"
)
_AMP = r"(^|&)(?i:amp|outputtype)(?:=(?i:1|true|amp)?)?($|&)"
# Doors into the same house: the page behind them is one page.
_DOOR = r"^(?:www|m|mobile|amp)\."

_UNRESERVED = re.compile(rb"[A-Za-z0-9._~-]")
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_DOTS = re.compile(r"/\.(?=/|$)")
_UP = re.compile(r"/(?!\.\.(?:/|$))[^/]*/\.\.(?=/|$)|^/\.\.(?=/|$)")

HOST = pl.Struct({"host": pl.String, "domain": pl.String})


def settle_odd(values: pl.Series) -> pl.Series:
    """URLs with anything beyond plain ASCII made plain: A-labels, UTF-8 percent-encoding, no dot segments."""
    return patched(values, _ODD, _settled)


def _settled(url: str) -> str | None:
    if re.search(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]", url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
    except ValueError:
        return None
    # Before the path a backslash ends the host for some readers and not for others.
    if re.search(r'["%<>@\\`]', parts.netloc):
        return None
    if not host.isascii():
        try:
            # UTS 46 maps what looks the same to the same: full-width letters, the ideographic full stop.
            host = idna.encode(host, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    netloc = host if ":" not in host else f"[{host}]"
    # In a path browsers read it as a slash.
    path = _percent(parts.path.replace("\\", "/"))
    path = _DOTS.sub("", path) if "/." in path else path
    while (shorter := _UP.sub("", path, count=1)) != path:
        path = shorter
    query = f"?{_percent(parts.query)}" if parts.query else ""
    return f"{parts.scheme}://{netloc}{f':{port}' if port is not None else ''}{path}{query}"


def _percent(text: str) -> str:
    def upper(found: re.Match[str]) -> str:
        byte = bytes.fromhex(found.group(1))
        return byte.decode() if _UNRESERVED.fullmatch(byte) else f"%{found.group(1).upper()}"

    # A percent sign that starts no escape is left: guessing would make another address of it.
    return quote(_PERCENT.sub(upper, text), safe="!#$%&'()*+,/:;=?@[]~-._|{}^")


def url_columns(frame: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """The frame with ``name`` canonical, and ``_<name>_key``, ``_<name>_host``, ``_<name>_domain`` beside it.

    Canonical: scheme and host in lower case, no default port, no fragment, no tracking parameters, no
    slash at the end of a path. The key folds http and https, and www, m, mobile and amp hosts, too.

    Nulls: all are null for what is no plain http or https address: another scheme, user information,
           white space or control characters, a broken host, or no text at all.
    """
    parts, host = f"_{name}_parts", f"_{name}_authority"
    settled = (
        pl.col(name).str.strip_chars().map_batches(settle_odd, return_dtype=pl.String, is_elementwise=True)
    )
    fit = (pl.col(name).str.len_bytes() <= URL_CHARACTERS) & ~pl.col(name).str.contains(_REFUSED)
    read = pl.when(fit).then(pl.col(name)).str.extract_groups(_PARTS)
    frame = frame.with_columns(settled.alias(name)).with_columns(
        read.struct.rename_fields(["scheme", "authority", "path", "query"]).alias(parts)
    )
    authority = pl.col(parts).struct.field("authority").str.to_lowercase().str.extract_groups(_AUTHORITY)
    frame = frame.with_columns(authority.struct.rename_fields(["host", "port"]).alias(host))
    facts = pl.col(host).struct.field("host").map_batches(host_facts, return_dtype=HOST, is_elementwise=True)
    frame = frame.with_columns(facts.alias(f"_{name}_facts"))
    known = pl.col(f"_{name}_facts").struct.field("host")
    domain = pl.col(f"_{name}_facts").struct.field("domain")
    scheme = pl.col(parts).struct.field("scheme").str.to_lowercase()
    port = pl.col(host).struct.field("port").fill_null("")
    usual = (port == "") | ((scheme == "http") & (port == "80")) | ((scheme == "https") & (port == "443"))
    port = pl.when(usual).then(pl.lit("")).otherwise(":" + port)
    query = (
        pl.col(parts).struct.field("query").fill_null("").str.replace_all(_TRACKING, "").str.strip_chars("&")
    )
    path = pl.col(parts).struct.field("path").str.strip_chars_end("/")
    rest = path + pl.when(query == "").then(pl.lit("")).otherwise("?" + query)
    canonical = (
        scheme + "://" + known + port + pl.when(rest.str.starts_with("/")).then(rest).otherwise("/" + rest)
    )
    bare = query.str.replace_all(_AMP, "${1}").str.strip_chars("&")
    door = pl.when(known == domain).then(known).otherwise(known.str.replace(_DOOR, ""))
    key = door + port + path + pl.when(bare == "").then(pl.lit("")).otherwise("?" + bare)
    return frame.with_columns(
        canonical.alias(name),
        key.alias(f"_{name}_key"),
        known.alias(f"_{name}_host"),
        domain.alias(f"_{name}_domain"),
    ).drop(parts, host, f"_{name}_facts")


def no_url_columns(frame: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """The columns of ``url_columns``, null, for a source that gives no such URL."""
    names = (name, f"_{name}_key", f"_{name}_host", f"_{name}_domain")
    return frame.with_columns(pl.lit(None, dtype=pl.String).alias(column) for column in names)


def host_facts(hosts: pl.Series) -> pl.Series:
    """Each host with its registrable domain: a Struct{host, domain}; both null for a broken host.

    Worked out once for each distinct host, of which there are few.
    """
    rare = hosts.drop_nulls().unique()
    known = [host if _is_host(host) else None for host in rare.to_list()]
    facts = pl.DataFrame(
        {
            "raw": rare,
            "host": known,
            "domain": [registrable_domain(host) if host else None for host in known],
        },
        schema={"raw": pl.String, "host": pl.String, "domain": pl.String},
    )
    joined = pl.DataFrame({"raw": hosts}, schema={"raw": pl.String}).join(
        facts, on="raw", how="left", maintain_order="left"
    )
    return joined.select(pl.struct("host", "domain")).to_series().alias(hosts.name)


def domains_of(given: pl.Series) -> pl.Series:
    """The registrable domain behind each URL or bare host, found as the domain of an item is.

    Nulls: for what an item could not have: no host, user information, an IP address, a single label.

    >>> domains_of(pl.Series(["https://www.Example.co.uk/a", "m.example.com", "a@b.example"])).to_list()
    ['example.co.uk', 'example.com', None]
    """
    text = pl.col("url").str.strip_chars()
    whole = pl.when(text.str.contains("://", literal=True)).then(text).otherwise("https://" + text)
    frame = given.cast(pl.String).alias("url").to_frame().lazy().with_columns(whole)
    return url_columns(frame, "url").collect()["_url_domain"].alias(given.name)


@lru_cache(maxsize=100_000)
def _is_host(host: str) -> bool:
    if host.startswith("["):
        return _is_address(host[1:-1])
    return len(host) <= 253 and all(0 < len(label) <= 63 for label in host.split("."))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=100_000)
def registrable_domain(host: str) -> str | None:
    """The registrable domain of a host given as A-labels, by the packaged public suffix list.

    A host that is itself a suffix (gov.uk, github.io) stands for itself. Private suffixes count: two
    blogs on one platform are two publishers.

    Nulls:  none for an IP address or a single label.

    >>> registrable_domain("news.example.co.uk"), registrable_domain("gov.uk"), registrable_domain("10.0.0.1")
    ('example.co.uk', 'gov.uk', None)
    """
    labels = host.lower().rstrip(".").split(".")
    # No top-level domain is a number, so a number at the end makes an address of it, in any notation.
    if (
        len(labels) < 2
        or not all(labels)
        or host.startswith("[")
        or re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1])
    ):
        return None
    n = _suffix_length(labels)
    return ".".join(labels[-(n + 1) :])


def _suffix_length(labels: list[str]) -> int:
    exact, wildcards, exceptions = _suffixes()
    length = 1
    for n in range(1, len(labels) + 1):
        tail = ".".join(labels[-n:])
        if tail in exceptions:
            return n - 1
        if tail in exact:
            length = n
        if tail in wildcards and n < len(labels):
            length = n + 1
    return length


@lru_cache(maxsize=1)
def _suffixes() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The rules of the packaged list, private section included: exact, wildcard and exception."""
    exact: set[str] = set()
    wildcards: set[str] = set()
    exceptions: set[str] = set()
    text = resources.files("publicsuffixlist").joinpath("public_suffix_list.dat").read_text(encoding="utf-8")
    for line in text.splitlines():
        rule = line.split()[0] if line.strip() and not line.startswith("//") else ""
        if not rule:
            continue
        kind = exceptions if rule.startswith("!") else wildcards if rule.startswith("*.") else exact
        kind.add(a_labels(rule.removeprefix("!").removeprefix("*.")))
    return frozenset(exact), frozenset(wildcards), frozenset(exceptions)


def a_labels(name: str) -> str:
    """A host name in plain ASCII, as items carry it; lower case.

    Raises: UnicodeError for what is no host name.

    >>> a_labels("Bücher.example")
    'xn--bcher-kva.example'
    """
    return name.lower() if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
