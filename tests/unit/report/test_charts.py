from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import matplotlib as mpl
import polars as pl
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from brandkit.record.explain import Explanation, explain
from brandkit.report import charts
from tests.unit.report.briefs import HOSTILE, briefed


@pytest.fixture(scope="module")
def why() -> Explanation:
    brief = briefed([{"title": "Nordlys issues recall notice for heaters after fault"}])
    return explain(brief.records, brief.profile)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def test_the_waterfall_shows_every_step_with_its_fact_and_ends_at_the_total(why: Explanation) -> None:
    shown = texts(charts.waterfall(why))
    assert {step.name.replace("_", " ") for step in why.steps} <= set(shown)
    assert {charts.shortened(step.fact, 72) for step in why.steps} <= set(shown)
    assert f"{why.decision.replace('_', ' ')} {why.total}" in shown
    assert {"watch 45", "optional 60", "must cover 75"} <= set(shown)


def test_the_bars_of_the_waterfall_add_up(why: Explanation) -> None:
    bars = [patch for patch in charts.waterfall(why).axes[0].patches if patch.get_width()]
    steps = [step for step in why.steps if step.points]
    assert [round(bar.get_width()) for bar in bars] == [*(step.points for step in steps), why.total]
    assert [round(bar.get_x()) for bar in bars] == [*(step.running - step.points for step in steps), 0]


def test_the_small_waterfall_leaves_out_steps_without_points(why: Explanation) -> None:
    idle = next(step.name for step in why.steps if not step.points)
    assert idle in texts(charts.waterfall(why))
    assert idle not in texts(charts.waterfall_small(why))


def test_a_low_total_is_named_beside_its_bar(why: Explanation) -> None:
    low = replace(why, total=12, decision="drop")
    label = next(t for t in charts.waterfall_small(low).findobj(Text) if t.get_text() == "drop 12")
    assert label.get_position()[0] > 12


@pytest.mark.parametrize("title", HOSTILE)
def test_no_text_is_read_as_mathematics_and_none_breaks_a_picture(why: Explanation, title: str) -> None:
    hostile = replace(why, title=title, steps=tuple(replace(step, fact=title) for step in why.steps))
    figure = charts.waterfall(hostile)
    assert charts.png(figure).startswith(b"\x89PNG")
    assert not any(text.get_parse_math() for text in figure.findobj(Text))
    assert max(len(text) for text in texts(figure)) <= 92


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_do_not_break_the_share_of_voice(name: str) -> None:
    assert charts.png(charts.share_of_voice(mentions(name, "x"))).startswith(b"\x89PNG")


def mentions(*names: str) -> pl.DataFrame:
    """Three items of tier A and four of C; a negative story, and two that were not measured."""
    rows = [
        {
            "name": name, "kind": "own", "n_items": 7, "items_A": 3, "items_B": 0, "items_C": 4,
            "items_unlisted": 0, "n_stories": 3, "stories_negative": 1, "stories_neutral": 0,
            "stories_positive": 0, "stories_unmeasured": 2,
        }
        for name in names
    ]  # fmt: skip
    return pl.DataFrame(rows)


def test_share_of_voice_stacks_the_tiers_of_items_and_writes_their_sum() -> None:
    figure = charts.share_of_voice(mentions("Nordlys", "Sorglimt"))
    assert {"Nordlys", "Sorglimt", "7"} <= set(texts(figure))
    (axes,) = figure.axes
    assert [patch.get_width() for patch in axes.patches] == [3, 3, 0, 0, 4, 4, 0, 0]


def test_the_hours_that_burst_are_marked_with_the_names_and_hours_of_another_day_are_not() -> None:
    hours = [datetime(2026, 3, 4, tzinfo=UTC) + timedelta(hours=h) for h in range(24)]
    rows = pl.DataFrame({"hour": hours, "n_items": [1] * 23 + [7]}).with_columns(kind=pl.lit("own"))
    told = [("Nordlys", hours[23]), ("$x$ <b>", hours[3]), ("Sorglimt", hours[23]),
            ("Gone", hours[0] - timedelta(hours=1))]  # fmt: skip
    bursts = pl.DataFrame(told, schema=["name", "at"], orient="row")
    figure = charts.mentions_timeline(rows, bursts=bursts)
    said = [text.get_text() for text in figure.axes[0].texts]
    assert said == ["$x$ <b> burst", "Nordlys, Sorglimt burst"]
    marks = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_marker() == "v"]
    assert marks == [3, 23]
    assert charts.png(figure).startswith(b"\x89PNG")


def test_the_timeline_shows_quiet_hours_as_zero_and_starts_at_zero() -> None:
    hours = [datetime(2026, 3, 4) + timedelta(hours=h) for h in range(24)]
    rows = pl.DataFrame({"hour": hours, "n_items": [0] * 23 + [7]}).with_columns(kind=pl.lit("own"))
    axes = charts.mentions_timeline(rows).axes[0]
    assert [patch.get_height() for patch in axes.patches] == [0] * 23 + [7]
    assert axes.get_ylim()[0] == 0


def test_two_kinds_of_names_are_stacked_and_told_apart() -> None:
    hours = [datetime(2026, 3, 4, 9), datetime(2026, 3, 4, 9)]
    rows = pl.DataFrame({"hour": hours, "kind": ["own", "rival"], "n_items": [2, 3]})
    axes = charts.mentions_timeline(rows).axes[0]
    assert [(patch.get_y(), patch.get_height()) for patch in axes.patches] == [(0, 2), (2, 3)]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["our names", "rivals"]


def test_a_day_without_mentions_is_drawn_flat() -> None:
    rows = pl.DataFrame({"hour": [datetime(2026, 3, 4)], "kind": ["own"], "n_items": [0]})
    assert charts.png(charts.mentions_timeline(rows)).startswith(b"\x89PNG")
    assert charts.png(charts.share_of_voice(mentions("x").clear())).startswith(b"\x89PNG")


def test_the_same_figure_gives_the_same_bytes_and_leaves_no_setting_behind(why: Explanation) -> None:
    before = dict(mpl.rcParams)
    first, second = charts.png(charts.waterfall(why)), charts.png(charts.waterfall(why))
    assert first == second
    assert dict(mpl.rcParams) == before
    assert len(first) < 60_000
    assert Image.open(io.BytesIO(first)).size[0] > 1200


def test_decisions_and_components_all_have_a_colour_of_their_own() -> None:
    for colours in (charts.DECISION_COLOURS, charts.COMPONENT_COLOURS, charts.TIER_COLOURS):
        assert len(set(colours.values())) == len(colours)


def test_text_is_cut_to_one_short_line() -> None:
    assert charts.shortened("a\nb  c", 9) == "a b c"
    assert charts.shortened("abcdefghij", 5) == "abcd…"
    assert charts.shortened("a" + " " * 1_000_000 + "b", 5) == "a…"
