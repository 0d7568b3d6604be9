"""Who an item is: ids and hashes that are the same on every machine and in every version."""

from __future__ import annotations

from hashlib import sha256

import polars as pl

# Types of which a platform is the home: the platform's own id says which one it is.
ON_PLATFORM = ("post", "video", "review")
SEPARATOR = "\x1f"


def digest(text: str) -> str:
    """The first 16 hex digits of the SHA-256 of the text.

    >>> digest("url:example.com/a")
    '17695f664df09d72'
    """
    return sha256(text.encode()).hexdigest()[:16]


def digests(values: pl.Series) -> pl.Series:
    """The ``digest`` of each text.

    One Python loop over the values of a batch: 0.7 s for a million, and the same forever, which
    Polars' own hash does not promise.
    """
    hashed = [None if text is None else sha256(text.encode()).hexdigest()[:16] for text in values.to_list()]
    return pl.Series(values.name, hashed, dtype=pl.String)


def digest_expr(text: pl.Expr) -> pl.Expr:
    """The ``digest`` of each text of a column."""
    return text.map_batches(digests, return_dtype=pl.String, is_elementwise=True)


def account_key(platform: str, account: str) -> str:
    """The pseudonym an account goes by in items: the same wherever it is met, and not its name.

    It hides a name from a reader. It keeps no secret from one who guesses: whoever knows a name can
    work out its pseudonym.

    >>> account_key("Forum", "@Nordlys") == account_key("forum", "nordlys")
    True
    """
    name = account.strip().removeprefix("@").lower()
    return f"a_{sha256(f'{platform.strip().lower()}:{name}'.encode()).hexdigest()[:12]}"


def account_keys(values: pl.Series) -> pl.Series:
    """The pseudonyms of ``platform<SEPARATOR>account`` pairs, each distinct pair worked out once."""
    pairs = values.to_list()
    keys = {pair: account_key(*pair.split(SEPARATOR, 1)) for pair in set(pairs) if pair is not None}
    return pl.Series(values.name, [None if pair is None else keys[pair] for pair in pairs], dtype=pl.String)


def author_keys(author: pl.Expr) -> pl.Expr:
    """The pseudonyms of the single names in a byline, whatever stands between them; null for no byline."""
    names = author.str.to_lowercase().str.replace(r"^\s*(by|von|par|di|por)\s+", "")
    single = names.str.replace_all(r"\s*(?:[,;/&|]|\band\b|\bund\b|\bet\b|\by\b)\s*", SEPARATOR)
    listed = single.str.split(SEPARATOR).list.eval(pl.element().str.strip_chars())
    pair = "author" + SEPARATOR + pl.element().filter(pl.element() != "")
    return listed.list.eval(pair.map_batches(account_keys, return_dtype=pl.String, is_elementwise=True))


def joined(columns: list[pl.Expr]) -> pl.Expr:
    """The columns as one text from which none can be mistaken for another; null is the empty text."""
    return pl.concat_str([column.fill_null("") for column in columns], separator=SEPARATOR)
