from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from brandkit.cli.spans import settings, values
from brandkit.cli.what_if import what_if as command
from brandkit.errors import ProfileError, UnknownError, UsageError
from brandkit.record.changed import changed
from brandkit.record.slots import LETS_IN, Slots, threshold_for
from brandkit.record.span import DOWNWARD
from brandkit.record.sweep import Curve, sweep
from brandkit.record.what_if import what_if
from brandkit.store.state import StateStore
from tests.frames import AS_OF, DESK
from tests.unit.record.decided import crowd, run, tied, verdict

TO = {"profile_id": "desk"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> StateStore:
    """Three days of stories, with a verdict on every fifth."""
    store = StateStore(tmp_path_factory.mktemp("desk") / "desk.duckdb")
    for day in range(3):
        run(store, crowd(80, seed=5, day=day), day=day)
    with store.transaction():
        for k in range(0, 80, 5):
            verdict(store, f"s_5_{k}", DOWNWARD[k % 5], at=AS_OF)
            verdict(store, f"s_5_{k}", DOWNWARD[k % 3])
    return store


def summed(workload: pl.DataFrame) -> dict[str, int]:
    return dict(workload.group_by("decision").agg(pl.col("n_to").sum()).rows())


@pytest.fixture(scope="module")
def curves(desk: StateStore) -> dict[str, Curve]:
    return {name: sweep(None, desk, over=name, **TO) for name in LETS_IN}


def work(curve: Curve, value: float) -> dict[str, int]:
    return curve.frame.filter(value=value).select(DOWNWARD).row(0, named=True)


@pytest.mark.parametrize("name", list(LETS_IN))
def test_the_curve_at_the_present_value_is_the_present_work(
    desk: StateStore, curves: dict[str, Curve], name: str
) -> None:
    curve = curves[name]
    present = what_if(None, desk, **TO).workload
    assert curve.present == getattr(DESK.thresholds, name)
    assert work(curve, curve.present) == summed(present)
    days = curve.by_day.filter(value=curve.present).drop("value", "run_on")
    assert days.unpivot(index="run_id", variable_name="decision").sort("run_id", "decision").rows() == (
        present.select("run_id", pl.col("decision").cast(pl.String), "n_to").sort("run_id", "decision").rows()
    )


@pytest.mark.parametrize("name", list(LETS_IN))
def test_a_higher_threshold_never_lets_more_in(curves: dict[str, Curve], name: str) -> None:
    let_in = curves[name].by_day.with_columns(n=pl.sum_horizontal(LETS_IN[name])).sort("run_id", "value")
    steps = let_in.select(pl.col("n").diff().over("run_id")).to_series().drop_nulls()
    assert (steps <= 0).all()
    assert (steps < 0).any()


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("must_cover", [61, 66, 90]),
        ("optional", [46, 60, 74]),
        ("watch", [0, 30, 59]),
        ("confidence", [4, 6, 9]),
        ("verified", [0, 5]),
        ("tied", [0, 9, 25]),
        ("watch_virality", [0, 8, 20]),
        ("impact.breadth", [0, 10, 25]),
        ("parameters.momentum_half", [0.5, 4]),
    ],
)
def test_every_point_of_a_curve_is_what_if_at_that_value(
    desk: StateStore, name: str, at: list[float]
) -> None:
    """The short way over margins gives what scoring each story anew gives."""
    curve = sweep(None, desk, over=name, values=at, **TO)
    for value in at:
        found = what_if(None, desk, alter=lambda p, v=value: changed(p, {name: v}), **TO)
        assert work(curve, value) == dict(
            found.workload.group_by("decision").agg(pl.col("n_to").sum()).rows()
        )
        after = found.quality.filter(when="after").select("precision", "recall").row(0)
        of_must = curve.frame.filter(value=value).select("precision_must_cover", "recall_must_cover")
        assert of_must.row(0) == after
    assert set(curve.frame["n_verdicts"]) == {16}


def test_values_that_cannot_stand_are_left_out_and_told(desk: StateStore, curves: dict[str, Curve]) -> None:
    curve = sweep(None, desk, over="must_cover", values=[75, 60, 55, 200, 75], **TO)
    assert curve.frame["value"].to_list() == [75]
    assert curve.notes == ("left out, for they cannot stand beside the other settings: 55, 60, 200",)
    whole = curves["must_cover"]
    assert (whole.frame["value"].min(), whole.frame["value"].max(), whole.notes) == (61, 100, ())
    assert repr(whole) == "Curve(thresholds.must_cover from 61 to 100, 3 days)"


def test_a_sweep_that_cannot_be_is_refused(desk: StateStore) -> None:
    with pytest.raises(ProfileError, match="optional must be below must_cover"):
        sweep(None, desk, over="must_cover", values=[10, 20], **TO)
    with pytest.raises(UsageError, match="is no number"):
        sweep(None, desk, over="own_name_floor", **TO)
    with pytest.raises(UsageError, match="no values given for weights.impact.breadth"):
        sweep(None, desk, over="impact.breadth", **TO)
    with pytest.raises(UnknownError, match="unknown setting"):
        sweep(None, desk, over="must_covr", **TO)


def test_what_else_is_changed_is_changed_along_the_whole_curve(desk: StateStore) -> None:
    lower = {"optional": 40, "watch": 30}
    curve = sweep(None, desk, over="must_cover", values=[60, 75], alter=lambda p: changed(p, lower), **TO)
    assert curve.frame["value"].to_list() == [60, 75]
    found = what_if(None, desk, thresholds=lower, **TO)
    assert work(curve, 75) == summed(found.workload)


# Slots


@pytest.mark.parametrize(
    ("decision", "slots"), [("must_cover", 3), ("optional", 9), ("watch", 40), ("watch", 0)]
)
def test_the_threshold_for_slots_is_the_lowest_that_leaves_no_more(
    desk: StateStore, decision: str, slots: int
) -> None:
    found = threshold_for(None, desk, slots=slots, decision=decision, **TO)
    days = found.curve.by_day.select("value", "run_id", n=pl.sum_horizontal(LETS_IN[decision]))
    for answer, of_days in ((found.each_day, pl.col("n").max()), (found.on_average, pl.col("n").mean())):
        fits = days.group_by("value").agg(n=of_days).filter(pl.col("n") <= slots)["value"]
        assert answer == fits.min()
    for run_id, own in found.by_day.select("run_id", "threshold").rows():
        assert own == days.filter(pl.col("n") <= slots, run_id=run_id)["value"].min()


def totals(tmp_path: Path, *outlets: int, **more: Any) -> tuple[StateStore, str, list[int]]:
    """A day of stories that differ in their outlets alone, and their totals."""
    store = StateStore(tmp_path / "s.duckdb")
    strong = {"velocity_h": 30.0, "age_h": 0.0, "last_new_publisher_at": AS_OF, "engagement_ratio": 20.0,
              "evidence": ["https://a.example/e"], "views": 10**7, **more}  # fmt: skip
    run_id = run(store, [tied(n, story_id=f"s{k}", **strong) for k, n in enumerate(outlets)])
    return store, run_id, store.records(run_id).sort("story_id")["total"].to_list()


def test_stories_that_tie_come_in_together_and_are_named(tmp_path: Path) -> None:
    store, run_id, points = totals(tmp_path, 19, 3, 3, 3)
    top, tie = points[0], points[1]
    assert points == [top, tie, tie, tie]
    assert top > tie > DESK.thresholds.optional
    found = threshold_for(run_id, store, slots=2)
    # Two slots, and one or four stories: the second slot stays free.
    assert found.each_day == found.on_average == tie + 1
    assert found.by_day.select("n", "n_one_lower").rows() == [(1, 4)]
    assert found.tied["story_id"].to_list() == ["s1", "s2", "s3"]
    assert found.tied["total"].unique().to_list() == [tie]
    assert f"must cover = {tie + 1} leaves 1.0 a day, 1 on the fullest; {tie} would leave 4.0" in str(found)


def test_no_threshold_keeps_out_what_is_always_covered(tmp_path: Path) -> None:
    store, run_id, _ = totals(tmp_path, 5, 5, triggers=["recall"], triggers_in_title=["recall"])
    found = threshold_for(run_id, store, slots=1)
    assert (found.each_day, found.on_average, found.by_day["threshold"].item()) == (None, None, None)
    assert found.tied.is_empty()
    assert found.sentences()[0] == (
        "each day: no threshold of must cover leaves 1: at 100 there are still 2.0 a day, 2 on the fullest"
    )


def test_the_lowest_threshold_that_can_stand_may_leave_slots_free(tmp_path: Path) -> None:
    store, run_id, _ = totals(tmp_path, 19)
    found = threshold_for(run_id, store, slots=5)
    assert found.each_day == DESK.thresholds.optional + 1
    assert "61 is the lowest that can stand beside the others" in found.sentences()[-1]


def test_slots_that_cannot_be_are_refused(desk: StateStore) -> None:
    with pytest.raises(UsageError, match="cannot take -1"):
        threshold_for(None, desk, slots=-1, **TO)
    with pytest.raises(UnknownError, match="did you mean 'must_cover'"):
        threshold_for(None, desk, slots=1, decision="must_covr", **TO)


def test_a_day_without_stories_is_a_day_of_no_work(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "s.duckdb")
    run_id = run(store, [])
    found: Slots = threshold_for(run_id, store, slots=0)
    assert (found.each_day, found.by_day["n"].to_list()) == (61, [0])
    assert what_if(run_id, store, thresholds={"must_cover": 70}).n_stories == 0


# The command


def told(desk: StateStore, *arguments: str) -> Any:
    out = CliRunner().invoke(command, ["--store", str(desk.path), *arguments, "--json"])
    assert out.exit_code == 0, out.output
    return json.loads(out.stdout)


def test_the_command_answers_with_a_curve_or_with_thresholds(desk: StateStore) -> None:
    found = told(desk, "--sweep", "optional", "--values", "50:60:5")
    assert [point["value"] for point in found["curve"]] == [50, 55, 60]
    assert (found["name"], found["present"], found["n_days"]) == ("thresholds.optional", 60, 3)
    slots = told(desk, "--sweep", "optional", "--slots", "9")
    assert slots["each_day"] == threshold_for(None, desk, slots=9, decision="optional", **TO).each_day
    shown = {
        "9 slots a day for must cover": ["--slots", "9"],
        "stories a day, over 3 days": ["--sweep", "tied", "--values", "0:9"],
        "against 16 verdicts": ["--set", "must_cover=62"],
    }
    for text, arguments in shown.items():
        result = CliRunner().invoke(command, ["--store", str(desk.path), *arguments])
        assert (result.exit_code, text in result.output) == (0, True)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("60:62", [60, 61, 62]),
        ("60:70:4", [60, 64, 68]),
        ("0.4:0.6:0.1", [0.4, 0.5, 0.6]),
        ("75", [75]),
        ("1,2.5", [1, 2.5]),
    ],
)
def test_values_are_read_as_ranges_with_both_ends_or_as_lists(text: str, meant: list[float]) -> None:
    assert values(text) == meant


@pytest.mark.parametrize("text", ["", "a", "9:1", "1:9:0", "1:9:-1", "0:1e9", "1:2:3:4", "nan:3", "1:inf"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no range of numbers"):
        values(text)


def test_settings_on_the_line_are_numbers_or_words() -> None:
    assert settings(["a=1", "b = 0.5", "c=off", 'd="x=y"']) == {"a": 1, "b": 0.5, "c": "off", "d": "x=y"}
