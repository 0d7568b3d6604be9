from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit.normalise.columns import patched
from brandkit.normalise.text import PLAIN, clean_text, cleaned
from brandkit.normalise.urls import (
    _suffixes,
    host_facts,
    no_url_columns,
    registrable_domain,
    settle_odd,
    url_columns,
)
from brandkit.safe import plain_text

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def read(*urls: str | None) -> pl.DataFrame:
    given = pl.Series("url", urls, dtype=pl.String)
    frame = url_columns(given.to_frame().lazy(), "url").collect()
    # The functions inside the plan are pure: hosts settled and looked up by hand are those of the plan.
    settled = settle_odd(given.str.strip_chars())
    facts = host_facts(frame["_url_host"])
    assert facts.struct.field("domain").to_list() == frame["_url_domain"].to_list()
    assert facts.struct.field("host").to_list() == frame["_url_host"].to_list()
    assert all(url is not None for url, host in zip(settled, frame["_url_host"], strict=True) if host)
    return frame


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("https://Example.COM/Path", "https://example.com/Path"),
        (" https://example.com ", "https://example.com/"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("http://example.com:80/a", "http://example.com/a"),
        ("http://example.com:8080/a", "http://example.com:8080/a"),
        ("https://example.com./a", "https://example.com/a"),
        ("https://example.com/a#top", "https://example.com/a"),
        ("https://example.com/a/", "https://example.com/a"),
        ("https://example.com/a/?x=1", "https://example.com/a?x=1"),
        ("https://example.com?x=1", "https://example.com/?x=1"),
        ("https://example.com/a?utm_source=x&id=9&fbclid=z", "https://example.com/a?id=9"),
        ("https://example.com/a?b=2&a=1", "https://example.com/a?b=2&a=1"),
        ("https://example.com/a?UTM_Medium=x", "https://example.com/a"),
        ("https://example.com/a?notutm_source=x", "https://example.com/a?notutm_source=x"),
        ("https://example.com/%7Ea/%c3%a9", "https://example.com/~a/%C3%A9"),
        ("https://example.com/é?q=ü", "https://example.com/%C3%A9?q=%C3%BC"),
        ("https://example.com/a/./b/../c", "https://example.com/a/c"),
        ("https://example.com/a\\?x=1", "https://example.com/a?x=1"),
        ('https://example.com/a"b', "https://example.com/a%22b"),
        ("https://日本経済新聞.jp/", "https://xn--efvnev4by9pjsu2ge.jp/"),
        ("https://ｅｘａｍｐｌｅ.com/", "https://example.com/"),
        ("http://[2001:DB8::1]:8080/a", "http://[2001:db8::1]:8080/a"),
    ],
)
def test_a_url_has_one_spelling(given: str, canonical: str) -> None:
    assert read(given)["url"].item() == canonical


@pytest.mark.parametrize(
    "given",
    [
        "javascript:alert(1)", "data:text/html,x", "ftp://example.com/a", "//example.com/a", "example.com/a",
        "mailto:a@example.com", "https://user:pw@example.com/", "https://reuters.com@evil.example/",
        "http://ok.example\\@127.0.0.1/", "https://exa mple.com/", "https://example.com/a b",
        "https://example.com/a\tb", "https://example.com/\u202egnp.exe", "https://exam\u200bple.com/",
        "https:///a", "https://", "https://a..b/", "https://example.com:99999999/", "https://example.com:port/",
        "http://[::1", "https://-.com\x00/", "https://" + "a" * 64 + ".com/", "https://e.com/" + "a" * 5000,
        "https://xn--\u00e9.com/", "https://exa%6dple.com/", "JaVa\tScRiPt:alert(1)", 'https://a"onmouseover="x/',
    ],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused(given: str) -> None:
    assert read(given).row(0) == (None, None, None, None)


@pytest.mark.parametrize(
    "other",
    [
        "http://example.com/a", "https://www.example.com/a", "https://m.example.com/a/", "https://amp.example.com/a",
        "https://example.com/a?amp=1", "https://example.com/a?outputType=amp&utm_source=x",
    ],
)  # fmt: skip
def test_doors_into_one_house_are_one_key(other: str) -> None:
    keys = read("https://example.com/a", other)["_url_key"]
    assert keys.n_unique() == 1


def test_a_door_that_is_the_whole_name_is_kept() -> None:
    # m.co.uk is a name under co.uk; without its m. it would be every British company.
    assert read("https://m.co.uk/a")["_url_key"].item() == "m.co.uk/a"


def test_pages_that_differ_keep_their_keys() -> None:
    urls = ["https://example.com/a?id=1", "https://example.com/a?id=2", "https://sub.example.com/a?id=1"]
    assert read(*urls, "https://example.com/a?champ=1")["_url_key"].n_unique() == 4


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("news.example.com", "example.com"),
        ("news.example.co.uk", "example.co.uk"),
        ("gov.uk", "gov.uk"),
        ("nhs.uk", "nhs.uk"),
        ("www.gov.uk", "www.gov.uk"),
        ("a.blog.github.io", "blog.github.io"),
        ("github.io", "github.io"),
        ("x.y.ck", "x.y.ck"),
        ("a.x.y.ck", "x.y.ck"),
        ("www.ck", "www.ck"),
        ("a.www.ck", "www.ck"),
        ("a.city.kawasaki.jp", "city.kawasaki.jp"),
        ("deep.unknown.tld-of-nobody", "unknown.tld-of-nobody"),
        ("reuters.com.evil.example", "evil.example"),
        ("localhost", None),
        ("127.0.0.1", None),
        ("127.1", None),
        ("0x7f.0x1", None),
        ("[::1]", None),
        ("a..b", None),
    ],
)
def test_the_registrable_domain_follows_the_public_suffix_list(host: str, domain: str | None) -> None:
    assert registrable_domain(host) == domain


def test_the_packaged_suffix_list_has_all_three_kinds_of_rule() -> None:
    _suffixes.cache_clear()
    registrable_domain.cache_clear()
    exact, wildcards, exceptions = _suffixes()
    assert {"com", "co.uk", "github.io", "xn--p1ai"} <= exact
    assert ("ck" in wildcards, "www.ck" in exceptions) == (True, True)
    assert all(rule.isascii() for rule in exact | wildcards | exceptions)


def test_a_host_that_cannot_be_one_is_null_in_its_place() -> None:
    hosts = pl.Series(["a.example", None, "[::1]", "[zz]", "a..b", "x" * 64 + ".com", "a.example"])
    facts = host_facts(hosts)
    assert facts.struct.field("host").to_list() == ["a.example", None, "[::1]", None, None, None, "a.example"]
    assert facts.struct.field("domain").to_list() == ["a.example", *[None] * 5, "a.example"]


def test_a_source_without_urls_has_the_same_columns_null() -> None:
    rows = pl.LazyFrame({"n": [1, 2]})
    without = no_url_columns(rows, "url").collect()
    assert without.drop("n").schema == read(None)[["url", "_url_key", "_url_host", "_url_domain"]].schema
    assert without["url"].null_count() == 2


def test_the_domain_stands_beside_the_url_also_for_broken_hosts() -> None:
    frame = read("https://news.example.co.uk/a", "https://10.0.0.1/a", None, "nonsense")
    assert frame["_url_domain"].to_list() == ["example.co.uk", None, None, None]
    assert frame["_url_host"].to_list() == ["news.example.co.uk", "10.0.0.1", None, None]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.text(max_size=40).map(lambda tail: "https://example.com/" + tail), min_size=1, max_size=20)
)
def test_a_canonical_url_is_its_own_canonical_url(urls: list[str]) -> None:
    once = read(*urls)["url"].to_list()
    assert read(*once)["url"].to_list() == once


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["", "https://", "http://a.b/"]))
def test_no_text_at_all_breaks_the_reading_of_urls(text: str, start: str) -> None:
    url = read(start + text)["url"].item()
    assert url is None or (
        url.isascii() and url.startswith(("http://", "https://")) and "@" not in url.split("/")[2]
    )


def clean(*texts: str | None) -> list[str | None]:
    given = pl.Series("text", texts, dtype=pl.String)
    plan = given.to_frame().lazy().select(clean_text(pl.col("text"))).collect()["text"]
    # What the short way expects was stripped before it came.
    assert cleaned(given).to_list() == plan.to_list()
    return plan.to_list()


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("<b>Tram</b> strike", "Tram strike"),
        ("one<br/>two<p class='x'>three</p>", "one two three"),
        ("<script>alert(1)</script>after", "after"),
        ("profits < costs > 5", "profits < costs > 5"),
        ("AT&amp;T &#8217;s &eacute;&nbsp;end", "AT&T ’s é end"),
        ("AT&T and ?a=1&copy=2", "AT&T and ?a=1&copy=2"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("&lt;b&gt;", "<b>"),
        ("&unknownentity; &#xd800; &#99999999;", "&unknownentity; \ufffd &#99999999;"),
        ("Cafe\u0301", "Café"),
        ("\u202eevil\u202c \u200bquiet", "evil quiet"),
        ("a\tb\nc  d", "a b c d"),
        ("<b></b>", None),
        ("&nbsp;", None),
        ("\u200b", None),
        (None, None),
    ],
)
def test_text_comes_out_plain(given: str | None, plain: str | None) -> None:
    assert clean(given) == [plain]


def test_characters_called_plain_are_plain_in_any_company() -> None:
    frame = pl.DataFrame({"c": [chr(n) for n in range(0x20, 0x10000) if not 0xD800 <= n <= 0xDFFF]})
    every = frame.filter(pl.col("c").str.contains(f"^[{PLAIN}]$"))["c"].to_list()
    assert len(every) > 30_000
    assert [c for c in every if plain_text(f"a{c}a") != f"a{c}a" and c != " "] == []
    # None of them joins with what stands before it, so no text of them can be out of NFC.
    joined = "".join(every)
    assert unicodedata.is_normalized("NFC", joined)
    assert unicodedata.is_normalized("NFC", joined[::-1])
    assert not any(unicodedata.combining(c) for c in every)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30), min_size=1, max_size=10)
)
def test_the_short_way_with_text_is_the_long_way(texts: list[str]) -> None:
    plain = [text.replace("<", "").replace("&", "") for text in texts]
    assert clean(*plain) == [plain_text(text) or None for text in plain]


def test_a_value_that_is_fixed_is_put_back_in_its_place() -> None:
    values = pl.Series("v", ["a", "B", None, "B", "c"])
    assert patched(values, "[A-Z]", lambda text: text.lower() * 2).to_list() == ["a", "bb", None, "bb", "c"]
