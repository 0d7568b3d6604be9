"""What we passed over that grew big, what we promoted that went nowhere, and what misled us.

Stories are counted, not items, and followed from run to run, also where they were merged into others
(``tracks``). A story is judged by its first decision in the range, shown as it stood then; all that
came later stands in columns that say so. What misled a decision is found by ``misled``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from brandkit import schemas
from brandkit.errors import UnknownError
from brandkit.profile import BrandProfile
from brandkit.record import misled
from brandkit.record.aftermath import MEASURES, PROMOTED, aftermath, bars_of
from brandkit.record.counterfactual import rung
from brandkit.record.phrases import counted, spoken
from brandkit.record.series import runs_between
from brandkit.record.tracks import follow
from brandkit.safe import terminal
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore

MOST_SHOWN = 10
_GREW_IN = {"n_publishers_ab": "later_publishers_ab", "n_outlets": "later_outlets",
            "engagement": "later_engagement"}  # fmt: skip
_CAUSES = {
    ("missed", "gate"): "held back by", ("missed", "step"): "points that came late",
    ("false_alarm", "gate"): "lifted for nothing by", ("false_alarm", "step"): "points that stood out",
}  # fmt: skip
_TITLE_CHARACTERS = 80
_MOST_CAUSES = 4

_FIRST: schemas.Columns = {
    "story_id": pl.String, "item_id": pl.String, "run_id": pl.String, "run_on": pl.Date,
    "title": pl.String, "url": pl.String, "publisher": pl.String, "decision": schemas.DECISION,
    "reason": schemas.REASON, "total": pl.Int16, "n_publishers": pl.Int64, "n_publishers_ab": pl.Int64,
    "n_outlets": pl.Int64, "engagement": pl.Float64,
}  # fmt: skip
_MISLED: schemas.Columns = {
    "gate": pl.String, "gate_margin": pl.Int16, "component": schemas.COMPONENT, "part": pl.String,
    "points": pl.Int16, "than": pl.String, "points_than": pl.Int16,
}  # fmt: skip
_LATER: schemas.Columns = {
    "later_decision": schemas.DECISION, "later_publishers": pl.Int64, "later_publishers_ab": pl.Int64,
    "later_outlets": pl.Int64, "later_engagement": pl.Float64, "n_runs_after": pl.Int64,
}  # fmt: skip
_BIG: schemas.Columns = {
    "grew": schemas.NAMES, "big_decision": schemas.DECISION, "big_run_id": pl.String, "big_run_on": pl.Date,
    "big_story_id": pl.String, "big_item_id": pl.String, "big_title": pl.String,
    "late_h": pl.Float64, "late_runs": pl.Int64, "is_tied": pl.Boolean,
}  # fmt: skip
MISS: schemas.Columns = {**_FIRST, **_MISLED, **_LATER, **_BIG}
FALSE_ALARM: schemas.Columns = {**_FIRST, **_MISLED, **_LATER}


@dataclass(frozen=True, slots=True)
class Hindsight:
    """What the decisions of some days look like from their end: ``print`` it, or take the frames.

    Shape:  ``misses``: stories not promoted at first that grew big, with a tie to what the desk
            covers then or when they were big; ``elsewhere``: those without any. ``false_alarms``: stories
            promoted at first that won no publisher and did not grow. One row a story: its first
            decision with its facts (story_id to engagement), what misled it (gate to points_than,
            see ``misled``), what came later (``later_*``: the most of each in a later run; ``grew``:
            which of the bars it crossed, 'promoted' among them; ``big_*``: the first run in which
            it was big, ``late_h`` and ``late_runs`` after the first decision).
            ``bars``: measure, bar (from which on it is big) and source (where the bar is from).
    Nulls:  ``later_*`` of a story that was not seen again; a bar that nothing gives.
    """

    profile_id: str
    runs: tuple[str, ...]
    first: date
    last: date
    misses: pl.DataFrame
    elsewhere: pl.DataFrame
    false_alarms: pl.DataFrame
    bars: pl.DataFrame
    n_stories: int
    n_again: int
    n_promoted: int
    n_too_early: int
    n_agreed: int

    def __repr__(self) -> str:
        n, m = self.misses.height, self.false_alarms.height
        return f"Hindsight({self.profile_id}, {self.first} to {self.last}: {n} missed, {m} false alarms)"

    def by_cause(self) -> pl.DataFrame:
        """How often each gate and each step misled us: what ('missed', 'false_alarm'), kind, name, n."""
        step = pl.when(pl.col("part").is_not_null()).then(pl.format("{} {}", "component", "part"))
        counts = [
            frame.select(name=name)
            .drop_nulls()
            .group_by("name")
            .agg(n=pl.len().cast(pl.Int64))
            .select(what=pl.lit(what), kind=pl.lit(kind), name="name", n="n")
            for what, frame in (("missed", self.misses), ("false_alarm", self.false_alarms))
            for kind, name in (("gate", pl.col("gate")), ("step", step))
        ]
        order = pl.col("what") != "missed"
        return pl.concat(counts).sort(order, "kind", "n", "name", descending=[False, False, True, False])

    def headlines(self) -> tuple[str, ...]:
        """What was looked at, what counts as big, and how many went wrong, a sentence each."""
        span = f"{self.profile_id}, {self.first} to {self.last} ({counted(len(self.runs), 'run')})"
        again = f"{counted(self.n_stories, 'story', 'stories')} first decided on, {self.n_again:,} seen again"
        passed = counted(self.misses.height, "story", "stories")
        early = f", {self.n_too_early} on the last day, too early to say" if self.n_too_early else ""
        nowhere = f"{self.false_alarms.height:,} of {self.n_promoted:,} promoted went nowhere{early}"
        rest = counted(self.elsewhere.height, "other")
        away = f"; {rest} grew as big with no tie to the desk" if self.elsewhere.height else ""
        agreed = counted(self.n_agreed, "more", "more")
        stood = f"; {agreed} left out: a verdict stands by the decision" if self.n_agreed else ""
        return (
            f"{span}: {again}",
            f"big is: {self.bar_words()}",
            f"{passed} passed over at first grew big; {nowhere}{away}{stood}",
        )

    def bar_words(self) -> str:
        """From where on a story is big, and where that is from."""
        told: dict[str, list[str]] = {}
        for measure, bar, source in self.bars.drop_nulls("bar").rows():
            told.setdefault(source, []).append(f"{bar:,.0f} {MEASURES[measure]}")
        grouped = [f"{' or '.join(each)} ({source})" for source, each in told.items()]
        return ", or ".join([*grouped, "promoted in a later run"])

    def causes(self) -> tuple[str, ...]:
        """What misled us most often, in sentences."""
        counts = self.by_cause()
        told = []
        for (what, kind), before in _CAUSES.items():
            of = counts.filter((pl.col("what") == what) & (pl.col("kind") == kind)).head(_MOST_CAUSES)
            names = ", ".join(f"{spoken(name)} ({n})" for name, n in of.select("name", "n").rows())
            told += [f"{before}: {names}"] if names else []
        return tuple(told)

    def text(self) -> str:
        """The look back on one screen."""
        return "\n".join(_lines(self))

    def __str__(self) -> str:
        """The same."""
        return self.text()


def hindsight(
    store: StateStore,
    profile_id: str,
    *,
    first: date | None = None,
    last: date | None = None,
    n_publishers_ab: float | None = None,
    n_outlets: float | None = None,
    engagement: float | None = None,
) -> Hindsight:
    """What the daily runs of some days passed over that grew big, and promoted that went nowhere.

    Only stories whose first decision falls into the range, and only what its runs saw: nothing
    after ``last`` is looked at. A story is *big* once it is promoted (must cover or optional), or
    reaches a bar that it had not reached at first. *Nowhere* is: no new independent publisher, no
    new outlet, and less than twice the engagement, in any later run. Where an editor's verdict by
    the end of the range stands by the first decision, that decision was no mistake.

    Args:
        store: where the runs are; only read.
        profile_id: whose runs.
        first: the first desk day; without it all there are.
        last: the last desk day.
        n_publishers_ab: from how many independent A or B publishers on a story is big. Without it the
            median of the desk's own must-cover stories on the day they became so (where there were
            none, of its optional ones), never under ``aftermath.LEAST``.
        n_outlets: from how many outlets on, copies too; the same without it.
        engagement: from which engagement of its loudest item on; the same without it.

    Raises: UnknownError where the profile has no complete daily run in the range.
    """
    with store.reading():
        listed = runs_between(store, profile_id, first=first, last=last)
        rows = [store.run(run_id) for run_id in listed["run_id"]]
        tracks = follow(store, rows, earlier=_earlier(store, profile_id, rows[0].run_on))
        verdicts = store.verdicts(profile_id)
    given = {"n_publishers_ab": n_publishers_ab, "n_outlets": n_outlets, "engagement": engagement}
    bars = bars_of(tracks.seen, given)
    found = aftermath(tracks, bars, verdicts.filter(pl.col("given_at") <= rows[-1].as_of), n_runs=len(rows))
    promoted = pl.col("decision").is_in(PROMOTED)
    wrong = found.filter(pl.col("is_wrong") & ~pl.col("is_agreed"))
    missed, alarms = _misled(wrong, found, rows)
    return Hindsight(
        profile_id=profile_id,
        runs=tuple(row.run_id for row in rows),
        first=rows[0].run_on,
        last=rows[-1].run_on,
        misses=missed.filter("is_tied"),
        elsewhere=missed.filter(~pl.col("is_tied")),
        false_alarms=alarms,
        bars=bars,
        n_stories=found.height,
        n_again=found.filter(pl.col("later_decision").is_not_null()).height,
        n_promoted=found.filter(promoted).height,
        n_too_early=found.filter(promoted & (pl.col("n_runs_after") == 0)).height,
        n_agreed=found.filter(pl.col("is_wrong") & pl.col("is_agreed")).height,
    )


def _earlier(store: StateStore, profile_id: str, first: date) -> list[str]:
    try:
        return runs_between(store, profile_id, last=first - timedelta(days=1))["run_id"].to_list()
    except UnknownError:
        return []


def _misled(
    wrong: pl.DataFrame, found: pl.DataFrame, rows: Sequence[RunRow]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The misses and the false alarms with what misled each, the largest first."""
    promoted = pl.col("decision").is_in(PROMOTED)
    ordinary, lifted = (misled.medians(found.filter(of)) for of in (~promoted, promoted))
    profiles = {row.profile_hash: row.profile_json for row in rows}
    loaded = {hash_: BrandProfile.from_snapshot(text) for hash_, text in profiles.items()}
    asked = misled.thresholds({row.run_id: loaded[row.profile_hash] for row in rows})
    # Several that became one story are one.
    oldest = ["place", rung(pl.col("decision")), "total", "story_id"]
    each = wrong.filter(~promoted).sort(oldest, descending=[False, True, True, False])
    missed = misled.risen(misled.held_by(each.unique("ends_as", keep="first"), asked), lifted)
    alarms = misled.standing_out(misled.lifted_by(wrong.filter(promoted)), ordinary)
    largest = [rung(pl.col("later_decision")), "later_publishers_ab", "later_outlets", "story_id"]
    return (
        _shown(missed, MISS).sort(largest, descending=[True, True, True, False]),
        _shown(alarms, FALSE_ALARM).sort("total", "story_id", descending=[True, False]),
    )


def _shown(frame: pl.DataFrame, columns: schemas.Columns) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(dtype) for name, dtype in columns.items())


def _lines(found: Hindsight) -> Iterator[str]:
    yield from found.headlines()
    for title, frame, told in (
        ("passed over, and grew big", found.misses, (_was, _became, _grown, _held)),
        ("promoted, and went nowhere", found.false_alarms, (_was, _nowhere, _lifted)),
    ):
        if frame.height:
            rest = f" (and {frame.height - MOST_SHOWN:,} more)" if frame.height > MOST_SHOWN else ""
            yield from ("", f"{title}{rest}")
        for row in frame.head(MOST_SHOWN).iter_rows(named=True):
            yield from (f"  {_title(row)}", *(f"    {said}" for line in told if (said := line(row))))
    if causes := found.causes():
        yield from ("", *causes)


def _was(row: Mapping[str, Any]) -> str:
    return f"{row['run_on']} {spoken(row['decision'])} with {row['total']}, item {row['item_id']}"


def _title(row: Mapping[str, Any]) -> str:
    title = terminal(row["title"] or row["url"] or row["story_id"])
    return title if len(title) <= _TITLE_CHARACTERS else f"{title[: _TITLE_CHARACTERS - 1].rstrip()}…"


def _became(row: Mapping[str, Any]) -> str:
    """What became of a miss, and how late we were."""
    now = spoken(row["big_decision"]) if row["big_decision"] in PROMOTED else "big"
    late = f"{row['late_h']:.0f} h ({counted(row['late_runs'], 'run')}) late"
    is_more = row["later_decision"] in PROMOTED and row["later_decision"] != row["big_decision"]
    best = [f"later {spoken(row['later_decision'])}"] if is_more else []
    there = [] if row["big_story_id"] == row["story_id"] else [f"as part of story {row['big_story_id']}"]
    return "; ".join([f"{now} on {row['big_run_on']}, {late}", *best, *there])


def _grown(row: Mapping[str, Any]) -> str:
    """Which bars a miss crossed, from what to what."""
    return "; ".join(
        f"{MEASURES[name]} {_number(row[name])} to {_number(row[later])}"
        for name, later in _GREW_IN.items()
        if name in row["grew"]
    )


def _held(row: Mapping[str, Any]) -> str:
    """What kept a miss down: the gate with its shortfall, and the step that was still missing."""
    by = "" if row["gate"] is None else f"held by {spoken(row['gate'])} ({row['gate_margin']:+d})"
    if row["part"] is None:
        return by
    than = "later" if row["than"] == "later" else "in what we promoted"
    return f"{by}; {row['component']} {spoken(row['part'])} {row['points']}, {row['points_than']} {than}"


def _nowhere(row: Mapping[str, Any]) -> str:
    """What became of a false alarm."""
    after = counted(row["n_runs_after"], "later run")
    seen = "not seen again" if row["later_decision"] is None else "nobody new carried it"
    return f"{seen} in {after}"


def _lifted(row: Mapping[str, Any]) -> str:
    """What lifted a false alarm: the gate, and the step that stood out."""
    by = f"lifted by {spoken(row['gate'])} ({row['gate_margin']:+d})"
    if row["part"] is None:
        return by
    return f"{by}; {row['component']} {spoken(row['part'])} {row['points']}, usually {row['points_than']}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"
