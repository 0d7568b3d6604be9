"""Whether to trust the brief: what the sources delivered, what was refused, how the run went."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from brandkit.report.brief import Brief, counted

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
