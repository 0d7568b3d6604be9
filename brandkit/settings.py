"""Where things live on this machine: from the environment and a ``.env`` file.

What a desk decides belongs in its profile; what differs from one machine to the next belongs here.
"""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import dotenv as python_dotenv
import platformdirs

from brandkit.errors import SettingsError, near_name

PREFIX = "BRANDKIT_"
DB_PATH = "BRANDKIT_DB_PATH"
ARTIFACTS_DIR = "BRANDKIT_ARTIFACTS_DIR"
LOG_LEVEL = "BRANDKIT_LOG_LEVEL"
PROFILE = "BRANDKIT_PROFILE"
SMTP_URL = "BRANDKIT_SMTP_URL"
MAIL_FROM = "BRANDKIT_MAIL_FROM"
MAIL_TO = "BRANDKIT_MAIL_TO"
ERRORS_TO = "BRANDKIT_ERRORS_TO"
REPORT_COMMAND = "BRANDKIT_REPORT_COMMAND"
REPORT_WEBHOOK = "BRANDKIT_REPORT_WEBHOOK"
# Makes a run stop dead at a named point; only tests set it.
CRASH_AT = "BRANDKIT_CRASH_AT"
KNOWN = (
    DB_PATH, ARTIFACTS_DIR, LOG_LEVEL, PROFILE, SMTP_URL, MAIL_FROM, MAIL_TO, ERRORS_TO, REPORT_COMMAND,
    REPORT_WEBHOOK, CRASH_AT,
)  # fmt: skip

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
SHIPPED_PROFILE = Path("data", "profiles", "technology.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Where reports are sent, as it was written; who sends them checks it. Passwords are not shown."""

    smtp_url: str = field(default="", repr=False)
    mail_from: str = ""
    mail_to: tuple[str, ...] = ()
    errors_to: tuple[str, ...] = ()
    command: str = field(default="", repr=False)
    webhook: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the store, the artifacts and the profile are, how much is logged, where reports are sent.

    Nulls: ``profile_path`` is None when none is named and no source tree ships one.
    """

    db_path: Path
    artifacts_dir: Path
    log_level: str = "WARNING"
    profile_path: Path | None = None
    sending: Sending = field(default_factory=Sending)

    @classmethod
    def load(
        cls, env: Mapping[str, str] | None = None, dotenv: str | os.PathLike[str] | None = None
    ) -> Settings:
        """The settings of this process: the environment first, then ``.env``, then the defaults.

        A relative path in ``.env`` starts from the file's own folder, elsewhere from the current one.
        A misspelt ``BRANDKIT_*`` is warned of, wherever it stands.

        Args:
            env: what to read in place of the process's environment.
            dotenv: the file to read in place of the nearest ``.env``; it need not exist.

        Raises: SettingsError for a value that cannot be used.
        """
        env = os.environ if env is None else env
        file = find_dotenv() if dotenv is None else Path(dotenv)
        in_file = _read_dotenv(file)
        _warn_of_unknown(env, where="in the environment")
        _warn_of_unknown(in_file, where=f"in {file}")

        given: dict[str, _Value] = {}
        for name in KNOWN:
            if env.get(name):
                given[name] = _Value(name, env[name], "in the environment", Path.cwd())
            elif file is not None and in_file.get(name):
                given[name] = _Value(name, in_file[name], f"in {file}", file.resolve().parent)

        data = Path(platformdirs.user_data_dir("brandkit", appauthor=False))
        level, profile = given.get(LOG_LEVEL), given.get(PROFILE)
        return cls(
            db_path=given[DB_PATH].file() if DB_PATH in given else data / "brandkit.duckdb",
            artifacts_dir=given[ARTIFACTS_DIR].folder() if ARTIFACTS_DIR in given else data / "artifacts",
            log_level=level.level() if level else "WARNING",
            profile_path=profile.file() if profile else shipped_profile(),
            sending=_sending({name: value.text.strip() for name, value in given.items()}),
        )


@dataclass(frozen=True, slots=True)
class _Value:
    """One setting as it was given, with the place to point at when it cannot be used."""

    name: str
    text: str
    where: str
    start: Path

    def file(self) -> Path:
        path = self._path()
        if path.is_dir():
            raise self._refused("is a folder", "a path to a file")
        return path

    def folder(self) -> Path:
        path = self._path()
        if path.exists() and not path.is_dir():
            raise self._refused("is a file", "a path to a folder, which need not exist yet")
        return path

    def level(self) -> str:
        level = self.text.strip().upper()
        if level not in LOG_LEVELS:
            raise self._refused("is no log level", ", ".join(LOG_LEVELS), near_name(level, LOG_LEVELS))
        return level

    def _path(self) -> Path:
        # Connections are short (the store is opened for each access), so memory would forget at once.
        if self.text == ":memory:":
            raise self._refused("keeps nothing between two calls", "a path to a file")
        try:
            path = self.start / Path(self.text).expanduser()
            # Asks the file system, which is what refuses a NUL or a name too long.
            path.is_dir()
        except (OSError, RuntimeError, ValueError) as error:
            raise self._refused("cannot be a path", "a path; ~ stands for the home folder") from error
        return path

    def _refused(self, why: str, allowed: str, hint: str = "") -> SettingsError:
        return SettingsError(
            f"{self.name} {self.text!r} {why}", where=self.where, allowed=f"allowed: {allowed}", hint=hint
        )


def _sending(given: Mapping[str, str]) -> Sending:
    lists = {
        name: tuple(filter(None, (part.strip() for part in given.get(name, "").split(","))))
        for name in (MAIL_TO, ERRORS_TO)
    }
    return Sending(
        smtp_url=given.get(SMTP_URL, ""),
        mail_from=given.get(MAIL_FROM, ""),
        mail_to=lists[MAIL_TO],
        errors_to=lists[ERRORS_TO],
        command=given.get(REPORT_COMMAND, ""),
        webhook=given.get(REPORT_WEBHOOK, ""),
    )


def find_dotenv() -> Path | None:
    """The nearest ``.env``: in this folder or one above it in the same project, else in the source tree.

    The climb ends at the folder that holds a ``.git`` or a ``pyproject.toml``, so that a notebook
    finds its project's file and a stranger's in a home folder is left alone.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / ".env").is_file():
            return folder / ".env"
        if (folder / ".git").exists() or (folder / "pyproject.toml").is_file():
            break
    root = project_root()
    return root / ".env" if root and (root / ".env").is_file() else None


def project_root() -> Path | None:
    """The folder of the source tree this package runs from, or None when it is installed as a wheel."""
    root = Path(__file__).resolve().parents[1]
    return root if (root / "pyproject.toml").is_file() and (root / "data").is_dir() else None


def shipped_profile() -> Path | None:
    """The technology desk's profile of the source tree, or None outside one."""
    root = project_root()
    return root / SHIPPED_PROFILE if root and (root / SHIPPED_PROFILE).is_file() else None


def _read_dotenv(file: Path | None) -> dict[str, str]:
    if file is None or not file.is_file():
        return {}
    try:
        # No interpolation: a value must not depend on what else the environment holds.
        values = python_dotenv.dotenv_values(file, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"'{file}' cannot be read", allowed="allowed: NAME=value lines in UTF-8", hint=str(error)
        ) from error
    return {name: value for name, value in values.items() if value is not None}


def _warn_of_unknown(names: Mapping[str, str], *, where: str) -> None:
    for name in sorted(names):
        if name.upper().startswith(PREFIX) and name not in KNOWN:
            near = difflib.get_close_matches(name.upper(), KNOWN[:-1], n=1, cutoff=0.75)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(KNOWN[:-1])}"
            # Level 3 is the caller of Settings.load.
            warnings.warn(f"unknown setting {name}, {where}: {hint}", UserWarning, stacklevel=3)
