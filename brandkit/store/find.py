"""What people look for in the words and fields of everything that was ever decided.

A question becomes terms, and each term a condition on text that DuckDB folds (small letters, no
accents, words apart by one space); nothing of it ever stands in the SQL.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import polars as pl

from brandkit import schemas
from brandkit.errors import UsageError, unknown
from brandkit.store.session import Session

Kind = Literal["items", "stories"]
FOUND: Mapping[str, Any] = {
    "item_id": pl.String,
    "story_id": pl.String,
    "run_id": pl.String,
    "profile_id": pl.String,
    "run_on": pl.Date,
    "title": pl.String,
    "url": pl.String,
    "publisher": pl.String,
    "decision": schemas.DECISION,
    "total": pl.Int16,
    "published_at": schemas.INSTANT,
    "snippet": pl.String,
}
TEXTS = ("title", "summary")
# Fields that hold a part of what is asked for, and ids that begin with it.
HOLDS = ("publisher", "source", "author", "url")
BEGINS = {"item": "item_id", "story": "story_id", "run": "run_id"}
FIELDS = (*TEXTS, *HOLDS, *BEGINS, "decision")
DECISIONS = tuple(decision.value for decision in schemas.Decision)

_TERM = re.compile(r'(-?)(?:(\w+):(?!//))?(?:"([^"]*)"|(\S+))')
_SMALL = "strip_accents(lower(coalesce({}, '')))"
_WORDS = r"regexp_replace({}, '[^\p{{L}}\p{{N}}\p{{M}}]+', ' ', 'g')"
# Scripts that put no space between words: there a word is found wherever it stands.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]"
)
_ACCOUNT = re.compile(r"(^|:)a_[0-9a-f]{12}$")
_SNIPPET, _LEAD_IN = 120, 40


@dataclass(frozen=True, slots=True)
class Term:
    """One thing asked for: a word, phrase or beginning, anywhere or in a field; or that it be absent."""

    text: str
    field: str = ""
    is_absent: bool = False
    is_beginning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question to the history, and how much of an answer is wanted."""

    terms: tuple[Term, ...]
    kind: Kind
    profile_id: str | None
    first: date | None
    last: date | None
    all_runs: bool
    limit: int


def terms_of(query: str) -> tuple[Term, ...]:
    """The terms of a question as people write them.

    ``word``, ``"a phrase"``, ``begin*``, ``-word``, and each of them behind ``title:``,
    ``publisher:`` or another field.

    >>> [(term.field, term.text) for term in terms_of('oat publisher:ketter "price of"')]
    [('', 'oat'), ('publisher', 'ketter'), ('', 'price of')]

    Raises: UnknownError for a misspelt field.
    """
    # A command line may hand over bytes that are no text.
    clean = query.encode("utf-8", "replace").decode()
    return tuple(_term(*found.groups()) for found in _TERM.finditer(clean))


def _term(minus: str, name: str | None, phrase: str | None, word: str | None) -> Term:
    text, is_absent = phrase if phrase is not None else str(word), minus == "-"
    known = (name or "").lower()
    if name and known not in FIELDS:
        if difflib.get_close_matches(known, FIELDS, n=1, cutoff=0.75):
            raise unknown("field", name, FIELDS, where=f"in '{name}:{text}'")
        # A time, a ratio, a title with a colon in it.
        text, known = f"{name}:{text}", ""
    if not known and text.lower().startswith(("http://", "https://")):
        known = "url"
    if known == "decision" and text not in DECISIONS:
        raise unknown("decision", text, DECISIONS)
    is_beginning = phrase is None and text.endswith("*")
    return Term(text.rstrip("*") if is_beginning else text, known, is_absent, is_beginning)


@dataclass(slots=True)
class _Conditions:
    """SQL for the terms, with their values apart from it."""

    near: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)
    in_title: list[str] = field(default_factory=list)
    starts: list[str] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)

    def value(self, value: object) -> str:
        """A new parameter with this value."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"${name}"


def find(session: Session, asked: Asked) -> pl.DataFrame:
    """The rows that answer, best first: most words in the title, then newest, then total.

    Raises: UsageError where nothing is asked for.
    """
    made = _Conditions()
    texts = [term for term in asked.terms if term.field in ("", *TEXTS)]
    for term, words in zip(texts, _folded(session, texts), strict=True):
        _say(made, term, words)
    for term in asked.terms:
        if term.field in (*HOLDS, *BEGINS) and term.text:
            _hold(made, term, session)
    _decide(made, [term for term in asked.terms if term.field == "decision"])
    if not (made.values or asked.first or asked.last):
        raise UsageError("nothing to look for", allowed="a word, a phrase or a field such as publisher:name")
    runs = {"profile_id": asked.profile_id, "first": asked.first, "last": asked.last}
    sql = _sql(made, asked)
    return session.frame(sql, FOUND, {**made.values, **runs, "limit": asked.limit})


def _folded(session: Session, terms: Sequence[Term]) -> Iterator[str]:
    """The terms' texts as the store folds its own."""
    if not terms:
        return iter(())
    names = [f"v{place}" for place in range(len(terms))]
    folded = ", ".join(f"trim({_WORDS.format(_SMALL.format(f'${name}'))})" for name in names)
    values = dict(zip(names, (term.text for term in terms), strict=True))
    return iter(str(text) for text in session.rows(f"SELECT {folded}", values)[0])


def _say(made: _Conditions, term: Term, words: str) -> None:
    """The text has the term's words in this order, or has not."""
    if not words:
        return
    places = [term.field] if term.field else list(TEXTS)
    if not term.is_absent:
        # Cheap, and true wherever the words are: what is left of a million rows is looked at closely.
        longest = made.value(max(words.split(), key=len))
        made.near.append(_any_of(f"contains({place}_small, {longest})" for place in places))
        made.starts.append(f"nullif(instr({_SMALL.format('r.summary')}, {longest}), 0)")
    start, end = ("", "") if _UNSPACED.search(words) else (" ", "" if term.is_beginning else " ")
    said = made.value(f"{start}{words}{end}")
    has = _any_of(_has(place, said) for place in places)
    made.told.append(f"NOT {has}" if term.is_absent else has)
    if not term.is_absent:
        made.in_title.append(f"({_has('title', said)})::INT")


def _hold(made: _Conditions, term: Term, session: Session) -> None:
    """A field holds or begins with the term's text, or does not."""
    if term.field in BEGINS:
        test = f"starts_with({BEGINS[term.field]}, {made.value(term.text.lower())})"
    else:
        # An account goes by its pseudonym, and stands in the file under the store's key.
        text = session.veil.hidden(term.text) if _ACCOUNT.search(term.text) else term.text
        test = f"contains({_SMALL.format(term.field)}, {_SMALL.format(made.value(text))})"
    made.near.append(f"NOT {test}" if term.is_absent else test)


def _decide(made: _Conditions, terms: Sequence[Term]) -> None:
    """The decision is one of those asked for, and none of the others."""
    wanted = [f"decision = {made.value(term.text)}" for term in terms if not term.is_absent]
    if wanted:
        made.decided.append(_any_of(wanted))
    made.decided += [f"decision <> {made.value(term.text)}" for term in terms if term.is_absent]


def _has(place: str, said: str) -> str:
    # Most words stand between spaces: only for the others is a text taken apart. CASE keeps the order.
    return f"CASE WHEN contains({place}_small, {said}) THEN true ELSE contains({place}_words, {said}) END"


def _any_of(conditions: Iterable[str]) -> str:
    return f"({' OR '.join(conditions)})"


def _all_of(conditions: Sequence[str]) -> str:
    return " AND ".join(conditions) or "true"


def _sql(made: _Conditions, asked: Asked) -> str:
    key = "item_id" if asked.kind == "items" else "story_id"
    ordered = f"n_in_title DESC, run_on DESC, attempt DESC, total DESC, {key}, run_id"
    # One row for each item or story of a profile, as the newest run that answers has it.
    place = f"row_number() OVER (PARTITION BY profile_id, {key} ORDER BY run_on DESC, attempt DESC)"
    return f"""
        WITH asked AS (
            SELECT run_id, profile_id, run_on, attempt FROM runs
            WHERE status = 'complete' AND NOT shadow
              AND ($profile_id IS NULL OR profile_id = $profile_id)
              AND ($first IS NULL OR run_on >= $first) AND ($last IS NULL OR run_on <= $last)
        ), said AS (
            SELECT run_id, item_id, story_id, decision, total,
                {" + ".join(made.in_title) or "0"} AS n_in_title
            FROM (SELECT *, {_made("title")}, {_made("summary")} FROM records SEMI JOIN asked USING (run_id))
            -- The cheap test first, and the other for its hits alone: a filter may turn them round.
            WHERE CASE WHEN {_all_of(made.near)} THEN {_all_of(made.told)} ELSE false END
        ), answers AS (
            {_ANSWERS[asked.kind]} {"" if asked.all_runs else f"QUALIFY {place} = 1"}
        ), best AS MATERIALIZED (
            SELECT * FROM answers WHERE {_all_of(made.decided)} ORDER BY {ordered} LIMIT $limit
        )
        -- Texts are fetched for what is shown, not for all that was looked at.
        {_SHOWN[asked.kind].format(snippet=_snippet(made))} ORDER BY {ordered}
    """


def _made(column: str) -> str:
    small = f"' ' || {_SMALL.format(column)} || ' '"
    return f"{small} AS {column}_small, {_WORDS.format(small)} AS {column}_words"


def _snippet(made: _Conditions) -> str:
    """Where the title does not say it all: the summary from a little before the first word it has."""
    start = f"greatest(coalesce({', '.join([*made.starts, '1'])}) - {_LEAD_IN}, 1)"
    return f"WHEN n_in_title < {len(made.in_title)} THEN substr(r.summary, {start}, {_SNIPPET})"


_ANSWERS: Mapping[str, str] = {
    "items": "SELECT said.*, profile_id, run_on, attempt FROM said JOIN asked USING (run_id)",
    "stories": """
        SELECT s.run_id, s.story_id, s.lead_item_id, s.title, s.url, s.total,
            s.effective_decision AS decision, best.n AS n_in_title, best.item_id, profile_id, run_on, attempt
        FROM (
            SELECT run_id, story_id, max({'n': n_in_title, 'item_id': item_id}) AS best
            FROM said GROUP BY ALL
        ) JOIN stories s USING (run_id, story_id) JOIN asked USING (run_id)
    """,
}
_SHOWN: Mapping[str, str] = {
    "items": """
        SELECT b.item_id, b.story_id, run_id, profile_id, run_on, r.title, r.url, r.publisher, b.decision,
            b.total, r.published_at, CASE {snippet} END AS snippet
        FROM best b JOIN records r USING (run_id, item_id)
    """,
    "stories": """
        SELECT b.lead_item_id AS item_id, b.story_id, run_id, profile_id, run_on, b.title, b.url, l.publisher,
            b.decision, b.total, l.published_at,
            CASE {snippet} WHEN b.item_id <> b.lead_item_id THEN r.title END AS snippet
        FROM best b JOIN records r USING (run_id, item_id)
        LEFT JOIN records l ON l.run_id = b.run_id AND l.item_id = b.lead_item_id
    """,
}
