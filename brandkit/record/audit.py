"""Whom a desk hears from: the publishers behind its runs, how well it knows them, whom to tier first.

Each item counts once, as the newest of the runs saw it. A story *matters* where it was promoted, or
would have been watched or promoted but for want of trust (``held_by_confidence``, ``unverified``):
there a tier can change what the desk reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from brandkit import schemas
from brandkit.errors import UnknownError, UsageError
from brandkit.normalise import domains_of
from brandkit.normalise.identity import ON_PLATFORM
from brandkit.profile import BrandProfile, SourcePolicy
from brandkit.record.audit_pairs import twins
from brandkit.record.series import runs_between
from brandkit.signals.lookalikes import lookalikes
from brandkit.signals.trust import item_key, publishers_for, tier_publishers
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore

FIRST_TO_TIER = 30
_WANTED = (
    "item_id", "item_type", "source", "account", "url", "domain", "publisher", "tier", "role",
    "mixed_script", "copy_of", "story_id", "decision", "reason", "is_lead",
)  # fmt: skip
_PROMOTED = ("must_cover", "optional")
_FOR_WANT_OF_TRUST = ("held_by_confidence", "unverified")
PUBLISHER: schemas.Columns = {
    "publisher": pl.String, "tier": schemas.TIER, "role": pl.String, "is_account": pl.Boolean,
    "domains": schemas.NAMES, "n_items": pl.Int64, "share": pl.Float64, "n_originals": pl.Int64,
    "n_stories": pl.Int64, "n_mattered": pl.Int64, "weight": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SourceAudit:
    """How well a profile, or all profiles of a store, know the publishers of what they read.

    Shape: ``publishers`` has the columns of ``PUBLISHER``, the busiest first; ``tier_first`` the same of
           unlisted domains, by weight; ``twins`` publisher_a, publisher_b, how, n_shared, share_a,
           share_b; ``lookalikes`` those of ``lookalikes`` with n_items; ``never_match`` profile_id,
           key, instead: keys of a profile that no item can ever have.
    Units: ``weight`` is items times the share of the publisher's stories that matter.
    Nulls: an item without a publisher is counted in ``n_items`` and ``n_nameless``, and in no row.
    """

    profile_ids: tuple[str, ...]
    runs: tuple[str, ...]
    first: date
    last: date
    n_items: int
    n_nameless: int
    n_by_account: int
    n_unlisted: int
    n_portal: int
    publishers: pl.DataFrame
    tier_first: pl.DataFrame
    twins: pl.DataFrame
    lookalikes: pl.DataFrame
    never_match: pl.DataFrame

    @property
    def n_by_domain(self) -> int:
        """The items with a domain behind them: all but nameless ones and posts of an account."""
        return self.n_items - self.n_nameless - self.n_by_account

    @property
    def share_unlisted(self) -> float:
        """The share of the items by domains that is from domains on no list; 0 where there are none."""
        return self.n_unlisted / self.n_by_domain if self.n_by_domain else 0.0


def audit_sources(
    store: StateStore,
    *,
    profile_id: str | None = None,
    profile: BrandProfile | None = None,
    first: date | None = None,
    last: date | None = None,
    most: int = FIRST_TO_TIER,
) -> SourceAudit:
    """The publishers of the items of a range of daily runs, how well they are known, and whom to tier first.

    Args:
        store: where the runs are; the latest complete attempt of each day counts, without shadows.
        profile_id: one profile's runs alone; else those of every profile.
        profile: judge by its sources as they are now, not as the runs froze them. Its runs alone count.
        first: the first desk day.
        last: the last desk day.
        most: how many to tier first are named.

    Raises: UnknownError where there is no such run; UsageError for a limit under 1, or two profiles.
    """
    if most < 1:
        raise UsageError(f"a limit of {most} publishers", allowed="1 or more")
    if profile is not None and profile_id not in (None, profile.id):
        raise UsageError(f"runs of '{profile_id}' by the sources of '{profile.id}'", hint="name one of them")
    whose = profile.id if profile is not None else profile_id
    with store.reading():
        runs = _runs(store, whose, first, last)
        seen = pl.concat(_read(store, run, place) for place, run in enumerate(runs))
    policies = {run.profile_id: BrandProfile.from_snapshot(run.profile_json).sources for run in runs}
    if profile is not None:
        policies = {profile.id: profile.sources}
        seen = _retiered(seen, profile)
    return _audited(seen, policies, runs, most=most)


def _audited(
    seen: pl.DataFrame, policies: dict[str, SourcePolicy], runs: list[RunRow], *, most: int
) -> SourceAudit:
    items = seen.sort("place", "item_id").unique("item_id", keep="last").sort("item_id")
    publishers = _publishers(seen, items)
    known = pl.concat([publishers_for(policy) for policy in policies.values()])
    known = known.unique("domain", keep="first", maintain_order=True)
    is_named, is_account = pl.col("publisher").is_not_null(), pl.col("is_account")
    of_domains = items.filter(is_named & ~is_account)
    is_unlisted = pl.col("tier") == "unlisted"
    looks = _lookalikes(of_domains.filter(is_unlisted), known)
    speaks = ~pl.col("role").is_in(["own", "portal"]).fill_null(value=False)
    disguised = of_domains.filter("mixed_script")["publisher"].unique().implode()
    candidate = is_unlisted & ~is_account & speaks & ~pl.col("publisher").is_in(disguised)
    return SourceAudit(
        profile_ids=tuple(sorted(policies)),
        runs=tuple(run.run_id for run in runs),
        first=min(run.run_on for run in runs),
        last=max(run.run_on for run in runs),
        n_items=items.height,
        n_nameless=items.filter(~is_named).height,
        n_by_account=items.filter(is_named & is_account).height,
        n_unlisted=of_domains.filter(is_unlisted).height,
        n_portal=of_domains.filter(pl.col("role") == "portal").height,
        publishers=publishers,
        tier_first=publishers.filter(candidate)
        .sort("weight", "n_mattered", "n_items", "publisher", descending=[True, True, True, False])
        .head(most),
        twins=twins(of_domains, looks),
        lookalikes=looks.filter(pl.col("how") != "ending"),
        never_match=_never_match(policies),
    )


def _runs(store: StateStore, profile_id: str | None, first: date | None, last: date | None) -> list[RunRow]:
    """The runs meant, oldest first."""
    if first and last and first > last:
        raise UsageError(f"the first day {first} is after the last {last}")
    owners = [profile_id] if profile_id else sorted(store.runs()["profile_id"].unique())
    ids: list[str] = []
    failed: UnknownError | None = None
    for owner in owners:
        try:
            ids += runs_between(store, owner, first=first, last=last)["run_id"].to_list()
        except UnknownError as error:
            # Of several profiles some may have nothing in the range.
            failed = error
    if not ids:
        raise failed or UnknownError(
            "there are no runs", where=f"in {store.path}", hint="brandkit run daily makes one"
        )
    return sorted((store.run(run_id) for run_id in ids), key=lambda run: (run.run_on, run.run_id))


def _read(store: StateStore, run: RunRow, place: int) -> pl.DataFrame:
    """The records of one run, with whether the story of each matters there."""
    records = store.records(run.run_id, columns=_WANTED)
    matters = pl.col("decision").cast(pl.String).is_in(_PROMOTED) | pl.col("reason").cast(pl.String).is_in(
        _FOR_WANT_OF_TRUST
    )
    mattered = (pl.col("is_lead") & matters).any().over("story_id")
    return records.with_columns(
        place=pl.lit(place, dtype=pl.Int64),
        mattered=mattered,
        is_account=pl.col("item_type").cast(pl.String).is_in(ON_PLATFORM),
    ).drop("decision", "reason", "is_lead")


def _retiered(seen: pl.DataFrame, profile: BrandProfile) -> pl.DataFrame:
    """The items as the profile's sources would tier them now."""
    by_account = (pl.col("source") + ":" + pl.col("account")).str.to_lowercase()
    # What a run stores has been folded by its own families; this is what it was folded from.
    raw = seen.with_columns(publisher=pl.when("is_account").then(by_account).otherwise("domain"))
    found = tier_publishers(raw.lazy(), publishers_for(profile.sources)).select(seen.columns)
    return found.collect(engine="in-memory")


def _publishers(seen: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Volume and reach of each publisher, as the newest run knew it."""
    named = items.drop_nulls("publisher")
    volume = named.group_by("publisher").agg(
        pl.col("tier").min(),
        pl.col("role").sort().first(),
        pl.col("is_account").all(),
        domains=pl.col("domain").drop_nulls().unique().sort(),
        n_items=pl.len(),
        n_originals=pl.col("copy_of").is_null().sum(),
    )
    now = items.select("item_id", "publisher")
    stories = (
        seen.select("item_id", "story_id", "mattered")
        .join(now, on="item_id")
        .drop_nulls("publisher")
        .group_by("publisher", "story_id")
        .agg(pl.col("mattered").any())
        .group_by("publisher")
        .agg(n_stories=pl.len(), n_mattered=pl.col("mattered").sum())
    )
    weight = pl.col("n_items") * pl.col("n_mattered") / pl.col("n_stories")
    return (
        volume.join(stories, on="publisher")
        .with_columns(share=(pl.col("n_items") / max(items.height, 1)).round(4), weight=weight.round(4))
        .select(pl.col(name).cast(dtype) for name, dtype in PUBLISHER.items())
        .sort("n_items", "publisher", descending=[True, False])
    )


def _lookalikes(unlisted: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The unlisted hosts that look like a listed publisher, with the items of each."""
    hosts = unlisted.select(
        host=pl.coalesce(pl.col("url").str.extract(r"^https?://([^/:?#]+)"), "domain")
    ).drop_nulls()
    n_items = hosts.group_by("host").agg(n_items=pl.len().cast(pl.Int64))
    return lookalikes(hosts["host"], known).join(n_items, on="host", how="left", maintain_order="left")


def _never_match(policies: dict[str, SourcePolicy]) -> pl.DataFrame:
    """The keys of profiles that are no registrable domain, suffix or account, with what they stand for."""
    # A name in another script is looked up by its A-labels, which is what an item has.
    rows = [
        (owner, key, item_key(key)) for owner, policy in sorted(policies.items()) for key in _keys(policy)
    ]
    names = ("profile_id", "key", "asked")
    keys = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    is_lost = pl.col("instead").is_null() | (pl.col("instead") != pl.col("asked"))
    return keys.with_columns(instead=domains_of(keys["asked"])).filter(is_lost).drop("asked")


def _keys(policy: SourcePolicy) -> Iterable[str]:
    tables = (policy.tiers, policy.families, policy.roles, policy.audiences)
    named = {key.lower() for table in (*tables, policy.own_domains, policy.unreliable) for key in table}
    return sorted(key for key in named if ":" not in key and not key.startswith("."))
