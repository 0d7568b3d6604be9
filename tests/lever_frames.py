"""Generated records for the search: every signal that a lever or the score reads, known or not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

import polars as pl

from brandkit.profile import BrandProfile
from tests.frames import AS_OF, BEAT, DESK, context, item_id, judged, signals

Row = dict[str, Any]
# Few values for each lever, so that a search in plain Python can try every pair.
GRIDS: Mapping[str, Any] = {
    "adopters_ab": [3], "age": [6, 24], "engagement_ratio": [0, 16], "joins_now": ["B"],
    "other_name": ["nowhere", "title"], "outlets": [5], "own_name": ["nowhere", "title"], "pillars": [2],
    "publishers_ab": [1, 2], "reach": [0, 1_000_000], "tier": ["unlisted", "B", "A"],
    "trigger": ["nowhere", "title"], "unlisted_publishers": [2], "velocity_h": [0, 4],
}  # fmt: skip
FORBIDDEN = {"phrases": ["leaked address"]}


def with_grids(profile: BrandProfile, grids: Mapping[str, Any] = GRIDS) -> BrandProfile:
    """A profile with these grids, and something that it forbids."""
    document = profile.model_dump(mode="json", by_alias=True)
    return BrandProfile.from_dict({**document, "levers": dict(grids), "forbidden": FORBIDDEN})


SMALL_DESK, SMALL_BEAT = with_grids(DESK), with_grids(BEAT)


def rows(n: int, *, seed: int = 1) -> list[Row]:
    """Rows of signals, each of every rung in fair numbers, an eighth of what may be null being null."""
    random = Random(seed)
    return [_row(random) for _ in range(n)]


def records(generated: list[Row], profile: BrandProfile) -> pl.DataFrame:
    """The rows as records: judged under a profile, in their order."""
    return judged(signals(*generated), context(profile))


def full(row: Row, number: int = 1) -> Row:
    """A row with every column of signals, as the reference reads it."""
    return {**signals(row).row(0, named=True), "item_id": item_id(number)}


def _row(random: Random) -> Row:
    def of(*values: Any) -> Any:
        return random.choice(values)

    def known(value: Any) -> Any:
        return None if random.random() < 0.125 else value

    tier, best = of("A", "B", "C", "unlisted"), of("A", "B", "C", "unlisted")
    row: Row = {
        "tier": tier,
        "best_tier": min(tier, best),
        "publisher": known(of("alpha", "x:a_1")),
        "role": of(None, "outlet", "wire", "own", "portal"),
        "item_type": of("article", "article", "post", "filing"),
        "copy_of": of(None, None, None, "f" * 16),
        "is_coordinated": of(False, False, True),
        "is_denial": of(False, False, False, True),
        "url": known("https://a.example"),
        "published_at": known(AS_OF - timedelta(hours=2)),
        "age_h": known(round(random.uniform(0, 30), 4)),
        "future_dated": of(False, False, False, True),
        "last_new_publisher_at": known(AS_OF - timedelta(hours=random.randint(0, 14))),
        "evidence": of([], ["https://b.example"]),
        "velocity_h": known(round(random.expovariate(0.3), 4)),
        "engagement_ratio": known(round(random.expovariate(0.1), 4)),
        "excluded": random.random() < 0.1,
        "forbidden": of(*[[]] * 9, ["leaked address"]),
        "coordinated_share": of(0.0, 0.0, 0.3, 0.7),
        "n_coordinated": of(0, 0, 5),
        **{name: known(of(0, 900, 40_000, 2_000_000)) for name in ("views", "followers", "audience")},
        **{name: random.randint(0, 4) for name in ("n_unlisted", "n_adopters_ab", "n_other_publishers_ab")},
    }
    row["n_publishers_ab"] = row["n_other_publishers_ab"] + (tier in ("A", "B"))
    row["n_publishers"] = row["n_publishers_ab"] + random.randint(0, 2)
    row["n_outlets"] = row["n_publishers"] + row["n_unlisted"] + random.randint(0, 8)
    row["n_items"] = row["n_outlets"] + random.randint(0, 3)
    doubts = [
        "no_ab_publisher:0.25",
        "hedging:0.2",
        "sensational_form:0.2",
        "cheap_address:0.1",
        "disputed:0.4",
    ]
    row["misinfo_evidence"] = [one for one in doubts if random.random() < 0.3]
    row["misinfo_risk"] = round(
        min(1.0, sum(float(one[-4:].strip(":")) for one in row["misinfo_evidence"])), 4
    )
    for name, names in (
        ("entities", ("Nordlys", "Velmora", "Harbour Board")),
        ("pillars", ("labour", "privacy", "prices")),
        ("triggers", ("recall",)),
    ):
        share = 0.2 if name == "triggers" else 0.6
        row[name] = sorted(one for one in names if random.random() < share)
        row[f"{name}_in_title"] = [one for one in row[name] if random.random() < 0.6]
    return row
