from __future__ import annotations

from pathlib import Path

import pytest

from brandkit.errors import UnknownError, UsageError
from brandkit.record.kept import kept, unpacked
from brandkit.runner import Runner
from brandkit.store import StateStore
from tests.flow.newsdesk import MONDAY, desk, ran
from tests.frames import AS_OF, DESK, judged, signals


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> StateStore:
    """A store with one day, tried again under a stricter profile."""
    runner = Runner(tmp_path_factory.mktemp("kept") / "desk.duckdb")
    ran(runner)
    ran(runner, profile=desk(thresholds={"must_cover": 90}), shadow=True)
    return runner.store


def test_a_kept_record_comes_with_its_run_its_story_and_the_profile_of_that_day(store: StateStore) -> None:
    stories = store.stories(f"desk.daily.{MONDAY}.1").sort("total")
    found = kept(stories["story_id"][-1], store)
    assert (found.item_id, found.story_id) == (stories["lead_item_id"][-1], stories["story_id"][-1])
    assert found.run == store.run(f"desk.daily.{MONDAY}.1")
    assert found.profile == desk()
    assert found.story is not None
    assert found.story.equals(stories.tail(1))
    tried = kept(found.item_id[:10], store, run=f"desk.daily.{MONDAY}.2")
    assert (tried.item_id, tried.profile.thresholds.must_cover) == (found.item_id, 90)


def test_what_no_run_has_is_said_with_the_store(store: StateStore, tmp_path: Path) -> None:
    with pytest.raises(UnknownError, match="no item or story 'zzzz', in the one complete run in"):
        kept("zzzz", store)
    with pytest.raises(UnknownError, match="no complete run"):
        kept("zzzz", StateStore(tmp_path / "none.duckdb"))


def test_a_record_of_any_shape_is_one_row_with_its_profile_and_clock(store: StateStore) -> None:
    frame = judged(signals({"title": "a"}))
    for record in (frame, frame.row(0, named=True)):
        row, profile, as_of = unpacked(record, DESK, AS_OF)
        assert (row["title"].item(), profile, as_of) == ("a", DESK, AS_OF)
    found = kept(store.records(f"desk.daily.{MONDAY}.1")["item_id"][0], store)
    assert unpacked(found, None) == (found.record, found.profile, found.run.as_of)
    assert unpacked(found, DESK, AS_OF)[1:] == (DESK, AS_OF)
    with pytest.raises(UsageError, match="without its profile"):
        unpacked(frame, None)
    with pytest.raises(UsageError, match="and 2 given"):
        unpacked(judged(signals({}, {})), DESK)
