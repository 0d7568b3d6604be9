"""Finding names: one vectorised pass against reading word by word, and against a bare substring search.

``python -m benchmarks.bench_mentions --rows 200000`` prints both, for many names and for a profile's.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time

import polars as pl

from benchmarks.measure import Comparison, compare, seconds, table
from brandkit.signals.mentions import find_mentions
from tests.reference_mentions import Reference

SAMPLE = Path(__file__).parents[1] / "data" / "sample" / "items-2026-03-04.parquet"
MANY, PROFILE = 5_000, 50
# Short, ambiguous or oddly written; none of them need occur.
ODD = (
    "GE", "HP", "US", "IT", "EU", "Gap", "Visa", "Ford", "Apple", "Target", "AT&T", "H&M", "P&G", "3M",
    "7-Eleven", "C++", "C#", "Yahoo!", "Disney+", "McDonald's", "Macy's", "L'Oréal", "Coca-Cola", "S&P 500",
    "东京", "삼성",
)  # fmt: skip
# Word by word takes milliseconds a title; what this many show is scaled up.
_PLAIN = 500


def aliases(titles: Sequence[str], n: int, *, seed: int = 7) -> list[str]:
    """``n`` names: the odd ones, and runs of one to four words out of the titles, drawn by a seed."""
    rng = random.Random(seed)
    found = dict.fromkeys(ODD[: max(1, n // 10)])
    while len(found) < n:
        words = rng.choice(titles).split()
        length = min(rng.choice((1, 1, 2, 2, 3, 4)), len(words))
        start = rng.randrange(len(words) - length + 1)
        if run := " ".join(words[start : start + length])[:200]:
            found[run] = None
    return sorted(found)


def repeated(titles: Sequence[str], n: int) -> pl.DataFrame:
    """The titles over and over until there are ``n``, each time with another word at the end."""
    return pl.DataFrame({"title": [f"{titles[i % len(titles)]} {i}" for i in range(n)]})


def per_second(items: pl.DataFrame, names: Sequence[str]) -> tuple[float, float, float]:
    """Titles a second of ``find_mentions`` and of ``contains_any`` beside it, and the first a CPU second."""
    known = {name: [name] for name in names}
    lowered = [name.lower() for name in names]
    text = pl.col("title").str
    bare = seconds(lambda: items.select(text.contains_any(lowered, ascii_case_insensitive=True)))
    begun = process_time()
    exact = seconds(lambda: find_mentions(items, known), repeats=3)
    cpu = (process_time() - begun) / 3
    return items.height / exact, items.height / bare, items.height / cpu


def finding(rows: int, n_names: int, *, titles: Sequence[str]) -> Comparison:
    """``n_names`` in ``rows`` titles, and whether a part of them gives what word by word gives."""
    items, names = repeated(titles, rows), {name: [name] for name in aliases(titles, n_names)}
    found = find_mentions(items, names)
    fast = seconds(lambda: find_mentions(items, names))
    slow = Reference(names)
    part = found.head(_PLAIN)
    begun = perf_counter()
    expected = [slow.find(title)[1] for title in part["title"]]
    took = (perf_counter() - begun) * rows / part.height
    return compare(
        f"{n_names:,} names, against word by word", rows, fast_s=fast, slow_s=took, target=20,
        equal=part["entities_in_title"].to_list() == expected, sampled=part.height,
    )  # fmt: skip


def main() -> None:
    """Print the comparisons, and titles a second beside a bare substring search."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_mentions", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="how many titles")
    rows = parser.parse_args().rows
    titles = pl.read_parquet(SAMPLE)["title"].drop_nulls().to_list()
    print(table([finding(rows, n, titles=titles) for n in (PROFILE, MANY)]))
    for n in (PROFILE, MANY):
        exact, bare, cpu = per_second(repeated(titles, rows), aliases(titles, n))
        print(f"{n:,} names: {exact:,.0f} titles a second ({cpu:,.0f} a CPU second)", end=", ")
        print(f"{bare / exact:.1f} times the time of contains_any")


if __name__ == "__main__":
    main()
