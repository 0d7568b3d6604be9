"""Pictures over days, in small multiples. A day without a run is a gap: nothing is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brandkit import safe
from brandkit.report.charts import DECISION_COLOURS, house_style, shortened

_INK, _SOFT, _LINE = "#1c2430", "#56606e", "#d9dee5"
_COUNT = "#5b6b80"
_DPI, _WIDTH = 144, 9.4
_KINDS = {"own": "#0b5cad", "rival": "#e69f00", "watched": "#8fb8d9"}
# More bars than this have no room for a number over each.
_MOST_NUMBERED = 14
_ACROSS = 3


def counts_by_day(counts: pl.DataFrame, before: Mapping[str, float]) -> Figure:
    """A panel for each count, a bar for each day; a dotted line is the mean day of the days before.

    Shape:  ``counts`` has day, and a column for each panel: null on a day without a run.
    """
    names = [name for name in counts.columns if name != "day"]
    n_rows = -(-len(names) // _ACROSS)
    with house_style():
        figure = Figure(figsize=(_WIDTH, 1.5 * n_rows + 0.1), dpi=_DPI)
        height = figure.get_figheight()
        for at, name in enumerate(names):
            row, column = divmod(at, _ACROSS)
            left = (0.06 + column * (_WIDTH - 0.04) / _ACROSS) / _WIDTH
            bottom = (height - 1.5 * (row + 1) + 0.3) / height
            axes = figure.add_axes((left, bottom, (_WIDTH / _ACROSS - 0.3) / _WIDTH, 0.86 / height))
            values = counts[name].to_list()
            colour = DECISION_COLOURS.get(name, _COUNT)
            _bars(axes, values, colour, scale=max([*filter(None, values), before.get(name, 0)], default=0))
            _mean_line(axes, before.get(name))
            _day_names(axes, counts["day"].to_list())
            # The room above the tallest bar's number.
            axes.set_title(name.replace("_", " "), fontsize=8.5, pad=5)
        return figure


def voice_by_day(names: pl.DataFrame, voices: pl.DataFrame, days: Sequence[date]) -> Figure:
    """A row for each name: its items a day, beside them its stories a day, one scale to a side.

    Shape:  ``names`` are the rows of ``record.voice.Voice.by_name()`` to draw, ``voices`` is its
            ``by_day()``; a day on which a name was not looked for has no row there and is a gap.
    """
    row = 0.52
    voices = voices.join(names.select("name"), on="name", how="semi")
    with house_style():
        figure = Figure(figsize=(_WIDTH, row * names.height + 0.6), dpi=_DPI)
        height = figure.get_figheight()
        for left, what in ((1.75, "items"), (5.75, "stories")):
            most = int(voices[f"n_{what}"].max() or 0)  # type: ignore[arg-type]
            for at, one in enumerate(names.iter_rows(named=True)):
                place = (left / _WIDTH, (height - 0.36 - row * (at + 1) + 0.06) / height)
                axes = figure.add_axes((*place, 3.0 / _WIDTH, (row - 0.14) / height))
                of = voices.filter(pl.col("name") == one["name"]).select("day", f"n_{what}")
                known = dict(of.rows())
                _bars(axes, [known.get(day) for day in days], _KINDS[str(one["kind"])], scale=most, size=6)
                total, share = one[f"n_{what}"], one[f"share_{what}"]
                told = f"{total:,}" if share is None else f"{total:,}  {share:.0%}"
                _write(axes, len(days) - 0.3, most * 0.3, told, size=8)
                if what == "items":
                    weight = "bold" if one["kind"] == "own" else "normal"
                    name = shortened(one["name"], 22)
                    _write(axes, -0.8, most * 0.3, name, ha="right", color=_INK, weight=weight)
                if at == 0:
                    head = f"{what.capitalize()} a day, and beside them all, with the share"
                    _write(axes, -0.5, most * 1.75, head, weight="bold", color=_INK, size=8)
                if at == names.height - 1:
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


def _mean_line(axes: Axes, mean: float | None) -> None:
    if mean is None:
        return
    axes.axhline(mean, color=_INK, linewidth=0.8, linestyle=(0, (1, 2)))
    end = axes.get_xlim()[1]
    _write(axes, end + 0.05, mean, f"{mean:,.0f}" if mean >= 10 else f"{mean:.1f}", size=6, color=_INK)


def _day_names(axes: Axes, days: Sequence[date]) -> None:
    """The days under the bars, only as many as can be read."""
    step = -(-len(days) // 8)
    labels = [f"{day:%a}" if len(days) <= 7 else f"{day.day}.{day.month}." for day in days[::step]]
    axes.set_xticks(range(0, len(days), step), labels, fontsize=7, color=_SOFT)


def _write(axes: Axes, x: float, y: float, text: str, **look: Any) -> None:
    axes.text(x, y, safe.plain_text(text), parse_math=False, **{"va": "center", "color": _SOFT, **look})
