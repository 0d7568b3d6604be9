from __future__ import annotations

from itertools import product

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit import schemas
from brandkit.record.counterfactual import JUDGED, RUNGS, rescored, rung
from brandkit.record.levers_goal import NEEDS, below, toward
from brandkit.scoring.gates import decision_of
from tests import lever_frames
from tests.frames import AS_OF, BEAT, DESK, item_id
from tests.unit.scoring.test_invariants import Row, rows

# Gates that pass together or not at all, as thresholds in order make them.
IMPLIED = (
    ("must_cover", "optional"), ("optional", "watch"), ("confidence", "verified"), ("tied", "not_excluded"),
    ("trigger_watch", "always_cover"), ("trigger_watch", "tied"), ("own_name_floor", "own_name_watch"),
)  # fmt: skip


@given(st.lists(rows(), min_size=1, max_size=15))
@settings(max_examples=15, deadline=None)
def test_what_was_judged_is_judged_the_same_again_from_its_signals_alone(generated: list[Row]) -> None:
    records = lever_frames.records(generated, DESK)
    again = rescored(records, DESK, as_of=AS_OF).collect().sort("item_id")
    assert again.select(records.columns).equals(records)
    spoilt = records.with_columns(total=pl.lit(99, pl.Int16))
    assert rescored(spoilt, DESK, as_of=AS_OF).collect().sort("item_id")["total"].equals(records["total"])


def test_another_profile_judges_the_same_signals_and_only_what_is_judged_changes() -> None:
    records = lever_frames.records(lever_frames.rows(40), DESK)
    other = rescored(records, BEAT, as_of=AS_OF).collect().sort("item_id")
    facts = [name for name in records.columns if name not in JUDGED]
    assert other.select(facts).equals(records.select(facts))
    assert not other["total"].equals(records["total"])


def test_a_rung_is_the_place_of_a_decision() -> None:
    frame = pl.DataFrame({"decision": RUNGS}, schema={"decision": schemas.DECISION})
    assert frame.select(rung(pl.col("decision")))["decision"].to_list() == [0, 1, 2, 3, 4]


def every_consistent_set_of_margins() -> pl.DataFrame:
    names = schemas.GATES
    whole = [dict(zip(names, passes, strict=True)) for passes in product((-1, 0), repeat=len(names))]
    fit = [
        one for one in whole
        if all(one[more] >= one[less] for less, more in IMPLIED)
        # Tied with a trigger in the title is what trigger_watch says.
        and (one["trigger_watch"] == 0) == (one["always_cover"] == 0 and one["tied"] == 0)
    ]  # fmt: skip
    frame = pl.DataFrame({"gates": fit}, schema={"gates": schemas.GATES_STRUCT})
    decision, _ = decision_of(pl.col("gates"))
    ids = [item_id(n) for n in range(len(fit))]
    return frame.with_columns(decision=decision, item_id=pl.Series(ids, dtype=pl.String))


def test_the_gates_a_goal_names_stand_in_the_way_exactly_where_the_decision_is_not_reached() -> None:
    frame = every_consistent_set_of_margins()
    assert frame.height > 100
    assert set(frame["decision"].cast(pl.String)) == set(RUNGS)
    for target in NEEDS:
        rising = toward(target, "drop")
        assert rising is not None
        found = frame.with_columns(reached=rising.reached, distance=rising.distance())
        assert found.filter(pl.col("reached") != (pl.col("distance") == 0)).is_empty(), target
    for decision in ("must_cover", "optional", "watch"):
        falling = below(decision)
        assert falling is not None
        # What stands lower already is as far as it can be.
        at = frame.filter(rung(pl.col("decision")) >= RUNGS.index(decision))
        found = at.with_columns(distance=falling.distance())
        assert (found["distance"] > 0).all(), decision
        under = frame.filter(rung(pl.col("decision")) < RUNGS.index(decision))
        assert (under.with_columns(distance=falling.distance())["distance"] == 0).all(), decision
