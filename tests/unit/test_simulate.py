"""The simulated newsroom: the same seed, the same week; and a truth that agrees with the rows."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from brandkit.errors import UsageError
from brandkit.normalise import normalise_items
from brandkit.profile import BrandProfile
from brandkit.simulate import RAW_COLUMNS, Simulation, simulate, simulate_items
from brandkit.simulate.dirt import dirty_rows
from brandkit.simulate.grammar import load_grammar
from brandkit.simulate.truth import DESKS, N_OWN, RUNGS

PROFILES = Path(__file__).parents[2] / "data" / "profiles"
SAMPLE = Path(__file__).parents[2] / "data" / "sample"


@cache
def week() -> Simulation:
    return simulate(days=3, items_per_day=1_200, seed=7)


def fingerprint(simulation: Simulation) -> str:
    whole = hashlib.sha256()
    for frame in (
        simulation.items,
        simulation.truth_items,
        simulation.truth_stories,
        simulation.publishers,
    ):
        whole.update(frame.write_json().encode())
    return whole.hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    first, again = (simulate(days=1, items_per_day=300, seed=3) for _ in range(2))
    other = simulate(days=1, items_per_day=300, seed=4)
    assert fingerprint(first) == fingerprint(again)
    assert fingerprint(first) != fingerprint(other)


def test_written_files_hold_every_row_once_in_the_day_it_was_collected(tmp_path: Path) -> None:
    paths = week().write(tmp_path)
    daily = sorted(tmp_path.glob("items-*.parquet"))
    assert all(path.exists() for path in paths)
    assert [path.stem for path in daily] == [f"items-2026-03-0{day}" for day in (2, 3, 4)]
    assert pl.concat([pl.read_parquet(path) for path in daily]).equals(week().items)
    listed = pl.read_csv(tmp_path / "publishers.csv")
    assert set(listed["tier"].unique()) == {"A", "B", "C"}


def test_items_are_raw_rows_in_the_raw_columns_all_collected_in_the_week() -> None:
    items = week().items
    start = datetime(2026, 3, 2, tzinfo=UTC)
    assert tuple(items.columns) == RAW_COLUMNS
    assert items["collected_at"].is_between(start, start + timedelta(days=3), closed="left").all()
    assert items["collected_at"].is_sorted()


def test_the_edges_of_desk_days_are_occupied_to_the_microsecond() -> None:
    collected = set(week().items["collected_at"].to_list())
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    five = midnight + timedelta(hours=5)
    tick = timedelta(microseconds=1)
    assert {midnight - tick, midnight, five - tick, five} <= collected
    assert {datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC) - tick} <= collected


def test_normalising_finds_every_item_of_the_truth_and_refuses_what_has_no_identity() -> None:
    found = normalise_items(week().items)
    truth = week().truth_items
    identified = truth.filter("is_identified")
    assert identified["item_id"].null_count() == 0
    assert set(found.items["item_id"]) == set(identified["item_id"])
    lost = truth.filter(~pl.col("is_identified"))
    assert lost["item_id"].null_count() == lost.height > 0
    assert found.rejects.height == lost["n_rows"].sum()
    assert truth["n_rows"].sum() == week().items.height


def test_most_items_stand_alone() -> None:
    size = week().truth_items.unique("item").select(n=pl.len().over("story"))["n"]
    assert (size == 1).mean() >= 0.6  # type: ignore[operator]


def test_every_item_and_original_of_the_truth_is_there() -> None:
    items, stories = week().truth_items, week().truth_stories
    assert set(items["story"]) == set(stories["story"])
    assert stories["story"].is_unique().all()
    copies = items.filter(pl.col("copy_of").is_not_null())
    pairs = copies.join(items.unique("item"), left_on="copy_of", right_on="item", how="left")
    assert copies.height > 20
    assert (pairs["story"] == pairs["story_right"]).all()


def test_a_brigade_posts_the_same_links_within_seconds() -> None:
    truth = week().truth_items.filter("brigade")
    posts = week().items.with_columns(
        published=pl.col("published_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False)
    )
    ring = (
        truth.select("native_id", "story")
        .join(posts.unique("native_id"), on="native_id")
        .drop_nulls(["target_url", "published"])
        .sort("published")
    )
    # Waves of one link are hours apart; within a wave there are seconds.
    gaps = ring.select(s=pl.col("published").diff().over("story", "target_url").dt.total_seconds())["s"]
    accounts = ring.group_by("story").agg(
        n=pl.col("account").n_unique(), links=pl.col("target_url").n_unique()
    )
    assert accounts.height >= 2
    assert accounts["n"].min() >= 4  # type: ignore[operator]
    assert accounts["links"].max() >= 2  # type: ignore[operator]
    assert (gaps.drop_nulls() <= 25).mean() > 0.8  # type: ignore[operator]


@pytest.mark.parametrize(
    ("what", "condition"),
    [
        ("no date", pl.col("published_at").is_null()),
        ("a zone of its own", pl.col("published_at").str.ends_with("+02:00")),
        ("a mail date", pl.col("published_at").str.ends_with("GMT")),
        ("no zone", pl.col("published_at").str.contains(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")),
        ("words for a date", pl.col("published_at") == "yesterday evening"),
        ("tracking", pl.col("url").str.contains("utm_source|fbclid")),
        ("entities", pl.col("title").str.contains("&nbsp;")),
        ("bidi characters", pl.col("title").str.contains("\u202e")),
        ("control characters", pl.col("title").str.contains("\x00")),
        ("negative counts", pl.col("reactions") == "-1"),
        ("words for counts", pl.col("comments") == "n/a"),
        ("no url but an id", pl.col("url").is_null() & pl.col("native_id").is_not_null()),
        ("no identity", pl.col("url").is_null() & pl.col("native_id").is_null()),
        ("duplicates", pl.struct(pl.all()).is_duplicated()),
    ],
)
def test_sources_are_dirty_with(what: str, condition: pl.Expr) -> None:
    n = week().items.select(condition.sum()).item()
    assert 0 < n < 0.1 * week().items.height, what


def test_engagement_only_grows_between_sightings() -> None:
    seen = (
        week()
        .items.filter(pl.col("item_type") == "video")
        .with_columns(n=pl.col("views").diff().over("native_id", order_by="collected_at"))
    )
    assert seen["n"].drop_nulls().len() > 5
    assert (seen["n"].drop_nulls() >= 0).all()


def test_some_headlines_are_edited_and_some_items_are_collected_a_day_late() -> None:
    truth = week().truth_items
    assert truth["is_edited"].sum() > 0
    assert truth["is_late"].sum() > 0
    assert week().items["title"].str.starts_with("Updated: ").any()


def test_titles_are_finished_sentences_without_open_slots() -> None:
    titles = week().items["title"]
    assert titles.null_count() == 0
    assert not titles.str.contains(r"[{}]|  ").any()
    assert titles.str.len_chars().is_between(4, 180).all()


def test_each_desk_has_stories_for_each_verdict() -> None:
    stories = week().truth_stories
    for desk in DESKS:
        assert set(stories[f"verdict_{desk}"].unique()) == set(RUNGS), desk


def test_an_editor_never_promotes_what_is_made_up() -> None:
    made_up = week().truth_stories.filter((pl.col("is_rumour") & ~pl.col("is_denied")) | pl.col("is_brigade"))
    for desk in DESKS:
        assert set(made_up[f"verdict_{desk}"]) <= {"drop", "block", "watch"}, desk


def test_every_slot_of_the_grammar_can_be_filled() -> None:
    grammar = load_grammar()
    rng = np.random.default_rng(0)
    for event in grammar.events:
        facts = np.zeros((1, grammar.n_facts), dtype=np.int64)
        for slot, (start, n) in enumerate(event.facts):
            facts[0, slot] = start + 2 * int(rng.integers(n))
        for start, n in (event.leads, event.tails, event.summaries, event.rumours, event.denials):
            every = np.arange(start, start + n)
            texts = grammar.render(every, np.repeat(facts, n, axis=0), rng)
            assert texts.null_count() == 0
            assert not texts.str.contains(r"[{}]").any(), event.name


def test_an_empty_frame_stays_empty_when_dirtied() -> None:
    rows = pl.DataFrame(
        schema={
            "published_us": pl.Datetime("us", "UTC"), "reactions": pl.Int64, "comments": pl.Int64,
            "url": pl.String, "title": pl.String, "native_id": pl.String, "item": pl.String,
        }
    )  # fmt: skip
    assert dirty_rows(rows, np.random.default_rng(0)).height == 0


def test_simulate_items_gives_exactly_the_rows_asked_for() -> None:
    rows = simulate_items(5_000, seed=1)
    assert rows.height == 5_000
    assert tuple(rows.columns) == RAW_COLUMNS


def test_a_week_too_small_to_hold_a_newsroom_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot simulate 0 days"):
        simulate(days=0)
    with pytest.raises(UsageError, match="of 50 items"):
        simulate(items_per_day=50)


@pytest.mark.parametrize(("name", "kind"), [("technology", "tech"), ("consumer", "grocer")])
def test_the_shipped_profiles_follow_the_names_the_truth_means(name: str, kind: str) -> None:
    profile = BrandProfile.from_toml(PROFILES / f"{name}.toml")
    _, n_followed, subjects, triggers = DESKS[name]
    names = [topic.name for topic in (*profile.own, *profile.rivals, *profile.watched)]
    first = list(load_grammar().cast[kind][:n_followed])
    assert set(first) <= set(names)
    assert {topic.name for topic in profile.pillars} == set(subjects)
    assert {topic.name for topic in profile.triggers} == set(triggers)
    if profile.own:
        assert [topic.name for topic in profile.own] == first[:N_OWN]


def test_no_domain_in_the_sample_can_be_anybodys() -> None:
    urls = pl.concat([week().items["url"], week().items["target_url"]]).drop_nulls()
    hosts = urls.str.extract(r"^https?://([^/:]+)", 1).str.to_lowercase()
    assert hosts.null_count() == 0
    assert hosts.str.ends_with(".example").all()
    assert week().publishers["domain"].str.ends_with(".example").all()


def test_the_shipped_sample_is_the_week_its_readme_says() -> None:
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    found = re.search(r"--start (\S+) --days (\d+) --items-per-day (\d+) --seed (\d+)", readme)
    assert found is not None
    again = simulate(
        start=date.fromisoformat(found[1]),
        days=int(found[2]),
        items_per_day=int(found[3]),
        seed=int(found[4]),
    )
    shipped = pl.concat([pl.read_parquet(path) for path in sorted(SAMPLE.glob("items-*.parquet"))])
    assert shipped.equals(again.items)
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) < 3_000_000
