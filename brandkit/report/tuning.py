"""The stories of some finished runs, ready to be asked what if: read once, for every question of a report."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import polars as pl

from brandkit.errors import UnknownError
from brandkit.profile import BrandProfile
from brandkit.record import calibrate, slots
from brandkit.record.changed import differences, full_name, measured_otherwise
from brandkit.record.series import Days, days_of
from brandkit.record.shadow import Trial, compare_shadow
from brandkit.record.slots import Slots
from brandkit.record.span import KEY, Span, span
from brandkit.record.sweep import Curve, Judge, Number, curve
from brandkit.record.verdict_scores import spoken
from brandkit.report.opening import desk_of
from brandkit.report.parameters import TuneParameters
from brandkit.report.week import listed
from brandkit.store.state import StateStore

# What a curve is told by: the stories that a bar lets in; of any other setting what is promoted.
_LEAVES = {
    "thresholds.must_cover": ("to cover", ("must_cover",)),
    "thresholds.watch": ("watched or promoted", ("must_cover", "optional", "watch")),
    "": ("promoted", ("must_cover", "optional")),
}
# What is swept unless something else is asked for: the bars of the decisions a desk works on.
SETTINGS = ("must_cover", "optional")
# Numbers of slots that are asked for unless one is given.
SLOTS = (3, 5, 8, 12)
# A weight is moved over so many values, and at least up to so many points.
_MOST_VALUES, _LEAST_TOP = 20, 10
# So many points around a bar are drawn: far below it nearly everything comes in, and hides the rest.
AROUND = 15
# A table moves a setting by these many of its values.
STEPS = (-10, -5, -3, -1, 0, 1, 3, 5, 10)


@dataclass(frozen=True)
class Tuning:
    """Some days of a desk's stories, judged by the desk's present profile.

    ``asked`` has their leads, ``settings`` are swept, ``slots`` is how many stories a day the desk
    can take (None: not said).
    """

    store: StateStore
    days: Days
    asked: Span
    settings: tuple[str, ...] = SETTINGS
    slots: int | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def profile(self) -> BrandProfile:
        """The profile that is tuned: the desk's, as it stands now."""
        return self.asked.present

    @property
    def first(self) -> date:
        """The first of the days."""
        return self.days.first

    @property
    def last(self) -> date:
        """The last of the days."""
        return self.days.last

    @cached_property
    def verdicts(self) -> pl.DataFrame:
        """The verdicts of the desk, as the store gives them."""
        return self.store.verdicts(self.asked.profile_id)

    @cached_property
    def said(self) -> pl.DataFrame:
        """The verdict on each story that has one, each verdict once."""
        return spoken(self.asked.leads.select(*KEY, "as_of"), self.verdicts)

    @cached_property
    def curves(self) -> tuple[Curve, ...]:
        """The day's work at every value of each setting that is swept."""
        judges = (Judge.of(self.asked, name) for name in self.settings)
        found = (curve(judge, self.asked.runs, self.said, values=_values(judge)) for judge in judges)
        return tuple(map(_around, found))

    @cached_property
    def slots_asked(self) -> tuple[Slots, ...]:
        """The threshold for the desk's slots, or for several numbers of them where none is given."""
        wanted = SLOTS if self.slots is None else (self.slots,)
        return tuple(slots.of_span(self.asked, slots=n) for n in wanted)

    @cached_property
    def calibration(self) -> calibrate.Calibration:
        """How decisions agree with verdicts, and what would make them agree more."""
        return calibrate.of_span(self.asked, self.verdicts)

    @cached_property
    def trial(self) -> Trial | None:
        """The profile on trial beside the live one; None where no day has both."""
        try:
            return compare_shadow(self.store, self.asked.profile_id, first=self.first, last=self.last)
        except UnknownError:
            return None


def open_tuning(chosen: TuneParameters) -> Tuning:
    """The stories of the days that are asked for, under the desk's profile as it stands now.

    Raises: UnknownError where no run is of these days, or a setting is none; UsageError where nothing
            names a profile, or the days are no span.
    """
    profile, store, notes = desk_of(chosen)
    # A misspelt setting is told before a store is read.
    names = tuple(dict.fromkeys(full_name(name, profile) for name in chosen.settings or SETTINGS))
    days = days_of(store, profile.id, first=chosen.first, last=chosen.run_date, days=chosen.days)
    read = span(days.run_ids, store)
    notes = (*notes, *_apart(read.present, profile))
    # One profile for all days: over days of several a curve would have no present value.
    asked = replace(read, profiles=dict.fromkeys(read.profiles, profile))
    return Tuning(store, days, asked, names, chosen.slots, notes)


def _apart(frozen: BrandProfile, present: BrandProfile) -> tuple[str, ...]:
    """In what the desk's profile is not that of the latest run."""
    told = [
        f"{name.rpartition('.')[2].replace('_', ' ')} {now}, then {then}"
        for name, then, now in differences(frozen, present).rows()
    ]
    notes = []
    if told:
        notes.append(f"Judged by the profile as it is now; the latest run had others: {listed(told)}.")
    if measured := measured_otherwise(frozen, present):
        names = listed([name.replace("_", " ") for name in measured])
        notes.append(f"The profile's {names} changed too; facts were measured by what they were then.")
    return tuple(notes)


def _values(judge: Judge) -> list[Number] | None:
    """What a setting is moved over: a threshold over all it can be, any other up to twice what it is."""
    present = judge.present
    if present is None or judge.name.startswith("thresholds."):
        return None
    if isinstance(present, int):
        top = max(2 * present, _LEAST_TOP)
        return sorted({*range(0, top + 1, -(-top // _MOST_VALUES)), present})
    return sorted({round(present * step / 10, 9) for step in range(0, 21, 2)})


def _around(found: Curve) -> Curve:
    if found.present is None or not found.name.startswith("thresholds."):
        return found
    is_near = (pl.col("value") - found.present).abs() <= AROUND
    return replace(found, frame=found.frame.filter(is_near), by_day=found.by_day.filter(is_near))


# What a curve says ---------------------------------------------------------------------------------


def steps(found: Curve) -> pl.DataFrame:
    """The work of a mean day at the present value and some around it, and at the ends.

    Shape:  value, is_present, must_cover, optional, watch, block (stories a day), promoted, and
            precision and recall of what is promoted, where verdicts speak.
    """
    frame = found.frame
    near = pl.col("value").is_in(_near(found))
    per_day = [
        (pl.col(name) / max(found.n_days, 1)).round(1)
        for name in ("must_cover", "optional", "watch", "block")
    ]
    return frame.filter(near).select(
        "value",
        *per_day,
        is_present=pl.lit(value=False) if found.present is None else pl.col("value") == found.present,
        promoted=pl.col("promoted_per_day").round(1),
        precision="precision_promoted",
        recall="recall_promoted",
    )


def _near(found: Curve) -> list[float]:
    values = found.frame["value"].to_list()
    if found.present is None or found.present not in values:
        return values[:: max(1, len(values) // 8)]
    at = values.index(found.present)
    return [values[at + step] for step in STEPS if 0 <= at + step < len(values)]


def curve_words(found: Curve) -> str:
    """What the present value leaves on a mean day, and what five of its values either way would."""
    name = found.name.rpartition(".")[2].replace("_", " ")
    what, rungs = _LEAVES.get(found.name, _LEAVES[""])
    per_day = pl.sum_horizontal(rungs) / max(found.n_days, 1)
    work = {value: float(n) for value, n in found.frame.select("value", per_day).rows()}
    values = list(work)
    if found.present not in work:
        low, high = values[0], values[-1]
        told = f"{name.capitalize()} at {low:g} gives {work[low]:.1f} stories a day {what}"
        return f"{told}, at {high:g} {work[high]:.1f}."
    told = f"{name.capitalize()} at {found.present:g} gives {work[found.present]:.1f} stories a day {what}"
    if len(set(work.values())) == 1:
        return f"{told}, and so does every other value."
    at = values.index(found.present)
    ends = sorted({values[max(at - 5, 0)], values[min(at + 5, len(values) - 1)]} - {found.present})
    return f"{told}; it would be {', and '.join(f'{work[value]:.1f} at {value:g}' for value in ends)}."
