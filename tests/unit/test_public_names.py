"""What ``import brandkit as bk`` gives, and what it costs."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from types import FunctionType, ModuleType

import pytest

import brandkit as bk

NAMES = [
    "Assessment", "BrandProfile", "BrandkitError", "Decision", "Gate", "History", "Modifier", "Pipeline",
    "RunContext", "RunResult", "Runner", "Settings", "Stage", "StateStore", "Task", "assess", "calibrate",
    "cluster_stories", "compare", "coordinated_pairs", "detect_bursts", "explain", "explain_frame",
    "forecast_peak", "give_verdict", "hindsight", "kept", "lineage", "merge_stories", "replay", "scan_items",
    "set_state", "split_story", "standard_pipeline", "story_phases", "verify", "what_holds", "what_if",
    "why_not",
]  # fmt: skip


def test_the_public_names_are_these_and_sorted() -> None:
    assert bk.__all__ == sorted(bk.__all__)
    assert set(NAMES) <= set(bk.__all__)
    assert set(bk.__all__) <= set(dir(bk))


@pytest.mark.parametrize("name", bk.__all__)
def test_every_public_name_is_there_documented_and_no_module(name: str) -> None:
    value = getattr(bk, name)
    assert not isinstance(value, ModuleType)
    assert (value.__doc__ or "").strip()
    assert value.__module__.startswith("brandkit")


def test_importing_everything_gives_exactly_the_public_names() -> None:
    space: dict[str, object] = {}
    exec("from brandkit import *", space)
    assert set(space) - {"__builtins__"} == set(bk.__all__)


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'assses'"):
        bk.assses  # noqa: B018
    assert not hasattr(bk, "polars")


def test_a_module_never_hides_the_public_name_it_shares() -> None:
    for module in pkgutil.walk_packages(bk.__path__, "brandkit."):
        importlib.import_module(module.name)
    assert isinstance(bk.assess, FunctionType)
    assert bk.assess is importlib.import_module("brandkit.assess").assess
    for name in bk.__all__:
        assert not isinstance(getattr(bk, name), ModuleType)


def test_importing_a_module_first_leaves_the_function() -> None:
    code = (
        "import brandkit.assess, brandkit.record.explain, brandkit.record.verify, brandkit as bk\n"
        "from brandkit.assess import context_for\n"
        "print(callable(bk.assess), callable(bk.explain), callable(bk.verify))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True True\n"


HEAVY = (
    "papermill", "nbclient", "nbconvert", "IPython", "ipykernel", "matplotlib", "requests", "httpx",
    "aiohttp", "polars", "duckdb", "sklearn", "igraph", "onnxruntime",
    "tokenizers", "vader",
)  # fmt: skip


def _loaded(code: str) -> set[str]:
    ask = f"import sys\n{code}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_next_to_nothing() -> None:
    assert _loaded("import brandkit as bk") == set()


def test_the_library_loads_no_notebook_library_and_no_http_client() -> None:
    loaded = _loaded("import brandkit as bk\nfor name in bk.__all__: getattr(bk, name)")
    assert loaded <= {"polars", "duckdb"}
