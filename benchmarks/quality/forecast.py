"""Forecast of spread: from the first hours of an item, how large will it get, and within what range?

*reddit_hourly*: what was seen of a post in its first 3 hours, against the most that was seen of it
later. The model was fitted on posts until 2 January (``fit_forecast``); posts born from 3 January on
confirm. A post is seen only while in the top 100. One that is never seen again has no later peak: it is
left out, and then counted in with its peak so far, which is the least its peak can be, and which the
present score ranks perfectly by construction; the same for posts that were in sight in the last hour.
*Communities*: fitted on the posts of half of all communities (by hash), measured on the other half.

*fake_news*: shares of an article in the 3 hours after its first, against all that were ever counted,
read on the hour as a counter: with the packaged model unchanged, and with ranges learned from the earlier
half of the articles, both on the later half.

Measures: Spearman with the later peak, and how much it is above that of the present score, with the
95 % interval of 1,000 bootstraps over posts; the share of peaks within the 80 % range; how wide it is.
Baselines: the present score, which is also what a constant growth factor ranks by (log-linear, Szabo
and Huberman 2010); score over age. The range of the constant factor is that of its residuals.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import numpy as np
import polars as pl

from benchmarks.quality.figures import Figure
from benchmarks.quality.fit_forecast import SPLIT, TAIL, fitted, hourly_moments, snapshots
from benchmarks.quality.intervals import interval, spearman
from brandkit.signals._forecast_model import ForecastModel
from brandkit.signals.forecast import calibrate_forecast, forecast_peak

FIRST_H = 3.0
ABOVE = 0.05


def figures(folder: Path) -> Iterator[Figure]:
    """Every figure of the forecast that the sets in the folder allow."""
    if (folder / "reddit_hourly").is_dir():
        posts = snapshots(folder)
        yield from _later_days(posts)
        yield from _communities(posts)
    if (folder / "fake_news").is_dir():
        yield from _shares(folder)


def judged(observations: pl.DataFrame, *, hours: float, model: ForecastModel | None = None) -> pl.DataFrame:
    """What was forecast from the first hours, beside what came later (null where it was not seen)."""
    age_h = (pl.col("observed_at") - pl.col("published_at")).dt.total_microseconds() / 3.6e9
    early = observations.filter(age_h <= hours)
    said = forecast_peak(early, model=model).filter(pl.col("expected_peak").is_not_null()).collect()
    later = (
        observations.join(said.select("item_id", "last_seen_at"), on="item_id")
        .filter(pl.col("observed_at") > pl.col("last_seen_at"))
        .group_by("item_id")
        .agg(later_peak=pl.col("value").max())
    )
    return said.join(later, on="item_id", how="left").sort("item_id")


def _later_days(posts: pl.DataFrame) -> Iterator[Figure]:
    before, after = (posts.filter((pl.col("published_at") >= SPLIT) == is_so) for is_so in (False, True))
    own = _constant(before)
    for hours in (FIRST_H, 6.0, 9.0):
        found = judged(after, hours=hours)
        seen = found.drop_nulls("later_peak")
        what = f"reddit, 3 to 5 January: {seen.height} posts, first {hours:.0f} h"
        yield from _figures(
            what, seen, is_barred=hours == FIRST_H, constant=own if hours == FIRST_H else None
        )
        if hours == FIRST_H:
            yield from _censored(found, posts)
    taught = calibrate_forecast(before.with_columns(source=pl.lit("reddit")), as_of=SPLIT)
    again = judged(after.with_columns(source=pl.lit("reddit")), hours=FIRST_H, model=taught)
    yield from _figures("the first again, ranges of its own first days", again.drop_nulls("later_peak"))
    for why, said in (("growth", "seen twice or more"), ("age", "seen once")):
        of = judged(after, hours=FIRST_H).drop_nulls("later_peak").filter(pl.col("why") == why)
        yield from _figures(f"the same, {said}: {of.height}", of)


def _censored(found: pl.DataFrame, posts: pl.DataFrame) -> Iterator[Figure]:
    """What changes when a post that is never seen again counts as having had its peak."""
    end = posts["observed_at"].max()
    whole = found.filter(pl.col("last_seen_at") <= end - TAIL).drop_nulls("later_peak")  # type: ignore[operator]
    yield from _figures(f"the same, without the data's last 14 h: {whole.height}", whole)
    so_far = found.with_columns(later_peak=pl.max_horizontal("later_peak", "value"))
    in_sight = so_far.filter(pl.col("age_h") > FIRST_H - 1)
    yield from _figures(
        f"never seen again: peak so far; in sight in the third hour: {in_sight.height}", in_sight
    )
    yield from _figures(f"never seen again: peak so far; all: {so_far.height}", so_far)


def _communities(posts: pl.DataFrame) -> Iterator[Figure]:
    names = posts["group"].unique().to_list()
    half = pl.DataFrame({"group": names, "half": [crc32(name.encode()) % 2 for name in names]})
    sided = posts.join(half, on="group")
    for side in (0, 1):
        model = fitted(hourly_moments(sided.filter(pl.col("half") != side)))
        of = judged(sided.filter(pl.col("half") == side), hours=FIRST_H, model=model).drop_nulls("later_peak")
        yield from _figures(f"reddit, fitted on the other communities: {of.height} posts, first 3 h", of)


def _shares(folder: Path) -> Iterator[Figure]:
    shares = counted_shares(folder)
    born = shares.select("item_id", "published_at").unique().sort("published_at", "item_id")
    earlier = born.head(born.height // 2).select("item_id")
    past, rest = (shares.join(earlier, on="item_id", how=how) for how in ("semi", "anti"))  # type: ignore[arg-type]
    own = calibrate_forecast(past, as_of=past["observed_at"].max())  # type: ignore[arg-type]
    for hours in (FIRST_H, 24.0):
        known = f"articles, first {hours:.0f} h"
        found = judged(rest, hours=hours)
        yield from _figures(f"fake_news, packaged: {found.height} {known}", found)
        found = judged(rest, hours=hours, model=own)
        yield from _figures(f"fake_news, ranges of the earlier half: {found.height} {known}", found)


def counted_shares(folder: Path) -> pl.DataFrame:
    """The articles of fake_news as a counter shows them: on the hour after the first share, and at last."""
    shares = pl.read_parquet(folder / "fake_news" / "shares.parquet").rename({"article_id": "item_id"})
    at = pl.from_epoch("t_ms", time_unit="ms").dt.replace_time_zone("UTC")
    shared = shares.select("item_id", at=at, published_at=at.min().over("item_id"))
    whole_hours = pl.DataFrame({"after_h": [*range(1, 49), 10**6]})
    looked = shared.select("item_id", "published_at").unique().join(whole_hours, how="cross")
    counted = looked.join(shared.drop("published_at"), on="item_id").filter(
        pl.col("at") <= pl.col("published_at") + pl.duration(hours="after_h")
    )
    return (
        counted.group_by("item_id", "published_at", "after_h")
        .agg(value=pl.len().cast(pl.Float64))
        .select(
            "item_id",
            "published_at",
            "value",
            observed_at=pl.col("published_at") + pl.duration(hours="after_h"),
            source=pl.lit("shares"),
        )
        .sort("item_id", "observed_at")
    )


def _constant(before: pl.DataFrame) -> tuple[float, float]:
    """The range of one growth factor for all: quantiles of ln(later peak / present) in the first days."""
    seen = judged(before, hours=FIRST_H).drop_nulls("later_peak")
    grew = (seen["later_peak"] / seen["value"]).log()
    low, high = (float(np.quantile(grew.to_numpy(), share)) for share in (0.1, 0.9))
    return low, high


def _figures(
    what: str,
    found: pl.DataFrame,
    *,
    is_barred: bool = False,
    constant: tuple[float, float] | None = None,
) -> Iterator[Figure]:
    peak, present = found["later_peak"].to_numpy(), found["value"].to_numpy()
    expected, speed = found["expected_peak"].to_numpy(), present / np.maximum(found["age_h"].to_numpy(), 0.1)
    ours, base, fast = (spearman(by, peak) for by in (expected, present, speed))
    low, high = interval(gain, peak, expected, present)
    yield Figure(
        what, "Spearman with the later peak", ours, baseline=f"present {base:.3f}; over age {fast:.3f}"
    )
    yield Figure(
        what,
        f"above the present score ({low:+.3f} to {high:+.3f})",
        ours - base,
        at_least=ABOVE if is_barred else None,
    )
    inside = found.select(
        pl.col("later_peak").is_between(pl.col("low") - 0.05, pl.col("high") + 0.05)
    ).to_series()
    spread = float(np.sqrt(inside.mean() * (1 - inside.mean()) / len(inside)))  # type: ignore[operator,arg-type]
    width = float(np.median(np.log((found["high"] + 1) / (found["low"] + 1))))
    said = ""
    if constant:
        grew = np.log(peak / present)
        share = float(np.mean((grew >= constant[0]) & (grew <= constant[1])))
        said = f"constant factor: {share:.0%}, {np.exp(constant[1] - constant[0]):.1f} times wide"
    yield Figure(
        what,
        f"peaks in the 80 % range (±{1.96 * spread:.0%}), {np.exp(width):.1f} times wide",
        float(inside.mean()),  # type: ignore[arg-type]
        at_least=0.75 if is_barred else None,
        at_most=0.85 if is_barred else None,
        unit="%",
        baseline=said,
    )


def gain(peak: np.ndarray, expected: np.ndarray, present: np.ndarray) -> float:
    """How much better one ranking tells the peaks than the other."""
    return spearman(expected, peak) - spearman(present, peak)
