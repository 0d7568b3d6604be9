"""The command line: each command is one call into the library, plus printing.

Nothing heavy is imported before a command runs, so ``--help`` answers at once.
"""

from __future__ import annotations

import click

from brandkit.cli.base import Group
from brandkit.cli.init import init
from brandkit.cli.profiles import profile
from brandkit.cli.reading import explain, runs, verify
from brandkit.cli.running import run
from brandkit.cli.simulating import simulate

__all__ = ["main"]


@click.group(
    "brandkit",
    cls=Group,
    epilog="""\b
Exit codes:
  0   done
  1   failed
  2   asked for something that cannot be
  3   a check found something wrong
  75  busy: try again
""",
)
@click.version_option(package_name="brandkit", message="brandkit %(version)s")
def main() -> None:
    """The open decision record for a news desk: items in, decisions out."""


for command in (run, runs, explain, verify, simulate, profile, init):
    main.add_command(command)
