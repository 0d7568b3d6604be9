"""Every picture, given hostile names: no text of it is mathematics, none is long, none breaks it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from importlib import import_module
from pkgutil import iter_modules

import polars as pl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import brandkit.report
from brandkit.record.explain import Explanation, explain
from brandkit.record.sweep import Curve
from brandkit.report import charts, curves, network, story_chart, trends
from tests.hostile import MEGABYTE, vectors
from tests.unit.report.briefs import briefed

HOSTILE = (*vectors("math"), *(vectors(kind)[0] for kind in ("escape", "bidi", "script")), MEGABYTE)
_PAIRS = {"n_objects": [3], "median_gap_s": [2.0]}
_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_COUNTS = ("must_cover", "optional", "watch", "drop", "block", "n_verdicts")

_DAY = date(2026, 3, 4)


def _why() -> Explanation:
    brief = briefed([{"title": "Nordlys issues recall notice for heaters after fault"}])
    return explain(brief.records, brief.profile)


WHY = _why()


def _explained(text: str) -> Explanation:
    steps = tuple(replace(step, fact=text, evidence=(text,)) for step in WHY.steps)
    return replace(WHY, title=text, url=text, publisher=text, steps=steps, forbidden=(text,))


def _mentions(text: str) -> pl.DataFrame:
    parts = ("A", "B", "C", "unlisted")
    tones = ("negative", "neutral", "positive", "unmeasured")
    counts = {f"items_{part}": 1 for part in parts} | {f"stories_{tone}": 1 for tone in tones}
    return pl.DataFrame([{"name": text, "kind": "own", "n_items": 4, "n_stories": 4, **counts}])


def _by_hour() -> pl.DataFrame:
    return pl.DataFrame({"hour": [datetime(2026, 3, 4)], "kind": ["own"], "n_items": [1]})


def _voices(text: str) -> pl.DataFrame:
    counts = {"n_items": 3, "share_items": 1.0, "n_stories": 1, "share_stories": 1.0}
    return pl.DataFrame([{"day": _DAY, "name": text, "kind": "own", **counts}])


def _burst(text: str) -> pl.DataFrame:
    return pl.DataFrame({"name": [text], "at": [datetime(2026, 3, 4)]})


def _curve(text: str) -> Curve:
    shares = {"precision_promoted": [None], "recall_promoted": [None]}
    frame = pl.DataFrame({"value": [60], **{name: [1] for name in _COUNTS}, **shares})
    return Curve(text[:80], 60, frame, pl.DataFrame({"run_on": [datetime(2026, 3, 4)]}), (text,))


# A picture is drawn of what stands here; None where no text of the input is drawn.
DRAWN: Mapping[Callable[..., Figure], Callable[[str], Figure] | None] = {
    charts.waterfall: lambda text: charts.waterfall(_explained(text)),
    charts.waterfall_small: lambda text: charts.waterfall_small(_explained(text)),
    charts.share_of_voice: lambda text: charts.share_of_voice(_mentions(text)),
    charts.mentions_timeline: lambda text: charts.mentions_timeline(_by_hour(), bursts=_burst(text)),
    curves.sweep_curve: lambda text: curves.sweep_curve(_curve(text)),
    curves.agreement_by_band: None,
    story_chart.story_growth: None,
    trends.counts_panel: None,
    trends.voice_by_day: lambda text: trends.voice_by_day(_voices(text), _voices(text), [_DAY], what="items"),
    network.coordination_network: lambda text: network.coordination_network(
        pl.DataFrame({"account_a": [text], "account_b": ["b"], **_PAIRS})
    ),
}  # fmt: skip


def test_every_picture_of_the_reports_is_tried_here() -> None:
    names = [f"brandkit.report.{found.name}" for found in iter_modules(brandkit.report.__path__)]
    drawing = {
        value
        for module in map(import_module, names)
        for name, value in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_") and value.__annotations__.get("return") == "Figure"
    }
    assert drawing == set(DRAWN)


@pytest.mark.parametrize("draw", [draw for draw in DRAWN.values() if draw], ids=lambda _: "")
def test_no_text_in_a_picture_is_mathematics_or_without_end(draw: Callable[[str], Figure]) -> None:
    for text in HOSTILE:
        shown = [found for found in draw(text).findobj(Text) if found.get_text()]
        assert not [found for found in shown if found.get_parse_math() and not _is_number(found)]
        assert max(len(found.get_text()) for found in shown) < 200
        assert not any(_UNSHOWN.search(found.get_text()) for found in shown)
    # A notebook draws a figure by itself, without the house's own way of making a file of it.
    broken = "$\\frac{a$ and $5"
    figure = draw(broken)
    FigureCanvasAgg(figure).draw()
    assert not [t for t in figure.findobj(Text) if "$" in t.get_text() and t.get_parse_math()]
    assert charts.png(figure).startswith(b"\x89PNG")


def _is_number(found: Text) -> bool:
    # The labels of an axis are made when it is first drawn, out of numbers.
    return not re.search("[^0-9.,%\u2212]", found.get_text())
