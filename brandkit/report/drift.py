"""Drift, folded away at the end of the brief: whether the score does what it did, how high it can come."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from brandkit.record.drift import Drift
from brandkit.record.drift import drift as read_drift
from brandkit.report.brief import Brief, spoken
from brandkit.report.changes import store_of
from brandkit.report.html import Html, join, tag
from brandkit.report.tables import Column, note, table
from brandkit.scoring.reachable import highest_total
from brandkit.signals.trust import publishers_for
from brandkit.store.state import StateStore

_SCORES = (
    Column("name", "Stories by"),
    Column("median", "Median", "number"),
    Column("median_before", "Before", "number"),
    Column("p90", "Nine in ten up to", "number"),
    Column("p90_before", "Before", "number"),
    Column("psi", "PSI", "number"),
    Column("usual", "Usual", "number"),
    Column("moved", "Moved"),
)
_WORK = (
    Column("decision", "Decision", "decision"),
    Column("n", "Stories", "number"),
    Column("median", "Usually", "number"),
    Column("low", "Least", "number"),
    Column("high", "Most", "number"),
)


def drift(brief: Brief, store: StateStore | str | Path | None = None) -> Html:
    """What moved against the 28 runs before, which parts of the score never act, and the highest total.

    ``store`` is where the brief's run stands: without it, the store of the settings.
    """
    found = read_drift(store_of(store), brief.run.profile_id, run=brief.run.run_id)
    said = found.movements()
    rest = [tag("p", " ".join(said[1:]))] if said[1:] else []
    head = tag("summary", f"Drift: {said[0]}")
    loud, soft = _reach(brief)
    return join([loud, tag("details", head, *rest, *_numbers(found), *_idle(found), soft)])


def _numbers(found: Drift) -> tuple[Html, ...]:
    if not found.has_history:
        return ()
    work = found.workload.with_columns(pl.col("decision").cast(pl.String))
    sides = tag(
        "div", tag("div", table(found.scores, _SCORES)), tag("div", table(work, _WORK)), class_="sides"
    )
    return (tag("details", tag("summary", "Score and workload in numbers"), sides),)


def _idle(found: Drift) -> tuple[Html, ...]:
    lines = [tag("li", sentence) for sentence in (*found.idle(), *found.notes)]
    return (tag("ul", *lines, class_="plain small"),) if lines else ()


def _reach(brief: Brief) -> tuple[Html, Html]:
    """The highest total of the profile's own sources: a warning where must cover is beyond it."""
    reach = highest_total(brief.profile, publishers_for(brief.profile.sources))
    told = f"The profile's own sources can reach {reach.total}; {spoken('must_cover')} asks for {reach.bar}."
    if reach.ok:
        return Html(""), tag("p", told, class_="soft small")
    return note(f"Must cover is out of reach: brandkit profile check says why. {told}"), Html("")
