"""Levers on what an item says, and on what is said against it.

A name, a pillar or a trigger moves the lists that the score reads; our own name in a title outweighs
an exclusion there, as it does when the text is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import polars as pl

from brandkit import schemas
from brandkit.profile import Topic
from brandkit.profile_levers import PLACES
from brandkit.record.levers_kinds import NOTHING, Lever, Move, Setting, falls, move, rises, several
from brandkit.scoring.components import names_in, signal

Sets = dict[str, pl.Expr]


def _place_of(column: str, is_there: Callable[[str], pl.Expr]) -> pl.Expr:
    """The place in ``PLACES`` where something is said."""
    title, anywhere = is_there(f"{column}_in_title"), is_there(column)
    return pl.when(title).then(2).when(anywhere).then(1).otherwise(0)


def _with(column: str, names: pl.Expr) -> pl.Expr:
    return pl.concat_list(pl.coalesce(column, NOTHING), names).list.unique().list.sort()


def _said(column: str, name: str, place: str) -> Sets:
    columns = (column, f"{column}_in_title") if place == "title" else (column,)
    return {found: _with(found, pl.lit([name], schemas.NAMES)) for found in columns}


def _unsaid(column: str, names: Sequence[str], place: str) -> Sets:
    columns = (f"{column}_in_title",) if place == "summary" else (column, f"{column}_in_title")
    return {found: pl.col(found).list.filter(~pl.element().is_in(names)) for found in columns}


def _in(place: str, words: str) -> str:
    return f"without {words}" if place == "nowhere" else f"{words} only in the {place}"


def _names(setting: Setting, *, own: bool) -> tuple[str, tuple[Topic, ...]]:
    """The names that count in full (ours; a beat desk's watched names), or those that count less."""
    profile = setting.profile
    if profile.is_beat_desk:
        return ("a watched name", profile.watched) if own else ("a rival's name", profile.rivals)
    others = (*profile.rivals, *profile.watched)
    return ("our own name", profile.own) if own else ("a rival's or watched name", others)


def _more_names(setting: Setting, *, own: bool) -> Iterator[Move]:
    words, topics = _names(setting, own=own)
    grid = setting.grids.own_name if own else setting.grids.other_name

    def at(place: str) -> tuple[str, Sets]:
        sets = _said("entities", topics[0].name, place)
        if own and place == "title" and not setting.profile.is_beat_desk:
            sets["excluded"] = pl.lit(value=False)
        return f"{words} in the {place}", sets

    stands = _place_of("entities", lambda column: names_in(column, topics))
    yield from rises(stands, grid if topics else (), at, place=PLACES.index)


def _fewer_names(setting: Setting, *, own: bool) -> Iterator[Move]:
    words, topics = _names(setting, own=own)
    grid = setting.grids.own_name if own else setting.grids.other_name

    def at(place: str) -> tuple[str, Sets]:
        return _in(place, words), _unsaid("entities", [topic.name for topic in topics], place)

    stands = _place_of("entities", lambda column: names_in(column, topics))
    yield from falls(stands, grid, at, place=PLACES.index)


def _trigger_place() -> pl.Expr:
    return _place_of("triggers", lambda column: pl.col(column).list.len() > 0)


def _more_triggers(setting: Setting) -> Iterator[Move]:
    triggers = setting.profile.triggers

    def at(place: str) -> tuple[str, Sets]:
        first, another = triggers[0].name, " or another trigger" if len(triggers) > 1 else ""
        return f"'{first}'{another} in the {place}", _said("triggers", first, place)

    yield from rises(_trigger_place(), setting.grids.trigger if triggers else (), at, place=PLACES.index)


def _fewer_triggers(setting: Setting) -> Iterator[Move]:
    def at(place: str) -> tuple[str, Sets]:
        columns = ("triggers_in_title",) if place == "summary" else ("triggers", "triggers_in_title")
        return _in(place, "a trigger"), dict.fromkeys(columns, NOTHING)

    yield from falls(_trigger_place(), setting.grids.trigger, at, place=PLACES.index)


def _more_pillars(setting: Setting) -> Iterator[Move]:
    known = pl.col("pillars").is_not_null()
    listed = pl.lit([topic.name for topic in setting.profile.pillars], schemas.NAMES)
    # Sets of a bare literal fail on no rows; one that hangs on a column is as long as the frame.
    names = pl.when(known).then(listed).otherwise(listed)
    title, anywhere = pl.coalesce("pillars_in_title", NOTHING), pl.coalesce("pillars", NOTHING)
    # Those that stand nowhere yet come first; then one of the summary moves to the title.
    free = pl.concat_list(
        names.list.set_difference(anywhere.list.set_union(title)).list.sort(),
        names.list.set_intersection(anywhere).list.set_difference(title).list.sort(),
    )
    for place, n in enumerate(setting.grids.pillars, start=1):
        sets = {name: _with(name, free.list.head(n)) for name in ("pillars", "pillars_in_title")}
        words = several(n, "more pillar in the title", "more pillars in the title")
        yield move(words, sets, when=free.list.len() >= n, steps=place, known=known)


def _fewer_pillars(setting: Setting) -> Iterator[Move]:
    title, anywhere = pl.coalesce("pillars_in_title", NOTHING), pl.coalesce("pillars", NOTHING)
    # From the title first, where they count most.
    there = pl.concat_list(title, anywhere.list.set_difference(title).list.sort())
    for place, n in enumerate(setting.grids.pillars, start=1):
        gone = there.list.head(n)
        sets = {
            "pillars": anywhere.list.set_difference(gone).list.sort(),
            "pillars_in_title": title.list.set_difference(gone).list.sort(),
        }
        words = several(n, "pillar fewer", "pillars fewer")
        yield move(words, sets, when=there.list.len() >= n, steps=place)


def _not_excluded(setting: Setting) -> Iterator[Move]:
    for _ in setting.grids.exclusion:
        there, known = pl.col("excluded").ne_missing(pl.lit(value=False)), pl.col("excluded").is_not_null()
        sets = {"excluded": pl.lit(value=False)}
        yield move("without the exclusion in its title", sets, when=there, known=known)


def _not_forbidden(setting: Setting) -> Iterator[Move]:
    for _ in setting.grids.constraint:
        there = (pl.col("forbidden").list.len() > 0).fill_null(value=True)
        sets = {"forbidden": NOTHING, "forbidden_in_title": NOTHING}
        known = pl.col("forbidden").is_not_null()
        yield move("without what the profile forbids", sets, when=there, known=known)


def _forbidden(setting: Setting) -> Iterator[Move]:
    refused = setting.profile.forbidden
    listed = [*refused.phrases, *refused.risk_flags]
    for _ in setting.grids.constraint if listed else ():
        sets = {"forbidden": pl.lit(listed[:1], schemas.NAMES)}
        is_free = pl.col("forbidden").list.len() == 0
        yield move("something in it that the profile forbids", sets, when=is_free)


def _believed(setting: Setting) -> Iterator[Move]:
    for _ in setting.grids.misinfo_risk:
        sets = {
            "misinfo_risk": pl.lit(0.0), "misinfo_evidence": NOTHING, "disputed": pl.lit(value=False),
        }  # fmt: skip
        yield move("with nothing that speaks against it", sets, when=signal("misinfo_risk") > 0)


def _doubted(setting: Setting) -> Iterator[Move]:
    bar = setting.profile.parameters.misinfo_risk
    for _ in setting.grids.misinfo_risk:
        believed = (signal("misinfo_risk") < bar).fill_null(value=True)
        sets = {"misinfo_risk": pl.lit(bar)}
        yield move("enough against it to count as a rumour", sets, when=believed)


TEXT = (
    Lever("constraint", _not_forbidden, comes=_forbidden),
    Lever("exclusion", _not_excluded),
    Lever("misinfo_risk", _believed, comes=_doubted),
    Lever("other_name", partial(_more_names, own=False), partial(_fewer_names, own=False)),
    Lever("own_name", partial(_more_names, own=True), partial(_fewer_names, own=True)),
    Lever("pillars", _more_pillars, _fewer_pillars),
    Lever("trigger", _more_triggers, _fewer_triggers),
)
