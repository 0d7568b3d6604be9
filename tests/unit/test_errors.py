from __future__ import annotations

import pickle

import pytest

from brandkit import errors
from brandkit.errors import BrandkitError, near_name, unknown


def every_kind(root: type[BrandkitError] = BrandkitError) -> list[type[BrandkitError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in every_kind(child))]


def test_the_first_line_says_what_and_where_and_the_rest_what_to_do() -> None:
    error = BrandkitError("what", where="in here", allowed="known: a, b", hint="did you mean 'a'?")
    assert str(error) == "what, in here\n  known: a, b\n  did you mean 'a'?"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "what"),
        ({"where": "in here"}, "what, in here"),
        ({"allowed": "known: a"}, "what\n  known: a"),
        ({"hint": "do this"}, "what\n  do this"),
    ],
)
def test_what_is_not_known_leaves_no_gap(given: dict[str, str], text: str) -> None:
    assert str(BrandkitError("what", **given)) == text


@pytest.mark.parametrize("kind", every_kind(), ids=lambda kind: kind.__name__)
def test_an_error_crosses_processes_whole(kind: type[BrandkitError]) -> None:
    error = kind("what", where="in here", allowed="known: a", hint="do this")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (str(again), again.what, again.where, again.allowed, again.hint) == (
        str(error), "what", "in here", "known: a", "do this",
    )  # fmt: skip


EXIT_CODES = {
    "BrandkitError": 1, "UsageError": 2, "ProfileError": 2, "SettingsError": 2, "MappingError": 2,
    "InputError": 2, "UnknownError": 2, "NothingToReport": 2, "ReplayRefused": 2,
    "ContractError": 1, "StageError": 1,
    "StoreError": 1, "StoreCorruptError": 1, "StoreNewerError": 1, "StoreReadOnlyError": 1,
    "StoreBusyError": 75, "RunBusyError": 75, "NetworkError": 75, "DeliveryError": 75, "ReportError": 1,
    "CheckFailed": 3,
}  # fmt: skip


def test_every_branch_has_one_exit_code() -> None:
    ours = {kind.__name__: kind.exit_code for kind in every_kind() if kind.__module__ == errors.__name__}
    assert ours == EXIT_CODES


@pytest.mark.parametrize("name", EXIT_CODES)
def test_the_tree_in_the_docstring_is_the_tree(name: str) -> None:
    assert errors.__doc__ is not None
    assert name in errors.__doc__


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("labor", ["labour", "privacy"], "did you mean 'labour'?"),
        ("zzz", ["labour", "privacy"], ""),
        ("labor", [], ""),
    ],
)
def test_a_near_name_is_suggested(name: str, known: list[str], hint: str) -> None:
    assert near_name(name, known) == hint


def test_an_unknown_name_lists_what_is_known() -> None:
    error = unknown("pillar", "labor", ["privacy", "labour"], where="in desk.toml")
    assert (
        str(error)
        == "unknown pillar 'labor', in desk.toml\n  known: labour, privacy\n  did you mean 'labour'?"
    )
    assert str(unknown("run", "x", [])) == "unknown run 'x'\n  known: none"


def test_a_long_list_is_cut_and_says_how_much() -> None:
    error = unknown("run", "r", [f"run{n:02}" for n in range(15)])
    assert error.allowed.endswith("run11 and 3 more")
