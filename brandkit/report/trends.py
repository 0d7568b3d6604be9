"""Pictures over days, in small multiples. A day without a run is a gap: nothing is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brandkit import safe
from brandkit.report.charts import DECISION_COLOURS, house_style, shortened

_INK, _SOFT, _LINE = "#1c2430", "#56606e", "#d9dee5"
_COUNT = "#5b6b80"
_DPI = 144
_KINDS = {"own": "#0b5cad", "rival": "#e69f00", "watched": "#8fb8d9"}
# More bars than this have no room for a number over each.
_MOST_NUMBERED = 14


def counts_panel(
    days: Sequence[date], counts: Sequence[int | None], name: str, before: float | None
) -> Figure:
    """One count, a bar for each day; a dotted line is the mean day of the days before.

    Nulls:  a day of which nothing is known is marked, not drawn.
    """
    width, height = 3.1, 1.5
    with house_style():
        figure = Figure(figsize=(width, height), dpi=_DPI)
        # A mean stands at the right of its panel.
        room = 0.1 if before is None else 0.36
        axes = figure.add_axes((0.04 / width, 0.25 / height, 1 - room / width, 0.93 / height))
        scale = max([*filter(None, counts), before or 0], default=0)
        _bars(axes, counts, DECISION_COLOURS.get(name, _COUNT), scale=scale)
        if before is not None:
            axes.axhline(before, color=_INK, linewidth=0.8, linestyle=(0, (1, 2)))
            told = f"{before:,.0f}" if before >= 10 else f"{before:.1f}"
            _write(axes, axes.get_xlim()[1] + 0.05, before, told, size=6.5, color=_INK)
        _day_names(axes, days)
        axes.set_title(f"{name.replace('_', ' ')}: {between(counts)}", fontsize=9, pad=5)
        return figure


def between(counts: Sequence[int | None]) -> str:
    """The least and the most of a day, of the days that are known.

    >>> between([2, None, 5]), between([0, 0]), between([None])
    ('2 to 5 a day', '0 a day', 'not known')
    """
    known = [n for n in counts if n is not None]
    if not known:
        return "not known"
    low, high = min(known), max(known)
    return f"{low:,} a day" if low == high else f"{low:,} to {high:,} a day"


def voice_by_day(names: pl.DataFrame, voices: pl.DataFrame, days: Sequence[date], *, what: str) -> Figure:
    """A row for each name: its items (or stories) of every day on one scale, then all of them.

    Shape:  ``names`` are the rows of ``record.voice.Voice.by_name()`` to draw, ``voices`` is its
            ``by_day()``; a day on which a name was not looked for has no row there and is a gap.
    """
    width, row, head, foot, left = 4.6, 0.5, 0.3, 0.2, 1.25
    voices = voices.join(names.select("name"), on="name", how="semi")
    most = int(voices[f"n_{what}"].max() or 0)  # type: ignore[arg-type]
    with house_style():
        height = row * names.height + head + foot
        figure = Figure(figsize=(width, height), dpi=_DPI)
        for at, one in enumerate(names.iter_rows(named=True)):
            bottom = height - head - row * (at + 1) + 0.04
            size = ((width - left - 0.75) / width, (row - 0.1) / height)
            axes = figure.add_axes((left / width, bottom / height, *size))
            of = voices.filter(pl.col("name") == one["name"]).select("day", f"n_{what}")
            known = dict(of.rows())
            _bars(axes, [known.get(day) for day in days], _KINDS[str(one["kind"])], scale=most, size=6.5)
            total, share = one[f"n_{what}"], one[f"share_{what}"]
            told = f"{total:,}" if share is None else f"{total:,}  {share:.0%}"
            _write(axes, len(days) - 0.3, most * 0.3, told, size=8)
            weight = "bold" if one["kind"] == "own" else "normal"
            name = shortened(one["name"], 20)
            _write(axes, -0.8, most * 0.3, name, ha="right", color=_INK, weight=weight)
            if at == 0:
                title = f"{what.capitalize()} a day, and their sum and share"
                _write(axes, -0.5, most * 1.7, title, weight="bold", color=_INK, size=8.5)
        _day_names(axes, days)
        return figure


def _bars(axes: Axes, values: Sequence[int | None], colour: str, *, scale: float, size: float = 7) -> None:
    """Bars from an honest zero; a day of which nothing is known is marked, not drawn."""
    top = scale or 1
    axes.set(xlim=(-0.6, len(values) - 0.4), ylim=(0, top * 1.25), yticks=[], xticks=[])
    axes.spines["left"].set_visible(False)
    for at, value in enumerate(values):
        if value is None:
            axes.axvspan(at - 0.41, at + 0.41, color="#f1f3f6", linewidth=0)
            if len(values) <= _MOST_NUMBERED:
                _write(axes, at, top * 0.62, "no run", rotation=90, ha="center", size=size - 1)
            continue
        axes.bar(at, value, width=0.82, color=colour)
        if len(values) <= _MOST_NUMBERED:
            _write(axes, at, value + top * 0.04, f"{value:,}", ha="center", va="bottom", size=size - 0.5)


def _day_names(axes: Axes, days: Sequence[date]) -> None:
    """The days under the bars, only as many as can be read."""
    step = -(-len(days) // 8)
    labels = [f"{day:%a}" if len(days) <= 7 else f"{day.day}.{day.month}." for day in days[::step]]
    axes.set_xticks(range(0, len(days), step), labels, fontsize=7, color=_SOFT)


def _write(axes: Axes, x: float, y: float, text: str, **look: Any) -> None:
    axes.text(x, y, safe.plain_text(text), parse_math=False, **{"va": "center", "color": _SOFT, **look})
