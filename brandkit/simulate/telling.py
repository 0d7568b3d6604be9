"""Words for the reports: titles, summaries, and what posters put around them."""

from __future__ import annotations

import numpy as np
import polars as pl

from brandkit.simulate.grammar import Grammar, Ints, pick
from brandkit.simulate.reports import POST, Reports


def tell(grammar: Grammar, reports: Reports, facts: Ints, rng: np.random.Generator) -> pl.DataFrame:
    """Title, another title for an edited headline, and summary of every item.

    A copy has the text of its original; about one in eight is trimmed or labelled on the way.
    """
    head = grammar.render(_template(grammar, reports, "leads", "rumours", "denials", rng), facts, rng)
    tails = ("tails", "rumour_tails", None)
    tail, other_tail = (
        grammar.render(_template(grammar, reports, *tails, rng), facts, rng) for _ in range(2)
    )
    summary = grammar.render(
        _template(grammar, reports, "summaries", "rumour_summaries", "denial_summaries", rng), facts, rng
    )
    frame = pl.DataFrame({"head": head, "tail": tail, "other": other_tail, "summary": summary}).with_columns(
        _around(grammar, reports, rng)
    )
    frame = frame.select(
        title=_headline(pl.concat_str("before", "head", "tail", "after")),
        edited=_headline(pl.concat_str(pl.lit("Updated: "), "head", "other")),
        summary=_headline(pl.col("summary")),
    )
    return _copied(frame, reports, rng).with_columns(
        # Feeds often give no summary; posts never do.
        summary=pl.when(pl.Series(reports.kind != POST) & pl.Series(rng.random(len(reports)) < 0.62)).then(
            pl.col("summary").replace("", None)
        )
    )


def _template(
    grammar: Grammar, reports: Reports, plain: str, rumour: str, denial: str | None, rng: np.random.Generator
) -> Ints:
    nothing = np.zeros((len(grammar.events), 2), dtype=np.int64)
    told, doubted, denied = (
        np.array([getattr(event, name) for event in grammar.events]) if name else nothing
        for name in (plain, rumour, denial)
    )
    if denial is None:
        denied[:] = grammar.asides["post_openers"][0], 1
    span = told[reports.event]
    span = np.where(reports.is_rumour[:, None], doubted[reports.event], span)
    return pick(np.where(reports.is_denial[:, None], denied[reports.event], span), rng)


def _around(grammar: Grammar, reports: Reports, rng: np.random.Generator) -> list[pl.Series]:
    n = len(reports)
    empty = grammar.asides["post_openers"][0]
    chatty = (reports.kind == POST) & ~reports.is_single
    facts = np.zeros((n, grammar.n_facts), dtype=np.int64)
    around = []
    for name, aside, opener in (("before", "before", "post_openers"), ("after", "after", "post_closers")):
        plain = np.where(rng.random(n) < 0.035, pick(np.tile(grammar.asides[aside], (n, 1)), rng), empty)
        posted = pick(np.tile(grammar.asides[opener], (n, 1)), rng)
        around.append(grammar.render(np.where(chatty, posted, plain), facts, rng).alias(name))
    return around


def _headline(text: pl.Expr) -> pl.Expr:
    tidy = text.str.replace_all("  ", " ", literal=True).str.strip_chars()
    # The grammar joins words that do not know each other: a earring, two boxs.
    tidy = tidy.str.replace_all(r"\b([Aa]) ([aeio]|u[mpr])", "${1}n ${2}")
    tidy = tidy.str.replace_all(r"(bus|ss|ch|sh|x)s\b", "${1}es")
    return pl.concat_str(tidy.str.slice(0, 1).str.to_uppercase(), tidy.str.slice(1))


def _copied(frame: pl.DataFrame, reports: Reports, rng: np.random.Generator) -> pl.DataFrame:
    origin = np.where(reports.copy_of >= 0, reports.copy_of, np.arange(len(reports)))
    copies = frame[origin.astype(np.uint32)]
    touched = pl.Series((reports.copy_of >= 0) & (rng.random(len(reports)) < 0.12))
    return copies.with_columns(
        title=pl.when(touched).then(pl.concat_str(pl.lit("UPDATE 1: "), "title")).otherwise("title")
    )
