from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from brandkit.errors import UsageError
from brandkit.record import phrases
from brandkit.record.explain import Explanation, explain
from tests.frames import AS_OF, BEAT, DESK, context, judged, signals

STORY: dict[str, Any] = {
    "title": "Nordlys recall of oat drink",
    "url": "https://alpha.example/1",
    "publisher": "alpha",
    "tier": "A",
    "best_tier": "A",
    "entities": ["Nordlys"],
    "entities_in_title": ["Nordlys"],
    "triggers": ["recall"],
    "triggers_in_title": ["recall"],
    "n_outlets": 2,
    "n_publishers": 1,
    "audience": 900,
    "views": 1_000_000,
    "velocity_h": 1.0,
    "age_h": 2.0,
    "published_at": AS_OF - timedelta(hours=2),
    "last_new_publisher_at": AS_OF - timedelta(hours=2),
}


def told(**changes: Any) -> Explanation:
    return explain(judged(signals({**STORY, **changes})), DESK)


def fact(account: Explanation, name: str) -> str:
    return next(step.fact for step in account.steps if step.name == name)


def test_the_steps_sum_to_the_total_to_the_point_and_the_running_sum_ends_there() -> None:
    account = told(pillars=["prices"], pillars_in_title=["prices"], coordinated_share=0.9, n_coordinated=7)
    frame = account.frame()
    assert frame["points"].sum() == account.total
    assert frame["running"].to_list() == frame["points"].cum_sum().to_list()
    assert frame.filter(pl.col("kind") == "modifier")["name"].unique().sort().to_list() == [
        "brigading",
        "single_source",
    ]


def test_the_text_says_decision_reason_parts_and_every_gate_with_its_margin() -> None:
    text = told().text()
    # 4 + 5 + 4 + 5, 14 + 5, 3 - 2, 12 + 5, 6 + 1 - 1
    assert "must_cover with 61 of 100. It names something the profile always covers." in text
    assert "breadth         +4 of 10  2 outlets" in text
    assert "single_source   -1" in text
    assert "must_cover     fails   -14  a total of 75 or more" in text
    assert str(told()) == text


def test_what_was_not_known_is_called_no_data_and_not_zero_of_something() -> None:
    nothing = dict.fromkeys(("audience", "views", "velocity_h", "age_h", "last_new_publisher_at", "url"))
    account = told(**nothing, published_at=None)
    for name in ("reach", "momentum", "freshness", "development", "engagement"):
        assert fact(account, name) == phrases.NO_DATA
    assert fact(account, "provenance") == "unknown: url, published_at"


def test_facts_name_what_was_measured() -> None:
    account = told(engagement_ratio=2.5, source="forum", evidence=["https://a.example/e"], future_dated=True)
    assert fact(account, "reach") == "1,000,000 views"
    assert fact(account, "engagement") == "2.5 times the usual for forum"
    assert fact(account, "evidence") == "1 link"
    assert fact(account, "freshness") == "dated in the future"
    assert fact(told(entities_in_title=[]), "entities") == "in the summary: Nordlys"


def test_an_exclusion_and_a_cap_are_steps_of_their_own() -> None:
    excluded = told(excluded=True)
    assert fact(excluded, "excluded") == "an exclusion of the profile stands in the title"
    assert excluded.scores["relevance"] == 0
    beat = judged(
        signals({**STORY, "pillars": ["labour", "prices"], "pillars_in_title": ["labour", "prices"]}),
        context(BEAT),
    )
    account = explain(beat, BEAT)
    # 12 + 20 + 5 = 37, and relevance stops at 25.
    assert [(s.points, s.fact) for s in account.steps if s.name == "cap"] == [(-12, "relevance stops at 25")]
    assert [s.maximum for s in account.steps if s.name == "pillars"] == [20]


def test_a_modifier_shows_the_evidence_it_rests_on() -> None:
    account = told(
        coordinated_share=0.75,
        n_coordinated=4,
        misinfo_risk=0.7,
        misinfo_evidence=["hedging:0.2"],
        n_publishers=0,
    )
    facts = {step.name: step.fact for step in account.steps if step.kind == "modifier"}
    assert facts == {
        "single_source": "0 independent listed publishers in the story",
        "brigading": "4 accounts acting together made 75% of its shares",
        "misinfo_risk": "risk 0.70: hedging:0.2",
    }
    assert phrases.evidence("a_new_one", {"its_column": 3}, "its_column") == "3"
    assert phrases.evidence("a_new_one", {}, "its_column") == phrases.NO_DATA


def test_the_gates_are_a_frame_too() -> None:
    frame = told().gate_frame()
    assert frame.filter(~pl.col("passes"))["gate"].to_list() == ["must_cover"]
    assert frame.filter(pl.col("gate") == "tied")["margin"].item() == 8


def test_a_hostile_title_cannot_move_the_terminal() -> None:
    assert "\x1b" not in told(title="Nordlys \x1b[2J recall").text()


def test_a_record_may_be_a_mapping_and_many_records_are_refused() -> None:
    frame = judged(signals(STORY, STORY))
    assert explain(frame.row(0, named=True), DESK).total == explain(frame.head(1), DESK).total
    with pytest.raises(UsageError, match="takes one record and was given 2"):
        explain(frame, DESK)
