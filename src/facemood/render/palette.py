"""The colours of pictures, charts, reports and the page: of each expression, of lines in charts, of text."""

from __future__ import annotations

Colour = tuple[int, int, int]
"""Red, green and blue, 0..255 each."""

COLOURS: dict[str, Colour] = {
    "angry": (222, 84, 48),
    "disgust": (38, 158, 110),
    "fear": (150, 108, 208),
    "happy": (245, 196, 48),
    "sad": (70, 136, 230),
    "surprise": (240, 128, 186),
    "neutral": (170, 178, 186),
    "contempt": (176, 122, 84),
}
"""The colour of each expression. They differ in lightness too, for readers who do not tell the hues apart."""

OTHER_COLOUR: Colour = (86, 192, 200)
"""The colour of a label that is no expression of ours, such as a class of a user's own model."""

GROUND: Colour = (22, 24, 28)
"""Nearly black: behind text in pictures, and the text itself on light colours."""

INK: Colour = (255, 255, 255)
"""White: text in pictures, and text on dark colours."""

LIGHT = 110
"""From this relative luminance on, 0..255, dark text is easier to read on a colour than white text."""

LINE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Lines in charts: blue, vermilion, green, purple, sky, orange. Readers of all colour visions tell them apart (Okabe
and Ito 2008)."""

CHART_INK = "#222222"
"""Text and marks in charts."""

CHART_GREY = "#666666"
"""Lesser text, axes and reference lines in charts."""


def colour_of(label: str) -> Colour:
    """Return the colour of a label.

    Example:
        >>> colour_of("happy")
        (245, 196, 48)
    """
    return COLOURS.get(label, OTHER_COLOUR)


def hex_of(label: str) -> str:
    """Return the colour of a label as CSS and matplotlib write it.

    Example:
        >>> hex_of("happy")
        '#f5c430'
    """
    return "#{:02x}{:02x}{:02x}".format(*colour_of(label))


def ink_on(colour: Colour) -> Colour:
    """Return the colour of text on a colour: dark or white, whichever is easier to read.

    Example:
        >>> ink_on(colour_of("happy")) == GROUND, ink_on((0, 0, 128)) == INK
        (True, True)
    """
    luminance = 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]  # ITU-R BT.709
    return GROUND if luminance > LIGHT else INK
