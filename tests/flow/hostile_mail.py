"""A desk whose mail is hostile, for tests of reports: its profile, its items, its brief's parameters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.unit.report.briefs import HOSTILE, HOSTILE_URLS

DAY = "2026-03-04"
PROFILE = """
id = "desk"
title = "Nordlys <script>alert(1)</script> $desk$"
timezone = "Europe/Oslo"
own = ["Nordlys"]
triggers = [{ name = "recall notice", terms = ["recall notice"] }]
[sources]
use_defaults = false
tiers = { "alpha.example" = "A" }
"""


def mailed(folder: Path) -> dict[str, Any]:
    """A desk with hostile mail, and the parameters of its brief."""
    at = f"{DAY}T09:00:00Z"
    usual = {"evidence": list(HOSTILE_URLS), "collected_at": at, "published_at": at}
    rows = [
        {"title": f"Nordlys recall notice {text}", "summary": text, "author": text, "source": text,
         "url": f"https://alpha.example/{n}", **usual}
        for n, text in enumerate(HOSTILE)
    ]  # fmt: skip
    (folder / "mail.ndjson").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    (folder / "desk.toml").write_text(PROFILE, encoding="utf-8")
    return {
        "run_date": DAY,
        "profile": str(folder / "desk.toml"),
        "inputs": str(folder / "mail.ndjson"),
        "store": str(folder / "desk.duckdb"),
    }
