from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_speed_table_is_printed_and_written_and_both_sides_of_each_line_give_equal_rows(
    tmp_path: Path,
) -> None:
    out = tmp_path / "speed.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--rows", "1000", "--out", str(out)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(out.read_text())["results"]
    assert {r["name"] for r in results} == {
        "bulk upsert against single",
        "records(run) cached against not",
        "scoring, vectorised against per row",
        "verify against scoring",
        "the same, read from a store",
        "explain_frame against explain",
        "explain one item: first, against 0.1 s",
        "explain one item: cache off, against 0.1 s",
        "explain one item: warm, against 0.1 s",
    }
    assert all(r["equal"] and r["rows"] == 1000 for r in results)
    assert all(r["name"] in done.stdout for r in results)
