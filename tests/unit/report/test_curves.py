from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from brandkit import schemas
from brandkit.record.calibrate import Calibration, of_span
from brandkit.record.span import KEY, Span
from brandkit.record.sweep import Curve, Judge, curve
from brandkit.record.verdict_scores import spoken
from brandkit.report import charts, curves
from tests.frames import DESK
from tests.unit.record.decided import crowd, editor, spanned


@pytest.fixture(scope="module")
def stories() -> Span:
    return spanned(crowd(80, seed=6))


def swept(stories: Span, name: str, *, verdicts: pl.DataFrame | None = None) -> Curve:
    said = schemas.empty(schemas.VERDICT) if verdicts is None else verdicts
    said = spoken(stories.leads.select(*KEY, "as_of"), said)
    return curve(Judge.of(stories, name), stories.runs, said, values=range(46, 75))


@pytest.fixture(scope="module")
def calibrated(stories: Span) -> Calibration:
    return of_span(
        stories, editor(stories, DESK, seed=1, noise=0.2), weights=["confidence.evidence"], resamples=20
    )


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def test_the_curve_stacks_a_days_work_and_marks_the_present_value(stories: Span) -> None:
    found = swept(stories, "optional")
    figure = curves.sweep_curve(found)
    (axes,) = figure.axes
    assert {"must cover", "optional", "watch", "optional is 60"} <= set(texts(figure))
    top = found.frame.select(pl.sum_horizontal("must_cover", "optional", "watch").max()).item()
    assert axes.get_ylim() == (0, pytest.approx(top * 1.12))
    heights = [area.get_paths()[0].vertices[:, 1].max() for area in axes.collections[:2]]
    assert heights == [
        found.frame["must_cover"].max(),
        found.frame.select(pl.sum_horizontal("must_cover", "optional").max()).item(),
    ]


def test_what_the_setting_does_not_move_is_left_out(stories: Span) -> None:
    said = spoken(stories.leads.select(*KEY, "as_of"), schemas.empty(schemas.VERDICT))
    found = curve(Judge.of(stories, "must_cover"), stories.runs, said, values=range(61, 75))
    shown = set(texts(curves.sweep_curve(found)))
    assert {"must cover", "optional"} <= shown
    assert not {"watch", "block", "drop"} & shown


def test_precision_and_recall_are_drawn_where_verdicts_speak(stories: Span) -> None:
    found = swept(stories, "optional", verdicts=editor(stories, DESK, seed=1))
    figure = curves.sweep_curve(found)
    work, agreement = figure.axes
    assert work.get_xlim() == agreement.get_xlim()
    assert {"precision of promoted", "recall of promoted"} <= set(texts(figure))
    (drawn,) = [line for line in agreement.lines if line.get_label() == "recall of promoted"]
    assert list(drawn.get_ydata()) == found.frame["recall_promoted"].drop_nulls().to_list()


def test_bands_show_how_many_verdicts_and_how_many_agree(calibrated: Calibration) -> None:
    figure = curves.agreement_by_band(calibrated)
    (axes,) = figure.axes
    assert sum(patch.get_height() for patch in axes.patches) == calibrated.n_verdicts == 80
    lows = calibrated.bands["low"].to_list()
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [f"{low} to {low + 9}" for low in lows]
    assert f"{calibrated.bands['agreement'][0]:.0%}" in texts(figure)


def test_nothing_to_draw_is_drawn_and_the_same_figure_gives_the_same_bytes(
    stories: Span, calibrated: Calibration
) -> None:
    nobody = replace(calibrated, bands=calibrated.bands.clear())
    assert charts.png(curves.agreement_by_band(nobody)).startswith(b"\x89PNG")
    empty = swept(replace(stories, leads=stories.leads.clear()), "optional")
    assert charts.png(curves.sweep_curve(empty)).startswith(b"\x89PNG")
    one = charts.png(curves.sweep_curve(swept(stories, "optional")))
    assert one == charts.png(curves.sweep_curve(swept(stories, "optional")))
    assert len(one) < 40_000
