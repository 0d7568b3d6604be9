"""Lesson 11: how loud a name is, who acts together, what will grow, what speaks against a headline."""

from datetime import UTC, datetime, timedelta

import polars as pl

import brandkit as bk
from brandkit.signals.risk import risk_phrases, score_risk
from brandkit.signals.sentiment import measure_sentiment

start = datetime(2026, 3, 2, tzinfo=UTC)

# Three weeks of a brand that is spoken of by day, and one loud night.
hours = pl.select(at=start + pl.duration(hours=pl.int_range(24 * 21))).with_columns(
    series=pl.lit("Ostrevane"), count=pl.when(pl.col("at").dt.hour().is_between(8, 19)).then(30).otherwise(3)
)
loud = hours.with_columns(
    count=pl.when(pl.col("at") == start + timedelta(days=20, hours=2)).then(30).otherwise("count")
)
for at, count, expected, burst in (
    bk.detect_bursts(loud).filter("is_burst").select("at", "count", "expected", "burst").collect().rows()
):
    print(f"{at:%d %B, %H:%M}: {count} mentions where {expected:.0f} are usual (burst {burst:.2f})")

# Three accounts share three links within seconds; a busy reader shares them when it has read them.
shares = pl.DataFrame(
    [
        (account, f"link {n}", start + timedelta(hours=6 * n, seconds=late))
        for n in range(3)
        for account, late in (("red", 0), ("green", 4), ("blue", 9), ("reader", 2400 + 700 * n))
    ],
    schema=["account", "object", "shared_at"],
    orient="row",
)
pairs = bk.coordinated_pairs(shares).collect()
for a, b, n_objects, gap in pairs.select("account_a", "account_b", "n_objects", "median_gap_s").rows():
    print(f"{a} and {b}: {n_objects} links, {gap:.0f} s apart")

# Two posts of one age with the same count: one has just begun to be noticed.
seen = pl.DataFrame(
    [
        (post, start, start + timedelta(hours=hour), value)
        for post, values in (("slow", (280, 300)), ("fast", (60, 300)))
        for hour, value in zip((1, 2), values, strict=True)
    ],
    schema=["item_id", "published_at", "observed_at", "value"],
    orient="row",
)
for post, peak, low, high in (
    bk.forecast_peak(seen).select("item_id", "expected_peak", "low", "high").collect().rows()
):
    print(f"{post}: 300 now, {peak:.0f} likely, eight in ten end from {low:.0f} to {high:.0f}")

# What speaks against a headline nobody trusted carries, each reason with its points; and how it sounds.
headlines = pl.DataFrame({"title": ["BREAKING: Mayor Reportedly To Resign In Disgrace", "Mayor wins award"]})
for title, risk, evidence, words, tone in (
    measure_sentiment(risk_phrases(score_risk(headlines)).collect())
    .select("title", "misinfo_risk", "misinfo_evidence", "risk_phrases", "sentiment")
    .rows()
):
    print(f"{title}: risk {risk} ({', '.join([*evidence, *words])}), tone {tone:+.2f}")
