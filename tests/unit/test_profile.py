from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from brandkit.errors import EXIT_USAGE, ProfileError
from brandkit.profile import BrandProfile, Term, slug

DESK: dict[str, Any] = {"id": "desk", "own": ["Nordlys"]}


def profile(**more: Any) -> BrandProfile:
    return BrandProfile.from_dict({**DESK, **more})


# what is wrong; the whole message, line by line ("F" stands for "in desk.toml").
TABLES = (
    "alerts, day_starts, exclusions, forbidden, id, levers, own, parameters, pillars, rivals, sources, "
    "thresholds, timezone, title, triggers, watched, weights"
)
BARS = "confidence, must_cover, optional, own_name_floor, tied, verified, watch, watch_virality"
LEVERS = (
    "adopters_ab, age, constraint, coordination, engagement_ratio, evidence, exclusion, joins_now, "
    "misinfo_risk, other_name, outlets, own_name, pillars, provenance, publisher_a, publishers_ab, reach, "
    "tier, trigger, unlisted_publishers, velocity_h"
)
ID_RULE = "must be lower-case letters, digits, - and _, and not begin with - or _"
NOTHING = "nothing to cover: give at least one of own, rivals, watched or pillars, F"
TWO_SIDES = "'Nordlys' stands in two of own, rivals and watched; it can be only one of them, F"
MESSAGES: list[tuple[dict[str, Any], list[str]]] = [
    ({"rival": ["Velmora"]}, ["unknown key 'rival', F", f"known: {TABLES}", "did you mean 'rivals'?"]),
    (
        {"thresholds": {"must_covre": 70}},
        ["unknown key 'must_covre', F, [thresholds]", f"known: {BARS}", "did you mean 'must_cover'?"],
    ),
    (
        {"weights": {"impact": {"bredth": 1}}},
        [
            "unknown key 'bredth', F, [weights.impact]",
            "known: authority, breadth, consequence, reach, total",
            "did you mean 'breadth'?",
        ],
    ),
    (
        {"own": ["Nordlys", {"name": "Aurora", "term": ["Aurora"]}]},
        ["unknown key 'term', F, [own] (entry 2)", "known: name, terms", "did you mean 'terms'?"],
    ),
    (
        {"own": [{"name": "Aurora", "terms": ["A", {"phrase": "B", "nott": ["c"]}]}]},
        [
            "unknown key 'nott', F, [own.terms] (entry 1) (entry 2)",
            "known: near, not, phrase",
            "did you mean 'not'?",
        ],
    ),
    ({"own": [{"terms": ["Aurora"]}]}, ["'name' is missing, F, [own] (entry 1)"]),
    (
        {"own": [{"name": "Aurora", "terms": []}]},
        ["'terms' is empty, F, [own] (entry 1)", "must not be empty"],
    ),
    ({"own": [""]}, ["'name' is '', F, [own] (entry 1)", "must not be empty", "2 more after this one"]),
    ({"own": "Nordlys"}, ["'own' is 'Nordlys', F", "must be a list: [...]"]),
    ({"own": [5]}, ["'own' (entry 1) is 5, F", "must be a table"]),
    ({"own": [[5]]}, ["'own' (entry 1) is a list, F", "must be a table"]),
    ({"sources": ["a.example"]}, ["'sources' is a list, F", "must be a table"]),
    ({"pillars": {"name": "x"}}, ["'pillars' is a table, F", "must be a list: [...]"]),
    ({"id": "My Desk"}, ["'id' is 'My Desk', F", ID_RULE]),
    ({"id": 5}, ["'id' is 5, F", "must be text"]),
    ({"title": True}, ["'title' is true, F", "must be text"]),
    (
        {"timezone": "Europe/Pariss"},
        [
            "unknown time zone 'Europe/Pariss', F, [timezone]",
            "an IANA name such as 'Europe/Paris'",
            "did you mean 'Europe/Paris'?",
        ],
    ),
    ({"day_starts": 6}, ["day_starts is 6, F, [day_starts]", "a local time such as '06:00'"]),
    (
        {"day_starts": "05:30+02:00"},
        ["day_starts is '05:30+02:00', F, [day_starts]", "a local time such as '06:00'"],
    ),
    ({"day_starts": "25:00"}, ["'day_starts' is '25:00', F", "a local time such as '06:00'"]),
    ({"thresholds": {"must_cover": 175}}, ["'must_cover' is 175, F, [thresholds]", "must be 100 or less"]),
    ({"thresholds": {"watch": -1}}, ["'watch' is -1, F, [thresholds]", "must be 0 or more"]),
    ({"thresholds": {"watch": 45.5}}, ["'watch' is 45.5, F, [thresholds]", "must be a whole number"]),
    ({"thresholds": {"watch": "high"}}, ["'watch' is 'high', F, [thresholds]", "must be a whole number"]),
    (
        {"thresholds": {"own_name_floor": "of"}},
        [
            "'own_name_floor' is 'of', F, [thresholds]",
            "must be 'optional', 'watch' or 'off'",
            "did you mean 'off'?",
        ],
    ),
    (
        {"thresholds": {"watch": 80}},
        ["watch = 80 stands at or above optional = 60, F, [thresholds]", "watch must be below optional"],
    ),
    (
        {"thresholds": {"optional": 75}},
        [
            "optional = 75 stands at or above must_cover = 75, F, [thresholds]",
            "optional must be below must_cover",
        ],
    ),
    (
        {"thresholds": {"verified": 7}},
        [
            "verified = 7 stands at or above confidence = 6, F, [thresholds]",
            "verified must be below confidence",
        ],
    ),
    (
        {"weights": {"impact": {"total": 30}}},
        ["the five component totals sum to 105; they must sum to 100, F, [weights]"],
    ),
    ({"parameters": {"momentum_half": 0}}, ["'momentum_half' is 0, F, [parameters]", "must be above 0"]),
    (
        {"parameters": {"momentum_half": float("nan")}},
        ["'momentum_half' is nan, F, [parameters]", "must be a finite number"],
    ),
    (
        {"parameters": {"reach_people": float("inf")}},
        ["'reach_people' is inf, F, [parameters]", "must be a finite number"],
    ),
    (
        {"parameters": {"half_life_h": {"artikle": 9.0}}},
        [
            "unknown item type 'artikle', F, [parameters.half_life_h]",
            "known: article, post, video, statement, filing, review, other",
            "did you mean 'article'?",
        ],
    ),
    (
        {"parameters": {"half_life_h": {"post": 0.0}}},
        ["half-life of 'post' is 0.0 h, F, [parameters.half_life_h]", "must be above 0"],
    ),
    (
        {"forbidden": {"phrases": ["leaked address", "scam"]}},
        [
            "'scam' is one bare word, F, [forbidden.phrases] (entry 2)",
            "a forbidden phrase has two words or more",
        ],
    ),
    (
        {"sources": {"tiers": {"a.example": "D"}}},
        ["'a.example' is 'D', F, [sources.tiers]", "must be 'A', 'B' or 'C'"],
    ),
    (
        {"sources": {"roles": {"a.example": "offical"}}},
        [
            "'a.example' is 'offical', F, [sources.roles]",
            "must be 'outlet', 'wire', 'portal', 'official' or 'own'",
            "did you mean 'official'?",
        ],
    ),
    (
        {"sources": {"audiences": {"a.example": -5}}},
        ["'a.example' is -5, F, [sources.audiences]", "must be 0 or more"],
    ),
    ({"sources": {"lists": "a.csv"}}, ["'lists' is 'a.csv', F, [sources]", "must be a list: [...]"]),
    ({"sources": {"lists": [], "tiers": "A"}}, ["'tiers' is 'A', F, [sources]", "must be a table"]),
    (
        {"sources": {"use_defaults": "perhaps"}},
        ["'use_defaults' is 'perhaps', F, [sources]", "must be true or false"],
    ),
    ({"own": []}, [NOTHING]),
    ({"own": ["Nordlys", "Nordlys"]}, ["'Nordlys' stands twice in own, F"]),
    ({"pillars": ["labour", "labour"]}, ["'labour' stands twice in pillars, F"]),
    ({"rivals": ["Nordlys"]}, [TWO_SIDES]),
    ({"id": "-", "title": 5, "timezone": "Mars"}, ["'id' is '-', F", ID_RULE, "2 more after this one"]),
    (
        {"levers": {"publisher_ab": [1]}},
        ["unknown key 'publisher_ab', F, [levers]", f"known: {LEVERS}", "did you mean 'publishers_ab'?"],
    ),
    (
        {"levers": {"own_name": ["titel"]}},
        [
            "'own_name' (entry 1) is 'titel', F, [levers]",
            "must be 'nowhere', 'summary' or 'title'",
            "did you mean 'title'?",
        ],
    ),
    ({"levers": {"outlets": [0]}}, ["'outlets' (entry 1) is 0, F, [levers]", "must be 1 or more"]),
    ({"levers": {"age": 6}}, ["'age' is 6, F, [levers]", "must be a list: [...]"]),
    (
        {"levers": {"evidence": [False]}},
        ["a lever without values is [false], F, [levers.evidence]", "[true], or [] to switch it off"],
    ),
    (
        {"levers": {"reach": list(range(13))}},
        ["a grid of 13 values, F, [levers.reach]", "12 or fewer"],
    ),
]


@pytest.mark.parametrize(("more", "lines"), MESSAGES, ids=[lines[0] for _, lines in MESSAGES])
def test_a_contradiction_says_what_where_and_what_is_allowed(more: dict[str, Any], lines: list[str]) -> None:
    with pytest.raises(ProfileError) as raised:
        BrandProfile.from_dict({**DESK, **more}, where="desk.toml")
    assert str(raised.value).replace(", in desk.toml", ", F").split("\n  ") == lines
    assert raised.value.exit_code == EXIT_USAGE


def test_a_missing_id_is_named() -> None:
    with pytest.raises(ProfileError, match="'id' is missing, in desk.toml"):
        BrandProfile.from_dict({"own": ["Nordlys"]}, where="desk.toml")


def test_the_whole_of_a_toml_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_text(
        """
        id = "desk"
        timezone = "Europe/Oslo"
        day_starts = 05:30:00
        own = [
          "Nordlys",
          { name = "Aurora", terms = ["Aurora AS", { phrase = "aurora", near = ["sea"], not = ["sky"] }] },
        ]
        [[pillars]]
        name = "labour"
        terms = ["strike"]
        [forbidden]
        phrases = ["home  address"]
        [exclusions]
        terms = ["horoscope"]
        [sources.tiers]
        "News.Example." = "A"
        [thresholds]
        must_cover = 72
        """
    )
    desk = BrandProfile.from_toml(path)
    assert [topic.name for topic in desk.own] == ["Nordlys", "Aurora"]
    assert desk.own[1].terms[1] == Term(phrase="aurora", near=("sea",), never=("sky",))
    assert (desk.day_starts, desk.thresholds.must_cover) == (time(5, 30), 72)
    assert desk.sources.tiers == {"news.example": "A"}
    assert desk.exclusions.terms[0].phrase == "horoscope"
    assert not desk.is_beat_desk


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'id = "desk\n', r"cannot read the profile: .*line 1.*, in .*desk\.toml"),
        (b"id = \xff", r"cannot read the profile: .*utf-8.*, in .*desk\.toml"),
        (b'id = "a"\nid = "b"\n', r"cannot read the profile: .*line 2.*, in .*desk\.toml"),
        (
            b'id = "desk"\nown = ["Nordlys"]\n[thresholds]\nwotch = 3\n',
            r"'wotch', in .*desk\.toml, \[thresholds\]",
        ),
        (None, r"no profile at '.*desk\.toml'\n  brandkit init writes one"),
    ],
)
def test_a_broken_file_is_named(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ProfileError, match=message):
        BrandProfile.from_toml(path)


def test_a_folder_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot read the profile"):
        BrandProfile.from_toml(tmp_path)


# Publisher lists


def listed(folder: Path, text: str, **sources: Any) -> BrandProfile:
    (folder / "list.csv").write_text(text, encoding="utf-8")
    document = {**DESK, "sources": {"lists": ["list.csv"], **sources}}
    return BrandProfile.from_dict(document, where="desk.toml", folder=folder)


def test_a_publisher_list_is_read_in_and_the_profile_wins(tmp_path: Path) -> None:
    text = (
        "\ufeffdomain,family,tier,role,audience\n# our own reading\nA.example,A Group,A,wire,9000\n"
        "b.example,,unlisted,,\nc.example,,C\n"
    )
    sources = listed(tmp_path, text, tiers={"c.example": "B", "d.example": "A"}).sources
    assert sources.tiers == {"a.example": "A", "c.example": "B", "d.example": "A"}
    assert (sources.families, sources.roles) == ({"a.example": "A Group"}, {"a.example": "wire"})
    assert sources.audiences == {"a.example": 9000}
    # Frozen with its rows: no other file is needed to have this profile again.
    assert sources.lists == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "domain,level\na.example,A\n",
            "list 'list.csv' has no column tier, in desk.toml, .sources. lists\n  columns: domain",
        ),
        ("", "has no column domain or tier"),
        (
            "domain,tier\na.example,D\n",
            "unknown tier 'D' of 'a.example' in publisher list 'list.csv', in desk.toml.*\n  known: A, B",
        ),
        (
            "domain,tier,audience\na.example,A,many\n",
            "audience 'many' of 'a.example' in publisher list 'list.csv'",
        ),
        ("domain,tier,audience\na.example,A,5²\n", "audience '5²' of 'a.example'"),
        (
            "domain,tier,role\na.example,A,wier\n",
            "'a.example' is 'wier', in desk.toml, .sources.roles.\n  .*\n  did you mean 'wire'",
        ),
        ("tier,domain\nA\n", "a row of publisher list 'list.csv' has no domain"),
        ('domain,tier\n"' + "x" * 200_000 + '",A\n', "cannot read publisher list '.*list.csv': field larger"),
    ],
)
def test_a_bad_publisher_list_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=message):
        listed(tmp_path, text)


def test_a_missing_publisher_list_is_named(tmp_path: Path) -> None:
    document = {**DESK, "sources": {"lists": ["gone.csv"]}}
    with pytest.raises(
        ProfileError, match=r"cannot read publisher list '.*gone.csv'.*, in desk.toml, \[sources\] lists"
    ):
        BrandProfile.from_dict(document, where="desk.toml", folder=tmp_path)


# The snapshot


def test_a_snapshot_is_the_profile_again() -> None:
    first = profile(
        day_starts="05:30", timezone="Europe/Oslo", sources={"tiers": {"a.example": "A"}},
        exclusions={"terms": [{"phrase": "aurora", "not": ["ferry"]}]},
        parameters={"half_life_h": {"post": 6}},
    )  # fmt: skip
    again = BrandProfile.from_snapshot(first.snapshot)
    assert again == first
    assert (again.snapshot, again.hash) == (first.snapshot, first.hash)
    assert pickle.loads(pickle.dumps(first)).hash == first.hash


def test_the_hash_depends_on_what_is_said_and_not_on_how() -> None:
    short = profile(rivals=["Velmora"], thresholds={"watch": 40, "optional": 55})
    long = BrandProfile.from_dict(
        {
            "thresholds": {"optional": 55, "watch": 40},
            "rivals": [{"name": "Velmora", "terms": [{"phrase": " Velmora ", "near": []}]}],
            "own": [{"name": "Nordlys", "terms": ["Nordlys"]}],
            "id": "desk",
        }
    )
    assert short.hash == long.hash
    assert short.hash != profile(rivals=["Velmora"], thresholds={"watch": 41, "optional": 55}).hash


def test_the_hash_is_the_same_on_every_machine() -> None:
    import hashlib

    plain = json.dumps(
        json.loads(profile().snapshot), sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    assert profile().snapshot == plain
    assert profile().hash == hashlib.sha256(plain.encode()).hexdigest()


def test_a_grid_is_kept_in_rising_order_with_each_value_once() -> None:
    grids = profile(levers={"velocity_h": [4, 1, 4], "tier": ["A", "C"], "outlets": []}).levers
    assert (grids.velocity_h, grids.tier, grids.outlets) == ((1.0, 4.0), ("C", "A"), ())


def test_a_snapshot_from_before_there_were_levers_has_the_usual_grids() -> None:
    document = json.loads(profile().snapshot)
    del document["levers"]
    assert BrandProfile.from_snapshot(json.dumps(document)) == profile()


def test_a_profile_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        profile().thresholds.must_cover = 70  # type: ignore[misc]


def test_one_half_life_said_leaves_the_others() -> None:
    lives = profile(parameters={"half_life_h": {"post": 6.0}}).parameters.half_life_h
    assert (lives["post"], lives["article"], lives["filing"]) == (6.0, 24.0, 72.0)


def test_a_profile_without_own_names_is_a_beat_desk() -> None:
    assert BrandProfile.from_dict({"id": "d", "watched": ["Nordlys"]}).is_beat_desk


@pytest.mark.parametrize("path", sorted(Path("data/profiles").glob("*.toml")), ids=lambda p: p.stem)
def test_a_shipped_profile_is_valid(path: Path) -> None:
    assert (
        BrandProfile.from_toml(path).hash
        == BrandProfile.from_snapshot(BrandProfile.from_toml(path).snapshot).hash
    )


@pytest.mark.parametrize(
    ("name", "expected"), [("Nordlys & Co.", "nordlys-co"), ("…", "desk"), ("x" * 99, "x" * 64)]
)
def test_a_slug_is_a_valid_id(name: str, expected: str) -> None:
    assert slug(name) == expected
    assert BrandProfile.from_dict({**DESK, "id": slug(name)}).id == expected


# The desk's day

ZONES = [
    "UTC", "Europe/Oslo", "America/New_York", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe",
    "Pacific/Apia", "Africa/Cairo", "America/St_Johns", "Asia/Beirut",
]  # fmt: skip
STARTS = ["00:00", "02:30", "05:30", "23:45"]


def day(zone: str, starts: str) -> BrandProfile:
    return profile(timezone=zone, day_starts=starts)


@pytest.mark.parametrize(
    ("on", "hours"),
    [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 10, 26), 24)],
)
def test_a_day_is_as_long_as_the_clock_makes_it(on: date, hours: int) -> None:
    start, end = day("Europe/Oslo", "00:00").day_window(on)
    assert end - start == timedelta(hours=hours)
    assert start.astimezone(ZoneInfo("Europe/Oslo")).replace(tzinfo=None) == datetime.combine(on, time(0))


def test_a_day_that_starts_at_half_past_five_holds_the_night_before_it() -> None:
    desk = day("America/New_York", "05:30")
    # The clocks go forward at 02:00 on 8 March: the desk day of the 7th has 23 hours.
    assert desk.day_window(date(2026, 3, 7)) == (
        datetime(2026, 3, 7, 10, 30, tzinfo=UTC),
        datetime(2026, 3, 8, 9, 30, tzinfo=UTC),
    )
    assert desk.day_of(datetime(2026, 3, 8, 9, 29, 59, tzinfo=UTC)) == date(2026, 3, 7)
    assert desk.day_of(datetime(2026, 3, 8, 9, 30, tzinfo=UTC)) == date(2026, 3, 8)


def test_a_start_that_the_clock_skips_still_starts_the_day_once() -> None:
    desk = day("Europe/Oslo", "02:30")
    windows = [desk.day_window(date(2026, 3, 27) + timedelta(days=n)) for n in range(4)]
    assert [(end - start) / timedelta(hours=1) for start, end in windows] == [24, 24, 23, 24]
    assert all(first[1] == second[0] for first, second in zip(windows, windows[1:], strict=False))


def test_a_date_that_a_zone_skipped_is_an_empty_day() -> None:
    # Samoa had no 30 December 2011.
    desk = day("Pacific/Apia", "00:00")
    start, end = desk.day_window(date(2011, 12, 30))
    assert start == end
    assert desk.day_of(start) == date(2011, 12, 31)


@given(
    st.datetimes(datetime(2011, 6, 1), datetime(2016, 6, 1), timezones=st.just(UTC)),
    st.sampled_from(ZONES),
    st.sampled_from(STARTS),
)
def test_every_instant_falls_in_exactly_one_day(instant: datetime, zone: str, starts: str) -> None:
    desk = day(zone, starts)
    around = [instant.date() + timedelta(days=n) for n in range(-3, 4)]
    holding = [on for on in around if desk.day_window(on)[0] <= instant < desk.day_window(on)[1]]
    assert holding == [desk.day_of(instant)]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("starts", ["00:00", "05:30"])
def test_five_years_of_days_follow_one_another_without_gap(zone: str, starts: str) -> None:
    desk = day(zone, starts)
    previous = desk.day_window(date(2023, 12, 31))[1]
    for n in range(5 * 366):
        start, end = desk.day_window(date(2024, 1, 1) + timedelta(days=n))
        assert start == previous
        assert timedelta(hours=22) < end - start < timedelta(hours=26)
        previous = end


def test_a_changed_copy_is_another_profile_and_freezes_what_it_is() -> None:
    desk = profile()
    lower = desk.thresholds.model_copy(update={"must_cover": 70})
    copied = desk.model_copy(update={"thresholds": lower})
    assert copied.hash != desk.hash
    assert BrandProfile.from_snapshot(copied.snapshot) == copied
    assert desk.model_copy().hash == desk.hash
