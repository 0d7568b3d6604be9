"""How far an item will still grow: its likely peak and the range eight in ten such items end in.

Two parts, kept apart. Few fitted coefficients say how much growth is left to an item of this age that
grew this fast; and bands say how far off that was, learned from finished items: those of the packaged
fit, or the desk's own (``calibrate_forecast``), source by source. A forecast is shown and never scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import polars as pl

from brandkit.errors import InputError, UsageError, near_name
from brandkit.schemas import INSTANT, METRICS
from brandkit.signals._forecast_model import BAND, WHY, Band, ForecastModel, packaged_model
from brandkit.signals._text import column
from brandkit.signals.spread import engagement_of

COVERAGE_PERCENT = 80
"""Of a hundred items, how many have their peak between ``low`` and ``high``."""

FINISHED_H = 48.0
"""An item this old teaches what a peak is: what is left to it then is next to nothing."""

TAUGHT_H = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0)
"""A finished item teaches by what was known of it when it had been out for this long."""

LEAST_FINISHED = 30
"""So many finished items of a source, seen at that age, and its own bands stand for the packaged."""

# Growth is read over at least half an hour, for less is noise, and at most six, for more is the past.
_RATE_SPAN_H = (0.5, 6.0)
# Clocks differ by minutes; an item seen long before its date has no age to go by.
_EARLY_H = 0.25
_COUNTED = METRICS[:3]
_NEEDED = ("item_id", "observed_at", "published_at")
FORECAST: Mapping[str, Any] = {
    "item_id": pl.String(),
    "last_seen_at": INSTANT,
    "value": pl.Float64(),
    "expected_peak": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "growth_h": pl.Float64(),
    "rate_h": pl.Float64(),
    "comments": pl.Float64(),
    "age_h": pl.Float64(),
    "n_observations": pl.Int64(),
    "why": WHY,
    "n_finished": pl.Int64(),
    "is_own": pl.Boolean(),
}


def forecast_peak(
    observations: pl.LazyFrame | pl.DataFrame,
    *,
    as_of: datetime | None = None,
    model: ForecastModel | None = None,
) -> pl.LazyFrame:
    """The peak that each item is likely to reach, from how it was seen so far.

    Enough is seen of an item with one usable value and the time it was published. A second sighting
    half an hour to six hours before the last gives its own growth, which is worth more than its age.

    Shape:  one row per item seen up to ``as_of``, sorted by item_id, with the columns of
            ``FORECAST``. Takes item_id, observed_at, published_at and value, or instead of value any
            of reactions, comments and shares (engagement: reactions + 2 comments + 3 shares); comments
            and source where there are. A forecast is as of the item's last sighting with a value,
            ``last_seen_at``; rows after ``as_of`` are not looked at.
    Units:  ``expected_peak``, ``low``, ``high`` in the units of value, never below what was seen;
            eight in ten peaks lie from low to high. ``growth_h`` value gained per hour, ``rate_h``
            its logarithm per hour (.69 doubles), ``age_h`` hours at the last sighting. Instants
            without a time zone are UTC.
    Nulls:  no forecast (``why``): ``undated`` where the time of publishing is not known or lies after
            the first sighting; ``no_value`` where no value is known. growth_h and rate_h are null
            for an item seen once (``why`` is ``age`` then, else ``growth``). A value that is
            negative or not finite is not known. That an item is not seen any more changes nothing.
    Raises: InputError where a column is missing.
    Source: growth in logarithms, by age: Szabo and Huberman 2010; ranges by the quantiles of what
            became of finished items (split conformal). ``n_finished`` of them taught the range;
            ``is_own`` where they were of the item's own source.

    Example:
    >>> from datetime import datetime, timedelta
    >>> born = datetime(2026, 3, 1)
    >>> seen = pl.DataFrame({"item_id": "a", "published_at": born, "value": [100, 200],
    ...                      "observed_at": [born + timedelta(hours=h) for h in (1, 2)]})
    >>> forecast_peak(seen).collect().select("growth_h", "why").row(0)
    (100.0, 'growth')
    """
    used = model or packaged_model()
    return _banded(features(observations, as_of=as_of), used).select(
        pl.col(name).cast(dtype) for name, dtype in FORECAST.items()
    )


def features(observations: pl.LazyFrame | pl.DataFrame, *, as_of: datetime | None = None) -> pl.LazyFrame:
    """What a forecast goes by, one row per item, sorted by item_id.

    Shape: item_id, source, last_seen_at, value, highest, growth_h, rate_h, comments, age_h,
    n_observations, why and kind (``why`` where it is one of a forecast).
    """
    usable = pl.col("_value").is_not_null()
    # Of the last sighting with a value: one without says nothing of growth.
    last_at = pl.when(usable).then("_at").max().over("item_id")
    hours_before = (last_at - pl.col("_at")).dt.total_microseconds() / 3.6e9
    known = _sightings(observations, as_of).with_columns(_before_h=hours_before)
    in_span = usable & pl.col("_before_h").is_between(*_RATE_SPAN_H)

    def latest(name: str, of: pl.Expr) -> pl.Expr:
        return pl.col(name).filter(of).sort_by(pl.col("_at").filter(of)).last()

    item = known.group_by("item_id").agg(
        source=pl.col("_source").min(),
        last_seen_at=pl.col("_at").filter(usable).max(),
        value=latest("_value", usable),
        highest=pl.col("_value").max(),
        comments=latest("_comments", pl.col("_comments").is_not_null()),
        n_observations=usable.sum().cast(pl.Int64),
        _earlier=latest("_value", in_span),
        _span_h=pl.col("_before_h").filter(in_span).min(),
        _published_at=pl.col("_published_at").min(),
        _first_at=pl.col("_at").min(),
    )
    early_h = (pl.col("_published_at") - pl.col("_first_at")).dt.total_microseconds() / 3.6e9
    age_h = (pl.col("last_seen_at") - pl.col("_published_at")).dt.total_microseconds() / 3.6e9
    grown = ((pl.col("value") + 1) / (pl.col("_earlier") + 1)).log()
    why = (
        pl.when(pl.col("value").is_null())
        .then(pl.lit("no_value"))
        .when(pl.col("age_h").is_null())
        .then(pl.lit("undated"))
        .when(pl.col("rate_h").is_null())
        .then(pl.lit("age"))
        .otherwise(pl.lit("growth"))
    )
    return (
        item.with_columns(
            age_h=pl.when(early_h <= _EARLY_H).then(age_h.clip(0.0)).round(4),
            growth_h=((pl.col("value") - pl.col("_earlier")) / pl.col("_span_h")).round(4),
            rate_h=(grown / pl.col("_span_h")).round(4),
        )
        .with_columns(why=why)
        .with_columns(kind=pl.when(pl.col("why").is_in(["age", "growth"])).then("why"))
        .drop("_earlier", "_span_h", "_published_at", "_first_at")
        .sort("item_id")
    )


def _sightings(observations: pl.LazyFrame | pl.DataFrame, as_of: datetime | None) -> pl.LazyFrame:
    """One row per item and instant up to ``as_of``, with the most that was seen then."""
    given = observations.lazy()
    columns = given.collect_schema().names()
    _require(columns)
    is_counted = "value" not in columns
    if is_counted:
        # engagement_of reads all three; one that is not there is not known.
        given = given.with_columns(column(given, name, pl.Int64) for name in _COUNTED)
    value = engagement_of() if is_counted else pl.col("value").cast(pl.Float64, strict=False)
    counts = [pl.col(name).is_not_null() for name in _COUNTED] if is_counted else [value.is_not_null()]
    comments = column(given, "comments", pl.Float64)
    rows = given.select(
        pl.col("item_id").cast(pl.String),
        _at=pl.col("observed_at").cast(INSTANT),
        _published_at=pl.col("published_at").cast(INSTANT),
        _value=pl.when(value.is_finite() & (value >= 0)).then(value),
        _comments=pl.when(comments.is_finite() & (comments >= 0)).then(comments),
        _source=column(given, "source", pl.String),
        _counted=pl.sum_horizontal(known.cast(pl.Int8) * 2**n for n, known in enumerate(counts)),
    ).filter(pl.col("item_id").is_not_null() & pl.col("_at").is_not_null())
    if as_of is not None:
        rows = rows.filter(pl.col("_at") <= pl.lit(_utc(as_of), INSTANT))
    merged = rows.group_by("item_id", "_at").agg(
        pl.col("_value", "_comments", "_counted").max(), pl.col("_published_at", "_source").min()
    )
    if not is_counted:
        return merged.drop("_counted")
    # A count that comes to be known is no growth: only what is counted alike can be compared.
    known = pl.col("_counted") > 0
    last = pl.col("_counted").filter(known).sort_by(pl.col("_at").filter(known)).last()
    alike = pl.col("_counted") == last.over("item_id")
    return merged.with_columns(_value=pl.when(alike).then("_value")).drop("_counted")


def _require(columns: list[str]) -> None:
    if missing := [name for name in _NEEDED if name not in columns]:
        raise InputError(
            f"observations lack {', '.join(missing)}",
            allowed=f"columns: {', '.join(_NEEDED)} and value",
            hint=near_name(missing[0], columns),
        )
    if "value" not in columns and not set(_COUNTED) & set(columns):
        raise InputError(
            "observations have no value",
            allowed=f"a column value, or any of {', '.join(_COUNTED)}",
            hint=near_name("value", columns),
        )


def _named(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Sightings under the names they came with."""
    return rows.select(
        "item_id", observed_at="_at", published_at="_published_at", value="_value", comments="_comments",
        source="_source",
    )  # fmt: skip


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _banded(items: pl.LazyFrame, model: ForecastModel) -> pl.LazyFrame:
    """Items with their expected peak and its range."""
    bands = model.band_frame().lazy().rename({"from_age_h": "_stratum"})
    usual = bands.filter(pl.col("source").is_null()).drop("source")
    own = bands.filter(pl.col("source").is_not_null()).with_columns(is_own=pl.lit(value=True))
    found = (
        items.with_columns(_left=model.growth_left(), _stratum=stratum(model))
        .join(usual, on=["kind", "_stratum"], how="left")
        .join(own, on=["source", "kind", "_stratum"], how="left", suffix="_own")
    )
    named = ("low", "middle", "high", "n_finished")
    return (
        found.with_columns(pl.coalesce(f"{name}_own", name).alias(name) for name in named)
        .with_columns(
            pl.max_horizontal(
                (pl.col("value") + 1.0) * (pl.col("_left") * pl.col(name)).exp() - 1.0, "highest"
            ).alias(f"_{name}")
            for name in named[:3]
        )
        # max_horizontal passes over a null, and where there is no forecast there is no peak either.
        .with_columns(
            pl.when(pl.col("_left").is_not_null()).then(f"_{name}").round(1).alias(given)
            for name, given in (("low", "low"), ("middle", "expected_peak"), ("high", "high"))
        )
        .with_columns(
            is_own=pl.when(pl.col("kind").is_not_null()).then(pl.col("is_own").fill_null(value=False))
        )
        .sort("item_id")
    )


def stratum(model: ForecastModel) -> pl.Expr:
    """Where the stratum of an item's age begins."""
    ages = model.ages
    chosen: pl.Expr = pl.when(pl.col("age_h").is_not_null()).then(pl.lit(ages[0]))
    for start in ages[1:]:
        chosen = pl.when(pl.col("age_h") >= start).then(pl.lit(start)).otherwise(chosen)
    return chosen


def moments(
    observations: pl.LazyFrame | pl.DataFrame, *, from_h: float, until_h: float, as_of: datetime | None = None
) -> pl.LazyFrame:
    """Items as they were last seen at an age from ``from_h`` to under ``until_h``, and what came later.

    Shape: the columns of ``features``, and ``later_peak``: the most that was seen afterwards, null
    for an item that was not seen again, whose peak is not known.
    """
    # Held once: what leads up to it would be done again for each of its uses.
    rows = _sightings(observations, as_of).collect().lazy()
    born = pl.col("_published_at").min().over("item_id")
    age_h = (pl.col("_at") - born).dt.total_microseconds() / 3.6e9
    now = features(_named(rows.filter(age_h < until_h))).filter(pl.col("age_h") >= from_h)
    later = (
        rows.join(now.select("item_id", "last_seen_at"), on="item_id")
        .filter(pl.col("_at") > pl.col("last_seen_at"))
        .group_by("item_id")
        .agg(later_peak=pl.col("_value").max())
    )
    return now.join(later, on="item_id", how="left").sort("item_id")


def calibrate_forecast(
    observations: pl.LazyFrame | pl.DataFrame,
    *,
    as_of: datetime,
    model: ForecastModel | None = None,
    least: int = LEAST_FINISHED,
) -> ForecastModel:
    """The model with ranges learned from a desk's own finished items, source by source.

    The coefficients stay; what each source's items came to, as a multiple of what they say, gives
    its middle and its range in each stratum of age. An item teaches by what was known of it at each
    of ``TAUGHT_H``, and only where it was seen again later; it is finished when ``FINISHED_H`` old.

    Shape:  takes what ``forecast_peak`` takes, with source; rows after ``as_of`` are not looked at.
    Nulls:  an item without a source teaches nothing; nor does an undated one.
    Raises: InputError where a column is missing; UsageError for ``least`` under 10, for eight in ten
            cannot be learned from fewer.
    """
    if least < 10:
        raise UsageError(f"least = {least} is too few to learn a range from", allowed="10 or more")
    used = model or packaged_model()
    now = _utc(as_of)
    held = _named(_sightings(observations, now).collect().lazy())
    steps = zip((0.0, *TAUGHT_H), TAUGHT_H, strict=False)
    seen = pl.concat([moments(held, from_h=start, until_h=end) for start, end in steps])
    since_h = (pl.lit(now, INSTANT) - pl.col("last_seen_at")).dt.total_microseconds() / 3.6e9
    is_finished = since_h + pl.col("age_h") >= FINISHED_H
    taught = seen.filter(is_finished & pl.col("source").is_not_null()).with_columns(_from_age_h=stratum(used))
    bands = learned_bands(taught, used, least=least).select(*BAND).collect()
    learned = [Band(**row) for row in bands.to_dicts()]
    named = {(band.source, band.kind, band.from_age_h) for band in learned}
    kept = [band for band in used.bands if (band.source, band.kind, band.from_age_h) not in named]
    return replace(used, bands=(*kept, *learned))


def learned_bands(taught: pl.LazyFrame, model: ForecastModel, *, least: int) -> pl.LazyFrame:
    """What growth came to as a multiple of what the coefficients said: quantiles by source and kind.

    Shape: takes ``moments`` with ``_from_age_h``, the stratum; the columns of a band. A row an item
    and moment; ``n_finished`` and ``least`` count items.
    """
    peak = pl.max_horizontal("later_peak", "highest")
    grew = ((peak + 1.0) / (pl.col("value") + 1.0)).log()
    in_order = pl.col("_times").sort()
    # Split conformal: of n + 1 that cannot be told apart, the next is as likely in any place. Whole
    # numbers, for a tenth is none in binary.
    n, tail = pl.len().cast(pl.Int64) + 1, (100 - COVERAGE_PERCENT) // 2
    least_of = pl.max_horizontal(n * tail // 100, 1) - 1
    most_of = pl.min_horizontal((n * (100 - tail) + 99) // 100, n - 1) - 1
    return (
        taught.filter(pl.col("later_peak").is_not_null() & pl.col("kind").is_not_null())
        .with_columns(_times=grew / model.growth_left())
        .group_by("source", "kind", from_age_h="_from_age_h")
        .agg(
            low=in_order.get(least_of),
            middle=pl.col("_times").median(),
            high=in_order.get(most_of),
            n_finished=pl.col("item_id").n_unique().cast(pl.Int64),
        )
        .filter(pl.col("n_finished") >= least)
        .sort("source", "from_age_h", "kind")
    )
