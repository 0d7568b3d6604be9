"""A profile's file with some of its numbers changed, as a new file: every comment stays where it was."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w
import tomlkit
from tomlkit.exceptions import TOMLKitError

from brandkit.errors import ProfileError, UsageError
from brandkit.onboard import write_profile
from brandkit.profile import BrandProfile
from brandkit.record.changed import changed, full_name


def write_changed(
    changes: Mapping[str, Any],
    path: str | Path,
    *,
    source: str | Path | None = None,
    profile: BrandProfile | None = None,
    remarks: Mapping[str, str] | None = None,
) -> Path:
    """Write a new profile: the file ``source`` with these settings changed, or ``profile`` in full.

    Comments, order and layout of the source stay; publisher lists it names are found from the new
    place. What is written is read back first and has to say exactly what was meant.

    Args:
        changes: values by the names of settings.
        path: the new file; it must not be there yet.
        source: the profile's file.
        profile: what is written where there is no source; then there are no comments to keep.
        remarks: a comment for the line of a setting, unless it has one.

    Raises: UsageError for a file that is there or cannot be written; ProfileError for a source that
            cannot be changed so.
    """
    path = Path(path)
    if path.exists():
        raise UsageError(
            f"'{path}' is there already", hint="a profile is never changed in place: name a new file"
        )
    if source is not None:
        text, meant = _edited(Path(source), path, changes, remarks or {})
    elif profile is not None:
        meant = changed(profile, changes)
        text = tomli_w.dumps(_said(json.loads(meant.snapshot)))
    else:
        raise UsageError("neither a profile nor its file is given", hint="pass source= or profile=")
    found = BrandProfile.from_dict(tomllib.loads(text), where=str(path), folder=path.parent)
    if found.snapshot != meant.snapshot:
        raise ProfileError(
            f"the changed profile does not read as it was meant, in a copy of {source}",
            allowed=f"meant: {', '.join(f'{name} = {value}' for name, value in changes.items())}",
            hint="change these lines by hand",
        )
    return write_profile(text, path)


def _said(table: Mapping[str, Any]) -> dict[str, Any]:
    """What a table says; TOML has no word for nothing."""
    return {
        name: _said(value) if isinstance(value, Mapping) else value
        for name, value in table.items()
        if value is not None
    }


def _edited(
    source: Path, path: Path, changes: Mapping[str, Any], remarks: Mapping[str, str]
) -> tuple[str, BrandProfile]:
    """The source's text with the changes made, and the profile it should read as."""
    before = BrandProfile.from_toml(source)
    try:
        document = tomlkit.parse(source.read_text(encoding="utf-8"))
    except TOMLKitError as error:
        raise ProfileError(f"cannot read the profile: {error}", where=f"in {source}") from None
    for given, value in changes.items():
        name = full_name(given, before)
        *tables, key = name.split(".")
        inner: Any = document
        for table in tables:
            if table not in inner:
                inner[table] = tomlkit.table()
            inner = inner[table]
        _put(inner, key, value, remark=remarks.get(name, ""))
    _rebase_lists(document, source, path)
    return tomlkit.dumps(document), changed(before, changes)


def _put(table: Any, key: str, value: Any, *, remark: str) -> None:
    item = tomlkit.item(value)
    old = table.get(key)
    kept = old.trivia.comment if hasattr(old, "trivia") else ""
    if remark and not kept and not isinstance(table, tomlkit.items.InlineTable):
        item.comment(remark)
    elif kept:
        item.trivia.comment_ws, item.trivia.comment = old.trivia.comment_ws, kept
    table[key] = item


def _rebase_lists(document: Any, source: Path, path: Path) -> None:
    """Let relative publisher lists be found from where the new file stands."""
    lists = document.get("sources", {}).get("lists", [])
    for place, name in enumerate(lists):
        if not Path(name).is_absolute():
            moved = os.path.relpath(source.absolute().parent / name, path.absolute().parent)
            lists[place] = Path(moved).as_posix()
