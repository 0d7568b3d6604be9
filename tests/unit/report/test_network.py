"""The picture of accounts that act together: complete or counted, the same each time, safe with any name."""

from __future__ import annotations

from itertools import combinations

import polars as pl
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from brandkit.report import charts, daily, network
from brandkit.report.network import coordination_network
from tests.unit.report.briefs import HOSTILE, briefed, read

Pair = tuple[str, str, int, float | None]


def pairs(*rows: Pair) -> pl.DataFrame:
    names = {
        "account_a": pl.String, "account_b": pl.String, "n_objects": pl.Int64, "n_by_chance": pl.Float64
    }  # fmt: skip
    return pl.DataFrame(list(rows), schema=names, orient="row")


def ring(name: str, n: int) -> list[Pair]:
    return [(f"{name}{i:03}", f"{name}{j:03}", 3, 0.001) for i, j in combinations(range(n), 2)]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def n_lines(figure: Figure) -> int:
    return sum(len(lines.get_segments()) for lines in figure.findobj(LineCollection))


def test_a_few_accounts_are_named_and_every_pair_is_a_line() -> None:
    figure = coordination_network(pairs(*ring("a", 4), ("y", "z", 2, None)))
    assert {"a000", "a001", "a002", "a003", "y", "z"} <= set(texts(figure))
    assert {"4 accounts, 6 pairs", "2 accounts, 1 pair", "2 shared", "3 shared"} <= set(texts(figure))
    assert "6 accounts in 2 groups, 7 pairs that shared the same things together" in texts(figure)
    assert n_lines(figure) == 7


def test_many_accounts_are_drawn_without_names_and_what_is_left_out_is_counted() -> None:
    rows = [pair for i in range(4) for pair in ring(f"g{i}-", 20 - i)]
    figure = coordination_network(pairs(*rows), most_groups=3)
    assert not [text for text in texts(figure) if text.startswith("g")]
    assert "and 1 more group of 17 accounts" in texts(figure)
    star = [("hub", f"p{i:03}", 2, None) for i in range(450)]
    told = texts(coordination_network(pairs(*star)))
    assert "400 of 451 accounts, 450 pairs" in told


def test_a_pair_like_chance_gives_is_told_apart() -> None:
    grey = "no more than chance gives"
    assert grey in texts(coordination_network(pairs(("a", "b", 2, 40.0), ("b", "c", 5, 0.1))))
    assert grey not in texts(coordination_network(pairs(("a", "b", 2, None), ("b", "c", 5, 0.1))))


def test_the_same_pairs_are_the_same_bytes_in_any_order() -> None:
    rows = [*ring("a", 5), *ring("b", 3)]
    one, other = (charts.png(coordination_network(pairs(*some))) for some in (rows, rows[::-1]))
    assert one == other


def test_hostile_names_are_text() -> None:
    figure = coordination_network(pairs(*((name, "b", 2, None) for name in HOSTILE)))
    assert charts.png(figure).startswith(b"\x89PNG")
    assert not any(text.get_parse_math() for text in figure.findobj(Text))
    assert max(len(text) for text in texts(figure)) < 80


def test_nobody_acting_together_is_said() -> None:
    assert "No accounts that share the same things together" in texts(coordination_network(pairs()))


def test_the_brief_shows_who_pushed_what_it_must_not_amplify() -> None:
    rows = [
        {"title": f"Nordlys recall notice {thing}", "item_type": "post", "account": name,
         "target_url": f"https://push.example/{thing}", "published_at": f"2026-03-04T10:30:{late:02}Z"}
        for thing in ("one", "two") for late, name in enumerate(("a", "b", "c"))
    ]  # fmt: skip
    brief = briefed(rows)
    pairs = network.acting_together(brief.records)
    assert pairs["n_objects"].to_list() == [2, 2, 2]
    assert brief.active("block").height
    page = read(daily.do_not_amplify(brief).markup)
    assert "3 accounts in 1 group, 3 pairs" in page.text
    assert page.live == []
    quiet = briefed([{"title": "Nordlys", "risk_flags": ["private_data"]}])
    assert "accounts in" not in read(daily.do_not_amplify(quiet).markup).text
