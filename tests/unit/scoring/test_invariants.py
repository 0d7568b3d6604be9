"""The first two invariants of the score, on single rows of signals; the third needs the whole pipeline."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit import schemas
from brandkit.profile import BrandProfile
from tests.frames import AS_OF, BEAT, DESK, SIGNALS, context, item_id, judged, signals

Row = dict[str, Any]

# Weaker means: the next value down, for signals with few values.
TIERS = ["A", "B", "C", "unlisted", None]
KINDS = ["filing", "statement", "article", "post", "other", None]
# Signals that speak for an item. Adverse ones (forbidden, excluded, misinfo_risk, coordination, copy_of,
# future_dated, is_denial) are left out: losing one may well raise a total.
LISTS = {
    "entities": ["Nordlys", "Velmora", "Harbour Board"],
    "pillars": ["labour", "privacy", "prices"],
    "triggers": ["recall", "data breach"],
}
COUNTS = (
    "views", "followers", "audience", "n_outlets", "n_publishers", "n_other_publishers_ab", "n_unlisted",
    "n_adopters_ab",
)  # fmt: skip
FLOATS = ("velocity_h", "engagement_ratio")
SUPPORTING = (
    *COUNTS, *FLOATS, *LISTS, *(f"{name}_in_title" for name in LISTS), "age_h", "last_new_publisher_at",
    "url", "published_at", "evidence", "tier", "best_tier", "item_type",
)  # fmt: skip

counts = st.none() | st.integers(0, 6) | st.sampled_from([17, 18, 40, 200, 10**6, 5 * 10**6, 2**62])
floats = st.none() | st.floats(0, 80) | st.sampled_from([2.0, 38.0, 63.0, 1e300])
shares = st.none() | st.floats(0, 1) | st.sampled_from([0.5, 0.6, 1.0])


@st.composite
def rows(draw: st.DrawFn) -> Row:
    row: Row = {
        **{name: draw(counts) for name in (*COUNTS, "n_coordinated")},
        **{name: draw(floats) for name in FLOATS},
        "age_h": draw(st.none() | st.floats(0, 100)),
        "last_new_publisher_at": draw(
            st.none() | st.sampled_from([AS_OF - timedelta(hours=h) for h in range(14)])
        ),
        "url": draw(st.sampled_from([None, "https://a.example"])),
        "published_at": draw(st.sampled_from([None, AS_OF])),
        "evidence": draw(st.sampled_from([None, [], ["https://b.example"]])),
        "tier": draw(st.sampled_from(TIERS)),
        "best_tier": draw(st.sampled_from(TIERS)),
        "item_type": draw(st.sampled_from(KINDS)),
        "coordinated_share": draw(shares),
        "misinfo_risk": draw(shares),
        "excluded": draw(st.sampled_from([False, False, False, True])),
        "future_dated": draw(st.sampled_from([False, False, True])),
        "copy_of": draw(st.sampled_from([None, "f" * 16])),
        "forbidden": draw(st.sampled_from([[], [], [], ["leaked address"]])),
    }
    for name, known in LISTS.items():
        anywhere = draw(st.lists(st.sampled_from(known), unique=True))
        row[name] = anywhere
        row[f"{name}_in_title"] = [found for found in anywhere if draw(st.booleans())]
    return row


def weaker(name: str, value: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """Null, or a value that says less."""
    if value is None or draw(st.booleans()):
        return None
    if name in COUNTS:
        return draw(st.integers(0, value))
    if name in FLOATS:
        return draw(st.floats(0, value))
    if name == "age_h":
        return draw(st.floats(value, 500))
    if name == "last_new_publisher_at":
        return value - timedelta(hours=draw(st.integers(0, 12)))
    for ladder, names in ((TIERS, ("tier", "best_tier")), (KINDS, ("item_type",))):
        if name in names:
            return draw(st.sampled_from(ladder[ladder.index(value) :]))
    return [kept for kept in value if draw(st.booleans())] if isinstance(value, list) else None


PROFILES = st.sampled_from([DESK, BEAT])


@given(st.lists(rows(), min_size=20, max_size=40), PROFILES)
@settings(max_examples=20)
def test_parts_sum_to_the_component_and_components_to_the_total(
    generated: list[Row], profile: BrandProfile
) -> None:
    for row in judged(signals(*generated), context(profile)).iter_rows(named=True):
        for component in schemas.COMPONENTS:
            assert sum(row["parts"][component].values()) == row["base"][component]
            taken = sum(m["points"] for m in row["modifiers"] if m["component"] == component)
            assert row["base"][component] + taken == row["scores"][component]
            assert 0 <= row["scores"][component] <= getattr(profile.weights, component).total
        assert sum(row["scores"].values()) == row["total"]
        assert all(
            part <= 0 for parts in row["parts"].values() for name, part in parts.items() if name == "cap"
        )


@given(rows(), st.data(), PROFILES)
@settings(max_examples=80)
def test_a_weaker_supporting_signal_never_raises_total_or_decision(
    row: Row, data: st.DataObject, profile: BrandProfile
) -> None:
    lesser = [{**row, name: weaker(name, row[name], data.draw)} for name in SUPPORTING]
    first, *rest = judged(signals(row, *lesser), context(profile)).iter_rows(named=True)
    rung = list(schemas.DECISION.categories).index
    for name, after in zip(SUPPORTING, rest, strict=True):
        said = f"{name}: {row[name]} -> {after[name]}"
        assert after["total"] <= first["total"], said
        # A constraint lies outside the order of decisions.
        if first["reason"] != "constraint":
            assert rung(after["decision"]) <= rung(first["decision"]), said


@given(rows(), st.data())
@settings(max_examples=30)
def test_several_weaker_signals_at_once_never_raise_total_or_decision(row: Row, data: st.DataObject) -> None:
    lost = data.draw(st.sets(st.sampled_from(SUPPORTING), min_size=2))
    lesser = {**row, **{name: weaker(name, row[name], data.draw) for name in sorted(lost)}}
    nothing = {**row, **dict.fromkeys(lost)}
    first, *rest = judged(signals(row, lesser, nothing)).iter_rows(named=True)
    rung = list(schemas.DECISION.categories).index
    for after in rest:
        assert after["total"] <= first["total"]
        assert first["reason"] == "constraint" or rung(after["decision"]) <= rung(first["decision"])


def test_every_signal_the_score_reads_is_supporting_or_adverse() -> None:
    from brandkit.scoring import components, gates, modifiers

    computed = {"parts", "base", "scores", "total", "modifiers"}
    adverse = {
        "forbidden",
        "excluded",
        "misinfo_risk",
        "coordinated_share",
        "n_coordinated",
        "copy_of",
        "future_dated",
    }
    read = {*components.TAKES, *modifiers.TAKES, *gates.TAKES} - computed
    assert read == {*SUPPORTING, *adverse}


def test_a_score_reads_no_column_it_does_not_declare() -> None:
    from brandkit.scoring import components, gates, modifiers

    takes = {*components.TAKES, *modifiers.TAKES, *gates.TAKES} & set(SIGNALS)
    row = judged(signals({}).select("item_id", *sorted(takes)))
    assert row["item_id"].to_list() == [item_id(1)]
    assert row["total"].dtype == pl.Int16
