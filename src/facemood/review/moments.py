"""Moments that people label: a face in a photo, or in a frame of a video, with facemood's answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

ID_BYTES = 8
"""Bytes of a moment's ID; of a million moments, two share one with a probability below 1 in 10 million."""


class Origin(NamedTuple):
    """The file that a moment is in, as it was when facemood read it.

    Attributes:
        path: Its absolute path, or the name in the table if nothing else is known.
        size: Bytes; None if unknown.
    """

    path: str
    size: int | None = None


class FoundFile(NamedTuple):
    """Where the file of a moment is now.

    Attributes:
        path: The file; None if it cannot be shown.
        problem: Why it cannot be shown, and what to do; empty if it can.
    """

    path: Path | None
    problem: str = ""


@dataclass(frozen=True)
class Moment:
    """A face at a moment.

    Attributes:
        source: Name of the photo or video, as in the table.
        origin: Its file.
        frame: Number of the frame, or of the page of a photo, from 0.
        timestamp: Seconds from the start of the video; None for a photo.
        face: Number of the face in its frame, from 0.
        box: x1 y1 x2 y2 in pixels.
        roll: Tilt of the head in degrees, clockwise; 0 if unknown.
        label: The most probable label: facemood's answer.
        confidence: Its probability, 0..1.
        certain: Whether facemood was certain; None if the model does not tell.
    """

    source: str
    origin: Origin
    frame: int
    timestamp: float | None
    face: int
    box: tuple[float, float, float, float]
    roll: float
    label: str
    confidence: float
    certain: bool | None = None

    @cached_property
    def id(self) -> str:
        """Hash of source, frame and face, in hexadecimal."""
        known = f"{self.source}\n{self.frame}\n{self.face}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(known, digest_size=ID_BYTES).hexdigest()


def locate(source: str, origin: Origin, folders: list[Path]) -> FoundFile:
    """Find the file of a moment: where it was, else by its name in some folders.

    A file of another size is not taken: its frames may be others, or an output of facemood has the name of the input.

    Args:
        source: Its name, as in the table.
        origin: What is known of it.
        folders: Where else it may be.
    """
    named = [folder / name for folder in folders for name in (Path(source), Path(source).name)]
    original = Path(origin.path)
    for path in (original, *named):
        if path.is_file() and origin.size in (None, path.stat().st_size):
            return FoundFile(path)
    if original.is_file():
        now = original.stat().st_size
        return FoundFile(
            None,
            f"{source}: was changed after facemood read it ({origin.size:,} bytes then, {now:,} now); read it again "
            "with facemood analyze",
        )
    return FoundFile(None, f"{source}: not found at {origin.path}; put it back, or name its folder with --sources")
