"""Parse --people: how many people there are; and mark a run whose people are numbered across videos."""

from __future__ import annotations

import os
from collections.abc import Iterable
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


def mark_of_videos(names: Iterable[str]) -> str:
    """Return a mark that changes if other videos are read, if one of them changes, or if their order does.

    With ``--same-people``, the numbers of people in one video depend on all of them. So ``--resume`` goes on only if
    the mark is that of the earlier run.

    Example:
        >>> mark_of_videos([])
        '0 videos, e3b0c442'
    """
    import hashlib

    from facemood.outputs import Stamp
    from facemood.text import count

    videos = [(os.path.basename(name), *Stamp.of(name)) for name in names]
    digest = hashlib.sha256("".join(map(repr, videos)).encode(errors="surrogateescape")).hexdigest()
    return f"{count(len(videos), 'video')}, {digest[:8]}"
