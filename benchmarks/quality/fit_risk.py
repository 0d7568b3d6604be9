"""``python -m benchmarks.quality.fit_risk``: the content of ``brandkit/defaults/risk_weights.toml``.

Needs the real sets; the same sets give the same bytes. What each line rests on is written beside it.

*Form*, on articles that PolitiFact checked (fake_news): in what share of false and of other ones a form
stands, each outlet counted once for each class, so that no outlet's habit is taken for evidence. The
log of the odds ratio (half an outlet added to every cell), less 1.645 standard errors, is what is
sure of it. From 0 on a form has .05; from 1 on .1, but only where at most one real headline in 50
has it (news_stories_uci): what careful desks do too must stay small.

*Addresses*, on two ratings lists (source_trust): an ending that is no country's and not one of the old
ones is listed where at least 3 domains under it are rated and two thirds of them are low or unreliable;
names under free hosts are added by hand. Domains of the articles above are left out.

*The rest is set by hand*, for no set has it: what the modifier's threshold (.6) is to need.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from benchmarks.quality.figures import REAL
from brandkit.normalise.urls import domains_of
from brandkit.signals._risk_form import forms, hosts
from brandkit.signals.risk import risk_words

MADE_ON = "2026-11-28"
FORM_AT_MOST = 0.3
FITTED = ("alarm_opening", "shouting", "capitalised_throughout", "long_title", "exclaiming")
BY_HAND: Mapping[str, tuple[float, str]] = {
    "no_ab_publisher": (0.25, "nobody trusted, and two thirds of the way to .6 is still missing"),
    "hedging": (0.2, "the text itself does not know"),
    "sensational_form": (
        0.2,
        "stock phrases, repeated marks, a title in capitals; with the two above: over .6",
    ),
    "disguised_publisher": (0.2, "a name that mixes scripts or shows another's; honest ones exist"),
    "disputed": (0.4, "with nobody trusted behind the claim: over .6"),
    "unreliable_publisher": (0.4, "the desk said so"),
    "risk_flag": (0.4, "the source said so"),
}
ORDER = (
    "no_ab_publisher", "hedging", "sensational_form", *FITTED, "cheap_address", "disguised_publisher",
    "disputed", "unreliable_publisher", "risk_flag",
)  # fmt: skip
# Where a name costs nothing and nobody asks who takes it.
FREE_HOSTS = ("blogspot.com", "wordpress.com", "weebly.com", "wixsite.com", "tumblr.com")
_OLD_ENDINGS = ("com", "net", "org", "edu", "gov", "mil", "int")
SURE, COMMON = 1.0, 0.02
_Z = 1.645
_SAID = (
    "{fake:.1%} of false, {real:.1%} of others; log odds {odds:.1f}, surely {sure:.1f}; "
    "{common:.1%} of real headlines"
)
_NEEDS = ("fake_news", "news_stories_uci", "source_trust")


def articles(folder: Path) -> pl.DataFrame:
    """The checked articles: title, url, domain (of the page itself where it was archived), is_fake."""
    rows = pl.read_parquet(folder / "fake_news" / "articles.parquet").sort("article_id")
    rows = rows.with_columns(url="news_url", host=hosts(pl.col("news_url"), pl.col("domain")))
    return rows.select(
        "title",
        "url",
        domain=domains_of(rows["host"]).fill_null(rows["host"]),
        is_fake=pl.col("label") == "fake",
    )


def headlines(folder: Path) -> pl.DataFrame:
    """A day of real news: title, url, domain."""
    rows = pl.read_parquet(folder / "news_stories_uci" / "items.parquet").sort("id")
    return rows.select("title", "url", domain=domains_of(rows["hostname"]))


def rated(folder: Path) -> pl.DataFrame:
    """Domains of two ratings lists: domain, is_low; each list's own halves, what lies between left out."""
    lists = folder / "source_trust"
    lin = pl.read_csv(lists / "domain_pc1.csv").filter((pl.col("pc1") < 0.4) | (pl.col("pc1") >= 0.6))
    idiap = pl.read_csv(lists / "reliability_idiap.csv").filter(pl.col("reliability_label").is_in([-1, 1]))
    return (
        pl.concat(
            [
                lin.select("domain", is_low=pl.col("pc1") < 0.4),
                idiap.select("domain", is_low=pl.col("reliability_label") == -1),
            ]
        )
        .group_by("domain")
        .agg(pl.col("is_low").any())
        .sort("domain")
    )


def holding(items: pl.DataFrame, addresses: Mapping[str, tuple[str, ...]] | None = None) -> pl.DataFrame:
    """Whether each form holds on items with title, url and domain; what is not known does not."""
    listed = addresses or {"endings": ("info",), "hosts": FREE_HOSTS}
    of = forms(risk_words(), listed)
    asked = items.with_columns(item_type=pl.lit("article"))
    return asked.select(held.fill_null(value=False).alias(name) for name, held in of.items())


def endings(domains: pl.DataFrame) -> dict[str, tuple[int, int]]:
    """Endings most of whose rated domains are low: how many are low, and how many there are."""
    counted = (
        domains.with_columns(ending=pl.col("domain").str.extract(r"\.([a-z]{3,})$"))
        .filter(pl.col("ending").is_not_null() & ~pl.col("ending").is_in(_OLD_ENDINGS))
        .group_by("ending")
        .agg(low=pl.col("is_low").sum(), n=pl.len())
        .filter((pl.col("n") >= 3) & (3 * pl.col("low") >= 2 * pl.col("n")))
        .sort("ending")
    )
    return {ending: (int(low), int(n)) for ending, low, n in counted.rows()}


def evidence(held: pl.DataFrame, is_fake: pl.Series, outlets: pl.Series) -> pl.DataFrame:
    """What stands for each form, one row each: name, fake, real (shares), odds, sure."""
    asked = held.select(pl.all().cast(pl.Float64)).with_columns(is_fake=is_fake, outlet=outlets)
    by = asked.group_by("is_fake", "outlet").agg(pl.all().mean())
    of = {bool(key[0]): frame for key, frame in by.group_by("is_fake")}
    rows = []
    for name in held.columns:
        (k1, n1), (k0, n0) = ((float(of[y][name].sum()), of[y].height) for y in (True, False))
        cells = (k1 + 0.5, n1 - k1 + 0.5, k0 + 0.5, n0 - k0 + 0.5)
        odds = math.log(cells[0] * cells[3] / (cells[1] * cells[2]))
        spread = math.sqrt(sum(1 / cell for cell in cells))
        rows.append((name, k1 / n1, k0 / n0, odds, odds - _Z * spread))
    return pl.DataFrame(rows, schema=["name", "fake", "real", "odds", "sure"], orient="row")


def points(sure: float, common: float) -> float:
    """What a form adds: the rule in this module's docstring."""
    if sure < 0:
        return 0.0
    return 0.1 if sure >= SURE and common <= COMMON else 0.05


def fitted(
    held: pl.DataFrame, is_fake: pl.Series, outlets: pl.Series, common: Mapping[str, float]
) -> pl.DataFrame:
    """``evidence`` with ``common`` and the ``points`` that follow, for the forms that are fitted."""
    found = evidence(held.select(FITTED), is_fake, outlets)
    shares = pl.Series("common", [common[name] for name in found["name"]], dtype=pl.Float64)
    made = found.with_columns(shares)
    return made.with_columns(points=pl.Series([points(*row) for row in made.select("sure", "common").rows()]))


def content(folder: Path) -> str:
    """The file, as it is written."""
    checked, real = articles(folder), headlines(folder)
    strangers = rated(folder).join(checked, on="domain", how="anti")
    found = endings(strangers)
    addresses = {"endings": tuple(found), "hosts": FREE_HOSTS}
    shares = holding(real, addresses).select(pl.all().mean()).row(0, named=True)
    form = fitted(holding(checked, addresses), checked["is_fake"], checked["domain"], shares)
    address = strangers.with_columns(title=pl.lit(None, dtype=pl.String), url=pl.lit(None, dtype=pl.String))
    (of_address,) = evidence(
        holding(address, addresses).select("cheap_address"), strangers["is_low"], strangers["domain"]
    ).rows(named=True)
    of_address |= {"common": shares["cheap_address"]}
    of_address |= {"points": points(of_address["sure"], of_address["common"])}
    rows = {row["name"]: row for row in [*form.rows(named=True), of_address]}
    counts = f"{checked['is_fake'].sum()} false and {(~checked['is_fake']).sum()} other articles"
    outlets = checked["domain"].n_unique()
    head = f"""\
# What each contribution adds to the risk of misinformation, in the order it is told. Made by
# `python -m benchmarks.quality.fit_risk` on {MADE_ON}; its docstring says how. Change weights there.
# Form: {counts} of {outlets} outlets checked by PolitiFact (FakeNewsNet), and
# {real.height:,} real headlines (UCI News Aggregator). Addresses: {strangers.height:,} domains rated by
# Lin et al. 2023 or idiap, without those {outlets} outlets. Each outlet counts once in each class.

# All of form together, title and address; it counts only where no A or B publisher carries the story.
# With no_ab_publisher it stays under .6, where the modifier begins.
form_at_most = {FORM_AT_MOST}
"""
    lines = [head, "[weights]"]
    for name in ORDER:
        if name in BY_HAND:
            weight, said = BY_HAND[name]
            lines.append(f"# by hand: {said}\n{name} = {weight:g}")
        else:
            row = rows[name]
            of = " (low domains and others)" if name == "cheap_address" else ""
            lines.append(f"# {_SAID.format(**row)}{of}\n{name} = {row['points']:g}")
    lines += ["\n[addresses]", "endings = ["]
    lines += [f'  "{ending}", # {low} of {n} rated domains are low' for ending, (low, n) in found.items()]
    lines += ["]", "# by hand: a name here costs nothing", "hosts = ["]
    lines += [*(f'  "{host}",' for host in FREE_HOSTS), "]"]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Print the file, or write it with ``--write PATH``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.fit_risk", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=REAL, help="where the real sets are")
    parser.add_argument("--write", type=Path, help="the file to write; else it is printed")
    given = parser.parse_args()
    missing = [name for name in _NEEDS if not (given.folder / name).is_dir()]
    if missing:
        print(f"{given.folder} has no {', '.join(missing)}: nothing can be fitted.", file=sys.stderr)
        return 1
    text = content(given.folder)
    if given.write:
        given.write.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
