"""Lesson 1: four headlines, one desk, no store. Why is one of them must-cover and the others not?"""

from datetime import UTC, datetime

import polars as pl

import brandkit as bk

# A desk is a profile. This one covers the (invented) maker Ostrevane, and never misses a recall.
desk = bk.BrandProfile.from_dict(
    {
        "id": "first-desk",
        "own": ["Ostrevane"],
        "rivals": ["Korrivex"],
        "pillars": [{"name": "batteries", "terms": ["battery", "batteries"]}],
        "triggers": [{"name": "recall", "terms": ["recall", "recalls"]}],
        "sources": {"tiers": {"calderratimes.example": "A", "ketterpost.example": "B"}},
    }
)

# Items are a frame. Only an identity (a URL) and a collection time are required.
items = pl.DataFrame(
    {
        "url": [
            "https://calderratimes.example/ostrevane-recalls-battery",
            "https://ketterpost.example/battery-packs-called-back",
            "https://blog.example/lunch",
            "https://ketterpost.example/korrivex-results",
        ],
        "title": [
            "Ostrevane recalls 40,000 battery packs after fires",
            "Ostrevane battery packs called back after fires in three towns",
            "What I had for lunch",
            "Korrivex reports higher profit for the third quarter",
        ],
        "published_at": [datetime(2026, 3, 4, hour, tzinfo=UTC) for hour in (9, 10, 10, 11)],
        "collected_at": [datetime(2026, 3, 4, 11, 30, tzinfo=UTC)] * 4,
    }
)

found = bk.assess(items.lazy(), desk, as_of=datetime(2026, 3, 4, 12, tzinfo=UTC))

for decision, total, reason, title in (
    found.records.sort("rank").select("decision", "total", "reason", "title").rows()
):
    print(f"{decision:<11}{total:>3}  {reason:<18} {title}")

print()
print(bk.explain(found.records.sort("rank").head(1), desk))
