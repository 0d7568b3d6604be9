"""One comparison: two ways to the same rows, timed side by side in one process."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many times as fast one way is as another, on the same rows.

    Units: seconds, medians of the repeats; ``ratio`` is slow over fast. ``sampled`` is how many rows
    the slow way really did when it was stopped early and its time scaled up, else equal to ``rows``.
    """

    name: str
    rows: int
    fast_s: float
    slow_s: float
    ratio: float
    target: float
    equal: bool
    sampled: int

    @property
    def reached(self) -> bool:
        """True where both sides gave equal rows and the ratio is at least the target."""
        return self.equal and self.ratio >= self.target


def seconds(call: Callable[[], object], *, repeats: int = 3) -> float:
    """The median wall time of a call."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return median(times)


def compare(
    name: str,
    rows: int,
    *,
    fast_s: float,
    slow_s: float,
    target: float,
    equal: bool,
    sampled: int | None = None,
) -> Comparison:
    """A comparison from two measured times."""
    return Comparison(
        name, rows, fast_s, slow_s, slow_s / fast_s, target, equal, rows if sampled is None else sampled
    )


def table(found: Sequence[Comparison]) -> str:
    """The comparisons as a Markdown table."""
    lines = [
        "| what | rows | fast s | slow s | ratio | to reach | same rows | reached |",
        "|---|---:|---:|---:|---:|---:|---|---|",
    ]
    for c in found:
        scaled = "" if c.sampled == c.rows else f" (scaled from {c.sampled:,})"
        lines.append(
            f"| {c.name} | {c.rows:,} | {c.fast_s:.4g} | {c.slow_s:.4g}{scaled} "
            f"| {_times(c.ratio)} | {_times(c.target)} "
            f"| {'yes' if c.equal else 'NO'} | {'yes' if c.reached else 'NO'} |"
        )
    return "\n".join(lines)


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"


def write(found: Sequence[Comparison], path: Path) -> None:
    """The comparisons as JSON, with what they ran on."""
    machine = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        **{name: version(name) for name in ("polars", "duckdb", "brandkit")},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine, "results": [asdict(c) for c in found]}, indent=1) + "\n")
