"""A picture of accounts that share the same things together: one circle a group, one line a pair."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from brandkit import safe
from brandkit.report import palette
from brandkit.report.charts import house_style, shortened
from brandkit.signals.coordination_evidence import coordinated_groups

MOST_GROUPS = 12
MOST_ACCOUNTS = 400
MOST_LINES = 20_000
# More names than this round the circles could not be read.
_MOST_NAMES, _NAME = 45, 16
_INK, _SOFT = palette.INK, palette.SOFT
_LINE, _NODE, _CHANCE = palette.PAIR, palette.ACCOUNT, palette.BY_CHANCE
_DPI = 144
# Inches.
_WIDTH, _HEAD, _FOOT, _GAP, _CAPTION, _LEAST = 9.4, 0.5, 0.34, 0.16, 0.34, 1.5
# The most that a letter of a title takes; its type is narrower on the whole.
_LETTER = 0.096


@dataclass(frozen=True, slots=True)
class _Circle:
    names: list[str]
    n_accounts: int
    pairs: pl.DataFrame
    n_pairs: int
    radius: float
    margin: float = 0.0
    x: float = 0.0
    y: float = 0.0

    @property
    def angles(self) -> NDArray[np.float64]:
        """Where each account stands. Half a step on, so that two names lie flat and none stands upright."""
        n = len(self.names)
        return np.asarray(2 * np.pi * (np.arange(n) + 0.5) / n - np.pi / 2)

    @property
    def tall(self) -> float:
        """From the middle to the end of the lowest name."""
        return max((self.radius + self.margin) * float(np.abs(np.sin(self.angles)).max()), 0.2)


def coordination_network(pairs: pl.DataFrame, *, most_groups: int = MOST_GROUPS) -> Figure:
    """Groups of accounts as circles, largest first; a line is a pair, the heavier the more they shared.

    A pair whose like is expected by chance (``n_by_chance`` of 1 or more) is a thin grey line. The same
    pairs give the same picture, in whatever order. What is not drawn is counted in it.

    Shape: ``pairs`` of ``coordinated_pairs``: account_a, account_b, n_objects, and n_by_chance where known.
    """
    groups = coordinated_groups(pairs).collect()
    shown = groups["group"].unique(maintain_order=True).head(most_groups)
    left = groups.filter(~pl.col("group").is_in(shown.implode()))
    circles = [_circle(groups.filter(pl.col("group") == name), pairs) for name in shown]
    has_names = sum(len(circle.names) for circle in circles) <= _MOST_NAMES
    placed, depth = _placed([_with_room(circle) for circle in circles] if has_names else circles)
    height = _HEAD + max(depth, 0.4) + _FOOT
    with house_style():
        title = _title(groups)
        width = _width(placed, title)
        figure = Figure(figsize=(width, height), dpi=_DPI)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, width), ylim=(height, 0))
        axes.axis("off")
        _write(axes, 0.15, 0.2, title, color=_INK, size=10.5, weight="bold")
        most = max((max(circle.pairs["n_objects"].to_list()) for circle in circles), default=1)
        for circle in placed:
            _draw(axes, circle, most=most, has_names=has_names)
        _legend(axes, pairs, width=width, height=height)
        if left.height:
            n_left = left["group"].n_unique()
            more = f"and {n_left:,} more {'group' if n_left == 1 else 'groups'} of {left.height:,} accounts"
            _write(axes, width - 0.15, height - 0.17, more, color=_SOFT, ha="right")
        return figure


def acting_together(records: pl.DataFrame) -> pl.DataFrame:
    """The pairs that records carry as evidence, each once: a frame for ``coordination_network``.

    Shape: account_a, account_b, n_objects, median_gap_s; sorted. A run keeps at most 50 pairs a story.
    """
    pairs = records.select(pl.col("coordination").explode(empty_as_null=False, keep_nulls=False))
    return pairs.unnest("coordination").unique().sort("account_a", "account_b", "n_objects")


def described(pairs: pl.DataFrame) -> str:
    """The picture in one line, for whoever cannot see it."""
    return _title(coordinated_groups(pairs).collect())


def _title(groups: pl.DataFrame) -> str:
    if groups.is_empty():
        return "No accounts that share the same things together"
    n = groups["group"].n_unique()
    n_pairs = groups.unique("group")["n_pairs"].sum()
    return (
        f"{groups.height:,} accounts in {n:,} {'group' if n == 1 else 'groups'}, "
        f"{n_pairs:,} {'pair' if n_pairs == 1 else 'pairs'} that shared the same things together"
    )


def _circle(members: pl.DataFrame, pairs: pl.DataFrame) -> _Circle:
    kept = (
        members.sort("n_partners", "account", descending=[True, False]).head(MOST_ACCOUNTS)["account"].sort()
    )
    inside = pl.col("account_a").is_in(kept.implode()) & pl.col("account_b").is_in(kept.implode())
    if "n_by_chance" not in pairs.columns:
        pairs = pairs.with_columns(n_by_chance=pl.lit(None, dtype=pl.Float64))
    order = ["n_objects", "account_a", "account_b"]
    lines = pairs.filter(inside).sort(order, descending=[True, False, False]).head(MOST_LINES)
    radius = float(np.clip(0.17 * np.sqrt(kept.len()), 0.4, 2.6))
    return _Circle(_round(kept, lines), members.height, lines, members["n_pairs"][0], radius)


def _round(names: pl.Series, lines: pl.DataFrame) -> list[str]:
    """The names in an order that keeps partners close on the circle."""
    known = pl.Enum(names)
    a, b = (
        lines[end].cast(known).to_physical().to_numpy().astype(np.int32) for end in ("account_a", "account_b")
    )
    both = (np.concatenate([a, b]), np.concatenate([b, a]))
    graph = coo_array((np.ones(2 * len(a)), both), shape=(len(names), len(names))).tocsr()
    return names.gather(reverse_cuthill_mckee(graph, symmetric_mode=True).astype(np.int64)).to_list()


def _with_room(circle: _Circle) -> _Circle:
    longest = max(len(shortened(name, _NAME)) for name in circle.names)
    return replace(circle, margin=0.14 + 0.057 * longest)


def _placed(circles: list[_Circle]) -> tuple[list[_Circle], float]:
    """The circles in rows from the left, and how deep the rows are in all."""
    placed: list[_Circle] = []
    x, y, deep = _GAP, 0.0, 0.0
    for circle in circles:
        half = circle.radius + circle.margin
        wide = max(2 * half, _LEAST)
        if placed and x + wide + _GAP > _WIDTH:
            x, y, deep = _GAP, y + deep, 0.0
        placed.append(replace(circle, x=x + wide / 2, y=_HEAD + y + circle.tall))
        x, deep = x + wide + _GAP, max(deep, 2 * circle.tall + _CAPTION + _GAP)
    return placed, y + deep


def _width(placed: list[_Circle], title: str) -> float:
    """As wide as the circles and the title need, so that one group is no picture of empty paper."""
    ends = [circle.x + max(circle.radius + circle.margin, _LEAST / 2) + _GAP for circle in placed]
    return min(max([*ends, 0.3 + _LETTER * len(title)]), _WIDTH)


def _draw(axes: Axes, circle: _Circle, *, most: int, has_names: bool) -> None:
    n = len(circle.names)
    angle = circle.angles
    dots = np.column_stack(
        [circle.x + circle.radius * np.cos(angle), circle.y + circle.radius * np.sin(angle)]
    )
    _draw_pairs(axes, circle, dots, most=most)
    size = float(np.clip(2 * np.pi * circle.radius / n * 72 * 0.55, 2.2, 6))
    axes.plot(dots[:, 0], dots[:, 1], "o", color=_NODE, markeredgecolor="#ffffff", markeredgewidth=0.4,
              markersize=size, zorder=3)  # fmt: skip
    if has_names:
        for name, (x, y), turn in zip(circle.names, dots, angle, strict=True):
            _name(axes, name, x, y, turn)
    below = circle.y + circle.tall
    of = f"{n:,} of {circle.n_accounts:,}" if n < circle.n_accounts else f"{n:,}"
    pairs = "pair" if circle.n_pairs == 1 else "pairs"
    told = f"{of} accounts, {circle.n_pairs:,} {pairs}"
    _write(axes, circle.x, below + 0.16, told, color=_SOFT, ha="center", size=7.5)


def _draw_pairs(axes: Axes, circle: _Circle, dots: NDArray[np.float64], *, most: int) -> None:
    known = pl.Enum(circle.names)
    ends = [circle.pairs[end].cast(known).to_physical().to_numpy() for end in ("account_a", "account_b")]
    lines = np.stack([dots[ends[0]], dots[ends[1]]], axis=1)
    by_chance = (
        circle.pairs.select((pl.col("n_by_chance") >= 1).fill_null(value=False)).to_series().to_numpy()
    )
    weight = np.sqrt(circle.pairs["n_objects"].to_numpy() / max(most, 1))
    # A thousand lines across one circle are a smudge at the strength at which ten can be seen.
    faint = float(np.clip(6 / np.sqrt(max(len(lines), 1)), 0.1, 0.85))
    for rows, colour, wide in ((by_chance, _CHANCE, 0.4), (~by_chance, _LINE, 2.0 * min(faint * 1.5, 1))):
        widths = 0.3 + wide * weight[rows]
        axes.add_collection(
            LineCollection(list(lines[rows]), colors=colour, linewidths=widths, alpha=faint), autolim=False
        )


def _name(axes: Axes, name: str, x: float, y: float, turn: float) -> None:
    is_left = np.cos(turn) < -1e-9
    degrees = -np.degrees(turn) + (180 if is_left else 0)
    x, y = x + 0.09 * np.cos(turn), y + 0.09 * np.sin(turn)
    _write(axes, x, y, shortened(name, _NAME), color=_SOFT, size=6.5, ha="right" if is_left else "left",
           rotation=degrees, rotation_mode="anchor")  # fmt: skip


def _legend(axes: Axes, pairs: pl.DataFrame, *, width: float, height: float) -> None:
    if pairs.is_empty():
        return
    counts = pairs["n_objects"].to_list()
    kinds = [(n, 0.3 + 2.0 * float(np.sqrt(n / max(counts)))) for n in sorted({min(counts), max(counts)})]
    marks = [Line2D([], [], color=_LINE, linewidth=wide, label=f"{n:,} shared") for n, wide in kinds]
    if "n_by_chance" in pairs.columns and (pairs["n_by_chance"] >= 1).any():
        marks.append(Line2D([], [], color=_CHANCE, linewidth=0.8, label="no more than chance gives"))
    axes.legend(handles=marks, loc="center left", bbox_to_anchor=(0.08 / width, 0.17 / height),
                ncols=len(marks), fontsize=7.5, handlelength=1.6, columnspacing=1.4, borderpad=0,
                labelcolor=_SOFT)  # fmt: skip


def _write(axes: Axes, x: float, y: float, text: str, **look: Any) -> None:
    axes.text(x, y, safe.plain_text(text), parse_math=False, **{"va": "center", **look})
