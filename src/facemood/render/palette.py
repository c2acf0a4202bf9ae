"""Colours of annotated images, charts, reports and the web page: expressions, lines of charts, text."""

from __future__ import annotations

Colour = tuple[int, int, int]
"""Red, green and blue, 0..255 each."""

COLOURS: dict[str, Colour] = {
    "angry": (232, 76, 28),
    "disgust": (26, 175, 138),
    "fear": (152, 101, 235),
    "happy": (244, 195, 57),
    "sad": (129, 168, 227),
    "surprise": (205, 115, 168),
    "neutral": (179, 198, 215),
    "contempt": (165, 122, 92),
}
"""Colour of each expression. Any two, and `OTHER_COLOUR`, differ by 12 or more (CIEDE2000), also for people with
protanopia or deuteranopia (simulated after Machado, Oliveira & Fernandes 2009)."""

OTHER_COLOUR: Colour = (155, 230, 205)
"""Colour of any other label, such as a class of a custom model."""

GROUND: Colour = (22, 24, 28)
"""Nearly black: the background of text in images, and text on light colours."""

INK: Colour = (255, 255, 255)
"""White: text in images, and text on dark colours."""

LIGHT = 100
"""Luminance of a colour, 0..255, above which dark text has more contrast on it than white text."""

LINE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Lines in charts: blue, vermilion, green, purple, sky blue, orange; distinguishable with any colour vision (Okabe and
Ito 2008)."""

CHART_INK = "#222222"
"""Text and marks in charts."""

CHART_GREY = "#666666"
"""Less important text, axes and reference lines in charts."""


def colour_of(label: str) -> Colour:
    """Return the colour of a label.

    Example:
        >>> colour_of("happy")
        (244, 195, 57)
    """
    return COLOURS.get(label, OTHER_COLOUR)


def hex_of(label: str) -> str:
    """Return the colour of a label in hexadecimal, for CSS and matplotlib.

    Example:
        >>> hex_of("happy")
        '#f4c339'
    """
    return "#{:02x}{:02x}{:02x}".format(*colour_of(label))


def ink_on(colour: Colour) -> Colour:
    """Return the text colour with more contrast on a colour: dark or white.

    Example:
        >>> ink_on(colour_of("happy")) == GROUND, ink_on((0, 0, 128)) == INK
        (True, True)
    """
    luminance = 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]  # ITU-R BT.709
    return GROUND if luminance > LIGHT else INK
