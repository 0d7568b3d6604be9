from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit.errors import UsageError
from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile, Term
from brandkit.signals.mentions import find_mentions, mentions
from tests.reference_mentions import Reference

AS_OF = datetime(2026, 3, 2, 7, tzinfo=UTC)


def frame(*titles: str | None, summary: str | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {"title": titles, "summary": [summary] * len(titles)},
        schema={"title": pl.String, "summary": pl.String},
    )


def in_title(title: str | None, names: dict[str, list[Any]]) -> list[str]:
    found: list[str] = find_mentions(frame(title), names)["entities_in_title"][0].to_list()
    return found


def run(titles: list[str | None], summaries: list[str | None], **profile: Any) -> pl.DataFrame:
    context = RunContext(
        profile=BrandProfile.from_dict({"id": "desk", **profile}),
        as_of=AS_OF,
        window_start=AS_OF - timedelta(days=1),
    )
    items = pl.LazyFrame(
        {"item_id": [f"{i}" for i in range(len(titles))], "title": titles, "summary": summaries}
    )
    return mentions(items, context).collect().sort("item_id")


@pytest.mark.parametrize(
    ("title", "names", "expected"),
    [
        ("Velmora UPS Nordlys", {"N": ["nordlys"], "U": ["UPS"], "V": ["velmora"]}, ["N", "U", "V"]),
        ("Pineapples and upsets", {"Apple": ["apple"], "UPS": ["UPS"]}, []),
        ("NORDLYS’S results", {"N": ["Nordlys"]}, ["N"]),
        ("Café Ørsted in Łódź", {"C": ["cafe"], "O": ["orsted"], "L": ["Lodz"]}, ["C", "L", "O"]),
        ("Cafe Orsted", {"C": ["café"], "O": ["Ørsted"]}, ["C", "O"]),
        ("Macy's parade", {"M": ["Macy's"]}, ["M"]),
        ("The macy of old", {"M": ["Macy's"]}, []),
        ("AT&T and at the t", {"AT&T": ["AT&T"]}, ["AT&T"]),
        ("at the t", {"AT&T": ["AT&T"]}, []),
        ("GE grows", {"GE": ["GE"]}, ["GE"]),
        ("ge grows", {"GE": ["GE"]}, []),
        ("New Tax Bill", {"tax": ["tax"]}, ["tax"]),
        ("苹果公司发布iPhone", {"Apple": ["苹果"], "iPhone": ["iphone"]}, ["Apple", "iPhone"]),
        ("삼성전자가 발표", {"Samsung": ["삼성"]}, ["Samsung"]),
        ("Nordlys fined", {"Nordlys": ["nordlys"], "The Group": ["nordlys"]}, ["Nordlys", "The Group"]),
        ("a.*(b [c]", {"dots": [".*", "(?i)x"], "literal": ["a.*(b"]}, ["literal"]),
        ("Ｎｏｒｄｌｙｓ and oﬃce", {"N": ["nordlys"], "O": ["office"]}, ["N", "O"]),
        ("Cafe\u0301 Rene\u0301", {"C": ["café rené"]}, ["C"]),
        ("مُحَمَّد", {"M": ["محمد"]}, ["M"]),
        ("Nord\u00adlys and Vel\u200bmora", {"N": ["Nordlys"], "V": ["Velmora"]}, ["N", "V"]),
        ("Nordlys™️, Velmora®", {"N": ["Nordlys"], "V": ["Velmora"]}, ["N", "V"]),
        ("🔥Nordlys🔥Velmora👍🏽", {"N": ["Nordlys"], "V": ["Velmora"]}, ["N", "V"]),
        ("‘S&P 500’ and Levi’s’ jeans", {"S": ["S&P"], "L": ["Levi's"]}, ["L", "S"]),
        ("Nordlys' rise, the Velmoras’ fall", {"N": ["Nordlys"], "V": ["Velmoras"]}, ["N", "V"]),
        ("McDonald’s and MCDONALD'S", {"M": ["McDonald's"], "D": ["McDonald"]}, ["D", "M"]),
        ("Old McDonald", {"M": ["McDonald's"], "D": ["McDonald"]}, ["D"]),
        ("L’OREAL and l'oréal", {"L": ["L'Oréal"], "O": ["Oreal"]}, ["L"]),
        ("Nordlys's new app", {"A": ["Nordlys new app"], "N": ["Nordlys"]}, ["A"]),
        ("H&M, AT&T and B&Q's", {"H": ["H&M"], "A": ["AT&T"], "B": ["B&Q"]}, ["A", "B", "H"]),
        ("at T Mobile", {"AT&T": ["AT&T"], "T": ["T Mobile"]}, ["T"]),
        ("3M, 7-Eleven and 7 eleven", {"3M": ["3M"], "7": ["7-Eleven"]}, ["3M", "7"]),
        ("3m tall, 711", {"3M": ["3M"], "7": ["7-Eleven"]}, []),
        ("Gap, Visa, HP", {"G": ["Gap"], "V": ["Visa"], "H": ["HP"]}, ["G", "H", "V"]),
        ("a gap, a visa, hp and GAP", {"G": ["Gap"], "V": ["Visa"], "H": ["HP"]}, []),
        ("Vitamin C and C#", {"C++": ["C++"], "C#": ["C#"]}, ["C#"]),
        ("c++11, Disney+’s price", {"C++": ["C++"], "D": ["Disney"], "D+": ["Disney+"]}, ["C++", "D", "D+"]),
        ("Yahoo fell, Yum Brands rose", {"Y": ["Yahoo!"], "Yum": ["Yum! Brands"]}, ["Y", "Yum"]),
        ("Bank of America Tower", {"B": ["Bank of America"], "T": ["America Tower"]}, ["B"]),
        ("東京電力が発表、ソニーも", {"T": ["東京電力"], "S": ["ソニー"], "K": ["京都"]}, ["S", "T"]),
        ("ｿﾆｰの発表", {"S": ["ソニー"]}, ["S"]),
        ("การบินไทยประกาศ", {"TG": ["การบินไทย"]}, ["TG"]),
        ("ВТБ и ГАЗПРОМ", {"V": ["ВТБ"], "G": ["Газпром"]}, ["G", "V"]),
        ("дом у дороги", {"D": ["Дом"]}, []),
        ("Η ΤΡΑΠΕΖΑ ΕΛΛΑΔΟΣ", {"E": ["Ελλάδος"]}, ["E"]),
        ("İstanbul, ISTANBUL", {"I": ["istanbul"]}, ["I"]),
        ("x" * 300, {"X": ["x" * 200]}, []),
        (None, {"N": ["nordlys"]}, []),
        ("", {"N": ["nordlys"]}, []),
    ],
)
def test_a_name_is_found_as_whole_words_however_it_is_written(
    title: str | None, names: dict[str, list[Any]], expected: list[str]
) -> None:
    assert in_title(title, names) == expected


def test_the_longest_name_of_a_group_hides_what_lies_inside_it() -> None:
    names: dict[str, list[Any]] = {"New York": ["new york"], "The Times": ["New York Times"]}
    assert in_title("New York Times says so", names) == ["The Times"]
    assert in_title("New York reads the New York Times", names) == ["New York", "The Times"]


def test_a_short_name_is_hidden_by_a_longer_one_however_that_is_written() -> None:
    names: dict[str, list[Any]] = {"GE": ["GE"], "GE HealthCare": ["GE HealthCare"], "Gear": ["ge gear"]}
    assert in_title("GE Healthcare rises", names) == ["GE HealthCare"]
    assert in_title("ge healthcare rises as GE falls", names) == ["GE", "GE HealthCare"]
    assert in_title("GE Gear and ge", names) == ["Gear"]


def test_a_short_word_in_lower_case_is_a_word_whatever_name_looks_like_it() -> None:
    names: dict[str, list[Any]] = {"Gap": ["Gap"], "difference": ["gap"]}
    assert in_title("Mind the gap", names) == ["difference"]
    assert in_title("Gap opens", names) == ["Gap", "difference"]


def test_a_term_with_a_condition_holds_only_in_its_company_and_hides_nothing() -> None:
    fruit = Term(phrase="apple store", near=("iphone", "mac os"), never=("orchard",))
    names: dict[str, list[Any]] = {"Shop": [fruit], "Apple": ["apple"]}
    assert in_title("Apple Store sells iPhone", names) == ["Apple", "Shop"]
    assert in_title("Apple store of an orchard: iPhone wins", names) == ["Apple"]
    assert in_title("Apple store opens", names) == ["Apple"]


def test_company_without_a_letter_is_never_there() -> None:
    assert in_title("Apple ?!", {"Apple": [Term(phrase="apple", near=("?!",))]}) == []
    assert in_title("Apple ?!", {"Apple": [Term(phrase="apple", never=("?!",))]}) == ["Apple"]


def test_company_may_stand_in_the_other_part_of_the_item() -> None:
    names = {"Apple": [Term(phrase="apple", near=("iphone",))]}
    found = find_mentions(frame("Apple rises", summary="the new iPhone"), names)
    assert found["entities_in_title"].to_list() == [["Apple"]]


def test_a_summary_hit_counts_anywhere_but_not_in_the_title() -> None:
    found = find_mentions(frame("Rain", summary="Nordlys pays"), {"Nordlys": ["nordlys"]}, into="names")
    assert found["names"].to_list() == [["Nordlys"]]
    assert found["names_in_title"].to_list() == [[]]


def test_a_hundred_thousand_characters_are_searched_to_the_end() -> None:
    assert in_title("nord lys " * 11_112 + "Nordlys", {"N": ["nordlys"]}) == ["N"]


def test_rows_beyond_one_batch_are_searched_as_the_first_are() -> None:
    titles = pl.Series(["Nordlys", *["rain"] * 200_000, "Velmora"])
    found = find_mentions(titles.to_frame("title"), {"N": ["nordlys"], "V": ["velmora"]})["entities"]
    assert found.filter(found.list.len() > 0).to_list() == [["N"], ["V"]]
    assert found[0].to_list() == ["N"]
    assert found[-1].to_list() == ["V"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"Nordlys": "nordlys"}, "the terms of 'Nordlys' are no list: 'nordlys'"),
        ({"Nordlys": None}, "the terms of 'Nordlys' are no list: None"),
        ({"Nordlys": [" "]}, "a term of 'Nordlys' cannot be looked for: ' '"),
        ({"Nordlys": ["x" * 201]}, "a term of 'Nordlys' cannot be looked for: 'xxx"),
        ({"Nordlys": [7]}, "a term of 'Nordlys' cannot be looked for: 7"),
    ],
)
def test_names_that_cannot_be_looked_for_are_refused_with_what_is_allowed(names: Any, said: str) -> None:
    with pytest.raises(UsageError, match="phrase") as refused:
        find_mentions(frame("Nordlys"), names)
    assert str(refused.value).startswith(said)


def test_no_names_and_no_rows_give_empty_lists_and_no_rows() -> None:
    assert find_mentions(frame("Nordlys"), {})["entities"].to_list() == [[]]
    assert find_mentions(frame("Nordlys"), {"N": ["!?"]})["entities"].to_list() == [[]]
    assert find_mentions(frame(), {"N": ["n"]}).schema["entities"] == pl.List(pl.String)


# What texts and names are put together from: few pieces, so that they meet, and hostile ones.
PIECES = [
    "a", "A", "ge", "GE", "Ge", "at", "AT", "T", "s", "new", "New", "york", "3", "M", "&", " ", "  ", "-",
    "_", ".", "'s", "’s", "'S", "'", "’", "`s", "+", "++", "#", "é", "e\u0301", "ß", "ø", "™", "ﬁ", "Ａ",
    "語", "ー", "ก", "가", "Ω", "ω", "ς", "Σ", "ЕС", "Ес", "ес", "\u00ad", "\u200b", "\ufe0f", "😀", "\x02",
    "\U000f0000", "\U000f0004", "\U000f0100",
]  # fmt: skip


@st.composite
def searches(draw: st.DrawFn) -> tuple[list[tuple[str | None, str | None]], dict[str, list[Term | str]]]:
    piece = st.sampled_from([" ", *draw(st.lists(st.sampled_from(PIECES), min_size=2, max_size=9))])
    text = st.lists(piece, max_size=12).map("".join)
    phrase = st.lists(piece, min_size=1, max_size=4).map(lambda p: "".join(p).strip() or "ge")
    company = st.lists(phrase, max_size=1).map(tuple)
    bound = st.builds(Term, phrase=phrase, near=company, never=company)
    names = st.dictionaries(st.sampled_from("XYZ"), st.lists(st.one_of(phrase, phrase, bound), max_size=3))
    rows = st.lists(st.tuples(st.one_of(text, st.none()), st.one_of(st.none(), text)), max_size=8)
    return draw(rows), draw(names)


@settings(max_examples=60, deadline=None)
@given(searches())
def test_the_same_names_are_found_as_by_reading_word_by_word(
    search: tuple[list[tuple[str | None, str | None]], dict[str, list[Term | str]]],
) -> None:
    rows, names = search
    items = pl.DataFrame(rows, schema={"title": pl.String, "summary": pl.String}, orient="row")
    found = find_mentions(items, names).select("entities", "entities_in_title").rows()
    slow = Reference(names)
    assert found == [slow.find(title, summary) for title, summary in rows]


@given(st.lists(st.one_of(st.none(), st.text(max_size=30)), max_size=6), st.text(min_size=1, max_size=6))
def test_any_text_gives_sorted_unique_names_and_keeps_the_rows(titles: list[str | None], phrase: str) -> None:
    found = find_mentions(frame(*titles, summary=phrase), {"b": [phrase], "a": [phrase, "a b"]})
    assert found["title"].to_list() == titles
    assert found["entities"].null_count() == 0
    assert all(row == sorted(set(row)) for row in found["entities"].to_list())


@given(st.text(alphabet="abcéß語 ", min_size=1, max_size=12).filter(lambda text: text.strip() != ""))
def test_every_title_holds_itself(title: str) -> None:
    assert in_title(title, {"itself": [title]}) == ["itself"]


def test_the_stage_keeps_kinds_apart_and_gives_only_what_it_promises() -> None:
    found = run(
        ["Velmora Daily on Velmora", "Strike at Nordlys"],
        [None, "A sponsored post about labour"],
        own=["Nordlys"],
        rivals=["Velmora"],
        watched=["Velmora Daily"],
        pillars=[{"name": "labour", "terms": ["labour", "strike"]}],
        triggers=[{"name": "strike", "terms": ["strike"]}],
        forbidden={"phrases": ["sponsored post"]},
    )
    assert found["entities_in_title"].to_list() == [["Velmora", "Velmora Daily"], ["Nordlys"]]
    assert found["pillars"].to_list() == [[], ["labour"]]
    assert found["triggers_in_title"].to_list() == [[], ["strike"]]
    assert found["forbidden"].to_list() == [[], ["sponsored post"]]
    assert found["forbidden_in_title"].to_list() == [[], []]
    assert [name for name in found.columns if name.startswith("_")] == []


def test_an_exclusion_counts_only_in_the_title_and_not_beside_an_own_name() -> None:
    found = run(
        ["Horoscope for Monday", "Nordlys horoscope", "Velmora horoscope", "Rain", None],
        [None, None, None, "horoscope", "horoscope"],
        own=["Nordlys"],
        rivals=["Velmora"],
        exclusions={"terms": ["horoscope"]},
    )
    assert found["excluded"].to_list() == [True, False, True, False, False]


def test_a_denial_is_told_by_the_wording_of_the_headline() -> None:
    found = run(
        [
            "Nordlys denies leak",
            "Fact-check: no, Nordlys did not",
            "Judge denies Nordlys motion",
            "Nordlys leak",
            None,
        ],
        ["", "", "", "Nordlys denies it", "denies"],
        own=["Nordlys"],
    )
    assert found["is_denial"].to_list() == [True, True, False, False, False]


def test_the_stage_stays_lazy_and_gives_the_same_as_the_plain_function() -> None:
    items = frame("Nordlys", "Velmora", None, summary="Nordlys")
    names: dict[str, list[Any]] = {"Nordlys": ["Nordlys"], "Velmora": ["Velmora"]}
    lazy = find_mentions(items.lazy(), names)
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect().equals(find_mentions(items, names))
