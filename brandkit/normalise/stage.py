"""The first stage: raw rows read row by row into the columns of an item, with what is wrong noted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

import polars as pl

from brandkit import schemas
from brandkit.normalise.columns import COUNTS, LISTS, LOCATORS, RAW_COLUMNS, TEXTS, TIMES, as_text, was_given
from brandkit.normalise.identity import (
    ON_PLATFORM,
    SEPARATOR,
    account_keys,
    author_keys,
    digest_expr,
    joined,
)
from brandkit.normalise.text import SUMMARY_CHARACTERS, TITLE_CHARACTERS, clean_text, cut
from brandkit.normalise.times import EARLIEST, LATEST, reading
from brandkit.normalise.urls import no_url_columns, url_columns
from brandkit.normalise.values import count, links, names
from brandkit.pipeline import RunContext

# Clocks and time zones are wrong by hours; a day ahead of being collected is still believed.
_AHEAD = timedelta(days=2)
_SHORT_TEXT = 300
_UNTOLD = re.compile("Binary|Object")
# What stands where a person stood who is not to be kept by name.
ERASED, _ACCOUNT = "[erased]", "[account]"

Schema = Mapping[str, pl.DataType]


def normalise(raw: pl.LazyFrame, ctx: RunContext | None = None, *, pseudonymise: bool = True) -> pl.LazyFrame:
    """Raw rows as the columns of an item, each row on its own; ``admit`` judges and folds them.

    Shape:  the same rows. Item columns but revision and seen_at; plus observed_at, ``reject_reasons``
            (List(String), empty for a good row), raw_file, raw_row, raw_text and ``raw``, the row as it came.
    Nulls:  what cannot be read is null and its column is named in ``lost``; nothing is guessed.

    Args:
        raw: any of the raw columns, of any dtype.
        ctx: whose history says who was erased; what they post is refused, and their bylines are blanked.
        pseudonymise: replace accounts by their ``account_key``, and leave them out of ``raw``.
    """
    frame, schema = _located(raw)
    if pseudonymise and "account" in schema:
        there = pl.when(pl.col("account").is_not_null()).then(pl.lit(_ACCOUNT)).alias("account")
        frame = frame.with_columns(raw=pl.col("raw").struct.with_fields(there))
    frame = _read(frame, schema)
    for name in ("url", "target_url"):
        frame = url_columns(frame, name) if name in schema else no_url_columns(frame, name)
    frame = _timed(frame)
    frame = _published(frame, pseudonymise=pseudonymise)
    frame = _forgotten(frame, ctx)
    frame = frame.with_columns(
        title=cut(pl.col("_title"), at=TITLE_CHARACTERS),
        summary=cut(pl.col("_summary"), at=SUMMARY_CHARACTERS),
    )
    frame = frame.with_columns(
        _lost(schema).alias("lost"), _reasons().alias("reject_reasons"), _identity().alias("item_id")
    )
    frame = frame.with_columns(content_hash=digest_expr(_content()))
    kept = [name for name in schemas.ITEM if name not in ("revision", "seen_at")]
    return frame.select(*kept, "observed_at", "reject_reasons", "raw_file", "raw_row", "raw_text", "raw")


def _located(frame: pl.LazyFrame) -> tuple[pl.LazyFrame, dict[str, pl.DataType]]:
    """The row as it came in one struct, ``raw``, and its place in the columns of LOCATORS."""
    there = frame.collect_schema()
    if not there:
        # A frame without columns has no rows either; constants would make one of it.
        frame = pl.LazyFrame(schema={"raw_row": pl.Int64()})
    schema = {name: there[name] for name in RAW_COLUMNS if name in there}
    # Bytes, and whatever holds bytes or Python objects, would stop the writing of a reject.
    untold = [n for n, dtype in schema.items() if dtype.is_nested() and _UNTOLD.search(str(dtype))]
    there_was = pl.struct(unreadable=pl.lit(value=True))
    frame = frame.with_columns(pl.when(pl.col(n).is_not_null()).then(there_was).alias(n) for n in untold)
    text = [
        pl.col(n).cast(pl.String, strict=False)
        for n, dtype in schema.items()
        if dtype in (pl.Binary, pl.Categorical) or isinstance(dtype, pl.Enum)
    ]
    frame = frame.with_columns(text)
    schema = {name: frame.collect_schema()[name] for name in schema}
    locators = [
        (pl.col(name).cast(dtype, strict=False) if name in there else pl.lit(None, dtype=dtype)).alias(name)
        for name, dtype in LOCATORS.items()
    ]
    nothing = pl.lit(None, dtype=pl.Struct({"native_id": pl.String}))
    raw = pl.struct(list(schema)) if schema else nothing
    return frame.with_columns(*locators, raw.alias("raw")).select(*schema, *LOCATORS, "raw"), schema


def _read(frame: pl.LazyFrame, schema: Schema) -> pl.LazyFrame:
    """Every column in its dtype, and ``_had_*`` where a loss would matter."""
    null_text = pl.lit(None, dtype=pl.String)
    read: dict[str, pl.Expr] = {}
    for name in (*TEXTS, "url", "target_url"):
        text = as_text(name, schema[name]) if name in schema else null_text
        read["_" + name if name in ("title", "summary") else name] = (
            clean_text(text) if name not in ("native_id", "url", "target_url") and name in schema else text
        )
    for name in COUNTS:
        read[name] = count(name, schema[name]) if name in schema else pl.lit(None, dtype=pl.Int64)
    for name in LISTS:
        read[name] = names(name, schema[name]) if name in schema else pl.lit([], dtype=schemas.NAMES)
    for name in TIMES:
        read["_" + name] = reading(name, schema[name]) if name in schema else reading(name, pl.Null())
    nothing = pl.lit(value=False)
    had = {"_had_" + n: was_given(n, schema[n]) if n in schema else nothing for n in RAW_COLUMNS}
    frame = frame.with_columns(**had).with_columns(**read)
    tidy = {
        "language": pl.col("language").str.to_lowercase().str.replace_all("_", "-", literal=True),
        "item_type": pl.col("item_type").str.to_lowercase(),
        **{n: cut(pl.col(n), at=_SHORT_TEXT) for n in ("source", "account", "author", "native_id")},
    }
    frame = frame.with_columns(**tidy)
    known = pl.col("item_type").is_in(list(schemas.ITEM_TYPE.categories))
    return frame.with_columns(
        item_type=pl.when(known).then(pl.col("item_type")).otherwise(pl.lit("other")).cast(schemas.ITEM_TYPE),
        _unknown_type=pl.col("item_type").is_not_null() & ~known,
        _n_evidence=pl.col("evidence").list.len(),
        evidence=links(pl.col("evidence")),
    )


def _timed(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Times that can be true. A row observed but not collected was collected when it was observed."""
    at = {name: pl.col("_" + name).struct.field("at") for name in TIMES}
    sane = {name: pl.when(value.is_between(EARLIEST, LATEST)).then(value) for name, value in at.items()}
    frame = frame.with_columns(
        collected_at=pl.coalesce(sane["collected_at"], sane["observed_at"]), observed_at=sane["observed_at"]
    )
    published = sane["published_at"]
    return frame.with_columns(
        published_at=pl.when(published <= pl.col("collected_at") + _AHEAD).then(published)
    )


def _published(frame: pl.LazyFrame, *, pseudonymise: bool) -> pl.LazyFrame:
    """Where it came through, whose it is, and who published it."""
    frame = frame.with_columns(
        source=pl.coalesce("source", "_url_domain", "_url_host"), domain=pl.col("_url_domain")
    )
    if pseudonymise:
        pair = pl.col("source") + SEPARATOR + pl.col("account")
        keyed = pair.map_batches(account_keys, return_dtype=pl.String, is_elementwise=True)
        frame = frame.with_columns(account=keyed)
    on_platform = pl.col("item_type").cast(pl.String).is_in(ON_PLATFORM)
    by_account = (pl.col("source") + ":" + pl.col("account")).str.to_lowercase()
    return frame.with_columns(
        publisher=pl.when(on_platform).then(by_account).otherwise(pl.col("domain")),
        _on_platform=on_platform,
    )


def _forgotten(frame: pl.LazyFrame, ctx: RunContext | None) -> pl.LazyFrame:
    """The rows with ``_is_erased``, for posts of an erased account, and without the erased in bylines."""
    erased = None if ctx is None else ctx.history.erased
    if erased is None or erased.is_empty():
        return frame.with_columns(_is_erased=pl.lit(value=False))
    kinds = ("account", "author")
    gone = {kind: erased.filter(pl.col("kind") == kind)["account"].to_list() for kind in kinds}
    wrote = author_keys(pl.col("author")).list.eval(pl.element().is_in(gone["author"])).list.any()
    is_erased = pl.col("account").is_in(gone["account"]).fill_null(value=False)
    blank = pl.when(is_erased).then(pl.lit(ERASED))
    return frame.with_columns(
        author=pl.when(wrote).then(pl.lit(ERASED)).otherwise("author"),
        _is_erased=is_erased,
        raw_text=blank.otherwise("raw_text"),
    )


def _identity() -> pl.Expr:
    """A hash of ``url:<key>`` or of ``id:<source><SEPARATOR><native id>``; null where there is neither."""
    by_id = "id:" + pl.col("source").str.to_lowercase() + SEPARATOR + pl.col("native_id")
    by_url = "url:" + pl.col("_url_key")
    ours = (
        pl.when(pl.col("_on_platform")).then(pl.coalesce(by_id, by_url)).otherwise(pl.coalesce(by_url, by_id))
    )
    return digest_expr(ours)


def _content() -> pl.Expr:
    """Everything an edit could change, as one text. Counts and the way an item came are not content."""
    lists = [pl.col(name).list.join("\x1e") for name in LISTS]
    texts = [pl.col(name) for name in ("author", "language", "title", "summary")]
    published = pl.col("published_at").dt.epoch("us").cast(pl.String)
    return joined(
        [
            pl.col("item_type").cast(pl.String),
            pl.col("_target_url_key"),
            *texts,
            published,
            *lists,
            pl.col("_url_key"),
        ]
    )


def _lost(schema: Schema) -> pl.Expr:
    """The names of what the source gave and the item has not, in a fixed order."""
    notes: list[pl.Expr] = []
    for name in RAW_COLUMNS:
        if name not in schema or name in ("native_id", "collected_at", "observed_at"):
            continue
        had = pl.col("_had_" + name)
        if name in ("title", "summary"):
            limit = TITLE_CHARACTERS if name == "title" else SUMMARY_CHARACTERS
            gone = had if schema[name].is_nested() else pl.col("_" + name).str.len_chars() > limit
        elif name == "item_type":
            gone = pl.col("_unknown_type")
        elif name == "evidence":
            gone = had & (
                (pl.col("_n_evidence") > pl.col("evidence").list.len()) | (pl.col("_n_evidence") == 0)
            )
            gone = gone & _not_empty(name, schema[name])
        elif name in LISTS:
            gone = had & (pl.col(name).list.len() == 0) & _not_empty(name, schema[name])
        else:
            gone = had & pl.col(name).is_null()
        if name == "published_at":
            naive = gone & pl.col("_published_at").struct.field("naive")
            notes.append(pl.when(naive).then(pl.lit("naive_time:published_at")))
            gone = gone & ~naive
        notes.append(pl.when(gone).then(pl.lit(name)))
    return _listed(notes)


def _not_empty(name: str, dtype: pl.DataType) -> pl.Expr:
    raw = pl.col("raw").struct.field(name)
    if isinstance(dtype, pl.List):
        return raw.list.len() > 0
    if dtype == pl.String:
        return ~raw.str.strip_chars().is_in(["[]", ""])
    return raw.is_not_null()


def _reasons() -> pl.Expr:
    """Why a row cannot be an item: unreadable, no identity, no time, or nothing in it."""
    notes = [pl.when("_is_erased").then(pl.lit("erased")), pl.col("raw_error")]
    for name in ("collected_at", "observed_at"):
        read = pl.col("_" + name).struct
        naive = read.field("naive")
        bad = (
            _was_there(name) & ~naive & ~read.field("at").is_between(EARLIEST, LATEST).fill_null(value=False)
        )
        notes += [
            pl.when(naive).then(pl.lit(f"naive_time:{name}")),
            pl.when(bad).then(pl.lit(f"bad_time:{name}")),
        ]
    neither = pl.col("collected_at").is_null() & ~_was_there("collected_at") & ~_was_there("observed_at")
    nameless = pl.col("_url_key").is_null() & (pl.col("native_id").is_null() | pl.col("source").is_null())
    counts = pl.any_horizontal(
        pl.col(name).is_not_null() for name in ("reactions", "comments", "shares", "views")
    )
    blank = pl.col("title").is_null() & pl.col("url").is_null() & pl.col("target_url").is_null() & ~counts
    notes += [
        pl.when(neither).then(pl.lit("no_collected_at")),
        pl.when(nameless).then(pl.lit("no_identity")),
        pl.when(blank & ~nameless).then(pl.lit("no_title")),
    ]
    listed = _listed(notes)
    # An unreadable row lacks everything else too; one reason says it.
    return pl.when(pl.col("raw_error").is_not_null()).then(_listed(notes[:2])).otherwise(listed)


def _was_there(name: str) -> pl.Expr:
    return pl.col(f"_had_{name}")


def _listed(notes: list[pl.Expr]) -> pl.Expr:
    none = pl.lit([], dtype=schemas.NAMES)
    if not notes:
        return none
    text = pl.concat_str([note.cast(pl.String) for note in notes], separator=SEPARATOR, ignore_nulls=True)
    return pl.when(text == "").then(none).otherwise(text.str.split(SEPARATOR))
