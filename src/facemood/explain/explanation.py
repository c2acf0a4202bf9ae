"""Explanation: what in one face speaks for a label, and what against it."""

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

SIDE = 160
"""Pixels of the side to which every face is brought before it is divided, so that parameters mean the same for all."""


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Which parts of one face speak for a label.

    Attributes:
        method: ``"lime"``, ``"cam"`` or ``"occlusion"``.
        label: What is explained.
        probability: The label's probability, 0..1.
        image: (h, w, 3) uint8 BGR, the crop that the network saw, brought to `SIDE` pixels.
        heat: (h, w) float32, positive where the face speaks for the label: LIME's weight of each pixel's superpixel;
            the lost probability where something is covered; or the label's log-odds, place by place.
        box: (4,) float32 x1 y1 x2 y2, where `image` was cut out, in pixels of the photo.
        segments: (h, w) int64, the number of each pixel's superpixel; None without superpixels.
        weights: (S,) float32, each superpixel's weight, in units of probability; None without superpixels.
        r2: How well LIME's linear model fits, 1 is best; None for other methods.
        settings: What made it: segmenter, its parameters, samples, seed, and what hides.

    Example:
        >>> image, heat = np.zeros((2, 2, 3), np.uint8), np.array([[0.5, 0.5], [-0.1, 0.2]], np.float32)
        >>> segments, weights = np.array([[0, 0], [1, 2]]), np.array([0.5, -0.1, 0.2], np.float32)
        >>> why = Explanation("lime", "happy", 0.9, image, heat, segments=segments, weights=weights)
        >>> why.top(2), why.mask(1).tolist()
        ([0, 2], [[True, True], [False, False]])
    """

    method: str
    label: str
    probability: float
    image: Image = field(repr=False)
    heat: NDArray[np.float32] = field(repr=False)
    box: NDArray[np.float32] | None = None
    segments: NDArray[np.int64] | None = field(default=None, repr=False)
    weights: NDArray[np.float32] | None = field(default=None, repr=False)
    r2: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def top(self, k: int) -> list[int]:
        """Return the numbers of the k superpixels that speak most for the label, strongest first; none that do not.

        Raises:
            ValueError: The method has no superpixels.
        """
        if self.weights is None:
            raise ValueError(f"an explanation by {self.method!r} has no superpixels; take method='lime'")
        order = np.argsort(-self.weights, kind="stable")[:k]
        return [int(number) for number in order if self.weights[number] > 0]

    def mask(self, k: int) -> NDArray[np.bool_]:
        """Mark the pixels of the k superpixels that speak most for the label: (h, w) bool.

        Raises:
            ValueError: The method has no superpixels.
        """
        chosen = self.top(k)
        return np.isin(np.asarray(self.segments), chosen)

    def draw(self) -> Image:
        """Draw the explanation: the face, what speaks for the label and what against it; (H, W, 3) uint8 BGR."""
        return draw_explanations([self])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write what `draw` draws.

        Raises:
            OutputError: The ending is unknown or the place cannot be written to.
        """
        write_image(Path(path), self.draw())
        return Path(path)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts, lists and dicts: everything but the pictures; the map as 16 x 16 means."""
        return {
            "method": self.method,
            "label": self.label,
            "probability": round(self.probability, 4),
            "box": None if self.box is None else [round(value, 1) for value in self.box.tolist()],
            "r2": None if self.r2 is None else round(self.r2, 4),
            "weights": None if self.weights is None else [round(value, 5) for value in self.weights.tolist()],
            "heat": np.round(cv2.resize(self.heat, (16, 16), interpolation=cv2.INTER_AREA), 5).tolist(),
            "settings": dict(self.settings),
        }

    def _repr_png_(self) -> bytes:
        """Show the explanation in a notebook."""
        return encode_png(self.draw())
