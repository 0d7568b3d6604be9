"""Every colour of charts and pages, each with one meaning.

The five colours of the decisions are used for nothing else. ``defaults/report.css`` names the same
colours for the page; a test holds the two together, and another that colour-blind readers can tell
the colours of each set apart.
"""

from __future__ import annotations

DECISION_COLOURS = {
    "must_cover": "#0b5cad", "optional": "#56b4e9", "watch": "#e69f00", "drop": "#7f8690", "block": "#8c1d18",
}  # fmt: skip
# What is written on a decision's colour.
DECISION_INKS = {
    "must_cover": "#ffffff", "optional": "#10161e", "watch": "#10161e", "drop": "#10161e", "block": "#ffffff",
}  # fmt: skip
# A component is named beside its bars; colour only has to part it from its neighbours.
_DEEP, _PALE = "#44546a", "#b3bdc9"
COMPONENT_COLOURS = {
    "impact": _DEEP, "timeliness": _PALE, "virality": _DEEP, "relevance": _PALE, "confidence": _DEEP,
}  # fmt: skip
TIER_COLOURS = {"A": "#3f2a6b", "B": "#7a5fb0", "C": "#b9a7dd", "unlisted": "#dfe2e7"}
# Orange and a bluish green, which readers who see no red can tell; none is an outline.
TONE_COLOURS = {"negative": "#c8410b", "neutral": "#dfe2e7", "positive": "#2bb58f", "unmeasured": ""}
# Whose names: our own, a rival's, one that is only watched.
KIND_COLOURS = {"own": "#0e6b62", "rival": "#c98bb9", "watched": "#bcd3d0"}
# Points taken away.
TAKEN, TAKEN_FILL = "#c8410b", "#fbe9e2"
INK, SOFT, LINE, PAPER = "#1c2430", "#56606e", "#d9dee5", "#ffffff"
# A circle of accounts: who, what two of them shared, and what chance alone would give.
ACCOUNT, PAIR, BY_CHANCE = "#0e6b62", "#3f2a6b", "#aab3bd"
# Decided below the verdict, as the verdict, above it.
BELOW, ALIKE, ABOVE = "#7a5fb0", "#cfd6de", "#c8410b"
PRECISION, RECALL = "#3f2a6b", "#c8410b"
