"""Two runs made of literal rows: every move has one cause, and each cause can be had."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.record.causes import CAUSES
from brandkit.record.compare import Comparison, Decided, because, compare_records, headline, spoken
from brandkit.scoring.outcome import fold_stories, ranked, with_leads
from tests.frames import AS_OF, DESK, context, item_id, judged, signals
from tests.unit.scoring.test_invariants import rows

DAY = timedelta(hours=24)
# 5 + 12 + 4 + 6 + 1 = 28: optional by the own name, with a trigger in the title must_cover (38).
OURS: dict[str, Any] = {
    "title": "Nordlys raises prices", "url": "https://alpha.example/1", "published_at": AS_OF,
    "content_hash": "h1", "tier": "A", "best_tier": "A", "n_publishers": 2, "entities": ["Nordlys"],
    "entities_in_title": ["Nordlys"], "pillars": ["prices"], "pillars_in_title": ["prices"],
}  # fmt: skip
NOTHING_OF_OURS: dict[str, Any] = {
    "entities": [], "entities_in_title": [], "pillars": [], "pillars_in_title": []
}  # fmt: skip
RECALL = {"triggers": ["recall"], "triggers_in_title": ["recall"]}


def item(number: int, story: str, **changes: Any) -> dict[str, Any]:
    return {**OURS, "item_id": item_id(number), "story_id": story, **changes}


def known(number: int, story: str) -> dict[str, Any]:
    """An item of an earlier day: it is in the story, and has no record."""
    return item(number, story, in_scope=False, collected_at=AS_OF - 9 * DAY)


def run(
    *given_rows: dict[str, Any], on: int = 0, profile: BrandProfile = DESK, run_id: str = "", **more: Any
) -> Decided:
    """A run of day ``on``."""
    as_of = AS_OF + on * DAY
    at = as_of - timedelta(hours=1)
    full = [{"collected_at": at, "seen_at": at, **row} for row in given_rows]
    ctx = context(profile, as_of=as_of)
    frame = judged(signals(*full), ctx)
    decided = ranked(with_leads(frame.filter("in_scope")))
    records = schemas.conform(decided.lazy(), schemas.RECORD).sort("item_id").collect()
    return Decided(
        records=records,
        stories=fold_stories(frame, records, ctx),
        profile=profile,
        as_of=as_of,
        window_start=ctx.window_start,
        run_id=run_id or f"desk.daily.{on}",
        **more,
    )


def moves(found: Comparison) -> list[tuple[Any, ...]]:
    return found.stories.select("story_id", "decision_from", "decision_to", "cause").rows()


def apart(bar: int = 33) -> Decided:
    """Two stories of one item each, by an A and a B publisher."""
    return run(item(1, "s1"), item(2, "s2", tier="B"), profile=with_bars(must_cover=bar))


def together(bar: int = 33) -> Decided:
    """The same items as one story of four outlets, which is 5 points more: 33."""
    told = {"n_outlets": 4}
    return run(item(1, "s1", **told), item(2, "s1", tier="B", **told), profile=with_bars(must_cover=bar))


def with_bars(**bars: int) -> BrandProfile:
    return DESK.model_copy(update={"thresholds": DESK.thresholds.model_copy(update=bars)})


THEN = run(item(1, "s1"))


def test_a_run_compared_with_itself_moves_nothing() -> None:
    found = compare_records(THEN, THEN)
    assert found.stories.is_empty()
    assert found.items.is_empty()
    assert found.verdicts.is_empty()
    assert found.notes == ()
    assert found.n_continued == 1
    assert found.text() == (
        "desk.daily.0 -> desk.daily.0\n"
        "1 story is in both runs, 0 of them moved; 0 came, 0 went\n"
        "must cover 0 -> 0, block 0 -> 0, optional 1 -> 1, watch 0 -> 0, drop 0 -> 0"
    )


def test_a_day_without_items_has_nothing_in_common_with_any_other() -> None:
    nothing = run()
    assert compare_records(nothing, nothing).n_continued == 0
    assert moves(compare_records(nothing, THEN)) == [("s1", None, "optional", "new_item")]
    assert moves(compare_records(THEN, nothing)) == [("s1", "optional", None, "gone")]


EACH: dict[str, tuple[Decided, Decided, tuple[str, str | None, str | None]]] = {
    "new_item": (THEN, run(item(1, "s1"), item(2, "s2")), ("s2", None, "optional")),
    "gone": (run(item(1, "s1"), item(2, "s2")), THEN, ("s2", "optional", None)),
    # Another outlet's word for it is new evidence: the headline was edited.
    "new_evidence": (THEN, run(item(1, "s1", **RECALL, content_hash="h2")), ("s1", "optional", "must_cover")),
    # 28 + 10: the crowd came.
    "engagement": (
        run(item(1, "s1"), profile=with_bars(must_cover=38)),
        run(item(1, "s1", engagement_ratio=63.0), profile=with_bars(must_cover=38)),
        ("s1", "optional", "must_cover"),
    ),
    # 28 + 15 for being new, and 8 a day later.
    "aged": (
        run(item(1, "s1", age_h=0.0), profile=with_bars(must_cover=43)),
        run(item(1, "s1", age_h=24.0), on=1, profile=with_bars(must_cover=43)),
        ("s1", "must_cover", "optional"),
    ),
    "profile_changed": (
        THEN, run(item(1, "s1"), profile=with_bars(must_cover=28)), ("s1", "optional", "must_cover")
    ),
    "story_merged": (apart(), together(), ("s1", "optional", "must_cover")),
    "story_split": (together(), apart(), ("s1", "must_cover", "optional")),
    "code_changed": (
        THEN,
        Decided(
            THEN.records.with_columns(decision=pl.lit("drop", schemas.DECISION)),
            THEN.stories, DESK, AS_OF, THEN.window_start,
        ),
        ("s1", "optional", "drop"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_can_be_had(cause: str) -> None:
    then, now, move = EACH[cause]
    found = compare_records(then, now)
    assert (*move, cause) in moves(found)
    assert found.moved["cause"].to_list() in ([cause], [])


def test_what_merged_and_what_split_off_is_named_on_both_sides() -> None:
    merged = compare_records(apart(), together())
    assert ("s2", "watch", None, "story_merged") in moves(merged)
    assert merged.stories.filter(story_id="s1").select("n_new", "n_in", "n_out").row(0) == (0, 1, 0)
    split = compare_records(together(), apart())
    assert ("s2", None, "watch", "story_split") in moves(split)
    assert split.stories.filter(story_id="s1").select("n_new", "n_in", "n_out").row(0) == (0, 0, 1)


def test_a_story_under_another_name_with_the_same_items_is_the_same_story() -> None:
    found = compare_records(THEN, run(item(1, "s9", **RECALL, content_hash="h2")))
    assert moves(found) == [("s9", "optional", "must_cover", "new_evidence")]
    assert found.stories["story_from"].item() == "s1"


def test_from_one_day_to_the_next_a_story_goes_on_with_another_item_that_leads_it() -> None:
    stranger = item(2, "s1", tier="unlisted", best_tier="unlisted", **NOTHING_OF_OURS)
    found = compare_records(THEN, run(stranger, known(1, "s1"), on=1))
    assert moves(found) == [("s1", "optional", "drop", "new_item")]
    assert found.stories.select("item_from", "item_to").row(0) == (item_id(1), item_id(2))
    # The items themselves are two: one came, one went.
    assert found.items.select("item_id", "cause").sort("item_id").rows() == [
        (item_id(1), "gone"), (item_id(2), "new_item")
    ]  # fmt: skip
    assert found.stories.select("n_new", "n_in", "n_out").row(0) == (1, 0, 0)


def test_a_fresher_lead_is_a_new_item_and_only_an_older_one_has_aged() -> None:
    bars = with_bars(must_cover=43)
    fresh = run(item(2, "s1", age_h=0.0), on=1, profile=bars)
    assert (
        compare_records(run(item(1, "s1", age_h=24.0), profile=bars), fresh).moved["cause"].item()
        == "new_item"
    )
    older = run(item(2, "s1", age_h=24.0), on=1, profile=bars)
    assert compare_records(run(item(1, "s1", age_h=0.0), profile=bars), older).moved["cause"].item() == "aged"
    undated = run(item(2, "s1", age_h=None), on=1, profile=bars)
    assert (
        compare_records(run(item(1, "s1", age_h=0.0), profile=bars), undated).moved["cause"].item()
        == "new_item"
    )


def test_a_story_that_took_in_more_than_is_new_was_merged_with_stories_of_that_day_or_of_before() -> None:
    bars = with_bars(must_cover=33)
    then = run(item(1, "s1"), profile=bars)
    told = {"n_outlets": 4}
    # One new item, and two that stood in stories which the first run did not record: 4 outlets.
    older = [known(n, "s1") for n in (1, 7, 8)]
    now = run(item(2, "s1", **told), *older, on=1, profile=bars)
    assert compare_records(then, now).moved.select("cause", "n_new", "n_in", "n_out").row(0) == (
        "story_merged", 1, 2, 0
    )  # fmt: skip
    # With a day in between they may have come on that day.
    later = run(item(2, "s1", **told), *older, on=2, profile=bars)
    assert compare_records(then, later).moved.select("cause", "n_in").row(0) == ("new_evidence", 0)
    # Unless they stood elsewhere for certain.
    apart_then = run(item(1, "s1"), item(7, "s7"), known(8, "s7"), profile=bars)
    found = compare_records(apart_then, later)
    assert found.moved.select("cause", "n_in").row(0) == ("story_merged", 2)
    assert ("s7", "optional", None, "story_merged") in moves(found)


def test_what_a_story_lost_counts_only_where_it_is_more_than_is_new() -> None:
    bars = with_bars(must_cover=33)
    then = run(item(1, "s1", n_outlets=4), known(5, "s1"), known(6, "s1"), profile=bars)
    for on in (1, 3):
        lost = compare_records(then, run(item(2, "s1"), known(1, "s1"), on=on, profile=bars)).moved
        assert lost.select("cause", "n_new", "n_out").row(0) == ("story_split", 1, 2)
    kept = (known(1, "s1"), known(5, "s1"))
    hardly = compare_records(then, run(item(2, "s1"), *kept, on=1, profile=bars)).moved
    assert hardly.select("cause", "n_out").row(0) == ("new_evidence", 1)
    # Looking back, what came later is missing and went nowhere.
    back = compare_records(run(item(2, "s1"), *kept, on=1, profile=bars), then)
    assert back.moved.select("n_new", "n_out").row(0) == (0, 0)


def test_a_part_under_a_new_name_split_off_and_a_story_of_old_under_its_own_did_not() -> None:
    now = run(item(2, "s2"), known(7, "s2"), known(8, "s2"), on=1)
    assert ("s2", None, "optional", "story_split") in moves(compare_records(THEN, now))
    old = Decided(
        now.records,
        now.stories.with_columns(is_continued=pl.lit(value=True)),
        DESK,
        now.as_of,
        now.window_start,
    )
    assert ("s2", None, "optional", "new_item") in moves(compare_records(THEN, old))
    assert ("s2", None, "optional", "new_item") in moves(compare_records(THEN, run(item(2, "s2"), on=1)))


def test_a_story_that_lost_one_item_to_another_and_is_not_told_of_any_more_is_gone() -> None:
    then = run(item(1, "s1"), item(2, "s2"), known(3, "s2"), known(4, "s2"))
    found = compare_records(then, run(item(1, "s1"), known(3, "s1"), known(4, "s4"), on=0))
    assert ("s2", "optional", None, "gone") in moves(found)


def test_of_the_same_items_another_tier_is_the_profiles_doing() -> None:
    sources = DESK.model_copy(
        update={"sources": DESK.sources.model_copy(update={"tiers": {"a.example": "C"}})}
    )
    lesser = {"tier": "C", "best_tier": "C", "n_publishers_ab": 0}
    found = compare_records(THEN, run(item(1, "s1", **lesser), profile=sources))
    assert found.moved["cause"].item() == found.items["cause"].item() == "profile_changed"
    # Without another profile nothing accounts for another tier of the same words, but the code.
    assert compare_records(THEN, run(item(1, "s1", tier="unlisted"))).moved["cause"].item() == "code_changed"


def test_of_the_same_items_a_slower_pace_is_age_and_of_others_it_is_engagement() -> None:
    bars = with_bars(must_cover=33)  # 28 + 5 for 2 items an hour
    then = run(item(1, "s1", velocity_h=2.0), profile=bars)
    still = run(item(1, "s1", velocity_h=0.0), profile=bars)
    assert compare_records(then, still).moved["cause"].item() == "aged"
    more = run(item(1, "s1", velocity_h=0.0), item(2, "s1", tier="B"), profile=bars)
    assert compare_records(then, more).moved["cause"].item() == "engagement"


def test_a_lead_that_went_or_came_from_another_story_is_named_so() -> None:
    two = run(item(1, "s1"), item(2, "s1", tier="B", **NOTHING_OF_OURS))
    left = compare_records(two, run(item(2, "s1", tier="B", **NOTHING_OF_OURS)))
    assert left.moved["cause"].item() == "gone"
    assert because(left.moved.row(0, named=True)) == "its lead went"
    # Many new items, and one of another story that leads them all.
    fresh = [item(n, "s1", tier="C") for n in (3, 4, 5)]
    other = item(2, "s2", tier="A", **RECALL)
    then = run(item(1, "s1", tier="B"), other, item(9, "s2", tier="B"))
    now = run(item(1, "s1", tier="B"), *fresh, {**other, "story_id": "s1"}, item(9, "s2", tier="B"))
    found = compare_records(then, now).moved.filter(story_id="s1")
    assert found.select("decision_to", "cause").row(0) == ("must_cover", "story_merged")


def test_verdicts_stand_apart_from_causes() -> None:
    ruled = THEN.stories.with_columns(effective_decision=pl.lit("drop", schemas.DECISION))
    now = Decided(THEN.records, ruled, DESK, AS_OF + DAY, THEN.window_start)
    given_on = pl.DataFrame(
        {
            "story_id": ["s1", "s7", "s1"], "decision": ["drop", "watch", "watch"],
            "reason": ["seen", "later", "old"], "given_by": ["ane", "bo", "ane"],
            "given_at": [AS_OF + 0.5 * DAY, AS_OF + 0.7 * DAY, AS_OF], "expires_at": [None, None, None],
        },
        schema_overrides={"given_at": schemas.INSTANT, "expires_at": schemas.INSTANT},
    )  # fmt: skip
    found = compare_records(THEN, now, verdicts=given_on)
    assert found.stories.is_empty()
    columns = ("story_id", "effective_from", "decision_to", "effective_to", "given_by", "reason")
    assert found.verdicts.select(columns).rows() == [
        ("s1", "optional", "optional", "drop", "ane", "seen"),
        ("s7", None, None, None, "bo", "later"),
    ]
    assert found.workload.filter(decision="drop").row(0) == ("drop", 0, 1)
    assert "verdicts stand apart: 2 on these stories" in found.text()


def test_notes_say_what_a_reader_must_know_of_the_two_runs() -> None:
    other = run(item(1, "s1"), profile=DESK.model_copy(update={"id": "other"}), versions={"code": "b"})
    noted = compare_records(run(item(1, "s1"), versions={"code": "a"}), other).notes
    assert noted[0] == "two profiles: desk and other"
    assert noted[1].startswith("made by other versions of code")
    assert any("code changed" in note for note in compare_records(*EACH["code_changed"][:2]).notes)


def test_what_moved_stands_before_what_came_and_that_before_what_went_and_the_weightiest_first() -> None:
    then = run(item(1, "s1", **RECALL), item(2, "s2"), item(3, "s3", **NOTHING_OF_OURS))
    now = run(
        item(1, "s1", content_hash="h2"), item(3, "s3", content_hash="h2"), item(4, "s4", **RECALL),
        item(5, "s5", **NOTHING_OF_OURS),
    )  # fmt: skip
    found = compare_records(then, now)
    assert found.stories["story_id"].to_list() == ["s1", "s3", "s4", "s5", "s2"]
    assert found.notable["story_id"].to_list() == ["s1", "s3", "s4", "s2"], "nobody sees a drop come"
    assert [found.shown()[0]["story_id"].to_list(), found.shown()[1]] == [["s1", "s3", "s4", "s2"], 0]
    assert headline(found) == "2 stories are in both runs, 2 of them moved (1 up, 1 down); 2 came, 1 went"
    assert spoken(None) == "-"


def test_a_long_list_is_cut_and_says_so_and_a_hostile_title_cannot_move_the_terminal() -> None:
    many = [item(n, f"s{n:02}", title="Nordlys \x1b[2J", content_hash="h2", **RECALL) for n in range(1, 16)]
    then = run(*({**row, "triggers_in_title": [], "content_hash": "h1"} for row in many))
    text = compare_records(then, run(*many)).text()
    assert "\x1b" not in text
    assert text.count("optional -> must cover") == 10
    assert "and 5 more" in text


places = st.lists(st.sampled_from(["s1", "s2", "s3", None]), min_size=6, max_size=6)


def drawn_run(drawn: list[dict[str, Any]], at: list[str | None], **more: Any) -> Decided:
    """The drawn rows as items 1 to 6 in these stories; one without a story is not in the run."""
    return run(
        *(
            {**row, "item_id": item_id(n), "story_id": story, "content_hash": "h1" if n % 2 else str(more)}
            for n, (row, story) in enumerate(zip(drawn, at, strict=True), start=1)
            if story
        ),
        **more,
    )


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.tuples(rows(), rows()), min_size=6, max_size=6), places, places,
    st.sampled_from([0, 1, 2]), st.sampled_from([DESK, with_bars(watch=30)]),
)  # fmt: skip
def test_the_causes_partition_what_moved(
    drawn: list[tuple[dict[str, Any], dict[str, Any]]],
    before: list[str | None],
    after: list[str | None],
    on: int,
    profile: BrandProfile,
) -> None:
    then = drawn_run([first for first, _ in drawn], before)
    now = drawn_run([second for _, second in drawn], after, on=on, profile=profile)
    found = compare_records(then, now)
    was, became = (dict(side.records.select("item_id", "decision").rows()) for side in (then, now))
    moved = {name for name in {*was, *became} if was.get(name) != became.get(name)}
    assert sorted(found.items["item_id"]) == sorted(moved)
    came, went = (found.stories[side].null_count() for side in ("decision_from", "decision_to"))
    assert (found.n_continued + went, found.n_continued + came) == (then.stories.height, now.stories.height)
    assert found.moved.filter(pl.col("decision_from") == pl.col("decision_to")).is_empty()
    for side, names, of in (("to", "story_id", now), ("from", "story_from", then)):
        there = found.stories.drop_nulls(f"decision_{side}")
        decided = dict(of.stories.select("story_id", "decision").rows())
        assert there[names].is_unique().all()
        assert all(
            decided[name] == decision for name, decision in there.select(names, f"decision_{side}").rows()
        )
    for frame in (found.stories, found.items):
        assert frame["cause"].null_count() == 0
        assert profile != DESK or "profile_changed" not in frame["cause"].to_list()
    assert found.by_cause()["n_items"].sum() == len(moved)
