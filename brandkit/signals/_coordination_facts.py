"""What is known of each pair of accounts that met: how often, how regularly, and what chance gives."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammainc

from brandkit.signals._coordination_pairs import Line, Meetings, Numbers, Rules, find, n_met, sorted_by


def pairs_of(line: Line, rules: Rules) -> tuple[pl.DataFrame, Meetings]:
    """The pairs that met on enough objects, and their meetings.

    Shape: account_a, account_b and the facts that ``coordinated_pairs`` gives, sorted; before them
           pair, both accounts as one number.
    """
    met = _on_enough(find(line, rules), least=rules.min_objects)
    pairs = _folded(met, line)
    n_active = int(line.active(rules).sum())
    chance = _background(pairs, line, window_us=rules.window_us, n_active=n_active)
    one, other = np.divmod(pairs["pair"].to_numpy(), max(len(line.accounts), 1))
    names = {"account_a": line.accounts.gather(one), "account_b": line.accounts.gather(other)}
    # One plan for all: on a small frame each costs as much as the sorting.
    return (
        pairs.lazy().with_columns(pl.col(pl.Float64).round(4), **names, **chance).collect(engine="in-memory"),
        met,
    )


def _on_enough(found: Meetings, *, least: int) -> Meetings:
    """The meetings of pairs that met on enough objects, sorted by pair and object."""
    pair = found.pair()
    if least > 1:
        # Nearly all pairs meet once; those go first, by one sort of numbers.
        order = np.argsort(pair)
        n = _runs(pair[order])[1]
        often = order[np.repeat(n >= least, n)]
        found, pair = found.of(often), pair[often]
    thing = found.line.object[found.a]
    order = sorted_by(pair, thing)
    found, pair, thing = found.of(order), pair[order], thing[order]
    starts, n = _runs(pair)
    return found.of(np.repeat(_sums(_is_new(pair, thing), starts) >= least, n))


def _folded(met: Meetings, line: Line) -> pl.DataFrame:
    """One row a pair, from its meetings sorted by pair and object."""
    kept, pair = met.line, met.pair()
    starts, n = _runs(pair)
    thing, at_a, at_b = kept.object[met.a], kept.at[met.a], kept.at[met.b]
    is_first = _is_new(pair, thing)
    n_own, n_all = _n_own(kept), np.bincount(line.object, minlength=len(line.objects))
    own = _sums((n_own[met.a] + n_own[met.b]) * is_first, starts)
    gap = np.abs(at_a - at_b)
    gap = gap[sorted_by(pair, gap)]
    posts = [_sums(_is_new(pair, at[sorted_by(pair, at)]), starts) for at in (at_a, at_b)]
    low, middle, high = (_quantile(gap, starts, n, share) for share in (0.25, 0.5, 0.75))
    return pl.DataFrame(
        {
            "pair": pair[starts],
            "n_objects": _sums(is_first, starts),
            "n_events": n,
            "median_gap_s": middle,
            "symmetry": np.minimum(*posts) / np.maximum(*posts),
            "gap_spread_s": high - low,
            "spread_share": own / _sums(n_all[thing] * is_first, starts),
        }
    )


def _is_new(*groups: Numbers) -> Numbers:
    """1 where a row differs from the one before it, else 0."""
    differs = np.ones(len(groups[0]), dtype=np.int64)
    differs[1:] = np.logical_or.reduce([np.diff(group) != 0 for group in groups])
    return differs


def _runs(group: Numbers) -> tuple[Numbers, Numbers]:
    """Where each run of equal rows starts, and how long it is."""
    starts = np.flatnonzero(_is_new(group))
    return starts, np.diff(starts, append=len(group))


def _sums(values: Numbers, starts: Numbers) -> Numbers:
    return np.add.reduceat(values, starts) if len(starts) else np.zeros(0, dtype=np.int64)


def _quantile(gap: Numbers, starts: Numbers, n: Numbers, share: float) -> NDArray[np.float64]:
    """A quantile of each run, in seconds, between the two nearest where it falls between them."""
    place = share * (n - 1)
    low = np.floor(place).astype(np.int64)
    below = gap[starts + low]
    above = gap[starts + np.minimum(low + 1, n - 1)]
    seconds: NDArray[np.float64] = (below + (place - low) * (above - below)) / 1e6
    return seconds


def _n_own(line: Line) -> Numbers:
    """For each share: how many of its object are by its account."""
    n_own = line.both().to_frame("both").select(pl.len().over("both").cast(pl.Int64))
    return n_own.to_series().to_numpy()


def _background(pairs: pl.DataFrame, line: Line, *, window_us: int, n_active: int) -> dict[str, pl.Expr]:
    """What chance alone gives each pair, from how often *other* accounts met; in the order of the pairs.

    Shape: takes pair, n_objects, n_events; gives expected_events and n_by_chance.
    """
    n_names = max(len(line.accounts), 1)
    n = np.bincount(line.account, minlength=n_names).astype(np.float64)
    met = np.bincount(line.account, weights=n_met(line, window_us), minlength=n_names)
    a, b = np.divmod(pairs["pair"].to_numpy(), n_names)
    # Each meeting stands in ``met`` of both its accounts.
    others_met = met.sum() / 2 - met[a] - met[b] + pairs["n_events"].to_numpy()
    others = (n.sum() - n[a] - n[b]) ** 2 - ((n**2).sum() - n[a] ** 2 - n[b] ** 2)
    is_known = others > 0
    # One meeting more than was seen: that nobody else met does not prove that nobody could.
    rate = 2 * (np.maximum(others_met, 0) + 1) / np.where(is_known, others, 1)
    expected = rate * n[a] * n[b]
    by_chance = gammainc(pairs["n_objects"].to_numpy(), expected) * (n_active * (n_active - 1) / 2)
    known = pl.Series(is_known, dtype=pl.Boolean)
    return {
        "expected_events": pl.when(known).then(pl.Series(expected).round(4)),
        "n_by_chance": pl.when(known).then(pl.Series(by_chance).round_sig_figs(4)),
    }
