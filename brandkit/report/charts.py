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
from matplotlib.transforms import blended_transform_factory

from brandkit import safe
from brandkit.record.explain import Explanation, Step
from brandkit.report import palette
from brandkit.report.palette import COMPONENT_COLOURS as COMPONENT_COLOURS
from brandkit.report.palette import DECISION_COLOURS as DECISION_COLOURS
from brandkit.report.palette import TIER_COLOURS as TIER_COLOURS
from brandkit.report.palette import TONE_COLOURS as TONE_COLOURS

_INK, _SOFT, _LINE, _TAKEN = palette.INK, palette.SOFT, palette.LINE, palette.TAKEN
_KINDS = {"own": "our names", "rival": "rivals", "watched": "watched names"}
# A patch under a label, so that no line runs through its digits.
_CLEAR = {"facecolor": "#ffffff", "edgecolor": "none", "pad": 0.6}
_DPI = 144
# Inches: a picture that stands beside text, and fills a phone with its type still to be read.
COLUMN = 4.0
_COLUMN_DPI = 180


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

    # Flat colours and thin type: a palette keeps them at a third of the size. This one keeps a
    # colour of few points too; median cut would give them their neighbours'.
    target = io.BytesIO()
    flat = Image.open(io.BytesIO(data)).convert("RGB")
    small = flat.quantize(128, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(target, "PNG", optimize=True, dpi=(_DPI, _DPI))
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
    row, head, left, plot = (0.2, 0.66, 1.75, 2.85) if has_facts else (0.18, 0.62, 1.66, 2.0)
    foot = 0.06
    width = 9.4 if has_facts else COLUMN
    n_rows = len(bars) + 1
    height = head + foot + row * n_rows
    figure = Figure(figsize=(width, height), dpi=_DPI if has_facts else _COLUMN_DPI)
    axes = figure.add_axes((left / width, foot / height, plot / width, row * n_rows / height))
    axes.set(xlim=(0, 100), ylim=(n_rows - 0.5, -0.5), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.plot([0, 0], [-0.5, n_rows - 0.5], color=_LINE, linewidth=0.8, zorder=0, clip_on=False)
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
    title = shortened(explanation.title, 92) if has_facts else _in_short(explanation)
    size = 10.5 if has_facts else 9
    _write(axes, edge, -0.5 - (head - 0.16) / row, title, color=_INK, size=size, weight="bold")
    return figure


def _in_short(explanation: Explanation) -> str:
    margin = next(gate.margin for gate in explanation.gates if gate.name == "must_cover")
    where = f"{abs(margin)} {'over' if margin > 0 else 'short of'}" if margin else "exactly"
    return f"{explanation.total} points of 100, {where} must cover"


def _draw_bar(axes: Axes, y: int, bar: _Bar) -> None:
    start = bar.running - bar.points
    colour = _TAKEN if bar.is_taken else COMPONENT_COLOURS[bar.component]
    hatch = "/////" if bar.is_taken else None
    face = palette.TAKEN_FILL if bar.is_taken else colour
    if bar.points:
        edge = colour if bar.is_taken else COMPONENT_COLOURS["impact"]
        axes.barh(y, bar.points, left=start, height=0.66, color=face, edgecolor=edge,
                  linewidth=0.6, hatch=hatch)  # fmt: skip
    axes.plot([bar.running, bar.running], [y, y + 1], color=_LINE, linewidth=0.8, zorder=0)
    _write(axes, -2, y, bar.label, ha="right", color=_SOFT)
    _write(axes, max(start, bar.running) + 1.5, y, f"{bar.points:+d}", color=_INK, size=7.5, bbox=_CLEAR)


def _name_total(axes: Axes, y: int, explanation: Explanation) -> None:
    named = f"{explanation.decision.replace('_', ' ')} {explanation.total}"
    if explanation.total < 40:
        _write(axes, explanation.total + 1.5, y, named, color=_INK, weight="bold", bbox=_CLEAR)
        return
    ink = palette.DECISION_INKS[explanation.decision]
    _write(axes, explanation.total - 1.5, y, named, ha="right", color=ink, weight="bold")


def _thresholds(axes: Axes, explanation: Explanation, n_rows: int) -> None:
    margins = {line.name: line.margin for line in explanation.gates}
    # On two lines and to both sides, so that bars close together keep their names apart.
    for name, side, line in (("watch", "right", 0), ("optional", "left", 0), ("must_cover", "right", 1)):
        at = explanation.total - margins[name]
        above = -1.0 - 0.8 * line
        axes.plot([at, at], [above + 0.4, n_rows - 0.5], color=_SOFT, linewidth=0.8, linestyle=(0, (1, 2)),
                  zorder=0, clip_on=False)  # fmt: skip
        gap = -1 if side == "right" else 1
        _write(
            axes,
            at + gap,
            above,
            f"{name.replace('_', ' ')} {at}",
            ha=side,
            color=_SOFT,
            size=7.5,
            bbox=_CLEAR,
        )


# Who is spoken of, and when -----------------------------------------------------------------------


def share_of_voice(mentions: pl.DataFrame) -> Figure:
    """Items by name and by tier of who published them.

    Shape:  ``mentions`` as ``record.voice.summed`` gives it; names are drawn in the order they come in.
    """
    with house_style():
        names, n_rows = mentions["name"].to_list(), max(mentions.height, 1)
        height = 0.66 + 0.27 * n_rows
        figure = Figure(figsize=(COLUMN, height), dpi=_COLUMN_DPI)
        left = 1.36
        room = (left / COLUMN, 0.05 / height, 1 - (left + 0.06) / COLUMN, 0.27 * n_rows / height)
        axes = figure.add_axes(room)
        axes.set(ylim=(n_rows - 0.5, -0.5), xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        tiers = {f"tier {tier}" if len(tier) == 1 else tier: (f"items_{tier}", colour)
                 for tier, colour in TIER_COLOURS.items()}  # fmt: skip
        most = _stacked(axes, mentions, tiers)
        own = (mentions["kind"].cast(pl.String) == "own").to_list()
        for y, (name, is_own) in enumerate(zip(names, own, strict=True)):
            weight = "bold" if is_own else "normal"
            _write(axes, -most * 0.025, y, shortened(name, 17), ha="right", color=_INK, weight=weight)
        say(figure, "Items that name them, by tier of publisher")
        return figure


def say(figure: Figure, title: str) -> None:
    """What the picture says, at its top left."""
    figure.text(0.08 / figure.get_figwidth(), 1 - 0.15 / figure.get_figheight(), safe.plain_text(title),
                va="center", color=_INK, size=9, weight="bold", parse_math=False)  # fmt: skip


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
    axes.set_xlim(0, most * 1.3)
    for y, total in enumerate(totals):
        _write(axes, total + most * 0.02, y, f"{total:,}", color=_SOFT)
    _key(axes, handles)
    return most


def mentions_timeline(mentions: pl.DataFrame, *, bursts: pl.DataFrame | None = None) -> Figure:
    """Items that name somebody the profile covers, by hour; own names stand below the others.

    An hour in which a name burst has a mark over it, with the name.

    Shape:  ``mentions`` has hour (the desk's time), kind (own, rival, watched) and n_items, with a
            row for each hour and kind, also where it is 0; ``bursts`` name and at (the hour), the
            loudest first.
    """
    with house_style():
        kinds = [kind for kind in palette.KIND_COLOURS if (mentions["kind"] == kind).any()]
        height = 2.1 if len(kinds) < 2 else 2.3
        figure = Figure(figsize=(COLUMN, height), dpi=_COLUMN_DPI)
        axes = figure.add_axes((0.45 / COLUMN, 0.28 / height, 1 - 0.53 / COLUMN, 1.45 / height))
        hours = mentions["hour"].unique(maintain_order=True).to_list()
        bottom = [0] * len(hours)
        for kind in kinds:
            counts = mentions.filter(pl.col("kind") == kind)["n_items"].to_list()
            axes.bar(range(len(hours)), counts, bottom=bottom, width=0.82, label=_KINDS[kind],
                     color=palette.KIND_COLOURS[kind])  # fmt: skip
            bottom = [low + n for low, n in zip(bottom, counts, strict=True)]
        most = max(bottom, default=0)
        axes.set_xlim(-0.6, len(hours) - 0.4)
        _mark(axes, _marked(hours, bursts), bottom, most or 1)
        if most:
            _write(axes, bottom.index(most), most * 1.06, f"{most:,}", ha="center", color=_INK, size=7.5,
                   bbox=_CLEAR)  # fmt: skip
        axes.set_xticks(range(0, len(hours), 4), [f"{hour:%H:%M}" for hour in hours[::4]])
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.tick_params(labelsize=7.5)
        axes.grid(axis="y")
        axes.spines["left"].set_visible(False)
        if len(kinds) > 1:
            _key(axes, axes.get_legend_handles_labels()[0])
        say(figure, f"Items an hour that name {_KINDS[kinds[0]] if len(kinds) == 1 else 'them'}")
        return figure


def _key(axes: Axes, handles: Sequence[Any]) -> None:
    """The key of the colours, in one line over the axes."""
    # From the edge of the picture, for beside the axes a long key would run out of it.
    place = blended_transform_factory(axes.figure.transFigure, axes.transAxes)
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.02, 1.0), bbox_transform=place, ncols=4,
                fontsize=7.5, handlelength=1, columnspacing=0.9, handletextpad=0.5, borderpad=0,
                labelcolor=_SOFT)  # fmt: skip


# The letters that stand beside a mark wherever it is: half the hours of a day, two letters an hour.
_MOST_LETTERS = 17


def _marked(hours: Sequence[datetime], bursts: pl.DataFrame | None) -> dict[int, str]:
    """The places of the hours that burst, in their order, with the names that did."""
    if bursts is None or bursts.is_empty():
        return {}
    places = {hour.timestamp(): place for place, hour in enumerate(hours)}
    found: dict[int, list[str]] = {}
    for name, at in bursts.select("name", "at").rows():
        if (place := places.get(at.timestamp())) is not None:
            found.setdefault(place, []).append(name)
    return {place: _named(names) for place, names in sorted(found.items())}


def _named(names: Sequence[str]) -> str:
    both = ", ".join(names)
    if len(names) <= 2 and len(both) <= _MOST_LETTERS:
        return both
    rest = f" +{len(names) - 1}" if len(names) > 1 else ""
    return shortened(names[0], _MOST_LETTERS - len(rest)) + rest


def _mark(axes: Axes, marked: Mapping[int, str], tops: Sequence[int], top: float) -> None:
    """A mark over each hour that burst, its names beside it, in rows so that no two run into each other."""
    n_hours, rows = len(tops), list[list[tuple[float, float]]]()
    for place, names in marked.items():
        told = f"{names} burst"
        wide = 0.52 * len(told) * n_hours / 24
        is_right = place + 0.5 + wide <= n_hours
        start, end = (place - 0.5, place + 0.5 + wide) if is_right else (place - 0.5 - wide, place + 0.5)
        free = (n for n, taken in enumerate(rows) if all(end <= low or high <= start for low, high in taken))
        row = next(free, len(rows))
        rows[row:] = [[*rows[row], (start, end)], *rows[row + 1 :]] if row < len(rows) else [[(start, end)]]
        y = top * (1.24 + 0.17 * row)
        axes.plot([place, place], [tops[place], y], color=_TAKEN, linewidth=0.8, linestyle=(0, (1, 1.5)))
        axes.plot([place], [y], marker="v", color=_TAKEN, markersize=4, clip_on=False)
        side = "left" if is_right else "right"
        _write(
            axes, place + (0.5 if is_right else -0.5), y, told, ha=side, color=_TAKEN, size=7.5, bbox=_CLEAR
        )
    axes.set_ylim(0, top * (1.16 + 0.17 * len(rows)))
