"""Whether to trust the brief: what the sources delivered, what was refused, how the run went."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from brandkit.report.brief import Brief, counted

LEAST_ITEMS = 5
# Below half of the day before is no weekend but a source that did not come.
FEW = 0.5
SAME_SPAN = 0.9
_REFUSALS: Mapping[str, str] = {
    "no_identity": "neither an address nor an id of its own",
    "no_title": "no title, and nothing else to go by",
    "no_collected_at": "nothing says when it was collected",
    "naive_time": "a time without a time zone",
    "bad_time": "a time that cannot be read",
}


def sources(brief: Brief) -> pl.DataFrame:
    """Items by source, most first: source, n_items, n_undated, n_damaged (a field was lost), newest_at."""
    return (
        brief.records.group_by("source")
        .agg(
            n_items=pl.len().cast(pl.Int64),
            n_undated=pl.col("published_at").null_count().cast(pl.Int64),
            n_damaged=(pl.col("lost").list.len() > 0).sum().cast(pl.Int64),
            newest_at=pl.col("collected_at").max(),
        )
        .sort("n_items", "source", descending=[True, False])
    )


def refused(brief: Brief) -> pl.DataFrame:
    """Rejected rows by file and reason, most first: file, reason (in words), n_rows."""
    code = pl.col("reason").str.split(":").list.first()
    words = code.replace_strict(dict(_REFUSALS), default=pl.col("reason").str.replace_all("_", " "))
    return (
        brief.rejects.select(
            file=pl.col("raw_file").str.split("/").list.last().fill_null("not from a file"), reason="reasons"
        )
        .explode("reason")
        .with_columns(reason=words)
        .group_by("file", "reason")
        .agg(n_rows=pl.len().cast(pl.Int64))
        .sort("n_rows", "file", "reason", descending=[True, False, False])
    )


def silent(brief: Brief) -> pl.DataFrame:
    """The sources that delivered in the run before and nothing in this one: source, n_items then, most first.

    A source of fewer than ``LEAST_ITEMS`` may well have nothing to say on a day.
    """
    if brief.earlier is None or brief.run.shadow:
        return pl.DataFrame(schema={"source": pl.String, "n_items": pl.Int64})
    then = brief.earlier.records.group_by("source").agg(n_items=pl.len().cast(pl.Int64))
    gone = then.join(brief.records.select("source").unique(), on="source", how="anti")
    return gone.filter(pl.col("n_items") >= LEAST_ITEMS).sort("n_items", "source", descending=[True, False])


def shortfalls(brief: Brief) -> list[str]:
    """A line where far fewer items came in than in the run before, over a window as long.

    Then the day may be quiet because nothing was fetched, and not because nothing happened.
    """
    if brief.earlier is None or brief.run.shadow or brief.run.kind != "daily":
        return []
    then, now = brief.earlier.records.height, brief.records.height
    spans = [side.as_of - side.window_start for side in (brief.earlier, brief.decided)]
    if spans[1] < SAME_SPAN * spans[0] or now >= FEW * then:
        return []
    came = counted(now, "item", "items")
    return [f"{came} came in, where the run before had {then:,}. Were all sources fetched?"]


def stages(brief: Brief) -> pl.DataFrame:
    """What each stage took in and gave out, and whether its rows add up."""
    given = pl.col("rows_in") + pl.col("rows_added")
    left = pl.col("rows_out") + pl.col("rejected") + pl.col("folded") + pl.col("set_aside")
    return brief.stages.filter(pl.col("kind") == "stage").select(
        "name", "rows_in", "rows_added", "rows_out", "rejected", "folded", "set_aside",
        pl.col("wall_s").round(2), adds_up=given == left,
    )  # fmt: skip


def effort(stages: pl.DataFrame) -> str:
    """How long the run took, and whether every row is accounted for."""
    broken = stages.filter(~pl.col("adds_up"))["name"].to_list()
    sums = f"Rows do not add up in: {', '.join(broken)}." if broken else "Every row is accounted for."
    return f"{stages['wall_s'].sum():.1f} seconds over {counted(stages.height, 'stage', 'stages')}. {sums}"


def warnings(brief: Brief) -> list[str]:
    """What went wrong without ending the run, and what kind of run it is where that matters."""
    shadow = ["A shadow run: nobody acts on it."] if brief.run.shadow else []
    return [*shadow, *brief.run.warnings]


def provenance(brief: Brief) -> dict[str, str]:
    """What made the run: its id, profile and versions."""
    versions = dict(brief.run.versions)
    code = versions.pop("code", "")[:12]
    return {
        "Run": brief.run.run_id,
        "Profile": f"{brief.profile.id} {brief.run.profile_hash[:12]}",
        "Code": f"brandkit {versions.pop('brandkit', '?')} {code}".rstrip(),
        "With": ", ".join(f"{name} {number}" for name, number in sorted(versions.items())),
    }
