from __future__ import annotations

import stat
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandkit import schemas
from brandkit.errors import StoreError
from brandkit.normalise import account_key
from brandkit.store.veil import Veil, key_path, make_key

ADA, BOB = account_key("forum", "ada"), account_key("forum", "bob")
PLACES = {
    "account": pl.String,
    "publisher": pl.String,
    "publishers": schemas.NAMES,
    "coordination": schemas.COORDINATION,
}


def pair(a: str, b: str) -> dict[str, object]:
    return {"account_a": a, "account_b": b, "n_objects": 2, "median_gap_s": 1.5}


FRAME = pl.DataFrame(
    {
        "account": [ADA, None, BOB],
        "publisher": [f"forum:{ADA}", "alpha", None],
        "publishers": [["alpha", f"forum:{ADA}"], [], None],
        "coordination": [[pair(ADA, BOB)], [], []],
    },
    schema=PLACES,
)


@pytest.fixture
def veil(tmp_path: Path) -> Veil:
    make_key(tmp_path / "desk.duckdb")
    return Veil(tmp_path / "desk.duckdb")


def test_what_is_hidden_holds_no_account_and_is_shown_again_as_it_was(veil: Veil) -> None:
    hidden = veil.hide(FRAME)
    text = hidden.write_json()
    assert ADA not in text
    assert BOB not in text
    assert "alpha" in text
    assert veil.show(hidden).equals(FRAME)


def test_one_account_is_one_token_in_every_place(veil: Veil) -> None:
    hidden = veil.hide(FRAME)
    token = hidden["account"][0]
    assert hidden["publisher"][0] == f"forum:{token}"
    assert hidden["publishers"][0].to_list()[1] == f"forum:{token}"
    assert hidden["coordination"][0][0]["account_a"] == token


@given(accounts=st.lists(st.one_of(st.none(), st.text(max_size=20)), max_size=8))
def test_any_text_comes_back(accounts: list[str | None], tmp_path_factory: pytest.TempPathFactory) -> None:
    store = tmp_path_factory.mktemp("veil") / "desk.duckdb"
    make_key(store)
    frame = pl.DataFrame({"account": accounts}, schema={"account": pl.String})
    assert Veil(store).show(Veil(store).hide(frame)).equals(frame)


def test_two_stores_hide_one_account_differently(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_key(tmp_path / name)
    assert Veil(tmp_path / "one").hidden(ADA) != Veil(tmp_path / "two").hidden(ADA)


def test_the_key_is_its_owners_alone_and_is_never_made_anew(tmp_path: Path) -> None:
    make_key(tmp_path / "desk.duckdb")
    key = key_path(tmp_path / "desk.duckdb")
    made = key.read_text()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    make_key(tmp_path / "desk.duckdb")
    assert key.read_text() == made


def test_whoever_has_the_file_alone_sees_tokens_and_writes_no_account(tmp_path: Path) -> None:
    store = tmp_path / "desk.duckdb"
    make_key(store)
    hidden = Veil(store).hide(FRAME)
    key_path(store).unlink()
    assert Veil(store).show(hidden).equals(hidden)
    with pytest.raises(StoreError, match="is not there"):
        Veil(store).hide(FRAME)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda key: key.write_text("not hex"), "cannot be used"),
        (lambda key: key.write_text("00" * 32), "is not the one its accounts were hidden with"),
    ],
)
def test_with_another_key_a_store_says_so(harm: object, said: str, tmp_path: Path) -> None:
    store = tmp_path / "desk.duckdb"
    make_key(store)
    hidden = Veil(store).hide(FRAME)
    harm(key_path(store))  # type: ignore[operator]
    with pytest.raises(StoreError, match=said) as raised:
        Veil(store).show(hidden)
    assert "put the key back" in str(raised.value)


def test_frames_without_accounts_need_no_key(tmp_path: Path) -> None:
    veil = Veil(tmp_path / "desk.duckdb")
    for frame in (pl.DataFrame({"total": [1]}), FRAME.head(0), FRAME.select("publisher")[1:2]):
        assert veil.hide(frame).equals(frame)
        assert veil.show(frame).equals(frame)
