from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from brandkit.errors import ProfileError, UsageError
from brandkit.profile import BrandProfile
from brandkit.record import profile_file
from brandkit.record.changed import changed
from brandkit.record.profile_file import write_changed
from tests.frames import DESK

FILE = """\
# What the desk agreed on in March.
id = "desk"  # never changes
own = ["Nordlys"]

[thresholds]
# The bar.
must_cover = 75   # as agreed
optional = 60

[sources]
use_defaults = false
lists = ["lists/ours.csv"]  # beside this file
tiers = { "alpha.example" = "A" }
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "desk" / "lists").mkdir(parents=True)
    (tmp_path / "desk" / "lists" / "ours.csv").write_text("domain,tier\nbeta.example,B\n")
    path = tmp_path / "desk" / "desk.toml"
    path.write_text(FILE)
    return path


def test_only_the_changed_lines_differ_and_every_comment_stays(source: Path) -> None:
    new = write_changed(
        {"must_cover": 70, "optional": 58},
        source.parent / "new.toml",
        source=source,
        remarks={"thresholds.must_cover": "calibrated", "thresholds.optional": "calibrated"},
    )
    assert new.read_text() == FILE.replace("must_cover = 75 ", "must_cover = 70 ").replace(
        "optional = 60", "optional = 58 # calibrated"
    )
    assert BrandProfile.from_toml(new).thresholds.must_cover == 70
    assert source.read_text() == FILE


def test_a_table_that_is_missing_is_added_and_lists_are_found_from_the_new_place(source: Path) -> None:
    new = write_changed(
        {"weights.impact.breadth": 14, "watch": 40}, source.parents[1] / "new.toml", source=source
    )
    read = BrandProfile.from_toml(new)
    assert (read.weights.impact.breadth, read.thresholds.watch) == (14, 40)
    assert read.sources.tiers == {"alpha.example": "A", "beta.example": "B"}
    assert tomllib.loads(new.read_text())["sources"]["lists"] == ["desk/lists/ours.csv"]
    assert "# beside this file" in new.read_text()


@pytest.mark.parametrize(
    "thresholds",
    [
        "thresholds.must_cover = 75\nthresholds.watch = 40\n",
        "thresholds = { must_cover = 75 }\n",
        "[thresholds]\n",
        "[thresholds]\nmust_cover = 75\n[weights.impact]\nbreadth = 9\n[weights.virality]\nmomentum = 9\n",
    ],
)
def test_a_profile_may_be_laid_out_as_toml_allows(tmp_path: Path, thresholds: str) -> None:
    source = tmp_path / "desk.toml"
    source.write_text(f'id = "desk"\nown = ["Nordlys"]\n{thresholds}')
    changes = {"must_cover": 70, "optional": 50, "impact.breadth": 12, "half_life_h.post": 6.0}
    new = write_changed(changes, tmp_path / "new.toml", source=source, remarks={"thresholds.optional": "c"})
    assert BrandProfile.from_toml(new).hash == changed(BrandProfile.from_toml(source), changes).hash


def test_without_a_file_the_whole_profile_is_written(tmp_path: Path) -> None:
    new = write_changed({"must_cover": 70}, tmp_path / "new.toml", profile=DESK)
    assert BrandProfile.from_toml(new).hash == changed(DESK, {"must_cover": 70}).hash


def test_a_file_that_is_there_is_never_touched(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is there already\n.*never changed in place"):
        write_changed({"must_cover": 70}, source, source=source)
    assert source.read_text() == FILE
    with pytest.raises(UsageError, match="neither a profile nor its file"):
        write_changed({"must_cover": 70}, tmp_path / "new.toml")


def test_a_copy_that_would_not_read_as_meant_is_not_written(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a bug of the library that edits the text would have it.
    monkeypatch.setattr(profile_file, "_put", lambda table, key, value, remark: None)
    with pytest.raises(ProfileError, match="does not read as it was meant"):
        write_changed({"must_cover": 70}, tmp_path / "new.toml", source=source)
    assert not (tmp_path / "new.toml").exists()
