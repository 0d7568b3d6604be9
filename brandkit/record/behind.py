"""What stands behind a signal: items of the story, terms of the profile, a line of a publisher list.

Which they are is asked of the very code that measures, a row at a time, and not worked out again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile, Term
from brandkit.schemas import INSTANT, ITEM
from brandkit.signals.copies import find_copies
from brandkit.signals.mentions import find_mentions, mentions
from brandkit.signals.spread import measure_spread
from brandkit.signals.trust import publishers_for, trust

# Counts of publishers over a whole story, and the facts that one or several of its items decide.
COUNTS = ("n_outlets", "n_publishers", "n_publishers_ab", "n_unlisted", "n_adopters_ab")
STORY_FACTS = (*COUNTS, "n_other_publishers_ab", "best_tier", "last_new_publisher_at", "velocity_h")
_BESIDE = "~"


@dataclass(frozen=True, slots=True)
class Match:
    """A term of the profile that an item says: in which table, for which name, and where it stands."""

    table: str
    name: str
    term: Term
    in_title: bool


def as_seen(items: pl.DataFrame, profile: BrandProfile, *, as_of: datetime) -> pl.DataFrame:
    """The items of a story, with what the run measured of those that no run recorded measured again.

    Their copies are looked for within the story, and the accounts that act together are those of its
    evidence; of a recorded item nothing is changed.
    """
    is_new = pl.col("run_id").is_null()
    new = items.filter(is_new).select(*ITEM)
    if new.is_empty():
        return items
    context = RunContext(profile=profile, as_of=as_of, window_start=as_of)
    measured = mentions(trust(new.lazy(), context), context).collect()
    texts = ("item_id", "title", "summary", "published_at", "collected_at")
    copied = find_copies(items.select(texts)).select("item_id", "copy_of")
    pairs = items["coordination"].explode(empty_as_null=False, keep_nulls=False).struct
    together = pl.concat([pairs.field("account_a"), pairs.field("account_b")]).unique()
    seen = measured.join(copied, on="item_id", how="left").with_columns(
        is_coordinated=pl.col("account").is_in(together.implode()).fill_null(value=False)
    )
    known = items.filter(~is_new)
    return pl.concat([known, seen], how="diagonal").select(items.columns).sort("collected_at", "item_id")


def carriers(items: pl.DataFrame, item_id: str, *, as_of: datetime) -> Mapping[str, pl.DataFrame]:
    """The items of a story that count for each of ``STORY_FACTS``, as seen from one of them.

    Each item is measured as a story of its own, so that what counts is said by the measure itself.
    """
    record = items.row(by_predicate=pl.col("item_id") == item_id, named=True)
    beside, alone = _measured(items, as_of=as_of)
    found = {name: _where(items, beside, pl.col(name) > 0) for name in (*COUNTS, "velocity_h")}
    # What says the same, or denies the same, where there is a claim to deny.
    is_denial = pl.col("is_denial").fill_null(value=False)
    has_claim = items.select((~is_denial).any()).item()
    same_side = items.filter(is_denial == bool(record["is_denial"])) if has_claim else items
    others = same_side.filter(pl.col("publisher").ne_missing(record["publisher"]))
    found["n_other_publishers_ab"] = _where(others, alone, pl.col("n_publishers_ab") > 0)
    at_best = (pl.col("best_tier") == record["best_tier"]) & (pl.col("best_tier") != "unlisted")
    found["best_tier"] = _where(items, beside, at_best)
    joined = pl.col("published_at") == pl.lit(record["last_new_publisher_at"], INSTANT)
    voices = found["n_publishers"]["publisher"].implode()
    found["last_new_publisher_at"] = items.filter(
        joined.fill_null(value=False) & pl.col("publisher").is_in(voices)
    )
    return found


def _measured(items: pl.DataFrame, *, as_of: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Each item measured beside a claim where its story has one, and each with nothing beside it."""
    claims = items.filter(~pl.col("is_denial").fill_null(value=False)).height
    beside = items.with_columns(story_id=pl.col("item_id") + _BESIDE)
    # A denial confirms nothing where there is a claim to deny; alone, it would look like a claim.
    claim = beside.head(beside.height if claims else 0).select(
        pl.lit(_BESIDE).alias("item_id"), "story_id", is_denial=pl.lit(value=False)
    )
    alone = items.with_columns(story_id=pl.col("item_id"))
    stories = pl.concat([beside, claim, alone], how="diagonal").lazy()
    measured = measure_spread(stories, as_of=as_of).filter(pl.col("item_id") != _BESIDE).collect()
    is_beside = pl.col("story_id").str.ends_with(_BESIDE)
    return measured.filter(is_beside), measured.filter(~is_beside)


def _where(items: pl.DataFrame, measured: pl.DataFrame, counts: pl.Expr) -> pl.DataFrame:
    return items.join(measured.filter(counts).select("item_id"), on="item_id", how="semi")


def matches(record: pl.DataFrame, profile: BrandProfile) -> list[Match]:
    """The terms of the profile that a record's title or summary says, in the profile's order."""
    tables = {name: getattr(profile, name) for name in ("own", "rivals", "watched", "pillars", "triggers")}
    terms = {table: [(topic.name, term) for topic in topics for term in topic.terms]
             for table, topics in tables.items()}  # fmt: skip
    terms["forbidden"] = [(phrase, Term(phrase=phrase)) for phrase in profile.forbidden.phrases]
    terms["exclusions"] = [("an exclusion", term) for term in profile.exclusions.terms]
    return [match for table, listed in terms.items() for match in _matched(record, table, listed)]


def _matched(record: pl.DataFrame, table: str, terms: list[tuple[str, Term]]) -> Iterator[Match]:
    # Together, as the signal has them: a longer phrase hides what lies inside it.
    names = {str(place): [term] for place, (_, term) in enumerate(terms)}
    found = find_mentions(record.select("title", "summary"), names, into="hit")
    title = set(found["hit_in_title"][0])
    for place in sorted(map(int, found["hit"][0])):
        name, term = terms[place]
        yield Match(table, name, term, str(place) in title)


def listing(record: Mapping[str, object], profile: BrandProfile) -> str:
    """The line of a list that tiers a record's publisher, or that there is none."""
    policy = profile.sources
    keys = [str(record[name]).lower() for name in ("domain", "publisher") if record[name] is not None]
    known = publishers_for(policy)
    is_suffix = pl.col("domain").str.starts_with(".")
    ends = pl.any_horizontal(pl.lit(f".{key}").str.ends_with(pl.col("domain")) for key in keys or [""])
    lines = known.filter(pl.when(is_suffix).then(ends).otherwise(pl.col("domain").is_in(keys)))
    if lines.is_empty():
        if record["tier"] in (None, "unlisted"):
            return "on no list"
        return "a name that only public bodies are given"
    # A whole domain is nearer than a suffix, a long suffix nearer than a short one.
    line = lines.sort(is_suffix, pl.col("domain").str.len_chars(), descending=[False, True]).row(
        0, named=True
    )
    said = {*policy.tiers, *policy.families, *policy.roles, *policy.audiences, *policy.own_domains}
    whose = "the profile's sources" if line["domain"] in said else "the packaged list"
    facts = [
        f"{name} {line[name]:,}" if name == "audience" else f"{name} {line[name]}"
        for name in ("family", "tier", "role", "audience")
        if line[name] is not None
    ]
    return f"{line['domain']} in {whose} ({', '.join(facts)})"
