"""Which records of two runs are compared with which: items by id, stories by id or by their items.

A story's decision is its lead's, so two stories are compared by their leads, which may be two items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

import polars as pl

from brandkit.profile import BrandProfile
from brandkit.record.causes import STEP
from brandkit.store.runs import RunRow, id_of
from brandkit.store.state import StateStore

_STORIES = ["story_from", "story_to"]
_ANY, _NONE = pl.lit(value=True), pl.lit(0, pl.Int64)


@dataclass(frozen=True, slots=True)
class Decided:
    """One side of a comparison: what a run decided, by which profile, and up to which instant."""

    records: pl.DataFrame
    stories: pl.DataFrame
    profile: BrandProfile
    as_of: datetime
    window_start: datetime
    run_id: str = "assess"
    versions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, store: StateStore, run: str | RunRow) -> Self:
        """A complete run of a store.

        Raises: UnknownError for a run that is not there or published nothing.
        """
        with store.reading():
            records, row = store.records(run), store.run(id_of(run))
            return cls(
                records=records,
                stories=store.stories(run),
                profile=BrandProfile.from_snapshot(row.profile_json),
                as_of=row.as_of,
                window_start=row.window_start,
                run_id=row.run_id,
                versions=row.versions,
            )


class Pairing:
    """The items and stories of two runs side by side.

    ``shared``: the items that both recorded: item_id, story_from, story_to, is_edited. ``matched``:
    the stories of both, with n_new, n_in, n_out (items that are new, came from and went to other
    stories), ``story_cause`` where that regrouped them, and ``is_still`` where none joined or left.
    """

    def __init__(self, a: Decided, b: Decided) -> None:
        self.a, self.b = a, b
        self.is_changed = a.profile != b.profile
        self.is_forward = a.as_of <= b.as_of
        # Between two days with a day between them items came that neither run recorded.
        self.is_gapless = self.is_forward and b.window_start <= a.as_of
        then, now = (side.records.select("item_id", "story_id", "content_hash") for side in (a, b))
        self.shared = then.join(now, on="item_id", suffix="_to").select(
            "item_id",
            story_from="story_id",
            story_to="story_id_to",
            is_edited=pl.col("content_hash") != pl.col("content_hash_to"),
        )
        self.places = self._places()
        self.matched = self._regrouped(self._same_stories())

    def pairs(self) -> pl.DataFrame:
        """What ``attributed`` takes: the matched stories by their leads, and the items, with ``item_id``."""
        return pl.concat([self._stories(), self._items()], how="diagonal")

    def _stories(self) -> pl.DataFrame:
        then, now = _leads(self.a, "from"), _leads(self.b, "to")
        was = self.shared.select(item_to="item_id", lead_was="story_from", _edited="is_edited")
        became = self.shared.select(item_from="item_id", lead_became="story_to")
        pairs = (
            self.matched.join(then, on="story_from")
            .join(now, on="story_to")
            .join(was, on="item_to", how="left")
            .join(became, on="item_from", how="left")
            .with_columns(
                is_edited=pl.col("_edited") & (pl.col("item_from") == pl.col("item_to")),
                # Undated is neither older nor fresher: it is what the other item is.
                is_older=(pl.col("age_h_to") >= pl.col("age_h_from")).fill_null(value=False),
            )
        )
        stepped = self._stepped(pairs.with_columns(lead_cause=_lead_cause()))
        return stepped.drop("age_h_from", "age_h_to").sort("story_to")

    def _items(self) -> pl.DataFrame:
        goes_on = pl.col("story_from").is_in(self.matched["story_from"].implode())
        strayed = pl.when(goes_on).then(pl.lit("story_split")).otherwise(pl.lit("story_merged"))
        pairs = (
            self.shared.join(self.matched, on=_STORIES, how="left")
            .with_columns(
                item_from="item_id",
                item_to="item_id",
                story_cause=pl.when(pl.col("is_still").is_null()).then(strayed).otherwise("story_cause"),
                is_still=pl.col("is_still").fill_null(value=False),
                lead_cause=pl.lit(None, pl.String),
                is_older=pl.lit(value=True),
            )
        )  # fmt: skip
        return self._stepped(pairs).sort("item_id")

    def came(self) -> pl.DataFrame:
        """The leads of stories that only B has, with n_new, n_in and the cause."""
        held = self.places.drop_nulls("story_to").group_by(story_id="story_to").agg(**self._arrivals())
        found = (
            self.b.records.filter("is_lead")
            .join(self.matched.select(story_id="story_to"), on="story_id", how="anti")
            .join(self.b.stories.select("story_id", "is_continued"), on="story_id", how="left")
            .join(held, on="story_id", how="left")
        )
        # Under a name from before A it may have held them all along.
        unknown = pl.when(pl.col("is_continued").fill_null(value=False)).then(0).otherwise("n_unknown")
        is_part = pl.col("n_in") > pl.col("n_new")
        return found.with_columns(n_in=pl.col("n_in") + unknown, n_out=_NONE).with_columns(
            cause=pl.when(is_part).then(pl.lit("story_split")).otherwise(pl.lit("new_item"))
        )

    def went(self) -> pl.DataFrame:
        """The leads of stories that only A has, with n_out and the cause."""
        held = self.places.drop_nulls("story_from").group_by(story_id="story_from")
        found = (
            self.a.records.filter("is_lead")
            .join(self.matched.select(story_id="story_from"), on="story_id", how="anti")
            .join(
                held.agg(n_out=_count(pl.col("story_to").is_not_null()), n=_count()),
                on="story_id",
                how="left",
            )
        )
        is_taken_in = 2 * pl.col("n_out") > pl.col("n")
        return found.with_columns(
            cause=pl.when(is_taken_in).then(pl.lit("story_merged")).otherwise(pl.lit("gone")),
            n_new=_NONE,
            n_in=_NONE,
        )

    def _places(self) -> pl.DataFrame:
        """Where every item stood in A and stands in B, the stories' earlier items too, and which are new."""
        then, now = (_members(side) for side in (self.a, self.b))
        new = (
            self.b.records.filter(pl.col("collected_at") >= self.a.window_start)
            .join(self.a.records, on="item_id", how="anti")
            .select("item_id", is_new=pl.lit(value=True))
        )
        return (
            then.rename({"story_id": "story_from"})
            .join(now.rename({"story_id": "story_to"}), on="item_id", how="full", coalesce=True)
            .join(new, on="item_id", how="left")
            .with_columns(is_new=pl.col("is_new").fill_null(value=False) & pl.col("story_from").is_null())
        )

    def _same_stories(self) -> pl.DataFrame:
        """The stories of both runs: by id, else where each holds most of the other's items."""
        ids_a, ids_b = (side.records.select("story_id").unique() for side in (self.a, self.b))
        same = ids_a.join(ids_b, on="story_id").select(story_from="story_id", story_to="story_id")
        left = (
            self.places.drop_nulls(_STORIES)
            .join(same, on="story_from", how="anti")
            .join(same, on="story_to", how="anti")
            .group_by(_STORIES)
            .len()
            .sort("len", *_STORIES, descending=[True, False, False])
        )
        best = pl.col("story_from").is_first_distinct() & pl.col("story_to").is_first_distinct()
        return pl.concat([same, left.filter(best).select(_STORIES)]).sort("story_to")

    def _regrouped(self, same: pl.DataFrame) -> pl.DataFrame:
        """How many items of each story of both runs are new, came from others and went to others."""
        of_a, of_b = same.rename({"story_to": "goes_on"}), same.rename({"story_from": "was"})
        arrived = (
            self.places.join(of_b, on="story_to")
            .with_columns(is_stray=pl.col("story_from").ne_missing(pl.col("was")))
            .group_by("story_to")
            .agg(n_kept=_count(~pl.col("is_stray")), n_there=_count(), **self._arrivals(pl.col("is_stray")))
        )
        # Looking back, what came after B is missing in it, and went nowhere.
        is_away = pl.col("story_to").ne_missing(pl.col("goes_on"))
        is_away &= pl.col("story_to").is_not_null() | pl.lit(self.is_forward)
        left = (
            self.places.join(of_a, on="story_from")
            .group_by("story_from")
            .agg(n_out=_count(is_away), n_before=_count())
        )
        found = same.join(arrived, on="story_to").join(left, on="story_from")
        found = found.with_columns(n_in=pl.col("n_in") + pl.col("n_unknown"))
        is_still = (pl.col("n_kept") == pl.col("n_before")) & (pl.col("n_kept") == pl.col("n_there"))
        return found.select(
            *_STORIES, "n_new", "n_in", "n_out", story_cause=_regrouping(), is_still=is_still
        ).sort("story_to")

    def _arrivals(self, is_stray: pl.Expr = _ANY) -> dict[str, pl.Expr]:
        """Of what did not stand in the story: new, from a story of A, from one that A did not record."""
        is_known = pl.col("story_from").is_not_null()
        # What was collected between the two runs, and recorded by neither, tells nothing.
        is_unknown = ~is_known & ~pl.col("is_new") & pl.lit(self.is_gapless)
        return {
            "n_new": _count(pl.col("is_new")),
            "n_in": _count(is_stray & is_known),
            "n_unknown": _count(is_unknown),
        }

    def _stepped(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """The pairs with the steps at which B's values of each group come in."""
        # Of the same items only the profile can have measured other facts, and the clock another pace.
        last = STEP["profile"] if self.is_changed else STEP["evidence"]
        is_regrouped, is_other = pl.col("story_cause").is_not_null(), pl.col("item_from") != pl.col("item_to")
        own = (
            pl.when(pl.col("lead_cause").is_not_null())
            .then(STEP["lead"])
            .when(is_other)
            .then(last)
            .when(pl.col("is_edited"))
            .then(STEP["evidence"])
            .otherwise(STEP["profile"])
        )
        story = pl.when("is_still").then(last).otherwise(STEP["evidence"])
        pace = pl.when("is_still").then(STEP["age"]).otherwise(STEP["engagement"])
        return pairs.with_columns(own_at=own).with_columns(
            # A fresher item is new; nobody ages backwards.
            age_at=pl.when(is_other & ~pl.col("is_older")).then("own_at").otherwise(STEP["age"]),
            crowd_at=pl.lit(STEP["engagement"]),
            story_at=pl.when(is_regrouped).then(STEP["story"]).otherwise(story),
            pace_at=pl.when(is_regrouped).then(STEP["story"]).otherwise(pace),
        )


def _count(of: pl.Expr = _ANY) -> pl.Expr:
    return (pl.len() if of is _ANY else of.sum()).cast(pl.Int64)


def _members(side: Decided) -> pl.DataFrame:
    """The story of every item of a run's stories, those of earlier days too."""
    return side.stories.select("story_id", item_id="item_ids").explode("item_id").drop_nulls()


def _leads(side: Decided, name: str) -> pl.DataFrame:
    """The lead of each story with its age."""
    columns = {"story": "story_id", "item": "item_id", "age_h": "age_h"}
    return side.records.filter("is_lead").select(**{f"{key}_{name}": of for key, of in columns.items()})


def _regrouping() -> pl.Expr:
    """Merged or split, where more of a story's items changed their story than are new."""
    n_in, n_out, n_new = pl.col("n_in"), pl.col("n_out"), pl.col("n_new")
    merged = pl.when((n_in > n_new) & (n_in >= n_out)).then(pl.lit("story_merged"))
    return merged.when(n_out > n_new).then(pl.lit("story_split"))


def _lead_cause() -> pl.Expr:
    """Why another item leads a story; null where none does, or where both could have before."""
    was, became = pl.col("lead_was"), pl.col("lead_became")
    return (
        pl.when(pl.col("item_from") == pl.col("item_to"))
        .then(None)
        .when(was.is_null())
        .then(pl.lit("new_item"))
        .when(was != pl.col("story_from"))
        .then(pl.lit("story_merged"))
        .when(became.is_null())
        .then(pl.lit("gone"))
        .when(became != pl.col("story_to"))
        .then(pl.lit("story_split"))
    )
