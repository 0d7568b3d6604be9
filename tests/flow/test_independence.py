"""Who confirms a story: editions of one newsroom and reprints of one wire confirm nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl

import brandkit as bk
from tests.flow.newsdesk import SOURCES, Row, desk, row, table

END = datetime(2026, 3, 2, 12, tzinfo=UTC)
REPORT = "Nordlys orders recall of oat drink after illness, and prices rise"
RETOLD = "Oat drink recall ordered by Nordlys after illness as prices rise"
ALONE = row("alpha.example", REPORT, clock="07:00:00")


def facts(*rows: Row, profile: bk.BrandProfile | None = None) -> dict[str, Any]:
    """The facts of the story that the first report stands in."""
    found = bk.assess(table(rows), profile or desk(), as_of=END)
    return found.records.filter(pl.col("title") == REPORT).sort("item_id").row(0, named=True)


def test_one_report_is_one_independent_publisher() -> None:
    assert facts(ALONE)["n_publishers"] == 1
    assert {m["name"] for m in facts(ALONE)["modifiers"]} == {"single_source"}


def test_another_newsroom_that_tells_it_in_its_own_words_confirms() -> None:
    found = facts(ALONE, row("beta.example", RETOLD, clock="08:00:00"))
    assert (found["n_publishers"], found["n_other_publishers_ab"], found["modifiers"]) == (2, 1, [])


def test_editions_of_one_newsroom_leave_the_count_unchanged() -> None:
    editions = (
        row("alpha-sport.example", RETOLD, clock="07:30:00"),
        row("www.alpha.example", f"{RETOLD} again", clock="08:00:00"),
        row("business.alpha.example", f"{RETOLD}, says the maker", clock="08:30:00"),
    )
    before, after = facts(ALONE), facts(ALONE, *editions)
    assert after["n_items"] == 4
    for name in ("n_publishers", "n_publishers_ab", "n_outlets", "n_other_publishers_ab"):
        assert after[name] == before[name], name
    assert after["scores"]["confidence"] == before["scores"]["confidence"]


def test_two_hundred_reprints_of_one_wire_report_leave_the_count_unchanged() -> None:
    wire = row("wire.example", REPORT, clock="06:00:00")
    reprints = tuple(
        row(f"paper-{n}.example", REPORT, clock=f"{7 + n // 60:02}:{n % 60:02}:00") for n in range(200)
    )
    listed = {f"paper-{n}.example": "B" for n in range(5)}
    profile = desk(sources={**SOURCES, "tiers": {**SOURCES["tiers"], **listed}})
    found = bk.assess(table((wire, *reprints)), profile, as_of=END).records
    assert found["story_id"].n_unique() == 1
    first = found.filter(pl.col("publisher") == "wire.example").row(0, named=True)
    assert (first["n_outlets"], first["n_publishers"], first["n_publishers_ab"]) == (201, 1, 1)
    assert (first["n_unlisted"], first["n_adopters_ab"]) == (0, 5)
    assert first["copy_of"] is None
    assert found.filter(pl.col("copy_of") == first["item_id"]).height == 200
    assert {m["name"] for m in first["modifiers"]} == {"single_source"}


def test_a_reprint_that_came_first_does_not_make_two_of_one_report() -> None:
    early = row("beta.example", REPORT, clock="05:00:00")
    assert facts(early, ALONE)["n_publishers"] == 1


def test_a_portal_and_the_makers_own_site_confirm_nothing() -> None:
    roles = {"portal.example": "portal", "nordlys.example": "own"}
    tiers = {**SOURCES["tiers"], "portal.example": "B", "nordlys.example": "A"}
    profile = desk(sources={**SOURCES, "tiers": tiers, "roles": {**SOURCES["roles"], **roles}})
    told = (
        row("portal.example", RETOLD, clock="08:00:00"),
        row("nordlys.example", f"{RETOLD}: what to do", clock="08:30:00"),
    )
    found = facts(ALONE, *told, profile=profile)
    assert (found["n_items"], found["n_outlets"], found["n_publishers"]) == (3, 3, 1)


def test_a_post_that_links_to_a_report_adds_no_publisher_for_it() -> None:
    posts = tuple(
        {
            **row("chirp.example", f"Reading: {REPORT} ({n})", clock=f"09:0{n}:00"),
            "item_type": "post", "native_id": str(n), "source": "chirp", "account": f"reader-{n}",
            "target_url": "https://beta.example/the-report",
        }
        for n in range(2)
    )  # fmt: skip
    found = facts(ALONE, *posts)
    assert (found["n_publishers"], found["n_publishers_ab"]) == (1, 1)
