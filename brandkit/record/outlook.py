"""What is still growing: for the items of a run, the peak they are likely to reach, and how sure that is.

Computed on reading, from the sightings the run knew; nothing of it is stored, and none of it is in a
score. The ranges are learned from the desk's own finished items, source by source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from brandkit import schemas
from brandkit.errors import UnknownError
from brandkit.record.phrases import counted
from brandkit.record.series import one_run, runs_between
from brandkit.signals.forecast import FINISHED_H, LEAST_FINISHED, calibrate_forecast, forecast_peak
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore

DAYS = 28
# Even at the low end of its range, an item that is likely to grow gains a tenth.
LIKELY_TIMES = 1.1
# What was not seen for longer is not in sight any more: nothing is said of it.
IN_SIGHT_H = 6.0
_OF_ITEM = (
    "item_id", "story_id", "title", "url", "publisher", "source", "item_type", "published_at", "decision",
    "engagement",
)  # fmt: skip
_TAUGHT_BY: Mapping[str, Any] = {
    name: schemas.RECORD[name] for name in ("item_id", "source", "published_at", "engagement")
}


@dataclass(frozen=True, slots=True)
class Outlook:
    """Which items of a run are likely to grow, largest gain first.

    Shape:  ``items`` a row for each item that could be forecast: what it is (item_id, story_id, title,
            url, publisher, source, decision), the columns of a forecast, stale_h (hours from its last
            sighting to the run), is_in_sight, is_growing.
            ``n_measured`` items of the run have an engagement; of these ``n_unknown`` were seen too
            little, and ``n_untaught`` are of sources that no range was learned for: the packaged range
            was learned from posts, and is taken for posts only.
    """

    run_id: str
    run_on: date
    items: pl.DataFrame
    n_measured: int
    n_unknown: int
    n_untaught: int
    sources: tuple[str, ...]
    n_runs: int

    @property
    def growing(self) -> pl.DataFrame:
        """The items in sight that are likely to gain at least a tenth, largest gain first."""
        return self.items.filter("is_growing")

    def __repr__(self) -> str:
        return f"Outlook({self.run_id}: {self.growing.height} of {self.n_measured} likely to grow)"

    def sentences(self, *, most: int = 10) -> Iterator[str]:
        """What is growing in short sentences, then what could not be said."""
        growing = self.growing
        if growing.is_empty():
            yield "Nothing in sight is likely to grow."
        for row in growing.head(most).to_dicts():
            yield _sentence(row)
        if (more := growing.height - most) > 0:
            yield f"And {more:,} more."
        yield from self.limits()

    def limits(self) -> Iterator[str]:
        """What could not be said, and why."""
        said = self.n_measured - self.n_unknown - self.n_untaught
        yield f"{counted(self.n_measured, 'item')} with an engagement, {said:,} forecast."
        if self.n_unknown:
            yield f"{self.n_unknown:,} seen too little: not dated, or no count is known."
        if self.n_untaught:
            yield (
                f"{self.n_untaught:,} of sources without a range of their own: it takes {LEAST_FINISHED} "
                f"items seen again after {FINISHED_H:.0f} h, in the {counted(self.n_runs, 'run')} before."
            )

    def text(self, *, most: int = 10) -> str:
        """The sentences, one a line."""
        return "\n".join(self.sentences(most=most))

    def __str__(self) -> str:
        """The same."""
        return self.text()


def outlook(store: StateStore, profile_id: str, *, run: str | None = None, days: int = DAYS) -> Outlook:
    """Which items of a run are likely to grow, and to what, by the sightings the run knew.

    Args:
        store: where the runs are; only read.
        profile_id: whose runs.
        run: a run's id; the latest daily run without one.
        days: how many earlier days teach the ranges of their sources.

    Raises: UnknownError where there is no such run.
    """
    with store.reading():
        row = one_run(store, profile_id, run)
        records = store.records(row.run_id, columns=_OF_ITEM)
        measured = records.filter(pl.col("engagement").is_not_null())
        before = _before(store, row, days)
        past = _past(store, before["run_id"].to_list())
        seen = _sightings(store, row, measured)
        model = calibrate_forecast(_sightings(store, row, past), as_of=row.as_of)
    said = forecast_peak(seen, as_of=row.as_of, model=model).collect()
    known = said.filter(pl.col("expected_peak").is_not_null())
    told = measured.drop("published_at", "engagement").join(known, on="item_id")
    trusted = told.filter(pl.col("is_own") | (pl.col("item_type") == "post"))
    stale = (pl.lit(row.as_of) - pl.col("last_seen_at")).dt.total_microseconds() / 3.6e9
    gain = pl.col("expected_peak") - pl.col("value")
    items = (
        trusted.drop("item_type")
        .with_columns(stale_h=stale.round(2))
        .with_columns(is_in_sight=pl.col("stale_h") <= IN_SIGHT_H)
        .with_columns(is_growing=pl.col("is_in_sight") & (pl.col("low") >= LIKELY_TIMES * pl.col("value")))
        .sort(gain, "item_id", descending=[True, False])
    )
    return Outlook(
        run_id=row.run_id,
        run_on=row.run_on,
        items=items,
        n_measured=measured.height,
        n_unknown=measured.height - told.height,
        n_untaught=told.height - trusted.height,
        sources=tuple(sorted({band.source for band in model.bands if band.source is not None})),
        n_runs=before.height,
    )


def _before(store: StateStore, row: RunRow, days: int) -> pl.DataFrame:
    first, last = row.run_on - timedelta(days=days), row.run_on - timedelta(days=1)
    try:
        return runs_between(store, row.profile_id, first=first, last=last, kind=row.kind)
    except UnknownError:
        return store.runs(row.profile_id).clear()


def _past(store: StateStore, run_ids: list[str]) -> pl.DataFrame:
    """The items with an engagement that earlier runs recorded, each as the latest of them had it."""
    found = [store.records(run_id, columns=tuple(_TAUGHT_BY)) for run_id in reversed(run_ids)]
    known = pl.concat([schemas.empty(_TAUGHT_BY), *found]).filter(pl.col("engagement").is_not_null())
    return known.unique("item_id", keep="first", maintain_order=True)


def _sightings(store: StateStore, row: RunRow, items: pl.DataFrame) -> pl.DataFrame:
    """The sightings of items that the run knew, with where they are from and when they were published."""
    seen = store.sightings(row, items["item_id"].sort().to_list())
    return seen.join(items.select("item_id", "source", "published_at"), on="item_id")


def _sentence(row: Mapping[str, Any]) -> str:
    basis = f"{counted(row['n_finished'], 'item')} of its source" if row["is_own"] else "the packaged fit"
    grew = f", {row['growth_h']:+,.0f} an hour" if row["growth_h"] is not None else ""
    return (
        f"{row['title'] or row['url'] or row['item_id']}: {row['value']:,.0f} at {row['age_h']:.1f} h{grew}; "
        f"likely {row['expected_peak']:,.0f} ({row['low']:,.0f} to {row['high']:,.0f}, by {basis})."
    )
