"""Maps without superpixels: class activation, which needs one run of the network, and occlusion, which needs some."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.explain.scoring import InputScorer
from facemood.models.activation import read_with_maps

STEPS = 8
"""Places across and down at which occlusion covers the face."""

PATCH = 0.25
"""Side of what is covered, as a share of the face's side."""

Floats = NDArray[np.float32]


def contrast_maps(
    scorer: InputScorer, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], columns: Sequence[int | None]
) -> tuple[Floats, Floats]:
    """Say where in faces the network found what speaks for a label, against the labels that rival it.

    A softmax does not change where all logits rise alike, so a label's activation map (Zhou et al. 2016) tells nothing
    by itself. Here the maps of the other labels, weighed by their probabilities, are subtracted from it: what is left
    adds up to the logarithm of the label's odds, as far as one step tells.

    Args:
        scorer: The model, exported with its feature map.
        crops: N face crops, (h, w) or (h, w, 3) uint8 BGR.
        columns: For each the label; None takes the most probable one.

    Returns:
        (N, rows, columns) float32, positive where the face speaks for the label; and (N, K) probabilities.

    Raises:
        ModelError: The model was exported without its feature map.
    """
    maps, read = map_and_read(scorer, crops)
    chosen = [int(row.argmax()) if column is None else column for row, column in zip(read, columns, strict=True)]
    at = np.arange(len(read)), chosen
    rivals = np.maximum(read, 1e-6)
    rivals[at] = 0
    rivals /= rivals.sum(axis=1, keepdims=True)
    weights = -rivals  # (N, K)
    weights[at] = 1
    flat = maps.reshape(*maps.shape[:2], -1)
    made: Floats = (weights[:, None] @ flat).reshape(len(maps), *maps.shape[2:])
    return made, read


def map_and_read(scorer: InputScorer, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Return the activation maps of all labels, (N, K, rows, columns), and the probabilities, (N, K), of one run."""
    maps, logits = read_with_maps(scorer.session, crops, head=scorer.head)
    return maps, scorer.calibrate(logits)


def occlusion_map(
    whole: Floats, scorer: InputScorer, column: int, *, steps: int = STEPS, patch: float = PATCH
) -> tuple[Floats, float]:
    """Cover a face piece by piece and see how much of a label's probability goes (Zeiler & Fergus 2014).

    Args:
        whole: (C, h, w) float32, the network's input.
        scorer: The model.
        column: Which label.
        steps: Places across and down that are covered, one after the other.
        patch: Side of what is covered, as a share of the face's side.

    Returns:
        (h, w) float32, the mean loss of probability over the covers that lay on each pixel, negative where the label
        gained; and its probability where nothing is covered.
    """
    covers = occluders(whole.shape[1:], steps, patch)  # (N, h, w)
    grey = whole.mean(axis=(1, 2))[None, :, None, None]
    inputs = np.where(covers[:, None], grey, whole[None]).astype(np.float32)
    read = scorer.predict(np.concatenate([whole[None], inputs]))[:, column]
    losses = read[0] - read[1:]
    heat = np.tensordot(losses, covers.astype(np.float32), axes=1) / covers.sum(axis=0)
    return np.asarray(heat, np.float32), float(read[0])


def occluders(size: tuple[int, ...], steps: int, patch: float) -> NDArray[np.bool_]:
    """Return the squares that are covered one after the other, (steps * steps, h, w) bool; all lie inside.

    Example:
        >>> occluders((4, 4), 2, 0.5)[1].astype(int).tolist()
        [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    """
    height, width = size
    sides = max(-(-height // steps), round(patch * height)), max(-(-width // steps), round(patch * width))
    tops = np.linspace(0, height - sides[0], steps).round().astype(int)
    lefts = np.linspace(0, width - sides[1], steps).round().astype(int)
    covers = np.zeros((steps * steps, height, width), bool)
    for number, (top, left) in enumerate((top, left) for top in tops for left in lefts):
        covers[number, top : top + sides[0], left : left + sides[1]] = True
    return covers


def enlarge(heat: Floats, side: int) -> Floats:
    """Bring a map to the size of a picture of a face, smoothly: (side, side) float32."""
    return np.asarray(cv2.resize(heat, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)
