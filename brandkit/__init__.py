"""brandkit: the open decision record for a news desk.

Items in as a dataframe; decisions out that can be explained, questioned, compared and replayed.
The public names are loaded on first use, so that ``import brandkit`` costs next to nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brandkit.assess import Assessment as Assessment
    from brandkit.assess import assess as assess
    from brandkit.assess import standard_pipeline as standard_pipeline
    from brandkit.errors import BrandkitError as BrandkitError
    from brandkit.pipeline import History as History
    from brandkit.pipeline import Pipeline as Pipeline
    from brandkit.pipeline import RunContext as RunContext
    from brandkit.pipeline import Stage as Stage
    from brandkit.profile import BrandProfile as BrandProfile
    from brandkit.record.explain import explain as explain
    from brandkit.record.verify import verify as verify
    from brandkit.runner import Runner as Runner
    from brandkit.runner import RunResult as RunResult
    from brandkit.runner import Task as Task
    from brandkit.schemas import Decision as Decision
    from brandkit.scoring.gates import Gate as Gate
    from brandkit.scoring.modifiers import Modifier as Modifier
    from brandkit.settings import Settings as Settings
    from brandkit.signals.bursts import detect_bursts as detect_bursts
    from brandkit.signals.coordination import coordinated_pairs as coordinated_pairs
    from brandkit.signals.stories import cluster_stories as cluster_stories
    from brandkit.sources.files import scan_items as scan_items
    from brandkit.store.state import StateStore as StateStore

_ROOMS = {
    "Assessment": "assess",
    "BrandProfile": "profile",
    "BrandkitError": "errors",
    "Decision": "schemas",
    "Gate": "scoring.gates",
    "History": "pipeline",
    "Modifier": "scoring.modifiers",
    "Pipeline": "pipeline",
    "RunContext": "pipeline",
    "RunResult": "runner",
    "Runner": "runner",
    "Settings": "settings",
    "Stage": "pipeline",
    "StateStore": "store.state",
    "Task": "runner",
    "assess": "assess",
    "cluster_stories": "signals.stories",
    "coordinated_pairs": "signals.coordination",
    "detect_bursts": "signals.bursts",
    "explain": "record.explain",
    "scan_items": "sources.files",
    "standard_pipeline": "assess",
    "verify": "record.verify",
}

__all__ = [
    "Assessment",
    "BrandProfile",
    "BrandkitError",
    "Decision",
    "Gate",
    "History",
    "Modifier",
    "Pipeline",
    "RunContext",
    "RunResult",
    "Runner",
    "Settings",
    "Stage",
    "StateStore",
    "Task",
    "assess",
    "cluster_stories",
    "coordinated_pairs",
    "detect_bursts",
    "explain",
    "scan_items",
    "standard_pipeline",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'brandkit' has no attribute '{name}'")
    globals()[name] = value = getattr(import_module(f"brandkit.{_ROOMS[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """Keeps a submodule from hiding the public name it shares: ``bk.assess`` is the function."""

    def __setattr__(self, name: str, value: object) -> None:
        # The import system binds each submodule on its package; assess.py would hide assess().
        if not (name in _ROOMS and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
