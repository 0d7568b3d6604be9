"""Sentence embeddings (the extra ``embed``) against TF-IDF as measures of likeness; without it, nothing.

headline_similarity: Pearson correlation of the cosine with what people said, 0 to 5 (SemEval STS 2013
and 2014, headlines). news_stories_uci: AUC of the cosine for telling two titles of one story from two
titles of two, over all pairs; what embedding costs beside TF-IDF; and how many titles have no row
because too few of their words are in the model's vocabulary. TF-IDF is what stories are made of, its
word weights taken from the set itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl
from brandkit.signals._vectors import tfidf
from sklearn.metrics import roc_auc_score

from benchmarks.quality.figures import REAL, Figure, table
from brandkit.signals._embeddings import embed, missing
from brandkit.signals._text import folded


def figures(folder: Path) -> Iterator[Figure]:
    """The figures of the sets that are there."""
    if absent := missing():
        print(f"The extra 'embed' lacks {', '.join(absent)}: embeddings are left out.", file=sys.stderr)
        return
    if not folder.is_dir():
        return
    embed(["Loading takes longer than a headline."])
    for year in (2013, 2014):
        yield _graded(folder / "headline_similarity" / f"{year}.headlines.test.tsv", year)
    yield from _stories(folder / "news_stories_uci")


def _graded(path: Path, year: int) -> Figure:
    lines = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    said = [float(grade) for grade, _, _ in lines]
    titles = pl.Series([title for column in (1, 2) for title in (line[column] for line in lines)])
    one, other = np.split(embed(titles), 2)
    words = _tfidf(titles)
    shared = words[: len(said)].multiply(words[len(said) :]).sum(axis=1)
    return Figure(
        f"headline_similarity {year}, {len(said)} pairs",
        "Pearson",
        _pearson((one * other).sum(axis=1), said),
        baseline=f"TF-IDF {_pearson(np.asarray(shared).ravel(), said):.3f}",
    )


def _stories(folder: Path) -> Iterator[Figure]:
    items, truth = (pl.read_parquet(folder / f"{name}.parquet") for name in ("items", "truth"))
    rows = items.join(truth, on="id", maintain_order="left")
    words, words_s = _timed(partial(_tfidf, rows["title"]))
    meant, meant_s = _timed(partial(embed, rows["title"]))
    pairs = np.triu_indices(rows.height, 1)
    story = rows["story"].rank("dense").to_numpy()
    same = story[pairs[0]] == story[pairs[1]]
    auc = [
        roc_auc_score(same, likeness[pairs]) for likeness in ((meant @ meant.T), (words @ words.T).toarray())
    ]
    what = f"news_stories_uci, {rows.height:,} titles"
    yield Figure(what, "AUC, same story", auc[0], baseline=f"TF-IDF {auc[1]:.3f}")
    yield Figure(what, "time, in times that of TF-IDF", meant_s / words_s)
    yield Figure(what, "titles without a row", float((~meant.any(axis=1)).sum()))


def _tfidf(titles: pl.Series) -> Any:
    texts = titles.to_frame("text").select(text=folded(pl.col("text"))).with_row_index("row")
    return tfidf(texts, texts.height)


def _timed(call: Any) -> tuple[Any, float]:
    begun = perf_counter()
    return call(), perf_counter() - begun


def _pearson(found: Any, said: list[float]) -> float:
    return float(np.corrcoef(found, said)[0, 1])


if __name__ == "__main__":
    print(table(figures(Path(sys.argv[1]) if len(sys.argv) > 1 else REAL)))
