from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit.errors import UnknownError, UsageError
from brandkit.store import StateStore
from brandkit.store.find import DECISIONS, FIELDS, Asked, Term, terms_of
from tests.history_frames import told


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "store.duckdb", cache=None, timeout_s=5)


def answer(store: StateStore, query: str, **given_: Any) -> pl.DataFrame:
    asked: dict[str, Any] = {
        "kind": "items", "profile_id": None, "first": None, "last": None, "all_runs": False, "limit": 50,
        **given_,
    }  # fmt: skip
    return store.find(Asked(terms=terms_of(query), **asked))


def rows(store: StateStore, query: str, **given_: Any) -> list[int]:
    """The numbers of the items that answer, in order."""
    return [int(text, 16) for text in answer(store, query, **given_)["item_id"]]


# How a question is read


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("oat drink", [Term("oat"), Term("drink")]),
        ('"oat drink"', [Term("oat drink")]),
        ("-oat", [Term("oat", is_absent=True)]),
        ('-"oat drink"', [Term("oat drink", is_absent=True)]),
        ("oat*", [Term("oat", is_beginning=True)]),
        ('"oat*"', [Term("oat*")]),
        ("title:oat", [Term("oat", "title")]),
        ('-Publisher:"the herald"', [Term("the herald", "publisher", is_absent=True)]),
        ("decision:must_cover", [Term("must_cover", "decision")]),
        ("10:30", [Term("10:30")]),
        ("sport: cup", [Term("sport:"), Term("cup")]),
        ("https://a.example/x?y=1", [Term("https://a.example/x?y=1", "url")]),
        ('"half', [Term('"half')]),
        ("", []),
        ("  ", []),
    ],
)
def test_a_question_is_read_as_people_write_it(query: str, terms: list[Term]) -> None:
    assert list(terms_of(query)) == terms


def test_a_misspelt_field_or_decision_is_named() -> None:
    with pytest.raises(UnknownError, match=r"unknown field 'publsher'.*\n.*\n.*did you mean 'publisher'"):
        terms_of("publsher:herald")
    with pytest.raises(UnknownError, match=r"unknown decision 'must'.*\n.*\n.*did you mean 'must_cover'"):
        terms_of("decision:must")


@given(st.text(max_size=60))
def test_whatever_is_typed_is_read_or_refused(query: str) -> None:
    try:
        terms = terms_of(query)
    except UnknownError:
        return
    for term in terms:
        assert term.field in ("", *FIELDS)
        assert term.field != "decision" or term.text in DECISIONS


# What answers


TITLES = [
    "Café re-opens: oat-drink recall!",
    "cafe closed",
    "The CAFÉS of Århus",
    "東京で地震、津波なし",
    "100 % of drinks_recalled",
    "100 percent of drinks recalled",
    "It's ''quoted''; DROP TABLE records --",
    "Ÿ ß ø Ελλάδα Й",
    "हिन्दी समाचार",
    "oat and drink",
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateStore]:
    """Every title as an item's, and as another's summary; opened once for all questions."""
    store = StateStore(tmp_path_factory.mktemp("library") / "store.duckdb", cache=None)
    titled = [{"id": number, "title": text} for number, text in enumerate(TITLES)]
    summed = [{"id": 100 + number, "title": "x", "summary": text} for number, text in enumerate(TITLES)]
    told(store, *titled, *summed)
    with store.reading():
        yield store


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("cafe", [0, 1]),
        ("CAFÉ", [0, 1]),
        ("cafe*", [0, 1, 2]),
        ("arhus", [2]),
        ("oat drink", [0, 9]),
        ('"oat drink"', [0]),
        ('"oat-drink"', [0]),
        ('"drink oat"', []),
        ("drink -recall", [9]),
        ('oat -"oat drink"', [9]),
        ("at", []),
        ("%", []),
        ("100 %", [4, 5]),
        ("drinks_recalled", [4, 5]),
        ("it's", [6]),
        ("'; drop", [6]),
        ("地震", [3]),
        ("地*", [3]),
        ("Ελλαδα", [7]),
        ("ß", [7]),
        ("ss", []),
        ("हिन्दी", [8]),
        ("title:cafe closed", [1]),
        (r"\w+", []),
    ],
)
def test_words_are_found_in_titles_and_summaries_of_any_script(
    library: StateStore, query: str, found: list[int]
) -> None:
    if not any(character.isalnum() for character in query):
        with pytest.raises(UsageError, match="nothing to look for"):
            rows(library, query)
        return
    in_titles = [number for number in rows(library, query) if number < 100]
    assert sorted(in_titles) == found
    if "title:" not in query:
        assert sorted(rows(library, query)) == sorted([*found, *(100 + number for number in found)])


def _words(text: str) -> list[str]:
    """The words of a text, by a second way: small letters, no marks, everything else a space."""
    plain = "".join(
        c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c)[0] != "M"
    )
    return re.sub(r"[^\w]|_", " ", unicodedata.normalize("NFC", plain)).split()


def _has(text: str, words: Sequence[str], *, beginning: bool) -> bool:
    told_ = _words(text)
    for place in range(len(told_) - len(words) + 1):
        part = told_[place : place + len(words)]
        same = part[:-1] == list(words[:-1])
        if same and (part[-1].startswith(words[-1]) if beginning else part[-1] == words[-1]):
            return True
    return False


SPACED = [number for number, text in enumerate(TITLES) if "東" not in text]
PIECES = sorted({piece for number in SPACED for piece in re.findall(r"[^\W_]+", TITLES[number])})
TERMS = st.tuples(
    st.booleans(), st.lists(st.sampled_from(PIECES), min_size=1, max_size=2), st.sampled_from(["", "*"])
)


@given(st.lists(TERMS, min_size=1, max_size=3))
@settings(max_examples=40)
def test_what_is_found_is_what_reading_every_text_finds(
    library: StateStore, terms: list[tuple[bool, list[str], str]]
) -> None:
    def is_beginning(pieces: list[str], star: str) -> bool:
        return star == "*" and len(pieces) == 1

    def written(pieces: list[str], star: str) -> str:
        return pieces[0] + star if len(pieces) == 1 else f'"{" ".join(pieces)}"'

    query = " ".join(f"{'-' if absent else ''}{written(pieces, star)}" for absent, pieces, star in terms)
    wanted = [
        number
        for number in SPACED
        if all(
            absent != _has(TITLES[number], _words(" ".join(pieces)), beginning=is_beginning(pieces, star))
            for absent, pieces, star in terms
        )
    ]
    found = [number for number in rows(library, query) if number in SPACED]
    assert sorted(found) == wanted


@given(st.text(max_size=30))
@settings(max_examples=40)
def test_no_question_is_more_than_a_question(library: StateStore, query: str) -> None:
    try:
        rows(library, query)
    except UsageError:
        return


# Fields


URL = "https://a.example/x%20y"


def test_a_field_holds_or_begins_with_what_is_asked(store: StateStore) -> None:
    told(
        store,
        {
            "id": 1,
            "title": "one",
            "publisher": "Kétter Herald",
            "url": "https://a.example/x%20y",
            "author": "Ann",
        },
        {"id": 2, "title": "one", "publisher": "herald", "source": "wire", "story_id": "s_2"},
        {"id": 3, "title": "one", "publisher": None, "decision": "block"},
    )
    assert rows(store, "publisher:ketter") == [1]
    assert sorted(rows(store, "publisher:herald")) == [1, 2]
    assert rows(store, 'publisher:"ketter herald" one') == [1]
    assert rows(store, "-publisher:herald one") == [3]
    assert rows(store, "source:wire") == [2]
    assert rows(store, "author:ann") == [1]
    assert rows(store, URL) == [1]
    assert rows(store, "url:%") == [1]
    assert rows(store, "story:s_2") == [2]
    assert rows(store, f"item:{1:016x}") == [1]
    assert sorted(rows(store, "run:desk.daily.2026-03-02")) == [1, 2, 3]
    assert rows(store, "decision:block") == [3]
    assert sorted(rows(store, "one -decision:block")) == [1, 2]
    assert sorted(rows(store, "decision:block decision:watch")) == [1, 2, 3]


def test_an_account_is_found_by_its_pseudonym(store: StateStore) -> None:
    account = "chirpline:a_0123456789ab"
    told(store, {"id": 1, "title": "x", "publisher": account}, {"id": 2, "title": "x"})
    assert rows(store, f"publisher:{account}") == [1]
    found = store.find(
        Asked(
            terms=terms_of("x"), kind="items", profile_id=None, first=None, last=None, all_runs=False, limit=9
        )
    )
    assert sorted(found["publisher"]) == ["alpha", account]


# Which runs, and in which order


def test_an_item_is_found_as_its_newest_run_decided_it(store: StateStore) -> None:
    told(store, {"id": 1, "title": "oat", "decision": "watch"}, day=2)
    told(store, {"id": 1, "title": "oat", "decision": "drop"}, day=3)
    told(store, {"id": 1, "title": "oat", "decision": "block"}, day=3)
    assert rows(store, "oat decision:block") == [1]
    assert rows(store, "oat decision:watch") == []
    assert rows(store, "oat decision:watch", all_runs=True) == [1]
    assert rows(store, "oat", all_runs=True) == [1, 1, 1]


def test_failed_and_shadow_runs_and_other_profiles_stay_out(store: StateStore) -> None:
    told(store, {"id": 1, "title": "oat"})
    told(store, {"id": 2, "title": "oat"}, shadow=True)
    told(store, {"id": 3, "title": "oat"}, profile_id="other")
    assert rows(store, "oat", profile_id="desk") == [1]
    assert sorted(rows(store, "oat")) == [1, 3]


def test_two_desks_that_decided_on_one_item_both_answer(store: StateStore) -> None:
    told(store, {"id": 1, "title": "oat"})
    told(store, {"id": 1, "title": "oat"}, profile_id="other")
    assert rows(store, "oat") == [1, 1]


def test_titles_come_before_summaries_then_the_newest_then_the_highest(store: StateStore) -> None:
    told(store, {"id": 1, "title": "oat drink"}, {"id": 2, "title": "oat", "summary": "drink"}, day=2)
    told(
        store,
        {"id": 3, "title": "oat drink", "total": 40},
        {"id": 4, "title": "oat drink", "total": 60},
        {"id": 5, "title": "x", "summary": "oat drink", "total": 90},
        day=3,
    )
    assert rows(store, "oat drink") == [4, 3, 1, 2, 5]
    assert rows(store, "oat drink", limit=2) == [4, 3]


def test_days_bound_what_is_asked(store: StateStore) -> None:
    runs = [told(store, {"id": day, "title": "oat"}, day=day) for day in (2, 3, 4)]
    second = runs[1].run_on
    assert rows(store, "oat", first=second) == [4, 3]
    assert rows(store, "oat", last=second) == [3, 2]
    assert rows(store, "", first=second, last=second) == [3]


# Stories


def test_a_story_answers_where_one_of_its_items_does(store: StateStore) -> None:
    told(
        store,
        {"id": 1, "title": "Lead of one", "story_id": "s_1", "effective": "must_cover", "publisher": "alpha"},
        {"id": 2, "title": "Oat drink", "story_id": "s_1", "decision": "drop"},
        {
            "id": 3,
            "title": "Nothing",
            "story_id": "s_2",
            "summary": "Before any oat drink",
        },
        {"id": 4, "title": "Stranger", "story_id": "s_3"},
    )
    found = answer(store, "oat drink", kind="stories")
    assert found.select("story_id", "title", "decision", "publisher", "snippet").rows() == [
        ("s_1", "Lead of one", "must_cover", "alpha", "Oat drink"),
        ("s_2", "Nothing", "watch", "alpha", "Before any oat drink"),
    ]
    assert rows(store, "oat decision:must_cover", kind="stories") == [1]
    assert rows(store, "oat decision:drop", kind="stories") == []


def test_a_story_is_found_as_its_newest_run_had_it(store: StateStore) -> None:
    told(store, {"id": 1, "title": "oat"}, day=2)
    told(store, {"id": 2, "title": "oat", "decision": "optional"}, day=3)
    assert rows(store, "oat", kind="stories") == [2]
    assert rows(store, "oat", kind="stories", all_runs=True) == [2, 1]


# The rest


def test_a_snippet_shows_the_summary_where_the_word_is(store: StateStore) -> None:
    summary = "Nothing of note. " * 20 + "Then the café in Århus closed. " + "More. " * 40
    told(
        store, {"id": 1, "title": "News", "summary": summary}, {"id": 2, "title": "cafe", "summary": summary}
    )
    found = store.find(
        Asked(
            terms=terms_of("cafe"),
            kind="items",
            profile_id=None,
            first=None,
            last=None,
            all_runs=False,
            limit=9,
        )
    )
    assert found["snippet"].to_list()[0] is None
    snippet = found["snippet"].to_list()[1]
    assert "Then the café in Århus closed" in snippet
    assert len(snippet) <= 120


@pytest.mark.parametrize("query", ["", "   ", "-", '""', "!!", "-?"])
def test_nothing_to_look_for_is_refused(library: StateStore, query: str) -> None:
    with pytest.raises(UsageError, match="nothing to look for"):
        rows(library, query)


def test_a_store_without_a_file_answers_with_nothing(store: StateStore) -> None:
    assert rows(store, "oat") == []
    assert not store.path.exists()
