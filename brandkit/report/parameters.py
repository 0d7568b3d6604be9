"""What a report may be asked for: the parameters of each notebook, checked before anything runs."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from brandkit.errors import UsageError, near_name
from brandkit.safe import terminal

R = TypeVar("R", bound="ReportParameters")
# What papermill itself puts beside the parameters when it is asked to.
_PAPERMILL = {"PAPERMILL_INPUT_PATH", "PAPERMILL_OUTPUT_PATH"}
_INSTANT = "give one such as 2026-03-04T07:00:00+00:00"
_INJECTED = "# Parameters\n"


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


def _id(value: object) -> object:
    # papermill makes a number of an id that has digits alone.
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if text:
        return text
    if value in (None, ""):
        raise ValueError("is missing; give an item's or a story's id, or the beginning of one")
    raise ValueError(f"{_shown(value)} is no id; give an item's or a story's, or the beginning of one")


def _day_or_run(value: object) -> object:
    if value in (None, ""):
        return ""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return value.strip()
    raise ValueError(f"{_shown(value)} is neither a day nor a run's id; give one such as 2026-03-04")


def _shown(value: object) -> str:
    text = terminal(repr(value))
    return text if len(text) <= 80 else f"{text[:80]}…"


class ReportParameters(BaseModel):
    """What every report takes: whose, and from which store. Empty means: from the settings.

    A report adds its own fields, and says with ``date_field`` which of them ``--date`` fills.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    date_field: ClassVar[str] = ""

    profile: Annotated[Path | None, BeforeValidator(_path)] = None
    store: Annotated[Path | None, BeforeValidator(_path)] = None

    @property
    def on(self) -> date | None:
        """The day that the report is of, or None for one that is of no day."""
        found = getattr(self, self.date_field) if self.date_field else None
        return found if isinstance(found, date) else None

    def for_notebook(self) -> dict[str, Any]:
        """The same as plain values, paths absolute, for the notebook's parameters cell."""
        return {name: _as_plain(getattr(self, name)) for name in type(self).model_fields}


def _as_plain(value: Any) -> Any:
    if value is None or value == ():
        return ""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value.absolute())
    return list(value) if isinstance(value, tuple) else value


class DailyParameters(ReportParameters):
    """What ``daily.ipynb`` takes. Empty means: from the settings, else the shipped sample."""

    date_field = "run_date"

    run_date: Annotated[date, BeforeValidator(_day)]
    inputs: Annotated[tuple[str, ...], BeforeValidator(_paths)] = ()
    as_of: Annotated[datetime | None, BeforeValidator(_instant)] = None
    shadow: Annotated[bool, BeforeValidator(_switch)] = False

    def for_notebook(self) -> dict[str, Any]:
        """The same as plain values, paths absolute, for the notebook's parameters cell."""
        inputs = [str(Path(entry).expanduser().absolute()) for entry in self.inputs]
        return {**super().for_notebook(), "inputs": inputs or ""}


class StoryParameters(ReportParameters):
    """What ``story.ipynb`` takes: an item's or a story's id, or its beginning, and up to when it is told.

    ``until`` is a day or a run's id; empty: the newest run that has the story.
    """

    date_field = "until"
    folder_fields: ClassVar[tuple[str, ...]] = ("story",)

    story: Annotated[str, BeforeValidator(_id)]
    until: Annotated[str, BeforeValidator(_day_or_run)] = ""

    @property
    def on(self) -> date | None:
        """The day up to which it is told, where a day was given."""
        try:
            return date.fromisoformat(self.until)
        except ValueError:
            return None


MODELS: Mapping[str, type[ReportParameters]] = {
    "daily": DailyParameters,
    "story": StoryParameters,
}


def checked(name: str, given: Mapping[str, object]) -> ReportParameters:
    """The parameters of a report, typed.

    Raises: UsageError for an unknown report, an unknown parameter or a value that cannot be used.
    """
    return checked_as(model_of(name), given)


def model_of(name: str) -> type[ReportParameters]:
    """What a report's parameters are checked against.

    Raises: UsageError for an unknown report.
    """
    if name not in MODELS:
        raise UsageError(
            f"unknown report '{terminal(name)}'",
            allowed=f"known: {', '.join(MODELS)}",
            hint=near_name(name, MODELS),
        )
    return MODELS[name]


def checked_as(model: type[R], given: Mapping[str, object]) -> R:
    """The parameters of one kind of report, typed.

    Raises: UsageError, as ``checked``.
    """
    # A required parameter that is missing says so in its own words, as an empty one does.
    missing = {name: "" for name, field in model.model_fields.items() if field.is_required()}
    try:
        return model.model_validate({**missing, **given})
    except ValidationError as error:
        raise _told(error, model) from None


def _told(error: ValidationError, model: type[ReportParameters]) -> UsageError:
    first = error.errors()[0]
    field = terminal(str(first["loc"][0]))
    if first["type"] == "extra_forbidden":
        known = tuple(model.model_fields)
        return UsageError(
            f"unknown parameter '{field}'", allowed=f"known: {', '.join(known)}", hint=near_name(field, known)
        )
    what, _, allowed = first["msg"].removeprefix("Value error, ").partition("; ")
    return UsageError(
        f"parameter {field} {what}",
        allowed=allowed,
        hint=_example(model) if field == model.date_field else "",
    )


def _example(model: type[ReportParameters]) -> str:
    name = next((name for name, known in MODELS.items() if known is model), "daily")
    return f"such as: papermill notebooks/{name}.ipynb out.ipynb -p {model.date_field} 2026-03-04"


def from_cell(model: type[R], namespace: Mapping[str, object]) -> R:
    """The parameters as a running notebook has them, those of papermill's own cell included.

    papermill only warns of a name the notebook does not know; here that is an error, for a misspelt
    ``profile`` would quietly show another desk's day.

    Raises: UsageError, as ``checked``.
    """
    values = {key: namespace[key] for key in model.model_fields if key in namespace}
    injected = {key: namespace.get(key) for key in _injected(namespace.get("In")) if key not in _PAPERMILL}
    return checked_as(model, {**values, **injected})


def _injected(cells: object) -> list[str]:
    """The names assigned in the cell that papermill wrote."""
    texts = [cell for cell in cells if isinstance(cell, str)] if isinstance(cells, list) else []
    trees = [ast.parse(text) for text in texts if text.startswith(_INJECTED)]
    assigned = [node.targets[0] for tree in trees for node in tree.body if isinstance(node, ast.Assign)]
    return [target.id for target in assigned if isinstance(target, ast.Name)]
