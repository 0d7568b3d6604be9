from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.scoring import components, gates, modifiers
from brandkit.scoring.components import points
from tests import reference
from tests.frames import AS_OF, BEAT, DESK, SIGNALS, context, item_id, judge_one, judged, signals

THREE = ["labour", "privacy", "prices"]
# component, part, signals, points: each row's arithmetic stands beside it.
PARTS: list[tuple[str, str, dict[str, Any], int]] = [
    ("impact", "breadth", {"n_outlets": 0}, 0),  # 10 ln 1 / ln 21 = 0
    ("impact", "breadth", {"n_outlets": 1}, 2),  # 10 x .693 / 3.045 = 2.28
    ("impact", "breadth", {"n_outlets": 5}, 6),  # 10 x 1.792 / 3.045 = 5.89
    ("impact", "breadth", {"n_outlets": 17}, 9),  # 10 x 2.890 / 3.045 = 9.49
    ("impact", "breadth", {"n_outlets": 18}, 10),  # 10 x 2.944 / 3.045 = 9.67
    ("impact", "breadth", {"n_outlets": 10**12}, 10),
    ("impact", "breadth", {"n_outlets": None}, 0),
    ("impact", "authority", {"best_tier": "A"}, 5),
    ("impact", "authority", {"best_tier": "B"}, 3),
    ("impact", "authority", {"best_tier": "C"}, 1),
    ("impact", "authority", {"best_tier": "unlisted"}, 0),
    ("impact", "authority", {"best_tier": None}, 0),
    ("impact", "reach", {"views": 1_000_000}, 4),  # 5 x 13.816 / 15.425 = 4.48
    ("impact", "reach", {"views": 10, "followers": 5_000_000, "audience": None}, 5),
    ("impact", "reach", {"views": 10, "followers": None, "audience": 2_000}, 2),  # 5 x 7.601 / 15.425 = 2.46
    ("impact", "reach", {"views": 2**63 - 1}, 5),
    ("impact", "reach", {"views": -1}, 0),
    ("impact", "reach", {}, 0),
    ("impact", "consequence", {"triggers": ["recall"], "triggers_in_title": ["recall"]}, 5),
    ("impact", "consequence", {"triggers": ["recall"]}, 3),
    ("impact", "consequence", {"triggers": None, "triggers_in_title": None}, 0),
    ("timeliness", "freshness", {"age_h": 0.0}, 15),
    ("timeliness", "freshness", {"age_h": 24.0}, 8),  # 15 x .5 = 7.5, half up
    ("timeliness", "freshness", {"age_h": 12.0, "item_type": "post"}, 8),
    ("timeliness", "freshness", {"age_h": 72.0, "item_type": "statement"}, 8),
    ("timeliness", "freshness", {"age_h": 72.0, "item_type": "filing"}, 8),
    ("timeliness", "freshness", {"age_h": 12.0, "item_type": "other"}, 8),  # as fast as a post
    ("timeliness", "freshness", {"age_h": 12.0, "item_type": None}, 8),
    ("timeliness", "freshness", {"age_h": -5.0}, 15),  # ages stop at 0
    ("timeliness", "freshness", {"age_h": 0.0, "future_dated": True}, 0),
    ("timeliness", "freshness", {"age_h": None}, 0),
    ("timeliness", "freshness", {"age_h": float("nan")}, 0),
    ("timeliness", "development", {"last_new_publisher_at": AS_OF}, 5),
    ("timeliness", "development", {"last_new_publisher_at": AS_OF - timedelta(hours=3)}, 5),
    ("timeliness", "development", {"last_new_publisher_at": AS_OF - timedelta(hours=3, microseconds=1)}, 3),
    ("timeliness", "development", {"last_new_publisher_at": AS_OF - timedelta(hours=6)}, 3),
    ("timeliness", "development", {"last_new_publisher_at": AS_OF - timedelta(hours=12)}, 1),
    ("timeliness", "development", {"last_new_publisher_at": AS_OF - timedelta(hours=13)}, 0),
    ("timeliness", "development", {"last_new_publisher_at": None}, 0),
    ("virality", "momentum", {"velocity_h": 2.0}, 5),  # 10 x 2 / 4
    ("virality", "momentum", {"velocity_h": 1 / 6}, 1),  # 10 x .1667 / 2.1667 = .77
    ("virality", "momentum", {"velocity_h": 38.0}, 10),  # 10 x 38 / 40 = 9.5, half up
    ("virality", "momentum", {"velocity_h": 1e300}, 10),
    ("virality", "momentum", {"velocity_h": -3.0}, 0),  # not (-3) / (-1) = 3
    ("virality", "momentum", {"velocity_h": float("inf")}, 0),
    ("virality", "momentum", {"velocity_h": float("nan")}, 0),
    ("virality", "momentum", {"velocity_h": None}, 0),
    ("virality", "engagement", {"engagement_ratio": 0.5}, 1),  # 10 x log2 1.5 / 6 = .97
    ("virality", "engagement", {"engagement_ratio": 7.0}, 5),  # 10 x 3 / 6
    ("virality", "engagement", {"engagement_ratio": 60.0}, 10),  # 10 x 5.93 / 6 = 9.88
    ("virality", "engagement", {"engagement_ratio": -2.0}, 0),
    ("virality", "engagement", {"engagement_ratio": None}, 0),
    ("relevance", "entities", {"entities": ["Nordlys"], "entities_in_title": ["Nordlys"]}, 12),
    ("relevance", "entities", {"entities": ["Nordlys"]}, 7),
    ("relevance", "entities", {"entities": ["Velmora"], "entities_in_title": ["Velmora"]}, 6),
    ("relevance", "entities", {"entities": ["Harbour Board"]}, 3),
    # Our name in the summary is worth more than a rival's in the title.
    ("relevance", "entities", {"entities": ["Velmora", "Aurora"], "entities_in_title": ["Velmora"]}, 7),
    ("relevance", "entities", {"entities": ["Somebody Else"]}, 0),
    ("relevance", "entities", {"entities": None, "entities_in_title": None}, 0),
    ("relevance", "pillars", {"pillars": ["labour"], "pillars_in_title": ["labour"]}, 4),
    ("relevance", "pillars", {"pillars": ["labour", "privacy"], "pillars_in_title": ["labour"]}, 6),
    ("relevance", "pillars", {"pillars": ["labour", "privacy"]}, 4),
    ("relevance", "pillars", {"pillars": ["labour", "prices"], "pillars_in_title": ["labour", "prices"]}, 8),
    ("relevance", "pillars", {"pillars": THREE, "pillars_in_title": THREE}, 8),  # 12, held to 8
    ("relevance", "pillars", {"pillars": None, "pillars_in_title": ["labour"]}, 0),
    ("relevance", "triggers", {"triggers": ["recall"], "triggers_in_title": ["recall"]}, 5),
    ("relevance", "triggers", {"triggers": ["recall"]}, 3),
    # -(7 + 2)
    ("relevance", "excluded", {"excluded": True, "entities": ["Nordlys"], "pillars": ["labour"]}, -9),
    ("confidence", "source", {"tier": "A"}, 6),
    ("confidence", "source", {"tier": "B"}, 4),
    ("confidence", "source", {"tier": "C"}, 2),
    ("confidence", "source", {"tier": "unlisted"}, 1),
    ("confidence", "source", {"tier": None}, 0),
    ("confidence", "corroboration", {"n_other_publishers_ab": 1}, 1),
    ("confidence", "corroboration", {"n_other_publishers_ab": 9}, 2),
    ("confidence", "corroboration", {"n_other_publishers_ab": None}, 0),
    ("confidence", "corroboration", {"n_adopters_ab": 3}, 1),
    ("confidence", "corroboration", {"n_adopters_ab": 30}, 1),
    ("confidence", "corroboration", {"n_adopters_ab": 2}, 0),
    # An adopter does not count itself: three in all are two others.
    ("confidence", "corroboration", {"n_adopters_ab": 3, "tier": "B", "copy_of": "f" * 16}, 0),
    ("confidence", "corroboration", {"n_adopters_ab": 4, "tier": "B", "copy_of": "f" * 16}, 1),
    ("confidence", "corroboration", {"n_unlisted": 3}, 1),
    ("confidence", "corroboration", {"n_unlisted": 2}, 0),
    # 1 + 1 + 2, held to 2
    ("confidence", "corroboration", {"n_unlisted": 3, "n_adopters_ab": 3, "n_other_publishers_ab": 2}, 2),
    ("confidence", "evidence", {"evidence": ["https://a.example/report"]}, 1),
    ("confidence", "evidence", {"evidence": []}, 0),
    ("confidence", "evidence", {"evidence": None}, 0),
    ("confidence", "evidence", {"item_type": "filing", "tier": "A"}, 1),
    ("confidence", "evidence", {"item_type": "filing", "tier": "B"}, 0),
    ("confidence", "evidence", {"item_type": None, "tier": "A", "evidence": ["https://a.example"]}, 1),
    ("confidence", "provenance", {"url": "https://a.example", "published_at": AS_OF}, 1),
    ("confidence", "provenance", {"url": "https://a.example"}, 0),
    ("confidence", "provenance", {"published_at": AS_OF}, 0),
]  # fmt: skip


@pytest.fixture(scope="module")
def scored() -> list[dict[str, Any]]:
    return judged(signals(*(row for _, _, row, _ in PARTS))).to_dicts()


@pytest.mark.parametrize("case", range(len(PARTS)), ids=[f"{p} {row or 'no data'}" for _, p, row, _ in PARTS])
def test_a_part_is_half_up_of_its_maximum_times_its_share(case: int, scored: list[dict[str, Any]]) -> None:
    component, part, _, expected = PARTS[case]
    assert scored[case]["parts"][component][part] == expected


def test_points_are_half_up_where_polars_would_round_to_even() -> None:
    shares = pl.DataFrame({"f": [0.05, 0.15, 0.25, 0.35, -1.0, 2.0, None, float("nan")]})
    # 10 x .05 = .5, 1.5, 2.5, 3.5: all go up; outside 0..1 stops there; no data is 0.
    assert shares.select(points(10, pl.col("f")))["f"].to_list() == [1, 2, 3, 4, 0, 10, 0, 0]


def test_a_logarithm_that_meets_a_half_exactly_goes_up() -> None:
    profile = BrandProfile.from_dict({"id": "d", "own": ["Nordlys"], "parameters": {"breadth_outlets": 15}})
    # 10 ln 2 / ln 16 = 2.5
    assert judge_one({"n_outlets": 1}, context(profile))["parts"]["impact"]["breadth"] == 3


def test_what_is_over_a_components_maximum_stands_in_its_cap() -> None:
    row = {
        "entities": ["Nordlys"], "entities_in_title": ["Nordlys"], "pillars": ["labour", "prices"],
        "pillars_in_title": ["labour", "prices"], "triggers": ["recall"], "triggers_in_title": ["recall"],
    }  # fmt: skip
    beat = judge_one(row, context(BEAT))
    # Watched 12 + two pillars at 10 + trigger 5 = 37; relevance stops at 25.
    assert beat["parts"]["relevance"] == {
        "entities": 12,
        "pillars": 20,
        "triggers": 5,
        "excluded": 0,
        "cap": -12,
    }
    assert beat["base"]["relevance"] == 25
    out = judge_one({**row, "excluded": True}, context(BEAT))
    assert out["parts"]["relevance"]["excluded"] == -25
    assert out["base"]["relevance"] == 0


@pytest.mark.parametrize(
    ("row", "entities", "pillars"),
    [
        ({"entities": ["Nordlys"], "pillars": ["labour"]}, 7, 5),
        ({"entities": ["Velmora"], "entities_in_title": ["Velmora"]}, 6, 0),
        ({"pillars": ["labour", "privacy", "prices"], "pillars_in_title": ["labour"]}, 0, 20),  # 10 + 5 + 5
        (
            {"pillars": ["labour", "privacy", "prices"], "pillars_in_title": ["labour", "privacy"]},
            0,
            20,
        ),  # not 25
    ],
)
def test_a_beat_desk_scores_watched_names_in_full_and_pillars_higher(
    row: dict[str, Any], entities: int, pillars: int
) -> None:
    found = judge_one(row, context(BEAT))["parts"]["relevance"]
    assert (found["entities"], found["pillars"]) == (entities, pillars)


def test_storage_cannot_move_a_point() -> None:
    # 38 gives 9.5 and so 10; what is left of it after a round trip through text must do the same.
    rows = judged(signals({"velocity_h": 38.0}, {"velocity_h": 37.99999}, {"velocity_h": 37.9}))
    assert [row["momentum"] for row in rows["parts"].struct.field("virality").to_list()] == [10, 10, 9]


def test_the_scoring_plan_stays_on_the_streaming_engine() -> None:
    plan = pl.LazyFrame(schema=dict(SIGNALS))
    for stage in (components.score, modifiers.modify, gates.gate, gates.decide):
        plan = stage(plan, context())
    graph = plan.show_graph(engine="streaming", plan_stage="physical", raw_output=True)
    assert graph is not None
    assert graph.count('label="with-columns') >= 8
    for fallback in ("columnar-function", "in-memory-map", "FALLBACK"):
        assert fallback not in graph


SKEWED = BrandProfile.from_dict(
    {
        "id": "skewed", "own": ["Nordlys"], "watched": ["Harbour Board"], "pillars": ["labour", "privacy"],
        "weights": {
            "impact": {"total": 30, "breadth": 25, "reach": 9},
            "timeliness": {"total": 5, "freshness": 9},
            "virality": {"total": 25, "momentum": 7, "engagement": 19},
            "relevance": {"total": 20, "entities": 11, "pillars": 13},
            "confidence": {"total": 20, "source": 11, "corroboration": 7, "evidence": 3, "provenance": 2},
        },
        "parameters": {
            "breadth_outlets": 7, "half_life_h": {"post": 3.5}, "momentum_half": 0.5, "adopters": 1,
            "unlisted_publishers": 5, "brigading_share": 0.0, "brigading_accounts": 1, "misinfo_risk": 0.25,
        },
        "thresholds": {
            "must_cover": 60, "optional": 40, "watch": 20, "tied": 7, "watch_virality": 11,
            "own_name_floor": "watch",
        },
    }
)  # fmt: skip


def generated(n: int, *, seed: int = 7) -> pl.DataFrame:
    """Rows of signals without rhyme or reason: a quarter null, and every kind of extreme."""
    rng = np.random.default_rng(seed)

    def pick(values: list[Any]) -> list[Any]:
        return [values[i] for i in rng.integers(0, len(values), n)]

    def holes(values: list[Any], share: float = 0.25) -> list[Any]:
        return [None if lost else value for value, lost in zip(values, rng.random(n) < share, strict=True)]

    def floats(top: float) -> list[Any]:
        odd = pick([0.0, -0.0, -3.0, 1e-9, 1e300, float("nan"), float("inf"), float("-inf"), top])
        plain = (rng.random(n) * top).tolist()
        return holes(
            [o if is_odd else p for o, p, is_odd in zip(odd, plain, rng.random(n) < 0.2, strict=True)]
        )

    def counts(top: int) -> list[Any]:
        odd = pick([0, 1, 2, 3, -1, 10**12, 2**62])
        plain = np.floor(rng.exponential(top / 4, n)).astype(int).tolist()
        return holes(
            [o if is_odd else p for o, p, is_odd in zip(odd, plain, rng.random(n) < 0.3, strict=True)]
        )

    def names(known: list[str]) -> tuple[list[Any], list[Any]]:
        anywhere = [[name for name in known if keep > 0.6] for keep in rng.random(n)]
        anywhere = [[name for name in found if rng.random() > 0.4] for found in anywhere]
        title = [[name for name in found if rng.random() > 0.5] for found in anywhere]
        return holes(anywhere, 0.1), holes(title, 0.1)

    hours = holes((rng.random(n) * 20 - 1).tolist())
    lists = {
        "entities": names(["Nordlys", "Aurora", "Velmora", "Harbour Board", "Nobody"]),
        "pillars": names(["labour", "privacy", "prices"]),
        "triggers": names(["recall", "data breach"]),
    }
    columns: dict[str, list[Any]] = {
        "item_id": [item_id(i) for i in range(n)],
        "item_type": holes(pick(list(schemas.ITEM_TYPE.categories))),
        "url": holes(["https://a.example"] * n),
        "published_at": holes([AS_OF] * n),
        "evidence": holes(pick([[], ["https://a.example"], [None]])),
        "forbidden": holes(pick([[]] * 9 + [["leaked address"]]), 0.05),
        "tier": holes(pick(["A", "A", "B", "C", "unlisted"])),
        "best_tier": holes(pick(["A", "A", "B", "C", "unlisted"])),
        "copy_of": holes(["f" * 16] * n, 0.7),
        "excluded": holes(pick([False] * 8 + [True]), 0.05),
        "future_dated": holes(pick([False] * 8 + [True]), 0.05),
        "last_new_publisher_at": [None if h is None else AS_OF - timedelta(hours=h) for h in hours],
        "velocity_h": floats(60.0),
        "engagement_ratio": floats(80.0),
        "age_h": floats(60.0),
        "coordinated_share": floats(1.0),
        "misinfo_risk": floats(1.0),
        **{name: counts(10**6) for name in ("views", "followers", "audience")},
        **{name: counts(30) for name in ("n_outlets", "n_publishers")},
        **{
            name: counts(6)
            for name in ("n_other_publishers_ab", "n_unlisted", "n_adopters_ab", "n_coordinated")
        },
        **{name: anywhere for name, (anywhere, _) in lists.items()},
        **{f"{name}_in_title": title for name, (_, title) in lists.items()},
    }
    dtypes = {name: SIGNALS[name] for name in columns}
    return pl.DataFrame(columns, schema=dtypes)


@pytest.mark.parametrize(
    ("profile", "n"), [(DESK, 10_000), (BEAT, 2_000), (SKEWED, 2_000)], ids=["desk", "beat", "skewed"]
)
def test_the_reference_agrees_on_generated_items(profile: BrandProfile, n: int) -> None:
    items = generated(n)
    of_code = judged(items, context(profile))
    said = [reference.judge(row, profile, AS_OF) for row in items.iter_rows(named=True)]
    modifier = ("name", "component", "points")
    of_reference = pl.DataFrame(
        {
            "item_id": items["item_id"],
            "parts": [j.parts for j in said],
            "base": [j.base for j in said],
            "modifiers": [[dict(zip(modifier, row, strict=True)) for row in j.modifiers] for j in said],
            "scores": [j.scores for j in said],
            "total": [j.total for j in said],
            "gates": [j.gates for j in said],
            "decision": [j.decision for j in said],
            "reason": [j.reason for j in said],
        },
        schema={
            "item_id": pl.String, **schemas.SCORE,
            "gates": schemas.GATES_STRUCT, "decision": schemas.DECISION, "reason": schemas.REASON,
        },
    )  # fmt: skip
    assert_frame_equal(of_code.select(of_reference.columns), of_reference)
    # A comparison over items that all drop would prove little.
    assert of_code["decision"].n_unique() == len(schemas.Decision)
    # A beat desk has no own name to lift anything; low bars leave little to drop.
    assert set(of_code["reason"].unique()) >= set(schemas.REASONS) - {"own_name", "low_score"}
