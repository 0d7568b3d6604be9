"""The process that makes one report: ``python -m brandkit.report.worker``, a job on its standard input.

It is judged by its exit code, and ends with whoever started it: when the input closes, so does it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from brandkit import errors
from brandkit.errors import EXIT_FAILED, EXIT_OK, BrandkitError, ReportError
from brandkit.report import artifacts, decisions, message, notebooks
from brandkit.report.brief import Brief
from brandkit.store.state import StateStore

# More fits into no pipe that nobody reads yet.
_MOST_CHARACTERS = 8_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to make: the notebook at ``source`` with its parameters, into ``folder``.

    ``final`` is where it will stand; ``told`` goes into ``run.json`` as it is.
    """

    name: str
    source: str
    parameters: dict[str, Any]
    folder: str
    final: str
    store: str
    run_id: str | None
    is_html: bool
    timeout_s: float | None
    told: dict[str, Any]

    def line(self) -> bytes:
        """The job as its one line of input."""
        return json.dumps(asdict(self)).encode() + b"\n"


def produce(job: Job) -> None:
    """Make every file of the report; ``run.json`` is the last.

    Raises: BrandkitError branches; OSError where a file cannot be written.
    """
    folder = Path(job.folder)
    page = folder / f"{job.name}.html" if job.is_html else None
    book = folder / f"{job.name}.ipynb"
    notebooks.render(
        job.name, job.parameters, out=book, html=page, timeout_s=job.timeout_s, source=Path(job.source)
    )
    # The tables know the whole run: they belong to no edition that leaves something out.
    is_whole = job.parameters.get("edition") in (None, "", "full")
    link = Path(job.final) / (page or book).name
    if job.name == "daily" and job.run_id and is_whole:
        store = StateStore(job.store)
        brief = Brief.read(store, job.run_id)
        decisions.write_decisions(brief, folder)
        text = message.five_lines(brief, store, link)
        (folder / f"{job.name}.txt").write_text(text, encoding="utf-8")
    elif page is not None:
        text = message.head_lines(page.read_text(encoding="utf-8"), link)
        (folder / f"{job.name}.txt").write_text(text, encoding="utf-8")
    artifacts.write_manifest(folder, job.told)


def error_of(told: dict[str, str]) -> BrandkitError:
    """The error that the process ended with, as it was."""
    kind = getattr(errors, told.pop("kind"), ReportError)
    is_ours = isinstance(kind, type) and issubclass(kind, BrandkitError)
    made: BrandkitError = (kind if is_ours else ReportError)(told.pop("what"), **told)
    return made


def _told(error: Exception) -> dict[str, str]:
    if isinstance(error, OSError):
        error = artifacts.unwritable(error, Path())
    if not isinstance(error, BrandkitError):
        error = ReportError(f"the report failed: {type(error).__name__}: {error}")
    parts = {
        name: str(getattr(error, name))[:_MOST_CHARACTERS] for name in ("what", "where", "allowed", "hint")
    }
    return {"kind": type(error).__name__, **parts}


def _end_with(starter: IO[bytes]) -> None:
    """Wait for the end of the input, then end the kernels and this process."""
    with suppress(OSError, ValueError):
        starter.read()
    # A process that still works when its starter has gone works for nobody.
    from brandkit.report.kernel import OwnKernel

    for kernel in OwnKernel.started:
        pid = getattr(kernel.provisioner, "pid", None)
        with suppress(OSError):
            if isinstance(pid, int):
                os.kill(pid, signal.SIGKILL)
    os._exit(EXIT_FAILED)


def main() -> int:
    """Read the job, make it, say on standard output what went wrong."""
    # Libraries print as they like; what this process says goes by a way of its own.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    job = Job(**json.loads(sys.stdin.buffer.readline()))
    threading.Thread(target=_end_with, args=(sys.stdin.buffer,), daemon=True).start()
    try:
        produce(job)
    except Exception as error:
        told = _told(error)
        json.dump(told, answer)
        answer.flush()
        return error.exit_code if isinstance(error, BrandkitError) else EXIT_FAILED
    return EXIT_OK


if __name__ == "__main__":
    code = main()
    # Not the usual end: a thread still reads the input, and what is made is on the disk.
    sys.stdout.flush()
    os._exit(code)
