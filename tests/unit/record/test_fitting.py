"""The search for thresholds against brute force over every legal triple, and what resampling promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit.record.fitting import (
    POINTS,
    Cuts,
    Floats,
    Gain,
    Interval,
    Ints,
    fit_cuts,
    fit_grids,
    pick,
    resamples,
)

PRESENT = np.array([45, 60, 75])
# A legal triple and its index on a grid of every triple.
WATCH, OPTIONAL, MUST = np.meshgrid(*[np.arange(POINTS)] * 3, indexing="ij", sparse=True)
LEGAL = (WATCH < OPTIONAL) & (OPTIONAL < MUST)

rows = st.lists(st.tuples(st.integers(0, 100), st.tuples(*[st.integers(0, 4)] * 4)), min_size=1, max_size=6)


def every_cost(totals: Ints, costs: Floats) -> Floats:
    """The cost of every triple, the slow way: each row at the level its total has there."""
    cost = np.zeros((POINTS, POINTS, POINTS))
    for total, row in zip(totals, costs, strict=True):
        cost += np.where(
            total < WATCH, row[0], np.where(total < OPTIONAL, row[1], np.where(total < MUST, row[2], row[3]))
        )
    return np.where(LEGAL, cost, np.inf)


@given(rows)
@settings(max_examples=10)
def test_the_fitted_thresholds_cost_least_of_all_legal_triples(
    found: list[tuple[int, tuple[int, ...]]],
) -> None:
    totals = np.array([total for total, _ in found])
    costs = np.array([cost for _, cost in found], dtype=np.float64)
    cuts = Cuts.of(totals, costs, np.ones((1, len(totals))))
    every = every_cost(totals, costs)
    watch, optional, must = best = cuts.best(PRESENT)[0]
    assert watch < optional < must
    assert every[tuple(best)] == every.min() == cuts.at(best)[0]
    # The ends are the outermost points of any best triple.
    low, high = cuts.ends()
    places = np.argwhere(every == every.min())
    assert low[0].tolist() == places.min(axis=0).tolist()
    assert high[0].tolist() == places.max(axis=0).tolist()
    if every[tuple(PRESENT)] == every.min():
        assert best.tolist() == PRESENT.tolist()


@given(rows, st.tuples(*[st.booleans()] * 3))
@settings(max_examples=10)
def test_a_threshold_that_is_held_stays_and_the_others_are_best_beside_it(
    found: list[tuple[int, tuple[int, ...]]], free: tuple[bool, ...]
) -> None:
    totals = np.array([total for total, _ in found])
    costs = np.array([cost for _, cost in found], dtype=np.float64)
    best = Cuts.of(totals, costs, np.ones((1, len(totals)))).held(PRESENT, free).best(PRESENT)[0]
    every = every_cost(totals, costs)
    for axis, is_free in enumerate(free):
        if not is_free:
            assert best[axis] == PRESENT[axis]
            every = np.where(np.indices(every.shape, sparse=True)[axis] == PRESENT[axis], every, np.inf)
    assert every[tuple(best)] == every.min()


def test_of_equals_the_present_place_is_taken_else_the_middle() -> None:
    costs = np.array([[3.0, 1, 1, 1, 2], [0, 0, 5, 0, 0]])
    assert pick(costs, 3).tolist() == [3, 3]
    assert pick(costs, 0).tolist() == [2, 0]
    assert pick(costs, 2).tolist() == [2, 1]


def test_the_days_of_one_story_are_drawn_together_and_a_seed_gives_the_same_draws() -> None:
    clusters = np.array([0, 1, 1, 2])
    (weights,) = resamples(clusters, n=20, seed=7)
    assert weights.shape == (20, 4)
    assert (weights[:, 1] == weights[:, 2]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert np.array_equal(weights, next(resamples(clusters, n=20, seed=7)))
    assert not np.array_equal(weights, next(resamples(clusters, n=20, seed=8)))
    assert [part.shape[0] for part in resamples(clusters, n=120, seed=7)] == [50, 50, 20]


def stories(n: int, *, seed: int, noise: float = 0.0) -> tuple[Ints, Floats]:
    """Totals, and the cost of each level where verdicts follow the bars 30, 50 and 70, off by chance."""
    rng = np.random.default_rng(seed)
    totals = rng.integers(0, POINTS, n)
    level = (totals[:, None] >= np.array([30, 50, 70])).sum(axis=1)
    level = np.clip(level + rng.choice([-1, 1], n) * (rng.random(n) < noise), 0, 3)
    return totals, np.abs(np.arange(4) - level[:, None]).astype(np.float64)


@pytest.mark.parametrize("noise", [0.0, 0.04, 0.15])
def test_planted_thresholds_are_found_within_their_intervals(noise: float) -> None:
    totals, costs = stories(300, seed=1, noise=noise)
    fit = fit_cuts(
        totals, costs, np.arange(300), present=np.array([40, 60, 80]), free=(True,) * 3, n=200, seed=1
    )
    assert np.abs(np.array(fit.cuts) - [30, 50, 70]).max() <= 1
    for within, true in zip(fit.intervals, (30, 50, 70), strict=True):
        assert within.low - 1 <= true <= within.high + 1
        assert within.width <= 6
    assert Gain.of(fit.gains).is_sure


def test_verdicts_by_chance_leave_the_thresholds_anywhere() -> None:
    totals, costs = stories(80, seed=2)
    shuffled = np.random.default_rng(3).permutation(costs)
    fit = fit_cuts(
        totals, shuffled, np.arange(80), present=np.array([30, 50, 70]), free=(True,) * 3, n=200, seed=1
    )
    assert min(within.width for within in fit.intervals) > 10


def test_a_gain_is_sure_when_it_is_hardly_ever_a_loss() -> None:
    assert Gain.of(np.array([0.0] + [0.1] * 19)).is_sure
    assert not Gain.of(np.array([-0.1, -0.1] + [0.1] * 18)).is_sure
    assert not Gain.of(np.zeros(20)).is_sure


def test_the_setting_that_was_shifted_wins_and_beats_another_kind_of_change() -> None:
    rng = np.random.default_rng(4)
    right = np.abs(np.arange(6) - 4)[None, :] * (rng.random((120, 1)) < 0.5)
    idle = np.repeat(right[:, :1], 4, axis=1)
    asked: dict[str, Any] = {"present": (0, 1), "n": 100, "seed": 1}
    fit = fit_grids([right.astype(float), idle.astype(float)], np.arange(120), rival=np.zeros(100), **asked)
    assert (fit.places, fit.low[0], fit.high[0]) == ([4, 1], 4, 4)
    assert fit.wins == [1.0, 0.0]
    assert (fit.low[1], fit.high[1]) == (0, 3)
    assert fit.gains[0].is_sure
    assert not fit.gains[1].is_sure
    beaten = fit_grids(
        [right.astype(float)], np.arange(120), rival=np.full(100, 9.0), present=(0,), n=100, seed=1
    )
    assert beaten.wins == [0.0]


def test_an_interval_holds_its_ends() -> None:
    within = Interval(3, 7)
    assert (within.width, within.holds(3), within.holds(7), within.holds(8)) == (4, True, True, False)
