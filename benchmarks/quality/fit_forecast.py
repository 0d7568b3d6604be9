"""Fits the packaged forecast model: ``python -m benchmarks.quality.fit_forecast --write``.

On the first four days of reddit_hourly (30 December to 2 January); the days after only confirm. An
item teaches once in each hour of its age, by what was seen of it until then and the most that was seen
of it later. A post that left the top 100 is not seen any more: its later peak is not known, so its last
sighting teaches nothing; nor does what was seen in the 14 hours before the data ends, for hardly a post
stays longer. The growth left, ln(later peak / present), is fitted as a Poisson mean (its logarithm is
linear, so that it cannot be negative); bands are quantiles of what growth came to over what was said.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.linear_model import PoissonRegressor

from benchmarks.quality.figures import REAL
from brandkit.signals import _forecast_model, forecast
from brandkit.signals._forecast_model import KINDS, Band, ForecastModel, Growth

SPLIT = datetime(2024, 1, 3, tzinfo=UTC)
AGES = (0.0, 4.0, 8.0)
HOURS = 17
# Further than this no post was seen in the top 100.
TAIL = timedelta(hours=14)
LAST_AGE_H = 12.0
RATES = (0.01, 2.0)
USUAL_COMMENTS = -2.7
COMMENTS_WITHIN = 2.0
_TARGET = Path(_forecast_model.__file__).parents[1] / "defaults" / "forecast.toml"
_HEAD = """\
# How much growth is left to an item, and how far off that may be. Made by
#   python -m benchmarks.quality.fit_forecast --write
# from the first four days of reddit_hourly; see there, and benchmarks/README.md, Forecast.
#
# growth left = exp(level + age_h x age in hours + rate x ln(growth per hour)
#                   + comments x (ln((comments + 1) / (value + 1)) - usual_comments))
# peak = (value + 1) x exp(growth left x low | middle | high) - 1
"""


def snapshots(folder: Path) -> pl.DataFrame:
    """The posts of reddit_hourly as observations, with the community and the place they had."""
    raw = pl.read_parquet(folder / "reddit_hourly" / "snapshots.parquet")
    return raw.select(
        item_id="id",
        observed_at=(pl.col("date") + ":00").str.to_datetime("%Y-%m-%dT%H:%M", time_zone="UTC"),
        published_at=pl.from_epoch("created").dt.replace_time_zone("UTC"),
        value=pl.col("score").cast(pl.Float64),
        comments="num_comments",
        group="subreddit_display_name",
    )


def hourly_moments(observations: pl.DataFrame, *, until: datetime | None = None) -> pl.DataFrame:
    """Each item at each hour of its age, with what came later; without the tail of the data."""
    end: datetime = until or observations["observed_at"].max()  # type: ignore[assignment]
    known = observations.filter(pl.col("observed_at") <= end)
    hours = [forecast.moments(known, from_h=h, until_h=h + 1.0) for h in range(HOURS)]
    return pl.concat(hours).filter(pl.col("last_seen_at") <= end - TAIL).collect()


def fitted(moments: pl.DataFrame) -> ForecastModel:
    """The model that these moments teach."""
    known = moments.filter(pl.col("later_peak").is_not_null())
    model = ForecastModel(
        growth=_coefficients(known, "growth"),
        age=_coefficients(known, "age"),
        bands=(),
        usual_comments=USUAL_COMMENTS,
        last_age_h=LAST_AGE_H,
        rates=RATES,
        comments_within=COMMENTS_WITHIN,
    )
    start = pl.lit(AGES[0])
    for age in AGES[1:]:
        start = pl.when(pl.col("age_h") >= age).then(pl.lit(age)).otherwise(start)
    taught = known.lazy().with_columns(source=pl.lit("all"), _from_age_h=start)
    rows = forecast.learned_bands(taught, model, least=1).collect().drop("source").to_dicts()
    return replace(model, bands=tuple(Band(**_rounded(row)) for row in rows))


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 2) if isinstance(value, float) else value for name, value in row.items()}


def _coefficients(known: pl.DataFrame, kind: str) -> Growth:
    rows = known.filter(pl.col("kind") == kind)
    ratio = ((pl.col("comments") + 1.0) / (pl.col("value") + 1.0)).log() - USUAL_COMMENTS
    named = {
        "age_h": pl.col("age_h").clip(0.0, LAST_AGE_H),
        "comments": ratio.clip(-COMMENTS_WITHIN, COMMENTS_WITHIN).fill_null(0.0),
    }
    if kind == "growth":
        named["rate"] = pl.col("rate_h").clip(*RATES).log()
    x = rows.select(**named).to_numpy()
    peak = pl.max_horizontal("later_peak", "highest")
    y = rows.select(((peak + 1.0) / (pl.col("value") + 1.0)).log()).to_series().to_numpy()
    fit = PoissonRegressor(alpha=0.0, max_iter=5000, tol=1e-8).fit(x, y)
    slopes = dict(zip(named, np.round(fit.coef_, 2).tolist(), strict=True))
    return Growth(level=round(float(fit.intercept_), 2), **slopes)


def as_toml(model: ForecastModel) -> str:
    """The model as its file has it."""
    lines = [_HEAD]
    for kind in KINDS:
        of = getattr(model, kind)
        names = ("level", "age_h", "comments", *(("rate",) if kind == "growth" else ()))
        lines += [f"[{kind}]", *(f"{name} = {getattr(of, name)}" for name in names), ""]
    lines += [
        "# What the fit has seen; whatever lies outside counts as the nearest of it.",
        "[seen]",
        f"usual_comments = {model.usual_comments}",
        f"comments_within = {model.comments_within}",
        f"last_age_h = {model.last_age_h}",
        f"least_rate = {model.rates[0]}",
        f"most_rate = {model.rates[1]}",
        "",
        "# What growth came to as a multiple of what was said: a tenth less than low, half less than",
        "# middle, a tenth more than high.",
    ]
    for band in model.bands:
        names = ("from_age_h", "low", "middle", "high", "n_finished")
        lines += ["[[band]]", f'kind = "{band.kind}"', *(f"{n} = {getattr(band, n)}" for n in names), ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Print the fitted file, or write it in its place."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.fit_forecast", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=REAL, help="where the real sets are")
    parser.add_argument("--write", action="store_true", help="write brandkit/defaults/forecast.toml")
    given = parser.parse_args()
    observations = snapshots(given.folder)
    before = observations.filter(pl.col("published_at") < SPLIT)
    text = as_toml(fitted(hourly_moments(before, until=SPLIT)))
    if given.write:
        _TARGET.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
