"""A profile with some of its numbers changed: which there are, what they may be, what differs between two."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import polars as pl
from pydantic import ValidationError

from brandkit.errors import UsageError, unknown
from brandkit.profile import BrandProfile

# What makes another profile of one.
Alter = Callable[[BrandProfile], BrandProfile]

# What only judgement reads, and what decides which facts are measured. The rest tells, or names.
TABLES = ("thresholds", "parameters", "weights")
MEASURED = (
    "timezone", "day_starts", "own", "rivals", "watched", "pillars", "triggers", "forbidden", "exclusions",
    "sources",
)  # fmt: skip


def settings_of(profile: BrandProfile) -> dict[str, Any]:
    """Every number that judgement reads, by its dotted name: ``thresholds.must_cover`` and so on.

    >>> desk = BrandProfile.from_dict({"id": "desk", "own": ["Nordlys"]})
    >>> settings_of(desk)["weights.impact.breadth"]
    10
    """
    document = json.loads(profile.snapshot)
    return dict(_leaves({table: document[table] for table in TABLES}))


def full_name(name: str, profile: BrandProfile) -> str:
    """The dotted name of a setting that is called by its end: ``must_cover`` for ``thresholds.must_cover``.

    Raises: UnknownError with what is near; UsageError for a name that several settings end in.
    """
    known = settings_of(profile)
    wanted = name.strip().replace("-", "_")
    if wanted in known:
        return wanted
    found = [one for one in known if one.endswith(f".{wanted}")]
    if len(found) > 1:
        raise UsageError(f"'{name}' is several settings", allowed=f"they are: {', '.join(found)}")
    if found:
        return found[0]
    if wanted.split(".")[0] in MEASURED:
        raise UsageError(
            f"'{name}' is measured, not judged",
            allowed=f"a what-if changes {', '.join(TABLES)}",
            hint="replay a run with the other profile to measure anew",
        )
    # Names are told by their ends, for that is how they are asked for.
    table = wanted.rpartition(".")[0]
    near = [one for one in known if one.startswith(f"{table}.")] or list(known)
    ends = near if table else [one.rpartition(".")[2] for one in near]
    raise unknown("setting", name, ends)


def changed(profile: BrandProfile, changes: Mapping[str, Any]) -> BrandProfile:
    """The profile with these settings in place of its own, checked like one from a file.

    ``changes`` maps names (dotted, or their ends) to values, or tables to such mappings.

    Raises: UnknownError or UsageError for a name; ProfileError for a value that cannot stand.

    >>> desk = BrandProfile.from_dict({"id": "desk", "own": ["Nordlys"]})
    >>> changed(desk, {"thresholds": {"must_cover": 80}, "half_life_h.post": 6}).thresholds.must_cover
    80
    """
    document = json.loads(profile.snapshot)
    touched = set()
    for given, value in _leaves(changes):
        *path, last = full_name(given, profile).split(".")
        touched.add(path[0])
        table = document
        for part in path:
            table = table[part]
        table[last] = value
    try:
        # A search changes a profile hundreds of times: what it leaves as it was is not checked again.
        tables = {name: type(getattr(profile, name)).model_validate(document[name]) for name in touched}
    except ValidationError:
        return BrandProfile.from_dict(document, where="the changed profile")
    return BrandProfile.model_construct(**{**dict(profile), **tables})


def altered(
    *,
    profile: BrandProfile | None = None,
    thresholds: Mapping[str, Any] | None = None,
    weights: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Alter:
    """What makes the other profile of a frozen one: a whole one in its place, settings changed, or both."""
    tables = {"thresholds": thresholds, "weights": weights, "parameters": parameters}
    given = {table: dict(values) for table, values in tables.items() if values}

    def alter(frozen: BrandProfile) -> BrandProfile:
        base = profile or frozen
        return changed(base, given) if given else base

    return alter


def differences(before: BrandProfile, after: BrandProfile) -> pl.DataFrame:
    """The settings in which two profiles differ.

    Shape: name, before and after (both as text), in the order of the profile.
    """
    old, new = settings_of(before), settings_of(after)
    rows = [(name, str(old.get(name)), str(new.get(name))) for name in new if new[name] != old.get(name)]
    schema = {"name": pl.String, "before": pl.String, "after": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def measured_otherwise(before: BrandProfile, after: BrandProfile) -> list[str]:
    """The tables in which two profiles differ and that decide what is measured: names, lists, tiers."""
    return [name for name in MEASURED if getattr(before, name) != getattr(after, name)]


def _leaves(tables: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tables.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
