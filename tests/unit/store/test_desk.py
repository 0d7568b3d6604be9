"""What people said stays as it was said: verdicts, story rules and story states in the store."""

from __future__ import annotations

import threading
from itertools import count
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit import schemas
from brandkit.errors import UnknownError, UsageError
from brandkit.pipeline import History
from brandkit.store import StateStore
from brandkit.store.states import STORY_STATES
from brandkit.store.verdicts import STORY_RULES, VERDICTS
from tests.store_frames import ON, at, item_id, items


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path / "store.duckdb", cache=None, timeout_s=5)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> StateStore:
    return StateStore(tmp_path_factory.mktemp("shared") / "store.duckdb", cache=None)


DESKS = count()


def past(store: StateStore, hour: float, *, known_through: int | None = None) -> History:
    return store.history(
        "desk", kind="daily", window_start=at(0), as_of=at(hour), before=ON, known_through=known_through
    )


def verdict(store: StateStore, hour: float = 1, **more: object) -> str:
    given = {"story_id": "s1", "item_id": item_id(1), "decision": "drop", "given_at": at(hour), **more}
    return store.add_verdict("desk", **given)  # type: ignore[arg-type]


def test_nothing_said_reads_as_empty_frames_of_the_right_types(store: StateStore) -> None:
    assert store.verdicts("desk").schema == pl.Schema(VERDICTS)
    assert store.story_rules("desk").schema == pl.Schema(STORY_RULES)
    assert store.story_states("desk").schema == pl.Schema(STORY_STATES)
    assert store.titles([]).rows() == []


def test_a_withdrawn_verdict_stays_on_the_record_with_who_took_it_back_and_why(store: StateStore) -> None:
    first, second = verdict(store), verdict(store, 2, decision="watch")
    taken = store.withdraw_verdict(second, at=at(3), reason="a mistake", by="Ann")
    assert store.verdicts("desk")["verdict_id"].to_list() == [first]
    every = store.verdicts("desk", withdrawn=True)
    assert every["verdict_id"].to_list() == [first, second]
    row = every.row(1, named=True)
    assert (row["decision"], row["withdrawn_at"], row["withdrawn_by"]) == ("watch", at(3), "Ann")
    assert row["withdrawn_for"] == "a mistake"
    # Its own id is none that a verdict could have later.
    assert verdict(store, 4) > taken > second


def test_a_run_knows_a_withdrawal_from_its_instant_and_the_verdict_before_holds_again(
    store: StateStore,
) -> None:
    first, second = verdict(store), verdict(store, 2, decision="watch")
    store.withdraw_verdict(second, at=at(5))
    found = [past(store, hour).verdicts["verdict_id"].to_list() for hour in (0.5, 1, 4, 5)]
    assert found == [[], [first], [second], [first]]


@pytest.mark.parametrize(
    ("wanted", "error", "told"),
    [
        ("verdict-0000009", UnknownError, "did you mean 'verdict-0000001'"),
        ("verdict-0000002", UnknownError, "unknown verdict"),  # that is the withdrawal itself
        ("verdict-0000001", UsageError, "withdrawn before, by Ann"),
    ],
)
def test_what_is_no_verdict_or_no_longer_one_cannot_be_withdrawn(
    store: StateStore, wanted: str, error: type[Exception], told: str
) -> None:
    store.withdraw_verdict(verdict(store), at=at(2), by="Ann")
    with pytest.raises(error, match=told):
        store.withdraw_verdict(wanted, at=at(3))
    assert store.info().n_rows["verdicts"] == 2


def test_nothing_is_taken_back_before_it_was_said(store: StateStore) -> None:
    with pytest.raises(UsageError, match="is before verdict-0000001 was given"):
        store.withdraw_verdict(verdict(store, 5), at=at(4))
    rule = store.add_story_rule("desk", rule="must_link", item_a="a", item_b="b", made_at=at(5))
    with pytest.raises(UsageError, match="is before rule-0000001 was made"):
        store.undo_story_rule(rule, at=at(4))


PAIRS = [("a", "b"), ("b", "a"), ("a", "c")]
RULES = ["must_link", "cannot_link", "undo"]
said = st.lists(
    st.tuples(st.sampled_from(PAIRS), st.sampled_from(RULES), st.integers(0, 6)), max_size=7, unique=True
)


@given(said, st.integers(0, 7))
@settings(max_examples=10, deadline=None)
def test_the_newest_word_on_two_items_counts_whichever_comes_first(
    shared: StateStore, said: list[tuple[tuple[str, str], str, int]], hour: int
) -> None:
    # A profile of its own for every example: making a store costs more than filling it.
    desk = f"desk-{next(DESKS)}"
    newest: dict[tuple[str, ...], tuple[int, int, str]] = {}
    with shared.transaction():
        for n, ((a, b), rule, made) in enumerate(said):
            shared.add_story_rule(desk, rule=rule, item_a=a, item_b=b, made_at=at(made))
            if made <= hour:
                pair = tuple(sorted((a, b)))
                newest[pair] = max(newest.get(pair, (-1, 0, "")), (made, n, rule))
    obeyed = {(rule, *pair) for pair, (_, _, rule) in newest.items() if rule != "undo"}
    known = shared.history(desk, kind="daily", window_start=at(0), as_of=at(hour), before=ON)
    assert set(known.story_rules.rows()) == obeyed
    if hour >= 6:  # all of it was said by then
        standing = shared.story_rules(desk).filter("stands")
        assert set(standing.select("rule", "item_a", "item_b").rows()) == obeyed


def test_an_undone_rule_stays_on_the_record_with_its_reason(store: StateStore) -> None:
    rule = store.add_story_rule(
        "desk", rule="must_link", item_a="b", item_b="a", made_at=at(1), made_by="Ann", reason="one recall"
    )
    undone = store.undo_story_rule(rule, at=at(2), reason="two recalls", by="Bo")
    assert store.story_rules("desk").select("rule_id", "rule", "reason", "made_by", "stands").rows() == [
        (rule, "must_link", "one recall", "Ann", False),
        (undone, "undo", "two recalls", "Bo", False),
    ]
    for again, error, told in [
        (rule, UsageError, "does not stand any more"),
        (undone, UsageError, "does not stand any more"),
        ("rule-9", UnknownError, "unknown story rule 'rule-9'"),
    ]:
        with pytest.raises(error, match=told):
            store.undo_story_rule(again, at=at(3))


def test_every_change_of_state_is_kept_and_a_run_has_the_newest_of_each_story(store: StateStore) -> None:
    for hour, state, more in [
        (1, "assigned", {"assignee": "Ann", "note": "call them"}),
        (2, "handled", {"decision": "must_cover", "disputed": True}),
        (3, "open", {}),
    ]:
        store.add_story_state(
            "desk", story_id="s1", desk_state=state, changed_at=at(hour), changed_by="Bo", **more
        )
    store.add_story_state("other", story_id="s1", desk_state="handled", changed_at=at(1))
    assert store.story_states("desk")["desk_state"].to_list() == ["assigned", "handled", "open"]
    assert [past(store, hour).story_states["desk_state"].to_list() for hour in (0, 1, 2.5, 9)] == [
        [], ["assigned"], ["handled"], ["open"],
    ]  # fmt: skip
    handled = past(store, 2).story_states
    assert handled.schema == pl.Schema(schemas.STORY_STATE)
    assert handled.select("decision", "disputed").row(0) == ("must_cover", True)


def test_a_state_that_is_none_is_refused(store: StateStore) -> None:
    with pytest.raises(UnknownError, match="did you mean 'snoozed'"):
        store.add_story_state("desk", story_id="s1", desk_state="snozed", changed_at=at(1))


def test_what_is_said_later_is_not_in_a_past_as_it_was_known_then(store: StateStore) -> None:
    first = verdict(store)
    through = store.known_through()
    verdict(store, decision="must_cover")
    store.withdraw_verdict(first, at=at(1))
    store.add_story_rule("desk", rule="must_link", item_a="a", item_b="b", made_at=at(1))
    store.add_story_state("desk", story_id="s1", desk_state="handled", changed_at=at(1))
    then = past(store, 9, known_through=through)
    assert then.verdicts["verdict_id"].to_list() == [first]
    assert then.story_rules.height == then.story_states.height == 0
    now = past(store, 9)
    assert now.verdicts["decision"].to_list() == ["must_cover"]
    assert (now.story_rules.height, now.story_states.height) == (1, 1)


def test_titles_are_the_newest_else_the_address_or_the_id(store: StateStore) -> None:
    untitled = items({"id": 2}, {"id": 3}).with_columns(
        title=pl.lit(None, pl.String), url=pl.Series(["https://a.example/2", None])
    )
    store.upsert_items(items({"id": 1, "title": "old"}))
    store.upsert_items(items({"id": 1, "title": "new", "hash": "h2", "collected": 1}))
    store.upsert_items(untitled)
    assert store.titles([item_id(n) for n in (1, 2, 3, 9)]).rows() == [
        (item_id(1), "new"), (item_id(2), "https://a.example/2"), (item_id(3), item_id(3)),
    ]  # fmt: skip


def test_words_said_at_once_by_many_are_all_kept_under_ids_of_their_own(store: StateStore) -> None:
    verdict(store)
    heads = [threading.Thread(target=verdict, args=(store, hour)) for hour in range(2, 8)]
    for head in heads:
        head.start()
    for head in heads:
        head.join()
    ids = store.verdicts("desk")["verdict_id"]
    assert ids.n_unique() == ids.len() == 7
