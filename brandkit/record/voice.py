"""Who was spoken of, by day, by tier of publisher and by tone: items and stories counted apart.

One newsroom's text in forty papers is forty items and one story; which of the two is the loudness of
a name is for the reader to say, so both are given and neither is made of the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

import polars as pl

from brandkit import schemas
from brandkit.errors import UsageError, unknown
from brandkit.profile import BrandProfile
from brandkit.record.series import Days, days_of
from brandkit.safe import terminal
from brandkit.signals.sentiment import TONE, TONES, tone

if TYPE_CHECKING:
    from brandkit.store.state import StateStore

KINDS = ("own", "rival", "watched")
KIND = pl.Enum(KINDS)
TIERS = tuple(schemas.TIER.categories)
VOICE: schemas.Columns = {
    "day": pl.Date, "name": pl.String, "kind": KIND, "tier": schemas.TIER, "tone": TONE,
    "n_items": pl.Int64, "n_stories": pl.Int64, "share_items": pl.Float64, "share_stories": pl.Float64,
}  # fmt: skip
_SOUGHT: schemas.Columns = {"day": pl.Date, "name": pl.String, "kind": KIND}
_OPTIONAL: schemas.Columns = {
    "story_id": pl.String, "tier": schemas.TIER, "sentiment": pl.Float64, "copy_of": pl.String,
}  # fmt: skip
_READ = ("item_id", "story_id", "entities", "tier", "sentiment", "copy_of")
_CELL = ("day", "name", "tier", "tone")
_MOST_SAID = 3


def share_of_voice(
    records: pl.DataFrame | pl.LazyFrame,
    names: Mapping[str, Iterable[str]],
    *,
    days: Collection[date] = (),
    timezone: str = "UTC",
) -> pl.DataFrame:
    """How often each name was spoken of on each day: by publishers of which tier, in which tone.

    An item that names two names counts for both. A story counts once for a name and a day: under the
    best tier among its items that name it that day, and in their median tone (originals only, where
    there are any: a text that was copied forty times is one voice).

    Args:
        records: ``item_id``, ``entities`` and the day: ``run_on``, or else ``collected_at``, taken
            in ``timezone``. Where there are such columns, ``story_id`` (an item without one is a
            story of its own), ``tier``, ``sentiment`` and ``copy_of`` too.
        names: ``own``, ``rival`` and ``watched`` names.
        days: days that were looked at, beside those of the records.
        timezone: whose days they are.

    Shape:  ``VOICE``: a row for every day, name, tier and tone, sorted by day, kind, name, tier, tone.
            ``share_items`` and ``share_stories`` are of the day's sum over all names, so that they
            add up to 1 a day; n_items and n_stories add up over tiers and tones.
    Nulls:  0 where a day was looked at and nobody named the name; a day that was not looked at has no
            row. Shares are null on a day without any mention. A null tier is ``unlisted``, a null
            sentiment ``unmeasured``; null entities name nobody.
    Raises: UsageError for records without a column it needs, an item twice on a day, a tier that is
            none, and a name or kind that is not right.

    Example:
        >>> records = pl.DataFrame(
        ...     {"run_on": [date(2026, 3, 2)] * 2, "item_id": ["a", "b"], "story_id": ["s", "s"],
        ...      "entities": [["Nordlys"]] * 2, "tier": ["A", "C"], "sentiment": [0.4, 0.2]}
        ... )
        >>> found = share_of_voice(records, {"own": ["Nordlys"]})
        >>> found.filter(pl.col("n_items") > 0).select("tier", "tone", "n_items", "n_stories").rows()
        [('A', 'positive', 1, 1), ('C', 'positive', 1, 0)]
    """
    dated = _dated(records.lazy(), timezone)
    known = dated["day"].drop_nulls().unique().to_list()
    sought = pl.DataFrame(_named(names), schema={"name": pl.String, "kind": KIND}, orient="row")
    calendar = pl.DataFrame({"day": sorted({*known, *days})}, schema={"day": pl.Date})
    return _counted(_mentions(dated), calendar.join(sought, how="cross").select(*_SOUGHT))


@dataclass(frozen=True, slots=True)
class Voice:
    """Who was spoken of over some days: print it, or take the frames.

    Shape: ``frame`` as ``share_of_voice`` gives it, of the names that each day's own profile looked
           for; a day of the span that no complete run covers (``days.without_run``) has no row.
    """

    days: Days
    frame: pl.DataFrame

    def by_name(self) -> pl.DataFrame:
        """The counts of each name over all the days, as ``summed`` gives them."""
        return summed(self.frame)

    def by_day(self) -> pl.DataFrame:
        """The counts of each day and name, as ``summed`` gives them."""
        return summed(self.frame, by=("day", "name", "kind"))

    def headlines(self) -> tuple[str, ...]:
        """The days that were looked at, and who was named most in them, a sentence each."""
        span = self.days.sentence()
        loud = self.by_name().filter(pl.col("n_items") > 0).sort("n_items", "name", descending=[True, False])
        if loud.is_empty():
            return (span, "Nobody named any of the profile's names.")
        told = [
            f"{row['name']} {row['share_items']:.0%} ({row['share_stories']:.0%})"
            for row in loud.head(_MOST_SAID).to_dicts()
        ]
        return (span, f"Share of mentions by item (by story): {', '.join(told)}.")

    def text(self) -> str:
        """The sentences, one a line; control characters are made visible."""
        return "\n".join(terminal(line) for line in self.headlines())

    def __str__(self) -> str:
        """The same."""
        return self.text()


def voice(
    store: StateStore,
    profile_id: str,
    *,
    first: date | None = None,
    last: date | None = None,
    days: int = 28,
) -> Voice:
    """Who was spoken of in a profile's daily runs: the latest complete attempt of each day.

    A day's names are those of the profile that its run froze: a name that came in later has no row
    for that day, because nobody looked for it. An item or a story that goes on counts on every day
    on which it was seen.

    Args:
        store: where the runs are; only read.
        profile_id: whose runs.
        first: the first day; without it, ``days`` up to the last.
        last: the last day; without it, that of the latest run.
        days: how many days, where ``first`` is not given.

    Raises: UnknownError where no run is of these days; UsageError for days that are no span.
    """
    with store.reading():
        span = days_of(store, profile_id, first=first, last=last, days=days)
        # One run at a time: what names somebody is a small part of it, and the rest is let go.
        found = [_mentions(_of_run(store.records(run, columns=_READ), run.run_on)) for run in span.runs]
    frozen = {run.profile_hash: run.profile_json for run in span.runs}
    names = {hash_: _named(names_of(BrandProfile.from_snapshot(text))) for hash_, text in frozen.items()}
    sought = [(run.run_on, name, kind) for run in span.runs for name, kind in names[run.profile_hash]]
    return Voice(span, _counted(pl.concat(found), pl.DataFrame(sought, schema=dict(_SOUGHT), orient="row")))


def summed(frame: pl.DataFrame, *, by: Collection[str] = ("name", "kind")) -> pl.DataFrame:
    """The counts of ``share_of_voice`` added up, tiers and tones side by side.

    Shape:  ``by``; ``n_days`` the days on which the name was looked for; n_items, share_items and
            items by tier (``items_A`` to ``items_unlisted``); n_stories, share_stories and stories
            by tone (``stories_negative`` to ``stories_unmeasured``). Own names first, then by
            stories; by day first where ``by`` has it. Shares are of the sum over all names, of a day
            where ``by`` has it.
    Nulls:  shares where nobody was named at all.
    """
    of = ["day"] if "day" in by else []
    added = frame.group_by(by).agg(
        pl.col("day").n_unique().cast(pl.Int64).alias("n_days"),
        pl.col("n_items").sum(),
        *(pl.col("n_items").filter(pl.col("tier") == tier).sum().alias(f"items_{tier}") for tier in TIERS),
        pl.col("n_stories").sum(),
        *(pl.col("n_stories").filter(pl.col("tone") == one).sum().alias(f"stories_{one}") for one in TONES),
    )
    order = [*of, "kind", "n_stories", "n_items", "name"]
    return (
        added.with_columns(_shares(of))
        .select(
            *by, "n_days", "n_items", "share_items", *(f"items_{tier}" for tier in TIERS),
            "n_stories", "share_stories", *(f"stories_{one}" for one in TONES),
        )
        .sort(
            [name for name in order if name in added.columns],
            descending=[name.startswith("n_") for name in order if name in added.columns],
        )
    )  # fmt: skip


def names_of(profile: BrandProfile) -> dict[str, list[str]]:
    """The own, rival and watched names of a profile, as ``share_of_voice`` takes them."""
    topics = {"own": profile.own, "rival": profile.rivals, "watched": profile.watched}
    return {kind: [topic.name for topic in found] for kind, found in topics.items()}


def _named(names: Mapping[str, Iterable[str]]) -> list[tuple[str, str]]:
    """Each name with its kind, checked."""
    found: dict[str, str] = {}
    for kind, given in names.items():
        if kind not in KINDS:
            raise unknown("kind of name", kind, KINDS)
        # A lone text would be read as a list of its letters.
        if isinstance(given, str):
            raise UsageError(f"the {kind} names are one text: '{given}'", allowed="a list of names")
        for name in given:
            if found.setdefault(name, kind) != kind:
                raise UsageError(
                    f"'{name}' is {found[name]} and {kind}", hint="a name has one kind: leave one out"
                )
    return list(found.items())


def _of_run(records: pl.DataFrame, on: date) -> pl.DataFrame:
    return records.with_columns(day=pl.lit(on, pl.Date))


def _dated(records: pl.LazyFrame, timezone: str) -> pl.DataFrame:
    """The records with their day and every column that is counted by."""
    given = records.collect_schema()
    day = "run_on" if "run_on" in given else "collected_at"
    if absent := [name for name in ("item_id", "entities", day) if name not in given]:
        lacking = "run_on or collected_at" if day in absent else absent[0]
        raise UsageError(
            f"records without {lacking}", allowed="item_id, entities, and run_on or collected_at"
        )
    if timezone not in available_timezones():
        raise UsageError(f"'{timezone}' is no time zone", allowed="a name such as UTC or Europe/Oslo")
    local = pl.col(day) if day == "run_on" else pl.col(day).dt.convert_time_zone(timezone).dt.date()
    more = [pl.col(name) for name in _OPTIONAL if name in given]
    return records.select("item_id", "entities", *more, day=local).collect(engine="in-memory")


def _mentions(records: pl.DataFrame) -> pl.DataFrame:
    """One row for each name of each item, with what it is counted by.

    Raises: UsageError for an item that stands twice on a day, and for a tier that is none.
    """
    said = records.filter(pl.col("entities").list.len() > 0, pl.col("day").is_not_null())
    twice = said.filter(pl.struct("day", "item_id").is_duplicated()).sort("day", "item_id")
    if twice.height:
        raise UsageError(
            f"item {twice['item_id'][0]} stands twice on {twice['day'][0]}",
            hint="give the records of one run a day: the latest attempt",
        )
    if "tier" in said.columns:
        odd = said.filter(~pl.col("tier").cast(pl.String).is_in(TIERS))["tier"].cast(pl.String)
        if len(odd):
            raise UsageError(f"'{odd.sort()[0]}' is no tier", allowed=", ".join(TIERS))
    known = [
        (pl.col(name) if name in said.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in _OPTIONAL.items()
    ]
    return (
        said.with_columns(known)
        .select(
            "day",
            "copy_of",
            pl.col("sentiment").fill_nan(None),
            # The two never share a name: a story's id is its own, an item's stands for a story of one.
            story=pl.concat_str(
                pl.when(pl.col("story_id").is_null()).then(pl.lit("item ")).otherwise(pl.lit("story ")),
                pl.coalesce("story_id", "item_id"),
            ),
            tier=pl.col("tier").fill_null(pl.lit("unlisted", schemas.TIER)),
            tone=tone(pl.col("sentiment")),
            name=pl.col("entities").list.unique(),
        )
        .explode("name")
    )


def _counted(mentions: pl.DataFrame, sought: pl.DataFrame) -> pl.DataFrame:
    """The counts of every day and name that was sought, in every tier and tone, with their shares."""
    asked = mentions.join(sought, on=["day", "name"], how="semi")
    items = asked.group_by(_CELL).agg(n_items=pl.len().cast(pl.Int64))
    stories = _folded(asked).group_by(_CELL).agg(n_stories=pl.len().cast(pl.Int64))
    cells = sought.join(pl.DataFrame({"tier": TIERS}, schema={"tier": schemas.TIER}), how="cross").join(
        pl.DataFrame({"tone": TONES}, schema={"tone": TONE}), how="cross"
    )
    return (
        cells.join(items, on=_CELL, how="left")
        .join(stories, on=_CELL, how="left")
        .with_columns(pl.col("n_items", "n_stories").fill_null(0))
        .with_columns(_shares(["day"]))
        .select(*VOICE)
        .sort("day", "kind", "name", "tier", "tone")
    )


def _folded(mentions: pl.DataFrame) -> pl.DataFrame:
    """One row for each story of a day and name: its best tier there, and the word for its median tone."""
    heard = pl.col("sentiment")
    original = heard.filter(pl.col("copy_of").is_null()).median()
    # Tiers stand from best to unlisted, and the order of an Enum is that of its places.
    best = pl.col("tier").to_physical().min().cast(pl.UInt32)
    return (
        mentions.group_by("day", "name", "story")
        .agg(_tier=best, _heard=pl.coalesce(original, heard.median()).round(4))
        .select(
            "day",
            "name",
            tier=pl.col("_tier").replace_strict(
                list(range(len(TIERS))), list(TIERS), return_dtype=schemas.TIER
            ),
            tone=tone(pl.col("_heard")),
        )
    )


def _shares(of: list[str]) -> list[pl.Expr]:
    """Items and stories as shares of the sum over all names; null where that is 0."""
    shares = []
    for what in ("items", "stories"):
        n = pl.col(f"n_{what}")
        total = n.sum().over(of) if of else n.sum()
        shares.append(pl.when(total > 0).then(n / total).alias(f"share_{what}"))
    return shares
