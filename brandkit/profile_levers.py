"""What "why not" may try, and how far: the table [levers], one grid of values for each lever.

A lever is a named change in the world (one more publisher, a name in the title, hours that pass);
``record.levers`` says what each of them moves. An empty grid switches its lever off.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from brandkit.profile_errors import Unfit

# Pairs are tried too, so the work grows with the square of the values.
MOST_VALUES = 12
PLACES = ("nowhere", "summary", "title")
TIERS = ("unlisted", "C", "B", "A")

_Number = TypeVar("_Number", int, float)


def _few(values: tuple[object, ...]) -> None:
    if len(values) > MOST_VALUES:
        raise Unfit(f"a grid of {len(values)} values", allowed=f"{MOST_VALUES} or fewer")


def _rising(values: tuple[_Number, ...]) -> tuple[_Number, ...]:
    _few(values)
    return tuple(sorted(set(values)))


def _in_order(order: Iterable[str], values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(step for step in order if step in values)


def _places(values: tuple[str, ...]) -> tuple[str, ...]:
    return _in_order(PLACES, values)


def _tiers(values: tuple[str, ...]) -> tuple[str, ...]:
    return _in_order(TIERS, values)


def _switch(values: tuple[bool, ...]) -> tuple[bool, ...]:
    if values not in ((), (True,)):
        shown = ", ".join(str(value).lower() for value in values)
        raise Unfit(f"a lever without values is [{shown}]", allowed="[true], or [] to switch it off")
    return values


Counts = Annotated[tuple[Annotated[int, Field(ge=1, le=1000)], ...], AfterValidator(_rising)]
Hours = Annotated[tuple[Annotated[float, Field(gt=0, le=8760)], ...], AfterValidator(_rising)]
Levels = Annotated[tuple[Annotated[float, Field(ge=0, le=1e6)], ...], AfterValidator(_rising)]
People = Annotated[tuple[Annotated[int, Field(ge=0, le=10**10)], ...], AfterValidator(_rising)]
Places = Annotated[tuple[Literal["nowhere", "summary", "title"], ...], AfterValidator(_places)]
Listed = Annotated[tuple[Literal["C", "B", "A"], ...], AfterValidator(_tiers)]
Tiers = Annotated[tuple[Literal["unlisted", "C", "B", "A"], ...], AfterValidator(_tiers)]
Switch = Annotated[tuple[bool, ...], AfterValidator(_switch)]


class LeverGrids(BaseModel):
    """The values that each lever is tried at; kept in rising order, each once.

    Counts say how many more (or fewer), hours how many pass, the others where a signal would stand;
    ``[true]`` is a lever that only is or is not pulled. A grid step is one value: a count costs its
    place in the grid, a signal the values passed from where it stands, the one reached included; what
    is not known stands before the first.

    Units:  ``age`` hours, ``velocity_h`` items per hour, ``engagement_ratio`` times the usual,
            ``reach`` people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    adopters_ab: Counts = (1, 2, 3)
    age: Hours = (1, 3, 6, 12, 24, 48, 72)
    constraint: Switch = (True,)
    coordination: Switch = (True,)
    engagement_ratio: Levels = (0, 1, 2, 4, 8, 16, 32, 64)
    evidence: Switch = (True,)
    exclusion: Switch = (True,)
    joins_now: Listed = ("C", "B", "A")
    misinfo_risk: Switch = (True,)
    other_name: Places = ("nowhere", "summary", "title")
    outlets: Counts = (1, 5, 20)
    own_name: Places = ("nowhere", "summary", "title")
    pillars: Counts = (1, 2)
    provenance: Switch = (True,)
    publisher_a: Switch = (True,)
    publishers_ab: Counts = (1, 2, 3)
    reach: People = (0, 1_000, 10_000, 100_000, 1_000_000, 5_000_000)
    tier: Tiers = ("unlisted", "C", "B", "A")
    trigger: Places = ("nowhere", "summary", "title")
    unlisted_publishers: Counts = (1, 2, 3)
    velocity_h: Levels = (0, 0.5, 1, 2, 4, 8, 16)
