"""What a week says, from literal frames: each story once, days without a run as gaps, paths told as one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from brandkit.profile import BrandProfile
from brandkit.record.series import Days
from brandkit.report import agreement, followed, labour, trends, week
from brandkit.report.charts import png
from brandkit.report.week import ORDER, Week
from brandkit.schemas import DECISION, DESK_STATE
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore
from tests.unit.report.briefs import run_row

PROFILE = BrandProfile.from_dict({"id": "desk", "own": ["Nordlys"]})
MON, TUE, WED, THU = (date(2026, 3, day) for day in (2, 3, 4, 5))


def run(day: date, *, n_items: int = 10, code: str = "c", profile_hash: str = "p") -> RunRow:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return run_row(
        PROFILE, run_id=f"desk.daily.{day}.1", run_on=day, window_start=at, as_of=at,
        counts={"records": n_items, "rejected": day.day}, versions={"code": code}, profile_hash=profile_hash,
    )  # fmt: skip


def stories(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """Story, day and decision; the score's own decision may stand behind it."""
    return pl.DataFrame(
        [
            {
                "run_id": f"desk.daily.{day}.1", "run_on": day, "story_id": story, "url": None, "total": 50,
                "lead_item_id": f"{story}-{day.day}", "title": f"{story} on {day.day}",
                "decision": (own or [decision])[0], "effective_decision": decision, "desk_state": "open",
            }
            for story, day, decision, *own in rows
        ],
        schema={
            "run_id": pl.String, "run_on": pl.Date, "story_id": pl.String, "lead_item_id": pl.String,
            "title": pl.String, "url": pl.String, "decision": DECISION, "effective_decision": DECISION,
            "total": pl.Int16, "desk_state": DESK_STATE,
        },
    )  # fmt: skip


NOT_MERGED = pl.DataFrame(schema={"story_id": pl.String, "ends_as": pl.String})
# Opened by the tests that read from it, and by no other.
UNREAD = StateStore("unread.duckdb")


def of(rows: pl.DataFrame, *runs: RunRow, before: Days | None = None, store: StateStore = UNREAD,
       **known: Any) -> Week:  # fmt: skip
    listed = pl.DataFrame({"run_id": [row.run_id for row in runs], "run_on": [row.run_on for row in runs],
                           "status": ["complete"] * len(runs)})  # fmt: skip
    found = Week(store, Days("desk", MON, THU, runs), before, listed)
    merged = known.pop("merged", {})
    names = pl.DataFrame({"story_id": list(merged), "ends_as": list(merged.values())},
                         schema={"story_id": pl.String, "ends_as": pl.String})  # fmt: skip
    # What is read from a store elsewhere stands here as it is.
    vars(found).update({"stories": rows, "last_names": names, "comparisons": (), **known})
    return found


def test_each_story_counts_once_by_the_most_it_came_to() -> None:
    rows = stories(("a", MON, "watch"), ("a", TUE, "must_cover"), ("a", THU, "drop"), ("b", MON, "block"),
                   ("b", TUE, "optional"), ("c", MON, "drop"))  # fmt: skip
    once = {"must_cover": 1, "block": 1, "optional": 0, "watch": 0, "drop": 1}
    assert week.most(week.named(rows, NOT_MERGED)) == once
    assert week.most(week.named(rows.clear(), NOT_MERGED)) == dict.fromkeys(ORDER, 0)
    merged = pl.DataFrame({"story_id": ["b"], "ends_as": ["a"]})
    assert week.most(week.named(rows, merged)) == {**once, "block": 0}


def test_a_day_without_a_run_is_not_known_and_a_run_without_stories_is_zero() -> None:
    found = week.by_day(
        of(stories(("a", MON, "must_cover"), ("b", MON, "drop")), run(MON), run(WED, n_items=0))
    )
    assert found.select("day", "items", "stories", "must_cover", "drop").rows() == [
        (MON, 10, 2, 1, 1), (TUE, None, None, None, None), (WED, 0, 0, 0, 0), (THU, None, None, None, None),
    ]  # fmt: skip
    assert trends.between(found["must_cover"].to_list()) == "0 to 1 a day"


def test_the_mean_day_before_is_over_its_runs_not_over_its_days() -> None:
    runs = (run(date(2026, 2, 27), n_items=4), run(date(2026, 3, 1), n_items=8))
    earlier = Days("desk", date(2026, 2, 26), date(2026, 3, 1), runs)
    then = stories(("a", date(2026, 2, 27), "must_cover"), ("b", date(2026, 3, 1), "drop"))
    found = of(
        stories(("a", MON, "drop")),
        run(MON),
        before=earlier,
        stories_before=then,
        last_names_before=NOT_MERGED,
    )
    assert {name: week.means_before(found)[name] for name in ("items", "stories", "must_cover")} == {
        "items": (4 + 8) / 2, "stories": 2 / 2, "must_cover": 1 / 2,
    }  # fmt: skip
    assert week.against_before(found) == (
        "The 4 days before (2 runs): 1 came to must cover, 0 to block, 0 to optional, 0 to watch."
    )
    assert week.means_before(of(stories(), run(MON))) == {}
    assert (
        week.against_before(of(stories(), run(MON)))
        == "The 4 days before have no finished run to compare with."
    )


def test_the_week_in_one_line_names_the_days_without_a_run() -> None:
    found = of(stories(("a", MON, "must_cover"), ("a", WED, "watch")), run(MON), run(WED, n_items=1))
    assert week.headline(found) == (
        "4 days, 2 runs (Tue 3 and Thu 5 without one): 11 items in 1 story. "
        "1 came to must cover, 0 to block, 0 to optional and 0 to watch."
    )
    assert week.headline(of(stories(), run(MON, n_items=0))).endswith("No items were collected.")


def test_a_story_is_followed_through_its_days_and_told_under_its_last_name() -> None:
    rows = stories(
        ("a", MON, "watch"), ("a", TUE, "must_cover"),
        # a went into b, which nobody promoted by itself.
        ("b", MON, "drop"), ("b", WED, "optional"),
        ("c", MON, "watch"), ("d", WED, "block"),
    )  # fmt: skip
    found = followed.followed(of(rows, run(MON), run(TUE), run(WED), merged={"a": "b", "d": "d"}))
    days = [str(day) for day in (MON, TUE, WED, THU)]
    assert found.select("story_id", "title", "n_asking", "is_moved", *days).rows() == [
        ("b", "b on 4", 2, True, "watch", "must_cover", "optional", None),
        ("d", "d on 4", 1, False, None, None, "block", None),
    ]
    assert followed.in_words(found) == (
        "2 stories were promoted or blocked on some day: 1 moved, 1 stood on one day only."
    )
    assert followed.followed(of(rows.filter(story_id="c"), run(MON))).is_empty()


def test_the_order_of_rows_does_not_matter_to_what_is_followed() -> None:
    rows = stories(*((name, day, "optional") for name in "cab" for day in (TUE, MON)))
    one, other = (followed.followed(of(frame, run(MON), run(TUE))) for frame in (rows, rows.reverse()))
    assert one.equals(other)


def test_a_verdict_is_told_on_the_first_day_it_stood_and_many_moves_are_cut() -> None:
    rows = stories(("a", MON, "watch"), ("a", TUE, "must_cover", "watch"), ("a", WED, "must_cover", "watch"))
    found = of(rows, run(MON), run(TUE), run(WED))
    assert followed.moves(found, followed.followed(found)) == ["Tue 3 an editor's verdict"]
    assert followed._cut(["a", "b", "c", "d", "e"]) == "a; b; c; and 2 more"


def test_agreement_counts_each_side_and_crosses_what_was_decided_with_what_was_said() -> None:
    said = pl.DataFrame(
        {"decision": ["watch", "watch", "must_cover"], "verdict": ["watch", "must_cover", "drop"],
         "rungs_off": [0, -2, 4]},
        schema={"decision": DECISION, "verdict": DECISION, "rungs_off": pl.Int64},
    )  # fmt: skip
    assert agreement.in_words(said).endswith(
        "1 (33%) said what was decided, 1 wanted less of the story and 1 more."
    )
    assert agreement.crossed(said).select("decision", "must_cover", "watch", "drop").rows() == [
        ("must_cover", 0, 0, 1), ("watch", 1, 1, 0),
    ]  # fmt: skip


def test_work_of_a_day_without_a_run_is_not_known_and_what_is_put_aside_is_counted(tmp_path: Path) -> None:
    rows = stories(("a", MON, "must_cover"), ("b", MON, "block"), ("c", MON, "watch")).with_columns(
        desk_state=pl.when(pl.col("story_id") != "b")
        .then(pl.lit("handled", DESK_STATE))
        .otherwise("desk_state")
    )
    store = StateStore(tmp_path / "desk.duckdb")
    found = labour.by_day(of(rows, run(MON), run(TUE, n_items=0), store=store))
    assert found.select("day", "asking", "must_cover", "block", "handled", "alerts", "verdicts").rows() == [
        (MON, 2, 1, 1, 1, 0, 0), (TUE, 0, 0, 0, 0, 0, 0),
        (WED, None, None, None, None, None, 0), (THU, None, None, None, None, None, 0),
    ]  # fmt: skip
    assert labour.in_words(found) == (
        "1.0 stories a day to look at, most on Mon 2 (2); 0 alerts raised, 0 verdicts given."
    )


def test_a_source_that_usually_delivers_and_is_silent_now_is_named() -> None:
    seen = [("steady", MON, 3), ("steady", TUE, 1), ("steady", WED, 2), ("gone", MON, 5), ("gone", TUE, 5),
            ("once", MON, 9)]  # fmt: skip
    sightings = pl.DataFrame(
        [(*row, 0, 1) for row in seen], orient="row",
        schema={"source": pl.String, "run_on": pl.Date, "n_items": pl.Int64, "n_undated": pl.Int64,
                "n_damaged": pl.Int64},
    )  # fmt: skip
    found = of(stories(), run(MON), run(TUE), run(WED), sightings=sightings)
    listed = labour.sources(found)
    assert listed.select("source", "n_items", "days", "least", "most", "n_damaged").rows() == [
        ("gone", 10, "2 of 3", 0, 5, 2), ("once", 9, "1 of 3", 0, 9, 1), ("steady", 6, "3 of 3", 1, 3, 3),
    ]  # fmt: skip
    told = labour.silent(found, listed)
    assert told == ["1 of 3 sources delivered to every run.", "Silent in the run of Wed 4: gone."]
    assert labour.refused(found) == "9 rows were refused, most on Wed 4 (4)."


def test_a_changed_profile_or_code_is_told_with_its_day() -> None:
    alike = of(stories(), run(MON), run(TUE))
    assert labour.run_words(alike)[-1] == "One profile and one version of the code made all of them."
    changed = of(stories(), run(MON), run(TUE, code="d"), run(WED, code="d", profile_hash="q"))
    assert labour.run_words(changed)[1:] == [
        "The profile changed on Wed 4: what moved then may be our own doing.",
        "The code changed on Tue 3: what moved then may be our own doing.",
    ]


@pytest.mark.parametrize("n_days", [1, 7, 35])
def test_a_panel_is_drawn_for_any_number_of_days_and_for_none_that_is_known(n_days: int) -> None:
    days = [date.fromordinal(MON.toordinal() + n) for n in range(n_days)]
    for counts, before in (([None] * n_days, None), ([0] * n_days, 2.5), ([None, *range(n_days - 1)], 0.0)):
        figure = trends.counts_panel(days, counts, "must_cover", before)
        assert png(figure)[:4] == b"\x89PNG"
        # A bar for each known day, and none for a day of which nothing is known.
        heights = [patch.get_height() for patch in figure.axes[0].containers for patch in patch]
        assert heights == [n for n in counts if n is not None]
