from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from brandkit import schemas
from brandkit.cli.calibrating import calibrate as command
from brandkit.errors import UnknownError, UsageError
from brandkit.profile import BrandProfile
from brandkit.record.calibrate import Calibration, calibrate, of_span
from brandkit.record.changed import changed
from brandkit.record.suggest import MIN_VERDICTS, parts_of
from brandkit.record.what_if import what_if
from brandkit.store.state import StateStore
from tests.frames import AS_OF, BEAT, DESK
from tests.unit.record.decided import crowd, editor, keep, run, spanned, tied

# The editor's bars, and a weight that is left alone in the searches that are not about weights.
TRUE = changed(DESK, {"must_cover": 62, "optional": 50, "watch": 38})
SHIFTED = changed(DESK, {"must_cover": 70, "optional": 58, "watch": 46})
ONE_WEIGHT = ["confidence.evidence"]
TRIED = ["impact.breadth", "timeliness.freshness"]


def calibrated(profile: BrandProfile, *, n: int = 400, noise: float = 0.04, **asked: Any) -> Calibration:
    """A day of stories decided by a profile, held against an editor with bars of their own."""
    stories = spanned(crowd(n, seed=2), profile=profile)
    return of_span(stories, editor(stories, TRUE, seed=9, noise=noise), **{"weights": ONE_WEIGHT, **asked})


@pytest.fixture(scope="module")
def found() -> Calibration:
    return calibrated(SHIFTED)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> StateStore:
    """The same in a store, with fewer stories and an editor who never slips."""
    store = StateStore(tmp_path_factory.mktemp("desk") / "s.duckdb")
    rows = crowd(120, seed=2)
    run(store, rows, profile=SHIFTED)
    keep(store, editor(spanned(rows), TRUE, seed=9, noise=0.0))
    return store


def test_a_planted_shift_of_the_thresholds_is_brought_back(found: Calibration) -> None:
    assert found.conclusion == "move"
    for name in ("must_cover", "optional", "watch"):
        row = found.thresholds.frame.row(by_predicate=pl.col("name") == f"thresholds.{name}", named=True)
        true = getattr(TRUE.thresholds, name)
        assert row["present"] == true + 8
        assert abs(row["suggested"] - true) <= 1
        assert row["low"] <= row["suggested"] <= row["high"] < row["present"]
        assert row["advice"] == "move"
    again = found.suggested.thresholds
    assert (again.must_cover, again.optional, again.watch) == tuple(
        found.changes[f"thresholds.{name}"] for name in ("must_cover", "optional", "watch")
    )


@pytest.mark.parametrize(("weight", "wrong"), [("impact.breadth", 1), ("timeliness.freshness", 6)])
def test_a_planted_shift_of_one_weight_is_named_and_brought_back(weight: str, wrong: int) -> None:
    found = calibrated(changed(TRUE, {weight: wrong}), n=300, weights=TRIED)
    true = {"impact.breadth": 10, "timeliness.freshness": 15}[weight]
    assert list(found.changes) == [f"weights.{weight}"]
    assert abs(found.changes[f"weights.{weight}"] - true) <= 2
    top = found.weights.frame.row(0, named=True)
    assert top["low"] <= found.changes[f"weights.{weight}"] <= top["high"]
    assert top["wins"] > 0.5
    # New thresholds would make up for much of it, and are told of; but not both at once.
    assert found.thresholds.changes == {} or "not both at once" in found.notes[0]


def test_every_part_of_the_score_is_tried_unless_some_are_named() -> None:
    assert parts_of(DESK) == sorted(set(parts_of(DESK)), key=parts_of(DESK).index)
    assert len(parts_of(DESK)) == sum(len(parts) for parts in schemas.PARTS.values()) - 6
    assert set(parts_of(BEAT)) ^ set(parts_of(DESK)) == {
        "weights.relevance.pillars", "weights.relevance.beat_pillars",
    }  # fmt: skip


def test_where_the_editor_decides_as_the_profile_nothing_is_moved(tmp_path: Path) -> None:
    found = calibrated(TRUE)
    assert (found.conclusion, found.changes, found.suggested.hash) == ("keep", {}, TRUE.hash)
    assert set(found.thresholds.frame["advice"]) == {"keep"}
    assert found.workload["n_in"].sum() == 0
    with pytest.raises(UsageError, match="nothing to write: keep"):
        found.write(tmp_path / "new.toml")


def test_few_verdicts_are_inconclusive() -> None:
    found = calibrated(SHIFTED, n=MIN_VERDICTS - 1)
    assert (found.conclusion, found.changes, found.n_verdicts) == ("inconclusive", {}, MIN_VERDICTS - 1)
    assert found.sentences() == ["inconclusive: 29 verdicts, and it takes 30 to say anything"]
    found = of_span(spanned(crowd(5, seed=1)), schemas.empty(schemas.VERDICT))
    assert (found.agreement, found.rank_correlation, found.bands.height) == (None, None, 0)


def test_a_threshold_nobody_spoke_about_is_inconclusive_and_stays() -> None:
    stories = spanned(crowd(120, seed=4), profile=SHIFTED)
    said = stories.leads.filter(pl.col("stored_total") < 40).select(
        "story_id", given_at="as_of", decision=pl.lit("drop", schemas.DECISION)
    )
    found = of_span(stories, said, weights=ONE_WEIGHT)
    assert found.n_verdicts >= MIN_VERDICTS
    assert (found.conclusion, found.changes) == ("inconclusive", {})
    assert "do not say" in found.sentences()[0]


def test_the_same_verdicts_and_seed_give_the_same_answer(found: Calibration) -> None:
    again = calibrated(SHIFTED)
    assert again.thresholds.frame.equals(found.thresholds.frame)
    assert again.weights.frame.equals(found.weights.frame)


def test_the_expected_work_is_what_if_under_the_suggestion(desk: StateStore) -> None:
    found = calibrate(None, desk, profile_id="desk", weights=ONE_WEIGHT)
    expected = what_if(None, desk, profile_id="desk", profile=found.suggested)
    assert found.changes
    assert found.workload.equals(expected.workload)
    assert found.per_day().equals(expected.per_day())


def test_bands_count_every_verdict_once_and_say_which_way_it_was_off(found: Calibration) -> None:
    bands = found.bands
    assert bands["n_verdicts"].sum() == found.n_verdicts == 400
    alike = (bands["n_verdicts"] * bands["agreement"]).round(0)
    assert (alike + bands["n_over"] + bands["n_under"] == bands["n_verdicts"]).all()
    # The bars stand too high, so in the bands between the editor's and ours decisions are too low.
    assert bands["n_under"].sum() > 10 * bands["n_over"].sum() / 2
    assert found.agreement == round(float(alike.sum()) / 400, 4)


def test_what_is_furthest_from_its_verdict_comes_first_and_a_block_says_nothing_of_points() -> None:
    strong = {"velocity_h": 30.0, "age_h": 0.0, "evidence": ["x"], "views": 10**7}
    rows = [tied(19, story_id="high", **strong), tied(0, story_id="low"), tied(19, story_id="bad", **strong)]
    stories = spanned(rows)
    totals = dict(stories.leads.select("story_id", "stored_total").rows())
    said = pl.DataFrame(
        {"story_id": ["high", "low", "bad"], "decision": ["drop", "must_cover", "block"], "given_at": AS_OF},
        schema_overrides={"decision": schemas.DECISION, "given_at": schemas.INSTANT},
    )
    found = of_span(stories, said)
    assert found.over_scored().select("story_id", "points_off").rows() == [("high", totals["high"] - 44)]
    assert found.under_scored().select("story_id", "points_off").rows() == [("low", totals["low"] - 75)]
    assert found.pairs.filter(story_id="bad")["points_off"].to_list() == [None]
    assert found.rank_correlation == -1.0
    assert found.pairs["rungs_off"].to_list()[0] == -4


def test_the_suggested_profile_is_a_new_file_beside_the_old(found: Calibration, tmp_path: Path) -> None:
    source = tmp_path / "desk.toml"
    names = 'own = ["Nordlys", "Aurora"]\nrivals = ["Velmora"]\n'
    bars = "[thresholds]\nmust_cover = 70  # the bar\noptional = 58\nwatch = 46\n"
    source.write_text(f'id = "desk"\n{names}{bars}')
    new = found.write(tmp_path / "new.toml", source=source)
    assert f"must_cover = {found.changes['thresholds.must_cover']}  # the bar" in new.read_text()
    assert "# calibrated on 400 verdicts" in new.read_text()
    assert source.read_text() == f'id = "desk"\n{names}{bars}'
    with pytest.raises(UsageError, match="is there already"):
        found.write(new, source=source)
    whole = found.write(tmp_path / "whole.toml")
    assert BrandProfile.from_toml(whole).hash == found.suggested.hash


def test_a_file_that_was_not_what_was_calibrated_is_refused(found: Calibration, tmp_path: Path) -> None:
    source = tmp_path / "desk.toml"
    source.write_text('id = "desk"\nown = ["Nordlys"]\n')
    with pytest.raises(UsageError, match="not what was calibrated: .*thresholds.watch = 45, not 46"):
        found.write(tmp_path / "new.toml", source=source)
    source.write_text('id = "other"\nown = ["Nordlys"]\n')
    with pytest.raises(UsageError, match="the profile is 'other'.*\n.*calibrated was 'desk'"):
        found.write(tmp_path / "new.toml", source=source)


@pytest.mark.parametrize("name", ["must_cover", "impact.total", "relevance.beat_pillars"])
def test_only_the_weight_of_a_part_can_be_tried(name: str) -> None:
    with pytest.raises(UnknownError, match="unknown weight of a part"):
        calibrated(SHIFTED, n=40, weights=[name])


# The command


def asked(store: StateStore, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, ["--store", str(store.path), *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_suggests_and_writes_only_when_asked(
    desk: StateStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brandkit.record.suggest.parts_of", lambda _: ["weights.confidence.evidence"])
    new = tmp_path / "new.toml"
    code, out, _ = asked(desk, "--profile", "desk", "--write", str(new))
    assert (code, f"wrote {new}" in out.replace("\n", "")) == (0, True)
    assert abs(BrandProfile.from_toml(new).thresholds.optional - 50) <= 2
    assert "most under-scored" in out
    code, out, err = asked(desk, "--profile", "desk", "--write", str(new), "--json")
    told: Any = json.loads(out)
    assert (code, told["conclusion"], told["written"]) == (2, "move", None)
    assert "is there already" in err


def test_the_command_says_inconclusive_and_leaves_in_peace(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "s.duckdb")
    run(store, crowd(5, seed=1))
    code, out, _ = asked(store)
    assert (code, "inconclusive: 0 verdicts" in out) == (0, True)
    code, _, err = asked(store, "--write", str(tmp_path / "new.toml"))
    assert (code, "nothing to write" in err) == (2, True)
    assert not (tmp_path / "new.toml").exists()
