"""Copies: pairs of items with one text, on planted news, on real headlines, and how fast.

Planted news (``planted_news``, our own) knows the truth: a pair of items in one group is right when
both are of one family. Precision and recall are over pairs; by kind of edit, recall is the share of
copies in their report's group, and the share wrong that of look-alikes in a group with another
family. Rules were chosen with seeds 1 to 5 (and data/sample); seeds 11 and 12 only confirm. Real sets
confirm too: copies across two labelled stories are errors, or stories that the labels part.

Time, memory and candidates are measured in a process of their own. Beside them, in the same process:
grouping by the exact folded text, and MinHash of 64 permutations row by row on a sample, scaled up.

Run: python -m benchmarks.quality.copies --sweep    what each rule costs and gives
     python -m benchmarks.quality.copies --time N FEWEST MOST    one timing, as JSON
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time
from zlib import crc32

import numpy as np
import polars as pl

from benchmarks.quality.figures import REAL, Figure
from benchmarks.quality.planted_news import (
    COPIES,
    HEADLINE_COPIES,
    HEADLINE_LOOK_ALIKES,
    LOOK_ALIKES,
    crowd,
    headlines,
    planted,
)  # fmt: skip
from brandkit.normalise import normalise_items
from brandkit.signals._copy_alignment import aligned
from brandkit.signals._copy_rules import Rules, candidates
from brandkit.signals._copy_texts import copy_texts
from brandkit.signals._text import folded
from brandkit.signals.copies import find_copies, with_rules
from brandkit.simulate import simulate

CONFIRM = (11, 12)
_FAMILIES = 200
# A report without its first paragraph is as good a copy of these as of the report.
_AMBIGUOUS = ("update", "negated")
_SAMPLED = 2_000


def figures(folder: Path) -> Iterator[Figure]:
    """Every figure of copies; the real sets are left out where the folder is not there."""
    yield from _planted_figures()
    yield from _headline_figures()
    yield from _sample_figures()
    if folder.is_dir():
        yield from _story_figures(folder)
        yield from _rated_figures(folder)
    yield from _speed_figures()


def grouped(items: pl.DataFrame, rules: Rules | None = None) -> pl.DataFrame:
    """The items with ``root``, the item whose text they have."""
    found = find_copies(items) if rules is None else with_rules(items, rules)
    return found.with_columns(root=pl.coalesce("copy_of", "item_id"))


def pair_scores(items: pl.DataFrame, truth: str = "family") -> tuple[float, float]:
    """Precision and recall over pairs of items in one group."""
    both, found, true = (_n_pairs(items, by) for by in (["root", truth], ["root"], [truth]))
    return both / max(1, found), both / max(1, true)


def _n_pairs(items: pl.DataFrame, by: list[str]) -> int:
    n = items.group_by(by).len()["len"].cast(pl.Int64)
    return int((n * (n - 1) // 2).sum())


def recall_by_kind(items: pl.DataFrame) -> dict[str, float]:
    """The share of each kind of copy that is in its report's group."""
    base = items.filter(pl.col("kind") == "base").select("family", report="root")
    found = (
        items.join(base, on="family").group_by("kind").agg(share=(pl.col("root") == pl.col("report")).mean())
    )
    return {str(kind): float(share) for kind, share in found.rows()}


def wrong_by_kind(items: pl.DataFrame) -> dict[str, float]:
    """The share of each kind of look-alike that is in a group with another family."""
    mixed = items.with_columns(is_mixed=pl.col("family").n_unique().over("root") > 1)
    return {str(k): float(v) for k, v in mixed.group_by("kind").agg(pl.col("is_mixed").mean()).rows()}


def _exact(items: pl.DataFrame) -> pl.DataFrame:
    both = pl.concat_str(folded(pl.col("title")), folded(pl.col("summary")), separator=" ")
    return items.with_columns(root=pl.col("item_id").first().over(both))


def many(seeds: tuple[int, ...], **how: object) -> pl.DataFrame:
    """Planted news of several seeds in one frame."""
    parts = []
    for seed in seeds:
        apart = (pl.format("{}-{}", pl.lit(seed), name).alias(name) for name in ("item_id", "family"))
        parts.append(planted(_FAMILIES, seed=seed, **how).with_columns(*apart))
    return pl.concat(parts)


def _planted_figures() -> Iterator[Figure]:
    for seeds, role in (((1, 2), "chosen on"), (CONFIRM, "confirms")):
        items = many(seeds)
        found = grouped(items)
        what = f"planted news, 60 to 600 words, {items.height:,} items ({role})"
        yield from _pairs(what, found, least=0.98)
    kinds, wrong = recall_by_kind(found), wrong_by_kind(found)
    for kind in COPIES:
        yield Figure(f"copy: {kind}", "share with its report", kinds[kind], unit="%")
    for kind in LOOK_ALIKES:
        yield Figure(f"look-alike: {kind}", "share taken for a copy", wrong[kind], unit="%")
    lower = many(CONFIRM).with_columns(pl.col("title", "summary").str.to_lowercase())
    yield from _pairs("the same without capitals", grouped(lower))
    mixed = many(CONFIRM, any_order=True).filter(~pl.col("kind").is_in(_AMBIGUOUS))
    yield from _pairs("the same, report not first, without update and negated", grouped(mixed))
    short = many(CONFIRM, words=(20, 45)).filter(pl.col("kind") != "sentence")
    yield from _pairs("the same, 20 to 45 words, without sentence", grouped(short))


def _pairs(what: str, found: pl.DataFrame, *, least: float | None = None) -> Iterator[Figure]:
    exact = pair_scores(_exact(found))
    scores = zip(("precision", "recall"), pair_scores(found), exact, strict=True)
    for measure, value, simple in scores:
        yield Figure(what, f"pair {measure}", value, at_least=least, baseline=f"equal text {simple:.3f}")


def _headline_figures() -> Iterator[Figure]:
    found = grouped(headlines(1_000, seed=CONFIRM[0]))
    yield from _pairs(f"headlines alone, {found.height:,}", found, least=0.98)
    kinds, wrong = recall_by_kind(found), wrong_by_kind(found)
    lost = min(HEADLINE_COPIES, key=lambda kind: kinds[kind])
    taken = max(HEADLINE_LOOK_ALIKES, key=lambda kind: wrong[kind])
    yield Figure("headlines alone", f"worst copy, {lost}: with its headline", kinds[lost], unit="%")
    yield Figure("headlines alone", f"worst look-alike, {taken}: taken for a copy", wrong[taken], unit="%")


def _sample_figures() -> Iterator[Figure]:
    week = simulate()
    truth = week.truth_items.drop_nulls("item_id").unique("item_id", keep="first", maintain_order=True)
    told = truth.select("item_id", "story", text=pl.coalesce("copy_of", "item"))
    found = grouped(normalise_items(week.items).items.join(told, on="item_id"))
    what = f"data/sample, {found.height:,} items"
    yield Figure(what, "recall of planted pairs", pair_scores(found, "text")[1], baseline="")
    yield Figure(what, "pairs within one story", pair_scores(found, "story")[0])


def _story_figures(folder: Path) -> Iterator[Figure]:
    for name, key, text in (("news_stories_uci", "id", "title"), ("news_stories_ecb", "doc_id", "text")):
        found = grouped(labelled(folder / name, key=key, text=text))
        precision, _ = pair_scores(found, "story")
        n = found.height - found["root"].n_unique()
        equal = pair_scores(_exact(found), "story")[0]
        yield Figure(
            f"{name}, {n} copies", "pairs within one story", precision, baseline=f"equal text {equal:.3f}"
        )


def labelled(folder: Path, *, key: str, text: str) -> pl.DataFrame:
    """A set with the story of each item, first line as title."""
    items, truth = (pl.read_parquet(folder / f"{name}.parquet") for name in ("items", "truth"))
    lines = pl.col(text).str.split("\n")
    return items.join(truth, on=key).select(
        "story", item_id=key, title=lines.list.first(), summary=lines.list.slice(1).list.join(" ")
    )


def _rated_figures(folder: Path) -> Iterator[Figure]:
    for year, published in ((2013, ".719"), (2014, ".682")):
        rated = _rated(folder / f"headline_similarity/{year}.headlines.test.tsv")
        is_copy = _told_together(rated)
        rating = rated["rating"].to_numpy()
        what = f"headline_similarity {year}, {is_copy.sum()} copies"
        for least in (4.0, 4.5):
            is_same = rating >= least
            hits = int((is_copy & is_same).sum())
            yield Figure(what, f"precision, rated {least} or more", hits / max(1, int(is_copy.sum())))
            yield Figure(what, f"recall, rated {least} or more", hits / int(is_same.sum()))
        for measure, value in _likeness(rated).items():
            pearson = float(np.corrcoef(value, rating)[0, 1])
            yield Figure(
                f"headline_similarity {year}",
                f"Pearson, {measure}",
                pearson,
                published=f"TF-IDF cosine {published}",
            )


def _rated(path: Path) -> pl.DataFrame:
    return pl.read_csv(
        path, separator="\t", has_header=False, quote_char=None, new_columns=["rating", "a", "b"],
        schema_overrides={"rating": pl.Float64},
    ).with_row_index("pair")  # fmt: skip


def _told_together(rated: pl.DataFrame) -> np.ndarray:
    both = rated.unpivot(["a", "b"], index="pair", value_name="title")
    found = grouped(both.with_columns(item_id=pl.format("{}{}", "pair", "variable")))
    together = found.group_by("pair").agg(pl.col("root").n_unique() == 1).sort("pair")
    return together["root"].to_numpy()


def _likeness(rated: pl.DataFrame) -> dict[str, np.ndarray]:
    n = rated.height
    texts = pl.concat([rated["a"], rated["b"]]).to_frame("t").select(folded(pl.col("t"))).to_series()
    left, right = np.arange(n), np.arange(n, 2 * n)
    laid = aligned(texts, np.zeros(2 * n, dtype=np.int64), left, right)
    words = [set(text.split(" ")) for text in texts]
    pairs = [(words[k], words[n + k]) for k in range(n)]
    return {
        "Jaccard of word bigrams": laid.shared / np.maximum(1, laid.n_left + laid.n_right - laid.shared),
        "share of the shorter's bigrams": laid.shared / np.maximum(1, np.minimum(laid.n_left, laid.n_right)),
        "Jaccard of words": np.array([len(a & b) / max(1, len(a | b)) for a, b in pairs]),
    }


def _speed_figures() -> Iterator[Figure]:
    for words, sizes in (((15, 40), (50_000, 100_000, 500_000)), ((60, 600), (50_000, 100_000, 500_000))):
        for n in sizes:
            run = subprocess.run(
                [sys.executable, "-m", "benchmarks.quality.copies", "--time", str(n), *map(str, words)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            took = json.loads(run.stdout)
            what = f"{n:,} items of {words[0]} to {words[1]} words"
            yield Figure(what, "candidate pairs per item", took["candidates"], at_most=3)
            if n < max(sizes):
                continue
            beside = f"equal text {took['equal_s']:.1f} s; MinHash row by row {took['rows_s']:,.0f} s"
            yield Figure(what, "wall time", took["wall_s"], at_most=45, unit="s", baseline=beside)
            yield Figure(what, "processor time", took["cpu_s"], unit="s")
            yield Figure(what, "row by row over ours", took["rows_s"] / took["wall_s"], unit="times")
            yield Figure(what, "peak memory, the items included", took["peak_gib"], unit="GiB",
                         baseline=f"before: {took['before_gib']:.2f} GiB")  # fmt: skip
            yield Figure(what, "planted copies found", took["recall"], unit="%")


def timed(n: int, *, words: tuple[int, int]) -> dict[str, float]:
    """Seconds, memory and candidates of one run, beside two simple ways."""
    items = crowd(n, words=words)
    before = _peak_gib()
    wall, cpu = perf_counter(), process_time()
    found = grouped(items.drop("source"))
    wall, cpu = perf_counter() - wall, process_time() - cpu
    peak = _peak_gib()
    start = perf_counter()
    _exact(items)
    equal = perf_counter() - start
    start = perf_counter()
    _row_by_row(items.head(_SAMPLED))
    rows = (perf_counter() - start) * n / _SAMPLED
    true = found.with_columns(source=items["source"].cast(pl.String).str.zfill(8))
    copied = true.filter(pl.col("item_id") != pl.col("source"))
    n_candidates = len(candidates(copy_texts(items), Rules())[0])
    return {
        "wall_s": wall, "cpu_s": cpu, "before_gib": before, "peak_gib": peak, "equal_s": equal,
        "rows_s": rows, "recall": float((copied["root"] == copied["source"]).mean()),
        "candidates": n_candidates / n,
    }  # fmt: skip


def _peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _row_by_row(items: pl.DataFrame) -> dict[tuple[int, bytes], list[int]]:
    """MinHash as libraries do it: a row at a time, 64 permutations, 16 bands of 4."""
    rng = np.random.Generator(np.random.PCG64(1))
    factor, offset = rng.integers(1, 2**61, size=(2, 64), dtype=np.uint64)
    buckets: dict[tuple[int, bytes], list[int]] = {}
    texts = items.select(folded(pl.concat_str("title", "summary", separator=" "))).to_series()
    for row, text in enumerate(texts):
        words = text.split(" ")
        grams = {f"{a} {b}".encode() for a, b in pairwise(words)}
        hashes = np.array([crc32(gram) for gram in grams], dtype=np.uint64)
        signature = (hashes[:, None] * factor + offset).min(axis=0)
        for band in range(16):
            buckets.setdefault((band, signature[band * 4 : band * 4 + 4].tobytes()), []).append(row)
    return buckets


SWEEP: dict[str, tuple[float, ...]] = {
    "least_jaccard": (0.4, 0.5, 0.6, 0.7),
    "least_short": (0.5, 0.6, 0.7, 0.8),
    "least_contained": (0.6, 0.7, 0.8, 0.9),
    "fewest_contained": (15, 25, 35),
    "latest_start": (10, 20, 60),
    "sure_body": (30, 60, 120),
    "words_a_swap": (15, 30, 60),
    "most_renamed": (0, 1, 2, 5),
    "bands": (16, 24, 32),
}


def sweep(folder: Path) -> Iterator[str]:
    """A Markdown row for each value of each rule, with all others as they are."""
    news, heads = many((1, 2)), headlines(400, seed=1)
    uci = labelled(folder / "news_stories_uci", key="id", text="title") if folder.is_dir() else None
    yield "| rule | value | news P / R | headlines P / R | UCI copies, pairs within one story |"
    yield "|---|---:|---|---|---|"
    for name, values in SWEEP.items():
        for value in values:
            rules = replace(Rules(), **{name: value})
            mark = "**" if value == getattr(Rules(), name) else ""
            cells = [" / ".join(f"{v:.3f}" for v in pair_scores(grouped(d, rules))) for d in (news, heads)]
            if uci is not None:
                found = grouped(uci, rules)
                n = found.height - found["root"].n_unique()
                cells.append(f"{n}, {pair_scores(found, 'story')[0]:.3f}")
            yield f"| {name} | {mark}{value}{mark} | {' | '.join(cells)} |"


def main() -> None:
    """Print the sweep or one timing."""
    if sys.argv[1:2] == ["--time"]:
        n, fewest, most = map(int, sys.argv[2:5])
        print(json.dumps(timed(n, words=(fewest, most))))
    elif sys.argv[1:2] == ["--sweep"]:
        for line in sweep(Path(sys.argv[2]) if len(sys.argv) > 2 else REAL):
            print(line, flush=True)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
