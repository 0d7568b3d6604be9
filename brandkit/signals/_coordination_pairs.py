"""Meetings of accounts on an object, found in sorted arrays: the work behind ``coordination``.

Shares stand sorted by object and time, on one line on which two shares are within the window of each
other exactly where their places are. So those close to a share are a stretch of the line, found by
bisection, and only pairs that did meet are ever written down.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
# Places on a line: of those there may be hundreds of millions.
Rows = NDArray[np.int32]
_NONE = np.empty(0, dtype=np.int32)
_BLOCK = 4_000_000
_ONE_NUMBER = 2**62


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as a meeting, and which accounts and pairs are looked at."""

    window_us: int
    min_objects: int
    min_posts: int
    cap: int


@dataclass(frozen=True, slots=True)
class Line:
    """Shares as numbers, sorted by object, time and account; names are looked up by them."""

    accounts: pl.Series
    objects: pl.Series
    account: Numbers
    object: Numbers
    at: Numbers

    def of(self, rows: Flags) -> Line:
        """The line with some of its shares only; names keep their numbers."""
        return Line(self.accounts, self.objects, self.account[rows], self.object[rows], self.at[rows])

    def both(self) -> pl.Series:
        """Account and object of each share as one number."""
        return pl.Series(self.account * len(self.objects) + self.object)

    def active(self, rules: Rules) -> Flags:
        """For each account: whether it has enough objects and enough shares."""
        n_shares = np.bincount(self.account, minlength=len(self.accounts))
        seen = self.both().unique().to_numpy() // max(len(self.objects), 1)
        n_objects = np.bincount(seen, minlength=len(self.accounts))
        return (n_shares >= rules.min_posts) & (n_objects >= rules.min_objects)


@dataclass(frozen=True, slots=True)
class Meetings:
    """Pairs of shares of different accounts, as places on a line; ``a`` is the first account by name."""

    line: Line
    a: Rows
    b: Rows

    def of(self, rows: Flags | Numbers) -> Meetings:
        """Some of the meetings."""
        return Meetings(self.line, self.a[rows], self.b[rows])

    def pair(self) -> Numbers:
        """Both accounts of each meeting as one number."""
        return self.line.account[self.a] * len(self.line.accounts) + self.line.account[self.b]

    def between(self, pairs: pl.DataFrame) -> Meetings:
        """The meetings of these pairs (account_a < account_b) only."""
        known = pl.DataFrame({"account": self.line.accounts}).with_row_index("place")
        for side in "ab":
            side_of = known.rename({"account": f"account_{side}", "place": side})
            pairs = pairs.join(side_of, on=f"account_{side}", how="inner")
        asked = pairs.select(pl.col("a").cast(pl.Int64) * len(self.line.accounts) + pl.col("b"))
        return self.of(np.isin(self.pair(), asked.to_series().to_numpy()))

    def named(self) -> pl.DataFrame:
        """One row a meeting, with names: account_a, account_b, object, at_a, at_b, gap_s; sorted."""
        line = self.line
        at_a, at_b = pl.Series(line.at[self.a]), pl.Series(line.at[self.b])
        return pl.DataFrame(
            {
                "account_a": line.accounts.gather(line.account[self.a]),
                "account_b": line.accounts.gather(line.account[self.b]),
                "object": line.objects.gather(line.object[self.a]),
                "at_a": at_a,
                "at_b": at_b,
                "gap_s": (at_a - at_b).abs() / 1e6,
            }
        ).sort("account_a", "account_b", "object", "at_a", "at_b")


def sorted_by(*columns: Numbers) -> Numbers:
    """The order of rows by these columns; rows equal in all of them may stand in any."""
    if len(columns[0]) == 0:
        return np.empty(0, dtype=np.int64)
    lows = [int(column.min()) for column in columns]
    widths = [int(column.max()) - low + 1 for column, low in zip(columns, lows, strict=True)]
    if math.prod(widths) < _ONE_NUMBER:
        # One number a row sorts twice as fast as several, and asks no plan of Polars.
        key = np.zeros(len(columns[0]), dtype=np.int64)
        for column, low, width in zip(columns, lows, widths, strict=True):
            key = key * width + (column - low)
        return pl.Series(key).arg_sort().to_numpy()
    frame = pl.DataFrame({str(i): column for i, column in enumerate(columns)})
    return frame.select(pl.arg_sort_by(frame.columns)).to_series().to_numpy()


def on_a_line(shares: pl.DataFrame) -> Line:
    """Shares without nulls (account, object, at in microseconds), as a line; repeats count once."""
    # Only the order of accounts means something: who is named first in a pair.
    names = {"account": shares["account"].unique().sort(), "object": shares["object"].unique()}
    # Both at once, side by side.
    places = shares.select(pl.col(name).cast(pl.Enum(known)).to_physical() for name, known in names.items())
    account, thing = (places[name].to_numpy().astype(np.int64) for name in names)
    at = shares["at"].to_numpy()
    order = sorted_by(thing, at, account)
    account, thing, at = account[order], thing[order], at[order]
    is_new = np.ones(len(at), dtype=np.bool_)
    is_new[1:] = (np.diff(account) != 0) | (np.diff(thing) != 0) | (np.diff(at) != 0)
    return Line(names["account"], names["object"], account[is_new], thing[is_new], at[is_new])


def find(line: Line, rules: Rules) -> Meetings:
    """The meetings of accounts that are active enough, and of pairs that are.

    Of an account without company on enough objects no meeting is found: no pair of it can be kept.
    """
    is_busy, left = None, line
    if rules.min_objects > 1 or rules.min_posts > 1:
        line = left = line.of(line.active(rules)[line.account])
        company = n_met(line, rules.window_us) > 0
        is_busy = _taking_part(line, company, rules) if rules.min_posts > 1 else None
    if rules.min_objects > 1:
        at_least = Rules(rules.window_us, rules.min_objects, 1, rules.cap)
        left = line.of(line.of(company).active(at_least)[line.account])
    found = _meetings(left, window_us=rules.window_us, cap=rules.cap)
    if is_busy is None:
        return found
    return found.of(is_busy[left.account[found.a]] | is_busy[left.account[found.b]])


def n_met(line: Line, window_us: int) -> Numbers:
    """How many shares of its object by others are within the window of each share."""
    first, end = _close(line.object, line.at, window_us)
    met = end - first
    both = line.both()
    # An account's other shares of the object are no meeting.
    again = np.flatnonzero(both.is_duplicated().to_numpy())
    own = both.to_numpy()[again]
    order = sorted_by(own, line.at[again])
    own_first, own_end = _close(own[order], line.at[again][order], window_us)
    met[again[order]] -= own_end - own_first - 1
    return met - 1


def _taking_part(line: Line, has_met: Flags, rules: Rules) -> Flags:
    """For each account: whether it has at least ``min_posts`` shares in posts that met.

    A post is what an account shares at one instant, so all that it shares then counts.
    """
    order = sorted_by(line.account, line.at)
    is_new = np.ones(len(order), dtype=np.int64)
    is_new[1:] = (np.diff(line.account[order]) != 0) | (np.diff(line.at[order]) != 0)
    post = np.cumsum(is_new) - 1
    in_met = np.zeros(len(order), dtype=np.bool_)
    in_met[post[has_met[order]]] = True
    n_shares = np.bincount(line.account[order][in_met[post]], minlength=len(line.accounts))
    return n_shares >= rules.min_posts


def _meetings(line: Line, *, window_us: int, cap: int) -> Meetings:
    """Shares of one object no further apart than the window, by different accounts.

    Of a bucket with more than ``cap`` shares the first ``cap`` are anchors: the first share of each
    account in order of name, then the second of each. A meeting without an anchor is left out, so
    work stays under ``cap`` times the shares; the first names are the same on the next object.
    """
    first, end = _close(line.object, line.at, window_us)
    is_anchor = _anchors(line, window_us=window_us, cap=cap)
    here = np.arange(len(line.at))
    parts = [
        _differing(line, early, late) for early, late in _stretches(here + 1, end, np.flatnonzero(is_anchor))
    ]
    n_plain = np.concatenate([[0], np.cumsum(~is_anchor)])
    rows = np.flatnonzero(is_anchor & (n_plain[here] > n_plain[first]))
    for anchor, before in _stretches(first, here, rows):
        # Those before an anchor that are anchors themselves have found it already.
        plain = ~is_anchor[before]
        parts.append(_differing(line, before[plain], anchor[plain]))
    a, b = (np.concatenate([part[i] for part in parts] or [_NONE]) for i in (0, 1))
    return Meetings(line, a, b)


def _differing(line: Line, one: Rows, other: Rows) -> tuple[Rows, Rows]:
    """Without meetings of an account with itself, the first account by name on the left."""
    left, right = line.account[one], line.account[other]
    differ = left != right
    in_order = left < right
    return np.where(in_order, one, other)[differ], np.where(in_order, other, one)[differ]


def _stretches(start: Numbers, end: Numbers, rows: Numbers) -> Iterator[tuple[Rows, Rows]]:
    """Each chosen row beside every row of its stretch; in blocks, so that what is dropped costs little."""
    length = (end - start)[rows]
    total = np.cumsum(length)
    n_blocks = int(total[-1]) // _BLOCK + 1 if len(total) else 0
    cuts = np.searchsorted(total, np.arange(1, n_blocks) * _BLOCK)
    for low, high in pairwise([0, *cuts.tolist(), len(rows)]):
        here, n = rows[low:high], length[low:high]
        before = np.cumsum(n) - n
        within = np.arange(n.sum()) + np.repeat(start[here] - before, n)
        yield np.repeat(here.astype(np.int32), n), within.astype(np.int32)


def _close(group: Numbers, at: Numbers, window_us: int) -> tuple[Numbers, Numbers]:
    """For each row, sorted by group and time: the first row within the window, and one past the last."""
    step = np.minimum(np.diff(at, prepend=at[:1]), window_us + 1)
    # A stranger is just out of reach; wide gaps cut down to that keep the sum far from overflow.
    step[np.flatnonzero(np.diff(group)) + 1] = window_us + 1
    place = np.cumsum(step)
    first = np.searchsorted(place, place - window_us)
    # Whom a row reaches backwards reaches it forwards, and the firsts only rise: counting them is enough.
    return first, np.cumsum(np.bincount(first, minlength=len(first)))


def _anchors(line: Line, *, window_us: int, cap: int) -> Flags:
    bucket = line.at // window_us
    starts = np.flatnonzero((np.diff(line.object, prepend=-1) != 0) | (np.diff(bucket, prepend=0) != 0))
    sizes = np.diff(np.append(starts, len(bucket)))
    is_anchor = np.ones(len(bucket), dtype=np.bool_)
    if not (sizes > cap).any():
        return is_anchor
    rows = np.flatnonzero(np.repeat(sizes > cap, sizes))
    place = np.repeat(starts, sizes)[rows]
    # The how manieth of its account in the bucket a share is, so that nobody crowds others out.
    by_account = np.lexsort((line.at[rows], line.account[rows], place))
    turn = np.empty(len(rows), dtype=np.int64)
    turn[by_account] = _nth(place[by_account], line.account[rows][by_account])
    in_turn = np.lexsort((line.account[rows], turn, place))
    nth = np.empty(len(rows), dtype=np.int64)
    nth[in_turn] = _nth(place[in_turn])
    is_anchor[rows] = nth < cap
    return is_anchor


def _nth(*groups: Numbers) -> Numbers:
    """The how manieth of its group each row is, counted from 0; equal rows stand together."""
    here = np.arange(len(groups[0]))
    is_new = np.zeros(len(here), dtype=np.bool_)
    is_new[:1] = True
    for group in groups:
        is_new[1:] |= np.diff(group) != 0
    return here - np.maximum.accumulate(np.where(is_new, here, 0))
