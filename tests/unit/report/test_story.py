"""The report of one story, from small stores of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import brandkit as bk
from brandkit.errors import UnknownError, UsageError
from brandkit.report import story
from brandkit.report.parameters import StoryParameters, checked_as
from brandkit.report.story_chart import growth
from brandkit.report.storybook import Storybook, open_story
from brandkit.store.state import StateStore
from tests.flow.newsdesk import MONDAY, TUESDAY, WEDNESDAY, Row, ran, row
from tests.unit.report.briefs import HOSTILE, Page, read

SECTIONS = (
    "headline", "growth", "why", "decisions", "publishers", "copies", "coordination", "forecast", "desk",
    "commands",
)  # fmt: skip
OPENS = row("alpha.example", "Nordlys opens a harbour bakery in Bergen", clock="07:30:00")
COPY = {**row("stranger.example", str(OPENS["title"]), clock="09:00:00"), "summary": OPENS.get("summary")}
RECALLS = row("beta.example", "Nordlys harbour bakery in Bergen opens with a recall", on=TUESDAY)
HEDGE = row("hobby.example", "How to plant a hedge of hornbeam in clay soil", on=WEDNESDAY)
DESK = '\nid = "desk"\nown = ["Nordlys"]\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of three days: a story with a copy, its recall the day after, and then nothing of it."""
    at = tmp_path_factory.mktemp("story")
    (at / "desk.toml").write_text(DESK, encoding="utf-8")
    runner = bk.Runner(at / "desk.duckdb")
    for on, rows in ((MONDAY, (OPENS, COPY)), (TUESDAY, (RECALLS,)), (WEDNESDAY, (HEDGE,))):
        ran(runner, rows, on=on)
    return at


def opened(at: Path, asked: str, **more: Any) -> Storybook:
    given = {"profile": str(at / "desk.toml"), "store": str(at / "desk.duckdb"), "story": asked, **more}
    return open_story(checked_as(StoryParameters, given))


def shown(book: Storybook, *names: str) -> Page:
    return read("".join(getattr(story, name)(book).markup for name in names or SECTIONS))


def lead_of(at: Path, on: str) -> str:
    stories = StateStore(at / "desk.duckdb").stories(f"desk.daily.{on}.1")
    return str(stories.sort("total", descending=True)["lead_item_id"][0])


def test_a_story_is_told_from_its_first_decision_to_its_newest_run(folder: Path) -> None:
    first = lead_of(folder, MONDAY)
    book = opened(folder, first[:8].upper())
    assert (book.asked, book.run.run_id, len(book.members)) == (first, f"desk.daily.{TUESDAY}.1", 3)
    assert book.notes == ()
    told = book.days.select("run_on", "effective_decision", "is_itself", "n_ours", "n_all").rows()
    assert [(str(on), *rest) for on, *rest in told] == [
        (MONDAY, "optional", True, 2, 2), (TUESDAY, "must_cover", True, 3, 3),
    ]  # fmt: skip
    (moved,) = book.moves.values()
    assert moved.startswith("new evidence: ")
    page = shown(book)
    assert not page.live
    for words in (
        str(RECALLS["title"]), "optional", "must cover", moved, "Mon 2 Mar 07:30",
        "1 of 3 items repeat 1 text.", "Nobody said anything of it yet.",
        f"brandkit lineage {book.lead.item_id}",
    ):  # fmt: skip
        assert words in page.text, words


def test_publishers_stand_as_they_joined_with_what_was_original_and_whose_copy(folder: Path) -> None:
    joined = story.joining(opened(folder, lead_of(folder, MONDAY)).items)
    assert joined.select("publisher", "tier", "what", "n_items").rows() == [
        ("alpha", "A", "original", 1),
        ("stranger.example", "unlisted", "copies, first of alpha", 1),
        ("beta.example", "B", "original", 1),
    ]


def test_accounts_are_one_crowd_and_the_undated_stand_last() -> None:
    at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    rows = [
        {"item_id": "1", "publisher": "late", "published_at": None, "account": None},
        {"item_id": "2", "publisher": "chirp:a", "published_at": at, "account": "a"},
        {"item_id": "3", "publisher": "chirp:b", "published_at": at, "account": "b"},
        # Dated after it was collected: the date says nothing.
        {"item_id": "4", "publisher": "soon", "published_at": at.replace(day=4), "account": None},
    ]
    more = {
        "tier": "unlisted",
        "copy_of": None,
        "title": "x",
        "url": None,
        "collected_at": at.replace(hour=9),
    }
    frame = pl.DataFrame(
        [{**one, **more} for one in rows], schema_overrides={"copy_of": pl.String, "url": pl.String}
    )
    assert story.joining(frame).select("publisher", "joined_at").rows() == [
        ("chirp: 2 accounts", at), ("late", None), ("soon", None),
    ]  # fmt: skip
    grown = growth(frame)
    assert grown.select("n_items", "n_outlets").rows() == [(2, 2), (4, 4)]
    assert growth(frame.sample(fraction=1, shuffle=True, seed=1)).equals(grown)


def test_until_a_day_or_a_run_tells_the_story_as_it_stood_then(folder: Path) -> None:
    asked = lead_of(folder, TUESDAY)
    story_id = opened(folder, asked).lead.story_id
    for until in (MONDAY, f"desk.daily.{MONDAY}.1"):
        book = opened(folder, story_id, until=until)
        assert (book.run.run_id, book.days.height) == (f"desk.daily.{MONDAY}.1", 1)
    with pytest.raises(UnknownError, match=f"no run up to {MONDAY} has"):
        opened(folder, asked, until=MONDAY)
    with pytest.raises(UnknownError, match="unknown run 'nothing'"):
        opened(folder, story_id, until="nothing")


@pytest.mark.parametrize("given", ["", None, True])
def test_a_story_must_be_named(given: Any) -> None:
    with pytest.raises(UsageError, match="parameter story"):
        checked_as(StoryParameters, {"story": given})


def test_an_unknown_id_is_an_error_with_the_near_ones(folder: Path) -> None:
    known = lead_of(folder, TUESDAY)
    misspelt = known[:-1] + ("0" if known[-1] != "0" else "1")
    with pytest.raises(UnknownError, match=f"did you mean {known}") as caught:
        opened(folder, misspelt)
    assert caught.value.exit_code == 2


def test_a_story_that_was_merged_into_another_says_so_with_who_did_it(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text(DESK, encoding="utf-8")
    runner = bk.Runner(tmp_path / "desk.duckdb")
    hedge = row("gamma.example", "Hornbeam growers plant a hedge for Nordlys", clock="06:00:00")
    ran(runner, (OPENS, COPY, hedge))
    stories = runner.store.stories(f"desk.daily.{MONDAY}.1").sort("n_items")
    (small, large) = stories.select("story_id", "lead_item_id").rows()
    rule = {"rule": "must_link", "item_a": small[1], "item_b": large[1], "made_by": HOSTILE[0]}
    runner.store.add_story_rule(
        "desk", **rule, made_at=datetime(2026, 3, 3, 6, tzinfo=UTC), reason="one bakery"
    )
    ran(runner, (RECALLS, {**hedge, "collected_at": f"{TUESDAY}T10:00:00Z"}), on=TUESDAY)
    now = runner.store.stories(f"desk.daily.{TUESDAY}.1")
    assert now.height == 1
    gone = ({small[0], large[0]} - set(now["story_id"])).pop()
    book = opened(tmp_path, gone)
    assert book.notes[0].startswith(f"Story {gone} was merged into {now['story_id'].item()}: ")
    assert gone in book.ids
    page = shown(book)
    assert "was merged into" in page.text
    assert "put together" in page.text
    assert "one bakery" in page.text
    assert f"another story, {gone}: " in page.text
    assert not page.live


def test_hostile_titles_names_and_words_stay_text(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text(DESK, encoding="utf-8")
    runner = bk.Runner(tmp_path / "desk.duckdb")
    rows: tuple[Row, ...] = tuple(
        row("alpha.example", f"Nordlys harbour bakery opens in Bergen {text}", url=f"https://alpha.example/{n}",
            author=text, source=text, clock=f"{6 + n:02}:00:00")
        for n, text in enumerate(HOSTILE)
    )  # fmt: skip
    ran(runner, rows)
    asked = lead_of(tmp_path, MONDAY)
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    bk_story = opened(tmp_path, asked).lead.story_id
    given = {"story_id": bk_story, "decision": "watch", "given_by": HOSTILE[1], "reason": HOSTILE[2]}
    runner.store.add_verdict("desk", given_at=at, **given)
    changed = {"story_id": bk_story, "desk_state": "assigned", "assignee": HOSTILE[3], "note": HOSTILE[0]}
    runner.store.add_story_state("desk", changed_at=at, **changed)
    page = shown(opened(tmp_path, asked))
    assert not page.live
    assert "verdict: watch" in page.text
    assert f"assigned to {HOSTILE[3]}" in page.text
