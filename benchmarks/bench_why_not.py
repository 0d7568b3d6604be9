"""Why not: the search over all changes at once, against plain Python that tries them one by one.

``python -m benchmarks.bench_why_not`` holds 10,000 generated records to it, flip by flip, in half a minute.
"""

from __future__ import annotations

import argparse
import sys
from time import perf_counter

import polars as pl

from benchmarks.measure import Comparison, compare, table
from brandkit.record.counterfactual import RUNGS
from brandkit.record.levers import LEVERS, pulls
from brandkit.record.levers_goal import toward
from brandkit.record.levers_search import Question, facts, search
from tests import lever_frames, reference_levers
from tests.frames import AS_OF, signals

_TARGET = "must_cover"
Flips = dict[tuple[str, ...], tuple[int, str, int]]


def why_not(rows: int) -> Comparison:
    """Every record that is no must-cover: its flips by levers, with their steps, decision and total."""
    profile, generated = lever_frames.SMALL_DESK, lever_frames.rows(rows, seed=20)
    given = facts(lever_frames.records(generated, profile).with_row_index("record"))
    goal = toward(_TARGET, RUNGS[0])
    assert goal is not None
    lower = given.filter(pl.col("decision_from") != _TARGET)
    begun = perf_counter()
    made = pulls(profile, as_of=AS_OF, ways=goal.ways)
    found = search(lower, Question(profile, AS_OF, made, goal.reached))
    fast = perf_counter() - begun
    plain = signals(*generated).rows(named=True)
    begun = perf_counter()
    expected = {
        number: reference_levers.cheapest(plain[number], profile, AS_OF, goal.ways, lambda to: to == _TARGET)
        for number in lower["record"]
    }
    slow = perf_counter() - begun
    equal = _by_record(found) == {number: flips for number, flips in expected.items() if flips}
    name = "why_not, all changes at once against one by one"
    return compare(name, rows, fast_s=fast, slow_s=slow, target=10, equal=equal)


def _by_record(found: pl.DataFrame) -> dict[int, Flips]:
    flips: dict[int, Flips] = {}
    for row in found.iter_rows(named=True):
        levers = tuple(LEVERS[at].name for at in (row["lever_1"], row["lever_2"]) if at is not None)
        one = flips.setdefault(row["record"], {})
        one[levers] = (row["n_steps"], str(row["decision"]), row["total"])
    return flips


def main() -> int:
    """Print the comparison; exit 1 where the two sides differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000, help="how many records")
    found = why_not(parser.parse_args().rows)
    print(table([found]))
    return 0 if found.equal else 1


if __name__ == "__main__":
    sys.exit(main())
