"""Accounts at rest: who posted stands in the store's file only under a key that is kept beside it.

In frames an account goes by its pseudonym, the same everywhere, so that runs can be compared and
repeated. A pseudonym can be guessed by whoever knows a name; what the file holds cannot, without the
key. The key is made with the store, for its owner's eyes only, and is never in the file itself: who is
given the file alone can read every decision, and sees tokens where accounts stand.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from brandkit.errors import StoreError
from brandkit.store.files import unwritable

KEY_BITS = 256
_MARK = "v_"
# A publisher that is an account on a platform: what normalising gives, and what stands at rest.
_OPEN, _HIDDEN = r"(^|:)a_[0-9a-f]{12}$", r"(^|:)v_[0-9A-Za-z_-]{30,}$"
_KEPT_PLAIN = 200_000

Change = Callable[[str], str]


def key_path(store: Path) -> Path:
    """Where the key of a store is: beside it."""
    return store.with_name(store.name + ".key")


def make_key(store: Path) -> None:
    """Make the key of a new store, readable by its owner alone; one that is there already is kept."""
    path = key_path(store)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise unwritable(store, error) from error
    with os.fdopen(descriptor, "w") as file:
        file.write(AESSIV.generate_key(KEY_BITS).hex() + "\n")


class Veil:
    """Hides and shows the accounts of one store: columns account, publisher, publishers, coordination.

    The same account is the same token each time, so that equal stays equal in SQL.

    Raises: StoreError where an account is to be hidden and no key is there, or another store's key is.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._cipher: AESSIV | None = None
        self._shown: dict[str, str] = {}

    def hide(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame as the file holds it."""
        return self._changed(frame, _OPEN, self.hidden)

    def show(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame from the file as everybody else knows it; as it is, where there is no key."""
        if self._cipher is None and not key_path(self._store).exists():
            return frame
        return self._changed(frame, _HIDDEN, self.shown)

    def hidden(self, name: str) -> str:
        """A pseudonym, or ``platform:pseudonym``, as the file holds it."""
        platform, colon, account = name.rpartition(":")
        sealed = self._key().encrypt(account.encode(), None)
        return f"{platform}{colon}{_MARK}{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"

    def shown(self, name: str) -> str:
        """The pseudonym, or ``platform:pseudonym``, that the file holds as this."""
        if (known := self._shown.get(name)) is not None:
            return known
        platform, colon, token = name.rpartition(":")
        text = token.removeprefix(_MARK)
        try:
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            account = self._key().decrypt(sealed, None).decode()
        except (InvalidTag, ValueError) as error:
            raise self._unusable("is not the one its accounts were hidden with") from error
        if len(self._shown) >= _KEPT_PLAIN:
            self._shown.clear()
        self._shown[name] = f"{platform}{colon}{account}"
        return self._shown[name]

    def _key(self) -> AESSIV:
        if self._cipher is None:
            try:
                self._cipher = AESSIV(bytes.fromhex(key_path(self._store).read_text().strip()))
            except FileNotFoundError:
                raise self._unusable("is not there") from None
            except (OSError, ValueError) as error:
                raise self._unusable(f"cannot be used: {error}") from error
        return self._cipher

    def _unusable(self, why: str) -> StoreError:
        return StoreError(
            f"the key of the store {self._store} {why}",
            where=str(key_path(self._store)),
            hint="put the key back that was made with the store",
        )

    def _changed(self, frame: pl.DataFrame, pattern: str, change: Change) -> pl.DataFrame:
        there = [name for name in _PLACES if name in frame.columns]
        if not there or frame.is_empty():
            return frame
        met = pl.concat([_PLACES[name][0](frame[name]).unique() for name in there]).unique()
        names = met.filter(met.str.contains(pattern).fill_null(value=False)).sort().to_list()
        if not names:
            return frame
        changes = {name: change(name) for name in names}
        return frame.with_columns(_PLACES[name][1](pl.col(name), changes).alias(name) for name in there)


def _replaced(name: pl.Expr, changes: Mapping[str, str]) -> pl.Expr:
    return name.replace(list(changes), list(changes.values()))


def _in_list(names: pl.Expr, changes: Mapping[str, str]) -> pl.Expr:
    return names.list.eval(_replaced(pl.element(), changes))


def _ends(pairs: pl.Series) -> pl.Series:
    inner = pairs.explode().struct
    return pl.concat([inner.field("account_a"), inner.field("account_b").alias("account_a")])


def _in_pairs(pairs: pl.Expr, changes: Mapping[str, str]) -> pl.Expr:
    ends = [
        _replaced(pl.element().struct.field(end), changes).alias(end) for end in ("account_a", "account_b")
    ]
    return pairs.list.eval(pl.element().struct.with_fields(*ends))


# Where accounts stand: the names in a column, and the column with them changed.
_PLACES: Mapping[
    str, tuple[Callable[[pl.Series], pl.Series], Callable[[pl.Expr, Mapping[str, str]], pl.Expr]]
] = {
    "account": (lambda column: column.alias("name"), _replaced),
    "publisher": (lambda column: column.alias("name"), _replaced),
    "publishers": (lambda column: column.explode().alias("name"), _in_list),
    "coordination": (lambda column: _ends(column).alias("name"), _in_pairs),
}
