"""What changed since the run before, in a line: for the brief, for one story, for its sources."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import brandkit as bk
from brandkit.report import daily, health
from brandkit.report.brief import Brief
from brandkit.report.cards import cards
from brandkit.report.since import in_short, story_since
from tests.flow.newsdesk import TUESDAY, WEDNESDAY, ran, row, task
from tests.unit.report.briefs import read

OPENS = row("alpha.example", "Nordlys opens a harbour bakery in Bergen")
RECALLS = row("beta.example", "Nordlys harbour bakery in Bergen opens with a recall", on=TUESDAY)
CHOIR = "Choir festival draws crowds to river town"
MANY = tuple(row("gamma.example", f"{CHOIR} {n} times", url=f"https://gamma.example/{n}") for n in range(5))


@pytest.fixture
def runner(tmp_path: Path) -> bk.Runner:
    return bk.Runner(tmp_path / "desk.duckdb")


def test_a_brief_says_in_a_line_what_is_new_what_left_and_what_moved(runner: bk.Runner) -> None:
    monday = Brief.read(runner.store, ran(runner, (OPENS, *MANY)).run_id)
    assert (in_short(monday), health.shortfalls(monday), health.silent(monday).rows()) == ("", [], [])
    tuesday = Brief.read(runner.store, ran(runner, (RECALLS,), on=TUESDAY).run_id)
    assert in_short(tuesday) == (
        "Since Monday 2 March: 1 new to cover; of 1 story that goes on, 1 went up and 0 down."
    )
    (card,) = cards(tuesday, "must_cover", most=1)
    # 1 item of 6 is less than half of a day, and the source of five fell silent.
    assert card.since.startswith("optional → must cover, ")
    assert "; because of new evidence: " in card.since
    assert "; joined by beta.example; +1 outlet; " in card.since
    assert card.since.endswith(f"it was led by “{OPENS['title']}”.")
    assert health.shortfalls(tuesday) == [
        "1 item came in, where the run before had 6. Were all sources fetched?"
    ]
    assert health.silent(tuesday).rows() == [("gamma.example", 5)]
    page = read(daily.headline(tuesday).markup + daily.sources(tuesday).markup).text
    assert in_short(tuesday) in page
    assert "Were all sources fetched?" in page
    assert "Silent today: gamma.example (5). In brackets, their items in the run of Monday 2 March." in page
    # A day later nothing is said of it, and it is there again the day after.
    other = row("alpha.example", "How to plant a hedge of hornbeam in clay soil", on=WEDNESDAY)
    wednesday = Brief.read(runner.store, ran(runner, (other,), on=WEDNESDAY).run_id)
    assert in_short(wednesday) == ("Since Tuesday 3 March: 1 no longer to cover; no story goes on.")
    new = wednesday.told.row(0, named=True)
    assert story_since(wednesday, new) == "new: the run of Tuesday 3 March did not have it."
    before = {**new, "is_continued": True}
    assert story_since(wednesday, before) == (
        "back, first seen 08:00: the run of Tuesday 3 March had nothing of it."
    )


def test_a_later_attempt_that_failed_is_said_at_the_top(runner: bk.Runner, tmp_path: Path) -> None:
    good = ran(runner, (OPENS,))
    assert Brief.read(runner.store, good.run_id).notes == ()
    failed = runner.run(task(str(tmp_path / "gone.csv")))
    assert not failed.ok
    brief = Brief.read(runner.store, good.run_id)
    (note,) = brief.notes
    assert note.startswith("A later attempt at this day failed (desk.daily.2026-03-02.2): ")
    assert note.endswith(" This is the one before it.")
    assert "A later attempt" in read(daily.headline(brief).markup).text


def test_many_warnings_are_cut(runner: bk.Runner) -> None:
    brief = Brief.read(runner.store, ran(runner, (OPENS,)).run_id)
    many = replace(brief, run=replace(brief.run, warnings=tuple(f"source s{n} failed" for n in range(9))))
    page = read(daily.headline(many).markup).text
    assert "source s4 failed" in page
    assert "source s5 failed" not in page
    assert "and 4 more" in page
