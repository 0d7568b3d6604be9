from __future__ import annotations

import polars as pl
import pytest

from brandkit.signals._story_words import common_words, words_of
from brandkit.signals._text import folded
from brandkit.signals.stories import cluster_stories


def words(*texts: str) -> tuple[list[list[str]], set[str]]:
    """The words of each text, and which of all are names."""
    frame = (
        pl.DataFrame({"text": texts}).select(text=folded(pl.col("text"), case="keep")).with_row_index("row")
    )
    found = words_of(frame, len(texts))
    terms = found.terms.to_list()
    of = [[terms[column] for column in found.matrix[row].indices] for row in range(len(texts))]
    return of, {term for term, is_name in zip(terms, found.is_name, strict=True) if is_name}


def stories(*titles: str) -> list[str]:
    ids = [chr(ord("a") + i) for i in range(len(titles))]
    return cluster_stories(pl.DataFrame({"item_id": ids, "title": titles}))["story_id"].to_list()


def test_inflections_are_one_word_and_stop_words_none() -> None:
    assert words("the recalls", "was recalled")[0] == [["recall"], ["recall"]]


def test_a_name_is_what_sentences_write_with_a_capital_and_is_left_whole() -> None:
    of, names = words(
        "Rain floods the village of Hasselwyke",
        "Hasselness Village Floods",
        "Boat race in Hasselness is called off by rain",
    )
    assert names == {"hasselwyke", "hasselness"}
    # The headline in title case names it too, and its "Floods" is no name.
    assert of[1] == ["floods", "hasselness", "villag"]


def test_a_common_word_is_no_name_by_itself() -> None:
    assert words("Homes flooded as Storm Turid reaches the coast")[1] == {"turid"}


def test_scripts_without_spaces_have_pairs_of_characters_for_words() -> None:
    assert words("东京地震")[0] == [["东京", "京地", "地震"]]
    assert words("地 in Oslo")[0] == [["oslo", "地"]]


@pytest.mark.parametrize(
    "titles",
    [
        ("诺德利斯公司在奥斯陆开设电池工厂", "奥斯陆电池工厂由诺德利斯公司开设", "卑尔根渡轮罢工结束"),
        (
            "ノルドリスがオスロに電池工場を開設",
            "オスロの電池工場、ノルドリスが開設",
            "ベルゲンの港湾ストが終結",
        ),
        ("นอร์ดลิสเปิดโรงงานแบตเตอรี่ในออสโล", "โรงงานแบตเตอรี่ในออสโลเปิดโดยนอร์ดลิส", "ฝนตกหนักทางเหนือ"),
        ("Élysée: Nordlys ouvre une usine à Orléans", "Nordlys ouvre une usine a Orleans", "Pluie à Brest"),
    ],
)
def test_stories_are_found_in_every_script(titles: tuple[str, str, str]) -> None:
    assert stories(*titles) == ["s_a", "s_a", "s_c"]


def test_two_storms_in_the_same_words_are_two_stories() -> None:
    titles = (
        "Thousands without power as Storm Turid lashes Hesturia",
        "Thousands without power as Storm Oskari lashes Calduria",
    )
    assert stories(*titles) == ["s_a", "s_b"]


def test_the_packaged_common_words_are_no_stop_words_and_the_commonest_are_commoner() -> None:
    rate = dict(common_words().rows())
    assert rate["new"] > rate["market"] > 0
    assert 3_000 < len(rate) < 6_000
