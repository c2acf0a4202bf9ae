"""Class activation maps (Zhou et al. 2016): the contribution of each place of a face to a logit, without gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facemood.errors import ModelError
from facemood.models.session import ModelSession, prepare

FEATURES = "features"
"""Name of the output with an expression model's last feature map, (N, C, h, w) float32."""


def weights_of(head: str) -> str:
    """Return the name of the output with a head's weights, (K, C) float32: the weight of each feature for each class.

    Example:
        >>> weights_of("ferplus")
        'ferplus.weights'
    """
    return f"{head}.weights"


def activation_maps(
    session: ModelSession, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], *, head: str
) -> NDArray[np.float32]:
    """Split each logit into contributions of the places of the face.

    The heads take the mean of the feature map, so logit k is the mean over all places of the features weighted for
    class k, plus a bias. A map holds these weighted features: positive where a place supports the class, negative where
    it contradicts it.

    Args:
        session: A model exported with its feature map, such as the models in the package.
        crops: N face crops, (h, w) or (h, w, 3) uint8 BGR.
        head: The head of the maps.

    Returns:
        (N, K, rows, columns) float32. The mean of each map is the logit without its bias.

    Raises:
        ModelError: The model was exported without its feature map.
    """
    return run_with_maps(session, crops, heads=[head])[head][0]


def run_with_maps(
    session: ModelSession, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], *, heads: Sequence[str]
) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return the maps of N crops by head, as `activation_maps` does, and their logits, (N, K) float32, in one run.

    Raises:
        ModelError: The model was exported without its feature map, or its shape is wrong.
    """
    for head in heads:
        check_features(session, head)
    found = session.run_batch(prepare(crops, session.card), more=(FEATURES, *map(weights_of, heads)))
    return {head: (_maps_of(session, found, head), found[head]) for head in heads}


def _maps_of(session: ModelSession, found: dict[str, NDArray[np.float32]], head: str) -> NDArray[np.float32]:
    """Weight the feature map of a run for each class of a head: (N, K, rows, columns)."""
    labels = len(session.card.heads[head])
    features, weights = found[FEATURES], found[weights_of(head)][:labels]  # (N, C, h, w), (K, C)
    if features.ndim != 4 or weights.shape != (labels, features.shape[1]):
        raise ModelError(
            f"model {session.card.name!r}: {FEATURES} must be (N, C, h, w) and {weights_of(head)} ({labels}, C), but "
            f"they are {features.shape} and {weights.shape}"
        )
    number, channels, *size = features.shape
    maps: NDArray[np.float32] = weights @ features.reshape(number, channels, -1)
    return maps.reshape(number, len(weights), *size)


def pooled_features(
    session: ModelSession, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Return the features from which the heads predict: the mean of the feature map over all places.

    Args:
        session: A model exported with its feature map, such as the models in the package.
        crops: N face crops, (h, w) or (h, w, 3) uint8 BGR.

    Returns:
        (N, C) float32.

    Raises:
        ModelError: The model was exported without its feature map.
    """
    check_features(session, session.card.default_head)
    width, height = session.card.input_size
    some = crops if len(crops) else np.zeros((1, height, width), np.uint8)  # also no crop has C features
    found = session.run_batch(prepare(some, session.card), more=(FEATURES,))[FEATURES]
    pooled: NDArray[np.float32] = found.mean(axis=(2, 3))
    return pooled[: len(crops)]


def missing_features(session: ModelSession, head: str) -> set[str]:
    """Return the outputs that the maps of a head need but the model does not have."""
    return {FEATURES, weights_of(head)}.difference(session.outputs)


def check_features(session: ModelSession, head: str) -> None:
    """Check that a model outputs its feature map.

    Raises:
        ModelError: It was exported without it.
    """
    missing = missing_features(session, head)
    if missing:
        raise ModelError(
            f"model {session.card.name!r} has no output {', '.join(sorted(missing))}; it has "
            f"{', '.join(session.outputs)}. Export it again with 'facemood export'"
        )
