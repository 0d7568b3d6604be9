"""Names that look like a listed publisher's: for a person to look at, never for the score.

A disguise in other scripts is flagged on the item itself (``mixed_script``); these are all the ways,
with the publisher each may be taken for. Many a look-alike is honest: an edition, a namesake.
"""

from __future__ import annotations

import polars as pl

from brandkit.normalise import registrable_domain
from brandkit.schemas import Columns
from brandkit.signals._disguise import mixed_script, skeletons

# From the plainest disguise to what is often a namesake.
HOWS = ("script", "mixed", "inside", "letters", "ending")
# Shorter names are one letter from another by chance, and shared by strangers.
LEAST_FOR_LETTERS = 6
LEAST_FOR_ENDING = 5
# Letters of ASCII that pass for others; a hyphen passes for nothing.
_SHAPES = {"rn": "m", "vv": "w", "cl": "d", "0": "o", "1": "l", "i": "l", "5": "s", "-": ""}
_FOUND: Columns = {"host": pl.String, "domain": pl.String, "looks_like": pl.String, "how": pl.Enum(HOWS)}


def lookalikes(hosts: pl.Series, publishers: pl.DataFrame) -> pl.DataFrame:
    """The hosts whose name looks like that of a listed publisher without being its own.

    ``how`` they look alike: ``script``, in letters of other scripts; ``mixed``, in a mixture of
    scripts that shows no listed name; ``inside``, the listed name stands before the real one
    (``reuters.com.evil.example``); ``letters``, one letter off, or letters that pass for others
    (``rn`` for ``m``); ``ending``, the same name under another ending, which is often a namesake.

    Shape:  distinct hosts or domains as A-labels in, and ``load_publishers``' columns; host, domain,
            looks_like, how out, one row per host, the plainest way first, then by host.
    Nulls:  looks_like is null for ``mixed``; a null host is left out, and whatever is no host.

    >>> known = pl.DataFrame({"domain": ["reuters.com"]})
    >>> lookalikes(pl.Series(["reuters.com.evil.example", "reuterrs.com"]), known)["how"].to_list()
    ['inside', 'letters']
    """
    names = hosts.drop_nulls().cast(pl.String).str.to_lowercase().unique().sort()
    names = names.filter(~names.str.contains(r"[\s/:@?#]"))
    known = publishers.filter(~pl.col("domain").str.contains(r":|^\.")).select("domain").unique()
    # Once for each distinct host, of which there are few.
    domains = pl.Series([registrable_domain(name) for name in names], dtype=pl.String)
    asked = pl.DataFrame({"host": names, "domain": domains}).drop_nulls("domain")
    strangers = asked.join(known, on="domain", how="anti")
    found = [
        _in_other_scripts(strangers, known),
        _inside(strangers, known),
        _letters(strangers, known),
        _endings(strangers, known),
    ]
    rows = pl.concat(
        [
            frame.select(pl.col(c).cast(dtype) for c, dtype in _FOUND.items())
            for frame in found
            if frame.height
        ]
        or [pl.DataFrame(schema=_FOUND)]
    )
    return rows.sort("how", "host", "looks_like").unique("host", keep="first", maintain_order=True)


def _in_other_scripts(strangers: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    looks = strangers.with_columns(
        looks_like=skeletons(strangers["domain"]), is_mixed=mixed_script(strangers["domain"])
    )
    imitated = looks.join(known, left_on="looks_like", right_on="domain", how="semi")
    mixed = looks.filter("is_mixed").join(imitated, on="host", how="anti")
    return pl.concat(
        [
            imitated.with_columns(how=pl.lit("script")),
            mixed.with_columns(how=pl.lit("mixed"), looks_like=pl.lit(None, dtype=pl.String)),
        ]
    )


def _inside(strangers: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """A listed domain, its labels parted by dots or hyphens, before the end of a host."""
    widest = int(known["domain"].str.count_matches(".", literal=True).max() or 1) + 1  # type: ignore[arg-type]
    labels = strangers.with_columns(at=pl.col("host").str.split("."))
    starts = labels.with_columns(start=pl.int_ranges(pl.col("at").list.len())).explode("start")
    runs = [
        starts.filter(pl.col("start") + n < pl.col("at").list.len()).with_columns(
            looks_like=pl.col("at").list.slice(pl.col("start"), n).list.join(".")
        )
        for n in range(2, widest + 1)
    ]
    parted = labels.explode("at").with_columns(
        looks_like=pl.col("at").str.replace_all("-", ".", literal=True)
    )
    said = pl.concat([frame.select("host", "domain", "looks_like") for frame in (*runs, parted)])
    return said.join(known, left_on="looks_like", right_on="domain", how="semi").with_columns(
        how=pl.lit("inside")
    )


def _named(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with ``name``, the label that was registered, and ``ending``, what it stands under."""
    parts = pl.col("domain").str.splitn(".", 2)
    return frame.with_columns(name=parts.struct.field("field_0"), ending=parts.struct.field("field_1"))


def _letters(strangers: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    # Half of all names hold the word: what tells cbsnews from cnsnews is three letters.
    telling = pl.col("name").str.replace_all("news", "", literal=True)
    long = telling.str.len_chars() >= LEAST_FOR_LETTERS
    asked = _named(strangers).filter(long & ~pl.col("name").str.starts_with("xn--"))
    there = _named(known).filter(long)
    shape = pl.col("name").str.replace_many(_SHAPES)
    shaped = asked.with_columns(shape=shape).join(
        there.select("ending", shape=shape, looks_like="domain"), on=["shape", "ending"]
    )
    near = _less_a_letter(asked).join(
        _less_a_letter(there).select("rest", "ending", n="n", at_known="at", looks_like="domain"),
        on=["rest", "ending"],
        suffix="_known",
    )
    # One letter put in, left out, put over another, or two that changed places.
    is_near = pl.col("at").is_null() | pl.col("at_known").is_null()
    is_near |= (pl.col("at") - pl.col("at_known")).abs() <= 1
    columns = ("host", "domain", "looks_like")
    return pl.concat([shaped.select(columns), near.filter(is_near).select(columns)]).with_columns(
        how=pl.lit("letters")
    )


def _less_a_letter(named: pl.DataFrame) -> pl.DataFrame:
    """Each name whole (``at`` null) and without its letter ``at``, as ``rest``."""
    n = pl.col("name").str.len_chars()
    each = named.with_columns(n=n, at=pl.int_ranges(n.cast(pl.Int64))).explode("at")
    rest = pl.col("name").str.slice(0, pl.col("at")) + pl.col("name").str.slice(pl.col("at") + 1)
    whole = named.with_columns(n=n, at=pl.lit(None, dtype=pl.Int64), rest="name")
    return pl.concat([each.with_columns(rest=rest), whole.select(*each.columns, "rest")])


def _endings(strangers: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    there = _named(known).filter(pl.col("name").str.len_chars() >= LEAST_FOR_ENDING)
    return (
        _named(strangers)
        .join(there.select("name", looks_like="domain"), on="name")
        .with_columns(how=pl.lit("ending"))
    )
