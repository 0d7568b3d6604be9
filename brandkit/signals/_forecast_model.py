"""The fitted part of the forecast: how much growth is left to an item, and how far off that may be.

All of it stands in ``defaults/forecast.toml``; ``benchmarks/quality/fit_forecast.py`` made it. Growth
left is the logarithm of how many times larger than now the peak will be, so that the forecast of an
item seen in other units (ten times as many) is the same forecast in those units.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl

from brandkit.errors import ContractError

# What a forecast goes by: growth between two sightings, or only the age at the one there is.
KINDS = ("growth", "age")
WHY = pl.Enum([*KINDS, "undated", "no_value"])
BAND: Mapping[str, Any] = {
    "source": pl.String(),
    "kind": pl.String(),
    "from_age_h": pl.Float64(),
    "low": pl.Float64(),
    "middle": pl.Float64(),
    "high": pl.Float64(),
    "n_finished": pl.Int64(),
}
_FIELDS = ("level", "age_h", "rate", "comments")


@dataclass(frozen=True, slots=True)
class Growth:
    """The coefficients of one kind of forecast, on the logarithm of the growth left."""

    level: float
    age_h: float
    comments: float
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Band:
    """From an age on: what growth came to, as a multiple of what the coefficients said.

    One item in ten came to less than ``low``, half to less than ``middle``, nine in ten to less than
    ``high``. ``source`` is empty in the packaged model, whose bands hold for every source.
    """

    kind: str
    from_age_h: float
    low: float
    middle: float
    high: float
    n_finished: int
    source: str | None = None


@dataclass(frozen=True, slots=True)
class ForecastModel:
    """Coefficients, and the bands around what they say; frozen, so that a forecast can be had again.

    ``last_age_h``, ``rates`` and ``comments_within`` are how far the fit has seen: whatever lies
    outside counts as the nearest it knows.
    """

    growth: Growth
    age: Growth
    bands: tuple[Band, ...]
    usual_comments: float
    last_age_h: float
    rates: tuple[float, float]
    comments_within: float

    @property
    def ages(self) -> tuple[float, ...]:
        """Where each stratum of age begins, in hours."""
        return tuple(sorted({band.from_age_h for band in self.bands if band.source is None}))

    def band_frame(self) -> pl.DataFrame:
        """The bands as a frame: one row for each source, kind and stratum of age."""
        rows = [{name: getattr(band, name) for name in BAND} for band in self.bands]
        return pl.DataFrame(rows, schema=dict(BAND))

    def growth_left(self) -> pl.Expr:
        """What the coefficients alone say of an item with ``kind``, age_h, rate_h, value, comments."""
        age = pl.col("age_h").clip(0.0, self.last_age_h)
        rate = pl.col("rate_h").clip(*self.rates).log()
        # Per unit of engagement, for a large item has more of everything.
        ratio = ((pl.col("comments") + 1.0) / (pl.col("value") + 1.0)).log() - self.usual_comments
        talk = ratio.clip(-self.comments_within, self.comments_within).fill_null(0.0)
        said = {
            name: of.level + of.age_h * age + of.comments * talk
            for name, of in (("growth", self.growth), ("age", self.age))
        }
        return (
            pl.when(pl.col("kind") == "growth")
            .then(said["growth"] + self.growth.rate * rate)
            .when(pl.col("kind") == "age")
            .then(said["age"])
            .exp()
        )


@cache
def packaged_model() -> ForecastModel:
    """The model of ``defaults/forecast.toml``."""
    text = files("brandkit").joinpath("defaults", "forecast.toml").read_text(encoding="utf-8")
    return read_model(text)


def read_model(text: str) -> ForecastModel:
    """A model from TOML.

    Raises: ContractError where a coefficient or a stratum is missing, or a band is out of order.
    """
    try:
        given = tomllib.loads(text)
        seen, bands = given["seen"], [Band(**band) for band in given["band"]]
        model = ForecastModel(
            growth=Growth(**given["growth"]),
            age=Growth(**given["age"]),
            bands=tuple(bands),
            usual_comments=float(seen["usual_comments"]),
            last_age_h=float(seen["last_age_h"]),
            rates=(float(seen["least_rate"]), float(seen["most_rate"])),
            comments_within=float(seen["comments_within"]),
        )
    except (KeyError, TypeError, ValueError, tomllib.TOMLDecodeError) as error:
        raise ContractError(
            f"a forecast model cannot be read: {error}",
            allowed=f"[growth] and [age] with {', '.join(_FIELDS)}; [seen]; [[band]]",
            hint="python -m benchmarks.quality.fit_forecast writes one",
        ) from None
    strata = {(band.kind, band.from_age_h) for band in bands if band.source is None}
    whole = {(kind, age) for kind in KINDS for age in model.ages}
    if strata != whole or 0.0 not in model.ages:
        raise ContractError(
            "a forecast model lacks bands", allowed=f"one for each of {KINDS} from the same ages, 0 first"
        )
    if any(not 0 <= band.low <= band.middle <= band.high for band in bands):
        raise ContractError("a band is out of order", allowed="0 <= low <= middle <= high")
    return model
