"""Stories at size: ``python -m benchmarks.bench_stories [--rows N] [--days D]``.

Made headlines: words drawn by Zipf's law from 120,000, a third of the items in stories of Pareto size
whose words they mostly repeat. Beside ``cluster_stories`` a simple baseline in the same run, on the
first ``--baseline`` rows: scikit-learn's TF-IDF, cosine neighbours, connected components.
"""

from __future__ import annotations

import argparse
import resource
from datetime import UTC, datetime
from time import perf_counter, process_time

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

from benchmarks.quality.stories import b_cubed
from brandkit.signals.stories import cluster_stories

START = datetime(2026, 3, 1, tzinfo=UTC)
_VOCABULARY, _MOST_WORDS, _TELLING = 120_000, 12, 9
_IN_STORIES, _LARGEST = 0.35, 400


def headlines(n: int, days: float, seed: int = 1) -> pl.DataFrame:
    """Made headlines: item_id, title, published_at, story (-1 for none), in no order."""
    rng = np.random.default_rng(seed)
    weight = 1 / (np.arange(_VOCABULARY) + 12.0)
    heap = np.cumsum(weight / weight.sum())
    sizes = np.minimum(2 * (1 - rng.random(n)) ** (-1 / 1.3), _LARGEST).astype(np.int64)
    sizes = sizes[np.cumsum(sizes) <= n * _IN_STORIES]
    story = np.full(n, -1)
    story[: sizes.sum()] = np.repeat(np.arange(len(sizes)), sizes)
    words = np.searchsorted(heap, rng.random((n, _MOST_WORDS)))
    # Four words of a story are its own, five are any; six words of ten in a report are the story's.
    pool = np.searchsorted(heap, rng.random((len(sizes), _TELLING)))
    pool[:, :4] = rng.integers(2_000, _VOCABULARY, (len(sizes), 4))
    told = np.flatnonzero(story >= 0)
    place = np.where(
        rng.random((len(told), _MOST_WORDS)) < 0.5,
        rng.integers(0, 4, (len(told), _MOST_WORDS)),
        rng.integers(0, _TELLING, (len(told), _MOST_WORDS)),
    )
    from_pool = pool[story[told][:, None], place]
    words[told] = np.where(rng.random((len(told), _MOST_WORDS)) < 0.6, from_pool, words[told])
    at = rng.random(n) * days * 86_400
    begin = rng.random(len(sizes)) * max(days - 2, 0.5) * 86_400
    at[told] = begin[story[told]] + rng.exponential(36_000, len(told))
    kept = np.arange(_MOST_WORDS) < rng.integers(5, 11, n)[:, None]
    names = np.array([f"w{i}x" for i in range(_VOCABULARY)])
    title = pl.DataFrame(np.where(kept, names[words], "")).select(
        pl.concat_str(pl.all(), separator=" ").str.strip_chars()
    )
    order = rng.permutation(n)
    instant = pl.lit(START) + pl.duration(microseconds=pl.Series((at[order] * 1e6).astype(np.int64)))
    return pl.select(
        item_id=pl.format("{}", pl.int_range(n).cast(pl.String).str.zfill(8)),
        title=title.to_series().gather(order),
        published_at=instant.cast(pl.Datetime("us", "UTC")),
        story=pl.Series(story[order]),
    )


def baseline(rows: pl.DataFrame, *, least: float = 0.5) -> np.ndarray:
    """TF-IDF, ten nearest neighbours by cosine, connected components."""
    vectors = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)).fit_transform(rows["title"].to_list())
    near = NearestNeighbors(n_neighbors=10, metric="cosine", n_jobs=2).fit(vectors)
    distance, other = near.kneighbors(vectors)
    row = np.repeat(np.arange(rows.height), 10)[(distance <= 1 - least).ravel()]
    column = other.ravel()[(distance <= 1 - least).ravel()]
    graph = csr_matrix((np.ones(len(row)), (row, column)), shape=(rows.height, rows.height))
    return np.asarray(connected_components(graph, directed=False)[1])


def main() -> None:
    """Print seconds, memory and quality of both, in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_stories", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--days", type=float, default=1.0)
    parser.add_argument("--baseline", type=int, default=20_000)
    given = parser.parse_args()
    print("| what | rows | wall s | CPU s | peak GiB | precision | recall |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    rows = headlines(given.rows, given.days)
    few = rows.head(given.baseline)
    _measured("cluster_stories", rows, lambda: cluster_stories(rows)["story_id"])
    if given.baseline:
        _measured("cluster_stories", few, lambda: cluster_stories(few)["story_id"])
        _measured("TF-IDF, neighbours, components", few, lambda: pl.Series("story_id", baseline(few)))


def _measured(name: str, rows: pl.DataFrame, call: object) -> None:
    wall, cpu = perf_counter(), process_time()
    found = call()  # type: ignore[operator]
    wall, cpu = perf_counter() - wall, process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    gold = pl.when(pl.col("story") < 0).then("item_id").otherwise(pl.col("story").cast(pl.String))
    precision, recall = b_cubed(rows.with_columns(gold=gold, found=found), "found", "gold")
    cells = f"{rows.height:,} | {wall:.1f} | {cpu:.1f} | {peak:.2f} | {precision:.3f} | {recall:.3f}"
    print(f"| {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
