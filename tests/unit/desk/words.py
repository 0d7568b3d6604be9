"""A store with a desk's Monday in it, made once and copied for each test, and what is in it by name."""

from __future__ import annotations

import atexit
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import brandkit as bk
from brandkit.store.state import StateStore
from tests.flow.newsdesk import MAIL, MONDAY, ran

# The end of Monday, in UTC: what was said then is known to every run after it.
EVENING = datetime.fromisoformat("2026-03-03T00:00:00+00:00")
H = timedelta(hours=1)
RUN = f"desk.daily.{MONDAY}.1"


@dataclass(frozen=True, slots=True)
class Monday:
    """Items and stories by a word of their title: recall (led by alpha), beta, gamma, ferry, velmora."""

    items: dict[str, str]
    stories: dict[str, str]


@cache
def _made() -> tuple[Path, Monday]:
    path = Path(mkdtemp()) / "desk.duckdb"
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    runner = bk.Runner(path)
    ran(runner)
    records = runner.store.records(RUN, columns=["title", "story_id"])
    words = {"recall": MAIL[0], "beta": MAIL[1], "gamma": MAIL[2], "velmora": MAIL[3], "ferry": MAIL[6]}
    rows = {word: records.filter(title=row["title"]).row(0, named=True) for word, row in words.items()}
    items = {word: row["item_id"] for word, row in rows.items()}
    return path, Monday(items, {word: row["story_id"] for word, row in rows.items()})


def monday(folder: Path) -> tuple[StateStore, Monday]:
    """A copy of the store, and what is in it."""
    path, known = _made()
    for kept in path.parent.glob("desk.duckdb*"):
        if kept.is_file():
            shutil.copy(kept, folder / kept.name)
    return StateStore(folder / "desk.duckdb", cache=None, timeout_s=5), known
