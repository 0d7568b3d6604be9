"""Spread: who carries a story, who confirms it, how fast, and what is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from brandkit.pipeline import History, RunContext
from brandkit.profile import BrandProfile
from brandkit.schemas import BASELINE, INSTANT, ITEM_TYPE, SIGNAL, TIER
from brandkit.signals.spread import SPREAD_COLUMNS, measure_spread, spread

AS_OF = datetime(2026, 3, 2, 12, tzinfo=UTC)
SCHEMA: dict[str, Any] = {
    "item_id": pl.String, "story_id": pl.String, "publisher": pl.String, "tier": TIER, "role": pl.String,
    "copy_of": pl.String, "is_denial": pl.Boolean, "is_coordinated": pl.Boolean, "published_at": INSTANT,
    "collected_at": INSTANT, "source": pl.String, "reactions": pl.Int64, "comments": pl.Int64,
    "shares": pl.Int64, "item_type": ITEM_TYPE,
}  # fmt: skip


def ago(hours: float) -> datetime:
    return AS_OF - timedelta(hours=hours)


def item(publisher: str | None, tier: str = "unlisted", **more: Any) -> dict[str, Any]:
    return {
        "story_id": "s", "publisher": publisher, "tier": tier, "is_denial": False, "is_coordinated": False,
        "published_at": ago(1), "collected_at": ago(0.5), "source": "feed", **more,
    }  # fmt: skip


def measured(*rows: dict[str, Any], baselines: pl.DataFrame | None = None) -> pl.DataFrame:
    numbered = [{"item_id": f"i{n}", **row} for n, row in enumerate(rows)]
    return measure_spread(pl.LazyFrame(numbered, schema=SCHEMA), as_of=AS_OF, baselines=baselines).collect()


def first(frame: pl.DataFrame, *columns: str) -> list[object]:
    return [frame[column][0] for column in columns]


def test_outlets_measure_breadth_and_independent_publishers_confirm() -> None:
    frame = measured(
        item("bbc", "A"),
        item("bbc", "A"),  # another edition: the same publisher
        item("regional", "B", copy_of="i0"),  # a copy adopts
        item("trade", "C"),
        item("blog"),
        item("wirebox", "C", role="portal"),
        item("us", "B", role="own"),
        item("net:bot", is_coordinated=True),
        item(None),
    )
    assert first(frame, "n_items", "n_outlets") == [9, 7]
    # bbc and trade are independent and listed; bbc alone is A or B; blog alone is unlisted.
    assert first(frame, "n_publishers", "n_publishers_ab", "n_unlisted", "n_adopters_ab") == [2, 1, 1, 1]
    assert first(frame, "best_tier") == ["A"]


def test_editions_and_reprints_leave_the_independent_count_unchanged() -> None:
    alone = measured(item("bbc", "A"), item("ft", "A"))
    spread_out = measured(
        item("bbc", "A"),
        item("ft", "A"),
        item("bbc", "A"),
        *[item(f"r{n}", "B", copy_of="i0") for n in range(9)],
    )
    counts = ["n_publishers", "n_publishers_ab"]
    assert first(alone, *counts) == first(spread_out, *counts) == [2, 2]
    assert spread_out["n_adopters_ab"][0] == 9


def test_own_and_portal_voices_give_a_story_no_tier() -> None:
    assert (
        measured(item("us", "A", role="own"), item("box", "C", role="portal"))["best_tier"][0] == "unlisted"
    )


def test_other_publishers_leave_out_the_items_own_and_whoever_may_be_the_same() -> None:
    frame = measured(item("bbc", "A"), item("ft", "A"), item("bbc", "A"), item("blog"), item(None))
    assert frame["n_other_publishers_ab"].to_list() == [1, 1, 1, 2, 1]


def test_a_copy_of_another_newsroom_keeps_that_newsroom_as_its_corroboration() -> None:
    assert measured(item("bbc", "A"), item("regional", "B", copy_of="i0"))[
        "n_other_publishers_ab"
    ].to_list() == [0, 1]


def test_a_denial_disputes_and_never_corroborates_what_it_denies() -> None:
    frame = measured(
        item("blog"), item("paper", "B"), item("bbc", "A", is_denial=True), item("ft", "A", is_denial=True)
    )
    assert frame["disputed"].to_list() == [True] * 4
    assert first(frame, "n_publishers", "n_publishers_ab", "n_outlets") == [1, 1, 4]
    # Claims count claims, denials count denials.
    assert frame["n_other_publishers_ab"].to_list() == [1, 0, 1, 1]


def test_a_denial_alone_is_the_story_and_disputes_nothing() -> None:
    frame = measured(item("bbc", "A", is_denial=True), item("ft", "A", is_denial=True))
    assert first(frame, "disputed", "n_publishers_ab", "n_other_publishers_ab") == [False, 2, 1]


def test_a_denial_from_an_unlisted_account_disputes_nothing() -> None:
    assert not measured(item("blog"), item("net:a", is_denial=True))["disputed"].any()


def test_the_newest_independent_listed_publisher_joined_with_its_first_item() -> None:
    frame = measured(
        item("bbc", "A", published_at=ago(9)),
        item("bbc", "A", published_at=ago(1)),  # its first counts
        item("ft", "A", published_at=ago(4)),
        item("blog", published_at=ago(2)),  # unlisted
        item("wirebox", "C", role="portal", published_at=ago(2)),
    )
    assert frame["last_new_publisher_at"][0] == ago(4)


@pytest.mark.parametrize("when", [None, AS_OF + timedelta(minutes=16)])
def test_a_publisher_with_an_undated_or_future_item_has_no_joining_time(when: datetime | None) -> None:
    frame = measured(
        item("bbc", "A", published_at=ago(9)),
        item("ft", "A", published_at=ago(4)),
        item("ft", "A", published_at=when),
    )
    assert frame["last_new_publisher_at"][0] == ago(9)


def test_nobody_is_known_to_join_after_an_item_without_a_publisher() -> None:
    rows = [item("bbc", "A", published_at=ago(9)), item("ft", "A", published_at=ago(4))]
    assert measured(*rows, item(None, published_at=ago(6)))["last_new_publisher_at"][0] == ago(9)
    assert measured(*rows, item(None, published_at=None))["last_new_publisher_at"][0] is None


def test_velocity_counts_dated_items_of_the_last_six_hours() -> None:
    times = [ago(0), ago(5.9), ago(6), ago(7), None, AS_OF + timedelta(minutes=20)]
    assert measured(*[item("a", published_at=t) for t in times])["velocity_h"][0] == round(2 / 6, 4)
    assert measured(item("a", published_at=None))["velocity_h"][0] is None


def test_age_stops_at_zero_and_the_far_future_has_none() -> None:
    times = [ago(2.5), AS_OF + timedelta(minutes=15), AS_OF + timedelta(minutes=16), None]
    frame = measured(*[item("a", published_at=t) for t in times])
    assert frame["age_h"].to_list() == [2.5, 0.0, None, None]
    assert frame["future_dated"].to_list() == [False, False, True, False]


def test_engagement_weighs_what_is_known_and_is_null_where_nothing_is() -> None:
    frame = measured(
        item("a", reactions=10, comments=5, shares=2),  # 10 + 10 + 6
        item("a", comments=5),
        item("a"),
        item("a", reactions=0),
    )
    assert frame["engagement"].to_list() == [26.0, 10.0, None, 0.0]
    # The median of 26, 10 and 0 is 10.
    assert frame["engagement_ratio"].to_list() == [2.6, 1.0, None, 0.0]


def test_a_long_baseline_beats_the_days_median_and_a_short_one_does_not() -> None:
    known = {
        "source": ["feed", "thin", "low"],
        "median_engagement": [50.0, 50.0, 0.2],
        "n_items": [20, 19, 99],
        "span_h": [600.0] * 3,
    }
    frame = measured(
        *[item("a", source=s, reactions=100) for s in ("feed", "thin", "low")],
        baselines=pl.DataFrame(known, schema=dict(BASELINE)),
    )
    assert frame["engagement_ratio"].to_list() == [2.0, 1.0, 100.0]


def test_a_source_of_a_handful_of_items_is_measured_against_all_of_its_kind() -> None:
    board = [item("a", source="board", item_type="post", reactions=n) for n in (2, 4, 4, 4, 6)]
    lone = item("b", source="lone", item_type="post", reactions=40)
    article = item("c", source="paper", item_type="article", reactions=7)
    frame = measured(*board, lone, article)
    # The board has five of its own. The lone one would be 1.0 against itself: the posts' median is 4.
    assert frame["engagement_ratio"].to_list() == [0.5, 1.0, 1.0, 1.0, 1.5, 10.0, 1.0]


def test_first_and_last_seen_are_when_items_were_collected() -> None:
    frame = measured(item("a", collected_at=ago(30)), item("b", collected_at=ago(2)))
    assert first(frame, "first_seen_at", "last_seen_at") == [ago(30), ago(2)]


def test_burst_waits_for_a_day_of_history() -> None:
    young = [item("a", published_at=ago(0.5)) for _ in range(60)]
    assert measured(*young)["burst"][0] is None
    old = [item("a", published_at=ago(h)) for h in (47, 40)]
    assert measured(*old)["burst"][0] == 0.0
    assert measured(*old, *young)["burst"][0] > 0.5


def test_a_frame_of_ids_alone_has_honest_nothing() -> None:
    ids = pl.LazyFrame(
        {"item_id": ["a", "b"], "story_id": ["s", None]}, schema_overrides={"story_id": pl.String}
    )
    frame = measure_spread(ids, as_of=AS_OF).collect()
    assert {name: frame.schema[name] for name in SPREAD_COLUMNS} == {
        name: SIGNAL[name] for name in SPREAD_COLUMNS
    }
    assert frame["n_items"].to_list() == [1, 0]
    assert frame["n_publishers"].to_list() == frame["n_other_publishers_ab"].to_list() == [0, 0]
    assert frame["velocity_h"].to_list() == frame["engagement"].to_list() == [None, None]
    assert measure_spread(ids.head(0), as_of=AS_OF).collect().height == 0


def test_stage_uses_the_runs_history_and_can_run_twice() -> None:
    baselines = pl.DataFrame(
        {"source": ["feed"], "median_engagement": [50.0], "n_items": [30], "span_h": [600.0]},
        schema=dict(BASELINE),
    )
    empty = History.empty()
    history = History(
        empty.items, empty.observations, empty.shares, baselines, empty.story_rules, empty.verdicts
    )
    profile = BrandProfile.from_dict({"id": "desk", "own": ["X"]})
    ctx = RunContext(profile=profile, as_of=AS_OF, window_start=ago(24), history=history)
    frame = pl.LazyFrame([{"item_id": "a", **item("bbc", "A", reactions=100)}], schema=SCHEMA)
    once = spread(frame, ctx)
    assert once.collect()["engagement_ratio"].to_list() == [2.0]
    assert_frame_equal(spread(once, ctx).collect(), once.collect())


rows = st.builds(
    item,
    st.sampled_from(["p", "q", "r", None]),
    st.sampled_from(["A", "B", "C", "unlisted"]),
    story_id=st.sampled_from(["s", "t"]),
    copy_of=st.sampled_from([None, None, "i0"]),
    is_denial=st.booleans(),
    published_at=st.sampled_from([None, ago(1), ago(8), ago(30), AS_OF + timedelta(hours=1)]),
    reactions=st.sampled_from([None, 0, 7]),
)


@given(found=st.lists(rows, min_size=1, max_size=12), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_facts_do_not_depend_on_the_order_of_rows(found: list[dict[str, Any]], seed: int) -> None:
    frame = pl.DataFrame([{"item_id": f"i{n}", **row} for n, row in enumerate(found)], schema=SCHEMA)
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=seed)
    left, right = (measure_spread(f.lazy(), as_of=AS_OF).collect() for f in (frame, shuffled))
    assert left["item_id"].to_list() == frame["item_id"].to_list()
    assert_frame_equal(left.sort("item_id"), right.sort("item_id"))


@given(
    found=st.lists(rows, min_size=1, max_size=8),
    at=st.integers(0, 7),
    lost=st.sampled_from(["published_at", "publisher", "reactions"]),
)
@settings(max_examples=60)
def test_losing_a_field_never_raises_what_supports_an_item(
    found: list[dict[str, Any]], at: int, lost: str
) -> None:
    at %= len(found)
    if lost == "publisher":
        # Trust calls an item without a publisher unlisted; and a denial's loss is an adverse fact's.
        found = [{**row, "is_denial": False} for row in found]
    after = [dict(row) for row in found]
    after[at] = {**after[at], lost: None, **({"tier": "unlisted"} if lost == "publisher" else {})}
    supporting = [
        "velocity_h",
        "last_new_publisher_at",
        "n_publishers",
        "n_publishers_ab",
        "n_outlets",
        "engagement_ratio",
        "engagement",
    ]
    if lost != "publisher":
        supporting.append("n_other_publishers_ab")
    before_row, after_row = measured(*found).row(at, named=True), measured(*after).row(at, named=True)
    for name in supporting:
        if after_row[name] is not None:
            assert before_row[name] is not None, name
            assert after_row[name] <= before_row[name], name
