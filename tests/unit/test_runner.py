from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import stamina

import brandkit as bk
from brandkit.errors import InputError, StoreBusyError, UsageError
from brandkit.fingerprint import versions
from brandkit.pipeline import Pipeline
from brandkit.store.state import StateStore
from brandkit.telemetry import Telemetry
from tests.flow.newsdesk import DIRT, MAIL, MONDAY, desk, ran, row, table, task

START = datetime(2026, 3, 2, tzinfo=UTC)


# Task


@pytest.mark.parametrize("given", [MONDAY, date(2026, 3, 2), datetime(2026, 3, 2, 9, tzinfo=UTC)])
def test_a_day_is_a_day_however_it_is_given(given: Any) -> None:
    assert bk.Task(date=given).date == date(2026, 3, 2)


@pytest.mark.parametrize("given", ["today", "2026-02-30", "02/03/2026", None, 7])
def test_what_is_no_date_is_a_usage_error(given: Any) -> None:
    with pytest.raises(UsageError, match="not a date"):
        bk.Task(date=given)


def test_an_as_of_is_an_instant_as_text_or_not() -> None:
    seven = datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert task(as_of="2026-03-02T08:00:00+01:00").as_of == task(as_of=seven).as_of == seven
    assert task().as_of is None
    with pytest.raises(UsageError, match="not an instant: 'soon'"):
        task(as_of="soon")
    with pytest.raises(UsageError, match="as_of has no time zone"):
        task(as_of="2026-03-02T07:00:00")
    with pytest.raises(UsageError, match="as_of has no time zone"):
        task(as_of=datetime(2026, 3, 2, 7))


def test_an_unknown_kind_of_run_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="unknown kind of run 'weekly'"):
        bk.Task(date=MONDAY, kind="weekly")  # type: ignore[arg-type]


def test_the_context_is_the_desk_day_up_to_as_of() -> None:
    whole = task().context(desk())
    assert (whole.window_start, whole.as_of) == (START, START + timedelta(days=1))
    assert whole.run_id == f"desk.daily.{MONDAY}"
    morning = task(as_of="2026-03-02T07:00:00+00:00", kind="adhoc").context(desk(), run_id="mine")
    assert (morning.window_start, morning.as_of, morning.run_id) == (START, START.replace(hour=7), "mine")


@pytest.mark.parametrize("as_of", ["2026-03-02T00:00:00+00:00", "2026-03-03T00:00:00.000001+00:00"])
def test_an_as_of_outside_the_day_is_refused(as_of: str) -> None:
    with pytest.raises(UsageError, match="lies outside the desk day 2026-03-02"):
        task(as_of=as_of).context(desk())


def test_an_as_of_at_the_very_end_of_the_day_is_the_default() -> None:
    end = task(as_of="2026-03-03T00:00:00+00:00")
    assert end.context(desk()).as_of == task().context(desk()).as_of


def test_one_input_may_stand_for_a_list_of_one(tmp_path: Path) -> None:
    path = tmp_path / "mail.csv"
    table(MAIL).write_csv(path)
    rows = [dict(one) for one in MAIL]
    for inputs in (path, str(path), [path], table(MAIL), table(MAIL).lazy(), [table(MAIL)], rows, [rows]):
        made = task(inputs)
        assert len(made.inputs) == 1
        frame, warnings = made.rows()
        assert (frame.select(pl.len()).collect().item(), warnings) == (len(MAIL), [])


def test_no_inputs_are_no_rows() -> None:
    frame, warnings = task([]).rows()
    assert (frame.collect().height, warnings) == (0, [])


def test_a_source_that_cannot_be_read_is_left_out_with_a_warning(tmp_path: Path) -> None:
    sources = [tmp_path / "gone.csv", table(MAIL), tmp_path / "lost.csv"]
    frame, warnings = task(sources).rows()
    assert frame.collect().height == len(MAIL)
    assert [("gone.csv" in w, "lost.csv" in w) for w in warnings] == [(True, False), (False, True)]
    with pytest.raises(InputError, match=r"no file at '.*gone\.csv'"):
        task([tmp_path / "gone.csv", tmp_path / "lost.csv"]).rows()


def test_reading_to_the_end_finds_what_opening_did_not() -> None:
    broken = table(MAIL).lazy().with_columns(pl.col("title").cast(pl.Int64))
    assert task([broken, table(MAIL)]).rows()[1] == []
    frame, warnings = task([broken, table(MAIL)]).rows(to_the_end=True)
    assert frame.collect().height == len(MAIL)
    assert len(warnings) == 1
    assert "cannot read a LazyFrame to its end" in warnings[0]


def test_a_profile_is_given_by_itself_or_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "desk.toml"
    path.write_text('id = "from-file"\nown = ["Nordlys"]\n')
    assert task().loaded_profile() == desk()
    assert (
        task(profile=path).loaded_profile().id == task(profile=str(path)).loaded_profile().id == "from-file"
    )
    monkeypatch.setenv("BRANDKIT_PROFILE", str(path))
    assert task(profile=None).loaded_profile().id == "from-file"


def test_without_any_profile_the_ways_to_one_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brandkit.settings.project_root", lambda: None)
    with pytest.raises(UsageError, match="no profile given") as told:
        task(profile=None).loaded_profile()
    assert "BRANDKIT_PROFILE" in str(told.value)


def test_a_pipeline_is_bound_to_its_tasks_rows() -> None:
    bound = Pipeline.from_task(task(), desk())
    assert bound.context is not None
    assert bound.context.as_of == START + timedelta(days=1)
    assert bound.run().frame.height == len(MAIL)


# RunResult


def test_a_result_is_ok_when_it_is_complete() -> None:
    assert bk.RunResult("r", "complete", warnings=("a source failed",)).ok
    assert not bk.RunResult("r", "failed", error=InputError("no file")).ok


def test_a_result_shows_its_counts_warnings_and_error() -> None:
    html = bk.RunResult("desk.1", "complete", {"rows_in": 3, "set_aside": 1})._repr_html_()
    assert html == (
        '<div class="tex2jax_ignore mathjax_ignore">'
        "<table><caption>desk.1</caption><tr><th>status</th><td>complete</td></tr>"
        "<tr><th>rows in</th><td>3</td></tr><tr><th>set aside</th><td>1</td></tr></table></div>"
    )
    failed = bk.RunResult("desk.1", "failed", warnings=("a & b",), error=InputError("no <file>"))
    assert failed._repr_html_().endswith("</table><ul><li>a &amp; b</li><li>no &lt;file&gt;</li></ul></div>")


# Runner


def test_the_store_is_a_store_a_path_or_that_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = StateStore(tmp_path / "a.duckdb")
    assert bk.Runner(store).store is store
    assert bk.Runner(tmp_path / "a.duckdb").store.path == bk.Runner(str(store.path)).store.path == store.path
    monkeypatch.setenv("BRANDKIT_DB_PATH", str(tmp_path / "b.duckdb"))
    assert bk.Runner().store.path == tmp_path / "b.duckdb"


def test_a_run_is_stamped_by_its_tasks_clock_and_nothing_else_knows_it(tmp_path: Path) -> None:
    ticks = iter([START + timedelta(days=400), START + timedelta(days=400, seconds=9)])
    runner = bk.Runner(tmp_path / "desk.duckdb")
    result = ran(runner, clock=lambda: next(ticks))
    stored = runner.store.run(result.run_id)
    assert stored.started_at == START + timedelta(days=400)
    assert stored.finished_at == START + timedelta(days=400, seconds=9)
    assert stored.as_of == START + timedelta(days=1)


def test_counts_say_where_every_row_went(tmp_path: Path) -> None:
    rows = (*MAIL, MAIL[0], *(dirty for dirty, _ in DIRT), row("alpha.example", "Tomorrow", on="2026-03-03"))
    counts = ran(bk.Runner(tmp_path / "desk.duckdb"), rows).counts
    assert counts == {
        "rows_in": 14, "rows_added": 0, "rejected": 5, "folded": 1, "set_aside": 1, "records": 7,
        "stories": 5, "stories_must_cover": 1, "stories_optional": 0, "stories_watch": 0,
        "stories_block": 0, "stories_drop": 4,
    }  # fmt: skip


def test_a_repeat_gives_the_counts_and_warnings_of_the_first(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    sources = [table(MAIL), tmp_path / "gone.csv"]
    first, again = ran(runner, sources), ran(runner, sources)
    assert again.is_repeat
    assert (again.run_id, dict(again.counts), again.warnings) == (
        first.run_id, dict(first.counts), first.warnings,
    )  # fmt: skip


def test_the_versions_name_what_records_depend_on(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    stored = runner.store.run(ran(runner).run_id).versions
    assert dict(stored) == versions()
    assert {"brandkit", "code", "polars", "duckdb", "scipy"} <= set(stored)
    assert len(stored["code"]) == 64


def test_other_libraries_are_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    ran(runner)
    monkeypatch.setattr("brandkit.fingerprint.versions", lambda: {**versions(), "polars": "99.0"})
    assert ran(runner).run_id == f"desk.daily.{MONDAY}.2"


class _Busy(StateStore):
    """A store that another process holds the first few times it is asked."""

    times = 0

    def history(self, *args: Any, **kwargs: Any) -> Any:
        if self.times > 0:
            self.times -= 1
            raise StoreBusyError("the store is held by process 1")
        return super().history(*args, **kwargs)

    def finish_run(self, *args: Any, **kwargs: Any) -> Any:
        if self.times < 0:
            raise StoreBusyError("the store is held by process 1")
        return super().finish_run(*args, **kwargs)


@pytest.fixture
def impatient() -> Iterator[None]:
    """Tries as often as ever, without the pauses."""
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


@pytest.mark.usefixtures("impatient")
def test_a_busy_store_is_tried_three_times(tmp_path: Path) -> None:
    store = _Busy(tmp_path / "desk.duckdb")
    store.times = 2
    telemetry = Telemetry()
    assert ran(bk.Runner(store, telemetry=telemetry)).run_id == f"desk.daily.{MONDAY}.1"
    assert [event.retries for event in telemetry.events if event.retries] == [2]
    store.times = 3
    with pytest.raises(StoreBusyError):
        bk.Runner(store).run(task())
    # It could not even be begun, so there is nothing on the record.
    assert store.runs().height == 1


@pytest.mark.usefixtures("impatient")
def test_a_run_that_cannot_be_published_is_failed_and_can_be_run_again(tmp_path: Path) -> None:
    store = _Busy(tmp_path / "desk.duckdb")
    store.times = -1
    result = bk.Runner(store).run(task())
    assert (result.status, type(result.error)) == ("failed", StoreBusyError)
    assert result.error is not None
    assert result.error.exit_code == 75
    assert store.runs()["status"].to_list() == ["failed"]
    store.times = 0
    assert ran(bk.Runner(store)).run_id == f"desk.daily.{MONDAY}.2"


def test_a_task_may_bring_its_own_store(tmp_path: Path) -> None:
    runner = bk.Runner(tmp_path / "desk.duckdb")
    result = ran(runner, store=tmp_path / "own.duckdb")
    assert StateStore(tmp_path / "own.duckdb").records(result.run_id).height > 0
    assert not runner.store.path.exists()
