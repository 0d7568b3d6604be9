from __future__ import annotations

import subprocess
import sys
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brandkit as bk
from brandkit.record import reads
from brandkit.signals.sentiment import TONE_CUT, measure_sentiment, tone
from tests.flow.newsdesk import desk, row, table
from tests.frames import DESK, judged, signals


def measured(*titles: str | None, **more: Any) -> list[float | None]:
    frame = pl.DataFrame({"title": titles, **more}, schema_overrides={"title": pl.String})
    return measure_sentiment(frame)["sentiment"].to_list()


def test_praise_is_positive_blame_negative_and_a_plain_fact_neutral() -> None:
    praise, blame, fact = measured(
        "Nordlys wins an award for its excellent service",
        "Nordlys accused of fraud after deadly fire",
        "Nordlys opens a depot in Uppelstrand",
    )
    assert praise is not None
    assert blame is not None
    assert praise > 0.5
    assert blame < -0.5
    assert fact == 0.0


def test_negation_turns_a_word_around() -> None:
    good, bad = measured("The service is good", "The service is not good")
    assert good is not None
    assert bad is not None
    assert bad < 0 < good


def test_the_tone_is_the_mean_of_title_and_summary_and_of_the_one_that_is_there() -> None:
    ((good,), (bad,)) = (measured("good"), measured("terrible"))
    assert good is not None
    assert bad is not None
    frame = pl.DataFrame(
        {"title": ["good", "good", None, "good"], "summary": ["terrible", None, "terrible", " "]}
    )
    assert measure_sentiment(frame)["sentiment"].to_list() == [
        pytest.approx((good + bad) / 2, abs=1e-4), good, bad, good,
    ]  # fmt: skip


@pytest.mark.parametrize("text", [None, "", "  \t"])
def test_no_text_is_not_measured_which_is_not_neutral(text: str | None) -> None:
    assert measured(text) == [None]


@pytest.mark.parametrize("language", [None, "en", "EN", "en-gb", "en_US", "eng", "", "und"])
def test_english_and_an_unknown_language_are_measured(language: str | None) -> None:
    assert measured("good", language=pl.Series([language], dtype=pl.String)) != [None]


@pytest.mark.parametrize("language", ["de", "fr-ca", "zh", "enm", "xx"])
def test_a_language_known_to_be_another_is_not_measured(language: str) -> None:
    assert measured("good", language=[language]) == [None]


@pytest.mark.parametrize(
    "text",
    [
        "Der Rückruf ist ein Fehler und nicht gut",
        "Le rappel est une erreur dans les dépôts",
        "Nordlys отзывает батареи после пожара",
        "北光召回电池",
        "Česká firma stahuje vadné baterie kvůli požáru",
    ],
)
@pytest.mark.parametrize("language", [None, "en"])
def test_a_text_that_shows_another_language_is_not_measured_whatever_its_source_says(
    text: str, language: str | None
) -> None:
    assert measured(text, language=pl.Series([language], dtype=pl.String)) == [None]


@pytest.mark.parametrize(
    "text", ["Le Pen loses La Rochelle in the vote", "Beyoncé wins a Grammy", "Café Zoë closes", "😀", "404!"]
)
def test_a_foreign_name_in_an_english_text_is_no_other_language(text: str) -> None:
    assert measured(text) != [None]


def test_only_what_is_asked_for_is_measured() -> None:
    frame = pl.DataFrame({"title": ["good", "good", "good"], "is_ours": [True, False, None]})
    found = measure_sentiment(frame, only=pl.col("is_ours"))["sentiment"].to_list()
    assert found == [*measured("good"), None, None]


def test_a_frame_keeps_its_rows_columns_and_laziness() -> None:
    frame = pl.DataFrame({"item_id": ["b", "a"], "title": ["bad", "good"], "sentiment": [9.0, 9.0]})
    eager = measure_sentiment(frame)
    lazy = measure_sentiment(frame.lazy())
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect_schema() == eager.schema
    assert eager.columns == frame.columns
    assert eager["item_id"].to_list() == ["b", "a"]
    assert lazy.collect().equals(eager)
    nothing = measure_sentiment(pl.DataFrame(schema={"title": pl.String}))
    assert nothing.schema == {"title": pl.String, "sentiment": pl.Float64}


WORDS = st.sampled_from(["good", "not", "bad", "!", ":)", "😀", "le", "des", "GREAT", "but", "é", "漢"])
TEXTS = st.none() | st.lists(WORDS, max_size=4).map(" ".join)


@settings(max_examples=25)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_tone_is_within_bounds_and_depends_on_no_other_row_and_no_order(
    rows: list[tuple[str | None, str | None]], random: Any
) -> None:
    schema = {"title": pl.String, "summary": pl.String}
    found = measure_sentiment(pl.DataFrame(rows, schema=schema, orient="row"))
    alone = [
        measure_sentiment(pl.DataFrame([one], schema=schema, orient="row"))["sentiment"][0] for one in rows
    ]
    order = random.sample(range(len(rows)), len(rows))
    assert found["sentiment"].to_list() == alone
    assert measure_sentiment(found.select("title", "summary")[order]).equals(found[order])
    assert all(value is None or -1 <= value <= 1 for value in alone)


def test_a_text_as_long_as_a_book_counts_by_its_beginning() -> None:
    assert measured("good " * 200 + "terrible " * 100_000) == measured("good " * 200)


def test_a_tone_has_a_word_for_it_and_none_is_unmeasured() -> None:
    cut = pl.DataFrame({"s": [-1.0, -TONE_CUT, -0.0499, 0.0, 0.0499, TONE_CUT, None, float("nan")]})
    assert cut.select(tone=tone(pl.col("s")))["tone"].to_list() == [
        "negative", "negative", "neutral", "neutral", "neutral", "positive", "unmeasured", "unmeasured",
    ]  # fmt: skip


def test_a_run_measures_what_the_profile_has_a_tie_to_and_nothing_else() -> None:
    mail = table([
        row("alpha.example", "Nordlys wins an award"),
        row("beta.example", "Prices are a terrible mess"),
        row("gamma.example", "Choir wins an award"),
    ])  # fmt: skip
    found = bk.assess(mail, desk(), as_of=desk().day_window(date(2026, 3, 2))[1]).records
    by_title = dict(found.select("title", "sentiment").rows())
    assert by_title["Nordlys wins an award"] > 0
    assert by_title["Prices are a terrible mess"] < 0
    assert by_title["Choir wins an award"] is None


@settings(max_examples=20)
@given(st.none() | st.floats(-1, 1))
def test_no_tone_changes_a_point_a_gate_or_a_decision(value: float | None) -> None:
    base = signals(
        {"entities": ["Nordlys"], "entities_in_title": ["Nordlys"], "tier": "A", "n_outlets": 9},
        {"triggers": ["recall"], "triggers_in_title": ["recall"], "misinfo_risk": 0.7},
    )
    changed = base.with_columns(sentiment=pl.lit(value, pl.Float64))
    # Without the column scoring could not read it at all.
    without = judged(base.drop("sentiment"))
    assert judged(changed).drop("sentiment").equals(without)


def test_nothing_after_it_takes_the_tone() -> None:
    stages = bk.standard_pipeline().stages
    assert [stage.name for stage in stages if "sentiment" in stage.takes] == []
    asked = (reads.part_reads(DESK), reads.modifier_reads(DESK), reads.gate_reads(DESK))
    assert not [name for found in asked for name, paths in found.items() if "sentiment" in str(paths)]


def test_the_lexicon_is_loaded_by_the_first_text_and_not_before() -> None:
    code = (
        "import sys, polars as pl\n"
        "from brandkit.signals.sentiment import measure_sentiment\n"
        "measure_sentiment(pl.DataFrame({'title': [None]}, schema={'title': pl.String}))\n"
        "print('vader' in sys.modules)\n"
        "measure_sentiment(pl.DataFrame({'title': ['good']}))\n"
        "print('vader' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
