from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandkit import onboard
from brandkit.errors import ProfileError, UsageError
from brandkit.onboard import Answers, compose, read_sources, survey, write_profile
from brandkit.profile import BrandProfile
from brandkit.safe import plain_text

FULL = Answers(
    name="Nordlys press desk",
    own=("Nordlys", "Nordlys Foods"),
    rivals=("Sunnacre",),
    watched=("Harbour Board",),
    pillars=("prices",),
    triggers=("product recall",),
    sources={"example.com": "A", "example.org": "C"},
    timezone="Europe/Oslo",
)


def test_the_answers_come_back_from_the_file(tmp_path: Path) -> None:
    text, composed = compose(FULL)
    loaded = BrandProfile.from_toml(write_profile(text, tmp_path / "desk.toml"))
    assert loaded == composed
    assert (loaded.id, loaded.title, loaded.timezone) == (
        "nordlys-press-desk",
        "Nordlys press desk",
        "Europe/Oslo",
    )
    assert [topic.name for topic in loaded.own] == ["Nordlys", "Nordlys Foods"]
    assert [topic.name for topic in (*loaded.rivals, *loaded.watched)] == ["Sunnacre", "Harbour Board"]
    assert [topic.name for topic in (*loaded.pillars, *loaded.triggers)] == ["prices", "product recall"]
    assert loaded.sources.tiers == {"example.com": "A", "example.org": "C"}


@given(st.text(min_size=1, max_size=80), st.lists(st.text(max_size=80), max_size=3))
def test_whatever_a_name_holds_the_file_reads_back(name: str, rivals: list[str]) -> None:
    text, profile = compose(
        Answers(name=name, own=("Nordlys",), rivals=[r for r in rivals if r != "Nordlys"])
    )
    assert BrandProfile.from_dict(tomllib.loads(text)) == profile
    assert profile.title == plain_text(name)


def test_every_default_that_the_file_shows_is_the_default() -> None:
    template = resources.files("brandkit.defaults").joinpath("profile.toml").read_text(encoding="utf-8")
    profile = BrandProfile.from_dict({"id": "x", "own": ["x"]})
    known = {
        "": {"day_starts": profile.day_starts},
        "sources": profile.sources.model_dump(include={"use_defaults", "lists", "own_domains", "unreliable"}),
        "thresholds": profile.thresholds.model_dump(),
        "parameters": profile.parameters.model_dump(exclude={"half_life_h"}),
        "alerts": profile.alerts.model_dump(exclude={"quiet_from", "quiet_to"}),
        "levers": profile.levers.model_dump(),
    }
    # What stands before the first [table], then each table's name and what stands in it.
    parts = ["", *re.split(r"^\[([\w.]+)\]$", template, flags=re.MULTILINE)]
    for table, text in zip(parts[::2], parts[1::2], strict=True):
        shown = dict(re.findall(r"^# (\w+) = (.+)$", text, flags=re.MULTILINE))
        assert set(shown) == set(known.get(table, {})), table
        for name, value in shown.items():
            read = tomllib.loads(f"x = {value}")["x"]
            assert (tuple(read) if isinstance(read, list) else read) == known[table][name], name


def test_blank_and_repeated_names_are_left_out() -> None:
    _, profile = compose(Answers(name="x", own=(" Nordlys ", "", "Nordlys")))
    assert [topic.name for topic in profile.own] == ["Nordlys"]


def test_nothing_to_cover_is_refused() -> None:
    with pytest.raises(ProfileError, match="nothing to cover"):
        compose(Answers(name="x"))


def test_an_unknown_time_zone_is_refused_with_the_near_name() -> None:
    with pytest.raises(ProfileError, match="Europe/Paris"):
        compose(Answers(name="x", own=("y",), timezone="Europe/Pariss"))


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("example.com", {"example.com": "B"}),
        ("www.Example.COM=a", {"example.com": "A"}),
        (" https://news.example.co.uk/today?page=2 = C ", {"example.co.uk": "C"}),
        ("https://example.com/a?b=c.d/e", {"example.com": "B"}),
        ("bücher.example", {"xn--bcher-kva.example": "B"}),
    ],
)
def test_a_source_is_read_from_a_domain_or_an_address(given: str, read: dict[str, str]) -> None:
    assert read_sources([given]) == read


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("example.com=AA", "unknown tier 'AA' for source 'example.com'"),
        ("example.com=", "unknown tier ''"),
        ("localhost=A", "'localhost' is no domain"),
        ("10.0.0.1", "is no domain"),
        ("bank.example@evil.example", "is no domain"),
        ("http://[broken=A", "is no domain"),
        ("xn--\u0000.example", "is no domain"),
        ("ex ample.com", "is no domain"),
    ],
)
def test_what_is_no_domain_or_no_tier_is_refused(given: str, told: str) -> None:
    with pytest.raises(UsageError, match=re.escape(told)):
        read_sources([given])


def test_a_file_that_is_there_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    write_profile("a = 1\n", path)
    with pytest.raises(UsageError, match="is there already"):
        write_profile("a = 2\n", path)
    assert path.read_text() == "a = 1\n"
    write_profile("a = 2\n", path, force=True)
    assert path.read_text() == "a = 2\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["desk.toml"]


def test_a_folder_that_is_none_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        write_profile("a = 1\n", tmp_path / "file" / "desk.toml")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        write_profile("a = 1\n", tmp_path / "folder", force=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "folder"]


ROWS = pl.LazyFrame(
    {
        "item_type": ["article", "article", "article", "article", "post", "article"],
        "source": ["feed"] * 4 + ["agora", "feed"],
        "native_id": ["1", "2", "3", "4", "5", None],
        "account": [None, None, None, None, "someone", None],
        "url": [
            "https://one.example/a", "https://www.one.example/b", "https://two.example/c",
            "https://listed.example/d", "https://agora.example/p/5", None,
        ],
        "title": ["a", "b", "c", "d", "e", "no identity"],
        "collected_at": ["2026-03-02T08:00:00Z"] * 6,
    }
)  # fmt: skip


def _knows(*domains: str) -> BrandProfile:
    tiers = dict.fromkeys(domains, "A")
    return BrandProfile.from_dict(
        {"id": "x", "own": ["x"], "sources": {"use_defaults": False, "tiers": tiers}}
    )


def test_the_commonest_unlisted_domain_comes_first() -> None:
    found = survey(ROWS, _knows("listed.example"))
    # Five items, the sixth row is none; the article of listed.example is from a publisher on a list.
    assert (found.n_items, found.n_unlisted, found.share, found.n_domains) == (5, 4, 0.8, 2)
    assert found.first.rows() == [("one.example", 2, 0.4), ("two.example", 1, 0.2)]


def test_an_item_seen_again_counts_once() -> None:
    assert survey(pl.concat([ROWS, ROWS]), _knows()).n_items == 5


def test_a_platform_is_no_domain_to_tier() -> None:
    assert "agora.example" not in survey(ROWS, _knows()).first["domain"]


def test_no_items_have_no_share() -> None:
    found = survey(ROWS.head(0), _knows())
    assert (found.n_items, found.share, found.first.height) == (0, 0.0, 0)


def test_at_most_thirty_domains_are_named() -> None:
    many = (
        ROWS.head(1)
        .join(pl.LazyFrame({"n": range(35)}), how="cross")
        .with_columns(url=pl.format("https://d{}.example/a", "n"), native_id=pl.col("n").cast(pl.String))
    )
    found = survey(many, _knows())
    assert (found.n_domains, found.first.height) == (35, onboard.FIRST_TO_TIER)
