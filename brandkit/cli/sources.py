"""``brandkit sources``: whom a desk hears from, and tiers out of a public ratings list."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import PATH, Answer, Command, Group, open_store
from brandkit.cli.reading import profile_id_of
from brandkit.cli.spans import span_options
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import UsageError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from brandkit.record.audit import SourceAudit
    from brandkit.sources.ratings import Ratings

# The busiest publishers, and of what may be wrong as many as a person looks at.
SHOWN = 15


@click.group(cls=Group)
def sources() -> None:
    """Look at the publishers behind the runs, or take tiers from a ratings list."""


@sources.command(
    "audit", cls=Command, epilog="\b\nExample:\n  brandkit sources audit --first 2026-03-02 --last 2026-03-08"
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=30, show_default=True, help="How many to tier first."
)
@span_options
def audit(
    limit: int, first: datetime | None, last: datetime | None, profile_id: str | None, store_path: Path | None
) -> Answer:
    """Say who is heard, what share of it is from publishers on no list, and whom to tier first.

    Of all daily runs in the store, or of one profile's. Where --profile is a file, its sources judge as
    they are now; else each run's as it froze them. Also named: publishers that may be one, names that
    look like a listed publisher's, and keys of the profile that no item can ever have.
    """
    from brandkit.record.audit import audit_sources

    found = audit_sources(
        open_store(store_path),
        **_whose(profile_id),
        first=first.date() if first else None,
        last=last.date() if last else None,
        most=limit,
    )
    return Answer(_audit_data(found), lambda screen: _show_audit(screen, found))


def _whose(given: str | None) -> dict[str, Any]:
    from brandkit.profile import BrandProfile

    if given and (given.endswith(".toml") or Path(given).is_file()):
        return {"profile": BrandProfile.from_toml(given)}
    return {"profile_id": profile_id_of(given)}


def _audit_data(found: SourceAudit) -> dict[str, Any]:
    names = (
        "first", "last", "n_items", "n_nameless", "n_by_account", "n_by_domain", "n_unlisted", "n_portal",
    )  # fmt: skip
    frames = ("publishers", "tier_first", "twins", "lookalikes", "never_match")
    return {
        "profile_ids": list(found.profile_ids),
        "runs": list(found.runs),
        **{name: getattr(found, name) for name in names},
        "share_unlisted": round(found.share_unlisted, 4),
        **{name: getattr(found, name).to_dicts() for name in frames},
    }


def _show_audit(screen: Console, found: SourceAudit) -> None:
    days = f"{found.first}" if found.first == found.last else f"{found.first} to {found.last}"
    runs = f"{len(found.runs)} run{'' if len(found.runs) == 1 else 's'}"
    show_line(
        screen, f"{', '.join(found.profile_ids)}, {days}: {runs}, {found.n_items:,} items", style="bold"
    )
    show_line(
        screen,
        f"{found.share_unlisted:.0%} of {found.n_by_domain:,} items by domains come from domains on no list;"
        f" {found.n_portal:,} come through portals, {found.n_by_account:,} from accounts,"
        f" {found.n_nameless:,} from nobody named",
    )
    _show_publishers(screen, found.publishers.head(SHOWN), "who is heard most")
    if found.tier_first.height:
        _show_publishers(screen, found.tier_first, "tier these first, in [sources.tiers]", weight=True)
    _show_pairs(screen, found)
    for row in found.never_match.iter_rows(named=True):
        said = f"say {row['instead']}" if row["instead"] else "it is no domain"
        show_line(screen, f"profile '{row['profile_id']}' names {row['key']}, which no item can have: {said}")


def _show_publishers(screen: Console, rows: pl.DataFrame, title: str, *, weight: bool = False) -> None:
    columns = ("publisher", "tier", "role", "items", "share", "originals", "stories", "that matter")
    table = [
        (
            row["publisher"], row["tier"], row["role"], row["n_items"], f"{row['share']:.1%}",
            row["n_originals"], row["n_stories"], row["n_mattered"],
            *((f"{row['weight']:,.1f}",) if weight else ()),
        )
        for row in rows.iter_rows(named=True)
    ]  # fmt: skip
    heads = (*columns, "weight") if weight else columns
    show_table(screen, heads, table, title=title, right=heads[3:], cut=("publisher",))


def _show_pairs(screen: Console, found: SourceAudit) -> None:
    if found.twins.height:
        rows = [
            (row["publisher_a"], row["publisher_b"], row["how"], row["n_shared"] or None, *_shares(row))
            for row in found.twins.head(SHOWN).iter_rows(named=True)
        ]
        columns = ("publisher", "and", "alike by", "items in both", "of the first", "of the second")
        title = "these may be one newsroom: fold them in [sources.families], or leave them"
        show_table(screen, columns, rows, title=title, right=columns[3:], cut=columns[:2])
        _show_more(screen, found.twins.height)
    if found.lookalikes.height:
        look = [
            (row["host"], row["looks_like"], row["how"], row["n_items"])
            for row in found.lookalikes.head(SHOWN).iter_rows(named=True)
        ]
        heads = ("host", "looks like", "by", "items")
        title = "these look like a listed publisher, and are on no list"
        show_table(screen, heads, look, title=title, right=("items",), cut=heads[:2])
        _show_more(screen, found.lookalikes.height)


def _shares(row: dict[str, Any]) -> tuple[str | None, ...]:
    shares = (row["share_a"], row["share_b"])
    return tuple(None if share is None else f"{share:.0%}" for share in shares)


def _show_more(screen: Console, n_rows: int) -> None:
    if n_rows > SHOWN:
        show_line(screen, f"and {n_rows - SHOWN:,} more; --json has all", style="dim")


@sources.command(
    "import",
    cls=Command,
    short_help="Turn a public ratings list into tiers, by cut-offs.",
    epilog="\b\nExample:\n  brandkit sources import ratings.csv --cutoffs A=.8,B=.6,C=.4 --out rated.csv",
)
@click.argument("ratings", type=PATH)
@click.option(
    "--cutoffs",
    required=True,
    metavar="A=N,B=N,C=N",
    help="The least rating of each tier; tiers may be left out.",
)
@click.option(
    "--domain", metavar="COLUMN", help="The column of domains. [default: the first that holds such]"
)
@click.option(
    "--rating", metavar="COLUMN", help="The column of numbers, higher is better. [default: the only one]"
)
@click.option(
    "--out", type=PATH, help="The file to write: .csv for [sources] lists, .toml for [sources.tiers]."
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
def import_(
    ratings: Path, cutoffs: str, domain: str | None, rating: str | None, out: Path | None, force: bool
) -> Answer:
    """Turn a ratings list (CSV, TSV, Parquet or Arrow: a domain and a number) into tiers.

    RATINGS is the file. A domain rated twice counts with its lower rating; what is no domain, and the
    address of a single page, is left out and counted. Without --out nothing is written.
    """
    from brandkit.onboard import write_profile
    from brandkit.sources.ratings import import_ratings, read_cutoffs

    if out is not None and out.suffix not in (".csv", ".toml"):
        raise UsageError(f"--out '{out}' is of no known kind", allowed="known: .csv, .toml")
    found = import_ratings(ratings, cutoffs=read_cutoffs(cutoffs), domain=domain, rating=rating)
    if out is not None:
        write_profile(found.csv() if out.suffix == ".csv" else found.toml(), out, force=force)
    return Answer(_import_data(found, ratings, out), lambda screen: _show_import(screen, found, out))


def _import_data(found: Ratings, path: Path, out: Path | None) -> dict[str, Any]:
    counts = ("n_rows", "n_no_domain", "n_pages", "n_repeated", "n_no_number")
    return {
        "ratings": path, "out": out, "domain_column": found.domain_column,
        "rating_column": found.rating_column,
        **{name: getattr(found, name) for name in counts},
        "counts": found.counts(), "tiers": dict(found.listed.rows()),
    }  # fmt: skip


def _show_import(screen: Console, found: Ratings, out: Path | None) -> None:
    show_line(
        screen,
        f"{found.tiers.height:,} domains by '{found.domain_column}' and '{found.rating_column}'"
        f" of {found.n_rows:,} rows",
        style="bold",
    )
    show_table(screen, ("tier", "domains"), found.counts().items(), right=("domains",))
    left = {
        "repeat a domain": found.n_repeated,
        "are pages, not domains": found.n_pages,
        "have no domain": found.n_no_domain,
        "have no number": found.n_no_number,
    }
    if told := [f"{n:,} {what}" for what, n in left.items() if n]:
        show_line(screen, f"of the rows {', '.join(told)}")
    if out is None:
        show_line(screen, "nothing written: --out FILE.csv or FILE.toml writes the tiers")
    elif out.suffix == ".csv":
        show_line(screen, f'wrote {out}: name it in the profile, [sources] lists = ["{out.name}"]')
    else:
        show_line(screen, f"wrote {out}: its table [sources.tiers] goes into the profile")
