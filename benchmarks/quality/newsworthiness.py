"""Newsworthiness, end to end: whether ``total`` says beforehand what people then took up.

Each set goes through the whole pipeline with a profile written for the beat before any outcome was
looked at, and no knob was turned afterwards. What happened later is never an input.

- press releases: 243 of UK universities in 2011, judged at the end of the day each came out; what
  happened: how many national outlets ran it. Titles alone, no text, no sender's domain, one beat.
- hacker_news: a sample of a year's posts, judged at the end of the day, points and comments left
  out; what happened: points. Its front page is ten thousand developers' taste, not a news desk's.
- reddit_hourly: posts on the front page, judged every six hours with the sightings until then, while
  they are at most six hours old; what happened: the highest score seen in the 24 hours after.

AUC is of ``total`` for being in the top quarter (for releases: for being run at all); the brackets
are 95 % bootstrap intervals, by post. ``.500`` and ``0`` are chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.quality.figures import Figure
from benchmarks.quality.intervals import auc, interval, spearman
from brandkit.assess import assess
from brandkit.normalise.identity import SEPARATOR, digest_expr
from brandkit.profile import BrandProfile
from brandkit.sources.files import scan_items

MAPPINGS = Path(__file__).resolve().parents[2] / "data" / "mappings"
DAY, EVERY_H, OPEN_H = timedelta(hours=24), 6, 6
COMPONENTS = ("impact", "timeliness", "virality", "relevance", "confidence")
# Beats as an editor would write them down on the first day.
HEALTH = {
    "id": "health",
    "pillars": [
        {"name": "cancer", "terms": ["cancer", "cancers", "tumour", "tumours", "leukaemia", "chemotherapy"]},
        {"name": "heart", "terms": ["heart", "stroke", "blood pressure", "cholesterol"]},
        {
            "name": "mind",
            "terms": ["dementia", "alzheimer's", "depression", "autism", "schizophrenia", "brain"],
        },
        {
            "name": "children",
            "terms": ["children", "child", "baby", "babies", "pregnancy", "pregnant", "mothers"],
        },
        {
            "name": "living",
            "terms": ["diet", "obesity", "alcohol", "smoking", "smokers", "exercise", "sleep"],
        },
        {
            "name": "care",
            "terms": ["nhs", "gps", "hospital", "hospitals", "patients", "vaccine", "drug", "drugs"],
        },
    ],
}
TECHNOLOGY = {
    "id": "technology",
    "watched": ["Google", "Apple", "Microsoft", "Facebook", "Amazon", "Tesla", "Uber", "Twitter"],
    "pillars": [
        {
            "name": "security",
            "terms": ["security", "vulnerability", "exploit", "breach", "hacked", "encryption"],
        },
        {"name": "privacy", "terms": ["privacy", "surveillance", "nsa", "fbi", "tracking"]},
        {"name": "machine learning", "terms": ["machine learning", "deep learning", "neural", "AI"]},
        {
            "name": "programming",
            "terms": ["rust", "python", "javascript", "linux", "compiler", "open source"],
        },
        {"name": "business", "terms": ["startup", "startups", "y combinator", "acquires", "ipo", "layoffs"]},
        {"name": "science", "terms": ["physics", "nasa", "spacex", "quantum", "mathematics"]},
    ],
}
NEWS = {
    "id": "news",
    "pillars": [
        {"name": "politics", "terms": ["trump", "biden", "election", "congress", "court", "president"]},
        {"name": "world", "terms": ["ukraine", "russia", "israel", "gaza", "china", "war", "strike"]},
        {"name": "disaster", "terms": ["earthquake", "crash", "fire", "killed", "dead", "tsunami"]},
        {"name": "crime", "terms": ["police", "shooting", "arrested", "murder", "charged"]},
        {"name": "money", "terms": ["billion", "economy", "inflation", "wages", "prices"]},
    ],
}  # fmt: skip


def figures(folder: Path) -> Iterator[Figure]:
    """AUC and Spearman of ``total``, and of a simple baseline, against what happened."""
    if (path := folder / "press_release_uptake" / "releases.csv").exists():
        yield from _figures("press releases", releases(path), simple="pr_words", least=1)
    if (path := folder / "hacker_news" / "posts.parquet").exists():
        yield from _figures("hacker_news", hacker_news(path), simple="title_length")
    if (path := folder / "reddit_hourly" / "snapshots.parquet").exists():
        posts = reddit(path)
        yield from _figures("reddit_hourly", posts, simple="present")
        yield from _figures("reddit_hourly, news-like", posts.drop_nulls("title"), simple="present")


def releases(path: Path) -> pl.DataFrame:
    """Judged press releases: records with ``outcome`` and ``pr_words``."""
    given = pl.read_csv(path)
    rows = given.select(
        native_id="ref", title="press_release_title", published_at=pl.col("pr_date") + "T09:00Z",
        item_type=pl.lit("statement"), source=pl.lit("universities"),
    )  # fmt: skip
    outcome = given.select("pr_words", native_id="ref", source=pl.lit("universities"), outcome="n_outlets")
    return _with_outcome(_judged_daily(rows, HEALTH), outcome)


def hacker_news(path: Path) -> pl.DataFrame:
    """Judged posts, without points and comments; ``outcome`` is the points."""
    given = pl.read_parquet(path).with_columns(
        native_id=pl.col("id").cast(pl.String), source=pl.lit("hacker_news")
    )
    rows = given.select(
        "native_id", "source", "title", target_url="url", account="author",
        published_at=pl.col("created_at") + "Z", item_type=pl.lit("post"),
    )  # fmt: skip
    outcome = given.select(
        "native_id", "source", outcome="num_points", title_length=pl.col("title").str.len_chars()
    )
    return _with_outcome(_judged_daily(rows, TECHNOLOGY), outcome)


def reddit(path: Path) -> pl.DataFrame:
    """Front-page posts judged every six hours; ``outcome`` is the highest score of the day after."""
    seen = pl.read_parquet(path).with_columns(
        at=(pl.col("date") + ":00").str.to_datetime("%Y-%m-%dT%H:%M", time_zone="UTC")
    )
    instants = seen["at"].unique().sort()
    moments = pl.datetime_range(instants[0] + DAY, instants[-1] - DAY, timedelta(hours=EVERY_H), eager=True)
    return pl.concat(_judged_then(seen, as_of) for as_of in moments)


def _judged_then(seen: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """The posts on the page at one moment, judged by what was seen until then."""
    before = seen.filter(pl.col("at").is_between(as_of - DAY, as_of, closed="right"))
    later = seen.filter(pl.col("at").is_between(as_of, as_of + DAY, closed="right"))
    items = scan_items(before.drop("at"), mapping=MAPPINGS / "reddit_hourly.toml")
    # A desk day that ends now: all that was collected in it has a record.
    profile = BrandProfile.from_dict({**NEWS, "day_starts": f"{as_of:%H:%M}"})
    records = assess(items, profile, as_of=as_of + timedelta(microseconds=1)).records
    peaks = later.group_by("id").agg(outcome=pl.col("score").max())
    young = pl.from_epoch("created").dt.replace_time_zone("UTC") >= as_of - timedelta(hours=OPEN_H)
    outcome = before.filter((pl.col("at") == as_of) & young).join(peaks, on="id", how="inner")
    return _with_outcome(
        records,
        outcome.select("outcome", native_id="id", source="subreddit_display_name", present="score"),
    )


def _judged_daily(rows: pl.DataFrame, document: dict[str, Any]) -> pl.DataFrame:
    """The records of every day, each judged at the end of its own."""
    profile = BrandProfile.from_dict(document)
    # What has no date came out on no day: it cannot be judged at the end of one.
    dated = rows.drop_nulls("published_at").with_columns(
        collected_at="published_at", day=pl.col("published_at").str.head(10)
    )
    days = dated.partition_by("day", as_dict=True, include_key=False)
    return pl.concat(
        assess(scan_items(part), profile, as_of=datetime.fromisoformat(f"{day}T00:00+00:00") + DAY).records
        for (day,), part in sorted(days.items())
    )


def _with_outcome(records: pl.DataFrame, outcome: pl.DataFrame) -> pl.DataFrame:
    """Records with what happened; every one of them must find it."""
    key = pl.format("id:{}{}{}", pl.col("source").str.to_lowercase(), pl.lit(SEPARATOR), "native_id")
    known = outcome.with_columns(item_id=digest_expr(key)).drop("source", "native_id")
    return records.select("item_id", "title", "total", "scores", "base").join(
        known, on="item_id", how="inner"
    )


def _figures(what: str, judged: pl.DataFrame, *, simple: str, least: float | None = None) -> Iterator[Figure]:
    outcome = judged["outcome"].to_numpy().astype(np.float64)
    bar = np.quantile(outcome, 0.75) if least is None else least
    is_one = (outcome >= bar).astype(np.float64)
    total, other = (judged[name].to_numpy().astype(np.float64) for name in ("total", simple))
    posts = judged["item_id"].to_numpy()
    named = f"{what}, {judged.height:,} judged, {int(is_one.sum()):,} ones"
    for name, figure, truth in (("AUC", auc, is_one), ("Spearman", spearman, outcome)):
        low, high = interval(figure, total, truth, groups=posts)
        yield Figure(
            named, f"{name} of total [{low:.3f}, {high:.3f}]", figure(total, truth),
            baseline=f"{simple} {figure(other, truth):.3f}",
        )  # fmt: skip
    parts = [(name, judged["scores"].struct.field(name)) for name in COMPONENTS]
    for name, points in [*parts, ("virality before modifiers", judged["base"].struct.field("virality"))]:
        values = points.to_numpy().astype(np.float64)
        if values.std():
            low, high = interval(auc, values, is_one, groups=posts)
            yield Figure(named, f"AUC of {name} [{low:.3f}, {high:.3f}]", auc(values, is_one))
