"""Why a decision moved: B's values come in group by group, and the first that moves it is the cause.

Everything a decision is made of belongs to one of five groups of columns, to the clock or to the
profile. They are swapped from A's values to B's in one order, each on top of those before, and the
real score runs after each (``counterfactual.rescored``):

1. ``story``       the story's facts, where its items were regrouped: all of them change at once
2. ``lead``        where another item now speaks for the story: its words, its publisher, that it is fresher
3. ``evidence``    the story's facts otherwise, and the item's own where its content was edited
4. ``engagement``  the metrics of the item, and the pace of the story
5. ``age``         the item's age, and the clock that the score reads
6. ``profile``     weights, thresholds, lists: and what B's profile measured otherwise

What happened stands before how loud it was, that before the time that passes by itself, and all of
it before what we changed ourselves. The order decides only where several swaps would each do.

Two rules keep a cause honest. *Held back*: of the same items only the profile can have measured
other facts, and only the clock another pace, so those come in there. *The way it went*: the cause
is the first swap that takes the decision to B's side of A's; one that lifts what in the end fell
explains nothing. What no swap explains is the code: it is the last step, and also the one before
the first, where A's own signals no longer make what was stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

import polars as pl

from brandkit import schemas
from brandkit.assess import scoring_stages
from brandkit.profile import BrandProfile
from brandkit.record.counterfactual import rescored, rung

CAUSES = (
    "new_item", "story_merged", "story_split", "new_evidence", "engagement", "aged", "profile_changed",
    "code_changed", "gone",
)  # fmt: skip
CAUSE = pl.Enum(list(CAUSES))
WORDS: Mapping[str, str] = {
    "new_item": "a new item",
    "story_merged": "stories merged",
    "story_split": "a story split",
    "new_evidence": "new evidence",
    "engagement": "engagement",
    "aged": "it aged",
    "profile_changed": "the profile changed",
    "code_changed": "the code changed",
    "gone": "gone",
}

_CROWD = (*schemas.METRICS, "followers")
# Every column of an item and of its signals, each in one group; a test holds it to that.
GROUPS: Mapping[str, tuple[str, ...]] = {
    # What the item says, and what the profile's lists make of its words and its publisher.
    "own": (
        *(name for name in schemas.ITEM if name not in _CROWD),
        "tier", "audience", "role", "mixed_script", "entities", "entities_in_title", "pillars",
        "pillars_in_title", "triggers", "triggers_in_title", "forbidden", "forbidden_in_title", "excluded",
        "is_denial", "sentiment",
    ),
    # What its story came to, the item's place in it included; much of it is counted by tier.
    "story": (
        "story_id", "copy_of", "is_coordinated", "coordinated_share", "n_coordinated", "coordination",
        "n_items", "n_outlets", "n_publishers", "n_publishers_ab", "n_other_publishers_ab", "n_unlisted",
        "n_adopters_ab", "best_tier", "first_seen_at", "last_seen_at", "last_new_publisher_at", "disputed",
        "misinfo_risk", "misinfo_evidence",
    ),
    "pace": ("velocity_h", "burst"),
    "crowd": (*_CROWD, "engagement", "engagement_ratio"),
    "age": ("age_h", "future_dated"),
}  # fmt: skip
SWAPS = ("story", "lead", "evidence", "engagement", "age", "profile")
STEP: Mapping[str, int] = {name: step for step, name in enumerate(SWAPS, start=1)}
PART = pl.Struct({"component": schemas.COMPONENT, "part": pl.String, "from": pl.Int16, "to": pl.Int16})
STATE = pl.Struct({"swap": pl.String, "decision": schemas.DECISION})
_ORDER = {
    (c, part): at for at, (c, part) in enumerate((c, p) for c in schemas.PARTS for p in schemas.PARTS[c])
}


class Judged(Protocol):
    """What a side of a comparison must know: its records, its profile, its clock."""

    @property
    def records(self) -> pl.DataFrame:
        """The records of the run."""

    @property
    def profile(self) -> BrandProfile:
        """The profile that decided."""

    @property
    def as_of(self) -> datetime:
        """The run's clock."""


def attributed(pairs: pl.DataFrame, a: Judged, b: Judged) -> pl.DataFrame:
    """The pairs of records whose decision moved, each with its cause and the parts that moved.

    Shape:  takes ``item_from`` and ``item_to``; ``<group>_at``, the step at which B's values of each
            group come in; and ``story_cause`` and ``lead_cause``, the causes of the first two steps.
            Gives the pairs that moved, in their order, with decision, reason and total of both
            sides, ``cause``, ``parts`` and ``path``.
    """
    names = _read()
    then = a.records.select(item_from="item_id", **_stored("from"), **{f"{n}_from": n for n in names})
    now = b.records.select(item_to="item_id", **_stored("to"), **{f"{n}_to": n for n in names})
    moved = (
        pairs.join(then, on="item_from", how="inner", maintain_order="left")
        .join(now, on="item_to", how="inner", maintain_order="left")
        .filter(pl.col("decision_from") != pl.col("decision_to"))
        .with_row_index("_row")
    )
    states = _states(moved, a, b)
    found = moved.select("_row", *pairs.columns, *_stored("from"), *_stored("to"))
    for more in (_first(states, moved), _path(states)):
        found = found.join(more, on="_row", how="left", maintain_order="left")
    parts = moved_parts(moved, a.records, b.records)
    return (
        found.join(parts, on="_row", how="left", maintain_order="left")
        .with_columns(cause=_cause(), parts=pl.col("parts").fill_null(pl.lit([], pl.List(PART))))
        .drop("_row", "_step")
    )


def _stored(side: str) -> dict[str, str]:
    return {f"{name}_{side}": name for name in ("decision", "reason", "total")}


def _read() -> list[str]:
    """The grouped columns that judgement reads: a formula that read another would not find it."""
    grouped = {name for names in GROUPS.values() for name in names}
    taken = {name for stage in scoring_stages() for name in stage.takes}
    return sorted(grouped & taken)


def _states(moved: pl.DataFrame, a: Judged, b: Judged) -> pl.DataFrame:
    """What the rows come to after each swap: _row, _step (0 for none), state."""
    by_judge: dict[datetime, list[int]] = {a.as_of: [], b.as_of: []}
    for step in range(STEP["profile"]):
        by_judge[b.as_of if step >= STEP["age"] else a.as_of].append(step)
    plans = [_judged(moved, steps, a.profile, as_of) for as_of, steps in by_judge.items()]
    # Without another profile what is left for its step is not its doing.
    if a.profile != b.profile:
        plans.append(_judged(moved, [STEP["profile"]], b.profile, b.as_of))
    return pl.concat(plans).collect().sort("_row", "_step")


def _judged(
    moved: pl.DataFrame, steps: Iterable[int], profile: BrandProfile, as_of: datetime
) -> pl.LazyFrame:
    mixed = pl.concat(
        moved.select("_row", *(_swapped(name, step) for name in _read()), _step=pl.lit(step, pl.Int8))
        for step in steps
    )
    return rescored(mixed, profile, as_of=as_of).select("_row", "_step", state="decision")


def _swapped(name: str, step: int) -> pl.Expr:
    """A column with B's values wherever its group has come in by this step."""
    group = next(group for group, names in GROUPS.items() if name in names)
    return pl.when(pl.col(f"{group}_at") <= step).then(f"{name}_to").otherwise(f"{name}_from").alias(name)


def _first(states: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    """The first step of each row at which its decision stands on B's side of A's."""
    start, end = rung(pl.col("decision_from")), rung(pl.col("decision_to"))
    is_there = (rung(pl.col("state")) - start) * (end - start) > 0
    known = states.join(moved.select("_row", "decision_from", "decision_to"), on="_row")
    return known.filter(is_there).group_by("_row").agg(pl.col("_step").min())


def _cause() -> pl.Expr:
    by_step = (
        pl.lit("code_changed"), pl.col("story_cause"), pl.col("lead_cause"), pl.lit("new_evidence"),
        pl.lit("engagement"), pl.lit("aged"), pl.lit("profile_changed"),
    )  # fmt: skip
    named = (pl.when(pl.col("_step") == step).then(cause) for step, cause in enumerate(by_step))
    return pl.coalesce(*named, pl.lit("code_changed")).cast(CAUSE)


def _path(states: pl.DataFrame) -> pl.DataFrame:
    swap = pl.col("_step").replace_strict(dict(enumerate(("none", *SWAPS))), return_dtype=pl.String)
    by_row = states.group_by("_row", maintain_order=True)
    return by_row.agg(path=pl.struct(swap.alias("swap"), decision="state")).cast({"path": pl.List(STATE)})


def moved_parts(pairs: pl.DataFrame, a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    """The parts and modifiers that differ, a list a row: what they moved by adds up to the total's move.

    Shape: takes ``_row``, ``item_from``, ``item_to``; gives ``_row`` and ``parts``.
    """
    then = _points(pairs.select("_row", item_id="item_from"), a, "from")
    now = _points(pairs.select("_row", item_id="item_to"), b, "to")
    return (
        then.join(now, on=["_row", "component", "part"], how="full", coalesce=True)
        .with_columns(pl.col("from", "to").fill_null(0))
        .filter(pl.col("from") != pl.col("to"))
        .with_columns(at=pl.coalesce(pl.col("at"), pl.col("at_right")))
        .sort("_row", "at", "component", "part")
        .group_by("_row", maintain_order=True)
        .agg(parts=pl.struct("component", "part", "from", "to"))
    )


def _points(rows: pl.DataFrame, records: pl.DataFrame, side: str) -> pl.DataFrame:
    """Every part and modifier of the rows with its points, long; a modifier stands as a part."""
    own = rows.join(records.select("item_id", "parts", "modifiers"), on="item_id", how="inner")
    parts = [
        own.select(
            "_row",
            component=pl.lit(component, schemas.COMPONENT),
            part=pl.lit(part),
            points=pl.col("parts").struct.field(component).struct.field(part),
            at=pl.lit(at),
        )
        for (component, part), at in _ORDER.items()
    ]
    taken = (
        own.select("_row", "modifiers")
        .explode("modifiers")
        .unnest("modifiers")
        .select("_row", "component", part="name", points="points", at=pl.lit(len(_ORDER)))
    )
    return pl.concat([*parts, taken]).filter(pl.col("points") != 0).rename({"points": side})


def part_words(parts: Iterable[Mapping[str, object]], *, most: int = 3) -> str:
    """The parts that moved the most, as text: 'corroboration +2, freshness -6'."""
    moves = [(str(part["part"]), int(str(part["to"])) - int(str(part["from"]))) for part in parts]
    moves.sort(key=lambda move: (-abs(move[1]), move[0]))
    return ", ".join(f"{name.replace('_', ' ')} {by:+d}" for name, by in moves[:most])
