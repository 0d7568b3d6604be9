"""Mentions: whether names are found exactly, how a substring search would do, and how fast it goes.

Exactness: ``find_mentions`` with 5,000 names (runs of one to four words drawn from the titles by a seed,
and short, ambiguous and oddly written ones) against ``tests/reference_mentions.py``, which reads a title
word by word in plain Python; a difference is a title where the two give other names. The baseline is
a substring search with the same names, case folded: its pairs of title and name against the
reference's.

Speed: titles a second over 200,000 titles, the set's own repeated with another word at each end, with
5,000 names and with 50; the ratio is to ``str.contains_any`` with the same names in the same run. That
stops at the first name in a title and finds it inside other words; with 5,000 names, nearly every title
has one at its beginning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from benchmarks.bench_mentions import MANY, PROFILE, SAMPLE, aliases, per_second, repeated
from benchmarks.quality.figures import Figure
from brandkit.signals.mentions import find_mentions
from tests.reference_mentions import Reference

ROWS = 200_000


def figures(folder: Path) -> Iterator[Figure]:
    """Every figure; on the sample where the real titles are not there."""
    path = folder / "news_stories_uci" / "items.parquet"
    name, source = (path.parent.name, path) if path.exists() else ("data/sample, one day", SAMPLE)
    titles = pl.read_parquet(source)["title"].drop_nulls().to_list()
    many = aliases(titles, MANY)
    yield from _exact(name, titles, many)
    for what in (many, aliases(titles, PROFILE)):
        yield from _speed(f"{ROWS:,} titles, {len(what):,} names", titles, what)


def _exact(name: str, titles: Sequence[str], names: Sequence[str]) -> Iterator[Figure]:
    slow = Reference({alias: [alias] for alias in names})
    wanted = [slow.find(title)[1] for title in titles]
    found = find_mentions(pl.DataFrame({"title": titles}), {alias: [alias] for alias in names})
    differing = sum(ours != theirs for ours, theirs in zip(found["entities"].to_list(), wanted, strict=True))
    what = f"{name}, {len(names):,} names in {len(titles):,} titles"
    yield Figure(what, "titles that differ from reading word by word", differing, at_most=0)
    truth = _pairs(pl.Series(wanted, dtype=pl.List(pl.String)))
    ours, bare = _pairs(found["entities"]), _substrings(titles, names)
    for measure, of in (("precision", 0), ("recall", 1)):
        yield Figure(
            what, f"{measure} of title and name", _agreement(ours, truth)[of], at_least=1.0,
            baseline=f"substring search {_agreement(bare, truth)[of]:.3f}",
        )  # fmt: skip


def _speed(what: str, titles: Sequence[str], names: Sequence[str]) -> Iterator[Figure]:
    items = repeated(titles, ROWS)
    exact, bare, cpu = per_second(items, names)
    found = find_mentions(items, {name: [name] for name in names})["entities"]
    share = float((found.list.len() > 0).mean() or 0)
    yield Figure(
        f"{what} ({share:.0%} of titles have one)", "titles a second", exact, at_least=150_000,
        baseline=f"contains_any {bare:,.0f}",
    )  # fmt: skip
    # On cores that others keep busy, this is the steadier of the two.
    yield Figure(what, "titles a CPU second", cpu)
    yield Figure(what, "time, as a ratio to contains_any", bare / exact)


def _pairs(names: pl.Series) -> set[tuple[int, str]]:
    return {(row, name) for row, there in enumerate(names.to_list()) for name in there}


def _substrings(titles: Sequence[str], names: Sequence[str]) -> set[tuple[int, str]]:
    by_low: dict[str, list[str]] = {}
    for name in names:
        by_low.setdefault(name.lower(), []).append(name)
    text = pl.Series(titles).str.to_lowercase()
    hits = text.to_frame("text").select(pl.col("text").str.extract_many(list(by_low), overlapping=True))
    return {
        (row, name)
        for row, there in enumerate(hits["text"].to_list())
        for low in there
        for name in by_low[low]
    }


def _agreement(found: set[tuple[int, str]], truth: set[tuple[int, str]]) -> tuple[float, float]:
    both = len(found & truth)
    return both / max(1, len(found)), both / max(1, len(truth))
