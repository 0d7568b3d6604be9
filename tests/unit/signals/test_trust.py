"""Trust: exact domains, whole-label suffixes, families, and disguises."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from brandkit.errors import InputError, UsageError
from brandkit.normalise import account_key
from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile, SourcePolicy
from brandkit.schemas import TIER
from brandkit.signals._disguise import mixed_script
from brandkit.signals.trust import (
    load_publishers,
    publishers_for,
    tier_publishers,
    tiers_from_ratings,
    trust,
)


def items(*domains: str | None, item_type: str = "article") -> pl.LazyFrame:
    rows = {"domain": list(domains), "publisher": list(domains), "item_type": [item_type] * len(domains)}
    return pl.LazyFrame(rows, schema=dict.fromkeys(rows, pl.String))


def tiers(*domains: str | None, **policy: object) -> list[str]:
    sources = SourcePolicy.model_validate(policy)
    return tier_publishers(items(*domains), publishers_for(sources)).collect()["tier"].to_list()


def test_editions_of_one_newsroom_fold_into_one_publisher() -> None:
    frame = tier_publishers(items("bbc.co.uk", "bbc.com", "nowhere.example"), load_publishers()).collect()
    assert frame["publisher"].to_list() == ["bbc", "bbc", "nowhere.example"]
    assert frame["tier"].to_list() == ["A", "A", "unlisted"]
    assert frame["role"].to_list() == ["outlet", "outlet", None]


def test_suffixes_match_whole_labels_only() -> None:
    assert tiers("ons.gov.uk", "x.gov", "notgov.uk", "gov.uk.evil.example", "mygov", "europa.eu", "x.uk") == [
        "A", "A", "unlisted", "unlisted", "unlisted", "A", "unlisted",
    ]  # fmt: skip


def test_an_exact_domain_wins_over_its_suffix_and_official_suffixes_are_official() -> None:
    frame = tier_publishers(items("ons.gov.uk", "spa.gov.sa"), load_publishers()).collect()
    assert frame["tier"].to_list() == ["A", "C"]
    assert frame["role"].to_list() == ["official", "wire"]


def test_lookalike_domains_get_nothing() -> None:
    assert tiers("reuters.com.example", "xreuters.com", "reuters.co", "") == ["unlisted"] * 4


def test_mixed_script_labels_are_unlisted_and_flagged_even_when_a_profile_lists_them() -> None:
    # xn--pple-43d is 'apple' with a Cyrillic a; xn--bcher-kva is 'bücher'; xn--wgv71a is '日本'.
    names = ["xn--pple-43d.com", "xn--bcher-kva.de", "xn--wgv71a.jp", "аpple.com", "xn--99999999.com"]
    publishers = publishers_for(SourcePolicy(tiers=dict.fromkeys(names, "A")))
    frame = tier_publishers(items(*names), publishers).collect()
    assert frame["mixed_script"].to_list() == [True, False, False, True, True]
    assert frame["tier"].to_list() == ["unlisted", "A", "A", "unlisted", "unlisted"]


def test_a_profile_wins_over_the_packaged_list_and_over_suffixes() -> None:
    said = {"bbc.com": "C", "town.gov.uk": "B", ".example": "B"}
    assert tiers("bbc.com", "town.gov.uk", "other.gov.uk", "paper.example", tiers=said) == [
        "C",
        "B",
        "A",
        "B",
    ]
    assert tiers("bbc.com", "ons.gov.uk", use_defaults=False) == ["unlisted", "A"]


def test_a_profile_adds_families_roles_audiences_and_its_own_domains() -> None:
    policy = SourcePolicy(
        families={"bbc.com": "auntie"},
        roles={"a.example": "wire"},
        audiences={"a.example": 7},
        own_domains=("Us.example",),
    )
    frame = tier_publishers(items("bbc.com", "a.example", "us.example"), publishers_for(policy)).collect()
    assert frame["publisher"].to_list() == ["auntie", "a.example", "us.example"]
    assert frame["tier"].to_list() == ["A", "unlisted", "unlisted"]
    assert frame["role"].to_list() == ["outlet", "wire", "own"]
    assert frame["audience"][1] == 7


def test_a_post_is_its_account_and_never_its_target_or_platform() -> None:
    posts = pl.LazyFrame(
        {
            "domain": ["bbc.com", "bbc.com", "bbc.com"],
            "publisher": ["mastodon:BBC_news", "mastodon:someone", None],
            "item_type": ["post"] * 3,
        }
    )
    policy = SourcePolicy(tiers={"mastodon:bbc_news": "A"}, families={"mastodon:bbc_news": "bbc"})
    frame = tier_publishers(posts, publishers_for(policy)).collect()
    assert frame["tier"].to_list() == ["A", "unlisted", "unlisted"]
    assert frame["publisher"].to_list() == ["bbc", "mastodon:someone", None]


def test_no_publisher_is_unlisted_and_rows_keep_their_order() -> None:
    frame = tier_publishers(items("z.example", None, "bbc.com", "a.example"), load_publishers()).collect()
    assert frame["domain"].to_list() == ["z.example", None, "bbc.com", "a.example"]
    assert frame["tier"].to_list() == ["unlisted", "unlisted", "A", "unlisted"]
    assert frame.schema["tier"] == TIER


def test_stage_reads_the_runs_profile_and_can_run_twice() -> None:
    from datetime import UTC, datetime

    profile = BrandProfile.from_dict({"id": "desk", "own": ["X"], "sources": {"tiers": {"a.example": "B"}}})
    now = datetime(2026, 3, 2, tzinfo=UTC)
    ctx = RunContext(profile=profile, as_of=now, window_start=now)
    once = trust(items("a.example", None), ctx)
    assert once.collect()["tier"].to_list() == ["B", "unlisted"]
    assert_frame_equal(trust(once, ctx).collect(), once.collect())


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("domain,tier\na.example,A\nA.example.,B\n", "duplicate domain 'a.example'"),
        ("domain,tier\na.example,D\n", "unknown tier 'D'"),
        ("domain,tier\na.example,\n", "unknown tier 'None'"),
        ("domain,tier,role\na.example,A,outlett\n", "did you mean 'outlet'"),
        ("domain,tier,audience\na.example,A,many\n", "audience"),
        ("domain,tier,audience\na.example,A,-5\n", "audience"),
        ("domain,tier\n,A\n", "without a domain"),
        ("domain,rank\na.example,A\n", "lacks tier"),
        ("", "cannot read"),
    ],
)
def test_a_wrong_publisher_list_is_refused(rows: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(rows, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        load_publishers(path)


def test_a_short_publisher_list_is_filled_with_defaults(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("# ours\ndomain,tier\nB.example,B\na.example,A\n", encoding="utf-8")
    assert load_publishers(path).rows() == [
        ("a.example", "a.example", "A", "outlet", None),
        ("b.example", "b.example", "B", "outlet", None),
    ]
    with pytest.raises(InputError, match="cannot read"):
        load_publishers(tmp_path / "absent.csv")


def test_ratings_become_tiers_by_cutoffs_and_the_lower_of_two_ratings_counts() -> None:
    ratings = pl.DataFrame(
        {
            "domain": ["a.example", "www.B.example", "c.example", "d.example", "n.example", "a.example", ""],
            "quality": [0.9, 0.8, 0.4, 0.39, None, 0.7, 1.0],
        }
    )
    frame = tiers_from_ratings(ratings, cutoffs={"A": 0.8, "B": 0.6, "C": 0.4})
    assert frame.rows() == [
        ("a.example", "B"),
        ("b.example", "A"),
        ("c.example", "C"),
        ("d.example", "unlisted"),
        ("n.example", "unlisted"),
    ]


@pytest.mark.parametrize("cutoffs", [{}, {"A": 0.5, "B": 0.6}, {"A": 0.5, "D": 0.2}, {"A": 0.5, "B": 0.5}])
def test_cutoffs_must_step_down(cutoffs: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="step down"):
        tiers_from_ratings(pl.DataFrame({"domain": ["a"], "n": [1.0]}), cutoffs=cutoffs)


def test_a_ratings_list_needs_a_domain_and_a_number() -> None:
    with pytest.raises(InputError, match="a domain and a number"):
        tiers_from_ratings(pl.DataFrame({"domain": ["a.example"]}), cutoffs={"A": 1.0})


def test_scripts_that_one_language_writes_together_do_not_mix() -> None:
    # Called directly: inside a plan it runs on a thread of Polars, where coverage cannot look.
    names = pl.Series(["日本語カナabc.jp", "한국a.kr", "αpha.gr", "plain.example", None, "xn--99999999.com"])
    assert mixed_script(names).to_list() == [False, False, True, False, None, True]


def test_a_profile_lists_an_account_by_its_name_and_items_carry_its_pseudonym() -> None:
    listed = publishers_for(SourcePolicy(use_defaults=False, tiers={"forum:@Nordlys": "B"}))
    post = pl.LazyFrame(
        {
            "item_id": ["0" * 16],
            "item_type": ["post"],
            "domain": ["forum.example"],
            "publisher": [f"forum:{account_key('Forum', 'nordlys')}"],
        }
    )
    assert tier_publishers(post, listed).collect()["tier"].to_list() == ["B"]
