"""Whether the score still does what it did: what moved in a run against those before, and what never acts.

Everything is read off counts that the store makes (``StateStore.score_counts``). Distributions and
workloads count stories; what never fires is asked of every record.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from brandkit import schemas
from brandkit.errors import UnknownError
from brandkit.profile import BrandProfile
from brandkit.record.phrases import counted, spoken
from brandkit.record.series import one_run, runs_between
from brandkit.record.stability import UNUSUAL, distance, quantile, stability
from brandkit.scoring.modifiers import MODIFIERS
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore

# Fewer days than this say nothing of what a usual day is.
MIN_RUNS = 5
MEASURED = ("total", *schemas.COMPONENTS)
# Parts that take back: that they never did is no fault.
_TAKING = ("cap", "excluded")
# Gates that let a story up when they pass; the others hold it back when they do not.
LIFTING = (
    "must_cover", "always_cover", "optional", "own_name_floor", "watch", "trigger_watch", "own_name_watch",
)  # fmt: skip
_SCORE: schemas.Columns = {
    "name": pl.String, "psi": pl.Float64, "chance": pl.Float64, "usual": pl.Float64, "moved": pl.Boolean,
    "median": pl.Int16, "median_before": pl.Int16, "p90": pl.Int16, "p90_before": pl.Int16,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drift:
    """What moved in a run against the runs before it, and which parts of the score never act.

    Shape:  ``scores`` a row for the total and each component: name, psi (the population stability
            index), chance and usual (what it must clear, see ``stability``), moved, median and p90
            (nine in ten stories have no more) now and before.
            ``workload`` a row for each decision: n stories, their median, low and high in the runs
            before, distance (robust standard deviations), is_unusual.
            ``parts``, ``modifiers``, ``gates`` over this and the earlier runs: n_records, how many
            it acted on (n_fired, n_applied, n_passed), for parts also low, high and is_constant,
            and for gates is_used: whether the profile has anything for it.
            ``best`` is the highest total that any of their stories had, ``bar`` that of must_cover.
    Nulls:  what needs a past is null where there are fewer than ``min_runs`` earlier runs.
    """

    run_id: str
    run_on: date
    earlier: tuple[str, ...]
    min_runs: int
    n_records: int
    n_stories: int
    best: int
    bar: int
    scores: pl.DataFrame
    workload: pl.DataFrame
    parts: pl.DataFrame
    modifiers: pl.DataFrame
    gates: pl.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def has_history(self) -> bool:
        """True when there are enough earlier runs to say what is usual."""
        return len(self.earlier) >= self.min_runs

    @property
    def moved(self) -> pl.DataFrame:
        """The rows of ``scores`` that moved."""
        return self.scores.filter(pl.col("moved"))

    @property
    def unusual(self) -> pl.DataFrame:
        """The rows of ``workload`` that are far from what they were."""
        return self.workload.filter(pl.col("is_unusual"))

    def __repr__(self) -> str:
        if not self.has_history:
            return f"Drift({self.run_id}: not enough history)"
        moved = ", ".join(self.moved["name"]) or "nothing"
        return f"Drift({self.run_id} against {len(self.earlier)} runs: {moved} moved)"

    def sentences(self) -> tuple[str, ...]:
        """All of it in short sentences, what matters most first."""
        return (*self.movements(), *self.idle(), *self.notes)

    def movements(self) -> tuple[str, ...]:
        """What moved, in sentences."""
        if not self.has_history:
            n = counted(len(self.earlier), "earlier run")
            return (f"Not enough history to say what moved: {n}, and {self.min_runs} are needed.",)
        if not self.workload["n"].sum():
            return ("No stories in this run, so nothing to compare.",)
        n = counted(len(self.earlier), "run")
        moved = [_score_sentence(row) for row in self.moved.to_dicts()]
        work = [_work_sentence(row) for row in self.unusual.to_dicts()]
        still = "" if moved else f"The scores are spread as in the {n} before."
        usual = "" if work else "A day's work is as usual."
        return tuple(filter(None, (*moved, still, *work, usual)))

    def idle(self) -> tuple[str, ...]:
        """What never acts, in sentences."""
        if not self.n_records:
            return ()
        n_runs = len(self.earlier) + 1
        over = f"{counted(self.n_records, 'record')} of {counted(n_runs, 'run')}"
        gives = ~pl.col("part").is_in(_TAKING)
        fired = pl.col("n_fired") > 0
        silent, fixed = (
            _named(self.parts.filter(gives & (pl.col("max") > 0) & is_so))
            for is_so in (~fired, fired & pl.col("is_constant"))
        )
        quiet = _named(self.modifiers.filter(pl.col("n_applied") == 0))
        lifts, used = pl.col("gate").is_in(LIFTING), self.gates.filter("is_used")
        # That nothing came to must cover is told with how far it was.
        shut = _named(used.filter(lifts & (pl.col("n_passed") == 0) & (pl.col("gate") != "must_cover")))
        wide = _named(used.filter(~lifts & (pl.col("n_passed") == pl.col("n_records"))))
        told = {
            f"Never gave a point in {over}": silent,
            f"Gave every one of {over} the same points": fixed,
            "Modifiers that never applied": quiet,
            "Gates that nothing passed": shut,
            "Gates that held nothing back": wide,
        }
        far = f"No story came to must cover ({self.bar}) by its score: the best had {self.best}."
        return (
            *((far,) if self.best < self.bar else ()),
            *(f"{what}: {names}." for what, names in told.items() if names),
        )

    def text(self) -> str:
        """The sentences, one a line."""
        return "\n".join(self.sentences())

    def __str__(self) -> str:
        """The same."""
        return self.text()


def drift(
    store: StateStore, profile_id: str, *, run: str | None = None, last: int = 28, min_runs: int = MIN_RUNS
) -> Drift:
    """What moved in a run against the runs before it, and which parts of the score never act.

    The runs before are the latest complete attempts of up to ``last`` earlier days, of the same
    profile and kind; those of a shadow run are shadow runs.

    Args:
        store: where the runs are; only read.
        profile_id: whose runs.
        run: a run's id; the latest daily run without one.
        last: how many earlier days count.
        min_runs: with fewer of them, nothing is said of what moved.

    Raises: UnknownError where there is no such run.
    """
    with store.reading():
        row = one_run(store, profile_id, run)
        before = _before(store, row).tail(last)
        ids = before["run_id"].to_list()
        counts = store.score_counts([row.run_id, *ids])
    profile = BrandProfile.from_snapshot(row.profile_json)
    scored = _by_story(counts.filter(pl.col("kind").is_in(["total", "component"])))
    has_history = len(ids) >= min_runs
    totals = counts.filter(pl.col("kind") == "total")
    return Drift(
        run_id=row.run_id,
        run_on=row.run_on,
        earlier=tuple(ids),
        min_runs=min_runs,
        n_records=int(totals["n_records"].sum()),
        n_stories=int(totals["n_stories"].sum()),
        best=totals.filter(pl.col("n_stories") > 0)["value"].max() or 0,  # type: ignore[arg-type]
        bar=profile.thresholds.must_cover,
        scores=_scores(scored, row.run_id, ids if has_history else []),
        workload=_workload(counts, row.run_id, ids, has_history=has_history),
        parts=_parts(counts, profile),
        modifiers=_modifiers(counts),
        gates=_gates(counts, profile),
        notes=tuple(_notes(row, before)),
    )


def _before(store: StateStore, row: RunRow) -> pl.DataFrame:
    try:
        until = row.run_on - timedelta(days=1)
        return runs_between(store, row.profile_id, last=until, kind=row.kind, shadow=row.shadow)
    except UnknownError:
        return store.runs(row.profile_id).clear()


def _by_story(counts: pl.DataFrame) -> pl.DataFrame:
    return counts.filter(pl.col("n_stories") > 0).select("run_id", "name", "value", n="n_stories")


def _scores(scored: pl.DataFrame, run_id: str, earlier: Sequence[str]) -> pl.DataFrame:
    is_now = pl.col("run_id") == run_id
    now, before = scored.filter(is_now), scored.filter(pl.col("run_id").is_in(list(earlier)))
    found = pl.DataFrame({"name": MEASURED})
    for label, share in (("median", 0.5), ("p90", 0.9)):
        for side, frame in ((label, now), (f"{label}_before", before)):
            level = quantile(frame.group_by("name", "value").agg(pl.col("n").sum()), share, over=["name"])
            found = found.join(level.rename({"value": side}), on="name", how="left")
    # An empty run has no distribution, and there are days on which nothing came.
    days = [run for run in earlier if run in set(before["run_id"])]
    measured = {"name": pl.String, "psi": pl.Float64, "chance": pl.Float64, "usual": pl.Float64,
                "moved": pl.Boolean}  # fmt: skip
    stable = []
    for name in MEASURED if now.height and days else ():
        by_day = [before.filter((pl.col("run_id") == day) & (pl.col("name") == name)) for day in days]
        s = stability(now.filter(pl.col("name") == name), by_day)
        usual = s.usual if math.isfinite(s.usual) else None
        stable.append((name, s.psi, s.chance, usual, s.moved))
    found = found.join(pl.DataFrame(stable, schema=measured, orient="row"), on="name", how="left")
    return found.select(pl.col(name).cast(dtype) for name, dtype in _SCORE.items())


def _workload(
    counts: pl.DataFrame, run_id: str, earlier: Sequence[str], *, has_history: bool
) -> pl.DataFrame:
    """Stories by decision now, and how many there were in the runs before."""
    decisions = pl.DataFrame({"decision": [decision.value for decision in reversed(schemas.Decision)]})
    every = decisions.join(pl.DataFrame({"run_id": [run_id, *earlier]}), how="cross")
    n = counts.filter(pl.col("kind") == "decision").select("run_id", decision="name", n="n_stories")
    by_run = every.join(n, on=["run_id", "decision"], how="left").with_columns(pl.col("n").fill_null(0))
    is_now = pl.col("run_id") == run_id
    # Without a past there is an empty list, whose median is null.
    past = pl.col("n").filter(~is_now & pl.lit(has_history))
    return (
        by_run.group_by("decision", maintain_order=True)
        .agg(n=pl.col("n").filter(is_now).first(), _past=past.cast(pl.Float64))
        .with_columns(distance=distance(pl.col("n"), pl.col("_past")))
        .select(
            pl.col("decision").cast(schemas.DECISION),
            "n",
            median=pl.col("_past").list.median(),
            low=pl.col("_past").list.min().cast(pl.Int64),
            high=pl.col("_past").list.max().cast(pl.Int64),
            distance="distance",
            is_unusual=pl.col("distance").abs() > UNUSUAL,
        )
    )


def _parts(counts: pl.DataFrame, profile: BrandProfile) -> pl.DataFrame:
    weights = profile.weights
    known = pl.DataFrame(
        [
            (component, part, getattr(getattr(weights, component), part, None))
            for component, parts in schemas.PARTS.items()
            for part in parts
        ],
        schema={"component": schemas.COMPONENT, "part": pl.String, "max": pl.Int64},
        orient="row",
    )
    found = (
        counts.filter(pl.col("kind") == "part")
        .group_by("component", part="name")
        .agg(
            n_records=pl.col("n_records").sum(),
            n_fired=pl.col("n_records").filter(pl.col("value") != 0).sum(),
            low=pl.col("value").min(),
            high=pl.col("value").max(),
        )
        .with_columns(is_constant=pl.col("low") == pl.col("high"))
    )
    return known.join(found, on=["component", "part"], how="left", maintain_order="left")


def _modifiers(counts: pl.DataFrame) -> pl.DataFrame:
    known = pl.DataFrame({"modifier": [modifier.name for modifier in MODIFIERS]})
    n = counts.filter(pl.col("kind") == "total")["n_records"].sum()
    # A modifier of two components has a row for each, on the same records.
    applied = (
        counts.filter(pl.col("kind") == "modifier")
        .group_by("name", "component")
        .agg(n_applied=pl.col("n_records").sum(), low=pl.col("value").min())
        .group_by(modifier="name")
        .agg(pl.col("n_applied").max(), pl.col("low").min())
    )
    return known.join(applied, on="modifier", how="left", maintain_order="left").select(
        "modifier", pl.lit(n, pl.Int64).alias("n_records"), pl.col("n_applied").fill_null(0), "low"
    )


def _gates(counts: pl.DataFrame, profile: BrandProfile) -> pl.DataFrame:
    floor = profile.thresholds.own_name_floor
    needs = {
        "constraint": profile.forbidden.phrases or profile.forbidden.risk_flags,
        "not_excluded": profile.exclusions.terms,
        "always_cover": profile.triggers,
        "trigger_watch": profile.triggers,
        "own_name_floor": profile.own and floor == "optional",
        "own_name_watch": profile.own and floor != "off",
    }
    is_used = [bool(needs.get(gate, True)) for gate in schemas.GATES]
    known = pl.DataFrame({"gate": schemas.GATES, "is_used": is_used})
    found = (
        counts.filter(pl.col("kind") == "gate")
        .group_by(gate="name")
        .agg(
            n_records=pl.col("n_records").sum(),
            n_passed=pl.col("n_records").filter(pl.col("value") >= 0).sum(),
        )
    )
    return known.join(found, on="gate", how="left", maintain_order="left")


def _notes(row: RunRow, before: pl.DataFrame) -> Iterable[str]:
    """What else changed on the way, for a score may have moved by our own hand."""
    others = before.filter(pl.col("profile_hash") != row.profile_hash)
    if others.height:
        last = others["run_on"].sort()[-1]
        yield f"The profile is not that of {last} and before: what moved may be our own doing."
    code = before.select("run_on", code=pl.col("versions").str.json_path_match("$.code"))
    if (other := code.filter(pl.col("code") != row.versions.get("code", ""))).height:
        yield f"The code is not that of {other['run_on'].sort()[-1]} and before."


def _named(frame: pl.DataFrame) -> str:
    """The rows of a frame by name, parts with their component."""
    if "part" in frame.columns:
        return ", ".join(f"{spoken(part)} ({c})" for c, part in frame.select("component", "part").rows())
    return ", ".join(map(spoken, frame[frame.columns[0]]))


def _score_sentence(row: Mapping[str, object]) -> str:
    return (
        f"{str(row['name']).capitalize()} moved: median {row['median_before']} to {row['median']}, nine in "
        f"ten up to {row['p90_before']}, now {row['p90']} (PSI {row['psi']:.2f}, usually {row['usual']:.2f})."
    )


def _work_sentence(row: Mapping[str, object]) -> str:
    return (
        f"{spoken(str(row['decision'])).capitalize()}: {row['n']:,} stories; before, {row['low']:,} to "
        f"{row['high']:,}."
    )
