from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from brandkit import schemas
from brandkit.errors import CheckFailed
from brandkit.record.verify import Verification, verify_records
from brandkit.scoring.outcome import settle
from tests.frames import DESK, context, judged, signals

CONTEXT = context()


def records() -> pl.DataFrame:
    rows = (
        {"entities": ["Nordlys"], "entities_in_title": ["Nordlys"], "tier": "A", "best_tier": "A"},
        {},
        {},
    )
    return settle(judged(signals(*rows), CONTEXT), CONTEXT).frame


def checked(found: pl.DataFrame) -> Verification:
    return verify_records(found, DESK, as_of=CONTEXT.as_of, window_start=CONTEXT.window_start)


def test_what_was_decided_is_what_the_signals_make() -> None:
    found = checked(records())
    assert found.ok
    assert (found.n_records, found.require()) == (3, found)
    assert repr(found) == "Verification(assess: 3 records, 0 differences)"


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("total", pl.lit(99, pl.Int16)),
        ("decision", pl.lit("must_cover", schemas.DECISION)),
        ("reason", pl.lit("score", schemas.REASON)),
        ("rank", pl.lit(9, pl.Int32)),
        ("modifiers", pl.lit([], schemas.MODIFIERS)),
        ("base", pl.col("base").struct.with_fields(impact=pl.lit(3, pl.Int16))),
    ],
)
def test_one_changed_value_is_found_and_named(column: str, wrong: pl.Expr) -> None:
    first = records()["item_id"][1]
    changed = records().with_columns(
        pl.when(pl.col("item_id") == first).then(wrong).otherwise(column).alias(column)
    )
    found = checked(changed)
    assert found.differences.select("item_id", "column").rows() == [(first, column)]
    with pytest.raises(CheckFailed, match="1 stored values differ") as failure:
        found.require()
    assert first in str(failure.value)
    assert failure.value.exit_code == 3


def test_another_profile_makes_other_records() -> None:
    stricter = DESK.model_copy(update={"thresholds": DESK.thresholds.model_copy(update={"tied": 20})})
    found = verify_records(records(), stricter, as_of=CONTEXT.as_of, window_start=CONTEXT.window_start)
    assert "gates" in set(found.differences["column"])
    assert not replace(found, n_records=0).ok
