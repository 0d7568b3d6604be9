"""One story, one function a section: a ``Storybook`` in, HTML out. Short: each section is cut."""

from __future__ import annotations

import shlex

import polars as pl

from brandkit.record.explain import explain
from brandkit.report import charts, network
from brandkit.report.brief import counted
from brandkit.report.html import Html, join, picture, tag
from brandkit.report.story_chart import growth as grown
from brandkit.report.story_chart import story_growth
from brandkit.report.storybook import MOST_RUNS, Storybook, day_of
from brandkit.report.tables import Column, chip, described, more, note, nothing, points, section, table
from brandkit.signals.coordination import shares_of
from brandkit.signals.coordination_evidence import coordination_evidence

MOST_PUBLISHERS = 20
MOST_COPIED = 8
MOST_FORECAST = 5
MOST_MEETINGS = 10
MOST_SAID = 20
MOST_DAYS = 40
_TIERS = ("A", "B", "C", "unlisted")


def headline(book: Storybook) -> Html:
    """What the story is and where it stands, and what a reader must know first."""
    row, profile = book.row, book.lead.profile
    title = charts.shortened(row["title"] or row["url"] or book.lead.story_id, 160)
    stands = tag("p", chip(row["effective_decision"]), f" {explain(book.lead).sentence()}", class_="lead")
    carried = (
        f"{counted(row['n_items'] or 0, 'item', 'items')} of "
        f"{counted(row['n_outlets'] or 0, 'outlet', 'outlets')}, "
        f"{counted(row['n_publishers'] or 0, 'independent publisher', 'independent publishers')}"
    )
    seen = f"first seen {book.clock(row['first_seen_at'])}, last {book.clock(row['last_seen_at'])}"
    facts = [str(row["phase"] or "phase unknown").capitalize(), carried, seen, f"desk: {row['desk_state']}"]
    facts += ["disputed"] if row["disputed"] else []
    told = f"As run {book.run.run_id} of {day_of(book.run.run_on)} has it, {profile.timezone} time."
    kicker = tag("p", f"{profile.title or profile.id} · story {book.lead.story_id}", class_="kicker")
    lines = [note(line) for line in book.notes]
    soft = tag("p", told, class_="soft small")
    return join([kicker, tag("h1", title), stands, tag("p", " · ".join(facts)), soft, *lines])


def growth(book: Storybook) -> Html:
    """How it grew: items and outlets over time, and whether it rises or fades by its own counts."""
    rising = grown(book.items)
    mine = book.days.unique("run_id", keep="first", maintain_order=True)
    said = _phase(book)
    alt = f"Items and outlets of the story over time, with the decision of each run. {said}"
    drawn = picture(charts.png(story_growth(rising, mine, timezone=book.lead.profile.timezone)), alt)
    return section("Growth", tag("p", said), drawn, n=book.items.height)


def _phase(book: Storybook) -> str:
    row = book.row
    phase = str(row["phase"] or "phase unknown").capitalize()
    if row["n_recent"] is None or row["expected_recent"] is None:
        return f"{phase}: too little is known of when its items came to say how it grows."
    items = counted(row["n_recent"], "item", "items")
    return f"{phase}: {items} of late, where its pace before makes {row['expected_recent']:.1f} expect."


def publishers(book: Storybook) -> Html:
    """Who carries it, in the order they joined, with tier and what was original or a copy."""
    joined = joining(book.items)
    shown = joined.head(MOST_PUBLISHERS).with_columns(
        when=pl.Series([book.clock(at) for at in joined["joined_at"].head(MOST_PUBLISHERS)], dtype=pl.String)
    )
    columns = (
        Column("when", "Joined", "when"), Column("publisher", "Publisher"), Column("tier", "Tier"),
        Column("what", "What"), Column("n_items", "Items", "number"),
        Column("title", "Began with", "title", link="url"),
    )  # fmt: skip
    tiers = [f"{n:,} {'unlisted' if tier == 'unlisted' else f'tier {tier}'}" for tier in _TIERS
             if (n := joined.filter(pl.col("tier") == tier).height)]  # fmt: skip
    undated = joined["joined_at"].null_count()
    late = f" {counted(undated, 'publisher has', 'publishers have')} no date and no place in the order."
    told = tag("p", f"By tier: {', '.join(tiers)}.{late if undated else ''}", class_="soft")
    body = (
        [told, table(shown, columns, total=joined.height)] if joined.height else [nothing("None is known.")]
    )
    return section("Publishers, as they joined", *body, n=joined.height)


def joining(items: pl.DataFrame) -> pl.DataFrame:
    """The publishers of a story's items in the order in which their first dated item was published.

    Unlisted accounts of one platform are one row, with their number: a hundred of them are one crowd.

    Shape:  publisher, tier, joined_at, n_items, what (original, or whose copy), title and url of the first
            item; those without a date stand last.
    Nulls:  joined_at where no item of a publisher has a date; a collection is no joining.
    """
    origin = items.select(copy_of="item_id", whose="publisher")
    is_crowd = pl.col("account").is_not_null() & (pl.col("tier") == "unlisted")
    is_likely = pl.col("published_at") <= pl.col("collected_at")
    rows = (
        items.drop_nulls("publisher")
        .join(origin, on="copy_of", how="left")
        .with_columns(
            at=pl.when(is_likely).then("published_at"),
            name=pl.when(is_crowd)
            .then(pl.col("publisher").str.split(":").list.first())
            .otherwise("publisher"),
        )
        .sort("at", "item_id", nulls_last=True)
    )
    n = pl.col("n_accounts")
    accounts = pl.when(n == 1).then(pl.lit("account")).otherwise(pl.lit("accounts"))
    return (
        rows.group_by("name", maintain_order=True)
        .agg(
            tier=pl.col("tier").cast(pl.String).first(),
            joined_at=pl.col("at").min(),
            n_items=pl.len().cast(pl.Int64),
            n_original=pl.col("copy_of").null_count(),
            n_accounts=pl.col("publisher").filter(is_crowd).n_unique(),
            whose=pl.col("whose").first(),
            title=pl.coalesce("title", "url", "item_id").first(),
            url=pl.col("url").first(),
        )
        .with_columns(
            what=pl.when(pl.col("n_original") == pl.col("n_items"))
            .then(pl.lit("original"))
            .when(pl.col("n_original") > 0)
            .then(pl.lit("original and copies"))
            .when(pl.col("whose").is_null() | (pl.col("whose") == pl.col("name")))
            .then(pl.lit("copies"))
            .otherwise(pl.format("copies, first of {}", "whose")),
            publisher=pl.when(n > 0).then(pl.format("{}: {} {}", "name", n, accounts)).otherwise("name"),
        )
        .select("publisher", "tier", "joined_at", "n_items", "what", "title", "url")
    )


def copies(book: Storybook) -> Html:
    """The texts that others repeat, with how many do: a copy confirms nothing."""
    items = book.items
    copied = items.drop_nulls("copy_of").group_by(item_id="copy_of").agg(
        n_copies=pl.len().cast(pl.Int64), by=pl.col("publisher").drop_nulls().unique().sort()
    )  # fmt: skip
    if copied.is_empty():
        return section("Copies", nothing("Every item has a text of its own."), n=0)
    texts = copied.join(items.select("item_id", "title", "url", "publisher"), on="item_id", how="left").sort(
        "n_copies", "item_id", descending=[True, False]
    )
    most = 4
    names, n = pl.col("by").list.head(most).list.join(", "), pl.col("by").list.len()
    rows = texts.head(MOST_COPIED).with_columns(
        pl.coalesce("title", "url", "item_id").alias("title"),
        by=pl.when(n > most).then(pl.format("{} and {} more", names, n - most)).otherwise(names),
    )
    columns = (
        Column("title", "Text", "title", link="url"), Column("publisher", "First by"),
        Column("n_copies", "Copies", "number"), Column("by", "Carried by"),
    )  # fmt: skip
    total = int(copied["n_copies"].sum())
    repeated = counted(texts.height, "text", "texts")
    told = f"{total:,} of {counted(items.height, 'item', 'items')} repeat {repeated}."
    return section("Copies", tag("p", told, class_="soft"), table(rows, columns, total=texts.height), n=total)


def coordination(book: Storybook) -> Html:
    """Who shared it together and where they met, where anybody did; labels, not accusations."""
    pairs = network.acting_together(book.items.drop_nulls("coordination"))
    if pairs.is_empty():
        return Html("")
    said = network.described(pairs)
    drawn = picture(charts.png(network.coordination_network(pairs)), said)
    met = coordination_evidence(shares_of(book.items.lazy()), pairs=pairs, most_pairs=MOST_MEETINGS).collect()
    rows = met.head(MOST_MEETINGS).with_columns(
        first=pl.Series([book.clock(at) for at in met["first_at"].head(MOST_MEETINGS)], dtype=pl.String),
        share=pl.format("{} of {}", "n_pair_shares", "n_shares"),
    )
    columns = (
        Column("account_a", "Account"), Column("account_b", "and account"), Column("object", "Shared"),
        Column("first", "First", "when"), Column("median_gap_s", "Seconds apart", "number"),
        Column("share", "Shares in this story"),
    )  # fmt: skip
    share = f" They made {book.lead.record['coordinated_share'].item() or 0:.0%} of its shares."
    listed = table(rows, columns, total=met.height) if met.height else nothing("They met outside this story.")
    return section("Acting together", tag("p", f"{said}.{share}"), drawn, listed)


def forecast(book: Storybook) -> Html:
    """How high its items are likely to go, where that can be said; it is in no score."""
    found = book.forecast
    if found.is_empty():
        return Html("")
    rows = found.head(MOST_FORECAST).with_columns(
        pl.coalesce("title", "url", "item_id").alias("title"),
        *(pl.col(name).round(0).cast(pl.Int64) for name in ("value", "expected_peak", "low", "high")),
    )
    columns = (
        Column("title", "Item", "title", link="url"), Column("publisher", "Publisher"),
        Column("value", "Engagement now", "number"), Column("expected_peak", "Likely peak", "number"),
        Column("low", "Least", "number"), Column("high", "Most", "number"),
    )  # fmt: skip
    n = found.filter("is_growing").height
    told = f"{n:,} of {counted(found.height, 'item', 'items')} in sight likely to gain a tenth or more."
    return section("Still growing", tag("p", told, class_="soft"), table(rows, columns, total=found.height))


def why(book: Storybook) -> Html:
    """Where the points of its lead come from, as a picture, with every step on asking."""
    account = explain(book.lead)
    png = charts.png(charts.waterfall_small(account))
    drawn = tag("div", picture(png, described(account)), class_="drawn")
    bars = ", ".join(f"{line.name.replace('_', ' ')} {line.margin:+d}" for line in account.gates)
    gates = tag("p", f"Gates, with the points over or short of each: {bars}.", class_="soft small")
    told = tag("div", tag("p", account.sentence()), gates, class_="told")
    sides = tag("div", told, drawn, class_="sides")
    decision = str(book.row["effective_decision"])
    return section("Why it stands there", tag("div", sides, points(account), class_=f"card {decision}"))


def decisions(book: Storybook) -> Html:
    """Every decision it got, run by run, with its total and what moved it."""
    days, moves = book.days, book.moves
    first = pl.col("run_id").is_first_distinct()
    told = [
        "; ".join(filter(None, [moves.get(day["run_id"]) if day["first"] else "", _part(day)]))
        for day in days.with_columns(first=first).to_dicts()
    ]
    rows = days.with_columns(
        day=pl.Series([day_of(on) for on in days["run_on"]], dtype=pl.String),
        moved=pl.Series(told, dtype=pl.String),
        title=pl.coalesce("title", "url", "story_id"),
    ).tail(MOST_DAYS)
    columns = (
        Column("day", "Day", "when"), Column("effective_decision", "Decision", "decision"),
        Column("total", "Points", "number"), Column("moved", "What moved it"), Column("phase", "Phase"),
        Column("n_items", "Items", "number"),
        Column("title", "Led by", "title", link="url"), Column("lead_item_id", "Id", "code"),
    )  # fmt: skip
    n, left = days["run_id"].n_unique(), max(len(book.series) - MOST_RUNS, 0)
    older = f" Runs older than the last {MOST_RUNS} were not read." if left else ""
    said = f"By the latest complete run of each day, an editor's verdict before the model's.{older}"
    rest = more(days.height, shown=rows.height)
    return section("Every decision", tag("p", said, class_="soft"), table(rows, columns), rest, n=n)


def _part(day: dict[str, object]) -> str:
    if day["is_itself"]:
        return ""
    mine = f"{day['n_ours']:,} of its {day['n_all']:,} items"
    is_part = 2 * int(str(day["n_ours"])) > int(str(day["n_all"]))
    word = "are in the story by now" if is_part else "went over to this story"
    return f"another story, {day['story_id']}: {mine} {word}"


def desk(book: Storybook) -> Html:
    """What people said of it: verdicts, states, and which items an editor put together or apart."""
    rows = said(book)
    if rows.is_empty():
        return section("The desk's word", nothing("Nobody said anything of it yet."), n=0)
    shown = rows.tail(MOST_SAID)
    shown = shown.with_columns(when=pl.Series([book.clock(at) for at in shown["at"]], dtype=pl.String))
    columns = (
        Column("when", "When", "when"), Column("what", "What"), Column("who", "By"), Column("why", "Why"),
        Column("until", "Until", "when"),
    )  # fmt: skip
    return section(
        "The desk's word", table(shown, columns), more(rows.height, shown=shown.height), n=rows.height
    )


def said(book: Storybook) -> pl.DataFrame:
    """All that was said of the story, oldest first: at, what, who, why, until (in words)."""
    whose = book.run.profile_id
    with book.store.reading():
        given = book.of_it(book.store.verdicts(whose, withdrawn=True))
        states = book.of_it(book.store.story_states(whose))
        rules = book.of_it(book.store.story_rules(whose), items=("item_a", "item_b"))
    verdict = pl.format("verdict: {}", pl.col("decision").cast(pl.String).str.replace_all("_", " "))
    taken = pl.format(", withdrawn by {}", pl.col("withdrawn_by").fill_null("somebody"))
    withdrawn = pl.when(pl.col("withdrawn_at").is_not_null()).then(taken).otherwise(pl.lit(""))
    to = pl.when(pl.col("assignee").is_not_null()).then(pl.format(" to {}", "assignee")).otherwise(pl.lit(""))
    words = {"must_link": "put together", "cannot_link": "told apart", "undo": "rule undone for"}
    rule = pl.col("rule").cast(pl.String).replace_strict(words, default="rule on")
    stands = pl.when("stands").then(pl.lit("")).otherwise(pl.lit(" (no longer stands)"))
    parts = [
        given.select(
            at="given_at", what=verdict + withdrawn, who="given_by", why="reason", until="expires_at",
        ),
        states.select(
            at="changed_at", what=pl.col("desk_state").cast(pl.String) + to, who="changed_by", why="note",
            until="snoozed_until",
        ),
        rules.select(
            at="made_at", what=pl.format("{} {} and {}{}", rule, "item_a", "item_b", stands), who="made_by",
            why="reason", until=pl.lit(None, pl.Datetime("us", "UTC")),
        ),
    ]  # fmt: skip
    rows = pl.concat(parts).sort("at", maintain_order=True)
    until = [book.clock(at) if at else None for at in rows["until"]]
    return rows.with_columns(until=pl.Series(until, dtype=pl.String))


def commands(book: Storybook) -> Html:
    """What to type to ask more of it, or to say something."""
    item, mine = book.lead.item_id, ("--profile", book.run.profile_id)
    asked = {
        "Why": ("brandkit", "explain", item),
        "What it lacks": ("brandkit", "why-not", item, "--target", _next_up(book)),
        "Where from": ("brandkit", "lineage", item),
        "Verdict": ("brandkit", "verdict", item, "drop", "--reason", "say why", *mine),
        "Done": ("brandkit", "state", item, "handled", *mine),
    }
    lines = [
        tag("li", tag("strong", f"{label}: "), tag("code", shlex.join(words)))
        for label, words in asked.items()
    ]
    return section("Ask more", tag("ul", *lines, class_="plain"))


def _next_up(book: Storybook) -> str:
    ladder = ("drop", "watch", "optional", "must_cover")
    now = str(book.row["decision"])
    place = ladder.index(now) if now in ladder else 0
    return ladder[min(place + 1, len(ladder) - 1)]
