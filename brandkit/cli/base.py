"""What all commands share: an answer as a table or as JSON, errors as one message, exit codes."""

from __future__ import annotations

import io
import json
import logging
import os
import pathlib
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from brandkit.errors import EXIT_FAILED, BrandkitError
from brandkit.safe import terminal

if TYPE_CHECKING:
    from rich.console import Console

    from brandkit.settings import Settings
    from brandkit.store.state import StateStore

_LOG = logging.getLogger("brandkit")
# What a shell reports for a program that a signal ended: interrupt, closed pipe.
EXIT_INTERRUPTED = 128 + 2
EXIT_BROKEN_PIPE = 128 + 13
PIPE_WIDTH = 120
# Not checked by click: what is wrong with a file is told by who reads it, in one way for all.
PATH = click.Path(path_type=pathlib.Path)
# How long a command waits for a store that another process holds.
PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command has to say: ``data`` for a machine, ``show`` for a person.

    ``notes`` go to stderr, one line each. With an ``error`` the answer is still given in full, then
    the message, and the command leaves with the error's exit code.
    """

    data: Mapping[str, Any]
    show: Callable[[Console], None]
    notes: tuple[str, ...] = ()
    error: BrandkitError | None = field(default=None)


class Command(click.Command):
    """A command that returns an Answer; ``--json`` and the handling of errors are the same for all."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.params.append(
            click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON object, and nothing else.")
        )

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, print its answer, and leave with its exit code."""
        ctx.meta[_AS_JSON] = ctx.params.pop("as_json")
        with _tidy(as_json=ctx.meta[_AS_JSON]):
            answer: Answer = super().invoke(ctx)
            _print(answer, as_json=ctx.meta[_AS_JSON])
        if answer.error is not None:
            ctx.exit(answer.error.exit_code)


class Group(click.Group):
    """A group whose commands are listed in the order they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order of a day's work."""
        return list(self.commands)


_AS_JSON = "brandkit.as_json"
_SETTINGS = "brandkit.settings"


def wants_json() -> bool:
    """True when the command that is running was asked for JSON."""
    return bool(click.get_current_context().meta[_AS_JSON])


def load_settings() -> Settings:
    """The settings of this process, read once for a command, with their log level in force."""
    from brandkit.settings import Settings

    meta = click.get_current_context().meta
    if _SETTINGS not in meta:
        meta[_SETTINGS] = Settings.load()
        _LOG.setLevel(meta[_SETTINGS].log_level)
    settings: Settings = meta[_SETTINGS]
    return settings


def open_store(path: pathlib.Path | None) -> StateStore:
    """The store at the path, or where the settings say it is."""
    from brandkit.store.state import StateStore

    settings = load_settings()
    return StateStore(path or settings.db_path, timeout_s=PATIENCE_S)


def console(*, stderr: bool = False) -> Console:
    """A console on stdout or stderr that is wide when nobody looks at it."""
    from rich.console import Console

    class Quiet(Console):
        """A console that leaves a closed pipe to its caller."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    stream = sys.stderr if stderr else sys.stdout
    is_seen = stream.isatty() or "COLUMNS" in os.environ
    width = None if is_seen else PIPE_WIDTH
    return Quiet(file=stream, width=width, highlight=False, markup=False, emoji=False)


def plain(value: object) -> Any:
    """A value as JSON has it: instants and dates as ISO text, paths and enums as text."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def say(text: str) -> None:
    """One message on stderr, its control characters spelt out."""
    click.echo(terminal(text, keep_lines=True), err=True)


def _print(answer: Answer, *, as_json: bool) -> None:
    for note in answer.notes:
        say(f"note: {note}")
    if as_json:
        _print_json(answer.data)
    else:
        answer.show(console())
    sys.stdout.flush()
    if answer.error is not None:
        say(f"error: {answer.error}")


def _print_json(data: Mapping[str, Any]) -> None:
    # ASCII: no terminal, locale or log can make anything else of it.
    click.echo(json.dumps(data, default=plain, allow_nan=False, indent=2))


@contextmanager
def _tidy(*, as_json: bool) -> Iterator[None]:
    """Whatever goes wrong inside ends as one message and an exit code, never as a traceback."""
    with _plain_streams():
        try:
            yield
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            say("interrupted")
            raise click.exceptions.Exit(EXIT_INTERRUPTED) from None
        except BrokenPipeError:
            # The reader has gone; what is still buffered must not raise again at exit.
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(EXIT_BROKEN_PIPE) from None
        except BrandkitError as error:
            _report(str(error), type(error).__name__, error.exit_code, as_json=as_json)
        except Exception as error:
            if _is_debug():
                traceback.print_exc()
            first = (str(error).strip().splitlines() or [""])[0][:300]
            told = f"internal error: {type(error).__name__}: {first}"
            hint = "; set BRANDKIT_LOG_LEVEL=DEBUG for the traceback"
            _report(told + hint, "InternalError", EXIT_FAILED, as_json=as_json)


def _report(message: str, kind: str, exit_code: int, *, as_json: bool) -> None:
    say(message if kind == "InternalError" else f"error: {message}")
    if as_json:
        _print_json({"error": {"kind": kind, "message": message, "exit_code": exit_code}})
    raise click.exceptions.Exit(exit_code)


def error_data(error: BrandkitError | None) -> dict[str, Any] | None:
    """An error as JSON has it, or None."""
    if error is None:
        return None
    return {"kind": type(error).__name__, "message": str(error), "exit_code": error.exit_code}


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    say(f"warning: {message}")


@contextmanager
def _plain_streams() -> Iterator[None]:
    """Warnings and log lines on stderr for the block, and no character that a stream cannot write."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    _LOG.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            yield
    finally:
        _LOG.removeHandler(handler)


def _is_debug() -> bool:
    with warnings.catch_warnings(), suppress(BrandkitError):
        warnings.simplefilter("ignore")
        return load_settings().log_level == "DEBUG"
    return False
