from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brandkit.cli.looking_back import hindsight as command
from brandkit.errors import UnknownError
from brandkit.record import misled
from brandkit.record.hindsight import FALSE_ALARM, MISS, Hindsight, hindsight
from brandkit.store import StateStore
from tests.frames import DESK, judged, signals
from tests.store_frames import DAY
from tests.story_days import LOUD, QUIET, on, run_day, story

FIRST = [name for name in FALSE_ALARM if not name.startswith("later_") and name != "n_runs_after"]
# As it stood on the day: what misled it is told by what came later.
SHOWN = FIRST[: FIRST.index("gate")]


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "store.duckdb", cache=None, timeout_s=5)


def lived(store: StateStore, *days: Mapping[str, Mapping[str, Any]], **asked: Any) -> Hindsight:
    """What hindsight says of runs on these days."""
    with store.transaction():
        for number, stories in enumerate(days, start=1):
            run_day(store, number, stories)
    return hindsight(store, "desk", **asked)


def test_a_story_dropped_at_first_and_must_cover_later_was_missed(store: StateStore) -> None:
    found = lived(store, {"s1": story(1)}, {"s1": story(1, 2)}, {"s1": story(1, 2, 3, of=LOUD)})
    (miss,) = found.misses.to_dicts()
    assert (miss["decision"], miss["total"], miss["run_on"]) == ("drop", 19, on(1))
    assert (miss["later_decision"], miss["big_decision"], miss["big_run_on"]) == (
        "must_cover",
        "must_cover",
        on(3),
    )
    assert (miss["late_h"], miss["late_runs"]) == (48.0, 2)
    assert miss["grew"] == ["n_publishers_ab", "n_outlets", "engagement", "promoted"]
    assert (miss["n_outlets"], miss["later_outlets"], miss["engagement"], miss["later_engagement"]) == (
        1,
        40,
        None,
        900.0,
    )
    # Tied: 0 of 4 points, all missing; confidence lacks 5 of 6, the total 41 of 60.
    assert (miss["gate"], miss["gate_margin"]) == ("tied", -4)
    # Entities rose by 12; breadth by 10 ln 41 / ln 21 - 10 ln 2 / ln 21, which is 10 (capped) - 2.
    assert (miss["component"], miss["part"], miss["points"], miss["points_than"]) == (
        "relevance",
        "entities",
        0,
        12,
    )
    assert found.by_cause().rows() == [
        ("missed", "gate", "tied", 1),
        ("missed", "step", "relevance entities", 1),
    ]
    assert found.false_alarms.is_empty()


def test_what_came_after_the_range_is_not_looked_at(store: StateStore) -> None:
    found = lived(store, {"s1": story(1)}, {"s1": story(1)}, {"s1": story(1, of=LOUD)}, last=on(2))
    assert (found.last, found.misses.height, found.n_stories) == (on(2), 0, 1)


def test_hindsight_over_one_day_finds_nothing(store: StateStore) -> None:
    found = lived(store, {"s1": story(1), "s2": story(2, of=LOUD)})
    assert (found.misses.height, found.elsewhere.height, found.false_alarms.height) == (0, 0, 0)
    assert (found.n_stories, found.n_promoted, found.n_too_early) == (2, 1, 1)


@pytest.mark.parametrize("was", ["decided", "continued"])
def test_a_story_that_was_decided_on_before_the_range_is_no_part_of_it(store: StateStore, was: str) -> None:
    before = {"s1": story(1)} if was == "decided" else {"s9": story(9)}
    known = was == "continued"
    found = lived(
        store, before, {"s1": story(1, is_continued=known)}, {"s1": story(1, 2, of=LOUD)}, first=on(2)
    )  # fmt: skip
    assert (found.n_stories, found.misses.height) == (0, 0)


def test_a_story_merged_into_a_younger_one_is_followed_there(store: StateStore) -> None:
    found = lived(
        store,
        {"s1": story(1, 2, 3)},
        {"s2": story(4, of=LOUD)},
        {"s2": story(1, 2, 4, of=LOUD, title="Nordlys after the merge")},
    )
    (miss,) = found.misses.to_dicts()
    assert (miss["story_id"], miss["big_story_id"], miss["big_run_on"]) == ("s1", "s2", on(3))
    assert (miss["title"], miss["big_title"]) == ("A quiet thing", "Nordlys after the merge")
    assert "as part of story s2" in found.text()
    # What the younger one was before is no part of what became of the older.
    assert miss["late_runs"] == 2
    assert found.n_promoted == 1


def test_a_story_that_went_into_an_older_one_was_a_piece_of_it(store: StateStore) -> None:
    found = lived(
        store, {"s1": story(1), "s2": story(2, of=LOUD)}, {"s2": story(1, 2, of=LOUD, n_outlets=50)}
    )
    assert (found.misses.height, found.false_alarms.height, found.n_stories) == (0, 0, 2)


def test_half_of_its_items_elsewhere_is_no_merge(store: StateStore) -> None:
    found = lived(store, {"s1": story(1, 2)}, {"s2": story(1, 3, of=LOUD)})
    assert (found.misses.height, found.n_again) == (0, 0)


def test_several_that_became_one_story_are_missed_once(store: StateStore) -> None:
    found = lived(
        store,
        {"s1": story(1), "s2": story(2, tier="B", best_tier="B")},
        {"s3": story(3, of=LOUD)},
        {"s3": story(1, 2, 3, of=LOUD)},
    )
    # Of two of one day the higher one speaks.
    assert found.misses["story_id"].to_list() == ["s2"]


def test_what_grew_as_big_with_no_tie_to_the_desk_is_told_apart(store: StateStore) -> None:
    big = {**LOUD, "entities": [], "entities_in_title": [], "pillars": [], "pillars_in_title": []}
    ours = {"s2": story(2, of=LOUD)}
    found = lived(store, {"s1": story(1), **ours}, {"s1": story(1, of=big), **ours})
    assert (found.misses.height, found.elsewhere["story_id"].to_list()) == (0, ["s1"])
    assert "1 other grew as big with no tie to the desk" in found.text()


def test_big_is_what_the_desks_own_were_when_they_became_must_cover(store: StateStore) -> None:
    own = {f"m{n}": story(n, of=LOUD, n_outlets=outlets) for n, outlets in enumerate((30, 40, 80), start=10)}
    grown = {name: {**said, "n_outlets": 500} for name, said in own.items()}
    almost, just = story(1, of=QUIET, n_outlets=39), story(2, of=QUIET, n_outlets=40)
    was_big = story(3, of=QUIET, n_outlets=40)
    found = lived(
        store,
        {"s1": story(1), "s2": story(2), "s3": was_big, **own},
        {"s1": almost, "s2": just, "s3": {**was_big, "n_outlets": 90}, **grown},
    )
    assert found.bars.filter(measure="n_outlets").row(0) == (
        "n_outlets",
        40.0,
        "median of 3 must-cover stories",
    )
    # The third was as big at first: it did not grow big.
    assert found.elsewhere["story_id"].to_list() == ["s2"]


def test_bars_are_as_asked_or_the_least_that_counts_or_none_at_all(store: StateStore) -> None:
    small = story(1, of=LOUD, n_outlets=1, n_publishers_ab=8, engagement=None, engagement_ratio=64.0)
    run_day(store, 1, {"s1": small})
    run_day(store, 2, {"s1": small})
    assert store.stories("desk.daily.2026-03-02.1")["decision"].to_list() == ["optional"]
    found = hindsight(store, "desk", n_publishers_ab=3)
    assert found.bars.rows() == [
        ("n_publishers_ab", 3.0, "as asked"),
        ("n_outlets", 5.0, "the least that counts"),
        ("engagement", None, "no story of ours to go by"),
    ]
    told = "3 A or B publishers (as asked), or 5 outlets (the least that counts), or promoted in a later run"
    assert found.headlines()[1] == f"big is: {told}"


def test_a_promotion_went_nowhere_when_nobody_new_carried_it(store: StateStore) -> None:
    quiet = {f"q{n}": story(n) for n in range(20, 30)}
    then = {
        "same": story(1, 9, of=LOUD),
        "gone": None,
        "nearly twice as loud": story(2, of=LOUD, engagement=1799.0),
        "twice as loud": story(3, of=LOUD, engagement=1800.0),
        "a publisher more": story(4, of=LOUD, n_publishers=16),
        "an outlet more": story(5, of=LOUD, n_outlets=41),
    }
    first = {name: story(number, of=LOUD) for number, name in enumerate(then, start=40)}
    again = {name: said for name, said in then.items() if said is not None}
    found = lived(store, {**first, **quiet}, again)
    assert found.false_alarms["story_id"].to_list() == ["gone", "nearly twice as loud", "same"]
    assert (found.n_promoted, found.n_too_early) == (6, 0)
    for alarm in found.false_alarms.to_dicts():
        assert (alarm["decision"], alarm["total"], alarm["n_runs_after"]) == ("must_cover", 79, 1)
        # 79 is 4 above 75; entities stand 12 above what a story usually has, more than any other part.
        assert (alarm["gate"], alarm["gate_margin"], alarm["part"], alarm["points"]) == (
            "must_cover",
            4,
            "entities",
            12,
        )
        assert (alarm["than"], alarm["points_than"]) == ("not_promoted", 0)
    assert "lifted by must cover (+4); relevance entities 12, usually 0" in found.text()
    assert "not seen again in 1 later run" in found.text()


def test_where_a_verdict_stands_by_the_first_decision_it_was_no_mistake(store: StateStore) -> None:
    for day, of in ((1, QUIET), (2, LOUD)):
        run_day(store, day, {"s1": story(1, of=of), "s2": story(2, of=LOUD)})
    assert len(hindsight(store, "desk").misses) == len(hindsight(store, "desk").false_alarms) == 1
    for name, decision in (("s1", "watch"), ("s2", "optional")):
        store.add_verdict("desk", story_id=name, decision=decision, given_at=DAY + timedelta(hours=30))
    found = hindsight(store, "desk")
    assert (len(found.misses), len(found.false_alarms), found.n_agreed) == (0, 0, 2)
    assert "2 more left out: a verdict stands by the decision" in found.text()
    store.add_verdict("desk", story_id="s1", decision="must_cover", given_at=DAY + timedelta(hours=31))
    assert hindsight(store, "desk").misses["story_id"].to_list() == ["s1"]


# Impact 9 + 5, timeliness 0, virality 16, relevance 7 + 8, confidence 5: 50 points.
UNNAMED: Mapping[str, Any] = {
    "tier": "C", "entities_in_title": [], "age_h": 999.0, "views": None, "n_outlets": 17,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "gate", "margin"),
    [
        ({"excluded": True}, "not_excluded", -1),
        ({"forbidden": ["private data"]}, "constraint", -1),
        # Tier C 2, provenance 1, and nobody of A or B tells it but its own: 3 of the 6 asked for.
        ({"tier": "C", "n_other_publishers_ab": 0}, "confidence", -3),
        # Two others make it 5. Far too few points, but its own name lifts it: only confidence holds it.
        ({"tier": "C", "age_h": 999.0, "n_outlets": 1, "velocity_h": 0.0}, "confidence", -1),
        # Without the name in its title it lacks 10 of 60 points, which is as much as 1 of 6; the first
        # in the order of the gates speaks.
        (UNNAMED, "confidence", -1),
        ({**UNNAMED, "n_outlets": 12}, "optional", -11),
        # On no list 1, provenance 1, a single source -1: 1 of the 3 asked for.
        ({"tier": "unlisted", "n_publishers": 0, "n_other_publishers_ab": 0}, "verified", -2),
    ],
)
def test_the_gate_is_the_one_that_missed_most_of_what_it_asks_for(
    changes: Mapping[str, Any], gate: str, margin: int
) -> None:
    made = judged(signals({**LOUD, **changes})).with_columns(run_id=pl.lit("r"))
    assert made["decision"].item() not in ("must_cover", "optional")
    found = misled.held_by(made, misled.thresholds({"r": DESK}))
    assert found.select("gate", "gate_margin").row(0) == (gate, margin)


def test_a_modifier_misleads_like_a_part_and_a_step_that_never_rose_is_held_against_our_own() -> None:
    rows = {
        "first": {**LOUD, "coordinated_share": 0.9, "n_coordinated": 9},
        "best": LOUD,
        "same": LOUD,
    }
    steps = misled.with_steps(judged(signals(*rows.values()))).with_columns(name=pl.Series(list(rows)))
    first, best, same = (steps.filter(name=name) for name in rows)
    later = best.select(pl.col(misled.STEPS).name.suffix("_best"))
    usual = dict.fromkeys(misled.STEPS, 0) | {"impact.breadth": 30}
    told = [
        misled.risen(pl.concat([one, later], how="horizontal"), usual)
        .select("component", "part", "points", "than", "points_than")
        .row(0)
        for one in (first, same)
    ]
    # Brigading took 10 of virality at first and nothing later; no part of the other ever gave more.
    assert told == [("virality", "brigading", -10, "later", 0), ("impact", "breadth", 10, "promoted", 30)]


STORIES = st.dictionaries(
    st.sampled_from(["s1", "s2", "s3", "s4"]),
    st.tuples(
        st.sets(st.integers(1, 6), min_size=1, max_size=3), st.sampled_from([QUIET, LOUD]), st.integers(0, 60)
    ),
    min_size=1,
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.lists(STORIES, min_size=3, max_size=4))
def test_every_story_is_judged_once_by_its_first_decision_in_the_range(
    tmp_path_factory: pytest.TempPathFactory, days: list[dict[str, tuple[set[int], Any, int]]]
) -> None:
    store = StateStore(tmp_path_factory.mktemp("days") / "store.duckdb", cache=None)
    with store.transaction():
        for number, stories in enumerate(days, start=1):
            told = {name: story(*sorted(ids), of=of, n_outlets=n) for name, (ids, of, n) in stories.items()}
            run_day(store, number, _apart(told))
    whole, short = hindsight(store, "desk", first=on(2)), hindsight(store, "desk", first=on(2), last=on(2))
    assert (short.misses.height, short.false_alarms.height) == (0, 0)
    judged_ = pl.concat(
        [frame.select(SHOWN) for frame in (whole.misses, whole.elsewhere, whole.false_alarms)]
    )
    assert judged_["story_id"].is_unique().all()
    for row in judged_.to_dicts():
        # As the record of its run has it, and in no earlier run.
        record = store.record(row["run_id"], row["item_id"])
        assert record.select("story_id", "title", "decision", "reason", "total", "n_outlets").row(0) == tuple(
            row[name] for name in ("story_id", "title", "decision", "reason", "total", "n_outlets")
        )
        earlier = [run for run in store.runs()["run_id"] if run < row["run_id"]]
        assert store.known_stories(earlier, [row["story_id"]]).is_empty()
    promoted = pl.col("decision").is_in(["must_cover", "optional"])
    assert whole.misses.filter(promoted).is_empty()
    assert whole.false_alarms.filter(~promoted).is_empty()
    assert (whole.misses["late_runs"] > 0).all()


def _apart(stories: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The stories without the items that another one has already: an item is in one story of a run."""
    taken: set[int] = set()
    found = {}
    for name, said in stories.items():
        if left := [n for n in said["items"] if n not in taken]:
            taken |= set(left)
            found[name] = {**said, "items": left}
    return found


def test_the_columns_are_there_when_nothing_was_found(store: StateStore) -> None:
    found = lived(store, {})
    assert dict(found.misses.schema) == dict(MISS)
    assert dict(found.false_alarms.schema) == dict(FALSE_ALARM)
    assert found.text().startswith("desk, 2026-03-02 to 2026-03-02 (1 run): 0 stories first decided on")


def test_a_profile_without_runs_in_the_range_is_refused_with_what_there_is(store: StateStore) -> None:
    run_day(store, 1, {"s1": story(1)})
    with pytest.raises(UnknownError, match="runs are of 2026-03-02 to 2026-03-02"):
        hindsight(store, "desk", first=on(2))


def test_the_command_says_the_same_and_prints_no_control_characters(store: StateStore) -> None:
    lived(store, {"s1": story(1, title="\x1b[31mQuiet\u202e thing")}, {"s1": story(1, 2, of=LOUD)})
    shown = CliRunner().invoke(command, ["--store", str(store.path)])
    assert shown.exit_code == 0, shown.output
    assert not {"\x1b", "\u202e"} & set(shown.output)
    assert "must cover on 2026-03-03, 24 h (1 run) late" in shown.output
    data = CliRunner().invoke(command, ["--store", str(store.path), "--outlets", "9", "--json"])
    assert '"source": "as asked"' in data.output
    none = CliRunner().invoke(command, ["--store", str(store.path), "--first", "2027-01-01"])
    assert (none.exit_code, "runs are of" in none.output) == (2, True)
