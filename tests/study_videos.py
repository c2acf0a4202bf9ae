"""Made videos of a small study: participants whose faces change at known times, written as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests import moving_faces
from tests.moving_faces import Person
from tests.videos import make_video

RATE = 10.0
"""Frames a second."""

SIZE = (480, 240)
"""Width and height in pixels."""


class Shot(NamedTuple):
    """A part of a video, between two cuts.

    Attributes:
        seconds: Its length.
        faces: The faces in it, each with the x of its middle: of `moving_faces.FACES`, or mirrored with a minus.
    """

    seconds: float
    faces: Sequence[tuple[str, float]] = ()


def write_video(path: Path, shots: Sequence[Shot], *, light: float = 1.0, seed: int = 0) -> Path:
    """Write a video of shots, with cuts between them."""
    images = []
    for number, shot in enumerate(shots):
        people = [_person(name, x, light, number) for name, x in shot.faces]
        made = moving_faces.make_video(people, shot.seconds, rate=RATE, size=SIZE, seed=seed + number)
        images += [frame.image for frame in made.frames]
    return make_video(path, images, fps=RATE)


def _person(name: str, x: float, light: float, number: int) -> Person:
    """A person who hardly moves; each shot shows them a little nearer or farther."""
    side = 90.0 + 12 * (number % 3)
    return Person(name.lstrip("-"), lambda time: (x + 3 * time, 120.0, side), name.startswith("-"), light)
