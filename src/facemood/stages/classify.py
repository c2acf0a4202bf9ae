"""Classify expressions: from face crops to calibrated probabilities."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemood.errors import ModelError, OptionError, did_you_mean
from facemood.models.card import ModelCard
from facemood.models.session import ModelSession
from facemood.models.test_time_augmentation import run_views
from facemood.schema import Face

PRIORS = ("dataset", "balanced")
"""Priors over expressions: as in the training images, or uniform."""


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
    """Return the calibrated probabilities of one head, in one run of the network for each view.

    Args:
        session: The model.
        crops: N face crops, (h, w) or (h, w, 3) uint8 BGR.
        head: Which of the model's heads is used.
        views: Test-time augmentation (TTA): 1 view of each crop, 2 (mirrored too) or 10 (and shifted).
        prior: ``"dataset"``, or ``"balanced"`` to find rare expressions more often, and common ones less.
    """
    return predictions_of(session.card, head, run_views(session, crops, views=views)[head], prior=prior)


def predictions_of(card: ModelCard, head: str, logits: NDArray[np.float32], *, prior: str = "dataset") -> Predictions:
    """Turn the (N, K) logits of a head into calibrated predictions with a prior."""
    usual = probabilities = calibrate(card, head, logits)
    if prior == "balanced":
        probabilities = calibrate(card, head, logits, strength=card.balance[head])
    if head not in card.certain:
        return Predictions(probabilities, None)
    certain = (usual.max(axis=1) >= card.certain[head]) & (usual.argmax(axis=1) == probabilities.argmax(axis=1))
    return Predictions(probabilities, certain)


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


def check_prior(card: ModelCard, head: str, prior: str) -> str:
    """Return the prior, after checking that it exists and that the model supports it.

    Raises:
        OptionError: The prior is unknown.
        ModelError: The card does not say how common the labels were in training.
    """
    if prior not in PRIORS:
        raise OptionError(f"prior must be one of {', '.join(PRIORS)}, but is {prior!r}.{did_you_mean(prior, PRIORS)}")
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
