"""The command line: each command is one call into the library, plus printing.

Nothing heavy is imported before a command runs, so ``--help`` answers at once.
"""

from __future__ import annotations

import click

from brandkit.cli.alerting import alerts
from brandkit.cli.base import Group
from brandkit.cli.bursting import bursts
from brandkit.cli.calibrating import calibrate
from brandkit.cli.comparing import compare
from brandkit.cli.desk import state, verdict
from brandkit.cli.finding import find
from brandkit.cli.forecasting import forecast
from brandkit.cli.init import init
from brandkit.cli.lineage import lineage
from brandkit.cli.looking_back import hindsight
from brandkit.cli.privacy import erase, prune
from brandkit.cli.profiles import profile
from brandkit.cli.reading import explain, runs, verify
from brandkit.cli.replaying import replay
from brandkit.cli.reporting import report
from brandkit.cli.running import run
from brandkit.cli.simulating import simulate
from brandkit.cli.sources import sources
from brandkit.cli.stories import story
from brandkit.cli.voicing import voice
from brandkit.cli.what_if import what_if
from brandkit.cli.why_not import why_not

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


for command in (
    run,
    runs,
    explain,
    why_not,
    lineage,
    verify,
    compare,
    replay,
    what_if,
    verdict,
    state,
    story,
    alerts,
    find,
    voice,
    bursts,
    forecast,
    report,
    hindsight,
    calibrate,
    simulate,
    profile,
    sources,
    init,
    erase,
    prune,
):
    main.add_command(command)
