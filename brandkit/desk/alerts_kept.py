"""The alerts of a profile's runs: raised once, kept in the store, sent until they arrive.

A run that nobody sent alerts for is made up for at the next sending, within ``PATIENCE`` of the
latest run's clock; what waited longer, or is not so any more, is listed and not sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import polars as pl

from brandkit import schemas
from brandkit.desk.alerts import HELD, PROMOTED, TAKES, due_alerts, last_known, sentence, standing
from brandkit.desk.delivery import Channel, deliver
from brandkit.errors import UnknownError
from brandkit.profile import BrandProfile
from brandkit.store.alerts import TRY
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore
from brandkit.store.tables import TABLES

PATIENCE = timedelta(hours=36)
# How far back a story's last standing, and what was told of it, are looked for.
_LIFE = timedelta(days=7)
_LONGEST_COOL_DOWN = timedelta(days=30)
STATES = ("due", "failed", "held", "muted", "overtaken", "stale", "delivered")
LISTED: Mapping[str, Any] = {
    **TABLES["alerts"],
    "state": pl.Enum(list(STATES)),
    "held_until": schemas.INSTANT,
    "may_send": pl.Boolean(),
}
_IN_DOCUMENT = (
    "alert_id", "profile_id", "run_id", "story_id", "kind", "rule", "decision", "previous_decision",
    "title", "previous_title", "url", "lead_item_id", "total", "why", "is_escalation",
)  # fmt: skip


def list_alerts(store: StateStore, profile_id: str, *, now: datetime, kind: str = "daily") -> pl.DataFrame:
    """The alerts of the latest run, and those of earlier ones that may still be sent or were held back.

    ``state`` says what is the matter: ``due`` and ``failed`` (tried in vain) would be sent now,
    ``held`` until ``held_until``; ``muted`` says by what in ``muted_by``; ``overtaken`` is not so any
    more; ``stale`` waited too long. Nothing is written.

    Shape:  the columns of the store's alerts, plus state, held_until, may_send; the latest run's first,
            the gravest of each run first.
    Raises: UnknownError where the profile has no complete run.
    """
    with store.reading():
        runs = _series(store, profile_id, kind)
        latest = store.run(runs["run_id"][-1])
        kept = store.alerts(profile_id, since=latest.as_of - 2 * PATIENCE)
        alerts = pl.concat([kept, _raised(store, runs, now=now)])
        put_aside = _put_aside(store.story_states(profile_id), now=now)
        now_so = _standing(store, latest)
    known = alerts.join(runs.select("run_id", "started_at"), on="run_id")
    return _with_state(_spared(known, put_aside), latest, now_so, now=now)


def send_alerts(
    store: StateStore,
    profile_id: str,
    channels: Sequence[Channel],
    *,
    now: datetime,
    kind: str = "daily",
) -> pl.DataFrame:
    """Send what is due to every channel that has not had it; what fails is tried again next time.

    Each alert arrives at each channel once, unless the process dies between sending and noting.

    Shape:  one row per attempt: alert_id, channel, tried_at, error (null: it arrived).
    Raises: UnknownError where the profile has no complete run; RunBusyError while another process
            sends this profile's alerts.
    """
    # Asked for before anything is written: an address that is refused has no name.
    by_name = {channel.name: channel for channel in channels}
    with store.reading():
        runs = _series(store, profile_id, kind)
    tries = [schemas.empty(TRY)]
    with store.run_lock(profile_id, "alerts", runs["run_on"][-1]):
        with store.reading():
            raised = _raised(store, runs, now=now)
        store.add_alerts(raised)
        told = list_alerts(store, profile_id, now=now, kind=kind).filter("may_send")
        for name, channel in by_name.items():
            wanted = told.filter(~pl.col("delivered_to").list.contains(name))
            errors = deliver([document(row) for row in wanted.to_dicts()], channel)
            made = wanted.head(len(errors)).select(
                "alert_id",
                channel=pl.lit(name),
                tried_at=pl.lit(now),
                error=pl.Series(errors, dtype=pl.String),
            )
            if made.height:
                store.note_tries(made)
                tries.append(schemas.conform(made.lazy(), TRY).collect())
    return pl.concat(tries)


def document(alert: Mapping[str, Any]) -> dict[str, Any]:
    """An alert as every channel gets it: codes for a machine, and ``text`` for a person."""
    told = {name: alert[name] for name in _IN_DOCUMENT}
    return {**told, "raised_at": alert["raised_at"].isoformat(), "text": sentence(alert)}


def _series(store: StateStore, profile_id: str, kind: str) -> pl.DataFrame:
    """The complete runs of a profile, oldest first; shadows are nobody's news."""
    runs = store.runs(profile_id).filter(
        (pl.col("status") == "complete") & ~pl.col("shadow") & (pl.col("kind") == kind)
    )
    if runs.is_empty():
        raise UnknownError(
            f"no complete {kind} run of profile '{profile_id}'",
            where=f"in {store.path}",
            hint=f"brandkit run {kind} makes one",
        )
    return runs.sort("run_on", "attempt")


def _raised(store: StateStore, runs: pl.DataFrame, *, now: datetime) -> pl.DataFrame:
    """What the runs since the last one with alerts have to tell, as rows of the store's table."""

    @cache
    def stood(run_id: str) -> pl.DataFrame:
        return _standing(store, store.run(run_id))

    latest, profile_id = runs["as_of"][-1], runs["profile_id"][0]
    earlier = store.alerts(profile_id, since=latest - PATIENCE - _LONGEST_COOL_DOWN)
    is_done = runs["run_id"].is_in(earlier["run_id"].implode())
    first = runs.height - int(is_done.reverse().arg_max() or 0) if is_done.any() else 0
    found = [earlier.clear()]
    for place in range(first, runs.height):
        run = store.run(runs["run_id"][place])
        if run.as_of <= latest - PATIENCE:
            continue
        profile = BrandProfile.from_snapshot(run.profile_json)
        past = runs.head(place).filter(pl.col("run_on") > run.run_on - _LIFE)
        past = past.unique("run_on", keep="last", maintain_order=True)
        due = due_alerts(
            store.stories(run),
            store.records(run, columns=["item_id", *TAKES]),
            previous=last_known([stood(run_id) for run_id in past["run_id"]]),
            earlier=pl.concat([earlier, *found]),
            profile=profile,
            as_of=run.as_of,
            now=now,
        )
        found.append(_as_rows(due, run))
    return pl.concat(found)


def _standing(store: StateStore, run: RunRow) -> pl.DataFrame:
    profile = BrandProfile.from_snapshot(run.profile_json)
    return standing(store.stories(run), store.records(run, columns=["item_id", *TAKES]), profile)


def _as_rows(due: pl.DataFrame, run: RunRow) -> pl.DataFrame:
    rows = due.lazy().with_columns(
        # The same run has the same alerts, however often they are raised.
        alert_id=pl.format("{}/{}/{}", pl.lit(run.run_id), "story_id", pl.col("kind").cast(pl.String)),
        profile_id=pl.lit(run.profile_id),
        run_id=pl.lit(run.run_id),
        delivered_to=pl.lit([], schemas.NAMES),
        n_tries=pl.lit(0, pl.Int64),
    )
    return schemas.conform(rows, TABLES["alerts"]).collect()


def _put_aside(changes: pl.DataFrame, *, now: datetime) -> pl.DataFrame:
    """The stories that are handled, or snoozed for longer: since when, and until when."""
    is_aside = (pl.col("desk_state") == "handled") | (pl.col("snoozed_until") > now)
    return (
        changes.filter(pl.col("changed_at") <= now)
        .unique("story_id", keep="last", maintain_order=True)
        .filter(is_aside.fill_null(value=False))
        .select("story_id", aside="desk_state", aside_at="changed_at", aside_until="snoozed_until")
    )


def _spared(alerts: pl.DataFrame, put_aside: pl.DataFrame) -> pl.DataFrame:
    """The alerts, those of stories muted that the desk put aside after the run: it knows of them."""
    knows = (pl.col("aside_at") > pl.col("started_at")).fill_null(value=False)
    return (
        alerts.join(put_aside, on="story_id", how="left")
        .with_columns(
            muted_by=pl.when(knows).then(pl.col("aside").cast(schemas.MUTED_BY)).otherwise("muted_by"),
            muted_until=pl.when(knows).then("aside_until").otherwise("muted_until"),
        )
        .drop("started_at", "aside", "aside_at", "aside_until")
    )


def _with_state(alerts: pl.DataFrame, latest: RunRow, now_so: pl.DataFrame, *, now: datetime) -> pl.DataFrame:
    profile = BrandProfile.from_snapshot(latest.profile_json)
    so = now_so.select(
        "story_id", "is_rumour", "is_brigade", "disputed", is_so=pl.lit(value=True), so_decision="decision"
    )
    quiet = profile.alerts.quiet_until(now, profile.timezone)
    disturbs = pl.col("is_escalation") & pl.lit(value=profile.alerts.bypass)
    held_until = pl.max_horizontal(
        pl.when(pl.col("muted_by").is_in(HELD)).then("muted_until"),
        pl.when(~disturbs).then(pl.lit(quiet, schemas.INSTANT)),
    )
    is_muted = pl.col("muted_by").is_not_null() & ~pl.col("muted_by").is_in(HELD)
    is_stale = pl.col("raised_at") <= latest.as_of - PATIENCE
    arrived = pl.col("delivered_to").list.len() > 0
    listed = (
        alerts.join(so, on="story_id", how="left")
        .with_columns(held_until=pl.when(held_until > now).then(held_until), is_newest=_is_newest())
        .with_columns(
            state=pl.when(is_muted)
            .then(pl.lit("muted"))
            .when(~pl.col("is_newest") | _is_overtaken(latest))
            .then(pl.lit("overtaken"))
            .when(is_stale)
            .then(pl.lit("stale"))
            .when(pl.col("held_until").is_not_null())
            .then(pl.lit("held"))
            .when(pl.col("error").is_not_null())
            .then(pl.lit("failed"))
            .otherwise(pl.lit("due"))
        )
        .with_columns(
            may_send=pl.col("state").is_in(["due", "failed"]),
            held_until=pl.when(pl.col("state") == "held").then("held_until"),
            state=pl.when(arrived & pl.col("error").is_null()).then(pl.lit("delivered")).otherwise("state"),
        )
        .sort(
            ["raised_at", "run_id", "is_escalation", "kind", "rule", "total", "story_id"],
            descending=[True, True, True, True, True, True, False],
        )
    )
    return schemas.conform(listed.lazy(), LISTED).collect()


def _is_newest() -> pl.Expr:
    """Whether no later alert that the desk may hear says more of the same story."""
    heard = pl.col("muted_by").is_null() | pl.col("muted_by").is_in(HELD)
    newest = pl.col("raised_at").filter(heard).max().over("story_id", "kind")
    return (pl.col("raised_at") >= newest).fill_null(value=True)


def _is_overtaken(latest: RunRow) -> pl.Expr:
    """Whether the latest run says otherwise, or looked at the same day and found no such story."""
    rule, decision = pl.col("rule"), pl.col("so_decision")
    holds = (
        pl.when(rule.is_in(PROMOTED))
        .then(decision.is_in(PROMOTED))
        .when(rule == "block")
        .then(decision == "block")
        .when(rule == "disputed")
        .then("disputed")
        .when(rule == "rumour")
        .then("is_rumour")
        .when(rule == "brigade")
        .then("is_brigade")
        .otherwise(pl.lit(value=True))
    )
    same_day = pl.col("run_id").str.starts_with(f"{latest.run_id.rpartition('.')[0]}.")
    is_older = pl.col("run_id") != latest.run_id
    return is_older & pl.when(pl.col("is_so").is_null()).then(same_day).otherwise(~holds)
