"""Items whose text is (nearly) that of an earlier one: syndication, editions, reposts.

Two texts are one text when they share most of their word bigrams, or when the shorter one's body
stands at the beginning of the longer one's: a dateline, a credit, a footer, another title, a changed
sentence, a lost first paragraph or a cut after it make no difference. What a copy must not be taken
for is the next event in the same words, so the two are laid side by side, and

- the same place must not hold another number, nor a denial on one side only;
- other names in the same places, or more swapped expressions than a desk changes, are another event;
- in texts under twenty words nothing may be replaced, only added, and all numbers and denials must
  be the same ("Velmora sues over patents" is not "Nordlys sues over patents"); what is said again
  after three days is said anew;
- texts under four words, or three that mean something, are never copies: two desks write "Market
  close" without copying.

Where one of two items is a headline alone, headlines are compared.

Source: bigrams and bands after Broder 1997, anchors after Manber 1994; the rules are ours, measured in
benchmarks/README.md.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import polars as pl

from brandkit.errors import InputError, UsageError
from brandkit.pipeline import RunContext
from brandkit.signals._copy_rules import Rules, candidates, judged
from brandkit.signals._copy_texts import copy_texts
from brandkit.signals._copy_words import Ints
from brandkit.signals._text import FrameT, whole_frame

LEAST_JACCARD = Rules().least_jaccard


def find_copies(items: FrameT, *, least_jaccard: float = LEAST_JACCARD) -> FrameT:
    """Name the original of every item that repeats an earlier item's text.

    The original is the earliest by published_at, else collected_at, else (neither is known) the
    lowest item_id after all dated ones; it is never a copy itself. The order of rows plays no part.

    Shape:  the same rows, plus copy_of. Takes item_id and title; summary, published_at and
            collected_at where they are there.
    Units:  ``least_jaccard`` is the least share of word bigrams in common, 0..1; of texts under twenty
            words never less than .6.
    Nulls:  copy_of is null for an original; an item without text is one.
    Raises: UsageError where ``least_jaccard`` is no share, InputError without item_id or title.

    Example:
        >>> news = pl.DataFrame({
        ...     "item_id": ["a", "b", "c"],
        ...     "title": ["Nordlys opens a plant", "NORDLYS opens a plant!", "Rain in Oslo today"],
        ... })
        >>> find_copies(news)["copy_of"].to_list()
        [None, 'a', None]
    """
    if not 0 < least_jaccard <= 1:
        raise UsageError(
            f"least_jaccard = {least_jaccard} is no share of words in common",
            where="in find_copies",
            allowed=f"above 0, up to 1; the default is {LEAST_JACCARD}",
        )
    names = items.collect_schema().names()
    if missing := [name for name in ("item_id", "title") if name not in names]:
        raise InputError(f"items lack {', '.join(missing)}", allowed=f"there are: {', '.join(names)}")
    return with_rules(items, Rules(least_jaccard=least_jaccard))


def copies(items: pl.LazyFrame, ctx: RunContext) -> pl.LazyFrame:
    """Name the original of every copy among the run's items and its context.

    Shape:  the same rows, plus copy_of.
    Nulls:  copy_of is null where the original is not in scope or context: the item stands for it.
    """
    return find_copies(items)


def with_rules(items: FrameT, rules: Rules) -> FrameT:
    """What ``find_copies`` gives, by other rules: to measure them."""
    return whole_frame(items, partial(_with_copies, rules=rules), {"copy_of": pl.String})


def _with_copies(items: pl.DataFrame, *, rules: Rules) -> pl.DataFrame:
    texts = copy_texts(items)
    found = (
        texts.select("said_by", original=texts["item_id"].gather(_originals(texts, rules)))
        .explode("said_by")
        .select(item_id="said_by", copy_of="original")
        .filter(pl.col("item_id") != pl.col("copy_of"))
        # An item that comes twice stays two rows.
        .unique("item_id", keep="first", maintain_order=True)
    )
    rest = items.drop("copy_of", strict=False)
    return rest.join(found, on="item_id", how="left", maintain_order="left")


def _originals(texts: pl.DataFrame, rules: Rules) -> Ints:
    """For each distinct text, in order of time, the row of its original: itself, or an earlier one."""
    left, right = candidates(texts, rules)
    found = judged(texts, left, right, rules)
    left, right, is_firm = left[found.is_copy], right[found.is_copy], found.is_firm[found.is_copy]
    original = _earliest(texts.height, left, right)
    # A text that met only copies may still be a copy of what those are copies of.
    is_lost = (original[left] != left) & (original[right] == right)
    first, lost, is_firm = original[left[is_lost]], right[is_lost], is_firm[is_lost]
    closer = judged(texts, first, lost, rules)
    original = _earliest(texts.height, np.r_[left, first[closer.is_copy]], np.r_[right, lost[closer.is_copy]])
    is_second = is_firm & closer.is_open & ~closer.is_copy
    return _with_second_hand(original, first[is_second], lost[is_second])


def _earliest(n: int, left: Ints, right: Ints) -> Ints:
    """The earliest original among the texts that each is a copy of."""
    order = np.lexsort((left, right))
    original = list(range(n))
    # What is a copy depends on whether all before it are, so this is a loop; over the copies only.
    for earlier, later in zip(left[order].tolist(), right[order].tolist(), strict=True):
        if original[later] == later and original[earlier] == earlier:
            original[later] = earlier
    return np.array(original, dtype=np.int64)


def _with_second_hand(original: Ints, first: Ints, lost: Ints) -> Ints:
    """The same, where a long text that is like a long copy has that copy's original too.

    A report without its first paragraph has nothing in common with a portal's cut, which is its first
    paragraph: both are of the report. Once only, so that a chain of small changes does not tie its ends.
    """
    order = np.lexsort((first, lost))
    first, lost = first[order], lost[order]
    is_one = (original[first] == first) & (original[lost] == lost)
    # Where the lost one's new original is lost itself, both stay.
    is_one &= ~np.isin(first, lost)
    moved = original.copy()
    moved[lost[is_one][::-1]] = first[is_one][::-1]
    return moved[moved]
