from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from brandkit.cli.profiles import profile as command
from brandkit.errors import UnknownError
from brandkit.profile import BrandProfile
from brandkit.record.drift import Drift, drift
from brandkit.store import StateStore
from tests.frames import DESK
from tests.story_days import LOUD, QUIET, on, run_day, story


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "store.duckdb", cache=None, timeout_s=5)


def mail(n_quiet: int, n_loud: int = 2, **changes: Any) -> dict[str, dict[str, Any]]:
    """A day of so many stories that nobody hears of, and some that everybody does."""
    quiet = {f"q{n}": story(n, of={**QUIET, **changes}) for n in range(1, n_quiet + 1)}
    return {**quiet, **{f"m{n}": story(100 + n, of=LOUD) for n in range(n_loud)}}


def lived(store: StateStore, *days: Mapping[str, Mapping[str, Any]], **asked: Any) -> Drift:
    """What drift says of the last of runs on these days."""
    with store.transaction():
        for number, stories in enumerate(days, start=1):
            run_day(store, number, stories)
    return drift(store, "desk", **asked)


def test_days_that_are_alike_do_not_drift(store: StateStore) -> None:
    found = lived(store, *[mail(40)] * 6)
    assert found.has_history
    assert found.scores["psi"].to_list() == [0.0] * 6
    assert found.scores["moved"].any() is False
    assert found.unusual.is_empty()
    assert found.movements() == (
        "The scores are spread as in the 5 runs before.",
        "A day's work is as usual.",
    )
    assert repr(found) == "Drift(desk.daily.2026-03-07.1 against 5 runs: nothing moved)"


def test_a_day_of_other_scores_has_moved_and_says_from_where_to_where(store: StateStore) -> None:
    # A story that names one of our pillars: 4 points more, for each of the forty.
    tied = mail(40, pillars=["labour"], pillars_in_title=["labour"])
    found = lived(store, *[mail(40)] * 5, tied)
    assert found.moved["name"].to_list() == ["total", "relevance"]
    total = found.scores.row(0, named=True)
    assert (total["median_before"], total["median"], total["p90_before"], total["p90"]) == (19, 23, 19, 23)
    assert found.movements()[0].startswith("Total moved: median 19 to 23, nine in ten up to 19, now 23 (PSI ")


def test_a_day_with_far_more_of_a_decision_is_unusual(store: StateStore) -> None:
    found = lived(store, *[mail(40)] * 5, mail(40, 12))
    assert found.unusual.drop("distance").rows() == [("must_cover", 12, 2.0, 2, 2, True)]
    assert "Must cover: 12 stories; before, 2 to 2." in found.sentences()


def test_under_the_stated_minimum_nothing_is_said_of_what_moved(store: StateStore) -> None:
    found = lived(store, *[mail(10)] * 4, mail(10, 10))
    assert not found.has_history
    assert found.movements() == ("Not enough history to say what moved: 4 earlier runs, and 5 are needed.",)
    assert found.scores.select("psi", "moved", "median_before").null_count().row(0) == (6, 6, 6)
    assert found.workload["distance"].null_count() == 5
    # What is, is told all the same.
    assert found.scores["median"].null_count() == 0
    assert drift(store, "desk", min_runs=4).has_history


def test_only_the_runs_before_count_as_many_as_were_asked_for(store: StateStore) -> None:
    with store.transaction():
        for day in range(1, 8):
            run_day(store, day, mail(5))
        # Another attempt at day 3, a shadow and another kind of run.
        again = run_day(store, 3, mail(5)).run_id
        run_day(store, 4, mail(5), shadow=True)
        run_day(store, 4, mail(5), kind="adhoc")
    middle = drift(store, "desk", run="desk.daily.2026-03-07.1", last=4)
    assert middle.earlier == tuple(
        f"desk.daily.2026-03-0{day}.{2 if day == 4 else 1}" for day in (3, 4, 5, 6)
    )
    assert again == "desk.daily.2026-03-04.2"
    assert len(drift(store, "desk").earlier) == 6


def test_parts_that_never_fire_or_never_change_are_named(store: StateStore) -> None:
    found = lived(store, mail(5, 1), mail(5, 1))
    assert (found.n_records, found.n_stories, found.best, found.bar) == (12, 12, 79, 75)
    parts = {(row["component"], row["part"]): row for row in found.parts.to_dicts()}
    silent = [part for (_, part), row in parts.items() if row["n_fired"] == 0]
    assert silent == [
        "consequence",
        "cap",
        "development",
        "cap",
        "cap",
        "triggers",
        "excluded",
        "cap",
        "evidence",
        "cap",
    ]
    breadth = parts["impact", "breadth"]
    assert (breadth["n_fired"], breadth["low"], breadth["high"], breadth["is_constant"]) == (12, 2, 10, False)
    freshness = parts["timeliness", "freshness"]
    assert (freshness["low"], freshness["high"], freshness["is_constant"]) == (15, 15, True)
    assert found.idle()[:3] == (
        "Never gave a point in 12 records of 2 runs: consequence (impact), development (timeliness), "
        "triggers (relevance), evidence (confidence).",
        "Gave every one of 12 records of 2 runs the same points: freshness (timeliness).",
        "Modifiers that never applied: brigading, misinfo risk.",
    )


def test_gates_that_never_bind_are_named_where_the_profile_has_anything_for_them(store: StateStore) -> None:
    found = lived(store, mail(3, 1, excluded=True))
    gates = {row["gate"]: (row["n_passed"], row["is_used"]) for row in found.gates.to_dicts()}
    # The desk has neither constraints nor exclusions, so that gate is not used and the other cannot be.
    assert (gates["constraint"], gates["not_excluded"]) == ((4, False), (1, False))
    assert (gates["own_name_floor"], gates["always_cover"]) == ((1, True), (0, True))
    assert "Gates that nothing passed: always cover, trigger watch." in found.idle()
    assert found.gates["n_records"].unique().to_list() == [4]


def test_a_bar_that_no_story_came_to_is_told_with_the_best_there_was(store: StateStore) -> None:
    found = lived(store, mail(3, 0))
    assert found.idle()[0] == "No story came to must cover (75) by its score: the best had 19."


def test_what_may_have_moved_by_our_own_hand_is_told(store: StateStore) -> None:
    other = BrandProfile.from_dict({**DESK.model_dump(by_alias=True), "thresholds": {"must_cover": 80}})
    with store.transaction():
        run_day(store, 1, mail(2), versions={"code": "old"})
        run_day(store, 2, mail(2), versions={"code": "new"})
        run_day(store, 3, mail(2), profile=other, versions={"code": "new"})
    assert drift(store, "desk").notes == (
        f"The profile is not that of {on(2)} and before: what moved may be our own doing.",
        f"The code is not that of {on(1)} and before.",
    )
    assert drift(store, "desk", run="desk.daily.2026-03-02.1").notes == ()


def test_an_empty_day_and_empty_days_before_are_no_numbers(store: StateStore) -> None:
    found = lived(store, {}, *[mail(20)] * 4, {})
    assert found.movements() == ("No stories in this run, so nothing to compare.",)
    assert drift(store, "desk", run="desk.daily.2026-03-06.1", min_runs=4).moved.is_empty()
    alone = drift(store, "desk", run="desk.daily.2026-03-02.1")
    assert (alone.n_records, alone.idle(), alone.best) == (0, (), 0)


def test_a_run_that_is_not_there_or_another_profiles_is_refused(store: StateStore) -> None:
    with pytest.raises(UnknownError, match="no complete daily run of profile 'desk'"):
        drift(store, "desk")
    run_day(store, 1, mail(1))
    with pytest.raises(UnknownError, match="of profile 'other'"):
        drift(store, "other", run="desk.daily.2026-03-02.1")


def test_profile_check_tells_of_drift_where_there_are_runs_and_never_fails_where_there_are_none(
    store: StateStore, tmp_path: Path
) -> None:
    file = tmp_path / "desk.toml"
    tiers = "\n".join(f'"{name}.example" = "A"' for name in "abcd")
    file.write_text(
        f'id = "desk"\nown = ["Nordlys"]\npillars = ["labour", "prices"]\n[sources.tiers]\n{tiers}\n'
    )
    lived(store, *[mail(5)] * 6)

    def checked(path: Path, *more: str) -> Any:
        return CliRunner().invoke(command, ["check", str(file), "--store", str(path), *more])

    found = checked(store.path)
    assert (found.exit_code, "The scores are spread as in the 5 runs before." in found.output) == (0, True)
    assert '"run_id": "desk.daily.2026-03-07.1"' in checked(store.path, "--json").output
    junk = tmp_path / "junk"
    junk.write_bytes(b"no store")
    for path, note in ((tmp_path / "none", "nothing to say of drift"), (junk, "no word on drift")):
        none = checked(path)
        assert (none.exit_code, note in none.output, "must_cover = 75" in none.output) == (0, True, True)
