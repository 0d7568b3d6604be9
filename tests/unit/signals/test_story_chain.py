from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest

from brandkit import schemas
from brandkit.errors import UnknownError, UsageError
from brandkit.signals.copies import find_copies
from brandkit.signals.stories import cluster_stories
from brandkit.signals.story_chain import story_chain

PLANT = (
    "Nordlys opens battery plant in Oslo",
    "Battery plant opened in Oslo by Nordlys",
    "Oslo battery plant: Nordlys opens the doors",
)


def news(*titles: str | None, **columns: list[Any]) -> pl.DataFrame:
    ids = [chr(ord("a") + i) for i in range(len(titles))]
    return pl.DataFrame({"item_id": ids, "title": titles, **columns})


def told(steps: pl.DataFrame) -> list[tuple[str, str, str]]:
    return list(steps.select("item_a", "kind", "item_b").rows())


def test_two_items_that_share_words_are_one_step_with_those_words_and_their_worth() -> None:
    steps = story_chain(news(*PLANT[:2]), "a", "b")
    assert told(steps) == [("a", "words", "b")]
    shared = steps["shared"][0].to_list()
    # "opens" and "opened" are two words; a common word would be worth less.
    assert [one["word"] for one in shared] == ["nordlys", "oslo", "battery", "plant"]
    # Known to be one event, the two count once: 1 + 1 of 20,000 x 5 words, at 200 words to an urn.
    usual = 200 * 2 / (20_000 * 5)
    assert shared[0]["nats"] == round(math.log((1 + usual) / usual), 2)
    assert steps["nats"][0] < sum(one["nats"] for one in shared)


def test_a_copy_is_joined_through_its_original() -> None:
    items = find_copies(news(*PLANT, PLANT[0].upper()))
    assert told(story_chain(items, "d", "c")) == [("d", "copy", "a"), ("a", "words", "c")]


def test_an_editors_merge_is_a_step_of_its_own() -> None:
    items = news(PLANT[0], PLANT[1], "Harbour strike halts ferries in Bergen")
    said = pl.DataFrame([("must_link", "b", "c")], schema=dict(schemas.STORY_RULE), orient="row")
    assert told(story_chain(items, "a", "c", rules=said)) == [("a", "words", "b"), ("b", "rule", "c")]


def test_the_way_back_is_the_same_chain() -> None:
    items = news(*PLANT)
    there, back = story_chain(items, "a", "c"), story_chain(items, "c", "a")
    assert there["nats"].to_list() == back["nats"].to_list()[::-1]
    assert story_chain(items, "b", "b").is_empty()


def test_every_two_items_of_a_story_have_a_chain_without_a_gap() -> None:
    items = news(*PLANT, "Oslo gets battery plant, says Nordlys", "Nordlys: battery plant in Oslo is open")
    assert cluster_stories(items)["story_id"].n_unique() == 1
    for one in items["item_id"]:
        for other in items["item_id"]:
            if one != other:
                steps = story_chain(items, one, other)
                assert steps["item_a"][0] == one
                assert steps["item_b"][-1] == other
                assert steps["item_a"].to_list()[1:] == steps["item_b"].to_list()[:-1]


def test_what_is_not_there_or_not_one_story_is_said() -> None:
    items = news(PLANT[0], "Heavy rain over the fjords")
    with pytest.raises(UnknownError, match="no item 'zz'"):
        story_chain(items, "a", "zz")
    with pytest.raises(UsageError, match="'a' and 'b' are not one story"):
        story_chain(items, "a", "b")
