"""Is what is stored what the rules make of it? Every record, recomputed from its own signals.

Columns are compared as they are, all rows at once; only values that differ become text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

import numpy as np
import polars as pl

from brandkit import schemas
from brandkit.errors import CheckFailed
from brandkit.profile import BrandProfile
from brandkit.record.counterfactual import JUDGED, rescored
from brandkit.scoring import outcome
from brandkit.store.state import StateStore

_DIFFERENCE = {"column": pl.String, "stored": pl.String, "computed": pl.String}
# What a story's row has from its lead.
_FROM_LEAD = tuple(name for name in schemas.STORY if name in schemas.RECORD and name != "story_id")


@dataclass(frozen=True, slots=True)
class Verification:
    """What a recomputation found: how many records agree, and every value that does not.

    Shape: ``differences`` has item_id, column, stored and computed (both as text), sorted; what is
    of the run as a whole has no item_id. ``stories`` has the same of stories, by story_id.
    """

    run_id: str
    n_records: int
    differences: pl.DataFrame
    stories: pl.DataFrame

    @property
    def ok(self) -> bool:
        """True when every record agrees, to the point, and every story follows its lead."""
        return self.differences.is_empty() and self.stories.is_empty()

    def __repr__(self) -> str:
        n = self.differences.height + self.stories.height
        return f"Verification({self.run_id}: {self.n_records} records, {n} differences)"

    def require(self) -> Verification:
        """Itself, or CheckFailed naming the first differences."""
        if self.ok:
            return self
        rows = [*self.differences.head(3).rows(), *self.stories.head(2).rows()]
        shown = "; ".join(f"{key or 'the run'} {column}: {old} != {new}" for key, column, old, new in rows)
        raise CheckFailed(
            f"{self.differences.height + self.stories.height} stored values differ from what their "
            "signals make",
            where=f"in run {self.run_id}",
            allowed=shown[:400],
            hint="the store was changed by other means, or the run was made by other code: see brandkit runs",
        )


def verify(run: str, store: StateStore) -> Verification:
    """Recompute every record of a stored run from its signals and frozen profile, and its stories.

    Raises: UnknownError for a run that is not there or not complete.
    """
    with store.reading():
        row = store.run(run)
        records, stories = store.records(run), store.stories(run)
    profile = BrandProfile.from_snapshot(row.profile_json)
    return verify_records(
        records, profile, as_of=row.as_of, stories=stories, counts=row.counts, run_id=row.run_id
    )


def verify_records(
    records: pl.DataFrame,
    profile: BrandProfile,
    *,
    as_of: datetime,
    stories: pl.DataFrame | None = None,
    counts: Mapping[str, int] | None = None,
    run_id: str = "assess",
) -> Verification:
    """The same for records at hand, such as an Assessment's.

    ``stories`` are held against their leads where there are any; ``counts`` says how many records and
    stories there have to be.
    """
    expected = counts or {}
    stored = _by_item(records)
    computed = _by_item(rescored(stored, profile, as_of=as_of).select("item_id", *JUDGED).collect())
    is_whole = expected.get("records", stored.height) == stored.height
    computed = computed.with_columns(
        _leads(stored), _ranks(stored.with_columns(computed.drop("item_id")), is_whole=is_whole)
    )
    told = [] if stories is None else [("stories", stories.height)]
    of_run = _counted([("records", stored.height), *told], expected)
    found = pl.concat([of_run, *_differences(stored, computed, "item_id")])
    if stories is None or (stories.is_empty() and not expected.get("stories")):
        followed = _none("story_id")
    else:
        followed = _unfollowed(stored.with_columns(computed.drop("item_id")), stories)
    return Verification(run_id, stored.height, found.sort("item_id", "column"), followed)


def _by_item(rows: pl.DataFrame) -> pl.DataFrame:
    # A look is a tenth of a sort, and a store gives them sorted.
    return rows if rows["item_id"].is_sorted() else rows.sort("item_id")


def _leads(stored: pl.DataFrame) -> pl.Series:
    """Who leads its story: what is stored where that is so, which is quicker seen than worked out."""
    keys = [*outcome.LEAD_ORDER][:-1]
    # Rows are in the order of item_id, so the place of a row says the same in fewer bytes.
    rows = stored.select("story_id", "is_lead", *_helped(keys, outcome.lead_keys())).with_row_index("item_id")
    leads = rows.filter("is_lead")
    first = _before(outcome.LEAD_ORDER, "", "_lead")
    others = rows.lazy().filter(~pl.col("is_lead").fill_null(value=False))
    beaten = others.join(leads.lazy(), on="story_id", how="left", suffix="_lead")
    beaten = beaten.filter(pl.col("item_id_lead").is_null() | first)
    # A story without a lead is beaten too: it finds none to be joined to.
    is_one_each = leads["story_id"].n_unique() == leads.height
    if is_one_each and beaten.select(pl.len()).collect().item() == 0:
        return stored["is_lead"]
    again = outcome.with_leads(stored.select("item_id", *_read_by(outcome.lead_keys()), "story_id"))
    return again.sort("item_id")["is_lead"]


def _ranks(stored: pl.DataFrame, *, is_whole: bool) -> pl.Series:
    """The rank of each row: what is stored where that is in order, else worked out.

    Where rows are missing the rest has gaps between its ranks, and only their order is at fault.
    """
    keys = [*outcome.RANK_ORDER][:-1]
    rows = stored.select("rank", *_helped(keys, outcome.rank_keys())).with_row_index("item_id")
    rows = _by_rank(rows)
    rows = rows.with_columns(pl.all().shift(1).name.suffix("_above"))
    is_next = pl.col("rank") == (pl.col("rank_above").fill_null(0) + 1)
    has_above = pl.col("rank_above").is_not_null()
    is_wrong = ~is_next.fill_null(value=False) | (has_above & _before(outcome.RANK_ORDER, "", "_above"))
    if rows.select(is_wrong.any()).item() is False:
        return stored["rank"]
    again = outcome.ranked(stored.select("item_id", *_read_by(outcome.rank_keys()), "total", "published_at"))
    if not is_whole:
        again = again.with_columns(rank=stored["rank"].sort())
    return again.sort("item_id")["rank"].cast(schemas.OUTCOME["rank"])


def _by_rank(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows in the order of their ranks."""
    ranks = rows["rank"]
    if rows.height and not ranks.null_count() and ranks.min() == 1 and ranks.max() == rows.height:
        # Ranks from 1 to n say themselves where each row goes; where one stands twice, a place stays free.
        place = np.full(rows.height, -1, np.int64)
        place[ranks.to_numpy() - 1] = np.arange(rows.height)
        if (place >= 0).all():
            return rows[place]
    return rows.sort("rank")


def _read_by(helpers: Mapping[str, pl.Expr]) -> list[str]:
    return sorted({name for helper in helpers.values() for name in helper.meta.root_names()})


def _helped(keys: list[str], helpers: Mapping[str, pl.Expr]) -> list[pl.Expr]:
    return [helpers.get(name, pl.col(name)).alias(name) for name in keys]


def _before(order: Mapping[str, bool], left: str, right: str) -> pl.Expr:
    """True where the left columns stand before the right ones in this order; nulls come last."""

    def decided(later: pl.Expr, key: tuple[str, bool]) -> pl.Expr:
        name, is_more_better = key
        a, b = pl.col(name + left), pl.col(name + right)
        better = (a > b if is_more_better else a < b).fill_null(value=False)
        return better | (a.is_not_null() & b.is_null()) | (a.eq_missing(b) & later)

    return reduce(decided, reversed(list(order.items())), pl.lit(value=False))


def _differences(stored: pl.DataFrame, computed: pl.DataFrame, key: str) -> Iterator[pl.DataFrame]:
    """Every value that differs between two frames of the same rows, as text."""
    for name in computed.columns:
        a, b = stored[name], computed[name]
        if name == key or _is_same(a, b):
            continue
        both = pl.DataFrame({key: stored[key], "stored": _as_text(a), "computed": _as_text(b)})
        differs = pl.col("stored").ne_missing(pl.col("computed"))
        yield both.filter(differs).select(key, pl.lit(name).alias("column"), "stored", "computed")


def _is_same(a: pl.Series, b: pl.Series) -> bool:
    if isinstance(a.dtype, pl.List):
        # Comparing lists of structs takes 30 times as long as their lengths and what is in them.
        flat = (s.explode(empty_as_null=False, keep_nulls=False) for s in (a, b))
        return a.list.len().equals(b.list.len()) and next(flat).equals(next(flat))
    return a.equals(b)


def _as_text(values: pl.Series) -> pl.Series:
    if not values.dtype.is_nested():
        return values.cast(pl.String)
    # Only a struct can be encoded, so lists go in one.
    wrapped = values.alias("v").to_frame().to_struct().struct.json_encode()
    return wrapped.str.strip_prefix('{"v":').str.strip_suffix("}")


def _counted(found: list[tuple[str, int]], expected: Mapping[str, int]) -> pl.DataFrame:
    rows = [
        (None, f"n_{name}", str(n), str(expected[name])) for name, n in found if expected.get(name, n) != n
    ]
    return pl.DataFrame(rows, schema={"item_id": pl.String, **_DIFFERENCE}, orient="row")


def _none(key: str) -> pl.DataFrame:
    return pl.DataFrame(schema={key: pl.String, **_DIFFERENCE})


def _unfollowed(records: pl.DataFrame, stories: pl.DataFrame) -> pl.DataFrame:
    """What the stories say otherwise than their leads, and stories without records or rows."""
    recorded = records.lazy().group_by("story_id").agg(n_recorded=pl.len().cast(pl.Int64))
    leads = (
        records.lazy()
        .filter("is_lead")
        .select("story_id", pl.col("item_id").alias("lead_item_id"), *_FROM_LEAD)
        .join(recorded, on="story_id", how="left")
    )
    both = leads.join(stories.lazy(), on="story_id", how="full", coalesce=True, suffix="_stored")
    frame = both.sort("story_id").collect()
    names = ("lead_item_id", "n_recorded", *_FROM_LEAD)
    computed = frame.select("story_id", *names)
    stored = frame.select("story_id", **{name: f"{name}_stored" for name in names})
    return pl.concat([_none("story_id"), *_differences(stored, computed, "story_id")]).sort(
        "story_id", "column"
    )
