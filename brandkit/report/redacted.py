"""A brief for people outside: the decisions and their reasons, without whom the desk looks at and who spoke.

Rivals, what editors said and who they are, accounts and bylines are left out; titles, publishers and
sources stay, but for the name of a rival in them.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from brandkit.record.pairing import Decided
from brandkit.report.brief import Brief
from brandkit.report.redaction import SOMEBODY, Redaction

NOTE = "Redacted edition: rivals, reasons of verdicts, people and accounts are left out."


def redacted(brief: Brief) -> Brief:
    """The brief without rivals, reasons of verdicts, people and accounts; redacting it again changes nothing.

    Shape:  the frames of the brief, with the same rows. A rival's name is a number wherever it stood,
            and an account too; a link in which either stands is null.
    """
    if brief.redaction is not None:
        return brief
    redaction = Redaction.of(brief.profile)
    run = replace(
        brief.run,
        profile_json=redaction.profile(brief.profile).snapshot,
        warnings=tuple(map(redaction.text, brief.run.warnings)),
        owner_host="",
    )
    numbers = _numbers(brief.records)
    return replace(
        brief,
        run=run,
        records=_records(brief.records, redaction, numbers),
        stories=_stories(brief.stories, redaction, numbers, records=brief.records),
        rejects=_rejects(brief.rejects, redaction),
        stages=redaction.frame(brief.stages),
        notes=(NOTE, *map(redaction.text, brief.notes)),
        verdicts=_unsaid(brief.verdicts),
        states=_unsaid(brief.states),
        earlier=None if brief.earlier is None else redacted_side(brief.earlier, redaction),
        redaction=redaction,
    )


def redacted_side(side: Decided, redaction: Redaction) -> Decided:
    """An earlier run, to be compared with a redacted brief."""
    whole = redaction.with_rivals(side.profile)
    numbers = _numbers(side.records)
    return replace(
        side,
        records=_records(side.records, whole, numbers),
        stories=_stories(side.stories, whole, numbers, records=side.records),
        profile=whole.profile(side.profile),
    )


def _numbers(records: pl.DataFrame) -> dict[str, str]:
    """Every account of a run, and every publisher that is one, with the number it goes by."""
    pairs = records.select(pl.col("coordination").explode(empty_as_null=False, keep_nulls=False))
    met = [pairs["coordination"].struct.field(end) for end in ("account_a", "account_b")]
    accounts = pl.concat([records["account"], *met]).drop_nulls().unique().sort()
    numbered = {account: f"account {n}" for n, account in enumerate(accounts, start=1)}
    posted = records.select("publisher", "account").drop_nulls().unique().sort("publisher", "account").rows()
    return numbered | {
        publisher: f"{publisher.partition(':')[0]} {numbered[account]}" for publisher, account in posted
    }


def _records(records: pl.DataFrame, redaction: Redaction, numbers: dict[str, str]) -> pl.DataFrame:
    is_post = pl.col("account").is_not_null()
    known = pl.element().struct
    pair = pl.struct(
        _renamed(known.field("account_a"), numbers).alias("account_a"),
        _renamed(known.field("account_b"), numbers).alias("account_b"),
        known.field("n_objects"), known.field("median_gap_s"),
    )  # fmt: skip
    told = records.with_columns(
        # The address of a post names its account.
        *(_link(records[name], redaction, is_post=is_post) for name in ("url", "target_url")),
        _links(records["evidence"], redaction),
        coordination=pl.col("coordination").list.eval(pair),
        author=pl.lit(None, pl.String),
        account=_renamed(pl.col("account"), numbers),
        publisher=_renamed(pl.col("publisher"), numbers),
        title=_handles(pl.col("title")),
        summary=_handles(pl.col("summary")),
    )
    return redaction.frame(told)


def _stories(
    stories: pl.DataFrame, redaction: Redaction, numbers: dict[str, str], *, records: pl.DataFrame
) -> pl.DataFrame:
    posts = records.filter(pl.col("account").is_not_null())["item_id"]
    # A post of an earlier day is no record of this run: of its account only the platform is left.
    account = _renamed(pl.element(), numbers).str.replace("^([^:]+):.*$", "${1} account")
    told = stories.with_columns(
        _link(stories["url"], redaction, is_post=pl.col("lead_item_id").is_in(posts.implode())),
        pl.col("publishers").list.eval(account),
        title=_handles(pl.col("title")),
        assignee=pl.when(pl.col("assignee").is_not_null()).then(pl.lit(SOMEBODY)),
    )
    return redaction.frame(told)


def _rejects(rejects: pl.DataFrame, redaction: Redaction) -> pl.DataFrame:
    # The folder is ours, and a row that was refused may hold anything.
    named = pl.col("raw_file").str.split("/").list.last()
    return redaction.frame(rejects.with_columns(raw_file=named, raw=pl.lit("")))


def _unsaid(said: pl.DataFrame) -> pl.DataFrame:
    """What was said without who said it and why."""
    unsaid = {
        name: pl.lit(None, pl.String)
        for name in ("reason", "note", "given_by", "withdrawn_by", "withdrawn_for", "changed_by")
        if name in said.columns
    }
    who = {"assignee": pl.when(pl.col("assignee").is_not_null()).then(pl.lit(SOMEBODY))}
    return said.with_columns(**unsaid, **(who if "assignee" in said.columns else {}))


def _renamed(column: pl.Expr, numbers: dict[str, str]) -> pl.Expr:
    return column.replace(numbers) if numbers else column


def _handles(column: pl.Expr) -> pl.Expr:
    """A text without the accounts that it speaks to."""
    return column.str.replace_all(r"(^|[^\w/@])@\w[\w.\-]*(?:@[\w.\-]+)?", "${1}@…")


def _link(column: pl.Series, redaction: Redaction, *, is_post: pl.Expr) -> pl.Expr:
    of, named = pl.col(column.name), pl.Series(list(redaction.changed(column)), dtype=pl.String)
    return pl.when(~of.is_in(named.implode()) & ~is_post & ~_names_an_account(of)).then(of)


def _links(column: pl.Series, redaction: Redaction) -> pl.Expr:
    urls = column.explode(empty_as_null=False, keep_nulls=False)
    named = pl.Series(list(redaction.changed(urls)), dtype=pl.String)
    kept = ~pl.element().is_in(named.implode()) & ~_names_an_account(pl.element())
    return pl.col(column.name).list.eval(pl.element().filter(kept))


def _names_an_account(column: pl.Expr) -> pl.Expr:
    return column.str.contains(
        r"/@|%40|(?i)^https?://(?:[\w-]+\.)*(?:x|twitter|facebook|instagram|tiktok)\.com/"
    )
