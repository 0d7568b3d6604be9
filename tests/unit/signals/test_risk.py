"""Risk: a named sum that nothing benign can fill."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile, ScoreParameters
from brandkit.signals._text import folded
from brandkit.signals.risk import RISK_WEIGHTS, risk, risk_words, score_risk

SCHEMA: dict[str, Any] = {
    "item_id": pl.String, "title": pl.String, "summary": pl.String, "tier": pl.String, "domain": pl.String,
    "publisher": pl.String, "is_denial": pl.Boolean, "disputed": pl.Boolean, "n_publishers_ab": pl.Int64,
    "n_adopters_ab": pl.Int64, "risk_flags": pl.List(pl.String),
}  # fmt: skip
ACTS_FROM = ScoreParameters().misinfo_risk


def scored(*rows: dict[str, Any], **options: Any) -> pl.DataFrame:
    filled = [
        {"item_id": f"{n}", "tier": "unlisted", "title": "Plain words", "n_publishers_ab": 1, **row}
        for n, row in enumerate(rows)
    ]
    return score_risk(pl.LazyFrame(filled, schema=SCHEMA), **options).collect()


def only(**row: Any) -> tuple[float, list[str]]:
    frame = scored(row)
    return frame["misinfo_risk"][0], frame["misinfo_evidence"][0].to_list()


def test_each_contribution_is_named_with_its_weight() -> None:
    assert only() == (0.0, [])
    assert only(n_publishers_ab=0) == (0.25, ["no_ab_publisher:0.25"])
    assert only(title="X reportedly closes") == (0.2, ["hedging:0.2"])
    assert only(summary="Unconfirmed, they said") == (0.2, ["hedging:0.2"])
    assert only(disputed=True) == (0.4, ["disputed:0.4"])
    assert only(risk_flags=["doxxing", "hoax"]) == (0.4, ["risk_flag:0.4"])
    assert only(risk_flags=[]) == (0.0, [])


def test_an_unreliable_publisher_is_one_the_profile_lists() -> None:
    rows = [
        {"domain": "bad.example"},
        {"domain": "notbad.example"},
        {"publisher": "net:Liar"},
        {"domain": None},
    ]
    frame = scored(*rows, unreliable=["Bad.example", "net:liar"])
    assert frame["misinfo_risk"].to_list() == [0.4, 0.0, 0.4, 0.0]


def test_form_raises_nothing_where_an_a_or_b_publisher_stands_behind_the_story() -> None:
    title = "SHOCKING: you won't believe this!!"
    assert only(title=title)[1] == []
    assert only(title=title, n_publishers_ab=0, n_adopters_ab=1)[1] == []
    assert only(title=title, n_publishers_ab=0)[1] == ["no_ab_publisher:0.25", "sensational_form:0.2"]


@pytest.mark.parametrize(
    ("title", "is_form"),
    [
        ("What happened next will shock you", True),
        ("WHAT THEY ARE HIDING FROM Us all", True),
        ("Really?!", True),
        ("Lo que no quieren que sepas", True),
        ("NATO and NASA sign with the USPTO", False),
        ("Aftershocking of soils measured", False),
        ("A question?", False),
        (None, False),
    ],
)
def test_form_is_capitals_marks_and_stock_phrases_in_whole_words(title: str | None, is_form: bool) -> None:  # noqa: FBT001
    assert ("sensational_form:0.2" in only(title=title, n_publishers_ab=0)[1]) is is_form


def test_reportedly_in_a_trusted_newsroom_is_attribution() -> None:
    assert only(title="X reportedly closes", tier="A") == (0.0, [])
    assert only(title="X reportedly closes", tier="C") == (0.2, ["hedging:0.2"])


def test_a_debunk_by_an_a_or_b_publisher_is_never_a_risk_and_raises_that_of_the_claim() -> None:
    worst = {"title": "SHOCKING rumour!!", "n_publishers_ab": 0, "disputed": True, "risk_flags": ["hoax"]}
    frame = scored({**worst, "is_denial": True, "tier": "B"}, {**worst, "is_denial": True}, worst)
    assert frame["misinfo_risk"].to_list() == [0.0, 1.0, 1.0]
    assert frame["misinfo_evidence"].list.contains("disputed:0.4").to_list() == [False, False, True]


def test_no_contribution_reaches_the_modifier_alone_and_three_mild_ones_do() -> None:
    assert max(RISK_WEIGHTS.values()) < ACTS_FROM
    mild = ["no_ab_publisher", "hedging", "sensational_form"]
    assert sum(RISK_WEIGHTS[name] for name in mild) >= ACTS_FROM
    assert all(sum(RISK_WEIGHTS[n] for n in pair) < ACTS_FROM for pair in combinations(mild, 2))


def test_nothing_known_is_only_the_lack_of_a_trusted_publisher() -> None:
    frame = score_risk(
        pl.LazyFrame({"item_id": ["a"], "title": [None]}, schema_overrides={"title": pl.String})
    )
    assert frame.collect().rows() == [("a", None, 0.25, ["no_ab_publisher:0.25"])]
    assert frame.head(0).collect().columns == ["item_id", "title", "misinfo_risk", "misinfo_evidence"]


def test_packaged_words_are_folded_as_texts_are_and_can_be_replaced() -> None:
    for words in risk_words().values():
        assert pl.Series("word", words).to_frame().filter(folded(pl.col("word")) != pl.col("word")).is_empty()
        assert len(set(words)) == len(words)
    mine = {"hedging": ["wag dir"], "sensational": ["boo"]}
    assert scored({"title": "Wag dir, reportedly"}, words=mine)["misinfo_evidence"][0].to_list() == [
        "hedging:0.2"
    ]


def test_stage_reads_the_profile_and_can_run_twice() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    profile = BrandProfile.from_dict({"id": "desk", "own": ["X"], "sources": {"unreliable": ["bad.example"]}})
    ctx = RunContext(profile=profile, as_of=now, window_start=now)
    row = {"item_id": "a", "domain": "bad.example", "tier": "C", "n_publishers_ab": 0}
    once = risk(pl.LazyFrame([row], schema=SCHEMA), ctx)
    assert once.collect()["misinfo_risk"].to_list() == [0.65]
    assert_frame_equal(risk(once, ctx).collect(), once.collect())


flags = st.fixed_dictionaries(
    {
        "title": st.sampled_from([None, "Plain", "Reportedly SHOCKING!!"]),
        "tier": st.sampled_from([None, "A", "C", "unlisted"]),
        "is_denial": st.sampled_from([None, False, True]),
        "disputed": st.sampled_from([None, False, True]),
        "n_publishers_ab": st.sampled_from([None, 0, 2]),
        "risk_flags": st.sampled_from([None, [], ["hoax"]]),
        "domain": st.sampled_from([None, "bad.example"]),
    }
)


@given(rows=st.lists(flags, min_size=1, max_size=5))
def test_the_evidence_adds_up_to_the_risk(rows: list[dict[str, Any]]) -> None:
    frame = scored(*rows, unreliable=["bad.example"])
    for total, named in frame.select("misinfo_risk", "misinfo_evidence").rows():
        assert total == pytest.approx(min(1.0, sum(float(part.split(":")[1]) for part in named)))
