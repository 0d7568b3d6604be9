"""``python -m benchmarks``: the speed table, printed and written as JSON.

``--rows N`` runs everything at one size: what the tests do to see that both sides agree.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import measure
from benchmarks.bench_record import RECORDS, RUNS, explaining, explaining_one, verifying
from benchmarks.bench_scoring import scoring
from benchmarks.bench_store import cached_records, upserts

RESULTS = Path(__file__).parent / "results" / "speed.json"


def run(rows: int | None = None) -> list[measure.Comparison]:
    """Every comparison, at the sizes of the published table or all at ``rows``."""
    small, large, most = (rows, rows, rows) if rows else (1_000, 100_000, 1_000_000)
    sizes = sorted({small, large})
    return [
        *(upserts(n) for n in sizes),
        *(cached_records(n) for n in sizes),
        scoring(most),
        *verifying(most),
        explaining(large),
        *explaining_one(rows // RECORDS if rows else RUNS),
    ]


def main() -> int:
    """Print the table; exit 1 where two sides gave different rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, help="one size for everything")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the JSON goes")
    given = parser.parse_args()
    found = run(given.rows)
    print(measure.table(found))
    measure.write(found, given.out)
    return 0 if all(c.equal for c in found) else 1


if __name__ == "__main__":
    sys.exit(main())
