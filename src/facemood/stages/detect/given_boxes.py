"""Boxes of faces that were found elsewhere, in place of a detector."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facemood.errors import OptionError
from facemood.schema import Face, Image

LARGEST = 4.0
"""Longest side of a box, in units of the longer side of the image; a larger one is taken for a mistake."""


class GivenBoxes:
    """A detector that returns the faces whose boxes are given, in their order.

    Args:
        boxes: (N, 4) numbers x1 y1 x2 y2 in pixels of the image; they may reach beyond it. An empty list is no face.

    Raises:
        OptionError: The boxes have another shape, or one is empty or not finite.
    """

    name = "boxes"
    """Key of the crop framing on a model's card; no card has it, so that a box is used as it is."""

    def __init__(self, boxes: ArrayLike) -> None:
        self.boxes: NDArray[np.float32] = _checked(boxes)

    def __call__(self, image: Image) -> list[Face]:
        """Return the faces in an (H, W, 3) uint8 BGR image, with a score of 1.

        Raises:
            OptionError: A box lies outside of the image, or is several times as large.
        """
        height, width = image.shape[:2]
        for number, (x1, y1, x2, y2) in enumerate(self.boxes.tolist()):
            if x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0:
                raise OptionError(
                    f"boxes[{number}] is {x1:g}, {y1:g}, {x2:g}, {y2:g}, outside of the image of {width} x {height} "
                    "pixels; give x1, y1, x2, y2 in pixels of this image"
                )
            if max(x2 - x1, y2 - y1) > LARGEST * max(width, height):
                raise OptionError(
                    f"boxes[{number}] is {x1:g}, {y1:g}, {x2:g}, {y2:g}, more than {LARGEST:g} times as large as the "
                    f"image of {width} x {height} pixels; give x1, y1, x2, y2 in pixels of this image"
                )
        return [Face(box, score=1.0) for box in self.boxes]


def _checked(boxes: ArrayLike) -> NDArray[np.float32]:
    """Return boxes as (N, 4) float32."""
    expected = "expected (N, 4) numbers: x1, y1, x2, y2 of each face in pixels"
    try:
        values = np.asarray(boxes, np.float32)
    except (TypeError, ValueError) as error:
        raise OptionError(f"boxes: {expected}, but got {type(boxes).__name__} ({error})") from error
    if not values.size:
        return np.zeros((0, 4), np.float32)
    if values.ndim != 2 or values.shape[1] != 4:
        raise OptionError(f"boxes: {expected}, but the shape is {values.shape}; for one face write [[x1, y1, x2, y2]]")
    for number, box in enumerate(values):
        if not np.isfinite(box).all() or not (box[:2] < box[2:]).all():
            raise OptionError(
                f"boxes[{number}] is {', '.join(f'{value:g}' for value in box)}; expected x1, y1, x2, y2 with "
                "x1 < x2 and y1 < y2"
            )
    return values
