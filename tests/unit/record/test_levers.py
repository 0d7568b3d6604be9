from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.profile_levers import LeverGrids
from brandkit.record.levers import LEVERS, READ, pulled, pulls
from brandkit.record.levers_kinds import Way
from brandkit.signals.risk import score_risk
from brandkit.signals.spread import measure_spread
from tests.frames import AS_OF, BEAT, DESK, signals
from tests.lever_frames import SMALL_DESK, rows
from tests.reference_levers import changes

WAYS: tuple[Way, ...] = ("up", "down", "comes")


def profile(**grids: Any) -> BrandProfile:
    """The desk with only these levers, at these values."""
    off: dict[str, Any] = dict.fromkeys(LeverGrids.model_fields, [])
    return BrandProfile.from_dict({**DESK.model_dump(mode="json", by_alias=True), "levers": {**off, **grids}})


def made(row: Mapping[str, Any], way: Way, desk: BrandProfile = DESK, **grids: Any) -> list[dict[str, Any]]:
    """What each move of some levers makes of a literal row: the columns that changed, words and steps."""
    given = signals(row)
    desk = profile(**grids) if desk is DESK else desk
    found = []
    for pull in pulls(desk, as_of=AS_OF, ways=(way,)):
        told = (
            given.lazy()
            .filter(pull.move.applies)
            .select(words=pull.move.phrase, steps=pull.move.steps, known=pull.move.known)
        )
        after = pulled(given.lazy(), pull).collect()
        if after.height:
            changed = {name: after[name].to_list()[0] for name in READ
                       if not after[name].equals(given[name], null_equal=True)}  # fmt: skip
            found.append({**told.collect().row(0, named=True), **changed})
    return found


def test_every_lever_has_a_grid_in_the_profile_and_they_stand_by_name() -> None:
    assert [lever.name for lever in LEVERS] == sorted(LeverGrids.model_fields)


def test_an_empty_grid_switches_its_lever_off() -> None:
    assert pulls(profile(), as_of=AS_OF, ways=WAYS) == ()
    used = {pull.lever for pull in pulls(profile(outlets=[2]), as_of=AS_OF, ways=WAYS)}
    assert used == {"outlets"}


def test_each_move_moves_what_the_plain_reference_moves_and_is_no_move_where_nothing_changes() -> None:
    generated = rows(60, seed=3)
    given = signals(*generated).with_row_index("n")
    plain = given.drop("n").rows(named=True)
    for way in WAYS:
        expected: dict[str, list[Any]] = {lever.name: [] for lever in LEVERS}
        for n, row in enumerate(plain):
            for lever, steps, changed in changes(row, SMALL_DESK, AS_OF, (way,)):
                expected[lever].append((n, steps, {name: changed[name] for name in READ}))
        found: dict[str, list[Any]] = {lever.name: [] for lever in LEVERS}
        for pull in pulls(SMALL_DESK, as_of=AS_OF, ways=(way,)):
            with_steps = given.lazy().with_columns(_steps=pull.move.steps)
            after = pulled(with_steps, pull).collect()
            assert after.drop("_steps").schema == given.schema
            before = given.join(after.select("n"), on="n", how="semi").select(READ).rows()
            assert all(was != now for was, now in zip(before, after.select(READ).rows(), strict=True))
            moved = after.select(READ).rows(named=True)
            found[pull.lever] += list(zip(after["n"], after["_steps"], moved, strict=True))
        for lever, moves in found.items():
            by_place = sorted(moves, key=lambda move: (move[0], move[1]))
            assert by_place == sorted(expected[lever], key=lambda move: (move[0], move[1])), (way, lever)


# What a lever moves is what the measures would find if it were so


STORY: tuple[dict[str, Any], ...] = (
    {"publisher": "own", "tier": "B", "hours": 2, "title": "SHOCKING!! Nordlys recall"},
    {"publisher": "cee", "tier": "C", "hours": 3},
    {"publisher": "nobody", "tier": "unlisted", "hours": 4},
)
LONE: tuple[dict[str, Any], ...] = (
    {"publisher": "blog", "tier": "unlisted", "hours": 2, "title": "SHOCKING!! Nordlys reportedly recalls"},
)
# Told long ago: neither the pace nor the newest publisher depends on it.
EARLY = 20


def measured(items: tuple[dict[str, Any], ...], later_h: float = 0.0) -> pl.DataFrame:
    """The signals of the first item of a story, as the real measures find them."""
    full = [
        {
            "item_id": f"{n:016x}", "story_id": "s1", "title": "Nordlys recalls oat drink", "copy_of": None,
            "role": "outlet", "is_denial": False, "is_coordinated": False, "source": "feed",
            "item_type": "article", "collected_at": AS_OF - timedelta(hours=1), **item,
            "published_at": AS_OF - timedelta(hours=item["hours"]),
        }
        for n, item in enumerate(items)
    ]  # fmt: skip
    types = {**schemas.ITEM, **schemas.SIGNAL}
    given = [name for name in full[0] if name in types]
    frame = pl.DataFrame(full, infer_schema_length=None).select(
        pl.col(name).cast(types[name]) for name in given
    )
    found = measure_spread(frame.lazy(), as_of=AS_OF + timedelta(hours=later_h)).collect()
    row = score_risk(found.lazy()).collect().head(1)
    filled = {name: signals({})[name] for name in READ if name not in row.columns}
    return row.with_columns(**filled).select(READ)


def one_more(**item: Any) -> dict[str, Any]:
    return {"publisher": "another", "tier": "B", "hours": EARLY, **item}


@pytest.mark.parametrize("story", [STORY, LONE], ids=["told by three", "told by one, and doubtful"])
@pytest.mark.parametrize(
    ("lever", "grid", "more"),
    [
        ("publishers_ab", [1], [one_more()]),
        ("publishers_ab", [2], [one_more(), one_more(publisher="third")]),
        ("publisher_a", [True], [one_more(tier="A")]),
        ("unlisted_publishers", [1], [one_more(tier="unlisted")]),
        ("outlets", [1], [one_more(tier="unlisted", copy_of="f" * 16)]),
        ("adopters_ab", [1], [one_more(copy_of="f" * 16)]),
        ("joins_now", ["C"], [one_more(tier="C", hours=0)]),
        ("joins_now", ["A"], [one_more(tier="A", hours=0)]),
    ],
)
def test_one_more_voice_moves_what_the_measures_find_with_its_item_in_the_story(
    story: tuple[dict[str, Any], ...], lever: str, grid: list[Any], more: list[dict[str, Any]]
) -> None:
    (pull,) = pulls(profile(**{lever: grid}), as_of=AS_OF, ways=("up",))
    after, found = pulled(measured(story).lazy(), pull).collect(), measured((*story, *more))
    if story is LONE and lever != "joins_now":
        # When the first listed publisher joined is not said, so nothing is claimed for it.
        assert after["last_new_publisher_at"].item() is None
        found = found.with_columns(after["last_new_publisher_at"])
    assert_frame_equal(after, found)


@pytest.mark.parametrize("lone", [False, True])
@pytest.mark.parametrize("tier", ["A", "B", "C"])
def test_a_publisher_tiered_in_the_profile_moves_what_the_measures_find(tier: str, *, lone: bool) -> None:
    first, *rest = LONE if lone else STORY
    before = measured(({**first, "tier": "unlisted"}, *rest))
    (pull,) = pulls(profile(tier=[tier]), as_of=AS_OF, ways=("up",))
    after, found = pulled(before.lazy(), pull).collect(), measured(({**first, "tier": tier}, *rest))
    # When the first listed publisher joined is not in the record of an unlisted one; nothing is claimed.
    assert_frame_equal(after.drop("last_new_publisher_at"), found.drop("last_new_publisher_at"))


@pytest.mark.parametrize("hours", [6, 24])
def test_hours_that_pass_move_what_the_measures_find_then(hours: int) -> None:
    (pull,) = pulls(profile(age=[hours]), as_of=AS_OF, ways=("down",))
    after, found = pulled(measured(STORY).lazy(), pull).collect(), measured(STORY, later_h=hours)
    # Judged at the clock of the record, so what is measured from it has moved back.
    moved = pl.col("last_new_publisher_at") - timedelta(hours=hours)
    assert_frame_equal(after, found.with_columns(moved))


@pytest.mark.parametrize(("lever", "gone"), [("publishers_ab", "B"), ("unlisted_publishers", "unlisted")])
def test_one_voice_fewer_moves_what_the_measures_find_without_it(lever: str, gone: str) -> None:
    (pull,) = pulls(profile(**{lever: [1]}), as_of=AS_OF, ways=("down",))
    before = measured((*STORY, one_more(tier=gone)))
    assert_frame_equal(pulled(before.lazy(), pull).collect(), measured(STORY))


# Lever by lever: words, steps and signals


def test_counts_say_how_many_and_take_a_step_for_each_value_of_the_grid() -> None:
    found = made({"n_outlets": 4, "n_items": 5}, "up", outlets=[1, 5])
    assert found == [
        {"words": "one more outlet", "steps": 1, "known": True, "n_items": 6, "n_outlets": 5},
        {"words": "5 more outlets", "steps": 2, "known": True, "n_items": 10, "n_outlets": 9},
    ]
    assert made({"n_outlets": 4, "n_items": 5, "n_publishers": 3}, "down", outlets=[1, 2]) == [
        {"words": "one outlet fewer", "steps": 1, "known": True, "n_items": 4, "n_outlets": 3}
    ]


def test_steps_count_the_values_passed_from_where_a_signal_stands() -> None:
    grid = [0, 1, 2, 8]
    found = [(move["words"], move["steps"]) for move in made({"velocity_h": 1.5}, "up", velocity_h=grid)]
    assert found == [("2 items an hour", 1), ("8 items an hour", 2)]
    found = [(move["words"], move["steps"]) for move in made({"velocity_h": 1.5}, "down", velocity_h=grid)]
    assert found == [("only one item an hour", 1), ("no item in the last 6 hours", 2)]


def test_what_is_not_known_may_be_set_and_is_said_to_be_unknown() -> None:
    (found,) = made({"velocity_h": None}, "up", velocity_h=[2])
    assert found == {"words": "2 items an hour", "steps": 1, "known": False, "velocity_h": 2.0}
    assert made({"velocity_h": None}, "down", velocity_h=[0]) == []
    (found,) = made({"n_other_publishers_ab": None}, "up", publishers_ab=[1])
    assert (found["known"], found["n_other_publishers_ab"]) == (False, 1)


def test_our_own_name_in_a_title_outweighs_an_exclusion_there() -> None:
    row = {"excluded": True, "entities": ["Velmora"], "entities_in_title": ["Velmora"]}
    (found,) = made(row, "up", own_name=["title"])
    both = ["Nordlys", "Velmora"]
    assert found["words"] == "our own name in the title"
    assert (found["entities"], found["entities_in_title"], found["excluded"]) == (both, both, False)
    watched = {**BEAT.model_dump(mode="json", by_alias=True), "levers": profile(own_name=["title"]).levers}
    beat = BrandProfile.from_dict({**watched, "levers": profile(own_name=["title"]).levers.model_dump()})
    (found,) = made(row, "up", beat)
    assert found["words"] == "a watched name in the title"
    assert "excluded" not in found


def test_names_leave_the_title_first_and_then_the_text() -> None:
    row = {"entities": ["Nordlys", "Velmora"], "entities_in_title": ["Nordlys"]}
    less, gone = made(row, "down", own_name=["nowhere", "summary", "title"])
    assert (gone["words"], gone["steps"], gone["entities"]) == ("without our own name", 2, ["Velmora"])
    assert less == {
        "words": "our own name only in the summary", "steps": 1, "known": True, "entities_in_title": [],
    }  # fmt: skip


def test_a_pillar_is_one_that_stands_nowhere_yet_before_one_of_the_summary() -> None:
    row = {"pillars": ["labour", "prices"], "pillars_in_title": ["prices"]}
    one, two = made(row, "up", pillars=[1, 2, 3])
    assert one["pillars_in_title"] == ["prices", "privacy"]
    assert (two["words"], two["pillars_in_title"]) == (
        "2 more pillars in the title", ["labour", "prices", "privacy"]
    )  # fmt: skip
    (fewer,) = made(row, "down", pillars=[1])
    assert (fewer["pillars"], fewer["pillars_in_title"]) == (["labour"], [])


def test_a_trigger_is_named_and_a_profile_without_any_has_none_to_add() -> None:
    (found,) = made({}, "up", trigger=["title"])
    assert (found["words"], found["triggers_in_title"]) == (
        "'recall' or another trigger in the title",
        ["recall"],
    )
    beat = {**BEAT.model_dump(mode="json", by_alias=True), "triggers": []}
    assert "trigger" not in {p.lever for p in pulls(BrandProfile.from_dict(beat), as_of=AS_OF, ways=("up",))}


def test_an_undated_item_may_turn_out_of_any_age_and_a_dated_one_only_grows_older() -> None:
    young = made({"age_h": None}, "up", age=[1, 6])
    assert [(move["words"], move["steps"], move["age_h"]) for move in young] == [
        ("a known date, 6 hours ago", 1, 6.0),
        ("a known date, one hour ago", 2, 1.0),
    ]
    assert made({"age_h": 4.0}, "up", age=[1, 6]) == []
    (older,) = made({"age_h": 4.0, "velocity_h": 2.0}, "down", age=[3])
    assert older == {"words": "3 hours with nothing new", "steps": 1, "known": True, "age_h": 7.0}
    (later,) = made({"age_h": 4.0, "velocity_h": 2.0}, "down", age=[6])
    assert (later["age_h"], later["velocity_h"]) == (10.0, 0.0)


def test_a_publisher_is_named_and_one_that_speaks_for_itself_confirms_nothing_whatever_its_tier() -> None:
    row = {"publisher": "alpha", "tier": "unlisted", "n_unlisted": 1, "role": None}
    (found,) = made(row, "up", tier=["A"])
    assert found["words"] == "its publisher alpha tiered A in the profile"
    assert (found["best_tier"], found["n_publishers"], found["n_unlisted"]) == ("A", 1, 0)
    (found,) = made({**row, "role": "own", "tier": "C"}, "up", tier=["A"])
    assert (found["tier"], set(found) & {"best_tier", "n_publishers"}) == ("A", set())
    assert made({**row, "publisher": None}, "up", tier=["A"]) == []


def test_an_a_publisher_makes_its_risk_no_less_than_what_is_left_of_the_evidence() -> None:
    row = {"misinfo_risk": 0.65, "misinfo_evidence": ["no_ab_publisher:0.25", "disputed:0.4"]}
    (found,) = made(row, "up", publisher_a=[True])
    assert (found["misinfo_risk"], found["misinfo_evidence"]) == (0.4, ["disputed:0.4"])
    (found,) = made({"misinfo_risk": 0.65}, "up", publisher_a=[True])
    assert "misinfo_risk" not in found


def test_bad_news_comes_only_where_it_could() -> None:
    bare = pulls(DESK, as_of=AS_OF, ways=("comes",))
    assert {pull.lever for pull in bare} == {"coordination", "misinfo_risk"}
    assert {pull.lever for pull in pulls(SMALL_DESK, as_of=AS_OF, ways=("comes",))} == {
        "constraint", "coordination", "misinfo_risk",
    }  # fmt: skip
    (found,) = made({"misinfo_risk": 0.2}, "comes", misinfo_risk=[True])
    assert (found["misinfo_risk"], found["words"]) == (0.6, "enough against it to count as a rumour")
