"""The weekly report, one function a section: a ``Week`` in, HTML out. Short: each section is cut."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from brandkit.record import phrases
from brandkit.record.aftermath import MEASURES
from brandkit.record.drift import drift as read_drift
from brandkit.record.hindsight import Hindsight
from brandkit.record.hindsight import hindsight as look_back
from brandkit.record.name_bursts import name_bursts, sentence
from brandkit.record.voice import voice as read_voice
from brandkit.report import agreement as verdicts
from brandkit.report import charts, labour, trends
from brandkit.report import followed as paths
from brandkit.report import voice as voices
from brandkit.report import week as content
from brandkit.report.brief import spoken
from brandkit.report.html import Html, join, link, picture, tag
from brandkit.report.tables import TITLE_CHARACTERS, Column, more, note, nothing, section, table, tally
from brandkit.report.week import Week, day_name, listed

MOST_LINES = 10
MOST_FOLLOWED = 14
MOST_NAMES = 8
MOST_BACK = 5
_STORY = Column("title", "Story", "title", link="url")
_ID = Column("item_id", "Id", "code")
_SHORT = {"must_cover": "must", "optional": "option"}


def headline(week: Week) -> Html:
    """The week in one line, what it was the week before, and what a reader must know first."""
    kicker = tag("p", week.profile.title or week.profile.id, class_="kicker")
    days = content.days_in_words(week.span.first, week.span.last)
    named = f"Week of {days}" if len(week.days) == 7 else days
    notes = [note(line) for line in (*week.notes, *labour.warnings(week))]
    told = tag("p", content.headline(week), class_="lead")
    once = tag("p", "Each story is counted once, by the most it came to.", class_="soft small")
    before = tag("p", content.against_before(week))
    return join(
        [
            kicker,
            tag("h1", named),
            told,
            tally(content.most(content.named(week.stories, week.last_names))),
            once,
            before,
            *notes,
        ]
    )


def trends_by_day(week: Week) -> Html:
    """Items and stories of every day; a day without a run is a gap."""
    counts, before = content.by_day(week), content.means_before(week)
    said = content.trend_words(counts)
    dotted = " The dotted line is the mean day of the days before." if before else ""
    # What is dropped is nearly all there is, and the panel of all stories shows it.
    drawn = [
        _panel(week, counts[name], before.get(name)) for name in (*content.ORDER[:4], "stories", "items")
    ]
    small = tag("p", f"Verdicts are counted. A day without a run is grey: nothing is known of it.{dotted}",
                class_="soft small")  # fmt: skip
    return section("Trends", tag("p", said), tag("div", *drawn, class_="sides"), small)


def _panel(week: Week, counts: pl.Series, before: float | None) -> Html:
    told = [
        f"{day_name(day)} {'no run' if n is None else f'{n:,}'}"
        for day, n in zip(week.days, counts, strict=True)
    ]
    alt = f"{spoken(counts.name).capitalize()} a day: {', '.join(told)}."
    return tag(
        "div", picture(charts.png(trends.counts_panel(week.days, counts.to_list(), counts.name, before)), alt)
    )


def share_of_voice(week: Week) -> Html:
    """Who was spoken of on each day: items and stories apart, and tone as a footnote."""
    found = read_voice(week.store, week.span.profile_id, first=week.span.first, last=week.span.last)
    named = found.by_name().filter(pl.col("n_items") > 0)
    if named.is_empty():
        return section("Share of voice", nothing("Nobody named any of the profile's names."))
    shown = named.head(MOST_NAMES)
    said = voices.leader(named)
    drawn = [
        tag("div", picture(charts.png(trends.voice_by_day(shown, found.by_day(), week.days, what=what)),
                           f"{what.capitalize()} a day by name. {said}"))
        for what in ("items", "stories")
    ]  # fmt: skip
    tone = tag("p", voices.mood(named), class_="soft small")
    each = tag("p", "A story that goes on counts on every day on which it was seen.", class_="soft small")
    rest = more(named.height, shown=shown.height)
    return section("Share of voice", tag("p", said), tag("div", *drawn, class_="sides"), rest, each, tone)


def bursts(week: Week) -> Html:
    """The hours in which a name was spoken of far more than its own past has it."""
    found = name_bursts(week.store, week.span.profile_id, first=week.span.first, last=week.span.last)
    told = found.told()
    lines = [tag("li", sentence(row)) for row in told.head(MOST_LINES).to_dicts()]
    shown = tag("ul", *lines) if lines else nothing("No name burst.")
    silent = found.unknown()
    few = f"Not enough history to say anything of {listed(list(silent))}." if silent else ""
    return section(
        "Bursts", shown, more(told.height, shown=len(lines)), nothing(few) if few else Html(""), n=told.height
    )


def followed(week: Week) -> Html:
    """Each story that was promoted or blocked: its decision on every day, and what moved it."""
    found = paths.followed(week)
    if found.is_empty():
        return section("Stories followed", nothing("No story was promoted or blocked."), n=0)
    shown = found.head(MOST_FOLLOWED)
    told = tag("p", paths.in_words(found))
    dash = "A dash is a day on which no run saw the story; what moved it stands under its title."
    small = tag("p", dash, class_="soft small")
    rest = more(found.height, shown=shown.height)
    return section("Stories followed", told, _strips(week, shown), rest, small, n=found.height)


def _strips(week: Week, stories: pl.DataFrame) -> Html:
    """A row for each story: what it is and what moved it, and a chip for each day."""
    ran = {run.run_on for run in week.span.runs}
    heads: list[Html | str] = [tag("th", "Story", scope="col", class_="title")]
    heads += [tag("th", *_day_head(day, is_known=day in ran), scope="col") for day in week.days]
    rows = []
    for story, moved in zip(stories.iter_rows(named=True), paths.moves(week, stories), strict=True):
        title = link(story["url"], charts.shortened(story["title"], TITLE_CHARACTERS))
        under: list[Html | str] = [tag("span", moved, class_="soft"), " "] if moved else []
        what = tag(
            "td", title, tag("div", *under, tag("code", story["item_id"]), class_="small"), class_="title"
        )
        days = [tag("td", _short_chip(story[str(day)])) for day in week.days]
        rows.append(tag("tr", what, *days))
    made = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows))
    return tag("div", made, class_="wide")


def _day_head(day: date, *, is_known: bool) -> tuple[Html | str, ...]:
    return (day_name(day),) if is_known else (day_name(day), tag("br"), "no run")


def _short_chip(decision: str | None) -> Html | str:
    """A decision as a chip of one short word: a week of them stands side by side."""
    return "–" if decision is None else tag("span", _SHORT.get(decision, decision), class_=f"chip {decision}")


def hindsight(week: Week) -> Html:
    """What was passed over and grew big, and what was promoted and went nowhere."""
    title = "Hindsight"
    if len(week.span.runs) < 2:
        return section(title, nothing("One run has no later one to look back from."))
    found = look_back(week.store, week.span.profile_id, first=week.span.first, last=week.span.last)
    lines = [tag("p", f"{line[:1].upper()}{line[1:]}.") for line in found.headlines()[2:]]
    big = tag("p", f"Big is: {found.bar_words()}.", class_="soft small")
    causes = [tag("li", f"{cause[:1].upper()}{cause[1:]}") for cause in found.causes()]
    why = tag("ul", *causes, class_="plain small") if causes else Html("")
    return section(title, *lines, big, _missed(week, found), _alarms(week, found), why)


def _missed(week: Week, found: Hindsight) -> Html:
    if found.misses.is_empty():
        return Html("")
    columns = (
        _STORY, Column("day", "On", "when"), Column("decision", "Was", "decision"),
        Column("total", "Points", "number"), Column("became", "Became"), Column("gate", "Held by"), _ID,
    )  # fmt: skip
    rows = found.misses.head(MOST_BACK)
    told = rows.with_columns(
        day=pl.Series([day_name(on) for on in rows["run_on"]], dtype=pl.String),
        became=pl.Series([_became(row) for row in rows.to_dicts()], dtype=pl.String),
        gate=pl.Series([_asked(name, week) for name in rows["gate"]], dtype=pl.String),
    )
    return table(_titled(told), columns, caption="Passed over, and grew big", total=found.misses.height)


def _became(row: Mapping[str, Any]) -> str:
    now = spoken(row["big_decision"]) if row["big_decision"] in ("must_cover", "optional") else "big"
    late = f"{now} on {day_name(row['big_run_on'])}, {row['late_h']:.0f} h later"
    grown = [
        f"{_number(row[name])} to {_number(row[later])} {MEASURES[name]}"
        for name, later in {name: f"later_{name.removeprefix('n_')}" for name in MEASURES}.items()
        if name in row["grew"]
    ]
    return "; ".join([late, *grown])


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"


def _alarms(week: Week, found: Hindsight) -> Html:
    if found.false_alarms.is_empty():
        return Html("")
    columns = (
        _STORY, Column("day", "On", "when"), Column("decision", "Was", "decision"),
        Column("total", "Points", "number"), Column("gate", "Lifted by"), _ID,
    )  # fmt: skip
    rows = found.false_alarms.head(MOST_BACK)
    told = rows.with_columns(
        day=pl.Series([day_name(on) for on in rows["run_on"]], dtype=pl.String),
        gate=pl.Series([_asked(name, week) for name in rows["gate"]], dtype=pl.String),
    )
    return table(
        _titled(told), columns, caption="Promoted, and went nowhere", total=found.false_alarms.height
    )


def _asked(gate: str | None, week: Week) -> str | None:
    """What a gate asks for, by the thresholds of the latest run."""
    return None if gate is None else phrases.gate(gate, week.profile)


def _titled(stories: pl.DataFrame) -> pl.DataFrame:
    return stories.with_columns(title=pl.coalesce("title", "url", "story_id"))


def agreement(week: Week) -> Html:
    """How often editors said what the score had decided, and where they were furthest apart."""
    said = verdicts.judged(week)
    title = "Verdicts"
    if said.is_empty():
        return section(title, nothing("No verdict was given on a story of these days."), n=0)
    decisions = [name for name in content.ORDER if name in set(said["verdict"].cast(pl.String))]
    crossed = (Column("decision", "Decided", "decision"),
               *(Column(name, f"Said: {spoken(name)}", "number") for name in decisions))  # fmt: skip
    apart = said.filter(pl.col("rungs_off") != 0)
    shown = _titled(apart.head(MOST_BACK)).with_columns(
        day=pl.Series([day_name(on) for on in apart["run_on"].head(MOST_BACK)], dtype=pl.String)
    )
    columns = (
        _STORY, Column("day", "On", "when"), Column("decision", "Decided", "decision"),
        Column("verdict", "Said", "decision"), Column("total", "Points", "number"), _ID,
    )  # fmt: skip
    parts = table(shown, columns, caption="Furthest apart", total=apart.height) if apart.height else Html("")
    body = (tag("p", verdicts.in_words(said)), table(verdicts.crossed(said), crossed), parts)
    return section(title, *body, n=said.height)


def drift(week: Week) -> Html:
    """Whether the score of the latest run still does what it did in the runs before it."""
    found = read_drift(week.store, week.span.profile_id, run=week.last.run_id)
    told = tag("p", f"{day_name(found.run_on)}: {' '.join(found.movements())}")
    lines = [tag("li", line) for line in (*found.idle(), *found.notes)]
    return section("Drift", told, tag("ul", *lines, class_="plain small") if lines else Html(""))


def workload(week: Week) -> Html:
    """What every day asked of the desk, and what the desk said."""
    found = labour.by_day(week)
    rows = found.with_columns(day=pl.Series([day_name(day) for day in week.days], dtype=pl.String))
    columns = (
        Column("day", "Day", "when"),
        Column("asking", "To look at", "number"),
        *(Column(name, spoken(name).capitalize(), "number") for name in content.ASKING),
        Column("handled", "Put aside", "number"),
        Column("alerts", "Alerts", "number"),
        Column("verdicts", "Verdicts given", "number"),
    )
    total = found.height
    body = table(rows.tail(3 * MOST_LINES), columns, total=total)
    return section("Workload", tag("p", labour.in_words(found)), body)


def sources(week: Week) -> Html:
    """Which sources delivered on which days, and what was wrong with their rows."""
    found = labour.sources(week)
    if found.is_empty():
        return section("Source health", nothing("No source delivered anything."))
    columns = (
        Column("source", "Source"),
        Column("n_items", "Items", "number"),
        Column("days", "Days with any"),
        Column("least", "Least a day", "number"),
        Column("most", "Most", "number"),
        Column("n_undated", "Without a date", "number"),
        Column("n_damaged", "With a field lost", "number"),
    )
    told = [tag("p", line) for line in labour.silent(week, found)]
    shown = table(found.head(MOST_LINES), columns, total=found.height)
    refused = tag("p", labour.refused(week), class_="small")
    return section("Source health", *told, shown, refused)


def runs(week: Week) -> Html:
    """Every attempt of the days: what came of it, and by which profile and code."""
    columns = (
        Column("day", "Day", "when"),
        Column("status", "Status"),
        Column("records", "Items", "number"),
        Column("stories", "Stories", "number"),
        Column("rejected", "Rejected", "number"),
        Column("seconds", "Seconds", "number"),
        Column("profile", "Profile", "code"),
        Column("code", "Code", "code"),
        Column("run_id", "Run", "code"),
    )
    found = labour.attempts(week)
    told = [tag("p", line) for line in labour.run_words(week)]
    failed = [tag("li", f"{day}: {error}") for day, error in labour.failures(week, most_told=MOST_BACK)]
    errors = tag("ul", *failed, class_="small") if failed else Html("")
    shown = table(found.tail(3 * MOST_LINES), columns, total=found.height)
    versions = ", ".join(
        f"{name} {number}" for name, number in sorted(week.last.versions.items()) if name != "code"
    )
    made = tag("p", tag("strong", "With: "), tag("code", versions), class_="small")
    return section(
        "Runs and versions", *told, errors, tag("details", tag("summary", "Run by run"), shown), made
    )
