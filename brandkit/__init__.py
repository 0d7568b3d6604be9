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
    from brandkit.desk.states import set_state as set_state
    from brandkit.desk.stories import merge_stories as merge_stories
    from brandkit.desk.stories import split_story as split_story
    from brandkit.desk.verdicts import give_verdict as give_verdict
    from brandkit.errors import BrandkitError as BrandkitError
    from brandkit.pipeline import History as History
    from brandkit.pipeline import Pipeline as Pipeline
    from brandkit.pipeline import RunContext as RunContext
    from brandkit.pipeline import Stage as Stage
    from brandkit.profile import BrandProfile as BrandProfile
    from brandkit.record.calibrate import calibrate as calibrate
    from brandkit.record.compare import compare as compare
    from brandkit.record.explain import explain as explain
    from brandkit.record.explain_frame import explain_frame as explain_frame
    from brandkit.record.hindsight import hindsight as hindsight
    from brandkit.record.kept import kept as kept
    from brandkit.record.lineage import lineage as lineage
    from brandkit.record.replay import replay as replay
    from brandkit.record.verify import verify as verify
    from brandkit.record.what_if import what_if as what_if
    from brandkit.record.why_not import what_holds as what_holds
    from brandkit.record.why_not import why_not as why_not
    from brandkit.runner import Runner as Runner
    from brandkit.runner import RunResult as RunResult
    from brandkit.runner import Task as Task
    from brandkit.schemas import Decision as Decision
    from brandkit.scoring.gates import Gate as Gate
    from brandkit.scoring.modifiers import Modifier as Modifier
    from brandkit.settings import Settings as Settings
    from brandkit.signals.bursts import detect_bursts as detect_bursts
    from brandkit.signals.coordination import coordinated_pairs as coordinated_pairs
    from brandkit.signals.forecast import forecast_peak as forecast_peak
    from brandkit.signals.phases import story_phases as story_phases
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
    "calibrate": "record.calibrate",
    "cluster_stories": "signals.stories",
    "compare": "record.compare",
    "coordinated_pairs": "signals.coordination",
    "detect_bursts": "signals.bursts",
    "explain": "record.explain",
    "explain_frame": "record.explain_frame",
    "forecast_peak": "signals.forecast",
    "give_verdict": "desk.verdicts",
    "hindsight": "record.hindsight",
    "kept": "record.kept",
    "lineage": "record.lineage",
    "merge_stories": "desk.stories",
    "replay": "record.replay",
    "scan_items": "sources.files",
    "set_state": "desk.states",
    "split_story": "desk.stories",
    "standard_pipeline": "assess",
    "story_phases": "signals.phases",
    "verify": "record.verify",
    "what_holds": "record.why_not",
    "what_if": "record.what_if",
    "why_not": "record.why_not",
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
    "calibrate",
    "cluster_stories",
    "compare",
    "coordinated_pairs",
    "detect_bursts",
    "explain",
    "explain_frame",
    "forecast_peak",
    "give_verdict",
    "hindsight",
    "kept",
    "lineage",
    "merge_stories",
    "replay",
    "scan_items",
    "set_state",
    "split_story",
    "standard_pipeline",
    "story_phases",
    "verify",
    "what_holds",
    "what_if",
    "why_not",
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
