from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from brandkit.profile import BrandProfile
from brandkit.schemas import TIER
from brandkit.scoring.reachable import highest_total, ideal_items

COLUMNS = {"domain": pl.String, "family": pl.String, "tier": TIER, "role": pl.String, "audience": pl.Int64}


def _publishers(*rows: tuple[str, str | None, str], family: str | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        [(domain, family, tier, role, None) for domain, tier, role in rows], COLUMNS, orient="row"
    )


def _profile(**more: Any) -> BrandProfile:
    base = {"id": "desk", "own": ["Nordlys"], "pillars": ["prices", "labour"], "triggers": ["recall"]}
    return BrandProfile.from_dict({**base, **more})


THREE = _publishers(("a.example", "A", "outlet"), ("b.example", "B", "outlet"), ("c.example", "B", "wire"))


def test_three_trusted_publishers_reach_every_point_there_is() -> None:
    reach = highest_total(_profile(), THREE)
    assert dict(reach.scores) == {
        "impact": 25,
        "timeliness": 20,
        "virality": 20,
        "relevance": 25,
        "confidence": 10,
    }
    assert (reach.total, reach.decision, reach.ok) == (100, "must_cover", True)
    assert dict(reach.publishers) == {"A": 1, "B": 2}


def test_c_publishers_alone_never_reach_the_confidence_that_promotion_needs() -> None:
    reach = highest_total(_profile(), _publishers(("a.example", "C", "outlet"), ("b.example", "C", "outlet")))
    # authority 1 of 5; source 2, unlisted voices 1, evidence 1, provenance 1.
    assert (reach.scores["impact"], reach.scores["confidence"]) == (21, 5)
    assert reach.total == 21 + 20 + 20 + 25 + 5 == 91
    assert reach.margins["confidence"] == -1
    assert not reach.ok


def test_without_any_listed_publisher_nothing_confirms() -> None:
    reach = highest_total(_profile(), _publishers())
    # no authority; nobody listed joins; single source: confidence 1 + 1 + 1 + 1 - 1, virality 20 - 4.
    assert dict(reach.scores) == {
        "impact": 20,
        "timeliness": 15,
        "virality": 16,
        "relevance": 25,
        "confidence": 3,
    }
    assert not reach.ok


@pytest.mark.parametrize(("bar", "ok"), [(92, True), (93, False)])
def test_a_bar_above_the_highest_total_is_out_of_reach_whatever_the_triggers(bar: int, ok: bool) -> None:
    # One B publisher: authority 3 of 5; source 4, unlisted voices 1, evidence 1, provenance 1, alone -1.
    one = _publishers(("b.example", "B", "outlet"))
    reach = highest_total(_profile(thresholds={"must_cover": bar}), one)
    assert reach.total == (25 - 2) + 20 + (20 - 2) + 25 + (4 + 1 + 1 + 1 - 1) == 92
    assert reach.ok is ok


def test_editions_of_one_newsroom_confirm_each_other_no_more_than_one_does() -> None:
    editions = _publishers(("a.example", "A", "outlet"), ("b.example", "A", "outlet"), family="house")
    assert highest_total(_profile(), editions).total == highest_total(_profile(), editions.head(1)).total


@pytest.mark.parametrize("role", ["own", "portal"])
def test_own_and_portal_domains_confirm_nothing(role: str) -> None:
    silent = _publishers(("a.example", "A", role), ("b.example", "A", role), ("c.example", "B", "outlet"))
    reach = highest_total(_profile(), silent)
    # best tier in the story is B; an item of the silent domain keeps its own A, with one B beside it.
    assert (reach.scores["impact"], reach.scores["confidence"]) == (23, 10)


def test_a_suffix_stands_for_many_publishers() -> None:
    assert (
        highest_total(_profile(), _publishers((".gov.example", "A", "official"))).scores["confidence"] == 10
    )


def test_a_publisher_named_without_a_tier_is_not_listed() -> None:
    assert not highest_total(_profile(), _publishers(("a.example", None, "outlet"))).ok


def test_a_profile_of_nothing_but_rivals_cannot_fill_its_relevance() -> None:
    reach = highest_total(BrandProfile.from_dict({"id": "desk", "own": ["A"], "rivals": ["B"]}), THREE)
    # No pillar and no trigger: the own name's 12, and no consequence.
    assert (reach.scores["relevance"], reach.scores["impact"]) == (12, 20)
    assert reach.total == 20 + 20 + 20 + 12 + 10 == 82


def test_every_listed_publisher_has_an_article_and_a_statement() -> None:
    rows = ideal_items(_profile(), THREE)
    assert rows.height == (3 + 1) * 2
    assert rows["item_id"].n_unique() == rows.height
