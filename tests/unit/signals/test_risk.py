"""Risk: a named sum that nothing benign can fill."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from brandkit.errors import UsageError
from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile, ScoreParameters
from brandkit.signals._text import folded
from brandkit.signals.risk import (
    FORM,
    FORM_AT_MOST,
    RISK_WEIGHTS,
    risk,
    risk_phrases,
    risk_words,
    score_risk,
)

SCHEMA: dict[str, Any] = {
    "item_id": pl.String, "title": pl.String, "summary": pl.String, "tier": pl.String, "domain": pl.String,
    "publisher": pl.String, "is_denial": pl.Boolean, "disputed": pl.Boolean, "n_publishers_ab": pl.Int64,
    "n_adopters_ab": pl.Int64, "risk_flags": pl.List(pl.String), "url": pl.String, "item_type": pl.String,
    "mixed_script": pl.Boolean, "story_id": pl.String,
}  # fmt: skip
ACTS_FROM = ScoreParameters().misinfo_risk
SHARED = Path(os.environ.get("SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))


def scored(*rows: dict[str, Any], **options: Any) -> pl.DataFrame:
    filled = [
        {"item_id": f"{n}", "tier": "unlisted", "title": "Plain words", "n_publishers_ab": 1, **row}
        for n, row in enumerate(rows)
    ]
    return score_risk(pl.LazyFrame(filled, schema=SCHEMA), **options).collect()


def only(**row: Any) -> tuple[float, list[str]]:
    frame = scored(row)
    return frame["misinfo_risk"][0], frame["misinfo_evidence"][0].to_list()


def form_of(**row: Any) -> list[str]:
    """What form adds to an item whose story no A or B publisher carries."""
    return [code for code in only(n_publishers_ab=0, **row)[1] if code.partition(":")[0] in FORM]


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
    assert form_of(title=title) == ["sensational_form:0.2", "alarm_opening:0.1"]


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


@pytest.mark.parametrize(
    ("title", "added"),
    [
        ("BREAKING: mayor resigns", ["alarm_opening:0.1"]),
        ("Hillside Daily – Just in: mayor resigns", ["alarm_opening:0.1"]),
        ("Urgente - renuncia la alcaldesa", ["alarm_opening:0.1"]),
        ("Breaking Bad: a look back", []),
        ("Breaking the ice in the harbour", []),
        ("Mayor SLAMS council", ["shouting:0.05"]),
        ("Mayor SLAMS and DESTROYS council", ["shouting:0.05"]),
        ("NASA and NATO meet", []),
        ("VIDEO: mayor meets council", []),
        ("Mayor To Resign", ["capitalised_throughout:0.05"]),
        ("Mayor to Resign", []),
        ("Mayor Of Hillside to Resign", []),
        ("Mayor “As Good As Gone”", ["capitalised_throughout:0.05"]),
        ("MAYOR WILL RESIGN TODAY", ["sensational_form:0.2"]),
        ("one two three four five six seven eight nine ten eleven twelve thirteen", []),
        (" ".join(["word"] * 14), ["long_title:0.05"]),
        ("Mayor resigns!", ["exclaiming:0.05"]),
        ("Mayor resigns!!", ["sensational_form:0.2"]),
        ("市长周一在一次长时间的会议之后辞去了她的职务并离开了城市", []),
        ("", []),
        (None, []),
    ],
)
def test_each_form_of_a_headline_has_its_own_name_and_points(title: str | None, added: list[str]) -> None:
    assert form_of(title=title) == added


def test_a_post_has_no_headline_that_could_be_too_long_or_badly_edited() -> None:
    text = " ".join(["Then"] * 13 + ["To Be"])
    both = ["capitalised_throughout:0.05", "long_title:0.05"]
    assert [form_of(title=text, item_type=kind) for kind in ("article", None, "post")] == [both, both, []]


@pytest.mark.parametrize(
    ("url", "domain", "is_cheap"),
    [
        ("https://daily.news/a", "daily.news", True),
        (None, "daily.news", True),
        ("https://mine.blogspot.com/a", None, True),
        ("https://web.archive.org/web/2017/http://daily.news:80/a", "archive.org", True),
        ("https://daily.example/a?u=https://daily.news/b", "daily.example", False),
        ("https://daily.news@daily.example/a", "daily.example", False),
        ("https://notblogspot.com/a", "notblogspot.com", False),
        ("https://news.example/news", "news.example", False),
        (None, None, False),
    ],
)
def test_an_address_that_anybody_gets_unasked(url: str | None, domain: str | None, is_cheap: bool) -> None:  # noqa: FBT001
    assert form_of(url=url, domain=domain) == ["cheap_address:0.1"] * is_cheap


def test_a_disguised_name_counts_whoever_else_carries_the_story() -> None:
    assert only(mixed_script=True) == (0.2, ["disguised_publisher:0.2"])
    assert only(mixed_script=False) == (0.0, [])


def test_all_of_form_together_stops_at_its_most_and_says_who_took_what_was_left() -> None:
    # .2 + .1 are the .3 that there are: the other four have no room.
    every = "BREAKING: you wont believe what the mayor SAYED To The Council Of This Town on Friday!"
    assert form_of(title=every, url="https://daily.news/a") == ["sensational_form:0.2", "alarm_opening:0.1"]
    # .1 + .05 + .05 + .05 leave .05 of the address's .1.
    loud = "BREAKING: Mayor Of Hillside SLAMS Council " + "Again " * 8 + "!"
    assert form_of(title=loud, url="https://daily.news/a") == [
        "alarm_opening:0.1", "shouting:0.05", "capitalised_throughout:0.05", "long_title:0.05",
        "exclaiming:0.05",
    ]  # fmt: skip
    some = {"title": "BREAKING: Mayor Of Hillside SLAMS Council!", "url": "https://daily.news/a"}
    assert form_of(**some)[-1] == "cheap_address:0.05"


def test_form_and_nobody_trusted_never_reach_the_modifier_without_something_that_is_said() -> None:
    assert RISK_WEIGHTS["no_ab_publisher"] + FORM_AT_MOST < ACTS_FROM
    # A careful desk that nobody lists: a long title in such capitals, hedged.
    habits = ("no_ab_publisher", "hedging", "capitalised_throughout", "long_title")
    assert sum(RISK_WEIGHTS[name] for name in habits) < ACTS_FROM


def test_a_frame_without_counts_goes_by_the_tiers_of_the_story_or_of_the_item() -> None:
    loud = "BREAKING: mayor resigns"
    rows = pl.DataFrame(
        {
            "title": [loud] * 5,
            "tier": ["unlisted", "A", "unlisted", "C", "B"],
            "story_id": ["s", "s", "t", None, None],
        }
    )
    assert score_risk(rows).collect()["misinfo_risk"].to_list() == [0.0, 0.0, 0.35, 0.35, 0.0]
    # Where the counts are there, they say it, and null is none.
    counted = rows.with_columns(n_publishers_ab=pl.Series([1, None, 2, 0, 0]))
    assert score_risk(counted).collect()["misinfo_risk"].to_list() == [0.0, 0.35, 0.0, 0.35, 0.35]


def test_weights_can_be_replaced_and_what_is_wrong_with_them_is_said() -> None:
    frame = scored({"title": "BREAKING: reportedly"}, weights={"hedging": 0.3125})
    assert frame["misinfo_evidence"][0].to_list() == ["hedging:0.3125"]
    assert scored({"title": "X reportedly"}, weights={"hedging": 0})["misinfo_evidence"][0].to_list() == []
    with pytest.raises(UsageError, match=r"(?s)no contribution 'hedgin'.*no_ab_publisher.*'hedging'"):
        scored({}, weights={"hedgin": 0.1})
    for weight in (-0.1, 1.5, float("nan")):
        with pytest.raises(UsageError, match=r"(?s)'hedging' is .*0 to 1"):
            scored({}, weights={"hedging": weight})
    with pytest.raises(UsageError, match="no list of words 'hedges'"):
        scored({}, words={"hedges": ["maybe"]})


def test_the_phrases_behind_the_risk_can_be_read() -> None:
    rows = pl.DataFrame(
        {
            "title": ["Shocking: not confirmed, reportedly", "Reportedly", None],
            "summary": [None, "a rumour, reportedly, is shocking", None],
        }
    )
    assert risk_phrases(rows).collect()["risk_phrases"].to_list() == [
        ["hedging: not confirmed", "hedging: reportedly", "sensational_form: shocking"],
        ["hedging: reportedly", "hedging: rumour"],
        [],
    ]


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
        "title": st.sampled_from(
            [None, "Plain", "Reportedly SHOCKING!!", "BREAKING: Mayor Of Hillside SLAMS Council!"]
        ),
        "summary": st.sampled_from([None, "It is said to be so"]),
        "url": st.sampled_from([None, "https://daily.news/a"]),
        "mixed_script": st.sampled_from([None, True]),
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


@settings(max_examples=20)
@given(rows=st.lists(flags, min_size=1, max_size=5), seed=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(rows: list[dict[str, Any]], seed: Random) -> None:
    named = [{"item_id": f"{n}", "story_id": "st"[n % 2], **row} for n, row in enumerate(rows)]
    shuffled = seed.sample(named, len(named))
    for without in ((), ("n_publishers_ab", "n_adopters_ab")):
        frames = [
            score_risk(pl.DataFrame(some, schema=SCHEMA).drop(without)).collect().sort("item_id")
            for some in (named, shuffled)
        ]
        assert_frame_equal(*frames)


@settings(max_examples=20)
@given(row=flags, column=st.sampled_from(["title", "summary", "url", "domain", "disputed", "mixed_script"]))
def test_what_is_not_known_never_raises_the_risk(row: dict[str, Any], column: str) -> None:
    frame = scored(row, {**row, column: None}, unreliable=["bad.example"])
    assert frame["misinfo_risk"][1] <= frame["misinfo_risk"][0]


@settings(max_examples=20)
@given(rows=st.lists(flags, min_size=1, max_size=4), tier=st.sampled_from(["A", "B"]))
def test_one_more_a_or_b_publisher_in_the_story_raises_nobodys_risk(
    rows: list[dict[str, Any]], tier: str
) -> None:
    told = [{**row, "story_id": "s"} for row in rows]
    joined = [*told, {"tier": tier, "title": "SHOCKING!!", "story_id": "s"}]
    alone, with_it = (
        score_risk(pl.DataFrame(some, schema=SCHEMA).drop("n_publishers_ab", "n_adopters_ab")).collect()
        for some in (told, joined)
    )
    assert (with_it["misinfo_risk"].head(len(told)) <= alone["misinfo_risk"]).all()
    assert with_it["misinfo_risk"].tail(1).item() == 0.0


@pytest.mark.skipif(not (SHARED / "fake_news").is_dir(), reason=f"no real data at {SHARED}")
def test_the_packaged_weights_are_what_the_script_makes_of_the_real_sets() -> None:
    from benchmarks.quality.fit_risk import content

    packaged = files("brandkit").joinpath("defaults", "risk_weights.toml").read_text(encoding="utf-8")
    assert content(SHARED) == packaged
