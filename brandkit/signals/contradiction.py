"""Which items contradict what is told: denials, corrections and fact-checks, by their headline.

Words alone do not do it: a court denies a motion, a border denies entry, stocks see a correction. So
there are phrases that are enough by themselves and shapes of headlines with what takes them back, all
in ``defaults/contradictions.toml``. What a company publishes about press reports counts where the item
says that it is a statement or a filing; a review of a thing contradicts nobody.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import polars as pl

from brandkit.errors import ContractError
from brandkit.signals._reading import is_ascii, plain
from brandkit.signals._text import FrameT, column

# The first that fits is the kind: what corrects or checks a claim often says that it denies it too.
KINDS = ("correction", "fact_check", "denial")
CONTRADICTION = pl.Enum(["denial", "correction", "fact_check"])

_PUBLISHED_BY_ITSELF = ("statement", "filing")
_BREAKS = dict.fromkeys(
    "\u2013\u2014\u2015\u2212|\uff5c\uff1a()[]\u3010\u3011\uff3b\uff3d\u300c\u300d\u300a\u300b", " : "
)
_SAID_NO = r"(?i)^[^\p{L}\p{N}]*(?:no|non|nein|nao|não|nee)\s*,"
_OPEN = re.compile(r"<any (\d)>|<(\w+)>")


@dataclass(frozen=True)
class Wording:
    """How one kind of contradiction is worded: phrases, shapes, and what takes a shape back."""

    words: tuple[str, ...]
    sure: str
    shapes: str
    unless: str
    unless_bare: str
    statement: str


def find_contradictions(items: FrameT) -> FrameT:
    """Say which items deny, correct or check what is told, by the words of their headline.

    Shape:  the same rows, plus ``is_denial`` (Boolean, never null, true for each of the three) and
            ``contradiction``: denial, correction or fact_check.
    Nulls:  contradiction is null for any other item, and for one without a title. Without an
            item_type a text is taken for an article.
    Source: word lists of our own, ``defaults/contradictions.toml``; measured by
            ``benchmarks/quality/contradiction.py``.

    Example:
        >>> titles = ["Nordlys denies leak", "Judge denies bail", "Correction: Nordlys"]
        >>> items = pl.DataFrame({"title": titles})
        >>> find_contradictions(items)["contradiction"].to_list()
        ['denial', None, 'correction']
    """
    kind = contradiction_of(column(items, "title", pl.String), column(items, "item_type", pl.String))
    return items.with_columns(contradiction=kind).with_columns(
        is_denial=pl.col("contradiction").is_not_null()
    )


def contradiction_of(title: pl.Expr, item_type: pl.Expr) -> pl.Expr:
    """The kind of contradiction in a headline, null where there is none."""
    texts = pl.struct(title.alias("title"), item_type.alias("item_type"))
    return texts.map_batches(_kinds, return_dtype=CONTRADICTION, is_elementwise=True)


def _kinds(items: pl.Series) -> pl.Series:
    titles = items.struct.unnest().with_row_index("row")
    told = titles.filter(
        (pl.col("title").fill_null("") != "") & (pl.col("item_type").fill_null("article") != "review")
    )
    # ASCII is the rule, and plain already.
    easy = is_ascii(pl.col("title"))
    said = pl.concat(
        [
            told.filter(easy).select("row", "item_type", text=_folded(_broken(pl.col("title")))),
            told.filter(~easy).select("row", "item_type", text=_folded(plain(_broken(pl.col("title"))))),
        ]
    )
    kind = pl.coalesce(pl.when(_is(name)).then(pl.lit(name, dtype=CONTRADICTION)) for name in KINDS)
    found = said.select("row", kind=kind)
    return titles.join(found, on="row", how="left", maintain_order="left")["kind"].rename(items.name)


def _broken(text: pl.Expr) -> pl.Expr:
    """The text with ":" where a headline breaks, and "saidno" for a first "No,"."""
    return text.str.replace_many(list(_BREAKS), list(_BREAKS.values())).str.replace(_SAID_NO, " saidno ")


def _folded(text: pl.Expr) -> pl.Expr:
    """The words of a plain text, and its breaks, between single spaces."""
    bare = text.str.to_lowercase().str.replace_all(r"['`]", "")
    words = bare.str.replace_all(r" -+ |:", " : ").str.replace_all(r"[^\p{L}\p{N}\p{M}:]+", " ")
    return pl.lit(" ") + words.str.strip_chars(" ") + " "


def _is(kind: str) -> pl.Expr:
    wording, text = wordings()[kind], pl.col("text")
    by_itself = pl.col("item_type").is_in(_PUBLISHED_BY_ITSELF).fill_null(value=False)
    shaped = text.str.contains(wording.sure) | (
        text.str.contains(wording.shapes) & ~text.str.contains(wording.unless_bare)
    )
    return (
        text.str.contains_any(list(wording.words))
        | (shaped & ~text.str.contains(wording.unless))
        | (by_itself & text.str.contains(wording.statement))
    )


@cache
def wordings() -> Mapping[str, Wording]:
    """The packaged wording of each kind.

    Raises: ContractError for a kind, list or set that is not known.
    """
    text = files("brandkit").joinpath("defaults", "contradictions.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    sets = told.pop("sets")
    lists = {field.name for field in fields(Wording)}
    if set(told) != set(KINDS) or not all(set(table) <= lists for table in told.values()):
        raise ContractError(
            f"contradictions.toml has {sorted(told)}",
            allowed=f"{', '.join(KINDS)}, each with {sorted(lists)}",
        )
    return MappingProxyType({kind: _wording(table, sets) for kind, table in told.items()})


def _wording(table: Mapping[str, list[str]], sets: Mapping[str, str]) -> Wording:
    words = pl.DataFrame({"text": table.get("words", [])}, schema={"text": pl.String})
    folded = words.select(text=_folded(plain(_broken(pl.col("text")))))["text"].to_list()
    return Wording(
        words=tuple(folded),
        **{
            name: _either(table.get(name, []), sets)
            for name in ("sure", "shapes", "unless", "unless_bare", "statement")
        },
    )


def _either(shapes: Iterable[str], sets: Mapping[str, str]) -> str:
    """One expression for all shapes, each from the start of a word; without any, one nothing fits."""

    def opened(found: re.Match[str]) -> str:
        return rf"(?:\S+ ){{0,{found[1]}}}" if found[1] else sets[found[2]]

    whole = [_OPEN.sub(opened, shape) for shape in shapes]
    return "|".join(shape if shape[0] in "^: " else f" {shape}" for shape in whole) or r"\z."
