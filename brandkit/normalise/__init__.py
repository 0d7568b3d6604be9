"""Raw rows to items: identity, URLs, time, text; what cannot be one is refused with its reasons."""

from __future__ import annotations

from brandkit.normalise.columns import RAW_COLUMNS
from brandkit.normalise.fold import Normalised, admit, normalise_items
from brandkit.normalise.identity import account_key, author_keys
from brandkit.normalise.stage import normalise
from brandkit.normalise.urls import a_labels, domains_of, registrable_domain

__all__ = [
    "RAW_COLUMNS",
    "Normalised",
    "a_labels",
    "account_key",
    "admit",
    "author_keys",
    "domains_of",
    "normalise",
    "normalise_items",
    "registrable_domain",
]
