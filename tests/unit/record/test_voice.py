from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit.errors import UnknownError, UsageError
from brandkit.record.voice import TIERS, VOICE, share_of_voice, summed
from brandkit.signals.sentiment import TONES

MONDAY, TUESDAY, WEDNESDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)
NAMES = {"own": ["Nordlys"], "rival": ["Velmora"]}
SCHEMA = {
    "run_on": pl.Date, "item_id": pl.String, "story_id": pl.String, "entities": pl.List(pl.String),
    "tier": pl.String, "sentiment": pl.Float64, "copy_of": pl.String,
}  # fmt: skip


def records(*rows: dict[str, Any]) -> pl.DataFrame:
    usual = {"run_on": MONDAY, "entities": ["Nordlys"], "tier": "A"}
    full = [{"item_id": f"i{n}", "story_id": "s", **usual, **row} for n, row in enumerate(rows)]
    return pl.DataFrame([{name: row.get(name) for name in SCHEMA} for row in full], schema=SCHEMA)


def cells(found: pl.DataFrame) -> list[tuple[Any, ...]]:
    """The cells with anything in them."""
    return (
        found.filter((pl.col("n_items") > 0) | (pl.col("n_stories") > 0))
        .select("name", "tier", "tone", "n_items", "n_stories")
        .rows()
    )


def test_items_count_where_they_stand_and_a_story_once_under_its_best_tier_and_median_tone() -> None:
    found = share_of_voice(
        records(
            {"tier": "C", "sentiment": -0.9},
            {"tier": "B", "sentiment": -0.2},
            {"tier": "unlisted", "sentiment": 0.3},
        ),
        NAMES,
    )
    # The best of C, B and unlisted is B; the median of -.9, -.2 and .3 is -.2.
    assert cells(found) == [
        ("Nordlys", "B", "negative", 1, 1),
        ("Nordlys", "C", "negative", 1, 0),
        ("Nordlys", "unlisted", "positive", 1, 0),
    ]


def test_copies_are_items_of_their_own_and_no_voice_in_the_tone_of_their_story() -> None:
    copy = {"copy_of": "i0", "sentiment": -0.6}
    first = {"sentiment": -0.6}
    found = share_of_voice(records(first, copy, copy, {"sentiment": 0.8}), NAMES)
    # Four items; the originals' median is (-.6 + .8) / 2 = .1.
    assert cells(found) == [("Nordlys", "A", "negative", 3, 0), ("Nordlys", "A", "positive", 1, 1)]


def test_a_story_of_which_only_copies_name_somebody_has_their_tone() -> None:
    found = share_of_voice(records({"copy_of": "i9", "sentiment": -0.6}), NAMES)
    assert cells(found) == [("Nordlys", "A", "negative", 1, 1)]


def test_an_item_of_two_names_counts_for_both_and_a_name_said_twice_once() -> None:
    found = share_of_voice(records({"entities": ["Nordlys", "Velmora", "Nordlys", "Stranger"]}), NAMES)
    assert cells(found) == [("Nordlys", "A", "unmeasured", 1, 1), ("Velmora", "A", "unmeasured", 1, 1)]
    assert found["share_items"].drop_nulls().sum() == 1.0


def test_a_story_has_the_tone_of_what_names_each_name() -> None:
    found = share_of_voice(
        records({"sentiment": 0.5}, {"sentiment": -0.5, "entities": ["Velmora"], "tier": "B"}), NAMES
    )
    assert cells(found) == [("Nordlys", "A", "positive", 1, 1), ("Velmora", "B", "negative", 1, 1)]


def test_what_was_not_measured_is_not_neutral_and_no_part_of_a_median() -> None:
    found = share_of_voice(records({"sentiment": None}, {"sentiment": 0.0}, {"sentiment": 0.4}), NAMES)
    # The median of 0 and .4 is .2.
    assert cells(found) == [
        ("Nordlys", "A", "neutral", 1, 0),
        ("Nordlys", "A", "positive", 1, 1),
        ("Nordlys", "A", "unmeasured", 1, 0),
    ]


def test_a_day_that_was_looked_at_has_zeros_and_any_other_has_no_row() -> None:
    found = share_of_voice(records({"run_on": WEDNESDAY}), NAMES, days=[MONDAY])
    assert found["day"].unique().sort().to_list() == [MONDAY, WEDNESDAY]
    quiet = found.filter(pl.col("day") == MONDAY)
    assert quiet.height == len(NAMES) * len(TIERS) * len(TONES)
    assert quiet.select("n_items", "n_stories").sum().row(0) == (0, 0)
    # Nobody's part of nothing is no share.
    assert quiet["share_items"].null_count() == quiet.height
    velmora = found.filter((pl.col("day") == WEDNESDAY) & (pl.col("name") == "Velmora"))
    assert velmora["share_items"].to_list() == [0.0] * (len(TIERS) * len(TONES))


def test_shares_are_of_the_days_sum_over_all_names() -> None:
    rival = {"entities": ["Velmora"]}
    found = summed(share_of_voice(records({}, {}, {}, {**rival, "story_id": "t"}), NAMES))
    assert found.select("name", "n_items", "share_items", "n_stories", "share_stories").rows() == [
        ("Nordlys", 3, 3 / 4, 1, 1 / 2),
        ("Velmora", 1, 1 / 4, 1, 1 / 2),
    ]


def test_days_follow_the_desks_clock_where_no_run_gave_one() -> None:
    late = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    frame = pl.DataFrame({"item_id": ["a"], "entities": [["Nordlys"]], "collected_at": [late]})
    assert set(share_of_voice(frame, NAMES)["day"]) == {MONDAY}
    assert set(share_of_voice(frame, NAMES, timezone="Europe/Oslo")["day"]) == {TUESDAY}


def test_items_without_a_story_are_stories_of_their_own() -> None:
    found = share_of_voice(records({"story_id": None}, {"story_id": None}, {"story_id": "i0"}), NAMES)
    assert cells(found) == [("Nordlys", "A", "unmeasured", 3, 3)]


def test_a_frame_of_nothing_but_what_it_needs_is_counted() -> None:
    frame = pl.LazyFrame(
        {"run_on": [MONDAY, MONDAY], "item_id": ["a", "b"], "entities": [["Nordlys"], None]},
        schema_overrides={"entities": pl.List(pl.String)},
    )
    found = share_of_voice(frame, NAMES)
    assert dict(found.schema) == {name: pl.Schema({name: dtype})[name] for name, dtype in VOICE.items()}
    assert cells(found) == [("Nordlys", "unlisted", "unmeasured", 1, 1)]
    assert share_of_voice(records(), NAMES).is_empty()


def test_a_tier_that_is_none_is_refused_and_no_number_is_no_praise() -> None:
    with pytest.raises(UsageError, match="'D' is no tier\n.*A, B, C, unlisted"):
        share_of_voice(records({"tier": "D"}), NAMES)
    found = share_of_voice(records({"sentiment": float("nan")}, {"sentiment": -0.4}), NAMES)
    assert cells(found) == [("Nordlys", "A", "negative", 1, 1), ("Nordlys", "A", "unmeasured", 1, 0)]


def test_a_time_zone_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="'Mars/Base' is no time zone"):
        share_of_voice(records({}), NAMES, timezone="Mars/Base")


HOSTILE = ["=1+1", "<b>x</b>", "[/red]", "a\u202eb", "", "💥"]


def test_a_hostile_name_is_a_name() -> None:
    found = share_of_voice(records(*({"entities": [name]} for name in HOSTILE)), {"watched": HOSTILE})
    assert {row[0] for row in cells(found)} == set(HOSTILE)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"own": ["Nordlys"], "rival": ["Nordlys"]}, "'Nordlys' is own and rival"),
        ({"own": "Nordlys"}, "the own names are one text: 'Nordlys'"),
    ],
)
def test_names_that_are_not_right_are_refused(names: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        share_of_voice(records({}), names)


def test_an_unknown_kind_of_name_is_refused_with_the_near_one() -> None:
    with pytest.raises(UnknownError, match="did you mean 'rival'"):
        share_of_voice(records({}), {"rivals": ["Velmora"]})


def test_records_of_two_attempts_are_refused_for_an_item_would_count_twice() -> None:
    with pytest.raises(UsageError, match="item i0 stands twice on 2026-03-02"):
        share_of_voice(records({"item_id": "i0"}, {"item_id": "i0"}), NAMES)


@pytest.mark.parametrize(
    ("lacks", "said"),
    [("item_id", "item_id"), ("entities", "entities"), ("run_on", "run_on or collected_at")],
)
def test_records_that_lack_a_column_say_which(lacks: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"records without {said}"):
        share_of_voice(records({}).drop(lacks), NAMES)


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "run_on": st.sampled_from([MONDAY, TUESDAY]),
            "story_id": st.sampled_from(["s", "t", None]),
            "entities": st.lists(st.sampled_from(["Nordlys", "Velmora", "Stranger"]), max_size=3),
            "tier": st.sampled_from([*TIERS, None]),
            "sentiment": st.sampled_from([-0.5, -0.05, 0.0, 0.05, 0.5, None]),
            "copy_of": st.sampled_from([None, None, "i0"]),
        }
    ),
    max_size=8,
)


@settings(max_examples=30, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_cells_add_up_to_all_there_is_and_no_order_matters(rows: list[dict[str, Any]], random: Any) -> None:
    frame = records(*rows)
    found = share_of_voice(frame, NAMES)
    for name in ("Nordlys", "Velmora"):
        said = [row for row in rows if name in row["entities"]]
        stories = {
            (row["run_on"], row["story_id"] or n) for n, row in enumerate(rows) if name in row["entities"]
        }
        mine = found.filter(pl.col("name") == name)
        assert (mine["n_items"].sum(), mine["n_stories"].sum()) == (len(said), len(stories))
    by_day = found.group_by("day").agg(pl.col("n_items", "share_items", "share_stories").sum())
    for _, n, *shares in by_day.rows():
        assert shares == ([pytest.approx(1.0)] * 2 if n else [0.0, 0.0])
    totals = summed(found)
    assert (
        totals["n_items"].to_list() == totals.select(pl.sum_horizontal(r"^items_.*$")).to_series().to_list()
    )
    assert (
        totals["n_stories"].to_list()
        == totals.select(pl.sum_horizontal(r"^stories_.*$")).to_series().to_list()
    )
    order = random.sample(range(len(rows)), len(rows))
    assert share_of_voice(frame[order], NAMES).equals(found)
