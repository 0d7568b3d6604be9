"""Alerts as rows: raised once, tried until they arrive."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from brandkit import schemas
from brandkit.store.session import Session
from brandkit.store.tables import TABLES, Columns, conformed, listed

ALERTS = TABLES["alerts"]
_ID = {"alert_id": pl.String}
# One channel's attempt at one alert: without an error it arrived.
TRY: Columns = {"alert_id": pl.String, "channel": pl.String, "tried_at": schemas.INSTANT, "error": pl.String}


def add(session: Session, alerts: pl.DataFrame) -> int:
    """Keep the alerts that are not kept yet, by alert_id; gives how many they were."""
    rows = conformed(
        alerts.with_columns(delivered_to=pl.lit([], schemas.NAMES), n_tries=pl.lit(0, pl.Int64)), ALERTS
    )
    with session.given("raised", rows.select("alert_id")):
        kept = session.frame("SELECT alert_id FROM alerts SEMI JOIN raised USING (alert_id)", _ID)
    return session.insert("alerts", rows.join(kept, on="alert_id", how="anti").sort("alert_id"))


def kept(session: Session, profile_id: str, *, since: datetime | None) -> pl.DataFrame:
    """The alerts of a profile, or those raised after an instant, oldest first."""
    return session.frame(
        f"SELECT {listed(ALERTS)} FROM alerts WHERE profile_id = $profile_id "
        "AND ($since IS NULL OR raised_at > $since) ORDER BY raised_at, alert_id",
        ALERTS,
        {"profile_id": profile_id, "since": since},
    )


def note_tries(session: Session, tries: pl.DataFrame) -> None:
    """Keep what became of each attempt: where it arrived, or the error of the last that did not."""
    with session.given("tries", conformed(tries, TRY)):
        session.run(
            """
            UPDATE alerts SET
                n_tries = n_tries + t.n,
                error = t.error,
                delivered_to = list_sort(list_distinct(list_concat(delivered_to, t.arrived))),
                delivered_at = coalesce(t.arrived_at, delivered_at)
            FROM (
                SELECT alert_id, count(*) AS n, max(error) AS error,
                    coalesce(list(channel) FILTER (error IS NULL), []) AS arrived,
                    max(tried_at) FILTER (error IS NULL) AS arrived_at
                FROM tries GROUP BY alert_id
            ) t
            WHERE alerts.alert_id = t.alert_id
            """
        )
