"""A desk of which every text is hostile: its profile, its mail, its files, its editors' words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import tomli_w

from brandkit.desk.states import set_state
from brandkit.desk.verdicts import give_verdict
from brandkit.profile import BrandProfile
from brandkit.runner import Runner, Task
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore
from tests.hostile import MEGABYTE, vectors

DAYS = ("2026-03-03", "2026-03-04")
EVENING = datetime.fromisoformat("2026-03-04T23:30:00+00:00")
_N_ACCOUNTS, _N_LINKS = 6, 8


@dataclass(frozen=True, slots=True)
class HostileDesk:
    """Where it stands; ``given`` are the parameters of its report, ``run`` the newest run."""

    store: StateStore
    profile: Path
    inputs: str
    run: RunRow

    @property
    def given(self) -> dict[str, Any]:
        return {"run_date": DAYS[-1], "profile": str(self.profile), "inputs": self.inputs,
                "store": str(self.store.path)}  # fmt: skip


def made(folder: Path, *, canary: str) -> HostileDesk:
    """The desk with two days in its store, verdicts and states on the first."""
    texts = vectors(canary=canary)
    inputs = folder / "mail <b>$x$"
    inputs.mkdir()
    for day in DAYS:
        name = f"{day}-=cmd'\"<svg onload=mark(0)>.ndjson"
        rows = [*_articles(texts, day), *_shares(texts, day), *_rejects(texts, day)]
        (inputs / name.replace("/", "")).write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    profile = folder / "desk.toml"
    profile.write_text(tomli_w.dumps(_profile(texts)), encoding="utf-8")
    store = StateStore(folder / "desk.duckdb")
    desk = BrandProfile.from_toml(profile)
    for place, day in enumerate(DAYS):
        result = Runner(store).run(Task(date=day, profile=desk, inputs=str(inputs)))
        assert result.ok, result.error
        if place == 0:
            _words(store, result.run_id, texts)
    return HostileDesk(store, profile, str(inputs), store.run(result.run_id))


def _profile(texts: tuple[str, ...]) -> dict[str, Any]:
    names = [{"name": text[:78], "terms": [term]} for text, term in zip(texts, _TERMS, strict=False)]
    return {
        "id": "desk",
        "title": f"{texts[0]} $desk$ {texts[60]}",
        "own": names[:6],
        "rivals": names[6:12],
        "watched": names[12:16],
        "pillars": names[16:20],
        "triggers": [{"name": f"{texts[7]} $r$"[:78], "terms": ["recall notice"]}],
        "forbidden": {"phrases": ["unspeakable <b>$thing$</b>"], "risk_flags": ["private_data"]},
        "sources": {"use_defaults": False, "tiers": {"alpha.example": "A", "beta.example": "B"}},
    }


_TERMS = (
    "Nordlys", "Aster", "Birch", "Cobalt", "Dahlia", "Ember", "Sorglimt", "Ferry", "Garnet", "Heron",
    "Indigo", "Juniper", "Kestrel", "Larch", "Magnet", "Nectar", "price", "strike", "harbour", "museum",
)  # fmt: skip


def _articles(texts: tuple[str, ...], day: str) -> list[Mapping[str, Any]]:
    links = [text for text in texts if ":" in text]
    at = {"collected_at": f"{day}T09:00:00Z", "published_at": f"{day}T08:00:00Z"}
    rows: list[Mapping[str, Any]] = []
    for n, text in enumerate(texts):
        name, other = _TERMS[n % len(_TERMS)], texts[(n * 7 + 3) % len(texts)]
        what = (
            "recall notice" if n % 3 == 0 else "unspeakable <b>$thing$</b>" if n % 11 == 0 else "price news"
        )
        rows.append({
            "title": f"{text} {name} {what} {n}", "summary": f"{other} {name}", "author": other,
            "source": other[:60], "url": f"https://{'alpha' if n % 2 else 'beta'}.example/{day}/{n}?q={n}",
            "evidence": links[n % len(links):][:3], "claims": [text], "language": "en", **at,
            "risk_flags": ["private_data"] if n % 5 == 0 else [text[:40]],
        })  # fmt: skip
    # Without an address of its own a story goes by its text alone.
    rows += [{"title": f"{_TERMS[n % 12]} {text}", "native_id": text, "url": text, "source": "wire",
              "item_type": "video", "views": 10, **at} for n, text in enumerate(links)]  # fmt: skip
    long = dict.fromkeys(("summary", "author", "source"), MEGABYTE)
    url = f"https://alpha.example/{day}/long"
    return [*rows, {"title": f"{MEGABYTE}{day}", "url": url, "claims": [MEGABYTE], **long, **at}]


def _shares(texts: tuple[str, ...], day: str) -> list[Mapping[str, Any]]:
    """Accounts that share one link after another within seconds of each other."""
    return [
        {"title": f"Sorglimt rumour {link} {texts[link]}", "item_type": "post", "source": "mastodon",
         "account": f"bot_{account}", "author": texts[account], "native_id": f"{day}-{account}-{link}",
         "target_url": f"https://stranger.example/{day}/{link}",
         "collected_at": f"{day}T10:00:00Z", "published_at": f"{day}T09:{link:02}:{account * 3:02}Z"}
        for link in range(_N_LINKS) for account in range(_N_ACCOUNTS)
    ]  # fmt: skip


def _rejects(texts: tuple[str, ...], day: str) -> list[Mapping[str, Any]]:
    at = {"collected_at": f"{day}T09:00:00Z"}
    return [{"title": text, "source": text, "published_at": text, **at} for text in texts[::4]]


def _words(store: StateStore, run_id: str, texts: tuple[str, ...]) -> None:
    stories = store.stories(run_id).sort("story_id")
    asks = stories.filter(stories["decision"].cast(str).is_in(["must_cover", "optional", "block"]))
    said = {"at": EVENING.replace(day=3), "store": store}
    for n, item in enumerate(asks["lead_item_id"].head(12)):
        text = texts[n * 5]
        who = f"{texts[n]}"[:70]
        if n % 2:
            give_verdict(item, "optional", actor=who, reason=f"{text} $a$ {texts[n + 30]}", **said)  # type: ignore[arg-type]
        else:
            state = ("assigned", "handled")[n % 4 // 2]
            more = {"assignee": who} if state == "assigned" else {}
            set_state(item, state, actor=who, note=text, **more, **said)  # type: ignore[arg-type]
