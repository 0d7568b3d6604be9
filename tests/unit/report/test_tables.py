from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product

import polars as pl
import pytest

from brandkit.report import brief as content
from brandkit.report import daily, tables
from brandkit.report.cards import cards
from brandkit.report.tables import Column
from tests.unit.report.briefs import HOSTILE, HOSTILE_URLS, briefed, read


def test_a_table_shows_numbers_lists_and_what_is_not_known() -> None:
    rows = pl.DataFrame({"n": [12345, None], "f": [0.5, 2.0], "names": [["a", "b"], []], "ok": [True, False]})
    columns = (
        Column("n", "N", "number"),
        Column("f", "F", "number"),
        Column("names", "Names"),
        Column("ok", "Ok"),
    )
    text = read(tables.table(rows, columns, caption="What").markup).text
    assert text == "WhatNFNamesOk12,3450.50a, byes–2.00no"


def test_a_decision_in_a_table_is_a_chip_that_says_it() -> None:
    made = tables.table(pl.DataFrame({"now": ["must_cover"]}), (Column("now", "Now", "decision"),))
    assert '<span class="chip must_cover">must cover</span>' in made.markup


def test_a_cut_table_says_how_many_more_there_are() -> None:
    rows = pl.DataFrame({"a": ["x"]})
    assert "and 14 more" in tables.table(rows, (Column("a", "A"),), total=15).markup
    assert "more" not in tables.table(rows, (Column("a", "A"),), total=1).markup


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", ["text", "title", "code"])
def test_hostile_text_in_a_cell_a_heading_or_a_caption_stays_text(text: str, kind: str) -> None:
    column = Column("a", text, kind)  # type: ignore[arg-type]
    page = read(tables.table(pl.DataFrame({"a": [text]}), (column,), caption=text).markup)
    assert not page.live
    assert page.links == []


@pytest.mark.parametrize("url", [*HOSTILE_URLS, None])
def test_a_hostile_or_missing_address_leaves_the_title_without_a_link(url: str | None) -> None:
    rows = pl.DataFrame({"title": ["Story"], "url": [url]}, schema={"title": pl.String, "url": pl.String})
    page = read(tables.table(rows, (Column("title", "Story", "title", link="url"),)).markup)
    assert (page.links, page.live) == ([], [])


def test_hostile_titles_names_and_sources_stay_text_in_every_section() -> None:
    rows: list[dict[str, object]] = []
    for text in HOSTILE:
        signed = {"author": text, "source": text, "evidence": HOSTILE_URLS}
        posted = {"url": None, "native_id": text, "item_type": "post", "account": text}
        rows += [
            {"title": f"Nordlys recall notice {text}", **signed},
            {"title": f"Sorglimt {text}", **posted},
            {"title": text, "url": None, "native_id": None, "raw_file": text},
        ]
    own = [
        {"name": text[:60], "terms": ["Nordlys" if n == 0 else text[:60]]} for n, text in enumerate(HOSTILE)
    ]
    profile = {"title": HOSTILE[0], "own": own}
    shown = briefed(rows, profile=profile, warnings=HOSTILE)
    blocked = briefed([{**row, "risk_flags": ["private_data"]} for row in rows], profile=profile)
    assert content.tally(shown)["must_cover"] > content.tally(blocked)["must_cover"] == 0
    for brief, name in product((shown, blocked), SECTIONS):
        page = read(getattr(daily, name)(brief)._repr_html_())
        assert not page.live, name


SECTIONS = (
    "headline", "must_cover", "do_not_amplify", "optional", "near_misses", "watch", "dropped",
    "big_elsewhere", "share_of_voice", "timeline", "sources", "rejects",
    "what_changed", "run_health",
)  # fmt: skip


def test_a_card_tells_the_decision_why_by_whom_and_how_to_ask_more() -> None:
    brief = briefed(
        [
            {"title": "Nordlys issues recall notice for heaters", "evidence": ["https://gov.example/notice"]},
            {"title": "Nordlys issues recall notice for its heaters", "url": "https://beta.example/2"},
        ]
    )
    (story,) = cards(brief, "must_cover", most=5)
    page = read(tables.card(story).markup)
    assert "must cover" in page.text
    assert "always covers" in page.text
    assert f"brandkit explain {story.item_id}" in page.text
    assert "https://gov.example/notice" in page.links
    assert "About: Nordlys, recall notice, safety" in page.text
    assert f"How the {story.explanation.total} points came about" in page.text
    assert story.publishers == {"A": ("alpha.example",), "B": ("beta.example",)}


def test_a_card_says_what_speaks_against_the_story() -> None:
    brief = briefed(
        [{"title": "Nordlys secret", "url": "https://nobody.example/1", "risk_flags": ["private_data"]}]
    )
    (story,) = cards(brief, "block", most=5)
    assert story.doubts == (
        "the profile forbids: private data",
        "no A or B publisher carries it",
        "its source flags a risk",
    )
    assert "<img" not in tables.card(story, is_drawn=False).markup


def test_a_card_tells_of_accounts_that_act_together() -> None:
    brief = briefed([{"title": "Nordlys issues recall notice for heaters"}])
    records = brief.records.with_columns(n_coordinated=pl.lit(5, pl.Int64), coordinated_share=pl.lit(0.57))
    (story,) = cards(replace(brief, records=records), "must_cover", most=5)
    assert story.doubts == ("5 accounts acting together made 57% of its shares",)


def test_a_card_shows_an_editors_verdict_beside_the_score() -> None:
    brief = briefed([{"title": "Nordlys issues recall notice for heaters"}])
    verdict = pl.lit("optional").cast(brief.stories["effective_decision"].dtype)
    changed = replace(brief, stories=brief.stories.with_columns(effective_decision=verdict))
    (story,) = cards(changed, "optional", most=5)
    assert story.verdict == "optional. The score alone says must cover."
    assert not cards(changed, "must_cover", most=5)


def test_a_day_without_items_reads_as_one() -> None:
    brief = briefed([])
    assert "No items were collected on this day." in daily.headline(brief).markup
    shown = {name: read(getattr(daily, name)(brief).markup).text for name in SECTIONS}
    assert "No story reached the bar today." in shown["must_cover"]
    assert "No source delivered anything." in shown["sources"]
    assert "Every row is accounted for." in shown["run_health"]
    assert brief.run.run_on == date(2026, 3, 4)


def test_sections_are_cut_and_say_so() -> None:
    rows = [{"title": f"Nordlys {words}", "source": f"s{i}"} for i, words in enumerate(APART)]
    brief = briefed(rows)
    n = brief.of("optional").height
    assert n > daily.MOST_LINES
    assert f"and {n - daily.MOST_LINES} more" in daily.optional(brief).markup
    assert f"and {len(rows) - daily.MOST_LINES} more" in daily.sources(brief).markup


# No two of them could be about one event.
APART = (
    "plants alder hedges", "quarry sells basalt", "mines drop cobalt", "dahlia contest prize",
    "ember alarm redesign", "ferry crosses fjord", "garnet jewellery museum", "heron nests protected",
    "indigo dye patent", "gin from juniper", "kestrel webcam returns",
    "larch roofs tested", "magnet train trial",
)  # fmt: skip
