"""What a brief says, section by section, as plain frames and strings: read from one run, nothing decided.

Stories are counted, not items. A section is for ``report.daily`` to show or for anybody to print.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.record.compare import Comparison, Decided, compare_records, run_before
from brandkit.record.pairing import Pairing
from brandkit.record.phrases import reason
from brandkit.record.why_not import why_not_frame
from brandkit.schemas import Decision
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore
from brandkit.store.states import STORY_STATES
from brandkit.store.verdicts import VERDICTS

# What a story line or card needs to know of the item that leads it.
_OF_LEAD = (
    "rank", "gates", "entities", "pillars", "triggers_in_title", "forbidden", "misinfo_evidence",
    "coordinated_share", "n_coordinated",
)  # fmt: skip
PUT_ASIDE = ("handled", "snoozed")
# A story further off than this is not a near miss.
NEAR_POINTS = 15


@dataclass(frozen=True)
class Brief:
    """One finished run, as the sections read it; ``notes`` are lines a reader should see first.

    ``verdicts`` and ``states`` are what the desk said of its stories, as the store gives them;
    ``earlier`` is the run it is read against (of ``earlier_on``), where there is one.
    """

    run: RunRow
    records: pl.DataFrame
    stories: pl.DataFrame
    rejects: pl.DataFrame
    stages: pl.DataFrame
    notes: tuple[str, ...] = ()
    verdicts: pl.DataFrame = field(default_factory=lambda: schemas.empty(VERDICTS))
    states: pl.DataFrame = field(default_factory=lambda: schemas.empty(STORY_STATES))
    earlier: Decided | None = None
    earlier_on: date | None = None

    @classmethod
    def read(cls, store: StateStore, run_id: str, *, notes: tuple[str, ...] = ()) -> Brief:
        """The brief of a complete run.

        Raises: UnknownError for a run that is not there or published nothing.
        """
        with store.reading():
            run = store.run(run_id)
            before = run_before(store, run)
            return cls(
                run=run,
                records=store.records(run_id),
                stories=store.stories(run_id),
                rejects=store.rejects(run_id),
                stages=store.stages(run_id),
                notes=(*notes, *_failed_since(store, run)),
                verdicts=store.verdicts(run.profile_id, withdrawn=True),
                states=store.story_states(run.profile_id),
                earlier=Decided.read(store, before) if before else None,
                earlier_on=store.run(before).run_on if before else None,
            )

    @cached_property
    def profile(self) -> BrandProfile:
        """The profile as the run froze it."""
        return BrandProfile.from_snapshot(self.run.profile_json)

    @cached_property
    def decided(self) -> Decided:
        """The run as one side of a comparison."""
        run = self.run
        return Decided(
            records=self.records,
            stories=self.stories,
            profile=self.profile,
            as_of=run.as_of,
            window_start=run.window_start,
            run_id=run.run_id,
            versions=run.versions,
        )

    @cached_property
    def changes(self) -> Comparison | None:
        """What moved since the earlier run; None where there is none, or nothing to compare."""
        if self.earlier is None or self.records.is_empty():
            return None
        return compare_records(self.earlier, self.decided)

    @cached_property
    def continued(self) -> dict[str, str]:
        """The stories that the earlier run had too, with the ids they had in it."""
        if self.earlier is None or self.records.is_empty():
            return {}
        return dict(Pairing(self.earlier, self.decided).matched.select("story_to", "story_from").rows())

    @property
    def zone(self) -> ZoneInfo:
        """The desk's time zone."""
        return ZoneInfo(self.profile.timezone)

    @cached_property
    def told(self) -> pl.DataFrame:
        """The stories in the order of their leads' ranks, each with what its lead knows."""
        lead = self.records.select(pl.col("item_id").alias("lead_item_id"), *_OF_LEAD)
        return self.stories.join(lead, on="lead_item_id", how="left").sort("rank", "story_id")

    def of(self, decision: str) -> pl.DataFrame:
        """The stories of one decision, an editor's verdict before the model's."""
        return self.told.filter(pl.col("effective_decision") == decision)

    def active(self, decision: str) -> pl.DataFrame:
        """Those of them that somebody still has to look at."""
        return self.of(decision).filter(~pl.col("desk_state").is_in(PUT_ASIDE))

    def aside(self, decision: str) -> pl.DataFrame:
        """Those of them that the desk has put aside: handled, or snoozed."""
        return self.of(decision).filter(pl.col("desk_state").is_in(PUT_ASIDE))

    def names(self, kind: str) -> list[str]:
        """The profile's own, rival or watched names."""
        known = {"own": self.profile.own, "rival": self.profile.rivals, "watched": self.profile.watched}
        return [topic.name for topic in known[kind]]

    @property
    def our_names(self) -> list[str]:
        """The names that are ours; on a desk without a brand, those it watches."""
        return self.names("own") or self.names("watched")

    def clock(self, at: datetime | None) -> str:
        """An instant in the desk's time: the hour on the day of the run, the date too on any other."""
        if at is None:
            return "–"
        local = at.astimezone(self.zone)
        same_day = self.run.window_start <= at <= self.run.window_start + timedelta(hours=25)
        return f"{local:%H:%M}" if same_day else f"{local.day} {local:%b %H:%M}"


def _failed_since(store: StateStore, run: RunRow) -> tuple[str, ...]:
    """A line where the day was tried again after this run and that failed: this is not the last word."""
    tries = store.runs(run.profile_id).filter(
        (pl.col("kind") == run.kind) & (pl.col("run_on") == run.run_on) & (pl.col("shadow") == run.shadow)
    )
    failed = tries.filter((pl.col("attempt") > run.attempt) & (pl.col("status") == "failed"))
    if failed.is_empty():
        return ()
    newest = store.run(failed.sort("attempt")["run_id"][-1])
    why = (newest.error or "it does not say why").splitlines()[0]
    return (f"A later attempt at this day failed ({newest.run_id}): {why}. This is the one before it.",)


def day(brief: Brief) -> str:
    """The desk day in words."""
    on = brief.run.run_on
    return f"{on:%A} {on.day} {on:%B %Y}"


def tally(brief: Brief) -> dict[str, int]:
    """How many stories came to each decision, verdicts counted; what asks for action comes first."""
    counts = dict(brief.stories.group_by("effective_decision").len().rows())
    order = (Decision.MUST_COVER, Decision.BLOCK, Decision.OPTIONAL, Decision.WATCH, Decision.DROP)
    return {decision.value: counts.get(decision.value, 0) for decision in order}


def headline(brief: Brief) -> str:
    """The day in one line.

    >>> counted(1, "story", "stories"), counted(2000, "story", "stories")
    ('1 story', '2,000 stories')
    """
    if brief.records.is_empty():
        return "No items were collected on this day."
    n, aside = tally(brief), brief.aside("must_cover").height
    if not n["must_cover"] + n["block"] + n["optional"]:
        return _quiet(brief, n["watch"])
    left = n["must_cover"] - aside
    must = counted(left, "story must", "stories must") if left else "No story must"
    must += " be covered" + (f" ({aside:,} handled or snoozed)" if aside else "")
    parts = [must, f"{n['optional']:,} {'is' if n['optional'] == 1 else 'are'} optional"]
    if n["block"]:
        parts.append(f"{n['block']:,} must not be amplified")
    return f"{', '.join(parts)} and {n['watch']:,} {'is' if n['watch'] == 1 else 'are'} worth watching."


def _quiet(brief: Brief, n_watched: int) -> str:
    if not n_watched:
        stories = counted(brief.stories.height, "story", "stories")
        return f"A quiet day: {stories}, none of them to cover and none to watch."
    watched_ = "1 story is" if n_watched == 1 else f"{n_watched:,} stories are"
    return f"A quiet day: nothing to cover, and {watched_} worth watching."


def counted(n: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{n:,} {one if n == 1 else many}"


def scope(brief: Brief) -> str:
    """How much was read, and up to when."""
    until = brief.clock(brief.run.as_of - timedelta(microseconds=1))
    start = f"{brief.run.window_start.astimezone(brief.zone):%H:%M}"
    if brief.records.is_empty():
        return f"From {start} to {until}, {brief.profile.timezone} time."
    items = counted(brief.records.height, "item", "items")
    sources = counted(brief.records["source"].n_unique(), "source", "sources")
    stories = counted(brief.stories.height, "story", "stories")
    when = f"collected from {start} to {until}, {brief.profile.timezone} time"
    return f"{items} from {sources} in {stories}, {when}."


def spoken(decision: str) -> str:
    """A decision's name as it is said."""
    return decision.replace("_", " ")


def listing(brief: Brief, stories: pl.DataFrame) -> pl.DataFrame:
    """Stories as lines: title, url, why, total, publishers, first (seen), item_id."""
    why = [_why(story) for story in stories.iter_rows(named=True)]
    return stories.select(
        pl.coalesce("title", "url", "lead_item_id").alias("title"),
        "url",
        pl.Series("why", why, dtype=pl.String),
        "total",
        publishers=pl.col("n_publishers"),
        first=pl.Series([brief.clock(at) for at in stories["first_seen_at"]], dtype=pl.String),
        item_id=pl.col("lead_item_id"),
    )


def about(story: Mapping[str, Any]) -> str:
    """What of the profile stands in a story: names, triggers, pillars."""
    found = [name for column in ("entities", "triggers_in_title", "pillars") for name in story[column] or ()]
    return ", ".join(dict.fromkeys(found))


def _why(story: Mapping[str, Any]) -> str:
    # The points stand beside it: a line saying that they carried it would say nothing.
    if story["reason"] == "score":
        return about(story)
    return reason(story["decision"], story["reason"], story["total"])


def watched(brief: Brief) -> pl.DataFrame:
    """The stories to watch that have a tie to what the profile covers."""
    return brief.of("watch").filter(~_is_elsewhere())


def big_elsewhere(brief: Brief) -> pl.DataFrame:
    """The stories to watch for their size alone: nothing in them is ours."""
    return brief.of("watch").filter(_is_elsewhere())


def _is_elsewhere() -> pl.Expr:
    gates = pl.col("gates").struct
    return (gates.field("tied") < 0) & (gates.field("own_name_watch") < 0)


def near_misses(brief: Brief) -> pl.DataFrame:
    """The stories closest to must cover, with what each lacks.

    Shape:  the columns of ``Brief.told``, plus ``short`` (points over all failing gates) and
            ``needs`` (in words), nearest first, none further than ``NEAR_POINTS``.
    """
    bars, gates = brief.profile.thresholds, pl.col("gates").struct
    # Always cover lifts a story over the bar whatever its total.
    lifted = gates.field("always_cover") >= 0
    total = pl.when(lifted).then(0).otherwise(gates.field("must_cover").clip(upper_bound=0))
    lacks = {
        f" short of the {bars.must_cover} for must cover": -total,
        f" of confidence short of {bars.confidence}": -gates.field("confidence").clip(upper_bound=0),
        " short of a tie to what the desk covers": -gates.field("tied").clip(upper_bound=0),
    }
    said = [
        pl.when(points > 0).then(pl.format("{} {}{}", points, _points(points), pl.lit(text)))
        for text, points in lacks.items()
    ]
    return (
        brief.told.filter(
            ~pl.col("effective_decision").is_in(["must_cover", "block"]) & (gates.field("not_excluded") >= 0)
        )
        .with_columns(
            short=pl.sum_horizontal(lacks.values()),
            needs=pl.concat_list(said).list.drop_nulls().list.join("; "),
        )
        .filter(pl.col("short").is_between(1, NEAR_POINTS))
        .sort("short", "rank")
    )


def with_flips(brief: Brief, stories: pl.DataFrame) -> pl.DataFrame:
    """Stories with ``flip``: the cheapest change that would make each must cover, or the cheapest two.

    Nulls:  where no change of one or two levers on the profile's grids would.
    """
    leads = brief.records.filter(pl.col("item_id").is_in(stories["lead_item_id"].implode()))
    found = why_not_frame(leads, profile=brief.profile, as_of=brief.run.as_of, most=2)
    moves = [
        pl.when(pl.col(f"{name}_from") != pl.col(f"{name}_to")).then(
            pl.format(f"{name} {{}} → {{}}", f"{name}_from", f"{name}_to")
        )
        for name in ("confidence", "total")
    ]
    said = pl.col("changes").list.eval(pl.element().struct.field("phrase")).list.join(", and ")
    told = pl.format("{}: {}", said, pl.concat_list(moves).list.drop_nulls().list.join(", "))
    flips = (
        found.filter(pl.col("n_changes") > 0)
        .group_by("item_id", maintain_order=True)
        .agg(flip=told.str.join("; or "))
    )
    return stories.join(flips, left_on="lead_item_id", right_on="item_id", how="left", maintain_order="left")


def _points(points: pl.Expr) -> pl.Expr:
    return pl.when(points == 1).then(pl.lit("point")).otherwise(pl.lit("points"))


def dropped_with_our_name(brief: Brief) -> pl.DataFrame:
    """The dropped stories in which one of our names stands, with the names found.

    Shape:  the columns of ``Brief.told``, plus ``named``.
    """
    ours = pl.element().filter(pl.element().is_in(brief.our_names))
    named = (
        brief.records.select("story_id", named=pl.col("entities").list.eval(ours))
        .explode("named")
        .drop_nulls()
        .unique()
        .sort("story_id", "named")
        .group_by("story_id", maintain_order=True)
        .agg("named")
    )
    return brief.of("drop").join(named, on="story_id", how="inner", maintain_order="left")
