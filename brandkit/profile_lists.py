"""Publisher lists named by a profile: CSV rows read into its source tables before it is validated."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from brandkit.errors import ProfileError

LIST_COLUMNS = ("domain", "family", "tier", "role", "audience")
_TIERS = ("A", "B", "C", "unlisted")
# Table of the profile, column of the list.
_TABLES = {"tiers": "tier", "families": "family", "roles": "role", "audiences": "audience"}


def with_lists(document: dict[str, Any], folder: Path, where: str) -> dict[str, Any]:
    """The document with the rows of its ``sources.lists``; what the profile says itself wins.

    Raises: ProfileError naming the list, for one that is missing or has a bad column, tier or audience.
    """
    sources = document.get("sources")
    if not isinstance(sources, Mapping) or not isinstance(sources.get("lists"), list | tuple):
        return document
    tables: dict[str, Any] = {table: sources.get(table, {}) for table in _TABLES}
    if not all(isinstance(table, Mapping) for table in tables.values()):
        # Validation says it better than a merge that fails half way.
        return {**document, "sources": {**sources, "lists": ()}}
    merged: dict[str, dict[str, Any]] = {table: {} for table in _TABLES}
    for name in sources["lists"]:
        for row in _rows(folder / str(name), where):
            for table, column in _TABLES.items():
                if row[column] and row[column] != "unlisted":
                    merged[table][row["domain"]] = row[column]
    inlined = {table: {**rows, **tables[table]} for table, rows in merged.items()}
    # The rows are in now: a list left standing would be read again from another folder.
    return {**document, "sources": {**sources, **inlined, "lists": ()}}


def _rows(path: Path, where: str) -> Iterator[dict[str, str]]:
    at = f"in {where}, [sources] lists"
    try:
        # A spreadsheet's CSV begins with a byte order mark.
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader((line for line in lines if not line.startswith("#")), restkey="_more")
            if lacking := sorted({"domain", "tier"} - set(reader.fieldnames or ())):
                raise ProfileError(
                    f"publisher list '{path.name}' has no column {' or '.join(lacking)}",
                    where=at,
                    allowed=f"columns: {', '.join(LIST_COLUMNS)}",
                )
            for row in reader:
                yield _checked({column: (row.get(column) or "").strip() for column in LIST_COLUMNS}, path, at)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ProfileError(f"cannot read publisher list '{path}': {error}", where=at) from None


def _checked(row: dict[str, str], path: Path, at: str) -> dict[str, str]:
    row["domain"] = row["domain"].lower().rstrip(".")
    if not row["domain"]:
        raise ProfileError(f"a row of publisher list '{path.name}' has no domain", where=at)
    said = f"of '{row['domain']}' in publisher list '{path.name}'"
    if row["tier"] not in ("", *_TIERS):
        raise ProfileError(
            f"unknown tier '{row['tier']}' {said}", where=at, allowed=f"known: {', '.join(_TIERS)}"
        )
    if row["audience"] and not (row["audience"].isascii() and row["audience"].isdecimal()):
        raise ProfileError(
            f"audience '{row['audience']}' {said}", where=at, allowed="must be a whole number of people"
        )
    return row
