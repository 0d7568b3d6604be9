"""What became of stories after their first decision: did they grow big, did they go nowhere."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from brandkit import schemas
from brandkit.record.counterfactual import RUNGS
from brandkit.record.misled import STEPS, with_steps
from brandkit.record.phrases import counted, spoken
from brandkit.record.tracks import Tracks
from brandkit.record.verdict_scores import BARS

PROMOTED = BARS["promoted"]
# What can be big of a story, and below what it never is, whatever the desk's own stories came to.
LEAST: Mapping[str, float] = {"n_publishers_ab": 2, "n_outlets": 5, "engagement": 100}
MEASURES: Mapping[str, str] = {
    "n_publishers_ab": "A or B publishers", "n_outlets": "outlets", "engagement": "engagement",
}  # fmt: skip
# Counters go up by themselves: less than this is no growth.
_GROWTH = 2
_COUNTS = ("n_publishers", *MEASURES)
_BAR = {"measure": pl.String, "bar": pl.Float64, "source": pl.String}


def bars_of(seen: pl.DataFrame, given: Mapping[str, float | None]) -> pl.DataFrame:
    """From where on a story is big: as given, else as large as the desk's own when they were promoted.

    Shape: measure, bar, source; a bar is null where nothing gives one.
    """
    own = seen.clear()
    for decision in reversed(RUNGS[-2:]):
        own = (
            seen.filter(pl.col("decision") == decision)
            .sort("place", "story_id")
            .unique("story_id", keep="first")
        )
        if own.height:
            break
    what = spoken(str(own["decision"].first())).replace(" ", "-")
    source = f"median of {counted(own.height, f'{what} story', f'{what} stories')}"
    rows: list[tuple[str, float | None, str]] = []
    for measure, least in LEAST.items():
        asked, median = given.get(measure), own[measure].cast(pl.Float64).median()
        if asked is not None:
            rows.append((measure, asked, "as asked"))
        elif not isinstance(median, float):
            rows.append((measure, None, "no story of ours to go by"))
        else:
            rows.append((measure, max(median, least), source if median >= least else "the least that counts"))
    return pl.DataFrame(rows, schema=_BAR, orient="row")


def aftermath(tracks: Tracks, bars: pl.DataFrame, verdicts: pl.DataFrame, *, n_runs: int) -> pl.DataFrame:
    """The first decisions, one row a story, each with what came later and whether it was wrong.

    Shape:  the columns of ``Tracks.first`` with a column for each of ``misled.STEPS``, and its best
            later value as ``<step>_best``; the most of each count later; ``grew``, ``big_*`` and
            ``late_*`` of the first run in which it was big; ``is_tied``, at first or when big;
            ``is_wrong``; ``is_agreed``, where the last verdict stands by the decision.
    """
    first = with_steps(tracks.first).rename({"lead_item_id": "item_id"})
    counts = (pl.col(name).alias(f"_{name}") for name in _COUNTS)
    own = first.select(*counts, track="story_id", _first_place="place", _first_at="as_of")
    later = with_steps(tracks.later).join(own, on="track", maintain_order="left")
    came = _afterwards(later, bars).rename({"track": "story_id"})
    found = (
        first.join(came, on="story_id", how="left", maintain_order="left")
        .join(_last_verdict(first, verdicts), on="story_id", how="left", maintain_order="left")
        .with_columns(
            grew=pl.col("grew").fill_null([]),
            n_runs_after=n_runs - 1 - pl.col("place"),
            is_tied=pl.col("is_tied").fill_null(value=False) | _is_tied(),
        )
    )
    promoted = pl.col("decision").is_in(PROMOTED)
    # On the last day nobody knows yet.
    is_still = ~pl.col("_has_grown").fill_null(value=False) & (pl.col("n_runs_after") > 0)
    is_missed = pl.col("big_run_id").is_not_null() & ~pl.col("is_piece")
    is_wrong = pl.when(promoted).then(is_still).otherwise(is_missed)
    agrees = (pl.col("verdict").is_in(PROMOTED) == promoted).fill_null(value=False)
    return found.with_columns(is_wrong=is_wrong, is_agreed=agrees)


def _is_tied() -> pl.Expr:
    return pl.col("gates").struct.field("tied") >= 0


def _afterwards(later: pl.DataFrame, bars: pl.DataFrame) -> pl.DataFrame:
    """Of each track with later runs what it came to in them, and the first in which it was big."""
    crossed = {
        measure: (pl.col(measure) >= bar) & (pl.col(f"_{measure}").fill_null(0) < bar)
        for measure, bar in bars.select("measure", "bar").drop_nulls().rows()
    }
    crossed["promoted"] = pl.col("decision").is_in(PROMOTED)
    marked = later.sort("track", "place").with_columns(
        **{f"_is_{name}": is_so.fill_null(value=False) for name, is_so in crossed.items()}
    )
    is_big = pl.any_horizontal(f"_is_{name}" for name in crossed)
    doubled = pl.max_horizontal(pl.col("_engagement").fill_null(0) * _GROWTH, pl.lit(LEAST["engagement"]))
    has_grown = (
        (pl.col("n_publishers") > pl.col("_n_publishers"))
        | (pl.col("n_outlets") > pl.col("_n_outlets"))
        | (pl.col("engagement") >= doubled).fill_null(value=False)
    )
    late = pl.col("as_of") - pl.col("_first_at")
    at_first = {
        "big_decision": pl.col("decision"),
        "big_run_id": pl.col("run_id"),
        "big_run_on": pl.col("run_on"),
        "big_story_id": pl.col("story_id"),
        "big_item_id": pl.col("lead_item_id"),
        "big_title": pl.col("title"),
        "late_h": late.dt.total_seconds() / 3600,
        "late_runs": pl.col("place") - pl.col("_first_place"),
    }
    named = [pl.when(pl.col(f"_is_{name}").any()).then(pl.lit(name)) for name in crossed]
    return marked.group_by("track").agg(
        pl.concat_list(named).list.drop_nulls().first().alias("grew"),
        has_grown.any().alias("_has_grown"),
        (_is_tied() & is_big).any().alias("is_tied"),
        pl.col("decision").max().alias("later_decision"),
        *(pl.col(count).max().alias(f"later_{count.removeprefix('n_')}") for count in _COUNTS),
        *(value.filter(is_big).first().alias(name) for name, value in at_first.items()),
        *(pl.col(step).max().alias(f"{step}_best") for step in STEPS),
    )


def _last_verdict(first: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """The last verdict on each story, under its own id or the one it ended as."""
    ids = pl.concat([first.select("story_id", on=name) for name in ("story_id", "ends_as")]).unique()
    given = schemas.conform(verdicts.lazy(), schemas.VERDICT).collect()
    return (
        given.rename({"story_id": "on"})
        .join(ids, on="on")
        .sort("story_id", "given_at", "verdict_id")
        .unique("story_id", keep="last", maintain_order=True)
        .select("story_id", verdict="decision")
    )
