"""Real tables, read as they are through the shipped mappings. Skipped where they are not at hand."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

import brandkit as bk
from brandkit.signals.sentiment import measure_sentiment
from tests.flow.newsdesk import ROOT

DATA = Path(os.environ.get("SHARED_DATA") or ROOT.parent / "shared" / "data")
MAPPINGS = ROOT / "data" / "mappings"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA}")

# A desk for the one day of the news set: recalls and outages of what people buy and use.
NEWS = {
    "id": "news",
    "own": ["General Motors", {"name": "GM", "terms": ["GM", "GM's"]}],
    "rivals": ["Jeep", "Ford", "Toyota"],
    "watched": ["Twitter", "McDonald's", "Snowden"],
    "pillars": [
        {"name": "safety", "terms": ["recall", "recalls", "safety", "ignition", "NHTSA"]},
        {"name": "privacy", "terms": ["privacy", "surveillance", "leaks", "encryption"]},
        {"name": "markets", "terms": ["stocks", "sales", "profit"]},
    ],
    "triggers": [{"name": "recall", "terms": ["recall", "recalls"]}],
    "forbidden": {"phrases": ["double date"]},
    "exclusions": {"terms": ["box office"]},
}  # fmt: skip


def run(
    tmp_path: Path, name: str, mapping: str, on: str, profile: bk.BrandProfile
) -> tuple[bk.Runner, bk.RunResult]:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"no {name}")
    runner = bk.Runner(tmp_path / "desk.duckdb")
    result = runner.run(bk.Task(date=on, profile=profile, inputs=path, mapping=MAPPINGS / mapping))
    assert result.ok, str(result.error)
    counts = result.counts
    taken = counts["records"] + counts["rejected"] + counts["folded"] + counts["set_aside"]
    assert counts["rows_in"] == taken == pl.scan_parquet(path).select(pl.len()).collect().item()
    assert bk.verify(result.run_id, runner.store).ok
    return runner, result


def test_on_a_day_of_real_news_every_decision_occurs(tmp_path: Path) -> None:
    # The set's times run from six in the morning to six; so does its desk's day.
    profile = bk.BrandProfile.from_dict({**NEWS, "day_starts": "06:00"})
    runner, result = run(
        tmp_path, "news_stories_uci/items.parquet", "news_stories.toml", "2014-03-10", profile
    )
    assert result.counts["records"] > 2_300
    items = runner.store.records(result.run_id)
    assert set(items["decision"]) == {decision.value for decision in bk.Decision}
    stories = runner.store.stories(result.run_id)
    decided = dict(stories.group_by("decision").agg("title").rows())
    assert {"must_cover", "optional", "watch", "drop"} <= set(decided)
    assert any("recall" in title.lower() for title in decided["must_cover"])
    assert len(decided["must_cover"]) < 0.05 * stories.height
    assert stories["n_publishers"].max() > 20


def test_posts_that_link_elsewhere_are_a_day_of_items(tmp_path: Path) -> None:
    profile = bk.BrandProfile.from_dict(
        {"id": "tech", "watched": ["Google", "Apple"], "pillars": ["privacy"]}
    )
    runner, result = run(tmp_path, "hacker_news/posts.parquet", "hacker_news.toml", "2016-01-14", profile)
    found = runner.store.records(result.run_id)
    given = pl.scan_parquet(DATA / "hacker_news" / "posts.parquet").filter(
        pl.col("created_at").str.starts_with("2016-01-14")
    )
    assert found.height == given.select(pl.len()).collect().item()
    assert set(found["item_type"]) == {"post"}
    assert found.filter(pl.col("target_url").is_not_null()).height > 0.5 * found.height
    # A link lends a post no trust: its publisher is its account.
    assert set(found["tier"]) == {"unlisted"}
    assert found["publisher"].drop_nulls().str.starts_with("hacker_news:").all()
    assert found["reactions"].null_count() == 0


def test_hourly_snapshots_of_a_post_are_one_item_with_observations(tmp_path: Path) -> None:
    profile = bk.BrandProfile.from_dict({"id": "forum", "watched": ["Japan"], "pillars": ["earthquake"]})
    runner, result = run(
        tmp_path, "reddit_hourly/snapshots.parquet", "reddit_hourly.toml", "2024-01-02", profile
    )
    found = runner.store.records(result.run_id)
    told = pl.read_parquet(DATA / "reddit_hourly" / "snapshots.parquet")
    today = told.filter(pl.col("date").str.starts_with("2024-01-02"))
    assert found.height == today["id"].n_unique()
    known = told.filter(pl.col("date") < "2024-01-03T00")
    scored = (
        known.join(today.select("id").unique(), on="id", how="semi").group_by("id").agg(pl.col("score").max())
    )
    assert sorted(found["reactions"]) == sorted(scored["score"])
    # Every sighting is kept, tomorrow's too: a later run needs no file again.
    assert runner.store.info().n_rows["observations"] == told.select("id", "date").unique().height
    assert found.filter(pl.col("seen_at") > pl.col("collected_at")).height > 0.5 * found.height
    later = runner.run(bk.Task(date="2024-01-03", profile=profile))
    ids = told.filter(pl.col("date").str.starts_with("2024-01-03"))["id"].n_unique()
    assert later.counts["records"] == ids


def test_the_tone_of_tweets_is_what_twenty_people_heard_in_them() -> None:
    path = DATA / "sentiment" / "tweets_GroundTruth.txt"
    if not path.is_file():
        pytest.skip("no tweets")
    lines = [line.split("\t", 2) for line in path.read_text(encoding="utf-8").splitlines()]
    rated = pl.DataFrame({"rating": [float(r) for _, r, _ in lines], "title": [text for *_, text in lines]})
    heard = measure_sentiment(rated).drop_nulls("sentiment")
    assert heard.height > 0.99 * rated.height
    assert heard.select(pl.corr("rating", "sentiment")).item() >= 0.85
