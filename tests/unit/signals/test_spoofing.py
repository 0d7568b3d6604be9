"""Disguised names: nothing that is not exactly a listed domain gets its tier."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit.normalise.urls import url_columns
from brandkit.profile import SourcePolicy
from brandkit.signals._disguise import mixed_script, skeleton, skeletons
from brandkit.signals.trust import OFFICIAL_SUFFIXES, load_publishers, publishers_for, tier_publishers

PACKAGED = load_publishers()


def judged(domains: list[str | None], publishers: pl.DataFrame = PACKAGED) -> list[tuple[str, bool]]:
    """The tier of each domain, and whether it is flagged as a disguise."""
    rows = {"domain": domains, "publisher": domains, "item_type": ["article"] * len(domains)}
    frame = pl.LazyFrame(rows, schema=dict.fromkeys(rows, pl.String))
    return tier_publishers(frame, publishers).select("tier", "mixed_script").collect().rows()


def of_urls(*urls: str) -> list[tuple[str, bool]]:
    frame = url_columns(pl.LazyFrame({"url": urls}), "url").collect()
    return judged(frame["_url_domain"].to_list())


# The address, the tier it must get, and whether it must be flagged.
URLS = [
    ("https://reuters.com/a", "A", False),
    ("https://www.reuters.com/a", "A", False),
    ("https://REUTERS.COM/a", "A", False),
    ("HTTPS://Reuters.Com", "A", False),
    ("https://reuters.com./a", "A", False),
    ("https://reuters.com:443/a", "A", False),
    ("https://reuters.com:8443/a", "A", False),
    ("https://reuters.com?x=@evil.example", "A", False),
    ("https://reuters.com#@evil.example", "A", False),
    # A browser goes to the very same host for these: letters and stops that map to ASCII.
    ("https://ｒｅｕｔｅｒｓ.com/", "A", False),
    ("https://reuters。com/", "A", False),
    ("https://reuters.com.evil.example/", "unlisted", False),
    ("https://reuters.com-evil.example/", "unlisted", False),
    ("https://evil.example/reuters.com/", "unlisted", False),
    ("https://evil.example/?u=https://reuters.com/", "unlisted", False),
    ("https://evil.example#reuters.com", "unlisted", False),
    ("https://xreuters.com/", "unlisted", False),
    ("https://reuters.co/", "unlisted", False),
    ("https://reuters.com.co/", "unlisted", False),
    ("https://reuters.com@evil.example/", "unlisted", False),
    ("https://evil.example@reuters.com/", "unlisted", False),
    ("https://a@b@reuters.com/", "unlisted", False),
    ("https://user:reuters.com@evil.example/", "unlisted", False),
    ("https://reuters.com:80@evil.example/", "unlisted", False),
    ("https://reuters.com:443.evil.example/", "unlisted", False),
    ("https://reuters.com\\@evil.example/", "unlisted", False),
    ("https://evil.example\\.reuters.com/", "unlisted", False),
    ("https:\\\\reuters.com\\a", "unlisted", False),
    ("https:/reuters.com/", "unlisted", False),
    ("//reuters.com/", "unlisted", False),
    ("https://reu\tters.com/", "unlisted", False),
    ("https://reuters.com\n.evil.example/", "unlisted", False),
    ("https://reu\u200bters.com/", "unlisted", False),
    ("https://reuters.com\u2060.evil.example/", "unlisted", False),
    ("https://\ufeffreuters.com/", "unlisted", False),
    ("https://\u202ereuters.com/", "unlisted", False),
    ("https://%72euters.com/", "unlisted", False),
    ("https://reuters%2ecom/", "unlisted", False),
    ("https://reuters.com%00.evil.example/", "unlisted", False),
    ("https://reuters.com%2f.evil.example/", "unlisted", False),
    ("https://reuters.com／.evil.example/", "unlisted", False),
    ("https://reuters.com⁄.evil.example/", "unlisted", False),
    ("https://reuters.com../", "unlisted", False),
    ("https://.reuters.com/", "unlisted", False),
    ("https://reuters..com/", "unlisted", False),
    ("ftp://reuters.com/", "unlisted", False),
    ("javascript://reuters.com/%0aalert(1)", "unlisted", False),
    ("https://127.0.0.1/reuters.com", "unlisted", False),
    ("https://2130706433/", "unlisted", False),
    ("https://0x7f.1/", "unlisted", False),
    ("https://[::1]/", "unlisted", False),
    ("https://[::ffff:127.0.0.1]:443/", "unlisted", False),
    ("https://reuters.github.io/", "unlisted", False),
    ("https://github.io/", "unlisted", False),
    ("https://gov.uk/", "A", False),
    ("https://www.gov.uk/", "A", False),
    ("https://ons.gov.uk/", "A", False),
    ("https://www.ons.gov.uk./", "A", False),
    ("https://fake-gov.uk/", "unlisted", False),
    ("https://gov.uk.evil.example/", "unlisted", False),
    ("https://gov.foo.example/", "unlisted", False),
    ("https://foo.example/gov.uk", "unlisted", False),
    ("https://xgov.uk/", "unlisted", False),
    ("https://govuk.example/", "unlisted", False),
    ("https://gov/", "unlisted", False),
    # Cyrillic е; all of it but the ending in Cyrillic; Greek omicron; a dotless i; an accent.
    ("https://rеuters.com/", "unlisted", True),
    ("https://xn--ruters-3of.com/", "unlisted", True),
    ("https://XN--RUTERS-3OF.com/", "unlisted", True),
    ("https://оnѕ.gov.uk/", "unlisted", True),
    ("https://аеа.com/", "unlisted", False),
    ("https://bbс.com/", "unlisted", True),
    ("https://rеutеrs.соm/", "unlisted", True),
    ("https://blооmberg.com/", "unlisted", True),
    ("https://réuters.com/", "unlisted", True),
    ("https://polıtıco.com/", "unlisted", True),
    ("https://сnn.com/", "unlisted", True),
    ("https://саіхіn.com/", "unlisted", True),
    ("https://xn--99999999.com/", "unlisted", True),
    ("https://xn--reuters-.com/", "unlisted", True),
    # Honest names in other scripts.
    ("https://bücher.example/", "unlisted", False),
    ("https://日本経済新聞.jp/", "unlisted", False),
    ("https://佐々木カナ.jp/", "unlisted", False),
    ("https://правда.рф/", "unlisted", False),
]


@pytest.mark.parametrize(("url", "tier", "is_flagged"), URLS, ids=[ascii(url) for url, _, _ in URLS])
def test_an_address_gets_the_tier_of_the_host_it_leads_to(url: str, tier: str, is_flagged: bool) -> None:
    assert of_urls(url) == [(tier, is_flagged)]


def test_all_addresses_at_once_get_what_each_gets_alone() -> None:
    assert of_urls(*(url for url, _, _ in URLS)) == [(tier, flagged) for _, tier, flagged in URLS]


@pytest.mark.parametrize(
    ("name", "is_flagged"),
    [
        ("reuters.com.", False), (" reuters.com", False), ("reuters.com/", False), ("www.reuters.com", False),
        ("https://reuters.com", False), ("reuters.com:443", False), ("a@reuters.com", False), ("com", False),
        ("evil.example/.gov.uk", False), ("x y.gov.uk", False), (".gov.uk", False), ("x..gov.uk", False),
        ("ｒｅｕｔｅｒｓ.com", True), ("reu\u200bters.com", True), ("reu\u00adters.com", True),
        ("reuters\u2024com", True), ("reuter\u017f.com", True), ("сnn.com", True),
        # A Kelvin sign, which is a k in lower case; small capitals; a filler that shows nothing.
        ("\u212ayivindependent.com", True), ("ʀᴇᴜᴛᴇʀꜱ.com", True), ("reuters\u3164.com", True),
    ],
    ids=ascii,
)  # fmt: skip
def test_a_text_that_is_no_registrable_domain_has_no_tier_in_a_plain_frame(
    name: str, is_flagged: bool
) -> None:
    assert judged([name]) == [("unlisted", is_flagged)]


def test_a_name_in_another_script_is_a_disguise_only_where_the_name_it_shows_is_listed() -> None:
    # All Cyrillic: scape.example, if one reads it as Latin.
    other = "ѕсаре.example"
    assert judged([other]) == [("unlisted", False)]
    listed = publishers_for(SourcePolicy(tiers={"scape.example": "B"}))
    assert judged([other], listed) == [("unlisted", True)]


def test_a_profile_that_lists_the_other_name_too_has_said_what_it_is() -> None:
    both = publishers_for(SourcePolicy(tiers={"bucher.example": "A", "bücher.example": "C"}))
    assert judged(["xn--bcher-kva.example", "bucher.example"], both) == [("C", False), ("A", False)]


def test_a_suffix_of_the_profile_lifts_no_disguise() -> None:
    policy = SourcePolicy(tiers={"scape.example": "A", ".example": "B"})
    assert judged(["ѕсаре.example", "other.example"], publishers_for(policy)) == [
        ("unlisted", True),
        ("B", False),
    ]


def test_a_disguise_says_whom_it_imitates() -> None:
    names = pl.Series(["xn--ruters-3of.com", "reuters.com", None, "СNN.com", "straße.example"])
    assert skeletons(names).to_list() == ["reuters.com", None, None, "cnn.com", "strasse.example"]
    assert skeleton("plain.example") == "plain.example"


def test_a_label_that_decodes_to_nothing_is_taken_for_a_disguise() -> None:
    assert mixed_script(pl.Series(["xn--99999999.com", None, "a.example"])).to_list() == [True, None, False]


LISTED: list[str] = PACKAGED["domain"].to_list()
SUFFIXES = tuple(f".{suffix}" for suffix in OFFICIAL_SUFFIXES)
NAMES = st.sampled_from(LISTED)
ODD = st.sampled_from(
    ["а", "е", "о", "с", "ｅ", "\u200b", "\u212a", "ı", "é", ".", "-", "@", "/", "%2e", "\\", " "]
)
ENDINGS = st.sampled_from([".evil.example", "@evil.example", ".", "/", ":443", "\t", "x", ".co", "\u2060"])


@st.composite
def almost(draw: st.DrawFn) -> str:
    """A listed domain with something put in, put over a letter, or put at an end."""
    name, at, odd = draw(NAMES), draw(st.integers(0, 30)), draw(ODD)
    at %= len(name)
    inside, over, after = (
        name[:at] + odd + name[at:],
        name[:at] + odd + name[at + 1 :],
        name + draw(ENDINGS),
    )
    return (inside, over, after, odd + name)[draw(st.integers(0, 3))]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(almost(), NAMES, st.text(max_size=12)), min_size=1, max_size=40))
def test_no_text_that_is_not_exactly_a_listed_domain_gets_its_tier(names: list[str]) -> None:
    known = dict(PACKAGED.select("domain", pl.col("tier").cast(pl.String)).rows())
    for name, (tier, is_flagged) in zip(names, judged(list(names)), strict=True):
        if is_flagged or not name.isascii():
            assert tier == "unlisted", ascii(name)
        elif not f".{name.lower()}".endswith(SUFFIXES):
            assert tier == known.get(name.lower(), "unlisted"), ascii(name)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(almost(), NAMES), min_size=1, max_size=40))
def test_an_address_gets_a_tier_only_where_a_browser_ends_up_at_a_listed_host(names: list[str]) -> None:
    for name, (tier, _) in zip(names, of_urls(*(f"https://{name}" for name in names)), strict=True):
        if tier != "unlisted":
            # What a browser maps to plain letters is the host itself.
            host = urlsplit(f"https://{unicodedata.normalize('NFKC', name)}").hostname or ""
            host = host.replace("\u200b", "").replace("\u00ad", "").rstrip(".")
            assert f".{host}".endswith((*SUFFIXES, *(f".{listed}" for listed in LISTED))), ascii(name)
