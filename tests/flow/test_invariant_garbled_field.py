"""The third invariant: losing a field never makes an item more important than it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import brandkit as bk
from brandkit.pipeline import RunContext, Stage
from brandkit.schemas import DECISION

# The package gives the function of this name, not the module.
assessing = import_module("brandkit.assess")
AS_OF = datetime(2026, 3, 2, 7, tzinfo=UTC)
PROFILE = bk.BrandProfile.from_dict(
    {
        "id": "desk",
        "own": ["Nordlys"],
        "rivals": ["Velmora"],
        "pillars": ["layoffs", "privacy"],
        "triggers": ["recall"],
        "sources": {
            "use_defaults": False,
            "tiers": {"alpha.example": "A", "beta.example": "B", "gamma.example": "C", "delta.example": "A"},
            "families": {"delta.example": "alpha"},
            "audiences": {"alpha.example": 3_000_000, "beta.example": 40_000},
        },
    }
)
# What may be lost; a field that carried an adverse fact (risk, coordination, copy) is out of this.
FIELDS = (
    "author", "published_at", "views", "followers", "reactions", "comments", "shares", "evidence", "url",
    "publisher",
)  # fmt: skip
GARBLED = ("", "n/a", "???", "-1", "\x00", "1e999", "2026-13-45", "http://", "javascript:alert(1)")
TITLES = (
    "Nordlys recall: layoffs at the Bergen plant follow", "Velmora and Nordlys argue over privacy of buyers",
    "A quiet day on the fjord with nothing to report at all", "Privacy board opens a case against Velmora",
)  # fmt: skip
DOMAINS = ("alpha.example", "beta.example", "gamma.example", "delta.example", "nowhere.example")

counts = st.none() | st.integers(0, 50) | st.sampled_from([400, 90_000, 5_000_000])


@st.composite
def raw_items(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for number in range(draw(st.integers(2, 5))):
        hours = draw(st.integers(0, 30))
        kind = draw(st.sampled_from(["article", "post", "filing", "statement"]))
        domain = draw(st.sampled_from(DOMAINS))
        rows.append(
            {
                "native_id": f"n{number}",
                "item_type": kind,
                "source": draw(st.sampled_from(["wire", "forum"])),
                # An item that has an id of its own keeps its identity when its address is lost.
                "url": f"https://{domain}/{number}",
                "account": f"account{number}" if kind == "post" else None,
                "author": draw(st.sampled_from([None, "N. N."])),
                "title": draw(st.sampled_from(TITLES)),
                "published_at": (AS_OF - timedelta(hours=hours, minutes=5)).isoformat(),
                "collected_at": (AS_OF - timedelta(minutes=5)).isoformat(),
                "evidence": draw(st.sampled_from([None, "https://proof.example/1"])),
                **{name: draw(counts) for name in ("reactions", "comments", "shares", "views", "followers")},
            }
        )
    return rows


def judged(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Every row's record, by its native id."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = {name: [None if row.get(name) is None else str(row[name]) for row in rows] for name in names}
    found = bk.assess(pl.LazyFrame(text, schema=dict.fromkeys(names, pl.String)), PROFILE, as_of=AS_OF)
    return {row["title"]: row for row in found.records.iter_rows(named=True)}


def one_story(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    return items.with_columns(story_id=pl.lit("s1"))


def no_copies(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    return items.with_columns(copy_of=pl.lit(None, pl.String))


@pytest.fixture
def membership_held_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every item in one story, none a copy: losing a time or a link must not move it elsewhere."""
    pipeline = assessing.standard_pipeline()
    fixed = {"stories": one_story, "copies": no_copies}
    stages = tuple(
        Stage(s.name, fixed.get(s.name, s.run), gives=s.gives, checkpoint=s.checkpoint)
        for s in pipeline.stages
    )
    monkeypatch.setattr(assessing, "standard_pipeline", lambda: type(pipeline)(stages))


@given(raw_items(), st.data())
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_lost_or_garbled_field_never_raises_its_items_total_or_decision(
    membership_held_fixed: None, rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    for number, row in enumerate(rows):
        row["title"] = f"{row['title']} ({number})"
    whole = judged(rows)
    at = data.draw(st.integers(0, len(rows) - 1))
    rung = list(DECISION.categories).index
    for field in data.draw(st.lists(st.sampled_from(FIELDS), min_size=3, max_size=3, unique=True)):
        lost = data.draw(st.none() | st.sampled_from(GARBLED))
        after = judged([{**row, field: lost} if number == at else row for number, row in enumerate(rows)])
        before, now = whole[rows[at]["title"]], after.get(rows[at]["title"])
        if now is None:
            continue  # refused with a reason: it cannot outrank anything
        said = f"{field}: {rows[at].get(field)!r} -> {lost!r}"
        assert now["total"] <= before["total"], said
        assert rung(now["decision"]) <= rung(before["decision"]), said
