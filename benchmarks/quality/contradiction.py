"""Contradiction: whether denials, corrections and fact-checks are told by their headlines.

Labelled: 355 headlines of our own, in ``contradiction.tsv``, about half of them contradictions (in
some twenty languages) and half confusers. The wording was chosen on the part ``choose``. ``confirm``
is every second line of the first half of the set, not looked at; but one hand wrote the set and the
wording, so its figures flatter. ``last`` was written for harder cases before the wording was seen on
it, and nothing was changed for it: read that one. The baseline is the word list that was used before.

Real headlines, unlabelled: the share that is called a contradiction. They are news, listicles and
links, of which few contradict anything, so it bounds the false alarms from above.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from benchmarks.quality.figures import Figure
from brandkit.signals.contradiction import find_contradictions

LABELLED = Path(__file__).with_name("contradiction.tsv")
REAL = (
    "news_stories_uci/items.parquet",
    "clickbait/headlines.parquet",
    "hacker_news/posts.parquet",
)
# Precision and recall, measured once, of the words and exceptions that this replaced.
_BEFORE = {"choose": (0.521, 0.258), "confirm": (0.643, 0.290), "last": (0.692, 0.281)}
_AT_LEAST = {"precision": 0.9, "recall": 0.8}


def figures(folder: Path) -> Iterator[Figure]:
    """Precision and recall on the labelled headlines, and the share of real ones that are called out."""
    labelled = pl.read_csv(LABELLED, separator="\t", quote_char=None)
    judged = find_contradictions(labelled)
    for (part,), rows in judged.group_by("part", maintain_order=True):
        yield from _agreement(str(part), rows)
    for path in (folder / name for name in REAL):
        if path.exists():
            titles = pl.read_parquet(path).select("title").drop_nulls().unique(maintain_order=True)
            called = find_contradictions(titles)["is_denial"]
            yield Figure(
                f"{path.parent.name}, {titles.height:,} headlines", "called a contradiction", called.sum(),
                unit=f"({called.mean():.2%})",
            )  # fmt: skip


def _agreement(part: str, rows: pl.DataFrame) -> Iterator[Figure]:
    is_one, found = rows["kind"].is_not_null(), rows["is_denial"]
    both = int((is_one & found).sum())
    what = f"own headlines, {part}: {rows.height}, {is_one.sum()} of them contradictions"
    for measure, of, before in zip(_AT_LEAST, (found, is_one), _BEFORE[part], strict=True):
        yield Figure(
            what, measure, both / max(1, int(of.sum())), at_least=_AT_LEAST[measure],
            baseline=f"words alone {before:.3f}",
        )  # fmt: skip
    right = rows["kind"] == rows["contradiction"].cast(pl.String)
    yield Figure(what, "kind right, of those found", int(right.sum()) / max(1, both))
