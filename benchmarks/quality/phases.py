"""Phases of a story: how steady they are from hour to hour, and how often chance makes one.

Stories are looked at every hour as they stood then, those of at least 8 items, while they are not new
(after their first day) and up to a day after their last item. Measured:

- *flips back*: of all changes of phase, how many are undone within 6 hours (steady, rising, steady);
- *straight over*: changes from rising to fading or back from one hour to the next;
- *one item*: of all (story, hour), how many change between rising and fading when one item is taken
  away (each third item in turn) or one more comes in at that hour (for a fading story to rise);
- *by chance*: items whose times were drawn at random within a day (news_stories_uci: the times there
  are made up) rise and fade by nothing but chance; phases are taken from hour 12 on;
- *found*: of planted stories whose rate changes for the last 6 hours, how many are said to.

Beside ours the rule that was there before: rising where a new publisher came within 3 hours, fading
after 12 silent ones. Sets: the shipped sample by its planted stories, on which nothing was chosen but
the shape of the rule; communities of reddit_hourly as stories, each post an item with its author
unknown (each counts as new publisher); UCI. The thresholds are the usual ones of testing (one in twenty)
and the windows those of velocity (6 h) and a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.quality.figures import Figure
from benchmarks.quality.fit_forecast import snapshots
from brandkit.signals.phases import story_phases

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
LEAST_ITEMS = 8
_PLANTED, _SEED, _THEN = 400, 5, datetime(2026, 3, 10, tzinfo=UTC)
_DAY, _HOUR = timedelta(hours=24), timedelta(hours=1)
Rule = Callable[[pl.DataFrame, datetime], pl.DataFrame]


def figures(folder: Path) -> Iterator[Figure]:
    """Every figure of phases that the sets in the folder allow."""
    sets = {"sample": _sample()}
    if (folder / "reddit_hourly").is_dir():
        sets["reddit communities"] = _communities(folder)
    for name, items in sets.items():
        yield from _steadiness(name, items)
        yield from _one_item(name, items)
    if (folder / "news_stories_uci").is_dir():
        yield from _by_chance(folder)
    yield from _found()


def ours(items: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """story_id and phase, by the rule of the product; nothing is new."""
    return story_phases(items, as_of=as_of, new_since=as_of + _DAY).select("story_id", "phase").collect()


def before(items: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """story_id and phase, by the rule that was there before."""
    known = items.filter(pl.col("published_at") <= as_of)
    counted = known.with_columns(_joined=pl.col("published_at").min().over("story_id", "publisher"))
    return (
        counted.group_by("story_id")
        .agg(last=pl.col("published_at").max(), joined=pl.col("_joined").max())
        .select(
            "story_id",
            phase=pl.when(pl.col("last") < as_of - timedelta(hours=12))
            .then(pl.lit("fading"))
            .when(pl.col("joined") >= as_of - timedelta(hours=3))
            .then(pl.lit("rising"))
            .otherwise(pl.lit("steady")),
        )
        .sort("story_id")
    )


def hourly(items: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    """The phase of each story at each hour from a day after its first item to a day after its last."""
    start, end = items["published_at"].min(), items["published_at"].max()
    hours = pl.datetime_range(start, end, "1h", eager=True)  # type: ignore[arg-type]
    looked = [
        rule(items, at).with_columns(pl.col("phase").cast(pl.String), at=pl.lit(at)) for at in hours[24:]
    ]
    life = items.group_by("story_id").agg(
        born=pl.col("published_at").min() + _DAY, over=pl.col("published_at").max() + _DAY
    )
    return (
        pl.concat(looked)
        .join(life, on="story_id")
        .filter(pl.col("at").is_between("born", "over"))
        .sort("story_id", "at")
    )


def _steadiness(name: str, items: pl.DataFrame) -> Iterator[Figure]:
    n = items["story_id"].n_unique()
    said: dict[str, tuple[float, ...]] = {}
    for label, rule in (("ours", ours), ("before", before)):
        seen = hourly(items, rule)
        last = pl.col("phase").shift(1).over("story_id")
        is_change = (last != pl.col("phase")).fill_null(value=False)
        changes = seen.with_columns(was=last, is_change=is_change).filter("is_change")
        following = changes.with_columns(
            then=pl.col("phase").shift(-1).over("story_id"), then_at=pl.col("at").shift(-1).over("story_id")
        )
        undone = (pl.col("then") == pl.col("was")) & (pl.col("then_at") - pl.col("at") <= 6 * _HOUR)
        straight = pl.concat_list("was", "phase").list.sort() == ["fading", "rising"]
        days = seen.height / 24
        said[label] = (
            changes.height / days,
            following.select(undone.fill_null(value=False).sum()).item() / days,
            changes.select(straight.sum()).item() / days,
            _mean(seen["phase"] == "rising"),
            _mean(seen["phase"] == "fading"),
        )
    measures = (
        "changes of phase a story and day",
        "of them undone within 6 hours",
        "straight between rising and fading",
        "share of hours rising",
        "share of hours fading",
    )
    for measure, mine, old in zip(measures, said["ours"], said["before"], strict=True):
        is_share = measure.startswith("share")
        yield Figure(
            f"{name}, {n} stories by the hour",
            measure,
            mine,
            unit="%" if is_share else "",
            baseline=f"{old:.0%}: the rule before" if is_share else f"{old:.3f}: the rule before",
        )


def _one_item(name: str, items: pl.DataFrame) -> Iterator[Figure]:
    """How often one item more or less takes a story from rising to fading or back."""
    start, end = items["published_at"].min(), items["published_at"].max()
    hours = pl.datetime_range(start, end, "6h", eager=True)[4:]  # type: ignore[arg-type]
    numbered = items.sort("story_id", "published_at").with_columns(_n=pl.int_range(pl.len()).over("story_id"))
    flips = {rule.__name__: [0, 0] for rule in (ours, before)}
    for rule in (ours, before):
        for at in hours:
            whole = rule(items, at)
            now = [pl.lit(at).alias(name) for name in _TIMES if name in items.columns]
            late = items.unique("story_id", keep="any").with_columns(*now, publisher=pl.lit("late"))
            fading = whole.filter(pl.col("phase").cast(pl.String) == "fading")
            more = rule(pl.concat([items, late]), at).join(fading, on="story_id", how="semi")
            flips[rule.__name__][0] += (more["phase"].cast(pl.String) == "rising").sum()
            for third in range(3):
                # Of each story one item of every three in turn, the last that is known among them.
                known = numbered.filter(pl.col("published_at") <= at)
                gone = known.filter(pl.col("_n") == pl.col("_n").max().over("story_id") - third)
                less = rule(items.join(gone, on=["story_id", "published_at", "key"], how="anti"), at)
                both = whole.join(less, on="story_id").select(
                    pl.concat_list(pl.col("phase", "phase_right").cast(pl.String)).list.sort().alias("two")
                )
                flips[rule.__name__][1] += (both["two"].list.join("-") == "fading-rising").sum()
    for place, measure in enumerate(("fading to rising by one late item", "flips by one item fewer")):
        yield Figure(
            f"{name}, every six hours",
            measure,
            flips["ours"][place],
            at_most=0,
            baseline=f"{flips['before'][place]:,}: the rule before",
        )


def _by_chance(folder: Path) -> Iterator[Figure]:
    read = pl.read_parquet(folder / "news_stories_uci" / "items.parquet")
    truth = pl.read_parquet(folder / "news_stories_uci" / "truth.parquet")
    items = _large(
        read.join(truth, on="id").select(
            pl.col("story").cast(pl.String).alias("story_id"),
            "publisher",
            published_at=pl.col("published_at").str.to_datetime(time_zone="UTC"),
            key="id",
        )
    )
    start: datetime = items["published_at"].min()  # type: ignore[assignment]
    shares = {}
    for rule in (ours, before):
        looked = [rule(items, start + h * _HOUR).cast({"phase": pl.String}) for h in range(12, 25)]
        found = pl.concat(looked)
        shares[rule.__name__] = [_mean(found["phase"] == name) for name in ("rising", "fading")]
    for place, name in enumerate(("rising", "fading")):
        yield Figure(
            f"UCI, {items['story_id'].n_unique()} stories, times at random",
            f"share {name} by chance alone",
            shares["ours"][place],
            at_most=0.05,
            unit="%",
            baseline=f"{shares['before'][place]:.0%}: the rule before",
        )


def planted(times: float, *, per_h: float) -> pl.DataFrame:
    """Stories of ``per_h`` items an hour for 40 hours, and of ``times`` as many in the 6 hours after."""
    rng = np.random.default_rng(_SEED)
    hours = [
        np.concatenate([[46.0], 6 + rng.uniform(0, 40, rng.poisson(40 * per_h)),
                        rng.uniform(0, 6, rng.poisson(6 * per_h * times))])
        for _ in range(_PLANTED)
    ]  # fmt: skip
    ids = np.repeat(np.arange(_PLANTED), [len(of) for of in hours])
    ago = pl.duration(seconds=(pl.col("ago_h") * 3600).cast(pl.Int64))
    return pl.DataFrame({"story_id": ids, "ago_h": np.concatenate(hours)}).select(
        pl.col("story_id").cast(pl.String), published_at=pl.lit(_THEN) - ago
    )


def _found() -> Iterator[Figure]:
    """How often a change that is there is found, by how large it is and how large the story."""
    for per_h in (0.5, 1.0, 2.0, 5.0):
        for times, phase in (
            (5.0, "rising"),
            (3.0, "rising"),
            (2.0, "rising"),
            (0.2, "fading"),
            (0.0, "fading"),
        ):
            found = ours(planted(times, per_h=per_h), _THEN)
            yield Figure(
                f"planted, {per_h:g} items an hour, then {times:g} times as many for 6 h",
                f"share found {phase}",
                _mean(found["phase"].cast(pl.String) == phase),
                unit="%",
            )


def _sample() -> pl.DataFrame:
    """The items of the shipped week under their planted stories, as first collected."""
    days = [pl.read_parquet(path) for path in sorted(SAMPLE.glob("items-*.parquet"))]
    at = [pl.col(name).cast(pl.String).str.to_datetime(time_zone="UTC", strict=False) for name in _TIMES]
    keys = ["source", "native_id", "url"]
    truth = pl.read_parquet(SAMPLE / "truth" / "items.parquet").select(*keys, "item", story_id="story")
    return _large(
        pl.concat(days, how="diagonal_relaxed")
        .select(*keys, *at, publisher=pl.coalesce("account", "source"))
        .join(truth.unique(keys), on=keys, nulls_equal=True)
        .group_by("item", "story_id", "publisher")
        .agg(pl.col(_TIMES).min())
        .rename({"item": "key"})
    )


_TIMES = ["published_at", "collected_at"]


def _communities(folder: Path) -> pl.DataFrame:
    posts = snapshots(folder).select("group", "item_id", "published_at").unique()
    return _large(posts.select("published_at", story_id="group", key="item_id", publisher="item_id"))


def _large(items: pl.DataFrame) -> pl.DataFrame:
    dated = items.drop_nulls(["story_id", "published_at"]).with_columns(
        pl.col("published_at").cast(pl.Datetime("us", "UTC")), pl.col("story_id").cast(pl.String)
    )
    return dated.filter(pl.len().over("story_id") >= LEAST_ITEMS).sort("story_id", "published_at", "key")


def _mean(values: pl.Series) -> float:
    return float(values.mean() or 0.0)  # type: ignore[arg-type]
