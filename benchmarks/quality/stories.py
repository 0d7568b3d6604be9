"""Stories against labelled sets, alone and among strangers, and their identity over days.

B-cubed precision, recall and F1 (Bagga and Baldwin 1998) of ``cluster_stories`` in its one setting.
*Diluted*: four titles of each story of news_stories_uci among 15,000 unrelated headlines (clickbait,
hacker_news), twice with other titles and other strangers; all-rows takes each stranger for a story
of its own. *Stability*: what the same strangers change for the whole set. *Look-alikes*: topics of
ECB+ whose two events of one kind stay two. *Identity*: of the stories whose items a later run of the
simulated week knows, and of reddit_hourly, those that keep their name or went into another, which is
recorded. *With meanings*: the same where the extra ``embed`` is installed.

Chosen on news_stories_uci, the diluted set (first titles) and the sample: every constant of
``signals/_story_evidence.py`` and its neighbours. Only confirmed on: ECB+ but for how length counts,
the short texts, the second diluted set, reddit_hourly.

``python -m benchmarks.quality.stories --sweep`` prints what half and double of each constant does.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from benchmarks.quality.figures import REAL, Figure
from brandkit.normalise import normalise_items
from brandkit.profile import BrandProfile
from brandkit.runner import Runner, Task
from brandkit.signals import _story_evidence, _story_groups, _story_partners, _story_words
from brandkit.signals._embeddings import missing
from brandkit.signals.copies import find_copies
from brandkit.signals.stories import cluster_stories
from brandkit.simulate import simulate

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample"
Cluster = Callable[[pl.DataFrame], pl.DataFrame]

# Six headlines of one event each, in words of our own, with title Jaccard .1 to .5: at most one story
# an event is what a brief may show.
REWORDED = (
    (
        "Velmora recalls 40,000 kettles after lids burst",
        "Kettle recall: Velmora takes 40,000 off shelves",
        "Bursting lids force Velmora into recall of kettles",
        "40,000 Velmora kettles recalled over lids that burst",
        "Lids burst: Velmora kettles called back, buyers told to stop using them",
        "Stop using it, Velmora tells owners of recalled kettles",
    ),
    (
        "Court blocks Nordlys merger with Harbourlight",
        "Nordlys and Harbourlight may not merge, court rules",
        "Judges stop Harbourlight takeover by Nordlys",
        "Merger of Nordlys and Harbourlight blocked by judges",
        "Nordlys loses in court over Harbourlight takeover",
        "No deal: court halts Nordlys bid to buy Harbourlight",
    ),
    (
        "Ferry runs aground off Tessavik, 212 rescued",
        "212 rescued as Tessavik ferry hits rocks",
        "Rescue at sea: ferry aground near Tessavik with 212 aboard",
        "Passengers saved after ferry runs onto rocks off Tessavik",
        "Tessavik ferry aground: all 212 aboard are safe",
        "All saved from ferry stuck on rocks at Tessavik",
    ),
)


@dataclass(frozen=True, slots=True)
class Score:
    """B-cubed over the labelled rows; the rest is of strangers, where there are any."""

    precision: float
    recall: float
    all_rows: float = 1.0
    alone: float = 1.0
    largest: int = 1

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return _harmonic(self.precision, self.recall)


def _harmonic(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall)


def b_cubed(frame: pl.DataFrame, found: str, gold: str) -> tuple[float, float]:
    """Precision and recall, averaged over rows (Bagga and Baldwin 1998)."""
    both = pl.len().over(found, gold)
    rows = frame.select(p=both / pl.len().over(found), r=both / pl.len().over(gold))
    precision, recall = rows.mean().row(0)
    return float(precision), float(recall)


def figures(folder: Path) -> Iterator[Figure]:
    """Every figure of stories; what needs the real sets only where they are."""
    yield from _of_sample()
    yield from _reworded(cluster_stories)
    yield from _identity(folder)
    if not (folder / "news_stories_uci").is_dir():
        return
    sets = Sets.read(folder)
    yield from _of_sets(sets, cluster_stories)
    if not missing():
        yield from _with_meanings(sets, partial(cluster_stories, meanings=True))


@dataclass(frozen=True, slots=True)
class Sets:
    """The labelled sets and two draws of strangers."""

    uci: pl.DataFrame
    ecb: pl.DataFrame
    short: pl.DataFrame
    strangers: pl.DataFrame
    others: pl.DataFrame

    @classmethod
    def read(cls, folder: Path) -> Sets:
        """All of them."""
        return cls(
            _joined(folder / "news_stories_uci", key="id", text="title"),
            _joined(folder / "news_stories_ecb", key="doc_id", text="text"),
            _short(folder / "short_text_clusters"),
            _strangers(folder),
            _strangers(folder, seed=7),
        )

    def titles(self, first: int) -> pl.DataFrame:
        """Four titles of each story of news_stories_uci, from the given one on."""
        place = pl.int_range(pl.len()).over("story")
        return self.uci.filter((place >= first) & (place < first + 4))


def _of_sets(sets: Sets, cluster: Cluster) -> Iterator[Figure]:
    whole = score(sets.uci, cluster)
    yield from _three("news_stories_uci (titles)", whole, 0.74, "components .52; oracle average link .728")
    ecb = score(sets.ecb, cluster)
    yield from _three("news_stories_ecb (text)", ecb, 0.87, "oracle average link .882")
    yield from _three("short_text_clusters", score(sets.short, cluster), 0.74, "")
    yield from _diluted("diluted", score(sets.titles(0), cluster, sets.strangers))
    yield from _diluted("diluted, other titles and strangers", score(sets.titles(4), cluster, sets.others))
    stable = score(sets.uci, cluster, sets.strangers)
    moved = abs(stable.f1 - whole.f1)
    yield Figure("stability: 15,000 strangers added to UCI", "its F1 moves by", moved, at_most=0.03)
    found = cluster(sets.ecb.drop("story")).join(sets.ecb.select("item_id", "story"), on="item_id")
    most = found.group_by("story", "story_id").len().sort("len", "story_id").unique("story", keep="last")
    topics = most.with_columns(topic=pl.col("story").str.split("_").list.first()).group_by("topic")
    apart = topics.agg(pl.col("story_id").n_unique(), n=pl.len()).filter(pl.col("n") == 2)
    share = _share(apart["story_id"] == 2)
    yield Figure("look-alikes: ECB+ topics of two events", "told apart", share, unit="%")


def _three(name: str, found: Score, at_least: float, baseline: str) -> Iterator[Figure]:
    yield Figure(name, "B-cubed F1", found.f1, at_least=at_least, baseline=baseline)
    yield Figure(name, "precision", found.precision)
    yield Figure(name, "recall", found.recall)


def _diluted(name: str, found: Score) -> Iterator[Figure]:
    yield Figure(name, "labelled rows: F1", found.f1, at_least=0.74)
    yield Figure(name, "labelled rows: precision", found.precision, at_least=0.95)
    yield Figure(name, "all rows: F1", found.all_rows, at_least=0.85)
    yield Figure(name, "strangers alone", found.alone, at_least=0.68, unit="%")
    yield Figure(name, "largest group of strangers", found.largest, at_most=150)


def _with_meanings(sets: Sets, cluster: Cluster) -> Iterator[Figure]:
    gain = score(sets.uci, cluster).f1 - score(sets.uci, cluster_stories).f1
    yield Figure("with meanings: news_stories_uci", "F1 gains", gain, at_least=0.06)
    yield from _diluted("with meanings: diluted", score(sets.titles(0), cluster, sets.strangers))
    yield Figure("with meanings: news_stories_ecb", "B-cubed F1", score(sets.ecb, cluster).f1)


def score(rows: pl.DataFrame, cluster: Cluster, strangers: pl.DataFrame | None = None) -> Score:
    """What clustering the labelled rows, among strangers or alone, comes to."""
    given = rows.drop("story")
    if strangers is None:
        found = cluster(given).join(rows.select("item_id", "story"), on="item_id")
        return Score(*b_cubed(found, "story_id", "story"))
    mixed = pl.concat([given.select("item_id", "title"), strangers])
    found = cluster(mixed).join(rows.select("item_id", "story"), on="item_id", how="left")
    found = found.with_columns(gold=pl.coalesce("story", "item_id"), n=pl.len().over("story_id"))
    labelled, rest = found.filter(pl.col("story").is_not_null()), found.filter(pl.col("story").is_null())
    groups = rest.group_by("story_id").len()["len"]
    return Score(
        *b_cubed(labelled, "story_id", "story"),
        _harmonic(*b_cubed(found, "story_id", "gold")),
        _share(rest["n"] == 1),
        int(groups.to_numpy().max()),
    )


def _share(flags: pl.Series) -> float:
    return float(flags.cast(pl.Float64).to_numpy().mean())


def _of_sample() -> Iterator[Figure]:
    """Two days of the simulated week, copies found first as a run does."""
    week = simulate()
    day = pl.col("collected_at").cast(pl.String).str.slice(0, 10)
    two = week.items.filter(day.is_in(["2026-03-04", "2026-03-05"]))
    truth = week.truth_items.drop_nulls("item_id").unique("item_id", keep="first", maintain_order=True)
    items = normalise_items(two).items.join(truth.select("item_id", "story"), on="item_id")
    found = cluster_stories(find_copies(items))
    single = found.with_columns(n=pl.len().over("story_id"), is_single=pl.len().over("story") == 1)
    precision, recall = b_cubed(found, "story_id", "story")
    yield Figure("data/sample, two days", "B-cubed F1", _harmonic(precision, recall))
    yield Figure("data/sample, two days", "precision", precision)
    alone = _share(single.filter("is_single")["n"] == 1)
    yield Figure("data/sample, two days", "strangers alone", alone, unit="%")


def _reworded(cluster: Cluster) -> Iterator[Figure]:
    titles = [title for event in REWORDED for title in event]
    found = cluster(pl.DataFrame({"item_id": [f"{i:02}" for i in range(len(titles))], "title": titles}))
    events = found.with_columns(event=pl.Series([e for e, told in enumerate(REWORDED) for _ in told]))
    most = max(events.group_by("event").agg(pl.col("story_id").n_unique())["story_id"])
    yield Figure("reworded wires: six headlines an event", "most stories of one event", most, at_most=1)
    mixed = events.group_by("story_id").agg(pl.col("event").n_unique())["event"].to_numpy().max()
    yield Figure("reworded wires: six headlines an event", "most events in one story", int(mixed), at_most=1)


def _identity(folder: Path) -> Iterator[Figure]:
    profile = BrandProfile.from_toml(ROOT / "data" / "profiles" / "consumer.toml")
    days = [f"2026-03-0{day}" for day in range(2, 9)]
    runs = [Task(date=on, profile=profile, inputs=SAMPLE / f"items-{on}.parquet") for on in days]
    yield from _kept("simulated week", runs)
    snapshots = folder / "reddit_hourly" / "snapshots.parquet"
    if snapshots.is_file():
        forum = BrandProfile.from_dict({"id": "forum", "watched": ["Japan"]})
        mapping = ROOT / "data" / "mappings" / "reddit_hourly.toml"
        days = ["2023-12-30", "2023-12-31", *(f"2024-01-0{day}" for day in range(1, 6))]
        yield from _kept(
            "reddit_hourly",
            [Task(date=on, profile=forum, inputs=snapshots, mapping=mapping) for on in days],
        )


def _kept(name: str, tasks: list[Task]) -> Iterator[Figure]:
    """Of the stories that a later run knows items of: how many keep their name, and how many are merged."""
    known = pl.DataFrame(schema={"item_id": pl.String, "story_id": pl.String})
    n, kept, merged = 0, 0, 0
    with TemporaryDirectory() as home:
        runner = Runner(Path(home) / "week.duckdb")
        for task in tasks:
            stories = runner.store.stories(runner.run(task).run_id)
            now = stories.select("story_id", item_id="item_ids").explode("item_id").unique("item_id")
            both = known.join(now, on="item_id", suffix="_now").group_by("story_id").agg("story_id_now")
            stays = both.filter(pl.col("story_id_now").list.contains(pl.col("story_id")))
            gone = both.join(stays, on="story_id", how="anti").explode("story_id_now")
            into = gone.filter(pl.col("story_id_now").is_in(known["story_id"].implode()))
            n, kept = n + both.height, kept + stays.height
            merged += into["story_id"].n_unique()
            fresh = now.select("item_id", "story_id")
            known = pl.concat([known.join(fresh, on="item_id", how="anti"), fresh])
    what = f"identity: {name}, 7 runs, {n:,} stories continued"
    yield Figure(what, "keep their id", kept / max(n - merged, 1), at_least=0.97, unit="%")
    yield Figure(what, "merged into another, as recorded", merged / max(n, 1), unit="%")


def _joined(folder: Path, *, key: str, text: str) -> pl.DataFrame:
    items, truth = (pl.read_parquet(folder / f"{name}.parquet") for name in ("items", "truth"))
    # Without times: the set's own were made up or are not there, so all is one window.
    title = pl.col(text).str.split("\n").list.first()
    rest = pl.col(text).str.split("\n").list.slice(1).list.join(" ")
    return (
        items.join(truth, on=key)
        .select(item_id=key, title=title, summary=rest, story="story")
        .sort("item_id")
    )


def _short(folder: Path) -> pl.DataFrame:
    path = next(p for p in sorted(folder.iterdir()) if p.is_file() and "truth" not in p.name)
    raw = path.read_bytes()
    lines = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode().splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    return pl.DataFrame(
        {
            "item_id": [f"t{n:06}" for n in range(len(rows))],
            "title": [row["text"] for row in rows],
            "story": [str(row["cluster"]) for row in rows],
        }
    )


def _strangers(folder: Path, *, seed: int = 1) -> pl.DataFrame:
    titles = [
        pl.read_parquet(folder / path).select("title").with_columns(source=pl.lit(path[:2]))
        for path in ("clickbait/headlines.parquet", "hacker_news/posts.parquet")
    ]
    unique = pl.concat(titles).drop_nulls().unique("title", maintain_order=True)
    picked = unique.sample(15_000, seed=seed)
    return picked.select(item_id=pl.format("x{}", pl.int_range(pl.len())), title="title")


# Every constant, where it stands, and what it is tried at.
SWEEP: tuple[tuple[Any, str, tuple[float, ...]], ...] = (
    (_story_evidence, "CONCENTRATION", (100.0, 400.0)),
    (_story_evidence, "PRIOR", (6.0, 8.0)),
    (_story_evidence, "GROUP_TEMPER", (0.7, 1.0)),
    (_story_evidence, "LEAST_SHARED", (0.08, 0.12)),
    (_story_evidence, "SHARED_RISE", (0.2, 0.4)),
    (_story_evidence, "LENGTH_TEMPER", (-0.5, -0.9)),
    (_story_evidence, "HEADLINE", (6.0, 12.0)),
    (_story_evidence, "NAMES_APART", (0.0, 16.0)),
    (_story_evidence, "NAMES_ENOUGH", (0.25, 1.0)),
    (_story_words, "WORLD", (10_000, 40_000)),
    (_story_words, "STEM", (5, 8)),
    (_story_words, "MOST_WORDS", (50, 200)),
    (_story_groups, "PASSES", (1, 3)),
    (_story_groups, "ABSORB", (0.25, 1.0)),
    (_story_partners, "N_NEIGHBOURS", (8, 30)),
    (_story_partners, "LEAST_EVIDENCE", (2.0, 4.0)),
    (_story_partners, "LEAST_TELLING", (1.0, 2.0)),
)


def sweep(folder: Path) -> Iterator[str]:
    """The main figures with each constant in turn at less and more."""
    sets = Sets.read(folder)
    yield "| constant | UCI | ECB+ | short texts | diluted F1 / precision | all rows | alone | largest |"
    yield "|---|---:|---:|---:|---|---:|---:|---:|"
    yield _row("**as it is**", sets)
    for room, name, values in SWEEP:
        usual = getattr(room, name)
        for value in values:
            # The evidence reads the size of the world that it imported.
            rooms = [each for each in (room, _story_evidence) if hasattr(each, name)]
            for each in rooms:
                setattr(each, name, value)
            _story_words.common_words.cache_clear()
            yield _row(f"{name} {usual:g} -> {value:g}", sets)
            for each in rooms:
                setattr(each, name, usual)
    _story_words.common_words.cache_clear()


def _row(name: str, sets: Sets) -> str:
    alone = [score(rows, cluster_stories).f1 for rows in (sets.uci, sets.ecb, sets.short)]
    among = score(sets.titles(0), cluster_stories, sets.strangers)
    cells = " | ".join(f"{value:.3f}" for value in alone)
    return (
        f"| {name} | {cells} | {among.f1:.3f} / {among.precision:.3f} | {among.all_rows:.3f} "
        f"| {among.alone:.0%} | {among.largest} |"
    )


if __name__ == "__main__":
    if sys.argv[1:2] != ["--sweep"]:
        sys.exit("python -m benchmarks.quality --only stories prints the figures; --sweep here the sweep")
    for line in sweep(Path(sys.argv[2]) if len(sys.argv) > 2 else REAL):
        print(line, flush=True)
