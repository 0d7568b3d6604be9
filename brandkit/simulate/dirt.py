"""What sources really send: odd dates, decorated URLs, entities, hidden characters, words for numbers."""

from __future__ import annotations

import numpy as np
import polars as pl

# Shares of rows; together about one row in eight has something wrong with it.
_TRACKED, _ENTITIES, _HIDDEN, _NEGATIVE, _WORDED = 0.05, 0.012, 0.008, 0.004, 0.01
_NO_URL, _NO_IDENTITY, _AGAIN = 0.012, 0.003, 0.008
_DATES = {"null": 0.03, "offset": 0.05, "rfc": 0.03, "naive": 0.01, "garbage": 0.004, "future": 0.003}


def dirty_rows(rows: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The same rows as a source would send them, some of them twice.

    Shape: all columns as before; ``published_at``, ``reactions`` and ``comments`` are text.
    """
    n = len(rows)
    u = {name: pl.Series(rng.random(n)) for name in ("url", "title", "count", "identity", "date", "again")}
    spoilt = rows.with_columns(
        _dates(u["date"]), _counts("reactions", u["count"], 0.0), _counts("comments", u["count"], 0.5)
    )
    spoilt = (
        spoilt.with_columns(
            url=_decorated(u["url"]),
            title=_marked(u["title"]),
        )
        .with_columns(
            # A feed without links: its guid is all there is to go by; and some have not even that.
            native_id=pl.when((u["identity"] < _NO_URL) & pl.col("native_id").is_null())
            .then("item")
            .otherwise("native_id"),
            url=pl.when((u["identity"] < _NO_URL) | u["identity"].is_between(_NO_URL, _NO_URL + _NO_IDENTITY))
            .then(None)
            .otherwise("url"),
        )
        .with_columns(
            native_id=pl.when(u["identity"].is_between(_NO_URL, _NO_URL + _NO_IDENTITY))
            .then(None)
            .otherwise("native_id"),
        )
    )
    again = np.flatnonzero(u["again"].to_numpy() < _AGAIN)
    return pl.concat([spoilt, spoilt[again.astype(np.uint32)]])


def _dates(u: pl.Series) -> pl.Expr:
    iso = pl.col("published_us").dt.to_string("%Y-%m-%dT%H:%M:%SZ")
    offset = (pl.col("published_us") + pl.duration(hours=2)).dt.to_string("%Y-%m-%dT%H:%M:%S+02:00")
    written: dict[str, pl.Expr] = {
        "null": pl.lit(None, dtype=pl.String),
        "offset": offset,
        "rfc": pl.col("published_us").dt.to_string("%a, %d %b %Y %H:%M:%S GMT"),
        "naive": pl.col("published_us").dt.to_string("%Y-%m-%d %H:%M:%S"),
        "garbage": pl.lit("yesterday evening"),
        "future": (pl.col("published_us") + pl.duration(days=20)).dt.to_string("%Y-%m-%dT%H:%M:%SZ"),
    }
    edge, chain = 0.0, iso
    for name, share in _DATES.items():
        chain = pl.when(u.is_between(edge, edge + share, closed="left")).then(written[name]).otherwise(chain)
        edge += share
    return chain.alias("published_at")


def _counts(column: str, u: pl.Series, shift: float) -> pl.Expr:
    value = pl.col(column)
    negative = u.is_between(shift, shift + _NEGATIVE)
    worded = u.is_between(shift + _NEGATIVE, shift + _NEGATIVE + _WORDED)
    short = pl.concat_str((value / 1000).round(1).cast(pl.String), pl.lit("k"))
    words = pl.when(value >= 1000).then(short).otherwise(pl.lit("n/a"))
    return (
        pl.when(value.is_null())
        .then(None)
        .when(negative)
        .then(pl.lit("-1"))
        .when(worded)
        .then(words)
        .otherwise(value.cast(pl.String))
    ).alias(column)


def _decorated(u: pl.Series) -> pl.Expr:
    url = pl.col("url")
    third = _TRACKED / 3
    return (
        pl.when(u < third)
        .then(pl.concat_str(url, pl.lit("?utm_source=feed&utm_medium=rss")))
        .when(u < 2 * third)
        .then(pl.concat_str(url, pl.lit("?fbclid=IwAR0example#top")))
        .when(u < _TRACKED)
        .then(
            url.str.replace("https://", "http://www.", literal=True).str.replace(
                ".example/", ".EXAMPLE:80/", literal=True
            )
        )
        .otherwise(url)
    )


def _marked(u: pl.Series) -> pl.Expr:
    title = pl.col("title")
    escaped = title.str.replace_all("&", "&amp;", literal=True)
    entities = escaped.str.replace_all("'", "&#8217;", literal=True)
    half = _HIDDEN / 2
    return (
        pl.when(u < _ENTITIES)
        .then(pl.concat_str(pl.lit("<b>"), entities.str.replace(" ", "</b>&nbsp;", literal=True)))
        .when(u < _ENTITIES + half)
        .then(pl.concat_str(pl.lit("\u202e"), title, pl.lit("\u202c\u200b")))
        .when(u < _ENTITIES + _HIDDEN)
        .then(title.str.replace(" ", "\x00 \x07", literal=True))
        .otherwise(title)
    )
