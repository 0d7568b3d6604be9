"""Pictures of what was decided, in one house style: where the points came from, who is spoken of, when.

Each function gives a ``Figure`` of its own; nothing touches pyplot or another figure. Colours are
told apart by colour-blind readers, and no text is ever read as mathematics.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import as_file, files
from typing import Any

import matplotlib as mpl
import polars as pl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from brandkit import safe
from brandkit.record.explain import Explanation, Step

COMPONENT_COLOURS = {
    "impact": "#0072b2", "timeliness": "#56b4e9", "virality": "#e69f00",
    "relevance": "#009e73", "confidence": "#b06c96",
}  # fmt: skip
DECISION_COLOURS = {
    "must_cover": "#0b5cad", "optional": "#56b4e9", "watch": "#e69f00", "drop": "#8b929c", "block": "#8c1d18",
}  # fmt: skip
TIER_COLOURS = {"A": "#08406f", "B": "#2f7fbf", "C": "#8fbfe6", "unlisted": "#cfd6de"}
# Orange and a bluish green, which readers who see no red can tell; none is an outline.
TONE_COLOURS = {"negative": "#c8410b", "neutral": "#cfd6de", "positive": "#009e73", "unmeasured": ""}
_TAKEN = "#c8410b"
_INK, _SOFT, _LINE = "#1c2430", "#56606e", "#d9dee5"
_KINDS = {"own": "our names", "rival": "rivals", "watched": "watched names"}
# A patch under a label, so that no line runs through its digits.
_CLEAR = {"facecolor": "#ffffff", "edgecolor": "none", "pad": 0.6}
_DPI = 144


@contextmanager
def house_style() -> Iterator[None]:
    """The house style for the block, and what was set before after it."""
    with as_file(files("brandkit") / "defaults" / "house.mplstyle") as path:
        style = mpl.rc_params_from_file(path, use_default_template=False)
    with mpl.rc_context(style):
        yield


def png(figure: Figure) -> bytes:
    """The picture as PNG: the same figure gives the same bytes."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    target = io.BytesIO()
    with house_style(), warnings.catch_warnings():
        # A script the font lacks is drawn as boxes; the text beside the picture has it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        FigureCanvasAgg(figure)
        figure.savefig(target, format="png", metadata={"Software": None})
    return _smaller(target.getvalue())


def _smaller(data: bytes) -> bytes:
    from PIL import Image

    # Flat colours and thin type: a palette keeps them at a third of the size.
    target = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
        target, "PNG", optimize=True, dpi=(_DPI, _DPI)
    )
    return target.getvalue()


def shortened(text: str, most: int) -> str:
    """Text of one line and at most ``most`` characters."""
    # Nobody reads a megabyte: what stands so far behind is not even looked at.
    read = text[: 20 * most]
    line = safe.plain_text(read)
    return line if len(line) <= most and read == text else f"{line[: most - 1].rstrip()}…"


def _write(axes: Axes, x: float, y: float, text: str, **look: Any) -> None:
    axes.text(x, y, safe.plain_text(text), parse_math=False, **{"va": "center", **look})


# Waterfall ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Bar:
    component: str
    label: str
    points: int
    running: int
    fact: str
    is_taken: bool


def waterfall(explanation: Explanation) -> Figure:
    """Every step from 0 to the total, each with the fact behind it; dotted lines are the bars to clear."""
    with house_style():
        return _waterfall(explanation, _bars(explanation.steps), has_facts=True)


def waterfall_small(explanation: Explanation) -> Figure:
    """The waterfall for a card: steps of no points, facts and title left out."""
    with house_style():
        bars = [bar for bar in _bars(explanation.steps) if bar.points]
        return _waterfall(explanation, bars, has_facts=False)


def _bars(steps: Sequence[Step]) -> list[_Bar]:
    return [
        _Bar(s.component, s.name.replace("_", " "), s.points, s.running, s.fact, s.kind != "part")
        for s in steps
    ]


def _waterfall(explanation: Explanation, bars: Sequence[_Bar], *, has_facts: bool) -> Figure:
    # Inches: a row keeps its height whatever their number, so type is never squeezed.
    row, left, plot = 0.2, 1.75, 2.85
    width = 9.4 if has_facts else 4.9
    head, foot = (0.62, 0.06) if has_facts else (0.34, 0.06)
    n_rows = len(bars) + 1
    height = head + foot + row * n_rows
    figure = Figure(figsize=(width, height), dpi=_DPI)
    axes = figure.add_axes((left / width, foot / height, plot / width, row * n_rows / height))
    axes.set(xlim=(0, 100), ylim=(n_rows - 0.5, -0.5), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    edge = -(left - 0.08) / plot * 100
    _thresholds(axes, explanation, n_rows)
    for y, bar in enumerate(bars):
        _draw_bar(axes, y, bar)
        if y == 0 or bars[y - 1].component != bar.component:
            _write(axes, edge, y, bar.component, color=_INK, size=7.5, weight="bold")
        if has_facts:
            _write(axes, 108, y, shortened(bar.fact, 72), color=_SOFT, size=7.5)
    _write(axes, edge, n_rows - 1, "total", color=_INK, size=7.5, weight="bold")
    axes.barh(n_rows - 1, explanation.total, height=0.66, color=DECISION_COLOURS[explanation.decision])
    _name_total(axes, n_rows - 1, explanation)
    if has_facts:
        title = shortened(explanation.title, 92)
        _write(axes, edge, -0.5 - (head - 0.17) / row, title, color=_INK, size=10.5, weight="bold")
    return figure


def _draw_bar(axes: Axes, y: int, bar: _Bar) -> None:
    start = bar.running - bar.points
    colour = _TAKEN if bar.is_taken else COMPONENT_COLOURS[bar.component]
    hatch = "/////" if bar.is_taken else None
    face = "#fbe9e2" if bar.is_taken else colour
    if bar.points:
        axes.barh(y, bar.points, left=start, height=0.66, color=face, edgecolor=colour,
                  linewidth=0.6, hatch=hatch)  # fmt: skip
    axes.plot([bar.running, bar.running], [y, y + 1], color=_LINE, linewidth=0.8, zorder=0)
    _write(axes, -2, y, bar.label, ha="right", color=_SOFT)
    _write(axes, max(start, bar.running) + 1.5, y, f"{bar.points:+d}", color=_INK, size=7.5, bbox=_CLEAR)


def _name_total(axes: Axes, y: int, explanation: Explanation) -> None:
    named = f"{explanation.decision.replace('_', ' ')} {explanation.total}"
    if explanation.total < 40:
        _write(axes, explanation.total + 1.5, y, named, color=_INK, weight="bold", bbox=_CLEAR)
        return
    ink = "#ffffff" if explanation.decision in ("must_cover", "block") else "#10161e"
    _write(axes, explanation.total - 1.5, y, named, ha="right", color=ink, weight="bold")


def _thresholds(axes: Axes, explanation: Explanation, n_rows: int) -> None:
    margins = {line.name: line.margin for line in explanation.gates}
    sides = {"watch": "right", "optional": "center", "must_cover": "left"}
    for name, side in sides.items():
        at = explanation.total - margins[name]
        axes.plot([at, at], [-0.5, n_rows - 0.5], color=_SOFT, linewidth=0.8, linestyle=(0, (1, 2)), zorder=0)
        _write(axes, at, -1.0, f"{name.replace('_', ' ')} {at}", ha=side, color=_SOFT, size=6.5)


# Who is spoken of, and when -----------------------------------------------------------------------


def share_of_voice(mentions: pl.DataFrame) -> Figure:
    """Items by name and by tier of who published them.

    Shape:  ``mentions`` as ``record.voice.summed`` gives it; names are drawn in the order they come in.
    """
    with house_style():
        names = mentions["name"].to_list()
        n_rows = max(len(names), 1)
        figure = Figure(figsize=(9.4, 0.66 + 0.25 * n_rows), dpi=_DPI)
        height = 1 - 0.48 / figure.get_figheight()
        axes = figure.add_axes((0.16, 0.04, 0.82, height))
        axes.set(ylim=(n_rows - 0.4, -0.6), xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        tiers = {f"tier {tier}" if len(tier) == 1 else tier: (f"items_{tier}", colour)
                 for tier, colour in TIER_COLOURS.items()}  # fmt: skip
        most = _stacked(axes, mentions, tiers)
        own = mentions["kind"].cast(pl.String) == "own"
        for y, (name, is_own) in enumerate(zip(names, own, strict=True)):
            weight = "bold" if is_own else "normal"
            _write(axes, -most * 0.012, y, shortened(name, 22), ha="right", color=_INK, weight=weight)
        return figure


def _stacked(axes: Axes, mentions: pl.DataFrame, parts: Mapping[str, tuple[str, str]]) -> int:
    """Bars of items by part, one on the other, with their sum behind them; gives the longest."""
    totals = mentions["n_items"].to_list()
    most: int = max(totals, default=0) or 1
    left, handles = [0] * len(totals), []
    for label, (column, colour) in parts.items():
        counts = mentions[column].to_list()
        axes.barh(range(len(counts)), counts, left=left, height=0.68, color=colour)
        handles.append(Patch(label=label, color=colour))
        left = [start + n for start, n in zip(left, counts, strict=True)]
    axes.set_xlim(0, most * 1.08)
    for y, total in enumerate(totals):
        _write(axes, total + most * 0.01, y, f"{total:,}", color=_SOFT)
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(-0.005, 1.0), ncols=4, fontsize=7.5,
                handlelength=1, columnspacing=1.0, borderpad=0, labelcolor=_SOFT)  # fmt: skip
    return most


def mentions_timeline(mentions: pl.DataFrame, *, bursts: pl.DataFrame | None = None) -> Figure:
    """Items that name somebody the profile covers, by hour; own names stand below the others.

    An hour in which a name burst has a mark over it, with the name.

    Shape:  ``mentions`` has hour (the desk's time), kind (own, rival, watched) and n_items, with a
            row for each hour and kind, also where it is 0; ``bursts`` name and at (the hour), the
            loudest first.
    """
    with house_style():
        height = 2.1 if mentions["kind"].n_unique() < 2 else 2.35
        figure = Figure(figsize=(9.4, height), dpi=_DPI)
        axes = figure.add_axes((0.045, 0.3 / height, 0.945, 1.72 / height))
        hours = mentions["hour"].unique(maintain_order=True).to_list()
        bottom = [0] * len(hours)
        for kind, colour in {"own": "#0b5cad", "rival": "#e69f00", "watched": "#8fb8d9"}.items():
            counts = mentions.filter(pl.col("kind") == kind)["n_items"].to_list()
            if counts:
                axes.bar(
                    range(len(hours)), counts, bottom=bottom, width=0.82, color=colour, label=_KINDS[kind]
                )
                bottom = [low + n for low, n in zip(bottom, counts, strict=True)]
        marked = _marked(hours, bursts)
        top = max(bottom, default=0) or 1
        axes.set_xlim(-0.6, len(hours) - 0.4)
        _mark(axes, marked, bottom, top)
        axes.set_xticks(range(0, len(hours), 3), [f"{hour:%H:%M}" for hour in hours[::3]])
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
        axes.grid(axis="y")
        axes.spines["left"].set_visible(False)
        if axes.get_legend_handles_labels()[1][1:]:
            axes.legend(loc="lower left", bbox_to_anchor=(-0.005, 1.0), ncols=3, fontsize=7.5, handlelength=1,
                        columnspacing=1.2, borderpad=0, labelcolor=_SOFT)  # fmt: skip
        return figure


def _marked(hours: Sequence[datetime], bursts: pl.DataFrame | None) -> dict[int, str]:
    """The places of the hours that burst, in their order, with the names that did."""
    if bursts is None or bursts.is_empty():
        return {}
    places = {hour.timestamp(): place for place, hour in enumerate(hours)}
    found: dict[int, list[str]] = {}
    for name, at in bursts.select("name", "at").rows():
        if (place := places.get(at.timestamp())) is not None:
            found.setdefault(place, []).append(name)
    most = 2
    return {
        place: ", ".join(shortened(name, 18) for name in names[:most])
        + (f" +{len(names) - most}" if len(names) > most else "")
        for place, names in sorted(found.items())
    }


def _mark(axes: Axes, marked: Mapping[int, str], tops: Sequence[int], top: float) -> None:
    """A mark over each hour that burst, and its names in rows, so that no two run into each other."""
    ends: list[float] = []
    for place, names in marked.items():
        # A name is about as wide as a third of an hour for each of its letters.
        wide = 0.34 * len(names) * len(tops) / 24 + 0.6
        start = min(place + 0.45, len(tops) - wide)
        row = next((n for n, end in enumerate(ends) if end <= start), len(ends))
        ends[row : row + 1] = [start + wide]
        y = top * (1.1 + 0.14 * row)
        axes.plot([place, place], [tops[place], y], color=_TAKEN, linewidth=0.8, linestyle=(0, (1, 1.5)))
        axes.plot([place], [y], marker="v", color=_TAKEN, markersize=4.5, clip_on=False)
        _write(axes, start, y, f"{names} burst", color=_TAKEN, size=7.5, weight="bold")
    axes.set_ylim(0, top * (1.12 + 0.14 * len(ends)))
