"""The swaps, one group after the other, against the same method in plain Python."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit import schemas
from brandkit.assess import scoring_stages
from brandkit.profile import BrandProfile
from brandkit.record.causes import CAUSES, GROUPS, STEP, SWAPS, WORDS, attributed, part_words
from tests import reference_causes
from tests.frames import AS_OF, BEAT, DESK, context, item_id, judged, signals
from tests.unit.scoring.test_invariants import rows

LATER = AS_OF + timedelta(hours=6)


@dataclass(frozen=True)
class Side:
    records: pl.DataFrame
    profile: BrandProfile = DESK
    as_of: datetime = AS_OF


def side(*given_rows: dict[str, Any], profile: BrandProfile = DESK, as_of: datetime = AS_OF) -> Side:
    return Side(judged(signals(*given_rows), context(profile, as_of=as_of)), profile, as_of)


def pairs(n: int, **changes: Any) -> pl.DataFrame:
    """The same items on both sides, nothing regrouped; B's values come in where they usually do."""
    usual = {
        "own_at": STEP["evidence"], "story_at": STEP["evidence"], "pace_at": STEP["engagement"],
        "crowd_at": STEP["engagement"], "age_at": STEP["age"], "story_cause": None, "lead_cause": None,
    }  # fmt: skip
    ids = [item_id(number) for number in range(1, n + 1)]
    values = {name: pl.lit(value) for name, value in {**usual, **changes}.items()}
    frame = pl.DataFrame({"item_from": ids, "item_to": ids}).with_columns(**values)
    return frame.cast({"story_cause": pl.String, "lead_cause": pl.String})


def test_every_fact_stands_in_exactly_one_group_so_a_new_signal_cannot_be_forgotten() -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {*schemas.ITEM, *schemas.SIGNAL}


def test_whatever_judgement_reads_of_a_fact_is_swapped() -> None:
    facts = {*schemas.ITEM, *schemas.SIGNAL}
    read = {name for stage in scoring_stages() for name in stage.takes if name in facts}
    mine = {*reference_causes.ITS_OWN, *reference_causes.OF_THE_STORY, *reference_causes.CROWD}
    assert mine | {*reference_causes.AGE, "velocity_h"} == read - {"story_id"}


def test_the_order_is_what_happened_then_how_loud_then_time_then_ourselves() -> None:
    assert SWAPS == ("story", "lead", "evidence", "engagement", "age", "profile")
    assert set(WORDS) == set(CAUSES)


SAME = {"url": "https://a.example", "published_at": AS_OF, "tier": "A", "best_tier": "A", "n_publishers": 2}
# Own name and one pillar in the title: 12 + 4; source 6, provenance 1; authority 5.
OURS = {
    **SAME, "entities": ["Nordlys"], "entities_in_title": ["Nordlys"], "pillars": ["prices"],
    "pillars_in_title": ["prices"],
}  # fmt: skip
PUSHED = {"thresholds": {"optional": 20, "watch": 10, "must_cover": 90}}


def caused(then: Side, now: Side, **changes: Any) -> list[str]:
    return attributed(pairs(then.records.height, **changes), then, now)["cause"].to_list()


@pytest.mark.parametrize(
    ("changes", "steps", "cause"),
    [
        # 5 + 12 + 4 + 6 + 1 = 28: optional by the own name; without it 16 and dropped.
        ({"entities": [], "entities_in_title": []}, {}, "new_evidence"),
        ({"entities": [], "entities_in_title": []}, {"own_at": 2, "lead_cause": "new_item"}, "new_item"),
        ({"entities": [], "entities_in_title": []}, {"own_at": 2, "lead_cause": "gone"}, "gone"),
        ({"best_tier": "C"}, {}, "new_evidence"),
        ({"best_tier": "C"}, {"story_at": 1, "story_cause": "story_split"}, "story_split"),
        ({"best_tier": "C"}, {"story_at": 1, "story_cause": "story_merged"}, "story_merged"),
        # Held back for a profile that did not change: nobody did it but the code that measures.
        ({"best_tier": "C"}, {"story_at": 6}, "code_changed"),
    ],
)
def test_one_group_swapped_is_the_cause(changes: dict[str, Any], steps: dict[str, Any], cause: str) -> None:
    assert caused(side(OURS), side({**OURS, **changes}), **steps) == [cause]


def test_engagement_age_and_clock_are_causes_of_their_own() -> None:
    # Nothing ties it: 5 + 6 + 1 = 12. New: 15 more, 27. A day old: 8 more, 20; with the crowd's 10: 30.
    bars = DESK.model_copy(update={"thresholds": DESK.thresholds.model_copy(update={"watch": 27})})
    quiet, loud = {**SAME, "engagement_ratio": 0.0}, {**SAME, "engagement_ratio": 63.0}
    fresh = {**SAME, "age_h": 0.0}
    old = side({**SAME, "age_h": 24.0}, profile=bars)
    assert caused(old, side({**loud, "age_h": 24.0}, profile=bars)) == ["engagement"]
    assert caused(side(fresh, profile=bars), old) == ["aged"]
    # 12 + 11 for ten hours + 5 for who has just joined: 28. Six hours on that is worth 3: 26.
    joined = {**quiet, "last_new_publisher_at": AS_OF, "age_h": 10.0}
    nine = bars.model_copy(update={"thresholds": bars.thresholds.model_copy(update={"watch": 28})})
    assert caused(side(joined, profile=nine), side(joined, profile=nine, as_of=LATER)) == ["aged"]


def test_a_changed_bar_is_the_profiles_doing_and_a_changed_number_the_codes() -> None:
    then = side(OURS)
    lower = DESK.model_copy(update={"thresholds": DESK.thresholds.model_copy(update={"must_cover": 28})})
    assert caused(then, side(OURS, profile=lower)) == ["profile_changed"]
    wrong = then.records.with_columns(decision=pl.lit("drop", schemas.DECISION))
    assert caused(then, Side(wrong)) == ["code_changed"]
    assert caused(Side(wrong), then) == ["code_changed"]


def test_of_two_swaps_that_would_each_do_the_earlier_has_it() -> None:
    both = {**OURS, "best_tier": "C", "entities": [], "entities_in_title": []}
    steps = {"own_at": 2, "lead_cause": "new_item"}
    assert caused(side(OURS), side(both), **steps) == ["new_item"]
    assert caused(side(OURS), side(both), **steps, story_at=1, story_cause="story_split") == ["story_split"]


def test_a_swap_that_lifts_what_in_the_end_fell_explains_nothing() -> None:
    # Who has just joined would make it must-cover; that our name went from it made it fall.
    then = {**OURS, "n_outlets": 0}
    now = {**OURS, "entities": [], "entities_in_title": [], "best_tier": "C", "last_new_publisher_at": AS_OF}
    lifted = DESK.model_copy(update={"thresholds": DESK.thresholds.model_copy(update={"must_cover": 30})})
    found = attributed(
        pairs(1, own_at=4), side(then, profile=lifted), side({**now, "best_tier": "A"}, profile=lifted)
    )
    assert found.select("decision_from", "decision_to", "cause").rows() == [
        ("optional", "drop", "engagement")
    ]
    path = {step["swap"]: step["decision"] for step in found["path"].item()}
    assert path["evidence"] == "must_cover", "31 points: 28 with 5 for the newest publisher, over the bar"
    assert path["engagement"] == path["age"] == "drop"


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(rows(), rows()), min_size=1, max_size=6), st.data())
def test_the_cause_is_that_of_the_plain_method_and_the_parts_add_up(
    drawn: list[tuple[dict[str, Any], dict[str, Any]]], data: st.DataObject
) -> None:
    profiles = data.draw(st.sampled_from([(DESK, DESK), (DESK, BEAT)]))
    then = side(*(row for row, _ in drawn), profile=profiles[0])
    now = side(*(row for _, row in drawn), profile=profiles[1], as_of=LATER)
    steps = st.fixed_dictionaries({f"{group}_at": st.integers(1, 6) for group in GROUPS})
    given_pairs = pairs(len(drawn), **data.draw(steps), story_cause="story_merged", lead_cause="new_item")
    found = attributed(given_pairs, then, now)
    expected = [
        reference_causes.first_cause(pair, a, b, profiles, (AS_OF, LATER))
        for pair, a, b in zip(
            given_pairs.to_dicts(), then.records.to_dicts(), now.records.to_dicts(), strict=True
        )
    ]
    assert found["cause"].to_list() == [cause for cause in expected if cause is not None]
    moved_by = found["parts"].list.eval(
        pl.element().struct.field("to").cast(pl.Int64) - pl.element().struct.field("from")
    )
    assert (
        moved_by.list.sum().to_list()
        == (found["total_to"].cast(pl.Int64) - found["total_from"].cast(pl.Int64)).to_list()
    )


def test_modifiers_are_among_the_parts_that_moved() -> None:
    attacked = {**OURS, "engagement_ratio": 63.0, "coordinated_share": 0.9, "n_coordinated": 7, "tier": "B"}
    found = attributed(
        pairs(1),
        side({**OURS, "engagement_ratio": 63.0}),
        side({**attacked, "entities": [], "entities_in_title": []}),
    )
    parts = found["parts"].item().to_list()
    assert {"component": "virality", "part": "brigading", "from": 0, "to": -10} in parts
    assert part_words(parts, most=2) == "entities -12, brigading -10"
    assert part_words([]) == ""


def test_nothing_moved_is_an_empty_frame_with_all_its_columns() -> None:
    found = attributed(pairs(1), side(OURS), side(OURS))
    assert found.is_empty()
    assert {"cause", "parts", "path", "decision_from", "total_to"} <= set(found.columns)
