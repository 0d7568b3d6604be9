"""Yesterday, had again: a past run made anew from its stored inputs and frozen profile.

The inputs are as they were then, whatever came in since; where that cannot be shown, replay refuses
and says why. It never writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl

from brandkit.assess import Assessment, standard_pipeline
from brandkit.errors import CheckFailed, ReplayRefused
from brandkit.fingerprint import input_hash, versions
from brandkit.pipeline import RunContext
from brandkit.profile import BrandProfile
from brandkit.record.compare import Comparison, compare_records
from brandkit.record.pairing import Decided
from brandkit.safe import terminal
from brandkit.schemas import frame_hash
from brandkit.store.inputs import RunInputs, require_kept
from brandkit.store.runs import RunRow
from brandkit.store.state import StateStore

MOST_SHOWN = 10
_TEXT_CHARACTERS = 60
_CHANGED_SINCE = (
    "what the run recorded, or knew of the past, was pruned, erased or changed by other means since"
)


@dataclass(frozen=True, slots=True)
class Replay:
    """A run as it is stored (``then``) and as it comes out again (``now``): records, stories, profile.

    ``is_same`` when records and stories came out byte for byte as they are stored. ``changed`` names
    what made the run then and is of another version now.

    Shape:  ``differences`` and ``story_differences``: item_id or story_id, column, stored and
            replayed (as text), sorted; what only one side has differs in its id. A what-if lists
            none: ``moved()`` says what came of it.
    """

    then: Decided
    now: Decided
    is_same: bool
    is_what_if: bool
    differences: pl.DataFrame
    story_differences: pl.DataFrame
    changed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def run_id(self) -> str:
        """The run that was replayed."""
        return self.then.run_id

    @property
    def records(self) -> pl.DataFrame:
        """The records that came out, sorted by item_id."""
        return self.now.records

    @property
    def n_different(self) -> int:
        """How many values of records and stories came out otherwise than they are stored."""
        return self.differences.height + self.story_differences.height

    @property
    def ok(self) -> bool:
        """True when the promise was kept, or none was made: another profile may move what it likes."""
        return self.is_what_if or self.is_same

    def moved(self) -> Comparison:
        """Who moved from what was decided then to what came out now, and why."""
        return compare_records(self.then, replace(self.now, run_id=f"{self.run_id} (replayed)"))

    def require(self) -> Replay:
        """Itself, or CheckFailed naming the first differences."""
        if self.ok:
            return self
        why = "; ".join(self.changed) or "the stored records were changed by other means since"
        raise CheckFailed(
            f"{self.n_different:,} values of run {self.run_id} came out otherwise than they are stored",
            allowed="; ".join(_lines(self, most=3)),
            hint=why,
        )

    def text(self) -> str:
        """What came of it, on one screen."""
        told = [self.headline()] if not self.is_what_if else [self.moved().text()]
        if not self.ok:
            told += _lines(self, most=MOST_SHOWN)
        return "\n".join([*told, *(f"note: {note}" for note in self.notes)])

    def headline(self) -> str:
        """Whether it came out the same, as a line."""
        if self.is_same:
            n = f"{self.records.height:,} records and {self.now.stories.height:,} stories"
            return f"run {self.run_id}: {n} came out byte for byte as they are stored"
        return f"run {self.run_id}: {self.n_different:,} values came out otherwise than they are stored"

    def __str__(self) -> str:
        """The same."""
        return self.text()

    def __repr__(self) -> str:
        """Which run, and whether it came out the same."""
        differs = "another profile" if self.is_what_if else f"{self.n_different} values differ"
        told = "the same" if self.is_same else differs
        return f"Replay({self.run_id}: {self.records.height} records, {told})"


def replay(
    run: str, store: StateStore, *, profile: BrandProfile | None = None, strict: bool = True
) -> Replay:
    """A complete run made again from its stored inputs: the same bytes, or what differs.

    With another ``profile`` it is a what-if on history: the same items and the same past, decided by
    that profile's rules. Nothing is promised then, and ``moved()`` says who moved.

    Args:
        run: its id.
        store: where it is.
        profile: another one than the run's own.
        strict: False replays a run that other versions made too, and promises nothing of it.

    Raises: UnknownError for a run that is not there; ReplayRefused, with the reason, for one that
            is not complete, whose inputs cannot be had again, or that other versions made.
    """
    with store.reading():
        row = store.run(run)
        require_kept(row)
        changed = changed_since(row)
        if changed and strict and profile is None:
            raise _made_otherwise(row, changed)
        inputs = store.inputs(row)
        then = Decided.read(store, row)
    notes = [f"made by other versions: {'; '.join(changed)}"] if changed else []
    if (doubt := _doubt(row, inputs, then.profile)) is not None:
        # Other versions may put the same rows in other bytes; only the same ones can tell.
        if not changed:
            raise ReplayRefused(doubt, hint=_CHANGED_SINCE)
        notes.append(f"{doubt}, as far as other versions can tell")
    now = _made(then, inputs, profile or then.profile)
    return compared(then, now, is_what_if=profile is not None, changed=changed, notes=notes)


def context_again(run: Decided | RunRow, inputs: RunInputs, profile: BrandProfile) -> RunContext:
    """What the stages of a past run may know, from its stored inputs."""
    return RunContext(
        profile=profile,
        as_of=run.as_of,
        window_start=run.window_start,
        run_id=run.run_id,
        history=inputs.history,
        observations=inputs.observations,
    )


def compared(
    then: Decided,
    now: Decided,
    *,
    is_what_if: bool = False,
    changed: Iterable[str] = (),
    notes: Iterable[str] = (),
) -> Replay:
    """The replay of a run that is stored as ``then`` and came out as ``now``."""
    sides = {"item_id": (then.records, now.records), "story_id": (then.stories, now.stories)}
    is_same = all(frame_hash(a) == frame_hash(b) for a, b in sides.values())
    listed = [
        _none(key) if is_same or is_what_if else differences(a, b, key) for key, (a, b) in sides.items()
    ]
    return Replay(
        then=then,
        now=now,
        is_same=is_same,
        is_what_if=is_what_if,
        differences=listed[0],
        story_differences=listed[1],
        changed=tuple(changed),
        notes=tuple(notes),
    )


def changed_since(row: RunRow) -> list[str]:
    """What made the run and is of another version now."""
    here = versions()
    return [
        f"{name} {_short(row.versions.get(name))} then, {_short(here.get(name))} now"
        for name in sorted({*row.versions, *here})
        if row.versions.get(name) != here.get(name)
    ]


def _short(version: str | None) -> str:
    return (version or "none")[:12]


def _made_otherwise(row: RunRow, changed: list[str]) -> ReplayRefused:
    return ReplayRefused(
        f"run {row.run_id} was made by other versions: the same bytes cannot be promised",
        allowed="; ".join(changed),
        hint="strict=False (--anyway) replays it all the same and lists what differs",
    )


def _doubt(row: RunRow, inputs: RunInputs, frozen: BrandProfile) -> str | None:
    """Why this is not what the run was made of; None where it is."""
    if frozen.hash != row.profile_hash:
        return f"the profile frozen in run {row.run_id} is not the one it was made by"
    if input_hash(inputs.items, inputs.observations, inputs.history) != row.input_hash:
        return f"the inputs of run {row.run_id} cannot be had again"
    return None


def _made(then: Decided, inputs: RunInputs, profile: BrandProfile) -> Decided:
    """The same run by this profile: all stages after the checkpoint that its inputs came through."""
    _, tail = standard_pipeline().split("normalise")
    made = Assessment.of(tail.run(inputs.items, context_again(then, inputs, profile)))
    return replace(then, records=made.records, stories=made.stories, profile=profile, versions=versions())


def differences(stored: pl.DataFrame, replayed: pl.DataFrame, key: str) -> pl.DataFrame:
    """Every value that differs between two frames sorted by their key; none where their bytes are equal."""
    hashes = frame_hash(stored), frame_hash(replayed)
    if hashes[0] == hashes[1]:
        return _none(key)
    found = pl.concat(_each_column(stored, replayed, key)).sort(key, "column")
    # Bytes are what is promised: what differs in no value that can be shown differs all the same.
    whole = pl.DataFrame([(None, "bytes", *hashes)], schema=_none(key).schema, orient="row")
    return whole if found.is_empty() else found


def _none(key: str) -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys((key, "column", "stored", "replayed"), pl.String))


def _each_column(stored: pl.DataFrame, replayed: pl.DataFrame, key: str) -> Iterator[pl.DataFrame]:
    ids = stored.select(key, stored=key).join(
        replayed.select(key, replayed=key), on=key, how="full", coalesce=True
    )
    yield _unequal(ids, key, name=key)
    a = stored.join(replayed, on=key, how="semi").sort(key)
    b = replayed.join(stored, on=key, how="semi").sort(key)
    for name in stored.columns:
        both = pl.DataFrame({key: a[key], "stored": _as_text(a[name]), "replayed": _as_text(b[name])})
        yield _unequal(both, key, name=name)


def _unequal(both: pl.DataFrame, key: str, *, name: str) -> pl.DataFrame:
    differs = pl.col("stored").ne_missing(pl.col("replayed"))
    return both.filter(differs).select(key, pl.lit(name).alias("column"), "stored", "replayed")


def _as_text(values: pl.Series) -> pl.Series:
    if not values.dtype.is_nested():
        return values.cast(pl.String)
    # Only a struct can be encoded, so whatever it is goes in one.
    return values.alias("v").to_frame().to_struct().struct.json_encode()


def _lines(found: Replay, *, most: int) -> list[str]:
    rows: list[Mapping[str, str]] = [
        *found.differences.rename({"item_id": "id"}).head(most).to_dicts(),
        *found.story_differences.rename({"story_id": "id"}).head(most).to_dicts(),
    ]
    cut = ({name: (text or "nothing")[:_TEXT_CHARACTERS] for name, text in row.items()} for row in rows)
    lines = [f"{row['id']} {row['column']}: {row['stored']} -> {row['replayed']}" for row in cut]
    return [terminal(line) for line in lines[:most]]
