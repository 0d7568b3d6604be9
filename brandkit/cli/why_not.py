"""``brandkit why-not``: the gates that bind, and the cheapest changes that would flip a decision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import Answer, Command, open_store
from brandkit.cli.reading import PROFILE, STORE, profile_id_of, usual_profile
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from brandkit.record.why_not import WhyNot

# As in schemas.Decision, which would load Polars.
DECISIONS = ("must_cover", "optional", "watch", "block", "drop")
MOST_FLIPS = 5


@click.command(
    "why-not",
    cls=Command,
    short_help="What would flip a decision, at the least.",
    epilog="\b\nExample:\n  brandkit why-not 3f9c2a71 --target optional",
)
@click.argument("item")
@click.option(
    "--target", metavar="DECISION", default="must_cover", show_default=True,
    help=f"The decision it should come to: {', '.join(DECISIONS[:-1])} or {DECISIONS[-1]}.",
)  # fmt: skip
@click.option(
    "--holds", is_flag=True, help="Say what holds it up instead: the least that would bring it down."
)
@click.option("--all", "is_all", is_flag=True, help="List every change that would do it.")
@click.option("--run", "run_id", metavar="RUN", help="A run's id. [default: the latest that has the item]")
@PROFILE
@STORE
def why_not(
    item: str, target: str, *, holds: bool, is_all: bool, run_id: str | None, profile_id: str | None,
    store_path: Path | None,
) -> Answer:  # fmt: skip
    """Say which gates bind, how far off they are, and the cheapest changes that would flip it.

    ITEM is an item's id, the beginning of one that no other item shares, or a story's id, which
    stands for its lead. Changes are tried one by one, then two by two, on the grids of the profile's
    table [levers]; each is judged by the real scoring code.
    """
    from brandkit.record.kept import kept
    from brandkit.record.why_not import what_holds
    from brandkit.record.why_not import why_not as why_not_so

    asked = click.get_current_context().get_parameter_source("target")
    if holds and asked is click.core.ParameterSource.COMMANDLINE:
        raise UsageError(
            "--holds asks for no --target", hint="a --target below where it stands asks that too"
        )
    found = kept(
        item, open_store(store_path), run=run_id, profile_id=profile_id_of(profile_id), usual=usual_profile()
    )
    answer = what_holds(found) if holds else why_not_so(found, target)
    made_in = found.run.run_id
    return Answer(_data(answer, made_in), lambda screen: _show(screen, answer, made_in, is_all=is_all))


def _data(answer: WhyNot, run_id: str) -> dict[str, Any]:
    names = (
        "item_id", "story_id", "title", "decision", "reason", "total", "confidence", "target", "course",
        "note",
    )  # fmt: skip
    near = answer.nearest
    return {
        "run_id": run_id,
        **{name: getattr(answer, name) for name in names},
        "gates": answer.gate_frame().to_dicts(),
        "flips": [
            {**row, "effect": flip.effect, "reason": flip.reason}
            for row, flip in zip(answer.frame().to_dicts(), answer.flips, strict=True)
        ],
        "nearest": None if near is None else {
            "changes": [{"lever": change.lever, "phrase": change.phrase} for change in near.changes],
            "effect": near.effect, "decision": near.decision, "total_to": near.total,
            "binding": [line.name for line in near.binding],
        },
    }  # fmt: skip


def _show(screen: Console, answer: WhyNot, run_id: str, *, is_all: bool) -> None:
    from brandkit.record import levers_words
    from brandkit.record.phrases import reason, spoken

    show_line(screen, answer.title, style="bold")
    show_line(screen, f"item {answer.item_id} · story {answer.story_id} · run {run_id}", style="dim")
    points = f"{answer.total} of 100, {answer.confidence} of them for confidence"
    told = reason(answer.decision, answer.reason, answer.total)
    show_line(screen, f"{spoken(answer.decision)} with {points}. {told}")
    if answer.note:
        show_line(screen, answer.note, style="yellow")
    if not answer.course:
        show_line(screen, levers_words.standing(answer), style="green")
        return
    _show_gates(screen, answer)
    show_line(screen, levers_words.found(answer))
    shown = answer.flips if is_all else answer.flips[:MOST_FLIPS]
    for number, flip in enumerate(shown, start=1):
        show_line(screen, f"  {number}. {levers_words.told(flip, answer)}")
    if more := len(answer.flips) - len(shown):
        show_line(screen, f"  and {more:,} more: --all")
    for line in levers_words.nearest_lines(answer):
        show_line(screen, f"  {line}")


def _show_gates(screen: Console, answer: WhyNot) -> None:
    from brandkit.record import levers_words

    rows = [
        (f"{word} {line.name.replace('_', ' ')}".strip(), line.result, line.meaning)
        for word, line in levers_words.joined_gates(answer)
    ]
    show_table(screen, ("gate", "result", "asks for"), rows, title=levers_words.bears(answer))
