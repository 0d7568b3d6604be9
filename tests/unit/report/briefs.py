"""Briefs made of literal rows, hostile text, and a reader of HTML that sees what could run."""

from __future__ import annotations

from datetime import UTC, date, datetime
from html.parser import HTMLParser
from typing import Any

import polars as pl

from brandkit.assess import assess
from brandkit.profile import BrandProfile
from brandkit.report.brief import Brief
from brandkit.store.runs import RunRow

AS_OF = datetime(2026, 3, 5, tzinfo=UTC)
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "</style><style>body{display:none}</style>",
    '"><svg onload=alert(3)>',
    "$\\frac{a$ costs $5 and $10",
    "[/red][link=https://evil.example]click[/link]",
    "abc\u202etxt.exe\u2066 \u200b end",
    "javascript:alert(4)",
    "=HYPERLINK(\"https://evil.example\")",
    "{run_date.__class__} {{7*7}} ${jndi}",
    "漢字 العربية 😀 " + "x" * 900,
)  # fmt: skip
HOSTILE_URLS = (
    "javascript:alert(1)",
    "JaVa\tScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    'https://a.example/"onmouseover="alert(1)',
    "https://bank.example@evil.example/",
    "//evil.example/x",
)


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.live: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "iframe", "object", "embed", "form", "svg", "base", "link", "input", "button"}:
            self.live.append(tag)
        for name, value in attrs:
            given = (value or "").strip()
            if name.startswith("on") or name in {"style", "srcset", "formaction", "action"}:
                self.live.append(f"{tag} {name}")
            if name == "href":
                self.links.append(given)
                if not given.startswith(("https://", "http://")):
                    self.live.append(f"{tag} {given}")
            if name == "src" and not given.startswith("data:image/png;base64,"):
                self.live.append(f"{tag} {given}")

    def handle_data(self, data: str) -> None:
        self.text += data


def read(markup: str) -> Page:
    """Parsed markup: ``.live`` is what could run or call out, ``.text`` what a reader sees."""
    made = Page()
    made.feed(markup)
    made.close()
    return made


PROFILE = {
    "id": "desk",
    "title": "Nordlys <b>desk</b>",
    "timezone": "Europe/Oslo",
    "own": ["Nordlys"],
    "rivals": ["Sorglimt"],
    "pillars": [{"name": "safety", "terms": ["recall", "fault"]}],
    "triggers": [{"name": "recall notice", "terms": ["recall notice"]}],
    "forbidden": {"risk_flags": ["private_data"]},
    "sources": {
        "use_defaults": False,
        "tiers": {"alpha.example": "A", "beta.example": "B", "gamma.example": "C"},
    },
}


def run_row(profile: BrandProfile, **changed: Any) -> RunRow:
    values: dict[str, Any] = {
        "run_id": f"{profile.id}.daily.2026-03-04.1", "profile_id": profile.id, "kind": "daily",
        "run_on": date(2026, 3, 4), "attempt": 1, "shadow": False, "status": "complete", "as_of": AS_OF,
        "window_start": profile.day_window(date(2026, 3, 4))[0], "started_at": AS_OF, "finished_at": AS_OF,
        "fingerprint": "f", "profile_json": profile.snapshot, "profile_hash": profile.hash,
        "versions": {"brandkit": "0", "code": "c0de", "polars": "2"}, "counts": {}, "warnings": (),
        "error": None, "owner_pid": 1, "owner_host": "here",
    }  # fmt: skip
    return RunRow(**{**values, **changed})


def briefed(rows: list[dict[str, Any]], *, profile: dict[str, Any] | None = None, **run: Any) -> Brief:
    """The brief of literal rows, each collected at noon from an address of its own."""
    desk = BrandProfile.from_dict({**PROFILE, **(profile or {})})
    usual = {"collected_at": "2026-03-04T11:00:00Z", "published_at": "2026-03-04T10:30:00Z", "source": "wire"}
    full = [{"url": f"https://alpha.example/{i}", **usual, **row} for i, row in enumerate(rows)]
    frame = (
        pl.DataFrame(full, infer_schema_length=None) if full else pl.DataFrame(schema={"title": pl.String})
    )
    as_of = desk.day_window(date(2026, 3, 4))[1]
    made = assess(frame, desk, as_of=as_of)
    row = run_row(desk, as_of=as_of, **run)
    return Brief(row, made.records, made.stories, made.rejects, made.stages)
