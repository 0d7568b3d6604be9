"""Trust: disguised names, our tiers and imported ones against public ratings lists, look-alikes, coverage.

*Disguises.* The rules of ``trust_spoofs`` on every listed domain, through the very columns of
normalising and of the trust stage: the share that comes to exactly what it must.

*Our tiers* against Lin et al. 2023 (pc1, 0..1), idiap (-1, 0, 1) and cred1 (lists of unreliable
domains), on the domains in both; portals are left out, for their tier says who wrote, not how well.
AUC: how often a domain of ours that confirms (A or B) is rated above one that does not (C), ties
half; of idiap's reliable against its unreliable, by our tier. The list was made by the criteria in
its head. The lists were looked at once for outliers, and a row was changed only where the criteria
said so. Baseline: the audience in our own list, for larger is a fair guess at better known.

*The importer*: tiers by cut-offs from one list against the other list, on domains in both. The
cut-offs are the README's example; half the domains (by hash) show a sweep, the other half confirm.
Baseline: the length of the name. The ceiling is the list's own number without cut-offs.

*Look-alikes*: how many of the names on each list are told to look like a listed publisher.
*Coverage*: how much of a real day's mail (news_stories_uci) is from publishers on our list.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import polars as pl
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from benchmarks.quality.figures import Figure
from benchmarks.quality.trust_spoofs import FLAG, NONE, OWN, addresses, n_rules
from brandkit.normalise.urls import domains_of, url_columns
from brandkit.signals.lookalikes import lookalikes
from brandkit.signals.trust import load_publishers, rated_domains, tier_publishers, tiers_from_ratings

CUTOFFS = {"A": 0.8, "B": 0.6, "C": 0.4}
SWEEP = ({"A": 0.9, "B": 0.7, "C": 0.5}, CUTOFFS, {"A": 0.7, "B": 0.5, "C": 0.3}, {"A": 0.5})
# A real list rates these; the README of the data says -2 is unexplained.
_LABELS = (-1, 0, 1)


def figures(folder: Path) -> Iterator[Figure]:
    """Every figure of trust; what needs the real lists only where they are."""
    publishers = load_publishers()
    yield from _disguises(publishers)
    n_outlets = publishers.filter(pl.col("role") == "outlet").height
    yield Figure("publishers.csv", "real outlets listed", n_outlets, at_least=300)
    lists = folder / "source_trust"
    if lists.is_dir():
        lin, idiap, cred = _lin(lists), _idiap(lists), _cred(lists)
        yield from _ours(publishers, lin, idiap, cred)
        yield from _imported(lin, idiap, cred)
        yield from _looks(publishers, lin, idiap, cred)
    if (folder / "news_stories_uci").is_dir():
        yield _coverage(publishers, folder / "news_stories_uci" / "items.parquet")


def _disguises(publishers: pl.DataFrame) -> Iterator[Figure]:
    made = addresses(publishers["domain"].to_list())
    read = url_columns(made.lazy(), "url").collect()["_url_domain"]
    items = made.with_columns(of="domain", domain=read, publisher=read, item_type=pl.lit("article"))
    given = tier_publishers(items.lazy(), publishers).collect()
    own = publishers.select(of="domain", own="tier")
    is_none = pl.col("tier") == "unlisted"
    right = (
        pl.when(pl.col("must") == OWN)
        .then((pl.col("tier") == pl.col("own")) & ~pl.col("mixed_script"))
        .otherwise(is_none & (pl.col("mixed_script") | (pl.col("must") != FLAG)))
    )
    judged = given.join(own, on="of").with_columns(right=right)
    # What a naive reading gives: the name at the end of the host, or anywhere in it.
    host = pl.col("url").str.extract(r"//(?:.*@)?([^/?#]*)").str.to_lowercase()
    naive = made.select(
        "must", says_own=host.str.contains(pl.col("domain"), literal=True).fill_null(value=False)
    ).select(right=pl.col("says_own") == (pl.col("must") == OWN))
    what = {OWN: "the domain itself, spelt oddly", NONE: "another or no host", FLAG: "look-alike letters"}
    for must, said in what.items():
        rows = judged.filter(pl.col("must") == must)
        yield Figure(
            f"disguises: {said}",
            f"share right of {rows.height:,} addresses",
            _mean(rows["right"]),
            at_least=1,
            unit="%",
        )
    yield Figure(
        f"disguises: all, {n_rules()} rules on {publishers.height:,} domains",
        f"share right of {judged.height:,} addresses",
        _mean(judged["right"]),
        at_least=1,
        unit="%",
        baseline=f"{_mean(naive['right']):.0%}: the name stands in the host",
    )


def _ours(
    publishers: pl.DataFrame, lin: pl.DataFrame, idiap: pl.DataFrame, cred: pl.DataFrame
) -> Iterator[Figure]:
    ours = publishers.filter(pl.col("role") != "portal").select(
        "domain", "tier", "audience", grade=_grade(), confirms=pl.col("tier") != "C"
    )
    both = ours.join(lin, on="domain")
    about = f"our tiers and Lin's pc1, {both.height} domains"
    yield Figure(
        about,
        "AUC of A and B against C",
        _auc(both["confirms"], both["pc1"]),
        baseline=f"{_auc(both['confirms'], both['audience']):.3f}: by audience",
    )
    yield Figure(
        about,
        "Spearman",
        _rho(both["grade"], both["pc1"]),
        baseline=f"{_rho(both['audience'], both['pc1']):.3f}: audience",
    )
    both = ours.join(idiap, on="domain")
    about = f"our tiers and idiap, {both.height} domains"
    sure = both.filter(pl.col("label") != 0)
    yield Figure(
        about,
        f"AUC of reliable against unreliable ({sure.height})",
        _auc(sure["label"] == 1, sure["grade"]),
        baseline=f"{_auc(sure['label'] == 1, sure['audience']):.3f}: by audience",
    )
    yield Figure(
        about,
        "Spearman",
        _rho(both["grade"], both["label"]),
        baseline=f"{_rho(both['audience'], both['label']):.3f}: audience",
    )
    yield Figure(
        "our A on a list of unreliable domains",
        "idiap unreliable, or cred1",
        ours.filter(pl.col("tier") == "A").join(_bad(idiap, cred), on="domain", how="semi").height,
    )
    for tier in "BC":
        rows = ours.filter(pl.col("tier") == tier)
        n_bad = rows.join(cred, on="domain", how="semi").height
        yield Figure(f"our {tier} on cred1's lists", f"share of {rows.height}", n_bad / rows.height, unit="%")


def _imported(lin: pl.DataFrame, idiap: pl.DataFrame, cred: pl.DataFrame) -> Iterator[Figure]:
    both = lin.join(idiap, on="domain")
    # Of the name alone: the halves stay what they are whatever the lists' order and Polars' version.
    both = both.with_columns(is_half=pl.Series([crc32(name.encode()) % 2 == 0 for name in both["domain"]]))
    for cutoffs in SWEEP:
        yield from _by(both.filter("is_half"), cutoffs, "half to look at", confirm=False)
    yield from _by(both.filter(~pl.col("is_half")), CUTOFFS, "half to confirm", confirm=True)
    found = tiers_from_ratings(idiap, cutoffs={"A": 1, "B": 0, "C": -1}, domain="domain", rating="label")
    back = found.join(lin, on="domain").with_columns(grade=_grade())
    yield Figure(
        f"tiers from idiap (1, 0, -1) against Lin's pc1, {back.height:,} domains",
        "Spearman",
        _rho(back["grade"], back["pc1"]),
        baseline=f"{_rho(_length(back['domain']), back['pc1']):.3f}: length of the name",
    )
    found = tiers_from_ratings(lin, cutoffs=CUTOFFS, domain="domain", rating="pc1")
    told = found.with_columns(grade=_grade()).join(
        cred.with_columns(is_bad=pl.lit(value=True)), on="domain", how="left"
    )
    fine = told["is_bad"].is_null()
    yield Figure(
        f"tiers from Lin against cred1's lists, {told.height:,} domains",
        "AUC of not listed against listed",
        _auc(fine, told["grade"]),
        baseline=f"{_auc(fine, _length(told['domain'])):.3f}: length of the name",
    )


def _by(both: pl.DataFrame, cutoffs: dict[str, float], which: str, *, confirm: bool) -> Iterator[Figure]:
    found = tiers_from_ratings(both, cutoffs=cutoffs, domain="domain", rating="pc1").join(both, on="domain")
    graded = found.with_columns(grade=_grade())
    sure = graded.filter(pl.col("label") != 0)
    cut = ", ".join(f"{tier} {least:g}" for tier, least in cutoffs.items())
    about = f"tiers from Lin ({cut}) against idiap, {which}, {graded.height} domains"
    is_good = sure["label"] == 1
    itself, length = _auc(is_good, sure["pc1"]), _auc(is_good, _length(sure["domain"]))
    yield Figure(
        about,
        f"AUC of reliable against unreliable ({sure.height})",
        _auc(is_good, sure["grade"]),
        baseline=f"{itself:.3f}: pc1 itself; {length:.3f}: length of the name",
        published=".966: Lin against idiap, all domains" if confirm else "",
    )
    if confirm:
        yield Figure(
            about,
            "Spearman",
            _rho(graded["grade"], graded["label"]),
            baseline=f"{_rho(graded['pc1'], graded['label']):.3f}: pc1 itself",
        )


def _looks(
    publishers: pl.DataFrame, lin: pl.DataFrame, idiap: pl.DataFrame, cred: pl.DataFrame
) -> Iterator[Figure]:
    good = idiap.filter(pl.col("label") == 1)
    for name, rows in {"unreliable by idiap or cred1": _bad(idiap, cred), "reliable by idiap": good}.items():
        strangers = rows.join(publishers, on="domain", how="anti")
        found = lookalikes(strangers["domain"], publishers)
        near = found.filter(pl.col("how") != "ending").height
        yield Figure(
            f"look-alikes among {strangers.height:,} unlisted domains {name}",
            "per 1,000: letters, inside, script",
            near * 1000 / strangers.height,
            baseline=f"{found.height - near} more by their ending alone",
        )


def _coverage(publishers: pl.DataFrame, path: Path) -> Figure:
    hosts = pl.read_parquet(path, columns=["hostname"])["hostname"]
    domains = domains_of(hosts)
    rows = pl.LazyFrame({"domain": domains, "publisher": domains, "item_type": ["article"] * len(hosts)})
    found = tier_publishers(rows, publishers).collect()
    return Figure(
        f"news_stories_uci (2014), {domains.n_unique():,} domains",
        f"share of {found.height:,} items from a listed publisher",
        _mean(found["tier"] != "unlisted"),
        unit="%",
        baseline=f"{found['publisher'].n_unique():,} publishers once families are folded",
    )


def _lin(lists: Path) -> pl.DataFrame:
    return _reduced(pl.read_csv(lists / "domain_pc1.csv"), "pc1")


def _idiap(lists: Path) -> pl.DataFrame:
    rows = pl.read_csv(lists / "reliability_idiap.csv").rename({"reliability_label": "label"})
    return _reduced(rows.filter(pl.col("label").is_in(_LABELS)), "label")


def _cred(lists: Path) -> pl.DataFrame:
    return _reduced(pl.read_csv(lists / "cred1.csv"), "credibility_score").select("domain")


def _bad(idiap: pl.DataFrame, cred: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([idiap.filter(pl.col("label") == -1).select("domain"), cred]).unique().sort("domain")


def _reduced(rows: pl.DataFrame, number: str) -> pl.DataFrame:
    """The list by registrable domain, as the importer reduces it: the lower of two ratings."""
    named = rows.with_columns(domain=rated_domains(rows["domain"])).drop_nulls("domain")
    return named.group_by("domain").agg(pl.col(number).min()).sort("domain")


def _grade() -> pl.Expr:
    """A tier as a number, the better the higher."""
    return -pl.col("tier").to_physical().cast(pl.Int64)


def _length(domains: pl.Series) -> pl.Series:
    return -domains.str.len_chars().cast(pl.Int64)


def _mean(values: pl.Series) -> float:
    return float(values.mean())  # type: ignore[arg-type]


def _auc(is_good: pl.Series, score: pl.Series) -> float:
    return float(roc_auc_score(is_good.to_numpy(), score.to_numpy()))


def _rho(a: pl.Series, b: pl.Series) -> float:
    return float(spearmanr(a.to_numpy(), b.to_numpy()).statistic)
