"""A headless Chromium, spoken to over its DevTools pipe: what ran in a page, and what it asked for."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Names are not resolved: what a page asks for is seen, and goes nowhere but to this machine.
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-extensions", "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-pipe",
)  # fmt: skip
_MARKS = "window.marks = []; window.mark = n => { top.marks.push(n) };"
# What a reader's hand does: everything is opened, pointed at, clicked and focused. A link to the web is
# not followed: that one is meant to be.
_TOUCH = """
(async () => {
  const web = a => a.tagName === 'A' && ['http:', 'https:'].includes(a.protocol);
  addEventListener('click', e => { const a = e.target.closest && e.target.closest('a');
                                   if (a && web(a)) e.preventDefault() }, true);
  for (const e of document.querySelectorAll('details')) e.open = true;
  for (const e of document.querySelectorAll('a, img, button, input, summary, td, th, p, pre, code, h3, li'))
    for (const name of ['mouseover', 'mouseenter', 'focus', 'error', 'load', 'click'])
      name === 'click' ? e.click() : e.dispatchEvent(new Event(name));
  await new Promise(done => setTimeout(done, WAIT));
  return JSON.stringify({
    marks: window.marks, text: document.body.innerText,
    links: [...document.querySelectorAll('a')].map(a => a.href),
    scripts: document.scripts.length,
  });
})()
"""


@dataclass(frozen=True)
class Visit:
    """One page: the marks that were set, the requests it made, its links and its text."""

    marks: frozenset[int]
    requests: tuple[str, ...]
    dialogs: tuple[str, ...]
    links: tuple[str, ...]
    text: str
    scripts: int


def found() -> str | None:
    """The program, or None where there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


class Browser:
    """One window. Answers come in the order of the questions; events are kept as they come."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive = send, receive
        self._number, self._rest, self._session = 0, b"", ""
        self._events: list[dict[str, Any]] = []
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self._ask(f"{domain}.enable")
        self._ask("Page.addScriptToEvaluateOnNewDocument", source=_MARKS)

    def visit(self, page: Path, *, wait_ms: int = 60) -> Visit:
        """Open a file, touch everything in it, and tell what happened."""
        self._events.clear()
        url = page.absolute().as_uri()
        self._ask("Page.navigate", url=url)
        self._until("Page.loadEventFired")
        script = _TOUCH.replace("WAIT", str(wait_ms))
        answer = self._ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        told = json.loads(answer["result"]["value"])
        asked = [e["params"]["request"]["url"] for e in self._of("Network.requestWillBeSent")]
        left = [other for other in asked if other != url and not other.startswith("data:image/png;base64,")]
        dialogs = [e["params"]["message"] for e in self._of("Page.javascriptDialogOpening")]
        return Visit(
            frozenset(told["marks"]), tuple(left), tuple(dialogs), tuple(told["links"]), told["text"],
            told["scripts"],
        )  # fmt: skip

    def _of(self, method: str) -> Iterator[dict[str, Any]]:
        return (event for event in self._events if event["method"] == method)

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        session = {"sessionId": self._session} if self._session else {}
        text = json.dumps({"id": self._number, "method": method, "params": params, **session})
        os.write(self._send, text.encode() + b"\0")
        wanted = self._number
        while True:
            message = self._message()
            if message.get("id") == wanted:
                assert "error" not in message, message
                return dict(message["result"])

    def _until(self, method: str) -> None:
        while not any(self._of(method)):
            self._message()

    def _message(self) -> dict[str, Any]:
        ends = time.monotonic() + 20
        while b"\0" not in self._rest:
            assert select.select([self._receive], [], [], max(ends - time.monotonic(), 0))[0], "no answer"
            read = os.read(self._receive, 1 << 16)
            assert read, "the browser has gone"
            self._rest += read
        text, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if "method" in message:
            self._events.append(message)
            if message["method"] == "Page.javascriptDialogOpening":
                self._ask("Page.handleJavaScriptDialog", accept=False)
        return message


@contextmanager
def opened(program: str, folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own, ended with the block."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    # It reads file 3 and writes file 4; copied from far above, neither is written over by the other.
    far_in, far_out = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 50) for end in (theirs_in, theirs_out))
    quiet = [(os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_RDWR, 0) for n in (0, 1, 2)]
    copied = [(os.POSIX_SPAWN_DUP2, far_in, 3), (os.POSIX_SPAWN_DUP2, far_out, 4)]
    argv = [program, *_OPTIONS, f"--user-data-dir={folder}", "about:blank"]
    pid = os.posix_spawn(program, argv, os.environ, file_actions=[*quiet, *copied], setsid=True)
    for end in (theirs_in, theirs_out, far_in, far_out):
        os.close(end)
    try:
        yield Browser(ours_out, ours_in)
    finally:
        # With its end of the pipe closed it goes by itself, with all its helpers.
        os.close(ours_out)
        os.close(ours_in)
        _awaited(pid)


def _awaited(pid: int) -> None:
    for _ in range(250):
        if os.waitpid(pid, os.WNOHANG)[0]:
            return
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
