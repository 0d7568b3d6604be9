from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from brandkit.errors import MappingError
from brandkit.normalise import normalise_items
from brandkit.sources.files import scan_items
from brandkit.sources.mapping import Mapping

REPOSITORY = Path(__file__).resolve().parents[3]
SHARED = REPOSITORY.parent / "shared" / "data"
SEVEN = datetime(2026, 3, 2, 7, tzinfo=UTC)
TABLE = {"headline": ["Tram strike"], "link": ["https://a.example/x"], "when": ["2026-03-02T07:00:00"]}
RULES: dict[str, Any] = {
    "columns": {"title": "headline", "url": "link", "published_at": "when"},
    "constants": {"item_type": "article", "source": "web"},
    "time": {"zone": "UTC", "collected_at": "published_at"},
}


def items(table: dict[str, list[Any]], rules: dict[str, Any]) -> pl.DataFrame:
    return normalise_items(scan_items(pl.DataFrame(table), mapping=rules)).items


def test_a_mapped_table_becomes_items() -> None:
    item = items(TABLE, RULES).row(0, named=True)
    assert (item["title"], item["source"], item["item_type"]) == ("Tram strike", "web", "article")
    assert item["published_at"] == item["collected_at"] == SEVEN


def test_a_mapping_is_the_same_from_toml_and_from_a_dict(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text('[columns]\ntitle = "headline"\n[time]\nzone = "Europe/Paris"\n')
    same = {"columns": {"title": "headline"}, "time": {"zone": "Europe/Paris"}}
    assert Mapping.of(path) == Mapping.of(str(path)) == Mapping.of(same) == Mapping.of(Mapping.of(same))


def test_only_what_is_mapped_is_read() -> None:
    table = {**TABLE, "author": ["somebody else"], "reactions": [5]}
    item = items(table, RULES).row(0, named=True)
    assert (item["author"], item["reactions"]) == (None, None)


def test_without_columns_those_that_bear_our_names_are_read() -> None:
    table = {
        "url": ["https://a.example/x"],
        "title": ["t"],
        "collected_at": ["2026-03-02 08:00:00"],
        "junk": [1],
    }
    raw = scan_items(pl.DataFrame(table), mapping={"constants": {"source": "web"}}, timezone="Europe/Paris")
    assert set(raw.collect_schema()) == {"raw_row", "url", "title", "collected_at", "source"}
    assert normalise_items(raw).items["collected_at"].item() == SEVEN


def test_a_naive_time_needs_a_declared_zone() -> None:
    rules = {**RULES, "time": {"collected_at": "published_at"}}
    found = normalise_items(scan_items(pl.DataFrame(TABLE), mapping=rules))
    assert found.rejects["reasons"].to_list() == [["naive_time:collected_at"]]
    assert (
        scan_items(pl.DataFrame(TABLE), mapping=rules, timezone="UTC")
        .collect()["collected_at"]
        .item()
        .startswith("2026-03-02T07")
    )


@pytest.mark.parametrize(
    ("when", "time"),
    [
        ("02/03/2026 07:00", {"zone": "UTC", "formats": ["%d/%m/%Y %H:%M"]}),
        ("2026-03-02T08", {"zone": "Europe/Paris"}),
        (1_772_434_800, {}),
        (1_772_434_800, {"unit": "s"}),
        (1_772_434_800_000, {"unit": "ms"}),
        ("1772434800000", {"unit": "ms"}),
        (datetime(2026, 3, 2, 8), {"zone": "Europe/Paris"}),  # noqa: DTZ001
        (SEVEN, {"zone": "Asia/Tokyo"}),
    ],
)
def test_times_are_read_as_the_mapping_says(when: Any, time: dict[str, Any]) -> None:
    rules = {**RULES, "time": {**time, "collected_at": "published_at"}}
    assert items({**TABLE, "when": [when]}, rules)["published_at"].item() == SEVEN


def test_a_time_that_cannot_be_read_is_still_reported() -> None:
    rules = {"columns": {**RULES["columns"], "collected_at": "seen"}, "time": {"zone": "UTC"}}
    item = items({**TABLE, "when": ["soon"], "seen": [SEVEN]}, rules).row(0, named=True)
    assert (item["published_at"], item["lost"]) == (None, ["published_at"])


def test_lists_are_split_as_the_mapping_says() -> None:
    rules = {**RULES, "columns": {**RULES["columns"], "claims": "tags"}, "lists": {"separator": ";"}}
    table = {name: values * 2 for name, values in TABLE.items()}
    table = {**table, "link": ["https://a.example/x", "https://a.example/y"], "tags": ["a; b|c", '["d;e"]']}
    assert sorted(items(table, rules)["claims"].to_list()) == [["a", "b|c"], ["d;e"]]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"colums": {}}, "did you mean 'columns'?"),
        ({"columns": {"titel": "x"}}, "did you mean 'title'?"),
        ({"constants": {"pubished_at": "x"}}, "did you mean 'published_at'?"),
        ({"time": {"zome": "UTC"}}, "did you mean 'zone'?"),
        ({"time": {"zone": "Europe/Pariss"}}, "did you mean 'Europe/Paris'?"),
        ({"time": {"unit": "h"}}, "unit"),
        ({"lists": {"separator": ""}}, "separator"),
        ({"columns": {"source": "x"}, "constants": {"source": "y"}}, "only one of them"),
        ({"columns": {"collected_at": "x"}, "time": {"collected_at": "published_at"}}, "only one of them"),
        ({"columns": {"title": "headlin"}}, "did you mean 'headline'?"),
        ({"time": {"collected_at": "published_at"}, "columns": {"url": "link"}}, "add published_at ="),
    ],
)
def test_a_mapping_that_does_not_fit_says_so(rules: dict[str, Any], said: str) -> None:
    with pytest.raises(MappingError) as raised:
        scan_items(pl.DataFrame(TABLE), mapping=rules)
    assert said in str(raised.value)
    assert raised.value.exit_code == 2


def test_a_column_that_is_not_in_the_table_names_those_that_are() -> None:
    with pytest.raises(MappingError) as raised:
        scan_items(pl.DataFrame(TABLE), mapping={"columns": {"url": "href"}})
    lines = str(raised.value).splitlines()
    assert lines[0] == "no column 'href' in the table, mapped to url in [columns]"
    assert lines[1].strip() == "there are: headline, link, when"


def test_a_table_of_the_wrong_shape_is_told_what_is_known_and_a_mapping_to_begin_with() -> None:
    with pytest.raises(MappingError) as raised:
        scan_items(pl.DataFrame({"headline": ["x"], "link": ["y"], "pubDate": ["z"]}))
    said = str(raised.value)
    assert said.startswith("none of our columns is in the table")
    assert 'title = "headline"' in said
    assert 'url = "link"' in said
    assert 'published_at = "pubDate"' in said


def test_a_missing_or_broken_mapping_file_is_a_mapping_error(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="no mapping at"):
        Mapping.of(tmp_path / "none.toml")
    (tmp_path / "broken.toml").write_text("[columns")
    with pytest.raises(MappingError, match="cannot read the mapping"):
        Mapping.of(tmp_path / "broken.toml")


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "data" / "mappings").glob("*.toml")), ids=lambda path: path.stem
)
def test_the_shipped_mappings_are_valid(path: Path) -> None:
    assert Mapping.of(path).columns


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real sets are not here")
@pytest.mark.parametrize(
    ("name", "table", "n_items", "n_observations"),
    [
        ("news_stories", "news_stories_uci/items.parquet", 2_413, 2_413),
        ("hacker_news", "hacker_news/posts.parquet", 10_089, 10_089),
        ("reddit_hourly", "reddit_hourly/snapshots.parquet", 2_856, 16_106),
    ],
)
def test_the_shipped_mappings_read_the_real_sets(
    name: str, table: str, n_items: int, n_observations: int
) -> None:
    found = normalise_items(
        scan_items(SHARED / table, mapping=REPOSITORY / "data" / "mappings" / f"{name}.toml")
    )
    assert (found.items.height, found.observations.height, found.rejects.height) == (
        n_items,
        n_observations,
        0,
    )
    assert found.items["published_at"].null_count() == 0
