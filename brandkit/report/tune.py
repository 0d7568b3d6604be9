"""The report for tuning, one function a section: a ``Tuning`` in, HTML out. For whoever keeps the profile."""

from __future__ import annotations

import polars as pl

from brandkit.record.causes import WORDS
from brandkit.record.compare import because
from brandkit.record.slots import Slots
from brandkit.record.suggest import MIN_VERDICTS, Suggestion
from brandkit.record.sweep import Curve
from brandkit.report import charts, curves
from brandkit.report import tuning as content
from brandkit.report.brief import counted, spoken
from brandkit.report.html import Html, join, picture, tag
from brandkit.report.tables import Column, note, nothing, section, table
from brandkit.report.tuning import Tuning
from brandkit.report.week import day_name, days_in_words, listed

MOST_LINES = 10
MOST_SETTINGS = 5
_STORY = Column("title", "Story", "title", link="url")
_ID = Column("item_id", "Id", "code")
_WAYS = ("moved", "up", "down", "came", "went")
_WORK = ("must_cover", "optional", "watch", "block")


def headline(tuning: Tuning) -> Html:
    """Whose profile, over which days, with how much to go by."""
    kicker = tag("p", tuning.profile.title or tuning.profile.id, class_="kicker")
    days = days_in_words(tuning.days.first, tuning.days.last)
    runs, gaps = len(tuning.days.runs), len(tuning.days.without_run)
    without = f", {counted(gaps, 'day', 'days')} without one" if gaps else ""
    stories = counted(tuning.asked.leads.height, "story", "stories")
    verdicts = counted(tuning.said.height, "verdict", "verdicts")
    told = f"{counted(runs, 'run', 'runs')}{without}: {stories} decided on, {verdicts}."
    bars = tuning.profile.thresholds
    at = f"Must cover from {bars.must_cover} points, optional from {bars.optional}, watch from {bars.watch}."
    small = "Facts stay as they were measured; only judgement is asked anew. Nothing here is written."
    notes = [note(line) for line in tuning.notes]
    return join([
        kicker, tag("h1", f"Tuning on {days}"), tag("p", told, class_="lead"), tag("p", at),
        tag("p", small, class_="soft small"), *notes,
    ])  # fmt: skip


def what_if(tuning: Tuning) -> Html:
    """What another value of each setting would make of the days."""
    shown = [tag("div", *_curve(found), class_="card") for found in tuning.curves[:MOST_SETTINGS]]
    left = tuning.settings[MOST_SETTINGS:]
    rest = nothing(f"Not drawn: {listed(list(left))}; ask for fewer at once.") if left else Html("")
    return section("What if a bar stood elsewhere", *shown, rest)


def _curve(found: Curve) -> tuple[Html, ...]:
    said = content.curve_words(found)
    rows = content.steps(found).with_columns(
        now=pl.when("is_present").then(pl.lit("now")).otherwise(pl.lit("")),
        **{name: (pl.col(name) * 100).round(0).cast(pl.Int64) for name in ("precision", "recall")},
        **{name: _tenths(name) for name in ("promoted", *_WORK)},
    )
    has_verdicts = bool(found.frame["n_verdicts"].max())
    judged = (Column("precision", "Precision %", "number"), Column("recall", "Recall %", "number"))
    columns = (
        Column("value", "At", "number"), Column("now", ""), Column("promoted", "Promoted a day", "number"),
        *(Column(name, spoken(name).capitalize(), "number") for name in _WORK),
        *(judged if has_verdicts else ()),
    )  # fmt: skip
    drawn = picture(charts.png(curves.sweep_curve(found)), f"Stories a day by {found.name}. {said}")
    notes = [tag("p", line, class_="soft small") for line in found.notes]
    numbers = tag("details", tag("summary", "In numbers, stories a day"), table(rows, columns))
    return (tag("h3", said), drawn, numbers, *notes)


def _tenths(name: str) -> pl.Expr:
    return pl.format("{}", pl.col(name).round(1)).alias(name)


def slots(tuning: Tuning) -> Html:
    """Which threshold leaves the desk no more than it can take."""
    found = tuning.slots_asked
    if tuning.slots is None:
        asked = "No number of slots was given (-p slots 5); these are what some numbers of them ask for."
        several = table(_slot_rows(found), _slot_columns())
        return section("How high must the bar stand", tag("p", asked, class_="soft"), several)
    one = found[0]
    told = [tag("p", f"{line[:1].upper()}{line[1:]}.") for line in one.sentences()]
    rows = one.by_day.with_columns(
        day=pl.Series([day_name(day) for day in one.by_day["run_on"]], dtype=pl.String)
    )
    columns = (
        Column("day", "Day", "when"), Column("threshold", "Would fit alone", "number"),
        Column("n", "Stories", "number"), Column("n_one_lower", "One point lower", "number"),
    )  # fmt: skip
    days = table(rows.tail(2 * MOST_LINES), columns, total=rows.height)
    title = f"How high must the bar stand for {counted(one.slots, 'story', 'stories')} a day"
    return section(title, *told, tag("details", tag("summary", "Day by day"), days), _tied(one))


def _slot_columns() -> tuple[Column, ...]:
    return (
        Column("slots", "Slots a day", "number"), Column("each_day", "Enough on every day", "number"),
        Column("on_average", "On a mean day", "number"), Column("told", "Which leaves"),
    )  # fmt: skip


def _slot_rows(found: tuple[Slots, ...]) -> pl.DataFrame:
    rows = [(one.slots, one.each_day, one.on_average, _leaves(one.sentences()[0])) for one in found]
    schema = {"slots": pl.Int64, "each_day": pl.Int64, "on_average": pl.Int64, "told": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _leaves(sentence: str) -> str:
    return sentence.removeprefix("each day: ").partition("; ")[0]


def _tied(one: Slots) -> Html:
    if one.tied.is_empty():
        return Html("")
    rows = one.tied.head(MOST_LINES)
    told = rows.with_columns(
        day=pl.Series([day_name(day) for day in rows["run_on"]], dtype=pl.String), url=pl.lit(None, pl.String)
    )
    columns = (Column("day", "Day", "when"), Column("total", "Points", "number"), _STORY, _ID)
    caption = "These come in together one point lower"
    return table(told, columns, caption=caption, total=one.tied.height)


def calibration(tuning: Tuning) -> Html:
    """How decisions agree with verdicts, and what would make them agree more."""
    found, title = tuning.calibration, "Calibration"
    n = found.n_verdicts
    if not n:
        return section(
            title, nothing("No verdict was given on these stories: nothing to hold decisions against."), n=0
        )
    told = [tag("p", f"{line[:1].upper()}{line[1:]}.") for line in found.sentences()]
    if n < MIN_VERDICTS:
        return section(title, *told, n=n)
    alt = f"Verdicts by ten points of total: as decided, above and below. {found.sentences()[1]}."
    drawn = picture(charts.png(curves.agreement_by_band(found)), alt)
    suggested = [
        _suggested("Thresholds, with the range nine resamples of ten leave", found.thresholds),
        _suggested("Weights that gain most, each by itself", found.weights),
    ]
    apart = [
        _apart("Most over-scored", found.over_scored(5)),
        _apart("Most under-scored", found.under_scored(5)),
    ]
    notes = [tag("p", line, class_="soft small") for line in found.notes]
    return section(title, *told, drawn, *suggested, *apart, *notes, n=n)


def _suggested(caption: str, told: Suggestion) -> Html:
    """What is known of each setting; of the many that nothing speaks against, only how many."""
    looked_at = (
        told.frame.filter(pl.col("advice") != "keep") if told.frame.height > MOST_SETTINGS else told.frame
    )
    frame = looked_at.head(MOST_SETTINGS)
    if frame.is_empty():
        return nothing(f"{caption}: none of {told.frame.height}.") if told.frame.height else Html("")
    columns = (
        Column("name", "Setting", "code"), Column("present", "Now", "number"),
        Column("suggested", "Suggested", "number"), Column("low", "From", "number"),
        Column("high", "To", "number"), Column("advice", "Advice"),
    )  # fmt: skip
    return table(frame, columns, caption=caption, total=looked_at.height)


def _apart(caption: str, stories: pl.DataFrame) -> Html:
    if stories.is_empty():
        return Html("")
    rows = stories.with_columns(
        day=pl.Series([day_name(day) for day in stories["run_on"]], dtype=pl.String),
        off=pl.Series([f"{n:+d}" for n in stories["points_off"]], dtype=pl.String),
        url=pl.lit(None, pl.String),
    )
    columns = (
        _STORY, Column("day", "Day", "when"), Column("decision", "Decided", "decision"),
        Column("verdict", "Said", "decision"), Column("total", "Points", "number"),
        Column("off", "Off by", "number"), _ID,
    )  # fmt: skip
    return table(rows, columns, caption=caption)


def shadow(tuning: Tuning) -> Html:
    """What the profile on trial decided beside the live one."""
    found, title = tuning.trial, "Shadow against live"
    if found is None:
        how = tag("code", "brandkit run daily --shadow")
        said = "No day of these has a shadow run beside its live one. "
        return section(title, tag("p", said, how, " runs a changed profile on a day's items.", class_="soft"))
    _, compared, *notes = found.headlines()
    told = tag("p", f"Over {counted(found.days.height, 'day', 'days')}: {compared}.")
    lines = [tag("p", line.removeprefix("note: "), class_="soft small") for line in notes]
    days = found.days.with_columns(
        day=pl.Series([day_name(day) for day in found.days["run_on"]], dtype=pl.String)
    )
    by_day = (Column("day", "Day", "when"), Column("n_stories", "Stories in both", "number"),
              *(Column(f"n_{way}", way.capitalize(), "number") for way in _WAYS))  # fmt: skip
    work = found.totals().with_columns(
        pl.col("decision").cast(pl.String), *(_tenths(name) for name in ("live_a_day", "shadow_a_day"))
    )
    totals = (Column("decision", "Decision", "decision"), Column("live_a_day", "Live a day", "number"),
              Column("shadow_a_day", "Shadow a day", "number"))  # fmt: skip
    causes = ", ".join(f"{WORDS[cause]} {sum(ways):,}" for cause, *ways in found.by_cause().rows())
    each = table(days.tail(MOST_LINES), by_day, total=days.height)
    sides = tag("div", tag("div", table(work, totals)), tag("div", each), class_="sides")
    return section(
        title, told, *lines, sides, tag("p", f"Causes: {causes or 'nothing moved'}."), _moved(tuning)
    )


def _moved(tuning: Tuning) -> Html:
    found = tuning.trial
    if found is None or found.stories.is_empty():
        return Html("")
    shown = found.top(MOST_LINES)
    rows = shown.with_columns(
        pl.coalesce("title", "url", "story_id").alias("title"),
        pl.coalesce("item_to", "item_from").alias("item_id"),
        day=pl.Series([day_name(day) for day in shown["run_on"]], dtype=pl.String),
        why=pl.Series([because(move) for move in shown.to_dicts()], dtype=pl.String),
    )
    columns = (
        _STORY, Column("day", "Day", "when"), Column("decision_from", "Live", "decision"),
        Column("decision_to", "Shadow", "decision"), Column("why", "Because"), _ID,
    )  # fmt: skip
    return table(rows, columns, caption="What moved, the highest first", total=found.stories.height)


def runs(tuning: Tuning) -> Html:
    """Which runs this is of, and by which profile each was decided."""
    rows = tuning.asked.runs.with_columns(
        profile=pl.col("profile_hash").str.head(8),
        day=pl.Series([day_name(day) for day in tuning.asked.runs["run_on"]], dtype=pl.String),
    )
    columns = (
        Column("day", "Day", "when"),
        Column("run_id", "Run", "code"),
        Column("profile", "Profile", "code"),
    )
    shown = table(rows.tail(3 * MOST_LINES), columns, total=rows.height)
    n = tuning.asked.runs["profile_hash"].n_unique()
    decided = counted(n, "profile decided", "profiles decided")
    told = f"Tuned is {tuning.profile.id} {tuning.profile.hash[:8]}; {decided} these runs."
    return section("Runs", tag("p", told), tag("details", tag("summary", "Run by run"), shown))
