"""What editors said of a week's stories, beside what the score had decided on them."""

from __future__ import annotations

import polars as pl

from brandkit.record.counterfactual import rung
from brandkit.record.verdict_scores import spoken
from brandkit.report.brief import counted
from brandkit.report.week import ORDER, Week, place
from brandkit.schemas import DECISION, INSTANT


def judged(week: Week) -> pl.DataFrame:
    """The verdicts on stories of these days, whenever they were given, each at the run nearest to it.

    Shape:  run_id, run_on, story_id, item_id, title, url, total, decision (of the score), verdict,
            rungs_off (the decision above the verdict, negative below); the furthest apart first.
    """
    clocks = pl.DataFrame(
        [(run.run_id, run.as_of) for run in week.span.runs],
        schema={"run_id": pl.String, "as_of": INSTANT},
        orient="row",
    )
    stories = week.stories.join(clocks, on="run_id")
    said = spoken(stories.select("run_id", "story_id", "as_of"), week.store.verdicts(week.span.profile_id))
    off = rung(pl.col("decision")) - rung(pl.col("verdict"))
    return (
        stories.join(said, on=["run_id", "story_id"])
        .with_columns(rungs_off=off.cast(pl.Int64))
        .select("run_id", "run_on", "story_id", pl.col("lead_item_id").alias("item_id"), "title", "url",
                "total", "decision", "verdict", "rungs_off")
        .sort([pl.col("rungs_off").abs(), "run_on", "story_id"], descending=[True, False, False])
    )  # fmt: skip


def in_words(said: pl.DataFrame) -> str:
    """How often editors agreed, as a sentence."""
    n = said.height
    alike, over, under = (
        said.filter(of).height
        for of in (pl.col("rungs_off") == 0, pl.col("rungs_off") > 0, pl.col("rungs_off") < 0)
    )
    which = f"{counted(n, 'verdict', 'verdicts')} on stories of these days, whenever given"
    told = f"{which}: {alike:,} ({alike / n:.0%}) said what was decided"
    return f"{told}, {over:,} wanted less of the story and {under:,} more."


def crossed(said: pl.DataFrame) -> pl.DataFrame:
    """Decisions down, verdicts across: decision, and the number of verdicts of each kind."""
    counts = [
        (pl.col("verdict") == pl.lit(name, DECISION)).sum().cast(pl.Int64).alias(name) for name in ORDER
    ]
    return said.group_by("decision").agg(counts).sort(place(pl.col("decision")))
