"""How the simulated week compares with real sets: sizes, activity, engagement, gaps, words.

Run: python -m benchmarks.quality.sample_shape [folder of the real sets, default ../shared/data]
Without the folder only the simulated column is printed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import TfidfVectorizer

from brandkit.simulate import Simulation, simulate

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data"
QUANTILES = (0.5, 0.9, 0.99)
_HEADLINES = 3_000


def main(folder: Path = REAL) -> None:
    """Print the table, in Markdown."""
    week = simulate()
    print("| what | simulated week | real set |")
    print("|---|---|---|")
    for what, ours, theirs in _rows(week, folder):
        print(f"| {what} | {ours} | {theirs} |")
    if not folder.is_dir():
        print(f"\n{folder} is not there: nothing to compare with.", file=sys.stderr)


def _rows(week: Simulation, folder: Path) -> Iterable[tuple[str, str, str]]:
    truth = week.truth_items.unique("item", maintain_order=True)
    items = _first_sightings(week)
    size = truth.group_by("story").len()["len"]
    planted = week.truth_stories.filter(pl.col("n_items") >= 8)["n_items"]
    uci = _real(folder / "news_stories_uci/items.parquet")
    stories = _real(folder / "news_stories_uci/truth.parquet")
    yield "items alone in their story", f"{(size == 1).sum() / truth.height:.0%}", "labelled sets have none"
    yield (
        "items of a story, of those with 8 or more (UCI keeps the larger)",
        _spread(planted), _spread(stories["story"].value_counts()["count"] if stories is not None else None),
    )  # fmt: skip
    domains = items.filter(pl.col("item_type") == "article")["domain"].drop_nulls()
    hosts = None if uci is None else uci["publisher"]
    yield "publishers per item (per 1,000)", _per_thousand(domains), _per_thousand(hosts)
    yield "publishers: slope of log count on log rank", _slope(domains), _slope(hosts)
    yield "publishers: the busiest one's share", _top(domains), _top(hosts)
    yield (
        "same headline twice, unrelated",
        _twice(items),
        "0.7% (any pair, news_stories_uci)" if uci is not None else "-",
    )
    yield from _social_rows(items, folder)


def _social_rows(items: pl.DataFrame, folder: Path) -> Iterable[tuple[str, str, str]]:
    uci = _real(folder / "news_stories_uci/items.parquet")
    hn = _real(folder / "hacker_news/posts.parquet")
    reddit = _real(folder / "reddit_hourly/snapshots.parquet")
    board = _count(items.filter(pl.col("source") == "plazaboard"), "reactions")
    chirps = _count(items.filter(pl.col("source") == "chirpline"), "reactions")
    points = None if hn is None else hn["num_points"]
    yield "engagement of a board's posts (hacker_news points)", _spread(board), _spread(points)
    yield "the same, spread of its logarithm", _log_spread(board), _log_spread(points)
    top = None if reddit is None else reddit.group_by("id").agg(pl.max("score"))["score"]
    yield (
        "spread of the logarithm, microblog (reddit_hourly, its front page only)",
        _log_spread(chirps),
        _log_spread(top),
    )
    authors = None if hn is None else hn["author"]
    accounts = items.filter(pl.col("item_type") == "post")["account"].drop_nulls()
    yield "posts per account: share with one", _once(accounts), _once(authors)
    shares = _real(folder / "fake_news/shares.parquet")
    yield (
        "gaps between reports of a story, minutes (fake_news shares)",
        _spread(_gaps(items)),
        _spread(_share_gaps(shares)),
    )
    yield (
        "headline length, characters",
        _spread(items["title"].str.len_chars()),
        _spread(None if uci is None else uci["title"].str.len_chars()),
    )
    strangers = items.filter(pl.col("kind") == "single")["title"]
    strange = None if hn is None else hn["title"].drop_nulls()
    yield (
        f"cosine of a stranger's nearest stranger (TF-IDF, {_HEADLINES:,})",
        _nearest(strangers),
        _nearest(strange),
    )
    yield f"different words in {_HEADLINES:,} strangers' headlines", _words(strangers), _words(strange)


def _real(path: Path) -> pl.DataFrame | None:
    return pl.read_parquet(path) if path.exists() else None


def _first_sightings(week: Simulation) -> pl.DataFrame:
    number = pl.coalesce(pl.col("url").str.extract(r"/(\d+)(?:[?#]|$)", 1), "native_id")
    domain = pl.col("url").str.to_lowercase().str.extract(r"//(?:www\.)?([^/:]+)", 1)
    truth = week.truth_items.unique("item", maintain_order=True).select("item", "story", "kind")
    return (
        week.items.with_columns(item=number, domain=domain)
        .drop_nulls("item")
        .unique("item", keep="last", maintain_order=True)
        .join(truth, on="item", maintain_order="left")
    )


def _spread(values: pl.Series | None) -> str:
    if values is None or values.is_empty():
        return "-"
    return " / ".join(f"{values.drop_nulls().cast(pl.Float64).quantile(q) or 0:,.0f}" for q in QUANTILES)


def _count(items: pl.DataFrame, name: str) -> pl.Series:
    return items[name].cast(pl.Int64, strict=False).drop_nulls()


def _log_spread(values: pl.Series | None) -> str:
    if values is None:
        return "-"
    return f"{np.log(values.filter(values > 0).to_numpy()).std():.2f}"


def _activity(values: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return (
        values.drop_nulls()
        .value_counts()
        .sort("count", descending=True)["count"]
        .to_numpy()
        .astype(np.float64)
    )


def _slope(values: pl.Series | None) -> str:
    if values is None:
        return "-"
    count = _activity(values)
    count = count[count >= 2]
    slope = float(np.polyfit(np.log(np.arange(1, len(count) + 1)), np.log(count), 1)[0])
    return f"{slope:.2f}"


def _per_thousand(values: pl.Series | None) -> str:
    if values is None:
        return "-"
    first = values.sample(min(2_400, len(values)), seed=1)
    return f"{1_000 * first.n_unique() / len(first):.0f}"


def _top(values: pl.Series | None) -> str:
    return "-" if values is None else f"{_activity(values)[0] / len(values):.1%}"


def _once(values: pl.Series | None) -> str:
    return "-" if values is None else f"{(_activity(values) == 1).mean():.0%}"


def _twice(items: pl.DataFrame) -> str:
    told = items.filter(pl.col("kind") == "single")["title"]
    return f"{told.is_duplicated().sum() / max(1, told.len()):.1%}"


def _gaps(items: pl.DataFrame) -> pl.Series:
    at = pl.col("published_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False)
    told = items.filter(pl.col("kind") != "single").with_columns(at=at).drop_nulls("at").sort("at")
    return told.select(m=pl.col("at").diff().over("story").dt.total_seconds() / 60)["m"].drop_nulls()


def _share_gaps(shares: pl.DataFrame | None) -> pl.Series | None:
    if shares is None:
        return None
    # A share a year later is another story: gaps within the first week are compared.
    week_ms = 7 * 86_400_000
    early = shares.filter(pl.col("t_ms") - pl.col("t_ms").min().over("article_id") < week_ms)
    return early.sort("t_ms").select(m=pl.col("t_ms").diff().over("article_id") / 60_000)["m"].drop_nulls()


def _nearest(titles: pl.Series | None) -> str:
    if titles is None:
        return "-"
    drawn = titles.sample(min(_HEADLINES, len(titles)), seed=1).to_list()
    vectors = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), stop_words="english").fit_transform(
        drawn
    )
    likeness = (vectors @ vectors.T).tocsr()
    likeness.setdiag(0)
    nearest = np.asarray(likeness.max(axis=1).todense()).ravel()
    return " / ".join(f"{np.quantile(nearest, q):.2f}" for q in QUANTILES)


def _words(titles: pl.Series | None) -> str:
    if titles is None:
        return "-"
    drawn = titles.sample(min(_HEADLINES, len(titles)), seed=1).str.to_lowercase()
    return f"{drawn.str.split(' ').explode().n_unique():,}"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else REAL)
