from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from brandkit.profile_levers import LeverGrids
from brandkit.report import brief as content
from brandkit.report import daily, health, voice
from tests.unit.report.briefs import briefed

RECALL = {"title": "Nordlys issues recall notice for heaters"}
# A beat away from the bar: own name and A tier, no trigger.
OWN = {"title": "Nordlys opens a depot"}
RIVAL = {"title": "Sorglimt paints seven bridges", "url": "https://gamma.example/1"}
AT_B = {"url": "https://beta.example/1"}
STRANGER = {"title": "Choir festival draws crowds", "url": "https://nobody.example/2", "published_at": None}


def test_the_headline_counts_stories_of_each_decision() -> None:
    brief = briefed([RECALL, OWN, STRANGER])
    assert content.tally(brief) == {"must_cover": 1, "block": 0, "optional": 1, "watch": 0, "drop": 1}
    assert content.headline(brief) == "1 story must be covered, 1 is optional and 0 are worth watching."
    assert content.day(brief) == "Wednesday 4 March 2026"


def test_a_slow_day_reads_as_one() -> None:
    slow = briefed([STRANGER])
    assert content.headline(slow) == "A quiet day: 1 story, none of them to cover and none to watch."
    watched = briefed([RIVAL | AT_B], profile=thresholds(watch=10))
    assert content.headline(watched) == "A quiet day: nothing to cover, and 1 story is worth watching."


def test_blocked_stories_are_in_the_headline() -> None:
    brief = briefed([{"title": "Nordlys secret", "risk_flags": ["private_data"]}])
    assert "1 must not be amplified" in content.headline(brief)


def test_times_are_the_desks_own() -> None:
    brief = briefed([RECALL])
    assert (
        content.scope(brief)
        == "1 item from 1 source in 1 story, collected from 00:00 to 23:59, Europe/Oslo time."
    )
    assert brief.clock(datetime(2026, 3, 4, 11, tzinfo=UTC)) == "12:00"
    assert brief.clock(datetime(2026, 3, 2, 22, 30, tzinfo=UTC)) == "2 Mar 23:30"
    assert brief.clock(None) == "–"


def thresholds(**changed: int) -> dict[str, Any]:
    return {"thresholds": {"must_cover": 75, "optional": 60, "watch": 45, **changed}}


def test_a_near_miss_says_what_it_lacks() -> None:
    total = briefed([OWN]).records["total"].item()
    brief = briefed(
        [OWN, STRANGER], profile=thresholds(must_cover=total + 12, optional=total, watch=total - 1)
    )
    assert content.near_misses(brief).select("title", "short", "needs").rows() == [
        ("Nordlys opens a depot", 12, f"12 points short of the {total + 12} for must cover")
    ]
    too_far = thresholds(must_cover=total + 16, optional=total, watch=total - 1)
    assert content.near_misses(briefed([OWN], profile=too_far)).is_empty()


def test_a_must_cover_a_block_or_an_excluded_story_is_no_near_miss() -> None:
    brief = briefed([RECALL, {"title": "Nordlys secret", "risk_flags": ["private_data"]}])
    assert content.near_misses(brief).is_empty()


def test_one_point_is_one_point() -> None:
    total = briefed([OWN]).records["total"].item()
    brief = briefed([OWN], profile=thresholds(must_cover=total + 1, optional=total, watch=total - 1))
    assert content.near_misses(brief)["needs"].to_list() == [
        f"1 point short of the {total + 1} for must cover"
    ]


def test_a_story_held_back_by_confidence_or_a_missing_tie_says_so() -> None:
    # tier C 2 + evidence 1 + provenance 1 - single source 1 = 3
    low = RECALL | {"url": "https://gamma.example/1", "evidence": ["https://gov.example/notice"]}
    assert content.near_misses(briefed([low]))["needs"].item() == "3 points of confidence short of 6"
    untied = content.near_misses(briefed([{"title": "Recall notice for kettles"}], profile={"pillars": []}))
    assert untied["needs"].item() == "4 points short of a tie to what the desk covers"


def test_a_near_miss_says_the_cheapest_changes_that_would_flip_it() -> None:
    near = {"title": "Nordlys heaters have a fault", "url": "https://beta.example/1"}
    bars = thresholds(must_cover=45, optional=40, watch=20)
    brief = briefed([near], profile=bars)
    (flip,) = content.with_flips(brief, content.near_misses(brief))["flip"]
    first, second = flip.split("; or ")
    told = "one more C publisher joining now, and an independent A publisher"
    assert first == f"{told}: confidence 4 → 6, total 32 → 45"
    assert second.endswith(
        "its publisher beta.example tiered A in the profile: confidence 4 → 7, total 32 → 45"
    )
    assert "an independent A publisher" in daily.near_misses(brief).markup
    off = briefed([near], profile={**bars, "levers": dict.fromkeys(LeverGrids.model_fields, [])})
    assert content.with_flips(off, content.near_misses(off))["flip"].to_list() == [None]
    assert "No one or two changes would." in daily.near_misses(off).markup


def test_dropped_stories_with_our_name_are_found_whichever_of_their_items_has_it() -> None:
    item = {"title": "Local fair", "summary": "Nordlys had a stand", "url": "https://nobody.example/1"}
    found = content.dropped_with_our_name(briefed([item, STRANGER]))
    assert found.select("title", "named").rows() == [("Local fair", ["Nordlys"])]


def test_a_desk_without_a_brand_looks_for_the_names_it_watches() -> None:
    item = {"title": "Local fair", "summary": "Nordlys had a stand", "url": "https://nobody.example/1"}
    brief = briefed([item], profile={"own": [], "watched": ["Nordlys"]})
    assert brief.our_names == ["Nordlys"]


def test_what_is_watched_for_its_size_alone_stands_elsewhere() -> None:
    profile = thresholds(watch=10)
    brief = briefed([STRANGER | {"url": "https://alpha.example/x"}, RIVAL | AT_B], profile=profile)
    assert content.watched(brief)["title"].to_list() == ["Sorglimt paints seven bridges"]
    assert content.big_elsewhere(brief)["title"].to_list() == ["Choir festival draws crowds"]


def test_lines_say_what_they_are_about_and_the_rule_where_it_was_not_the_score() -> None:
    brief = briefed([OWN, RIVAL | AT_B], profile=thresholds(watch=10))
    lines = content.listing(brief, brief.told)
    assert lines.select("title", "why").rows() == [
        ("Nordlys opens a depot", "Our own name stands in its title."),
        ("Sorglimt paints seven bridges", "Sorglimt"),
    ]
    assert lines["first"].to_list() == ["12:00", "12:00"]


def test_share_of_voice_counts_items_by_tier_and_stories_by_tone_with_our_own_first() -> None:
    barge = {"title": "Nordlys wins praise for a barge", "url": "https://gamma.example/9"}
    hires = {"title": "Sorglimt hires", "url": "https://gamma.example/2"}
    mill = {"title": "Sorglimt accused of fraud", "url": "https://gamma.example/3"}
    brief = briefed([OWN, barge, RIVAL, STRANGER, hires, mill])
    mentions = voice.share_of_voice(brief)
    assert mentions.select("name", "kind", "n_items", "items_A", "items_B", "items_C").rows() == [
        ("Nordlys", "own", 2, 1, 0, 1),
        ("Sorglimt", "rival", 3, 0, 0, 3),
    ]
    tones = ("stories_negative", "stories_neutral", "stories_positive", "stories_unmeasured")
    assert mentions.select("n_stories", *tones).rows() == [(2, 0, 1, 1, 0), (3, 1, 2, 0, 0)]
    assert voice.leader(mentions) == "Sorglimt was named most: 3 of 5 mentions, and 3 of 5 by story."
    assert voice.mood(mentions) == (
        "By tone, 2 stories on our names: 1 neutral, 1 positive. A tone is no part of the score."
    )


def test_mentions_have_every_hour_of_the_desks_day() -> None:
    both = {"title": "Nordlys sues Sorglimt"}
    mentions = voice.mentions_by_hour(briefed([OWN, RIVAL, both, STRANGER]))
    assert mentions.height == 24 * 2
    busy = mentions.filter(mentions["n_items"] > 0)
    assert [(f"{hour:%H:%M}", kind, n) for hour, kind, n in busy.rows()] == [
        ("11:00", "own", 2),
        ("11:00", "rival", 1),
    ]
    assert voice.busiest(mentions) == "The busiest hour began at 11:00: 3 items of 3."


def test_a_mention_stands_where_it_was_published_unless_that_is_unknown_later_or_before_the_day() -> None:
    dates = (None, "2026-03-04T13:00:00Z", "2026-03-03T10:00:00Z", "2026-03-04T10:30:00Z")
    brief = briefed(
        [{"title": f"Nordlys opens {n} depots", "published_at": at} for n, at in enumerate(dates, start=2)]
    )
    busy = voice.mentions_by_hour(brief).filter(kind="own").filter(pl.col("n_items") > 0)
    # Collected at 12:00 in Oslo: the undated one, and the one of the future.
    assert [(f"{hour:%H:%M}", n) for hour, n in busy.select("hour", "n_items").rows()] == [
        ("11:00", 1),
        ("12:00", 2),
    ]
    assert voice.n_older(brief) == 1
    assert "1 item from before the day came in too." in daily.timeline(brief, "nowhere.duckdb").markup


def test_a_day_of_a_clock_change_has_its_own_number_of_hours() -> None:
    brief = briefed([])
    start, end = brief.profile.day_window(date(2026, 3, 29))
    changed = replace(brief, run=replace(brief.run, window_start=start, as_of=end))
    hours = voice.mentions_by_hour(changed).filter(kind="own")["hour"]
    assert [f"{hour:%H}" for hour in hours[:4]] == ["00", "01", "03", "04"]
    assert len(hours) == 23


def test_a_profile_that_names_nobody_has_no_mentions() -> None:
    brief = briefed([STRANGER], profile={"own": [], "rivals": []})
    assert voice.mentions_by_hour(brief).is_empty()
    assert voice.share_of_voice(brief).is_empty()


def test_sources_are_counted_with_what_they_lack() -> None:
    rows = health.sources(
        briefed([OWN, {**OWN, "title": "b", "published_at": "soon"}, STRANGER | {"source": "feed"}])
    )
    assert rows.select("source", "n_items", "n_undated", "n_damaged").rows() == [
        ("wire", 2, 1, 1),
        ("feed", 1, 1, 0),
    ]


def test_refused_rows_are_told_in_words_with_the_name_of_their_file() -> None:
    lost = {"title": "x", "url": None, "native_id": None, "raw_file": "/var/in/a.csv", "raw_row": 3}
    rows = health.refused(briefed([OWN, lost, {**lost, "collected_at": "2026-03-04 10:00"}]))
    assert rows.rows() == [
        ("a.csv", "neither an address nor an id of its own", 2),
        ("a.csv", "a time without a time zone", 1),
    ]


def test_run_health_sums_the_rows_and_names_what_made_the_run() -> None:
    brief = briefed([OWN, STRANGER], warnings=("a source failed",), shadow=True)
    stages = health.stages(brief)
    assert stages["adds_up"].all()
    assert health.effort(stages).endswith("Every row is accounted for.")
    broken = stages.with_columns(adds_up=stages["name"] != "copies")
    assert health.effort(broken).endswith("Rows do not add up in: copies.")
    assert health.warnings(brief) == ["A shadow run: nobody acts on it.", "a source failed"]
    made = health.provenance(brief)
    assert made["Run"] == "desk.daily.2026-03-04.1"
    assert made["Code"] == "brandkit 0 c0de"
