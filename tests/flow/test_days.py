"""One day goes on from the day before, and an item belongs to exactly one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

import brandkit as bk
from tests.flow.newsdesk import MAIL, MONDAY, TUESDAY, WEDNESDAY, desk, ran, records, row, table, task


@pytest.fixture
def runner(tmp_path: Path) -> bk.Runner:
    return bk.Runner(tmp_path / "desk.duckdb")


def of(frame: pl.DataFrame, word: str) -> dict[str, object]:
    """The one row whose title has the word in it."""
    return frame.filter(pl.col("title").str.contains(word, literal=True)).row(0, named=True)


NEXT = (
    row("delta.example", "Nordlys recall of oat drink widened as prices rise", on=TUESDAY, clock="06:00:00"),
    row("stranger.example", "Choir of the river town sings in the rain", on=TUESDAY, clock="07:00:00"),
)


def test_the_second_day_goes_on_with_the_first_days_stories(runner: bk.Runner) -> None:
    first, second = ran(runner), ran(runner, NEXT, on=TUESDAY)
    before, after = runner.store.stories(first.run_id), runner.store.stories(second.run_id)
    monday, tuesday = of(before, "Nordlys"), of(after, "Nordlys")
    assert tuesday["story_id"] == monday["story_id"]
    assert (monday["is_continued"], tuesday["is_continued"]) == (False, True)
    # Three of Monday and one of Tuesday, of which only Tuesday's is recorded again.
    assert (monday["n_items"], tuesday["n_items"], tuesday["n_recorded"]) == (3, 4, 1)
    assert tuesday["n_publishers"] == 4
    assert tuesday["publishers"] == ["alpha", "beta.example", "delta.example", "gamma.example"]
    assert tuesday["first_seen_at"] == datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
    assert second.counts["records"] == 2
    assert second.counts["rows_added"] == len(MAIL)
    choir = of(after, "Choir")
    assert (choir["is_continued"], choir["phase"]) == (False, "fading")


def test_what_went_on_is_not_new_and_what_nobody_adds_to_fades(runner: bk.Runner) -> None:
    ran(runner)
    noon = ran(runner, NEXT, on=TUESDAY, as_of=f"{TUESDAY}T07:30:00+00:00")
    stories = runner.store.stories(noon.run_id)
    # Three of Monday and one late item: that is no growth.
    assert of(stories, "Nordlys")["phase"] == "steady"
    assert of(stories, "Choir")["phase"] == "new"


def test_a_story_that_more_and_more_carry_is_rising(runner: bk.Runner) -> None:
    ran(runner)
    more = tuple(
        row(f"paper{n}.example", "Nordlys recall of oat drink widened as prices rise", on=TUESDAY,
            clock=f"0{n}:30:00")
        for n in (3, 4, 5, 6, 7)
    )  # fmt: skip
    noon = ran(runner, more, on=TUESDAY, as_of=f"{TUESDAY}T08:00:00+00:00")
    nordlys = of(runner.store.stories(noon.run_id), "Nordlys")
    # Five in 6 h. Of Monday's three the first begins its life; two in the 18.5 h after it.
    assert (nordlys["phase"], nordlys["n_recent"]) == ("rising", 5)
    assert nordlys["expected_recent"] == round(2 * 6 / 18.5, 4)


def test_an_item_seen_again_keeps_its_first_hour_and_gains_a_sighting(runner: bk.Runner) -> None:
    seen = row("alpha.example", "Nordlys opens a bakery", reactions=5, comments=1)
    again = {**seen, "collected_at": f"{TUESDAY}T09:00:00Z", "reactions": 40, "comments": None}
    first, second = ran(runner, (seen,)), ran(runner, (again,), on=TUESDAY)
    before, after = (records(runner, result).row(0, named=True) for result in (first, second))
    assert before["item_id"] == after["item_id"]
    assert after["collected_at"] == before["collected_at"] == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert after["seen_at"] == datetime(2026, 3, 3, 9, tzinfo=UTC)
    # The most that was ever seen: 40 reactions, and the one comment of Monday.
    assert (before["reactions"], after["reactions"], after["comments"]) == (5, 40, 1)
    assert before["revision"] == after["revision"] == 1
    assert runner.store.info().n_rows["observations"] == 2
    assert runner.store.info().n_rows["items"] == 1


def test_an_edited_headline_is_a_second_revision_of_the_same_item(runner: bk.Runner) -> None:
    seen = row("alpha.example", "Nordlys opens a bakery")
    edited = {**seen, "title": "Nordlys opens two bakeries", "collected_at": f"{TUESDAY}T09:00:00Z"}
    first, second = ran(runner, (seen,)), ran(runner, (edited,), on=TUESDAY)
    kept = [records(runner, result).row(0, named=True) for result in (first, second)]
    assert [r["title"] for r in kept] == ["Nordlys opens a bakery", "Nordlys opens two bakeries"]
    assert [r["revision"] for r in kept] == [1, 2]
    assert kept[0]["item_id"] == kept[1]["item_id"]
    assert kept[0]["story_id"] == kept[1]["story_id"]
    # An old copy that turns up afterwards does not take the headline back.
    late = {**seen, "collected_at": f"{TUESDAY}T08:00:00Z"}
    third = ran(runner, (late,), on=TUESDAY)
    assert records(runner, third).select("title", "revision").rows() == [("Nordlys opens two bakeries", 2)]


def _posts(on: str, reactions: int, n: int) -> tuple[dict[str, object], ...]:
    return tuple(
        dict(row("board.example", f"Thread {number} {on} about boats of kind {number * 7}", on=on,
                 source="board", reactions=reactions, clock=f"08:{number:02}:00"))
        for number in range(n)
    )  # fmt: skip


def test_the_usual_of_the_day_before_is_what_a_day_is_measured_by(runner: bk.Runner) -> None:
    # 20 items make a baseline: 10 reactions each on Monday, 320 on Tuesday: 32 times the usual.
    ran(runner, _posts(MONDAY, 10, 20))
    second = records(runner, ran(runner, _posts(TUESDAY, 320, 3), on=TUESDAY))
    assert second["engagement_ratio"].to_list() == [32.0] * 3
    alone = bk.assess(table(_posts(TUESDAY, 320, 3)), desk(), as_of=datetime(2026, 3, 4, tzinfo=UTC))
    assert alone.records["engagement_ratio"].to_list() == [1.0] * 3


def test_the_morning_run_knows_nothing_of_the_afternoon(runner: bk.Runner) -> None:
    result = ran(runner, as_of=f"{MONDAY}T08:30:00+00:00")
    found = records(runner, result)
    # 06:00, 07:30 and 08:10 are known; 09:00 and what comes after are not.
    assert result.counts["records"] == 3
    assert found["seen_at"].max() == datetime(2026, 3, 2, 8, 10, tzinfo=UTC)
    assert found["n_items"].max() == 2
    assert result.counts["set_aside"] == 4
    alone = bk.assess(table(MAIL), desk(), as_of=datetime(2026, 3, 2, 8, 30, tzinfo=UTC))
    assert alone.records.equals(found)
    assert ran(runner).counts["records"] == len(MAIL)


def test_an_item_on_the_edge_of_the_day_belongs_to_exactly_one(runner: bk.Runner) -> None:
    edges = [
        f"{MONDAY}T00:00:00Z", f"{MONDAY}T23:59:59.999999Z", f"{TUESDAY}T00:00:00Z",
        f"{TUESDAY}T23:59:59.999999Z", f"{WEDNESDAY}T00:00:00Z",
    ]  # fmt: skip
    rows = tuple(
        {**row("alpha.example", f"Edge {n}: boats of kind {n * 7}"), "collected_at": at}
        for n, at in enumerate(edges)
    )
    days = [
        sorted(title[5] for title in records(runner, ran(runner, rows, on=on))["title"])
        for on in ("2026-03-01", MONDAY, TUESDAY, WEDNESDAY)
    ]
    assert days == [[], ["0", "1"], ["2", "3"], ["4"]]


def test_an_item_seen_on_two_days_is_recorded_on_both(runner: bk.Runner) -> None:
    seen = row("alpha.example", "Nordlys opens a bakery", clock="23:59:59.999999")
    again = {**seen, "collected_at": f"{TUESDAY}T00:00:00Z"}
    assert [ran(runner, (seen, again), on=on).counts["records"] for on in (MONDAY, TUESDAY)] == [1, 1]


@pytest.mark.parametrize(
    ("on", "hours", "first", "last"),
    [
        # Clocks go forward: from 22:00 UTC on Saturday (23:00 in Paris is 22:00) to 22:00 on Sunday.
        ("2026-03-29", 23, "2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999999Z"),
        ("2026-10-25", 25, "2026-10-24T22:00:00Z", "2026-10-25T22:59:59.999999Z"),
    ],
)
def test_a_day_of_a_clock_change_is_one_day(
    runner: bk.Runner, on: str, hours: int, first: str, last: str
) -> None:
    profile = desk(timezone="Europe/Paris")
    start, end = profile.day_window(datetime.fromisoformat(on).date())
    assert (end - start) == timedelta(hours=hours)
    rows = tuple(
        {**row("alpha.example", f"Edge {n}: boats of kind {n * 7}"), "collected_at": at}
        for n, at in enumerate((first, last))
    )
    counted = {}
    for shift in (-1, 0, 1):
        day = (datetime.fromisoformat(on) + timedelta(days=shift)).date().isoformat()
        counted[shift] = ran(runner, rows, on=day, profile=profile).counts["records"]
    assert counted == {-1: 0, 0: 2, 1: 0}


def test_a_desk_whose_day_starts_at_six_takes_the_night_with_it(runner: bk.Runner) -> None:
    night = row("alpha.example", "Nordlys plant burns in the night", on=TUESDAY, clock="03:00:00")
    profile = desk(day_starts="06:00")
    assert ran(runner, (night,), on=MONDAY, profile=profile).counts["records"] == 1
    assert ran(runner, (night,), on=TUESDAY, profile=profile).counts["records"] == 0


def test_an_item_published_yesterday_and_collected_today_is_todays(runner: bk.Runner) -> None:
    late = row("alpha.example", "Nordlys opens a bakery", published_at=f"{MONDAY}T20:00:00Z", on=TUESDAY)
    assert ran(runner, (late,), on=MONDAY).counts["records"] == 0
    assert ran(runner, (late,), on=TUESDAY).counts["records"] == 1


def test_what_is_older_than_the_context_is_set_aside(runner: bk.Runner) -> None:
    rows = tuple(
        row("alpha.example", f"Day {on[-2:]}: boats of kind {n * 7}", on=on)
        for n, on in enumerate(("2026-02-20", "2026-02-28", MONDAY))
    )
    # Monday is recorded; 28 February lies in the 72 hours before; 20 February does not.
    result = ran(runner, rows)
    stages = runner.store.stages(result.run_id)
    aside = dict(stages.filter(pl.col("set_aside") > 0).select("name", "set_aside").rows())
    assert (result.counts["records"], aside) == (1, {"normalise": 1, "decide": 1})


def test_a_story_that_lives_longer_than_the_context_keeps_all_its_items(runner: bk.Runner) -> None:
    days = [f"2026-03-{day:02}" for day in range(2, 8)]
    for n, on in enumerate(days):
        told = row("alpha.example", "Nordlys recall of oat drink goes on as prices rise", on=on,
                   url=f"https://alpha.example/{n}", summary=f"Day {n} of it.")  # fmt: skip
        last = ran(runner, (told,), on=on)
    story = of(runner.store.stories(last.run_id), "Nordlys")
    assert story["n_items"] == len(days)
    assert story["first_seen_at"] == datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_a_task_takes_its_day_as_text_or_as_a_date() -> None:
    day = datetime(2026, 3, 2).date()
    assert task(on=MONDAY).date == bk.Task(date=day).date == bk.Task(date=datetime(2026, 3, 2, 9)).date == day
