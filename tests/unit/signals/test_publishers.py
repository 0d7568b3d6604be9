"""What the packaged list of publishers promises."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import polars as pl

import brandkit.signals.trust as module
from brandkit.normalise.urls import _suffixes, registrable_domain
from brandkit.signals.trust import OFFICIAL_SUFFIXES, ROLES, load_publishers

FILE = Path(module.__file__).parents[1] / "defaults" / "publishers.csv"
# Of one name in two countries, and nothing to do with each other.
NAMESAKES = {
    "abc", "datatilsynet", "dn", "eleconomista", "elpais", "expansion", "guardian", "independent", "inquirer",
    "news", "newswire", "thestar", "tv2", "wired", "yahoo",
}  # fmt: skip
# Domains whose one owner is a government; every other official suffix is a registry's.
GOVERNMENTS_OWN = {
    "europa.eu", "parliament.uk", "judiciary.uk", "gov.wales", "bund.de", "admin.ch", "gov.ro", "gov.hu",
}  # fmt: skip


def test_three_hundred_outlets_wires_portals_regulators_and_courts_are_listed() -> None:
    roles = dict(load_publishers()["role"].value_counts().rows())
    assert set(roles) == {"outlet", "wire", "portal", "official"} < set(ROLES)
    assert roles["outlet"] >= 300
    assert min(roles.values()) >= 30


def test_every_domain_is_registrable_and_stands_once() -> None:
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    domains = [line.split(",")[0] for line in lines[1:]]
    assert [d for d in domains if registrable_domain(d) != d or d != d.lower()] == []
    assert len(domains) == len(set(domains)) == load_publishers().height


def test_no_domain_is_a_suffix_under_which_anybody_may_register() -> None:
    exact, _, _ = _suffixes()
    assert [domain for domain in load_publishers()["domain"] if domain in exact] == []


def test_official_suffixes_are_registries_or_a_governments_own_domain() -> None:
    exact, _, _ = _suffixes()
    assert set(OFFICIAL_SUFFIXES) - exact == GOVERNMENTS_OWN
    assert len(set(OFFICIAL_SUFFIXES)) == len(OFFICIAL_SUFFIXES)


def test_editions_of_one_family_have_one_tier_and_confirm_alike() -> None:
    alike = load_publishers().with_columns(confirms=pl.col("role") != "portal")
    kinds = alike.group_by("family").agg(pl.col("tier").n_unique(), pl.col("confirms").n_unique())
    assert kinds.filter((pl.col("tier") > 1) | (pl.col("confirms") > 1)).is_empty()


def test_one_name_under_two_endings_is_one_family_or_a_known_namesake() -> None:
    families: dict[str, set[str]] = defaultdict(set)
    for domain, family in load_publishers().select("domain", "family").rows():
        families[domain.split(".")[0]].add(family)
    assert {name for name, found in families.items() if len(found) > 1} == NAMESAKES


def test_families_are_plain_words() -> None:
    plain = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
    assert [family for family in load_publishers()["family"] if not plain.fullmatch(family)] == []


def test_portals_are_c_and_official_bodies_are_a() -> None:
    tiers = load_publishers().group_by("role").agg(pl.col("tier").cast(pl.String).unique().sort())
    found = dict(tiers.rows())
    assert (found["portal"], found["official"]) == (["C"], ["A"])


def test_aggregators_press_release_services_and_platforms_are_portals() -> None:
    named = ["google.com", "yahoo.com", "msn.com", "apple.news", "prnewswire.com", "substack.com", "phys.org"]
    roles = load_publishers().filter(pl.col("domain").is_in(named))["role"]
    assert roles.to_list() == ["portal"] * len(named)


def test_every_row_is_whole() -> None:
    assert load_publishers().null_count().sum_horizontal().item() == 0


def test_the_head_of_the_file_states_the_criteria_of_each_tier_and_role() -> None:
    head = FILE.read_text(encoding="utf-8").split("\ndomain,")[0].splitlines()
    assert all(line.startswith("#") for line in head)
    at = [next(n for n, line in enumerate(head) if line.startswith(f"#   {tier}  ")) for tier in "ABC"]
    assert all(later > earlier + 1 for earlier, later in pairwise(at))
    text = " ".join(head)
    assert all(word in text for word in ("outlet", "wire", "portal", "official", "corrects errors"))
