"""Validation failures of a profile, told the way an editor can act on them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from brandkit.errors import ProfileError, near_name

Path = tuple[str | int, ...]

# What pydantic calls a failure, and what an editor would be told.
_ALLOWED: Mapping[str, str] = {
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than": "must be below {lt:g}",
    "less_than_equal": "must be {le:g} or less",
    "finite_number": "must be a finite number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "string_too_long": "must have {max_length} characters or fewer",
    "string_pattern_mismatch": "must be lower-case letters, digits, - and _, and not begin with - or _",
    "literal_error": "must be {expected}",
    "tuple_type": "must be a list: [...]",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "time_parsing": "a local time such as '06:00'",
}


class Unfit(ValueError):
    """A value that cannot stand in a profile: what was wrong, what is allowed, what may have been meant."""

    def __init__(self, what: str, *, allowed: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.allowed = allowed
        self.hint = hint


def explain_validation(error: ValidationError, *, where: str, model: type[BaseModel]) -> ProfileError:
    """The first failure as what, where, what is allowed and what to do; the others are counted."""
    failures = error.errors(include_url=False)
    what, at, allowed, hint = _told(failures[0], model)
    more = f"{len(failures) - 1} more after this one" if len(failures) > 1 else ""
    return ProfileError(
        what, where=f"in {where}{at}", allowed=allowed, hint="; ".join(part for part in (hint, more) if part)
    )


def _told(failure: Any, model: type[BaseModel]) -> tuple[str, str, str, str]:
    path, kind, value = tuple(failure["loc"]), failure["type"], failure.get("input")
    context = failure.get("ctx", {})
    if kind == "extra_forbidden":
        known = _keys(model, path[:-1])
        allowed = f"known: {', '.join(known)}"
        return f"unknown key '{path[-1]}'", _place(path[:-1]), allowed, near_name(str(path[-1]), known)
    if isinstance(unfit := context.get("error"), Unfit):
        return str(unfit), _place(path), unfit.allowed, unfit.hint
    if kind == "value_error":
        return failure["msg"].removeprefix("Value error, "), _place(path), "", ""
    key, place = _named(path)
    if kind == "missing":
        return f"{key} is missing", place, "", ""
    allowed = _ALLOWED[kind].format(**context) if kind in _ALLOWED else failure["msg"]
    options = re.findall(r"'([^']*)'", str(context.get("expected", "")))
    return f"{key} is {_shown(value)}", place, allowed, near_name(str(value), options)


def _named(path: Path) -> tuple[str, str]:
    """The key a failure is about, with the entry of a list, and the table it stands in."""
    last = max(position for position, part in enumerate(path) if isinstance(part, str))
    entries = "".join(f" (entry {part + 1})" for part in path[last + 1 :] if isinstance(part, int))
    return f"'{path[last]}'{entries}", _place(path[:last])


def _place(path: Path) -> str:
    """', [sources.tiers]' or ', [own] (entry 2)': where in the file, as TOML names it."""
    names = ".".join(part for part in path if isinstance(part, str))
    entries = "".join(f" (entry {part + 1})" for part in path if isinstance(part, int))
    return f", [{names}]{entries}" if names else ""


def _shown(value: object) -> str:
    # A whole table says nothing; a number or a word does.
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return repr(value)[:80]
    return "a table" if isinstance(value, Mapping) else "empty" if value in ((), []) else "a list"


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    for part in path:
        if isinstance(part, str) and part in model.model_fields:
            model = _inner_model(model.model_fields[part].annotation) or model
    return sorted(field.alias or name for name, field in model.model_fields.items())


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _inner_model(argument)
        if found is not None:
            return found
    return None
