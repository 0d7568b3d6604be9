"""One figure of quality: what was measured on which rows, what it had to reach, what others reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value beside its bar, a simple baseline and what was published.

    ``at_least`` and ``at_most`` are the bar; a figure without either is only reported. ``unit`` is
    written after the value: ``"%"`` takes a share of 1 as it is and shows per cent.
    """

    what: str
    measure: str
    value: float
    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""
    baseline: str = ""
    published: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the value meets its bar; None where there is none."""
        if self.at_least is None and self.at_most is None:
            return None
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    def shown(self, value: float) -> str:
        """A value as the table writes it."""
        if self.unit == "%":
            return f"{value:.0%}" if abs(value) < 0.995 or value >= 1 else f"{value:.1%}"
        number = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3f}"
        return f"{number} {self.unit}".rstrip()

    @property
    def bar(self) -> str:
        """The bar as the table writes it."""
        least = "" if self.at_least is None else f">= {self.shown(self.at_least)}"
        most = "" if self.at_most is None else f"<= {self.shown(self.at_most)}"
        return " and ".join(part for part in (least, most) if part)


def table(figures: Iterable[Figure]) -> str:
    """The figures as a Markdown table."""
    said = {None: "", True: "yes", False: "NO"}
    return "\n".join(
        [
            "| what | measure | reached | to reach | | a simple baseline | published |",
            "|---|---|---:|---:|---|---|---|",
            *(
                f"| {f.what} | {f.measure} | {f.shown(f.value)} | {f.bar} | {said[f.reached]} "
                f"| {f.baseline} | {f.published} |"
                for f in figures
            ),
        ]
    )
