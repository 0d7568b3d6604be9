"""What people said, as rows: verdicts on stories, and rules for what is one story."""

from __future__ import annotations

import polars as pl

from brandkit import schemas
from brandkit.errors import UsageError, unknown
from brandkit.schemas import Decision
from brandkit.store.session import Session
from brandkit.store.tables import TABLES, listed

RULES = ("must_link", "cannot_link")


def add_verdict(session: Session, row: dict[str, object]) -> str:
    """Keep a verdict; gives its id, which grows with each."""
    if row["decision"] not in (known := [decision.value for decision in Decision]):
        raise unknown("decision", str(row["decision"]), known)
    ((n_before,),) = session.rows("SELECT count(*) FROM verdicts")
    verdict_id = f"verdict-{n_before + 1:07d}"
    session.insert(
        "verdicts", pl.DataFrame([{"verdict_id": verdict_id, **row}], schema=dict(TABLES["verdicts"]))
    )
    return verdict_id


def add_story_rule(session: Session, row: dict[str, object]) -> None:
    """Keep a rule about two items, the smaller id first."""
    if row["rule"] not in RULES:
        raise unknown("story rule", str(row["rule"]), RULES)
    first, second = sorted((str(row["item_a"]), str(row["item_b"])))
    if first == second:
        raise UsageError(f"a story rule needs two items, and both are {first}")
    values = {**row, "item_a": first, "item_b": second}
    session.insert("story_rules", pl.DataFrame([values], schema=dict(TABLES["story_rules"])))


def verdicts(session: Session, profile_id: str) -> pl.DataFrame:
    """Every verdict of a profile, expired or not, oldest first."""
    columns = {"verdict_id": pl.String, **schemas.VERDICT, "given_by": pl.String}
    return session.frame(
        f"SELECT {listed(columns)} FROM verdicts WHERE profile_id = $profile_id "
        "ORDER BY given_at, verdict_id",
        columns,
        {"profile_id": profile_id},
    )


def story_rules(session: Session, profile_id: str) -> pl.DataFrame:
    """Every story rule of a profile, oldest first."""
    columns = {**schemas.STORY_RULE, "made_at": schemas.INSTANT, "made_by": pl.String}
    return session.frame(
        f"SELECT {listed(columns)} FROM story_rules WHERE profile_id = $profile_id "
        "ORDER BY made_at, item_a, item_b, rule",
        columns,
        {"profile_id": profile_id},
    )
