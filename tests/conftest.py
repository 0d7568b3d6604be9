"""What holds for every test: no setting of the developer's own, no state outside a temporary folder."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

# Before anything imports matplotlib: no test may look for a screen.
os.environ["MPLBACKEND"] = "Agg"

# Two test processes share two cores, so time says nothing; the same examples each time, so that a
# red run can be had again. `--hypothesis-profile=search` looks for new ones.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None, max_examples=1000)
hypothesis.settings.load_profile("steady")


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send whatever a test leaves at a default place to its own folder."""
    for name in list(os.environ):
        if name.upper().startswith("BRANDKIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BRANDKIT_DB_PATH", str(tmp_path / "brandkit.duckdb"))
    monkeypatch.setenv("BRANDKIT_ARTIFACTS_DIR", str(tmp_path / "artifacts"))
