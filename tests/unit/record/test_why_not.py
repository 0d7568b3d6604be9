from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit.errors import UnknownError, UsageError
from brandkit.profile import BrandProfile
from brandkit.record import levers_search
from brandkit.record.counterfactual import RUNGS, rescored
from brandkit.record.explain import explain
from brandkit.record.kept import Kept
from brandkit.record.levers import LEVERS, pulled, pulls
from brandkit.record.levers_goal import Goal, below, toward
from brandkit.record.levers_search import Question, facts, search
from brandkit.record.why_not import FLIP, WhyNot, what_holds, why_not, why_not_frame
from brandkit.store.runs import RunRow
from tests import reference_levers
from tests.frames import AS_OF, BEAT, DESK, signals
from tests.lever_frames import SMALL_BEAT, SMALL_DESK, Row, records, with_grids
from tests.lever_frames import rows as generated_rows
from tests.unit.scoring.test_invariants import rows

# Our name and two pillars in the title, from a B publisher whom nobody else confirms:
# 8 + 3 + 5 = 16, 15 + 5 = 20, 8 + 3 = 11, 12 + 8 = 20, 4 + 1 = 5; in all 72, and one of confidence short.
HELD: Row = {
    "title": "Nordlys raises prices as layoffs loom",
    "url": "https://beta.example/1",
    "publisher": "beta",
    "tier": "B",
    "best_tier": "B",
    "entities": ["Nordlys"],
    "entities_in_title": ["Nordlys"],
    "pillars": ["labour", "prices"],
    "pillars_in_title": ["labour", "prices"],
    "n_items": 12,
    "n_outlets": 10,
    "n_publishers": 2,
    "n_publishers_ab": 1,
    "views": 2_000_000,
    "velocity_h": 6.0,
    "engagement_ratio": 3.0,
    "age_h": 1.0,
    "published_at": AS_OF,
    "last_new_publisher_at": AS_OF,
}


def asked(target: str = "must_cover", profile: BrandProfile = DESK, **changes: Any) -> WhyNot:
    row = {**HELD, **changes}
    return why_not(records([row], profile), target, profile=profile, as_of=AS_OF)


def holding(profile: BrandProfile = DESK, **changes: Any) -> WhyNot:
    return what_holds(records([{**HELD, **changes}], profile), profile=profile, as_of=AS_OF)


def said(answer: WhyNot) -> list[str]:
    return [str(flip) for flip in answer.flips]


# The search is exact


def plainly(row: Row, profile: BrandProfile, goal: Goal, decision: str, target: str) -> dict[Any, Any]:
    """The flips of one row, found in plain Python: by levers, the steps and what it comes to."""

    def reached(found: str) -> bool:
        if goal.course in ("block", "release"):
            return (found == "block") == (goal.course == "block")
        if not target:
            return RUNGS.index(found) < RUNGS.index(decision)
        far = RUNGS.index(found) - RUNGS.index(target)
        return far >= 0 if goal.course == "rise" else far <= 0

    return reference_levers.cheapest(row, profile, AS_OF, goal.ways, reached)


def by_levers(found: pl.DataFrame) -> dict[int, dict[tuple[str, ...], Any]]:
    """What a search found, as ``plainly`` gives it, by record."""
    flips: dict[int, dict[tuple[str, ...], Any]] = {}
    for row in found.iter_rows(named=True):
        levers = tuple(LEVERS[at].name for at in (row["lever_1"], row["lever_2"]) if at is not None)
        one = flips.setdefault(row["record"], {})
        one[levers] = (row["n_steps"], str(row["decision"]), row["total"])
    return flips


def agree(generated: list[Row], profile: BrandProfile, target: str) -> int:
    """Hold the search to the plain one, record by record; how many of them had to change in two ways."""
    judged = records(generated, profile).with_row_index("record")
    plain = signals(*generated).rows(named=True)
    n_pairs = 0
    for part in facts(judged).partition_by("decision_from"):
        decision = str(part["decision_from"][0])
        goal = toward(target, decision) if target else below(decision)
        if goal is None:
            continue
        pulled_ = pulls(profile, as_of=AS_OF, ways=goal.ways)
        found = search(part, Question(profile, AS_OF, pulled_, goal.reached))
        assert found.equals(found.sort("record", "n_changes", "n_steps", "lever_1", "lever_2"))
        flips = by_levers(found)
        for number in part["record"]:
            expected = plainly(plain[number], profile, goal, decision, target)
            assert flips.get(number, {}) == expected, (decision, target, plain[number])
            n_pairs += any(len(levers) == 2 for levers in expected)
    return n_pairs


def test_a_thousand_records_have_just_the_flips_that_trying_everything_by_hand_finds() -> None:
    # Ten times as many, and the usual grids, are in benchmarks.
    assert agree(generated_rows(1000), SMALL_DESK, "must_cover") > 100


@pytest.mark.parametrize(
    ("profile", "target"),
    [(SMALL_BEAT, "optional"), (SMALL_DESK, "watch"), (SMALL_DESK, "drop"), (SMALL_BEAT, "block"),
     (SMALL_DESK, "")],
    ids=["beat to optional", "to watch", "to drop", "beat to block", "what holds"],
)  # fmt: skip
def test_other_targets_and_the_fall_are_exact_too(profile: BrandProfile, target: str) -> None:
    agree(generated_rows(40, seed=2), profile, target)


@given(st.lists(rows(), min_size=4, max_size=8))
@settings(max_examples=4, deadline=None)
def test_whatever_is_known_the_search_finds_what_trying_everything_by_hand_finds(known: list[Row]) -> None:
    for target in ("must_cover", "drop"):
        agree([{**row, "publisher": "alpha"} for row in known], SMALL_DESK, target)


def test_a_change_that_is_named_really_flips_the_decision_when_it_is_made() -> None:
    judged = records(generated_rows(7, seed=5), SMALL_DESK)
    n_flips = 0
    for number in range(judged.height):
        record = judged[number]
        for answer in (
            why_not(record, profile=SMALL_DESK, as_of=AS_OF),
            what_holds(record, profile=SMALL_DESK, as_of=AS_OF),
        ):
            n_flips += len(answer.flips)
            for flip in answer.flips[:2]:
                after = changed(record, flip.changes, answer)
                assert (str(after["decision"].item()), after["total"].item()) == (flip.decision, flip.total)
                assert flip.decision != answer.decision
    assert n_flips > 10


def changed(record: pl.DataFrame, changes: tuple[Any, ...], answer: WhyNot) -> pl.DataFrame:
    """The record with the changes of a flip made, judged again."""
    ways = {"rise": ("up",), "fall": ("down",), "release": ("up", "down")}[answer.course]
    plan = record.lazy()
    for change in changes:
        (pull,) = (
            pull for pull in pulls(SMALL_DESK, as_of=AS_OF, ways=ways)  # type: ignore[arg-type]
            if pull.lever == change.lever
            and record.select(pull.move.phrase).item() == change.phrase.removesuffix(" (not known now)")
        )  # fmt: skip
        plan = pulled(plan, pull)
    return rescored(plan, SMALL_DESK, as_of=AS_OF).collect()


def test_it_makes_no_difference_in_how_many_parts_the_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = records(generated_rows(5, seed=4), SMALL_DESK)
    whole = why_not_frame(judged, profile=SMALL_DESK, as_of=AS_OF, most=3)
    monkeypatch.setattr(levers_search, "_MOST_ROWS", 50)
    assert why_not_frame(judged, profile=SMALL_DESK, as_of=AS_OF, most=3).equals(whole)


# What it says


def test_one_more_publisher_is_said_with_the_confidence_it_brings() -> None:
    # source 4 + provenance 1 = 5: one short.
    answer = asked("optional")
    assert (answer.decision, answer.confidence, answer.course) == ("watch", 5, "rise")
    assert [line.name for line in answer.every] == ["confidence"]
    assert "one more independent A or B publisher: confidence 5 -> 6" in said(answer)
    assert "evidence given for it: confidence 5 -> 6" in said(answer)
    assert all(len(flip.changes) == 1 for flip in answer.flips)


def test_a_brigade_is_said_with_the_total_it_costs() -> None:
    # 10 + 5 + 5 = 20, 15 + 1 = 16, 9 + 7 - 10 = 6, 20, 6 + 2 + 1 = 9: 71 in all.
    answer = asked(
        tier="A", best_tier="A", n_outlets=20, n_publishers=3, n_publishers_ab=3, n_other_publishers_ab=2,
        velocity_h=18.0, engagement_ratio=15.0, last_new_publisher_at=AS_OF - timedelta(hours=10),
        coordinated_share=0.8, n_coordinated=6,
    )  # fmt: skip
    assert (answer.decision, answer.total) == ("optional", 71)
    assert [line.name for line in answer.some] == ["must_cover", "always_cover"]
    assert "without the brigading: total 71 -> 81" in said(answer)


def test_the_text_can_be_read_aloud() -> None:
    lines = asked("optional").text().splitlines()
    assert lines[:5] == [
        "Nordlys raises prices as layoffs loom",
        "watch with 72 of 100, 5 of them for confidence. "
        "It would have been promoted, but too little confirms it.",
        "  what it lacks",
        "    confidence         fails by 1     confidence of 6 or more, to be promoted",
        "  any of these alone would make it optional, cheapest first",
    ]
    assert lines[5] == "    1. evidence given for it: confidence 5 -> 6"
    assert str(asked("optional")) == asked("optional").text()


def test_flips_are_in_the_order_of_changes_steps_and_names() -> None:
    # One point of confidence and some of the total: no single lever moves both so far.
    answer = asked(publisher=None, age_h=4.0)
    frame = answer.frame()
    levers = frame["changes"].list.eval(pl.element().struct.field("lever")).list.join(" ")
    assert frame.height > 5
    assert frame["n_changes"].unique().to_list() == [2]
    order = frame.select("n_steps", levers)
    assert order.equals(order.sort("n_steps", "changes"))
    text = answer.text(most=2)
    assert "  no single change; any of these pairs would make it must cover, cheapest first" in text
    assert f"    and {frame.height - 2:,} more" in text


def test_a_decision_beyond_the_one_that_was_asked_for_is_said() -> None:
    answer = asked("optional", triggers=["recall"], triggers_in_title=["recall"])
    assert "one more independent A or B publisher: confidence 5 -> 6, then must cover" in answer.text(most=99)


def test_what_is_out_of_reach_says_so_with_what_came_nearest_and_what_still_binds() -> None:
    bare = {
        "entities": [],
        "entities_in_title": [],
        "pillars": [],
        "pillars_in_title": [],
        "tier": "unlisted",
    }
    profile = with_grids(DESK, {**dict.fromkeys(type(DESK.levers).model_fields, []), "pillars": [1],
                                "publishers_ab": [1], "evidence": [True]})  # fmt: skip
    answer = asked(profile=profile, **bare)
    assert answer.flips == ()
    assert answer.frame().is_empty()
    assert answer.nearest is not None
    assert [change.lever for change in answer.nearest.changes] == ["evidence", "pillars"]
    text = answer.text()
    assert "  no change of one or two levers on the profile's grids would make it must cover" in text
    assert "    nearest: evidence given for it, and one more pillar in the title: " in text
    assert "    with that it would be watch; still, confidence fails by" in text


def test_no_levers_at_all_leave_the_gates_and_no_change() -> None:
    off = with_grids(DESK, dict.fromkeys(type(DESK.levers).model_fields, []))
    answer = asked("optional", profile=off)
    assert ([line.name for line in answer.every], answer.flips, answer.nearest) == (["confidence"], (), None)
    frame = why_not_frame(records([HELD], off), "optional", profile=off, as_of=AS_OF)
    assert frame["n_changes"].to_list() == [None]


def test_where_it_stands_already_there_is_nothing_to_change() -> None:
    answer = asked("watch")
    assert (answer.course, answer.target, answer.flips) == ("", "watch", ())
    assert answer.text().splitlines()[2:] == ["It is watch already."]


# What holds it up


def test_what_holds_a_decision_up_is_named_with_the_least_whose_going_would_bring_it_down() -> None:
    answer = holding(evidence=["https://c.example"])
    assert (answer.decision, answer.target, answer.course) == ("optional", "watch", "fall")
    assert [line.name for line in answer.every] == ["constraint", "tied", "confidence"]
    assert [line.name for line in answer.some] == ["optional"]
    assert said(answer)[0] == "without its evidence: confidence 6 -> 5"
    assert any("with nothing new" in line for line in said(answer))
    assert "  any of these alone would bring it down to watch, cheapest first" in answer.text()


def test_a_target_below_asks_how_far_it_would_have_to_fall() -> None:
    answer = asked("drop", evidence=["https://c.example"])
    assert (answer.decision, answer.course) == ("optional", "fall")
    assert [line.name for line in answer.every] == ["not_excluded"]
    assert {flip.decision for flip in answer.flips} <= {"drop"}


def test_two_gates_that_each_lift_it_must_both_give_way() -> None:
    row = {"triggers": ["recall"], "triggers_in_title": ["recall"], "evidence": ["x"], "n_outlets": 20}
    answer = holding(**row)
    assert answer.decision == "must_cover"
    lines = answer.text().splitlines()
    assert any(line.startswith("    and always_cover   passes") for line in lines)


def test_a_block_says_what_would_release_it_and_a_drop_that_nothing_is_below() -> None:
    answer = holding(with_grids(DESK, {}), forbidden=["leaked address"])
    assert (answer.course, [line.name for line in answer.every]) == ("release", ["constraint"])
    assert said(answer) == ["without what the profile forbids: constraint passes"]
    assert "  this alone would release it" in answer.text()
    nothing = dict.fromkeys(("velocity_h", "views", "engagement_ratio", "age_h", "last_new_publisher_at"))
    none = {name: [] for name in ("entities", "entities_in_title", "pillars", "pillars_in_title")}
    low = holding(**nothing, **none)
    assert (low.decision, low.course) == ("drop", "")
    assert low.text().splitlines()[-1] == "It is a drop: nothing is below it."


def test_block_is_reached_only_by_being_blocked() -> None:
    answer = asked("block", profile=with_grids(DESK, {}))
    assert {flip.decision for flip in answer.flips} == {"block"}
    lines = said(answer)
    assert "something in it that the profile forbids: constraint fails" in lines
    assert "enough against it to count as a rumour: confidence 5 -> 2" in lines
    # To fall as far as optional or lower is another thing.
    assert asked("drop").course == "fall"


# Frames and forms


def test_the_frame_of_many_records_says_for_each_what_asking_for_it_alone_does() -> None:
    judged = records(generated_rows(7, seed=6), SMALL_DESK).sample(fraction=1, shuffle=True, seed=1)
    frame = why_not_frame(judged.lazy(), profile=SMALL_DESK, as_of=AS_OF)
    assert frame.schema == FLIP
    assert frame["item_id"].to_list() == judged["item_id"].to_list()
    for number in range(judged.height):
        answer, row = why_not(judged[number], profile=SMALL_DESK, as_of=AS_OF), frame[number]
        if not answer.course:
            assert row["n_changes"].item() == 0
        elif answer.flips:
            assert row.equals(answer.frame().head(1))
        else:
            assert row.select("n_changes", "changes", "decision", "total_to").row(0) == (None,) * 4


def test_the_cheapest_few_of_each_are_its_first() -> None:
    judged = records([HELD, {**HELD, "tier": "A"}], DESK)
    frame = why_not_frame(judged, "optional", profile=DESK, as_of=AS_OF, most=3)
    first = why_not(judged[0], "optional", profile=DESK, as_of=AS_OF).frame().head(3)
    assert frame.filter(item_id=judged["item_id"][0]).equals(first)


def test_no_records_give_no_rows() -> None:
    assert why_not_frame(records([HELD], DESK).clear(), profile=DESK, as_of=AS_OF).schema == FLIP


def test_a_kept_record_brings_profile_and_clock_and_another_profile_says_what_it_would_make_of_it() -> None:
    run = object.__new__(RunRow)
    object.__setattr__(run, "as_of", AS_OF)
    kept = Kept(records([HELD], DESK), run, DESK)
    assert why_not(kept, "optional").flips == asked("optional").flips
    assert why_not(kept, "optional").note == ""
    other = why_not(kept, profile=BEAT)
    assert other.note == "It was stored as watch with 72; this profile makes something else of it."
    assert other.note in other.text()
    assert other.total == explain(rescored(kept.record, BEAT, as_of=AS_OF).collect(), BEAT).total


def test_a_record_may_be_a_mapping_and_need_not_have_been_judged() -> None:
    row = signals(HELD).row(0, named=True)
    answer = why_not(row, "optional", profile=DESK, as_of=AS_OF)
    assert answer.flips == asked("optional").flips
    assert answer.note == ""


def test_the_gates_are_a_frame_too() -> None:
    frame = asked("must_cover").gate_frame()
    assert frame.select("gate", "margin", "is_one_of").rows() == [
        ("confidence", -1, False), ("must_cover", -3, True), ("always_cover", -1, True)
    ]  # fmt: skip


def test_a_hostile_title_or_publisher_can_neither_move_the_terminal_nor_run_in_a_notebook() -> None:
    answer = asked("optional", title="Nordlys \x1b[2J\n<script>alert(1)</script>", publisher="\x1b[31m<b>")
    assert "\x1b" not in answer.text(most=99)
    assert "\n<script" not in answer.text()
    page = answer._repr_html_()
    assert page.startswith("<pre>")
    assert "<script" not in page


def test_what_is_no_decision_is_refused_with_the_near_name() -> None:
    with pytest.raises(UnknownError, match="did you mean 'must_cover'"):
        asked("mustcover")
    with pytest.raises(UnknownError, match="unknown decision 'x'"):
        why_not_frame(records([HELD], DESK).clear(), "x", profile=DESK, as_of=AS_OF)


def test_anything_but_one_whole_record_with_its_profile_and_clock_is_refused() -> None:
    one = records([HELD], DESK)
    with pytest.raises(UsageError, match="a record without its profile"):
        why_not(one)
    with pytest.raises(UsageError, match="a record without its clock"):
        what_holds(one, profile=DESK)
    with pytest.raises(UsageError, match="a record without n_items, role"):
        why_not(one.drop("n_items", "role"), profile=DESK, as_of=AS_OF)
    with pytest.raises(UsageError, match="one record is asked for, and 2 given"):
        why_not(records([HELD, HELD], DESK), profile=DESK, as_of=AS_OF)
