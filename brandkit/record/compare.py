"""What moved between two runs, and why: every story and item, each with exactly one first cause.

Stories are what a desk decides on, so they come first. A run records the items of its own day: from
one day to the next a story goes on with other items, and most items are in one of the runs only.
``causes`` says how a cause is found, ``pairing`` which records are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from brandkit import schemas
from brandkit.record.causes import CAUSE, PART, STATE, WORDS, attributed, part_words
from brandkit.record.counterfactual import rung
from brandkit.record.pairing import Decided, Pairing
from brandkit.safe import terminal
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore

__all__ = ["Comparison", "Decided", "compare", "compare_records"]

MOST_MOVED, MOST_OTHERS = 10, 4
_TITLE_CHARACTERS = 40
_SIDES = ("decision_from", "decision_to")
_MOVE: Mapping[str, Any] = {
    "title": pl.String, "url": pl.String, "decision_from": schemas.DECISION, "decision_to": schemas.DECISION,
    "cause": CAUSE, "reason_from": schemas.REASON, "reason_to": schemas.REASON, "total_from": pl.Int16,
    "total_to": pl.Int16, "parts": pl.List(PART), "path": pl.List(STATE),
}  # fmt: skip
STORY_MOVE: Mapping[str, Any] = {
    "story_id": pl.String, "story_from": pl.String, "item_from": pl.String, "item_to": pl.String, **_MOVE,
    "n_new": pl.Int64, "n_in": pl.Int64, "n_out": pl.Int64,
}  # fmt: skip
ITEM_MOVE: Mapping[str, Any] = {
    "item_id": pl.String, "story_from": pl.String, "story_to": pl.String, **_MOVE,
}  # fmt: skip
_GIVEN: Mapping[str, Any] = {
    "story_id": pl.String, "given_at": schemas.INSTANT, "given_by": pl.String, "reason": pl.String,
    "expires_at": schemas.INSTANT,
}  # fmt: skip
# What a desk looks at first: what asks for action.
_WEIGHT = {"must_cover": 4, "block": 3, "optional": 2, "watch": 1, "drop": 0}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What moved from run A to run B: ``print`` it for one screen, or take the frames.

    Shape:  ``stories`` and ``items``: a row for each whose decision moved, what weighs most first,
            with decision, reason and total of both sides, its one ``cause``, the ``parts`` that
            moved and the ``path`` (the decision after each swap). ``story_from`` is the story in
            A; ``n_new``, ``n_in``, ``n_out`` count its items that are new, came from and went to
            other stories. ``verdicts``: stories on which an editor's word stands or stood.
            ``workload``: stories by decision, verdicts counted: decision, n_from, n_to.
    Units:  ``parts`` in points, modifiers among them: they add up to what the total moved by.
    Nulls:  what is only in one run moved too; its other side is null, and its parts are empty.
    """

    run_a: str
    run_b: str
    stories: pl.DataFrame
    items: pl.DataFrame
    verdicts: pl.DataFrame
    workload: pl.DataFrame
    n_continued: int
    notes: tuple[str, ...] = ()

    @property
    def moved(self) -> pl.DataFrame:
        """The stories of both runs whose decision moved."""
        return self.stories.drop_nulls(_SIDES)

    @property
    def notable(self) -> pl.DataFrame:
        """The stories that moved, without those that came or went as a drop."""
        return self.stories.filter(pl.any_horizontal(pl.col(c).fill_null("drop") != "drop" for c in _SIDES))

    def by_cause(self) -> pl.DataFrame:
        """How many stories each cause moved up and down, how many came and went with it, and n_items."""
        stories = count_causes(self.stories)
        items = self.items.group_by("cause").agg(n_items=pl.len())
        found = stories.join(items, on="cause", how="full", coalesce=True)
        counts = pl.exclude("cause").fill_null(0).cast(pl.Int64)
        return found.with_columns(counts).sort(pl.col("cause").to_physical())

    def shown(self) -> tuple[pl.DataFrame, int]:
        """What one screen has room for, and how many notable stories it leaves out.

        What moved stands first, then what came and what went, if it was more than watched.
        """
        asks = pl.any_horizontal(pl.col(side).is_in(["must_cover", "block", "optional"]) for side in _SIDES)
        told = self.stories.filter(asks)
        one_sided = [told.filter(pl.col(side).is_null()).head(MOST_OTHERS) for side in _SIDES]
        found = pl.concat([self.moved.head(MOST_MOVED), *one_sided])
        return found, self.notable.height - found.height

    def text(self) -> str:
        """The comparison on one screen."""
        return "\n".join(_lines(self))

    def __str__(self) -> str:
        """The same."""
        return self.text()

    def __repr__(self) -> str:
        """Which runs, and how many stories moved."""
        told = f"{self.moved.height} of {self.n_continued} stories moved"
        return f"Comparison({self.run_a} to {self.run_b}: {told})"


def compare(run_a: str | RunRow, run_b: str | RunRow, store: StateStore) -> Comparison:
    """What moved from one complete run to another, and why.

    The runs may be of two days, two attempts at one day, or a live run and its shadow.

    Raises: UnknownError for a run that is not there or published nothing.
    """
    with store.reading():
        a, b = Decided.read(store, run_a), Decided.read(store, run_b)
        given = store.verdicts(b.profile.id)
    return compare_records(a, b, verdicts=given)


def run_before(store: StateStore, run: RunRow) -> str | None:
    """The run that a run is read against: the live one of the day before, or of a shadow's own day.

    The day before is the last earlier date with a complete run of the same profile and kind. Ad-hoc
    runs of one day follow each other.
    """
    is_of = (pl.col("status") == "complete") & (pl.col("kind") == run.kind) & ~pl.col("shadow")
    listed = store.runs(run.profile_id).filter(is_of).sort("run_on", "attempt")
    is_same_day = pl.col("run_on") == run.run_on
    if run.shadow:
        found = listed.filter(is_same_day)
    elif run.kind == "adhoc":
        is_earlier = is_same_day & (pl.col("attempt") < run.attempt)
        found = listed.filter((pl.col("run_on") < run.run_on) | is_earlier)
    else:
        found = listed.filter(pl.col("run_on") < run.run_on)
    return None if found.is_empty() else str(found["run_id"][-1])


def compare_records(a: Decided, b: Decided, *, verdicts: pl.DataFrame | None = None) -> Comparison:
    """The same for runs at hand, such as two Assessments; ``verdicts`` as ``StateStore.verdicts``."""
    pairing = Pairing(a, b)
    moved = attributed(pairing.pairs(), a, b)
    is_item = pl.col("item_id").is_not_null()
    stories = _story_moves(pairing, moved.filter(~is_item))
    items = _item_moves(pairing, moved.filter(is_item))
    return Comparison(
        run_a=a.run_id,
        run_b=b.run_id,
        stories=stories,
        items=items,
        verdicts=_verdicts(pairing, verdicts),
        workload=_workload(a, b),
        n_continued=pairing.matched.height,
        notes=tuple(_notes(a, b, stories, items)),
    )


def _story_moves(pairing: Pairing, moved: pl.DataFrame) -> pl.DataFrame:
    came = pairing.came().with_columns(item_to="item_id", **_of_one("to"))
    went = pairing.went().with_columns(item_from="item_id", story_from="story_id", **_of_one("from"))
    heads = _heads(pairing.b).rename({"item_id": "item_to"})
    moved = moved.rename({"story_to": "story_id"}).join(heads, on="item_to", how="left")
    return _ordered([moved, came, went], STORY_MOVE, key="story_id")


def _item_moves(pairing: Pairing, moved: pl.DataFrame) -> pl.DataFrame:
    moved = moved.join(_heads(pairing.b), on="item_id", how="left")
    known = pairing.shared.select("item_id")
    came = pairing.b.records.join(known, on="item_id", how="anti").with_columns(
        cause=pl.lit("new_item"), story_to="story_id", **_of_one("to")
    )
    went = pairing.a.records.join(known, on="item_id", how="anti").with_columns(
        cause=pl.lit("gone"), story_from="story_id", **_of_one("from")
    )
    return _ordered([moved, came, went], ITEM_MOVE, key="item_id")


def _heads(side: Decided) -> pl.DataFrame:
    return side.records.select("item_id", "title", "url")


def _of_one(side: str) -> dict[str, pl.Expr]:
    """What was stored on the only side there is."""
    stored = {f"{name}_{side}": pl.col(name) for name in ("decision", "reason", "total")}
    return {**stored, "parts": pl.lit([], pl.List(PART)), "path": pl.lit([], pl.List(STATE))}


def _ordered(frames: list[pl.DataFrame], columns: Mapping[str, Any], *, key: str) -> pl.DataFrame:
    """The frames as one: what moved, what came, what went; of each what asks for action first."""
    rows = pl.concat([schemas.conform(frame.lazy(), columns) for frame in frames]).collect()
    weights = [
        pl.coalesce(pl.when(pl.col(side) == name).then(n) for name, n in _WEIGHT.items()) for side in _SIDES
    ]
    by = {
        "_came": pl.col("decision_from").is_null(),
        "_went": pl.col("decision_to").is_null(),
        "_weight": -pl.max_horizontal(weights),
        "_total": -pl.max_horizontal("total_from", "total_to"),
    }
    return rows.with_columns(**by).sort("_went", "_came", "_weight", "_total", key).drop(*by)


def _workload(a: Decided, b: Decided) -> pl.DataFrame:
    ladder = pl.DataFrame({"decision": list(_WEIGHT)}, schema={"decision": schemas.DECISION})
    for side, name in ((a, "n_from"), (b, "n_to")):
        counted = side.stories.group_by(decision="effective_decision").agg(
            pl.len().cast(pl.Int64).alias(name)
        )
        ladder = ladder.join(counted, on="decision", how="left", maintain_order="left")
    return ladder.fill_null(0)


def _verdicts(pairing: Pairing, given: pl.DataFrame | None) -> pl.DataFrame:
    """The stories on which a verdict stands in either run, or was given between them."""
    a, b = pairing.a, pairing.b
    then, now = (
        side.stories.select("story_id", "title", decision="decision", effective="effective_decision")
        for side in (a, b)
    )
    both = then.join(now, on="story_id", how="full", coalesce=True, suffix="_to").select(
        "story_id",
        title=pl.coalesce("title_to", "title"),
        decision_from="decision",
        effective_from="effective",
        decision_to="decision_to",
        effective_to="effective_to",
    )
    between = pl.col("given_at").is_between(a.as_of, b.as_of, closed="right")
    known = schemas.empty(_GIVEN) if given is None else given.select(*_GIVEN)
    # The last word of several at one instant is the last that was kept.
    in_time = known.filter(between).sort("given_at", maintain_order=True)
    newest = in_time.unique("story_id", keep="last", maintain_order=True)
    is_overruled = pl.any_horizontal(
        pl.col(f"decision_{side}").ne_missing(pl.col(f"effective_{side}")) for side in ("from", "to")
    )
    found = both.join(newest, on="story_id", how="full", coalesce=True)
    return found.filter(is_overruled | pl.col("given_at").is_not_null()).sort("story_id")


def _notes(a: Decided, b: Decided, *frames: pl.DataFrame) -> Iterator[str]:
    if a.profile.id != b.profile.id:
        yield f"two profiles: {a.profile.id} and {b.profile.id}"
    differ = sorted(k for k in {*a.versions, *b.versions} if a.versions.get(k) != b.versions.get(k))
    if differ:
        yield f"made by other versions of {', '.join(differ)}; what they measured otherwise counts as fact"
    if any((frame["cause"] == "code_changed").any() for frame in frames):
        yield "code changed: no fact, clock or profile explains it; brandkit verify says where the score does"


def count_causes(stories: pl.DataFrame) -> pl.DataFrame:
    """How many of the stories that moved each cause moved: cause, up, down, came, went."""
    by = rung(pl.col("decision_to")) - rung(pl.col("decision_from"))
    counted = stories.group_by("cause").agg(
        up=(by > 0).sum(),
        down=(by < 0).sum(),
        came=pl.col("decision_from").is_null().sum(),
        went=pl.col("decision_to").is_null().sum(),
    )
    return counted.with_columns(pl.exclude("cause").cast(pl.Int64)).sort(pl.col("cause").to_physical())


def spoken(decision: str | None) -> str:
    """A decision as it is said; nothing where there was none."""
    return (decision or "-").replace("_", " ")


def in_both(n: int) -> str:
    """How many stories are in both runs, as said."""
    return f"{n:,} {'story is' if n == 1 else 'stories are'} in both runs"


def headline(found: Comparison) -> str:
    """How many stories go on and moved, came and went, as a line."""
    by = found.by_cause().select(pl.exclude("cause").sum()).row(0, named=True)
    told = f"{in_both(found.n_continued)}, {found.moved.height:,} of them moved"
    ways = f" ({by['up']:,} up, {by['down']:,} down)" if found.moved.height else ""
    return f"{told}{ways}; {by['came']:,} came, {by['went']:,} went"


def because(move: Mapping[str, Any]) -> str:
    """The cause of a move in words, as they fit a story that goes on or does not."""
    if move["cause"] == "gone" and move["decision_to"] is not None:
        return "its lead went"
    return WORDS[move["cause"]]


def _lines(found: Comparison) -> Iterator[str]:
    yield f"{found.run_a} -> {found.run_b}"
    yield headline(found)
    yield ", ".join(f"{spoken(name)} {then:,} -> {now:,}" for name, then, now in found.workload.rows())
    causes = count_causes(found.stories)
    if causes.height:
        yield from ("", f"{'cause':<20}{'up':>7}{'down':>7}{'came':>7}{'went':>7}")
    for cause, *counts in causes.rows():
        yield f"{WORDS[cause]:<20}" + "".join(f"{n:>7,}" for n in counts)
    shown, n_left = found.shown()
    if shown.height:
        yield from ("", *(story_line(move) for move in shown.to_dicts()))
    if n_left:
        yield f"and {n_left:,} more"
    if found.verdicts.height:
        yield f"verdicts stand apart: {found.verdicts.height:,} on these stories"
    yield from (f"note: {note}" for note in found.notes)


def story_line(move: Mapping[str, Any]) -> str:
    """A move as one line: from where to where, by how much, why, and which parts."""
    ways = " -> ".join(spoken(move[side]) for side in _SIDES)
    totals = " -> ".join(
        "-" if move[side] is None else str(move[side]) for side in ("total_from", "total_to")
    )
    title = terminal(move["title"] or move["url"] or move["story_id"])
    parts = part_words(move["parts"], most=2)
    told = f"{title[:_TITLE_CHARACTERS]}{f' ({parts})' if parts else ''}"
    return f"{ways:<22} {totals:<8}  {because(move):<19} {told}"
