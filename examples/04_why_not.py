"""Lesson 4: why not must-cover? The cheapest change that would flip a decision, and what holds one up."""

from datetime import UTC, datetime

import polars as pl

import brandkit as bk

desk = {
    "id": "why-not",
    "own": ["Ostrevane"],
    "pillars": [{"name": "batteries", "terms": ["battery"]}, {"name": "safety", "terms": ["fire"]}],
    "triggers": [{"name": "recall", "terms": ["recall", "recalls"]}],
    "sources": {"tiers": {"calderratimes.example": "A", "ketterpost.example": "B"}},
}
profile = bk.BrandProfile.from_dict(desk)
as_of = datetime(2026, 3, 4, 12, tzinfo=UTC)

# One story of ours, so far told by one B publisher, and shared a good deal.
items = pl.DataFrame(
    {
        "url": ["https://ketterpost.example/ostrevane-battery-fire"],
        "title": ["Ostrevane battery blamed for fire in a warehouse"],
        "published_at": [datetime(2026, 3, 4, 11, tzinfo=UTC)],
        "collected_at": [datetime(2026, 3, 4, 11, 30, tzinfo=UTC)],
        "views": [40_000],
    }
)
record = bk.assess(items.lazy(), profile, as_of=as_of).records

# Every single change on the profile's grids is tried, then every pair, through the real scoring code.
print(bk.why_not(record, "optional", profile=profile, as_of=as_of))

# The other way: the least that would have to go away, or the hours that would have to pass.
print()
print(bk.what_holds(record, profile=profile, as_of=as_of))

# What may be tried, and how far, stands in the profile's table [levers]; [] switches a lever off.
# Here: no other words in the title, nobody tiered anew. What is left has to come from outside.
words = {"own_name": [], "other_name": [], "pillars": [], "trigger": []}
waiting = bk.BrandProfile.from_dict({**desk, "levers": {**words, "tier": [], "publishers_ab": [1, 2, 4]}})
print()
print(bk.why_not(record, profile=waiting, as_of=as_of).text(most=3))
