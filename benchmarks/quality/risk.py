"""Risk: does what speaks against an article tell those PolitiFact found false from others?

*AUC* on fake_news (PolitiFact): how often a false article has a higher ``misinfo_risk`` than another,
ties half. Three readings: the *title alone*; *title and address*, with nothing known of any domain; and
*with publishers*, tiers from the packaged list, where form counts nothing in the hands of an A or B
publisher. An archived page is its outlet's. The interval is the lower of two bootstraps, of articles
and of whole outlets (1,000 draws each, seeded).

*Cross-validated*: the weights fitted anew (``fit_risk``'s rule) on four fifths of the outlets, the
others scored, ten times over: no outlet is on both sides. An article's scores are averaged.

Baselines, on the same folds where they learn: this signal without the new forms (as it was), the
number of capitals, a logistic regression on words and word pairs, tiers alone.

*No documents*: half of what PolitiFact calls true are sources, not news: transcripts, bills, tables.
The same AUC without titles that say so. *Rated outlets*: the title alone against what ratings lists say
of the outlet, on sets without a label for the article (low under .5, high from .7; outlets of fake_news
left out): another question, and one that nothing was chosen on.

*False alarms*: the share of real headlines to which form adds anything, or .1 and more, were no A or B
publisher in their stories; and how many reach .6, where the modifier begins. *Clickbait* is only an
across-outlets figure: its two classes come from different outlets, whose house style alone separates
them, so it says nothing of how right the risk is.

``python -m benchmarks.quality.risk`` prints what each weight does: half, half more, left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest.mock import patch

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from benchmarks.quality.figures import REAL, Figure
from benchmarks.quality.fit_risk import FITTED, articles, fitted, headlines, holding
from benchmarks.quality.intervals import auc, interval
from brandkit.normalise.urls import domains_of
from brandkit.signals import _risk_form, risk
from brandkit.signals.risk import FORM, RISK_WEIGHTS, score_risk
from brandkit.signals.trust import load_publishers, tier_publishers

BAR = 0.65
REPEATS, FOLDS, SEED = 10, 5, 20_261_128
_DOCUMENT = (
    r"(?i)\b(?:transcripts?|remarks|address|speech|statement|press release|full text|h\.? ?r\.?|act|bill"
    r"|budget|report|survey|hearing|testimony|letter to|interview|on twitter|roll call|statistics|tables?"
    r"|data|home page|ratings|debates?|for president|executive order)\b"
)


def figures(folder: Path) -> Iterator[Figure]:
    """Every figure of risk; each needs the real sets."""
    if (folder / "fake_news").is_dir():
        yield from _checked(folder)
    if (folder / "source_trust").is_dir():
        yield from _rated(folder)
    yield from _alarms(folder)
    if (folder / "clickbait").is_dir():
        titles = pl.read_parquet(folder / "clickbait" / "headlines.parquet")
        value = roc_auc_score(titles["clickbait"].to_numpy(), risks(titles.select("title")))
        yield Figure("clickbait, title alone", "AUC across outlets (not accuracy)", value)


def risks(items: pl.DataFrame, weights: Mapping[str, float] | None = None) -> np.ndarray:
    """The risk of each item."""
    return score_risk(items, weights=weights).collect()["misinfo_risk"].to_numpy()


def readings(checked: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The articles as the three readings see them."""
    asked = checked.with_columns(publisher="domain", item_type=pl.lit("article"))
    tiered = tier_publishers(asked.lazy(), load_publishers()).collect()
    return {
        "title alone": checked.select("title"),
        "title and address": checked.select("title", "url", "domain"),
        "with publishers": tiered.select("title", "url", "domain", "tier", "mixed_script"),
    }


def lower_end(is_fake: np.ndarray, score: np.ndarray, outlets: np.ndarray) -> float:
    """The lower end of the 95 % interval of AUC: articles or outlets drawn again, the lower of the two."""
    ends = [interval(auc, score, is_fake, groups=groups)[0] for groups in (None, outlets)]
    return min(ends)


def folds(outlets: np.ndarray) -> Iterator[np.ndarray]:
    """Which rows are left out, fold by fold, repeat by repeat: whole outlets."""
    names = np.unique(outlets)
    random = np.random.default_rng(SEED)
    for _ in range(REPEATS):
        part = dict(zip(names, random.permutation(len(names)) % FOLDS, strict=True))
        of = np.array([part[name] for name in outlets])
        yield from (of == n for n in range(FOLDS))


def refitted(checked: pl.DataFrame, read: pl.DataFrame, common: Mapping[str, float]) -> np.ndarray:
    """Each article's mean risk by weights that were fitted without its outlet."""
    held, outlets = holding(checked), checked["domain"].to_numpy()
    total = np.zeros(checked.height)
    for out in folds(outlets):
        kept = pl.Series(~out)
        made = fitted(
            held.filter(kept), checked["is_fake"].filter(kept), checked["domain"].filter(kept), common
        )
        weights = dict(made.select("name", "points").rows())
        total[out] += risks(read.filter(pl.Series(out)), weights)
    return total / REPEATS


def learned(checked: pl.DataFrame) -> np.ndarray:
    """Each article's mean score by words and word pairs, learned without its outlet."""
    titles, is_fake = np.array(checked["title"].to_list()), checked["is_fake"].to_numpy()
    total = np.zeros(checked.height)
    for out in folds(checked["domain"].to_numpy()):
        model = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10.0)
        )
        model.fit(titles[~out], is_fake[~out])
        total[out] += model.decision_function(titles[out])
    return total / REPEATS


def _checked(folder: Path) -> Iterator[Figure]:
    checked = articles(folder)
    is_fake, outlets = checked["is_fake"].to_numpy(), checked["domain"].to_numpy()
    common = holding(headlines(folder)).select(FITTED).mean().row(0, named=True)
    capitals = checked["title"].str.count_matches(r"\p{Lu}").to_numpy()
    read = readings(checked)
    tiers = -read["with publishers"]["tier"].to_physical().cast(pl.Int64).to_numpy()
    said = {
        "title alone": f"capitals {roc_auc_score(is_fake, capitals):.3f}; "
        f"words, cross-validated {roc_auc_score(is_fake, learned(checked)):.3f}",
        "title and address": "",
        "with publishers": f"tiers alone {max(a := roc_auc_score(is_fake, -tiers), 1 - a):.3f}",
    }
    none = dict.fromkeys(FORM[1:], 0.0)
    for name, rows in read.items():
        was = f"as it was {roc_auc_score(is_fake, risks(rows, none)):.3f}; {said[name]}".strip("; ")
        published = "publisher quality alone .826" if name == "with publishers" else ""
        what = f"fake_news, {name}"
        score = risks(rows)
        yield Figure(what, "AUC", roc_auc_score(is_fake, score), baseline=was, published=published)
        yield Figure(what, "its lower end", lower_end(is_fake, score, outlets), at_least=BAR)
        again = refitted(checked, rows, common)
        yield Figure(what, "AUC, cross-validated by outlet", roc_auc_score(is_fake, again))
        yield Figure(what, "its lower end", lower_end(is_fake, again, outlets), at_least=BAR)
    news = ~(checked["title"].str.contains(_DOCUMENT) & ~checked["is_fake"])
    what = f"fake_news, no documents ({news.sum()} articles)"
    part = news.to_numpy()
    for name, rows in read.items():
        value = roc_auc_score(is_fake[part], risks(rows)[part])
        yield Figure(what, f"AUC, {name}", value)


def _rated(folder: Path) -> Iterator[Figure]:
    lin = pl.read_csv(folder / "source_trust" / "domain_pc1.csv")
    known = (
        articles(folder).select("domain") if (folder / "fake_news").is_dir() else lin.select("domain").clear()
    )
    for name, titles in _real(folder).items():
        rows = titles.join(lin, on="domain").join(known, on="domain", how="anti")
        rows = rows.filter((pl.col("pc1") < 0.5) | (pl.col("pc1") >= 0.7)).sort("domain", "title")
        is_low = (rows["pc1"] < 0.5).to_numpy()
        if 0 < is_low.sum() < len(is_low):
            score = risks(rows.select("title"))
            what = f"{name}, outlets rated low ({is_low.sum()} headlines) or high ({(~is_low).sum()})"
            yield Figure(what, "AUC, title alone", roc_auc_score(is_low, score))
            yield Figure(what, "its lower end", lower_end(is_low, score, rows["domain"].to_numpy()))


def _real(folder: Path) -> dict[str, pl.DataFrame]:
    found = {}
    if (folder / "news_stories_uci").is_dir():
        found["news_stories_uci"] = headlines(folder)
    if (folder / "hacker_news").is_dir():
        posts = pl.read_parquet(folder / "hacker_news" / "*.parquet").sort("id")
        found["hacker_news"] = posts.select("title", "url", domain=domains_of(posts["domain"]))
    return found


def _alarms(folder: Path) -> Iterator[Figure]:
    for name, items in _real(folder).items():
        scored = score_risk(items.with_columns(n_publishers_ab=0)).collect()
        nobody = RISK_WEIGHTS["no_ab_publisher"]
        hedged = pl.col("misinfo_evidence").list.eval(pl.element().str.starts_with("hedging")).list.any()
        form = scored.select(
            form=(pl.col("misinfo_risk") - nobody - hedged.cast(pl.Float64) * RISK_WEIGHTS["hedging"]).round(
                4
            ),
            risk="misinfo_risk",
        )
        what = f"{name}, {items.height:,} headlines, nobody trusted"
        yield Figure(what, "share with any form", float((form["form"] > 0).mean()), unit="%")  # type: ignore[arg-type]
        yield Figure(what, "share with .1 of form or more", float((form["form"] >= 0.1).mean()), unit="%")  # type: ignore[arg-type]
        yield Figure(what, "headlines from .6", float((form["risk"] >= 0.6).sum()), at_most=0)


def sweep(folder: Path) -> Iterator[tuple[str, str, list[float]]]:
    """Each weight halved, half more and left out, each constant changed: AUC of the three readings.

    What moves none of them by .0005 (no article has it) is left out.
    """
    checked = articles(folder)
    read, is_fake = readings(checked), checked["is_fake"].to_numpy()

    def measured(weights: Mapping[str, float] | None = None) -> list[float]:
        return [float(roc_auc_score(is_fake, risks(rows, weights))) for rows in read.values()]

    shipped = measured()
    yield "as shipped", "", shipped
    for name, weight in RISK_WEIGHTS.items():
        found = {
            how: measured({name: min(1.0, weight * times)})
            for how, times in (("x 0.5", 0.5), ("x 1.5", 1.5), ("left out", 0.0))
        }
        moves = max(abs(a - b) for values in found.values() for a, b in zip(values, shipped, strict=True))
        if moves >= 0.0005:
            yield from ((name, how, values) for how, values in found.items())
    for module, name, values in (
        (_risk_form, "LONG_TITLE_WORDS", (11, 12, 13, 15, 16, 18)),
        (_risk_form, "SHOUTED_LETTERS", (4, 6, 7)),
        (risk, "FORM_AT_MOST", (0.2, 0.25, 0.35, 1.0)),
    ):
        for value in values:
            with patch.object(module, name, value):
                yield name, f"{getattr(module, name):g}", measured()


def main() -> int:
    """Print the sweep as a Markdown table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.risk", description="sweep of the weights"
    )
    parser.add_argument("folder", nargs="?", type=Path, default=REAL, help="where the real sets are")
    given = parser.parse_args()
    print(
        "| weight | changed | title alone | title and address | with publishers |\n|---|---|---:|---:|---:|"
    )
    for name, how, values in sweep(given.folder):
        print(f"| {name} | {how} | {' | '.join(f'{value:.3f}' for value in values)} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
