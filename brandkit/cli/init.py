"""``brandkit init``: a first profile from a few answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brandkit.cli.base import PATH, Answer, Command, wants_json
from brandkit.cli.tables import show_line, show_table
from brandkit.errors import UsageError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from brandkit.onboard import Survey
    from brandkit.profile import BrandProfile

_AGAIN = "may be given again"
_EXAMPLE = """\b
Example:
  brandkit init --name "Nordlys press desk" --own Nordlys --rival Sunnacre \\
    --source example.com=A --timezone Europe/Oslo --input items.csv --yes
"""


def _names(option: str, field: str, text: str) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    return click.option(option, field, multiple=True, metavar="NAME", help=f"{text}; {_AGAIN}.")


@click.command(cls=Command, epilog=_EXAMPLE)
@click.option("--name", metavar="TEXT", help="What the desk is called; its id is made from it.")
@_names("--own", "own", "A name of ours")
@_names("--rival", "rivals", "A rival's name")
@_names("--watched", "watched", "A name to watch, of a regulator or a partner")
@_names("--pillar", "pillars", "A subject to cover")
@_names("--trigger", "triggers", "A phrase never to miss")
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="DOMAIN[=TIER]",
    help=f"A publisher to trust: A, B (unless given) or C; {_AGAIN}.",
)
@click.option("--timezone", metavar="ZONE", help="The desk's time zone, as Europe/Paris. [default: UTC]")
@click.option(
    "--input", "inputs", multiple=True, metavar="PATH", help=f"Items: says whom to tier first; {_AGAIN}."
)
@click.option("--mapping", type=PATH, help="A TOML file that says which column is what in the items.")
@click.option("--out", type=PATH, help="The file to write. [default: <id>.toml]")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.option("--yes", is_flag=True, help="Ask nothing: what is not given keeps its default.")
def init(
    name: str | None, timezone: str | None, sources: Sequence[str], inputs: Sequence[str],
    mapping: Path | None, out: Path | None, force: bool, yes: bool, **names: Sequence[str],
) -> Answer:  # fmt: skip
    """Write a first profile, and say whom to tier first.

    Asks for the names, rivals, sources and time zone that are not given, when on a terminal.
    """
    from brandkit.onboard import Answers, compose, read_sources, survey, write_profile

    asking = not yes and not wants_json() and sys.stdin.isatty()
    given: dict[str, Any] = {"name": name, "timezone": timezone, "sources": list(sources), **names}
    if asking:
        given = _ask(given)
    if not given["name"]:
        raise UsageError("no name given", hint="pass --name, or run brandkit init on a terminal to be asked")
    answers = Answers(
        **{**given, "sources": read_sources(given["sources"]), "timezone": given["timezone"] or "UTC"}
    )
    text, profile = compose(answers)
    # Items first: a file that cannot be read must not leave half of what was asked for.
    looked = survey(_items(inputs, mapping), profile) if inputs else None
    path = write_profile(text, out or Path(f"{profile.id}.toml"), force=force)
    data = {"path": path, "id": profile.id, "hash": profile.hash, "survey": _survey_data(looked)}
    return Answer(data, lambda screen: _show(screen, path, profile, looked))


def _ask(given: dict[str, Any]) -> dict[str, Any]:
    """The answers, with the missing ones asked for; several go on one line, with commas."""
    asked = dict(given)
    if not asked["name"]:
        asked["name"] = click.prompt("What is the desk called", err=True)
    questions = {
        "own": "Your own names (commas between; none for a beat desk)",
        "rivals": "Your rivals",
        "watched": "Others to watch: regulators, partners, people",
        "pillars": "Subjects to cover",
        "sources": "Publishers you trust, as domain=A, domain=B or domain=C",
    }
    for key, question in questions.items():
        if not asked[key]:
            asked[key] = click.prompt(question, default="", show_default=False, err=True).split(",")
    asked["sources"] = [source for source in asked["sources"] if source.strip()]
    if not asked["timezone"]:
        asked["timezone"] = click.prompt("Time zone, such as Europe/Paris", default="UTC", err=True)
    return asked


def _items(inputs: Sequence[str], mapping: Path | None) -> pl.LazyFrame:
    import polars as pl

    from brandkit.sources.files import scan_items

    return pl.concat([scan_items(source, mapping=mapping) for source in inputs], how="diagonal_relaxed")


def _survey_data(looked: Survey | None) -> dict[str, Any] | None:
    if looked is None:
        return None
    return {
        "n_items": looked.n_items,
        "n_unlisted": looked.n_unlisted,
        "share_unlisted": round(looked.share, 4),
        "n_unlisted_domains": looked.n_domains,
        "tier_first": looked.first.to_dicts(),
    }


def _show(screen: Console, path: Path, profile: BrandProfile, looked: Survey | None) -> None:
    show_line(screen, f"wrote {path}: profile '{profile.id}' of {profile.title}", style="bold")
    if looked is not None:
        show_line(
            screen,
            f"{looked.share:.0%} of {looked.n_items:,} items come from publishers on no list"
            f" ({looked.n_unlisted:,} items, {looked.n_domains:,} domains)",
        )
        if looked.first.height:
            rows = [(domain, n, f"{share:.1%}") for domain, n, share in looked.first.rows()]
            columns, title = ("domain", "items", "share"), "tier these first, in [sources.tiers]"
            columns, title = ("domain", "items", "share"), "tier these first, in [sources.tiers]"
            show_table(screen, columns, rows, title=title, right=("items", "share"))
    show_line(screen, f"next: brandkit profile check {path}")
