"""Calibrate a model on the validation images: temperature, certainty, balance and operating point of its heads."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facemood.datasets import ExpressionDataset
from facemood.evaluation.calibration import (
    balance_curve,
    fit_balance,
    fit_certain,
    fit_operating_point,
    fit_temperature,
)
from facemood.evaluation.protocol import MAJORITY, match_head, run_all, targets
from facemood.models.card import ModelCard, write_card
from facemood.models.session import ModelSession
from facemood.stages.classify import calibrate as probabilities


def calibrate(file: Path, training: ExpressionDataset | None, validation: ExpressionDataset) -> ModelCard:
    """Fit each head's temperature, the confidence of certain predictions, and the balance; then the operating point.

    Args:
        file: The model; its card is replaced.
        training: The training images, for the share of each label; None keeps the shares on the card.
        validation: The images for everything else.

    Returns:
        The card.
    """
    session = ModelSession(file, device="cpu")
    logits = run_all(session, validation.images)
    card = session.card
    if training is not None:
        card = dataclasses.replace(card, prior=_priors(card, training))
    for _, target, rows in targets(validation):
        head = match_head(card, target)
        if head is not None:
            card = _fit_head(card, head, logits[head][rows], target.labels)
    card = with_operating_point(card, logits, validation)
    write_card(file, card)
    return card


def refit_operating_point(file: Path, validation: ExpressionDataset) -> ModelCard:
    """Fit only the operating point of a model, and replace it on the card in the file.

    Args:
        file: The model, with a complete card otherwise.
        validation: The images for the fit.
    """
    session = ModelSession(file, device="cpu")
    card = with_operating_point(session.card, run_all(session, validation.images), validation)
    write_card(file, card)
    return card


def with_operating_point(
    card: ModelCard, logits: dict[str, NDArray[np.float32]], validation: ExpressionDataset
) -> ModelCard:
    """Fit the operating point of the head that knows all expressions, if the images have votes; it pools the other.

    Args:
        card: The card, with temperatures and priors.
        logits: (N, K) of each head for all validation images.
        validation: The images.
    """
    heads = {protocol: (match_head(card, target), target, rows) for protocol, target, rows in targets(validation)}
    head, target, rows = heads.get(MAJORITY, (None, validation, np.ones(0, bool)))
    if head is None or head not in card.prior or not len(target):
        return card
    others = [name for name in card.heads if name != head and set(card.heads[name]) <= set(card.heads[head])]
    second = next((name for name in others if name in card.prior), head)
    kept = {name: logits[name][rows] for name in (head, second)}
    labels = np.array([card.heads[head].index(label) for label in target.classes])[target.labels]
    return dataclasses.replace(card, operating_point={head: fit_operating_point(card, head, second, kept, labels)})


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
