"""Coordination: pairs that meet again and again within seconds, exactly and without accusing."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from brandkit.errors import InputError, UsageError
from brandkit.pipeline import History, RunContext
from brandkit.profile import BrandProfile
from brandkit.schemas import INSTANT, SHARE, SIGNAL
from brandkit.signals.coordination import (
    COORDINATION_COLUMNS,
    coordinated_pairs,
    coordination,
    mass_sharing,
    measure_coordination,
    shares_of,
)

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHARED = Path(os.environ.get("SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))


def shared(*rows: tuple[str | None, str | None, float | None]) -> pl.DataFrame:
    """Shares as (account, object, seconds after the start)."""
    at = [None if s is None else START + timedelta(seconds=s) for _, _, s in rows]
    names = {"account": [r[0] for r in rows], "object": [r[1] for r in rows], "shared_at": at}
    return pl.DataFrame(names, schema=dict(SHARE))


def test_a_pair_is_two_accounts_on_two_objects_within_the_window() -> None:
    shares = shared(
        ("b", "x", 0), ("a", "x", 60), ("a", "y", 100), ("b", "y", 110), ("c", "x", 10), ("c", "z", 10)
    )
    # c met both on x alone; a and b met on x 60 s apart and on y 10 s apart.
    assert coordinated_pairs(shares).collect().rows() == [("a", "b", 2, 2, 35.0, 1.0)]


def test_the_window_is_inclusive_and_crosses_bucket_edges() -> None:
    rows = [("a", "x", 59.0), ("b", "x", 119.0), ("a", "y", 0.0), ("b", "y", 60.001)]
    assert coordinated_pairs(shared(*rows), min_objects=1).collect()["n_events"].to_list() == [1]


def test_repeats_on_one_object_are_events_and_not_objects_and_show_in_symmetry() -> None:
    rows = [
        ("a", "x", 0),
        ("b", "x", 1),
        ("b", "x", 2),
        ("b", "x", 3),
        ("a", "y", 500),
        ("a", "z", 900),
        ("b", "w", 900),
    ]
    assert coordinated_pairs(shared(*rows)).collect().height == 0
    # One post of a met three of b.
    assert coordinated_pairs(shared(*rows), min_objects=1).collect().rows() == [("a", "b", 1, 3, 2.0, 0.3333)]


def test_an_account_never_pairs_with_itself_and_incomplete_shares_are_left_out() -> None:
    rows = [
        ("a", "x", 0),
        ("a", "x", 1),
        ("a", "y", 0),
        ("a", "y", 1),
        (None, "x", 0),
        ("b", None, 0),
        ("b", "x", None),
    ]
    assert coordinated_pairs(shared(*rows), min_objects=1).collect().height == 0


def test_the_same_share_given_twice_counts_once() -> None:
    rows = [("a", "x", 0), ("b", "x", 1), ("a", "y", 0), ("b", "y", 1)]
    assert_frame_equal(
        coordinated_pairs(shared(*rows, *rows)).collect(), coordinated_pairs(shared(*rows)).collect()
    )


def test_min_posts_asks_for_busy_accounts() -> None:
    rows = [("a", "x", 0), ("b", "x", 1), ("a", "y", 900), ("b", "z", 1900)]
    # Both shared twice, but only one post of each was paired.
    assert coordinated_pairs(shared(*rows), min_objects=1).collect().height == 1
    assert coordinated_pairs(shared(*rows), min_objects=1, min_posts=2).collect().height == 0
    more = [*rows, ("c", "y", 901), ("c", "w", 5000)]
    # Now a has two paired posts, which is enough for both of its pairs.
    found = coordinated_pairs(shared(*more), min_objects=1, min_posts=2).collect()
    assert found.select("account_a", "account_b").rows() == [("a", "b"), ("a", "c")]


def crowd(n: int) -> pl.DataFrame:
    return shared(*[(f"bot{i:03}", thing, i * 0.01) for i in range(n) for thing in ("x", "y")])


def test_a_bucket_over_the_cap_names_itself_and_still_finds_every_account() -> None:
    shares = crowd(30)
    everyone = {f"bot{i:03}" for i in range(30)}
    full = coordinated_pairs(shares).collect()
    capped = coordinated_pairs(shares, bucket_cap=5).collect()
    assert full.height == 30 * 29 // 2
    # Five anchors meet each other and the 25 others: 10 + 125 pairs instead of 435.
    assert capped.height == 135
    assert set(capped["account_a"]) | set(capped["account_b"]) == everyone
    assert capped.join(full, on=full.columns, how="anti").is_empty()
    assert mass_sharing(shares, bucket_cap=5).collect().rows() == [("x", START, 30, 30), ("y", START, 30, 30)]
    assert mass_sharing(shares).collect().is_empty()


def test_accounts_with_one_object_are_no_mass() -> None:
    assert (
        mass_sharing(shared(*[(f"p{i}", "viral", 0) for i in range(30)]), bucket_cap=5).collect().is_empty()
    )


def by_hand(shares: pl.DataFrame, window_s: float, min_objects: int) -> list[tuple[str, str, int, int]]:
    met: dict[tuple[str, str], list[str]] = {}
    for one, two in combinations(shares.unique().rows(), 2):
        if one[1] == two[1] and one[0] != two[0] and abs((one[2] - two[2]).total_seconds()) <= window_s:
            met.setdefault((min(one[0], two[0]), max(one[0], two[0])), []).append(one[1])
    return sorted(
        (*pair, len(set(seen)), len(seen)) for pair, seen in met.items() if len(set(seen)) >= min_objects
    )


@given(
    rows=st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"), st.integers(-200, 200)), max_size=25
    ),
    window=st.sampled_from([1, 60, 90]),
    least=st.integers(1, 2),
)
@settings(max_examples=40)
def test_pairs_equal_a_comparison_of_everything_with_everything(
    rows: list[tuple[str, str, int]], window: int, least: int
) -> None:
    shares = shared(*rows)
    found = coordinated_pairs(shares, window_s=window, min_objects=least).collect()
    assert found.select("account_a", "account_b", "n_objects", "n_events").rows() == by_hand(
        shares, window, least
    )


def test_wrong_settings_and_columns_are_refused() -> None:
    with pytest.raises(UsageError, match="window_s = 0"):
        coordinated_pairs(shared(), window_s=0)
    with pytest.raises(InputError, match="lack object"):
        coordinated_pairs(shared().drop("object"))
    with pytest.raises(InputError, match="from_epoch"):
        coordinated_pairs(shared().with_columns(pl.col("shared_at").dt.epoch("s")))


@pytest.mark.parametrize(("window_s", "min_posts"), [(10, 2), (10, 5), (60, 2), (60, 5)])
def test_pairs_and_weights_equal_cooRTweets_on_real_shares(window_s: int, min_posts: int) -> None:
    folder = SHARED / "coordinated_shares"
    if not folder.is_dir():
        pytest.skip("no real data beside the repository")
    shares = pl.read_parquet(folder / "russian_coord_tweets.parquet").select(
        account="account_id",
        object="object_id",
        shared_at=pl.from_epoch("timestamp_share").dt.replace_time_zone("UTC"),
    )
    reference = pl.read_parquet(folder / "reference_edges.parquet").filter(
        (pl.col("time_window") == window_s) & (pl.col("min_participation") == min_posts)
    )
    expected = reference.select(
        account_a=pl.min_horizontal("from", "to"),
        account_b=pl.max_horizontal("from", "to"),
        n_events="weight",
    ).sort("account_a", "account_b")
    found = coordinated_pairs(shares, window_s=window_s, min_objects=1, min_posts=min_posts).collect()
    assert_frame_equal(found.select(expected.columns), expected)


SCHEMA: dict[str, Any] = {
    "item_id": pl.String, "story_id": pl.String, "account": pl.String, "target_url": pl.String,
    "copy_of": pl.String, "role": pl.String, "tier": pl.String, "publisher": pl.String,
    "item_type": pl.String, "published_at": INSTANT,
}  # fmt: skip


def post(item_id: str, account: str | None, second: float | None, **more: Any) -> dict[str, Any]:
    at = None if second is None else START + timedelta(seconds=second)
    return {
        "item_id": item_id,
        "story_id": "s",
        "account": account,
        "published_at": at,
        "item_type": "post",
        "tier": "unlisted",
        **more,
    }


def posts(*rows: dict[str, Any]) -> pl.LazyFrame:
    return pl.LazyFrame(list(rows), schema=SCHEMA)


BRIGADE = (
    post("1", "a", 0, target_url="u"),
    post("2", "b", 5, target_url="u"),
    post("3", "a", 100),
    post("4", "b", 103, copy_of="3"),
    post("5", "quiet", 10, target_url="u"),
    post("6", None, 0),
)


def test_links_and_repeated_texts_are_the_objects_posts_share() -> None:
    rows = shares_of(posts(*BRIGADE)).sort("item_id").collect().select("item_id", "object").rows()
    assert rows == [("1", "url:u"), ("2", "url:u"), ("3", "text:3"), ("4", "text:3"), ("5", "url:u")]


def test_a_story_shows_its_coordinated_share_with_the_pairs() -> None:
    frame = measure_coordination(posts(*BRIGADE)).collect()
    assert frame["is_coordinated"].to_list() == [True] * 4 + [False] * 2
    # Four of the five posts with an account.
    assert frame["coordinated_share"].to_list() == [0.8] * 6
    assert frame["n_coordinated"].to_list() == [2] * 6
    evidence = [{"account_a": "a", "account_b": "b", "n_objects": 2, "median_gap_s": 4.0}]
    assert frame["coordination"].to_list() == [evidence] * 6
    assert {name: frame.schema[name] for name in COORDINATION_COLUMNS} == {
        n: SIGNAL[n] for n in COORDINATION_COLUMNS
    }


def test_an_accounts_other_posts_are_not_coordinated_shares() -> None:
    frame = measure_coordination(posts(*BRIGADE, post("7", "a", 9000, story_id="t"))).collect()
    other = frame.row(6, named=True)
    assert (other["is_coordinated"], other["coordinated_share"], other["coordination"]) == (True, 0.0, [])


def test_a_prefilled_link_and_text_are_one_act() -> None:
    rows = [post("1", "a", 0, target_url="u"), post("2", "b", 5, target_url="u", copy_of="1")]
    assert not measure_coordination(posts(*rows)).collect()["is_coordinated"].any()


def test_undated_posts_label_nobody_but_count_as_posts() -> None:
    frame = measure_coordination(posts(*BRIGADE[:4], post("7", "c", None, target_url="u"))).collect()
    assert frame["coordinated_share"].to_list() == [0.8] * 5
    assert not frame["is_coordinated"][4]


def test_own_accounts_and_the_accounts_of_one_newsroom_are_no_brigade() -> None:
    own = [{**row, "role": "own"} for row in BRIGADE[:4]]
    assert not measure_coordination(posts(*own)).collect()["is_coordinated"].any()
    newsroom = [{**row, "tier": "A", "publisher": "bbc"} for row in BRIGADE[:4]]
    assert not measure_coordination(posts(*newsroom)).collect()["is_coordinated"].any()


def test_earlier_shares_complete_a_pair() -> None:
    today = posts(*BRIGADE[:2])
    assert not measure_coordination(today).collect()["is_coordinated"].any()
    earlier = shared(("a", "url:old", -90_000), ("b", "url:old", -90_005))
    profile = BrandProfile.from_dict({"id": "desk", "own": ["X"]})
    empty = History.empty()
    history = History(
        empty.items, empty.observations, earlier, empty.baselines, empty.story_rules, empty.verdicts
    )
    ctx = RunContext(profile=profile, as_of=START, window_start=START, history=history)
    once = coordination(today, ctx)
    assert once.collect()["is_coordinated"].to_list() == [True, True]
    assert once.collect()["coordinated_share"].to_list() == [1.0, 1.0]
    assert_frame_equal(coordination(once, ctx).collect(), once.collect())


def test_evidence_is_capped_with_the_strongest_pairs_first() -> None:
    rows = [
        post(f"{i:02}{thing}", f"bot{i:02}", i * 0.1, target_url=thing)
        for i in range(12)
        for thing in ("x", "y")
    ]
    rows += [post(f"{i:02}z", f"bot{i:02}", i * 0.1, target_url="z") for i in (7, 9)]
    frame = measure_coordination(posts(*rows)).collect()
    evidence = frame["coordination"][0].to_list()
    assert len(evidence) == 50
    assert [(e["account_a"], e["account_b"], e["n_objects"]) for e in evidence[:2]] == [
        ("bot07", "bot09", 3),
        ("bot00", "bot01", 2),
    ]


def test_no_posts_and_no_rows_are_no_coordination() -> None:
    articles = pl.LazyFrame({"item_id": ["1", "2"], "story_id": ["s", "s"]})
    frame = measure_coordination(articles).collect()
    assert frame.drop("item_id", "story_id").rows() == [(False, 0.0, 0, [])] * 2
    assert measure_coordination(posts()).collect().height == 0
