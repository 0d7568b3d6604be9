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
        "run_date": "2026-03-04", "profile": f"{here}/p.toml", "inputs": [f"{here}/a.csv"],
        "store": f"{here}/s", "as_of": "2026-03-04T07:00:00+01:00", "shadow": False,
    }  # fmt: skip
    assert parameters.checked("daily", chosen.for_notebook()).for_notebook() == chosen.for_notebook()


def test_a_notebook_hands_over_its_variables_and_a_misspelt_one_is_refused() -> None:
    cell = "# Parameters\nrun_date = '2026-03-04'\nPAPERMILL_OUTPUT_PATH = 'o'\n"
    space: dict[str, object] = {"run_date": "2026-03-04", "shadow": "true", "x": 1, "In": ["", cell]}
    assert parameters.from_cell(parameters.DailyParameters, space).shadow
    space["In"] = ["", f"{cell}profil = 'p.toml'\n"]
    with pytest.raises(UsageError, match="did you mean 'profile'"):
        parameters.from_cell(parameters.DailyParameters, {**space, "profil": "p.toml"})
