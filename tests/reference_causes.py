"""Why a decision moved, in plain Python: the method of ``brandkit.record.causes``, written a second time.

One row at a time, with ``tests.reference.judge`` as the score. Slow and obvious on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from brandkit.profile import BrandProfile
from tests.reference import judge

Row = Mapping[str, Any]
LADDER = ("drop", "block", "watch", "optional", "must_cover")
ITS_OWN = (
    "item_type", "url", "published_at", "evidence", "tier", "audience", "entities", "entities_in_title",
    "pillars", "pillars_in_title", "triggers", "triggers_in_title", "forbidden", "excluded",
)  # fmt: skip
OF_THE_STORY = (
    "copy_of", "coordinated_share", "n_coordinated", "n_outlets", "n_publishers", "n_other_publishers_ab",
    "n_unlisted", "n_adopters_ab", "best_tier", "last_new_publisher_at", "misinfo_risk",
)  # fmt: skip
CROWD = ("views", "followers", "engagement_ratio")
AGE = ("age_h", "future_dated")


def first_cause(
    pair: Row,
    then: Row,
    now: Row,
    profiles: tuple[BrandProfile, BrandProfile],
    clocks: tuple[datetime, datetime],
) -> str | None:
    """The cause of one move; None where the stored decision of the two rows is the same."""
    start, end = LADDER.index(then["decision"]), LADDER.index(now["decision"])
    if start == end:
        return None
    causes = (
        "code_changed", pair["story_cause"], pair["lead_cause"], "new_evidence", "engagement", "aged",
        "profile_changed",
    )  # fmt: skip
    groups = (
        ("own", ITS_OWN),
        ("story", OF_THE_STORY),
        ("pace", ("velocity_h",)),
        ("crowd", CROWD),
        ("age", AGE),
    )
    for step, cause in enumerate(causes):
        if step == 6 and profiles[0] == profiles[1]:
            continue
        row = dict(then)
        for group, names in groups:
            if pair[f"{group}_at"] <= step:
                row.update({name: now[name] for name in names})
        state = LADDER.index(judge(row, profiles[step == 6], clocks[step >= 5]).decision)
        if (state > start) == (end > start) and state != start:
            return str(cause)
    return "code_changed"
