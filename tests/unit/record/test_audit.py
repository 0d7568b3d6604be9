"""The audit of sources: volume, what is unlisted, whom to tier first, and what may be wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from brandkit.errors import UnknownError, UsageError
from brandkit.record.audit import SourceAudit, audit_sources
from brandkit.record.audit_pairs import twins
from brandkit.runner import Runner
from brandkit.store.state import StateStore
from tests.flow.newsdesk import SOURCES, TUESDAY, WEDNESDAY, Row, desk, ran, row

MONDAY_MAIL: tuple[Row, ...] = (
    row("alpha.example", "Nordlys orders recall of oat drink as prices rise", clock="07:30:00"),
    row("stranger.example", "Recall of oat drink ordered by Nordlys, prices rise", clock="08:10:00"),
    row("stranger.example", "Harvest festival draws record crowd to river town", clock="10:00:00"),
    row("busy.example", "How to plant a hedge of hornbeam in clay soil", clock="11:00:00"),
    row("busy.example", "Ferry strike leaves islanders waiting at the harbour", clock="11:10:00"),
    row("busy.example", "Seven soups that a cold evening asks for", clock="11:20:00"),
    row("box.example", "Velmora opens a bakery in the old customs house", clock="11:30:00"),
    row("xn--lpha-43d.example", "An odd word about the weather of tomorrow", clock="11:40:00"),
    {
        **row("chirp.example", "Reading about the recall", clock="12:00:00"),
        "item_type": "post", "native_id": "1", "source": "chirp", "account": "reader",
    },
)  # fmt: skip
POLICY = {
    **SOURCES,
    "roles": {**SOURCES["roles"], "box.example": "portal"},
    "tiers": {
        **SOURCES["tiers"],
        "www.stranger.example": "B",
        "alphabet.example": "A",
        "bücher.example": "B",
        "a\u2260b.example": "C",
    },
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> StateStore:
    runner = Runner(tmp_path_factory.mktemp("audit") / "store.duckdb")
    ran(runner, MONDAY_MAIL, profile=desk(sources=POLICY))
    again = row("busy.example", "Ferry strike leaves islanders waiting at the harbour", on=TUESDAY)
    ran(
        runner,
        (again, row("alphabett.example", "A stranger speaks", on=TUESDAY)),
        on=TUESDAY,
        profile=desk(sources=POLICY),
    )
    # Another desk, on a day of which it has nothing.
    ran(runner, (MONDAY_MAIL[0],), on=WEDNESDAY, profile=desk(id="other"))
    return runner.store


@pytest.fixture(scope="module")
def found(store: StateStore) -> SourceAudit:
    return audit_sources(store, profile_id="desk")


def of(found: SourceAudit, publisher: str) -> dict[str, Any]:
    return found.publishers.filter(pl.col("publisher") == publisher).row(0, named=True)


def test_each_item_counts_once_and_every_item_is_somewhere(found: SourceAudit) -> None:
    # Nine on Monday, one new on Tuesday; the ferry was seen on both days.
    assert (found.n_items, found.n_by_account, found.n_nameless, found.n_by_domain) == (10, 1, 0, 9)
    assert found.publishers["n_items"].sum() == found.n_items
    assert (str(found.first), str(found.last), len(found.runs)) == ("2026-03-02", "2026-03-03", 2)


def test_volume_and_the_share_that_is_on_no_list(found: SourceAudit) -> None:
    assert (of(found, "busy.example")["n_items"], of(found, "busy.example")["share"]) == (3, 0.3)
    # Nine by domains; alpha is listed, and a profile may name a portal without a tier.
    assert (found.n_unlisted, found.n_portal) == (8, 1)
    assert found.share_unlisted == pytest.approx(8 / 9)


def test_whom_to_tier_first_goes_by_volume_and_by_stories_that_matter(found: SourceAudit) -> None:
    first = found.tier_first.select("publisher", "n_items", "n_stories", "n_mattered", "weight").rows()
    # Two items, one of its two stories was promoted: 2 x 1/2. The busy one touched nothing that matters.
    assert first[:2] == [("stranger.example", 2, 2, 1, 1.0), ("busy.example", 3, 3, 0, 0.0)]


def test_a_portal_an_account_and_a_disguise_are_no_candidates(found: SourceAudit) -> None:
    assert found.tier_first["publisher"].to_list() == [
        "stranger.example",
        "busy.example",
        "alphabett.example",
    ]
    assert of(found, "box.example")["role"] == "portal"


def test_names_that_look_like_a_listed_one_are_named_with_their_items(found: SourceAudit) -> None:
    rows = found.lookalikes.select("host", "looks_like", pl.col("how").cast(pl.String), "n_items").rows()
    assert rows == [
        ("xn--lpha-43d.example", "alpha.example", "script", 1),
        ("alphabett.example", "alphabet.example", "letters", 1),
    ]


def test_keys_of_the_profile_that_no_item_can_have_are_named(found: SourceAudit) -> None:
    assert found.never_match.rows() == [
        ("desk", "a\u2260b.example", None),
        ("desk", "www.stranger.example", "stranger.example"),
    ]


def test_the_profile_as_it_is_now_judges_what_was_run_before(store: StateStore) -> None:
    tiers = {**POLICY["tiers"], "stranger.example": "B"}
    now = desk(sources={**POLICY, "tiers": tiers, "families": {"busy.example": "busy"}})
    found = audit_sources(store, profile=now)
    assert (of(found, "stranger.example")["tier"], found.n_unlisted) == ("B", 6)
    assert of(found, "busy")["domains"] == ["busy.example"]
    # What the desk folded when it ran is unfolded where the profile says so no longer.
    assert of(found, "alpha.example")["n_items"] == 1
    assert found.n_by_account == 1


def test_a_range_of_days_and_a_number_of_publishers_can_be_asked_for(store: StateStore) -> None:
    found = audit_sources(store, profile_id="desk", first=date(2026, 3, 3), most=1)
    assert (found.n_items, found.tier_first.height, len(found.runs)) == (2, 1, 1)


def test_what_is_not_there_or_cannot_be_is_refused(store: StateStore, tmp_path: Path) -> None:
    with pytest.raises(UnknownError, match="no complete daily run"):
        audit_sources(store, first=date(2027, 1, 1))
    with pytest.raises(UnknownError, match="nobody"):
        audit_sources(store, profile_id="nobody")
    with pytest.raises(UnknownError, match="no runs"):
        audit_sources(StateStore(tmp_path / "new.duckdb"))
    with pytest.raises(UsageError, match="after the last"):
        audit_sources(store, first=date(2026, 3, 3), last=date(2026, 3, 2))
    with pytest.raises(UsageError, match="limit of 0"):
        audit_sources(store, most=0)
    with pytest.raises(UsageError, match="'other' by the sources of 'desk'"):
        audit_sources(store, profile=desk(), profile_id="other")


def test_a_profile_without_runs_in_the_range_does_not_hide_the_others(store: StateStore) -> None:
    found = audit_sources(store, first=date(2026, 3, 4))
    assert (found.profile_ids, len(found.runs)) == (("other",), 1)


def test_a_day_without_items_has_no_share(store: StateStore) -> None:
    found = audit_sources(store, profile_id="other")
    assert (found.n_items, found.share_unlisted, found.publishers.height) == (0, 0.0, 0)


Shared = tuple[str, str, str, str | None]


def shared(*rows: Shared) -> pl.DataFrame:
    names = ("item_id", "publisher", "tier", "copy_of")
    table = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    return table.with_columns(domain=pl.col("publisher"))


NO_LOOKS = pl.DataFrame(schema={"domain": pl.String, "looks_like": pl.String, "how": pl.String})


def test_two_publishers_with_the_same_text_most_of_the_time_may_be_one() -> None:
    both: list[Shared] = [(f"a{n}", "a.example", "B", None) for n in range(4)]
    both += [(f"b{n}", "b.example", "B", f"a{n}") for n in range(3)]
    # 3 shared: of the four of a, and of all three of b.
    assert twins(shared(*both), NO_LOOKS).rows() == [("a.example", "b.example", "text", 3, 0.75, 1.0)]
    # Two more of its own, and a shares less than half of what it publishes.
    more = [*both, *((f"x{n}", "a.example", "B", None) for n in range(3))]
    assert twins(shared(*more), NO_LOOKS).is_empty()


def test_a_wire_that_everybody_reprints_makes_no_twins() -> None:
    rows: list[Shared] = [(f"w{n}", "wire.example", "A", None) for n in range(3)]
    rows += [(f"p{p}-{n}", f"p{p}.example", "B", f"w{n}") for p in range(20) for n in range(3)]
    assert twins(shared(*rows), NO_LOOKS).is_empty()


def test_one_name_under_two_endings_may_be_one_where_one_of_them_is_unlisted() -> None:
    looks = pl.DataFrame({"domain": ["tribune.example"], "looks_like": ["tribune.com"], "how": ["ending"]})
    rows = shared(("1", "courier.example", "unlisted", None), ("2", "courier.test", "unlisted", None))
    found = twins(rows, looks).select("publisher_a", "publisher_b", pl.col("how").cast(pl.String)).rows()
    assert found == [("courier.example", "courier.test", "name"), ("tribune.com", "tribune.example", "name")]
