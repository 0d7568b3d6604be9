from __future__ import annotations

import dataclasses
import json
import logging
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from brandkit.telemetry import EVENT_FIELDS, WITHHELD, StageEvent, Telemetry, event_schema, peak_memory


def _event(name: str = "copies") -> StageEvent:
    return StageEvent(kind="stage", name=name)


def test_measure_records_the_counts_the_caller_set_and_the_time_it_took() -> None:
    telemetry = Telemetry()
    with telemetry.measure("stage", "normalise", run_id="desk.daily.2026-03-02.1") as counts:
        counts.rows_in, counts.rows_out, counts.rejected, counts.folded = 10, 7, 2, 1
        counts.cache_hits, counts.cache_misses, counts.cache_evictions = 3, 2, 1
        counts.retries = 4
        counts.warnings.append("late_items")
        time.sleep(0.02)
    (event,) = telemetry.events
    assert (event.kind, event.name, event.run_id) == ("stage", "normalise", "desk.daily.2026-03-02.1")
    assert (event.rows_in, event.rows_out, event.rejected, event.folded) == (10, 7, 2, 1)
    assert (event.cache_hits, event.cache_misses, event.cache_evictions, event.retries) == (3, 2, 1, 4)
    assert event.warnings == ("late_items",)
    assert event.error is None
    assert event.wall_s >= 0.02
    assert event.cpu_s >= 0
    assert event.peak_memory is not None
    assert event.peak_memory > 1_000_000


def test_a_block_that_raises_is_recorded_by_the_kind_of_its_error_and_still_raises() -> None:
    telemetry = Telemetry()

    def stage() -> None:
        with telemetry.measure("stage", "mentions") as counts:
            counts.rows_in = 5
            raise ValueError("Nova opens a lab")

    with pytest.raises(ValueError, match="Nova opens a lab"):
        stage()
    (event,) = telemetry.events
    assert (event.error, event.rows_in, event.rows_out) == ("ValueError", 5, None)


def test_an_interrupt_is_recorded_and_goes_on() -> None:
    telemetry = Telemetry()
    with pytest.raises(KeyboardInterrupt), telemetry.measure("fetch", "feeds"):
        raise KeyboardInterrupt
    assert [event.error for event in telemetry.events] == ["KeyboardInterrupt"]


def test_the_limit_keeps_the_newest_and_counts_the_rest() -> None:
    telemetry = Telemetry(limit=3)
    for number in range(5):
        telemetry.record(_event(f"stage_{number}"))
    assert [event.name for event in telemetry.events] == ["stage_2", "stage_3", "stage_4"]
    assert telemetry.dropped == 2
    assert telemetry.frame()["seq"].to_list() == [2, 3, 4]


def test_hooks_are_told_of_every_event_in_order() -> None:
    told: list[str] = []
    telemetry = Telemetry([lambda event: told.append(f"a:{event.name}"), lambda event: told.append("b")])
    telemetry.record(_event("one"))
    telemetry.record(_event("two"))
    assert told == ["a:one", "b", "a:two", "b"]


def test_a_hook_that_raises_is_counted_warned_of_once_and_fails_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[str] = []

    def broken(event: StageEvent) -> None:
        raise RuntimeError("could not send 'Nova opens a lab'")

    telemetry = Telemetry([broken, lambda event: told.append(event.name)])
    with caplog.at_level(logging.WARNING, logger="brandkit.telemetry"):
        for name in ("one", "two", "three"):
            with telemetry.measure("stage", name):
                pass
    assert told == ["one", "two", "three"]
    assert telemetry.hook_failures == 3
    assert len(caplog.messages) == 1
    assert "broken" in caplog.messages[0]
    assert "RuntimeError" in caplog.messages[0]
    assert "Nova" not in caplog.text


def test_two_broken_hooks_are_each_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    class Exporter:
        def __call__(self, event: StageEvent) -> None:
            raise OSError

    telemetry = Telemetry([Exporter(), Exporter()])
    telemetry.record(_event())
    telemetry.record(_event())
    assert telemetry.hook_failures == 4
    assert len(caplog.messages) == 2
    assert "Exporter" in caplog.messages[0]


def test_a_hook_may_read_the_telemetry_it_hangs_on() -> None:
    seen: list[int] = []
    telemetry = Telemetry([lambda event: seen.append(len(telemetry.events))])
    telemetry.record(_event())
    telemetry.record(_event())
    assert seen == [1, 2]


def test_threads_lose_no_event() -> None:
    told: list[str] = []
    telemetry = Telemetry([lambda event: told.append(event.name)], limit=500)

    def work(thread: int) -> None:
        for _ in range(100):
            with telemetry.measure("store_read", f"t{thread}") as counts:
                counts.rows_out = thread

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(telemetry.events) == 500
    assert telemetry.dropped == 300
    assert {name: told.count(name) for name in set(told)} == {f"t{thread}": 100 for thread in range(8)}
    assert all(event.name == f"t{event.rows_out}" for event in telemetry.events)


def test_the_frame_has_a_row_for_each_event_with_types_that_do_not_depend_on_the_values() -> None:
    telemetry = Telemetry()
    empty = telemetry.frame()
    telemetry.record(
        StageEvent(kind="cache", name="records", rows_in=1, warnings=("stale",), wall_s=1, error="KeyError")
    )
    telemetry.record(_event())
    frame = telemetry.frame()
    assert frame.schema == empty.schema == pl.Schema({"seq": pl.Int64, **event_schema()})
    assert frame.select("seq", "kind", "name", "rows_in", "warnings", "error").rows() == [
        (0, "cache", "records", 1, ["stale"], "KeyError"),
        (1, "stage", "copies", None, [], None),
    ]
    assert tuple(frame.columns) == ("seq", *EVENT_FIELDS)


def test_events_hold_no_text_but_names() -> None:
    secret = "Nova recalls <b>everything</b>"
    event = StageEvent(
        kind="fetch",
        name="https://nova.example/feed?api_key=canary",
        run_id="../../x",
        warnings=(secret, "late_items"),
        error=secret,
    )
    assert (event.name, event.run_id, event.warnings, event.error) == (
        WITHHELD,
        WITHHELD,
        (WITHHELD, "late_items"),
        WITHHELD,
    )
    # A new field of text would have to be made a name too, or this fails.
    text_fields = {f.name for f in dataclasses.fields(StageEvent) if "str" in str(f.type)}
    assert text_fields == {"name", "run_id", "warnings", "error"}
    held = json.dumps(dataclasses.asdict(event))
    assert not any(word in held for word in ("Nova", "canary", "https"))


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        _event().name = "other"  # type: ignore[misc]


def test_peak_memory_only_grows() -> None:
    before = peak_memory()
    bytearray(64_000_000)
    assert peak_memory() >= before


def test_importing_telemetry_does_not_load_polars() -> None:
    check = "import sys, brandkit.telemetry; raise SystemExit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
