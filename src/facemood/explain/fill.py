"""Hide superpixels in the network's input: any number of versions of a face by one matrix product."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.errors import ExplanationError, did_you_mean

HIDES = ("mean", "blur", "grey")
"""What replaces a hidden superpixel: its mean colour (as in LIME), the blurred face, or the face's mean grey."""

BLUR = 1 / 8
"""Standard deviation of the blur, as a share of the input's side."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class HidableFace:
    """A network's input, written as the hidden input plus what each visible superpixel adds.

    Attributes:
        ground: (C, h, w) float32, the input with all superpixels hidden.
        parts: (S, C * h * w) float32, what each superpixel adds when it is visible.
    """

    ground: Floats
    parts: Floats

    def show(self, shown: NDArray[np.bool_]) -> Floats:
        """Return inputs with some superpixels visible: (N, C, h, w) float32 for (N, S) masks of visible superpixels.

        Example:
            >>> face = hide_parts(np.float32([[[1, 2]]]), np.float32([[[1, 0]], [[0, 1]]]), how="grey")
            >>> face.show(np.array([[True, True], [True, False]])).ravel().tolist()
            [1.0, 2.0, 1.0, 1.5]
        """
        made: Floats = shown.astype(np.float32) @ self.parts
        return made.reshape(-1, *self.ground.shape) + self.ground


def hide_parts(whole: Floats, masks: Floats, *, how: str = "mean") -> HidableFace:
    """Split an input into superpixels that can be hidden.

    Args:
        whole: (C, h, w) float32, the network's input.
        masks: (S, h, w) float32 0..1, how much of each pixel belongs to each superpixel.
        how: One of `HIDES`.

    Raises:
        ExplanationError: `how` is unknown.
    """
    if how not in HIDES:
        raise ExplanationError(f"unknown way to hide {how!r}; expected {', '.join(HIDES)}.{did_you_mean(how, HIDES)}")
    if how == "mean":
        sizes = np.maximum(masks.sum(axis=(1, 2)), 1e-6)
        hidden = (np.einsum("shw,chw->sc", masks, whole) / sizes[:, None])[:, :, None, None]  # (S, C, 1, 1)
    else:
        hidden = np.asarray(_without_detail(whole, how))[None]  # (1, C, h, w)
    ground = (masks[:, None] * hidden).sum(axis=0)
    parts = masks[:, None] * (whole[None] - hidden)
    return HidableFace(ground.astype(np.float32), parts.reshape(len(masks), -1).astype(np.float32))


def _without_detail(whole: Floats, how: str) -> Floats:
    """Return an input (C, h, w) with its face blurred or replaced by the mean."""
    if how == "grey":
        return np.broadcast_to(whole.mean(axis=(1, 2), keepdims=True), whole.shape)
    spread = BLUR * whole.shape[2]
    return np.stack([cv2.GaussianBlur(plane, (0, 0), spread) for plane in whole]).astype(np.float32)
