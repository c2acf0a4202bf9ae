"""Maps without superpixels: class activation (one run of the network) and occlusion (64 covered versions)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.explain.scoring import InputScorer
from facemood.models.activation import run_with_maps
from facemood.stages.classify import calibrate

STEPS = 8
"""Positions of the occluder across and down: 64 in all."""

PATCH = 0.25
"""Side of the occluder, as a share of the face's side."""

Floats = NDArray[np.float32]


def contrast_maps(
    scorer: InputScorer, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], columns: Sequence[int | None]
) -> tuple[Floats, Floats]:
    """Return class activation maps of a label against its rivals (Zhou et al. 2016).

    A softmax does not change if all logits rise alike, so the activation map of one label says little by itself. Here
    the maps of the other labels, weighted by their probabilities, are subtracted from it. To first order, the
    difference adds up to the label's log-odds.

    Args:
        scorer: The model, exported with its feature map.
        crops: N face crops, (h, w) or (h, w, 3) uint8 BGR.
        columns: Column of each crop's label; None for the most probable one.

    Returns:
        (N, rows, columns) float32, positive where the face supports the label; and (N, K) probabilities.

    Raises:
        ModelError: The model was exported without its feature map.
    """
    maps, probabilities = predict_with_maps(scorer, crops)
    pairs = zip(probabilities, columns, strict=True)
    chosen = [int(row.argmax()) if column is None else column for row, column in pairs]
    at = np.arange(len(probabilities)), chosen
    rivals = np.maximum(probabilities, 1e-6)
    rivals[at] = 0
    rivals /= rivals.sum(axis=1, keepdims=True)
    weights = -rivals  # (N, K)
    weights[at] = 1
    flat = maps.reshape(*maps.shape[:2], -1)
    contrast: Floats = (weights[:, None] @ flat).reshape(len(maps), *maps.shape[2:])
    return contrast, probabilities


def predict_with_maps(
    scorer: InputScorer, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]
) -> tuple[Floats, Floats]:
    """Return the activation maps of all labels, (N, K, rows, columns), and the probabilities, (N, K), in one run.

    If the scorer pools two heads, a map is the first-order change of the label's log-probability.
    """
    found = run_with_maps(scorer.session, crops, heads=scorer.heads)
    logits = {head: values for head, (_, values) in found.items()}
    maps = {head: values for head, (values, _) in found.items()}
    probabilities = scorer.calibrate(logits)
    return (pooled_maps(scorer, maps, logits) if scorer.prior == "tuned" else maps[scorer.head]), probabilities


def pooled_maps(scorer: InputScorer, maps: Mapping[str, Floats], logits: Mapping[str, Floats]) -> Floats:
    """Pool the activation maps of two heads as their log-probabilities are pooled.

    Args:
        scorer: The model, with ``prior="tuned"``.
        maps: (N, K, rows, columns) of each head.
        logits: (N, K) of each head.

    Returns:
        (N, K, rows, columns) float32 for the labels of the scorer's head.
    """
    card, head = scorer.session.card, scorer.head
    point = card.operating_point[head]
    second, weight = point["second"], point["weight"]
    own, other = (calibrate(card, name, logits[name]) for name in (head, second))
    own_gain, other_gain = (
        _gains(maps[name], values, card.temperature.get(name, 1.0)) for name, values in ((head, own), (second, other))
    )
    columns = [scorer.column(label) for label in card.heads[second]]
    unknown = np.setdiff1d(np.arange(len(scorer.labels)), columns)
    rest = 1 - own[:, unknown].sum(axis=1)
    lost = (own[:, unknown, None, None] * own_gain[:, unknown]).sum(axis=1) / rest[:, None, None]
    gain = own_gain.copy()
    gain[:, columns] = (1 - weight) * own_gain[:, columns] + weight * (other_gain - lost[:, None])
    return _gains(gain, scorer.calibrate(logits), point["temperature"])


def _gains(maps: Floats, probabilities: Floats, temperature: float) -> Floats:
    """Return the first-order changes of a head's log-probabilities: (N, K, rows, columns)."""
    mean = (probabilities[:, :, None, None] * maps).sum(axis=1, keepdims=True)
    return np.asarray((maps - mean) / temperature, np.float32)


def occlusion_map(
    whole: Floats, scorer: InputScorer, column: int, *, steps: int = STEPS, patch: float = PATCH
) -> tuple[Floats, float]:
    """Return how much of a label's probability is lost when parts of a face are covered (Zeiler & Fergus 2014).

    Args:
        whole: (C, h, w) float32, the network's input.
        scorer: The model.
        column: Column of the label.
        steps: Positions of the occluder across and down.
        patch: Side of the occluder, as a share of the face's side.

    Returns:
        (h, w) float32, the mean loss of probability over the occluders that covered each pixel, negative where the
        probability rose; and the probability with nothing covered.
    """
    covers = occluders(whole.shape[1:], steps, patch)  # (N, h, w)
    grey = whole.mean(axis=(1, 2))[None, :, None, None]
    inputs = np.where(covers[:, None], grey, whole[None]).astype(np.float32)
    probabilities = scorer.predict(np.concatenate([whole[None], inputs]))[:, column]
    losses = probabilities[0] - probabilities[1:]
    mean_loss = np.tensordot(losses, covers.astype(np.float32), axes=1) / covers.sum(axis=0)
    return np.asarray(mean_loss, np.float32), float(probabilities[0])


def occluders(size: tuple[int, ...], steps: int, patch: float) -> NDArray[np.bool_]:
    """Return the masks of all occluders, (steps * steps, h, w) bool; all lie inside of the image.

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


def enlarge(values: Floats, side: int) -> Floats:
    """Resize a map to the size of a face crop by cubic interpolation: (side, side) float32."""
    return np.asarray(cv2.resize(values, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)
