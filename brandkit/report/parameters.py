"""What a report may be asked for: the parameters of each notebook, checked before anything runs."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from brandkit.errors import UsageError, near_name
from brandkit.safe import terminal

# What papermill itself puts beside the parameters when it is asked to.
_PAPERMILL = {"PAPERMILL_INPUT_PATH", "PAPERMILL_OUTPUT_PATH"}
_INSTANT = "give one such as 2026-03-04T07:00:00+00:00"
_INJECTED = "# Parameters\n"
_HINT = "such as: papermill notebooks/daily.ipynb out.ipynb -p run_date 2026-03-04"


Edition = Literal["full", "redacted"]


def _day(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if value in (None, ""):
        raise ValueError("is missing; give a day such as 2026-03-04")
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{_shown(value)} is not a day; give one such as 2026-03-04") from None


def _instant(value: object) -> object:
    if value in (None, ""):
        return None
    try:
        text = value if isinstance(value, str) else ""
        at = value if isinstance(value, datetime) else datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{_shown(value)} is not an instant; {_INSTANT}") from None
    if at.tzinfo is None:
        raise ValueError(f"{_shown(value)} has no time zone; {_INSTANT}")
    return at


def _path(value: object) -> object:
    if value in (None, ""):
        return None
    if isinstance(value, str | Path):
        return Path(value).expanduser()
    raise ValueError(f"{_shown(value)} is not a path")


def _paths(value: object) -> object:
    if value in (None, ""):
        return ()
    if isinstance(value, str | Path):
        return (str(value),)
    if isinstance(value, Sequence) and all(isinstance(entry, str | Path) for entry in value):
        return tuple(str(entry) for entry in value)
    raise ValueError(f"{_shown(value)} is neither a path nor a list of paths")


def _switch(value: object) -> object:
    # papermill's -p gives the text "true" for true, and any text is true to Python.
    said = str(value).strip().lower()
    if isinstance(value, bool | str) and said in ("true", "false"):
        return said == "true"
    raise ValueError(f"{_shown(value)} is neither true nor false")


def _edition(value: object) -> object:
    if value in (None, ""):
        return "full"
    if value in get_args(Edition):
        return value
    raise ValueError(f"{_shown(value)} is no edition; full or redacted")


def _shown(value: object) -> str:
    text = terminal(repr(value))
    return text if len(text) <= 80 else f"{text[:80]}…"


class DailyParameters(BaseModel):
    """What ``daily.ipynb`` takes. Empty means: from the settings, else the shipped sample."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_date: Annotated[date, BeforeValidator(_day)]
    profile: Annotated[Path | None, BeforeValidator(_path)] = None
    inputs: Annotated[tuple[str, ...], BeforeValidator(_paths)] = ()
    store: Annotated[Path | None, BeforeValidator(_path)] = None
    as_of: Annotated[datetime | None, BeforeValidator(_instant)] = None
    shadow: Annotated[bool, BeforeValidator(_switch)] = False
    edition: Annotated[Edition, BeforeValidator(_edition)] = "full"

    def for_notebook(self) -> dict[str, Any]:
        """The same as plain values, paths absolute, for the notebook's parameters cell."""
        return {
            "run_date": self.run_date.isoformat(),
            "profile": str(self.profile.absolute()) if self.profile else "",
            "inputs": [str(Path(entry).expanduser().absolute()) for entry in self.inputs] or "",
            "store": str(self.store.absolute()) if self.store else "",
            "as_of": self.as_of.isoformat() if self.as_of else "",
            "shadow": self.shadow,
            "edition": self.edition,
        }


MODELS: Mapping[str, type[DailyParameters]] = {"daily": DailyParameters}


def checked(name: str, parameters: Mapping[str, object]) -> DailyParameters:
    """The parameters of a report, typed.

    Raises: UsageError for an unknown report, an unknown parameter or a value that cannot be used.
    """
    if name not in MODELS:
        raise UsageError(
            f"unknown report '{terminal(name)}'",
            allowed=f"known: {', '.join(MODELS)}",
            hint=near_name(name, MODELS),
        )
    model = MODELS[name]
    given = {"run_date": "", **parameters}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _told(error, model) from None


def _told(error: ValidationError, model: type[BaseModel]) -> UsageError:
    first = error.errors()[0]
    field = terminal(str(first["loc"][0]))
    if first["type"] == "extra_forbidden":
        known = tuple(model.model_fields)
        return UsageError(
            f"unknown parameter '{field}'", allowed=f"known: {', '.join(known)}", hint=near_name(field, known)
        )
    what, _, allowed = first["msg"].removeprefix("Value error, ").partition("; ")
    return UsageError(f"parameter {field} {what}", allowed=allowed, hint=_HINT if field == "run_date" else "")


def from_cell(name: str, namespace: Mapping[str, object]) -> DailyParameters:
    """The parameters as a running notebook has them, those of papermill's own cell included.

    papermill only warns of a name the notebook does not know; here that is an error, for a misspelt
    ``profile`` would quietly show another desk's day.

    Raises: UsageError, as ``checked``.
    """
    known = MODELS[name].model_fields
    values = {key: namespace[key] for key in known if key in namespace}
    injected = {key: namespace.get(key) for key in _injected(namespace.get("In")) if key not in _PAPERMILL}
    return checked(name, {**values, **injected})


def _injected(cells: object) -> list[str]:
    """The names assigned in the cell that papermill wrote."""
    texts = [cell for cell in cells if isinstance(cell, str)] if isinstance(cells, list) else []
    trees = [ast.parse(text) for text in texts if text.startswith(_INJECTED)]
    assigned = [node.targets[0] for tree in trees for node in tree.body if isinstance(node, ast.Assign)]
    return [target.id for target in assigned if isinstance(target, ast.Name)]
