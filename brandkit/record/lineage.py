"""Where a decision comes from: gates, modifiers, parts, signals, evidence, and the items as they were seen.

Read from a stored record, what its run knew of the story, and the profile it froze. What reads what
is asked of the score's own expressions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from brandkit.record.behind import STORY_FACTS, as_seen
from brandkit.record.branches import THIS_ITEM, Node, grow
from brandkit.record.explain import explain
from brandkit.record.kept import Kept, kept
from brandkit.safe import html_text, terminal
from brandkit.schemas import INSTANT, Columns
from brandkit.store.state import StateStore

SHOWN_CHILDREN = 5
_FRAME: Columns = {
    "node": pl.Int64, "parent": pl.Int64, "level": pl.String, "name": pl.String, "value": pl.String,
    "note": pl.String, "same_as": pl.Int64, "item_id": pl.String, "publisher": pl.String,
    "tier": pl.String, "url": pl.String, "at": INSTANT,
}  # fmt: skip
# Levels of which there may be hundreds: the text shows the first of them.
_MANY = ("evidence", "source", "sighting")


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of the tree with what it comes from."""

    node: Node
    branches: tuple[Branch, ...]


@dataclass(frozen=True)
class Lineage:
    """Everything a decision rests on, down to the sightings: print it, ``frame()`` it, walk its ``tree()``.

    ``nodes`` stand in the order of the tree. What several things rest on is told in full once, and
    where it comes again it has ``same_as``.
    """

    item_id: str
    story_id: str
    run_id: str
    title: str
    nodes: tuple[Node, ...]

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"Lineage({self.item_id} in {self.run_id}: {len(self.nodes)} nodes)"

    def _repr_html_(self) -> str:
        return f"<pre>{html_text(self.text())}</pre>"

    @cached_property
    def _children(self) -> dict[int | None, list[Node]]:
        found: dict[int | None, list[Node]] = defaultdict(list)
        for node in self.nodes:
            found[node.parent].append(node)
        return found

    def tree(self) -> Branch:
        """The decision, with its branches."""
        return self._branch(self._children[None][0])

    def _branch(self, node: Node) -> Branch:
        return Branch(node, tuple(self._branch(child) for child in self._children.get(node.number, ())))

    def text(self, *, most: int = SHOWN_CHILDREN) -> str:
        """The tree as lines, with at most so many pieces of evidence, items or sightings at one place.

        Control characters are made visible.
        """
        (root,) = self._children[None]
        told = {root.number}
        lines = [self.title, root.line(), *self._lines(root, "", most, told)]
        return "\n".join(terminal(line) for line in lines)

    def _lines(self, node: Node, indent: str, most: int, told: set[int]) -> Iterator[str]:
        children = [child for child in self._children.get(node.number, ()) if not _is_aside(node, child)]
        many = [child.number for child in children if child.level in _MANY]
        left_out = set(many[most:])
        shown = [child for child in children if child.number not in left_out]
        for place, child in enumerate(shown, start=1):
            is_last = place == len(shown) and not left_out
            # What stood only among those left out is told in full where it comes again.
            is_again = child.same_as in told or (child.same_as is not None and child.level not in _MANY)
            told.update(number for number in (child.number, child.same_as) if number is not None)
            yield f"{indent}{'└─' if is_last else '├─'} {child.short() if is_again else child.line()}"
            yield from self._lines(child, f"{indent}{'   ' if is_last else '│  '}", most, told)
        if left_out:
            yield f"{indent}└─ and {len(left_out):,} more"

    def frame(self) -> pl.DataFrame:
        """All of it as rows: whoever wants more than the tree shows.

        Shape: node, parent (null for the decision), level (decision, verdict, gate, total, component,
               modifier, part, signal, evidence, source, sighting), name, value, note, same_as (the node that
               tells the same in full), and of an item item_id, publisher, tier, url and at (its first
               sighting; of a sighting its own time).
        """
        names = {"node": "number"}
        columns = {name: [getattr(node, names.get(name, name)) for node in self.nodes] for name in _FRAME}
        return pl.DataFrame(columns, schema=dict(_FRAME))


def lineage(record: Kept | str, store: StateStore, *, run: str | None = None) -> Lineage:
    """Where the decision on one item comes from, down to the stored sightings and addresses.

    ``record`` is what ``kept`` gives, or what it takes: an item's or story's id or the beginning of
    one, looked for in the newest runs, or in ``run``.

    Raises: UnknownError where no run has it; UsageError where it begins several ids.
    """
    found = kept(record, store, run=run) if isinstance(record, str) else record
    with store.reading():
        items = store.story_items(found.run, found.story_id)
        sightings = store.sightings(found.run, [found.item_id])
    account, as_of = explain(found), found.run.as_of
    items = as_seen(items, found.profile, as_of=as_of)
    nodes = grow(account, found.record, found.profile, as_of=as_of, items=items, sightings=sightings)
    return Lineage(account.item_id, account.story_id, found.run.run_id, account.title, tuple(nodes))


def _is_aside(node: Node, child: Node) -> bool:
    """Whether a child only says again that a field is a field of the item itself."""
    is_field = node.level == "signal" and node.name not in STORY_FACTS
    return is_field and child.level == "source" and child.same_as is not None and child.name == THIS_ITEM
