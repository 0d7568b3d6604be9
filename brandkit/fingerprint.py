"""What a run's records can depend on, as one hash: the same again means there is nothing to do."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from brandkit import schemas
from brandkit.pipeline import PipelineResult, RunContext

# What a record may depend on beside our own code.
_LIBRARIES = ("polars", "duckdb", "igraph", "numpy", "scipy")


def fingerprint(admitted: PipelineResult, context: RunContext) -> str:
    """One hash over all a run's records can depend on."""
    past = context.history
    known: dict[str, Any] = {
        # Numbers follow from contents, and only the store knows them all.
        "items": schemas.frame_hash(admitted.frame.drop("revision")),
        "observations": schemas.frame_hash(admitted.observations),
        # Not where the refused rows stand: the same file by another path is the same input.
        "rejects": schemas.frame_hash(admitted.rejects.select("raw", "reasons").sort("raw", "reasons")),
        **{
            name: schemas.frame_hash(getattr(past, name))
            for name in ("shares", "baselines", "story_rules", "verdicts")
        },
        "profile": context.profile.hash,
        "as_of": context.as_of.isoformat(),
        "window_start": context.window_start.isoformat(),
        **versions(),
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


@cache
def _code_hash() -> str:
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(p for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def versions() -> dict[str, str]:
    """What a run's records depend on: our own source and the libraries that compute."""
    return {
        "brandkit": version("brandkit"),
        "code": _code_hash(),
        **{name: version(name) for name in _LIBRARIES},
    }
