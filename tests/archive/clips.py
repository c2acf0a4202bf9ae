"""A video that is cut into segments in tests: people walk, stand, and come late."""

from __future__ import annotations

from pathlib import Path

from tests import moving_faces
from tests.moving_faces import Person, standing, walking
from tests.videos import make_video

SEGMENT = 4.0
"""Seconds of a segment."""

SECONDS = 11
"""Length of the video."""

RATE = 3
"""Frames a second: the least at which faces are followed from frame to frame."""


def make_clip(path: Path) -> Path:
    """Write a video in which one person walks, another stands, and a third comes after the second seam."""
    people = [
        Person("astronaut", walking((100, 120, 60), (200, 120, 60), SECONDS)),
        Person("hopper", standing(270, 120, 50)),
        Person("astronaut", lambda time: (40, 60, 44) if time > 8.5 else None, mirrored=True, light=0.8),
    ]
    video = moving_faces.make_video(people, SECONDS, rate=RATE, size=(320, 240))
    return make_video(path, [frame.image for frame in video.frames], fps=RATE, keyframes=8, index_first=True)
