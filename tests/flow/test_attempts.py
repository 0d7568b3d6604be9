"""The same again means nothing to do; anything else is a new attempt beside the old one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

import brandkit as bk
from tests.flow.newsdesk import (
    MAIL,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    desk,
    ran,
    records,
    row,
    same_bytes,
    task,
)  # fmt: skip


@pytest.fixture
def runner(tmp_path: Path) -> bk.Runner:
    return bk.Runner(tmp_path / "desk.duckdb")


def attempts(runner: bk.Runner) -> list[str]:
    return sorted(runner.store.runs()["run_id"])


def test_the_same_run_again_does_nothing_and_gives_the_earlier_result(runner: bk.Runner) -> None:
    first = ran(runner)
    before = runner.store.info().n_rows
    again = ran(runner)
    assert (again.run_id, again.counts, again.is_repeat) == (first.run_id, first.counts, True)
    assert not first.is_repeat
    assert runner.store.info().n_rows == before


def test_force_makes_a_second_attempt_with_the_same_records(runner: bk.Runner) -> None:
    first = ran(runner)
    forced = runner.run(task(), force=True)
    assert (forced.run_id, forced.is_repeat) == (f"desk.daily.{MONDAY}.2", False)
    assert same_bytes(records(runner, forced)) == same_bytes(records(runner, first))
    # The newest attempt is the one that stands.
    assert ran(runner).run_id == forced.run_id


def test_a_changed_profile_is_a_new_attempt_that_freezes_the_new_one(runner: bk.Runner) -> None:
    ran(runner)
    stricter = desk(thresholds={"must_cover": 80})
    second = ran(runner, profile=stricter)
    assert second.run_id == f"desk.daily.{MONDAY}.2"
    frozen = bk.BrandProfile.from_snapshot(runner.store.run(second.run_id).profile_json)
    assert frozen == stricter
    assert runner.store.run(f"desk.daily.{MONDAY}.1").profile_hash == desk().hash


def test_a_profile_tried_and_taken_back_does_not_stay_the_latest(runner: bk.Runner) -> None:
    first = ran(runner)
    ran(runner, profile=desk(thresholds={"must_cover": 80}))
    back = ran(runner)
    assert not back.is_repeat
    latest = runner.store.latest("desk", "daily")
    assert latest is not None
    assert (latest.run_id, latest.profile_hash) == (back.run_id, desk().hash)
    assert same_bytes(records(runner, back)) == same_bytes(records(runner, first))


def test_a_morning_run_asked_for_again_in_the_evening_is_still_there(runner: bk.Runner) -> None:
    morning = ran(runner, as_of=f"{MONDAY}T08:30:00+00:00")
    evening = ran(runner)
    assert morning.counts["records"] < evening.counts["records"]
    again = ran(runner, as_of=f"{MONDAY}T08:30:00+00:00")
    assert (again.run_id, again.is_repeat) == (morning.run_id, True)
    assert ran(runner).run_id == evening.run_id


def test_an_earlier_day_run_again_is_still_the_same_after_the_next(runner: bk.Runner) -> None:
    first = ran(runner)
    seen_again = {**MAIL[0], "title": "Nordlys widens recall of oat drink", "reactions": 900}
    next_day = (
        {**seen_again, "collected_at": f"{TUESDAY}T09:00:00Z"},
        row("gamma.example", "Nordlys recall of oat drink widened", on=TUESDAY),
    )
    second = ran(runner, next_day, on=TUESDAY)
    for on, rows, result in ((MONDAY, MAIL, first), (TUESDAY, next_day, second)):
        again = ran(runner, rows, on=on)
        assert (again.run_id, again.is_repeat) == (result.run_id, True)
    forced = runner.run(task(), force=True)
    assert same_bytes(records(runner, forced)) == same_bytes(records(runner, first))


def test_a_late_file_moves_the_first_sighting_and_is_then_known(runner: bk.Runner) -> None:
    late = row("alpha.example", "Nordlys opens a bakery", clock="06:00:00")
    known = {**late, "collected_at": f"{MONDAY}T10:00:00Z"}
    ran(runner, (known,))
    second = ran(runner, (late,))
    at_six, at_ten = (datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (6, 10))
    assert records(runner, second).select("collected_at", "seen_at").rows() == [(at_six, at_ten)]
    # Both files are known now, so either alone brings nothing new.
    assert ran(runner, (known,)).run_id == second.run_id
    assert ran(runner, (late,)).run_id == second.run_id
    later = ran(runner, ({**known, "collected_at": f"{TUESDAY}T10:00:00Z"},), on=TUESDAY)
    assert records(runner, later)["collected_at"].to_list() == [at_six]


def test_a_late_file_is_known_to_an_as_of_before_its_other_sightings(runner: bk.Runner) -> None:
    noon = row("alpha.example", "Nordlys opens a bakery", clock="12:00:00")
    ran(runner, (noon,))
    early = {**noon, "collected_at": f"{MONDAY}T06:00:00Z"}
    ran(runner, (early,))
    seven = ran(runner, (), as_of=f"{MONDAY}T07:00:00+00:00")
    assert seven.counts["records"] == 1


def test_a_shadow_run_is_nobodys_latest_and_nobodys_past(runner: bk.Runner) -> None:
    live = ran(runner)
    tried = desk(thresholds={"must_cover": 80}, pillars=["recall"])
    shadow = ran(runner, profile=tried, shadow=True)
    assert shadow.run_id == f"desk.daily.{MONDAY}.2"
    newest = runner.store.latest("desk", "daily")
    beside = runner.store.latest("desk", "daily", shadow=True)
    assert newest is not None
    assert beside is not None
    assert (newest.run_id, beside.run_id) == (live.run_id, shadow.run_id)
    # The live run is not moved by it, and a shadow repeats only shadows.
    assert ran(runner).run_id == live.run_id
    assert ran(runner, profile=tried, shadow=True).run_id == shadow.run_id
    assert ran(runner, shadow=True).run_id == f"desk.daily.{MONDAY}.3"


def test_a_shadow_alone_leaves_the_next_day_without_a_past(runner: bk.Runner) -> None:
    ran(runner, shadow=True)
    tuesday = ran(
        runner, (row("beta.example", "Nordlys recall of oat drink widened", on=TUESDAY),), on=TUESDAY
    )
    assert not runner.store.stories(tuesday.run_id)["is_continued"].any()


def test_an_adhoc_run_counts_its_own_attempts(runner: bk.Runner) -> None:
    ran(runner)
    adhoc = ran(runner, kind="adhoc", as_of=f"{MONDAY}T12:30:00+00:00")
    assert adhoc.run_id == f"desk.adhoc.{MONDAY}.1"
    latest = runner.store.latest("desk", "daily")
    assert latest is not None
    assert latest.run_id == f"desk.daily.{MONDAY}.1"


def test_two_profiles_share_one_store_and_keep_their_own_runs(runner: bk.Runner, tmp_path: Path) -> None:
    other = desk(id="other", own=["Velmora"], rivals=["Nordlys"])
    ours, theirs = ran(runner), ran(runner, profile=other)
    alone = bk.Runner(tmp_path / "alone.duckdb")
    assert same_bytes(records(runner, theirs)) == same_bytes(records(alone, ran(alone, profile=other)))
    assert ran(runner).run_id == ours.run_id
    assert runner.store.runs("other")["run_id"].to_list() == [theirs.run_id]
    story = runner.store.stories(ours.run_id).filter(pl.col("title").str.contains("Nordlys"))
    now = datetime(2026, 3, 2, 20, tzinfo=UTC)
    runner.store.add_verdict("other", story_id=story["story_id"].item(), decision="drop", given_at=now)
    assert ran(runner).run_id == ours.run_id, "another desk's verdict is not ours"


def test_what_one_desk_brings_in_is_no_other_desks_item(runner: bk.Runner) -> None:
    other = desk(id="other", own=["Velmora"], rivals=["Nordlys"])
    ours = ran(runner)
    theirs = ran(runner, [row("velmora", "Velmora opens a ferry line to the islands")], profile=other)
    assert records(runner, theirs)["title"].to_list() == ["Velmora opens a ferry line to the islands"]
    for series in ({"kind": "adhoc"}, {"shadow": True}):
        apart = ran(runner, [row("trial", "Nordlys tries something on paper first")], **series)
        assert apart.ok
    assert ran(runner).run_id == ours.run_id, "another desk, a look in between or a shadow adds nothing"


def _nordlys(runner: bk.Runner, result: bk.RunResult) -> pl.DataFrame:
    return runner.store.stories(result.run_id).filter(pl.col("title").str.contains("Nordlys"))


def test_a_verdict_stands_beside_the_decision_until_it_expires(runner: bk.Runner) -> None:
    first = ran(runner)
    story = _nordlys(runner, first)
    assert story.select("decision", "effective_decision").row(0) == ("must_cover", "must_cover")
    given = datetime(2026, 3, 2, 20, tzinfo=UTC)
    runner.store.add_verdict(
        "desk", story_id=story["story_id"].item(), decision="drop", reason="covered elsewhere",
        given_at=given, expires_at=given + timedelta(days=1),
    )  # fmt: skip
    judged = ran(runner)
    assert judged.run_id == f"desk.daily.{MONDAY}.2"
    assert _nordlys(runner, judged).select("decision", "effective_decision").row(0) == ("must_cover", "drop")
    # What the model said is what it would have said without the editor.
    assert same_bytes(records(runner, judged)) == same_bytes(records(runner, first))
    assert _nordlys(runner, first)["effective_decision"].item() == "must_cover"
    more = (row("gamma.example", "Nordlys recall of oat drink, prices rise again", on=TUESDAY),)
    at_noon = _nordlys(runner, ran(runner, more, on=TUESDAY, as_of=f"{TUESDAY}T12:00:00+00:00"))
    assert at_noon.select("story_id", "effective_decision").row(0) == (story["story_id"].item(), "drop")
    by_evening = _nordlys(runner, ran(runner, more, on=TUESDAY))
    assert by_evening["effective_decision"].equals(by_evening["decision"])


@pytest.mark.parametrize("on", [MONDAY, TUESDAY])
def test_an_editors_merge_and_split_hold_from_the_next_run_on(runner: bk.Runner, on: str) -> None:
    first = records(runner, ran(runner))
    ids = dict(first.select("title", "item_id").rows())
    (alpha, beta), (ferry, hedge) = (
        [ids[MAIL[n]["title"]] for n in pair] for pair in ((0, 1), (6, 5))
    )  # fmt: skip
    when = datetime(2026, 3, 2, 20, tzinfo=UTC)
    runner.store.add_story_rule("desk", rule="must_link", item_a=ferry, item_b=hedge, made_at=when)
    runner.store.add_story_rule("desk", rule="cannot_link", item_a=alpha, item_b=beta, made_at=when)
    runner.store.add_story_rule("other", rule="must_link", item_a=ferry, item_b=alpha, made_at=when)
    again = tuple({**mail, "collected_at": f"{on}T13:00:00Z"} for mail in MAIL)
    stories = dict(records(runner, ran(runner, again, on=on)).select("item_id", "story_id").rows())
    assert stories[ferry] == stories[hedge]
    assert stories[alpha] != stories[beta]
    assert stories[ferry] != stories[alpha]


def test_a_rule_made_later_does_not_change_an_earlier_day(runner: bk.Runner) -> None:
    first = ran(runner)
    items = records(runner, first)["item_id"]
    runner.store.add_story_rule(
        "desk", rule="must_link", item_a=items[0], item_b=items[1],
        made_at=datetime.fromisoformat(f"{WEDNESDAY}T09:00:00+00:00"),
    )  # fmt: skip
    assert ran(runner).is_repeat
