"""The tree of one decision, grown from the decision down to the sightings of its items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from brandkit import schemas
from brandkit.profile import BrandProfile
from brandkit.record import phrases
from brandkit.record.behind import STORY_FACTS, Match, carriers, listing, matches
from brandkit.record.explain import RUNGS, Explanation, GateLine
from brandkit.record.reads import Path, gate_reads, modifier_reads, part_reads

# The gate whose total is told in full: that of the rung the decision came to.
_CARRIER = {"must_cover": "must_cover", "optional": "optional"}
_MENTIONED = {
    "entities": ("own", "rivals", "watched"),
    "pillars": ("pillars",),
    "triggers": ("triggers",),
    "forbidden": ("forbidden",),
    "excluded": ("exclusions",),
}
_ITS_PUBLISHER = ("tier", "audience", "role")
_COORDINATED = ("coordinated_share", "n_coordinated", "coordination")
_COUNTED_AT = ("views", "followers", "engagement_ratio")
_TITLE_CHARACTERS = 90
THIS_ITEM = "this item"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One thing a decision rests on. ``same_as`` is the node that tells the same in full."""

    number: int
    parent: int | None
    level: str
    name: str
    value: str = ""
    note: str = ""
    same_as: int | None = None
    item_id: str | None = None
    publisher: str | None = None
    tier: str | None = None
    url: str | None = None
    at: datetime | None = None

    def line(self) -> str:
        """The node in one line."""
        told = f"{self.name} {self.value}".strip()
        if self.level in ("gate", "modifier", "part", "signal"):
            told = f"{self.level} {told}"
        if self.level == "source":
            return (
                f"{told}, first seen {self.at:%Y-%m-%d %H:%M} UTC: {_cut(self.note)} {self.url or ''}".strip()
            )
        return f"{told}: {self.note}" if self.note else told

    def short(self) -> str:
        """The node in one line where it was told in full before."""
        told = f"{self.name} {self.value}".strip() if self.level == "source" else self.line()
        return f"{told} (above)"


def grow(
    account: Explanation,
    record: pl.DataFrame,
    profile: BrandProfile,
    *,
    as_of: datetime,
    items: pl.DataFrame,
    sightings: pl.DataFrame,
) -> list[Node]:
    """The nodes of the tree of one record, in order, the decision first.

    ``items`` are those of its story as the run knew them, ``sightings`` those of the item.
    """
    facts = _Facts(
        row=record.row(0, named=True),
        profile=profile,
        matched=matches(record, profile),
        # The item itself first: of the others only some are shown.
        items=items.sort(pl.col("item_id") != account.item_id, maintain_order=True),
        carried=carriers(items, account.item_id, as_of=as_of),
        sightings=sightings,
    )
    tree = _Tree(account, facts)
    tree.decision()
    return tree.nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What there is to tell of one record."""

    row: Mapping[str, Any]
    profile: BrandProfile
    matched: list[Match]
    items: pl.DataFrame
    carried: Mapping[str, pl.DataFrame]
    sightings: pl.DataFrame

    def of(self, signal: str) -> pl.DataFrame:
        """The items that count for a fact of the story, the record's own first."""
        counted = self.carried[signal]
        return self.items.join(counted.select("item_id"), on="item_id", how="semi", maintain_order="left")


class _Tree:
    """Grows the nodes; what was told in full once is only named again."""

    def __init__(self, account: Explanation, facts: _Facts) -> None:
        self.nodes: list[Node] = []
        self._account, self._facts = account, facts
        self._told: dict[Path, int] = {}
        self._parts = part_reads(facts.profile)
        self._modifiers = modifier_reads(facts.profile)

    def decision(self) -> None:
        account = self._account
        root = self._add(None, "decision", account.decision, f"{account.total} of 100", account.sentence())
        if account.verdict:
            self._add(root, "verdict", "verdict", account.verdict, account.verdict_sentence())
        reads = gate_reads(self._facts.profile)
        for gate in self._gates():
            number = self._add(root, "gate", gate.name, gate.result, gate.meaning)
            for path in reads[gate.name]:
                self._read(number, path)

    def _gates(self) -> list[GateLine]:
        """The gates in the order that tells most: what carries the total, its rung, the others."""
        decision = self._account.decision
        first = (_CARRIER.get(decision, "watch"), *RUNGS.get(decision, ()))
        return sorted(self._account.gates, key=lambda gate: (
            first.index(gate.name) if gate.name in first else len(first)))  # fmt: skip

    def _add(
        self, parent: int | None, level: str, name: str, value: str = "", note: str = "", **more: Any
    ) -> int:
        node = Node(
            number=len(self.nodes), parent=parent, level=level, name=name, value=value, note=note, **more
        )
        self.nodes.append(node)
        return node.number

    def _once(
        self, key: Path, parent: int, level: str, name: str, value: str = "", note: str = "", **more: Any
    ) -> int | None:
        """The number of a node told for the first time; None where it was told before."""
        told = self._told.get(key)
        number = self._add(parent, level, name, value, note, same_as=told, **more)
        if told is not None:
            return None
        self._told[key] = number
        return number

    # From gates to signals

    def _read(self, parent: int, path: Path) -> None:
        """What a gate reads: the total, a component, a part, a modifier or a signal."""
        match path:
            case ("total",):
                self._total(parent)
            case ("scores", component):
                self._component(parent, component)
            case ("base", component):
                self._base(parent, component)
            case ("parts", component, part):
                self._part(parent, component, part)
            case ("modifiers",):
                for component in schemas.COMPONENTS:
                    self._taken(parent, component)
            case (signal,):
                self._signal(parent, signal)
            case _:
                self._add(parent, "component", ".".join(path))

    def _total(self, parent: int) -> None:
        if (number := self._once(("total",), parent, "total", "total", str(self._account.total))) is not None:
            for component in schemas.COMPONENTS:
                self._component(number, component)

    def _component(self, parent: int, component: str) -> None:
        value = f"{self._account.scores[component]} of {self._account.maxima[component]}"
        number = self._once(("scores", component), parent, "component", component, value)
        if number is not None:
            self._taken(number, component)
            self._given(number, component)

    def _base(self, parent: int, component: str) -> None:
        value = str(self._facts.row["base"][component])
        number = self._once(
            ("base", component), parent, "component", component, value, "before modifiers took anything"
        )
        if number is not None:
            self._given(number, component)

    def _taken(self, parent: int, component: str) -> None:
        for step in self._account.steps:
            if step.kind == "modifier" and step.component == component:
                key = ("modifiers", component, step.name)
                number = self._once(key, parent, "modifier", step.name, f"{step.points:+d}", step.fact)
                self._signals(number, self._modifiers.get(step.name, ()))

    def _given(self, parent: int, component: str) -> None:
        for step in self._account.steps:
            if step.kind != "modifier" and step.component == component:
                self._part(parent, component, step.name)

    def _part(self, parent: int, component: str, name: str) -> None:
        step = next(
            (s for s in self._account.steps
             if s.kind != "modifier" and (s.component, s.name) == (component, name)), None,
        )  # fmt: skip
        if step is None:
            return
        of = f" of {step.maximum}" if step.maximum is not None else ""
        key = ("parts", component, name)
        number = self._once(key, parent, "part", name, f"{step.points:+d}{of}", step.fact)
        self._signals(number, self._parts.get((component, name), ()))

    # From signals to sightings

    def _signals(self, parent: int | None, signals: Iterable[str]) -> None:
        if parent is not None:
            for signal in signals:
                self._signal(parent, signal)

    def _signal(self, parent: int, signal: str) -> None:
        number = self._once((signal,), parent, "signal", signal, f"= {shown(self._facts.row[signal])}")
        if number is not None:
            self._behind(signal)(number, signal)

    def _behind(self, signal: str) -> Callable[[int, str], None]:
        if signal.removesuffix("_in_title") in _MENTIONED:
            return self._mentions
        if signal in STORY_FACTS:
            return self._carried
        if signal in _ITS_PUBLISHER:
            return self._listed
        if signal in _COORDINATED:
            return self._pairs
        if signal.startswith("misinfo_"):
            return self._doubts
        return self._counted if signal in _COUNTED_AT else self._itself

    def _mentions(self, parent: int, signal: str) -> None:
        tables = _MENTIONED[signal.removesuffix("_in_title")]
        only_title = signal.endswith("_in_title") or signal == "excluded"
        found = [m for m in self._facts.matched if m.table in tables and (m.in_title or not only_title)]
        for match in found:
            where = "title" if match.in_title else "summary"
            of = "" if match.name == match.term.phrase else f"a term of {match.name} "
            note = f"in the {where}; {of}in [{match.table}] of the profile"
            self._add(parent, "evidence", f"'{match.term.phrase}'", note=note)
        if signal == "forbidden":
            refused = set(self._facts.profile.forbidden.risk_flags)
            for flag in self._facts.row["risk_flags"] or ():
                if flag in refused:
                    self._add(parent, "evidence", flag, note="a risk flag the profile refuses")
        if self._facts.row[signal]:
            self._source(parent, self._own())

    def _carried(self, parent: int, signal: str) -> None:
        """The publishers that count, each with its items; or the items that were counted."""
        items = self._facts.of(signal)
        if signal in ("velocity_h", "last_new_publisher_at"):
            self._sources(parent, items)
            return
        for (publisher, tier), rows in items.group_by("publisher", "tier", maintain_order=True):
            n = phrases.counted(rows.height, "item")
            number = self._add(
                parent, "evidence", str(publisher), f"({tier})", n, publisher=str(publisher), tier=str(tier)
            )
            self._sources(number, rows)
        told, counted = items["publisher"].drop_nulls().n_unique(), self._facts.row[signal]
        if isinstance(counted, int) and told != counted:
            # Of an item that no run recorded, what it was a copy of and who acted together is gone.
            self._add(parent, "evidence", f"{told} are told here", note=f"the run counted {counted}")

    def _listed(self, parent: int, signal: str) -> None:
        name = str(self._facts.row["publisher"] or "no publisher")
        self._add(parent, "evidence", name, note=listing(self._facts.row, self._facts.profile))
        self._source(parent, self._own())

    def _pairs(self, parent: int, signal: str) -> None:
        for pair in self._facts.row["coordination"] or () if signal == "coordination" else ():
            self._add(parent, "evidence", phrases.pair(pair))
        if signal == "coordinated_share":
            self._sources(parent, self._facts.items.filter(pl.col("is_coordinated")))

    def _doubts(self, parent: int, signal: str) -> None:
        if signal != "misinfo_evidence" or not self._facts.row[signal]:
            return
        said = phrases.doubtful_words(self._facts.row)
        for code in self._facts.row[signal]:
            note = phrases.against(code.partition(":")[0], said=said)
            number = self._add(parent, "evidence", code, note=note)
            if code.startswith("disputed"):
                self._sources(number, self._facts.items.filter(pl.col("is_denial")))
            elif not code.startswith("no_ab_publisher"):
                self._source(number, self._own())

    def _counted(self, parent: int, signal: str) -> None:
        row = self._facts.row
        if signal == "engagement_ratio" and row["engagement"] is not None:
            known = shown(row["engagement"])
            self._add(parent, "evidence", "engagement", known, "reactions + 2 x comments + 3 x shares")
            if row[signal]:
                usual = shown(row["engagement"] / row[signal])
                self._add(parent, "evidence", "usual", usual, f"for {row['source']}, at least 1")
        self._source(parent, self._own())

    def _itself(self, parent: int, signal: str) -> None:
        """A field of the item: its row tells it. A copy rests on its original too."""
        row = self._facts.row
        for link in row["evidence"] or () if signal == "evidence" else ():
            self._add(parent, "evidence", "link", note=link, url=link)
        if signal == "age_h":
            self._add(parent, "evidence", "published_at", shown(row["published_at"]))
        if signal == "copy_of" and row[signal]:
            self._sources(parent, self._facts.items.filter(pl.col("item_id") == row[signal]))
        self._source(parent, self._own())

    def _own(self) -> Mapping[str, Any]:
        found: dict[str, Any] = self._facts.items.row(
            by_predicate=pl.col("item_id") == self._account.item_id, named=True
        )
        return found

    def _sources(self, parent: int, items: pl.DataFrame) -> None:
        for row in items.iter_rows(named=True):
            self._source(parent, row)

    def _source(self, parent: int, row: Mapping[str, Any]) -> None:
        """An item as it was first seen; the record's own with all its sightings."""
        is_own = row["item_id"] == self._account.item_id
        who = row["publisher"] or row["source"]
        number = self._once(
            ("item", row["item_id"]), parent, "source", THIS_ITEM if is_own else f"item {row['item_id']}",
            f"by {who} ({row['tier'] or 'tier not known'})", row["title"] or "", item_id=row["item_id"],
            publisher=row["publisher"], tier=row["tier"], url=row["url"], at=row["collected_at"],
        )  # fmt: skip
        if number is None or not is_own:
            return
        for seen in self._facts.sightings.iter_rows(named=True):
            counts = [f"{n} {seen[n]:,}" for n in schemas.METRICS if seen[n] is not None]
            self._add(
                number, "sighting", "seen", f"{seen['observed_at']:%Y-%m-%d %H:%M:%S} UTC",
                ", ".join(counts) or "no numbers", item_id=seen["item_id"], at=seen["observed_at"],
            )  # fmt: skip


def shown(value: Any) -> str:
    """The value of a signal in a few characters."""
    if value is None:
        return phrases.NO_DATA
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Iterable) and not isinstance(value, str):
        listed = list(value)
        if any(isinstance(one, Mapping) for one in listed):
            return phrases.counted(len(listed), "pair")
        return ", ".join(map(str, listed)) or "none"
    return str(value)


def _cut(title: str) -> str:
    return title if len(title) <= _TITLE_CHARACTERS else f"{title[: _TITLE_CHARACTERS - 1].rstrip()}…"
