"""Coordination: pairs that meet again and again within seconds, exactly and without accusing."""

from __future__ import annotations

import os
import random
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
FIRST = ["account_a", "account_b", "n_objects", "n_events", "median_gap_s", "symmetry"]
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
    assert coordinated_pairs(shares).select(FIRST).collect().rows() == [("a", "b", 2, 2, 35.0, 1.0)]


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
    found = coordinated_pairs(shared(*rows), min_objects=1)
    assert found.select(FIRST).collect().rows() == [("a", "b", 1, 3, 2.0, 0.3333)]


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
    waves = mass_sharing(shares, bucket_cap=5, min_objects=2).select("object", "starts_at", "n_accounts")
    assert waves.collect().rows() == [("x", START, 30), ("y", START, 30)]
    assert mass_sharing(shares).collect().is_empty()


def test_an_account_that_repeats_itself_crowds_nobody_out_of_a_full_bucket() -> None:
    flood = [("a", thing, i * 0.01) for i in range(300) for thing in ("x", "y")]
    late = [(name, thing, 50) for name in ("m", "z") for thing in ("x", "y")]
    found = coordinated_pairs(shared(*flood, *late), bucket_cap=5).collect()
    # Anchors are the first shares of a, m and z, then two more of a: each pair meets on both objects.
    assert found.select(FIRST[:3]).rows() == [("a", "m", 2), ("a", "z", 2), ("m", "z", 2)]


def test_a_viral_object_is_one_fact_from_its_first_full_window_to_its_last() -> None:
    minutes = [0] * 6 + [60] * 2 + [120] * 8 + [4000] * 3
    shares = shared(*[(f"p{i}", "viral", second) for i, second in enumerate(minutes)])
    wave = {"object": "viral", "starts_at": START, "n_accounts": 16, "n_shares": 16}
    wave |= {"ends_at": START + timedelta(minutes=3), "spread_share": 0.8421}  # 16 of 19
    wave |= {"busiest_at": START + timedelta(minutes=2), "n_busiest": 8}
    # The quiet minute between two full ones is part of it; who shared nothing else counts too.
    assert mass_sharing(shares, bucket_cap=5).collect().to_dicts() == [wave]
    assert mass_sharing(shares, bucket_cap=5, min_objects=2).collect().is_empty()


def test_an_hour_of_quiet_ends_a_wave() -> None:
    def waves(second: int) -> int:
        rows = [(f"{at}p{i}", "viral", at) for at in (0, second) for i in range(6)]
        return mass_sharing(shared(*rows), bucket_cap=5).collect().height

    assert (waves(60 + 3540), waves(60 + 3600)) == (1, 2)


def test_the_gaps_of_a_machine_lie_close_together() -> None:
    rows = [(name, f"o{i}", i * 900 + late) for i in range(5) for name, late in (("a", 0), ("bot", 7))]
    rows += [("p", f"q{i}", i * 900) for i in range(5)]
    rows += [("q", f"q{i}", i * 900 + late) for i, late in enumerate((2, 10, 20, 30, 58))]
    found = coordinated_pairs(shared(*rows)).collect()
    # Quartiles of 2, 10, 20, 30, 58 are 10 and 30.
    assert found.select("account_a", "median_gap_s", "gap_spread_s").rows() == [
        ("a", 7.0, 0.0), ("p", 20.0, 20.0)
    ]  # fmt: skip


def test_the_share_of_the_spread_counts_every_share_of_the_objects_they_met_on() -> None:
    rows = [("a", "x", 0), ("b", "x", 1), ("a", "y", 0), ("b", "y", 1), ("b", "y", 5000), ("b", "z", 0)]
    rows += [(f"p{i}", "x", 9000 + i) for i in range(5)]
    # Two of seven shares of x and three of three of y; z is not theirs in common.
    assert coordinated_pairs(shared(*rows)).collect()["spread_share"].to_list() == [0.5]


def test_the_background_is_how_often_others_as_busy_would_meet() -> None:
    pair = [(name, thing, i) for i, name in enumerate("ab") for thing in ("x", "y", "z")]
    others = [("c", "v", 0), ("d", "v", 9), ("c", "w", 0), ("d", "w", 900)]
    found = coordinated_pairs(shared(*pair, *others)).collect()
    # c and d met once in 2 x 2 possible meetings, and one more for caution: (1 + 1) / 4 x 3 x 3.
    assert found["expected_events"].to_list() == [4.5]
    # Six possible pairs of four accounts; three or more where 4.5 are expected: 0.8264.
    assert found["n_by_chance"].to_list() == [4.959]
    assert coordinated_pairs(shared(*pair)).collect()["expected_events"].to_list() == [None]


def test_busy_newsreaders_meet_as_often_as_chance_has_it_and_a_ring_does_not() -> None:
    # Ten readers share 40 of 50 articles each, at any minute of an hour; two others only push ads.
    readers = [
        (f"r{i}", f"news{j}", j * 7200 + (i * i * 97 + j * 131 + i * j * 53) % 3600)
        for i in range(10) for j in range(50) if (i + j) % 5
    ]  # fmt: skip
    ring = [(name, f"ad{j}", j * 7200 + late) for j in range(4) for name, late in (("x", 0), ("y", 3))]
    found = coordinated_pairs(shared(*readers, *ring)).collect()
    ad, news = found.filter(pl.col("account_a") == "x"), found.filter(pl.col("account_a") != "x")
    assert ad["n_by_chance"][0] < 0.01
    assert news["n_by_chance"].min() > 1  # type: ignore[operator]


def test_what_a_year_lies_between_is_not_close() -> None:
    rows = [(name, thing, year * 31_536_000.0) for year, name in enumerate("abc") for thing in "xyz"]
    assert coordinated_pairs(shared(*rows), window_s=31_535_999).collect().is_empty()
    assert coordinated_pairs(shared(*rows), window_s=31_536_000).collect().height == 2


Meeting = tuple[str, str, str]


def by_hand(shares: pl.DataFrame, window_s: float, min_objects: int, min_posts: int) -> list[Meeting]:
    """Everything compared with everything: the meetings of kept pairs as (account, account, object)."""
    rows = shares.unique().rows()
    mine = {name: [row for row in rows if row[0] == name] for name, *_ in rows}
    active = {
        name for name, own in mine.items()
        if len(own) >= min_posts and len({thing for _, thing, _ in own}) >= min_objects
    }  # fmt: skip
    close = [
        sorted(both)
        for both in combinations([row for row in rows if row[0] in active], 2)
        if both[0][1] == both[1][1] and both[0][0] != both[1][0]
        and abs((both[0][2] - both[1][2]).total_seconds()) <= window_s
    ]  # fmt: skip
    posts = {(name, at) for both in close for name, _, at in both}
    busy = {n for n, own in mine.items() if sum((n, at) in posts for _, _, at in own) >= min_posts}
    met = [(a[0], b[0], a[1]) for a, b in close if min_posts == 1 or {a[0], b[0]} & busy]
    objects = {(a, b): {t for c, d, t in met if (a, b) == (c, d)} for a, b, _ in met}
    return sorted(m for m in met if len(objects[m[:2]]) >= min_objects)


SHARES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"), st.integers(-200, 200)), max_size=25
)


@given(rows=SHARES, window=st.sampled_from([1, 60, 90]), least=st.integers(1, 2), posts=st.integers(1, 4))
@settings(max_examples=60)
def test_pairs_equal_a_comparison_of_everything_with_everything(
    rows: list[tuple[str, str, int]], window: int, least: int, posts: int
) -> None:
    shares = shared(*rows)
    found = coordinated_pairs(shares, window_s=window, min_objects=least, min_posts=posts).collect()
    met = by_hand(shares, window, least, posts)
    assert found.select("account_a", "account_b", "n_objects", "n_events").rows() == [
        (*pair, len({m for m in met if m[:2] == pair}), sum(m[:2] == pair for m in met))
        for pair in sorted({m[:2] for m in met})
    ]


@given(rows=SHARES, order=st.randoms(use_true_random=False), cap=st.integers(1, 3))
@settings(max_examples=30)
def test_the_order_of_shares_does_not_matter_and_a_cap_never_invents_a_pair(
    rows: list[tuple[str, str, int]], order: random.Random, cap: int
) -> None:
    mixed = order.sample(rows, len(rows))
    capped = coordinated_pairs(shared(*rows), min_objects=1, bucket_cap=cap).collect()
    assert_frame_equal(coordinated_pairs(shared(*mixed), min_objects=1, bucket_cap=cap).collect(), capped)
    full = coordinated_pairs(shared(*rows), min_objects=1).collect()
    both = capped.join(full, on=["account_a", "account_b"], suffix="_full")
    assert both.height == capped.height
    assert both.filter(pl.col("n_events") > pl.col("n_events_full")).is_empty()
    waves = mass_sharing(shared(*rows), bucket_cap=cap)
    assert_frame_equal(mass_sharing(shared(*mixed), bucket_cap=cap).collect(), waves.collect())
    if waves.collect().is_empty():
        assert_frame_equal(capped, full)


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
