"""``brandkit sources audit`` and ``import``, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from brandkit.cli.sources import sources
from brandkit.profile import BrandProfile
from brandkit.runner import Runner
from tests.flow.newsdesk import desk, ran, row

RATED = """domain,quality,rank
alpha.example,0.9,1
beta.example,0.5,2
social.example/me,1,3
alpha.example,0.7,4
"""
MAIL = (
    row("alpha.example", "Nordlys orders recall of oat drink as prices rise", clock="07:30:00"),
    row("stranger.example", "Recall of oat drink ordered by Nordlys, prices rise", clock="08:10:00"),
    row("alpha.com.evil.example", "An odd word about the weather of tomorrow", clock="09:00:00"),
    row("courier.example", "Seven soups that a cold evening asks for", clock="10:00:00"),
    row("courier.test", "How to plant a hedge of hornbeam in clay soil", clock="11:00:00"),
)


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("BRANDKIT_PROFILE", raising=False)


def typed(*line: str, code: int = 0) -> Result:
    result = CliRunner().invoke(sources, line, prog_name="brandkit sources")
    assert result.exit_code == code, result.output
    return result


def answer(*line: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(typed(*line, "--json", code=code).stdout)
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    runner = Runner(tmp_path_factory.mktemp("sources") / "store.duckdb")
    sources_ = {
        "use_defaults": False,
        "tiers": {"alpha.example": "A", "alpha.com": "A", "www.beta.example": "B"},
    }
    ran(runner, MAIL, profile=desk(sources=sources_))
    return str(runner.store.path)


def test_an_audit_says_who_is_heard_and_whom_to_tier_first(store: str) -> None:
    told = typed("audit", "--store", store, "--limit", "2").stdout
    assert "desk, 2026-03-02: 1 run, 5 items" in told
    assert "80% of 5 items by domains come from domains on no list" in told
    for text in (
        "tier these first",
        "these may be one newsroom",
        "these look like",
        "www.beta.example",
        "inside",
    ):
        assert text in told
    found = answer("audit", "--store", store, "--limit", "2", "--first", "2026-03-01", "--profile", "desk")
    assert (found["n_items"], found["n_unlisted"], found["share_unlisted"]) == (5, 4, 0.8)
    assert [row_["publisher"] for row_ in found["tier_first"]][0] == "stranger.example"
    assert [row_["looks_like"] for row_ in found["lookalikes"]] == ["alpha.com"]
    assert [(row_["publisher_a"], row_["publisher_b"]) for row_ in found["twins"]] == [
        ("courier.example", "courier.test")
    ]


def test_a_profiles_file_judges_as_it_is_now(store: str, tmp_path: Path) -> None:
    file = tmp_path / "desk.toml"
    file.write_text('id = "desk"\nown = ["X"]\n[sources.tiers]\n"stranger.example" = "B"\n', encoding="utf-8")
    found = answer("audit", "--store", store, "--profile", str(file))
    tiers = {row_["publisher"]: row_["tier"] for row_ in found["publishers"]}
    assert (tiers["stranger.example"], tiers["alpha.example"]) == ("B", "unlisted")


def test_an_audit_without_runs_says_so(tmp_path: Path) -> None:
    assert answer("audit", "--store", str(tmp_path / "new.duckdb"), code=2)["error"]["kind"] == "UnknownError"


@pytest.mark.parametrize("kind", ["csv", "toml"])
def test_ratings_become_a_file_that_a_profile_takes(tmp_path: Path, kind: str) -> None:
    (tmp_path / "r.csv").write_text(RATED, encoding="utf-8")
    cut = ("--cutoffs", "A=.8,B=.6,C=.4")
    told = typed("import", "r.csv", *cut, "--rating", "quality", "--out", f"tiers.{kind}").stdout
    assert "2 domains by 'domain' and 'quality' of 4 rows" in told
    assert "of the rows 1 repeat a domain, 1 are pages, not domains" in told
    assert f"wrote tiers.{kind}" in told
    lists, table = (
        ('lists = ["tiers.csv"]', "") if kind == "csv" else ("", Path("tiers.toml").read_text("utf-8"))
    )
    head = f'id = "desk"\nown = ["X"]\n{"[sources]" if lists else ""}\n{lists}\n{table}'
    Path("desk.toml").write_text(head, encoding="utf-8")
    assert BrandProfile.from_toml("desk.toml").sources.tiers == {"alpha.example": "B", "beta.example": "C"}


def test_nothing_is_written_or_overwritten_unasked(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(RATED, encoding="utf-8")
    line = ("import", "r.csv", "--cutoffs", "A=.5", "--rating", "quality")
    assert "nothing written" in typed(*line).stdout
    found = answer(*line)
    assert found["tiers"] == {"alpha.example": "A", "beta.example": "A"}
    assert (found["n_rows"], found["n_pages"], found["n_repeated"], found["out"]) == (4, 1, 1, None)
    typed(*line, "--out", "t.csv")
    assert "is there already" in typed(*line, "--out", "t.csv", code=2).stderr
    typed(*line, "--out", "t.csv", "--force")
    assert "no known kind" in typed(*line, "--out", "t.json", code=2).stderr


def test_what_is_wrong_with_a_list_or_its_cutoffs_is_told(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(RATED, encoding="utf-8")
    assert (
        "2 columns of the ratings list hold numbers"
        in typed("import", "r.csv", "--cutoffs", "A=1", code=2).stderr
    )
    assert "'A' is no cut-off" in typed("import", "r.csv", "--cutoffs", "A", code=2).stderr
    assert "no file at" in typed("import", "absent.csv", "--cutoffs", "A=1", code=2).stderr
