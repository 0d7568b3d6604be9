from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings

from brandkit import schemas
from brandkit.errors import UsageError
from brandkit.profile import BrandProfile
from brandkit.record import phrases
from brandkit.record.explain import SHOWN_EVIDENCE, Explanation, explain
from brandkit.record.kept import Kept
from brandkit.report import charts
from brandkit.store.runs import RunRow
from tests.frames import AS_OF, BEAT, DESK, context, judged, signals
from tests.unit.scoring.test_invariants import rows

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
PAIRS = [
    {"account_a": "a_1", "account_b": f"a_{n}", "n_objects": n, "median_gap_s": 2.0 * n} for n in range(2, 9)
]


def told(profile: BrandProfile = DESK, **changes: Any) -> Explanation:
    return explain(judged(signals({**STORY, **changes}), context(profile)), profile)


def fact(account: Explanation, name: str) -> str:
    return next(step.fact for step in account.steps if step.name == name)


@given(row=rows())
@settings(max_examples=15, deadline=None)
def test_whatever_is_known_the_steps_sum_to_the_total_and_the_scores_and_every_step_has_a_fact(
    row: dict[str, Any],
) -> None:
    account = explain(judged(signals(row)), DESK)
    frame = account.frame()
    assert frame["points"].sum() == account.total
    assert frame["running"].to_list() == frame["points"].cum_sum().to_list()
    sums = dict(frame.group_by("component").agg(pl.col("points").sum()).rows())
    assert {c: sums[c] for c in schemas.COMPONENTS} == account.scores
    assert all(step.fact for step in account.steps)


def test_the_tone_is_said_to_be_outside_of_the_score_and_is_left_out_where_it_was_not_measured() -> None:
    account = told(sentiment=-0.5994)
    assert account.text().endswith("tone: negative, -0.60 on a scale of -1 to 1 (not in the score)")
    assert account.steps == told().steps
    assert "tone" not in told(sentiment=None).text()


def test_the_text_says_decision_reason_parts_and_every_gate_with_its_margin() -> None:
    text = told().text()
    # 4 + 5 + 4 + 5, 14 + 5, 3 - 2, 12 + 5, 6 + 1 - 1
    assert "must_cover with 61 of 100. It names something the profile always covers." in text
    assert "  impact       18 of 25" in text
    assert "breadth         +4 of 10  carried by 2 outlets" in text
    assert "single_source   -1        only 1 independent listed publisher tells it" in text
    assert "must_cover     fails by 14   a total of 75 or more" in text
    assert "always_cover   passes        an always-cover trigger in the title" in text
    assert str(told()) == text


def test_what_was_not_known_is_called_no_data_and_not_zero_of_something() -> None:
    nothing = dict.fromkeys(("audience", "views", "velocity_h", "age_h", "last_new_publisher_at", "url"))
    account = told(**nothing, published_at=None)
    for name in ("reach", "momentum", "freshness", "development", "engagement"):
        assert fact(account, name) == phrases.NO_DATA
    assert fact(account, "provenance") == "its address and date are unknown"


def test_facts_name_what_was_measured() -> None:
    account = told(
        engagement_ratio=2.5, source="forum", evidence=["https://a.example/e"], future_dated=True,
        pillars=["prices", "labour"], pillars_in_title=["prices"], n_other_publishers_ab=2, n_adopters_ab=1,
    )  # fmt: skip
    assert {name: fact(account, name) for name in ("reach", "engagement", "evidence", "freshness")} == {
        "reach": "1,000,000 views",
        "engagement": "2.5 times the usual for forum",
        "evidence": "1 link given",
        "freshness": "it is dated in the future",
    }
    assert fact(account, "pillars") == "the title is on prices; the summary also is on labour"
    assert fact(account, "corroboration") == (
        "told by 2 other independent A or B publishers, 1 A or B publisher with a copy"
    )
    assert fact(told(entities_in_title=[]), "entities") == "the summary names Nordlys"
    assert fact(told(), "development") == "its newest independent publisher joined on 2 March at 05:00 UTC"
    assert fact(told(item_type="filing"), "evidence") == "it is a primary document itself"


def test_an_exclusion_and_a_cap_are_steps_of_their_own() -> None:
    excluded = told(excluded=True)
    assert fact(excluded, "excluded") == "an exclusion of the profile stands in the title"
    assert excluded.scores["relevance"] == 0
    account = told(BEAT, pillars=["labour", "prices"], pillars_in_title=["labour", "prices"])
    # 12 + 20 + 5 = 37, and relevance stops at 25.
    assert [(s.points, s.fact) for s in account.steps if s.name == "cap"] == [(-12, "relevance stops at 25")]
    assert [s.maximum for s in account.steps if s.name == "pillars"] == [20]


def test_a_modifier_shows_the_very_pairs_and_doubts_it_rests_on() -> None:
    account = told(
        coordinated_share=0.75, n_coordinated=4, coordination=PAIRS, n_publishers=0,
        misinfo_risk=0.7, misinfo_evidence=["hedging:0.2", "a_new_one:0.5"],
    )  # fmt: skip
    steps = {step.name: step for step in account.steps if step.kind == "modifier"}
    assert {name: step.fact for name, step in steps.items()} == {
        "single_source": "no independent listed publisher tells it",
        "brigading": "4 accounts acting together made 75% of its shares",
        "misinfo_risk": "0.70 of 1 speaks against believing it",
    }
    assert steps["misinfo_risk"].evidence == ("its words hedge (0.2)", "a new one (0.5)")
    assert len(steps["brigading"].evidence) == len(PAIRS)
    assert steps["brigading"].evidence[0] == "a_1 and a_2 shared the same 2 things, 4 s apart"
    assert account.frame().filter(name="misinfo_risk")["evidence"][0].to_list() == [
        "its words hedge (0.2)",
        "a new one (0.5)",
    ]
    text = account.text()
    assert "a_1 and a_6 shared" in text
    assert f"and {len(PAIRS) - SHOWN_EVIDENCE} more" in text
    assert phrases.modifier("a_new_one", {"its_column": 3}, "its_column") == "3"
    assert phrases.modifier("a_new_one", {}, "its_column") == phrases.NO_DATA


def test_a_constraint_is_named() -> None:
    assert told(forbidden=["private_data"]).sentence() == "The profile forbids private data."


def test_a_field_that_was_lost_is_reported_with_the_adverse_fact_it_may_have_carried() -> None:
    text = told(lost=["views", "risk_flags", "naive_time:published_at"]).text()
    assert "views          given, but not usable" in text
    assert "risk_flags     given, but not usable; a warning may have stood in it" in text
    assert "its time has no zone" in text
    assert "lost" not in told().text()


def test_an_editors_verdict_stands_as_its_own_line_beside_the_score() -> None:
    records = judged(signals(STORY))
    story = {"story_id": "s1", "effective_decision": "watch"}
    account = explain(records, DESK, story=story)
    assert (account.decision, account.verdict) == ("must_cover", "watch")
    line = "An editor's verdict makes it watch; the score alone says must cover."
    assert account.text().splitlines()[2] == line
    assert account.total == told().total
    assert explain(records, DESK, story={**story, "effective_decision": "must_cover"}).verdict is None
    assert explain(records, DESK, story=pl.DataFrame([story])).verdict == "watch"
    assert explain(records, DESK, story=pl.DataFrame([{**story, "story_id": "s9"}])).verdict is None
    assert told().verdict_sentence() == ""


def test_a_kept_record_brings_its_profile_and_its_story() -> None:
    run = object.__new__(RunRow)
    object.__setattr__(run, "as_of", AS_OF)
    story = pl.DataFrame([{"story_id": "s1", "effective_decision": "watch"}])
    kept = Kept(judged(signals(STORY)), run, DESK, story)
    assert explain(kept).verdict == "watch"
    assert explain(kept).total == told().total


def test_every_part_of_an_account_can_be_drawn() -> None:
    account = told(excluded=True, coordinated_share=0.9, n_coordinated=7, forbidden=["a b"])
    assert charts.waterfall(account).axes


def test_the_gates_are_a_frame_too() -> None:
    frame = told().gate_frame()
    assert frame.filter(~pl.col("passes"))["gate"].to_list() == ["must_cover"]
    assert frame.filter(pl.col("gate") == "tied")["margin"].item() == 8


def test_a_hostile_title_can_neither_move_the_terminal_nor_run_in_a_notebook() -> None:
    account = told(title="Nordlys \x1b[2J <script>alert(1)</script>", source="<b>", forbidden=["\x1b[1m x"])
    assert "\x1b" not in account.text()
    page = account._repr_html_()
    assert page.startswith("<pre>")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_record_may_be_a_mapping_and_anything_but_one_whole_record_is_refused() -> None:
    frame = judged(signals(STORY, STORY))
    assert explain(frame.row(0, named=True), DESK).total == explain(frame.head(1), DESK).total
    with pytest.raises(UsageError, match="one record is asked for, and 2 given"):
        explain(frame, DESK)
    with pytest.raises(UsageError, match="a record without its profile"):
        explain(frame.head(1))
    with pytest.raises(UsageError, match="a record without gates"):
        explain(frame.head(1).drop("gates"), DESK)
