"""Colours: the web page and the style sheet of reports have the colours of the palette."""

import re
from itertools import combinations

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


def test_an_unknown_label_has_the_other_colour() -> None:
    assert (colour_of("bored"), hex_of("bored")) == (OTHER_COLOUR, "#56c0c8")
    assert hex_of("happy") == "#f5c430"


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
