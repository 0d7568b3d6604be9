"""What the same facts, or changed ones, come to under a profile: always through the real scoring code.

Everything that asks "what if" is here on one engine: why_not changes signals and keeps the profile,
what_if changes the profile and keeps the signals, compare swaps the signals of two runs.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from brandkit import schemas
from brandkit.assess import rescore
from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile

# What judgement adds to signals; is_lead and rank are facts of the run, not of the score of one row.
JUDGED = (*schemas.SCORE, "gates", "decision", "reason")
# The rungs in order: a decision's place is its worth.
RUNGS = tuple(decision.value for decision in schemas.Decision)


def rescored(records: pl.DataFrame | pl.LazyFrame, profile: BrandProfile, *, as_of: datetime) -> pl.LazyFrame:
    """The same rows judged again from their signals alone, by this profile and clock.

    Shape:  the columns of ``records`` with the judged ones (parts to reason) computed anew.
    """
    context = RunContext(profile=profile, as_of=as_of, window_start=as_of, run_id="counterfactual")
    return rescore(records.lazy().drop(JUDGED, strict=False), context)


def rung(decision: pl.Expr) -> pl.Expr:
    """The place of a decision in the order drop < block < watch < optional < must_cover, from 0."""
    return decision.cast(schemas.DECISION).to_physical().cast(pl.Int8)
