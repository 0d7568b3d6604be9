from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

import matplotlib as mpl
import polars as pl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from brandkit.record.explain import Explanation, explain
from brandkit.report import charts, palette
from tests.unit.report.briefs import HOSTILE, briefed

# Points, in a picture that stands beside text.
LEAST_TYPE = 7.5


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
    assert said == ["$x$ <b> burst", "Nordlys, Sorglimt burst", "7"]
    marks = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_marker() == "v"]
    assert marks == [3, 23]
    assert charts.png(figure).startswith(b"\x89PNG")


def test_the_timeline_shows_quiet_hours_as_zero_and_starts_at_zero() -> None:
    hours = [datetime(2026, 3, 4) + timedelta(hours=h) for h in range(24)]
    rows = pl.DataFrame({"hour": hours, "n_items": [0] * 23 + [7]}).with_columns(kind=pl.lit("own"))
    axes = charts.mentions_timeline(rows).axes[0]
    assert [patch.get_height() for patch in axes.patches] == [0] * 23 + [7]
    assert axes.get_ylim()[0] == 0
    assert [t.get_text() for t in axes.texts] == ["7"]


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


def test_every_picture_of_a_brief_says_at_its_top_what_it_shows_and_in_which_unit(why: Explanation) -> None:
    hour = pl.DataFrame({"hour": [datetime(2026, 3, 4)], "kind": ["own"], "n_items": [1]})
    both = pl.concat([hour, hour.with_columns(kind=pl.lit("rival"))])
    told = f"{why.total} points of 100, {75 - why.total} short of must cover"
    assert told in texts(charts.waterfall_small(why))
    assert "Items that name them, by tier of publisher" in texts(charts.share_of_voice(mentions("x")))
    assert "Items an hour that name our names" in texts(charts.mentions_timeline(hour))
    assert "Items an hour that name them" in texts(charts.mentions_timeline(both))


def test_the_title_of_the_small_waterfall_says_on_which_side_of_the_bar_a_story_is(why: Explanation) -> None:
    def title(total: int) -> str:
        gates = tuple(replace(g, margin=total - 75) if g.name == "must_cover" else g for g in why.gates)
        return next(
            t for t in texts(charts.waterfall_small(replace(why, total=total, gates=gates))) if "100" in t
        )

    assert title(80) == "80 points of 100, 5 over must cover"
    assert title(75) == "75 points of 100, exactly must cover"


@pytest.mark.parametrize("total", [0, 41, 75, 100])
def test_no_label_of_the_small_waterfall_runs_out_of_the_picture(why: Explanation, total: int) -> None:
    # The bars to clear stay at 45, 60 and 75.
    gates = tuple(replace(gate, margin=gate.margin + total - why.total) for gate in why.gates)
    figure = charts.waterfall_small(replace(why, total=total, gates=gates))
    assert cut(figure) == []


def test_no_type_of_a_picture_beside_text_is_smaller_than_a_phone_can_show(why: Explanation) -> None:
    hour = pl.DataFrame({"hour": [datetime(2026, 3, 4)], "kind": ["own"], "n_items": [1]})
    drawn = (
        charts.waterfall_small(why), charts.share_of_voice(mentions("x")), charts.mentions_timeline(hour),
    )  # fmt: skip
    for figure in drawn:
        FigureCanvasAgg(figure).draw()
        assert figure.get_figwidth() == charts.COLUMN
        assert min(t.get_fontsize() for t in figure.findobj(Text) if t.get_text()) >= LEAST_TYPE


def cut(figure: Figure) -> list[str]:
    """The texts that run out of a picture."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = {
        text.get_text(): text.get_window_extent(canvas.get_renderer())
        for text in figure.findobj(Text)
        if text.get_text() and text.get_visible()
    }
    end = figure.bbox
    return [t for t, b in boxes.items() if b.x0 < 0 or b.y0 < 0 or b.x1 > end.x1 or b.y1 > end.y1]


def test_no_label_of_who_is_spoken_of_and_when_runs_out_of_its_picture() -> None:
    rows = mentions("Sorglimt Energiselskap Nord", "x").with_columns(
        n_items=pl.lit(1_234_567), items_C=pl.lit(1_234_564)
    )
    hours = [datetime(2026, 3, 4) + timedelta(hours=h) for h in range(24)]
    kinds = pl.DataFrame({"kind": ["own", "rival", "watched"]})
    by_hour = pl.DataFrame({"hour": hours}).join(kinds, how="cross").with_columns(n_items=pl.lit(12_345))
    for figure in (
        charts.share_of_voice(rows),
        charts.mentions_timeline(by_hour),
    ):
        assert cut(figure) == []


def test_a_colour_of_few_points_comes_out_of_the_file_as_it_went_in(why: Explanation) -> None:
    assert any(step.points < 0 for step in why.steps)
    drawn = Image.open(io.BytesIO(charts.png(charts.waterfall_small(why)))).convert("RGB")
    points = {bytes(colour) for _, colour in drawn.getcolors(maxcolors=1 << 16)}
    meant = (palette.TAKEN, palette.DECISION_COLOURS[why.decision], palette.INK, palette.PAPER)
    near = {
        c: min(sum(abs(a - b) for a, b in zip(bytes.fromhex(c[1:]), p, strict=True)) for p in points)
        for c in meant
    }
    assert max(near.values()) <= 3, near
    assert near[palette.PAPER] == 0, "a picture's edge would show on the page"


def test_text_is_cut_to_one_short_line() -> None:
    assert charts.shortened("a\nb  c", 9) == "a b c"
    assert charts.shortened("abcdefghij", 5) == "abcd…"
    assert charts.shortened("a" + " " * 1_000_000 + "b", 5) == "a…"


def test_names_of_hours_that_burst_stay_in_the_picture_and_apart() -> None:
    hours = [datetime(2026, 3, 4, tzinfo=UTC) + timedelta(hours=h) for h in range(24)]
    rows = pl.DataFrame({"hour": hours, "n_items": [5] * 24}).with_columns(kind=pl.lit("own"))
    told = [
        (f"{name} Energiselskap", hours[at])
        for name, at in (("A", 0), ("B", 11), ("C", 12), ("D", 12), ("E", 23))
    ]
    figure = charts.mentions_timeline(rows, bursts=pl.DataFrame(told, schema=["name", "at"], orient="row"))
    assert cut(figure) == []
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    names = [text for text in figure.axes[0].texts if text.get_text().endswith(" burst")]
    assert len(names) == 4
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in names]
    assert not [1 for one, other in combinations(boxes, 2) if one.overlaps(other)]
