from __future__ import annotations

import sys

import pytest

from brandkit.report import lab


def test_without_itables_tables_stay_plain_and_it_says_how_to_have_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "itables", None)
    assert lab.interactive_tables() == lab.PLAIN
