"""Choose a font for a text: Pillow's default, or the first system font with all characters."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from facemood.languages import word_of

if TYPE_CHECKING:
    from PIL import ImageFont

Font: TypeAlias = "ImageFont.FreeTypeFont | ImageFont.ImageFont"
"""A font of Pillow, which is loaded when something is drawn."""

SYSTEM_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "Arial Unicode.ttf",
    "arial.ttf",
    "NotoSansCJK-Regular.ttc",
    "wqy-microhei.ttc",
    "msyh.ttc",
)
"""System fonts to try, in order, if Pillow's default font lacks a character. Pillow searches the system's folders."""


@lru_cache(maxsize=256)
def font_for(text: str, size: int) -> Font:
    """Return a font of a size in pixels with every character of a text, or Pillow's default font if there is none."""
    from PIL import ImageFont

    own = ImageFont.load_default(size)
    if has_all(own, text):
        return own
    fonts = (_open(name, size) for name in SYSTEM_FONTS)
    return next((font for font in fonts if font is not None and has_all(font, text)), own)


@lru_cache(maxsize=256)
def drawable(text: str) -> str:
    """Return a text with characters that a font on this machine has: without accents and with ``?`` if necessary.

    Example:
        >>> drawable("happy")
        'happy'
    """
    if has_all(font_for(text, 16), text):
        return text
    plain = unicodedata.normalize("NFKD", text)
    return "".join(
        character if character.isascii() else "?" for character in plain if not unicodedata.combining(character)
    )


@lru_cache(maxsize=256)
def drawable_word(label: str, language: str) -> str:
    """Return the word for a label in a language; in English where no font on this machine has its characters.

    Example:
        >>> drawable_word("happy", "de")
        'Freude'
    """
    word = word_of(label, language)
    return word if has_all(font_for(word, 16), word) else drawable(label)


def has_all(font: Font, text: str) -> bool:
    """Return whether a font has a glyph for each character of a text, other than its glyph for missing characters."""
    missing = bytes(font.getmask("\U0010ffff"))
    return all(character.isspace() or bytes(font.getmask(character)) != missing for character in set(text))


def _open(name: str, size: int) -> Font | None:
    """Open a system font; None if it is not installed."""
    from PIL import ImageFont

    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None
