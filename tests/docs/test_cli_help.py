from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from brandkit.cli import main

README = Path(__file__).resolve().parents[2] / "README.md"


def _commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(_commands(main))
EVERY = pytest.mark.parametrize("path", list(COMMANDS), ids=" ".join)


@EVERY
def test_every_command_says_what_it_does_with_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"], prog_name="brandkit")
    assert result.exit_code == 0
    assert (COMMANDS[path].help or "").strip()
    example = re.search(r"Example:\n +brandkit (.+)", result.output)
    assert example, result.output
    assert example[1].startswith(" ".join(path))


@EVERY
def test_every_option_says_what_it_is_for(path: tuple[str, ...]) -> None:
    for parameter in COMMANDS[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{' '.join(path)} {parameter.opts[0]}"
            assert parameter.help.endswith((".", "]")), parameter.help


@EVERY
def test_every_command_answers_a_machine(path: tuple[str, ...]) -> None:
    assert "--json" in {name for parameter in COMMANDS[path].params for name in parameter.opts}


@EVERY
def test_an_example_is_a_command_line_that_parses(path: tuple[str, ...]) -> None:
    text = (COMMANDS[path].epilog or "").split("Example:\n", 1)[1].replace("\\\n", " ")
    arguments = shlex.split(text)[1 + len(path) :]
    COMMANDS[path].make_context(path[-1], arguments)


@EVERY
def test_the_readme_names_every_command_and_option(path: tuple[str, ...]) -> None:
    readme = README.read_text(encoding="utf-8")
    assert f"brandkit {' '.join(path)}" in readme
    for parameter in COMMANDS[path].params:
        for name in parameter.opts if isinstance(parameter, click.Option) else ():
            assert f"`{name}" in readme, f"{' '.join(path)} {name}"
