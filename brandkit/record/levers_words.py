"""What "why not" says: what a change does to the gates, and the answer in lines to read aloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from brandkit.profile import GateThresholds
from brandkit.record.explain import GateLine
from brandkit.record.levers_goal import SOME, Goal
from brandkit.record.phrases import reason, spoken

if TYPE_CHECKING:
    from brandkit.record.why_not import Flip, WhyNot

SHOWN = 5
# Gates that look at one number each.
_NUMBERS = {
    "verified": "confidence", "confidence": "confidence", "tied": "names and pillars",
    "must_cover": "total", "optional": "total", "watch": "total",
}  # fmt: skip
_BEARS = {
    "rise": "what it lacks",
    "fall": "what holds it up",
    "block": "what keeps it from being blocked",
    "release": "what blocks it",
}
_WOULD = {
    "rise": "make it {}",
    "fall": "bring it down to {}",
    "block": "block it",
    "release": "release it",
}


def effect(
    before: Mapping[str, int], after: Mapping[str, int], goal: Goal, thresholds: GateThresholds
) -> str:
    """What turns among the gates that bear on a goal: 'confidence 5 -> 6'.

    >>> from brandkit.record.levers_goal import toward
    >>> margins = dict.fromkeys(("constraint", "tied", "confidence", "must_cover", "always_cover"), -1)
    >>> effect(margins, margins | {"confidence": 0}, toward("must_cover", "watch"), GateThresholds())
    'confidence 5 -> 6'
    """
    turned = [name for name in before if (before[name] >= 0) != (after[name] >= 0)]
    # What nobody wanted is blocked by being wanted: a gate that is none of those that block.
    told = [name for name in (*goal.every, *goal.some) if name in turned] or turned
    return ", ".join(dict.fromkeys(_turn(name, before, after, thresholds) for name in told))


def approach(
    before: Mapping[str, int], after: Mapping[str, int], goal: Goal, thresholds: GateThresholds
) -> str:
    """What moves among the gates that stand in the way of a goal, whether it turns or not."""
    names = [name for name in (*goal.every, *goal.some) if (before[name] >= 0) != goal.must_pass]
    moved = [name for name in names if before[name] != after[name]]
    return ", ".join(dict.fromkeys(_turn(name, before, after, thresholds) for name in moved))


def _turn(name: str, before: Mapping[str, int], after: Mapping[str, int], bars: GateThresholds) -> str:
    # An exclusion takes the tie away whatever its points are.
    is_barred = name == "tied" and -1 in (before["not_excluded"], after["not_excluded"])
    if name in _NUMBERS and not is_barred:
        bar = getattr(bars, name)
        return f"{_NUMBERS[name]} {bar + before[name]} -> {bar + after[name]}"
    return f"{spoken(name)} {'passes' if after[name] >= 0 else 'fails'}"


def would(answer: WhyNot) -> str:
    """What the changes would do: 'make it must cover'."""
    return _WOULD[answer.course].format(spoken(answer.target)) if answer.course else ""


def lines(answer: WhyNot, most: int) -> Iterator[str]:
    """The answer: where it stands, the gates that bear on it, and the cheapest changes."""
    yield answer.title
    points = f"{answer.total} of 100, {answer.confidence} of them for confidence"
    yield f"{answer.decision} with {points}. {reason(answer.decision, answer.reason, answer.total)}"
    if answer.note:
        yield answer.note
    if not answer.course:
        yield standing(answer)
        return
    yield f"  {bears(answer)}"
    for word, line in joined_gates(answer):
        yield f"    {f'{word} {line.name}'.strip():<18} {line.result:<14} {line.meaning}"
    yield f"  {found(answer)}"
    for number, flip in enumerate(answer.flips[:most], start=1):
        yield f"    {number}. {told(flip, answer)}"
    if (more := len(answer.flips) - most) > 0:
        yield f"    and {more:,} more"
    yield from (f"    {line}" for line in nearest_lines(answer))


def nearest_lines(answer: WhyNot) -> Iterator[str]:
    """What came nearest where nothing did it, and what would still stand in the way."""
    flip = answer.nearest
    if flip is None:
        return
    told = [f"{spoken(line.name)} {line.result}" for line in flip.binding if line.name not in SOME]
    either = [f"{spoken(line.name)} {line.result}" for line in flip.binding if line.name in SOME]
    still = ", ".join([*told, f" {_word(answer)} ".join(either)] if either else told)
    yield f"nearest: {flip}"
    yield f"with that it would be {spoken(flip.decision)}{f'; still, {still}' if still else ''}"


def standing(answer: WhyNot) -> str:
    """What is said where nothing has to change."""
    if answer.decision == "drop":
        return "It is a drop: nothing is below it."
    return f"It is {spoken(answer.decision)} already."


def bears(answer: WhyNot) -> str:
    """What the gates are that bear on it: 'what it lacks'."""
    return _BEARS[answer.course]


def joined_gates(answer: WhyNot) -> Iterator[tuple[str, GateLine]]:
    """The gates that bear on it, each with 'or' or 'and' where it stands for the one before it too."""
    yield from (("", line) for line in answer.every)
    yield from ((_word(answer) if place else "", line) for place, line in enumerate(answer.some))


def _word(answer: WhyNot) -> str:
    # To rise one of them is enough; to fall they must all give way.
    return "or" if answer.course in ("rise", "release") else "and"


def found(answer: WhyNot) -> str:
    """How the search went, in one line."""
    flips: Sequence[Flip] = answer.flips
    if not flips:
        return f"no change of one or two levers on the profile's grids would {would(answer)}"
    each = "this alone" if len(flips) == 1 else "any of these alone"
    if len(flips[0].changes) > 1:
        each = "no single change; this pair" if len(flips) == 1 else "no single change; any of these pairs"
    return f"{each} would {would(answer)}{'' if len(flips) == 1 else ', cheapest first'}"


def told(flip: Flip, answer: WhyNot) -> str:
    """A flip in one line, with the decision where it is not the very one that was asked for."""
    beyond = "" if flip.decision == answer.target else f", then {spoken(flip.decision)}"
    return f"{flip}{beyond}"
