"""The first checkpoint: bad rows set apart with their reasons, sightings of one item folded into one row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandera.errors
import polars as pl

from brandkit import schemas
from brandkit.errors import ContractError
from brandkit.normalise.stage import normalise
from brandkit.normalise.times import EARLIEST, LATEST
from brandkit.pipeline import Checked, History, RunContext

CONTEXT = timedelta(hours=72)
RAW_CHARACTERS = 4_000
STAGE = "normalise"

_METRICS = list(schemas.METRICS)
_COUNTS = [*_METRICS, "followers"]


@dataclass(frozen=True, slots=True)
class Normalised:
    """Raw rows as items, without a run: one row per item, every sighting, and what was refused."""

    items: pl.DataFrame
    observations: pl.DataFrame
    rejects: pl.DataFrame


def normalise_items(raw: pl.LazyFrame | pl.DataFrame, *, as_of: datetime | None = None) -> Normalised:
    """Raw rows as items, with no profile and no run.

    Shape:  items as ``brandkit.schemas.ITEM``, one row each, sorted by item_id.

    Args:
        raw: any of the raw columns, of any dtype.
        as_of: what the items are as of; sightings from then on are left out. None: all are seen.

    >>> row = {"url": "https://a.example/x", "title": "A &amp; B", "collected_at": "2026-03-02T07:00Z"}
    >>> normalise_items(pl.DataFrame([row])).items["title"].item()
    'A & B'
    """
    frame = normalise(raw.lazy()).collect()
    checked = _fold(
        frame, History.empty(), as_of=as_of or LATEST, window_start=EARLIEST, where="while normalising"
    )
    observations = (
        checked.observations if checked.observations is not None else checked.outputs["observations"]
    )
    return Normalised(checked.frame.select(list(schemas.ITEM)), observations, checked.rejects)


def admit(frame: pl.DataFrame, ctx: RunContext) -> Checked:
    """The items of a run: good rows folded by item, merged with what the history knows of them.

    Shape:  one row per item, sorted by item_id: the Item columns, ``earlier_story_id`` (String?) and
            ``in_scope``. ``outputs`` has ``items`` (new revisions) and ``observations`` (this input's
            sightings), future ones too; nothing sighted at or after ``as_of`` reaches the frame.
    Nulls:  a metric is its highest sighting before ``as_of``, null where none was ever known.
    Raises: ContractError where the frame itself is broken, which is never one row's fault.
    """
    return _fold(
        frame, ctx.history, as_of=ctx.as_of, window_start=ctx.window_start, where=f"in run {ctx.run_id}"
    )


def _fold(
    frame: pl.DataFrame, history: History, *, as_of: datetime, window_start: datetime, where: str
) -> Checked:
    good, rejects = _judged(frame)
    past = history.items.filter(pl.col("collected_at") < as_of)
    if past["item_id"].n_unique() != past.height:
        raise ContractError("an item stands twice in the history", where=where)
    sightings = _sightings(good)
    revisions = _revisions(sightings, past, as_of=as_of)
    observations = _distinct(sightings.rename({"observed_at": "_given", "sighted_at": "observed_at"}))
    earlier = history.observations.select(list(schemas.OBSERVATION))
    known = observations if earlier.is_empty() else _distinct(pl.concat([earlier, observations]))
    known = known.filter(pl.col("observed_at") < as_of)
    facts = _facts(sightings.filter(pl.col("sighted_at") < as_of), past, known)
    # Joining one to one proves that no item stands twice after folding.
    items = _current(revisions, past).join(facts, on="item_id", how="inner", validate="1:1")
    items = _scoped(items, window_start)
    n_items = pl.concat([sightings["item_id"], past["item_id"]]).n_unique()
    return Checked(
        frame=items,
        rejects=rejects,
        added=past.height,
        folded=sightings.height + past.height - n_items,
        set_aside=n_items - items.height,
        outputs={"items": _new(revisions), "observations": observations},
        observations=known,
    )


def _judged(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Good rows, and rejects: those with a reason already, and those that break the schema."""
    has_reason = pl.col("reject_reasons").list.len() > 0
    refused = frame.filter(has_reason)
    # Revision and last sighting come with folding; until then every row is its own first revision.
    rows = frame.filter(~has_reason).with_columns(
        revision=pl.lit(1, dtype=pl.Int32), seen_at=pl.col("collected_at")
    )
    broken = _broken(rows)
    if not broken.is_empty():
        rows = rows.with_row_index("_row")
        refused = pl.concat(
            [
                refused,
                rows.drop("reject_reasons").join(broken, on="_row", how="inner").select(refused.columns),
            ]
        )
        rows = rows.join(broken, on="_row", how="anti", maintain_order="left").drop("_row")
    return rows, _rejects(refused)


def _broken(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that break the item schema: _row, and reject_reasons as 'column: check'."""
    try:
        _ROWS.validate(rows, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
        whole = cases.filter(pl.col("index").is_null())
        if whole.height:
            first = whole.row(0, named=True)
            raise ContractError(
                f"the item frame is broken: {first['column']}: {first['check']}",
                where="at the first checkpoint",
            ) from None
        reason = pl.format("{}: {}", "column", "check").unique().sort()
        broken = cases.group_by(pl.col("index").cast(pl.UInt32).alias("_row")).agg(
            reason.alias("reject_reasons")
        )
        return pl.DataFrame(broken.sort("_row"))
    return pl.DataFrame(schema={"_row": pl.UInt32, "reject_reasons": schemas.NAMES})


# One item may have many rows until they are folded; that ids are unique is proved afterwards.
_ROWS = schemas.Items.update_column("item_id", unique=False)


def _rejects(refused: pl.DataFrame) -> pl.DataFrame:
    """Refused rows as rejects, in an order that no engine decides."""
    if refused.is_empty():
        return schemas.empty(schemas.REJECT)
    text = pl.coalesce("raw_text", pl.col("raw").struct.json_encode())
    return refused.select(
        "raw_file",
        "raw_row",
        stage=pl.lit(STAGE),
        reasons=pl.col("reject_reasons"),
        raw=text.str.slice(0, RAW_CHARACTERS),
    ).sort("raw_file", "raw_row", "raw", nulls_last=True)


def _sightings(good: pl.DataFrame) -> pl.DataFrame:
    """The good rows in an order that depends on nothing but what is in them."""
    rows = good.drop("reject_reasons", "raw_file", "raw_row", "raw_text", "raw", "revision", "seen_at")
    rows = rows.with_columns(sighted_at=pl.coalesce("observed_at", "collected_at"))
    # Only rows of one item meet in folding; the order of the others comes with the last sort.
    meets = rows["item_id"].is_duplicated()
    text = ["source", "url", "target_url", "domain", "publisher", "account", "item_type"]
    several = rows.filter(meets).sort(
        "item_id", "sighted_at", "content_hash", *text, *_COUNTS, nulls_last=True
    )
    return pl.concat([rows.filter(~meets), several])


def _distinct(observations: pl.DataFrame) -> pl.DataFrame:
    """One observation for each item and instant, with the highest of each metric."""
    whole = observations.select(list(schemas.OBSERVATION))
    return (
        whole.group_by("item_id", "observed_at")
        .agg(pl.col(_METRICS).max(), pl.col("content_hash").max())
        .sort("item_id", "observed_at")
    )


def _revisions(sightings: pl.DataFrame, history: pl.DataFrame, *, as_of: datetime) -> pl.DataFrame:
    """One row per item and content, numbered by first sighting after what the history knows.

    Shape: the Item columns (collected_at and seen_at are this content's), and ``is_known``, ``is_last``:
           whether this content, as of the run, was sighted last.
    """
    same = [
        n
        for n in schemas.ITEM
        if n not in ("item_id", "content_hash", "revision", "collected_at", "seen_at", "lost", *_COUNTS)
    ]
    at = pl.col("sighted_at")
    plain = (
        sightings.with_columns(_last_at=pl.when(at < as_of).then(at))
        .group_by("item_id", "content_hash", maintain_order=True)
        .agg(
            pl.col(same).first(),
            at.min().alias("collected_at"),
            at.max().alias("seen_at"),
            pl.col(_COUNTS).max(),
            pl.col("_last_at").max(),
        )
    )
    plain = plain.join(_losses(sightings), on=["item_id", "content_hash"], how="left").with_columns(
        pl.col("lost").fill_null(pl.lit([], dtype=schemas.NAMES))
    )
    past = history.select("item_id", _hash="content_hash", _revision="revision", _known_at="seen_at")
    joined = plain.join(past, on="item_id", how="left").sort("item_id", "collected_at", "content_hash")
    is_known = pl.col("content_hash").eq_missing(pl.col("_hash"))
    joined = joined.with_columns(is_known=is_known)
    number = pl.col("_revision").fill_null(0) + _running(joined)
    number = pl.when(is_known).then(pl.col("_revision")).otherwise(number)
    tied = (pl.col("_last_at") == pl.col("_known_at")) & (pl.col("content_hash") >= pl.col("_hash"))
    beats = pl.col("_known_at").is_null() | (pl.col("_last_at") > pl.col("_known_at")) | tied
    return (
        joined.with_columns(revision=number.cast(pl.Int32))
        .join(_newest(joined), on=["item_id", "content_hash"], how="left", maintain_order="left")
        .with_columns(is_last=pl.col("_is_newest").fill_null(value=False) & beats)
        .select(*schemas.ITEM, "is_known", "is_last")
    )


def _running(revisions: pl.DataFrame) -> pl.Series:
    """How many unknown contents an item has down to each row; the rows are sorted by item."""
    # One pass over sorted rows: windows over a million items took most of a minute.
    is_new = (~revisions["is_known"]).cast(pl.Int32)
    total = is_new.cum_sum()
    starts = revisions["item_id"].ne_missing(revisions["item_id"].shift(1))
    before = (total - is_new).to_frame("n").select(pl.when(starts).then("n").forward_fill())
    return total - before.to_series()


def _newest(revisions: pl.DataFrame) -> pl.DataFrame:
    """The content of each item that was sighted last before the run's end, marked ``_is_newest``."""
    # By (instant, hash): the same answer however the sightings were split over loads.
    seen = revisions.select("item_id", "content_hash", "_last_at").drop_nulls("_last_at")
    last = seen.sort("item_id", "_last_at", "content_hash").unique(
        "item_id", keep="last", maintain_order=True
    )
    return last.select("item_id", "content_hash", _is_newest=pl.lit(value=True))


def _losses(sightings: pl.DataFrame) -> pl.DataFrame:
    some = sightings.filter(pl.col("lost").list.len() > 0).select("item_id", "content_hash", "lost")
    return some.explode("lost").group_by("item_id", "content_hash").agg(pl.col("lost").unique().sort())


def _new(revisions: pl.DataFrame) -> pl.DataFrame:
    """The revisions no store has yet, by item and number: the order in which they were numbered."""
    return revisions.filter(~pl.col("is_known")).select(list(schemas.ITEM))


def _current(revisions: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Each item's content as it stood before the run's end: that of its last sighting."""
    fresh = revisions.filter(pl.col("is_last").fill_null(value=False)).select(list(schemas.ITEM))
    kept = history.join(fresh, on="item_id", how="anti").select(list(schemas.ITEM))
    stories = history.select("item_id", earlier_story_id="story_id")
    timeless = pl.concat([fresh, kept]).drop("collected_at", "seen_at", *_COUNTS)
    return timeless.join(stories, on="item_id", how="left").with_columns(
        _from_history=pl.col("item_id").is_in(history["item_id"].implode())
    )


def _facts(sightings: pl.DataFrame, past: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Per item: first and last sighting, and the highest of each count."""
    at = pl.col("sighted_at")
    now = sightings.select("item_id", at.alias("collected_at"), at.alias("seen_at"), *_COUNTS)
    seen = pl.concat([now, past.select("item_id", "collected_at", "seen_at", *_COUNTS)])
    # Observations raise what is known of an item; alone they do not make one.
    metrics = known.join(seen, on="item_id", how="semi").select("item_id", *_METRICS)
    return (
        pl.concat([seen, metrics], how="diagonal")
        .group_by("item_id")
        .agg(pl.col("collected_at").min(), pl.col("seen_at").max(), pl.col(_COUNTS).max())
    )


def _scoped(items: pl.DataFrame, window_start: datetime) -> pl.DataFrame:
    """The items of the window and of the context before it; anything older is left out."""
    in_scope = pl.col("seen_at") >= window_start
    in_context = pl.col("_from_history") | (pl.col("seen_at") >= window_start - CONTEXT)
    return (
        items.with_columns(in_scope=in_scope)
        .filter(pl.col("in_scope") | in_context)
        .select(*schemas.ITEM, "earlier_story_id", "in_scope")
        .sort("item_id")
    )
