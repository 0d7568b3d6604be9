from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit import schemas
from brandkit.cli.what_if import what_if as command
from brandkit.errors import BrandkitError, ProfileError, UnknownError, UsageError
from brandkit.profile import BrandProfile
from brandkit.record.changed import altered, changed, differences, full_name, settings_of
from brandkit.record.verdict_scores import quality, rank_correlation, spoken
from brandkit.record.what_if import WhatIf, of_span, what_if
from brandkit.store.state import StateStore
from tests.frames import AS_OF, BEAT, DESK, context, judged, signals
from tests.unit.record.decided import DAY, FIRST, crowd, run, spanned, tied, verdict

MOVE: Mapping[str, Any] = {
    "thresholds": {"must_cover": 62, "optional": 50},
    "weights": {"impact.breadth": 14},
}
NOBODY = schemas.empty(schemas.VERDICT)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> StateStore:
    """Two days of a hundred stories each, the second under another bar."""
    store = StateStore(tmp_path_factory.mktemp("desk") / "desk.duckdb")
    run(store, crowd(100, seed=1))
    run(store, crowd(100, seed=1, day=1), profile=changed(DESK, {"must_cover": 70}), day=1)
    return store


def over_both(desk: StateStore, **asked: Any) -> WhatIf:
    return what_if(None, desk, profile_id="desk", **asked)


profiles = st.builds(
    lambda watch, more, most, **rest: changed(
        DESK, {"watch": watch, "optional": watch + more, "must_cover": watch + more + most, **rest}
    ),
    watch=st.integers(0, 60),
    more=st.integers(1, 20),
    most=st.integers(1, 20),
    tied=st.integers(0, 12),
    own_name_floor=st.sampled_from(["optional", "watch", "off"]),
)


@given(profiles, st.integers(0, 99))
@settings(max_examples=8)
def test_what_if_at_the_present_profile_moves_nothing(profile: BrandProfile, seed: int) -> None:
    stories = spanned(crowd(25, seed=seed), profile=profile)
    for same in ({}, {"thresholds": profile.thresholds.model_dump()}):
        found = of_span(stories, {profile.hash: altered(**same)(profile)}, verdicts=NOBODY)
        assert found.moved.is_empty()
        assert found.changes.is_empty()
        assert found.workload["n_from"].equals(found.workload["n_to"].rename("n_from"))
        assert found.sentence() == "none of 25 stories in 1 day would move"


def test_the_books_balance_on_every_day_and_for_every_decision(desk: StateStore) -> None:
    found = over_both(desk, **MOVE)
    assert found.moved.height > 10
    sums = found.workload.select(pl.col("n_from") - pl.col("n_out") + pl.col("n_in") - pl.col("n_to"))
    assert set(sums.to_series()) == {0}
    totals = found.workload.group_by("run_id").agg(pl.col("n_from", "n_to").sum())
    assert totals.select("n_from", "n_to").rows() == [(100, 100), (100, 100)]
    assert found.workload["n_in"].sum() == found.moved.height == found.workload["n_out"].sum()
    for decision in schemas.Decision:
        of_it = found.workload.filter(pl.col("decision") == decision.value)
        assert found.into(decision).height == of_it["n_in"].sum()
        assert found.out_of(decision).height == of_it["n_out"].sum()


def test_the_other_side_is_what_a_run_under_that_profile_decides(desk: StateStore) -> None:
    for day, base in enumerate((DESK, changed(DESK, {"must_cover": 70}))):
        other = altered(**MOVE)(base)
        ctx = context(other, as_of=AS_OF + day * DAY)
        fresh = judged(signals(*crowd(100, seed=1, day=day)), ctx).select("story_id", "decision", "total")
        found = what_if(f"desk.daily.{FIRST + day * DAY}.1", desk, **MOVE)
        counts = dict(fresh.group_by("decision").len().rows())
        assert {d: n for d, n in found.workload.select("decision", "n_to").rows() if n} == counts
        moved = found.moved.join(fresh, on="story_id")
        assert moved["decision_to"].equals(moved["decision"].rename("decision_to"))
        assert moved["total_to"].equals(moved["total"].rename("total_to"))


def test_a_range_is_its_runs_one_by_one_each_by_its_own_clock_and_profile(desk: StateStore) -> None:
    whole = over_both(desk, **MOVE)
    each = [what_if(run_id, desk, **MOVE) for run_id in whole.runs]
    assert whole.moved.equals(pl.concat(one.moved for one in each))
    assert whole.workload.equals(pl.concat(one.workload for one in each))
    assert whole.n_days == 2
    assert "froze 2 versions" in whole.notes[0]
    assert over_both(desk, first=FIRST + DAY, **MOVE).moved.equals(each[1].moved)


def test_nothing_is_written(desk: StateStore) -> None:
    before = hashlib.sha256(Path(desk.path).read_bytes()).hexdigest()
    over_both(desk, **MOVE)
    assert hashlib.sha256(Path(desk.path).read_bytes()).hexdigest() == before


def test_stories_count_and_not_items(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "s.duckdb")
    found = what_if(run(store, [tied(story_id="a", published_at=AS_OF), tied(story_id="a")]), store)
    assert (found.n_stories, found.workload["n_from"].sum()) == (1, 1)


def test_what_the_code_of_today_decides_otherwise_is_told_and_moves_nothing(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "s.duckdb")
    # Stored by a profile other than the one that was frozen: as if the code had changed since.
    other = changed(DESK, {"watch": 1})
    run_id = run(store, crowd(20, seed=3), profile=DESK, profile_json=other.snapshot)
    found = what_if(run_id, store)
    assert found.moved.is_empty()
    assert "decided otherwise by the code of today" in found.notes[0]


def test_a_profile_that_measures_otherwise_is_only_its_scoring_and_says_so(desk: StateStore) -> None:
    other = BrandProfile.from_dict({**json.loads(DESK.snapshot), "own": ["Sunnacre"], "sources": {}})
    note = next(n for n in over_both(desk, profile=other).notes if "also differs" in n)
    assert "differs in own: " in note
    assert "replay" in note
    assert not any("also differs" in n for n in over_both(desk, profile=changed(DESK, {"tied": 2})).notes)


# Verdicts


def test_precision_and_recall_are_of_the_stories_with_a_verdict() -> None:
    decided = pl.DataFrame(
        {
            "decision": ["must_cover", "must_cover", "optional", "watch", "must_cover"],
            "verdict": ["must_cover", "optional", "must_cover", "must_cover", None],
        },
        schema={"decision": schemas.DECISION, "verdict": schemas.DECISION},
    )
    must, promoted = quality(decided).to_dicts()
    # One of two put there belongs there; one of three that belong there was put there.
    assert (must["n_verdicts"], must["precision"], must["recall"]) == (4, 0.5, 0.3333)
    assert (promoted["precision"], promoted["recall"]) == (1.0, 0.75)
    nothing = quality(decided.clear())
    assert nothing["precision"].to_list() == [None, None]


def spoken_of(verdicts: list[tuple[str, float, float | None]], how: Any) -> list[str | None]:
    """The verdicts on one story at the end of three days, given at hours and standing for hours."""
    stories = pl.DataFrame(
        {
            "run_id": ["r0", "r1", "r2"],
            "story_id": ["s"] * 3,
            "as_of": [AS_OF + day * DAY for day in range(3)],
        },
        schema_overrides={"as_of": schemas.INSTANT},
    )
    said = pl.DataFrame(
        [
            {
                "story_id": "s",
                "decision": decision,
                "given_at": AS_OF + timedelta(hours=at),
                "expires_at": None if stands is None else AS_OF + timedelta(hours=at + stands),
            }
            for decision, at, stands in verdicts
        ],
        schema={"story_id": pl.String, "decision": schemas.DECISION, "given_at": schemas.INSTANT,
                "expires_at": schemas.INSTANT},
    )  # fmt: skip
    return stories.join(spoken(stories, said, how=how), on=["run_id", "story_id"], how="left")[
        "verdict"
    ].to_list()


def test_a_verdict_speaks_once_of_the_run_nearest_to_it() -> None:
    assert spoken_of([("drop", 9, None)], "given") == ["drop", None, None]
    assert spoken_of([("drop", 9, 1), ("optional", 33, None)], "given") == ["drop", "optional", None]
    # Half way between two runs the later; of two on one run the last.
    assert spoken_of([("watch", 12, None)], "given") == [None, "watch", None]
    assert spoken_of([("watch", 1, None), ("optional", 2, None)], "given") == ["optional", None, None]
    assert spoken_of([("watch", 900, None)], "given") == [None, None, "watch"]


def test_a_standing_verdict_speaks_of_every_run_while_it_stands() -> None:
    assert spoken_of([("drop", 9, None)], "standing") == [None, "drop", "drop"]
    assert spoken_of([("drop", 9, 20)], "standing") == [None, "drop", None]
    assert spoken_of([("drop", -5, None), ("optional", 30, 100)], "standing") == ["drop", "drop", "optional"]
    with pytest.raises(UnknownError, match="did you mean 'standing'"):
        spoken_of([], "stands")


def test_verdicts_stand_beside_the_decisions_and_change_none(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "s.duckdb")
    rows = [tied(20, story_id="high", velocity_h=30.0, age_h=0.0, last_new_publisher_at=AS_OF),
            tied(1, story_id="low")]  # fmt: skip
    run_id = run(store, rows)
    total = what_if(run_id, store, thresholds={"watch": 0}).moved
    assert total.height <= 1
    verdict(store, "high", "must_cover", at=AS_OF + timedelta(hours=2))
    verdict(store, "low", "drop", at=AS_OF + timedelta(hours=2))
    bar = int(store.records(run_id).filter(story_id="high")["total"].item())
    found = what_if(run_id, store, thresholds={"must_cover": bar, "optional": bar - 1, "watch": bar - 2})
    assert found.moved.select("story_id", "decision_to", "verdict").rows() == [
        ("high", "must_cover", "must_cover")
    ]
    must = found.quality.filter(bar="must_cover")
    assert must.select("when", "n_verdicts", "precision", "recall").rows() == [
        ("before", 2, None, 0.0),
        ("after", 2, 1.0, 1.0),
    ]
    standing = what_if(run_id, store, verdicts="standing")
    assert standing.quality["n_verdicts"].to_list() == [0, 0, 0, 0]


def test_rank_correlation_is_spearmans_with_ties_at_their_mean_rank() -> None:
    rungs = pl.Series(["drop", "watch", "watch", "must_cover"])
    assert rank_correlation(pl.Series([1, 2, 3, 4]), rungs) == 0.9487
    assert rank_correlation(pl.Series([4, 3, 2, 1]), rungs) == -0.9487
    assert rank_correlation(pl.Series([7, 7, 7, 7]), rungs) is None


# Settings


def test_settings_are_called_by_their_ends_or_in_full() -> None:
    assert (
        full_name("must_cover", DESK) == full_name("thresholds.must-cover", DESK) == "thresholds.must_cover"
    )
    assert full_name("impact.total", DESK) == "weights.impact.total"
    other = changed(DESK, {"weights": {"impact": {"total": 30}, "virality.total": 15}, "half_life_h.post": 6})
    assert differences(DESK, other)["name"].to_list() == [
        "parameters.half_life_h.post", "weights.impact.total", "weights.virality.total",
    ]  # fmt: skip
    assert settings_of(other)["parameters.half_life_h.article"] == 24.0


def test_a_changed_profile_is_the_one_a_file_would_give() -> None:
    changes = {"thresholds": {"must_cover": 80, "own_name_floor": "off"}, "impact.breadth": 7, "adopters": 2}
    document = json.loads(DESK.snapshot)
    document["thresholds"] |= changes["thresholds"]
    document["weights"]["impact"]["breadth"] = 7
    document["parameters"]["adopters"] = 2
    other = changed(DESK, changes)
    assert other.hash == BrandProfile.from_dict(document).hash != DESK.hash
    assert changed(other, {}).hash == other.hash


@pytest.mark.parametrize(
    ("changes", "kind", "told"),
    [
        ({"must_covr": 70}, UnknownError, "did you mean 'must_cover'"),
        ({"weights.impact.bredth": 7}, UnknownError, "did you mean 'weights.impact.breadth'"),
        ({"must_cover": 170}, ProfileError, "must be 100 or less"),
        ({"must_cover": 50}, ProfileError, "optional must be below must_cover"),
        ({"weights.impact.total": 30}, ProfileError, "must sum to 100"),
        ({"own_name_floor": "of"}, ProfileError, "did you mean 'off'"),
        ({"total": 20}, UsageError, "several settings\\n.*weights.impact.total, "),
        ({"sources.tiers": 3}, UsageError, "replay a run with the other profile"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(
    changes: dict[str, Any], kind: type[BrandkitError], told: str
) -> None:
    with pytest.raises(kind, match=told):
        changed(DESK, changes)


def test_runs_that_are_not_there_or_not_one_question_are_refused(desk: StateStore, tmp_path: Path) -> None:
    for asked, told in (
        ({"run": "desk.daily.2026-03-09.1"}, "unknown run"),
        ({"run": None}, "neither a run nor a profile"),
        ({"run": []}, "no run is named"),
        ({"run": None, "profile_id": "desk", "first": FIRST + 9 * DAY}, "no complete daily run"),
        ({"run": f"desk.daily.{FIRST}.1", "first": FIRST}, "two questions"),
    ):
        with pytest.raises(UsageError, match=told):
            what_if(asked.pop("run"), desk, **asked)
    store = StateStore(tmp_path / "s.duckdb")
    mixed = [run(store, crowd(2, seed=1), profile=profile) for profile in (DESK, BEAT)]
    with pytest.raises(UsageError, match="several profiles: beat, desk"):
        what_if(mixed, store)


# The command


def asked(desk: StateStore, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, [*arguments, "--store", str(desk.path)])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_tells_who_moves_and_what_a_day_would_be(desk: StateStore) -> None:
    code, out, _ = asked(desk, "--profile", "desk", "--set", "must_cover=62", "--set", "optional=50")
    assert code == 0
    assert "2 runs of 2026-03-01 to 2026-03-02" in out
    assert "thresholds.optional" in out
    code, out, _ = asked(desk, f"desk.daily.{FIRST}.1", "--set", "must_cover=62", "--json")
    told = json.loads(out)
    same = what_if(f"desk.daily.{FIRST}.1", desk, thresholds={"must_cover": 62})
    assert len(told["moved"]) == same.moved.height > 0
    assert told["changes"] == [{"name": "thresholds.must_cover", "before": "75", "after": "62"}]


def test_the_command_takes_a_whole_profile(desk: StateStore, tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text('id = "other"\nown = ["Nordlys"]\n[thresholds]\nmust_cover = 62\n')
    code, out, err = asked(desk, "--profile", "desk", "--with", str(file))
    assert (code, "thresholds.must_cover" in out) == (0, True)
    assert "also differs in own, rivals, watched, pillars, triggers" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "pass --set, --with, --sweep or --slots"),
        (["--set", "must_cover"], "such as must_cover=72"),
        (["--set", "must_covr=70"], "did you mean 'must_cover'"),
        (["--sweep", "must_cover", "--values", "60:x"], "such as 60:90"),
        (["--values", "60:70"], "--values without --sweep"),
        (["--slots", "8", "--sweep", "optional", "--values", "1:2"], "two questions"),
        (["--slots", "8", "--sweep", "tied"], "known: must_cover, optional, watch"),
        (["--sweep", "impact.breadth"], "no values given"),
        (["--first", "2026-03-02", f"desk.daily.{FIRST}.1", "--set", "tied=2"], "two questions"),
        (["--profile", "nobody", "--set", "tied=2"], "no complete run of profile 'nobody'"),
    ],
)
def test_the_command_refuses_with_what_to_do(desk: StateStore, arguments: list[str], told: str) -> None:
    code, _, err = asked(desk, *arguments)
    assert (code, told in err) == (2, True), err
