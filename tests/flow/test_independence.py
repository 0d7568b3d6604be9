"""Who confirms a story: editions of one newsroom and reprints of one wire confirm nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

import brandkit as bk
from brandkit.normalise import normalise_items
from brandkit.profile import SourcePolicy
from brandkit.signals.copies import find_copies
from brandkit.signals.spread import measure_spread
from brandkit.signals.trust import publishers_for, tier_publishers
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


OURS = SourcePolicy(own_domains=("nordlys.example",))
# One event in words of their own, so that no two are copies.
TOLD = (
    "Illness makes Nordlys call back its oat drink",
    "Shops clear shelves of oat drink while the maker looks into complaints",
    "What buyers of the called back drink should do now",
    "Regulator asks the maker for the results of its tests",
    "Share price falls on word of sick customers",
    "Minister: every carton has to be found by Friday",
    "Factory in the north stands still over hygiene",
)
COUNTS = ("n_publishers", "n_publishers_ab", "n_other_publishers_ab", "n_unlisted", "best_tier")
FIRST = row("www.bbc.co.uk", REPORT, clock="05:00:00")


def told_at(*hosts: str) -> tuple[Row, ...]:
    """The story as told at these hosts, one an hour."""
    return tuple(row(host, TOLD[n], clock=f"{6 + n:02}:00:00") for n, host in enumerate(hosts))


def counted(*rows: Row) -> dict[str, Any]:
    """The first report's facts by the packaged list, all rows held to be one story."""
    items = normalise_items(table(rows)).items.lazy()
    judged = tier_publishers(items, publishers_for(OURS)).collect()
    one_story = find_copies(judged).with_columns(story_id=pl.lit("s"))
    found = measure_spread(one_story.lazy(), as_of=END).collect()
    return found.filter(pl.col("title") == REPORT).sort("published_at").row(0, named=True)


@pytest.mark.parametrize(
    "hosts",
    [
        ("www.bbc.com", "news.bbc.co.uk", "m.bbc.com", "bbc.co.uk.", "BBC.CO.UK:443"),
        ("news.google.com", "www.msn.com", "uk.news.yahoo.com", "apple.news", "flipboard.com", "www.aol.com"),
        ("www.prnewswire.com", "www.businesswire.com", "www.globenewswire.com", "www.presseportal.de"),
        ("somebody.substack.com", "medium.com", "another.tumblr.com"),
        ("press.nordlys.example", "nordlys.example", "www.nordlys.example"),
    ],
    ids=["editions", "aggregators", "press releases", "platforms", "own domains"],
)
def test_by_the_packaged_list_these_leave_the_independent_count_unchanged(hosts: tuple[str, ...]) -> None:
    before, after = counted(FIRST), counted(FIRST, *told_at(*hosts))
    assert (before["n_publishers"], after["n_items"]) == (1, 1 + len(hosts))
    assert {name: after[name] for name in COUNTS} == {name: before[name] for name in COUNTS}


def test_by_the_packaged_list_another_newsroom_does_count() -> None:
    found = counted(FIRST, *told_at("www.theguardian.com", "www.lemonde.fr", "www.guardian.co.uk"))
    assert (found["n_publishers"], found["n_publishers_ab"], found["n_other_publishers_ab"]) == (3, 3, 2)


def test_a_wire_report_that_other_newsrooms_print_is_one_voice() -> None:
    papers = ("www.theguardian.com", "www.lemonde.fr", "www.stuff.co.nz")
    printed = tuple(row(host, REPORT, clock=f"0{6 + n}:00:00") for n, host in enumerate(papers))
    found = counted(row("www.reuters.com", REPORT, clock="04:00:00"), *printed)
    assert (found["publisher"], found["role"], found["n_outlets"]) == ("reuters", "wire", 4)
    assert (found["n_publishers"], found["n_other_publishers_ab"], found["n_adopters_ab"]) == (1, 0, 3)


def test_a_release_on_a_portal_and_a_paper_that_prints_it_have_no_independent_voice() -> None:
    printed = row("www.bbc.com", REPORT, clock="07:00:00")
    found = counted(row("www.prnewswire.com", REPORT, clock="06:00:00"), printed)
    # The paper repeats what the portal passed on: nobody independent has said it yet.
    assert (found["n_outlets"], found["n_publishers"], found["n_adopters_ab"]) == (2, 0, 1)


def test_a_disguised_name_confirms_nothing_as_the_one_it_imitates() -> None:
    # A Cyrillic letter in the first; in the second the real name is evil.example.
    found = counted(FIRST, *told_at("rеuters.com", "reuters.com.evil.example"))
    assert (found["n_publishers"], found["n_publishers_ab"], found["n_unlisted"]) == (1, 1, 2)
