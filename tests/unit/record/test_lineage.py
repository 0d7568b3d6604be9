from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from brandkit import schemas
from brandkit.cli.lineage import lineage as command
from brandkit.errors import UnknownError, UsageError
from brandkit.profile import BrandProfile
from brandkit.record.behind import COUNTS
from brandkit.record.branches import grow
from brandkit.record.explain import explain
from brandkit.record.kept import kept
from brandkit.record.lineage import Branch, Lineage, lineage
from brandkit.record.reads import part_reads
from brandkit.runner import Runner
from brandkit.store import StateStore
from tests.flow.newsdesk import MAIL, MONDAY, TUESDAY, desk, instant, ran, row
from tests.frames import AS_OF, DESK, context, item_id, judged, signals

HOSTILE = "Nordlys \x1b[2J <script>alert(1)</script>\n└─ gate must_cover passes"
# The story goes on: a newcomer, a copy of Monday's lead, and an item seen twice with its numbers.
LATER = (
    row("delta.example", "Nordlys recall of oat drink widened as prices rise", on=TUESDAY, clock="07:00:00"),
    row("wire.example", MAIL[0]["title"], on=TUESDAY, clock="07:05:00"),
    row("beta.example", "Nordlys widens recall of oat drink as prices rise", on=TUESDAY, clock="08:00:00",
        reactions="10", shares="1"),
    row("beta.example", "Nordlys widens recall of oat drink as prices rise", on=TUESDAY, clock="08:00:00",
        reactions="50", shares="4") | {"collected_at": instant(TUESDAY, "11:00:00")},
)  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> StateStore:
    """Two days of a desk."""
    runner = Runner(tmp_path_factory.mktemp("lineage") / "desk.duckdb")
    ran(runner)
    ran(runner, LATER, on=TUESDAY)
    return runner.store


@pytest.fixture(scope="module")
def tuesday(store: StateStore) -> list[Lineage]:
    """Where every decision of the second day comes from."""
    run = f"desk.daily.{TUESDAY}.1"
    return [lineage(item, store, run=run) for item in store.records(run)["item_id"]]


def under(told: Lineage, level: str, name: str) -> pl.DataFrame:
    """The children of the one node of that name that is told in full."""
    frame = told.frame()
    number = frame.filter(pl.col("same_as").is_null(), level=level, name=name)["node"].item()
    return frame.filter(parent=number)


def test_every_node_but_the_decision_hangs_on_an_earlier_one_and_repeats_point_at_what_they_repeat(
    tuesday: list[Lineage],
) -> None:
    for told in tuesday:
        assert [node.number for node in told.nodes] == list(range(len(told.nodes)))
        root, *others = told.nodes
        assert (root.parent, root.level) == (None, "decision")
        for node in others:
            assert node.parent is not None
            assert node.parent < node.number
            if node.same_as is not None:
                first = told.nodes[node.same_as]
                assert (first.level, first.name, first.value) == (node.level, node.name, node.value)
                assert first.number < node.number
                assert first.same_as is None
        repeated = [node.number for node in told.nodes if node.same_as is not None]
        assert not set(repeated) & {node.parent for node in told.nodes}


def test_every_point_and_every_gate_is_in_the_tree_and_the_points_sum_to_the_total(
    store: StateStore, tuesday: list[Lineage]
) -> None:
    for told in tuesday:
        account = explain(kept(told.item_id, store))
        frame = told.frame().filter(pl.col("same_as").is_null())
        points = frame.filter(pl.col("level").is_in(["part", "modifier"]))["value"]
        assert sum(int(value.split()[0]) for value in points) == account.total
        assert set(frame.filter(level="gate")["name"]) == {gate.name for gate in account.gates}
        assert frame.filter(level="total")["value"].to_list() == [str(account.total)]


def test_every_signal_that_a_part_reads_is_told_and_ends_at_an_item_as_it_was_seen(
    store: StateStore, tuesday: list[Lineage]
) -> None:
    read = {name for names in part_reads(desk()).values() for name in names}
    for told in tuesday:
        frame = told.frame()
        signals = frame.filter(pl.col("same_as").is_null(), level="signal")
        assert read - {"excluded"} <= set(signals["name"])
        items = frame.filter(pl.col("same_as").is_null(), level="source")
        assert items["item_id"].n_unique() == items.height
        assert items.filter(pl.col("at").is_null() | pl.col("url").is_null()).is_empty()
        seen = frame.filter(level="sighting")
        own = items.filter(item_id=told.item_id)["node"].item()
        assert set(seen["parent"]) == {own}
        assert seen["at"].to_list() == store.sightings(told.run_id, [told.item_id])["observed_at"].to_list()


def test_as_many_publishers_stand_under_a_count_as_it_counts_also_from_the_day_before(
    store: StateStore, tuesday: list[Lineage]
) -> None:
    for told in tuesday:
        record = kept(told.item_id, store).record
        for name in (*COUNTS, "n_other_publishers_ab"):
            if told.frame().filter(level="signal", name=name).height:
                publishers = under(told, "signal", name)
                assert publishers["publisher"].drop_nulls().n_unique() == record[name].item(), name
        assert told.frame().filter(level="source")["at"].min().isoformat() < TUESDAY


def test_a_sighting_tells_its_numbers_and_a_name_the_term_that_found_it(store: StateStore) -> None:
    run = f"desk.daily.{TUESDAY}.1"
    item = (
        store.records(run).filter(title="Nordlys widens recall of oat drink as prices rise")["item_id"].item()
    )
    told = lineage(item, store)
    seen = told.frame().filter(level="sighting")
    assert seen["note"].to_list() == ["reactions 10, shares 1", "reactions 50, shares 4"]
    pillars = under(told, "signal", "pillars_in_title").filter(level="evidence")
    assert pillars.select("name", "note").rows() == [
        ("'prices'", "in the title; in [pillars] of the profile")
    ]
    tier = under(told, "signal", "tier").filter(level="evidence")
    assert tier["note"].item() == "beta.example in the profile's sources (tier B)"


def test_the_tree_is_the_frame_and_the_text_shows_the_first_of_many(store: StateStore) -> None:
    told = lineage(store.stories(f"desk.daily.{TUESDAY}.1").sort("total")["story_id"][-1], store)

    def counted(branch: Branch) -> int:
        return 1 + sum(counted(inner) for inner in branch.branches)

    assert told.tree().node is told.nodes[0]
    assert counted(told.tree()) == told.frame().height == len(told.nodes)
    short, whole = told.text(most=1), told.text(most=10_000)
    assert "and 2 more" in short
    assert len(short.splitlines()) < len(whole.splitlines())
    # Every item in full once, whatever was left out before it.
    for text in (short, whole):
        full = [line for line in text.splitlines() if ", first seen " in line]
        assert len(full) == len({line.partition(" by ")[0].strip(" │├└─") for line in full})
    assert str(told) == told.text()
    assert repr(told).startswith(f"Lineage({told.item_id} in ")


def test_what_an_editor_said_stands_beside_the_gates(store: StateStore) -> None:
    found = kept(store.records(f"desk.daily.{MONDAY}.1")["item_id"][0], store)
    assert found.story is not None
    told = found.story.with_columns(effective_decision=pl.lit("block", found.story.schema["decision"]))
    frame = lineage(type(found)(found.record, found.run, found.profile, told), store).frame()
    assert frame.filter(level="verdict")["value"].to_list() == ["block"]


def test_nothing_from_outside_can_draw_in_the_tree_or_run_in_a_notebook(tmp_path: Path) -> None:
    runner = Runner(tmp_path / "desk.duckdb")
    ran(runner, (row("alpha.example", HOSTILE, url="https://alpha.example/1"),))
    (item,) = runner.store.records(f"desk.daily.{MONDAY}.1")["item_id"]
    told = lineage(item, runner.store)
    assert "\x1b" not in told.text()
    assert sum(line.startswith("└─") for line in told.text().splitlines()) == 1
    assert "<script" not in told._repr_html_()


def test_what_is_not_there_is_said_as_everywhere(store: StateStore) -> None:
    with pytest.raises(UnknownError, match="no item or story 'zzzz'"):
        lineage("zzzz", store)
    with pytest.raises(UsageError, match="begins"):
        lineage("s_", store, run=f"desk.daily.{MONDAY}.1")
    with pytest.raises(UnknownError, match="unknown run"):
        lineage("s_", store, run="nope")


def grown(*rows: dict[str, Any]) -> pl.DataFrame:
    """The tree of the first of these items of one story, as a frame."""
    items = judged(signals(*rows))
    record = items.head(1)
    seen = pl.DataFrame(schema=dict(schemas.OBSERVATION))
    nodes = grow(explain(record, DESK), record, DESK, as_of=AS_OF, items=items, sightings=seen)
    return Lineage(record["item_id"].item(), "s1", "run", "title", tuple(nodes)).frame()


def behind(frame: pl.DataFrame, signal: str) -> list[tuple[str, str]]:
    told = frame.filter(pl.col("same_as").is_null(), level="signal", name=signal)["node"].item()
    return frame.filter(parent=told, level="evidence").select("name", "note").rows()


def test_what_speaks_against_an_item_is_told_with_the_items_that_say_so() -> None:
    pair = {"account_a": "a_1", "account_b": "a_2", "n_objects": 3, "median_gap_s": 5.0}
    frame = grown(
        {
            "misinfo_risk": 0.9, "misinfo_evidence": ["no_ab_publisher:0.25", "disputed:0.4", "hedging:0.2"],
            "coordinated_share": 0.8, "n_coordinated": 5, "coordination": [pair], "forbidden": ["a b"],
            "engagement": 30.0, "engagement_ratio": 3.0, "source": "forum", "copy_of": item_id(2),
            "evidence": ["https://a.example/proof"], "age_h": 1.0, "published_at": AS_OF,
        },
        {"publisher": "alpha", "is_denial": True, "is_coordinated": True},
    )  # fmt: skip
    assert behind(frame, "misinfo_evidence") == [
        ("no_ab_publisher:0.25", "no A or B publisher carries it"),
        ("disputed:0.4", "a trusted publisher disputes it"),
        ("hedging:0.2", "its words hedge"),
    ]
    denied = frame.filter(name="disputed:0.4")["node"].item()
    assert frame.filter(parent=denied)["item_id"].to_list() == [item_id(2)]
    assert behind(frame, "coordination") == [("a_1 and a_2 shared the same 3 things, 5 s apart", "")]
    assert behind(frame, "engagement_ratio") == [
        ("engagement", "reactions + 2 x comments + 3 x shares"),
        ("usual", "for forum, at least 1"),
    ]
    assert frame.filter(name="usual")["value"].item() == "10"
    assert behind(frame, "evidence") == [("link", "https://a.example/proof")]
    assert behind(frame, "age_h") == [("published_at", "")]
    original = frame.filter(level="signal", name="copy_of")["node"].item()
    assert frame.filter(parent=original)["item_id"].to_list() == [item_id(2), item_id(1)]
    assert frame.filter(level="modifier")["name"].unique().sort().to_list() == [
        "brigading", "misinfo_risk", "single_source",
    ]  # fmt: skip


def test_a_count_that_what_is_stored_cannot_tell_in_full_says_so() -> None:
    frame = grown({"publisher": "alpha", "tier": "A", "n_outlets": 4})
    assert ("1 are told here", "the run counted 4") in behind(frame, "n_outlets")


def test_a_refused_flag_is_named_as_the_constraint_it_breaks() -> None:
    flagged = BrandProfile.from_dict(
        {"id": "desk", "own": ["Nordlys"], "forbidden": {"risk_flags": ["leak"]}}
    )
    record = judged(signals({"forbidden": ["leak"], "risk_flags": ["leak", "other"]}), context(flagged))
    seen = pl.DataFrame(schema=dict(schemas.OBSERVATION))
    nodes = grow(explain(record, flagged), record, flagged, as_of=AS_OF, items=record, sightings=seen)
    assert ("leak", "a risk flag the profile refuses") in [(node.name, node.note) for node in nodes]


# The command


def test_the_command_prints_the_tree_or_all_of_it_as_json(store: StateStore) -> None:
    item = store.records(f"desk.daily.{MONDAY}.1")["item_id"][0]
    given = [item, "--run", f"desk.daily.{MONDAY}.1", "--store", str(store.path)]
    shown = CliRunner().invoke(command, [*given, "--most", "2"])
    assert shown.exit_code == 0
    told = lineage(item, store, run=f"desk.daily.{MONDAY}.1")
    assert shown.stdout.strip() == told.text(most=2)
    data = json.loads(CliRunner().invoke(command, [*given, "--json"]).stdout)
    assert (data["item_id"], data["run_id"]) == (item, f"desk.daily.{MONDAY}.1")
    assert len(data["nodes"]) == len(told.nodes)
    assert set(data["nodes"][0]) == set(told.frame().columns)


def test_the_command_leaves_with_the_code_of_its_error(store: StateStore) -> None:
    result = CliRunner().invoke(command, ["zzzz", "--store", str(store.path)])
    assert result.exit_code == 2
    assert "no item or story 'zzzz'" in result.stderr
