from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from brandkit.errors import InputError, ReportError
from brandkit.report import artifacts, decisions, failed, message
from brandkit.report.artifacts import Place
from brandkit.report.worker import _told, error_of
from brandkit.store.state import StateStore
from tests.unit.report.briefs import HOSTILE, briefed, read

RUN = "desk.daily.2026-03-04.1"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "daily", date(2026, 3, 4), RUN)


def made(place: Place, text: str, *, attempt: int = 1, profile_id: str = "desk") -> Path:
    with artifacts.building(place) as folder:
        (folder / "daily.html").write_text(text, encoding="utf-8")
        artifacts.write_manifest(folder, {"profile_id": profile_id, "attempt": attempt})
        return artifacts.put(place)


def text_of(folder: Path) -> str:
    return (folder / "daily.html").read_text(encoding="utf-8")


def names(place: Place) -> list[str]:
    return sorted(path.name for path in place.final.parent.iterdir())


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_report_takes_the_place_of_an_earlier_one_and_of_its_failures(
    place: Place, monkeypatch: pytest.MonkeyPatch, *, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr(artifacts, "_exchanged", lambda *_: False)
    made(place, "first")
    place.failed.mkdir()
    assert text_of(made(place, "second")) == "second"
    assert names(place) == [RUN]


def test_what_is_not_put_in_place_leaves_nothing(place: Place) -> None:
    with artifacts.building(place) as folder:
        (folder / "half").write_text("x", encoding="utf-8")
    assert names(place) == []


def test_what_the_dead_left_is_tidied_up_and_a_report_that_was_moved_aside_comes_back(place: Place) -> None:
    folder = made(place, "good")
    folder.rename(place.aside)
    place.made.mkdir()
    with artifacts.building(place) as again:
        assert list(again.iterdir()) == []
        assert text_of(place.final) == "good"
    assert names(place) == [RUN]


@pytest.mark.parametrize("harm", ["cut", "gone", "no manifest", "not json", "empty"])
def test_a_report_that_is_not_as_it_was_made_is_not_whole(place: Place, harm: str) -> None:
    folder = made(place, "good")
    assert artifacts.manifest(folder) is not None
    page, told = folder / "daily.html", folder / "run.json"
    {
        "cut": lambda: page.write_text("goo", encoding="utf-8"),
        "gone": page.unlink,
        "no manifest": told.unlink,
        "not json": lambda: told.write_text("{", encoding="utf-8"),
        "empty": lambda: told.write_text('{"files": {}}', encoding="utf-8"),
    }[harm]()
    assert artifacts.manifest(folder) is None


def test_the_last_good_report_is_the_newest_of_the_profile_up_to_the_day(tmp_path: Path) -> None:
    def at(day: int, run: str) -> Place:
        return Place(tmp_path, "daily", date(2026, 3, day), run)

    made(at(2, "desk.2.1"), "older")
    best = made(at(3, "desk.3.10"), "newest before", attempt=10)
    made(at(3, "desk.3.9"), "an attempt before", attempt=9)
    made(at(3, "other.3.11"), "of another desk", attempt=11, profile_id="other")
    made(at(5, "desk.5.1"), "later")
    (made(at(4, "desk.4.1"), "damaged") / "daily.html").write_text("x", encoding="utf-8")
    assert artifacts.last_good(at(4, RUN), "desk") == best
    assert artifacts.last_good(at(1, RUN), "desk") is None


def test_reports_of_one_run_that_differ_have_folders_of_their_own() -> None:
    assert artifacts.folder_of(RUN, {}) == RUN
    assert artifacts.folder_of(RUN, {"story": "3f9c2a71"}) == f"{RUN}.story-3f9c2a71"
    hostile = artifacts.folder_of(RUN, {"story": "../../etc"})
    assert hostile.startswith(f"{RUN}.")
    assert "/" not in hostile
    assert hostile != artifacts.folder_of(RUN, {"story": "../../usr"})


def test_an_error_page_shows_what_failed_as_text_and_cuts_what_is_endless(place: Place) -> None:
    error = ReportError(f"the notebook failed: {HOSTILE[1]} {HOSTILE[3]} {'x' * 1_000_000}")
    page = failed.error_page(place, error, None)
    assert not read(page).live
    assert HOSTILE[1] in read(page).text
    assert "there is none yet" in read(page).text
    assert len(page) < 60_000


def test_an_error_page_that_cannot_be_written_is_said_and_the_error_stands(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    kept = failed.keep_failure(Place(tmp_path / "file", "daily", None, RUN), ReportError("it broke"), None)
    assert kept.what == "it broke"
    assert "could not be written either" in kept.hint


def test_an_error_crosses_processes_as_it_was() -> None:
    error = error_of(_told(InputError("no file at 'x'", where="in y", hint="look")))
    assert (type(error), str(error)) == (InputError, "no file at 'x', in y\n  look")
    assert "cannot write to '/x'" in str(error_of(_told(OSError(28, "No space left on device", "/x"))))
    assert error_of(_told(ValueError("odd"))).exit_code == 1
    assert type(error_of({"kind": "annotations", "what": "x"})) is ReportError


ROWS = [
    {"title": "Nordlys recall notice =1+1", "author": "=2"},
    {"title": "=HYPERLINK(\"https://evil.example\")", "evidence": ["https://b.example/1"]},
    {"title": "Sorglimt\u202e fault\r\nMust cover: all of it"},
]  # fmt: skip


def test_the_decisions_are_the_runs_own_and_no_spreadsheet_runs_them(tmp_path: Path) -> None:
    brief = briefed(ROWS)
    typed = decisions.decisions(brief)
    assert typed["total"].to_list() == brief.told["total"].to_list()
    gate = brief.told["gates"].struct.field("must_cover")
    assert typed["margin_must_cover"].to_list() == gate.to_list()
    assert min(gate) < 0
    flat = decisions.flat(typed)
    assert flat["margin_must_cover"].equals(typed["margin_must_cover"])
    assert '\'=HYPERLINK("https://evil.example")' in flat["title"].to_list()
    decisions.write_decisions(brief, tmp_path)
    assert (tmp_path / "decisions.csv").read_text(encoding="utf-8-sig").count("\n") == 1 + typed.height


def test_the_message_is_five_lines_whatever_a_title_holds(tmp_path: Path) -> None:
    brief = briefed([*ROWS, *({"title": f"Nordlys recall notice {text}"} for text in HOSTILE)])
    text = message.five_lines(brief, StateStore(tmp_path / "s.duckdb"), Path("/r/daily.html"))
    assert text.count("\n") == len(text.splitlines()) == 5
    starts = ("Nordlys <b>desk</b>, Wednesday 4 March 2026: ", "Must cover: ", "Do not amplify, but act: ",
              "What changed: ", "The whole brief: /r/daily.html")  # fmt: skip
    assert all(line.startswith(start) for line, start in zip(text.splitlines(), starts, strict=True))
    assert all(len(line) < 700 for line in text.splitlines())


def test_the_message_of_an_empty_day_says_so(tmp_path: Path) -> None:
    text = message.five_lines(briefed([]), StateStore(tmp_path / "s.duckdb"), Path("/r"))
    assert "No items were collected on this day." in text
    assert "What changed: no items on this day." in text


def test_a_manifest_names_each_file_with_its_hash(place: Place) -> None:
    told = json.loads((made(place, "good") / "run.json").read_text(encoding="utf-8"))
    digest = "770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c"
    assert told["files"] == {"daily.html": {"bytes": 4, "sha256": digest}}
