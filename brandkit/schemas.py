"""The frames that cross a boundary: their columns, dtypes and rules, one pandera schema each.

On a LazyFrame a schema checks names and dtypes only, which costs nothing; values are checked on
the collected frame, at the checkpoints. The dtype tables are the single statement of each column.
"""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

import pandera.polars as pa
import polars as pl

from brandkit.profile import ITEM_TYPES
from brandkit.profile_alerts import ALERT_RULES, RULES_BY_KIND


class Decision(StrEnum):
    """What to do about a story, lowest rung first."""

    DROP = "drop"
    BLOCK = "block"
    WATCH = "watch"
    OPTIONAL = "optional"
    MUST_COVER = "must_cover"


COMPONENTS = ("impact", "timeliness", "virality", "relevance", "confidence")
REASONS = (
    "score", "always_cover", "own_name", "held_by_confidence", "not_tied",
    "excluded", "unverified", "constraint", "low_score",
)  # fmt: skip
PARTS: Mapping[str, tuple[str, ...]] = {
    "impact": ("breadth", "authority", "reach", "consequence", "cap"),
    "timeliness": ("freshness", "development", "cap"),
    "virality": ("momentum", "engagement", "cap"),
    "relevance": ("entities", "pillars", "triggers", "excluded", "cap"),
    "confidence": ("source", "corroboration", "evidence", "provenance", "cap"),
}
GATES = (
    "constraint", "verified", "not_excluded", "tied", "confidence", "must_cover", "always_cover",
    "optional", "own_name_floor", "watch", "trigger_watch", "own_name_watch",
)  # fmt: skip

TIER = pl.Enum(["A", "B", "C", "unlisted"])
ITEM_TYPE = pl.Enum(list(ITEM_TYPES))
DECISION = pl.Enum([d.value for d in Decision])
REASON = pl.Enum(list(REASONS))
PHASE = pl.Enum(["new", "rising", "steady", "fading"])
DESK_STATE = pl.Enum(["open", "handled", "assigned", "snoozed"])
# Why a story that the desk had put aside is shown again.
REOPENED = pl.Enum(["snooze_over", "must_cover", "block", "disputed"])
ALERT_KIND = pl.Enum(list(RULES_BY_KIND))
ALERT_RULE = pl.Enum(list(ALERT_RULES))
MUTED_BY = pl.Enum(["handled", "snoozed", "cool_down", "limit", "quiet_hours"])
COMPONENT = pl.Enum(list(COMPONENTS))
INSTANT = pl.Datetime("us", "UTC")
# The smallest step of an instant: windows are half open, so a day ends one tick before the next.
TICK = timedelta(microseconds=1)
NAMES = pl.List(pl.String)
METRICS = ("reactions", "comments", "shares", "views")

COORDINATION = pl.List(
    pl.Struct(
        {"account_a": pl.String, "account_b": pl.String, "n_objects": pl.Int64, "median_gap_s": pl.Float64}
    )
)
MODIFIERS = pl.List(pl.Struct({"name": pl.String, "component": COMPONENT, "points": pl.Int16}))
PARTS_STRUCT = pl.Struct({c: pl.Struct(dict.fromkeys(names, pl.Int16())) for c, names in PARTS.items()})
SCORES_STRUCT = pl.Struct(dict.fromkeys(COMPONENTS, pl.Int16()))
GATES_STRUCT = pl.Struct(dict.fromkeys(GATES, pl.Int16()))

Columns = Mapping[str, Any]
Schema = pa.DataFrameSchema
SchemaErrors = pa.errors.SchemaErrors

ITEM: Columns = {
    "item_id": pl.String,
    "revision": pl.Int32,
    "item_type": ITEM_TYPE,
    "source": pl.String,
    "url": pl.String,
    "target_url": pl.String,
    "domain": pl.String,
    "publisher": pl.String,
    "account": pl.String,
    "author": pl.String,
    "language": pl.String,
    "title": pl.String,
    "summary": pl.String,
    "published_at": INSTANT,
    "collected_at": INSTANT,
    "seen_at": INSTANT,
    "reactions": pl.Int64,
    "comments": pl.Int64,
    "shares": pl.Int64,
    "views": pl.Int64,
    "followers": pl.Int64,
    "claims": NAMES,
    "evidence": NAMES,
    "risk_flags": NAMES,
    "lost": NAMES,
    "content_hash": pl.String,
}
OBSERVATION: Columns = {
    "item_id": pl.String,
    "observed_at": INSTANT,
    "reactions": pl.Int64,
    "comments": pl.Int64,
    "shares": pl.Int64,
    "views": pl.Int64,
    # Which content was seen then: an item says what its last sighting said.
    "content_hash": pl.String,
}
SIGNAL: Columns = {
    "tier": TIER,
    "audience": pl.Int64,
    "role": pl.String,
    "mixed_script": pl.Boolean,
    "entities": NAMES,
    "entities_in_title": NAMES,
    "pillars": NAMES,
    "pillars_in_title": NAMES,
    "triggers": NAMES,
    "triggers_in_title": NAMES,
    "forbidden": NAMES,
    "forbidden_in_title": NAMES,
    "excluded": pl.Boolean,
    "is_denial": pl.Boolean,
    "sentiment": pl.Float64,
    "copy_of": pl.String,
    "story_id": pl.String,
    "is_coordinated": pl.Boolean,
    "coordinated_share": pl.Float64,
    "n_coordinated": pl.Int64,
    "coordination": COORDINATION,
    "n_items": pl.Int64,
    "n_outlets": pl.Int64,
    "n_publishers": pl.Int64,
    "n_publishers_ab": pl.Int64,
    "n_other_publishers_ab": pl.Int64,
    "n_unlisted": pl.Int64,
    "n_adopters_ab": pl.Int64,
    "best_tier": TIER,
    "first_seen_at": INSTANT,
    "last_seen_at": INSTANT,
    "last_new_publisher_at": INSTANT,
    "velocity_h": pl.Float64,
    "burst": pl.Float64,
    "engagement": pl.Float64,
    "engagement_ratio": pl.Float64,
    "age_h": pl.Float64,
    "future_dated": pl.Boolean,
    "disputed": pl.Boolean,
    "misinfo_risk": pl.Float64,
    "misinfo_evidence": NAMES,
}
SCORE: Columns = {
    "parts": PARTS_STRUCT,
    "base": SCORES_STRUCT,
    "modifiers": MODIFIERS,
    "scores": SCORES_STRUCT,
    "total": pl.Int16,
}
OUTCOME: Columns = {
    "gates": GATES_STRUCT,
    "decision": DECISION,
    "reason": REASON,
    "rank": pl.Int32,
    "is_lead": pl.Boolean,
}
RECORD: Columns = {**ITEM, **SIGNAL, **SCORE, **OUTCOME}
STORY: Columns = {
    "story_id": pl.String,
    "lead_item_id": pl.String,
    "title": pl.String,
    "url": pl.String,
    "decision": DECISION,
    "effective_decision": DECISION,
    # Which verdict made it so, and which change of state holds; null where nobody said anything.
    "verdict_id": pl.String,
    "state_id": pl.String,
    "reason": REASON,
    "total": pl.Int16,
    "n_items": pl.Int64,
    "n_recorded": pl.Int64,
    "n_outlets": pl.Int64,
    "n_publishers": pl.Int64,
    "n_publishers_ab": pl.Int64,
    "n_unlisted": pl.Int64,
    "publishers": NAMES,
    # Every item of it, those of earlier days too: what its counts were counted over.
    "item_ids": NAMES,
    "best_tier": TIER,
    "first_seen_at": INSTANT,
    "last_seen_at": INSTANT,
    "phase": PHASE,
    # What came in the last hours, and what the hours before make expect: see signals/phases.py.
    "n_recent": pl.Int64,
    "expected_recent": pl.Float64,
    "is_continued": pl.Boolean,
    "disputed": pl.Boolean,
    "desk_state": DESK_STATE,
    "assignee": pl.String,
    "snoozed_until": INSTANT,
    "reopened": REOPENED,
}
REJECT: Columns = {
    "raw_file": pl.String,
    "raw_row": pl.Int64,
    "stage": pl.String,
    "reasons": NAMES,
    "raw": pl.String,
}
SHARE: Columns = {"account": pl.String, "object": pl.String, "shared_at": INSTANT}
BASELINE: Columns = {
    "source": pl.String,
    "median_engagement": pl.Float64,
    "n_items": pl.Int64,
    "span_h": pl.Float64,
}
STORY_RULE: Columns = {"rule": pl.String, "item_a": pl.String, "item_b": pl.String}
VERDICT: Columns = {
    "verdict_id": pl.String,
    "story_id": pl.String,
    # What it was given on: where the story has another id by now, the verdict goes with this item.
    "item_id": pl.String,
    "decision": DECISION,
    "reason": pl.String,
    "given_at": INSTANT,
    "expires_at": INSTANT,
}
# What the desk did with a story; ``decision`` and ``disputed`` are how it stood for the desk then.
STORY_STATE: Columns = {
    "state_id": pl.String,
    "story_id": pl.String,
    "item_id": pl.String,
    "desk_state": DESK_STATE,
    "assignee": pl.String,
    "snoozed_until": INSTANT,
    "decision": DECISION,
    "disputed": pl.Boolean,
    "changed_at": INSTANT,
}
ALERT: Columns = {
    "story_id": pl.String,
    "kind": ALERT_KIND,
    "rule": ALERT_RULE,
    "decision": DECISION,
    "previous_decision": DECISION,
    "title": pl.String,
    "previous_title": pl.String,
    "url": pl.String,
    "lead_item_id": pl.String,
    "total": pl.Int16,
    "why": NAMES,
    "is_escalation": pl.Boolean,
    "raised_at": INSTANT,
    "muted_by": MUTED_BY,
    "muted_until": INSTANT,
}
# Who is never to be taken in again: an account's pseudonym, or the digest of a name in a byline.
ERASURE: Columns = {"kind": pl.Enum(["account", "author"]), "account": pl.String}
# What the past knows of an item is its last revision and the story it was last put into.
HISTORY_ITEM: Columns = {**ITEM, "story_id": pl.String}

_NEVER_NULL = {
    "item_id", "revision", "item_type", "source", "collected_at", "seen_at", "claims", "evidence",
    "risk_flags", "lost", "content_hash", "observed_at", "tier", "mixed_script", "entities",
    "entities_in_title", "pillars", "pillars_in_title", "triggers", "triggers_in_title", "forbidden",
    "forbidden_in_title", "excluded", "is_denial", "story_id", "is_coordinated", "coordinated_share",
    "n_coordinated", "coordination", "n_items", "n_outlets", "n_publishers", "n_publishers_ab",
    "n_other_publishers_ab", "n_unlisted", "n_adopters_ab", "best_tier", "future_dated", "disputed",
    "misinfo_risk", "misinfo_evidence", "parts", "base", "modifiers", "scores", "total", "gates",
    "decision", "reason", "rank", "is_lead", "lead_item_id", "effective_decision", "n_recorded",
    "publishers", "item_ids", "phase", "is_continued", "desk_state", "stage", "reasons", "account", "object",
    "shared_at", "rule", "item_a", "item_b", "given_at",
}  # fmt: skip
# Only a share must name its account.
_NULLABLE_IN = {
    "items": {"account"},
    "observations": {"content_hash"},
    "signals": {"account"},
    "records": {"account"},
}
_SHARES_0_1 = ("coordinated_share", "burst", "misinfo_risk")


def _checks(name: str) -> list[pa.Check]:
    if name == "item_id":
        return [pa.Check.str_matches(r"^[0-9a-f]{16}$")]
    if name == "title":
        return [pa.Check.str_length(max_value=1000)]
    if name in (*METRICS, "followers", "audience") or name.startswith("n_"):
        return [pa.Check.ge(0)]
    if name in _SHARES_0_1:
        return [pa.Check.in_range(0, 1)]
    if name == "sentiment":
        return [pa.Check.in_range(-1, 1)]
    if name in (
        "velocity_h", "engagement", "engagement_ratio", "age_h", "span_h", "median_engagement",
        "expected_recent",
    ):  # fmt: skip
        # Polars orders NaN above every number, so a lower bound alone would let it pass.
        return [pa.Check.in_range(0, sys.float_info.max)]
    if name in ("revision", "rank"):
        return [pa.Check.ge(1)]
    if name == "total":
        return [pa.Check.in_range(0, 100)]
    return []


def _schema(name: str, columns: Columns, unique: Iterable[str] = ()) -> pa.DataFrameSchema:
    never_null = _NEVER_NULL - _NULLABLE_IN.get(name, set())
    return pa.DataFrameSchema(
        {
            column: pa.Column(
                dtype, _checks(column), nullable=column not in never_null, unique=column in set(unique)
            )
            for column, dtype in columns.items()
        },
        name=name,
        strict=False,
    )


Items = _schema("items", ITEM, unique=["item_id"])
Observations = _schema("observations", OBSERVATION)
Signals = _schema("signals", {**ITEM, **SIGNAL}, unique=["item_id"])
Records = _schema("records", RECORD, unique=["item_id"])
Stories = _schema("stories", STORY, unique=["story_id"])
Rejects = _schema("rejects", REJECT)


def empty(columns: Columns) -> pl.DataFrame:
    """A frame of these columns with no rows."""
    return pl.DataFrame(schema=dict(columns))


def conform(frame: pl.LazyFrame, columns: Columns) -> pl.LazyFrame:
    """The frame with exactly these columns, in this order; what is missing comes in as null.

    Raises: polars.exceptions.SchemaError at collection where a column has another dtype.
    """
    present = set(frame.collect_schema().names())
    return frame.select(
        pl.col(name).cast(dtype) if name in present else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in columns.items()
    )


def frame_hash(frame: pl.DataFrame) -> str:
    """SHA-256, in hex, of a frame's rows as they stand: equal frames, equal hashes.

    What "the same bytes" means for two runs is this hash of the records sorted by item_id.
    """
    # Parquet keeps no bytes under a null and no view buffers, so what Arrow then writes is canonical.
    stored, arrow = io.BytesIO(), io.BytesIO()
    frame.write_parquet(stored, compression="uncompressed", statistics=False)
    stored.seek(0)
    pl.read_parquet(stored).rechunk().write_ipc(arrow, compat_level=pl.CompatLevel.oldest())
    return hashlib.sha256(arrow.getbuffer()).hexdigest()
