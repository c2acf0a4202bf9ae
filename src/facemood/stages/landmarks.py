"""Predict 68 landmarks and a presence score for each face, and follow faces to the next frame by their own points."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.defaults import FP32
from facemood.geometry import Floats, box_of_points, tilts
from facemood.models import LANDMARKS, ModelSession, find_model
from facemood.schema import Face, Image
from facemood.squares import cut_square

ROOM = 1.35
"""Side of the crop, in units of the longer side of the face's box. The network was trained with it."""

PRESENT = 0.5
"""Presence score, 0..1, from which a crop counts as a face."""

STEP = 1 / 16
"""Pixels and degrees to whose multiples the place of a followed face is rounded: far more than differences of rounding,
and too little to be seen in the landmarks."""


class LandmarkModel:
    """The landmark network: predicts 68 points in iBUG order, and a presence score of the face.

    Args:
        threads: Threads per run; None for one per core that may be used.
        precision: ``"fp32"`` or ``"int8"``.

    Example:
        >>> model, grey = LandmarkModel(), np.full((120, 120), 128, np.uint8)
        >>> points, presence = model.predict(grey, np.float32([[30, 30, 90, 90]]))
        >>> points.shape, bool(presence[0] < PRESENT)
        ((1, 68, 2), True)
    """

    def __init__(self, *, threads: int | None = None, precision: str = FP32) -> None:
        file = find_model(LANDMARKS, precision=precision)
        self.session: ModelSession = ModelSession(file, device="cpu", threads=threads)

    def predict(self, image: Image, boxes: Floats, angles: Floats | None = None) -> tuple[Floats, Floats]:
        """Predict the landmarks of the faces in some boxes of an image.

        Args:
            image: (H, W, 3) uint8 BGR, or (H, W) grey.
            boxes: (N, 4) float32 x1 y1 x2 y2, framed as by `geometry.box_of_points`.
            angles: (N,) roll of the heads in degrees, clockwise in the image; None for upright heads.

        Returns:
            Points (N, 68, 2) float32 in pixels of the image, and presence (N,) float32, 0..1.
        """
        if not len(boxes):
            return np.zeros((0, 68, 2), np.float32), np.zeros(0, np.float32)
        grey = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
        size = self.session.card.input_size[0]
        turned = np.zeros(len(boxes)) if angles is None else angles
        frames = frame_squares(boxes, turned, size)
        inside, presence = self.predict_crops([cut_square(grey, frame, size) for frame in frames])
        points = inside @ frames[:, :, :2].transpose(0, 2, 1) + frames[:, None, :, 2]
        return points.astype(np.float32), presence

    def predict_crops(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Predict the landmarks of face crops that are framed by `frame_squares`.

        Args:
            crops: N images (s, s) uint8 grey of the network's size.

        Returns:
            Points (N, 68, 2) float32 in pixels of the crops, and presence (N,) float32, 0..1.
        """
        outputs = self.session.run(crops)
        points = (outputs["points"].reshape(-1, 68, 2) + 0.5) * self.session.card.input_size[0]
        presence = 1 / (1 + np.exp(-np.clip(outputs["presence"][:, 0], -30, 30)))
        return points.astype(np.float32), presence.astype(np.float32)

    def add_landmarks(self, image: Image, faces: Sequence[Face]) -> list[Face]:
        """Add 68 landmarks to faces that have none, from any detector; their boxes stay as they are.

        Other detectors frame faces differently, so landmarks are predicted twice: in the face's box, then in the box of
        the first landmarks. A face whose presence score is below `PRESENT` gets no landmarks.
        """
        bare = [index for index, face in enumerate(faces) if landmarks_of(face) is None]
        if not bare:
            return list(faces)
        first, _ = self.predict(image, np.stack([faces[index].box for index in bare]))
        points, presence = self.predict(image, box_of_points(first))
        added = list(faces)
        for row, index in enumerate(bare):
            if presence[row] >= PRESENT:
                added[index] = dataclasses.replace(faces[index], landmarks=points[row])
        return added

    def follow(self, image: Image, faces: Sequence[Face]) -> list[Face | None]:
        """Follow faces of the last frame to the next one by their landmarks, without a detector.

        The network looks in the box of the last landmarks, at their tilt, both rounded to multiples of `STEP`. So
        differences of rounding, which other processors and the browser make, do not grow from frame to frame.

        Args:
            image: The next frame, (H, W, 3) uint8 BGR.
            faces: Faces of the last frame with 68 points.

        Returns:
            Each face with new box, landmarks and score (the presence score), or None if it is lost.

        Raises:
            ValueError: A face has no 68 landmarks.
        """
        known = [points for points in map(landmarks_of, faces) if points is not None]
        if len(known) < len(faces):
            raise ValueError(
                f"{len(faces) - len(known)} of {len(faces)} faces have no 68 landmarks, so they cannot be followed; "
                "add them with LandmarkModel.add_landmarks"
            )
        if not known:
            return []
        before = np.stack(known)
        tilt = tilts(before[:, 36], before[:, 45])
        points, presence = self.predict(image, _in_steps(box_of_points(before)), _in_steps(tilt))
        boxes = box_of_points(points)
        return [
            dataclasses.replace(face, box=box, landmarks=there, score=float(present)) if present >= PRESENT else None
            for face, box, there, present in zip(faces, boxes, points, presence, strict=True)
        ]


def landmarks_of(face: Face) -> Floats | None:
    """Return a face's 68 landmarks; None if it has none or another number of them."""
    return face.landmarks if face.landmarks is not None and len(face.landmarks) == 68 else None


def _in_steps(values: Floats) -> Floats:
    """Round values to multiples of `STEP`."""
    return np.asarray((values / STEP).round() * STEP, np.float32)


def frame_squares(boxes: Floats, angles: NDArray[np.floating], size: int) -> Floats:
    """Return the squares around faces' boxes that the face networks expect, `ROOM` times as large.

    Args:
        boxes: (N, 4) x1 y1 x2 y2, framed as by `geometry.box_of_points`.
        angles: (N,) rotation of the squares in degrees, clockwise in the image.
        size: Side of the crops in pixels.

    Returns:
        (N, 2, 3) affine matrices from pixels of the crops to pixels of the image.

    Example:
        >>> frame_squares(np.float32([[0, 0, 40, 40]]), np.float32([0]), 54)[0] @ (27, 27, 1)
        array([20., 20.])
    """
    turn = np.deg2rad(angles)
    sides = np.maximum((boxes[:, 2:] - boxes[:, :2]).max(axis=1), 1e-3)
    scale = (ROOM * sides.astype(np.float64) / size).astype(turn.dtype)
    along, across = (part.astype(np.float64) for part in (scale * np.cos(turn), scale * np.sin(turn)))
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    frames = np.empty((len(boxes), 2, 3), np.float32)
    frames[:, 0, 0], frames[:, 0, 1], frames[:, 0, 2] = along, -across, middle[:, 0] - (along - across) * (size / 2)
    frames[:, 1, 0], frames[:, 1, 1], frames[:, 1, 2] = across, along, middle[:, 1] - (across + along) * (size / 2)
    return frames
