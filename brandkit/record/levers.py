"""The levers: every change that "why not" may try, by name; and what a record would be with one pulled.

A lever is a named change in the world. It moves a consistent set of signals, as far as the record
tells: what must move with it moves, what is not known stays as it is. ``levers_story``,
``levers_item`` and ``levers_text`` hold one entry for each; their grids stand in the profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.record.levers_item import ITEM
from brandkit.record.levers_kinds import Lever, Move, Setting, Way
from brandkit.record.levers_story import STORY
from brandkit.record.levers_text import TEXT
from brandkit.scoring import components, gates, modifiers

LEVERS: tuple[Lever, ...] = tuple(sorted((*STORY, *ITEM, *TEXT), key=lambda lever: lever.name))
# What judgement reads, and what else a lever reads or moves.
READ = tuple(
    sorted(
        {
            *components.TAKES, *modifiers.TAKES, *gates.TAKES, "n_items", "n_publishers_ab", "role",
            "publisher", "is_coordinated", "is_denial", "misinfo_evidence", "coordination", "disputed",
            "forbidden_in_title", "collected_at", "item_id",
        }
        & {*schemas.ITEM, *schemas.SIGNAL}
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pull:
    """One move of a lever; ``at`` is the lever's place in ``LEVERS``."""

    lever: str
    at: int
    move: Move


def pulls(profile: BrandProfile, *, as_of: datetime, ways: Sequence[Way]) -> tuple[Pull, ...]:
    """The moves of a profile's grids, by the names of their levers, those of few steps first."""
    setting = Setting(profile, as_of)
    return tuple(
        Pull(lever.name, at, move)
        for at, lever in enumerate(LEVERS)
        for way in ways
        for move in getattr(lever, way)(setting)
    )


def pulled(records: pl.LazyFrame, pull: Pull) -> pl.LazyFrame:
    """The records on which a move is a change, with it made.

    Shape:  some of the rows; the signals that move, moved.
    """
    return records.filter(pull.move.applies).with_columns(**pull.move.sets)
