"""The colours: the same in charts and pages, told apart by colour-blind readers, read in light and dark."""

from __future__ import annotations

import re
from itertools import combinations, pairwise

import matplotlib as mpl
import numpy as np
import pytest
from numpy.typing import NDArray

from brandkit.report import charts, html, palette

# Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color vision
# deficiency" (2009), table 1, severity 1.0: linear RGB as such a reader sees it.
VISION = {
    "usual": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                            [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip
# Ottosson, "A perceptual color space for image processing" (2020): linear RGB to Oklab.
_CONES = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                   [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                 [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
# In Oklab of 0 to 100. Two units can just be told apart side by side; patches a page apart need far more.
FAR = 13.0
SETS = {
    "decisions": palette.DECISION_COLOURS,
    "tiers": palette.TIER_COLOURS,
    "kinds": palette.KIND_COLOURS,
    "tones": {tone: colour for tone, colour in palette.TONE_COLOURS.items() if colour},
    "verdicts": {"below": palette.BELOW, "alike": palette.ALIKE, "above": palette.ABOVE},
    "agreement": {"precision": palette.PRECISION, "recall": palette.RECALL},
    "network": {"account": palette.ACCOUNT, "pair": palette.PAIR, "chance": palette.BY_CHANCE},
}


def linear(colour: str) -> NDArray[np.float64]:
    value = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def distance(one: str, other: str, seen: NDArray[np.float64]) -> float:
    a, b = (_LAB @ np.cbrt(_CONES @ np.clip(seen @ linear(c), 0, 1)) for c in (one, other))
    return float(100 * np.linalg.norm(a - b))


def contrast(one: str, other: str) -> float:
    """WCAG 2's ratio of two colours: 1 for the same, 21 for black on white."""
    low, high = sorted(float(np.array([0.2126, 0.7152, 0.0722]) @ linear(c)) + 0.05 for c in (one, other))
    return high / low


def tokens(sheet: str, selector: str) -> dict[str, str]:
    """The named colours that a style sheet gives for a selector."""
    block = re.search(rf"^\s*{re.escape(selector)} {{(.*?)}}", html.stylesheet(sheet), re.S | re.M)
    assert block, selector
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block[1]))


LIGHT = tokens("report", ".bk")
DARK = {**LIGHT, **tokens("report", 'body[data-jp-theme-light="false"] .bk')}
LAB_DARK = "#111111"


def test_the_measures_of_these_tests_are_right_on_known_colours() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert distance("#000000", "#ffffff", VISION["usual"]) == pytest.approx(100, abs=0.01)
    # A red and a green of one lightness: far apart, and nearly one colour without cones for red or green.
    assert distance("#cc3311", "#5f8a00", VISION["usual"]) > 15
    assert distance("#cc3311", "#5f8a00", VISION["deuteranopia"]) < 8


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("name", SETS)
def test_the_colours_of_a_set_are_told_apart(name: str, vision: str) -> None:
    colours = SETS[name]
    near = {
        pair: round(found, 1)
        for pair in combinations(colours, 2)
        if (found := distance(*(colours[one] for one in pair), VISION[vision])) < FAR
    }
    assert near == {}


def test_components_next_to_each_other_differ_without_any_colour() -> None:
    for one, other in pairwise(palette.COMPONENT_COLOURS.values()):
        assert contrast(one, other) > 3


def test_a_decisions_colour_means_nothing_else() -> None:
    others = [
        *palette.COMPONENT_COLOURS.values(), *palette.TIER_COLOURS.values(), *palette.TONE_COLOURS.values(),
        *palette.KIND_COLOURS.values(), palette.ACCOUNT, palette.PAIR, palette.BY_CHANCE, palette.BELOW,
        palette.ALIKE, palette.ABOVE, palette.PRECISION, palette.RECALL, palette.TAKEN,
    ]  # fmt: skip
    assert set(palette.DECISION_COLOURS.values()) & set(others) == set()


def test_the_page_names_the_very_colours_of_the_charts() -> None:
    for decision, colour in palette.DECISION_COLOURS.items():
        assert LIGHT[decision.replace("_", "-")] == colour
    assert (LIGHT["ink"], LIGHT["soft"], LIGHT["line"]) == (palette.INK, palette.SOFT, palette.LINE)
    inks = {"#ffffff": "on-dark", "#10161e": "on-light"}
    for decision, ink in palette.DECISION_INKS.items():
        look = f"background: var(--{decision.replace('_', '-')}); color: var(--{inks[ink]});"
        assert f".chip.{decision} {{ {look} }}" in html.stylesheet("report")


def test_the_dark_of_a_page_is_the_dark_of_jupyter() -> None:
    assert tokens("page", ".bk") == tokens("report", 'body[data-jp-theme-light="false"] .bk')


@pytest.mark.parametrize(
    ("theme", "grounds"),
    [(LIGHT, ("#ffffff", LIGHT["wash"])), (DARK, ("#14181d", LAB_DARK, DARK["wash"]))],
    ids=["light", "dark"],
)
@pytest.mark.parametrize("text", ["ink", "soft", "link"])
def test_text_meets_wcag_aa_on_every_ground(
    text: str, theme: dict[str, str], grounds: tuple[str, ...]
) -> None:
    assert min(contrast(theme[text], ground) for ground in grounds) >= 4.5


@pytest.mark.parametrize("decision", palette.DECISION_COLOURS)
def test_the_word_on_a_decisions_colour_meets_wcag_aa(decision: str) -> None:
    assert contrast(palette.DECISION_INKS[decision], palette.DECISION_COLOURS[decision]) >= 4.5


def test_the_words_of_a_chart_meet_wcag_aa_on_its_paper_also_where_a_dark_page_dims_it() -> None:
    dim = float(re.search(r"brightness\((\.\d+)\)", html.stylesheet("page"))[1])  # type: ignore[index]

    def dimmed(colour: str) -> str:
        return "#" + "".join(f"{round(int(colour[i : i + 2], 16) * dim):02x}" for i in (1, 3, 5))

    for ink in (palette.INK, palette.SOFT):
        assert contrast(ink, palette.PAPER) >= 4.5
        assert contrast(dimmed(ink), dimmed(palette.PAPER)) >= 4.5


def test_the_house_style_of_charts_has_the_inks_of_the_palette() -> None:
    with charts.house_style():
        look = {name: str(mpl.rcParams[name]) for name in ("text.color", "axes.labelcolor", "axes.edgecolor")}
        assert [f"#{colour.strip('#')}" for colour in look.values()] == [
            palette.INK,
            palette.SOFT,
            palette.LINE,
        ]
        assert f"#{mpl.rcParams['figure.facecolor'].strip('#')}" == palette.PAPER
