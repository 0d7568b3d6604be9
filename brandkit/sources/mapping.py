"""Column mappings: how somebody else's table is read as raw rows."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping as MappingABC
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

import polars as pl
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from brandkit.errors import MappingError, near_name
from brandkit.normalise.columns import LISTS, LOCATORS, RAW_COLUMNS, TIMES
from brandkit.normalise.times import reading
from brandkit.normalise.values import LIST_SEPARATOR, NAMES, split_lists
from brandkit.profile_errors import explain_validation


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _zone(value: str) -> str:
    if value not in available_timezones():
        hint = near_name(value, available_timezones())
        raise ValueError(f"unknown time zone '{value}'; an IANA name such as 'Europe/Paris' {hint}".rstrip())
    return value


class TimeRules(_Frozen):
    """How the table's times are to be read.

    ``zone`` is declared for times that state none; ``formats`` are strftime forms to try first;
    ``unit`` is that of numbers; ``collected_at`` names what stands for the time of collection in a
    table that does not know it (``published_at`` for an archive).
    """

    zone: Annotated[str, AfterValidator(_zone)] | None = None
    formats: tuple[str, ...] = ()
    unit: Literal["s", "ms", "us"] | None = None
    collected_at: Literal["published_at", "observed_at"] | None = None


class ListRules(_Frozen):
    """How lists are written in one cell of text."""

    separator: Annotated[str, Field(min_length=1)] = LIST_SEPARATOR


class Mapping(_Frozen):
    """Which column of a table stands for which of ours: frozen, validated, from TOML or a dict.

    ``columns`` has our name on the left and the table's on the right. With ``columns`` only what
    stands there is read; without, columns that bear our names are. ``constants`` hold for every row.

    Raises: MappingError for unknown keys or names, naming the file and what is near.

    >>> Mapping.from_dict({"columns": {"title": "headline"}, "time": {"zone": "UTC"}}).columns["title"]
    'headline'
    """

    columns: dict[str, str] = {}
    constants: dict[str, str | int | float | bool] = {}
    time: TimeRules = TimeRules()
    lists: ListRules = ListRules()

    @model_validator(mode="after")
    def _fits_raw_rows(self) -> Self:
        for table, names in (("columns", self.columns), ("constants", self.constants)):
            for name in names:
                if name not in RAW_COLUMNS:
                    hint = near_name(name, RAW_COLUMNS)
                    raise ValueError(
                        f"unknown column '{name}' in [{table}]; "
                        f"known: {', '.join(RAW_COLUMNS)}. {hint}".rstrip()
                    )
        if both := sorted(set(self.columns) & set(self.constants)):
            raise ValueError(
                f"'{both[0]}' stands in [columns] and in [constants]; it can be only one of them"
            )
        if self.time.collected_at and "collected_at" in {**self.columns, **self.constants}:
            raise ValueError(
                "collected_at is mapped, and [time] collected_at says what stands for it; "
                "it can be only one of them"
            )
        return self

    @classmethod
    def from_toml(cls, path: str | Path) -> Mapping:
        """The mapping in a TOML file."""
        path = Path(path)
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise MappingError(f"no mapping at '{path}'", hint="data/mappings has examples to copy") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise MappingError(f"cannot read the mapping: {error}", where=f"in {path}") from None
        return cls.from_dict(document, where=str(path))

    @classmethod
    def from_dict(cls, document: MappingABC[str, Any], *, where: str = "the mapping") -> Mapping:
        """The mapping in a dict of TOML's shape; ``where`` is named in errors."""
        try:
            return cls.model_validate(dict(document))
        except ValidationError as error:
            raise _explained(error, where=where) from None

    @classmethod
    def of(cls, given: Mapping | MappingABC[str, Any] | str | Path | None) -> Mapping:
        """The mapping meant by a mapping, a dict, a path to a TOML file, or nothing."""
        if given is None:
            return cls()
        if isinstance(given, Mapping):
            return given
        return cls.from_toml(given) if isinstance(given, str | Path) else cls.from_dict(given)

    def with_zone(self, zone: str | None) -> Mapping:
        """The same mapping with another declared zone; None changes nothing.

        Raises: MappingError for a zone that is not an IANA name.
        """
        if zone is None:
            return self
        document = self.model_dump()
        return Mapping.from_dict({**document, "time": {**document["time"], "zone": zone}}, where="timezone=")

    @property
    def wanted(self) -> dict[str, str]:
        """Our names and the table's, for the columns that will be read where they are there."""
        return (
            dict(self.columns)
            if self.columns
            else {name: name for name in RAW_COLUMNS if name not in self.constants}
        )

    def apply(self, table: pl.LazyFrame, *, where: str = "the table") -> pl.LazyFrame:
        """The table as raw rows, by expressions only.

        Shape:  the same rows; the raw columns that are mapped, and the locators that are there.
        Raises: MappingError where a column that is named is not in the table, or nothing fits.
        """
        schema = table.collect_schema()
        self._check(schema, where)
        there = {ours: theirs for ours, theirs in self.wanted.items() if theirs in schema}
        raw = [self._column(ours, theirs, schema[theirs]) for ours, theirs in there.items()]
        fixed = [pl.lit(value).alias(name) for name, value in self.constants.items()]
        kept = [pl.col(name) for name in LOCATORS if name in schema and name not in there]
        rows = table.select(*kept, *raw, *fixed)
        if (stand_in := self.time.collected_at) is None:
            return rows
        if stand_in not in there and stand_in not in self.constants:
            raise MappingError(
                f"'{stand_in}' is to stand for collected_at, and is not mapped",
                where=f"in {where}, [time] collected_at",
                hint=f'add {stand_in} = "<a column of the table>" under [columns]',
            )
        return rows.with_columns(pl.col(stand_in).alias("collected_at"))

    def _column(self, ours: str, theirs: str, dtype: pl.DataType) -> pl.Expr:
        if ours in LISTS and dtype == pl.String:
            split = partial(split_lists, separator=self.lists.separator)
            return pl.col(theirs).map_batches(split, return_dtype=NAMES, is_elementwise=True).alias(ours)
        rules = self.time
        if ours not in TIMES or not (rules.zone or rules.formats or rules.unit):
            return pl.col(theirs).alias(ours)
        at = reading(theirs, dtype, zone=rules.zone, formats=rules.formats, unit=rules.unit).struct.field(
            "at"
        )
        if isinstance(dtype, pl.Datetime) and dtype.time_zone:
            return at.alias(ours)
        # What could not be read goes on as it was, so that normalise can say what was lost.
        text = (
            pl.col(theirs).dt.to_string("iso:strict")
            if dtype.is_temporal()
            else pl.col(theirs).cast(pl.String, strict=False)
        )
        return pl.coalesce(at.dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ"), text).alias(ours)

    def _check(self, schema: pl.Schema, where: str) -> None:
        names = [name for name in schema.names() if name not in LOCATORS]
        for ours, theirs in self.columns.items():
            if theirs not in schema:
                raise MappingError(
                    f"no column '{theirs}' in {where}",
                    where=f"mapped to {ours} in [columns]",
                    allowed=f"there are: {_shown(names)}",
                    hint=near_name(theirs, names),
                )
        if names and not any(theirs in schema for theirs in self.wanted.values()):
            raise MappingError(
                f"none of our columns is in {where}",
                allowed=f"there are: {_shown(names)}\n  known: {', '.join(RAW_COLUMNS)}",
                hint=suggested(names),
            )


def _shown(names: list[str]) -> str:
    return ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "") or "none"


# What other people call our columns. Only for suggesting: nothing is ever mapped by guess.
_ALIASES = {
    "native_id": ("id", "post_id", "tweet_id", "object_id", "objectid", "guid", "article_id"),
    "source": ("feed", "platform", "subreddit", "channel", "site"),
    "url": ("link", "permalink", "href", "address", "documentidentifier"),
    "account": ("user", "username", "user_id", "account_id", "screen_name", "handle"),
    "author": ("byline", "creator", "writer", "by"),
    "language": ("lang", "locale"),
    "title": ("headline", "heading", "subject", "name"),
    "summary": ("description", "text", "body", "content", "snippet", "abstract"),
    "published_at": (
        "published",
        "pubdate",
        "date",
        "created_at",
        "created",
        "created_utc",
        "timestamp",
        "datetime",
    ),
    "collected_at": ("collected", "crawled_at", "fetched_at", "seendate", "scraped_at", "ingested_at"),
    "observed_at": ("observed", "snapshot_at"),
    "reactions": ("likes", "score", "points", "num_points", "like_count", "ups", "favorites"),
    "comments": ("num_comments", "comment_count", "replies", "n_comments"),
    "shares": ("retweets", "share_count", "reposts"),
    "views": ("view_count", "impressions", "plays"),
    "followers": ("follower_count", "subscribers"),
}


def suggested(names: list[str]) -> str:
    """A mapping to begin with, for a table with these columns, as lines of TOML."""
    lower = {name.lower(): name for name in names}
    found = {
        ours: next((lower[alias] for alias in aliases if alias in lower), None)
        for ours, aliases in _ALIASES.items()
    }
    lines = [f'{ours} = "{theirs}"' for ours, theirs in found.items() if theirs] or [
        'title = "<a column>"',
        'url = "<a column>"',
    ]
    return "give a mapping, such as:\n    [columns]\n    " + "\n    ".join(lines)


def _explained(error: ValidationError, *, where: str) -> MappingError:
    found = explain_validation(error, where=where, model=Mapping)
    return MappingError(found.what, where=found.where, allowed=found.allowed, hint=found.hint)
