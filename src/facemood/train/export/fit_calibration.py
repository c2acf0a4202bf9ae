"""Calibrate a model: fit temperature, certainty and balance of each head on the validation images."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facemood.datasets import ExpressionDataset
from facemood.evaluation.calibration import balance_curve, fit_balance, fit_certain, fit_temperature
from facemood.evaluation.protocol import match_head, run_all, targets
from facemood.models.card import ModelCard, write_card
from facemood.models.session import ModelSession
from facemood.stages.classify import calibrate as probabilities


def calibrate(file: Path, training: ExpressionDataset, validation: ExpressionDataset) -> ModelCard:
    """Fit each head's temperature, the confidence of certain predictions, and the balance.

    Args:
        file: The model; its card is replaced.
        training: The training images, for the share of each label.
        validation: The images for everything else.

    Returns:
        The card.
    """
    session = ModelSession(file, device="cpu")
    logits = run_all(session, validation.images)
    card = dataclasses.replace(session.card, prior=_priors(session.card, training))
    for _, target, rows in targets(validation):
        head = match_head(card, target)
        if head is not None:
            card = _fit_head(card, head, logits[head][rows], target.labels)
    write_card(file, card)
    return card


def _priors(card: ModelCard, training: ExpressionDataset) -> dict[str, tuple[float, ...]]:
    """Return the share of each label of each head, 0..1; a label without images counts as one image."""
    found = {}
    for _, target, _ in targets(training):
        head = match_head(card, target)
        if head is not None:
            counts = np.maximum(np.bincount(target.labels, minlength=len(card.heads[head])), 1)
            found[head] = tuple(np.maximum(np.round(counts / counts.sum(), 5), 1e-5).tolist())
    return found


def _fit_head(card: ModelCard, head: str, logits: NDArray[np.float32], labels: NDArray[np.int64]) -> ModelCard:
    """Fit temperature, certainty and balance of one head, in that order."""
    card = dataclasses.replace(card, temperature={**card.temperature, head: fit_temperature(logits, labels)})
    certain = fit_certain(probabilities(card, head, logits), labels)
    balance = fit_balance(balance_curve(card, head, logits, labels))
    return dataclasses.replace(card, certain={**card.certain, head: certain}, balance={**card.balance, head: balance})
