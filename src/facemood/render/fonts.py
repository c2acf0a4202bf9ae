"""A font for every text: Pillow's own, or the first font of the system that has the characters."""

from __future__ import annotations

from functools import lru_cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

SYSTEM_FONTS = (
    "DejaVuSans.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSans-Regular.ttf",
    "wqy-microhei.ttc",
    "Arial Unicode.ttf",
    "msyh.ttc",
    "arial.ttf",
)
"""Fonts that are tried where Pillow's own lacks a character; Pillow searches the system's font folders."""


@lru_cache(maxsize=256)
def font_for(text: str, size: int) -> Font:
    """Return a font of a size in pixels that has every character of a text, or Pillow's own where none has."""
    own = ImageFont.load_default(size)
    if _has_all(own, text):
        return own
    for name in SYSTEM_FONTS:
        font = _open(name, size)
        if font is not None and _has_all(font, text):
            return font
    return own


def _open(name: str, size: int) -> Font | None:
    """Open a font of the system, or return None where it is not installed."""
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


def _has_all(font: Font, text: str) -> bool:
    """Tell whether a font draws each character as something else than its sign for a missing one."""
    missing = bytes(font.getmask("\U0010ffff"))
    return all(character.isspace() or bytes(font.getmask(character)) != missing for character in set(text))
