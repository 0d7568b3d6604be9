"""Bursts at size: ``python -m benchmarks.bench_bursts [--series N] [--days D]``.

Made hourly counts, sorted and shuffled. Beside ``detect_bursts``, in the same run and on the same
rows, the least that an answer costs: Polars' own exponential mean and deviation of each series
before each count, without rhythm, usual highs, time-weighting or the rule that an event is told once.
"""

from __future__ import annotations

import argparse
import resource
from datetime import UTC, datetime, timedelta
from time import perf_counter

import numpy as np
import polars as pl

from brandkit.signals.bursts import detect_bursts

START = datetime(2025, 1, 1, tzinfo=UTC)
_BARE_SERIES = 1000


def counts(n_series: int, days: int, seed: int = 1) -> pl.DataFrame:
    """Made hourly counts of ``n_series`` brands."""
    hours = 24 * days
    at = pl.datetime_range(START, START + timedelta(hours=hours - 1), "1h", eager=True)
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "series": pl.Series(np.repeat(np.arange(n_series), hours)).cast(pl.String).str.zfill(6),
            "at": pl.concat([at] * n_series),
            "count": rng.poisson(3.0, n_series * hours),
        }
    )


def bare(frame: pl.DataFrame) -> pl.DataFrame:
    """The exponential mean and deviation before each count, and nothing else."""
    value = 2 * (pl.col("count") + 0.375).sqrt()
    mean = value.ewm_mean(half_life=168).shift(1).over("series")
    spread = value.ewm_std(half_life=168).shift(1).over("series")
    return frame.lazy().with_columns(z=(value - mean) / spread).collect()


def main() -> None:
    """Print seconds, and the ratio to the bare way."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_bursts", description=__doc__)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=365)
    given = parser.parse_args()
    few = counts(min(given.series, _BARE_SERIES), given.days)
    start = perf_counter()
    bare(few)
    bare_s = perf_counter() - start
    start = perf_counter()
    detect_bursts(few).collect()
    ours_s = perf_counter() - start
    start = perf_counter()
    detect_bursts(few.sample(fraction=1.0, shuffle=True, seed=1)).collect()
    shuffled_s = perf_counter() - start
    print(
        f"{few.height:,} rows: bare {bare_s:.1f} s, ours {ours_s:.1f} s ({ours_s / bare_s:.1f} times), ",
        end="",
    )
    print(f"shuffled {shuffled_s:.1f} s ({shuffled_s / bare_s:.1f} times)", flush=True)
    if given.series > _BARE_SERIES:
        many = counts(given.series, given.days)
        start = perf_counter()
        detect_bursts(many).collect()
        peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{many.height:,} rows: ours {perf_counter() - start:.1f} s; peak {peak_gib:.1f} GiB")


if __name__ == "__main__":
    main()
