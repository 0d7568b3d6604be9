"""Who stands behind each item: tier, family, role and audience of its publisher.

Tiers come from an exact registrable domain, then from whole-label suffixes; never from how a text
happens to end. What a profile says of a publisher wins over the packaged list.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from brandkit.errors import InputError, UsageError, near_name
from brandkit.normalise import account_key
from brandkit.schemas import TIER

if TYPE_CHECKING:
    from brandkit.pipeline import RunContext
    from brandkit.profile import SourcePolicy

ROLES = ("outlet", "wire", "portal", "official", "own")
LISTED = ("A", "B", "C")
PUBLISHER_COLUMNS = ("domain", "family", "tier", "role", "audience")

# Registries that give names under these to public bodies only. Longest match wins.
OFFICIAL_SUFFIXES: tuple[str, ...] = (
    "gov", "mil", "int", "europa.eu",
    "gov.uk", "police.uk", "nhs.uk", "parliament.uk", "judiciary.uk", "gov.scot", "gov.wales", "gov.ie",
    "gc.ca", "gov.au", "govt.nz", "gov.in", "nic.in", "gov.za", "gov.ng", "go.ke", "gov.gh", "gov.eg",
    "gouv.fr", "bund.de", "admin.ch", "gv.at", "gov.it", "gob.es", "gov.pt", "gov.pl", "gov.gr", "gov.cz",
    "gov.se", "gov.ro", "gov.hu", "gov.ua", "gov.il", "gov.tr", "gov.sa", "gov.ae", "gov.sg", "gov.hk",
    "go.jp", "go.kr", "go.th", "go.id", "gov.my", "gov.ph", "gov.vn", "gov.tw", "gov.cn", "gov.ru",
    "gov.br", "jus.br", "leg.br", "mp.br", "gob.mx", "gob.ar", "gob.cl", "gob.pe", "gov.co", "gub.uy",
)  # fmt: skip

# Scripts that one language writes together, so that their mixture says nothing.
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
_GIVEN = ("tier", "role", "audience", "mixed_script")


def load_publishers(path: str | Path | None = None) -> pl.DataFrame:
    """The publishers of a CSV file, or of the packaged list: one row per registrable domain.

    Shape:  domain, family String; tier Enum A, B, C; role String; audience Int64, sorted by domain.
    Units:  audience is people a month, an order of magnitude and not a measurement.
    Nulls:  family defaults to the domain, role to outlet; audience may be null.
    Raises: InputError for a missing column, a duplicate domain, an unknown tier or role.
    """
    return _packaged() if path is None else read_publishers(Path(path))


@cache
def _packaged() -> pl.DataFrame:
    return read_publishers(Path(__file__).parents[1] / "defaults" / "publishers.csv")


def read_publishers(path: Path) -> pl.DataFrame:
    """The checked rows of one publishers file; ``load_publishers`` says what they are."""
    try:
        raw = pl.read_csv(path, comment_prefix="#", infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"cannot read the publisher list '{path}': {error}") from None
    if missing := [column for column in ("domain", "tier") if column not in raw.columns]:
        raise InputError(
            f"the publisher list lacks {', '.join(missing)}",
            where=f"in {path}",
            allowed=f"columns: {', '.join(PUBLISHER_COLUMNS)}",
        )
    return check_publishers(raw, where=f"in {path}")


def check_publishers(raw: pl.DataFrame, *, where: str = "") -> pl.DataFrame:
    """A publisher table with its types, once every row has been found usable."""
    absent = [pl.lit(None, dtype=pl.String).alias(c) for c in PUBLISHER_COLUMNS if c not in raw.columns]
    text = raw.with_columns(absent).select(
        pl.col(c).cast(pl.String).str.strip_chars().replace({"": None}) for c in PUBLISHER_COLUMNS
    )
    rows = text.with_columns(
        domain=pl.col("domain").str.to_lowercase().str.strip_chars_end("."),
        role=pl.col("role").fill_null("outlet"),
        audience_read=pl.col("audience").cast(pl.Int64, strict=False),
    ).with_columns(family=pl.col("family").fill_null(pl.col("domain")))
    bad_audience = pl.col("audience").is_not_null() & (pl.col("audience_read").fill_null(-1) < 0)
    _refuse(rows.filter(pl.col("domain").is_null()), "tier", "a row without a domain, tier", where=where)
    _refuse(rows.filter(pl.col("domain").is_duplicated()), "domain", "duplicate domain", where=where)
    _refuse(
        rows.filter(~pl.col("tier").is_in(LISTED).fill_null(value=False)),
        "tier",
        "unknown tier",
        where=where,
        allowed=LISTED,
    )
    _refuse(rows.filter(~pl.col("role").is_in(ROLES)), "role", "unknown role", where=where, allowed=ROLES)
    _refuse(rows.filter(bad_audience), "audience", "an audience that is no number of people", where=where)
    return rows.select(
        "domain", "family", pl.col("tier").cast(TIER), "role", audience=pl.col("audience_read")
    ).sort("domain")


def _refuse(bad: pl.DataFrame, column: str, what: str, *, where: str, allowed: tuple[str, ...] = ()) -> None:
    if bad.is_empty():
        return
    value, domain = str(bad[column][0]), bad["domain"][0]
    raise InputError(
        f"{what} '{value}'",
        where=f"for {domain} {where}".rstrip(),
        allowed=f"known: {', '.join(allowed)}" if allowed else "",
        hint=near_name(value, allowed) if allowed else f"{bad.height} rows are like this",
    )


def publishers_for(sources: SourcePolicy) -> pl.DataFrame:
    """The publishers one profile knows: its own word first, the packaged list underneath.

    Shape: the columns of ``load_publishers``; a key is a domain, ``platform:account``, or a suffix
    written with a leading dot. tier is null where the profile names a publisher without tiering it.
    """
    own = {domain.lower(): "own" for domain in sources.own_domains}
    tables: dict[str, Mapping[str, str | int]] = {
        "tier": sources.tiers,
        "family": sources.families,
        "role": {**sources.roles, **own},
        "audience": sources.audiences,
    }
    tables = {name: _with_pseudonyms(table) for name, table in tables.items()}
    keys = sorted(set().union(*tables.values()))
    types = {"tier": TIER, "family": pl.String(), "role": pl.String(), "audience": pl.Int64()}
    said = pl.DataFrame(
        {"domain": keys, **{name: [table.get(key) for key in keys] for name, table in tables.items()}},
        schema={"domain": pl.String(), **types},
    )
    if not sources.use_defaults:
        return said.select(PUBLISHER_COLUMNS)
    merged = said.join(load_publishers(), on="domain", how="full", coalesce=True, suffix="_packaged")
    return merged.select(
        "domain", *(pl.coalesce(name, f"{name}_packaged").alias(name) for name in PUBLISHER_COLUMNS[1:])
    ).sort("domain")


def _with_pseudonyms(table: Mapping[str, str | int]) -> dict[str, str | int]:
    """The table, with every ``platform:account`` also under the pseudonym that items carry."""
    named = {key: key.partition(":") for key in table if ":" in key}
    known_as = {
        f"{platform}:{account_key(platform, account)}": table[key]
        for key, (platform, _, account) in named.items()
    }
    return {**table, **known_as}


def tier_publishers(items: pl.LazyFrame, publishers: pl.DataFrame) -> pl.LazyFrame:
    """Items with the tier, role, audience and folded publisher that a publisher table gives them.

    Shape:  the same rows in the same order, plus tier, role, audience, mixed_script; ``publisher``
            becomes its family.
    Nulls:  no publisher, or one on no list, is ``unlisted`` with null role and audience.
    """
    items = items.drop([c for c in _GIVEN if c in items.collect_schema().names()])
    is_suffix = pl.col("domain").str.starts_with(".")
    exact = publishers.filter(~is_suffix).select(
        "domain", *(pl.col(c).alias(f"_{c}") for c in PUBLISHER_COLUMNS[1:])
    )
    mixed = (
        pl.col("domain")
        .cast(pl.String)
        .map_batches(_mixed_script, return_dtype=pl.Boolean(), is_elementwise=True)
    )
    is_account = pl.col("publisher").str.contains(":", literal=True)
    is_post = (pl.col("item_type").cast(pl.String) == "post").fill_null(value=False)
    # A post without an account has no publisher: its domain is the platform's, or its target's.
    key = pl.when(is_account).then("publisher").when(~is_post).then(pl.coalesce("domain", "publisher"))
    keyed = items.with_columns(
        mixed_script=mixed.fill_null(value=False),
        _key=key.str.to_lowercase(),
    ).with_columns(_key=pl.when(~pl.col("mixed_script") | is_account).then("_key"))
    known = keyed.join(exact.lazy(), left_on="_key", right_on="domain", how="left", maintain_order="left")
    known = _join_suffixes(known, _suffixes(publishers.filter(is_suffix)))
    is_listed = pl.col("_tier").is_not_null() | pl.col("_suffix_tier").is_not_null()
    return known.with_columns(
        tier=pl.coalesce("_tier", "_suffix_tier", pl.lit("unlisted", dtype=TIER)),
        role=pl.coalesce("_role", "_suffix_role", pl.when(is_listed).then(pl.lit("outlet"))),
        audience=pl.col("_audience"),
        publisher=pl.coalesce("_family", "publisher"),
    ).drop("^_(key|tier|family|role|audience|suffix_tier|suffix_role)$")


def _suffixes(said: pl.DataFrame) -> pl.DataFrame:
    packaged = pl.DataFrame({"suffix": OFFICIAL_SUFFIXES}).with_columns(
        _suffix_tier=pl.lit("A", dtype=TIER), _suffix_role=pl.lit("official")
    )
    own = said.select(
        suffix=pl.col("domain").str.strip_chars_start("."), _suffix_tier="tier", _suffix_role="role"
    )
    return pl.concat([own, packaged]).unique("suffix", keep="first", maintain_order=True)


def _join_suffixes(items: pl.LazyFrame, suffixes: pl.DataFrame) -> pl.LazyFrame:
    """Longest whole-label suffix first: 'example.gov.uk' asks for gov.uk before uk."""
    widest = int(suffixes["suffix"].str.count_matches(".", literal=True).max() or 0) + 1  # type: ignore[arg-type]
    labels = pl.col("_key").str.split(".")
    is_domain = ~pl.col("_key").str.contains(":", literal=True)
    for n in range(widest, 0, -1):
        tail = pl.when(is_domain & (labels.list.len() >= n)).then(labels.list.tail(n).list.join("."))
        items = items.with_columns(_tail=tail).join(
            suffixes.lazy().rename({"_suffix_tier": f"_t{n}", "_suffix_role": f"_r{n}"}),
            left_on="_tail",
            right_on="suffix",
            how="left",
            maintain_order="left",
        )
    order = range(widest, 0, -1)
    return items.with_columns(
        _suffix_tier=pl.coalesce([f"_t{n}" for n in order]),
        _suffix_role=pl.coalesce([f"_r{n}" for n in order]),
    ).drop("_tail", *(f"_t{n}" for n in order), *(f"_r{n}" for n in order))


def _mixed_script(domains: pl.Series) -> pl.Series:
    """Whether a label of each domain mixes scripts that no language writes together."""
    # Only internationalised names can mix, and a day has few distinct ones.
    odd = domains.filter(domains.str.contains(r"(^|\.)xn--|[^\x00-\x7f]").fill_null(value=False)).unique()
    mixed = [name for name in odd.to_list() if any(_mixes(label) for label in name.split("."))]
    return domains.is_in(pl.Series(mixed, dtype=pl.String).implode())


def _mixes(label: str) -> bool:
    if label.startswith("xn--"):
        try:
            label = label[4:].encode("ascii").decode("punycode")
        except UnicodeError:
            # A label that decodes to nothing hides what it shows; it is treated as a disguise.
            return True
    scripts = {unicodedata.name(letter, "UNKNOWN").split()[0] for letter in label if letter.isalpha()}
    return len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER)


def trust(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Say who stands behind each item, in the eyes of the run's profile.

    Shape:  the same rows, plus tier, role, audience, mixed_script; ``publisher`` folded by family.
    Nulls:  an item without a publisher is unlisted; a post's target lends it nothing.
    """
    return tier_publishers(items, publishers_for(ctx.profile.sources))


def tiers_from_ratings(ratings: pl.DataFrame, *, cutoffs: Mapping[str, float]) -> pl.DataFrame:
    """Tiers from any public ratings list, by cut-offs: ``{"A": .8, "B": .6, "C": .4}``.

    Shape:  a domain and a number in (the first String and the first numeric column); domain, tier
            out, one row per domain, sorted. A domain rated twice counts with its lower rating.
    Nulls:  no rating, or one below every cut-off, is ``unlisted``: rated is not the same as listed.
    Raises: UsageError for cut-offs that are empty, unknown or out of order; InputError for a list
            without a domain and a number.

    >>> rated = pl.DataFrame({"domain": ["a.example", "b.example"], "quality": [0.9, 0.5]})
    >>> tiers_from_ratings(rated, cutoffs={"A": 0.8, "B": 0.6})["tier"].to_list()
    ['A', 'unlisted']
    """
    steps = [(tier, cutoffs[tier]) for tier in LISTED if tier in cutoffs]
    if (
        not steps
        or len(steps) != len(cutoffs)
        or [s[1] for s in steps] != sorted({s[1] for s in steps}, reverse=True)
    ):
        raise UsageError(
            f"cut-offs {dict(cutoffs)} do not step down from A to C",
            allowed='for example {"A": 0.8, "B": 0.6, "C": 0.4}; tiers may be left out',
        )
    names = [name for name, dtype in ratings.schema.items() if dtype == pl.String]
    numbers = [name for name, dtype in ratings.schema.items() if dtype.is_numeric()]
    if not names or not numbers:
        raise InputError("a ratings list needs a domain and a number", allowed=f"there are: {ratings.schema}")
    tier = pl.lit("unlisted", dtype=TIER)
    rating = pl.col("rating").cast(pl.Float64).fill_nan(None)
    for name, least in reversed(steps):
        tier = pl.when(rating >= least).then(pl.lit(name, dtype=TIER)).otherwise(tier)
    domain = (
        pl.col(names[0])
        .str.strip_chars()
        .str.to_lowercase()
        .str.strip_prefix("www.")
        .str.strip_chars_end(".")
    )
    return (
        ratings.select(domain=domain, rating=pl.col(numbers[0]))
        .filter(pl.col("domain").str.len_chars() > 0)
        .group_by("domain")
        .agg(pl.col("rating").min())
        .select("domain", tier=tier)
        .sort("domain")
    )
