"""News of our own with planted copies and planted look-alikes, and the truth about which is which."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from benchmarks.quality.planted_prose import OUTLETS, PLAIN, WIRES, Desk, Told

START = datetime(2026, 3, 2, tzinfo=UTC)
COPIES = (
    "dateline", "credit", "sentence", "no_first_paragraph", "truncated", "retitled", "typography",
    "accents", "footer", "suffix", "light_edit", "several", "cut", "local",
)  # fmt: skip
LOOK_ALIKES = (
    "rewrite", "lifted", "next_event", "other_company", "other_names", "update", "negated", "roundup",
    "same_about",
)  # fmt: skip
HEADLINE_COPIES = ("case", "outlet", "version", "quoted")
HEADLINE_LOOK_ALIKES = ("other_name", "other_number", "denied", "replaced", "recurring")
_ABOUT = "About {company}: founded in {n8} and based in {town}, {company} serves"


def _edits(desk: Desk, told: Told, facts: dict[str, str], topic: list[str]) -> dict[str, tuple[str, str]]:
    """The copies of a report by kind of edit: title and body."""
    rng, title, body = desk.rng, told.title, told.body
    wire, outlet = desk.drawn(WIRES), int(rng.integers(len(OUTLETS)))
    dateline = f"{facts['town'].upper()}, March {rng.integers(1, 29)} ({wire}) - "
    credit = f" (Reporting by {desk.name()} {desk.name()}; Editing by {desk.name()} {desk.name()})"
    at = int(rng.integers(1, len(told.sentences)))
    swapped = list(told.sentences)
    swapped[at] = desk.sentence(topic, length=int(rng.integers(9, 24)))
    first = 1 if len(told.sentences) < 6 else 2
    n_kept = int(rng.integers(25, 61))
    suffix = title + str(rng.choice([" - ", " | "])) + OUTLETS[outlet]
    curly = re.sub(r'"(.*?)"', "\u201c\\1\u201d", body).replace(" - ", " \u2014 ").replace(". ", ".\u00a0 ")
    n_cut = max(2, int(len(told.sentences) * rng.uniform(0.4, 0.8)))
    retitled = facts["company"] + ": " + desk.sentence(topic, length=7)[:-1]
    own = " ".join(desk.sentence(topic, length=18) for _ in range(2))
    words = body.split()
    plain = [k for k, w in enumerate(words) if w.isalpha() and w.islower() and len(w) > 3]
    for k in rng.choice(plain, size=min(len(plain), max(1, len(words) // 40)), replace=False):
        words[k] = desk.drawn(desk.words, desk._everyday)
    return {
        "dateline": (title, dateline + body),
        "credit": (title, body + credit),
        "sentence": (title, " ".join(swapped)),
        "no_first_paragraph": (title, " ".join(told.sentences[first:])),
        "truncated": (title, " ".join(body.split()[:n_kept]) + " ..."),
        "retitled": (retitled, body),
        "typography": (title.upper(), curly),
        "accents": (title.translate(PLAIN), body.translate(PLAIN)),
        "footer": (title, body + " " + desk.footers[outlet]),
        "suffix": (suffix, body),
        "light_edit": (title, " ".join(words)),
        "several": (suffix, dateline + curly + credit),
        "cut": (retitled, dateline + " ".join(told.sentences[:n_cut]) + credit),
        "local": (title, " ".join([*told.sentences[:at], own, *told.sentences[at:]])),
    }


def _look_alikes(
    desk: Desk, told: Told, facts: dict[str, str], topic: list[str], plan: Told
) -> dict[str, tuple[str, str]]:
    """What only looks like a report, by kind: title and body."""
    rng = desk.rng
    n_words = len(told.body.split())
    new = desk.facts()
    next_facts = {**new, "company": facts["company"], "person": facts["person"], "town": facts["town"]}
    names = {key: new[key] for key in ("company", "person", "other", "town", "rival")}
    other = desk.filled(plan, {**facts, **names})
    following = desk.filled(plan, next_facts)
    elsewhere = desk.filled(plan, desk.facts())
    n_own = max(min(60, n_words), int(n_words * rng.uniform(0.4, 1.3)))
    rewrite = desk.rewrite(told, facts, topic, n_words=n_own)
    lifted = desk.rewrite(told, facts, topic, n_words=n_own, lifted=0.4)
    changed = next(n for n in iter(lambda: str(rng.integers(2, 60)), "") if n != facts["n4"])
    update = desk.filled(plan, {**facts, "n4": changed})
    lead = told.sentences[0].split(" ")
    negated = " ".join([*lead[:4], "denied", *lead[4:]])
    leads = [
        desk.filled(desk.plan(desk.topic(), 30), desk.facts()).sentences[0]
        + " " + desk.sentence(desk.topic(), length=20) for _ in range(4)
    ]  # fmt: skip
    leads.insert(int(rng.integers(1, 5)), " ".join(told.sentences[:2]))
    return {
        "rewrite": (rewrite.title, rewrite.body),
        "lifted": (lifted.title, lifted.body),
        "next_event": (following.title, following.body),
        "other_company": (elsewhere.title, elsewhere.body),
        "other_names": (other.title, other.body),
        "update": (update.title, update.body),
        "negated": (told.title, " ".join([negated, *told.sentences[1:]])),
        "roundup": (f"Morning briefing for {desk.name()}", " ".join(leads)),
    }


def planted(
    n_families: int, *, seed: int, words: tuple[int, int] = (60, 600), any_order: bool = False
) -> pl.DataFrame:
    """Items with the truth about them: ``family`` (items of one text) and ``kind``.

    Shape: item_id, title, summary, published_at, family, kind. Of each report every kind of copy and
           of look-alike; a look-alike is a family of its own. The report comes first in time, unless
           ``any_order``.
    """
    desk = Desk(seed)
    rows = [(str(number), *row) for number in range(n_families) for row in _family(desk, words)]
    return _items(desk, rows, [row[1] == "base" and not any_order for row in rows])


def _items(desk: Desk, rows: list[tuple[str, str, str, str]], is_first: list[bool]) -> pl.DataFrame:
    minutes = np.where(is_first, 0, desk.rng.integers(60, 48 * 60, len(rows)))
    same_text = {"base", *COPIES, *HEADLINE_COPIES}
    return pl.DataFrame(
        {
            "item_id": [f"{k:07}" for k in desk.rng.permutation(len(rows))],
            "title": [row[2] for row in rows],
            "summary": [row[3] for row in rows],
            "published_at": [START + timedelta(minutes=int(m)) for m in minutes],
            "family": [
                row[0] if row[1] in same_text else f"{row[0]} {row[1]} {k}" for k, row in enumerate(rows)
            ],
            "kind": [row[1] for row in rows],
        }
    ).sort("item_id")


def _family(desk: Desk, words: tuple[int, int]) -> Iterator[tuple[str, str, str]]:
    facts, topic = desk.facts(), desk.topic()
    n_words = int(np.exp(desk.rng.uniform(*np.log(words))))
    about = " " + desk.filled(Told(_ABOUT, ()), facts).title + " " + desk.sentence([], length=45).lower()
    plan = desk.plan(topic, n_words)
    told = desk.filled(plan, facts)
    yield "base", told.title, told.body
    for edited in (_edits(desk, told, facts, topic), _look_alikes(desk, told, facts, topic, plan)):
        for kind, (title, body) in edited.items():
            yield kind, title, body
    for _ in range(2):
        plan = desk.plan(desk.topic(), int(desk.rng.integers(60, 110)))
        release = desk.filled(plan, {**desk.facts(), "company": facts["company"]})
        yield "same_about", release.title, release.body + about


def headlines(n_families: int, *, seed: int) -> pl.DataFrame:
    """Headlines without a text, as many feeds give them; the same columns as ``planted``.

    ``recurring`` is the same headline a week later: another event in the same few words.
    """
    desk = Desk(seed)
    rows = [(str(k), kind, title, "") for k in range(n_families) for kind, title in _headlines(desk)]
    items = _items(desk, rows, [row[1] == "base" for row in rows])
    late = pl.col("published_at") + pl.duration(days=7)
    return items.with_columns(
        summary=pl.lit(None, dtype=pl.String),
        published_at=pl.when(pl.col("kind") == "recurring").then(late).otherwise("published_at"),
    )


def _headlines(desk: Desk) -> Iterator[tuple[str, str]]:
    rng = desk.rng
    facts, other = desk.facts(), desk.facts()
    plan = "{company} " + desk.sentence([], length=int(rng.integers(5, 11)))[:-1].lower()
    has_number = rng.random() < 0.5
    plan += " {n1}" if has_number else ""

    def filled(with_facts: dict[str, str]) -> str:
        return desk.filled(Told(plan, ()), with_facts).title

    title, words = filled(facts), filled(facts).split()
    at = int(rng.integers(2, 5))
    yield "base", title
    yield "case", title.upper()
    yield "outlet", title + str(rng.choice([" - ", " | "])) + desk.drawn(OUTLETS)
    yield "version", f"UPDATE {rng.integers(1, 5)}-{title}"
    yield "quoted", " ".join([*words[:2], f"\u2018{words[2]}\u2019", *words[3:]])
    yield "other_name", filled({**facts, "company": other["company"]})
    if has_number:
        changed = f"{(int(facts['n1'].split()[0]) + int(rng.integers(1, 50))) % 97} percent"
        yield "other_number", filled({**facts, "n1": changed})
    yield "denied", " ".join([*words[:2], "not", *words[2:]])
    yield "replaced", " ".join([*words[:at], desk.drawn(desk.words), *words[at + 1 :]])
    yield "recurring", title


def crowd(n: int, *, words: tuple[int, int], seed: int = 1) -> pl.DataFrame:
    """Many items for timing: seven in ten their own text, three a copy of one, edited or not.

    Shape: item_id, title, summary (``words`` long, from and to), published_at, and ``source``, the
           number of the item whose text it is. Vectorised, so that half a million take a minute.
    """
    desk = Desk(seed)
    n_own = round(n * 0.7)
    title, summary = (desk.texts(n_own, *span) for span in ((6, 13), words))
    source = desk.rng.integers(0, n_own, n - n_own)
    copied = pl.DataFrame({"title": title.gather(source), "summary": summary.gather(source)}).with_columns(
        how=desk.rng.integers(0, 5, n - n_own)
    )
    edited = copied.select(
        title=pl.when(pl.col("how") == 1).then(pl.col("title") + " - Harbour Post").otherwise("title"),
        summary=pl.when(pl.col("how") == 2)
        .then(pl.lit("OSLO (Fjord Wire) - ") + pl.col("summary"))
        .when(pl.col("how") == 3)
        .then(pl.col("summary").str.slice(0, 300))
        .when(pl.col("how") == 4)
        .then(pl.col("summary") + " (Reporting by Ann Lee)")
        .otherwise("summary"),
    )
    number = pl.int_range(pl.len())
    return pl.concat([pl.DataFrame({"title": title, "summary": summary}), edited]).with_columns(
        item_id=number.cast(pl.String).str.zfill(8),
        published_at=pl.lit(START) + pl.duration(seconds=number),
        source=pl.Series(np.r_[np.arange(n_own), source]),
    )
