"""Coordination: the same network as CooRTweet on real shares; planted rings among busy accounts.

*CooRTweet.* Its own output (2.1.3) on its own sample, for each setting in it: the edges with their
weights and mean gaps, and its counts of pairs, accounts, objects, nodes and edges, also of the graph
it keeps above the median weight.

*Planted rings* are in the made shares of ``bench_coordination``: twenty rings of ten accounts that
push twelve objects each within 30 s; "in part" each account joins in at half of them, at random; with
"topics" every account keeps to one of fifty, which the background does not know of. An account found
is one in a group (``coordinated_groups``) of three or more. *Busy accounts* are the fifty with most
shares, none of them planted: any pair of theirs is a false alarm. *Met over expected* is what all
pairs of them met, over ``expected_events``; 1 is a background that holds. *Together* is n_objects over
n_common of ``coordination_evidence``: of what both shared, on how much they met.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import polars as pl

from benchmarks.bench_coordination import made_shares
from benchmarks.quality.figures import Figure, table
from brandkit.signals.coordination import coordinated_pairs, pair_events
from brandkit.signals.coordination_evidence import coordinated_groups, coordination_evidence

SEED, OTHER_SEED = 1, 3
_N_BUSY = 50
_BY_CHANCE = (pl.col("n_by_chance") < 1).fill_null(value=True)
# What a reader may keep of the pairs given.
KEPT = {
    "2 objects (default)": pl.lit(value=True),
    "3 objects": pl.col("n_objects") >= 3,
    "5 objects": pl.col("n_objects") >= 5,
    "n_by_chance < 100": (pl.col("n_by_chance") < 100).fill_null(value=True),
    "n_by_chance < 1": _BY_CHANCE,
    "n_by_chance < 0.01": (pl.col("n_by_chance") < 0.01).fill_null(value=True),
}


def figures(folder: Path) -> Iterator[Figure]:
    """Every figure of coordination; those against CooRTweet only where its sample is."""
    real = folder / "coordinated_shares"
    if real.is_dir():
        yield from _reference(real)
    for name, n, made in (
        ("100,000 shares", 100_000, {"seed": SEED}),
        ("100,000, in part", 100_000, {"seed": SEED, "is_part": 0.5}),
        ("100,000, topics", 100_000, {"seed": SEED, "n_topics": 50}),
        ("1,000,000, another draw", 1_000_000, {"seed": OTHER_SEED}),
        ("1,000,000, another draw, in part", 1_000_000, {"seed": OTHER_SEED, "is_part": 0.5}),
    ):
        yield from _planted(name, *made_shares(n, **made), is_plain=made.keys() == {"seed"})


def sweep() -> Iterator[Figure]:
    """What else a reader may keep of the pairs, on the first draw."""
    for name, made in (("full", {}), ("in part", {"is_part": 0.5}), ("topics", {"n_topics": 50})):
        shares, planted = made_shares(100_000, seed=SEED, **made)
        pairs = _marked(coordinated_pairs(shares).collect(), planted)
        for kept, rule in KEPT.items():
            found = pairs.filter(rule)
            yield Figure(f"{name}: {kept}", "pairs: precision", _share(found["is_planted"]), unit="%")
            yield Figure(f"{name}: {kept}", "pairs: recall", int(found["is_planted"].sum()) / 900, unit="%")


def _shares(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "russian_coord_tweets.parquet").select(
        account="account_id",
        object="object_id",
        shared_at=pl.from_epoch("timestamp_share").dt.replace_time_zone("UTC"),
    )


def _reference(folder: Path) -> Iterator[Figure]:
    shares = _shares(folder)
    edges = pl.read_parquet(folder / "reference_edges.parquet").with_columns(
        account_a=pl.min_horizontal("from", "to"), account_b=pl.max_horizontal("from", "to")
    )
    for row in pl.read_csv(folder / "reference_counts.csv").iter_rows(named=True):
        window, posts = row["time_window"], row["min_participation"]
        rules = {"window_s": window, "min_objects": 1, "min_posts": posts}
        start = perf_counter()
        pairs = coordinated_pairs(shares, **rules).collect()
        took = perf_counter() - start
        events = pair_events(shares, **rules).collect()
        theirs = edges.filter((pl.col("time_window") == window) & (pl.col("min_participation") == posts))
        gaps = events.group_by("account_a", "account_b").agg(gap=pl.col("gap_s").mean())
        same = pairs.join(theirs, on=["account_a", "account_b"]).join(gaps, on=["account_a", "account_b"])
        same = same.filter(
            (pl.col("n_events") == pl.col("weight"))
            & ((pl.col("gap") - pl.col("avg_time_delta")).abs() < 1e-6)
        )
        what = f"CooRTweet, {window} s, {posts} posts"
        union = pairs.height + theirs.height - same.height
        yield Figure(
            what, "edges, weights and mean gaps the same", same.height / union, at_least=1, unit="%",
            baseline=f"CooRTweet {row['seconds']:.0f} s, here {took * 1000:.0f} ms",
        )  # fmt: skip
        counts = _counts(pairs, events)
        agree = sum(counts[name] == row[name] for name in counts) / len(counts)
        yield Figure(what, f"its {len(counts)} counts the same", agree, at_least=1, unit="%")
    pairs = coordinated_pairs(shares).collect()
    yield Figure("its sample, 60 s, 2 objects", "pairs", pairs.height)
    strong = _share(pairs.select(_BY_CHANCE).to_series())
    yield Figure("its sample, 60 s, 2 objects", "of them n_by_chance < 1", strong, unit="%")
    yield Figure("its sample, 60 s", "busy accounts: met over expected", _met_over_expected(shares, set()))


def _counts(pairs: pl.DataFrame, events: pl.DataFrame) -> dict[str, int]:
    heavy = pairs.filter(pl.col("n_events") > pl.col("n_events").median())
    nodes, heavy_nodes = (
        pl.concat([frame["account_a"], frame["account_b"]]).n_unique() for frame in (pairs, heavy)
    )
    return {
        "n_pairs": events.height, "n_accounts": nodes, "n_objects": events["object"].n_unique(),
        "g_nodes": nodes, "g_edges": pairs.height, "g_thr_nodes": heavy_nodes, "g_thr_edges": heavy.height,
    }  # fmt: skip


def _planted(name: str, shares: pl.DataFrame, planted: dict[str, int], *, is_plain: bool) -> Iterator[Figure]:
    pairs = _marked(coordinated_pairs(shares).collect(), planted)
    n_true = 45 * len(set(planted.values()))
    busy = _busy(shares, set(planted))
    both = pl.col("account_a").is_in(busy) & pl.col("account_b").is_in(busy)
    for kept in ("2 objects (default)", "n_by_chance < 1"):
        found, what = pairs.filter(KEPT[kept]), f"{name}: {kept}"
        has_bar = is_plain and kept != "2 objects (default)"
        right = _share(found["is_planted"])
        yield Figure(what, "pairs: precision", right, at_least=0.99 if has_bar else None, unit="%")
        recall = int(found["is_planted"].sum()) / n_true
        yield Figure(what, "pairs: recall", recall, at_least=0.99 if has_bar else None, unit="%")
        alarms = found.filter(both).height / (_N_BUSY * (_N_BUSY - 1) / 2)
        bar = 0.01 if has_bar else None
        yield Figure(what, "pairs of busy accounts given", alarms, at_most=bar, unit="%")
    strong = pairs.filter(_BY_CHANCE)
    groups = coordinated_groups(strong).filter(pl.col("n_accounts") >= 3).collect()
    recall = groups.filter(pl.col("account").is_in(list(planted))).height / len(planted)
    yield Figure(f"{name}: n_by_chance < 1", "planted accounts in a group", recall, unit="%")
    yield Figure(name, "busy accounts: met over expected", _met_over_expected(shares, set(planted)))
    for told, rule in (("planted", pl.col("is_planted")), ("other", ~pl.col("is_planted"))):
        asked = pairs.filter(rule).head(1_000)
        met = coordination_evidence(shares, pairs=asked, most_objects=1).collect()
        yield Figure(f"{name}: {told} pairs", "together, median", _middle(met["n_objects"] / met["n_common"]))


def _share(is_right: pl.Series) -> float:
    return int(is_right.sum()) / max(len(is_right), 1)


def _middle(values: pl.Series) -> float:
    return values.to_frame("value").select(pl.col("value").median()).item()  # type: ignore[no-any-return]


def _marked(pairs: pl.DataFrame, planted: dict[str, int]) -> pl.DataFrame:
    rings = pl.DataFrame({"account": list(planted), "ring": list(planted.values())})
    return (
        pairs.join(rings, left_on="account_a", right_on="account", how="left")
        .join(rings, left_on="account_b", right_on="account", how="left", suffix="_b")
        .with_columns(is_planted=(pl.col("ring") == pl.col("ring_b")).fill_null(value=False))
    )


def _busy(shares: pl.DataFrame, planted: set[str]) -> list[str]:
    others = shares.filter(~pl.col("account").is_in(list(planted)))
    ranked = others.group_by("account").len().sort("len", "account", descending=[True, False])
    return ranked["account"].head(_N_BUSY).to_list()


def _met_over_expected(shares: pl.DataFrame, planted: set[str]) -> float:
    busy = _busy(shares, planted)
    pairs = coordinated_pairs(shares, min_objects=1).collect()
    theirs = pairs.filter(pl.col("account_a").is_in(busy) & pl.col("account_b").is_in(busy))
    # Pairs that never met have no row; as the fifty busiest nearly all did, theirs are as the others'.
    n_all = _N_BUSY * (_N_BUSY - 1) / 2
    expected = sum(theirs["expected_events"]) / theirs.height * n_all
    return int(theirs["n_events"].sum()) / expected


if __name__ == "__main__":
    print(table(sweep()))
