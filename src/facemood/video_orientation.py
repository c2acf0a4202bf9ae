"""Tell from a few frames of a video how it must be turned to be upright."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from facemood.results import Result

LOOK_EVERY = 0.5
"""Seconds between the frames of a video from which its orientation is told."""

LOOK_UNTIL = 3.0
"""Seconds at the start of a video from which its orientation is told."""


def decide_orientation(results: Iterable[Result]) -> int:
    """Return by how many degrees a video must be turned clockwise to be upright: 0, 90, 180 or 270.

    A video is upright unless two of its frames say that it is turned the same way, and more say so than have a face as
    they are. One is enough for a video of one frame.

    Args:
        results: Frames of its first seconds, some time apart, read as photos. If the first one with a face is upright,
            the others are not read.

    Example:
        >>> decide_orientation([Result("a.mp4", orientation=90), Result("a.mp4", orientation=90)])
        90
    """
    votes, frames = Counter[int](), 0
    for result in results:
        frames += 1
        if result.faces or result.orientation:
            votes[result.orientation] += 1
        if votes and votes[0] == votes.total():
            return 0
    upright = votes.pop(0, 0)
    orientation, most = votes.most_common(1)[0] if votes else (0, 0)
    return orientation if most > upright and most >= min(2, frames) else 0
