"""Parse --people: how many people there are in each video."""

from __future__ import annotations

from typing import Literal

import typer


def parse_people(text: str | None) -> int | Literal["auto"] | None:
    """Parse how many people there are in each video.

    Args:
        text: A whole number from 1 on, or ``"auto"``; None if tracks are not joined.

    Raises:
        typer.BadParameter: The text is neither.

    Example:
        >>> parse_people("2"), parse_people("auto"), parse_people(None)
        (2, 'auto', None)
    """
    if text is None:
        return None
    plain = text.strip()
    if plain == "auto":
        return "auto"
    if not (plain.isascii() and plain.isdigit() and int(plain) > 0):
        raise typer.BadParameter(f"--people: expected how many people there are, such as 2, or auto, but got {text!r}")
    return int(plain)
