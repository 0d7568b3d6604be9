"""The daily brief, one function a section: a ``Brief`` in, HTML out. Short: each section is cut."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from brandkit.report import brief as content
from brandkit.report import charts, desk_word, health, network, since, voice
from brandkit.report.brief import Brief
from brandkit.report.cards import cards
from brandkit.report.changes import store_of
from brandkit.report.changes import what_changed as what_changed
from brandkit.report.drift import drift as drift
from brandkit.report.html import Html, join, picture, tag
from brandkit.report.tables import Column, card, more, note, nothing, section, side_by_side, table, tally
from brandkit.store.state import StateStore

MOST_CARDS = 8
# What must not be spread is mostly looked at once: a few in full, the rest as lines.
MOST_BLOCKED = 3
MOST_WARNINGS = 5
MOST_BURSTS = 3
MOST_LINES = 10
MOST_NAMES = 12
_STORY = (
    Column("title", "Story", "title", link="url"),
    Column("why", "Why"),
    Column("total", "Points", "number"),
    Column("publishers", "Publishers", "number"),
    Column("first", "First seen", "when"),
    Column("item_id", "Id", "code"),
)


def headline(brief: Brief) -> Html:
    """The day in one line with what changed, how much was read, and what a reader must know first."""
    kicker = tag("p", brief.profile.title or brief.profile.id, class_="kicker")
    day = tag("h1", content.day(brief))
    counts = tally(content.tally(brief)) if brief.records.height else Html("")
    warned = health.warnings(brief)
    lines = [note(line) for line in (*brief.notes, *health.shortfalls(brief), *warned[:MOST_WARNINGS])]
    lines.append(more(len(warned), shown=min(len(warned), MOST_WARNINGS)))
    told = tag("p", " ".join(filter(None, (content.headline(brief), since.in_short(brief)))), class_="lead")
    return join([kicker, day, told, counts, tag("p", content.scope(brief), class_="soft small"), *lines])


def must_cover(brief: Brief) -> Html:
    """A card for each story that must be covered."""
    n, aside = brief.active("must_cover").height, _aside(brief, "must_cover")
    shown = [card(story) for story in cards(brief, "must_cover", most=MOST_CARDS)]
    empty = nothing("Nothing is left to do here." if aside else "No story reached the bar today.")
    return section("Must cover", *(shown or [empty]), more(n, shown=len(shown)), aside, n=n)


def do_not_amplify(brief: Brief) -> Html:
    """The stories not to be spread but to be acted on, with what speaks against each."""
    n, aside = brief.active("block").height, _aside(brief, "block")
    shown = [card(story, is_drawn=False) for story in cards(brief, "block", most=MOST_BLOCKED)]
    rest = desk_word.lines(brief, brief.active("block")[MOST_BLOCKED : MOST_BLOCKED + MOST_LINES])
    told = "Unverified or forbidden: check, answer or prepare, but do not publish these as news."
    empty = nothing("Nothing is left to do here." if aside else "Nothing of the kind today.")
    parts = [tag("p", told, class_="soft"), *shown] if shown else [empty]
    parts += [table(rest, _STORY, total=n - MOST_BLOCKED)] if rest.height else []
    drawn = _together(brief, brief.active("block"))
    return section("Do not amplify, but act", *parts, drawn, aside, n=n)


def _together(brief: Brief, stories: pl.DataFrame) -> Html:
    """Who shared these stories together, as a picture on asking; nothing where nobody did."""
    pairs = network.acting_together(brief.records.join(stories, on="story_id", how="semi"))
    if pairs.is_empty():
        return Html("")
    said = network.described(pairs)
    drawn = picture(charts.png(network.coordination_network(pairs)), said)
    return tag("details", tag("summary", said), drawn)


def optional(brief: Brief) -> Html:
    """The optional stories, best first."""
    found, aside = brief.active("optional"), _aside(brief, "optional")
    empty = "Nothing is left to do here." if aside else "None today."
    return section("Optional", _lines(brief, found, empty=empty), aside, n=found.height)


def near_misses(brief: Brief) -> Html:
    """The stories closest to must cover, what each lacks, and the least that would flip it."""
    near = content.near_misses(brief)
    shown = content.with_flips(brief, near.head(5))
    rows = content.listing(brief, shown).with_columns(
        needs=shown["needs"],
        now=shown["effective_decision"],
        flip=shown["flip"].fill_null("No one or two changes would."),
    )
    now, lacks = Column("now", "Now", "decision"), Column("needs", "What it lacks")
    columns = (_STORY[0], now, lacks, Column("flip", "What would flip it"), _STORY[2], _STORY[5])
    intro = tag("p", "Closest to must cover; one more fact could lift them.", class_="soft")
    empty = nothing(f"No story is within {content.NEAR_POINTS} points of must cover.")
    body = [intro, table(rows, columns, total=near.height)] if rows.height else [empty]
    return section("Near misses", *body, n=near.height)


def watch(brief: Brief) -> Html:
    """The stories to keep an eye on."""
    found, elsewhere = content.watched(brief), content.big_elsewhere(brief).height
    rest = f"{elsewhere:,} more are watched for their size alone: see Big elsewhere." if elsewhere else ""
    note_ = nothing(rest) if rest else Html("")
    return section("Watch", _lines(brief, found, empty="None today."), note_, n=found.height)


def dropped(brief: Brief) -> Html:
    """The dropped stories with one of our names in them: how many, and the first five."""
    found = content.dropped_with_our_name(brief)
    whose = "our name" if brief.names("own") else "a watched name"
    rows = content.listing(brief, found.head(5)).with_columns(named=found["named"].head(5))
    columns = (_STORY[0], Column("named", "Names"), _STORY[1], _STORY[2], _STORY[5])
    body = table(rows, columns, total=found.height) if rows.height else nothing("None today.")
    return section(f"Dropped with {whose} in it", body, n=found.height)


def big_elsewhere(brief: Brief) -> Html:
    """The three largest stories that are not ours."""
    found = content.big_elsewhere(brief)
    rows = content.listing(brief, found.head(3))
    columns = (_STORY[0], _STORY[2], _STORY[3], _STORY[4])
    body = table(rows, columns, total=found.height) if rows.height else nothing("None today.")
    return section("Big elsewhere", body, n=found.height)


def _lines(brief: Brief, stories: pl.DataFrame, *, empty: str) -> Html:
    if stories.is_empty():
        return nothing(empty)
    return table(desk_word.lines(brief, stories.head(MOST_LINES)), _STORY, total=stories.height)


def _aside(brief: Brief, decision: str) -> Html:
    """The stories of a decision that the desk has put aside: how many, and on asking which."""
    found = brief.aside(decision)
    if found.is_empty():
        return Html("")
    rows = desk_word.aside(brief, found.head(MOST_LINES))
    listed = table(rows, (_STORY[0], Column("what", "Desk"), _STORY[5]), total=found.height)
    return tag("details", tag("summary", desk_word.counted_aside(found)), listed)


def share_of_voice(brief: Brief) -> Html:
    """Who was spoken of, by tier of publisher; how it sounded is a footnote, with a table on asking."""
    mentions = voice.share_of_voice(brief)
    if mentions.is_empty():
        return section("Share of voice", nothing("Nobody named any of the profile's names today."))
    shown = mentions.head(MOST_NAMES)
    said = voice.leader(mentions)
    drawn = picture(charts.png(charts.share_of_voice(shown)), f"Items by name and tier of publisher. {said}")
    rest = more(mentions.height, shown=shown.height)
    tones = [Column(f"stories_{tone}", tone.capitalize(), "number") for tone in charts.TONE_COLOURS]
    columns = (Column("name", "Name"), Column("n_stories", "Stories", "number"), *tones)
    foot = tag("details", tag("summary", voice.mood(mentions)), table(shown, columns), class_="soft small")
    return section("Share of voice", tag("p", said), drawn, rest, foot)


def timeline(brief: Brief, store: StateStore | str | Path | None = None) -> Html:
    """When they were spoken of, with the hours marked that stand far above a name's own past.

    ``store`` is where the brief's run stands: without it, the store of the settings.
    """
    mentions = voice.mentions_by_hour(brief)
    older = voice.n_older(brief)
    before = f"{content.counted(older, 'item', 'items')} from before the day came in too." if older else ""
    if not mentions["n_items"].sum():
        return section("Mentions by hour", nothing(before or "None today."))
    loud = voice.bursts(brief, store_of(store))
    said = f"{voice.busiest(mentions)} {before}".rstrip()
    marked = f" Marked as bursts: {'; '.join(loud['told'].head(MOST_BURSTS))}" if loud.height else ""
    alt = f"Items naming anybody the profile covers, by the hour. {said}{marked}"
    drawn = picture(charts.png(charts.mentions_timeline(mentions, bursts=loud)), alt)
    lines = [tag("p", line, class_="small") for line in loud["told"].head(MOST_BURSTS)]
    rest = more(loud.height, shown=len(lines))
    return section("Mentions by hour", tag("p", said), side_by_side(drawn, join([*lines, rest])))


def sources(brief: Brief) -> Html:
    """Which sources delivered, what they lacked, and which fell silent since the run before."""
    found = health.sources(brief)
    rows = found.head(MOST_LINES).with_columns(
        newest=pl.Series([brief.clock(at) for at in found["newest_at"].head(MOST_LINES)], dtype=pl.String)
    )
    delivered = (
        Column("source", "Source"),
        Column("n_items", "Items", "number"),
        Column("n_undated", "Without a date", "number"),
        Column("n_damaged", "With a field lost", "number"),
        Column("newest", "Newest", "when"),
    )
    if rows.is_empty():
        return section("Source health", nothing("No source delivered anything."), *_silent(brief))
    listed = table(rows, delivered, total=found.height)
    return section("Source health", *_silent(brief), listed, n=found.height)


def _silent(brief: Brief) -> list[Html]:
    silent = health.silent(brief)
    if silent.is_empty():
        return []
    named = [f"{name} ({n:,})" for name, n in silent.head(MOST_LINES).rows()]
    rest = f" and {silent.height - MOST_LINES:,} more" if silent.height > MOST_LINES else ""
    told = f"{', '.join(named)}{rest}. In brackets, their items in {since.since_when(brief)}."
    return [tag("p", tag("strong", "Silent today: "), told)]


def rejects(brief: Brief) -> Html:
    """The rows that were refused: how many, why and where."""
    refused = health.refused(brief)
    if refused.is_empty():
        return section("Rejects", nothing("No row was refused."), n=0)
    columns = (Column("reason", "Why"), Column("file", "Where"), Column("n_rows", "Rows", "number"))
    n = brief.rejects.height
    told = f"{content.counted(n, 'row was', 'rows were')} refused and {'is' if n == 1 else 'are'} no item."
    listed = table(refused.head(MOST_LINES), columns, total=refused.height)
    return section("Rejects", tag("p", told, class_="soft"), listed, n=n)


def run_health(brief: Brief) -> Html:
    """What each stage took in and gave out, and what made this run."""
    columns = (
        Column("name", "Stage"),
        Column("rows_in", "Rows in", "number"),
        Column("rows_added", "Added", "number"),
        Column("rows_out", "Out", "number"),
        Column("rejected", "Rejected", "number"),
        Column("folded", "Folded", "number"),
        Column("set_aside", "Set aside", "number"),
        Column("wall_s", "Seconds", "number"),
        Column("adds_up", "Adds up"),
    )
    facts = [
        tag("p", tag("strong", f"{label}: "), tag("code", value), class_="small")
        for label, value in health.provenance(brief).items()
    ]
    stages = health.stages(brief)
    told = tag("p", health.effort(stages))
    folded = tag("details", tag("summary", "Stage by stage"), table(stages, columns))
    return section("Run health", told, folded, *facts)
