"""The simulated week: one call from a seed to frames with their ground truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from brandkit.errors import UsageError
from brandkit.normalise import normalise
from brandkit.simulate.dirt import dirty_rows
from brandkit.simulate.grammar import Bools, Grammar, Ints, load_grammar
from brandkit.simulate.newsroom import Crowd, Newsroom, found_newsroom, gather_crowd
from brandkit.simulate.plan import Plan, draw_facts, plan_stories
from brandkit.simulate.reports import (
    ARTICLE,
    Reports,
    join_reports,
    kind_names,
    report_singles,
    report_stories,
    take,
)
from brandkit.simulate.sightings import (
    address,
    collect_times,
    engage,
    instants,
    number_items,
    on_the_edges,
    see_again,
    within_week,
)
from brandkit.simulate.telling import tell
from brandkit.simulate.truth import true_stories

FIRST_DAY = date(2026, 3, 2)
SEED = 20260302
# Share of items that belong to a story with others; at least .6 stand alone.
_IN_STORIES = 0.37
_EDITED = 0.015
_ROUNDS = 4
# Items that give away somebody's private data: a few a day, which no desk may pass on.
_PRIVATE = 0.003
RAW_COLUMNS = (
    "native_id",
    "item_type",
    "source",
    "url",
    "target_url",
    "account",
    "author",
    "language",
    "title",
    "summary",
    "published_at",
    "collected_at",
    "observed_at",
    "reactions",
    "comments",
    "shares",
    "views",
    "followers",
    "claims",
    "evidence",
    "risk_flags",
)


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulated week: raw rows as sources give them, and what is really so.

    items: one row per sighting, in the raw columns, ordered by collected_at.
    truth_items: one row per way an item is addressed (source, native_id, clean url) with the item_id
        it gets, its story, the item it copies, its kind, and whether a brigade posted it; ``item``
        and ``copy_of`` are the simulator's own numbers.
    truth_stories: one row per story, singles too, with an editor's verdict per shipped profile.
    publishers: domain, family, tier, role, audience of every outlet, listed or not.
    """

    items: pl.DataFrame
    truth_items: pl.DataFrame
    truth_stories: pl.DataFrame
    publishers: pl.DataFrame
    start: date
    days: int
    seed: int

    def write(self, folder: str | Path) -> list[Path]:
        """Write one items file per day of collection, the truth and the publisher list; the paths written."""
        folder = Path(folder)
        (folder / "truth").mkdir(parents=True, exist_ok=True)
        files = {
            f"items-{day}.parquet": self.items.filter(pl.col("collected_at").dt.date() == day)
            for day in (self.start + timedelta(days=n) for n in range(self.days))
        } | {
            "truth/items.parquet": self.truth_items,
            "truth/stories.parquet": self.truth_stories,
            "truth/publishers.parquet": self.publishers,
        }
        for name, frame in files.items():
            frame.write_parquet(folder / name, compression="zstd", compression_level=19)
        listed = self.publishers.filter(pl.col("tier") != "unlisted")
        listed.write_csv(folder / "publishers.csv")
        return [folder / name for name in (*files, "publishers.csv")]


def simulate(
    *, days: int = 7, items_per_day: int = 2_500, seed: int = SEED, start: date = FIRST_DAY
) -> Simulation:
    """A seeded week of a newsroom's input with its ground truth.

    Shape:  about ``days * items_per_day`` raw rows (sightings), all collected in the week.
    Raises: UsageError for less than one day or fewer than 200 items a day.
    The same arguments give the same bytes.
    """
    if days < 1 or items_per_day < 200:
        raise UsageError(
            f"cannot simulate {days} days of {items_per_day} items",
            allowed="at least 1 day and 200 items a day",
        )
    week = _simulate(days=days, items_per_day=items_per_day, seed=seed, start=start)
    return replace(week, truth_items=_with_item_ids(week.truth_items))


def simulate_items(n_rows: int, *, seed: int = SEED, days: int = 7) -> pl.DataFrame:
    """Exactly ``n_rows`` raw rows, for benchmarks; a million takes well under a minute."""
    per_day = max(200, int(n_rows / days * 1.06) + 1)
    rows = _simulate(days=days, items_per_day=per_day, seed=seed, start=FIRST_DAY).items
    while len(rows) < n_rows:
        per_day = int(per_day * 1.1)
        rows = _simulate(days=days, items_per_day=per_day, seed=seed, start=FIRST_DAY).items
    return rows.head(n_rows)


def _simulate(*, days: int, items_per_day: int, seed: int, start: date) -> Simulation:
    rng = np.random.default_rng(seed)
    grammar = load_grammar()
    # Sightings again make about 1.15 rows of an item.
    n_items = int(days * items_per_day / 1.15)
    room = found_newsroom(grammar, n_outlets=max(160, int(13 * n_items**0.5)), rng=rng)
    crowd = gather_crowd(grammar, n_accounts=200 + n_items // 2, rng=rng)
    # What falls off the ends of the week is made up for beforehand.
    plan = plan_stories(grammar, days=days, n_items=int(n_items * _IN_STORIES * 1.12), rng=rng)
    stories = report_stories(grammar, room, crowd, plan, rng)
    singles = report_singles(grammar, room, crowd, int(n_items * (1 - _IN_STORIES)), days, rng)
    reports = join_reports(stories, singles, len(plan))
    return _tell_week(grammar, room, crowd, plan, reports, days=days, seed=seed, start=start, rng=rng)


def _tell_week(
    grammar: Grammar,
    room: Newsroom,
    crowd: Crowd,
    plan: Plan,
    reports: Reports,
    *,
    days: int,
    seed: int,
    start: date,
    rng: np.random.Generator,
) -> Simulation:
    published, collected, late = collect_times(reports, rng)
    kept = np.flatnonzero(within_week(collected, days))
    reports, published, collected, late = take(reports, kept), published[kept], collected[kept], late[kept]
    plain = np.flatnonzero(reports.is_single & (reports.kind == ARTICLE) & ~late)
    on_the_edges(published, collected, days, plain)
    facts = _facts_of(grammar, plan, reports, rng)
    told = _tell_apart(grammar, reports, facts, rng)
    private = reports.is_single & (rng.random(len(reports)) < _PRIVATE)
    code = number_items(len(reports), rng)
    items = pl.concat(
        [
            address(grammar, room, crowd, reports, code, rng),
            told,
            engage(room, crowd, plan, reports, rng),
            _particulars(grammar, reports, private, rng),
            pl.DataFrame(
                {"item": code, "published_us": published, "collected_us": collected, "is_late": late}
            ),
        ],
        how="horizontal",
    ).with_columns(is_edited=pl.Series((rng.random(len(reports)) < _EDITED) & (reports.kind == ARTICLE)))
    rows = see_again(items, days=days, edited=items["is_edited"], rng=rng).with_columns(
        pl.col("item").cast(pl.String),
        published_us=instants("published_us", start),
        collected_us=instants("collected_us", start),
    )
    raw = dirty_rows(rows, rng).sort("collected_us", "item", "turn", maintain_order=True)
    stories = true_stories(grammar, room, plan, reports, facts, published, private, rng)
    stories = stories.with_columns(_story_name(), instants("started_us", start))
    return Simulation(
        items=raw.select(*_raw_columns()),
        truth_items=_true_items(raw, items, reports, code),
        truth_stories=stories.rename({"started_us": "started_at"}),
        publishers=room.frame.select("domain", "family", "tier", "role", "audience", "title"),
        start=start,
        days=days,
        seed=seed,
    )


def _facts_of(grammar: Grammar, plan: Plan, reports: Reports, rng: np.random.Generator) -> Ints:
    own = draw_facts(grammar, np.where(reports.is_single, reports.event, -1), rng)
    shared = plan.facts[np.minimum(reports.story, len(plan) - 1)]
    return np.where(reports.is_single[:, None], own, shared)


def _tell_apart(grammar: Grammar, reports: Reports, facts: Ints, rng: np.random.Generator) -> pl.DataFrame:
    """Words for all reports; a single item whose title stands already is made another one, facts and all.

    Strangers with one headline are rare in life (.7 % in news_stories_uci), and a grammar repeats itself.
    """
    told = tell(grammar, reports, facts, rng)
    single = pl.Series(reports.is_single)
    for _ in range(_ROUNDS):
        rows = np.flatnonzero((single & ~told["title"].is_first_distinct()).to_numpy())
        if not len(rows):
            break
        again = take(reports, rows)
        facts[rows] = draw_facts(grammar, again.event, rng)
        anew = tell(grammar, again, facts[rows], rng).with_columns(row=pl.Series(rows).cast(pl.UInt32))
        told = told.with_row_index("row").update(anew, on="row", include_nulls=True).drop("row")
    return told


def _particulars(
    grammar: Grammar, reports: Reports, private: Bools, rng: np.random.Generator
) -> pl.DataFrame:
    n = len(reports)
    u = rng.random((5, n))
    people, count = grammar.cast["first"], grammar.cast["last"]
    byline = pl.DataFrame(
        {
            "a": pl.Series(people).gather((np.maximum(reports.publisher, 0) % len(people)).astype(np.uint32)),
            "b": pl.Series(count).gather(rng.integers(len(count), size=n).astype(np.uint32)),
        }
    ).select(pl.concat_str("a", "b", separator=" "))
    language = pl.Series([event.language for event in grammar.events]).gather(reports.event.astype(np.uint32))
    flags = pl.DataFrame(
        {
            "r": reports.is_rumour & (u[0] < 0.5),
            "private": private,
            "e": (u[2] < 0.05) & (reports.publisher >= 0),
        }
    )
    return pl.DataFrame(
        {
            "item_type": kind_names(reports.kind),
            "author": byline.to_series().set(pl.Series((reports.publisher < 0) | (u[3] < 0.35)), None),
            "language": language.set(pl.Series(u[4] < 0.2) & (language == "en"), None),
        }
    ).with_columns(
        flags.select(
            claims=pl.when("r").then(pl.lit(["unverified"])),
            evidence=pl.when("e").then(pl.lit(["https://filings.example/register"])),
            risk_flags=pl.when("private")
            .then(pl.lit(["private_data"]))
            .when("r")
            .then(pl.lit(["unverified_claim"])),
        )
    )


def _raw_columns() -> list[pl.Expr]:
    at = {"collected_at": pl.col("collected_us"), "observed_at": pl.col("collected_us")}
    return [at.get(name, pl.col(name)).alias(name) for name in RAW_COLUMNS]


def _story_name() -> pl.Expr:
    return pl.concat_str(pl.lit("s"), pl.col("story").cast(pl.String).str.zfill(7)).alias("story")


def _true_items(raw: pl.DataFrame, items: pl.DataFrame, reports: Reports, code: Ints) -> pl.DataFrame:
    origin = pl.Series("copy_of", code[np.maximum(reports.copy_of, 0)]).set(
        pl.Series(reports.copy_of < 0), None
    )
    facts = pl.DataFrame(
        {
            "item": items["item"].cast(pl.String),
            "item_type": items["item_type"],
            "story": reports.story,
            "copy_of": origin.cast(pl.String),
            "brigade": reports.is_brigade,
            "clean_url": items["url"],
            "kind": np.select(
                [
                    reports.is_brigade,
                    reports.is_denial,
                    reports.is_rumour,
                    reports.copy_of >= 0,
                    ~reports.is_single,
                ],
                ["brigade", "denial", "rumour", "copy", "report"],
                "single",
            ),
        }
    ).with_columns(_story_name())
    seen = raw.group_by(
        "item", "source", "native_id", pl.col("url").is_not_null().alias("has_url"), maintain_order=True
    ).agg(
        n_rows=pl.len(),
        is_late=pl.col("is_late").first(),
        is_edited=(pl.col("is_edited") & (pl.col("turn") > 0)).any(),
    )
    return seen.join(facts, on="item", how="left", maintain_order="left").select(
        "item",
        "item_type",
        "source",
        "native_id",
        url=pl.when("has_url").then("clean_url"),
        story="story",
        copy_of="copy_of",
        kind="kind",
        brigade="brigade",
        n_rows="n_rows",
        is_late="is_late",
        is_edited="is_edited",
        is_identified=pl.col("has_url") | pl.col("native_id").is_not_null(),
    )


def _with_item_ids(addresses: pl.DataFrame) -> pl.DataFrame:
    """The rows with the id that normalising gives such an address; rows of one id are one item."""
    given = addresses.select("item_type", "source", "native_id", "url").with_row_index("raw_row", offset=1)
    lines = given.with_columns(
        pl.col("raw_row").cast(pl.Int64), collected_at=pl.lit(FIRST_DAY).cast(pl.String)
    )
    ids = normalise(lines.lazy()).select("raw_row", "item_id").collect().sort("raw_row")
    return (
        addresses.insert_column(1, ids["item_id"])
        .with_columns(n_rows=pl.col("n_rows").sum().over(pl.coalesce("item_id", "item")).cast(pl.Int64))
        .filter(pl.col("item_id").is_first_distinct() | pl.col("item_id").is_null())
    )
