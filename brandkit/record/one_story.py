"""Why two items are one story in a run: the chain between them, from what the run itself gathered."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from brandkit.errors import ReplayRefused, UnknownError, UsageError
from brandkit.profile import BrandProfile
from brandkit.record.replay import changed_since, context_again
from brandkit.safe import terminal
from brandkit.signals.copies import find_copies
from brandkit.signals.story_chain import run_chain
from brandkit.store.state import StateStore

_KINDS = {
    "copy": "one is a copy of the other",
    "rule": "an editor merged them",
    "earlier": "one story in an earlier run",
    "groups": "their sides' words together, no single pair",
}
_MOST_WORDS = 6


@dataclass(frozen=True, slots=True)
class OneStory:
    """The chain that joins two items of a story in a run: print it, or take its ``steps``.

    Shape: ``steps`` as ``story_chain`` gives them.
    """

    run_id: str
    story_id: str
    steps: pl.DataFrame

    def text(self) -> str:
        """The chain in words and numbers, a line for each step and item."""
        if self.steps.is_empty():
            return f"the same item, in story {self.story_id}"
        n = self.steps.height
        told = [f"story {self.story_id} in run {self.run_id}: {n} step{'s' if n > 1 else ''}"]
        told.append(_item(self.steps["item_a"][0], self.steps["title_a"][0]))
        rows = self.steps.select("kind", "nats", "shared", "item_b", "title_b").rows()
        for kind, nats, shared, item, title in rows:
            told += [f"    {_joined(kind, nats, shared)}", _item(item, title)]
        return "\n".join(terminal(line) for line in told)

    def __str__(self) -> str:
        """The same."""
        return self.text()


def _item(item_id: str, title: str | None) -> str:
    return f"{item_id}  {title or '(no title)'}"


def _joined(kind: str, nats: float | None, shared: list[dict[str, object]]) -> str:
    if kind != "words":
        return _KINDS[kind]
    words = ", ".join(f"{one['word']} {one['nats']}" for one in shared[:_MOST_WORDS])
    more = f" and {len(shared) - _MOST_WORDS} more" if len(shared) > _MOST_WORDS else ""
    return f"{nats:.1f} nats: {words}{more}"


def one_story(item_a: str, item_b: str, store: StateStore, *, run: str | None = None) -> OneStory:
    """Why two items are one story: in the newest run that recorded one of them, or in ``run``.

    The run's own inputs are gathered again, what earlier days brought in too, so the numbers are
    those that decided.

    Raises: UnknownError for an item that no run has, or that this run did not know; UsageError for
        two that are not one story; ReplayRefused where the run's inputs are gone, or another
        version gathered it otherwise.
    """
    with store.reading():
        a = store.find_item(item_a)
        b = store.find_item(item_b, profile_id=a.run.profile_id)
        row = store.run(run) if run else max(a.run, b.run, key=lambda one: one.as_of)
        inputs = store.inputs(row)
    context = context_again(row, inputs, BrandProfile.from_snapshot(row.profile_json))
    try:
        steps, story_id = run_chain(find_copies(inputs.items), context, a.item_id, b.item_id)
    except UnknownError:
        raise
    except UsageError as error:
        stored = {(found.run.run_id, found.story_id) for found in (a, b)}
        if stored == {(row.run_id, a.story_id)}:
            raise ReplayRefused(
                f"run {row.run_id} was gathered otherwise than this version would: {error}",
                allowed="; ".join(changed_since(row)),
            ) from None
        raise UsageError(f"{error}", where=f"in run {row.run_id}") from None
    return OneStory(row.run_id, story_id, steps)
