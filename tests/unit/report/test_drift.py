"""The section "Drift" of briefs from days of literal stories."""

from __future__ import annotations

from pathlib import Path

import pytest

from brandkit.profile import BrandProfile
from brandkit.report import daily
from brandkit.report.brief import Brief
from brandkit.store import StateStore
from tests.frames import DESK
from tests.story_days import LOUD, run_day, story
from tests.unit.report.briefs import Page, read


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "store.duckdb", cache=None, timeout_s=5)


def told(store: StateStore, day: int) -> Page:
    """The section of the brief of that day's run."""
    return read(daily.drift(Brief.read(store, f"desk.daily.2026-03-0{day + 1}.1"), store).markup)


def test_the_section_says_what_moved_in_words_and_in_numbers(store: StateStore) -> None:
    usual = {f"q{n}": story(n) for n in range(1, 41)}
    with store.transaction():
        for day in range(1, 6):
            run_day(store, day, usual)
        run_day(store, 6, {name: {**said, **LOUD} for name, said in usual.items()})
    first, last = told(store, 1), told(store, 6)
    assert "Not enough history to say what moved: 0 earlier runs, and 5 are needed." in first.text
    assert "in numbers" not in first.text
    assert "Total moved: median 19 to 79" in last.text
    assert "Must cover: 40 stories; before, 0 to 0." in last.text
    assert "Score and workload in numbers" in last.text
    assert "Gates that nothing passed: always cover, trigger watch." in last.text
    assert [*first.live, *last.live] == []


def test_a_bar_beyond_the_profiles_own_sources_is_told_where_the_report_ends(
    store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = {"use_defaults": False, "tiers": {"alpha.example": "C"}}
    poor = BrandProfile.from_dict({**DESK.model_dump(by_alias=True), "sources": nobody})
    run = run_day(store, 1, {"s1": story(1)}, profile=poor)
    brief = Brief.read(store, run.run_id)
    monkeypatch.setenv("BRANDKIT_DB_PATH", str(store.path))
    # The store may be given, or its path; without it, it is that of the settings.
    (markup,) = {daily.drift(brief, where).markup for where in (None, store.path, store)}
    assert "Must cover is out of reach: brandkit profile check says why." in read(markup).text
    rich = run_day(store, 1, {"s1": story(1)}, profile=DESK)
    page = read(daily.drift(Brief.read(store, rich.run_id), store).markup)
    assert "The profile's own sources can reach 100; must cover asks for 75." in page.text


def test_a_day_without_items_reads_as_one(store: StateStore) -> None:
    run_day(store, 1, {})
    assert "Not enough history" in told(store, 1).text
