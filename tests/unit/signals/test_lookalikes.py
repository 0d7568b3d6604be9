"""Names that look like a listed publisher's, and how."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit.signals.lookalikes import HOWS, lookalikes
from brandkit.signals.trust import load_publishers

KNOWN = pl.DataFrame(
    {"domain": ["reuters.com", "mirror.co.uk", "theguardian.com", "cbsnews.com", ".gov.uk", "x:y"]}
)


def found(*hosts: str | None) -> list[tuple[str, str | None, str]]:
    rows = lookalikes(pl.Series(hosts, dtype=pl.String), KNOWN)
    return rows.select("host", "looks_like", pl.col("how").cast(pl.String)).rows()


@pytest.mark.parametrize(
    ("host", "looks_like", "how"),
    [
        ("xn--ruters-3of.com", "reuters.com", "script"),
        ("www.xn--ruters-3of.com", "reuters.com", "script"),
        ("réuters.com", "reuters.com", "script"),
        ("xn--pple-43d.com", None, "mixed"),
        ("reuters.com.evil.example", "reuters.com", "inside"),
        ("www.mirror.co.uk.evil.example", "mirror.co.uk", "inside"),
        ("reuters-com.evil.example", "reuters.com", "inside"),
        ("reuters.com.co", "reuters.com", "inside"),
        ("rnirror.co.uk", "mirror.co.uk", "letters"),
        ("theguardlan.com", "theguardian.com", "letters"),
        ("the-guardian.com", "theguardian.com", "letters"),
        ("reuterss.com", "reuters.com", "letters"),
        ("reters.com", "reuters.com", "letters"),
        ("rueters.com", "reuters.com", "letters"),
        ("reutars.com", "reuters.com", "letters"),
        ("reuters.co", "reuters.com", "ending"),
        ("news.reuters.co", "reuters.com", "ending"),
    ],
)
def test_a_look_alike_is_told_with_whom_it_may_be_taken_for(
    host: str, looks_like: str | None, how: str
) -> None:
    assert found(host) == [(host, looks_like, how)]


@pytest.mark.parametrize(
    "host",
    [
        "reuters.com", "www.reuters.com", "m.mirror.co.uk", "cnsnews.com", "plain.example", "localhost",
        "10.0.0.1", "reuters.com/path", "https://reuters.co", "reuetrs2.com", "bücher.example", "x.gov.uk",
        None,
    ],
)  # fmt: skip
def test_a_listed_host_a_far_name_and_no_host_are_no_look_alikes(host: str | None) -> None:
    assert found(host) == []


def test_each_host_is_told_once_in_the_plainest_way_first() -> None:
    # Both a letter off and, once more, before the end of the host.
    rows = found("reuters.com.reuterss.com", "reuters.co", "reuters.com.reuterss.com", "xn--ruters-3of.com")
    assert [(host, how) for host, _, how in rows] == [
        ("xn--ruters-3of.com", "script"),
        ("reuters.com.reuterss.com", "inside"),
        ("reuters.co", "ending"),
    ]


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.one_of(st.text(max_size=12), st.sampled_from(["reuters.co", "a.example", "rеuters.com"])),
        max_size=8,
    )
)
def test_any_text_is_borne_in_any_order(hosts: list[str]) -> None:
    rows = lookalikes(pl.Series(hosts, dtype=pl.String), load_publishers())
    assert rows.equals(lookalikes(pl.Series(hosts[::-1], dtype=pl.String), load_publishers()))
    assert rows["host"].is_unique().all()
    assert set(rows["how"]) <= set(HOWS)
