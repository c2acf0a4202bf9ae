"""Colours: the web page and the style sheet of reports have the colours of the palette."""

import re
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from facemood.labels import EXPRESSIONS
from facemood.numpy_cnn import drawings
from facemood.render.palette import (
    CHART_GREY,
    COLOURS,
    GROUND,
    INK,
    LIGHT,
    LINE_COLOURS,
    OTHER_COLOUR,
    colour_of,
    hex_of,
    ink_on,
)
from tests.conftest import ROOT

VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
"""What is seen of linear RGB: Machado, Oliveira & Fernandes (2009), A Physiologically-based Model for
Simulation of Color Vision Deficiency, severity 1.0."""

APART = 12.0
"""Smallest difference of two colours (CIEDE2000): five times what is just noticeable."""

SOURCE = ROOT / "src" / "facemood"


def luminance(colour: tuple[int, int, int]) -> float:
    """The relative luminance of the contrast ratio (WCAG 2.2), 0..1."""
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_every_expression_has_a_distinct_colour() -> None:
    assert set(COLOURS) == set(EXPRESSIONS)
    for one, other in combinations([*COLOURS.values(), OTHER_COLOUR], 2):
        assert sum(abs(a - b) for a, b in zip(one, other, strict=True)) > 40


def as_seen(colours: NDArray[np.float64], vision: str) -> NDArray[np.float64]:
    """Colours (N, 3), sRGB 0..1, as people with a colour vision see them."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    seen = (linear @ VISION[vision].T).clip(0, 1)
    return np.asarray(np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055))


def test_simulated_vision_keeps_grey_and_confuses_red_and_green() -> None:
    colour = pytest.importorskip("skimage.color", reason="needs the extra explain, for CIEDE2000")
    grey = np.array([[0.4, 0.4, 0.4]])
    red_green = np.array([[0.75, 0.3, 0.1], [0.45, 0.45, 0.1]])
    for vision in VISION:
        np.testing.assert_allclose(as_seen(grey, vision), grey, atol=1e-3)
    seen = [colour.rgb2lab(as_seen(red_green, vision)) for vision in ("normal", "deuteranopia")]
    far, near = (float(colour.deltaE_ciede2000(*pair)) for pair in seen)
    assert far > 30
    assert near < 12


@pytest.mark.parametrize("vision", VISION)
def test_expressions_are_told_apart_with_any_colour_vision(vision: str) -> None:
    colour = pytest.importorskip("skimage.color", reason="needs the extra explain, for CIEDE2000")
    names = [*COLOURS, "another"]
    seen = colour.rgb2lab(as_seen(np.array([*COLOURS.values(), OTHER_COLOUR]) / 255, vision))
    for one, other in combinations(range(len(names)), 2):
        difference = float(colour.deltaE_ciede2000(seen[one], seen[other]))
        assert difference >= APART, f"{names[one]} and {names[other]} differ by {difference:.1f} with {vision}"


def test_an_unknown_label_has_the_other_colour() -> None:
    assert (colour_of("bored"), hex_of("bored")) == (OTHER_COLOUR, "#9be6cd")
    assert hex_of("happy") == "#f4c339"


def test_text_is_legible_on_every_colour() -> None:
    for colour in [*COLOURS.values(), OTHER_COLOUR]:
        chosen = ink_on(colour)
        assert contrast(chosen, colour) >= 4.5
        assert contrast(chosen, colour) >= contrast(INK if chosen == GROUND else GROUND, colour)


def test_the_page_has_the_same_colours() -> None:
    script = (SOURCE / "server" / "static" / "colours.js").read_text()
    (other,) = re.findall(r'OTHER = "(#\w{6})"', script)
    ((light, dark, white),) = re.findall(r'> (\d+) \? "(#\w{6})" : "(#\w{6})"', script)
    assert (other, int(light)) == (hex_of("bored"), LIGHT)
    assert [bytes.fromhex(text[1:]) for text in (dark, white)] == [bytes(GROUND), bytes(INK)]


def test_the_report_uses_the_same_dark_text() -> None:
    style = (SOURCE / "sinks" / "report" / "page.css").read_text()
    (dark,) = re.findall(r"\.strip i \{[^}]*[^-]color: (#\w{6})", style)
    assert bytes.fromhex(dark[1:]) == bytes(GROUND)


def test_the_plain_networks_figures_have_the_colours_of_charts() -> None:
    assert (*LINE_COLOURS[:2], CHART_GREY) == (drawings.BLUE, drawings.ORANGE, drawings.GREY)
