"""``python -m benchmarks.quality``: every figure of quality, as Markdown tables.

Real data is looked for in ../shared/data (or the folder given); what needs it is left out where it
is not there. ``--only NAME`` prints one subject.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.quality.figures import REAL, table

# Each module has ``figures(folder) -> Iterable[Figure]``; its docstring says what is measured, and how.
SUBJECTS: tuple[str, ...] = (
    "bursts", "contradiction", "coordination", "copies", "embeddings", "forecast", "mentions",
    "newsworthiness", "phases", "risk", "sentiment", "stories", "trust",
)  # fmt: skip


def main() -> int:
    """Print the tables; exit 1 where a figure misses its bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=REAL, help="where the real sets are")
    parser.add_argument("--only", choices=SUBJECTS, help="one subject")
    given = parser.parse_args()
    missed = 0
    if not given.folder.is_dir():
        print(f"{given.folder} is not there: the real sets are left out.", file=sys.stderr)
    for name in [given.only] if given.only else SUBJECTS:
        found = list(import_module(f"benchmarks.quality.{name}").figures(given.folder))
        print(f"\n### {name.capitalize()}\n\n{table(found)}", flush=True)
        missed += sum(figure.reached is False for figure in found)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
