"""The operating point of a head: how its answer and another head's become the answer that people get by default.

Both heads answer for images in which expressions are as common as in their training images. The operating point pools
the two answers, removes a part of the prior that both have learned, and calibrates the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MIN_PROBABILITY = 1e-9
"""Probabilities are raised to this before their logarithm is taken."""


class OperatingPoint(TypedDict):
    """The rule of ``prior="tuned"`` for one head, as it stands on a card.

    Attributes:
        second: The other head that is pooled; the head itself if there is none.
        weight: Weight of the other head's log-probabilities, 0..1.
        strength: Share of the pooled prior that is removed: 0 keeps it, 1 removes it (logit adjustment, Menon et al.
            2021).
        temperature: Temperature of the result (Guo et al. 2017).
        certain: Confidence 0..1 from which a prediction counts as certain.
    """

    second: str
    weight: float
    strength: float
    temperature: float
    certain: float


def pool(
    own: NDArray[np.floating],
    second: NDArray[np.floating],
    *,
    labels: Sequence[str],
    second_labels: Sequence[str],
    weight: float,
) -> Floats:
    """Mix the log-probabilities of two heads (logarithmic opinion pool, Genest & Zidek 1986).

    Labels that the second head does not know keep the first head's probability. The second head's probabilities share
    the rest.

    Args:
        own: (N, K) probabilities of the first head.
        second: (N, M) probabilities of the second head.
        labels: The K labels.
        second_labels: The M labels; all of them are among `labels`.
        weight: Weight of the second head, 0..1.

    Returns:
        (N, K) float32 log-probabilities, up to a constant for each row.

    Example:
        >>> own, second = np.array([[0.4, 0.4, 0.2]]), np.array([[0.9, 0.1]])
        >>> np.exp(pool(own, second, labels="abc", second_labels="ab", weight=0.5)).round(1).tolist()
        [[0.5, 0.20000000298023224, 0.20000000298023224]]
    """
    columns = [labels.index(label) for label in second_labels]
    wide = np.array(own, np.float32)
    unknown = [index for index in range(len(labels)) if index not in columns]
    wide[:, columns] = second * (1 - own[:, unknown].sum(axis=1, keepdims=True))
    logs = (np.log(np.maximum(part, MIN_PROBABILITY)) for part in (own, wide))
    return np.asarray(sum(share * part for share, part in zip((1 - weight, weight), logs, strict=True)), np.float32)


def adjusted_logits(pooled: Floats, prior: Floats, point: OperatingPoint) -> Floats:
    """Remove a part of the prior from pooled log-probabilities, and apply the temperature.

    Args:
        pooled: (N, K) log-probabilities.
        prior: (K,) logarithm of the prior, pooled in the same way.
        point: The operating point.

    Returns:
        (N, K) float32 logits; their softmax is the answer.
    """
    return np.asarray((pooled - point["strength"] * prior) / point["temperature"], np.float32)
