from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from brandkit.errors import UsageError
from brandkit.report import parameters

GOOD = {"run_date": "2026-03-04"}


def test_empty_means_not_given() -> None:
    chosen = parameters.checked("daily", {**GOOD, "profile": "", "inputs": "", "store": None, "as_of": ""})
    assert chosen == parameters.DailyParameters(run_date=date(2026, 3, 4))


@pytest.mark.parametrize(("said", "meant"), [("true", True), ("False", False), (True, True), (False, False)])
def test_the_text_true_is_true_and_the_text_false_is_not(said: object, *, meant: bool) -> None:
    assert parameters.checked_as(parameters.DailyParameters, {**GOOD, "shadow": said}).shadow is meant


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "parameter run_date is missing"),
        ({"run_date": None}, "parameter run_date is missing"),
        ({"run_date": "2026-13-01"}, "parameter run_date '2026-13-01' is not a day"),
        ({"run_date": 20260304}, "parameter run_date 20260304 is not a day"),
        ({"run_date": True}, "parameter run_date True is not a day"),
        ({"run_date": datetime(2026, 3, 4, tzinfo=UTC)}, "is not a day"),
        ({**GOOD, "shadow": "maybe"}, "parameter shadow 'maybe' is neither true nor false"),
        ({**GOOD, "shadow": 1}, "parameter shadow 1 is neither true nor false"),
        ({**GOOD, "as_of": "07:00"}, "parameter as_of '07:00' is not an instant"),
        ({**GOOD, "as_of": "2026-03-04T07:00:00"}, "has no time zone"),
        ({**GOOD, "as_of": 7}, "is not an instant"),
        ({**GOOD, "profile": 3}, "parameter profile 3 is not a path"),
        ({**GOOD, "inputs": {"a": 1}}, "is neither a path nor a list of paths"),
        ({**GOOD, "inputs": [1]}, "is neither a path nor a list of paths"),
        ({**GOOD, "store": "x" * 500, "run_dat": "\x1b[2J"}, "unknown parameter 'run_dat'"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_one_message(
    given: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        parameters.checked("daily", given)
    assert message in str(caught.value).splitlines()[0]
    assert "\x1b" not in str(caught.value)


def test_an_unknown_parameter_is_told_the_near_name() -> None:
    with pytest.raises(UsageError, match="did you mean 'run_date'"):
        parameters.checked("daily", {**GOOD, "rundate": "2026-03-04"})
    with pytest.raises(UsageError, match="did you mean 'daily'"):
        parameters.checked("dialy", GOOD)


def test_for_the_notebook_all_values_are_plain_and_paths_absolute() -> None:
    chosen = parameters.checked(
        "daily",
        {
            **GOOD,
            "inputs": ["a.csv"],
            "profile": Path("p.toml"),
            "store": "s",
            "as_of": "2026-03-04T07:00:00+01:00",
        },
    )
    here = str(Path.cwd())
    assert chosen.for_notebook() == {
        "run_date": "2026-03-04", "run_id": "", "profile": f"{here}/p.toml", "inputs": [f"{here}/a.csv"],
        "store": f"{here}/s", "as_of": "2026-03-04T07:00:00+01:00", "shadow": False,
        "edition": "full",
    }  # fmt: skip
    assert parameters.checked("daily", chosen.for_notebook()).for_notebook() == chosen.for_notebook()


def test_a_notebook_hands_over_its_variables_and_a_misspelt_one_is_refused() -> None:
    cell = "# Parameters\nrun_date = '2026-03-04'\nPAPERMILL_OUTPUT_PATH = 'o'\n"
    space: dict[str, object] = {"run_date": "2026-03-04", "shadow": "true", "x": 1, "In": ["", cell]}
    assert parameters.from_cell(parameters.DailyParameters, space).shadow
    space["In"] = ["", f"{cell}profil = 'p.toml'\n"]
    with pytest.raises(UsageError, match="did you mean 'profile'"):
        parameters.from_cell(parameters.DailyParameters, {**space, "profil": "p.toml"})


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("weekly", {}, "parameter run_date is missing"),
        ("weekly", {**GOOD, "days": 0}, "parameter days 0 is not a whole number from 1 to 35"),
        ("weekly", {**GOOD, "days": "seven"}, "parameter days 'seven' is not a whole number"),
        ("weekly", {**GOOD, "days": True}, "parameter days True is not a whole number"),
        ("weekly", {**GOOD, "shadow": True}, "unknown parameter 'shadow'"),
        ("tune", {"first": "monday"}, "parameter first 'monday' is not a day"),
        ("tune", {"slots": -1}, "parameter slots -1 is not a whole number from 0"),
        ("tune", {"settings": 7}, "parameter settings 7 is no list of names"),
    ],
)
def test_a_value_that_a_weekly_or_tuning_report_cannot_use_is_refused(
    name: str, given: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        parameters.checked(name, given)


def test_numbers_and_names_may_come_as_text_and_nothing_given_means_the_latest() -> None:
    week = parameters.checked_as(parameters.WeeklyParameters, {**GOOD, "days": "14"})
    assert week.days == 14
    given = {"settings": "must_cover, optional,must_cover", "slots": "5", "run_date": ""}
    tune = parameters.checked_as(parameters.TuneParameters, given)
    assert (tune.settings, tune.slots, tune.run_date, tune.on) == (("must_cover", "optional"), 5, None, None)
    assert parameters.checked("tune", tune.for_notebook()) == tune
    assert parameters.checked("tune", {}) == parameters.TuneParameters()
