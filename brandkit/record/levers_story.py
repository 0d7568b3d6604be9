"""Levers on a story: who tells it, who carries it, and how fast.

Each moves what must move with it and leaves what depends on which publisher it is, or on when it
joined. What is left could only add to the change (invariant 2 of the score), so what is said of a
decision holds whichever it turns out to be.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from brandkit.record.levers_kinds import (
    Lever,
    Move,
    Setting,
    at_least,
    falls,
    has_ab,
    minus,
    move,
    plus,
    rises,
    risk_without,
    risk_without_ab,
    several,
)
from brandkit.scoring.components import signal
from brandkit.signals.spread import VELOCITY_WINDOW_H

_CARRIED = ("n_items", "n_outlets")
_TOLD = (*_CARRIED, "n_publishers", "n_publishers_ab", "n_other_publishers_ab")


def _known(name: str) -> pl.Expr:
    return pl.col(name).is_not_null()


def _joined(left: pl.Expr) -> dict[str, pl.Expr]:
    """When the newest listed publisher joined: with none left, nobody did."""
    return {"last_new_publisher_at": pl.when(left.fill_null(1) > 0).then(pl.col("last_new_publisher_at"))}


def _more_publishers_ab(setting: Setting) -> Iterator[Move]:
    for place, n in enumerate(setting.grids.publishers_ab, start=1):
        words = several(n, "more independent A or B publisher", "more independent A or B publishers")
        sets = {**plus(n, *_TOLD), "best_tier": at_least("B"), **risk_without()}
        yield move(words, sets, steps=place, known=_known("n_other_publishers_ab"))


def _fewer_publishers_ab(setting: Setting) -> Iterator[Move]:
    for place, n in enumerate(setting.grids.publishers_ab, start=1):
        words = several(n, "other A or B publisher fewer", "other A or B publishers fewer")
        fewer = minus(n, *_TOLD)
        lost = has_ab() & ~has_ab(published=fewer["n_publishers_ab"])
        sets = {**fewer, **_joined(fewer["n_publishers"]), **risk_without_ab(when=lost)}
        yield move(words, sets, when=pl.col("n_other_publishers_ab") >= n, steps=place)


def _publisher_a(setting: Setting) -> Iterator[Move]:
    for _ in setting.grids.publisher_a:
        sets = {**plus(1, *_TOLD), "best_tier": at_least("A"), **risk_without()}
        # With an A publisher there already, another one is publishers_ab.
        first = pl.col("best_tier").ne_missing(pl.lit("A"))
        yield move("an independent A publisher", sets, when=first, known=_known("best_tier"))


def _no_publisher_a(setting: Setting) -> Iterator[Move]:
    for _ in setting.grids.publisher_a:
        # Whether the A publisher told it or only copied it is not in the record, so no count moves.
        is_another = (pl.col("best_tier") == "A") & (pl.col("tier") != "A")
        yield move("no A publisher in its story", {"best_tier": pl.lit("B")}, when=is_another)


def _joins_now(setting: Setting) -> Iterator[Move]:
    # One more item of the window: counted in items, for a pace is rounded.
    recent = (signal("velocity_h").fill_null(0.0) * VELOCITY_WINDOW_H).round(0) + 1
    joins = {
        "last_new_publisher_at": pl.lit(setting.as_of),
        "velocity_h": (recent / VELOCITY_WINDOW_H).round(4),
    }
    for place, tier in enumerate(setting.grids.joins_now, start=1):
        told = {**plus(1, *_TOLD), **risk_without()} if tier != "C" else plus(1, *_CARRIED, "n_publishers")
        sets = {**told, **joins, "best_tier": at_least(tier)}
        yield move(f"one more {tier} publisher joining now", sets, steps=place)


def _more_outlets(setting: Setting) -> Iterator[Move]:
    for place, n in enumerate(setting.grids.outlets, start=1):
        words = several(n, "more outlet", "more outlets")
        yield move(words, plus(n, *_CARRIED), steps=place, known=_known("n_outlets"))


def _fewer_outlets(setting: Setting) -> Iterator[Move]:
    # Those that tell it themselves are other levers; these are the ones that only carry it.
    telling = pl.col("n_publishers").fill_null(0) + pl.col("n_unlisted").fill_null(0)
    for place, n in enumerate(setting.grids.outlets, start=1):
        words = several(n, "outlet fewer", "outlets fewer")
        left = pl.col("n_outlets") - n >= pl.max_horizontal(telling, pl.lit(1))
        yield move(words, minus(n, *_CARRIED), when=left, steps=place)


def _more_unlisted(setting: Setting) -> Iterator[Move]:
    for place, n in enumerate(setting.grids.unlisted_publishers, start=1):
        words = several(n, "more independent unlisted publisher", "more independent unlisted publishers")
        yield move(words, plus(n, *_CARRIED, "n_unlisted"), steps=place, known=_known("n_unlisted"))


def _fewer_unlisted(setting: Setting) -> Iterator[Move]:
    # Its own publisher cannot go without the item itself.
    others = pl.col("n_unlisted") - (pl.col("tier") == "unlisted").fill_null(value=True).cast(pl.Int64)
    for place, n in enumerate(setting.grids.unlisted_publishers, start=1):
        words = several(n, "other unlisted publisher fewer", "other unlisted publishers fewer")
        yield move(words, minus(n, *_CARRIED, "n_unlisted"), when=others >= n, steps=place)


def _more_adopters(setting: Setting) -> Iterator[Move]:
    for place, n in enumerate(setting.grids.adopters_ab, start=1):
        words = several(n, "more A or B outlet with a copy", "more A or B outlets with a copy")
        sets = {**plus(n, *_CARRIED, "n_adopters_ab"), "best_tier": at_least("B"), **risk_without()}
        yield move(words, sets, steps=place, known=_known("n_adopters_ab"))


def _fewer_adopters(setting: Setting) -> Iterator[Move]:
    is_one = pl.col("copy_of").is_not_null() & pl.col("tier").is_in(["A", "B"]).fill_null(value=True)
    others = pl.col("n_adopters_ab") - is_one.cast(pl.Int64)
    for place, n in enumerate(setting.grids.adopters_ab, start=1):
        words = several(n, "other A or B outlet with a copy fewer", "other A or B outlets with a copy fewer")
        fewer = minus(n, *_CARRIED, "n_adopters_ab")
        lost = has_ab() & ~has_ab(adopted=fewer["n_adopters_ab"])
        yield move(words, {**fewer, **risk_without_ab(when=lost)}, when=others >= n, steps=place)


def _faster(setting: Setting) -> Iterator[Move]:
    def at(pace: float) -> tuple[str, dict[str, pl.Expr]]:
        return several(pace, "item an hour", "items an hour"), {"velocity_h": pl.lit(pace)}

    yield from rises(signal("velocity_h"), setting.grids.velocity_h, at)


def _slower(setting: Setting) -> Iterator[Move]:
    def at(pace: float) -> tuple[str, dict[str, pl.Expr]]:
        slow = f"only {several(pace, 'item an hour', 'items an hour')}"
        words = slow if pace else f"no item in the last {VELOCITY_WINDOW_H} hours"
        return words, {"velocity_h": pl.lit(pace)}

    yield from falls(signal("velocity_h"), setting.grids.velocity_h, at)


def _clean(setting: Setting) -> Iterator[Move]:
    for _ in setting.grids.coordination:
        there = (signal("coordinated_share") > 0) | (pl.col("n_coordinated") > 0)
        # Whether the accounts would then confirm anything is not known here; they still do not.
        sets = {"coordinated_share": pl.lit(0.0), "n_coordinated": pl.lit(0), "coordination": pl.lit([])}
        yield move("without the brigading", sets, when=there)


def _brigaded(setting: Setting) -> Iterator[Move]:
    p = setting.profile.parameters
    for _ in setting.grids.coordination:
        share = pl.max_horizontal(signal("coordinated_share"), pl.lit(float(p.brigading_share)))
        accounts = pl.max_horizontal("n_coordinated", pl.lit(p.brigading_accounts, pl.Int64))
        is_already = (signal("coordinated_share") >= p.brigading_share) & (
            pl.col("n_coordinated") >= p.brigading_accounts
        )
        sets = {"coordinated_share": share, "n_coordinated": accounts}
        yield move("brigading found in its shares", sets, when=~is_already.fill_null(value=False))


STORY = (
    Lever("adopters_ab", _more_adopters, _fewer_adopters),
    Lever("coordination", _clean, comes=_brigaded),
    Lever("joins_now", _joins_now),
    Lever("outlets", _more_outlets, _fewer_outlets),
    Lever("publisher_a", _publisher_a, _no_publisher_a),
    Lever("publishers_ab", _more_publishers_ab, _fewer_publishers_ab),
    Lever("unlisted_publishers", _more_unlisted, _fewer_unlisted),
    Lever("velocity_h", _faster, _slower),
)
