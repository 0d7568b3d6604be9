"""A desk and its mail for flow tests: invented rows as a source gives them, and ways to look at a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from brandkit.assess import Assessment
from brandkit.profile import BrandProfile
from brandkit.runner import Runner, RunResult, Task
from brandkit.schemas import frame_hash

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample"
MONDAY, TUESDAY, WEDNESDAY = "2026-03-02", "2026-03-03", "2026-03-04"

Row = Mapping[str, Any]
SOURCES: Mapping[str, Any] = {
    "use_defaults": False,
    "tiers": {
        "alpha.example": "A",
        "beta.example": "B",
        "gamma.example": "B",
        "delta.example": "C",
        "wire.example": "A",
        "alpha-sport.example": "A",
    },
    "families": {"alpha.example": "alpha", "alpha-sport.example": "alpha"},
    "roles": {"wire.example": "wire"},
}


def desk(**changes: Any) -> BrandProfile:
    """A desk that covers the (invented) Nordlys, with nobody's list under it."""
    document = {
        "id": "desk",
        "own": ["Nordlys"],
        "rivals": ["Velmora"],
        "pillars": [{"name": "prices", "terms": ["price", "prices"]}],
        "triggers": ["recall"],
        "sources": SOURCES,
    }
    return BrandProfile.from_dict({**document, **changes})


def instant(on: str, clock: str) -> str:
    return f"{on}T{clock}Z"


def row(at: str, title: str, *, on: str = MONDAY, clock: str = "08:00:00", **more: Any) -> Row:
    """One article as sighted: at a host, with a path of its own unless ``url`` says otherwise."""
    path = "-".join(title.lower().split()[:8])
    when = instant(on, clock)
    return {
        "url": f"https://{at}/{path}",
        "title": title,
        "source": at,
        "item_type": "article",
        "published_at": when,
        "collected_at": when,
        **more,
    }


# One story told by three newsrooms, one of our rival, and three strangers.
MAIL: tuple[Row, ...] = (
    row("alpha.example", "Nordlys orders recall of oat drink as prices rise", clock="07:30:00"),
    row("beta.example", "Nordlys oat drink recall ordered as prices rise", clock="08:10:00"),
    row("gamma.example", "Recall of Nordlys oat drink ordered, prices rise", clock="09:00:00"),
    row("delta.example", "Velmora names new head of its Oslo bakery", clock="06:00:00"),
    row("stranger.example", "Harvest festival draws record crowd to river town", clock="10:00:00"),
    row("hobby.example", "How to plant a hedge of hornbeam in clay soil", clock="11:00:00"),
    row("beta.example", "Ferry strike leaves islanders waiting at the harbour", clock="12:00:00"),
)
# What a day's mail may look like on a bad day: each says what is wrong with it.
DIRT: tuple[tuple[Row, str], ...] = (
    (row("beta.example", "A row without a link", url=None), "no_identity"),
    (row("beta.example", "A row without a time", collected_at=None), "no_collected_at"),
    (row("beta.example", "A time without a zone", collected_at=f"{MONDAY} 09:00"), "naive_time:collected_at"),
    (row("beta.example", "A time that is none", collected_at="half past nine"), "bad_time:collected_at"),
    ({**row("beta.example", "Nothing at all", url=None, native_id="7"), "title": None}, "no_title"),
)


def table(rows: Iterable[Row]) -> pl.DataFrame:
    """The rows as one table; every value is text, as in the CSV of a stranger."""
    return pl.DataFrame([dict(one) for one in rows], infer_schema_length=None)


def end_of(on: str) -> datetime:
    """The end of a desk day in UTC."""
    return datetime.fromisoformat(on).replace(hour=23, minute=59, second=59, tzinfo=UTC)


def task(rows: Any = MAIL, *, on: str = MONDAY, **more: Any) -> Task:
    """A daily run of the desk; ``rows`` may be rows, a table or whatever a task takes."""
    inputs = table(rows) if isinstance(rows, tuple) else rows
    return Task(**{"date": on, "profile": desk(), "inputs": inputs, **more})


def ran(runner: Runner, rows: Any = MAIL, **more: Any) -> RunResult:
    """A run that went well, or the test ends here with the reason."""
    result = runner.run(task(rows, **more))
    assert result.ok, str(result.error)
    return result


def records(runner: Runner, result: RunResult) -> pl.DataFrame:
    return runner.store.records(result.run_id)


def same_bytes(found: Assessment | pl.DataFrame) -> str:
    """The hash by which two runs are compared: of the records, sorted by item_id."""
    frame = found.records if isinstance(found, Assessment) else found
    assert frame["item_id"].is_sorted()
    return frame_hash(frame)


@cache
def sample(on: str, n_rows: int) -> pl.DataFrame:
    """The first rows of a day of the shipped sample, dirt and all."""
    return pl.read_parquet(SAMPLE / f"items-{on}.parquet").head(n_rows)


@cache
def technology() -> BrandProfile:
    """The shipped profile that reads the sample."""
    return BrandProfile.from_toml(ROOT / "data" / "profiles" / "technology.toml")
