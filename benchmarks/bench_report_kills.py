"""``python -m benchmarks.bench_report_kills``: reports whose makers are killed with -9, and what is left.

Each time a whole report stands there (every fourth time: none), ``brandkit report daily --force`` makes it
anew, and one of its three processes (the command, the process of the notebook, the kernel), drawn at random,
is killed after a random part of the time a report takes. A *half report* is anything under a final name that
is not as it was made: a folder whose ``run.json`` does not match its files, a cut page, a stray file. It
exits 1 if there is one, or if the last good report is gone, or if a process outlives its maker.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil

from brandkit.report import artifacts
from brandkit.runner import Runner, Task
from brandkit.settings import project_root

VICTIMS = ("command", "worker", "kernel")
DAY = "2026-03-03"
RUN = f"technology.daily.{DAY}.1"
_COMMAND = "from brandkit.cli import main; main(prog_name='brandkit')"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One kill: whom, when, what the command left with, and what was wrong afterwards."""

    victim: str
    after_s: float
    code: int
    wrong: tuple[str, ...]


def start(store: Path, root: Path, profile: Path) -> subprocess.Popen[bytes]:
    """The command, started."""
    arguments = ["report", "daily", "--run", RUN, "--force", "--store", str(store), "--out", str(root)]
    return subprocess.Popen(
        [sys.executable, "-c", _COMMAND, *arguments, "--profile", str(profile)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def family(command: psutil.Process) -> dict[str, psutil.Process]:
    """The processes of a command that are there now, by what they are."""
    found = {"command": command}
    try:
        for process in command.children(recursive=True):
            line = " ".join(process.cmdline())
            if "brandkit.report.worker" in line:
                found["worker"] = process
            elif "ipykernel_launcher" in line:
                found["kernel"] = process
    except psutil.Error:
        pass
    return found


def kill_one(
    store: Path, root: Path, profile: Path, victim: str, after_s: float
) -> tuple[int, list[psutil.Process]]:
    """Start the command, kill the victim once it is that old, wait for the end: the code, and all seen."""
    running = start(store, root, profile)
    command, begun = psutil.Process(running.pid), time.perf_counter()
    seen: dict[int, psutil.Process] = {}
    while running.poll() is None:
        now = family(command)
        seen |= {process.pid: process for process in now.values()}
        if time.perf_counter() - begun >= after_s and victim in now:
            now[victim].kill()
            break
        time.sleep(0.01)
    code = running.wait(120)
    return code, list(seen.values())


def wrong_with(root: Path, had_good: bool, seen: list[psutil.Process]) -> tuple[str, ...]:
    """What a reader or an operator would find wrong."""
    found: list[str] = []
    _, alive = psutil.wait_procs([process for process in seen if process.is_running()], timeout=10)
    found += [f"outlived its maker: {process.pid}" for process in alive]
    folder = root / "daily" / DAY
    shown = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
    reports = [path for path in shown if not path.name.endswith(".failed")]
    found += [f"half a report: {path.name}" for path in reports if artifacts.manifest(path) is None]
    for page in folder.glob("*.failed/*.html"):
        if not page.read_text(encoding="utf-8").endswith("</html>\n"):
            found.append(f"half an error page: {page.name}")
    if had_good and not reports:
        found.append("the last good report is gone")
    return tuple(found)


def trials(n: int, seed: int) -> list[Outcome]:
    """That many kills, each drawn from the seed."""
    draw, source = random.Random(seed), project_root()
    if source is None:
        raise SystemExit("run from a source tree: it has the sample")
    profile = source / "data" / "profiles" / "technology.toml"
    found: list[Outcome] = []
    with tempfile.TemporaryDirectory() as given:
        store, root, kept = Path(given) / "s.duckdb", Path(given) / "reports", Path(given) / "kept"
        items = [source / "data" / "sample" / f"items-2026-03-0{day}.parquet" for day in (2, 3)]
        for on in ("2026-03-02", DAY):
            Runner(store).run(Task(date=on, profile=profile, inputs=items))
        begun = time.perf_counter()
        if start(store, root, profile).wait(300):
            raise SystemExit("the report could not be made at all")
        whole_s = time.perf_counter() - begun
        shutil.copytree(root, kept)
        for number in range(n):
            shutil.rmtree(root)
            has_good = number % 4 != 3
            if has_good:
                shutil.copytree(kept, root)
            victim, after_s = draw.choice(VICTIMS), draw.uniform(0, whole_s)
            code, seen = kill_one(store, root, profile, victim, after_s)
            found.append(Outcome(victim, after_s, code, wrong_with(root, has_good, seen)))
            print(
                f"{number + 1:>3} {victim:<8} {after_s:5.2f} s  exit {code:>3}  {found[-1].wrong or ''}",
                flush=True,
            )
    return found


def main() -> int:
    """Run the trials and print what came of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_report_kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=6)
    given = parser.parse_args()
    found = trials(given.kills, given.seed)
    print(
        "\n| killed | times | left with an error | had ended well before | wrong |\n|---|---:|---:|---:|---:|"
    )
    for victim in VICTIMS:
        of = [outcome for outcome in found if outcome.victim == victim]
        codes = Counter("well" if outcome.code == 0 else "error" for outcome in of)
        wrong = sum(bool(outcome.wrong) for outcome in of)
        print(f"| {victim} | {len(of)} | {codes['error']} | {codes['well']} | {wrong} |")
    return 1 if any(outcome.wrong for outcome in found) else 0


if __name__ == "__main__":
    sys.exit(main())
