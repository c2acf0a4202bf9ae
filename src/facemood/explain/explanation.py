"""Explanation: which parts of one face support a label, and which contradict it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.explain.figure import draw_explanations
from facemood.render import encode_png, write_image
from facemood.schema import Image
from facemood.text import percent

SIDE = 160
"""Side in pixels to which each face is resized before segmentation, so that parameters mean the same for all faces."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Explanation:
    """Which parts of one face support a label.

    Attributes:
        method: ``"lime"``, ``"cam"`` or ``"occlusion"``.
        label: The label that is explained.
        probability: The label's probability, 0..1.
        image: (h, w, 3) uint8 BGR, the face crop, resized to `SIDE` pixels.
        attribution: (h, w) float32, positive where the face supports the label. For LIME the weight of the pixel's
            superpixel; for occlusion the loss of probability when the pixel is covered; for class activation the
            contribution to the label's log-odds.
        box: (4,) float32 x1 y1 x2 y2, the place of `image` in the photo, in pixels, before it is turned by `tilt`.
        segments: (h, w) int64, the number of each pixel's superpixel; None without superpixels.
        weights: (S,) float32, the weight of each superpixel as a change of probability; None without superpixels.
        r2: Coefficient of determination of LIME's linear model, 1 is best; None for other methods.
        settings: Settings of LIME: segmenter, its parameters, samples, seed, and what replaces hidden superpixels.
        tilt: Rotation of that square about its centre in degrees, clockwise in the photo: the crop shows it upright.

    Example:
        >>> segments, weights = np.array([[0, 0], [1, 2]]), np.array([0.5, -0.1, 0.2], np.float32)
        >>> image = np.zeros((2, 2, 3), np.uint8)
        >>> why = Explanation("lime", "happy", 0.9, image, weights[segments], segments=segments, weights=weights)
        >>> why.top(2), why.mask(1).tolist()
        ([0, 2], [[True, True], [False, False]])
    """

    method: str
    label: str
    probability: float
    image: Image
    attribution: NDArray[np.float32]
    box: NDArray[np.float32] | None = None
    segments: NDArray[np.int64] | None = None
    weights: NDArray[np.float32] | None = None
    r2: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    tilt: float = 0.0

    def __repr__(self) -> str:
        return f"<Explanation: {self.label} {percent(self.probability)}, by {self.method}>"

    def top(self, k: int) -> list[int]:
        """Return the numbers of the k superpixels that support the label most, strongest first; positive weights only.

        Raises:
            ValueError: The method has no superpixels.
        """
        if self.weights is None:
            raise ValueError(f"an explanation by {self.method!r} has no superpixels; use method='lime'")
        order = np.argsort(-self.weights, kind="stable")[:k]
        return [int(number) for number in order if self.weights[number] > 0]

    def mask(self, k: int) -> NDArray[np.bool_]:
        """Return the mask of the k superpixels that support the label most: (h, w) bool.

        Raises:
            ValueError: The method has no superpixels.
        """
        strongest = self.top(k)
        return np.isin(np.asarray(self.segments), strongest)

    def draw(self) -> Image:
        """Draw the face with the parts that support the label and those that contradict it; (H, W, 3) uint8 BGR."""
        return draw_explanations([self])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing of `draw` as an image file.

        Raises:
            OutputError: The extension is unknown or the file cannot be written.
        """
        write_image(Path(path), self.draw())
        return Path(path)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts, lists and dicts, without images; the attribution as 16 x 16 means."""
        return {
            "method": self.method,
            "label": self.label,
            "probability": round(self.probability, 4),
            "box": None if self.box is None else [round(value, 1) for value in self.box.tolist()],
            "tilt": round(self.tilt, 1),
            "r2": None if self.r2 is None else round(self.r2, 4),
            "weights": None if self.weights is None else [round(value, 5) for value in self.weights.tolist()],
            "attribution": np.round(cv2.resize(self.attribution, (16, 16), interpolation=cv2.INTER_AREA), 5).tolist(),
            "settings": dict(self.settings),
        }

    def _repr_png_(self) -> bytes:
        """Show the explanation in a notebook."""
        return encode_png(self.draw())
