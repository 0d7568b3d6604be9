from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile
from brandkit.signals.copies import copies, find_copies

T0 = datetime(2026, 3, 2, tzinfo=UTC)
REPORT = "Nordlys opens a battery plant near Oslo and hires four hundred people over the next year"
LONG = f"{REPORT} the company said on Monday after months of talks with the unions and the city"


def news(*titles: str | None, **columns: list[Any]) -> pl.DataFrame:
    ids = [chr(ord("a") + i) for i in range(len(titles))]
    at = [T0 + timedelta(hours=i) for i in range(len(titles))]
    given_columns: dict[str, Any] = {"item_id": ids, "title": titles, "published_at": at, **columns}
    return pl.DataFrame(
        given_columns, schema_overrides={"item_id": pl.String, "title": pl.String, "summary": pl.String}
    )


def copy_of(items: pl.DataFrame) -> list[str | None]:
    found: list[str | None] = find_copies(items)["copy_of"].to_list()
    return found


@pytest.mark.parametrize(
    ("first", "second", "is_copy"),
    [
        ("Nordlys opens a plant", "NORDLYS opens — a plant!", True),
        ("Nordlys opens a plant", "Nordlys opens a plant - Fjord Wire", True),
        ("Nordlys opens a plant", "Velmora opens a plant", False),
        ("Velmora sues Nordlys over patents", "Nordlys sues Velmora over patents", False),
        ("Nordlys shares up 3 percent at noon", "Nordlys shares up 4 percent at noon", False),
        (REPORT, REPORT.replace("hires", "not hires"), False),
        (LONG, LONG.replace("talks", "meetings"), True),
        ("Nordlys shares up 3 percent at noon", "UPDATE 2: Nordlys shares up 3 percent at noon", True),
        ("Market close", "Market close", False),
        ("Market at close", "Market at close", False),
        ("", "", False),
        (None, None, False),
    ],
)
def test_a_copy_repeats_an_earlier_text_nearly_word_for_word(first: str, second: str, is_copy: bool) -> None:
    assert copy_of(news(first, second)) == [None, "a" if is_copy else None]


def test_a_title_too_short_to_prove_copying_is_helped_by_its_summary() -> None:
    assert copy_of(news("Market close", "Market close", summary=[LONG, LONG])) == [None, "a"]
    assert copy_of(news("Market close", "Market close", summary=[LONG, None])) == [None, None]


def test_titles_alone_are_compared_where_one_item_has_no_summary() -> None:
    assert copy_of(news(REPORT, REPORT, summary=[LONG, None])) == [None, "a"]
    other = "Heavy rain and wind closed two mountain roads in the west late on Sunday evening"
    assert copy_of(news(REPORT, REPORT, summary=[LONG, other])) == [None, None]


def test_a_stock_summary_makes_no_copies() -> None:
    titles = ["Cheese prices climb", "Chess final drawn", "Badger blocks road", "Harbour ferries halted"]
    stock = f"{LONG} and what it means for all of us"
    assert copy_of(news(*titles, summary=[stock] * 4)) == [None] * 4


def test_the_original_is_the_earliest_published_then_collected_then_by_item_id() -> None:
    at = [T0 + timedelta(hours=1), None, None, None]
    collected = [T0, T0 + timedelta(minutes=30), None, None]
    items = news(REPORT, REPORT, REPORT, REPORT, published_at=at, collected_at=collected)
    assert copy_of(items) == ["b", None, "b", "b"]
    assert copy_of(news(REPORT, REPORT).drop("published_at")) == [None, "a"]


def test_a_copy_of_a_copy_points_at_the_original() -> None:
    one_word = LONG.replace("talks", "meetings")
    two_words = one_word.replace("battery", "cell")
    assert copy_of(news(LONG, one_word, two_words)) == [None, "a", "a"]


def test_what_is_near_only_to_a_copy_is_an_original() -> None:
    # b shares 8 of a's 10 bigrams and 8 of c's; a and c share 6 of 14.
    a, b, c = "k1 k2 m n o p q r s t u", "m n o p q r s t u", "m n o p q r s v w"
    assert copy_of(news(a, b, c)) == [None, "a", None]


def test_nothing_in_gives_nothing_out() -> None:
    assert find_copies(news()).schema["copy_of"] == pl.String
    assert copy_of(news()) == []


def test_the_stage_is_lazy_and_keeps_rows_and_order() -> None:
    context = RunContext(
        profile=BrandProfile.from_dict({"id": "desk", "own": ["Nordlys"]}), as_of=T0, window_start=T0
    )
    items = news("Rain over Oslo all day", REPORT, REPORT).reverse()
    found = copies(items.lazy(), context).collect()
    assert found.drop("copy_of").equals(items)
    assert found["copy_of"].to_list() == ["b", None, None]


WORDS = st.lists(
    st.sampled_from(
        ["oslo", "plant", "opens", "nordlys", "velmora", "talks", "strike", "rain", "3", "4", "not"]
    ),
    max_size=9,
)
TITLES = st.lists(st.one_of(st.none(), WORDS.map(" ".join)), max_size=12)


@settings(max_examples=40)
@given(TITLES, st.randoms(use_true_random=False))
def test_the_order_of_rows_plays_no_part_and_no_copy_points_at_a_copy(
    titles: list[str | None], chance: Any
) -> None:
    items = news(*titles)
    found = find_copies(items)
    order = list(range(len(titles)))
    chance.shuffle(order)
    assert find_copies(items[order]).sort("item_id").equals(found)
    originals = found.filter(pl.col("copy_of").is_null())["item_id"].to_list()
    assert set(found["copy_of"].drop_nulls()) <= set(originals)
    assert (found["copy_of"] < found["item_id"]).all()


def test_planted_families_are_found_among_strangers() -> None:
    # 40 families of 5: each member has one word of 30 replaced, at another place; every word is rare.
    words = [[f"w{family}x{k}" for k in range(30)] for family in range(40)]
    texts = [
        " ".join(w if k != 3 * member else f"v{family}y{member}" for k, w in enumerate(words[family]))
        for family in range(40)
        for member in range(5)
    ]
    items = pl.DataFrame({"item_id": [f"{i:04d}" for i in range(200)], "title": texts})
    assert find_copies(items)["copy_of"].to_list() == [
        None if member == 0 else f"{5 * family:04d}" for family in range(40) for member in range(5)
    ]
