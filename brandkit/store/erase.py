"""Forgetting a person: an account or a byline taken out of every table, while all sums stay.

What an account posted is gone from the items and the sightings. Records keep their numbers, and a
placeholder wherever a word of the person stood: what is known and what is not counts in the score,
so a null there would change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from brandkit import schemas
from brandkit.errors import UnknownError, UsageError
from brandkit.normalise import account_key, author_keys
from brandkit.normalise.stage import ERASED
from brandkit.store.session import Session
from brandkit.store.tables import TABLES

_WORDS = ("title", "summary", "url", "target_url", "author", "account")
_LISTS = ("claims", "evidence")


@dataclass(frozen=True, slots=True)
class Erased:
    """What was forgotten: how many items and records, and the runs that cannot be replayed any more."""

    kind: str
    n_items: int
    n_records: int
    runs: tuple[str, ...]


def erase(
    session: Session,
    *,
    account: str | None,
    author: str | None,
    erased_at: datetime,
    erased_by: str,
    reason: str,
) -> Erased:
    """Forget one account (``platform:name``) or one author, everywhere and for the future.

    Raises: UsageError unless exactly one is given; UnknownError where nothing of them is stored.
    """
    if (account is None) == (author is None):
        raise UsageError(
            "erase takes one account or one author", allowed="account='forum:name' or author='Name'"
        )
    kind, key, met = _account(session, account) if account is not None else _author(session, str(author))
    with session.given("met", met):
        runs = [str(run) for (run,) in session.rows(
            "SELECT DISTINCT run_id FROM records SEMI JOIN met USING (item_id) ORDER BY run_id"
        )]  # fmt: skip
        ((n_records,),) = session.rows("SELECT count(*) FROM records SEMI JOIN met USING (item_id)")
        if kind == "account":
            _forget_posts(session, session.veil.hidden(key))
        else:
            _forget_byline(session)
    # A refused row is kept as it came, so a name may stand anywhere in it.
    name = (account or "").rpartition(":")[2].removeprefix("@") or author
    session.run(
        "UPDATE rejects SET raw = $erased WHERE contains(lower(raw), lower($name))",
        {"erased": ERASED, "name": name},
    )
    _mark(session, runs, f"a person was erased on {erased_at:%Y-%m-%d}")
    row = {"kind": kind, "account": key, "erased_at": erased_at, "erased_by": erased_by, "reason": reason}
    found = Erased(kind, met.height, int(n_records), tuple(runs))
    session.insert("erasures", pl.DataFrame([{**row, "n_items": met.height}], schema=_ROW))
    return found


_ROW = {name: dtype for name, dtype in TABLES["erasures"].items() if name != "written"}


def _account(session: Session, account: str) -> tuple[str, str, pl.DataFrame]:
    platform, colon, name = account.partition(":")
    if not (colon and platform.strip() and name.strip()):
        raise UsageError(f"'{account}' names no account", allowed="platform:name, such as 'forum:ada'")
    key = account_key(platform, name)
    return "account", key, _met(session, "account = $key", session.veil.hidden(key), f"account '{account}'")


def _author(session: Session, author: str) -> tuple[str, str, pl.DataFrame]:
    bylines = session.frame(
        "SELECT DISTINCT author FROM (SELECT author FROM items UNION ALL SELECT author FROM records) "
        "WHERE author IS NOT NULL",
        {"author": pl.String},
    )
    (keys,) = pl.DataFrame({"author": [author]}).select(author_keys(pl.col("author"))).to_series().to_list()
    if len(keys) != 1:
        raise UsageError(f"'{author}' is not one name", allowed="one name, as it stands in a byline")
    key = str(keys[0])
    theirs = bylines.filter(author_keys(pl.col("author")).list.contains(key))
    with session.given("theirs", theirs):
        return "author", key, _met(session, "author IN (FROM theirs)", "", f"author '{author}'")


def _met(session: Session, condition: str, key: str, who: str) -> pl.DataFrame:
    found = session.frame(
        f"SELECT item_id FROM items WHERE {condition} UNION SELECT item_id FROM records WHERE {condition} "
        "ORDER BY item_id",
        {"item_id": pl.String},
        {"key": key} if "$key" in condition else {},
    )
    if found.is_empty():
        raise UnknownError(f"nothing of {who} is stored", hint="an account is written platform:name")
    return found


def _forget_posts(session: Session, token: str) -> None:
    for table in ("items", "observations", "run_items", "run_observations"):
        session.run(f"DELETE FROM {table} USING met WHERE {table}.item_id = met.item_id")
    given = {"token": token, "erased": ERASED}
    blanked = [f"{name} = CASE WHEN {name} IS NULL THEN NULL ELSE $erased END" for name in _WORDS]
    blanked += [f"{name} = list_transform({name}, lambda word: $erased)" for name in _LISTS]
    publisher = (
        "CASE WHEN ends_with(publisher, ':' || $token) "
        "THEN replace(publisher, $token, $erased) ELSE publisher END"
    )
    session.run(
        f"UPDATE records SET {', '.join(blanked)}, publisher = {publisher} FROM met "
        "WHERE records.item_id = met.item_id",
        given,
    )
    ends = ", ".join(
        f"{end} := CASE WHEN pair.{end} = $token THEN $erased ELSE pair.{end} END"
        for end in ("account_a", "account_b")
    )
    # One of two accounts that act together stands on every item of their story.
    session.run(
        f"UPDATE records SET coordination = list_transform(coordination, lambda pair: struct_pack({ends}, "
        "n_objects := pair.n_objects, median_gap_s := pair.median_gap_s)) WHERE len(list_filter("
        "coordination, lambda pair: pair.account_a = $token OR pair.account_b = $token)) > 0",
        given,
    )
    session.run(
        "UPDATE stories SET publishers = list_transform(publishers, lambda name: "
        "CASE WHEN ends_with(name, ':' || $token) THEN replace(name, $token, $erased) ELSE name END) "
        "WHERE len(list_filter(publishers, lambda name: ends_with(name, ':' || $token))) > 0",
        given,
    )
    for table, titles in (("stories", ("title", "url")), ("alerts", ("title", "previous_title", "url"))):
        told = ", ".join(f"{name} = CASE WHEN {name} IS NULL THEN NULL ELSE $erased END" for name in titles)
        session.run(
            f"UPDATE {table} SET {told} FROM met WHERE {table}.lead_item_id = met.item_id", {"erased": ERASED}
        )


def _forget_byline(session: Session) -> None:
    for table in ("items", "run_items", "records"):
        session.run(
            f"UPDATE {table} SET author = $erased FROM met WHERE {table}.item_id = met.item_id "
            f"AND {table}.author IS NOT NULL",
            {"erased": ERASED},
        )


def _mark(session: Session, runs: list[str], why: str) -> None:
    with session.given("touched", pl.DataFrame({"run_id": runs}, schema={"run_id": pl.String})):
        session.run(
            "UPDATE runs SET inputs_gone = $why FROM touched WHERE runs.run_id = touched.run_id "
            "AND inputs_gone IS NULL",
            {"why": why},
        )


def erased(session: Session) -> pl.DataFrame:
    """Who must not be taken in again: kind and account."""
    columns = schemas.ERASURE
    return session.frame("SELECT DISTINCT kind, account FROM erasures ORDER BY kind, account", columns)


def erasures(session: Session) -> pl.DataFrame:
    """Who was erased, as pseudonyms, oldest first; when, by whom and why."""
    columns = {**schemas.ERASURE, "erased_at": schemas.INSTANT, "erased_by": pl.String, "reason": pl.String,
               "n_items": pl.Int64}  # fmt: skip
    names = ", ".join(columns)
    return session.frame(f"SELECT {names} FROM erasures ORDER BY erased_at, kind, account", columns)
