"""What a run may know of the past, read as of one instant: items, sightings, baselines, decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from brandkit import schemas
from brandkit.pipeline import History
from brandkit.store import runs
from brandkit.store.erase import erased
from brandkit.store.session import Session
from brandkit.store.tables import listed

CONTEXT = timedelta(hours=72)
BASELINE = timedelta(days=28)

# What one desk's inputs brought in is none of another's; a shadow knows what the desk knows, and its own.
_SIGHTED = "observed_at < $as_of AND (seen_by IS NULL OR seen_by IN ($desk, $own)) AND written <= $through"
_PLACED = {"item_id": pl.String, "story_id": pl.String, "run_id": pl.String}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose past: sightings end before ``as_of``, stories are of runs dated before ``before``.

    Of all this, what the store knew after its write of that number; later ones are not seen.
    """

    profile_id: str
    kind: str
    window_start: datetime
    as_of: datetime
    before: date
    known_through: int
    shadow: bool = False

    @property
    def sightings(self) -> dict[str, object]:
        """What ``_SIGHTED`` is asked with."""
        desk = runs.desk(self.profile_id, self.kind)
        own = runs.desk(self.profile_id, self.kind, shadow=self.shadow)
        return {"as_of": self.as_of, "desk": desk, "own": own, "through": self.known_through}

    @property
    def said(self) -> dict[str, object]:
        """What is asked for of what people said."""
        return {"profile_id": self.profile_id, "as_of": self.as_of, "through": self.known_through}


def read(session: Session, asked: Asked) -> History:
    """The frames, each sorted by its key."""
    past = runs.past(
        session,
        profile_id=asked.profile_id,
        kind=asked.kind,
        before=asked.before,
        known_through=asked.known_through,
    )
    placed = _items_in_scope(session, past, asked)
    return History(
        items=_items(session, placed, asked),
        observations=_observations(session, placed, asked),
        shares=schemas.empty(schemas.SHARE),
        baselines=_baselines(session, past, asked),
        story_rules=_story_rules(session, asked),
        verdicts=_verdicts(session, asked),
        story_states=_story_states(session, asked),
        erased=erased(session),
    )


def _items_in_scope(session: Session, past: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The items seen of late and all others of their stories: item_id, story_id."""
    seen = session.frame(
        f"SELECT DISTINCT item_id FROM observations WHERE observed_at >= $first AND {_SIGHTED}",
        {"item_id": pl.String},
        {"first": asked.window_start - CONTEXT, **asked.sightings},
    )
    placed = _placed(session, seen, past)
    alive = placed.select("story_id").unique()
    with session.given("past", past), session.given("alive", alive):
        members = session.frame(
            "SELECT DISTINCT item_id FROM records "
            "SEMI JOIN past USING (run_id) SEMI JOIN alive USING (story_id)",
            {"item_id": pl.String},
        )
    # An item that a later run put elsewhere has left the story.
    older = _placed(session, members.join(seen, on="item_id", how="anti"), past)
    return pl.concat(
        [
            seen.join(placed, on="item_id", how="left"),
            older.join(alive, on="story_id", how="semi"),
        ]
    ).sort("item_id")


def _placed(session: Session, items: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    """The story that the latest of the past runs put each item into."""
    with session.given("past", past), session.given("wanted", items.select("item_id")):
        found = session.frame(
            "SELECT item_id, story_id, run_id FROM records SEMI JOIN wanted USING (item_id) "
            "SEMI JOIN past USING (run_id)",
            _PLACED,
        )
    latest = found.join(past, on="run_id").sort("item_id", "run_on").unique("item_id", keep="last")
    return latest.select("item_id", "story_id")


def _items(session: Session, placed: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """Each item as its last sighting had it; one stored without sightings, as its newest revision."""
    kept = [name for name in schemas.ITEM if name not in ("collected_at", "seen_at")]
    with session.given("wanted", placed.select("item_id")):
        current = session.frame(
            f"""
            WITH sighted AS (
                SELECT item_id, content_hash, max(observed_at) AS last_at
                FROM observations SEMI JOIN wanted USING (item_id)
                WHERE {_SIGHTED} AND content_hash IS NOT NULL GROUP BY ALL
            )
            SELECT {listed(kept)}, first_at AS collected_at, last_at AS seen_at
            FROM (
                SELECT i.*, coalesce(s.last_at, i.collected_at) AS last_at,
                    min(i.collected_at) OVER (PARTITION BY i.item_id) AS first_at
                FROM items i SEMI JOIN wanted USING (item_id)
                LEFT JOIN sighted s ON s.item_id = i.item_id AND s.content_hash = i.content_hash
                WHERE coalesce(s.last_at, i.collected_at) < $as_of AND i.written <= $through
                QUALIFY row_number() OVER (PARTITION BY i.item_id
                    ORDER BY s.last_at DESC NULLS LAST, i.collected_at DESC, i.content_hash DESC) = 1
            )
            """,
            schemas.ITEM,
            asked.sightings,
        )
        last = session.frame(
            "SELECT item_id, min(observed_at) AS first_at, max(observed_at) AS last_at FROM observations "
            f"SEMI JOIN wanted USING (item_id) WHERE {_SIGHTED} GROUP BY item_id",
            {"item_id": pl.String, "first_at": schemas.INSTANT, "last_at": schemas.INSTANT},
            asked.sightings,
        )
    return (
        current.join(last, on="item_id", how="left")
        # Content is stored once, sightings all: they alone say when this desk saw it first and last.
        .with_columns(
            collected_at=pl.coalesce("first_at", "collected_at"),
            seen_at=pl.coalesce("last_at", "seen_at"),
        )
        .join(placed, on="item_id", how="left")
        .select(*schemas.HISTORY_ITEM)
        .sort("item_id")
    )


def _observations(session: Session, placed: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    most = ", ".join(f"max({name}) AS {name}" for name in schemas.METRICS)
    with session.given("wanted", placed.select("item_id")):
        found = session.frame(
            f"SELECT item_id, observed_at, {most}, max(content_hash) AS content_hash "
            "FROM observations SEMI JOIN wanted USING (item_id) "
            f"WHERE {_SIGHTED} GROUP BY item_id, observed_at",
            schemas.OBSERVATION,
            asked.sightings,
        )
    return found.sort("item_id", "observed_at")


def _baselines(session: Session, past: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """Each source's median engagement over what the profile's runs of four weeks recorded.

    Of runs, not of all that is stored: what a run itself brings in must not change its own past.
    """
    with session.given("past", past):
        found = session.frame(
            """
            WITH latest AS (
                SELECT r.source, r.engagement, r.seen_at FROM records r JOIN past p USING (run_id)
                WHERE r.engagement IS NOT NULL AND r.seen_at >= $first AND r.seen_at < $start
                QUALIFY row_number() OVER (PARTITION BY r.item_id ORDER BY p.run_on DESC) = 1
            )
            SELECT source, median(engagement)::DOUBLE AS median_engagement, count(*) AS n_items,
                date_diff('second', min(seen_at), max(seen_at)) / 3600.0 AS span_h
            FROM latest GROUP BY source
            """,
            schemas.BASELINE,
            {"first": asked.window_start - BASELINE, "start": asked.window_start},
        )
    return found.sort("source")


def _story_rules(session: Session, asked: Asked) -> pl.DataFrame:
    """The newest rule about each two items, unless it undoes the one before."""
    found = session.frame(
        """
        SELECT rule, item_a, item_b FROM story_rules
        WHERE profile_id = $profile_id AND made_at <= $as_of AND written <= $through
        QUALIFY row_number() OVER (PARTITION BY item_a, item_b ORDER BY made_at DESC, rule_id DESC) = 1
        """,
        schemas.STORY_RULE,
        asked.said,
    )
    return found.filter(pl.col("rule") != "undo").sort("item_a", "item_b")


def _verdicts(session: Session, asked: Asked) -> pl.DataFrame:
    """The newest verdict in force on each story; when it lapses or is withdrawn, the one before holds."""
    found = session.frame(
        f"""
        WITH said AS (
            SELECT * FROM verdicts
            WHERE profile_id = $profile_id AND given_at <= $as_of AND written <= $through
        ), withdrawn AS (SELECT withdraws AS verdict_id FROM said WHERE withdraws IS NOT NULL)
        SELECT {listed(schemas.VERDICT)} FROM said ANTI JOIN withdrawn USING (verdict_id)
        WHERE withdraws IS NULL AND (expires_at IS NULL OR expires_at > $as_of)
        QUALIFY row_number() OVER (PARTITION BY story_id ORDER BY given_at DESC, verdict_id DESC) = 1
        """,
        schemas.VERDICT,
        asked.said,
    )
    return found.sort("story_id")


def _story_states(session: Session, asked: Asked) -> pl.DataFrame:
    """The newest state of each story, a lapsed snooze too: that it is over is for the run to see."""
    found = session.frame(
        f"""
        SELECT {listed(schemas.STORY_STATE)} FROM story_states
        WHERE profile_id = $profile_id AND changed_at <= $as_of AND written <= $through
        QUALIFY row_number() OVER (PARTITION BY story_id ORDER BY changed_at DESC, state_id DESC) = 1
        """,
        schemas.STORY_STATE,
        asked.said,
    )
    return found.sort("story_id")
