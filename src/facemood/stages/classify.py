"""Classify expressions: from face crops to calibrated probabilities."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemood.errors import ModelError, OptionError, did_you_mean
from facemood.models.card import ModelCard
from facemood.models.operating_point import OperatingPoint, adjusted_logits, pool
from facemood.models.session import ModelSession
from facemood.models.test_time_augmentation import run_views
from facemood.schema import Face

PRIORS = ("tuned", "dataset", "balanced")
"""Priors over expressions: the card's operating point, as in the training images, or uniform."""

Logits = Mapping[str, NDArray[np.float32]]
"""The (N, K) logits of each head."""


class Predictions(NamedTuple):
    """The predictions of a head for N faces.

    Attributes:
        probabilities: (N, K) float32 in the order of the card's labels; each row sums to 1. Faces without a prediction
            are rows of NaN.
        certain: (N,) bool, whether each prediction counts as certain (selective prediction); None if the card has no
            threshold for it.
    """

    probabilities: NDArray[np.float32]
    certain: NDArray[np.bool_] | None

    def part(self, first: int, end: int) -> Predictions:
        """Return the predictions of faces `first` to `end` - 1."""
        certain = None if self.certain is None else self.certain[first:end]
        return Predictions(self.probabilities[first:end], certain)


def classify(
    session: ModelSession,
    crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    *,
    head: str,
    views: int = 1,
    prior: str = "dataset",
) -> Predictions:
    """Return the calibrated probabilities of a head's labels, in one run of the network for each view.

    Args:
        session: The model.
        crops: N face crops, (h, w) or (h, w, 3) uint8 BGR.
        head: Which of the model's heads is used.
        views: Test-time augmentation (TTA): 1 view of each crop, 2 (mirrored too) or 10 (and shifted).
        prior: One of `PRIORS`, which the card supports (`choose_prior`).
    """
    return predictions_of(session.card, head, run_views(session, crops, views=views), prior=prior)


def predictions_of(card: ModelCard, head: str, logits: Logits, *, prior: str = "dataset") -> Predictions:
    """Turn the logits of a model's heads into calibrated predictions of one head's labels, with a prior."""
    probabilities = probabilities_of(card, head, logits, prior=prior)
    if prior == "tuned":
        return Predictions(probabilities, probabilities.max(axis=1) >= card.operating_point[head]["certain"])
    if head not in card.certain:
        return Predictions(probabilities, None)
    usual = calibrate(card, head, logits[head])
    certain = (usual.max(axis=1) >= card.certain[head]) & (usual.argmax(axis=1) == probabilities.argmax(axis=1))
    return Predictions(probabilities, certain)


def probabilities_of(card: ModelCard, head: str, logits: Logits, *, prior: str = "dataset") -> NDArray[np.float32]:
    """Turn the logits of a model's heads into calibrated probabilities of one head's labels: (N, K) float32."""
    if prior == "tuned":
        return tune(card, head, logits, card.operating_point[head])
    return calibrate(card, head, logits[head], strength=card.balance[head] if prior == "balanced" else 0.0)


def tune(card: ModelCard, head: str, logits: Logits, point: OperatingPoint) -> NDArray[np.float32]:
    """Turn the logits of a model's heads into probabilities at an operating point.

    The log-probabilities of both heads are pooled, and so are their priors. A part of the pooled prior is removed.

    Args:
        card: The model's card.
        head: The head whose labels are predicted.
        logits: (N, K) float32 of this head and of the one that is pooled.
        point: The operating point.

    Returns:
        (N, K) float32; each row sums to 1.
    """
    second = point["second"]
    answers = calibrate(card, head, logits[head]), calibrate(card, second, logits[second])
    priors = (np.asarray([card.prior[name]], np.float32) for name in (head, second))
    pooled, prior = (
        pool(own, other, labels=card.heads[head], second_labels=card.heads[second], weight=point["weight"])
        for own, other in (answers, priors)
    )
    return softmax(adjusted_logits(pooled, prior[0], point))


def calibrate(card: ModelCard, head: str, logits: NDArray[np.float32], *, strength: float = 0.0) -> NDArray[np.float32]:
    """Turn a head's logits into probabilities by temperature scaling, and remove the prior of the training images.

    To remove it, the logarithm of each label's share of the training images is subtracted from its logit (logit
    adjustment, Menon et al. 2021).

    Args:
        card: The model's card.
        head: The head.
        logits: (N, K) float32.
        strength: Factor of these logarithms: 0 keeps the prior, 1 removes it.

    Returns:
        (N, K) float32; each row sums to 1.
    """
    scaled = logits / np.float32(card.temperature.get(head, 1.0))
    if strength:
        scaled = scaled - np.float32(strength) * np.log(np.asarray(card.prior[head], np.float32))
    return softmax(scaled)


def choose_prior(card: ModelCard, head: str, prior: str | None) -> str:
    """Return the given prior, after checking that the model supports it; without one, the default of the head.

    The default is the operating point of the head, or ``"dataset"`` if the card has none.

    Raises:
        OptionError: The prior is unknown.
        ModelError: The card does not have what the prior needs.
    """
    if prior is None:
        return "tuned" if head in card.operating_point else "dataset"
    if prior not in PRIORS:
        raise OptionError(f"prior must be one of {', '.join(PRIORS)}, but is {prior!r}.{did_you_mean(prior, PRIORS)}")
    if prior == "tuned" and head not in card.operating_point:
        having = f"; heads with one: {', '.join(card.operating_point)}" if card.operating_point else ""
        raise ModelError(
            f"model {card.name!r} has no operating point for the head {head!r}, which prior='tuned' needs{having}; "
            "use prior='dataset'"
        )
    if prior == "balanced" and not (head in card.prior and head in card.balance):
        raise ModelError(
            f"model {card.name!r} does not say how common the labels of {head!r} were in training, which "
            "prior='balanced' needs; export it again with 'facemood export', or use prior='dataset'"
        )
    return prior


def softmax(logits: NDArray[np.float32], *, temperature: float = 1.0) -> NDArray[np.float32]:
    """Turn (N, K) logits into probabilities; a temperature above 1 lowers the confidence (Guo et al. 2017).

    Example:
        >>> softmax(np.float32([[0, 0], [0, 100]])).round(2).tolist()
        [[0.5, 0.5], [0.0, 1.0]]
    """
    scaled = logits / np.float32(temperature)
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True, initial=-np.inf))
    probabilities: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def choose_head(card: ModelCard, head: str | None) -> str:
    """Return the head that predicts: the given one, or the model's default.

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


def with_predictions(faces: Sequence[Face], predictions: Predictions, labels: tuple[str, ...]) -> tuple[Face, ...]:
    """Return the faces with their predictions; faces without one stay as they are."""
    certain = [None] * len(faces) if predictions.certain is None else predictions.certain.tolist()
    rows = zip(faces, predictions.probabilities, certain, strict=True)
    return tuple(
        face if np.isnan(row).any() else dataclasses.replace(face, labels=labels, probabilities=row, certain=kept)
        for face, row, kept in rows
    )
