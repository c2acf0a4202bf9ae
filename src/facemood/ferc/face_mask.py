"""Level 1 of FERC: segment the face from its background."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.geometry import Floats, box_of_points, tilts
from facemood.models import ModelSession, find_model
from facemood.schema import Image
from facemood.squares import cut_square
from facemood.stages.landmarks import frame_squares

MASK = "mask"
"""The network's name in the registry."""

FINE = 4
"""Factor by which a mask is enlarged before its outline is traced."""


class MaskedFaces(NamedTuple):
    """Upright face crops and their masks.

    Attributes:
        crops: (N, s, s) uint8 grey.
        masks: (N, s, s) float32, the probability of each pixel that it belongs to the face, 0..1.
        frames: (N, 2, 3) float32 affine matrices from pixels of a crop to pixels of the image.
    """

    crops: NDArray[np.uint8]
    masks: Floats
    frames: Floats

    def without_background(self) -> NDArray[np.uint8]:
        """Return the crops, (N, s, s) uint8, with the background replaced by the face's mean grey level."""
        weights = np.maximum(self.masks.sum(axis=(1, 2), keepdims=True), 1.0)
        mean = (self.crops * self.masks).sum(axis=(1, 2), keepdims=True) / weights
        return np.asarray(np.round(mean + (self.crops - mean) * self.masks), np.uint8)

    def shares_inside(self, size: tuple[int, int]) -> Floats:
        """Return the share of each mask inside of an image of a width and height: (N,) float32, 0..1."""
        side = self.masks.shape[1]
        whole = np.ones(size[::-1], np.uint8)
        visible = [
            cv2.warpAffine(whole, frame, (side, side), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
            for frame in self.frames
        ]
        totals = self.masks.sum(axis=(1, 2))
        inside = (self.masks * np.reshape(visible, self.masks.shape)).sum(axis=(1, 2))
        return np.asarray(inside / np.maximum(totals, 1e-6), np.float32)


class MaskModel:
    """The mask network: segments the oval of a face, from hairline to chin, without ears, hair and neck.

    Args:
        threads: Threads per run; None for one per core that may be used.

    Example:
        >>> from facemood.stages.pose import generic_face
        >>> points = (generic_face()[:, :2] * 30 + 60).astype(np.float32)
        >>> MaskModel().predict(np.full((120, 120), 128, np.uint8), points[None]).masks.shape
        (1, 64, 64)
    """

    def __init__(self, *, threads: int | None = None) -> None:
        self.session: ModelSession = ModelSession(find_model(MASK), device="cpu", threads=threads)

    def predict(self, image: Image, points: Floats) -> MaskedFaces:
        """Predict the masks of faces with known landmarks, as the mean of each crop and its mirror image, in one run.

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
        frames = frame_squares(boxes, turned, size)
        crops = np.stack([cut_square(grey, frame, size) for frame in frames])
        straight, mirrored = np.split(self.session.run(np.concatenate([crops, crops[:, :, ::-1]]))["mask"], 2)
        logits = (straight + mirrored[:, :, ::-1]) / 2
        return MaskedFaces(crops, (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32), frames)


def outline_of(mask: Floats, frame: Floats) -> Floats:
    """Return the outline of a mask's largest component as a polygon in the image.

    Args:
        mask: (s, s) 0..1.
        frame: (2, 3) affine matrix from pixels of the mask to pixels of the image.

    Returns:
        (P, 2) float32 pixels; (0, 2) for an empty mask.
    """
    fine = cv2.resize(np.asarray(mask, np.float32), None, fx=FINE, fy=FINE, interpolation=cv2.INTER_CUBIC)
    found, _ = cv2.findContours((fine >= 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not found:
        return np.zeros((0, 2), np.float32)
    largest = max(found, key=cv2.contourArea)[:, 0]
    inside = (np.asarray(largest, np.float32) + 0.5) / FINE
    return np.asarray(inside @ frame[:, :2].T + frame[:, 2], np.float32)


def mask_overlap(one: Floats, other: Floats) -> float:
    """Return the intersection over union (IoU) of two masks, 0..1; 1 if both are empty.

    Args:
        one: (h, w) 0..1; a pixel belongs to the face from 0.5.
        other: (h, w) 0..1.

    Raises:
        ValueError: The shapes differ.

    Example:
        >>> mask_overlap(np.float32([[1, 1, 0]]), np.float32([[0, 1, 0]]))
        0.5
    """
    if one.shape != other.shape:
        raise ValueError(f"two masks must have the same shape, but have {one.shape} and {other.shape}")
    first, second = one >= 0.5, other >= 0.5
    either = int((first | second).sum())
    return float((first & second).sum()) / either if either else 1.0
