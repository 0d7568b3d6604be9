from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from brandkit import settings as settings_module
from brandkit.errors import EXIT_USAGE, SettingsError
from brandkit.settings import Settings, find_dotenv, project_root

NOWHERE = Path("no-such-folder", ".env")
REPOSITORY = Path(__file__).resolve().parents[2]


def _dotenv(folder: Path, text: str) -> Path:
    path = folder / ".env"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_environment_sets_every_field(tmp_path: Path) -> None:
    loaded = Settings.load(
        {
            "BRANDKIT_DB_PATH": str(tmp_path / "desk.duckdb"),
            "BRANDKIT_ARTIFACTS_DIR": str(tmp_path / "out"),
            "BRANDKIT_LOG_LEVEL": "debug",
            "BRANDKIT_PROFILE": str(tmp_path / "desk.toml"),
            "BRANDKIT_CRASH_AT": "publish",
            "PATH": "/bin",
        },
        NOWHERE,
    )
    assert loaded == Settings(
        db_path=tmp_path / "desk.duckdb",
        artifacts_dir=tmp_path / "out",
        log_level="DEBUG",
        profile_path=tmp_path / "desk.toml",
    )


def test_without_any_setting_everything_has_a_place() -> None:
    loaded = Settings.load({}, NOWHERE)
    assert loaded.db_path.is_absolute()
    assert loaded.db_path.name == "brandkit.duckdb"
    assert loaded.artifacts_dir == loaded.db_path.parent / "artifacts"
    assert loaded.log_level == "WARNING"


def test_the_processs_own_environment_is_read_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRANDKIT_DB_PATH", str(tmp_path / "mine.duckdb"))
    assert Settings.load(dotenv=NOWHERE).db_path == tmp_path / "mine.duckdb"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = _dotenv(tmp_path, "BRANDKIT_LOG_LEVEL=ERROR\nBRANDKIT_DB_PATH=desk.duckdb\n")
    loaded = Settings.load({"BRANDKIT_LOG_LEVEL": "INFO"}, file)
    assert loaded.log_level == "INFO"
    assert loaded.db_path == tmp_path / "desk.duckdb"


def test_an_empty_value_is_no_value(tmp_path: Path) -> None:
    file = _dotenv(tmp_path, "BRANDKIT_LOG_LEVEL=ERROR\nBRANDKIT_DB_PATH=\nBRANDKIT_PROFILE\n")
    loaded = Settings.load({"BRANDKIT_LOG_LEVEL": ""}, file)
    assert loaded.log_level == "ERROR"
    assert loaded.db_path == Settings.load({}, NOWHERE).db_path


def test_relative_paths_start_from_the_file_or_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    file = _dotenv(tmp_path, "BRANDKIT_DB_PATH=a/desk.duckdb\n")
    loaded = Settings.load({"BRANDKIT_ARTIFACTS_DIR": "out"}, file)
    assert loaded.db_path == tmp_path / "a" / "desk.duckdb"
    assert loaded.artifacts_dir == tmp_path / "elsewhere" / "out"


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings.load({"BRANDKIT_DB_PATH": "~/desk.duckdb"}, NOWHERE).db_path == tmp_path / "desk.duckdb"


def test_the_file_sees_nothing_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "secret")
    file = _dotenv(tmp_path, "BRANDKIT_DB_PATH=${CANARY}.duckdb\n")
    assert Settings.load({}, file).db_path.name == "${CANARY}.duckdb"


@pytest.mark.parametrize(
    ("misspelt", "warning"),
    [
        (
            "BRANDKIT_DBPATH",
            "unknown setting BRANDKIT_DBPATH, in the environment: did you mean BRANDKIT_DB_PATH?",
        ),
        (
            "brandkit_log_level",
            "unknown setting brandkit_log_level, in the environment: did you mean BRANDKIT_LOG_LEVEL?",
        ),
        (
            "BRANDKIT_COLOUR",
            "unknown setting BRANDKIT_COLOUR, in the environment: "
            "known: BRANDKIT_DB_PATH, BRANDKIT_ARTIFACTS_DIR, BRANDKIT_LOG_LEVEL, BRANDKIT_PROFILE, "
            "BRANDKIT_SMTP_URL, BRANDKIT_MAIL_FROM, BRANDKIT_MAIL_TO, BRANDKIT_ERRORS_TO, "
            "BRANDKIT_REPORT_COMMAND, BRANDKIT_REPORT_WEBHOOK",
        ),
    ],
)
def test_a_misspelt_name_in_the_environment_warns_with_the_near_one(misspelt: str, warning: str) -> None:
    with pytest.warns(UserWarning, match="unknown setting") as warned:
        Settings.load({misspelt: "x"}, NOWHERE)
    assert [str(one.message) for one in warned] == [warning]
    assert warned[0].filename == __file__


def test_a_misspelt_name_in_the_file_warns_with_the_file(tmp_path: Path) -> None:
    file = _dotenv(tmp_path, "BRANDKIT_PROFIL=desk.toml\nOTHER=1\n")
    with pytest.warns(UserWarning, match="unknown setting") as warned:
        Settings.load({}, file)
    assert [str(one.message) for one in warned] == [
        f"unknown setting BRANDKIT_PROFIL, in {file}: did you mean BRANDKIT_PROFILE?"
    ]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "BRANDKIT_LOG_LEVEL",
            "WARN",
            "BRANDKIT_LOG_LEVEL 'WARN' is no log level, in the environment\n"
            "  allowed: DEBUG, INFO, WARNING, ERROR, CRITICAL\n  did you mean 'WARNING'?",
        ),
        (
            "BRANDKIT_DB_PATH",
            ":memory:",
            "BRANDKIT_DB_PATH ':memory:' keeps nothing between two calls, in the environment\n"
            "  allowed: a path to a file",
        ),
        (
            "BRANDKIT_DB_PATH",
            "/",
            "BRANDKIT_DB_PATH '/' is a folder, in the environment\n  allowed: a path to a file",
        ),
        (
            "BRANDKIT_PROFILE",
            "/",
            "BRANDKIT_PROFILE '/' is a folder, in the environment\n  allowed: a path to a file",
        ),
        (
            "BRANDKIT_ARTIFACTS_DIR",
            __file__,
            f"BRANDKIT_ARTIFACTS_DIR '{__file__}' is a file, in the environment\n"
            "  allowed: a path to a folder, which need not exist yet",
        ),
        (
            "BRANDKIT_DB_PATH",
            "~nobody-by-this-name/x",
            "BRANDKIT_DB_PATH '~nobody-by-this-name/x' cannot be a path, in the environment\n"
            "  allowed: a path; ~ stands for the home folder",
        ),
    ],
)
def test_a_bad_value_says_what_where_and_what_is_allowed(name: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.load({name: value}, NOWHERE)
    assert str(refused.value) == message
    assert refused.value.exit_code == EXIT_USAGE


def test_a_bad_value_in_the_file_names_the_file(tmp_path: Path) -> None:
    file = _dotenv(tmp_path, "BRANDKIT_LOG_LEVEL=loud\n")
    with pytest.raises(SettingsError, match="BRANDKIT_LOG_LEVEL 'loud' is no log level, in ") as refused:
        Settings.load({}, file)
    assert refused.value.where == f"in {file}"


def test_a_name_no_file_system_takes_is_refused() -> None:
    with pytest.raises(SettingsError, match="cannot be a path"):
        Settings.load({"BRANDKIT_DB_PATH": "x" * 5000}, NOWHERE)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"BRANDKIT_DB_PATH=\xff\xfe\n")
    with pytest.raises(SettingsError, match="cannot be read\n  allowed: NAME=value lines in UTF-8"):
        Settings.load({}, tmp_path / ".env")


def test_the_nearest_file_of_the_project_is_found_from_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    (project / "notebooks").mkdir(parents=True)
    (project / "pyproject.toml").touch()
    monkeypatch.setattr(settings_module, "__file__", str(project / "site-packages" / "settings.py"))
    monkeypatch.chdir(project / "notebooks")
    _dotenv(tmp_path, "BRANDKIT_LOG_LEVEL=ERROR\n")
    assert find_dotenv() is None
    assert _dotenv(project, "BRANDKIT_LOG_LEVEL=INFO\n") == find_dotenv()
    assert Settings.load({}).log_level == "INFO"


@pytest.mark.parametrize("is_project", [False, True])
def test_from_anywhere_else_the_source_trees_own_file_is_read(
    is_project: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    (tree / "brandkit").mkdir(parents=True)
    (tree / "data").mkdir()
    (tree / "pyproject.toml").touch()
    outside.mkdir()
    if is_project:
        (outside / ".git").touch()
    monkeypatch.setattr(settings_module, "__file__", str(tree / "brandkit" / "settings.py"))
    monkeypatch.chdir(outside)
    assert find_dotenv() is None
    assert _dotenv(tree, "") == find_dotenv()


def test_an_installed_wheel_has_no_source_tree_and_no_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_module, "__file__", str(tmp_path / "brandkit" / "settings.py"))
    assert project_root() is None
    assert Settings.load({}, NOWHERE).profile_path is None


def test_a_source_tree_offers_its_technology_profile() -> None:
    assert project_root() == REPOSITORY
    assert Settings.load({}, NOWHERE).profile_path == REPOSITORY / "data" / "profiles" / "technology.toml"


def test_the_example_file_names_every_setting_and_works_when_uncommented(tmp_path: Path) -> None:
    example = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    lines = [line.removeprefix("# ") for line in example.splitlines() if line.startswith("# BRANDKIT_")]
    loaded = Settings.load({}, _dotenv(tmp_path, "\n".join(lines)))
    assert [line.split("=")[0] for line in lines] == list(settings_module.KNOWN[:-1])
    assert loaded.db_path == tmp_path / "desk.duckdb"
    assert loaded.log_level == "INFO"
    assert loaded.sending.mail_to == ("ann@example.org", "bo@example.org")
    assert loaded.sending.errors_to == ("ops@example.org",)


def test_where_reports_are_sent_is_shown_without_its_secrets() -> None:
    env = {
        "BRANDKIT_SMTP_URL": "smtps://desk:hush@mail.example",
        "BRANDKIT_REPORT_WEBHOOK": "https://hooks.example/hush",
        "BRANDKIT_REPORT_COMMAND": "bell --token hush",
        "BRANDKIT_MAIL_TO": " ann@example.org, ,bo@example.org ",
    }
    loaded = Settings.load(env, NOWHERE)
    assert "hush" in loaded.sending.smtp_url
    assert "hush" not in repr(loaded)
    assert loaded.sending.mail_to == ("ann@example.org", "bo@example.org")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings.load({}, NOWHERE).log_level = "INFO"  # type: ignore[misc]


def test_importing_settings_does_not_load_polars() -> None:
    check = "import sys, brandkit.settings; raise SystemExit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
