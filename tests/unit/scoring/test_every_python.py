"""The score is the same arithmetic on every supported Python: CI runs this on the oldest and the newest."""

from __future__ import annotations

import hashlib

from benchmarks import frames
from brandkit.assess import rescore
from brandkit.schemas import COMPONENTS

# Of a thousand seeded rows. Only a change to the score itself may change it.
POINTS_AND_DECISIONS = "9b8824ca0f049a08"


def test_the_same_points_and_decisions_on_every_python() -> None:
    judged = rescore(frames.signals(1000).lazy(), frames.context()).collect().sort("item_id")
    said = [
        [
            row["item_id"],
            row["total"],
            *(row["scores"][c] for c in COMPONENTS),
            str(row["decision"]),
            str(row["reason"]),
        ]
        for row in judged.select("item_id", "total", "scores", "decision", "reason").iter_rows(named=True)
    ]
    assert len({row[-2] for row in said}) >= 4
    assert hashlib.sha256(repr(said).encode()).hexdigest()[:16] == POINTS_AND_DECISIONS
