from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile, Term
from brandkit.signals.mentions import find_mentions, mentions

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


def test_no_names_and_no_rows_give_empty_lists_and_no_rows() -> None:
    assert find_mentions(frame("Nordlys"), {})["entities"].to_list() == [[]]
    assert find_mentions(frame("Nordlys"), {"N": ["!?"]})["entities"].to_list() == [[]]
    assert find_mentions(frame(), {"N": ["n"]}).schema["entities"] == pl.List(pl.String)


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
