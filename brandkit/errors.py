"""The exceptions brandkit raises, and the exit code of each branch.

    BrandkitError                     1  (failed)
    ├── UsageError                    2  (the caller asked for something that cannot be)
    │   ├── ProfileError                 a profile that contradicts itself or names unknown things
    │   ├── SettingsError                an environment variable or .env line that cannot be used
    │   ├── MappingError                 a column mapping that does not fit the table
    │   ├── InputError                   an input that is missing, truncated or of the wrong shape
    │   ├── UnknownError                 a run, item, story or column that is not there
    │   ├── NothingToReport              a day or a profile with neither a run nor anything to run on
    │   └── ReplayRefused                a run that cannot be had again, for the reason it gives
    ├── ContractError                 1  a frame of ours that breaks its schema or loses rows
    ├── StageError                    1  a stage that raised: names itself, its columns and the run
    ├── StoreError                    1  the store cannot be used
    │   ├── StoreCorruptError            not a DuckDB file, or a damaged one
    │   ├── StoreNewerError              written by a later brandkit than this one
    │   ├── StoreReadOnlyError           the file or its folder cannot be written
    │   └── StoreBusyError           75  another process holds it: try again
    ├── RunBusyError                 75  the same run is going on elsewhere: try again
    ├── NetworkError                 75  another machine that did not answer as it should: try again
    ├── DeliveryError                75  an alert that did not arrive, and is sent again; or a report
    ├── ReportError                   1  a notebook that could not be rendered
    └── CheckFailed                   3  verify, doctor or a profile check found something wrong

Every message has the same shape: the first line says what was wrong and the value; the lines
after it say where, what is allowed, and what to do. ``str(error)`` is fit to show to an analyst.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_CHECKS = 3
EXIT_RETRY = 75


class BrandkitError(Exception):
    """Whatever brandkit raises on purpose; ``exit_code`` is what the CLI leaves with."""

    exit_code = EXIT_FAILED

    def __init__(self, what: str, *, where: str = "", allowed: str = "", hint: str = "") -> None:
        self.what = what
        self.where = where
        self.allowed = allowed
        self.hint = hint
        head = f"{what}{f', {where}' if where else ''}"
        rest = [f"  {line}" for line in (allowed, hint) if line]
        super().__init__("\n".join([head, *rest]))

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword arguments do not survive the default pickling, and runs cross processes.
        return (_rebuild, (type(self), self.what, self.where, self.allowed, self.hint))


def _rebuild(kind: type[BrandkitError], what: str, where: str, allowed: str, hint: str) -> BrandkitError:
    return kind(what, where=where, allowed=allowed, hint=hint)


class UsageError(BrandkitError):
    """The caller asked for something that cannot be."""

    exit_code = EXIT_USAGE


class NothingToReport(UsageError):
    """A day, or a profile, with neither a run nor anything to run on."""


class ProfileError(UsageError):
    """A profile that contradicts itself or names unknown things."""


class SettingsError(UsageError):
    """An environment variable or ``.env`` line that cannot be used."""


class MappingError(UsageError):
    """A column mapping that does not fit the table."""


class InputError(UsageError):
    """An input that is missing, truncated or of the wrong shape."""


class UnknownError(UsageError):
    """A run, item, story or column that is not there."""


class ReplayRefused(UsageError):
    """A past run that cannot be had again as it was: the first line is the reason."""


class ContractError(BrandkitError):
    """A frame of ours that breaks its schema or loses rows: a bug, never bad input."""


class StageError(BrandkitError):
    """A stage that raised; says which one, on which columns, in which run."""


class StoreError(BrandkitError):
    """The store cannot be used."""


class StoreCorruptError(StoreError):
    """The store's file is not a DuckDB file, or a damaged one."""


class StoreNewerError(StoreError):
    """The store was written by a later brandkit than this one."""


class StoreReadOnlyError(StoreError):
    """The store's file or folder cannot be written."""


class StoreBusyError(StoreError):
    """Another process holds the store; trying again later is the cure."""

    exit_code = EXIT_RETRY


class RunBusyError(BrandkitError):
    """The same run is going on elsewhere; trying again later is the cure."""

    exit_code = EXIT_RETRY


class NetworkError(BrandkitError):
    """Another machine that did not answer as it should; trying again later may be the cure."""

    exit_code = EXIT_RETRY


class DeliveryError(BrandkitError):
    """An alert or a report that did not arrive; an alert is sent again next time, a report stands."""

    exit_code = EXIT_RETRY


class ReportError(BrandkitError):
    """A notebook that could not be rendered."""


class CheckFailed(BrandkitError):
    """``verify``, ``doctor`` or a profile check found something wrong."""

    exit_code = EXIT_CHECKS


def near_name(name: str, known: Iterable[str]) -> str:
    """'did you mean …?' for a misspelt name, or an empty string when nothing is near.

    >>> near_name("labor_rights", ["labour", "privacy"])
    "did you mean 'labour'?"
    """
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean '{found[0]}'?" if found else ""


def unknown(kind: str, name: str, known: Iterable[str], *, where: str = "") -> UnknownError:
    """An error that names what is known and what may have been meant."""
    names = sorted(known)
    shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return UnknownError(
        f"unknown {kind} '{name}'",
        where=where,
        allowed=f"known: {shown or 'none'}",
        hint=near_name(name, names),
    )
