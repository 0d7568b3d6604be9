"""A first profile from a few answers, and whom to tier first, from items at hand."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from string import Template
from typing import get_args
from urllib.parse import urlsplit

import idna
import polars as pl
import tomli_w

from brandkit.errors import UsageError, near_name
from brandkit.normalise import normalise, registrable_domain
from brandkit.profile import BrandProfile, Tier, slug
from brandkit.safe import plain_text
from brandkit.signals.trust import publishers_for, tier_publishers

FIRST_TO_TIER = 30
# A publisher an editor names without a tier is one they read: better than merely known.
UNGRADED = "B"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a desk says of itself when it starts: the name it goes by, whom it follows, whom it trusts.

    ``sources`` maps a domain to its tier, as ``read_sources`` reads it.
    """

    name: str
    own: Sequence[str] = ()
    rivals: Sequence[str] = ()
    watched: Sequence[str] = ()
    pillars: Sequence[str] = ()
    triggers: Sequence[str] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    timezone: str = "UTC"


def compose(answers: Answers) -> tuple[str, BrandProfile]:
    """The commented TOML of a first profile, and the profile it reads as.

    Raises: ProfileError for answers that make none: nothing to cover, an unknown time zone, a name twice.
    """
    template = resources.files("brandkit.defaults").joinpath("profile.toml").read_text(encoding="utf-8")
    names = ("own", "rivals", "watched", "pillars", "triggers")
    text = Template(template).substitute(
        # The comment on top is no value: a line end in a name would end it.
        title=plain_text(answers.name),
        id=_toml(slug(answers.name)),
        title_value=_toml(plain_text(answers.name)),
        timezone=_toml(answers.timezone.strip()),
        tiers=tomli_w.dumps(dict(sorted(answers.sources.items()))),
        **{name: _toml(_said(getattr(answers, name))) for name in names},
    )
    return text, BrandProfile.from_dict(tomllib.loads(text), where="the answers")


def _said(names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(map(plain_text, names)) if name]


def _toml(value: str | list[str]) -> str:
    return tomli_w.dumps({"x": value}).removeprefix("x = ").rstrip("\n")


def write_profile(text: str, path: Path, *, force: bool = False) -> Path:
    """Write a profile whole or not at all; gives its path.

    Raises: UsageError for a file that is there (unless ``force``) or a folder that cannot be written.
    """
    if path.exists() and not force:
        raise UsageError(
            f"'{path}' is there already", hint="choose another --out, or overwrite it with --force"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", text=True)
        part = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as lines:
                lines.write(text)
            part.chmod(0o644)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"cannot write '{path}': {error.strerror or error}") from None
    return path


def read_sources(given: Iterable[str]) -> dict[str, str]:
    """Domains with their tiers, from ``domain=A`` or a bare domain (which is then B).

    A whole URL is taken for its domain.

    Raises: UsageError for what is no domain or no tier.

    >>> read_sources(["https://www.example.com/news=A", "example.org"])
    {'example.com': 'A', 'example.org': 'B'}
    """
    tiers: dict[str, str] = {}
    for text in given:
        name, _, tier = text.strip().rpartition("=") if _grades(text) else (text.strip(), "", UNGRADED)
        tier = tier.strip().upper()
        if tier not in get_args(Tier):
            raise UsageError(
                f"unknown tier '{tier}' for source '{name}'",
                allowed="known: A, B, C",
                hint=near_name(tier, get_args(Tier)),
            )
        tiers[_domain(name.strip())] = tier
    return tiers


def _grades(text: str) -> bool:
    # An address may hold a = of its own; a tier is the short word after the last one.
    _, found, tier = text.rpartition("=")
    return bool(found) and not ({"/", ".", "&"} & set(tier)) and len(tier.strip()) <= 12


def _domain(name: str) -> str:
    try:
        host = urlsplit(name if "//" in name else f"//{name}").hostname or ""
        ascii_host = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except (ValueError, UnicodeError):
        ascii_host = ""
    domain = registrable_domain(ascii_host) if "@" not in name else None
    if domain is None or not set(domain) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-_"):
        raise UsageError(f"'{name}' is no domain", allowed="such as example.com, or example.com=A")
    return domain


@dataclass(frozen=True, slots=True)
class Survey:
    """How well a profile knows the publishers of some items.

    Shape: ``first`` has domain, n_items and share (of all items), the commonest first: the unlisted
           domains to tier first, at most thirty. An account is no domain and a disguised name is no
           candidate, so neither is in it.
    """

    n_items: int
    n_unlisted: int
    n_domains: int
    first: pl.DataFrame

    @property
    def share(self) -> float:
        """The share of the items that come from publishers on no list; 0 where there are no items."""
        return self.n_unlisted / self.n_items if self.n_items else 0.0


def survey(raw: pl.LazyFrame, profile: BrandProfile) -> Survey:
    """What share of raw rows comes from unlisted publishers, and which domains to tier first.

    Each item counts once, however often it was seen; rows that make no item are left out.
    """
    items = (
        normalise(raw)
        .filter(pl.col("reject_reasons").list.len() == 0)
        .select("item_id", "item_type", "domain", "publisher")
        .unique("item_id", keep="first", maintain_order=True)
        .sort("item_id")
    )
    seen = (
        tier_publishers(items, publishers_for(profile.sources))
        .select("domain", "publisher", "mixed_script", is_unlisted=pl.col("tier") == "unlisted")
        .collect()
    )
    # The domain of a post is its platform's, which is not whom to trust.
    is_domain = ~pl.col("publisher").str.contains(":", literal=True).fill_null(value=True)
    domains = (
        seen.filter(
            pl.col("is_unlisted") & is_domain & ~pl.col("mixed_script") & pl.col("domain").is_not_null()
        )
        .group_by("domain")
        .agg(n_items=pl.len().cast(pl.Int64))
        .sort(["n_items", "domain"], descending=[True, False])
        .with_columns(share=(pl.col("n_items") / max(seen.height, 1)).round(4))
    )
    return Survey(
        n_items=seen.height,
        n_unlisted=int(seen["is_unlisted"].sum()),
        n_domains=domains.height,
        first=domains.head(FIRST_TO_TIER),
    )
