from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit.errors import InputError, UsageError
from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile
from brandkit.signals._copy_rules import Rules, candidates
from brandkit.signals._copy_texts import copy_texts
from brandkit.signals.copies import copies, find_copies

T0 = datetime(2026, 3, 2, tzinfo=UTC)
REPORT = "Nordlys opens a battery plant near Oslo and hires four hundred people over the next year"
LONG = f"{REPORT} the company said on Monday after months of talks with the unions and the city"


# A wire's report of 80 words under its headline, by sentence.
HEADLINE = "Nordlys Energy to open battery plant near Oslo"
LEAD = "Nordlys Energy will open a battery plant near Oslo in May and hire 400 people, it said on Monday."
MIDDLE = [
    "The plant will cost $7.5 billion and supply carmakers in Sweden and Germany.",
    '"We have waited three years for this permit," said chief executive Mari Velstad, who took over in 2024.',
    "Neighbours had asked a court to stop the work over noise and traffic on the only road.",
]
LAST = "Shares in the company rose 4 percent in early trading after the news, while rivals lost ground."
WIRE = " ".join([LEAD, *MIDDLE, LAST])
LOCAL = "The mayor of Drammen, where most of the staff will live, called it the best day in eleven years."


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


def told(*reports: tuple[str | None, str | None], **columns: list[Any]) -> pl.DataFrame:
    return news(*(title for title, _ in reports), summary=[text for _, text in reports], **columns)


@pytest.mark.parametrize(
    ("title", "text"),
    [
        pytest.param(HEADLINE, f"OSLO, March 2 (Fjord Wire) - {WIRE}", id="dateline"),
        pytest.param(HEADLINE, f"{WIRE} (Reporting by Ann Lee; Editing by Bo Ek)", id="credit"),
        pytest.param(HEADLINE, WIRE.replace(MIDDLE[2], LOCAL), id="one changed sentence"),
        pytest.param(HEADLINE, " ".join([LEAD, *MIDDLE, LOCAL, LAST]), id="a sentence of its own"),
        pytest.param(HEADLINE, " ".join([*MIDDLE, LAST]), id="first paragraph lost"),
        pytest.param(HEADLINE, f"{LEAD} {MIDDLE[0]} ...", id="cut after two sentences"),
        pytest.param("Jobs boost for Drammen", f"{LEAD} {MIDDLE[0]} ...", id="cut under another title"),
        pytest.param("Jobs boost for Drammen after 3 long years", WIRE, id="another title"),
        pytest.param(f"{HEADLINE} | News 24", f"{WIRE} Sign up for our mail.", id="outlet and footer"),
        pytest.param(HEADLINE.upper(), WIRE.replace('"', "\u201d").replace(" - ", "\u2014"), id="typography"),
        pytest.param(HEADLINE, WIRE.replace("Velstad", "Vélstad").replace("asked", "åsked"), id="accents"),
        pytest.param(HEADLINE, WIRE.replace("hire", "employ").replace("ground", "value"), id="two words"),
        pytest.param(HEADLINE, WIRE.replace("three years", "3 years"), id="a number written otherwise"),
    ],
)
def test_what_desks_do_to_a_report_leaves_it_a_copy(title: str, text: str) -> None:
    assert copy_of(told((HEADLINE, WIRE), (title, text))) == [None, "a"]


REWRITTEN = (
    "Four hundred jobs are coming to the Oslo region, where Nordlys Energy builds batteries from May. "
    "Carmakers in two countries have ordered already, and investors liked what they heard. "
    f"{MIDDLE[1]} A court challenge by people who live along the road has failed so far, the firm added."
)
NEXT_YEAR = (
    WIRE.replace("400", "250")
    .replace("$7.5", "$3.1")
    .replace("2024", "2025")
    .replace("4 percent", "2 percent")
)
OTHER_FIRM = (
    WIRE.replace("Nordlys", "Velmora").replace("Oslo", "Turku").replace("Mari Velstad", "Olli Salme")
    .replace("Sweden", "Estonia").replace("Germany", "Latvia")
)  # fmt: skip
BRIEFING = f"{LOCAL} Rain is on its way to the west coast, and ferries may be late again today. {LEAD} {LAST}"


@pytest.mark.parametrize(
    ("title", "text"),
    [
        pytest.param("Hundreds of jobs as Nordlys builds in Oslo", REWRITTEN, id="same event and quote"),
        pytest.param(HEADLINE, NEXT_YEAR, id="same form, other numbers"),
        pytest.param(HEADLINE.replace("Nordlys", "Velmora"), OTHER_FIRM, id="same form, other names"),
        pytest.param(HEADLINE, WIRE.replace("400 people", "500 people"), id="one number changed"),
        pytest.param(HEADLINE, WIRE.replace("three years", "five years"), id="one written number changed"),
        pytest.param(HEADLINE, WIRE.replace("will cost", "will not cost"), id="denied"),
        pytest.param("Your briefing for Monday", BRIEFING, id="a briefing with the report in its middle"),
    ],
)
def test_what_only_looks_like_a_report_is_no_copy_of_it(title: str, text: str) -> None:
    assert copy_of(told((HEADLINE, WIRE), (title, text))) == [None, None]


def test_a_paragraph_about_the_company_makes_no_copies_of_its_releases() -> None:
    about = f"About Nordlys Energy. {MIDDLE[0]} {LOCAL}"
    first = f"{LEAD} {MIDDLE[1]} {MIDDLE[2]} {about}"
    second = (
        f"Nordlys Energy has named Siri Moe to its board, where she will look after safety. {LAST} {about}"
    )
    assert copy_of(told(("Plant opens", first), ("Siri Moe joins board", second))) == [None, None]


def test_in_a_short_text_another_name_or_number_in_its_title_is_another_event() -> None:
    stock = "Winds of more than 90 km/h cut power to thousands of homes in the west, the grid said today."
    assert copy_of(told(("Storm Ana hits", stock), ("Storm Bert hits", stock))) == [None, None]
    assert copy_of(told(("Quake of 5.1 off coast", stock), ("Quake of 4.7 off coast", stock))) == [None, None]
    assert copy_of(told(("Storm Ana hits", stock), ("Storm Ana strikes", stock))) == [None, "a"]


@pytest.mark.parametrize(
    ("first", "second", "is_copy"),
    [
        ("Nordlys opens a plant in May", "Nordlys opens a plant in May - News 24", True),
        ("Nordlys opens a plant in May", "CORRECTED-UPDATE 2-Nordlys opens a plant in May", True),
        ("Nordlys opens 2 plants in May", "Nordlys opens two plants in May", False),
        ("What you need to know today", "What you need to know today", False),
        ("Nordlys opens a plant", "Nordlys opens a plant and closes two old ones in Sweden", False),
    ],
)
def test_headlines_alone_must_say_enough_and_the_same(first: str, second: str, is_copy: bool) -> None:
    assert copy_of(news(first, second)) == [None, "a" if is_copy else None]


def test_a_headline_said_again_after_three_days_is_another_event() -> None:
    fresh, stale = T0 + timedelta(hours=72), T0 + timedelta(hours=145)
    same = "Central bank raises rates by a quarter point"
    assert copy_of(news(same, same, same, published_at=[T0, fresh, stale])) == [None, "a", None]
    longer = f"{same} - Fjord Wire"
    assert copy_of(news(same, longer, published_at=[T0, stale])) == [None, None]
    assert copy_of(told((HEADLINE, WIRE), (HEADLINE, f"{WIRE} (Fjord Wire)"), published_at=[T0, stale])) == [
        None,
        "a",
    ]


def test_a_post_that_is_a_report_s_first_paragraph_is_its_copy() -> None:
    assert copy_of(told((HEADLINE, WIRE), (f"{LEAD} {MIDDLE[0]}", None))) == [None, "a"]


def test_two_cuts_of_one_report_with_nothing_in_common_have_one_original() -> None:
    # The cut came first; the report is its copy; what lacks the cut's paragraph shares only with the report.
    cut, rest = f"{LEAD} {MIDDLE[0]}", " ".join([*MIDDLE[1:], LAST, LOCAL])
    report = f"{cut} {rest}"
    items = told((HEADLINE, cut), (HEADLINE, report), ("Jobs boost for Drammen", rest))
    assert copy_of(items) == [None, "a", "a"]


def test_the_ends_of_a_chain_of_small_changes_are_not_tied() -> None:
    # Each text is the last one without its first three words and with three new ones.
    words = [f"{a}{b}" for a in "bdfghklmnpr" for b in ("ana", "elo", "ist", "oru", "umi", "yke", "art")]
    chain = [" ".join(words[at : at + 32]) for at in range(0, 45, 3)]
    found = copy_of(news(*chain))
    ids = [chr(ord("a") + k) for k in range(len(chain))]
    originals = [k for k, original in zip(ids, found, strict=True) if original is None]
    assert len(originals) > 1
    assert {original for original in found if original} <= set(originals)


@pytest.mark.parametrize(
    ("first", "second", "is_copy"),
    [
        ("北极光公司五月在奥斯陆附近开设电池厂", "北极光公司五月在奥斯陆附近开设电池厂!", True),
        ("北极光公司五月在奥斯陆附近开设电池厂", "北极光公司五月在赫尔辛基附近开设电池厂", False),
        ("北极光公司将在奥斯陆雇用400人", "北极光公司将在奥斯陆雇用500人", False),
        ("บริษัทเปิดโรงงานแบตเตอรี่ใกล้ออสโล", "บริษัทเปิดโรงงานแบตเตอรี่ใกล้ออสโล - ข่าว", True),
        ("收市报告", "收市报告", False),
        ("Нордлюс откроет завод под Осло", "НОРДЛЮС ОТКРОЕТ ЗАВОД ПОД ОСЛО", True),
        ("ارتفاع الأسهم ٣ في المئة اليوم", "ارتفاع الأسهم ٤ في المئة اليوم", False),
    ],
)
def test_scripts_of_the_world_are_compared_by_their_own_words(first: str, second: str, is_copy: bool) -> None:
    assert copy_of(news(first, second)) == [None, "a" if is_copy else None]


@pytest.mark.parametrize("share", [0, -0.1, 1.01, float("nan")])
def test_a_least_jaccard_that_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="(?s)no share of words in common.*above 0, up to 1"):
        find_copies(news(REPORT), least_jaccard=share)


def test_items_without_an_id_or_a_title_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="(?s)items lack item_id, title.*there are: summary"):
        find_copies(pl.DataFrame({"summary": [LONG]}))


def test_an_item_that_comes_twice_stays_two_rows() -> None:
    items = news(REPORT, LONG, REPORT, LONG, item_id=["a", "b", "c", "c"])
    assert find_copies(items)["item_id"].to_list() == ["a", "b", "c", "c"]


def test_candidates_stay_few_where_texts_share_all_but_one_word() -> None:
    n = 2_000
    titles = [f"Nordlys opens a battery plant near place{k} today after long talks" for k in range(n)]
    texts = copy_texts(news_of(titles))
    left, right = candidates(texts, Rules())
    # Each band gives a row two others at most, and here most of them the same two.
    assert len(left) <= 20 * n
    assert (left < right).all()
    assert find_copies(news_of(titles))["copy_of"].null_count() == n
    assert find_copies(news_of(titles[:1] * n))["copy_of"].null_count() == 1


def test_one_endless_text_is_compared_by_its_first_twenty_thousand_characters() -> None:
    endless = " ".join(f"word{k}" for k in range(20_000))
    items = told((HEADLINE, endless), (HEADLINE, endless), (HEADLINE, "spam " * 20_000), (HEADLINE, WIRE))
    assert copy_of(items) == [None, "a", None, None]


def news_of(titles: list[str]) -> pl.DataFrame:
    number = pl.int_range(len(titles), eager=True)
    return pl.DataFrame({"item_id": number.cast(pl.String).str.zfill(6), "title": titles})


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
