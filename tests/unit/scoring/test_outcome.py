from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from brandkit import schemas
from brandkit.errors import ContractError
from brandkit.pipeline import Checked, History, RunContext
from brandkit.scoring.outcome import check_values, settle
from tests.frames import AS_OF, context, item_id, judged, signals, stories

H = timedelta(hours=1)
FACTS = {"n_items": 2, "n_outlets": 2, "first_seen_at": AS_OF - H, "last_seen_at": AS_OF - H}


def settled(*rows: dict[str, Any], ctx: RunContext | None = None) -> Checked:
    ctx = ctx or context()
    return settle(judged(signals(*({**FACTS, **row} for row in rows)), ctx), ctx)


def story(*rows: dict[str, Any], ctx: RunContext | None = None) -> dict[str, Any]:
    return settled(*rows, ctx=ctx).outputs["stories"].row(0, named=True)


def verdicts(*rows: tuple[str, datetime, datetime | None]) -> RunContext:
    given = [
        {"story_id": "s1", "decision": d, "reason": "r", "given_at": at, "expires_at": e} for d, at, e in rows
    ]
    frame = pl.DataFrame(given, schema=dict(schemas.VERDICT))
    return context(history=replace(History.empty(), verdicts=frame))


def test_context_has_done_its_work_and_is_set_aside() -> None:
    checked = settled({}, {"in_scope": False}, {"in_scope": False, "story_id": "s2"})
    assert checked.frame["item_id"].to_list() == [item_id(1)]
    assert checked.set_aside == 2
    # A story of context alone has no record, and so no row.
    assert checked.outputs["stories"]["story_id"].to_list() == ["s1"]


def test_records_have_the_columns_of_the_schema_in_order() -> None:
    checked = settled({"story_id": "s2"}, {})
    assert checked.frame.columns == list(schemas.RECORD)
    assert dict(checked.frame.schema) == dict(schemas.RECORD)
    assert dict(checked.outputs["stories"].schema) == dict(schemas.STORY)
    assert checked.outputs["stories"]["story_id"].to_list() == ["s1", "s2"]


def test_no_items_give_no_records_and_no_stories() -> None:
    checked = settle(judged(signals({}).clear()), context())
    assert (checked.frame.height, checked.outputs["stories"].height, checked.set_aside) == (0, 0, 0)
    assert dict(checked.frame.schema) == dict(schemas.RECORD)


def test_rank_is_by_total_confidence_newest_then_item_id() -> None:
    strong = {"tier": "A", "url": "https://a.example"}
    checked = settled(
        {"published_at": None},  # 6
        {"published_at": AS_OF - 2 * H},  # 5: same total, known time
        {"published_at": AS_OF - H},  # 4: newer
        {"published_at": AS_OF - H},  # 3 or 4: the same, by item_id
        {"tier": "A", "age_h": None},  # confidence 6 - 1
        {**strong, "published_at": AS_OF, "age_h": 0.0},  # 15 + 7 - 1
    )
    # Two outlets are 10 ln 3/ln 21 = 3.6 -> 4; an unlisted single source has confidence 1 - 1.
    assert checked.frame["total"].to_list() == [4, 4, 4, 4, 4 + 5, 4 + 21]
    assert checked.frame["rank"].to_list() == [6, 5, 3, 4, 2, 1]


def test_confidence_breaks_a_tie_of_totals() -> None:
    several = {"n_publishers": 2, "published_at": AS_OF}
    fresh = {**several, "age_h": 24.0}
    tied = {**several, "pillars": ["labour", "privacy"], "pillars_in_title": ["labour"], "tier": "C"}
    checked = settled(fresh, {**tied, "n_other_publishers_ab": 1})
    # Breadth 4 + freshness 8 + confidence 1; breadth 4 + pillars 4 + 2 + confidence 2 + 1.
    assert checked.frame["total"].to_list() == [13, 13]
    assert checked.frame["rank"].to_list() == [2, 1]


@pytest.mark.parametrize(
    ("rows", "lead"),
    [
        (({"tier": "B"}, {"tier": "A"}), 2),
        (({"tier": "A"}, {"tier": "A", "title": "T", "url": "https://a.example"}), 2),
        (({"tier": "A", "published_at": AS_OF}, {"tier": "A", "published_at": AS_OF - H}), 2),
        (({"tier": "A"}, {"tier": "A"}), 1),
        # Complete beats early, and an unknown time is the latest of all.
        (({"tier": "A", "published_at": AS_OF - H}, {"tier": "A", "title": "T", "published_at": AS_OF}), 2),
        (({"tier": "A", "title": "T"}, {"tier": "A", "published_at": AS_OF}), 2),
        # A trusted denial leads the story it disputes; an untrusted one does not.
        (({"tier": "A", "disputed": True}, {"tier": "B", "is_denial": True, "disputed": True}), 2),
        (({"tier": "A", "disputed": True}, {"tier": "C", "is_denial": True, "disputed": True}), 1),
        (({"tier": "A"}, {"tier": "B", "is_denial": True}), 1),
    ],
)
def test_the_lead_is_the_best_tier_then_most_complete_then_earliest(
    rows: tuple[dict[str, Any], ...], lead: int
) -> None:
    checked = settled(*rows)
    assert checked.outputs["stories"]["lead_item_id"].to_list() == [item_id(lead)]
    assert checked.frame.filter("is_lead")["item_id"].to_list() == [item_id(lead)]


def test_a_story_has_its_leads_decision_and_counts_all_its_items() -> None:
    forbidden = {"tier": "A", "forbidden": ["leaked address"], "publisher": "b.example", "title": "T"}
    told = story(
        forbidden,
        {"publisher": "a.example"},
        {"publisher": "a.example", "in_scope": False},
        {"publisher": None},
    )
    assert (told["decision"], told["reason"], told["effective_decision"]) == ("block", "constraint", "block")
    assert (told["title"], told["n_recorded"], told["publishers"]) == ("T", 3, ["a.example", "b.example"])
    assert (told["desk_state"], told["snoozed_until"]) == ("open", None)


@pytest.mark.parametrize(
    ("given", "effective"),
    [
        ([("optional", AS_OF - H, None)], "optional"),
        ([("optional", AS_OF - H, AS_OF + H)], "optional"),
        ([("optional", AS_OF - 2 * H, AS_OF)], "drop"),  # expired
        ([("optional", AS_OF + H, None)], "drop"),  # not yet given
        ([("optional", AS_OF - H, None), ("watch", AS_OF - 2 * H, None)], "optional"),  # the latest
        ([("optional", AS_OF - H, AS_OF), ("watch", AS_OF - 2 * H, None)], "watch"),  # the latest standing
        ([], "drop"),
    ],
)
def test_an_unexpired_verdict_stands_beside_the_decision(given: list[Any], effective: str) -> None:
    told = story({}, ctx=verdicts(*given))
    assert (told["decision"], told["effective_decision"]) == ("drop", effective)


@pytest.mark.parametrize(
    ("facts", "is_continued", "trend", "phase"),
    [
        ({"first_seen_at": AS_OF - 5 * H}, False, None, "new"),
        ({"first_seen_at": AS_OF - 5 * H}, False, "rising", "new"),
        ({"first_seen_at": AS_OF - 50 * H}, True, "rising", "rising"),
        ({"first_seen_at": AS_OF - 50 * H}, True, "steady", "steady"),
        ({"first_seen_at": AS_OF - 50 * H}, True, None, "steady"),
        ({"first_seen_at": AS_OF - 50 * H}, False, None, "steady"),
        ({"first_seen_at": AS_OF - 50 * H}, True, "fading", "fading"),
        ({"first_seen_at": AS_OF - 50 * H, "last_seen_at": AS_OF - 13 * H}, True, None, "fading"),
        ({"first_seen_at": AS_OF - 50 * H, "last_seen_at": AS_OF - 12 * H}, True, None, "steady"),
    ],
)
def test_the_phase_of_a_story(
    facts: dict[str, Any], is_continued: bool, trend: str | None, phase: str
) -> None:
    past = replace(History.empty(), items=stories([(item_id(9), "s1" if is_continued else "s0")]))
    ctx = context(history=past)
    growth = pl.DataFrame({"story_id": ["s1"], "trend": [trend], "n_recent": [5], "expected_recent": [1.5]})
    checked = settle(judged(signals({**FACTS, **facts}), ctx), ctx, growth=growth)
    told = checked.outputs["stories"].row(0, named=True)
    assert (told["phase"], told["is_continued"]) == (phase, is_continued)
    # The two counts behind it are kept with the story.
    assert (told["n_recent"], told["expected_recent"]) == (5, 1.5)


def test_a_story_whose_growth_is_not_known_has_none() -> None:
    told = story({"first_seen_at": AS_OF - 50 * H})
    assert (told["phase"], told["n_recent"], told["expected_recent"]) == ("steady", None, None)


def test_a_record_that_breaks_its_schema_is_a_bug_of_ours() -> None:
    with pytest.raises(ContractError, match=r"misinfo_risk.*\n?.*records of desk.daily") as raised:
        settled({"misinfo_risk": 1.5})
    assert raised.value.exit_code == 1


def test_one_item_twice_is_a_bug_of_ours() -> None:
    with pytest.raises(ContractError, match="item_id"):
        settled({}, {"item_id": item_id(1)})


def test_a_broken_frame_is_told_with_few_examples() -> None:
    frame = settled(*({} for _ in range(6))).frame.with_columns(
        misinfo_risk=pl.lit(2.0), total=pl.lit(101, pl.Int16)
    )
    with pytest.raises(ContractError) as raised:
        check_values(frame, schemas.Records, where="records")
    assert raised.value.what.count(";") == 2
    assert len(raised.value.what) <= 400
