"""What the last frame that was read looks like, so that frames that look like it need not be read."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.schema import Face, Frame, Image
from facemood.tracking.follow import DETECT_SECONDS, time_of

CELL = 8
"""Side of a cell of the frame in pixels: the smallest face covers nine."""

SKIP = 4
"""One pixel in so many per side is looked at, so that large frames cost little."""

CELLS = 24
"""Cells of a face per side."""

MARGIN = 0.1
"""Share of a face's size that is looked at beyond each edge of its box."""

MOST_CHANGE = 16
"""Largest difference in grey levels of a cell of the frame; someone who comes into view changes more."""

MOST_FACE_CHANGE = 8
"""Largest difference in grey levels of a cell of a face."""

LONGEST = DETECT_SECONDS
"""A frame is read at least every so many seconds: the detector then runs as often as it does otherwise."""

Grey = NDArray[np.uint8]
"""(h, w) uint8 grey levels."""


class LastLook:
    """Remembers the last frame that was read in cells: of the whole frame, and finer ones of each face.

    A frame looks like it if no cell differs by more than `MOST_CHANGE`, or `MOST_FACE_CHANGE` in a face. So a frame
    with a blink or a moving mouth is read.

    Example:
        >>> grey = Frame(np.full((240, 320, 3), 128, np.uint8), timestamp=0.0)
        >>> look = LastLook()
        >>> look.resembles(grey)
        False
        >>> look.remember(grey, [])
        >>> [look.resembles(Frame(grey.image + more, timestamp=0.04)) for more in (2, 90)]
        [True, False]
    """

    def __init__(self) -> None:
        self._time: float | None = None
        self._size = (0, 0)
        self._cells: Grey = np.zeros((0, 0), np.uint8)
        self._faces: list[tuple[tuple[slice, slice], Grey]] = []

    def remember(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Remember a frame that is read.

        Args:
            frame: The frame, turned upright.
            faces: The faces found in it.
        """
        self._time, self._size = time_of(frame), frame.size
        self._cells = cells_of_frame(frame.image)
        places = [_place_of(face, frame.size) for face in faces]
        self._faces = [(place, _cells_of_face(frame.image[place])) for place in places if frame.image[place].size]

    def resembles(self, frame: Frame) -> bool:
        """Return whether a frame looks like the one that is remembered, and is not too late to be taken for it."""
        if self._time is None or frame.size != self._size or not 0 <= time_of(frame) - self._time < LONGEST:
            return False
        if largest_change(cells_of_frame(frame.image), self._cells) > MOST_CHANGE:
            return False
        changes = (largest_change(_cells_of_face(frame.image[place]), cells) for place, cells in self._faces)
        return all(change <= MOST_FACE_CHANGE for change in changes)


def cells_of_frame(image: Image) -> Grey:
    """Return a frame as grey levels of cells of `CELL` pixels, from one pixel in `SKIP` per side."""
    few = np.ascontiguousarray(image[::SKIP, ::SKIP, 1])  # the green channel is near the brightness
    width, height = (max(1, side * SKIP // CELL) for side in few.shape[::-1])
    return np.asarray(cv2.resize(few, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def largest_change(one: Grey, other: Grey) -> int:
    """Return the largest difference of two images of the same size, in grey levels."""
    return int(cv2.absdiff(one, other).max())


def _cells_of_face(image: Image) -> Grey:
    """Return a face as (CELLS, CELLS) grey levels."""
    green = np.ascontiguousarray(image[..., 1])
    return np.asarray(cv2.resize(green, (CELLS, CELLS), interpolation=cv2.INTER_AREA), np.uint8)


def _place_of(face: Face, size: tuple[int, int]) -> tuple[slice, slice]:
    """Return where a face is in an image of a size: rows and columns of its box with a margin."""
    x1, y1, x2, y2 = face.box
    wide, high = MARGIN * (x2 - x1), MARGIN * (y2 - y1)
    left, top = max(0, round(x1 - wide)), max(0, round(y1 - high))
    right, bottom = min(size[0], round(x2 + wide)), min(size[1], round(y2 + high))
    return slice(top, max(top, bottom)), slice(left, max(left, right))
