"""A font for every text: Pillow's own, or the first font of the system that has the characters."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

SYSTEM_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "Arial Unicode.ttf",
    "arial.ttf",
    "NotoSansCJK-Regular.ttc",
    "wqy-microhei.ttc",
    "msyh.ttc",
)
"""Fonts that are tried where Pillow's own lacks a character; Pillow searches the system's font folders."""


@lru_cache(maxsize=256)
def font_for(text: str, size: int) -> Font:
    """Return a font of a size in pixels that has every character of a text, or Pillow's own where none has."""
    own = ImageFont.load_default(size)
    if has_all(own, text):
        return own
    fonts = (_open(name, size) for name in SYSTEM_FONTS)
    return next((font for font in fonts if font is not None and has_all(font, text)), own)


@lru_cache(maxsize=256)
def drawable(text: str) -> str:
    """Return a text as it can be drawn here: itself where a font has it, else without accents, with ? for the rest.

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


def has_all(font: Font, text: str) -> bool:
    """Tell whether a font draws each character as something else than its sign for a missing one."""
    missing = bytes(font.getmask("\U0010ffff"))
    return all(character.isspace() or bytes(font.getmask(character)) != missing for character in set(text))


def _open(name: str, size: int) -> Font | None:
    """Open a font of the system, or return None where it is not installed."""
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None
