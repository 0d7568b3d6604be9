from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from brandkit import schemas
from brandkit.scoring.outcome import settle
from tests.frames import AS_OF, NOTHING, context, item_id, judged, signals

ROWS = 3
FILLED: dict[str, Any] = {
    "url": "https://a.example", "target_url": "https://b.example", "domain": "a.example",
    "publisher": "a.example", "account": "acc", "author": "N. N.", "language": "en", "title": "Title",
    "summary": "Summary", "published_at": AS_OF, "reactions": 1, "comments": 1, "shares": 1, "views": 1,
    "followers": 1, "audience": 1, "role": "outlet", "copy_of": item_id(9), "first_seen_at": AS_OF,
    "last_seen_at": AS_OF, "last_new_publisher_at": AS_OF, "velocity_h": 1.0, "burst": 0.5,
    "engagement": 1.0, "engagement_ratio": 1.0, "age_h": 1.0, "n_items": ROWS, "sentiment": 0.5,
}  # fmt: skip


def valid() -> dict[str, pl.DataFrame]:
    """A valid frame of every schema, without a single null."""
    items = signals(*({**FILLED, "story_id": f"s{n}"} for n in range(ROWS)))
    settled = settle(judged(items), context())
    stories = settled.outputs["stories"].with_columns(
        snoozed_until=pl.lit(AS_OF, schemas.INSTANT), reopened=pl.lit("disputed", schemas.REOPENED),
        verdict_id=pl.lit("v"), state_id=pl.lit("s"), assignee=pl.lit("Ann"),
        n_recent=pl.lit(1, pl.Int64), expected_recent=pl.lit(1.0),
    )  # fmt: skip
    observations = items.with_columns(observed_at="seen_at").select(list(schemas.OBSERVATION))
    refused = {"raw_file": "f", "stage": "normalise", "reasons": ["no_identity"], "raw": "{}"}
    rejects = pl.DataFrame([{**refused, "raw_row": n} for n in range(ROWS)], schema=dict(schemas.REJECT))
    return {
        "Items": items.select(list(schemas.ITEM)),
        "Observations": observations,
        "Signals": items.select([*schemas.ITEM, *schemas.SIGNAL]),
        "Records": settled.frame,
        "Stories": stories,
        "Rejects": rejects,
    }


VALID = valid()
# Said here once more, and not taken from the schemas: what may be unknown.
MAY_BE_NULL: dict[str, set[str]] = {
    "Items": {
        "url", "target_url", "domain", "publisher", "account", "author", "language", "title", "summary",
        "published_at", "reactions", "comments", "shares", "views", "followers",
    },
    "Observations": {"reactions", "comments", "shares", "views", "content_hash"},
    "Stories": {
        "title", "url", "first_seen_at", "last_seen_at", "verdict_id", "state_id", "assignee",
        "snoozed_until", "reopened", "n_recent", "expected_recent",
    },
    "Rejects": {"raw_file", "raw_row", "raw"},
}  # fmt: skip
MAY_BE_NULL["Signals"] = MAY_BE_NULL["Records"] = MAY_BE_NULL["Items"] | {
    "audience", "role", "copy_of", "first_seen_at", "last_seen_at", "last_new_publisher_at", "velocity_h",
    "burst", "engagement", "engagement_ratio", "age_h", "sentiment",
}  # fmt: skip


def failures(schema: str, frame: pl.DataFrame) -> list[tuple[str, int | None]]:
    """Which column and row fail; nothing where the frame is valid."""
    try:
        getattr(schemas, schema).validate(frame, lazy=True)
    except schemas.SchemaErrors as error:
        return [(column, index) for column, index in error.failure_cases.select("column", "index").rows()]
    return []


@pytest.mark.parametrize("schema", VALID)
def test_a_good_frame_passes(schema: str) -> None:
    assert failures(schema, VALID[schema]) == []
    assert failures(schema, VALID[schema].clear()) == []
    assert not any(VALID[schema].null_count().row(0))


@pytest.mark.parametrize("schema", VALID)
def test_a_null_is_caught_where_a_fact_must_be_known(schema: str) -> None:
    # One null in every column, in the second row.
    frame = VALID[schema]
    holed = frame.select(
        pl.when(pl.int_range(pl.len()) != 1).then(pl.col(name)).alias(name) for name in frame.columns
    )
    assert set(holed.null_count().row(0)) == {1}
    must_be_known = set(frame.columns) - MAY_BE_NULL[schema]
    assert set(failures(schema, holed)) == {(column, 1) for column in must_be_known}


@pytest.mark.parametrize("schema", VALID)
def test_a_column_of_another_type_is_caught_even_lazily(schema: str) -> None:
    frame = VALID[schema].lazy().select(pl.lit(b"x").alias(name) for name in VALID[schema].columns)
    with pytest.raises(schemas.SchemaErrors) as raised:
        getattr(schemas, schema).validate(frame, lazy=True)
    assert {error.schema.name for error in raised.value.schema_errors} == set(VALID[schema].columns)


@pytest.mark.parametrize("schema", VALID)
def test_a_missing_column_is_caught_even_lazily(schema: str) -> None:
    missing = VALID[schema].columns[-1]
    with pytest.raises(schemas.SchemaErrors, match=missing):
        getattr(schemas, schema).validate(VALID[schema].lazy().drop(missing), lazy=True)


COUNTS = ["reactions", "comments", "shares", "views", "followers", "audience"]
NOT_BELOW_0 = [*COUNTS, *(name for name in (*schemas.SIGNAL, *schemas.STORY) if name.startswith("n_"))]
UP_TO_1 = ["coordinated_share", "burst", "misinfo_risk"]
FINITE = ["velocity_h", "engagement", "engagement_ratio", "age_h"]
# Column, bad values.
OUT_OF_RANGE: dict[str, list[Any]] = {
    **{name: [-1, -(2**62)] for name in NOT_BELOW_0},
    **{name: [-0.01, 1.01, float("nan"), float("inf")] for name in UP_TO_1},
    **{name: [-0.01, float("nan"), float("inf")] for name in FINITE},
    "sentiment": [-1.01, 1.01, float("nan"), float("inf")],
    "item_id": ["", "g" * 16, "a" * 15, "A" * 16, "a" * 17],
    "revision": [0, -1],
    "rank": [0],
    "total": [-1, 101],
    "title": ["x" * 1001],
}
MOST = max(len(values) for values in OUT_OF_RANGE.values())


def planted(schema: str, number: int) -> tuple[pl.DataFrame, set[tuple[str, int | None]]]:
    """The frame with the numbered bad value of every column in its second row, and what should be found."""
    frame, places = VALID[schema], set[tuple[str, int | None]]()
    for column in frame.columns:
        if number < len(bad := OUT_OF_RANGE.get(column, [])):
            values = frame[column].to_list()
            values[1] = bad[number]
            frame = frame.with_columns(pl.Series(column, values, dtype=frame.schema[column]))
            places.add((column, 1))
    return frame, places


PLANTED = [(schema, number) for schema in VALID for number in range(MOST) if planted(schema, number)[1]]


@pytest.mark.parametrize(("schema", "number"), PLANTED)
def test_a_bad_value_is_caught_with_its_row(schema: str, number: int) -> None:
    frame, places = planted(schema, number)
    assert set(failures(schema, frame)) == places


@pytest.mark.parametrize(("schema", "number"), PLANTED)
def test_a_bad_value_in_a_lazy_frame_is_not_seen(schema: str, number: int) -> None:
    # This is why there are checkpoints: on a plan, names and types are all there is to check.
    frame, _ = planted(schema, number)
    assert getattr(schemas, schema).validate(frame.lazy(), lazy=True).collect().height == ROWS


def test_the_longest_title_passes() -> None:
    assert failures("Items", VALID["Items"].with_columns(title=pl.lit("x" * 1000))) == []


@pytest.mark.parametrize(
    ("schema", "column"), [("Items", "item_id"), ("Records", "item_id"), ("Stories", "story_id")]
)
def test_one_key_twice_is_caught(schema: str, column: str) -> None:
    twice = VALID[schema].with_columns(pl.col(column).first())
    assert {name for name, _ in failures(schema, twice)} == {column}


@pytest.mark.parametrize(
    "dtype", [schemas.TIER, schemas.DECISION, schemas.REASON, schemas.ITEM_TYPE, schemas.PHASE]
)
def test_an_enum_cannot_hold_another_word(dtype: pl.Enum) -> None:
    with pytest.raises(pl.exceptions.InvalidOperationError):
        pl.Series(["elsewhere"]).cast(dtype)


def test_decisions_are_ordered_lowest_rung_first() -> None:
    rungs = pl.Series(["must_cover", "drop", "watch", "block", "optional"], dtype=schemas.DECISION).sort()
    assert (
        rungs.to_list()
        == ["drop", "block", "watch", "optional", "must_cover"]
        == [d.value for d in schemas.Decision]
    )


def test_an_empty_frame_has_every_column() -> None:
    frame = schemas.empty(schemas.ITEM)
    assert (frame.height, dict(frame.schema)) == (0, dict(schemas.ITEM))


def test_conform_orders_casts_fills_and_drops() -> None:
    columns = {"a": pl.Int64(), "b": pl.String(), "c": pl.List(pl.String)}
    frame = schemas.conform(
        pl.LazyFrame({"x": [1], "b": ["b"], "a": pl.Series([1], dtype=pl.Int8)}), columns
    ).collect()
    assert dict(frame.schema) == columns
    assert frame.row(0) == (1, "b", None)


# The same bytes


def test_equal_frames_have_equal_hashes_however_they_came_about() -> None:
    records = VALID["Records"]
    whole = schemas.frame_hash(records)
    chunked = pl.concat([records.slice(n, 1) for n in range(ROWS)], rechunk=False)
    assert chunked.n_chunks() == ROWS
    assert schemas.frame_hash(chunked) == whole
    assert schemas.frame_hash(records.lazy().collect()) == whole
    # What lies under a null is not part of a value.
    hidden = records.with_columns(views=pl.when(pl.col("rank") > 1).then("views"))
    rebuilt = records.with_columns(
        views=pl.Series([None if r <= 1 else 1 for r in records["rank"]], dtype=pl.Int64)
    )
    assert schemas.frame_hash(hidden) == schemas.frame_hash(rebuilt)


@pytest.mark.parametrize(
    "other",
    [
        VALID["Records"].reverse(),
        VALID["Records"].head(2),
        VALID["Records"].with_columns(views=pl.lit(None, pl.Int64)),
        VALID["Records"].with_columns(total=pl.col("total") + 1),
        VALID["Records"].with_columns(evidence=pl.lit([""], pl.List(pl.String))),
        VALID["Records"].rename({"views": "seen"}),
    ],
)
def test_another_frame_has_another_hash(other: pl.DataFrame) -> None:
    assert schemas.frame_hash(other) != schemas.frame_hash(VALID["Records"])


def test_the_neutral_row_of_the_tests_breaks_no_rule_that_normalising_keeps() -> None:
    assert failures("Items", signals({}).select(list(schemas.ITEM))) == []
    assert NOTHING["collected_at"] < AS_OF - timedelta(minutes=1)
