"""What a week's runs cost and asked: work for the desk, what sources delivered, how the runs went."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise

import polars as pl

from brandkit.report.brief import PUT_ASIDE, counted
from brandkit.report.charts import shortened
from brandkit.report.week import ASKING, Week, day_name, decided, listed
from brandkit.store.runs import RunRow

_HASH = 8
_ERROR_CHARACTERS = 200
# A source that missed fewer of the runs than this may just be quiet.
_REGULAR = 0.5


def by_day(week: Week) -> pl.DataFrame:
    """What every day asked of the desk, and what was said.

    Shape:  day, asking (stories that must be covered, not be amplified, or may be covered), each of
            those, handled (those of them the desk has put aside), alerts (that were not muted),
            verdicts (given on that day of the desk).
    Nulls:  what a run would say, on a day without one.
    """
    asking = pl.col("effective_decision").cast(pl.String).is_in(ASKING)
    aside = week.stories.group_by(day="run_on").agg(
        handled=(asking & pl.col("desk_state").is_in(PUT_ASIDE)).sum().cast(pl.Int64)
    )
    known = pl.DataFrame({"day": [run.run_on for run in week.span.runs]}, schema={"day": pl.Date})
    counts = known.join(decided(week.stories).select("day", *ASKING), on="day", how="left")
    for more in (aside, _alerts(week)):
        counts = counts.join(more, on="day", how="left")
    counts = counts.with_columns(pl.exclude("day").fill_null(0)).with_columns(
        asking=pl.sum_horizontal(ASKING).cast(pl.Int64)
    )
    said = pl.DataFrame({"day": week.days}, schema={"day": pl.Date}).join(counts, on="day", how="left")
    return said.join(_verdicts(week), on="day", how="left").with_columns(pl.col("verdicts").fill_null(0))


def _alerts(week: Week) -> pl.DataFrame:
    days = week.listed.select("run_id", day="run_on")
    raised = week.store.alerts(week.span.profile_id).filter(pl.col("muted_by").is_null())
    return raised.join(days, on="run_id").group_by("day").agg(alerts=pl.len().cast(pl.Int64))


def _verdicts(week: Week) -> pl.DataFrame:
    local = pl.col("given_at").dt.convert_time_zone(week.profile.timezone).dt.date()
    given = week.store.verdicts(week.span.profile_id).select(day=local)
    return given.group_by("day").agg(verdicts=pl.len().cast(pl.Int64))


def in_words(found: pl.DataFrame) -> str:
    """How much there was to look at on a day, as a sentence."""
    known = found.filter(pl.col("asking").is_not_null())
    mean = float(known["asking"].sum()) / known.height
    fullest = known.sort(["asking", "day"], descending=[True, False]).row(0, named=True)
    alerts = counted(int(known["alerts"].sum()), "alert", "alerts")
    told = f"{mean:.1f} stories a day to look at" if known.height > 1 else f"{mean:.0f} stories to look at"
    most = f", most on {day_name(fullest['day'])} ({fullest['asking']:,})" if known.height > 1 else ""
    given = counted(int(found["verdicts"].sum()), "verdict", "verdicts")
    return f"{told}{most}; {alerts} raised, {given} given."


def sources(week: Week) -> pl.DataFrame:
    """What each source delivered over the days, most first.

    Shape:  source, n_items, days (as 'n of m runs'), least and most a run, n_undated, n_damaged
            (a field was lost), n_runs (with any), is_silent (nothing in the latest run).
    """
    n = len(week.span.runs)
    ran = [run.run_on for run in week.span.runs]
    found = week.sightings.group_by("source").agg(
        pl.col("n_items").sum(),
        n_runs=pl.len().cast(pl.Int64),
        least=pl.when(pl.len() < n).then(0).otherwise(pl.col("n_items").min()).cast(pl.Int64),
        most=pl.col("n_items").max(),
        n_undated=pl.col("n_undated").sum(),
        n_damaged=pl.col("n_damaged").sum(),
        is_silent=pl.col("run_on").max() < ran[-1],
    )
    return found.with_columns(days=pl.format("{} of {}", "n_runs", pl.lit(n))).sort(
        "n_items", "source", descending=[True, False]
    )


def silent(week: Week, found: pl.DataFrame) -> list[str]:
    """The sources that usually deliver and brought nothing to the latest run, as a sentence."""
    n = len(week.span.runs)
    gone = found.filter(pl.col("is_silent") & (pl.col("n_runs") >= max(2, _REGULAR * n)))
    every = found.filter(pl.col("n_runs") == n).height
    if n == 1:
        return [f"{counted(found.height, 'source', 'sources')} delivered."]
    told = f"{every:,} of {counted(found.height, 'source', 'sources')} delivered to every run."
    if gone.is_empty():
        return [told]
    names = listed(gone["source"].fill_null("a source without a name").to_list())
    return [told, f"Silent in the run of {day_name(week.last.run_on)}: {names}."]


def refused(week: Week) -> str:
    """How many rows were refused, and on which day most."""
    counts = [(run.counts.get("rejected", 0), run.run_on) for run in week.span.runs]
    total = sum(n for n, _ in counts)
    if not total:
        return "No row was refused."
    n, day = max(counts, key=lambda one: (one[0], -one[1].toordinal()))
    return f"{counted(total, 'row was', 'rows were')} refused, most on {day_name(day)} ({n:,})."


def warnings(week: Week) -> list[str]:
    """What a reader must know first: days that have no run, and those that failed."""
    told = []
    gaps = week.span.without_run
    failed = set(week.listed.filter(pl.col("status") == "failed")["run_on"])
    if gaps:
        because = [f"{day_name(day)} (failed)" if day in failed else day_name(day) for day in gaps]
        told.append(f"Days without a finished run: {listed(because)}. Nothing is known of them.")
    return told


def attempts(week: Week) -> pl.DataFrame:
    """Every attempt, oldest first.

    Shape:  day, status, records, stories, rejected, seconds, profile and code (the first of their
            hashes), run_id.
    Nulls:  what an attempt that did not end well never counted.
    """
    counts = [json.loads(text) if text else {} for text in week.listed["counts"]]
    numbers = {
        name: pl.Series(name, [one.get(name) for one in counts], dtype=pl.Int64)
        for name in ("records", "stories", "rejected")
    }
    took = (pl.col("finished_at") - pl.col("started_at")).dt.total_milliseconds() / 1000
    return week.listed.select(
        pl.Series("day", [day_name(day) for day in week.listed["run_on"]], dtype=pl.String),
        pl.col("status").cast(pl.String),
        *numbers.values(),
        seconds=took.round(1),
        profile=pl.col("profile_hash").str.head(_HASH),
        code=pl.col("versions").str.json_path_match("$.code").str.head(_HASH),
        run_id="run_id",
    )


def run_words(week: Week) -> list[str]:
    """Whether all went well, and whether profile or code changed on the way."""
    runs = week.span.runs
    failed = week.listed.filter(pl.col("status") == "failed").height
    again = week.listed.filter(pl.col("status") == "complete").height - len(runs)
    told = [f"{counted(len(runs), 'run', 'runs')} finished, {failed:,} failed."]
    if again > 0:
        told.append(
            f"{counted(again, 'earlier attempt', 'earlier attempts')} of the same days: the latest counts."
        )
    changes = {
        "profile": [day for day, now, then in _pairs(week) if now.profile_hash != then.profile_hash],
        "code": [
            day for day, now, then in _pairs(week) if now.versions.get("code") != then.versions.get("code")
        ],
    }
    told += [
        f"The {what} changed on {listed(days)}: what moved then may be our own doing."
        for what, days in changes.items()
        if days
    ]
    if len(runs) > 1 and not any(changes.values()):
        told.append("One profile and one version of the code made all of them.")
    return told


def _pairs(week: Week) -> list[tuple[str, RunRow, RunRow]]:
    return [(day_name(now.run_on), now, then) for then, now in pairwise(week.span.runs)]


def failures(week: Week, *, most_told: int) -> Iterator[tuple[str, str]]:
    """The failed attempts, the latest first: the day, and what ended it."""
    failed = week.listed.filter(pl.col("status") == "failed").reverse().head(most_told)
    for day, error in failed.select("run_on", "error").rows():
        yield day_name(day), shortened(error or "nothing says why", _ERROR_CHARACTERS)
