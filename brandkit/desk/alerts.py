"""What a desk should be told of a run between two briefs, and what it is spared: pure, on frames.

An alert speaks of a change: of a story newly promoted (``news``), or of bad news: a brigade, a rumour
or a block with an own name, a correction of what was promoted. One alert per story and kind; its
rule is the gravest that fired, the others stand in ``why``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.profile_alerts import RULES_BY_KIND
from brandkit.scoring.modifiers import BRIGADING, MISINFO_RISK

PROMOTED = ("optional", "must_cover")
# What is muted for these reasons is sent when their time is over; the rest is only listed.
HELD = ("snoozed", "quiet_hours")
# The columns of a run's records that alerts are made from.
TAKES = (
    "story_id", "is_lead", "title", "entities", "modifiers", "misinfo_risk", "misinfo_evidence",
    "coordinated_share", "n_coordinated",
)  # fmt: skip
_BEFORE: Mapping[str, Any] = {
    "story_id": pl.String,
    "decision": schemas.DECISION,
    "title": pl.String,
    "lead_item_id": pl.String,
    "disputed": pl.Boolean,
    "is_rumour": pl.Boolean,
    "is_brigade": pl.Boolean,
    "was_promoted": pl.Boolean,
}
_SAID: Mapping[str, str] = {
    "optional": "Optional now",
    "must_cover": "To be covered now",
    "headline": "A promoted story has a new headline",
    "brigade": "Accounts acting together push a story with our name",
    "rumour": "A rumour with our name",
    "block": "Do not amplify, but act",
    "disputed": "A promoted story is disputed",
}


def standing(stories: pl.DataFrame, records: pl.DataFrame, profile: BrandProfile) -> pl.DataFrame:
    """How each story of a run stands, as far as an alert may speak of it.

    A rumour or a brigade counts where one of our names stands in the very item; a desk without own
    names has those it watches. ``decision`` is the effective one.

    Shape:  one row per story: the columns of ``stories``, ``is_rumour``, ``is_brigade``, ``is_ours``
            (an own name in its lead), ``names``, ``evidence`` (of its riskiest item), ``share``,
            ``accounts``.
    """
    ours = [topic.name for topic in profile.own or profile.watched]
    adverse = pl.col("modifiers").list.eval(pl.element().struct.field("name").cast(pl.String))
    facts = (
        records.lazy()
        .with_columns(names=pl.col("entities").list.eval(pl.element().filter(pl.element().is_in(ours))))
        .filter(pl.col("names").list.len() > 0)
        .with_columns(
            is_rumour=adverse.list.contains(MISINFO_RISK.name),
            is_brigade=adverse.list.contains(BRIGADING.name),
        )
        .filter(pl.any_horizontal("is_lead", "is_rumour", "is_brigade"))
        .sort(["misinfo_risk", "item_id"], descending=[True, False], nulls_last=True, maintain_order=True)
        .group_by("story_id", maintain_order=True)
        .agg(
            pl.any("is_rumour", "is_brigade"),
            is_ours=pl.col("is_lead").any(),
            names=pl.col("names").explode().unique().sort(),
            evidence=pl.col("misinfo_evidence").filter(pl.col("is_rumour")).first(),
            share=pl.col("coordinated_share").filter(pl.col("is_brigade")).max(),
            accounts=pl.col("n_coordinated").filter(pl.col("is_brigade")).max(),
        )
    )
    flags = ("is_rumour", "is_brigade", "is_ours")
    return (
        stories.lazy()
        .with_columns(decision=pl.col("effective_decision"))
        .join(facts, on="story_id", how="left")
        .with_columns(pl.col(flags).fill_null(value=False))
        .sort("story_id")
        .collect()
    )


def last_known(standings: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """How each story stood when it was last seen, of standings given oldest first.

    Shape:  one row per story, with ``was_promoted``: it was so in any of them.
    """
    told = [frame.with_columns(was_promoted=pl.col("decision").is_in(PROMOTED)) for frame in standings]
    return (
        pl.concat([schemas.empty(_BEFORE), *(frame.select(*_BEFORE) for frame in told)])
        .with_columns(pl.col("was_promoted").any().over("story_id"))
        .unique("story_id", keep="last", maintain_order=True)
        .sort("story_id")
    )


def due_alerts(
    stories: pl.DataFrame,
    records: pl.DataFrame,
    *,
    previous: pl.DataFrame,
    earlier: pl.DataFrame,
    profile: BrandProfile,
    as_of: datetime,
    now: datetime | None = None,
) -> pl.DataFrame:
    """What a run changed that the desk should hear of, and what of it stays muted, by whom and until when.

    Args:
        stories: the run's stories.
        records: its records, at least ``item_id`` and the columns of ``TAKES``.
        previous: how stories stood before (``last_known``).
        earlier: the alerts raised before: story_id, kind, rule, raised_at, muted_by.
        profile: whose names, time zone and ``[alerts]`` hold.
        as_of: the run's clock, from which the cool-down is counted.
        now: the clock on the wall, for quiet hours and snoozes; the run's without it.

    Shape:  the columns of ``schemas.ALERT``, the gravest first; one row per story and kind.
    Nulls:  ``muted_by`` is null for what may be sent; ``muted_until`` where nothing ends by itself.
    """
    told = earlier.filter(
        (pl.col("muted_by").is_null() | pl.col("muted_by").is_in(HELD)) & (pl.col("raised_at") <= as_of)
    )
    before = told.filter(pl.col("raised_at") < as_of)
    changed = _changes(standing(stories, records, profile), previous, before, records)
    fired = pl.concat([_fired(changed, kind, profile.alerts.rules) for kind in RULES_BY_KIND])
    return _muted(fired, told, profile, as_of=as_of, now=now or as_of).select(*schemas.ALERT)


def _changes(
    now: pl.DataFrame, previous: pl.DataFrame, told: pl.DataFrame, records: pl.DataFrame
) -> pl.DataFrame:
    """The stories as they stand, each beside what it was: before (null for a new one) and as told."""
    as_was = pl.exclude("story_id", "was_promoted").name.prefix("was_")
    was = previous.select("story_id", "was_promoted", as_was)
    promoted = told.filter(pl.col("kind") == "news").select("story_id").unique()
    titles = records.select(was_lead_item_id="item_id", title_now="title")
    return (
        now.join(was, on="story_id", how="left")
        .join(promoted.with_columns(was_told=pl.lit(value=True)), on="story_id", how="left")
        .join(titles, on="was_lead_item_id", how="left")
        .with_columns(
            pl.col("was_is_rumour", "was_is_brigade").fill_null(value=False),
            was_promoted=pl.any_horizontal("was_promoted", "was_told").fill_null(value=False),
        )
        .sort("story_id")
    )


def _is(rule: str) -> pl.Expr:
    """Whether a rule's case has come up since the story was last seen."""
    decision, was = pl.col("decision"), pl.col("was_decision")
    corrected = pl.col("was_promoted")
    if rule == "optional":
        return (decision == rule) & ~was.is_in(PROMOTED).fill_null(value=False)
    if rule == "must_cover":
        return (decision == rule) & was.ne_missing(rule)
    if rule == "headline":
        return corrected & (_folded("title_now") != _folded("was_title")).fill_null(value=False)
    if rule == "block":
        return (decision == rule) & was.ne_missing(rule) & (pl.col("is_ours") | corrected)
    if rule == "disputed":
        # Told of a story that no run is left of: nobody knows whether the dispute is new.
        return corrected & pl.col("disputed") & ~pl.col("was_disputed").fill_null(value=True)
    return pl.col(f"is_{rule}") & ~pl.col(f"was_is_{rule}")


def _folded(title: str) -> pl.Expr:
    # A comma or a capital is an edit, and no correction.
    return pl.col(title).str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", "")


def _fired(changed: pl.DataFrame, kind: str, rules: Sequence[str]) -> pl.DataFrame:
    """The stories for which a rule of this kind fired, with the gravest as ``rule``."""
    mine = [rule for rule in RULES_BY_KIND[kind] if rule in rules]
    fired = pl.concat_list(
        [pl.lit(None, pl.String), *(pl.when(_is(rule)).then(pl.lit(rule)) for rule in mine)]
    )
    is_headline = pl.col("rule") == "headline"
    return (
        changed.with_columns(fired=fired.list.drop_nulls(), kind=pl.lit(kind, schemas.ALERT_KIND))
        .filter(pl.col("fired").list.len() > 0)
        .with_columns(rule=pl.col("fired").list.last().cast(schemas.ALERT_RULE))
        .with_columns(
            previous_decision=pl.col("was_decision"),
            previous_title=pl.when(pl.col("fired").list.contains("headline")).then("was_title"),
            title=pl.when(is_headline).then("title_now").otherwise("title"),
            lead_item_id=pl.when(is_headline).then("was_lead_item_id").otherwise("lead_item_id"),
            why=_why(kind),
        )
    )


def _why(kind: str) -> pl.Expr:
    """The codes: what fired, what the story was, what speaks."""
    was = pl.format("was:{}", pl.col("was_decision").cast(pl.String).fill_null("unseen"))
    if kind == "news":
        said = [was, pl.format("reason:{}", pl.col("reason").cast(pl.String)), pl.format("total:{}", "total")]
        return pl.concat_list(said)
    fired = pl.col("fired").list.reverse()
    has = fired.list.contains
    names = pl.col("names").list.eval(pl.format("name:{}", pl.element())).fill_null([])
    risk = pl.when(has("rumour")).then("evidence").otherwise([]).fill_null([])
    push = [pl.format("accounts:{}", "accounts"), pl.format("share:{}", pl.col("share").round(2))]
    brigade = pl.when(has("brigade")).then(pl.concat_list(push)).otherwise([])
    return pl.concat_list(fired, was, names, brigade, risk)


def _muted(
    fired: pl.DataFrame, told: pl.DataFrame, profile: BrandProfile, *, as_of: datetime, now: datetime
) -> pl.DataFrame:
    """The alerts with what mutes each, the gravest first."""
    policy = profile.alerts
    cool_down = timedelta(hours=policy.cool_down_h)
    recent = (
        told.filter(pl.col("raised_at") > as_of - cool_down)
        .group_by("story_id", "kind")
        .agg(told_rule=pl.col("rule").max(), told_at=pl.col("raised_at").max())
    )
    was_told = pl.col("told_at").is_not_null()
    # Worse than what the desk last heard, or than what it was when promoted.
    is_worse = (
        was_told
        | ((pl.col("rule") == "must_cover") & (pl.col("was_decision") == "optional").fill_null(value=False))
        | (pl.col("rule").is_in(["block", "disputed"]) & pl.col("was_promoted"))
    )
    graver = pl.col("rule").to_physical() > pl.col("told_rule").to_physical()
    ordered = (
        fired.join(recent, on=["story_id", "kind"], how="left")
        .with_columns(is_escalation=is_worse & graver.fill_null(value=True), raised_at=pl.lit(as_of))
        .sort(
            ["is_escalation", "kind", "rule", "total", "story_id"],
            descending=[True, True, True, True, False],
            nulls_last=True,
        )
    )
    spared = ~pl.col("is_escalation") | pl.lit(value=not policy.bypass)
    snoozed = (pl.col("desk_state") == "snoozed") & (pl.col("snoozed_until") > now)
    quiet = policy.quiet_until(now, profile.timezone)
    muted_by = pl.col("muted_by")
    return (
        ordered.with_columns(
            muted_by=pl.when(spared & (pl.col("desk_state") == "handled"))
            .then(pl.lit("handled"))
            .when(spared & snoozed)
            .then(pl.lit("snoozed"))
            .when(spared & was_told)
            .then(pl.lit("cool_down"))
        )
        .with_columns(
            muted_by=pl.when(muted_by.is_not_null())
            .then(muted_by)
            .when(muted_by.is_null().cum_sum() > policy.most)
            .then(pl.lit("limit"))
            .when(spared & pl.lit(value=quiet is not None))
            .then(pl.lit("quiet_hours"))
            .cast(schemas.MUTED_BY)
        )
        .with_columns(
            muted_until=pl.when(muted_by == "snoozed")
            .then("snoozed_until")
            .when(muted_by == "cool_down")
            .then(pl.col("told_at") + cool_down)
            .when(muted_by == "quiet_hours")
            .then(pl.lit(quiet, schemas.INSTANT))
        )
    )


def sentence(alert: Mapping[str, Any]) -> str:
    """An alert in words: what happened, with which of our names, and to which story.

    >>> sentence({"rule": "rumour", "title": "Is it true?", "why": ["rumour", "name:Nordlys"]})
    'A rumour with our name (Nordlys): Is it true?'
    """
    names = [code.removeprefix("name:") for code in alert["why"] if code.startswith("name:")]
    named = f" ({', '.join(names)})" if names else ""
    was = f" (it was: {alert['previous_title']})" if alert.get("previous_title") else ""
    return f"{_SAID[alert['rule']]}{named}: {alert['title'] or alert.get('url') or alert['story_id']}{was}"
