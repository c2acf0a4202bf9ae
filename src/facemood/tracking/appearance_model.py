"""Embed how people look: their faces by the appearance network, and the colours of head and clothes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from facemood.geometry import Floats
from facemood.models import APPEARANCE, ModelSession, find_model
from facemood.schema import Face, Image
from facemood.squares import cut_square
from facemood.stages.align import cut_faces, square_of_points, squares_of
from facemood.stages.landmarks import landmarks_of

HEAD = "embedding"
"""The network's output."""

AROUND = (-3.2, -2.7, 3.2, 3.7)
"""Square around a face whose colours count, in units of the landmarks' size from their mean; see `stages.align`."""

AROUND_SIDE = 64
"""Pixels of its side: 10 for each unit."""

PARTS = (((0, 42), (15, 49), (8, 6)), ((44, 64), (8, 56), (3, 6)))
"""Rows and columns of the square in which head and clothes are, and the cells of each, in rows and columns."""

COLOUR_NUMBERS = sum(2 * rows * columns for *_, (rows, columns) in PARTS)
"""Length of the colours of a face."""

DARK = 8.0
"""Grey levels that are added to each channel before the logarithm, so that noise in the dark counts little."""

FAINT = 0.3
"""Length, in natural logarithms, at which colours count half: images without colours have next to none."""


class AppearanceModel:
    """The appearance network, and colours: embeds faces so that looks of one person are near.

    Example:
        >>> model, grey = AppearanceModel(), np.full((90, 90, 3), 128, np.uint8)
        >>> model.embed(grey, [Face(np.float32([20, 20, 60, 70]), score=0.9)], detector="finder")
        [None]
    """

    def __init__(self, *, threads: int | None = 1) -> None:
        self.session: ModelSession = ModelSession(find_model(APPEARANCE), device="cpu", threads=threads)

    def embed(self, image: Image, faces: Sequence[Face], *, detector: str) -> list[Floats | None]:
        """Embed faces of one frame.

        Args:
            image: The frame, (H, W, 3) uint8 BGR, upright.
            faces: Faces in it.
            detector: Name of the detector that found them.

        Returns:
            For each face (L,) float32, or None without landmarks, as it cannot be aligned then: the network's
            embedding, of length 1, and `COLOUR_NUMBERS` colours, of a length below 1.
        """
        points = [landmarks_of(face) for face in faces]
        known = [row for row, found in enumerate(points) if found is not None]
        embedded: list[Floats | None] = [None] * len(faces)
        if known:
            squares = squares_of([faces[row] for row in known], self.session.card.framing, detector)
            looks = self.session.run(cut_faces(image, squares))[HEAD]
            for row, look in zip(known, looks, strict=True):
                embedded[row] = np.concatenate([look, colours_around(image, faces[row])])
        return embedded


def colours_around(image: Image, face: Face) -> Floats:
    """Return the layout of the colours of a head and its clothes: log chromaticities of cells minus their mean.

    The mean is the colour of the light, more or less, so that it does not matter. Neither does the brightness.

    Args:
        image: The frame, (H, W, 3) uint8 BGR, upright.
        face: A face in it with 68 landmarks.

    Returns:
        (`COLOUR_NUMBERS`,) float32: blue and red against green in each cell. Its length is 0 in a grey image, and below
        1.

    Raises:
        ValueError: The face has no 68 landmarks.
    """
    points = landmarks_of(face)
    if points is None:
        raise ValueError("the face has no 68 landmarks; add them with LandmarkModel.add_landmarks")
    square = cut_square(image, square_of_points(points, AROUND).matrix(AROUND_SIDE), AROUND_SIDE)
    cells = np.concatenate([
        cv2.resize(square[top:bottom, left:right], (columns, rows), interpolation=cv2.INTER_AREA).reshape(-1, 3)
        for (top, bottom), (left, right), (rows, columns) in PARTS
    ])  # fmt: skip
    logs = np.log(cells.astype(np.float32) + DARK)
    colours = logs[:, ::2] - logs[:, 1:2]
    colours -= colours.mean(axis=0)
    return np.asarray(colours.ravel() / (np.linalg.norm(colours) + FAINT), np.float32)
