"""Class activation maps (Zhou et al. 2016): where in a face a network found what it says, without a gradient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facemood.errors import ModelError
from facemood.models.session import ModelSession, prepare

FEATURES = "features"
"""The output of an expression model that holds its last feature map, (N, C, h, w) float32."""


def weights_of(head: str) -> str:
    """Name the output that holds a head's weights, (K, C) float32: how each class weighs each feature.

    Example:
        >>> weights_of("ferplus")
        'ferplus.weights'
    """
    return f"{head}.weights"


def activation_maps(
    session: ModelSession, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], *, head: str
) -> NDArray[np.float32]:
    """Split each logit over the places of the face that it came from.

    The heads see the mean of the feature map, so logit k is the mean over all places of the features weighed by class
    k, and a bias. A map holds these weighed features: what speaks for the class at each place, negative where it speaks
    against it.

    Args:
        session: A model exported with its feature map, as facemood's are.
        crops: N face crops, (h, w) or (h, w, 3) uint8 BGR.
        head: Which of the model's heads is read.

    Returns:
        (N, K, rows, columns) float32; the mean of each map is the logit without its bias.

    Raises:
        ModelError: The model was exported without its feature map.
    """
    return run_with_maps(session, crops, head=head)[0]


def run_with_maps(
    session: ModelSession, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], *, head: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the maps of N crops as `activation_maps` does, and their logits, (N, K) float32, from the same run.

    Raises:
        ModelError: The model was exported without its feature map, or with one of another form.
    """
    check_features(session, head)
    found = session.run_batch(prepare(crops, session.card), more=(FEATURES, weights_of(head)))
    labels = len(session.card.heads[head])
    features, weights = found[FEATURES], found[weights_of(head)][:labels]  # (N, C, h, w), (K, C)
    if features.ndim != 4 or weights.shape != (labels, features.shape[1]):
        raise ModelError(
            f"model {session.card.name!r}: {FEATURES} must be (N, C, h, w) and {weights_of(head)} ({labels}, C), but "
            f"they are {features.shape} and {weights.shape}"
        )
    number, channels, *size = features.shape
    maps: NDArray[np.float32] = weights @ features.reshape(number, channels, -1)
    return maps.reshape(number, len(weights), *size), found[head]


def missing_features(session: ModelSession, head: str) -> set[str]:
    """Return the outputs that maps of a head need and that the model does not have."""
    return {FEATURES, weights_of(head)}.difference(session.outputs)


def check_features(session: ModelSession, head: str) -> None:
    """Make sure that a model tells its feature map.

    Raises:
        ModelError: It was exported without.
    """
    missing = missing_features(session, head)
    if missing:
        raise ModelError(
            f"model {session.card.name!r} has no output {', '.join(sorted(missing))}; it has "
            f"{', '.join(session.outputs)}. Export it anew with 'facemood export'"
        )
