"""The past of many series at once: level, rhythm, deviation and the last day's high, as matrices.

A row is one unbroken history of one series, a column its n-th count. Everything runs along the rows
and only forwards, so a value never depends on a later count, nor on what other series there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# The memory of level and deviation: a week halves the say of a count, so that three Mondays matter.
HALF_LIFE_H = 168.0
# The rhythm remembers four weeks of each hour of the day, and eight of each hour of the week.
DAYS_KEPT, WEEKS_KEPT = 28, 8
# Occurrences an hour needs before half of what it showed is believed.
PRIOR_OCCURRENCES = 4.0
# Stabilised counts have deviation 1 where only chance moves them, and less where they are nearly
# all zero; a past that is quieter still is luck.
LEAST_DEVIATION = 0.5
# The deviation is in doubt while the past is short.
MIN_HISTORY_H = 24.0
MIN_SAMPLES = 12
# A count speaks for at most the day before it, and a silence of a quarter starts a new history.
SAMPLE_SPEAKS_H = 24.0
SILENCE_H = 24.0 * 91
# A high of the day that chance alone makes; what four weeks of days really reached replaces it, days
# counting from the least of them.
USUAL_HIGH, LEAST_HIGH = 3.0, 2.0
PRIOR_DAYS = 7.0
# Usual highs that make half a burst, and the bar: the middle of the plateau that the benchmark shows.
# Steps count from it, so that the first count above it is always told.
BAR = 1.65
# A growing event is told again where it climbs to a higher step than the last day knew.
STEP = 1.25
HIGH_H = 24

_DAY, _WEEK = 24, 168
# Cells of a block; some twenty matrices of this size are alive at once.
_CELLS = 1_000_000
# Growing weights stay finite: 64 steps of at most a quarter are 832 half-lives.
_CHUNK = 64
_NEVER = -2048
_ONE_HOUR = 4096


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of each count, in the order given; nan where the past is too short.

    excess is in usual highs of a day, expected on the stabilised scale; is_high says that no hour of
    the last day reached the same step.
    """

    excess: Floats
    expected: Floats
    history_h: Floats
    is_high: Bools


@dataclass(frozen=True, slots=True)
class _Block:
    rows: Ints
    there: Bools
    value: Floats
    age_h: Floats
    hour: Ints

    @property
    def n_hours(self) -> int:
        """Whole weeks, so that days and weeks can be folded over each other."""
        return int(-(-(self.hour.max() + 1) // _WEEK) * _WEEK)


def measure(value: Floats, at_h: Floats, hour: Ints, series: Ints) -> Measured:
    """Every count against its own past.

    ``value`` is stabilised; ``at_h`` and ``hour`` are hours since any epoch, exact and by the clock;
    ``series`` numbers the series. Sorted by series and instant, without nulls.
    """
    n = len(value)
    found = Measured(np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, dtype=bool))
    for block in _blocks(value, at_h, hour, series):
        z, expected, history_h = _against_past(block)
        excess = z / _usual_high(block, z)
        is_high = _is_high(block, excess)
        rows = block.rows[block.there]
        found.excess[rows] = excess[block.there]
        found.expected[rows] = expected[block.there]
        found.history_h[rows] = history_h[block.there]
        found.is_high[rows] = is_high[block.there]
    return found


def _blocks(value: Floats, at_h: Floats, hour: Ints, series: Ints) -> Iterator[_Block]:
    """Histories of like length side by side, so that little of a matrix is padding."""
    if len(value) == 0:
        return
    breaks = (np.diff(series) != 0) | (np.diff(at_h) > SILENCE_H)
    starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    lengths = np.diff(np.append(starts, len(value)))
    # A clock that is set back stays in the hour it was in.
    first_hour = hour[starts] // _DAY * _DAY
    spans = hour[starts + lengths - 1] - first_hour + _WEEK
    sizes = np.maximum(lengths, spans)
    order = np.argsort(-sizes, kind="stable")
    at = 0
    while at < len(order):
        some = order[at : at + max(1, _CELLS // int(sizes[order[at]]))]
        at += len(some)
        column = np.arange(lengths[some].max())
        there = column < lengths[some, None]
        rows = np.minimum(starts[some, None] + column, len(value) - 1)
        since = hour[rows] - first_hour[some, None]
        yield _Block(
            rows=rows,
            there=there,
            value=np.where(there, value[rows], 0.0),
            age_h=np.where(there, at_h[rows] - at_h[starts[some], None], 0.0),
            hour=np.maximum.accumulate(np.where(there, since, 0), axis=1),
        )


def _against_past(block: _Block) -> tuple[Floats, Floats, Floats]:
    """Deviations above level and rhythm, what was expected, and how long the past is."""
    level = _past_mean(block.value, block)
    departs = np.where(np.isnan(level), 0.0, block.value - level)
    rhythm = _rhythm(departs, block)
    surprise = departs - rhythm
    deviation = np.sqrt(_past_mean(surprise**2, block))
    step_h = np.diff(block.age_h, axis=1, prepend=0.0).clip(0.0, SAMPLE_SPEAKS_H)
    history_h = _before(np.cumsum(step_h, axis=1), np.nan)
    enough = (history_h >= MIN_HISTORY_H) & (np.arange(block.value.shape[1]) >= MIN_SAMPLES)
    z = np.where(enough, surprise / np.maximum(deviation, LEAST_DEVIATION), np.nan)
    return z, np.where(enough, level + rhythm, np.nan), history_h


def _before(along: NDArray[np.float64], first: float) -> Floats:
    """Each row moved on by one column."""
    return np.concatenate([np.full((len(along), 1), first), along[:, :-1]], axis=1)


def _past_mean(value: Floats, block: _Block) -> Floats:
    """The exponentially weighted mean of what came strictly before; nan for the first of a row."""
    mean = np.full_like(value, np.nan)
    weight_so_far, sum_so_far, since = (np.zeros((len(value), 1)) for _ in range(3))
    for start in range(0, value.shape[1], _CHUNK):
        part = slice(start, start + _CHUNK)
        age_h, there = block.age_h[:, part], block.there[:, part]
        # Weights count from the first age of the chunk; what was carried on has faded until then.
        origin = np.maximum(age_h[:, :1], since)
        faded = np.exp2((since - origin) / HALF_LIFE_H)
        weight = np.where(there, np.exp2(np.where(there, age_h - origin, 0.0) / HALF_LIFE_H), 0.0)
        weights = np.cumsum(np.concatenate([weight_so_far * faded, weight], axis=1), axis=1)
        sums = np.cumsum(np.concatenate([sum_so_far * faded, weight * value[:, part]], axis=1), axis=1)
        np.divide(sums[:, :-1], weights[:, :-1], out=mean[:, part], where=weights[:, :-1] > 0)
        weight_so_far, sum_so_far, since = weights[:, -1:], sums[:, -1:], origin
    return mean


def _rhythm(departs: Floats, block: _Block) -> Floats:
    """What the same hour of earlier days, and of earlier weeks, departed from the level by.

    Hours are taken whole and only when they are over; what few of them showed is believed in part.
    """
    n_rows, n_hours = len(departs), block.n_hours
    cell = (np.arange(n_rows)[:, None] * n_hours + block.hour)[block.there]
    counts = np.bincount(cell, minlength=n_rows * n_hours)
    sums = np.bincount(cell, weights=departs[block.there], minlength=n_rows * n_hours)
    is_seen = (counts > 0).reshape(n_rows, n_hours)
    hourly = (sums / np.maximum(counts, 1)).reshape(n_rows, n_hours)
    by_day = _usual(hourly, is_seen, period=_DAY, kept=DAYS_KEPT)
    by_week = _usual(np.where(is_seen, hourly - by_day, 0.0), is_seen, period=_WEEK, kept=WEEKS_KEPT)
    return np.take_along_axis(by_day + by_week, block.hour, axis=1)


def _usual(hourly: Floats, is_seen: Bools, *, period: int, kept: int) -> Floats:
    """For each hour the shrunken mean of its last ``kept`` earlier occurrences."""
    folded = (len(hourly), -1, period)
    sums = _last(hourly.reshape(folded), kept)
    seen = _last(is_seen.reshape(folded).astype(np.float64), kept)
    return (sums / (seen + PRIOR_OCCURRENCES)).reshape(hourly.shape)


def _last(folded: NDArray[np.float64], kept: int) -> NDArray[np.float64]:
    """Sums of the ``kept`` occurrences before each, along the middle axis."""
    total = np.cumsum(folded, axis=1)
    before = np.zeros_like(total)
    before[:, 1:] = total[:, :-1]
    before[:, kept + 1 :] -= total[:, : -kept - 1]
    return before


def _usual_high(block: _Block, z: Floats) -> Floats:
    """The geometric mean of the highs of the days before: what the series is wont to do.

    It makes one bar fit counts of five minutes and of an hour, and calm and nervous series.
    """
    n_rows, n_hours = len(z), block.n_hours
    known = ~np.isnan(z) & block.there
    day = (np.arange(n_rows)[:, None] * (n_hours // _DAY) + block.hour // _DAY)[known]
    highs = np.full(n_rows * n_hours // _DAY, np.nan)
    if len(day):
        starts = np.concatenate([[0], np.flatnonzero(np.diff(day)) + 1])
        highs[day[starts]] = np.maximum.reduceat(z[known], starts)
    by_day = highs.reshape(n_rows, -1, 1)
    is_seen = ~np.isnan(by_day)
    logs = np.log(np.where(is_seen, np.maximum(by_day, LEAST_HIGH), 1.0))
    days = _last(is_seen.astype(np.float64), DAYS_KEPT) + PRIOR_DAYS
    usual = np.exp((_last(logs, DAYS_KEPT) + PRIOR_DAYS * np.log(USUAL_HIGH)) / days)
    return np.take_along_axis(usual[:, :, 0], block.hour // _DAY, axis=1)


def _is_high(block: _Block, excess: Floats) -> Bools:
    """Whether a count stands on a higher step than every count of the last 24 hours of the clock."""
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.floor(np.log(excess / BAR) / np.log(STEP) + 1e-9)
    step = np.where(excess > 0, np.clip(step, _NEVER + 1, -_NEVER - 1), _NEVER).astype(np.int64)
    # A later hour outweighs every step, so the running maximum starts afresh with each hour.
    running = np.maximum.accumulate(block.hour * _ONE_HOUR + (step - _NEVER), axis=1)
    earlier = np.concatenate([np.full((len(excess), 1), -1), running[:, :-1]], axis=1)
    this_hour = np.where(earlier // _ONE_HOUR == block.hour, earlier % _ONE_HOUR + _NEVER, _NEVER)
    n_rows, n_hours = len(excess), block.n_hours
    highs = np.full((n_rows, HIGH_H + n_hours), _NEVER, dtype=np.int64)
    # The last count of an hour holds the hour's high and is written last.
    row, _ = np.nonzero(block.there)
    highs[row, HIGH_H + block.hour[block.there]] = running[block.there] % _ONE_HOUR + _NEVER
    past_day = _window_max(highs, HIGH_H)[:, :n_hours]
    before = np.maximum(np.take_along_axis(past_day, block.hour, axis=1), this_hour)
    return (step > before) & (excess > 0)


def _window_max(values: Ints, width: int) -> Ints:
    """Maxima of ``width`` neighbours, starting at each: doubled until the window is covered."""
    best, covered = values, 1
    while covered < width:
        more = min(covered, width - covered)
        best = np.maximum(best[:, : best.shape[1] - more], best[:, more:])
        covered += more
    return best
