"""Scoring: the vectorised plan against the per-row reference the tests hold it to."""

from __future__ import annotations

from time import perf_counter

import polars as pl

from benchmarks import frames
from benchmarks.measure import Comparison, compare, seconds
from brandkit.assess import rescore
from tests import reference

_MADE = ("parts", "base", "modifiers", "scores", "total", "gates", "decision", "reason")
_CHUNK = 50_000


def scoring(rows: int) -> Comparison:
    """Signals to decisions for ``rows`` items, as one plan against one Python call per item."""
    signals, context = frames.signals(rows), frames.context()
    plan = rescore(signals.lazy(), context).select(*_MADE)
    fast = seconds(plan.collect)
    slow, equal = 0.0, True
    made = plan.collect()
    for start in range(0, rows, _CHUNK):
        given = signals[start : start + _CHUNK].rows(named=True)
        begun = perf_counter()
        expected = [reference.judge(row, frames.PROFILE, context.as_of) for row in given]
        slow += perf_counter() - begun
        equal = equal and made[start : start + _CHUNK].equals(_as_frame(expected, made.schema))
    return compare(
        "scoring, vectorised against per row", rows, fast_s=fast, slow_s=slow, target=50, equal=equal
    )


def _as_frame(judgements: list[reference.Judgement], schema: pl.Schema) -> pl.DataFrame:
    rows = [
        {name: getattr(judged, name) for name in _MADE}
        | {"modifiers": [{"name": n, "component": c, "points": p} for n, c, p in judged.modifiers]}
        for judged in judgements
    ]
    return pl.DataFrame(rows, schema=schema)
