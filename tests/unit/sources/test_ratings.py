"""Ratings lists from files: which column is what, what becomes of each row, and tiers a profile can take."""

from __future__ import annotations

import tomllib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit.errors import InputError, UsageError
from brandkit.normalise import domains_of, normalise_items
from brandkit.profile import BrandProfile
from brandkit.signals.trust import tiers_from_ratings
from brandkit.sources.ratings import import_ratings, read_cutoffs

CUTOFFS = {"A": 0.8, "B": 0.6, "C": 0.4}
ROWS = """domain,quality
alpha.example,0.9
https://www.Beta.example/,0.8
news.gamma.example,0.4
delta.example,0.39
alpha.example,0.7
social.example/somebody,0.99
nobody,1.0
epsilon.example,
zeta.example,n/a
,0.9
"""


def written(folder: Path, text: str = ROWS, name: str = "ratings.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_every_row_of_a_list_is_accounted_for(tmp_path: Path) -> None:
    found = import_ratings(written(tmp_path), cutoffs=CUTOFFS)
    assert found.tiers.rows() == [
        ("alpha.example", "B"),
        ("beta.example", "A"),
        ("delta.example", "unlisted"),
        ("epsilon.example", "unlisted"),
        ("gamma.example", "C"),
        ("zeta.example", "unlisted"),
    ]
    assert (found.domain_column, found.rating_column) == ("domain", "quality")
    # 10 rows = 6 domains + the second alpha + one page + "nobody" and the empty one.
    assert (found.n_rows, found.n_repeated, found.n_pages, found.n_no_domain) == (10, 1, 1, 2)
    assert found.n_no_number == 2
    assert found.counts() == {"A": 1, "B": 1, "C": 1, "unlisted": 3}


def test_parquet_and_tab_separated_lists_read_alike(tmp_path: Path) -> None:
    table = pl.DataFrame({"score": [1, 0], "site": ["a.example", "b.example"]})
    table.write_parquet(tmp_path / "r.parquet")
    table.write_csv(tmp_path / "r.tsv", separator="\t")
    found = [import_ratings(tmp_path / name, cutoffs={"A": 1}) for name in ("r.parquet", "r.tsv")]
    assert [f.tiers.rows() for f in found] == [[("a.example", "A"), ("b.example", "unlisted")]] * 2
    assert [(f.domain_column, f.rating_column) for f in found] == [("site", "score")] * 2


def test_a_profile_takes_the_tiers_as_toml_and_as_a_list(tmp_path: Path) -> None:
    found = import_ratings(written(tmp_path), cutoffs=CUTOFFS)
    tiers = {"alpha.example": "B", "beta.example": "A", "gamma.example": "C"}
    assert tomllib.loads(found.toml()) == {"sources": {"tiers": tiers}}
    written(tmp_path, found.csv(), "list.csv")
    profile = written(tmp_path, 'id = "desk"\nown = ["X"]\n[sources]\nlists = ["list.csv"]\n', "desk.toml")
    assert BrandProfile.from_toml(profile).sources.tiers == tiers


@pytest.mark.parametrize(
    ("text", "asked", "says"),
    [
        (ROWS, {"domain": "domian"}, "no column 'domian'.*\n.*\n.*did you mean 'domain'"),
        (ROWS, {"rating": "score"}, "no column 'score'"),
        (ROWS, {"rating": "domain"}, "no cell of column 'domain' is a number"),
        ("domain,quality\na.example,good\n", {}, "no column .* holds numbers"),
        ("name,quality\nAlpha,1\n", {}, "no column .* holds domains"),
        ("domain,quality\n", {}, "no rows"),
        ("", {}, "empty"),
    ],
)
def test_a_list_without_a_domain_and_a_number_is_refused(
    text: str, asked: dict[str, str], says: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=says):
        import_ratings(written(tmp_path, text), cutoffs=CUTOFFS, **asked)


def test_of_two_columns_of_numbers_one_has_to_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, "domain,rank,quality\na.example,1,0.9\n")
    with pytest.raises(UsageError, match="2 columns .*\n.*rank, quality\n.*--rating"):
        import_ratings(path, cutoffs=CUTOFFS)
    assert import_ratings(path, cutoffs=CUTOFFS, rating="quality").counts()["A"] == 1


@pytest.mark.parametrize("name", ["absent.csv", "ratings.xlsx"])
def test_a_file_that_is_no_list_is_refused(name: str, tmp_path: Path) -> None:
    if name != "absent.csv":
        written(tmp_path, "x", name)
    with pytest.raises(InputError, match="no file|no known kind"):
        import_ratings(tmp_path / name, cutoffs=CUTOFFS)


def test_a_folder_is_not_one_list(tmp_path: Path) -> None:
    written(tmp_path)
    written(tmp_path, name="more.csv")
    with pytest.raises(InputError, match="2 files"):
        import_ratings(tmp_path, cutoffs=CUTOFFS)


def test_cutoffs_are_read_from_one_word() -> None:
    assert read_cutoffs("a=.8, B=6e-1,") == {"A": 0.8, "B": 0.6}


@pytest.mark.parametrize("text", ["A", "A=", "A=x", "D=.5", "A=.8,A=.7", "unlisted=.1"])
def test_a_word_that_is_no_cutoff_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no cut-off"):
        read_cutoffs(text)


@pytest.mark.parametrize("cutoffs", [{"A": float("nan")}, {"A": float("inf")}])
def test_a_cutoff_is_a_number(cutoffs: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="step down"):
        tiers_from_ratings(pl.DataFrame({"domain": ["a.example"], "n": [1.0]}), cutoffs=cutoffs)


def test_named_columns_are_taken_and_a_wrong_one_is_refused() -> None:
    rated = pl.DataFrame({"id": ["x"], "host": ["a.example"], "rank": [9], "quality": [0.9]})
    found = tiers_from_ratings(rated, cutoffs=CUTOFFS, domain="host", rating="quality")
    assert found.rows() == [("a.example", "A")]
    with pytest.raises(InputError, match="'host' of the ratings list holds String, not a number"):
        tiers_from_ratings(rated, cutoffs=CUTOFFS, rating="host")
    with pytest.raises(InputError, match="no column 'hots'"):
        tiers_from_ratings(rated, cutoffs=CUTOFFS, domain="hots")


HOSTS = st.sampled_from(
    ["a.example", "www.A.example", "m.b.co.uk", "b.co.uk.", "x.github.io", "gov.uk", "10.0.0.1"]
)


@settings(max_examples=10, deadline=None)
@given(st.lists(HOSTS, min_size=1, max_size=6))
def test_a_rated_domain_is_the_domain_that_items_of_it_have(hosts: list[str]) -> None:
    raw = {"url": [f"https://{host}/{n}" for n, host in enumerate(hosts)], "title": ["x"] * len(hosts)}
    stamped = pl.DataFrame(raw).with_columns(collected_at=pl.lit("2026-03-02T08:00:00Z"))
    of_items = dict(normalise_items(stamped.lazy()).items.select("url", "domain").rows())
    found = domains_of(pl.Series(hosts))
    assert set(found) == set(of_items.values())


@settings(max_examples=10, deadline=None)
@given(st.dictionaries(HOSTS, st.floats(0, 1), min_size=1), st.floats(0.01, 0.3))
def test_raising_every_cutoff_never_raises_a_tier(rated: dict[str, float], more: float) -> None:
    table = pl.DataFrame({"domain": list(rated), "n": list(rated.values())})
    low = tiers_from_ratings(table, cutoffs={"A": 0.6, "B": 0.3})["tier"]
    high = tiers_from_ratings(table, cutoffs={"A": 0.6 + more, "B": 0.3 + more})["tier"]
    assert (high >= low).all()
