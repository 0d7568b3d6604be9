"""When two texts that look alike are one text: the measures of an alignment, judged."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import polars as pl

from brandkit.signals._copy_alignment import SHORT_WORDS, Alignment, aligned
from brandkit.signals._copy_candidates import BANDS, ROWS, anchored, banded
from brandkit.signals._copy_texts import SHORT_LIVED
from brandkit.signals._copy_words import Ints

Flags = npt.NDArray[np.bool_]

# Shorter texts share too few anchors to be sure of meeting.
_BANDED_WORDS = 40


@dataclass(frozen=True, slots=True)
class Rules:
    """What makes a copy. Chosen on planted news, confirmed elsewhere: see benchmarks/README.md.

    ``least_jaccard``: the least share of word bigrams in common; ``least_short`` of a short text, where
        every word counts.
    ``least_contained``, ``fewest_contained``: or this share of the shorter body, of so many words,
        stands in the longer one, from no later than ``latest_start`` words into it. Portals cut a
        wire's report after a paragraph; a briefing has it in its middle.
    ``sure_body``: of texts with so many words, what the title says makes no difference.
    ``words_a_swap``: a desk changes one expression in so many words (two at least); a form filled in
        for another event has more changed.
    ``most_renamed``: or another name in the same place, more often than this; never in a shorter text.
    """

    least_jaccard: float = 0.5
    least_short: float = 0.6
    least_contained: float = 0.8
    fewest_contained: int = 25
    latest_start: int = 20
    sure_body: int = 60
    words_a_swap: int = 30
    most_renamed: int = 1
    bands: int = BANDS
    rows: int = ROWS


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What was found of each pair.

    ``is_firm``: a copy, and both texts are long. ``is_open``: nothing in the one is said otherwise in
    the other, copy or not.
    """

    is_copy: Flags
    is_firm: Flags
    is_open: Flags


def candidates(texts: pl.DataFrame, rules: Rules) -> tuple[Ints, Ints]:
    """Pairs of texts (earlier, later) worth comparing: a few for each text at most."""
    n_words = texts["n_words"].to_numpy()
    few = np.flatnonzero(n_words < _BANDED_WORDS)
    found = [
        anchored(texts["text"]),
        _of(few, banded(texts["text"].gather(few), bands=rules.bands, rows=rules.rows)),
    ]
    # A headline without a text meets the headlines of texts.
    is_bare = _is_bare(texts)
    if is_bare.any() and not is_bare.all():
        told = np.flatnonzero(texts["is_title_telling"].to_numpy())
        left, right = _of(told, banded(texts["title"].gather(told), bands=rules.bands, rows=rules.rows))
        is_mixed = is_bare[left] != is_bare[right]
        found.append((left[is_mixed], right[is_mixed]))
    packed = np.sort(np.concatenate([(left << 32) | right for left, right in found]))
    packed = packed[np.r_[np.ones(min(1, len(packed)), dtype=np.bool_), packed[1:] != packed[:-1]]]
    return packed >> 32, packed & ((1 << 32) - 1)


def judged(texts: pl.DataFrame, left: Ints, right: Ints, rules: Rules) -> Verdicts:
    """Whether the texts of each pair are one text, by what they say or, for a headline, by the titles."""
    is_bare = _is_bare(texts)
    by_title = is_bare[left] != is_bare[right]
    has_summary, n_words, n_title, n_head, is_told = (
        texts[name].to_numpy() for name in ("has_summary", "n_words", "n_title", "n_head", "is_title_telling")
    )
    # What has no summary has no head either: all of it is text.
    n_head = np.where(has_summary, n_head, 0)
    every = np.ones(texts.height, dtype=np.bool_)
    found = {f.name: np.zeros(len(left), dtype=np.bool_) for f in fields(Verdicts)}
    for where, name, n, head, is_telling in (
        (~by_title, "text", n_words, n_head, every),
        (by_title, "title", n_title, np.zeros_like(n_head), is_told),
    ):
        if where.any():
            first, second = left[where], right[where]
            laid = aligned(texts[name], head, first, second)
            fewest = np.minimum(n[first], n[second])
            verdicts = _judged(laid, fewest, _is_near(texts, first, second), rules)
            found["is_copy"][where] = verdicts.is_copy & is_telling[first] & is_telling[second]
            found["is_firm"][where], found["is_open"][where] = verdicts.is_firm, verdicts.is_open
    return Verdicts(**found)


def _of(rows: Ints, pairs: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    return rows[pairs[0]], rows[pairs[1]]


def _is_bare(texts: pl.DataFrame) -> Flags:
    """Whether a text is a headline and nothing else; a post of some length is a text."""
    return texts.select(~pl.col("has_summary") & (pl.col("n_words") < SHORT_WORDS)).to_series().to_numpy()


def _judged(laid: Alignment, fewest: Ints, is_near: Flags, rules: Rules) -> Verdicts:
    union = laid.n_left + laid.n_right - laid.shared
    is_short = fewest < SHORT_WORDS
    least = np.where(is_short, max(rules.least_short, rules.least_jaccard), rules.least_jaccard)
    is_alike = (laid.shared >= least * union) & (laid.shared > 0)
    is_open = _is_open(laid, fewest, rules)
    is_copy = np.where(
        is_short,
        is_alike & laid.is_added & laid.same_turns & is_near,
        (is_alike | _is_cut(laid, rules)) & is_open,
    )
    return Verdicts(is_copy, is_copy & (fewest >= rules.sure_body), is_open)


def _is_cut(laid: Alignment, rules: Rules) -> Flags:
    return np.asarray(
        (laid.body_shared >= rules.least_contained * laid.n_body)
        & (laid.n_body >= rules.fewest_contained - 1)
        & (laid.starts_at <= rules.latest_start)
    )


def _is_open(laid: Alignment, fewest: Ints, rules: Rules) -> Flags:
    """Whether nothing that was swapped makes it another event's text."""
    is_long = laid.n_body >= rules.sure_body - 1
    return np.asarray(
        ~laid.is_turned
        & (is_long | ~laid.is_head_changed)
        & (laid.n_swaps <= np.maximum(2, fewest // rules.words_a_swap))
        & (laid.n_renamed <= np.where(is_long, rules.most_renamed, 0))
    )


def _is_near(texts: pl.DataFrame, left: Ints, right: Ints) -> Flags:
    is_known = texts["at"].is_not_null().to_numpy()
    at = texts["at"].dt.epoch("us").fill_null(0).to_numpy()
    apart = np.abs(at[left] - at[right]) > SHORT_LIVED.total_seconds() * 1e6
    return np.asarray(~(apart & is_known[left] & is_known[right]))
