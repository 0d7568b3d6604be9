"""Bursts: alarms on real counts of mentions, and on made counts with a rhythm and planted bursts.

Real: five-minute counts of mentions of four companies over two months, with the windows that people
labelled. Scored by the rules their makers published (standard profile: 0 is silence, 100 perfect),
with the one default, and with the bar moved until 0.67 or 1.5 times as many alarms sound. ``thinned``
keeps each mention with probability 1/4 (mean of five draws): a smaller brand. ``by the hour`` sums
twelve rows: what most desks count. Published figures are
for all ten series of the set, of which these are four.

Made: 100 series of hourly counts over eight weeks, from one to 300 an hour at noon, with days, nights
and weekends, overdispersed; in each two bursts, planted after the second week, each six hours long.
Found means an alarm within the six hours. The baseline knows no rhythm.

``python -m benchmarks.quality.bursts`` prints how the figures move with each default.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import numpy as np
import polars as pl

from benchmarks.quality.figures import REAL, Figure
from brandkit.signals import _burst_baseline
from brandkit.signals.bursts import THRESHOLD, detect_bursts

Detector = Callable[[pl.DataFrame], pl.DataFrame]
Series = list[tuple[str, list[str], list[float], list[tuple[str, str]]]]
PUBLISHED = "ten series: ARTime 81.8, contextOSE 74.5, HTM 68.0"
# Deviations, of 3, 4, 5, 6, 8, 10, 12, 15 and 20 the best on the real counts.
SIMPLE_BAR = 20.0
DRAWS, KEPT = 5, 0.25
_START = datetime(2026, 1, 5, tzinfo=UTC)
_WEEKS, _WARM_WEEKS, _BURST_H = 8, 2, 6


def figures(folder: Path) -> Iterator[Figure]:
    """The score of the alarms on real counts, and what is found of planted bursts."""
    if (rules := scorer(folder)) is not None:
        yield from _real(rules, list(rules.load(folder / "brand_mentions_nab")))
    yield from _planted()


def scorer(folder: Path) -> ModuleType | None:
    """The published rules, where they lie beside the real data."""
    path = folder.parent / "eval" / "nab_score.py"
    spec = spec_from_file_location("nab_score", path) if path.exists() else None
    if spec is None or spec.loader is None or not (folder / "brand_mentions_nab").is_dir():
        return None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def detected(counts: pl.DataFrame) -> pl.DataFrame:
    """What the library says."""
    return detect_bursts(counts.lazy()).collect()


def rolling_gaussian(counts: pl.DataFrame) -> pl.DataFrame:
    """The simple baseline: deviations above the mean of the last week's counts, squashed alike."""
    width = 7 * 288 if counts["at"].diff().median() < timedelta(minutes=10) else 7 * 24
    past = pl.col("count").shift(1)
    z = (pl.col("count") - past.rolling_mean(width, min_samples=24)) / past.rolling_std(width, min_samples=24)
    up = z.over("series").clip(lower_bound=0.0).fill_nan(None)
    return counts.with_columns(burst=up / (up + SIMPLE_BAR))


def score(
    rules: ModuleType, series: Series, *, alarms: float = 1.0, detector: Detector = detected
) -> tuple[float, int]:
    """The normalised score and the number of alarms, at the default or a multiple of its alarms."""
    told = [
        detector(_frame(name, at, counts))["burst"].fill_null(0.0).to_list() for name, at, counts, _ in series
    ]
    # What the rules do not score (the first rows) is not counted as an alarm either.
    scored = [
        burst
        for values, (_, at, _, _) in zip(told, series, strict=True)
        for burst in values[min(int(0.15 * len(at)), 750) :]
        if burst > 0
    ]
    at_default = sum(burst >= THRESHOLD for burst in scored)
    wanted = max(1, round(alarms * at_default))
    bar = THRESHOLD if alarms == 1.0 else sorted(scored, reverse=True)[wanted - 1]
    raw = sum(
        rules.score_series(values, at, windows, bar)
        for values, (_, at, _, windows) in zip(told, series, strict=True)
    )
    return rules.normalised(raw, sum(len(windows) for *_, windows in series)), wanted


def thinned(series: Series, seed: int) -> Series:
    """The same series of a brand a quarter as large."""
    rng = np.random.default_rng(seed)
    return [
        (name, at, rng.binomial(np.array(counts, dtype=int), KEPT).astype(float).tolist(), windows)
        for name, at, counts, windows in series
    ]


def by_the_hour(series: Series) -> Series:
    """The same counts summed over twelve rows, and the windows with them."""
    summed = []
    for name, at, counts, windows in series:
        whole = len(counts) // 12 * 12
        hour_of = {instant: at[row // 12 * 12] for row, instant in enumerate(at[:whole])}
        sums = np.array(counts[:whole]).reshape(-1, 12).sum(axis=1).tolist()
        summed.append((name, at[:whole:12], sums, [(hour_of[a], hour_of[b]) for a, b in windows]))
    return summed


def _frame(name: str, at: list[str], counts: list[float]) -> pl.DataFrame:
    return pl.DataFrame({"series": name, "at": at, "count": counts}).with_columns(
        pl.col("at").str.to_datetime()
    )


def _real(rules: ModuleType, series: Series) -> Iterator[Figure]:
    what = f"real mentions, {len(series)} series"
    simple = f"week's mean and deviation {score(rules, series, detector=rolling_gaussian)[0]:.1f}"
    value, n = score(rules, series)
    yield Figure(
        what, f"score at the default ({n} alarms)", value, at_least=72.0, baseline=simple, published=PUBLISHED
    )
    for share in (0.67, 1.5):
        value, n = score(rules, series, alarms=share)
        yield Figure(what, f"score with {share} times the alarms ({n})", value, at_least=62.0)
    for share in (1.0, 0.67, 1.5):
        value, n = score(rules, by_the_hour(series), alarms=share)
        yield Figure(f"{what}, by the hour", f"score with {share:g} times the alarms ({n})", value)
    draws = [thinned(series, seed) for seed in range(DRAWS)]
    for share in (1.0, 0.67, 1.5):
        values = [score(rules, draw, alarms=share)[0] for draw in draws]
        yield Figure(
            f"{what}, thinned to a quarter", f"score with {share:g} times the alarms", float(np.mean(values))
        )


def planted(seed: int = 1, n_series: int = 100) -> pl.DataFrame:
    """Made counts: series, at, count, burst_no (null outside of planted bursts)."""
    rng = np.random.default_rng(seed)
    hours = np.arange(_WEEKS * 168)
    day = np.exp(1.2 * np.cos(2 * np.pi * (hours % 24 - 13) / 24) - 1.2)
    week = np.where(hours // 24 % 7 >= 5, 0.35, 1.0)
    noon = np.exp(rng.uniform(0, np.log(300), n_series))
    rate = noon[:, None] * day * week * rng.gamma(8, 1 / 8, (n_series, len(hours)))
    burst_no = np.full(rate.shape, -1)
    for half in range(2):
        first = _WARM_WEEKS * 168 + half * (_WEEKS - _WARM_WEEKS) * 84
        starts = rng.integers(first, first + (_WEEKS - _WARM_WEEKS) * 84 - _BURST_H - 24, n_series)
        factor = np.exp(rng.uniform(np.log(4), np.log(30), n_series))
        for hour in range(_BURST_H):
            rate[np.arange(n_series), starts + hour] += noon * 0.3 * factor * 0.8**hour
            burst_no[np.arange(n_series), starts + hour] = half
    return pl.DataFrame(
        {
            "series": np.repeat(np.arange(n_series), len(hours)),
            "at": pl.concat(
                [pl.datetime_range(_START, _START + timedelta(hours=len(hours) - 1), "1h", eager=True)]
                * n_series
            ),
            "count": rng.poisson(rate).ravel().astype(np.float64),
            "burst_no": burst_no.ravel(),
        }
    ).with_columns(pl.col("burst_no").replace(-1, None))


def told(counts: pl.DataFrame, detector: Detector) -> tuple[float, float]:
    """The share of planted bursts that were found, and false alarms a series and week."""
    alarms = pl.col("burst") >= THRESHOLD
    result = detector(counts)
    by_burst = result.drop_nulls("burst_no").group_by("series", "burst_no").agg(found=alarms.any())
    quiet = pl.col("burst_no").is_null() & pl.col("burst_no").forward_fill(limit=24).over("series").is_null()
    warm = pl.col("at") >= _START + timedelta(weeks=_WARM_WEEKS)
    false = result.filter(quiet & warm & alarms).height
    return float(by_burst["found"].mean()), false / result["series"].n_unique() / (_WEEKS - _WARM_WEEKS)


def without_rhythm(counts: pl.DataFrame) -> pl.DataFrame:
    """The library without its rhythm."""
    with patch.object(_burst_baseline, "PRIOR_OCCURRENCES", 1e12):
        return detected(counts)


def _planted() -> Iterator[Figure]:
    counts = planted()
    found, false = told(counts, detected)
    bare_found, bare_false = told(counts, without_rhythm)
    simple_found, simple_false = told(counts, rolling_gaussian)
    what = "made, 100 series with rhythm"
    yield Figure(
        what, "planted bursts found", found, unit="%",
        baseline=f"without rhythm {bare_found:.0%}; week's mean and deviation {simple_found:.0%}",
    )  # fmt: skip
    yield Figure(
        what, "false alarms a series and week", false,
        baseline=f"without rhythm {bare_false:.3f}; week's mean and deviation {simple_false:.3f}",
    )  # fmt: skip


# Each default beside smaller and larger values of it.
SWEEP: dict[str, tuple[float, ...]] = {
    "BAR": (1.4, 1.5, 1.6, 1.65, 1.7, 1.8, 1.9, 2.0),
    "STEP": (1.01, 1.1, 1.25, 1.5),
    "HALF_LIFE_H": (84.0, 168.0, 336.0),
    "PRIOR_OCCURRENCES": (2.0, 4.0, 8.0, 1e12),
    "DAYS_KEPT": (14, 28, 56),
    "WEEKS_KEPT": (4, 8, 16),
    "LEAST_DEVIATION": (0.25, 0.5, 1.0),
    "USUAL_HIGH": (2.5, 3.0, 3.5),
    "LEAST_HIGH": (1.5, 2.0, 2.5),
    "PRIOR_DAYS": (3.0, 7.0, 14.0, 1e12),
}


def main() -> None:
    """Print how the figures move with each default."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else REAL
    rules = scorer(folder)
    series = [] if rules is None else list(rules.load(folder / "brand_mentions_nab"))
    draws = [thinned(series, seed) for seed in range(DRAWS)] if series else []
    counts = planted()
    print(
        "| default | value | score | 0.67 | 1.5 | thinned | found | false |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|"
    )
    for name, values in SWEEP.items():
        for value in values:
            with (
                patch.object(_burst_baseline, name, value),
                patch("brandkit.signals.bursts.BAR", value if name == "BAR" else _burst_baseline.BAR),
            ):
                real = [score(rules, series, alarms=share)[0] for share in (1.0, 0.67, 1.5)] if rules else []
                thin = [np.mean([score(rules, draw)[0] for draw in draws])] if rules else []
                found, false = told(counts, detected)
            cells = " | ".join(f"{figure:.1f}" for figure in (*real, *thin))
            print(f"| {name} | {value:g} | {cells} | {found:.0%} | {false:.3f} |", flush=True)


if __name__ == "__main__":
    main()
