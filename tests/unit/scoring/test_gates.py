from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.scoring.gates import Gate, decision_of
from tests.frames import AS_OF, DESK, context, five, judge_one, judged, signals

H = timedelta(hours=1)
# Our name and one pillar in the title, a known link and time: 12 + 4 relevance, 1 provenance.
OURS: dict[str, Any] = {
    "entities": ["Nordlys"], "entities_in_title": ["Nordlys"],
    "pillars": ["labour"], "pillars_in_title": ["labour"],
    "url": "https://a.example/1", "published_at": AS_OF,
}  # fmt: skip
NO_PILLAR: dict[str, Any] = {**OURS, "pillars": [], "pillars_in_title": []}

EXCLUSIVE = {
    **OURS, "tier": "A", "best_tier": "A", "n_outlets": 1, "n_publishers": 1, "n_publishers_ab": 1,
    "age_h": 2.0, "last_new_publisher_at": AS_OF - 2 * H, "velocity_h": 1 / 6,
}  # fmt: skip
WIRE = {
    **OURS, "tier": "A", "best_tier": "A", "n_outlets": 200, "n_publishers": 1, "n_adopters_ab": 4,
    "age_h": 3.0, "last_new_publisher_at": AS_OF - 3 * H, "velocity_h": 33.0,
}  # fmt: skip
WIRE_NEXT_MORNING = {**WIRE, "age_h": 12.0, "last_new_publisher_at": AS_OF - 12 * H, "velocity_h": 0.0}
RUMOUR = {
    **OURS, "item_type": "post", "n_outlets": 200, "n_unlisted": 200, "views": 1_000_000, "age_h": 1.0,
    "velocity_h": 40.0, "engagement_ratio": 60.0, "misinfo_risk": 0.8,
}  # fmt: skip
FILING = {
    **OURS, "item_type": "filing", "tier": "A", "best_tier": "A", "n_outlets": 1, "n_publishers": 1,
    "triggers": ["recall"], "triggers_in_title": ["recall"], "age_h": 8.0,
    "last_new_publisher_at": AS_OF - 8 * H, "velocity_h": 0.0, "engagement_ratio": 0.5,
}  # fmt: skip
PLAIN_FILING = {**FILING, **NO_PILLAR, "triggers": [], "triggers_in_title": []}
BRIGADE = {
    **NO_PILLAR, "item_type": "post", "n_outlets": 30, "age_h": 2.0, "velocity_h": 40.0,
    "engagement_ratio": 11.0, "coordinated_share": 0.9, "n_coordinated": 30,
    "coordination": [{"account_a": "a", "account_b": "b", "n_objects": 5, "median_gap_s": 4.0}],
}  # fmt: skip
ELSEWHERE = {
    "url": "https://a.example/1", "published_at": AS_OF, "evidence": ["https://b.example"], "tier": "A",
    "best_tier": "A", "n_outlets": 200, "n_publishers": 60, "n_other_publishers_ab": 20, "views": 5_000_000,
    "age_h": 0.0, "last_new_publisher_at": AS_OF, "velocity_h": 60.0, "engagement_ratio": 80.0,
}  # fmt: skip
STRAY = {**ELSEWHERE, "triggers": ["recall"], "triggers_in_title": ["recall"]}
BROAD = {
    **OURS, "pillars": ["labour", "prices"], "pillars_in_title": ["labour", "prices"],
    "evidence": ["https://b.example"], "tier": "A", "best_tier": "A", "n_outlets": 40, "n_publishers": 15,
    "n_other_publishers_ab": 7, "views": 1_000_000, "age_h": 2.0, "last_new_publisher_at": AS_OF - 2 * H,
    "velocity_h": 8.0,
}  # fmt: skip

BY_B = {"tier": "B", "best_tier": "B"}
BY_C = {"tier": "C", "best_tier": "C"}
BY_NOBODY = {"tier": "unlisted", "best_tier": "unlisted"}
NO_TIES: dict[str, Any] = {
    "entities": [], "entities_in_title": [], "pillars": [], "pillars_in_title": [],
}  # fmt: skip
# case, signals, what each component is made of, (scores) = total, decision, reason.
EDITORS_CASES: list[tuple[str, dict[str, Any], tuple[int, ...], int, str, str]] = [
    # impact 10 ln 2/ln 21 = 2 + A 5; timeliness 15 x .5^(2/24) = 14.2 -> 14 + joined 5; virality 1 - 2 -> 0;
    # relevance 12 + 4; confidence A 6 + provenance 1 - single source 1.
    ("an exclusive by one A publisher", EXCLUSIVE, (7, 19, 0, 16, 6), 48, "optional", "own_name"),
    # B: authority 3, source 4; confidence 5 - 1.
    ("an exclusive by a B publisher", {**EXCLUSIVE, **BY_B}, (5, 19, 0, 16, 4), 44, "watch", "own_name"),
    # impact 10 + 5; 15 x .5^(3/24) = 13.8 -> 14 + 5; 10 x 33/35 = 9.4 -> 9 - 2 (confidence 8 before);
    # confidence 6 + adopters 1 + 1 - 1.
    ("one wire story", WIRE, (15, 19, 7, 16, 7), 64, "optional", "score"),
    # 15 x .5^(12/24) = 10.6 -> 11 + joined 12 h ago 1; nothing new in six hours.
    ("the wire story next morning", WIRE_NEXT_MORNING, (15, 12, 0, 16, 7), 50, "optional", "own_name"),
    # impact 10 + reach 4.5 -> 4; post 15 x .5^(1/12) = 14.2 -> 14; virality 9.5 -> 10 + 9.9 -> 10 - 4
    # (confidence 1 + three unlisted 1 + 1 = 3 before); confidence 3 - 1 - 3 -> 0.
    ("a viral false rumour", RUMOUR, (14, 14, 16, 16, 0), 60, "block", "unverified"),
    # impact 2 + 5 + trigger 5; filing 15 x .5^(8/72) = 13.9 -> 14 + joined 8 h ago 1;
    # virality 10 log2 1.5/6 = .97 -> 1;
    # relevance 12 + 4 + 5; confidence 6 + primary 1 + 1, and a primary document is no single source.
    ("a regulator's filing", FILING, (12, 15, 1, 21, 8), 57, "must_cover", "always_cover"),
    ("a filing without trigger or pillar", PLAIN_FILING, (7, 15, 1, 12, 8), 43, "optional", "own_name"),
    # impact 10; post 15 x .5^(2/12) = 13.4 -> 13; virality 10 + 10 log2 12/6 = 5.97 -> 6, 16 - 4 - 10;
    # relevance 12; confidence 1 + 1 - 1, since coordinated accounts confirm nothing.
    ("a brigaded hashtag", BRIGADE, (10, 13, 2, 12, 1), 38, "block", "unverified"),
    # impact 10 + 5 + 5; 15 + 5; 10 + 10; nothing; 6 + 2 + 1 + 1.
    ("an enormous story without any tie", ELSEWHERE, (20, 20, 20, 0, 10), 70, "watch", "not_tied"),
    # The trigger gives impact 5 and relevance 5, and ties nothing.
    ("the same with a stray trigger word", STRAY, (25, 20, 20, 5, 10), 80, "watch", "not_tied"),
    # impact 10 + 5 + 4; 14 + 5; 10 x 8/10 = 8; 12 + 2 x 4; 6 + 2 + 1 + 1.
    ("fifteen independent publishers", BROAD, (19, 19, 8, 20, 10), 76, "must_cover", "score"),
]  # fmt: skip


@pytest.fixture(scope="module")
def decided() -> list[dict[str, Any]]:
    return judged(signals(*(row for _, row, *_ in EDITORS_CASES))).to_dicts()


@pytest.mark.parametrize("case", range(len(EDITORS_CASES)), ids=[case[0] for case in EDITORS_CASES])
def test_an_editors_case(case: int, decided: list[dict[str, Any]]) -> None:
    _, _, scores, total, decision, reason = EDITORS_CASES[case]
    found = decided[case]
    assert (five(found["scores"]), found["total"]) == (scores, total)
    assert (found["decision"], found["reason"]) == (decision, reason)


def test_a_brigade_is_blocked_with_its_evidence(decided: list[dict[str, Any]]) -> None:
    brigade = decided[[name for name, *_ in EDITORS_CASES].index("a brigaded hashtag")]
    assert (brigade["base"]["virality"], brigade["base"]["confidence"]) == (16, 2)
    assert [(m["name"], m["component"], m["points"]) for m in brigade["modifiers"]] == [
        ("single_source", "confidence", -1),  # 2 -> 1
        ("single_source", "virality", -4),  # 16 -> 12
        ("brigading", "virality", -10),  # 12 -> 2
    ]
    assert brigade["coordination"][0]["median_gap_s"] == 4.0


# what happens, signals, decision, reason
RIVAL = {"entities": ["Velmora"], "entities_in_title": ["Velmora"]}
NOT_US: dict[str, Any] = {"entities": [], "entities_in_title": [], "evidence": ["https://b.example"]}
LEAK = {"forbidden": ["leaked address"]}
ARTICLE = {**FILING, "item_type": "article"}
# By a C publisher with evidence: confidence 2 + 1 + 1 - 1 = 3, just verified; half a day after its news.
QUIET = {**EXCLUSIVE, **BY_C, "evidence": ["https://b.example"], "velocity_h": 0.0}
ABUSE = {"coordinated_share": 1.0, "n_coordinated": 9}
RULES: list[tuple[str, dict[str, Any], str, str]] = [
    ("a constraint blocks whatever the score", {**BROAD, **LEAK}, "block", "constraint"),
    ("a constraint blocks what would be dropped", LEAK, "block", "constraint"),
    ("an excluded item is not watched for its total", {**ELSEWHERE, "excluded": True}, "drop", "excluded"),
    ("an excluded item is not covered for its trigger", {**FILING, "excluded": True}, "drop", "excluded"),
    ("an excluded item is not blocked as unverified", {**RUMOUR, "excluded": True}, "drop", "excluded"),
    ("nothing at all is dropped", {}, "drop", "not_tied"),
    ("a tie without points", {"pillars": ["labour"], "pillars_in_title": ["labour"]}, "drop", "low_score"),
    # Confidence 4 + 1 - 1.
    ("a trigger needs confidence", {**ARTICLE, **BY_B}, "watch", "held_by_confidence"),
    # Confidence 1 + 1 - 1.
    ("a trigger nobody stands behind is unverified", {**ARTICLE, **BY_NOBODY}, "block", "unverified"),
    ("our name alone on a C publisher's page", {**EXCLUSIVE, **BY_C}, "drop", "low_score"),
    # The lone account costs virality 4, but the gate looks at the 10 before.
    ("our name in something loud", {**QUIET, "velocity_h": 40.0, "age_h": 200.0}, "watch", "own_name"),
    ("our name under abuse", {**QUIET, **ABUSE}, "watch", "own_name"),
    ("our name under a rumour", {**QUIET, "misinfo_risk": 0.9}, "block", "unverified"),
    ("a single source alone is no abuse", QUIET, "drop", "low_score"),
    ("a rival's name lifts nothing", {**EXCLUSIVE, **RIVAL}, "drop", "low_score"),
    ("our name in the summary lifts nothing", {**EXCLUSIVE, "entities_in_title": []}, "drop", "low_score"),
    # 15 + 19 + 7 + 7 + 7 = 55.
    ("enough points and no lift", {**WIRE, **NO_TIES, "entities": ["Nordlys"]}, "watch", "score"),
    # Pillar 4 ties it; confidence 2 + 1 + 1 - 1.
    ("a tied trigger is kept in sight", {**ARTICLE, **BY_C, **NOT_US}, "watch", "held_by_confidence"),
]


@pytest.fixture(scope="module")
def ruled() -> list[dict[str, Any]]:
    return judged(signals(*(row for _, row, *_ in RULES))).to_dicts()


@pytest.mark.parametrize("case", range(len(RULES)), ids=[case[0] for case in RULES])
def test_a_rule(case: int, ruled: list[dict[str, Any]]) -> None:
    found = ruled[case]
    assert (found["decision"], found["reason"]) == RULES[case][2:], found["gates"]


@pytest.mark.parametrize(
    ("floor", "decision"), [("optional", "optional"), ("watch", "watch"), ("off", "watch")]
)
def test_a_brand_called_apple_can_lower_its_own_name_floor(floor: str, decision: str) -> None:
    bars = {"own_name_floor": floor}
    profile = BrandProfile.from_dict(
        {"id": "d", "own": ["Nordlys"], "pillars": ["labour"], "thresholds": bars}
    )
    found = judge_one(EXCLUSIVE, context(profile))
    # With the floor off, only its 48 points keep it on watch.
    assert (found["decision"], found["gates"]["own_name_watch"]) == (decision, -1 if floor == "off" else 0)


def test_thresholds_of_the_profile_move_the_rungs() -> None:
    bars = {"must_cover": 77, "optional": 76, "watch": 70}
    profile = BrandProfile.from_dict(
        {"id": "d", "own": ["Nordlys"], "pillars": ["labour", "prices"], "thresholds": bars}
    )
    found = judge_one(BROAD, context(profile))
    assert (found["decision"], found["gates"]["must_cover"], found["gates"]["optional"]) == (
        "optional",
        -1,
        0,
    )


def test_margins_say_what_is_missing() -> None:
    gates = judge_one({**EXCLUSIVE, "excluded": False})["gates"]
    assert gates == {
        "constraint": 0, "verified": 6 - 3, "not_excluded": 0, "tied": 12 + 4 - 4, "confidence": 6 - 6,
        "must_cover": 48 - 75, "always_cover": -1, "optional": 48 - 60, "own_name_floor": 0, "watch": 48 - 45,
        "trigger_watch": -1, "own_name_watch": 0,
    }  # fmt: skip
    # An excluded item is never tied, though its ties are still counted in its parts.
    excluded = judge_one({**EXCLUSIVE, "excluded": True})["gates"]
    assert (excluded["tied"], excluded["not_excluded"]) == (-1, -1)


def test_the_decision_is_a_function_of_the_margins_alone() -> None:
    items = judged(signals(*(row for _, row, *_ in EDITORS_CASES), *(row for _, row, *_ in RULES)))
    decision, reason = decision_of(pl.col("gates"))
    again = items.select("gates").with_columns(decision=decision, reason=reason)
    assert again.equals(items.select("gates", "decision", "reason"))


@pytest.mark.parametrize(
    ("passing", "decision", "reason"),
    [
        (("tied", "confidence", "verified", "must_cover", "always_cover", "watch"), "must_cover", "score"),
        (("tied", "confidence", "verified", "always_cover"), "must_cover", "always_cover"),
        (("tied", "confidence", "verified", "optional", "own_name_floor", "watch"), "optional", "score"),
        (("tied", "confidence", "verified", "own_name_floor"), "optional", "own_name"),
        (("tied", "verified", "optional", "watch"), "watch", "held_by_confidence"),
        (("confidence", "verified", "must_cover", "optional", "watch"), "watch", "not_tied"),
        (("tied", "confidence", "verified", "watch"), "watch", "score"),
        (("tied", "confidence", "verified", "trigger_watch"), "watch", "always_cover"),
        (("tied", "confidence", "verified", "own_name_watch"), "watch", "own_name"),
        (("tied", "watch"), "block", "unverified"),
        (("tied", "confidence", "verified"), "drop", "low_score"),
        (("confidence", "verified", "always_cover"), "drop", "not_tied"),
    ],
)  # fmt: skip
def test_every_reason_has_its_rule(passing: tuple[str, ...], decision: str, reason: str) -> None:
    passed = {"constraint", "not_excluded", *passing}
    gates = {name: 0 if name in passed else -1 for name in schemas.GATES}
    found = pl.DataFrame({"gates": [gates]}, schema={"gates": schemas.GATES_STRUCT})
    spoken, rule = decision_of(pl.col("gates"))
    assert found.select(spoken=spoken, rule=rule).row(0) == (decision, reason)


@pytest.mark.parametrize(("name", "bar"), [("quality", 50), ("trend", 70)])
def test_a_gate_stands_on_any_column(name: str, bar: int) -> None:
    gate = Gate(name, "value", at_least=bar)
    frame = pl.DataFrame({"value": [bar - 1, bar, bar + 30, None]})
    assert frame.select(gate.passes())[name].to_list() == [False, True, True, False]
    assert frame.select(gate.margin())[name].to_list() == [-1, 0, 30, None]
    on_expression = Gate(name, pl.col("value") * 2, at_least=bar)
    assert frame.select(on_expression.passes())[name].to_list() == [True, True, True, False]


def test_constants_of_the_house() -> None:
    assert list(schemas.DECISION.categories) == ["drop", "block", "watch", "optional", "must_cover"]
    assert (DESK.thresholds.must_cover, DESK.thresholds.optional, DESK.thresholds.watch) == (75, 60, 45)
