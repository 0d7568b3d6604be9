"""The exact search behind "why not": every single change on the grids, then every pair of levers.

All changes of all records are rows of one frame and are judged at once by the real scoring code; no
bound is guessed and none is left out. Work grows with the square of the grids' values and in step
with the records; memory is bounded, for records are taken in chunks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.record.counterfactual import rescored
from brandkit.record.levers import READ, Pull

# Changed records that are held at once: some 150 MB.
_MOST_ROWS = 150_000
# Plans of many small branches: the streaming engine takes twice as long over them.
_ENGINE: Literal["in-memory"] = "in-memory"
# The cost of a change is how many changes it is, then the grid steps, then the levers by name.
_MADE: schemas.Columns = {
    "record": pl.UInt32,
    "n_changes": pl.Int8,
    "n_steps": pl.Int32,
    "lever_1": pl.Int16,
    "lever_2": pl.Int16,
    "first": pl.Int16,
    "second": pl.Int16,
}
_JUDGED = ("decision", "reason", "total", "scores", "gates")
CHANGE = pl.Struct({"lever": pl.String, "phrase": pl.String})
FOUND: schemas.Columns = {**_MADE, **{name: schemas.RECORD[name] for name in _JUDGED}}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every record: which pulls may be tried, and when one has reached its goal.

    ``reached`` reads the judged columns of a changed record, and ``decision_from``.
    """

    profile: BrandProfile
    as_of: datetime
    pulls: tuple[Pull, ...]
    reached: pl.Expr


def facts(records: pl.DataFrame) -> pl.DataFrame:
    """What a search needs of judged and numbered records: the signals that levers and judgement read.

    Shape: record, ``READ``, decision_from, total_from, confidence_from, and the columns of a
           change, which are null.
    """
    signals = (pl.col(name).cast(schemas.RECORD[name]) for name in READ)
    confidence = pl.col("scores").struct.field("confidence")
    stands = {
        "decision_from": pl.col("decision"),
        "total_from": pl.col("total"),
        "confidence_from": confidence,
    }
    unmade = {name: pl.lit(None, _MADE[name]) for name in _MADE if name != "record"}
    return records.select("record", *signals, **stands, **unmade)


def search(given: pl.DataFrame, question: Question, *, most: int | None = None) -> pl.DataFrame:
    """The changes that reach the goal, cheapest first, for each record of ``facts``.

    Single changes where there are any, else pairs of two levers; of those that pull the same levers
    only the cheapest. ``most`` keeps so many for each record.

    Shape: record, n_changes, n_steps, lever_1, lever_2 (places in ``LEVERS``), first, second (places
           in ``question.pulls``), and what it comes to: decision, reason, total, scores, gates. A
           record that nothing flips has no row.
    Nulls: lever_2 and second, for a single change.
    """
    found = [schemas.empty(FOUND)]
    per_chunk = max(1, _MOST_ROWS // max(1, len(question.pulls)))
    for start in range(0, given.height, per_chunk):
        single = singles(given[start : start + per_chunk], question)
        flipped = _cheapest(judged(single.lazy(), question), question, most)
        left = single.join(flipped, on="record", how="anti", maintain_order="left")
        in_pairs = (
            _cheapest(judged(pairs(part, question), question), question, most) for part in _parts(left)
        )
        found += [flipped, *in_pairs]
    return pl.concat(found).sort(*_MADE)


def nearest(given: pl.DataFrame, question: Question, distance: pl.Expr) -> pl.DataFrame:
    """The change that brings one record nearest, a row of ``FOUND``; none where no change brings it nearer.

    ``distance`` reads the gates; of equally near ones it is the cheapest.
    """
    stands = judged(given.lazy(), question).select(distance).collect(engine=_ENGINE).item()
    single = singles(given, question)
    tried = pl.concat([judged(single.lazy(), question), judged(pairs(single, question), question)])
    nearer = tried.with_columns(distance=distance).filter(pl.col("distance") < stands)
    return nearer.collect(engine=_ENGINE).sort("distance", *_MADE).select(*FOUND).head(1)


def phrased(given: pl.DataFrame, found: pl.DataFrame, question: Question) -> pl.DataFrame:
    """What was found with ``changes``, each a lever and its words, as the record stood before them."""
    rows = found.join(given.select("record", *READ), on="record", maintain_order="left")
    said = [_said(question, name, set(found[name].drop_nulls())) for name in ("first", "second")]
    changes = pl.concat_list(said).list.drop_nulls()
    return rows.select(*FOUND, changes=changes)


def _said(question: Question, which: str, used: set[int]) -> pl.Expr:
    """The pull that stands in a column, in words; one that moves what was not known says so."""
    told = pl.lit(None, CHANGE)
    for place in sorted(used):
        pull = question.pulls[place]
        unknown = pl.when(pull.move.known).then(pl.lit("")).otherwise(pl.lit(" (not known now)"))
        words = pl.concat_str(pull.move.phrase, unknown)
        change = pl.struct(lever=pl.lit(pull.lever), phrase=words)
        told = pl.when(pl.col(which) == place).then(change).otherwise(told)
    return told


def singles(given: pl.DataFrame, question: Question) -> pl.DataFrame:
    """Every record with every single change made, where it is one; not judged yet."""
    plan = given.lazy()
    parts = [
        plan.filter(pull.move.applies).with_columns(
            **pull.move.sets, **_made(1, pull.move.steps, first=place, lever_1=pull.at)
        )
        for place, pull in enumerate(question.pulls)
    ]
    return pl.concat([plan.clear(), *parts]).collect(engine=_ENGINE)


def pairs(moved: pl.DataFrame, question: Question) -> pl.LazyFrame:
    """Single changes with a second one made, of a lever later by name, from where the first left them."""
    plan = moved.lazy()
    parts = [
        plan.filter((pl.col("lever_1") < pull.at) & pull.move.applies).with_columns(
            **pull.move.sets,
            **_made(2, pl.col("n_steps") + pull.move.steps, second=place, lever_2=pull.at),
        )
        for place, pull in enumerate(question.pulls)
    ]
    return pl.concat([plan.clear(), *parts])


def judged(moved: pl.LazyFrame, question: Question) -> pl.LazyFrame:
    """What changed records come to: the columns of ``FOUND``, and decision_from."""
    plan = rescored(moved, question.profile, as_of=question.as_of)
    return plan.select(*FOUND, "decision_from")


def _made(n_changes: int, n_steps: pl.Expr, **places: int) -> dict[str, pl.Expr]:
    made = {name: pl.lit(place) for name, place in places.items()}
    made |= {"n_changes": pl.lit(n_changes), "n_steps": n_steps}
    return {name: value.cast(_MADE[name]) for name, value in made.items()}


def _cheapest(changed: pl.LazyFrame, question: Question, most: int | None) -> pl.DataFrame:
    found = changed.filter(question.reached).select(*FOUND).collect(engine=_ENGINE).sort(*_MADE)
    once = found.unique(["record", "lever_1", "lever_2"], keep="first", maintain_order=True)
    return once if most is None else once.filter(pl.int_range(pl.len()).over("record") < most)


def _parts(single: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Single changes, whole records each, in parts whose pairs fit into memory."""
    sizes = single.group_by("record").agg(n=pl.len().cast(pl.Int64)).sort("record")
    part = (pl.col("n") * pl.col("n") // 2).cum_sum() // _MOST_ROWS
    numbered = single.join(sizes.select("record", part=part), on="record", how="left", maintain_order="left")
    yield from numbered.partition_by("part", maintain_order=True, include_key=False)
