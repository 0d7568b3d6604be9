from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import polars as pl
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from brandkit.cli import base, main, running
from brandkit.cli.base import Answer, Command, console, plain
from brandkit.cli.tables import cell, show_line, show_table
from brandkit.errors import CheckFailed, StoreBusyError
from brandkit.profile import BrandProfile

HEAVY = ("polars", "pandera", "duckdb", "matplotlib", "numpy", "sklearn", "rich")
NOT_FOR_IMPORT = (
    *HEAVY,
    "papermill",
    "nbclient",
    "nbconvert",
    "nbformat",
    "IPython",
    "requests",
    "httpx",
    "urllib3",
    "aiohttp",
)
MAIN = "import sys; from brandkit.cli import main; main(prog_name='brandkit')"

DESK = """
id = "desk"
own = ["Nordlys"]
pillars = ["prices"]
[sources]
use_defaults = false
[sources.tiers]
"a.example" = "A"
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    path = tmp_path / "desk.toml"
    path.write_text(DESK)
    return path


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables as wide as in a pipe, whatever terminal the tests were started from."""
    monkeypatch.setenv("COLUMNS", "120")


def _call(*arguments: str | Path, input: str | None = None) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), input=input, prog_name="brandkit")


def _loaded_by(code: str) -> set[str]:
    """The modules a fresh process has loaded after some code."""
    code = f"import sys\nsys.argv = ['brandkit', *sys.argv[1:]]\n{code}\nprint('LOADED', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.rsplit("LOADED", 1)[1].split())


def test_importing_brandkit_loads_nothing_heavy() -> None:
    assert not _loaded_by("import brandkit") & set(NOT_FOR_IMPORT)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "daily", "--help"], ["profile", "--help"], ["init", "--help"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"from brandkit.cli import main\ntry: main({arguments!r})\nexcept SystemExit: pass"
    assert not _loaded_by(code) & set(NOT_FOR_IMPORT)


def test_the_version_is_printed() -> None:
    assert _call("--version").output == "brandkit 0.1.0\n"


def test_commands_stand_in_the_order_of_a_days_work() -> None:
    assert main.list_commands(click.Context(main)) == [
        "run", "runs", "explain", "why-not", "lineage", "verify", "compare", "replay", "what-if", "verdict",
        "state", "story", "alerts", "find", "voice", "bursts", "forecast", "report", "hindsight", "calibrate",
        "simulate", "profile", "sources", "init", "erase", "prune",
    ]  # fmt: skip


# How any command answers


def _made(callback: Callable[[], Answer]) -> Command:
    return Command("made", callback=callback)


def _raising(error: BaseException) -> Command:
    def raise_it() -> Answer:
        raise error

    return _made(raise_it)


ANSWER = Answer(
    {"at": Path("x"), "n": 1}, lambda screen: show_line(screen, "for a person"), notes=("a note",)
)


def test_an_answer_is_shown_to_a_person_with_its_notes_apart() -> None:
    result = CliRunner().invoke(_made(lambda: ANSWER), [])
    assert (result.stdout, result.stderr, result.exit_code) == ("for a person\n", "note: a note\n", 0)


def test_the_same_answer_is_one_object_for_a_machine() -> None:
    result = CliRunner().invoke(_made(lambda: ANSWER), ["--json"])
    assert json.loads(result.stdout) == {"at": "x", "n": 1}


def test_an_answer_with_an_error_is_given_in_full_and_leaves_with_its_code() -> None:
    answer = Answer(
        {"ok": False}, lambda screen: show_line(screen, "shown"), error=CheckFailed("two differ", hint="look")
    )
    result = CliRunner().invoke(_made(lambda: answer), [])
    assert (result.stdout, result.stderr, result.exit_code) == ("shown\n", "error: two differ\n  look\n", 3)
    assert json.loads(CliRunner().invoke(_made(lambda: answer), ["--json"]).stdout) == {"ok": False}


def test_an_error_of_ours_is_its_message_and_its_code() -> None:
    result = CliRunner().invoke(_raising(StoreBusyError("held by process 7", hint="try again")), [])
    assert (result.stdout, result.stderr) == ("", "error: held by process 7\n  try again\n")
    assert result.exit_code == 75


def test_an_error_is_an_object_too_for_a_machine() -> None:
    result = CliRunner().invoke(_raising(StoreBusyError("held")), ["--json"])
    assert json.loads(result.stdout) == {
        "error": {"kind": "StoreBusyError", "message": "held", "exit_code": 75}
    }
    assert result.exit_code == 75


def test_a_bug_is_one_line_without_a_traceback() -> None:
    result = CliRunner().invoke(_raising(ZeroDivisionError("division by zero\nmore")), [])
    assert result.stderr == (
        "internal error: ZeroDivisionError: division by zero; "
        "set BRANDKIT_LOG_LEVEL=DEBUG for the traceback\n"
    )
    assert (result.stdout, result.exit_code) == ("", 1)


def test_a_bug_shows_its_traceback_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANDKIT_LOG_LEVEL", "debug")
    result = CliRunner().invoke(_raising(ZeroDivisionError("bug")), [])
    assert "Traceback" in result.stderr
    assert result.stderr.endswith(
        "internal error: ZeroDivisionError: bug; set BRANDKIT_LOG_LEVEL=DEBUG for the traceback\n"
    )


def test_a_bug_is_told_also_where_the_settings_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANDKIT_LOG_LEVEL", "loud")
    result = CliRunner().invoke(_raising(ZeroDivisionError("")), [])
    assert "internal error: ZeroDivisionError: ;" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_a_clean_exit(error: BaseException) -> None:
    result = CliRunner().invoke(_raising(error), [])
    assert (result.stdout, result.stderr, result.exit_code) == ("", "interrupted\n", 130)


def test_a_closed_pipe_is_a_quiet_exit() -> None:
    result = CliRunner().invoke(_raising(BrokenPipeError()), [])
    assert (result.stdout, result.stderr, result.exit_code) == ("", "", 141)
    with pytest.raises(BrokenPipeError):
        console().on_broken_pipe()


def test_what_click_refuses_is_left_to_click() -> None:
    result = CliRunner().invoke(_raising(click.UsageError("no such thing")), [])
    assert result.exit_code == 2
    assert "Error: no such thing" in result.stderr


@pytest.mark.filterwarnings("default")
def test_a_warning_is_one_line_on_stderr() -> None:
    def warn() -> Answer:
        warnings.warn("look \x1b[2J", UserWarning, stacklevel=1)
        return Answer({}, lambda screen: None)

    assert CliRunner().invoke(_made(warn), []).stderr == "warning: look \\x1b[2J\n"


def test_what_came_from_outside_cannot_steer_the_terminal() -> None:
    result = CliRunner().invoke(_raising(CheckFailed("\x1b[2Jgone\u202e", hint="look")), [])
    assert result.stderr == "error: \\x1b[2Jgone\\u202e\n  look\n"


def test_json_is_ascii_whatever_a_title_holds() -> None:
    answer = Answer({"title": "\x1b[2J\u202eé"}, lambda screen: None)
    result = CliRunner().invoke(_made(lambda: answer), ["--json"])
    assert result.stdout.isascii()
    assert "\x1b" not in result.stdout
    assert json.loads(result.stdout) == {"title": "\x1b[2J\u202eé"}


def test_a_misspelt_setting_is_one_line_on_stderr(desk: Path) -> None:
    done = _sub("profile", "check", desk, BRANDKIT_DB_PTH="x")
    assert done.returncode == 0
    assert (
        done.stderr
        == "warning: unknown setting BRANDKIT_DB_PTH, in the environment: did you mean BRANDKIT_DB_PATH?\n"
    )


def _sub(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", MAIN, *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **env},
    )  # fmt: skip


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_reader_that_leaves_early_is_no_error(desk: Path, more: list[str]) -> None:
    command = [sys.executable, "-c", MAIN, "profile", "show", str(desk), *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        # Before a Python process can have written anything.
        writer.stdout.close()
        assert writer.stderr.read() == b""
    assert writer.returncode == 141


def test_a_stream_that_cannot_write_a_character_spells_it(desk: Path) -> None:
    desk.write_text(DESK.replace("Nordlys", "Nordlýs 北"))
    done = _sub("profile", "show", desk, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Nordl\\xfds \\u5317" in done.stdout


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], ["runs", "--limit", "0"], ["run", "daily"], ["runs", "--nope"]]
)
def test_what_is_no_command_is_a_usage_error(arguments: list[str]) -> None:
    result = _call(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error:" in result.stderr


# Tables


def _shown(show: Callable[[Console], None], width: int = 60) -> str:
    screen = Console(width=width, record=True, file=open("/dev/null", "w"), markup=False)  # noqa: SIM115
    with screen.file:
        show(screen)
        return screen.export_text()


def test_cells_are_text_and_never_markup() -> None:
    shown = _shown(lambda screen: show_table(screen, ("title",), [("[bold red]x[/] \x1b[2J",)]))
    assert "[bold red]x[/] \\x1b[2J" in shown


def test_cells_say_what_a_value_is() -> None:
    from datetime import UTC, datetime

    values = [None, True, False, 12345, datetime(2026, 3, 2, 7, 5, tzinfo=UTC), Path("a/b")]
    assert [str(cell(value)) for value in values] == ["", "yes", "no", "12,345", "2026-03-02 07:05", "a/b"]


def test_a_long_column_gives_way_to_the_others() -> None:
    rows = [("must cover", 75, "x" * 200), ("watch", 5, "y")]
    shown = _shown(lambda screen: show_table(screen, ("decision", "total", "story"), rows, cut=("story",)))
    lines = [line for line in shown.splitlines() if line.strip()]
    assert len(lines) == 4, shown
    assert "must cover" in lines[2]
    assert "75" in lines[2]
    assert "…" in lines[2]


def test_two_long_columns_share_the_room() -> None:
    rows = [("a" * 50, "b" * 50), ("short", "b" * 50)]
    shown = _shown(lambda screen: show_table(screen, ("one", "two"), rows, cut=("one", "two")), width=60)
    assert max(map(len, shown.splitlines())) <= 60
    assert all(letter * 20 in shown for letter in "ab")


def test_an_id_is_never_broken() -> None:
    rows = [("desk.daily.2026-03-04.1", "some words " * 8)]
    shown = _shown(lambda screen: show_table(screen, ("run", "notes"), rows, whole=("run",)), width=40)
    assert "desk.daily.2026-03-04.1" in shown


def test_a_title_stands_above_its_table() -> None:
    assert _shown(lambda screen: show_table(screen, ("a",), [("1",)], title="[x] these")).startswith(
        "[x] these\n"
    )


def test_a_console_without_a_reader_is_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console().width == base.PIPE_WIDTH
    monkeypatch.setenv("COLUMNS", "77")
    assert console(stderr=True).width == 77


def test_values_are_plain_in_json() -> None:
    from datetime import UTC, date, datetime

    assert plain(date(2026, 3, 2)) == "2026-03-02"
    assert plain(datetime(2026, 3, 2, tzinfo=UTC)) == "2026-03-02T00:00:00+00:00"
    assert plain(Path("a")) == "a"


# Profiles


def test_a_sound_profile_passes_its_check_and_says_how_high_it_can_score(desk: Path) -> None:
    result = _call("profile", "check", desk)
    assert result.exit_code == 0, result.output
    assert "profile 'desk'" in result.stdout
    # One A publisher: confidence 9 of 10; one pillar and no trigger: relevance 12 + 4, impact 20.
    assert "the highest total its own sources can reach is 85; must_cover = 75" in result.stdout
    data = json.loads(_call("profile", "check", desk, "--json").stdout)
    assert (data["ok"], data["highest_total"], data["must_cover"]) == (True, 85, 75)
    assert data["publishers"] == {"A": 1}
    assert data["hash"] == BrandProfile.from_toml(desk).hash


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("[sources]", "[thresholds]\nmust_cover = 86\n[sources]"),
            "the highest total is 85, and must_cover = 86",
        ),
        (('= "A"', '= "C"'), "the highest total is 72, and must_cover = 75"),
        (
            ('= "A"', '= "C"\n[thresholds]\nmust_cover = 70\noptional = 60'),
            "confidence reaches 4, and promotion needs 6",
        ),
        (
            ("[sources]", "[thresholds]\ntied = 17\n[sources]"),
            "names and pillars reach 16 points, and a tie needs 17",
        ),
    ],
)
def test_a_must_cover_out_of_reach_fails_the_check_and_says_why(
    desk: Path, change: tuple[str, str], told: str
) -> None:
    desk.write_text(desk.read_text().replace(*change))
    result = _call("profile", "check", desk)
    assert result.exit_code == 3, result.output
    assert f"must_cover is out of reach for the profile's own sources, in {desk}\n  {told}\n" in result.stderr
    assert json.loads(_call("profile", "check", desk, "--json").stdout)["ok"] is False


def test_a_contradictory_profile_is_a_usage_error_that_says_where(desk: Path) -> None:
    desk.write_text(DESK + "[thresholds]\nwatch = 80\noptional = 60\n")
    result = _call("profile", "check", desk)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "watch = 80 stands at or above optional = 60" in result.stderr
    assert str(desk) in result.stderr


def test_an_unknown_key_names_the_near_one(desk: Path) -> None:
    desk.write_text(DESK.replace("pillars", "pilars"))
    result = _call("profile", "check", desk)
    assert result.exit_code == 2
    assert "did you mean 'pillars'?" in result.stderr


def test_a_profile_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    assert _call("profile", "check", tmp_path / "no.toml").exit_code == 2


def test_without_a_path_the_usual_profile_is_meant(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANDKIT_PROFILE", str(desk))
    assert json.loads(_call("profile", "show", "--json").stdout)["path"] == str(desk)


@pytest.mark.parametrize("command", [["profile", "check"], ["run", "daily", "--date", "2026-03-02"]])
def test_without_any_profile_the_way_to_one_is_told(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brandkit.settings.shipped_profile", lambda: None)
    result = _call(*command)
    assert result.exit_code == 2
    assert "brandkit init" in result.stderr


def test_a_profile_is_shown_as_a_run_would_freeze_it(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_text(
        'id = "desk"\ntitle = "The desk"\n'
        'own = [{name="N", terms=[{phrase="N", near=["x"], not=["y", "z"]}]}]\n'
        '[forbidden]\nphrases=["two words"]\nrisk_flags=["private_data"]\n[exclusions]\nterms=["horoscope"]\n'
    )
    data = json.loads(_call("profile", "show", path, "--json").stdout)
    assert data["profile"] == json.loads(BrandProfile.from_toml(path).snapshot)
    shown = _call("profile", "show", path).stdout
    for told in (
        "The desk",
        "N near x not y/z",
        "two words",
        "private_data",
        "horoscope",
        "must_cover",
        "with brandkit's list",
    ):
        assert told in shown


# Simulate


def test_an_invented_week_is_written_and_counted(tmp_path: Path) -> None:
    out = tmp_path / "week"
    arguments = (
        "simulate",
        "--out",
        out,
        "--days",
        "1",
        "--items-per-day",
        "200",
        "--seed",
        "3",
        "--start",
        "2026-01-05",
    )
    data = json.loads(_call(*arguments, "--json").stdout)
    assert {Path(file["path"]).name for file in data["files"]} >= {
        "items-2026-01-05.parquet",
        "publishers.csv",
    }
    assert all(Path(file["path"]).stat().st_size == file["n_bytes"] for file in data["files"])
    assert (data["start"], data["days"], data["seed"]) == ("2026-01-05", 1, 3)
    assert "items-2026-01-05.parquet" in _call(*arguments).stdout


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--days", "0"], "cannot simulate 0 days"),
        (["--items-per-day", "3"], "at least 1 day and 200 items a day"),
        (["--start", "monday"], "not a date: 'monday'"),
        (["--seed", "-1"], "seed -1 is below 0"),
    ],
)
def test_a_week_that_cannot_be_is_a_usage_error(tmp_path: Path, more: list[str], told: str) -> None:
    result = _call("simulate", "--out", tmp_path / "week", *more)
    assert result.exit_code == 2
    assert told in result.stderr
    assert not (tmp_path / "week").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = _call("simulate", "--out", tmp_path / "file", "--days", "1", "--items-per-day", "200")
    assert result.exit_code == 2
    assert "cannot write to" in result.stderr


# Init


def test_a_first_profile_is_written_and_passes_its_own_reading(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    result = _call(
        "init", "--name", "Nordlys", "--own", "Nordlys", "--rival", "Sunnacre", "--watched", "Board",
        "--pillar", "prices", "--trigger", "recall", "--source", "example.com=A",
        "--timezone", "Europe/Oslo", "--out", path, "--yes",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert f"brandkit profile check {path}" in result.stdout.replace("\n", "")
    profile = BrandProfile.from_toml(path)
    assert (profile.id, profile.timezone) == ("nordlys", "Europe/Oslo")
    kinds = ("own", "rivals", "watched", "pillars", "triggers")
    names = [topic.name for kind in kinds for topic in getattr(profile, kind)]
    assert names == ["Nordlys", "Sunnacre", "Board", "prices", "recall"]
    assert profile.sources.tiers == {"example.com": "A"}


def test_the_file_is_named_for_the_profile_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = json.loads(_call("init", "--name", "Press Desk", "--own", "N", "--json").stdout)
    assert data == {
        "path": "press-desk.toml",
        "id": "press-desk",
        "hash": BrandProfile.from_toml("press-desk.toml").hash,
        "survey": None,
    }


ITEMS = """url,title,source,collected_at
https://one.example/a,First,feed,2026-03-02T08:00:00Z
https://one.example/b,Second,feed,2026-03-02T08:00:00Z
https://listed.example/c,Third,feed,2026-03-02T08:00:00Z
https://two.example/d,Fourth,feed,2026-03-02T08:00:00Z
"""


def test_items_say_whom_to_tier_first(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text(ITEMS)
    arguments: tuple[Any, ...] = (
        "init", "--name", "N", "--own", "N", "--source", "listed.example", "--input", tmp_path / "items.csv",
        "--out", tmp_path / "n.toml", "--force",
    )  # fmt: skip
    shown = _call(*arguments).stdout
    assert "75% of 4 items come from publishers on no list (3 items, 2 domains)" in shown
    assert shown.index("one.example") < shown.index("two.example")
    found = json.loads(_call(*arguments, "--json").stdout)["survey"]
    assert (found["n_items"], found["n_unlisted"], found["share_unlisted"]) == (4, 3, 0.75)
    assert found["tier_first"][0] == {"domain": "one.example", "n_items": 2, "share": 0.5}


def test_a_profile_that_knows_every_publisher_is_told_nothing_to_tier(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("\n".join(ITEMS.splitlines()[:2]))
    given = ("--name", "N", "--own", "N", "--source", "one.example", "--out", tmp_path / "n.toml")
    shown = _call("init", *given, "--input", tmp_path / "items.csv").stdout
    assert "0% of 1 items come from publishers on no list" in shown
    assert "tier these first" not in shown


def test_items_that_cannot_be_read_leave_no_profile(tmp_path: Path) -> None:
    result = _call(
        "init", "--name", "N", "--own", "N", "--input", tmp_path / "no.csv", "--out", tmp_path / "n.toml"
    )
    assert result.exit_code == 2
    assert not (tmp_path / "n.toml").exists()


def test_without_a_terminal_a_missing_name_is_a_usage_error() -> None:
    result = _call("init", "--own", "Nordlys")
    assert result.exit_code == 2
    assert "no name given" in result.stderr


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True, raising=False)


@pytest.mark.usefixtures("at_a_terminal")
def test_on_a_terminal_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "n.toml"
    answers = (
        "Nordlys desk\nNordlys, Nordlys Foods\nSunnacre\n\nprices\nexample.com=A, example.org\nEurope/Oslo\n"
    )
    result = _call("init", "--out", path, input=answers)
    assert result.exit_code == 0, result.output
    profile = BrandProfile.from_toml(path)
    assert (profile.id, profile.timezone) == ("nordlys-desk", "Europe/Oslo")
    assert [topic.name for topic in profile.own] == ["Nordlys", "Nordlys Foods"]
    assert profile.watched == ()
    assert profile.sources.tiers == {"example.com": "A", "example.org": "B"}


@pytest.mark.usefixtures("at_a_terminal")
def test_what_was_given_is_not_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "n.toml"
    given = (
        "--name",
        "N",
        "--own",
        "N",
        "--rival",
        "R",
        "--watched",
        "W",
        "--pillar",
        "P",
        "--source",
        "a.example",
        "--timezone",
        "UTC",
    )
    assert _call("init", "--out", path, *given, input="").exit_code == 0


@pytest.mark.usefixtures("at_a_terminal")
def test_leaving_the_questions_writes_nothing(tmp_path: Path) -> None:
    result = _call("init", "--out", tmp_path / "n.toml", input="Nordlys\n")
    assert (result.exit_code, list(tmp_path.glob("*.toml"))) == (130, [])


# Run


def test_a_heading_without_stories_is_left_out() -> None:
    assert (
        _shown(lambda screen: running._show_stories(screen, pl.DataFrame(), "do not amplify, but act")) == ""
    )


# Progress


def test_a_bar_runs_over_the_stages_while_somebody_looks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from brandkit.telemetry import StageEvent

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with running._progress() as (advance,):
        advance(StageEvent(kind="stage", name="normalise"))
        advance(StageEvent(kind="store_write", name="finish_run"))
        advance(StageEvent(kind="stage", name="decide"))
    said = capsys.readouterr()
    assert said.out == ""
    assert "store" in said.err


def test_nothing_moves_when_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with running._progress() as hooks:
        assert hooks == ()
    assert capsys.readouterr() == ("", "")
