"""Stories before and after, a row each: what the desk hears of it, and what it is spared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit import schemas
from brandkit.desk.alerts import due_alerts, last_known, sentence, standing
from brandkit.profile import BrandProfile
from brandkit.profile_alerts import ALERT_RULES, AlertPolicy

AS_OF = datetime(2026, 3, 3, 12, tzinfo=UTC)
Row = Mapping[str, Any]
# One of ours, one of theirs.
OURS, THEIRS = ["Nordlys"], ["Velmora"]
STORY: Row = {
    "decision": "watch", "disputed": False, "desk_state": "open", "snoozed_until": None, "total": 50,
    "reason": "score", "url": "https://a.example/1", "names": OURS, "rumour": False, "brigade": False,
}  # fmt: skip


def desk(**alerts: Any) -> BrandProfile:
    return BrandProfile.from_dict({"id": "desk", "own": OURS, "rivals": THEIRS, "alerts": alerts})


def at(hours: float) -> datetime:
    """So many hours before (negative) or after the run."""
    return AS_OF + timedelta(hours=hours)


def frames(rows: Mapping[str, Row]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The stories named, and a lead record for each."""
    full = {name: {**STORY, "title": f"Title of {name}", "item": f"lead of {name}", **row}
            for name, row in rows.items()}  # fmt: skip
    stories = [
        {"story_id": name, "effective_decision": row["decision"], "lead_item_id": row["item"], **row}
        for name, row in full.items()
    ]
    records = [
        {
            "item_id": row["item"],
            "story_id": name,
            "is_lead": True,
            "title": row["title"],
            "entities": row["names"],
            "modifiers": [
                {"name": modifier, "component": "virality", "points": -3}
                for modifier, flag in (("misinfo_risk", "rumour"), ("brigading", "brigade"))
                if row[flag]
            ],
            "misinfo_risk": 0.65 if row["rumour"] else 0.0,
            "misinfo_evidence": ["hedging:0.2"] if row["rumour"] else [],
            "coordinated_share": 0.61 if row["brigade"] else 0.0,
            "n_coordinated": 14 if row["brigade"] else 0,
        }
        for name, row in full.items()
    ]
    return _frame(stories, schemas.STORY), _frame(records, schemas.RECORD)


def _frame(rows: Sequence[Row], columns: Mapping[str, Any]) -> pl.DataFrame:
    data = {name: [row.get(name) for row in rows] for name in columns}
    return pl.DataFrame(data, schema=dict(columns))


def due(
    now: Mapping[str, Row],
    *before: Mapping[str, Row],
    earlier: Sequence[Row] = (),
    wall: datetime | None = None,
    **policy: Any,
) -> pl.DataFrame:
    profile = desk(**policy)
    previous = last_known([standing(*frames(rows), profile) for rows in before])
    told = _frame([{"kind": "news", "raised_at": at(-1), **row} for row in earlier], schemas.ALERT)
    return due_alerts(*frames(now), previous=previous, earlier=told, profile=profile, as_of=AS_OF, now=wall)


def rules(found: pl.DataFrame) -> list[tuple[str, str]]:
    return sorted(found.select("story_id", pl.col("rule").cast(pl.String)).rows())


def mutes(found: pl.DataFrame) -> list[tuple[str, datetime | None]]:
    return [(str(by), until) for by, until in found.select("muted_by", "muted_until").rows()]


# What is told


@pytest.mark.parametrize(
    ("was", "became", "rule"),
    [
        (None, "must_cover", "must_cover"),
        (None, "optional", "optional"),
        ("drop", "optional", "optional"),
        ("watch", "must_cover", "must_cover"),
        ("block", "must_cover", "must_cover"),
        ("optional", "must_cover", "must_cover"),
    ],
)
def test_a_story_newly_promoted_is_told(was: str | None, became: str, rule: str) -> None:
    found = due({"s": {"decision": became}}, {"s": {"decision": was}} if was else {})
    assert rules(found) == [("s", rule)]
    assert found["previous_decision"].to_list() == [was]
    assert found["why"].to_list() == [[f"was:{was or 'unseen'}", "reason:score", "total:50"]]


@pytest.mark.parametrize(
    ("was", "became"),
    [
        ("must_cover", "optional"),
        ("must_cover", "watch"),
        ("optional", "drop"),
        (None, "watch"),
        (None, "drop"),
    ],
)
def test_a_story_that_falls_or_stays_low_is_not(was: str | None, became: str) -> None:
    assert due({"s": {"decision": became}}, {"s": {"decision": was}} if was else {}).is_empty()


@pytest.mark.parametrize(
    ("row", "rule"),
    [({"rumour": True}, "rumour"), ({"brigade": True}, "brigade"), ({"decision": "block"}, "block")],
)
def test_bad_news_is_told_with_an_own_name_only(row: Row, rule: str) -> None:
    assert rules(due({"s": row}, {"s": {}})) == [("s", rule)]
    assert due({"s": {**row, "names": THEIRS}}, {"s": {}}).is_empty()


@pytest.mark.parametrize("row", [{"rumour": True}, {"brigade": True}, {"decision": "block"}])
def test_bad_news_that_goes_on_is_told_once(row: Row) -> None:
    assert due({"s": row}, {"s": row}).is_empty()


def test_a_desk_without_own_names_has_those_it_watches() -> None:
    profile = BrandProfile.from_dict({"id": "beat", "watched": ["Harbour Board"]})
    told = standing(*frames({"s": {"rumour": True, "names": ["Harbour Board"]}}), profile)
    assert told.select("is_rumour", "is_ours").rows() == [(True, True)]


def test_a_name_in_one_item_and_a_rumour_in_another_are_no_rumour_about_us() -> None:
    stories, records = frames({"s": {}})
    _, other = frames({"s": {"rumour": True, "names": THEIRS, "item": "post"}})
    both = pl.concat([records, other.with_columns(is_lead=pl.lit(value=False))])
    assert not standing(stories, both, desk())["is_rumour"].item()


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"title": "Velmora did not do it"}, "headline"),
        ({"disputed": True}, "disputed"),
        ({"decision": "block", "names": THEIRS}, "block"),
    ],
)
def test_a_promoted_story_that_is_corrected_is_told(row: Row, rule: str) -> None:
    promoted = {"decision": "optional", "names": THEIRS}
    assert rules(due({"s": {**promoted, **row}}, {"s": promoted})) == [("s", rule)]
    assert due({"s": {**row, "names": THEIRS}}, {"s": {"names": THEIRS}}).is_empty()


def test_a_new_headline_stands_beside_the_old_one() -> None:
    found = due(
        {"s": {"decision": "optional", "title": "Oat drink is safe, says Nordlys"}},
        {"s": {"decision": "optional", "title": "Nordlys recalls oat drink"}},
    )
    (alert,) = found.to_dicts()
    assert (alert["title"], alert["previous_title"]) == (
        "Oat drink is safe, says Nordlys", "Nordlys recalls oat drink",
    )  # fmt: skip
    assert sentence(alert) == (
        "A promoted story has a new headline (Nordlys): Oat drink is safe, says Nordlys "
        "(it was: Nordlys recalls oat drink)"
    )


@pytest.mark.parametrize("title", ["NORDLYS RECALLS: oat-drink!", "Nordlys  recalls oat drink"])
def test_a_comma_or_a_capital_is_no_new_headline(title: str) -> None:
    was = {"decision": "optional", "title": "Nordlys recalls oat drink"}
    assert due({"s": {**was, "title": title}}, {"s": was}).is_empty()


def test_another_item_that_leads_is_no_new_headline() -> None:
    was = {"decision": "optional", "title": "One way to put it", "item": "first"}
    assert due({"s": {**was, "title": "Another way", "item": "second"}}, {"s": was}).is_empty()


def test_what_was_promoted_stays_so_for_a_correction_when_it_fell_in_between() -> None:
    promoted, fell = {"s": {"decision": "must_cover"}}, {"s": {"decision": "watch"}}
    assert rules(due({"s": {"disputed": True}}, promoted, fell)) == [("s", "disputed")]


def test_what_was_told_as_news_is_corrected_although_no_run_kept_it_promoted() -> None:
    told = {"story_id": "s", "rule": "optional"}
    assert rules(due({"s": {"disputed": True}}, {"s": {}}, earlier=[told])) == [("s", "disputed")]
    assert due({"s": {"disputed": True}}, {}, earlier=[told]).is_empty()


def test_one_story_is_one_alert_of_each_kind_and_the_gravest_rule_leads() -> None:
    row = {"decision": "must_cover", "rumour": True, "brigade": True, "disputed": True}
    found = due({"s": row}, {"s": {"decision": "optional"}})
    assert found["rule"].to_list() == ["disputed", "must_cover"]
    assert found["why"].to_list()[0] == [
        "disputed", "rumour", "brigade", "was:optional", "name:Nordlys", "accounts:14", "share:0.61",
        "hedging:0.2",
    ]  # fmt: skip


def test_a_rule_the_desk_did_not_ask_for_is_silent_and_the_next_one_speaks() -> None:
    row = {"decision": "must_cover", "rumour": True, "brigade": True}
    assert rules(due({"s": row}, {"s": {}}, rules=["brigade", "optional"])) == [("s", "brigade")]
    assert due({"s": row}, {"s": {}}, rules=[]).is_empty()


def test_a_verdict_counts_before_the_models_decision() -> None:
    stories, records = frames({"s": {"decision": "must_cover"}})
    lowered = stories.with_columns(effective_decision=pl.lit("drop", schemas.DECISION))
    found = due_alerts(
        lowered, records, previous=last_known([]), earlier=schemas.empty(schemas.ALERT), profile=desk(),
        as_of=AS_OF,
    )  # fmt: skip
    assert found.is_empty()


# What is spared


def test_a_story_told_of_is_left_alone_until_it_has_cooled_down() -> None:
    told = {"story_id": "s", "rule": "optional", "raised_at": at(-5)}
    news = ({"s": {"decision": "optional"}}, {"s": {"decision": "watch"}})
    assert mutes(due(*news, earlier=[told], cool_down_h=8)) == [("cool_down", at(3))]
    assert mutes(due(*news, earlier=[told], cool_down_h=5)) == [("None", None)]
    assert mutes(due(*news, earlier=[{**told, "story_id": "another"}], cool_down_h=8)) == [("None", None)]


def test_an_alert_that_stayed_unsaid_cools_nothing_down() -> None:
    news = ({"s": {"decision": "optional"}}, {"s": {"decision": "watch"}})
    told = {"story_id": "s", "rule": "optional"}
    for by, muted in [("cool_down", "None"), ("handled", "None"), ("quiet_hours", "cool_down")]:
        assert mutes(due(*news, earlier=[{**told, "muted_by": by}]))[0][0] == muted


def test_what_became_graver_passes_the_cool_down_and_what_did_not_does_not() -> None:
    def after(rule: str, kind: str, row: Row, **policy: Any) -> list[tuple[str, str | None]]:
        earlier = [{"story_id": "s", "rule": rule, "kind": kind}]
        found = due({"s": row}, {"s": {"decision": "optional"}}, earlier=earlier, **policy)
        return found.select(pl.col("rule", "muted_by").cast(pl.String)).rows()

    must_cover, rumour = {"decision": "must_cover"}, {"decision": "optional", "rumour": True}
    assert after("optional", "news", must_cover) == [("must_cover", None)]
    assert after("must_cover", "news", must_cover) == [("must_cover", "cool_down")]
    assert after("brigade", "bad_news", rumour) == [("rumour", None)]
    assert after("block", "bad_news", rumour) == [("rumour", "cool_down")]
    # News told does not cool bad news down, nor the other way round.
    assert after("must_cover", "news", rumour) == [("rumour", None)]
    assert after("disputed", "bad_news", must_cover) == [("must_cover", None)]
    assert after("optional", "news", must_cover, bypass=False) == [("must_cover", "cool_down")]


NIGHT = {"quiet_from": "22:00", "quiet_to": "07:00"}


def test_quiet_hours_hold_an_alert_until_they_end_and_let_an_escalation_through() -> None:
    now = {"new": {"decision": "must_cover"}, "worse": {"decision": "block"}}
    before = {"new": {"decision": "watch"}, "worse": {"decision": "optional"}}
    night = at(12)
    found = due(now, before, wall=night, **NIGHT)
    assert found.select("story_id", "is_escalation").rows() == [("worse", True), ("new", False)]
    assert mutes(found) == [("None", None), ("quiet_hours", at(19))]
    assert [by for by, _ in mutes(due(now, before, wall=night, bypass=False, **NIGHT))] == ["quiet_hours"] * 2
    assert [by for by, _ in mutes(due(now, before, wall=at(0), **NIGHT))] == ["None"] * 2


@pytest.mark.parametrize(
    ("state", "muted"),
    [
        ({"desk_state": "handled"}, ("handled", None)),
        ({"desk_state": "snoozed", "snoozed_until": at(4)}, ("snoozed", at(4))),
        ({"desk_state": "snoozed", "snoozed_until": at(-4)}, ("None", None)),
        ({"desk_state": "assigned"}, ("None", None)),
    ],
)
def test_what_the_desk_has_put_aside_is_muted_unless_it_became_graver(
    state: Row, muted: tuple[str, datetime | None]
) -> None:
    assert mutes(due({"s": {"decision": "optional", **state}}, {"s": {}})) == [muted]
    worse = due({"s": {"decision": "must_cover", **state}}, {"s": {"decision": "optional"}})
    assert mutes(worse) == [("None", None)]


def test_of_too_many_the_gravest_and_largest_are_told() -> None:
    now = {
        "low": {"decision": "optional", "total": 60},
        "high": {"decision": "optional", "total": 70},
        "must": {"decision": "must_cover"},
        "bad": {"rumour": True},
    }
    found = due(now, {}, most=3)
    assert found["story_id"].to_list() == ["bad", "must", "high", "low"]
    assert [by for by, _ in mutes(found)] == ["None", "None", "None", "limit"]


# What always holds

DECISIONS = [decision.value for decision in schemas.Decision]
ROWS = st.fixed_dictionaries(
    {
        "decision": st.sampled_from(DECISIONS),
        "rumour": st.booleans(),
        "brigade": st.booleans(),
        "disputed": st.booleans(),
        "names": st.sampled_from([OURS, THEIRS, []]),
        "desk_state": st.sampled_from(["open", "handled", "assigned"]),
        "title": st.sampled_from(["One", "Another"]),
        "total": st.integers(0, 100),
    }
)
DAYS = st.dictionaries(st.sampled_from("abcd"), ROWS, max_size=4)
POLICIES = st.fixed_dictionaries(
    {
        "cool_down_h": st.sampled_from([0, 1, 72]),
        "bypass": st.booleans(),
        "most": st.integers(1, 4),
        "rules": st.lists(st.sampled_from(ALERT_RULES), unique=True),
    },
    optional={"quiet_from": st.just("08:00"), "quiet_to": st.just("20:00")},
).filter(lambda policy: ("quiet_from" in policy) == ("quiet_to" in policy))


@given(DAYS, POLICIES)
@settings(max_examples=40)
def test_where_nothing_changed_nothing_is_told(day: Mapping[str, Row], policy: Mapping[str, Any]) -> None:
    assert due(day, day, **policy).is_empty()


@given(DAYS, DAYS, POLICIES)
@settings(max_examples=60)
def test_manners_decide_when_and_never_what(
    now: Mapping[str, Row], before: Mapping[str, Row], policy: Mapping[str, Any]
) -> None:
    found = due(now, before, **policy)
    loud = due(now, before, rules=policy["rules"], cool_down_h=0, most=1000)
    assert rules(found) == rules(loud)
    assert found.select("story_id", "kind").is_unique().all()
    assert set(found["rule"].cast(pl.String)) <= set(policy["rules"])
    heard = found.filter(pl.col("muted_by").is_null())
    assert heard.height <= policy["most"]
    if "quiet_from" in policy:
        assert heard["is_escalation"].all() if policy["bypass"] else heard.is_empty()


@given(DAYS, DAYS)
@settings(max_examples=40)
def test_the_same_run_again_tells_nothing_twice(now: Mapping[str, Row], before: Mapping[str, Row]) -> None:
    profile = desk()
    previous = last_known([standing(*frames(before), profile)])
    first = due_alerts(
        *frames(now), previous=previous, earlier=schemas.empty(schemas.ALERT), profile=profile, as_of=AS_OF
    )
    again = due_alerts(*frames(now), previous=previous, earlier=first, profile=profile, as_of=AS_OF)
    heard = first.filter(pl.col("muted_by").is_null()).select("story_id", "kind")
    once_more = again.filter(pl.col("muted_by").is_null()).join(heard, on=["story_id", "kind"])
    assert once_more.is_empty()


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
    st.sampled_from(["UTC", "Europe/Oslo", "America/New_York", "Asia/Kathmandu"]),
    st.times(),
    st.times(),
)
def test_quiet_hours_end_when_they_say_in_the_desks_zone(
    instant: datetime, zone: str, start: time, end: time
) -> None:
    start, end = start.replace(microsecond=0), end.replace(microsecond=0)
    if start == end:
        return
    policy = AlertPolicy(quiet_from=start, quiet_to=end)
    until = policy.quiet_until(instant, zone)
    local = instant.astimezone(ZoneInfo(zone)).time()
    is_inside = start <= local < end if start < end else not end <= local < start
    assert (until is not None) == is_inside
    if until is not None:
        assert timedelta() < until - instant <= timedelta(hours=25)
        # An hour that the clocks skip is read as the one after it.
        assert until.astimezone(ZoneInfo(zone)).time() in (end, end.replace(hour=(end.hour + 1) % 24))


def test_a_desk_without_names_and_a_run_without_stories_have_no_bad_news_of_their_own() -> None:
    pillars = BrandProfile.from_dict({"id": "beat", "pillars": ["prices"]})
    for rows, n_ours in (({"s": {"rumour": True, "decision": "block"}}, [False]), ({}, [])):
        told = standing(*frames(rows), pillars)
        assert told["is_ours"].to_list() == n_ours
        assert not told["is_rumour"].any()
    assert due({}, {}).is_empty()
