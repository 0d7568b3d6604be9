"""Is what is stored what the rules make of it? Every record, recomputed from its own signals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from brandkit import schemas
from brandkit.assess import rescore
from brandkit.errors import CheckFailed
from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile
from brandkit.scoring.outcome import ranked, with_leads
from brandkit.store.state import StateStore

_RECOMPUTED = (*schemas.SCORE, *schemas.OUTCOME)


@dataclass(frozen=True, slots=True)
class Verification:
    """What a recomputation found: how many records agree, and every value that does not.

    Shape: ``differences`` has item_id, column, stored and computed (both as text), sorted.
    """

    run_id: str
    n_records: int
    differences: pl.DataFrame

    @property
    def ok(self) -> bool:
        """True when every record agrees, to the point."""
        return self.differences.is_empty()

    def __repr__(self) -> str:
        return f"Verification({self.run_id}: {self.n_records} records, {self.differences.height} differences)"

    def require(self) -> Verification:
        """Itself, or CheckFailed naming the first differences."""
        if self.ok:
            return self
        shown = "; ".join(f"{i} {c}: {s} != {n}" for i, c, s, n in self.differences.head(3).rows())
        raise CheckFailed(
            f"{self.differences.height} stored values differ from what their signals make",
            where=f"in run {self.run_id}",
            allowed=shown[:400],
            hint="the store was changed by other means, or the run was made by other code: see brandkit runs",
        )


def verify(run: str, store: StateStore) -> Verification:
    """Recompute every record of a stored run from its signals and its frozen profile.

    Raises: UnknownError for a run that is not there or not complete.
    """
    row = store.run(run)
    profile = BrandProfile.from_snapshot(row.profile_json)
    return verify_records(
        store.records(run), profile, as_of=row.as_of, window_start=row.window_start, run_id=row.run_id
    )


def verify_records(
    records: pl.DataFrame,
    profile: BrandProfile,
    *,
    as_of: datetime,
    window_start: datetime,
    run_id: str = "assess",
) -> Verification:
    """The same for records at hand, such as an Assessment's."""
    context = RunContext(profile=profile, as_of=as_of, window_start=window_start, run_id=run_id)
    signals = records.drop(_RECOMPUTED)
    again = ranked(with_leads(rescore(signals.lazy(), context).collect()))
    stored, computed = (
        _as_text(frame) for frame in (records, schemas.conform(again.lazy(), schemas.RECORD).collect())
    )
    differences = (
        stored.join(computed, on=["item_id", "column"], how="full", coalesce=True, suffix="_again")
        .filter(pl.col("value").ne_missing(pl.col("value_again")))
        .select("item_id", "column", stored="value", computed="value_again")
        .sort("item_id", "column")
    )
    return Verification(run_id, records.height, differences)


def _as_text(records: pl.DataFrame) -> pl.DataFrame:
    # One struct per value: json_encode then says the same for numbers, structs and lists.
    texts = [pl.struct(pl.col(name).alias("v")).struct.json_encode().alias(name) for name in _RECOMPUTED]
    return records.select("item_id", *texts).unpivot(
        index="item_id", variable_name="column", value_name="value"
    )
