"""Looking things up in all that was ever decided: words and fields in, the newest decisions out."""

from __future__ import annotations

from datetime import date
from typing import get_args

import polars as pl

from brandkit.errors import UsageError, unknown
from brandkit.store.find import DECISIONS, Asked, Kind, Term, terms_of
from brandkit.store.state import StateStore


def find(
    store: StateStore,
    query: str = "",
    *,
    kind: Kind = "items",
    profile_id: str | None = None,
    publisher: str | None = None,
    decision: str | None = None,
    first: date | None = None,
    last: date | None = None,
    all_runs: bool = False,
    limit: int = 50,
) -> pl.DataFrame:
    """The items or stories in which every term of the query stands, best first.

    A query has words, ``"quoted phrases"``, ``beginnings*``, and ``-`` before what must be absent;
    ``title:``, ``summary:``, ``publisher:``, ``source:``, ``author:``, ``url:``, ``decision:``,
    ``item:``, ``story:`` or ``run:`` before a term asks one field alone. Capitals, accents and
    punctuation make no difference. A story answers where one of its items does.

    Args:
        store: where to look; the complete runs in it, without shadows.
        query: what to look for; may be empty where an option says enough.
        kind: items, each with its own decision, or stories with the desk's (``effective_decision``).
        profile_id: one profile's runs alone.
        publisher: what its name must hold; as ``publisher:`` in the query.
        decision: what was decided; as ``decision:`` in the query.
        first: the first desk day.
        last: the last desk day.
        all_runs: every run that answers, not the newest of each item or story.
        limit: the most rows.

    Shape:  item_id (of a story: its lead), story_id, run_id, profile_id, run_on, title, url, publisher,
            decision, total, published_at, snippet. Most terms in the title first, then the newest run,
            then the highest total.
    Nulls:  ``snippet`` is the summary around the first word found there, or the title of another item
            of the story; null where the title that is given has all.
    Raises: UsageError where nothing is asked for; UnknownError for a decision or field there is not.
    """
    if kind not in get_args(Kind):
        raise unknown("kind", kind, get_args(Kind))
    if limit < 1:
        raise UsageError(f"a limit of {limit} rows", allowed="1 or more")
    if first and last and first > last:
        raise UsageError(f"the first day {first} is after the last {last}")
    if decision is not None and decision not in DECISIONS:
        raise unknown("decision", decision, DECISIONS)
    given = {"publisher": publisher, "decision": decision}
    options = tuple(Term(text, name) for name, text in given.items() if text)
    asked = Asked(
        terms=terms_of(query) + options,
        kind=kind,
        profile_id=profile_id,
        first=first,
        last=last,
        all_runs=all_runs,
        limit=limit,
    )
    return store.find(asked)
