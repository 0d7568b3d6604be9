"""Sentiment: how near the tone comes to what people heard, what it costs, and what it cannot hear.

Tweets: ``measure_sentiment`` against the mean of 20 human ratings, Pearson (with the ends of a 95 %
bootstrap interval of 1,000 draws, by seed) and Spearman; nothing is fitted, so there is no part to
choose on. The baseline adds up the valences of the same lexicon's words, squashed as VADER does it,
without any of the rules. "The right side" is over tweets that people rated 1 or more from neutral.

Language: texts of sets in English that are taken for another language (the few that are in one
count as errors too), and real titles in other languages (the page titles of GDELT's translingual
graph) that are.

Irony and facts: headlines of our own below, each with the side a reader would hear.

Speed: texts a second over 42,000 distinct ones, and the time as a ratio to VADER in a bare loop over
them in the same run; and rows a second where no row is to be measured.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import pearsonr, spearmanr

from benchmarks.quality.figures import Figure
from brandkit.signals.sentiment import TONE_CUT, measure_sentiment, tone

SEED, DRAWS = 20260302, 1_000
IRONIC = (
    "Great, another recall: just what Nordlys buyers hoped for",
    "Nordlys proudly presents its third outage this week",
    "What a triumph: Velmora ships the fix a year late",
    "Thanks, Nordlys, for the lovely smell of burning plastic",
    "Nothing says quality like a phone that melts",
    "Velmora wins the race to the bottom",
)
# Bad news for somebody without one bad word, by what an editor would hear.
PLAIN = (
    "Nordlys recalls 40,000 batteries",
    "Velmora closes two plants and sends 900 workers home",
    "Regulator opens file on Nordlys data transfers",
    "Nordlys shares down a fifth at the open",
    "Founder steps down at Velmora after board vote",
    "Nordlys app returns other customers' invoices",
)


def figures(folder: Path) -> Iterator[Figure]:
    """Every figure; those of a set that is missing are left out."""
    tweets = folder / "sentiment" / "tweets_GroundTruth.txt"
    if tweets.exists():
        yield from _tweets(_rated(tweets))
        yield from _speed(_rated(tweets)["title"])
    yield from _language(folder)
    for what, lines in (("ironic headlines of our own", IRONIC), ("bad news in plain words", PLAIN)):
        heard = _tones(pl.Series(lines))
        share = sum(one == "negative" for one in heard) / len(lines)
        yield Figure(f"{what} ({len(lines)})", "heard as negative", share, unit="%")


def _rated(path: Path) -> pl.DataFrame:
    lines = [line.split("\t", 2) for line in path.read_text(encoding="utf-8").splitlines()]
    return pl.DataFrame(
        {"rating": [float(rating) for _, rating, _ in lines], "title": [t for *_, t in lines]}
    )


def _tones(texts: pl.Series, cut: float = TONE_CUT) -> list[str]:
    found = measure_sentiment(texts.alias("title").to_frame())
    return found.select(tone(pl.col("sentiment") * (TONE_CUT / cut)).alias("tone"))["tone"].to_list()


def _tweets(rated: pl.DataFrame) -> Iterator[Figure]:
    heard = measure_sentiment(rated).drop_nulls("sentiment")
    what = f"tweets, {heard.height:,} of {rated.height:,} measured"
    ours, people = heard["sentiment"].to_numpy(), heard["rating"].to_numpy()
    bag = pearsonr(_bag(heard["title"].to_list()), people)[0]
    random = np.random.default_rng(SEED)
    draws = [random.integers(0, len(people), len(people)) for _ in range(DRAWS)]
    low, high = np.quantile([pearsonr(ours[at], people[at])[0] for at in draws], [0.025, 0.975])
    yield Figure(
        what, f"Pearson with the mean rating (95 %: {low:.3f} to {high:.3f})", pearsonr(ours, people)[0],
        at_least=0.85, baseline=f"the lexicon's words alone {bag:.3f}", published="VADER .881",
    )  # fmt: skip
    half = len(people) // 2
    for name, part in (("first half", slice(0, half)), ("second half", slice(half, None))):
        yield Figure(f"{what}, {name}", "Pearson", pearsonr(ours[part], people[part])[0], at_least=0.85)
    yield Figure(what, "Spearman", spearmanr(ours, people)[0])
    clear = heard.filter(pl.col("rating").abs() >= 1)
    side = pl.when(pl.col("rating") > 0).then(pl.lit("positive")).otherwise(pl.lit("negative"))
    right = clear.select((tone(pl.col("sentiment")).cast(pl.String) == side).mean()).item()
    yield Figure(f"tweets with a clear rating ({clear.height:,})", "on the right side", right, unit="%")


def _bag(texts: list[str]) -> np.ndarray:
    from vader.data.lexicon import LEXICON

    sums = np.array([sum(LEXICON.get(word, 0.0) for word in re.findall(r"[\w']+", t.lower())) for t in texts])
    return sums / np.sqrt(sums**2 + 15)


def _language(folder: Path) -> Iterator[Figure]:
    sets = {
        "news_stories_uci": "items.parquet", "clickbait": "headlines.parquet", "hacker_news": "posts.parquet",
        "fake_news": "articles.parquet",
    }  # fmt: skip
    titles = [
        pl.read_parquet(folder / name / file)["title"].drop_nulls()
        for name, file in sets.items()
        if (folder / name / file).exists()
    ]
    if titles:
        english = pl.concat(titles)
        yield Figure(
            f"English headlines ({len(english):,})", "of 10,000 taken for another language",
            10_000 * _unmeasured(english), at_most=10,
        )  # fmt: skip
        neutral = sum(one == "neutral" for one in _tones(titles[0])) / len(titles[0])
        yield Figure(f"{next(iter(sets))} ({len(titles[0]):,})", "neutral", neutral, unit="%")
    graph = folder / "gdelt" / "spark-gdelt_gkgT.csv"
    if graph.exists():
        found = re.findall(
            "<PAGE_TITLE>(.+?)</PAGE_TITLE>", graph.read_text(encoding="utf-8", errors="replace")
        )
        foreign = pl.Series([html.unescape(title) for title in found])
        share = _unmeasured(foreign)
        yield Figure(f"titles in other languages ({len(foreign)})", "not measured", share, unit="%")


def _unmeasured(titles: pl.Series) -> float:
    found = measure_sentiment(titles.alias("title").to_frame())["sentiment"]
    return found.null_count() / len(found)


def _speed(texts: pl.Series) -> Iterator[Figure]:
    from vader import SentimentIntensityAnalyzer

    # Another word at the end of each, so that no text is read once for two.
    frame = pl.concat([(texts + f" {n}").alias("title").to_frame() for n in range(10)]).rechunk()
    ours = _seconds(lambda: measure_sentiment(frame))
    hear = SentimentIntensityAnalyzer().polarity_scores
    bare = _seconds(lambda: [hear(text) for text in frame["title"]])
    nothing = _seconds(lambda: measure_sentiment(frame, only=pl.lit(value=False)))
    what = f"{frame.height:,} distinct tweets"
    yield Figure(
        what, "texts a second", frame.height / ours, baseline=f"VADER alone {frame.height / bare:,.0f}"
    )
    yield Figure(what, "time, as a ratio to VADER alone", ours / bare, at_most=1.5)
    yield Figure("rows that are not to be measured", "rows a second", frame.height / nothing)


def _seconds(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best
