"""Items by revision, and their sightings: added, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from brandkit import schemas
from brandkit.errors import ContractError
from brandkit.store.session import Session
from brandkit.store.tables import TABLES, chunks, conformed

_NUMBERED = {"item_id": pl.String, "content_hash": pl.String, "revision": pl.Int32}
_KEY = ["item_id", "content_hash"]
_NEEDED = (*_KEY, "source", "collected_at")


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """What an upsert found: items never seen, known items with new content, and the rest."""

    new: int
    new_revisions: int
    unchanged: int


def known_revisions(session: Session, keys: pl.DataFrame) -> pl.DataFrame:
    """Every stored revision of the items named: item_id, content_hash, revision."""
    with session.given("keys", keys.select(pl.col("item_id").unique())):
        return session.frame(
            "SELECT item_id, content_hash, revision FROM items SEMI JOIN keys USING (item_id)", _NUMBERED
        )


def numbered(keys: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Content not known so far with its revision: numbers go on after the highest known.

    Shape: item_id, content_hash, collected_at in; item_id, content_hash, revision, is_new out.
    """
    highest = known.group_by("item_id").agg(highest=pl.col("revision").max())
    return (
        keys.join(known, on=_KEY, how="anti")
        .join(highest, on="item_id", how="left")
        .sort("item_id", "collected_at", "content_hash")
        .select(
            *_KEY,
            revision=pl.col("highest").fill_null(0)
            + pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("item_id"),
            # An item that comes with two contents at once is one new item and one new revision.
            is_new=pl.col("highest").is_null() & pl.col("item_id").is_first_distinct(),
        )
    )


def upsert(session: Session, items: pl.DataFrame) -> UpsertCounts:
    """Add content not stored yet as new revisions; what is stored stays as it is.

    Raises: ContractError for a missing or repeated (item_id, content_hash).
    """
    keys = _proved(items).select(*_KEY, "collected_at")
    known = known_revisions(session, keys)
    fresh = numbered(keys, known)
    for chunk in chunks(items):
        rows = chunk.drop("revision", strict=False).join(fresh, on=_KEY, maintain_order="left")
        session.insert("items", conformed(rows, schemas.ITEM))
    with session.given("keys", fresh.select(pl.col("item_id").unique())):
        twice = session.rows(
            "SELECT item_id FROM items SEMI JOIN keys USING (item_id) "
            "GROUP BY item_id, revision HAVING count(*) > 1 LIMIT 1"
        )
    if twice:
        raise ContractError(f"item {twice[0][0]} would have one revision twice", where="in the store")
    new = int(fresh["is_new"].sum())
    return UpsertCounts(new=new, new_revisions=fresh.height - new, unchanged=items.height - fresh.height)


def _proved(items: pl.DataFrame) -> pl.DataFrame:
    if missing := [name for name in _NEEDED if name not in items.columns]:
        raise ContractError(f"items without {', '.join(missing)} cannot be stored")
    keys = items.select(_NEEDED)
    if empty := [name for name in _NEEDED if keys[name].null_count()]:
        raise ContractError(f"items with no {', '.join(empty)} cannot be stored")
    repeated = keys.filter(keys.select(_KEY).is_duplicated())
    if repeated.height:
        raise ContractError(
            f"{repeated.height} rows share an item_id and a content_hash",
            allowed=f"one of them: item {repeated['item_id'].sort()[0]}",
            hint="fold them before they are stored",
        )
    return keys


def single(row: Mapping[str, object]) -> pl.DataFrame:
    """One item as a frame: lists default to empty, the type to other, the last sighting to the first."""
    if strange := sorted(set(row) - set(schemas.ITEM)):
        raise ContractError(f"an item has no {', '.join(strange)}")
    values = {
        "item_type": "other",
        "claims": [],
        "evidence": [],
        "risk_flags": [],
        "seen_at": row.get("collected_at"),
        **row,
    }
    return pl.DataFrame([values], schema=dict(schemas.ITEM))


def renumber(session: Session, records: pl.DataFrame) -> pl.DataFrame:
    """Records with the revision the store gave their content, whatever the run called it."""
    known = known_revisions(session, records).rename({"revision": "stored"})
    return (
        records.join(known, on=_KEY, how="left", maintain_order="left")
        .with_columns(revision=pl.coalesce("stored", "revision"))
        .drop("stored")
    )


def add_observations(session: Session, observations: pl.DataFrame, *, seen_by: str | None = None) -> int:
    """Add sightings not stored yet, for all or for whoever saw them; gives how many.

    Two that differ at one instant are both kept, and read as the most of each metric.
    """
    added = 0
    told = (*schemas.METRICS, "content_hash", "seen_by")
    differs = " AND ".join(f"o.{name} IS NOT DISTINCT FROM c.{name}" for name in told)
    columns = TABLES["observations"]
    rows = conformed(observations.with_columns(seen_by=pl.lit(seen_by, pl.String)), columns).unique()
    for chunk in chunks(rows.sort("observed_at", "item_id", *told)):
        if chunk.height == 0:
            continue
        span = {"first": chunk["observed_at"].min(), "last": chunk["observed_at"].max()}
        with session.given("seen", chunk):
            # The bounds let DuckDB skip all but the days that the sightings are of.
            fresh = session.frame(
                f"""
                SELECT c.* FROM seen c WHERE NOT EXISTS (
                    SELECT 1 FROM observations o
                    WHERE o.observed_at BETWEEN $first AND $last
                      AND o.item_id = c.item_id AND o.observed_at = c.observed_at AND {differs})
                ORDER BY c.observed_at, c.item_id
                """,
                columns,
                span,
            )
        added += session.insert("observations", fresh)
    return added
