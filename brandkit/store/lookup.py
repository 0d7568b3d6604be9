"""What an id means: the newest complete run that knows the item or story, and its record there.

And what that run knew behind it: the items of the story, and the sightings of an item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from brandkit import schemas
from brandkit.errors import UnknownError, UsageError
from brandkit.store import runs
from brandkit.store.runs import RunRow
from brandkit.store.session import Session
from brandkit.store.tables import RUN, listed

SHOWN_MATCHES = 5
# How many of the newest runs a misspelt id is compared with: a month of days.
_NEAR_RUNS = 30
# Above every character an id may hold, so that a prefix is a range and no pattern.
_LAST = "\U0010ffff"

# The complete runs that are asked, in the order in which they answer.
_ASKED = """
    SELECT run_id, row_number() OVER (
        ORDER BY profile_id IS NOT DISTINCT FROM $usual DESC, run_on DESC, started_at DESC, run_id DESC
    ) AS place
    FROM runs
    WHERE status = 'complete' AND CASE WHEN $run IS NULL
        THEN NOT shadow AND ($profile_id IS NULL OR profile_id = $profile_id) ELSE run_id = $run END
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is looked for, and in whose runs: one run's, a profile's, else all with ``usual`` first.

    ``where`` names the store in messages.
    """

    item: str
    where: str
    run: str | None
    profile_id: str | None
    usual: str | None

    @property
    def wanted(self) -> str:
        """The id as ids are written."""
        # A command line may hand over bytes that are no text; such a thing is nobody's id.
        return self.item.strip().lower().encode("utf-8", "replace").decode()

    @property
    def runs(self) -> dict[str, object]:
        """What ``_ASKED`` is asked with."""
        return {"run": self.run, "profile_id": self.profile_id, "usual": self.usual}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A record (a frame of one row), the row of its story (none where no story was kept), its run."""

    record: pl.DataFrame
    story: pl.DataFrame
    run: RunRow

    @property
    def item_id(self) -> str:
        """The item that was meant; a story's id stands for its lead."""
        return str(self.record["item_id"].item())

    @property
    def story_id(self) -> str:
        """The story the item is in."""
        return str(self.record["story_id"].item())


def find(session: Session, asked: Asked) -> pl.DataFrame:
    """The record, its story and its run as one row of three structs, which a cache can keep.

    Raises: UnknownError where no run has it, with the nearest ids; UsageError where it begins several.
    """
    if asked.run is not None:
        runs.complete(session, asked.run)
    run_id, item_id, story_id = _meant(session, asked)
    rows = {
        "record": ("records", schemas.RECORD, "item_id", item_id),
        "story": ("stories", schemas.STORY, "story_id", story_id),
    }
    parts = {
        name: session.frame(
            f"SELECT {listed(columns)} FROM {table} WHERE run_id = $run_id AND {key} = $value",
            columns,
            {"run_id": run_id, "value": value},
        )
        for name, (table, columns, key, value) in rows.items()
    }
    parts["run"] = session.frame(
        f"SELECT {listed(RUN)} FROM runs WHERE run_id = $run_id", RUN, {"run_id": run_id}
    )
    # A story that was not kept is a row of nulls, for the three stand in one row.
    packed = [
        (frame if frame.height else frame.clear(1)).select(pl.struct(pl.all()).alias(name))
        for name, frame in parts.items()
    ]
    return pl.concat(packed, how="horizontal")


def unpack(packed: pl.DataFrame) -> Found:
    """What ``find`` gave, in its parts."""
    record, run, story = (packed.select(pl.col(name).struct.unnest()) for name in ("record", "run", "story"))
    return Found(record=record, story=story.drop_nulls("story_id"), run=runs.as_row(run))


def _meant(session: Session, asked: Asked) -> tuple[str, str, str]:
    """The run that answers, with the item and its story that the id, or the beginning of one, means."""
    values = {**asked.runs, "wanted": asked.wanted, "last": asked.wanted + _LAST}
    hits = session.rows(
        f"""
        WITH asked AS ({_ASKED})
        SELECT run_id, item_id, story_id, CASE WHEN how IN (0, 2) THEN item_id ELSE story_id END AS id, how
        FROM (
            SELECT run_id, item_id, story_id, CASE
                WHEN item_id = $wanted THEN 0
                WHEN is_lead AND story_id = $wanted THEN 1
                WHEN item_id >= $wanted AND item_id < $last THEN 2
                ELSE 3 END AS how
            FROM records
            WHERE (item_id >= $wanted AND item_id < $last)
                OR (is_lead AND story_id >= $wanted AND story_id < $last)
        ) JOIN asked USING (run_id)
        QUALIFY place = min(place) OVER ()
        ORDER BY how, id
        """,
        values,
    )
    found = [hit for hit in hits if hit[4] == hits[0][4]]
    if len(found) == 1:
        run_id, item_id, story_id, *_ = map(str, found[0])
        return run_id, item_id, story_id
    if not found:
        raise _nothing(session, asked)
    shown = ", ".join(str(hit[3]) for hit in found[:SHOWN_MATCHES])
    more = f" and {len(found) - SHOWN_MATCHES} more" if len(found) > SHOWN_MATCHES else ""
    raise UsageError(
        f"'{asked.item}' begins {len(found)} ids",
        where=f"in run {found[0][0]}",
        allowed=f"they are: {shown}{more}",
        hint="give more of it",
    )


def _nothing(session: Session, asked: Asked) -> UnknownError:
    n_runs = len(session.rows(_ASKED, asked.runs))
    if not n_runs:
        whose = f" of profile '{asked.profile_id}'" if asked.profile_id else ""
        hint = "brandkit run daily makes one"
        return UnknownError(f"no complete run{whose}", where=asked.where, hint=hint)
    counted = "the one complete run" if n_runs == 1 else f"any of the {n_runs} complete runs"
    # Of the same length, for the beginning of an id may be misspelt as well as the whole.
    near = session.rows(
        f"""
        WITH asked AS ({_ASKED}), ids AS (
            SELECT DISTINCT unnest([item_id, story_id]) AS id
            FROM records JOIN asked USING (run_id) WHERE place <= $near_runs
        )
        SELECT id FROM ids WHERE damerau_levenshtein(left(id, $n), $wanted) <= $most
        ORDER BY damerau_levenshtein(left(id, $n), $wanted), id LIMIT 3
        """,
        {
            **asked.runs,
            "near_runs": _NEAR_RUNS,
            "wanted": asked.wanted,
            "n": len(asked.wanted),
            "most": min(2, len(asked.wanted) // 6),
        },
    )
    return UnknownError(
        f"no item or story '{asked.item}'",
        where=f"in run {asked.run}" if asked.run else f"in {counted} {asked.where}",
        allowed="an id as brandkit run shows it, or the beginning of one",
        hint=f"did you mean {' or '.join(str(name) for (name,) in near)}?"
        if near
        else "brandkit runs lists the runs",
    )


def story_items(session: Session, run: RunRow, story_id: str) -> pl.DataFrame:
    """Every item of a story in a run: as the run recorded it, else as the latest run before it did.

    Shape: run_id (of the record) and the columns of a record, by collected_at and item_id. An item
           that no run recorded has no run_id, and of the rest only what was stored of the item.
    """
    columns = {"run_id": pl.String, **schemas.RECORD}
    this = {"run_id": run.run_id, "story_id": story_id}
    ids = session.frame(
        "SELECT unnest(item_ids) AS item_id FROM stories WHERE run_id = $run_id AND story_id = $story_id "
        "UNION SELECT item_id FROM records WHERE run_id = $run_id AND story_id = $story_id",
        {"item_id": pl.String},
        this,
    )
    with session.given("known", _known_runs(session, run)), session.given("wanted", ids):
        found = session.frame(
            f"""
            SELECT {listed(columns)} FROM records JOIN known USING (run_id) SEMI JOIN wanted USING (item_id)
            QUALIFY row_number() OVER (PARTITION BY item_id ORDER BY run_on DESC) = 1
            """,
            columns,
        )
    others = ids.join(found, on="item_id", how="anti")
    if others.height:
        with session.given("wanted", others):
            items = session.frame(
                f"SELECT {listed(schemas.ITEM)} FROM items SEMI JOIN wanted USING (item_id) "
                "WHERE $written IS NULL OR written <= $written "
                "QUALIFY row_number() OVER (PARTITION BY item_id ORDER BY revision DESC) = 1",
                schemas.ITEM,
                {"written": run.written},
            )
        found = pl.concat([found, items], how="diagonal")
    return found.sort("collected_at", "item_id")


def _known_runs(session: Session, run: RunRow) -> pl.DataFrame:
    """The run and what its history was read from: the latest attempt of each earlier date."""
    return session.frame(
        """
        SELECT run_id, run_on FROM runs
        WHERE profile_id = $profile_id AND kind = $kind AND run_on < $run_on AND NOT shadow
            AND status = 'complete' AND ($known_through IS NULL OR written <= $known_through)
        QUALIFY row_number() OVER (PARTITION BY run_on ORDER BY attempt DESC) = 1
        UNION ALL SELECT $run_id, $run_on
        """,
        {"run_id": pl.String, "run_on": pl.Date},
        {name: getattr(run, name) for name in ("profile_id", "kind", "run_on", "known_through", "run_id")},
    )


def sightings(session: Session, run: RunRow, item_ids: Sequence[str]) -> pl.DataFrame:
    """The sightings of items that the run knew of: what it brought in itself, and its series before it.

    Shape: the columns of an observation, by item_id and observed_at.
    """
    wanted = pl.DataFrame({"item_id": list(item_ids)}, schema={"item_id": pl.String})
    with session.given("wanted", wanted):
        return session.frame(
            f"""
            SELECT DISTINCT {listed(schemas.OBSERVATION)} FROM observations SEMI JOIN wanted USING (item_id)
            WHERE observed_at < $as_of AND (seen_by IS NULL OR seen_by IN ($series, $desk))
                AND ($known_through IS NULL OR written <= $known_through OR written = $written)
            ORDER BY item_id, observed_at
            """,
            schemas.OBSERVATION,
            {
                **{name: getattr(run, name) for name in ("as_of", "desk", "known_through", "written")},
                "series": runs.desk(run.profile_id, run.kind),
            },
        )
