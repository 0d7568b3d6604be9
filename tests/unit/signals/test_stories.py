from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit import schemas
from brandkit.pipeline import History, RunContext
from brandkit.profile import BrandProfile
from brandkit.signals.copies import find_copies
from brandkit.signals.stories import cluster_stories, stories

START = datetime(2026, 3, 2, tzinfo=UTC)
PLANT = (
    "Nordlys opens battery plant in Oslo",
    "Battery plant opened in Oslo by Nordlys",
    "Oslo battery plant: Nordlys opens the doors",
)
STRIKE = (
    "Harbour strike halts ferries in Bergen",
    "Bergen ferries halted by harbour strike",
    "Ferries stay in Bergen as harbour strike goes on",
)


def news(*titles: str | None, **columns: list[Any]) -> pl.DataFrame:
    ids = [chr(ord("a") + i) for i in range(len(titles))]
    given_columns: dict[str, Any] = {"item_id": ids, "title": titles, **columns}
    return pl.DataFrame(given_columns, schema_overrides={"item_id": pl.String, "title": pl.String})


def story_of(items: pl.DataFrame, **how: Any) -> list[str]:
    found: list[str] = cluster_stories(items, **how)["story_id"].to_list()
    return found


def rules(*rows: tuple[str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(schemas.STORY_RULE), orient="row")


def context(past: pl.DataFrame | None = None, said: pl.DataFrame | None = None) -> RunContext:
    history = History.empty()
    if past is not None:
        history = replace(history, items=schemas.conform(past.lazy(), schemas.HISTORY_ITEM).collect())
    if said is not None:
        history = replace(history, story_rules=said)
    return RunContext(
        profile=BrandProfile.from_dict({"id": "desk", "own": ["Nordlys"]}),
        as_of=START + timedelta(days=1),
        window_start=START,
        history=history,
    )


def hours(*values: float) -> list[datetime]:
    return [START + timedelta(hours=value) for value in values]


def told(past: pl.DataFrame, today: pl.DataFrame, said: pl.DataFrame | None = None) -> dict[str, str]:
    """The story of each item of a run, with the past as its context."""
    frames = [past.drop("story_id").with_columns(in_scope=False), today.with_columns(in_scope=True)]
    items = pl.concat(frames, how="diagonal_relaxed")
    found = stories(items.lazy(), context(past, said)).collect()
    assert found.drop("story_id").equals(items)
    return dict(found.select("item_id", "story_id").rows())


def past_news(*rows: tuple[str, str, str, float]) -> pl.DataFrame:
    return pl.DataFrame(
        [(item, title, story, START + timedelta(hours=at)) for item, title, story, at in rows],
        schema={
            "item_id": pl.String,
            "title": pl.String,
            "story_id": pl.String,
            "collected_at": schemas.INSTANT,
        },
        orient="row",
    )


def today_news(*rows: tuple[str, str, float]) -> pl.DataFrame:
    return past_news(*((item, title, "", at) for item, title, at in rows)).drop("story_id")


def test_one_event_is_one_story_and_strangers_are_alone() -> None:
    items = news(*PLANT, *STRIKE, "Cheese prices climb", "Chess final drawn")
    assert story_of(items) == ["s_a"] * 3 + ["s_d"] * 3 + ["s_g", "s_h"]


def test_a_story_is_named_for_its_earliest_item() -> None:
    assert story_of(news(*PLANT, published_at=hours(5, 3, 4))) == ["s_b"] * 3
    undated = [None, *hours(4, 3)]
    assert story_of(news(*PLANT, published_at=undated)) == ["s_c"] * 3
    assert story_of(news(*PLANT, published_at=undated, collected_at=hours(1, 5, 5))) == ["s_a"] * 3


@pytest.mark.parametrize(("gap", "expected"), [(72.0, ["s_a", "s_a"]), (72.1, ["s_a", "s_b"])])
def test_only_items_within_the_window_are_compared(gap: float, expected: list[str]) -> None:
    assert story_of(news(*PLANT[:2], published_at=hours(0, gap))) == expected


def test_a_story_may_outlast_the_window_through_what_lies_between() -> None:
    # Days 0 and 5 never meet; what was written between meets both.
    told = news(PLANT[0], *PLANT, *PLANT, PLANT[2], published_at=hours(0, 58, 60, 60, 60, 60, 62, 120))
    assert story_of(told) == ["s_a"] * 8
    assert len(set(story_of(told, window_h=12))) == 3


def test_an_item_without_any_instant_is_compared_with_all() -> None:
    assert story_of(news(*PLANT[:2], published_at=[*hours(0), None])) == ["s_a", "s_a"]


def test_items_without_a_title_or_without_a_telling_word_are_alone() -> None:
    items = news(None, None, "", "What is it?", "What is it?", "?!", summary=[PLANT[0]] * 6)
    assert story_of(items.drop("summary")) == ["s_a", "s_b", "s_c", "s_d", "s_e", "s_f"]
    assert story_of(items)[:3] == ["s_a", "s_b", "s_c"]


def test_a_copy_is_in_the_story_of_its_original_and_weighs_nothing() -> None:
    items = news(PLANT[0], *["Sun over the north all week"] * 2, copy_of=[None, "a", None])
    assert story_of(items) == ["s_a", "s_a", "s_c"]
    reprints = find_copies(news(*STRIKE, *[PLANT[0]] * 9))
    assert story_of(reprints) == ["s_a"] * 3 + ["s_d"] * 9


def test_summaries_help_where_headlines_say_little() -> None:
    items = news("It is done", "At last", summary=list(PLANT[:2]))
    assert story_of(items) == ["s_a", "s_a"]


def test_a_summary_under_unlike_headlines_says_nothing_and_under_like_ones_much() -> None:
    stock = ["Everything you need to know about it in five minutes"] * 5
    unlike = news("Cheese prices climb", "Chess final drawn", "Badger blocks road", *PLANT[:2], summary=stock)
    assert story_of(unlike) == ["s_a", "s_b", "s_c", "s_d", "s_d"]
    wire = ["Engineers traced the outage in Bergen to one cable"] * 4
    like = news("Bergen dark", "Dark night: Bergen", "What cut Bergen off", "Cable failed", summary=wire)
    assert story_of(like) == ["s_a"] * 4


def test_nothing_in_gives_nothing_out() -> None:
    empty = cluster_stories(news())
    assert empty.height == 0
    assert empty.schema["story_id"] == pl.String
    assert cluster_stories(news().lazy()).collect().schema["story_id"] == pl.String


WORDS = st.lists(
    st.sampled_from(["oslo", "plant", "opens", "nordlys", "ferries", "strike", "rain", "chess"]), max_size=7
)
TITLES = st.lists(st.one_of(st.none(), WORDS.map(" ".join)), max_size=14)


@settings(max_examples=25)
@given(TITLES, st.randoms(use_true_random=False))
def test_the_order_of_rows_plays_no_part_and_names_are_items_of_their_story(
    titles: list[str | None], chance: random.Random
) -> None:
    items = news(*titles, published_at=[START + timedelta(hours=7 * i % 90) for i in range(len(titles))])
    found = cluster_stories(items)
    order = list(range(len(titles)))
    chance.shuffle(order)
    assert cluster_stories(items[order]).sort("item_id").equals(found)
    named = found.filter(pl.col("story_id") == "s_" + pl.col("item_id"))
    assert named.height == found["story_id"].n_unique()


def planted(n_stories: int, per_story: int, n_strangers: int) -> pl.DataFrame:
    """Headlines that share 6 of 8 rare words within a story, and strangers that share none."""
    chance = random.Random(1)
    titles = [
        " ".join([*chance.sample([f"w{story}x{k}" for k in range(8)], 6), f"q{story}y{i}"])
        for story in range(n_stories)
        for i in range(per_story)
    ]
    titles += [" ".join(f"z{i}k{k}" for k in range(7)) for i in range(n_strangers)]
    return pl.DataFrame({"item_id": [f"{i:06d}" for i in range(len(titles))], "title": titles})


def test_strangers_stay_alone_and_move_no_one() -> None:
    few, many = planted(20, 6, 0), planted(20, 6, 400)
    found = cluster_stories(many)
    assert found.head(120).equals(cluster_stories(few))
    assert found["story_id"].n_unique() == 20 + 400
    assert found.head(120)["story_id"].to_list() == [f"s_{i - i % 6:06d}" for i in range(120)]


def test_threads_agree_and_no_generator_is_touched() -> None:
    items = planted(15, 8, 30)
    random.seed(5)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(cluster_stories, [items] * 8))
    assert all(one.equals(found[0]) for one in found)
    assert random.random() == random.Random(5).random()


def test_a_busy_day_takes_seconds() -> None:
    began = time.perf_counter()
    found = cluster_stories(planted(300, 10, 2000))
    assert found["story_id"].n_unique() == 2300
    assert time.perf_counter() - began < 15


# What an editor said


def test_a_merge_joins_the_whole_stories_of_two_items() -> None:
    assert story_of(news(*PLANT, *STRIKE), rules=rules(("must_link", "b", "f"))) == ["s_a"] * 6


def test_a_split_parts_a_story_and_the_rest_go_with_the_nearer_side() -> None:
    titles = (
        *PLANT[:2],
        "Battery plant: Nordlys opens Oslo jobs fair",
        "Oslo battery plant jobs fair by Nordlys",
    )
    assert story_of(news(*titles)) == ["s_a"] * 4
    found = story_of(news(*titles), rules=rules(("cannot_link", "a", "c")))
    assert found == ["s_a", "s_a", "s_c", "s_c"]


def test_a_split_holds_against_the_same_words_and_against_a_merge() -> None:
    same = news(PLANT[0], PLANT[0], PLANT[0])
    assert story_of(same, rules=rules(("cannot_link", "a", "b"))) == ["s_a", "s_b", "s_a"]
    both = rules(("must_link", "a", "b"), ("cannot_link", "b", "a"))
    assert story_of(same, rules=both)[0] != story_of(same, rules=both)[1]


def test_items_merged_by_hand_stay_together_through_a_split() -> None:
    same = news(*[PLANT[0]] * 4)
    said = rules(("must_link", "b", "d"), ("cannot_link", "a", "b"))
    assert story_of(same, rules=said) == ["s_a", "s_b", "s_a", "s_b"]


def test_three_splits_make_three_stories() -> None:
    same = news(*[PLANT[0]] * 3)
    said = rules(("cannot_link", "a", "b"), ("cannot_link", "b", "c"), ("cannot_link", "a", "c"))
    assert story_of(same, rules=said) == ["s_a", "s_b", "s_c"]


def test_rules_about_unknown_items_or_one_item_change_nothing() -> None:
    items = news(*PLANT)
    said = rules(("must_link", "a", "zz"), ("cannot_link", "zz", "b"), ("cannot_link", "a", "a"))
    assert story_of(items, rules=said) == story_of(items)


# From run to run


def test_a_second_day_continues_the_first_days_story() -> None:
    past = past_news(("p1", PLANT[0], "s_p1", -20), ("p2", STRIKE[0], "s_p2", -10))
    found = told(past, today_news(("t1", PLANT[1], 2), ("t2", "Chess final drawn", 3)))
    assert found == {"p1": "s_p1", "t1": "s_p1", "p2": "s_p2", "t2": "s_t2"}


LONG = "Nordlys opens battery plant in Oslo harbour after tariff quarrel with Velmora shareholders"


def test_two_earlier_stories_that_become_one_take_the_id_of_the_larger_then_of_the_older() -> None:
    larger = past_news(("p1", LONG, "s_p1", -20), ("p2", LONG, "s_p2", -9), ("p3", LONG, "s_p2", -8))
    assert set(told(larger, today_news(("t1", LONG, 2))).values()) == {"s_p2"}
    older = past_news(("p1", LONG, "s_x", -9), ("p2", LONG, "s_y", -20))
    assert set(told(older, today_news(("t1", LONG, 2))).values()) == {"s_y"}


def test_what_an_earlier_run_held_apart_needs_more_to_become_one() -> None:
    past = past_news(("p1", PLANT[0], "s_p1", -20), ("p2", PLANT[1], "s_p2", -9))
    found = told(past, today_news(("t1", PLANT[2], 2)))
    assert (found["p1"], found["p2"]) == ("s_p1", "s_p2")
    # Alone, the same three are one story.
    assert story_of(news(*PLANT)) == ["s_a"] * 3


def test_what_an_earlier_run_held_together_stays_together() -> None:
    loose = ("Nordlys opens battery plant", "Nordlys names new chief")
    assert story_of(news(*loose)) == ["s_a", "s_b"]
    past = past_news(("p1", loose[0], "s_p1", -20), ("p2", loose[1], "s_p1", -19))
    assert set(told(past, today_news(("t1", "Chess final drawn", 2))).values()) == {"s_p1", "s_t1"}


def test_of_two_parts_of_an_earlier_story_the_larger_keeps_its_id() -> None:
    past = past_news(
        ("p1", STRIKE[0], "s_p1", -20), ("p2", PLANT[0], "s_p1", -9), ("p3", PLANT[1], "s_p1", -8)
    )
    found = told(past, today_news(("t1", STRIKE[1], 1)))
    assert found["p2"] == found["p3"] == "s_p1"
    # The smaller part holds p1, whose name the story keeps: it is named for its next item.
    assert found["p1"] == found["t1"] == "s_t1"
    assert told(past, today_news(("t2", "Chess final drawn", 1)))["p1"] == "s_p1_2"


def test_a_name_that_was_ever_used_is_not_given_again() -> None:
    past = past_news(
        ("p1", STRIKE[0], "s_p2", -20), ("p4", STRIKE[1], "s_p2", -19), ("p5", STRIKE[2], "s_p2", -18),
        ("p2", PLANT[0], "s_p1_2", -9), ("p3", "Chess final drawn", "s_p1", -8),
    )  # fmt: skip
    apart = rules(("cannot_link", "p4", "p1"), ("cannot_link", "p5", "p1"))
    found = told(past, today_news(("t1", "Heavy rain over the fjords", 1)), apart)
    # p1 leaves s_p2, which two items hold; s_p1 and s_p1_2 were given to others before.
    assert [found[item] for item in ("p1", "p4", "p5")] == ["s_p1_3", "s_p2", "s_p2"]
    assert [found[item] for item in ("p2", "p3", "t1")] == ["s_p1_2", "s_p1", "s_t1"]


def test_items_barred_from_both_sides_of_a_split_leave_them_both() -> None:
    same = news(*[PLANT[0]] * 4)
    said = rules(("cannot_link", "a", "b"), ("cannot_link", "c", "a"), ("cannot_link", "c", "b"))
    # d, nearer to none, stays with the item_a of each split: with a, then with c.
    assert story_of(same, rules=said) == ["s_a", "s_b", "s_c", "s_c"]


def test_older_context_is_not_compared_but_stays_with_its_story() -> None:
    past = past_news(
        ("p1", PLANT[0], "s_p1", -100), ("p2", PLANT[1], "s_p1", -20), ("p3", STRIKE[0], "s_p3", -100)
    )
    found = told(past, today_news(("t1", PLANT[2], 1), ("t2", STRIKE[1], 1)))
    assert found == {"p1": "s_p1", "p2": "s_p1", "t1": "s_p1", "p3": "s_p3", "t2": "s_t2"}


def test_older_context_follows_a_story_that_was_merged() -> None:
    past = past_news(
        ("p1", PLANT[0], "s_p1", -100), ("p2", PLANT[1], "s_p1", -20),
        ("p3", STRIKE[0], "s_p3", -30), ("p4", STRIKE[1], "s_p3", -25), ("p5", STRIKE[2], "s_p3", -25),
    )  # fmt: skip
    found = told(past, today_news(("t1", PLANT[2], 1)), rules(("must_link", "p2", "p3")))
    assert set(found.values()) == {"s_p3"}


def test_an_editors_rule_reaches_older_context_too() -> None:
    past = past_news(("p1", PLANT[0], "s_p1", -100), ("p2", PLANT[0], "s_p1", -99))
    found = told(past, today_news(("t1", STRIKE[0], 1)), rules(("must_link", "p1", "t1")))
    assert set(found.values()) == {"s_p1"}


def test_running_the_same_day_again_gives_the_same_stories() -> None:
    today = today_news(("t1", PLANT[0], 1), ("t2", PLANT[1], 2), ("t3", STRIKE[0], 3))
    first = told(past_news(("p1", STRIKE[1], "s_p1", -5)), today)
    assert told(past_news(("p1", STRIKE[1], "s_p1", -5)), today.reverse()) == first
    assert first == {"p1": "s_p1", "t1": "s_t1", "t2": "s_t1", "t3": "s_p1"}


def test_without_in_scope_every_item_is_compared() -> None:
    items = news(*PLANT[:2], collected_at=hours(-200, -190))
    found = stories(items.lazy(), context()).collect()
    assert found["story_id"].to_list() == ["s_a", "s_a"]
