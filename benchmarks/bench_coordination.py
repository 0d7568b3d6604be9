"""Coordination at size: ``python -m benchmarks.bench_coordination [--shares N] [--window S]``.

Made shares: objects and accounts as popular as Zipf's law has it, each object's shares dying away
after it came out, planted rings that push their own objects within seconds, and one viral object.
Each line is measured in a process of its own; beside ``coordinated_pairs`` stands a bare bucket
equi-join, which counts the meetings and does nothing else.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from datetime import UTC, datetime
from time import perf_counter

import numpy as np
import polars as pl

from brandkit.signals.coordination import coordinated_pairs, mass_sharing
from brandkit.signals.coordination_evidence import coordination_evidence

START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 30
_RING_SIZE, _RING_OBJECTS, _RING_SECONDS = 10, 12, 30


def made_shares(
    n: int, *, seed: int = 1, n_rings: int = 20, is_part: float = 1.0, hot: float = 0.019, n_topics: int = 1
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Made shares (account, object, shared_at), in no order, and the ring of each planted account.

    ``is_part`` is the share of a ring's objects that each of its accounts takes part in; ``hot`` the
    share of all shares that the most popular object has. With topics an account shares things of its
    own topic only, but for that one object.
    """
    rng = np.random.default_rng(seed)
    n_objects, n_accounts = max(n // 10, 50), max(n * 8 // 100, 50)
    account = _zipf(rng, n_accounts, n, flat=100.0)
    thing = _zipf(rng, n_objects // n_topics, n, flat=20.0) * n_topics + account % n_topics
    thing[rng.random(n) < hot] = 0
    born = rng.random(n_objects) * (DAYS - 2) * 86_400
    # Half of a thing's shares come at once, the rest whenever its readers wake.
    at = born[thing] + rng.exponential(np.where(rng.random(n) < 0.5, 900, 40_000))
    # A ring's accounts look like the others; what they push together comes on top.
    rings = rng.choice(np.arange(n_accounts // 10, n_accounts), (n_rings, _RING_SIZE), replace=False)
    pushed = rng.integers(0, n_objects, (n_rings, _RING_OBJECTS))
    ring, member, what = np.nonzero(rng.random((n_rings, _RING_SIZE, _RING_OBJECTS)) < is_part)
    begin = rng.random((n_rings, _RING_OBJECTS)) * DAYS * 86_400
    account = np.concatenate([account, rings[ring, member]])
    thing = np.concatenate([thing, pushed[ring, what]])
    at = np.concatenate([at, begin[ring, what] + rng.random(len(ring)) * _RING_SECONDS])
    shares = _frame(rng, account, thing, at)
    planted = {f"a{one:07}": i for i, accounts in enumerate(rings) for one in accounts}
    return shares, planted


def viral(n: int, *, minutes: float = 30, seed: int = 1) -> pl.DataFrame:
    """One object shared ``n`` times by as many accounts, each of which shared one other thing too."""
    rng = np.random.default_rng(seed)
    account = np.tile(np.arange(n), 2)
    thing = np.concatenate([np.zeros(n, dtype=np.int64), 1 + np.arange(n) // 5])
    at = np.concatenate([rng.random(n) * minutes * 60, rng.random(n) * DAYS * 86_400])
    return _frame(rng, account, thing, at)


def _zipf(rng: np.random.Generator, n: int, size: int, *, flat: float) -> np.ndarray:
    weight = 1 / (np.arange(n) + flat)
    return np.searchsorted(np.cumsum(weight / weight.sum()), rng.random(size)).clip(0, n - 1)


def _frame(rng: np.random.Generator, account: np.ndarray, thing: np.ndarray, at: np.ndarray) -> pl.DataFrame:
    order = rng.permutation(len(account))
    seconds = pl.lit(pl.Series("at", at[order].astype(np.int64)))
    return pl.DataFrame({"account": account[order], "object": thing[order]}).select(
        account=pl.format("a{}", pl.col("account").cast(pl.String).str.zfill(7)),
        object=pl.format("o{}", pl.col("object").cast(pl.String).str.zfill(7)),
        shared_at=(pl.lit(START) + pl.duration(seconds=seconds)).cast(pl.Datetime("us", "UTC")),
    )


def bare_join(shares: pl.DataFrame, window_s: float) -> pl.LazyFrame:
    """Meetings of two accounts by a bucket equi-join and nothing else, counted for each pair."""
    width = round(window_s * 1e6)
    left = shares.lazy().select("account", "object", at=pl.col("shared_at").dt.epoch("us"))
    left = left.with_columns(bucket=pl.col("at") // width)
    right = pl.concat([left, left.with_columns(pl.col("bucket") - 1)])
    gap = pl.col("at_right") - pl.col("at")
    return (
        left.join(right, on=["object", "bucket"])
        .filter(
            (pl.col("account") != pl.col("account_right"))
            & (gap <= width)
            & ((gap > 0) | ((gap == 0) & (pl.col("account") < pl.col("account_right"))))
        )
        .group_by(
            a=pl.min_horizontal("account", "account_right"), b=pl.max_horizontal("account", "account_right")
        )
        .agg(n_objects=pl.col("object").n_unique(), n_events=pl.len())
        .filter(pl.col("n_objects") >= 2)
    )


_LINES = ("bare bucket join", "coordinated_pairs", "mass_sharing", "coordination_evidence")


def _measured(line: str, *, n: int, window_s: float, is_viral: bool) -> tuple[float, float, int]:
    """Seconds, how much memory grew by (GiB), and rows of one line; call it in a process of its own."""
    shares = viral(n) if is_viral else made_shares(n)[0]
    calls = {
        "bare bucket join": lambda: bare_join(shares, window_s),
        "coordinated_pairs": lambda: coordinated_pairs(shares, window_s=window_s),
        "mass_sharing": lambda: mass_sharing(shares, window_s=window_s),
        "coordination_evidence": lambda: coordination_evidence(shares, window_s=window_s),
    }
    start = perf_counter()
    rows = calls[line]().collect().height
    return perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, rows


def main() -> None:
    """Print seconds and peak memory of every line, in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_coordination", description=__doc__)
    parser.add_argument("--shares", type=int, default=1_000_000)
    parser.add_argument("--viral", type=int, default=100_000, help="shares of the one viral object")
    parser.add_argument("--window", type=float, nargs="+", default=[10.0, 60.0, 300.0])
    parser.add_argument("--line", choices=_LINES, help=argparse.SUPPRESS)
    parser.add_argument("--is-viral", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.line:
        n = given.viral if given.is_viral else given.shares
        print(*_measured(given.line, n=n, window_s=given.window[0], is_viral=given.is_viral))
        return
    print("| shares | window s | what | rows | wall s | to the bare join | peak GiB, the shares included |")
    print("|---|---:|---|---:|---:|---:|---:|")
    for window in given.window:
        _table(f"{given.shares:,}", [f"--shares={given.shares}", f"--window={window}"], window)
    _table(f"one viral object, {given.viral:,}", [f"--viral={given.viral}", "--is-viral", "--window=60"], 60)


def _table(name: str, options: list[str], window: float) -> None:
    bare = 0.0
    # A bare join writes down every two of a viral object's shares: gigabytes by the dozen.
    for line in _LINES[1:] if "--is-viral" in options else _LINES:
        command = [sys.executable, "-m", "benchmarks.bench_coordination", f"--line={line}", *options]
        # The middle of three, each in a fresh process.
        said = sorted(_said(command) for _ in range(3))[1]
        bare = said[0] if line == _LINES[0] else bare
        ratio = f"{said[0] / bare:.2f}" if bare else "not run"
        print(
            f"| {name} | {window:g} | {line} | {said[2]:,.0f} | {said[0]:.2f} | {ratio} | {said[1]:.2f} |",
            flush=True,
        )


def _said(command: list[str]) -> list[float]:
    answer = subprocess.run(command, capture_output=True, check=True, text=True)
    return [float(part) for part in answer.stdout.split()]


if __name__ == "__main__":
    main()
