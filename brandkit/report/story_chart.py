"""The picture of a story's growth: its items and outlets over time, and what each run decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from brandkit import safe
from brandkit.report.charts import DECISION_COLOURS, house_style

_INK, _SOFT, _LINE = "#1c2430", "#56606e", "#d9dee5"
_LINES = {"items": ("n_items", "#0b5cad"), "outlets": ("n_outlets", "#009e73")}
_WIDTH, _HEIGHT, _DPI = 9.4, 2.9, 144
# More names above the picture than this run into each other.
_MOST_NAMED = 8


def growth(items: pl.DataFrame) -> pl.DataFrame:
    """How many items and outlets a story had at each instant at which one came.

    An item comes when it was published, or collected where that is not known or was not before.

    Shape:  at, n_items, n_outlets, both counted from the beginning; sorted by at.
    """
    is_likely = pl.col("published_at") <= pl.col("collected_at")
    came = pl.when(is_likely).then("published_at").otherwise("collected_at")
    is_new = pl.col("publisher").is_not_null() & pl.col("publisher").is_first_distinct()
    return (
        items.select("item_id", "publisher", at=came)
        .sort("at", "item_id")
        .with_columns(is_new=is_new)
        .group_by("at", maintain_order=True)
        .agg(n_items=pl.len().cast(pl.Int64), n_outlets=pl.col("is_new").sum().cast(pl.Int64))
        .with_columns(pl.col("n_items", "n_outlets").cum_sum())
    )


def story_growth(grown: pl.DataFrame, days: pl.DataFrame, *, timezone: str) -> Figure:
    """Items and outlets of a story over time, in steps; above them what each run decided, with its total.

    Shape:  ``grown`` as ``growth`` gives it; ``days`` has as_of, effective_decision and total, a row a run.
    """
    with house_style():
        zone = ZoneInfo(timezone)
        figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=_DPI)
        axes = figure.add_axes((0.05, 0.1, 0.83, 0.72))
        ends = days["as_of"].to_list()
        start = min([*grown["at"].to_list(), *ends], default=None)
        end = max([*grown["at"].to_list(), *ends], default=None)
        most = int(grown["n_items"].max() or 1)  # type: ignore[arg-type]
        axes.set_ylim(0, most * 1.1)
        if start is not None and end is not None:
            _steps(axes, grown, end)
            _decisions(axes, days, start, most)
            axes.set_xlim(start, end)
        # The zone of the desk, whatever the machine's is.
        locator = AutoDateLocator(tz=zone, minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(_dates(locator, zone))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
        axes.grid(axis="y")
        axes.spines["left"].set_visible(False)
        return figure


def _dates(locator: AutoDateLocator, zone: ZoneInfo) -> ConciseDateFormatter:
    return ConciseDateFormatter(  # type: ignore[no-untyped-call]
        locator,
        tz=zone,
        show_offset=False,
        formats=["%Y", "%b", "%a %d %b", "%H:%M", "%H:%M", "%H:%M:%S"],
        zero_formats=["%Y", "%Y", "%d %b", "%a %d %b", "%H:%M", "%H:%M"],
    )


def _steps(axes: Axes, grown: pl.DataFrame, end: datetime) -> None:
    at = [*grown["at"].to_list(), end]
    heights: list[float] = []
    for label, (column, colour) in _LINES.items():
        counts = grown[column].to_list()
        if not counts:
            continue
        axes.plot(at, [*counts, counts[-1]], color=colour, linewidth=1.5, drawstyle="steps-post")
        height = counts[-1] / (axes.get_ylim()[1] or 1)
        # Two labels at one height would be one smudge.
        height = min([height, *(other - 0.09 for other in heights if abs(other - height) < 0.09)])
        heights.append(height)
        axes.text(1.008, height, f"{counts[-1]:,} {label}", transform=axes.transAxes, color=colour, size=8,
                  weight="bold", va="center", parse_math=False)  # fmt: skip


def _decisions(axes: Axes, days: pl.DataFrame, start: datetime, most: int) -> None:
    span = max([start, *days["as_of"].to_list()]) - start
    named: Sequence[int] = range(max(0, days.height - _MOST_NAMED), days.height)
    for place, (at, decision, total) in enumerate(days.select("as_of", "effective_decision", "total").rows()):
        colour = DECISION_COLOURS[decision]
        axes.axvline(at, color=_LINE, linewidth=0.8, linestyle=(0, (1, 2)), zorder=0)
        axes.plot([at], [most * 1.1], marker="o", color=colour, markersize=6, clip_on=False, zorder=4)
        if place in named:
            # The first would run out of the picture on the left.
            side = "left" if at - start < span / 10 and place < days.height - 1 else "right"
            told = safe.plain_text(f"{decision.replace('_', ' ')} {total}")
            axes.annotate(told, (at, most * 1.1), xytext=(0, 7), textcoords="offset points", ha=side,
                          color=_INK, size=7, annotation_clip=False, parse_math=False)  # fmt: skip
