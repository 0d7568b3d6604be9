"""What a run's records can depend on, as hashes: the same run again, and the same input had again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import version
from pathlib import Path

import polars as pl

from brandkit import schemas
from brandkit.pipeline import History, PipelineResult, RunContext

# What a record may depend on beside our own code.
_LIBRARIES = ("polars", "duckdb", "numpy", "scipy", "nltk-vader-sentiment")
# The items and sightings of the past, and who was erased from it, have gone into what was admitted.
_ADMITTED = ("items", "observations", "erased")
_BESIDE = tuple(frame.name for frame in fields(History) if frame.name not in _ADMITTED)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """``run``: all that a run's records can depend on. ``inputs``: what its stages went to work on.

    The same run again has the same ``run``; whoever has its inputs again has the same ``inputs``.
    """

    run: str
    inputs: str


def fingerprint(admitted: PipelineResult, context: RunContext) -> Fingerprint:
    """The hashes of a run that is about to go to work on what was admitted."""
    known = _known(admitted.frame, context.history)
    made_by = {
        # Also of what was set aside: a sighting that is new is to be kept, whatever comes of it.
        "observations": schemas.frame_hash(admitted.observations),
        # Not where the refused rows stand: the same file by another path is the same input.
        "rejects": schemas.frame_hash(admitted.rejects.select("raw", "reasons").sort("raw", "reasons")),
        "profile": context.profile.hash,
        "as_of": context.as_of.isoformat(),
        "window_start": context.window_start.isoformat(),
        **versions(),
    }
    inputs = _inputs(known, context.observations, context.history)
    return Fingerprint(run=_digest({**known, **made_by}), inputs=inputs)


def input_hash(items: pl.DataFrame, observations: pl.DataFrame, history: History) -> str:
    """The ``inputs`` of a fingerprint, from the inputs themselves."""
    return _inputs(_known(items, history), observations, history)


def _known(items: pl.DataFrame, history: History) -> dict[str, str]:
    return {
        # Numbers follow from contents, and only the store knows them all.
        "items": schemas.frame_hash(items.drop("revision")),
        **{name: schemas.frame_hash(getattr(history, name)) for name in _BESIDE},
    }


def _inputs(known: Mapping[str, str], observations: pl.DataFrame, history: History) -> str:
    # A second attempt finds more items in its past than the first, and is the same run for all that.
    past = {"context": schemas.frame_hash(history.items)}
    return _digest({**known, **past, "observations": schemas.frame_hash(observations)})


def _digest(known: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(dict(known), sort_keys=True).encode()).hexdigest()


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
