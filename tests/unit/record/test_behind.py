"""What counts for a signal is what the measure itself counted: held against whole stories."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit import schemas
from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile
from brandkit.record.behind import COUNTS, as_seen, carriers, listing, matches
from brandkit.record.reads import gate_reads, modifier_reads, part_reads
from brandkit.scoring import components, gates, modifiers
from brandkit.signals.mentions import mentions
from brandkit.signals.spread import VELOCITY_WINDOW_H, measure_spread
from tests.frames import AS_OF, BEAT, DESK, judged, signals
from tests.unit.scoring.test_invariants import rows

PUBLISHERS = {"alpha": "A", "beta": "B", "gamma": "C", "nobody": "unlisted", None: "unlisted"}

items = st.fixed_dictionaries(
    {
        "publisher": st.sampled_from(list(PUBLISHERS)),
        "role": st.sampled_from([None, "outlet", "outlet", "portal"]),
        "copy_of": st.sampled_from([None, None, "f" * 16]),
        "is_denial": st.sampled_from([False, False, True]),
        "is_coordinated": st.sampled_from([False, False, False, True]),
        "published_at": st.none() | st.integers(0, 20).map(lambda h: AS_OF - timedelta(hours=h)),
    }
)


def story(many: list[dict[str, Any]]) -> pl.DataFrame:
    """One story of these items, as the stage measures it."""
    given_rows = [{**item, "tier": PUBLISHERS[item["publisher"]]} for item in many]
    return measure_spread(signals(*given_rows).lazy(), as_of=AS_OF).collect()


@given(many=st.lists(items, min_size=1, max_size=7))
@settings(max_examples=15, deadline=None)
def test_the_items_that_count_for_a_fact_of_the_story_make_exactly_that_fact(
    many: list[dict[str, Any]],
) -> None:
    told = story(many)
    row = told.row(0, named=True)
    found = carriers(told, row["item_id"], as_of=AS_OF)
    for name in COUNTS:
        assert found[name]["publisher"].drop_nulls().n_unique() == row[name], name
    if row["velocity_h"] is not None:
        assert round(found["velocity_h"].height / VELOCITY_WINDOW_H, 4) == row["velocity_h"]
    if row["publisher"] is not None:
        assert found["n_other_publishers_ab"]["publisher"].n_unique() == row["n_other_publishers_ab"]
    assert found["best_tier"].is_empty() == (row["best_tier"] == "unlisted")
    assert set(found["best_tier"]["tier"]) <= {row["best_tier"]}
    assert found["last_new_publisher_at"].is_empty() == (row["last_new_publisher_at"] is None)


def test_an_item_that_no_run_recorded_counts_for_nothing_and_breaks_nothing() -> None:
    told = pl.concat([story([{"publisher": "alpha"}, {"publisher": "beta"}]),
                      signals({"item_id": "e" * 16}).select(*schemas.ITEM)], how="diagonal")  # fmt: skip
    assert carriers(told, told["item_id"][0], as_of=AS_OF)["n_outlets"].height == 2


# What reads what


def test_together_the_parts_and_modifiers_and_gates_read_what_their_stages_take() -> None:
    for profile in (DESK, BEAT):
        parts = {name for names in part_reads(profile).values() for name in names}
        assert parts == set(components.TAKES)
        applied = {name for names in modifier_reads(profile).values() for name in names}
        evidence = {modifier.evidence for modifier in modifiers.MODIFIERS}
        assert applied == (set(modifiers.TAKES) - {"base"}) | evidence
        assert {path[0] for paths in gate_reads(profile).values() for path in paths} <= set(gates.TAKES)


def test_a_gate_is_traced_to_the_very_fields_it_reads() -> None:
    reads = gate_reads(DESK)
    assert set(reads) == set(schemas.GATES)
    assert reads["must_cover"] == (("total",),)
    assert reads["verified"] == (("scores", "confidence"),)
    assert set(reads["tied"]) == {
        ("parts", "relevance", "entities"), ("parts", "relevance", "pillars"), ("excluded",)
    }  # fmt: skip
    assert ("base", "virality") in reads["own_name_watch"]


@given(one=rows(), other=rows(), part=st.sampled_from(sorted(part_reads(DESK))))
@settings(max_examples=15, deadline=None)
def test_a_part_depends_on_nothing_but_the_signals_it_is_said_to_read(
    one: dict[str, Any], other: dict[str, Any], part: tuple[str, str]
) -> None:
    component, name = part
    read = part_reads(DESK)[part]
    if part == ("relevance", "excluded"):
        other = {**other, **{of: one[of] for of in one if of.startswith(("entities", "pillars", "triggers"))}}
    mixed = {**other, **{signal: one[signal] for signal in read if signal in one}}
    made = judged(signals(one, mixed))
    points = made["parts"].struct.field(component).struct.field(name)
    assert points[0] == points[1]


# The profile's terms, and the lists


DESK_WITH_ALIASES = BrandProfile.from_dict(
    {
        "id": "desk",
        "own": [{"name": "Nordlys", "terms": ["Nordlys", "Northern Light"]}],
        "rivals": ["Velmora"],
        "pillars": [{"name": "prices", "terms": ["price", {"phrase": "cost", "near": ["living"]}]}],
        "triggers": ["recall"],
        "forbidden": {"phrases": ["leaked address"]},
        "exclusions": {"terms": ["horoscope"]},
        "sources": {"tiers": {"alpha.example": "A", ".gov.example": "B"},
                    "audiences": {"alpha.example": 9000}, "use_defaults": False},
    }
)  # fmt: skip


def said(title: str, summary: str = "") -> list[tuple[str, str, bool]]:
    item = signals({"title": title, "summary": summary})
    return [(m.table, m.term.phrase, m.in_title) for m in matches(item, DESK_WITH_ALIASES)]


def test_a_match_names_the_table_the_term_and_the_place() -> None:
    assert said("Northern Light recall", "The price of Velmora, and the cost of living") == [
        ("own", "Northern Light", True),
        ("rivals", "Velmora", False),
        ("pillars", "price", False),
        ("pillars", "cost", False),
        ("triggers", "recall", True),
    ]
    assert said("Horoscope: leaked address") == [
        ("forbidden", "leaked address", True),
        ("exclusions", "horoscope", True),
    ]
    assert said("Costly things") == []


@given(title=st.lists(st.sampled_from(
    ["Nordlys", "northern", "light", "price", "cost", "living", "recall", "horoscope", "leaked", "address"]
), max_size=7))  # fmt: skip
@settings(max_examples=15, deadline=None)
def test_the_terms_that_match_are_those_that_made_the_signal(title: list[str]) -> None:
    item = signals({"title": " ".join(title)})
    context = RunContext(profile=DESK_WITH_ALIASES, as_of=AS_OF, window_start=AS_OF)
    made = mentions(item.lazy().select(*schemas.ITEM), context).collect().row(0, named=True)
    found = matches(item, DESK_WITH_ALIASES)
    for signal, tables in {"entities": {"own", "rivals", "watched"}, "pillars": {"pillars"},
                           "triggers": {"triggers"}, "forbidden": {"forbidden"}}.items():  # fmt: skip
        assert sorted({m.name for m in found if m.table in tables}) == made[signal]


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({"domain": "alpha.example", "tier": "A"},
         "alpha.example in the profile's sources (tier A, audience 9,000)"),
        ({"domain": "tax.gov.example", "tier": "B"}, ".gov.example in the profile's sources (tier B)"),
        ({"domain": "court.gov.uk", "tier": "A"}, "a name that only public bodies are given"),
        ({"domain": "nobody.example", "tier": "unlisted"}, "on no list"),
        ({"domain": None, "tier": "unlisted"}, "on no list"),
    ],
)  # fmt: skip
def test_a_tier_is_traced_to_its_line(row: dict[str, Any], line: str) -> None:
    assert listing({"publisher": row["domain"], **row}, DESK_WITH_ALIASES) == line


def test_the_packaged_list_is_named_as_such() -> None:
    row = {"domain": "reuters.com", "publisher": "reuters", "tier": "A"}
    assert listing(row, DESK).startswith("reuters.com in the packaged list (")


def test_what_no_run_recorded_is_measured_again_as_the_run_saw_it() -> None:
    pair = {"account_a": "a_1", "account_b": "a_2", "n_objects": 2, "median_gap_s": 1.0}
    text = "Nordlys orders a recall of its oat drink as prices rise"
    told = signals(
        {"title": text, "publisher": "alpha", "tier": "A", "coordination": [pair], "copy_of": "f" * 16},
        {"title": text, "domain": "alpha.example", "publisher": "alpha.example", "published_at": AS_OF},
        {"title": "Nordlys denies it", "source": "forum", "item_type": "post", "account": "a_2"},
    )  # fmt: skip
    known = told.head(1).with_columns(run_id=pl.lit("desk.daily.2026-03-02.1"))
    stored = pl.concat([known, told.tail(2).select(*schemas.ITEM)], how="diagonal")
    seen = as_seen(stored, DESK_WITH_ALIASES, as_of=AS_OF).sort("item_id")
    assert seen.head(1).equals(known)
    assert seen["tier"].to_list() == ["A", "A", "unlisted"]
    assert seen["is_denial"].to_list() == [False, False, True]
    assert seen["is_coordinated"].to_list() == [False, False, True]
    # Its own is an earlier copy of the same text, seen an hour before it was published.
    assert seen["copy_of"].to_list() == ["f" * 16, told["item_id"][0], None]
    assert as_seen(known, DESK_WITH_ALIASES, as_of=AS_OF) is known
