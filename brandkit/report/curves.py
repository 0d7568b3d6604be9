"""Pictures for tuning: a day's work along a threshold, and how decisions agree with verdicts by score."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from brandkit import safe
from brandkit.record.calibrate import Calibration
from brandkit.record.sweep import Curve
from brandkit.report import palette
from brandkit.report.charts import DECISION_COLOURS, house_style, say

_INK, _SOFT = palette.INK, palette.SOFT
_BELOW, _ALIKE, _ABOVE = palette.BELOW, palette.ALIKE, palette.ABOVE
_DPI = 144
_WIDTH, _HEIGHT = 9.4, 3.4
# What the desk works on is always drawn; what it only keeps an eye on, where it changes. Drop never:
# beside it nothing else could be seen.
_WORK, _ASIDE = ("must_cover", "optional"), ("watch", "block")


def sweep_curve(curve: Curve) -> Figure:
    """The stories of a mean day by decision at every value of a setting; the present value is marked.

    Watch and block are left out where the setting does not move them, drop always. Where verdicts
    speak, precision and recall of what is promoted are drawn below.
    """
    with house_style():
        # A verdict or two may leave no share to draw.
        is_judged = any(curve.frame[f"{name}_promoted"].count() for name in ("precision", "recall"))
        height = _HEIGHT + (1.75 if is_judged else 0)
        figure = Figure(figsize=(_WIDTH, height), dpi=_DPI)
        axes = figure.add_axes((0.07, (height - 2.9) / height, 0.91, 2.25 / height))
        values, days = curve.frame["value"].to_list(), max(curve.n_days, 1)
        bottom = [0.0] * len(values)
        moved = [name for name in _ASIDE if curve.frame[name].n_unique() > 1]
        for decision in (*_WORK, *moved):
            top = [low + n / days for low, n in zip(bottom, curve.frame[decision], strict=True)]
            axes.fill_between(values, bottom, top, step="mid", color=DECISION_COLOURS[decision], linewidth=0,
                              label=decision.replace("_", " "))  # fmt: skip
            bottom = top
        axes.set_ylim(0, max(bottom, default=0) * 1.12 or 1)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
        _ground(axes, curve, "stories a day")
        _legend(axes)
        if is_judged:
            below = figure.add_axes((0.07, 0.5 / height, 0.91, 1.1 / height), sharex=axes)
            _agreement(below, curve)
        _name_values(figure.axes[-1], curve)
        say(figure, f"Stories on a mean day, at each value of '{_spoken(curve.name)}'")
        return figure


def _spoken(name: str) -> str:
    return name.rpartition(".")[2].replace("_", " ")


def _ground(axes: Axes, curve: Curve, name: str) -> None:
    values = curve.frame["value"]
    half = (values[1] - values[0]) / 2 if len(values) > 1 else 0.5
    axes.set_xlim(values[0] - half, values[-1] + half)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=values.dtype.is_integer()))
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_ylabel(name, color=_SOFT, fontsize=8)
    if curve.present is not None and values[0] <= curve.present <= values[-1]:
        axes.axvline(curve.present, color=_INK, linewidth=0.9, linestyle=(0, (2, 2)))
        shown = f"{_spoken(curve.name)} is {curve.present:g}"
        beside = curve.present + (values[-1] - values[0] + 1) * 0.004
        _write(axes, beside, axes.get_ylim()[1], shown, va="top", color=_INK, size=7.5)


def _name_values(axes: Axes, curve: Curve) -> None:
    unit = "" if curve.name.startswith("parameters") else ", points"
    label = safe.plain_text(f"{_spoken(curve.name)}{unit}")
    axes.set_xlabel(label, color=_SOFT, fontsize=8, parse_math=False)


def _agreement(axes: Axes, curve: Curve) -> None:
    for name, colour in {"precision": palette.PRECISION, "recall": palette.RECALL}.items():
        known = curve.frame.select("value", share=f"{name}_promoted").drop_nulls()
        axes.plot(known["value"], known["share"], color=colour, label=f"{name} of promoted", linewidth=1.4)
    axes.set_ylim(0, 1.05)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
    if curve.present is not None:
        axes.axvline(curve.present, color=_INK, linewidth=0.9, linestyle=(0, (2, 2)))
    _legend(axes)


def agreement_by_band(calibration: Calibration) -> Figure:
    """Verdicts by ten points of total: as decided, decided above the verdict, decided below it."""
    with house_style():
        figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=_DPI)
        axes = figure.add_axes((0.07, 0.5 / _HEIGHT, 0.91, 2.25 / _HEIGHT))
        bands = calibration.bands
        alike = bands["n_verdicts"] - bands["n_over"] - bands["n_under"]
        places = range(bands.height)
        bottom = [0] * bands.height
        kinds = {"decided as the verdict": (alike, _ALIKE), "decided above it": (bands["n_over"], _ABOVE),
                 "decided below it": (bands["n_under"], _BELOW)}  # fmt: skip
        for label, (counts, colour) in kinds.items():
            axes.bar(places, counts, bottom=bottom, width=0.82, color=colour, label=label)
            bottom = [low + n for low, n in zip(bottom, counts, strict=True)]
        most = max(bottom, default=0) or 1
        for place, (share, top) in enumerate(zip(bands["agreement"], bottom, strict=True)):
            _write(axes, place, top + most * 0.03, f"{share:.0%}", ha="center", color=_INK, size=7.5)
        axes.set(xlim=(-0.6, max(bands.height, 1) - 0.4), ylim=(0, most * 1.14))
        axes.set_xticks(
            list(places), [f"{low} to {high}" for low, high in bands.select("low", "high").rows()]
        )
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        axes.set_ylabel("verdicts", color=_SOFT, fontsize=8)
        axes.set_xlabel("points of the story", color=_SOFT, fontsize=8)
        n_verdicts, n_alike = int(bands["n_verdicts"].sum()), int(alike.sum())
        say(figure, f"{n_alike:,} of {n_verdicts:,} verdicts say what was decided; their share by points")
        axes.grid(axis="y")
        axes.spines["left"].set_visible(False)
        _legend(axes)
        return figure


def _legend(axes: Axes) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(-0.005, 1.0), ncols=4, fontsize=7.5, handlelength=1,
                columnspacing=1.2, borderpad=0, labelcolor=_SOFT)  # fmt: skip


def _write(axes: Axes, x: float, y: float, text: str, **look: Any) -> None:
    axes.text(x, y, safe.plain_text(text), parse_math=False, **look)
