"""How decisions stand against what editors said: which verdict speaks of which story, and how many agree.

A verdict is given on a story, and a story is decided on day after day. Two ways to bring them
together: ``given`` takes every verdict, expired or not, once, at the run nearest to when it was
given; ``standing`` takes, at each run, the verdict that stood then, as ``effective_decision`` does.
"""

from __future__ import annotations

from typing import Literal, get_args

import polars as pl

from brandkit import schemas
from brandkit.errors import unknown
from brandkit.record.counterfactual import rung
from brandkit.record.span import KEY

How = Literal["given", "standing"]
# What a decision is counted as for precision and recall: a rung, and all above it.
BARS = {"must_cover": ("must_cover",), "promoted": ("must_cover", "optional")}
_SPOKEN: schemas.Columns = {
    "story_id": pl.String, "decision": schemas.DECISION, "given_at": schemas.INSTANT,
    "expires_at": schemas.INSTANT,
}  # fmt: skip


def spoken(stories: pl.DataFrame, verdicts: pl.DataFrame, *, how: How = "given") -> pl.DataFrame:
    """The verdict on each story of a run that has one.

    ``given``: each verdict speaks of one run: of those that hold its story the one whose ``as_of``
    is nearest, the later of two. ``standing``: of each run it speaks to which it was given by
    ``as_of`` and had not expired. Where several speak of one story in one run, the last counts.

    Shape:  ``stories`` has run_id, story_id and as_of; out come run_id, story_id and verdict.
    """
    if how not in get_args(How):
        raise unknown("way to read verdicts", how, get_args(How))
    said = schemas.conform(verdicts.lazy(), _SPOKEN).with_row_index("n")
    met = stories.lazy().select(*KEY, "as_of").join(said, on="story_id")
    if how == "given":
        distance = (pl.col("as_of") - pl.col("given_at")).abs()
        met = met.sort(distance, -pl.col("as_of").to_physical(), "run_id").unique(
            "n", keep="first", maintain_order=True
        )
    else:
        stands = pl.col("expires_at").is_null() | (pl.col("expires_at") > pl.col("as_of"))
        met = met.filter((pl.col("given_at") <= pl.col("as_of")) & stands)
    return (
        # The order that a run itself follows when two verdicts were given at one instant.
        met.sort("given_at", "decision", "n")
        .unique(KEY, keep="last", maintain_order=True)
        .select(*KEY, verdict="decision")
        .sort(KEY)
        .collect(engine="in-memory")
    )


def quality(decided: pl.DataFrame) -> pl.DataFrame:
    """Precision and recall of must_cover and of promoted, among the stories with a verdict.

    Shape:  ``decided`` has decision and verdict; out comes a row for each bar: bar, n_verdicts,
            n_decided, n_wanted, n_both, precision (of what we put there, how much the desk wanted
            there) and recall (of what the desk wanted there, how much we put there).
    Nulls:  a share of nothing is null.
    """
    judged = decided.filter(pl.col("verdict").is_not_null())
    counted = [
        judged.select(
            bar=pl.lit(bar),
            n_verdicts=pl.len().cast(pl.Int64),
            n_decided=pl.col("decision").is_in(rungs).sum().cast(pl.Int64),
            n_wanted=pl.col("verdict").is_in(rungs).sum().cast(pl.Int64),
            n_both=(pl.col("decision").is_in(rungs) & pl.col("verdict").is_in(rungs)).sum().cast(pl.Int64),
        )
        for bar, rungs in BARS.items()
    ]
    return pl.concat(counted).with_columns(**shares(both="n_both", decided="n_decided", wanted="n_wanted"))


def shares(*, both: str, decided: str, wanted: str) -> dict[str, pl.Expr]:
    """Precision and recall from three columns of counts; a share of nothing is null."""
    return {
        name: pl.when(pl.col(whole) > 0).then((pl.col(both) / pl.col(whole)).round(4))
        for name, whole in (("precision", decided), ("recall", wanted))
    }


def rank_correlation(total: pl.Series, verdict: pl.Series) -> float | None:
    """Spearman's rho of totals against the rungs of verdicts, ties at their mean rank.

    Nulls:  None where either does not vary, and so nothing can be ranked.
    Source: C. Spearman, The Proof and Measurement of Association between Two Things (1904).

    >>> ladder = pl.Series(["drop", "watch", "must_cover"])
    >>> rank_correlation(pl.Series([10, 50, 90]), ladder)
    1.0
    """
    frame = pl.DataFrame({"total": total, "verdict": verdict})
    if frame["total"].n_unique() < 2 or frame["verdict"].n_unique() < 2:
        return None
    ranks = frame.select(pl.col("total").rank("average"), rung(pl.col("verdict")).rank("average"))
    return round(float(ranks.select(pl.corr("total", "verdict")).item()), 4)
