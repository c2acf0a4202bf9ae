"""Read expressions: from face crops to calibrated probabilities."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facemood.errors import ModelError, did_you_mean
from facemood.models.card import ModelCard
from facemood.models.session import ModelSession
from facemood.models.views import run_views
from facemood.schema import Face


def classify(
    session: ModelSession, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], *, head: str, views: int = 1
) -> NDArray[np.float32]:
    """Return the calibrated probabilities of one head, in one run of the network for each view.

    Args:
        session: The model.
        crops: N face crops, (h, w) or (h, w, 3) uint8 BGR.
        head: Which of the model's heads is read.
        views: How often each crop is read: 1, 2 (mirrored too) or 10 (and shifted).

    Returns:
        (N, K) float32; each row sums to 1, in the order of the card's labels.
    """
    return softmax(run_views(session, crops, views=views)[head], temperature=session.card.temperature.get(head, 1.0))


def softmax(logits: NDArray[np.float32], *, temperature: float = 1.0) -> NDArray[np.float32]:
    """Turn (N, K) logits into probabilities, softened by a temperature above 1 (Guo et al. 2017).

    Example:
        >>> softmax(np.float32([[0, 0], [0, 100]])).round(2).tolist()
        [[0.5, 0.5], [0.0, 1.0]]
    """
    scaled = logits / np.float32(temperature)
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True, initial=-np.inf))
    probabilities: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def choose_head(card: ModelCard, head: str | None) -> str:
    """Return the head to read: the one asked for, or the model's default.

    Raises:
        ModelError: The model has no such head.
    """
    if head is None:
        return card.default_head
    if head not in card.heads:
        raise ModelError(
            f"model {card.name!r} has no head {head!r}; it has {', '.join(card.heads)}.{did_you_mean(head, card.heads)}"
        )
    return head


def with_probabilities(
    faces: Sequence[Face], probabilities: NDArray[np.float32], labels: tuple[str, ...]
) -> tuple[Face, ...]:
    """Return the faces with what was read from them: a new Face for each."""
    pairs = zip(faces, probabilities, strict=True)
    return tuple(dataclasses.replace(face, labels=labels, probabilities=row) for face, row in pairs)
