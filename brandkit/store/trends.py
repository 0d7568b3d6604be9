"""What runs came to, counted in the store: how often each point was given, and who led which story.

A trend is read off counts, so no record leaves the file for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from brandkit import schemas
from brandkit.store import runs
from brandkit.store.session import Session
from brandkit.store.tables import Columns, listed, quoted

KIND = pl.Enum(["total", "component", "part", "modifier", "gate", "decision"])
SCORE_COUNT: Columns = {
    "run_id": pl.String,
    "kind": KIND,
    "component": schemas.COMPONENT,
    "name": pl.String,
    "value": pl.Int16,
    "n_records": pl.Int64,
    "n_stories": pl.Int64,
}
# What its lead came to, which a story itself does not keep.
_LED: Columns = {name: schemas.RECORD[name] for name in ("publisher", "parts", "modifiers", "gates")}
STORY_SCORE: Columns = {**schemas.STORY, **_LED, "engagement": pl.Float64}

_NAME: Columns = {"kind": KIND, "component": schemas.COMPONENT, "name": pl.String}

_FOUND: Columns = {
    "run": pl.UInt32,
    "place": pl.UInt32,
    "value": pl.Int16,
    "n_records": pl.Int64,
    "n_stories": pl.Int64,
}
_FOUND_NAMED: Columns = {
    **{name: dtype for name, dtype in _FOUND.items() if name != "place"},
    **_NAME,
}
_NAMED = """
    WITH changed AS (
        SELECT asked.run AS run, is_lead, unnest(modifiers) AS change FROM records JOIN asked USING (run_id)
    )
    SELECT run, 'modifier' AS kind, change.component AS component, change.name AS name,
           change.points AS value, count(*) AS n_records, count(*) FILTER (is_lead) AS n_stories
    FROM changed GROUP BY ALL
    UNION ALL
    SELECT asked.run AS run, 'decision' AS kind, NULL AS component, decision AS name,
           1 AS value, count(*) AS n_records, count(*) FILTER (is_lead) AS n_stories
    FROM records JOIN asked USING (run_id) GROUP BY ALL
"""


def _counted() -> Iterator[tuple[str, str | None, str, str]]:
    """Everything that is counted by value: its kind, component and name, and where a record has it."""
    yield "total", None, "total", "total"
    for component in schemas.COMPONENTS:
        yield "component", component, component, f"scores.{quoted(component)}"
    for component, parts in schemas.PARTS.items():
        for part in parts:
            yield "part", component, part, f"parts.{quoted(component)}.{quoted(part)}"
    for gate in schemas.GATES:
        # By how much it was missed is no trend: only whether it was.
        yield "gate", None, gate, f"least(0, sign(gates.{quoted(gate)}))"


def score_counts(session: Session, run_ids: Sequence[str]) -> pl.DataFrame:
    """How many records and stories of each run have each value of each number of the score.

    Raises: UnknownError for a run that is not there or published nothing.
    """
    ids = list(dict.fromkeys(run_ids))
    for run_id in ids:
        runs.complete(session, run_id)
    names = pl.DataFrame(
        [(kind, component, name) for kind, component, name, _ in _counted()], schema=dict(_NAME), orient="row"
    ).with_row_index("place")
    asked = pl.DataFrame({"run_id": ids}, schema={"run_id": pl.String}).with_row_index("run")
    with session.given("asked", asked):
        found = session.frame(_values(), _FOUND)
        named = session.frame(_NAMED, _FOUND_NAMED)
    return (
        pl.concat([found.join(names, on="place"), named], how="diagonal_relaxed")
        .join(asked, on="run")
        .select(pl.col(name).cast(dtype) for name, dtype in SCORE_COUNT.items())
        .sort("run_id", "kind", "component", "name", "value", nulls_last=True)
    )


def _values() -> str:
    """One pass that takes the records apart into small numbers, then a count of each column of them.

    Grouping by a number of the run instead of its id halves the time; so does grouping column by
    column instead of a long table of all.
    """
    paths = [path for *_, path in _counted()]
    columns = ", ".join(f"CAST({path} AS SMALLINT) AS c{place}" for place, path in enumerate(paths))
    counts = " UNION ALL ".join(
        f"SELECT run, {place} AS place, c{place} AS value, count(*) AS n_records, "
        f"count(*) FILTER (is_lead) AS n_stories FROM flat WHERE c{place} IS NOT NULL GROUP BY run, c{place}"
        for place in range(len(paths))
    )
    return (
        "WITH flat AS MATERIALIZED (SELECT CAST(asked.run AS SMALLINT) AS run, is_lead, "
        f"{columns} FROM records JOIN asked USING (run_id)) {counts}"
    )


def story_scores(session: Session, run_id: str) -> pl.DataFrame:
    """The stories of a complete run with what their leads came to, sorted by story_id.

    Shape:  the columns of a story; publisher, parts, modifiers and gates of its lead; ``engagement``
            of the loudest of its items in the run.
    Nulls:  engagement where none is known.
    """
    runs.complete(session, run_id)
    return session.frame(
        f"""
        WITH loud AS (
            SELECT story_id, max(engagement) AS engagement
            FROM records WHERE run_id = $run_id GROUP BY story_id
        )
        SELECT {listed(schemas.STORY, table="s")}, {listed(_LED, table="r")}, loud.engagement
        FROM stories AS s
        JOIN records AS r ON r.item_id = s.lead_item_id AND r.run_id = $run_id
        JOIN loud ON loud.story_id = s.story_id
        WHERE s.run_id = $run_id
        """,
        STORY_SCORE,
        {"run_id": run_id},
    ).sort("story_id")


def known_stories(session: Session, run_ids: Sequence[str], story_ids: Sequence[str]) -> pl.DataFrame:
    """Those of the stories that any of the runs decided on: story_id, sorted."""
    asked = {
        "given_runs": pl.DataFrame({"run_id": list(run_ids)}, schema={"run_id": pl.String}),
        "given_stories": pl.DataFrame({"story_id": list(story_ids)}, schema={"story_id": pl.String}),
    }
    with (
        session.given("given_runs", asked["given_runs"]),
        session.given("given_stories", asked["given_stories"]),
    ):
        return session.frame(
            "SELECT DISTINCT story_id FROM stories SEMI JOIN given_runs USING (run_id) "
            "SEMI JOIN given_stories USING (story_id) ORDER BY story_id",
            {"story_id": pl.String},
        )
