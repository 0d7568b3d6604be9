"""Disguised addresses made of a listed domain, with what each must come to: its tier, none, or a flag.

Hand-written: one rule a line. ``OWN`` leads a browser to the domain itself, in whatever spelling;
``NONE`` does not, or is no web address; ``FLAG`` is a name that only looks like it, and is told so.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from brandkit.signals._disguise import skeleton
from brandkit.signals.trust import OFFICIAL_SUFFIXES

OWN, NONE, FLAG = "own", "none", "flag"

# In each, {d} stands for the domain, {D} for it in capitals, {f} in full-width letters.
SPELLINGS: tuple[tuple[str, str], ...] = (
    ("https://{d}/", OWN),
    ("http://{d}", OWN),
    ("https://www.{d}/a", OWN),
    ("HTTPS://{D}/", OWN),
    ("https://WWW.{D}", OWN),
    ("https://{d}./", OWN),
    ("https://{d}:443/", OWN),
    ("http://{d}:80/", OWN),
    ("https://{d}:8443/", OWN),
    ("https://{d}.:443/", OWN),
    ("https://{d}?q=@evil.example", OWN),
    ("https://{d}#@evil.example", OWN),
    ("https://{d}/@evil.example", OWN),
    ("  https://{d}/  ", OWN),
    ("https://{d}/\\evil.example", OWN),
    ("https://{f}/", OWN),
    ("https://a.b.c.{d}/", OWN),
    ("https://{d}.evil.example/", NONE),
    ("https://www.{d}.evil.example/", NONE),
    ("https://{d}-evil.example/", NONE),
    ("https://{d}.github.io/", NONE),
    ("https://{d}.blogspot.com/", NONE),
    ("https://evil.example/{d}", NONE),
    ("https://evil.example/https://{d}/", NONE),
    ("https://evil.example?u={d}", NONE),
    ("https://evil.example#{d}", NONE),
    ("https://evil.example/@{d}/", NONE),
    ("https://{d}@evil.example/", NONE),
    ("https://www.{d}@evil.example/", NONE),
    ("https://evil.example@{d}/", NONE),
    ("https://a:b@{d}/", NONE),
    ("https://a@b@{d}/", NONE),
    ("https://{d}@{d}/", NONE),
    ("https://{d}:443@evil.example/", NONE),
    ("https://{d}:443.evil.example/", NONE),
    ("https://{d}:evil.example/", NONE),
    ("https://{d}\\@evil.example/", NONE),
    ("https://evil.example\\@{d}/", NONE),
    ("https://evil.example\\.{d}/", NONE),
    ("https:\\\\{d}\\", NONE),
    ("https:/{d}/", NONE),
    ("https:{d}", NONE),
    ("//{d}/", NONE),
    ("{d}", NONE),
    ("ftp://{d}/", NONE),
    ("javascript://{d}/%0aalert(1)", NONE),
    ("data:text/html,{d}", NONE),
    ("https://{d}\t.evil.example/", NONE),
    ("https://{d}\n.evil.example/", NONE),
    ("https://\t{d}/", NONE),
    ("https://{d} .evil.example/", NONE),
    ("https://{d}\x00.evil.example/", NONE),
    ("https://{d}%00.evil.example/", NONE),
    ("https://{d}%2f.evil.example", NONE),
    ("https://{d}%2eevil.example/", NONE),
    ("https://%77ww.{d}/", NONE),
    ("https://{d}../", NONE),
    ("https://.{d}/", NONE),
    ("https://..{d}/", NONE),
    ("https://{d}.evil.example./", NONE),
    ("https://\u200b{d}/", NONE),
    ("https://{d}\u200d/", NONE),
    ("https://\u2060{d}/", NONE),
    ("https://\ufeff{d}/", NONE),
    ("https://\u202e{d}/", NONE),
    ("https://{d}\u2066.evil.example/", NONE),
    ("https://{d}／.evil.example/", NONE),
    ("https://{d}⁄.evil.example/", NONE),
    ("https://{d}＠evil.example/", NONE),
    ("https://{d}？.evil.example/", NONE),
    ("https://{d}：443.evil.example/", NONE),
    ("https://{d}。evil.example/", NONE),
    ("https://127.0.0.1/{d}", NONE),
    ("https://[::1]/{d}", NONE),
    ("https://2130706433/{d}", NONE),
    ("https://0x7f.0.0.1/{d}", NONE),
    ("https://x{d}/", NONE),
    ("https://my-{d}/", NONE),
    ("https://fake-gov.uk/{d}", NONE),
    ("https://gov.foo.example/{d}", NONE),
    ("https://gov.uk.evil.example/{d}", NONE),
    ("https://x.github.io/{d}", NONE),
    ("https://evil.example/gov.uk/{d}", NONE),
)
# Letters put over the domain's own; each rule acts where the domain has the letter.
LETTERS: tuple[tuple[str, str], ...] = (
    ("a", "а"),
    ("e", "е"),
    ("o", "о"),
    ("c", "с"),
    ("p", "р"),
    ("x", "х"),
    ("y", "у"),
    ("i", "і"),
    ("s", "ѕ"),
    ("h", "һ"),
    ("o", "ο"),
    ("n", "ո"),
    ("u", "υ"),
    ("t", "τ"),
    ("l", "ӏ"),
    ("g", "ɡ"),
    ("i", "ı"),
    ("e", "é"),
    ("a", "ä"),
    ("o", "ø"),
    ("d", "ԁ"),
    ("k", "к"),
    ("m", "м"),
    ("w", "ԝ"),
    ("r", "г"),
)
WHOLE = str.maketrans("aceopxyisjhbkmtnrudwq", "асеорхуіѕјһькмтпгυԁԝԛ")
_FULL_WIDTH = str.maketrans({c: chr(ord(c) + 0xFEE0) for c in "abcdefghijklmnopqrstuvwxyz0123456789-"})


def addresses(domains: list[str]) -> pl.DataFrame:
    """Every rule on every domain: rule, domain, url, must."""
    rows = [row for domain in domains for row in _of(domain)]
    return pl.DataFrame(rows, schema=["rule", "domain", "url", "must"], orient="row")


def n_rules() -> int:
    """How many rules were written."""
    return len(SPELLINGS) + 2 * len(LETTERS) + 2


def _of(domain: str) -> Iterator[tuple[str, str, str, str]]:
    full = domain.translate(_FULL_WIDTH)
    is_official = f".{domain}".endswith(tuple(f".{suffix}" for suffix in OFFICIAL_SUFFIXES))
    for rule, must in SPELLINGS:
        # Under a registry of public bodies another name is another public body.
        if is_official and rule in ("https://x{d}/", "https://my-{d}/"):
            continue
        yield rule, domain, rule.format(d=domain, D=domain.upper(), f=full), must
    for plain, odd in LETTERS:
        name, _, ending = domain.partition(".")
        yield from _disguised(f"{odd} for {plain}", domain, f"{name.replace(plain, odd, 1)}.{ending}")
    name, _, ending = domain.partition(".")
    yield from _disguised("all that can be, in other letters", domain, f"{name.translate(WHOLE)}.{ending}")


def _disguised(rule: str, domain: str, fake: str) -> Iterator[tuple[str, str, str, str]]:
    if fake == domain:
        return
    # A name that shows another one (two look-alikes of one letter) is no disguise of this one.
    assert skeleton(fake) == domain, (fake, domain)
    yield rule, domain, f"https://{fake}/", FLAG
    label, _, ending = fake.partition(".")
    yield f"{rule}, as A-label", domain, f"https://xn--{_puny(label)}.{ending}/", FLAG


def _puny(label: str) -> str:
    return label.encode("punycode").decode("ascii")
