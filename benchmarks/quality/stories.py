"""Stories against labelled sets, alone and among strangers: B-cubed precision, recall, F1.

Run: python -m benchmarks.quality.stories [folder of the real sets, default ../shared/data]
The simulated sample is always measured; the real sets are left out where the folder is not there.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from brandkit.normalise import normalise_items
from brandkit.signals.copies import find_copies
from brandkit.signals.stories import cluster_stories
from brandkit.simulate import simulate

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"


@dataclass(frozen=True, slots=True)
class Score:
    """B-cubed over the labelled rows; ``alone`` is the share of strangers left in a story of one."""

    name: str
    rows: int
    precision: float
    recall: float
    alone: float | None = None
    largest: int | None = None

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def b_cubed(frame: pl.DataFrame, found: str, gold: str) -> tuple[float, float]:
    """Precision and recall, averaged over rows (Bagga and Baldwin 1998)."""
    both = pl.len().over(found, gold)
    rows = frame.select(p=both / pl.len().over(found), r=both / pl.len().over(gold))
    precision, recall = rows.mean().row(0)
    return float(precision), float(recall)


def main(folder: Path = REAL) -> None:
    """Print the table, in Markdown."""
    print("| set | rows | precision | recall | B-cubed F1 | strangers alone | largest group of strangers |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for s in scores(folder):
        alone = "" if s.alone is None else f"{s.alone:.0%}"
        largest = "" if s.largest is None else f"{s.largest}"
        figures = " | ".join(f"{value:.3f}" for value in (s.precision, s.recall, s.f1))
        print(f"| {s.name} | {s.rows:,} | {figures} | {alone} | {largest} |")


def scores(folder: Path) -> Iterator[Score]:
    """Every set that is there, in the one setting of ``cluster_stories``."""
    yield sample()
    if not folder.is_dir():
        print(f"{folder} is not there: the real sets are left out.", file=sys.stderr)
        return
    uci = _joined(folder / "news_stories_uci", key="id", text="title")
    ecb = _joined(folder / "news_stories_ecb", key="doc_id", text="text")
    yield _whole("news_stories_uci (titles)", uci)
    yield _whole("news_stories_ecb (text)", ecb)
    yield _whole("short_text_clusters", _short(folder / "short_text_clusters"))
    strangers = _strangers(folder)
    four = uci.filter(pl.int_range(pl.len()).over("story") < 4)
    yield _among("diluted: 4 titles of each UCI story", four, strangers)
    yield _among("stability: all of UCI among the same", uci, strangers)


def sample() -> Score:
    """Two days of the simulated week, copies found first as a run does."""
    week = simulate()
    two = week.items.filter(
        pl.col("collected_at").cast(pl.String).str.slice(0, 10).is_in(["2026-03-04", "2026-03-05"])
    )
    truth = week.truth_items.drop_nulls("item_id").unique("item_id", keep="first", maintain_order=True)
    items = normalise_items(two).items.join(truth.select("item_id", "story"), on="item_id")
    found = cluster_stories(find_copies(items))
    is_stranger = pl.len().over("story") == 1
    strangers = found.with_columns(n=pl.len().over("story_id"), _s=is_stranger).filter("_s")
    precision, recall = b_cubed(found, "story_id", "story")
    return Score(
        "data/sample, two days", found.height, precision, recall, float((strangers["n"] == 1).mean() or 0)
    )


def _whole(name: str, rows: pl.DataFrame) -> Score:
    found = cluster_stories(rows.drop("story")).join(rows.select("item_id", "story"), on="item_id")
    return Score(name, rows.height, *b_cubed(found, "story_id", "story"))


def _among(name: str, rows: pl.DataFrame, strangers: pl.DataFrame) -> Score:
    mixed = pl.concat([rows.select("item_id", "title"), strangers])
    found = cluster_stories(mixed)
    labelled = found.join(rows.select("item_id", "story"), on="item_id")
    alone = found.with_columns(n=pl.len().over("story_id")).join(strangers.select("item_id"), on="item_id")
    largest = alone.group_by("story_id").len()["len"].max()
    return Score(
        f"{name} + {strangers.height:,} strangers", rows.height, *b_cubed(labelled, "story_id", "story"),
        float((alone["n"] == 1).mean() or 0), int(str(largest)),
    )  # fmt: skip


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


def _strangers(folder: Path) -> pl.DataFrame:
    titles = [
        pl.read_parquet(folder / path).select("title").with_columns(source=pl.lit(path[:2]))
        for path in ("clickbait/headlines.parquet", "hacker_news/posts.parquet")
    ]
    unique = pl.concat(titles).drop_nulls().unique("title", maintain_order=True)
    picked = unique.sample(15_000, seed=1)
    return picked.select(item_id=pl.format("x{}", pl.int_range(pl.len())), title="title")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:2]))
