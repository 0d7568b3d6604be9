"""What commands over past runs share: which runs are meant, settings given on the line, days."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import PATH
from brandkit.cli.reading import PROFILE, STORE, _complete_runs, profile_id_of
from brandkit.errors import InputError, UsageError

if TYPE_CHECKING:
    import polars as pl

    from brandkit.record.series import Days
    from brandkit.store.state import StateStore

_DAY = click.DateTime(["%Y-%m-%d"])
ID_CHARACTERS = 10
MOST_VALUES = 1000
_OPTIONS = (
    click.option("--first", type=_DAY, metavar="YYYY-MM-DD", help="The first day of a range of daily runs."),
    click.option("--last", type=_DAY, metavar="YYYY-MM-DD", help="The last day of a range of daily runs."),
    PROFILE,
    STORE,
)


def span_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which runs: --first, --last, --profile, --store."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def days_and_csv(days: int, written: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options of a reading of many days, with those of ``span_options``: --days and --csv."""

    def with_options(function: Callable[..., Any]) -> Callable[..., Any]:
        said = f"How many days up to the last, instead of --first. [default: {days}]"
        asked = click.option("--days", type=click.IntRange(min=1), metavar="N", help=said)
        file = click.option("--csv", "csv_path", type=PATH, metavar="FILE", help=f"Write {written}.")
        return asked(file(span_options(function)))

    return with_options


def days_meant(
    store: StateStore, profile: str | None, first: datetime | None, last: datetime | None, days: int | None
) -> dict[str, Any]:
    """Which days are meant, as the library takes them; without ``days``, as many as it takes itself.

    Raises: UsageError where both ``first`` and ``days`` say where to begin; UnknownError for no run.
    """
    if first and days:
        raise UsageError("--first and --days both say where to begin", hint="give one of them")
    asked = meant(store, None, profile, first, last)
    asked.pop("run")
    return asked | ({"days": days} if days else {})


def meant(
    store: StateStore, run_id: str | None, profile: str | None, first: datetime | None, last: datetime | None
) -> dict[str, Any]:
    """Which runs are meant, as the library takes them: a run, or a profile and its days.

    Raises: UnknownError where there is no run at all; UsageError for a run and days at once.
    """
    days = {"first": first.date() if first else None, "last": last.date() if last else None}
    if run_id:
        if first or last:
            hint = "name RUN, or give --first and --last"
            raise UsageError("a run and a range are two questions", hint=hint)
        return {"run": run_id}
    owner = store.run(_complete_runs(store, profile)[0]).profile_id
    return {"run": None, "profile_id": profile_id_of(profile) or owner, **days}


def span_data(days: Days) -> dict[str, Any]:
    """The days a reading is of, as ``--json`` gives them."""
    return {
        "profile_id": days.profile_id,
        "first": days.first,
        "last": days.last,
        "runs": list(days.run_ids),
        "without_run": list(days.without_run),
    }


def write_csv(frame: pl.DataFrame, path: Path) -> str:
    """Write a frame as CSV that is safe to open in a spreadsheet; what was written, as a note.

    Raises: InputError where the file cannot be written.
    """
    from brandkit import safe

    try:
        safe.write_csv(frame, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
    return f"{frame.height:,} rows written to {path}"


def settings(given: Sequence[str]) -> dict[str, Any]:
    """Settings as ``NAME=VALUE``, the values read as TOML reads them, else as plain words.

    Raises: UsageError for one without a name or a value.

    >>> settings(["must_cover=72", "own_name_floor=off"])
    {'must_cover': 72, 'own_name_floor': 'off'}
    """
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise UsageError(f"'{text}' is no setting", allowed="such as must_cover=72")
        try:
            found[name] = tomllib.loads(f"x = {value}")["x"]
        except tomllib.TOMLDecodeError:
            found[name] = value
    return found


def values(text: str) -> list[int | float]:
    """Numbers as ``60:90``, ``60:90:5`` (both ends included) or ``60,66,75``.

    Raises: UsageError for anything else.

    >>> values("60:70:5"), values("0.4,0.6")
    ([60, 65, 70], [0.4, 0.6])
    """
    try:
        if ":" not in text:
            return [_number(part) for part in text.split(",")]
        start, end, step, *more = (*map(_number, text.split(":")), 1)
        if more not in ([], [1]) or not (step > 0 and 0 <= (end - start) / step <= MOST_VALUES):
            raise ValueError
        n = int((end - start) / step + 1e-9) + 1
        return [start + k * step if isinstance(step, int) else round(start + k * step, 9) for k in range(n)]
    except ValueError:
        allowed = f"such as 60:90, 60:90:5 or 60,66,75; at most {MOST_VALUES} values"
        raise UsageError(f"'{text}' is no range of numbers", allowed=allowed) from None


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def over_days(runs: Sequence[str], days: pl.Series) -> str:
    """The runs in a few words: one by its id, several by their days."""
    if len(runs) == 1:
        return runs[0]
    first, *_, last = days.sort().to_list()
    return f"{len(runs)} runs of {first} to {last}"


def spaced(name: object) -> str:
    """A code as words."""
    return str(name).replace("_", " ")


def percent(share: float | None) -> str:
    """A share as a whole percentage; a dash for none."""
    return "-" if share is None else f"{share:.0%}"


def rows(frame: pl.DataFrame, columns: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """Some columns of a short frame as rows, each value put by what its column maps to."""
    return [
        tuple(put(value) for put, value in zip(columns.values(), row, strict=True))
        for row in frame.select(list(columns)).rows()
    ]
