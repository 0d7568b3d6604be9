"""A page as a reader's eyes get it: at a width, in a colour scheme, on paper; and what axe finds in it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.browser import Browser

DESKTOP, PHONE = 1280, 390
# Chromium cannot draw a picture much taller in one piece.
_TALLEST = 16_000


class Look:
    """One window of a ``Browser``, looked through."""

    def __init__(self, browser: Browser) -> None:
        self._ask = browser._ask
        self._until = browser._until
        self._events = browser._events

    def show(
        self, page: Path, *, width: int = DESKTOP, scheme: str = "light", medium: str = "screen"
    ) -> None:
        """Open a file at a width, in a colour scheme (light or dark), for a medium (screen or print)."""
        self._ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
            mobile=width < 600,
        )  # fmt: skip
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._ask("Emulation.setEmulatedMedia", media=medium, features=features)
        self._events.clear()
        self._ask("Page.navigate", url=page.absolute().as_uri())
        self._until("Page.loadEventFired")

    def run(self, script: str) -> Any:
        """The value of an expression, or of the promise it gives."""
        answer = self._ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def style(self, selector: str, name: str, pseudo: str = "") -> str:
        """What became of a property for the first element that a selector finds."""
        found = f"document.querySelector({json.dumps(selector)})"
        return str(
            self.run(f"getComputedStyle({found}, {json.dumps(pseudo)}).getPropertyValue({json.dumps(name)})")
        )

    def drawn(self, *, height: int = _TALLEST, scale: float = 1.0, top: int = 0) -> bytes:
        """The page as PNG, from ``top`` for ``height`` pixels or to its end."""
        full = self._ask("Page.getLayoutMetrics")["cssContentSize"]["height"]
        clip = {"x": 0, "y": top, "width": self.run("innerWidth"), "scale": scale,
                "height": min(height, full - top, _TALLEST)}  # fmt: skip
        shot = self._ask("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def printed(self) -> bytes:
        """The page as PDF on A4, without background colours, as printers are set."""
        sheet = self._ask("Page.printToPDF", paperWidth=8.27, paperHeight=11.69, preferCSSPageSize=True)
        return base64.b64decode(sheet["data"])

    def findings(self) -> Mapping[str, list[str]]:
        """What axe finds of serious or critical weight: the rule and how bad, and where."""
        axe = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
        self.run(f"{axe}\n;0")
        found = self.run("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)")
        return {
            f"{one['id']} ({one['impact']})": [
                f"{node['target']} {node['html'][:120]}" for node in one["nodes"]
            ]
            for one in found
            if one["impact"] in ("serious", "critical")
        }
