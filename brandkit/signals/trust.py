"""Who stands behind each item: tier, family, role and audience of its publisher.

Tiers come from an exact registrable domain, then from whole-label suffixes; never from how a text
happens to end. What a profile says of a publisher wins over the packaged list.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from brandkit.errors import InputError, UsageError, near_name
from brandkit.normalise import a_labels, account_key, domains_of
from brandkit.schemas import TIER
from brandkit.signals._disguise import mixed_script, skeletons

if TYPE_CHECKING:
    from brandkit.pipeline import RunContext
    from brandkit.profile import SourcePolicy

ROLES = ("outlet", "wire", "portal", "official", "own")
LISTED = ("A", "B", "C")
PUBLISHER_COLUMNS = ("domain", "family", "tier", "role", "audience")

# Names under these are given to public bodies only: by a registry, or by the government whose own
# domain it is. Longest match wins.
OFFICIAL_SUFFIXES: tuple[str, ...] = (
    "gov", "mil", "int", "europa.eu",
    "gov.uk", "police.uk", "nhs.uk", "parliament.uk", "judiciary.uk", "gov.scot", "gov.wales", "gov.ie",
    "gc.ca", "gov.au", "govt.nz", "gov.in", "nic.in", "gov.za", "gov.ng", "go.ke", "gov.gh", "gov.eg",
    "gouv.fr", "bund.de", "admin.ch", "gv.at", "gov.it", "gob.es", "gov.pt", "gov.pl", "gov.gr", "gov.cz",
    "gov.ro", "gov.hu", "gov.ua", "gov.il", "gov.tr", "gov.sa", "gov.ae", "gov.sg", "gov.hk",
    "go.jp", "go.kr", "go.th", "go.id", "gov.my", "gov.ph", "gov.vn", "gov.tw", "gov.cn", "gov.ru",
    "gov.br", "jus.br", "leg.br", "mp.br", "gob.mx", "gob.ar", "gob.cl", "gob.pe", "gov.co", "gub.uy",
)  # fmt: skip

# A name as a host has it: two labels or more of plain letters, digits, hyphens and underscores.
_HOST_NAME = r"^[a-z0-9_-]+(\.[a-z0-9_-]+)+$"
_PAGE = r"^\s*(?:[a-zA-Z]+://)?[^/?#]+(?:/[^/?#\s]|/?[?#])"
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
        domain=pl.Series([name and item_key(name) for name in text["domain"]], dtype=pl.String),
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
    own = dict.fromkeys(sources.own_domains, "own")
    said_of: dict[str, Mapping[str, str | int]] = {
        "tier": sources.tiers,
        "family": sources.families,
        "role": {**sources.roles, **own},
        "audience": sources.audiences,
    }
    tables = {
        name: _with_pseudonyms({item_key(key): value for key, value in table.items()})
        for name, table in said_of.items()
    }
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


def item_key(key: str) -> str:
    """A key as items carry it: in lower case and, where it is a domain, in A-labels."""
    plain = key.strip().lower().rstrip(".")
    if plain.isascii() or ":" in plain:
        return plain
    dot = "." if plain.startswith(".") else ""
    try:
        return dot + a_labels(plain.removeprefix("."))
    except UnicodeError:
        # No item can have it; ``sources audit`` names it.
        return plain


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
            becomes its family. ``mixed_script`` says that the name is a disguise: a label mixes
            scripts, or the whole name, itself on no list, is written to look like one that is.
    Nulls:  no publisher, or one on no list, is ``unlisted`` with null role and audience; so is a
            disguise, and whatever cannot be a host's name.
    """
    items = items.drop([c for c in _GIVEN if c in items.collect_schema().names()])
    is_suffix = pl.col("domain").str.starts_with(".")
    exact = publishers.filter(~is_suffix).select(
        "domain", *(pl.col(c).alias(f"_{c}") for c in PUBLISHER_COLUMNS[1:]), _is_known=pl.lit(value=True)
    )
    known = _keyed(items).join(
        exact.lazy(), left_on="_key", right_on="domain", how="left", maintain_order="left"
    )
    known = _unmasked(known, exact)
    known = _join_suffixes(known, _suffixes(publishers.filter(is_suffix)))
    is_listed = pl.col("_tier").is_not_null() | pl.col("_suffix_tier").is_not_null()
    return known.with_columns(
        tier=pl.coalesce("_tier", "_suffix_tier", pl.lit("unlisted", dtype=TIER)),
        role=pl.coalesce("_role", "_suffix_role", pl.when(is_listed).then(pl.lit("outlet"))),
        audience=pl.col("_audience"),
        publisher=pl.coalesce("_family", "publisher"),
    ).drop("^_(key|tier|family|role|audience|is_known|suffix_tier|suffix_role)$")


def _keyed(items: pl.LazyFrame) -> pl.LazyFrame:
    """The items with ``mixed_script``, and in ``_key`` what a publisher table would know each by."""
    mixed = (
        pl.col("domain")
        .cast(pl.String)
        .map_batches(mixed_script, return_dtype=pl.Boolean(), is_elementwise=True)
    )
    is_account = pl.col("publisher").str.contains(":", literal=True)
    is_post = (pl.col("item_type").cast(pl.String) == "post").fill_null(value=False)
    # A post without an account has no publisher: its domain is the platform's, or its target's.
    key = pl.when(is_account).then("publisher").when(~is_post).then(pl.coalesce("domain", "publisher"))
    # Lower case by ASCII alone: in Unicode a Kelvin sign is a k.
    name = pl.when(key.str.contains(r"^[\x00-\x7f]+$")).then(key.str.to_lowercase())
    is_name = ~pl.col("mixed_script") & name.str.contains(_HOST_NAME)
    return items.with_columns(mixed_script=mixed.fill_null(value=False)).with_columns(
        _key=pl.when(is_account).then(key.str.to_lowercase()).when(is_name).then(name)
    )


def _unmasked(known: pl.LazyFrame, exact: pl.DataFrame) -> pl.LazyFrame:
    """The items with ``mixed_script`` also where an unknown name looks like one that is known."""
    looks = (
        pl.col("domain").cast(pl.String).map_batches(skeletons, return_dtype=pl.String(), is_elementwise=True)
    )
    imitated = exact.lazy().select("domain", _is_imitated=pl.lit(value=True))
    found = known.with_columns(_looks=looks).join(
        imitated, left_on="_looks", right_on="domain", how="left", maintain_order="left"
    )
    is_mask = pl.col("_is_imitated").is_not_null() & pl.col("_is_known").is_null()
    is_account = pl.col("publisher").str.contains(":", literal=True).fill_null(value=False)
    return found.with_columns(
        mixed_script=pl.col("mixed_script") | is_mask, _key=pl.when(~is_mask | is_account).then("_key")
    ).drop("_looks", "_is_imitated")


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


def trust(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Say who stands behind each item, in the eyes of the run's profile.

    Shape:  the same rows, plus tier, role, audience, mixed_script; ``publisher`` folded by family.
    Nulls:  an item without a publisher is unlisted; a post's target lends it nothing.
    """
    return tier_publishers(items, publishers_for(ctx.profile.sources))


def tiers_from_ratings(
    ratings: pl.DataFrame,
    *,
    cutoffs: Mapping[str, float],
    domain: str | None = None,
    rating: str | None = None,
) -> pl.DataFrame:
    """Tiers from any public ratings list, by cut-offs: ``{"A": .8, "B": .6, "C": .4}``.

    Shape:  a domain (or URL) and a number in: the columns named, else the first String and the first
            numeric one. domain, tier out: one row per registrable domain, sorted. A domain rated
            twice counts with its lower rating. What is no domain is left out, and so is the address of
            a page: what somebody writes on a platform says nothing of the platform.
    Units:  a tier is given from its cut-off on; a higher rating is a better one.
    Nulls:  no rating, or one below every cut-off, is ``unlisted``: rated is not the same as listed.
    Raises: UsageError for cut-offs that are empty, unknown or out of order; InputError for a list
            without a domain and a number, or without the column named.

    >>> rated = pl.DataFrame({"domain": ["a.example", "www.b.example"], "quality": [0.9, 0.5]})
    >>> tiers_from_ratings(rated, cutoffs={"A": 0.8, "B": 0.6}).rows()
    [('a.example', 'A'), ('b.example', 'unlisted')]
    """
    steps = _steps(cutoffs)
    names = [name for name, dtype in ratings.schema.items() if dtype == pl.String]
    numbers = [name for name, dtype in ratings.schema.items() if dtype.is_numeric()]
    by = _column(ratings, domain, names, "a domain"), _column(ratings, rating, numbers, "a number")
    tier = pl.lit("unlisted", dtype=TIER)
    number = pl.col("rating").cast(pl.Float64).fill_nan(None)
    for name, least in reversed(steps):
        tier = pl.when(number >= least).then(pl.lit(name, dtype=TIER)).otherwise(tier)
    return (
        pl.DataFrame({"domain": rated_domains(ratings[by[0]]), "rating": ratings[by[1]]})
        .drop_nulls("domain")
        .group_by("domain")
        .agg(pl.col("rating").min())
        .select("domain", tier=tier)
        .sort("domain")
    )


def rated_domains(given: pl.Series) -> pl.Series:
    """The domain each entry of a ratings list rates; null for no domain, and for a page of one."""
    is_page = given.str.contains(_PAGE)
    return domains_of(given).set(is_page.fill_null(value=False), None)


def _steps(cutoffs: Mapping[str, float]) -> list[tuple[str, float]]:
    steps = [(tier, cutoffs[tier]) for tier in LISTED if tier in cutoffs]
    numbers = [float(least) for _, least in steps]
    falls = numbers == sorted(set(numbers), reverse=True) and all(map(math.isfinite, numbers))
    if not steps or len(steps) != len(cutoffs) or not falls:
        raise UsageError(
            f"cut-offs {dict(cutoffs)} do not step down from A to C",
            allowed='for example {"A": 0.8, "B": 0.6, "C": 0.4}; tiers may be left out',
        )
    return steps


def _column(ratings: pl.DataFrame, named: str | None, fit: list[str], what: str) -> str:
    """The column named, or else the first that fits."""
    if named is None and fit:
        return fit[0]
    if named in fit:
        return str(named)
    there = ", ".join(f"{name} ({dtype})" for name, dtype in ratings.schema.items())
    if named in ratings.columns:
        wrong = f"column '{named}' of the ratings list holds {ratings.schema[str(named)]}, not {what}"
    elif named is not None:
        wrong = f"the ratings list has no column '{named}'"
    else:
        wrong = f"a ratings list needs a domain and a number, and has not {what}"
    raise InputError(wrong, allowed=f"columns: {there}", hint=near_name(named or "", ratings.columns))
