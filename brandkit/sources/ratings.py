"""A public ratings list (domain, number) read from a file and turned into tiers a profile can take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from brandkit.errors import InputError, UsageError, near_name
from brandkit.normalise import domains_of
from brandkit.signals.trust import LISTED, rated_domains, tiers_from_ratings
from brandkit.sources.files import _scan, found_files

KINDS = (".csv", ".tsv", ".parquet", ".pq", ".arrow", ".feather", ".ipc", ".csv.gz", ".tsv.gz")
# A column is taken for domains, or for numbers, when most of its cells are.
_MOST = 0.5


@dataclass(frozen=True, slots=True)
class Ratings:
    """The tiers that a list gives by some cut-offs, and what became of each of its rows.

    Shape:  ``tiers`` has domain and tier, A to C and unlisted, one row per domain, sorted.
            n_rows = n_no_domain + n_pages + n_repeated + one for each row of ``tiers``.
    Nulls:  ``n_no_number`` rows had nothing to read as a number; their domain is unlisted, unless it
            has another row.
    """

    tiers: pl.DataFrame
    domain_column: str
    rating_column: str
    n_rows: int
    n_no_domain: int
    n_pages: int
    n_repeated: int
    n_no_number: int

    @property
    def listed(self) -> pl.DataFrame:
        """The domains that come to a tier."""
        return self.tiers.filter(pl.col("tier") != "unlisted")

    def counts(self) -> dict[str, int]:
        """How many domains came to each tier, A to unlisted."""
        found = dict(self.tiers["tier"].cast(pl.String).value_counts().rows())
        return {tier: found.get(tier, 0) for tier in (*LISTED, "unlisted")}

    def toml(self) -> str:
        """The tiers as the table ``[sources.tiers]`` of a profile."""
        lines = [f'"{domain}" = "{tier}"' for domain, tier in self.listed.rows()]
        return "\n".join(["[sources.tiers]", *lines, ""])

    def csv(self) -> str:
        """The tiers as a list that a profile names in ``[sources] lists``."""
        return self.listed.write_csv()


def import_ratings(
    path: str | Path, *, cutoffs: Mapping[str, float], domain: str | None = None, rating: str | None = None
) -> Ratings:
    """The tiers of a ratings list in a CSV, TSV, Parquet or Arrow file.

    Args:
        path: the file.
        cutoffs: the least rating of each tier, as for ``tiers_from_ratings``.
        domain: the column of domains or URLs; unless given, the first that mostly holds such.
        rating: the column of numbers, a higher one the better; may be left out where only one is.

    Raises: InputError for a file that cannot be read, or has no such column; UsageError for cut-offs
            that do not step down, and where several columns could be the rating.
    """
    table = _table(Path(path))
    names = _named(table, domain, path) or _domain_column(table, path)
    by = _named(table, rating, path) or _rating_column(table, names, path)
    number = table[by].cast(pl.Float64, strict=False)
    is_number = number.is_finite().fill_null(value=False)
    if not is_number.any():
        raise InputError(
            f"no cell of column '{by}' is a number", where=f"in {path}", allowed=_told(table, names)
        )
    entries = table[names].cast(pl.String)
    rows = pl.DataFrame({"domain": entries, "rating": number.set(~is_number, None)})
    tiers = tiers_from_ratings(rows, cutoffs=cutoffs, domain="domain", rating="rating")
    n_domains = domains_of(entries).drop_nulls().len()
    n_rated = rated_domains(entries).drop_nulls().len()
    return Ratings(
        tiers=tiers,
        domain_column=names,
        rating_column=by,
        n_rows=table.height,
        n_no_domain=table.height - n_domains,
        n_pages=n_domains - n_rated,
        n_repeated=n_rated - tiers.height,
        n_no_number=int((~is_number).sum()),
    )


def read_cutoffs(text: str) -> dict[str, float]:
    """Cut-offs as ``A=.8,B=.6,C=.4``.

    Raises: UsageError for what is no tier with a number.

    >>> read_cutoffs("A=.8, B=.6")
    {'A': 0.8, 'B': 0.6}
    """
    found: dict[str, float] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        tier, equals, number = (piece.strip() for piece in part.partition("="))
        try:
            value = float(number)
        except ValueError:
            equals = ""
        if not equals or tier.upper() not in LISTED or tier.upper() in found:
            raise UsageError(f"'{part}' is no cut-off", allowed="each tier once, such as A=.8,B=.6,C=.4")
        found[tier.upper()] = value
    return found


def _table(path: Path) -> pl.DataFrame:
    if path.is_file() and not path.name.lower().endswith(KINDS):
        raise InputError(f"'{path}' is of no known kind", allowed=f"known: {', '.join(KINDS)}")
    files = found_files(path)
    if len(files) != 1:
        raise InputError(f"'{path}' is {len(files)} files", hint="name one ratings list")
    frame = _scan(files[0], ()).collect()
    table = frame.drop("raw_row", "raw_file", "raw_error", "raw_text", strict=False)
    if table.is_empty():
        raise InputError(f"no rows in '{path}'", hint="a ratings list has a header and a row per domain")
    return table


def _named(table: pl.DataFrame, name: str | None, path: str | Path) -> str | None:
    if name is None or name in table.columns:
        return name
    raise InputError(
        f"the ratings list has no column '{name}'",
        where=f"in {path}",
        allowed=f"columns: {', '.join(table.columns)}",
        hint=near_name(name, table.columns),
    )


def _domain_column(table: pl.DataFrame, path: str | Path) -> str:
    texts = [name for name, dtype in table.schema.items() if dtype == pl.String]
    for name in texts:
        cells = table[name].drop_nulls()
        if len(cells) and domains_of(cells).is_not_null().mean() > _MOST:  # type: ignore[operator]
            return name
    raise InputError(
        "no column of the ratings list holds domains",
        where=f"in {path}",
        allowed=f"columns: {', '.join(table.columns)}",
        hint="name it with domain= (--domain)",
    )


def _rating_column(table: pl.DataFrame, names: str, path: str | Path) -> str:
    found = _numeric(table, names)
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(
            "no column of the ratings list holds numbers",
            where=f"in {path}",
            allowed=f"columns: {', '.join(table.columns)}",
        )
    raise UsageError(
        f"{len(found)} columns of the ratings list hold numbers",
        where=f"in {path}",
        allowed=f"one of: {', '.join(found)}",
        hint="name the rating with rating= (--rating)",
    )


def _numeric(table: pl.DataFrame, names: str) -> list[str]:
    found = []
    for name in table.columns:
        cells = table[name].drop_nulls()
        if name == names or not (cells.dtype.is_numeric() or cells.dtype == pl.String) or cells.is_empty():
            continue
        if cells.cast(pl.Float64, strict=False).is_finite().fill_null(value=False).mean() > _MOST:  # type: ignore[operator]
            found.append(name)
    return found


def _told(table: pl.DataFrame, names: str) -> str:
    found = _numeric(table, names)
    return f"numbers are in: {', '.join(found)}" if found else f"columns: {', '.join(table.columns)}"
