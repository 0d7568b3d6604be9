"""What people said, as rows that are never changed: verdicts on stories, rules for what is one story."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

import polars as pl

from brandkit import schemas
from brandkit.errors import UsageError, unknown
from brandkit.schemas import Decision
from brandkit.store.session import Session
from brandkit.store.tables import TABLES, Columns, listed

RULES = ("must_link", "cannot_link", "undo")
VERDICTS: Columns = {
    **schemas.VERDICT,
    "given_by": pl.String,
    "withdrawn_at": schemas.INSTANT,
    "withdrawn_by": pl.String,
    "withdrawn_for": pl.String,
}
STORY_RULES: Columns = {
    "rule_id": pl.String,
    **schemas.STORY_RULE,
    "reason": pl.String,
    "made_at": schemas.INSTANT,
    "made_by": pl.String,
    "stands": pl.Boolean(),
}
Said = Literal["verdict", "rule", "state"]
_TABLE: Mapping[Said, tuple[str, str]] = {
    "verdict": ("verdicts", "verdict_id"),
    "rule": ("story_rules", "rule_id"),
    "state": ("story_states", "state_id"),
}


def add(session: Session, kind: Said, row: Mapping[str, object]) -> str:
    """Keep one thing said; gives its id, which grows with each."""
    table, name = _TABLE[kind]
    ((last,),) = session.rows(f"SELECT max({name}) FROM {table}")
    said_id = f"{kind}-{1 if last is None else int(last.rpartition('-')[2]) + 1:07d}"
    session.insert(table, pl.DataFrame([{name: said_id, **row}], schema=dict(TABLES[table])))
    return said_id


def add_verdict(session: Session, row: Mapping[str, object]) -> str:
    """Keep a verdict; gives its id."""
    if row["decision"] not in (known := [decision.value for decision in Decision]):
        raise unknown("decision", str(row["decision"]), known)
    return add(session, "verdict", row)


def withdraw_verdict(session: Session, verdict_id: str, row: Mapping[str, object]) -> str:
    """Keep that a verdict is taken back; gives the id of the row that says so.

    Raises: UnknownError for a verdict that is not there; UsageError for one taken back before.
    """
    given = session.rows(
        "SELECT profile_id, story_id, item_id, given_at FROM verdicts "
        "WHERE verdict_id = $verdict_id AND withdraws IS NULL",
        {"verdict_id": verdict_id},
    )
    if not given:
        known = session.rows("SELECT verdict_id FROM verdicts WHERE withdraws IS NULL")
        raise unknown("verdict", verdict_id, [str(name) for (name,) in known])
    before = session.rows(
        "SELECT given_by FROM verdicts WHERE withdraws = $verdict_id", {"verdict_id": verdict_id}
    )
    if before:
        raise UsageError(f"{verdict_id} was withdrawn before", where=f"by {before[0][0] or 'somebody'}")
    profile_id, story_id, item_id, given_at = given[0]
    _not_before(row["given_at"], given_at, f"{verdict_id} was given")
    about = {"profile_id": profile_id, "story_id": story_id, "item_id": item_id}
    return add(session, "verdict", {**row, **about, "withdraws": verdict_id})


def verdicts(session: Session, profile_id: str, *, withdrawn: bool = False) -> pl.DataFrame:
    """The verdicts of a profile, expired or not, oldest first; with ``withdrawn`` those taken back too."""
    return session.frame(
        f"""
        SELECT {listed([*schemas.VERDICT, "given_by"], table="v")},
            w.given_at AS withdrawn_at, w.given_by AS withdrawn_by, w.reason AS withdrawn_for
        FROM verdicts v LEFT JOIN verdicts w ON w.withdraws = v.verdict_id
        WHERE v.profile_id = $profile_id AND v.withdraws IS NULL AND ($withdrawn OR w.verdict_id IS NULL)
        ORDER BY v.given_at, v.verdict_id
        """,
        VERDICTS,
        {"profile_id": profile_id, "withdrawn": withdrawn},
    )


def add_story_rule(session: Session, row: Mapping[str, object]) -> str:
    """Keep a rule about two items, the smaller id first; gives its id."""
    if row["rule"] not in RULES:
        raise unknown("story rule", str(row["rule"]), RULES)
    first, second = sorted((str(row["item_a"]), str(row["item_b"])))
    if first == second:
        raise UsageError(f"a story rule needs two items, and both are {first}")
    return add(session, "rule", {**row, "item_a": first, "item_b": second})


def undo_story_rule(session: Session, rule_id: str, row: Mapping[str, object]) -> str:
    """Keep that a standing rule is undone; gives the id of the row that says so.

    Raises: UnknownError for a rule that is not there; UsageError for one that does not stand any more.
    """
    found = session.rows("SELECT profile_id FROM story_rules WHERE rule_id = $id", {"id": rule_id})
    if not found:
        known = session.rows("SELECT rule_id FROM story_rules WHERE rule <> 'undo'")
        raise unknown("story rule", rule_id, [str(name) for (name,) in known])
    profile_id = str(found[0][0])
    rule = story_rules(session, profile_id).filter(pl.col("rule_id") == rule_id).row(0, named=True)
    if not rule["stands"]:
        raise UsageError(f"{rule_id} does not stand any more", hint="the newest word on two items counts")
    _not_before(row["made_at"], rule["made_at"], f"{rule_id} was made")
    pair = {"profile_id": profile_id, "item_a": rule["item_a"], "item_b": rule["item_b"]}
    return add(session, "rule", {**row, **pair, "rule": "undo"})


def story_rules(session: Session, profile_id: str) -> pl.DataFrame:
    """Every story rule of a profile, oldest first; the newest of two items ``stands`` unless it undoes."""
    return session.frame(
        f"""
        SELECT {listed([name for name in STORY_RULES if name != "stands"])},
            rule <> 'undo' AND row_number() OVER (
                PARTITION BY item_a, item_b ORDER BY made_at DESC, rule_id DESC
            ) = 1 AS stands
        FROM story_rules WHERE profile_id = $profile_id ORDER BY made_at, rule_id
        """,
        STORY_RULES,
        {"profile_id": profile_id},
    )


def _not_before(at: Any, earlier: datetime, what: str) -> None:
    if at < earlier:
        raise UsageError(f"{at.isoformat()} is before {what}", where=f"at {earlier.isoformat()}")


def titles(session: Session, items: Iterable[str]) -> pl.DataFrame:
    """The items that are stored, each with its newest title: item_id, title."""
    columns = {"item_id": pl.String, "title": pl.String}
    wanted = pl.DataFrame({"item_id": sorted(set(items))}, schema={"item_id": pl.String})
    with session.given("wanted", wanted):
        return session.frame(
            "SELECT item_id, arg_max(coalesce(title, url, item_id), revision) AS title "
            "FROM items SEMI JOIN wanted USING (item_id) GROUP BY item_id ORDER BY item_id",
            columns,
        )
