"""Hindsight and drift over days that the whole pipeline ran."""

from __future__ import annotations

from pathlib import Path

from brandkit.record.drift import drift
from brandkit.record.hindsight import hindsight
from brandkit.runner import Runner
from tests.flow.newsdesk import MAIL, MONDAY, TUESDAY, WEDNESDAY, ran, row

HEARSAY = row("stranger.example", "Nordlys oat drink said to go off early, readers write")
CONFIRMED = tuple(
    row(at, "Nordlys oat drink goes off early, readers write, and prices fall", on=WEDNESDAY, clock=clock)
    for at, clock in (
        ("alpha.example", "07:00:00"),
        ("beta.example", "08:00:00"),
        ("gamma.example", "09:00:00"),
    )
)


def test_a_rumour_that_three_newsrooms_tell_two_days_later_was_missed(tmp_path: Path) -> None:
    runner = Runner(tmp_path / "store.duckdb")
    ran(runner, (HEARSAY, MAIL[4]))
    ran(runner, (row("hobby.example", "How to plant a hedge of hornbeam", on=TUESDAY),), on=TUESDAY)
    assert hindsight(runner.store, "desk").misses.is_empty()
    ran(runner, CONFIRMED, on=WEDNESDAY)
    found = hindsight(runner.store, "desk")
    (miss,) = found.misses.to_dicts()
    assert (miss["title"], str(miss["run_on"]), miss["late_h"]) == (HEARSAY["title"], MONDAY, 48.0)
    # The desk's own bars come of this very story, so nothing else can have been big.
    assert (found.n_stories, "promoted" in miss["grew"]) == (3, True)
    assert miss["decision"] in ("drop", "block", "watch")
    first = runner.store.record(miss["run_id"], miss["item_id"])
    assert first.select("decision", "total").row(0) == (miss["decision"], miss["total"])
    assert drift(runner.store, "desk").movements() == (
        "Not enough history to say what moved: 2 earlier runs, and 5 are needed.",
    )
