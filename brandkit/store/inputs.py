"""What a run's stages went to work on, so that it can be had again: for ``replay``.

Nearly all of it stands in the store anyway: what the run recorded, what it knew of the past, and the
sightings it wrote. Whatever these do not come to exactly is kept beside them when the run is published;
why a row is otherwise need not be known here, and the run's ``input_hash`` says whether all is there.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from brandkit import schemas
from brandkit.errors import ReplayRefused
from brandkit.normalise.identity import ON_PLATFORM
from brandkit.pipeline import History
from brandkit.store import history as past
from brandkit.store.runs import RunRow
from brandkit.store.session import Session
from brandkit.store.tables import Columns, listed

_SIGHTING = ["item_id", "observed_at"]
# Revisions are numbered by the store, after the run has gone to work: the records have the number.
_SAID = [name for name in schemas.ITEM if name not in ("item_id", "revision")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInputs:
    """The items that came through a run's first checkpoint, and the past beside them.

    Shape: ``items`` the Item columns, earlier_story_id and in_scope, sorted by item_id;
    ``observations`` all that was known of these items, the history's too, sorted by item_id and
    observed_at. ``known_through`` is the number of the store's last write when the history was read.
    """

    items: pl.DataFrame
    observations: pl.DataFrame
    history: History
    known_through: int


def keep(session: Session, run: RunRow, given: RunInputs) -> None:
    """Keep what the store would not give again by itself; all else of the run is written already."""
    known = _known(session, run, given.history, written=session.write_number)
    columns = list(schemas.OBSERVATION)
    odd = given.observations.select(columns).join(known, on=columns, how="anti", nulls_equal=True)
    _insert(session, "run_observations", run, odd.sort(_SIGHTING))
    found = _found(session, run, given.history, given.observations)
    both = given.items.join(found, on="item_id", how="left", suffix="_found", maintain_order="left")
    is_odd = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_found")) for name in _SAID)
    _insert(session, "run_items", run, both.filter(is_odd).select(list(schemas.ITEM)))


def require_kept(run: RunRow) -> tuple[int, int]:
    """The numbers of the write a run knew last, and of its own; the one place that asks for its inputs.

    Raises: ReplayRefused where they are not there any more, or never were, with the reason.
    """
    if run.inputs_gone is not None:
        raise ReplayRefused(f"the inputs of run {run.run_id} are gone: {run.inputs_gone}")
    if run.status != "complete":
        raise ReplayRefused(
            f"run {run.run_id} is {run.status}: it published nothing to replay",
            allowed=f"error: {run.error.splitlines()[0]}" if run.error else "",
            hint="brandkit runs shows the status of every run",
        )
    if run.known_through is None or run.written is None:
        raise ReplayRefused(f"run {run.run_id} was published without its inputs")
    return run.known_through, run.written


def again(session: Session, run: RunRow) -> RunInputs:
    """What the run went to work on.

    Raises: ReplayRefused where it is not there any more, or never was, with the reason.
    """
    known_through, written = require_kept(run)
    asked = past.Asked(
        profile_id=run.profile_id,
        kind=run.kind,
        window_start=run.window_start,
        as_of=run.as_of,
        before=run.run_on,
        known_through=known_through,
        shadow=run.shadow,
    )
    history = past.read(session, asked)
    known = _known(session, run, history, written=written)
    odd = _kept(session, "run_observations", run, schemas.OBSERVATION)
    observations = pl.concat([known.join(odd, on=_SIGHTING, how="anti"), odd]).sort(_SIGHTING)
    found = _found(session, run, history, observations)
    kept = _kept(session, "run_items", run, schemas.ITEM)
    items = pl.concat([found.join(kept, on="item_id", how="anti"), _renumbered(kept, found)])
    return RunInputs(
        items=_placed(items, history, run).sort("item_id"),
        observations=observations.join(items, on="item_id", how="semi", maintain_order="left"),
        history=history,
        known_through=known_through,
    )


def _known(session: Session, run: RunRow, history: History, *, written: int) -> pl.DataFrame:
    """Every sighting of the history, and those the run wrote itself: one an item and instant."""
    own = session.frame(
        f"SELECT {listed(schemas.OBSERVATION)} FROM observations "
        "WHERE written = $written AND observed_at < $as_of",
        schemas.OBSERVATION,
        {"written": written, "as_of": run.as_of},
    )
    both = pl.concat([history.observations, own]).group_by(_SIGHTING)
    return both.agg(pl.col(schemas.METRICS).max(), pl.col("content_hash").max()).sort(_SIGHTING)


def _found(session: Session, run: RunRow, history: History, observations: pl.DataFrame) -> pl.DataFrame:
    """The items the run recorded, and those of its history with the most that is known of each."""
    recorded = session.frame(
        f"SELECT {listed(schemas.ITEM)} FROM records WHERE run_id = $run_id",
        schemas.ITEM,
        {"run_id": run.run_id},
    ).with_columns(publisher=_publisher())
    context = history.items.join(recorded, on="item_id", how="anti")
    seen = observations.join(context, on="item_id", how="semi")
    most = seen.group_by("item_id").agg(pl.col(schemas.METRICS).max())
    context = context.join(most, on="item_id", how="left", suffix="_seen").with_columns(
        pl.max_horizontal(name, f"{name}_seen") for name in schemas.METRICS
    )
    return pl.concat([recorded, context.select(list(schemas.ITEM))])


def _publisher() -> pl.Expr:
    """Who published an item before the run's profile folded families, as far as can be told from it."""
    account = (pl.col("source") + ":" + pl.col("account")).str.to_lowercase()
    on_platform = pl.col("item_type").cast(pl.String).is_in(ON_PLATFORM)
    return pl.when(on_platform).then(account).otherwise("domain")


def _placed(items: pl.DataFrame, history: History, run: RunRow) -> pl.DataFrame:
    """The items with the story the past has them in, and whether they are the run's to record."""
    stories = history.items.select("item_id", earlier_story_id="story_id")
    return items.join(stories, on="item_id", how="left").with_columns(
        in_scope=pl.col("seen_at") >= run.window_start
    )


def _renumbered(kept: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    numbers = found.select("item_id", stored="revision")
    joined = kept.join(numbers, on="item_id", how="left")
    return joined.with_columns(revision=pl.coalesce("stored", "revision")).drop("stored")


def _kept(session: Session, table: str, run: RunRow, columns: Columns) -> pl.DataFrame:
    return session.frame(
        f"SELECT {listed(columns)} FROM {table} WHERE run_id = $run_id", columns, {"run_id": run.run_id}
    )


def _insert(session: Session, table: str, run: RunRow, rows: pl.DataFrame) -> None:
    session.insert(table, rows.with_columns(run_id=pl.lit(run.run_id)))
