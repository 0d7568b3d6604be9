"""The section "What changed" of briefs from small stores of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import brandkit as bk
from brandkit.report import changes, daily
from brandkit.report.brief import Brief
from tests.flow.newsdesk import MONDAY, TUESDAY, Row, desk, ran, row
from tests.unit.report.briefs import HOSTILE, Page, read

OPENS = row("alpha.example", "Nordlys opens a harbour bakery in Bergen")
RECALLS = row("beta.example", "Nordlys harbour bakery in Bergen opens with a recall", on=TUESDAY)


@pytest.fixture
def runner(tmp_path: Path) -> bk.Runner:
    return bk.Runner(tmp_path / "desk.duckdb")


def told(runner: bk.Runner, rows: Any, **more: Any) -> Page:
    """The section of the brief of a run made now."""
    brief = Brief.read(runner.store, ran(runner, rows, **more).run_id)
    return read(changes.what_changed(brief).markup)


def test_a_story_that_moved_stands_with_both_decisions_its_cause_and_its_points(runner: bk.Runner) -> None:
    assert "There is no earlier run to compare with." in told(runner, (OPENS,)).text
    brief = Brief.read(runner.store, ran(runner, (RECALLS,), on=TUESDAY).run_id)
    page = read(daily.what_changed(brief).markup)
    assert (
        "1 story goes on since the run of Monday 2 March; 1 of them moved. Causes: new evidence 1."
        in page.text
    )
    for words in (RECALLS["title"], "optional", "must cover", "new evidence: ", " → "):
        assert words in page.text
    assert page.links == [RECALLS["url"]]


def test_a_day_without_items_compares_nothing_and_nothing_goes_on_from_it(runner: bk.Runner) -> None:
    assert "No items on this day, so nothing to compare." in told(runner, ()).text
    after = told(runner, (RECALLS,), on=TUESDAY).text
    assert "No story of the run of Monday 2 March goes on." in after


def test_a_slow_day_reads_as_one_and_names_what_was_not_seen_again(runner: bk.Runner) -> None:
    ran(runner, (OPENS, row("hobby.example", "How to plant a hedge of hornbeam in clay soil")))
    again = row("hobby.example", "How to plant a hedge of hornbeam in clay soil, part two", on=TUESDAY)
    slow = told(runner, (again,), on=TUESDAY).text
    assert "Nothing moved since the run of Monday 2 March: 1 story goes on as it was." in slow
    assert f"Not seen again: {OPENS['title']} (optional)." in slow


def test_a_shadow_is_compared_with_the_live_run_of_its_own_day(runner: bk.Runner) -> None:
    ran(runner, (OPENS,))
    page = told(
        runner,
        (OPENS,),
        profile=desk(thresholds={"must_cover": 22, "optional": 21, "watch": 20}),
        shadow=True,
    )
    assert "1 story goes on since the live run; 1 of them moved." in page.text
    assert "the profile changed" in page.text


def test_a_long_list_is_cut_and_hostile_text_stays_text(runner: bk.Runner) -> None:
    words = ("anchor", "birch", "cellar", "drum", "ember", "fjord", "gravel", "hinge", "island", "jacket")

    def day(on: str, more: str, texts: tuple[str, ...]) -> tuple[Row, ...]:
        return tuple(
            row("alpha.example", f"Nordlys {word} {word[::-1]} q{word} z{word} {more} {text}", on=on,
                clock=f"{8 + n:02}:00:00", url=f"https://alpha.example/{on}/{word}")
            for n, (word, text) in enumerate(zip(words, texts, strict=True))
        )  # fmt: skip

    ran(runner, day(MONDAY, "", ("",) * 10))
    page = told(runner, day(TUESDAY, "recall", HOSTILE[:10]), on=TUESDAY)
    assert not page.live
    assert "10 of them moved" in page.text
    assert f"and {10 - changes.MOST_LINES} more" in page.text
