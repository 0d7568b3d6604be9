from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brandkit as bk
from brandkit.signals.contradiction import CONTRADICTION, KINDS, find_contradictions, wordings
from brandkit.signals.spread import measure_spread
from tests.flow.newsdesk import MONDAY, desk, end_of, row, table


def kind_of(title: str | None, item_type: str | None = "article") -> str | None:
    items = pl.DataFrame(
        {"title": [title], "item_type": [item_type]}, schema=dict.fromkeys(("title", "item_type"), pl.String)
    )
    found: str | None = find_contradictions(items)["contradiction"][0]
    return found


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Nordlys denies leak", "denial"),
        ("Nordlys DENIES that visa data leaked", "denial"),
        ("Nordlys dément toute fuite", "denial"),
        ("Nordlys否认裁员", "denial"),
        ("Correction: Nordlys opened two plants", "correction"),
        ("(Corrected) Nordlys opens plant", "correction"),
        ("【訂正】ノルドリス", "correction"),
        ("Fact-check: no, Nordlys did not", "fact_check"),
        ("No, Nordlys isn’t closing", "fact_check"),
        # What corrects or checks may deny as well; that is the kind it is not called by.
        ("Correction: Nordlys denies leak", "correction"),
        ("Judge denies Nordlys motion", None),
        ("Border guards deny entry to Nordlys drivers", None),
        ("Nordlys neither confirms nor denies leak", None),
        ("Shares slip into market correction", None),
        ("Inmate flees correctional facility", None),
        ("Nordlys adds fact-checking feature", None),
        ("Nordlys hires fact checkers", None),
        ("Late goal denies Nordlys a win", None),
        ("대통령 부인 방문", None),
        ("", None),
        (None, None),
    ],
)
def test_a_contradiction_is_told_by_its_headline_and_named_by_kind(
    title: str | None, kind: str | None
) -> None:
    assert kind_of(title) == kind


def test_what_a_company_publishes_of_press_reports_counts_only_under_its_own_name() -> None:
    said = "Response to media speculation"
    assert [kind_of(said, t) for t in ("statement", "filing", "article", None)] == [
        "denial",
        "denial",
        None,
        None,
    ]


def test_a_review_contradicts_nobody() -> None:
    assert kind_of("This is not true", "post") == "denial"
    assert kind_of("This is not true", "review") is None


def test_without_types_texts_are_articles_and_no_rows_keep_their_columns() -> None:
    found = find_contradictions(pl.DataFrame({"title": ["Nordlys denies leak", None]}))
    assert found["is_denial"].to_list() == [True, False]
    empty = find_contradictions(pl.LazyFrame(schema={"title": pl.String})).collect()
    assert dict(empty.schema) == {"title": pl.String, "contradiction": CONTRADICTION, "is_denial": pl.Boolean}


def test_every_packaged_shape_is_a_valid_expression_and_every_kind_has_words() -> None:
    assert set(wordings()) == set(KINDS)
    for wording in wordings().values():
        assert wording.words
        for shape in (wording.sure, wording.shapes, wording.unless, wording.unless_bare, wording.statement):
            assert pl.Series(["x"]).str.contains(shape).to_list() == [False]


@settings(max_examples=40)
@given(st.lists(st.one_of(st.none(), st.text(max_size=40)), max_size=5))
def test_any_text_has_an_answer_that_its_neighbours_do_not_change(titles: list[str | None]) -> None:
    items = pl.DataFrame({"title": titles}, schema={"title": pl.String})
    found = find_contradictions(items)
    assert found["is_denial"].to_list() == found["contradiction"].is_not_null().to_list()
    assert found["contradiction"].to_list() == [kind_of(title) for title in titles]


def test_a_correction_by_the_outlet_itself_contradicts_its_report() -> None:
    titles = ["Nordlys shuts Oslo plant", "Correction: Nordlys does not shut Oslo plant"]
    items = find_contradictions(
        pl.DataFrame(
            {"item_id": ["a", "b"], "title": titles, "story_id": "s", "publisher": "alpha", "tier": "A"}
        )
    )
    facts = measure_spread(items.lazy(), as_of=end_of(MONDAY)).collect()
    assert facts["disputed"].to_list() == [True, True]
    assert facts["n_publishers_ab"].to_list() == [1, 1]


RUMOUR = (
    row("beta.example", "Nordlys to close Oslo oat drink plant in May", clock="06:00:00"),
    row("gamma.example", "Oat drink plant of Nordlys in Oslo is to close by May", clock="06:30:00"),
    row("delta.example", "Nordlys closes Oslo plant: oat drink to end in May", clock="07:00:00"),
)
DENIAL = row("alpha.example", "Nordlys denies it is to close Oslo oat drink plant in May", clock="08:00:00")


def stories_of(*rows: Any) -> pl.DataFrame:
    return bk.assess(table(rows), desk(), as_of=end_of(MONDAY)).records.sort("published_at")


def test_a_denied_rumour_keeps_its_count_is_disputed_and_led_by_the_denial() -> None:
    before, after = stories_of(*RUMOUR), stories_of(*RUMOUR, DENIAL)
    assert before["story_id"].n_unique() == after["story_id"].n_unique() == 1
    # Two of B and one of C told it; the denial of A is an outlet more and a confirmation none.
    for frame, outlets in ((before, 3), (after, 4)):
        counts = frame.select("n_publishers", "n_publishers_ab", "n_outlets").unique()
        assert counts.rows() == [(3, 2, outlets)]
    assert before["disputed"].to_list() == [False] * 3
    assert after["disputed"].to_list() == [True] * 4
    assert after["is_denial"].to_list() == [False, False, False, True]
    assert after["is_lead"].to_list() == [False, False, False, True]
