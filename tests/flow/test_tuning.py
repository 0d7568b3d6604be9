"""A day of the sample tuned from end to end: verdicts, calibrate, the new profile, what it changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from click.testing import CliRunner

from brandkit.cli.calibrating import calibrate
from brandkit.cli.profiles import profile as profile_command
from brandkit.cli.what_if import what_if
from brandkit.profile import BrandProfile
from brandkit.record.changed import changed
from brandkit.record.span import span
from brandkit.runner import Runner
from brandkit.store.state import StateStore
from tests.flow.newsdesk import MONDAY, ROOT, sample, task, technology

# What the editor goes by; the desk's own bars stand eight points above.
TRUE = {"must_cover": 46, "optional": 38, "watch": 30}
# One day has few stories that are well confirmed: this desk asks for little.
EASY = {"confidence": 2, "verified": 1, "tied": 0}
N_DROPPED = 60


def answer(command: Any, *arguments: str) -> Any:
    result = CliRunner().invoke(command, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def shifted_profile(folder: Path) -> Path:
    """The shipped technology desk with bars of its own, comments and all."""
    text = (ROOT / "data" / "profiles" / "technology.toml").read_text(encoding="utf-8")
    bars = "".join(f"{name} = {value + 8}  # our bar\n" for name, value in TRUE.items())
    bars += "".join(f"{name} = {value}\n" for name, value in EASY.items())
    lists = text.replace('"../sample/', f'"{ROOT / "data" / "sample"}/')
    path = folder / "desk.toml"
    path.write_text(f"{lists}\n[thresholds]\n{bars}", encoding="utf-8")
    return path


def speak(store: StateStore, run_id: str) -> None:
    """An editor's verdicts: on all that is worth a look by the true bars, and some that is not; 4 % slip."""
    stories = span(run_id, store)
    true = changed(technology(), {**TRUE, **EASY})
    said = stories.judged(dict.fromkeys(stories.profiles, true)).select(
        "story_id", rung=pl.col("decision").to_physical(), as_of="as_of"
    )
    dropped = said.filter(pl.col("rung") == 0).head(N_DROPPED)
    rng = np.random.default_rng(11)
    with store.transaction():
        for story, rung, at in pl.concat([said.filter(pl.col("rung") > 0), dropped]).rows():
            slip = rng.choice([-1, 1]) if rng.random() < 0.04 else 0
            decision = ("drop", "block", "watch", "optional", "must_cover")[min(max(rung + slip, 0), 4)]
            store.add_verdict("technology", story_id=story, decision=decision, given_at=at)


def test_bars_that_stand_too_high_are_found_from_verdicts_and_put_right_in_a_new_file(tmp_path: Path) -> None:
    file, new = shifted_profile(tmp_path), tmp_path / "calibrated.toml"
    store = StateStore(tmp_path / "desk.duckdb")
    done = Runner(store).run(task(sample(MONDAY, 4000), profile=file))
    assert done.ok, str(done.error)
    speak(store, done.run_id)
    where = ("--store", str(store.path))
    found = answer(calibrate, *where, "--profile", str(file), "--write", str(new))
    assert found["conclusion"] == "move"
    for name, true in TRUE.items():
        assert abs(found["changes"][f"thresholds.{name}"] - true) <= 2, found["thresholds"]
    lines = new.read_text(encoding="utf-8")
    assert lines.count("# our bar") == 3
    assert "# What the desk is about." in lines
    assert answer(profile_command, "check", str(new))["ok"]
    moved = answer(what_if, *where, "--profile", "technology", "--with", str(new))
    assert {change["name"] for change in moved["changes"]} == set(found["changes"])
    sums = pl.DataFrame(moved["workload"]).group_by("decision").agg(pl.col("n_from", "n_to").mean())
    expected = pl.DataFrame(found["workload"]).select("decision", "n_from", "n_to")
    assert sums.sort("decision").rows() == expected.sort("decision").rows()
    after = pl.DataFrame(moved["quality"]).filter(when="after")["recall"]
    before = pl.DataFrame(moved["quality"]).filter(when="before")["recall"]
    assert (after > before).all()
    assert BrandProfile.from_toml(new).weights == technology().weights
