from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from brandkit import schemas
from brandkit.profile import ScoreParameters
from brandkit.scoring.modifiers import MODIFIERS, Modifier, apply_modifiers, modify
from tests.frames import context, five, signals

Five = tuple[int, int, int, int, int]
SINGLE = {"n_publishers": 1}
BRIGADED = {"coordinated_share": 0.5, "n_coordinated": 3}
RISKY = {"misinfo_risk": 0.6}
MANY = {"n_publishers": 2}

# base before; signals; scores after (impact, timeliness, virality, relevance, confidence).
REFERENCE_CASES: list[tuple[Five, dict[str, Any], Five]] = [
    ((20, 15, 12, 22, 7), MANY, (20, 15, 12, 22, 7)),
    ((20, 15, 12, 22, 4), SINGLE, (20, 15, 12 - 4, 22, 4 - 1)),  # confidence 4 <= 5: virality -4
    ((20, 15, 18, 22, 7), {**MANY, **BRIGADED}, (20, 15, 18 - 10, 22, 7)),
    ((20, 15, 12, 22, 8), {**MANY, **RISKY}, (20, 15, 12, 22, 8 - 3)),
    # single: 18 - 2, 8 - 1; brigading: 16 - 10; misinfo: 7 - 3.
    ((20, 15, 18, 22, 8), {**SINGLE, **BRIGADED, **RISKY}, (20, 15, 18 - 2 - 10, 22, 8 - 1 - 3)),
    ((20, 15, 10, 22, 8), MANY, (20, 15, 10, 22, 8)),  # 75
]
EDGE_CASES: list[tuple[Five, dict[str, Any], Five]] = [
    ((20, 15, 12, 22, 5), SINGLE, (20, 15, 12 - 4, 22, 5 - 1)),
    ((20, 15, 12, 22, 6), SINGLE, (20, 15, 12 - 2, 22, 6 - 1)),
    ((0, 0, 3, 0, 0), SINGLE, (0, 0, 0, 0, 0)),  # nothing goes under 0
    ((0, 0, 12, 0, 6), {"n_publishers": None}, (0, 0, 12 - 2, 0, 6 - 1)),  # unknown is not "several"
    ((0, 0, 12, 0, 6), {**SINGLE, "item_type": "filing", "tier": "A"}, (0, 0, 12, 0, 6)),
    ((0, 0, 12, 0, 6), {**SINGLE, "item_type": "filing", "tier": "B"}, (0, 0, 12 - 2, 0, 6 - 1)),
    # A garbled kind or tier proves no primary document.
    ((0, 0, 12, 0, 6), {**SINGLE, "item_type": None, "tier": "A"}, (0, 0, 12 - 2, 0, 6 - 1)),
    ((0, 0, 12, 0, 6), {**SINGLE, "item_type": "filing", "tier": None}, (0, 0, 12 - 2, 0, 6 - 1)),
    ((0, 0, 12, 0, 6), {**MANY, **BRIGADED, "n_coordinated": 2}, (0, 0, 12, 0, 6)),
    ((0, 0, 12, 0, 6), {**MANY, **BRIGADED, "coordinated_share": 0.4999}, (0, 0, 12, 0, 6)),
    (
        (0, 0, 12, 0, 6),
        {**MANY, **BRIGADED, "coordinated_share": 0.49997},
        (0, 0, 12 - 10, 0, 6),
    ),  # .5 in 4 decimals
    ((0, 0, 12, 0, 6), {**MANY, **BRIGADED, "coordinated_share": None}, (0, 0, 12, 0, 6)),
    ((0, 0, 12, 0, 6), {**MANY, "misinfo_risk": 0.5999}, (0, 0, 12, 0, 6)),
    # A number that is not a number accuses nobody.
    (
        (0, 0, 12, 0, 6),
        {**MANY, "misinfo_risk": float("nan"), "coordinated_share": float("nan")},
        (0, 0, 12, 0, 6),
    ),
]


def based(base: Five, row: dict[str, Any]) -> pl.LazyFrame:
    struct = dict(zip(schemas.COMPONENTS, base, strict=True))
    return signals(row).with_columns(base=pl.Series([struct], dtype=schemas.SCORES_STRUCT)).lazy()


@pytest.mark.parametrize(("base", "row", "scores"), [*REFERENCE_CASES, *EDGE_CASES])
def test_each_modifier_takes_from_what_the_one_before_left(
    base: Five, row: dict[str, Any], scores: Five
) -> None:
    after = modify(based(base, row), context()).collect().row(0, named=True)
    assert five(after["scores"]) == scores
    assert after["total"] == sum(scores)
    assert sum(m["points"] for m in after["modifiers"]) == sum(scores) - sum(base)


def test_a_modifier_that_took_nothing_still_stands_with_the_points_it_really_took() -> None:
    after = modify(based((9, 9, 1, 9, 0), {**SINGLE, **BRIGADED}), context()).collect().row(0, named=True)
    assert [(m["name"], m["component"], m["points"]) for m in after["modifiers"]] == [
        ("single_source", "confidence", 0),
        ("single_source", "virality", -1),
        ("brigading", "virality", 0),
    ]


def test_no_modifier_leaves_an_empty_list_not_a_null() -> None:
    after = modify(based((9, 9, 9, 9, 9), MANY), context()).collect()
    assert after["modifiers"].to_list() == [[]]
    assert after.schema["modifiers"] == schemas.MODIFIERS


def test_an_empty_catalogue_changes_nothing() -> None:
    after = apply_modifiers(based((1, 2, 3, 4, 5), SINGLE), [], parameters=ScoreParameters()).collect()
    assert after["modifiers"].to_list() == [[]]
    assert after.schema["modifiers"] == schemas.MODIFIERS
    assert after["total"].to_list() == [15]


def test_a_desk_can_add_a_modifier_of_its_own() -> None:
    scoop = Modifier(
        name="scoop",
        applies=lambda p: pl.col("n_publishers") == p.adopters - 2,
        points={"impact": pl.lit(3), "relevance": -pl.col("impact")},
        evidence="n_publishers",
    )
    after = apply_modifiers(based((1, 2, 3, 9, 5), SINGLE), [scoop], parameters=ScoreParameters()).collect()
    # Both see what stood before the modifier: impact 1 + 3, relevance 9 - 1.
    assert five(after["scores"][0]) == (4, 2, 3, 8, 5)


def test_parameters_of_the_profile_move_the_bars() -> None:
    strict = ScoreParameters(brigading_share=0.1, brigading_accounts=1, misinfo_risk=0.1)
    row = {**MANY, "coordinated_share": 0.1, "n_coordinated": 1, "misinfo_risk": 0.1}
    after = apply_modifiers(based((0, 0, 12, 0, 6), row), MODIFIERS, parameters=strict).collect()
    assert five(after["scores"][0]) == (0, 0, 2, 0, 3)


def test_only_abuse_is_adverse() -> None:
    assert [(m.name, m.is_adverse) for m in MODIFIERS] == [
        ("single_source", False), ("brigading", True), ("misinfo_risk", True),
    ]  # fmt: skip
