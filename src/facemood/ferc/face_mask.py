"""Level 1 of FERC: which pixels about a face are the face, and the face without its background."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.geometry import Floats, box_of_points, tilts
from facemood.models import ModelSession, find_model
from facemood.schema import Image
from facemood.stages.landmarks import cut_square, frame_square

MASK = "mask"
"""The network's name in the registry."""

FINE = 4
"""An outline is followed on a grid that is so many times finer than the mask."""


class MaskedFaces(NamedTuple):
    """Faces that are cut out upright, and which of their pixels are face.

    Attributes:
        crops: (N, s, s) uint8 grey.
        masks: (N, s, s) float32, how sure it is of each pixel that it is face, 0..1.
        frames: (N, 2, 3) float32, each leads from a crop's pixels to the picture's.
    """

    crops: NDArray[np.uint8]
    masks: Floats
    frames: Floats

    def without_background(self) -> NDArray[np.uint8]:
        """Return the crops, (N, s, s) uint8, with the face's own mean in place of what is not face."""
        weights = np.maximum(self.masks.sum(axis=(1, 2), keepdims=True), 1.0)
        mean = (self.crops * self.masks).sum(axis=(1, 2), keepdims=True) / weights
        return np.asarray(np.round(mean + (self.crops - mean) * self.masks), np.uint8)

    def shares_inside(self, size: tuple[int, int]) -> Floats:
        """Return how much of each mask lies in a picture of a width and height: (N,) float32, 0..1."""
        side = self.masks.shape[1]
        whole = np.ones(size[::-1], np.uint8)
        seen = [
            cv2.warpAffine(whole, frame, (side, side), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
            for frame in self.frames
        ]
        totals = self.masks.sum(axis=(1, 2))
        inside = (self.masks * np.reshape(seen, self.masks.shape)).sum(axis=(1, 2))
        return np.asarray(inside / np.maximum(totals, 1e-6), np.float32)


class MaskModel:
    """The mask network: the oval of a face, from the forehead's edge to the chin, without ears, hair and neck.

    Args:
        threads: Threads inside one run; None leaves it to ONNX Runtime.

    Example:
        >>> from facemood.stages.pose import generic_face
        >>> points = (generic_face()[:, :2] * 30 + 60).astype(np.float32)
        >>> MaskModel().predict(np.full((120, 120), 128, np.uint8), points[None]).masks.shape
        (1, 64, 64)
    """

    def __init__(self, *, threads: int | None = None) -> None:
        self.session: ModelSession = ModelSession(find_model(MASK), device="cpu", threads=threads)

    def predict(self, image: Image, points: Floats) -> MaskedFaces:
        """Read the masks of faces whose points are known: each once as it is and once mirrored, in one run.

        Args:
            image: (H, W, 3) uint8 BGR, or (H, W) grey.
            points: (N, 68, 2) float32 pixels, in iBUG order.
        """
        grey = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
        size = self.session.card.input_size[0]
        if not len(points):
            nothing = np.zeros((0, size, size), np.uint8)
            return MaskedFaces(nothing, nothing.astype(np.float32), np.zeros((0, 2, 3), np.float32))
        boxes, turned = box_of_points(points), tilts(points[:, 36], points[:, 45])
        frames = np.stack([frame_square(box, tilt, size) for box, tilt in zip(boxes, turned, strict=True)])
        crops = np.stack([cut_square(grey, frame, size) for frame in frames])
        straight, mirrored = np.split(self.session.run(np.concatenate([crops, crops[:, :, ::-1]]))["mask"], 2)
        logits = (straight + mirrored[:, :, ::-1]) / 2
        return MaskedFaces(crops, (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32), frames)


def outline_of(mask: Floats, frame: Floats) -> Floats:
    """Return the edge of a mask's largest part as a polygon in the picture.

    Args:
        mask: (s, s) 0..1.
        frame: (2, 3), leads from the mask's pixels to the picture's.

    Returns:
        (P, 2) float32 pixels; (0, 2) for a mask that is empty.
    """
    fine = cv2.resize(np.asarray(mask, np.float32), None, fx=FINE, fy=FINE, interpolation=cv2.INTER_CUBIC)
    found, _ = cv2.findContours((fine >= 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not found:
        return np.zeros((0, 2), np.float32)
    largest = max(found, key=cv2.contourArea)[:, 0]
    inside = (np.asarray(largest, np.float32) + 0.5) / FINE
    return np.asarray(inside @ frame[:, :2].T + frame[:, 2], np.float32)


def mask_overlap(one: Floats, other: Floats) -> float:
    """Return the intersection over union of two masks, 0..1; of two empty ones 1.

    Args:
        one: (h, w) 0..1; from a half on a pixel is face.
        other: (h, w) as well.

    Raises:
        ValueError: They have different shapes.

    Example:
        >>> mask_overlap(np.float32([[1, 1, 0]]), np.float32([[0, 1, 0]]))
        0.5
    """
    if one.shape != other.shape:
        raise ValueError(f"two masks must have one shape to be compared, but have {one.shape} and {other.shape}")
    first, second = one >= 0.5, other >= 0.5
    either = int((first | second).sum())
    return float((first & second).sum()) / either if either else 1.0
